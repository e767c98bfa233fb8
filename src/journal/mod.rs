//! The daemon's memory: every transition, site, notice and outbox row in one SQLite file, or in a schema of a PostgreSQL
//! server's database.
//!
//! What one event gave is one transaction, and it is on the disk (`synchronous = FULL`) before anything of it is told
//! to anybody. A thread of its own holds the connection, so that a slow disk or server holds up no probe. All SQL of the
//! daemon is in this module.

mod agents;
mod backup;
mod columns;
mod copy;
mod edits;
mod error;
mod figures;
mod forget;
mod held;
mod history;
mod incidents;
mod inspect;
mod kept;
mod open;
mod outbox;
mod pages;
mod people;
mod place;
mod prune;
mod reading;
mod records;
mod restore;
mod retention;
mod roll;
mod rows;
mod salvage;
mod schema;
mod server;
mod settings;
mod settle;
mod spent;
mod sql;
mod store;
mod strange;
mod table;
mod timeline;

pub use backup::{Made, Progress, backup};
pub use copy::{Copied, CopiedTable, copy};
pub use edits::edits;
pub use error::{Error, Trouble};
pub use forget::{Forgotten, forget};
pub use held::{Asked, Turn, ask, turn};
pub use inspect::{Count, Inspection, check, check_server};
pub use kept::Gone;
pub use people::people;
pub use prune::{Pruned, prune};
pub use restore::{Replaced, restore};
pub use roll::{Listed, Roll, province, wish};
pub use server::{Server, Unusable};
pub use settings::{Keep, Limits, Settings};

use crate::edits::{Change as EditChange, Edits};
use crate::model::{
    AgentMark, Bearing, Behind, CameraId, ChannelId, Feedback, FigureRow, Found, Grain, Happened, Head, History,
    Incident, LateLook, LinkRecord, LoginRecord, Mark, Memory, Newest, Notice, Observation, Point, Recipient, Restored,
    SiteRecord, Sought, Thread, Transition, Window,
};
use crate::rights::{Chain, Change, Entry, Register, Trail};
use jiff::Timestamp;
use reading::{Readers, opened};
use secrecy::SecretSlice;
use sql::Connection;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use store::Store;
use tokio::sync::{mpsc, oneshot, watch};

/// The journal; clones share one connection.
#[derive(Debug, Clone)]
pub struct Journal {
    jobs: mpsc::Sender<Job>,
    /// Why the thread that holds the connection ended.
    ended: watch::Receiver<Option<String>>,
    settings: Arc<Settings>,
    /// Whether it can be read beside the thread.
    beside: Arc<AtomicBool>,
    /// Sessions with a server that nobody reads by at the moment.
    readers: Arc<Readers>,
    condition: watch::Receiver<Condition>,
}

type Job = Box<dyn FnOnce(&mut Store) + Send>;

/// How the journal fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// Why nothing can be remembered at the moment, for people; `None` when all is well.
    pub impaired: Option<String>,
    /// What was found damaged and set aside since the start, for people, with where it lies; `None` if nothing was.
    pub set_aside: Option<String>,
    /// Rows that could not be read and were left out.
    pub rows_skipped: u64,
    /// Nothing could be read at the start, and now it can: nothing is written before a start anew, which knows what
    /// earlier runs knew.
    pub outdated: bool,
}

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
    pub incidents: Vec<Arc<Incident>>,
    /// What happened to incidents, in order.
    pub happened: Vec<Happened>,
    /// Windows that were set or ended.
    pub windows: Vec<Window>,
    /// What is to be told, and to whom.
    pub notices: Vec<(Notice, Vec<Recipient>)>,
    /// Transcripts.
    pub observations: Vec<(CameraId, Observation)>,
    /// What was learned of cameras.
    pub memories: BTreeMap<CameraId, Arc<Memory>>,
    /// When cameras last proved that they see.
    pub proofs: BTreeMap<CameraId, Timestamp>,
    /// How logins fared.
    pub logins: Vec<LoginRecord>,
    /// What became of accounts, and of what people are known by.
    pub people: Vec<Change>,
    /// What people edited on pages, in order.
    pub edits: Vec<EditChange>,
    /// What people changed.
    pub audit: Vec<Entry>,
    /// What looks measured in minutes and hours that are over.
    pub figures: Vec<FigureRow>,
    /// Looks of agents that came too late for the present.
    pub late: Vec<LateLook>,
    /// How far agents' looks are taken in with all of this.
    pub agents: Vec<AgentMark>,
}

