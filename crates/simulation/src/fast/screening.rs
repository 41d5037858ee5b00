//! Who comes, looked at several people at a time.
//!
//! When people come, what the assessor sees of their skin, and whether they are usual in all that a rule of entry rests on
//! are drawn of many people side by side, the cheapest first: whoever the skin's score keeps out is asked nothing more. What
//! is left open then (somebody is unusual in a draw that matters) is judged for that person alone, once the day of their
//! coming is known.

use protocol::model::{Purpose, SkinProcess, Study};

use super::{
    Processes,
    entry::{Foreseen, Gate, Looked},
};
use crate::{
    answers,
    course::{self, months},
    lanes::{self, LANES, Numbers, Words},
    person::{NaturalCourse, Traits, between_sd, within},
    philox::WORDS,
    streams::{Process, Streams, coarse_of, weighted_of},
    wide::compiled_twice,
};

/// The fewest people who are looked at together.
const LEAST: usize = 6;

/// Somebody who comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// Days until the next one comes.
    pub(crate) wait_for_next: i32,
    /// Days from screening to the start.
    pub(crate) wait_for_start: i32,
    pub(crate) stratum: Option<usize>,
    /// Drawn of those whom the skin's score at screening does not keep out.
    pub(crate) traits: Traits,
    pub(crate) natural: NaturalCourse,
    /// At screening and at the start: the skin's total as it is seen, and what the rules come to.
    pub(crate) at: [SeenOnEntry; 2],
}

/// What is seen of somebody at a visit on the way in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeenOnEntry {
    pub(crate) total: i64,
    pub(crate) looked: Looked,
}

/// Days and numbers of the people who come next.
#[derive(Debug, Default)]
pub(crate) struct Screening {
    people: Vec<Candidate>,
    /// How many of them have come.
    come: usize,
    /// Places of those whom nothing has kept out so far.
    left: Vec<usize>,
    /// People screened for each who entered, in the trials before: how many are worth looking at together.
    for_each: f64,
}

/// What is drawn of everybody who comes.
#[derive(Clone, Debug)]
pub(crate) struct ScreeningPlan {
    bare: bool,
    screened_per_month: f64,
    strata: Vec<f64>,
    female: f64,
    ild: f64,
    onset: (f64, f64),
    skin: Option<SkinPlan>,
    process: Processes,
    gates: [GatePlan; 2],
}

#[derive(Clone, Debug)]
struct SkinPlan {
    process: SkinProcess,
    between_sd: f64,
    /// Share of assessments by somebody else, where the form is a blinded assessor's.
    others: f64,
    most: f64,
}

#[derive(Clone, Debug)]
struct GatePlan {
    occasion: u64,
    /// By stratum and the skin's total.
    foreseen: Vec<Vec<Foreseen>>,
    blocks: Vec<BlockOfDraws>,
}

/// A stream that conditions of a visit's rules rest on, by the parts of the rules that are usual where its numbers lie in their
/// ranges.
#[derive(Clone, Debug)]
pub(crate) struct BlockOfDraws {
    pub(crate) process: Process,
    pub(crate) occasion: u64,
    pub(crate) ranges: Vec<UsualRange>,
}

/// A range of a number of a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UsualRange {
    pub(crate) word: usize,
    pub(crate) fine: bool,
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) part: u32,
}

impl ScreeningPlan {
    /// Of people of whom nothing is asked but when they come, `bare` says.
    pub(crate) fn of(study: &Study, gates: &[Gate; 2], bare: bool) -> Self {
        let virtuals = &study.virtual_cohort;
        let form = virtuals.skin.as_ref().and_then(|skin| study.form(skin.form.as_str()));
        let skin_sites =
            form.map_or(0, |form| form.items.iter().filter(|item| answers::is_site(item)).count());
        let skin_blinded = form.is_some_and(|form| form.purpose == Some(Purpose::BlindedAssessment));
        let cohort = &virtuals.cohort;
        let strata: Vec<f64> = cohort.strata.iter().map(|(_, share)| *share).collect();
        let most = 3 * skin_sites;
        let gate = |gate: &Gate| GatePlan {
            occasion: gate.occasion(),
            foreseen: (0..strata.len().max(1))
                .map(|place| (!strata.is_empty()).then_some(place))
                .map(|stratum| (0..=most as i64).map(|total| gate.foreseen(stratum, total)).collect())
                .collect(),
            blocks: gate.blocks(),
        };
        Self {
            bare,
            screened_per_month: cohort.screened_per_month,
            female: cohort.female,
            ild: cohort.ild,
            onset: (cohort.onset_median_months, cohort.onset_sigma),
            skin: virtuals.skin.as_ref().map(|process| SkinPlan {
                process: process.clone(),
                between_sd: between_sd(process, &virtuals.setting),
                others: if skin_blinded { virtuals.conduct.assessor_change } else { 0.0 },
                most: most as f64,
            }),
            process: Processes::named(),
            gates: [gate(&gates[0]), gate(&gates[1])],
            strata,
        }
    }
}

