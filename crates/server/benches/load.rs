//! A mixed day under load: a big record made by the study's own commands, a server in a process of its own, sessions that
//! read, save and list, and the figures beside what the disk can do.
//!
//! ```text
//! cargo bench -p server --bench load -- --participants 1000 --seconds 60
//! ```
//!
//! Virtual participants go through the open trial, with more assessments than it has, by the commands of the real one: `--drawn` of
//! them at most. A larger trial takes the events of those again, under further numbers, day by day, so that each participant has
//! about two thousand values and a record of twenty million is made in minutes; it is encoded, salted and chained like any
//! other. The store is kept in `--store` for the next run. Each session works at its own participants, one after the other: 70 % of its requests read (a participant's course, a
//! form, its history, what is due today), 25 % save a form with all its items changed, 5 % ask for a list, the dashboard or an
//! export. Requests are sent by a timetable, and the time of an answer counts from when it was due, so that a server that
//! falls behind can't hide it.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock and starts threads")]

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use rand_chacha::{ChaCha8Rng, ChaCha20Rng};
use rand_core::{Rng, SeedableRng};
use record::{Draft, Environment, Event, Fact, Reader, Recording, Stream, Submission, Writer};
use server::{Installation, installation, shell};
use simulation::{ConductedTrial, Nobody, Rehearsal, Trial, streams::Streams};
use store::{SqliteReader, SqliteStore};
use terms::{Date, SiteId, Timestamp};

const STUDY: &str = "imatinib-open";
/// How long after its end a load may go on, for a server that has fallen behind.
const GRACE: Duration = Duration::from_secs(10);
/// How long to wait for what the server prepares after its start.
const LISTS_WAIT: Duration = Duration::from_secs(300);
/// Sites among which the participants are spread.
const SITES: usize = 40;
const PASSWORD: &str = "several words make a good one";

struct Options {
    participants: u32,
    /// Participants that go through the trial themselves.
    drawn: u32,
    /// Whether to stop once the record is made and verified.
    only_make: bool,
    sessions: usize,
    seconds: u64,
    rate: f64,
    store: PathBuf,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [role, folder] = &arguments[..]
        && role == "--serve"
    {
        return serve(Path::new(folder));
    }
    let named = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let number = |name: &str, otherwise: f64| {
        named(name).map_or(otherwise, |text| text.parse().expect("a number follows the option"))
    };
    let participants = number("--participants", 200.0) as u32;
    let store = named("--store")
        .map_or_else(|| std::env::temp_dir().join(format!("equipoise-load-{participants}")), PathBuf::from);
    let options = Options {
        participants,
        drawn: number("--drawn", 400.0) as u32,
        only_make: arguments.iter().any(|argument| argument == "--only-make"),
        sessions: number("--sessions", 200.0) as usize,
        seconds: number("--seconds", 30.0) as u64,
        rate: number("--rate", 320.0),
        store,
    };
    prepare(&options);
    println!("disk        {}", disk(&options.store));
    println!("verify      {}; {}", verified(&options.store), busy());
    if options.only_make {
        return;
    }
    let server = Server::start(&options.store);
    println!(
        "start       {:.1} s, {:.1} s of them processor time, to read the record; {}; {}",
        server.started.as_secs_f64(),
        server.cpu(),
        server.memory(),
        busy()
    );
    println!("lists       {}", server.lists_made());
    let (requests, others, used) = load(&options, &server);
    println!(
        "processor   {:.2} ms of the server's own time a request; {:.2} ms with the {others} that only prepare a save or look for \
         a participant",
        used * 1000.0 / requests as f64,
        used * 1000.0 / (requests + others) as f64
    );
    println!("memory      {}", server.memory());
    println!("machine     {}", busy());
}

/// What else the machine does: figures of a busy one are no figures.
fn busy() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!("load average {}", text.split(' ').take(2).collect::<Vec<_>>().join(" "))
}

// ---- the record ----

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies").join(STUDY)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the store's folder can be written");
    for entry in fs::read_dir(from).expect("the study's folder") {
        let path = entry.expect("an entry of it").path();
        let target = to.join(path.file_name().expect("it has a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("the store's folder can be written");
        }
    }
}

