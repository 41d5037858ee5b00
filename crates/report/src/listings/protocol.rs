//! The protocol as it was run: visits, schedule, forms, doses, deviations, roles, sets and endpoints.
//!
//! Nothing here counts anything: these are statements of the study, each on a row of its own
//! anchor, so that a reader, or a check, finds the place of each. Facts and eligibility rules
//! stand with the sources.

use protocol::model::{AllocationPlan, DoseAction, Mark, Sight, Timing, Visit, WatchedCount};

use crate::{
    context::{Context, anchor},
    document::{Align, Row, Table, text, text_columns},
    wording,
};

/// Lists the protocol's statements, a table a kind.
pub(crate) fn protocol(context: &Context<'_>) -> Vec<Table> {
    let tables = vec![
        arms(context),
        sites(context),
        visits(context),
        schedule(context),
        forms(context),
        scored(context),
        doses(context),
        watches(context),
        deviations(context),
        roles(context),
        classes(context),
        sets(context),
        variables(context),
        endpoints(context),
    ];
    tables.into_iter().filter(|table| !table.rows.is_empty()).collect()
}

/// The anchor of a thing of the protocol: `dose-liver`, `visit-M6`.
pub(crate) fn place(kind: &str, id: &str) -> String {
    format!("{kind}-{}", anchor(id))
}

fn row(kind: &str, id: &str, head: impl Into<String>, cells: Vec<String>) -> Row {
    Row { id: Some(place(kind, id)), ..Row::new(head, cells.into_iter().map(text).collect()) }
}

fn table<const N: usize>(id: &str, caption: &str, heads: [&str; N], rows: Vec<Row>) -> Table {
    Table {
        id: format!("protocol-{id}"),
        caption: caption.to_owned(),
        columns: text_columns(heads),
        rows,
        ..Table::default()
    }
}

fn arms(context: &Context<'_>) -> Table {
    let study = context.study;
    let mut rows: Vec<Row> = study
        .arms
        .iter()
        .map(|arm| {
            let what = if arm.control { "control" } else { "treatment under study" };
            row("arm", arm.id.as_str(), context.label(&arm.label), vec![what.to_owned()])
        })
        .collect();
    if let Some(plan) = &study.allocation {
        let ratio: Vec<String> = plan.ratio.iter().map(|(arm, share)| format!("{arm} {share}")).collect();
        let how = format!(
            "permuted blocks in ratio {}, by {} ({}); the list is sealed and opened by {} of {}",
            ratio.join(" : "),
            stratum(context, plan),
            plan.strata.join(", "),
            plan.threshold,
            plan.holders.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ").replace('_', " "),
        );
        rows.push(row("line", "allocation", "Allocation", vec![how]));
    }
    table("arms", "Arms and allocation", ["Arm", "What it is"], rows)
}

/// The item that strata are codes of, by its label.
fn stratum(context: &Context<'_>, plan: &AllocationPlan) -> String {
    let item = plan.stratum_item.as_str();
    let found = context.study.form(plan.stratum_form.as_str()).and_then(|form| form.item(item));
    found.map_or_else(|| item.replace('_', " "), |item| context.label(&item.label).to_lowercase())
}

fn sites(context: &Context<'_>) -> Table {
    let rows = context.study.sites.iter().map(|site| {
        let cells = vec![site.id.to_string(), site.laboratory.replace('_', " ")];
        row("site", site.id.as_str(), site.label.as_str(), cells)
    });
    table("sites", "Sites", ["Site", "Number", "Laboratory"], rows.collect())
}

fn visits(context: &Context<'_>) -> Table {
    let rows = context.study.visits.iter().map(|visit| {
        let epoch = context.study.epochs.iter().find(|epoch| epoch.id == visit.epoch);
        let epoch = epoch.map_or(visit.epoch.as_str(), |epoch| context.label(&epoch.label));
        row(
            "visit",
            visit.id.as_str(),
            context.label(&visit.label),
            vec![
                visit.id.to_string(),
                epoch.to_owned(),
                match &visit.never_analysed_as {
                    Some(other) => format!("{}; never analysed as {other}", timing(visit)),
                    None => timing(visit),
                },
            ],
        )
    });
    table("visits", "Visits and their windows", ["Visit", "Code", "Epoch", "When"], rows.collect())
}

