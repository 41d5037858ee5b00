//! A virtual person: body, disease, reactions. Nobody at a site sees this; they
//! see what the person's measurements show.

use jiff::Span;
use protocol::model::{Cohort, MeasureProcess, Reaction, SkinProcess, Spread, Study, VirtualCohort};
use terms::{ArmId, Date, SiteId};

use crate::{
    course::{self, DAYS_A_MONTH},
    pharmacology,
    streams::{Draws, Process, Streams},
};

/// The fixed traits of a person.
#[derive(Clone, Debug)]
pub struct Person {
    /// Order of arrival, from 1: the key of the person's streams.
    pub number: u64,
    /// Whether the person is a woman.
    pub female: bool,
    /// Day of birth.
    pub born: Date,
    /// Height in cm.
    pub height_cm: f64,
    /// First symptom other than Raynaud's.
    pub onset: Date,
    /// Months from onset to screening.
    pub onset_months: f64,
    /// Whether there is interstitial lung disease.
    pub ild: bool,
    /// The stratum, where the study has strata.
    pub stratum: Option<String>,
    /// True skin score before screening.
    pub skin_start: f64,
    /// The person's own change of the true score by month 12 without drug.
    pub skin_change_12: f64,
}

/// One episode of a reaction, in days from the first dose.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// Which reaction (index into the cohort's list).
    pub reaction: usize,
    /// First day, from 0.
    pub from_day: i32,
    /// Last day.
    pub to_day: i32,
    /// CTCAE grade, 1 to 4.
    pub grade: u8,
    /// Whether the investigator changes the dose for it.
    pub changes_dose: bool,
}

/// Draws a normal number within its limits.
pub fn spread(draws: &mut Draws, spread: &Spread) -> f64 {
    within(draws.normal(), spread)
}

/// The number within its limits that a standard normal one leads to.
#[inline(always)]
pub(crate) fn within(normal: f64, spread: &Spread) -> f64 {
    let drawn = spread.mean + spread.sd * normal;
    drawn.max(spread.min.unwrap_or(f64::NEG_INFINITY)).min(spread.max.unwrap_or(f64::INFINITY))
}

/// A person's body: age and height.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body {
    pub(crate) age_years: f64,
    pub(crate) height_cm: f64,
}

impl Body {
    pub(crate) fn draw(draws: &mut Draws, cohort: &Cohort, female: bool) -> Self {
        let age_years = spread(draws, &cohort.age);
        let height = if female { &cohort.height_female } else { &cohort.height_male };
        Self { age_years, height_cm: spread(draws, height) }
    }
}

/// What much else hangs on: how long a person has been ill, lung disease, sex.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    pub(crate) onset_months: f64,
    pub(crate) ild: bool,
    pub(crate) female: bool,
}

impl Traits {
    pub(crate) fn draw(draws: &mut Draws, cohort: &Cohort) -> Self {
        let onset_months = draws.lognormal(cohort.onset_median_months, cohort.onset_sigma);
        Self { onset_months, ild: draws.chance(cohort.ild), female: draws.chance(cohort.female) }
    }

    /// Days from the first symptom to screening.
    pub(crate) fn onset_days(&self) -> f64 {
        self.onset_months * DAYS_A_MONTH
    }
}

/// A person's true skin score without drug.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NaturalCourse {
    /// Before screening.
    pub(crate) start: f64,
    /// Change by month 12.
    pub(crate) change_12: f64,
}

impl NaturalCourse {
    pub(crate) fn draw(draws: &mut Draws, skin: &SkinProcess, between_sd: f64, onset_months: f64) -> Self {
        let start = spread(draws, &skin.start);
        Self::of(skin, between_sd, onset_months, start, draws.normal())
    }

    /// The course of somebody with that score before screening; what chance adds to the change is a standard normal number.
    #[inline(always)]
    pub(crate) fn of(
        skin: &SkinProcess,
        between_sd: f64,
        onset_months: f64,
        start: f64,
        normal: f64,
    ) -> Self {
        let mean = skin.intercept
            + skin.per_point * (start - skin.centre_points)
            + skin.per_month * (onset_months - skin.centre_months);
        let change_12 = mean.clamp(skin.change_min, skin.change_max) + between_sd * normal;
        Self { start, change_12 }
    }

