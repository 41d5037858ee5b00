//! What SQLite and the operating system report, in the words of the store.

use std::io;
use std::path::PathBuf;

use record::StoreError;
use rusqlite::ErrorCode;

/// The file that an error is about.
#[derive(Clone, Debug)]
pub(crate) struct StoreFile {
    pub(crate) path: PathBuf,
}

impl StoreFile {
    /// Says what an SQLite error means for the user of the store.
    pub(crate) fn error(&self, error: rusqlite::Error) -> StoreError {
        let path = self.path.clone();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::DiskFull,
            Some(ErrorCode::NotADatabase) => StoreError::NotAStore { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked { path },
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                | ErrorCode::PermissionDenied,
            ) => StoreError::System { path, detail: error.to_string() },
            _ => StoreError::Damaged { path, detail: error.to_string() },
        }
    }

    /// Says what an operating system error means for the user of the store.
    pub(crate) fn io(&self, error: io::Error) -> StoreError {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull,
            _ => StoreError::System { path: self.path.clone(), detail: error.to_string() },
        }
    }
}