fn timing(visit: &Visit) -> String {
    let anchor = |anchor: &dyn std::fmt::Debug| {
        let words = format!("{anchor:?}").chars().fold(String::new(), |mut words, letter| {
            if letter.is_uppercase() && !words.is_empty() {
                words.push(' ');
            }
            words.extend(letter.to_lowercase());
            words
        });
        format!("the {words}")
    };
    match &visit.timing {
        Timing::Before { anchor: from, first_day, last_day } => {
            format!(
                "day {} to {} before {}",
                wording::minus(&first_day.to_string()),
                wording::minus(&last_day.to_string()),
                anchor(from)
            )
        }
        Timing::On { anchor: from } => format!("the day of {}", anchor(from)),
        Timing::Months { anchor: from, months, within_days } => {
            format!("{months} months after {}, ± {within_days} days", anchor(from))
        }
        Timing::Days { anchor: from, offset_days, within_days } => {
            format!("day {} from {}, ± {within_days} days", offset_days + 1, anchor(from))
        }
        Timing::AfterVisit { visit, offset_days, within_days } => {
            format!("{offset_days} days after {visit}, ± {within_days} days")
        }
        Timing::EarlyEnd { within_days } => {
            format!("within {within_days} days of the last dose of who stops early")
        }
        Timing::Unscheduled => "whenever needed".to_owned(),
    }
}

fn schedule(context: &Context<'_>) -> Table {
    let study = context.study;
    let rows = study.activities.iter().map(|activity| {
        let marks = study.visits.iter().map(|visit| match activity.at(&visit.id) {
            Mark::Do => "x".to_owned(),
            Mark::Confirm => "c".to_owned(),
            Mark::Nothing => String::new(),
        });
        row("activity", &activity.id, context.label(&activity.label), marks.collect())
    });
    let mut table = table("schedule", "Schedule of activities", [""], rows.collect());
    table.columns.extend(text_columns(study.visits.iter().map(|visit| visit.id.to_string())));
    for column in &mut table.columns[1..] {
        column.align = Align::Word;
    }
    table.notes.push(text("x: done; c: confirmed; empty: not asked for."));
    table
}

fn forms(context: &Context<'_>) -> Table {
    let rows = context.study.forms.iter().map(|form| {
        let roles: Vec<String> = form.filled_by.iter().map(|role| role.as_str().replace('_', " ")).collect();
        row(
            "form",
            form.id.as_str(),
            context.label(&form.title),
            vec![
                class_name(context, form.data_class.as_str()),
                roles.join(", "),
                form.items.len().to_string(),
            ],
        )
    });
    table("forms", "Forms", ["Form", "Data class", "Filled by", "Items"], rows.collect())
}

fn scored(context: &Context<'_>) -> Table {
    let rows = context.study.forms.iter().filter_map(|form| {
        let instrument = form.instrument.as_deref().and_then(instruments::by_id)?;
        let cells = [instrument.version(), instrument.source()].map(|words| text(words.to_string()));
        Some(Row::new(context.label(&form.title), cells.into()))
    });
    table("instruments", "Instruments behind the forms", ["Form", "Scored as", "Source"], rows.collect())
}

fn class_name(context: &Context<'_>, id: &str) -> String {
    let class = context.study.data_classes.iter().find(|class| class.id == *id);
    class.map_or_else(|| id.to_owned(), |class| context.label(&class.label).to_owned())
}

fn doses(context: &Context<'_>) -> Table {
    let dosing = &context.study.dosing;
    let levels: Vec<String> = dosing.levels_mg.iter().map(ToString::to_string).collect();
    let limits = format!(
        "{} mg a day for {} months; raised again {} time(s) after {} stable days; stopped for good after {} days off the drug in a row or {} in all",
        levels.join(", "),
        dosing.planned_months,
        dosing.escalations_max,
        dosing.escalation_after_days,
        dosing.pause_days_max,
        dosing.pause_days_total_max,
    );
    let mut rows =
        vec![row("line", "doses", "Levels and pauses", vec![limits, String::new(), String::new()])];
    rows.extend(dosing.rules.iter().map(|rule| {
        let action = match rule.action {
            DoseAction::Hold => "hold",
            DoseAction::Stop => "stop for good",
            DoseAction::Examine => "examine",
            DoseAction::Limit => "limit",
        };
        let (first, later) = rule.levels_down;
        let down = match (rule.action, first, later) {
            (_, 0, 0) => String::new(),
            (_, first, later) if first == later => format!(", {first} down"),
            (_, first, later) => format!(", {first} down, then {later}"),
        };
        row(
            "dose",
            rule.id.as_str(),
            rule.id.as_str().replace('_', " "),
            vec![
                context.label(&rule.label).to_owned(),
                format!("{action}{down}"),
                wording::mark(rule.mark).to_owned(),
            ],
        )
    }));
    table("doses", "Doses and their modification", ["Rule", "What it says", "Action", "Mark"], rows)
}

