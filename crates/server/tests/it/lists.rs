//! Lists and counts are kept from one request to the next; they say what lists made anew would say.

use std::collections::BTreeMap;

use server::{
    lists::{Line, Lists},
    running::RunningStudy,
    seat::{Seat, seats},
};
use terms::{PersonId, SiteId, SiteTime, SubjectId};

use crate::world::{STUDIES, World, text};

/// All seats that anybody has.
fn all_seats<'r>(world: &World, running: &'r RunningStudy) -> Vec<Seat<'r>> {
    let state = running.state();
    let mut people: Vec<PersonId> =
        state.delegations.grants().iter().map(|grant| grant.person.clone()).collect();
    people.sort();
    people.dedup();
    let today = world.house.now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    people.iter().flat_map(|person| seats(running.study(), &state, person, today)).collect()
}

fn lines(world: &World, running: &RunningStudy, lists: &Lists, seat: &Seat<'_>) -> BTreeMap<SubjectId, Line> {
    let today = |site: &SiteId| {
        let zone = &running.study().site(site.as_str()).unwrap().zone;
        SiteTime::at(world.house.now(), zone).unwrap().local_date
    };
    lists.look(
        seat,
        || running.state(),
        today,
        |_, lines| lines.iter().map(|(_, subject, line)| (subject.clone(), line.clone())).collect(),
    )
}

/// Compares what is kept with what is made anew, for every seat; returns how many lines there were.
fn agree(world: &World, when: &str) -> usize {
    let mut compared = 0;
    for study in STUDIES {
        let running = &world.house.studies[study];
        for seat in all_seats(world, running) {
            let kept = lines(world, running, running.lists(), &seat);
            let anew = lines(world, running, &Lists::default(), &seat);
            assert_eq!(kept, anew, "{when}: {study} {} {}", seat.role.id, seat.person);
            let state = running.state();
            let seen = state.casebooks.values().filter(|casebook| seat.sees_subject(casebook)).count();
            assert_eq!(kept.len(), seen, "{when}: a line for each participant that {} sees", seat.role.id);
            compared += kept.len();
        }
    }
    compared
}

