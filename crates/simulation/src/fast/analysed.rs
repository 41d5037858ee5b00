//! Outcomes for the plan's analyses: membership of sets, groups, missing-data rules, and the methods
//! themselves, which are those that analyse a locked trial.

use analysis::kernel::{Group, Kernel, Task};
use datasets::adam::derive_var_chg::relative_change;
use protocol::{
    expression::{Comparison, Input, ItemRef, Scope, Term, When as Occurrence},
    model::{Analysis, AnswerDraw, ItemRole, Measure, Method, MissingRule, Purpose, Study, Subject},
};
use terms::{AnalysisId, Answer, Date, Decimal, ParameterId, PartialDate, Truth, Value, VisitId};

use super::{
    FastPlan,
    adherence::Compliance,
    behind::BodyEntered,
    compile::{is_of_entered, parameter_of},
    entry::REMEMBERED_DAYS,
    events::Which,
    kept::Kept,
    measured::Scene,
    pairs::Pairs,
    path::{Held, Path, PathVisit, Walk, When},
    someone::site_of,
    times::Timed,
    trial::{Participant, Tested},
};
use crate::{
    answers::{self, Condition as Body, coded},
    person::{Episode, Person},
    streams::{Draws, Process},
};

/// An analysis, compiled.
#[derive(Clone, Debug)]
pub(crate) struct Analysed {
    pub(crate) id: AnalysisId,
    of: What,
    lower_is_better: bool,
    set: Condition,
    only: Option<Condition>,
    by: By,
    /// What explains the outcome beside the groups, in the order in which the task reads it.
    beside: Vec<Beside>,
    task: Task,
}

/// A stratum, factor or covariate of an analysis.
#[derive(Clone, Debug)]
enum Beside {
    /// The place of the level that holds, among all in order.
    Level(Vec<Condition>),
    /// The baseline of a parameter.
    Baseline(usize),
    /// The age as the demography form says it.
    Age,
    /// A number of the plan, evaluated as it was written.
    Number(Box<Evaluated>),
}

/// What is analysed of a participant.
#[derive(Clone, Debug)]
enum What {
    /// A parameter at a visit.
    Measured(Followed),
    /// A parameter at a visit, by a model over others too.
    Along(Followed, Vec<ModelVisit>),
    /// Whether a condition holds: 1 or 0.
    Responds(Condition),
    /// Whether there was an event of a kind: 1 or 0.
    Event(Which),
    /// Days to an event or to censoring.
    Time(Timed),
}

/// A parameter at a visit, and what stands in for a missing value.
#[derive(Clone, Copy, Debug)]
struct Followed {
    parameter: usize,
    /// The visit's place in the schedule, and on the path.
    occasion: usize,
    visit: usize,
    measure: Measure,
    missing: MissingRule,
}

/// A visit of a model: its places in the schedule and on the path.
#[derive(Clone, Copy, Debug)]
struct ModelVisit {
    occasion: usize,
    visit: usize,
}

impl What {
    /// The parameter at the visit that is analysed.
    fn followed(&self) -> Option<&Followed> {
        match self {
            What::Measured(followed) | What::Along(followed, _) => Some(followed),
            What::Responds(_) | What::Event(_) | What::Time(_) => None,
        }
    }

    /// How many visits its model has.
    fn model_visits(&self) -> usize {
        if let What::Along(_, visits) = self { visits.len() } else { 0 }
    }
}

impl Followed {
    fn on_path(self) -> Option<usize> {
        (self.visit != usize::MAX).then_some(self.visit)
    }
}

/// How participants are grouped.
#[derive(Clone, Debug)]
enum By {
    Nothing,
    /// Arms; the place in the pair that is compared, by arm.
    Arms(Vec<usize>),
    /// Levels of a variable, in order.
    Levels(Vec<Condition>),
}

/// A condition over a participant, compiled.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    Always(Truth),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
    /// A parameter has a value at a visit of the schedule.
    HasValue(usize, usize),
    /// It has one after the first dose.
    HasPostBaseline(usize),
    HasBaseline(usize),
    /// A baseline against a number.
    Baseline(usize, Comparison, f64),
    Stratum(Vec<Truth>),
    LungDisease {
        with: Truth,
        without: Truth,
    },
    /// The site, by its place.
    Site(usize),
    /// The percent of planned doses that were taken, against a number.
    DoseShare(Comparison, Decimal),
    /// No deviation is major.
    NoMajorDeviation,
    /// How two slides compare.
    Pairs(Box<Pairs>),
    Share {
        process: Process,
        shares: Vec<f64>,
        truths: Vec<Truth>,
    },
    /// Evaluated on the participant's own answers.
    Whole(Box<Evaluated>),
    /// Of completed months from the first symptom's date to that of screening: the truth for each number of them, none where
    /// it hangs on how the date is known, and the condition as it was written for who is near to such a number.
    MonthsIll(Vec<Option<Truth>>, Box<Evaluated>),
}

/// A condition that is evaluated as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Evaluated {
    term: Term,
    /// What it reads, and where that is found.
    reads: Vec<(Input, Read)>,
    /// Places in the schedule of the visits whose values it reads.
    occasions: Vec<usize>,
    /// Whether it reads answers of forms.
    reads_items: bool,
    /// Its place among the different ones of a plan, each of which is evaluated once for a participant.
    place: usize,
}

/// Where a condition that is evaluated as it was written finds what it reads.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Read {
    /// The value of a parameter at a visit of the schedule.
    Value(usize, usize),
    Baseline(usize),
    /// Something else, which is drawn as it is asked for.
    Other,
}

/// As many numbers a condition may read for its truths to be remembered by them.
const REMEMBERED_NUMBERS: usize = 2;

impl Evaluated {
    /// Whether its truth hangs on a few numbers alone.
    fn is_of_few_numbers(&self) -> bool {
        self.reads.len() <= REMEMBERED_NUMBERS && self.reads.iter().all(|(_, read)| *read != Read::Other)
    }
}

/// Truths of a condition by the numbers that it was found for.
#[derive(Clone, Debug, Default)]
struct Remembered(Vec<Option<([u64; REMEMBERED_NUMBERS], Truth)>>);

/// As many truths of a condition are remembered.
const REMEMBERED: usize = 4_096;

