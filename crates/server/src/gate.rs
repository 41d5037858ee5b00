//! The gate: who may ask for what, decided from the route table before any handler runs.
//!
//! Whoever lacks a right is told that there is no such page, so that an answer says nothing about what exists.
//! Changes must come from a form of the same site and session. Readings of participants are noted here, for all routes alike.

use std::{cell::RefCell, collections::BTreeMap};

use protocol::model::{Power, Sight};
use store::reads::Reading;
use terms::{QueryId, StudyId};

use crate::{
    context::{Context, Failure, Snapshot, form_key},
    credentials::{draw_token, same},
    http::{Method, Reply, Request},
    installation::Installation,
    pages,
    routes::{Audit, Keep, Need, ROUTES, Right, Route, find},
    seat::{Seat, Shown, seats},
    sessions::Stage,
    terminals,
};

/// The cookie of a session.
pub const SESSION_COOKIE: &str = "equipoise";
/// The cookie that guards forms outside a session.
pub const VISITOR_COOKIE: &str = "equipoise-visitor";
/// The field that carries a form's token.
pub const TOKEN_FIELD: &str = "form-token";

/// Answers a request: finds its route, holds who asks to it, and calls the handler.
pub fn answer(house: &Installation, mut request: Request) -> Reply {
    let (route, params) = match find(request.method, &request.path) {
        Some(Ok(found)) => found,
        Some(Err(())) => return Reply::of(405, "text/plain; charset=utf-8", b"not here".to_vec()),
        None => (&ROUTES[0], BTreeMap::new()),
    };
    let missing = params.is_empty() && route.path != request.path;
    request.params = params;
    let mut context = open(house, &request, route);
    let outcome = if missing {
        Err(Failure::NotFound)
    } else {
        admit(&mut context).and_then(|()| (route.answer)(&context))
    };
    let reply = match outcome {
        Ok(reply) => {
            note_reading(&context);
            reply
        }
        Err(failure) => pages::failure::show(&context, failure),
    };
    finish(&context, reply)
}

/// Finds session and account.
fn open<'a>(house: &'a Installation, request: &'a Request, route: &'static Route) -> Context<'a> {
    let now = house.now();
    let session = request
        .cookies
        .get(SESSION_COOKIE)
        .and_then(|token| Some((token.clone(), house.sessions.touch(token, now)?)));
    let account = session
        .as_ref()
        .and_then(|(_, session)| house.accounts().of(&session.person).ok().flatten())
        .filter(|account| account.active);
    let session = session.filter(|_| account.is_some());
    let visitor = request.cookies.get(VISITOR_COOKIE).filter(|token| token.len() == 64);
    Context {
        house,
        request,
        route,
        now,
        session,
        account,
        running: None,
        seat: None,
        snapshot: RefCell::default(),
        new_visitor: visitor.is_none(),
        visitor_token: visitor.cloned().unwrap_or_else(draw_token),
    }
}

/// Lets a request through, or says why not.
fn admit(context: &mut Context<'_>) -> Result<(), Failure> {
    let request = context.request;
    let who = match &context.session {
        Some((_, session)) => session.form_token.clone(),
        None => request.address.to_string(),
    };
    if let Some(wait) = context.house.rates.take(context.route.rate, &who, context.now) {
        return Err(Failure::Wait(wait));
    }
    if request.method == Method::Post {
        if request.is_foreign() {
            return Err(Failure::Bad(
                "This form was sent from another site. Open it here and send it again.".to_owned(),
            ));
        }
        let expected = match &context.session {
            Some((_, session)) => &session.form_token,
            None if context.new_visitor && context.route.right != Right::Anyone => {
                return Err(Failure::LogIn);
            }
            None => &context.visitor_token,
        };
        if context.session.is_none() && context.new_visitor || !same(request.form.get(TOKEN_FIELD), expected)
        {
            return Err(Failure::Bad("This form has expired. Open the page again; what you typed is kept by your browser if you go back.".to_owned()));
        }
    }
    let stage = context.session.as_ref().map(|(_, session)| session.stage);
    match (context.route.right, stage) {
        (Right::Anyone, _) | (Right::Arriving, Some(Stage::SecondFactor | Stage::NewPassword)) => Ok(()),
        (_, None | Some(Stage::SecondFactor | Stage::NewPassword)) => Err(Failure::LogIn),
        (Right::Arriving, Some(Stage::In)) => Err(Failure::NotFound),
        (Right::Account, Some(Stage::In)) => Ok(()),
        (Right::Administrator, Some(Stage::In)) => {
            if !context.account()?.administrator {
                return Err(Failure::NotFound);
            }
            let study = context.request.param("study");
            context.running = context.house.studies.get(study);
            if study.is_empty() || context.running.is_some() { Ok(()) } else { Err(Failure::NotFound) }
        }
        (Right::Seat(needs), Some(Stage::In)) => {
            seat(context, needs)?;
            if request.method == Method::Post { terminals::admit(context) } else { Ok(()) }
        }
    }
}

