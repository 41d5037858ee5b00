//! Requirements of rules for trials on computers, each under its id, that no other test of the pages shows.

use std::{collections::BTreeMap, fs, path::Path};

use protocol::Study;
use record::{Environment, Fact};
use server::{gate::SESSION_COOKIE, http::Method, routes::ROUTES, training};
use simulation::{ConductedTrial, Custody, Nobody, Rehearsal, streams::Streams};
use store::{SqliteStore, accounts::Note};

use crate::world::{Browser, PASSWORD, World, location, study_files, text};

const CONTROLLED: &str = "imatinib-controlled";

/// A training copy of the controlled trial in which nobody feels the drug, so that two of them can differ in nothing but
/// in who has which arm.
fn twin(swapped: bool) -> World {
    World::made(|studies, today| {
        let files = study_files(CONTROLLED);
        let mut study: Study = protocol::compile(&files).unwrap_or_else(|faults| panic!("{faults:?}")).study;
        study.virtual_cohort.cohort.opens = Some(training::opened_before(today, 12));
        let mut plan = study.allocation.clone().unwrap();
        if swapped {
            plan.ratio.reverse();
        }
        let folder = studies.join(CONTROLLED);
        for (name, text) in &files {
            let path = folder.join("study").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let streams = Streams::new(11);
        let custody = Custody::seal(&study, &plan, &streams).unwrap();
        let vault = custody.unlock().unwrap();
        let store = SqliteStore::create(&folder.join("record"), Environment::Rehearsal).unwrap();
        let mut trial =
            ConductedTrial::begin(&study, &streams, Box::new(store), Some(&vault), None, &Nobody).unwrap();
        let mut rehearsal = Rehearsal::new(&study, streams, &mut trial);
        rehearsal.open(11).unwrap();
        rehearsal.seal_and_supply(&custody).unwrap();
        rehearsal.run_up_to(today).unwrap();
        trial.commit().unwrap();
        fs::write(folder.join(training::SEALED_LIST), serde_json::to_string(&custody.sealed).unwrap())
            .unwrap();
        let list = custody.open_list().unwrap();
        let arms = trial.engine().state().casebooks.values().filter_map(|casebook| {
            let place = casebook.allocated.as_ref()?;
            let arm = list.arm(&place.stratum, place.list_position)?;
            Some((casebook.subject.to_string(), arm.reveal().to_string()))
        });
        arms.collect()
    })
}

/// Takes out what is random by nature and says nothing: hashes, and tokens of forms and scripts.
fn without_hashes(page: &str) -> String {
    let hexadecimal = |letter: char| letter.is_ascii_hexdigit();
    let mut out = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(at) = rest.find(hexadecimal) {
        let (before, from) = rest.split_at(at);
        let end = from.find(|letter| !hexadecimal(letter)).unwrap_or(from.len());
        out.push_str(before);
        out.push_str(if end >= 16 { "#" } else { &from[..end] });
        rest = &from[end..];
    }
    out + rest
}

#[test]
fn bld_1_two_trials_that_differ_in_their_arms_alone_give_every_blinded_role_the_same_bytes() {
    let (one, other) = (twin(false), twin(true));
    assert!(one.arms.len() > 5, "{} participants are randomised", one.arms.len());
    for (subject, arm) in &one.arms {
        assert_ne!(arm, &other.arms[subject], "{subject} has the other arm");
    }
    let study = one.house.studies[CONTROLLED].study();
    let state = one.house.studies[CONTROLLED].state();
    let mut asked = 0;
    let mut people = BTreeMap::new();
    for grant in state.delegations.grants() {
        people.entry(&grant.role).or_insert(&grant.person);
    }
    for (role, person) in people {
        if study.role(role.as_str()).is_none_or(|role| !role.blinded) || *role == *"participant" {
            continue;
        }
        let (mut here, mut there) = (one.seated(person.as_str()), other.seated(person.as_str()));
        for route in
            ROUTES.iter().filter(|route| route.method == Method::Get && route.path.contains("{study}"))
        {
            let subjects: Vec<&str> = if route.path.contains("{subject}") {
                state.casebooks.keys().map(|subject| subject.as_str()).collect()
            } else {
                vec![""]
            };
            for subject in subjects {
                let path = route.path.replace("{study}", CONTROLLED).replace("{subject}", subject);
                let paths = match (path.contains("{form}"), state.casebook(subject)) {
                    (true, Some(casebook)) => casebook
                        .forms
                        .keys()
                        .map(|key| {
                            let visit = key.visit.as_ref().map_or("-", |visit| visit.as_str());
                            path.replace("{form}", key.form.as_str())
                                .replace("{visit}", visit)
                                .replace("{row}", &key.row.to_string())
                        })
                        .collect(),
                    _ => vec![path.replace("{what}", "casebook")],
                };
                for path in paths.iter().filter(|path| !path.contains('{')) {
                    let (seen, twin) = (here.get(path), there.get(path));
                    assert_eq!(seen.status, twin.status, "{role} {path}");
                    assert_eq!(seen.body.len(), twin.body.len(), "{role} {path}");
                    assert_eq!(without_hashes(&text(&seen)), without_hashes(&text(&twin)), "{role} {path}");
                    asked += usize::from(seen.status == 200);
                }
            }
        }
    }
    assert!(asked > 200, "too few pages were compared: {asked}");
}

#[test]
fn bld_2_no_file_of_an_installation_joins_a_participant_or_kit_to_an_arm() {
    let world = twin(false);
    let study = world.house.studies[CONTROLLED].study();
    let arms: Vec<String> = study.arms.iter().map(|arm| arm.id.to_string()).collect();
    world.house.flush_reads().unwrap();
    let mut looked = 0;
    let mut folders = vec![world.house.folder().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            // The study's files name the arms, as they must; nothing else does, in letters or as a code.
            if path.extension().is_some_and(|extension| extension == "toml") {
                continue;
            }
            looked += 1;
            let bytes = fs::read(&path).unwrap();
            for arm in arms.iter().filter(|arm| !CONTROLLED.contains(arm.as_str())) {
                let found = bytes.windows(arm.len()).any(|at| at.eq_ignore_ascii_case(arm.as_bytes()));
                assert!(!found, "{} names the arm {arm}", path.display());
            }
        }
    }
    assert!(looked >= 4);
    assert!(arms.iter().any(|arm| !CONTROLLED.contains(arm.as_str())));
}

