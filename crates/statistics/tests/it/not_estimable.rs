//! Degenerate data give a reason, method by method, and never a number that looks like an answer.

use serde_json::{Value, json};
use statistics::qualification::{METHODS, compute_with_reasons};

/// Method, what is wrong with the data, inputs, an output that cannot be had, and why.
type Case = (&'static str, &'static str, Value, &'static str, &'static str);

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(means());
    cases.extend(ranks());
    cases.extend(tables());
    cases.extend(models());
    cases.extend(mixed());
    cases.extend(survival());
    cases.extend(agreement_and_monitoring());
    cases.extend(planning());
    cases
}

const NOTHING: &str = "no observations";
const CONSTANT: &str = "zero variance";
const EMPTY_ARM: &str = "one arm has no observations";
const MARGIN: &str = "a margin of the table is zero";
const SINGULAR: &str = "the design matrix is singular";

fn two(needed: usize, found: usize) -> &'static str {
    match (needed, found) {
        (2, 1) => "1 observation where the method needs 2",
        (3, 2) => "2 observations where the method needs 3",
        (4, 2) => "2 observations where the method needs 4",
        _ => unreachable!("no such case"),
    }
}

fn means() -> Vec<Case> {
    vec![
        ("descriptive", "n = 0", json!({"x": []}), "mean", NOTHING),
        ("descriptive", "all missing", json!({"x": [null, null]}), "median", NOTHING),
        ("descriptive", "n = 1", json!({"x": [3]}), "sd", two(2, 1)),
        ("descriptive", "n = 1", json!({"x": [3]}), "mean_ci95_t", two(2, 1)),
        ("descriptive", "all tied", json!({"x": [2, 2, 2]}), "skewness_g1", CONSTANT),
        ("descriptive", "zero", json!({"x": [0, 1]}), "geo_mean", "an observation is not positive"),
        ("descriptive", "mean zero", json!({"x": [-1, 1]}), "cv_percent", "the denominator is zero"),
        ("t_one_sample", "n = 0", json!({"x": []}), "t", NOTHING),
        ("t_one_sample", "all missing", json!({"x": [null]}), "ci95", NOTHING),
        ("t_one_sample", "n = 1", json!({"x": [1]}), "p_two_sided", two(2, 1)),
        ("t_one_sample", "all tied", json!({"x": [0.1, 0.1, 0.1]}), "t", CONSTANT),
        ("t_paired", "n = 0", json!({"pre": [], "post": []}), "t", NOTHING),
        ("t_paired", "no pair", json!({"pre": [1, null], "post": [null, 2]}), "t", NOTHING),
        ("t_paired", "n = 1", json!({"pre": [1], "post": [2]}), "ci95", two(2, 1)),
        ("t_paired", "equal changes", json!({"pre": [1, 2], "post": [2, 3]}), "p_less", CONSTANT),
        ("t_two_sample", "arm empty", json!({"x": [], "y": [1, 2]}), "welch.t", EMPTY_ARM),
        ("t_two_sample", "arm missing", json!({"x": [1, 2], "y": [null]}), "pooled.t", EMPTY_ARM),
        ("t_two_sample", "n = 1", json!({"x": [1], "y": [2, 3]}), "welch.df", two(2, 1)),
        ("t_two_sample", "n = 1, 1", json!({"x": [1], "y": [2]}), "pooled.p_two_sided", two(3, 2)),
        ("t_two_sample", "all tied", json!({"x": [1, 1], "y": [2, 2]}), "welch.ci95", CONSTANT),
        ("t_two_sample", "all tied", json!({"x": [1, 1], "y": [2, 2]}), "pooled.t", CONSTANT),
        ("t_two_sample", "one tied", json!({"x": [1, 1], "y": [2, 3]}), "var_test.F", CONSTANT),
    ]
}

