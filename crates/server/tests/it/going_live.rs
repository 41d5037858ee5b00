//! A study in a live installation goes from a draft to its first participant, by the hands of those who answer for it.

use record::Fact;
use server::credentials::hash_password;
use store::accounts::{Account, Note};
use terms::PersonId;

use crate::world::{Browser, PASSWORD, World, text};

pub const STUDY: &str = "/studies/imatinib-open";

/// Gives people accounts with one password, identity verified and signature accepted; the first looks after accounts.
pub fn accounts(world: &World, people: &[&str]) {
    let hash = hash_password(PASSWORD);
    for person in people {
        let account = Account {
            person: PersonId::from(*person),
            login: (*person).to_owned(),
            printed_name: format!("Person {person}"),
            email: String::new(),
            administrator: person == &people[0],
            active: true,
            password: Some(hash.clone()),
            temporary: false,
            second_factor: None,
            last_step: 0,
            language: "en".to_owned(),
            identity_verified_by: Some(PersonId::from("somebody")),
            signature_accepted: Some(world.house.now()),
        };
        let note = Note {
            at: world.house.now(),
            by: "test",
            about: person,
            what: "account added",
            detail: "",
            origin: "test",
        };
        world.house.accounts().add(&account, &note).unwrap();
    }
}

/// Opens the record and gives each person the role of the same name, with its training.
pub fn staff(administrator: &mut Browser<'_>, roles: &[(&str, Option<&str>)]) {
    let study = "/administration/studies/imatinib-open";
    administrator.get("/administration");
    administrator.send(&format!("{study}/open"), &[]);
    for (role, site) in roles {
        let site = site.unwrap_or("");
        administrator
            .send(&format!("{study}/delegations"), &[("person", role), ("role", role), ("site", site)]);
        administrator.send(&format!("{study}/training"), &[("person", role), ("role", role)]);
    }
}

/// Brings a live installation of the open trial to where its site can take a first consent.
pub fn go_live(world: &World) {
    accounts(world, &["administrator", "data_manager", "trial_statistician", "principal_investigator"]);
    let mut administrator = world.seated("administrator");
    staff(
        &mut administrator,
        &[("data_manager", None), ("trial_statistician", None), ("principal_investigator", Some("01"))],
    );
    let evidence = ("evidence", "every form filled on the training copy; notes in binder 3");
    let mut manager = world.seated("data_manager");
    manager.send(&format!("{STUDY}/go-live/test"), &[evidence, ("password", PASSWORD)]);
    for person in ["data_manager", "trial_statistician"] {
        let parts = [("part", "eligibility"), ("part", "schedule"), ("password", PASSWORD)];
        world.seated(person).send(&format!("{STUDY}/go-live/approve"), &parts);
    }
    for instrument in ["haq_di", "shaq_vas", "sf36"] {
        administrator.send(&format!("{STUDY}/go-live/wording"), &[("pack", &wording(instrument))]);
    }
    let ethics = [("site", "01"), ("approved", "2031-04-30"), ("reference", "2031-A-017")];
    administrator.send(&format!("{STUDY}/go-live/ethics"), &ethics);
    administrator.send(&format!("{STUDY}/go-live/activate"), &[("site", "01")]);
}

fn wording(instrument: &str) -> String {
    protocol::content_pack::skeleton(instrument, "en").unwrap().replace("\"\"", "\"words under licence\"")
}

