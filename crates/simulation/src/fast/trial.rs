//! One trial: who comes, who enters, who is given what.

use std::cell::{Cell, OnceCell};

use allocation::{ListSeed, Unblinded};
use analysis::kernel::{Group, Kernel, Outcome};

use super::{
    FastPlan,
    analysed::{Analysed, Columns, Ready},
    at_hand::{AtHand, Blocks},
    behind::BodyEntered,
    design::{Ended, Entrant},
    entry::Entry,
    measured::episodes_that_matter,
    path::Path,
    screening::{Screening, SeenOnEntry},
    someone::Someone,
};
use crate::{
    allocation_list,
    lanes::LANES,
    person::{Episode, Trajectory, site_of_draws},
    streams::{Process, Streams},
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

/// What was seen of the participants of a trial, where events are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) stopped_early: u32,
    pub(crate) serious_events: u32,
    pub(crate) with_serious_event: u32,
    pub(crate) days: u32,
}

/// Somebody in the trial.
#[derive(Clone, Copy)]
pub(crate) struct Participant<'a> {
    pub(crate) plan: &'a FastPlan<'a>,
    /// The streams, with blocks of this participant at hand.
    pub(crate) streams: &'a AtHand<'a>,
    pub(crate) someone: &'a Someone,
    pub(crate) arm: usize,
    /// The day of the first dose.
    pub(crate) start: i32,
    /// The skin's total as it was seen at the start, if the rules of entry asked for it.
    pub(crate) skin_at_start: Option<i64>,
    /// What the demography form says of the body, once it is asked for.
    pub(crate) body: &'a OnceCell<BodyEntered>,
    /// By place of a measure: level and slope, once they are asked for.
    pub(crate) levels: &'a [Level],
}

/// Level and slope of a measure, once they are drawn.
pub(crate) type Level = Cell<Option<Trajectory>>;

/// Memory that one trial after another of the same analyses uses again.
#[derive(Default)]
pub struct Workspace {
    screening: Screening,
    /// Who comes first stands last.
    awaited: Vec<Awaited>,
    lists: Vec<Vec<Unblinded<usize>>>,
    list_seed: Option<ListSeed>,
    given: Vec<usize>,
    /// Participants who are yet to be brought through the trial, in the order of their starts.
    entering: Vec<Entering>,
    blocks: Blocks,
    levels: Vec<Level>,
    episodes: Vec<Episode>,
    path: Path,
    pub(crate) columns: Columns,
    pub(crate) kernel: Kernel,
    results: Vec<Tested>,
    ended: Option<Ended>,
    seen: Seen,
    pub(crate) entrants: Vec<Entrant>,
    pub(crate) event_days: Vec<i32>,
    entered: u64,
    screened: u64,
    last_day: i32,
}

struct Awaited {
    day: i32,
    someone: Someone,
    /// What the rules of the start come to on that day: it hangs on the person and the day alone.
    enters: bool,
    skin: Option<i64>,
}

/// Somebody who has entered.
struct Entering {
    someone: Someone,
    arm: usize,
    start: i32,
    skin: Option<i64>,
    /// The place in the order of starts.
    entry: u32,
    /// The place of the site in the order of ids, where the order of participants matters.
    order: u64,
}

