//! The rules of entry, compiled: proven ones are gone, the others draw as little as decides them.

use protocol::{
    expression::{Comparison, Input, ItemRef, Scope, Term, When},
    model::{AnswerDraw, EligibilityRule, Form, Item, ItemType, Spread, Study},
};
use statistics::distribution::normal_cdf;
use terms::{Answer, Date, Decimal, Truth, Value, VisitId};

use super::{
    behind::{Behind, BodyEntered, Look},
    is_skin_total,
    possible::{DEVIATIONS_MAX, LITRES_ROUNDED, WayIn, reach, starts, unit},
    screening::{BlockOfDraws, UsualRange},
    someone::Someone,
};
use crate::{
    answers::{self, Condition, coded},
    person::{MeasureStreams, Person, spread},
    questionnaires,
    streams::{Process, Streams},
};

/// A rule as far as it is left open.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    Always(Truth),
    Not(Box<Rule>),
    Any(Vec<Rule>),
    All(Vec<Rule>),
    /// The skin score of the visit: a truth for each total.
    Skin(Vec<Truth>),
    /// A truth for each stratum.
    Stratum(Vec<Truth>),
    /// Answers drawn by shares: a truth for each combination of their codes, those of the last item side by side.
    Shares {
        items: Vec<(Process, Vec<f64>)>,
        truths: Vec<Truth>,
    },
    /// A measured value: the truth is settled while the uniform draw of its start lies in a range, and in a wider
    /// one while the noise is not of the rarest.
    Measured {
        index: usize,
        settled: Settled,
        nearly: Option<Nearly>,
        else_: Box<Rule>,
    },
    /// A number as it is written down against a limit, in units of its last decimal: one truth below the limit,
    /// one from it on.
    Limit {
        written: Written,
        from: i64,
        truths: [Truth; 2],
    },
    /// A measured value of which limits that differ between laboratories, sexes and ages leave only the
    /// values between them open.
    Outside {
        written: Written,
        up_to: (f64, Truth),
        from: (f64, Truth),
        else_: Box<Rule>,
    },
    /// The first symptom's date against the visit's: settled if the one lies months before the other.
    LongIll {
        truth: Truth,
        else_: Box<Rule>,
    },
    /// The age: settled while the uniform draw behind it lies in a range.
    Age {
        settled: Settled,
        else_: Box<Rule>,
    },
    /// An item that is asked of some people only: a rule for those, and the truth for the others.
    Asked {
        shown: Box<Rule>,
        given: Box<Rule>,
        missing: Truth,
    },
    /// Evaluated on the answers themselves.
    Whole(Term),
}

/// A range of uniform draws over which a condition has one truth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settled {
    from: f64,
    to: f64,
    truth: Truth,
}

impl Settled {
    fn range(&self) -> (f64, f64) {
        (self.from, self.to)
    }

    /// Share of people whom it settles.
    fn width(&self) -> f64 {
        (self.to - self.from).max(0.0)
    }
}

/// A wider range for those whose noise lies in one of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nearly {
    settled: Settled,
    /// Of the uniform draw behind the noise.
    noise: (f64, f64),
}

impl Nearly {
    fn holds(&self, start: f64, noise: impl FnOnce() -> f64) -> bool {
        (self.settled.from..=self.settled.to).contains(&start)
            && (self.noise.0..=self.noise.1).contains(&noise())
    }

    /// Share of people whom it settles.
    fn chance(&self) -> f64 {
        self.settled.width() * (self.noise.1 - self.noise.0)
    }
}

/// A number as a form takes it.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    of: Source,
    kind: ItemType,
    step: Option<f64>,
    /// The item's own limits.
    bounds: (f64, f64),
    /// What is entered where the item is percent predicted.
    behind: Option<Box<Behind>>,
}

/// Where a number comes from.
#[derive(Clone, Debug)]
enum Source {
    /// A measure, by its place in the cohort's list.
    Measure { index: usize },
    /// Drawn anew at each visit.
    Anew { process: Process, around: Spread },
}

impl Written {
    fn of(item: &Item, of: Source, step: Option<f64>) -> Self {
        let bounds = (answers::within(item, f64::NEG_INFINITY), answers::within(item, f64::INFINITY));
        Self { of, kind: item.kind.clone(), step, bounds, behind: None }
    }
}

/// A uniform draw that lies in a range for nearly everybody.
#[derive(Clone, Copy, Debug)]
struct Usual {
    process: Process,
    occasion: u64,
    /// The word of the stream at which it stands, and whether it has two words.
    word: usize,
    fine: bool,
    from: f64,
    to: f64,
    /// The place of the condition that is looked at where it does not.
    part: usize,
}

/// The rules of one visit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    /// Rules that have no usual way, cheapest first.
    rules: Vec<Rule>,
    /// The others: whoever is usual in everything below meets them all.
    usually_met: Vec<Rule>,
    /// Conditions in them, each with the truth that it usually has and the place of its rule.
    parts: Vec<(Rule, Truth, usize)>,
    usual: Vec<Usual>,
    /// Those of them that ask for a first symptom that lies back far enough.
    long_ill: Vec<usize>,
    /// The visit's place in the schedule.
    occasion: u64,
}

/// What makes somebody usual.
#[derive(Clone, Debug, Default)]
struct Usually {
    draws: Vec<Usual>,
    parts: Vec<(Rule, Truth, usize)>,
    long_ill: Vec<usize>,
    /// The place of the rule in hand.
    rule: usize,
}