#[test]
// Shows: E6-4.3.5, A11-10
fn nothing_is_live_before_it_is_tested_approved_by_two_and_each_site_has_its_ethics_approval() {
    let (world, _) = World::empty();
    accounts(
        &world,
        &["administrator", "data_manager", "trial_statistician", "principal_investigator", "coordinator"],
    );
    let mut administrator = world.seated("administrator");
    staff(
        &mut administrator,
        &[
            ("data_manager", None),
            ("trial_statistician", None),
            ("principal_investigator", Some("01")),
            ("coordinator", Some("01")),
        ],
    );
    let page = format!("{STUDY}/go-live");
    let mut manager = world.seated("data_manager");
    let mut statistician = world.seated("trial_statistician");
    let mut investigator = world.seated("principal_investigator");
    assert_eq!(world.seated("coordinator").get(&page).status, 404);
    let draft = text(&administrator.get(&page));
    assert!(draft.contains(">draft<") && draft.contains("The study was tested"), "{draft}");
    // What the steps below send, the pages ask for.
    assert!(
        draft.contains("name=\"pack\"")
            && draft.contains("name=\"approved\"")
            && draft.contains("name=\"reference\"")
    );
    let asks = text(&manager.get(&page));
    assert!(
        asks.contains("name=\"evidence\"")
            && !asks.contains("name=\"part\"")
            && !asks.contains("name=\"pack\"")
    );
    let refused = |browser: &mut Browser<'_>, step: &str, fields: &[(&str, &str)], says: &str| {
        let before = world.house.studies["imatinib-open"].head();
        let reply = browser.post(&format!("{page}/{step}"), fields);
        assert!(matches!(reply.status, 400 | 409) && text(&reply).contains(says), "{step}: {}", text(&reply));
        assert_eq!(before, world.house.studies["imatinib-open"].head());
    };
    let begin = [("site", "01")];
    let password = ("password", PASSWORD);
    let both = [("part", "eligibility"), ("part", "schedule"), password];
    // By the page of the administration as well.
    let reply = administrator.post("/administration/studies/imatinib-open/sites", &begin);
    assert!(reply.status == 409 && text(&reply).contains("were not tested yet"));
    refused(&mut manager, "approve", &both, "were not tested yet");
    refused(
        &mut manager,
        "test",
        &[("evidence", "tried"), ("password", "not the password")],
        "The password is not right",
    );
    refused(&mut manager, "test", &[("evidence", " "), password], "how the study was tested is missing");
    // Steps of others are not there.
    assert_eq!(administrator.post(&format!("{page}/test"), &[("evidence", "tried"), password]).status, 404);
    assert_eq!(manager.post(&format!("{page}/ethics"), &begin).status, 404);
    manager.send(&format!("{page}/test"), &[("evidence", "all forms, notes in binder 3"), password]);
    let asks = text(&manager.get(&page));
    assert!(asks.contains("all forms, notes in binder 3") && !asks.contains("name=\"evidence\""));
    assert!(
        asks.contains("name=\"part\" value=\"eligibility\"")
            && asks.contains("name=\"part\" value=\"schedule\"")
    );
    refused(&mut administrator, "activate", &begin, "have to approve the eligibility");
    manager.send(&format!("{page}/approve"), &both);
    refused(&mut manager, "approve", &both, "another person has to");
    refused(&mut administrator, "activate", &begin, "1 did");
    statistician.send(&format!("{page}/approve"), &both);
    assert!(text(&administrator.get(&page)).contains(">approved<"));
    refused(&mut administrator, "activate", &begin, "no content pack");
    refused(&mut administrator, "wording", &[("pack", "instrument = \"haq_di\"")], "`licence` is missing");
    for instrument in ["haq_di", "shaq_vas", "sf36"] {
        administrator.send(&format!("{page}/wording"), &[("pack", &wording(instrument))]);
    }
    let kept = std::fs::read_dir(world.house.wordings(&"imatinib-open".into())).unwrap().count();
    assert_eq!(kept, 3);
    refused(&mut administrator, "activate", &begin, "site 01 has no ethics approval yet");
    let ethics = |on| [("site", "01"), ("approved", on), ("reference", "2031-A-017")];
    refused(&mut administrator, "ethics", &ethics("tomorrow"), "Give the day as year-month-day");
    refused(&mut administrator, "ethics", &ethics("2032-01-01"), "lies after the day it is recorded");
    let consent = [("site", "01"), ("date", "2031-05-20"), ("version", "1.1")];
    investigator.get(STUDY);
    let early = investigator.post(&format!("{STUDY}/consent"), &consent);
    assert!(early.status == 409 && text(&early).contains("site 01 is not active"), "{}", text(&early));
    administrator.send(&format!("{page}/ethics"), &ethics("2031-04-30"));
    assert!(text(&administrator.get(&page)).contains("2031-A-017"));
    administrator.send(&format!("{page}/activate"), &begin);
    assert!(text(&administrator.get(&page)).contains(">live<"));
    let given = investigator.send(&format!("{STUDY}/consent"), &consent);
    assert!(text(&given).contains("01-001"));
    // Every step is in the record, with who took it.
    let events = world.house.studies["imatinib-open"].record(|reader| reader.read(1)).unwrap();
    let by = |of: fn(&Fact) -> bool| -> Vec<&str> {
        events.iter().filter(|event| of(&event.fact)).map(|event| event.by.person.as_str()).collect()
    };
    assert_eq!(by(|fact| matches!(fact, Fact::StudyTested { .. })), ["data_manager"]);
    assert_eq!(by(|fact| matches!(fact, Fact::StudyApproved { .. })), ["data_manager", "trial_statistician"]);
    assert_eq!(by(|fact| matches!(fact, Fact::EthicsApprovalRecorded { .. })), ["administrator"]);
    assert_eq!(by(|fact| matches!(fact, Fact::SiteActivated { .. })), ["administrator"]);
}

