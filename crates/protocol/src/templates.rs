//! Study folders to start from (`equipoise new DIR --template single-arm`).
//!
//! Each compiles without a warning; what is specific to a trial stands in capitals, to be
//! replaced. A template is a study like any other and has no rights of its own.

use std::collections::BTreeMap;

/// Names of the templates.
pub const NAMES: &[&str] = &["single-arm", "two-arm"];

const SINGLE_ARM: &[(&str, &str)] = &[
    ("analysis.toml", include_str!("../templates/single-arm/analysis.toml")),
    ("codelists.toml", include_str!("../templates/single-arm/codelists.toml")),
    ("deviations.toml", include_str!("../templates/single-arm/deviations.toml")),
    ("dosing.toml", include_str!("../templates/single-arm/dosing.toml")),
    ("eligibility.toml", include_str!("../templates/single-arm/eligibility.toml")),
    ("forms/adverse_events.toml", include_str!("../templates/single-arm/forms/adverse_events.toml")),
    ("forms/assessment.toml", include_str!("../templates/single-arm/forms/assessment.toml")),
    ("forms/chemistry.toml", include_str!("../templates/single-arm/forms/chemistry.toml")),
    ("forms/demography.toml", include_str!("../templates/single-arm/forms/demography.toml")),
    ("forms/entry_questions.toml", include_str!("../templates/single-arm/forms/entry_questions.toml")),
    ("forms/treatments.toml", include_str!("../templates/single-arm/forms/treatments.toml")),
    ("laboratory.toml", include_str!("../templates/single-arm/laboratory.toml")),
    ("roles.toml", include_str!("../templates/single-arm/roles.toml")),
    ("schedule.toml", include_str!("../templates/single-arm/schedule.toml")),
    ("study.toml", include_str!("../templates/single-arm/study.toml")),
    ("virtual.toml", include_str!("../templates/single-arm/virtual.toml")),
];

const TWO_ARM: &[(&str, &str)] = &[
    ("allocation.toml", include_str!("../templates/two-arm/allocation.toml")),
    ("analysis.toml", include_str!("../templates/two-arm/analysis.toml")),
    ("codelists.toml", include_str!("../templates/two-arm/codelists.toml")),
    ("deviations.toml", include_str!("../templates/two-arm/deviations.toml")),
    ("dosing.toml", include_str!("../templates/two-arm/dosing.toml")),
    ("eligibility.toml", include_str!("../templates/two-arm/eligibility.toml")),
    ("forms/adverse_events.toml", include_str!("../templates/two-arm/forms/adverse_events.toml")),
    ("forms/assessment.toml", include_str!("../templates/two-arm/forms/assessment.toml")),
    ("forms/chemistry.toml", include_str!("../templates/two-arm/forms/chemistry.toml")),
    ("forms/demography.toml", include_str!("../templates/two-arm/forms/demography.toml")),
    ("forms/entry_questions.toml", include_str!("../templates/two-arm/forms/entry_questions.toml")),
    ("forms/treatments.toml", include_str!("../templates/two-arm/forms/treatments.toml")),
    ("laboratory.toml", include_str!("../templates/two-arm/laboratory.toml")),
    ("roles.toml", include_str!("../templates/two-arm/roles.toml")),
    ("schedule.toml", include_str!("../templates/two-arm/schedule.toml")),
    ("study.toml", include_str!("../templates/two-arm/study.toml")),
    ("virtual.toml", include_str!("../templates/two-arm/virtual.toml")),
];

/// Returns the files of a template, by path in the folder.
pub fn files(name: &str) -> Option<BTreeMap<String, String>> {
    let files = match name {
        "single-arm" => SINGLE_ARM,
        "two-arm" => TWO_ARM,
        _ => return None,
    };
    Some(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_compiles_without_a_warning() {
        for name in NAMES {
            let compiled =
                crate::compile(&files(name).unwrap()).unwrap_or_else(|all| panic!("{name}: {}", all[0]));
            assert_eq!(compiled.warnings, [], "{name}");
        }
        assert_eq!(files("no such template"), None);
    }
}