impl Usually {
    /// Adds what makes a rule come to a truth; says whether there is something that does.
    fn settle(&mut self, rule: &Rule, wanted: Truth, occasion: u64) -> bool {
        let part = self.parts.len();
        let mut of = |(process, occasion), word, fine, (from, to)| {
            self.draws.push(Usual { process, occasion, word, fine, from, to, part });
        };
        let is_settled = match rule {
            Rule::Always(truth) => return *truth == wanted,
            Rule::Not(inner) => return self.settle(inner, wanted.negate(), occasion),
            Rule::All(parts) if wanted == Truth::True => {
                return parts.iter().all(|part| self.settle(part, wanted, occasion));
            }
            Rule::Any(parts) if wanted == Truth::False => {
                return parts.iter().all(|part| self.settle(part, wanted, occasion));
            }
            Rule::Measured { index, settled, nearly, .. } => {
                let streams = MeasureStreams::of(*index);
                let fits = |settled: &Settled| settled.truth == wanted && settled.from < settled.to;
                match nearly {
                    Some(nearly)
                        if fits(&nearly.settled) && nearly.chance() > settled.width() + WORTH_A_LOOK =>
                    {
                        of(streams.start, streams.word, true, nearly.settled.range());
                        of((streams.noise, occasion), streams.word, true, nearly.noise);
                        true
                    }
                    _ if fits(settled) => {
                        of(streams.start, streams.word, true, settled.range());
                        true
                    }
                    _ => false,
                }
            }
            Rule::Shares { items, truths } => match box_of(items, truths, wanted) {
                Some(ranges) => {
                    for ((process, _), range) in items.iter().zip(ranges) {
                        if let Some(range) = range {
                            of((*process, 0), 0, false, range);
                        }
                    }
                    true
                }
                None => false,
            },
            Rule::LongIll { truth, .. } if *truth == wanted => {
                self.long_ill.push(self.rule);
                true
            }
            Rule::Age { settled, .. } if settled.truth == wanted => {
                of((Process::named("body"), 0), 0, true, settled.range());
                true
            }
            Rule::Asked { shown, given, missing } => {
                if *missing == wanted && matches!(**shown, Rule::Always(Truth::False | Truth::Unknown)) {
                    return true;
                }
                return self.settle(shown, Truth::True, occasion) && self.settle(given, wanted, occasion);
            }
            _ => false,
        };
        self.parts.push((rule.clone(), wanted, self.rule));
        is_settled && self.parts.len() <= PARTS_MAX
    }
}

/// As many parts of rules have a bit of their own where it is noted what somebody is unusual in.
const PARTS_MAX: usize = 64;

/// Share of people for whom a look at everybody's noise is worth while.
const WORTH_A_LOOK: f64 = 0.02;

/// The ranges of the uniform draws of answers by shares, none where any draw does, so that every combination of
/// answers within them comes to a truth: of all boxes of neighbouring answers the one that most people lie in.
fn box_of(items: &[(Process, Vec<f64>)], truths: &[Truth], wanted: Truth) -> Option<Vec<Option<(f64, f64)>>> {
    let (first, rest) = items.split_first()?;
    let below: usize = rest.iter().map(|(_, shares)| shares.len()).product();
    let shares = &first.1;
    let total: f64 = shares.iter().sum();
    let mut best: Option<(f64, Vec<Option<(f64, f64)>>)> = None;
    for low in 0..shares.len() {
        // The truths that the other items leave, where the first item's answer is any of those so far.
        let mut common = vec![wanted; below];
        for high in low..shares.len() {
            if shares[high] > 0.0 {
                let own = &truths[high * below..(high + 1) * below];
                for (common, own) in common.iter_mut().zip(own).filter(|(_, own)| **own != wanted) {
                    *common = *own;
                }
            }
            let of_rest = if rest.is_empty() {
                (common[0] == wanted).then(Vec::new)
            } else {
                box_of(rest, &common, wanted)
            };
            let Some(of_rest) = of_rest else { break };
            let own: f64 = shares[low..=high].iter().sum::<f64>() / total;
            let width = |range: &Option<(f64, f64)>| range.map_or(1.0, |(from, to)| to - from);
            let chance = own * of_rest.iter().map(width).product::<f64>();
            if chance > 0.0 && best.as_ref().is_none_or(|(most, _)| chance > *most) {
                let mut ranges = vec![range_of(shares, low, high)];
                ranges.extend(of_rest);
                best = Some((chance, ranges));
            }
        }
    }
    best.map(|(_, ranges)| ranges)
}

/// The uniform draws that give an answer from one place to another; none if every draw does.
fn range_of(shares: &[f64], low: usize, high: usize) -> Option<(f64, f64)> {
    let total: f64 = shares.iter().sum();
    let before: f64 = shares[..low].iter().sum();
    let behind: f64 = shares[high + 1..].iter().sum();
    // A hair within, for the rounding of sums.
    let from = if before > 0.0 { before / total + ROOM } else { 0.0 };
    let to = if behind > 0.0 { 1.0 - behind / total - ROOM } else { 1.0 };
    (before > 0.0 || behind > 0.0).then_some((from, to))
}

/// What rules come to, before anything is drawn for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreseen {
    Met,
    NotMet,
    Open,
}

/// What was found of somebody when they were looked at beside others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looked {
    /// Of the rules that have no usual way.
    pub(crate) foreseen: Foreseen,
    /// The parts of the other rules in which they are unusual, a bit each.
    pub(crate) unusual: u64,
}

/// Why a rule can't be decided on the fast path.
pub(crate) struct Undecidable {
    pub(crate) rule: String,
    pub(crate) item: String,
}

