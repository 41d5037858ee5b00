//! `virtual.toml`: the numbers that a rehearsal draws from.

use super::{
    forms::{MISSING, missing_reason},
    sources::{MARK, mark},
};
use crate::{
    desk::{Desk, Section},
    expression::{Codes, Type, Unit},
    model::*,
    shape::{Field, Keys, Kind, Shape, Variant, may, must},
    source::Place,
    tree::Node,
    units,
};

const ANY: Shape = Shape::Number { min: None, max: None };
const POSITIVE: Shape = Shape::Number { min: Some(0), max: None };
const SHARE: Shape = Shape::Number { min: Some(0), max: Some(1) };

const SPREAD: &[Field] = &[
    must("mean", ANY, "Mean."),
    must("sd", POSITIVE, "Standard deviation."),
    may("min", ANY, "Least value; draws below are set to it."),
    may("max", ANY, "Greatest value."),
];
const SPREAD_SHAPE: Shape = Shape::Table(SPREAD);
const GRADES: Shape = Shape::Several(4, &SHARE);
const WEIGHTS: Shape = Shape::Map(Keys::Free, &POSITIVE);

const COHORT: &[Field] = &[
    must("opens", Shape::Date, "The day on which the first site opens."),
    must("screened_per_month", POSITIVE, "Participants screened per month over all sites."),
    must("screened_max", Shape::Integer { min: 1, max: 1_000_000 }, "Screening stops after this many."),
    may(
        "enrol",
        Shape::Integer { min: 1, max: 1_000_000 },
        "How many to enrol; the study's target by default.",
    ),
    must("age", SPREAD_SHAPE, "Age in years at screening."),
    must("female", SHARE, "Share of women."),
    must(
        "onset",
        Shape::Table(&[
            must("median_months", POSITIVE, "Median months since onset."),
            must("sigma", POSITIVE, "Sigma of the lognormal."),
            must(
                "day_known",
                SHARE,
                "Share of people who can date it to the day; the others know the month.",
            ),
        ]),
        "Months since the first symptom.",
    ),
    must("ild", SHARE, "Share with interstitial lung disease."),
    must(
        "height",
        Shape::Table(&[
            must("female", SPREAD_SHAPE, "Height of women in cm."),
            must("male", SPREAD_SHAPE, "Height of men in cm."),
        ]),
        "Height.",
    ),
    may("strata", Shape::Map(Keys::Free, &SHARE), "Share of each stratum's code."),
    may(
        "sites",
        Shape::Map(Keys::Name(Kind::Site), &POSITIVE),
        "How many people come to a site, as weights; a site not named weighs 1.",
    ),
    may("mark", MARK, "How sure these numbers are."),
];

const COURSE: &[Field] = &[
    must("intercept", ANY, "Mean change by month 12 at the centres."),
    must("per_point", ANY, "More for each point at the start."),
    must("centre_points", ANY, "The start at which that is zero."),
    must("per_month", ANY, "More for each month since onset."),
    must("centre_months", ANY, "The months at which that is zero."),
    must("change_min", ANY, "Least mean change."),
    must("change_max", ANY, "Greatest mean change."),
];

const KINETIC: Shape = Shape::Table(&[
    must("median", POSITIVE, "Median of the population."),
    must("cv", POSITIVE, "Coefficient of variation between people, of a lognormal."),
]);

const PHARMACOLOGY: &[Field] = &[
    must("on", Shape::Flag, "Whether it is in force; scenarios turn it on by `pharmacology=on`."),
    must("clearance", KINETIC, "Apparent clearance in L/h."),
    must("volume", KINETIC, "Apparent volume of distribution in L."),
    must("absorption", POSITIVE, "Rate of absorption per hour."),
    must("interval", POSITIVE, "Hours from dose to dose."),
    must("driver", Shape::Word(&["average", "trough"]), "The concentration at steady state that drives."),
    may(
        "half_effect",
        POSITIVE,
        "The concentration in ng/mL with half of the greatest effect; without it the effect is proportional.",
    ),
    may(
        "reactions",
        ANY,
        "Log odds more of each reaction for each unit of the logarithm of the driver over a median person's.",
    ),
    must("source", Shape::Text, "Where the numbers come from."),
    may("mark", MARK, "How sure these numbers are."),
];

const OEDEMA: &[Field] = &[
    must("reaction", Shape::Name(Kind::Reaction), "The reaction that is oedema."),
    must("least_points", POSITIVE, "Least points that it adds."),
    must("most_points", POSITIVE, "Most points that it adds."),
];

