//! Backups by the server itself: made by a timetable, restored at once to see that they can be, and told on the
//! administrator's page.
//!
//! What became of each is a line of the account log, so that it is chained, outlasts restarts, and can be reviewed.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use jiff::SignedDuration;
use store::{
    accounts::{LogLine, Note},
    backup::{self, BackupError, BackupKey, Manifest},
};
use terms::Timestamp;

use crate::{credentials::draw, installation::Installation};

/// Who is named in the log.
const BY: &str = "equipoise";
const ABOUT: &str = "backup";
/// What the log calls a backup that was restored and found whole, and one that failed.
const RESTORED: &str = "backup made and restored";
const FAILED: &str = "backup failed";
/// After a failure it is tried again this much later.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// A good restore older than this many timetables is told as a fault.
const LATE_AFTER: i32 = 2;
/// The end of a backup's name.
const EXTENSION: &str = "backup";

/// Where and how often the server backs up.
#[derive(Debug)]
pub struct Timetable {
    /// The folder for backups, best on another disk.
    pub to: PathBuf,
    /// How long from one to the next.
    pub every: SignedDuration,
    /// How many are kept.
    pub kept: usize,
    /// Their key.
    pub key: BackupKey,
    /// So that there is one at a time.
    pub at_work: Mutex<()>,
}

/// How backups stand, for the administrator's page.
pub struct Standing {
    /// The last one that was restored and found whole.
    pub good: Option<LogLine>,
    /// What went wrong since.
    pub failure: Option<LogLine>,
    /// Whether the last good one is too long ago, or there is none.
    pub late: bool,
    /// Whether the server has a timetable.
    pub scheduled: bool,
}

/// Backs up, restores what was made beside it, removes what is older than is kept, and writes down what became of it.
///
/// # Errors
/// The backup can't be made or does not restore; that is written down, too.
pub fn back_up(house: &Installation, timetable: &Timetable) -> Result<Manifest, BackupError> {
    let _alone = timetable.at_work.lock().unwrap_or_else(PoisonError::into_inner);
    let begun = house.now();
    let done = make_and_restore(house.folder(), timetable, begun);
    let (what, detail) = match &done {
        Ok(manifest) => {
            let seconds = house.now().duration_since(begun).as_secs();
            (RESTORED, format!("{}; restored and recomputed within {seconds} s", told(manifest)))
        }
        Err(error) => (FAILED, error.to_string()),
    };
    let note = Note { at: house.now(), by: BY, about: ABOUT, what, detail: &detail, origin: "timetable" };
    // A log that can't be written is told by every page that needs it.
    let _ = house.accounts().note(&note);
    done
}

/// Says in words what a backup holds.
pub fn told(manifest: &Manifest) -> String {
    let records = manifest.records.iter().map(|record| {
        let study = record.path.split('/').nth(1).unwrap_or_default();
        format!("{study}: {} events, head {}", record.events, &record.head[..16.min(record.head.len())])
    });
    let records: Vec<String> = records.collect();
    format!("{} files; {}", manifest.files.len(), records.join("; "))
}

fn make_and_restore(folder: &Path, timetable: &Timetable, now: Timestamp) -> Result<Manifest, BackupError> {
    let system = |error| BackupError::System { path: timetable.to.clone(), error };
    fs::create_dir_all(&timetable.to).map_err(system)?;
    let path = timetable.to.join(file_name(now));
    let manifest = backup::make(folder, &path, &timetable.key, draw(), now, env!("CARGO_PKG_VERSION"))?;
    let check = timetable.to.join("restored-to-check");
    let _ = fs::remove_dir_all(&check);
    let restored = backup::restore(&path, &timetable.key, &check);
    let _ = fs::remove_dir_all(&check);
    restored?;
    forget(&timetable.to, timetable.kept).map_err(system)?;
    Ok(manifest)
}

/// Returns the usual name of a backup, which sorts by time.
pub fn file_name(now: Timestamp) -> String {
    format!("equipoise-{}.{EXTENSION}", now.strftime("%Y%m%dT%H%M%SZ"))
}

/// Removes all but the newest backups. Other files in the folder are not ours.
fn forget(folder: &Path, kept: usize) -> io::Result<()> {
    let mut ours: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("equipoise-") && path.extension().is_some_and(|end| end == EXTENSION)
        })
        .collect();
    ours.sort();
    let older = ours.len().saturating_sub(kept.max(1));
    ours[..older].iter().try_for_each(fs::remove_file)
}

/// Says how backups stand.
///
/// # Errors
/// The account log can't be read.
pub fn standing(house: &Installation) -> Result<Standing, store::accounts::AccountError> {
    let accounts = house.accounts();
    let good = accounts.last(RESTORED)?;
    let after = |line: &LogLine| good.as_ref().is_none_or(|good| good.sequence < line.sequence);
    let failure = accounts.last(FAILED)?.filter(after);
    drop(accounts);
    let late = house.timetable.as_ref().is_some_and(|timetable| {
        let most = timetable.every * LATE_AFTER;
        good.as_ref().is_none_or(|good| house.now().duration_since(good.at) > most)
    });
    Ok(Standing { good, failure, late, scheduled: house.timetable.is_some() })
}

/// Says whether a backup is due.
pub fn is_due(house: &Installation, timetable: &Timetable) -> bool {
    let Ok(standing) = standing(house) else { return false };
    let passed = |line: &Option<LogLine>, wait| {
        line.as_ref().is_none_or(|line| house.now().duration_since(line.at) >= wait)
    };
    passed(&standing.good, timetable.every) && passed(&standing.failure, AGAIN_AFTER)
}
