//! What `virtual.toml` says of people and sites shows in the trials, as much as it says.

use protocol::Study;
use simulation::{
    campaign::{Characteristics, Criteria, course, pooled, run_block},
    fast::{FastPlan, Workspace},
    person::{Trajectory, draw_episodes},
    scenario,
    streams::Streams,
};
use terms::AnalysisId;

const IN_POINTS: &str = "B-P1-change";
const ONE_ARM: &str = "A-P1-main";

/// The randomised study without anything but the error of measurement: 36 points before and after.
const BARE: [&str; 15] = [
    "sample_size=60",
    "effect=inert",
    "skin.start.mean=36",
    "skin.start.sd=0",
    "skin.error_same_observer=0",
    "skin.error_new_observer=0",
    "skin.course.intercept=0",
    "skin.course.per_point=0",
    "skin.course.per_month=0",
    "skin.settings.registry=0",
    "dropout.all=0",
    "conduct.missed_visit=0",
    "conduct.form_not_done=0",
    "conduct.correction=0",
    "conduct.visit_spread_days=0",
];

fn with(name: &str, sets: &[&str]) -> Study {
    let mut study = crate::study(name);
    for set in sets {
        scenario::set_from_text(&mut study, set).unwrap();
    }
    study
}

fn bare(more: &[&str]) -> Study {
    with("imatinib-controlled", &[&BARE, more].concat())
}