#[test]
fn a11_9_planted_events_are_found_with_the_filters_of_the_audit_trail() {
    let world = World::training(10);
    let study = "imatinib-open";
    let running = &world.house.studies[study];
    let events = running.record(|reader| reader.read(1)).unwrap();
    let corrected = events
        .iter()
        .find(|event| {
            matches!(event.fact, Fact::FormSectionCorrected { .. }) && event.by.person != *"equipoise"
        })
        .unwrap();
    let subject = corrected.stream.to_string().trim_start_matches("subject/").to_owned();
    let mut inspector = world.seated("monitor");
    // What the filters let through, page after page.
    let mut listed = |filters: &str| {
        let (mut path, mut seen) = (format!("/studies/{study}/audit?{filters}"), Vec::new());
        loop {
            let page = text(&inspector.get(&path));
            let on_it =
                page.split("id=\"event-").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
            seen.extend(on_it.map(|number| number.parse::<u64>().unwrap()));
            let links = page.split("href=\"").filter_map(|rest| rest.split('"').next());
            match links.filter(|link| link.contains("before=")).last() {
                Some(link) => path = link.replace("&amp;", "&").replace("&#38;", "&"),
                None => return seen,
            }
        }
    };
    for filters in [
        format!("subject={subject}"),
        format!("subject={subject}&kind=correction"),
        format!("subject={subject}&person={}", corrected.by.person),
        format!("kind=correction&person={}", corrected.by.person),
    ] {
        assert!(listed(&filters).contains(&corrected.sequence), "{filters}");
    }
    for filters in [format!("subject={subject}&kind=signature"), format!("subject={subject}&person=nobody")] {
        assert!(!listed(&filters).contains(&corrected.sequence), "{filters}");
    }
    let seen = listed("");
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "newest first, none twice");
    assert!(seen.len() > events.len() / 2, "{} of {}", seen.len(), events.len());
}

