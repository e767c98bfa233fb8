//! A connection's place in the table: it says what the connection does, and is told when to give way.

use super::{
    Limits,
    seats::{Id, Phase, Seats},
};
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use std::{
    collections::HashMap,
    net::IpAddr,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// All places.
#[derive(Clone)]
pub(super) struct Room(Arc<Mutex<Inside>>);

struct Inside {
    seats: Seats,
    /// By which a connection is told to give way.
    closing: HashMap<Id, CancellationToken>,
}

/// One place; it is free again when this is dropped.
pub(super) struct Chair {
    room: Room,
    id: Id,
    closing: CancellationToken,
    request: Duration,
    conduct: Mutex<Conduct>,
}

#[derive(Default)]
struct Conduct {
    /// When the request in hand must have been answered.
    due: Option<Instant>,
    /// The answer is worked out, but perhaps not yet written.
    answered: bool,
}

/// Who asks, beside each request that the server hands over.
#[derive(Clone)]
pub(in crate::web) struct Guest {
    pub(super) chair: Arc<Chair>,
    pub(super) address: IpAddr,
    pub(super) way: Way,
}

/// How a request came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::web) struct Way {
    /// Whether nobody between could read it.
    pub(in crate::web) encrypted: bool,
    /// Whether the visitor showed a certificate of the authority that the configuration names.
    pub(in crate::web) certified: bool,
}

impl Guest {
    /// By which limits go.
    pub(in crate::web) fn address(&self) -> IpAddr {
        self.address
    }

    /// How it came.
    pub(in crate::web) fn way(&self) -> Way {
        self.way
    }

    /// Its answer is kept back for so long, because it asked for that and may: it is an agent that has shown this key.
    pub(in crate::web) fn waits(&self, key: &str, length: Duration) {
        {
            let mut conduct = lock(&self.chair.conduct);
            conduct.due = conduct.due.map(|due| due + length);
        }
        let mut inside = lock(&self.chair.room.0);
        let gone = inside.seats.waits(self.chair.id, key);
        inside.close(gone);
    }

    /// It listens for events from now on: its answer has no end, and another may have to give way.
    pub(in crate::web) fn listens(&self) {
        lock(&self.chair.conduct).due = None;
        let mut inside = lock(&self.chair.room.0);
        let gone = inside.seats.listens(self.chair.id);
        inside.close(gone);
    }
}

impl Room {
    pub(super) fn new(limits: &Limits) -> Self {
        Self(Arc::new(Mutex::new(Inside { seats: Seats::new(limits.clone()), closing: HashMap::new() })))
    }

    /// A place for a connection, if there is one or somebody gives way.
    pub(super) fn admit(&self, ip: IpAddr, request: Duration) -> Option<Arc<Chair>> {
        let mut inside = lock(&self.0);
        let (id, gone) = inside.seats.admit(ip)?;
        inside.close(gone);
        let closing = CancellationToken::new();
        inside.closing.insert(id, closing.clone());
        let conduct = Mutex::default();
        Some(Arc::new(Chair { room: self.clone(), id, closing, request, conduct }))
    }
}

impl Inside {
    fn close(&mut self, gone: Option<Id>) {
        if let Some(closing) = gone.and_then(|id| self.closing.remove(&id)) {
            closing.cancel();
        }
    }
}

impl Chair {
    /// A request is in hand.
    pub(super) fn busy(&self) {
        *lock(&self.conduct) = Conduct { due: Some(Instant::now() + self.request), answered: false };
        lock(&self.room.0).seats.goes_over(self.id, Phase::Busy);
    }

    /// An answer, if it comes by when it is due; that may be put off meanwhile.
    pub(super) async fn in_time<F: Future>(&self, answer: F) -> Option<F::Output> {
        let mut answer = pin!(answer);
        loop {
            let Some(due) = self.due() else { return Some(answer.await) };
            match timeout_at(due, answer.as_mut()).await {
                Ok(answer) => return Some(answer),
                Err(_) if self.due().is_none_or(|later| later > due) => {}
                Err(_) => return None,
            }
        }
    }

    /// All that hyper has was written: with a whole answer among it the connection is idle.
    pub(super) fn written(&self) {
        let mut conduct = lock(&self.conduct);
        if std::mem::take(&mut conduct.answered) {
            conduct.due = None;
            drop(conduct);
            lock(&self.room.0).seats.goes_over(self.id, Phase::Idle);
        }
    }

    /// When the answer in hand must have been written.
    pub(super) fn due(&self) -> Option<Instant> {
        lock(&self.conduct).due
    }

    /// Until it must give way.
    pub(super) async fn gives_way(&self) {
        self.closing.cancelled().await;
    }
}

impl Drop for Chair {
    fn drop(&mut self) {
        let mut inside = lock(&self.room.0);
        inside.seats.leaves(self.id);
        inside.closing.remove(&self.id);
    }
}

/// What is guarded is whole after each line, also where a panic came between.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The body of an answer; when hyper lets go of it, all of it is with hyper.
pub(super) struct Answer {
    pub(super) body: Body,
    pub(super) chair: Arc<Chair>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        lock(&self.chair.conduct).answered = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_waited_for_until_it_is_due_and_that_may_be_put_off() {
        let (address, request) = (IpAddr::from([127, 0, 0, 1]), Duration::from_secs(30));
        let chair = Room::new(&Limits::default()).admit(address, request).expect("there is room");
        let guest = Guest { chair: chair.clone(), address, way: Way::default() };
        for (put_off, takes, comes) in [(0, 29, true), (0, 31, false), (40, 69, true), (40, 71, false)] {
            chair.busy();
            let answer = async {
                sleep(Duration::from_secs(1)).await;
                guest.waits("key", Duration::from_secs(put_off));
                sleep(Duration::from_secs(takes - 1)).await;
            };
            assert_eq!(chair.in_time(answer).await.is_some(), comes, "{put_off} {takes}");
        }
        chair.busy();
        let answer = async {
            guest.listens();
            sleep(Duration::from_secs(3600)).await;
        };
        assert!(chair.in_time(answer).await.is_some(), "who listens is waited for");
    }
}