const SKIN: &[Field] = &[
    must("form", Shape::Name(Kind::Form), "The form whose instrument is the skin score."),
    must("start", SPREAD_SHAPE, "True score before screening."),
    must("error_same_observer", POSITIVE, "SD of the same observer's error."),
    must("error_new_observer", POSITIVE, "SD of a new observer's error."),
    must("course", Shape::Table(COURSE), "Change of the true score by month 12."),
    must("share_by_month_6", SHARE, "Share of it reached by month 6."),
    must(
        "settings",
        Shape::Map(Keys::Define(Kind::Setting), &POSITIVE),
        "SD between participants, by setting.",
    ),
    may("oedema", Shape::Table(OEDEMA), "What oedema adds while present."),
    may("site_weights", Shape::Map(Keys::Free, &POSITIVE), "How readily each site of the score is involved."),
];

const EFFECT: &[Field] = &[
    must("points", ANY, "Points of true skin score at `month`, relative to no drug."),
    must("month", POSITIVE, "The month at which the whole effect is reached."),
    must("share_at_half", SHARE, "Share reached at half that month."),
    must("toxic", Shape::Flag, "Whether the drug has its toxicity."),
];

const MEASURE: &[Field] = &[
    must("start", SPREAD_SHAPE, "Value at screening."),
    may("start_ild", SPREAD_SHAPE, "With interstitial lung disease."),
    may("start_male", SPREAD_SHAPE, "Of men."),
    must("yearly", ANY, "Mean change a year."),
    must("yearly_sd", POSITIVE, "SD between participants of that change."),
    may("yearly_ild", ANY, "Mean change a year with interstitial lung disease."),
    may("yearly_sd_ild", POSITIVE, "SD of it."),
    must("noise", POSITIVE, "SD of repeated measurement."),
    may("per_skin_point", ANY, "Change per point of true skin score change."),
    may("step", POSITIVE, "Values are rounded to a multiple of this."),
    may("min", ANY, "Least value."),
    may("max", ANY, "Greatest value."),
    may("reactions", Shape::Map(Keys::Name(Kind::Reaction), &ANY), "What a reaction adds while present."),
    may("factor", Shape::Flag, "Whether reactions multiply rather than add."),
];

const PROPERTIES: &[&str] = &[
    "sex",
    "age_years",
    "age",
    "height_cm",
    "ild",
    "stratum",
    "onset_date",
    "birth_year",
    "visit_date",
    "child_bearing",
];

const ANSWER: Shape = Shape::Choice {
    common: &[],
    variants: &[
        Variant {
            key: "share",
            fields: &[must("share", Shape::Map(Keys::Free, &SHARE), "Codes and their shares.")],
        },
        Variant {
            key: "from",
            fields: &[must("from", Shape::Word(PROPERTIES), "A property of the participant.")],
        },
        Variant {
            key: "same_as",
            fields: &[must(
                "same_as",
                Shape::Name(Kind::Item),
                "The same as an item of another form that is followed over time.",
            )],
        },
        Variant { key: "text", fields: &[must("text", Shape::Text, "A fixed text.")] },
        Variant {
            key: "normal",
            fields: &[must("normal", SPREAD_SHAPE, "A number drawn anew at each visit.")],
        },
        Variant {
            key: "missing",
            fields: &[must("missing", Shape::Word(MISSING), "Not answered, with a reason.")],
        },
    ],
};

const REACTION: &[Field] = &[
    must("term", Shape::Text, "The adverse event's term."),
    must(
        "share",
        Shape::Map(Keys::Name(Kind::Arm), &SHARE),
        "Share of participants with at least one, by arm.",
    ),
    must("onset_median_days", POSITIVE, "Median onset in days from the first dose."),
    must("duration_median_days", POSITIVE, "Median duration in days."),
    must("grades", GRADES, "Shares of grades 1, 2, 3, 4."),
    must("again", SHARE, "Chance that another episode follows the last."),
    must("dose_change", SHARE, "Chance that the dose is reduced or held for it, below grade 3."),
    may("hold_rule", Shape::Name(Kind::DoseRule), "The dose rule that a hold for it follows."),
    may("reduce_rule", Shape::Name(Kind::DoseRule), "The dose rule that a reduction for it follows."),
];

const HAZARD: &[Field] = &[
    must("term", Shape::Text, "The adverse event's term."),
    may("grade", Shape::Integer { min: 1, max: 5 }, "Its grade; 3 by default, 5 of a fatal one."),
    may("serious", Shape::Flag, "Whether it is serious; a fatal one is."),
    may("fatal", Shape::Flag, "Whether the participant dies of it."),
    may(
        "from_months",
        Shape::List(&POSITIVE),
        "Months from the first dose at which each rate begins, the first 0; one rate for all time without it.",
    ),
    must("monthly", Shape::List(&POSITIVE), "Events per participant and month, from each of these on."),
    may(
        "ratio",
        Shape::Map(Keys::Name(Kind::Arm), &POSITIVE),
        "By arm, what the rates are multiplied by: the hazard ratio; 1 for an arm that is not named.",
    ),
];

