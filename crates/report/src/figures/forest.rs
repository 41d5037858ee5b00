//! Estimates of several analyses with their intervals, one under the other: subgroups and sensitivities.

use analysis::{AnalysisResult, Number};
use kuva::{
    plot::{ScatterPlot, scatter::MarkerShape},
    prelude::{Plot, ReferenceLine},
};

use super::{COLOURS, axis, finish, lanes_height, styled};
use crate::{
    BuildError,
    context::{Context, anchor},
    document::{Figure, Inline, Row, Table, number_columns, text},
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
            })
        })
        .collect();
    let x_label = if unit.is_empty() {
        "Estimate (95 % interval)".to_owned()
    } else {
        format!("Estimate (95 % interval), {unit}")
    };
    let first = results.first().map_or("", |result| result.id.as_str());
    Ok(Figure {
        id: format!("figure-forest-{}", anchor(first)),
        description: text(
            "A square for each estimate with its interval as a line; the dashed line stands where there is no change or difference. \
             Subgroups were not chosen for comparison with each other unless a line says so.",
        ),
        svg: draw_forest(&drawn, &x_label, &caption),
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

fn table(lines: &[Estimated<'_>], first: &str, caption: &str, unit: &str) -> Table {
    let row = |line: &Estimated<'_>| {
        let mut estimate = vec![wording::number(line.estimate)];
        if let (Some(lower), Some(upper)) = (line.lower, line.upper) {
            estimate.extend([
                Inline::Text(" (".to_owned()),
                wording::number(lower),
                Inline::Text(" to ".to_owned()),
                wording::number(upper),
                Inline::Text(")".to_owned()),
            ]);
        }
        let p = line.p.map(wording::number).into_iter().collect();
        Row::new(line.label.as_str(), vec![line.n.clone(), estimate, p])
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

/// Draws a square with its interval for each line, the first on top.
pub fn draw_forest(lines: &[ForestLine], x_label: &str, title: &str) -> String {
    let count = lines.len();
    let mut plots: Vec<Plot> = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        let ends = (
            line.lower.map_or(0.0, |lower| line.estimate - lower),
            line.upper.map_or(0.0, |upper| upper - line.estimate),
        );
        let point = ScatterPlot::new()
            .with_data([(line.estimate, (count - place) as f64)])
            .with_x_err_asymmetric([ends])
            .with_marker(MarkerShape::Square)
            .with_size(5.0)
            .with_color(COLOURS[0]);
        plots.push(point.into());
    }
    let ends = lines.iter().flat_map(|line| [Some(line.estimate), line.lower, line.upper]).flatten();
    let (low, high, step) = axis(ends, true);
    let labels = lines.iter().rev().map(|line| line.label.clone()).collect();
    let layout = styled(&plots, lanes_height(count, 30.0))
        .with_x_label(x_label)
        .with_y_categories(labels)
        .with_reference_line(ReferenceLine::vertical(0.0).with_color("#1b1f24"))
        .with_x_axis_min(low)
        .with_x_axis_max(high)
        .with_x_tick_step(step)
        .with_y_axis_min(0.5)
        .with_y_axis_max(count as f64 + 0.5);
    finish(plots, layout, title)
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
}
