//! A form: made from the study, saved by commands, checked as it is typed by the very decision that saving takes.
//!
//! Nothing is overwritten unseen: each item carries the event that had set it when the page was made. If
//! somebody else was quicker, the second sees what changed and chooses. What is typed and not
//! saved is kept as a draft of the person's own.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use conduct::{Action, Casebook, Cell, Entry, Means, View, is_shown};
use protocol::{
    content_pack::ContentPack,
    expression::{ItemRef, Scope, When},
    model::{Dictionary, Form, Item, ItemType, Purpose, Study},
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use record::{Event, Fact, FormKey};
use terms::{Answer, Date, ItemId, MissingReason, PartialDate, SubjectId, Value, VisitId};

use crate::{
    context::{Context, Failure, Outcome},
    course::{form_path, forms_of_visit, subject_path},
    credentials::draw,
    gate::TOKEN_FIELD,
    http::{Fields, Reply},
    page::Page,
    pages::{
        attachments::FileView,
        queries::{QueryView, exchanges, of_item},
    },
    running::{CommandError, Seen},
    seat::{Seat, Shown},
};

/// A scale of at most so many steps is asked as choices in a row.
const STEPS_IN_A_ROW_MAX: i64 = 10;
/// A code list of at most so many codes is asked as choices, a longer one as a list to select from.
const CHOICES_MAX: usize = 8;

/// Entries on a page of a form's history: some tens of kilobytes.
const HISTORY_ON_A_PAGE: usize = 100;

/// The reasons for a missing value, with the names of their fields.
const REASONS: &[(&str, MissingReason)] = &[
    ("not_done", MissingReason::NotDone),
    ("unknown", MissingReason::Unknown),
    ("not_applicable", MissingReason::NotApplicable),
    ("refused", MissingReason::Refused),
    ("not_measurable", MissingReason::NotMeasurable),
];

/// How an item is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Widget {
    /// A row of choices: value, label, chosen.
    Choices(Vec<(String, String, bool)>),
    /// A list to select from.
    Select(Vec<(String, String, bool)>),
    /// A number; a whole one or not.
    Number(bool),
    /// A mark on a line from one number to another.
    Scale(String, String),
    /// A whole date.
    Day,
    /// A date of which parts may be unknown: year, month, day.
    Parts(String, String, String),
    /// Text.
    Words,
    /// A term of a dictionary, proposed as it is typed.
    Term,
    /// Derived: shown, not asked.
    Derived,
}

/// An item on the page.
pub struct ItemView {
    id: String,
    label: String,
    unit: String,
    hint: String,
    required: bool,
    widget: Widget,
    value: String,
    shown_value: String,
    missing: Vec<(&'static str, String, bool)>,
    is_missing: bool,
    was: u64,
    edits: usize,
    queries: Vec<QueryView>,
    fault: Option<String>,
    theirs: Option<String>,
}

/// A site of the skin score on the body map.
pub struct Region {
    item: String,
    label: String,
    score: String,
    front: &'static str,
    back: &'static str,
}

#[derive(Template)]
#[template(path = "form.html")]
struct FormPage {
    page: Page,
    subject: String,
    subject_path: String,
    visit: String,
    held: String,
    path: String,
    items: Vec<ItemView>,
    body: Vec<Region>,
    enters: bool,
    masked: bool,
    filled: &'static str,
    signed: bool,
    has_values: bool,
    all_empty: bool,
    reason: String,
    message: Option<String>,
    faults: Vec<(String, String, String)>,
    draft: Option<String>,
    from_draft: bool,
    may_query: bool,
    addressees: Vec<(String, String)>,
    history: bool,
    by_visit: bool,
    as_of: Option<String>,
    terms: Vec<&'static str>,
    files: Vec<FileView>,
    next: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "form_checks.html")]
struct ChecksPart {
    page: Page,
    faults: Vec<(String, String, String)>,
    asks: Vec<(String, String, String)>,
    derived: Vec<(String, String)>,
    refused: Option<String>,
    kept: String,
}

#[derive(Template)]
#[template(path = "form_history.html")]
struct HistoryPage {
    page: Page,
    path: String,
    subject: String,
    /// The items that hold or held something: id and label.
    items: Vec<(String, String)>,
    /// The item that is asked for; empty for all.
    wanted: String,
    lines: Vec<HistoryLine>,
    all: usize,
    from: usize,
    to: usize,
    before: Option<String>,
    after: Option<String>,
}

struct HistoryLine {
    item: String,
    value: String,
    by: String,
    role: String,
    recorded: String,
    why: String,
    derived: bool,
    current: bool,
}

/// What came with a form, read by the study's types.
#[derive(Default)]
struct Typed {
    /// Items that hold nothing yet.
    first: Vec<(ItemId, Answer)>,
    /// Items that hold something else.
    changed: Vec<(ItemId, Answer)>,
    /// What the page had shown of each.
    seen: BTreeMap<ItemId, u64>,
    /// What can't be read, by item.
    faults: BTreeMap<ItemId, String>,
    /// Items that somebody else has changed since.
    overtaken: BTreeSet<ItemId>,
}

