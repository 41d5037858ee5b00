//! The names that a study defines, and the nearest one to a slip.

use std::collections::{BTreeMap, BTreeSet};

use crate::shape::Kind;

/// Defined names by kind.
#[derive(Debug, Default)]
pub(crate) struct Names {
    defined: BTreeMap<Kind, Vec<String>>,
    known: BTreeMap<Kind, BTreeSet<String>>,
}

impl Names {
    pub(crate) fn define(&mut self, kind: Kind, name: impl Into<String>) {
        let name = name.into();
        if self.known.entry(kind).or_default().insert(name.clone()) {
            self.defined.entry(kind).or_default().push(name);
        }
    }

    /// Returns the names of a kind in the order of definition.
    pub(crate) fn of(&self, kind: Kind) -> &[String] {
        self.defined.get(&kind).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn has(&self, kind: Kind, name: &str) -> bool {
        self.known.get(&kind).is_some_and(|known| known.contains(name))
    }
}

/// How many equally near names are offered at most.
const OFFERED_MAX: usize = 12;

/// Returns "did you mean …?" for the nearest of the known names, all of them where several are equally near;
/// failing that, the known names if they are few.
pub(crate) fn suggest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let known: BTreeSet<&str> = known.collect();
    let allowed = (name.chars().count() / 3).max(1) + usize::from(name.chars().count() > 3);
    // Another letter case is nearer than any other slip.
    let distance = |other: &str| match name.to_lowercase() == other.to_lowercase() {
        true => 0,
        false => strsim::osa_distance(name, other),
    };
    let near: Vec<(usize, &str)> = known
        .iter()
        .map(|other| (distance(other), *other))
        .filter(|(distance, _)| *distance <= allowed)
        .collect();
    let quoted = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
    match near.iter().map(|(distance, _)| *distance).min() {
        Some(least) => {
            let nearest: Vec<&str> =
                near.iter().filter(|(d, _)| *d == least).map(|(_, name)| *name).collect();
            let offered = quoted(&nearest[..nearest.len().min(OFFERED_MAX)]);
            Some(format!("did you mean {}?", either(&offered)))
        }
        None if known.is_empty() => None,
        None => {
            let all: Vec<&str> = known.iter().copied().collect();
            let more = if all.len() > OFFERED_MAX { ", …" } else { "" };
            Some(format!("known here: {}{more}", quoted(&all[..all.len().min(OFFERED_MAX)]).join(", ")))
        }
    }
}

fn either(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_and_ties_are_offered_together() {
        let known = ["skin_score", "skin_history", "M1", "M2"];
        assert_eq!(suggest("skin_scroe", known.into_iter()).unwrap(), "did you mean `skin_score`?");
        assert_eq!(suggest("M7", known.into_iter()).unwrap(), "did you mean `M1` or `M2`?");
        assert_eq!(suggest("m1", known.into_iter()).unwrap(), "did you mean `M1`?");
        assert!(suggest("nothing_like_it", known.into_iter()).unwrap().starts_with("known here: "));
        assert_eq!(suggest("x", std::iter::empty()), None);
    }
}