const EVENTS: &[Field] = &[
    must("per_month", POSITIVE, "Events per participant and month."),
    must("terms", WEIGHTS, "Terms and weights."),
    must("grades", GRADES, "Shares of grades 1, 2, 3, 4."),
    must("serious", SHARE, "Share that is serious."),
    must("serious_related", SHARE, "Share of serious events that are judged related."),
    must("duration_median_days", POSITIVE, "Median duration in days."),
    must(
        "related",
        WEIGHTS,
        "How investigators word the relation of what the drug causes: codes and weights.",
    ),
    must("unrelated", WEIGHTS, "How they word that of what it does not cause."),
];

const TREATMENT: &[Field] = &[
    must("share", SHARE, "Share of those who could take it that do."),
    may("class", Shape::Text, "Its code on the item of the role `treatment_class`."),
    may("reason", Shape::Text, "What it is given for."),
    may(
        "reaction",
        Shape::Name(Kind::Reaction),
        "Taken while this reaction lasts; otherwise since before screening.",
    ),
    may(
        "answered",
        Shape::Name(Kind::Item),
        "Taken by whoever answers this item at screening with more than 0 or yes.",
    ),
];

const REASONS: &[&str] =
    &["adverse_event", "progression", "withdrew_consent", "lost_to_follow_up", "death", "other"];

const WITHDRAWAL: &[Field] = &[
    must("arm", Shape::Name(Kind::Arm), "The arm."),
    must("share", SHARE, "Share that stops before treatment ends."),
    may(
        "per_skin_point",
        ANY,
        "Log odds more of stopping for each point of a person's own change of the skin score by month 12 above the course's intercept.",
    ),
    must("reasons", WEIGHTS, "Reasons and weights."),
];

const HABITS: &[Field] = &[
    must("missed_visit", SHARE, "Share of visits missed."),
    must("visit_spread_days", POSITIVE, "SD in days of a visit's distance from its planned date."),
    must("out_of_window", SHARE, "Share of visits held outside the window."),
    must("correction", SHARE, "Share of entries corrected later."),
    must("query", SHARE, "Share of forms on which a person raises a query."),
    must("assessor_change", SHARE, "Share of visits at which another assessor scores."),
    must("form_not_done", SHARE, "Share of forms not done at a held visit."),
    must("missed_doses", SHARE, "Doses missed, as a share."),
    must("blind_break", SHARE, "Share of participants whose blind is broken in an emergency."),
    must("prohibited_treatment", SHARE, "Share of participants who take a prohibited treatment."),
    must("prohibited_name", Shape::Text, "What that treatment is."),
    may("prohibited_class", Shape::Text, "Its code on the item of the role `treatment_class`."),
    must("escalation", SHARE, "Chance that a reduced dose is raised again once the protocol allows it."),
];

const BOUNDARIES: &[&str] =
    &["O'Brien-Fleming", "Pocock", "spending like O'Brien-Fleming", "spending like Pocock"];

const SCENARIO: Shape = Shape::Table(&[must(
    "set",
    Shape::List(&Shape::Text),
    "Inputs set otherwise, as `equipoise simulate --set` takes them: \"effect=important\", \"sample_size=40\".",
)]);

const SIZE: Shape = Shape::Integer { min: 1, max: 100_000 };
const COUNT: Shape = Shape::Integer { min: 0, max: 100_000 };

const DESIGN: Shape = Shape::Choice {
    common: &[must("analysis", Shape::Name(Kind::Analysis), "The analysis that decides.")],
    variants: &[
        Variant {
            key: "looks",
            fields: &[
                must("looks", Shape::List(&SHARE), "Shares of the participants at each look, the last 1."),
                may("boundary", Shape::Word(BOUNDARIES), "The boundary's shape; O'Brien-Fleming by default."),
                may("alpha", SHARE, "Type I error of both sides together; 0.05 by default."),
                may(
                    "futility",
                    Shape::List(&SHARE),
                    "By look but the last: stop where the one-sided p-value in favour is above this.",
                ),
            ],
        },
        Variant {
            key: "first",
            fields: &[
                must("first", SIZE, "Participants of the first stage."),
                must("first_at_most", COUNT, "The trial stops with at most so many responders among them."),
                must("at_most", COUNT, "With at most so many responders in all the drug is not followed up."),
            ],
        },
        Variant {
            key: "review_at",
            fields: &[
                must(
                    "review_at",
                    SHARE,
                    "Share of the planned participants at whom the spread is looked at.",
                ),
                must("difference", ANY, "The difference to be found."),
                must("power", SHARE, "The power to find it."),
                may("alpha", SHARE, "Type I error of both sides together; 0.05 by default."),
                must("most", SIZE, "The most participants."),
            ],
        },
        Variant {
            key: "stopping",
            fields: &[must(
                "stopping",
                Shape::Name(Kind::Analysis),
                "The analysis that holds the stopping boundary and says which events count.",
            )],
        },
    ],
};

