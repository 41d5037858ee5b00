//! A small invented trial of two arms: fourteen screened, twelve randomised, a skin score at three visits.
//! Its data sets are written down here; its results are computed by the analysis crate.

use std::collections::BTreeMap;

use analysis::Results;
use datasets::{Column, Data, DataSets, Dataset};
use protocol::{Study, model::*};
use report::{Behind, ChangeLine, EventLine, Provenance, Report};
use terms::{Date, PartialDate};

use crate::measured;

const SCREENED: usize = 14;
pub const RANDOMISED: usize = 12;
pub const VISITS: [&str; 3] = ["M0", "M3", "M6"];
/// Skin scores by participant at M0, M3 and M6; `None`: no value.
const SCORES: [[Option<i32>; 3]; RANDOMISED] = [
    [Some(24), Some(26), Some(27)],
    [Some(31), Some(30), Some(28)],
    [Some(22), Some(22), None],
    [Some(35), Some(33), Some(36)],
    [Some(20), Some(18), Some(14)],
    [Some(28), None, Some(25)],
    [Some(26), Some(27), Some(29)],
    [Some(40), Some(38), Some(35)],
    [Some(21), Some(20), Some(20)],
    [Some(30), Some(27), Some(23)],
    [Some(25), None, None],
    [Some(33), Some(34), Some(34)],
];

pub fn label(en: &str, fr: &str) -> Label {
    let texts = [("en", en), ("fr", fr)].map(|(code, text)| (code.to_owned(), text.to_owned()));
    Label(BTreeMap::from(texts))
}

fn visit(id: &str, timing: Timing) -> Visit {
    Visit {
        id: id.into(),
        label: label(&format!("Month {}", &id[1..]), &format!("Mois {}", &id[1..])),
        epoch: "treatment".to_owned(),
        timing,
        extra: false,
        closes_treatment: id == "M6",
        closes_study: id == "M6",
        never_analysed_as: None,
    }
}

fn fact(id: &str, text: &str, mark: SourceMark) -> StatedFact {
    StatedFact {
        id: id.into(),
        label: label(&format!("Stated {}", id.replace('_', " ")), &format!("Énoncé {id}")),
        number: text.parse().ok(),
        text: text.to_owned(),
        unit: None,
        mark,
        follows: "abstract".to_owned(),
        because: Some("It reports what was done.".to_owned()),
        statements: ["abstract", "registry"]
            .map(|source| Statement { source: source.to_owned(), says: text.to_owned(), mark, note: None })
            .into(),
    }
}

fn analysis(id: &str, method: Method, subject: Subject) -> Analysis {
    Analysis {
        id: id.into(),
        label: label(&format!("Analysis {id}"), &format!("Analyse {id}")),
        estimand: None,
        role: "descriptive".to_owned(),
        method,
        set: "itt".into(),
        subject,
        by: Some("arm".to_owned()),
        only: None,
        published: Vec::new(),
    }
}

fn relative_change(id: &str, missing: MissingRule, role: &str) -> Analysis {
    let method = Method::RankSum {
        two_sided: TwoSided::AsFarFromMean,
        confidence: "0.95".parse().unwrap(),
        quartiles: Quartiles::Type2,
    };
    let subject = Subject::Parameter {
        parameter: "MRSS".into(),
        visit: "M6".into(),
        measure: Measure::RelativeChange,
        missing,
    };
    Analysis { estimand: Some("P1".into()), role: role.to_owned(), ..analysis(id, method, subject) }
}

