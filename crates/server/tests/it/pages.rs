//! A trial's day in pages, asked for as a browser without scripts does.

use record::FormKey;
use terms::{FormId, SubjectId, VisitId};

use crate::world::{Browser, PASSWORD, World, location, text};

const STUDY: &str = "/studies/imatinib-open";

/// Takes the investigator's and coordinator's first steps with a new participant; returns the participant's path.
fn screened(world: &World) -> String {
    let mut investigator = world.seated("principal_investigator.01");
    investigator.get(&format!("{STUDY}/consent"));
    let version = world.house.studies["imatinib-open"].study().consents.last().unwrap().id.clone();
    let fields = [("site", "01"), ("version", version.as_str()), ("date", "2031-05-20")];
    let reply = investigator.post(&format!("{STUDY}/consent"), &fields);
    assert_eq!(reply.status, 303, "{}", text(&reply));
    let path = location(&reply);
    assert!(text(&investigator.get(&path)).contains("has given consent"));
    let mut coordinator = world.seated("coordinator.01");
    coordinator.send(&format!("{path}/steps/screen"), &[("date", "2031-05-20")]);
    let held = coordinator.send(&format!("{path}/steps/hold"), &[("visit", "Scr"), ("date", "2031-05-20")]);
    assert!(text(&held).contains("/forms/vital_signs/Scr/0"));
    path
}

/// What a page's form holds: names and values of its fields.
fn fields(page: &str) -> Vec<(String, String)> {
    let form = page.split("id=\"form\"").nth(1).unwrap().split("</form>").next().unwrap();
    form.split("name=\"was.")
        .skip(1)
        .map(|rest| {
            let (item, rest) = rest.split_once('"').unwrap();
            let value = rest.split("value=\"").nth(1).unwrap().split('"').next().unwrap();
            (format!("was.{item}"), value.to_owned())
        })
        .collect()
}

fn fill(browser: &mut Browser<'_>, path: &str, answers: &[(&str, &str)]) -> server::http::Reply {
    let page = text(&browser.get(path));
    let shown = fields(&page);
    let mut sent: Vec<(&str, &str)> =
        shown.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    sent.extend(answers);
    sent.push(("do", "save"));
    browser.post(path, &sent)
}

#[test]
// Shows: P11-10e-2, E6-4.2.1, E6-4.2.4
fn a_form_is_saved_checked_and_corrected_with_a_reason() {
    let world = World::training(2);
    let subject = screened(&world);
    let mut coordinator = world.seated("coordinator.01");
    let path = format!("{subject}/forms/vital_signs/Scr/0");
    let wrong = fill(&mut coordinator, &path, &[("i.weight", "seventy")]);
    assert_eq!(wrong.status, 400);
    assert!(text(&wrong).contains("Type a number"));
    assert!(text(&wrong).contains("value=\"seventy\""), "what was typed is kept");
    let swapped =
        [("i.weight", "70,5"), ("i.systolic", "80"), ("i.diastolic", "120"), ("i.heart_rate", "70")];
    let saved = fill(&mut coordinator, &path, &swapped);
    assert_eq!(saved.status, 303, "{}", text(&saved));
    let page = text(&coordinator.get(&path));
    assert!(page.contains("A check has a question"));
    assert!(page.contains("Diastolic pressure is not below systolic pressure."));
    let silent = fill(
        &mut coordinator,
        &path,
        &[("i.weight", "70.5"), ("i.systolic", "120"), ("i.diastolic", "80"), ("i.heart_rate", "70")],
    );
    assert!(text(&silent).contains("Say why"));
    let corrected = [
        ("i.weight", "70.5"),
        ("i.systolic", "120"),
        ("i.diastolic", "80"),
        ("i.heart_rate", "70"),
        ("reason", "Typing error"),
    ];
    assert_eq!(fill(&mut coordinator, &path, &corrected).status, 303);
    let page = text(&coordinator.get(&path));
    assert!(!page.contains("<p class=\"query open\">"), "the check has closed its query");
    assert!(page.contains("<details class=\"query closed\">"), "and what was asked can be read");
    let history = text(&coordinator.get(&format!("{path}/history")));
    assert!(history.contains("Typing error") && history.contains(">80<") && history.contains(">120<"));
}

