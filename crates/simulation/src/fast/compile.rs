//! From a study and the analyses that are asked for to what has to be drawn.

use allocation::PermutedBlocks;
use analysis::kernel::stopping_limits;
use protocol::{
    expression::{Input, Term},
    model::{
        Analysis, Anchor, DesignKind, Measure, Method, MissingRule, Study, Subject, Timing, VirtualCohort,
    },
};
use record::EndReason;
use terms::{AnalysisId, Decimal, ParameterId, VisitId};

use super::{
    NotFast, Processes,
    adherence::Adherence,
    analysed::Analysed,
    calendar::Calendar,
    design::Design,
    entry::Gate,
    events::{EventProcesses, Grades, Which},
    measured::Measured,
    path::{PathVisit, When, levels},
    screening::ScreeningPlan,
};
use crate::{
    allocation_list, course,
    events::BACKGROUND_MONTHS_MAX,
    person::{has_drug_reactions, share_of_reaction},
    scenario::SCREENED_FOR_EACH,
};

/// A study compiled for many trials.
pub struct FastPlan<'a> {
    pub(crate) study: &'a Study,
    pub(crate) process: Processes,
    pub(crate) calendar: Calendar,
    pub(crate) levels: Vec<(Decimal, f64)>,
    pub(crate) arms: Vec<FastArm>,
    pub(crate) blocks: Option<PermutedBlocks>,
    /// By place in the list's scheme: the arm's place in the study.
    pub(crate) allocated_arms: Vec<usize>,
    pub(crate) target: u64,
    /// Positions of a stratum's list: as many as are likely to be needed, and as many as there are.
    pub(crate) positions: Vec<[u32; 2]>,
    pub(crate) screening: VisitId,
    pub(crate) start: VisitId,
    pub(crate) gates: [Gate; 2],
    pub(crate) screening_plan: ScreeningPlan,
    /// Visits that matter.
    pub(crate) path: Vec<PathVisit>,
    /// The visit among them whose day and fate are drawn of nearly everybody.
    pub(crate) foremost: Option<usize>,
    pub(crate) measured: Vec<Measured>,
    /// Reactions that show in what is measured.
    pub(crate) reactions: Vec<usize>,
    /// Whether the drug changes the skin in this scenario, and something asked for feels it.
    pub(crate) effect_matters: bool,
    /// Whether everybody's whole way has to be gone: the drug's effect hangs on the doses taken, a visit that is
    /// analysed hangs on the last dose, or events are read.
    pub(crate) walks_all: bool,
    /// Whether dose changes can matter.
    pub(crate) doses_matter: bool,
    /// Whether the order of participants matters to a sum.
    pub(crate) order_matters: bool,
    /// By place of a site: its place in the order of ids.
    pub(crate) site_orders: Vec<u64>,
    pub(crate) analyses: Vec<Analysed>,
    /// How many different conditions are evaluated as they were written.
    pub(crate) conditions: usize,
    /// Whether adverse events are read.
    pub(crate) events_matter: bool,
    /// Whether events of hazards are drawn: they are read, or somebody may die of one.
    pub(crate) hazards_matter: bool,
    pub(crate) events: EventProcesses,
    pub(crate) grades: Grades,
    /// What sets ask of how participants kept to the protocol.
    pub(crate) adherence: Option<Adherence>,
    /// What matters of a participant's way, where hazards and ends of participation alone are asked.
    pub(crate) bare: Option<Bare>,
    /// Which events a design watches.
    pub(crate) watched: Option<Which>,
    pub(crate) design: Option<Design>,
    pub(crate) screened_max: u64,
}

/// An arm as nature knows it.
#[derive(Clone, Debug)]
pub(crate) struct FastArm {
    pub(crate) active: bool,
    pub(crate) withdrawal_share: f64,
    pub(crate) withdrawal_per_skin_point: f64,
    /// Whether it has the drug's reactions, rather than a control's.
    pub(crate) has_drug_reactions: bool,
    /// Reasons for stopping early, and their weights.
    pub(crate) withdrawal_reasons: Vec<(EndReason, f64)>,
    pub(crate) reaction_shares: Vec<f64>,
    /// By hazard, the ratio to its rates.
    pub(crate) hazard_ratios: Vec<f64>,
}

