//! CTCAE v5.0 grades of laboratory values, from the number alone.
//!
//! A limit that two grades share takes the lower one: 3.0 x ULN is grade 1, platelets of
//! 75 are grade 1. Comparisons are in decimal. Limits of normal belong to the laboratory,
//! sex, age and date of the sample; without the limit that a term needs the value is not
//! gradable. Liver enzymes, ALP, GGT and bilirubin are graded against the baseline if that
//! was above the ULN, and against the ULN if it was not or is not known. Symptom clauses
//! can't come from a number: anaemia and low albumin end at 3, low potassium skips 2.
//!
//! This module does not convert units ([`LabTest::unit`] says which are meant; terms that
//! are multiples of a limit take any) and does not grade what v5 words without numbers.
//!
//! Source: CTCAE v5.0, US National Cancer Institute, 2017; wording in
//! `reference/ctcae5_labs.csv`.

use rust_decimal::Decimal;

use crate::instrument::NotScorable;

/// One laboratory value with what its grade may depend on, all in the same unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// The measured value.
    pub value: Option<Decimal>,
    /// Lower limit of normal.
    pub lln: Option<Decimal>,
    /// Upper limit of normal.
    pub uln: Option<Decimal>,
    /// The participant's baseline value.
    pub baseline: Option<Decimal>,
}

/// A test that CTCAE grades in one direction; two directions are two tests.
#[derive(Debug)]
pub struct LabTest {
    code: &'static str,
    term: &'static str,
    unit: Option<&'static str>,
    rule: Rule,
}

/// A decimal constant of a table: digits and how many of them stand behind the point.
#[derive(Clone, Copy, Debug)]
struct Number(i64, u32);

impl Number {
    fn decimal(self) -> Decimal {
        Decimal::new(self.0, self.1)
    }
}

/// Limits by grade; the value has the highest grade whose limit it passes.
type Limits = &'static [(u8, Number)];

#[derive(Clone, Copy, Debug)]
enum Rule {
    /// Above multiples of the ULN.
    TimesUln(Limits),
    /// Above multiples of the ULN, or of the baseline where that was abnormal. There grade 1
    /// starts at a multiple of the baseline, included or not.
    TimesUlnOrBaseline { limits: Limits, grade_one_from: Number, included: bool },
    /// Above 1.5 and 3 times baseline or ULN, and 6 times ULN.
    Creatinine,
    /// Above the ULN for grade 1, above fixed limits further on.
    AboveUlnThen(Limits),
    /// Above fixed limits, without a limit of normal.
    Above(Limits),
    /// Above the ULN by more than some amount.
    AboveUlnBy(Limits),
    /// Below the LLN for grade 1, below fixed limits further on.
    BelowLlnThen(Limits),
}

const ONE: Number = Number(1, 0);
const TRANSAMINASE: Limits = &[(1, ONE), (2, Number(3, 0)), (3, Number(5, 0)), (4, Number(20, 0))];
const PHOSPHATASE: Limits = &[(1, ONE), (2, Number(25, 1)), (3, Number(5, 0)), (4, Number(20, 0))];

const fn test(code: &'static str, term: &'static str, unit: Option<&'static str>, rule: Rule) -> LabTest {
    LabTest { code, term, unit, rule }
}

const fn enzyme(code: &'static str, term: &'static str, limits: Limits, grade_one_from: Number) -> LabTest {
    test(code, term, None, Rule::TimesUlnOrBaseline { limits, grade_one_from, included: true })
}

