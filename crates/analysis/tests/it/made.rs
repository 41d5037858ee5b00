//! A made trial of 24 participants and two who were kept out, with everything that goes wrong in one:
//! ties, a zero baseline, missing visits, an early end, deaths, values that nobody gave.

use std::{collections::BTreeMap, fs, path::Path, sync::LazyLock};

use datasets::{
    Column, Data, DataSets, Dataset,
    adam::{
        Observation,
        derive_param_death::{Death, derive_param_death},
        derive_param_locf::derive_param_locf,
        derive_param_worst_case::derive_param_worst_case,
        derive_var_base::derive_var_base,
        derive_var_chg::derive_var_chg,
        derive_var_day::derive_var_day,
    },
};
use protocol::{expression::Expression, model::*};
use terms::*;

pub const PARTICIPANTS: u32 = 26;
const ENTERED: u32 = 24;

pub fn id(number: u32) -> SubjectId {
    SubjectId::from(format!("{:02}-{number:03}", number % 3 + 1))
}

pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn arm(number: u32) -> &'static str {
    // 13 and 11, so that a rank sum's null distribution is not symmetric with ties.
    if number % 2 == 1 || number == 24 { "active" } else { "control" }
}

/// Baseline, M3, M6, early end. Fractions of a few baselines, so that relative changes are tied.
pub fn scores(number: u32) -> [Option<f64>; 4] {
    let baseline = [20.0, 24.0, 30.0, 40.0][number as usize % 4];
    let at = |step: u32| Some(baseline + baseline * (f64::from((number * step) % 9) - 5.0) / 20.0);
    match number {
        5 => [Some(0.0), Some(1.0), Some(3.0), None],
        6 => [Some(baseline), at(3), None, None],
        7 => [Some(baseline), None, None, at(4)],
        8 | 9 => [Some(baseline), None, None, None],
        10 => [Some(baseline), at(2), None, None],
        11 => [None, at(2), at(5), None],
        12 => [Some(baseline), at(7), None, at(7)],
        _ => [Some(baseline), at(7), at(5), None],
    }
}

/// Those who died before M6: 9 (with nothing after baseline) and 10.
fn died(number: u32) -> bool {
    number == 9 || number == 10
}

pub fn data() -> DataSets {
    DataSets {
        subjects: subjects(),
        longitudinal: longitudinal(),
        adverse_events: adverse_events(),
        exposure: Dataset::new("exposure", "Exposure", Vec::new()),
        deviations: deviations(),
        disposition: disposition(),
        readings: readings(),
        ..DataSets::default()
    }
}