#[test]
fn a11_12_the_account_log_replayed_gives_the_accounts_as_they_are() {
    let world = World::training(2);
    let mut administrator = world.seated("administrator");
    administrator.get("/administration");
    for (login, name) in [("bo.dahl", "Bo Dahl"), ("cy.eng", "Cy Eng")] {
        let fields = [("printed-name", name), ("login", login), ("email", "")];
        assert_eq!(administrator.post("/administration/people", &fields).status, 200);
    }
    let person = |login: &str| world.house.accounts().by_login(login).unwrap().unwrap().person;
    // Who made the links verifies nobody's identity; a second administrator does.
    administrator.get("/administration/people/monitor");
    administrator
        .send("/administration/people/monitor", &[("do", "administrator"), ("reason", "two are needed")]);
    let mut second = world.seated("monitor");
    for (login, steps) in [("bo.dahl", &["end", "restore", "verified"][..]), ("cy.eng", &["verified", "end"])]
    {
        for step in steps {
            let path = format!("/administration/people/{}", person(login));
            let by = if *step == "verified" { &mut second } else { &mut administrator };
            by.get(&path);
            let done = by.post(&path, &[("do", step), ("reason", "as agreed")]);
            assert_eq!(done.status, 303, "{login} {step}");
        }
    }
    let accounts = world.house.accounts();
    let mut replayed: BTreeMap<String, (bool, bool)> = BTreeMap::new();
    let mut lines = accounts.log(None, 10_000).unwrap();
    lines.reverse();
    for line in lines.iter().filter(|line| line.about.starts_with("p-")) {
        assert_eq!(line.by, if line.what == "identity verified" { "monitor" } else { "administrator" });
        let (active, verified) = replayed.entry(line.about.clone()).or_default();
        match line.what.as_str() {
            "account added" | "account restored" => *active = true,
            "account ended" => *active = false,
            "identity verified" => *verified = true,
            _ => {}
        }
    }
    assert_eq!(replayed.len(), 2);
    for (id, (active, verified)) in replayed {
        let account = accounts.of(&id.as_str().into()).unwrap().unwrap();
        assert_eq!((account.active, account.identity_verified_by.is_some()), (active, verified), "{id}");
    }
    accounts.verify_log().unwrap();
}

#[test]
fn e6_4_2_2_a_day_of_log_ins_roles_and_endings_stands_in_the_logs_as_it_went() {
    let world = World::training(2);
    let mut monitor = world.browser();
    monitor.log_in("monitor", "not the password");
    assert_eq!(monitor.log_in("monitor", PASSWORD).status, 303);
    monitor.get("/studies");
    monitor.post("/log-out", &[]);
    let mut administrator = world.seated("administrator");
    administrator.get("/administration/people/monitor");
    administrator.send("/administration/people/monitor", &[("do", "log-out"), ("reason", "lost telephone")]);
    administrator.send("/administration/people/monitor", &[("do", "end"), ("reason", "left the trial")]);
    administrator.get("/administration");
    let fields = [("person", "coordinator.01"), ("role", "data_manager")];
    administrator.send("/administration/studies/imatinib-open/delegations", &fields);
    let said: Vec<String> = world
        .house
        .accounts()
        .log(Some("monitor"), 100)
        .unwrap()
        .into_iter()
        .rev()
        .map(|line| line.what)
        .collect();
    let due = ["wrong name or password", "logged in", "logged out", "logged out everywhere", "account ended"];
    let mut at = said.iter();
    for what in due {
        assert!(at.any(|said| said == what), "`{what}` in its order among {said:?}");
    }
    let running = &world.house.studies["imatinib-open"];
    let last = running.event(running.head().unwrap().sequence).unwrap();
    assert!(matches!(&last.fact, Fact::RoleDelegated { person, role, .. }
        if *person == *"coordinator.01" && *role == *"data_manager"));
    assert_eq!(last.by.person, *"administrator");
}