/// The end of a way of which only events of hazards and the end of participation are asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bare {
    /// The visit that closes the study, on the path.
    pub(crate) closing: usize,
}

impl Bare {
    /// Returns it, if the visit that closes the study hangs on the start alone and nobody stops the drug early after
    /// a visit that may have ended treatment.
    fn of(study: &Study, path: &[PathVisit]) -> Option<Self> {
        // An early stop lies at least so many days before the planned end of treatment.
        const STOP_BEFORE_END_DAYS: i32 = 14;
        let from_start = |visit: &PathVisit| matches!(visit.when, When::AfterStart(_));
        let mut closings = (0..path.len()).filter(|visit| path[*visit].closes_study);
        let closing = closings.next().filter(|closing| from_start(&path[*closing]))?;
        let ends_in_time = |visit: &PathVisit| {
            matches!(visit.when, When::AfterStart(months) if months >= study.dosing.planned_months)
                && visit.within_days <= STOP_BEFORE_END_DAYS
        };
        let ends = path.iter().filter(|visit| visit.closes_treatment || visit.closes_study);
        (closings.next().is_none() && ends.into_iter().all(ends_in_time)).then_some(Self { closing })
    }
}

/// What a study is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// Analyses under the design in force.
    Trials,
    /// Analyses at the trial's end, whatever the design.
    EndAlone,
    /// What becomes of the participants.
    Course,
}

impl<'a> FastPlan<'a> {
    /// Compiles a study for some of its plan's analyses.
    ///
    /// # Errors
    /// What an analysis needs and the fast path has no model of.
    pub fn compile(study: &'a Study, analyses: &[AnalysisId]) -> Result<Self, NotFast> {
        Self::compile_for(study, analyses, Purpose::Trials)
    }

    /// Compiles a study for some of its plan's analyses as if no design were in force.
    ///
    /// # Errors
    /// What an analysis needs and the fast path has no model of.
    pub fn compile_at_the_end(study: &'a Study, analyses: &[AnalysisId]) -> Result<Self, NotFast> {
        Self::compile_for(study, analyses, Purpose::EndAlone)
    }

    /// Compiles a study for what becomes of its participants: early stops and adverse events.
    ///
    /// # Errors
    /// What the way through the trial needs and the fast path has no model of.
    pub(crate) fn compile_course(study: &'a Study) -> Result<Self, NotFast> {
        Self::compile_for(study, &[], Purpose::Course)
    }

