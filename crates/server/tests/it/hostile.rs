//! What an attacker sends: it is refused or shown as text, and never breaks the server.

use std::collections::{BTreeMap, BTreeSet};

use server::{
    http::{Fields, Method, segment},
    routes::{ROUTES, find},
};

use crate::world::{Browser, STUDIES, World, text};

const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'; DROP TABLE events; --",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "../../../../etc/passwd",
    "%2e%2e%2f%00",
    "javascript:alert(1)",
    "\u{202e}\u{0}\u{7}evil",
    "=HYPERLINK(\"http://evil\")",
    "99999999999999999999999999",
    "-1e999",
    "NaN",
    "2031-02-30",
    "😀é\u{301}",
];

#[test]
fn hostile_text_in_any_place_is_refused_or_shown_as_text_and_never_breaks_a_page() {
    let world = World::training(6);
    let study = "/studies/imatinib-open";
    let subject = {
        let state = world.house.studies["imatinib-open"].state();
        let casebook = state.casebooks.values().max_by_key(|casebook| casebook.visits.len()).unwrap();
        casebook.subject.to_string()
    };
    let mut browsers = [
        world.seated("coordinator.01"),
        world.seated("principal_investigator.01"),
        world.seated("data_manager"),
        world.seated("administrator"),
    ];
    let long = "x".repeat(100_000);
    for text_sent in HOSTILE.iter().copied().chain([long.as_str()]) {
        let sent = server::http::segment(text_sent);
        let gets = [
            format!(
                "{study}/participants?search={sent}&sort={sent}&order={sent}&page={sent}&status={sent}&site={sent}"
            ),
            format!("{study}/participants.csv?search={sent}&sort={sent}"),
            format!("{study}/queries?state={sent}&page={sent}"),
            format!("{study}/audit?subject={sent}&person={sent}&kind={sent}&before={sent}"),
            format!("{study}/participants/{sent}"),
            format!("{study}/participants/{subject}/forms/{sent}/{sent}/{sent}"),
            format!("{study}/participants/{subject}/forms/vital_signs/Scr/{sent}"),
            format!("{study}/participants/{subject}/sign/{sent}"),
            format!("/studies/{sent}"),
            format!("/static/{sent}"),
            format!("/invitation/{sent}"),
            format!("/administration/people/{sent}"),
            format!("/administration/log?of={sent}"),
            format!("{study}/participants/{subject}?as-of={sent}"),
            format!("{study}/participants/{subject}/forms/vital_signs/Scr/0?as-of={sent}"),
            format!("{study}/participants/{subject}/forms/vital_signs/Scr/0/files/{sent}"),
            format!("{study}/participants/{subject}/sheet/{sent}"),
            format!("{study}/closing/manifest/{sent}"),
            format!("{study}/verification?standing={sent}&site={sent}&page={sent}"),
            format!("{study}/queries/bulk?form={sent}&item={sent}&which={sent}&visit={sent}"),
            format!("/manual/{sent}"),
            format!("/terminal/{sent}"),
            format!("/{sent}"),
        ];
        let base = format!("{study}/participants/{subject}");
        let posts: Vec<(String, Vec<&str>)> = vec![
            (
                format!("{base}/forms/vital_signs/Scr/0"),
                vec!["was.weight", "i.weight", "m.weight", "reason", "do", "take.weight"],
            ),
            (
                format!("{base}/forms/adverse_events/-/1"),
                vec![
                    "was.term",
                    "i.term",
                    "was.start",
                    "i.start",
                    "i.start.year",
                    "i.start.month",
                    "i.start.day",
                    "reason",
                ],
            ),
            (format!("{base}/forms/vital_signs/Scr/0/queries"), vec!["item", "of", "text"]),
            (format!("{base}/steps/hold"), vec!["visit", "date", "reason"]),
            (format!("{base}/steps/miss"), vec!["visit", "reason"]),
            (format!("{base}/steps/dose"), vec!["step", "from", "dose", "rule", "row", "reason"]),
            (format!("{base}/steps/eligibility"), vec!["visit", "date", "eligible", "waived", "reason"]),
            (format!("{base}/steps/end-treatment"), vec!["end-reason", "last-dose", "row"]),
            (format!("{base}/steps/{sent}"), vec!["visit"]),
            (format!("{base}/sign/Scr"), vec!["meaning", "login", "password"]),
            (format!("{study}/consent"), vec!["site", "version", "date"]),
            (format!("{study}/slides/read"), vec!["code", "i.thickness"]),
            (format!("{study}/role"), vec!["role"]),
            ("/account/language".to_owned(), vec!["language"]),
            ("/account/second-factor".to_owned(), vec!["do", "secret", "code", "password"]),
            ("/administration/people".to_owned(), vec!["login", "printed-name", "email"]),
            ("/administration/studies/imatinib-open/delegations".to_owned(), vec!["person", "role", "site"]),
            ("/administration/studies/imatinib-open/sites".to_owned(), vec!["site"]),
            (format!("{base}/forms/vital_signs/Scr/0/files/{sent}/withdraw"), vec!["reason"]),
            (
                format!("{study}/go-live/{sent}"),
                vec!["evidence", "part", "site", "approved", "reference", "pack"],
            ),
            (format!("{study}/safety/{sent}"), vec!["decision", "reason"]),
            (format!("/terminal/{sent}"), vec!["name"]),
            ("/account/identities".to_owned(), vec!["person", "how", "password"]),
            ("/administration/terminals".to_owned(), vec!["study", "site", "name", "terminal"]),
            ("/administration/people/monitor".to_owned(), vec!["do", "colleague", "email", "reason"]),
        ];
        for browser in &mut browsers {
            for path in &gets {
                let reply = browser.get(path);
                assert!(reply.status < 500, "GET {path}: {} {}", reply.status, text(&reply));
                assert!(!text(&reply).contains("<script>alert"), "GET {path}");
                assert!(!text(&reply).contains("<img src=x"), "GET {path}");
            }
            for (path, names) in &posts {
                let fields: Vec<(&str, &str)> = names.iter().map(|name| (*name, text_sent)).collect();
                let reply = browser.post(path, &fields);
                assert!(reply.status < 500, "POST {path} {text_sent:.60}: {} {}", reply.status, text(&reply));
                assert!(!text(&reply).contains("<script>alert"), "POST {path}");
            }
        }
    }
    // What was stored on the way (queries, events, names) is shown as text.
    for browser in &mut browsers {
        for path in ["", "/participants", "/queries?state=all", "/audit"] {
            let reply = browser.get(&format!("{study}{path}"));
            assert!(
                !text(&reply).contains("<script>alert") && !text(&reply).contains("<img src=x"),
                "{path}"
            );
        }
    }
    for running in world.house.studies.values() {
        assert_eq!(running.trouble(), None);
    }
}