/// Slides of the first ten, read by two readers; every third slide came back under a second code.
fn readings() -> Dataset {
    let mut rows = Vec::new();
    for n in 1..=10_u32 {
        for (again, reader) in [(false, 1), (false, 2), (true, 1), (true, 2)] {
            if !again || n % 3 == 0 {
                rows.extend([(n, again, reader, "thickness"), (n, again, reader, "cells")]);
            }
        }
    }
    let mut set =
        Dataset::new("readings", "Readings", (1..=rows.len() as u64).map(|n| vec![900 + n]).collect());
    let text =
        |of: &dyn Fn(&(u32, bool, u32, &str)) -> Option<String>| rows.iter().map(of).collect::<Vec<_>>();
    set.push(Column::new("subject", "Participant", Data::Text(text(&|row| Some(id(row.0).to_string())))));
    set.push(Column::new("visit", "Visit", Data::Code(text(&|_| Some("M0".to_owned())))));
    let code = |row: &(u32, bool, u32, &str)| Some(format!("S{}{}", row.0, if row.1 { "b" } else { "" }));
    set.push(Column::new("specimen", "Code", Data::Text(text(&code))));
    set.push(Column::new("repeat", "Again", Data::Flag(rows.iter().map(|row| Some(row.1)).collect())));
    let reader = rows.iter().map(|row| Some(i64::from(row.2))).collect();
    set.push(Column::new("reader", "Reader", Data::Integer(reader)));
    set.push(Column::new("item", "Item", Data::Text(text(&|row| Some(row.3.to_owned())))));
    let shift = |row: &(u32, bool, u32, &str)| (row.0 * 7 + row.2 * 3 + u32::from(row.1)) % 5;
    let value = |row: &(u32, bool, u32, &str)| {
        // One slide could not be measured by the second reader.
        let measured = row.3 == "thickness" && !(row.0 == 4 && row.2 == 2);
        measured.then(|| 1.5 + f64::from(row.0 % 4) / 4.0 + f64::from(shift(row)) / 50.0)
    };
    set.push(Column::new("value", "Value", Data::Number(rows.iter().map(value).collect())));
    let place = |row: &(u32, bool, u32, &str)| {
        (row.3 == "cells").then(|| i64::from((row.0 + u32::from(shift(row) > 2)) % 4) + 1)
    };
    let names = ["none", "few", "some", "many"];
    let level = |row: &(u32, bool, u32, &str)| place(row).map(|at| names[at as usize - 1].to_owned());
    set.push(Column::new("level", "Level", Data::Code(text(&level))));
    set.push(Column::new("place", "Place", Data::Integer(rows.iter().map(place).collect())));
    let places = rows.iter().map(|row| (row.3 == "cells").then_some(4)).collect();
    set.push(Column::new("places", "Places", Data::Integer(places)));
    set
}

fn numbers() -> impl Iterator<Item = u32> {
    1..=PARTICIPANTS
}

fn code(value: impl Fn(u32) -> Option<&'static str>) -> Data {
    Data::Code(numbers().map(|number| value(number).map(str::to_owned)).collect())
}

fn flag(value: impl Fn(u32) -> Option<bool>) -> Data {
    Data::Flag(numbers().map(value).collect())
}

fn number(value: impl Fn(u32) -> Option<f64>) -> Data {
    Data::Number(numbers().map(value).collect())
}

fn day(value: impl Fn(u32) -> Option<&'static str>) -> Data {
    Data::Date(numbers().map(|number| value(number).map(|text| text.parse().unwrap())).collect())
}

fn levels(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(id, label)| ((*id).to_owned(), (*label).to_owned())).collect()
}

fn entered(number: u32) -> bool {
    number <= ENTERED
}

