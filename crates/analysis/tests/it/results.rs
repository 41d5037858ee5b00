//! What holds for all results together.

use std::collections::BTreeMap;

use analysis::{Results, run, trace};
use datasets::{Data, DataSets, Dataset};

use crate::made::{self, full_plan};

fn results(data: &DataSets) -> Results {
    run(&full_plan(), &made::arms(), &[], data).unwrap()
}

#[test]
fn every_number_has_an_id_of_its_own() {
    let results = results(&made::data());
    let all = results.analyses.iter().map(|analysis| analysis.numbers.len()).sum::<usize>();
    assert!(all > 1_000, "{all}");
    assert_eq!(results.numbers().len(), all);
}

#[test]
fn results_do_not_depend_on_the_order_of_rows() {
    let data = made::data();
    let mut turned = data.clone();
    for set in
        [&mut turned.subjects, &mut turned.longitudinal, &mut turned.adverse_events, &mut turned.deviations]
    {
        reorder(set);
    }
    assert_ne!(turned.subjects, data.subjects);
    let bits = |results: &Results| -> BTreeMap<String, (Option<u64>, String)> {
        let numbers = results.numbers();
        numbers
            .iter()
            .map(|(id, one)| ((*id).to_owned(), (one.value.map(f64::to_bits), one.text())))
            .collect()
    };
    let (one, other) = (results(&data), results(&turned));
    assert_eq!(bits(&one), bits(&other));
    let excluded = |results: &Results| -> Vec<_> {
        results.analyses.iter().map(|analysis| analysis.excluded.clone()).collect()
    };
    let sorted = |mut lists: Vec<Vec<_>>| {
        lists.iter_mut().for_each(|list| list.sort());
        lists
    };
    assert_eq!(sorted(excluded(&one)), sorted(excluded(&other)));
}

/// Takes every seventh row, and so on round.
fn reorder(set: &mut Dataset) {
    let rows = set.rows();
    let step = if rows.is_multiple_of(7) { 5 } else { 7 };
    let order: Vec<usize> = (0..rows).map(|row| (row * step + 3) % rows).collect();
    fn pick<T: Clone>(cells: &[T], order: &[usize]) -> Vec<T> {
        order.iter().map(|row| cells[*row].clone()).collect()
    }
    set.sources = pick(&set.sources, &order);
    for column in &mut set.columns {
        if !column.sources.is_empty() {
            column.sources = pick(&column.sources, &order);
        }
        column.data = match &column.data {
            Data::Text(cells) => Data::Text(pick(cells, &order)),
            Data::Code(cells) => Data::Code(pick(cells, &order)),
            Data::Integer(cells) => Data::Integer(pick(cells, &order)),
            Data::Number(cells) => Data::Number(pick(cells, &order)),
            Data::Flag(cells) => Data::Flag(pick(cells, &order)),
            Data::Date(cells) => Data::Date(pick(cells, &order)),
        };
    }
}

#[test]
fn every_number_leads_to_rows_and_events() {
    let data = made::data();
    let results = results(&data);
    for (id, number) in results.numbers() {
        let trace = trace(&results, &data, id).unwrap_or_else(|| panic!("{id} leads nowhere"));
        let rows: usize = trace.rows.iter().map(|rows| rows.rows.len()).sum();
        assert!(rows > 0 || number.value.is_none_or(|value| value == 0.0), "{id} has no rows");
        assert!(trace.rows.iter().flat_map(|rows| &rows.rows).all(|(_, events)| !events.is_empty()), "{id}");
    }
    assert!(trace(&results, &data, "main/q").is_none());
}

#[test]
fn a_count_has_as_many_rows_as_it_counts() {
    let data = made::data();
    let results = results(&data);
    let keys =
        ["screened", "enrolled", "treated", "count", "events", "not_eligible_rule", "broken", "deviations"];
    for (id, number) in results.numbers() {
        if keys.contains(&number.key.as_str()) {
            let rows = &results.row_sets[number.rows[0]].rows;
            // A fisher or binomial of adverse events counts participants; its rows are their events.
            if results.row_sets[number.rows[0]].dataset == "subjects" || number.key != "events" {
                assert_eq!(number.value, Some(rows.len() as f64), "{id}");
            }
        }
    }
}

#[test]
fn the_flow_adds_up() {
    let results = results(&made::data());
    let flow = results.analysis("flow").unwrap();
    let number = |key: &str, group, level| flow.number(key, group, level).unwrap().value.unwrap();
    assert_eq!(number("screened", None, None), f64::from(made::PARTICIPANTS));
    assert_eq!(number("not_enrolled_reason", None, Some("not_eligible")), 2.0);
    assert_eq!(
        (number("not_eligible_rule", None, Some("I1")), number("not_eligible_rule", None, Some("X2"))),
        (1.0, 2.0)
    );
    for arm in [None, Some("active"), Some("control")] {
        let (enrolled, treated) = (number("enrolled", arm, None), number("treated", arm, None));
        assert_eq!(enrolled, treated + number("not_treated", arm, None));
        assert_eq!(treated, number("treatment_completed", arm, None) + number("treatment_ended", arm, None));
        let reasons =
            ["adverse_event", "death"].map(|reason| number("treatment_ended_reason", arm, Some(reason)));
        assert_eq!(reasons.iter().sum::<f64>(), number("treatment_ended", arm, None));
        assert_eq!(enrolled, number("completed", arm, None) + number("left", arm, None));
        assert_eq!(number("analysed", arm, Some("itt")), enrolled);
    }
    assert_eq!(number("enrolled", Some("active"), None), 13.0);
}

