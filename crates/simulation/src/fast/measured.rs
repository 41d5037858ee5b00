//! What is written down of a parameter at a visit.

use std::cell::Cell;

use instruments::{Context, Instrument};
use protocol::model::{
    Derivation, EditCheck, Form, Item, ItemType, Purpose, Severity, SkinProcess, Study, ThirdReader,
};
use terms::{Answer, Decimal, ItemId, ParameterId, Value};

use super::{
    behind::{Behind, BodyEntered, Look},
    is_skin_total,
    path::Held,
    trial::Participant,
};
use crate::{
    answers::{self, POWERS_OF_TEN, entered},
    course::{self, Care, months},
    person::{Assessment, Episode, MeasureStreams, Trajectory, draw_reaction, observe_skin, spread_over},
    pharmacology,
    questionnaires::{self, Scored},
    reading::reading_occasion_of,
    streams::{Draws, Process, Streams},
};

/// A parameter that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) id: ParameterId,
    pub(crate) of: Of,
    care: Process,
    /// Whether the form's first answer, the one that a later correction changes, changes the parameter.
    corrected: bool,
    /// Whether a blinded assessor fills the form.
    blinded: bool,
    /// By place in the schedule: whether the form is filled there.
    pub(crate) filled_at: Vec<bool>,
}

/// What a parameter is.
#[derive(Clone, Debug)]
pub(crate) enum Of {
    /// The total of the skin score.
    Skin { weights: Vec<f64>, first_site: Option<usize>, oedema: Option<usize> },
    /// A measure, entered as its item is.
    Measure(Noisy),
    /// A followed percent of predicted, derived from what is entered for it.
    Percent(Noisy, Box<Behind>),
    /// A score that a questionnaire's instrument derives from answers filled in for the scores that are followed.
    Score(Box<Score>),
    /// A measure that is read blind on coded slides: the mean over readers, or the median where one more decides.
    Reading { seen: Seen, readers: u32, third: Option<(ThirdReader, Seen)> },
}

/// A measure as it is written down: its place in the cohort's list, and how its item takes it.
#[derive(Clone, Debug)]
pub(crate) struct Noisy {
    index: usize,
    kind: ItemType,
    step: Option<f64>,
    bounds: (f64, f64),
    of: MeasureStreams,
    reactions: Vec<usize>,
}

impl Noisy {
    fn of(study: &Study, item: &Item, index: usize) -> Self {
        let virtuals = &study.virtual_cohort;
        let process = &virtuals.measures[index];
        let place = |name: &String| virtuals.reactions.iter().position(|one| one.name == *name);
        Self {
            index,
            kind: item.kind.clone(),
            step: process.step,
            bounds: (answers::within(item, f64::NEG_INFINITY), answers::within(item, f64::INFINITY)),
            of: MeasureStreams::of(index),
            reactions: process.reactions.iter().filter_map(|(name, _)| place(name)).collect(),
        }
    }
}

/// A questionnaire's score.
#[derive(Clone)]
pub(crate) struct Score {
    instrument: &'static dyn Instrument,
    output: String,
    form: Form,
    /// Derived items of the form that are followed over time.
    followed: Vec<(ItemId, Noisy)>,
    /// What an uncorrected questionnaire scores, where its answers need not be known for that.
    scored: Option<Scored>,
    /// What a corrected one scores.
    scored_corrected: Option<Scored>,
    /// Whether a correction of the form changes an answer: a code stays.
    is_changed: bool,
    items: Process,
}

impl std::fmt::Debug for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Score({}.{})", self.form.id, self.output)
    }
}