fn ranks() -> Vec<Case> {
    let all_zero = "all differences are zero";
    let tied = "all observations are tied";
    vec![
        ("wilcoxon_signed_rank", "n = 0", json!({"d": []}), "V", NOTHING),
        ("wilcoxon_signed_rank", "all missing", json!({"d": [null]}), "sign_test_exact_p", NOTHING),
        (
            "wilcoxon_signed_rank",
            "zeros",
            json!({"d": [0, 0]}),
            "wilcox.exact_dropzeros_exact_p_two_sided",
            all_zero,
        ),
        ("wilcoxon_signed_rank", "zeros", json!({"d": [0, 0]}), "coin_Pratt.z", all_zero),
        ("wilcoxon_signed_rank", "n = 1", json!({"d": [3]}), "sas_univariate.t", two(2, 1)),
        (
            "wilcoxon_signed_rank",
            "all tied",
            json!({"d": [2, 2, 2]}),
            "sas_univariate.p_t_approx",
            "the denominator is zero",
        ),
        ("mann_whitney", "arm empty", json!({"x": [], "y": [1]}), "wilcox.exact_p_two_sided", EMPTY_ARM),
        ("mann_whitney", "arm missing", json!({"x": [1], "y": [null]}), "kruskal.chisq", EMPTY_ARM),
        ("mann_whitney", "all tied", json!({"x": [1, 1], "y": [1]}), "wilcox.exact_p_two_sided", tied),
        ("mann_whitney", "all tied", json!({"x": [1, 1], "y": [1]}), "coin.z", tied),
        ("mann_whitney", "all tied", json!({"x": [1, 1], "y": [1]}), "coin_median_test.p_exact", tied),
        ("hodges_lehmann", "n = 0", json!({"x": []}), "estimate_median_of_walsh_averages", NOTHING),
        (
            "hodges_lehmann",
            "arm empty",
            json!({"x": [1], "y": []}),
            "estimate_median_of_differences",
            EMPTY_ARM,
        ),
        ("hodges_lehmann", "arm empty", json!({"x": [1], "y": []}), "ci_moses_normal_95.k", EMPTY_ARM),
    ]
}

fn tables() -> Vec<Case> {
    let column = json!({"dim": [2, 2, 1], "array_column_major": [3, 4, 0, 0]});
    let no_table = json!({"dim": [2, 2, 1], "array_column_major": [0, 0, 0, 0]});
    let three = json!({"dim": [2, 3, 1], "array_column_major": [0, 0, 0, 0, 0, 0]});
    let bad_p = "p-value is out of range";
    vec![
        ("binomial_one_sample", "n = 0", json!({"x": 0, "n": 0, "p0": 0.5}), "estimate", NOTHING),
        ("binomial_one_sample", "n = 0", json!({"x": 0, "n": 0, "p0": 0.5}), "clopper_pearson_95", NOTHING),
        (
            "two_proportions",
            "arm empty",
            json!({"x1": 0, "n1": 0, "x2": 1, "n2": 4}),
            "newcombe_hybrid_score_95",
            EMPTY_ARM,
        ),
        ("two_proportions", "no events", json!({"x1": 0, "n1": 5, "x2": 0, "n2": 4}), "fisher_p", MARGIN),
        ("two_proportions", "no events", json!({"x1": 0, "n1": 5, "x2": 0, "n2": 4}), "chisq", MARGIN),
        ("fisher_exact", "empty", json!({"table_rows": [[0, 0], [0, 0]]}), "p_two_sided", NOTHING),
        ("fisher_exact", "arm empty", json!({"table_rows": [[0, 0], [3, 4]]}), "conditional_mle_or", MARGIN),
        (
            "fisher_exact",
            "column empty",
            json!({"table_rows": [[1, 0, 2], [3, 0, 1]]}),
            "p_two_sided",
            MARGIN,
        ),
        ("mcnemar", "concordant", json!({"table_rows": [[5, 0], [0, 7]]}), "p_exact", "no discordant pairs"),
        ("cmh", "column empty", column.clone(), "chisq", MARGIN),
        ("cmh", "column empty", column, "exact_p", MARGIN),
        ("cmh", "empty", no_table, "common_or_mh", NOTHING),
        ("cmh", "empty", three, "general_association_M2", NOTHING),
        ("multiplicity", "none", json!({"p": []}), "holm", NOTHING),
        ("multiplicity", "all missing", json!({"p": [null]}), "BH", NOTHING),
        ("multiplicity", "above one", json!({"p": [1.5]}), "hommel", bad_p),
        ("poisson_rate", "no time", json!({"events": 1, "time": 0}), "rate", "the denominator is zero"),
        ("poisson_rate", "no events", json!({"events": [0, 0], "time": [1, 2]}), "p_exact", "no events"),
    ]
}

