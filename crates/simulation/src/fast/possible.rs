//! What a rule of entry can come to, given what the virtual cohort can draw.
//!
//! The compiler of the fast path proves with it that a rule can never fail (nobody in the cohort is ever
//! too young), so that nothing has to be drawn for it. Worlds split the cases that rules share: stratum,
//! sex, child-bearing potential, lung disease. An answer only ever allows too much.

use protocol::{
    expression::{Comparison, Input, ItemRef, Operation, Term, When},
    model::{AnswerDraw, Form, Item, ItemType, Mark, MeasureProcess, Spread, Study},
};
use terms::{Truth, Value, VisitId};

use crate::answers::{as_f64, coded};

/// The most standard deviations that a normal draw can lie from its mean: the quantile of the least uniform draw.
pub(crate) const DEVIATIONS_MAX: f64 = 8.3;

/// Months from screening to the start at most.
const WAY_IN_MONTHS_MAX: f64 = 1.0;

/// One combination of what rules have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    stratum: Option<usize>,
    female: bool,
    child_bearing: bool,
    ild: bool,
}

/// Which truth values a condition can take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Possible {
    yes: bool,
    no: bool,
    unknown: bool,
}

impl Possible {
    fn only(truth: Truth) -> Self {
        Self { yes: truth == Truth::True, no: truth == Truth::False, unknown: truth == Truth::Unknown }
    }

    const ANY: Self = Self { yes: true, no: true, unknown: true };

    fn or_also(self, other: Self) -> Self {
        Self { yes: self.yes || other.yes, no: self.no || other.no, unknown: self.unknown || other.unknown }
    }

    fn negate(self) -> Self {
        Self { yes: self.no, no: self.yes, ..self }
    }

    fn and(self, other: Self) -> Self {
        let open = |a: Self, b: Self| a.unknown && (b.yes || b.unknown);
        Self {
            yes: self.yes && other.yes,
            no: self.no || other.no,
            unknown: open(self, other) || open(other, self),
        }
    }

    /// Returns the one truth value, if there is only one.
    pub(crate) fn sole(self) -> Option<Truth> {
        match (self.yes, self.no, self.unknown) {
            (true, false, false) => Some(Truth::True),
            (false, true, false) => Some(Truth::False),
            (false, false, true) => Some(Truth::Unknown),
            _ => None,
        }
    }
}

/// What a value can be.
#[derive(Clone, Debug)]
enum Kind {
    /// One of these.
    Among(Vec<Value>),
    /// A number between two.
    Between(f64, f64),
    /// The day of the visit.
    VisitDay,
    Anything,
}

/// What a term can be, and whether it can be missing or there.
#[derive(Clone, Debug)]
struct Range {
    kind: Kind,
    missing: bool,
    given: bool,
}

impl Range {
    fn given(kind: Kind) -> Self {
        Self { kind, missing: false, given: true }
    }

    fn missing() -> Self {
        Self { kind: Kind::Anything, missing: true, given: false }
    }

    fn anything() -> Self {
        Self { kind: Kind::Anything, missing: true, given: true }
    }

    fn numbers(&self) -> Option<(f64, f64)> {
        match &self.kind {
            Kind::Between(low, high) => Some((*low, *high)),
            Kind::Among(values) => {
                let numbers: Option<Vec<f64>> = values.iter().map(Value::as_f64).collect();
                let numbers = numbers.filter(|numbers| !numbers.is_empty())?;
                Some(numbers.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), number| {
                    (low.min(*number), high.max(*number))
                }))
            }
            _ => None,
        }
    }
}

/// The study seen from a visit on the way in.
#[derive(Clone, Copy)]
pub(crate) struct WayIn<'a> {
    pub(crate) study: &'a Study,
    pub(crate) visit: &'a VisitId,
    /// A measure whose values are narrowed, to find where a rule changes.
    pub(crate) narrowed: Option<(usize, f64, f64)>,
    /// Whether only those are meant who are asked.
    pub(crate) all_asked: bool,
}