/// The form.
pub fn show(context: &Context<'_>) -> Outcome {
    let place = context.request.path.clone();
    let person = context.account()?.person.clone();
    let draft = context.house.accounts().draft(&person, &place)?;
    let wanted = context.request.query.has("draft");
    let typed = match &draft {
        Some((answers, _)) if wanted => Some(Fields::parse(answers.as_bytes())),
        _ => None,
    };
    let kept = draft.filter(|_| !wanted).map(|(_, at)| crate::pages::account::moment(context, at));
    page(context, typed.as_ref(), None, &Typed::default(), kept)
}

/// Makes the page: with what was typed where something was, else with what is stored.
fn page(
    context: &Context<'_>,
    typed: Option<&Fields>,
    message: Option<String>,
    read: &Typed,
    draft: Option<String>,
) -> Outcome {
    let (running, seat) = context.seated()?;
    let frame = Page::new(context, "");
    let language = frame.language.clone();
    let (study, state) = (running.study(), context.sighted()?);
    let key = context.form_key()?;
    let casebook = state.casebook(context.request.param("subject")).ok_or(Failure::NotFound)?;
    let form = study.form(key.form.as_str()).ok_or(Failure::NotFound)?;
    let today = state.day().unwrap_or_else(|| context.today(Some(&casebook.site)));
    let masked = seat.form(casebook, &key) == Shown::Masked;
    let open = state.locked.is_none() && state.day().is_none();
    let enters = open && seat.enters(casebook, &key);
    let view = View::at_form(study, casebook, &key, today);
    let mut items = Vec::new();
    if !masked {
        let exchanges = exchanges(running, casebook.queries.iter().filter(|query| query.key == key));
        for item in &form.items {
            let cell = casebook.cell(&key, item.id.as_str());
            if is_shown(&view, item) || cell.is_some() {
                items.push(item_view(
                    &exchanges, seat, casebook, &view, form, &key, item, typed, read, &frame,
                ));
            }
        }
    }
    reword(&mut items, wording(context, form, &state, &language).as_deref());
    let filled = crate::course::filled(seat, casebook, form, &key, today);
    let visit = key.visit.as_ref();
    let visit_label = visit
        .and_then(|visit| conduct::scheduled_visit(study, visit))
        .map(|known| known.label.get(&language));
    let faults = items
        .iter()
        .filter_map(|item| Some((item.id.clone(), item.label.clone(), item.fault.clone()?)))
        .collect();
    let has_values = casebook.forms.contains_key(&key);
    let next = if enters { next_form(seat, casebook, &key, today, &language) } else { None };
    let body = if form.instrument.as_deref() == Some("mrss") { regions(&items) } else { Vec::new() };
    let row = if key.row > 0 { format!(" {}", key.row) } else { String::new() };
    let title = format!("{}{row}", form.title.get(&language));
    let status = match (&message, read.overtaken.is_empty(), read.faults.is_empty()) {
        (_, false, _) => 409,
        (_, _, false) => 400,
        (Some(_), _, _) => 409,
        _ => 200,
    };
    let attached = casebook.files.get(&key).filter(|_| !masked).map_or(&[][..], Vec::as_slice);
    let files = if attached.is_empty() {
        Vec::new()
    } else {
        crate::pages::attachments::views(running, attached, &names(context)?, &frame)
    };
    let may_query = open && !masked && seat.may(protocol::model::Power::ManageQueries);
    let view = FormPage {
        subject: casebook.subject.to_string(),
        subject_path: subject_path(study, casebook),
        visit: visit_label
            .map_or_else(String::new, |label| format!("{label} ({})", visit.map_or("", VisitId::as_str))),
        held: visit
            .and_then(|visit| casebook.visit_date(visit))
            .map_or_else(String::new, |date| date.to_string()),
        path: form_path(study, casebook, &key),
        body,
        enters,
        masked,
        filled: filled.label(),
        signed: visit.is_some_and(|visit| casebook.signatures.contains_key(visit)),
        all_empty: !has_values,
        has_values,
        reason: typed.map_or_else(String::new, |typed| typed.get("reason").to_owned()),
        message,
        faults,
        draft: draft.filter(|_| enters),
        from_draft: typed.is_some() && read.seen.is_empty() && context.request.query.has("draft"),
        may_query,
        addressees: if may_query { addressees(study, form, &language) } else { Vec::new() },
        history: has_values && !masked,
        by_visit: key.visit.is_some(),
        terms: if items.iter().any(|item| item.widget == Widget::Term) {
            instruments::ctcae5_terms::all().map(|term| term.name).collect()
        } else {
            Vec::new()
        },
        as_of: state.day().map(|day| day.to_string()),
        files,
        next,
        items,
        page: Page { title, ..frame },
    };
    drop(state);
    Ok(Reply::page(view.render()?).status(status))
}