fn subjects() -> Dataset {
    let mut set = Dataset::new("subjects", "Participants", numbers().map(|n| vec![u64::from(n)]).collect());
    set.push(Column::new(
        "subject",
        "Participant",
        Data::Text(numbers().map(|n| Some(id(n).to_string())).collect()),
    ));
    let arms = [("active", "Active"), ("control", "Control")];
    set.push(Column::new("arm", "Arm", code(|n| entered(n).then(|| arm(n)))).with_levels(levels(&arms)));
    let sexes = [("female", "Female"), ("male", "Male")];
    let sex = code(|n| (n != 3).then_some(if n % 3 == 0 { "male" } else { "female" }));
    set.push(Column::new("sex", "Sex", sex).with_levels(levels(&sexes)));
    set.push(Column::new("age", "Age", number(|n| (n != 4).then(|| f64::from(40 + n * 7 % 23)))));
    set.push(Column::new(
        "score_baseline",
        "Score at baseline",
        number(|n| if entered(n) { scores(n)[0] } else { None }),
    ));
    let kinds = [("systemic", "Systemic"), ("cutaneous", "Cutaneous")];
    let diagnosis = code(|n| Some(if n % 5 == 0 { "cutaneous" } else { "systemic" }));
    set.push(Column::new("diagnosis", "Diagnosis", diagnosis).with_levels(levels(&kinds)));
    set.push(Column::new("ild", "Lung disease", flag(|n| (n != 2).then_some(n % 4 == 1))));
    set.push(Column::new("screening_date", "Screened", day(|_| Some("2008-03-01"))));
    set.push(Column::new("enrolled", "Entered", flag(|n| Some(entered(n)))));
    set.push(Column::new("treated", "Treated", flag(|n| Some(entered(n) && n != 8))));
    set.push(Column::new(
        "first_dose_date",
        "First dose",
        day(|n| (entered(n) && n != 8).then_some("2008-03-15")),
    ));
    let completed = |n: u32| entered(n) && ![6, 7, 8, 9, 10, 12].contains(&n);
    set.push(Column::new("treatment_completed", "Completed treatment", flag(move |n| Some(completed(n)))));
    let reasons = [
        ("completed", "Completed"),
        ("adverse_event", "Adverse event"),
        ("death", "Death"),
        ("not_eligible", "Not eligible"),
    ];
    let reason = move |n: u32| match n {
        9 | 10 => "death",
        25.. => "not_eligible",
        n if completed(n) => "completed",
        _ => "adverse_event",
    };
    let treatment = code(move |n| (entered(n) && n != 8).then(|| reason(n)));
    set.push(
        Column::new("treatment_end_reason", "Why treatment ended", treatment).with_levels(levels(&reasons)),
    );
    set.push(Column::new("completed", "Completed", flag(move |n| Some(completed(n)))));
    set.push(
        Column::new("end_reason", "Why it ended", code(move |n| Some(reason(n))))
            .with_levels(levels(&reasons)),
    );
    set.push(Column::new(
        "end_date",
        "End",
        day(move |n| Some(if completed(n) { "2008-09-20" } else { "2008-06-01" })),
    ));
    let days = Data::Integer(numbers().map(|n| (entered(n) && n != 8).then(|| i64::from(100 + n))).collect());
    set.push(Column::new("treatment_days", "Days", days));
    for name in ["dose_mg", "dose_share", "dose_intensity", "longest_pause"] {
        set.push(Column::new(name, name, number(|n| (entered(n) && n != 8).then(|| f64::from(n * 3 % 100)))));
    }
    set.push(Column::new(
        "dose_changed",
        "Dose changed",
        flag(|n| (entered(n) && n != 8).then_some(n % 3 == 0)),
    ));
    set.push(Column::new("blind_broken", "Blind broken", flag(|n| Some(n == 14))));
    set.push(Column::new("set_itt", "All entered", flag(|n| Some(entered(n)))));
    set.push(Column::new("set_safety", "Treated", flag(|n| Some(entered(n) && n != 8))));
    set
}

fn longitudinal() -> Dataset {
    let mut rows = Vec::new();
    for number in 1..=ENTERED {
        let visits =
            [("M0", "2008-03-15"), ("M3", "2008-06-15"), ("M6", "2008-09-15"), ("End", "2008-05-20")];
        for (place, ((visit, on), value)) in visits.into_iter().zip(scores(number)).enumerate() {
            let sources = vec![u64::from(number) * 100 + place as u64];
            let value = value.map(Some).unwrap_or_default();
            if value.is_some() || visit == "M6" && number == 6 {
                let mut row = Observation::observed(
                    id(number),
                    "SCORE".into(),
                    visit.into(),
                    Some(date(on)),
                    value,
                    sources,
                );
                row.planned = visit != "End";
                rows.push(row);
            }
        }
    }
    let everyone = || (1..=ENTERED).map(id);
    let reference: BTreeMap<SubjectId, Date> = everyone().map(|id| (id, date("2008-03-15"))).collect();
    let due_by: BTreeMap<SubjectId, Date> = everyone().map(|id| (id, date("2008-09-22"))).collect();
    let arms = (1..=ENTERED).map(|number| (id(number), ArmId::from(arm(number)))).collect();
    let deaths = (1..=ENTERED).filter(|number| died(*number)).map(|number| {
        (id(number), Death { date: date("2008-06-20"), sources: vec![u64::from(number) * 100 + 50] })
    });
    derive_var_base(&mut rows, &reference);
    derive_var_chg(&mut rows, &reference);
    let (score, m6) = ("SCORE".into(), "M6".into());
    let mut derived = derive_param_locf(&rows, &score, &m6, &due_by, &reference);
    derived.extend(derive_param_worst_case(&rows, &score, &m6, true, &arms));
    derived.extend(derive_param_death(&rows, &score, &m6, &due_by, &deaths.collect()));
    rows.extend(derived);
    derive_var_day(&mut rows, &reference);
    laid_out(&rows)
}

