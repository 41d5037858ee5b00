//! Designs that look at a trial before its end: group sequential boundaries, Simon's two stages, a size that
//! is reckoned anew, a safety event that is watched.
//!
//! A look takes the participants who started first, in the order of their starts. It is held when the last of
//! them is through the window of the analysed visit. By then others have started: they belong to the size of a
//! trial that stops there, and are not in what decided.

use protocol::model::{DesignBoundary, DesignKind, Study, TrialDesign};
use statistics::{
    distribution::normal_quantile_upper,
    planning::{BoundaryShape, Sides, group_sequential_design},
};

use super::{
    FastPlan,
    path::{PathVisit, When},
    trial::{Tested, Workspace},
};

/// The most looks of a design.
pub const LOOKS_MAX: usize = 10;

/// What a trial came to under its design.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ended {
    /// What was decided.
    pub decision: Decision,
    /// At which look, from 0.
    pub look: usize,
    /// Participants who had started by then.
    pub size: u32,
    /// Days from the study's opening to the decision.
    pub days: u32,
}

/// What a trial decides about the drug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The null hypothesis is rejected in the drug's favour, or enough responders were seen.
    InFavour,
    /// It is rejected against the drug.
    Against,
    /// The trial stopped before its end without hope of a result.
    Futile,
    /// The trial stopped for safety.
    Unsafe,
    /// The trial reached its end and showed nothing.
    Open,
}

/// A design, compiled.
#[derive(Clone, Debug)]
pub(crate) struct Design {
    /// The place of the analysis that decides.
    place: usize,
    /// What the analysed visit counts from, and its window.
    when: When,
    within_days: i32,
    planned_months: i32,
    /// Participants as planned, and at most.
    planned: usize,
    pub(crate) most: usize,
    rule: Rule,
}

#[derive(Clone, Debug)]
enum Rule {
    Looks(Vec<Look>),
    TwoStages {
        first: usize,
        first_at_most: usize,
        at_most: usize,
    },
    /// Participants for each unit of variance: 1 (4 in two arms together) times (z_{1-α/2} + z_power)² / δ².
    Resized {
        review_at: usize,
        per_variance: f64,
        alpha: f64,
    },
    /// Events that stop the trial, by participants who began treatment less one.
    Watched(Vec<u64>),
}

#[derive(Clone, Copy, Debug)]
struct Look {
    participants: usize,
    /// The two-sided p-value up to which the null hypothesis is rejected.
    level: f64,
    /// The one-sided p-value in favour above which the trial stops.
    futile_above: f64,
}

/// A participant on the trial's own clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entrant {
    /// The place in the order of starts.
    pub(crate) entry: u32,
    start: i32,
    /// The day by which the analysed visit is over.
    through: i32,
    /// The day of the first event that is watched.
    event: Option<i32>,
}

impl Design {
    /// Compiles the design in force; `place` and `visit` are those of its analysis.
    pub(crate) fn compile(
        study: &Study,
        design: &TrialDesign,
        place: usize,
        visit: &PathVisit,
        watched: Option<Vec<u64>>,
    ) -> Result<Self, String> {
        let planned = study.virtual_cohort.cohort.enrol.unwrap_or(study.target);
        let mut most = planned;
        let participants = |share: f64| libm::round(share * f64::from(planned)).max(1.0) as usize;
        let rule = match &design.kind {
            DesignKind::Looks { looks, boundary, alpha, futility } => {
                if looks.len() > LOOKS_MAX {
                    return Err(format!("design {} has more than {LOOKS_MAX} looks", design.name));
                }
                let shape = match boundary {
                    DesignBoundary::OBrienFleming => BoundaryShape::OBrienFleming,
                    DesignBoundary::Pocock => BoundaryShape::Pocock,
                    DesignBoundary::SpendingOBrienFleming => BoundaryShape::SpendingOBrienFleming,
                    DesignBoundary::SpendingPocock => BoundaryShape::SpendingPocock,
                };
                let boundaries = group_sequential_design(shape, looks, *alpha, Sides::Two)
                    .map_err(|fault| format!("the boundary of design {}: {fault}", design.name))?;
                let levels = boundaries.stage_levels();
                let futile = |look: usize| futility.get(look).copied().unwrap_or(1.0);
                let look = |(at, share): (usize, &f64)| Look {
                    participants: participants(*share),
                    level: 2.0 * levels[at],
                    futile_above: futile(at),
                };
                Rule::Looks(looks.iter().enumerate().map(look).collect())
            }
            DesignKind::TwoStages { first, first_at_most, at_most } => Rule::TwoStages {
                first: *first as usize,
                first_at_most: *first_at_most as usize,
                at_most: *at_most as usize,
            },
            DesignKind::Resized { review_at, difference, power, alpha, most: limit } => {
                most = planned.max(*limit);
                let z = normal_quantile_upper(alpha / 2.0) + normal_quantile_upper(1.0 - power);
                let arms = if study.arms.len() == 2 { 4.0 } else { 1.0 };
                let per_variance = arms * (z / difference) * (z / difference);
                if !per_variance.is_finite() {
                    return Err(format!("design {} has no size for its difference and power", design.name));
                }
                Rule::Resized { review_at: participants(*review_at), per_variance, alpha: *alpha }
            }
            DesignKind::Watched { .. } => Rule::Watched(watched.unwrap_or_default()),
        };
        Ok(Self {
            place,
            when: visit.when,
            within_days: visit.within_days,
            planned_months: study.dosing.planned_months,
            planned: planned as usize,
            most: most as usize,
            rule,
        })
    }

