//! What an expression sees of a casebook: the visit and row in hand, and what is about to be saved.

use std::collections::BTreeMap;

use protocol::{
    expression::{ItemRef, Scope, When},
    model::{Form, ItemRole, Purpose, ReferenceRange, Study, Timing},
};
use record::FormKey;
use terms::*;

use crate::{
    casebook::Casebook,
    schedule::{is_before_treatment, scheduled_visit},
};

/// Answers that a decision is about to save, by form and item.
pub(crate) type Pending = BTreeMap<FormKey, BTreeMap<ItemId, Answer>>;

/// A casebook seen from a visit, and a row of a form, on a day.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The study.
    pub study: &'a Study,
    /// The casebook.
    pub casebook: &'a Casebook,
    /// The visit in hand.
    pub visit: Option<&'a VisitId>,
    /// The form and row in hand, for forms that run through the trial.
    pub row: Option<(&'a FormId, u32)>,
    /// The day in hand.
    pub today: Option<Date>,
    pending: Option<&'a Pending>,
}

impl<'a> View<'a> {
    /// Sees the casebook from a visit, on the day on which it was held.
    pub fn at_visit(study: &'a Study, casebook: &'a Casebook, visit: &'a VisitId) -> Self {
        let today = casebook.visit_date(visit);
        Self { study, casebook, visit: Some(visit), row: None, today, pending: None }
    }

    /// Sees the casebook on a day, from the last visit held by then.
    pub fn on(study: &'a Study, casebook: &'a Casebook, today: Date) -> Self {
        let visit = casebook.visits_by_date().into_iter().rev().find(|(_, date)| *date <= today);
        Self { study, casebook, visit: visit.map(|(id, _)| id), row: None, today: Some(today), pending: None }
    }

    /// Sees the casebook from a form that is filled in, on the day of its visit or (without one) `today`.
    pub fn at_form(study: &'a Study, casebook: &'a Casebook, key: &'a FormKey, today: Date) -> Self {
        let date = key.visit.as_ref().and_then(|visit| casebook.visit_date(visit)).unwrap_or(today);
        let row = Some((&key.form, key.row));
        Self { study, casebook, visit: key.visit.as_ref(), row, today: Some(date), pending: None }
    }

    pub(crate) fn with(self, pending: &'a Pending) -> Self {
        Self { pending: Some(pending), ..self }
    }

    /// Returns what an item of a form holds, or is about to.
    pub(crate) fn answer(&self, key: &FormKey, item: &str) -> Option<Answer> {
        self.pending
            .and_then(|pending| pending.get(key)?.get(item))
            .or_else(|| self.casebook.cell(key, item)?.answer())
            .cloned()
    }

    /// Says whether an item of a form holds something or is about to; what was redacted counts.
    pub(crate) fn holds(&self, key: &FormKey, item: &str) -> bool {
        let pending = self.pending.and_then(|pending| pending.get(key)?.get(item));
        pending.is_some() || self.casebook.holds(key, item)
    }

    fn here(&self, reference: &ItemRef) -> Option<Answer> {
        let form = self.study.form(reference.form.as_str())?;
        let row = match self.row {
            Some((held, row)) if *held == reference.form => row,
            _ => 0,
        };
        let visit = if form.by_visit { Some(self.visit?.clone()) } else { None };
        self.answer(&FormKey { visit, form: form.id.clone(), row }, reference.item.as_str())
    }

    fn at(&self, reference: &ItemRef, visit: &VisitId) -> Option<Answer> {
        let key = FormKey { visit: Some(visit.clone()), form: reference.form.clone(), row: 0 };
        self.answer(&key, reference.item.as_str())
    }

    /// The last given answer among visits, latest first, that `allowed` lets through.
    fn last(&self, reference: &ItemRef, allowed: impl Fn(&VisitId, Date) -> bool) -> Option<Answer> {
        if self.study.form(reference.form.as_str()).is_some_and(|form| !form.by_visit) {
            return self.here(reference);
        }
        self.casebook
            .visits_by_date()
            .into_iter()
            .rev()
            .filter(|(visit, date)| allowed(visit, *date))
            .filter_map(|(visit, _)| self.at(reference, visit))
            .find(|answer| answer.value().is_some())
    }

    fn previous(&self, reference: &ItemRef) -> Option<Answer> {
        let here = self.visit?;
        let today = self.today?;
        self.last(reference, |visit, date| visit != here && date < today)
    }

    fn latest(&self, reference: &ItemRef) -> Option<Answer> {
        let today = self.today;
        self.last(reference, |_, date| today.is_none_or(|today| date <= today))
    }

