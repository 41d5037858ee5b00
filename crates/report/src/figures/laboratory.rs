//! Laboratory: tests over time, and liver peaks after Hy's law (eDISH).

use analysis::Level;
use kuva::{
    plot::{
        LinePlot, ScatterPlot,
        legend::{LegendEntry, LegendShape},
    },
    prelude::{Plot, ReferenceLine, TextAnnotation},
};

use super::{
    COLOURS, MARKERS, axis, finish, styled,
    trajectories::{arm, month},
    upright,
};
use crate::{
    BuildError,
    context::{Context, anchor},
    document::{Figure, Inline, Row, Table, number_columns, text},
    tables::participant,
    wording,
};

/// One group's course of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// The group's name; none in a one-arm study.
    pub group: Option<String>,
    /// Month, median, quartiles and the extreme on the graded side.
    pub points: Vec<CoursePoint>,
}

/// A course at one visit, all as multiples of a limit of normal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CoursePoint {
    /// Month.
    pub month: f64,
    /// Median.
    pub median: f64,
    /// First quartile.
    pub q1: f64,
    /// Third quartile.
    pub q3: f64,
    /// The highest value, or the lowest of a test that is graded when it falls.
    pub extreme: f64,
}

/// Builds the figure of a test over the planned visits.
pub(crate) fn laboratory_trend(context: &Context<'_>, test: &str) -> Result<Figure, BuildError> {
    let result = context.result(&format!("laboratory:{test}"))?;
    let planned = context.study.plan.tests.iter().find(|known| known.id == *test);
    let item = planned.and_then(|test| context.study.form(test.form.as_str())?.item(test.item.as_str()));
    let name = item.map_or(test, |item| context.label(&item.label));
    let rises = planned.is_some_and(|test| test.low.is_none());
    let (limit, extreme, most) = if rises { ("upper", "max", "highest") } else { ("lower", "min", "lowest") };
    let visits: Vec<(&Level, f64)> =
        result.levels.iter().filter_map(|level| Some((level, month(context.study, &level.id)?))).collect();
    let groups: Vec<Option<&Level>> = match result.groups.as_slice() {
        [] => vec![None],
        groups => groups.iter().map(Some).collect(),
    };
    let course = |group: &Option<&Level>| Course {
        group: group.map(|group| context.group_label(result, group).to_owned()),
        points: visits
            .iter()
            .filter_map(|(level, month)| {
                let group = group.map(|group| group.id.as_str());
                let value = |key: &str| result.number(key, group, Some(&level.id))?.value;
                let (median, q1, q3) = (value("median")?, value("q1")?, value("q3")?);
                Some(CoursePoint { month: *month, median, q1, q3, extreme: value(extreme)? })
            })
            .collect(),
    };
    let courses: Vec<Course> = groups.iter().map(course).collect();
    let caption = context.caption(&format!("{name} over time, as a multiple of the {limit} limit of normal: median, quartiles, and the {most} value as a mark"));
    let heads = groups.iter().flat_map(|group| {
        let name = group.map(|group| format!("{}: ", context.group_label(result, group))).unwrap_or_default();
        [format!("{name}n"), format!("{name}median (Q1 to Q3)"), format!("{name}{most}")]
    });
    let rows = visits.iter().map(|(level, _)| {
        let cells = groups.iter().flat_map(|group| {
            let group = group.map(|group| group.id.as_str());
            let number = |key: &str| result.number(key, group, Some(&level.id)).map(wording::number);
            let mut middle: Vec<Inline> = number("median").into_iter().collect();
            if let (Some(q1), Some(q3)) = (number("q1"), number("q3")) {
                let words = |words: &str| Inline::Text(words.to_owned());
                middle.extend([words(" ("), q1, words(" to "), q3, words(")")]);
            }
            [number("n").into_iter().collect(), middle, number(extreme).into_iter().collect()]
        });
        Row::new(context.visit_label(&level.id), cells.collect())
    });
    Ok(Figure {
        id: format!("figure-laboratory-{}", anchor(test)),
        description: text(format!(
            "The median of each planned visit with its quartiles as a bar, and the {most} value as a mark apart; the dashed line is the \
             {limit} limit of normal of each participant's own laboratory, by which every value is divided."
        )),
        svg: draw_course(&courses, &format!("{name} (times the {limit} limit)"), &caption),
        tables: vec![Table {
            id: format!("{}-values", anchor(result.id.as_str())),
            caption: caption.clone(),
            columns: number_columns("Visit", heads),
            rows: rows.collect(),
            ..Table::default()
        }],
        caption,
    })
}

