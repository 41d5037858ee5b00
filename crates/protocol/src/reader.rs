//! Holds each file against its shape: keys, types and closed words; and collects names.
//!
//! It runs twice over the same shapes: once to collect what names are defined, once to
//! report. What the values mean together is the sections' business.

use crate::{
    desk::Desk,
    names::suggest,
    shape::{Field, Keys, Kind, Shape, Variant},
    source::Place,
    tree::{Key, Node, NodeKind},
};

/// Collects the names that a file defines.
pub(crate) fn define(desk: &mut Desk<'_>, node: &Node, shape: &Shape) {
    match shape {
        Shape::Map(keys, of) => {
            for (key, value) in node.entries() {
                if let Keys::Define(kind) = keys {
                    desk.names.define(*kind, key.text.clone());
                }
                define(desk, value, of);
            }
        }
        Shape::List(of) => node.elements().iter().for_each(|element| define(desk, element, of)),
        Shape::Table(_) | Shape::Choice { .. } => {
            for (key, value) in node.entries() {
                if let Some(field) = fields(node, shape).into_iter().find(|field| field.key == key.text) {
                    define(desk, value, &field.shape);
                }
            }
        }
        _ => {}
    }
}

/// Returns the fields that a table of this shape may have.
fn fields(node: &Node, shape: &Shape) -> Vec<&'static Field> {
    match shape {
        Shape::Table(fields) => fields.iter().collect(),
        Shape::Choice { common, variants } => {
            let own = chosen(node, variants).map_or(&[][..], |variant| variant.fields);
            common.iter().chain(own).collect()
        }
        _ => Vec::new(),
    }
}

fn chosen(node: &Node, variants: &'static [Variant]) -> Option<&'static Variant> {
    variants.iter().find(|variant| node.get(variant.key).is_some())
}

/// Where the reader is.
#[derive(Clone)]
pub(crate) struct Spot<'n> {
    /// The file.
    pub(crate) file: usize,
    /// The key whose value is read.
    pub(crate) key: &'n str,
    /// Where to point if the value itself has no place.
    pub(crate) place: Place,
}

/// Reports what does not fit the shape.
pub(crate) fn read(desk: &mut Desk<'_>, node: &Node, shape: &Shape, spot: &Spot<'_>) {
    match shape {
        Shape::List(of) | Shape::Several(_, of) => list(desk, node, shape, of, spot),
        Shape::Table(_) | Shape::Choice { .. } => table(desk, node, shape, spot),
        Shape::Map(keys, of) => map(desk, node, *keys, of, spot),
        Shape::Label => label(desk, node, spot),
        Shape::Name(kind) => match node.text() {
            Some(name) => {
                desk.refer(*kind, name, &Place::new(spot.file, node.text_span()));
            }
            None => mismatch(desk, node, &format!("the name of a {}, in quotes", kind.noun()), spot),
        },
        Shape::Word(words) | Shape::Verdict(words) => word(desk, node, shape, words, spot),
        _ => scalar(desk, node, shape, spot),
    }
}

fn value_place(node: &Node, spot: &Spot<'_>) -> Place {
    if node.span.is_empty() { spot.place.clone() } else { Place::new(spot.file, node.text_span()) }
}

fn mismatch(desk: &mut Desk<'_>, node: &Node, wanted: &str, spot: &Spot<'_>) {
    let message = format!("`{}` must be {wanted}, and this is {}", spot.key, node.what());
    desk.error("wrong-type", &value_place(node, spot), message, None);
}

fn scalar(desk: &mut Desk<'_>, node: &Node, shape: &Shape, spot: &Spot<'_>) {
    let within = |low: bool, high: bool| if low && high { None } else { Some(()) };
    let (fits, wanted) = match shape {
        Shape::Text => (node.text().is_some(), "text in quotes".to_owned()),
        Shape::Expression => {
            (node.text().is_some_and(|text| !text.is_empty()), "an expression in quotes".to_owned())
        }
        Shape::Flag => (node.flag().is_some(), "true or false".to_owned()),
        Shape::Integer { min, max } => {
            if let Some(whole) = node.integer()
                && within(whole >= *min, whole <= *max).is_some()
            {
                let message = format!("`{}` is {whole}, and must be from {min} to {max}", spot.key);
                return desk.error("out-of-range", &value_place(node, spot), message, None);
            }
            (node.integer().is_some(), "a whole number".to_owned())
        }
        Shape::Number { min, max } => {
            if let Some(number) = node.decimal() {
                let low = min.is_none_or(|min| number >= min.into());
                let high = max.is_none_or(|max| number <= max.into());
                if within(low, high).is_some() {
                    let bound = if low {
                        max.map(|max| format!("at most {max}"))
                    } else {
                        min.map(|min| format!("at least {min}"))
                    };
                    let message =
                        format!("`{}` is {number}, and must be {}", spot.key, bound.unwrap_or_default());
                    return desk.error("out-of-range", &value_place(node, spot), message, None);
                }
            }
            (node.decimal().is_some(), "a number".to_owned())
        }
        Shape::NumberOrText => {
            (node.text().is_some() || node.decimal().is_some(), "a number or text".to_owned())
        }
        Shape::Date => (node.date().is_some(), "a date, such as 2008-03-10".to_owned()),
        Shape::Inputs => (!matches!(node.kind, NodeKind::Array(_)), "a single value".to_owned()),
        _ => (true, String::new()),
    };
    if !fits {
        mismatch(desk, node, &wanted, spot);
    }
}

