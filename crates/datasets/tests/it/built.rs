//! What the built data sets hold.

use std::collections::BTreeMap;

use datasets::{Cell, DataSets, Dataset, analysis_sets, build, csv};
use protocol::model::{ADVERSE_EVENT_VARIABLES, SUBJECT_VARIABLES, VariableKind, parameter_variables};
use record::*;
use terms::*;

use crate::told::{Tale, date, study, tale, unblind};

fn sets(tale: &Tale) -> DataSets {
    build(&study(), &tale.state())
}

/// The row of a data set in which these columns hold these texts.
fn row(set: &Dataset, wanted: &[(&str, &str)]) -> usize {
    let found = (0..set.rows())
        .find(|row| wanted.iter().all(|(column, text)| set.cell(column, *row).text().unwrap_or("") == *text));
    found.unwrap_or_else(|| panic!("{} has no row with {wanted:?}", set.name))
}

fn kind_name(kind: VariableKind) -> &'static str {
    match kind {
        VariableKind::Integer => "integer",
        VariableKind::Number => "number",
        VariableKind::Flag => "flag",
        VariableKind::Code => "code",
        VariableKind::Date => "date",
        VariableKind::Text => "text",
    }
}

#[test]
fn every_variable_that_a_plan_may_name_is_a_column_of_its_kind() {
    let mut tale = tale();
    unblind(&mut tale);
    let data = sets(&tale);
    for (set, variables) in
        [(&data.subjects, SUBJECT_VARIABLES), (&data.adverse_events, ADVERSE_EVENT_VARIABLES)]
    {
        for variable in variables {
            let column = set.column(variable.name).unwrap_or_else(|| panic!("no column {}", variable.name));
            let found = (column.data.kind(), column.unit.as_deref());
            assert_eq!(found, (kind_name(variable.kind), variable.unit), "{}", variable.name);
        }
    }
    let plan = study().plan;
    for (name, kind) in plan.parameters.iter().flat_map(parameter_variables) {
        assert_eq!(
            data.subjects.column(&name).map(|column| column.data.kind()),
            Some(kind_name(kind)),
            "{name}"
        );
    }
    for name in plan
        .variables
        .iter()
        .map(|one| one.id.clone())
        .chain(plan.sets.iter().map(|one| format!("set_{}", one.id)))
    {
        assert!(data.subjects.column(&name).is_some(), "no column {name}");
    }
}

#[test]
fn no_arm_stands_anywhere_before_the_list_is_opened() {
    let mut tale = tale();
    let blind = sets(&tale);
    for set in blind.all() {
        assert!(set.column("arm").is_none(), "{}", set.name);
    }
    let opened = unblind(&mut tale);
    let data = sets(&tale);
    let first = row(&data.subjects, &[("subject", "01-001")]);
    assert_eq!(data.subjects.cell("arm", first), Cell::Code("imatinib"));
    assert!(data.subjects.sources_of(first, &["arm".to_owned()]).contains(&opened));
    let kept_out = row(&data.subjects, &[("subject", "01-005")]);
    assert_eq!(data.subjects.cell("arm", kept_out), Cell::Missing);
}

#[test]
fn baseline_is_the_score_before_the_first_dose_and_changes_count_from_it() {
    let data = sets(&tale());
    let at = |visit| {
        row(
            &data.longitudinal,
            &[("subject", "01-001"), ("parameter", "MRSS"), ("visit", visit), ("derived", "")],
        )
    };
    let number = |column, visit| data.longitudinal.cell(column, at(visit)).number();
    assert_eq!(
        (number("value", "M0"), number("baseline", "M6"), number("change", "M6")),
        (Some(30.0), Some(30.0), Some(-6.0))
    );
    assert_eq!((number("relative_change", "M6"), number("percent_change", "M6")), (Some(-0.2), Some(-20.0)));
    assert_eq!((number("change", "Scr"), number("change", "M0")), (None, None));
    assert_eq!(
        (number("day", "M0"), number("day", "Scr"), number("day", "M1")),
        (Some(1.0), Some(-10.0), Some(32.0))
    );
    let flag = |column, visit| data.longitudinal.cell(column, at(visit)).flag();
    assert_eq!((flag("is_baseline", "M0"), flag("is_baseline", "Scr")), (Some(true), Some(false)));
    assert_eq!((flag("in_window", "M1"), flag("in_window", "M3")), (Some(true), Some(false)));
}

