//! `forms/<form>.toml`: items, instrument, edit checks.
//!
//! Items are known to the whole compiler before any expression is read ([`facts`]); the
//! forms themselves are built once all items are.

use std::{collections::BTreeMap, sync::Arc};

use instruments::ItemKind;
use terms::{Decimal, MissingReason};

use super::cases::{Cases, read_cases};
use crate::{
    desk::{Desk, Placed, Section},
    expression::{Codes, Expression, ItemFacts, Reads, Term, Type, Unit},
    model::{
        Codelist, Derivation, Dictionary, EditCheck, Form, Item, ItemRole, ItemType, Label, Purpose, Severity,
    },
    shape::{Field, Keys, Kind, Shape, may, must},
    source::Place,
    tree::Node,
    units,
};

words! { PURPOSES, purpose -> Purpose {
    "demography" => Purpose::Demography,
    "adverse events" => Purpose::AdverseEvents,
    "blinded assessment" => Purpose::BlindedAssessment,
    "laboratory" => Purpose::Laboratory,
    "specimen reading" => Purpose::SpecimenReading,
    "concomitant treatments" => Purpose::ConcomitantTreatments,
} }

words! { ITEM_ROLES, item_role -> ItemRole {
    "sex" => ItemRole::Sex,
    "age_years" => ItemRole::AgeYears,
    "height_cm" => ItemRole::HeightCm,
    "ae_term" => ItemRole::AeTerm,
    "ae_start" => ItemRole::AeStart,
    "ae_stop" => ItemRole::AeStop,
    "ae_grade" => ItemRole::AeGrade,
    "ae_serious" => ItemRole::AeSerious,
    "ae_serious_criterion" => ItemRole::AeSeriousCriterion,
    "ae_relation" => ItemRole::AeRelation,
    "ae_action" => ItemRole::AeAction,
    "ae_outcome" => ItemRole::AeOutcome,
    "treatment_name" => ItemRole::TreatmentName,
    "treatment_class" => ItemRole::TreatmentClass,
    "treatment_reason" => ItemRole::TreatmentReason,
    "treatment_start" => ItemRole::TreatmentStart,
    "treatment_stop" => ItemRole::TreatmentStop,
    "treatment_prohibited" => ItemRole::TreatmentProhibited,
} }

words! { MISSING, missing_reason -> MissingReason {
    "not done" => MissingReason::NotDone,
    "unknown" => MissingReason::Unknown,
    "not applicable" => MissingReason::NotApplicable,
    "refused" => MissingReason::Refused,
    "not measurable" => MissingReason::NotMeasurable,
    "not scorable" => MissingReason::NotScorable,
} }

words! { SEVERITIES, severity -> Severity {
    "hard" => Severity::Hard,
    "soft" => Severity::Soft,
} }

words! { DICTIONARIES, dictionary -> Dictionary {
    "ctcae5" => Dictionary::Ctcae5,
} }

const TYPES: &[&str] = &["integer", "decimal", "boolean", "code", "date", "text", "term"];

const NUMBER: Shape = Shape::Number { min: None, max: None };

const ITEM: &[Field] = &[
    must("label", Shape::Label, "What the page says."),
    must("type", Shape::Word(TYPES), "What it holds."),
    may("decimals", Shape::Integer { min: 0, max: 12 }, "Decimals of a decimal number."),
    may("codelist", Shape::Name(Kind::Codelist), "The code list of a code."),
    may("dictionary", Shape::Word(DICTIONARIES), "The dictionary of a term."),
    may("partial", Shape::Flag, "Whether a date's day or month may be unknown."),
    may("unit", Shape::Name(Kind::Unit), "The unit (UCUM)."),
    may("minimum", NUMBER, "Least value allowed."),
    may("maximum", NUMBER, "Greatest value allowed."),
    may("required", Shape::Flag, "Whether it must be filled, or missing with a reason, before signing."),
    may(
        "missing_allowed",
        Shape::List(&Shape::Word(MISSING)),
        "The reasons allowed for a missing value; all where empty.",
    ),
    may("shown_if", Shape::Expression, "Shown only if this holds."),
    may("derived", Shape::Expression, "How it is derived; without this, it is entered."),
    may("role", Shape::Word(ITEM_ROLES), "Its part in the form's purpose."),
];