/// The licensed wording of a form's questionnaire, in the page's language or else the study's first, if it was loaded.
fn wording(
    context: &Context<'_>,
    form: &Form,
    state: &conduct::State,
    language: &str,
) -> Option<std::sync::Arc<ContentPack>> {
    let (running, instrument) = (context.running?, form.instrument.as_deref()?);
    let study = running.study();
    let mut languages = [Some(language), study.languages.first().map(String::as_str)].into_iter().flatten();
    let loaded = languages
        .find_map(|language| state.content_packs.get(&(instrument.to_owned(), language.to_owned())))?;
    context.house.wording(&study.id, &loaded.digest)
}

/// Asks in the licensed words, where they are loaded.
fn reword(items: &mut [ItemView], wording: Option<&ContentPack>) {
    let Some(wording) = wording else { return };
    for item in items {
        if let Some(words) = wording.items.get(&item.id) {
            item.label.clone_from(words);
        }
        if let Widget::Choices(choices) | Widget::Select(choices) = &mut item.widget {
            for (code, label, _) in choices {
                if let Some(words) = wording.answers.get(code) {
                    label.clone_from(words);
                }
            }
        }
    }
}

/// Whom a query on a form may ask: who fills it, and who answers for the site.
pub fn addressees(study: &Study, form: &Form, language: &str) -> Vec<(String, String)> {
    study
        .roles
        .iter()
        .filter(|role| {
            form.filled_by.contains(&role.id) || role.may.contains(&protocol::model::Power::AnswerQueries)
        })
        .filter(|role| role.id != *"participant")
        .map(|role| (role.id.to_string(), role.label.get(language).to_owned()))
        .collect()
}

/// The next form of the visit that the seat fills and that is not complete.
fn next_form(
    seat: &Seat<'_>,
    casebook: &Casebook,
    key: &FormKey,
    today: Date,
    language: &str,
) -> Option<(String, String)> {
    let visit = key.visit.as_ref()?;
    let forms = forms_of_visit(seat, casebook, visit, today, language);
    let here = forms.iter().position(|form| form.key == *key)?;
    forms[here + 1..]
        .iter()
        .chain(&forms[..here])
        .find(|form| form.enters && !form.filled.is_done())
        .map(|form| (form.path.clone(), form.title.clone()))
}

#[expect(clippy::too_many_arguments, reason = "an item is made of all of them, in one place")]
fn item_view(
    exchanges: &BTreeMap<u64, Event>,
    seat: &Seat<'_>,
    casebook: &Casebook,
    view: &View<'_>,
    form: &Form,
    key: &FormKey,
    item: &Item,
    typed: Option<&Fields>,
    read: &Typed,
    page: &Page,
) -> ItemView {
    let study = seat.study;
    let language = page.language.as_str();
    let cell = casebook.cell(key, item.id.as_str());
    let stored = cell.and_then(Cell::answer);
    let id = item.id.as_str();
    let came = typed.filter(|_| item.derived.is_none());
    let value = match came {
        Some(typed) => typed.get(&format!("i.{id}")).to_owned(),
        None => stored.and_then(Answer::value).map_or_else(String::new, field_text),
    };
    let missing_now = match came {
        Some(typed) => typed.get(&format!("m.{id}")).to_owned(),
        None => match stored {
            Some(Answer::Missing(reason)) => reason_id(*reason).to_owned(),
            _ => String::new(),
        },
    };
    let allowed =
        |reason: &MissingReason| item.missing_allowed.is_empty() || item.missing_allowed.contains(reason);
    let missing: Vec<_> = REASONS
        .iter()
        .filter(|(_, reason)| allowed(reason))
        .map(|(name, reason)| (*name, page.t(&reason.to_string()).to_owned(), *name == missing_now))
        .collect();
    let widget = widget(study, item, &value, came, language);
    let overtaken = read.overtaken.contains(&item.id);
    ItemView {
        id: id.to_owned(),
        label: item.label.get(language).to_owned(),
        unit: item.unit.as_deref().map(unit_text).unwrap_or_default(),
        hint: hint(view, form, item, page),
        required: item.required,
        value,
        shown_value: stored.map_or_else(String::new, |answer| answer_text(study, item, answer, page)),
        is_missing: !missing_now.is_empty(),
        missing,
        // Once a conflict was shown, what is shown is what is now.
        was: cell.map_or(0, |cell| cell.current().sequence),
        edits: cell.map_or(0, |cell| cell.history().len().saturating_sub(1)),
        queries: of_item(exchanges, seat, casebook, key, &item.id, language),
        fault: read.faults.get(&item.id).cloned(),
        theirs: overtaken.then(|| {
            let by = cell.map_or("", |cell| cell.current().by.role.as_str());
            let by = study.role(by).map_or("", |role| role.label.get(language));
            let now = stored.map_or_else(String::new, |answer| answer_text(study, item, answer, page));
            format!("{now} ({by})")
        }),
        widget,
    }
}