impl FastPlan<'_> {
    /// Runs one trial and its analyses. The results stand in the order of [`analyses`](Self::analyses).
    pub fn run<'w>(&self, streams: &Streams, space: &'w mut Workspace) -> &'w [Tested] {
        self.conduct(streams, space);
        space.results.clear();
        let decided = self.design.as_ref().map(|design| (design.place(), design.run(self, space)));
        space.ended = decided.map(|(_, (ended, _))| ended);
        // What the design does not decide by is analysed in those who had started by its end.
        let size = space.ended.map_or(usize::MAX, |ended| ended.size as usize);
        for (place, analysis) in self.analyses.iter().enumerate() {
            let tested = match decided {
                Some((decides, (_, tested))) if decides == place => tested,
                _ => analysis.test(place, &mut space.columns, &mut space.kernel, size),
            };
            space.results.push(tested);
        }
        &space.results
    }

    /// Returns what an analysis' estimate comes to on so many outcomes that chance is gone.
    pub(crate) fn limit(&self, place: usize, groups: &[Group; 2]) -> Option<f64> {
        self.analyses[place].limit(groups)
    }

    /// Brings everybody through the trial; what is asked for stands in the columns.
    pub(crate) fn conduct(&self, streams: &Streams, space: &mut Workspace) {
        space.begin(self, streams);
        let (mut day, mut wait, mut arrivals) = (7, 0, 0);
        loop {
            self.start_due(space, day);
            let full = space.entered + space.awaited.len() as u64 >= self.target;
            if arrivals >= self.screened_max || (full && space.awaited.is_empty()) {
                break;
            }
            // While nobody is wanted any more, the days of the last wait go by again.
            if !full {
                arrivals += 1;
                wait = self.screen(streams, space, arrivals, day);
            }
            day += wait;
        }
        self.start_due(space, i32::MAX);
        self.bring_through(streams, space);
        space.blocks.end_trial();
        space.screened = arrivals;
        space.screening.end(arrivals, space.entered);
    }

    /// Screens somebody; returns the days until the next one comes.
    fn screen(&self, streams: &Streams, space: &mut Workspace, number: u64, day: i32) -> i32 {
        let wanted = self.target - space.entered - space.awaited.len() as u64;
        let candidate = space.screening.next(&self.screening_plan, streams, number, wanted);
        let someone = Someone::of(&candidate, number, day);
        if self.is_eligible(streams, &someone, 0, day, candidate.at[0]) {
            let start = day + candidate.wait_for_start;
            let enters = self.is_eligible(streams, &someone, 1, start, candidate.at[1]);
            let skin = self.study.virtual_cohort.skin.as_ref().map(|_| candidate.at[1].total);
            space.await_start(Awaited { day: start, someone, enters, skin });
        }
        candidate.wait_for_next
    }

    /// Decides entry at screening (0) or at the start (1).
    fn is_eligible(
        &self,
        streams: &Streams,
        someone: &Someone,
        at: usize,
        day: i32,
        seen: SeenOnEntry,
    ) -> bool {
        let gate = &self.gates[at];
        let entry = Entry {
            study: self.study,
            streams,
            process: &self.process,
            occasion: gate.occasion(),
            visit: if at == 0 { &self.screening } else { &self.start },
            calendar: &self.calendar,
            day,
            arrival: someone.screened,
            skin: seen.total,
        };
        gate.is_met(&entry, someone, seen.looked)
    }

    /// Those whose day it is start, in the order of days and of coming.
    fn start_due(&self, space: &mut Workspace, until: i32) {
        while let Some(awaited) = space.awaited.pop_if(|next| next.day <= until) {
            if awaited.enters {
                self.enter(space, awaited);
            }
        }
    }

    /// Somebody enters and is allocated.
    fn enter(&self, space: &mut Workspace, awaited: Awaited) {
        let Awaited { day: start, someone, skin, .. } = awaited;
        let entry = space.entered as u32;
        space.entered += 1;
        space.last_day = space.last_day.max(start);
        let arm = match &self.blocks {
            None => 0,
            Some(_) => {
                let stratum = someone.stratum.unwrap_or(0);
                let place = space.given[stratum];
                space.given[stratum] += 1;
                if place >= space.lists[stratum].len() {
                    self.draw_list(space, stratum);
                }
                self.allocated_arms[*space.lists[stratum][place].reveal()]
            }
        };
        space.entering.push(Entering { someone, arm, start, skin, entry, order: 0 });
    }

    /// Brings those who have entered through the trial, in the order in which they are analysed. What is asked of many of them
    /// is drawn of them side by side.
    fn bring_through(&self, streams: &Streams, space: &mut Workspace) {
        let mut entering = std::mem::take(&mut space.entering);
        let mut blocks = std::mem::take(&mut space.blocks);
        let mut levels = std::mem::take(&mut space.levels);
        space.columns.first_entry = entering.first().map(|one| one.start);
        if self.order_matters {
            for one in &mut entering {
                one.order = self.site_order(streams, one.someone.number);
            }
            entering.sort_unstable_by_key(|one| (one.order, one.someone.number));
        }
        let followed = if self.measured.is_empty() { 0 } else { self.study.virtual_cohort.measures.len() };
        for together in entering.chunks(LANES) {
            let mut numbers = [0; LANES];
            for (number, one) in numbers.iter_mut().zip(together) {
                *number = one.someone.number as u32;
            }
            blocks.make(streams, &numbers[..together.len()]);
            for (lane, one) in together.iter().enumerate() {
                levels.clear();
                levels.resize(followed, Cell::new(None));
                let at_hand = AtHand::of(streams, &blocks, one.someone.number, lane);
                self.follow(&at_hand, &levels, space, one);
            }
        }
        if self.order_matters {
            space.columns.put_donors_in_order();
            space.entrants.sort_unstable_by_key(|one| one.entry);
        }
        entering.clear();
        (space.entering, space.blocks, space.levels) = (entering, blocks, levels);
    }

    /// Follows a participant through the trial.
    fn follow(&self, streams: &AtHand<'_>, levels: &[Level], space: &mut Workspace, one: &Entering) {
        let Entering { ref someone, arm, start, skin: skin_at_start, entry, order } = *one;
        let body = &OnceCell::new();
        let participant =
            Participant { plan: self, streams, someone, arm, start, skin_at_start, body, levels };
        // What is drawn of nearly everybody.
        let process = &self.process;
        let first_reaction = self.reactions.first().map_or(0, |index| *index as u64);
        let occasion = self.foremost.map_or(0, |visit| self.path[visit].occasion);
        space.episodes.clear();
        let bare = self.bare.is_some() && space.columns.kept.is_none();
        let ready = (!bare).then(|| {
            let wanted =
                [(process.withdrawal, 0), (process.reaction, first_reaction), (process.visit, occasion)];
            let [withdrawal, reaction, visit] = streams.draws_of(someone.number, wanted);
            let days = self.calendar.add_months(start, self.study.dosing.planned_months) - start;
            if !self.reactions.is_empty() {
                episodes_that_matter(&participant, reaction, days, &mut space.episodes);
            }
            Ready { withdrawal, visit: self.foremost.map(|place| (place, visit)) }
        });
        let key = (order, someone.number);
        space.columns.add(&participant, ready, &space.episodes, &mut space.path, key, entry);
        if self.events_matter {
            space.see(start);
        }
        if let Some(design) = &self.design {
            let watched = self.watched.as_ref().and_then(|watched| {
                let meant = space.path.noted.iter().filter(|noted| watched.holds(noted, start));
                meant.map(|noted| noted.day).min()
            });
            space.entrants.push(design.entrant(self, entry, start, watched));
        }
    }

    /// Participants are analysed in the order of their ids, which begin with the site.
    fn site_order(&self, streams: &Streams, number: u64) -> u64 {
        match self.site_orders.as_slice() {
            [_] => 0,
            orders => {
                let draws = streams.draws(number, const { Process::named("site") }, 0);
                orders[site_of_draws(self.study, draws)]
            }
        }
    }
}