impl Remembered {
    /// The place of the truth for these numbers.
    fn at(&mut self, numbers: [u64; REMEMBERED_NUMBERS]) -> &mut Option<([u64; REMEMBERED_NUMBERS], Truth)> {
        if self.0.is_empty() {
            self.0.resize(REMEMBERED, None);
        }
        let mixed = numbers
            .iter()
            .fold(0u64, |mixed, number| (mixed.rotate_left(23) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        &mut self.0[(mixed >> 52) as usize]
    }
}

impl Analysed {
    pub(crate) fn compile(
        study: &Study,
        analysis: &Analysis,
        place: &mut dyn FnMut(&ParameterId) -> Result<usize, String>,
    ) -> Result<Self, String> {
        let by = match analysis.by.as_deref() {
            None => By::Nothing,
            Some("arm") => By::Arms(pair_of_arms(study)?),
            Some(variable) => By::Levels(levels_of(study, variable, place)?),
        };
        let task = match (&analysis.method, &analysis.subject) {
            (method, Subject::Parameter { visit, .. }) if method.over_visits().is_some() => {
                let (groups, pair) = by.compared(study);
                Task::over_visits(method, visit.as_str(), groups, pair)?
            }
            (method, _) => Task::of(method).map_err(|method| format!("its method is {method}"))?,
        };
        let set = study.plan.sets.iter().find(|set| set.id == analysis.set);
        let set = set.ok_or_else(|| format!("there is no set {}", analysis.set))?;
        if !is_of_entered(set.who.root()) {
            return Err(format!("set {} holds people who did not enter", set.id));
        }
        let of = match (&analysis.subject, task.is_of_yes_or_no()) {
            (Subject::Variable { variable, .. }, true) => {
                What::Responds(compile_condition(study, &holds(study, variable)?, place)?)
            }
            (Subject::AdverseEvents { filter }, true) => What::Event(Which::compile(study, filter.as_ref())?),
            (Subject::TimeToEvent { time }, false) => {
                let known = study.plan.times.iter().find(|known| known.id == *time);
                What::Time(Timed::compile(study, known.ok_or_else(|| format!("there is no {time}"))?, place)?)
            }
            (_, true) => return Err("it asks for a yes or no of something else".to_owned()),
            (_, false) => {
                let followed = followed(study, analysis, place)?;
                match analysis.method.over_visits() {
                    None => What::Measured(followed),
                    Some(_) if followed.missing != MissingRule::Observed => {
                        return Err("its model takes values that stand in for missing ones".to_owned());
                    }
                    Some(model) => What::Along(followed, visits_of(study, &model.visits)?),
                }
            }
        };
        let lower_is_better = match (&of, &analysis.subject) {
            (What::Measured(_) | What::Along(..), Subject::Parameter { parameter, .. }) => {
                let known = study.plan.parameters.iter().find(|known| known.id == *parameter);
                known.is_some_and(|known| known.lower_is_better)
            }
            (What::Event(_), _) => true,
            // An estimate is the logarithm of a hazard ratio.
            (What::Time(timed), _) => timed.longer_is_better,
            _ => false,
        };
        let own = of.followed().map(|followed| followed.parameter);
        let beside = Beside::all(study, &analysis.method, own, place)?;
        Ok(Self {
            id: analysis.id.clone(),
            of,
            lower_is_better,
            set: compile_condition(study, set.who.root(), place)?,
            only: analysis
                .only
                .as_ref()
                .map(|only| compile_condition(study, only.root(), place))
                .transpose()?,
            by,
            beside,
            task,
        })
    }

    /// Every condition of it, part by part.
    fn each_condition(&mut self, change: &mut dyn FnMut(&mut Condition)) {
        let levels = match &mut self.by {
            By::Levels(levels) => levels.as_mut_slice(),
            By::Nothing | By::Arms(_) => &mut [],
        };
        let beside = self.beside.iter_mut().filter_map(|one| match one {
            Beside::Level(levels) => Some(levels),
            _ => None,
        });
        let responds = match &mut self.of {
            What::Responds(condition) => Some(condition),
            _ => None,
        };
        let conditions = std::iter::once(&mut self.set).chain(&mut self.only).chain(levels);
        for condition in conditions.chain(beside.flatten()).chain(responds) {
            condition.each_mut(change);
        }
    }

    /// Gives each different condition that is evaluated as it was written a place among all of them.
    pub(crate) fn place_conditions(&mut self, known: &mut Vec<Evaluated>) {
        self.each_condition(&mut |condition| {
            if let Condition::Whole(whole) | Condition::MonthsIll(_, whole) = condition {
                let found = known.iter().position(|one| one.term == whole.term);
                whole.place = found.unwrap_or(known.len());
                if found.is_none() {
                    known.push((**whole).clone());
                }
            }
        });
    }

    pub(crate) fn place_visits(&mut self, path: &[PathVisit]) {
        let on_path = |occasion: usize| {
            path.iter().position(|visit| visit.occasion == occasion as u64).unwrap_or(usize::MAX)
        };
        match &mut self.of {
            What::Measured(followed) => followed.visit = on_path(followed.occasion),
            What::Along(followed, visits) => {
                followed.visit = on_path(followed.occasion);
                visits.iter_mut().for_each(|one| one.visit = on_path(one.occasion));
            }
            What::Responds(_) | What::Event(_) | What::Time(_) => {}
        }
    }

    /// The visits that are analysed, on the path.
    pub(crate) fn visits(&self, path: &[PathVisit]) -> Vec<usize> {
        let mut occasions = Vec::new();
        match &self.of {
            What::Measured(followed) => occasions.push(followed.occasion),
            What::Along(_, visits) => occasions.extend(visits.iter().map(|one| one.occasion)),
            What::Responds(condition) => condition.occasions(&mut occasions),
            What::Event(_) | What::Time(_) => {}
        }
        let on_path = |occasion: &usize| path.iter().position(|visit| visit.occasion == *occasion as u64);
        occasions.iter().filter_map(on_path).collect()
    }

    /// Whether adverse events are read.
    pub(crate) fn reads_events(&self) -> bool {
        matches!(self.of, What::Event(_) | What::Time(_))
    }

    /// Whether all that is analysed is a time, from events of hazards and ends of participation alone.
    pub(crate) fn is_of_hazards_alone(&self, study: &Study) -> bool {
        matches!(&self.of, What::Time(timed) if !timed.reads_the_way() && !timed.reads_other_events(study))
    }

    /// Visits of the schedule whose slides are compared.
    pub(crate) fn compared_slides(&self) -> Vec<usize> {
        let mut found = Vec::new();
        if let What::Responds(condition) = &self.of {
            condition.each(&mut |one| {
                if let Condition::Pairs(pairs) = one {
                    found.extend(&pairs.later);
                }
            });
        }
        found
    }

    /// Whether a set or group rests on deviations or on doses and tablets.
    pub(crate) fn rests_on_conduct(&self) -> bool {
        self.asks_for(|condition| matches!(condition, Condition::DoseShare(..) | Condition::NoMajorDeviation))
    }

    /// Whether it asks for a person's lung disease.
    pub(crate) fn reads_disease(&self) -> bool {
        self.asks_for(|condition| matches!(condition, Condition::LungDisease { .. }))
    }

    fn asks_for(&self, wanted: fn(&Condition) -> bool) -> bool {
        let levels = match &self.by {
            By::Levels(levels) => levels.as_slice(),
            _ => &[],
        };
        let beside = self.beside.iter().filter_map(|one| match one {
            Beside::Level(levels) => Some(levels),
            _ => None,
        });
        let responds = match &self.of {
            What::Responds(condition) => Some(condition),
            _ => None,
        };
        let conditions = std::iter::once(&self.set).chain(&self.only).chain(levels).chain(beside.flatten());
        conditions.chain(responds).any(|condition| condition.has(wanted))
    }

    /// Months after the first entry that its data end.
    pub(crate) fn cut_off_months(&self) -> Option<i32> {
        if let What::Time(timed) = &self.of { timed.cut_off_months } else { None }
    }

    /// Whether the method sums values, so that their order shows in the last digit.
    pub(crate) fn sums_in_order(&self) -> bool {
        self.task.sums_in_order()
    }

    /// Returns what the estimate comes to on very many outcomes.
    pub(crate) fn limit(&self, groups: &[Group; 2]) -> Option<f64> {
        self.task.limit(&groups[0], &groups[1])
    }

    /// Runs the method on what the columns hold of those who started first.
    pub(crate) fn test(
        &self,
        place: usize,
        columns: &mut Columns,
        kernel: &mut Kernel,
        participants: usize,
    ) -> Tested {
        columns.group(place, self, participants);
        let [first, second] = &columns.groups;
        let of_one_visit = first.values.len() + second.values.len();
        let analysed =
            if matches!(self.of, What::Along(..)) { first.courses.len() } else { of_one_visit } as u32;
        let outcome = kernel.run(&self.task, first, second).ok();
        Tested { outcome, analysed }
    }

    /// Whether an estimate speaks for the drug.
    pub(crate) fn favours(&self, tested: Tested) -> bool {
        tested.outcome.is_some_and(|one| (one.estimate < 0.0) == self.lower_is_better && one.estimate != 0.0)
    }
}

impl Beside {
    /// Compiles what a method reads beside the groups: strata, then factors, then covariates. A baseline that
    /// is a model's one covariate stands in a column of its own.
    fn all(
        study: &Study,
        method: &Method,
        own: Option<usize>,
        place: &mut dyn FnMut(&ParameterId) -> Result<usize, String>,
    ) -> Result<Vec<Self>, String> {
        let none = &Vec::new();
        let (strata, factors, covariates) = match method {
            Method::Ancova(options) if options.factors.is_empty() && options.covariates == ["baseline"] => {
                (none, none, none)
            }
            Method::Ancova(options) => (none, &options.factors, &options.covariates),
            Method::LogRank(options) => (&options.strata, none, none),
            Method::Cox(options) => (&options.strata, &options.factors, &options.covariates),
            _ => (none, none, none),
        };
        let mut all = Vec::new();
        for name in strata.iter().chain(factors) {
            let level = Self::level(study, name, place)?;
            if !level.is_narrow() {
                return Err(format!("{name} has more than {LEVELS_MAX} levels"));
            }
            all.push(level);
        }
        for name in covariates {
            all.push(Self::number(study, name, own, place)?);
        }
        Ok(all)
    }

    /// Levels stand in the order of their ids, as in the analysis of a locked trial.
    fn level(
        study: &Study,
        name: &str,
        place: &mut dyn FnMut(&ParameterId) -> Result<usize, String>,
    ) -> Result<Self, String> {
        let in_order = |mut levels: Vec<(String, Condition)>| {
            levels.sort_by(|a, b| a.0.cmp(&b.0));
            Self::Level(levels.into_iter().map(|(_, condition)| condition).collect())
        };
        let known = study.plan.variables.iter().find(|known| known.id == name);
        Ok(match (name, known) {
            ("stratum", _) => {
                let strata = &study.virtual_cohort.cohort.strata;
                let is = |code: &String| strata.iter().map(|(one, _)| (one == code).into()).collect();
                in_order(
                    strata.iter().map(|(code, _)| (code.clone(), Condition::Stratum(is(code)))).collect(),
                )
            }
            ("site", _) => {
                let sites = study.sites.iter().enumerate();
                in_order(sites.map(|(at, site)| (site.id.to_string(), Condition::Site(at))).collect())
            }
            (_, Some(known)) if known.levels.is_empty() => {
                let holds = compile_condition(study, &holds(study, name)?, place)?;
                Self::Level(vec![Condition::Not(Box::new(holds.clone())), holds])
            }
            (_, Some(known)) => {
                let mut levels = Vec::new();
                for (level, _) in &known.levels {
                    levels.push((level.clone(), compile_condition(study, &is_level(name, level), place)?));
                }
                in_order(levels)
            }
            (_, None) => return Err(format!("it reads {name}, which is not kept")),
        })
    }

    /// Whether a kernel can tell its levels apart.
    fn is_narrow(&self) -> bool {
        !matches!(self, Self::Level(levels) if levels.len() > LEVELS_MAX)
    }

    fn number(
        study: &Study,
        name: &str,
        own: Option<usize>,
        place: &mut dyn FnMut(&ParameterId) -> Result<usize, String>,
    ) -> Result<Self, String> {
        if let Some(own) = own.filter(|_| name == "baseline") {
            return Ok(Self::Baseline(own));
        }
        if let Some(parameter) = suffixed(study, name, "_baseline") {
            return Ok(Self::Baseline(place(&parameter)?));
        }
        if name == "age" && is_age_entered(study) {
            return Ok(Self::Age);
        }
        let known = study.plan.variables.iter().find(|known| known.id == name);
        let known = known.ok_or_else(|| format!("it reads {name}, which is not kept"))?;
        let term = inline(study, known.expression.root());
        Ok(Self::Number(Box::new(evaluated(study, &term, place)?)))
    }

    fn value(&self, reading: &mut Reading<'_, '_>) -> Option<f64> {
        match self {
            Beside::Level(levels) => {
                levels.iter().position(|level| level.truth(reading) == Truth::True).map(|at| at as f64)
            }
            Beside::Baseline(parameter) => reading.baseline(*parameter),
            Beside::Age => Some(reading.age()),
            Beside::Number(whole) => {
                let found = reading.numbers(whole);
                let scope = Whole::of(whole, &found, reading);
                whole.term.value(&scope).and_then(|value| value.as_f64())
            }
        }
    }
}

/// As many levels as a stratum or factor may have.
const LEVELS_MAX: usize = 63;

/// Whether the demography form takes the age in whole years as it is.
fn is_age_entered(study: &Study) -> bool {
    let form = study.form_for(Purpose::Demography);
    let item = form.and_then(|form| Some((form, form.item_for(ItemRole::AgeYears)?)));
    item.is_some_and(|(form, item)| {
        let answers = study.virtual_cohort.answers.iter();
        let mut own = answers.filter(|one| one.form == form.id && one.item == item.id);
        own.any(|one| matches!(&one.draw, AnswerDraw::From(property) if property == "age_years"))
    })
}

/// The visits of a model in the schedule.
fn visits_of(study: &Study, visits: &[String]) -> Result<Vec<ModelVisit>, String> {
    let place = |id: &String| place_of_visit(study, &VisitId::from(id.as_str()));
    visits.iter().map(|id| Ok(ModelVisit { occasion: place(id)?, visit: usize::MAX })).collect()
}

/// Says whether a parameter is measured at unscheduled visits.
pub(super) fn measured_between(study: &Study, parameter: &ParameterId) -> bool {
    let form = study.plan.parameters.iter().find(|known| known.id == *parameter).map(|known| &known.form);
    let unscheduled =
        study.visits.iter().filter(|visit| visit.timing == protocol::model::Timing::Unscheduled);
    unscheduled.into_iter().any(|visit| study.forms_at(&visit.id).any(|known| Some(&known.id) == form))
}

fn followed(
    study: &Study,
    analysis: &Analysis,
    place: &mut dyn FnMut(&ParameterId) -> Result<usize, String>,
) -> Result<Followed, String> {
    let (parameter, visit, measure, missing) = parameter_of(analysis)?;
    if missing == MissingRule::LastObservation && measured_between(study, parameter) {
        return Err(format!(
            "{parameter} is measured at unscheduled visits, whose values may be carried forward"
        ));
    }
    let parameter = place(parameter)?;
    Ok(Followed { parameter, occasion: place_of_visit(study, visit)?, visit: usize::MAX, measure, missing })
}

/// The condition that a variable of the plan is yes.
fn holds(study: &Study, variable: &str) -> Result<Term, String> {
    let known = study.plan.variables.iter().find(|known| known.id == variable);
    let known = known.ok_or_else(|| format!("it is of {variable}, which is not kept"))?;
    if !known.levels.is_empty() {
        return Err(format!("it is of {variable}, which is no yes or no"));
    }
    Ok(known.expression.root().clone())
}

impl By {
    /// How many groups there are, and which two a model compares, as places in their own order: one with the control,
    /// or else the second with the first.
    fn compared(&self, study: &Study) -> (usize, Option<(usize, usize)>) {
        match self {
            By::Nothing => (0, None),
            By::Arms(_) => {
                let control = study.arms.iter().position(|arm| arm.control).unwrap_or(0);
                (2, Some((1 - control, control)))
            }
            By::Levels(_) => (2, Some((1, 0))),
        }
    }
}

/// Which arm is compared first and which second: the control comes second.
fn pair_of_arms(study: &Study) -> Result<Vec<usize>, String> {
    match study.arms.as_slice() {
        [first, _] if first.control => Ok(vec![1, 0]),
        [_, _] => Ok(vec![0, 1]),
        arms => Err(format!("it compares arms, and there are {}", arms.len())),
    }
}

fn levels_of(
    study: &Study,
    variable: &str,
    place: &mut dyn FnMut(&ParameterId) -> Result<usize, String>,
) -> Result<Vec<Condition>, String> {
    let known = study.plan.variables.iter().find(|known| known.id == variable);
    let levels = known.map_or(&[][..], |known| known.levels.as_slice());
    if levels.len() != 2 {
        return Err(format!("it groups by {variable}, which has no two levels of its own"));
    }
    levels.iter().map(|(level, _)| compile_condition(study, &is_level(variable, level), place)).collect()
}

/// The condition that a variable has a level.
fn is_level(variable: &str, level: &str) -> Term {
    let value = Box::new(Term::Input(Input::Variable(variable.to_owned())));
    Term::Compare(Comparison::Equal, value, Box::new(Term::Word(level.to_owned())), (0, 0))
}

/// Puts the plan's own variables in the place of their names.
fn inline(study: &Study, term: &Term) -> Term {
    let of = |inner: &Term| Box::new(inline(study, inner));
    let all = |terms: &[Term]| terms.iter().map(|inner| inline(study, inner)).collect::<Vec<_>>();
    match term {
        Term::Input(Input::Variable(name)) => {
            let own = study.plan.variables.iter().find(|known| known.id == *name);
            own.map_or_else(|| term.clone(), |own| inline(study, own.expression.root()))
        }
        Term::Number(..) | Term::Flag(_) | Term::Word(_) | Term::Date(_) | Term::Input(_) => term.clone(),
        Term::CodeNumber(a) => Term::CodeNumber(of(a)),
        Term::Not(a) => Term::Not(of(a)),
        Term::And(a, b, at) => Term::And(of(a), of(b), *at),
        Term::Or(a, b, at) => Term::Or(of(a), of(b), *at),
        Term::Compare(comparison, a, b, at) => Term::Compare(*comparison, of(a), of(b), *at),
        Term::OneOf(a, among) => Term::OneOf(of(a), all(among)),
        Term::Arithmetic(operation, a, b) => Term::Arithmetic(*operation, of(a), of(b)),
        Term::Negate(a) => Term::Negate(of(a)),
        Term::Choose(a, b, c) => Term::Choose(of(a), of(b), of(c)),
        Term::DaysBetween(a, b) => Term::DaysBetween(of(a), of(b)),
        Term::MonthsBetween(a, b) => Term::MonthsBetween(of(a), of(b)),
        Term::Absolute(a) => Term::Absolute(of(a)),
        Term::Least(terms) => Term::Least(all(terms)),
        Term::Greatest(terms) => Term::Greatest(all(terms)),
        Term::Round(a, digits) => Term::Round(of(a), *digits),
        Term::Missing(a) => Term::Missing(of(a)),
    }
}

/// Compiles a condition of the plan, or says what it reads that is not kept.
pub(crate) fn compile_condition(
    study: &Study,
    term: &Term,
    place: &mut dyn FnMut(&ParameterId) -> Result<usize, String>,
) -> Result<Condition, String> {
    let term = inline(study, term);
    reduce(study, &term, place)
}

fn reduce(
    study: &Study,
    term: &Term,
    place: &mut dyn FnMut(&ParameterId) -> Result<usize, String>,
) -> Result<Condition, String> {
    Ok(match term {
        Term::Flag(flag) => Condition::Always((*flag).into()),
        Term::Input(Input::Variable(name)) if name == "enrolled" || name == "treated" => {
            Condition::Always(Truth::True)
        }
        Term::Not(inner) => Condition::Not(Box::new(reduce(study, inner, place)?)),
        Term::And(a, b, _) => Condition::All(vec![reduce(study, a, place)?, reduce(study, b, place)?]),
        Term::Or(a, b, _) => Condition::Any(vec![reduce(study, a, place)?, reduce(study, b, place)?]),
        Term::Missing(inner) => match &**inner {
            Term::Input(Input::Parameter(parameter, visit)) => Condition::Not(Box::new(Condition::HasValue(
                place(parameter)?,
                place_of_visit(study, visit)?,
            ))),
            Term::Input(Input::Variable(name)) if suffixed(study, name, "_baseline").is_some() => {
                let parameter = suffixed(study, name, "_baseline").ok_or("no such parameter")?;
                Condition::Not(Box::new(Condition::HasBaseline(place(&parameter)?)))
            }
            _ => leaf(study, term, place)?,
        },
        Term::Compare(comparison, a, b, _) => match (&**a, &**b) {
            (Term::Input(Input::Variable(name)), Term::Number(number, _)) => {
                let bound = Value::Decimal(*number).as_f64().unwrap_or(f64::NAN);
                if name == "dose_share" {
                    Condition::DoseShare(*comparison, *number)
                } else if name == "major_deviations" {
                    no_major_deviation(*comparison, *number)?
                } else if let Some(parameter) = suffixed(study, name, "_baseline") {
                    Condition::Baseline(place(&parameter)?, *comparison, bound)
                } else if let Some(parameter) = suffixed(study, name, "_postbaseline")
                    .filter(|_| *comparison == Comparison::Greater && number.is_zero())
                {
                    if measured_between(study, &parameter) {
                        return Err(format!("{parameter} is measured at unscheduled visits"));
                    }
                    Condition::HasPostBaseline(place(&parameter)?)
                } else {
                    leaf(study, term, place)?
                }
            }
            _ => leaf(study, term, place)?,
        },
        _ => leaf(study, term, place)?,
    })
}

/// Whether there is a major deviation or none; how many there are is not kept.
fn no_major_deviation(comparison: Comparison, number: Decimal) -> Result<Condition, String> {
    let none = || Condition::NoMajorDeviation;
    match comparison {
        Comparison::Equal | Comparison::AtMost if number.is_zero() => Ok(none()),
        Comparison::Less if number == Decimal::ONE => Ok(none()),
        Comparison::Unequal | Comparison::Greater if number.is_zero() => Ok(Condition::Not(Box::new(none()))),
        Comparison::AtLeast if number == Decimal::ONE => Ok(Condition::Not(Box::new(none()))),
        _ => Err("it reads how many deviations are major, which is not kept".to_owned()),
    }
}

fn compares<T: PartialOrd>(comparison: Comparison, value: &T, bound: &T) -> bool {
    match comparison {
        Comparison::Less => value < bound,
        Comparison::AtMost => value <= bound,
        Comparison::Greater => value > bound,
        Comparison::AtLeast => value >= bound,
        Comparison::Equal => value == bound,
        Comparison::Unequal => value != bound,
    }
}

fn suffixed(study: &Study, name: &str, suffix: &str) -> Option<ParameterId> {
    let stem = name.strip_suffix(suffix)?;
    study.plan.parameters.iter().find(|one| one.id.as_str().to_lowercase() == stem).map(|one| one.id.clone())
}

fn place_of_visit(study: &Study, visit: &VisitId) -> Result<usize, String> {
    study
        .visits
        .iter()
        .position(|known| known.id == *visit)
        .ok_or_else(|| format!("there is no visit {visit}"))
}

/// A condition on one trait becomes a table; anything else is evaluated whole, if all it reads is kept.
fn leaf(
    study: &Study,
    term: &Term,
    place: &mut dyn FnMut(&ParameterId) -> Result<usize, String>,
) -> Result<Condition, String> {
    let mut inputs = Vec::new();
    term.visit(&mut |part| {
        if let Term::Input(input) = part
            && !inputs.contains(input)
        {
            inputs.push(input.clone());
        }
    });
    if let [Input::Item(reference)] = &inputs[..]
        && let Some(table) = table_of(study, term, reference)
    {
        return Ok(table);
    }
    if let [Input::Item(reference)] = &inputs[..]
        && let Some(pairs) = Pairs::compile(study, reference, &|code| {
            let answer = code.map(|code| Answer::Given(Value::Code(code.to_owned())));
            term.truth(&One { reference, answer })
        })
    {
        return Ok(Condition::Pairs(Box::new(pairs)));
    }
    let evaluated = Box::new(evaluated(study, term, place)?);
    Ok(match truths_by_months(study, term) {
        Some(truths) => Condition::MonthsIll(truths, evaluated),
        None => Condition::Whole(evaluated),
    })
}

/// As many months that somebody may have been ill are tabled.
const MONTHS_MAX: usize = 1_200;

/// A condition that reads the completed months from the date of the first symptom to that of screening, and nothing else:
/// its truth by their number.
fn truths_by_months(study: &Study, term: &Term) -> Option<Vec<Option<Truth>>> {
    let onset = |input: &Input| {
        let Input::Item(reference) = input else { return false };
        let item = study.form(reference.form.as_str()).and_then(|form| form.item(reference.item.as_str()));
        let answers = &study.virtual_cohort.answers;
        let own = answers.iter().find(|a| a.form == reference.form && a.item == reference.item);
        // Who is not asked has no such months.
        own.filter(|_| item.is_some_and(|item| item.shown_if.is_none()))
            .is_some_and(|own| matches!(&own.draw, AnswerDraw::From(property) if property == "onset_date"))
    };
    let (mut reads, mut spans) = (0, Vec::new());
    term.visit(&mut |part| match part {
        Term::Input(_) => reads += 1,
        Term::MonthsBetween(from, to) => {
            if let (Term::Input(from), Term::Input(Input::Variable(to))) = (&**from, &**to)
                && onset(from)
                && to == "screening_date"
            {
                spans.push(from.clone());
            }
        }
        _ => {}
    });
    let [span] = &spans[..] else { return None };
    if reads != 2 {
        return None;
    }
    // Of a date that is known by its month alone more than one number of months may be left, by the day of screening.
    let truth = |months: usize| {
        let at = |day: i8, by_month: bool| {
            let screened = Date::constant(2_010, 6, day);
            let onset = terms::add_months(screened, -(months as i32));
            let known = if by_month {
                PartialDate::of_month(onset.year(), onset.month()).ok()?
            } else {
                onset.into()
            };
            Some(term.truth(&Ill { onset: span, known, screened }))
        };
        let first = at(15, false)?;
        let all = [1, 15, 28].into_iter().flat_map(|day| [(day, false), (day, true)]);
        all.into_iter().all(|(day, by_month)| at(day, by_month) == Some(first)).then_some(first)
    };
    Some((0..=MONTHS_MAX).map(truth).collect())
}

/// Dates of a first symptom and of screening, and nothing else.
struct Ill<'a> {
    onset: &'a Input,
    known: PartialDate,
    screened: Date,
}

impl Scope for Ill<'_> {
    fn item(&self, reference: &ItemRef) -> Option<Answer> {
        let is_own = matches!(self.onset, Input::Item(own) if own == reference);
        is_own.then(|| Answer::Given(Value::Date(self.known)))
    }