fn word(desk: &mut Desk<'_>, node: &Node, shape: &Shape, words: &[&'static str], spot: &Spot<'_>) {
    let verdict = matches!(shape, Shape::Verdict(_));
    if verdict && node.flag().is_some() {
        return;
    }
    let list = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    match node.text() {
        Some(text) if words.contains(&text) => {}
        Some(text) => {
            let message = format!("`{}` can't be \"{text}\"", spot.key);
            let help = suggest(text, words.iter().copied()).unwrap_or_default();
            let help = if help.starts_with("did you mean") { help } else { format!("write one of {list}") };
            desk.error("unknown-word", &value_place(node, spot), message, Some(help));
        }
        None => mismatch(
            desk,
            node,
            &format!("{}one of {list}", if verdict { "true, false or " } else { "" }),
            spot,
        ),
    }
}

fn label(desk: &mut Desk<'_>, node: &Node, spot: &Spot<'_>) {
    match &node.kind {
        NodeKind::Text { .. } => {}
        NodeKind::Table(entries) if !entries.is_empty() => {
            for (language, text) in entries {
                let place = Place::new(spot.file, language.span.clone());
                desk.refer(Kind::Language, &language.text, &place);
                if text.text().is_none() {
                    mismatch(desk, text, "text in quotes", &Spot { key: &language.text, place, ..*spot });
                }
            }
            let missing: Vec<String> = desk
                .languages
                .iter()
                .filter(|code| node.get(code).is_none())
                .map(|code| format!("`{}.{code}`", spot.key))
                .collect();
            if !missing.is_empty() && entries.iter().any(|(key, _)| desk.languages.contains(&key.text)) {
                let message = format!("the text lacks {}", missing.join(", "));
                desk.warn(
                    "missing-language",
                    &spot.place,
                    message,
                    Some("readers of that language will see another one".into()),
                );
            }
        }
        _ => mismatch(desk, node, &format!("text, or text by language (`{}.en = \"…\"`)", spot.key), spot),
    }
}

fn list(desk: &mut Desk<'_>, node: &Node, shape: &Shape, of: &Shape, spot: &Spot<'_>) {
    let NodeKind::Array(elements) = &node.kind else {
        return mismatch(desk, node, "a list in [ ]", spot);
    };
    if let Shape::Several(count, _) = shape
        && elements.len() != *count
    {
        let message = format!("`{}` needs {count} values, and has {}", spot.key, elements.len());
        desk.error("wrong-type", &value_place(node, spot), message, None);
    }
    for element in elements {
        read(desk, element, of, spot);
    }
    let mut seen: Vec<&str> = Vec::new();
    for element in elements {
        let Some(text) = element.text() else { continue };
        if seen.contains(&text) && matches!(of, Shape::Name(_) | Shape::Word(_)) {
            let place = value_place(element, spot);
            desk.error(
                "duplicate",
                &place,
                format!("`{}` names `{text}` twice", spot.key),
                Some("leave one out".into()),
            );
        }
        seen.push(text);
    }
}

fn map(desk: &mut Desk<'_>, node: &Node, keys: Keys, of: &Shape, spot: &Spot<'_>) {
    let NodeKind::Table(entries) = &node.kind else {
        return mismatch(desk, node, "a table", spot);
    };
    for (key, value) in entries {
        let place = Place::new(spot.file, key.span.clone());
        match keys {
            Keys::Name(kind) => {
                desk.refer(kind, &key.text, &place);
            }
            Keys::Define(kind) if !well_formed(&key.text) => {
                let message = format!("`{}` can't be the name of a {}", key.text, kind.noun());
                let help = "use letters, digits, `_`, `-` and `.`, at most 60".to_owned();
                desk.error("bad-name", &place, message, Some(help));
            }
            _ => {}
        }
        read(desk, value, of, &Spot { file: spot.file, key: &key.text, place });
    }
}

