//! Estimates of several analyses with their intervals, one under the other: subgroups and sensitivities.
//!
//! Drawn by hand, because a forest plot is half a table: beside each interval stand the number of
//! participants and the estimate in figures, and under the axis what each side speaks for.

use std::fmt::Write;

use analysis::{AnalysisResult, Number};
use protocol::model::{Method, Subject};

use super::{COLOURS, FONT, WIDTH, axis, escaped, framed, wrapped};
use crate::{
    BuildError,
    context::{Context, anchor},
    document::{Figure, Inline, Row, Table, number_columns, plain, text},
    wording,
};

/// Keys of what a method estimates, the most telling first.
const ESTIMATES: [&str; 5] = ["difference", "shift", "pseudomedian", "mean", "estimate"];

/// One line of a forest plot.
#[derive(Clone, Debug, PartialEq)]
pub struct ForestLine {
    /// What it is of.
    pub label: String,
    /// The estimate and the ends of its interval.
    pub estimate: f64,
    /// Lower end; none where there is none.
    pub lower: Option<f64>,
    /// Upper end.
    pub upper: Option<f64>,
    /// The number of participants, or of each group.
    pub n: String,
    /// The estimate with its interval in figures.
    pub says: String,
}

/// One estimate with where it comes from.
struct Estimated<'a> {
    label: String,
    estimate: &'a Number,
    lower: Option<&'a Number>,
    upper: Option<&'a Number>,
    n: Vec<Inline>,
    p: Option<&'a Number>,
}

/// Builds the figure of these analyses.
pub(crate) fn forest(context: &Context<'_>, results: &[&AnalysisResult]) -> Result<Figure, BuildError> {
    let labels: Vec<&str> = results.iter().map(|result| context.analysis_label(result)).collect();
    let (shared, own) = without_shared_start(&labels);
    let mut lines = Vec::new();
    for (result, label) in results.iter().zip(own) {
        lines.extend(estimates(context, result, &label));
    }
    let unit = results.iter().find_map(|result| context.planned(result));
    let unit = unit.map_or("", |plan| context.unit(&plan.subject));
    let of = if shared.is_empty() { "Estimates with their intervals".to_owned() } else { shared };
    let caption = context.caption(&format!("Forest plot. {of}"));
    let drawn: Vec<ForestLine> = lines
        .iter()
        .filter_map(|line| {
            Some(ForestLine {
                label: line.label.clone(),
                estimate: line.estimate.value?,
                lower: line.lower.and_then(|number| number.value),
                upper: line.upper.and_then(|number| number.value),
                n: plain(&line.n),
                says: plain(&with_interval(line)),
            })
        })
        .collect();
    let measured = measured(context, results);
    let x_label = if unit.is_empty() { measured } else { format!("{measured}, {unit}") };
    let sides = sides(context, results);
    let speaks = match &sides {
        Some((low, high)) => format!(" To the left: {low}; to the right: {high}."),
        None => String::new(),
    };
    let first = results.first().map_or("", |result| result.id.as_str());
    Ok(Figure {
        id: format!("figure-forest-{}", anchor(first)),
        description: text(format!(
            "A square for each estimate with its interval as a line, the number of participants and the estimate in \
             figures beside it; the dashed line stands where there is no change or difference.{speaks} \
             Subgroups were not chosen for comparison with each other unless a line says so.",
        )),
        svg: draw_forest(&drawn, &x_label, sides.as_ref(), &caption),
        tables: vec![table(&lines, first, &caption, unit)],
        caption,
    })
}

/// The estimate of a result: of the comparison or of all, else of each group.
fn estimates<'a>(context: &Context<'_>, result: &'a AnalysisResult, label: &str) -> Vec<Estimated<'a>> {
    let found = |group: Option<&str>| {
        let key = ESTIMATES.into_iter().find(|key| {
            result.number(key, group, None).is_some() && result.number("lower", group, None).is_some()
        })?;
        result.number(key, group, None)
    };
    let line = |label: String, estimate: &'a Number, group: Option<&str>| Estimated {
        label,
        estimate,
        lower: result.number("lower", group, None),
        upper: result.number("upper", group, None),
        n: counted(result, group),
        p: result.number("p", group, None),
    };
    if let Some(estimate) = found(None) {
        return vec![line(label.to_owned(), estimate, None)];
    }
    let of_group = |group: &'a analysis::Level| {
        let name = format!("{label}: {}", context.group_label(result, group));
        Some(line(name, found(Some(&group.id))?, Some(&group.id)))
    };
    result.groups.iter().filter_map(of_group).collect()
}