    fn variable(&self, name: &str) -> Option<Answer> {
        (name == "screening_date").then(|| Answer::Given(Value::Date(self.screened.into())))
    }

    fn limit(&self, _reference: &ItemRef, _upper: bool) -> Option<Answer> {
        None
    }

    fn today(&self) -> Option<Date> {
        None
    }
}

/// The only truth of a condition on the months that somebody has been ill, whose first symptom lay so many days before
/// screening; none if there are several. Dates may be known to the month alone.
fn settled_by_months(truths: &[Option<Truth>], days: f64) -> Option<Truth> {
    // No month is shorter than 28 days or longer than 31.
    let fewest = libm::floor((days - REMEMBERED_DAYS).max(0.0) / 31.0) as usize;
    let most = libm::ceil((days + REMEMBERED_DAYS) / 28.0) as usize;
    let possible = truths.get(fewest..=most)?;
    let first = *possible.first()?;
    first.filter(|_| possible.iter().all(|truth| *truth == first))
}

/// A term that is evaluated as it was written, if all it reads is kept.
fn evaluated(
    study: &Study,
    term: &Term,
    place: &mut dyn FnMut(&ParameterId) -> Result<usize, String>,
) -> Result<Evaluated, String> {
    let mut inputs = Vec::new();
    term.visit(&mut |part| {
        if let Term::Input(input) = part
            && !inputs.contains(input)
        {
            inputs.push(input.clone());
        }
    });
    let (mut reads, mut occasions) = (Vec::new(), Vec::new());
    for input in inputs {
        let read = match &input {
            Input::Item(reference) => {
                kept_item(study, reference)?;
                Read::Other
            }
            Input::Parameter(parameter, visit) => {
                let occasion = place_of_visit(study, visit)?;
                occasions.push(occasion);
                Read::Value(place(parameter)?, occasion)
            }
            Input::Variable(name) => match name.as_str() {
                "enrolled" | "treated" | "screening_date" | "first_dose_date" | "enrolment_date" => {
                    Read::Other
                }
                _ => {
                    let parameter = suffixed(study, name, "_baseline");
                    Read::Baseline(place(
                        &parameter.ok_or_else(|| format!("it reads {name}, which is not kept"))?,
                    )?)
                }
            },
            Input::Limit(..) | Input::Today => return Err("it reads a limit or the day".to_owned()),
        };
        reads.push((input, read));
    }
    let reads_items = reads.iter().any(|(input, _)| matches!(input, Input::Item(_)));
    Ok(Evaluated { term: term.clone(), reads, occasions, reads_items, place: 0 })
}

