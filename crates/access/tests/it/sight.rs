//! Role by data class: what the protocol bars is barred.

use access::{Viewing, may_read, may_see};
use protocol::model::Sight;

use crate::{controlled, open};

#[test]
fn no_blinded_role_sees_the_allocation() {
    for role in controlled().roles.iter().filter(|role| role.blinded) {
        assert_eq!(may_see(controlled(), &role.id, &"allocation".into()), Sight::None, "{}", role.id);
        assert_eq!(may_see(controlled(), &role.id, &"results_by_arm".into()), Sight::None, "{}", role.id);
    }
}

#[test]
fn the_skin_assessor_sees_the_own_score_of_the_visit_and_nothing_that_hints_at_the_arm() {
    for study in [open(), controlled()] {
        let assessor = "skin_assessor".into();
        assert_eq!(may_see(study, &assessor, &"skin".into()), Sight::OwnVisit);
        for class in
            ["skin_history", "adverse_events", "sae_cases", "laboratory", "vital_signs", "dose", "kits"]
        {
            assert_eq!(may_see(study, &assessor, &class.into()), Sight::None, "{class} in {}", study.id);
        }
        // The assessor's own guess of the allocation is the assessor's to give.
        let risky =
            |class: &&protocol::model::DataClass| class.blind_risk && class.id != "allocation_guesses";
        for class in study.data_classes.iter().filter(risky) {
            assert_eq!(may_see(study, &assessor, &class.id), Sight::None, "{} in {}", class.id, study.id);
        }
    }
}

#[test]
fn the_pathologist_sees_coded_readings_alone() {
    for study in [open(), controlled()] {
        for class in &study.data_classes {
            let expected = if class.id == "biopsy_readings" { Sight::OwnVisit } else { Sight::None };
            assert_eq!(
                may_see(study, &"pathologist".into(), &class.id),
                expected,
                "{} in {}",
                class.id,
                study.id
            );
        }
    }
}

#[test]
fn only_the_custodian_and_who_reads_everything_see_the_biopsy_key() {
    let seeing: Vec<&str> = controlled()
        .roles
        .iter()
        .filter(|role| may_see(controlled(), &role.id, &"biopsy_key".into()) != Sight::None)
        .map(|role| role.id.as_str())
        .collect();
    assert_eq!(seeing, ["specimen_custodian", "unblinded_statistician", "inspector"]);
}

#[test]
fn every_form_is_filled_by_roles_that_enter_its_class_and_see_what_they_enter() {
    for study in [open(), controlled()] {
        for form in &study.forms {
            for role in &form.filled_by {
                let known = study.role(role.as_str()).unwrap();
                assert!(known.enters.contains(&form.data_class), "{role} fills {} of {}", form.id, study.id);
                let own = Viewing { own_site: true, own_entry: true };
                assert!(
                    may_read(may_see(study, role, &form.data_class), own),
                    "{role} fills {} unseen",
                    form.id
                );
            }
        }
    }
}

#[test]
fn what_a_study_file_does_not_name_is_not_seen() {
    assert_eq!(may_see(controlled(), &"coordinator".into(), &"allocation".into()), Sight::None);
    assert_eq!(may_see(controlled(), &"surgeon".into(), &"skin".into()), Sight::None);
    assert_eq!(may_see(controlled(), &"coordinator".into(), &"nothing".into()), Sight::None);
}
