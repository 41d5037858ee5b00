//! A block for each analysis: estimates one under the other, groups side by side.

use analysis::AnalysisResult;
use protocol::model::Method;

use super::{
    Place,
    estimates::{Estimate, estimates},
    find, marks, stated_head,
};
use crate::{
    BuildError,
    context::Context,
    document::{Align, Column, Inline, Row, Table, number_columns},
    wording,
};

/// Lays analyses out; `balance` holds a standardised difference of each, which then stands beside it.
pub(super) fn table(
    context: &Context<'_>,
    results: &[&AnalysisResult],
    balance: Option<&AnalysisResult>,
) -> Result<Table, BuildError> {
    let places = places(context, results);
    let stated = stated_head(&marks(context, results)?);
    let mut table = Table::default();
    let heads = places.iter().map(|place| place_head(context, results, *place));
    table.columns = number_columns("", heads);
    if balance.is_some() {
        table.columns.push(Column { head: "Standardised difference".to_owned(), align: Align::Number });
    }
    table.columns.extend(stated.clone());
    for result in results {
        let alone = results.len() == 1;
        let shape = Shape { context, result, places: &places, stated: stated.is_some(), alone };
        let mut rows = shape.rows()?;
        if let Some(balance) = balance {
            put_beside(&mut rows, balance, result, stated.is_some());
        }
        table.rows.extend(rows);
    }
    Ok(table)
}

/// Puts an analysis's standardised difference on its first row of numbers.
fn put_beside(rows: &mut [Row], balance: &AnalysisResult, result: &AnalysisResult, stated: bool) {
    let number = balance.number("standardised_difference", None, Some(result.id.as_str()));
    let mut beside = number.map(wording::number);
    for row in rows.iter_mut().filter(|row| !row.cells.is_empty()) {
        let place = row.cells.len() - usize::from(stated);
        row.cells.insert(place, beside.take().into_iter().collect());
    }
}

/// The columns: groups of all analyses in order, then all together, then comparisons.
fn places<'a>(context: &Context<'_>, results: &[&'a AnalysisResult]) -> Vec<Place<'a>> {
    let mut places = Vec::new();
    let (mut all, mut between) = (false, false);
    for result in results {
        for group in &result.groups {
            if !places.contains(&Place::Group(group.id.as_str())) {
                places.push(Place::Group(group.id.as_str()));
            }
        }
        let compares = !result.groups.is_empty()
            && context.planned(result).is_some_and(|plan| {
                matches!(plan.method, Method::ChiSquared { .. } | Method::Cmh(_))
                    || estimates(&plan.method, &plan.subject)
                        .iter()
                        .any(|one| one.scope == super::Scope::Comparison)
            });
        between |= compares;
        all |= !compares && result.numbers.iter().any(|number| number.group.is_none());
    }
    places.extend(all.then_some(Place::All));
    places.extend(between.then_some(Place::Between));
    places
}

/// The comparison's head: by name where all compare the same two groups.
fn between_head(context: &Context<'_>, results: &[&AnalysisResult]) -> String {
    let grouped: Vec<_> = results.iter().filter(|result| !result.groups.is_empty()).collect();
    match grouped.as_slice() {
        [first, rest @ ..] if rest.iter().all(|result| result.groups == first.groups) => {
            super::between_head(context, first)
        }
        _ => "Between groups".to_owned(),
    }
}

fn place_head(context: &Context<'_>, results: &[&AnalysisResult], place: Place<'_>) -> String {
    let grouped = results.iter().any(|result| !result.groups.is_empty());
    match place {
        Place::Group(id) => {
            let named = results.iter().find_map(|result| {
                let group = result.groups.iter().find(|group| group.id == id)?;
                Some(context.group_label(result, group).to_owned())
            });
            super::named_among(results, id, &named.unwrap_or_else(|| id.to_owned()))
        }
        Place::All if grouped => "All".to_owned(),
        Place::All => "Result".to_owned(),
        Place::Between => between_head(context, results),
    }
}

/// One analysis in the table.
struct Shape<'a> {
    context: &'a Context<'a>,
    result: &'a AnalysisResult,
    places: &'a [Place<'a>],
    stated: bool,
    /// Whether the caption names the analysis, so that no row need.
    alone: bool,
}

