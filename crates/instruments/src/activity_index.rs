//! Activity of systemic sclerosis: the EScSG index and the revised EUSTAR index.
//!
//! EScSG, at most 10, active from 3: mRSS > 14: 1; scleredema 0.5; skin worse in the last
//! month 2; digital necrosis 0.5; vascular worse 0.5; arthritis 0.5; DLCO < 80 %: 0.5; heart
//! or lung worse 2; ESR > 30 mm/h: 1.5; low complement 1. EUSTAR 2017, at most 10, active
//! from 2.5: skin worse 1.5; digital ulcers 1.5; mRSS > 18: 1.5; tendon friction rubs 2.25;
//! CRP > 1 mg/dL: 2.25; DLCO < 70 %: 1. A missing finding leaves the sum without a score;
//! "active" is still decided where it cannot matter.
//!
//! Source: Valentini et al., Ann Rheum Dis 2001;60:592 and 2003;62:901; 2017;76:270.

use rust_decimal::Decimal;
use terms::{Answer, Truth, Value};

use crate::{
    answers::{Answers, derived},
    instrument::{Context, Derived, Instrument, InstrumentItem, Label, NotScorable},
    weighted::{Criterion, WeightedSum, truth},
};

/// What was found; `None` or unknown where not assessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Scleredema.
    pub scleredema: Truth,
    /// Skin worse in the last month.
    pub skin_worse: Truth,
    /// Digital necrosis.
    pub digital_necrosis: Truth,
    /// Vascular disease worse in the last month.
    pub vascular_worse: Truth,
    /// Arthritis.
    pub arthritis: Truth,
    /// Heart or lung worse in the last month.
    pub heart_or_lung_worse: Truth,
    /// Low complement.
    pub low_complement: Truth,
    /// Digital ulcers.
    pub digital_ulcers: Truth,
    /// Tendon friction rubs.
    pub tendon_friction_rubs: Truth,
    /// Skin score.
    pub mrss: Option<Decimal>,
    /// DLCO, % predicted.
    pub dlco_percent: Option<Decimal>,
    /// Erythrocyte sedimentation rate, mm/h.
    pub esr: Option<Decimal>,
    /// C-reactive protein, mg/dL.
    pub crp_mg_dl: Option<Decimal>,
}

/// An index and whether it says that the disease is active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The sum of the weights.
    pub score: Result<Decimal, NotScorable>,
    /// Whether it reaches the cut.
    pub active: Result<bool, NotScorable>,
}

fn above(value: Option<Decimal>, cut: i64) -> Truth {
    value.map_or(Truth::Unknown, |value| Truth::from(value > Decimal::from(cut)))
}

fn below(value: Option<Decimal>, cut: i64) -> Truth {
    value.map_or(Truth::Unknown, |value| Truth::from(value < Decimal::from(cut)))
}

fn index(criteria: &[Criterion], cut: Decimal) -> Index {
    let sum = WeightedSum::of(criteria);
    Index { score: sum.score(), active: sum.decided(cut) }
}

/// Returns the EScSG index (2001, 2003).
pub fn escsg(findings: &Findings) -> Index {
    let tenths = |weight: i64| Decimal::new(weight, 1);
    index(
        &[
            ("mrss", above(findings.mrss, 14), tenths(10)),
            ("scleredema", findings.scleredema, tenths(5)),
            ("delta_skin", findings.skin_worse, tenths(20)),
            ("digital_necrosis", findings.digital_necrosis, tenths(5)),
            ("delta_vascular", findings.vascular_worse, tenths(5)),
            ("arthritis", findings.arthritis, tenths(5)),
            ("dlco_pct", below(findings.dlco_percent, 80), tenths(5)),
            ("delta_cardiopulm", findings.heart_or_lung_worse, tenths(20)),
            ("esr", above(findings.esr, 30), tenths(15)),
            ("hypocomplementemia", findings.low_complement, tenths(10)),
        ],
        tenths(30),
    )
}

/// Returns the revised EUSTAR index (2017).
pub fn eustar(findings: &Findings) -> Index {
    let hundredths = |weight: i64| Decimal::new(weight, 2);
    index(
        &[
            ("delta_skin", findings.skin_worse, hundredths(150)),
            ("digital_ulcers", findings.digital_ulcers, hundredths(150)),
            ("mrss", above(findings.mrss, 18), hundredths(150)),
            ("tendon_friction_rubs", findings.tendon_friction_rubs, hundredths(225)),
            ("crp_mg_dl", above(findings.crp_mg_dl, 1), hundredths(225)),
            ("dlco_pct", below(findings.dlco_percent, 70), hundredths(100)),
        ],
        hundredths(250),
    )
}

static ITEMS: [InstrumentItem; 17] = [
    InstrumentItem::boolean("scleredema", "Scleredema", "Scleroedème"),
    InstrumentItem::boolean("delta_skin", "Skin worse in the last month", "Peau aggravée depuis un mois"),
    InstrumentItem::boolean("digital_necrosis", "Digital necrosis", "Nécrose digitale"),
    InstrumentItem::boolean(
        "delta_vascular",
        "Vascular worse in the last month",
        "Vasculaire aggravé depuis un mois",
    ),
    InstrumentItem::boolean("arthritis", "Arthritis", "Arthrite"),
    InstrumentItem::boolean(
        "delta_cardiopulm",
        "Heart or lung worse in the last month",
        "Cœur ou poumon aggravé depuis un mois",
    ),
    InstrumentItem::boolean("hypocomplementemia", "Low complement", "Hypocomplémentémie"),
    InstrumentItem::boolean("digital_ulcers", "Digital ulcers", "Ulcères digitaux"),
    InstrumentItem::boolean("tendon_friction_rubs", "Tendon friction rubs", "Crissements tendineux"),
    InstrumentItem::integer("mrss", "Skin score", "Score cutané", 0, 51),
    InstrumentItem::decimal("dlco_pct", "DLCO % predicted", "DLCO % théorique", (0, 200), 2, "%"),
    InstrumentItem::decimal("esr", "ESR", "VS", (0, 200), 0, "mm/h"),
    InstrumentItem::decimal("crp_mg_dl", "CRP", "CRP", (0, 100), 2, "mg/dL"),
    InstrumentItem::decimal("escsg_score", "EScSG index", "Indice EScSG", (0, 10), 1, "1").derived(),
    InstrumentItem::boolean("escsg_active", "Active by EScSG", "Active selon EScSG").derived(),
    InstrumentItem::decimal("eustar_score", "EUSTAR index 2017", "Indice EUSTAR 2017", (0, 10), 2, "1")
        .derived(),
    InstrumentItem::boolean("eustar_active", "Active by EUSTAR 2017", "Active selon EUSTAR 2017").derived(),
];