/// Adds somebody with a password, who has accepted that the signature binds, as investigator at site 01.
fn newcomer(world: &World, verified: bool) -> String {
    let investigator = world.house.accounts().by_login("principal_investigator.01").unwrap().unwrap();
    let plain = store::accounts::Account {
        person: "p-new".into(),
        login: "new.person".to_owned(),
        identity_verified_by: verified.then(|| "administrator".into()),
        ..investigator
    };
    let note = Note {
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
    "p-new".to_owned()
}

const SIGNED: [(&str, &str); 3] =
    [("meaning", "I take responsibility for these data."), ("login", "new.person"), ("password", PASSWORD)];

#[test]
fn p11_100b_nobody_signs_whose_identity_was_not_verified() {
    let (world, ready) = crate::pages::with_visits_to_sign();
    let person = newcomer(&world, false);
    let head = world.house.studies["imatinib-open"].head();
    let mut signer = world.seated(&person);
    signer.get(&ready[0]);
    assert_eq!(signer.post(&ready[0], &SIGNED).status, 409);
    assert_eq!(world.house.studies["imatinib-open"].head(), head);
    let mut administrator = world.seated("administrator");
    let path = format!("/administration/people/{person}");
    administrator.get(&path);
    administrator.send(&path, &[("do", "verified"), ("reason", "passport seen")]);
    signer.get(&ready[0]);
    assert_eq!(signer.post(&ready[0], &SIGNED).status, 303);
}

/// Makes a new invitation for somebody whose page is named, and returns the token of its link.
fn new_link(administrator: &mut Browser<'_>, path: &str) -> String {
    administrator.get(path);
    let page = text(&administrator.post(path, &[("do", "invite"), ("reason", "forgotten")]));
    page.split("/invitation/").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

/// Takes an invitation up in a browser of one's own.
fn take_up<'w>(world: &'w World, link: &str, password: &str) -> Browser<'w> {
    let mut guest = world.browser();
    guest.get(&format!("/invitation/{link}"));
    let passwords = [("password", password), ("password-again", password)];
    assert_eq!(guest.post(&format!("/invitation/{link}"), &passwords).status, 303);
    guest
}

#[test]
fn p11_100b_with_one_administrator_colleagues_confirm_each_other_and_who_made_the_link_nobody() {
    let (world, token) = World::empty();
    let mut root = world.browser();
    root.get("/set-up");
    let own = [
        ("set-up-token", token.as_str()),
        ("login", "administrator"),
        ("printed-name", "Administrator"),
        ("password", PASSWORD),
        ("password-again", PASSWORD),
    ];
    assert_eq!(root.post("/set-up", &own).status, 303);
    let login = |login: &str| world.house.accounts().by_login(login).unwrap().unwrap();
    let page = |name: &str| format!("/administration/people/{}", login(name).person);
    let mut people = Vec::new();
    for name in ["investigator", "coordinator", "monitor"] {
        root.get("/administration");
        let fields = [("printed-name", name), ("login", name), ("email", "")];
        let invited = text(&root.post("/administration/people", &fields));
        let link = invited.split("/invitation/").nth(1).unwrap().split('<').next().unwrap().to_owned();
        let password = format!("a password of {name} alone");
        people.push((take_up(&world, &link, &password), password));
    }
    let [(investigator, own_password), (coordinator, _), (monitor, _)] = &mut people[..] else { panic!() };
    let ids = |name: &str| login(name).person.to_string();
    // The administrator made the link and confirms nothing, and nobody is asked about themselves.
    root.get(&page("coordinator"));
    assert_eq!(root.post(&page("coordinator"), &[("do", "verified")]).status, 409);
    for nobody in [ids("administrator"), ids("coordinator"), "p-none".to_owned()] {
        let refused = root.post(&page("coordinator"), &[("do", "ask"), ("colleague", &nobody)]);
        assert_eq!(refused.status, 400, "{nobody}");
    }
    // Nobody confirms who was not asked.
    let ticket = [
        ("person", ids("coordinator")),
        ("how", "passport seen".to_owned()),
        ("password", own_password.clone()),
    ];
    let ticket: Vec<(&str, &str)> = ticket.iter().map(|(name, value)| (*name, value.as_str())).collect();
    investigator.get("/account/identities");
    assert_eq!(investigator.post("/account/identities", &ticket).status, 409);
    let shown = text(&root.send(&page("coordinator"), &[("do", "ask"), ("colleague", &ids("investigator"))]));
    assert!(shown.contains("Asked:") && shown.contains("investigator"), "{shown}");
    assert!(text(&investigator.get("/account/identities")).contains("coordinator"));
    assert!(!text(&monitor.get("/account/identities")).contains("coordinator"));
    for (wrong, status) in [("how", 400), ("password", 400)] {
        let without: Vec<(&str, &str)> =
            ticket.iter().map(|(name, value)| (*name, if *name == wrong { "" } else { value })).collect();
        investigator.get("/account/identities");
        assert_eq!(investigator.post("/account/identities", &without).status, status, "without {wrong}");
    }
    assert!(login("coordinator").identity_verified_by.is_none());
    investigator.get("/account/identities");
    investigator.send("/account/identities", &ticket);
    assert_eq!(login("coordinator").identity_verified_by, Some(login("investigator").person));
    let coordinator_id = ids("coordinator");
    let log = world.house.accounts().log(Some(&coordinator_id), 50).unwrap();
    let line = log.iter().find(|line| line.what == "identity verified").unwrap();
    assert_eq!((line.by.as_str(), line.detail.as_str()), (ids("investigator").as_str(), "passport seen"));
    // From now on there is somebody whose own identity is verified, so that others are not asked any more.
    root.get(&page("monitor"));
    let refused = root.post(&page("monitor"), &[("do", "ask"), ("colleague", &ids("investigator"))]);
    assert_eq!(refused.status, 400);
    root.send(&page("monitor"), &[("do", "ask"), ("colleague", &ids("coordinator"))]);
    assert!(text(&coordinator.get("/account/identities")).contains("monitor"));
    // Whoever makes the person a new link since is no longer the one to confirm, and what was verified begins anew.
    let link = new_link(&mut root, &page("coordinator"));
    take_up(&world, &link, "another password of theirs");
    assert!(login("coordinator").identity_verified_by.is_none());
}