    /// The true score `months` after screening, without oedema, given the drug's effect so far.
    #[inline(always)]
    pub(crate) fn at(&self, skin: &SkinProcess, months: f64, effect_points: f64) -> f64 {
        (self.start + self.change_12 * share_of_change(months, skin.share_by_month_6) + effect_points)
            .clamp(0.0, 51.0)
    }
}

/// The standard deviation between participants in a setting.
pub(crate) fn between_sd(skin: &SkinProcess, setting: &str) -> f64 {
    skin.settings.iter().find(|(name, _)| name == setting).map_or(0.0, |(_, sd)| *sd)
}

impl Person {
    /// Draws the person who arrives as number `number` on `arrival`.
    pub fn draw(study: &Study, streams: &Streams, number: u64, arrival: Date) -> Self {
        let virtuals = &study.virtual_cohort;
        let cohort = &virtuals.cohort;
        let traits = Traits::draw(&mut streams.of(number, "traits", 0), cohort);
        let body = Body::draw(&mut streams.of(number, "body", 0), cohort, traits.female);
        let natural = virtuals.skin.as_ref().map(|skin| {
            let between_sd = between_sd(skin, &virtuals.setting);
            NaturalCourse::draw(&mut streams.of(number, "skin", 0), skin, between_sd, traits.onset_months)
        });
        let natural = natural.unwrap_or(NaturalCourse { start: 0.0, change_12: 0.0 });
        Self {
            number,
            female: traits.female,
            born: born(arrival, body.age_years),
            height_cm: body.height_cm,
            onset: days_before(arrival, traits.onset_days()),
            onset_months: traits.onset_months,
            ild: traits.ild,
            stratum: draw_stratum(streams, number, cohort),
            skin_start: natural.start,
            skin_change_12: natural.change_12,
        }
    }

    /// Returns the true skin score `months` after screening, without oedema, given the drug's effect so far.
    pub fn skin_at(&self, skin: &SkinProcess, months: f64, effect_points: f64) -> f64 {
        let natural = NaturalCourse { start: self.skin_start, change_12: self.skin_change_12 };
        natural.at(skin, months, effect_points)
    }

    /// Returns the age on a day, in completed years.
    pub fn age_on(&self, day: Date) -> i64 {
        i64::from(terms::months_between(self.born, day) / 12)
    }
}

/// The day of birth of somebody who arrives at an age.
pub(crate) fn born(arrival: Date, age_years: f64) -> Date {
    days_before(arrival, age_years * 365.25)
}

/// Share of the 12-month change reached after `months`: straight to month 6, then to month 12, then level.
#[inline(always)]
pub fn share_of_change(months: f64, share_by_month_6: f64) -> f64 {
    let months = months.clamp(0.0, 12.0);
    if months <= 6.0 {
        share_by_month_6 * months / 6.0
    } else {
        share_by_month_6 + (1.0 - share_by_month_6) * (months - 6.0) / 6.0
    }
}

/// Points of a drug effect after `months` on drug; `factor` is the share of the full dose taken, or what kinetics make of it.
pub fn effect_points(virtuals: &VirtualCohort, months_on_drug: f64, factor: f64) -> f64 {
    let Some(effect) = virtuals.effects.iter().find(|effect| effect.name == virtuals.effect) else {
        return 0.0;
    };
    let half = effect.month / 2.0;
    let share = if effect.month <= 0.0 {
        1.0
    } else if months_on_drug <= half {
        effect.share_at_half * months_on_drug.max(0.0) / half
    } else {
        let after = ((months_on_drug - half) / half).min(1.0);
        effect.share_at_half + (1.0 - effect.share_at_half) * after
    };
    effect.points * share * factor
}

/// Draws all episodes of a person's reactions on an arm over `days` of treatment.
///
/// A person has at least one episode with the arm's share; the first begins
/// after an exponential wait, cut at the end of treatment so that the share is
/// that of persons with an event *under treatment*.
pub fn draw_episodes(study: &Study, streams: &Streams, person: u64, arm: &ArmId, days: i32) -> Vec<Episode> {
    let mut episodes = Vec::new();
    let reactions = &study.virtual_cohort.reactions;
    for (index, reaction) in reactions.iter().enumerate() {
        let share = share_of_reaction(study, reaction, arm);
        let share =
            pharmacology::reaction_share(study, streams, person, has_drug_reactions(study, arm), share);
        draw_reaction(
            &mut streams.of(person, "reaction", index as u64),
            index,
            reaction,
            share,
            days,
            &mut episodes,
        );
    }
    in_order(&mut episodes);
    episodes
}