fn laid_out(rows: &[Observation]) -> Dataset {
    let mut set =
        Dataset::new("longitudinal", "Scores", rows.iter().map(|row| row.sources.clone()).collect());
    let texts = |of: fn(&Observation) -> Option<String>| rows.iter().map(of).collect::<Vec<_>>();
    let values = |of: fn(&Observation) -> Option<f64>| Data::Number(rows.iter().map(of).collect());
    set.push(Column::new("subject", "Participant", Data::Text(texts(|row| Some(row.subject.to_string())))));
    set.push(Column::new("parameter", "Parameter", Data::Code(texts(|row| Some(row.parameter.to_string())))));
    let visits = levels(&[("M0", "Month 0"), ("M3", "Month 3"), ("M6", "Month 6"), ("End", "Early end")]);
    set.push(
        Column::new("visit", "Visit", Data::Code(texts(|row| Some(row.visit.to_string()))))
            .with_levels(visits),
    );
    set.push(Column::new(
        "planned",
        "Planned",
        Data::Flag(rows.iter().map(|row| Some(row.planned)).collect()),
    ));
    set.push(Column::new("value", "Value", values(|row| row.value)));
    set.push(Column::new("baseline", "Baseline", values(|row| row.baseline)));
    set.push(Column::new("change", "Change", values(|row| row.change)));
    set.push(Column::new("relative_change", "Relative change", values(|row| row.relative_change)));
    let percent = values(|row| row.relative_change.map(|relative| 100.0 * relative));
    set.push(Column::new("percent_change", "Percent change", percent));
    let derived = Data::Code(texts(|row| row.derived.map(|rule| rule.code().to_owned())));
    set.push(Column::new("derived", "Derived", derived));
    set
}

/// Three events each, of participants who are no multiple of 4.
fn adverse_events() -> Dataset {
    let events: Vec<(u32, u32)> =
        (1..=ENTERED).filter(|n| n % 4 != 0).flat_map(|n| (0..3).map(move |k| (n, k))).collect();
    let sources = events.iter().map(|(n, k)| vec![u64::from(n * 1000 + k)]).collect();
    let mut set = Dataset::new("adverse_events", "Adverse events", sources);
    let texts = |of: fn(u32, u32) -> String| events.iter().map(|(n, k)| Some(of(*n, *k))).collect::<Vec<_>>();
    let flags =
        |of: fn(u32, u32) -> Option<bool>| Data::Flag(events.iter().map(|(n, k)| of(*n, *k)).collect());
    let integers =
        |of: fn(u32, u32) -> Option<i64>| Data::Integer(events.iter().map(|(n, k)| of(*n, *k)).collect());
    set.push(Column::new("subject", "Participant", Data::Text(texts(|n, _| id(n).to_string()))));
    let term = |n: u32, k: u32| {
        ["Nausea", "Rash, maculo-papular", "Oedema \"limbs\"", "Fatigue"][((n * k + n / 3) % 4) as usize]
            .to_owned()
    };
    set.push(Column::new("term", "Term", Data::Text(texts(term))));
    set.push(Column::new("grade", "Grade", integers(|n, k| (n != 7).then_some(i64::from((n + k) % 4 + 1)))));
    set.push(Column::new("serious", "Serious", flags(|n, k| Some((n + 2 * k) % 7 == 0))));
    set.push(Column::new("related", "Related", flags(|n, k| (k != 2).then_some((n + k) % 3 != 0))));
    set.push(Column::new("treatment_emergent", "Emergent", flags(|n, k| Some((n + k) % 5 != 0))));
    set.push(Column::new("start_day", "Start", integers(|n, k| Some(i64::from(n * 3 + 40 * k + 1)))));
    set.push(Column::new(
        "stop_day",
        "Stop",
        integers(|n, k| (k != 1).then_some(i64::from(n * 3 + 40 * k + 9))),
    ));
    set
}

