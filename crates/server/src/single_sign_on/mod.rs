//! Single sign-on: people are sent to their institution's log-in and come back with a signed statement. The protocol (OpenID Connect, authorization code flow
//! with PKCE) is `openidconnect`.
//!
//! The provider says who somebody is and nothing of what they may: accounts and roles are this program's own. What was begun is kept in memory for one browser, is
//! taken once and expires. The provider's keys are fetched when they are needed, and anew when a statement is signed with one that is not known.

pub mod fetch;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::SignedDuration;
use openidconnect::{
    AccessToken, AdditionalClaims, AuthType, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    IdTokenClaims, IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardErrorResponse, StandardTokenResponse,
    SubjectIdentifier, TokenResponse as _, UserInfoError,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod, CoreErrorResponseType,
        CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
        CoreProviderMetadata, CoreRevocableToken, CoreRevocationErrorResponse,
        CoreTokenIntrospectionResponse, CoreTokenType, CoreUserInfoClaims,
    },
    url::{Host, Url},
};
use serde::{Deserialize, Serialize};
use terms::{PersonId, Timestamp};

use crate::credentials::{digest, draw_token};

/// Whoever is sent away has to be back within so long.
pub const BACK_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// The provider's description and keys are fetched anew after so long.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);
/// A provider that was not reached is not asked again for so long, so that nobody waits for what does not answer.
const LEFT_ALONE_FOR: SignedDuration = SignedDuration::from_secs(10);
/// Clocks may differ by so much.
const CLOCKS_DIFFER_BY: SignedDuration = SignedDuration::from_secs(60);
/// People who are away at a time; beyond, those who are late are forgotten, and nobody more is sent.
const AWAY_MAX: usize = 20_000;
/// Signatures that are read: none that the client's own secret could make.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 8] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Why the provider was not reached.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotReached(pub String);

/// Asks the provider over the network.
pub type Fetch = Box<dyn Fn(HttpRequest) -> Result<HttpResponse, NotReached> + Send + Sync>;

/// The provider, and what it knows this program by.
#[derive(Clone)]
pub struct Provider {
    /// What people call it: the name of their institution.
    pub name: String,
    /// Its address, exactly as it names itself.
    pub issuer: String,
    /// The name that it gave this program.
    pub client: String,
    /// The secret that it gave this program.
    pub secret: String,
    /// The address of the pages, such as `https://trial.example.org`.
    pub pages: String,
}

/// What somebody is sent to the provider for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// To log in.
    LogIn,
    /// To log in anew, before a change or a signature in a session.
    Confirm {
        /// The session's token.
        session: String,
        /// Whose it is.
        person: PersonId,
        /// The page that goes on.
        path: String,
    },
}

/// What the provider says of somebody.
#[derive(Debug)]
pub struct Statement {
    /// Who says it.
    pub issuer: String,
    /// Whom the provider means, for good.
    pub subject: String,
    address: Address,
}

/// What a statement says of somebody's address.
#[derive(Debug)]
enum Address {
    /// The provider vouches for it.
    Verified(String),
    /// The provider names one and does not vouch for it.
    Unverified,
    /// It is for the second answer to say, which this opens.
    Elsewhere(AccessToken),
}

