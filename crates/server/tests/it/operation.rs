//! Backups, mails, and a full disk: what a server does beside its pages.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
};

use jiff::SignedDuration;
use protocol::model::Purpose;
use record::{Actor, FormKey};
use server::{
    backups::{Timetable, back_up, is_due},
    post::{Post, Postman},
};
use store::backup::{BackupKey, restore};
use terms::{Answer, SiteTime, Value};

use crate::world::{World, location, text};

/// A mail relay that takes everything but what it is told to refuse, and keeps what it took.
struct Relay {
    address: String,
    taken: Arc<Mutex<Vec<String>>>,
    refuse: Arc<Mutex<bool>>,
}

impl Relay {
    #[expect(clippy::disallowed_methods, reason = "somebody has to listen")]
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (taken, refuse) = (Arc::new(Mutex::new(Vec::<String>::new())), Arc::new(Mutex::new(false)));
        let own = (Arc::clone(&taken), Arc::clone(&refuse));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                let say = |reader: &mut BufReader<std::net::TcpStream>, text: &str| {
                    reader.get_mut().write_all(format!("{text}\r\n").as_bytes()).unwrap();
                };
                say(&mut reader, "220 relay.example.org");
                let (mut line, mut mail) = (String::new(), None);
                loop {
                    line.clear();
                    if reader.read_line(&mut line).unwrap_or(0) == 0 {
                        break;
                    }
                    match &mut mail {
                        Some(text) if line == ".\r\n" => {
                            own.0.lock().unwrap().push(std::mem::take(text));
                            mail = None;
                            say(&mut reader, "250 taken");
                        }
                        Some(text) => text.push_str(&line),
                        None if line.starts_with("EHLO") => say(&mut reader, "250-relay\r\n250 8BITMIME"),
                        None if line.starts_with("RCPT") && *own.1.lock().unwrap() => {
                            say(&mut reader, "451 greylisted");
                        }
                        None if line.starts_with("DATA") => {
                            mail = Some(String::new());
                            say(&mut reader, "354 go on");
                        }
                        None => say(&mut reader, "250 ok"),
                    }
                }
            }
        });
        Self { address, taken, refuse }
    }

    fn post(&self, world: &mut World) {
        let postman = Postman {
            relay: self.address.clone(),
            from: "trial@example.org".to_owned(),
            pages: "https://trial.example.org".to_owned(),
        };
        let post = Post::open(world.house.folder(), postman).unwrap();
        world.house.post = Some(post);
    }
}

/// Looks through the records and sends.
fn beat(world: &World) {
    let post = world.house.post.as_ref().unwrap();
    post.gather(&world.house).unwrap();
    post.deliver(world.house.now()).unwrap();
}

#[test]
fn e6_4_1_4_a_broken_blind_is_mailed_to_named_roles_and_the_mail_says_nothing_of_the_participant() {
    let mut world = World::training(10);
    let relay = Relay::start();
    relay.post(&mut world);
    world.give_addresses();
    beat(&world);
    let before: Vec<String> = std::mem::take(&mut *relay.taken.lock().unwrap());
    assert!(
        before.iter().all(|mail| mail.contains("query")),
        "what was recorded before the post is not mailed"
    );
    let study = "imatinib-controlled";
    let (subject, site) = world.participant_on_treatment(study);
    let mut investigator = world.seated(&format!("principal_investigator.{site}"));
    let path = format!("/studies/{study}/participants/{subject}");
    investigator.get(&path);
    let reply = investigator.post(
        &format!("{path}/steps/break-blind"),
        &[("reason", "Overdose of an unknown drug"), ("password", crate::world::PASSWORD)],
    );
    assert!(matches!(reply.status, 200 | 303), "{}", text(&reply));
    *relay.refuse.lock().unwrap() = true;
    beat(&world);
    assert!(relay.taken.lock().unwrap().is_empty());
    let waiting = world.house.post.as_ref().unwrap().standing().unwrap();
    assert!(waiting.waiting > 0 && waiting.trouble.contains("greylisted"), "{waiting:?}");
    *relay.refuse.lock().unwrap() = false;
    world.wait(120);
    beat(&world);
    beat(&world);
    let mails = relay.taken.lock().unwrap().clone();
    let to = |person: &str| mails.iter().filter(|mail| mail.contains(&format!("To: <{person}@"))).count();
    assert_eq!((to("monitor"), to("data_manager")), (1, 1), "each once, whatever was tried before");
    assert_eq!(to("skin_assessor.01") + to("pathologist.1"), 0);
    assert_eq!(to(&format!("principal_investigator.{site}")), 0, "who did it knows it");
    for mail in &mails {
        let lower = mail.to_lowercase();
        for word in [subject.as_str(), "imatinib", "placebo", "overdose", study] {
            assert!(!lower.contains(word), "{word}: {mail}");
        }
        assert!(mail.contains("https://trial.example.org"));
    }
}

