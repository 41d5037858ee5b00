//! One trial: who comes, who enters, who is given what.

use allocation::{ListSeed, Unblinded};
use analysis::kernel::{Kernel, Outcome};

use super::{
    FastPlan,
    analysed::Columns,
    entry::Entry,
    measured::{SkinSeen, come, episodes_that_matter},
    path::Path,
    someone::{Someone, site_of},
};
use crate::{
    allocation_list,
    course::{months, wait_for_next, wait_for_start},
    person::Episode,
    streams::Streams,
};

/// What an analysis of one trial came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tested {
    /// Estimate, interval and p-value; none where the method had nothing to work on.
    pub outcome: Option<Outcome>,
    /// Participants with an outcome.
    pub analysed: u32,
}

/// Who came and who entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct People {
    /// People screened.
    pub screened: u64,
    /// Participants who entered.
    pub entered: u64,
    /// Days from the study's opening to the last start.
    pub recruitment_days: u64,
}

/// Somebody in the trial.
#[derive(Clone, Copy)]
pub(crate) struct Participant<'a> {
    pub(crate) plan: &'a FastPlan<'a>,
    pub(crate) streams: &'a Streams,
    pub(crate) someone: &'a Someone,
    pub(crate) arm: usize,
    /// The day of the first dose.
    pub(crate) start: i32,
    pub(crate) female: bool,
}

/// Memory that one trial after another uses again.
#[derive(Default)]
pub struct Workspace {
    awaited: Vec<Awaited>,
    lists: Vec<Vec<Unblinded<usize>>>,
    given: Vec<usize>,
    episodes: Vec<Episode>,
    path: Path,
    pub(crate) columns: Columns,
    pub(crate) kernel: Kernel,
    results: Vec<Tested>,
    entered: u64,
    screened: u64,
    last_day: i32,
}

struct Awaited {
    day: i32,
    someone: Someone,
}