/// Finds the seat in the study that the path names, and holds it to the route's needs.
fn seat(context: &mut Context<'_>, needs: &[Need]) -> Result<(), Failure> {
    let id = StudyId::from(context.request.param("study"));
    let running = context.house.studies.get(&id).ok_or(Failure::NotFound)?;
    context.running = Some(running);
    let state = context.state()?;
    let person = &context.account()?.person;
    let mut all = seats(running.study(), &state, person, context.today(None));
    if all.is_empty() {
        return Err(Failure::NotFound);
    }
    let chosen = context.session.as_ref().and_then(|(_, session)| session.roles.get(&id));
    let index = all.iter().position(|seat| Some(&seat.role.id) == chosen).unwrap_or(0);
    let seat = all.swap_remove(index);
    let met = needs.iter().all(|need| meets(&state, &seat, *need, context.request));
    context.seat = Some(seat);
    if met { Ok(()) } else { Err(Failure::NotFound) }
}

/// Says whether a seat meets a need of a route, for what the path names.
fn meets(state: &Snapshot, seat: &Seat<'_>, need: Need, request: &Request) -> bool {
    let casebook = state.casebook(request.param("subject")).filter(|casebook| seat.sees_subject(casebook));
    let form = || {
        let (casebook, key) = (casebook?, form_key(request)?);
        let form = seat.study.form(key.form.as_str())?;
        let sound = key.visit.is_some() == form.by_visit && (key.row > 0) == form.repeating;
        // A form of a visit that was not held has nothing to show or enter yet.
        let held = key.visit.as_ref().is_none_or(|visit| casebook.visits.contains_key(visit));
        (sound && held).then(|| seat.form(casebook, &key))
    };
    let query = || {
        let casebook = casebook?;
        casebook
            .query(&QueryId::from(request.param("query")))
            .filter(|query| seat.sees_query(casebook, query))
    };
    match need {
        Need::Participants => seat.sees_participants(),
        Need::Subject => casebook.is_some(),
        Need::Form => form().is_some_and(|shown| shown > Shown::No),
        Need::FormValues => form() == Some(Shown::Yes),
        Need::Entry => {
            form() == Some(Shown::Yes)
                && casebook.zip(form_key(request)).is_some_and(|(casebook, key)| seat.enters(casebook, &key))
        }
        Need::Query => query().is_some(),
        Need::Asked => {
            query().is_some_and(|query| query.addressed_to == seat.role.id || seat.may(Power::AnswerQueries))
        }
        Need::Reads(class) => seat.reads(class),
        Need::Sees(class) => seat.sight(class) > Sight::OwnVisit,
        Need::May(power) => seat.may(power),
        Need::MayAny(powers) => powers.iter().any(|power| seat.may(*power)),
        Need::Step(step) => seat.may_take(step),
    }
}

fn note_reading(context: &Context<'_>) {
    if context.route.audit != Audit::Reading {
        return;
    }
    if let (Ok((running, seat)), Some(account)) = (context.seated(), &context.account) {
        let form = context.request.param("form");
        let visit = context.request.param("visit");
        let what =
            if form.is_empty() { context.route.does.to_owned() } else { format!("form {form} at {visit}") };
        context.house.note_reading(Reading {
            at: context.now,
            person: account.person.to_string(),
            role: seat.role.id.to_string(),
            study: running.study().id.to_string(),
            subject: context.request.param("subject").to_owned(),
            what,
        });
    }
}

/// Adds what every answer carries: the content policy, how long it keeps, the visitor's cookie.
fn finish(context: &Context<'_>, reply: Reply) -> Reply {
    let keep = match context.route.keep {
        Keep::Always if reply.status == 200 => "public, max-age=31536000, immutable",
        _ => "no-store",
    };
    let nonce = &context.request.nonce;
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let mut reply = reply
        .with("cache-control", keep.to_owned())
        .with("content-security-policy", policy)
        .with("x-content-type-options", "nosniff".to_owned())
        .with("referrer-policy", "same-origin".to_owned())
        .with("cross-origin-opener-policy", "same-origin".to_owned())
        .with("cross-origin-resource-policy", "same-origin".to_owned());
    if context.house.secure {
        reply = reply.with("strict-transport-security", "max-age=31536000".to_owned());
    }
    if context.new_visitor && context.session.is_none() && context.route.keep == Keep::Never {
        reply = reply.with("set-cookie", cookie(context.house, VISITOR_COOKIE, &context.visitor_token));
    }
    reply
}

/// Writes a cookie that scripts can't read and other sites can't send. An empty value takes it away.
pub fn cookie(house: &Installation, name: &str, value: &str) -> String {
    let secure = if house.secure { "; Secure" } else { "" };
    let gone = if value.is_empty() { "; Max-Age=0" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{gone}")
}
