//! How two slides of a participant compare, read side by side.

use protocol::{
    expression::{ItemRef, When as Occurrence},
    model::{SeenPairs, Study},
};
use terms::Truth;

use super::{analysed::Reading, path::PathVisit, trial::Participant};
use crate::{
    course::months,
    person::MeasureStreams,
    reading::{OF_PAIRS, reading_occasion},
    streams::Process,
};

/// What the later slide can look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Later {
    Better,
    Same,
    Worse,
}

/// A condition on the comparison of a participant's slides.
#[derive(Clone, Debug)]
pub(super) struct Pairs {
    /// The measure that the eye goes by, and how much apart looks the same.
    index: usize,
    same_within: f64,
    seen: Process,
    readers: u32,
    decides: bool,
    /// The place in the schedule of the visit that is asked for, and those of all later slides.
    wanted: usize,
    pub(super) later: Vec<usize>,
    /// The truth of better, same, worse, and of no agreement.
    truths: [Truth; 4],
}

impl Pairs {
    /// Compiles a condition on the one item `reference`, whose truth by code is given; none if that is no comparison of slides
    /// that virtual readers make.
    pub(super) fn compile(
        study: &Study,
        reference: &ItemRef,
        truth: &dyn Fn(Option<&str>) -> Truth,
    ) -> Option<Self> {
        let plan = study.blind_reading.as_ref()?;
        let pairs = plan.pairs.as_ref()?;
        let Occurrence::At(visit) = &reference.when else { return None };
        let is_comparison = reference.form == pairs.read_on
            && reference.item.as_str() == instruments::skin_biopsy_pair::MORPHOLOGY;
        let earlier_is_the_start = study.visits.iter().any(|visit| {
            visit.id == pairs.earlier && matches!(visit.timing, protocol::model::Timing::On { .. })
        });
        let virtuals = &study.virtual_cohort;
        let SeenPairs { form, item, same_within } = virtuals.pairs.as_ref()?;
        let index = virtuals.measures.iter().position(|m| m.form == *form && m.item == *item)?;
        let place = |id: &terms::VisitId| study.visits.iter().position(|known| known.id == *id);
        let later: Option<Vec<usize>> = pairs.later.iter().map(place).collect();
        (is_comparison && earlier_is_the_start && *same_within > 0.0).then_some(())?;
        Some(Self {
            index,
            same_within: *same_within,
            seen: Process::named(&format!("reading {index}")),
            readers: plan.readers,
            decides: plan.third_reader.is_some(),
            wanted: place(visit)?,
            later: later?,
            truths: [Some("better"), Some("same"), Some("worse"), None].map(truth),
        })
    }

    /// The condition's truth. Of several later slides the last one is compared.
    pub(super) fn truth(&self, reading: &mut Reading<'_, '_>) -> Truth {
        let plan = reading.participant.plan;
        let on_path = |occasion: usize| {
            plan.path.iter().position(|visit: &PathVisit| visit.occasion == occasion as u64)
        };
        let mut last: Option<(i32, usize)> = None;
        for occasion in &self.later {
            let held = on_path(*occasion).and_then(|visit| reading.held(visit));
            if let Some(held) = held.filter(|held| last.is_none_or(|(day, _)| day <= held.day)) {
                last = Some((held.day, *occasion));
            }
        }
        let Some((day, _)) = last.filter(|(_, occasion)| *occasion == self.wanted) else {
            return self.truths[3];
        };
        let said = |reader: u32| self.compare(reading.participant, day, reader);
        let first = said(1);
        let mut all: Vec<Later> = vec![first];
        all.extend((2..=self.readers).map(said));
        let agreed = if all.iter().all(|one| *one == first) {
            Some(first)
        } else if self.decides {
            all.push(said(self.readers + 1));
            all.iter().copied().find(|one| 2 * all.iter().filter(|other| *other == one).count() > all.len())
        } else {
            None
        };
        self.truths[match agreed {
            Some(Later::Better) => 0,
            Some(Later::Same) => 1,
            Some(Later::Worse) => 2,
            None => 3,
        }]
    }

    /// What a reader says of the slides of the start and of a later day.
    fn compare(&self, participant: &Participant<'_>, day: i32, reader: u32) -> Later {
        let plan = participant.plan;
        let start = plan.gates[1].occasion() as usize;
        let by = self.seen_on_slide(participant, day, self.wanted, reader)
            - self.seen_on_slide(participant, participant.start, start, reader);
        if by.abs() < self.same_within {
            Later::Same
        } else if by < 0.0 {
            Later::Better
        } else {
            Later::Worse
        }
    }

    /// What a reader sees of the measure on a slide that lies beside another.
    fn seen_on_slide(&self, participant: &Participant<'_>, day: i32, occasion: usize, reader: u32) -> f64 {
        let Participant { plan, streams, someone, .. } = *participant;
        let virtuals = &plan.study.virtual_cohort;
        let process = &virtuals.measures[self.index];
        let months = months(day - someone.screened);
        let skin = virtuals.skin.as_ref();
        let change = skin.map_or(0.0, |skin| someone.natural.at(skin, months, 0.0) - someone.natural.start);
        let of = MeasureStreams::of(self.index);
        let level = streams.draws_of(someone.number, [of.start, of.slope]);
        let trajectory = someone.trajectory(process, self.index, level);
        let visit = &plan.study.visits[occasion].id;
        let at = reading_occasion(plan.study, visit, true, OF_PAIRS + reader);
        let mut draws = streams.draws(someone.number, self.seen, at);
        trajectory.observe_with(process, months, change, |_| false, &mut draws)
    }
}
