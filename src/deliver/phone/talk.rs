//! One call, driven: what happens on the line goes to the core's [`Line`], and what it says is done.

use super::{
    Phone, Voice,
    agent::Agent,
    keys,
    matter::Matter,
    media::{Heard, Media},
    sdp,
    speech::{Clip, Mouth},
    words::Script,
};
use crate::call::{Act, Happened, Line, Outcome, Prompt, Settings, Settled};
use futures_util::future::{BoxFuture, FutureExt, OptionFuture};
use rsipstack::{
    dialog::{
        dialog::{DialogState, DialogStateReceiver},
        invitation::{InviteAsyncResult, InviteOption},
        invite_dialog::InviteDialog,
    },
    sip::{Header, StatusCode},
};
use std::time::Duration;
use tokio::{
    task::JoinHandle,
    time::{Instant, Interval, interval, sleep_until, timeout},
};

/// A packet of sound.
const FRAME: Duration = Duration::from_millis(20);
/// To end a call properly: longer than its messages take to arrive when the first is lost.
const PARTING: Duration = Duration::from_secs(3);

/// A call that is to be made.
pub(super) struct Talk<'a> {
    pub(super) phone: &'a Phone,
    pub(super) settings: Settings,
    pub(super) matter: &'a dyn Matter,
    pub(super) script: Script<'a>,
    pub(super) voice: &'a Voice,
}

/// A call on its way.
struct Wire {
    dialog: InviteDialog,
    states: DialogStateReceiver,
    invited: Option<JoinHandle<InviteAsyncResult>>,
    media: Media,
    /// What we offered, for whoever asks again.
    offer: Vec<u8>,
    began: Instant,
    frames: Interval,
}

impl Talk<'_> {
    /// Calls, says what is to be said, listens for a key, and ends.
    pub(super) async fn hold(&self) -> Outcome {
        let Some(mut agent) = Agent::open(&self.phone.trunk).await else { return Outcome::Dead };
        let mut serving = Box::pin(agent.serve());
        let Some(mut wire) = self.dial(&agent).await else { return Outcome::Failed };
        let outcome = tokio::select! {
            outcome = self.drive(&mut wire) => outcome,
            () = &mut serving => Outcome::Dead,
        };
        let parting = async {
            let _ = wire.dialog.hangup().await;
            // A call that is taken back ends when the exchange says so.
            if let Some(invited) = &mut wire.invited {
                let _ = invited.await;
            }
        };
        let _ = timeout(PARTING, async {
            tokio::select! {
                () = parting => {}
                () = &mut serving => {}
            }
        })
        .await;
        if let Some(invited) = wire.invited.take() {
            invited.abort();
        }
        outcome
    }

    async fn dial(&self, agent: &Agent) -> Option<Wire> {
        let trunk = &self.phone.trunk;
        let media = Media::open(agent.local.ip()).await.ok()?;
        let offer = sdp::offer(media.socket.local_addr().ok()?, u32::from(agent.local.port())).into_bytes();
        let (sender, states) = agent.dialogs.new_dialog_state_channel();
        let option = InviteOption {
            caller: agent.uri(trunk, &trunk.from)?,
            callee: agent.uri(trunk, &self.phone.number)?,
            contact: agent.contact(trunk)?,
            destination: Some(agent.peer.clone()),
            offer: Some(offer.clone()),
            credential: Agent::credential(trunk),
            ..InviteOption::default()
        };
        let (dialog, invited) = agent.dialogs.do_invite_async(option, sender).ok()?;
        let (began, frames) = (Instant::now(), interval(FRAME));
        Some(Wire { dialog, states, invited: Some(invited), media, offer, began, frames })
    }

    async fn drive(&self, wire: &mut Wire) -> Outcome {
        let mut line = Line::new(self.settings);
        // What is said first is ready when somebody answers.
        let mut saying: OptionFuture<BoxFuture<'_, Clip>> = Some(self.say(&Prompt::Message)).into();
        let mut wanted = false;
        let mut wish: OptionFuture<BoxFuture<'_, Settled>> = None.into();
        let mut needless = self.matter.needless();
        let mut is_needed = true;
        let mut buffer = [0; 2048];
        loop {
            let deadline = line.deadline().map(|at| wire.began + at);
            let happened = tokio::select! {
                Some(state) = wire.states.recv() => wire.turned(state).await,
                invited = OptionFuture::from(wire.invited.as_mut()), if wire.invited.is_some() => {
                    wire.invited = None;
                    wire.answered(invited.and_then(Result::ok))
                }
                Ok((size, from)) = wire.media.socket.recv_from(&mut buffer) => {
                    wire.media.take(&buffer[..size], from).map(|heard| match heard {
                        Heard::Key(key) => Happened::Key(key),
                        Heard::Sound(loud) => Happened::Sound(loud),
                    })
                }
                _ = wire.frames.tick() => wire.media.frame().await.then_some(Happened::Said),
                Some(clip) = &mut saying => {
                    saying = None.into();
                    if std::mem::take(&mut wanted) {
                        wire.media.say(clip);
                    }
                    None
                }
                Some(settled) = &mut wish => {
                    wish = None.into();
                    Some(Happened::Settled(settled))
                }
                why = &mut needless, if is_needed => {
                    is_needed = false;
                    Some(Happened::Needless(why))
                }
                () = sleep_until(deadline.unwrap_or(wire.began)), if deadline.is_some() => Some(Happened::Tick),
            };
            let Some(happened) = happened else { continue };
            tracing::debug!(trunk = self.phone.trunk.id, ?happened, "on the line");
            for act in line.handle(wire.began.elapsed(), happened) {
                match act {
                    Act::Say(prompt) => {
                        wire.media.hush();
                        (saying, wanted) = (Some(self.say(&prompt)).into(), true);
                    }
                    Act::TakeOn => {
                        wire.media.hush();
                        wish = Some(self.matter.take_on()).into();
                    }
                    Act::PassOn => {
                        wire.media.hush();
                        wish = Some(self.matter.pass_on()).into();
                    }
                    Act::End(outcome) => return outcome,
                }
            }
        }
    }

    fn say(&self, prompt: &Prompt) -> BoxFuture<'_, Clip> {
        let pieces = self.script.pieces(prompt);
        let trunk = &self.phone.trunk;
        let mouth =
            Mouth { speaker: &trunk.speaker, prompts: trunk.prompts.as_deref(), language: self.script.language };
        async move { self.voice.say(&pieces, mouth).await }.boxed()
    }
}

