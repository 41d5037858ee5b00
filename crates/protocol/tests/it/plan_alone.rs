//! Plans over data sets from elsewhere: what they may say, and what is refused with its place.

use std::{collections::BTreeMap, fs, path::Path};

use protocol::{Severity, compile_plan};

fn pilot() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cdisc-pilot/analysis.toml");
    fs::read_to_string(path).unwrap()
}

/// What is said about the pilot's plan with one thing changed.
fn said(from: &str, to: &str) -> String {
    let text = pilot();
    assert!(text.contains(from), "the plan says `{from}`");
    let files = BTreeMap::from([("analysis.toml".to_owned(), text.replacen(from, to, 1))]);
    match compile_plan(&files) {
        Err(errors) => errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        Ok(_) => String::new(),
    }
}

#[test]
fn the_pilot_s_plan_compiles_without_a_finding() {
    let files = BTreeMap::from([("analysis.toml".to_owned(), pilot())]);
    let compiled = compile_plan(&files).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert!(compiled.warnings.iter().all(|warning| warning.severity != Severity::Error));
    assert!(compiled.warnings.is_empty(), "{:?}", compiled.warnings);
    let controls: Vec<&str> =
        compiled.study.arms.iter().filter(|arm| arm.control).map(|arm| arm.id.as_str()).collect();
    assert_eq!(controls, ["Placebo"]);
}

#[test]
fn an_option_that_changes_a_number_may_not_be_left_out() {
    for (from, to, message) in [
        (
            "options = { continuity_correction = false }\n",
            "",
            "does not say whether it corrects for continuity",
        ),
        (
            ", ls_means = \"equal weights\"",
            "",
            "does not say how least-squares means average over other factors",
        ),
        ("association = \"row mean scores\", ", "", "does not say which association it tests"),
        ("scores = \"values\", ", "", "does not say which scores its levels have"),
        (", strata = [\"SITEGR1\"]", "", "does not say what its strata are"),
        (", limits = \"log\"", "", "does not say on which scale its limits are symmetric"),
        (", test = \"log-rank\"", "", "does not say how curves are compared"),
        ("options = { quartiles = \"type 2\" }\n", "", "does not say which quartiles"),
    ] {
        let said = said(from, to);
        assert!(said.contains(message) && said.contains("analysis.toml:"), "{message}: {said}");
    }
}

#[test]
fn names_and_kinds_are_resolved_against_what_is_declared() {
    for (from, to, message) in [
        ("value   = \"CHG\"", "value   = \"CGH\"", "there is no variable `CGH`"),
        ("data    = \"adadas\"", "data    = \"adas\"", "there is no data set `adas`"),
        ("PARAMCD == 'ACTOT'", "PARAMCD == 3", "PARAMCD"),
        ("factors = [\"SITEGR1\"]", "factors = [\"BASE\"]", "`BASE` can't be a factor"),
        ("covariates = [\"BASE\"]", "covariates = [\"SITEGR1\"]", "`SITEGR1` can't be a covariate"),
        ("event   = \"CNSR == 0\"\n", "", "does not say which times ended with an event"),
        ("time    = \"AVAL\"\n", "", "does not say what of adtte it looks at"),
        (
            "keys         = [\"USUBJID\"]",
            "keys         = [\"SITEGR1\"]",
            "told apart by the participant alone",
        ),
        ("participants = true\n", "", "no data set has one row a participant"),
        ("control = \"Placebo\"", "control = \"Plazebo\"", "there is no code `Plazebo`"),
        ("method  = \"anova\"", "method  = \"kaplan-meier\"", "needs times to an event"),
        ("by      = \"TRT01P\"", "by      = \"AVGDD\"", "`AVGDD` can't group"),
    ] {
        let said = said(from, to);
        assert!(said.contains(message), "{message}: {said}");
    }
}

#[test]
fn what_belongs_to_a_study_has_no_place_in_a_plan_alone() {
    let parameters =
        "[parameters.X]\nlabel = \"X\"\nitem = \"a.b\"\ndecimals = 0\nlower_is_better = true\n\n[sets]\n";
    assert!(said("[sets]\n", parameters).contains("`parameters` has no place here"));
}