const ASK: &[Field] = &[
    must("of", Shape::Name(Kind::Role), "Who is asked."),
    may("after", Shape::Word(&["visit signed"]), "Asked only once the visit is signed."),
    may("*", Shape::Text, "The question, by language."),
];

const CHECK: &[Field] = &[
    must("when", Shape::Expression, "Fires when true."),
    must("severity", Shape::Word(SEVERITIES), "hard blocks signing, never saving; soft opens a query."),
    must("item", Shape::Text, "The item that the query is attached to."),
    must("ask", Shape::Table(ASK), "Who is asked, when, and what."),
    must("cases", super::cases::ASKS, "Cases that fire it and cases that don't."),
];

pub(crate) const FIELDS: &[Field] = &[
    must("title", Shape::Label, "Its title."),
    must("data_class", Shape::Name(Kind::DataClass), "Its data class."),
    must(
        "filled_by",
        Shape::List(&Shape::Name(Kind::Role)),
        "Roles that fill it; each must enter its data class.",
    ),
    may("instrument", Shape::Name(Kind::Instrument), "The instrument it holds."),
    may("purpose", Shape::Word(PURPOSES), "Its part in conduct."),
    may("repeating", Shape::Flag, "Whether it has rows."),
    may("by_visit", Shape::Flag, "Whether it is filled at visits; false: it runs through the trial."),
    may(
        "hidden_from_filler",
        Shape::List(&Shape::Name(Kind::DataClass)),
        "Data classes that the filler must not see.",
    ),
    may("shown_if", Shape::Expression, "The whole form is asked only if this holds."),
    may("items", Shape::Map(Keys::Define(Kind::Item), &Shape::Table(ITEM)), "Items in order."),
    may("checks", Shape::Map(Keys::Define(Kind::Check), &Shape::Table(CHECK)), "Edit checks."),
];

/// A form's file: the form's id and its table.
pub(crate) type FormFile<'t> = (String, Section<'t>);

/// A condition of a form with what it belongs to, for checks that look at it again.
pub(crate) struct Condition {
    pub(crate) form: String,
    /// The item that is shown, or the edit check.
    pub(crate) of: String,
    pub(crate) placed: Placed,
    pub(crate) cases: Cases,
}

/// The forms and where their parts stand.
#[derive(Default)]
pub(crate) struct FormParts {
    pub(crate) forms: Vec<Form>,
    pub(crate) shown: Vec<Condition>,
    pub(crate) checks: Vec<Condition>,
    /// Form to the place of its file's start; `form#check` to the place of whom it asks.
    pub(crate) places: BTreeMap<String, Place>,
}

/// Collects what is known of every item, those of instruments included.
pub(crate) fn facts(desk: &mut Desk<'_>, files: &[FormFile<'_>], codelists: &[Codelist]) {
    for (form, root) in files {
        let has_limits = root.text("purpose") == Some("laboratory");
        if let Some(instrument) = root.text("instrument").and_then(instruments::by_id) {
            let own = |id: &str| root.get("items").is_some_and(|items| items.get(id).is_some());
            for item in instrument.items().iter().filter(|item| !own(item.id)) {
                let facts = instrument_facts(form, item);
                add(desk, form, item.id, facts);
            }
        }
        for entry in root.named("items") {
            let facts = item_facts(desk, &entry, codelists, has_limits);
            add(desk, form, entry.name(), facts);
        }
    }
}

fn add(desk: &mut Desk<'_>, form: &str, item: &str, facts: ItemFacts) {
    let name = format!("{form}.{item}");
    desk.names.define(Kind::Item, name.clone());
    desk.items.insert(name, facts);
}

fn instrument_facts(form: &str, item: &instruments::InstrumentItem) -> ItemFacts {
    let of = |unit: &str| Type::Number(Unit::Of(units::canonical(unit)));
    let (kind, minimum, maximum, decimals) = match item.kind {
        ItemKind::Integer { min, max } => (of("1"), Some(min), Some(max), 0),
        ItemKind::Decimal { min, max, decimals, unit } => (of(unit), Some(min), Some(max), decimals),
        ItemKind::Boolean => (Type::Flag, None, None, 0),
        ItemKind::Code(codes) => {
            let among = codes.iter().map(|code| code.code.to_owned()).collect();
            let codes = Codes {
                kind: Kind::Code,
                list: instrument_list(form, item.id),
                among: Some(Arc::new(among)),
            };
            (Type::Code(codes), None, None, 0)
        }
    };
    ItemFacts {
        kind,
        has_limits: false,
        minimum: minimum.map(Decimal::from),
        maximum: maximum.map(Decimal::from),
        decimals,
    }
}

