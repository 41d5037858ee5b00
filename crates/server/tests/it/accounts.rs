//! Accounts, sessions, secrets.

use server::{gate::SESSION_COOKIE, http::Method};

use crate::world::{PASSWORD, World, location, text};

const OWN: &str = "a long walk by the river";

fn set_up(world: &World, token: &str) -> String {
    let mut browser = world.browser();
    assert_eq!(location(&browser.get("/")), "/set-up");
    browser.get("/set-up");
    let fields = |token| {
        [
            ("set-up-token", token),
            ("login", "anna.berg"),
            ("printed-name", "Anna Berg"),
            ("email", ""),
            ("password", OWN),
            ("password-again", OWN),
        ]
    };
    let refused = browser.post("/set-up", &fields("guessed-token"));
    assert_eq!(refused.status, 400);
    let done = browser.post("/set-up", &fields(token));
    assert_eq!(done.status, 303, "{}", text(&done));
    browser.cookies[SESSION_COOKIE].clone()
}

#[test]
fn a11d_15_the_first_start_asks_for_its_own_administrator_and_has_no_default_secret() {
    let (world, token) = World::empty();
    assert!(world.house.accounts().all().unwrap().is_empty());
    assert_ne!(world.browser().log_in("admin", "admin").status, 303);
    set_up(&world, &token);
    let mut again = world.browser();
    assert_eq!(again.get("/set-up").status, 404);
    assert_eq!(world.house.accounts().all().unwrap().len(), 1);
}

#[test]
fn p11_10i_e6_4_3_8_a_person_is_invited_once_delegated_trained_and_loses_the_role_at_its_end() {
    let (world, token) = World::empty();
    set_up(&world, &token);
    let mut administrator = world.browser();
    assert_eq!(administrator.log_in("anna.berg", OWN).status, 303);
    administrator.get("/administration");
    let opened = administrator.send("/administration/studies/imatinib-open/open", &[]);
    assert!(text(&opened).contains("record open since"));
    let invited = administrator
        .post("/administration/people", &[("printed-name", "Bo Dahl"), ("login", "bo.dahl"), ("email", "")]);
    let page = text(&invited);
    let link = page.split("/invitation/").nth(1).unwrap().split('<').next().unwrap();
    let path = format!("/invitation/{link}");
    let mut guest = world.browser();
    assert!(text(&guest.get(&path)).contains("Bo Dahl"));
    let weak = guest.post(&path, &[("password", "too short"), ("password-again", "too short")]);
    assert_eq!(weak.status, 400);
    let own = "nine green bottles hanging";
    assert_eq!(guest.post(&path, &[("password", own), ("password-again", own)]).status, 303);
    assert_eq!(world.browser().get(&path).status, 404);
    assert!(text(&guest.get("/studies")).contains("no role"));
    let person = world.house.accounts().by_login("bo.dahl").unwrap().unwrap().person;
    let site = world.house.studies["imatinib-open"].study().sites[0].id.to_string();
    administrator.get("/administration");
    let fields = [("person", person.as_str()), ("role", "coordinator"), ("site", site.as_str())];
    administrator.send("/administration/studies/imatinib-open/delegations", &fields);
    // P11-10i: without the training there is no seat; both are in the record.
    assert!(text(&guest.get("/studies")).contains("no role"));
    let trained = [("person", person.as_str()), ("role", "coordinator")];
    administrator.send("/administration/studies/imatinib-open/training", &trained);
    assert_eq!(location(&guest.get("/studies")), "/studies/imatinib-open");
    assert!(text(&guest.get("/studies/imatinib-open")).contains("Study coordinator"));
    // E6-4.3.8: the delegation ends with its last day, for every page at once.
    let ended = [fields[0], fields[1], fields[2], ("until", "2031-05-20")];
    administrator.send("/administration/studies/imatinib-open/delegations/end", &ended);
    assert_eq!(guest.get("/studies/imatinib-open").status, 200);
    world.wait(24 * 60 * 60);
    let mut guest = world.seated(&person.to_string());
    assert_eq!(guest.get("/studies/imatinib-open").status, 404);
}

#[test]
fn p11_10d_without_a_live_session_of_an_active_account_nothing_is_answered() {
    let world = World::training(3);
    let path = "/studies/imatinib-open/participants";
    let mut browser = world.browser();
    assert_eq!(location(&browser.get(path)), "/log-in");
    browser.cookies.insert(SESSION_COOKIE.to_owned(), "f".repeat(64));
    assert_eq!(location(&browser.get(path)), "/log-in");
    let mut monitor = world.seated("monitor");
    assert_eq!(monitor.get(path).status, 200);
    world.wait(31 * 60);
    assert_eq!(location(&monitor.get(path)), "/log-in");
    let mut monitor = world.seated("monitor");
    let mut administrator = world.seated("administrator");
    administrator.send("/administration/people/monitor", &[("do", "end"), ("reason", "left")]);
    assert_eq!(location(&monitor.get(path)), "/log-in");
    assert_eq!(monitor.log_in("monitor", PASSWORD).status, 403);
}

