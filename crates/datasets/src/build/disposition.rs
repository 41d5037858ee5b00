//! The disposition data set: one row a step of a participant's way through the trial.

use record::DoseStep;
use terms::{Date, SubjectId};

use super::{
    codes::{END_REASONS, end_reason, levels},
    columns::{column, dates, plain, push_identity},
    profile::{Profile, Trial},
};
use crate::{Column, Data, Dataset, adam::derive_var_day::day_of};

/// One step.
struct Step<'a> {
    subject: &'a SubjectId,
    step: &'static str,
    /// The rule that was not met, or why treatment or participation ended.
    reason: Option<String>,
    /// The rule of dosing under which treatment ended.
    rule: Option<String>,
    date: Date,
    day: Option<i32>,
    source: u64,
}

const STEPS: [(&str, &str); 7] = [
    ("consented", "Consent signed"),
    ("screened", "Screening begun"),
    ("not_eligible", "Rule of eligibility not met, or open"),
    ("entered", "Enrolled or randomised"),
    ("treated", "First dose"),
    ("treatment_ended", "Treatment ended"),
    ("ended", "Participation ended"),
];

/// Builds the data set.
pub(crate) fn disposition(trial: &Trial<'_>) -> Dataset {
    let rows: Vec<Step<'_>> = trial.profiles.iter().flat_map(steps_of).collect();
    let sources = rows.iter().map(|step| vec![step.source]).collect();
    let label = "Disposition: one row a step of a participant's way through the trial";
    let mut set = Dataset::new("disposition", label, sources);
    push_identity(&mut set, trial, &rows.iter().map(|step| step.subject).collect::<Vec<_>>());
    let step = rows.iter().map(|step| Some(step.step.to_owned())).collect();
    set.push(Column::new("step", "Step", Data::Code(step)).with_levels(levels(STEPS)));
    let rules = trial.study.eligibility.iter().map(|rule| (rule.id.to_string(), rule.label.en().to_owned()));
    let reasons = levels(END_REASONS.map(end_reason)).into_iter().chain(rules).collect();
    let reason = rows.iter().map(|step| step.reason.clone()).collect();
    set.push(Column::new("reason", "Why", Data::Code(reason)).with_levels(reasons));
    let rules = trial.study.dosing.rules.iter();
    let rules = rules.map(|rule| (rule.id.to_string(), rule.label.en().to_owned())).collect();
    let rule = rows.iter().map(|step| step.rule.clone()).collect();
    set.push(Column::new("rule", "Rule of dosing", Data::Code(rule)).with_levels(rules));
    set.push(column("date", "Date", dates, rows.iter().map(|step| plain(Some(step.date))).collect()));
    let day = rows.iter().map(|step| step.day.map(i64::from)).collect();
    set.push(Column::new("day", "Study day", Data::Integer(day)).with_unit(Some("d")));
    set
}

fn steps_of<'a>(profile: &Profile<'a>) -> Vec<Step<'a>> {
    let casebook = profile.casebook;
    let step = |step, reason: Option<String>, date, source| Step {
        subject: profile.subject,
        step,
        reason,
        rule: None,
        date,
        day: day_of(Some(date), profile.first_dose_date()),
        source,
    };
    let mut steps = Vec::new();
    let consent = casebook.consents.first().map(|consent| consent.signed);
    steps.extend(consent.map(|signed| step("consented", None, signed.date, signed.sequence)));
    steps.extend(casebook.screened.map(|begun| step("screened", None, begun.date, begun.sequence)));
    for decision in casebook.eligibility.values().filter(|decision| !decision.eligible) {
        for rule in decision.unmet.iter().chain(&decision.unknown) {
            let decided = decision.decided;
            steps.push(step("not_eligible", Some(rule.to_string()), decided.date, decided.sequence));
        }
    }
    steps.extend(profile.entered.map(|(date, source)| step("entered", None, date, source)));
    steps.extend(profile.first_dose.map(|(date, source)| step("treated", None, date, source)));
    steps.extend(casebook.treatment_end.map(|end| {
        let stopped = casebook.doses.iter().rev().find(|change| change.step == DoseStep::Stopped);
        let rule = stopped.and_then(|change| change.rule.as_ref()).map(ToString::to_string);
        let reason = Some(end_reason(end.reason).0.to_owned());
        Step { rule, ..step("treatment_ended", reason, end.last_dose, end.ended.sequence) }
    }));
    steps.extend(casebook.participation_end.map(|end| {
        step("ended", Some(end_reason(end.reason).0.to_owned()), end.ended.date, end.ended.sequence)
    }));
    steps
}