fn plan() -> AnalysisPlan {
    let confidence = "0.95".parse().unwrap();
    let stated = |estimate: &str, fact: &str| Published { estimate: estimate.to_owned(), fact: fact.into() };
    let describe = Method::Describe { quartiles: Quartiles::Type2 };
    let events = || Subject::AdverseEvents { filter: None };
    let analyses = vec![
        Analysis {
            published: vec![stated("mean", "age_mean")],
            ..analysis("age", describe, Subject::Variable { variable: "age".to_owned() })
        },
        analysis("sex", Method::Count, Subject::Variable { variable: "sex".to_owned() }),
        Analysis {
            published: vec![
                stated("median[imatinib]", "median_imatinib"),
                stated("median[placebo]", "median_placebo"),
                stated("p", "p_value"),
            ],
            ..relative_change("P1-main", MissingRule::LastObservation, "main")
        },
        relative_change("P1-observed", MissingRule::Observed, "sensitivity"),
        relative_change("P1-worst", MissingRule::WorstCase, "sensitivity"),
        Analysis {
            by: None,
            ..analysis(
                "within",
                Method::PairedT { confidence },
                Subject::Parameter {
                    parameter: "MRSS".into(),
                    visit: "M6".into(),
                    measure: Measure::Change,
                    missing: MissingRule::Observed,
                },
            )
        },
        analysis("terms", Method::Fisher { confidence }, events()),
        analysis("events", Method::Count, events()),
        analysis("deviations", Method::Count, Subject::Deviations),
    ];
    let section = |en: &str, fr: &str, show: Vec<Shown>| Section { title: label(en, fr), show };
    let table = |ids: &[&str]| Shown::Table(ids.iter().map(|id| (*id).into()).collect());
    AnalysisPlan {
        data: Vec::new(),
        tests: measured::tests(),
        times: Vec::new(),
        variables: Vec::new(),
        parameters: vec![Parameter {
            id: "MRSS".into(),
            label: label("Skin score", "Score cutané"),
            form: "skin_score".into(),
            item: "total".into(),
            unit: Some("points".to_owned()),
            decimals: 0,
            lower_is_better: true,
        }],
        sets: Vec::new(),
        estimands: vec![Estimand {
            id: "P1".into(),
            question: label("Does it change the score?", "Modifie-t-il le score ?"),
            level: "primary".to_owned(),
            treatment: "as assigned".to_owned(),
            population: "itt".into(),
            variable: "relative change at month 6".to_owned(),
            events: vec![("stopped_drug".to_owned(), Strategy::TreatmentPolicy)],
            summary: "Hodges-Lehmann shift".to_owned(),
            mark: SourceMark::Assumed,
        }],
        analyses,
        sections: vec![
            section("Participants", "Participants", vec![Shown::Flow]),
            section("Baseline", "État initial", vec![table(&["age", "sex"])]),
            section(
                "Primary endpoint",
                "Critère principal",
                vec![
                    table(&["P1-main"]),
                    table(&["P1-observed", "P1-worst"]),
                    table(&["within"]),
                    Shown::Trajectories("MRSS".into(), None),
                    Shown::Waterfall("MRSS".into(), "M6".into()),
                    Shown::ExclusionListing,
                ],
            ),
            section(
                "Safety",
                "Tolérance",
                vec![table(&["terms"]), table(&["events"]), Shown::AdverseEventsOverTime],
            ),
            section(
                "In full",
                "En entier",
                vec![
                    Shown::Baseline(vec!["age".into(), "sex".into()]),
                    Shown::Forest(vec!["P1-main".into(), "P1-observed".into(), "P1-worst".into()]),
                    Shown::CumulativeDistribution("MRSS".into(), "M6".into()),
                    Shown::Trajectories("MRSS".into(), Some("sex".to_owned())),
                    Shown::DoseChanges,
                    Shown::SwimLanes,
                    Shown::AdverseEventGrades,
                    Shown::AdverseEventRelations,
                    Shown::AdverseEventOnset,
                    Shown::AdverseEventDifferences,
                    Shown::SeriousEventListing,
                    Shown::WithdrawalListing,
                    Shown::DoseChangeListing,
                ],
            ),
            section(
                "Measured",
                "Mesures",
                vec![
                    Shown::ConcomitantTreatments,
                    Shown::TreatmentListing,
                    Shown::BodyMap,
                    Shown::ReaderAgreement,
                    Shown::LaboratoryGrades,
                    Shown::LaboratoryRanges,
                    Shown::HysLaw,
                    Shown::LaboratoryTrends(vec!["ALT".to_owned(), "HGB".to_owned()]),
                    Shown::LaboratoryListing,
                ],
            ),
            section("Deviations", "Déviations", vec![table(&["deviations"]), Shown::DeviationListing]),
            section("Protocol", "Protocole", vec![Shown::Protocol]),
            section("Sources", "Sources", vec![Shown::Sources]),
        ],
    }
}