/// An item whose answer is drawn once for a participant and stays as it was entered.
fn kept_item(study: &Study, reference: &ItemRef) -> Result<(), String> {
    let name = format!("{}.{}", reference.form, reference.item);
    let form = study.form(reference.form.as_str());
    let item = form.and_then(|form| form.item(reference.item.as_str()));
    let (Some(form), Some(item)) = (form, item) else { return Err(format!("there is no {name}")) };
    let virtuals = &study.virtual_cohort;
    let followed = virtuals.measures.iter().any(|m| m.form == form.id && m.item == item.id);
    let number =
        matches!(item.kind, protocol::model::ItemType::Integer | protocol::model::ItemType::Decimal { .. });
    let visits: Vec<&VisitId> = study
        .visits
        .iter()
        .map(|visit| &visit.id)
        .filter(|id| study.forms_at(id).any(|f| f.id == form.id))
        .collect();
    let on_the_way_in = visits.first().is_some_and(|first| {
        study.visits.iter().any(|visit| {
            visit.id == **first
                && matches!(
                    visit.timing,
                    protocol::model::Timing::Before { .. } | protocol::model::Timing::On { .. }
                )
        })
    });
    let once = reference.when == Occurrence::Latest && on_the_way_in;
    if item.derived.is_some() || followed || number || !once {
        return Err(format!("it reads {name}, which is not kept"));
    }
    Ok(())
}

