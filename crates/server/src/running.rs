//! A study that runs: its writer's thread, and the durable state that pages read.
//!
//! Commands of all requests queue up before one thread, which holds the engine. It takes what
//! waits, decides one after the other, makes everything durable in one commit, and only then answers and
//! shows it to readers. So a form's save costs one share of a disk flush, whatever the record's size.
//!
//! The writer's state and the readers' share their casebooks, but for those of the group that is being written. Casebooks
//! are packed; what a page opened is packed again a little later.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use allocation::{OpenVault, OpenedList};
use conduct::{Command, Engine, EngineError, Folding, Receipt, Refusal, State};
use protocol::Study;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use record::{Environment, Event, FormKey, Head, Reader, StoreError, Stream, Writer};
use store::{SqliteReader, SqliteStore, files::Files};
use terms::{ItemId, SubjectId};

use crate::{credentials::draw, lists::Lists, readiness::Readinesses};

/// Events that are handed over at a time while a record is folded, and how many such batches may wait.
const BATCH: usize = 256;
const BATCHES_AHEAD: usize = 4;
/// Commands that are made durable together at most.
const GROUP_MAX: usize = 256;
/// Groups after which casebooks that pages opened are packed again, if the writer is busy; otherwise it does so when it has waited
/// for so long. Meanwhile they take a hundred times their memory: some hundred pages are made in a second.
const TIDY_GROUPS: u32 = 16;
const TIDY_WAIT: Duration = Duration::from_millis(250);

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A rule refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Others changed items of the form since it was shown.
    #[error("the form was changed by somebody else meanwhile")]
    Changed(Vec<ItemId>),
    /// The record could not be written. Nothing was saved.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The study's thread has ended.
    #[error("the study is being closed; try again in a moment")]
    Closed,
}

/// What a person saw of a form when the page was made: by item the event that had set it, 0 for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The participant.
    pub subject: SubjectId,
    /// The form.
    pub key: FormKey,
    /// The items that are to be saved.
    pub items: BTreeMap<ItemId, u64>,
}

struct Job {
    commands: Vec<Command>,
    seen: Option<Seen>,
    answer: SyncSender<Result<Vec<Receipt>, CommandError>>,
}

enum Message {
    Do(Box<Job>),
    Unlock(Box<OpenVault>),
    OpenList(Box<OpenedList>),
}

/// The durable state. A page takes hold of it as it is at the moment and makes nobody wait.
type Shown = RwLock<Arc<State>>;