#[test]
fn a_long_history_comes_newest_first_a_page_at_a_time_and_keeps_what_was_asked_for() {
    let world = World::training(2);
    let subject = screened(&world);
    let mut coordinator = world.seated("coordinator.01");
    let path = format!("{subject}/forms/vital_signs/Scr/0");
    let saves = 110;
    let long = "The source document was read again, and by a second person. ".repeat(4);
    for save in 0..saves {
        let reason = format!("{long}No. {save}.");
        let (weight, heart_rate) = (format!("{}.5", 60 + save % 40), (60 + save % 40).to_string());
        let (systolic, diastolic) = ((130 + save % 9).to_string(), (70 + save % 9).to_string());
        let answers = [
            ("i.weight", weight.as_str()),
            ("i.systolic", &systolic),
            ("i.diastolic", &diastolic),
            ("i.heart_rate", &heart_rate),
            ("reason", &reason),
        ];
        let saved = fill(&mut coordinator, &path, &answers);
        assert_eq!(saved.status, 303, "{}", text(&saved));
    }
    let mut pages_of = |first: String| {
        let (mut next, mut pages) = (Some(first), Vec::new());
        while let Some(path) = next {
            let reply = coordinator.get(&path);
            assert!(reply.body.len() < 150_000, "{path} has {} bytes", reply.body.len());
            let page = text(&reply);
            let after = page.split("rel=\"next\"").next().filter(|before| before.len() < page.len());
            let link = after.and_then(|before| before.rsplit("href=\"").next()?.split('"').next());
            next = link.map(|link| link.replace("&#38;", "&").replace("&amp;", "&"));
            pages.push(page);
        }
        pages
    };
    let rows = |page: &String| page.matches("<th scope=\"row\">").count();
    let whole = pages_of(format!("{path}/history"));
    assert_eq!(whole.len(), 5);
    assert_eq!(whole.iter().map(rows).sum::<usize>(), 4 * saves);
    assert!(whole[0].contains("No. 109.") && !whole[0].contains("No. 1."));
    // The first save gave no reason for a change; the second did.
    assert!(whole[4].contains("No. 1.") && !whole[4].contains("No. 109."));
    assert!(whole[0].contains(">1–100 / 440<") || whole[0].contains(">1–100 / 440 "));
    let of_weight = pages_of(format!("{path}/history?item=weight"));
    assert_eq!(of_weight.len(), 2);
    assert_eq!(of_weight.iter().map(rows).sum::<usize>(), saves);
    assert!(of_weight[1].contains("<option value=\"weight\" selected>"));
    // A page that isn't there is the last one; an item that isn't there has no history.
    assert_eq!(rows(&text(&coordinator.get(&format!("{path}/history?page=99&item=weight")))), saves - 100);
    assert_eq!(rows(&text(&coordinator.get(&format!("{path}/history?item=nothing")))), 0);
}

#[test]
fn int_1_two_people_on_one_form_never_overwrite_each_other() {
    let world = World::training(2);
    let subject = screened(&world);
    let path = format!("{subject}/forms/vital_signs/Scr/0");
    let (mut one, mut two) = (world.seated("coordinator.01"), world.seated("principal_investigator.01"));
    let shown = fields(&text(&one.get(&path)));
    two.get(&path);
    let with = |answers: &[(&'static str, &'static str)]| -> Vec<(String, String)> {
        let answers = answers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        shown.iter().cloned().chain(answers).collect()
    };
    let send = |browser: &mut Browser<'_>, sent: &[(String, String)]| {
        let sent: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.post(&path, &sent)
    };
    assert_eq!(send(&mut one, &with(&[("i.weight", "70.0")])).status, 303);
    let refused = send(&mut two, &with(&[("i.weight", "80.0"), ("i.heart_rate", "66")]));
    assert_eq!(refused.status, 409);
    let page = text(&refused);
    assert!(
        page.contains("Nothing was overwritten") && page.contains("70.0") && page.contains("value=\"80.0\"")
    );
    let weight = |world: &World| {
        let state = world.house.studies["imatinib-open"].state();
        let id = SubjectId::from(subject.rsplit('/').next().unwrap());
        let key = FormKey { visit: Some(VisitId::from("Scr")), form: FormId::from("vital_signs"), row: 0 };
        let casebook = &state.casebooks[&id];
        (
            casebook.cell(&key, "weight").and_then(|cell| cell.answer().map(ToString::to_string)),
            casebook.cell(&key, "heart_rate").is_some(),
        )
    };
    assert_eq!(weight(&world), (Some("70.0".to_owned()), false), "all or nothing");
    let again = fields(&page);
    let mut chosen: Vec<(String, String)> = again;
    for (name, value) in [("i.weight", "80.0"), ("i.heart_rate", "66"), ("take.weight", "theirs")] {
        chosen.push((name.to_owned(), value.to_owned()));
    }
    assert_eq!(send(&mut two, &chosen).status, 303);
    assert_eq!(weight(&world), (Some("70.0".to_owned()), true));
}