fn table_of(study: &Study, term: &Term, reference: &ItemRef) -> Option<Condition> {
    kept_item(study, reference).ok()?;
    let form = study.form(reference.form.as_str())?;
    let item = form.item(reference.item.as_str())?;
    if item.shown_if.is_some() {
        return None;
    }
    let virtuals = &study.virtual_cohort;
    let truth = |code: &str| {
        let scope = One { reference, answer: Some(Answer::Given(coded(item, code))) };
        term.truth(&scope)
    };
    let process = virtuals.answers.iter().find(|a| a.form == form.id && a.item == item.id)?;
    match &process.draw {
        AnswerDraw::Shares(shares) => Some(Condition::Share {
            process: Process::named(&format!("{}.{}", form.id, item.id)),
            shares: shares.iter().map(|(_, share)| *share).collect(),
            truths: shares.iter().map(|(code, _)| truth(code)).collect(),
        }),
        AnswerDraw::From(property) if property == "stratum" => {
            Some(Condition::Stratum(virtuals.cohort.strata.iter().map(|(code, _)| truth(code)).collect()))
        }
        AnswerDraw::From(property) if property == "ild" => {
            Some(Condition::LungDisease { with: truth("true"), without: truth("false") })
        }
        _ => None,
    }
}

/// One participant's contribution to an analysis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Row {
    /// The place in the order of starts.
    entry: u32,
    group: u8,
    arm: u8,
    baseline: Option<f64>,
    value: Option<f64>,
    /// Where the outcomes at a model's visits begin.
    course: u32,
    /// Whether an event ended a time.
    event: bool,
    /// Where what explains the outcome beside the groups begins.
    beside: u32,
}

/// Observed outcomes at an analysed visit of everybody who entered, from which worst cases are taken.
#[derive(Clone, Copy, Debug)]
struct Donor {
    entry: u32,
    arm: u8,
    value: f64,
    baseline: Option<f64>,
}

/// Reused memory for the rows of every analysis.
#[derive(Default)]
pub(crate) struct Columns {
    pub(crate) rows: Vec<Vec<Row>>,
    donors: Vec<Vec<Donor>>,
    /// By analysis, the outcomes at a model's visits.
    courses: Vec<Vec<Option<f64>>>,
    /// By analysis, what explains the outcomes beside the groups, a missing value as one that is no number.
    beside: Vec<Vec<f64>>,
    /// The day of the first entry.
    pub(super) first_entry: Option<i32>,
    pub(crate) groups: [Group; 2],
    own: Own,
    /// Participants, where somebody wants to see them.
    pub(super) kept: Option<Vec<Kept>>,
}

/// Streams of a participant that are drawn from of nearly everybody, made side by side.
pub(crate) struct Ready {
    pub(crate) withdrawal: Draws,
    /// A visit of the path.
    pub(crate) visit: Option<(usize, Draws)>,
}

