//! Lung-function reference sets.

use serde_json::{Value, json};

use super::{Unsupported, input::Fields, output};
use crate::{
    answers::binary,
    crapo as crapo_set, gli2012 as gli12, gli2017_dlco as dlco, gli2021_volumes as volumes, gli2022 as gli22,
    instrument::{Ethnicity, NotScorable, Sex},
    lung_function::Reference,
    nhanes3 as nhanes,
};

struct Person {
    sex: Sex,
    age_years: Option<f64>,
    height_cm: Option<f64>,
    measured: Option<f64>,
}

impl Person {
    fn read(fields: &Fields<'_>) -> Result<Self, Unsupported> {
        let positive =
            |key| Ok::<_, Unsupported>(fields.number(key)?.map(binary).filter(|value| *value > 0.0));
        Ok(Self {
            sex: fields.coded("sex", Sex::from_code)?,
            age_years: fields.number("age_y")?.map(binary),
            height_cm: positive("height_cm")?,
            measured: positive("value")?,
        })
    }

    /// Looks up the reference; without age or height there is none.
    fn with(
        &self,
        reference: impl FnOnce(Sex, f64, f64) -> Result<Reference, NotScorable>,
    ) -> Option<Reference> {
        reference(self.sex, self.age_years?, self.height_cm?).ok()
    }

    fn percent(&self, reference: Option<Reference>) -> Value {
        output::number(reference.and_then(|reference| Some(reference.percent_predicted(self.measured?))))
    }

    fn z(&self, reference: Option<Reference>) -> Value {
        output::number(reference.and_then(|reference| reference.z(self.measured?)))
    }

    fn lms(&self, reference: Option<Reference>) -> Value {
        let part = |read: fn(f64, f64, f64) -> f64| {
            output::number(reference.and_then(|reference| match reference {
                Reference::Lms { l, m, s } => Some(read(l, m, s)),
                Reference::Linear { .. } => None,
            }))
        };
        json!({
            "l": part(|l, _, _| l),
            "m": part(|_, m, _| m),
            "s": part(|_, _, s| s),
            "pct_pred": self.percent(reference),
            "z": self.z(reference),
            "lln": output::number(reference.and_then(Reference::lln)),
            "uln": output::number(reference.and_then(Reference::uln)),
        })
    }

    fn linear(&self, reference: Option<Reference>) -> Value {
        json!({
            "pred": output::number(reference.map(Reference::predicted)),
            "lln": output::number(reference.and_then(Reference::lln)),
            "pct_pred": self.percent(reference),
            "z": self.z(reference),
        })
    }
}

/// Reads the group, which the set must have; `None` where missing.
fn group(fields: &Fields<'_>, has: &[Ethnicity]) -> Result<Option<Ethnicity>, Unsupported> {
    let Some(code) = fields.text("ethnicity")? else { return Ok(None) };
    let group = Ethnicity::from_code(code).filter(|group| has.contains(group));
    group.map(Some).ok_or_else(|| fields.no_code("ethnicity", code))
}

fn known(group: Option<Ethnicity>) -> Result<Ethnicity, NotScorable> {
    group.ok_or(NotScorable::Unknown { need: crate::instrument::Need::Ethnicity })
}

fn gli_spirometry(code: &str) -> Option<gli12::Quantity> {
    match code {
        "FVC" => Some(gli12::Quantity::Fvc),
        "FEV1" => Some(gli12::Quantity::Fev1),
        "FEV1FVC" => Some(gli12::Quantity::Fev1Fvc),
        _ => None,
    }
}

pub(super) fn gli2012(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let (person, quantity) = (Person::read(fields)?, fields.coded("param", gli_spirometry)?);
    let groups =
        [Ethnicity::White, Ethnicity::Black, Ethnicity::NeAsian, Ethnicity::SeAsian, Ethnicity::Other];
    let group = group(fields, &groups)?;
    let reference =
        person.with(|sex, age, height| gli12::reference(quantity, sex, known(group)?, age, height));
    Ok(person.lms(reference))
}

pub(super) fn gli2022(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let (person, quantity) = (Person::read(fields)?, fields.coded("param", gli_spirometry)?);
    Ok(person.lms(person.with(|sex, age, height| gli22::reference(quantity, sex, age, height))))
}

pub(super) fn gli2017_dlco(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let quantity = fields.coded("param", |code| {
        Some(match code {
            "DLCO" => dlco::Quantity::Dlco,
            "KCO_trad" => dlco::Quantity::Kco,
            "VA" => dlco::Quantity::Va,
            "TLCO" => dlco::Quantity::TlcoSi,
            "KCO_SI" => dlco::Quantity::KcoSi,
            _ => return None,
        })
    })?;
    let person = Person::read(fields)?;
    Ok(person.lms(person.with(|sex, age, height| dlco::reference(quantity, sex, age, height))))
}

pub(super) fn gli2021_volumes(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let quantity = fields.coded("param", |code| {
        Some(match code {
            "TLC" => volumes::Quantity::Tlc,
            "FRC" => volumes::Quantity::Frc,
            "RV" => volumes::Quantity::Rv,
            "RV_TLC" => volumes::Quantity::RvTlc,
            "VC" => volumes::Quantity::Vc,
            _ => return None,
        })
    })?;
    let person = Person::read(fields)?;
    Ok(person.lms(person.with(|sex, age, height| volumes::reference(quantity, sex, age, height))))
}

pub(super) fn nhanes3(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let quantity = fields.coded("param", |code| {
        Some(match code {
            "FVC" => nhanes::Quantity::Fvc,
            "FEV1" => nhanes::Quantity::Fev1,
            "FEV6" => nhanes::Quantity::Fev6,
            "PEF" => nhanes::Quantity::Pef,
            "FEF2575" => nhanes::Quantity::Fef2575,
            "FEV1FVC" => nhanes::Quantity::Fev1Fvc,
            "FEV1FEV6" => nhanes::Quantity::Fev1Fev6,
            _ => return None,
        })
    })?;
    let person = Person::read(fields)?;
    let group = group(fields, &[Ethnicity::White, Ethnicity::Black, Ethnicity::MexicanAmerican])?;
    let reference =
        person.with(|sex, age, height| nhanes::reference(quantity, sex, known(group)?, age, height));
    Ok(person.linear(reference))
}

pub(super) fn crapo(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let quantity = fields.coded("param", |code| {
        Some(match code {
            "FVC" => crapo_set::Quantity::Fvc,
            "FEV1" => crapo_set::Quantity::Fev1,
            "FEF25_75" => crapo_set::Quantity::Fef2575,
            "FEV1FVC" => crapo_set::Quantity::Fev1Fvc,
            "TLC" => crapo_set::Quantity::Tlc,
            "RV" => crapo_set::Quantity::Rv,
            "DLCO" => crapo_set::Quantity::Dlco,
            _ => return None,
        })
    })?;
    let person = Person::read(fields)?;
    Ok(person.linear(person.with(|sex, age, height| crapo_set::reference(quantity, sex, age, height))))
}