impl<'a> WayIn<'a> {
    /// Returns every world.
    pub(crate) fn worlds(study: &Study) -> Vec<World> {
        let strata = study.virtual_cohort.cohort.strata.len();
        let strata: Vec<Option<usize>> =
            if strata == 0 { vec![None] } else { (0..strata).map(Some).collect() };
        let mut worlds = Vec::new();
        for stratum in strata {
            for (female, child_bearing) in [(false, false), (true, false), (true, true)] {
                for ild in [false, true] {
                    worlds.push(World { stratum, female, child_bearing, ild });
                }
            }
        }
        worlds
    }

    /// Returns what a condition can come to in any world.
    pub(crate) fn possible(&self, term: &Term) -> Possible {
        let worlds = Self::worlds(self.study);
        worlds.iter().fold(Possible::default(), |so_far, world| so_far.or_also(self.condition(term, world)))
    }

    /// Says whether an item is always answered.
    pub(crate) fn is_always_given(&self, reference: &ItemRef) -> bool {
        Self::worlds(self.study).iter().all(|world| !self.item(reference, world).missing)
    }

    /// Says whether an item of a form that is filled here is answered by everybody who is asked.
    pub(crate) fn is_given_where_asked(&self, form: &Form, item: &Item) -> bool {
        self.is_filled_at(form, self.visit)
            && Self::worlds(self.study).iter().all(|world| !self.answer(form, item, world).missing)
    }

    fn condition(&self, term: &Term, world: &World) -> Possible {
        match term {
            Term::Flag(flag) => Possible::only((*flag).into()),
            Term::Not(inner) => self.condition(inner, world).negate(),
            Term::And(a, b, _) => self.condition(a, world).and(self.condition(b, world)),
            Term::Or(a, b, _) => {
                self.condition(a, world).negate().and(self.condition(b, world).negate()).negate()
            }
            Term::Compare(comparison, a, b, _) => self.compare(*comparison, a, b, world),
            Term::OneOf(value, among) => {
                among.iter().fold(Possible::only(Truth::False), |found, candidate| {
                    let equal = self.compare(Comparison::Equal, value, candidate, world);
                    found.negate().and(equal.negate()).negate()
                })
            }
            Term::Choose(condition, then, otherwise) => {
                let condition = self.condition(condition, world);
                let (then, otherwise) = (self.condition(then, world), self.condition(otherwise, world));
                let mut found = Possible { unknown: condition.unknown, ..Possible::default() };
                if condition.yes || condition.unknown {
                    found = found.or_also(then);
                }
                if condition.no || condition.unknown {
                    found = found.or_also(otherwise);
                }
                found
            }
            Term::Missing(inner) => {
                let range = self.value(inner, world);
                Possible { yes: range.missing, no: range.given, unknown: false }
            }
            _ => {
                let range = self.value(term, world);
                let unknown = Possible { unknown: range.missing, ..Possible::default() };
                match &range.kind {
                    _ if !range.given => unknown,
                    Kind::Among(values) => values.iter().fold(unknown, |found, value| match value {
                        Value::Boolean(flag) => found.or_also(Possible::only((*flag).into())),
                        _ => found.or_also(Possible::only(Truth::Unknown)),
                    }),
                    _ => Possible::ANY,
                }
            }
        }
    }

    fn compare(&self, comparison: Comparison, a: &Term, b: &Term, world: &World) -> Possible {
        match comparison {
            Comparison::Unequal => return self.compare(Comparison::Equal, a, b, world).negate(),
            Comparison::AtMost => return self.compare(Comparison::Less, b, a, world).negate(),
            Comparison::AtLeast => return self.compare(Comparison::Less, a, b, world).negate(),
            Comparison::Greater => return self.compare(Comparison::Less, b, a, world),
            Comparison::Less | Comparison::Equal => {}
        }
        let (a, b) = (self.value(a, world), self.value(b, world));
        let mut found = Possible { unknown: a.missing || b.missing, ..Possible::default() };
        if !a.given || !b.given {
            return Possible::only(Truth::Unknown);
        }
        match (a.numbers(), b.numbers(), comparison) {
            (Some(a), Some(b), Comparison::Less) => {
                found.yes = a.0 < b.1;
                found.no = a.1 >= b.0;
            }
            (Some(a), Some(b), _) => {
                found.yes = a.0 <= b.1 && b.0 <= a.1;
                found.no = !(a.0 == a.1 && a == b);
            }
            _ => match (&a.kind, &b.kind, comparison) {
                (Kind::Among(a), Kind::Among(b), Comparison::Equal) => {
                    for (a, b) in a.iter().flat_map(|a| b.iter().map(move |b| (a, b))) {
                        let same = a.to_string() == b.to_string();
                        found.yes |= same;
                        found.no |= !same;
                    }
                }
                _ => return Possible::ANY,
            },
        }
        found
    }

