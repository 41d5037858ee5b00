//! Closed-form numbers against R (`reference/against_r/`), within a relative 1e-9.

use instruments::{
    Sex,
    binomial_safety::{BetaPrior, clopper_pearson, probability_exceeds},
    bsa, ckd_epi_2021,
    stopping_rule::{StoppingRule, crossing_probability},
};

fn numbers(text: &str) -> Vec<f64> {
    text.split(' ').map(|number| number.parse().unwrap()).collect()
}

fn stopped(rule: StoppingRule, n: f64, p0: f64) -> Vec<f64> {
    let limits = rule.limits(n as u32).unwrap();
    let crossings = [p0, p0 + 0.2].map(|p| crossing_probability(&limits, p));
    limits.iter().map(|limit| f64::from(*limit)).chain(crossings).collect()
}

fn obtained(kind: &str, input: &[f64]) -> Vec<f64> {
    match (kind, input) {
        ("exceeds", &[events, n, p0, a, b]) => {
            vec![probability_exceeds(events as u32, n as u32, p0, BetaPrior { a, b }).unwrap()]
        }
        ("clopper_pearson", &[events, n]) => {
            let (low, high) = clopper_pearson(events as u32, n as u32, 0.95).unwrap();
            vec![low, high]
        }
        ("beta_binomial", &[n, p0, a, b, threshold]) => {
            stopped(StoppingRule::BetaBinomial { p0, prior: BetaPrior { a, b }, threshold }, n, p0)
        }
        ("pocock", &[n, p0, alpha]) => stopped(StoppingRule::Pocock { p0, alpha }, n, p0),
        ("ckd_epi", &[female, age, creatinine]) => {
            let sex = if female == 1.0 { Sex::Female } else { Sex::Male };
            vec![ckd_epi_2021::egfr(sex, age, creatinine).unwrap()]
        }
        ("bsa", &[height, weight]) => vec![bsa::mosteller(height, weight), bsa::du_bois(height, weight)],
        other => panic!("no such case: {other:?}"),
    }
}

#[test]
fn closed_forms_agree_with_r() {
    let cases = include_str!("../../reference/against_r/expected.csv").lines().skip(1);
    let mut count = 0;
    for case in cases {
        let [kind, input, expected] = case.split(',').collect::<Vec<_>>().try_into().unwrap();
        let (obtained, expected) = (obtained(kind, &numbers(input)), numbers(expected));
        assert_eq!(obtained.len(), expected.len(), "{case}");
        for (obtained, expected) in obtained.iter().zip(&expected) {
            assert!((obtained - expected).abs() <= 1e-9 * expected.abs(), "{case}: {obtained}");
        }
        count += 1;
    }
    assert!(count > 80, "{count}");
}
