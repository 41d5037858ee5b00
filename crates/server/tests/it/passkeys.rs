//! Passkeys, with an authenticator made of nothing but a key, a counter and the bytes of the specification (W3C Web Authentication, 6 and 7).

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use serde_json::{Value, json};
use server::{http::Reply, passkeys::ANSWER_WITHIN};
use sha2::{Digest as _, Sha256};
use store::accounts::LogLine;
use terms::PersonId;

use crate::{
    base64url::{base64url, from_base64url},
    world::{Browser, PASSWORD, World, location, text},
};

const ORIGIN: &str = "https://equipoise.test";
/// An authenticator with one key.
struct Authenticator {
    key: SigningKey,
    credential: Vec<u8>,
    user: Vec<u8>,
    counter: u32,
    /// What it says of itself: the person was there, and verified.
    flags: u8,
    /// The address that the browser says it is at.
    origin: &'static str,
}

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const WITH_KEY: u8 = 0x40;

impl Authenticator {
    fn new(number: u8) -> Self {
        Self {
            key: SigningKey::from_slice(&[number; 32]).unwrap(),
            credential: vec![number; 20],
            user: Vec::new(),
            counter: 0,
            flags: PRESENT | VERIFIED,
            origin: ORIGIN,
        }
    }

    fn client_data(&self, kind: &str, question: &Value) -> Vec<u8> {
        let data = json!({
            "type": kind,
            "challenge": question["publicKey"]["challenge"],
            "origin": self.origin,
            "crossOrigin": false,
        });
        data.to_string().into_bytes()
    }

    fn data(&self, with_key: &[u8]) -> Vec<u8> {
        let mut data = Sha256::digest(b"equipoise.test").to_vec();
        data.push(self.flags | if with_key.is_empty() { 0 } else { WITH_KEY });
        data.extend(self.counter.to_be_bytes());
        data.extend(with_key);
        data
    }

    /// Makes a key and says so, without attestation.
    fn make(&mut self, question: &Value) -> String {
        self.user = from_base64url(question["publicKey"]["user"]["id"].as_str().unwrap());
        let point = self.key.verifying_key().to_sec1_point(false);
        // COSE: {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
        let mut key = vec![0; 16];
        key.extend(u16::try_from(self.credential.len()).unwrap().to_be_bytes());
        key.extend(&self.credential);
        key.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        key.extend(point.x().unwrap());
        key.extend([0x22, 0x58, 0x20]);
        key.extend(point.y().unwrap());
        let data = self.data(&key);
        // {"fmt": "none", "attStmt": {}, "authData": bytes}
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        object.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        object.extend(data);
        let client = self.client_data("webauthn.create", question);
        self.answer(json!({ "attestationObject": base64url(&object), "clientDataJSON": base64url(&client) }))
    }

    /// Signs what is asked.
    fn sign(&mut self, question: &Value) -> String {
        self.counter += 1;
        let (client, data) = (self.client_data("webauthn.get", question), self.data(&[]));
        let mut signed = data.clone();
        signed.extend(Sha256::digest(&client));
        let signature: Signature = self.key.sign(&signed);
        self.answer(json!({
            "authenticatorData": base64url(&data),
            "clientDataJSON": base64url(&client),
            "signature": base64url(signature.to_der().as_bytes()),
            "userHandle": base64url(&self.user),
        }))
    }

    fn answer(&self, response: Value) -> String {
        let id = base64url(&self.credential);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response, "extensions": {} })
            .to_string()
    }
}

fn read(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", text(reply));
    serde_json::from_slice(&reply.body).unwrap()
}

/// Begins to make a passkey; returns what the browser is given.
fn begin(browser: &mut Browser<'_>, name: &str) -> Value {
    browser.get("/account");
    let page = browser.post("/account/passkeys", &[("do", "begin"), ("name", name), ("password", PASSWORD)]);
    let page = text(&page);
    let options = page.split("data-passkey-options=\"").nth(1).unwrap().split('"').next().unwrap();
    let options =
        options.replace("&#34;", "\"").replace("&quot;", "\"").replace("&#38;", "&").replace("&amp;", "&");
    serde_json::from_str(&options).unwrap()
}

/// Adds a passkey to the account of who is logged in.
fn add(browser: &mut Browser<'_>, number: u8) -> (Authenticator, Reply) {
    let question = begin(browser, "blue key");
    let mut authenticator = Authenticator::new(number);
    let answer = authenticator.make(&question);
    let kept = browser.post("/account/passkeys", &[("do", "keep"), ("passkey", &answer)]);
    (authenticator, kept)
}