#[test]
fn a_check_as_one_types_saves_nothing_and_keeps_a_draft() {
    let world = World::training(2);
    let subject = screened(&world);
    let mut coordinator = world.seated("coordinator.01");
    let path = format!("{subject}/forms/vital_signs/Scr/0");
    let shown = fields(&text(&coordinator.get(&path)));
    let mut sent: Vec<_> = shown.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    sent.extend([("i.systolic", "80"), ("i.diastolic", "120"), ("do", "check")]);
    let before = world.house.studies["imatinib-open"].head();
    let part = coordinator.post(&path, &sent);
    assert!(text(&part).contains("Diastolic pressure is not below systolic pressure."));
    assert_eq!(world.house.studies["imatinib-open"].head(), before);
    let page = text(&coordinator.get(&path));
    assert!(page.contains("not saved, at") && !page.contains("value=\"120\""));
    assert!(text(&coordinator.get(&format!("{path}?draft"))).contains("value=\"120\""));
    let mut other = world.seated("principal_investigator.01");
    assert!(!text(&other.get(&path)).contains("not saved, at"), "a draft is its writer's own");
}

/// A training copy on a day on which the investigator's home names two visits to sign, and where they are signed.
pub fn with_visits_to_sign() -> (World, Vec<String>) {
    for months in 4..=16 {
        let world = World::training_of(&["imatinib-open"], months);
        let home = text(&world.seated("principal_investigator.01").get(STUDY));
        let links = home.split("href=\"").filter_map(|rest| rest.split('"').next());
        let ready: Vec<String> = links.filter(|path| path.contains("/sign/")).map(str::to_owned).collect();
        if ready.len() >= 2 {
            return (world, ready);
        }
    }
    panic!("on no day does a training copy have visits to sign");
}

#[test]
// Shows: P11-50
fn p11_200a1_a_signature_asks_for_both_parts_first_and_for_the_password_later() {
    let (world, ready) = with_visits_to_sign();
    let running = &world.house.studies["imatinib-open"];
    let mut investigator = world.seated("principal_investigator.01");
    let meaning = "I take responsibility for these data.";
    let page = text(&investigator.get(&ready[0]));
    assert!(page.contains("name=\"login\""));
    let head = running.head();
    let without_name = investigator.post(&ready[0], &[("meaning", meaning), ("password", PASSWORD)]);
    assert_eq!(without_name.status, 400);
    let wrong =
        [("meaning", meaning), ("login", "principal_investigator.01"), ("password", "wrong password here")];
    assert_eq!(investigator.post(&ready[0], &wrong).status, 400);
    assert_eq!(running.head(), head);
    let right = [("meaning", meaning), ("login", "principal_investigator.01"), ("password", PASSWORD)];
    assert_eq!(investigator.post(&ready[0], &right).status, 303);
    assert!(!text(&investigator.get(&ready[1])).contains("name=\"login\""));
    assert_eq!(investigator.post(&ready[1], &[("meaning", meaning), ("password", PASSWORD)]).status, 303);
    // P11-50: printed name, time with zone, meaning.
    let signed = text(&investigator.get(&ready[0]));
    assert!(
        signed.contains("Principal investigator")
            && signed.contains(meaning)
            && signed.contains("2031-05-20 ")
    );
}

