//! Passkeys: what is asked of an authenticator, and whether its answer holds. The protocol (W3C Web Authentication) is `webauthn-rs`.
//!
//! The authenticator always verifies the person (a PIN, a fingerprint), so that an answer shows two things at once: possession of the key and what opens it.
//! What is asked is kept in memory for one browser or session and one purpose, is taken once and expires. It is compared with the keys as they
//! are when the answer comes, so that a removed passkey is refused and a counter that went back is seen.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::accounts::{Account, AccountError, AccountStore, Note, Passkey};
use terms::{PersonId, Timestamp};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey as Key, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};

use crate::credentials::digest;

/// What is asked has to be answered within so long.
pub const ANSWER_WITHIN: SignedDuration = SignedDuration::from_mins(5);
/// Questions that are kept at a time; beyond, those that expired are dropped, and new ones refused.
const ASKED_MAX: usize = 20_000;

/// What a passkey is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To log in, before anybody is named.
    LogIn,
    /// To log in, after the password.
    SecondStep,
    /// To change an account or to sign: the path of the form that is to be sent.
    Proof(String),
}

/// Why an answer does not hold.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// Nothing was asked, or something else, or too long ago, or it was answered already.
    #[error("nothing of the kind was asked, or the time for the answer is over")]
    NotAsked,
    /// Too many questions are open.
    #[error("too many questions are open")]
    Busy,
    /// The answer can't be read.
    #[error("the answer can't be read")]
    Unreadable,
    /// Nobody, or somebody else, has this passkey.
    #[error("nobody here has this passkey")]
    Unknown,
    /// The counter is not larger than at the last use: there may be a copy of the key.
    #[error("the passkey's counter went back: there may be a copy of it")]
    WentBack,
    /// The library's refusal.
    #[error("refused: {0}")]
    Refused(String),
    /// The accounts say no.
    #[error(transparent)]
    Accounts(#[from] AccountError),
}

impl From<WebauthnError> for PasskeyError {
    fn from(error: WebauthnError) -> Self {
        match error {
            WebauthnError::CredentialPossibleCompromise => PasskeyError::WentBack,
            other => PasskeyError::Refused(format!("{other:?}")),
        }
    }
}

enum Asked {
    ToMake { state: Box<PasskeyRegistration>, name: String },
    ToUse { state: Box<DiscoverableAuthentication>, purpose: Purpose },
}

/// Passkeys of one installation, at one address.
pub struct Passkeys {
    library: Webauthn,
    origin: String,
    host: String,
    /// By the digest of the browser's or session's token.
    asked: Mutex<HashMap<[u8; 32], (Timestamp, Asked)>>,
}

impl Passkeys {
    /// Makes what is needed for passkeys at an address such as `https://trial.example.org`. They belong to its host name for good.
    ///
    /// # Errors
    /// It is no address with a host name, or neither https nor this machine.
    pub fn at(origin: &str) -> Result<Self, String> {
        let refused = |why: &str| format!("passkeys can't be used at {origin}: {why}");
        let url = Url::parse(origin).map_err(|error| refused(&error.to_string()))?;
        let name = url.domain().ok_or_else(|| refused("it has no host name"))?.to_owned();
        if url.scheme() != "https" && name != "localhost" {
            return Err(refused("browsers want https"));
        }
        let host = match url.port() {
            Some(port) => format!("{name}:{port}"),
            None => name.clone(),
        };
        let library = WebauthnBuilder::new(&name, &url)
            .and_then(|builder| builder.rp_name("Equipoise").build())
            .map_err(|error| refused(&format!("{error:?}")))?;
        let origin = url.origin().ascii_serialization();
        Ok(Self { library, origin, host, asked: Mutex::default() })
    }

    /// Returns the address at which they work.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Says whether pages asked for at a host can use them.
    pub fn work_at(&self, host: Option<&str>) -> bool {
        host.is_some_and(|host| host.eq_ignore_ascii_case(&self.host))
    }

    /// Asks for a new passkey of a person; returns what the browser is given. `to` is the session's token.
    ///
    /// # Errors
    /// Too many questions are open.
    pub fn ask_to_make(
        &self,
        to: &str,
        account: &Account,
        known: &[Passkey],
        name: &str,
        now: Timestamp,
    ) -> Result<Value, PasskeyError> {
        let known = known.iter().map(read).collect::<Result<Vec<Key>, _>>()?;
        let known = known.iter().map(|key| key.cred_id().clone()).collect();
        let (question, state) = self.library.start_passkey_registration(
            handle(&account.person),
            &account.login,
            &account.printed_name,
            Some(known),
        )?;
        let mut question = serde_json::to_value(question).map_err(|_| PasskeyError::Unreadable)?;
        // The authenticator keeps the key itself, so that nobody has to be named before it is used.
        let wanted = &mut question["publicKey"]["authenticatorSelection"];
        wanted["residentKey"] = json!("required");
        wanted["requireResidentKey"] = json!(true);
        wanted["userVerification"] = json!("required");
        self.keep(to, now, Asked::ToMake { state: Box::new(state), name: name.to_owned() })?;
        Ok(question)
    }