/// What is known of the participant in hand.
#[derive(Default)]
struct Own {
    held: Vec<Option<Option<Held>>>,
    values: Vec<Option<Option<f64>>>,
    baselines: Vec<Option<Option<f64>>>,
    stops_on: Option<i32>,
    walked: bool,
    /// By place, the conditions that are evaluated as they were written.
    truths: Vec<Option<Truth>>,
    /// Whether a deviation is major, once it was asked.
    deviates: Option<bool>,
    compliance: Option<Option<Compliance>>,
    /// By place of those conditions, what they came to in others.
    remembered: Vec<Remembered>,
}

impl Columns {
    pub(crate) fn begin(&mut self, plan: &FastPlan<'_>) {
        self.rows.resize(plan.analyses.len(), Vec::new());
        self.donors.resize(plan.analyses.len(), Vec::new());
        self.courses.resize(plan.analyses.len(), Vec::new());
        self.rows.iter_mut().for_each(Vec::clear);
        self.courses.iter_mut().for_each(Vec::clear);
        self.beside.resize(plan.analyses.len(), Vec::new());
        self.beside.iter_mut().for_each(Vec::clear);
        self.first_entry = None;
        self.donors.iter_mut().for_each(Vec::clear);
    }

    /// Puts those from whom worst cases are taken in the order of their starts.
    pub(crate) fn put_donors_in_order(&mut self) {
        self.donors.iter_mut().for_each(|donors| donors.sort_unstable_by_key(|donor| donor.entry));
    }

    /// Adds a participant's rows.
    pub(crate) fn add(
        &mut self,
        participant: &Participant<'_>,
        ready: Option<Ready>,
        episodes: &[Episode],
        path: &mut Path,
        key: (u64, u64),
        entry: u32,
    ) {
        let plan = participant.plan;
        self.own.begin(plan);
        let first_entry = self.first_entry.unwrap_or(participant.start);
        let mut reading = Reading { participant, episodes, path, own: &mut self.own, ready: None };
        match ready {
            Some(Ready { withdrawal, visit }) => {
                reading.ready = visit;
                reading.start(withdrawal);
            }
            None => reading.start_bare(),
        }
        for (place, analysis) in plan.analyses.iter().enumerate() {
            let measured_of = analysis.of.followed();
            let observed = measured_of.and_then(|own| reading.value(own.parameter, own.on_path()?));
            if let Some(own) = measured_of.filter(|own| own.missing == MissingRule::WorstCase)
                && let Some(value) = observed
            {
                let baseline = reading.baseline(own.parameter);
                self.donors[place].push(Donor { entry, arm: participant.arm as u8, value, baseline });
            }
            let belongs = |condition: &Condition, reading: &mut Reading<'_, '_>| {
                condition.truth(reading) == Truth::True
            };
            if !belongs(&analysis.set, &mut reading)
                || analysis.only.as_ref().is_some_and(|only| !belongs(only, &mut reading))
            {
                continue;
            }
            let group = match &analysis.by {
                By::Nothing => Some(0),
                By::Arms(pair) => pair.iter().position(|arm| *arm == participant.arm),
                By::Levels(levels) => levels.iter().position(|level| belongs(level, &mut reading)),
            };
            let Some(group) = group else { continue };
            let mut event = false;
            let (value, baseline) = match &analysis.of {
                What::Time(timed) => {
                    let cut_off =
                        timed.cut_off_months.map(|months| plan.calendar.add_months(first_entry, months));
                    let lasted = reading.lasted(timed, cut_off);
                    event = lasted.is_some_and(|lasted| lasted.event);
                    (lasted.map(|lasted| f64::from(lasted.days)), None)
                }
                What::Along(own, visits) => {
                    let baseline = reading.baseline(own.parameter);
                    let at = |one: &ModelVisit| {
                        let on_path = (one.visit != usize::MAX).then_some(one.visit)?;
                        let value = reading.value(own.parameter, on_path)?;
                        measured(own.measure, value, baseline)
                    };
                    self.courses[place].extend(visits.iter().map(at));
                    (observed.and_then(|value| measured(own.measure, value, baseline)), baseline)
                }
                What::Measured(own) => {
                    let value = observed.or_else(|| match own.missing {
                        MissingRule::LastObservation => reading.carried(own.parameter, own.on_path()?),
                        _ => None,
                    });
                    let baseline = reading.baseline(own.parameter);
                    (value.and_then(|value| measured(own.measure, value, baseline)), baseline)
                }
                What::Responds(condition) => match condition.truth(&mut reading) {
                    Truth::True => (Some(1.0), None),
                    Truth::False => (Some(0.0), None),
                    Truth::Unknown => (None, None),
                },
                What::Event(which) => (Some(if reading.had_event(which) { 1.0 } else { 0.0 }), None),
            };
            let (group, arm) = (group as u8, participant.arm as u8);
            let course = (self.courses[place].len() - analysis.of.model_visits()) as u32;
            let beside = self.beside[place].len() as u32;
            let numbers = analysis.beside.iter().map(|one| one.value(&mut reading).unwrap_or(f64::NAN));
            self.beside[place].extend(numbers);
            self.rows[place].push(Row { entry, group, arm, baseline, value, course, event, beside });
        }
        if let Some(kept) = &mut self.kept {
            let own = |rows: &Vec<Row>| rows.last().filter(|row| row.entry == entry).map(|row| row.value);
            kept.push(reading.keep(key, self.rows.iter().map(own).collect()));
        }
    }

    /// Writes down an analysis' outcomes, by group, of those who started first; worst cases are found among them.
    pub(crate) fn group(&mut self, place: usize, analysis: &Analysed, participants: usize) {
        let [first, second] = &mut self.groups;
        first.clear();
        second.clear();
        let taken = |entry: u32| (entry as usize) < participants;
        let rows = self.rows[place].iter().filter(|row| taken(row.entry));
        let donors = self.donors[place].iter().filter(|donor| taken(donor.entry));
        // With one arm alone in the trial the cohort serves.
        let first_arm = donors.clone().next().map(|donor| donor.arm);
        let alone = || rows.clone().all(|row| Some(row.arm) == first_arm);
        let worst_case =
            analysis.of.followed().filter(|own| own.missing == MissingRule::WorstCase).map(|own| own.measure);
        let alone = worst_case.is_some() && alone();
        let reads_baselines = analysis.task.reads_baselines();
        for row in rows.clone() {
            let worst = || {
                let measure = worst_case?;
                match (measure, row.baseline) {
                    (Measure::Change, None) => return None,
                    (Measure::RelativeChange | Measure::PercentChange, None | Some(0.0)) => return None,
                    _ => {}
                }
                let others = donors.clone().filter(|donor| alone || donor.arm != row.arm);
                let sign = if analysis.lower_is_better { 1.0 } else { -1.0 };
                others
                    .filter_map(|donor| measured(measure, donor.value, donor.baseline))
                    .reduce(|worst, next| if sign * next > sign * worst { next } else { worst })
            };
            if let What::Along(_, visits) = &analysis.of {
                let own = &self.courses[place][row.course as usize..][..visits.len()];
                let observed = own.iter().any(Option::is_some);
                if (!observed && analysis.task.needs_an_outcome())
                    || (reads_baselines && row.baseline.is_none())
                {
                    continue;
                }
                let of_arms = matches!(analysis.by, By::Arms(_));
                let group = usize::from(if of_arms { row.arm } else { row.group });
                first.courses.push(group, row.baseline.unwrap_or(0.0), own);
            }
            let Some(value) = row.value.or_else(worst) else { continue };
            let beside = &self.beside[place][row.beside as usize..][..analysis.beside.len()];
            if beside.iter().any(|number| number.is_nan()) {
                continue;
            }
            let group = if row.group == 0 { &mut *first } else { &mut *second };
            if reads_baselines {
                let Some(baseline) = row.baseline else { continue };
                group.baselines.push(baseline);
            }
            group.values.push(value);
            group.beside.extend_from_slice(beside);
            if matches!(analysis.of, What::Time(_)) {
                group.events.push(row.event);
            }
        }
    }

    /// Participants with an outcome of 1 among those written down.
    pub(crate) fn responders(&self) -> usize {
        self.groups.iter().flat_map(|group| &group.values).filter(|value| **value == 1.0).count()
    }

    /// The variance of all outcomes written down, whatever their group.
    pub(crate) fn variance_of_all(&self) -> f64 {
        let all = || self.groups.iter().flat_map(|group| &group.values);
        let n = all().count() as f64;
        let mean = all().sum::<f64>() / n;
        all().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (n - 1.0)
    }
}