/// Returns the id of the code list that an instrument's item brings along.
fn instrument_list(form: &str, item: &str) -> String {
    format!("{form}.{item}")
}

fn item_facts(desk: &Desk<'_>, entry: &Section<'_>, codelists: &[Codelist], has_limits: bool) -> ItemFacts {
    let unit = Unit::Of(units::canonical(entry.text("unit").unwrap_or("1")));
    let kind = match entry.text("type") {
        Some("boolean") => Type::Flag,
        Some("date") => Type::Date,
        Some("text" | "term") => Type::Text,
        Some("code") => {
            let list = entry.owned("codelist");
            let among = codelists.iter().find(|codelist| codelist.id == *list.as_str());
            let among = among
                .map(|list| Arc::new(list.codes.iter().map(|(code, _)| code.clone()).collect::<Vec<_>>()));
            let among = among.filter(|_| !desk.was_left_out(&list));
            Type::Code(Codes { kind: Kind::Code, list, among })
        }
        _ => Type::Number(unit),
    };
    ItemFacts {
        kind,
        has_limits,
        minimum: entry.decimal("minimum"),
        maximum: entry.decimal("maximum"),
        decimals: if entry.text("type") == Some("decimal") {
            entry.whole("decimals").unwrap_or(0)
        } else {
            0
        },
    }
}

/// Builds the forms.
pub(crate) fn read(desk: &mut Desk<'_>, files: &[FormFile<'_>], codelists: &mut Vec<Codelist>) -> FormParts {
    let mut parts = FormParts::default();
    for (name, root) in files {
        parts.places.insert(name.clone(), Place::new(root.file, 0..0));
        let form = read_form(desk, name, root, codelists, &mut parts);
        parts.forms.push(form);
    }
    one_purpose_each(desk, files);
    parts
}

fn read_form(
    desk: &mut Desk<'_>,
    name: &str,
    root: &Section<'_>,
    codelists: &mut Vec<Codelist>,
    parts: &mut FormParts,
) -> Form {
    let mut items = Vec::new();
    if let Some(instrument) = root.text("instrument").and_then(instruments::by_id) {
        for item in instrument.items() {
            if root.get("items").and_then(|items| items.get(item.id)).is_none() {
                items.push(instrument_item(name, item, codelists));
            }
        }
    }
    for entry in root.named("items") {
        if root
            .text("instrument")
            .and_then(instruments::by_id)
            .is_some_and(|i| i.items().iter().any(|item| item.id == entry.name()))
        {
            let own = root.text("instrument").and_then(instruments::by_id);
            let own = own.and_then(|own| own.items().iter().find(|item| item.id == entry.name()));
            if own.is_some_and(|own| own.derived || !is_derived_alike(&entry, own)) {
                let help = "leave it out, choose another name, or derive an entered item of the same type from \
                            others by `derived`";
                let message = format!("item `{}` is one of the instrument's", entry.name());
                desk.error("duplicate", &entry.place(), message, Some(help.to_owned()));
            }
        }
        let item = read_item(desk, name, &entry, parts);
        items.push(item);
    }
    if let Some(node) = root.get("shown_if")
        && let Some(placed) = desk.condition(node, root.file, Reads::Casebook, None)
    {
        for item in &mut items {
            item.shown_if = Some(match item.shown_if.take() {
                Some(own) => placed.expression.and(&own),
                None => placed.expression.clone(),
            });
        }
        parts.shown.push(Condition {
            form: name.to_owned(),
            of: "the form".to_owned(),
            placed,
            cases: Cases::default(),
        });
    }
    if items.is_empty() && !desk.left_out.contains("items") {
        desk.error(
            "missing-key",
            &Place::new(root.file, 0..0),
            format!("form `{name}` has no items"),
            Some("add `[items]` or `instrument`".into()),
        );
    }
    let item_ids: Vec<String> = items.iter().map(|item: &Item| item.id.to_string()).collect();
    let mut checks = Vec::new();
    for entry in root.named("checks") {
        if let Some(check) = read_check(desk, name, &entry, &item_ids, parts) {
            checks.push(check);
        }
    }
    checks.extend(range_checks(desk, name, root, &items));
    Form {
        id: name.into(),
        title: desk.label(root.get("title")),
        data_class: root.owned("data_class").into(),
        filled_by: root.texts("filled_by").into_iter().map(Into::into).collect(),
        instrument: root.text("instrument").map(str::to_owned),
        purpose: root.text("purpose").and_then(purpose),
        repeating: root.flag("repeating").unwrap_or(false),
        by_visit: root.flag("by_visit").unwrap_or(true),
        items,
        checks,
        hidden_from_filler: root.texts("hidden_from_filler").into_iter().map(Into::into).collect(),
    }
}