/// Saves a weight with a reason, as the page asks for it; returns the answer's status and text.
fn save_weight(browser: &mut Browser<'_>, form: &str, weight: &str) -> (u16, String) {
    let page = text(&browser.get(form));
    let was =
        page.split("name=\"was.weight\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let fields = [("was.weight", was.as_str()), ("i.weight", weight), ("reason", "Misread"), ("do", "save")];
    let reply = browser.post(form, &fields);
    (reply.status, text(&reply))
}

#[test]
fn p11_10h_a_study_takes_changes_from_its_registered_terminals_alone_once_it_asks_for_them() {
    let world = World::training(6);
    let study = "imatinib-open";
    let (subject, site) = world.participant_on_treatment(study);
    let form = format!("/studies/{study}/participants/{subject}/forms/vital_signs/Scr/0");
    let running = &world.house.studies[study];
    let terminals = "/administration/terminals";
    let mut administrator = world.seated("administrator");
    let link = |administrator: &mut Browser<'_>, study: &str, site: &str| {
        administrator.get(terminals);
        let fields = [("do", "add"), ("study", study), ("site", site), ("name", "Study office")];
        let page = text(&administrator.post(terminals, &fields));
        page.split("id=\"terminal-link\">")
            .nth(1)
            .unwrap()
            .split('<')
            .next()
            .unwrap()
            .split_once("/terminal/")
            .unwrap()
            .1
            .to_owned()
    };
    let register = |browser: &mut Browser<'_>, token: &str| {
        let path = format!("/terminal/{token}");
        assert_eq!(browser.get(&path).status, 200);
        assert_eq!(browser.post(&path, &[]).status, 200);
        assert_eq!(browser.get(&path).status, 404, "a link works once");
    };
    let coordinator = || world.seated(&format!("coordinator.{site}"));
    // As long as nobody asks for terminals, a registered one is named in what it sends and any browser sends.
    let mut at_site = coordinator();
    register(&mut at_site, &link(&mut administrator, study, &site));
    assert_eq!(save_weight(&mut at_site, &form, "71.1").0, 303);
    let origin = || running.event(running.head().unwrap().sequence).unwrap().origin;
    let named = running
        .record(|reader| reader.read(1))
        .unwrap()
        .into_iter()
        .rev()
        .find(|event| matches!(event.fact, Fact::FormSectionCorrected { .. }))
        .unwrap()
        .origin;
    assert_eq!(named, "web, terminal 1 (Study office)");
    let mut at_home = coordinator();
    assert_eq!(save_weight(&mut at_home, &form, "71.2").0, 303);
    assert_eq!(origin(), "web");
    // Once it asks: unknown, forged, of another study, of another site, withdrawn. All refused, each written down; reading goes on.
    administrator.get(terminals);
    administrator.send(terminals, &[("do", "require"), ("study", study), ("reason", "as the plan says")]);
    let cookie = format!("equipoise-terminal-{study}");
    let mut forged = coordinator();
    forged.cookies.insert(cookie.clone(), "0".repeat(64));
    let mut elsewhere = coordinator();
    register(&mut elsewhere, &link(&mut administrator, "imatinib-controlled", ""));
    let secret = elsewhere.cookies["equipoise-terminal-imatinib-controlled"].clone();
    elsewhere.cookies.insert(cookie.clone(), secret);
    let other = running.study().sites.iter().find(|other| *other.id.as_str() != *site);
    let mut refused = vec![
        (&mut at_home, "is not registered as a terminal"),
        (&mut forged, "registration is unknown"),
        (&mut elsewhere, "registered for another study"),
    ];
    let mut away = coordinator();
    if let Some(other) = other {
        register(&mut away, &link(&mut administrator, study, other.id.as_str()));
        refused.push((&mut away, "registered for another site"));
    }
    let head = running.head();
    for (browser, why) in refused {
        let (status, page) = save_weight(browser, &form, "72.0");
        assert!(status == 409 && page.contains(why), "{why}: {status} {page}");
        assert_eq!(browser.get(&form).status, 200, "{why}");
        let line =
            world.house.accounts().last("change from an unregistered terminal refused").unwrap().unwrap();
        assert!(line.detail.contains(why) && line.about == study && line.by == format!("coordinator.{site}"));
    }
    assert_eq!(running.head(), head);
    assert_eq!(save_weight(&mut at_site, &form, "71.3").0, 303);
    // A withdrawn terminal sends nothing from the next request on.
    administrator.get(terminals);
    administrator.send(terminals, &[("do", "withdraw"), ("terminal", "1"), ("reason", "stolen")]);
    let (status, page) = save_weight(&mut at_site, &form, "71.4");
    assert!(status == 409 && page.contains("registration was withdrawn"), "{page}");
    // What is known of terminals is what the chained log says, after a restart too.
    let mut again = server::terminals::Terminals::default();
    let accounts = world.house.accounts();
    accounts.lines(server::terminals::LINES).unwrap().iter().for_each(|line| again.take(line));
    accounts.verify_log().unwrap();
    drop(accounts);
    assert_eq!(again, *world.house.terminals());
    administrator.send(terminals, &[("do", "free"), ("study", study), ("reason", "")]);
    assert_eq!(save_weight(&mut at_site, &form, "71.5").0, 303);
}

