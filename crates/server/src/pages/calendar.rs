//! The participant's calendar as a file for any calendar program (iCalendar, RFC 5545).
//!
//! It names the visit and the participant's number, and nothing else.

use conduct::Casebook;
use terms::Date;

use crate::{
    context::{Context, Failure, Outcome},
    course::{Standing, VisitLine, visits},
    http::Reply,
};

/// The visits to come, each over its window.
pub fn download(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    if !seat.follows_course() {
        return Err(Failure::NotFound);
    }
    let state = context.state()?;
    let casebook = state.casebook(context.request.param("subject")).ok_or(Failure::NotFound)?;
    let today = context.today(Some(&casebook.site));
    let lines = visits(seat, casebook, today, "en");
    let stamp = context.now.to_zoned_datetime(jiff::tz::TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
    let text = calendar(casebook, running.study().id.as_str(), &lines, &stamp);
    let name = format!("visits-{}.ics", casebook.subject);
    Ok(Reply::download(&name, "text/calendar; charset=utf-8", text.into_bytes()))
}

fn calendar(casebook: &Casebook, study: &str, lines: &[VisitLine], stamp: &str) -> String {
    let day = |date: Date| date.strftime("%Y%m%d").to_string();
    let mut text = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Equipoise//EN\r\n");
    let awaited = |line: &&VisitLine| {
        matches!(line.standing, Standing::Overdue | Standing::Due | Standing::Later) && line.window.is_some()
    };
    for line in lines.iter().filter(awaited) {
        let Some((first, last)) = line.window else { continue };
        // The end of an all-day event is the day after its last.
        let after = last.tomorrow().unwrap_or(last);
        for part in [
            "BEGIN:VEVENT".to_owned(),
            format!("UID:{study}-{}-{}", casebook.subject, line.id),
            format!("DTSTAMP:{stamp}"),
            format!("DTSTART;VALUE=DATE:{}", day(first)),
            format!("DTEND;VALUE=DATE:{}", day(after)),
            format!("SUMMARY:{} {}", escape(&line.label), casebook.subject),
            "END:VEVENT".to_owned(),
        ] {
            text.push_str(&part);
            text.push_str("\r\n");
        }
    }
    text.push_str("END:VCALENDAR\r\n");
    text
}

/// Escapes what the format gives a meaning.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn a_label_keeps_to_its_line() {
        assert_eq!(escape("a,b;c\nd"), "a\\,b\\;c\\nd");
    }
}
