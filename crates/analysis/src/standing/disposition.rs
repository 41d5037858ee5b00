//! How treatment and participation ended, in counts and percent of those who entered.

use super::{Head, Standing};
use crate::{
    AnalysisResult, Format, Level,
    population::Member,
    sheet::{RowSets, Sheet, cell, group, percent},
};

/// One line of the table: its level and whom it counts.
struct Line<'a> {
    level: Level,
    columns: [&'static str; 2],
    counts: Box<dyn Fn(&Member) -> bool + 'a>,
}

pub(super) fn disposition(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let id = "disposition".into();
    let mut sheet = Sheet::new(&id, row_sets);
    let entered = standing.with_flag("enrolled");
    let mut lines = vec![
        flag_line(standing, "treated", "Took at least one dose"),
        flag_line(standing, "treatment_completed", "Completed treatment"),
    ];
    lines.extend(reason_lines(
        standing,
        &entered,
        "treatment_end_reason",
        "treatment_completed",
        "treatment_ended",
    ));
    lines.push(flag_line(standing, "completed", "Completed the study"));
    lines.extend(reason_lines(standing, &entered, "end_reason", "completed", "ended"));
    for (place, arm) in entered.cuts() {
        let whole = entered.of(place).count();
        let all = sheet.row_sets.place("subjects", entered.rows(place), &["enrolled"]);
        sheet.put("denominator", group(arm), whole, Format::Integer, &[all]);
        for line in &lines {
            let members = entered.of(place).filter(|member| (line.counts)(member));
            let rows: Vec<usize> = members.map(|member| member.row).collect();
            let count = rows.len();
            let counted = sheet.row_sets.place("subjects", rows, &line.columns);
            let of = cell(arm, &line.level.id);
            sheet.put("count", of, count, Format::Integer, &[counted]);
            sheet.put("percent", of, percent(count, whole), Format::Percent(1), &[counted, all]);
        }
    }
    let head = Head {
        id: "disposition",
        label: "Disposition",
        method: "Counts of participants, percent of those who entered",
        set: "All who entered",
        groups: &entered.groups,
        levels: lines.into_iter().map(|line| line.level).collect(),
    };
    standing.result(head, sheet)
}

fn flag_line<'a>(standing: &'a Standing<'_>, flag: &'static str, label: &str) -> Line<'a> {
    Line {
        level: Level { id: flag.to_owned(), label: label.to_owned() },
        columns: ["enrolled", flag],
        counts: Box::new(move |member| standing.flag(flag, member)),
    }
}

/// One line for each reason among those who did not complete.
fn reason_lines<'a>(
    standing: &'a Standing<'_>,
    entered: &crate::population::Population,
    reason: &'static str,
    completed: &'static str,
    stem: &str,
) -> Vec<Line<'a>> {
    let short = entered.only(|member| !standing.flag(completed, member));
    let levels = standing.levels_in(reason, &short);
    let line = |level: Level| {
        let code = level.id.clone();
        Line {
            level: Level { id: format!("{stem}:{}", level.id), label: level.label },
            columns: [completed, reason],
            counts: Box::new(move |member| {
                !standing.flag(completed, member) && standing.code(reason, member) == Some(code.as_str())
            }),
        }
    };
    levels.into_iter().map(line).collect()
}