impl Score {
    /// The score behind a derived item, if the form is filled by its questionnaire alone.
    fn of(study: &Study, form: &Form, item: &Item) -> Result<Self, String> {
        let name = format!("{}.{}", form.id, item.id);
        let Some(Derivation::Instrument { output }) = &item.derived else {
            return Err(format!("{name} is derived from other items"));
        };
        let instrument = form.instrument.as_deref().and_then(instruments::by_id);
        let instrument = instrument.ok_or_else(|| format!("{name} has no instrument"))?;
        let measures = &study.virtual_cohort.measures;
        let measure = |item: &Item| measures.iter().position(|m| m.form == form.id && m.item == item.id);
        let derived = form.items.iter().filter(|item| item.derived.is_some());
        let followed: Vec<(ItemId, Noisy)> = derived
            .filter_map(|item| Some((item.id.clone(), Noisy::of(study, item, measure(item)?))))
            .collect();
        // Whatever scores are wanted, the same items are filled.
        let mut any = Streams::new(0).of_trial("any");
        let filled = questionnaires::fill(form, &|_| Some(1.0), &|_| None, &mut any);
        let by_questionnaire =
            |item: &Item| filled.iter().any(|(id, _)| *id == item.id) || item.shown_if.is_some();
        let others = form.items.iter().filter(|item| item.derived.is_none() && !by_questionnaire(item));
        if filled.is_empty() || others.clone().any(|item| item.required) {
            return Err(format!("{name} is derived from items that no questionnaire fills"));
        }
        if form.checks.iter().any(|check| check.severity == Severity::Hard && !is_range(check)) {
            return Err(format!("a hard check may change {name}"));
        }
        let items = Process::named(&format!("{} items", form.id));
        let by_name = item.id.as_str() == output && followed.iter().any(|(id, _)| id == &item.id);
        let scored = form.instrument.as_deref().filter(|_| by_name);
        let scored = scored.and_then(|instrument| questionnaires::scored(instrument, output));
        let first = filled.iter().min_by(|one, other| one.0.cmp(&other.0));
        let scored_corrected = first.and_then(|(item, _)| {
            let to_three = form.item(item.as_str())?.maximum == Some(Decimal::from(3));
            let instrument = form.instrument.as_deref().filter(|_| by_name && to_three)?;
            questionnaires::scored_corrected(instrument, output, item.as_str())
        });
        let is_changed = !matches!(first, Some((_, Value::Code(_) | Value::Text(_) | Value::Boolean(_))));
        Ok(Self {
            instrument,
            output: output.clone(),
            form: form.clone(),
            followed,
            scored,
            scored_corrected,
            is_changed,
            items,
        })
    }
}

/// What a reader sees of a measure on a slide.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    index: usize,
    kind: ItemType,
    step: Option<f64>,
    process: Process,
}

impl Seen {
    fn of(study: &Study, form: &Form, item: &str) -> Option<Self> {
        let measures = &study.virtual_cohort.measures;
        let index = measures.iter().position(|m| m.form == form.id && m.item.as_str() == item)?;
        Some(Self {
            index,
            kind: form.item(item)?.kind.clone(),
            step: measures[index].step,
            process: Process::named(&format!("reading {index}")),
        })
    }
}

impl Measured {
    pub(crate) fn of(study: &Study, id: &ParameterId) -> Result<Self, String> {
        let parameter = study.plan.parameters.iter().find(|known| known.id == *id);
        let parameter = parameter.ok_or_else(|| format!("there is no parameter {id}"))?;
        let form = study.form(parameter.form.as_str());
        let item = form.and_then(|form| form.item(parameter.item.as_str()));
        let (Some(form), Some(item)) = (form, item) else { return Err(format!("{id} has no item")) };
        let virtuals = &study.virtual_cohort;
        let measure = virtuals.measures.iter().position(|m| m.form == form.id && m.item == item.id);
        let read = study.blind_reading.as_ref().filter(|reading| reading.read_on == form.id);
        let filled_on = read.map_or(&form.id, |reading| &reading.taken_on);
        let filled_at = study
            .visits
            .iter()
            .map(|visit| study.forms_at(&visit.id).any(|known| known.id == *filled_on && known.by_visit));
        let first = first_answered(study, form);
        let of = match (&virtuals.skin, measure, read) {
            (Some(skin), ..) if skin.form == form.id && is_skin_total(form, item) => {
                skin_of(study, skin, form, first)
            }
            (_, Some(index), None) if Behind::of(study, form, item).is_some() => {
                let behind = Behind::of(study, form, item);
                let behind = behind.ok_or_else(|| format!("{id} is derived from other items"))?;
                Of::Percent(Noisy::of(study, item, index), Box::new(behind))
            }
            _ if item.derived.is_some() && read.is_none() => {
                Of::Score(Box::new(Score::of(study, form, item)?))
            }
            _ if item.shown_if.is_some() => {
                return Err(format!("{id} is asked of some people only"));
            }
            (_, Some(_), Some(reading)) => {
                let seen = Seen::of(study, form, item.id.as_str());
                let seen = seen.ok_or_else(|| format!("{id} is not followed over time"))?;
                let third = reading.third_reader.as_ref();
                let third =
                    third.and_then(|rule| Some((rule.clone(), Seen::of(study, form, rule.item.as_str())?)));
                Of::Reading { seen, readers: reading.readers, third }
            }
            (_, Some(index), None) => Of::Measure(Noisy::of(study, item, index)),
            _ => return Err(format!("the virtual cohort does not follow {}.{} over time", form.id, item.id)),
        };
        if matches!(of, Of::Measure(_)) && hard_checked(form, item) {
            return Err(format!("a hard check may change {}.{}", form.id, item.id));
        }
        let corrected = match &of {
            Of::Skin { first_site, .. } => first_site.is_some(),
            Of::Measure(_) => first == Some(item),
            Of::Percent(_, behind) => behind.corrected,
            Of::Score(_) => true,
            Of::Reading { .. } => false,
        };
        Ok(Self {
            id: id.clone(),
            of,
            care: Process::named(&format!("care {}", form.id)),
            corrected,
            blinded: form.purpose == Some(Purpose::BlindedAssessment),
            filled_at: filled_at.collect(),
        })
    }

