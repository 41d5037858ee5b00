//! Single sign-on, with a provider on this machine that signs by itself: what it says, and with which key, is the test's to choose. The pages are asked as
//! browsers ask them, and the provider is asked over the network.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{IpAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use serde_json::{Value, json};
use server::{
    gate::SESSION_COOKIE,
    http::{Fields, Reply},
    single_sign_on::{
        BACK_WITHIN, Provider, SingleSignOn,
        fetch::{WAIT, over_network},
    },
};
use sha2::{Digest as _, Sha256};
use store::accounts::{BOUND, LogLine, Note};
use terms::PersonId;

use crate::{
    base64url::{base64url, from_base64url},
    world::{Browser, PASSWORD, World, location, text},
};

const CLIENT: &str = "equipoise";
const SECRET: &str = "the client's own secret";
const BACK: &str = "/log-in/single-sign-on";
const AWAY_COOKIE: &str = "equipoise-away";
/// What the log-in page says to who was refused, to a stranger, and when the provider does not answer.
const NOT_CONFIRMED: &str = "This log-in was not confirmed. Try again;";
const STRANGER: &str = "Ask the trial&#39;s administrator for an account";
const NOT_REACHED: &str = "can&#39;t be reached at present. Log in with your password";

/// How the provider answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    /// It hangs up.
    Down,
    /// It takes the question and says nothing.
    Silent,
    /// It says more than anybody reads.
    Endless,
}

/// What the provider is asked.
struct Asked {
    path: String,
    authorization: String,
    body: Vec<u8>,
}

/// The provider's state.
struct Desk {
    /// Its address.
    issuer: String,
    /// Where its description says that codes are exchanged, if not with it.
    exchange: Option<&'static str>,
    mood: Mood,
    /// The keys that it publishes, by name.
    keys: BTreeMap<&'static str, SigningKey>,
    /// The key that it signs with.
    signs: &'static str,
    subject: &'static str,
    email: Option<&'static str>,
    email_verified: Value,
    /// Whether the address stands in the statement, or in the second answer only.
    email_in_statement: bool,
    /// What else becomes of the statement before it is signed.
    alter: fn(&mut Value),
    /// What becomes of it after.
    tamper: fn(&str) -> String,
    /// The seconds of now, of the log-in, and what the browser brought.
    now: i64,
    logged_in: Option<i64>,
    brought: BTreeMap<String, String>,
    codes: BTreeSet<&'static str>,
    /// The paths that it was asked for.
    heard: Vec<String>,
}

fn key(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number; 32]).unwrap()
}

impl Desk {
    fn at(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            exchange: None,
            mood: Mood::Well,
            keys: BTreeMap::from([("one", key(1))]),
            signs: "one",
            subject: "4711",
            email: Some("monitor@example.org"),
            email_verified: json!(true),
            email_in_statement: true,
            alter: |_| {},
            tamper: str::to_owned,
            now: 0,
            logged_in: None,
            brought: BTreeMap::new(),
            codes: BTreeSet::new(),
            heard: Vec::new(),
        }
    }

    fn answer(&mut self, asked: &Asked) -> (u16, Value) {
        self.heard.push(asked.path.clone());
        match asked.path.as_str() {
            "/realms/trials/.well-known/openid-configuration" => (200, self.description()),
            "/realms/trials/keys" => (200, self.published()),
            "/realms/trials/token" => self.token(asked),
            "/realms/trials/userinfo" => {
                assert_eq!(asked.authorization, "Bearer pass");
                let mut said = json!({ "sub": self.subject, "email": self.email });
                said["email_verified"] = self.email_verified.clone();
                (200, said)
            }
            _ => (404, json!({})),
        }
    }

    fn description(&self) -> Value {
        let issuer = &self.issuer;
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": self.exchange.map_or_else(|| format!("{issuer}/token"), str::to_owned),
            "userinfo_endpoint": format!("{issuer}/userinfo"),
            "jwks_uri": format!("{issuer}/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "RS256", "HS256", "none"],
        })
    }

    fn published(&self) -> Value {
        let one = |(name, key): (&&str, &SigningKey)| {
            let point = key.verifying_key().to_sec1_point(false);
            json!({
                "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": name,
                "x": base64url(point.x().unwrap()), "y": base64url(point.y().unwrap()),
            })
        };
        json!({ "keys": self.keys.iter().map(one).collect::<Vec<_>>() })
    }

    /// Gives a statement for a code, to who shows the client's secret and what the browser's question was made from.
    fn token(&mut self, asked: &Asked) -> (u16, Value) {
        let form = Fields::parse(&asked.body);
        assert!(asked.authorization.starts_with("Basic "), "{}", asked.authorization);
        assert_eq!(form.get("grant_type"), "authorization_code");
        assert_eq!(form.get("redirect_uri"), format!("https://equipoise.test{BACK}"));
        let challenge = base64url(&Sha256::digest(form.get("code_verifier")));
        let proved =
            self.brought["code_challenge"] == challenge && self.brought["code_challenge_method"] == "S256";
        if !proved || !self.codes.remove(form.get("code")) {
            return (400, json!({ "error": "invalid_grant" }));
        }
        let mut claims = json!({
            "iss": self.issuer, "aud": CLIENT, "sub": self.subject, "nonce": self.brought["nonce"],
            "iat": self.now, "exp": self.now + 300,
        });
        if let (Some(email), true) = (self.email, self.email_in_statement) {
            claims["email"] = json!(email);
            if !self.email_verified.is_null() {
                claims["email_verified"] = self.email_verified.clone();
            }
        }
        if let Some(at) = self.logged_in {
            claims["auth_time"] = json!(at);
        }
        (self.alter)(&mut claims);
        let header = json!({ "typ": "JWT", "alg": "ES256", "kid": self.signs });
        let signed = [header, claims].map(|part| base64url(part.to_string().as_bytes())).join(".");
        let statement = format!("{signed}.{}", signature(&self.keys[self.signs], &signed));
        let said = json!({
            "access_token": "pass", "token_type": "Bearer", "expires_in": 60, "id_token": (self.tamper)(&statement),
        });
        (200, said)
    }
}