fn models() -> Vec<Case> {
    let arm = |arms: Value, y: Value| json!({"formula": "chg ~ trt", "trt_levels": ["p", "a"], "data": {"trt": arms, "chg": y}});
    let covariate = |x: Value, y: Value| json!({"formula": "y ~ x", "data": {"x": x, "y": y}});
    let separated = "the likelihood has no maximum: the covariates separate the responses";
    vec![
        ("ancova", "n = 0", arm(json!([]), json!([])), "coef", NOTHING),
        ("ancova", "all missing", arm(json!(["p", "a"]), json!([null, null])), "coef", NOTHING),
        ("ancova", "arm empty", arm(json!(["p", "p", "p"]), json!([1, 2, 4])), "coef", SINGULAR),
        ("ancova", "n = 2", arm(json!(["p", "a"]), json!([1, 2])), "coef", two(3, 2)),
        ("ancova", "all tied", arm(json!(["p", "a", "p", "a"]), json!([1, 1, 1, 1])), "se", CONSTANT),
        ("ancova", "singular", covariate(json!([2, 2, 2]), json!([1, 2, 4])), "coef", SINGULAR),
        ("logistic", "n = 0", covariate(json!([]), json!([])), "coef", NOTHING),
        ("logistic", "all alike", covariate(json!([1, 2, 3]), json!([1, 1, 1])), "coef", separated),
        ("logistic", "separation", covariate(json!([1, 2, 3, 4]), json!([0, 0, 1, 1])), "coef", separated),
        ("logistic", "singular", covariate(json!([2, 2, 2]), json!([1, 0, 1])), "se", SINGULAR),
    ]
}