pub(crate) const FIELDS: &[Field] = &[
    may("effect", Shape::Name(Kind::Effect), "The effect in force, where the study scores skin."),
    may("setting", Shape::Name(Kind::Setting), "The setting in force, where the study scores skin."),
    may(
        "design",
        Shape::Name(Kind::Design),
        "The design in force; without one the plan is run once, at the end.",
    ),
    must("cohort", Shape::Table(COHORT), "Who comes, and when."),
    may("skin", Shape::Table(SKIN), "The true skin score and its observation."),
    may(
        "effects",
        Shape::Map(Keys::Define(Kind::Effect), &Shape::Table(EFFECT)),
        "Drug effects on the skin score.",
    ),
    may(
        "pharmacology",
        Shape::Table(PHARMACOLOGY),
        "How much of the drug is in the blood, and what hangs on it.",
    ),
    may(
        "measures",
        Shape::Map(Keys::Name(Kind::Item), &Shape::Table(MEASURE)),
        "Numeric items followed over time.",
    ),
    may("answers", Shape::Map(Keys::Name(Kind::Item), &ANSWER), "Any other item."),
    may(
        "reactions",
        Shape::Map(Keys::Define(Kind::Reaction), &Shape::Table(REACTION)),
        "Reactions to the drug.",
    ),
    may(
        "hazards",
        Shape::Map(Keys::Define(Kind::Hazard), &Shape::Table(HAZARD)),
        "Events that come once to a participant, at a rate by arm and month.",
    ),
    must("events", Shape::Table(EVENTS), "Events unrelated to treatment."),
    may(
        "treatments",
        Shape::Map(Keys::Free, &Shape::Table(TREATMENT)),
        "Other treatments that participants take.",
    ),
    may("withdrawal", Shape::List(&Shape::Table(WITHDRAWAL)), "Early ends of treatment."),
    may(
        "pairs",
        Shape::Table(&[
            must(
                "by",
                Shape::Name(Kind::Item),
                "The measure that the eye goes by; more of it is more disease.",
            ),
            must("same_within", POSITIVE, "Slides that lie less apart than this look the same."),
        ]),
        "How two slides side by side are seen.",
    ),
    must("conduct", Shape::Table(HABITS), "How the sites work."),
    may("designs", Shape::Map(Keys::Define(Kind::Design), &DESIGN), "Designs that simulations compare."),
    may("scenarios", Shape::Map(Keys::Define(Kind::Scenario), &SCENARIO), "Scenarios that are worth a name."),
];

/// Reads the file.
pub(crate) fn read(desk: &mut Desk<'_>, root: Section<'_>) -> VirtualCohort {
    let cohort = root.section("cohort").map(|section| read_cohort(desk, &section)).unwrap_or_default();
    let followed: Vec<String> = root.named("measures").map(|entry| entry.name().to_owned()).collect();
    for entry in root.named("answers") {
        let Some(same) = entry.text("same_as") else { continue };
        if !followed.iter().any(|one| one == same) {
            let message = format!("`{same}` is not followed over time");
            let help = "name one of `[measures]`".to_owned();
            desk.error("unknown-name", &entry.place_of("same_as"), message, Some(help));
            continue;
        }
        let unit = |name: &str| match &desk.items.get(name)?.kind {
            Type::Number(Unit::Of(unit)) => Some(unit.clone()),
            _ => None,
        };
        let fits = match (unit(same), unit(entry.name())) {
            (Some(from), Some(to)) => from == to || units::convert(terms::Decimal::ONE, &from, &to).is_some(),
            _ => false,
        };
        if !fits {
            let message = format!("`{}` can't hold what `{same}` holds", entry.name());
            desk.error("type", &entry.place_of("same_as"), message, None);
        }
    }
    VirtualCohort {
        cohort,
        skin: root.section("skin").and_then(|section| read_skin(desk, &section)),
        effects: root.named("effects").map(|entry| read_effect(&entry)).collect(),
        effect: root.owned("effect"),
        setting: root.owned("setting"),
        pharmacology: root.section("pharmacology").and_then(|section| read_pharmacology(desk, &section)),
        measures: root.named("measures").filter_map(|entry| read_measure(desk, &entry)).collect(),
        answers: root.named("answers").filter_map(|entry| read_answer(desk, &entry)).collect(),
        reactions: root.named("reactions").map(|entry| read_reaction(desk, &entry)).collect(),
        hazards: root.named("hazards").map(|entry| read_hazard(desk, &entry)).collect(),
        events: root.section("events").map(|section| read_events(desk, &section)).unwrap_or_default(),
        treatments: root.named("treatments").map(|entry| read_treatment(desk, &entry)).collect(),
        withdrawal: root
            .get("withdrawal")
            .map_or(&[][..], Node::elements)
            .iter()
            .map(|node| read_withdrawal(desk, &Section::new(node, root.file)))
            .collect(),
        pairs: root.section("pairs").and_then(|section| {
            let (form, item) = section.text("by")?.split_once('.')?;
            let same_within = number(&section, "same_within");
            Some(SeenPairs { form: form.into(), item: item.into(), same_within })
        }),
        conduct: root.section("conduct").map(|section| read_habits(&section)).unwrap_or_default(),
        designs: root.named("designs").filter_map(|entry| read_design(desk, &entry)).collect(),
        design: root.text("design").map(str::to_owned),
        scenarios: root
            .named("scenarios")
            .map(|entry| DeclaredScenario {
                name: entry.name().to_owned(),
                set: entry.texts("set").into_iter().map(str::to_owned).collect(),
            })
            .collect(),
    }
}