fn ask_log_in(browser: &mut Browser<'_>) -> Value {
    browser.get("/log-in");
    read(&browser.post("/log-in/passkey", &[("do", "ask")]))
}

fn log_in(browser: &mut Browser<'_>, authenticator: &mut Authenticator) -> Reply {
    let question = ask_log_in(browser);
    let answer = authenticator.sign(&question);
    browser.post("/log-in/passkey", &[("passkey", &answer)])
}

fn log(world: &World) -> Vec<LogLine> {
    world.house.accounts().log(None, 100).unwrap()
}

fn said(world: &World, what: &str) -> usize {
    log(world).iter().filter(|line| line.what.contains(what)).count()
}

#[test]
fn a_passkey_is_made_with_the_password_listed_used_to_log_in_and_removed() {
    let world = World::training_of(&["imatinib-open"], 1);
    let mut browser = world.seated("monitor");
    browser.get("/account");
    let wrong = [("do", "begin"), ("name", "blue key"), ("password", "not the password")];
    assert_eq!(browser.post("/account/passkeys", &wrong).status, 400);
    let question = begin(&mut browser, "blue key");
    let wanted = &question["publicKey"];
    assert_eq!(wanted["rp"]["id"], "equipoise.test");
    assert_eq!(wanted["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(wanted["authenticatorSelection"]["residentKey"], "required");
    let (mut authenticator, kept) = add(&mut browser, 1);
    // Nobody locks themselves out: the first passkey brings recovery codes, shown once.
    assert_eq!(text(&kept).matches("<li><code>").count(), 8, "{}", text(&kept));
    assert!(text(&browser.get("/account")).contains("blue key"));
    let mut other = world.browser();
    let question = ask_log_in(&mut other);
    assert_eq!(question["publicKey"]["userVerification"], "required");
    assert_eq!(question["publicKey"]["allowCredentials"], json!([]), "nothing says who has passkeys");
    assert_eq!(location(&log_in(&mut other, &mut authenticator)), "/");
    assert_eq!(location(&other.get("/")), "/studies");
    let line = &log(&world)[0];
    assert_eq!((line.what.as_str(), line.detail.as_str()), ("logged in", "with a passkey"));
    assert_eq!(said(&world, "passkey used"), 1);
    // A passkey proves who one is where another is added.
    other.get("/account");
    let question = read(&other.post("/account/passkeys", &[("do", "ask"), ("for", "/account/passkeys")]));
    let known = question["publicKey"]["allowCredentials"].as_array().unwrap();
    assert_eq!(known[0]["id"], base64url(&authenticator.credential));
    let answer = authenticator.sign(&question);
    let begun = other.post("/account/passkeys", &[("do", "begin"), ("name", "two"), ("passkey", &answer)]);
    assert!(text(&begun).contains("data-passkey-options"), "{}", text(&begun));
    let id = server::credentials::hex(&authenticator.credential);
    assert_eq!(other.post("/account/passkeys", &[("remove", &id), ("password", "wrong")]).status, 400);
    assert_eq!(other.post("/account/passkeys", &[("remove", "00"), ("password", PASSWORD)]).status, 404);
    other.get("/account");
    other.send("/account/passkeys", &[("remove", &id), ("password", PASSWORD)]);
    let refused = log_in(&mut world.browser(), &mut authenticator);
    assert_eq!(refused.status, 403);
    assert_eq!(said(&world, "passkey refused: nobody here has this passkey"), 1);
    world.house.accounts().verify_log().unwrap();
}

#[test]
fn whoever_has_a_passkey_shows_it_or_a_recovery_code_after_the_password() {
    let world = World::training_of(&["imatinib-open"], 1);
    let (mut authenticator, kept) = add(&mut world.seated("monitor"), 1);
    let page = text(&kept);
    let recovery = page.split("<li><code>").nth(1).unwrap().split('<').next().unwrap();
    let mut browser = world.browser();
    assert_eq!(location(&browser.log_in("monitor", PASSWORD)), "/log-in/code");
    assert_eq!(location(&browser.get("/studies")), "/log-in/code");
    assert!(text(&browser.get("/log-in/code")).contains("data-passkey=\"/log-in/code\""));
    let question = read(&browser.post("/log-in/code", &[("do", "ask")]));
    let answer = authenticator.sign(&question);
    assert_eq!(location(&browser.post("/log-in/code", &[("passkey", &answer)])), "/");
    assert_eq!(log(&world)[0].detail, "with the password and a passkey");
    let mut without = world.browser();
    without.log_in("monitor", PASSWORD);
    without.get("/log-in/code");
    assert_eq!(without.post("/log-in/code", &[("code", "guessed-guess-guess")]).status, 403);
    assert_eq!(location(&without.post("/log-in/code", &[("code", recovery)])), "/");
    // An administrator takes the passkeys of a lost telephone away, and every session ends.
    let mut administrator = world.seated("administrator");
    let path = "/administration/people/monitor";
    assert!(text(&administrator.get(path)).contains("blue key"));
    administrator.send(path, &[("do", "no-passkeys"), ("reason", "lost telephone")]);
    assert_eq!(location(&without.get("/studies")), "/log-in");
    assert_eq!(log_in(&mut world.browser(), &mut authenticator).status, 403);
    assert_eq!(location(&world.browser().log_in("monitor", PASSWORD)), "/");
    assert_eq!(world.house.accounts().recovery_codes_left(&PersonId::from("monitor")), Ok(0));
}

#[test]
fn an_answer_holds_once_for_its_question_in_time_and_at_the_address_of_the_pages() {
    let world = World::training_of(&["imatinib-open"], 1);
    let (mut authenticator, _) = add(&mut world.seated("monitor"), 1);
    let refused = |browser: &mut Browser<'_>, answer: &str, why: &str| {
        let before = said(&world, why);
        let reply = browser.post("/log-in/passkey", &[("passkey", answer)]);
        assert_eq!(reply.status, 403, "{why}: {}", text(&reply));
        assert_eq!(said(&world, why), before + 1, "{why}: {:?}", log(&world)[0]);
        // Wrong answers slow down; here each is looked at by itself.
        for key in ["passkey of monitor", "unknown passkey"] {
            world.house.throttle.forget(key, browser.address);
        }
    };
    let mut browser = world.browser();
    // Another site passes on what it was given.
    let question = ask_log_in(&mut browser);
    authenticator.origin = "https://equipoise.example";
    let answer = authenticator.sign(&question);
    refused(&mut browser, &answer, "InvalidRPOrigin");
    authenticator.origin = ORIGIN;
    // Without a question; and an answer that was good, a second time.
    let question = ask_log_in(&mut browser);
    let answer = authenticator.sign(&question);
    let mut stranger = world.browser();
    stranger.get("/log-in");
    refused(&mut stranger, &answer, "nothing of the kind was asked");
    assert_eq!(browser.post("/log-in/passkey", &[("passkey", &answer)]).status, 303);
    refused(&mut stranger, &answer, "nothing of the kind was asked");
    ask_log_in(&mut stranger);
    refused(&mut stranger, &answer, "MismatchedChallenge");
    // Too late.
    let question = ask_log_in(&mut stranger);
    let answer = authenticator.sign(&question);
    world.wait(ANSWER_WITHIN.as_secs());
    refused(&mut stranger, &answer, "the time for the answer is over");
    // A question for something else.
    let mut inside = world.seated("monitor");
    inside.get("/account");
    let question = read(&inside.post("/account/passkeys", &[("do", "ask"), ("for", "/account/signature")]));
    let answer = authenticator.sign(&question);
    let elsewhere = [("do", "begin"), ("name", "two"), ("passkey", answer.as_str())];
    assert_eq!(inside.post("/account/passkeys", &elsewhere).status, 400);
    assert_eq!(inside.post("/account/signature", &[("passkey", &answer)]).status, 400, "it was taken");
    // The person has to be verified.
    let question = ask_log_in(&mut stranger);
    authenticator.flags = PRESENT;
    let answer = authenticator.sign(&question);
    refused(&mut stranger, &answer, "UserNotVerified");
    authenticator.flags = PRESENT | VERIFIED;
    // A signature of another key under this one's name.
    let question = ask_log_in(&mut stranger);
    let mut forged = Authenticator::new(2);
    forged.credential.clone_from(&authenticator.credential);
    forged.user.clone_from(&authenticator.user);
    forged.counter = 50;
    let answer = forged.sign(&question);
    refused(&mut stranger, &answer, "AuthenticationFailure");
    for broken in ["{}", "null", "[]", "\u{1F511}"] {
        ask_log_in(&mut stranger);
        refused(&mut stranger, broken, "the answer can't be read");
    }
    assert_eq!(location(&log_in(&mut stranger, &mut authenticator)), "/");
}

#[test]
fn a_copy_of_a_key_is_seen_by_its_counter() {
    let world = World::training_of(&["imatinib-open"], 1);
    let (mut authenticator, _) = add(&mut world.seated("monitor"), 1);
    assert_eq!(log_in(&mut world.browser(), &mut authenticator).status, 303);
    authenticator.counter = 0;
    assert_eq!(log_in(&mut world.browser(), &mut authenticator).status, 403, "the counter stands still");
    authenticator.counter = 7;
    assert_eq!(log_in(&mut world.browser(), &mut authenticator).status, 303);
    authenticator.counter = 5;
    assert_eq!(log_in(&mut world.browser(), &mut authenticator).status, 403, "the counter went back");
    assert_eq!(said(&world, "counter went back"), 2);
}

#[test]
fn nobody_comes_in_or_proves_anything_with_the_passkey_of_another() {
    let world = World::training_of(&["imatinib-open"], 1);
    let (mut monitor, _) = add(&mut world.seated("monitor"), 1);
    let mut manager = world.seated("data_manager");
    let (mut own, _) = add(&mut manager, 2);
    // Another's passkey at a change of one's own account, at the second step, and under one's own handle.
    let ask = [("do", "ask"), ("for", "/account/password")];
    let question = read(&manager.post("/account/passkeys", &ask));
    let new = "a long walk by the river";
    let fields = |answer: &str| {
        [
            ("passkey", answer.to_owned()),
            ("new-password", new.to_owned()),
            ("new-password-again", new.to_owned()),
        ]
    };
    let post = |browser: &mut Browser<'_>, answer: &str| {
        let fields = fields(answer);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post("/account/password", &fields)
    };
    let answer = monitor.sign(&question);
    assert_eq!(post(&mut manager, &answer).status, 400);
    let question = read(&manager.post("/account/passkeys", &ask));
    monitor.user.clone_from(&own.user);
    let answer = monitor.sign(&question);
    assert_eq!(post(&mut manager, &answer).status, 400);
    let mut half = world.browser();
    half.log_in("data_manager", PASSWORD);
    half.get("/log-in/code");
    let question = read(&half.post("/log-in/code", &[("do", "ask")]));
    let answer = monitor.sign(&question);
    assert_eq!(half.post("/log-in/code", &[("passkey", &answer)]).status, 403);
    assert_eq!(log_in(&mut world.browser(), &mut monitor).status, 403, "the handle is not its own");
    // One that is registered already can't be registered by somebody else.
    let (_, again) = add(&mut manager, 1);
    assert_eq!(again.status, 400);
    // An ended account's passkey opens nothing.
    let question = read(&manager.post("/account/passkeys", &ask));
    let answer = own.sign(&question);
    assert_eq!(post(&mut manager, &answer).status, 303);
    let mut administrator = world.seated("administrator");
    administrator.get("/administration/people/data_manager");
    administrator.send("/administration/people/data_manager", &[("do", "end"), ("reason", "left")]);
    let reply = log_in(&mut world.browser(), &mut own);
    assert_eq!(location(&reply), "/log-in");
}