#[test]
fn an_early_end_is_never_month_6_but_may_be_carried_to_it() {
    let data = sets(&tale());
    let own = |visit, derived| {
        let rows = &data.longitudinal;
        (0..rows.rows()).find(|row| {
            rows.cell("subject", *row).text() == Some("01-002")
                && rows.cell("parameter", *row).text() == Some("MRSS")
                && rows.cell("visit", *row).text() == Some(visit)
                && rows.cell("derived", *row).text() == derived
        })
    };
    assert_eq!(own("M6", None), None);
    let early = own("End", None).unwrap();
    assert_eq!(data.longitudinal.cell("planned", early).flag(), Some(false));
    let carried = own("M6", Some("locf")).unwrap();
    assert_eq!(data.longitudinal.cell("value", carried).number(), Some(26.0));
    assert_eq!(data.longitudinal.cell("relative_change", carried).number(), Some(0.3));
    assert_eq!(data.longitudinal.sources[carried], data.longitudinal.sources[early]);
}

#[test]
fn a_death_before_a_visit_has_a_record_of_its_own() {
    let data = sets(&tale());
    let died = row(
        &data.longitudinal,
        &[("subject", "01-003"), ("parameter", "MRSS"), ("visit", "M6"), ("derived", "death")],
    );
    assert_eq!(data.longitudinal.cell("value", died), Cell::Missing);
    assert_eq!(data.longitudinal.cell("baseline", died).number(), Some(25.0));
    let subject = row(&data.subjects, &[("subject", "01-003")]);
    assert_eq!(data.subjects.cell("died", subject).flag(), Some(true));
}

#[test]
fn who_has_nothing_after_baseline_has_no_record_carried_forward() {
    let data = sets(&tale());
    let rows = &data.longitudinal;
    let derived = (0..rows.rows()).any(|row| {
        rows.cell("subject", row).text() == Some("01-004") && rows.cell("derived", row).text() == Some("locf")
    });
    assert!(!derived);
}

#[test]
fn worst_cases_exist_only_once_arms_are_known() {
    let mut tale = tale();
    let count = |data: &DataSets| {
        let rows = &data.longitudinal;
        (0..rows.rows()).filter(|row| rows.cell("derived", *row).text() == Some("worst_case")).count()
    };
    assert_eq!(count(&sets(&tale)), 0);
    unblind(&mut tale);
    // 002 and 004 (placebo) take the worst of imatinib; nobody on placebo was observed for 003 to take from.
    assert_eq!(count(&sets(&tale)), 2);
}

#[test]
fn a_score_leads_to_the_items_it_was_made_of() {
    let mut tale = tale();
    let key = (Some("M6"), "skin_score", 0);
    let item = tale.save("01-001", key, "face", Value::Integer(2), "2008-09-01");
    let data = sets(&tale);
    let m6 = row(&data.longitudinal, &[("subject", "01-001"), ("parameter", "MRSS"), ("visit", "M6")]);
    assert!(data.longitudinal.sources[m6].contains(&item));
}

#[test]
fn after_stopping_the_dose_is_zero_to_the_last_planned_day() {
    let data = sets(&tale());
    let rows: Vec<_> = (0..data.exposure.rows())
        .filter(|row| data.exposure.cell("subject", *row).text() == Some("01-002"))
        .map(|row| {
            let number = |column| data.exposure.cell(column, row).number().unwrap();
            (
                number("from_day"),
                number("to_day"),
                number("dose_mg"),
                data.exposure.cell("after_stop", row).flag(),
            )
        })
        .collect();
    let expected = [
        (1.0, 20.0, 400.0, Some(false)),
        (21.0, 30.0, 0.0, Some(false)),
        (31.0, 61.0, 300.0, Some(false)),
        (62.0, 184.0, 0.0, Some(true)),
    ];
    assert_eq!(rows, expected);
    let subject = row(&data.subjects, &[("subject", "01-002")]);
    let number = |column| data.subjects.cell(column, subject).number().unwrap();
    assert_eq!((number("dose_mg"), number("dose_days"), number("planned_days")), (17_300.0, 51.0, 184.0));
    assert_eq!(number("dose_intensity"), 100.0 * 17_300.0 / (400.0 * 184.0));
    assert_eq!((number("longest_pause"), number("treatment_days")), (123.0, 61.0));
    assert_eq!(data.subjects.cell("dose_changed", subject).flag(), Some(true));
}

