//! The subject-level data set: one row a screened participant, built-in and plan variables, flags of the sets.

use std::{cell::RefCell, collections::BTreeMap};

use conduct::{View, compliance};
use protocol::{
    expression::{ItemRef, Scope},
    model::{ItemRole, Purpose, SubjectVariable},
};
use record::{DeviationClass, DoseStep};
use terms::{AnalysisSetId, Answer, Date, Decimal, ParameterId, SubjectId, Truth, Value, VisitId};

use super::{
    codes::{END_REASONS, end_reason, levels},
    columns::{Sourced, column, dates, from_event, plain, push_identity},
    exposure::taken,
    profile::{Profile, Trial, history},
};
use crate::{
    Cell, Column, Data, Dataset,
    adam::{Observation, derive_param_dose_stretch::DoseStretch, derive_var_chg::is_after_baseline},
};

/// Builds the data set with the flags of the analysis sets.
pub(crate) fn subjects(
    trial: &Trial<'_>,
    observations: &[Observation],
    exposure: &[Vec<DoseStretch>],
) -> Dataset {
    let mut set = described(trial, observations, exposure);
    let signed = trial.state.sets.as_ref();
    let members = match signed {
        Some(signed) => signed.sets.clone(),
        None => evaluated_sets(trial, observations, &set),
    };
    for known in &trial.study.plan.sets {
        let of_set = members.get(&known.id).map_or(&[][..], Vec::as_slice);
        let cell = |profile: &Profile<'_>| {
            (
                Some(of_set.contains(profile.subject)),
                signed.map(|signed| signed.sequence).into_iter().collect(),
            )
        };
        let name = format!("set_{}", known.id.as_str().to_lowercase());
        set.push(column(&name, known.label.en(), Data::Flag, trial.profiles.iter().map(cell).collect()));
    }
    set
}

/// Builds the data set without the flags of the sets.
pub(crate) fn described(
    trial: &Trial<'_>,
    observations: &[Observation],
    exposure: &[Vec<DoseStretch>],
) -> Dataset {
    let sources = trial.profiles.iter().map(|profile| {
        profile.casebook.consents.first().map(|consent| consent.signed.sequence).into_iter().collect()
    });
    let mut set = Dataset::new("subjects", "Participants: one row each who was screened", sources.collect());
    push_identity(&mut set, trial, &trial.profiles.iter().map(|profile| profile.subject).collect::<Vec<_>>());
    let mut table = Table { trial, set };
    table.push_way_in();
    table.push_treatment();
    table.push_way_out();
    table.push_dose(exposure);
    table.push_deviations();
    table.push_parameters(observations);
    let mut set = table.set;
    for variable in &trial.study.plan.variables {
        let column = plan_variable(trial, observations, &set, variable);
        set.push(column);
    }
    set
}

/// The data set in the making.
struct Table<'t, 'a> {
    trial: &'t Trial<'a>,
    set: Dataset,
}