fn signature(key: &SigningKey, signed: &str) -> String {
    let signature: Signature = key.sign(signed.as_bytes());
    base64url(&signature.to_bytes())
}

/// Signs what was signed already with another key.
fn signed_anew(key: &SigningKey, statement: &str) -> String {
    let (signed, _) = statement.rsplit_once('.').unwrap();
    format!("{signed}.{}", signature(key, signed))
}

fn hear(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut authorization, mut length) = (String::new(), 0);
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                authorization = value.to_owned();
            }
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().ok()?;
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { path, authorization, body })
}

/// Opens a provider on this machine.
#[expect(clippy::disallowed_methods, reason = "somebody has to listen")]
fn open_desk() -> Arc<Mutex<Desk>> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}/realms/trials", listener.local_addr().unwrap());
    let desk = Arc::new(Mutex::new(Desk::at(&issuer)));
    let own = Arc::clone(&desk);
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let Some(asked) = hear(&mut reader) else { continue };
            let mood = own.lock().unwrap().mood;
            let (status, body) = match mood {
                Mood::Well => own.lock().unwrap().answer(&asked),
                Mood::Down => continue,
                Mood::Silent => {
                    kept.push(reader);
                    continue;
                }
                Mood::Endless => (200, json!("x".repeat(2 << 20))),
            };
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            // Whoever reads no further hangs up.
            let _ = reader.get_mut().write_all((head + &body).as_bytes());
        }
    });
    desk
}

fn desk(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap()
}

/// A training copy in which everybody has an address, and its provider.
fn world() -> (World, Arc<Mutex<Desk>>) {
    let mut world = World::training_of(&["imatinib-open"], 3);
    let desk = connect(&mut world, WAIT);
    (world, desk)
}

fn connect(world: &mut World, wait: Duration) -> Arc<Mutex<Desk>> {
    world.give_addresses();
    let at = open_desk();
    let issuer = desk(&at).issuer.clone();
    let fetch = over_network(&issuer, None, wait).unwrap();
    world.house.single_sign_on = Some(SingleSignOn::with(provider(&issuer), fetch).unwrap());
    at
}

fn provider(issuer: &str) -> Provider {
    Provider {
        name: "University Hospital".to_owned(),
        issuer: issuer.to_owned(),
        client: CLIENT.to_owned(),
        secret: SECRET.to_owned(),
        pages: "https://equipoise.test".to_owned(),
    }
}

/// Where a page leads further: by itself, and by a link for who has that switched off.
fn leads(reply: &Reply) -> String {
    let page = text(reply);
    let to = page.split("content=\"0;url=").nth(1).unwrap_or_else(|| panic!("{page}"));
    let to = to.split('"').next().unwrap();
    assert!(page.contains(&format!("class=\"button\" href=\"{to}\"")), "{page}");
    to.replace("&#38;", "&").replace("&amp;", "&")
}

/// Sends the browser away; returns what the provider is asked, which remembers it.
fn leave(
    world: &World,
    at: &Mutex<Desk>,
    browser: &mut Browser<'_>,
    path: &str,
    fields: &[(&str, &str)],
) -> BTreeMap<String, String> {
    let sent = browser.post(path, fields);
    assert_eq!(sent.status, 200, "{}", text(&sent));
    let to = leads(&sent);
    let (address, query) = to.split_once('?').unwrap();
    let brought: BTreeMap<String, String> = Fields::parse(query.as_bytes())
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut desk = desk(at);
    assert_eq!(address, format!("{}/authorize", desk.issuer));
    desk.brought.clone_from(&brought);
    desk.now = world.house.now().as_second();
    desk.codes.insert("good");
    brought
}

