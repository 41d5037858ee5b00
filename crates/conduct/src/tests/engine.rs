//! The engine on a store: what is durable, what a failure leaves, what a redaction leaves.

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use record::{CellAddress, Environment, Recording, Redaction, Source, Writer};
use store::MemoryStore;
use terms::MissingReason;

use super::trial::*;
use crate::{Action, Command, Counts, Engine, EngineError, Refusal, State};

fn random(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn writer(store: MemoryStore) -> Writer {
    Writer::new(Box::new(store)).unwrap()
}

/// The commands by which a participant comes to the first dose.
fn commands() -> Vec<Command> {
    let mut trial = Trial::open(study_a());
    trial.starts();
    let mut commands = Vec::new();
    let mut again = Trial::of(study_a());
    for event in &trial.events {
        // One command may lead to several events; those of the program follow by themselves.
        let action = match &event.fact {
            record::Fact::StudyOpened { environment, seed, .. } => {
                Action::OpenStudy { environment: *environment, seed: *seed }
            }
            record::Fact::RoleDelegated { person, role, site } => {
                let (person, role, site) = (person.clone(), role.clone(), site.clone());
                Action::DelegateRole { person, role, site }
            }
            record::Fact::StudyTested { evidence } => {
                Action::RecordTest { evidence: evidence.get().unwrap().clone() }
            }
            record::Fact::StudyApproved { parts } => Action::ApproveStudy { parts: parts.clone() },
            record::Fact::EthicsApprovalRecorded { site, approved, reference } => {
                let (site, reference) = (site.clone(), reference.get().unwrap().clone());
                Action::RecordEthicsApproval { site, approved: *approved, reference }
            }
            record::Fact::SiteActivated { site } => Action::ActivateSite { site: site.clone() },
            record::Fact::ConsentSigned { consent_version } => Action::SignConsent {
                site: event.site.clone().unwrap(),
                consent_version: consent_version.clone(),
            },
            record::Fact::SubjectScreened => Action::ScreenSubject,
            record::Fact::VisitHeld { visit, .. } => Action::HoldVisit { visit: visit.clone() },
            record::Fact::FormSectionSaved { key, changes } => Action::SaveFormSection {
                key: key.clone(),
                answers: changes
                    .iter()
                    .filter(|change| change.source == Source::Entered && change.item != "other_findings")
                    .map(|change| (change.item.clone(), change.new.get().unwrap().clone()))
                    .collect(),
            },
            _ => continue,
        };
        again.today = event.recorded.local_date;
        let command = Command { by: event.by.clone(), ..again.command(action) };
        if again.give(&command).is_ok() {
            commands.push(command);
        }
    }
    commands
}

#[test]
fn what_was_committed_is_there_when_the_record_is_opened_again() {
    let study = study_a();
    let mut engine = Engine::open(study, writer(MemoryStore::new(Environment::Rehearsal))).unwrap();
    let commands = commands();
    assert!(commands.len() > 10);
    for command in &commands {
        engine.execute(command, &mut random(1), &mut random(2)).unwrap();
    }
    let refused = engine.execute(&commands[0], &mut random(1), &mut random(2)).unwrap_err();
    assert_eq!(refused, EngineError::Refused(Refusal::StudyAlreadyOpen));
    assert_eq!(engine.counts(), Counts { accepted: commands.len() as u64, refused: 1 });
    let before = engine.state().clone();
    assert_eq!(State::replay(&engine.store().read(1).unwrap()), before);
    let opened = Engine::open(study, engine.into_writer()).unwrap();
    assert_eq!(*opened.state(), before);
}

#[test]
fn staged_commands_build_on_one_another_and_are_made_durable_together() {
    let study = study_a();
    let mut engine = Engine::open(study, writer(MemoryStore::new(Environment::Rehearsal))).unwrap();
    let mut heads = Vec::new();
    for command in &commands() {
        let receipt = engine.stage(command, &mut random(1), &mut random(2)).unwrap();
        heads.push(receipt.head);
        assert_eq!(engine.store().head().unwrap().sequence, 0, "nothing is durable yet");
    }
    let head = engine.commit().unwrap();
    assert_eq!(Some(&head), heads.last());
    assert_eq!(engine.store().head().unwrap(), head);
    // What is staged and never committed is gone.
    let subject = engine.state().casebooks.keys().next().unwrap().clone();
    let mut trial = Trial::of(study);
    trial.state = engine.state().clone();
    trial.subject = Some(subject.clone());
    trial.on("2009-04-01");
    let command = trial.command(Action::WithdrawConsent { keep_data: true });
    engine.stage(&command, &mut random(1), &mut random(2)).unwrap();
    let again = Engine::open(study, engine.into_writer()).unwrap();
    assert!(again.state().casebook(subject.as_str()).unwrap().withdrawn.is_none());
}

#[test]
fn a_state_that_follows_says_what_a_replay_says_shares_the_casebooks_and_sees_nothing_that_is_only_staged() {
    let study = study_a();
    let mut engine = Engine::open(study, writer(MemoryStore::new(Environment::Rehearsal))).unwrap();
    let mut shown = State::default();
    for command in &commands() {
        let before = shown.clone();
        let receipt = engine.stage(command, &mut random(1), &mut random(2)).unwrap();
        assert_eq!(shown, before, "what is staged is not shown");
        engine.commit_or(|| panic!("memory takes everything")).unwrap();
        engine.pack(receipt.subject());
        shown.follow(engine.state(), &receipt.events);
        assert_eq!(shown, *engine.state());
    }
    assert_eq!(shown, State::replay(&engine.store().read(1).unwrap()));
    let subject = shown.casebooks.keys().next().unwrap().clone();
    assert!(std::sync::Arc::ptr_eq(&shown.casebooks[&subject], &engine.state().casebooks[&subject]));
    // Comparing opened the cells; packed, they are the same again, and a copy stays packed.
    assert_eq!(shown.opened(), [subject.clone()]);
    engine.pack([&subject]);
    shown.share(engine.state(), &subject);
    assert!(shown.opened().is_empty() && shown.clone().opened().is_empty());
    assert_eq!(shown, State::replay(&engine.store().read(1).unwrap()));
}

#[test]
fn the_same_commands_and_streams_give_the_same_head() {
    let run = |seed| {
        let store = MemoryStore::new(Environment::Rehearsal);
        let mut engine = Engine::open(study_a(), writer(store)).unwrap();
        let (mut decisions, mut salts) = (random(seed), random(seed + 1));
        for command in &commands() {
            engine.stage(command, &mut decisions, &mut salts).unwrap();
        }
        engine.commit().unwrap()
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn a_redacted_value_is_gone_from_the_state_and_leaves_its_place() {
    let study = study_a();
    let mut engine = Engine::open(study, writer(MemoryStore::new(Environment::Rehearsal))).unwrap();
    for command in &commands() {
        engine.execute(command, &mut random(1), &mut random(2)).unwrap();
    }
    let mut trial = Trial::of(study);
    trial.state = engine.state().clone();
    trial.subject = engine.state().casebooks.keys().next().cloned();
    trial.on("2009-04-01");
    let answers = [("other_findings", text("the neighbour's name"))];
    let command = trial.command(saving("Scr", "examination", &answers));
    let saved = engine.execute(&command, &mut random(1), &mut random(2)).unwrap();
    assert_eq!(saved.subject(), trial.subject.as_ref());
    let sequence = saved.events[0].sequence;
    let mut writer = engine.into_writer();
    let redaction = Redaction {
        address: CellAddress { sequence, cell: 1 },
        by: command.by.clone(),
        approver: "data_manager".into(),
        reason: "a third person is named".to_owned(),
        recording: Recording {
            recorded: command.at.clone(),
            origin: "test".to_owned(),
            study_version: study.version.clone(),
        },
    };
    writer.redact(redaction, &mut random(3)).unwrap();
    let engine = Engine::open(study, writer).unwrap();
    let casebook = engine.state().casebook(trial.subject.as_ref().unwrap().as_str()).unwrap();
    let cell = casebook.cell(&at("Scr", "examination"), "other_findings").unwrap();
    assert_eq!((cell.answer(), cell.current().sequence), (None, sequence));
    // It counts as entered: only a correction, with its reason, may fill the place again.
    trial.state = engine.state().clone();
    trial.refuses(saving("Scr", "examination", &[("other_findings", text("again"))]));
    trial.corrects(
        "Scr",
        "examination",
        &[("other_findings", terms::Answer::Missing(MissingReason::Unknown))],
    );
}