fn deviations() -> Dataset {
    let mut set = Dataset::new("deviations", "Deviations", vec![vec![9001], vec![9002], vec![9003]]);
    let texts = |of: [&str; 3]| of.map(|text| Some(text.to_owned())).to_vec();
    let subjects = [id(2), id(2), id(5)].map(|id| Some(id.to_string())).to_vec();
    set.push(Column::new("subject", "Participant", Data::Text(subjects)));
    set.push(Column::new(
        "kind",
        "Kind",
        Data::Code(texts(["missed_visit", "out_of_window", "missed_visit"])),
    ));
    set.push(Column::new("class", "Class", Data::Code(texts(["minor", "major", "minor"]))));
    set
}

fn disposition() -> Dataset {
    let mut set = Dataset::new("disposition", "Disposition", vec![vec![25], vec![25], vec![26]]);
    let subjects = [id(25), id(25), id(26)].map(|id| Some(id.to_string())).to_vec();
    set.push(Column::new("subject", "Participant", Data::Text(subjects)));
    set.push(Column::new("step", "Step", Data::Code(vec![Some("not_eligible".to_owned()); 3])));
    let reasons = ["I1", "X2", "X2"].map(|rule| Some(rule.to_owned())).to_vec();
    set.push(Column::new("reason", "Why", Data::Code(reasons)));
    set
}

pub fn arms() -> Vec<Arm> {
    let arm = |id: &str, control| Arm { id: id.into(), label: label(id), treatment: id.to_owned(), control };
    vec![arm("active", false), arm("control", true)]
}

pub fn label(text: &str) -> Label {
    Label(BTreeMap::from([("en".to_owned(), text.to_owned())]))
}

pub fn fact(id: &str, text: &str) -> StatedFact {
    StatedFact {
        id: id.into(),
        label: label(id),
        number: text.parse().ok(),
        text: text.to_owned(),
        unit: None,
        mark: SourceMark::Published,
        follows: "abstract".to_owned(),
        because: None,
        statements: Vec::new(),
    }
}

pub fn estimand(id: &str, death: Strategy) -> Estimand {
    Estimand {
        id: id.into(),
        question: label("Does it help?"),
        level: "primary".to_owned(),
        treatment: "active against control".to_owned(),
        population: "itt".into(),
        variable: "score at M6".to_owned(),
        events: vec![("stopped drug".to_owned(), Strategy::TreatmentPolicy), ("death".to_owned(), death)],
        summary: "shift".to_owned(),
        mark: SourceMark::Assumed,
    }
}

/// An analysis of a subject by arm, in all who entered.
pub fn analysis(id: &str, method: Method, subject: Subject) -> Analysis {
    Analysis {
        id: id.into(),
        label: label(id),
        estimand: None,
        role: "main".to_owned(),
        method,
        set: "itt".into(),
        subject,
        by: Some("arm".to_owned()),
        only: None,
        published: Vec::new(),
    }
}

pub fn score(measure: Measure, missing: MissingRule) -> Subject {
    Subject::Parameter { parameter: "SCORE".into(), visit: "M6".into(), measure, missing }
}

pub fn variable(name: &str) -> Subject {
    Subject::Variable { variable: name.to_owned() }
}

pub fn ninety_five() -> Decimal {
    "0.95".parse().unwrap()
}