    fn value(&self, term: &Term, world: &World) -> Range {
        match term {
            Term::Number(number, _) => Range::given(Kind::Among(vec![Value::Decimal(*number)])),
            Term::Word(word) => Range::given(Kind::Among(vec![Value::Text(word.clone())])),
            Term::Flag(flag) => Range::given(Kind::Among(vec![Value::Boolean(*flag)])),
            Term::Input(Input::Item(reference)) => self.item(reference, world),
            Term::Input(Input::Limit(reference, upper)) => self.limit(reference, *upper, world),
            Term::Input(Input::Variable(name)) if name == "visit.date" => Range::given(Kind::VisitDay),
            Term::DaysBetween(a, b) => {
                let (a, b) = (self.value(a, world), self.value(b, world));
                let missing = a.missing || b.missing;
                match (a.kind, b.kind) {
                    (Kind::VisitDay, Kind::VisitDay) => {
                        Range { kind: Kind::Between(0.0, 0.0), missing, given: true }
                    }
                    _ => Range::anything(),
                }
            }
            Term::Arithmetic(Operation::Multiply, a, b) => {
                let (a, b) = (self.value(a, world), self.value(b, world));
                let missing = a.missing || b.missing;
                match (a.numbers(), b.numbers()) {
                    (Some(a), Some(b)) => {
                        let corners = [a.0 * b.0, a.0 * b.1, a.1 * b.0, a.1 * b.1];
                        let low = corners.into_iter().fold(f64::INFINITY, f64::min);
                        let high = corners.into_iter().fold(f64::NEG_INFINITY, f64::max);
                        // Wider than the rounding of the product.
                        let slack = 1e-9 * low.abs().max(high.abs());
                        Range { kind: Kind::Between(low - slack, high + slack), missing, given: true }
                    }
                    _ => Range::anything(),
                }
            }
            _ => Range::anything(),
        }
    }

    fn item(&self, reference: &ItemRef, world: &World) -> Range {
        let Some(form) = self.study.form(reference.form.as_str()) else { return Range::anything() };
        let Some(item) = form.item(reference.item.as_str()) else { return Range::anything() };
        let filled_at = match &reference.when {
            When::Here => Some(self.visit).filter(|visit| self.is_filled_at(form, visit)),
            When::Latest => self.last_filled(form),
            _ => return Range::anything(),
        };
        let Some(visit) = filled_at else { return Range::missing() };
        // Whether an item is asked was decided when its form was filled.
        let then = WayIn { visit, ..*self };
        let shown = item.shown_if.as_ref().map(|shown| then.condition(shown.root(), world));
        match shown.filter(|_| !self.all_asked).map(Possible::sole) {
            None | Some(Some(Truth::True)) => self.answer(form, item, world),
            Some(Some(_)) => Range::missing(),
            Some(None) => Range { missing: true, ..self.answer(form, item, world) },
        }
    }

    pub(crate) fn is_filled_at(&self, form: &Form, visit: &VisitId) -> bool {
        let does = |activity: &&protocol::model::Activity| activity.at(visit) == Mark::Do;
        form.by_visit
            && self.study.activities.iter().filter(does).any(|activity| activity.forms.contains(&form.id))
    }