/// Names end in file names, columns and commands.
fn well_formed(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 60
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '))
        && name.trim() == name
}

fn table(desk: &mut Desk<'_>, node: &Node, shape: &Shape, spot: &Spot<'_>) {
    let NodeKind::Table(entries) = &node.kind else {
        return mismatch(desk, node, "a table", spot);
    };
    if let Shape::Choice { variants, common } = shape
        && chosen(node, variants).is_none()
    {
        return no_variant(desk, node, common, variants, spot);
    }
    let known = fields(node, shape);
    for (key, value) in entries {
        let place = Place::new(spot.file, key.span.clone());
        let field = known
            .iter()
            .find(|field| field.key == key.text)
            .or_else(|| known.iter().find(|field| field.key == "*"));
        match field {
            Some(field) if field.key == "*" && slip_of(&key.text, &known, node).is_some() => {
                unknown_key(desk, key, &known, shape, spot);
            }
            Some(field) => read(desk, value, &field.shape, &Spot { file: spot.file, key: &key.text, place }),
            None => unknown_key(desk, key, &known, shape, spot),
        }
    }
    for field in known.iter().filter(|field| field.required && node.get(field.key).is_none()) {
        let slipped =
            node.entries().iter().any(|(key, _)| slip_of(&key.text, &known, node) == Some(field.key));
        if !desk.was_left_out(field.key) && !slipped {
            let message = format!("{} lacks `{}`", described(spot), field.key);
            desk.error("missing-key", &spot.place, message, Some(format!("{}: {}", field.key, field.doc)));
        }
    }
}

/// Returns the required key that a key of an open table is a slip of, if that key is lacking.
fn slip_of(key: &str, known: &[&'static Field], node: &Node) -> Option<&'static str> {
    let lacking = known.iter().filter(|field| field.required && node.get(field.key).is_none());
    let open = known.iter().any(|field| field.key == "*") && known.iter().all(|field| field.key != key);
    let near = |field: &&&'static Field| strsim::osa_distance(key, field.key) <= 1;
    lacking.filter(|_| open).find(near).map(|field| field.key)
}

fn described(spot: &Spot<'_>) -> String {
    if spot.key.is_empty() { "the file".to_owned() } else { format!("`{}`", spot.key) }
}

fn unknown_key(desk: &mut Desk<'_>, key: &Key, known: &[&Field], shape: &Shape, spot: &Spot<'_>) {
    let place = Place::new(spot.file, key.span.clone());
    let elsewhere = match shape {
        Shape::Choice { variants, .. } => {
            variants.iter().find(|v| v.fields.iter().any(|field| field.key == key.text))
        }
        _ => None,
    };
    let help = match elsewhere {
        Some(variant) => Some(format!("`{}` goes with `{}`, which is not here", key.text, variant.key)),
        None => suggest(&key.text, known.iter().map(|field| field.key)),
    };
    desk.error("unknown-key", &place, format!("{} has no key `{}`", described(spot), key.text), help);
}

fn no_variant(
    desk: &mut Desk<'_>,
    node: &Node,
    common: &[Field],
    variants: &'static [Variant],
    spot: &Spot<'_>,
) {
    let keys: Vec<&str> = variants.iter().map(|variant| variant.key).collect();
    let all: Vec<&str> = common
        .iter()
        .map(|f| f.key)
        .chain(variants.iter().flat_map(|v| v.fields.iter().map(|f| f.key)))
        .collect();
    let open = all.contains(&"*");
    let mut slips = 0;
    for (key, _) in node.entries() {
        if !all.contains(&key.text.as_str()) {
            let place = Place::new(spot.file, key.span.clone());
            let help = suggest(&key.text, all.iter().copied().filter(|name| *name != "*"));
            let slip = help.as_ref().is_some_and(|help| help.starts_with("did you mean"));
            slips += usize::from(slip);
            if slip || !open {
                desk.error(
                    "unknown-key",
                    &place,
                    format!("{} has no key `{}`", described(spot), key.text),
                    help,
                );
            }
        }
    }
    if slips == 0 {
        let list = keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        desk.error("missing-key", &spot.place, format!("{} needs one of {list}", described(spot)), None);
    }
}
