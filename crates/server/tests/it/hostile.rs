//! What an attacker sends: it is refused or shown as text, and never breaks the server.

use server::http::{Fields, Method};

use crate::world::{World, text};

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
