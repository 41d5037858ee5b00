//! The rules of entry, compiled: proven ones are gone, the others draw as little as decides them.

use protocol::{
    expression::{Comparison, Input, ItemRef, Scope, Term, When},
    model::{AnswerDraw, EligibilityRule, ItemType, Study},
};
use statistics::distribution::normal_cdf;
use terms::{Answer, Date, Decimal, Truth, Value, VisitId};

use super::{
    is_skin_total,
    possible::{WayIn, reach, starts, unit},
    someone::Someone,
};
use crate::{
    answers::{self, Condition, coded},
    person::{Person, Trajectory},
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
    /// An answer drawn by shares: a truth for each code.
    Share {
        process: Process,
        shares: Vec<f64>,
        truths: Vec<Truth>,
    },
    /// A measured value: the truth is settled while the uniform draw of its start lies in a range.
    Measured {
        place: usize,
        from: f64,
        to: f64,
        truth: Truth,
        else_: Box<Rule>,
    },
    /// A measured value against a limit, in units of its last decimal: one truth below the limit, one from it on.
    Limit {
        index: usize,
        noise: Process,
        from: i64,
        truths: [Truth; 2],
    },
    /// A measured value of which limits that differ between laboratories, sexes and ages leave only the
    /// values between them open.
    Outside {
        index: usize,
        noise: Process,
        up_to: (f64, Truth),
        from: (f64, Truth),
        else_: Box<Rule>,
    },
    /// The first symptom's date against the visit's: settled if the one lies months before the other.
    LongIll {
        truth: Truth,
        else_: Box<Rule>,
    },
    /// Evaluated on the answers themselves.
    Whole(Term),
}

/// The rules of one visit, and the measures whose starts they look at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    /// Cheapest first.
    rules: Vec<Rule>,
    /// The visit's place in the schedule.
    occasion: u64,
}

/// Why a rule can't be decided on the fast path.
pub(crate) struct Undecidable {
    pub(crate) rule: String,
    pub(crate) item: String,
}

impl Gate {
    pub(crate) fn compile(
        study: &Study,
        visit: &VisitId,
        measured: &mut Vec<usize>,
    ) -> Result<Self, Undecidable> {
        let way_in = WayIn { study, visit, narrowed: None };
        let occasion = study.visits.iter().position(|known| known.id == *visit).unwrap_or_default() as u64;
        let mut rules = Vec::new();
        for rule in study.eligibility.iter().filter(|rule| rule.at.contains(visit)) {
            let reduced = reduce(&way_in, &whole(rule), measured);
            refuse_unknown_items(study, rule, &reduced)?;
            if !matches!(reduced, Rule::Always(Truth::True)) {
                rules.push(reduced);
            }
        }
        rules.sort_by_key(Rule::cost);
        Ok(Self { rules, occasion })
    }

    /// Says whether somebody meets every rule. `skin` is the visit's observed score.
    pub(crate) fn is_met(&self, at: &Entry<'_>, someone: &mut Someone) -> bool {
        self.rules.iter().all(|rule| rule.truth(at, someone) == Truth::True)
    }

    pub(crate) fn occasion(&self) -> u64 {
        self.occasion
    }

    /// How many rules are left, for tests and explanations.
    pub(crate) fn open_rules(&self) -> usize {
        self.rules.len()
    }
}

/// A visit on the way in.
pub(crate) struct Entry<'a> {
    pub(crate) study: &'a Study,
    pub(crate) streams: &'a Streams,
    pub(crate) measured: &'a [usize],
    pub(crate) process: &'a super::Processes,
    pub(crate) visit: &'a VisitId,
    pub(crate) occasion: u64,
    pub(crate) calendar: &'a super::calendar::Calendar,
    pub(crate) day: i32,
    pub(crate) arrival: i32,
    pub(crate) skin: i64,
}

