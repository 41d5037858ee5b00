//! Queries that people open, answer and close. Those of checks are in [`crate::checks`].

use record::{Content, Draft, Fact, FormKey};
use terms::*;

use crate::{
    Refusal,
    casebook::Query,
    checks::is_hard,
    close_data::need_unlocked,
    decide::{Case, found, need},
    save_form::need_form,
};

pub(crate) fn open_query(
    mut case: Case<'_>,
    key: &FormKey,
    item: &ItemId,
    addressed_to: &RoleId,
    text: &str,
) -> Result<Vec<Draft>, Refusal> {
    let form = need_form(&case, key)?;
    let known = form.item(item.as_str()).is_some();
    need(known, || Refusal::UnknownItem { form: form.id.clone(), item: item.clone() })?;
    if let Some(visit) = &key.visit {
        case.need_held(visit)?;
    }
    need_unlocked(&case, key)?;
    let role = case.study.role(addressed_to.as_str()).is_some();
    need(role, || Refusal::UnknownAddressee { role: addressed_to.clone() })?;
    need(!text.trim().is_empty(), || Refusal::ReasonMissing { what: "a query" })?;
    let query = case.next_query();
    case.say(Fact::QueryOpened {
        query,
        key: key.clone(),
        item: item.clone(),
        check: None,
        addressed_to: addressed_to.clone(),
        text: Content::new(text.to_owned()),
    });
    Ok(case.drafts)
}

pub(crate) fn answer_query(mut case: Case<'_>, id: &QueryId, text: &str) -> Result<Vec<Draft>, Refusal> {
    let query = need_open(&case, id)?;
    let asked = query.addressed_to.clone();
    let role = case.study.role(case.command.by.role.as_str());
    let answers = role.is_some_and(|role| role.may.contains(&protocol::model::Power::AnswerQueries));
    let is_asked = asked == case.command.by.role;
    need(is_asked || answers, || Refusal::NotAsked { query: id.clone(), asked })?;
    need(!text.trim().is_empty(), || Refusal::ReasonMissing { what: "an answer" })?;
    case.say(Fact::QueryAnswered { query: id.clone(), text: Content::new(text.to_owned()) });
    Ok(case.drafts)
}

pub(crate) fn close_query(mut case: Case<'_>, id: &QueryId) -> Result<Vec<Draft>, Refusal> {
    let query = need_open(&case, id)?;
    if let Some(check) = query.check.clone().filter(|_| is_hard(&case, query)) {
        need(false, || Refusal::HardCheckFires { query: id.clone(), check })?;
    }
    need(query.answered.is_some(), || Refusal::QueryUnanswered { query: id.clone() })?;
    let own = query.answered_by.as_ref() == Some(&case.command.by.person);
    need(!own, || Refusal::OwnAnswer { query: id.clone(), person: case.command.by.person.clone() })?;
    case.say(Fact::QueryClosed { query: id.clone(), by_check: false });
    Ok(case.drafts)
}

pub(crate) fn reopen_query(mut case: Case<'_>, id: &QueryId, text: &str) -> Result<Vec<Draft>, Refusal> {
    let query = found(case.casebook.query(id), || Refusal::UnknownQuery { query: id.clone() })?;
    need(query.closed.is_some(), || Refusal::QueryOpen { query: id.clone() })?;
    need_unlocked(&case, &query.key)?;
    need(!text.trim().is_empty(), || Refusal::ReasonMissing { what: "opening a query again" })?;
    if let Some(check) = &query.check {
        let open = case.casebook.open_query(&query.key, check);
        need(open.is_none(), || Refusal::CheckAsksAlready { check: check.clone() })?;
    }
    case.say(Fact::QueryReopened { query: id.clone(), text: Content::new(text.to_owned()) });
    Ok(case.drafts)
}

fn need_open<'a>(case: &Case<'a>, id: &QueryId) -> Result<&'a Query, Refusal> {
    let query = found(case.casebook.query(id), || Refusal::UnknownQuery { query: id.clone() })?;
    need(query.closed.is_none(), || Refusal::QueryClosed { query: id.clone() })?;
    Ok(query)
}