/// Related serious events of participants on treatment, one each, until the safety board is told.
fn reach_the_boundary(world: &World, study: &str) {
    let running = &world.house.studies[study];
    let form = running.study().form_for(Purpose::AdverseEvents).unwrap().id.clone();
    let treated: Vec<(terms::SubjectId, u32)> = running
        .state()
        .casebooks
        .values()
        .filter(|casebook| casebook.first_dose().is_some() && casebook.participation_end.is_none())
        .map(|casebook| (casebook.subject.clone(), casebook.rows(&form).count() as u32 + 1))
        .collect();
    for (subject, row) in treated {
        if running.state().watches.values().any(|watch| watch.undecided().next().is_some()) {
            return;
        }
        let code = |code: &str| Answer::Given(Value::Code(code.to_owned()));
        let at = SiteTime::at(world.house.now(), "America/New_York").unwrap();
        let answers = [
            ("term", Answer::Given(Value::Text("Diarrhea".to_owned()))),
            ("start", Answer::Given(Value::Date(at.local_date.into()))),
            ("grade", code("3")),
            ("serious", Answer::Given(Value::Boolean(true))),
            ("criterion", code("admission")),
            ("relation", code("possible")),
            ("action", code("none")),
            ("outcome", code("ongoing")),
        ];
        let key = FormKey { visit: None, form: form.clone(), row };
        let answers = answers.map(|(item, answer)| (item.into(), answer)).to_vec();
        let command = conduct::Command {
            by: Actor { person: "coordinator.01".into(), role: "coordinator".into() },
            happened: at.local_date.into(),
            at,
            origin: "test".to_owned(),
            reason: None,
            subject: Some(subject),
            expected_position: None,
            action: conduct::Action::SaveFormSection { key, answers },
        };
        running.give(vec![command], None).unwrap();
    }
    panic!("the boundary was not reached by everybody on treatment");
}

#[test]
fn the_safety_board_is_mailed_decides_in_a_page_and_a_pause_holds_up_entry() {
    let study = "imatinib-open";
    let mut world = World::training_of(&[study], 6);
    let relay = Relay::start();
    relay.post(&mut world);
    world.give_addresses();
    beat(&world);
    relay.taken.lock().unwrap().clear();
    reach_the_boundary(&world, study);
    beat(&world);
    let mails = relay.taken.lock().unwrap().clone();
    let board: Vec<&String> = mails.iter().filter(|mail| mail.contains("safety board")).collect();
    assert_eq!(board.len(), 1, "{mails:?}");
    assert!(board[0].contains("To: <safety_board@"), "{}", board[0]);
    for word in ["01-0", "diarrhea", study, "boundary"] {
        assert!(!board[0].to_lowercase().contains(word), "{word}: {}", board[0]);
    }
    let path = format!("/studies/{study}/safety");
    let mut member = world.seated("safety_board");
    let home = text(&member.get(&format!("/studies/{study}")));
    assert!(home.contains("For the safety board to decide") && home.contains(&path), "{home}");
    assert!(text(&member.get(&path)).contains("boundary reached"));
    let decide = format!("{path}/related_severe");
    let sign =
        [("decision", "pause"), ("reason", "Too many of one kind"), ("password", crate::world::PASSWORD)];
    assert_eq!(member.post(&decide, &sign[..2]).status, 400, "a decision is signed with the password");
    assert!(text(&member.send(&decide, &sign)).contains("Too many of one kind"));
    assert!(!text(&member.get(&format!("/studies/{study}"))).contains("For the safety board to decide"));
    let mut investigator = world.seated("principal_investigator.01");
    investigator.get(&format!("/studies/{study}/consent"));
    let version = world.house.studies[study].study().consents.last().unwrap().id.clone();
    let consent = [("site", "01"), ("version", version.as_str()), ("date", "2031-05-20")];
    let refused = text(&investigator.post(&format!("/studies/{study}/consent"), &consent));
    assert!(refused.contains("nobody new enters the trial"), "{refused}");
    // Whoever must not know of adverse events learns nothing of the watch.
    for person in ["skin_assessor.01", "pathologist"] {
        assert_eq!(world.seated(person).get(&path).status, 404, "{person}");
    }
}