#[test]
fn p11_10j_nobody_signs_before_accepting_that_it_binds() {
    let (world, ready) = with_visits_to_sign();
    let path = ready[0].clone();
    let account = world.house.accounts().by_login("principal_investigator.01").unwrap().unwrap();
    assert!(account.signature_accepted.is_some());
    let plain = store::accounts::Account {
        person: "p-new".into(),
        login: "new.person".to_owned(),
        signature_accepted: None,
        ..account
    };
    let note = store::accounts::Note {
        at: world.house.now(),
        by: "administrator",
        about: "p-new",
        what: "account added",
        detail: "",
        origin: "",
    };
    world.house.accounts().add(&plain, &note).unwrap();
    let mut administrator = world.seated("administrator");
    administrator.get("/administration");
    let fields = [("person", "p-new"), ("role", "principal_investigator"), ("site", "01")];
    administrator.send("/administration/studies/imatinib-open/delegations", &fields);
    let mut newcomer = world.seated("p-new");
    assert!(text(&newcomer.get(&path)).contains("Accept your electronic signature"));
    let right = [
        ("meaning", "I take responsibility for these data."),
        ("login", "new.person"),
        ("password", PASSWORD),
    ];
    assert_eq!(newcomer.post(&path, &right).status, 409);
    newcomer.send("/account/signature", &[("password", PASSWORD)]);
    newcomer.get(&path);
    assert_eq!(newcomer.post(&path, &right).status, 303);
}

#[test]
fn every_page_of_a_training_copy_says_so_and_carries_its_policy() {
    let world = World::training(1);
    let mut browser = world.browser();
    let reply = browser.get("/log-in");
    assert!(text(&reply).contains("Training copy"));
    let header =
        |name| reply.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
    let policy = header("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'")
            && policy.contains("script-src 'nonce-")
            && !policy.contains("unsafe")
    );
    assert_eq!(header("cache-control"), Some("no-store"));
    assert!(!text(&reply).contains("https://"), "no page leads to a foreign origin");
}

#[test]
fn an_assessor_scores_the_visit_in_hand_and_no_longer_sees_it_at_the_next() {
    let world = World::training(6);
    let study = "imatinib-controlled";
    let (subject, site, one, two) = {
        let state = world.house.studies[study].state();
        let treated = |casebook: &&conduct::Casebook| {
            casebook.first_dose().is_some() && casebook.participation_end.is_none()
        };
        let casebook = state.casebooks.values().map(AsRef::as_ref).find(treated).unwrap();
        let free = |number: &u32| !casebook.visits.contains_key(&VisitId::from(format!("U{number}")));
        let number = (1..).find(free).unwrap();
        let (one, two) = (format!("U{number}"), format!("U{}", number + 1));
        (casebook.subject.to_string(), casebook.site.to_string(), one, two)
    };
    let path = format!("/studies/{study}/participants/{subject}");
    let (coordinator, assessor) = (format!("coordinator.{site}"), format!("skin_assessor.{site}"));
    let hold = |visit: &str| {
        let fields = [("visit", visit), ("date", &world.house.now().to_string()[..10])];
        world.seated(&coordinator).send(&format!("{path}/steps/hold"), &fields);
    };
    hold(&one);
    let form = format!("{path}/forms/skin_score/{one}/0");
    let mut browser = world.seated(&assessor);
    assert!(text(&browser.get(&path)).contains(&form));
    let shown = fields(&text(&browser.get(&form)));
    let mut sent: Vec<(String, String)> = shown.clone();
    for (name, _) in &shown {
        sent.push((name.replace("was.", "i."), "1".to_owned()));
    }
    let sent: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(browser.post(&form, &sent).status, 303);
    assert!(text(&browser.get(&form)).contains(">17<"), "the total of 17 sites of 1");
    world.wait(2 * 24 * 60 * 60);
    hold(&two);
    let mut browser = world.seated(&assessor);
    assert_eq!(browser.get(&form).status, 404);
    assert!(!text(&browser.get(&path)).contains(&form));
    assert!(text(&browser.get(&path)).contains(&format!("/forms/skin_score/{two}/0")));
}