    /// The last visit so far at which a form is filled.
    pub(crate) fn last_filled(&self, form: &Form) -> Option<&'a VisitId> {
        let so_far = self.study.visits.iter().take_while(|visit| visit.id != *self.visit);
        let so_far = so_far.map(|visit| &visit.id).chain([self.visit]);
        so_far.filter(|visit| self.is_filled_at(form, visit)).last()
    }

    fn answer(&self, form: &Form, item: &Item, world: &World) -> Range {
        let virtuals = &self.study.virtual_cohort;
        if item.derived.is_some() {
            return match &virtuals.skin {
                Some(skin) if skin.form == form.id && super::is_skin_total(form, item) => {
                    let most = 3 * form.items.iter().filter(|item| crate::answers::is_site(item)).count();
                    Range::given(Kind::Between(0.0, most as f64))
                }
                _ if !is_given_back(form, item) => Range::anything(),
                _ => match virtuals.measures.iter().position(|m| m.form == form.id && m.item == item.id) {
                    Some(index) => {
                        let (low, high) = self.measured(index, item);
                        Range::given(Kind::Between(low, high))
                    }
                    None => Range::anything(),
                },
            };
        }
        if let Some(index) = virtuals.measures.iter().position(|m| m.form == form.id && m.item == item.id) {
            let (low, high) = self.measured(index, item);
            return Range::given(Kind::Between(low, high));
        }
        let among = |values: Vec<Value>| Range::given(Kind::Among(values));
        let process = virtuals.answers.iter().find(|a| a.form == form.id && a.item == item.id);
        match process.map(|process| &process.draw) {
            Some(AnswerDraw::Shares(shares)) => among(
                shares.iter().filter(|(_, share)| *share > 0.0).map(|(code, _)| coded(item, code)).collect(),
            ),
            Some(AnswerDraw::From(property)) => {
                let flag = |holds: bool| among(vec![coded(item, if holds { "true" } else { "false" })]);
                match property.as_str() {
                    "sex" => among(vec![coded(item, if world.female { "female" } else { "male" })]),
                    "ild" => flag(world.ild),
                    "child_bearing" => flag(world.child_bearing),
                    "stratum" => match world.stratum {
                        Some(place) => among(vec![coded(item, &virtuals.cohort.strata[place].0)]),
                        None => Range::missing(),
                    },
                    "age" | "age_years" => {
                        let (low, high) = spread_range(&virtuals.cohort.age);
                        // Completed years of somebody whose day of birth is a whole day.
                        Range::given(Kind::Between(libm::floor(low) - 1.0, libm::ceil(high) + 1.0))
                    }
                    "visit_date" => Range::given(Kind::VisitDay),
                    "onset_date" => Range::given(Kind::Anything),
                    _ => Range::anything(),
                }
            }
            Some(AnswerDraw::Same(other, same)) => {
                let index = virtuals.measures.iter().position(|m| m.form == *other && m.item == *same);
                match index {
                    // Its unit may be another.
                    Some(_) => Range::given(Kind::Between(f64::MIN, f64::MAX)),
                    None => Range::missing(),
                }
            }
            Some(AnswerDraw::Text(text)) => among(vec![Value::Text(text.clone())]),
            Some(AnswerDraw::Normal(spread)) => {
                let (low, high) = spread_range(spread);
                Range::given(Kind::Between(low - 1.0, high + 1.0))
            }
            Some(AnswerDraw::Missing(_)) => Range::missing(),
            None => self.unmodelled(item),
        }
    }

    fn unmodelled(&self, item: &Item) -> Range {
        if !item.required {
            return Range::missing();
        }
        match &item.kind {
            ItemType::Boolean => Range::given(Kind::Among(vec![Value::Boolean(false)])),
            ItemType::Code { codelist } => {
                let list = self.study.codelists.iter().find(|list| list.id == *codelist);
                match list.and_then(|list| list.codes.first()) {
                    Some((code, _)) => Range::given(Kind::Among(vec![Value::Code(code.clone())])),
                    None => Range::missing(),
                }
            }
            ItemType::Date { .. } => Range::given(Kind::VisitDay),
            ItemType::Text | ItemType::Term { .. } => Range::given(Kind::Anything),
            ItemType::Integer | ItemType::Decimal { .. } => match (item.minimum, item.maximum) {
                (Some(least), Some(most)) => Range::given(Kind::Between(as_f64(least), as_f64(most))),
                _ => Range::missing(),
            },
        }
    }

    /// The least and greatest value of a measure on the way in.
    fn measured(&self, index: usize, item: &Item) -> (f64, f64) {
        if let Some((narrowed, low, high)) = self.narrowed
            && narrowed == index
        {
            return (low, high);
        }
        let process = &self.study.virtual_cohort.measures[index];
        let starts = starts(process).map(spread_range);
        let (low, high) = starts.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), start| {
            (low.min(start.0), high.max(start.1))
        });
        let reach = reach(process, DEVIATIONS_MAX);
        let least =
            process.min.unwrap_or(f64::NEG_INFINITY).max(item.minimum.map_or(f64::NEG_INFINITY, as_f64));
        let most = process.max.unwrap_or(f64::INFINITY).min(item.maximum.map_or(f64::INFINITY, as_f64));
        let unit = unit(process, item);
        (
            (low - reach).clamp(least, most.max(least)) - unit,
            (high + reach).clamp(least.min(most), most) + unit,
        )
    }

    fn limit(&self, reference: &ItemRef, upper: bool, world: &World) -> Range {
        let (mut low, mut high, mut missing) = (f64::INFINITY, f64::NEG_INFINITY, false);
        for site in &self.study.sites {
            let laboratory = self.study.laboratories.iter().find(|known| known.id == site.laboratory);
            let ranges = laboratory.iter().flat_map(|laboratory| &laboratory.ranges);
            let sex = if world.female { "female" } else { "male" };
            let of_item = ranges.filter(|range| {
                range.item == reference.item && range.sex.as_deref().is_none_or(|wanted| wanted == sex)
            });
            let mut found = false;
            for range in of_item {
                match if upper { range.upper } else { range.lower } {
                    Some(limit) => {
                        found = true;
                        low = low.min(as_f64(limit));
                        high = high.max(as_f64(limit));
                    }
                    None => missing = true,
                }
            }
            missing |= !found;
        }
        if low > high {
            return Range::missing();
        }
        Range { kind: Kind::Between(low, high), missing, given: true }
    }
}