/// All tests, in alphabetical order of their codes.
static TESTS: &[LabTest] = &[
    test(
        "ALB_gL",
        "Hypoalbuminemia",
        Some("g/L"),
        Rule::BelowLlnThen(&[(2, Number(30, 0)), (3, Number(20, 0))]),
    ),
    enzyme("ALP", "Alkaline phosphatase increased", PHOSPHATASE, Number(2, 0)),
    enzyme("ALT", "Alanine aminotransferase increased", TRANSAMINASE, Number(15, 1)),
    test(
        "AMYL",
        "Serum amylase increased",
        None,
        Rule::TimesUln(&[(1, ONE), (2, Number(15, 1)), (3, Number(5, 0))]),
    ),
    test(
        "ANC",
        "Neutrophil count decreased",
        Some("10*9/L"),
        Rule::BelowLlnThen(&[(2, Number(15, 1)), (3, Number(10, 1)), (4, Number(5, 1))]),
    ),
    test(
        "APTT",
        "Activated partial thromboplastin time prolonged",
        None,
        Rule::TimesUln(&[(1, ONE), (2, Number(15, 1)), (3, Number(25, 1))]),
    ),
    enzyme("AST", "Aspartate aminotransferase increased", TRANSAMINASE, Number(15, 1)),
    test(
        "BILI",
        "Blood bilirubin increased",
        None,
        Rule::TimesUlnOrBaseline {
            limits: &[(1, ONE), (2, Number(15, 1)), (3, Number(3, 0)), (4, Number(10, 0))],
            grade_one_from: ONE,
            included: false,
        },
    ),
    test(
        "CA_high",
        "Hypercalcemia",
        Some("mmol/L"),
        Rule::AboveUlnThen(&[(2, Number(29, 1)), (3, Number(31, 1)), (4, Number(34, 1))]),
    ),
    test(
        "CA_low",
        "Hypocalcemia",
        Some("mmol/L"),
        Rule::BelowLlnThen(&[(2, Number(20, 1)), (3, Number(175, 2)), (4, Number(15, 1))]),
    ),
    test(
        "CD4",
        "CD4 lymphocytes decreased",
        Some("10*9/L"),
        Rule::BelowLlnThen(&[(2, Number(5, 1)), (3, Number(2, 1)), (4, Number(5, 2))]),
    ),
    test(
        "CHOL",
        "Cholesterol high",
        Some("mmol/L"),
        Rule::AboveUlnThen(&[(2, Number(775, 2)), (3, Number(1034, 2)), (4, Number(1292, 2))]),
    ),
    test(
        "CPK",
        "CPK increased",
        None,
        Rule::TimesUln(&[(1, ONE), (2, Number(25, 1)), (3, Number(5, 0)), (4, Number(10, 0))]),
    ),
    test("CREAT", "Creatinine increased", None, Rule::Creatinine),
    enzyme("GGT", "GGT increased", PHOSPHATASE, Number(2, 0)),
    test(
        "GLUC_low",
        "Hypoglycemia",
        Some("mmol/L"),
        Rule::BelowLlnThen(&[(2, Number(30, 1)), (3, Number(22, 1)), (4, Number(17, 1))]),
    ),
    test("HAPTO", "Haptoglobin decreased", None, Rule::BelowLlnThen(&[])),
    test("HGB_gL", "Anemia", Some("g/L"), Rule::BelowLlnThen(&[(2, Number(100, 0)), (3, Number(80, 0))])),
    test(
        "HGB_gL_high",
        "Hemoglobin increased",
        Some("g/L"),
        Rule::AboveUlnBy(&[(1, Number(0, 0)), (2, Number(20, 0)), (3, Number(40, 0))]),
    ),
    test(
        "K_high",
        "Hyperkalemia",
        Some("mmol/L"),
        Rule::AboveUlnThen(&[(2, Number(55, 1)), (3, Number(60, 1)), (4, Number(70, 1))]),
    ),
    test(
        "K_low",
        "Hypokalemia",
        Some("mmol/L"),
        Rule::BelowLlnThen(&[(3, Number(30, 1)), (4, Number(25, 1))]),
    ),
    test("LDH", "Blood lactate dehydrogenase increased", None, Rule::TimesUln(&[(1, ONE)])),
    test(
        "LIPASE",
        "Lipase increased",
        None,
        Rule::TimesUln(&[(1, ONE), (2, Number(15, 1)), (3, Number(5, 0))]),
    ),
    test(
        "LYMPH",
        "Lymphocyte count decreased",
        Some("10*9/L"),
        Rule::BelowLlnThen(&[(2, Number(8, 1)), (3, Number(5, 1)), (4, Number(2, 1))]),
    ),
    test(
        "LYMPH_high",
        "Lymphocyte count increased",
        Some("10*9/L"),
        Rule::Above(&[(2, Number(4, 0)), (3, Number(20, 0))]),
    ),
    test(
        "MG_high",
        "Hypermagnesemia",
        Some("mmol/L"),
        Rule::AboveUlnThen(&[(3, Number(123, 2)), (4, Number(330, 2))]),
    ),
    test(
        "MG_low",
        "Hypomagnesemia",
        Some("mmol/L"),
        Rule::BelowLlnThen(&[(2, Number(5, 1)), (3, Number(4, 1)), (4, Number(3, 1))]),
    ),
    test(
        "NA_high",
        "Hypernatremia",
        Some("mmol/L"),
        Rule::AboveUlnThen(&[(2, Number(150, 0)), (3, Number(155, 0)), (4, Number(160, 0))]),
    ),
    test(
        "NA_low",
        "Hyponatremia",
        Some("mmol/L"),
        Rule::BelowLlnThen(&[(2, Number(130, 0)), (3, Number(125, 0)), (4, Number(120, 0))]),
    ),
    test(
        "PLT",
        "Platelet count decreased",
        Some("10*9/L"),
        Rule::BelowLlnThen(&[(2, Number(75, 0)), (3, Number(50, 0)), (4, Number(25, 0))]),
    ),
    test(
        "TRIG",
        "Hypertriglyceridemia",
        Some("mmol/L"),
        Rule::Above(&[(1, Number(171, 2)), (2, Number(342, 2)), (3, Number(57, 1)), (4, Number(114, 1))]),
    ),
    test("URATE", "Hyperuricemia", None, Rule::TimesUln(&[(1, ONE)])),
    test(
        "WBC",
        "White blood cell decreased",
        Some("10*9/L"),
        Rule::BelowLlnThen(&[(2, Number(30, 1)), (3, Number(20, 1)), (4, Number(10, 1))]),
    ),
    test("WBC_high", "Leukocytosis", Some("10*9/L"), Rule::Above(&[(3, Number(100, 0))])),
];