#[test]
fn p11_200a3_who_resets_a_password_cannot_sign_with_what_was_reset() {
    let (world, ready) = crate::pages::with_visits_to_sign();
    let person = newcomer(&world, true);
    let mut administrator = world.seated("administrator");
    let path = format!("/administration/people/{person}");
    // The reset gives no password that would work, only a link; taking it up ends in a password of one's own, and the log
    // shows the owner that somebody did.
    let link = new_link(&mut administrator, &path);
    let mut signer = world.seated(&person);
    let mut attempt = SIGNED;
    attempt[2].1 = &link;
    signer.get(&ready[0]);
    assert_eq!(signer.post(&ready[0], &attempt).status, 400);
    // Nor does the administrator's own session reach the signature.
    assert_eq!(administrator.get(&ready[0]).status, 404);
    let log = world.house.accounts().log(Some(&person), 20).unwrap();
    assert!(log.iter().any(|line| line.what == "invited" && line.by == "administrator"));
}

#[test]
fn p11_200a3_an_administrator_who_takes_up_somebodys_link_cannot_sign_without_a_second_person() {
    let (world, ready) = crate::pages::with_visits_to_sign();
    let person = newcomer(&world, true);
    let mut administrator = world.seated("administrator");
    let path = format!("/administration/people/{person}");
    let link = new_link(&mut administrator, &path);
    // The administrator takes the link up in the person's place, with a password of the administrator's own choice.
    let stolen = "chosen by somebody else";
    let mut thief = take_up(&world, &link, stolen);
    let signed = [SIGNED[0], SIGNED[1], ("password", stolen)];
    let head = world.house.studies["imatinib-open"].head();
    thief.get(&ready[0]);
    let refused = thief.post(&ready[0], &signed);
    assert!(refused.status == 409 && text(&refused).contains("Your identity has to be verified"));
    // Whoever made the link does not verify, and nobody verifies or appoints themselves.
    administrator.get(&path);
    let refused = administrator.post(&path, &[("do", "verified"), ("reason", "seen")]);
    assert!(refused.status == 409 && text(&refused).contains("Another administrator has to verify"));
    let own = "/administration/people/administrator";
    assert_eq!(administrator.post(own, &[("do", "verified")]).status, 400);
    assert_eq!(administrator.post(own, &[("do", "administrator")]).status, 400);
    assert_eq!(thief.post(&path, &[("do", "verified")]).status, 404);
    assert_eq!(world.house.studies["imatinib-open"].head(), head);
    // With a second administrator, and the person's own acceptance, the account signs again.
    administrator
        .send("/administration/people/monitor", &[("do", "administrator"), ("reason", "two are needed")]);
    let mut second = world.seated("monitor");
    second.get(&path);
    second.send(&path, &[("do", "verified"), ("reason", "passport seen")]);
    thief.get(&ready[0]);
    let refused = thief.post(&ready[0], &signed);
    assert!(refused.status == 409 && text(&refused).contains("Accept your electronic signature"));
    let log = world.house.accounts().log(Some(&person), 50).unwrap();
    for what in ["invited", "invitation taken up", "identity verified"] {
        assert!(log.iter().any(|line| line.what == what), "{what}");
    }
}

