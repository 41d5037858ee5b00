//! ACR/EULAR 2013 classification of systemic sclerosis; definite from 9.
//!
//! Skin thickening of the fingers of both hands extending proximal to the MCP joints is
//! sufficient and scores 9. Else the sum of: puffy fingers 2 or sclerodactyly 4 (the higher);
//! digital tip ulcers 2 or pitting scars 3 (the higher); telangiectasia 2; abnormal nailfold
//! capillaries 2; PAH or ILD or both 2; Raynaud 3; an SSc-related autoantibody 3. Skin
//! thickening that spares the fingers, or a disorder that explains the findings better,
//! excludes the classification. "Definite" is decided where missing findings cannot matter.
//!
//! Source: van den Hoogen et al., Ann Rheum Dis 2013;72:1747.

use rust_decimal::Decimal;
use terms::{Answer, Truth, Value};

use crate::{
    answers::Answers,
    instrument::{Context, Derived, Instrument, InstrumentItem, Label, NotScorable},
    weighted::{Criterion, WeightedSum, truth},
};

/// The score from which the classification is definite, and that of the sufficient criterion.
pub const DEFINITE_FROM: i64 = 9;

/// What was found; unknown where not assessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Skin thickening of both hands' fingers proximal to the MCP joints.
    pub thickening_proximal_to_mcp: Truth,
    /// Puffy fingers.
    pub puffy_fingers: Truth,
    /// Sclerodactyly.
    pub sclerodactyly: Truth,
    /// Digital tip ulcers.
    pub tip_ulcers: Truth,
    /// Fingertip pitting scars.
    pub pitting_scars: Truth,
    /// Telangiectasia.
    pub telangiectasia: Truth,
    /// Abnormal nailfold capillaries.
    pub abnormal_nailfold: Truth,
    /// Pulmonary arterial hypertension.
    pub pah: Truth,
    /// Interstitial lung disease.
    pub ild: Truth,
    /// Raynaud's phenomenon.
    pub raynaud: Truth,
    /// Anti-centromere, anti-topoisomerase I or anti-RNA polymerase III.
    pub autoantibody: Truth,
}