/// The number of participants, or those of each group: `12, 13`.
fn counted(result: &AnalysisResult, group: Option<&str>) -> Vec<Inline> {
    if let Some(n) = result.number("n", group, None) {
        return vec![wording::number(n)];
    }
    let mut words = Vec::new();
    for n in result.groups.iter().filter_map(|group| result.number("n", Some(&group.id), None)) {
        if !words.is_empty() {
            words.push(Inline::Text(", ".to_owned()));
        }
        words.push(wording::number(n));
    }
    words
}

/// What the axis measures: the estimate's own name where all lines have the same.
fn measured(context: &Context<'_>, results: &[&AnalysisResult]) -> String {
    let names: Vec<&str> = results
        .iter()
        .filter_map(|result| context.planned(result))
        .map(|plan| match (&plan.method, plan.by.is_some()) {
            (Method::RankSum { .. }, _) => "Hodges-Lehmann shift",
            (Method::PairedT { .. }, _) => "Mean change",
            (Method::TwoSampleT { .. }, _) => "Difference of means",
            (Method::Ancova(_) | Method::Mmrm(_) | Method::MultipleImputation(_), true) => {
                "Difference of least-squares means"
            }
            _ => "Estimate",
        })
        .collect();
    let name = match names.as_slice() {
        [first, rest @ ..] if rest.iter().all(|name| name == first) => first,
        _ => "Estimate",
    };
    format!("{name} (95 % interval)")
}

/// What the low and the high side of the axis speak for; none where a side speaks for nothing.
///
/// A comparison speaks for a group, a change for better or worse, by the parameter's good direction.
fn sides(context: &Context<'_>, results: &[&AnalysisResult]) -> Option<(String, String)> {
    let first = results.first()?;
    let Subject::Parameter { parameter, .. } = &context.planned(first)?.subject else { return None };
    let low_is_good = context.parameter(parameter.as_str())?.lower_is_better;
    let (good, bad) = match first.groups.as_slice() {
        [] => ("better".to_owned(), "worse".to_owned()),
        [one, other] if results.iter().all(|result| result.groups == first.groups) => {
            let favours = |group| format!("favours {}", context.group_label(first, group));
            (favours(one), favours(other))
        }
        _ => return None,
    };
    Some(if low_is_good { (good, bad) } else { (bad, good) })
}

/// `−5.4 (−8.0 to −2.9)`.
fn with_interval(line: &Estimated<'_>) -> Vec<Inline> {
    let mut words = vec![wording::number(line.estimate)];
    if let (Some(lower), Some(upper)) = (line.lower, line.upper) {
        words.extend([
            Inline::Text(" (".to_owned()),
            wording::number(lower),
            Inline::Text(" to ".to_owned()),
            wording::number(upper),
            Inline::Text(")".to_owned()),
        ]);
    }
    words
}

fn table(lines: &[Estimated<'_>], first: &str, caption: &str, unit: &str) -> Table {
    let row = |line: &Estimated<'_>| {
        let p = line.p.map(wording::number).into_iter().collect();
        Row::new(line.label.as_str(), vec![line.n.clone(), with_interval(line), p])
    };
    let unit = if unit.is_empty() { String::new() } else { format!(", {unit}") };
    Table {
        id: format!("forest-{}-values", anchor(first)),
        caption: caption.to_owned(),
        columns: number_columns(
            "",
            ["n".to_owned(), format!("Estimate (interval){unit}"), "p, two-sided".to_owned()],
        ),
        rows: lines.iter().map(row).collect(),
        ..Table::default()
    }
}

/// Splits what all labels begin with, up to a comma or a colon, from what each goes on with.
fn without_shared_start(labels: &[&str]) -> (String, Vec<String>) {
    const STOPS: [char; 2] = [',', ':'];
    let words: Vec<Vec<&str>> = labels.iter().map(|label| label.split(' ').collect()).collect();
    let shortest = words.iter().map(Vec::len).min().unwrap_or(0);
    let word = |one: &[&str], place: usize| one[place].trim_end_matches(STOPS).to_owned();
    let same = |place: &usize| words.iter().all(|one| word(one, *place) == word(&words[0], *place));
    let most = if words.len() < 2 { 0 } else { (0..shortest).take_while(same).count() };
    let ends_a_phrase = |one: &Vec<&str>, count: usize| one.len() == count || one[count - 1].ends_with(STOPS);
    let shared = (1..=most).rev().find(|count| words.iter().all(|one| ends_a_phrase(one, *count)));
    let shared = shared.unwrap_or(0);
    let start = words.first().map_or(String::new(), |one| one[..shared].join(" "));
    let rest = |one: &Vec<&str>| match one[shared..].join(" ") {
        rest if rest.is_empty() => "All".to_owned(),
        rest => {
            let mut letters = rest.chars();
            letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
        }
    };
    (start.trim_end_matches(STOPS).to_owned(), words.iter().map(rest).collect())
}

