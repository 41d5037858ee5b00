//! Each participant's change, sorted: the waterfall of a clinical report.

use kuva::{
    plot::{
        BarPlot,
        legend::{LegendEntry, LegendShape},
    },
    prelude::{Plot, ReferenceLine},
};

use super::{COLOURS, axis, finish, styled, trajectories::arm, upright};
use crate::{
    BuildError,
    context::{Context, anchor},
    document::{Figure, Inline, Row, Table, number_columns, text},
    tables::participant,
    wording,
};

/// One participant's bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// The participant.
    pub label: String,
    /// The change.
    pub change: f64,
    /// The group, by order; decides the colour.
    pub group: usize,
}

/// Builds the figure of a parameter's change at a visit from its standing result.
pub(crate) fn waterfall(context: &Context<'_>, parameter: &str, visit: &str) -> Result<Figure, BuildError> {
    let result = context.result(&format!("waterfall:{parameter}:{visit}"))?;
    let planned = context.parameter(parameter);
    let name = planned.map_or(parameter, |one| context.label(&one.label));
    let unit = planned
        .and_then(|one| one.unit.as_deref())
        .map(|unit| format!(" ({})", wording::unit(unit)))
        .unwrap_or_default();
    let arms = &context.study.arms;
    let mut bars: Vec<(Bar, Inline)> = Vec::new();
    for number in result.numbers.iter().filter(|number| number.key == "change") {
        let (Some(subject), Some(change)) = (number.group.as_deref(), number.value) else { continue };
        let group =
            arm(context, subject).and_then(|id| arms.iter().position(|arm| arm.id == *id)).unwrap_or(0);
        bars.push((Bar { label: subject.to_owned(), change, group }, wording::number(number)));
    }
    bars.sort_by(|a, b| b.0.change.total_cmp(&a.0.change).then_with(|| a.0.label.cmp(&b.0.label)));
    let groups: Vec<&str> =
        if arms.len() > 1 { arms.iter().map(|arm| context.label(&arm.label)).collect() } else { vec![] };
    let when = context.visit_label(visit).to_lowercase();
    let caption =
        context.caption(&format!("Change of {name} from baseline to {when}, participant by participant"));
    let drawn: Vec<Bar> = bars.iter().map(|(bar, _)| bar.clone()).collect();
    let rows = bars.iter().map(|(bar, number)| {
        let group = groups.get(bar.group).map(|name| text(*name));
        let cells = group.into_iter().chain([vec![number.clone()]]).collect();
        Row { head: vec![participant(context, &bar.label)], ..Row::new("", cells) }
    });
    let mut columns = number_columns("Participant", [format!("Change{unit}")]);
    if !groups.is_empty() {
        columns.splice(1..1, crate::document::text_columns(["Group"]));
    }
    Ok(Figure {
        id: format!("figure-waterfall-{}-{}", anchor(parameter), anchor(visit)),
        description: description(&bars),
        svg: draw_waterfall(&drawn, &groups, &format!("Change of {name}{unit}"), &caption),
        tables: vec![Table {
            id: format!("{}-values", anchor(result.id.as_str())),
            caption: context.caption(&format!("Change of {name} at {when}{unit}")),
            columns,
            rows: rows.collect(),
            ..Table::default()
        }],
        caption,
    })
}

/// The greatest rise and the greatest fall, in words.
fn description(bars: &[(Bar, Inline)]) -> Vec<Inline> {
    let mut words =
        text("A bar for each participant with a value, from the greatest rise to the greatest fall.");
    if let (Some((first, most)), Some((last, least))) = (bars.first(), bars.last()) {
        words.push(Inline::Text(format!(
            " It goes from {} in participant {} (",
            sign_name(first.change),
            first.label
        )));
        words.push(most.clone());
        words.push(Inline::Text(format!(") to {} in participant {} (", sign_name(last.change), last.label)));
        words.push(least.clone());
        words.push(Inline::Text(").".to_owned()));
    }
    words
}

fn sign_name(change: f64) -> &'static str {
    if change > 0.0 {
        "a rise"
    } else if change < 0.0 {
        "a fall"
    } else {
        "no change"
    }
}

/// Draws the bars in the order given; groups have colours and, if named, a legend.
pub fn draw_waterfall(bars: &[Bar], groups: &[&str], y_label: &str, title: &str) -> String {
    let mut plot = BarPlot::new();
    for bar in bars {
        plot = plot.with_colored_bar(bar.label.as_str(), bar.change, COLOURS[bar.group % 4]);
    }
    let plots: Vec<Plot> = vec![plot.into()];
    let (low, high, step) = axis(bars.iter().map(|bar| bar.change), true);
    let legend = groups.iter().enumerate().map(|(place, name)| LegendEntry {
        label: (*name).to_owned(),
        color: COLOURS[place % 4].to_owned(),
        shape: LegendShape::Rect,
        dasharray: None,
    });
    let mut layout = styled(&plots, 460.0)
        .with_y_label(upright(y_label, 460.0))
        .with_x_tick_rotate(-90.0)
        .with_reference_line(ReferenceLine::horizontal(0.0).with_color("#1b1f24").with_dasharray("none"))
        .with_y_axis_min(low)
        .with_y_axis_max(high)
        .with_y_tick_step(step);
    if !groups.is_empty() {
        layout = layout.with_legend_entries(legend.collect());
    }
    finish(plots, layout, title)
}