/// Says whether a derived item is followed and its form filled so that it comes out again, exactly or nearly.
pub(crate) fn is_given_back(form: &Form, item: &Item) -> bool {
    crate::questionnaires::gives_back(form, item.id.as_str())
        || crate::lung_function::behind(form, item).is_some()
}

/// The spreads that a measure can start from.
pub(crate) fn starts(process: &MeasureProcess) -> impl Iterator<Item = &Spread> {
    [Some(&process.start), process.start_ild.as_ref(), process.start_male.as_ref()].into_iter().flatten()
}

/// The most by which a measured value on the way in differs from the start, for noise of so many standard
/// deviations at most: slope, skin and noise.
pub(crate) fn reach(process: &MeasureProcess, deviations: f64) -> f64 {
    let yearly = process.yearly.abs() + DEVIATIONS_MAX * process.yearly_sd;
    let yearly_ild = process.yearly_ild.unwrap_or(0.0).abs()
        + DEVIATIONS_MAX * process.yearly_sd_ild.unwrap_or(process.yearly_sd);
    yearly.max(yearly_ild) * WAY_IN_MONTHS_MAX / 12.0
        + process.per_skin_point.abs() * 51.0
        + deviations * process.noise
}

/// The unit in which a measure is entered, which bounds its rounding.
pub(crate) fn unit(process: &MeasureProcess, item: &Item) -> f64 {
    let of_item = match item.kind {
        ItemType::Decimal { decimals } => 1.0 / crate::answers::POWERS_OF_TEN[decimals as usize],
        _ => 1.0,
    };
    let litres = if item.derived.is_some() { LITRES_ROUNDED } else { 0.0 };
    of_item + process.step.unwrap_or(0.0) + litres
}

/// Points of percent predicted by which the derived value can lie beside the followed one: litres are
/// entered to the hundredth and perhaps corrected by one, and an age may be corrected by a year.
pub(crate) const LITRES_ROUNDED: f64 = 5.0;

fn spread_range(spread: &Spread) -> (f64, f64) {
    let low = spread.mean - DEVIATIONS_MAX * spread.sd;
    let high = spread.mean + DEVIATIONS_MAX * spread.sd;
    (low.max(spread.min.unwrap_or(f64::NEG_INFINITY)), high.min(spread.max.unwrap_or(f64::INFINITY)))
}