fn widget(study: &Study, item: &Item, value: &str, typed: Option<&Fields>, language: &str) -> Widget {
    if item.derived.is_some() {
        return Widget::Derived;
    }
    let choice = |code: &str, label: &str| (code.to_owned(), label.to_owned(), code == value);
    match &item.kind {
        ItemType::Boolean => {
            let (yes, no) =
                (crate::languages::translate(language, "yes"), crate::languages::translate(language, "no"));
            Widget::Choices(vec![choice("yes", yes), choice("no", no)])
        }
        ItemType::Code { codelist } => {
            let list = study.codelists.iter().find(|list| list.id == *codelist);
            let codes: Vec<_> = list
                .iter()
                .flat_map(|list| &list.codes)
                .map(|(code, label)| choice(code, label.get(language)))
                .collect();
            if codes.len() <= CHOICES_MAX { Widget::Choices(codes) } else { Widget::Select(codes) }
        }
        ItemType::Integer => {
            let limits = item.minimum.zip(item.maximum);
            let whole = limits.and_then(|(least, most)| {
                let whole = |number: terms::Decimal| number.normalize().to_string().parse::<i64>().ok();
                Some((whole(least)?, whole(most)?))
            });
            match whole {
                Some((least, most)) if most - least <= STEPS_IN_A_ROW_MAX => Widget::Choices(
                    (least..=most).map(|step| step.to_string()).map(|step| choice(&step, &step)).collect(),
                ),
                Some((0, 100)) if item.unit.as_deref() == Some("mm") => {
                    Widget::Scale("0".to_owned(), "100".to_owned())
                }
                _ => Widget::Number(true),
            }
        }
        ItemType::Decimal { .. } => Widget::Number(false),
        ItemType::Date { partial: false } => Widget::Day,
        ItemType::Date { partial: true } => {
            if let Some(typed) = typed {
                let part = |name: &str| typed.get(&format!("i.{}.{name}", item.id)).to_owned();
                return Widget::Parts(part("year"), part("month"), part("day"));
            }
            let mut parts = value.split('-').map(str::to_owned);
            let mut next = || parts.next().unwrap_or_default();
            Widget::Parts(next(), next(), next())
        }
        ItemType::Text => Widget::Words,
        ItemType::Term { .. } => Widget::Term,
    }
}

/// What helps to answer: the range, the reference range of the participant's laboratory.
fn hint(view: &View<'_>, form: &Form, item: &Item, page: &Page) -> String {
    let mut parts = Vec::new();
    if form.purpose == Some(Purpose::Laboratory) {
        let reference = ItemRef { form: form.id.clone(), item: item.id.clone(), when: When::Here };
        let limit = |upper| view.limit(&reference, upper).map(|answer| answer.to_string());
        match (limit(false), limit(true)) {
            (Some(lower), Some(upper)) => parts.push(format!("{} {lower} – {upper}", page.t("normal"))),
            (None, Some(upper)) => parts.push(format!("{} ≤ {upper}", page.t("normal"))),
            (Some(lower), None) => parts.push(format!("{} ≥ {lower}", page.t("normal"))),
            (None, None) => {}
        }
    }
    if matches!(item.kind, ItemType::Integer | ItemType::Decimal { .. })
        && let Some((least, most)) = item.minimum.zip(item.maximum)
        && most - least > terms::Decimal::from(STEPS_IN_A_ROW_MAX)
    {
        parts.push(format!("{} – {}", least.normalize(), most.normalize()));
    }
    parts.join("; ")
}

/// Units as people write them.
pub fn unit_text(ucum: &str) -> String {
    match ucum {
        "mm[Hg]" => "mmHg".to_owned(),
        "10*9/L" => "10⁹/L".to_owned(),
        "10*12/L" => "10¹²/L".to_owned(),
        "{score}" | "1" => String::new(),
        "umol/L" => "µmol/L".to_owned(),
        "Cel" => "°C".to_owned(),
        other => other.to_owned(),
    }
}

/// A value as its field holds it.
fn field_text(value: &Value) -> String {
    value.to_string()
}

/// A value as people read it.
pub fn answer_text(study: &Study, item: &Item, answer: &Answer, page: &Page) -> String {
    match (answer, &item.kind) {
        (Answer::Missing(reason), _) => format!("[{}]", page.t(&reason.to_string())),
        (Answer::Given(Value::Code(code)), ItemType::Code { codelist }) => study
            .codelists
            .iter()
            .find(|list| list.id == *codelist)
            .and_then(|list| list.codes.iter().find(|(known, _)| known == code))
            .map_or_else(|| code.clone(), |(_, label)| label.get(&page.language).to_owned()),
        (Answer::Given(Value::Boolean(yes)), _) => page.t(if *yes { "yes" } else { "no" }).to_owned(),
        (Answer::Given(value), _) => value.to_string(),
    }
}