#[test]
fn what_lists_keep_is_what_they_would_make_anew_after_every_change_and_on_every_day() {
    let world = World::training(8);
    assert!(agree(&world, "at first") > 100);
    let study = format!("/studies/{}", STUDIES[1]);
    let subject = {
        let state = world.house.studies[STUDIES[1]].state();
        let held = state.casebooks.values().max_by_key(|casebook| casebook.visits.len()).unwrap();
        held.subject.to_string()
    };
    let form = format!("{study}/participants/{subject}/forms/vital_signs/Scr/0");
    let mut monitor = world.seated("monitor");
    monitor.get(&form);
    monitor.send(
        &format!("{form}/queries"),
        &[("item", "weight"), ("of", "coordinator"), ("text", "Please check the scales.")],
    );
    agree(&world, "after a query");
    monitor.send(&format!("{study}/verification"), &[("percent", "40"), ("first", "2")]);
    agree(&world, "after a plan of verification");
    let mut coordinator = world.seated("coordinator.01");
    coordinator.get(&form);
    let page = text(&coordinator.get(&form));
    let was =
        page.split("name=\"was.weight\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let fields = [("was.weight", was.as_str()), ("i.weight", "71.5"), ("reason", "Misread"), ("do", "save")];
    coordinator.send(&form, &fields);
    agree(&world, "after a correction");
    let mut investigator = world.seated("principal_investigator.01");
    investigator.get(&format!("{study}/consent"));
    let version = world.house.studies[STUDIES[1]].study().consents.last().unwrap().id.to_string();
    investigator.send(
        &format!("{study}/consent"),
        &[("site", "01"), ("version", version.as_str()), ("date", "2031-05-20")],
    );
    agree(&world, "after a new participant");
    // Windows open and close and queries grow old by the calendar alone.
    for days in [1, 2, 5, 9, 30, 90] {
        world.wait(days * 86_400);
        agree(&world, &format!("{days} days later"));
    }
}

#[test]
fn pages_that_are_asked_for_leave_no_casebook_open_that_they_do_not_show() {
    let world = World::training(8);
    let running = &world.house.studies[STUDIES[1]];
    let mut browser = world.seated("data_manager");
    let open = || running.state().opened();
    for path in [
        "",
        "/participants",
        "/participants.csv",
        "/queries?state=all",
        "/queries.csv",
        "/dashboard",
        "/closing",
    ] {
        let reply = browser.get(&format!("/studies/{}{path}", STUDIES[1]));
        assert_eq!(reply.status, 200, "{path}");
        assert!(open().is_empty(), "{path} left {:?} open", open());
    }
}

#[test]
fn queries_narrowed_to_a_form_are_those_on_the_form_and_all_forms_hold_all() {
    let world = World::training(8);
    let running = &world.house.studies[STUDIES[1]];
    let seat = all_seats(&world, running).into_iter().find(|seat| seat.role.id == *"data_manager").unwrap();
    let mut browser = world.seated("data_manager");
    let mut listed = |filter: &str| {
        let path = format!("/studies/{}/queries.csv?{filter}", STUDIES[1]);
        text(&browser.get(&path)).lines().count() - 1
    };
    let state = running.state();
    let on = |form: &str, closed: Option<bool>| {
        let fits = |query: &&conduct::Query| {
            query.key.form == *form && closed.is_none_or(|closed| query.closed.is_some() == closed)
        };
        let of = |casebook: &conduct::Casebook| {
            casebook.queries.iter().filter(fits).filter(|query| seat.sees_query(casebook, query)).count()
        };
        state.walk().map(|casebook| of(&casebook)).sum::<usize>()
    };
    let mut all = 0;
    for form in &running.study().forms {
        let id = form.id.as_str();
        for filter in ["", "&sort=oldest"] {
            assert_eq!(listed(&format!("state=all&form={id}{filter}")), on(id, None), "{id}{filter}");
        }
        assert_eq!(listed(&format!("state=closed&form={id}")), on(id, Some(true)), "{id}, closed");
        all += on(id, None);
    }
    assert!(all > 5, "too few queries to tell: {all}");
    assert_eq!((listed("state=all"), listed("state=all&form=none")), (all, 0));
    let vital_signs = on("vital_signs", None);
    let page = format!("/studies/{}/queries?state=all&form=vital_signs", STUDIES[1]);
    let told = format!("{}–{} / {vital_signs}", vital_signs.min(1), vital_signs.min(50));
    assert!(text(&browser.get(&page)).contains(&told), "{told}");
}

#[test]
fn an_answer_is_for_somebody_else_to_close_and_no_longer_waits_for_who_gave_it() {
    let world = World::training(6);
    let study = format!("/studies/{}", STUDIES[1]);
    let running = &world.house.studies[STUDIES[1]];
    let (subject, site) = world.participant_on_treatment(STUDIES[1]);
    let form = format!("{study}/participants/{subject}/forms/vital_signs/Scr/0");
    let waiting = |person: &str| -> usize {
        let home = text(&world.seated(person).get(&study));
        let list = home.split("Queries for you <span class=\"count\">").nth(1).unwrap();
        list.split('<').next().unwrap().parse().unwrap()
    };
    let coordinator = format!("coordinator.{site}");
    for asked in ["monitor", "coordinator"] {
        let asked_person = if asked == "monitor" { asked } else { &coordinator };
        let before = (waiting("data_manager"), waiting("monitor"), waiting(&coordinator));
        let mut manager = world.seated("data_manager");
        manager.get(&form);
        let question = [("item", "weight"), ("of", asked), ("text", "With shoes?")];
        assert!(text(&manager.send(&format!("{form}/queries"), &question)).contains("The query is open."));
        let asked_now = (waiting("data_manager"), waiting("monitor"), waiting(&coordinator));
        let one = |of: &str| usize::from(of == asked);
        assert_eq!(
            asked_now,
            (before.0, before.1 + one("monitor"), before.2 + one("coordinator")),
            "{asked}"
        );
        let query = {
            let state = running.state();
            let casebook = state.casebook(&subject).unwrap();
            casebook.queries.iter().rfind(|query| query.closed.is_none()).unwrap().id.to_string()
        };
        let mut answering = world.seated(asked_person);
        answering.get(&form);
        let answer =
            format!("{study}/participants/{subject}/queries/{}/answer", server::http::segment(&query));
        assert_eq!(answering.post(&answer, &[("text", "Without.")]).status, 303);
        // The monitor may close what others have answered, as the data manager may.
        let answered = (waiting("data_manager"), waiting("monitor"), waiting(&coordinator));
        assert_eq!(answered, (before.0 + 1, before.1 + one("coordinator"), before.2), "{asked}");
    }
}
