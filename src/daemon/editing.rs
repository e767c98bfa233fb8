//! Edits that are wished for, and the one that is under way.

use super::{agenda::Agenda, reload::Reloads};
use crate::{
    config::Config,
    edits::{Decided, Edits, Refusal, Standing, Wish},
    request::{Done, Refused, TooMany},
    rights::By,
};
use futures_util::future::{BoxFuture, FutureExt};
use std::collections::VecDeque;
use tokio::sync::oneshot;

/// People whose edits wait at once.
const WAITING: usize = 64;

pub(super) type Answer = oneshot::Sender<Result<Done, Refused>>;

/// Edits that are wished for, and the one that is under way.
#[derive(Default)]
pub(super) struct Editing {
    pub(super) waiting: VecDeque<(Wish, By, Answer)>,
    pub(super) under_way: Option<UnderWay>,
}

/// The edit that is under way.
pub(super) enum UnderWay {
    /// The files are read with it.
    Read(BoxFuture<'static, Result<Config, String>>, Box<Decided>, By, Answer),
    /// It is durable, and the files have changed meanwhile: they are read with it.
    Relay(BoxFuture<'static, Result<Config, String>>, Option<Answer>),
    /// It is being made durable.
    Write(oneshot::Receiver<Result<Done, Refused>>, Box<Settled>),
}

/// An edit with which the configuration is valid.
pub(super) struct Settled {
    pub(super) config: Config,
    pub(super) edits: Edits,
    /// Whoever wished it, as long as they wait.
    pub(super) answer: Option<Answer>,
}

/// What became of the one that was under way.
pub(super) enum Progress {
    /// The files were read with it.
    Read(Result<Config, String>, Box<Decided>, By, Answer),
    /// It was written, or not yet.
    Written(bool, Box<Settled>),
    /// The files that came meanwhile were read with it.
    Relaid(Result<Config, String>, Option<Answer>),
}

impl Editing {
    /// Somebody wishes to edit something.
    pub(super) fn ask(&mut self, wish: Wish, by: By, answer: Answer) {
        self.waiting.retain(|(.., answer)| !answer.is_closed());
        if self.waiting.len() < WAITING {
            return self.waiting.push_back((wish, by, answer));
        }
        // Whoever asked may have gone away.
        let _ = answer.send(Err(Refused::TooMany(TooMany::Edits)));
    }

    /// Whether files are being read.
    pub(super) fn is_reading(&self) -> bool {
        matches!(self.under_way, Some(UnderWay::Read(..) | UnderWay::Relay(..)))
    }

    /// Waits until something becomes of the one that is under way; for ever if there is none.
    pub(super) async fn wait(&mut self) -> Progress {
        let progress = match &mut self.under_way {
            None => std::future::pending().await,
            Some(UnderWay::Read(reading, ..) | UnderWay::Relay(reading, _)) => Ok(reading.await),
            Some(UnderWay::Write(written, _)) => Err(matches!(written.await, Ok(Ok(_)))),
        };
        match (self.under_way.take(), progress) {
            (Some(UnderWay::Read(_, decided, by, answer)), Ok(read)) => Progress::Read(read, decided, by, answer),
            (Some(UnderWay::Relay(_, answer)), Ok(read)) => Progress::Relaid(read, answer),
            (Some(UnderWay::Write(_, settled)), Err(durable)) => Progress::Written(durable, settled),
            // What is under way does not change while it is awaited.
            _ => std::future::pending().await,
        }
    }
}

/// What is done one after the other beside the loop.
pub(super) struct Lanes<'l> {
    pub(super) reloads: &'l mut Reloads,
    pub(super) editing: &'l mut Editing,
}

/// Lays edits over files beside the loop.
pub(super) fn read(
    lay: impl FnOnce() -> Result<Config, String> + Send + 'static,
) -> BoxFuture<'static, Result<Config, String>> {
    let reading = tokio::task::spawn_blocking(lay);
    reading.map(|read| read.unwrap_or_else(|_| Err(FAILED.to_owned()))).boxed()
}

const FAILED: &str = "reading the configuration failed inside camhealth";

/// An answer that comes when what lies in the batch is durable, or was tried.
pub(super) fn written(agenda: &mut Agenda, settled: Settled) -> UnderWay {
    let (answer, answered) = oneshot::channel();
    agenda.answer(answer, Done::Edited, true);
    UnderWay::Write(answered, Box::new(settled))
}

/// The configuration, if what was edited holds in it.
pub(super) fn fits(read: Result<Config, String>, decided: &Decided) -> Result<Config, Refusal> {
    let config = read.map_err(Refusal::Unfit)?;
    let line = config.sheet.line(&decided.item);
    match line.map(|line| &line.standing) {
        Some(Standing::Unfit(why)) if decided.edits.iter().any(|(item, _)| *item == decided.item) => {
            Err(Refusal::Unfit(why.clone()))
        }
        _ => Ok(config),
    }
}