impl Screening {
    /// Begins a trial.
    pub(crate) fn begin(&mut self) {
        self.people.clear();
        self.come = 0;
    }

    /// Notes how many came and entered in a trial.
    pub(crate) fn end(&mut self, screened: u64, entered: u64) {
        if entered > 0 {
            self.for_each += 0.1 * (screened as f64 / entered as f64 - self.for_each);
        }
    }

    /// Returns the next one who comes, as number `number` of all; `wanted` more are to enter.
    pub(crate) fn next(
        &mut self,
        plan: &ScreeningPlan,
        streams: &Streams,
        number: u64,
        wanted: u64,
    ) -> Candidate {
        if self.come == self.people.len() {
            let worth = libm::ceil(wanted as f64 * self.for_each.max(1.0)) as usize;
            let people = worth.clamp(LEAST, LANES);
            look(self, plan, streams, (number, people));
            self.come = 0;
        }
        self.come += 1;
        self.people[self.come - 1]
    }
}

compiled_twice! {
    /// Looks at so many people, from one number on.
    fn look(screening: &mut Screening, plan: &ScreeningPlan, streams: &Streams, people: (u64, usize)) from look_at;
}

#[inline(always)]
fn look_at(
    screening: &mut Screening,
    plan: &ScreeningPlan,
    streams: &Streams,
    (first, people): (u64, usize),
) {
    let look = Look { plan, streams, first: first as u32 };
    let Screening { people: known, left, .. } = screening;
    known.clear();
    look.arrive(people, known);
    if plan.bare {
        return;
    }
    left.clear();
    left.extend((0..people).filter(|place| known[*place].at[0].looked.foreseen != Foreseen::NotMet));
    look.ask(0, left, known);
    look.see_again(left, known);
    left.retain(|place| known[*place].at[1].looked.foreseen != Foreseen::NotMet);
    look.ask(1, left, known);
}

struct Look<'a> {
    plan: &'a ScreeningPlan,
    streams: &'a Streams,
    first: u32,
}

/// Columns of words that are written over again.
const NO_WORDS: Words = [[0; LANES]; WORDS];

