//! A training copy of both studies, and browsers that ask for its pages.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use record::Environment;
use server::{
    Installation, gate,
    http::{Fields, Method, Reply, Request, Upload},
    training,
};
use simulation::{ConductedTrial, Nobody, Rehearsal, streams::Streams};
use store::SqliteStore;
use terms::{Date, Timestamp};

/// The password of the ready accounts.
pub const PASSWORD: &str = "several words make a good one";
/// Both studies.
pub const STUDIES: [&str; 2] = ["imatinib-controlled", "imatinib-open"];

/// An installation in a folder of its own, with a clock that the test sets.
pub struct World {
    pub house: Installation,
    /// Who has which arm, where the test may know.
    pub arms: BTreeMap<String, String>,
    clock: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

/// A browser: it keeps cookies and sends forms as pages gave them.
pub struct Browser<'a> {
    house: &'a Installation,
    pub cookies: BTreeMap<String, String>,
    pub token: String,
    upload: Option<Upload>,
    pub address: IpAddr,
    origin: Option<String>,
}

/// Reads a study's files as the repository has them.
pub fn study_files(id: &str) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies").join(id);
    let mut files = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                files.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

/// A provider of single sign-on that nobody reaches.
#[cfg(feature = "single-sign-on")]
fn unreachable_provider() -> server::single_sign_on::SingleSignOn {
    use server::single_sign_on::{NotReached, Provider, SingleSignOn};
    let provider = Provider {
        name: "University Hospital".to_owned(),
        issuer: "https://idp.example.org".to_owned(),
        client: "equipoise".to_owned(),
        secret: "secret".to_owned(),
        pages: "https://equipoise.test".to_owned(),
    };
    SingleSignOn::with(provider, Box::new(|_| Err(NotReached("no network".to_owned())))).unwrap()
}

impl World {
    /// A training copy whose trials opened `months` ago.
    pub fn training(months: i32) -> Self {
        Self::training_of(&STUDIES, months)
    }

    /// A training copy of some studies.
    pub fn training_of(ids: &[&str], months: i32) -> Self {
        Self::made(|studies, today| {
            let opened = training::opened_before(today, months);
            for id in ids {
                training::make(studies, &study_files(id), 7, opened, today).unwrap();
            }
            BTreeMap::new()
        })
    }

    /// A training copy whose studies somebody else makes in the folder, for today.
    pub fn made(make: impl FnOnce(&Path, Date) -> BTreeMap<String, String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let today = Date::constant(2031, 5, 20);
        let arms = make(&folder.path().join("studies"), today);
        let mut world = Self::open(folder, Environment::Rehearsal, today).0;
        world.house.make_ready_accounts(PASSWORD).unwrap();
        world.arms = arms;
        world
    }

    /// A training copy of the open trial that is over for everyone: all slides are read, nothing is closed.
    pub fn finished() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let today = Date::constant(2031, 5, 20);
        let id = STUDIES[1];
        let files = study_files(id);
        let mut study = protocol::compile(&files).unwrap().study;
        study.virtual_cohort.cohort.opens = Some(training::opened_before(today, 72));
        let own = folder.path().join("studies").join(id);
        for (name, text) in &files {
            let path = own.join("study").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let streams = Streams::new(7);
        let store = SqliteStore::create(&own.join("record"), Environment::Rehearsal).unwrap();
        let mut trial =
            ConductedTrial::begin(&study, &streams, Box::new(store), None, None, &Nobody).unwrap();
        let mut rehearsal = Rehearsal::new(&study, streams, &mut trial);
        rehearsal.open(7).unwrap();
        let last = rehearsal.run().unwrap().last_day;
        rehearsal.read_specimens(last).unwrap();
        trial.commit().unwrap();
        drop(trial);
        let mut world = Self::open(folder, Environment::Rehearsal, today).0;
        world.house.make_ready_accounts(PASSWORD).unwrap();
        world
    }

    /// An empty live installation with one study's files, and its set-up token.
    pub fn empty() -> (Self, String) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("studies/imatinib-open/study");
        for (name, text) in study_files("imatinib-open") {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let (world, token) = Self::open(folder, Environment::Live, Date::constant(2031, 5, 20));
        (world, token.unwrap())
    }

    fn open(folder: tempfile::TempDir, environment: Environment, today: Date) -> (Self, Option<String>) {
        let noon = today.at(12, 0, 0, 0).in_tz("UTC").unwrap().timestamp();
        let clock = Arc::new(AtomicI64::new(noon.as_second()));
        let read = Arc::clone(&clock);
        let now = move || Timestamp::from_second(read.load(Ordering::Relaxed)).unwrap();
        let (mut house, token) = Installation::open(folder.path(), environment, Box::new(now)).unwrap();
        #[cfg(feature = "passkeys")]
        {
            house.passkeys = Some(server::passkeys::Passkeys::at("https://equipoise.test").unwrap());
        }
        #[cfg(feature = "single-sign-on")]
        {
            house.single_sign_on = Some(unreachable_provider());
        }
        house.manual = &[("first-log-in", "# From an empty server\n")];
        (Self { house, arms: BTreeMap::new(), clock, _folder: folder }, token)
    }

