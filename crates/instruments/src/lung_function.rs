//! The form side of lung function: measured values against a reference set.
//!
//! A set brings the items of its measurements and, for each, predicted value, percent
//! predicted, z and lower limit of normal. Measured values are stored as entered; sets
//! are never mixed within a participant, which is the study's to see to.

use rust_decimal::Decimal;
use terms::Answer;

use crate::{
    answers::{self, Answers, binary, computed},
    haemoglobin,
    instrument::{Context, Derived, Ethnicity, Instrument, InstrumentItem, Label, Need, NotScorable, Sex},
};

/// The z-score of the limits of normal: the 5th and 95th centile.
pub(crate) const LIMIT_Z: f64 = 1.645;

/// The reference distribution of one quantity for one person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reference {
    /// Skewness, median and coefficient of variation.
    Lms {
        /// Box-Cox power.
        l: f64,
        /// Median: the predicted value.
        m: f64,
        /// Coefficient of variation.
        s: f64,
    },
    /// A predicted value with a lower limit 1.645 standard errors below it.
    Linear {
        /// The predicted value.
        predicted: f64,
        /// The lower limit of normal, if published.
        lln: Option<f64>,
    },
}

impl Reference {
    /// Returns the predicted value.
    pub fn predicted(self) -> f64 {
        match self {
            Reference::Lms { m, .. } => m,
            Reference::Linear { predicted, .. } => predicted,
        }
    }

    /// Returns 100 times measured over predicted.
    pub fn percent_predicted(self, measured: f64) -> f64 {
        100.0 * measured / self.predicted()
    }

    /// Returns the z-score: `((x/M)^L - 1)/(L S)`, or `(x - pred)/((pred - LLN)/1.645)`.
    pub fn z(self, measured: f64) -> Option<f64> {
        match self {
            Reference::Lms { l: 0.0, m, s } => Some(libm::log(measured / m) / s),
            Reference::Lms { l, m, s } => Some((libm::pow(measured / m, l) - 1.0) / (l * s)),
            Reference::Linear { predicted, lln } => {
                lln.map(|lln| (measured - predicted) / ((predicted - lln) / LIMIT_Z))
            }
        }
    }

    /// Returns the value at a z-score.
    pub fn at_z(self, z: f64) -> Option<f64> {
        let value = match self {
            Reference::Lms { l: 0.0, m, s } => Some(m * libm::exp(s * z)),
            Reference::Lms { l, m, s } => Some(m * libm::pow(1.0 + l * s * z, 1.0 / l)),
            Reference::Linear { predicted, lln } => {
                lln.map(|lln| predicted + z * (predicted - lln) / LIMIT_Z)
            }
        };
        value.filter(|value| value.is_finite())
    }

    /// Returns the lower limit of normal, at z -1.645.
    pub fn lln(self) -> Option<f64> {
        match self {
            Reference::Linear { lln, .. } => lln,
            Reference::Lms { .. } => self.at_z(-LIMIT_Z),
        }
    }

    /// Returns the upper limit of normal, at z 1.645.
    pub fn uln(self) -> Option<f64> {
        self.at_z(LIMIT_Z)
    }
}

/// Sex, age in years and height in centimetres of the person measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Person {
    pub(crate) sex: Sex,
    pub(crate) age_years: f64,
    pub(crate) height_cm: f64,
    pub(crate) ethnicity: Option<Ethnicity>,
}

impl Person {
    fn of(context: &Context) -> Result<Self, NotScorable> {
        let unknown = |need| NotScorable::Unknown { need };
        Ok(Self {
            sex: context.sex.ok_or(unknown(Need::Sex))?,
            age_years: binary(context.age_years.ok_or(unknown(Need::Age))?),
            height_cm: binary(context.height_cm.ok_or(unknown(Need::Height))?),
            ethnicity: context.ethnicity,
        })
    }
}