pub fn rank_sum() -> Method {
    Method::RankSum {
        two_sided: TwoSided::AsFarFromMean,
        confidence: ninety_five(),
        quartiles: Quartiles::Type2,
    }
}

pub fn ancova(covariates: &[&str], factors: &[&str]) -> Method {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Method::Ancova(Ancova {
        confidence: ninety_five(),
        ls_means: MarginalMeans::EqualWeights,
        covariates: owned(covariates),
        factors: owned(factors),
    })
}

pub fn plan(analyses: Vec<Analysis>) -> AnalysisPlan {
    AnalysisPlan {
        parameters: vec![Parameter {
            id: "SCORE".into(),
            label: label("Score"),
            form: "score".into(),
            item: "total".into(),
            unit: None,
            decimals: 0,
            lower_is_better: true,
        }],
        sets: ["itt", "safety"]
            .map(|id| AnalysisSet {
                id: id.into(),
                label: label(id),
                who: shipped_condition(),
                mark: SourceMark::Assumed,
            })
            .to_vec(),
        estimands: vec![
            estimand("E-worst", Strategy::WorstRank),
            estimand("E-none", Strategy::NotEstimated),
            estimand("E-policy", Strategy::TreatmentPolicy),
        ],
        analyses,
        sections: vec![Section {
            title: label("Figures"),
            show: vec![
                Shown::Trajectories("SCORE".into(), None),
                Shown::Waterfall("SCORE".into(), "M6".into()),
                Shown::Waterfall("SCORE".into(), "M6".into()),
                Shown::CumulativeDistribution("SCORE".into(), "M6".into()),
                Shown::DoseChanges,
                Shown::AdverseEventGrades,
                Shown::AdverseEventRelations,
                Shown::AdverseEventOnset,
                Shown::AdverseEventDifferences,
            ],
        }],
        ..AnalysisPlan::default()
    }
}

/// The controlled trial's own plan, for conditions that its compiler made.
fn shipped_plan() -> AnalysisPlan {
    static COMPILED: LazyLock<AnalysisPlan> = LazyLock::new(compile_shipped);
    COMPILED.clone()
}

fn compile_shipped() -> AnalysisPlan {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies/imatinib-controlled");
    let mut files = BTreeMap::new();
    for (folder, stem) in [(folder.clone(), ""), (folder.join("forms"), "forms/")] {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file())
        {
            let name = entry.file_name().into_string().unwrap();
            files.insert(format!("{stem}{name}"), fs::read_to_string(entry.path()).unwrap());
        }
    }
    protocol::compile(&files).unwrap().study.plan
}

/// The condition `diagnosis == 'systemic'`.
pub fn only_systemic() -> Expression {
    let plan = shipped_plan();
    let analysis = plan.analyses.into_iter().find(|analysis| analysis.id == "B-P1-systemic").unwrap();
    analysis.only.unwrap()
}

/// The condition `treatment_emergent && grade >= 3`.
pub fn severe() -> Expression {
    let plan = shipped_plan();
    let analysis = plan.analyses.into_iter().find(|analysis| analysis.id == "B-E5-fisher-grade-3").unwrap();
    match analysis.subject {
        Subject::AdverseEvents { filter: Some(filter) } => filter,
        other => panic!("{other:?}"),
    }
}

pub fn shipped_condition() -> Expression {
    let plan = shipped_plan();
    plan.sets.into_iter().find(|set| set.id == "itt").unwrap().who
}