/// Says whether a study's item derives what the instrument would have entered, in the same type.
fn is_derived_alike(entry: &Section<'_>, own: &instruments::InstrumentItem) -> bool {
    let kind = match own.kind {
        ItemKind::Integer { .. } => "integer",
        ItemKind::Decimal { .. } => "decimal",
        ItemKind::Boolean => "boolean",
        // Its codes are the instrument's own.
        ItemKind::Code(_) => return false,
    };
    entry.get("derived").is_some() && entry.text("type") == Some(kind)
}

fn both_languages(label: instruments::Label) -> Label {
    Label([("en", label.en), ("fr", label.fr)].map(|(code, text)| (code.to_owned(), text.to_owned())).into())
}

fn instrument_item(form: &str, item: &instruments::InstrumentItem, codelists: &mut Vec<Codelist>) -> Item {
    let (kind, unit, minimum, maximum) = match item.kind {
        ItemKind::Integer { min, max } => (ItemType::Integer, None, Some(min), Some(max)),
        ItemKind::Decimal { min, max, decimals, unit } => (
            ItemType::Decimal { decimals },
            Some(unit.to_owned()).filter(|unit| unit != "1"),
            Some(min),
            Some(max),
        ),
        ItemKind::Boolean => (ItemType::Boolean, None, None, None),
        ItemKind::Code(codes) => {
            let id = instrument_list(form, item.id);
            let codes = codes.iter().map(|code| (code.code.to_owned(), both_languages(code.label))).collect();
            codelists.push(Codelist { id: id.as_str().into(), codes });
            (ItemType::Code { codelist: id.into() }, None, None, None)
        }
    };
    Item {
        id: item.id.into(),
        label: both_languages(item.label),
        kind,
        unit,
        minimum: minimum.map(Decimal::from),
        maximum: maximum.map(Decimal::from),
        required: !item.optional && !item.derived,
        missing_allowed: Vec::new(),
        shown_if: None,
        derived: item.derived.then(|| Derivation::Instrument { output: item.id.to_owned() }),
        role: None,
    }
}

fn read_item(desk: &mut Desk<'_>, form: &str, entry: &Section<'_>, parts: &mut FormParts) -> Item {
    let kind = match entry.text("type") {
        Some("integer") => ItemType::Integer,
        Some("boolean") => ItemType::Boolean,
        Some("code") => ItemType::Code { codelist: entry.owned("codelist").into() },
        Some("date") => ItemType::Date { partial: entry.flag("partial").unwrap_or(false) },
        Some("decimal") => ItemType::Decimal { decimals: entry.whole("decimals").unwrap_or(0) },
        Some("term") => match entry.text("dictionary").and_then(dictionary) {
            Some(dictionary) => ItemType::Term { dictionary },
            None => ItemType::Text,
        },
        _ => ItemType::Text,
    };
    fitting_keys(desk, entry);
    let (minimum, maximum) = (entry.decimal("minimum"), entry.decimal("maximum"));
    if let (Some(low), Some(high)) = (minimum, maximum)
        && low > high
    {
        let help = format!("write `minimum = {high}, maximum = {low}`");
        desk.error(
            "order",
            &entry.place_of("minimum"),
            format!("the least value {low} is above the greatest {high}"),
            Some(help),
        );
    }
    let shown_if =
        entry.get("shown_if").and_then(|node| desk.condition(node, entry.file, Reads::Casebook, Some(form)));
    if let Some(placed) = &shown_if {
        parts.shown.push(Condition {
            form: form.to_owned(),
            of: entry.name().to_owned(),
            placed: placed.clone(),
            cases: Cases::default(),
        });
    }
    let derived = entry.get("derived").and_then(|node| read_derivation(desk, form, entry, node));
    if let (Some(node), Some(true)) =
        (entry.get("required"), entry.get("derived").map(|_| entry.flag("required") == Some(true)))
    {
        let place = Place::new(entry.file, node.span.clone());
        desk.error(
            "ambiguous",
            &place,
            "a derived item can't be required: nobody enters it",
            Some("leave `required` out".into()),
        );
    }
    Item {
        id: entry.name().into(),
        label: desk.label(entry.get("label")),
        kind,
        unit: entry.text("unit").map(str::to_owned),
        minimum,
        maximum,
        required: entry.flag("required").unwrap_or(false),
        missing_allowed: entry.texts("missing_allowed").into_iter().filter_map(missing_reason).collect(),
        shown_if: shown_if.map(|placed| placed.expression),
        derived: derived.map(Derivation::Expression),
        role: entry.text("role").and_then(item_role),
    }
}