impl Gate {
    pub(crate) fn compile(study: &Study, visit: &VisitId) -> Result<Self, Undecidable> {
        let way_in = WayIn { study, visit, narrowed: None, all_asked: false };
        let occasion = study.visits.iter().position(|known| known.id == *visit).unwrap_or_default() as u64;
        let mut rules = Vec::new();
        for rule in study.eligibility.iter().filter(|rule| rule.at.contains(visit)) {
            let reduced = reduce(&way_in, &whole(rule));
            refuse_unknown_items(study, rule, &reduced)?;
            if !matches!(reduced, Rule::Always(Truth::True)) {
                rules.push(reduced);
            }
        }
        rules.sort_by_key(Rule::cost);
        let mut gate = Self { occasion, ..Self::default() };
        let mut usually = Usually::default();
        for rule in rules {
            let mut with = Usually { rule: gate.usually_met.len(), ..usually.clone() };
            if with.settle(&rule, Truth::True, occasion) {
                usually = with;
                gate.usually_met.push(rule);
            } else {
                gate.rules.push(rule);
            }
        }
        (gate.usual, gate.parts, gate.long_ill) = (usually.draws, usually.parts, usually.long_ill);
        Ok(gate)
    }

    /// Says whether somebody meets every rule, given what was seen when they were looked at beside others.
    pub(crate) fn is_met(&self, at: &Entry<'_>, someone: &Someone, looked: Looked) -> bool {
        let rules_met = match looked.foreseen {
            Foreseen::Met => true,
            Foreseen::NotMet => false,
            Foreseen::Open => self.rules.iter().all(|rule| rule.truth(at, someone) == Truth::True),
        };
        rules_met && self.meets_the_usual(at, someone, looked.unusual)
    }

    /// The same of somebody who was not looked at beside others.
    pub(crate) fn is_met_rule_by_rule(&self, at: &Entry<'_>, someone: &Someone) -> bool {
        self.rules.iter().chain(&self.usually_met).all(|rule| rule.truth(at, someone) == Truth::True)
    }

    /// Looks at a rule only where somebody is unusual in what usually settles it: in these parts of rules.
    fn meets_the_usual(&self, at: &Entry<'_>, someone: &Someone, mut unusual: u64) -> bool {
        let is_met = |rule: usize| self.usually_met[rule].truth(at, someone) == Truth::True;
        if someone.traits.onset_days() <= REMEMBERED_DAYS && !self.long_ill.iter().all(|rule| is_met(*rule)) {
            return false;
        }
        while unusual != 0 {
            let (part, usually, rule) = &self.parts[unusual.trailing_zeros() as usize];
            if part.truth(at, someone) != *usually && !is_met(*rule) {
                return false;
            }
            unusual &= unusual - 1;
        }
        true
    }

    /// Returns what the rules without a usual way come to for somebody of a stratum in whom that total was seen, as
    /// far as nothing has to be drawn for it.
    pub(crate) fn foreseen(&self, stratum: Option<usize>, total: i64) -> Foreseen {
        let truths: Vec<Option<Truth>> =
            self.rules.iter().map(|rule| rule.foreseen(stratum, total)).collect();
        if truths.iter().any(|truth| truth.is_some_and(|truth| truth != Truth::True)) {
            Foreseen::NotMet
        } else if truths.contains(&None) {
            Foreseen::Open
        } else {
            Foreseen::Met
        }
    }

    /// Returns the ranges in which everybody usual lies, by the streams whose numbers they are of.
    pub(crate) fn blocks(&self) -> Vec<BlockOfDraws> {
        let mut blocks: Vec<BlockOfDraws> = Vec::new();
        for usual in &self.usual {
            let Usual { process, occasion, word, fine, from, to, part } = *usual;
            let range = UsualRange { word, fine, from, to, part: part as u32 };
            match blocks.iter_mut().find(|block| block.process == process && block.occasion == occasion) {
                Some(block) => block.ranges.push(range),
                None => blocks.push(BlockOfDraws { process, occasion, ranges: vec![range] }),
            }
        }
        blocks
    }

    pub(crate) fn occasion(&self) -> u64 {
        self.occasion
    }

    /// How many rules are left, for tests and explanations.
    pub(crate) fn open_rules(&self) -> usize {
        self.rules.len() + self.usually_met.len()
    }
}

/// A visit on the way in.
pub(crate) struct Entry<'a> {
    pub(crate) study: &'a Study,
    pub(crate) streams: &'a Streams,
    pub(crate) process: &'a super::Processes,
    pub(crate) visit: &'a VisitId,
    pub(crate) occasion: u64,
    pub(crate) calendar: &'a super::calendar::Calendar,
    pub(crate) day: i32,
    pub(crate) arrival: i32,
    pub(crate) skin: i64,
}

impl Entry<'_> {
    /// What is written down of a number at the visit, in units of its last decimal.
    fn written(&self, someone: &Someone, written: &Written) -> (i64, u32) {
        let (whole, decimals) = self.followed(someone, written);
        match &written.behind {
            Some(behind) => self.percent_of_entered(someone, behind, whole, decimals),
            None => (whole, decimals),
        }
    }

    /// The same, of a percent of predicted that which is followed.
    fn followed(&self, someone: &Someone, written: &Written) -> (i64, u32) {
        let value = match &written.of {
            Source::Measure { index } => self.measured(someone, *index),
            Source::Anew { process, around } => {
                spread(&mut self.streams.draws(someone.number, *process, self.occasion), around)
            }
        };
        answers::entered(&written.kind, value.max(written.bounds.0).min(written.bounds.1), written.step)
    }

    fn measured(&self, someone: &Someone, index: usize) -> f64 {
        let virtuals = &self.study.virtual_cohort;
        let process = &virtuals.measures[index];
        let of = MeasureStreams::of(index);
        let wanted = [of.start, of.slope, (of.noise, self.occasion)];
        let [start, slope, noise] = self.streams.draws_of(someone.number, wanted);
        let trajectory = someone.trajectory(process, index, [start, slope]);
        let months = crate::course::months(self.day - self.arrival);
        let skin_change = virtuals
            .skin
            .as_ref()
            .filter(|_| process.per_skin_point != 0.0)
            .map_or(0.0, |skin| someone.natural.at(skin, months, 0.0) - someone.natural.start);
        trajectory.observe_with(process, months, skin_change, |_| false, &mut of.own(noise))
    }

    /// What is derived from what is entered for a followed percent of predicted.
    fn percent_of_entered(
        &self,
        someone: &Someone,
        behind: &Behind,
        whole: i64,
        decimals: u32,
    ) -> (i64, u32) {
        let body = BodyEntered::of(self.study, self.streams, self.process, someone, self.calendar);
        // It follows no skin score.
        let haemoglobin = behind.haemoglobin.as_ref().map(|item| {
            let step = self.study.virtual_cohort.measures[item.index].step;
            item.entered(self.measured(someone, item.index), step)
        });
        let days = self.day - self.arrival;
        let look = Look { days, known: Some(days), corrected: false };
        let percent = behind.percent(self.study, &body, &look, (whole, decimals), haemoglobin);
        let mut percent = percent.unwrap_or_default();
        percent.rescale(decimals);
        (i64::try_from(percent.mantissa()).unwrap_or(0), decimals)
    }
}