fn read_design(desk: &mut Desk<'_>, entry: &Section<'_>) -> Option<TrialDesign> {
    let alpha = entry.float("alpha").unwrap_or(0.05);
    let kind = if entry.get("looks").is_some() {
        read_looks(desk, entry, alpha)
    } else if entry.get("first").is_some() {
        DesignKind::TwoStages {
            first: entry.whole("first")?,
            first_at_most: entry.whole("first_at_most")?,
            at_most: entry.whole("at_most")?,
        }
    } else if entry.get("review_at").is_some() {
        DesignKind::Resized {
            review_at: number(entry, "review_at"),
            difference: number(entry, "difference"),
            power: number(entry, "power"),
            alpha,
            most: entry.whole("most")?,
        }
    } else {
        DesignKind::Watched { stopping: entry.owned("stopping").into() }
    };
    Some(TrialDesign { name: entry.name().to_owned(), analysis: entry.owned("analysis").into(), kind })
}

fn read_looks(desk: &mut Desk<'_>, entry: &Section<'_>, alpha: f64) -> DesignKind {
    let floats = |key: &str| -> Vec<f64> {
        let nodes = entry.get(key).map_or(&[][..], Node::elements).iter();
        nodes.filter_map(|node| node.decimal()?.to_string().parse().ok()).collect()
    };
    let (looks, futility) = (floats("looks"), floats("futility"));
    let rises =
        looks.windows(2).all(|pair| pair[0] < pair[1]) && looks.first().is_some_and(|look| *look > 0.0);
    if !rises || looks.last() != Some(&1.0) {
        desk.error(
            "design",
            &entry.place_of("looks"),
            "looks must rise from above 0 to 1".to_owned(),
            Some("write the shares of the participants, such as [0.5, 1]".into()),
        );
    }
    if !futility.is_empty() && futility.len() + 1 != looks.len() {
        let message = format!(
            "{} limits of futility for {} looks before the last",
            futility.len(),
            looks.len().saturating_sub(1)
        );
        let help = "give one for each look but the last; 1 never stops the trial".into();
        desk.error("design", &entry.place_of("futility"), message, Some(help));
    }
    let boundary = match entry.text("boundary") {
        Some("Pocock") => DesignBoundary::Pocock,
        Some("spending like O'Brien-Fleming") => DesignBoundary::SpendingOBrienFleming,
        Some("spending like Pocock") => DesignBoundary::SpendingPocock,
        _ => DesignBoundary::OBrienFleming,
    };
    DesignKind::Looks { looks, boundary, alpha, futility }
}

fn spread(section: &Section<'_>, key: &str) -> Option<Spread> {
    let spread = section.section(key)?;
    Some(Spread {
        mean: spread.float("mean")?,
        sd: spread.float("sd")?,
        min: spread.float("min"),
        max: spread.float("max"),
    })
}

fn number(section: &Section<'_>, key: &str) -> f64 {
    section.float(key).unwrap_or(0.0)
}

/// Returns names and numbers of a map.
fn numbers(section: &Section<'_>, key: &str) -> Vec<(String, f64)> {
    section
        .named(key)
        .filter_map(|entry| Some((entry.name().to_owned(), entry.node.decimal()?.to_string().parse().ok()?)))
        .collect()
}

/// Shares that should come to 1 and don't are a slip of the pen.
fn sums_to_one(desk: &mut Desk<'_>, section: &Section<'_>, key: &str, shares: impl Iterator<Item = f64>) {
    let sum: f64 = shares.sum();
    if section.get(key).is_some() && (sum - 1.0).abs() > 1e-6 {
        let message = format!("these shares come to {}, not to 1", (sum * 1e6).round() / 1e6);
        let place = Place::new(section.file, section.get(key).map_or(0..0, |node| node.span.clone()));
        desk.error("shares", &place, message, None);
    }
}

