//! Cleaning and closing: verification, queries, review, freezing, locking, the signed manifest.

use record::{FormKey, Part};
use terms::VisitId;

use crate::world::{PASSWORD, World, text};

const OPEN: &str = "imatinib-open";

/// A participant of site 01 whose vital signs of screening are complete, and the path to the participant.
fn screened(world: &World) -> (String, String) {
    let state = world.house.studies[OPEN].state();
    let key = FormKey { visit: Some(VisitId::from("Scr")), form: "vital_signs".into(), row: 0 };
    let casebook = state
        .casebooks
        .values()
        .find(|casebook| casebook.forms.get(&key).is_some_and(|form| form.cells.len() > 3))
        .unwrap();
    (casebook.subject.to_string(), format!("/studies/{OPEN}/participants/{}", casebook.subject))
}

/// What the page's form sends: its hidden fields.
fn hidden(page: &str) -> Vec<(String, String)> {
    let of = |part: &str, name: &str| {
        part.split_once(&format!("{name}=\"")).map(|(_, rest)| rest.split('"').next().unwrap().to_owned())
    };
    page.split("<input type=\"hidden\" ")
        .skip(1)
        .filter_map(|part| Some((of(part, "name")?, of(part, "value")?)))
        .filter(|(name, _)| name.starts_with("was."))
        .collect()
}