fn reason_id(reason: MissingReason) -> &'static str {
    REASONS.iter().find(|(_, known)| *known == reason).map_or("", |(name, _)| name)
}

/// Reads what was typed, item by item, against what is stored.
fn read(
    study: &Study,
    casebook: &Casebook,
    form: &Form,
    key: &FormKey,
    typed: &Fields,
    today: Date,
) -> Typed {
    let mut read = Typed::default();
    let view = View::at_form(study, casebook, key, today);
    for item in form.items.iter().filter(|item| item.derived.is_none()) {
        let id = item.id.as_str();
        let cell = casebook.cell(key, id);
        // Only what the page asked for counts: an item that was not on it is left alone.
        if !typed.has(&format!("was.{id}")) || (!is_shown(&view, item) && cell.is_none()) {
            continue;
        }
        let answer = match answer(item, typed) {
            Ok(answer) => answer,
            Err(fault) => {
                read.faults.insert(item.id.clone(), fault);
                continue;
            }
        };
        let stored = cell.map(Cell::current);
        let was: u64 = typed.get(&format!("was.{id}")).parse().unwrap_or(0);
        if typed.get(&format!("take.{id}")) == "theirs" {
            continue;
        }
        let same = match (&answer, stored.map(|entry| entry.answer.as_ref())) {
            (None, None) => true,
            (Some(answer), Some(Some(stored))) => answer == stored,
            _ => false,
        };
        if same {
            continue;
        }
        let now = stored.map_or(0, |entry| entry.sequence);
        if now != was {
            read.overtaken.insert(item.id.clone());
            continue;
        }
        read.seen.insert(item.id.clone(), was);
        match (answer, cell) {
            (Some(answer), None) => read.first.push((item.id.clone(), answer)),
            (Some(answer), Some(_)) => read.changed.push((item.id.clone(), answer)),
            (None, Some(_)) => {
                let fault = "A value can't be taken away. Correct it, or say why there is none.";
                read.faults.insert(item.id.clone(), fault.to_owned());
            }
            (None, None) => {}
        }
    }
    read
}

/// Reads one item; none if nothing was typed.
fn answer(item: &Item, typed: &Fields) -> Result<Option<Answer>, String> {
    let id = item.id.as_str();
    let field = format!("i.{id}");
    let text = match item.kind {
        ItemType::Date { partial: true } if typed.has(&format!("{field}.year")) => {
            date_of_parts(typed, &field)?
        }
        _ => typed.get(&field).to_owned(),
    };
    let reason = typed.get(&format!("m.{id}"));
    if !reason.is_empty() {
        let reason = REASONS.iter().find(|(name, _)| *name == reason);
        let (_, reason) = reason.ok_or("Choose one of the reasons.")?;
        if !text.is_empty() {
            return Err("There is a value and a reason for none. Leave one of them.".to_owned());
        }
        return Ok(Some(Answer::Missing(*reason)));
    }
    if text.is_empty() {
        return Ok(None);
    }
    let number = text.replace(',', ".");
    let value = match &item.kind {
        ItemType::Integer => {
            Value::Integer(number.parse().map_err(|_| "Type a whole number, such as 12.".to_owned())?)
        }
        ItemType::Decimal { decimals } => {
            let decimal: terms::Decimal =
                number.parse().map_err(|_| "Type a number, such as 12.5.".to_owned())?;
            if decimal.normalize().scale() > *decimals {
                return Err(format!("Type at most {decimals} decimals."));
            }
            Value::Decimal(decimal)
        }
        ItemType::Boolean => match text.as_str() {
            "yes" => Value::Boolean(true),
            "no" => Value::Boolean(false),
            _ => return Err("Choose yes or no.".to_owned()),
        },
        ItemType::Code { .. } => Value::Code(text),
        ItemType::Date { partial } => {
            let date: PartialDate =
                text.parse().map_err(|error: terms::PartialDateError| error.to_string())?;
            if !partial && date.complete().is_none() {
                return Err("Give the whole date.".to_owned());
            }
            Value::Date(date)
        }
        ItemType::Text => Value::Text(text),
        // A term is spelled as the dictionary has it, however it was typed.
        ItemType::Term { dictionary: Dictionary::Ctcae5 } => Value::Text(spelled(text)),
    };
    Ok(Some(Answer::Given(value)))
}

/// Returns a term of CTCAE as it is spelled there; what is no term stays as it is and is refused with near ones.
fn spelled(text: String) -> String {
    let same = |term: &&instruments::ctcae5_terms::Term| term.name.eq_ignore_ascii_case(&text);
    instruments::ctcae5_terms::all().find(same).map_or_else(|| text.clone(), |term| term.name.to_owned())
}