/// Every method on every kind of subject, with each missing-data rule and each way to see a death.
pub fn full_plan() -> AnalysisPlan {
    use Measure::{Change, PercentChange, RelativeChange, Value};
    use MissingRule::{LastObservation, Observed, WorstCase};
    let level = ninety_five();
    let with = |mut one: Analysis, estimand: &str| {
        one.estimand = Some(estimand.into());
        one
    };
    let mut analyses = vec![
        analysis("age", Method::Describe { quartiles: Quartiles::Type7 }, variable("age")),
        analysis("sex", Method::Count, variable("sex")),
        analysis("score", Method::Describe { quartiles: Quartiles::Type2 }, score(Value, LastObservation)),
        analysis("paired", Method::PairedT { confidence: level }, score(Change, Observed)),
        analysis(
            "t",
            Method::TwoSampleT { confidence: level, equal_variances: false },
            score(PercentChange, Observed),
        ),
        analysis(
            "t-equal",
            Method::TwoSampleT { confidence: level, equal_variances: true },
            score(Change, WorstCase),
        ),
        with(
            analysis(
                "t-death",
                Method::TwoSampleT { confidence: level, equal_variances: true },
                score(Change, LastObservation),
            ),
            "E-worst",
        ),
        with(analysis("main", rank_sum(), score(RelativeChange, LastObservation)), "E-worst"),
        with(analysis("none", rank_sum(), score(RelativeChange, LastObservation)), "E-none"),
        with(analysis("policy", rank_sum(), score(RelativeChange, LastObservation)), "E-policy"),
        analysis("observed", rank_sum(), score(RelativeChange, Observed)),
        analysis("worst", rank_sum(), score(RelativeChange, WorstCase)),
        analysis("ild", Method::Fisher { confidence: level }, variable("ild")),
        analysis("events", Method::Fisher { confidence: level }, Subject::AdverseEvents { filter: None }),
        analysis(
            "severe",
            Method::Fisher { confidence: level },
            Subject::AdverseEvents { filter: Some(severe()) },
        ),
        analysis(
            "share",
            Method::Binomial { confidence: level, interval: ShareInterval::ClopperPearson },
            variable("ild"),
        ),
        analysis(
            "share-severe",
            Method::Binomial { confidence: level, interval: ShareInterval::ClopperPearson },
            Subject::AdverseEvents { filter: Some(severe()) },
        ),
        analysis("count-severe", Method::Count, Subject::AdverseEvents { filter: Some(severe()) }),
        analysis("deviations", Method::Count, Subject::Deviations),
        analysis("ancova", ancova(&["baseline", "age"], &["sex"]), score(Change, Observed)),
        analysis("ancova-bare", ancova(&[], &[]), score(Change, LastObservation)),
        with(analysis("ancova-death", ancova(&["baseline"], &[]), score(Change, LastObservation)), "E-worst"),
    ];
    let cmh = |association, scores| Method::Cmh(Cmh { association, scores, strata: vec!["ild".to_owned()] });
    analyses.extend([
        analysis("anova", Method::Anova, score(Change, LastObservation)),
        analysis("chi", Method::ChiSquared { continuity_correction: true }, variable("sex")),
        analysis("chi-plain", Method::ChiSquared { continuity_correction: false }, variable("end_reason")),
        analysis("cmh", cmh(CmhAssociation::General, None), variable("end_reason")),
        analysis(
            "cmh-means",
            cmh(CmhAssociation::RowMeanScores, Some(Scores::Order)),
            variable("end_reason"),
        ),
        analysis("cmh-trend", cmh(CmhAssociation::Correlation, Some(Scores::Order)), variable("sex")),
    ]);
    let Method::Ancova(mut observed) = ancova(&["baseline"], &["diagnosis", "ild"]) else { panic!() };
    observed.ls_means = MarginalMeans::AsObserved;
    observed.confidence = "0.9".parse().unwrap();
    analyses.push(analysis("ancova-observed", Method::Ancova(observed), score(Value, Observed)));
    let mut slopes = analysis("ancova-slopes", ancova(&["baseline"], &["sex"]), score(Change, Observed));
    slopes.by = None;
    analyses.push(slopes);
    let mut singular = analysis("ancova-singular", ancova(&["baseline"], &["sex"]), score(Change, Observed));
    singular.by = Some("sex".to_owned());
    analyses.push(singular);
    let mut systemic = analysis("systemic", rank_sum(), score(RelativeChange, LastObservation));
    systemic.only = Some(only_systemic());
    analyses.push(systemic);
    let mut tail = analysis("tail", rank_sum(), variable("age"));
    tail.method = Method::RankSum {
        two_sided: TwoSided::TwiceSmallerTail,
        confidence: "0.9".parse().unwrap(),
        quartiles: Quartiles::Type7,
    };
    tail.by = Some("sex".to_owned());
    analyses.push(tail);
    for zeros in [Zeros::Dropped, Zeros::Pratt] {
        let method = Method::SignedRank { zeros, two_sided: TwoSided::AsFarFromMean, confidence: level };
        let name = if zeros == Zeros::Pratt { "signed-pratt" } else { "signed" };
        let mut one = with(analysis(name, method, score(Change, LastObservation)), "E-worst");
        one.by = None;
        analyses.push(one);
    }
    analyses.extend(of_shares_and_readers(level));
    plan(analyses)
}