#[test]
fn a_passkey_that_verifies_the_person_is_both_parts_of_a_signature() {
    let (world, ready) = crate::pages::with_visits_to_sign();
    let running = &world.house.studies["imatinib-open"];
    let mut investigator = world.seated("principal_investigator.01");
    let (mut authenticator, _) = add(&mut investigator, 1);
    let meaning = "I take responsibility for these data.";
    assert!(text(&investigator.get(&ready[0])).contains("data-passkey="));
    let head = running.head();
    let ask = |browser: &mut Browser<'_>, path: &str| {
        read(&browser.post("/account/passkeys", &[("do", "ask"), ("for", path)]))
    };
    // What was asked for one visit does not sign another.
    let question = ask(&mut investigator, &ready[1]);
    let answer = authenticator.sign(&question);
    let sign = |browser: &mut Browser<'_>, path: &str, answer: &str| {
        browser.post(path, &[("meaning", meaning), ("passkey", answer)]).status
    };
    assert_eq!(sign(&mut investigator, &ready[0], &answer), 400);
    let question = ask(&mut investigator, &ready[0]);
    authenticator.flags = PRESENT;
    let answer = authenticator.sign(&question);
    assert_eq!(sign(&mut investigator, &ready[0], &answer), 400, "touched, and nobody verified");
    assert_eq!(running.head(), head);
    authenticator.flags = PRESENT | VERIFIED;
    let question = ask(&mut investigator, &ready[0]);
    let answer = authenticator.sign(&question);
    assert_eq!(sign(&mut investigator, &ready[0], &answer), 303);
    assert_eq!(sign(&mut investigator, &ready[1], &answer), 400, "each signature asks anew");
    let signed = text(&investigator.get(&ready[0]));
    assert!(signed.contains("Principal investigator") && signed.contains(meaning));
    let line = log(&world).into_iter().find(|line| line.what == "passkey used").unwrap();
    assert_eq!((line.by.as_str(), line.detail.as_str()), ("principal_investigator.01", "blue key: Signs"));
}