#[test]
fn an_invitation_is_mailed_with_its_link_and_the_outbox_forgets_the_link() {
    let mut world = World::training(1);
    let relay = Relay::start();
    relay.post(&mut world);
    let mut administrator = world.seated("administrator");
    administrator.get("/administration");
    let fields = [("printed-name", "Bo Dahl"), ("login", "bo.dahl"), ("email", "bo@example.org")];
    let page = text(&administrator.post("/administration/people", &fields));
    let link = page.split("/invitation/").nth(1).unwrap().split('<').next().unwrap().to_owned();
    world.house.post.as_ref().unwrap().deliver(world.house.now()).unwrap();
    let mails = relay.taken.lock().unwrap().clone();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains(&format!("https://trial.example.org/invitation/{link}")));
    let kept = fs::read(world.house.folder().join("outbox.sqlite")).unwrap();
    assert!(!kept.windows(link.len()).any(|bytes| bytes == link.as_bytes()));
}

#[test]
fn a11_7_2_the_server_backs_up_by_its_timetable_restores_what_it_made_and_says_so() {
    let mut world = World::training(3);
    let backups = tempfile::tempdir().unwrap();
    let page = |world: &World| text(&world.seated("administrator").get("/administration"));
    assert!(page(&world).contains("makes no backups by itself"));
    world.house.timetable = Some(Timetable {
        to: backups.path().to_owned(),
        every: SignedDuration::from_hours(24),
        kept: 2,
        key: BackupKey::from_bytes([7; 32]),
        at_work: Mutex::default(),
    });
    let timetable = world.house.timetable.as_ref().unwrap();
    assert!(is_due(&world.house, timetable));
    for _ in 0..3 {
        back_up(&world.house, timetable).unwrap();
        assert!(!is_due(&world.house, timetable));
        world.wait(24 * 3600);
        assert!(is_due(&world.house, timetable));
    }
    let mut kept: Vec<_> = fs::read_dir(backups.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    kept.sort();
    assert_eq!(kept.len(), 2, "{kept:?}");
    let to = tempfile::tempdir().unwrap().path().join("restored");
    let manifest = restore(&kept[1], &timetable.key, &to).unwrap();
    for (id, running) in &world.house.studies {
        let head = running.head().unwrap().hash.to_string();
        assert!(
            manifest.records.iter().any(|record| record.path.contains(id.as_str()) && record.head == head)
        );
    }
    assert!(page(&world).contains("restored and found whole"));
    // A folder that is gone is a failure that is told, and the last good backup stays told beside it.
    fs::remove_dir_all(backups.path()).unwrap();
    fs::write(backups.path(), "no folder").unwrap();
    assert!(back_up(&world.house, timetable).is_err());
    let told = page(&world);
    assert!(told.contains("A backup failed at") && told.contains("restored and found whole"));
    assert!(!is_due(&world.house, timetable), "it is not tried again at once");
    fs::remove_file(backups.path()).unwrap();
    let mut administrator = world.seated("administrator");
    administrator.get("/administration");
    assert_eq!(location(&administrator.post("/administration/backup", &[])), "/administration");
    assert!(!page(&world).contains("A backup failed at"));
}