    fn compile_for(study: &'a Study, analyses: &[AnalysisId], purpose: Purpose) -> Result<Self, NotFast> {
        let asked: Vec<&Analysis> =
            study.plan.analyses.iter().filter(|one| analyses.contains(&one.id)).collect();
        let first = asked.first().map_or_else(|| AnalysisId::from("none"), |one| one.id.clone());
        let refuse = |reason: String| NotFast { analysis: first.clone(), reason };
        let (screening, start) = way_in(study).map_err(refuse)?;
        let mut measured = Vec::new();
        let mut analysed = Vec::new();
        for analysis in &asked {
            let refuse = |reason| NotFast { analysis: analysis.id.clone(), reason };
            let one = Analysed::compile(study, analysis, &mut |id: &ParameterId| {
                if let Some(place) = measured.iter().position(|known: &Measured| known.id == *id) {
                    return Ok(place);
                }
                measured.push(Measured::of(study, id)?);
                Ok(measured.len() - 1)
            });
            analysed.push(one.map_err(refuse)?);
        }
        let rests_on_conduct = analysed.iter().any(Analysed::rests_on_conduct);
        let mut more: Vec<usize> = analysed.iter().flat_map(Analysed::compared_slides).collect();
        if rests_on_conduct {
            more.extend(Adherence::visits(study));
        }
        let path = path_of(study, &measured, &more).map_err(refuse)?;
        let adherence = rests_on_conduct.then(|| Adherence::compile(study, &path, &measured));
        let adherence = adherence.transpose().map_err(refuse)?;
        let mut conditions = Vec::new();
        for one in &mut analysed {
            one.place_visits(&path);
            one.place_conditions(&mut conditions);
        }
        let (design, watched) = match purpose {
            Purpose::Trials => design_of(study, &analysed, &path)?,
            Purpose::EndAlone | Purpose::Course => (None, None),
        };
        let planned = study.virtual_cohort.cohort.enrol.unwrap_or(study.target);
        let target = design.as_ref().map_or(planned as usize, |design| design.most) as u64;
        let hangs_on_last_dose =
            |visit: usize| matches!(path[visit].when, When::AfterLastDose(_) | When::EarlyEnd);
        let last_dose_analysed = analysed.iter().flat_map(|one| one.visits(&path)).any(hangs_on_last_dose);
        let events_matter =
            purpose == Purpose::Course || watched.is_some() || analysed.iter().any(Analysed::reads_events);
        let fatal = study.virtual_cohort.hazards.iter().any(|hazard| hazard.fatal);
        let gate = |visit| {
            Gate::compile(study, visit).map_err(|fault| {
                refuse(format!("eligibility rule {} reads {}, which is not modelled", fault.rule, fault.item))
            })
        };
        let gates = [gate(&screening)?, gate(&start)?];
        let virtuals = &study.virtual_cohort;
        let on_hazards_alone = purpose != Purpose::Course
            && design.is_none()
            && !analysed.is_empty()
            && measured.is_empty()
            && analysed.iter().all(|one| one.is_of_hazards_alone(study));
        let bare = on_hazards_alone.then(|| Bare::of(study, &path)).flatten();
        let bare_people = bare.is_some()
            && virtuals.skin.is_none()
            && gates.iter().all(|gate| gate.open_rules() == 0)
            && !analysed.iter().any(Analysed::reads_disease);
        let effect_matters = has_effect(virtuals) && measured.iter().any(|one| one.feels_effect(study));
        let last_dose_asked = path
            .iter()
            .any(|visit| visit.when == When::EarlyEnd || matches!(visit.when, When::AfterLastDose(_)));
        let mut reactions: Vec<usize> = measured.iter().flat_map(Measured::reactions).collect();
        reactions.sort_unstable();
        reactions.dedup();
        let months = path.iter().filter_map(|visit| match visit.when {
            When::AfterStart(months) | When::AfterLastDose(months) => Some(months),
            _ => None,
        });
        let opens = virtuals.cohort.opens.unwrap_or(crate::rehearsal::OPENS);
        let months = months.chain(design.iter().flat_map(Design::calendar_months));
        let months = months.chain(events_matter.then_some(BACKGROUND_MONTHS_MAX));
        let months = months.chain(analysed.iter().filter_map(Analysed::cut_off_months));
        Ok(Self {
            process: Processes::named(),
            calendar: Calendar::new(opens, months.chain([study.dosing.planned_months])),
            screened_max: u64::from(virtuals.cohort.screened_max).max(if target > u64::from(planned) {
                target * u64::from(SCREENED_FOR_EACH)
            } else {
                0
            }),
            events_matter,
            events: EventProcesses::named(),
            grades: if events_matter { Grades::of(study) } else { Grades::default() },
            watched,
            design,
            adherence,
            bare,
            levels: levels(study),
            arms: study.arms.iter().map(|arm| arm_of(study, arm)).collect(),
            blocks: study
                .allocation
                .as_ref()
                .map(allocation_list::scheme)
                .transpose()
                .map_err(|fault| refuse(fault.to_string()))?,
            allocated_arms: study
                .allocation
                .iter()
                .flat_map(|plan| &plan.ratio)
                .filter_map(|(id, _)| study.arms.iter().position(|arm| arm.id == *id))
                .collect(),
            target,
            positions: positions(study, target as u32),
            screening,
            start,
            screening_plan: ScreeningPlan::of(study, &gates, bare_people),
            gates,
            foremost: analysed.first().and_then(|one| one.visits(&path).first().copied()),
            effect_matters,
            hazards_matter: events_matter || fatal,
            walks_all: effect_matters || events_matter || last_dose_analysed || fatal || rests_on_conduct,
            doses_matter: effect_matters || last_dose_asked || events_matter || rests_on_conduct,
            order_matters: analysed.iter().any(Analysed::sums_in_order),
            site_orders: site_orders(study),
            path,
            measured,
            reactions,
            analyses: analysed,
            conditions: conditions.len(),
            study,
        })
    }