    /// The measures behind it.
    fn measures(&self) -> Vec<&Noisy> {
        match &self.of {
            Of::Measure(noisy) | Of::Percent(noisy, _) => vec![noisy],
            Of::Score(score) => score.followed.iter().map(|(_, noisy)| noisy).collect(),
            Of::Skin { .. } | Of::Reading { .. } => Vec::new(),
        }
    }

    /// Whether it is the total of the skin score.
    pub(crate) fn is_skin(&self) -> bool {
        matches!(self.of, Of::Skin { .. })
    }

    /// Reactions that show in it.
    pub(crate) fn reactions(&self) -> Vec<usize> {
        match &self.of {
            Of::Skin { oedema, .. } => oedema.iter().copied().collect(),
            _ => self.measures().into_iter().flat_map(|noisy| &noisy.reactions).copied().collect(),
        }
    }

    /// Whether the true skin score shows in it.
    pub(crate) fn feels_effect(&self, study: &Study) -> bool {
        let follows = |noisy: &Noisy| study.virtual_cohort.measures[noisy.index].per_skin_point != 0.0;
        // Readings follow the natural course alone.
        matches!(self.of, Of::Skin { .. }) || self.measures().into_iter().any(follows)
    }
}

/// The first answer of a filled form in the order of its items' ids, if a correction changes it.
pub(crate) fn first_answered<'a>(study: &Study, form: &'a Form) -> Option<&'a Item> {
    let answered = form.items.iter().filter(|item| {
        let named = study.virtual_cohort.answers.iter().any(|a| a.form == form.id && a.item == item.id)
            || study.virtual_cohort.measures.iter().any(|m| m.form == form.id && m.item == item.id);
        item.derived.is_none() && (item.required || named || answers::is_site(item))
    });
    answered.min_by(|a, b| a.id.cmp(&b.id))
}

fn hard_checked(form: &Form, item: &Item) -> bool {
    form.checks
        .iter()
        .any(|check| check.severity == Severity::Hard && check.item == item.id && !is_range(check))
}

/// Says whether a check is one of an item's own limits, which what is drawn keeps.
fn is_range(check: &EditCheck) -> bool {
    check.id.as_str().starts_with("range_")
}

fn skin_of(study: &Study, skin: &SkinProcess, form: &Form, first: Option<&Item>) -> Of {
    let sites: Vec<&Item> = form.items.iter().filter(|item| answers::is_site(item)).collect();
    let weight =
        |item: &Item| skin.site_weights.iter().find(|(id, _)| *id == item.id).map_or(1.0, |one| one.1);
    let reactions = &study.virtual_cohort.reactions;
    Of::Skin {
        weights: sites.iter().map(|item| weight(item)).collect(),
        first_site: first.and_then(|first| sites.iter().position(|site| site.id == first.id)),
        oedema: skin.oedema.as_ref().and_then(|name| reactions.iter().position(|one| one.name == *name)),
    }
}