pub fn study() -> Study {
    let arm = |id: &str, en: &str, control| Arm {
        id: id.into(),
        label: label(en, en),
        treatment: id.to_owned(),
        control,
    };
    let months = |months| Timing::Months { anchor: Anchor::FirstDose, months, within_days: 7 };
    Study {
        version: "5f".repeat(32),
        id: "sample".into(),
        title: label("A sample trial of <imatinib> & placebo", "Un essai"),
        registry: BTreeMap::from([("clinicaltrials_gov".to_owned(), "NCT00000000".to_owned())]),
        phase: "II".to_owned(),
        sponsor: "A hospital".to_owned(),
        sources: vec![("abstract".to_owned(), label("A journal 2012;1:1", "Une revue 2012;1:1"))],
        languages: vec!["en".to_owned(), "fr".to_owned()],
        blinded: true,
        target: 12,
        facts: vec![
            fact("age_mean", "48.9", SourceMark::Published),
            fact("median_imatinib", "0.10", SourceMark::Published),
            fact("median_placebo", "-0.16", SourceMark::Derived),
            fact("p_value", "0.098", SourceMark::Published),
        ],
        arms: vec![arm("imatinib", "Imatinib 400 mg", false), arm("placebo", "Placebo", true)],
        epochs: Vec::new(),
        sites: Vec::new(),
        consents: Vec::new(),
        roles: Vec::new(),
        data_classes: Vec::new(),
        visits: vec![
            visit("M0", Timing::On { anchor: Anchor::Randomisation }),
            visit("M3", months(3)),
            visit("M6", months(6)),
        ],
        activities: Vec::new(),
        codelists: Vec::new(),
        forms: Vec::new(),
        laboratories: Vec::new(),
        eligibility: Vec::new(),
        dosing: Dosing {
            levels_mg: Vec::new(),
            planned_months: 6,
            tablet_mg: "100".parse().unwrap(),
            escalations_max: 1,
            escalation_after_days: 28,
            pause_days_max: 28,
            pause_days_total_max: 56,
            rules: Vec::new(),
        },
        allocation: None,
        blind_reading: None,
        deviations: Vec::new(),
        plan: plan(),
        watches: Vec::new(),
        virtual_cohort: VirtualCohort::default(),
        coverage: Coverage::default(),
    }
}

fn date(year: i16, month: i8, day: i8) -> PartialDate {
    PartialDate::from(Date::new(year, month, day).unwrap())
}

pub fn some<T>(values: impl IntoIterator<Item = T>) -> Vec<Option<T>> {
    values.into_iter().map(Some).collect()
}

pub fn subject(place: usize) -> String {
    format!("01-{:03}", place + 1)
}

pub fn arm_of(place: usize) -> &'static str {
    if place.is_multiple_of(2) { "imatinib" } else { "placebo" }
}

pub fn levels(codes: &[(&str, &str)]) -> Vec<(String, String)> {
    codes.iter().map(|(code, label)| ((*code).to_owned(), (*label).to_owned())).collect()
}