    /// The place of the analysis that the design in force decides by.
    pub fn decides(&self) -> Option<usize> {
        self.design.as_ref().map(Design::place)
    }

    /// How many rules of entry are left to be decided at screening and at the start.
    pub fn open_rules(&self) -> [usize; 2] {
        [self.gates[0].open_rules(), self.gates[1].open_rules()]
    }

    /// The analyses, in order.
    pub fn analyses(&self) -> impl Iterator<Item = &AnalysisId> {
        self.analyses.iter().map(|one| &one.id)
    }

    /// Returns the analyses of a plan that the fast path can simulate, and why it can't the others.
    pub fn sort_out(study: &Study, analyses: &[AnalysisId]) -> (Vec<AnalysisId>, Vec<NotFast>) {
        let (mut fast, mut not_fast) = (Vec::new(), Vec::new());
        for id in analyses {
            match FastPlan::compile_at_the_end(study, std::slice::from_ref(id)) {
                Ok(_) => fast.push(id.clone()),
                Err(fault) => not_fast.push(fault),
            }
        }
        (fast, not_fast)
    }
}

fn site_orders(study: &Study) -> Vec<u64> {
    let before = |id: &str| study.sites.iter().filter(|site| site.id.as_str() < id).count() as u64;
    study.sites.iter().map(|site| before(site.id.as_str())).collect()
}

/// Likely and possible lengths of each stratum's list.
fn positions(study: &Study, target: u32) -> Vec<[u32; 2]> {
    const MORE_THAN_EXPECTED: f64 = 4.0;
    let most = allocation_list::length(study).max(target + allocation_list::SPARE_POSITIONS);
    let strata = study.allocation.as_ref().map_or(1, |plan| plan.strata.len().max(1));
    let shares = &study.virtual_cohort.cohort.strata;
    let share = |place: usize| shares.get(place).map_or(1.0, |(_, share)| *share);
    let likely = |place: usize| libm::ceil(share(place) * f64::from(target) + MORE_THAN_EXPECTED) as u32;
    (0..strata).map(|place| [likely(place).min(most), most]).collect()
}

/// The design in force, with the events that it watches.
fn design_of(
    study: &Study,
    analysed: &[Analysed],
    path: &[PathVisit],
) -> Result<(Option<Design>, Option<Which>), NotFast> {
    let virtuals = &study.virtual_cohort;
    let in_force = virtuals.design.as_ref();
    let named = in_force.and_then(|name| virtuals.designs.iter().find(|design| design.name == *name));
    let Some(design) = named else { return Ok((None, None)) };
    let refuse = |reason: String| NotFast { analysis: design.analysis.clone(), reason };
    let place = analysed
        .iter()
        .position(|one| one.id == design.analysis)
        .ok_or_else(|| refuse(format!("design {} decides by it; ask for it too", design.name)))?;
    // Of several visits that an outcome is made of, the last in the schedule.
    let visit = analysed[place].visits(path).into_iter().max().map(|visit| &path[visit]);
    let visit = visit.ok_or_else(|| refuse("no visit of the schedule is analysed".to_owned()))?;
    let mut watched = None;
    let mut limits = None;
    if let DesignKind::Watched { stopping } = &design.kind {
        let analysis = study.plan.analyses.iter().find(|analysis| analysis.id == *stopping);
        let (Some(Method::StoppingBoundary(options)), Some(Subject::AdverseEvents { filter })) =
            (analysis.map(|one| &one.method), analysis.map(|one| &one.subject))
        else {
            return Err(refuse(format!("{stopping} is no stopping boundary over adverse events")));
        };
        watched = Some(Which::compile(study, filter.as_ref()).map_err(refuse)?);
        let boundary = stopping_limits(options).map_err(|fault| refuse(fault.to_string()))?;
        limits = Some(boundary.stop_if_events_at_least);
    }
    let compiled = Design::compile(study, design, place, visit, limits).map_err(refuse)?;
    Ok((Some(compiled), watched))
}