fn read_cohort(desk: &mut Desk<'_>, section: &Section<'_>) -> Cohort {
    let strata = numbers(section, "strata");
    if !strata.is_empty() {
        sums_to_one(desk, section, "strata", strata.iter().map(|(_, share)| *share));
    }
    let onset = section.section("onset");
    let height = section.section("height");
    Cohort {
        opens: section.get("opens").and_then(Node::date),
        screened_per_month: number(section, "screened_per_month"),
        screened_max: section.whole("screened_max").unwrap_or(0),
        enrol: section.whole("enrol"),
        age: spread(section, "age").unwrap_or_default(),
        female: number(section, "female"),
        onset_median_months: onset.map_or(0.0, |onset| number(&onset, "median_months")),
        onset_sigma: onset.map_or(0.0, |onset| number(&onset, "sigma")),
        onset_day_known: onset.map_or(0.0, |onset| number(&onset, "day_known")),
        ild: number(section, "ild"),
        height_female: height.and_then(|height| spread(&height, "female")).unwrap_or_default(),
        height_male: height.and_then(|height| spread(&height, "male")).unwrap_or_default(),
        strata,
        sites: numbers(section, "sites").into_iter().map(|(site, weight)| (site.into(), weight)).collect(),
        mark: section.text("mark").and_then(mark),
    }
}

fn read_pharmacology(desk: &mut Desk<'_>, section: &Section<'_>) -> Option<Pharmacology> {
    let (clearance, volume) = (section.section("clearance")?, section.section("volume")?);
    let kinetics = Pharmacology {
        on: section.flag("on").unwrap_or(false),
        clearance: number(&clearance, "median"),
        clearance_cv: number(&clearance, "cv"),
        volume: number(&volume, "median"),
        volume_cv: number(&volume, "cv"),
        absorption: number(section, "absorption"),
        interval: number(section, "interval"),
        driver: if section.text("driver") == Some("trough") { Driver::Trough } else { Driver::Average },
        half_effect: section.float("half_effect"),
        reactions: section.float("reactions").unwrap_or(0.0),
        source: section.owned("source"),
        mark: section.text("mark").and_then(mark),
    };
    let above_zero = [
        ("clearance", kinetics.clearance),
        ("volume", kinetics.volume),
        ("absorption", kinetics.absorption),
        ("interval", kinetics.interval),
        ("half_effect", kinetics.half_effect.unwrap_or(1.0)),
    ];
    for (key, _) in above_zero.iter().filter(|(_, value)| *value <= 0.0) {
        let message = format!("`{key}` of [pharmacology] is not above 0");
        let help = "write a number above 0, such as `clearance = { median = 14.3, cv = 0.36 }`".to_owned();
        desk.error("range", &section.place_of(key), message, Some(help));
    }
    Some(kinetics)
}

fn read_skin(desk: &mut Desk<'_>, section: &Section<'_>) -> Option<SkinProcess> {
    let form = section.text("form")?;
    let prefix = format!("{form}.");
    let sites: Vec<String> =
        desk.items.keys().filter_map(|name| name.strip_prefix(&prefix)).map(str::to_owned).collect();
    if desk.names.has(Kind::Form, form) {
        for entry in section.named("site_weights") {
            desk.refer_among(Kind::Item, entry.name(), &entry.place(), &sites);
        }
    }
    let course = section.section("course")?;
    let oedema = section.section("oedema");
    Some(SkinProcess {
        form: form.into(),
        start: spread(section, "start")?,
        error_same_observer: number(section, "error_same_observer"),
        error_new_observer: number(section, "error_new_observer"),
        intercept: number(&course, "intercept"),
        per_point: number(&course, "per_point"),
        centre_points: number(&course, "centre_points"),
        per_month: number(&course, "per_month"),
        centre_months: number(&course, "centre_months"),
        change_min: number(&course, "change_min"),
        change_max: number(&course, "change_max"),
        share_by_month_6: number(section, "share_by_month_6"),
        settings: numbers(section, "settings"),
        oedema_points: oedema
            .map_or((0.0, 0.0), |oedema| (number(&oedema, "least_points"), number(&oedema, "most_points"))),
        oedema: oedema.map(|oedema| oedema.owned("reaction")),
        site_weights: numbers(section, "site_weights")
            .into_iter()
            .map(|(item, weight)| (item.into(), weight))
            .collect(),
    })
}

fn read_effect(entry: &Section<'_>) -> Effect {
    Effect {
        name: entry.name().to_owned(),
        points: number(entry, "points"),
        month: number(entry, "month"),
        share_at_half: number(entry, "share_at_half"),
        toxic: entry.flag("toxic").unwrap_or(true),
    }
}