    /// Months after the start by which the analysed visit is due, as planned.
    fn months(&self) -> i32 {
        match self.when {
            When::AfterStart(months) => months,
            When::DaysAfterStart(_) => 0,
            When::AfterLastDose(months) => self.planned_months + months,
            When::EarlyEnd => self.planned_months,
        }
    }

    /// Months that the calendar has to know.
    pub(crate) fn calendar_months(&self) -> [i32; 2] {
        [self.months(), self.planned_months]
    }

    /// Puts a participant on the trial's clock.
    pub(crate) fn entrant(&self, plan: &FastPlan<'_>, entry: u32, start: i32, event: Option<i32>) -> Entrant {
        let days = if let When::DaysAfterStart(days) = self.when { days } else { 0 };
        let through = plan.calendar.add_months(start, self.months()) + days + self.within_days;
        Entrant { entry, start, through, event }
    }

    /// Runs the design over a trial whose participants are all in; says what was decided, and the result that
    /// decided it. The place of that result among the others is [`place`](Self::place).
    pub(crate) fn run(&self, plan: &FastPlan<'_>, space: &mut Workspace) -> (Ended, Tested) {
        let all = space.entrants.len();
        match &self.rule {
            Rule::Looks(looks) => self.looks(plan, space, looks),
            Rule::TwoStages { first, first_at_most, at_most } => {
                let stage = (*first).min(all);
                let tested = self.test(plan, space, stage);
                if stage < all && space.columns.responders() <= *first_at_most {
                    return (self.ended(space, Decision::Futile, 0, stage), tested);
                }
                let tested = self.test(plan, space, all);
                let enough = space.columns.responders() > *at_most;
                let decision = if enough { Decision::InFavour } else { Decision::Open };
                (self.ended(space, decision, 1, all), tested)
            }
            Rule::Resized { review_at, per_variance, alpha } => {
                self.test(plan, space, (*review_at).min(all));
                let wanted = libm::ceil(per_variance * space.columns.variance_of_all()) as usize;
                let size = wanted.clamp(self.planned, self.most).min(all);
                let tested = self.test(plan, space, size);
                let favours = plan.analyses[self.place].favours(tested);
                (self.ended(space, judged(tested, favours, *alpha), 1, size), tested)
            }
            Rule::Watched(limits) => self.watched(plan, space, limits),
        }
    }

    /// The place of the analysis that decides.
    pub(crate) fn place(&self) -> usize {
        self.place
    }

    fn looks(&self, plan: &FastPlan<'_>, space: &mut Workspace, looks: &[Look]) -> (Ended, Tested) {
        let all = space.entrants.len();
        let mut last = (self.ended(space, Decision::Open, 0, 0), Tested { outcome: None, analysed: 0 });
        for (place, look) in looks.iter().enumerate() {
            let final_look = place + 1 == looks.len();
            // A trial that ran out of people before a look goes straight to its end.
            if !final_look && look.participants >= all {
                continue;
            }
            let taken = if final_look { all } else { look.participants };
            let tested = self.test(plan, space, taken);
            let favours = plan.analyses[self.place].favours(tested);
            let mut decision = judged(tested, favours, look.level);
            let one_sided = tested.outcome.map(|one| if favours { one.p / 2.0 } else { 1.0 - one.p / 2.0 });
            if decision == Decision::Open && !final_look && one_sided.is_some_and(|p| p > look.futile_above) {
                decision = Decision::Futile;
            }
            last = (self.ended(space, decision, place, taken), tested);
            if decision != Decision::Open {
                break;
            }
        }
        last
    }

    fn watched(&self, plan: &FastPlan<'_>, space: &mut Workspace, limits: &[u64]) -> (Ended, Tested) {
        let all = space.entrants.len();
        let mut days = std::mem::take(&mut space.event_days);
        days.clear();
        days.extend(space.entrants.iter().filter_map(|one| one.event));
        days.sort_unstable();
        let stopped = days.iter().enumerate().find_map(|(before, day)| {
            let started = space.entrants.iter().filter(|one| one.start <= *day).count();
            let limit = limits.get(started.checked_sub(1)?)?;
            (before as u64 + 1 >= *limit).then_some((*day, started))
        });
        space.event_days = days;
        if let Some((day, started)) = stopped {
            let through = space.entrants.iter().take_while(|one| one.through <= day).count();
            let tested = self.test(plan, space, through);
            let (size, days) = (started as u32, day as u32);
            return (Ended { decision: Decision::Unsafe, look: 0, size, days }, tested);
        }
        let tested = self.test(plan, space, all);
        let favours = plan.analyses[self.place].favours(tested);
        (self.ended(space, judged(tested, favours, WATCHED_ALPHA), 0, all), tested)
    }

    fn test(&self, plan: &FastPlan<'_>, space: &mut Workspace, participants: usize) -> Tested {
        plan.analyses[self.place].test(self.place, &mut space.columns, &mut space.kernel, participants)
    }

    /// The size and the day of a trial that ends after a look at so many participants.
    fn ended(&self, space: &Workspace, decision: Decision, look: usize, participants: usize) -> Ended {
        let taken = &space.entrants[..participants];
        let day = taken.iter().map(|one| one.through).max().unwrap_or(0);
        let started = space.entrants.iter().take(self.planned.max(participants));
        let size = started.filter(|one| one.start <= day).count();
        Ended { decision, look, size: size as u32, days: u32::try_from(day).unwrap_or(0) }
    }
}

/// The level at which a trial that is only watched tests at its end.
const WATCHED_ALPHA: f64 = 0.05;

fn judged(tested: Tested, favours: bool, level: f64) -> Decision {
    match tested.outcome {
        Some(outcome) if outcome.p <= level && favours => Decision::InFavour,
        Some(outcome) if outcome.p <= level => Decision::Against,
        _ => Decision::Open,
    }
}
