//! The daemon's memory: every transition, site, notice and outbox row in one SQLite file.
//!
//! What one event gave is one transaction, and it is on the disk (`synchronous = FULL`) before anything of it is told
//! to anybody. A thread of its own holds the connection, so that a slow disk holds up no probe. All SQL of the daemon
//! is in this module.

mod history;
mod outbox;
mod records;
mod schema;
mod settings;
mod strange;

pub use outbox::Delivery;
pub use settings::Settings;

use crate::model::{
    CameraId, ChannelId, History, Incident, LinkRecord, LoginRecord, Memory, Notice, Observation, Recipient, Restored,
    SiteRecord, Transition, Window,
};
use jiff::Timestamp;
use rusqlite::Connection;
use secrecy::SecretSlice;
use std::{collections::BTreeMap, path::Path, sync::Arc};
use tokio::sync::{mpsc, oneshot, watch};

/// The journal; clones share one connection.
#[derive(Debug, Clone)]
pub struct Journal {
    jobs: mpsc::Sender<Job>,
    /// Why the thread that holds the connection ended.
    ended: watch::Receiver<Option<String>>,
    condition: Arc<watch::Sender<Condition>>,
    path: Option<Arc<Path>>,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// What one event gave, to be remembered together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Changes of cameras.
    pub transitions: Vec<Transition>,
    /// Changes of sites.
    pub sites: Vec<SiteRecord>,
    /// Changes of links.
    pub links: Vec<LinkRecord>,
    /// Incidents as they stand.
    pub incidents: Vec<Incident>,
    /// Windows that were set or ended.
    pub windows: Vec<Window>,
    /// What is to be told, and to whom.
    pub notices: Vec<(Notice, Vec<Recipient>)>,
    /// Transcripts.
    pub observations: Vec<(CameraId, Observation)>,
    /// What was learned of cameras.
    pub memories: Vec<(CameraId, Arc<Memory>)>,
    /// When cameras last proved that they see.
    pub proofs: BTreeMap<CameraId, Timestamp>,
    /// How logins fared.
    pub logins: Vec<LoginRecord>,
}

/// How the journal fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// Why nothing can be remembered at the moment, for people; `None` when all is well.
    pub impaired: Option<String>,
    /// What was found damaged and set aside since the start, for people, with where it lies; `None` if nothing was.
    pub set_aside: Option<String>,
    /// Rows that could not be read and were left out.
    pub rows_skipped: u64,
}

/// Why the journal could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite's own words; they name no data.
    #[error("the journal: {0}")]
    Sqlite(#[from] rusqlite::Error),
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
    /// The journal's thread is gone.
    #[error("the journal is closed")]
    Closed,
}

