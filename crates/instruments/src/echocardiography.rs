//! Echocardiography: ejection fraction and right ventricular systolic pressure.
//!
//! `RVSP = 4 v² + RAP` in mmHg, v in m/s of the tricuspid jet, RAP 3, 8 or 15 mmHg. Without a
//! jet the pressure is not measurable, and not 0.
//!
//! Source: Rudski et al., J Am Soc Echocardiogr 2010;23:685.

use rust_decimal::Decimal;
use terms::Answer;

use crate::{
    answers::{Answers, derived},
    instrument::{CodeLabel, Context, Derived, Instrument, InstrumentItem, Label, NotScorable},
};

/// Returns the right ventricular systolic pressure in mmHg.
///
/// # Errors
/// A jet velocity that is not above 0.
pub fn rvsp(jet_m_s: Decimal, right_atrial_mmhg: Decimal) -> Result<Decimal, NotScorable> {
    if jet_m_s <= Decimal::ZERO {
        return Err(NotScorable::NotAllowed { item: "jet_m_s" });
    }
    Ok(Decimal::from(4) * jet_m_s * jet_m_s + right_atrial_mmhg)
}

static PRESSURES: [CodeLabel; 3] = [
    CodeLabel { code: "3", label: Label { en: "3 mmHg", fr: "3 mmHg" } },
    CodeLabel { code: "8", label: Label { en: "8 mmHg", fr: "8 mmHg" } },
    CodeLabel { code: "15", label: Label { en: "15 mmHg", fr: "15 mmHg" } },
];

static METHODS: [CodeLabel; 3] = [
    CodeLabel { code: "simpson", label: Label { en: "Biplane Simpson", fr: "Simpson biplan" } },
    CodeLabel { code: "teichholz", label: Label { en: "Teichholz", fr: "Teichholz" } },
    CodeLabel { code: "visual", label: Label { en: "Visual", fr: "Visuelle" } },
];

static ITEMS: [InstrumentItem; 6] = [
    InstrumentItem::integer("lvef_pct", "LVEF, %", "FEVG, %", 0, 100),
    InstrumentItem::code("lvef_method", "Method of LVEF", "Méthode de la FEVG", &METHODS),
    InstrumentItem::boolean("jet_seen", "Tricuspid jet seen", "Fuite tricuspide visible"),
    InstrumentItem::decimal("jet_m_s", "Jet velocity", "Vitesse de la fuite", (0, 8), 2, "m/s").optional(),
    InstrumentItem::code("rap_mmhg", "Right atrial pressure", "Pression auriculaire droite", &PRESSURES)
        .optional(),
    InstrumentItem::decimal("rvsp_mmhg", "RVSP", "PVDs", (0, 300), 1, "mm[Hg]").derived(),
];

fn pressure(answers: &Answers<'_>) -> Result<Decimal, NotScorable> {
    if answers.truth("jet_seen")? == Some(false) {
        return Err(NotScorable::Undefined { why: "without a tricuspid jet it is not measurable" });
    }
    let jet = answers.needed_number("jet_m_s")?;
    let code = answers.code("rap_mmhg")?.ok_or(NotScorable::Missing { item: "rap_mmhg" })?;
    let known = PRESSURES.iter().find(|known| known.code == code);
    let atrial = known.and_then(|known| known.code.parse().ok());
    rvsp(jet, atrial.ok_or(NotScorable::NotAllowed { item: "rap_mmhg" })?)
}

/// The instrument `echocardiography`.
pub struct Echocardiography;

/// Ejection fraction and right ventricular pressure.
pub static ECHOCARDIOGRAPHY: Echocardiography = Echocardiography;

impl Instrument for Echocardiography {
    fn id(&self) -> &'static str {
        "echocardiography"
    }

    fn title(&self) -> Label {
        Label { en: "Echocardiography", fr: "Échocardiographie" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "RVSP by the tricuspid jet, RAP 3, 8 or 15 mmHg"
    }

    fn source(&self) -> &'static str {
        "Rudski et al., J Am Soc Echocardiogr 2010;23:685"
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        vec![derived("rvsp_mmhg", 1, pressure(&Answers(answers)))]
    }
}

#[cfg(test)]
mod tests {
    use terms::Value;

    use super::*;

    fn scored(jet_seen: bool) -> Result<Value, NotScorable> {
        let answers = |item: &str| match item {
            "jet_seen" => Some(Answer::Given(Value::Boolean(jet_seen))),
            "jet_m_s" => Some(Answer::Given(Value::Decimal("2.5".parse().unwrap()))),
            "rap_mmhg" => Some(Answer::Given(Value::Code("8".to_owned()))),
            _ => None,
        };
        ECHOCARDIOGRAPHY.score(&answers, &Context::default()).remove(0).result
    }

    #[test]
    fn a_jet_of_2_5_and_an_atrial_pressure_of_8_make_33() {
        assert_eq!(scored(true), Ok(Value::Decimal(Decimal::from(33))));
    }

    #[test]
    fn without_a_jet_the_pressure_is_not_measurable() {
        assert!(matches!(scored(false), Err(NotScorable::Undefined { .. })));
    }
}