/// Why nobody comes in.
#[derive(Debug, thiserror::Error)]
pub enum SignOnError {
    /// The provider can't be reached, or does not describe itself as it should.
    #[error("the provider can't be reached: {0}")]
    Unreachable(String),
    /// Too many people are away.
    #[error("too many are on their way")]
    Busy,
    /// Nobody was sent, or by another browser, or too long ago, or they came back already.
    #[error("nobody was sent from this browser, or the time is over")]
    NotSent,
    /// The provider says no.
    #[error("the provider refused: {0}")]
    Declined(String),
    /// The statement does not hold.
    #[error("{0}")]
    Refused(String),
    /// The statement holds, and is of nobody who has an open account here.
    #[error("no account: {0}")]
    Stranger(&'static str),
}

/// Somebody who is away.
struct Away {
    until: Timestamp,
    since: Timestamp,
    /// The digest of the cookie of the browser that was sent.
    browser: [u8; 32],
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    errand: Errand,
}

/// Where to send a browser.
pub struct Sent {
    /// The provider's address.
    pub to: String,
    /// What the browser keeps until it is back.
    pub cookie: String,
}

/// Single sign-on with one provider.
pub struct SingleSignOn {
    name: String,
    issuer: IssuerUrl,
    client: ClientId,
    secret: ClientSecret,
    back: RedirectUrl,
    fetch: Fetch,
    known: Mutex<Description>,
    /// By the digest of the state that comes back.
    away: Mutex<HashMap<[u8; 32], Away>>,
}

/// What is known of the provider.
#[derive(Default)]
struct Description {
    /// Its addresses and keys, and when they were fetched.
    fetched: Option<(Timestamp, CoreProviderMetadata)>,
    /// When it was not reached, and why.
    failed: Option<(Timestamp, String)>,
}

/// What else a statement may say that is read here.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Further {
    /// Entra ID's word for an address whose domain belongs to the institution; it does not send `email_verified`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    xms_edov: Option<serde_json::Value>,
}

impl AdditionalClaims for Further {}

type Claims = IdTokenClaims<Further, CoreGenderClaim>;
type TokenAnswer = StandardTokenResponse<
    IdTokenFields<
        Further,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;