/// Joins year, month and day; the last ones may be unknown.
fn date_of_parts(typed: &Fields, field: &str) -> Result<String, String> {
    let part = |name: &str| typed.get(&format!("{field}.{name}")).to_owned();
    let (year, month, day) = (part("year"), part("month"), part("day"));
    let two = |text: &str| if text.len() == 1 { format!("0{text}") } else { text.to_owned() };
    match (year.is_empty(), month.is_empty(), day.is_empty()) {
        (true, true, true) => Ok(String::new()),
        (false, true, true) => Ok(year),
        (false, false, true) => Ok(format!("{year}-{}", two(&month))),
        (false, false, false) => Ok(format!("{year}-{}-{}", two(&month), two(&day))),
        (true, _, _) => Err("Give the year at least; leave what is unknown empty.".to_owned()),
        (false, true, false) => Err("Give the month with the day, or leave both empty.".to_owned()),
    }
}

/// The commands that save what was typed.
fn commands(
    context: &Context<'_>,
    subject: &SubjectId,
    key: &FormKey,
    date: Option<Date>,
    read: &Typed,
) -> Result<Vec<conduct::Command>, Failure> {
    let happened = date.map(PartialDate::from);
    let mut commands = Vec::new();
    if !read.first.is_empty() {
        let action = Action::SaveFormSection { key: key.clone(), answers: read.first.clone() };
        let mut command = context.command(Some(subject), None, happened, action)?;
        command.reason = None;
        commands.push(command);
    }
    if !read.changed.is_empty() {
        let action = Action::CorrectFormSection { key: key.clone(), answers: read.changed.clone() };
        commands.push(context.command(Some(subject), None, happened, action)?);
    }
    Ok(commands)
}

/// Saves the form, or checks it without saving (`do=check`).
pub fn save(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let typed = &context.request.form;
    let (key, subject) = (context.form_key()?, context.subject());
    let study = running.study();
    let form = study.form(key.form.as_str()).ok_or(Failure::NotFound)?;
    let state = context.state()?;
    let casebook = state.casebook(subject.as_str()).ok_or(Failure::NotFound)?;
    let today = context.today(Some(&casebook.site));
    let mut read = read(study, casebook, form, &key, typed, today);
    let date = key.visit.as_ref().and_then(|visit| casebook.visit_date(visit));
    let subject_page = subject_path(study, casebook);
    drop(state);
    if typed.get("do") == "check" {
        return check(context, &subject, &key, date, &read);
    }
    if !read.overtaken.is_empty() || !read.faults.is_empty() {
        let message = if read.overtaken.is_empty() {
            "Nothing was saved yet. Please look at the items below."
        } else {
            "Somebody else changed this form while you had it open. Nothing was overwritten: choose for each item below."
        };
        return page(context, Some(typed), Some(message.to_owned()), &read, None);
    }
    if !read.changed.is_empty() && typed.get("reason").is_empty() {
        let message = "You changed what was saved before. Say why, below the items, and save again.";
        return page(context, Some(typed), Some(message.to_owned()), &read, None);
    }
    let commands = commands(context, &subject, &key, date, &read)?;
    let place = context.request.path.clone();
    let next = || {
        let state = context.state().ok()?;
        let casebook = state.casebook(subject.as_str())?;
        next_form(seat, casebook, &key, today, "en").map(|(path, _)| path)
    };
    if commands.is_empty() {
        context.notice("Nothing was changed.");
    } else {
        let seen = Seen { subject: subject.clone(), key: key.clone(), items: read.seen.clone() };
        match context.give(commands, Some(seen)) {
            Ok(receipts) => {
                let opened = receipts
                    .iter()
                    .flat_map(conduct::Receipt::facts)
                    .filter(|fact| matches!(fact, Fact::QueryOpened { .. }))
                    .count();
                context.notice(match opened {
                    0 => "Saved.".to_owned(),
                    1 => "Saved. A check has a question; see below.".to_owned(),
                    more => format!("Saved. Checks have {more} questions; see below."),
                });
                let person = context.account()?.person.clone();
                context.house.accounts().keep_draft(&person, &place, "", context.now)?;
                if opened > 0 {
                    return Ok(Reply::see(&place));
                }
            }
            Err(CommandError::Changed(items)) => {
                read.overtaken = items.into_iter().collect();
                let message = "Somebody else changed this form while you had it open. Nothing was overwritten: choose for each item below.";
                return page(context, Some(typed), Some(message.to_owned()), &read, None);
            }
            Err(CommandError::Refused(refusal)) => {
                return page(context, Some(typed), Some(refusal.to_string()), &read, None);
            }
            Err(error) => return Err(error.into()),
        }
    }
    match typed.get("do") {
        "next" => Ok(Reply::see(&next().unwrap_or(subject_page))),
        _ => Ok(Reply::see(&place)),
    }
}