/// A rule as one condition: it does not apply, or it holds (an exclusion: does not hold).
fn whole(rule: &EligibilityRule) -> Term {
    let answer = rule.rule.root().clone();
    let answer = if rule.inclusion { answer } else { Term::Not(Box::new(answer)) };
    match &rule.applies_to {
        None => answer,
        Some(who) => Term::Or(Box::new(Term::Not(Box::new(who.root().clone()))), Box::new(answer), (0, 0)),
    }
}

fn reduce(way_in: &WayIn<'_>, term: &Term) -> Rule {
    if let Some(truth) = way_in.possible(term).sole() {
        return Rule::Always(truth);
    }
    match term {
        Term::Not(inner) => Rule::Not(Box::new(reduce(way_in, inner))),
        Term::And(a, b, _) => {
            let mut parts = vec![reduce(way_in, a), reduce(way_in, b)];
            parts.retain(|part| !matches!(part, Rule::Always(Truth::True)));
            parts.sort_by_key(Rule::cost);
            Rule::All(parts)
        }
        Term::Or(a, b, _) => {
            let mut parts = vec![reduce(way_in, a), reduce(way_in, b)];
            parts.retain(|part| !matches!(part, Rule::Always(Truth::False)));
            parts.sort_by_key(Rule::cost);
            Rule::Any(parts)
        }
        _ => leaf(way_in, term),
    }
}

/// A condition on one item becomes a table or a range; anything else stays as it is.
fn leaf(way_in: &WayIn<'_>, term: &Term) -> Rule {
    if let Some(table) = share_table(way_in, term) {
        return table;
    }
    let inputs = inputs_of(term);
    let study = way_in.study;
    let items: Vec<&ItemRef> = inputs
        .iter()
        .filter_map(|input| if let Input::Item(item) = input { Some(item) } else { None })
        .collect();
    let whole = || Rule::Whole(term.clone());
    let [reference] = items[..] else { return whole() };
    let Some((form, item)) = item_of(study, reference) else { return whole() };
    if !way_in.is_always_given(reference) {
        return asked_leaf(way_in, term, reference, item).unwrap_or_else(whole);
    }
    given_leaf(way_in, term, (reference, form, item), &inputs)
}

/// A condition on an item that some people are asked: decided as for those who are, where they are.
fn asked_leaf(way_in: &WayIn<'_>, term: &Term, reference: &ItemRef, item: &Item) -> Option<Rule> {
    let shown = item.shown_if.as_ref().filter(|_| reference.when == When::Here)?;
    let inputs = inputs_of(term);
    let (form, _) = item_of(way_in.study, reference)?;
    if inputs.len() != 1 || !way_in.is_given_where_asked(form, item) {
        return None;
    }
    let missing = term.truth(&One { reference, answer: None });
    let asked = WayIn { all_asked: true, ..*way_in };
    let given = given_leaf(&asked, term, (reference, form, item), &inputs);
    // What only some are asked is not proven for them by what holds of all.
    matches!(given, Rule::Measured { .. } | Rule::Limit { .. } | Rule::Skin(_)).then(|| Rule::Asked {
        shown: Box::new(reduce(way_in, shown.root())),
        given: Box::new(given),
        missing,
    })
}

/// A condition on an item that is answered.
fn given_leaf(
    way_in: &WayIn<'_>,
    term: &Term,
    (reference, form, item): (&ItemRef, &Form, &Item),
    inputs: &[Input],
) -> Rule {
    let study = way_in.study;
    let whole = || Rule::Whole(term.clone());
    let virtuals = &study.virtual_cohort;
    let truth_for = |value: Value| term.truth(&One { reference, answer: Some(Answer::Given(value)) });
    let alone = inputs.len() == 1;
    if alone && is_skin_total(form, item) && reference.when == When::Here {
        let sites = form.items.iter().filter(|item| answers::is_site(item)).count() as i64;
        return Rule::Skin((0..=3 * sites).map(|total| truth_for(Value::Integer(total))).collect());
    }
    if let Some(index) = virtuals.measures.iter().position(|m| m.form == form.id && m.item == item.id) {
        return measured_leaf(way_in, term, index);
    }
    let process = virtuals.answers.iter().find(|a| a.form == form.id && a.item == item.id);
    match process.map(|process| &process.draw) {
        Some(AnswerDraw::Normal(around)) => {
            let process = Process::named(&format!("{}.{}", form.id, item.id));
            let written = Written::of(item, Source::Anew { process, around: *around }, None);
            limit_leaf(term, written).unwrap_or_else(whole)
        }
        Some(AnswerDraw::From(property)) if alone && property == "stratum" => Rule::Stratum(
            virtuals.cohort.strata.iter().map(|(code, _)| truth_for(coded(item, code))).collect(),
        ),
        Some(AnswerDraw::From(property)) if property == "onset_date" => onset_leaf(term, reference, inputs),
        Some(AnswerDraw::From(property)) if alone && (property == "age" || property == "age_years") => {
            age_leaf(study, term, &truth_for)
        }
        _ => whole(),
    }
}