/// The trial has one site; a load needs many.
fn add_sites(path: &Path) {
    let text = fs::read_to_string(path).expect("the study's file");
    let (before, after) = text.split_once("[sites]\n").expect("the study has sites");
    let (first, rest) = after.split_once('\n').expect("one at least");
    let more: String =
        (2..=SITES).map(|site| format!("{site:02}{}\n", first.trim_start_matches("01"))).collect();
    fs::write(path, format!("{before}[sites]\n{first}\n{more}{rest}"))
        .expect("the store's folder can be written");
}

/// Assessments at every month, so that a participant has some two thousand values.
fn add_assessments(path: &Path) {
    let text = fs::read_to_string(path).expect("the study's file");
    let often = ["skin_score", "global_vas", "quality_of_life", "lung_function"];
    let visits =
        text.lines().find(|line| line.starts_with("visits ")).expect("the schedule names its visits");
    let visits: Vec<&str> = visits.split('"').nth(1).unwrap_or_default().split_whitespace().collect();
    let lines = text.lines().map(|line| {
        let name = line.split_whitespace().next().unwrap_or_default();
        let marks: Vec<&str> = line.split('"').nth(1).unwrap_or_default().split_whitespace().collect();
        if !often.contains(&name) || marks.len() != visits.len() {
            return line.to_owned();
        }
        let monthly = |visit: &str| visit.starts_with('M') && visit != "M15";
        let marks = visits.iter().zip(marks).map(|(visit, mark)| if monthly(visit) { "x" } else { mark });
        format!("{name} = \"{}\"", marks.collect::<Vec<_>>().join(" "))
    });
    let text: Vec<String> = lines.collect();
    fs::write(path, text.join("\n") + "\n").expect("the store's folder can be written");
}

/// Lets virtual people go through the trial, unless an earlier run left them.
fn prepare(options: &Options) {
    let folder = options.store.join("studies").join(STUDY);
    let record = folder.join("record");
    if !record.exists() {
        let _ = fs::remove_dir_all(&options.store);
        copy(&root(), &folder.join("study"));
        add_sites(&folder.join("study/study.toml"));
        add_assessments(&folder.join("study/schedule.toml"));
        // It says where each cell of the protocol's own schedule leads.
        let _ = fs::remove_file(folder.join("study/coverage.toml"));
        let times = options.participants.div_ceil(options.drawn);
        let drawn = options.participants.div_ceil(times);
        let begun = Instant::now();
        let first = if times > 1 { options.store.join("drawn") } else { record.clone() };
        go_through(&folder.join("study"), &first, drawn);
        if times > 1 {
            let unfinished = folder.join("record.unfinished");
            let _ = fs::remove_dir_all(&unfinished);
            multiply(&first, &unfinished, times);
            fs::rename(&unfinished, &record).expect("the store's folder can be written");
            let _ = fs::remove_dir_all(&first);
        }
        println!("made        in {:.0} s; {}", begun.elapsed().as_secs_f64(), busy());
    }
    let reader = SqliteReader::open(&record).expect("the record is there");
    let (mut events, mut values) = (0_u64, 0_u64);
    reader
        .each(1, &mut |event| {
            events += 1;
            if let Fact::FormSectionSaved { changes, .. } | Fact::FormSectionCorrected { changes, .. } =
                &event.fact
            {
                values += changes.len() as u64;
            }
        })
        .expect("the record can be read");
    let bytes = fs::metadata(record.join("record.sqlite")).map_or(0, |file| file.len());
    println!("record      {events} events, {values} item values, {} MB on disk", bytes / 1_000_000);
}