impl Journal {
    /// Opens or creates the journal, and reads what earlier runs left in it. Blocks, for seconds where an earlier one of
    /// this process is still being closed or a big file is looked over; to be called at start.
    ///
    /// A file that is damaged is set aside, and what can be read of it goes into a new one; one that cannot be written
    /// is read, and written when it can be ([`Journal::condition`]), as is a server that cannot be asked. It fails only for a
    /// journal of a newer version, one that another process uses, and a path that can never be a journal.
    pub fn open(settings: &Settings, now: Timestamp) -> Result<(Self, Restored), Error> {
        let (jobs, mut inbox) = mpsc::channel::<Job>(64);
        let (end, ended) = watch::channel(None);
        let (opened, opening) = std::sync::mpsc::sync_channel(1);
        let settings = Arc::new(settings.clone());
        let wanted = settings.clone();
        let work = move || {
            let mut store = match Store::open(&wanted, now) {
                Ok((store, restored)) => {
                    let _ = opened.send(Ok((store.beside(), store.condition(), restored)));
                    store
                }
                Err(error) => return drop(opened.send(Err(error))),
            };
            if wanted.standby {
                return renewing(&mut store, &mut inbox);
            }
            while let Some(job) = inbox.blocking_recv() {
                job(&mut store);
            }
        };
        std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || {
                // The file and its lock are let go with `work`, before anybody hears of it.
                let why = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
                    Ok(()) => "nobody uses it any more",
                    Err(_) => "a job panicked; the line before this one says where",
                };
                end.send_replace(Some(why.to_owned()));
            })
            .map_err(|_| Error::Closed)?;
        let (beside, condition, restored) = opening.recv().map_err(|_| Error::Closed)??;
        Ok((Self { jobs, ended, settings, beside, readers: Arc::default(), condition }, restored))
    }

    /// How it fares, and whenever that changes.
    pub fn condition(&self) -> watch::Receiver<Condition> {
        self.condition.clone()
    }

    /// Waits until the journal can do nothing any more; why that is.
    pub fn ended(&self) -> impl Future<Output = String> + Send + use<> {
        let mut ended = self.ended.clone();
        async move {
            let why = ended.wait_for(Option::is_some).await.ok().and_then(|why| why.clone());
            why.unwrap_or_else(|| "its thread is gone".to_owned())
        }
    }

    /// Remembers a batch. When this returns, it survives a power cut; when it fails, nothing of it is remembered, and
    /// whoever keeps a copy of the pointer can try again. Only by [`Error::InDoubt`] it may be remembered: then the same pointer is
    /// to be handed over again, and the batch is written once.
    pub async fn commit(&self, batch: impl Into<Arc<Batch>>) -> Result<(), Error> {
        let batch = batch.into();
        self.with(move |store| store.commit(&batch)).await
    }

    /// Notes that the daemon still runs, and forgets what is past its time.
    pub async fn keep(&self, now: Timestamp, settings: Settings) -> Result<(), Error> {
        self.with(move |store| store.keep(now, &settings)).await
    }

    /// The row that has waited longest for each channel. While the file cannot be written, what became of deliveries is
    /// remembered by this run and written later; the same goes for all that follows of the outbox.
    pub async fn heads(&self, now: Timestamp) -> Result<Vec<Head>, Error> {
        self.with(move |store| store.outbox(|connection| outbox::heads(connection, now))).await
    }

    /// Rows that wait behind a head and could go another way; the first few.
    pub async fn behind(&self, head: Head) -> Result<Vec<Behind>, Error> {
        self.with(move |store| store.outbox(|connection| outbox::behind(connection, &head))).await
    }

    /// The newest row that waits in a thread, if any does.
    pub async fn newest(&self, thread: Thread, now: Timestamp) -> Result<Option<Newest>, Error> {
        self.with(move |store| store.outbox(|connection| outbox::newest(connection, &thread, now))).await
    }

    /// How many rows of the outbox wait.
    pub async fn waiting(&self) -> Result<usize, Error> {
        self.with(|store| store.outbox(outbox::waiting)).await
    }

    /// How many parts of SMS a channel took since a time.
    pub async fn parts_since(&self, channel: ChannelId, since: Timestamp) -> Result<u32, Error> {
        self.with(move |store| store.outbox(|connection| spent::parts(connection, &channel, since))).await
    }

    /// The first row that waits for a head's channel, from that head on, for which `is_it` holds.
    pub async fn first_behind(&self, head: Head, is_it: fn(&Notice) -> bool) -> Result<Option<Head>, Error> {
        self.with(move |store| store.outbox(|connection| spent::first_behind(connection, &head, is_it))).await
    }

    /// Notes what became of rows of the outbox, all of it or nothing.
    pub async fn mark(&self, marks: Vec<Mark>, now: Timestamp) -> Result<(), Error> {
        self.with(move |store| store.mark(marks, now)).await
    }

    /// Notes in the timeline what a channel says later of a message that it took: that it arrived, or was heard. Whether
    /// there is such a message, which there may not be yet where the channel is quicker than the disk.
    pub async fn feedback(&self, feedback: Feedback) -> Result<bool, Error> {
        self.with(move |store| store.outbox(|connection| timeline::feedback(connection, &feedback))).await
    }

    /// Incidents, open and past, that are sought.
    pub async fn incidents(&self, sought: Sought) -> Result<Found, Error> {
        self.read(move |connection| incidents::find(connection, &sought)).await
    }

    /// An incident, open or past, by its number or its id, with what happened to it.
    pub async fn incident(&self, name: String) -> Result<Option<(Incident, Vec<Happened>)>, Error> {
        self.read(move |connection| incidents::one(connection, &name)).await
    }

    /// All that bears on a span of time. Years take a while to read, so a file is read beside the thread that writes.
    pub async fn history(&self, from: Timestamp, until: Timestamp) -> Result<History, Error> {
        self.read(move |connection| history::read(connection, from, until)).await
    }

    /// Of the same only the changes of some things, when the monitor ran, and windows.
    pub async fn history_of(&self, bearing: Bearing, from: Timestamp, until: Timestamp) -> Result<History, Error> {
        self.read(move |connection| history::of(connection, &bearing, from, until)).await
    }

    /// What looks measured of a camera in a span of time, in its order; a part that two runs wrote is there twice.
    pub async fn figures(
        &self,
        camera: CameraId,
        grain: Grain,
        span: (Timestamp, Timestamp),
    ) -> Result<Vec<Point>, Error> {
        self.read(move |connection| figures::read(connection, &camera, grain, span)).await
    }

    /// Reads a file or a server beside the thread that writes, and whatever is none through it.
    async fn read<T: Send + 'static>(
        &self,
        job: impl Fn(&Connection) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        let job = Arc::new(job);
        if self.settings.is_kept() && self.beside.load(Ordering::Relaxed) {
            let (job, settings, readers) = (job.clone(), self.settings.clone(), self.readers.clone());
            let read = tokio::task::spawn_blocking(move || reading::beside(&settings, &readers, &*job));
            match read.await.map_err(|_| Error::Closed)? {
                // The thread sets a damaged file aside.
                Err(error) if error.is_damage() => {}
                other => return other,
            }
        }
        self.with(move |store| store.read(|connection| job(connection))).await
    }

    /// All accounts and what people are known by, and the end of the audit trail.
    pub async fn people(&self) -> Result<(Register, Chain), Error> {
        self.with(|store| store.read(|connection| people::restore(connection, &strange::Strange::default()))).await
    }

    /// All that people edited on pages.
    pub async fn edits(&self) -> Result<Edits, Error> {
        self.with(|store| store.read(|connection| edits::restore(connection, &strange::Strange::default()))).await
    }

    /// So many entries of the audit trail, from the newest back, before the one of this number; and how far it was
    /// forgotten, where its oldest entry is among them.
    pub async fn audit(&self, before: u64, most: usize) -> Result<Trail, Error> {
        self.with(move |store| store.read(|connection| people::audit(connection, before, most))).await
    }

    /// The key that signs links: made at first use, the same ever after.
    pub async fn signing_key(&self) -> Result<SecretSlice<u8>, Error> {
        Ok(self.with(Store::signing_key).await?.into())
    }

    async fn with<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |store| drop(answer.send(job(store))));
        // waits: relay, web, writing -> journal
        self.jobs.send(job).await.map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }
}

