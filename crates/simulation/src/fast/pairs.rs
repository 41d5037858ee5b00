//! How two slides of a participant compare, read side by side.

use protocol::{
    expression::{ItemRef, When as Occurrence},
    model::{SeenPairs, Study},
};
use terms::Truth;

use super::{analysed::Reading, path::PathVisit, trial::Participant};
use crate::{
    course::months,
    person::Trajectory,
    reading::{OF_PAIRS, reading_occasion_of},
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
        let start = plan.gates[1].occasion() as usize;
        let began = reading.participant.start;
        let slides = [(began, start), (day, self.wanted)]
            .map(|(day, visit)| self.slide(reading.participant, day, visit));
        let said = |reader: u32| self.compare(reading.participant, &slides, reader);
        let first = said(1);
        let agreed = if (2..=self.readers).all(|reader| said(reader) == first) {
            Some(first)
        } else if self.decides {
            // Whatever more than half of all readers say, the one who decides among them.
            let votes =
                |wanted: Later| (1..=self.readers + 1).filter(|reader| said(*reader) == wanted).count();
            let wins = |one: &Later| 2 * votes(*one) > self.readers as usize + 1;
            [Later::Better, Later::Same, Later::Worse].into_iter().find(wins)
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
    fn compare(&self, participant: &Participant<'_>, [start, later]: &[Slide; 2], reader: u32) -> Later {
        let by =
            self.seen_on_slide(participant, later, reader) - self.seen_on_slide(participant, start, reader);
        if by.abs() < self.same_within {
            Later::Same
        } else if by < 0.0 {
            Later::Better
        } else {
            Later::Worse
        }
    }

    fn slide(&self, participant: &Participant<'_>, day: i32, visit: usize) -> Slide {
        let Participant { plan, someone, .. } = *participant;
        let months = months(day - someone.screened);
        let skin = plan.study.virtual_cohort.skin.as_ref();
        let skin_change =
            skin.map_or(0.0, |skin| someone.natural.at(skin, months, 0.0) - someone.natural.start);
        let trajectory = participant.trajectory(self.index);
        Slide { visit, months, skin_change, trajectory }
    }

    /// What a reader sees of the measure on a slide that lies beside another.
    fn seen_on_slide(&self, participant: &Participant<'_>, slide: &Slide, reader: u32) -> f64 {
        let Participant { plan, streams, someone, .. } = *participant;
        let process = &plan.study.virtual_cohort.measures[self.index];
        let at = reading_occasion_of(slide.visit as u64, true, OF_PAIRS + reader);
        let mut draws = streams.draws(someone.number, self.seen, at);
        slide.trajectory.observe_with(process, slide.months, slide.skin_change, |_| false, &mut draws)
    }
}

/// What there is to be seen on a slide.
struct Slide {
    /// The visit's place in the schedule.
    visit: usize,
    months: f64,
    skin_change: f64,
    trajectory: Trajectory,
}