#[inline]
fn measured(measure: Measure, value: f64, baseline: Option<f64>) -> Option<f64> {
    match measure {
        Measure::Value => Some(value),
        Measure::Change => Some(value - baseline?),
        Measure::RelativeChange => relative_change(value, baseline?),
        Measure::PercentChange => relative_change(value, baseline?).map(|relative| 100.0 * relative),
    }
}

impl Own {
    fn begin(&mut self, plan: &FastPlan<'_>) {
        self.held.clear();
        self.held.resize(plan.path.len(), None);
        self.values.clear();
        self.values.resize(plan.path.len() * plan.measured.len(), None);
        self.baselines.clear();
        self.baselines.resize(plan.measured.len(), None);
        self.truths.clear();
        self.truths.resize(plan.conditions, None);
        self.remembered.resize_with(plan.conditions, Remembered::default);
        (self.deviates, self.compliance) = (None, None);
        self.walked = false;
    }
}

/// A participant's values, drawn as they are asked for.
pub(super) struct Reading<'a, 'p> {
    pub(super) participant: &'a Participant<'p>,
    episodes: &'a [Episode],
    pub(super) path: &'a mut Path,
    own: &'a mut Own,
    ready: Option<(usize, Draws)>,
}

impl<'p> Reading<'_, 'p> {
    fn walk(&self) -> Walk<'p> {
        let Participant { plan, streams, someone, arm, start, .. } = *self.participant;
        Walk { plan, streams, someone, arm, start }
    }

    fn start(&mut self, withdrawal: Draws) {
        self.own.stops_on = self.walk().early_stop(withdrawal);
        if self.own.stops_on.is_some() || self.participant.plan.walks_all {
            self.go();
        }
    }

    /// Goes what matters of the way of somebody of whom hazards alone are asked.
    fn start_bare(&mut self) {
        self.walk().go_bare(self.path);
        self.own.walked = true;
    }

    /// The age that the demography form says once every correction is made.
    fn age(&self) -> f64 {
        let Participant { plan, streams, someone, body, .. } = *self.participant;
        let body =
            body.get_or_init(|| BodyEntered::of(plan.study, streams, &plan.process, someone, &plan.calendar));
        body.age_known(None) as f64
    }

    /// Goes the whole way, unless that was done.
    fn go(&mut self) {
        if !self.own.walked {
            self.walk().go(self.path, self.own.stops_on);
            self.own.walked = true;
        }
    }

    pub(super) fn held(&mut self, visit: usize) -> Option<Held> {
        if self.own.walked {
            return self.path.held[visit];
        }
        if let Some(known) = self.own.held[visit] {
            return known;
        }
        let planned = &self.participant.plan.path[visit];
        let held = match planned.when {
            When::AfterStart(_) | When::DaysAfterStart(_) => {
                let ready = self.ready.take_if(|(of, _)| *of == visit);
                self.walk().plain_visit(planned, ready.map(|(_, draws)| draws))
            }
            When::EarlyEnd => None,
            When::AfterLastDose(_) => {
                self.go();
                return self.path.held[visit];
            }
        };
        self.own.held[visit] = Some(held);
        held
    }

    fn scene(&self, parameter: usize) -> Scene<'_> {
        let stopped = if self.own.walked { self.path.stopped } else { None };
        let measured = &self.participant.plan.measured[parameter];
        Scene { participant: self.participant, measured, episodes: self.episodes, stopped }
    }

    /// The value of a parameter at a visit of the path.
    pub(super) fn value(&mut self, parameter: usize, visit: usize) -> Option<f64> {
        let plan = self.participant.plan;
        let place = parameter * plan.path.len() + visit;
        if let Some(known) = self.own.values[place] {
            return known;
        }
        let occasion = plan.path[visit].occasion;
        let filled = plan.measured[parameter].filled_at[occasion as usize];
        let held = if filled { self.held(visit) } else { None };
        let value = held.and_then(|held| self.scene(parameter).value(occasion, held));
        // A questionnaire that can't be scored has no value.
        let value = value.filter(|value| !value.is_nan());
        self.own.values[place] = Some(value);
        value
    }

    /// The value before the first dose: that of the start, or else of screening.
    pub(super) fn baseline(&mut self, parameter: usize) -> Option<f64> {
        if let Some(known) = self.own.baselines[parameter] {
            return known;
        }
        let Participant { plan, someone, start, skin_at_start, .. } = *self.participant;
        let [screening, started] = [&plan.gates[0], &plan.gates[1]].map(|gate| gate.occasion());
        let filled = |place: u64| plan.measured[parameter].filled_at[place as usize];
        let at = if filled(started) {
            Some((started, start, skin_at_start))
        } else {
            filled(screening).then_some((screening, someone.screened, None))
        };
        let value = at.map(|(occasion, day, skin)| self.scene(parameter).value_before(occasion, day, skin));
        let value = value.filter(|value| !value.is_nan());
        self.own.baselines[parameter] = Some(value);
        value
    }

    /// The last value after the first dose, up to the end of the visit's window.
    fn carried(&mut self, parameter: usize, visit: usize) -> Option<f64> {
        let plan = self.participant.plan;
        // Whoever was off the drug for long before its planned end comes to what counts from the last dose early.
        let from_last_dose = |visit: &PathVisit| {
            matches!(visit.when, When::AfterLastDose(_))
                && plan.measured[parameter].filled_at[visit.occasion as usize]
        };
        if plan.path.iter().any(from_last_dose) {
            self.go();
        }
        let due_by = if self.own.walked {
            self.path.due_by[visit]?
        } else {
            self.walk().target(plan.path[visit].when, None)? + plan.path[visit].within_days
        };
        let start = self.participant.start;
        let mut last: Option<(i32, f64)> = None;
        for other in 0..plan.path.len() {
            if !self.own.walked && matches!(plan.path[other].when, When::AfterLastDose(_)) {
                // Nothing is measured there.
                continue;
            }
            let Some(value) = self.value(parameter, other) else { continue };
            let Some(held) = self.held(other) else { continue };
            if held.day > start && held.day <= due_by && last.is_none_or(|(day, _)| day <= held.day) {
                last = Some((held.day, value));
            }
        }
        last.map(|(_, value)| value)
    }

    fn has_post_baseline(&mut self, parameter: usize) -> bool {
        let plan = self.participant.plan;
        // Visits that count from the start are the cheaper ones.
        let plain = |visit: &usize| !matches!(plan.path[*visit].when, When::AfterLastDose(_));
        let mut visits = (0..plan.path.len()).filter(|visit| plain(visit));
        if visits.any(|visit| self.value(parameter, visit).is_some()) {
            return true;
        }
        let mut visits = (0..plan.path.len()).filter(|visit| !plain(visit));
        visits.any(|visit| self.value(parameter, visit).is_some())
    }

    /// What a condition reads of numbers, in the order of what it reads.
    fn numbers(&mut self, whole: &Evaluated) -> Vec<Option<f64>> {
        whole.reads.iter().map(|(_, read)| self.number(*read)).collect()
    }

    fn number(&mut self, read: Read) -> Option<f64> {
        match read {
            Read::Value(parameter, occasion) => self.value_at_occasion(parameter, occasion),
            Read::Baseline(parameter) => self.baseline(parameter),
            Read::Other => None,
        }
    }

    /// The truth of a condition that is evaluated as it was written.
    fn evaluate(&mut self, whole: &Evaluated) -> Truth {
        if let Some(known) = self.own.truths[whole.place] {
            return known;
        }
        let truth = if whole.is_of_few_numbers() {
            // No number has the bits of a missing one.
            let mut numbers = [f64::NAN.to_bits(); REMEMBERED_NUMBERS];
            for (bits, (_, read)) in numbers.iter_mut().zip(&whole.reads) {
                *bits = self.number(*read).map_or(*bits, f64::to_bits);
            }
            match *self.own.remembered[whole.place].at(numbers) {
                Some((of, truth)) if of == numbers => truth,
                _ => {
                    let truth = self.evaluate_anew(whole);
                    *self.own.remembered[whole.place].at(numbers) = Some((numbers, truth));
                    truth
                }
            }
        } else {
            self.evaluate_anew(whole)
        };
        self.own.truths[whole.place] = Some(truth);
        truth
    }

    fn evaluate_anew(&mut self, whole: &Evaluated) -> Truth {
        let numbers = self.numbers(whole);
        whole.term.truth(&Whole::of(whole, &numbers, self))
    }

    /// Whether a deviation is major.
    fn deviates(&mut self) -> bool {
        if let Some(known) = self.own.deviates {
            return known;
        }
        let compliance = self.compliance();
        let deviates = self.participant.deviates(&self.walk(), self.path, compliance);
        self.own.deviates = Some(deviates);
        deviates
    }

    /// Doses taken against doses planned.
    fn compliance(&mut self) -> Option<Compliance> {
        if let Some(known) = self.own.compliance {
            return known;
        }
        let compliance = self.walk().compliance(self.path);
        self.own.compliance = Some(compliance);
        compliance
    }

    /// Whether an event of a kind was noted. Everybody's whole way was gone.
    fn had_event(&mut self, which: &Which) -> bool {
        let start = self.participant.start;
        self.path.noted.iter().any(|noted| which.holds(noted, start))
    }

    fn value_at_occasion(&mut self, parameter: usize, occasion: usize) -> Option<f64> {
        let plan = self.participant.plan;
        let visit = plan.path.iter().position(|visit| visit.occasion == occasion as u64)?;
        self.value(parameter, visit)
    }
}

