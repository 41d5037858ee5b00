//! The page for what can't be answered. It says what to do, and nothing of what exists.

use askama::Template;

use crate::{
    context::{Context, Failure},
    http::Reply,
    page::Page,
};

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage<'a> {
    page: Page,
    text: &'a str,
}

/// Shows why there is no ordinary answer.
pub fn show(context: &Context<'_>, failure: Failure) -> Reply {
    let (status, title, text) = match failure {
        Failure::NotFound => (404, "Not found", String::new()),
        Failure::LogIn => {
            let stage = context.session.as_ref().map(|(_, session)| session.stage);
            return Reply::see(match stage {
                Some(crate::sessions::Stage::SecondFactor) => "/log-in/code",
                Some(crate::sessions::Stage::NewPassword) => "/log-in/new-password",
                _ => "/log-in",
            });
        }
        Failure::Bad(text) => (400, "This can't be used", text),
        Failure::Refused(text) => (409, "Not possible yet", text),
        Failure::Wait(seconds) => {
            (429, "Please wait", format!("Too many tries. Try again in {seconds} seconds."))
        }
        Failure::Broken(text) => (503, "Nothing was saved", text),
    };
    let page = Page::new(context, title);
    let wait = match status {
        429 => Some(text.chars().filter(char::is_ascii_digit).collect::<String>()),
        _ => None,
    };
    let body = FailurePage { page, text: &text }.render();
    let reply = match body {
        Ok(html) => Reply::page(html).status(status),
        Err(_) => Reply::of(status, "text/plain; charset=utf-8", text.into_bytes()),
    };
    match wait {
        Some(wait) => reply.with("retry-after", wait),
        None => reply,
    }
}