impl<'a> Table<'_, 'a> {
    fn flag(&mut self, name: &str, label: &str, cell: impl Fn(&Profile<'a>) -> Sourced<bool>) {
        self.set.push(column(name, label, Data::Flag, self.trial.profiles.iter().map(cell).collect()));
    }

    fn date(&mut self, name: &str, label: &str, cell: impl Fn(&Profile<'a>) -> Sourced<Date>) {
        self.set.push(column(name, label, dates, self.trial.profiles.iter().map(cell).collect()));
    }

    fn code(
        &mut self,
        name: &str,
        label: &str,
        of: Vec<(String, String)>,
        cell: impl Fn(&Profile<'a>) -> Sourced<String>,
    ) {
        let made = column(name, label, Data::Code, self.trial.profiles.iter().map(cell).collect());
        self.set.push(made.with_levels(of));
    }

    fn push_way_in(&mut self) {
        let trial = self.trial;
        let strata = trial.study.allocation.iter().flat_map(|plan| &plan.strata);
        let strata = strata.map(|stratum| (stratum.clone(), stratum.clone())).collect();
        self.code("stratum", "Stratum of allocation", strata, |profile| {
            let place = profile.casebook.allocated.as_ref();
            from_event(place.map(|place| (place.stratum.clone(), place.randomised.sequence)))
        });
        self.code("sex", "Sex", demography_levels(trial), |profile| {
            let (value, sources) = demography(trial, profile, ItemRole::Sex);
            (value.map(|value| value.to_string()), sources)
        });
        let ages: Vec<Sourced<f64>> = trial
            .profiles
            .iter()
            .map(|profile| demography(trial, profile, ItemRole::AgeYears))
            .map(|(value, sources)| (value.and_then(Value::as_f64), sources))
            .collect();
        self.set.push(column("age", "Age at screening", Data::Number, ages).with_unit(Some("years")));
        self.date("screening_date", "Day on which screening began", |profile| {
            from_event(profile.casebook.screened.map(|screened| (screened.date, screened.sequence)))
        });
        self.flag("eligible", "Signed as eligible", |profile| {
            let last = profile.casebook.eligibility.values().max_by_key(|decision| decision.decided.sequence);
            from_event(last.map(|decision| (decision.eligible, decision.decided.sequence)))
        });
        let label = "Enrolled, or randomised where there is an allocation";
        self.flag("enrolled", label, |profile| happened(profile.entered.map(|(_, sequence)| sequence)));
        self.date("enrolment_date", "Date of enrolment or randomisation", |profile| {
            from_event(profile.entered)
        });
    }

    fn push_treatment(&mut self) {
        self.flag("treated", "Took at least one dose", |profile| {
            happened(profile.first_dose.map(|(_, sequence)| sequence))
        });
        self.date("first_dose_date", "Date of first dose", |profile| from_event(profile.first_dose));
        self.date("last_dose_date", "Date of last dose", |profile| {
            let end = profile.casebook.treatment_end.filter(|_| profile.first_dose.is_some());
            from_event(end.map(|end| (end.last_dose, end.ended.sequence)))
        });
        self.date("planned_last_dose_date", "Last planned treatment day", |profile| {
            let first = profile.first_dose.map(|(_, sequence)| sequence);
            from_event(profile.planned_last_dose.zip(first))
        });
        self.flag("treatment_completed", "Treatment ended as planned", |profile| {
            let end = profile.casebook.treatment_end;
            (Some(end.is_some_and(|end| !end.early)), end.map(|end| end.ended.sequence).into_iter().collect())
        });
        let reasons = levels(END_REASONS.map(end_reason));
        self.code("treatment_end_reason", "Why treatment ended", reasons, |profile| {
            let end = profile.casebook.treatment_end;
            from_event(end.map(|end| (end_reason(end.reason).0.to_owned(), end.ended.sequence)))
        });
    }

    fn push_way_out(&mut self) {
        self.flag("completed", "Participation ended as planned", |profile| {
            let end = profile.casebook.participation_end;
            let completed = end.is_some_and(|end| end.reason == record::EndReason::Completed);
            (Some(completed), end.map(|end| end.ended.sequence).into_iter().collect())
        });
        let reasons = levels(END_REASONS.map(end_reason));
        self.code("end_reason", "Why participation ended", reasons, |profile| {
            let end = profile.casebook.participation_end;
            from_event(end.map(|end| (end_reason(end.reason).0.to_owned(), end.ended.sequence)))
        });
        self.date("end_date", "Date on which participation ended", |profile| {
            from_event(profile.casebook.participation_end.map(|end| (end.ended.date, end.ended.sequence)))
        });
        self.flag("died", "Died", |profile| {
            let death = profile.death.as_ref();
            (Some(death.is_some()), death.map(|death| death.sources.clone()).unwrap_or_default())
        });
        self.date("death_date", "Date of death", |profile| match &profile.death {
            Some(death) => (Some(death.date), death.sources.clone()),
            None => plain(None),
        });
    }

    fn push_dose(&mut self, exposure: &[Vec<DoseStretch>]) {
        let trial = self.trial;
        let taken: Vec<_> =
            trial.profiles.iter().zip(exposure).map(|(profile, own)| taken(trial, profile, own)).collect();
        let events: Vec<Vec<u64>> = trial.profiles.iter().map(dose_events).collect();
        let integers = |value: &dyn Fn(usize) -> Option<i32>| -> Vec<Sourced<i64>> {
            (0..events.len()).map(|place| (value(place).map(i64::from), events[place].clone())).collect()
        };
        let numbers = |value: &dyn Fn(usize) -> Option<f64>| -> Vec<Sourced<f64>> {
            (0..events.len()).map(|place| (value(place), events[place].clone())).collect()
        };
        let length = |place: usize| {
            let casebook = trial.profiles[place].casebook;
            Some(terms::days_between(casebook.first_dose()?, casebook.last_dose()?) + 1)
        };
        let of = |part: fn(&crate::adam::derive_var_dose_intensity::DoseTaken) -> i32| {
            integers(&|place| taken[place].as_ref().map(part))
        };
        let days = |name, label, cells| column(name, label, Data::Integer, cells).with_unit(Some("d"));
        let share = |place: usize| {
            // Once treatment has ended the share is that of the rule of compliance, tablets counted back included.
            let kept = compliance(trial.study, trial.profiles[place].casebook);
            let kept = kept.and_then(|kept| Value::Decimal(kept.dose_share * Decimal::ONE_HUNDRED).as_f64());
            kept.or(taken[place].map(|taken| taken.share_percent))
        };
        self.set.push(days("treatment_days", "Days from first to last dose", integers(&length)));
        self.set.push(days("planned_days", "Planned treatment days", of(|taken| taken.planned_days)));
        self.set.push(days(
            "dose_days",
            "Days with a dose, up to the last planned one",
            of(|taken| taken.dose_days),
        ));
        let label = "Planned doses that were taken, by dosing record and tablets counted back";
        let cells = column("dose_share", label, Data::Number, numbers(&share));
        self.set.push(cells.with_unit(Some("%")).with_decimals(1));
        let mg = numbers(&|place| taken[place].map(|taken| taken.mg));
        self.set.push(column("dose_mg", "Drug taken", Data::Number, mg).with_unit(Some("mg")));
        let label = "Relative dose intensity to the last planned treatment day";
        let intensity = numbers(&|place| taken[place].map(|taken| taken.intensity_percent));
        let cells = column("dose_intensity", label, Data::Number, intensity);
        self.set.push(cells.with_unit(Some("%")).with_decimals(1));
        let label = "Longest run of planned treatment days without a dose";
        self.set.push(days("longest_pause", label, of(|taken| taken.longest_pause)));
        self.flag("dose_changed", "Dose changed, held or stopped early at some time", |profile| {
            if profile.first_dose.is_none() {
                return plain(None);
            }
            let changed = profile
                .casebook
                .doses
                .iter()
                .any(|change| !matches!(change.step, DoseStep::Started | DoseStep::Stopped));
            let early = profile.casebook.treatment_end.is_some_and(|end| end.early);
            (Some(changed || early), dose_events(profile))
        });
    }

    fn push_deviations(&mut self) {
        let trial = self.trial;
        let count = |keep: fn(Option<DeviationClass>) -> bool| -> Vec<Sourced<i64>> {
            let cell = |profile: &Profile<'a>| {
                let kept =
                    profile.casebook.deviations.iter().filter(|one| keep(one.class.map(|class| class.0)));
                let events = kept.map(|one| (one.recorded.sequence, one.class.map(|class| class.1)));
                let events: Vec<(u64, Option<u64>)> = events.collect();
                let sources = events.iter().flat_map(|(recorded, class)| [Some(*recorded), *class]);
                (Some(events.len() as i64), sources.flatten().collect())
            };
            trial.profiles.iter().map(cell).collect()
        };
        self.set.push(column("deviations", "Deviations", Data::Integer, count(|_| true)));
        let major = count(|class| class == Some(DeviationClass::Major));
        self.set.push(column("major_deviations", "Major deviations", Data::Integer, major));
        self.flag("blind_broken", "Blind broken before the list was opened", |profile| {
            let breaks = &profile.casebook.blind_breaks;
            (Some(!breaks.is_empty()), breaks.iter().map(|one| one.broken.sequence).collect())
        });
    }

    fn push_parameters(&mut self, observations: &[Observation]) {
        let reference = self.trial.days(|profile| profile.reference);
        for parameter in &self.trial.study.plan.parameters {
            let stem = parameter.id.as_str().to_lowercase();
            let (mut baselines, mut later) = (Vec::new(), Vec::new());
            for profile in &self.trial.profiles {
                let own = || {
                    observations
                        .iter()
                        .filter(|row| row.is_of(profile.subject, &parameter.id) && row.derived.is_none())
                };
                let baseline = own().find(|row| row.is_baseline);
                baselines.push((baseline.and_then(|row| row.value), sources_of(baseline)));
                let after: Vec<&Observation> =
                    own().filter(|row| row.value.is_some() && is_after_baseline(row, &reference)).collect();
                later.push((Some(after.len() as i64), sources_of(after)));
            }
            let label = format!("{} at baseline", parameter.label.en());
            let made = column(&format!("{stem}_baseline"), &label, Data::Number, baselines);
            self.set.push(made.with_unit(parameter.unit.as_deref()).with_decimals(parameter.decimals));
            let label = format!("Values of {} after the first dose", parameter.label.en());
            self.set.push(column(&format!("{stem}_postbaseline"), &label, Data::Integer, later));
        }
    }
}

fn happened(sequence: Option<u64>) -> Sourced<bool> {
    (Some(sequence.is_some()), sequence.into_iter().collect())
}

fn sources_of<'a>(rows: impl IntoIterator<Item = &'a Observation>) -> Vec<u64> {
    let mut sources: Vec<u64> = rows.into_iter().flat_map(|row| &row.sources).copied().collect();
    sources.sort_unstable();
    sources.dedup();
    sources
}