/// Reports keys that go with another type.
fn fitting_keys(desk: &mut Desk<'_>, entry: &Section<'_>) {
    let Some(kind) = entry.text("type") else { return };
    let needs: &[(&str, &[&str])] = &[
        ("codelist", &["code"]),
        ("dictionary", &["term"]),
        ("decimals", &["decimal"]),
        ("partial", &["date"]),
        ("unit", &["integer", "decimal"]),
        ("minimum", &["integer", "decimal"]),
        ("maximum", &["integer", "decimal"]),
    ];
    for (key, kinds) in needs {
        if let Some((found, _)) = entry.node.entry(key)
            && !kinds.contains(&kind)
        {
            let place = Place::new(entry.file, found.span.clone());
            let message = format!("an item of type `{kind}` has no `{key}`");
            desk.error(
                "unknown-key",
                &place,
                message,
                Some(format!("`{key}` goes with type {}", kinds.join(" or "))),
            );
        }
    }
    for (key, of) in [("codelist", "code"), ("decimals", "decimal"), ("dictionary", "term")] {
        if kind == of && entry.get(key).is_none() {
            let message = format!("item `{}` of type `{of}` lacks `{key}`", entry.name());
            desk.error("missing-key", &entry.place(), message, None);
        }
    }
}

fn read_derivation(desk: &mut Desk<'_>, form: &str, entry: &Section<'_>, node: &Node) -> Option<Expression> {
    let placed = desk.expression(node, entry.file, Reads::Casebook, Some(form))?;
    let own = desk.items.get(&format!("{form}.{}", entry.name())).map(|facts| facts.kind.clone())?;
    let fits = match (&own, &placed.kind) {
        (Type::Number(own), Type::Number(unit)) => {
            if crate::expression::join(own, unit).is_none() {
                let message =
                    format!("`{}` is {}, and this gives {}", entry.name(), own_noun(own), placed.kind.noun());
                desk.error("unit", &placed.place, message, None);
            }
            true
        }
        (Type::Code(codes), Type::Words(words)) => {
            let among = codes.among.clone().unwrap_or_default();
            for (word, at) in words {
                desk.refer_among(Kind::Code, word, &placed.place.part(at.0, at.1), &among);
            }
            true
        }
        (Type::Text, Type::Words(_) | Type::Text) | (Type::Flag, Type::Flag) | (Type::Date, Type::Date) => {
            true
        }
        (Type::Code(a), Type::Code(b)) => a.list == b.list,
        _ => false,
    };
    if !fits {
        let message =
            format!("`{}` holds {}, and this gives {}", entry.name(), own.noun(), placed.kind.noun());
        desk.error("type", &placed.place, message, None);
        return None;
    }
    Some(placed.expression)
}

fn own_noun(unit: &Unit) -> String {
    Type::Number(unit.clone()).noun()
}

fn read_check(
    desk: &mut Desk<'_>,
    form: &str,
    entry: &Section<'_>,
    items: &[String],
    parts: &mut FormParts,
) -> Option<EditCheck> {
    let when =
        entry.get("when").and_then(|node| desk.condition(node, entry.file, Reads::Casebook, Some(form)));
    let item = entry.text("item").unwrap_or_default();
    if entry.get("item").is_some_and(|node| node.text().is_some()) {
        desk.refer_among(Kind::Item, item, &entry.place_of("item"), items);
    }
    let ask = entry.section("ask")?;
    parts.places.insert(format!("{form}#{}", entry.name()), ask.place_of("of"));
    let mut text = Label::default();
    for question in ask.all().filter(|question| !matches!(question.name(), "of" | "after")) {
        desk.refer(Kind::Language, question.name(), &question.place());
        text.0.insert(question.name().to_owned(), question.node.text().unwrap_or_default().to_owned());
    }
    if text.0.is_empty() {
        let languages = desk.languages.join("`, `");
        desk.error(
            "missing-key",
            &ask.place(),
            format!("check `{}` asks nothing", entry.name()),
            Some(format!("add the question by language: `{languages}`")),
        );
    }
    let when = when?;
    let cases = read_cases(desk, entry, "asks", &[&when], Some(form));
    let check = EditCheck {
        id: entry.name().into(),
        when: when.expression.clone(),
        severity: entry.text("severity").and_then(severity).unwrap_or(Severity::Soft),
        item: item.into(),
        asks: ask.owned("of").into(),
        after_signing: ask.get("after").is_some(),
        text,
    };
    parts.checks.push(Condition { form: form.to_owned(), of: entry.name().to_owned(), placed: when, cases });
    Some(check)
}

