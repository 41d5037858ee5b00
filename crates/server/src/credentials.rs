//! Passwords, second factors, tokens: the parts of proof that a person is who they say.
//!
//! Cryptography comes from `argon2`, `totp-rs` and `sha2`; here are the rules around it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use sha2::{Digest as _, Sha256};
use terms::Timestamp;
use totp_rs::{Builder, Secret};

/// Least characters of a password (NIST SP 800-63B-4 asks for 15 where it is the only factor).
pub const PASSWORD_CHARACTERS_MIN: usize = 15;
/// Longest password that is read.
const PASSWORD_CHARACTERS_MAX: usize = 256;
/// Recovery codes that are given at once.
const RECOVERY_CODES: usize = 8;
/// Letters that are not taken for one another when read aloud or copied.
const READABLE: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// Passwords that everybody tries first, without spaces and case. Longer passwords that only repeat one are refused too.
const KNOWN: &[&str] = &[
    "password",
    "passw0rd",
    "motdepasse",
    "letmein",
    "qwerty",
    "azerty",
    "iloveyou",
    "welcome",
    "bonjour",
    "administrator",
    "equipoise",
    "changeme",
    "123456",
    "abcdef",
    "dragon",
    "monkey",
    "football",
];

/// Draws bytes from the operating system.
///
/// # Panics
/// The operating system gives no randomness; nothing safe can be done then.
pub fn draw<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// Draws a token of 256 bits, as hexadecimal digits.
pub fn draw_token() -> String {
    hex(&draw::<32>())
}

/// Draws a text that can be read aloud, in groups of five.
pub fn draw_readable(groups: usize) -> String {
    let mut text = String::new();
    let mut letters = 0;
    while letters < groups * 5 {
        for byte in draw::<32>() {
            // Only bytes below a whole multiple of the alphabet, so that no letter is likelier.
            if letters < groups * 5 && usize::from(byte) < 256 / READABLE.len() * READABLE.len() {
                if letters > 0 && letters % 5 == 0 {
                    text.push('-');
                }
                text.push(char::from(READABLE[usize::from(byte) % READABLE.len()]));
                letters += 1;
            }
        }
    }
    text
}