impl FastPlan<'_> {
    /// Draws a stratum's list as far as it is likely to be needed; one that runs out, whole. A longer list begins
    /// with the shorter one.
    fn draw_list(&self, space: &mut Workspace, stratum: usize) {
        let (Some(blocks), Some(allocation), Some(seed)) =
            (&self.blocks, &self.study.allocation, &space.list_seed)
        else {
            return;
        };
        let name = allocation.strata.get(stratum).map_or("", String::as_str);
        let list = &mut space.lists[stratum];
        let [likely, most] = self.positions[stratum];
        blocks.draw_places(seed, name, if list.is_empty() { likely } else { most }, list);
    }
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

    /// Returns what was seen of the last trial's participants.
    pub(crate) fn seen(&self) -> Seen {
        self.seen
    }

    fn see(&mut self, start: i32) {
        let serious =
            self.path.noted.iter().filter(|noted| noted.serious && noted.day >= start).count() as u32;
        self.seen.stopped_early += u32::from(self.path.early);
        self.seen.serious_events += serious;
        self.seen.with_serious_event += u32::from(serious > 0);
        self.seen.days = self.seen.days.max(self.path.over.map_or(0, |day| u32::try_from(day).unwrap_or(0)));
    }

    /// Returns what the last trial came to under the plan's design, if there is one.
    pub fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// Adds the last trial's outcomes of an analysis, by group.
    pub(crate) fn pool(&mut self, place: usize, analysis: &Analysed, groups: &mut [Group; 2]) {
        self.columns.group(place, analysis, usize::MAX);
        for (all, own) in groups.iter_mut().zip(&self.columns.groups) {
            all.extend(own);
        }
    }

    /// Lets somebody wait for the start who came after all others that wait.
    fn await_start(&mut self, one: Awaited) {
        let place = self.awaited.partition_point(|other| other.day > one.day);
        self.awaited.insert(place, one);
    }

    fn begin(&mut self, plan: &FastPlan<'_>, streams: &Streams) {
        self.screening.begin();
        self.awaited.clear();
        self.entrants.clear();
        self.entering.clear();
        self.columns.begin(plan);
        (self.entered, self.screened, self.last_day) = (0, 0, 0);
        self.seen = Seen::default();
        if plan.blocks.is_none() {
            return;
        }
        self.list_seed = Some(allocation_list::seed(streams));
        let strata = plan.positions.len();
        self.lists.resize(strata, Vec::new());
        self.lists.iter_mut().for_each(Vec::clear);
        self.given.clear();
        self.given.resize(strata, 0);
    }
}
