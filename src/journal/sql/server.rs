//! A session with a PostgreSQL server as the journal's thread has it: each wait blocks, and ends after so long.
//!
//! What a transaction writes is kept here until somebody reads or commits, and then goes to the server in one flight, with
//! the commit itself where there is one: a transition costs one way there and back, however far the server is.

use super::{Value, dialect};
use crate::journal::{Error, Server, error::Trouble};
use futures_util::{
    TryStreamExt,
    future::{MaybeDone, maybe_done, poll_fn},
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    future::Future,
    pin::Pin,
    task::Poll,
    time::Duration,
};
use tokio_postgres::{Client, Statement};

/// What goes to the server at once at most; the rest waits for the answers.
const FLIGHT: usize = 256;
/// Rows that are held at once while they are shown.
const PORTION: usize = 500;
/// Statements that are kept prepared: ours are some hundred.
const PREPARED: usize = 400;

/// By what a server knows that this session may write: a number that is another's as soon as somebody else takes the
/// journal over, and how many transactions it committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::journal) struct Fence {
    pub(in crate::journal) fence: i64,
    pub(in crate::journal) commits: i64,
}

/// A session.
pub(in crate::journal) struct Session {
    client: Client,
    /// Drives the session while somebody waits for it; only `drop` takes it away.
    runtime: Option<tokio::runtime::Runtime>,
    patience: Cell<Duration>,
    statements: RefCell<HashMap<String, Statement>>,
    /// What is written with the next flight.
    waiting: RefCell<Vec<(String, Vec<Value<'static>>)>>,
    /// How many transactions are open within each other, and whether anything of them was written.
    open: Cell<(u32, bool)>,
    fence: Cell<Option<Fence>>,
    lost: Cell<bool>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("lost", &self.lost).field("fence", &self.fence).finish_non_exhaustive()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Whoever lets go of it may be within another runtime, where nothing may be waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Session {
    /// Signs in; each later wait takes `patience` at most.
    pub(in crate::journal) fn connect(server: &Server, patience: Duration) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let connecting = async {
            let (client, connection) = server.connect().await?;
            // It ends with the session, and what it fails at is told to whoever waits.
            tokio::spawn(connection);
            Ok::<_, Error>(client)
        };
        let connected = blocked(&runtime, async { tokio::time::timeout(patience, connecting).await });
        let client = match connected {
            Ok(client) => client?,
            Err(_) => {
                runtime.shutdown_background();
                return Err(Error::Server(Trouble::silent(patience)));
            }
        };
        Ok(Self {
            client,
            runtime: Some(runtime),
            patience: Cell::new(patience),
            statements: RefCell::default(),
            waiting: RefCell::default(),
            open: Cell::default(),
            fence: Cell::default(),
            lost: Cell::new(false),
        })
    }

    /// Whether it is at its end: only another one helps.
    pub(in crate::journal) fn is_lost(&self) -> bool {
        self.lost.get() || self.client.is_closed()
    }

    /// From now on each commit carries this.
    pub(in crate::journal) fn carry(&self, fence: Fence) {
        self.fence.set(Some(fence));
    }

    /// What each commit carries.
    pub(in crate::journal) fn carried(&self) -> Option<Fence> {
        self.fence.get()
    }

    /// Waits so long from now on.
    pub(in crate::journal) fn wait_for(&self, patience: Duration) {
        self.patience.set(patience);
    }

    /// Runs a script, such as a step of the format.
    pub(in crate::journal) fn script(&self, sql: &str) -> Result<(), Error> {
        self.fly()?;
        self.wait(self.client.batch_execute(sql))
    }

    pub(super) fn begin(&self) {
        let (depth, written) = self.open.get();
        self.open.set((depth + 1, written));
    }

    pub(super) fn commit(&self) -> Result<(), Error> {
        match self.open.get() {
            (depth @ 2.., written) => {
                self.open.set((depth - 1, written));
                Ok(())
            }
            (_, false) => {
                self.open.set((0, false));
                Ok(())
            }
            (_, true) => match self.commit_all() {
                Ok(()) => {
                    self.open.set((0, false));
                    Ok(())
                }
                Err(error) => {
                    self.undo();
                    Err(error)
                }
            },
        }
    }

    /// One flight with what is left to be written, the fence and the commit.
    fn commit_all(&self) -> Result<(), Error> {
        let next = self.fence.get().map(|fence| Fence { commits: fence.commits + 1, ..fence });
        if let Some(Fence { fence, commits }) = next {
            self.push("SELECT held(?1, ?2)", &[Value::Integer(fence), Value::Integer(commits)]);
        }
        self.push("COMMIT", &[]);
        match self.fly() {
            Ok(_) => {
                self.fence.set(next);
                Ok(())
            }
            // The answer is lost, and the commit may have been done.
            Err(Error::Server(trouble)) if self.is_lost() && !trouble.is_taken_over() => match next {
                Some(Fence { commits, .. }) => Err(Error::InDoubt { commits, trouble }),
                None => Err(Error::Server(trouble)),
            },
            Err(error) => Err(error),
        }
    }

    /// Ends a transaction without a commit; those within another are undone with it.
    pub(super) fn undo(&self) {
        let (depth, written) = self.open.get();
        if depth > 1 {
            return self.open.set((depth - 1, written));
        }
        self.open.set((0, false));
        self.waiting.borrow_mut().clear();
        if written && !self.is_lost() && self.wait(self.client.batch_execute("ROLLBACK")).is_err() {
            self.lost.set(true);
        }
    }

    pub(in crate::journal) fn put(&self, sql: &str, values: &[Value<'_>]) -> Result<(), Error> {
        let waiting = self.push_in_time(sql, values);
        if self.open.get().0 == 0 || waiting >= FLIGHT { self.fly().map(drop) } else { Ok(()) }
    }

    pub(super) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, Error> {
        self.push_in_time(sql, values);
        self.fly()
    }

    pub(in crate::journal) fn each(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut show: impl FnMut(&tokio_postgres::Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.fly()?;
        let statement = self.prepared(sql)?;
        let rows = self.wait(self.client.query_raw(&statement, values))?;
        let mut rows = std::pin::pin!(rows);
        loop {
            let portion = self.wait(async {
                let mut portion = Vec::new();
                while portion.len() < PORTION
                    && let Some(row) = rows.try_next().await?
                {
                    portion.push(row);
                }
                Ok(portion)
            })?;
            portion.iter().try_for_each(&mut show)?;
            if portion.len() < PORTION {
                return Ok(());
            }
        }
    }

    /// Puts a statement behind the others, and the beginning of a transaction before the first of one; how many wait now.
    fn push_in_time(&self, sql: &str, values: &[Value<'_>]) -> usize {
        if let (1.., false) = self.open.get() {
            self.open.set((self.open.get().0, true));
            self.push("BEGIN", &[]);
        }
        self.push(sql, values);
        self.waiting.borrow().len()
    }

    fn push(&self, sql: &str, values: &[Value<'_>]) {
        self.waiting.borrow_mut().push((sql.to_owned(), values.iter().map(Value::owned).collect()));
    }

    /// Sends what waits; how many rows the last of it changed.
    fn fly(&self) -> Result<u64, Error> {
        let (waiting, mut last) = (self.waiting.take(), 0);
        for flight in waiting.chunks(FLIGHT) {
            let statements = flight.iter().map(|(sql, _)| self.prepared(sql)).collect::<Result<Vec<_>, _>>()?;
            let answers = flight.iter().zip(&statements);
            let client = &self.client;
            let answers = answers.map(|((_, values), statement)| client.execute_raw(statement, values));
            last = self.wait(all_in_order(answers))?;
        }
        Ok(last)
    }

    fn prepared(&self, sql: &str) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.wait(self.client.prepare(&dialect::of_a_server(sql)))?;
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= PREPARED {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn wait<T: Send>(&self, work: impl Future<Output = Result<T, tokio_postgres::Error>> + Send) -> Result<T, Error> {
        let Some(runtime) = self.runtime.as_ref().filter(|_| !self.lost.get()) else {
            return Err(Error::Server(Trouble::lost()));
        };
        let patience = self.patience.get();
        match blocked(runtime, async { tokio::time::timeout(patience, work).await }) {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => {
                let trouble = Trouble::of(&error);
                if trouble.ends_session() || self.client.is_closed() {
                    self.lost.set(true);
                }
                Err(trouble.into())
            }
            Err(_) => {
                // What it does now is not known, and nobody asks it again.
                self.lost.set(true);
                Err(Error::Server(Trouble::silent(patience)))
            }
        }
    }
}

/// Waits for a session's work. Whoever asks within a runtime, as commands and tests do, may not wait there: a thread does.
fn blocked<T: Send>(runtime: &tokio::runtime::Runtime, work: impl Future<Output = T> + Send) -> T {
    if tokio::runtime::Handle::try_current().is_err() {
        return runtime.block_on(work);
    }
    let waited = std::thread::scope(|scope| scope.spawn(|| runtime.block_on(work)).join());
    waited.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Sends all of it before any answer is waited for, in this order; the first error, or what the last gave.
async fn all_in_order<F>(flights: impl Iterator<Item = F>) -> Result<u64, tokio_postgres::Error>
where
    F: Future<Output = Result<u64, tokio_postgres::Error>>,
{
    let mut flights: Vec<Pin<Box<MaybeDone<F>>>> = flights.map(|flight| Box::pin(maybe_done(flight))).collect();
    poll_fn(|context| {
        let is_done = |flight: &mut Pin<Box<MaybeDone<F>>>| flight.as_mut().poll(context).is_ready();
        // All of them are asked, also behind one that waits: that sends them.
        let waiting = flights.iter_mut().map(is_done).filter(|done| !done).count();
        if waiting == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    let mut last = 0;
    for flight in &mut flights {
        last = flight.as_mut().take_output().unwrap_or(Ok(0))?;
    }
    Ok(last)
}