/// The client once the provider is known.
type Known = Client<
    Further,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    TokenAnswer,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl SingleSignOn {
    /// The path to which the provider sends people back.
    pub const BACK: &'static str = "/log-in/single-sign-on";

    /// Makes what is needed; the provider is asked when somebody is sent.
    ///
    /// # Errors
    /// An address is none, or not https.
    pub fn with(provider: Provider, fetch: Fetch) -> Result<Self, String> {
        let back = format!("{}{}", provider.pages.trim_end_matches('/'), Self::BACK);
        let secure = |what: &str, address: &str| match Url::parse(address) {
            Ok(url) if is_secure(&url) => Ok(()),
            Ok(_) => Err(format!("{what} {address} has to begin with https://")),
            Err(error) => Err(format!("{what} {address}: {error}")),
        };
        secure("the issuer", &provider.issuer)?;
        secure("the address of the pages", &provider.pages)?;
        Ok(Self {
            issuer: IssuerUrl::new(provider.issuer).map_err(|error| error.to_string())?,
            back: RedirectUrl::new(back).map_err(|error| error.to_string())?,
            client: ClientId::new(provider.client),
            secret: ClientSecret::new(provider.secret),
            name: provider.name,
            fetch,
            known: Mutex::default(),
            away: Mutex::default(),
        })
    }

    /// Returns what people call the provider.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the provider's address, as bindings of accounts name it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Sends somebody to the provider.
    ///
    /// # Errors
    /// It can't be reached, or too many are away.
    pub fn send(&self, errand: Errand, now: Timestamp) -> Result<Sent, SignOnError> {
        let client = self.known(now, false)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(draw_token()),
                || Nonce::new(draw_token()),
            )
            .add_scope(Scope::new("email".to_owned()))
            .set_pkce_challenge(challenge);
        if matches!(errand, Errand::Confirm { .. }) {
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(std::time::Duration::ZERO);
        }
        let (to, state, nonce) = request.url();
        if !is_secure(&to) {
            return Err(SignOnError::Unreachable("its log-in is not at an address with https".to_owned()));
        }
        let cookie = draw_token();
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        if away.len() >= AWAY_MAX {
            away.retain(|_, away| away.until > now);
        }
        if away.len() >= AWAY_MAX {
            return Err(SignOnError::Busy);
        }
        let browser = digest(&cookie);
        let one = Away { until: now + BACK_WITHIN, since: now, browser, nonce, verifier, errand };
        away.insert(digest(state.secret()), one);
        Ok(Sent { to: to.to_string(), cookie })
    }

    /// Takes somebody back: what they were sent for, and what the provider says of them or why that does not hold.
    ///
    /// # Errors
    /// They were not sent.
    pub fn back(
        &self,
        state: &str,
        code: &str,
        declined: &str,
        cookie: &str,
        now: Timestamp,
    ) -> Result<(Errand, Result<Statement, SignOnError>), SignOnError> {
        let mut all = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let key = digest(state);
        // Whoever brings another's state does not take it from them.
        let own = all.get(&key).is_some_and(|one| one.browser == digest(cookie));
        let one = if own { all.remove(&key) } else { None };
        drop(all);
        let Away { since, nonce, verifier, errand, .. } =
            one.filter(|one| one.until > now).ok_or(SignOnError::NotSent)?;
        let statement = if declined.is_empty() {
            let since = matches!(errand, Errand::Confirm { .. }).then_some(since);
            self.statement(code, nonce, verifier, since, now)
        } else {
            Err(SignOnError::Declined(declined.chars().take(100).collect()))
        };
        Ok((errand, statement))
    }

    /// Fetches the statement for a code; with `since`, of a log-in after that.
    fn statement(
        &self,
        code: &str,
        nonce: Nonce,
        verifier: PkceCodeVerifier,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Statement, SignOnError> {
        let client = self.known(now, false)?;
        let token = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| SignOnError::Unreachable(error.to_string()))?
            .set_pkce_verifier(verifier)
            .request(&self.fetch)
            .map_err(|error| match &error {
                RequestTokenError::ServerResponse(_) => SignOnError::Declined(said(&error)),
                _ => SignOnError::Unreachable(said(&error)),
            })?;
        let claims = match held(&client, &token, &nonce, since, now) {
            Ok(claims) => claims,
            // The provider may have changed its keys since they were fetched.
            Err(_) if self.fetched_before(now) => {
                held(&self.known(now, true)?, &token, &nonce, since, now).map_err(SignOnError::Refused)?
            }
            Err(why) => return Err(SignOnError::Refused(why)),
        };
        let address = match claims.email() {
            Some(email) if is_verified(&claims) => Address::Verified(email.to_string()),
            Some(_) => Address::Unverified,
            None => Address::Elsewhere(token.access_token().clone()),
        };
        Ok(Statement { issuer: claims.issuer().to_string(), subject: claims.subject().to_string(), address })
    }

    /// Returns the address that the provider has verified. The standard lets a provider keep it to its second answer, which is then asked for.
    ///
    /// # Errors
    /// The second answer is wanted and does not come.
    pub fn verified_email(
        &self,
        statement: &Statement,
        now: Timestamp,
    ) -> Result<Option<String>, SignOnError> {
        let token = match &statement.address {
            Address::Verified(email) => return Ok(Some(email.clone())),
            Address::Unverified => return Ok(None),
            Address::Elsewhere(token) => token.clone(),
        };
        let client = self.known(now, false)?;
        let subject = SubjectIdentifier::new(statement.subject.clone());
        // A provider without a second answer has said all.
        let Ok(request) = client.user_info(token, Some(subject)) else { return Ok(None) };
        let more: CoreUserInfoClaims = request.request(&self.fetch).map_err(|error| match &error {
            UserInfoError::Request(_) => SignOnError::Unreachable(said(&error)),
            _ => SignOnError::Refused(said(&error)),
        })?;
        Ok(more.email().filter(|_| more.email_verified() == Some(true)).map(|email| email.to_string()))
    }

    /// Returns the client with the provider's description and keys, fetched where they are not known, are old, or are wanted anew.
    fn known(&self, now: Timestamp, anew: bool) -> Result<Known, SignOnError> {
        let kept = self.kept().fetched.clone().filter(|(at, _)| !anew && now.duration_since(*at) < KEPT_FOR);
        let metadata = match kept {
            Some((_, metadata)) => metadata,
            None => self.fetched(now)?,
        };
        let methods = metadata.token_endpoint_auth_methods_supported().cloned().unwrap_or_default();
        let basic = methods.is_empty() || methods.contains(&CoreClientAuthMethod::ClientSecretBasic);
        let client = Known::from_provider_metadata(metadata, self.client.clone(), Some(self.secret.clone()));
        let how = if basic { AuthType::BasicAuth } else { AuthType::RequestBody };
        Ok(client.set_redirect_uri(self.back.clone()).set_auth_type(how))
    }

    /// Fetches the provider's description and keys.
    fn fetched(&self, now: Timestamp) -> Result<CoreProviderMetadata, SignOnError> {
        if let Some((at, why)) = &self.kept().failed
            && now.duration_since(*at) < LEFT_ALONE_FOR
        {
            return Err(SignOnError::Unreachable(why.clone()));
        }
        // Nobody else waits for the network meanwhile.
        match CoreProviderMetadata::discover(&self.issuer, &self.fetch) {
            Ok(metadata) => {
                *self.kept() = Description { fetched: Some((now, metadata.clone())), failed: None };
                Ok(metadata)
            }
            Err(error) => {
                let why = said(&error);
                self.kept().failed = Some((now, why.clone()));
                Err(SignOnError::Unreachable(why))
            }
        }
    }

    /// Says whether the provider's keys were fetched before this request, so that they may have changed.
    fn fetched_before(&self, now: Timestamp) -> bool {
        self.kept().fetched.as_ref().is_some_and(|(at, _)| *at < now)
    }

    fn kept(&self) -> MutexGuard<'_, Description> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds the statement to its signature, its sender, its recipient, its time and its question; with `since`, to a log-in after that.