/// Lets virtual people go through the trial by its commands.
fn go_through(study: &Path, record: &Path, participants: u32) {
    let mut study = installation::compile(study).expect("the study compiles");
    let cohort = &mut study.virtual_cohort.cohort;
    cohort.opens = Some(Date::constant(2022, 9, 5));
    // All within two years, and followed to their ends.
    cohort.screened_per_month = f64::from(participants) / 20.0;
    cohort.screened_max = participants;
    cohort.enrol = Some(participants);
    let streams = Streams::new(1);
    let store = SqliteStore::create(record, Environment::Rehearsal).expect("the store can be made");
    let mut trial = ConductedTrial::begin(&study, &streams, Box::new(store), None, None, &Nobody)
        .expect("the record begins");
    let begun = Instant::now();
    let mut rehearsal = Rehearsal::new(&study, streams, &mut trial);
    rehearsal.open(1).expect("the study opens");
    rehearsal.run_up_to(Date::constant(2026, 6, 1)).expect("the trial goes on");
    trial.commit().expect("the store can be written");
    let commands = trial.engine().counts();
    println!(
        "drawn       {} participants by {} commands in {:.0} s",
        trial.state().casebooks.len(),
        commands.accepted,
        begun.elapsed().as_secs_f64()
    );
}

/// Events after which a growing record is committed.
const COMMITTED_AT: usize = 4_000;

/// Writes a record in which every participant of another one stands so many times, under further numbers of the site. What happened
/// on a day is written participant by participant.
fn multiply(from: &Path, to: &Path, times: u32) {
    let reader = SqliteReader::open(from).expect("the record is there");
    let store = SqliteStore::create(to, Environment::Rehearsal).expect("the store can be made");
    let mut writer = Writer::new(Box::new(store)).expect("the store can be read");
    let mut salts = ChaCha20Rng::seed_from_u64(1);
    let mut at_site: BTreeMap<SiteId, u32> = BTreeMap::new();
    reader
        .each(1, &mut |event| {
            if let (Fact::ConsentSigned { .. }, Some(site)) = (&event.fact, &event.site)
                && event.position == 1
            {
                *at_site.entry(site.clone()).or_default() += 1;
            }
        })
        .expect("the record can be read");
    let mut day: Vec<Event> = Vec::new();
    let mut flush = |day: &mut Vec<Event>| {
        let mut staged = 0;
        for time in 0..times {
            for event in day.iter() {
                let event = match (&event.stream, &event.site) {
                    (Stream::Subject(_), Some(site)) => renumbered(event, site, time * at_site[site]),
                    _ if time > 0 => continue,
                    _ => event.clone(),
                };
                let Event {
                    stream, by, site, happened, recorded, origin, study_version, reason, fact, ..
                } = event;
                let expected = writer.position(&stream).expect("the store can be read");
                let submission = Submission {
                    expected: vec![(stream.clone(), expected)],
                    drafts: vec![Draft { stream, by, site, happened, reason, fact }],
                    recording: Recording { recorded, origin, study_version },
                };
                writer.stage(submission, &mut salts).expect("a copy has its place");
                staged += 1;
                if staged % COMMITTED_AT == 0 {
                    writer.commit().expect("the store can be written");
                }
            }
        }
        writer.commit().expect("the store can be written");
        day.clear();
    };
    reader
        .each(1, &mut |event| {
            if day.last().is_some_and(|last| last.recorded.local_date != event.recorded.local_date) {
                flush(&mut day);
            }
            day.push(event);
        })
        .expect("the record can be read");
    flush(&mut day);
}

/// The event of another participant of the site, whose number is so much higher. Ids of queries and deviations begin with it.
fn renumbered(event: &Event, site: &SiteId, higher: u32) -> Event {
    let Stream::Subject(subject) = &event.stream else { return event.clone() };
    let number: u32 =
        subject.as_str().rsplit('-').next().and_then(|number| number.parse().ok()).expect("a number");
    let other = format!("{site}-{:03}", number + higher);
    let text = serde_json::to_string(event).expect("an event is plain data");
    serde_json::from_str(&text.replace(subject.as_str(), &other)).expect("only a number is another one")
}

/// How often the disk makes 4 KiB durable in a second.
fn disk(folder: &Path) -> String {
    let path = folder.join("fsync.probe");
    let mut file = File::create(&path).expect("the store's folder can be written");
    let begun = Instant::now();
    let mut count = 0;
    while begun.elapsed() < Duration::from_secs(2) {
        file.write_all(&[0; 4096]).and_then(|()| file.sync_data()).expect("the disk takes it");
        count += 1;
    }
    let _ = fs::remove_file(path);
    format!("{:.0} fsyncs of 4 KiB a second", f64::from(count) / begun.elapsed().as_secs_f64())
}

