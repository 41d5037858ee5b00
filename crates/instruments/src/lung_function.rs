//! The form side of lung function: measured values against a reference set.
//!
//! A set brings the items of its measurements and, for each, predicted value, percent
//! predicted, z and lower limit of normal. Measured values are stored as entered; sets
//! are never mixed within a participant, which is the study's to see to.

use rust_decimal::Decimal;
use terms::Answer;

use crate::{
    answers::{self, Answers, binary, computed},
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
    /// Returns the predicted value of an item; `None` if the form has no such quantity.
    pub(crate) fn predicted(&self, item: &str, context: &Context) -> Option<Result<Decimal, NotScorable>> {
        let measurement = self.measurements.iter().find(|measurement| measurement.item == item)?;
        let reference = Person::of(context).and_then(|person| (measurement.reference)(&person));
        Some(reference.and_then(|reference| computed(reference.predicted())))
    }
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

    fn measured(&self, answers: &Answers<'_>, context: &Context) -> Result<Decimal, NotScorable> {
        let measured = match self.obtained {
            Obtained::Entered => answers.needed_number(self.item)?,
            Obtained::Computed { from, .. } => from(answers, context)?,
        };
        if measured > Decimal::ZERO { Ok(measured) } else { Err(NotScorable::NotAllowed { item: self.item }) }
    }

    fn score(&self, answers: &Answers<'_>, context: &Context) -> Vec<Derived> {
        let reference = Person::of(context).and_then(|person| (self.reference)(&person));
        let measured = self.measured(answers, context);
        let both = || Ok::<_, NotScorable>((reference.clone()?, binary(measured.clone()?)));
        let no_limit = || NotScorable::NotInSet { what: "lower limit of normal" };
        let [predicted, percent, z, lln] = self.outputs;
        let mut derived = vec![
            (predicted, 3, reference.clone().map(Reference::predicted)),
            (percent, 2, both().map(|(reference, measured)| reference.percent_predicted(measured))),
            (z, 3, both().and_then(|(reference, measured)| reference.z(measured).ok_or_else(no_limit))),
            (lln, 3, reference.clone().and_then(|reference| reference.lln().ok_or_else(no_limit))),
        ]
        .into_iter()
        .map(|(item, decimals, result)| answers::derived(item, decimals, result.and_then(computed)))
        .collect::<Vec<_>>();
        if let Obtained::Computed { decimals, .. } = self.obtained {
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