fn watches(context: &Context<'_>) -> Table {
    let rows = context.study.watches.iter().map(|watch| {
        let held_to = match &watch.counts {
            WatchedCount::Events { analysis, limits, .. } => {
                let mut steps: Vec<String> = Vec::new();
                let mut from = 0;
                for (place, limit) in limits.iter().enumerate() {
                    if limits.get(place + 1) != Some(limit) {
                        // A limit above the participants there are can't be reached by them.
                        if *limit as usize <= place + 1 {
                            let first = (from + 1).max(*limit as usize);
                            let of = if first == place + 1 {
                                first.to_string()
                            } else {
                                format!("{first} to {}", place + 1)
                            };
                            steps.push(format!("{limit} of {of}"));
                        }
                        from = place + 1;
                    }
                }
                format!("boundary of {analysis}: {}", steps.join(", "))
            }
            WatchedCount::Data { form, item, visit, looks } => {
                let looks: Vec<String> = looks.iter().map(ToString::to_string).collect();
                format!("looks at {} participants with {form}.{item} at {visit}", looks.join(" and "))
            }
        };
        let cells = vec![held_to, wording::mark(watch.mark).to_owned()];
        row("watch", watch.id.as_str(), context.label(&watch.label), cells)
    });
    let heads = ["Watch", "Held to", "Mark"];
    table("watches", "Stopping rules and looks of the safety board", heads, rows.collect())
}

fn deviations(context: &Context<'_>) -> Table {
    let rows = context.study.deviations.iter().map(|rule| {
        let cells = vec![rule.what.replace('_', " "), wording::mark(rule.mark).to_owned()];
        row("deviation", rule.id.as_str(), context.label(&rule.label), cells)
    });
    table("deviations", "Deviations that are major", ["Rule", "Kind", "Mark"], rows.collect())
}

fn roles(context: &Context<'_>) -> Table {
    let rows = context.study.roles.iter().map(|role| {
        let sight = |sight: Sight| match sight {
            Sight::None => "none",
            Sight::OwnVisit => "own visit",
            Sight::Masked => "masked",
            Sight::Pooled => "pooled",
            Sight::Site => "site",
            Sight::All => "all",
        };
        let mut by_sight: Vec<(Sight, Vec<String>)> = Vec::new();
        for (class, seen) in role.sees.iter().filter(|(_, seen)| *seen != Sight::None) {
            let name = class_name(context, class.as_str());
            match by_sight.iter_mut().find(|(known, _)| known == seen) {
                Some((_, classes)) => classes.push(name),
                None => by_sight.push((*seen, vec![name])),
            }
        }
        let sees: Vec<String> = by_sight
            .into_iter()
            .map(|(seen, classes)| format!("{}: {}", sight(seen), classes.join(", ").to_lowercase()))
            .collect();
        let blinded = if role.blinded { "yes" } else { "no" };
        row("role", role.id.as_str(), context.label(&role.label), vec![blinded.to_owned(), sees.join("; ")])
    });
    let mut table = table("roles", "Who may see what", ["Role", "Blinded", "Sees"], rows.collect());
    table.columns[1].align = Align::Word;
    table.notes.push(text("What is not named is not seen."));
    table
}

fn classes(context: &Context<'_>) -> Table {
    let rows = context.study.data_classes.iter().map(|class| {
        let risk = if class.blind_risk { "yes" } else { "no" };
        row("class", class.id.as_str(), context.label(&class.label), vec![risk.to_owned()])
    });
    table("classes", "Data classes", ["Class", "Hints at the treatment"], rows.collect())
}

fn sets(context: &Context<'_>) -> Table {
    let rows = context.study.plan.sets.iter().map(|set| {
        let cells = vec![set.who.text.clone(), wording::mark(set.mark).to_owned()];
        row("set", set.id.as_str(), context.label(&set.label), cells)
    });
    table("sets", "Analysis sets", ["Set", "Who belongs to it", "Mark"], rows.collect())
}

fn variables(context: &Context<'_>) -> Table {
    let plan = &context.study.plan;
    let parameters = plan.parameters.iter().map(|one| {
        let cells = vec![one.id.to_string(), format!("{}.{}", one.form, one.item)];
        row("parameter", one.id.as_str(), context.label(&one.label), cells)
    });
    let variables = plan.variables.iter().map(|one| {
        row("variable", &one.id, context.label(&one.label), vec![one.id.clone(), one.expression.text.clone()])
    });
    let rows = parameters.chain(variables).collect();
    table("variables", "Parameters and variables of the plan", ["", "Name", "Where it comes from"], rows)
}

fn endpoints(context: &Context<'_>) -> Table {
    let rows = context.study.plan.estimands.iter().map(|one| {
        row(
            "estimand",
            one.id.as_str(),
            one.id.as_str(),
            vec![
                context.label(&one.question).to_owned(),
                one.level.clone(),
                one.variable.clone(),
                one.summary.clone(),
                wording::mark(one.mark).to_owned(),
            ],
        )
    });
    let heads = ["Id", "Question", "Level", "Variable", "Summary", "Mark"];
    table("endpoints", "Endpoints", heads, rows.collect())
}