#[test]
fn identifiers_of_others_lead_nowhere() {
    let world = World::training(8);
    let study = "/studies/imatinib-controlled";
    let mut coordinator = world.seated("coordinator.01");
    let head = world.house.studies["imatinib-controlled"].head();
    let others: Vec<String> = {
        let state = world.house.studies["imatinib-controlled"].state();
        state
            .casebooks
            .values()
            .filter(|casebook| casebook.site != *"01")
            .map(|casebook| casebook.subject.to_string())
            .collect()
    };
    assert!(!others.is_empty());
    for subject in others {
        let base = format!("{study}/participants/{subject}");
        for path in [&base, &format!("{base}/forms/vital_signs/Scr/0"), &format!("{base}/sign/Scr")] {
            assert_eq!(coordinator.get(path).status, 404);
        }
        let forged = [("was.weight", "0"), ("i.weight", "60"), ("visit", "M1"), ("date", "2031-05-20")];
        assert_eq!(coordinator.post(&format!("{base}/forms/vital_signs/Scr/0"), &forged).status, 404);
        assert_eq!(coordinator.post(&format!("{base}/steps/hold"), &forged).status, 404);
    }
    assert_eq!(world.house.studies["imatinib-controlled"].head(), head);
}

#[test]
fn paths_that_are_no_paths_are_not_found() {
    let world = World::training(1);
    let mut browser = world.seated("monitor");
    for path in [
        "",
        "//",
        "/studies/",
        "/static/../accounts.sqlite",
        "/static/..%2faccounts.sqlite",
        "/%zz",
        "/studies/%00",
        "*",
    ] {
        let status = browser.ask(Method::Get, path, Fields::default()).status;
        assert!(matches!(status, 404 | 405), "{path}: {status}");
    }
    assert_eq!(browser.ask(Method::Post, "/studies", Fields::default()).status, 405);
}

// ---- every field of every form, as the pages have them ----

/// A form of a page.
#[derive(Clone, Debug)]
struct HtmlForm {
    post: bool,
    action: String,
    fields: Vec<HtmlField>,
}