/// Says what saving would lead to, and keeps what was typed as a draft.
fn check(
    context: &Context<'_>,
    subject: &SubjectId,
    key: &FormKey,
    date: Option<Date>,
    read: &Typed,
) -> Outcome {
    let (running, seat) = context.seated()?;
    let page = Page::new(context, "");
    let language = page.language.clone();
    let study = running.study();
    let form = study.form(key.form.as_str()).ok_or(Failure::NotFound)?;
    let label = |item: &ItemId| {
        form.item(item.as_str()).map_or_else(|| item.to_string(), |item| item.label.get(&language).to_owned())
    };
    let mut part = ChecksPart {
        faults: read
            .faults
            .iter()
            .map(|(item, fault)| (item.to_string(), label(item), fault.clone()))
            .collect(),
        asks: Vec::new(),
        derived: Vec::new(),
        refused: None,
        kept: context.now.to_zoned_datetime(jiff::tz::TimeZone::UTC).strftime("%H:%M:%S UTC").to_string(),
        page,
    };
    let mut random = ChaCha20Rng::from_seed(draw());
    for mut command in commands(context, subject, key, date, read)? {
        command.reason.get_or_insert_with(|| "–".to_owned());
        let state = running.state();
        match conduct::decide(study, &state, &command, &mut Means::with_random(&mut random)) {
            Ok(drafts) => {
                for draft in drafts {
                    match draft.fact {
                        // What a check asks of somebody else, about what this role may not know, is not said here.
                        Fact::QueryOpened { key: of, item, text, addressed_to, .. }
                            if of == *key && (seat.reads("queries") || addressed_to == seat.role.id) =>
                        {
                            let text = text.get().cloned().unwrap_or_default();
                            part.asks.push((item.to_string(), label(&item), text));
                        }
                        Fact::FormSectionSaved { key: of, changes }
                        | Fact::FormSectionCorrected { key: of, changes }
                            if of == *key =>
                        {
                            for change in changes {
                                if change.source == record::Source::Derived
                                    && let Some(answer) = change.new.get()
                                {
                                    part.derived.push((label(&change.item), answer.to_string()));
                                }
                            }
                        }
                        _ => {}
                    }
                }
            }
            Err(refusal) => part.refused = Some(refusal.to_string()),
        }
    }
    let pairs: Vec<(&str, &str)> = vec![(TOKEN_FIELD, ""), ("do", "")];
    let person = context.account()?.person.clone();
    // A check that was under way while the form was saved has nothing left to keep.
    let unsaved = !(read.first.is_empty()
        && read.changed.is_empty()
        && read.faults.is_empty()
        && read.overtaken.is_empty());
    let draft = if unsaved { context.request.form.with(&pairs) } else { String::new() };
    context.house.accounts().keep_draft(&person, &context.request.path, &draft, context.now)?;
    Ok(Reply::page(part.render()?))
}

/// Records that the form was not done: its empty items become "not done", with a deviation.
pub fn not_done(context: &Context<'_>) -> Outcome {
    let (key, subject) = (context.form_key()?, context.subject());
    let date = {
        let state = context.state()?;
        let casebook = state.casebook(subject.as_str()).ok_or(Failure::NotFound)?;
        key.visit.as_ref().and_then(|visit| casebook.visit_date(visit))
    };
    let action = Action::RecordFormNotDone { key };
    let command = context.command(Some(&subject), None, date.map(Into::into), action)?;
    context.give(vec![command], None)?;
    context.notice("The form is recorded as not done.");
    let path = context.request.path.trim_end_matches("/not-done");
    Ok(Reply::see(path))
}