/// Where the columns of the drawing stand, in pixels.
const LEFT: f64 = 10.0;
const AXIS: (f64, f64) = (250.0, 492.0);
const COUNTS_END: f64 = 568.0;
const FIGURES: f64 = 582.0;
/// A row with a label of one or two lines; each line more takes as much again as a line.
const ROW: f64 = 34.0;
const LINE: f64 = 14.5;
const TOP: f64 = 30.0;
const SIZE: f64 = 12.5;
/// Characters of a label that fit before the axis.
const LABEL: usize = 31;
const INK: &str = "#1b1f24";

/// Draws a square with its interval for each line, the first on top, with its numbers to the right.
///
/// `sides` say what the low and the high side of the axis speak for.
pub fn draw_forest(
    lines: &[ForestLine],
    x_label: &str,
    sides: Option<&(String, String)>,
    title: &str,
) -> String {
    let ends = lines.iter().flat_map(|line| [Some(line.estimate), line.lower, line.upper]).flatten();
    let (low, high, step) = axis(ends.filter(|end| end.is_finite()), true);
    let x = |value: f64| AXIS.0 + (value.clamp(low, high) - low) / (high - low) * (AXIS.1 - AXIS.0);
    let labels: Vec<Vec<String>> = lines.iter().map(|line| wrapped(&line.label, LABEL)).collect();
    let mut bottom = TOP;
    let mut middles = Vec::new();
    for label in &labels {
        let row = ROW.max(LINE * (label.len() as f64 + 0.6));
        middles.push(bottom + row / 2.0);
        bottom += row;
    }
    let sides = sides.map(|sides| side_words(sides, x(0.0)));
    let under = sides.as_ref().map_or(0, |(left, right)| left.len().max(right.len()));
    let height = bottom + 56.0 + 17.0 * under as f64;
    let mut body = String::new();
    let mut say = |at: (f64, f64), end: &str, words: &str, more: &str| {
        let _ = write!(
            body,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{end}\"{more}>{}</text>",
            at.0,
            at.1,
            escaped(words)
        );
    };
    say((COUNTS_END, TOP - 10.0), "end", "n", " font-weight=\"bold\"");
    say((FIGURES, TOP - 10.0), "start", "Estimate (interval)", " font-weight=\"bold\"");
    for ((line, label), &middle) in lines.iter().zip(&labels).zip(&middles) {
        for (row, words) in label.iter().enumerate() {
            let down = (row as f64 - (label.len() as f64 - 1.0) / 2.0) * LINE;
            say((LEFT, middle + 4.0 + down), "start", words, "");
        }
        say((COUNTS_END, middle + 4.0), "end", &line.n, "");
        say((FIGURES, middle + 4.0), "start", &line.says, "");
    }
    let ticks = ((high - low) / step).round() as usize;
    let values: Vec<f64> = (0..=ticks).map(|tick| low + tick as f64 * step).collect();
    let labels: Vec<String> = values.iter().map(|value| tick_label(*value, step)).collect();
    let every = labelled_every(&labels, x(low + step) - x(low));
    for (value, label) in values.iter().zip(&labels) {
        // Zero is always among them.
        if (value / step).round() as i64 % every == 0 {
            say((x(*value), bottom + 18.0), "middle", label, "");
        }
    }
    say((f64::midpoint(AXIS.0, AXIS.1), bottom + 40.0), "middle", x_label, "");
    if let Some((left, right)) = &sides {
        for (words, at, end) in [(left, x(0.0) - 10.0, "end"), (right, x(0.0) + 10.0, "start")] {
            for (row, words) in words.iter().enumerate() {
                say((at, bottom + 62.0 + 16.0 * row as f64), end, words, " font-style=\"italic\"");
            }
        }
    }
    let mut lines_drawn = String::new();
    let mut draw = |(x1, y1): (f64, f64), (x2, y2): (f64, f64), more: &str| {
        let _ =
            write!(lines_drawn, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" {more}/>");
    };
    let (thin, own) = (format!("stroke=\"{INK}\""), format!("stroke=\"{}\" stroke-width=\"2\"", COLOURS[0]));
    draw((AXIS.0, bottom), (AXIS.1, bottom), &thin);
    for tick in 0..=ticks {
        let at = x(low + tick as f64 * step);
        draw((at, bottom), (at, bottom + 5.0), &thin);
    }
    draw((x(0.0), TOP), (x(0.0), bottom), &format!("{thin} stroke-dasharray=\"4 3\""));
    let mut squares = String::new();
    for (line, &middle) in lines.iter().zip(&middles) {
        if let (Some(lower), Some(upper)) = (line.lower, line.upper) {
            draw((x(lower), middle), (x(upper), middle), &own);
            // An end beyond the axis, or without end, has no cap.
            for end in [lower, upper].into_iter().filter(|end| (low..=high).contains(end)) {
                draw((x(end), middle - 5.0), (x(end), middle + 5.0), &own);
            }
        }
        let at = x(line.estimate);
        let _ = write!(
            squares,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"9\" height=\"9\" fill=\"{}\"/>",
            at - 4.5,
            middle - 4.5,
            COLOURS[0]
        );
    }
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" font-family=\"{FONT}\" \
         font-size=\"{SIZE}\" fill=\"{INK}\"><rect width=\"100%\" height=\"100%\" fill=\"white\"/>\
         {lines_drawn}{squares}{body}</svg>"
    );
    framed(&svg, title)
}

