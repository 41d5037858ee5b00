//! Both shipped studies.

use std::path::Path;

use protocol::{compile, content_hash, schedule_table};

use crate::{STUDIES, study};

#[test]
fn the_example_with_a_time_to_an_event_compiles_without_a_warning() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/time-to-event");
    let compiled = compile(&crate::folder(&root)).unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"))
    });
    let warnings: Vec<String> = compiled.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(compiled.study.plan.times.len(), 3);
    assert_eq!(compiled.study.virtual_cohort.hazards.len(), 2);
}

#[test]
fn both_studies_compile_without_a_warning() {
    for name in STUDIES {
        let compiled = compile(&study(name)).unwrap_or_else(|errors| {
            panic!("{name}:\n{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"))
        });
        let warnings: Vec<String> = compiled.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings, Vec::<String>::new(), "{name}");
        assert_eq!(compiled.study.version, content_hash(&study(name)));
    }
}

#[test]
fn the_schedules_of_activities_print_as_tables() {
    for name in STUDIES {
        let compiled = compile(&study(name)).unwrap();
        insta::assert_snapshot!(format!("schedule_{name}"), schedule_table(&compiled.study));
    }
}

#[test]
fn every_reference_covers_the_name_as_written() {
    for name in STUDIES {
        let files = study(name);
        let compiled = compile(&files).unwrap();
        assert!(compiled.references.len() > 1000);
        for reference in &compiled.references {
            assert_eq!(
                &files[&reference.file][reference.span.clone()],
                reference.name,
                "{name}: {reference:?}"
            );
        }
    }
}

#[test]
fn every_rule_and_check_of_both_studies_has_an_expression_that_reads_something() {
    for name in STUDIES {
        let study = compile(&study(name)).unwrap().study;
        let checks = study.forms.iter().flat_map(|form| &form.checks).map(|check| &check.when);
        let rules = study.eligibility.iter().map(|rule| &rule.rule);
        for expression in checks.chain(rules) {
            assert!(!expression.inputs().is_empty(), "{name}: {}", expression.text);
        }
    }
}