/// Comes back from the other site as browsers do: without the cookies that only these pages' own links bring.
fn back(browser: &mut Browser<'_>, query: &str) -> Reply {
    let kept = browser.cookies.clone();
    browser.cookies.retain(|name, _| name == AWAY_COOKIE);
    let reply = browser.get(&format!("{BACK}?{query}"));
    for (name, value) in kept {
        browser.cookies.entry(name).or_insert(value);
    }
    reply
}

fn return_with(browser: &mut Browser<'_>, state: &str) -> Reply {
    back(browser, &format!("code=good&state={state}"))
}

/// Goes to the provider and comes back.
fn log_in(world: &World, at: &Mutex<Desk>, browser: &mut Browser<'_>) -> Reply {
    browser.get("/log-in");
    let brought = leave(world, at, browser, BACK, &[]);
    return_with(browser, &brought["state"])
}

/// Nobody came in, and the page says what to do.
fn is_refused(reply: &Reply, says: &str) {
    assert_eq!(reply.status, 403, "{}", text(reply));
    assert!(text(reply).contains(says), "{}", text(reply));
    assert!(text(reply).contains("action=\"/log-in\""));
}

fn log(world: &World) -> Vec<LogLine> {
    world.house.accounts().log(None, 200).unwrap()
}

fn note<'a>(world: &World, what: &'a str) -> Note<'a> {
    Note { at: world.house.now(), by: "test", about: "test", what, detail: "", origin: "test" }
}

#[test]
// Shows: P11-100a
fn a_person_is_known_by_the_verified_address_first_and_by_the_providers_name_from_then_on() {
    let (world, at) = world();
    let mut browser = world.browser();
    assert!(text(&browser.get("/log-in")).contains("University Hospital"));
    let brought = leave(&world, &at, &mut browser, BACK, &[]);
    assert_eq!((brought["client_id"].as_str(), brought["response_type"].as_str()), (CLIENT, "code"));
    assert_eq!(brought["redirect_uri"], format!("https://equipoise.test{BACK}"));
    assert_eq!(brought["code_challenge_method"], "S256");
    assert!(brought["scope"].split(' ').any(|scope| scope == "openid"));
    assert!(!brought.contains_key("prompt"));
    let reply = return_with(&mut browser, &brought["state"]);
    assert_eq!(leads(&reply), "/", "{}", text(&reply));
    assert_eq!(location(&browser.get("/")), "/studies");
    let lines = log(&world);
    assert_eq!((lines[0].what.as_str(), lines[0].detail.as_str()), ("logged in", "by single sign-on"));
    assert_eq!((lines[1].what.as_str(), lines[1].about.as_str()), (BOUND, "monitor"));
    // The address is no longer what counts: neither a new one at the provider nor the same for somebody else.
    desk(&at).email = Some("another@example.org");
    assert_eq!(leads(&log_in(&world, &at, &mut world.browser())), "/");
    assert_eq!((log(&world)[0].what.as_str(), log(&world)[0].about.as_str()), ("logged in", "monitor"));
    (desk(&at).email, desk(&at).subject) = (Some("monitor@example.org"), "4712");
    let mut thief = world.browser();
    is_refused(&log_in(&world, &at, &mut thief), STRANGER);
    assert!(log(&world)[0].detail.contains("bound to another log-in"), "{}", log(&world)[0].detail);
    assert_eq!(location(&thief.get("/studies")), "/log-in");
}

#[test]
// Shows: P11-10d
fn an_ended_account_is_not_opened_and_a_withdrawn_log_in_is_bound_anew() {
    let (world, at) = world();
    let mut browser = world.browser();
    assert_eq!(leads(&log_in(&world, &at, &mut browser)), "/");
    let mut administrator = world.seated("administrator");
    let path = "/administration/people/monitor";
    assert!(text(&administrator.get(path)).contains("no-single-sign-on"));
    administrator.send(path, &[("do", "no-single-sign-on"), ("reason", "changed hospital")]);
    assert_eq!(location(&browser.get("/studies")), "/log-in", "which ends the sessions");
    desk(&at).subject = "4712";
    assert_eq!(leads(&log_in(&world, &at, &mut browser)), "/");
    administrator.get(path);
    administrator.send(path, &[("do", "end"), ("reason", "left")]);
    assert_eq!(location(&browser.get("/studies")), "/log-in");
    is_refused(&log_in(&world, &at, &mut browser), STRANGER);
    assert!(log(&world)[0].detail.contains("was ended"));
    // Nor does the address lead to it.
    desk(&at).subject = "4713";
    is_refused(&log_in(&world, &at, &mut browser), STRANGER);
    assert_eq!(location(&browser.get("/studies")), "/log-in");
}