#[test]
fn a_form_asks_in_the_licensed_words_once_they_are_loaded_and_only_if_they_are_as_the_record_names_them() {
    let world = World::training_of(&["imatinib-open"], 6);
    let (subject, _) = world.participant_on_treatment("imatinib-open");
    let form = format!("{STUDY}/participants/{subject}/forms/haq_di/M0/0");
    let mut investigator = world.seated("principal_investigator.01");
    assert!(!text(&investigator.get(&form)).contains("words under licence"));
    let mut administrator = world.seated("administrator");
    administrator.get(&format!("{STUDY}/go-live"));
    administrator.send(&format!("{STUDY}/go-live/wording"), &[("pack", &wording("haq_di"))]);
    assert!(text(&investigator.get(&form)).contains("words under licence"));
    // A second pack, altered on the disk before anybody reads it: the form keeps its own labels.
    let other = wording("haq_di").replace("words under licence", "other words");
    administrator.send(&format!("{STUDY}/go-live/wording"), &[("pack", &other)]);
    let folder = world.house.wordings(&"imatinib-open".into());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let altered = std::fs::read_to_string(&path).unwrap().replace("other words", "forged words");
        std::fs::write(&path, altered).unwrap();
    }
    let page = text(&investigator.get(&form));
    assert!(
        !page.contains("other words")
            && !page.contains("forged words")
            && !page.contains("words under licence")
    );
}

#[test]
fn a_training_copy_went_the_same_way() {
    let world = World::training(3);
    for study in crate::world::STUDIES {
        let state = world.house.studies[study].state();
        assert!(state.preparation.is_complete(world.house.studies[study].study()));
        assert_eq!(state.ethics.len(), world.house.studies[study].study().sites.len());
        let page = text(&world.seated("data_manager").get(&format!("/studies/{study}/go-live")));
        assert!(page.contains(">live<") && !page.contains("name=\"evidence\""));
    }
}

#[test]
// Shows: E6-4.2.3
fn the_audit_trail_is_reviewed_with_a_finding_and_the_review_is_in_it() {
    let (world, _) = World::empty();
    go_live(&world);
    let trail = format!("{STUDY}/audit");
    let mut manager = world.seated("data_manager");
    assert!(text(&manager.get(&trail)).contains("Record a review of the audit trail"));
    let last = world.house.studies["imatinib-open"].state().sequence.to_string();
    let too_far = manager.post(&format!("{trail}/review"), &[("up-to", "9999"), ("finding", "nothing")]);
    assert_eq!(too_far.status, 409);
    assert_eq!(
        manager.post(&format!("{trail}/review"), &[("up-to", "all"), ("finding", "nothing")]).status,
        400
    );
    let page =
        manager.send(&format!("{trail}/review"), &[("up-to", &last), ("finding", "nothing to explain")]);
    let page = text(&page);
    assert!(
        page.contains(&format!("Last reviewed up to event {last}: Person data_manager, 2031-05-20")),
        "{page}"
    );
    assert!(page.contains(&format!("audit trail reviewed up to event {last}")));
    // Who may read the trail, and not review it, is not asked to.
    let mut investigator = world.seated("principal_investigator");
    assert!(!text(&investigator.get(&trail)).contains("Record a review"));
    assert_eq!(
        investigator.post(&format!("{trail}/review"), &[("up-to", &last), ("finding", "mine")]).status,
        404
    );
}