#[derive(Clone, Debug)]
struct HtmlField {
    name: String,
    value: String,
    /// Whether people type into it.
    typed: bool,
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split_once(&format!(" {name}=\""))?.1;
    let value = rest.split('"').next()?;
    Some(value.replace("&#38;", "&").replace("&amp;", "&").replace("&#34;", "\"").replace("&quot;", "\""))
}

/// Reads the forms of a page. Of choices, the chosen one is sent, or the first.
fn forms(page: &str, path: &str) -> Vec<HtmlForm> {
    let mut forms: Vec<HtmlForm> = Vec::new();
    let (mut inside, mut select) = (false, String::new());
    for tag in page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default()) {
        let name = attribute(tag, "name");
        if tag.starts_with("form") {
            inside = true;
            let post = attribute(tag, "method").as_deref() == Some("post");
            let action = attribute(tag, "action").unwrap_or_else(|| path.to_owned());
            forms.push(HtmlForm { post, action, fields: Vec::new() });
        } else if tag.starts_with("/form") {
            inside = false;
        }
        let Some(form) = forms.last_mut().filter(|_| inside) else { continue };
        let value = attribute(tag, "value").unwrap_or_default();
        let known = |form: &HtmlForm, name: &str| form.fields.iter().any(|field| field.name == name);
        match name {
            Some(name)
                if tag.starts_with("input") || tag.starts_with("textarea") || tag.starts_with("button") =>
            {
                let kind = attribute(tag, "type").unwrap_or_default();
                let choice = matches!(kind.as_str(), "radio" | "checkbox") || tag.starts_with("button");
                if choice && known(form, &name) && !tag.ends_with("checked") {
                    continue;
                }
                if choice {
                    form.fields.retain(|field| field.name != name);
                }
                let typed = !choice && !matches!(kind.as_str(), "hidden" | "password");
                form.fields.push(HtmlField { name, value, typed });
            }
            Some(name) if tag.starts_with("select") => select = name,
            None if tag.starts_with("option") && !select.is_empty() => {
                if tag.ends_with("selected") || !known(form, &select) {
                    form.fields.retain(|field| field.name != select);
                    form.fields.push(HtmlField { name: select.clone(), value, typed: false });
                }
            }
            _ if tag.starts_with("/select") => select.clear(),
            _ => {}
        }
    }
    forms
}

/// What is the same about a path wherever it leads: its route, the form it names and the step.
fn kind(path: &str) -> Option<String> {
    let plain = path.split(['?', '#']).next().unwrap_or_default();
    let found = [Method::Get, Method::Post].into_iter().find_map(|method| find(method, plain)?.ok());
    let (route, params) = found?;
    let of = |name: &str| params.get(name).cloned().unwrap_or_default();
    Some(format!("{} {} {} {}", route.path, of("study"), of("form"), of("step")))
}

/// Walks through the pages that a person is led to, one of each kind.
fn walk(world: &World, browser: &mut Browser<'_>, look: &mut dyn FnMut(&mut Browser<'_>, &str, &str)) {
    let mut open = vec!["/studies".to_owned(), "/account".to_owned()];
    open.extend(STUDIES.iter().map(|study| format!("/studies/{study}")));
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    while let Some(path) = open.pop() {
        let Some(kind) = kind(&path) else { continue };
        let count = seen.entry(kind).or_default();
        *count += 1;
        if *count > 2 {
            continue;
        }
        world.wait(1);
        let reply = browser.get(&path);
        assert!(reply.status < 500, "GET {path}: {}", text(&reply));
        if reply.status != 200 || !reply.content_type.starts_with("text/html") {
            continue;
        }
        let page = text(&reply);
        look(browser, &path, &page);
        for link in page.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            if link.starts_with('/') {
                open.insert(
                    0,
                    link.split('#').next().unwrap_or_default().replace("&#38;", "&").replace("&amp;", "&"),
                );
            }
        }
    }
}

/// Scripts as they are tried, each with a mark of its own by which it is found again.
const SCRIPTS: &[&str] = &[
    "<script>alert(7)</script>",
    "\"><img src=x onerror=alert(7)>",
    "'><svg/onload=alert(7)>",
    "</textarea><script>alert(7)</script>",
    "javascript:alert(7)//",
    "{{7*7}}<b onmouseover=alert(7)>",
];

/// No script may stand in a page but as text: neither as a tag nor as an attribute that broke out of its quotes.
fn assert_harmless(path: &str, page: &str) {
    for live in ["<script>alert(7)", "<img src=x", "<svg/onload", "<b onmouseover", "href=\"javascript:"] {
        assert!(!page.contains(live), "{path} holds {live}");
    }
}