/// Puts episodes in the order in which they begin.
pub(crate) fn in_order(episodes: &mut [Episode]) {
    // Of one reaction on one day the one drawn first comes first.
    episodes.sort_by_key(|episode| (episode.from_day, episode.reaction));
}

/// Says whether what participants on an arm have is the drug's reactions, rather than what a control has, too.
pub(crate) fn has_drug_reactions(study: &Study, arm: &ArmId) -> bool {
    let virtuals = &study.virtual_cohort;
    let toxic = virtuals.effects.iter().all(|effect| effect.name != virtuals.effect || effect.toxic);
    toxic && study.arms.iter().any(|one| one.id == *arm && !one.control)
}

/// Share of the participants on an arm who have a reaction at least once.
///
/// An inert drug has the control's events; a one-arm study has no control and keeps none.
pub(crate) fn share_of_reaction(study: &Study, reaction: &Reaction, arm: &ArmId) -> f64 {
    let virtuals = &study.virtual_cohort;
    let control = study.arms.iter().find(|candidate| candidate.control);
    let harmless = virtuals.effects.iter().any(|effect| effect.name == virtuals.effect && !effect.toxic);
    let felt = if harmless { control.map(|arm| &arm.id) } else { Some(arm) };
    felt.and_then(|arm| reaction.share.iter().find(|(id, _)| id == arm)).map_or(0.0, |share| share.1)
}

/// Adds a person's episodes of one reaction.
#[inline]
pub(crate) fn draw_reaction(
    draws: &mut Draws,
    index: usize,
    reaction: &Reaction,
    share: f64,
    days: i32,
    episodes: &mut Vec<Episode>,
) {
    if draws.chance(share) {
        draw_course(draws, index, reaction, days, episodes);
    }
}

fn draw_course(draws: &mut Draws, index: usize, reaction: &Reaction, days: i32, episodes: &mut Vec<Episode>) {
    // An exponential wait, truncated to the treatment by its distribution function.
    let rate = std::f64::consts::LN_2 / reaction.onset_median_days;
    let within = 1.0 - libm::exp(-rate * f64::from(days));
    let mut from = -libm::log(1.0 - draws.uniform() * within) / rate;
    loop {
        let length = draws.exponential_of_median(reaction.duration_median_days).max(1.0);
        let grade = draws.weighted(reaction.grades) as u8 + 1;
        let changes_dose = grade >= 3 || draws.chance(reaction.dose_change);
        let from_day = from as i32;
        episodes.push(Episode {
            reaction: index,
            from_day,
            to_day: from_day + length as i32,
            grade,
            changes_dose,
        });
        if !draws.chance(reaction.again) {
            return;
        }
        from += length + 1.0 + draws.exponential_of_median(reaction.onset_median_days.max(7.0));
        if from >= f64::from(days) {
            return;
        }
    }
}

/// Where the draws of a measure stand. Two neighbours in the cohort's list share their blocks: what is observed of many
/// people is asked of many measures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MeasureStreams {
    /// Of starts, and their occasion.
    pub(crate) start: (Process, u64),
    pub(crate) slope: (Process, u64),
    /// Of the noise at a visit.
    pub(crate) noise: Process,
    /// The word from which the measure's own number stands in each.
    pub(crate) word: usize,
}

impl MeasureStreams {
    pub(crate) const fn of(index: usize) -> Self {
        let pair = index as u64 / 2;
        Self {
            start: (Process::named("measure start"), pair),
            slope: (Process::named("measure slope"), pair),
            noise: Process::named("measure noise").numbered(pair),
            word: 2 * (index % 2),
        }
    }

    /// The noise of the measure, of a stream of noise.
    #[inline]
    pub(crate) fn own(&self, draws: Draws) -> Draws {
        draws.from_word(self.word)
    }
}

