//! The schedule of activities.

use askama::Template;
use protocol::{ScheduleTable, schedule_table};

use crate::{
    context::{Context, Outcome},
    http::Reply,
    page::Page,
};

#[derive(Template)]
#[template(path = "schedule.html")]
struct SchedulePage {
    page: Page,
    table: ScheduleTable,
}

/// The protocol's grid.
pub fn show(context: &Context<'_>) -> Outcome {
    let (running, _) = context.seated()?;
    let page = SchedulePage {
        page: Page::new(context, "Schedule of activities"),
        table: schedule_table(running.study()),
    };
    Ok(Reply::page(page.render()?))
}