impl Shape<'_> {
    fn rows(&self) -> Result<Vec<Row>, BuildError> {
        let Some(plan) = self.context.planned(self.result) else { return Ok(self.standing_rows()) };
        let estimates = estimates(&plan.method, &plan.subject);
        let unit = match self.context.unit(&plan.subject) {
            "" => String::new(),
            unit => format!(" ({unit})"),
        };
        let label = format!("{}{unit}", self.context.analysis_label(self.result));
        let [count] = estimates else {
            let mut rows = self.head(label);
            for estimate in estimates.iter().filter(|one| one.shown(&[self.result])) {
                rows.extend(self.row(
                    estimate.head(&plan.method),
                    estimate,
                    &plan.method,
                    None,
                    self.indent(),
                )?);
            }
            rows.extend(self.comparisons(&plan.method));
            return Ok(rows);
        };
        if self.yes_is_enough() {
            let yes = self.row(label, count, &plan.method, Some("yes"), 0)?;
            return Ok(yes.into_iter().chain(self.missing()).collect());
        }
        let mut rows = self.head(label);
        for level in &self.result.levels {
            let label = self.context.level_label(self.result, level).to_owned();
            rows.extend(self.row(label, count, &plan.method, Some(&level.id), self.indent())?);
        }
        rows.extend(self.missing());
        rows.extend(self.comparisons(&plan.method));
        Ok(rows)
    }

    /// What a method says besides: of pairs of groups, of covariates, and of levels as a whole.
    fn comparisons(&self, method: &Method) -> Vec<Row> {
        let last = if self.places.contains(&Place::Between) { Place::Between } else { Place::All };
        let row = |(head, cell): (String, Vec<Inline>)| {
            let cells =
                self.places.iter().map(|place| if *place == last { cell.clone() } else { Vec::new() });
            Row::new(head, cells.chain(self.stated.then(Vec::new)).collect()).indented(self.indent())
        };
        super::comparisons::comparisons(self.context, self.result, method).into_iter().map(row).collect()
    }

    /// A yes-or-no count needs one row, for its other level is what is left, unless something is stated of that.
    fn yes_is_enough(&self) -> bool {
        let stated = |level: &str| {
            let mut ids = self.result.published.iter().map(|published| published.number.as_str());
            ids.any(|id| {
                self.result.numbers.iter().any(|one| one.id == id && one.level.as_deref() == Some(level))
            })
        };
        self.result.levels.iter().all(|level| ["yes", "no"].contains(&level.id.as_str())) && !stated("no")
    }

    fn head(&self, label: String) -> Vec<Row> {
        if self.alone { Vec::new() } else { vec![Row::head(label)] }
    }

    fn indent(&self) -> u8 {
        u8::from(!self.alone)
    }

    /// How many have no value; no row where everybody has one.
    fn missing(&self) -> Option<Row> {
        let numbers = self.result.numbers.iter();
        let somebody = numbers.filter(|one| one.key == "missing").any(|one| one.value != Some(0.0));
        let cells = self.places.iter().map(|&place| {
            let takes = place != Place::Between;
            let number = if takes { find(self.result, "missing", place, None) } else { None };
            number.map(wording::number).into_iter().collect()
        });
        let cells = cells.chain(self.stated.then(Vec::new)).collect();
        somebody.then(|| Row::new("No value", cells).indented(self.indent()))
    }

    /// A row of one estimate; none if no column has it.
    fn row(
        &self,
        head: String,
        estimate: &Estimate,
        method: &Method,
        level: Option<&str>,
        indent: u8,
    ) -> Result<Option<Row>, BuildError> {
        let grouped = !self.result.groups.is_empty();
        let compares = matches!(
            method,
            Method::TwoSampleT { .. }
                | Method::RankSum { .. }
                | Method::Fisher { .. }
                | Method::Ancova(_)
                | Method::Anova
                | Method::KaplanMeier(_)
                | Method::LogRank(_)
                | Method::Cox(_)
                | Method::Mmrm(_)
                | Method::MultipleImputation(_)
                | Method::PredictiveImputation(_)
        );
        let mut cells: Vec<Vec<Inline>> = Vec::new();
        for &place in self.places {
            let takes = place.takes(estimate.scope, grouped && compares);
            cells.push(if takes { estimate.cell(self.result, place, level) } else { Vec::new() });
        }
        if cells.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        if self.stated {
            cells.push(estimate.stated(self.context, self.result, level)?);
        }
        Ok(Some(Row::new(head, cells).indented(indent)))
    }

    /// An analysis that no plan asked for: its numbers by key and level.
    fn standing_rows(&self) -> Vec<Row> {
        let mut rows = vec![Row::head(self.result.label.clone())];
        let mut seen: Vec<(&str, Option<&str>)> = Vec::new();
        for number in &self.result.numbers {
            let place = (number.key.as_str(), number.level.as_deref());
            if seen.contains(&place) {
                continue;
            }
            seen.push(place);
            let (key, level) = place;
            let label = self.result.levels.iter().find(|one| Some(one.id.as_str()) == level);
            let head = label.map_or_else(|| key.to_owned(), |level| format!("{}, {key}", level.label));
            let cells = self.places.iter().map(|&place| {
                find(self.result, key, place, level).map(wording::number).into_iter().collect()
            });
            let stated = self.stated.then(Vec::new);
            rows.push(Row::new(head, cells.chain(stated).collect()).indented(1));
        }
        rows
    }
}
