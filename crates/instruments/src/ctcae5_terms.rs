//! The terms of CTCAE v5.0 and the grades that each of them has.
//!
//! Not every term has every grade: "Skin hypopigmentation" ends at 2, "Death NOS" has 5 alone.
//! A grade that a term does not have cannot be recorded under it. Terms are spelled as in the
//! table; codes of other dictionaries are not kept.
//!
//! Source: CTCAE v5.0, US National Cancer Institute, 2017, a US government work; wording in
//! `reference/ctcae5_terms.tsv`. The names of terms are MedDRA lowest-level terms, © ICH.

use std::{collections::BTreeMap, sync::LazyLock};

/// The number of grades; grade 5 is death.
pub const GRADE_MAX: u8 = 5;

/// One term.
#[derive(Debug, PartialEq, Eq)]
pub struct Term {
    /// Its name (`Edema limbs`).
    pub name: &'static str,
    /// The system organ class it stands under.
    pub organ_class: &'static str,
    /// What each grade from 1 means; `None` if the term does not have it.
    wording: [Option<&'static str>; GRADE_MAX as usize],
}

static TERMS: LazyLock<BTreeMap<&'static str, Term>> = LazyLock::new(|| {
    let rows = include_str!("../reference/ctcae5_terms.tsv").lines().skip(1);
    rows.map(read).map(|term| (term.name, term)).collect()
});

fn read(line: &'static str) -> Term {
    let mut cells = line.split('\t');
    let mut next = || cells.next().expect("a row of the shipped table has seven cells");
    let (organ_class, name) = (next(), next());
    let wording = std::array::from_fn(|_| Some(next()).filter(|cell| *cell != "-"));
    Term { name, organ_class, wording }
}

/// Returns the term of that name, as the table spells it.
pub fn by_name(name: &str) -> Option<&'static Term> {
    TERMS.get(name)
}

/// Returns all terms in alphabetical order.
pub fn all() -> impl Iterator<Item = &'static Term> {
    TERMS.values()
}

/// Returns the terms nearest in spelling to a name, the nearest first.
pub fn near(name: &str, count: usize) -> Vec<&'static Term> {
    let letters = |text: &str| text.to_lowercase();
    let wanted = letters(name);
    let words: Vec<&str> = wanted.split_whitespace().collect();
    let mut ranked: Vec<(usize, &Term)> = all()
        .map(|term| {
            let has = letters(term.name);
            let shared = words.iter().filter(|word| has.contains(*word)).count();
            (shared, term)
        })
        .filter(|(shared, _)| *shared > 0)
        .collect();
    ranked.sort_by_key(|(shared, term)| (std::cmp::Reverse(*shared), term.name.len(), term.name));
    ranked.into_iter().take(count).map(|(_, term)| term).collect()
}

impl Term {
    /// Says whether the term has a grade.
    pub fn has_grade(&self, grade: u8) -> bool {
        self.wording(grade).is_some()
    }

    /// Returns the grades that the term has, ascending.
    pub fn grades(&self) -> Vec<u8> {
        (1..=GRADE_MAX).filter(|grade| self.has_grade(*grade)).collect()
    }

    /// Returns what a grade of the term means.
    pub fn wording(&self, grade: u8) -> Option<&'static str> {
        grade.checked_sub(1).and_then(|index| self.wording.get(usize::from(index)).copied().flatten())
    }

    /// Returns the grade of the term that is nearest to a wanted one, the lower of two.
    pub fn nearest_grade(&self, wanted: u8) -> Option<u8> {
        self.grades().into_iter().min_by_key(|grade| (grade.abs_diff(wanted), *grade))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_837_terms_in_26_classes_and_each_has_a_grade() {
        assert_eq!(all().count(), 837);
        assert_eq!(all().map(|term| term.organ_class).collect::<std::collections::BTreeSet<_>>().len(), 26);
        assert!(all().all(|term| !term.grades().is_empty()));
    }

    #[test]
    fn a_grade_that_the_table_marks_with_a_dash_is_not_there() {
        let of = |name| by_name(name).unwrap().grades();
        assert_eq!(of("Skin hypopigmentation"), [1, 2]);
        assert_eq!(of("Nausea"), [1, 2, 3]);
        assert_eq!(of("Urinary tract infection"), [2, 3, 4, 5]);
        assert!(!by_name("Nausea").unwrap().has_grade(0));
        assert!(!by_name("Nausea").unwrap().has_grade(6));
        assert_eq!(by_name("Oedema limbs"), None);
    }

    #[test]
    fn the_nearest_grade_is_one_that_the_term_has() {
        assert_eq!(by_name("Urinary tract infection").unwrap().nearest_grade(1), Some(2));
        assert_eq!(by_name("Nausea").unwrap().nearest_grade(5), Some(3));
        for term in all() {
            for wanted in 1..=GRADE_MAX {
                let nearest = term.nearest_grade(wanted).unwrap();
                assert!(term.has_grade(nearest) && (nearest == wanted || !term.has_grade(wanted)));
            }
        }
    }

    #[test]
    fn near_terms_share_words() {
        assert_eq!(near("oedema limbs", 1)[0].name, "Edema limbs");
        assert!(near("zzz", 3).is_empty());
    }
}