/// Draws medians with quartiles for each group, side by side, and the extremes as marks; the second group's line is dashed.
pub fn draw_course(groups: &[Course], y_label: &str, title: &str) -> String {
    let mut plots: Vec<Plot> = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        let aside = (place as f64 - (groups.len() as f64 - 1.0) / 2.0) / 6.0;
        let mut line = LinePlot::new()
            .with_data(group.points.iter().map(|at| (at.month + aside, at.median)))
            .with_y_err_asymmetric(group.points.iter().map(|at| (at.median - at.q1, at.q3 - at.median)))
            .with_color(COLOURS[place % 4])
            .with_stroke_width(2.5);
        if place % 2 == 1 {
            line = line.with_dashed();
        }
        if let Some(name) = &group.group {
            line = line.with_legend(name.clone());
        }
        plots.push(line.into());
        let marks = ScatterPlot::new()
            .with_data(group.points.iter().map(|at| (at.month + aside, at.extreme)))
            .with_marker(MARKERS[place % 4])
            .with_size(3.5)
            .with_color(COLOURS[place % 4]);
        plots.push(marks.into());
    }
    let values = groups.iter().flat_map(|group| &group.points).flat_map(|at| [at.q1, at.q3, at.extreme, 1.0]);
    let (low, high, step) = axis(values, true);
    let months = || groups.iter().flat_map(|group| &group.points).map(|at| at.month);
    let (first, last) = (months().fold(0.0, f64::min), months().fold(1.0, f64::max));
    let layout = styled(&plots, 380.0)
        .with_x_label(if first < 0.0 { "Month (screening at −1)" } else { "Month" })
        .with_y_label(upright(y_label, 380.0))
        .with_reference_line(ReferenceLine::horizontal(1.0).with_color("#1b1f24"))
        .with_x_axis_min(first - 0.4)
        .with_x_axis_max(last + 0.4)
        .with_x_tick_step(if last > 6.0 { 3.0 } else { 1.0 })
        .with_y_axis_min(low)
        .with_y_axis_max(high)
        .with_y_tick_step(step);
    finish(plots, layout, title)
}

/// One participant's peaks.
#[derive(Clone, Debug, PartialEq)]
pub struct Peak {
    /// The participant.
    pub label: String,
    /// Highest ALT or AST, as a multiple of its upper limit.
    pub transaminase: f64,
    /// Highest bilirubin, as a multiple of its upper limit.
    pub bilirubin: f64,
    /// The group, by order.
    pub group: usize,
}

/// Builds the figure of liver peaks.
pub(crate) fn hys_law(context: &Context<'_>) -> Result<Figure, BuildError> {
    let result = context.result("hys-law")?;
    let arms = &context.study.arms;
    let mut peaks: Vec<(Peak, [Inline; 2])> = Vec::new();
    for liver in result.numbers.iter().filter(|number| number.key == "transaminase") {
        let Some(subject) = liver.group.as_deref() else { continue };
        let Some(bile) = result.number("bilirubin", Some(subject), None) else { continue };
        let (Some(transaminase), Some(bilirubin)) = (liver.value, bile.value) else { continue };
        let group =
            arm(context, subject).and_then(|id| arms.iter().position(|arm| arm.id == *id)).unwrap_or(0);
        let peak = Peak { label: subject.to_owned(), transaminase, bilirubin, group };
        peaks.push((peak, [wording::number(liver), wording::number(bile)]));
    }
    let names: Vec<&str> =
        if arms.len() > 1 { arms.iter().map(|arm| context.label(&arm.label)).collect() } else { vec![] };
    let caption = context
        .caption("Liver: each participant's highest ALT or AST and highest bilirubin after baseline (eDISH)");
    let drawn: Vec<Peak> = peaks.iter().map(|(peak, _)| peak.clone()).collect();
    let row = |(peak, numbers): &(Peak, [Inline; 2])| {
        let group = names.get(peak.group).map(|name| text(*name));
        let cells = group.into_iter().chain(numbers.iter().map(|number| vec![number.clone()])).collect();
        Row { head: vec![participant(context, &peak.label)], ..Row::new("", cells) }
    };
    let mut columns =
        number_columns("Participant", ["Highest ALT or AST (x ULN)", "Highest bilirubin (x ULN)"]);
    if !names.is_empty() {
        columns.splice(1..1, crate::document::text_columns(["Group"]));
    }
    Ok(Figure {
        id: "figure-hys-law".to_owned(),
        description: description(context, result),
        svg: draw_hys_law(&drawn, &names, &caption),
        tables: vec![Table {
            id: "hys-law-values".to_owned(),
            caption: caption.clone(),
            columns,
            rows: peaks.iter().map(row).collect(),
            notes: vec![text(format!("{}.", result.method))],
            ..Table::default()
        }],
        caption,
    })
}