/// The lower of two findings of a pair counts only where the higher is absent.
fn pair(
    (lower_item, lower, lower_weight): (&'static str, Truth, i64),
    (higher_item, higher, higher_weight): (&'static str, Truth, i64),
) -> [Criterion; 2] {
    // Lower weight if either holds, the rest if the higher does.
    let either = lower.or(higher);
    let open = if higher == Truth::Unknown { higher_item } else { lower_item };
    [
        (open, either, Decimal::from(lower_weight)),
        (higher_item, higher, Decimal::from(higher_weight - lower_weight)),
    ]
}

fn sum(findings: &Findings) -> WeightedSum {
    let lung = if findings.pah == Truth::Unknown { "pah" } else { "ild" };
    let mut criteria = vec![
        ("telangiectasia", findings.telangiectasia, Decimal::TWO),
        ("abnormal_nailfold", findings.abnormal_nailfold, Decimal::TWO),
        (lung, findings.pah.or(findings.ild), Decimal::TWO),
        ("raynaud", findings.raynaud, Decimal::from(3)),
        ("autoantibody", findings.autoantibody, Decimal::from(3)),
    ];
    criteria.extend(pair(
        ("puffy_fingers", findings.puffy_fingers, 2),
        ("sclerodactyly", findings.sclerodactyly, 4),
    ));
    criteria.extend(pair(
        ("digital_tip_ulcers", findings.tip_ulcers, 2),
        ("pitting_scars", findings.pitting_scars, 3),
    ));
    WeightedSum::of(&criteria)
}

/// Returns the score: 9 if the sufficient criterion holds, else the sum.
///
/// # Errors
/// A finding that the score depends on is missing.
pub fn score(findings: &Findings) -> Result<Decimal, NotScorable> {
    match findings.thickening_proximal_to_mcp {
        Truth::True => Ok(Decimal::from(DEFINITE_FROM)),
        Truth::False => sum(findings).score(),
        Truth::Unknown => Err(NotScorable::Missing { item: "skin_thickening_proximal_mcp" }),
    }
}

/// Says whether the classification is definite, as far as the findings decide it.
pub fn definite(findings: &Findings) -> Truth {
    findings.thickening_proximal_to_mcp.or(sum(findings).at_least(Decimal::from(DEFINITE_FROM)))
}

static ITEMS: [InstrumentItem; 15] = [
    InstrumentItem::boolean(
        "skin_thickening_proximal_mcp",
        "Skin thickening of both hands proximal to the MCP joints",
        "Épaississement cutané des deux mains au-delà des MCP",
    ),
    InstrumentItem::boolean("puffy_fingers", "Puffy fingers", "Doigts boudinés"),
    InstrumentItem::boolean("sclerodactyly", "Sclerodactyly", "Sclérodactylie"),
    InstrumentItem::boolean("digital_tip_ulcers", "Digital tip ulcers", "Ulcères pulpaires"),
    InstrumentItem::boolean("pitting_scars", "Fingertip pitting scars", "Cicatrices pulpaires déprimées"),
    InstrumentItem::boolean("telangiectasia", "Telangiectasia", "Télangiectasies"),
    InstrumentItem::boolean("abnormal_nailfold", "Abnormal nailfold capillaries", "Capillaroscopie anormale"),
    InstrumentItem::boolean("pah", "Pulmonary arterial hypertension", "Hypertension artérielle pulmonaire"),
    InstrumentItem::boolean("ild", "Interstitial lung disease", "Pneumopathie interstitielle"),
    InstrumentItem::boolean("raynaud", "Raynaud's phenomenon", "Phénomène de Raynaud"),
    InstrumentItem::boolean("autoantibody", "SSc-related autoantibody", "Autoanticorps de la sclérodermie"),
    InstrumentItem::boolean(
        "excluded",
        "Fingers spared, or better explained otherwise",
        "Doigts épargnés, ou autre explication meilleure",
    )
    .optional(),
    InstrumentItem::integer("score", "ACR/EULAR 2013 score", "Score ACR/EULAR 2013", 0, 19).derived(),
    InstrumentItem::boolean("sufficient", "Sufficient criterion met", "Critère suffisant présent").derived(),
    InstrumentItem::boolean("definite", "Definite systemic sclerosis", "Sclérodermie systémique certaine")
        .derived(),
];

/// The instrument `acr_eular_2013`.
pub struct AcrEular2013;

/// The classification criteria.
pub static ACR_EULAR_2013: AcrEular2013 = AcrEular2013;

fn read(answers: &Answers<'_>) -> Result<Findings, NotScorable> {
    let found = |item| answers.truth(item).map(truth);
    Ok(Findings {
        thickening_proximal_to_mcp: found("skin_thickening_proximal_mcp")?,
        puffy_fingers: found("puffy_fingers")?,
        sclerodactyly: found("sclerodactyly")?,
        tip_ulcers: found("digital_tip_ulcers")?,
        pitting_scars: found("pitting_scars")?,
        telangiectasia: found("telangiectasia")?,
        abnormal_nailfold: found("abnormal_nailfold")?,
        pah: found("pah")?,
        ild: found("ild")?,
        raynaud: found("raynaud")?,
        autoantibody: found("autoantibody")?,
    })
}

impl Instrument for AcrEular2013 {
    fn id(&self) -> &'static str {
        "acr_eular_2013"
    }

    fn title(&self) -> Label {
        Label {
            en: "ACR/EULAR 2013 classification criteria",
            fr: "Critères de classification ACR/EULAR 2013",
        }
    }

    fn items(&self) -> &'static [InstrumentItem] {
        &ITEMS
    }

    fn version(&self) -> &'static str {
        "ACR/EULAR 2013, definite from 9"
    }

    fn source(&self) -> &'static str {
        "van den Hoogen et al., Ann Rheum Dis 2013;72:1747"
    }

    fn score(&self, answers: &dyn Fn(&str) -> Option<Answer>, _: &Context) -> Vec<Derived> {
        let answers = Answers(answers);
        let findings = read(&answers);
        let excluded = answers.truth("excluded").map(|excluded| excluded.unwrap_or(false));
        let open = |item| NotScorable::Missing { item };
        let decided = |truth: Truth, item| match truth {
            Truth::Unknown => Err(open(item)),
            known => Ok(Value::Boolean(known == Truth::True)),
        };
        let whole = |score: Decimal| Value::Integer(i64::try_from(score).unwrap_or_default());
        let definite = findings.clone().and_then(|findings| {
            let first = sum(&findings).score().err();
            let blamed = match first {
                Some(NotScorable::Missing { item }) => item,
                _ => "skin_thickening_proximal_mcp",
            };
            if excluded.clone()? { Ok(Value::Boolean(false)) } else { decided(definite(&findings), blamed) }
        });
        let sufficient = findings.clone().and_then(|findings| {
            decided(findings.thickening_proximal_to_mcp, "skin_thickening_proximal_mcp")
        });
        let score = findings.and_then(|findings| score(&findings)).map(whole);
        vec![
            Derived { item: "score", result: score },
            Derived { item: "sufficient", result: sufficient },
            Derived { item: "definite", result: definite },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none() -> Findings {
        let no = Truth::False;
        Findings {
            thickening_proximal_to_mcp: no,
            puffy_fingers: no,
            sclerodactyly: no,
            tip_ulcers: no,
            pitting_scars: no,
            telangiectasia: no,
            abnormal_nailfold: no,
            pah: no,
            ild: no,
            raynaud: no,
            autoantibody: no,
        }
    }

    #[test]
    fn the_higher_of_a_pair_counts_once() {
        let yes = Truth::True;
        let both = Findings {
            puffy_fingers: yes,
            sclerodactyly: yes,
            tip_ulcers: yes,
            pitting_scars: yes,
            ..none()
        };
        assert_eq!(score(&both), Ok(Decimal::from(7)));
        let lower = Findings { puffy_fingers: yes, tip_ulcers: yes, ..none() };
        assert_eq!(score(&lower), Ok(Decimal::from(4)));
        let lungs = Findings { pah: yes, ild: yes, ..none() };
        assert_eq!(score(&lungs), Ok(Decimal::TWO));
    }

    #[test]
    fn the_sufficient_criterion_scores_9_whatever_else_is_found() {
        let sufficient = Findings {
            thickening_proximal_to_mcp: Truth::True,
            raynaud: Truth::True,
            ild: Truth::Unknown,
            ..none()
        };
        assert_eq!(score(&sufficient), Ok(Decimal::from(9)));
        assert_eq!(definite(&sufficient), Truth::True);
    }

    #[test]
    fn a_missing_finding_is_open_only_where_it_matters() {
        let ten = Findings {
            sclerodactyly: Truth::True,
            raynaud: Truth::True,
            autoantibody: Truth::True,
            ild: Truth::Unknown,
            ..none()
        };
        assert_eq!((score(&ten).is_err(), definite(&ten)), (true, Truth::True));
        let seven = Findings { autoantibody: Truth::False, ..ten };
        assert_eq!(definite(&seven), Truth::Unknown);
        let puffy_unknown = Findings { puffy_fingers: Truth::Unknown, ild: Truth::False, ..ten };
        assert_eq!(score(&puffy_unknown), Ok(Decimal::TEN), "sclerodactyly counts either way");
    }
}