fn held(
    client: &Known,
    token: &TokenAnswer,
    nonce: &Nonce,
    since: Option<Timestamp>,
    now: Timestamp,
) -> Result<Claims, String> {
    let statement = token.id_token().ok_or("the provider's answer holds no statement")?;
    let moment = |at: Timestamp| chrono::DateTime::from_timestamp(at.as_second(), 0).unwrap_or_default();
    let expired_by = moment(now - CLOCKS_DIFFER_BY);
    let made_by = moment(now + CLOCKS_DIFFER_BY);
    let logged_in_from = since.map(|since| moment(since - CLOCKS_DIFFER_BY));
    let verifier = client
        .id_token_verifier()
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || expired_by)
        .set_issue_time_verifier_fn(move |at| {
            if at > made_by { Err("it was made in the future".to_owned()) } else { Ok(()) }
        })
        .set_auth_time_verifier_fn(move |at| match (logged_in_from, at) {
            (None, _) => Ok(()),
            (Some(from), Some(at)) if at >= from => Ok(()),
            (Some(_), Some(_)) => Err("the log-in was before it was asked for".to_owned()),
            (Some(_), None) => Err("it does not say when the log-in was".to_owned()),
        });
    statement.claims(&verifier, nonce).cloned().map_err(|error| said(&error))
}

/// Says whether the provider vouches for the address. Entra ID's word counts where the standard's is absent; where the standard's says no, it says no.
fn is_verified(claims: &Claims) -> bool {
    claims.email_verified().unwrap_or_else(|| match &claims.additional_claims().xms_edov {
        Some(serde_json::Value::Bool(verified)) => *verified,
        Some(serde_json::Value::Number(number)) => number.as_u64() == Some(1),
        Some(serde_json::Value::String(text)) => text == "1" || text == "true",
        _ => false,
    })
}

/// Says whether an address is https, or on this machine.
fn is_secure(url: &Url) -> bool {
    url.scheme() == "https" || is_on_this_machine(url)
}

/// Says whether an address is one of plain HTTP on this machine.
fn is_on_this_machine(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

/// Writes an error with what lies under it.
fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut under = error.source();
    while let Some(error) = under {
        text = format!("{text}: {error}");
        under = error.source();
    }
    text.chars().take(300).collect()
}
