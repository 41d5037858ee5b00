//! `laboratory.toml`: each laboratory's reference ranges, converted to the unit of the item.

use std::collections::BTreeMap;

use terms::Decimal;

use super::sources::MARK;
use crate::{
    desk::{Desk, Section},
    expression::{Type, Unit},
    model::{Codelist, Form, ItemRole, ItemType, Laboratory, Purpose, ReferenceRange},
    shape::{Field, Keys, Kind, Shape, may, must},
    source::Place,
    tree::Node,
    units,
};

const AGE: Shape = Shape::Integer { min: 0, max: 150 };
const LIMIT: Shape = Shape::Number { min: None, max: None };

const RANGE: &[Field] = &[
    must("item", Shape::Name(Kind::Item), "The laboratory form's item."),
    may("sex", Shape::Text, "The sex code it holds for; without this, for both."),
    may("age_from", AGE, "Least age in years, included."),
    may("age_below", AGE, "Age in years below which it holds."),
    may("from", Shape::Date, "First day on which it holds."),
    may("lower", LIMIT, "Lower limit of normal."),
    may("upper", LIMIT, "Upper limit of normal."),
    may("unit", Shape::Name(Kind::Unit), "The unit, if it is not the item's."),
    may(
        "factor",
        Shape::Number { min: Some(0), max: None },
        "What one of this unit is in the item's, where the two measure different things.",
    ),
];

const LABORATORY: &[Field] = &[
    may("ranges", Shape::List(&Shape::Table(RANGE)), "Ranges, most specific first."),
    may("same_as", Shape::Name(Kind::Laboratory), "A laboratory whose ranges hold too, after its own."),
    may("mark", MARK, "How sure the ranges are."),
];

pub(crate) const FIELDS: &[Field] = &[must(
    "laboratories",
    Shape::Map(Keys::Define(Kind::Laboratory), &Shape::Table(LABORATORY)),
    "Laboratories.",
)];

/// Reads the file.
pub(crate) fn read(
    desk: &mut Desk<'_>,
    root: &Section<'_>,
    forms: &[Form],
    codelists: &[Codelist],
) -> Vec<Laboratory> {
    let mut own: BTreeMap<String, Vec<ReferenceRange>> = BTreeMap::new();
    for entry in root.named("laboratories") {
        let ranges = entry.get("ranges").map_or(&[][..], Node::elements);
        let ranges = ranges
            .iter()
            .filter_map(|node| read_range(desk, &Section::new(node, entry.file), forms, codelists));
        own.insert(entry.name().to_owned(), ranges.collect());
    }
    let mut laboratories = Vec::new();
    for entry in root.named("laboratories") {
        let mut ranges = own.get(entry.name()).cloned().unwrap_or_default();
        if let Some(other) = entry.text("same_as") {
            let chained = root
                .get("laboratories")
                .and_then(|all| all.get(other))
                .is_some_and(|other| other.get("same_as").is_some());
            if other == entry.name() || chained {
                let help = "name a laboratory that has its own ranges".to_owned();
                desk.error(
                    "ambiguous",
                    &entry.place_of("same_as"),
                    "`same_as` leads on to another `same_as`",
                    Some(help),
                );
            }
            ranges.extend(own.get(other).cloned().unwrap_or_default());
        }
        unreachable_ranges(desk, &entry, own.get(entry.name()).map_or(&[], Vec::as_slice));
        laboratories.push(Laboratory { id: entry.name().to_owned(), ranges });
    }
    laboratories
}