#[test]
fn bld_4_a_pharmacist_hands_out_the_chosen_kit_and_no_page_says_what_it_holds() {
    let world = World::training(6);
    let study = "imatinib-controlled";
    let running = &world.house.studies[study];
    let (subject, site) = {
        let state = running.state();
        let held = |casebook: &&conduct::Casebook| {
            casebook.first_dose().is_some() && casebook.treatment_end.is_none()
        };
        let casebook = state.casebooks.values().map(AsRef::as_ref).find(held).unwrap();
        (casebook.subject.to_string(), casebook.site.to_string())
    };
    let mut pharmacist = world.seated(&format!("pharmacist.{site}"));
    let page = text(&pharmacist.get(&format!("/studies/{study}/allocation")));
    assert!(page.contains("The vault is open") && page.contains("In stock"));
    let course = text(&pharmacist.get(&format!("/studies/{study}/participants/{subject}")));
    for arm in &running.study().arms {
        assert!(!course.contains(arm.label.en()) && !page.contains(arm.label.en()), "{}", arm.id);
    }
    // A key that is none, and one that is another's, open nothing.
    let unlock = format!("/studies/{study}/allocation/unlock");
    for key in ["", "zz", &"0".repeat(64), &"ab".repeat(32)] {
        assert_eq!(pharmacist.post(&unlock, &[("key", key)]).status, 400, "{key}");
    }
    let mut coordinator = world.seated(&format!("coordinator.{site}"));
    assert_eq!(coordinator.get(&format!("/studies/{study}/allocation")).status, 404);
    assert_eq!(coordinator.post(&unlock, &[("key", &"ab".repeat(32))]).status, 404);
}

#[test]
fn e6_4_1_4_an_investigator_opens_one_envelope_in_an_emergency_and_the_others_stay_sealed() {
    let world = World::training(8);
    let study = "imatinib-controlled";
    let running = &world.house.studies[study];
    let (subject, site, stratum, position) = {
        let state = running.state();
        let casebook = state.casebooks.values().find(|casebook| casebook.allocated.is_some()).unwrap();
        let place = casebook.allocated.as_ref().unwrap();
        let site = casebook.site.to_string();
        (casebook.subject.to_string(), site, place.stratum.clone(), place.list_position)
    };
    let sealed = world.house.sealed_list(&study.into());
    let folder = sealed.parent().unwrap();
    let list = server::training::custody(folder).unwrap().open_list().unwrap();
    let arm = list.arm(&stratum, position).unwrap().reveal().clone();
    let label = running.study().arms.iter().find(|known| known.id == arm).unwrap().label.en().to_owned();
    let path = format!("/studies/{study}/participants/{subject}/break-blind");
    let mut coordinator = world.seated(&format!("coordinator.{site}"));
    assert_eq!(coordinator.get(&path).status, 404);
    assert_eq!(coordinator.post(&path, &[("reason", "x")]).status, 404);
    let mut investigator = world.seated(&format!("principal_investigator.{site}"));
    assert!(!text(&investigator.get(&path)).contains("class=\"arm\""));
    let safe = server::training::EMERGENCY_SAFE;
    let key = server::training::key_of(folder, safe).unwrap();
    let head = running.head();
    let asks =
        |reason, password, key| [("reason", reason), ("password", password), ("holder", safe), ("key", key)];
    let strange = "ab".repeat(32);
    for (reason, password, key) in [
        ("", PASSWORD, key.as_str()),
        ("bleeding", "wrong password here", key.as_str()),
        ("bleeding", PASSWORD, "zz"),
        ("bleeding", PASSWORD, strange.as_str()),
    ] {
        let refused = investigator.post(&path, &asks(reason, password, key));
        assert_eq!(refused.status, 400, "{}", text(&refused));
        assert!(!text(&refused).contains(&label));
    }
    assert_eq!(running.head(), head, "what does not open breaks nothing");
    let log = world.house.accounts().log(None, 20).unwrap();
    assert!(log.iter().any(|line| line.what == "a key did not open an emergency envelope"));
    let opened = investigator.post(&path, &asks("bleeding before surgery", PASSWORD, &key));
    assert!(text(&opened).contains(&format!("<strong class=\"arm\">{label}</strong>")), "{}", text(&opened));
    assert_eq!(opened.headers.iter().find(|(name, _)| *name == "cache-control").unwrap().1, "no-store");
    let again = text(&investigator.get(&path));
    assert!(again.contains("bleeding before surgery") && !again.contains("class=\"arm\""));
    // The record says who, when and why, and names no arm.
    let events = running.record(|reader| reader.read(head.unwrap().sequence + 1)).unwrap();
    assert!(matches!(events[0].fact, record::Fact::BlindBroken { .. }));
    assert!(!serde_json::to_string(&events).unwrap().contains(arm.as_str()));
    assert_eq!(running.state().casebooks[subject.as_str()].blind_breaks.len(), 1);
}
