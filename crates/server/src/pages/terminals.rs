//! Registered terminals: which browsers a study takes changes from.

use askama::Template;
use terms::StudyId;

use crate::{
    context::{Context, Failure, Outcome},
    http::Reply,
    page::Page,
    pages::account::moment,
    terminals,
};

/// A study's terminals.
struct StudyTerminals {
    id: String,
    title: String,
    required: bool,
    sites: Vec<(String, String)>,
    terminals: Vec<TerminalLine>,
}

struct TerminalLine {
    number: u32,
    name: String,
    site: String,
    /// When the link was opened in it.
    registered: Option<String>,
    withdrawn: Option<String>,
}

#[derive(Template)]
#[template(path = "terminals.html")]
struct TerminalsPage {
    page: Page,
    /// A terminal's number and link, shown once.
    made: Option<(u32, String)>,
    studies: Vec<StudyTerminals>,
}

#[derive(Template)]
#[template(path = "terminal.html")]
struct TerminalPage {
    page: Page,
    token: String,
    name: String,
    study: String,
    done: bool,
}

/// The terminals of all studies.
pub fn show(context: &Context<'_>) -> Outcome {
    list(context, None)
}

fn list(context: &Context<'_>, made: Option<(u32, String)>) -> Outcome {
    let page = Page::new(context, "Terminals");
    let known = context.house.terminals().clone();
    let studies = context
        .house
        .studies
        .values()
        .map(|running| {
            let study = running.study();
            let terminals = known
                .of(&study.id)
                .map(|terminal| TerminalLine {
                    number: terminal.number,
                    name: terminal.name.clone(),
                    site: terminal.site.as_ref().map_or_else(String::new, ToString::to_string),
                    registered: terminal.registered.map(|at| moment(context, at)),
                    withdrawn: terminal.withdrawn.map(|at| moment(context, at)),
                })
                .collect();
            StudyTerminals {
                id: study.id.to_string(),
                title: study.title.get(&page.language).to_owned(),
                required: known.are_required(&study.id),
                sites: study.sites.iter().map(|site| (site.id.to_string(), site.label.clone())).collect(),
                terminals,
            }
        })
        .collect();
    Ok(Reply::page(TerminalsPage { page, made, studies }.render()?))
}

/// Adds or withdraws a terminal, or changes whether they are asked for.
pub fn change(context: &Context<'_>) -> Outcome {
    let form = &context.request.form;
    let study = StudyId::from(form.get("study"));
    let reason = form.get("reason");
    match form.get("do") {
        "add" => {
            let (number, token) = terminals::add(context, &study, form.get("site"), form.get("name"))?;
            let scheme = if context.house.secure { "https" } else { "http" };
            let host = context.request.host.clone().unwrap_or_default();
            return list(context, Some((number, format!("{scheme}://{host}/terminal/{token}"))));
        }
        "withdraw" => {
            let number = form.get("terminal").parse().map_err(|_| Failure::NotFound)?;
            terminals::withdraw(context, number, reason)?;
        }
        "require" | "free" => {
            if !context.house.studies.contains_key(&study) {
                return Err(Failure::NotFound);
            }
            terminals::require(context, &study, form.get("do") == "require", reason)?;
        }
        _ => return Err(Failure::Bad("Choose what to do.".to_owned())),
    }
    context.notice("Done.");
    Ok(Reply::see("/administration/terminals"))
}

fn of_link(context: &Context<'_>, done: bool, terminal: &terminals::Terminal) -> Outcome {
    let page = Page::new(context, "Register this terminal");
    let running = context.house.studies.get(&terminal.study).ok_or(Failure::NotFound)?;
    let view = TerminalPage {
        token: context.request.param("token").to_owned(),
        name: terminal.name.clone(),
        study: running.study().title.get(&page.language).to_owned(),
        done,
        page,
    };
    Ok(Reply::page(view.render()?))
}

/// Asks whether the browser is the terminal that a link was made for.
pub fn link(context: &Context<'_>) -> Outcome {
    let token = context.request.param("token");
    let terminal = terminals::invited(context, token).ok_or(Failure::NotFound)?;
    of_link(context, false, &terminal)
}

/// Registers the browser.
pub fn register(context: &Context<'_>) -> Outcome {
    let (terminal, cookie) = terminals::register(context, context.request.param("token"))?;
    Ok(of_link(context, true, &terminal)?.with("set-cookie", cookie))
}