/// The instrument `activity_index`.
pub struct ActivityIndex;

/// Both activity indices.
pub static ACTIVITY_INDEX: ActivityIndex = ActivityIndex;

fn read(answers: &Answers<'_>) -> Result<Findings, NotScorable> {
    let found = |item| answers.truth(item).map(truth);
    Ok(Findings {
        scleredema: found("scleredema")?,
        skin_worse: found("delta_skin")?,
        digital_necrosis: found("digital_necrosis")?,
        vascular_worse: found("delta_vascular")?,
        arthritis: found("arthritis")?,
        heart_or_lung_worse: found("delta_cardiopulm")?,
        low_complement: found("hypocomplementemia")?,
        digital_ulcers: found("digital_ulcers")?,
        tendon_friction_rubs: found("tendon_friction_rubs")?,
        mrss: answers.number("mrss")?,
        dlco_percent: answers.number("dlco_pct")?,
        esr: answers.number("esr")?,
        crp_mg_dl: answers.number("crp_mg_dl")?,
    })
}

impl Instrument for ActivityIndex {
    fn id(&self) -> &'static str {
        "activity_index"
    }

    fn title(&self) -> Label {
        Label { en: "Activity of systemic sclerosis", fr: "Activité de la sclérodermie systémique" }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "EScSG 2003, active from 3; EUSTAR 2017, active from 2.5"
    }

    fn source(&self) -> &'static str {
        "Valentini et al., Ann Rheum Dis 2003;62:901 and 2017;76:270"
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        let findings = read(&Answers(answers));
        let of = |rule: fn(&Findings) -> Index| match &findings {
            Ok(findings) => rule(findings),
            Err(refused) => Index { score: Err(refused.clone()), active: Err(refused.clone()) },
        };
        let (escsg, eustar) = (of(escsg), of(eustar));
        vec![
            derived("escsg_score", 1, escsg.score),
            Derived { item: "escsg_active", result: escsg.active.map(Value::Boolean) },
            derived("eustar_score", 2, eustar.score),
            Derived { item: "eustar_active", result: eustar.active.map(Value::Boolean) },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet() -> Findings {
        let no = Truth::False;
        Findings {
            scleredema: no,
            skin_worse: no,
            digital_necrosis: no,
            vascular_worse: no,
            arthritis: no,
            heart_or_lung_worse: no,
            low_complement: no,
            digital_ulcers: no,
            tendon_friction_rubs: no,
            mrss: Some(Decimal::ZERO),
            dlco_percent: Some(Decimal::ONE_HUNDRED),
            esr: Some(Decimal::ZERO),
            crp_mg_dl: Some(Decimal::ZERO),
        }
    }

    #[test]
    fn every_finding_together_makes_10_in_both() {
        let yes = Truth::True;
        let all = Findings {
            scleredema: yes,
            skin_worse: yes,
            digital_necrosis: yes,
            vascular_worse: yes,
            arthritis: yes,
            heart_or_lung_worse: yes,
            low_complement: yes,
            digital_ulcers: yes,
            tendon_friction_rubs: yes,
            mrss: Some(Decimal::from(30)),
            dlco_percent: Some(Decimal::from(50)),
            esr: Some(Decimal::from(60)),
            crp_mg_dl: Some(Decimal::from(3)),
        };
        assert_eq!(escsg(&all).score, Ok(Decimal::TEN));
        assert_eq!(eustar(&all).score, Ok(Decimal::TEN));
        assert_eq!(escsg(&quiet()).score, Ok(Decimal::ZERO));
    }

    #[test]
    fn a_value_on_the_cut_does_not_count() {
        let on_cut = Findings {
            mrss: Some(Decimal::from(14)),
            dlco_percent: Some(Decimal::from(80)),
            esr: Some(Decimal::from(30)),
            crp_mg_dl: Some(Decimal::ONE),
            ..quiet()
        };
        assert_eq!(escsg(&on_cut).score, Ok(Decimal::ZERO));
        let on_cut =
            Findings { mrss: Some(Decimal::from(18)), dlco_percent: Some(Decimal::from(70)), ..on_cut };
        assert_eq!(eustar(&on_cut).score, Ok(Decimal::ZERO));
    }

    #[test]
    fn active_is_decided_where_the_missing_finding_cannot_matter() {
        let active =
            Findings { skin_worse: Truth::True, heart_or_lung_worse: Truth::True, esr: None, ..quiet() };
        assert_eq!(escsg(&active).active, Ok(true));
        assert_eq!(escsg(&active).score, Err(NotScorable::Missing { item: "esr" }));
        let open = Findings { skin_worse: Truth::True, esr: None, ..quiet() };
        assert_eq!(escsg(&open).active, Err(NotScorable::Missing { item: "esr" }));
    }
}