/// What a value is written down of.
pub(crate) struct Scene<'a> {
    pub(crate) participant: &'a Participant<'a>,
    pub(crate) measured: &'a Measured,
    /// Episodes of the reactions that matter.
    pub(crate) episodes: &'a [Episode],
    /// The day on which the drug was stopped.
    pub(crate) stopped: Option<i32>,
}

impl Scene<'_> {
    /// Returns what is written down at a held visit; none where the form was not done.
    pub(crate) fn value(&self, occasion: u64, held: Held) -> Option<f64> {
        let Participant { plan, streams, someone, .. } = *self.participant;
        let care = self.measured.care;
        match &self.measured.of {
            Of::Reading { .. } => Some(self.seen(occasion, held, true)),
            Of::Skin { .. } => {
                let wanted = [plan.process.assessment, care];
                let [assessment, care] =
                    streams.draws_of(someone.number, wanted.map(|process| (process, occasion)));
                let care = self.care_of(care);
                (!care.not_done).then(|| self.skin_corrected(self.skin_total(held, true, assessment), care))
            }
            Of::Measure(noisy) => {
                let of = &noisy.of;
                let [noise, care] =
                    streams.draws_of(someone.number, [(of.noise, occasion), (care, occasion)]);
                let care = self.care_of(care);
                (!care.not_done).then(|| {
                    let trajectory = self.trajectory(noisy.index);
                    self.measured_value(noisy, trajectory, held, true, noise, care)
                })
            }
            Of::Percent(..) | Of::Score(_) => {
                let care = self.care_of(streams.draws(someone.number, care, occasion));
                (!care.not_done).then(|| self.seen(occasion, held, true))
            }
        }
    }

    /// What becomes of the form.
    #[inline]
    fn care_of(&self, mut draws: Draws) -> Care {
        Care::draw(&mut draws, &self.participant.plan.study.virtual_cohort.conduct)
    }

    /// Returns what is written down on the way in, before the first dose. `skin` is the skin's total as the rules of
    /// entry saw it at the start, if they did.
    pub(crate) fn value_before(&self, occasion: u64, day: i32, skin: Option<i64>) -> f64 {
        match (&self.measured.of, skin) {
            (Of::Skin { .. }, Some(total)) => {
                let Participant { streams, someone, .. } = *self.participant;
                let care = streams.draws(someone.number, self.measured.care, occasion);
                self.skin_corrected(total, self.care_of(care))
            }
            _ => self.seen(occasion, Held { day, effect_points: 0.0 }, false),
        }
    }

    /// Says whether a reaction is felt on a day.
    fn is_felt(&self, reaction: usize, day: i32, on_drug: bool) -> bool {
        let start = self.participant.start;
        on_drug
            && self.episodes.iter().any(|episode| {
                episode.reaction == reaction
                    && course::is_present(episode, day - start, self.stopped.map(|day| day - start))
            })
    }

    /// The skin's total as an assessor sees it.
    fn skin_total(&self, held: Held, on_drug: bool, assessment: Draws) -> i64 {
        let Participant { plan, someone, .. } = *self.participant;
        let (Of::Skin { weights, oedema, .. }, Some(skin)) =
            (&self.measured.of, &plan.study.virtual_cohort.skin)
        else {
            return 0;
        };
        let true_score = someone.natural.at(skin, months(held.day - someone.screened), held.effect_points);
        let swollen = oedema.is_some_and(|reaction| self.is_felt(reaction, held.day, on_drug));
        let seen = SkinSeen { plan, blinded: self.measured.blinded };
        seen.total(skin, true_score, swollen, weights.len(), assessment)
    }

    /// The total after a correction, if there is one.
    fn skin_corrected(&self, total: i64, care: Care) -> f64 {
        let Of::Skin { weights, first_site: Some(site), .. } = &self.measured.of else { return total as f64 };
        let corrected = if care.wrong { self.correction_of_site(total, *site, weights) } else { 0 };
        (total + corrected) as f64
    }

    /// What is written down of a measure, after a correction if there is one.
    fn measured_value(
        &self,
        noisy: &Noisy,
        trajectory: Trajectory,
        held: Held,
        on_drug: bool,
        noise: Draws,
        care: Care,
    ) -> f64 {
        let someone = self.participant.someone;
        let months = months(held.day - someone.screened);
        let felt = |reaction: usize| self.is_felt(reaction, held.day, on_drug);
        let (mut whole, decimals) = self.written_of(noisy, trajectory, months, held, &felt, noise);
        if self.measured.corrected && care.wrong {
            let most = libm::round(noisy.bounds.1 * POWERS_OF_TEN[decimals as usize]);
            whole += if ((whole + 1) as f64) <= most { 1 } else { -1 };
        }
        whole as f64 / POWERS_OF_TEN[decimals as usize]
    }

    fn seen(&self, occasion: u64, held: Held, on_drug: bool) -> f64 {
        let Participant { plan, streams, someone, .. } = *self.participant;
        let study = plan.study;
        let present = |reaction: usize| self.is_felt(reaction, held.day, on_drug);
        let months = months(held.day - someone.screened);
        match &self.measured.of {
            Of::Skin { .. } => {
                let wanted = [plan.process.assessment, self.measured.care];
                let [assessment, care] =
                    streams.draws_of(someone.number, wanted.map(|process| (process, occasion)));
                let total = self.skin_total(held, on_drug, assessment);
                self.skin_corrected(total, self.care_of(care))
            }
            Of::Percent(noisy, behind) => {
                let followed = self.written(noisy, occasion, months, held, &present);
                self.derived_percent(behind, occasion, held.day, followed)
            }
            Of::Measure(noisy) => {
                let of = &noisy.of;
                let wanted = [(of.noise, occasion), (self.measured.care, occasion)];
                let [noise, care] = streams.draws_of(someone.number, wanted);
                let trajectory = self.trajectory(noisy.index);
                self.measured_value(noisy, trajectory, held, on_drug, noise, self.care_of(care))
            }
            Of::Score(score) => self.scored(score, occasion, months, held, &present),
            Of::Reading { seen, readers, third } => {
                let change = self.skin_change(months, 0.0);
                let read = |seen: &Seen, reader: u32| {
                    let measure = &study.virtual_cohort.measures[seen.index];
                    let at = reading_occasion_of(occasion, false, reader);
                    let mut draws = streams.draws(someone.number, seen.process, at);
                    let value = self.trajectory(seen.index).observe_with(
                        measure,
                        months,
                        change,
                        |_| false,
                        &mut draws,
                    );
                    entered(&seen.kind, value, seen.step)
                };
                let number = |(whole, decimals): (i64, u32)| whole as f64 / POWERS_OF_TEN[decimals as usize];
                let exact = |(whole, decimals): (i64, u32)| Some(Decimal::new(whole, decimals));
                let disputed = third.as_ref().is_some_and(|(rule, compared)| {
                    (1..=*readers).any(|one| {
                        let first = (one < *readers).then(|| exact(read(compared, one))).flatten();
                        (one + 1..=*readers).any(|other| rule.disputed(first, exact(read(compared, other))))
                    })
                });
                let people = *readers + u32::from(disputed);
                if people == 3 {
                    let mut three = [1, 2, 3].map(|reader| number(read(seen, reader)));
                    three.sort_unstable_by(f64::total_cmp);
                    return three[1];
                }
                (1..=people).map(|reader| number(read(seen, reader))).sum::<f64>() / f64::from(people)
            }
        }
    }

    /// What is written down of a measure, in units of its last decimal.
    fn written(
        &self,
        noisy: &Noisy,
        occasion: u64,
        months: f64,
        held: Held,
        present: &dyn Fn(usize) -> bool,
    ) -> (i64, u32) {
        let Participant { streams, someone, .. } = *self.participant;
        let noise = streams.draws(someone.number, noisy.of.noise, occasion);
        let trajectory = self.trajectory(noisy.index);
        self.written_of(noisy, trajectory, months, held, present, noise)
    }

    fn written_of(
        &self,
        noisy: &Noisy,
        trajectory: Trajectory,
        months: f64,
        held: Held,
        present: &dyn Fn(usize) -> bool,
        noise: Draws,
    ) -> (i64, u32) {
        let virtuals = &self.participant.plan.study.virtual_cohort;
        let process = &virtuals.measures[noisy.index];
        let skin_change =
            if process.per_skin_point == 0.0 { 0.0 } else { self.skin_change(months, held.effect_points) };
        let named =
            |name: &str| virtuals.reactions.iter().position(|one| one.name == name).is_some_and(present);
        let value = trajectory.observe_with(process, months, skin_change, named, &mut noisy.of.own(noise));
        entered(&noisy.kind, value.max(noisy.bounds.0).min(noisy.bounds.1), noisy.step)
    }

    /// The score of a questionnaire that is filled in for the scores that are followed.
    fn scored(
        &self,
        score: &Score,
        occasion: u64,
        months: f64,
        held: Held,
        present: &dyn Fn(usize) -> bool,
    ) -> f64 {
        let Participant { streams, someone, .. } = *self.participant;
        let wanted = |item: &str| {
            let (_, noisy) = score.followed.iter().find(|(id, _)| id.as_str() == item)?;
            let (whole, decimals) = self.written(noisy, occasion, months, held, present);
            Some(whole as f64 / POWERS_OF_TEN[decimals as usize])
        };
        let wanted_in = [(score.items, occasion), (self.measured.care, occasion)];
        let [mut draws, care] = streams.draws_of(someone.number, wanted_in);
        let is_corrected = score.is_changed && self.care_of(care).wrong;
        let scored = if is_corrected { score.scored_corrected } else { score.scored };
        if let Some(scored) = scored
            && let Some(wanted) = wanted(&score.output)
        {
            return scored(wanted, &mut draws);
        }
        let mut filled = questionnaires::fill(&score.form, &wanted, &|_| None, &mut draws);
        let first = filled.iter_mut().min_by(|one, other| one.0.cmp(&other.0));
        if let Some((item, value)) = first.filter(|_| is_corrected) {
            let most = score.form.item(item.as_str()).and_then(|item| item.maximum);
            corrected(value, most.unwrap_or(Decimal::MAX));
        }
        let answers = |wanted: &str| {
            let found = filled.iter().find(|(item, _)| item.as_str() == wanted);
            found.map(|(_, value)| Answer::Given(value.clone()))
        };
        let scores = score.instrument.score(&answers, &Context::default());
        let own = scores.into_iter().find(|one| one.item == score.output);
        own.and_then(|one| one.result.ok()?.as_f64()).unwrap_or(f64::NAN)
    }

    /// What the form derives from what is entered for a followed percent of predicted.
    fn derived_percent(&self, behind: &Behind, occasion: u64, day: i32, followed: (i64, u32)) -> f64 {
        let Participant { plan, streams, someone, .. } = *self.participant;
        let body = self
            .participant
            .body
            .get_or_init(|| BodyEntered::of(plan.study, streams, &plan.process, someone, &plan.calendar));
        let days = day - someone.screened;
        let haemoglobin = behind.haemoglobin.as_ref().map(|item| {
            let measure = &plan.study.virtual_cohort.measures[item.index];
            let of = MeasureStreams::of(item.index);
            let mut draws = of.own(streams.draws(someone.number, of.noise, occasion));
            let trajectory = self.trajectory(item.index);
            item.entered(
                trajectory.observe_with(measure, months(days), 0.0, |_| false, &mut draws),
                measure.step,
            )
        });
        let corrected = self.measured.corrected && self.is_corrected(occasion);
        let look = Look { days, known: None, corrected };
        let percent = behind.percent(plan.study, body, &look, followed, haemoglobin);
        percent.and_then(|percent| Value::Decimal(percent).as_f64()).unwrap_or(f64::NAN)
    }

    fn trajectory(&self, index: usize) -> Trajectory {
        self.participant.trajectory(index)
    }

    fn skin_change(&self, months: f64, effect_points: f64) -> f64 {
        let Participant { plan, someone, .. } = *self.participant;
        plan.study
            .virtual_cohort
            .skin
            .as_ref()
            .map_or(0.0, |skin| someone.natural.at(skin, months, effect_points) - someone.natural.start)
    }

    fn is_corrected(&self, occasion: u64) -> bool {
        let Participant { streams, someone, .. } = *self.participant;
        self.care_of(streams.draws(someone.number, self.measured.care, occasion)).wrong
    }

    /// A correction raises the first site by a point, or lowers it from 3.
    fn correction_of_site(&self, total: i64, site: usize, weights: &[f64]) -> i64 {
        let Participant { plan, streams, someone, .. } = *self.participant;
        let mut draws = streams.draws(someone.number, plan.process.skin_sites, 0);
        let (mut few, mut many) = ([0; SITES_USUALLY], Vec::new());
        let scores = if weights.len() <= SITES_USUALLY {
            &mut few[..weights.len()]
        } else {
            many.resize(weights.len(), 0);
            &mut many[..]
        };
        spread_over(total, weights, &mut draws, scores);
        if scores[site] < 3 { 1 } else { -1 }
    }
}