/// How many lie in each quarter, in words.
fn description(context: &Context<'_>, result: &analysis::AnalysisResult) -> Vec<Inline> {
    let mut words = text(
        "A mark for each participant, on logarithmic axes, as multiples of the upper limit of normal. Dashed lines stand at 3 times the \
         limit for ALT or AST and at twice the limit for bilirubin; who lies beyond both is looked at case by case for Hy's law.",
    );
    let groups: Vec<Option<&Level>> = match result.groups.as_slice() {
        [] => vec![None],
        groups => groups.iter().map(Some).collect(),
    };
    for group in groups {
        let id = group.map(|group| group.id.as_str());
        let count = |level: &str| result.number("count", id, Some(level)).map(wording::number);
        let who = group.map(|group| format!("{}: ", context.group_label(result, group))).unwrap_or_default();
        let (Some(both), Some(liver), Some(bile), Some(n)) = (
            count("both"),
            count("transaminase"),
            count("bilirubin"),
            result.number("n", id, None).map(wording::number),
        ) else {
            continue;
        };
        let say = |words: &str| Inline::Text(words.to_owned());
        words.extend([say(&format!(" {who}")), both, say(" beyond both lines, "), liver]);
        words.extend([
            say(" beyond that of ALT or AST only, "),
            bile,
            say(" beyond that of bilirubin only, of "),
            n,
        ]);
        words.push(say(" participants."));
    }
    words
}

/// Draws a mark for each participant on logarithmic axes with the lines of Hy's law.
pub fn draw_hys_law(peaks: &[Peak], groups: &[&str], title: &str) -> String {
    let mut plots: Vec<Plot> = Vec::new();
    for group in 0..groups.len().max(1) {
        let own = peaks.iter().filter(|peak| peak.group == group);
        let points = own.map(|peak| (peak.transaminase.max(0.1), peak.bilirubin.max(0.1)));
        let marks = ScatterPlot::new()
            .with_data(points)
            .with_marker(MARKERS[group % 4])
            .with_size(5.0)
            .with_color(COLOURS[group % 4]);
        plots.push(marks.into());
    }
    let top = peaks.iter().flat_map(|peak| [peak.transaminase, peak.bilirubin]).fold(10.0, f64::max);
    let top = if top > 10.0 { 100.0 } else { 10.0 };
    let legend = groups.iter().enumerate().map(|(place, name)| LegendEntry {
        label: (*name).to_owned(),
        color: COLOURS[place % 4].to_owned(),
        shape: LegendShape::Marker(MARKERS[place % 4]),
        dasharray: None,
    });
    let note = |words: &str, x: f64, y: f64| {
        TextAnnotation::new(words, x, y).with_font_size(12).with_color("#4a5563")
    };
    let mut layout = styled(&plots, 440.0)
        .with_x_label("Highest ALT or AST (multiple of the upper limit)")
        .with_y_label("Highest bilirubin (multiple of the upper limit)")
        .with_log_scale()
        .with_x_axis_min(0.1)
        .with_x_axis_max(top)
        .with_y_axis_min(0.1)
        .with_y_axis_max(top)
        .with_reference_line(ReferenceLine::vertical(3.0).with_color("#1b1f24"))
        .with_reference_line(ReferenceLine::horizontal(2.0).with_color("#1b1f24"))
        .with_annotation(note("Hy's law to be judged", top.powf(0.5) * 1.75, top * 0.72))
        .with_annotation(note("Bilirubin alone", 0.3, top * 0.72))
        .with_annotation(note("ALT or AST alone", top.powf(0.5) * 1.75, 0.12));
    if !groups.is_empty() {
        layout = layout.with_legend_entries(legend.collect());
    }
    finish(plots, layout, title)
}
