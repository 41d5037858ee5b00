//! Skin score and questionnaires.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{
    Unsupported,
    input::{self, Fields},
    output,
};
use crate::{
    dlqi, haq_di as haq,
    instrument::NotScorable,
    mrss as rodnan, rand36 as rand,
    sf36_summary::{self as sf36, Norm},
    shaq_vas as vas, ssc_haq as ssc,
};

/// The keys of the sites in the order of [`rodnan::SITES`].
const SITE_KEYS: [&str; rodnan::SITE_COUNT] = [
    "face",
    "chest",
    "abdomen",
    "r_upper_arm",
    "l_upper_arm",
    "r_forearm",
    "l_forearm",
    "r_hand",
    "l_hand",
    "r_fingers",
    "l_fingers",
    "r_thigh",
    "l_thigh",
    "r_leg",
    "l_leg",
    "r_foot",
    "l_foot",
];

pub(super) fn mrss(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let scores = fields.object("sites", |sites| {
        let mut scores = [None; rodnan::SITE_COUNT];
        for (score, key) in scores.iter_mut().zip(SITE_KEYS) {
            *score = sites.number(key)?;
        }
        Ok(scores)
    })?;
    Ok(match rodnan::total(&scores) {
        Ok(total) => json!({"total": total, "status": "complete"}),
        Err(NotScorable::NotAllowed { .. }) => json!({"total": null, "status": "invalid"}),
        Err(_) => {
            let missing = SITE_KEYS.iter().zip(scores).filter(|(_, score)| score.is_none());
            let missing = missing.map(|(key, _)| *key).collect::<Vec<_>>();
            json!({"total": null, "status": "incomplete", "missing": missing})
        }
    })
}

fn responses(fields: &Fields<'_>) -> Result<haq::Responses, Unsupported> {
    let mut responses = haq::Responses::default();
    fields.object("items", |items| {
        for (index, category) in haq::CATEGORIES.iter().enumerate() {
            let key = items.path_of(category.id);
            let answers = items.list(category.id)?;
            if answers.len() != category.items.len() {
                return Err(input::form(&key, "a list of as many answers as the category has items"));
            }
            for answer in answers.iter().map(|answer| (!answer.is_null()).then_some(answer)) {
                let answer = answer.map(|answer| input::decimal(&key, answer)).transpose()?;
                responses.items[index].push(answer);
            }
        }
        Ok(())
    })?;
    for aided in fields.list("aids_or_help")? {
        let id = fields.as_text("aids_or_help", aided)?;
        let index = haq::CATEGORIES.iter().position(|category| category.id == id);
        responses.aided[index.ok_or_else(|| fields.no_code("aids_or_help", id))?] = true;
    }
    Ok(responses)
}

pub(super) fn haq_di(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let scores = haq::score(&responses(fields)?);
    let answered = haq::CATEGORIES.iter().zip(&scores.categories);
    let categories: Map<String, Value> = answered
        .filter_map(|(category, score)| {
            score.as_ref().ok().map(|score| (category.id.to_owned(), json!(score)))
        })
        .collect();
    Ok(json!({
        "categories": categories,
        "n_categories": scores.category_count,
        "haq_di": output::decimal(scores.index),
        "haq_di_no_aids": output::decimal(scores.index_no_aids),
    }))
}

pub(super) fn ssc_haq(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let scores = haq::score(&responses(fields)?);
    let organs = fields.object("vas_mm_150", |marks| {
        let keys = ["intestinal", "breathing", "raynaud", "finger_ulcers", "overall"];
        let mut organs = Vec::with_capacity(keys.len());
        for (key, scale) in keys.into_iter().zip(ssc::ORGAN_SCALES) {
            let mark = marks.number(key)?.ok_or(NotScorable::Missing { item: scale.mark });
            organs.push(mark.and_then(|mark| vas::score(mark, Decimal::from(ssc::LINE_MM), scale.mark)));
        }
        Ok(organs)
    })?;
    let organs = organs.try_into().expect("there are five organ scales");
    let pooled = ssc::score(&scores, organs);
    Ok(json!({"haq_di": output::decimal(scores.index), "ssc_haq": output::decimal(pooled)}))
}

pub(super) fn shaq_vas(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let line = fields.needed_number("line_mm")?;
    let mark = fields.number("mark_mm")?.ok_or(NotScorable::Missing { item: "mark_mm" });
    let score = mark.and_then(|mark| vas::score(mark, line, "mark_mm"));
    Ok(json!({"score_0_3": output::decimal(score)}))
}

/// Reads one answer; of two ticks on an item the higher counts.
fn effect(
    fields: &Fields<'_>,
    key: &str,
    from: fn(&str) -> Option<dlqi::Effect>,
) -> Result<Option<dlqi::Effect>, Unsupported> {
    let coded = |value| {
        let code = fields.as_text(key, value)?;
        from(code).ok_or_else(|| fields.no_code(key, code))
    };
    match fields.value(key) {
        None => Ok(None),
        Some(Value::Array(ticks)) => {
            let ticks = ticks.iter().map(coded).collect::<Result<Vec<_>, _>>()?;
            Ok(ticks.into_iter().max())
        }
        Some(value) => coded(value).map(Some),
    }
}

pub(super) fn dlqi(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let seven = dlqi::item_seven(
        effect(fields, "q7_main", dlqi::Effect::from_main_code)?,
        effect(fields, "q7_sub", dlqi::Effect::from_sub_code)?,
    );
    let items = fields.object("items", |answers| {
        let mut items = [seven; dlqi::ITEM_COUNT];
        for (index, item) in items.iter_mut().enumerate().filter(|(index, _)| *index != 6) {
            *item = effect(answers, &format!("q{}", index + 1), dlqi::Effect::from_code)?;
        }
        Ok(items)
    })?;
    let total = dlqi::total(&items);
    let subscales: Map<String, Value> = dlqi::SUBSCALES
        .iter()
        .map(|scale| (scale.id.to_owned(), output::plain(dlqi::subscale(&items, scale))))
        .collect();
    Ok(json!({
        "total": output::plain(total.clone()),
        "band": output::plain(total.map(|total| dlqi::Band::of(total).code())),
        "missing": dlqi::unanswered(&items),
        "subscales": subscales,
    }))
}

pub(super) fn rand36(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let responses = fields.object("items", |answers| {
        let mut responses = [None; rand::ITEM_COUNT];
        for (index, response) in responses.iter_mut().enumerate() {
            *response = answers.number(&(index + 1).to_string())?;
        }
        Ok(responses)
    })?;
    let scored = rand::SCALES
        .iter()
        .map(|scale| (scale.id.to_owned(), output::decimal(rand::score(&responses, scale))));
    Ok(Value::Object(scored.collect()))
}

pub(super) fn sf36_summary(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let norm = fields.coded("norm", Norm::from_code)?;
    let scales = fields.object("scales", |scales| {
        let mut read = Vec::with_capacity(sf36::SCALE_COUNT);
        for item in sf36::SCALES {
            read.push(scales.number(&item.to_uppercase())?.ok_or(NotScorable::Missing { item }));
        }
        Ok(read)
    })?;
    let scales = scales.try_into().expect("there are eight scales");
    let summary = sf36::summary(&scales, norm);
    Ok(json!({
        "pcs": output::decimal(summary.clone().map(|summary| summary.physical)),
        "mcs": output::decimal(summary.map(|summary| summary.mental)),
    }))
}
