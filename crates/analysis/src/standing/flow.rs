//! The participants' flow (CONSORT): screened, kept out and why, entered, treated, ended and why, analysed.

use crate::{
    AnalysisResult, Format, Level,
    population::{Member, Population, flag_of},
    sheet::{ALL, RowSets, Sheet, cell, group},
};

use super::{Head, Standing, put_count};

pub(super) fn flow(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let id = "flow".into();
    let mut sheet = Sheet::new(&id, row_sets);
    let entered = standing.with_flag("enrolled");
    way_in(standing, &mut sheet);
    for (place, arm) in entered.cuts() {
        let members: Vec<&Member> = entered.of(place).collect();
        way_through(standing, &mut sheet, arm, &members, &entered);
    }
    let levels = standing.levels_in("treatment_end_reason", &entered);
    let head = Head {
        id: "flow",
        label: "Participants' flow",
        method: "Counts of participants",
        set: "All screened",
        groups: &entered.groups,
        levels,
    };
    standing.result(head, sheet)
}

fn way_in(standing: &Standing<'_>, sheet: &mut Sheet<'_>) {
    let screened = standing.screened();
    let members = || screened.members.iter();
    let kept_out = || members().filter(|member| !standing.flag("enrolled", member));
    put_count(sheet, "screened", ALL, &["screening_date"], members().map(|member| member.row));
    put_count(sheet, "not_enrolled", ALL, &["enrolled"], kept_out().map(|member| member.row));
    let outside = screened.only(|member| !standing.flag("enrolled", member));
    for reason in standing.levels_in("end_reason", &outside) {
        let rows =
            outside.members.iter().filter(|member| standing.code("end_reason", member) == Some(&reason.id));
        let of = cell(None, &reason.id);
        put_count(
            sheet,
            "not_enrolled_reason",
            of,
            &["enrolled", "end_reason"],
            rows.map(|member| member.row),
        );
    }
    for rule in unmet_rules(standing) {
        let rows = disposition_rows(standing, "not_eligible", &rule.id);
        let count = rows.len();
        let place = sheet.row_sets.place("disposition", rows, &["step", "reason"]);
        sheet.put("not_eligible_rule", cell(None, &rule.id), count, Format::Integer, &[place]);
    }
}

/// The rules that participants did not meet, in alphabetical order.
fn unmet_rules(standing: &Standing<'_>) -> Vec<Level> {
    let steps = &standing.data.disposition;
    let mut rules: Vec<Level> = (0..steps.rows())
        .filter(|row| steps.cell("step", *row).text() == Some("not_eligible"))
        .filter_map(|row| steps.cell("reason", row).text())
        .map(|rule| Level { id: rule.to_owned(), label: rule.to_owned() })
        .collect();
    rules.sort();
    rules.dedup();
    rules
}

fn disposition_rows(standing: &Standing<'_>, step: &str, reason: &str) -> Vec<usize> {
    let steps = &standing.data.disposition;
    let is_meant = |row: &usize| {
        steps.cell("step", *row).text() == Some(step) && steps.cell("reason", *row).text() == Some(reason)
    };
    (0..steps.rows()).filter(is_meant).collect()
}

fn way_through(
    standing: &Standing<'_>,
    sheet: &mut Sheet<'_>,
    arm: Option<&str>,
    members: &[&Member],
    entered: &Population,
) {
    let of = group(arm);
    let rows = |keep: &dyn Fn(&Member) -> bool| {
        members.iter().filter(|member| keep(member)).map(|member| member.row).collect::<Vec<_>>().into_iter()
    };
    let with = |flag: &'static str| move |member: &Member| standing.flag(flag, member);
    put_count(sheet, "enrolled", of, &["enrolled"], rows(&|_| true));
    put_count(sheet, "treated", of, &["treated"], rows(&with("treated")));
    put_count(sheet, "not_treated", of, &["treated"], rows(&|member| !standing.flag("treated", member)));
    let completed = ["treatment_completed", "treatment_end_reason"];
    put_count(sheet, "treatment_completed", of, &completed, rows(&with("treatment_completed")));
    let stopped = |member: &Member| {
        standing.flag("treated", member)
            && standing.code("treatment_end_reason", member).is_some()
            && !standing.flag("treatment_completed", member)
    };
    put_count(sheet, "treatment_ended", of, &completed, rows(&stopped));
    let all_stopped = entered.only(stopped);
    for reason in standing.levels_in("treatment_end_reason", &all_stopped) {
        let of_reason = |member: &Member| {
            stopped(member) && standing.code("treatment_end_reason", member) == Some(reason.id.as_str())
        };
        put_count(sheet, "treatment_ended_reason", cell(arm, &reason.id), &completed, rows(&of_reason));
    }
    let ended = ["completed", "end_reason"];
    put_count(sheet, "completed", of, &ended, rows(&with("completed")));
    let left = |member: &Member| {
        standing.code("end_reason", member).is_some() && !standing.flag("completed", member)
    };
    put_count(sheet, "left", of, &ended, rows(&left));
    let all_left = entered.only(left);
    for reason in standing.levels_in("end_reason", &all_left) {
        let of_reason =
            |member: &Member| left(member) && standing.code("end_reason", member) == Some(reason.id.as_str());
        put_count(sheet, "left_reason", cell(arm, &reason.id), &ended, rows(&of_reason));
    }
    for set in &standing.plan.sets {
        let flag = flag_of(&set.id);
        let of_set = |member: &Member| standing.flag(&flag, member);
        put_count(sheet, "analysed", cell(arm, set.id.as_str()), &[&flag], rows(&of_set));
    }
}
