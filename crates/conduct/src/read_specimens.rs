//! Specimens: coded when taken, read blind in random order, locked before the key is joined.

use std::collections::{BTreeMap, BTreeSet};

use instruments::skin_biopsy_pair;
use protocol::{
    expression::{ItemRef, Scope},
    model::{BlindReading, Derivation, Form, Item, Severity, Study},
};
use rand_core::CryptoRng;
use record::{Content, Draft, Fact, FormKey, ItemChange, PairKey, Reading, Source, SpecimenKey, Stream};
use terms::*;

use crate::{
    Command, Means, Refusal, State,
    casebook::Casebook,
    decide::{Case, found, need, program, study_draft},
    digest::Digest,
    save_form::need_sound_answer,
    schedule::{is_scheduled, scheduled_visit},
};

/// Letters and digits that are not mistaken for one another on a label.
const CODE_LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const CODE_LENGTH: usize = 6;

pub(crate) fn take_specimen(
    mut case: Case<'_>,
    means: &mut Means<'_>,
    visit: &VisitId,
) -> Result<Vec<Draft>, Refusal> {
    let date = case.day()?;
    let plan = need_plan(case.study)?;
    case.need_participation()?;
    case.need_current_consent(date)?;
    case.need_held(visit)?;
    let planned = scheduled_visit(case.study, visit);
    let asked = planned.is_some_and(|planned| is_scheduled(case.study, planned, &plan.taken_on));
    need(asked, || Refusal::FormNotScheduled { form: plan.taken_on.clone(), visit: visit.clone() })?;
    let twice = case.casebook.specimens.contains_key(visit);
    need(!twice, || Refusal::SpecimenAlreadyTaken { visit: visit.clone() })?;
    need(case.state.reading.order.is_empty(), || Refusal::OrderAlreadyDrawn)?;
    let state = case.state;
    let is_new = |code: &SpecimenCode| {
        !state.specimens.contains_key(code) && !state.reading.repeats.contains_key(code)
    };
    let code = draw_code(means.random, is_new);
    case.say(Fact::SpecimenTaken { visit: visit.clone(), specimen: Content::new(code.to_string()) });
    Ok(case.drafts)
}

/// Lays out all slides, the repeated ones under second codes, so that no participant's slides are neighbours.
pub(crate) fn draw_reading_order(
    study: &Study,
    state: &State,
    command: &Command,
    means: &mut Means<'_>,
) -> Result<Vec<Draft>, Refusal> {
    let plan = need_plan(study)?;
    need(state.reading.order.is_empty(), || Refusal::OrderAlreadyDrawn)?;
    for casebook in state.walk().filter(|casebook| casebook.enrolled.is_some()) {
        let over = casebook.treatment_end.is_some() || casebook.participation_end.is_some();
        need(over, || Refusal::SpecimenStillPossible { subject: casebook.subject.clone() })?;
    }
    let mut key = state.specimen_key();
    need(!key.is_empty(), || Refusal::NoSpecimens)?;
    let repeats = draw_repeats(plan, &key, means.random);
    key.extend(repeats.clone());
    let codes = shuffled_apart(&key, means.random)?;
    let (pair_key, pair_repeats) = draw_pairs(plan, state, &key, means.random);
    let pairs = pairs_apart(&pair_key, means.random)?;
    let all = codes.iter().chain(&pairs);
    let digest = all.fold(Digest::of("reading order"), |digest, code| digest.text(code.as_str())).hex();
    let repeats = repeats.into_iter().map(|(code, key)| (code, Content::new(key))).collect();
    let pair_key = pair_key.into_iter().map(|(code, key)| (code, Content::new(key))).collect();
    let fact = Fact::ReadingOrderDrawn { codes, repeats, pairs, pair_key, pair_repeats, digest };
    Ok(vec![study_draft(command, Stream::Study, None, fact)])
}