fn subjects() -> Dataset {
    let enrolled = |place: usize| place < RANDOMISED;
    let left = |place: usize| place == 2 || place == 10;
    let flag = |keep: &dyn Fn(usize) -> bool| Data::Flag(some((0..SCREENED).map(keep)));
    let dates = |year, month, day| {
        Data::Date((0..SCREENED).map(|place| enrolled(place).then(|| date(year, month, day))).collect())
    };
    let reason = |place: usize| match (enrolled(place), left(place)) {
        (false, _) => "not_eligible",
        (true, true) => "adverse_event",
        (true, false) => "completed",
    };
    let reasons = || Data::Code(some((0..SCREENED).map(|place| reason(place).to_owned())));
    let reason_levels = || {
        levels(&[
            ("completed", "Completed"),
            ("adverse_event", "Adverse event"),
            ("not_eligible", "Not eligible"),
        ])
    };
    let mut set =
        Dataset::new("subjects", "Participants", (0..SCREENED as u64).map(|place| vec![place + 1]).collect());
    let columns = [
        Column::new("subject", "Participant", Data::Text(some((0..SCREENED).map(subject)))),
        Column::new(
            "arm",
            "Arm",
            Data::Code(
                (0..SCREENED).map(|place| enrolled(place).then(|| arm_of(place).to_owned())).collect(),
            ),
        ),
        Column::new(
            "sex",
            "Sex",
            Data::Code(
                (0..SCREENED)
                    .map(|place| {
                        (place != 4).then(|| if place % 3 == 0 { "male" } else { "female" }.to_owned())
                    })
                    .collect(),
            ),
        )
        .with_levels(levels(&[("female", "Female"), ("male", "Male")])),
        Column::new("age", "Age", Data::Number(some((0..SCREENED).map(|place| 31.5 + 3.0 * place as f64))))
            .with_unit(Some("years"))
            .with_sources((0..SCREENED as u64).map(|place| vec![100 + place]).collect()),
        Column::new("screening_date", "Date of consent", dates(2008, 1, 10)),
        Column::new("enrolled", "Enrolled", flag(&enrolled)),
        Column::new("treated", "Took at least one dose", flag(&enrolled)),
        Column::new("first_dose_date", "First dose", dates(2008, 2, 1)),
        Column::new("last_dose_date", "Last dose", dates(2008, 7, 31)),
        Column::new("end_date", "End", dates(2008, 8, 1)),
        Column::new(
            "treatment_completed",
            "Treatment completed",
            flag(&|place| enrolled(place) && !left(place)),
        ),
        Column::new("treatment_end_reason", "Why treatment ended", reasons()).with_levels(reason_levels()),
        Column::new("completed", "Completed", flag(&|place| enrolled(place) && !left(place))),
        Column::new("end_reason", "Why participation ended", reasons()).with_levels(reason_levels()),
        Column::new("set_itt", "All randomised", flag(&enrolled)),
    ];
    columns.into_iter().for_each(|column| set.push(column));
    set
}

/// Observed scores, then the values that rules carry forward or take from the other arm.
fn longitudinal() -> Dataset {
    let mut rows: Vec<(usize, usize, i32, Option<&str>)> = Vec::new();
    for (place, scores) in SCORES.iter().enumerate() {
        for (visit, score) in scores.iter().enumerate() {
            if let Some(score) = score {
                rows.push((place, visit, *score, None));
            }
        }
        if scores[2].is_none() {
            if let Some(carried) = scores[1] {
                rows.push((place, 2, carried, Some("locf")));
            }
            rows.push((place, 2, scores[0].unwrap() + 4, Some("worst_case")));
        }
    }
    let base = |place: usize| f64::from(SCORES[place][0].unwrap());
    let change =
        |row: &(usize, usize, i32, Option<&str>)| (row.1 > 0).then(|| f64::from(row.2) - base(row.0));
    let sources = rows.iter().map(|row| vec![200 + 3 * row.0 as u64 + row.1 as u64]).collect();
    let mut set = Dataset::new("longitudinal", "Parameters by visit", sources);
    let columns = [
        Column::new("subject", "Participant", Data::Text(some(rows.iter().map(|row| subject(row.0))))),
        Column::new("arm", "Arm", Data::Code(some(rows.iter().map(|row| arm_of(row.0).to_owned())))),
        Column::new("parameter", "Parameter", Data::Code(some(rows.iter().map(|_| "MRSS".to_owned())))),
        Column::new("visit", "Visit", Data::Code(some(rows.iter().map(|row| VISITS[row.1].to_owned()))))
            .with_levels(levels(&[("M0", "Month 0"), ("M3", "Month 3"), ("M6", "Month 6")])),
        Column::new("planned", "Planned", Data::Flag(some(rows.iter().map(|_| true)))),
        Column::new("value", "Value", Data::Number(some(rows.iter().map(|row| f64::from(row.2))))),
        Column::new("baseline", "Baseline", Data::Number(some(rows.iter().map(|row| base(row.0))))),
        Column::new("change", "Change", Data::Number(rows.iter().map(change).collect())),
        Column::new(
            "relative_change",
            "Relative change",
            Data::Number(rows.iter().map(|row| Some(change(row)? / base(row.0))).collect()),
        ),
        Column::new(
            "percent_change",
            "Percent change",
            Data::Number(rows.iter().map(|row| Some(100.0 * change(row)? / base(row.0))).collect()),
        ),
        Column::new("derived", "Rule", Data::Code(rows.iter().map(|row| row.3.map(str::to_owned)).collect())),
    ];
    columns.into_iter().for_each(|column| set.push(column));
    set
}