impl Condition {
    fn each_mut(&mut self, change: &mut dyn FnMut(&mut Condition)) {
        match self {
            Condition::Not(inner) => inner.each_mut(change),
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter_mut().for_each(|part| part.each_mut(change));
            }
            own => change(own),
        }
    }

    fn has(&self, wanted: fn(&Condition) -> bool) -> bool {
        let mut has = false;
        self.each(&mut |one| has |= wanted(one));
        has
    }

    /// Looks at every part that has no parts.
    fn each(&self, look: &mut dyn FnMut(&Condition)) {
        match self {
            Condition::Not(inner) => inner.each(look),
            Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| part.each(look)),
            own => look(own),
        }
    }

    /// Adds the places in the schedule of the visits that it reads.
    fn occasions(&self, found: &mut Vec<usize>) {
        match self {
            Condition::Not(inner) => inner.occasions(found),
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().for_each(|part| part.occasions(found));
            }
            Condition::HasValue(_, occasion) => found.push(*occasion),
            Condition::Whole(whole) | Condition::MonthsIll(_, whole) => found.extend(&whole.occasions),
            Condition::Pairs(pairs) => found.extend(&pairs.later),
            _ => {}
        }
    }

    fn truth(&self, reading: &mut Reading<'_, '_>) -> Truth {
        match self {
            Condition::Always(truth) => *truth,
            Condition::Not(inner) => inner.truth(reading).negate(),
            Condition::All(parts) => {
                let mut all = Truth::True;
                for part in parts {
                    all = all.and(part.truth(reading));
                    if all == Truth::False {
                        break;
                    }
                }
                all
            }
            Condition::Any(parts) => {
                let mut any = Truth::False;
                for part in parts {
                    any = any.or(part.truth(reading));
                    if any == Truth::True {
                        break;
                    }
                }
                any
            }
            Condition::HasValue(parameter, occasion) => {
                reading.value_at_occasion(*parameter, *occasion).is_some().into()
            }
            Condition::HasPostBaseline(parameter) => reading.has_post_baseline(*parameter).into(),
            Condition::HasBaseline(parameter) => reading.baseline(*parameter).is_some().into(),
            Condition::Baseline(parameter, comparison, bound) => match reading.baseline(*parameter) {
                None => Truth::Unknown,
                Some(value) => compares(*comparison, &value, bound).into(),
            },
            Condition::DoseShare(comparison, bound) => {
                let share = reading.compliance().and_then(Compliance::percent);
                share.map_or(Truth::Unknown, |share| compares(*comparison, &share, bound).into())
            }
            Condition::NoMajorDeviation => (!reading.deviates()).into(),
            Condition::Stratum(truths) => {
                reading.participant.someone.stratum.map_or(Truth::Unknown, |place| truths[place])
            }
            Condition::Site(at) => {
                let Participant { plan, streams, someone, .. } = *reading.participant;
                (site_of(plan.study, streams, someone.number) == *at).into()
            }
            Condition::LungDisease { with, without } => {
                if reading.participant.someone.traits.ild {
                    *with
                } else {
                    *without
                }
            }
            Condition::Share { process, shares, truths } => {
                let Participant { streams, someone, .. } = *reading.participant;
                truths[streams.draws(someone.number, *process, 0).weighted(shares.iter().copied())]
            }
            Condition::Pairs(pairs) => pairs.truth(reading),
            Condition::Whole(whole) => reading.evaluate(whole),
            Condition::MonthsIll(truths, whole) => {
                let settled = settled_by_months(truths, reading.participant.someone.traits.onset_days());
                settled.unwrap_or_else(|| reading.evaluate(whole))
            }
        }
    }
}

/// Everything that a condition reads of a participant.
struct Whole<'a> {
    participant: &'a Participant<'a>,
    /// Drawn where answers of forms are read.
    person: Option<Person>,
    read: Vec<(Input, Option<Answer>)>,
}

impl<'a> Whole<'a> {
    /// `numbers` are those that it reads, in order.
    fn of(whole: &Evaluated, numbers: &[Option<f64>], reading: &Reading<'a, '_>) -> Self {
        let Participant { plan, streams, someone, .. } = *reading.participant;
        let draw = || Person::draw(plan.study, streams, someone.number, plan.calendar.date(someone.screened));
        let number = |value: Option<f64>| {
            value
                .and_then(|value| format!("{value}").parse().ok())
                .map(|value| Answer::Given(Value::Decimal(value)))
        };
        let reads = whole.reads.iter().zip(numbers);
        let read = reads.map(|((input, _), value)| (input.clone(), number(*value))).collect();
        Self { participant: reading.participant, person: whole.reads_items.then(draw), read }
    }

    fn read(&self, wanted: &Input) -> Option<Answer> {
        self.read.iter().find(|(input, _)| input == wanted).and_then(|(_, answer)| answer.clone())
    }
}

impl Scope for Whole<'_> {
    fn item(&self, reference: &ItemRef) -> Option<Answer> {
        let Participant { plan, streams, someone, .. } = *self.participant;
        let form = plan.study.form(reference.form.as_str())?;
        let item = form.item(reference.item.as_str())?;
        if item.shown_if.as_ref().is_some_and(|shown| shown.truth(self) != Truth::True) {
            return None;
        }
        let day = plan.calendar.date(someone.screened);
        let body = Body {
            day,
            occasion: 0,
            days_since_screening: 0,
            months: 0.0,
            skin: 0.0,
            reactions: Vec::new(),
            new_assessor: false,
        };
        answers::answer(plan.study, streams, self.person.as_ref()?, form, item, &body)
    }

    fn variable(&self, name: &str) -> Option<Answer> {
        let Participant { plan, someone, start, .. } = *self.participant;
        let date = |day: i32| Some(Answer::Given(Value::Date(plan.calendar.date(day).into())));
        match name {
            "enrolled" | "treated" => Some(Answer::Given(Value::Boolean(true))),
            "screening_date" => date(someone.screened),
            "first_dose_date" | "enrolment_date" => date(start),
            _ => self.read(&Input::Variable(name.to_owned())),
        }
    }

    fn limit(&self, _reference: &ItemRef, _upper: bool) -> Option<Answer> {
        None
    }

    fn today(&self) -> Option<Date> {
        None
    }

    fn parameter(&self, parameter: &ParameterId, visit: &VisitId) -> Option<Answer> {
        self.read(&Input::Parameter(parameter.clone(), visit.clone()))
    }
}

/// One item's answer and nothing else.
struct One<'a> {
    reference: &'a ItemRef,
    answer: Option<Answer>,
}

impl Scope for One<'_> {
    fn item(&self, reference: &ItemRef) -> Option<Answer> {
        self.answer.clone().filter(|_| reference == self.reference)
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
