//! Adverse events as a dot plot: the share of participants by arm, and the risk difference with its interval beside it.

use analysis::{AnalysisResult, Level};
use kuva::{
    plot::{
        ScatterPlot,
        legend::{LegendEntry, LegendShape},
        scatter::MarkerShape,
    },
    prelude::{Figure as Panels, Layout, Plot, ReferenceLine},
};

use super::{COLOURS, MARKERS, finish, finish_scene, lanes_height, shortened, styled};
use crate::{
    BuildError,
    context::Context,
    document::{Figure, Inline, Row, Span, Table, number_columns, text},
    wording,
};

/// Most terms that are drawn; the table beside the drawing has all.
const TERMS_DRAWN: usize = 25;

/// One term's shares and difference, in percent and percentage points.
#[derive(Clone, Debug, PartialEq)]
pub struct TermShares {
    /// The term.
    pub term: String,
    /// Percent by group, in the order of the groups.
    pub percent: Vec<f64>,
    /// Estimate, lower and upper end: of the difference of two groups, or of the share of the only one.
    pub interval: Option<(f64, f64, f64)>,
}

/// Builds the figure from its standing result.
pub(crate) fn event_differences(context: &Context<'_>) -> Result<Figure, BuildError> {
    let result = context.result("adverse-event-differences")?;
    let groups: Vec<&Level> = result.groups.iter().collect();
    let value = |key: &str, group: Option<&str>, level: &Level| {
        result.number(key, group, Some(&level.id)).and_then(|number| number.value)
    };
    let shares = |level: &Level| TermShares {
        term: level.label.clone(),
        percent: match groups.as_slice() {
            [] => value("percent", None, level).into_iter().collect(),
            groups => groups.iter().filter_map(|group| value("percent", Some(&group.id), level)).collect(),
        },
        interval: if groups.is_empty() {
            value("percent", None, level)
                .zip(value("lower", None, level))
                .zip(value("upper", None, level))
                .map(|((share, lower), upper)| (share, lower, upper))
        } else {
            value("difference", None, level)
                .zip(value("difference_lower", None, level))
                .zip(value("difference_upper", None, level))
                .map(|((difference, lower), upper)| (difference, lower, upper))
        },
    };
    let drawn: Vec<TermShares> = result.levels.iter().take(TERMS_DRAWN).map(shares).collect();
    let names: Vec<&str> = groups.iter().map(|group| context.group_label(result, group)).collect();
    let caption = context.caption(if groups.is_empty() {
        "Participants with each adverse event from the first dose on, with the 95 % interval"
    } else {
        "Participants with each adverse event from the first dose on by arm, and the risk difference with its 95 % interval"
    });
    Ok(Figure {
        id: "figure-adverse-event-differences".to_owned(),
        description: description(context, result),
        svg: draw_differences(&drawn, &names, &caption),
        tables: vec![table(context, result)],
        caption,
    })
}

fn description(context: &Context<'_>, result: &AnalysisResult) -> Vec<Inline> {
    let mut words = text(match result.groups.len() {
        0 => {
            "A dot for the share of participants with each term, with its interval, the most frequent on top. "
        }
        _ => {
            "On the left a mark for each arm's share of participants with each term, the most frequent on top; \
              on the right the difference of the shares with its interval, the dashed line at no difference. "
        }
    });
    if result.levels.len() > TERMS_DRAWN {
        words.extend(text("Only the most frequent terms are drawn; the table has all. "));
    }
    if let Some(any) = result.levels.first() {
        let numbers = match result.groups.as_slice() {
            [] => vec![(String::new(), result.number("percent", None, Some(&any.id)))],
            groups => groups
                .iter()
                .map(|group| {
                    let name = format!(" with {}", context.group_label(result, group));
                    (name, result.number("percent", Some(&group.id), Some(&any.id)))
                })
                .collect(),
        };
        words.push(Inline::Text("Any event: ".to_owned()));
        for (place, (name, number)) in numbers.into_iter().enumerate() {
            let Some(number) = number else { continue };
            if place > 0 {
                words.push(Inline::Text(", ".to_owned()));
            }
            words.push(wording::number(number));
            words.push(Inline::Text(format!(" of the participants{name}")));
        }
        words.push(Inline::Text(".".to_owned()));
    }
    words
}