pub(crate) fn read_specimen(
    study: &Study,
    state: &State,
    command: &Command,
    (code, reader, answers): (&SpecimenCode, u32, &[(ItemId, Answer)]),
) -> Result<Vec<Draft>, Refusal> {
    let plan = need_plan(study)?;
    let reading = &state.reading;
    need(!reading.order.is_empty(), || Refusal::OrderNotDrawn)?;
    need(reading.locked.is_none(), || Refusal::ReadingsLocked)?;
    let known = reading.order.contains(code) || reading.pairs.contains(code);
    need(known, || Refusal::UnknownSlide { code: code.clone() })?;
    let readers = plan.people();
    need((1..=readers).contains(&reader), || Refusal::UnknownReader { reader, readers })?;
    for ((_, number), taken) in &reading.readings {
        let same_person = taken.by.person == command.by.person;
        need(same_person == (*number == reader), || Refusal::OtherReader { reader })?;
    }
    let decides = reader > plan.readers;
    if decides {
        // Which slides are in dispute is known once everybody has read all of them.
        let missing = first_readings_missing(plan, state);
        need(missing == 0, || Refusal::ReadersNotThrough { missing })?;
    }
    let next = found(next_slide(study, state, reader), || Refusal::AllSlidesRead { reader })?;
    need(next == *code, || Refusal::NotTheNextSlide { reader, next: next.clone() })?;
    let answers = sound_reading(study, form_for(plan, state, code), answers)?;
    let fact = Fact::SpecimenRead { code: code.clone(), reader, reading: Reading { answers } };
    Ok(vec![study_draft(command, Stream::Study, None, fact)])
}

pub(crate) fn lock_readings(study: &Study, state: &State, command: &Command) -> Result<Vec<Draft>, Refusal> {
    let plan = need_plan(study)?;
    let reading = &state.reading;
    need(!reading.order.is_empty(), || Refusal::OrderNotDrawn)?;
    need(reading.locked.is_none(), || Refusal::ReadingsLocked)?;
    let missing = first_readings_missing(plan, state);
    let undecided = disputed_slides(study, state).len();
    need(missing + undecided == 0, || Refusal::ReadingsIncomplete { missing: missing + undecided })?;
    let digest = reading.readings.iter().fold(Digest::of("readings"), |digest, ((code, reader), taken)| {
        digest.text(code.as_str()).number(u64::from(*reader)).number(taken.sequence)
    });
    let fact = Fact::ReadingsLocked { digest: digest.hex() };
    Ok(vec![study_draft(command, Stream::Study, None, fact)])
}

/// Returns the slide or pair that a reader reads next: each slide in the order drawn, then the pairs; of the
/// reader who decides, what lies in dispute. Pairs come last, since they tell which slides belong together.
pub fn next_slide(study: &Study, state: &State, reader: u32) -> Option<SpecimenCode> {
    left_to_read(study, state, reader).into_iter().next()
}

/// Returns what a reader has left to read, in order.
pub fn left_to_read(study: &Study, state: &State, reader: u32) -> Vec<SpecimenCode> {
    let Some(plan) = &study.blind_reading else { return Vec::new() };
    if reader > plan.readers {
        return disputed_slides(study, state);
    }
    let read = |code: &SpecimenCode| state.reading.readings.contains_key(&(code.clone(), reader));
    state.reading.order.iter().chain(&state.reading.pairs).filter(|code| !read(code)).cloned().collect()
}

/// Returns the form that is filled for a code: that of slides or that of pairs.
pub fn reading_form<'a>(study: &'a Study, state: &State, code: &SpecimenCode) -> Option<&'a Form> {
    let plan = study.blind_reading.as_ref()?;
    study.form(form_for(plan, state, code).as_str())
}

fn form_for<'a>(plan: &'a BlindReading, state: &State, code: &SpecimenCode) -> &'a FormId {
    let pairs = plan.pairs.as_ref().filter(|_| state.reading.pairs.contains(code));
    pairs.map_or(&plan.read_on, |pairs| &pairs.read_on)
}

/// Joins the key. The readers' mean of each slide's first reading becomes a derived value of its participant's visit.
pub(crate) fn join_reading_key(
    study: &Study,
    state: &State,
    command: &Command,
) -> Result<Vec<Draft>, Refusal> {
    let plan = need_plan(study)?;
    need(state.reading.locked.is_some(), || Refusal::ReadingsNotLocked)?;
    need(state.reading.key.is_none(), || Refusal::KeyAlreadyJoined)?;
    let key = state.specimen_key();
    let contents = key.iter().map(|(code, key)| (code.clone(), Content::new(key.clone()))).collect();
    let mut drafts =
        vec![study_draft(command, Stream::Study, None, Fact::ReadingKeyJoined { key: contents })];
    let Some(form) = study.form(plan.read_on.as_str()) else { return Ok(drafts) };
    let first = |code: &&SpecimenCode| !state.reading.pair_repeats.contains(*code);
    for (code, pair) in state.reading.pair_key.iter().filter(|(code, _)| first(code)) {
        let form = reading_form(study, state, code);
        if let Some((form, casebook)) = form.zip(state.casebook(pair.subject.as_str())) {
            drafts.extend(joined_values((study, state), command, casebook, form, code, &pair.later));
        }
    }
    for (code, at) in key.iter().filter(|(code, _)| !state.reading.repeats.contains_key(*code)) {
        if let Some(casebook) = state.casebook(at.subject.as_str()) {
            drafts.extend(joined_values((study, state), command, casebook, form, code, &at.visit));
        }
    }
    Ok(drafts)
}

