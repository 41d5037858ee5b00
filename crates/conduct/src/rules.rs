//! The test of the tests: every rule can be switched off, one at a time, and must be missed.
//!
//! In test builds alone, `need` reports where it was called from. The set of those places is what
//! the scripts of out-of-order steps are held against.

use std::{cell::RefCell, collections::BTreeSet, panic::Location};

/// A line of code that calls `need`.
pub(crate) type Place = (String, u32);

thread_local! {
    static REFUSING: RefCell<BTreeSet<Place>> = const { RefCell::new(BTreeSet::new()) };
    static SWITCHED_OFF: RefCell<Option<Place>> = const { RefCell::new(None) };
}

/// Notes a rule that refuses; a rule that is switched off does not.
#[track_caller]
pub(crate) fn judge(holds: bool) -> bool {
    let location = Location::caller();
    let place = (location.file().to_owned(), location.line());
    if holds || SWITCHED_OFF.with_borrow(|off| off.as_ref() == Some(&place)) {
        return true;
    }
    REFUSING.with_borrow_mut(|places| places.insert(place));
    false
}

/// Returns the rules that refused on this thread since the last call.
pub(crate) fn take_refusing() -> BTreeSet<Place> {
    REFUSING.with_borrow_mut(std::mem::take)
}

/// Runs something with one rule switched off.
pub(crate) fn without<T>(place: &Place, run: impl FnOnce() -> T) -> T {
    SWITCHED_OFF.set(Some(place.clone()));
    let outcome = run();
    SWITCHED_OFF.set(None);
    outcome
}