#[test]
fn a_participant_counts_once_with_the_worst_grade() {
    let results = results(&made::data());
    let table = results.analysis("adverse-event-grades").unwrap();
    for arm in [None, Some("active"), Some("control")] {
        for term in &table.levels {
            let number = |key: &str| table.number(key, arm, Some(&term.id)).unwrap().value.unwrap();
            let graded: f64 = (1..=5).map(|grade| number(&format!("participants_grade_{grade}"))).sum();
            // Participant 7 has events without a grade.
            assert!(graded == number("participants") || graded == number("participants") - 1.0, "{term:?}");
        }
    }
}

#[test]
fn only_those_under_observation_have_an_event_present() {
    let results = results(&made::data());
    let over_time = results.analysis("adverse-events-over-time").unwrap();
    let mut seen = 0;
    for number in over_time.numbers.iter().filter(|number| number.key == "percent") {
        let (group, level) = (number.group.as_deref(), number.level.as_deref());
        let count = |key: &str| over_time.number(key, group, level).unwrap().value.unwrap();
        assert!(count("ongoing") <= count("at_risk"), "{}", number.id);
        if let Some(percent) = number.value {
            assert!((percent - 100.0 * count("ongoing") / count("at_risk")).abs() < 1e-12, "{}", number.id);
            seen += usize::from(percent > 0.0);
        }
    }
    assert!(seen > 0);
}

#[test]
fn a_figure_is_computed_once() {
    let results = results(&made::data());
    let ids: Vec<&str> = results.analyses.iter().map(|analysis| analysis.id.as_str()).collect();
    assert_eq!(ids.iter().filter(|id| **id == "waterfall:SCORE:M6").count(), 1);
    let trajectory = results.analysis("trajectory:SCORE").unwrap();
    let visits: Vec<&str> = trajectory.levels.iter().map(|level| level.id.as_str()).collect();
    assert_eq!(visits, ["M0", "M3", "M6"]);
    let first = made::id(1).to_string();
    assert_eq!(trajectory.number("value", Some(&first), Some("M0")).unwrap().value, Some(24.0));
}

#[test]
fn results_survive_json() {
    let results = results(&made::data());
    let text = serde_json::to_string(&results).unwrap();
    let back: Results = serde_json::from_str(&text).unwrap();
    assert_eq!(back.row_sets, results.row_sets);
    for (number, again) in results.numbers().into_values().zip(back.numbers().into_values()) {
        assert_eq!((&number.id, number.text()), (&again.id, again.text()));
    }
}

#[test]
fn risk_differences_are_those_of_the_shares_and_lie_in_their_intervals() {
    let results = results(&made::data());
    let table = results.analysis("adverse-event-differences").unwrap();
    assert!(table.levels.len() > 3);
    for level in &table.levels {
        let number =
            |key: &str, arm: Option<&str>| table.number(key, arm, Some(&level.id)).unwrap().value.unwrap();
        let difference = number("percent", Some("active")) - number("percent", Some("control"));
        assert!((number("difference", None) - difference).abs() < 1e-9, "{}", level.id);
        let (lower, upper) = (number("difference_lower", None), number("difference_upper", None));
        assert!(lower <= difference && difference <= upper && lower >= -100.0 && upper <= 100.0);
    }
}

#[test]
fn only_events_from_the_first_dose_on_have_a_grade_a_relation_or_an_onset() {
    let data = made::data();
    let set = &data.adverse_events;
    let emergent = (0..set.rows()).filter(|row| set.cell("treatment_emergent", *row).flag() == Some(true));
    let results = results(&data);
    let counted = |id: &str, key: &str| {
        results.analysis(id).unwrap().number(key, None, Some("any")).unwrap().value.unwrap()
    };
    let all = emergent.count() as f64;
    assert!(all < set.rows() as f64);
    assert_eq!(counted("adverse-event-grades", "events"), all);
    assert!(counted("adverse-event-relations", "events_related") < all);
    assert_eq!(counted("adverse-event-onset", "n"), counted("adverse-event-grades", "participants"));
}

#[test]
fn a_cumulative_distribution_climbs_to_everybody() {
    let results = results(&made::data());
    let steps = results.analysis("cumulative:SCORE:M6").unwrap();
    for arm in [None, Some("active"), Some("control")] {
        let percent: Vec<f64> = steps
            .levels
            .iter()
            .map(|level| steps.number("percent", arm, Some(&level.id)).unwrap().value.unwrap())
            .collect();
        assert!(percent.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(percent.last(), Some(&100.0));
    }
}