/// As many sites as the skin score has.
const SITES_USUALLY: usize = 17;

/// A correction raises a number by its last digit, or lowers it from its limit; a code stays.
fn corrected(value: &mut Value, most: Decimal) {
    match value {
        Value::Integer(whole) => *whole += if Decimal::from(*whole) < most { 1 } else { -1 },
        Value::Decimal(decimal) => {
            let step = Decimal::new(1, decimal.scale());
            *decimal = if *decimal + step <= most { *decimal + step } else { *decimal - step };
        }
        _ => {}
    }
}

impl Participant<'_> {
    /// Level and slope of a measure, by its place in the cohort's list.
    pub(super) fn trajectory(&self, index: usize) -> Trajectory {
        let known = self.levels.get(index);
        if let Some(known) = known.and_then(Cell::get) {
            return known;
        }
        let Participant { plan, streams, someone, .. } = *self;
        let of = MeasureStreams::of(index);
        let level = streams.draws_of(someone.number, [of.start, of.slope]);
        let trajectory = someone.trajectory(&plan.study.virtual_cohort.measures[index], index, level);
        if let Some(known) = known {
            known.set(Some(trajectory));
        }
        trajectory
    }

    /// The skin's total as it stands after corrections, at a visit before the first dose.
    pub(super) fn skin_on_the_way_in(&self, measured: &Measured, occasion: u64, day: i32) -> i64 {
        let scene = Scene { participant: self, measured, episodes: &[], stopped: None };
        scene.seen(occasion, Held { day, effect_points: 0.0 }, false) as i64
    }
}

