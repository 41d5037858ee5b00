//! The study's forms on paper: blank for the ward, annotated with items, codes and checks for whoever reviews them.

use askama::Template;
use protocol::model::{Form, Item, ItemType, Study};

use crate::{
    context::{Context, Failure, Outcome},
    http::{Reply, segment},
    page::Page,
};

struct BlankItem {
    id: String,
    label: String,
    unit: String,
    kind: String,
    choices: Vec<(String, String)>,
    required: bool,
    derived: bool,
    shown_if: String,
    range: String,
}

struct BlankForm {
    title: String,
    id: String,
    class: String,
    items: Vec<BlankItem>,
    checks: Vec<(String, String, bool)>,
}

#[derive(Template)]
#[template(path = "blank_forms.html")]
struct BlankFormsPage {
    page: Page,
    path: String,
    annotated: bool,
    forms: Vec<BlankForm>,
    all: Vec<(String, String)>,
}

/// All forms, or the one that the query names.
pub fn show(context: &Context<'_>) -> Outcome {
    let (running, _) = context.seated()?;
    let study = running.study();
    let page = Page::new(context, "Forms on paper");
    let wanted = context.request.query.get("form");
    if !wanted.is_empty() && study.form(wanted).is_none() {
        return Err(Failure::NotFound);
    }
    let view = BlankFormsPage {
        path: format!("/studies/{}/forms", segment(study.id.as_str())),
        annotated: context.request.query.has("annotated"),
        forms: study
            .forms
            .iter()
            .filter(|form| wanted.is_empty() || form.id == *wanted)
            .map(|form| blank(study, form, &page.language))
            .collect(),
        all: study
            .forms
            .iter()
            .map(|form| (form.id.to_string(), form.title.get(&page.language).to_owned()))
            .collect(),
        page,
    };
    Ok(Reply::page(view.render()?))
}

fn blank(study: &Study, form: &Form, language: &str) -> BlankForm {
    BlankForm {
        title: form.title.get(language).to_owned(),
        id: form.id.to_string(),
        class: form.data_class.to_string(),
        items: form.items.iter().map(|item| blank_item(study, item, language)).collect(),
        checks: form
            .checks
            .iter()
            .map(|check| {
                let hard = check.severity == protocol::model::Severity::Hard;
                (check.text.get(language).to_owned(), check.when.text.clone(), hard)
            })
            .collect(),
    }
}

fn blank_item(study: &Study, item: &Item, language: &str) -> BlankItem {
    let mut choices: Vec<(String, String)> = Vec::new();
    let kind = match &item.kind {
        ItemType::Integer => "whole number",
        ItemType::Decimal { .. } => "number",
        ItemType::Boolean => {
            choices = vec![
                ("yes".to_owned(), crate::languages::translate(language, "yes").to_owned()),
                ("no".to_owned(), crate::languages::translate(language, "no").to_owned()),
            ];
            "yes or no"
        }
        ItemType::Code { codelist } => {
            let list = study.codelists.iter().find(|list| list.id == *codelist);
            choices = list
                .iter()
                .flat_map(|list| &list.codes)
                .map(|(code, label)| (code.clone(), label.get(language).to_owned()))
                .collect();
            "choice"
        }
        ItemType::Date { .. } => "date",
        ItemType::Text => "text",
        ItemType::Term { .. } => "term of a dictionary",
    };
    BlankItem {
        id: item.id.to_string(),
        label: item.label.get(language).to_owned(),
        unit: item.unit.clone().unwrap_or_default(),
        kind: kind.to_owned(),
        choices,
        required: item.required,
        derived: item.derived.is_some(),
        shown_if: item.shown_if.as_ref().map_or_else(String::new, |when| when.text.clone()),
        range: item.minimum.zip(item.maximum).map_or_else(String::new, |(least, most)| {
            format!("{} – {}", least.normalize(), most.normalize())
        }),
    }
}