fn pairs(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn a_monitor_verifies_what_the_sheet_showed_and_a_change_undoes_it() {
    let world = World::training(6);
    let running = &world.house.studies[OPEN];
    let (subject, path) = screened(&world);
    let sheet = format!("{path}/sheet/Scr");
    let mut monitor = world.seated("monitor");
    let plan = format!("/studies/{OPEN}/verification");
    assert!(text(&monitor.get(&plan)).contains("Nothing is planned yet"));
    let drawn = monitor.send(&plan, &[("percent", "0"), ("first", "0"), ("always", "vital_signs")]);
    assert!(text(&drawn).contains("Visits of the sample") && text(&drawn).contains(&subject));
    let shown = hidden(&text(&monitor.get(&sheet)));
    let weight = "vital_signs.0.weight";
    assert!(shown.iter().any(|(name, _)| name == &format!("was.{weight}")));
    let verified = |item: &str| {
        let key = FormKey { visit: Some(VisitId::from("Scr")), form: "vital_signs".into(), row: 0 };
        let state = running.state();
        state.casebooks[subject.as_str()].cell(&key, item).unwrap().verification().is_some()
    };
    // One item, then the whole form.
    let mut one = pairs(&shown);
    one.extend([("item", weight), ("do", "ticked")]);
    assert!(text(&monitor.send(&sheet, &one)).contains("Verified: 1 item(s)."));
    assert!(verified("weight") && !verified("systolic"));
    let mut whole = pairs(&shown);
    whole.push(("form", "vital_signs.0"));
    monitor.send(&sheet, &whole);
    assert!(verified("systolic"));
    // The site corrects: the verification is gone, and the sheet that was open before verifies nothing.
    let site = &subject[..2];
    let mut coordinator = world.seated(&format!("coordinator.{site}"));
    let form = format!("{path}/forms/vital_signs/Scr/0");
    let page = text(&coordinator.get(&form));
    let was = hidden(&page).into_iter().find(|(name, _)| name == "was.weight").unwrap().1;
    let fields =
        [("was.weight", was.as_str()), ("i.weight", "71.5"), ("reason", "Typing error"), ("do", "save")];
    assert_eq!(coordinator.post(&form, &fields).status, 303);
    assert!(!verified("weight") && verified("systolic"));
    let head = running.head();
    let stale = monitor.post(&sheet, &one);
    assert_eq!(stale.status, 409);
    assert!(text(&stale).contains("were changed while you had the sheet open"));
    assert_eq!(running.head(), head);
    assert!(text(&monitor.get(&format!("{plan}?standing=changed"))).contains(&subject));
    // Taking back needs a reason.
    let fresh = hidden(&text(&monitor.get(&sheet)));
    let mut back = pairs(&fresh);
    back.extend([("item", "vital_signs.0.systolic"), ("do", "back")]);
    assert_eq!(monitor.post(&sheet, &back).status, 409);
    back.push(("reason", "wrong folder"));
    monitor.send(&sheet, &back);
    assert!(!verified("systolic"));
    // Nobody at the site may, nor see the sheet.
    assert_eq!(coordinator.get(&sheet).status, 404);
    assert_eq!(coordinator.post(&sheet, &[("do", "all")]).status, 404);
    // A data manager sees the sheet and verifies nothing on it.
    assert_eq!(world.seated("data_manager").post(&sheet, &[("do", "all")]).status, 404);
}

#[test]
fn one_question_is_tried_and_then_opened_in_many_places_and_closed_in_a_list() {
    let world = World::training(6);
    let running = &world.house.studies[OPEN];
    let mut manager = world.seated("data_manager");
    let queries = format!("/studies/{OPEN}/queries");
    let bulk = format!("{queries}/bulk");
    let listing = format!("{bulk}?form=vital_signs&item=weight&which=value&visit=Scr");
    let page = text(&manager.get(&listing));
    let picks: Vec<String> = page
        .split("name=\"pick\" value=\"")
        .skip(1)
        .map(|part| part.split('"').next().unwrap().to_owned())
        .collect();
    assert!(picks.len() > 3, "{}", picks.len());
    let head = running.head();
    let fields = |how, of| {
        let mut fields = vec![
            ("form", "vital_signs"),
            ("item", "weight"),
            ("which", "value"),
            ("visit", "Scr"),
            ("of", of),
            ("text", "With shoes?"),
            ("do", how),
        ];
        fields.extend(picks.iter().take(3).map(|pick| ("pick", pick.as_str())));
        fields
    };
    let tried = text(&manager.post(&bulk, &fields("try", "coordinator")));
    assert!(tried.contains("Would be opened: <strong>3</strong>"), "{tried}");
    assert_eq!(running.head(), head, "trying writes nothing");
    let refused = text(&manager.post(&bulk, &fields("open", "surgeon")));
    assert!(refused.contains("no role `surgeon` to ask"));
    assert_eq!(running.head(), head, "nor does what is refused");
    let opened = manager.send(&bulk, &fields("open", "coordinator"));
    assert!(text(&opened).contains("Queries opened: 3."));
    let asked = text(&manager.get(&format!("{queries}?form=vital_signs")));
    assert!(asked.matches("With shoes?").count() >= 3);
    let file = text(&manager.get(&format!("{queries}.csv?form=vital_signs")));
    assert!(file.lines().filter(|line| line.contains("With shoes?")).count() >= 3);
    // Answered by the sites, closed together, one of them opened again.
    let of_mine: Vec<(String, String)> = {
        let state = running.state();
        let casebooks = state.casebooks.values();
        casebooks
            .flat_map(|casebook| casebook.queries.iter().map(move |query| (casebook, query)))
            .filter(|(_, query)| query.by.person == *"data_manager" && query.closed.is_none())
            .map(|(casebook, query)| (casebook.subject.to_string(), query.id.to_string()))
            .collect()
    };
    for (subject, query) in &of_mine {
        let path = format!("/studies/{OPEN}/participants/{subject}/queries/{query}");
        let mut coordinator = world.seated(&format!("coordinator.{}", &subject[..2]));
        coordinator.get(&format!("/studies/{OPEN}"));
        assert_eq!(coordinator.post(&format!("{path}/close"), &[]).status, 404, "the site closes nothing");
        assert_eq!(coordinator.post(&format!("{path}/reopen"), &[("text", "x")]).status, 404);
        assert_eq!(coordinator.post(&format!("{path}/answer"), &[("text", "Without.")]).status, 303);
    }
    assert!(text(&manager.get(&format!("{queries}?state=answered"))).contains("Close what is ticked"));
    let ticked: Vec<String> = of_mine.iter().map(|(subject, query)| format!("{subject}/{query}")).collect();
    let ticked: Vec<(&str, &str)> = ticked.iter().map(|pick| ("pick", pick.as_str())).collect();
    assert!(text(&manager.send(&format!("{queries}/close"), &ticked)).contains("Queries closed: 3."));
    let (subject, query) = &of_mine[0];
    let reopen = format!("/studies/{OPEN}/participants/{subject}/queries/{query}/reopen");
    let page = manager.send(&reopen, &[("text", "And at the next visit?")]);
    let page = text(&page);
    for said in ["With shoes?", "Without.", "And at the next visit?", "The query is open again."] {
        assert!(page.contains(said), "{said}");
    }
}

#[test]
fn what_is_frozen_takes_no_entry_and_what_is_reviewed_is_what_was_seen() {
    let world = World::training(6);
    let running = &world.house.studies[OPEN];
    let (subject, path) = screened(&world);
    let sheet = format!("{path}/sheet/Scr");
    let mut manager = world.seated("data_manager");
    let shown = hidden(&text(&manager.get(&sheet)));
    let mut all = pairs(&shown);
    all.push(("review", "all"));
    assert!(text(&manager.send(&sheet, &all)).contains("data review"));
    let mut physician = world.seated("sponsor_physician");
    let shown = hidden(&text(&physician.get(&sheet)));
    let mut all = pairs(&shown);
    all.push(("review", "all"));
    assert!(text(&physician.send(&sheet, &all)).contains("medical review"));
    assert_eq!(physician.post(&sheet, &[("close", "frozen visit")]).status, 404);
    manager.send(&sheet, &[("close", "frozen visit")]);
    let mut coordinator = world.seated(&format!("coordinator.{}", &subject[..2]));
    let form = format!("{path}/forms/vital_signs/Scr/0");
    let was =
        hidden(&text(&coordinator.get(&form))).into_iter().find(|(name, _)| name == "was.weight").unwrap().1;
    let change =
        [("was.weight", was.as_str()), ("i.weight", "71.5"), ("reason", "Typing error"), ("do", "save")];
    let head = running.head();
    let refused = coordinator.post(&form, &change);
    assert_eq!(refused.status, 409);
    assert!(text(&refused).contains("visit Scr is frozen"));
    coordinator.post("/account/language", &[("language", "fr")]);
    assert!(text(&coordinator.post(&form, &change)).contains("le gestionnaire de données peut rouvrir"));
    assert_eq!(running.head(), head);
    assert_eq!(manager.post(&sheet, &[("close", "open visit")]).status, 409, "without a reason");
    manager.send(&sheet, &[("close", "open visit"), ("reason", "the source was found")]);
    assert_eq!(coordinator.post(&form, &change).status, 303);
    // A whole participant and a whole site.
    let steps = format!("{path}/steps/close");
    manager.send(&steps, &[("close", "frozen")]);
    assert!(running.state().casebooks[subject.as_str()].closed.contains_key(&Part::Subject));
    assert_eq!(coordinator.post(&steps, &[("close", "open"), ("reason", "x")]).status, 404);
    let closing = format!("/studies/{OPEN}/closing");
    let site = &subject[..2];
    manager.send(&format!("{closing}/close"), &[("close", &format!("frozen {site}"))]);
    assert!(text(&manager.get(&closing)).contains("frozen"));
    assert_eq!(
        world
            .seated("trial_statistician")
            .post(&format!("{closing}/close"), &[("close", "frozen 01")])
            .status,
        404
    );
}

/// Changes of every kind that the lock has to refuse, each one that is taken otherwise.
fn write_late(world: &World, expected: u16) {
    let running = &world.house.studies[OPEN];
    let state = running.state();
    let casebook = state.casebooks.values().next().unwrap();
    let form = format!("/studies/{OPEN}/participants/{}/forms/vital_signs/Scr/0", casebook.subject);
    let last = state.sequence.to_string();
    let administration = format!("/administration/studies/{OPEN}");
    let asked: [(&str, String, &[(&str, &str)]); 6] = [
        (
            "monitor",
            format!("{form}/queries"),
            &[("item", "systolic"), ("of", "coordinator"), ("text", "late")],
        ),
        ("monitor", format!("/studies/{OPEN}/verification"), &[("percent", "50"), ("first", "1")]),
        ("data_manager", format!("/studies/{OPEN}/audit/review"), &[("up-to", &last), ("finding", "late")]),
        ("data_manager", format!("/studies/{OPEN}/closing/close"), &[("close", "frozen -")]),
        (
            "administrator",
            format!("{administration}/delegations"),
            &[("person", "monitor"), ("role", "sponsor_physician")],
        ),
        (
            "administrator",
            format!("/studies/{OPEN}/go-live/ethics"),
            &[("site", "01"), ("approved", "2031-05-01"), ("reference", "late")],
        ),
    ];
    let mut coordinator = world.seated(&format!("coordinator.{}", casebook.site));
    let brought = coordinator.bring(&format!("{form}/files"), "late.pdf", b"%PDF-1.7 late");
    assert_eq!(brought.status, expected, "{}", text(&brought));
    for (person, path, fields) in asked {
        let before = running.head();
        let mut browser = world.seated(person);
        let reply = browser.post(&path, fields);
        assert_eq!(reply.status, expected, "{person} {path}: {}", text(&reply));
        assert_eq!(running.head() == before, expected != 303, "{person} {path}");
    }
}

#[test]
// Shows: E6-4.2.6, P11-70
fn a_data_manager_comes_to_the_lock_its_manifest_verifies_and_two_people_undo_it() {
    let world = World::finished();
    let running = &world.house.studies[OPEN];
    let closing = format!("/studies/{OPEN}/closing");
    let mut manager = world.seated("data_manager");
    while running
        .state()
        .casebooks
        .values()
        .flat_map(|casebook| &casebook.deviations)
        .any(|one| one.class.is_none())
    {
        let page = text(&manager.get(&closing));
        let names = page.split("<select name=\"c.").skip(1).map(|part| part.split('"').next().unwrap());
        let fields: Vec<(String, String)> =
            names.map(|name| (format!("c.{name}"), "minor".to_owned())).collect();
        manager.send(&format!("{closing}/classify"), &pairs(&fields));
    }
    // What waits for a signature, visits before casebooks.
    let mut investigator = world.seated("principal_investigator.01");
    let right = [
        ("meaning", "I take responsibility for these data."),
        ("login", "principal_investigator.01"),
        ("password", PASSWORD),
    ];
    loop {
        let home = text(&investigator.get(&format!("/studies/{OPEN}")));
        let links = home.split("href=\"").filter_map(|rest| rest.split('"').next());
        let waiting: Vec<String> = links.filter(|path| path.contains("/sign/")).map(str::to_owned).collect();
        if waiting.is_empty() {
            break;
        }
        for path in waiting {
            let signed = investigator.post(&path, &right);
            assert_eq!(signed.status, 303, "{path}: {}", text(&signed));
        }
    }
    let mut statistician = world.seated("trial_statistician");
    statistician.send(&format!("{closing}/sets"), &[("password", PASSWORD)]);
    let head = running.head();
    assert_eq!(manager.post(&format!("{closing}/lock"), &[("password", "wrong password here")]).status, 400);
    assert_eq!(running.head(), head);
    let locked = manager.send(&format!("{closing}/lock"), &[("password", PASSWORD)]);
    let page = text(&locked);
    assert!(page.contains("The database is locked, and the manifest is signed."), "{page}");
    let name = page.split("/closing/manifest/lock-").nth(1).unwrap().split('.').next().unwrap().to_owned();
    let mut fetch = |name: &str| {
        let reply = manager.get(&format!("{closing}/manifest/{name}"));
        assert_eq!(reply.status, 200, "{name}");
        reply.body
    };
    let (document, signature) = (fetch(&format!("lock-{name}.json")), fetch(&format!("lock-{name}.sig")));
    assert!(String::from_utf8(fetch("signing-key.pem")).unwrap().starts_with("-----BEGIN PUBLIC KEY-----"));
    for name in ["..%2F..%2Fsigning.key", "signing.key", "%2Fetc%2Fpasswd"] {
        assert_eq!(manager.get(&format!("{closing}/manifest/{name}")).status, 404, "{name}");
    }
    let events = running.record(|reader| reader.read(1)).unwrap();
    let end = running.head().unwrap();
    let manifest = server::manifest::check(&document, &signature, &events, &end.hash).unwrap();
    assert_eq!(manifest.casebooks.len(), running.state().casebooks.len());
    // Any bit of either.
    for at in [0, document.len() / 2, document.len() - 1] {
        let mut altered = document.clone();
        altered[at] ^= 1;
        assert!(server::manifest::check(&altered, &signature, &events, &end.hash).is_err(), "{at}");
    }
    let mut altered = signature.clone();
    altered[5] ^= 1;
    assert!(server::manifest::check(&document, &altered, &events, &end.hash).is_err());
    let cut = &events[..events.len() - 1];
    assert!(server::manifest::check(&document, &signature, cut, &end.hash).is_err());
    // E6-4.2.6: after the lock every way to write is refused; two people unlock, with a reason.
    write_late(&world, 409);
    let subject = running.state().casebooks.keys().next().unwrap().to_string();
    let mut investigator = world.seated(&format!("principal_investigator.{}", &subject[..2]));
    let step = format!("/studies/{OPEN}/participants/{subject}/steps/withdraw");
    assert_eq!(investigator.post(&step, &[("date", "2031-05-20"), ("keep", "yes")]).status, 409);
    let propose = format!("{closing}/propose-unlock");
    assert_eq!(statistician.post(&propose, &[("password", PASSWORD), ("reason", "late")]).status, 404);
    assert_eq!(manager.post(&propose, &[("password", PASSWORD)]).status, 409, "without a reason");
    manager.send(&propose, &[("password", PASSWORD), ("reason", "a late laboratory report")]);
    let page = text(&statistician.get(&closing));
    assert!(page.contains("a late laboratory report") && page.contains("Approve: unlock the database"));
    assert_eq!(manager.post(&format!("{closing}/approve-unlock"), &[("password", PASSWORD)]).status, 404);
    let page = statistician.send(&format!("{closing}/approve-unlock"), &[("password", PASSWORD)]);
    assert!(!text(&page).contains("The database is locked."));
    assert!(running.state().locked.is_none());
    write_late(&world, 303);
    // P11-70: the first lock's signature is of that lock alone; it does not fit what came after, nor another's document.
    let events = running.record(|reader| reader.read(1)).unwrap();
    let end = running.head().unwrap();
    assert!(server::manifest::check(&document, &signature, &events, &end.hash).is_err());
    let moved = String::from_utf8(document.clone())
        .unwrap()
        .replace(&format!("\"sequence\": {name}"), "\"sequence\": 1");
    assert_ne!(moved.as_bytes(), document);
    assert!(server::manifest::check(moved.as_bytes(), &signature, &events, &end.hash).is_err());
}