/// What an assessor sees of the skin.
pub(crate) struct SkinSeen<'a> {
    pub(crate) plan: &'a super::FastPlan<'a>,
    pub(crate) blinded: bool,
}

impl SkinSeen<'_> {
    /// The total, given the stream of the visit's assessment.
    #[inline]
    pub(crate) fn total(
        &self,
        skin: &SkinProcess,
        true_score: f64,
        swollen: bool,
        sites: usize,
        mut assessment: Draws,
    ) -> i64 {
        let assessment = Assessment::draw(&mut assessment);
        let changes = assessment.changes(self.plan.study.virtual_cohort.conduct.assessor_change);
        observe_skin(&assessment, skin, true_score, swollen, changes && self.blinded, sites)
    }
}

/// Draws the episodes of the reactions that matter; `first` is the stream of the first of them.
pub(crate) fn episodes_that_matter(
    participant: &Participant<'_>,
    first: Draws,
    days: i32,
    episodes: &mut Vec<Episode>,
) {
    let Participant { plan, streams, someone, arm, .. } = *participant;
    episodes.clear();
    let mut first = Some(first);
    for &index in &plan.reactions {
        let own = || streams.draws(someone.number, plan.process.reaction, index as u64);
        let mut draws = first.take().unwrap_or_else(own);
        let reaction = &plan.study.virtual_cohort.reactions[index];
        let (on_drug, share) = (plan.arms[arm].has_drug_reactions, plan.arms[arm].reaction_shares[index]);
        let share = pharmacology::reaction_share(plan.study, streams, someone.number, on_drug, share);
        draw_reaction(&mut draws, index, reaction, share, days, episodes);
    }
}