#[test]
fn an_adverse_event_keeps_its_worst_grade_and_its_imputed_start() {
    let mut tale = tale();
    let key = (None, "adverse_events", 1);
    tale.save("01-001", key, "term", Value::Text("Nausea".to_owned()), "2008-04-01");
    tale.save("01-001", key, "start", Value::Date("2008-03".parse().unwrap()), "2008-04-01");
    tale.save("01-001", key, "relation", Value::Code("probable".to_owned()), "2008-04-01");
    for (grade, on) in [("1", "2008-04-01"), ("3", "2008-04-20"), ("2", "2008-05-01")] {
        tale.save("01-001", key, "grade", Value::Code(grade.to_owned()), on);
    }
    let data = sets(&tale);
    let event = row(&data.adverse_events, &[("subject", "01-001")]);
    let cell = |column| data.adverse_events.cell(column, event);
    assert_eq!((cell("grade"), cell("first_grade")), (Cell::Integer(3), Cell::Integer(1)));
    assert_eq!((cell("start_day"), cell("start_imputed")), (Cell::Integer(1), Cell::Flag(true)));
    assert_eq!(
        (cell("related"), cell("treatment_emergent"), cell("ongoing")),
        (Cell::Flag(true), Cell::Flag(true), Cell::Flag(true))
    );
    assert_eq!(data.adverse_events.sources[event].len(), 6);
}

#[test]
fn coded_readings_count_once_the_key_is_joined_repeats_apart() {
    let mut tale = tale();
    let code = |text: &str| SpecimenCode::from(text);
    let specimen = Content::new("S1".to_owned());
    let taken = tale.of("01-001", "2008-03-01", Fact::SpecimenTaken { visit: "M0".into(), specimen });
    let key = SpecimenKey { subject: "01-001".into(), visit: "M0".into() };
    let repeats = BTreeMap::from([(code("R1"), Content::new(key.clone()))]);
    let codes = vec![code("R1"), code("S1")];
    let (pairs, pair_key) = (Vec::new(), BTreeMap::new());
    let (pair_repeats, digest) = (Vec::new(), String::new());
    let drawn = Fact::ReadingOrderDrawn { codes, repeats, pairs, pair_key, pair_repeats, digest };
    tale.tell(Stream::Study, "2008-10-01", drawn);
    let mut read = |slide: &str, reader, thickness: &str| {
        let value = Answer::Given(Value::Decimal(thickness.parse().unwrap()));
        let answers = BTreeMap::from([("dermal_thickness_mm".into(), Content::new(value))]);
        let fact = Fact::SpecimenRead { code: code(slide), reader, reading: Reading { answers } };
        tale.tell(Stream::Study, "2008-10-02", fact)
    };
    let sources = [read("S1", 1, "2.00"), read("S1", 2, "2.50")];
    read("R1", 1, "9.00");
    let thickness = |data: &DataSets| {
        let rows = &data.longitudinal;
        let found = (0..rows.rows()).find(|row| {
            rows.cell("subject", *row).text() == Some("01-001")
                && rows.cell("parameter", *row).text() == Some("THICKNESS")
        });
        found.map(|row| (rows.cell("value", row).number(), rows.sources[row].clone()))
    };
    assert_eq!(thickness(&sets(&tale)), None);
    let joined = Fact::ReadingKeyJoined { key: BTreeMap::from([(code("S1"), Content::new(key))]) };
    let joined = tale.tell(Stream::Study, "2008-10-03", joined);
    let (value, events) = thickness(&sets(&tale)).unwrap();
    assert_eq!(value, Some(2.25));
    assert!([taken, sources[0], sources[1], joined].iter().all(|event| events.contains(event)), "{events:?}");
}

#[test]
fn sets_are_evaluated_until_they_are_signed() {
    let mut tale = tale();
    let (study, state) = (study(), tale.state());
    let evaluated = analysis_sets(&study, &state);
    let members = |set: &str| evaluated[set].iter().map(SubjectId::as_str).collect::<Vec<_>>();
    assert_eq!(members("itt"), ["01-001", "01-002", "01-003", "01-004"]);
    assert_eq!(members("per_protocol"), ["01-001"]);
    let flagged = |data: &DataSets| {
        (0..data.subjects.rows())
            .filter(|row| data.subjects.cell("set_itt", *row).flag() == Some(true))
            .count()
    };
    assert_eq!(flagged(&build(&study, &state)), 4);
    let signed = BTreeMap::from([("itt".into(), vec!["01-001".into()])]);
    let event = tale.tell(
        Stream::Study,
        "2009-05-01",
        Fact::AnalysisSetsSigned { sets: signed, digest: String::new() },
    );
    let data = build(&study, &tale.state());
    assert_eq!(flagged(&data), 1);
    assert!(data.subjects.sources_of(0, &["set_itt".to_owned()]).contains(&event));
}