/// Returns the hard checks that the items' least and greatest values mean: whoever fills the form is asked.
fn range_checks(desk: &Desk<'_>, form: &str, root: &Section<'_>, items: &[Item]) -> Vec<EditCheck> {
    let asks = root.texts("filled_by").first().copied().unwrap_or_default();
    let mut checks = Vec::new();
    for item in items.iter().filter(|item| !matches!(item.derived, Some(Derivation::Instrument { .. }))) {
        let name = format!("{form}.{}", item.id);
        let below = item.minimum.map(|low| format!("{name} < {low}"));
        let above = item.maximum.map(|high| format!("{name} > {high}"));
        let text = below.into_iter().chain(above).collect::<Vec<_>>().join(" || ");
        if text.is_empty() {
            continue;
        }
        let Some(when) = range_term(desk, &name, item) else { continue };
        let unit = item.unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
        let bound = |value: Option<Decimal>| value.map_or("…".to_owned(), |value| value.to_string());
        let range = format!("{}–{}{unit}", bound(item.minimum), bound(item.maximum));
        let question = |language: &str| match language {
            "fr" => format!("{} : hors des limites {range}.", item.label.get("fr")),
            _ => format!("{}: outside {range}.", item.label.get(language)),
        };
        checks.push(EditCheck {
            id: format!("range_{}", item.id).into(),
            when: Expression::new(text, when),
            severity: Severity::Hard,
            item: item.id.clone(),
            asks: asks.into(),
            after_signing: false,
            text: Label(
                desk.languages.iter().map(|language| (language.clone(), question(language))).collect(),
            ),
        });
    }
    checks
}

fn range_term(desk: &Desk<'_>, name: &str, item: &Item) -> Option<Term> {
    use crate::expression::{Comparison, Input, ItemRef, When};
    let (form, id) = name.split_once('.')?;
    desk.items.get(name)?;
    let value = || Term::Input(Input::Item(ItemRef { form: form.into(), item: id.into(), when: When::Here }));
    let side = |comparison, limit: Decimal| {
        Term::Compare(comparison, Box::new(value()), Box::new(Term::Number(limit, (0, 0))), (0, 0))
    };
    let below = item.minimum.map(|low| side(Comparison::Less, low));
    let above = item.maximum.map(|high| side(Comparison::Greater, high));
    match (below, above) {
        (Some(below), Some(above)) => Some(Term::Or(Box::new(below), Box::new(above), (0, 0))),
        (one, other) => one.or(other),
    }
}

/// A purpose that conduct looks for by itself has one form; laboratory, assessment and reading forms may be several.
fn one_purpose_each(desk: &mut Desk<'_>, files: &[FormFile<'_>]) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, root) in files {
        let Some(word) = root
            .text("purpose")
            .filter(|word| !matches!(*word, "laboratory" | "blinded assessment" | "specimen reading"))
        else {
            continue;
        };
        if let Some(first) = seen.insert(word, name) {
            let message = format!("forms `{first}` and `{name}` both serve as {word}");
            desk.error(
                "duplicate",
                &root.place_of("purpose"),
                message,
                Some("leave `purpose` out of one of them".into()),
            );
        }
    }
    for (_, root) in files {
        let mut roles: Vec<&str> = Vec::new();
        for entry in root.named("items") {
            let Some(role) = entry.text("role") else { continue };
            if roles.contains(&role) {
                let message = format!("two items of the form have the role `{role}`");
                desk.error("duplicate", &entry.place_of("role"), message, None);
            }
            roles.push(role);
        }
    }
}