impl Journal {
    /// Opens or creates the journal, and reads what earlier runs left in it. Blocks; to be called at start.
    pub fn open(settings: &Settings, now: Timestamp) -> Result<(Self, Restored), Error> {
        let mut connection = match &settings.path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        schema::prepare(&mut connection)?;
        let strange = strange::Strange::default();
        let restored = records::restore(&connection, now, &strange)?;
        strange.tell();
        records::begin_run(&connection, now)?;
        let (jobs, mut inbox) = mpsc::channel::<Job>(64);
        let (end, ended) = watch::channel(None);
        let work = move || {
            while let Some(job) = inbox.blocking_recv() {
                job(&mut connection);
            }
        };
        std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || {
                let why = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
                    Ok(()) => "nobody uses it any more",
                    Err(_) => "a job panicked; the line before this one says where",
                };
                end.send_replace(Some(why.to_owned()));
            })
            .map_err(|_| Error::Closed)?;
        let path = settings.path.as_deref().map(Arc::from);
        Ok((Self { jobs, ended, condition: Arc::default(), path }, restored))
    }

    /// Waits until the journal can do nothing any more; why that is.
    pub fn ended(&self) -> impl Future<Output = String> + Send + use<> {
        let mut ended = self.ended.clone();
        async move {
            let why = ended.wait_for(Option::is_some).await.ok().and_then(|why| why.clone());
            why.unwrap_or_else(|| "its thread is gone".to_owned())
        }
    }

    /// How it fares, and whenever that changes.
    pub fn condition(&self) -> watch::Receiver<Condition> {
        self.condition.subscribe()
    }

    /// Remembers a batch. When this returns, it survives a power cut.
    pub async fn commit(&self, batch: Batch) -> Result<(), Error> {
        let written = self.with(move |connection| records::write(connection, &batch)).await;
        let impaired = written.as_ref().err().map(ToString::to_string);
        self.condition.send_if_modified(|condition| {
            let changed = condition.impaired.is_some() != impaired.is_some();
            condition.impaired = impaired;
            changed
        });
        written
    }

    /// Notes that the daemon still runs, and forgets transcripts that are past their time.
    pub async fn keep(&self, now: Timestamp, settings: Settings) -> Result<(), Error> {
        self.with(move |connection| records::keep(connection, now, &settings)).await
    }

    /// The oldest unsent notice of each channel that is not `busy` and whose time has come: a channel's notices go in
    /// order, and what waits of one incident for one recipient collapses into the newest.
    pub async fn due(&self, now: Timestamp, busy: Vec<ChannelId>) -> Result<Vec<Delivery>, Error> {
        self.with(move |connection| outbox::due(connection, now, &busy)).await
    }

    /// All that bears on a span of time. Years take a while to read, so a file is read beside the thread that writes.
    pub async fn history(&self, from: Timestamp, until: Timestamp) -> Result<History, Error> {
        match self.path.clone() {
            None => self.with(move |connection| history::read(connection, from, until)).await,
            Some(path) => {
                let read = tokio::task::spawn_blocking(move || history(&path, from, until));
                read.await.map_err(|_| Error::Closed)?
            }
        }
    }

    /// The key that signs links: made at first use, the same ever after.
    pub async fn signing_key(&self) -> Result<SecretSlice<u8>, Error> {
        self.with(|connection| records::secret(connection, "signing_key")).await
    }

    /// When the next delivery is due, and how many wait.
    pub async fn waiting(&self) -> Result<(Option<Timestamp>, usize), Error> {
        self.with(|connection| outbox::waiting(connection)).await
    }

    /// Notes that a delivery arrived, and what the channel called it.
    pub async fn sent(&self, id: i64, receipt: Option<String>, now: Timestamp) -> Result<(), Error> {
        self.with(move |connection| outbox::settle(connection, id, "sent", receipt.as_deref(), now)).await
    }

    /// Notes that nobody can be told any more: the configuration has none of the recipient's channels.
    pub async fn abandoned(&self, id: i64, now: Timestamp) -> Result<(), Error> {
        self.with(move |connection| outbox::settle(connection, id, "abandoned", None, now)).await
    }

    /// Notes that a delivery failed, and when and over which of the recipient's channels it is to be tried again.
    pub async fn postponed(
        &self,
        id: i64,
        due: Timestamp,
        next: (ChannelId, usize),
        error: String,
    ) -> Result<(), Error> {
        self.with(move |connection| outbox::postpone(connection, id, due, &next.0, next.1, &error)).await
    }

    async fn with<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| drop(answer.send(job(connection))));
        // waits: relay, web, writing -> journal
        self.jobs.send(job).await.map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }
}

/// What an earlier or running daemon learned of its cameras; nothing where the journal cannot be read.
pub fn learned(path: &Path) -> Vec<(CameraId, Memory)> {
    let connection = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY);
    let read = |connection| records::memories(&connection, &strange::Strange::default()).ok();
    connection.ok().and_then(read).unwrap_or_default()
}

/// All that bears on a span of time, from the file of an earlier or running daemon.
pub fn history(path: &Path, from: Timestamp, until: Timestamp) -> Result<History, Error> {
    let connection = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    let version = schema::check(&connection)?;
    if version < schema::LATEST {
        return Err(Error::Older { found: version, known: schema::LATEST });
    }
    history::read(&connection, from, until)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

#[cfg(test)]
#[path = "words_tests.rs"]
mod words_tests;