fn mixed() -> Vec<Case> {
    // Six participants in two arms at two visits.
    let repeated = |covariance: &str, y: Value| {
        let (mut id, mut trt, mut visit) = (Vec::new(), Vec::new(), Vec::new());
        for i in 0..6 {
            for v in ["V1", "V2"] {
                id.push(i);
                trt.push(if i < 3 { "p" } else { "a" });
                visit.push(v);
            }
        }
        let data = json!({"id": id, "trt": trt, "visit": visit, "y": y});
        json!({"response": "y", "rhs": "trt * visit", "covariance": covariance, "data": data})
    };
    let y = json!([1, 2, 4, 3, 2, 6, 3, 3, 5, 9, 4, 1]);
    let alone = json!([1, 2, 4, null, 2, null, 3, null, 5, null, 4, null]);
    let no_active_at_2 = json!([1, 2, 4, 3, 2, 6, 3, null, 5, null, 4, null]);
    let twin = json!([1, 1, 4, 4, 2, 2, 3, 3, 5, 5, 4, 4]);
    let exact = json!([1, 2, 1, 2, 1, 2, 3, 5, 3, 5, 3, 5]);
    let pool = |est: Value, se: Value| json!({"est": est, "se": se, "df_complete": 20});
    let one_at_visit = "visit number 2 has 1 observation, too few for its mean and variance";
    let too_few =
        "3 participants are too few for an unstructured covariance of 2 visits with 2 coefficients at each";
    let three = json!([1, 2, 4, 3, null, null, null, null, null, null, 4, 1]);
    vec![
        ("mmrm", "a visit with one observation", repeated("us", alone), "beta", one_at_visit),
        ("mmrm", "more visits than participants", repeated("us", three), "beta", too_few),
        ("mmrm", "an arm without a visit", repeated("cs", no_active_at_2), "satterthwaite", SINGULAR),
        (
            "mmrm",
            "a visit repeated",
            repeated("us", twin),
            "cov_matrix",
            "the covariance of the visits tends to a singular matrix",
        ),
        ("mmrm", "a perfect fit", repeated("ar1", exact), "beta", CONSTANT),
        ("mmrm", "all alike", repeated("toep", Value::from(vec![2; 12])), "kenward_roger", CONSTANT),
        (
            "mmrm",
            "two rows at a visit",
            {
                let mut input = repeated("us", y);
                input["data"]["visit"][1] = json!("V1");
                input
            },
            "beta",
            "participant number 1 has two observations at visit number 1",
        ),
        (
            "conditional_mean_imputation",
            "as few participants as visits",
            json!({"arm": [0, 1, 0, 1], "base": [1, 2, 4, 3], "visits": 3, "event": [null, null, null, 3],
                "y": [[1, 2, 3], [2, 2, 5], [4, 1, 3], [2, 1, null]]}),
            "jump_to_reference.est",
            "4 participants are too few for an unstructured covariance of 3 visits with 3 coefficients at each",
        ),
        ("rubin_pooling", "one imputation", pool(json!([1]), json!([1])), "se", two(2, 1)),
        (
            "rubin_pooling",
            "no imputation",
            pool(json!([]), json!([])),
            "qbar",
            "0 observations where the method needs 2",
        ),
        (
            "rubin_pooling",
            "no error",
            pool(json!([1, 2]), json!([0, 1])),
            "t",
            "an observation is not positive",
        ),
    ]
}

fn survival() -> Vec<Case> {
    let data = |time: Value, status: Value, group: Value| json!({"data": {"time": time, "status": status, "group": group}, "tau": 5, "cox": "group"});
    let ab = json!(["a", "b", "a", "b"]);
    let times = json!([1, 2, 3, 4]);
    let apart = data(times.clone(), json!([1, 1, 1, 1]), json!(["a", "a", "b", "b"]));
    vec![
        ("survival", "n = 0", data(json!([]), json!([]), json!([])), "logrank.chisq", NOTHING),
        (
            "survival",
            "no events",
            data(times.clone(), json!([0, 0, 0, 0]), ab.clone()),
            "logrank.p",
            "no events",
        ),
        (
            "survival",
            "no events",
            data(times.clone(), json!([0, 0, 0, 0]), ab.clone()),
            "cox_efron.coef",
            "no events",
        ),
        (
            "survival",
            "arm empty",
            data(times.clone(), json!([1, 1, 1, 1]), json!(["a", "a", "a", "a"])),
            "logrank.chisq",
            EMPTY_ARM,
        ),
        (
            "survival",
            "all tied",
            data(json!([2, 2, 2, 2]), json!([1, 1, 1, 1]), ab),
            "logrank.chisq",
            CONSTANT,
        ),
        (
            "survival",
            "separation",
            apart,
            "cox_breslow.coef",
            "the likelihood has no maximum: the covariates separate the responses",
        ),
        (
            "survival",
            "median not reached",
            data(times, json!([1, 0, 0, 0]), json!(["a", "b", "a", "a"])),
            "km.a.median",
            "the survival curve does not reach this level",
        ),
    ]
}