fn inputs_of(term: &Term) -> Vec<Input> {
    let mut inputs = Vec::new();
    term.visit(&mut |part| {
        if let Term::Input(input) = part
            && !inputs.contains(input)
        {
            inputs.push(input.clone());
        }
    });
    inputs
}

fn item_of<'a>(study: &'a Study, reference: &ItemRef) -> Option<(&'a Form, &'a Item)> {
    let form = study.form(reference.form.as_str())?;
    Some((form, form.item(reference.item.as_str())?))
}

/// The most combinations of codes that a table holds.
const COMBINATIONS_MAX: usize = 256;

/// A condition that rests on answers drawn by shares alone, with those that decide whether they are asked: the
/// condition is evaluated here, once for each combination of their codes.
fn share_table(way_in: &WayIn<'_>, term: &Term) -> Option<Rule> {
    let study = way_in.study;
    let mut drawn: Vec<(&Form, &Item, &[(String, f64)])> = Vec::new();
    let mut open: Vec<(Input, Option<&Form>)> =
        inputs_of(term).into_iter().map(|input| (input, None)).collect();
    while let Some((input, asked_on)) = open.pop() {
        let Input::Item(reference) = &input else { return None };
        let (form, item) = item_of(study, reference)?;
        let filled = match reference.when {
            // What decides whether an item is asked stands on its own form.
            _ if asked_on.is_some_and(|asked_on| asked_on.id != form.id) => false,
            When::Here => asked_on.is_some() || way_in.is_filled_at(form, way_in.visit),
            When::Latest => asked_on.is_none() && way_in.last_filled(form).is_some(),
            _ => false,
        };
        if !filled || item.derived.is_some() {
            return None;
        }
        if drawn.iter().any(|(known, of, _)| known.id == form.id && of.id == item.id) {
            continue;
        }
        let answers = &study.virtual_cohort.answers;
        let process = answers.iter().find(|a| a.form == form.id && a.item == item.id)?;
        let AnswerDraw::Shares(shares) = &process.draw else { return None };
        drawn.push((form, item, shares));
        if let Some(shown) = &item.shown_if {
            open.extend(inputs_of(shown.root()).into_iter().map(|input| (input, Some(form))));
        }
    }
    let combinations: usize = drawn.iter().map(|(.., shares)| shares.len()).product();
    if drawn.is_empty() || combinations > COMBINATIONS_MAX {
        return None;
    }
    let truths = (0..combinations).map(|combination| {
        let mut rest = combination;
        let mut codes = Vec::new();
        for (form, item, shares) in drawn.iter().rev() {
            codes.push((*form, *item, coded(item, &shares[rest % shares.len()].0)));
            rest /= shares.len();
        }
        term.truth(&Combination(&codes))
    });
    let truths = truths.collect();
    let process = |form: &Form, item: &Item| Process::named(&format!("{}.{}", form.id, item.id));
    let share = |shares: &[(String, f64)]| shares.iter().map(|(_, share)| *share).collect();
    let items = drawn.iter().map(|(form, item, shares)| (process(form, item), share(shares))).collect();
    Some(Rule::Shares { items, truths })
}

/// Answers to several items and nothing else.
struct Combination<'a>(&'a [(&'a Form, &'a Item, Value)]);

impl Scope for Combination<'_> {
    fn item(&self, reference: &ItemRef) -> Option<Answer> {
        let own =
            |(form, item, _): &&(&Form, &Item, Value)| form.id == reference.form && item.id == reference.item;
        let (_, item, value) = self.0.iter().find(own)?;
        if item.shown_if.as_ref().is_some_and(|shown| shown.truth(self) != Truth::True) {
            return None;
        }
        Some(Answer::Given(value.clone()))
    }

    fn variable(&self, _name: &str) -> Option<Answer> {
        None
    }

    fn limit(&self, _reference: &ItemRef, _upper: bool) -> Option<Answer> {
        None
    }

    fn today(&self) -> Option<Date> {
        None
    }
}

/// The greatest age in years that is thought of.
const AGE_MAX: i64 = 150;

/// A condition on the age, settled for who is older than the last age at which it changes, by a year or more: an
/// age in completed years at a visit lies within a year of the one that is drawn, and a few weeks later at most.
fn age_leaf(study: &Study, term: &Term, truth_for: &dyn Fn(Value) -> Truth) -> Rule {
    let truth = truth_for(Value::Integer(AGE_MAX));
    let last_other = (0..AGE_MAX).rev().find(|age| truth_for(Value::Integer(*age)) != truth);
    let from = last_other.map_or(0.0, |age| age as f64 + 2.0);
    let from = 1.0 - share_above(&study.virtual_cohort.cohort.age, from);
    Rule::Age { settled: Settled { from, to: 1.0, truth }, else_: Box::new(Rule::Whole(term.clone())) }
}

/// Days by which the first symptom lies before a visit for certain, however its date is remembered, where
/// its own day lies so many days before: a month that is known without its day may end 30 days later.
pub(super) const REMEMBERED_DAYS: f64 = 62.0;

fn onset_leaf(term: &Term, reference: &ItemRef, inputs: &[Input]) -> Rule {
    let whole = Rule::Whole(term.clone());
    let visit_date = Input::Variable("visit.date".to_owned());
    let compares = matches!(term, Term::Compare(_, a, b, _)
        if matches!((&**a, &**b), (Term::Input(_), Term::Input(_))));
    if !compares || inputs.len() != 2 || !inputs.contains(&visit_date) {
        return whole;
    }
    let dates = (Date::constant(1990, 1, 15), Date::constant(1990, 6, 15));
    let truth = term.truth(&Dates { reference, onset: dates.0, visit: dates.1 });
    Rule::LongIll { truth, else_: Box::new(whole) }
}

