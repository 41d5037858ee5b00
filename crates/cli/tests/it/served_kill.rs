//! The server killed under many writing clients: what it acknowledged is in the record once, and only once.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use record::{Fact, Reader};
use store::SqliteReader;
use terms::{SubjectId, VisitId};

/// Clients that write at the same time.
const CLIENTS: usize = 64;
/// How often the server is killed; in a full campaign as often as the second number.
const KILLS: (u64, u64) = (50, 1_000);

/// A server in a process of its own.
pub struct Served {
    pub child: Child,
    pub address: String,
    pub password: String,
}

/// Serves a training copy in a folder.
pub fn serve(folder: &Path) -> Served {
    let mut program = Command::new(env!("CARGO_BIN_EXE_equipoise"));
    program.args(["serve", "--demo", "--listen", "127.0.0.1:0", "--data"]).arg(folder);
    Served::start(program)
}

impl Served {
    /// Starts a program that serves a training copy, and waits until it says where and with which password.
    #[expect(clippy::disallowed_methods, reason = "somebody has to read what the server says")]
    pub fn start(mut program: Command) -> Self {
        let mut child = program.stdout(Stdio::piped()).spawn().expect("the program can be started");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines.by_ref().map(Result::unwrap).find(|line| line.contains("Password of all: "));
        let said = said.expect("the server says its password");
        let address = said.split("http://").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        let password = said.split("Password of all: ").nth(1).unwrap().trim().to_owned();
        thread::spawn(move || lines.for_each(drop));
        Self { child, address, password }
    }
}

/// Asks over a connection of its own; none if the server went away before it had answered.
pub fn ask(address: &str, method: &str, path: &str, cookies: &str, form: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nCookie: {cookies}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer))
}

fn cookie(answer: &str, name: &str) -> String {
    let wanted = format!("set-cookie: {name}=");
    let value = answer.split(&wanted).nth(1).unwrap().split(';').next().unwrap();
    format!("{name}={value}")
}

fn token(answer: &str) -> String {
    answer.split("name=\"form-token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// Logs the monitor in; returns cookie and form token.
pub fn log_in(served: &Served) -> (String, String) {
    let (_, page) = ask(&served.address, "GET", "/log-in", "", "").unwrap();
    let visitor = cookie(&page, "equipoise-visitor");
    let form = format!("form-token={}&login=monitor&password={}", token(&page), served.password);
    let (status, answer) = ask(&served.address, "POST", "/log-in", &visitor, &form).unwrap();
    assert_eq!(status, 303, "{answer}");
    let session = cookie(&answer, "equipoise");
    let (_, page) = ask(&served.address, "GET", "/account", &session, "").unwrap();
    (session, token(&page))
}

/// A participant and a visit that was held.
pub fn held_visit(record: &Path) -> (SubjectId, VisitId) {
    let events = SqliteReader::open(record).unwrap().read(1).unwrap();
    let held = events.into_iter().find_map(|event| match (event.stream, event.fact) {
        (record::Stream::Subject(subject), Fact::VisitHeld { visit, .. }) => Some((subject, visit)),
        _ => None,
    });
    held.unwrap()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a campaign is asked for by the environment")]
fn p11_10e_1_a_killed_server_has_lost_and_doubled_nothing_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let full = std::env::var("EQUIPOISE_CAMPAIGN").is_ok_and(|campaign| campaign == "full");
    let kills = if full { KILLS.1 } else { KILLS.0 };
    let acknowledged = Mutex::new(Vec::new());
    let record = folder.path().join("studies/imatinib-open/record");
    for round in 0..kills {
        let mut served = serve(folder.path());
        let (session, token) = log_in(&served);
        let (subject, visit) = held_visit(&record);
        let path =
            format!("/studies/imatinib-open/participants/{subject}/forms/vital_signs/{visit}/0/queries");
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (address, session, token, path) = (&served.address, &session, &token, &path);
                let (over, acknowledged) = (&over, &acknowledged);
                scope.spawn(move || {
                    for number in 0.. {
                        if over.load(Ordering::Relaxed) {
                            return;
                        }
                        let text = format!("round-{round}-client-{client}-query-{number}");
                        let form = format!("form-token={token}&item=weight&of=coordinator&text={text}");
                        match ask(address, "POST", path, session, &form) {
                            Some((303, _)) => acknowledged.lock().unwrap().push(text),
                            // Faster than one session may: enough is written for this round.
                            Some((429, _)) => return,
                            Some((status, answer)) => panic!("{status}: {answer}"),
                            None => return,
                        }
                    }
                });
            }
            // Moments that differ from round to round: a tenth of a second up to half of one.
            thread::sleep(Duration::from_millis(100 + (round * 7919) % 400));
            served.child.kill().unwrap();
            served.child.wait().unwrap();
            over.store(true, Ordering::Relaxed);
        });
    }
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() as u64 > kills, "too few writes were acknowledged: {}", acknowledged.len());
    let reader = SqliteReader::open(&record).unwrap();
    let mut found: BTreeMap<String, u32> = BTreeMap::new();
    for event in reader.read(1).unwrap() {
        if let Fact::QueryOpened { text, .. } = &event.fact {
            *found.entry(text.get().unwrap().clone()).or_default() += 1;
        }
    }
    for text in &acknowledged {
        assert_eq!(found.get(text), Some(&1), "{text}");
    }
    let doubled: Vec<_> =
        found.iter().filter(|(text, count)| text.starts_with("round-") && **count > 1).collect();
    assert!(doubled.is_empty(), "{doubled:?}");
    assert_eq!(store::verify(&record, None).unwrap().first_fault, None);
}