fn joined_values(
    (study, state): (&Study, &State),
    command: &Command,
    casebook: &Casebook,
    form: &Form,
    code: &SpecimenCode,
    visit: &VisitId,
) -> Option<Draft> {
    let readings: Vec<BTreeMap<ItemId, Answer>> = state
        .reading
        .readings
        .iter()
        .filter(|((read, _), _)| read == code)
        .map(|(_, taken)| with_key(state, form, code, &taken.answers))
        .collect();
    let readings: Vec<&BTreeMap<ItemId, Answer>> = readings.iter().collect();
    let readers = study.blind_reading.as_ref().map_or(0, |plan| plan.readers as usize);
    let decided = readings.len() > readers;
    let changes: Vec<ItemChange> = form
        .items
        .iter()
        .filter(|item| !readings.iter().any(|reading| rests_a_score_on(form, item, reading)))
        .filter_map(|item| {
            let answer = consensus(item, &readings, decided)?;
            let new = Content::new(answer);
            Some(ItemChange { item: item.id.clone(), old: None, new, source: Source::Derived })
        })
        .collect();
    let key = FormKey { visit: Some(visit.clone()), form: form.id.clone(), row: 0 };
    (!changes.is_empty()).then(|| Draft {
        stream: Stream::Subject(casebook.subject.clone()),
        by: program(),
        site: Some(casebook.site.clone()),
        happened: command.happened,
        reason: None,
        fact: Fact::FormSectionSaved { key, changes },
    })
}

/// Returns a reading with what the key adds to it: where the later slide of a pair lay, and what follows from that.
pub fn with_key(
    state: &State,
    form: &Form,
    code: &SpecimenCode,
    answers: &BTreeMap<ItemId, Answer>,
) -> BTreeMap<ItemId, Answer> {
    let mut answers = answers.clone();
    if let Some(pair) = state.reading.pair_key.get(code) {
        let side = if pair.later_left { "left" } else { "right" };
        answers.insert(skin_biopsy_pair::LATER_SIDE.into(), Answer::Given(Value::Code(side.to_owned())));
        let scored = scores(form, &|item| answers.get(item).cloned());
        answers.extend(scored);
    }
    answers
}

/// Returns the slides and pairs that lie in dispute between the readers and await the one who decides, in the order drawn.
pub fn disputed_slides(study: &Study, state: &State) -> Vec<SpecimenCode> {
    let Some(plan) = &study.blind_reading else { return Vec::new() };
    let decided =
        |code: &SpecimenCode| state.reading.readings.contains_key(&(code.clone(), plan.readers + 1));
    let order = state.reading.order.iter().chain(&state.reading.pairs);
    order.filter(|code| disputed(plan, state, code) && !decided(code)).cloned().collect()
}

fn first_readings_missing(plan: &BlindReading, state: &State) -> usize {
    let first = state.reading.readings.keys().filter(|(_, reader)| *reader <= plan.readers).count();
    let slides = state.reading.order.len() + state.reading.pairs.len();
    (slides * plan.readers as usize).saturating_sub(first)
}

/// Says whether two of a slide's readers lie apart by as much as the plan allows no more.
fn disputed(plan: &BlindReading, state: &State, code: &SpecimenCode) -> bool {
    let Some(third) = &plan.third_reader else { return false };
    if state.reading.pairs.contains(code) {
        let mut said = (1..=plan.readers)
            .filter_map(|reader| state.reading.readings.get(&(code.clone(), reader)))
            .map(|taken| taken.answers.get(skin_biopsy_pair::CLEARER_SIDE));
        let first = said.next();
        return said.any(|other| Some(other) != first);
    }
    let values: Vec<Option<Decimal>> = (1..=plan.readers)
        .filter_map(|reader| state.reading.readings.get(&(code.clone(), reader)))
        .map(|taken| taken.answers.get(third.item.as_str()).and_then(Answer::value).and_then(Value::number))
        .collect();
    values
        .iter()
        .enumerate()
        .any(|(place, one)| values[place + 1..].iter().any(|other| third.disputed(*one, *other)))
}

