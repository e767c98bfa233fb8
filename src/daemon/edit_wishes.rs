//! Edits in the event loop: one at a time they are laid over the files beside it, made durable with their entry in the
//! audit trail, and only then taken over like a reload.

use super::{
    agenda::Agenda,
    editing::{Answer, Editing, Progress, Settled, UnderWay, fits, read, written},
    event_loop::EventLoop,
};
use crate::{
    config::Config,
    edits::{self, Decided},
    request::{Done, Refused, Request},
};

impl EventLoop {
    /// Begins with the next edit that is wished for, if none is under way.
    pub(super) fn edit_next(&self, editing: &mut Editing, agenda: &mut Agenda) {
        while editing.under_way.is_none()
            && let Some((wish, by, answer)) = editing.waiting.pop_front()
        {
            let (now, config) = (self.shared.clock.now(), self.config());
            // Since it was sent, things may have come to lie elsewhere.
            let request = Request::Edit(wish);
            let allowed = self.allowed(&request, &by);
            let Request::Edit(wish) = request else { continue };
            if let Err(refused) = allowed {
                drop(answer.send(Err(refused)));
                continue;
            }
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
                let mut settled = *edit;
                if let Some(answer) = settled.answer.take() {
                    let _ = answer.send(Err(Refused::NotDurable));
                }
                editing.under_way = Some(written(agenda, settled));
                // What would be laid over it waits for as long: whoever wished that is told now, and may try again.
                for (.., answer) in editing.waiting.drain(..) {
                    let _ = answer.send(Err(Refused::JournalFails));
                }
            }
            Progress::Written(true, edit) => {
                let Settled { config, edits, answer } = *edit;
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
                let idle = self.config().with_idle(&self.edits, &why);
                self.take_over(self.shared.clock.now(), idle, agenda);
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
