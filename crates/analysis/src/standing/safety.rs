//! Adverse events from the first dose on: by worst grade and relation, time to the first, differences of arms.

use statistics::{
    Confidence,
    descriptive::{QuantileType, quantile, summarise},
    proportions::{clopper_pearson, miettinen_nurminen},
};

use super::{Head, Standing};
use crate::{
    AnalysisResult, Format, Level,
    events::{Occurrence, Occurrences, participants, rows},
    methods::{population_place, put_events},
    population::{Population, levels_of},
    sheet::{Of, RowSets, Sheet, cell, group},
};

/// The worst grade that there is.
const WORST_GRADE: u8 = 5;
/// What stands for all terms together.
const ANY: &str = "any";

/// Treated participants and their events from the first dose on.
struct Observed<'a> {
    standing: &'a Standing<'a>,
    treated: Population,
    events: Occurrences,
    /// All together, then the terms, the most frequent first.
    levels: Vec<Level>,
}

impl<'a> Observed<'a> {
    fn new(standing: &'a Standing<'a>) -> Self {
        let treated = standing.with_flag("treated");
        let set = &standing.data.adverse_events;
        let mut events = Occurrences::choose(standing.data, set, "term", &treated, None);
        events.0.retain(|one| set.cell("treatment_emergent", one.row).flag() == Some(true));
        let any = Level { id: ANY.to_owned(), label: "Any adverse event".to_owned() };
        let terms = events.terms().into_iter().map(|term| Level { label: term.clone(), id: term });
        let levels = std::iter::once(any).chain(terms).collect();
        Self { standing, treated, events, levels }
    }

    /// The events of a group and level.
    fn of(&self, place: Option<usize>, level: &Level) -> Vec<&Occurrence> {
        let of_level = |one: &&Occurrence| level.id == ANY || one.term == level.id;
        self.events.of(place, |_| true).into_iter().filter(of_level).collect()
    }

    fn flag(&self, column: &str, one: &Occurrence) -> bool {
        self.standing.data.adverse_events.cell(column, one.row).flag() == Some(true)
    }

    fn number(&self, column: &str, one: &Occurrence) -> Option<f64> {
        self.standing.data.adverse_events.cell(column, one.row).number()
    }

    fn result(&self, id: &str, label: &str, method: &str, sheet: Sheet<'_>) -> AnalysisResult {
        let head = Head {
            id,
            label,
            method,
            set: "Took at least one dose; events from the first dose on",
            groups: &self.treated.groups,
            levels: self.levels.clone(),
        };
        self.standing.result(head, sheet)
    }

    /// Writes down events and participants of a choice under keys of one stem.
    fn put_choice(
        &self,
        sheet: &mut Sheet<'_>,
        (stem, column): (&str, &str),
        of: Of<'_>,
        chosen: &[&Occurrence],
    ) {
        let place = sheet.row_sets.place("adverse_events", rows(chosen), &[column]);
        sheet.put(&format!("events_{stem}"), of, chosen.len(), Format::Integer, &[place]);
        sheet.put(&format!("participants_{stem}"), of, participants(chosen), Format::Integer, &[place]);
    }
}

/// Participants by their worst grade of each term, and of any.
pub(super) fn grades(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let seen = Observed::new(standing);
    let id = "adverse-event-grades".into();
    let mut sheet = Sheet::new(&id, row_sets);
    for (place, arm) in seen.treated.cuts() {
        let whole = seen.treated.of(place).count();
        let denominator = population_place(&mut sheet, &seen.treated, place);
        sheet.put("denominator", group(arm), whole, Format::Integer, &[denominator]);
        for level in &seen.levels {
            let own = seen.of(place, level);
            put_events(&mut sheet, cell(arm, &level.id), "adverse_events", &own, (whole, denominator));
            for grade in 1..=WORST_GRADE {
                let worst = |member: usize| {
                    let of_member = own.iter().filter(|one| one.member == member);
                    of_member.filter_map(|one| seen.number("grade", one)).fold(0.0, f64::max)
                };
                let chosen: Vec<&Occurrence> =
                    own.iter().filter(|one| worst(one.member) == f64::from(grade)).copied().collect();
                let rows = sheet.row_sets.place("adverse_events", rows(&chosen), &["grade"]);
                let key = format!("participants_grade_{grade}");
                sheet.put(&key, cell(arm, &level.id), participants(&chosen), Format::Integer, &[rows]);
            }
        }
    }
    let method =
        "Counts of events and of participants; a participant counts once in a line, with the worst grade";
    seen.result("adverse-event-grades", "Adverse events by term and worst grade", method, sheet)
}

/// Events and participants of each term by relation to the drug, and those that were serious.
pub(super) fn relations(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let seen = Observed::new(standing);
    let id = "adverse-event-relations".into();
    let mut sheet = Sheet::new(&id, row_sets);
    let column = standing.data.adverse_events.column("relation");
    let relations = column.map(levels_of).unwrap_or_default();
    for (place, arm) in seen.treated.cuts() {
        for level in &seen.levels {
            let of = cell(arm, &level.id);
            let own = seen.of(place, level);
            let choose = |keep: &dyn Fn(&Occurrence) -> bool| -> Vec<&Occurrence> {
                own.iter().filter(|one| keep(one)).copied().collect()
            };
            let related = choose(&|one| seen.flag("related", one));
            let serious = choose(&|one| seen.flag("serious", one));
            let both = choose(&|one| seen.flag("serious", one) && seen.flag("related", one));
            seen.put_choice(&mut sheet, ("related", "related"), of, &related);
            seen.put_choice(&mut sheet, ("serious", "serious"), of, &serious);
            seen.put_choice(&mut sheet, ("serious_related", "serious"), of, &both);
            if level.id != ANY {
                continue;
            }
            for relation in &relations {
                let cell = |one: &Occurrence| standing.data.adverse_events.cell("relation", one.row).text();
                let chosen = choose(&|one| cell(one) == Some(relation.id.as_str()));
                seen.put_choice(&mut sheet, (&format!("relation_{}", relation.id), "relation"), of, &chosen);
            }
        }
    }
    let method =
        "Counts of events and of participants with at least one; related: possibly, probably or definitely";
    seen.result("adverse-event-relations", "Adverse events by term, relation and seriousness", method, sheet)
}