/// The mean of the readers' numbers, or what they agree on; not scorable where they do not, or one has no value.
/// Where one more reader decided, the median of all numbers, or what most of them read.
fn consensus(item: &Item, readings: &[&BTreeMap<ItemId, Answer>], decided: bool) -> Option<Answer> {
    let answers: Vec<&Answer> = readings.iter().filter_map(|reading| reading.get(item.id.as_str())).collect();
    let first = *answers.first()?;
    if answers.iter().all(|answer| *answer == first) {
        return Some(first.clone());
    }
    let numbers: Vec<Decimal> =
        answers.iter().filter_map(|answer| answer.value().and_then(Value::number)).collect();
    let all_numbers = numbers.len() == answers.len();
    if decided {
        return Some(middle(&answers, numbers));
    }
    Some(if all_numbers {
        let mean = numbers.iter().sum::<Decimal>() / Decimal::from(numbers.len());
        Answer::Given(Value::Decimal(mean.normalize()))
    } else {
        Answer::Missing(MissingReason::NotScorable)
    })
}

/// The median of the numbers, the mean of the middle two if they are even; else the answer that most gave.
fn middle(answers: &[&Answer], mut numbers: Vec<Decimal>) -> Answer {
    if 2 * numbers.len() > answers.len() {
        numbers.sort_unstable();
        let half = numbers.len() / 2;
        let median = match numbers.len() % 2 {
            1 => numbers[half],
            _ => (numbers[half - 1] + numbers[half]) / Decimal::TWO,
        };
        return Answer::Given(Value::Decimal(median.normalize()));
    }
    let most = answers
        .iter()
        .find(|answer| 2 * answers.iter().filter(|other| other == answer).count() > answers.len());
    most.map_or(Answer::Missing(MissingReason::NotScorable), |answer| (**answer).clone())
}

#[cfg_attr(test, track_caller)]
fn need_plan(study: &Study) -> Result<&BlindReading, Refusal> {
    found(study.blind_reading.as_ref(), || Refusal::NoBlindReading)
}

fn sound_reading(
    study: &Study,
    form: &FormId,
    answers: &[(ItemId, Answer)],
) -> Result<BTreeMap<ItemId, Content<Answer>>, Refusal> {
    let unknown = || Refusal::UnknownForm { form: form.clone() };
    let form = study.form(form.as_str()).ok_or_else(unknown)?;
    let mut read = BTreeMap::new();
    for (item, answer) in answers {
        // What the key knows is not a reader's to say.
        let keys = form.instrument.as_deref() == Some(skin_biopsy_pair::ID)
            && *item == *skin_biopsy_pair::LATER_SIDE;
        need(!keys, || Refusal::ItemDerived { item: item.clone() })?;
        need_sound_answer(study, form, item, answer, false)?;
        let twice = read.insert(item.clone(), Content::new(answer.clone())).is_some();
        need(!twice, || Refusal::ItemTwice { item: item.clone() })?;
    }
    let missing = form.items.iter().filter(|item| item.required && item.derived.is_none());
    let items: Vec<ItemId> =
        missing.filter(|item| !read.contains_key(&item.id)).map(|item| item.id.clone()).collect();
    need(items.is_empty(), || Refusal::FormIncomplete { form: form.id.clone(), items })?;
    for check in form.checks.iter().filter(|check| check.severity == Severity::Hard) {
        let fires = check.when.truth(&Slide { answers }) == Truth::True;
        need(!fires, || Refusal::ReadingContradicts { check: check.id.clone() })?;
    }
    let given = |item: &str| answers.iter().find(|(id, _)| *id == *item).map(|(_, answer)| answer.clone());
    let pairs = form.instrument.as_deref() == Some(skin_biopsy_pair::ID);
    let scored = if pairs { Vec::new() } else { scores(form, &given) };
    read.extend(scored.into_iter().map(|(item, answer)| (item, Content::new(answer))));
    Ok(read)
}

/// Scores a reading by the form's instrument. A slide tells nothing of sex or age.
fn scores(form: &Form, answers: &dyn Fn(&str) -> Option<Answer>) -> Vec<(ItemId, Answer)> {
    let Some(instrument) = form.instrument.as_deref().and_then(instruments::by_id) else { return Vec::new() };
    let scored = instrument.score(answers, &instruments::Context::default());
    let outputs = form.items.iter().filter_map(|item| match &item.derived {
        Some(Derivation::Instrument { output }) => Some((item, output)),
        _ => None,
    });
    outputs
        .filter_map(|(item, output)| {
            let score = scored.iter().find(|score| score.item == output)?;
            let answer = match &score.result {
                Ok(value) => Answer::Given(value.clone()),
                Err(_) => Answer::Missing(MissingReason::NotScorable),
            };
            Some((item.id.clone(), answer))
        })
        .collect()
}

