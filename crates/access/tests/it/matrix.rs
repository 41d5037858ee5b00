//! Role by step: a role may do what the study file gives it the power for, where and when it was delegated.

use access::{Delegations, Denied, Grant, Needs, Reach, Step, authorise, conflict, needs, reach};
use protocol::model::{Power, Study};
use terms::{Date, PersonId, RoleId, SiteId};

use crate::{controlled, open};

const TODAY: Date = Date::constant(2009, 3, 2);

fn everywhere(study: &Study, site: Option<&str>) -> Delegations {
    let mut delegations = Delegations::default();
    for role in &study.roles {
        let person = PersonId::from(role.id.as_str());
        delegations.add(Grant {
            person,
            role: role.id.clone(),
            site: site.map(SiteId::from),
            from: TODAY,
            until: None,
        });
    }
    delegations
}

fn asks(
    study: &Study,
    delegations: &Delegations,
    role: &RoleId,
    step: Step,
    site: &str,
    date: Date,
) -> Result<(), Denied> {
    let person = PersonId::from(role.as_str());
    authorise(study, delegations, (&person, role), step, Some(&site.into()), date)
}

#[test]
fn every_role_may_do_exactly_what_its_powers_allow() {
    for study in [open(), controlled()] {
        let delegations = everywhere(study, None);
        for role in &study.roles {
            for step in Step::ALL {
                let allowed = asks(study, &delegations, &role.id, *step, "01", TODAY);
                let able = match needs(*step) {
                    Needs::Power(power) => role.may.contains(&power),
                    Needs::AnyOf(powers) => powers.iter().any(|power| role.may.contains(power)),
                    Needs::Entry | Needs::AskedOr(_) => true,
                };
                assert_eq!(allowed.is_ok(), able, "{} in {}: {step:?}: {allowed:?}", role.id, study.id);
            }
        }
    }
}

#[test]
fn every_power_that_a_step_needs_is_held_by_a_role_of_the_blind_study() {
    for step in Step::ALL {
        if let Needs::Power(power) = needs(*step) {
            assert!(controlled().roles.iter().any(|role| role.may.contains(&power)), "{step:?}");
        }
    }
}

#[test]
fn every_step_is_listed_once() {
    let mut listed = Step::ALL.to_vec();
    listed.sort();
    listed.dedup();
    assert_eq!(listed.len(), Step::ALL.len());
    // The last of the enumeration closes the list: a step that is added before it shifts its number.
    assert_eq!(Step::UnblindAllocation as usize + 1, Step::ALL.len());
}

#[test]
fn a_delegation_holds_at_its_site_from_its_day_and_for_its_role() {
    let study = controlled();
    let coordinator = RoleId::from("coordinator");
    let here = everywhere(study, Some("01"));
    assert_eq!(asks(study, &here, &coordinator, Step::HoldVisit, "01", TODAY), Ok(()));
    for (site, date) in [("05", TODAY), ("01", TODAY.yesterday().unwrap())] {
        let denied = asks(study, &here, &coordinator, Step::HoldVisit, site, date).unwrap_err();
        assert!(matches!(denied, Denied::NotDelegated { .. }), "{denied}");
    }
    let stranger = PersonId::from("stranger");
    let denied =
        authorise(study, &here, (&stranger, &coordinator), Step::HoldVisit, Some(&"01".into()), TODAY);
    assert_eq!(
        denied.unwrap_err().to_string(),
        "`stranger` was not delegated the role `coordinator` at site 01 on 2009-03-02; record the delegation first"
    );
}

#[test]
fn what_concerns_the_whole_study_needs_a_delegation_for_all_sites() {
    let study = controlled();
    let here = everywhere(study, Some("01"));
    for step in Step::ALL.iter().filter(|step| reach(**step) == Reach::Study && **step != Step::OpenStudy) {
        let powers = match needs(*step) {
            Needs::Power(power) => vec![power],
            Needs::AnyOf(powers) => powers.to_vec(),
            Needs::Entry | Needs::AskedOr(_) => panic!("{step:?} is no entry"),
        };
        let role =
            study.roles.iter().find(|role| powers.iter().any(|power| role.may.contains(power))).unwrap();
        let denied = asks(study, &here, &role.id, *step, "01", TODAY).unwrap_err();
        assert!(matches!(denied, Denied::NotDelegated { .. }), "{step:?}: {denied}");
    }
}

#[test]
fn the_study_is_opened_before_anyone_is_delegated() {
    let nobody = Delegations::default();
    let administrator = RoleId::from("administrator");
    assert_eq!(asks(controlled(), &nobody, &administrator, Step::OpenStudy, "01", TODAY), Ok(()));
    let denied =
        asks(controlled(), &nobody, &"coordinator".into(), Step::OpenStudy, "01", TODAY).unwrap_err();
    assert_eq!(
        denied.to_string(),
        "the role `coordinator` may not administer the study; ask a person in a role that may"
    );
}

#[test]
fn a_blinded_role_never_touches_the_allocation_whatever_the_file_says() {
    let mut study = controlled().clone();
    for role in &mut study.roles {
        role.may.extend([Power::SealAllocation, Power::UnblindStudy, Power::ClassifyDeviations]);
    }
    let delegations = everywhere(&study, None);
    for role in &study.roles {
        for step in [Step::SealAllocation, Step::UnblindAllocation] {
            assert_eq!(
                asks(&study, &delegations, &role.id, step, "01", TODAY).is_ok(),
                !role.blinded,
                "{}",
                role.id
            );
        }
        let blind = asks(&study, &delegations, &role.id, Step::ClassifyDeviation, "01", TODAY);
        assert_eq!(blind.is_ok(), role.blinded, "{}", role.id);
    }
}

#[test]
fn nobody_holds_a_blinded_role_beside_one_that_knows_the_allocation() {
    let study = controlled();
    let why = |held: &str, new: &str| conflict(study, &held.into(), &new.into());
    assert!(why("pharmacist", "principal_investigator").is_some());
    assert!(why("skin_assessor", "unblinded_statistician").is_some());
    assert!(why("pathologist", "specimen_custodian").is_some());
    assert_eq!(why("coordinator", "sub_investigator"), None);
    assert_eq!(why("pharmacist", "unblinded_statistician"), None);
}