/// Participant, term, worst grade, first and last day.
type Event = (usize, &'static str, i64, i64, i64);

fn adverse_events() -> Dataset {
    let rows: [Event; 7] = [
        (0, "Oedema <peripheral>", 2, 12, 80),
        (0, "Nausea", 1, 3, 9),
        (1, "Nausea", 1, 20, 25),
        (2, "Oedema <peripheral>", 3, 30, 100),
        (4, "Fatigue", 1, 40, 170),
        (7, "Headache", 2, 100, 101),
        (8, "Oedema <peripheral>", 1, 15, 60),
    ];
    let sources = (0..rows.len() as u64).map(|row| vec![300 + row]).collect();
    let mut set = Dataset::new("adverse_events", "Adverse events", sources);
    let whole = |of: &dyn Fn(&Event) -> i64| Data::Integer(some(rows.iter().map(of)));
    let flag = |of: &dyn Fn(&Event) -> bool| Data::Flag(some(rows.iter().map(of)));
    let columns = [
        Column::new("subject", "Participant", Data::Text(some(rows.iter().map(|row| subject(row.0))))),
        Column::new("arm", "Arm", Data::Code(some(rows.iter().map(|row| arm_of(row.0).to_owned())))),
        Column::new("term", "Term", Data::Text(some(rows.iter().map(|row| row.1.to_owned())))),
        Column::new("grade", "Worst grade", whole(&|row| row.2)),
        Column::new("start_day", "Start day", whole(&|row| row.3)),
        Column::new("stop_day", "Stop day", whole(&|row| row.4)),
        Column::new("treatment_emergent", "Treatment-emergent", flag(&|_| true)),
        Column::new("serious", "Serious", flag(&|row| row.2 == 3)),
        Column::new("related", "Related", flag(&|row| row.2 > 1)),
    ];
    columns.into_iter().for_each(|column| set.push(column));
    set
}

/// Participant, kind, class and words.
type Departure = (usize, &'static str, &'static str, &'static str);

fn deviations() -> Dataset {
    let rows =
        [(2, "missed_visit", "minor", "M6 not held"), (5, "out_of_window", "major", "12 days late; \"bus\"")];
    let mut set = Dataset::new("deviations", "Deviations", vec![vec![400], vec![401, 402]]);
    let text = |of: &dyn Fn(&Departure) -> String| some(rows.iter().map(of));
    let columns = [
        Column::new("subject", "Participant", Data::Text(text(&|row| subject(row.0)))),
        Column::new("kind", "Kind", Data::Code(text(&|row| row.1.to_owned()))).with_levels(levels(&[
            ("missed_visit", "Missed visit"),
            ("out_of_window", "Visit out of window"),
        ])),
        Column::new("class", "Class", Data::Code(text(&|row| row.2.to_owned()))),
        Column::new("text", "Text", Data::Text(text(&|row| row.3.to_owned()))),
    ];
    columns.into_iter().for_each(|column| set.push(column));
    set
}

fn disposition() -> Dataset {
    let mut set = Dataset::new("disposition", "Disposition", vec![vec![13], vec![14]]);
    let text = |values: [&str; 2]| Data::Text(some(values.map(str::to_owned)));
    let columns = [
        Column::new("subject", "Participant", text(["01-013", "01-014"])),
        Column::new("step", "Step", text(["not_eligible", "not_eligible"])),
        Column::new("reason", "Reason", text(["I3", "X4"])),
    ];
    columns.into_iter().for_each(|column| set.push(column));
    set
}

pub fn data() -> DataSets {
    let mut exposure = Dataset::new("exposure", "Exposure", Vec::new());
    exposure.push(Column::new("subject", "Participant", Data::Text(Vec::new())));
    DataSets {
        subjects: subjects(),
        longitudinal: longitudinal(),
        adverse_events: adverse_events(),
        exposure,
        deviations: deviations(),
        disposition: disposition(),
        laboratory: measured::laboratory(),
        readings: measured::readings(),
        body_sites: measured::body_sites(),
        concomitant_treatments: measured::concomitant_treatments(),
        ..DataSets::default()
    }
}

pub fn results(study: &Study, data: &DataSets) -> Results {
    analysis::run(&study.plan, &study.arms, &study.facts, data).unwrap()
}

/// An event for every source that the data sets name, and one that nothing names.
pub fn events() -> Vec<EventLine> {
    (1..=500)
        .map(|sequence| EventLine {
            sequence,
            stream: "01-001".to_owned(),
            recorded: "2008-02-01T10:00+01:00".to_owned(),
            person: "assessor-1".to_owned(),
            role: "skin_assessor".to_owned(),
            kind: "form section saved".to_owned(),
            what: "skin_score at M0".to_owned(),
            changes: vec![
                ChangeLine { item: "total".to_owned(), old: Some("23".to_owned()), new: "24".to_owned() },
                ChangeLine { item: "face".to_owned(), old: None, new: "2".to_owned() },
            ],
            reason: (sequence == 402).then(|| "read again < twice > & corrected".to_owned()),
        })
        .collect()
}

pub fn provenance() -> Provenance {
    Provenance {
        study_version: "5f".repeat(32),
        record_head: "a0".repeat(32),
        record_events: 500,
        program: "equipoise 0.1.0".to_owned(),
        seed: Some(20_070_529),
        virtual_cohort: true,
    }
}

/// What the study's files say of some of it.
pub fn files() -> BTreeMap<String, String> {
    let plan = "[sets.itt]\nwho = \"enrolled\"\n\n[parameters]\nMRSS = { item = \"skin_score.total\" }\n\n[tests]\n\
                ALT = { item = \"laboratory.alt\" }\n\n[estimands.P1]\nlevel = \"primary\"\n\n\
                [analyses.P1-main]\nset = \"itt\"\nmethod = \"rank sum\" # <exact>\n\n\
                [[report]]\nshow = [\"flow\", \"figure:trajectory:MRSS\"]\n";
    let form = "title = \"Skin score\"\n\n[items]\ntotal = { type = \"integer\" }\n";
    let files = [("analysis.toml", plan), ("forms/skin_score.toml", form)];
    BTreeMap::from(files.map(|(name, text)| (name.to_owned(), text.to_owned())))
}

pub fn report() -> Report {
    build(&study(), &provenance(), "en")
}

/// The report of a study under a provenance, labels in a language.
pub fn build(study: &Study, provenance: &Provenance, language: &str) -> Report {
    let data = data();
    let results = results(study, &data);
    let (events, files) = (events(), files());
    let behind = Behind { events: &events, files: &files };
    report::build(study, &data, &results, provenance, behind, language).unwrap()
}