/// The events behind what a participant took.
fn dose_events(profile: &Profile<'_>) -> Vec<u64> {
    let changes = profile.casebook.doses.iter().map(|change| change.sequence);
    changes.chain(profile.casebook.treatment_end.map(|end| end.ended.sequence)).collect()
}

fn demography<'a>(trial: &Trial<'a>, profile: &Profile<'a>, role: ItemRole) -> Sourced<&'a Value> {
    let form = trial.study.form_for(Purpose::Demography);
    let cell = form.and_then(|form| profile.latest_cell(&form.id, &form.item_for(role)?.id));
    let value = cell.and_then(|cell| cell.answer()).and_then(Answer::value);
    (value, cell.map(history).unwrap_or_default())
}

fn demography_levels(trial: &Trial<'_>) -> Vec<(String, String)> {
    let item = trial.study.form_for(Purpose::Demography).and_then(|form| form.item_for(ItemRole::Sex));
    let Some(protocol::model::ItemType::Code { codelist }) = item.map(|item| &item.kind) else {
        return Vec::new();
    };
    let list = trial.study.codelists.iter().find(|list| list.id == *codelist);
    list.iter()
        .flat_map(|list| &list.codes)
        .map(|(code, label)| (code.clone(), label.en().to_owned()))
        .collect()
}