/// Outcomes of everybody in so many trials, drug first.
fn outcomes(study: &Study, analysis: &str, trials: u64) -> [Vec<f64>; 2] {
    let ids = [AnalysisId::from(analysis.to_owned())];
    let plan = FastPlan::compile(study, &ids).unwrap();
    let [one, other] = pooled(&plan, 5, trials, &mut Workspace::default()).swap_remove(0);
    [one.values, other.values]
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn sd(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
}

fn characteristics(study: &Study, analysis: &str, trials: u64) -> Characteristics {
    let ids = [AnalysisId::from(analysis.to_owned())];
    let plan = FastPlan::compile(study, &ids).unwrap();
    let criteria = Criteria { alpha: 0.05, exclude: None };
    let counts = run_block(&plan, 5, (0, trials), &[None], criteria, &mut Workspace::default());
    Characteristics::of(&ids[0], &counts.tallies[0], trials, None)
}

#[test]
fn observers_err_as_much_as_is_said_and_a_new_one_more() {
    for (changes, error) in [("0", 2.45), ("1", 4.6)] {
        let changes = format!("conduct.assessor_change={changes}");
        let study = bare(&["skin.error_same_observer=2.45", "skin.error_new_observer=4.6", &changes]);
        let [_, placebo] = outcomes(&study, IN_POINTS, 400);
        // Two scorings, each rounded to a whole point; cut off at 51, which few come to.
        let expected = (2.0 * (error * error + 1.0 / 12.0_f64)).sqrt();
        assert!((sd(&placebo) - expected).abs() < 0.02 * expected, "{changes}: {} {expected}", sd(&placebo));
        assert!(mean(&placebo).abs() < 0.2, "{changes}");
    }
}

#[test]
fn a_natural_course_comes_by_month_and_by_setting() {
    // Two thirds of -6 points by month 6, then what differs between people.
    let course = ["skin.course.intercept=-6", "skin.course.change_min=-7", "skin.share_by_month_6=0.6667"];
    let [_, placebo] = outcomes(&bare(&course), IN_POINTS, 100);
    assert!((mean(&placebo) + 4.0).abs() < 0.2, "{}", mean(&placebo));
    for (setting, between) in [("registry", 4.5), ("trial", 7.5)] {
        let sets = ["skin.settings.registry=4.5", "skin.settings.trial=7.5", "skin.share_by_month_6=1"];
        let in_force = format!("setting={setting}");
        let [_, placebo] = outcomes(&bare(&[&sets[..], &[&in_force]].concat()), IN_POINTS, 400);
        // Change counts from the first dose, a fortnight after screening: a thirteenth of the half year is over by then.
        let between: f64 = between * (1.0 - 1.0 / 13.0);
        let expected = (between * between + 1.0 / 6.0).sqrt();
        assert!((sd(&placebo) - expected).abs() < 0.04 * expected, "{setting}: {}", sd(&placebo));
    }
}

#[test]
fn an_effect_sets_in_by_month_and_goes_with_the_dose() {
    let effect = |more: &[&str]| {
        let sets = ["effect=important", "effects.important.toxic=false", "effects.important.points=-9"];
        let none: Vec<String> = bare(&[])
            .virtual_cohort
            .reactions
            .iter()
            .map(|one| format!("reactions.{}.share.placebo=0", one.name))
            .collect();
        let none: Vec<&str> = none.iter().map(String::as_str).collect();
        let [drug, placebo] = outcomes(&bare(&[&sets[..], &none, more].concat()), IN_POINTS, 100);
        mean(&drug) - mean(&placebo)
    };
    let whole = effect(&["effects.important.month=6"]);
    assert!((whole + 9.0).abs() < 0.1, "{whole}");
    let of_a_year = effect(&["effects.important.month=12", "effects.important.share_at_half=0.3333"]);
    assert!((of_a_year + 3.0).abs() < 0.15, "a third by the middle of the year: {of_a_year}");
    // A reaction that everybody has at once and that halves the dose of most takes of the effect.
    let sets =
        ["effects.important.toxic=true", "effects.important.month=6", "reactions.nausea.share.imatinib=1"];
    let reduced = effect(
        &[&sets[..], &["reactions.nausea.dose_change=1", "reactions.nausea.onset_median_days=1"]].concat(),
    );
    assert!(reduced > -8.0 && reduced < -3.0, "{reduced}");
}

#[test]
fn visits_are_missed_and_people_stop_as_often_as_is_said() {
    let study = with(
        "imatinib-open",
        &["effect=inert", "dropout.all=0", "conduct.missed_visit=0.3", "conduct.form_not_done=0"],
    );
    let analysed = characteristics(&study, ONE_ARM, 400).analysed;
    assert!((analysed - 21.0).abs() < 4.0 * (30.0 * 0.21 / 400.0_f64).sqrt(), "{analysed}");
    let stopping = with("imatinib-controlled", &["dropout.all=0.3"]);
    let stopped = course(&stopping, 5).unwrap().stopped_early;
    assert!((stopped.mean - 0.3 * 28.0).abs() < 4.0 * stopped.mc_se, "{stopped:?}");
}

#[test]
fn stops_that_tell_of_the_outcome_flatter_those_who_stay() {
    let found = |slope: &str| {
        let slope = format!("withdrawal.all.per_skin_point={slope}");
        let study = with("imatinib-open", &["effect=inert", "dropout.all=0.4", &slope]);
        (characteristics(&study, ONE_ARM, 1_000), course(&study, 5).unwrap().stopped_early)
    };
    let ((random, _), (informative, stopped)) = (found("0"), found("0.3"));
    let [random, informative] = [random, informative].map(|one| one.mean_estimate.unwrap());
    assert!(informative < random - 0.5, "{informative} {random}");
    assert!(stopped.mean > 6.0 && stopped.mean < 15.0, "about four in ten of thirty still stop: {stopped:?}");
}

#[test]
fn reactions_come_by_arm_and_with_their_onset() {
    let study = with("imatinib-controlled", &["effect=none"]);
    let streams = Streams::new(3);
    for arm in &study.arms {
        for (index, reaction) in study.virtual_cohort.reactions.iter().enumerate() {
            let share = reaction.share.iter().find(|one| one.0 == arm.id).unwrap().1;
            let first = |person| {
                let episodes = draw_episodes(&study, &streams, person, &arm.id, 180);
                episodes.iter().filter(|one| one.reaction == index).map(|one| one.from_day).min()
            };
            let firsts: Vec<i32> = (1..=4_000).filter_map(first).collect();
            let found = firsts.len() as f64 / 4_000.0;
            let room = 4.0 * (share * (1.0 - share) / 4_000.0).sqrt();
            assert!((found - share).abs() <= room, "{} {}: {found} {share}", arm.id, reaction.name);
            // Half of the first episodes come by the median onset.
            let early = firsts.iter().filter(|day| f64::from(**day) < reaction.onset_median_days).count();
            let early = early as f64 / firsts.len() as f64;
            let room = 4.0 * 0.5 / (firsts.len() as f64).sqrt() + 0.01;
            assert!((early - 0.5).abs() < room, "{} {}: {early}", arm.id, reaction.name);
        }
    }
}

#[test]
fn outcomes_that_go_together_follow_the_skin() {
    let study = with("imatinib-open", &[]);
    let measures = &study.virtual_cohort.measures;
    let index = measures.iter().position(|one| one.item.as_str() == "haq_di").unwrap();
    let process = &measures[index];
    let person = simulation::person::Person::draw(
        &study,
        &Streams::new(1),
        1,
        study.virtual_cohort.cohort.opens.unwrap(),
    );
    let trajectory = Trajectory::draw(&Streams::new(1), &person, process, index);
    let observe =
        |change| trajectory.observe(process, 6.0, change, &[], &mut Streams::new(1).of(1, "noise", 0));
    let expected = process.per_skin_point * 5.0;
    assert!(expected > 0.0 && (observe(0.0) - observe(-5.0) - expected).abs() < 1e-12);
}

#[test]
fn kinetics_change_who_profits_and_who_suffers() {
    let off = with("imatinib-controlled", &["effect=important"]);
    let on =
        with("imatinib-controlled", &["effect=important", "pharmacology=on", "pharmacology.reactions=1.5"]);
    let streams = Streams::new(9);
    let drug = study_arm(&off, false);
    let share = |study: &Study, arm: &terms::ArmId| {
        let has = |person: &u64| !draw_episodes(study, &streams, *person, arm, 180).is_empty();
        (1..=2_000_u64).filter(has).count() as f64 / 2_000.0
    };
    let placebo = study_arm(&off, true);
    assert_eq!(share(&off, &placebo).to_bits(), share(&on, &placebo).to_bits(), "a control has no exposure");
    assert!((share(&off, &drug) - share(&on, &drug)).abs() > 0.002, "reactions move with the exposure");
    // The effect spreads: everything else switched off, people on the drug differ by their exposure alone.
    let sets = ["effect=important", "effects.important.toxic=false", "effects.important.month=3"];
    let none: Vec<String> = off
        .virtual_cohort
        .reactions
        .iter()
        .map(|one| format!("reactions.{}.share.placebo=0", one.name))
        .collect();
    let none: Vec<&str> = none.iter().map(String::as_str).collect();
    let spread = |more: &[&str]| {
        let study = bare(&[&sets[..], &none, &["effects.important.points=-15"], more].concat());
        let [drug, placebo] = outcomes(&study, IN_POINTS, 100);
        (mean(&drug) - mean(&placebo), sd(&drug), sd(&placebo))
    };
    let (plain, with_kinetics) = (spread(&[]), spread(&["pharmacology=on"]));
    assert!((plain.0 + 15.0).abs() < 0.1 && plain.1 < 0.7, "{plain:?}");
    assert!(with_kinetics.1 > 2.0 && with_kinetics.2 == plain.2, "{with_kinetics:?}");
    assert!(
        (with_kinetics.0 + 15.0).abs() < 2.5,
        "the median person has the whole effect: {with_kinetics:?}"
    );
}

#[test]
fn hazards_come_by_month_and_arm_and_people_die_of_them() {
    // Nobody comes on the day of another, so 100 are in long before the last day of the data.
    let sets = [
        "sample_size=100",
        "dropout.all=0",
        "hazards.relapse.ratio.active=0.5",
        "hazards.death.ratio.active=0.5",
        "cohort.screened_per_month=200",
    ];
    let study = with("time-to-event", &sets);
    let ids = [AnalysisId::from("P1-main".to_owned())];
    let plan = FastPlan::compile(&study, &ids).unwrap();
    let groups = pooled(&plan, 5, 200, &mut Workspace::default()).swap_remove(0);
    assert_eq!(groups.iter().map(|group| group.values.len()).sum::<usize>(), 200 * 100);
    for (group, ratio) in groups.iter().zip([0.5, 1.0]) {
        assert!((9_900..10_100).contains(&group.values.len()));
        // Rates a month: relapse 0.05 in the first year and 0.035 after it, death 0.005.
        for (days, cumulated) in
            [(183.0, 0.055 * 6.0), (365.0, 0.055 * 12.0), (700.0, 0.055 * 12.0 + 0.04 * 11.0)]
        {
            let with_event =
                group.values.iter().zip(&group.events).filter(|(day, event)| **event && **day <= days);
            let share = with_event.count() as f64 / group.values.len() as f64;
            let expected = 1.0 - (-ratio * cumulated as f64).exp();
            // Months of 30.4375 days; four standard errors of 10,000 people.
            assert!((share - expected).abs() < 0.02, "{ratio} by day {days}: {share} {expected}");
        }
    }
}

fn study_arm(study: &Study, control: bool) -> terms::ArmId {
    study.arms.iter().find(|arm| arm.control == control).unwrap().id.clone()
}

#[test]
fn more_people_come_to_sites_that_weigh_more() {
    let study = with("imatinib-controlled", &["cohort.sites.01=11"]);
    let sites = study.sites.len() as f64;
    let at_first = (1..=4_000)
        .filter(|number| simulation::person::site_of(&study, &Streams::new(2), *number) == 0)
        .count() as f64
        / 4_000.0;
    let expected = 11.0 / (11.0 + sites - 1.0);
    assert!((at_first - expected).abs() < 4.0 * (expected * (1.0 - expected) / 4_000.0).sqrt(), "{at_first}");
}

/// What the comment beside FVC in `virtual.toml` says.
#[test]
fn lung_and_skin_change_together_as_much_as_is_said() {
    let everybody_to_the_end =
        ["effect=inert", "dropout.all=0", "conduct.missed_visit=0", "conduct.form_not_done=0"];
    let study = with("imatinib-open", &everybody_to_the_end);
    let ids = ["A-P1-main", "A-E2-fvc", "A-E2-fvc-ild", "A-E2-fvc-no-ild"]
        .map(|id| AnalysisId::from(id.to_owned()));
    let changes = |study: &Study| {
        let plan = FastPlan::compile(study, &ids).unwrap();
        let all = pooled(&plan, 9, 200, &mut Workspace::default());
        <[Vec<f64>; 4]>::try_from(all.into_iter().map(|[one, _]| one.values).collect::<Vec<_>>()).unwrap()
    };
    let study = with("imatinib-open", &everybody_to_the_end);
    let [skin, lung, with_disease, without] = &changes(&study);
    assert_eq!(skin.len(), lung.len(), "somebody has one of the two");
    let (middle_of_skin, middle_of_lung) = (mean(skin), mean(lung));
    let products: Vec<f64> =
        skin.iter().zip(lung).map(|(x, y)| (x - middle_of_skin) * (y - middle_of_lung)).collect();
    let correlation = mean(&products) / (sd(skin) * sd(lung));
    // 6,000 people: a standard error of 0.013.
    assert!((correlation + 0.2).abs() < 0.04, "{correlation}");
    // As much in a year as if the lung went its own way: half a point (SD 5) less, with disease three (SD 6), noise and rules of entry aside.
    let mut apart = study.clone();
    let own = apart.virtual_cohort.measures.iter_mut().find(|one| one.item == *"fvc_pct_pred").unwrap();
    (own.per_skin_point, own.yearly, own.yearly_sd) = (0.0, -0.5, 5.0);
    (own.yearly_ild, own.yearly_sd_ild) = (Some(-3.0), Some(6.0));
    let [_, _, own_with_disease, own_without] = &changes(&apart);
    for (lung, own) in [(with_disease, own_with_disease), (without, own_without)] {
        // Standard errors of about 0.15 each.
        assert!((mean(lung) - mean(own)).abs() < 0.7, "{} {}", mean(lung), mean(own));
        assert!((sd(lung) / sd(own) - 1.0).abs() < 0.05, "{} {}", sd(lung), sd(own));
    }
}