/// Does jobs, and renews the turn between them.
fn renewing(store: &mut Store, inbox: &mut mpsc::Receiver<Job>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "the journal's turn cannot be renewed"),
    };
    loop {
        let job = runtime.block_on(async { tokio::time::timeout(store::RENEW_EVERY, inbox.recv()).await });
        match job {
            Ok(Some(job)) => job(store),
            Ok(None) => return,
            Err(_) => {}
        }
        store.renew();
    }
}

/// What an earlier or running daemon learned of its cameras; nothing where the journal cannot be read.
pub fn learned(settings: &Settings) -> Vec<(CameraId, Memory)> {
    let read = |connection: Connection| records::memories(&connection, &strange::Strange::default());
    opened(settings).and_then(read).unwrap_or_default()
}

/// The key that signs links, from the journal of a running daemon: whoever can read it keeps that daemon.
pub fn signing_key(settings: &Settings) -> Result<Option<SecretSlice<u8>>, Error> {
    Ok(records::signing_key(&opened(settings)?)?.map(Into::into))
}

/// All that bears on a span of time, from the journal of an earlier or running daemon.
pub fn history(settings: &Settings, from: Timestamp, until: Timestamp) -> Result<History, Error> {
    history::read(&opened(settings)?, from, until)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

#[cfg(test)]
#[path = "stores_tests.rs"]
mod stores_tests;

#[cfg(test)]
#[path = "words_tests.rs"]
mod words_tests;

#[cfg(test)]
#[path = "place_tests.rs"]
mod place_tests;

#[cfg(test)]
#[path = "damage_tests.rs"]
mod damage_tests;

#[cfg(test)]
#[path = "disk_tests.rs"]
mod disk_tests;

#[cfg(test)]
#[path = "bounds_tests.rs"]
mod bounds_tests;

#[cfg(test)]
#[path = "backup_tests.rs"]
mod backup_tests;

#[cfg(test)]
#[path = "edits_tests.rs"]
mod edits_tests;

#[cfg(test)]
#[path = "figures_tests.rs"]
mod figures_tests;

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod timeline_tests;

#[cfg(test)]
#[path = "retention_tests.rs"]
mod retention_tests;

#[cfg(test)]
#[path = "spent_tests.rs"]
mod spent_tests;

#[cfg(test)]
#[path = "server_tests.rs"]
mod server_tests;