/// What an expression of the plan sees: the participant's row so far, then the casebook on its last day.
/// It remembers the events behind what was read.
struct RowScope<'a> {
    observations: &'a [Observation],
    set: &'a Dataset,
    row: usize,
    profile: &'a Profile<'a>,
    view: View<'a>,
    read: RefCell<Vec<u64>>,
}

impl<'a> RowScope<'a> {
    fn new(
        trial: &Trial<'a>,
        observations: &'a [Observation],
        set: &'a Dataset,
        row: usize,
        profile: &'a Profile<'a>,
    ) -> Self {
        let consent = profile.casebook.consents.first().map(|consent| consent.signed.date);
        let today = profile.last_known.or(consent).unwrap_or(Date::MAX);
        let view = View::on(trial.study, profile.casebook, today);
        Self { observations, set, row, profile, view, read: RefCell::new(Vec::new()) }
    }

    fn into_sources(self) -> Vec<u64> {
        let mut sources = self.read.into_inner();
        sources.sort_unstable();
        sources.dedup();
        sources
    }
}

impl Scope for RowScope<'_> {
    fn item(&self, reference: &ItemRef) -> Option<Answer> {
        let answer = self.view.item(reference);
        let forms = self.profile.casebook.forms.iter().filter(|(key, _)| key.form == reference.form);
        let cells = forms.filter_map(|(_, filled)| filled.cells.get(&reference.item));
        let same = cells.filter(|cell| cell.answer() == answer.as_ref());
        self.read.borrow_mut().extend(same.flat_map(history));
        answer
    }

    fn variable(&self, name: &str) -> Option<Answer> {
        if self.set.column(name).is_none() {
            return self.view.variable(name);
        }
        self.read.borrow_mut().extend(self.set.sources_of(self.row, &[name.to_owned()]));
        self.set.cell(name, self.row).answer()
    }

    fn limit(&self, reference: &ItemRef, upper: bool) -> Option<Answer> {
        self.view.limit(reference, upper)
    }

    fn today(&self) -> Option<Date> {
        self.view.today()
    }

    /// The value as observed at the visit; none where a rule made it.
    fn parameter(&self, parameter: &ParameterId, visit: &VisitId) -> Option<Answer> {
        let own = self.observations.iter().filter(|row| row.is_of(self.profile.subject, parameter));
        let row = own.filter(|row| row.derived.is_none()).find(|row| row.visit == *visit)?;
        self.read.borrow_mut().extend(&row.sources);
        Cell::Number(row.value?).answer()
    }
}