fn read_range(
    desk: &mut Desk<'_>,
    range: &Section<'_>,
    forms: &[Form],
    codelists: &[Codelist],
) -> Option<ReferenceRange> {
    let name = range.text("item")?;
    let (form, item) = name.split_once('.')?;
    let facts = desk.items.get(name)?.clone();
    let place = range.place_of("item");
    let is_laboratory = forms.iter().any(|f| f.id == *form && f.purpose == Some(Purpose::Laboratory));
    if !is_laboratory {
        let help = format!("give forms/{form}.toml `purpose = \"laboratory\"`");
        desk.error("laboratory", &place, format!("`{form}` is not a laboratory form"), Some(help));
    }
    if forms.iter().filter(|f| f.purpose == Some(Purpose::Laboratory) && f.item(item).is_some()).count() > 1 {
        let help = "give the items different names".to_owned();
        desk.error(
            "ambiguous",
            &place,
            format!("several laboratory forms have an item `{item}`"),
            Some(help),
        );
    }
    if range.get("lower").is_none() && range.get("upper").is_none() {
        desk.error(
            "missing-key",
            &place,
            format!("the range of `{name}` has no limit"),
            Some("add `lower` or `upper`".into()),
        );
    }
    let sex = range.text("sex").map(str::to_owned);
    if let Some(sex) = &sex {
        let codes = sex_codes(forms, codelists);
        if !codes.is_empty() {
            desk.refer_among(Kind::Code, sex, &range.place_of("sex"), &codes);
        }
    }
    let Type::Number(Unit::Of(unit)) = &facts.kind else {
        desk.error(
            "laboratory",
            &place,
            format!("`{name}` holds {}, which has no limits", facts.kind.noun()),
            None,
        );
        return None;
    };
    let mut limit = |key: &str| {
        let value = range.decimal(key)?;
        convert(desk, range, value, unit, name)
    };
    let (lower, upper) = (limit("lower"), limit("upper"));
    if let (Some(low), Some(high)) = (lower, upper)
        && low > high
    {
        desk.error(
            "order",
            &range.place_of("lower"),
            format!("the lower limit {low} is above the upper {high}"),
            None,
        );
    }
    Some(ReferenceRange {
        item: item.into(),
        sex,
        age_from: range.whole("age_from"),
        age_below: range.whole("age_below"),
        from: range.get("from").and_then(Node::date),
        lower,
        upper,
    })
}

/// Returns the codes of the item that holds the sex at birth.
fn sex_codes(forms: &[Form], codelists: &[Codelist]) -> Vec<String> {
    let item = forms.iter().find_map(|form| form.item_for(ItemRole::Sex));
    let Some(ItemType::Code { codelist }) = item.map(|item| &item.kind) else { return Vec::new() };
    let list = codelists.iter().find(|list| list.id == *codelist);
    list.map(|list| list.codes.iter().map(|(code, _)| code.clone()).collect()).unwrap_or_default()
}

fn convert(
    desk: &mut Desk<'_>,
    range: &Section<'_>,
    value: Decimal,
    unit: &str,
    item: &str,
) -> Option<Decimal> {
    let own = units::canonical(range.text("unit").unwrap_or(unit));
    if let Some(factor) = range.decimal("factor") {
        return value.checked_mul(factor).map(|value| value.normalize());
    }
    if own == unit {
        return Some(value);
    }
    let converted = units::convert(value, &own, unit);
    if converted.is_none() && units::codes().any(|code| code == own) {
        let message = format!("{own} can't be converted to {unit}, the unit of `{item}`");
        let help = format!("add `factor`: what 1 {own} is in {unit} (creatinine: 1 mg/dL is 88.4 umol/L)");
        let place = range.place_of("unit");
        if !desk.diagnostics.iter().any(|d| d.message == message && d.span.start == place.start) {
            desk.error("unit", &place, message, Some(help));
        }
    }
    converted
}

/// Warns of a range that an earlier, wider one hides: ranges are looked up from the first on.
fn unreachable_ranges(desk: &mut Desk<'_>, entry: &Section<'_>, ranges: &[ReferenceRange]) {
    let nodes = entry.get("ranges").map_or(&[][..], Node::elements);
    if nodes.len() != ranges.len() {
        return;
    }
    for (index, range) in ranges.iter().enumerate() {
        let hides = |earlier: &&ReferenceRange| {
            earlier.item == range.item
                && (earlier.sex.is_none() || earlier.sex == range.sex)
                && earlier.age_from.unwrap_or(0) <= range.age_from.unwrap_or(0)
                && earlier.age_below.unwrap_or(u32::MAX) >= range.age_below.unwrap_or(u32::MAX)
                && (earlier.from.is_none() || earlier.from <= range.from && range.from.is_some())
        };
        if ranges[..index].iter().any(|earlier| hides(&earlier)) {
            let place = Place::new(entry.file, nodes[index].get("item").map_or(0..0, Node::text_span));
            let message =
                format!("this range of `{}` is never reached: an earlier one always holds", range.item);
            desk.error("unreachable", &place, message, Some("put the most specific range first".into()));
        }
    }
}