impl Wire {
    /// What a turn of the dialog means.
    async fn turned(&mut self, state: DialogState) -> Option<Happened> {
        match state {
            DialogState::Trying(_) => Some(Happened::Trying),
            DialogState::Early(..) => Some(Happened::Ringing),
            DialogState::Info(_, request, handle) => {
                let _ = handle.reply(StatusCode::OK).await;
                keys::of_info(&request.body).map(Happened::Key)
            }
            // The exchange moves the sound elsewhere, or asks whether we are still there.
            DialogState::Updated(_, request, handle) => {
                if let Some(answer) = sdp::answer(&request.body) {
                    self.media.begin(answer);
                }
                let kind = Header::ContentType("application/sdp".into());
                let _ = handle.respond(StatusCode::OK, Some(vec![kind]), Some(self.offer.clone())).await;
                None
            }
            DialogState::Options(_, _, handle)
            | DialogState::Notify(_, _, handle)
            | DialogState::Message(_, _, handle) => {
                let _ = handle.reply(StatusCode::OK).await;
                None
            }
            DialogState::Refer(_, _, handle) | DialogState::Publish(_, _, handle) => {
                let _ = handle.reply(StatusCode::Decline).await;
                None
            }
            // While it is dialled its answer says more.
            DialogState::Terminated(..) if self.invited.is_none() => Some(Happened::HungUp),
            DialogState::Terminated(..)
            | DialogState::Calling(_)
            | DialogState::WaitAck(..)
            | DialogState::Confirmed(..) => None,
        }
    }

    /// What the final answer to our call means.
    fn answered(&mut self, answer: Option<InviteAsyncResult>) -> Option<Happened> {
        let Some(Ok((_, Some(response)))) = answer else { return Some(Happened::Lost) };
        let status = response.status_code.code();
        if !(200..300).contains(&status) {
            return Some(Happened::Refused(status));
        }
        match sdp::answer(&response.body) {
            Some(answer) => {
                self.media.begin(answer);
                Some(Happened::Answered)
            }
            // Whoever answered cannot be spoken to.
            None => Some(Happened::Refused(488)),
        }
    }
}