/// Evaluates a variable of the plan for everyone.
fn plan_variable(
    trial: &Trial<'_>,
    observations: &[Observation],
    set: &Dataset,
    variable: &SubjectVariable,
) -> Column {
    let mut cells: Vec<Sourced<Value>> = Vec::new();
    for (row, profile) in trial.profiles.iter().enumerate() {
        let scope = RowScope::new(trial, observations, set, row, profile);
        let value = variable.expression.value(&scope);
        cells.push((value, scope.into_sources()));
    }
    let levels = variable.levels.iter().map(|(code, label)| (code.clone(), label.en().to_owned())).collect();
    let (values, sources): (Vec<Option<Value>>, Vec<Vec<u64>>) = cells.into_iter().unzip();
    Column::new(&variable.id, variable.label.en(), data_of(&values, !variable.levels.is_empty()))
        .with_unit(variable.unit.as_deref())
        .with_decimals(variable.decimals)
        .with_levels(levels)
        .with_sources(sources)
}

/// Chooses the kind of column that holds these values.
fn data_of(values: &[Option<Value>], has_levels: bool) -> Data {
    let text = || values.iter().map(|value| value.as_ref().map(Value::to_string)).collect();
    match values.iter().flatten().next() {
        _ if has_levels => Data::Code(text()),
        Some(Value::Boolean(_)) => Data::Flag(
            values
                .iter()
                .map(|value| match value {
                    Some(Value::Boolean(holds)) => Some(*holds),
                    _ => None,
                })
                .collect(),
        ),
        Some(Value::Code(_)) => Data::Code(text()),
        Some(Value::Text(_)) => Data::Text(text()),
        Some(Value::Date(_)) => Data::Date(
            values
                .iter()
                .map(|value| match value {
                    Some(Value::Date(date)) => Some(*date),
                    _ => None,
                })
                .collect(),
        ),
        Some(Value::Integer(_) | Value::Decimal(_)) | None => {
            Data::Number(values.iter().map(|value| value.as_ref().and_then(Value::as_f64)).collect())
        }
    }
}

/// Says who belongs to which set by the plan's conditions. What a missing value leaves open is a no.
pub(crate) fn evaluated_sets(
    trial: &Trial<'_>,
    observations: &[Observation],
    set: &Dataset,
) -> BTreeMap<AnalysisSetId, Vec<SubjectId>> {
    let members = |who: &protocol::expression::Expression| {
        let belongs = |row: usize, profile: &Profile<'_>| {
            who.truth(&RowScope::new(trial, observations, set, row, profile)) == Truth::True
        };
        let profiles = trial.profiles.iter().enumerate().filter(|(row, profile)| belongs(*row, profile));
        profiles.map(|(_, profile)| profile.subject.clone()).collect()
    };
    trial.study.plan.sets.iter().map(|known| (known.id.clone(), members(&known.who))).collect()
}