fn verified(folder: &Path) -> String {
    let record = folder.join("studies").join(STUDY).join("record");
    let begun = Instant::now();
    let report = store::verify(&record, None).expect("the record can be read");
    assert_eq!(report.first_fault, None, "the record is whole");
    format!("{} events recomputed in {:.1} s", report.events, begun.elapsed().as_secs_f64())
}

// ---- the server ----

fn serve(folder: &Path) {
    let (mut house, _) = Installation::open(folder, Environment::Rehearsal, Box::new(Timestamp::now))
        .expect("the installation opens");
    house.make_ready_accounts(PASSWORD).expect("accounts can be made");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port is free");
    println!("{}", listener.local_addr().expect("it has an address"));
    runtime
        .block_on(shell::serve(Arc::new(house), listener, true, std::future::pending()))
        .expect("the server runs");
}

struct Server {
    child: Child,
    address: String,
    started: Duration,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let begun = Instant::now();
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            // As the service has it.
            .env("MALLOC_ARENA_MAX", "2")
            .env("MALLOC_MMAP_THRESHOLD_", "131072")
            .arg("--serve")
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut address = String::new();
        let mut said = BufReader::new(child.stdout.take().expect("it is piped"));
        said.read_line(&mut address).expect("the server says where it listens");
        Self { child, address: address.trim().to_owned(), started: begun.elapsed() }
    }

    /// Seconds of processor time so far.
    fn cpu(&self) -> f64 {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks =
            |place: usize| fields.get(place).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0);
        // utime and stime, in hundredths of a second on Linux.
        (ticks(11) + ticks(12)) / 100.0
    }

    /// Waits until the server has nothing of its own to do any more, and says how long that took.
    fn lists_made(&self) -> String {
        let begun = Instant::now();
        let mut before = self.cpu();
        while begun.elapsed() < LISTS_WAIT {
            thread::sleep(Duration::from_secs(1));
            let now = self.cpu();
            if now - before < 0.1 {
                break;
            }
            before = now;
        }
        format!("made {:.0} s after the start; {}", begun.elapsed().as_secs_f64(), self.memory())
    }

    fn memory(&self) -> String {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let of = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
        };
        format!("{} MB resident, {} MB at most so far", of("VmRSS:"), of("VmHWM:"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// ---- a browser ----

struct Browser {
    address: String,
    /// The network address that a proxy would tell: each session has its own, as people have.
    from: String,
    stream: Option<BufReader<TcpStream>>,
    cookie: String,
    token: String,
}

struct Answer {
    status: u16,
    location: String,
    cookie: String,
    body: String,
}

impl Browser {
    fn new(address: &str, session: usize) -> Self {
        let from = format!("10.0.{}.{}", session / 250, session % 250 + 1);
        Self { address: address.to_owned(), from, stream: None, cookie: String::new(), token: String::new() }
    }

    fn ask(&mut self, method: &str, path: &str, form: &str) -> std::io::Result<Answer> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(&self.address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(60)))?;
            self.stream = Some(BufReader::new(stream));
        }
        let asked = self.exchange(method, path, form);
        if asked.is_err() {
            self.stream = None;
        }
        asked
    }

    fn exchange(&mut self, method: &str, path: &str, form: &str) -> std::io::Result<Answer> {
        let stream = self.stream.as_mut().ok_or(std::io::ErrorKind::NotConnected)?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nX-Forwarded-For: {}\r\nCookie: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{form}",
            self.address,
            self.from,
            self.cookie,
            form.len()
        );
        stream.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let (mut length, mut location, mut cookie) = (0, String::new(), String::new());
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            match name {
                "content-length" => length = value.parse().unwrap_or(0),
                "location" => location = value.to_owned(),
                "set-cookie" => cookie = value.split(';').next().unwrap_or_default().to_owned(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        let body = String::from_utf8_lossy(&body).into_owned();
        if let Some((_, rest)) = body.split_once("name=\"form-token\" value=\"") {
            self.token = rest.split('"').next().unwrap_or_default().to_owned();
        }
        Ok(Answer { status, location, cookie, body })
    }

    fn log_in(&mut self, person: &str) {
        let page = self.ask("GET", "/log-in", "").expect("the server answers");
        self.cookie = page.cookie;
        let password = server::http::segment(PASSWORD);
        let form = format!("form-token={}&login={person}&password={password}", self.token);
        let answer = self.ask("POST", "/log-in", &form).expect("the server answers");
        assert_eq!(answer.status, 303, "{person}: {}", answer.body);
        self.cookie = answer.cookie;
    }
}