#[test]
// Shows: P11-10g
fn rights_never_come_from_the_provider() {
    let (world, at) = world();
    desk(&at).alter = |claims| {
        claims["roles"] = json!(["administrator", "data_manager"]);
        claims["groups"] = json!(["administrator"]);
        claims["realm_access"] = json!({ "roles": ["administrator"] });
    };
    let mut browser = world.browser();
    assert_eq!(leads(&log_in(&world, &at, &mut browser)), "/");
    assert_eq!(browser.get("/administration").status, 404);
    assert_eq!(browser.get("/studies/imatinib-open/allocation").status, 404);
    // An account without a role sees no study, however it came in.
    let mut administrator = world.seated("administrator");
    administrator.get("/administration");
    let fields = [("printed-name", "Bo Dahl"), ("login", "bo.dahl"), ("email", "Bo.Dahl@example.org")];
    assert_eq!(administrator.post("/administration/people", &fields).status, 200);
    (desk(&at).subject, desk(&at).email) = ("4712", Some("bo.dahl@example.org"));
    let mut browser = world.browser();
    assert_eq!(leads(&log_in(&world, &at, &mut browser)), "/", "letters' case does not matter");
    assert!(text(&browser.get("/studies")).contains("no role"));
}

#[test]
fn a_provider_that_keeps_the_address_to_its_second_answer_is_asked_for_it_once() {
    let (world, at) = world();
    desk(&at).email_in_statement = false;
    desk(&at).email_verified = json!(false);
    is_refused(&log_in(&world, &at, &mut world.browser()), STRANGER);
    desk(&at).email_verified = json!(true);
    assert_eq!(leads(&log_in(&world, &at, &mut world.browser())), "/");
    let asked = || desk(&at).heard.iter().filter(|path| path.ends_with("/userinfo")).count();
    assert_eq!(asked(), 2);
    assert_eq!(leads(&log_in(&world, &at, &mut world.browser())), "/");
    assert_eq!(asked(), 2, "who is known by the provider's name needs no address");
}

#[test]
fn where_the_standards_word_for_a_verified_address_is_absent_entras_counts() {
    let (world, at) = world();
    let says: [(Value, fn(&mut Value), bool); 6] = [
        (Value::Null, |_| {}, false),
        (Value::Null, |claims| claims["xms_edov"] = json!(false), false),
        (Value::Null, |claims| claims["xms_edov"] = json!("0"), false),
        (json!(false), |claims| claims["xms_edov"] = json!(true), false),
        (Value::Null, |claims| claims["xms_edov"] = json!("1"), true),
        (Value::Null, |claims| claims["xms_edov"] = json!(true), true),
    ];
    for (verified, alter, lets_in) in says {
        (desk(&at).email_verified, desk(&at).alter) = (verified, alter);
        let reply = log_in(&world, &at, &mut world.browser());
        match lets_in {
            true => assert_eq!(leads(&reply), "/"),
            false => is_refused(&reply, STRANGER),
        }
        world.house.accounts().unbind(&PersonId::from("monitor"), &note(&world, "unbound")).unwrap();
    }
}