/// A study that runs.
pub struct RunningStudy {
    study: Arc<Study>,
    state: Arc<Shown>,
    lists: Arc<Lists>,
    readiness: Readinesses,
    trouble: Arc<RwLock<Option<String>>>,
    vault_open: AtomicBool,
    reader: Mutex<SqliteReader>,
    files: Files,
    messages: Mutex<Option<Sender<Message>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl RunningStudy {
    /// Opens the record in a folder and begins to take commands. An empty folder becomes an empty record.
    ///
    /// # Errors
    /// The record can't be opened, or is of the other environment.
    pub fn start(study: Study, folder: &Path, environment: Environment) -> Result<Self, StoreError> {
        let store = if folder.exists() {
            SqliteStore::open(folder, environment)?
        } else {
            SqliteStore::create(folder, environment)?
        };
        let state = fold(&store)?;
        let writer = Writer::new(Box::new(store))?;
        let (sender, receiver) = channel();
        let study = Arc::new(study);
        // The writer keeps the words and shapes that casebooks are packed with; readers pack nothing.
        let (shown, ahead) = (state.clone(), state);
        let state = Arc::new(RwLock::new(Arc::new(shown)));
        let trouble = Arc::new(RwLock::new(None));
        let lists = Arc::new(Lists::default());
        let own = (Arc::clone(&study), Arc::clone(&state), Arc::clone(&trouble), Arc::clone(&lists));
        #[expect(clippy::disallowed_methods, reason = "the server is an edge: one writer's thread a study")]
        let thread = std::thread::spawn(move || {
            let means = GivenMeans::default();
            let out = Out { shown: &own.1, trouble: &own.2, lists: &own.3 };
            write(Engine::at(&own.0, writer, ahead), &receiver, &out, &means);
        });
        Ok(Self {
            study,
            state,
            lists,
            readiness: Readinesses::default(),
            trouble,
            vault_open: AtomicBool::new(false),
            reader: Mutex::new(SqliteReader::open(folder)?),
            files: Files::of(folder),
            messages: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Returns the study.
    pub fn study(&self) -> &Study {
        &self.study
    }

    /// Returns the state as far as it is durable, as it is now. Hold it for as long as a page takes.
    pub fn state(&self) -> Arc<State> {
        now_shown(&self.state)
    }

    /// Returns what lists need of the participants.
    pub fn lists(&self) -> &Lists {
        &self.lists
    }

    /// Returns how far participants are from the lock.
    pub fn readiness(&self) -> &Readinesses {
        &self.readiness
    }

    /// Returns why nothing can be written at present, if so.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives commands, one after the other, and returns when they are durable.
    ///
    /// # Errors
    /// Why the first that failed was not carried out; those before it were.
    pub fn give(&self, commands: Vec<Command>, seen: Option<Seen>) -> Result<Vec<Receipt>, CommandError> {
        let (answer, answered) = sync_channel(1);
        self.send(Message::Do(Box::new(Job { commands, seen, answer })))?;
        answered.recv().map_err(|_| CommandError::Closed)?
    }

    /// Gives the engine the vault that a holder unlocked.
    ///
    /// # Errors
    /// The study's thread has ended.
    pub fn unlock(&self, vault: OpenVault) -> Result<(), CommandError> {
        self.send(Message::Unlock(Box::new(vault)))?;
        self.vault_open.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Says whether a holder has unlocked the vault since the start.
    pub fn is_vault_open(&self) -> bool {
        self.vault_open.load(Ordering::Relaxed)
    }

    /// Gives the engine the list that its holders opened together.
    ///
    /// # Errors
    /// The study's thread has ended.
    pub fn open_list(&self, list: OpenedList) -> Result<(), CommandError> {
        self.send(Message::OpenList(Box::new(list)))
    }

    /// Reads from the record itself: an event's time and reason, texts of queries, the head.
    pub fn record<T>(
        &self,
        read: impl FnOnce(&dyn Reader) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        read(&*self.reader.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the files that were attached to forms.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Returns an event.
    pub fn event(&self, sequence: u64) -> Option<Event> {
        self.record(|reader| reader.event(sequence)).ok().flatten()
    }

    /// Returns some events by their sequence; one that can't be read is left out.
    pub fn events(&self, sequences: &BTreeSet<u64>) -> BTreeMap<u64, Event> {
        let one_by_one = || sequences.iter().filter_map(|sequence| self.event(*sequence)).collect();
        let found = self.record(|reader| reader.these(sequences)).unwrap_or_else(|_| one_by_one());
        found.into_iter().map(|event| (event.sequence, event)).collect()
    }

    /// Returns where the record ends.
    pub fn head(&self) -> Option<Head> {
        self.record(|reader| reader.head()).ok()
    }

    fn send(&self, message: Message) -> Result<(), CommandError> {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.as_ref().ok_or(CommandError::Closed)?.send(message).map_err(|_| CommandError::Closed)
    }
}

impl Drop for RunningStudy {
    /// Answers what waits, then closes the record.
    fn drop(&mut self) {
        drop(self.messages.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// Folds a record: one thread reads and decodes its events, another folds them.
fn fold(record: &dyn Reader) -> Result<State, StoreError> {
    let (sender, batches) = sync_channel::<Vec<Event>>(BATCHES_AHEAD);
    std::thread::scope(|scope| {
        let folded = scope.spawn(move || {
            let mut folding = Folding::default();
            batches.into_iter().flatten().for_each(|event| folding.take(&event));
            folding.done()
        });
        let mut batch = Vec::with_capacity(BATCH);
        let read = record.each(1, &mut |event| {
            batch.push(event);
            if batch.len() == BATCH {
                // If the other thread is gone, it has panicked, and joining it says so.
                let _ = sender.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)));
            }
        });
        let _ = sender.send(batch);
        drop(sender);
        let state = folded.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        read.map(|()| state)
    })
}

/// What the writer's thread shows to the pages.
struct Out<'a> {
    shown: &'a Shown,
    trouble: &'a RwLock<Option<String>>,
    lists: &'a Lists,
}

/// The writer's thread: takes what waits, decides, commits once, answers.
fn write<'a>(mut engine: Engine<'a>, messages: &Receiver<Message>, out: &Out<'_>, means: &'a GivenMeans) {
    let Out { shown, trouble, lists } = *out;
    let GivenMeans { vault, list } = means;
    let mut groups = 0;
    let mut randomness = ChaCha20Rng::from_seed(draw());
    let mut salts = ChaCha20Rng::from_seed(draw());
    loop {
        let first = match messages.recv_timeout(TIDY_WAIT) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => {
                tidy(&mut engine, shown);
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let mut jobs = Vec::new();
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Do(job) => jobs.push(*job),
                Message::Unlock(given) => {
                    let _ = vault.set(*given);
                    if let Some(vault) = vault.get() {
                        engine.unlock(vault);
                    }
                }
                Message::OpenList(given) => {
                    let _ = list.set(*given);
                    if let Some(list) = list.get() {
                        engine.open_list(list);
                    }
                }
            }
            next = if jobs.len() < GROUP_MAX { messages.try_recv().ok() } else { None };
        }
        let mut waiting = Vec::new();
        let mut events: Vec<Event> = Vec::new();
        for job in jobs {
            let outcome = stage(&mut engine, &job, &mut randomness, &mut salts, &mut events);
            waiting.push((job.answer, outcome));
        }
        let durable = || State::clone(&now_shown(shown));
        let committed = if events.is_empty() { Ok(()) } else { engine.commit_or(durable).map(|_| ()) };
        let mut before = None;
        if committed.is_ok() && !events.is_empty() {
            engine.pack(events.iter().filter_map(subject_of));
            lists.note(events.iter().filter_map(|event| Some((event.sequence, subject_of(event)?))));
            before = Some(show(shown, |next| next.follow(engine.state(), &events)));
        }
        *trouble.write().unwrap_or_else(PoisonError::into_inner) =
            committed.as_ref().err().map(ToString::to_string);
        for (answer, outcome) in waiting {
            let outcome = match &committed {
                Ok(()) => outcome,
                Err(error) => Err(CommandError::Store(error.clone())),
            };
            // Whoever asked may have gone; what was decided stands all the same.
            let _ = answer.send(outcome);
        }
        drop(before);
        groups += 1;
        if groups % TIDY_GROUPS == 0 {
            tidy(&mut engine, shown);
        }
    }
}

/// Returns the durable state as it is shown now.
fn now_shown(shown: &Shown) -> Arc<State> {
    Arc::clone(&shown.read().unwrap_or_else(PoisonError::into_inner))
}

/// Shows a changed state, and returns the one before. To let go of that one, and of the casebooks that pages opened in it, takes a
/// while in which nobody should wait: it is for the caller to choose when. Readers wait for one pointer to be changed.
fn show(shown: &Shown, change: impl FnOnce(&mut State)) -> Arc<State> {
    let mut next = State::clone(&now_shown(shown));
    change(&mut next);
    std::mem::replace(&mut *shown.write().unwrap_or_else(PoisonError::into_inner), Arc::new(next))
}

/// What holders gave at most once between a start and the next.
#[derive(Default)]
struct GivenMeans {
    vault: OnceLock<OpenVault>,
    list: OnceLock<OpenedList>,
}

fn subject_of(event: &Event) -> Option<&SubjectId> {
    match &event.stream {
        Stream::Subject(subject) => Some(subject),
        Stream::Study | Stream::Supply => None,
    }
}

/// Packs what pages opened.
fn tidy(engine: &mut Engine<'_>, shown: &Shown) {
    let opened = now_shown(shown).opened();
    if opened.is_empty() {
        return;
    }
    engine.pack(&opened);
    drop(show(shown, |next| opened.iter().for_each(|subject| next.share(engine.state(), subject))));
}

/// Stages a job's commands and gathers their events, those of a job that failed half-way included.
fn stage(
    engine: &mut Engine<'_>,
    job: &Job,
    randomness: &mut ChaCha20Rng,
    salts: &mut ChaCha20Rng,
    events: &mut Vec<Event>,
) -> Result<Vec<Receipt>, CommandError> {
    if let Some(seen) = &job.seen {
        let changed = changed_since(engine.state(), seen);
        if !changed.is_empty() {
            return Err(CommandError::Changed(changed));
        }
    }
    let mut receipts = Vec::new();
    for command in &job.commands {
        let receipt = engine.stage(command, randomness, salts).map_err(|error| match error {
            EngineError::Refused(refusal) => CommandError::Refused(refusal),
            EngineError::Store(error) => CommandError::Store(error),
        })?;
        events.extend(receipt.events.iter().cloned());
        receipts.push(receipt);
    }
    Ok(receipts)
}

/// Returns the items that are not as they were seen.
pub fn changed_since(state: &State, seen: &Seen) -> Vec<ItemId> {
    let casebook = state.casebook(seen.subject.as_str());
    let now = |item: &ItemId| {
        casebook
            .and_then(|casebook| casebook.cell(&seen.key, item.as_str()))
            .map_or(0, |cell| cell.current().sequence)
    };
    seen.items.iter().filter(|(item, then)| now(item) != **then).map(|(item, _)| item.clone()).collect()
}