/// Says whether a score of the reading rests on an item: then the item says something of one reading alone.
pub fn rests_a_score_on(form: &Form, item: &Item, reading: &BTreeMap<ItemId, Answer>) -> bool {
    let with = scores(form, &|id| reading.get(id).cloned());
    let without = scores(form, &|id| reading.get(id).filter(|_| item.id != *id).cloned());
    item.derived.is_none() && with != without
}

/// What a check of the reading form may see: the reading, and nothing of participant or time.
struct Slide<'a> {
    answers: &'a [(ItemId, Answer)],
}

impl Scope for Slide<'_> {
    fn item(&self, reference: &ItemRef) -> Option<Answer> {
        self.answers.iter().find(|(item, _)| *item == reference.item).map(|(_, answer)| answer.clone())
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

// ---- chance ----

/// Draws a whole number below `bound`, each equally likely.
fn below(random: &mut dyn CryptoRng, bound: usize) -> usize {
    let bound = bound as u64;
    let accepted = u64::MAX - u64::MAX % bound;
    loop {
        let word = random.next_u64();
        if word < accepted {
            return (word % bound) as usize;
        }
    }
}

fn draw_code(random: &mut dyn CryptoRng, mut is_new: impl FnMut(&SpecimenCode) -> bool) -> SpecimenCode {
    loop {
        let letters: String =
            (0..CODE_LENGTH).map(|_| char::from(CODE_LETTERS[below(random, CODE_LETTERS.len())])).collect();
        let code = SpecimenCode::from(letters);
        if is_new(&code) {
            return code;
        }
    }
}

/// Gives a code of its own to the first and last slide of each participant who has both, on random sides, and a second code
/// to a share of the pairs, rounded up, on sides drawn anew. A pair alone is not compared again: it would be known.
fn draw_pairs(
    plan: &BlindReading,
    state: &State,
    key: &BTreeMap<SpecimenCode, SpecimenKey>,
    random: &mut dyn CryptoRng,
) -> (BTreeMap<SpecimenCode, PairKey>, Vec<SpecimenCode>) {
    let Some(pairs) = &plan.pairs else { return (BTreeMap::new(), Vec::new()) };
    let mut used: BTreeSet<SpecimenCode> = key.keys().cloned().collect();
    let mut drawn = BTreeMap::new();
    for casebook in state.walk() {
        let taken = |visit: &&VisitId| casebook.specimens.contains_key(*visit);
        let last = pairs.later.iter().filter(taken).max_by_key(|visit| casebook.visit_date(visit));
        let (Some(later), true) = (last, taken(&&pairs.earlier)) else { continue };
        let pair = PairKey {
            subject: casebook.subject.clone(),
            earlier: pairs.earlier.clone(),
            later: later.clone(),
            later_left: below(random, 2) == 0,
        };
        drawn.insert(draw_code(random, |code| used.insert(code.clone())), pair);
    }
    let count = if drawn.len() > 1 { (drawn.len() * plan.repeat_percent as usize).div_ceil(100) } else { 0 };
    let mut again: Vec<PairKey> = drawn.values().cloned().collect();
    shuffle(random, &mut again);
    let mut repeats = Vec::new();
    for pair in again.into_iter().take(count) {
        let code = draw_code(random, |code| used.insert(code.clone()));
        drawn.insert(code.clone(), PairKey { later_left: below(random, 2) == 0, ..pair });
        repeats.push(code);
    }
    repeats.sort_unstable();
    (drawn, repeats)
}

/// Lays out pairs so that no participant's two are neighbours.
fn pairs_apart(
    pairs: &BTreeMap<SpecimenCode, PairKey>,
    random: &mut dyn CryptoRng,
) -> Result<Vec<SpecimenCode>, Refusal> {
    let whose = |pair: &PairKey| SpecimenKey { subject: pair.subject.clone(), visit: pair.later.clone() };
    shuffled_apart(&pairs.iter().map(|(code, pair)| (code.clone(), whose(pair))).collect(), random)
}

fn shuffle<T>(random: &mut dyn CryptoRng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(random, last + 1));
    }
}