impl Look<'_> {
    /// Numbers of people by their places in the batch.
    #[inline(always)]
    fn numbers_of(&self, places: &[usize]) -> [u32; LANES] {
        let mut numbers = [0; LANES];
        for (number, place) in numbers.iter_mut().zip(places) {
            *number = self.first + *place as u32;
        }
        numbers
    }

    /// People in a row: when they and their next ones come, and what the skin's score at screening says.
    #[inline(always)]
    fn arrive(&self, people: usize, known: &mut Vec<Candidate>) {
        let plan = self.plan;
        let numbers: [u32; LANES] = std::array::from_fn(|lane| self.first + lane as u32);
        let numbers = &numbers[..people];
        let mut arrival = NO_WORDS;
        self.streams.words_of_people(numbers, plan.process.arrival, 0, &mut arrival);
        let mut waits = lanes::uniform(&arrival, 0, people);
        let median = course::median_wait(plan.screened_per_month);
        for wait in &mut waits[..people] {
            *wait = lanes::ceil(-lanes::ln(*wait) * median / std::f64::consts::LN_2);
        }
        let (mut starts, mut totals) = ([0.0; LANES], [0.0; LANES]);
        if let Some(skin) = &plan.skin {
            let mut words = NO_WORDS;
            self.streams.words_of_people(numbers, plan.process.skin, 0, &mut words);
            lanes::quantiles(&lanes::uniform(&words, 0, people)[..people], &mut starts[..people]);
            for (start, total) in starts.iter_mut().zip(&mut totals).take(people) {
                *start = within(*start, &skin.process.start);
                // Nothing has changed since screening.
                *total = NaturalCourse { start: *start, change_12: 0.0 }.at(&skin.process, 0.0, 0.0);
            }
            self.see(skin, 0, numbers, &mut totals);
        }
        for lane in 0..people {
            let [_, _, days, stratum] = arrival.map(|words| words[lane] as u32);
            let stratum = (!plan.strata.is_empty())
                .then(|| weighted_of(coarse_of(stratum), plan.strata.iter().copied()));
            let seen = plan.gates[0].seen(stratum, totals[lane]);
            known.push(Candidate {
                wait_for_next: waits[lane] as i32,
                wait_for_start: course::days_to_start(days),
                stratum,
                traits: Traits { onset_months: 0.0, ild: false, female: false },
                natural: NaturalCourse { start: starts[lane], change_12: 0.0 },
                at: [seen; 2],
            });
        }
    }

    /// Makes of true totals those that assessors see at a visit on the way in, where the drug's swelling is not yet.
    #[inline(always)]
    fn see(&self, skin: &SkinPlan, gate: usize, numbers: &[u32], totals: &mut Numbers) {
        let mut words = NO_WORDS;
        let people = numbers.len();
        let occasion = self.plan.gates[gate].occasion;
        self.streams.words_of_people(numbers, self.plan.process.assessment, occasion, &mut words);
        let mut errors = [0.0; LANES];
        lanes::quantiles(&lanes::uniform(&words, 0, people)[..people], &mut errors[..people]);
        let others = lanes::coarse(&words, 2, people);
        let SkinProcess { error_new_observer, error_same_observer, .. } = skin.process;
        for ((total, error), other) in totals.iter_mut().zip(&errors).zip(&others).take(people) {
            let sd = if *other < skin.others { error_new_observer } else { error_same_observer };
            *total = lanes::round((*total + sd * error).clamp(0.0, skin.most));
        }
    }

    /// Traits and course of those who are left, and what the skin's score at the start says.
    #[inline(always)]
    fn see_again(&self, left: &[usize], known: &mut [Candidate]) {
        let plan = self.plan;
        let (numbers, people) = (self.numbers_of(left), left.len());
        let numbers = &numbers[..people];
        let mut words = NO_WORDS;
        self.streams.words_of_people(numbers, plan.process.traits, 0, &mut words);
        let mut onset = [0.0; LANES];
        lanes::quantiles(&lanes::uniform(&words, 0, people)[..people], &mut onset[..people]);
        let (ild, female) = (lanes::coarse(&words, 2, people), lanes::coarse(&words, 3, people));
        for (lane, place) in left.iter().enumerate() {
            known[*place].traits = Traits {
                onset_months: plan.onset.0 * libm::exp(plan.onset.1 * onset[lane]),
                ild: ild[lane] < plan.ild,
                female: female[lane] < plan.female,
            };
        }
        let mut totals = [0.0; LANES];
        if let Some(skin) = &plan.skin {
            self.streams.words_of_people(numbers, plan.process.skin, 0, &mut words);
            let mut change = [0.0; LANES];
            lanes::quantiles(&lanes::uniform(&words, 2, people)[..people], &mut change[..people]);
            for (lane, place) in left.iter().enumerate() {
                let one = &mut known[*place];
                let (months, start) = (months(one.wait_for_start), one.natural.start);
                let onset_months = one.traits.onset_months;
                one.natural =
                    NaturalCourse::of(&skin.process, skin.between_sd, onset_months, start, change[lane]);
                totals[lane] = one.natural.at(&skin.process, months, 0.0);
            }
            self.see(skin, 1, numbers, &mut totals);
        }
        for (total, place) in totals.iter().zip(left) {
            let one = &mut known[*place];
            one.at[1] = plan.gates[1].seen(one.stratum, *total);
        }
    }

    /// Finds what those who are left are unusual in.
    #[inline(always)]
    fn ask(&self, gate: usize, left: &[usize], known: &mut [Candidate]) {
        let (numbers, people) = (self.numbers_of(left), left.len());
        let mut unusual = [0u64; LANES];
        let mut words = NO_WORDS;
        for block in &self.plan.gates[gate].blocks {
            self.streams.words_of_people(&numbers[..people], block.process, block.occasion, &mut words);
            for range in &block.ranges {
                let drawn = if range.fine {
                    lanes::uniform(&words, range.word, people)
                } else {
                    lanes::coarse(&words, range.word, people)
                };
                for (unusual, drawn) in unusual.iter_mut().zip(&drawn).take(people) {
                    let is_usual = range.from <= *drawn && *drawn <= range.to;
                    *unusual |= u64::from(!is_usual) << range.part;
                }
            }
        }
        for (unusual, place) in unusual.iter().zip(left) {
            known[*place].at[gate].looked.unusual = *unusual;
        }
    }
}

impl GatePlan {
    /// What is seen of somebody of a stratum, and what the rules that hang on it alone come to.
    #[inline]
    fn seen(&self, stratum: Option<usize>, total: f64) -> SeenOnEntry {
        let foreseen = self.foreseen[stratum.unwrap_or(0)][total as usize];
        SeenOnEntry { total: total as i64, looked: Looked { foreseen, unusual: 0 } }
    }
}