fn agreement_and_monitoring() -> Vec<Case> {
    let nobody = json!({"arm1": [0, 0, 0], "arm2": [3, 2, 1]});
    let stop = |n: u64, p0: f64| json!({"kind": "pocock_binomial", "n": n, "p0": p0, "alpha": 0.05});
    vec![
        ("icc", "n = 0", json!({"ratings": []}), "ICC1.estimate", NOTHING),
        ("icc", "all missing", json!({"ratings": [[null, 1], [2, null]]}), "ICC2.estimate", NOTHING),
        ("icc", "all tied", json!({"ratings": [[1, 1], [1, 1]]}), "ICC3.estimate", CONSTANT),
        ("bland_altman", "n = 0", json!({"x": [], "y": []}), "limits", NOTHING),
        ("bland_altman", "n = 1", json!({"x": [1], "y": [2]}), "sd", two(2, 1)),
        ("bland_altman", "all tied", json!({"x": [1, 2], "y": [2, 3]}), "limits", CONSTANT),
        ("weighted_kappa", "empty", json!({"table_rows": [[0, 0], [0, 0]]}), "linear.estimate", NOTHING),
        ("blinding_index", "arm empty", nobody.clone(), "bang_arm1.estimate", EMPTY_ARM),
        ("blinding_index", "arm empty", nobody, "james.estimate", EMPTY_ARM),
        ("stopping_rule", "n = 0", stop(0, 0.2), "stop_if_events_at_least", NOTHING),
        ("stopping_rule", "n = 1", stop(1, 0.2), "prob_stop_at_p0", "no design meets the requirements"),
        (
            "binomial_safety",
            "n = 0",
            json!({"events": 0, "n": 0, "p0": 0.2, "prior_a": 1, "prior_b": 1}),
            "cp95_low",
            NOTHING,
        ),
        (
            "predictive_probability",
            "n above the final",
            json!({"events": 1, "n": 9, "n_final": 8, "p0": 0.2, "prior_a": 1, "prior_b": 1, "threshold": 0.9}),
            "predictive",
            "final size is out of range",
        ),
        (
            "rounding",
            "infinite",
            json!({"x": ["Inf"], "places": 1}),
            "text[0]",
            "an observation is not finite",
        ),
    ]
}

fn planning() -> Vec<Case> {
    let alpha = "error rate is out of range";
    vec![
        (
            "simon_two_stage",
            "none",
            json!({"p0": 0.2, "p1": 0.25, "alpha": 0.01, "beta": 0.01, "nmax": 20}),
            "optimal.n",
            "no design meets the requirements",
        ),
        (
            "standardised_difference",
            "no spread",
            json!({"x": [1, 1, 1], "y": [2, 2, 2]}),
            "difference",
            "zero variance",
        ),
        (
            "group_sequential",
            "alpha",
            json!({"type": "OF", "info": [0.5, 1], "alpha": 0, "sided": 1}),
            "critical_values",
            alpha,
        ),
        (
            "power",
            "n = 1",
            json!({"kind": "t", "n": 1, "delta": 1, "sd": 1, "alpha": 0.05, "type": "one.sample", "alternative": "two.sided"}),
            "power",
            "sample size is out of range",
        ),
    ]
}

#[test]
fn every_method_gives_a_reason_for_degenerate_data() {
    let mut faults = Vec::new();
    for (method, what, input, key, reason) in cases() {
        let computed = match compute_with_reasons(method, &input) {
            Ok(computed) => computed,
            Err(unsupported) => {
                faults.push(format!("{method}, {what}: {unsupported}"));
                continue;
            }
        };
        let value = key.split('.').try_fold(&computed.output, |at, part| at.get(part));
        let value = value.or_else(|| computed.output.get(key));
        let given = computed.not_estimable.get(key).map(ToString::to_string);
        if value.is_some_and(|v| !v.is_null()) || given.as_deref() != Some(reason) {
            faults.push(format!("{method}, {what}: {key} is {value:?} because {given:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_method_was_tried() {
    let tried = cases();
    for method in METHODS {
        assert!(tried.iter().any(|case| case.0 == *method), "{method}");
    }
}