/// Study day of the first event of each term, of those who had one.
pub(super) fn onset(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let seen = Observed::new(standing);
    let id = "adverse-event-onset".into();
    let mut sheet = Sheet::new(&id, row_sets);
    for (place, arm) in seen.treated.cuts() {
        let among = population_place(&mut sheet, &seen.treated, place);
        for level in &seen.levels {
            let mut first: Vec<(usize, f64, usize)> = Vec::new();
            for one in seen.of(place, level) {
                let Some(day) = seen.number("start_day", one) else { continue };
                match first.iter_mut().find(|(member, ..)| *member == one.member) {
                    Some(known) if day < known.1 => (known.1, known.2) = (day, one.row),
                    Some(_) => {}
                    None => first.push((one.member, day, one.row)),
                }
            }
            let days: Vec<f64> = first.iter().map(|(_, day, _)| *day).collect();
            let rows = first.iter().map(|(.., row)| *row).collect();
            // Where nobody had one, it was looked for among these.
            let rows = [sheet.row_sets.place("adverse_events", rows, &["start_day"]), among];
            let (of, summary) = (cell(arm, &level.id), summarise(&days));
            let quartile = |p| quantile(&days, p, QuantileType::Type2);
            sheet.put("n", of, days.len(), Format::Integer, &rows);
            sheet.put("median", of, summary.map(|all| all.median), Format::Decimals(1), &rows);
            sheet.put("q1", of, quartile(0.25), Format::Decimals(1), &rows);
            sheet.put("q3", of, quartile(0.75), Format::Decimals(1), &rows);
            sheet.put("min", of, summary.map(|all| all.min), Format::Integer, &rows);
            sheet.put("max", of, summary.map(|all| all.max), Format::Integer, &rows);
        }
    }
    let method = "Study day of each participant's first event of a term (day 1: first dose; partly known dates imputed as early as \
                  they can be), among those who had one; quartiles of type 2";
    seen.result("adverse-event-onset", "Time to the first event", method, sheet)
}

/// Share of participants with each term, and the risk difference of two arms with its interval, in percentage points.
pub(super) fn differences(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let seen = Observed::new(standing);
    let id = "adverse-event-differences".into();
    let mut sheet = Sheet::new(&id, row_sets);
    let pair = seen.treated.pair();
    for level in &seen.levels {
        for (place, arm) in seen.treated.cuts() {
            let whole = seen.treated.of(place).count();
            let denominator = population_place(&mut sheet, &seen.treated, place);
            let own = seen.of(place, level);
            let of = cell(arm, &level.id);
            put_events(&mut sheet, of, "adverse_events", &own, (whole, denominator));
            if pair.is_err() {
                let counted = sheet.row_sets.place("adverse_events", rows(&own), &[]);
                let both = [counted, denominator];
                let interval = clopper_pearson(participants(&own) as u64, whole as u64, Confidence::C95);
                sheet.put("lower", of, interval.map(|one| 100.0 * one.lower), Format::Percent(1), &both);
                sheet.put("upper", of, interval.map(|one| 100.0 * one.upper), Format::Percent(1), &both);
            }
        }
        if let Ok((first, second)) = pair {
            put_difference(&seen, &mut sheet, level, (first, second));
        }
    }
    let method = if pair.is_ok() {
        "Risk difference in percentage points with the 95 % score interval of Miettinen and Nurminen"
    } else {
        "Share of participants with the exact (Clopper-Pearson) 95 % interval"
    };
    seen.result("adverse-event-differences", "Participants with each adverse event", method, sheet)
}

fn put_difference(
    seen: &Observed<'_>,
    sheet: &mut Sheet<'_>,
    level: &Level,
    (first, second): (usize, usize),
) {
    let arm = |place: usize| {
        let affected = participants(&seen.of(Some(place), level)) as u64;
        (affected, seen.treated.of(Some(place)).count() as u64)
    };
    let share = |(affected, whole): (u64, u64)| {
        if whole == 0 { Err(statistics::NotEstimable::ArmEmpty) } else { Ok(affected as f64 / whole as f64) }
    };
    let (one, other) = (arm(first), arm(second));
    let difference = share(one).and_then(|one| Ok(100.0 * (one - share(other)?)));
    let interval = miettinen_nurminen(one, other, Confidence::C95);
    let counted = sheet.row_sets.place("adverse_events", rows(&seen.of(None, level)), &[]);
    let all = population_place(sheet, &seen.treated, None);
    let of = cell(None, &level.id);
    let both = [counted, all];
    sheet.put("difference", of, difference, Format::Decimals(1), &both);
    sheet.put("difference_lower", of, interval.map(|one| 100.0 * one.lower), Format::Decimals(1), &both);
    sheet.put("difference_upper", of, interval.map(|one| 100.0 * one.upper), Format::Decimals(1), &both);
}
