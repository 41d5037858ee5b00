//! Whatever the text of a study, the compiler answers.

use proptest::{prelude::*, sample::Index};
use protocol::{compile, templates};

/// One change to a text.
#[derive(Clone, Debug)]
enum Change {
    Delete(Index, u8),
    Insert(Index, String),
    Repeat(Index, u8),
    Swap(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let piece = prop_oneof![
        Just("\"".to_owned()),
        Just("'".to_owned()),
        Just("[".to_owned()),
        Just("}".to_owned()),
        Just("= ".to_owned()),
        Just("\n".to_owned()),
        Just("((((".to_owned()),
        Just("é".to_owned()),
        Just("\u{0}".to_owned()),
        Just("-".to_owned()),
        Just("99999999999999999999".to_owned()),
        Just("1e400".to_owned()),
        Just("\"\"\"".to_owned()),
        Just(" || ".to_owned()),
        Just("at(".to_owned()),
        ".{0,6}",
    ];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, length)| Change::Delete(at, length % 40)),
        (any::<Index>(), piece).prop_map(|(at, text)| Change::Insert(at, text)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, length)| Change::Repeat(at, length % 60)),
        (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Change::Swap(a, b)),
    ]
}

fn apply(text: &str, change: &Change) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut changed = chars.clone();
    match change {
        Change::Delete(at, length) => {
            let at = at.index(chars.len());
            changed.drain(at..(at + usize::from(*length)).min(chars.len()));
        }
        Change::Insert(at, piece) => {
            let at = at.index(chars.len());
            changed.splice(at..at, piece.chars());
        }
        Change::Repeat(at, length) => {
            let at = at.index(chars.len());
            let end = (at + usize::from(*length)).min(chars.len());
            changed.splice(at..at, chars[at..end].to_vec());
        }
        Change::Swap(a, b) => {
            let (a, b) = (a.index(chars.len()), b.index(chars.len()));
            changed.swap(a, b);
        }
    }
    changed.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_of_a_study_makes_the_compiler_panic(
        which in any::<Index>(),
        changes in prop::collection::vec(change(), 1..6),
    ) {
        let mut files = templates::files("two-arm").unwrap();
        let path = files.keys().nth(which.index(files.len())).unwrap().clone();
        for change in &changes {
            if !files[&path].is_empty() {
                let text = apply(&files[&path], change);
                files.insert(path.clone(), text);
            }
        }
        if let Err(errors) = compile(&files) {
            for error in &errors {
                prop_assert!(!error.to_string().is_empty());
                prop_assert!(error.line >= 1 && error.column >= 1);
            }
        }
    }

    #[test]
    fn no_expression_makes_the_compiler_panic(
        text in r#"[a-z.'()<>=!&|+*/? :\[\],0-9-]{0,40}"#,
    ) {
        let mut files = templates::files("two-arm").unwrap();
        let rules = files["eligibility.toml"].replace("demography.age_years >= 18", &text);
        files.insert("eligibility.toml".to_owned(), rules);
        let _ = compile(&files);
    }
}

#[test]
fn deep_nesting_and_long_chains_are_refused_rather_than_overflowing() {
    for text in [
        format!("{}true{}", "(".repeat(400), ")".repeat(400)),
        format!("{}true", "!".repeat(900)),
        vec!["demography.age_years"; 130].join(" + ") + " > 3",
        vec!["true"; 400].join(" && "),
        "-".repeat(900) + "1 > 0",
        "true ? ".repeat(200) + "true",
    ] {
        let mut files = templates::files("two-arm").unwrap();
        let rules = files["eligibility.toml"].replace("demography.age_years >= 18", &text);
        files.insert("eligibility.toml".to_owned(), rules);
        let _ = compile(&files);
    }
}

#[test]
fn an_empty_folder_says_what_it_lacks() {
    let errors = compile(&Default::default()).unwrap_err();
    let lacking = errors.iter().filter(|error| error.code == "missing-file").count();
    assert_eq!(lacking, 6, "{errors:?}");
}