/// Gives a share of the slides, rounded up, a second code.
fn draw_repeats(
    plan: &BlindReading,
    key: &BTreeMap<SpecimenCode, SpecimenKey>,
    random: &mut dyn CryptoRng,
) -> BTreeMap<SpecimenCode, SpecimenKey> {
    let count = (key.len() * plan.repeat_percent as usize).div_ceil(100).min(key.len());
    let mut used: BTreeSet<SpecimenCode> = key.keys().cloned().collect();
    let mut specimens: Vec<&SpecimenKey> = key.values().collect();
    shuffle(random, &mut specimens);
    specimens
        .into_iter()
        .take(count)
        .map(|specimen| (draw_code(random, |code| used.insert(code.clone())), specimen.clone()))
        .collect()
}

/// Tries before the slides are dealt out instead of shuffled. A shuffle of two slides each succeeds about once in three.
const SHUFFLES_MAX: usize = 1_000;

/// Puts codes in random order with no two slides of a participant side by side.
fn shuffled_apart(
    key: &BTreeMap<SpecimenCode, SpecimenKey>,
    random: &mut dyn CryptoRng,
) -> Result<Vec<SpecimenCode>, Refusal> {
    let mut slides: Vec<(&SubjectId, &SpecimenCode)> =
        key.iter().map(|(code, key)| (&key.subject, code)).collect();
    let mut counts: BTreeMap<&SubjectId, usize> = BTreeMap::new();
    for (subject, _) in &slides {
        *counts.entry(subject).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or(0);
    need(most <= slides.len().div_ceil(2), || Refusal::SlidesNotSeparable)?;
    let apart = |slides: &[(&SubjectId, &SpecimenCode)]| slides.windows(2).all(|pair| pair[0].0 != pair[1].0);
    for _ in 0..SHUFFLES_MAX {
        shuffle(random, &mut slides);
        if apart(&slides) {
            return Ok(slides.into_iter().map(|(_, code)| code.clone()).collect());
        }
    }
    // Deals the participants with most slides first onto every other place, then the rest between.
    slides.sort_by_key(|(subject, _)| (std::cmp::Reverse(counts[*subject]), *subject));
    let places = (0..slides.len()).step_by(2).chain((1..slides.len()).step_by(2));
    let mut dealt: Vec<_> = places.zip(slides).collect();
    dealt.sort_by_key(|(place, _)| *place);
    Ok(dealt.into_iter().map(|(_, (_, code))| code.clone()).collect())
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    use super::*;

    fn key(slides: &[(&str, usize)]) -> BTreeMap<SpecimenCode, SpecimenKey> {
        let each = slides.iter().flat_map(|(subject, count)| (0..*count).map(move |n| (*subject, n)));
        each.map(|(subject, n)| {
            let code = SpecimenCode::from(format!("{subject}{n}"));
            (code, SpecimenKey { subject: SubjectId::from(subject), visit: VisitId::from(format!("M{n}")) })
        })
        .collect()
    }

    fn neighbours(key: &BTreeMap<SpecimenCode, SpecimenKey>, order: &[SpecimenCode]) -> usize {
        order.windows(2).filter(|pair| key[&pair[0]].subject == key[&pair[1]].subject).count()
    }

    #[test]
    fn no_participant_has_two_slides_side_by_side() {
        let key = key(&[("a", 2), ("b", 3), ("c", 2), ("d", 1)]);
        for seed in 0..200 {
            let order = shuffled_apart(&key, &mut ChaCha20Rng::seed_from_u64(seed)).unwrap();
            assert_eq!(order.len(), key.len());
            assert_eq!(neighbours(&key, &order), 0, "{order:?}");
        }
    }

    #[test]
    fn slides_that_only_one_pattern_keeps_apart_are_dealt_into_it() {
        let key = key(&[("a", 13), ("b", 6), ("c", 6)]);
        let order = shuffled_apart(&key, &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
        assert_eq!(neighbours(&key, &order), 0, "{order:?}");
    }

    #[test]
    fn slides_of_one_participant_alone_cannot_be_kept_apart() {
        let refused = shuffled_apart(&key(&[("a", 3), ("b", 1)]), &mut ChaCha20Rng::seed_from_u64(1));
        assert_eq!(refused, Err(Refusal::SlidesNotSeparable));
    }

    #[test]
    fn the_order_depends_on_the_random_stream_alone() {
        let key = key(&[("a", 2), ("b", 2), ("c", 2), ("d", 2)]);
        let order = |seed| shuffled_apart(&key, &mut ChaCha20Rng::seed_from_u64(seed)).unwrap();
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }
}