/// Returns the SHA-256 by which a token is kept.
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Writes bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads hexadecimal digits; none if the text is something else.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || text.len() % 2 != 0 {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// Compares two texts in a time that does not tell where they differ.
pub fn same(one: &str, other: &str) -> bool {
    digest(one) == digest(other)
}

fn hasher() -> Argon2<'static> {
    // OWASP's first choice for Argon2id: 19 MiB, two passes, one lane.
    let params = Params::new(19 * 1024, 2, 1, None).expect("the parameters lie in Argon2's ranges");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Hashes a password with a fresh salt, in PHC form.
///
/// # Panics
/// Never for passwords that [`weakness`] lets through.
pub fn hash_password(password: &str) -> String {
    let _alone = alone();
    let salt = draw::<16>();
    let hash = hasher().hash_password_with_salt(password.as_bytes(), &salt);
    hash.expect("salt and password have lengths that Argon2 takes").to_string()
}

/// One hash at a time: each takes 19 MiB, which a burst of log-ins must not take sixty-four times over.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says whether a password belongs to a hash. Without a hash it takes as long and is false.
pub fn verify_password(password: &str, hash: Option<&str>) -> bool {
    if password.chars().count() > PASSWORD_CHARACTERS_MAX {
        return false;
    }
    match hash.and_then(|hash| PasswordHash::new(hash).ok()) {
        Some(hash) => {
            let _alone = alone();
            hasher().verify_password(password.as_bytes(), &hash).is_ok()
        }
        None => {
            let _ = hash_password(password);
            false
        }
    }
}

/// Returns why a password is no good, in words, if it is not.
pub fn weakness(password: &str, login: &str, printed_name: &str) -> Option<String> {
    let length = password.chars().count();
    if length < PASSWORD_CHARACTERS_MIN {
        return Some(format!(
            "Use at least {PASSWORD_CHARACTERS_MIN} characters; several words make a good one."
        ));
    }
    if length > PASSWORD_CHARACTERS_MAX {
        return Some(format!("Use at most {PASSWORD_CHARACTERS_MAX} characters."));
    }
    let plain: String = password.to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect();
    let mut letters: Vec<char> = plain.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    if letters.len() < 5 {
        return Some("Use more different characters.".to_owned());
    }
    let without_known = KNOWN.iter().fold(plain.clone(), |rest, known| rest.replace(known, ""));
    if without_known.chars().filter(|letter| letter.is_alphabetic()).count() < 4 {
        return Some("This password is among those that are tried first.".to_owned());
    }
    let names = printed_name.split_whitespace().chain([login]);
    let about_you = names
        .map(str::to_lowercase)
        .filter(|name| name.len() > 3)
        .fold(plain, |rest, name| rest.replace(&name, ""));
    if about_you.len() < 8 {
        return Some("Leave your own name out of it.".to_owned());
    }
    None
}

/// Draws the secret of a second factor.
pub fn draw_second_factor() -> Vec<u8> {
    draw::<20>().to_vec()
}

/// Returns the secret as authenticator programs take it by hand, in groups of four.
pub fn spelled_out(secret: &[u8]) -> String {
    let text = Secret::from(secret.to_vec()).to_base32();
    let letters: Vec<char> = text.trim_end_matches('=').chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// Returns the time step whose code was given (RFC 6238: 6 digits, 30 s, one step of drift), if it is right.
pub fn check_code(secret: &[u8], code: &str, now: Timestamp) -> Option<u64> {
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    if digits.len() != 6 {
        return None;
    }
    let totp = Builder::new().with_secret(secret.to_vec()).with_skew(1).build().ok()?;
    totp.check(&digits, u64::try_from(now.as_second()).ok()?)
}

/// Draws recovery codes: the texts for the person, and the digests to keep.
pub fn draw_recovery_codes() -> (Vec<String>, Vec<[u8; 32]>) {
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| draw_readable(3)).collect();
    let digests = codes.iter().map(|code| digest(code)).collect();
    (codes, digests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p11_300b_secrets_that_are_tried_first_are_refused() {
        for weak in [
            "short",
            "passwordpassword",
            "Password 123456 !",
            "aaaaaaaaaaaaaaaaaa",
            "anna.berg anna.berg",
            "123456123456123456",
        ] {
            assert!(weakness(weak, "anna.berg", "Anna Berg").is_some(), "{weak}");
        }
        assert_eq!(weakness("correct horse battery", "anna.berg", "Anna Berg"), None);
    }

    #[test]
    fn a_password_belongs_to_its_own_hash_only() {
        let hash = hash_password("correct horse battery");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify_password("correct horse battery", Some(&hash)));
        assert!(!verify_password("correct horse batterx", Some(&hash)));
        assert!(!verify_password("correct horse battery", None));
    }

    #[test]
    fn codes_follow_rfc_6238() {
        // Appendix B of the RFC, SHA-1: 94287082 at 59 s; the last six digits.
        let at = |second| Timestamp::from_second(second).unwrap();
        let secret = b"12345678901234567890";
        assert_eq!(check_code(secret, "287082", at(59)), Some(1));
        assert_eq!(check_code(secret, "287 082", at(80)), Some(1));
        assert_eq!(check_code(secret, "287082", at(120)), None);
        assert_eq!(check_code(secret, "287083", at(59)), None);
    }

    #[test]
    fn readable_texts_come_in_groups() {
        let text = draw_readable(3);
        assert_eq!(text.len(), 17);
        assert!(text.split('-').all(|group| group.len() == 5));
        assert_ne!(text, draw_readable(3));
    }
}