impl FastPlan<'_> {
    /// Runs one trial and its analyses. The results stand in the order of [`analyses`](Self::analyses).
    pub fn run<'w>(&self, streams: &Streams, space: &'w mut Workspace) -> &'w [Tested] {
        self.collect(streams, space);
        space.results.clear();
        for (place, analysis) in self.analyses.iter().enumerate() {
            let tested = analysis.test(place, &mut space.columns, &mut space.kernel);
            space.results.push(tested);
        }
        &space.results
    }

    /// Runs one trial without its analyses: the outcomes stand in the columns.
    pub(crate) fn collect(&self, streams: &Streams, space: &mut Workspace) {
        self.conduct(streams, space);
        space.columns.settle(self);
    }

    /// Returns what an analysis' estimate comes to on so many outcomes that chance is gone.
    pub(crate) fn limit(&self, place: usize, groups: &[Vec<f64>; 2]) -> Option<f64> {
        self.analyses[place].limit(groups)
    }

    /// Brings everybody through the trial; what is asked for stands in the columns.
    pub(crate) fn conduct(&self, streams: &Streams, space: &mut Workspace) {
        space.begin(self, streams);
        let cohort = &self.study.virtual_cohort.cohort;
        let (mut day, mut arrivals) = (7, 0);
        loop {
            self.start_due(streams, space, day);
            let full = space.entered + space.awaited.len() as u64 >= self.target;
            if arrivals >= u64::from(cohort.screened_max) || (full && space.awaited.is_empty()) {
                break;
            }
            if !full {
                arrivals += 1;
                self.screen(streams, space, arrivals, day);
            }
            let mut draws = streams.draws(arrivals, self.process.arrival, 0);
            day += wait_for_next(&mut draws, cohort.screened_per_month);
        }
        self.start_due(streams, space, i32::MAX);
        space.screened = arrivals;
        if self.order_matters {
            space.columns.put_in_order();
        }
    }

    fn screen(&self, streams: &Streams, space: &mut Workspace, number: u64, day: i32) {
        let mut someone = come(self, streams, number, day);
        if self.is_eligible(streams, &mut someone, 0, day) {
            let wait = wait_for_start(&mut streams.draws(number, self.process.wait, 0));
            space.awaited.push(Awaited { day: day + wait, someone });
        }
    }

    /// Decides entry at screening (0) or at the start (1).
    fn is_eligible(&self, streams: &Streams, someone: &mut Someone, at: usize, day: i32) -> bool {
        let gate = &self.gates[at];
        if gate.open_rules() == 0 {
            return true;
        }
        let skin = self.study.virtual_cohort.skin.as_ref().map_or(0, |skin| {
            let true_score = someone.natural.at(skin, months(day - someone.screened), 0.0);
            let seen = SkinSeen { plan: self, streams, number: someone.number, blinded: self.skin_blinded };
            seen.total(skin, gate.occasion(), true_score, false, self.skin_sites)
        });
        let entry = Entry {
            study: self.study,
            streams,
            measured: &self.gate_measures,
            process: &self.process,
            occasion: gate.occasion(),
            visit: if at == 0 { &self.screening } else { &self.start },
            calendar: &self.calendar,
            day,
            arrival: someone.screened,
            skin,
        };
        gate.is_met(&entry, someone)
    }

    /// Those whose day it is start, in the order of days and of coming.
    fn start_due(&self, streams: &Streams, space: &mut Workspace, until: i32) {
        loop {
            let due = space.awaited.iter().enumerate().filter(|(_, one)| one.day <= until);
            let next = due.min_by_key(|(_, one)| (one.day, one.someone.number)).map(|(place, _)| place);
            let Some(place) = next else { return };
            let Awaited { day, mut someone } = space.awaited.swap_remove(place);
            if self.is_eligible(streams, &mut someone, 1, day) {
                self.enter(streams, space, someone, day);
            }
        }
    }

    fn enter(&self, streams: &Streams, space: &mut Workspace, mut someone: Someone, start: i32) {
        space.entered += 1;
        space.last_day = space.last_day.max(start);
        let arm = match &self.blocks {
            None => 0,
            Some(_) => {
                let stratum = someone.stratum(self.study, streams, &self.process).unwrap_or(0);
                let place = space.given[stratum];
                space.given[stratum] += 1;
                self.allocated_arms[*space.lists[stratum][place].reveal()]
            }
        };
        let female = self.sex_matters && someone.is_female(self.study, streams, &self.process);
        let participant = Participant { plan: self, streams, someone: &someone, arm, start, female };
        let days = self.calendar.add_months(start, self.study.dosing.planned_months) - start;
        space.episodes.clear();
        if !self.reactions.is_empty() {
            episodes_that_matter(&participant, days, &mut space.episodes);
        }
        let order = if self.order_matters { site_order(self, streams, someone.number) } else { 0 };
        space.columns.add(&participant, &space.episodes, &mut space.path, (order, someone.number));
    }
}

/// Participants are analysed in the order of their ids, which begin with the site.
fn site_order(plan: &FastPlan<'_>, streams: &Streams, number: u64) -> u64 {
    let own = site_of(plan.study, streams, number);
    let id = &plan.study.sites[own].id;
    plan.study.sites.iter().filter(|site| site.id.as_str() < id.as_str()).count() as u64
}

impl Workspace {
    /// Returns who came and who entered in the last trial.
    pub fn people(&self) -> People {
        People {
            screened: self.screened,
            entered: self.entered,
            recruitment_days: u64::try_from(self.last_day).unwrap_or(0),
        }
    }

    /// Returns the last trial's results, in the order of the plan's analyses.
    pub fn results(&self) -> &[Tested] {
        &self.results
    }

    /// Adds the last trial's outcomes of an analysis, by group.
    pub(crate) fn pool(&self, place: usize, groups: &mut [Vec<f64>; 2]) {
        for row in &self.columns.rows[place] {
            groups[row.group].extend(row.value);
        }
    }

    fn begin(&mut self, plan: &FastPlan<'_>, streams: &Streams) {
        self.awaited.clear();
        self.columns.begin(plan);
        (self.entered, self.screened, self.last_day) = (0, 0, 0);
        let (Some(blocks), Some(allocation)) = (&plan.blocks, &plan.study.allocation) else { return };
        let seed: ListSeed = allocation_list::seed(streams);
        let strata = allocation.strata.len().max(1);
        self.lists.resize(strata, Vec::new());
        self.given.clear();
        self.given.resize(strata, 0);
        for (place, list) in self.lists.iter_mut().enumerate() {
            let name = allocation.strata.get(place).map_or("", String::as_str);
            blocks.draw_places(&seed, name, allocation_list::length(plan.study), list);
        }
    }
}