/// One quantity of a form: how it is obtained, and what it is compared with.
pub(crate) struct Measurement {
    /// The entered item, or the derived one if the form computes the quantity.
    item: &'static str,
    /// Derived items: predicted, percent predicted, z, lower limit.
    outputs: [&'static str; 4],
    obtained: Obtained,
    reference: ReferenceFor,
}

/// The reference of a quantity for a person.
type ReferenceFor = fn(&Person) -> Result<Reference, NotScorable>;

/// A quantity from the answers of the form.
type FromAnswers = fn(&Answers<'_>, &Context) -> Result<Decimal, NotScorable>;

/// How a quantity is obtained.
enum Obtained {
    /// It is entered.
    Entered,
    /// It is computed from other items, and derived itself to some decimals.
    Computed { decimals: u32, from: FromAnswers },
    /// It is the entered `dlco` at the standard haemoglobin, by the entered `hb`, derived to 3 decimals.
    HaemoglobinCorrected,
}

/// A lung-function instrument.
pub struct LungFunction {
    pub(crate) id: &'static str,
    pub(crate) title: Label,
    pub(crate) items: &'static [InstrumentItem],
    pub(crate) version: &'static str,
    pub(crate) source: &'static str,
    pub(crate) measurements: &'static [Measurement],
}

impl LungFunction {
    fn item(&self, id: &str) -> Option<&'static InstrumentItem> {
        self.items.iter().find(|item| item.id == id)
    }
}

/// Percent predicted of a lung-function instrument, taken apart into what is entered and what is expected.
///
/// A simulator that follows percent predicted enters litres by it, and knows what is derived from them.
#[derive(Clone, Copy)]
pub struct PercentPredicted {
    measurement: &'static Measurement,
    entered: &'static InstrumentItem,
    haemoglobin: Option<&'static InstrumentItem>,
}

/// The place of percent predicted among a quantity's derived items.
const PERCENT: usize = 1;

impl PercentPredicted {
    pub(crate) fn of(set: &LungFunction, item: &str) -> Option<Self> {
        let measurement = set.measurements.iter().find(|one| one.outputs[PERCENT] == item)?;
        let (entered, haemoglobin) = match measurement.obtained {
            Obtained::Entered => (measurement.item, None),
            Obtained::HaemoglobinCorrected => (haemoglobin::DLCO, Some(haemoglobin::HB)),
            Obtained::Computed { .. } => return None,
        };
        let haemoglobin = haemoglobin.and_then(|item| set.item(item));
        Some(Self { measurement, entered: set.item(entered)?, haemoglobin })
    }

    /// Returns the item that is entered: litres, or mL/min/mmHg.
    pub fn entered(&self) -> &'static InstrumentItem {
        self.entered
    }

    /// Returns the item of the haemoglobin that the quantity is corrected by, in g/dL.
    pub fn haemoglobin(&self) -> Option<&'static InstrumentItem> {
        self.haemoglobin
    }

    /// Returns what would be measured, unrounded, of somebody at that percent of predicted.
    ///
    /// # Errors
    /// What the reference set needs and `context` lacks, or a missing haemoglobin.
    pub fn measured(
        &self,
        percent: f64,
        haemoglobin_g_dl: Option<Decimal>,
        context: &Context,
    ) -> Result<f64, NotScorable> {
        let quantity = percent / 100.0 * self.measurement.reference_for(context)?.predicted();
        Ok(quantity / binary(self.correction(haemoglobin_g_dl, context)?))
    }

    /// Returns percent predicted, as the form derives it, of what was entered.
    ///
    /// # Errors
    /// What the reference set needs and `context` lacks, or a missing haemoglobin.
    pub fn percent(
        &self,
        entered: Decimal,
        haemoglobin_g_dl: Option<Decimal>,
        context: &Context,
    ) -> Result<Decimal, NotScorable> {
        let quantity = match self.haemoglobin {
            Some(item) => {
                let haemoglobin = haemoglobin_g_dl.ok_or(NotScorable::Missing { item: item.id })?;
                haemoglobin::corrected(entered, haemoglobin, sex_of(context)?)?
            }
            None => entered,
        };
        let percent = self.measurement.reference_for(context)?.percent_predicted(binary(quantity));
        Ok(answers::rounded(computed(percent)?, PERCENT_DECIMALS))
    }

    /// What an entry is multiplied by to give the quantity.
    fn correction(
        &self,
        haemoglobin_g_dl: Option<Decimal>,
        context: &Context,
    ) -> Result<Decimal, NotScorable> {
        match self.haemoglobin {
            Some(item) => {
                let haemoglobin = haemoglobin_g_dl.ok_or(NotScorable::Missing { item: item.id })?;
                haemoglobin::corrected(Decimal::ONE, haemoglobin, sex_of(context)?)
            }
            None => Ok(Decimal::ONE),
        }
    }
}

/// The decimals of percent predicted.
const PERCENT_DECIMALS: u32 = 2;