#[test]
fn scripts_typed_into_every_field_of_every_form_are_refused_or_shown_as_text_wherever_they_come_up_again() {
    let world = World::training(10);
    let people = [
        "coordinator.01",
        "principal_investigator.01",
        "skin_assessor.01",
        "pharmacist.01",
        "monitor",
        "data_manager",
        "trial_statistician",
        "pathologist",
        "specimen_custodian",
        "sponsor_physician",
        "safety_board",
        "administrator",
    ];
    let mut posted = BTreeSet::new();
    let (mut stored, mut sent) = (0_u32, 0_u32);
    for person in people {
        let mut browser = world.seated(person);
        let mut found: BTreeMap<(String, Vec<String>), HtmlForm> = BTreeMap::new();
        walk(&world, &mut browser, &mut |_, path, page| {
            for form in forms(page, path) {
                let names = form.fields.iter().map(|field| field.name.clone()).collect();
                let kind = kind(&form.action).unwrap_or_default();
                found.entry((kind, names)).or_insert(form);
            }
        });
        for (index, form) in found.into_values().enumerate() {
            // What ends the session, the account or the whole trial comes last or not at all: each is tried by its own test.
            let ends = ["/log-out", "/account/password", "/account/second-factor", "/end"];
            if ends.iter().any(|end| form.action.ends_with(end)) {
                continue;
            }
            let script = SCRIPTS[index % SCRIPTS.len()];
            let typed = |field: &HtmlField, all: bool| match field.name.as_str() {
                server::gate::TOKEN_FIELD => None,
                "password" => Some(crate::world::PASSWORD.to_owned()),
                "login" if !form.action.contains("administration") => Some(person.to_owned()),
                _ if all || field.typed && !is_day(&field.value) => Some(script.to_owned()),
                _ => Some(field.value.clone()),
            };
            // First with what people choose left sound, so that what they type is stored; then in every field there is.
            for all in [false, true] {
                let fields: Vec<(String, String)> = form
                    .fields
                    .iter()
                    .filter_map(|field| Some((field.name.clone(), typed(field, all)?)))
                    .collect();
                let pairs: Vec<(&str, &str)> =
                    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                world.wait(1);
                let reply = if form.post {
                    posted.insert(kind(&form.action).unwrap_or_default());
                    browser.post(&form.action, &pairs)
                } else {
                    let query: Vec<String> = pairs
                        .iter()
                        .map(|(name, value)| format!("{}={}", segment(name), segment(value)))
                        .collect();
                    let plain = form.action.split('?').next().unwrap_or_default();
                    browser.get(&format!("{plain}?{}", query.join("&")))
                };
                sent += 1;
                stored += u32::from(form.post && reply.status == 303);
                assert!(reply.status < 500, "{person} {} {pairs:?}: {}", form.action, text(&reply));
                assert_harmless(&form.action, &text(&reply));
            }
        }
    }
    assert!(sent > 200 && stored > 20 && posted.len() > 20, "{sent} sent, {stored} stored, {posted:?}");
    // Whoever comes after reads it as text.
    let mut shown = 0;
    for person in people.iter().chain(&["coordinator.02", "inspector"]) {
        let mut browser = world.seated(person);
        walk(&world, &mut browser, &mut |_, path, page| {
            assert_harmless(path, page);
            shown += u32::from(page.contains("alert(7)"));
        });
    }
    assert!(shown > 5, "what was typed comes up again: {shown}");
    for running in world.house.studies.values() {
        assert_eq!(running.trouble(), None);
    }
}

fn is_day(text: &str) -> bool {
    text.len() == 10 && text.as_bytes()[4] == b'-'
}

#[test]
fn no_change_is_taken_without_the_token_of_the_session_or_from_another_site() {
    let world = World::training(4);
    let heads = || STUDIES.map(|study| world.house.studies[study].head());
    let before = heads();
    for person in ["coordinator.01", "data_manager", "administrator"] {
        for route in ROUTES.iter().filter(|route| route.method == Method::Post) {
            let path = route.path.replace("{study}", STUDIES[1]).replace("{subject}", "01-001");
            let path = path.replace("{form}", "vital_signs").replace("{visit}", "Scr").replace("{row}", "0");
            let path =
                path.replace("{step}", "hold").replace("{query}", "01-001-Q1").replace("{what}", "Scr");
            let path = path.replace("{person}", "monitor").replace("{token}", "0");
            for token in ["", "0000", "another"] {
                world.wait(1);
                let mut browser = world.seated(person);
                browser.token = token.to_owned();
                let status = browser.post(&path, &[("date", "2031-05-20"), ("reason", "forged")]).status;
                assert!(matches!(status, 400 | 404), "{person} {path} with token {token:?}: {status}");
            }
            let mut browser = world.seated(person);
            let status = browser.post_from(&path, "https://evil.example", &[("date", "2031-05-20")]).status;
            assert_eq!(status, 400, "{person} {path} from another site");
        }
    }
    assert_eq!(heads(), before);
}

