//! Relation to the drug, collapsed to yes or no.
//!
//! Possible, probable and definite are related; unlikely and unrelated are not.
//! Anything else, and a relation nobody gave, is missing, never a no.
//!
//! | relation | related |
//! |---|---|
//! | definite | yes |
//! | probable | yes |
//! | possible | yes |
//! | related | yes |
//! | certain | yes |
//! | unlikely | no |
//! | unrelated | no |
//! | not_related | no |
//! | none | no |
//! | unknown | - |
//! | not_assessable | - |
//! | (missing) | - |

/// Returns whether a relation's code counts as related.
pub fn derive_var_related(relation: Option<&str>) -> Option<bool> {
    conduct::is_related(relation)
}

#[test]
fn the_twelve_rows_of_the_example() {
    for (relation, related) in [
        (Some("definite"), Some(true)),
        (Some("probable"), Some(true)),
        (Some("possible"), Some(true)),
        (Some("related"), Some(true)),
        (Some("certain"), Some(true)),
        (Some("unlikely"), Some(false)),
        (Some("unrelated"), Some(false)),
        (Some("not_related"), Some(false)),
        (Some("none"), Some(false)),
        (Some("unknown"), None),
        (Some("not_assessable"), None),
        (None, None),
    ] {
        assert_eq!(derive_var_related(relation), related, "{relation:?}");
    }
}