/// A date of onset and a later date of a visit.
struct Dates<'a> {
    reference: &'a ItemRef,
    onset: Date,
    visit: Date,
}

impl Scope for Dates<'_> {
    fn item(&self, reference: &ItemRef) -> Option<Answer> {
        (reference == self.reference).then(|| Answer::Given(Value::Date(self.onset.into())))
    }

    fn variable(&self, name: &str) -> Option<Answer> {
        (name == "visit.date").then(|| Answer::Given(Value::Date(self.visit.into())))
    }

    fn limit(&self, _reference: &ItemRef, _upper: bool) -> Option<Answer> {
        None
    }

    fn today(&self) -> Option<Date> {
        None
    }
}

/// Standard deviations of noise within which it is asked where a start may lie.
const NOISES: [f64; 5] = [1.5, 2.0, 2.5, 3.0, 4.0];

/// Finds the range of the uniform draw behind a measure's start over which the condition can't change.
fn measured_leaf(way_in: &WayIn<'_>, term: &Term, index: usize) -> Rule {
    let study = way_in.study;
    let process = &study.virtual_cohort.measures[index];
    let Some(item) = study.form(process.form.as_str()).and_then(|form| form.item(process.item.as_str()))
    else {
        return Rule::Whole(term.clone());
    };
    let sole =
        |low: f64, high: f64| WayIn { narrowed: Some((index, low, high)), ..*way_in }.possible(term).sole();
    let (least, most) = (-1e7, 1e7);
    // Values up to the first, and from the second on, settle the condition.
    let below =
        sole(least, least).map(|truth| (last_with(least, most, |x| sole(least, x) == Some(truth)), truth));
    let above =
        sole(most, most).map(|truth| (-last_with(-most, -least, |x| sole(-x, most) == Some(truth)), truth));
    // The wider of the two ranges of starts from which no slope, noise or rounding leads across.
    let settled = |deviations: f64| -> Option<Settled> {
        let unsure = reach(process, deviations) + unit(process, item);
        let low = below.map(|(limit, truth)| Settled {
            from: 0.0,
            to: starts(process).map(|start| share_below(start, limit - unsure)).fold(1.0, f64::min),
            truth,
        });
        let share = |start, limit: f64| 1.0 - share_above(start, limit + unsure);
        let high = above.map(|(limit, truth)| Settled {
            from: starts(process).map(|start| share(start, limit)).fold(0.0, f64::max),
            to: 1.0,
            truth,
        });
        let wide = |one: &Settled| one.to - one.from;
        let both = low.into_iter().chain(high).filter(|one| wide(one) > 0.0);
        both.max_by(|one, other| wide(one).total_cmp(&wide(other)))
    };
    let Some(always) = settled(DEVIATIONS_MAX) else { return Rule::Whole(term.clone()) };
    let behind = study.form(process.form.as_str()).and_then(|form| Behind::of(study, form, item));
    let mut written = Written::of(item, Source::Measure { index }, process.step);
    written.behind = behind.map(Box::new);
    let else_ = limit_leaf(term, written.clone()).unwrap_or_else(|| {
        let whole = Rule::Whole(term.clone());
        if !reads_here_alone(term) {
            return whole;
        }
        let up_to = below.unwrap_or((f64::NEG_INFINITY, Truth::Unknown));
        let from = above.unwrap_or((f64::INFINITY, Truth::Unknown));
        Rule::Outside { written, up_to, from, else_: Box::new(whole) }
    });
    // The noise of the visit in hand is drawn only where the condition reads that visit. The narrower its range, the wider that of the
    // starts: whatever settles most people is taken.
    let within = |deviations: f64| {
        let beyond = normal_cdf(-deviations) + ROOM;
        Some(Nearly { settled: settled(deviations)?, noise: (beyond, 1.0 - beyond) })
    };
    let nearly =
        NOISES.into_iter().filter_map(within).max_by(|one, other| one.chance().total_cmp(&other.chance()));
    let nearly = nearly.filter(|_| reads_here_alone(term));
    Rule::Measured { index, settled: always, nearly, else_: Box::new(else_) }
}

/// Says whether a condition reads items of the visit in hand alone.
fn reads_here_alone(term: &Term) -> bool {
    let mut alone = true;
    term.visit(&mut |part| {
        if let Term::Input(Input::Item(reference)) = part {
            alone &= reference.when == When::Here;
        }
    });
    alone
}

/// A plain comparison of a number on a form with another, which one limit decides; none of other conditions.
fn limit_leaf(term: &Term, written: Written) -> Option<Rule> {
    let Term::Compare(comparison, a, b, _) = term else { return None };
    let reference = match (&**a, &**b) {
        (Term::Input(Input::Item(reference)), Term::Number(..))
        | (Term::Number(..), Term::Input(Input::Item(reference))) => reference,
        _ => return None,
    };
    let ordered = !matches!(comparison, Comparison::Equal | Comparison::Unequal);
    if !ordered || reference.when != When::Here {
        return None;
    }
    let decimals = match written.kind {
        ItemType::Decimal { decimals } => decimals,
        _ => 0,
    };
    let truth = |whole: i64| {
        let answer = Some(Answer::Given(Value::Decimal(Decimal::new(whole, decimals))));
        term.truth(&One { reference, answer })
    };
    let (mut low, mut high) = (-1_000_000_000_000, 1_000_000_000_000);
    let truths = [truth(low), truth(high)];
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        if truth(middle) == truths[0] { low = middle } else { high = middle }
    }
    Some(Rule::Limit { written, from: high, truths })
}

/// The last number, to within a rounding, up to which something holds that holds at `low`.
fn last_with(low: f64, high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut inside, mut outside) = (low, high);
    if holds(high) {
        return high;
    }
    for _ in 0..80 {
        let middle = (inside + outside) / 2.0;
        if holds(middle) { inside = middle } else { outside = middle }
    }
    inside
}