#[test]
fn p11_10d_a_statement_that_does_not_hold_lets_nobody_in() {
    let (world, at) = world();
    let issuer = desk(&at).issuer.clone();
    let refused = |case: &str, why: &str, says: &str, change: &dyn Fn(&mut Desk)| {
        change(&mut desk(&at));
        let mut browser = world.browser();
        let reply = log_in(&world, &at, &mut browser);
        is_refused(&reply, says);
        assert_eq!(location(&browser.get("/studies")), "/log-in", "{case}");
        let line = log(&world).into_iter().next().unwrap();
        assert_eq!(line.what, "single sign-on refused", "{case}");
        assert!(line.detail.contains(why), "{case}: {}", line.detail);
        *desk(&at) = Desk::at(&issuer);
        // The keys are asked for again, as if an hour had passed.
        world.wait(3600);
    };
    let wrong = |case: &str, why: &str, change: &dyn Fn(&mut Desk)| refused(case, why, NOT_CONFIRMED, change);
    wrong("another's question", "Invalid nonce", &|desk| {
        desk.alter = |claims| claims["nonce"] = json!("other");
    });
    wrong("no question", "Invalid nonce", &|desk| {
        desk.alter = |claims| {
            claims.as_object_mut().unwrap().remove("nonce");
        };
    });
    wrong("for another program", "Invalid audience", &|desk| {
        desk.alter = |claims| claims["aud"] = json!("other");
    });
    wrong("for others as well", "Invalid audience", &|desk| {
        desk.alter = |claims| claims["aud"] = json!([CLIENT, "other"]);
    });
    wrong("expired", "expired", &|desk| {
        desk.alter = |claims| claims["exp"] = json!(claims["iat"].as_i64().unwrap() - 61);
    });
    wrong("from the future", "future", &|desk| {
        desk.alter = |claims| claims["iat"] = json!(claims["iat"].as_i64().unwrap() + 120);
    });
    wrong("of another provider", "Invalid issuer", &|desk| {
        desk.alter = |claims| claims["iss"] = json!("https://idp.example.com");
    });
    wrong("a key that it does not publish", "Signature verification failed", &|desk| {
        desk.tamper = |statement| signed_anew(&key(9), statement);
    });
    wrong("altered after signing", "Signature verification failed", &|desk| {
        desk.tamper = |statement| {
            let parts: Vec<&str> = statement.split('.').collect();
            let mut claims: Value = serde_json::from_slice(&from_base64url(parts[1])).unwrap();
            claims["email"] = json!("data_manager@example.org");
            format!("{}.{}.{}", parts[0], base64url(claims.to_string().as_bytes()), parts[2])
        };
    });
    wrong("unsigned", "ignature", &|desk| {
        desk.tamper = |statement| {
            let claims = statement.split('.').nth(1).unwrap();
            format!("{}.{claims}.", base64url(br#"{"typ":"JWT","alg":"none"}"#))
        };
    });
    wrong("signed with what both know", "ignature", &|desk| {
        desk.tamper = |statement| {
            let claims = statement.split('.').nth(1).unwrap();
            let signed = format!("{}.{claims}", base64url(br#"{"typ":"JWT","alg":"HS256"}"#));
            format!("{signed}.{}", hmac(SECRET.as_bytes(), &signed))
        };
    });
    let stranger = |case: &str, why: &str, change: &dyn Fn(&mut Desk)| refused(case, why, STRANGER, change);
    stranger("an address that nobody verified", "has not verified an address", &|desk| {
        desk.email_verified = json!(false);
    });
    stranger("no address", "has not verified an address", &|desk| desk.email = None);
    stranger("nobody here", "no open account has", &|desk| desk.email = Some("nobody@example.org"));
    let twin = PersonId::from("inspector");
    world.house.accounts().set_email(&twin, "Monitor@example.org", &note(&world, "address")).unwrap();
    stranger("an address of two people", "several open accounts", &|_| {});
    world.house.accounts().set_email(&twin, "", &note(&world, "address")).unwrap();
    stranger("an empty address is nobody's", "has not verified an address", &|desk| desk.email = Some(""));
    assert!(log(&world).iter().all(|line| line.what != BOUND));
    assert_eq!(leads(&log_in(&world, &at, &mut world.browser())), "/", "what holds lets in");
}

/// RFC 2104 with SHA-256, of a key shorter than a block.
fn hmac(key: &[u8], text: &str) -> String {
    let padded = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        Sha256::new().chain_update(block)
    };
    let inner = padded(0x36).chain_update(text).finalize();
    base64url(&padded(0x5c).chain_update(inner).finalize())
}

#[test]
// Shows: P11-10d
fn who_comes_back_was_sent_from_the_same_browser_once_and_not_long_ago() {
    let (world, at) = world();
    let mut browser = world.browser();
    browser.get("/log-in");
    let own = leave(&world, &at, &mut browser, BACK, &[]);
    // Another browser brings what was meant for this one, which keeps it.
    let mut other = world.browser();
    is_refused(&return_with(&mut other, &own["state"]), NOT_CONFIRMED);
    other.get("/log-in");
    leave(&world, &at, &mut other, BACK, &[]);
    is_refused(&return_with(&mut other, &own["state"]), NOT_CONFIRMED);
    assert!(log(&world)[0].detail.contains("nobody was sent from this browser"));
    assert_eq!(location(&other.get("/studies")), "/log-in");
    desk(&at).brought.clone_from(&own);
    assert_eq!(leads(&return_with(&mut browser, &own["state"])), "/");
    // Twice: neither the state nor, at the provider, the code.
    is_refused(&return_with(&mut browser, &own["state"]), NOT_CONFIRMED);
    let mut again = world.browser();
    again.get("/log-in");
    let brought = leave(&world, &at, &mut again, BACK, &[]);
    desk(&at).codes.clear();
    is_refused(&return_with(&mut again, &brought["state"]), NOT_CONFIRMED);
    assert!(log(&world)[0].detail.contains("invalid_grant"), "{}", log(&world)[0].detail);
    // A code of one browser is worth nothing in another: its question was made from something else.
    let mut thief = world.browser();
    thief.get("/log-in");
    let brought = leave(&world, &at, &mut thief, BACK, &[]);
    desk(&at).brought.clone_from(&own);
    is_refused(&return_with(&mut thief, &brought["state"]), NOT_CONFIRMED);
    // Late.
    let mut late = world.browser();
    late.get("/log-in");
    let brought = leave(&world, &at, &mut late, BACK, &[]);
    world.wait(BACK_WITHIN.as_secs());
    is_refused(&return_with(&mut late, &brought["state"]), NOT_CONFIRMED);
    // Declined at the provider, and out of nowhere.
    late.get("/log-in");
    let brought = leave(&world, &at, &mut late, BACK, &[]);
    let declined = back(&mut late, &format!("error=access_denied&state={}", brought["state"]));
    is_refused(&declined, NOT_CONFIRMED);
    assert!(log(&world)[0].detail.contains("access_denied"));
    is_refused(&back(&mut late, ""), NOT_CONFIRMED);
}

#[test]
fn keys_may_change() {
    let (world, at) = world();
    assert_eq!(leads(&log_in(&world, &at, &mut world.browser())), "/");
    world.wait(60);
    (desk(&at).keys, desk(&at).signs) = (BTreeMap::from([("two", key(2))]), "two");
    assert_eq!(leads(&log_in(&world, &at, &mut world.browser())), "/", "the new key is fetched");
    // The former key counts no more, though its statements are well made.
    world.wait(60);
    desk(&at).tamper = |statement| signed_anew(&key(1), statement);
    is_refused(&log_in(&world, &at, &mut world.browser()), NOT_CONFIRMED);
}

#[test]
fn a_provider_that_does_not_answer_as_it_should_leaves_the_password() {
    let mut world = World::training_of(&["imatinib-open"], 3);
    let at = connect(&mut world, Duration::from_millis(300));
    let mut browser = world.browser();
    for (mood, why) in [(Mood::Down, ""), (Mood::Silent, "timeout"), (Mood::Endless, "limit")] {
        desk(&at).mood = mood;
        // What was known of the provider is old.
        world.wait(3600);
        browser.get("/log-in");
        let reply = browser.post(BACK, &[]);
        is_refused(&reply, NOT_REACHED);
        let line = &log(&world)[0];
        assert!(line.what == "single sign-on refused" && line.detail.contains(why), "{}", line.detail);
        // It is left alone for a moment, and nobody waits for it.
        desk(&at).mood = Mood::Well;
        is_refused(&browser.post(BACK, &[]), NOT_REACHED);
        world.wait(11);
        assert_eq!(leads(&log_in(&world, &at, &mut browser)), "/");
        browser = world.browser();
        // It may fall silent while somebody is away.
        browser.get("/log-in");
        let brought = leave(&world, &at, &mut browser, BACK, &[]);
        desk(&at).mood = mood;
        is_refused(&return_with(&mut browser, &brought["state"]), NOT_REACHED);
        desk(&at).mood = Mood::Well;
    }
    assert_eq!(location(&browser.log_in("monitor", PASSWORD)), "/", "the password opens all the while");
}

#[test]
fn nothing_is_asked_or_led_to_without_https_but_on_this_machine() {
    for issuer in ["http://idp.example.org", "ftp://127.0.0.1", "http://127.0.0.1.example.org", "idp"] {
        let fetch = over_network("http://localhost", None, WAIT).unwrap();
        assert!(SingleSignOn::with(provider(issuer), fetch).is_err(), "{issuer}");
    }
    for pages in ["http://trial.example.org", "trial.example.org"] {
        let fetch = over_network("http://localhost", None, WAIT).unwrap();
        let provider = Provider { pages: pages.to_owned(), ..provider("https://idp.example.org") };
        assert!(SingleSignOn::with(provider, fetch).is_err(), "{pages}");
    }
    // Nor where the provider's own description names it.
    let (world, at) = world();
    desk(&at).exchange = Some("http://idp.example.org/token");
    is_refused(&log_in(&world, &at, &mut world.browser()), NOT_REACHED);
    assert!(log(&world)[0].detail.contains("not https"), "{}", log(&world)[0].detail);
}

#[test]
fn a11d_11_a_second_step_here_is_asked_after_single_sign_on_too() {
    let (world, at) = world();
    let monitor = PersonId::from("monitor");
    let note = note(&world, "second factor set");
    world.house.accounts().set_second_factor(&monitor, Some(&[7; 20]), &[], &note).unwrap();
    let mut browser = world.browser();
    assert_eq!(leads(&log_in(&world, &at, &mut browser)), "/log-in/code");
    assert_eq!(location(&browser.get("/studies")), "/log-in/code");
    let bound = || world.house.accounts().is_bound(&monitor).unwrap();
    assert!(!bound(), "whoever has the address but not the second step is bound to nothing");
    let half = browser.cookies[SESSION_COOKIE].clone();
    let totp = totp_rs::Builder::new().with_secret(vec![7; 20]).build().unwrap();
    let now = world.house.now().as_second().unsigned_abs();
    browser.get("/log-in/code");
    let reply = browser.post("/log-in/code", &[("code", &totp.generate(now).to_string())]);
    assert_eq!(location(&reply), "/");
    assert_eq!(location(&browser.get("/")), "/studies");
    assert_ne!(browser.cookies[SESSION_COOKIE], half, "the session changes with what it may do");
    let lines = log(&world);
    assert_eq!(lines[0].detail, "by single sign-on and a code");
    assert!(bound());
    assert_eq!(lines[2].what, "single sign-on right, second factor asked");
}

#[test]
fn p11_300d_refusals_slow_down_their_address_and_nobody_else() {
    let (world, at) = world();
    // A page elsewhere can have any browser ask: without the cookie of who was sent that is worth neither a line nor a wait.
    let mut led = world.browser();
    for _ in 0..40 {
        is_refused(&back(&mut led, "code=good&state=guessed"), NOT_CONFIRMED);
    }
    assert!(log(&world).iter().all(|line| line.what != "single sign-on refused"));
    let mut guesser = world.browser();
    guesser.cookies.insert(AWAY_COOKIE.to_owned(), "guessed".to_owned());
    for _ in 0..32 {
        is_refused(&back(&mut guesser, "code=good&state=guessed"), NOT_CONFIRMED);
        world.wait(2);
    }
    let slowed = back(&mut guesser, "code=good&state=guessed");
    assert_eq!(slowed.status, 429, "{}", text(&slowed));
    assert!(slowed.headers.iter().any(|(name, _)| *name == "retry-after"));
    let mut elsewhere = world.browser();
    elsewhere.address = IpAddr::from([192, 0, 2, 7]);
    assert_eq!(leads(&log_in(&world, &at, &mut elsewhere)), "/");
    let refusals = log(&world).iter().filter(|line| line.what == "single sign-on refused").count();
    assert_eq!(refusals, 32);
    world.wait(60);
    is_refused(&back(&mut guesser, "code=good&state=guessed"), NOT_CONFIRMED);
}

#[test]
fn p11_200a3_who_gave_the_address_of_a_log_in_verifies_nobody_by_it() {
    let (world, at) = world();
    let account = || world.house.accounts().of(&"data_manager".into()).unwrap().unwrap();
    assert!(account().identity_verified_by.is_some() && account().signature_accepted.is_some());
    // An administrator directs somebody's address to a log-in of their own.
    let mut administrator = world.seated("administrator");
    let path = "/administration/people/data_manager";
    administrator.get(path);
    administrator.send(path, &[("do", "email"), ("email", "mine@example.org"), ("reason", "")]);
    (desk(&at).subject, desk(&at).email) = ("4713", Some("mine@example.org"));
    assert_eq!(leads(&log_in(&world, &at, &mut world.browser())), "/");
    assert_eq!((account().identity_verified_by, account().signature_accepted), (None, None));
    administrator.get(path);
    let refused = administrator.post(path, &[("do", "verified"), ("reason", "")]);
    assert!(refused.status == 409 && text(&refused).contains("gave the address"), "{}", text(&refused));
    // Nor once another has put the address right.
    let right = note(&world, "address changed");
    let right = Note { by: "monitor", about: "data_manager", ..right };
    world.house.accounts().set_email(&"data_manager".into(), "right@example.org", &right).unwrap();
    administrator.get(path);
    assert_eq!(administrator.post(path, &[("do", "verified"), ("reason", "")]).status, 409);
    assert_eq!(account().identity_verified_by, None);
}

/// Logs in anew for a page; `ago`: the seconds since the log-in that the provider speaks of, if it does.
fn confirm(
    world: &World,
    at: &Mutex<Desk>,
    browser: &mut Browser<'_>,
    page: &str,
    ago: Option<i64>,
) -> Reply {
    browser.get(page);
    let brought = leave(world, at, browser, "/account/confirm", &[("for", page)]);
    assert_eq!((brought["prompt"].as_str(), brought["max_age"].as_str()), ("login", "0"));
    desk(at).logged_in = ago.map(|ago| world.house.now().as_second() - ago);
    return_with(browser, &brought["state"])
}

#[test]
// Shows: P11-100b
fn p11_200a1_who_has_no_password_signs_by_a_new_log_in_at_the_provider() {
    let (mut world, ready) = crate::pages::with_visits_to_sign();
    let at = connect(&mut world, WAIT);
    let site = world.house.studies["imatinib-open"].study().sites[0].id.to_string();
    let mut administrator = world.seated("administrator");
    administrator.get("/administration");
    let fields = [("printed-name", "Bo Dahl"), ("login", "bo.dahl"), ("email", "bo.dahl@example.org")];
    assert_eq!(administrator.post("/administration/people", &fields).status, 200);
    let person = world.house.accounts().by_login("bo.dahl").unwrap().unwrap().person;
    let study = "/administration/studies/imatinib-open";
    administrator.get("/administration");
    let role = [("person", person.as_str()), ("role", "sub_investigator"), ("site", site.as_str())];
    administrator.send(&format!("{study}/delegations"), &role);
    administrator.send(&format!("{study}/training"), &role[..2]);
    // The link was never taken up: the institution's log-in is the only way in.
    (desk(&at).subject, desk(&at).email) = ("4712", Some("bo.dahl@example.org"));
    let mut browser = world.browser();
    assert_eq!(leads(&log_in(&world, &at, &mut browser)), "/");
    assert!(text(&browser.get(&ready[0])).contains("Your identity has to be verified"));
    // Whoever made the link does not verify the identity; a colleague does.
    let path = format!("/administration/people/{person}");
    administrator.get(&path);
    assert_eq!(administrator.post(&path, &[("do", "verified"), ("reason", "")]).status, 409);
    administrator.send(&path, &[("do", "ask"), ("colleague", "monitor")]);
    let mut monitor = world.seated("monitor");
    monitor.get("/account/identities");
    let saw = [("person", person.as_str()), ("how", "an identity card"), ("password", PASSWORD)];
    monitor.send("/account/identities", &saw);
    // What asks for a password elsewhere asks here for a log-in anew.
    let page = text(&browser.get("/account"));
    assert!(page.contains("/account/confirm") && !page.contains("name=\"password\""), "{page}");
    let without = browser.post("/account/signature", &[("password", "")]);
    assert!(without.status == 400 && text(&without).contains("You have no password here"));
    assert_eq!(leads(&confirm(&world, &at, &mut browser, "/account", Some(0))), "/account");
    browser.get("/account");
    browser.send("/account/signature", &[("confirmed", "yes")]);
    let account = world.house.accounts().of(&person).unwrap().unwrap();
    assert!(account.signature_accepted.is_some() && account.password.is_none());

    let meaning = [("meaning", "I take responsibility for these data."), ("confirmed", "yes")];
    let page = text(&browser.get(&ready[0]));
    assert!(page.contains("/account/confirm") && !page.contains("name=\"login\""), "{page}");
    assert_eq!(browser.post(&ready[0], &meaning).status, 400, "nothing was confirmed");
    for elsewhere in ["https://example.com/", "//example.com", "/no/such/page", ""] {
        assert_eq!(browser.post("/account/confirm", &[("for", elsewhere)]).status, 400, "{elsewhere}");
    }
    let head = world.house.studies["imatinib-open"].head();
    // An old log-in, none that the provider would speak of, and somebody else's.
    for (ago, why) in [(Some(3600), "before it was asked for"), (None, "does not say when")] {
        let reply = confirm(&world, &at, &mut browser, &ready[0], ago);
        assert!(reply.status == 400 && text(&reply).contains("nothing was changed"), "{}", text(&reply));
        assert!(log(&world)[0].detail.contains(why), "{}", log(&world)[0].detail);
        browser.get(&ready[0]);
        assert_eq!(browser.post(&ready[0], &meaning).status, 400);
    }
    desk(&at).subject = "4711";
    assert_eq!(confirm(&world, &at, &mut browser, &ready[0], Some(0)).status, 400);
    assert!(log(&world)[0].detail.contains("somebody else"));
    desk(&at).subject = "4712";
    browser.get(&ready[0]);
    let brought = leave(&world, &at, &mut browser, "/account/confirm", &[("for", &ready[0])]);
    desk(&at).mood = Mood::Down;
    let reply = return_with(&mut browser, &brought["state"]);
    assert!(reply.status == 400 && text(&reply).contains("can&#39;t be reached"), "{}", text(&reply));
    desk(&at).mood = Mood::Well;
    browser.get(&ready[0]);
    assert_eq!(browser.post(&ready[0], &meaning).status, 400);
    assert_eq!(world.house.studies["imatinib-open"].head(), head, "none of that signed");

    assert_eq!(leads(&confirm(&world, &at, &mut browser, &ready[0], Some(0))), ready[0]);
    let page = text(&browser.get(&ready[0]));
    assert!(page.contains("name=\"confirmed\"") && page.contains("You have just logged in anew"));
    assert_eq!(browser.post(&ready[1], &meaning).status, 400, "for this visit alone");
    assert_eq!(world.house.studies["imatinib-open"].head(), head);
    world.wait(301);
    assert_eq!(browser.post(&ready[0], &meaning).status, 400, "too late");
    assert_eq!(leads(&confirm(&world, &at, &mut browser, &ready[0], Some(0))), ready[0]);
    browser.get(&ready[0]);
    assert_eq!(browser.post(&ready[0], &meaning).status, 303);
    assert!(text(&browser.get(&ready[0])).contains("Bo Dahl"));
    browser.get(&ready[1]);
    assert_eq!(browser.post(&ready[1], &meaning).status, 400, "once");
    let said: Vec<String> = log(&world).into_iter().map(|line| line.what).collect();
    assert_eq!(said.iter().filter(|what| *what == "confirmed by single sign-on").count(), 3);
}
