//! Why the journal could not be opened, read or written.

use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};

/// The disk cannot read a part of the file, the file ends within a page, or the file system itself is damaged: SQLite
/// counts these among the disk's troubles, and they do not pass.
const UNREADABLE: [i32; 3] = [266, 522, 8458];

/// Why the journal could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite's own words; they name no data.
    #[error("the journal: {}", words(.0))]
    Sqlite(#[from] rusqlite::Error),
    /// The operating system's words.
    #[error("the journal: {0}; see that its folder can be written and that there is room on its disk")]
    File(#[from] std::io::Error),
    /// The file was written by a later version of this program.
    #[error(
        "the journal has format {found}, this program knows up to {known}: \
         it was written by a newer camhealth; install that version or name another [journal] path"
    )]
    Newer {
        /// The file's format.
        found: i64,
        /// The latest format known here.
        known: i64,
    },
    /// The file was written by an earlier version of this program, and may only be read here.
    #[error(
        "the journal has format {found}, this program reads {known}: start camhealth run once, it brings it up to date"
    )]
    Older {
        /// The file's format.
        found: i64,
        /// The latest format known here.
        known: i64,
    },
    /// Another process uses the file.
    #[error("the journal {} is used by another camhealth{}: stop that one, or name another [journal] path", path.display(), process(.holder))]
    Locked {
        /// The file.
        path: PathBuf,
        /// The process that uses it, if it is known.
        holder: Option<u32>,
    },
    /// What the configuration names can never be a journal.
    #[error("[journal] path = \"{}\": {why}; name a file in a folder that only camhealth uses", path.display())]
    Path {
        /// What it names.
        path: PathBuf,
        /// What that is.
        why: &'static str,
    },
    /// The file is damaged.
    #[error("the journal is damaged: {0}")]
    Damaged(String),
    /// A file that cannot serve for what is asked.
    #[error("{}: {why}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and the remedy.
        why: String,
    },
    /// Nothing can be written at the moment.
    #[error("{0}")]
    Impaired(String),
    /// The journal's thread is gone.
    #[error("the journal is closed")]
    Closed,
}

impl Error {
    /// The same of a file beside the journal, such as a copy.
    pub(super) fn of(self, path: &Path) -> Self {
        let why = match self {
            Self::Unfit { .. } | Self::Locked { .. } | Self::Path { .. } => return self,
            Self::Sqlite(error) => words(&error),
            Self::File(error) if error.kind() == std::io::ErrorKind::NotFound => {
                format!("{error}: check the path, and that camhealth ran")
            }
            Self::File(error) => format!("{error}; see who owns it and its folder, and that there is room"),
            Self::Damaged(what) => {
                format!(
                    "it is damaged ({what}): restart camhealth run, which goes on with what can be read, or restore a backup"
                )
            }
            other => other.to_string(),
        };
        Self::Unfit { path: path.to_owned(), why }
    }

    /// Whether the file is damaged, so that trying again does not help.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Sqlite(error) => error.sqlite_error().is_some_and(|error| {
                matches!(error.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                    || UNREADABLE.contains(&error.extended_code)
            }),
            Self::Damaged(_) => true,
            _ => false,
        }
    }

    /// Whether it is the disk's doing and may pass.
    pub(super) fn is_disks(&self) -> bool {
        use ErrorCode::{
            CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, FileLockingProtocolFailed, NoLargeFileSupport,
            OutOfMemory, PermissionDenied, ReadOnly, SystemIoFailure,
        };
        match self {
            Self::Sqlite(error) => error.sqlite_error().is_some_and(|error| {
                let disks = matches!(
                    error.code,
                    CannotOpen
                        | DatabaseBusy
                        | DatabaseLocked
                        | DiskFull
                        | FileLockingProtocolFailed
                        | NoLargeFileSupport
                        | OutOfMemory
                        | PermissionDenied
                        | ReadOnly
                        | SystemIoFailure
                );
                disks && !UNREADABLE.contains(&error.extended_code)
            }),
            Self::File(_) | Self::Impaired(_) | Self::Closed => true,
            _ => false,
        }
    }

    /// Whether a file that gives this when it is opened is no journal: anything but a refusal and the disk's troubles.
    pub(super) fn is_ruin(&self) -> bool {
        let refused = matches!(
            self,
            Self::Newer { .. } | Self::Older { .. } | Self::Locked { .. } | Self::Path { .. } | Self::Unfit { .. }
        );
        !refused && !self.is_disks()
    }
}

/// What people can do about what SQLite says.
fn words(error: &rusqlite::Error) -> String {
    let remedy = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => ": make room on its disk (df -h)",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            ": see its owner, and whether its disk is mounted ro"
        }
        Some(ErrorCode::CannotOpen) => ": see that its folder exists and can be written",
        Some(ErrorCode::SystemIoFailure) => ": see what the kernel says of its disk (dmesg), and that there is room",
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            ": it is damaged; camhealth run sets it aside and goes on with what can be read"
        }
        _ => "",
    };
    format!("{error}{remedy}")
}

fn process(holder: &Option<u32>) -> String {
    holder.map(|holder| format!(" (process {holder})")).unwrap_or_default()
}