#[test]
fn files_of_attackers_are_given_back_as_what_they_are_and_numbers_of_others_lead_nowhere() {
    let world = World::training(6);
    let study = STUDIES[0];
    let (subject, site) = world.participant_on_treatment(study);
    let base = format!("/studies/{study}/participants/{subject}");
    let form = format!("{base}/forms/vital_signs/Scr/0");
    let mut coordinator = world.seated(&format!("coordinator.{site}"));
    let long = "x".repeat(5_000);
    let mut names: Vec<&str> = HOSTILE.to_vec();
    names.extend(SCRIPTS);
    names.extend(["a\r\nSet-Cookie: x=1", "..", "", ".pdf", "con", long.as_str()]);
    let mut attached = 0;
    for (index, name) in names.iter().enumerate() {
        world.wait(1);
        coordinator.get(&form);
        let content = format!("%PDF-1.7 {index} <script>alert(7)</script>");
        let reply = coordinator.bring(&format!("{form}/files"), name, content.as_bytes());
        assert!(reply.status < 500, "{name}: {}", text(&reply));
        assert_harmless(name, &text(&reply));
        attached += u32::from(reply.status == 303);
        assert_harmless(name, &text(&coordinator.get(&form)));
    }
    assert!(attached > 15, "{attached}");
    for number in 1..=attached {
        let reply = coordinator.get(&format!("{form}/files/{number}"));
        assert_eq!((reply.status, reply.content_type), (200, "application/pdf"), "{number}");
        let header = |name: &str| reply.headers.iter().find(|(known, _)| *known == name).unwrap().1.clone();
        let disposition = header("content-disposition");
        assert!(
            disposition.starts_with("attachment; filename=\"") && disposition.is_ascii(),
            "{disposition}"
        );
        assert!(!disposition.contains(['\r', '\n', '<', '\0']), "{disposition}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(header("content-security-policy").starts_with("default-src 'none'"));
    }
    // What looks like a file that a form takes and is another.
    for other in [
        &b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(7)'/>"[..],
        b"\xef\xbb\xbf<html>",
        b"GIF89a\x01\0<script>",
        b"\x7fELF",
        b"\0\0\0",
    ] {
        coordinator.get(&form);
        let reply = coordinator.bring(&format!("{form}/files"), "a.pdf", other);
        assert_eq!(reply.status, 400, "{other:?}");
    }
    // Numbers, forms, participants, studies and sites of others.
    let head = world.house.studies[study].head();
    let away =
        world.house.studies[study].study().sites.iter().find(|other| *other.id.as_str() != *site).unwrap();
    let mut others = [world.seated(&format!("coordinator.{}", away.id)), world.seated("pathologist")];
    let elsewhere = [
        format!("{form}/files/999"),
        format!("{form}/files/-1"),
        format!("{form}/files/18446744073709551617"),
        format!("{form}/files/1%00"),
        format!("{form}/files/..%2f1"),
        format!("{base}/forms/vital_signs/Scr/1/files/1"),
        format!("{base}/forms/examination/Scr/0/files/1"),
        format!("/studies/{}/participants/{subject}/forms/vital_signs/Scr/0/files/1", STUDIES[1]),
    ];
    for path in &elsewhere {
        assert_eq!(coordinator.get(path).status, 404, "{path}");
        assert_eq!(
            coordinator.post(&format!("{path}/withdraw"), &[("reason", "mine")]).status / 100,
            4,
            "{path}"
        );
    }
    for other in &mut others {
        other.get("/studies");
        assert_eq!(other.get(&format!("{form}/files/1")).status, 404);
        assert_eq!(other.post(&format!("{form}/files/1/withdraw"), &[("reason", "mine")]).status, 404);
    }
    assert_eq!(world.house.studies[study].head(), head);
}

#[test]
fn wordings_evidence_and_decisions_of_attackers_are_refused_or_shown_as_text() {
    let (world, _) = World::empty();
    crate::going_live::accounts(&world, &["administrator", "data_manager", "trial_statistician"]);
    let mut administrator = world.seated("administrator");
    crate::going_live::staff(&mut administrator, &[("data_manager", None), ("trial_statistician", None)]);
    let page = format!("{}/go-live", crate::going_live::STUDY);
    let sound = protocol::content_pack::skeleton("haq_di", "en").unwrap();
    let packs = [
        format!("a = {}", "[".repeat(50_000)),
        format!("a = {}", "{ b = ".repeat(20_000)),
        format!("{}a = 1", "[x.".repeat(10_000)),
        "a = 1\n".repeat(50_000),
        sound.replace("\"\"", "\"<script>alert(7)</script>\""),
        sound.replace("haq_di", "../../../../etc/passwd"),
        sound.replace("en", "<img src=x onerror=alert(7)>"),
        "\u{0}\u{feff}".to_owned(),
    ];
    for pack in &packs {
        world.wait(1);
        administrator.get(&page);
        let reply = administrator.post(&format!("{page}/wording"), &[("pack", pack)]);
        assert!(reply.status < 500, "{:.60}: {:.300}", pack, text(&reply));
        assert_harmless(&page, &text(&reply));
        assert_harmless(&page, &text(&administrator.get(&page)));
    }
    let mut manager = world.seated("data_manager");
    for script in SCRIPTS.iter().chain(HOSTILE).copied() {
        world.wait(1);
        manager.get(&page);
        let sent: [(&str, &[(&str, &str)]); 3] = [
            ("test", &[("evidence", script), ("password", crate::world::PASSWORD)]),
            ("approve", &[("part", script), ("password", crate::world::PASSWORD)]),
            (script, &[]),
        ];
        for (step, fields) in sent {
            let reply = manager.post(&format!("{page}/{}", segment(step)), fields);
            assert!(reply.status < 500, "{step}: {}", text(&reply));
            assert_harmless(step, &text(&reply));
        }
        administrator.get(&page);
        let ethics = [("site", "01"), ("approved", script), ("reference", script)];
        assert_eq!(administrator.post(&format!("{page}/ethics"), &ethics).status, 400);
        let ethics = [("site", script), ("approved", "2031-04-30"), ("reference", script)];
        assert_eq!(administrator.post(&format!("{page}/ethics"), &ethics).status, 409);
        for browser in [&mut manager, &mut administrator] {
            assert_harmless(&page, &text(&browser.get(&page)));
        }
    }
    // Nothing but what was sent to the wordings' folder under its digest lies there.
    let folder = world.house.wordings(&"imatinib-open".into());
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name.len() == 69 && name.ends_with(".toml"), "{name}");
    }
    assert_eq!(world.house.studies["imatinib-open"].trouble(), None);
}