fn sex_of(context: &Context) -> Result<Sex, NotScorable> {
    context.sex.ok_or(NotScorable::Unknown { need: Need::Sex })
}

impl Measurement {
    /// Returns a quantity that is entered.
    pub(crate) const fn entered(
        item: &'static str,
        outputs: [&'static str; 4],
        reference: ReferenceFor,
    ) -> Self {
        Self { item, outputs, obtained: Obtained::Entered, reference }
    }

    /// Returns a quantity that the form computes, kept to some decimals.
    pub(crate) const fn computed(
        item: &'static str,
        decimals: u32,
        outputs: [&'static str; 4],
        from: FromAnswers,
        reference: ReferenceFor,
    ) -> Self {
        Self { item, outputs, obtained: Obtained::Computed { decimals, from }, reference }
    }

    /// Returns the capacity `dlco` corrected by `hb`.
    pub(crate) const fn haemoglobin_corrected(
        item: &'static str,
        outputs: [&'static str; 4],
        reference: ReferenceFor,
    ) -> Self {
        Self { item, outputs, obtained: Obtained::HaemoglobinCorrected, reference }
    }

    fn reference_for(&self, context: &Context) -> Result<Reference, NotScorable> {
        Person::of(context).and_then(|person| (self.reference)(&person))
    }

    fn measured(&self, answers: &Answers<'_>, context: &Context) -> Result<Decimal, NotScorable> {
        let measured = match self.obtained {
            Obtained::Entered => answers.needed_number(self.item)?,
            Obtained::Computed { from, .. } => from(answers, context)?,
            Obtained::HaemoglobinCorrected => haemoglobin::corrected_answer(answers, context)?,
        };
        if measured > Decimal::ZERO { Ok(measured) } else { Err(NotScorable::NotAllowed { item: self.item }) }
    }

    fn score(&self, answers: &Answers<'_>, context: &Context) -> Vec<Derived> {
        let reference = self.reference_for(context);
        let measured = self.measured(answers, context);
        let both = || Ok::<_, NotScorable>((reference.clone()?, binary(measured.clone()?)));
        let no_limit = || NotScorable::NotInSet { what: "lower limit of normal" };
        let [predicted, percent, z, lln] = self.outputs;
        let mut derived = vec![
            (predicted, 3, reference.clone().map(Reference::predicted)),
            (
                percent,
                PERCENT_DECIMALS,
                both().map(|(reference, measured)| reference.percent_predicted(measured)),
            ),
            (z, 3, both().and_then(|(reference, measured)| reference.z(measured).ok_or_else(no_limit))),
            (lln, 3, reference.clone().and_then(|reference| reference.lln().ok_or_else(no_limit))),
        ]
        .into_iter()
        .map(|(item, decimals, result)| answers::derived(item, decimals, result.and_then(computed)))
        .collect::<Vec<_>>();
        let decimals = match self.obtained {
            Obtained::Entered => None,
            Obtained::Computed { decimals, .. } => Some(decimals),
            Obtained::HaemoglobinCorrected => Some(3),
        };
        if let Some(decimals) = decimals {
            derived.insert(0, answers::derived(self.item, decimals, measured));
        }
        derived
    }
}

impl Instrument for LungFunction {
    fn id(&self) -> &'static str {
        self.id
    }

    fn title(&self) -> Label {
        self.title
    }

    fn items(&self) -> &'static [InstrumentItem] {
        self.items
    }

    fn version(&self) -> &'static str {
        self.version
    }

    fn source(&self) -> &'static str {
        self.source
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, context: &Context) -> Vec<Derived> {
        let answers = Answers(answers);
        let mut scored: Vec<Derived> =
            self.measurements.iter().flat_map(|measurement| measurement.score(&answers, context)).collect();
        scored.sort_by_key(|derived| self.items.iter().position(|item| item.id == derived.item));
        scored
    }
}

static SETS: &[&LungFunction] = &[
    &crate::crapo::CRAPO,
    &crate::gli2012::GLI2012,
    &crate::gli2017_dlco::GLI2017_DLCO,
    &crate::gli2021_volumes::GLI2021_VOLUMES,
    &crate::gli2022::GLI2022,
    &crate::nhanes3::NHANES3,
];

/// Returns the lung-function instrument of that id.
pub(crate) fn set(id: &str) -> Option<&'static LungFunction> {
    SETS.iter().copied().find(|set| set.id == id)
}