fn read_measure(desk: &mut Desk<'_>, entry: &Section<'_>) -> Option<MeasureProcess> {
    let (form, item) = entry.name().split_once('.')?;
    // A grade in the order of its list is measured by readers of slides alone; that is looked at once all forms are read.
    if let Some(facts) = desk.items.get(entry.name())
        && !matches!(facts.kind, Type::Number(_) | Type::Code(_))
    {
        let message = format!("`{}` holds {}, which is not measured", entry.name(), facts.kind.noun());
        desk.error("type", &entry.place(), message, Some("draw it in `[answers]`".into()));
    }
    Some(MeasureProcess {
        form: form.into(),
        item: item.into(),
        start: spread(entry, "start")?,
        start_ild: spread(entry, "start_ild"),
        start_male: spread(entry, "start_male"),
        yearly: number(entry, "yearly"),
        yearly_sd: number(entry, "yearly_sd"),
        yearly_ild: entry.float("yearly_ild"),
        yearly_sd_ild: entry.float("yearly_sd_ild"),
        noise: number(entry, "noise"),
        per_skin_point: number(entry, "per_skin_point"),
        step: entry.float("step"),
        min: entry.float("min"),
        max: entry.float("max"),
        reactions: numbers(entry, "reactions"),
        factor: entry.flag("factor").unwrap_or(false),
    })
}

fn read_answer(desk: &mut Desk<'_>, entry: &Section<'_>) -> Option<AnswerProcess> {
    let (form, item) = entry.name().split_once('.')?;
    let kind = desk.items.get(entry.name()).map(|facts| facts.kind.clone());
    let draw = if entry.get("share").is_some() {
        let shares = numbers(entry, "share");
        sums_to_one(desk, entry, "share", shares.iter().map(|(_, share)| *share));
        for code in entry.named("share") {
            check_drawn(desk, &code, kind.as_ref());
        }
        AnswerDraw::Shares(shares)
    } else if let Some(property) = entry.text("from") {
        AnswerDraw::From(property.to_owned())
    } else if let Some((form, item)) = entry.text("same_as").and_then(|name| name.split_once('.')) {
        AnswerDraw::Same(form.into(), item.into())
    } else if let Some(text) = entry.text("text") {
        AnswerDraw::Text(text.to_owned())
    } else if entry.get("normal").is_some() {
        AnswerDraw::Normal(spread(entry, "normal")?)
    } else {
        AnswerDraw::Missing(missing_reason(entry.text("missing")?)?)
    };
    Some(AnswerProcess { form: form.into(), item: item.into(), draw })
}

/// Checks that an item can hold what is drawn for it.
fn check_drawn(desk: &mut Desk<'_>, code: &Section<'_>, kind: Option<&Type>) {
    let known: Vec<String> = match kind {
        Some(Type::Code(codes)) => match &codes.among {
            Some(among) => among.to_vec(),
            None => return,
        },
        Some(Type::Flag) => vec!["true".to_owned(), "false".to_owned()],
        Some(Type::Number(_)) if code.name().parse::<terms::Decimal>().is_err() => {
            desk.error(
                "type",
                &code.place(),
                format!("`{}` is not a number, and the item holds one", code.name()),
                None,
            );
            return;
        }
        _ => return,
    };
    desk.refer_among(Kind::Code, code.name(), &code.place(), &known);
}

fn grades(desk: &mut Desk<'_>, section: &Section<'_>) -> [f64; 4] {
    let shares: Vec<f64> = section
        .get("grades")
        .map_or(&[][..], Node::elements)
        .iter()
        .filter_map(|node| node.decimal()?.to_string().parse().ok())
        .collect();
    sums_to_one(desk, section, "grades", shares.iter().copied());
    shares.try_into().unwrap_or_default()
}

fn read_reaction(desk: &mut Desk<'_>, entry: &Section<'_>) -> Reaction {
    Reaction {
        name: entry.name().to_owned(),
        term: entry.owned("term"),
        share: numbers(entry, "share").into_iter().map(|(arm, share)| (arm.into(), share)).collect(),
        onset_median_days: number(entry, "onset_median_days"),
        duration_median_days: number(entry, "duration_median_days"),
        grades: grades(desk, entry),
        again: number(entry, "again"),
        dose_change: number(entry, "dose_change"),
        hold_rule: entry.text("hold_rule").map(Into::into),
        reduce_rule: entry.text("reduce_rule").map(Into::into),
    }
}