#[test]
fn the_way_of_who_was_kept_out_names_every_rule() {
    let data = sets(&tale());
    let steps: Vec<_> = (0..data.disposition.rows())
        .filter(|row| data.disposition.cell("subject", *row).text() == Some("01-005"))
        .map(|row| {
            (data.disposition.cell("step", row).text().unwrap(), data.disposition.cell("reason", row).text())
        })
        .collect();
    let expected = [
        ("consented", None),
        ("screened", None),
        ("not_eligible", Some("B-I3")),
        ("not_eligible", Some("B-X5")),
        ("ended", Some("not_eligible")),
    ];
    assert_eq!(steps, expected);
}

#[test]
fn deviations_carry_their_class_and_both_events() {
    let mut tale = tale();
    let text = Content::new("Month 3 was late.".to_owned());
    let (deviation, what, visit) = (DeviationId::from("D1"), DeviationKind::OutOfWindow, Some("M3".into()));
    let fact = Fact::DeviationRecorded { deviation: deviation.clone(), what, visit, rule: None, text };
    let recorded = tale.of("01-001", "2008-06-12", fact);
    let classified = tale.of(
        "01-001",
        "2009-04-01",
        Fact::DeviationClassified { deviation, class: DeviationClass::Major },
    );
    let data = sets(&tale);
    assert_eq!(data.deviations.cell("kind", 0), Cell::Code("out_of_window"));
    assert_eq!(data.deviations.cell("class", 0), Cell::Code("major"));
    assert_eq!(data.deviations.sources_of(0, &["class".to_owned()]), [recorded, classified]);
    let subject = row(&data.subjects, &[("subject", "01-001")]);
    assert_eq!(data.subjects.cell("major_deviations", subject), Cell::Integer(1));
}

#[test]
fn every_set_is_written_and_read_back_the_same() {
    let mut tale = tale();
    unblind(&mut tale);
    let data = sets(&tale);
    let dictionary = csv::write_dictionary(data.all());
    for set in data.all() {
        let text = csv::write(set);
        let back = csv::read(&set.name, &text, &dictionary).unwrap();
        assert_eq!(back.rows(), set.rows());
        for (read, column) in back.columns.iter().zip(&set.columns) {
            assert_eq!((&read.name, &read.data, &read.levels), (&column.name, &column.data, &column.levels));
        }
        assert_eq!(csv::write(&back), text, "{}", set.name);
    }
}

#[test]
fn partly_known_dates_reach_the_file_as_they_were_recorded() {
    let mut tale = tale();
    tale.save(
        "01-001",
        (None, "adverse_events", 1),
        "start",
        Value::Date("2008".parse().unwrap()),
        "2008-04-01",
    );
    let data = sets(&tale);
    assert!(csv::write(&data.adverse_events).contains(",2008,"));
    assert_eq!(data.subjects.cell("first_dose_date", 0), Cell::Date(date("2008-03-01").into()));
}

#[test]
fn a_laboratory_value_is_judged_by_the_limits_of_its_own_laboratory_and_graded_in_the_terms_unit() {
    let mut tale = tale();
    let mut save = |visit, form, item, value, on| {
        tale.save("01-001", (Some(visit), form, 0), item, value, on);
    };
    // Upper limit for women 34 U/L in that laboratory; grade 1 above it, grade 2 above 3 times.
    for (visit, alt, on) in [
        ("Scr", 20, "2008-02-20"),
        ("M0", 34, "2008-03-01"),
        ("M1", 35, "2008-04-01"),
        ("M3", 103, "2008-06-12"),
        ("M6", 30, "2008-09-01"),
    ] {
        save(visit, "chemistry", "alt", Value::Integer(alt), on);
    }
    // Lower limit 120 g/L; grade 1 below it, grade 2 below 100.
    for (visit, haemoglobin, on) in [("M0", 130, "2008-03-01"), ("M1", 99, "2008-04-01")] {
        save(visit, "blood_count", "haemoglobin", Value::Integer(haemoglobin), on);
    }
    let data = sets(&tale);
    let at = |test, visit| row(&data.laboratory, &[("subject", "01-001"), ("test", test), ("visit", visit)]);
    let seen = |test, visit| {
        let cell = |column| data.laboratory.cell(column, at(test, visit));
        let indicator = cell("indicator").text().unwrap().to_owned();
        (indicator, cell("grade_low").number(), cell("grade_high").number())
    };
    assert_eq!(seen("ALT", "M0"), ("normal".to_owned(), None, Some(0.0)));
    assert_eq!(seen("ALT", "M1"), ("high".to_owned(), None, Some(1.0)));
    assert_eq!(seen("ALT", "M3"), ("high".to_owned(), None, Some(2.0)));
    assert_eq!(seen("HGB", "M1"), ("low".to_owned(), Some(2.0), Some(0.0)));
    let flagged = |flag| -> Vec<&str> {
        let rows = 0..data.laboratory.rows();
        let own = rows.filter(|row| data.laboratory.cell("test", *row).text() == Some("ALT"));
        own.filter(|row| data.laboratory.cell(flag, *row).flag() == Some(true))
            .filter_map(|row| data.laboratory.cell("visit", row).text())
            .collect()
    };
    assert_eq!(
        (flagged("is_baseline"), flagged("highest"), flagged("lowest")),
        (vec!["M0"], vec!["M3"], vec!["M6"])
    );
    let times = data.laboratory.cell("times_upper", at("ALT", "M3")).number();
    assert_eq!(times, Some(103.0 / 34.0));
}