    /// Returns the passkey that an authenticator made, to be kept.
    ///
    /// # Errors
    /// The session asked for none in time, or the answer does not hold.
    pub fn made(
        &self,
        to: &str,
        answer: &str,
        person: &PersonId,
        now: Timestamp,
    ) -> Result<Passkey, PasskeyError> {
        let Some(Asked::ToMake { state, name }) = self.take(to, now) else {
            return Err(PasskeyError::NotAsked);
        };
        let answer: RegisterPublicKeyCredential =
            serde_json::from_str(answer).map_err(|_| PasskeyError::Unreadable)?;
        let key = self.library.finish_passkey_registration(&answer, &state)?;
        Ok(Passkey {
            credential: key.cred_id().to_vec(),
            person: person.clone(),
            name,
            key: serde_json::to_string(&key).map_err(|_| PasskeyError::Unreadable)?,
            added: now,
            used: None,
        })
    }

    /// Asks for the use of a passkey, of those named or (none) of any; returns what the browser is given. `to` is the token of the session, or of
    /// the browser outside one.
    ///
    /// # Errors
    /// Too many questions are open.
    pub fn ask_to_use(
        &self,
        to: &str,
        purpose: Purpose,
        known: &[Passkey],
        now: Timestamp,
    ) -> Result<Value, PasskeyError> {
        let (question, state) = self.library.start_discoverable_authentication()?;
        let mut question = serde_json::to_value(question).map_err(|_| PasskeyError::Unreadable)?;
        let known = known.iter().map(|passkey| {
            let id = BASE64_URL_SAFE_NO_PAD.encode(&passkey.credential);
            json!({ "type": "public-key", "id": id })
        });
        question["publicKey"]["allowCredentials"] = known.collect();
        question["publicKey"]["userVerification"] = json!("required");
        self.keep(to, now, Asked::ToUse { state: Box::new(state), purpose })?;
        Ok(question)
    }

    /// Holds an answer to what was asked and writes down the passkey's use. `of`: whose it must be, where that is known. Returns the passkey.
    ///
    /// # Errors
    /// It was not asked for, or the answer does not hold.
    pub fn used(
        &self,
        to: &str,
        purpose: &Purpose,
        answer: &str,
        of: Option<&PersonId>,
        accounts: &mut AccountStore,
        note: &Note<'_>,
    ) -> Result<Passkey, PasskeyError> {
        let state = match self.take(to, note.at) {
            Some(Asked::ToUse { state, purpose: asked }) if asked == *purpose => state,
            _ => return Err(PasskeyError::NotAsked),
        };
        let answer: PublicKeyCredential =
            serde_json::from_str(answer).map_err(|_| PasskeyError::Unreadable)?;
        let passkey = accounts.passkey(answer.get_credential_id())?.ok_or(PasskeyError::Unknown)?;
        let named = answer.get_user_unique_id();
        if of.is_some_and(|person| *person != passkey.person)
            || named.is_some_and(|named| named != handle(&passkey.person).as_bytes())
        {
            return Err(PasskeyError::Unknown);
        }
        let mut key = read(&passkey)?;
        let held = self.library.finish_discoverable_authentication_v2(&answer, *state, &key)?;
        if !held.user_verified() {
            return Err(PasskeyError::Refused("the authenticator did not verify the person".to_owned()));
        }
        key.update_credential(&held);
        let key = serde_json::to_string(&key).map_err(|_| PasskeyError::Unreadable)?;
        let (by, detail) = (passkey.person.as_str(), format!("{}: {}", passkey.name, note.detail));
        let note = Note { by, about: by, detail: &detail, ..note.clone() };
        accounts.use_passkey(&passkey.credential, &key, &note)?;
        Ok(passkey)
    }

    fn keep(&self, to: &str, now: Timestamp, asked: Asked) -> Result<(), PasskeyError> {
        let mut all = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ASKED_MAX {
            all.retain(|_, (until, _)| *until > now);
        }
        if all.len() >= ASKED_MAX {
            return Err(PasskeyError::Busy);
        }
        all.insert(digest(to), (now + ANSWER_WITHIN, asked));
        Ok(())
    }

    /// Takes what was asked, for good, if its time is not over.
    fn take(&self, to: &str, now: Timestamp) -> Option<Asked> {
        let mut all = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&digest(to)).filter(|(until, _)| *until > now).map(|(_, asked)| asked)
    }
}

/// What authenticators know a person by: nothing that says who it is.
fn handle(person: &PersonId) -> Uuid {
    let mut hasher = Sha256::new();
    hasher.update(b"equipoise/passkey-person/1");
    hasher.update(person.as_str());
    let digest: [u8; 32] = hasher.finalize().into();
    let mut handle = [0; 16];
    handle.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(handle)
}

/// Returns which passkey an answer says it is of; whether it is, nobody knows yet.
pub fn credential_of(answer: &str) -> Option<Vec<u8>> {
    let answer: PublicKeyCredential = serde_json::from_str(answer).ok()?;
    Some(answer.get_credential_id().to_vec())
}

fn read(passkey: &Passkey) -> Result<Key, PasskeyError> {
    serde_json::from_str(&passkey.key).map_err(|_| PasskeyError::Unreadable)
}