/// Returns FEV1 over FVC, as a fraction.
pub(crate) fn ratio(answers: &Answers<'_>) -> Result<Decimal, NotScorable> {
    let fvc = answers.needed_number("fvc")?;
    if fvc <= Decimal::ZERO {
        return Err(NotScorable::NotAllowed { item: "fvc" });
    }
    Ok(answers.needed_number("fev1")? / fvc)
}

/// Derived items of one quantity: predicted, percent predicted, z and lower limit.
macro_rules! compared {
    ($id:literal, $name_en:literal, $name_fr:literal, $unit:literal, $max:literal) => {
        [
            InstrumentItem::decimal(
                concat!($id, "_pred"),
                concat!($name_en, ", predicted"),
                concat!($name_fr, ", théorique"),
                (0, $max),
                3,
                $unit,
            )
            .derived(),
            InstrumentItem::decimal(
                concat!($id, "_pct_pred"),
                concat!($name_en, ", % predicted"),
                concat!($name_fr, ", % de la théorique"),
                (0, 1000),
                2,
                "%",
            )
            .derived(),
            InstrumentItem::decimal(
                concat!($id, "_z"),
                concat!($name_en, ", z-score"),
                concat!($name_fr, ", z-score"),
                (-50, 50),
                3,
                "1",
            )
            .derived(),
            InstrumentItem::decimal(
                concat!($id, "_lln"),
                concat!($name_en, ", lower limit of normal"),
                concat!($name_fr, ", limite inférieure de la normale"),
                (0, $max),
                3,
                $unit,
            )
            .derived(),
        ]
    };
}

/// The four derived ids of a quantity.
macro_rules! outputs {
    ($id:literal) => {
        [concat!($id, "_pred"), concat!($id, "_pct_pred"), concat!($id, "_z"), concat!($id, "_lln")]
    };
}

pub(crate) use {compared, outputs};

#[cfg(test)]
mod tests {
    use terms::Value;

    use super::*;

    fn person(sex: Sex, age: i64, height: i64) -> Context {
        Context {
            sex: Some(sex),
            age_years: Some(age.into()),
            height_cm: Some(height.into()),
            ..Context::default()
        }
    }

    #[test]
    fn what_is_measured_at_a_percent_gives_that_percent_back() {
        let people = [person(Sex::Female, 47, 163), person(Sex::Male, 71, 180), person(Sex::Female, 19, 150)];
        let hb = Decimal::new(118, 1);
        for (set, item) in [
            ("gli2022", "fvc_pct_pred"),
            ("gli2022", "fev1_pct_pred"),
            ("gli2021_volumes", "tlc_pct_pred"),
            ("gli2017_dlco", "dlco_pct_pred"),
            ("gli2017_dlco", "dlco_hb_pct_pred"),
            ("crapo", "dlco_hb_pct_pred"),
        ] {
            let percent = crate::percent_predicted(set, item).unwrap();
            for person in &people {
                for wanted in [44.0, 80.0, 123.4] {
                    let shown = percent.measured(wanted, Some(hb), person).unwrap();
                    let entered = answers::rounded(computed(shown).unwrap(), 2);
                    let derived = percent.percent(entered, Some(hb), person).unwrap();
                    let off = (binary(derived) - wanted).abs();
                    assert!(off < 0.6, "{set} {item}: {derived} for {wanted}");
                    // The form derives the same number.
                    let given = |id: &str| match id {
                        _ if id == percent.entered().id => Some(Answer::Given(Value::Decimal(entered))),
                        "hb" => Some(Answer::Given(Value::Decimal(hb))),
                        _ => None,
                    };
                    let scored = crate::by_id(set).unwrap().score(&given, person);
                    let scored = scored.into_iter().find(|derived| derived.item == item).unwrap();
                    assert_eq!(scored.result, Ok(Value::Decimal(derived)), "{set} {item}");
                }
            }
        }
    }

    #[test]
    fn only_percent_predicted_of_something_entered_can_be_taken_apart() {
        assert!(crate::percent_predicted("gli2022", "fev1_fvc_pct_pred").is_none());
        assert!(crate::percent_predicted("gli2022", "fvc").is_none());
        assert!(crate::percent_predicted("dlqi", "total").is_none());
        let corrected = crate::percent_predicted("gli2017_dlco", "dlco_hb_pct_pred").unwrap();
        let refused = corrected.measured(80.0, None, &person(Sex::Male, 50, 175));
        assert_eq!(refused, Err(NotScorable::Missing { item: "hb" }));
    }
}
