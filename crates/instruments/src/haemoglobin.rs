//! Corrects a diffusing capacity to the standard haemoglobin of the sex.
//!
//! Men, to 14.6 g/dL: `DLCO (10.22 + Hb)/(1.7 Hb)`. Women, to 13.4 g/dL:
//! `DLCO (9.38 + Hb)/(1.7 Hb)`. Haemoglobin in g/dL. Both values are reported; analyses use
//! the corrected one.
//!
//! Source: Cotes et al., as in Macintyre et al., Eur Respir J 2005;26:720.

use rust_decimal::Decimal;

use crate::{
    answers::Answers,
    instrument::{Context, Need, NotScorable, Sex},
};

/// The entered diffusing capacity.
pub(crate) const DLCO: &str = "dlco";

/// The entered haemoglobin, in g/dL.
pub(crate) const HB: &str = "hb";

/// Returns the diffusing capacity at the standard haemoglobin, in its own unit.
///
/// # Errors
/// A haemoglobin that is not above 0.
pub fn corrected(dlco: Decimal, haemoglobin_g_dl: Decimal, sex: Sex) -> Result<Decimal, NotScorable> {
    if haemoglobin_g_dl <= Decimal::ZERO {
        return Err(NotScorable::NotAllowed { item: HB });
    }
    let constant = match sex {
        Sex::Male => Decimal::new(1022, 2),
        Sex::Female => Decimal::new(938, 2),
    };
    Ok(dlco * (constant + haemoglobin_g_dl) / (Decimal::new(17, 1) * haemoglobin_g_dl))
}

/// Returns the corrected capacity from the items `dlco` and `hb`.
pub(crate) fn corrected_answer(answers: &Answers<'_>, context: &Context) -> Result<Decimal, NotScorable> {
    let sex = context.sex.ok_or(NotScorable::Unknown { need: Need::Sex })?;
    corrected(answers.needed_number(DLCO)?, answers.needed_number(HB)?, sex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_haemoglobin_changes_nothing() {
        let dlco = Decimal::from(20);
        for (sex, standard) in [(Sex::Male, "14.6"), (Sex::Female, "13.4")] {
            let same = corrected(dlco, standard.parse().unwrap(), sex).unwrap();
            assert!((same - dlco).abs() < Decimal::new(1, 9), "{same}");
        }
    }

    #[test]
    fn anaemia_raises_the_corrected_value() {
        let low = corrected(Decimal::from(20), Decimal::from(10), Sex::Male).unwrap();
        assert_eq!(low.round_dp(6), "23.788235".parse().unwrap());
        assert!(corrected(Decimal::from(20), Decimal::ZERO, Sex::Male).is_err());
    }
}
