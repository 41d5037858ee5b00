//! What holds for every instrument that a form can hold.

use std::{collections::BTreeSet, fs, path::Path};

use instruments::{Context, Instrument, InstrumentItem, ItemKind, by_id, qualification};
use terms::{Answer, Decimal, MissingReason, Value};

fn derived_ids(instrument: &dyn Instrument) -> Vec<&'static str> {
    instrument.items().iter().filter(|item| item.derived).map(|item| item.id).collect()
}

#[test]
fn instruments_are_in_order_and_found_by_id() {
    let ids = instruments::all().iter().map(|one| one.id()).collect::<Vec<_>>();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    assert!(ids.iter().all(|id| by_id(id).is_some_and(|one| one.id() == *id)));
    assert!(by_id("guess").is_none());
}

#[test]
fn item_ids_are_unique_and_labelled_in_both_languages() {
    for one in instruments::all() {
        let ids = one.items().iter().map(|item| item.id).collect::<BTreeSet<_>>();
        assert_eq!(ids.len(), one.items().len(), "{}", one.id());
        for item in one.items() {
            assert!(!item.label.en.is_empty() && !item.label.fr.is_empty(), "{} {}", one.id(), item.id);
        }
        assert!(!one.version().is_empty() && !one.source().is_empty(), "{}", one.id());
    }
}

#[test]
fn an_empty_form_scores_nothing_and_gives_a_reason_for_every_derived_item() {
    for one in instruments::all() {
        for answer in [None, Some(Answer::Missing(MissingReason::NotDone))] {
            let scored = one.score(&|_| answer.clone(), &Context::default());
            assert_eq!(scored.iter().map(|d| d.item).collect::<Vec<_>>(), derived_ids(*one), "{}", one.id());
            for derived in scored {
                // Counts of what was answered are known even for an empty form.
                let count = matches!(derived.item, "category_count" | "unanswered");
                assert_eq!(derived.result.is_ok(), count, "{} {}", one.id(), derived.item);
                if let Err(reason) = derived.result {
                    assert!(!reason.to_string().is_empty());
                }
            }
        }
    }
}

#[test]
fn a_form_filled_at_its_lower_bounds_scores_within_the_bounds_of_its_derived_items() {
    let context = Context {
        sex: Some(instruments::Sex::Female),
        age_years: Some(45.into()),
        height_cm: Some(165.into()),
        weight_kg: Some(60.into()),
        ethnicity: Some(instruments::Ethnicity::White),
    };
    for one in instruments::all() {
        let answers = |id: &str| {
            let item = one.items().iter().find(|item| item.id == id && !item.derived)?;
            Some(Answer::Given(match item.kind {
                ItemKind::Integer { min, .. } => Value::Integer(min),
                ItemKind::Decimal { min, .. } => Value::Decimal((min + 1).into()),
                ItemKind::Code(codes) => Value::Code(codes[0].code.to_owned()),
                ItemKind::Boolean => Value::Boolean(false),
            }))
        };
        for derived in one.score(&answers, &context) {
            let item = one.items().iter().find(|item| item.id == derived.item).unwrap();
            match (derived.result, item.kind) {
                (Err(_), _) => {}
                (Ok(Value::Integer(value)), ItemKind::Integer { min, max }) => {
                    assert!((min..=max).contains(&value), "{} {}: {value}", one.id(), item.id);
                }
                (Ok(Value::Decimal(value)), ItemKind::Decimal { min, max, decimals, .. }) => {
                    let inside = value >= min.into() && value <= max.into() && value.scale() <= decimals;
                    assert!(inside, "{} {}: {value}", one.id(), item.id);
                }
                (Ok(Value::Boolean(_)), ItemKind::Boolean) => {}
                (Ok(Value::Code(code)), ItemKind::Code(codes)) => {
                    assert!(codes.iter().any(|one| one.code == code), "{} {code}", one.id());
                }
                (value, kind) => panic!("{} {}: {value:?} is no {kind:?}", one.id(), item.id),
            }
        }
    }
}

#[test]
fn no_entered_number_makes_a_score_overflow() {
    let context = Context {
        sex: Some(instruments::Sex::Male),
        age_years: Some(45.into()),
        height_cm: Some(Decimal::MAX),
        weight_kg: Some(Decimal::MAX),
        ethnicity: Some(instruments::Ethnicity::White),
    };
    let tiny = Decimal::from_parts(1, 0, 0, false, 28);
    for number in [Decimal::MAX, Decimal::MIN, tiny, Decimal::ZERO, Decimal::from(1_000_000_000)] {
        for one in instruments::all() {
            for flag in [false, true] {
                let answers = |id: &str| {
                    let item = one.items().iter().find(|item| item.id == id && !item.derived)?;
                    Some(Answer::Given(match item.kind {
                        ItemKind::Code(codes) => Value::Code(codes[0].code.to_owned()),
                        ItemKind::Boolean => Value::Boolean(flag),
                        _ => Value::Decimal(number),
                    }))
                };
                assert_eq!(one.score(&answers, &context).len(), derived_ids(*one).len(), "{}", one.id());
            }
        }
    }
}

/// The row of an item on the instrument's page.
fn row(item: &InstrumentItem) -> String {
    let holds = match item.kind {
        ItemKind::Integer { min, max } => format!("integer {min} to {max}"),
        ItemKind::Decimal { min, max, decimals, unit: "1" } => format!("{min} to {max}, {decimals} decimals"),
        ItemKind::Decimal { min, max, decimals, unit } => {
            format!("{min} to {max} {unit}, {decimals} decimals")
        }
        ItemKind::Code(codes) => {
            codes.iter().map(|one| format!("`{}`", one.code)).collect::<Vec<_>>().join(" ")
        }
        ItemKind::Boolean => "yes or no".to_owned(),
    };
    let note = match (item.derived, item.optional) {
        (true, _) => ", derived",
        (false, true) => ", optional",
        (false, false) => "",
    };
    format!("| `{}` | {} | {holds}{note} |", item.id, item.label.en)
}

fn page(id: &str) -> String {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/instruments");
    fs::read_to_string(pages.join(format!("{id}.md"))).unwrap_or_default()
}

#[test]
fn the_page_of_an_instrument_shows_its_items_version_and_source() {
    for one in instruments::all() {
        let page = match one.id() {
            "mrss_pro_rata" | "shaq_vas_100mm" => continue,
            "sf36" | "sf36_v2" => page("sf36_summary"),
            id => page(id),
        };
        for item in one.items() {
            assert!(page.lines().any(|line| line == row(item)), "{}: {}", one.id(), row(item));
        }
        assert!(one.id() == "sf36_v2" || page.contains(one.version()), "{}", one.id());
        assert!(page.contains(one.source()), "{}", one.id());
    }
}

#[test]
fn every_instrument_has_a_page() {
    let variants = ["mrss_pro_rata", "shaq_vas_100mm", "sf36", "sf36_v2"];
    let ids = instruments::all().iter().map(|one| one.id()).chain(qualification::instruments());
    for id in ids.filter(|id| !variants.contains(id)) {
        let page = page(id);
        for heading in ["## Items", "## Formula", "## Missing", "## Source"] {
            assert!(page.contains(heading), "docs/instruments/{id}.md lacks `{heading}`");
        }
    }
}