impl LabTest {
    /// Returns the test of a code such as `ALT`, `PLT` or `K_low`.
    pub fn by_code(code: &str) -> Option<&'static LabTest> {
        TESTS.iter().find(|test| test.code == code)
    }

    /// Returns all tests in alphabetical order of their codes.
    pub fn all() -> &'static [LabTest] {
        TESTS
    }

    /// Returns the test's code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Returns the CTCAE term that the grade belongs to.
    pub fn term(&self) -> &'static str {
        self.term
    }

    /// Returns the unit that values must be in (UCUM); none where any unit will do.
    pub fn unit(&self) -> Option<&'static str> {
        self.unit
    }

    /// Grades a sample: 0 (not raised or lowered) to 4.
    ///
    /// # Errors
    /// The value, or the limit of normal that the term needs, is missing.
    pub fn grade(&self, sample: &Sample) -> Result<u8, NotScorable> {
        let value = sample.value.ok_or(NotScorable::Missing { item: "value" })?;
        let uln = || sample.uln.ok_or(NotScorable::Missing { item: "uln" });
        let lln = || sample.lln.ok_or(NotScorable::Missing { item: "lln" });
        Ok(match self.rule {
            Rule::TimesUln(limits) => {
                let uln = uln()?;
                highest(limits, |limit| value > limit * uln)
            }
            Rule::TimesUlnOrBaseline { limits, grade_one_from, included } => {
                let uln = uln()?;
                match sample.baseline.filter(|baseline| *baseline > uln) {
                    None => highest(limits, |limit| value > limit * uln),
                    Some(baseline) => against_baseline(value, baseline, limits, grade_one_from, included),
                }
            }
            Rule::Creatinine => creatinine(value, uln()?, sample.baseline),
            Rule::AboveUlnThen(limits) => {
                let raised = u8::from(value > uln()?);
                raised.max(highest(limits, |limit| value > limit))
            }
            Rule::Above(limits) => highest(limits, |limit| value > limit),
            Rule::AboveUlnBy(limits) => {
                let uln = uln()?;
                highest(limits, |limit| value > uln + limit)
            }
            Rule::BelowLlnThen(limits) => {
                let lowered = u8::from(value < lln()?);
                lowered.max(highest(limits, |limit| value < limit))
            }
        })
    }
}

fn highest(limits: Limits, passes: impl Fn(Decimal) -> bool) -> u8 {
    limits.iter().filter(|(_, limit)| passes(limit.decimal())).map(|(grade, _)| *grade).max().unwrap_or(0)
}

fn against_baseline(
    value: Decimal,
    baseline: Decimal,
    limits: Limits,
    grade_one_from: Number,
    included: bool,
) -> u8 {
    let start = grade_one_from.decimal() * baseline;
    let raised = u8::from(if included { value >= start } else { value > start });
    raised
        .max(highest(limits.split_first().map_or(limits, |(_, rest)| rest), |limit| value > limit * baseline))
}

