//! Slows down who guesses, and nobody else.
//!
//! Wrong secrets are counted by account and address together, so that a guesser at one address cannot lock
//! the account's owner out at another. An address that tries many names is slowed as a whole.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use jiff::SignedDuration;
use terms::Timestamp;

use crate::routes::Rate;

/// Wrong secrets that cost nothing.
const FREE: u32 = 5;
/// The same for an address over all accounts.
const FREE_BY_ADDRESS: u32 = 30;
/// The longest wait.
const WAIT_MAX: SignedDuration = SignedDuration::from_mins(15);
/// After so long without a wrong secret the count begins anew.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// Entries beyond which the oldest are dropped.
const ENTRIES_MAX: usize = 100_000;

#[derive(Clone, Copy, Debug)]
struct Wrong {
    count: u32,
    last: Timestamp,
}

/// Counts of wrong secrets.
#[derive(Default)]
pub struct Throttle(Mutex<HashMap<(Option<String>, IpAddr), Wrong>>);

impl Throttle {
    /// Returns how many seconds are left to wait before a secret of this account is read from this address.
    pub fn wait(&self, account: &str, address: IpAddr, now: Timestamp) -> Option<u64> {
        self.left(&(Some(account.to_owned()), address), FREE, now).max(self.wait_at(address, now))
    }

    /// Returns how many seconds are left to wait before any secret is read from this address.
    pub fn wait_at(&self, address: IpAddr, now: Timestamp) -> Option<u64> {
        self.left(&(None, address), FREE_BY_ADDRESS, now)
    }

    fn left(&self, key: &(Option<String>, IpAddr), free: u32, now: Timestamp) -> Option<u64> {
        let wrong = *self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key)?;
        let over = wrong.count.checked_sub(free)?;
        let wait = SignedDuration::from_secs(1i64 << over.min(10)).min(WAIT_MAX);
        let left = wait - now.duration_since(wrong.last);
        (left > SignedDuration::ZERO).then(|| left.as_secs().unsigned_abs() + 1)
    }

    /// Counts a wrong secret; says whether it was the one that begins the waits.
    pub fn count(&self, account: &str, address: IpAddr, now: Timestamp) -> bool {
        self.count_at(address, now);
        self.counted((Some(account.to_owned()), address), now) == FREE
    }

    /// Counts something wrong that tries no account's secret: it slows down the address alone.
    pub fn count_at(&self, address: IpAddr, now: Timestamp) {
        self.counted((None, address), now);
    }

    fn counted(&self, key: (Option<String>, IpAddr), now: Timestamp) -> u32 {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > ENTRIES_MAX {
            all.retain(|_, wrong| now.duration_since(wrong.last) < WAIT_MAX);
        }
        let wrong = all.entry(key).or_insert(Wrong { count: 0, last: now });
        if now.duration_since(wrong.last) > FORGOTTEN_AFTER {
            wrong.count = 0;
        }
        *wrong = Wrong { count: wrong.count.saturating_add(1), last: now };
        wrong.count
    }

    /// Forgets the count of an account at an address, after the right secret.
    pub fn forget(&self, account: &str, address: IpAddr) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(Some(account.to_owned()), address));
    }
}

/// How many requests of a kind one session, or one address outside a session, may make: at once, and a second.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    at_once: f64,
    a_second: f64,
}

/// Returns what a kind of route allows. A person with many tabs and a script that fetches parts stay far below it.
fn allowance(rate: Rate) -> Allowance {
    match rate {
        Rate::Files | Rate::Pages => Allowance { at_once: 600.0, a_second: 60.0 },
        Rate::Secrets => Allowance { at_once: 60.0, a_second: 1.0 },
    }
}

/// What is left of each allowance.
#[derive(Default)]
pub struct Rates(Mutex<HashMap<(Rate, String), (f64, Timestamp)>>);

impl Rates {
    /// Takes one request off the allowance of `who`; returns the seconds to wait if none is left.
    pub fn take(&self, rate: Rate, who: &str, now: Timestamp) -> Option<u64> {
        let Allowance { at_once, a_second } = allowance(rate);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > ENTRIES_MAX {
            all.retain(|_, (_, last)| now.duration_since(*last) < SignedDuration::from_mins(1));
        }
        let (left, last) = all.entry((rate, who.to_owned())).or_insert((at_once, now));
        let passed = now.duration_since(*last).as_secs_f64().max(0.0);
        *left = (*left + passed * a_second).min(at_once);
        *last = now;
        if *left < 1.0 {
            return Some(((1.0 - *left) / a_second).ceil().max(1.0) as u64);
        }
        *left -= 1.0;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_too_often_waits_and_nobody_else_does() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let rates = Rates::default();
        let refused = (0..70).filter(|_| rates.take(Rate::Secrets, "one", at(0)).is_some()).count();
        assert_eq!(refused, 10);
        assert_eq!(rates.take(Rate::Secrets, "one", at(0)), Some(1));
        assert_eq!(rates.take(Rate::Secrets, "other", at(0)), None);
        assert_eq!(rates.take(Rate::Pages, "one", at(0)), None);
        assert_eq!(rates.take(Rate::Secrets, "one", at(2)), None);
    }

    #[test]
    fn p11_300d_a_burst_of_wrong_secrets_is_slowed_and_nobody_else_is() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let (here, elsewhere) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let throttle = Throttle::default();
        let told: Vec<bool> = (0..8).map(|_| throttle.count("anna", here, at(0))).collect();
        assert_eq!(told.iter().filter(|told| **told).count(), 1);
        assert_eq!(throttle.wait("anna", here, at(0)), Some(9));
        assert_eq!(throttle.wait("anna", here, at(9)), None);
        assert_eq!(throttle.wait("anna", elsewhere, at(0)), None);
        assert_eq!(throttle.wait("berta", here, at(0)), None);
        for _ in 0..40 {
            throttle.count("anna", here, at(10));
        }
        assert_eq!(throttle.wait("anna", here, at(10)), Some(901));
        assert!(throttle.wait("berta", here, at(10)).is_some());
        throttle.forget("anna", here);
        assert_eq!(throttle.wait("anna", elsewhere, at(10)), None);
    }
}