fn read_hazard(desk: &mut Desk<'_>, entry: &Section<'_>) -> HazardProcess {
    let floats = |key: &str| -> Vec<f64> {
        let nodes = entry.get(key).map_or(&[][..], Node::elements).iter();
        nodes.filter_map(|node| node.decimal()?.to_string().parse().ok()).collect()
    };
    let monthly = floats("monthly");
    let from_months = if entry.get("from_months").is_some() { floats("from_months") } else { vec![0.0] };
    if entry.get("monthly").is_some() && monthly.len() != from_months.len() {
        let message = format!("{} rates for {} stretches of months", monthly.len(), from_months.len());
        let help = "give one rate for each of `from_months`, such as `from_months = [0, 6]` with two rates";
        desk.error("hazard", &entry.place_of("monthly"), message, Some(help.into()));
    }
    let rises = from_months.windows(2).all(|pair| pair[0] < pair[1]);
    if !rises || from_months.first().is_none_or(|first| *first != 0.0) {
        let message = "months must rise from 0".to_owned();
        let help = "write the months at which each rate begins, such as [0, 6]".to_owned();
        desk.error("hazard", &entry.place_of("from_months"), message, Some(help));
    }
    let fatal = entry.flag("fatal").unwrap_or(false);
    let grade = entry.whole::<u8>("grade");
    if let (true, Some(grade @ ..5)) = (fatal, grade) {
        let message = format!("a fatal event has grade 5, not {grade}");
        desk.error("hazard", &entry.place_of("grade"), message, Some("leave `grade` out".into()));
    }
    HazardProcess {
        name: entry.name().to_owned(),
        term: entry.owned("term"),
        grade: if fatal { 5 } else { grade.unwrap_or(3) },
        serious: fatal || entry.flag("serious").unwrap_or(false),
        fatal,
        from_months,
        monthly,
        ratio: numbers(entry, "ratio").into_iter().map(|(arm, ratio)| (arm.into(), ratio)).collect(),
    }
}

fn read_events(desk: &mut Desk<'_>, section: &Section<'_>) -> BackgroundEvents {
    if let Some(Type::Code(Codes { among: Some(among), .. })) = desk.event_variables.get("relation").cloned()
    {
        for key in ["related", "unrelated"] {
            for code in section.named(key) {
                desk.refer_among(Kind::Code, code.name(), &code.place(), &among);
            }
        }
    }
    BackgroundEvents {
        per_month: number(section, "per_month"),
        terms: numbers(section, "terms"),
        grades: grades(desk, section),
        serious: number(section, "serious"),
        serious_related: number(section, "serious_related"),
        duration_median_days: number(section, "duration_median_days"),
        related: numbers(section, "related"),
        unrelated: numbers(section, "unrelated"),
    }
}

fn read_treatment(desk: &mut Desk<'_>, entry: &Section<'_>) -> OtherTreatment {
    let answered = entry.text("answered").and_then(|name| name.split_once('.'));
    let reaction = entry.text("reaction");
    if answered.is_some() && reaction.is_some() {
        let help = "leave out `reaction` or `answered`".to_owned();
        let message = "a treatment is taken with a reaction or by who gives an answer, not both".to_owned();
        desk.error("treatment", &entry.place_of("answered"), message, Some(help));
    }
    let taken = match (reaction, answered) {
        (Some(reaction), _) => TreatmentTaken::With(reaction.to_owned()),
        (None, Some((form, item))) => TreatmentTaken::Answered(form.into(), item.into()),
        (None, None) => TreatmentTaken::Always,
    };
    OtherTreatment {
        name: entry.name().to_owned(),
        class: entry.text("class").map(str::to_owned),
        reason: entry.text("reason").map(str::to_owned),
        share: number(entry, "share"),
        taken,
    }
}

fn read_withdrawal(desk: &mut Desk<'_>, section: &Section<'_>) -> Withdrawal {
    let known: Vec<String> = REASONS.iter().map(|reason| (*reason).to_owned()).collect();
    for reason in section.named("reasons") {
        desk.refer_among(Kind::Code, reason.name(), &reason.place(), &known);
    }
    Withdrawal {
        arm: section.owned("arm").into(),
        share: number(section, "share"),
        per_skin_point: section.float("per_skin_point").unwrap_or(0.0),
        reasons: numbers(section, "reasons"),
    }
}

fn read_habits(section: &Section<'_>) -> Habits {
    Habits {
        missed_visit: number(section, "missed_visit"),
        visit_spread_days: number(section, "visit_spread_days"),
        out_of_window: number(section, "out_of_window"),
        correction: number(section, "correction"),
        query: number(section, "query"),
        assessor_change: number(section, "assessor_change"),
        form_not_done: number(section, "form_not_done"),
        missed_doses: number(section, "missed_doses"),
        blind_break: number(section, "blind_break"),
        prohibited_treatment: number(section, "prohibited_treatment"),
        prohibited_name: section.owned("prohibited_name"),
        prohibited_class: section.text("prohibited_class").map(str::to_owned),
        escalation: number(section, "escalation"),
    }
}