fn creatinine(value: Decimal, uln: Decimal, baseline: Option<Decimal>) -> u8 {
    let above = |limit: Number, reference: Option<Decimal>| {
        reference.is_some_and(|reference| value > limit.decimal() * reference)
    };
    let uln = Some(uln);
    if above(Number(6, 0), uln) {
        4
    } else if above(Number(3, 0), uln) || above(Number(3, 0), baseline) {
        3
    } else if above(Number(15, 1), uln) || above(Number(15, 1), baseline) {
        2
    } else {
        u8::from(above(ONE, uln))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Option<Decimal> {
        text.parse().ok()
    }

    fn grade(code: &str, value: &str, lln: &str, uln: &str, baseline: &str) -> Result<u8, NotScorable> {
        let sample =
            Sample { value: number(value), lln: number(lln), uln: number(uln), baseline: number(baseline) };
        LabTest::by_code(code).unwrap().grade(&sample)
    }

    #[test]
    fn a_value_on_a_shared_limit_takes_the_lower_grade() {
        let alt = |value| grade("ALT", value, "", "40", "20").unwrap();
        assert_eq!(
            ["40", "40.1", "120", "120.1", "200", "200.1", "800", "800.1"].map(alt),
            [0, 1, 1, 2, 2, 3, 3, 4]
        );
        let platelets = |value| grade("PLT", value, "150", "", "").unwrap();
        assert_eq!(
            ["150", "149", "75", "74.9", "50", "49.9", "25", "24.9"].map(platelets),
            [0, 1, 1, 2, 2, 3, 3, 4]
        );
    }

    #[test]
    fn multiples_are_compared_in_decimal() {
        // 3 x 1.1 is above 3.3 in binary.
        assert_eq!(grade("CREAT", "3.3", "", "1.1", "1.1"), Ok(2));
        assert_eq!(grade("BILI", "3.6", "", "1.2", "0.4"), Ok(2));
        assert_eq!(grade("ALP", "250.25", "", "100.1", "50"), Ok(1));
    }

    #[test]
    fn an_abnormal_baseline_is_the_reference_of_liver_tests() {
        let alt = |value| grade("ALT", value, "", "40", "100").unwrap();
        assert_eq!(["149", "150", "300", "301", "500", "501", "2001"].map(alt), [0, 1, 1, 2, 2, 3, 4]);
        let alp = |value| grade("ALP", value, "", "120", "200").unwrap();
        assert_eq!(["399", "400", "500", "501"].map(alp), [0, 1, 1, 2]);
        let bilirubin = |value| grade("BILI", value, "", "1.2", "2").unwrap();
        assert_eq!(["2", "2.1", "3", "3.1", "20.1"].map(bilirubin), [0, 1, 1, 2, 4]);
        assert_eq!(grade("ALT", "100", "", "40", "40"), Ok(1), "a baseline on the limit is normal");
    }

    #[test]
    fn creatinine_is_graded_against_baseline_and_limit() {
        assert_eq!(grade("CREAT", "1.0", "", "1.1", "0.6"), Ok(2));
        assert_eq!(grade("CREAT", "2.0", "", "1.1", "0.6"), Ok(3));
        assert_eq!(grade("CREAT", "6.6", "", "1.1", "0.6"), Ok(3));
        assert_eq!(grade("CREAT", "6.61", "", "1.1", ""), Ok(4));
        assert_eq!(grade("CREAT", "1.2", "", "1.1", "1.1"), Ok(1));
    }

    #[test]
    fn what_only_symptoms_decide_does_not_come_from_a_number() {
        assert_eq!(grade("HGB_gL", "20", "120", "", ""), Ok(3));
        assert_eq!(grade("ALB_gL", "5", "35", "", ""), Ok(3));
        assert_eq!(grade("K_low", "3.0", "3.5", "", ""), Ok(1));
        assert_eq!(grade("K_low", "2.9", "3.5", "", ""), Ok(3));
    }

    #[test]
    fn a_missing_limit_leaves_the_value_ungraded() {
        assert_eq!(grade("PLT", "10", "", "400", ""), Err(NotScorable::Missing { item: "lln" }));
        assert_eq!(grade("ALT", "900", "5", "", "20"), Err(NotScorable::Missing { item: "uln" }));
        assert_eq!(grade("ALT", "", "5", "40", "20"), Err(NotScorable::Missing { item: "value" }));
    }

    #[test]
    fn every_term_stands_in_the_shipped_wording() {
        let wording = include_str!("../reference/ctcae5_labs.csv");
        for test in LabTest::all() {
            assert!(wording.contains(&format!(",{},", test.term())), "{}", test.term());
        }
    }

    #[test]
    fn codes_are_in_order_and_unique() {
        assert!(TESTS.windows(2).all(|pair| pair[0].code < pair[1].code));
    }

    proptest! {
        #[test]
        fn a_worse_value_never_has_a_lower_grade(
            index in 0..TESTS.len(), a in 1i64..100_000, b in 1i64..100_000, baseline in 1i64..10_000,
        ) {
            let test = &TESTS[index];
            let falling = matches!(test.rule, Rule::BelowLlnThen(_));
            let grade = |value: i64| {
                test.grade(&Sample {
                    value: Some(Decimal::new(value, 2)),
                    lln: Some(Decimal::from(120)),
                    uln: Some(Decimal::from(40)),
                    baseline: Some(Decimal::new(baseline, 2)),
                }).unwrap()
            };
            let (lower, higher) = (grade(a.min(b)), grade(a.max(b)));
            let ordered = if falling { lower >= higher } else { lower <= higher };
            prop_assert!(ordered);
        }
    }
}