/// About the width of a character, in pixels.
const CHARACTER: f64 = 7.4;

/// Which ticks, so many pixels apart, have their labels so that none runs into the next: each, each second …
fn labelled_every(labels: &[String], apart: f64) -> i64 {
    let widest = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0) as f64 * CHARACTER;
    ((widest + CHARACTER) / apart).ceil().max(1.0) as i64
}

/// What each side speaks for, in lines that fit between the middle of the axis and the edge of the canvas.
fn side_words((low, high): &(String, String), middle: f64) -> (Vec<String>, Vec<String>) {
    let room = |pixels: f64| (pixels / CHARACTER).max(10.0) as usize;
    (
        wrapped(&format!("← {low}"), room(middle - 10.0 - LEFT)),
        wrapped(&format!("{high} →"), room(WIDTH - LEFT - middle - 10.0)),
    )
}

/// A tick in as many decimals as its step has.
fn tick_label(value: f64, step: f64) -> String {
    let decimals = (0..6).find(|decimals| {
        let scaled = step * 10_f64.powi(*decimals);
        (scaled - scaled.round()).abs() < 1e-9 * scaled.abs().max(1.0)
    });
    let text = format!("{value:.*}", decimals.unwrap_or(6) as usize);
    // A zero that came out as minus nothing is zero.
    let zero = text.chars().all(|char| matches!(char, '-' | '0' | '.'));
    wording::minus(if zero { text.trim_start_matches('-') } else { &text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_told_apart_by_what_they_do_not_share() {
        let labels = ["Change of FVC at month 12", "Change of FVC at month 12, with lung disease"];
        let (shared, own) = without_shared_start(&labels);
        assert_eq!(shared, "Change of FVC at month 12");
        assert_eq!(own, ["All", "With lung disease"]);
        let (shared, own) = without_shared_start(&labels[..1]);
        assert_eq!((shared.as_str(), own[0].as_str()), ("", "Change of FVC at month 12"));
        let (shared, own) = without_shared_start(&["Change at month 3", "Change at month 6"]);
        assert_eq!((shared.as_str(), own[1].as_str()), ("", "Change at month 6"));
    }

    #[test]
    fn labels_of_ticks_leave_room_between_them() {
        let labels = ["−12.5", "−10.0", "0.0"].map(str::to_owned);
        assert_eq!(labelled_every(&labels, 60.0), 1);
        assert_eq!(labelled_every(&labels, 40.0), 2);
        assert_eq!(labelled_every(&labels, 20.0), 3);
    }

    #[test]
    fn ticks_have_the_decimals_of_their_step() {
        assert_eq!(tick_label(-0.30000000000000004, 0.1), "−0.3");
        assert_eq!(tick_label(-1e-17, 0.25), "0.00");
        assert_eq!(tick_label(7.5, 2.5), "7.5");
        assert_eq!(tick_label(-20.0, 10.0), "−20");
    }

    #[test]
    fn an_interval_without_end_has_no_cap_there() {
        let line = |upper| ForestLine {
            label: "All".to_owned(),
            estimate: 1.0,
            lower: Some(0.5),
            upper: Some(upper),
            n: "12".to_owned(),
            says: "1.0 (0.5 to 2.0)".to_owned(),
        };
        let caps = |upper| draw_forest(&[line(upper)], "x", None, "t").matches("stroke-width=\"2\"").count();
        assert_eq!(caps(2.0), caps(f64::INFINITY) + 1);
    }
}