/// Every interval of a share, boundaries, blinding indices and readers.
fn of_shares_and_readers(level: Decimal) -> Vec<Analysis> {
    let decimal = |text: &str| -> Decimal { text.parse().unwrap() };
    let events = || Subject::AdverseEvents { filter: Some(severe()) };
    let mut analyses = Vec::new();
    for interval in [
        ShareInterval::Wilson,
        ShareInterval::WilsonCorrected,
        ShareInterval::AgrestiCoull,
        ShareInterval::Jeffreys,
        ShareInterval::MidP,
        ShareInterval::Wald,
    ] {
        let method = Method::Binomial { confidence: level, interval };
        analyses.push(analysis(&format!("share-{interval:?}"), method.clone(), variable("ild")));
        analyses.push(analysis(&format!("share-severe-{interval:?}"), method, events()));
    }
    let beta =
        StoppingRule::BetaBinomial { prior: [decimal("0.6"), decimal("2.4")], threshold: decimal("0.8") };
    let pocock = StoppingRule::Pocock { alpha: decimal("0.1") };
    for (name, rule) in [("beta", beta), ("pocock", pocock)] {
        let method =
            Method::StoppingBoundary(StoppingBoundary { rule, participants: 20, p0: decimal("0.2") });
        analyses.push(analysis(&format!("boundary-{name}"), method.clone(), events()));
        analyses.push(analysis(&format!("boundary-ild-{name}"), method, variable("ild")));
    }
    let guesses = |female: &str, unknown: &str| {
        Method::BlindingIndex(BlindingIndex {
            confidence: level,
            guesses: vec![
                ("female".to_owned(), female.to_owned()),
                ("male".to_owned(), "control".to_owned()),
            ],
            unknown: unknown.to_owned(),
        })
    };
    analyses.push(analysis("blinding", guesses("active", "unknown"), variable("sex")));
    let mut blind = guesses("active", "male");
    if let Method::BlindingIndex(options) = &mut blind {
        options.guesses.pop();
    }
    analyses.push(analysis("blinding-unknown", blind, variable("sex")));
    for between in [Between::Readers, Between::Repeats] {
        let of =
            |item: &str| Subject::Readings(Readings { form: "slide".into(), item: item.into(), between });
        for icc in [IccForm::OneWay, IccForm::Absolute, IccForm::Consistency] {
            let method = Method::Agreement(Agreement { confidence: level, icc });
            let mut one = analysis(&format!("thickness-{icc:?}-{between:?}"), method, of("thickness"));
            one.by = None;
            analyses.push(one);
        }
        for weights in [KappaWeighting::None, KappaWeighting::Linear, KappaWeighting::Quadratic] {
            let method = Method::WeightedKappa(WeightedKappa { confidence: level, weights });
            let mut one = analysis(&format!("cells-{weights:?}-{between:?}"), method, of("cells"));
            one.by = None;
            analyses.push(one);
        }
    }
    analyses
}
