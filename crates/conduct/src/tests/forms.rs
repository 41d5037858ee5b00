//! Forms, queries and signatures: what may be entered where, what follows, what blocks a signature.

use protocol::model::Severity;
use record::{AttachedFile, DeviationKind, Fact, FormKey, Review, Source};
use terms::{Answer, ItemId, MissingReason, RoleId};

use super::trial::*;
use crate::{Action, Command, Refusal};

fn missing(reason: MissingReason) -> Answer {
    Answer::Missing(reason)
}

fn asking(key: FormKey, item: &str, of: &str, text: &str) -> Action {
    Action::OpenQuery { key, item: item.into(), addressed_to: of.into(), text: text.to_owned() }
}

fn pressures(systolic: i64, diastolic: i64) -> Vec<(&'static str, Answer)> {
    vec![("weight", number("66.0")), ("systolic", whole(systolic)), ("diastolic", whole(diastolic))]
}

fn screened(trial: &mut Trial) {
    trial.consents();
    trial.does(Action::ScreenSubject);
    trial.holds("Scr");
}

scripts! {
    a_form_is_filled_where_the_schedule_asks_by_who_may(trial = Trial::open(study_b())) {
        screened(&mut trial);
        refused!(trial, saving("Scr", "nothing", &[("a", whole(1))]), Refusal::UnknownForm { .. });
        refused!(trial, saving("Scr", "adverse_events", &[("term", text("a"))]), Refusal::WrongFormPlace { .. });
        refused!(trial, saving("M99", "vital_signs", &pressures(120, 80)), Refusal::UnknownVisit { .. });
        refused!(trial, saving("M0", "vital_signs", &pressures(120, 80)), Refusal::VisitNotHeld { .. });
        refused!(trial, saving("Scr", "dlqi", &[("q1", whole(1))]), Refusal::FormNotScheduled { .. });
        refused!(trial, saving("Scr", "biopsy_reading", &[("hyalinised_collagen_pct", whole(1))]), Refusal::ReadBlind { .. });
        let in_row = |row| Action::SaveFormSection {
            key: FormKey { row, ..at("Scr", "vital_signs") }, answers: given(&pressures(120, 80)),
        };
        refused!(trial, in_row(1), Refusal::WrongFormRow { .. });
        let events = |row_number| Action::SaveFormSection {
            key: row("adverse_events", row_number), answers: given(&event("2009-03-02", "1", false)),
        };
        refused!(trial, events(0), Refusal::WrongFormRow { .. });
        refused!(trial, events(2), Refusal::RowSkipped { next: 1, .. });
        let command = trial.command(saving("Scr", "skin_score", &[("face", whole(1))]));
        let by = record::Actor { person: "coordinator".into(), role: "coordinator".into() };
        assert!(matches!(trial.refuses_command(&Command { by, ..command }), Refusal::NotAFiller { .. }));
        let before = trial.today.yesterday().unwrap();
        let command = trial.command(saving("Scr", "vital_signs", &pressures(120, 80)));
        let early = Command { happened: before.into(), ..command };
        assert!(matches!(trial.refuses_command(&early), Refusal::BeforeConsent { .. }));
        // An unscheduled visit takes any form.
        trial.holds("U1");
        trial.saves("U1", "spirometry", &[("fvc", number("3.20"))]);
    }

    a_file_is_data_of_its_form_and_makes_its_signature_void(trial = Trial::open(study_b())) {
        screened(&mut trial);
        let attaching = |name: &str, media_type: &str, bytes: u64, digit: &str| Action::AttachFile {
            key: at("Scr", "vital_signs"),
            file: AttachedFile {
                name: name.into(), media_type: media_type.into(), bytes, sha256: digit.repeat(64),
                key: Some(record::FileKey::from_bytes([7; 32])),
            },
        };
        let withdrawing = |number| Action::WithdrawFile { key: at("Scr", "vital_signs"), number };
        let scan = || attaching("scan.pdf", "application/pdf", 1000, "a");
        let digest = |facts: Vec<Fact>| match &facts[0] {
            Fact::VisitSigned { content_digest, .. } => content_digest.clone(),
            other => panic!("{other:?}"),
        };
        refused!(trial, scan(), Refusal::FormNotBegun { .. });
        trial.fills("Scr");
        let without = digest(trial.signs("Scr"));
        refused!(trial, attaching("", "application/pdf", 1000, "a"), Refusal::FileUnnamed { .. });
        refused!(trial, attaching("page.html", "text/html", 1000, "a"), Refusal::FileKind { .. });
        refused!(trial, attaching("scan.pdf", "application/pdf", 0, "a"), Refusal::FileSize { bytes: 0, .. });
        refused!(trial, attaching("scan.pdf", "application/pdf", crate::FILE_BYTES_MAX + 1, "a"), Refusal::FileSize { .. });
        let vital = || at("Scr", "vital_signs");
        let judge = |trial: &mut Trial| {
            for review in [Review::Data, Review::Medical] {
                trial.does(Action::ReviewForms { review, keys: vec![vital()] });
            }
            trial.does(Action::VerifySource { key: vital(), items: vec!["systolic".into()] });
        };
        let judged = |trial: &Trial| {
            let form = &trial.casebook().forms[&vital()];
            let verified = form.cells.values().filter(|cell| cell.verification().is_some()).count();
            (form.review(Review::Data).is_some(), form.review(Review::Medical).is_some(), verified)
        };
        judge(&mut trial);
        assert_eq!(judged(&trial), (true, true, 1));
        let facts = trial.does(scan());
        assert!(matches!(&facts[0], Fact::FileAttached { number: 1, .. }));
        assert_eq!(facts[1], Fact::SignatureVoided { visit: Some("Scr".into()) });
        // Whoever had judged the form did so without the file; both do it again.
        assert_eq!(judged(&trial), (false, false, 0));
        assert!(trial.casebook().cell(&vital(), "systolic").unwrap().has_lost_verification());
        judge(&mut trial);
        assert_eq!(judged(&trial), (true, true, 1));
        refused!(trial, attaching("again.pdf", "application/pdf", 1000, "a"), Refusal::FileAttachedAlready { number: 1 });
        let with = digest(trial.signs("Scr"));
        assert_ne!(with, without);
        refused!(trial, because "another participant's", withdrawing(2), Refusal::UnknownFile { number: 2 });
        refused!(trial, withdrawing(1), Refusal::ReasonMissing { .. });
        let facts = trial.does_because("another participant's", withdrawing(1));
        assert_eq!(facts[1], Fact::SignatureVoided { visit: Some("Scr".into()) });
        assert_eq!(judged(&trial), (false, false, 0));
        refused!(trial, because "again", withdrawing(1), Refusal::FileWithdrawnAlready { number: 1 });
        assert_eq!(digest(trial.signs("Scr")), without);
        // What was withdrawn can be attached again, as another.
        let facts = trial.does(scan());
        assert!(matches!(&facts[0], Fact::FileAttached { number: 2, .. }));
    }

    an_answer_is_one_that_the_item_can_hold(trial = Trial::open(study_b())) {
        screened(&mut trial);
        refused!(trial, saving("Scr", "vital_signs", &[]), Refusal::NothingToSave);
        refused!(trial, saving("Scr", "vital_signs", &[("mood", whole(1))]), Refusal::UnknownItem { .. });
        refused!(trial, saving("Scr", "vital_signs", &[("systolic", whole(120)), ("systolic", whole(121))]), Refusal::ItemTwice { .. });
        refused!(trial, saving("Scr", "skin_score", &[("total", whole(20))]), Refusal::ItemDerived { .. });
        for (form, item, answer) in [
            ("vital_signs", "systolic", number("120.5")),
            ("vital_signs", "weight", number("66.05")),
            ("vital_signs", "weight", text("heavy")),
            ("demography", "sex", code("neither")),
            ("demography", "sex", text("female")),
            ("pregnancy_test", "sampled_on", date("2009-03")),
            ("entry_questions", "cancer", code("no")),
        ] {
            refused!(trial, saving("Scr", form, &[(item, answer)]), Refusal::WrongType { .. });
        }
        let declined = missing(MissingReason::Refused);
        refused!(trial, saving("Scr", "vital_signs", &[("systolic", declined)]), Refusal::MissingReasonNotAllowed { .. });
        // A whole number is a decimal one, and trailing zeros are no decimals.
        trial.saves("Scr", "vital_signs", &[("weight", number("66.00")), ("systolic", missing(MissingReason::NotDone))]);
        trial.saves("Scr", "disease_history", &[("onset_date", date("2007"))]);
    }

    first_entries_fill_and_corrections_change_with_a_reason(trial = Trial::open(study_b())) {
        screened(&mut trial);
        trial.saves("Scr", "vital_signs", &pressures(120, 80));
        refused!(trial, saving("Scr", "vital_signs", &[("systolic", whole(121))]), Refusal::AlreadyEntered { .. });
        refused!(trial, correcting("Scr", "vital_signs", &[("systolic", whole(121))]), Refusal::ReasonMissing { .. });
        refused!(trial, because " ", correcting("Scr", "vital_signs", &[("systolic", whole(121))]), Refusal::ReasonMissing { .. });
        refused!(trial, because "a", correcting("Scr", "vital_signs", &[("systolic", whole(120))]), Refusal::Unchanged { .. });
        refused!(trial, because "a", correcting("Scr", "vital_signs", &[("heart_rate", whole(60))]), Refusal::NothingToCorrect { .. });
        let facts = trial.corrects("Scr", "vital_signs", &[("systolic", whole(121))]);
        let Fact::FormSectionCorrected { changes, .. } = &facts[0] else { panic!() };
        assert_eq!(changes[0].old.as_ref().unwrap().get(), Some(&whole(120)));
        assert_eq!(changes[0].new.get(), Some(&whole(121)));
        // Every value knows the event that set it, and none is lost.
        let cell = trial.casebook().cell(&at("Scr", "vital_signs"), "systolic").unwrap();
        let history: Vec<_> = cell.history().iter().map(|entry| (entry.answer.clone().unwrap(), entry.sequence)).collect();
        let last = trial.state.sequence;
        assert_eq!(history, [(whole(120), last - 1), (whole(121), last)]);
        assert_eq!(trial.events[last as usize - 1].reason.as_ref().unwrap().get().unwrap(), "transcription error");
    }

    branching_hides_items_and_keeps_what_they_hold(trial = Trial::open(study_b())) {
        screened(&mut trial);
        refused!(
            trial,
            saving("Scr", "disease_history", &[("ild", flag(false)), ("ild_method", code("hrct"))]),
            Refusal::ItemNotAsked { .. }
        );
        trial.saves("Scr", "disease_history", &[("ild", flag(true)), ("ild_method", code("hrct"))]);
        trial.corrects("Scr", "disease_history", &[("ild", flag(false))]);
        assert_eq!(trial.open_queries(), ["hidden_ild_method"]);
        assert_eq!(trial.casebook().forms[&at("Scr", "disease_history")].answer("ild_method"), Some(&code("hrct")));
        trial.corrects("Scr", "disease_history", &[("ild_method", missing(MissingReason::NotApplicable))]);
        assert!(trial.open_queries().is_empty());
    }

    derived_values_are_saved_with_what_they_follow_from(trial = Trial::open(study_b())) {
        screened(&mut trial);
        let sites: Vec<(&str, Answer)> = instruments::mrss::SITES.iter().map(|site| (*site, whole(2))).collect();
        let facts = trial.saves("Scr", "skin_score", &sites[..16]);
        assert_eq!(facts.len(), 1);
        assert!(trial.casebook().cell(&at("Scr", "skin_score"), "total").is_none(), "not before all sites are scored");
        let facts = trial.saves("Scr", "skin_score", &sites[16..]);
        let Fact::FormSectionSaved { changes, .. } = &facts[0] else { panic!() };
        let total = changes.iter().find(|change| change.item == "total").unwrap();
        assert_eq!((total.new.get(), total.source), (Some(&whole(34)), Source::Derived));
        trial.corrects("Scr", "skin_score", &[("face", whole(3))]);
        assert_eq!(trial.casebook().forms[&at("Scr", "skin_score")].answer("total"), Some(&whole(35)));
        trial.corrects("Scr", "skin_score", &[("face", missing(MissingReason::NotMeasurable))]);
        let total = trial.casebook().forms[&at("Scr", "skin_score")].answer("total").cloned();
        assert_eq!(total, Some(missing(MissingReason::NotScorable)));
    }

    a_value_of_one_form_is_derived_again_when_another_changes(trial = Trial::open(study_b())) {
        screened(&mut trial);
        trial.fills("Scr");
        let clearance = |trial: &Trial| {
            trial.casebook().forms[&at("Scr", "chemistry")].answer("clearance").cloned().unwrap()
        };
        let before = clearance(&trial);
        let facts = trial.corrects("Scr", "vital_signs", &[("weight", number("33.0"))]);
        assert!(facts.iter().any(|fact| matches!(fact, Fact::FormSectionSaved { key, .. } if key.form == "chemistry")));
        let half = |answer: &Answer| answer.value().unwrap().as_f64().unwrap() / 2.0;
        let after = clearance(&trial).value().unwrap().as_f64().unwrap();
        assert!((after - half(&before)).abs() < 0.06, "{after}");
        let by = &trial.events.last().unwrap().by;
        assert_eq!(by.person, "equipoise");
    }

    hard_checks_block_signing_and_never_saving(trial = Trial::open(study_b())) {
        screened(&mut trial);
        let form = trial.study.form("vital_signs").unwrap().clone();
        let check = form.checks.iter().find(|check| check.id == "pressures_swapped").unwrap();
        assert_eq!(check.severity, Severity::Hard);
        let facts = trial.saves("Scr", "vital_signs", &pressures(80, 120));
        assert!(matches!(&facts[1], Fact::QueryOpened { check: Some(check), .. } if *check == "pressures_swapped"));
        trial.fills("Scr");
        let missing_items: Vec<(&str, Answer)> = vec![("heart_rate", whole(70))];
        trial.saves("Scr", "vital_signs", &missing_items);
        refused!(trial, signing("Scr"), Refusal::HardQueriesOpen { .. });
        let query = trial.casebook().queries[0].id.clone();
        trial.does(Action::AnswerQuery { query: query.clone(), text: "it is so".into() });
        refused!(trial, Action::CloseQuery { query: query.clone() }, Refusal::HardCheckFires { .. });
        let facts = trial.corrects("Scr", "vital_signs", &[("systolic", whole(130))]);
        assert!(facts.contains(&Fact::QueryClosed { query, by_check: true }));
        trial.signs("Scr");
    }

    a_value_outside_its_range_is_saved_and_queried(trial = Trial::open(study_b())) {
        screened(&mut trial);
        trial.saves("Scr", "vital_signs", &pressures(300, 80));
        assert_eq!(trial.open_queries(), ["range_systolic"]);
    }

    soft_queries_are_answered_and_then_closed_by_a_person(trial = Trial::open(study_b())) {
        screened(&mut trial);
        trial.saves("Scr", "vital_signs", &pressures(120, 80));
        trial.saves("Scr", "demography", &[("height", number("165.0"))]);
        trial.saves("Scr", "vital_signs", &[("height_again", number("170.0"))]);
        assert_eq!(trial.open_queries(), ["height_differs"]);
        let query = trial.casebook().queries[0].id.clone();
        refused!(trial, Action::CloseQuery { query: query.clone() }, Refusal::QueryUnanswered { .. });
        refused!(trial, Action::AnswerQuery { query: query.clone(), text: " ".into() }, Refusal::ReasonMissing { .. });
        let command = trial.command(Action::AnswerQuery { query: query.clone(), text: "measured twice".into() });
        let by = record::Actor { person: "skin_assessor".into(), role: "skin_assessor".into() };
        assert!(matches!(trial.refuses_command(&Command { by, ..command.clone() }), Refusal::NotAsked { .. }));
        trial.accepts(&command);
        trial.does(Action::CloseQuery { query: query.clone() });
        refused!(trial, Action::CloseQuery { query: query.clone() }, Refusal::QueryClosed { .. });
        refused!(trial, Action::AnswerQuery { query: "no".into(), text: "a".into() }, Refusal::UnknownQuery { .. });
        // What a person settled stays settled until the item changes.
        trial.saves("Scr", "vital_signs", &[("heart_rate", whole(70))]);
        assert!(trial.open_queries().is_empty());
        trial.corrects("Scr", "vital_signs", &[("height_again", number("171.0"))]);
        assert_eq!(trial.open_queries(), ["height_differs"]);
        // A closed query is opened again by who manages queries, while its check has no other open.
        let reopening = |id: &terms::QueryId, text: &str| Action::ReopenQuery { query: id.clone(), text: text.into() };
        refused!(trial, reopening(&query, "again"), Refusal::CheckAsksAlready { .. });
        let newer = trial.casebook().queries[1].id.clone();
        refused!(trial, reopening(&newer, "again"), Refusal::QueryOpen { .. });
        refused!(trial, reopening(&"no".into(), "again"), Refusal::UnknownQuery { .. });
        trial.corrects("Scr", "demography", &[("height", number("171.0"))]);
        assert!(trial.open_queries().is_empty(), "the other form settles it");
        refused!(trial, reopening(&query, " "), Refusal::ReasonMissing { .. });
        trial.does(reopening(&query, "which of the two was measured?"));
        let again = &trial.casebook().queries[0];
        assert_eq!((again.closed, again.answered, again.said.len()), (None, None, 4));
        refused!(trial, Action::CloseQuery { query: query.clone() }, Refusal::QueryUnanswered { .. });
        // Who answered does not close, in whatever role.
        let asked = trial.casebook().queries[0].addressed_to.clone();
        let subject = trial.subject.take();
        trial.does(Action::DelegateRole { person: "monitor".into(), role: asked.clone(), site: None });
        trial.subject = subject;
        let by = record::Actor { person: "monitor".into(), role: asked };
        let answer = trial.command(Action::AnswerQuery { query: query.clone(), text: "the second".into() });
        trial.accepts(&Command { by, ..answer });
        refused!(trial, Action::CloseQuery { query: query.clone() }, Refusal::OwnAnswer { .. });
        let by = record::Actor { person: "data_manager".into(), role: "data_manager".into() };
        let closing = trial.command(Action::CloseQuery { query });
        trial.accepts(&Command { by, ..closing });
    }

    people_ask_about_items_of_held_visits(trial = Trial::open(study_b())) {
        screened(&mut trial);
        let key = at("Scr", "vital_signs");
        refused!(trial, asking(key.clone(), "mood", "coordinator", "why?"), Refusal::UnknownItem { .. });
        refused!(trial, asking(at("M0", "vital_signs"), "weight", "coordinator", "why?"), Refusal::VisitNotHeld { .. });
        refused!(trial, asking(key.clone(), "weight", "surgeon", "why?"), Refusal::UnknownAddressee { .. });
        refused!(trial, asking(key.clone(), "weight", "coordinator", ""), Refusal::ReasonMissing { .. });
        trial.does(asking(key, "weight", "coordinator", "why is it empty?"));
        assert_eq!(trial.open_queries(), ["by hand"]);
    }

    a_form_that_was_not_done_says_so(trial = Trial::open(study_b())) {
        screened(&mut trial);
        trial.saves("Scr", "vital_signs", &[("weight", number("66.0"))]);
        trial.does(Action::RecordFormNotDone { key: at("Scr", "vital_signs") });
        assert_eq!(trial.deviations(), [DeviationKind::MissedActivity]);
        let filled = &trial.casebook().forms[&at("Scr", "vital_signs")];
        assert_eq!(filled.answer("systolic"), Some(&missing(MissingReason::NotDone)));
        assert_eq!(filled.answer("weight"), Some(&number("66.0")));
        refused!(trial, Action::RecordFormNotDone { key: at("Scr", "vital_signs") }, Refusal::FormComplete { .. });
        refused!(trial, Action::RecordFormNotDone { key: row("adverse_events", 1) }, Refusal::WrongFormPlace { .. });
        // A score without its inputs is not scorable, never zero.
        trial.does(Action::RecordFormNotDone { key: at("Scr", "skin_score") });
        let filled = &trial.casebook().forms[&at("Scr", "skin_score")];
        assert_eq!(filled.answer("total"), Some(&missing(MissingReason::NotScorable)));
    }

    a_signature_needs_complete_forms_and_is_void_once_they_change(trial = Trial::open(study_b())) {
        screened(&mut trial);
        refused!(trial, signing("M0"), Refusal::VisitNotHeld { .. });
        trial.fills("Scr");
        refused!(trial, Action::SignVisit { visit: "Scr".into(), meaning: "".into() }, Refusal::ReasonMissing { .. });
        let facts = trial.signs("Scr");
        let Fact::VisitSigned { content_digest: first, .. } = &facts[0] else { panic!() };
        refused!(trial, signing("Scr"), Refusal::AlreadySigned { .. });
        let facts = trial.corrects("Scr", "vital_signs", &[("systolic", whole(121))]);
        assert!(facts.contains(&Fact::SignatureVoided { visit: Some("Scr".into()) }));
        let facts = trial.signs("Scr");
        let Fact::VisitSigned { content_digest: second, .. } = &facts[0] else { panic!() };
        assert_ne!(first, second, "the signature binds what it signs");
    }

    a_form_begun_at_a_visit_is_completed_before_signing(trial = Trial::open(study_b())) {
        screened(&mut trial);
        trial.holds("U1");
        trial.saves("U1", "vital_signs", &[("weight", number("66.0"))]);
        let refusal = trial.refuses(signing("U1"));
        let Refusal::FormIncomplete { items, .. } = refusal else { panic!("{refusal}") };
        assert_eq!(items, ["systolic", "diastolic"].map(ItemId::from));
        trial.saves("U1", "vital_signs", &[("systolic", whole(120)), ("diastolic", whole(80))]);
        trial.signs("U1");
    }

    earlier_scores_are_asked_about_after_signing_and_not_of_the_assessor(trial = Trial::open(study_b())) {
        trial.starts();
        trial.later(28);
        trial.holds("M1");
        let sites: Vec<(&str, Answer)> = instruments::mrss::SITES.iter().map(|site| (*site, whole(1))).collect();
        trial.saves("M1", "skin_score", &sites);
        trial.fills("M1");
        assert!(trial.open_queries().is_empty(), "nothing shows at entry that the score has fallen by 17");
        let facts = trial.signs("M1");
        let asked: Vec<&RoleId> = facts.iter().filter_map(|fact| match fact {
            Fact::QueryOpened { addressed_to, .. } => Some(addressed_to),
            _ => None,
        }).collect();
        assert_eq!(trial.open_queries(), ["large_change"]);
        assert_eq!(asked, [&RoleId::from("data_manager")]);
        // An earlier score that is corrected settles it, the visit still being signed.
        for site in instruments::mrss::SITES {
            trial.corrects("M0", "skin_score", &[(site, whole(1))]);
        }
        assert!(trial.open_queries().is_empty());
    }

    another_assessor_is_a_deviation(trial = Trial::open(study_b())) {
        trial.starts();
        trial.does(Action::DelegateRole { person: "second".into(), role: "skin_assessor".into(), site: Some(SITE.into()) });
        trial.later(28);
        trial.holds("M1");
        let command = trial.command(saving("M1", "skin_score", &[("face", whole(2))]));
        let by = record::Actor { person: "second".into(), role: "skin_assessor".into() };
        trial.accepts(&Command { by, ..command });
        assert_eq!(trial.deviations(), [DeviationKind::AssessorChanged]);
        // The same form again, or the first assessor's correction, is no second change.
        trial.corrects("M1", "skin_score", &[("face", whole(1))]);
        assert_eq!(trial.deviations(), [DeviationKind::AssessorChanged]);
    }

    a_prohibited_treatment_in_the_trial_is_a_deviation(trial = Trial::open(study_b())) {
        let form = study_b().form_for(protocol::model::Purpose::ConcomitantTreatments).unwrap();
        let item = |role| form.item_for(role).unwrap().id.clone();
        use protocol::model::ItemRole::{TreatmentName, TreatmentProhibited, TreatmentStart, TreatmentStop};
        let taking = |row_number: u32, prohibited: bool, stop: Option<&str>| Action::SaveFormSection {
            key: row(form.id.as_str(), row_number),
            answers: [
                Some((item(TreatmentName), text("Methotrexate"))),
                Some((item(TreatmentStart), date("2009-03-01"))),
                stop.map(|stop| (item(TreatmentStop), date(stop))),
                Some((item(TreatmentProhibited), flag(prohibited))),
            ].into_iter().flatten().collect(),
        };
        trial.enters();
        trial.does(taking(1, false, None));
        trial.does(taking(2, true, Some("2009-03-10")));
        assert_eq!(trial.deviations(), [], "it ended before the participant entered");
        trial.does(taking(3, true, None));
        assert_eq!(trial.deviations(), [DeviationKind::ProhibitedTreatment]);
    }

    a_correction_that_unmeets_a_rule_is_a_deviation(trial = Trial::open(study_b())) {
        trial.enters();
        trial.corrects("Scr", "echocardiography", &[("lvef_pct", whole(44))]);
        trial.corrects("Scr", "echocardiography", &[("lvef_pct", whole(43))]);
        assert_eq!(trial.deviations(), [DeviationKind::Eligibility]);
        assert_eq!(trial.casebook().deviations[0].rule, Some("B-I5".into()));
    }

    a_reference_equation_is_reckoned_again_when_age_or_height_is_corrected(trial = Trial::open(study_b())) {
        screened(&mut trial);
        trial.saves("Scr", "demography", &[("sex", code("female")), ("age_years", whole(45)), ("height", number("165.0"))]);
        trial.holds("U1");
        trial.saves("U1", "spirometry", &[("fvc", number("3.00")), ("fev1", number("2.40"))]);
        let percent = |trial: &Trial| {
            let filled = &trial.casebook().forms[&at("U1", "spirometry")];
            filled.answer("fvc_pct_pred").unwrap().value().unwrap().as_f64().unwrap()
        };
        let expected = |height: i64| {
            let context = instruments::Context {
                sex: Some(instruments::Sex::Female),
                age_years: Some(45.into()),
                height_cm: Some(height.into()),
                ..Default::default()
            };
            let percent = instruments::percent_predicted("gli2022", "fvc_pct_pred").unwrap();
            let percent = percent.percent(3.into(), None, &context).unwrap();
            terms::Value::Decimal(percent).as_f64().unwrap()
        };
        assert!((percent(&trial) - expected(165)).abs() < 0.1, "{} {}", percent(&trial), expected(165));
        trial.corrects("Scr", "demography", &[("height", number("175.0"))]);
        assert!((percent(&trial) - expected(175)).abs() < 0.1, "{} {}", percent(&trial), expected(175));
    }
}