/// The fields of a form page with another answer for every item that offers one.
fn changed(page: &str, token: &str) -> (String, usize) {
    let form =
        page.split("id=\"form\"").nth(1).unwrap_or_default().split("</form>").next().unwrap_or_default();
    let attribute = |tag: &str, name: &str| -> Option<String> {
        let rest = tag.split_once(&format!(" {name}=\""))?.1;
        Some(rest.split('"').next().unwrap_or_default().to_owned())
    };
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    let mut choices: BTreeMap<String, (Option<usize>, Vec<String>)> = BTreeMap::new();
    let mut select = String::new();
    for tag in form.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default()) {
        let (name, value) = (attribute(tag, "name"), attribute(tag, "value").unwrap_or_default());
        match name {
            Some(name) if tag.starts_with("input") && tag.contains("type=\"radio\"") => {
                let (chosen, values) = choices.entry(name).or_default();
                if tag.ends_with(" checked") {
                    *chosen = Some(values.len());
                }
                values.push(value);
            }
            Some(name) if tag.starts_with("input") => drop(fields.insert(name, value)),
            Some(name) if tag.starts_with("select") => select = name,
            None if tag.starts_with("option") && !select.is_empty() => {
                let chosen = tag.ends_with(" selected");
                if select.starts_with("i.") && !value.is_empty() {
                    let (place, values) = choices.entry(select.clone()).or_default();
                    if chosen {
                        *place = Some(values.len());
                    }
                    values.push(value);
                } else if chosen {
                    fields.insert(select.clone(), value);
                }
            }
            _ if tag.starts_with("/select") => select.clear(),
            _ => {}
        }
    }
    let count = choices.len();
    for (name, (chosen, values)) in choices {
        let next = chosen.map_or(0, |chosen| (chosen + 1) % values.len());
        // A value in place of a reason for none.
        fields.remove(&name.replacen("i.", "m.", 1));
        fields.insert(name, values[next].clone());
    }
    fields.insert("reason".to_owned(), "Source document corrected".to_owned());
    fields.insert("do".to_owned(), "save".to_owned());
    fields.insert("form-token".to_owned(), token.to_owned());
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", server::http::segment(name), server::http::segment(value)))
        .collect();
    (pairs.join("&"), count)
}

// ---- the load ----

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Read,
    Save,
    List,
}