/// A measured quantity of a person: its own level and slope, drawn once.
#[derive(Clone, Copy, Debug)]
pub struct Trajectory {
    start: f64,
    yearly: f64,
}

impl Trajectory {
    /// Draws a person's level and slope of a measure (`index` in the cohort's list).
    pub fn draw(streams: &Streams, person: &Person, process: &MeasureProcess, index: usize) -> Self {
        let of = MeasureStreams::of(index);
        let level = streams.draws_of(person.number, [of.start, of.slope]);
        Self::of_traits(level.map(|draws| of.own(draws)), process, person.ild, person.female)
    }

    /// Draws level and slope, from the measure's own words on, for somebody with or without interstitial lung disease,
    /// woman or man.
    #[inline]
    pub(crate) fn of_traits(
        [mut start, mut slope]: [Draws; 2],
        process: &MeasureProcess,
        ild: bool,
        female: bool,
    ) -> Self {
        let mut start_spread = &process.start;
        if let (Some(of_ild), true) = (&process.start_ild, ild) {
            start_spread = of_ild;
        } else if let (Some(male), false) = (&process.start_male, female) {
            start_spread = male;
        }
        let (yearly, sd) = match (process.yearly_ild, ild) {
            (Some(yearly), true) => (yearly, process.yearly_sd_ild.unwrap_or(process.yearly_sd)),
            _ => (process.yearly, process.yearly_sd),
        };
        Self { start: spread(&mut start, start_spread), yearly: yearly + sd * slope.normal() }
    }

    /// Returns the measured value `months` after screening: level, slope, skin, reactions present, noise.
    pub fn observe(
        &self,
        process: &MeasureProcess,
        months: f64,
        skin_change: f64,
        reactions: &[&str],
        draws: &mut Draws,
    ) -> f64 {
        self.observe_with(process, months, skin_change, |name| reactions.contains(&name), draws)
    }

    /// As [`observe`](Self::observe), where `is_present` says which reactions are.
    #[inline]
    pub(crate) fn observe_with(
        &self,
        process: &MeasureProcess,
        months: f64,
        skin_change: f64,
        is_present: impl Fn(&str) -> bool,
        draws: &mut Draws,
    ) -> f64 {
        let mut value = self.start + self.yearly * months / 12.0 + process.per_skin_point * skin_change;
        for (_, amount) in process.reactions.iter().filter(|(name, _)| is_present(name)) {
            if process.factor {
                value *= amount;
            } else {
                value += amount;
            }
        }
        value += process.noise * draws.normal();
        value.max(process.min.unwrap_or(f64::NEG_INFINITY)).min(process.max.unwrap_or(f64::INFINITY))
    }
}

/// Returns the place of a person's site: as many come to each, unless the cohort weighs them.
pub fn site_of(study: &Study, streams: &Streams, number: u64) -> usize {
    if study.sites.len() == 1 {
        return 0;
    }
    site_of_draws(study, streams.of(number, "site", 0))
}

/// The same of a person with that stream of the process `site`, where there are several.
pub(crate) fn site_of_draws(study: &Study, mut draws: Draws) -> usize {
    let weights = &study.virtual_cohort.cohort.sites;
    if weights.is_empty() {
        return draws.below(study.sites.len() as u32) as usize;
    }
    let weight = |id: &SiteId| weights.iter().find(|one| one.0 == *id).map_or(1.0, |one| one.1);
    draws.weighted(study.sites.iter().map(|site| weight(&site.id)))
}

fn draw_stratum(streams: &Streams, number: u64, cohort: &Cohort) -> Option<String> {
    if cohort.strata.is_empty() {
        return None;
    }
    let mut draws = course::of_stratum(streams.of(number, "arrival", 0));
    let drawn = draws.weighted(cohort.strata.iter().map(|(_, share)| *share));
    Some(cohort.strata[drawn].0.clone())
}

fn days_before(day: Date, days: f64) -> Date {
    day.saturating_sub(Span::new().days(days as i32))
}

/// What chance adds to an assessment at a visit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Assessment {
    /// The assessor's error of the skin score, in its standard deviations.
    error: f64,
    /// The share below which somebody else than usual assesses.
    other: f64,
    /// Where in its range the swelling lies, if there is any.
    swelling: f64,
}

