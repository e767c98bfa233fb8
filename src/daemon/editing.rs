//! Edits: one at a time they are laid over the files beside the event loop, made durable with their entry in the audit
//! trail, and only then taken over like a reload.

use super::{agenda::Agenda, event_loop::EventLoop};
use crate::{
    config::Config,
    edits::{self, Decided, Edits, Refusal, Standing, Wish},
    request::{Done, Refused, TooMany},
    rights::By,
};
use futures_util::future::{BoxFuture, FutureExt};
use std::collections::VecDeque;
use tokio::sync::oneshot;

/// People whose edits wait at once.
const WAITING: usize = 64;

type Answer = oneshot::Sender<Result<Done, Refused>>;

/// Edits that are wished for, and the one that is under way.
#[derive(Default)]
pub(super) struct Editing {
    waiting: VecDeque<(Wish, By, Answer)>,
    under_way: Option<UnderWay>,
}

/// The edit that is under way.
enum UnderWay {
    /// The files are read with it.
    Read(BoxFuture<'static, Result<Config, String>>, Box<Decided>, By, Answer),
    /// It is durable, and the files have changed meanwhile: they are read with it.
    Relay(BoxFuture<'static, Result<Config, String>>, Option<Answer>),
    /// It is being made durable.
    Write(oneshot::Receiver<Result<Done, Refused>>, Box<Settled>),
}

/// An edit with which the configuration is valid.
struct Settled {
    config: Config,
    edits: Edits,
    /// Whoever wished it, as long as they wait.
    answer: Option<Answer>,
}

/// What became of the one that was under way.
pub(super) enum Progress {
    /// The files were read with it.
    Read(Result<Config, String>, Box<Decided>, By, Answer),
    /// It was written, or not yet.
    Written(bool, Box<WrittenEdit>),
    /// The files that came meanwhile were read with it.
    Relaid(Result<Config, String>, Option<Answer>),
}

/// An edit that was written, or not yet.
pub(super) struct WrittenEdit(Settled);

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
            (Some(UnderWay::Write(_, settled)), Err(durable)) => {
                Progress::Written(durable, Box::new(WrittenEdit(*settled)))
            }
            // What is under way does not change while it is awaited.
            _ => std::future::pending().await,
        }
    }
}

impl EventLoop {
    /// Begins with the next edit that is wished for, if none is under way.
    pub(super) fn edit_next(&self, editing: &mut Editing, agenda: &mut Agenda) {
        while editing.under_way.is_none()
            && let Some((wish, by, answer)) = editing.waiting.pop_front()
        {
            let (now, config) = (self.shared.clock.now(), self.config());
            match edits::decide(&config.sheet, now, by.who.shown(), wish) {
                Ok(Some(decided)) => {
                    let edits = decided.edits.clone();
                    let reading = read(move || config.edited(&edits));
                    editing.under_way = Some(UnderWay::Read(reading, Box::new(decided), by, answer));
                }
                Ok(None) => agenda.answer(answer, Done::Edited, false),
                // Whoever asked may have gone away.
                Err(refusal) => drop(answer.send(Err(Refused::Edit(refusal)))),
            }
        }
    }

    /// Goes on with the edit that is under way.
    pub(super) fn edited(&mut self, progress: Progress, editing: &mut Editing, agenda: &mut Agenda) {
        match progress {
            Progress::Read(read, decided, by, answer) => match fits(read, &decided) {
                Ok(config) => {
                    let now = self.shared.clock.now();
                    let Decided { edits, change, deed, .. } = *decided;
                    agenda.write_now(now).edits.push(change);
                    self.note(now, &by, Some(deed), agenda);
                    let settled = Settled { config, edits, answer: Some(answer) };
                    editing.under_way = Some(written(agenda, settled));
                }
                Err(refusal) => drop(answer.send(Err(Refused::Edit(refusal)))),
            },
            // The disk is full: it is tried again and again, and holds when it is written.
            Progress::Written(false, edit) => {
                let mut settled = edit.0;
                if let Some(answer) = settled.answer.take() {
                    let _ = answer.send(Err(Refused::NotDurable));
                }
                editing.under_way = Some(written(agenda, settled));
            }
            Progress::Written(true, edit) => {
                let Settled { config, edits, answer } = edit.0;
                self.edits = edits;
                tracing::info!(edits = self.edits.len(), "edited");
                let running = self.config();
                if config.files.are(&running.files) {
                    return self.take_over_edited(config, answer, agenda);
                }
                // A reload came while the disk was full.
                let edits = self.edits.clone();
                editing.under_way = Some(UnderWay::Relay(read(move || running.edited(&edits)), answer));
            }
            Progress::Relaid(Ok(config), answer) => self.take_over_edited(config, answer, agenda),
            Progress::Relaid(Err(why), answer) => {
                tracing::error!("what was edited is kept, and holds from the next reload on: {why}");
                drop(answer.map(|answer| answer.send(Err(Refused::Configuration(why)))));
            }
        }
    }
}

impl EventLoop {
    fn take_over_edited(&mut self, config: Config, answer: Option<Answer>, agenda: &mut Agenda) {
        let unwritten = self.take_over(self.shared.clock.now(), config, agenda);
        if let Some(answer) = answer {
            agenda.answer(answer, Done::Edited, unwritten);
        }
    }
}

/// Lays edits over files beside the loop.
fn read(lay: impl FnOnce() -> Result<Config, String> + Send + 'static) -> BoxFuture<'static, Result<Config, String>> {
    let reading = tokio::task::spawn_blocking(lay);
    reading.map(|read| read.unwrap_or_else(|_| Err(FAILED.to_owned()))).boxed()
}

const FAILED: &str = "reading the configuration failed inside camhealth";

/// An answer that comes when what lies in the batch is durable, or was tried.
fn written(agenda: &mut Agenda, settled: Settled) -> UnderWay {
    let (answer, answered) = oneshot::channel();
    agenda.answer(answer, Done::Edited, true);
    UnderWay::Write(answered, Box::new(settled))
}

/// The configuration, if what was edited holds in it.
fn fits(read: Result<Config, String>, decided: &Decided) -> Result<Config, Refusal> {
    let config = read.map_err(Refusal::Unfit)?;
    let line = config.sheet.line(&decided.item);
    match line.map(|line| &line.standing) {
        Some(Standing::Unfit(why)) if decided.edits.iter().any(|(item, _)| *item == decided.item) => {
            Err(Refusal::Unfit(why.clone()))
        }
        _ => Ok(config),
    }
}