#[test]
fn the_cookie_changes_at_log_in_and_cannot_be_read_by_scripts() {
    let world = World::training(1);
    let mut browser = world.browser();
    let planted = world.seated("monitor").cookies[SESSION_COOKIE].clone();
    browser.cookies.insert(SESSION_COOKIE.to_owned(), planted.clone());
    browser.get("/account");
    browser.post("/log-out", &[]);
    let reply = browser.log_in("coordinator.01", PASSWORD);
    assert_eq!(reply.status, 303, "{}", text(&reply));
    assert_ne!(browser.cookies[SESSION_COOKIE], planted);
    let cookies: Vec<_> = reply.headers.iter().filter(|(name, _)| *name == "set-cookie").collect();
    assert!(
        cookies.iter().all(|(_, cookie)| cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"))
    );
}

#[test]
fn p11_300d_wrong_passwords_slow_down_the_guesser_alone_and_are_written_down() {
    let world = World::training(1);
    let mut guesser = world.browser();
    let statuses: Vec<u16> = (0..7).map(|_| guesser.log_in("monitor", "not the password").status).collect();
    assert_eq!(statuses, [403, 403, 403, 403, 403, 429, 429]);
    let mut owner = world.browser();
    owner.address = [10, 1, 2, 3].into();
    assert_eq!(owner.log_in("monitor", PASSWORD).status, 303);
    assert_eq!(world.browser().log_in("coordinator.01", PASSWORD).status, 303);
    let log = world.house.accounts().log(None, 50).unwrap();
    assert_eq!(log.iter().filter(|line| line.what == "wrong name or password").count(), 5);
    assert_eq!(log.iter().filter(|line| line.detail.contains("slowed")).count(), 1);
}

// Shows: A11d-11
#[test]
fn the_second_factor_is_asked_and_a_code_is_spent() {
    let world = World::training(1);
    let mut browser = world.browser();
    browser.log_in("monitor", PASSWORD);
    browser.get("/account");
    let begun = browser.post("/account/second-factor", &[("do", "begin"), ("password", PASSWORD)]);
    let page = text(&begun);
    let secret = page.split("name=\"secret\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let bytes: Vec<u8> =
        (0..secret.len()).step_by(2).map(|at| u8::from_str_radix(&secret[at..at + 2], 16).unwrap()).collect();
    let code = |world: &World| {
        let now = world.house.now().as_second().unsigned_abs();
        let totp = totp_rs::Builder::new().with_secret(bytes.clone()).build().unwrap();
        totp.generate(now).to_string()
    };
    let confirmed = browser
        .post("/account/second-factor", &[("do", "confirm"), ("secret", &secret), ("code", &code(&world))]);
    let page = text(&confirmed);
    let recovery = page.split("<li><code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let mut other = world.browser();
    assert_eq!(location(&other.log_in("monitor", PASSWORD)), "/log-in/code");
    assert_eq!(location(&other.get("/studies")), "/log-in/code");
    other.get("/log-in/code");
    assert_eq!(other.post("/log-in/code", &[("code", "000000")]).status, 403);
    assert_eq!(other.post("/log-in/code", &[("code", &code(&world))]).status, 303);
    assert_eq!(other.get("/studies").status, 200);
    let mut third = world.browser();
    third.log_in("monitor", PASSWORD);
    third.get("/log-in/code");
    assert_eq!(third.post("/log-in/code", &[("code", &code(&world))]).status, 403, "a code is spent");
    assert_eq!(third.post("/log-in/code", &[("code", &recovery)]).status, 303);
    let mut fourth = world.browser();
    fourth.log_in("monitor", PASSWORD);
    fourth.get("/log-in/code");
    assert_eq!(fourth.post("/log-in/code", &[("code", &recovery)]).status, 403, "so is a recovery code");
}

#[test]
fn a_form_from_elsewhere_or_without_its_token_changes_nothing() {
    let world = World::training(1);
    let mut browser = world.browser();
    browser.log_in("monitor", PASSWORD);
    browser.get("/account");
    let good = browser.token.clone();
    browser.token = "0".repeat(64);
    assert_eq!(browser.post("/account/language", &[("language", "fr")]).status, 400);
    assert_eq!(browser.ask(Method::Post, "/account/language", [("language", "fr")].into()).status, 400);
    browser.token = good;
    assert_eq!(browser.post("/account/language", &[("language", "fr")]).status, 303);
    assert!(text(&browser.get("/account")).contains("Mon compte"));
}