/// Room for the rounding of the distribution function.
const ROOM: f64 = 1e-9;

/// A share of draws that surely start at or below a limit.
fn share_below(start: &protocol::model::Spread, limit: f64) -> f64 {
    if start.max.is_some_and(|max| max <= limit) {
        return 1.0;
    }
    if start.min.is_some_and(|min| min > limit) {
        return 0.0;
    }
    if start.sd == 0.0 {
        return if start.mean <= limit { 1.0 } else { 0.0 };
    }
    (normal_cdf((limit - start.mean) / start.sd) - ROOM).max(0.0)
}

/// A share of draws that surely start at or above a limit.
fn share_above(start: &protocol::model::Spread, limit: f64) -> f64 {
    if start.min.is_some_and(|min| min >= limit) {
        return 1.0;
    }
    if start.max.is_some_and(|max| max < limit) {
        return 0.0;
    }
    if start.sd == 0.0 {
        return if start.mean >= limit { 1.0 } else { 0.0 };
    }
    (normal_cdf((start.mean - limit) / start.sd) - ROOM).max(0.0)
}

impl Rule {
    fn cost(&self) -> u32 {
        match self {
            Rule::Always(_) => 0,
            Rule::Skin(_) => 1,
            Rule::Stratum(_) | Rule::LongIll { .. } | Rule::Age { .. } => 2,
            Rule::Measured { .. } | Rule::Limit { .. } | Rule::Outside { .. } => 3,
            Rule::Shares { .. } => 4,
            Rule::Not(inner) => inner.cost(),
            Rule::Asked { given, .. } => given.cost() + 2,
            Rule::All(parts) | Rule::Any(parts) => parts.iter().map(Rule::cost).max().unwrap_or(0) + 1,
            Rule::Whole(_) => 100,
        }
    }

    fn truth(&self, at: &Entry<'_>, someone: &Someone) -> Truth {
        match self {
            Rule::Always(truth) => *truth,
            Rule::Not(inner) => inner.truth(at, someone).negate(),
            Rule::All(parts) => {
                let mut all = Truth::True;
                for part in parts {
                    all = all.and(part.truth(at, someone));
                    if all == Truth::False {
                        break;
                    }
                }
                all
            }
            Rule::Any(parts) => {
                let mut any = Truth::False;
                for part in parts {
                    any = any.or(part.truth(at, someone));
                    if any == Truth::True {
                        break;
                    }
                }
                any
            }
            Rule::Skin(truths) => truths[at.skin as usize],
            Rule::Stratum(truths) => of_stratum(truths, someone.stratum),
            Rule::Shares { items, truths } => {
                let draw = |(process, shares): &(Process, Vec<f64>)| {
                    at.streams.draws(someone.number, *process, 0).weighted(shares.iter().copied())
                };
                truths[items.iter().fold(0, |place, item| place * item.1.len() + draw(item))]
            }
            Rule::Measured { index, settled, nearly, else_ } => {
                let of = MeasureStreams::of(*index);
                let own = |(process, occasion)| {
                    of.own(at.streams.draws(someone.number, process, occasion)).uniform()
                };
                let start = own(of.start);
                if (settled.from..=settled.to).contains(&start) {
                    return settled.truth;
                }
                if let Some(nearly) = nearly
                    && nearly.holds(start, || own((of.noise, at.occasion)))
                {
                    return nearly.settled.truth;
                }
                else_.truth(at, someone)
            }
            Rule::Limit { written, from, truths } => {
                let (followed, decimals) = at.followed(someone, written);
                // What is derived from what is entered lies near what is followed.
                let near = libm::ceil(LITRES_ROUNDED * answers::POWERS_OF_TEN[decimals as usize]) as i64;
                let whole = match &written.behind {
                    Some(behind) if (followed - from).abs() <= near => {
                        at.percent_of_entered(someone, behind, followed, decimals).0
                    }
                    _ => followed,
                };
                truths[usize::from(whole >= *from)]
            }
            Rule::Outside { written, up_to, from, else_ } => {
                let (whole, decimals) = at.written(someone, written);
                let value = whole as f64 / answers::POWERS_OF_TEN[decimals as usize];
                if value <= up_to.0 {
                    up_to.1
                } else if value >= from.0 {
                    from.1
                } else {
                    else_.truth(at, someone)
                }
            }
            Rule::LongIll { truth, else_ } => {
                if someone.traits.onset_days() > REMEMBERED_DAYS {
                    return *truth;
                }
                else_.truth(at, someone)
            }
            Rule::Age { settled, else_ } => {
                let mut body = at.streams.draws(someone.number, at.process.body, 0);
                if (settled.from..=settled.to).contains(&body.uniform()) {
                    return settled.truth;
                }
                else_.truth(at, someone)
            }
            Rule::Asked { shown, given, missing } => {
                if shown.truth(at, someone) == Truth::True {
                    given.truth(at, someone)
                } else {
                    *missing
                }
            }
            Rule::Whole(term) => {
                let person = Person::draw(at.study, at.streams, someone.number, at.calendar.date(at.arrival));
                term.truth(&Answers { at, person: &person })
            }
        }
    }

    /// The truth for somebody of a stratum in whom that total was seen, if nothing has to be drawn for it.
    fn foreseen(&self, stratum: Option<usize>, total: i64) -> Option<Truth> {
        match self {
            Rule::Always(truth) => Some(*truth),
            Rule::Not(inner) => inner.foreseen(stratum, total).map(Truth::negate),
            Rule::Any(parts) => {
                let mut any = Some(Truth::False);
                for part in parts {
                    match part.foreseen(stratum, total) {
                        Some(Truth::True) => return Some(Truth::True),
                        part => any = any.zip(part).map(|(any, part)| any.or(part)),
                    }
                }
                any
            }
            Rule::All(parts) => {
                let mut all = Some(Truth::True);
                for part in parts {
                    match part.foreseen(stratum, total) {
                        Some(Truth::False) => return Some(Truth::False),
                        part => all = all.zip(part).map(|(all, part)| all.and(part)),
                    }
                }
                all
            }
            Rule::Skin(truths) => Some(truths[total as usize]),
            Rule::Stratum(truths) => Some(of_stratum(truths, stratum)),
            _ => None,
        }
    }