#[derive(Default)]
struct Figures {
    times: BTreeMap<Kind, Vec<Duration>>,
    by_page: BTreeMap<&'static str, Vec<Duration>>,
    faults: BTreeMap<String, u32>,
    bytes_max: (usize, &'static str),
    items: u64,
    /// Requests that were due and not sent, because the server had fallen behind.
    unsent: u64,
    /// Requests outside the timetable, which a session needs in order to know what to ask for.
    others: usize,
}

/// Puts the load on. Returns how many requests of the timetable were answered, how many others were sent, and the seconds of the
/// server's processor time since everybody had logged in: a password's hash is dear on purpose.
fn load(options: &Options, server: &Server) -> (usize, usize, f64) {
    let running = installation::compile(&options.store.join("studies").join(STUDY).join("study"))
        .expect("the study compiles");
    let people: Vec<String> = running.sites.iter().map(|site| format!("coordinator.{}", site.id)).collect();
    let readers = ["data_manager", "monitor"];
    let figures = Mutex::new(Figures::default());
    let logged_in: Vec<(String, Browser)> = (0..options.sessions)
        .map(|session| {
            // One session in ten looks over all sites, the others work at one.
            let person = match session % 10 {
                9 => readers[session / 10 % readers.len()].to_owned(),
                _ => people[session % people.len()].clone(),
            };
            let mut browser = Browser::new(&server.address, session);
            browser.log_in(&person);
            (person, browser)
        })
        .collect();
    let before = server.cpu();
    let begun = Instant::now();
    let end = begun + Duration::from_secs(options.seconds);
    thread::scope(|scope| {
        for (session, (person, browser)) in logged_in.into_iter().enumerate() {
            let figures = &figures;
            scope.spawn(move || {
                let mut day = Day::new(options, session, person, browser);
                let mine = day.work(begun, end);
                let mut all = figures.lock().expect("no session panicked");
                for (kind, times) in mine.times {
                    all.times.entry(kind).or_default().extend(times);
                }
                for (page, times) in mine.by_page {
                    all.by_page.entry(page).or_default().extend(times);
                }
                for (fault, count) in mine.faults {
                    *all.faults.entry(fault).or_default() += count;
                }
                all.bytes_max = all.bytes_max.max(mine.bytes_max);
                all.items += mine.items;
                all.unsent += mine.unsent;
                all.others += mine.others;
            });
        }
    });
    let took = begun.elapsed().as_secs_f64();
    let used = server.cpu() - before;
    let mut all = figures.into_inner().expect("no session panicked");
    let count: usize = all.times.values().map(Vec::len).sum();
    println!(
        "load        {} sessions, {:.0} requests a second over {took:.0} s",
        options.sessions,
        count as f64 / took
    );
    for (kind, name) in [(Kind::Read, "read"), (Kind::Save, "save"), (Kind::List, "list")] {
        println!("{name:<11} {}", spread(all.times.entry(kind).or_default()));
    }
    for (page, times) in &mut all.by_page {
        println!("  {page:<9} {}", spread(times));
    }
    let (bytes, page) = all.bytes_max;
    println!("saved       {} items changed; largest page {} kB ({page})", all.items, bytes / 1000);
    println!("faults      {:?}; {} requests not sent for want of time", all.faults, all.unsent);
    (count, all.others, used)
}

fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |share: f64| {
        let place = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
        times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    format!(
        "{:>7} answers; p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, longest {:.0} ms",
        times.len(),
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0)
    )
}

/// A session's day.
struct Day<'a> {
    options: &'a Options,
    session: usize,
    person: String,
    browser: Browser,
    random: ChaCha8Rng,
    /// Where it is at: the participant's path and the forms on it.
    forms: Vec<String>,
    subject: String,
    left: u32,
}

impl<'a> Day<'a> {
    fn new(options: &'a Options, session: usize, person: String, browser: Browser) -> Self {
        let random = ChaCha8Rng::seed_from_u64(session as u64);
        Self { options, session, person, browser, random, forms: Vec::new(), subject: String::new(), left: 0 }
    }

    fn draw(&mut self, below: usize) -> usize {
        (self.random.next_u64() % below.max(1) as u64) as usize
    }

    fn work(&mut self, begun: Instant, end: Instant) -> Figures {
        let mut figures = Figures::default();
        let pace = self.options.sessions as f64 / self.options.rate;
        let mut due = begun + Duration::from_secs_f64(pace * (self.draw(1000) as f64 / 1000.0));
        while due < end {
            if Instant::now() > end + GRACE {
                // A server that has fallen so far behind is not waited for.
                figures.unsent += ((end - due).as_secs_f64() / pace).ceil() as u64;
                break;
            }
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let enters = self.person.starts_with("coordinator");
            let (kind, page) = match self.draw(100) {
                0..5 => (Kind::List, ["list", "queries", "dashboard", "export"][self.draw(4)]),
                5..33 if enters => (Kind::Save, "save"),
                _ => (Kind::Read, ["course", "form", "form", "history", "today"][self.draw(5)]),
            };
            // What a save needs to know of the form was read before and is no part of its time.
            let ready = if page == "save" { self.ready_save(&mut figures) } else { None };
            let from = if ready.is_some() { Instant::now() } else { due };
            let answer = match (page, ready) {
                ("save", Some((path, form))) => self.browser.ask("POST", &path, &form),
                ("save", None) => {
                    due += Duration::from_secs_f64(pace);
                    continue;
                }
                (page, _) => {
                    let path = self.path(page, &mut figures);
                    self.browser.ask("GET", &path, "")
                }
            };
            match answer {
                Ok(answer) => {
                    let took = from.elapsed();
                    figures.times.entry(kind).or_default().push(took);
                    figures.by_page.entry(page).or_default().push(took);
                    if page != "export" {
                        figures.bytes_max = figures.bytes_max.max((answer.body.len(), page));
                    }
                    let wanted = if kind == Kind::Save { 303 } else { 200 };
                    if answer.status != wanted {
                        let said = answer.body.split("role=\"alert\"").nth(1).unwrap_or_default();
                        let said: String = said.chars().take(160).collect();
                        *figures
                            .faults
                            .entry(format!("{page} {} {} {said}", answer.status, answer.location))
                            .or_default() += 1;
                    }
                    if page == "course" {
                        self.note_forms(&answer.body);
                    }
                }
                Err(error) => *figures.faults.entry(error.kind().to_string()).or_default() += 1,
            }
            due += Duration::from_secs_f64(pace);
        }
        figures
    }

