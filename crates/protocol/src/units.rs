//! Units of measurement (UCUM) that study files may use, and conversion between those that measure the same.
//!
//! A unit is known by its code; conversions between mass and amount of substance need the
//! analyte's molar mass and are never guessed.

use terms::Decimal;

/// A unit: its UCUM code, what it measures, and how many of that quantity's base unit it is (numerator, denominator).
struct UnitFacts(&'static str, &'static str, i64, i64);

const UNITS: &[UnitFacts] = &[
    UnitFacts("1", "number", 1, 1),
    UnitFacts("%", "share", 1, 1),
    UnitFacts("[ppm]", "share", 1, 10_000),
    UnitFacts("kg", "mass", 1_000_000_000, 1),
    UnitFacts("g", "mass", 1_000_000, 1),
    UnitFacts("mg", "mass", 1_000, 1),
    UnitFacts("ug", "mass", 1, 1),
    UnitFacts("km", "length", 1_000_000, 1),
    UnitFacts("m", "length", 1_000, 1),
    UnitFacts("cm", "length", 10, 1),
    UnitFacts("mm", "length", 1, 1),
    UnitFacts("um", "length", 1, 1_000),
    UnitFacts("m2", "area", 1_000_000, 1),
    UnitFacts("cm2", "area", 100, 1),
    UnitFacts("mm2", "area", 1, 1),
    UnitFacts("L", "volume", 1_000, 1),
    UnitFacts("dL", "volume", 100, 1),
    UnitFacts("mL", "volume", 1, 1),
    UnitFacts("a", "years", 1, 1),
    UnitFacts("mo", "months", 1, 1),
    UnitFacts("wk", "time", 604_800, 1),
    UnitFacts("d", "time", 86_400, 1),
    UnitFacts("h", "time", 3_600, 1),
    UnitFacts("min", "time", 60, 1),
    UnitFacts("s", "time", 1, 1),
    UnitFacts("ms", "time", 1, 1_000),
    UnitFacts("/min", "rate", 1, 1),
    UnitFacts("{beats}/min", "rate", 1, 1),
    UnitFacts("mm[Hg]", "pressure", 1, 1),
    UnitFacts("kPa", "pressure", 7_500_617, 1_000_000),
    UnitFacts("Cel", "temperature", 1, 1),
    UnitFacts("kg/m2", "body mass index", 1, 1),
    UnitFacts("g/L", "mass concentration", 1_000, 1),
    UnitFacts("g/dL", "mass concentration", 10_000, 1),
    UnitFacts("mg/L", "mass concentration", 1, 1),
    UnitFacts("mg/dL", "mass concentration", 10, 1),
    UnitFacts("ug/L", "mass concentration", 1, 1_000),
    UnitFacts("ug/dL", "mass concentration", 1, 100),
    UnitFacts("ug/mL", "mass concentration", 1, 1),
    UnitFacts("ng/mL", "mass concentration", 1, 1_000),
    UnitFacts("ng/L", "mass concentration", 1, 1_000_000),
    UnitFacts("pg/mL", "mass concentration", 1, 1_000_000),
    UnitFacts("mol/L", "amount concentration", 1_000_000, 1),
    UnitFacts("mmol/L", "amount concentration", 1_000, 1),
    UnitFacts("umol/L", "amount concentration", 1, 1),
    UnitFacts("nmol/L", "amount concentration", 1, 1_000),
    UnitFacts("pmol/L", "amount concentration", 1, 1_000_000),
    UnitFacts("kU/L", "activity concentration", 1_000, 1),
    UnitFacts("U/L", "activity concentration", 1, 1),
    UnitFacts("U/mL", "activity concentration", 1_000, 1),
    UnitFacts("[IU]/L", "unit concentration", 1, 1),
    UnitFacts("[IU]/mL", "unit concentration", 1_000, 1),
    UnitFacts("ukat/L", "activity concentration", 60, 1),
    UnitFacts("10*12/L", "number concentration", 1_000_000, 1),
    UnitFacts("10*9/L", "number concentration", 1_000, 1),
    UnitFacts("10*6/L", "number concentration", 1, 1),
    UnitFacts("10*3/uL", "number concentration", 1_000, 1),
    UnitFacts("/uL", "number concentration", 1, 1),
    UnitFacts("/mm3", "number concentration", 1, 1),
    UnitFacts("mL/min", "flow", 1_000, 1),
    UnitFacts("L/min", "flow", 1_000_000, 1),
    UnitFacts("L/s", "flow", 60_000_000, 1),
    UnitFacts("mL/min/{1.73_m2}", "flow for body surface", 1, 1),
    UnitFacts("mL/min/mm[Hg]", "transfer factor", 1_000, 1),
    UnitFacts("mmol/min/kPa", "transfer factor", 2_986, 1),
    UnitFacts("mm/h", "sedimentation", 1, 1),
    UnitFacts("mg/kg", "dose for mass", 1, 1),
    UnitFacts("mg/d", "dose rate", 1, 1),
    UnitFacts("mg/g", "mass ratio", 1, 1),
    UnitFacts("mg/mmol", "ratio to amount", 1, 1),
    UnitFacts("mm3", "small volume", 1, 1),
    UnitFacts("fL", "cell volume", 1, 1),
    UnitFacts("pg", "cell mass", 1, 1),
    UnitFacts("{score}", "score", 1, 1),
    UnitFacts("{count}", "count", 1, 1),
];

/// Words that people write for a unit's code.
const WORDS: &[(&str, &str)] =
    &[("years", "a"), ("months", "mo"), ("weeks", "wk"), ("days", "d"), ("hours", "h"), ("percent", "%")];

/// Returns the codes of all units.
pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
    UNITS.iter().map(|unit| unit.0)
}

/// Returns the code by which units are compared.
pub(crate) fn canonical(unit: &str) -> String {
    WORDS.iter().find(|(word, _)| *word == unit).map_or(unit, |(_, code)| code).to_owned()
}

/// Returns what one of `from` is in `to`, as numerator and denominator, if both measure the same.
pub(crate) fn factor(from: &str, to: &str) -> Option<(Decimal, Decimal)> {
    let find = |code: &str| UNITS.iter().find(|unit| unit.0 == code);
    let (from, to) = (find(from)?, find(to)?);
    (from.1 == to.1)
        .then(|| (Decimal::from(from.2) * Decimal::from(to.3), Decimal::from(from.3) * Decimal::from(to.2)))
}

/// Converts a value from one unit (UCUM) to another that measures the same; none where they do not.
pub fn convert(value: Decimal, from: &str, to: &str) -> Option<Decimal> {
    let (numerator, denominator) = factor(from, to)?;
    value.checked_mul(numerator)?.checked_div(denominator).map(|value| value.normalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversion_is_exact_where_the_factor_is() {
        let convert =
            |value: &str, from, to| convert(value.parse().unwrap(), from, to).map(|v| v.to_string());
        assert_eq!(convert("120", "g/L", "g/dL").unwrap(), "12");
        assert_eq!(convert("1.5", "10*3/uL", "10*9/L").unwrap(), "1.5");
        assert_eq!(convert("0.9", "mg/dL", "mg/L").unwrap(), "9");
        assert_eq!(convert("1", "ukat/L", "U/L").unwrap(), "60");
        assert_eq!(convert("1", "mg/dL", "umol/L"), None, "needs the molar mass");
    }

    #[test]
    fn every_code_stands_once() {
        for (index, unit) in UNITS.iter().enumerate() {
            assert!(UNITS[..index].iter().all(|other| other.0 != unit.0), "{}", unit.0);
        }
    }
}
