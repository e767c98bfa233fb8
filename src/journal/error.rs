//! Why the journal could not be opened, read or written.

use rusqlite::ErrorCode;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio_postgres::error::{DbError, SqlState};

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
    /// What a database server refuses, or why it cannot be asked.
    #[error("the journal: {0}")]
    Server(#[from] Trouble),
    /// A server did not answer to a commit, which it may have done.
    #[error("the journal: {trouble}")]
    InDoubt {
        /// The number that the commit carried.
        commits: i64,
        /// Why there is no answer.
        trouble: Trouble,
    },
    /// Another daemon holds the journal on the server.
    #[error("the journal {journal} is used by another camhealth{by}: stop that one, or name another [journal] schema")]
    Held {
        /// The journal, without secrets.
        journal: String,
        /// Who it is, if that is known.
        by: String,
    },
    /// A column of a row that must be read.
    #[error("the journal: a column does not hold what it should")]
    Misread,
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
            Self::Unfit { .. } | Self::Locked { .. } | Self::Path { .. } | Self::Server(_) | Self::Held { .. } => {
                return self;
            }
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
            Self::File(_) | Self::Impaired(_) | Self::Closed | Self::Server(_) | Self::InDoubt { .. } => true,
            _ => false,
        }
    }

    /// Whether a file that gives this when it is opened is no journal: anything but a refusal and the disk's troubles.
    pub(super) fn is_ruin(&self) -> bool {
        let refused = matches!(
            self,
            Self::Newer { .. }
                | Self::Older { .. }
                | Self::Locked { .. }
                | Self::Held { .. }
                | Self::Path { .. }
                | Self::Unfit { .. }
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

/// What a database server refuses, or why it cannot be asked, with what people can do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{told}")]
pub struct Trouble {
    told: String,
    /// Whether the session is at its end.
    ends: bool,
    /// Whether that is since another daemon has taken the journal over.
    taken: bool,
}

/// By what a server says that another daemon has taken the journal over (`schema/server/10.sql`).
const TAKEN_OVER: &str = "CH001";

impl Trouble {
    /// What the server, or the way to it, says.
    pub(super) fn of(error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(refused) => Self::refused(refused),
            None => {
                // The library's own words are general; what lies below them says what it was.
                let kind = error.to_string();
                let ways =
                    ["connection closed", "error communicating", "error connecting", "error performing", "timeout"];
                if !ways.iter().any(|way| kind.starts_with(way)) && !kind.starts_with("authentication") {
                    return Self {
                        told: format!("its server was asked what it does not understand: {kind}"),
                        ends: false,
                        taken: false,
                    };
                }
                let mut told = kind;
                let mut cause = std::error::Error::source(error);
                while let Some(below) = cause {
                    told = below.to_string();
                    cause = below.source();
                }
                let remedy = match () {
                    () if told.contains("ertificate") => {
                        ": see [journal] roots, and that the certificate names the host of [journal] url"
                    }
                    () if told.contains("password") => ": see [journal] password_file",
                    () if told.contains("TLS") => {
                        ": let the server speak TLS (ssl = on), or write sslmode=disable in [journal] url where the way to it \
                         is private"
                    }
                    () => ": see that PostgreSQL runs there, and that this machine may reach it",
                };
                Self::end(format!("its server cannot be asked: {told}{remedy}"))
            }
        }
    }

    fn refused(refused: &DbError) -> Self {
        let code = refused.code();
        let (remedy, ends) = match code {
            code if *code == SqlState::DISK_FULL => (": make room on the server's disk", false),
            code if *code == SqlState::INVALID_PASSWORD || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                (": see [journal] url and password_file, and the server's pg_hba.conf", true)
            }
            code if *code == SqlState::INVALID_CATALOG_NAME => (": make it (createdb), or mend [journal] url", true),
            code if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
                (": let its administrator make the schema and give it to this user (docs/postgresql.md)", false)
            }
            code if *code == SqlState::TOO_MANY_CONNECTIONS => (": raise the server's max_connections", true),
            code if *code == SqlState::READ_ONLY_SQL_TRANSACTION => {
                (": it is a standby: name all servers in [journal] url, and the primary is found", true)
            }
            code if *code == SqlState::QUERY_CANCELED => (": the server was too slow", false),
            code if code.code() == TAKEN_OVER => (": what it knows is read anew", true),
            code => ("", code.code().starts_with("57P") || code.code().starts_with("08")),
        };
        // Details may name data, and are left out.
        let taken = code.code() == TAKEN_OVER;
        Self { told: format!("its server says: {}{remedy}", refused.message()), ends, taken }
    }

    /// There was no answer in time.
    pub(super) fn silent(patience: Duration) -> Self {
        let told = format!(
            "its server did not answer within {} s: see that PostgreSQL runs there, and the way to it",
            patience.as_secs()
        );
        Self::end(told)
    }

    /// What was in doubt stays so, since the server cannot be asked.
    pub(super) fn after(error: &Error) -> Self {
        Self::end(error.to_string())
    }

    /// The session ended before this.
    pub(super) fn lost() -> Self {
        Self::end("the session with its server has ended".to_owned())
    }

    /// A session's end that nobody asked for.
    fn end(told: String) -> Self {
        Self { told, ends: true, taken: false }
    }

    /// Whether the server has refused this, so that nothing of it is done.
    pub(super) fn is_taken_over(&self) -> bool {
        self.taken
    }

    /// Whether only another session helps.
    pub(super) fn ends_session(&self) -> bool {
        self.ends
    }
}