#[test]
fn p11_30_behind_tls_cookies_travel_by_tls_alone_and_browsers_are_told_to_stay() {
    let mut world = World::training(1);
    world.house.secure = true;
    let mut browser = world.browser();
    let page = browser.get("/log-in");
    let strict = page.headers.iter().find(|(name, _)| *name == "strict-transport-security");
    assert!(strict.is_some_and(|(_, value)| value.contains("max-age=31536000")));
    let reply = browser.log_in("monitor", PASSWORD);
    assert_eq!(location(&reply), "/");
    let cookies: Vec<_> = reply.headers.iter().filter(|(name, _)| *name == "set-cookie").collect();
    assert!(!cookies.is_empty() && cookies.iter().all(|(_, cookie)| cookie.contains("; Secure")));
    assert!(browser.cookies.contains_key(SESSION_COOKIE));
}

#[test]
fn no_page_weighs_more_than_150_kilobytes() {
    let world = World::training(14);
    let study = "/studies/imatinib-open";
    let state = world.house.studies["imatinib-open"].state();
    let casebook = state.casebooks.values().max_by_key(|casebook| casebook.forms.len()).unwrap();
    let mut paths = vec![
        study.to_owned(),
        format!("{study}/participants"),
        format!("{study}/queries?state=all"),
        format!("{study}/dashboard"),
        format!("{study}/audit"),
        format!("{study}/schedule"),
        format!("{study}/participants/{}", casebook.subject),
    ];
    paths.extend(casebook.forms.keys().filter(|key| key.visit.is_some()).map(|key| {
        let visit = key.visit.as_ref().unwrap();
        format!("{study}/participants/{}/forms/{}/{visit}/{}", casebook.subject, key.form, key.row)
    }));
    for person in ["coordinator.01", "data_manager"] {
        let mut browser = world.seated(person);
        for path in &paths {
            let reply = browser.get(path);
            assert!(reply.body.len() < 150_000, "{person} {path}: {} bytes", reply.body.len());
        }
    }
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let weight: u64 = fs::read_dir(files).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(weight < 150_000, "{weight}");
}
