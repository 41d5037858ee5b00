//! CTCAE v5.0 grades of oedema of the limbs and of weight gain, from measured differences.
//!
//! Grade is severity, not seriousness. Clauses on self-care cannot come from a number.
//!
//! Source: CTCAE v5.0, US National Cancer Institute, 2017.

use rust_decimal::Decimal;

use crate::instrument::NotScorable;

fn relative_percent(before: Decimal, after: Decimal) -> Result<Decimal, NotScorable> {
    if before <= Decimal::ZERO {
        return Err(NotScorable::Undefined { why: "the reference is not above 0" });
    }
    Ok(Decimal::ONE_HUNDRED * (after - before) / before)
}

/// Grades oedema by the difference in volume or circumference from the other or earlier limb.
///
/// 5-10 % is grade 1, above 10 to 30 % grade 2, above 30 % grade 3.
///
/// # Errors
/// A reference that is not above 0.
pub fn limb_oedema(reference: Decimal, swollen: Decimal) -> Result<u8, NotScorable> {
    let percent = relative_percent(reference, swollen)?;
    Ok(if percent > Decimal::from(30) {
        3
    } else if percent > Decimal::TEN {
        2
    } else {
        u8::from(percent >= Decimal::from(5))
    })
}

/// Grades weight gain from baseline: from 5 % grade 1, from 10 % grade 2, from 20 % grade 3.
///
/// # Errors
/// A baseline that is not above 0.
pub fn weight_gain(baseline_kg: Decimal, now_kg: Decimal) -> Result<u8, NotScorable> {
    let percent = relative_percent(baseline_kg, now_kg)?;
    let limits = [5, 10, 20].map(Decimal::from);
    Ok(limits.iter().filter(|limit| percent >= **limit).count() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weight_gain_takes_a_shared_limit_into_the_higher_grade() {
        let of = |now: &str| weight_gain(Decimal::from(60), now.parse().unwrap()).unwrap();
        assert_eq!(["62.9", "63", "65.9", "66", "71.9", "72"].map(of), [0, 1, 1, 2, 2, 3]);
        assert!(weight_gain(Decimal::ZERO, Decimal::ONE).is_err());
    }

    #[test]
    fn oedema_takes_a_shared_limit_into_the_lower_grade() {
        let of = |swollen: &str| limb_oedema(Decimal::from(20), swollen.parse().unwrap()).unwrap();
        assert_eq!(["20.9", "21", "22", "22.1", "26", "26.1"].map(of), [0, 1, 1, 2, 2, 3]);
    }
}
