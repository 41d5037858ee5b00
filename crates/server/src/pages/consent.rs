//! A new participant: consent gives the next number of the site.

use askama::Template;
use conduct::{Action, current_consent};
use terms::{Date, SiteId};

use crate::{
    context::{Context, Failure, Outcome},
    http::{Reply, segment},
    page::Page,
};

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage {
    page: Page,
    path: String,
    today: String,
    sites: Vec<(String, String, String)>,
    versions: Vec<String>,
    current: String,
}

/// Asks for a new participant's consent.
pub fn form(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let page = Page::new(context, "New participant: consent");
    let (study, state) = (running.study(), running.state());
    let today = context.today(seat.own_sites().next().map(|site| &site.id));
    let active = seat.own_sites().filter(|site| state.sites.contains_key(&site.id));
    let view = ConsentPage {
        page,
        path: format!("/studies/{}/consent", segment(study.id.as_str())),
        today: today.to_string(),
        sites: active
            .map(|site| (site.id.to_string(), site.label.clone(), state.next_subject(&site.id).to_string()))
            .collect(),
        versions: study.consents.iter().map(|version| version.id.clone()).collect(),
        current: current_consent(study, today).unwrap_or_default().to_owned(),
    };
    drop(state);
    Ok(Reply::page(view.render()?))
}

/// Records a new participant's consent.
pub fn sign(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let form = &context.request.form;
    let site = SiteId::from(form.get("site"));
    if !seat.own_sites().any(|own| own.id == site) {
        return Err(Failure::Bad("Choose one of your sites.".to_owned()));
    }
    let date: Date = form
        .get("date")
        .parse()
        .map_err(|_| Failure::Bad("Give the day on which the consent was signed.".to_owned()))?;
    let action = Action::SignConsent { site: site.clone(), consent_version: form.get("version").to_owned() };
    let command = context.command(None, Some(&site), Some(date.into()), action)?;
    let receipts = context.give(vec![command], None)?;
    let subject = receipts.iter().find_map(conduct::Receipt::subject).ok_or(Failure::NotFound)?;
    context.notice(format!("Participant {subject} has given consent."));
    let study = segment(running.study().id.as_str());
    Ok(Reply::see(&format!("/studies/{study}/participants/{}", segment(subject.as_str()))))
}