    /// The last value of a planned visit on or before the day of the first dose; before it is known,
    /// of the visits on the way in. What is measured on that day is measured before the dose.
    fn baseline(&self, reference: &ItemRef) -> Option<Answer> {
        let first_dose = self.casebook.first_dose();
        self.last(reference, |visit, date| {
            let planned = scheduled_visit(self.study, visit);
            planned.is_some_and(|planned| match first_dose {
                Some(first) => date <= first && planned.timing != Timing::Unscheduled,
                None => is_before_treatment(planned),
            })
        })
    }

    pub(crate) fn demography(&self, role: ItemRole) -> Option<Answer> {
        let form = self.study.form_for(Purpose::Demography)?;
        let reference =
            ItemRef { form: form.id.clone(), item: form.item_for(role)?.id.clone(), when: When::Latest };
        self.last(&reference, |_, _| true)
    }

    fn range(&self, item: &ItemId) -> Option<&'a ReferenceRange> {
        let sex = self.demography(ItemRole::Sex).and_then(|answer| answer.value().map(Value::to_string));
        let age =
            self.demography(ItemRole::AgeYears).and_then(|answer| answer.value().and_then(Value::number));
        reference_range(self.study, &self.casebook.site, item, sex.as_deref(), age, self.today)
    }
}

/// Returns the reference range of an item that a site's laboratory has for somebody on a day.
///
/// Of ranges that fit, the one that came into force last; else the first, being the most specific.
pub fn reference_range<'a>(
    study: &'a Study,
    site: &SiteId,
    item: &ItemId,
    sex: Option<&str>,
    age_years: Option<Decimal>,
    today: Option<Date>,
) -> Option<&'a ReferenceRange> {
    let laboratory = &study.site(site.as_str())?.laboratory;
    let laboratory = study.laboratories.iter().find(|known| known.id == *laboratory)?;
    let fits = |range: &&ReferenceRange| {
        range.item == *item
            && range.sex.as_deref().is_none_or(|wanted| sex == Some(wanted))
            && range.age_from.is_none_or(|least| age_years.is_some_and(|age| age >= Decimal::from(least)))
            && range.age_below.is_none_or(|limit| age_years.is_some_and(|age| age < Decimal::from(limit)))
            && range.from.is_none_or(|from| today.is_some_and(|today| today >= from))
    };
    let fitting: Vec<_> = laboratory.ranges.iter().filter(fits).collect();
    let newest = fitting.iter().filter_map(|range| range.from).max();
    fitting.into_iter().find(|range| range.from == newest)
}

fn date(date: Option<Date>) -> Option<Answer> {
    date.map(|date| Answer::Given(Value::Date(date.into())))
}

impl Scope for View<'_> {
    fn item(&self, reference: &ItemRef) -> Option<Answer> {
        match &reference.when {
            When::Here => self.here(reference),
            When::At(visit) => self.at(reference, visit),
            When::Previous => self.previous(reference),
            When::Baseline => self.baseline(reference),
            When::Latest => self.latest(reference),
        }
    }

    fn variable(&self, name: &str) -> Option<Answer> {
        let casebook = self.casebook;
        match name {
            "visit.date" => date(self.today),
            "subject.site" => Some(Answer::Given(Value::Code(casebook.site.to_string()))),
            "subject.consent_date" => date(casebook.consents.first().map(|consent| consent.signed.date)),
            "subject.enrolment_date" => date(casebook.enrolled.map(|enrolled| enrolled.date)),
            "subject.first_dose_date" => date(casebook.first_dose()),
            "subject.last_dose_date" => date(casebook.last_dose()),
            _ => None,
        }
    }

    fn limit(&self, reference: &ItemRef, upper: bool) -> Option<Answer> {
        let range = self.range(&reference.item)?;
        let limit = if upper { range.upper } else { range.lower };
        limit.map(|limit| Answer::Given(Value::Decimal(limit)))
    }

    fn today(&self) -> Option<Date> {
        self.today
    }
}

/// Says whether an item is asked. An open condition asks.
pub fn is_shown(view: &View<'_>, item: &protocol::model::Item) -> bool {
    item.shown_if.as_ref().is_none_or(|condition| condition.truth(view) != Truth::False)
}

/// Returns the items of a form that have to be filled before signing and hold nothing yet.
pub fn unfilled<'a>(view: &View<'_>, form: &'a Form, key: &FormKey) -> Vec<&'a ItemId> {
    let filled = view.casebook.forms.get(key);
    let pending = view.pending.and_then(|pending| pending.get(key));
    let holds = |item: &ItemId| {
        pending.is_some_and(|pending| pending.contains_key(item))
            || filled.is_some_and(|form| form.cells.hold(item.as_str()))
    };
    form.items
        .iter()
        .filter(|item| item.required && item.derived.is_none())
        .filter(|item| !holds(&item.id) && is_shown(view, item))
        .map(|item| &item.id)
        .collect()
}