#[test]
fn malformed_and_oversized_bodies_are_refused() {
    let world = World::training(2);
    let mut browser = world.seated("coordinator.01");
    let bodies: Vec<Vec<u8>> = vec![
        b"%".to_vec(),
        b"%zz=%f".to_vec(),
        b"=&=&&&".to_vec(),
        vec![0; 4096],
        vec![0xff; 4096],
        b"a=1&".repeat(20_000),
        [b"i.weight=".to_vec(), b"9".repeat(500_000)].concat(),
        "i.weight=\u{0}&i.weight=\u{202e}".as_bytes().to_vec(),
    ];
    let subject = world.house.studies[STUDIES[1]].state().casebooks.keys().next().unwrap().to_string();
    let head = world.house.studies[STUDIES[1]].head();
    let base = format!("/studies/{}/participants/{subject}", STUDIES[1]);
    for body in &bodies {
        for path in [
            format!("{base}/forms/vital_signs/Scr/0"),
            format!("{base}/steps/hold"),
            format!("{base}/forms/vital_signs/Scr/0/queries"),
            "/account/language".to_owned(),
            "/log-in".to_owned(),
        ] {
            world.wait(1);
            // With the right token in front, so that the rest is looked at.
            let token = format!("{}={}&", server::gate::TOKEN_FIELD, browser.token);
            let fields = Fields::parse(&[token.as_bytes(), body].concat());
            let reply = browser.ask(Method::Post, &path, fields);
            assert!(reply.status < 500, "{path}: {}", reply.status);
        }
    }
    assert_eq!(world.house.studies[STUDIES[1]].head(), head);
}