    fn wholes<'a>(&'a self, found: &mut Vec<&'a Term>) {
        match self {
            Rule::Not(inner) => inner.wholes(found),
            Rule::All(parts) | Rule::Any(parts) => parts.iter().for_each(|part| part.wholes(found)),
            Rule::Measured { else_, .. }
            | Rule::LongIll { else_, .. }
            | Rule::Outside { else_, .. }
            | Rule::Age { else_, .. } => else_.wholes(found),
            Rule::Asked { shown, given, .. } => {
                shown.wholes(found);
                given.wholes(found);
            }
            Rule::Whole(term) => found.push(term),
            _ => {}
        }
    }
}

fn of_stratum(truths: &[Truth], stratum: Option<usize>) -> Truth {
    stratum.map_or(Truth::Unknown, |place| truths[place])
}

/// Rules that are evaluated whole may read entered items and the skin score, no other derived ones.
fn refuse_unknown_items(study: &Study, rule: &EligibilityRule, reduced: &Rule) -> Result<(), Undecidable> {
    let mut terms = Vec::new();
    reduced.wholes(&mut terms);
    let mut fault = None;
    for term in terms {
        term.visit(&mut |part| {
            let Term::Input(Input::Item(reference)) = part else { return };
            let form = study.form(reference.form.as_str());
            let item = form.and_then(|form| Some((form, form.item(reference.item.as_str())?)));
            let fits = matches!(reference.when, When::Here | When::Latest)
                && item.is_some_and(|(form, item)| {
                    item.derived.is_none()
                        || is_skin_total(form, item)
                        || questionnaires::gives_back(form, item.id.as_str())
                });
            if !fits {
                fault = Some(format!("{}.{}", reference.form, reference.item));
            }
        });
    }
    match fault {
        Some(item) => Err(Undecidable { rule: rule.id.to_string(), item }),
        None => Ok(()),
    }
}

/// One item's answer, or that there is none, and nothing else.
struct One<'a> {
    reference: &'a ItemRef,
    answer: Option<Answer>,
}

impl Scope for One<'_> {
    fn item(&self, reference: &ItemRef) -> Option<Answer> {
        if reference == self.reference { self.answer.clone() } else { None }
    }

    fn variable(&self, _name: &str) -> Option<Answer> {
        None
    }

    fn limit(&self, _reference: &ItemRef, _upper: bool) -> Option<Answer> {
        None
    }

    fn today(&self) -> Option<Date> {
        None
    }
}

/// What somebody's forms say on the way in, drawn as they are asked for.
struct Answers<'a> {
    at: &'a Entry<'a>,
    person: &'a Person,
}

impl Answers<'_> {
    fn day(&self) -> Date {
        self.at.calendar.date(self.at.day)
    }

    fn arrival(&self) -> Date {
        self.at.calendar.date(self.at.arrival)
    }
}

impl Scope for Answers<'_> {
    fn item(&self, reference: &ItemRef) -> Option<Answer> {
        let study = self.at.study;
        let form = study.form(reference.form.as_str())?;
        let item = form.item(reference.item.as_str())?;
        let way_in = WayIn { study, visit: self.at.visit, narrowed: None, all_asked: false };
        let here = way_in.is_filled_at(form, self.at.visit);
        let visit = match reference.when {
            When::Here if here => self.at.visit,
            When::Latest => way_in.last_filled(form)?,
            _ => return None,
        };
        let (then, day) = if visit == self.at.visit {
            (self.at.day, self.day())
        } else {
            (self.at.arrival, self.arrival())
        };
        if is_skin_total(form, item) {
            return here.then_some(Answer::Given(Value::Integer(self.at.skin)));
        }
        // Whether an item is asked was decided when its form was filled.
        let filled = Entry { visit, day: then, ..*self.at };
        let scope = Answers { at: &filled, person: self.person };
        if item.shown_if.as_ref().is_some_and(|shown| shown.truth(&scope) != Truth::True) {
            return None;
        }
        let days_since_screening = terms::days_between(self.arrival(), day);
        let months = crate::course::months(days_since_screening);
        let skin = study.virtual_cohort.skin.as_ref();
        let condition = Condition {
            day,
            days_since_screening,
            occasion: study.visits.iter().position(|known| known.id == *visit).unwrap_or_default() as u64,
            months,
            skin: skin.map_or(0.0, |skin| self.person.skin_at(skin, months, 0.0)),
            reactions: Vec::new(),
            new_assessor: false,
        };
        answers::answer(study, self.at.streams, self.person, form, item, &condition)
    }

    fn variable(&self, name: &str) -> Option<Answer> {
        (name == "visit.date").then(|| Answer::Given(Value::Date(self.day().into())))
    }

    fn limit(&self, reference: &ItemRef, upper: bool) -> Option<Answer> {
        let study = self.at.study;
        let site = super::someone::site_of(study, self.at.streams, self.person.number);
        let sex = if self.person.female { "female" } else { "male" };
        let age = self.person.age_on(self.arrival());
        let range = conduct::reference_range(
            study,
            &study.sites[site].id,
            &reference.item,
            Some(sex),
            Some(age.into()),
            Some(self.day()),
        )?;
        let limit = if upper { range.upper } else { range.lower };
        limit.map(|limit| Answer::Given(Value::Decimal(limit)))
    }

    fn today(&self) -> Option<Date> {
        Some(self.day())
    }
}