    /// Lets time pass.
    pub fn wait(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Gives everybody an address, `PERSON@example.org`.
    pub fn give_addresses(&self) {
        let note = store::accounts::Note {
            at: self.house.now(),
            by: "test",
            about: "accounts",
            what: "addresses",
            detail: "",
            origin: "test",
        };
        let mut accounts = self.house.accounts();
        for account in accounts.all().unwrap() {
            accounts.set_email(&account.person, &format!("{}@example.org", account.person), &note).unwrap();
        }
    }

    /// A participant who takes the drug, and the site.
    pub fn participant_on_treatment(&self, study: &str) -> (String, String) {
        let state = self.house.studies[study].state();
        let treated = |casebook: &&std::sync::Arc<conduct::Casebook>| {
            casebook.first_dose().is_some() && casebook.treatment_end.is_none()
        };
        let casebook = state.casebooks.values().find(treated).unwrap();
        (casebook.subject.to_string(), casebook.site.to_string())
    }

    /// A browser that is not logged in.
    pub fn browser(&self) -> Browser<'_> {
        Browser {
            house: &self.house,
            cookies: BTreeMap::new(),
            token: String::new(),
            upload: None,
            address: IpAddr::from([127, 0, 0, 1]),
            origin: None,
        }
    }

    /// A browser in which somebody is logged in, without the trouble of a password's hash.
    pub fn seated(&self, person: &str) -> Browser<'_> {
        let mut browser = self.browser();
        let person = terms::PersonId::from(person);
        let stage = server::sessions::Stage::In;
        let token = self.house.sessions.begin(&person, stage, self.house.now());
        browser.cookies.insert(gate::SESSION_COOKIE.to_owned(), token.clone());
        browser.token = self.house.sessions.touch(&token, self.house.now()).unwrap().form_token;
        browser
    }
}

impl Browser<'_> {
    /// Asks for a page.
    pub fn get(&mut self, path: &str) -> Reply {
        self.ask(Method::Get, path, Fields::default())
    }

    /// Sends a form, with the token of the last page.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let form = self.filled(fields);
        self.ask(Method::Post, path, form)
    }

    /// Sends a form from a page of another site, with the right token all the same.
    pub fn post_from(&mut self, path: &str, origin: &str, fields: &[(&str, &str)]) -> Reply {
        let form = self.filled(fields);
        self.origin = Some(origin.to_owned());
        let reply = self.ask(Method::Post, path, form);
        self.origin = None;
        reply
    }

    fn filled(&self, fields: &[(&str, &str)]) -> Fields {
        let mut text = String::new();
        for (name, value) in fields.iter().chain([&(gate::TOKEN_FIELD, self.token.as_str())]) {
            text.push_str(&format!("{}={}&", server::http::segment(name), server::http::segment(value)));
        }
        Fields::parse(text.as_bytes())
    }

    /// Sends a form and goes where the answer leads.
    pub fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let reply = self.post(path, fields);
        assert_eq!(reply.status, 303, "{path}: {}", text(&reply));
        let to = location(&reply);
        self.get(&to)
    }

    /// Sends a form with a file.
    pub fn bring(&mut self, path: &str, name: &str, content: &[u8]) -> Reply {
        self.upload = Some(Upload { name: name.to_owned(), content: content.to_vec() });
        self.post(path, &[])
    }

    /// Logs in as people do.
    pub fn log_in(&mut self, login: &str, password: &str) -> Reply {
        self.get("/log-in");
        self.post("/log-in", &[("login", login), ("password", password)])
    }

    /// Asks anything.
    pub fn ask(&mut self, method: Method, path: &str, form: Fields) -> Reply {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = Request {
            method,
            path: path.split('#').next().unwrap().to_owned(),
            params: BTreeMap::new(),
            query: Fields::parse(query.as_bytes()),
            form,
            upload: self.upload.take(),
            cookies: self.cookies.clone(),
            origin: self.origin.clone(),
            host: Some("equipoise.test".to_owned()),
            fetch_site: None,
            partial: false,
            languages: "en".to_owned(),
            address: self.address,
            nonce: "0".repeat(32),
        };
        let reply = gate::answer(self.house, request);
        for (name, value) in &reply.headers {
            if *name == "set-cookie" {
                let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some((_, rest)) = text(&reply).split_once("name=\"form-token\" value=\"") {
            self.token = rest.split('"').next().unwrap().to_owned();
        }
        reply
    }
}

/// A reply's content as text.
pub fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

/// Where a reply leads.
pub fn location(reply: &Reply) -> String {
    let found = reply.headers.iter().find(|(name, _)| *name == "location");
    found.map(|(_, to)| to.clone()).unwrap_or_default()
}