/// Everything that the form ever held, newest first, a page at a time; of one item where one is asked for.
pub fn history(context: &Context<'_>) -> Outcome {
    let (running, _) = context.seated()?;
    let page = Page::new(context, "");
    let study = running.study();
    let key = context.form_key()?;
    let form = study.form(key.form.as_str()).ok_or(Failure::NotFound)?;
    let query = &context.request.query;
    let wanted = query.get("item");
    let state = context.state()?;
    let casebook = state.casebook(context.request.param("subject")).ok_or(Failure::NotFound)?;
    let filled = casebook.forms.get(&key).ok_or(Failure::NotFound)?;
    let held: Vec<(&Item, &Cell)> =
        form.items.iter().filter_map(|item| Some((item, filled.cells.get(item.id.as_str())?))).collect();
    let mut entries: Vec<(&Item, &Entry, bool)> = held
        .iter()
        .filter(|(item, _)| wanted.is_empty() || item.id == *wanted)
        .flat_map(|(item, cell)| {
            cell.history().iter().rev().enumerate().map(|(age, entry)| (*item, entry, age == 0))
        })
        .collect();
    entries.sort_by_key(|(_, entry, _)| std::cmp::Reverse(entry.sequence));
    let all = entries.len();
    let last = all.saturating_sub(1) / HISTORY_ON_A_PAGE;
    let asked = query.get("page").parse::<usize>().unwrap_or(1).max(1) - 1;
    let number = asked.min(last);
    let shown: Vec<(&Item, &Entry, bool)> =
        entries.into_iter().skip(number * HISTORY_ON_A_PAGE).take(HISTORY_ON_A_PAGE).collect();
    let events = running.events(&shown.iter().map(|(_, entry, _)| entry.sequence).collect());
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    let mut lines = Vec::new();
    for (item, entry, current) in shown {
        let event = events.get(&entry.sequence);
        let why = event.and_then(|event| event.reason.as_ref()?.get().cloned());
        let person = entry.by.person.as_str();
        if !names.contains_key(person) {
            let name = context.house.accounts().printed_name(&entry.by.person)?;
            names.insert(person, name.unwrap_or_else(|| person.to_owned()));
        }
        lines.push(HistoryLine {
            item: item.label.get(&page.language).to_owned(),
            value: match &entry.answer {
                Some(answer) => answer_text(study, item, answer, &page),
                None => page.t("redacted").to_owned(),
            },
            by: names[person].clone(),
            role: study
                .role(entry.by.role.as_str())
                .map_or_else(String::new, |role| role.label.get(&page.language).to_owned()),
            recorded: event.map_or_else(|| entry.recorded.to_string(), |event| site_moment(&event.recorded)),
            why: why.unwrap_or_default(),
            derived: entry.source == record::Source::Derived,
            current,
        });
    }
    let path = context.request.path.trim_end_matches("/history").to_owned();
    let to_page =
        |number: usize| format!("{path}/history?{}", query.with(&[("page", &(number + 1).to_string())]));
    let view = HistoryPage {
        subject: context.request.param("subject").to_owned(),
        items: held
            .iter()
            .map(|(item, _)| (item.id.to_string(), item.label.get(&page.language).to_owned()))
            .collect(),
        wanted: wanted.to_owned(),
        from: if all == 0 { 0 } else { number * HISTORY_ON_A_PAGE + 1 },
        to: ((number + 1) * HISTORY_ON_A_PAGE).min(all),
        before: (number > 0).then(|| to_page(number - 1)),
        after: (number < last).then(|| to_page(number + 1)),
        all,
        lines,
        path,
        page: Page { title: format!("{}: {}", form.title.get(&page.language), page.t("history")), ..page },
    };
    drop(state);
    Ok(Reply::page(view.render()?))
}

/// Returns printed names by person.
pub fn names(context: &Context<'_>) -> Result<BTreeMap<String, String>, Failure> {
    Ok(context.house.accounts().printed_names()?)
}

/// Writes a moment on the site's own clock with its offset.
pub fn site_moment(time: &terms::SiteTime) -> String {
    let offset = jiff::tz::Offset::from_seconds(time.offset_seconds).unwrap_or(jiff::tz::Offset::UTC);
    time.utc.to_zoned_datetime(offset.to_time_zone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// Front and back of each site of the skin score on a figure of 200 by 400.
const BODY: &[(&str, &str, &str)] = &[
    ("face", "M100 18a22 26 0 1 0 .1 0z", ""),
    ("chest", "M72 86h56l-4 52H76z", ""),
    ("abdomen", "M76 142h48l4 50H72z", ""),
    ("upper_arm_right", "M68 88l-16 8-8 56 17 3 7-40z", "M132 88l16 8 8 56-17 3-7-40z"),
    ("upper_arm_left", "M132 88l16 8 8 56-17 3-7-40z", "M68 88l-16 8-8 56 17 3 7-40z"),
    ("forearm_right", "M43 156l17 3-8 48-14-2z", "M157 156l-17 3 8 48 14-2z"),
    ("forearm_left", "M157 156l-17 3 8 48 14-2z", "M43 156l17 3-8 48-14-2z"),
    ("hand_right", "M37 209l15 2-3 18-16-2z", "M163 209l-15 2 3 18 16-2z"),
    ("hand_left", "M163 209l-15 2 3 18 16-2z", "M37 209l15 2-3 18-16-2z"),
    ("fingers_right", "M32 230l17 2-4 20-14-3z", "M168 230l-17 2 4 20 14-3z"),
    ("fingers_left", "M168 230l-17 2 4 20 14-3z", "M32 230l17 2-4 20-14-3z"),
    ("thigh_right", "M72 196h26l-2 76H76z", "M128 196h-26l2 76h20z"),
    ("thigh_left", "M128 196h-26l2 76h20z", "M72 196h26l-2 76H76z"),
    ("leg_right", "M76 276h20l-3 80H80z", "M124 276h-20l3 80h13z"),
    ("leg_left", "M124 276h-20l3 80h13z", "M76 276h20l-3 80H80z"),
    ("foot_right", "M79 360h15v22H70z", "M121 360h-15v22h24z"),
    ("foot_left", "M121 360h-15v22h24z", "M79 360h15v22H70z"),
];

fn regions(items: &[ItemView]) -> Vec<Region> {
    BODY.iter()
        .filter_map(|(id, front, back)| {
            let item = items.iter().find(|item| item.id == *id)?;
            Some(Region {
                item: item.id.clone(),
                label: item.label.clone(),
                score: item.value.clone(),
                front,
                back,
            })
        })
        .collect()
}