fn table(context: &Context<'_>, result: &AnalysisResult) -> Table {
    let groups: Vec<Option<&Level>> = match result.groups.as_slice() {
        [] => vec![None],
        groups => groups.iter().map(Some).collect(),
    };
    let grouped = !result.groups.is_empty();
    let (estimate, lower, upper) = if grouped {
        ("difference", "difference_lower", "difference_upper")
    } else {
        ("percent", "lower", "upper")
    };
    let mut heads: Vec<String> = Vec::new();
    let mut spans = vec![Span { head: String::new(), columns: 1 }];
    for group in &groups {
        heads.push("Participants (percent)".to_owned());
        let head = group.map_or("", |group| context.group_label(result, group));
        spans.push(Span { head: head.to_owned(), columns: 1 });
    }
    let name = if grouped { "Risk difference, points (95\u{a0}%\u{a0}CI)" } else { "95\u{a0}%\u{a0}CI" };
    heads.push(name.to_owned());
    spans.push(Span { head: String::new(), columns: 1 });
    let row = |level: &Level| {
        let number =
            |key: &str, group: Option<&str>| result.number(key, group, Some(&level.id)).map(wording::number);
        let bracketed = |parts: [Option<Inline>; 2], words: [&str; 2]| -> Vec<Inline> {
            let [first, second] = parts;
            let (Some(first), Some(second)) = (first, second) else { return Vec::new() };
            vec![first, Inline::Text(words[0].to_owned()), second, Inline::Text(words[1].to_owned())]
        };
        let mut cells: Vec<Vec<Inline>> = groups
            .iter()
            .map(|group| {
                let group = group.map(|group| group.id.as_str());
                bracketed([number("participants", group), number("percent", group)], [" (", ")"])
            })
            .collect();
        let mut ends = bracketed([number(lower, None), number(upper, None)], [" to ", ""]);
        if grouped {
            let mut all: Vec<Inline> = number(estimate, None).into_iter().collect();
            all.push(Inline::Text(" (".to_owned()));
            all.append(&mut ends);
            all.push(Inline::Text(")".to_owned()));
            ends = all;
        }
        cells.push(ends);
        Row::new(level.label.as_str(), cells)
    };
    Table {
        id: "adverse-event-differences-values".to_owned(),
        caption: context.caption("Participants with each adverse event from the first dose on"),
        spans: if grouped { spans } else { Vec::new() },
        columns: number_columns("Term", heads),
        rows: result.levels.iter().map(row).collect(),
        notes: vec![text(format!("Method: {}.", result.method))],
    }
}

/// Draws terms from top to bottom: shares by group on the left and the difference on the right, or, of one
/// group, its share with the interval.
pub fn draw_differences(terms: &[TermShares], groups: &[&str], title: &str) -> String {
    let count = terms.len();
    let labels: Vec<String> = terms.iter().rev().map(|one| shortened(&one.term)).collect();
    let lane = |place: usize| (count - place) as f64;
    let lanes = |layout: Layout| {
        layout.with_y_categories(labels.clone()).with_y_axis_min(0.5).with_y_axis_max(count as f64 + 0.5)
    };
    let intervals = |terms: &[TermShares]| -> Plot {
        let known = terms.iter().enumerate().filter_map(|(place, one)| Some((place, one.interval?)));
        let known: Vec<(usize, (f64, f64, f64))> = known.collect();
        ScatterPlot::new()
            .with_data(known.iter().map(|(place, (estimate, ..))| (*estimate, lane(*place))))
            .with_x_err_asymmetric(
                known.iter().map(|(_, (estimate, lower, upper))| (estimate - lower, upper - estimate)),
            )
            .with_marker(MarkerShape::Square)
            .with_size(4.0)
            .with_color("#1b1f24")
            .into()
    };
    let height = lanes_height(count, 19.0);
    if groups.is_empty() {
        let plots = vec![intervals(terms)];
        let layout = lanes(styled(&plots, height))
            .with_x_label("Participants (%), 95 % interval")
            .with_x_axis_min(-2.0)
            .with_x_axis_max(104.0)
            .with_x_tick_step(20.0);
        return finish(plots, layout, title);
    }
    let shares: Vec<Plot> = groups
        .iter()
        .enumerate()
        .map(|(group, _)| {
            let points = terms
                .iter()
                .enumerate()
                .filter_map(|(place, one)| Some((*one.percent.get(group)?, lane(place))));
            ScatterPlot::new()
                .with_data(points)
                .with_marker(MARKERS[group % 4])
                .with_size(4.5)
                .with_color(COLOURS[group % 4])
                .into()
        })
        .collect();
    let legend: Vec<LegendEntry> = groups
        .iter()
        .enumerate()
        .map(|(place, name)| LegendEntry {
            label: (*name).to_owned(),
            color: COLOURS[place % 4].to_owned(),
            shape: LegendShape::Marker(MARKERS[place % 4]),
            dasharray: None,
        })
        .collect();
    let left = lanes(styled(&shares, height))
        .with_x_label("Participants (%)")
        .with_x_axis_min(-5.0)
        .with_x_axis_max(105.0)
        .with_x_tick_step(25.0);
    let right_plots = vec![intervals(terms)];
    let ends = terms
        .iter()
        .filter_map(|one| one.interval)
        .flat_map(|(estimate, lower, upper)| [estimate, lower, upper]);
    let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(low, high), end| (low.min(end), high.max(end)));
    // The panel is narrow: few ticks.
    let step = if high - low > 60.0 { 50.0 } else { 20.0 };
    let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step + 5.0);
    let right = lanes(styled(&right_plots, height))
        .with_y_categories(labels.iter().map(|_| String::new()).collect())
        .with_x_label("Difference (points)")
        .with_x_axis_min(low)
        .with_x_axis_max(high)
        .with_x_tick_step(step)
        .with_reference_line(ReferenceLine::vertical(0.0).with_color("#1b1f24"));
    let scene = Panels::new(1, 2)
        .with_plots(vec![shares, right_plots])
        .with_layouts(vec![left, right])
        .with_col_width(0, 470.0)
        .with_col_width(1, 270.0)
        .with_row_height(0, height)
        .with_shared_legend_entries(legend)
        .with_shared_legend_bottom()
        .render();
    finish_scene(&scene, title)
}