impl Entry<'_> {
    /// What is written down of a measure at the visit, in units of its last decimal.
    fn measured_value(&self, someone: &mut Someone, index: usize, noise: Process) -> (i64, u32) {
        let virtuals = &self.study.virtual_cohort;
        let process = &virtuals.measures[index];
        let item = self.study.form(process.form.as_str()).and_then(|form| form.item(process.item.as_str()));
        let Some(item) = item else { return (0, 0) };
        let female =
            process.start_male.is_some() && someone.is_female(self.study, self.streams, self.process);
        let mut level = self.streams.draws(someone.number, self.process.measure, index as u64);
        let trajectory = Trajectory::of_traits(&mut level, process, someone.disease.ild, female);
        let months = crate::course::months(self.day - self.arrival);
        let skin_change = virtuals
            .skin
            .as_ref()
            .filter(|_| process.per_skin_point != 0.0)
            .map_or(0.0, |skin| someone.natural.at(skin, months, 0.0) - someone.natural.start);
        let mut draws = self.streams.draws(someone.number, noise, self.occasion);
        let value = trajectory.observe_with(process, months, skin_change, |_| false, &mut draws);
        answers::entered(&item.kind, answers::within(item, value), process.step)
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

fn reduce(way_in: &WayIn<'_>, term: &Term, measured: &mut Vec<usize>) -> Rule {
    if let Some(truth) = way_in.possible(term).sole() {
        return Rule::Always(truth);
    }
    match term {
        Term::Not(inner) => Rule::Not(Box::new(reduce(way_in, inner, measured))),
        Term::And(a, b, _) => {
            let mut parts = vec![reduce(way_in, a, measured), reduce(way_in, b, measured)];
            parts.retain(|part| !matches!(part, Rule::Always(Truth::True)));
            parts.sort_by_key(Rule::cost);
            Rule::All(parts)
        }
        Term::Or(a, b, _) => {
            let mut parts = vec![reduce(way_in, a, measured), reduce(way_in, b, measured)];
            parts.retain(|part| !matches!(part, Rule::Always(Truth::False)));
            parts.sort_by_key(Rule::cost);
            Rule::Any(parts)
        }
        _ => leaf(way_in, term, measured),
    }
}

/// A condition on one item becomes a table or a range; anything else stays as it is.
fn leaf(way_in: &WayIn<'_>, term: &Term, measured: &mut Vec<usize>) -> Rule {
    let mut inputs = Vec::new();
    term.visit(&mut |part| {
        if let Term::Input(input) = part
            && !inputs.contains(input)
        {
            inputs.push(input.clone());
        }
    });
    let study = way_in.study;
    let items: Vec<&ItemRef> = inputs
        .iter()
        .filter_map(|input| if let Input::Item(item) = input { Some(item) } else { None })
        .collect();
    let [reference] = items[..] else { return Rule::Whole(term.clone()) };
    let Some(form) = study.form(reference.form.as_str()) else { return Rule::Whole(term.clone()) };
    let Some(item) = form.item(reference.item.as_str()) else { return Rule::Whole(term.clone()) };
    if !way_in.is_always_given(reference) {
        return Rule::Whole(term.clone());
    }
    let virtuals = &study.virtual_cohort;
    let truth_for = |value: Value| term.truth(&One { reference, answer: Answer::Given(value) });
    let alone = inputs.len() == 1;
    if alone && is_skin_total(form, item) && reference.when == When::Here {
        let sites = form.items.iter().filter(|item| answers::is_site(item)).count() as i64;
        return Rule::Skin((0..=3 * sites).map(|total| truth_for(Value::Integer(total))).collect());
    }
    if let Some(index) = virtuals.measures.iter().position(|m| m.form == form.id && m.item == item.id) {
        return measured_leaf(way_in, term, index, measured);
    }
    let process = virtuals.answers.iter().find(|a| a.form == form.id && a.item == item.id);
    match process.map(|process| &process.draw) {
        Some(AnswerDraw::Shares(shares)) if alone => Rule::Share {
            process: Process::named(&format!("{}.{}", form.id, item.id)),
            shares: shares.iter().map(|(_, share)| *share).collect(),
            truths: shares.iter().map(|(code, _)| truth_for(coded(item, code))).collect(),
        },
        Some(AnswerDraw::From(property)) if alone && property == "stratum" => Rule::Stratum(
            virtuals.cohort.strata.iter().map(|(code, _)| truth_for(coded(item, code))).collect(),
        ),
        Some(AnswerDraw::From(property)) if property == "onset_date" => onset_leaf(term, reference, &inputs),
        _ => Rule::Whole(term.clone()),
    }
}

/// Days by which the first symptom lies before a visit for certain, however its date is remembered, where
/// its own day lies so many days before: a month that is known without its day may end 30 days later.
const REMEMBERED_DAYS: f64 = 62.0;

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

/// Finds the range of the uniform draw behind a measure's start over which the condition can't change.
fn measured_leaf(way_in: &WayIn<'_>, term: &Term, index: usize, measured: &mut Vec<usize>) -> Rule {
    let study = way_in.study;
    let process = &study.virtual_cohort.measures[index];
    let Some(item) = study.form(process.form.as_str()).and_then(|form| form.item(process.item.as_str()))
    else {
        return Rule::Whole(term.clone());
    };
    let sole =
        |low: f64, high: f64| WayIn { narrowed: Some((index, low, high)), ..*way_in }.possible(term).sole();
    let (least, most) = (-1e7, 1e7);
    let unsure = reach(process) + unit(process, item);
    // Values up to the first, and from the second on, settle the condition.
    let mut up_to = (f64::NEG_INFINITY, Truth::Unknown);
    let mut beyond = (f64::INFINITY, Truth::Unknown);
    let mut best: Option<(f64, f64, Truth)> = None;
    let mut keep = |from: f64, to: f64, truth: Truth| {
        if to > from && best.is_none_or(|(low, high, _)| high - low < to - from) {
            best = Some((from, to, truth));
        }
    };
    if let Some(truth) = sole(least, least) {
        let limit = last_with(least, most, |x| sole(least, x) == Some(truth));
        up_to = (limit, truth);
        keep(0.0, starts(process).map(|start| share_below(start, limit - unsure)).fold(1.0, f64::min), truth);
    }
    if let Some(truth) = sole(most, most) {
        let limit = -last_with(-most, -least, |x| sole(-x, most) == Some(truth));
        beyond = (limit, truth);
        let share = |start| 1.0 - share_above(start, limit + unsure);
        keep(starts(process).map(share).fold(0.0, f64::max), 1.0, truth);
    }
    let Some((from, to, truth)) = best else { return Rule::Whole(term.clone()) };
    let place = measured.iter().position(|known| *known == index).unwrap_or_else(|| {
        measured.push(index);
        measured.len() - 1
    });
    let else_ = match limit_leaf(study, term, index) {
        Rule::Whole(term) if reads_here_alone(&term) => {
            let noise = Process::named(&format!("measure {index}"));
            Rule::Outside { index, noise, up_to, from: beyond, else_: Box::new(Rule::Whole(term)) }
        }
        rule => rule,
    };
    Rule::Measured { place, from, to, truth, else_: Box::new(else_) }
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

/// A plain comparison of a measure with a number, which one limit decides; any other stays as it is.
fn limit_leaf(study: &Study, term: &Term, index: usize) -> Rule {
    let process = &study.virtual_cohort.measures[index];
    let item = study.form(process.form.as_str()).and_then(|form| form.item(process.item.as_str()));
    let (Term::Compare(comparison, a, b, _), Some(item)) = (term, item) else {
        return Rule::Whole(term.clone());
    };
    let reference = match (&**a, &**b) {
        (Term::Input(Input::Item(reference)), Term::Number(..))
        | (Term::Number(..), Term::Input(Input::Item(reference))) => reference,
        _ => return Rule::Whole(term.clone()),
    };
    let ordered = !matches!(comparison, Comparison::Equal | Comparison::Unequal);
    if !ordered || reference.when != When::Here {
        return Rule::Whole(term.clone());
    }
    let decimals = match item.kind {
        ItemType::Decimal { decimals } => decimals,
        _ => 0,
    };
    let truth = |whole: i64| {
        let answer = Answer::Given(Value::Decimal(Decimal::new(whole, decimals)));
        term.truth(&One { reference, answer })
    };
    let (mut low, mut high) = (-1_000_000_000_000, 1_000_000_000_000);
    let truths = [truth(low), truth(high)];
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        if truth(middle) == truths[0] { low = middle } else { high = middle }
    }
    Rule::Limit { index, noise: Process::named(&format!("measure {index}")), from: high, truths }
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
            Rule::Stratum(_) | Rule::LongIll { .. } => 2,
            Rule::Measured { .. } | Rule::Limit { .. } | Rule::Outside { .. } => 3,
            Rule::Share { .. } => 4,
            Rule::Not(inner) => inner.cost(),
            Rule::All(parts) | Rule::Any(parts) => parts.iter().map(Rule::cost).max().unwrap_or(0) + 1,
            Rule::Whole(_) => 100,
        }
    }

    fn truth(&self, at: &Entry<'_>, someone: &mut Someone) -> Truth {
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
            Rule::Stratum(truths) => match someone.stratum(at.study, at.streams, at.process) {
                Some(place) => truths[place],
                None => Truth::Unknown,
            },
            Rule::Share { process, shares, truths } => {
                truths[at.streams.draws(someone.number, *process, 0).weighted(shares.iter().copied())]
            }
            Rule::Measured { place, from, to, truth, else_ } => {
                let start = someone.start_of_measure(at.streams, at.process, at.measured, *place);
                if (*from..=*to).contains(&start) { *truth } else { else_.truth(at, someone) }
            }
            Rule::Limit { index, noise, from, truths } => {
                let (whole, _) = at.measured_value(someone, *index, *noise);
                truths[usize::from(whole >= *from)]
            }
            Rule::Outside { index, noise, up_to, from, else_ } => {
                let (whole, decimals) = at.measured_value(someone, *index, *noise);
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
                if someone.disease.onset_days() > REMEMBERED_DAYS {
                    return *truth;
                }
                else_.truth(at, someone)
            }
            Rule::Whole(term) => {
                let person = Person::draw(at.study, at.streams, someone.number, at.calendar.date(at.arrival));
                term.truth(&Answers { at, person: &person })
            }
        }
    }

    fn wholes<'a>(&'a self, found: &mut Vec<&'a Term>) {
        match self {
            Rule::Not(inner) => inner.wholes(found),
            Rule::All(parts) | Rule::Any(parts) => parts.iter().for_each(|part| part.wholes(found)),
            Rule::Measured { else_, .. } | Rule::LongIll { else_, .. } | Rule::Outside { else_, .. } => {
                else_.wholes(found);
            }
            Rule::Whole(term) => found.push(term),
            _ => {}
        }
    }
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
                && item.is_some_and(|(form, item)| item.derived.is_none() || is_skin_total(form, item));
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

/// One item's answer and nothing else.
struct One<'a> {
    reference: &'a ItemRef,
    answer: Answer,
}

impl Scope for One<'_> {
    fn item(&self, reference: &ItemRef) -> Option<Answer> {
        (reference == self.reference).then(|| self.answer.clone())
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
        let way_in = WayIn { study, visit: self.at.visit, narrowed: None };
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
        let months = crate::course::months(terms::days_between(self.arrival(), day));
        let skin = study.virtual_cohort.skin.as_ref();
        let condition = Condition {
            day,
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
