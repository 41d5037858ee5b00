//! Rounding half away from zero on the decimal value.
//!
//! 0.15 is not a binary number, and its nearest double lies below it; a table that
//! rounds to one decimal is still expected to show 0.2. So the number is first taken
//! at its shortest decimal form that reads back exactly, and that is rounded.
//! Mathematics: `docs/methods/rounding.md`.

/// Rounds to `places` decimals, half away from zero, and writes exactly that many. A result of zero has no sign.
///
/// Returns `None` for a number that is not finite.
pub fn round_half_away(value: f64, places: usize) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    // Display of an f64 never uses an exponent and is the shortest that reads back.
    let shortest = value.abs().to_string();
    let (whole, fraction) = shortest.split_once('.').unwrap_or((&shortest, ""));
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(places).collect();
    let up = fraction.as_bytes().get(places).is_some_and(|d| *d >= b'5');
    let mut digits: Vec<u8> = whole.bytes().chain(kept.bytes()).collect();
    if up {
        increment(&mut digits);
    }
    let split = digits.len() - places;
    let negative = value < 0.0 && digits.iter().any(|d| *d != b'0');
    let mut text = String::with_capacity(digits.len() + 2);
    if negative {
        text.push('-');
    }
    text.extend(digits[..split].iter().map(|d| char::from(*d)));
    if places > 0 {
        text.push('.');
        text.extend(digits[split..].iter().map(|d| char::from(*d)));
    }
    Some(text)
}

fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_away_from_zero_on_the_decimal_value() {
        for (value, places, expected) in [
            (0.15, 1, "0.2"),
            (2.5, 0, "3"),
            (-2.5, 0, "-3"),
            (1.005, 2, "1.01"),
            (97.65, 1, "97.7"),
            (0.285, 2, "0.29"),
            (9.995, 2, "10.00"),
            (-0.04, 1, "0.0"),
            (-0.0, 2, "0.00"),
            (12.0, 3, "12.000"),
            (1e21, 1, "1000000000000000000000.0"),
            (5e-324, 2, "0.00"),
        ] {
            assert_eq!(round_half_away(value, places).as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn what_is_not_finite_is_not_rounded() {
        assert_eq!(round_half_away(f64::NAN, 1), None);
        assert_eq!(round_half_away(f64::INFINITY, 1), None);
    }

    proptest::proptest! {
        #[test]
        fn rounding_is_within_half_a_unit(value in -1e6..1e6_f64, places in 0usize..6) {
            let rounded: f64 = round_half_away(value, places).unwrap().parse().unwrap();
            proptest::prop_assert!((rounded - value).abs() <= 0.5 * 10f64.powi(-(places as i32)) * (1.0 + 1e-9));
        }
    }
}