fn has_effect(virtuals: &VirtualCohort) -> bool {
    virtuals.effects.iter().any(|effect| effect.name == virtuals.effect && effect.points != 0.0)
}

/// The visit of screening and the visit of the start, between which there is no other.
fn way_in(study: &Study) -> Result<(VisitId, VisitId), String> {
    let screening = study.visits.iter().find(|visit| matches!(visit.timing, Timing::Before { .. }));
    let start = study.visits.iter().find(|visit| matches!(visit.timing, Timing::On { .. }));
    let (Some(screening), Some(start)) = (screening, start) else {
        return Err("the schedule has no screening or no start".to_owned());
    };
    for rule in &study.eligibility {
        if let Some(other) = rule.at.iter().find(|visit| **visit != screening.id && **visit != start.id) {
            return Err(format!("eligibility rule {} is decided at {other}", rule.id));
        }
    }
    Ok((screening.id.clone(), start.id.clone()))
}

/// The visits at which something asked for is measured, those that end treatment or the trial, and those of `more`.
fn path_of(study: &Study, measured: &[Measured], more: &[usize]) -> Result<Vec<PathVisit>, String> {
    let mut path = Vec::new();
    for (place, visit) in study.visits.iter().enumerate() {
        let on_the_way_in =
            matches!(visit.timing, Timing::Before { .. } | Timing::On { .. } | Timing::Unscheduled);
        let asked = measured.iter().any(|one| one.filled_at[place]);
        let ends = visit.closes_treatment || visit.closes_study;
        let hangs_on_last_dose =
            matches!(visit.timing, Timing::Months { anchor: Anchor::LastDose, .. } | Timing::EarlyEnd { .. });
        if !on_the_way_in && (asked || more.contains(&place) || ends || (hangs_on_last_dose && asked)) {
            path.push(PathVisit::of(study, place)?);
        }
    }
    Ok(path)
}

fn arm_of(study: &Study, arm: &protocol::model::Arm) -> FastArm {
    let virtuals = &study.virtual_cohort;
    let process = virtuals.withdrawal.iter().find(|process| process.arm == arm.id);
    let reasons = process.map_or(&[][..], |process| process.reasons.as_slice());
    FastArm {
        active: !arm.control,
        withdrawal_share: process.map_or(0.0, |process| process.share),
        withdrawal_per_skin_point: process.map_or(0.0, |process| process.per_skin_point),
        has_drug_reactions: has_drug_reactions(study, &arm.id),
        withdrawal_reasons: reasons
            .iter()
            .map(|(reason, weight)| (course::end_reason(reason), *weight))
            .collect(),
        hazard_ratios: virtuals.hazards.iter().map(|hazard| course::hazard_ratio(hazard, &arm.id)).collect(),
        reaction_shares: virtuals
            .reactions
            .iter()
            .map(|reaction| share_of_reaction(study, reaction, &arm.id))
            .collect(),
    }
}

/// Says whether a condition can only hold for those who entered: it asks for `enrolled` or `treated`.
pub(crate) fn is_of_entered(term: &Term) -> bool {
    match term {
        Term::Input(Input::Variable(name)) => name == "enrolled" || name == "treated",
        Term::And(a, b, _) => is_of_entered(a) || is_of_entered(b),
        _ => false,
    }
}

/// What an analysis of a parameter asks for.
pub(crate) fn parameter_of(
    analysis: &Analysis,
) -> Result<(&ParameterId, &VisitId, Measure, MissingRule), String> {
    match &analysis.subject {
        Subject::Parameter { parameter, visit, measure, missing } => {
            Ok((parameter, visit, *measure, *missing))
        }
        Subject::Variable { .. } => Err("it is of a variable".to_owned()),
        Subject::AdverseEvents { .. } => Err("it is of adverse events".to_owned()),
        Subject::TimeToEvent { .. } => Err("it is of a time to an event".to_owned()),
        Subject::Deviations => Err("it is of deviations".to_owned()),
        Subject::Readings(_) => Err("it is of readings of slides".to_owned()),
        Subject::Records(_) => Err("it is of a data set from elsewhere".to_owned()),
    }
}
