//! The test of the tests: every rule can be switched off, one at a time, and must be missed.
//!
//! In test builds alone, the functions that rules are written with report the line that called
//! them. The scripts of out-of-order steps are held against the lines of the sources.

use std::{cell::RefCell, collections::BTreeSet, panic::Location};

/// A line of code that states a rule.
pub(crate) type Place = (String, u32);

thread_local! {
    static REFUSING: RefCell<BTreeSet<Place>> = const { RefCell::new(BTreeSet::new()) };
    static FOLLOWING: RefCell<BTreeSet<Place>> = const { RefCell::new(BTreeSet::new()) };
    static SWITCHED_OFF: RefCell<Option<Place>> = const { RefCell::new(None) };
}

fn place(location: &Location<'_>) -> Place {
    let file = location.file().rsplit('/').next().unwrap_or_default();
    (file.to_owned(), location.line())
}

fn is_off(place: &Place) -> bool {
    SWITCHED_OFF.with_borrow(|off| off.as_ref() == Some(place))
}

/// Judges a rule: notes one that refuses, and lets everything through where the rule is switched off.
#[track_caller]
pub(crate) fn judge(holds: bool) -> bool {
    let place = place(Location::caller());
    if holds || is_off(&place) {
        return true;
    }
    REFUSING.with_borrow_mut(|places| places.insert(place));
    false
}

/// Notes a look-up that refuses. It can't be switched off: there is nothing in its stead.
#[track_caller]
pub(crate) fn note(found: bool) {
    // Not within the closure, which would be its own caller.
    let place = place(Location::caller());
    if !found {
        REFUSING.with_borrow_mut(|places| places.insert(place));
    }
}

/// Notes that something follows by rule, and says whether that rule is switched off.
#[track_caller]
pub(crate) fn is_switched_off() -> bool {
    let place = place(Location::caller());
    let off = is_off(&place);
    FOLLOWING.with_borrow_mut(|places| places.insert(place));
    off
}

/// Returns the rules that refused on this thread since the last call.
pub(crate) fn take_refusing() -> BTreeSet<Place> {
    REFUSING.with_borrow_mut(std::mem::take)
}

/// Returns the rules by which something followed on this thread since the last call.
pub(crate) fn take_following() -> BTreeSet<Place> {
    FOLLOWING.with_borrow_mut(std::mem::take)
}

/// Runs something with one rule switched off.
pub(crate) fn without<T>(place: &Place, run: impl FnOnce() -> T) -> T {
    let before = SWITCHED_OFF.replace(Some(place.clone()));
    let outcome = run();
    SWITCHED_OFF.set(before);
    outcome
}