    /// A participant of the session's own, for a dozen requests.
    fn subject(&mut self, figures: &mut Figures) -> String {
        if self.left == 0 {
            self.left = 12;
            self.forms.clear();
            let site = match self.person.split_once('.') {
                Some((_, site)) => site.to_owned(),
                None => format!("{:02}", 1 + self.draw(SITES)),
            };
            // Sessions of one person keep to participants of their own.
            let sharers = self.options.sessions.div_ceil(SITES);
            let each = (self.options.participants as usize / SITES * 3 / 4).max(1);
            let number = 1 + self.draw(each.div_ceil(sharers)) * sharers + self.session / SITES % sharers;
            self.subject = format!("/studies/{STUDY}/participants/{site}-{number:03}");
            figures.others += 1;
            if let Ok(answer) = self.browser.ask("GET", &self.subject.clone(), "")
                && answer.status == 200
            {
                self.note_forms(&answer.body);
            } else {
                self.left = 0;
                figures.others += 1;
                let list = format!("/studies/{STUDY}/participants");
                let page = self.browser.ask("GET", &list, "").map(|answer| answer.body).unwrap_or_default();
                let found = page.split("href=\"").skip(1).find_map(|rest| {
                    let path = rest.split('"').next()?;
                    path.starts_with(&format!("{list}/")).then(|| path.to_owned())
                });
                self.subject = found.unwrap_or(list);
            }
        }
        self.left = self.left.saturating_sub(1);
        self.subject.clone()
    }

    fn note_forms(&mut self, page: &str) {
        self.forms = page
            .split("href=\"")
            .skip(1)
            .filter(|rest| rest.contains("class=\"form complete\"") || rest.contains("class=\"form begun\""))
            .filter_map(|rest| rest.split('"').next())
            .filter(|path| path.contains("/forms/") && path.ends_with("/0"))
            .map(str::to_owned)
            .collect();
    }

    fn form(&mut self, wanted: &str) -> Option<String> {
        let fitting: Vec<String> = self.forms.iter().filter(|path| path.contains(wanted)).cloned().collect();
        if fitting.is_empty() { None } else { Some(fitting[self.draw(fitting.len())].clone()) }
    }

    fn path(&mut self, page: &str, figures: &mut Figures) -> String {
        let study = format!("/studies/{STUDY}");
        match page {
            "list" => format!("{study}/participants?page={}&sort=status", 1 + self.draw(3)),
            "queries" => format!("{study}/queries?state=all"),
            "dashboard" => format!("{study}/dashboard"),
            "export" => format!("{study}/participants.csv"),
            "today" => study,
            "form" | "history" => {
                let subject = self.subject(figures);
                let form = self.form("").unwrap_or(subject);
                if page == "history" && form.contains("/forms/") { format!("{form}/history") } else { form }
            }
            _ => self.subject(figures),
        }
    }

    /// Reads a form with many items and answers every one otherwise.
    fn ready_save(&mut self, figures: &mut Figures) -> Option<(String, String)> {
        self.subject(figures);
        let path = self.form("/forms/sf36/")?;
        figures.others += 1;
        let page = self.browser.ask("GET", &path, "").ok()?.body;
        let (form, count) = changed(&page, &self.browser.token);
        figures.items += count as u64;
        Some((path, form))
    }
}
