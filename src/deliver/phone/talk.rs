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
    runtime::Handle,
    sync::oneshot,
    task::{AbortHandle, JoinHandle},
    time::{Instant, Interval, interval, sleep, sleep_until, timeout},
};

/// A packet of sound.
const FRAME: Duration = Duration::from_millis(20);
/// To end a call properly: longer than its messages take to arrive when the first is lost.
const PARTING: Duration = Duration::from_secs(3);
/// For a message that is sent beside us.
const AFTERWARDS: Duration = Duration::from_millis(200);
/// The last of the stack's timers: 64 times half a second (RFC 3261, timers B, F, H; M of RFC 6026), and some.
const TAIL: Duration = Duration::from_secs(40);

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
    /// Whether the dialog ended while it was dialled.
    ended: bool,
}

impl Talk<'_> {
    /// Calls, says what is to be said, listens for a key, and ends.
    pub(super) async fn hold(&self) -> Outcome {
        if let Some(outcome) = self.beforehand() {
            return outcome;
        }
        // A gateway with one line refuses a second call at once, as if the telephone were busy.
        let line = tokio::select! {
            line = self.phone.trunk.lines.acquire() => line,
            _ = self.matter.needless() => return Outcome::Over,
        };
        let Some(mut agent) = Agent::open(&self.phone.trunk).await else { return Outcome::Dead };
        if let Some(outcome) = self.beforehand() {
            return outcome;
        }
        let serving = agent.serve();
        let Some(mut wire) = self.dial(&agent).await else { return Outcome::Failed };
        let ending = Ending::new(&wire, agent, serving);
        let outcome = self.drive(&mut wire).await;
        ending.part().await;
        drop(line);
        outcome
    }

    /// What came of a call that need not be made any more.
    fn beforehand(&self) -> Option<Outcome> {
        self.matter.needless().now_or_never().map(|_| Outcome::Over)
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
        Some(Wire { dialog, states, invited: Some(invited), media, offer, began, frames, ended: false })
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
            let mut acts = line.handle(wire.began.elapsed(), happened);
            if wire.ended && wire.invited.is_none() {
                // It ended before its own answer was read.
                acts.extend(line.handle(wire.began.elapsed(), Happened::HungUp));
            }
            for act in acts {
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
                    Act::End(outcome) => {
                        // A key that was pressed holds, whoever hangs up meanwhile.
                        let _ = timeout(PARTING, &mut wish).await;
                        return outcome;
                    }
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

/// Ends a call, however it comes to its end: also where nobody waits for it any more, as when the daemon stops.
struct Ending {
    dialog: InviteDialog,
    invited: Option<AbortHandle>,
    /// Whoever drives the call's messages goes on for a while after this is gone.
    _alive: oneshot::Sender<()>,
}

impl Ending {
    fn new(wire: &Wire, agent: Agent, serving: impl Future<Output = ()> + Send + 'static) -> Self {
        let (alive, gone) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let _agent = agent;
            let mut serving = Box::pin(serving);
            tokio::select! {
                () = &mut serving => return,
                _ = gone => {}
            }
            // The stack's own tasks end by the timers that are driven here.
            let _ = timeout(TAIL, serving).await;
        });
        let invited = wire.invited.as_ref().map(JoinHandle::abort_handle);
        Self { dialog: wire.dialog.clone(), invited, _alive: alive }
    }

    /// Ends it in order, and waits for its last message to be on its way.
    async fn part(self) {
        if matches!(self.dialog.state(), DialogState::Confirmed(..)) {
            let _ = timeout(PARTING, self.dialog.hangup()).await;
            return;
        }
        drop(self);
        // What takes a call back is sent beside us.
        sleep(AFTERWARDS).await;
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // While it is dialled the stack takes the call back, now or as soon as the exchange has it, and ends what is answered
        // meanwhile.
        if let Some(invited) = &self.invited {
            invited.abort();
        }
        if matches!(self.dialog.state(), DialogState::Confirmed(..))
            && let Ok(runtime) = Handle::try_current()
        {
            let dialog = self.dialog.clone();
            runtime.spawn(async move { drop(dialog.hangup().await) });
        }
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
            DialogState::Terminated(..) => {
                self.ended = true;
                None
            }
            DialogState::Calling(_) | DialogState::WaitAck(..) | DialogState::Confirmed(..) => None,
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