#[test]
fn a_dose_change_knows_the_dose_before_it() {
    let data = sets(&tale());
    let set = &data.dose_changes;
    let own: Vec<_> = (0..set.rows())
        .filter(|row| set.cell("subject", *row).text() == Some("01-002"))
        .map(|row| {
            let number = |column| set.cell(column, row).number();
            (set.cell("step", row).text().unwrap(), number("before_mg"), number("dose_mg"), number("day"))
        })
        .collect();
    assert_eq!(
        own,
        [
            ("started", None, Some(400.0), Some(1.0)),
            ("held", Some(400.0), Some(0.0), Some(21.0)),
            ("resumed", Some(0.0), Some(300.0), Some(31.0)),
        ]
    );
}

#[test]
fn a_skin_score_has_a_column_for_each_site() {
    let mut tale = tale();
    tale.save("01-001", (Some("M1"), "skin_score", 0), "face", Value::Integer(2), "2008-04-01");
    let corrected =
        tale.save("01-001", (Some("M1"), "skin_score", 0), "face", Value::Integer(3), "2008-04-02");
    let data = sets(&tale);
    let place = row(&data.body_sites, &[("subject", "01-001"), ("visit", "M1")]);
    assert_eq!(data.body_sites.cell("face", place).number(), Some(3.0));
    assert_eq!(data.body_sites.cell("chest", place), Cell::Missing);
    assert!(data.body_sites.sources[place].contains(&corrected));
}

#[test]
fn other_treatments_have_a_class_dates_and_a_place_beside_the_first_dose() {
    let mut tale = tale();
    let partial = |text: &str| Value::Date(text.parse().unwrap());
    let mut take = |row: u32, name: &str, class: &str, start: &str, stop: Option<&str>| {
        let key = (None, "concomitant_treatments", row);
        let mut said = vec![
            ("name", Value::Text(name.to_owned())),
            ("class", Value::Code(class.to_owned())),
            ("start", partial(start)),
            ("prohibited", Value::Boolean(class == "immunosuppressant")),
        ];
        said.extend(stop.map(|stop| ("stop", partial(stop))));
        said.into_iter().map(|(item, value)| tale.save("01-001", key, item, value, "2008-09-01")).last()
    };
    take(1, "Nifedipine", "vasodilator", "2006-05", None);
    take(2, "Furosemide", "diuretic", "2008-03-15", Some("2008-04-01"));
    take(3, "Methotrexate", "immunosuppressant", "2007-01", Some("2008-01"));
    let last = take(4, "Omeprazole", "acid_suppressant", "2008-03", None).unwrap();
    let set = sets(&tale).concomitant_treatments;
    let at = |name: &str| row(&set, &[("subject", "01-001"), ("treatment", name)]);
    let flags = |name: &str| {
        ["begun_before", "taken_in_trial", "ongoing", "prohibited"]
            .map(|column| set.cell(column, at(name)).flag())
    };
    let [yes, no] = [Some(true), Some(false)];
    assert_eq!(flags("Nifedipine"), [yes, yes, yes, no]);
    assert_eq!(flags("Furosemide"), [no, yes, no, no]);
    assert_eq!(flags("Methotrexate"), [yes, no, no, yes]);
    // A start in the month of the first dose can be the day of the first dose.
    assert_eq!(flags("Omeprazole"), [no, yes, yes, no]);
    assert_eq!(set.cell("start_imputed", at("Omeprazole")), Cell::Flag(true));
    assert_eq!(set.cell("start_day", at("Furosemide")), Cell::Integer(15));
    assert_eq!(set.cell("stop_day", at("Furosemide")), Cell::Integer(32));
    assert_eq!(set.cell("class", at("Furosemide")), Cell::Code("diuretic"));
    let class = set.column("class").unwrap();
    assert!(class.levels.contains(&("diuretic".to_owned(), "Diuretic".to_owned())));
    assert!(set.sources[at("Omeprazole")].contains(&last));
}