impl Assessment {
    #[inline]
    pub(crate) fn draw(draws: &mut Draws) -> Self {
        Self { error: draws.normal(), other: draws.coarse(), swelling: draws.coarse() }
    }

    /// Says whether somebody else than usual assesses, where this share of assessments is.
    #[inline]
    pub(crate) fn changes(&self, share: f64) -> bool {
        self.other < share
    }
}

/// Returns the total that an assessor sees: the true score with oedema if there is any, and the assessor's
/// error, as a whole number that `sites` sites of 0 to 3 points can add up to.
#[inline]
pub(crate) fn observe_skin(
    assessment: &Assessment,
    skin: &SkinProcess,
    true_score: f64,
    is_swollen: bool,
    new_assessor: bool,
    sites: usize,
) -> i64 {
    let error_sd = if new_assessor { skin.error_new_observer } else { skin.error_same_observer };
    let mut observed = true_score + error_sd * assessment.error;
    if is_swollen {
        let (least, most) = skin.oedema_points;
        observed += least + (most - least) * assessment.swelling;
    }
    libm::round(observed.clamp(0.0, 3.0 * sites as f64)) as i64
}

/// Spreads an observed total over the 17 sites of the skin score, each 0 to 3.
///
/// Points fall on sites one at a time, with the weight of the site's room left
/// and of how often that site is involved (fingers and hands first, as in the disease).
pub fn spread_over_sites(total: i64, weights: &[f64], draws: &mut Draws) -> Vec<i64> {
    let mut scores = vec![0i64; weights.len()];
    spread_over(total, weights, draws, &mut scores);
    scores
}

/// Adds what [`spread_over_sites`] spreads to as many scores as there are weights.
pub(crate) fn spread_over(total: i64, weights: &[f64], draws: &mut Draws, scores: &mut [i64]) {
    if weights.iter().all(|weight| *weight == 1.0) && scores.iter().all(|score| *score == 0) {
        return spread_evenly(total, draws, scores);
    }
    for _ in 0..total.clamp(0, 3 * weights.len() as i64) {
        let site =
            draws.weighted(scores.iter().zip(weights).map(|(score, weight)| weight * (3 - score) as f64));
        scores[site] += 1;
    }
}

/// The same where every site is as likely as another: the room left is a whole number, which need not be added up anew.
fn spread_evenly(total: i64, draws: &mut Draws, scores: &mut [i64]) {
    let most = 3 * scores.len() as i64;
    for point in 0..total.clamp(0, most) {
        let mut rest = draws.coarse() * (most - point) as f64;
        let mut last = 0;
        for (site, score) in scores.iter().enumerate() {
            let room = 3 - score;
            if room > 0 {
                last = site;
                rest -= room as f64;
                if rest < 0.0 {
                    break;
                }
            }
        }
        scores[last] += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_spread_evenly_fall_as_those_with_equal_weights() {
        let mut draws = Streams::new(8).of(1, "sites", 0);
        for sites in [1, 8, 17] {
            for total in 0..=3 * sites as i64 {
                let (mut found, mut expected) = (vec![0; sites], vec![0; sites]);
                spread_evenly(total, &mut draws.clone(), &mut found);
                for _ in 0..total {
                    let room = |score: &i64| (3 - score) as f64;
                    let site = draws.weighted(expected.iter().map(room));
                    expected[site] += 1;
                }
                assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn two_thirds_of_a_change_is_reached_by_month_six() {
        assert_eq!(share_of_change(0.0, 2.0 / 3.0), 0.0);
        assert!((share_of_change(6.0, 2.0 / 3.0) - 2.0 / 3.0).abs() < 1e-15);
        assert!((share_of_change(12.0, 2.0 / 3.0) - 1.0).abs() < 1e-15);
        assert!((share_of_change(30.0, 2.0 / 3.0) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn site_scores_sum_to_the_total_and_stay_on_the_scale() {
        let mut draws = Streams::new(3).of(1, "sites", 0);
        let weights = [1.0; 17];
        for total in 0..=51 {
            let scores = spread_over_sites(total, &weights, &mut draws);
            assert_eq!(scores.iter().sum::<i64>(), total);
            assert!(scores.iter().all(|score| (0..=3).contains(score)));
        }
    }
}
