//! One call from dialling to its end, as a machine that is told what happens and says what to do.

use super::{Outcome, of_answer};
use std::time::Duration;

/// An exchange that is alive says at least "100 Trying" within 200 ms (RFC 3261, 17.2.1); over UDP a call is sent again
/// after 0.5, 1.5 and 3.5 s.
const SILENT: Duration = Duration::from_secs(5);
/// Who answers says "a lô" and waits: so long a quiet, and it is our turn.
const TURN: Duration = Duration::from_millis(600);
/// Who answers and says nothing is spoken to after this.
const SHY: Duration = Duration::from_millis(1200);
/// Sound with shorter pauses than this is one greeting.
const BREATH: Duration = Duration::from_millis(300);
/// People greet for a second or two; what greets for longer is taken for a machine.
const GREETING: Duration = Duration::from_secs(4);
/// The message begins at last, whatever is heard: on a loud street it is never quiet.
const ANYHOW: Duration = Duration::from_secs(5);
/// Between the first time and the second.
const PAUSE: Duration = Duration::from_secs(1);
/// For a key, after it was said for the second time.
const LISTEN: Duration = Duration::from_secs(8);
/// What a key asks for is answered by the daemon; a call does not hang on it.
const DECIDE: Duration = Duration::from_secs(5);
/// A call that has not ended by itself.
const LONGEST: Duration = Duration::from_secs(180);
/// How often the message is said.
const TIMES: u8 = 2;

/// What a call is bound by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// For how long it may ring.
    pub ring: Duration,
}

/// What happens on the line, or to what the call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// The exchange has the call.
    Trying,
    /// It rings, or the exchange plays something before anybody answers.
    Ringing,
    /// Somebody, or something, answers.
    Answered,
    /// It was refused, with a status of SIP.
    Refused(u16),
    /// The other side hung up, or the line is gone.
    HungUp,
    /// The exchange cannot be reached.
    Lost,
    /// A key was pressed.
    Key(char),
    /// A tenth of a second of sound came in: whether it was loud.
    Sound(bool),
    /// What was to be said was said to its end.
    Said,
    /// What became of a key's wish.
    Settled(Settled),
    /// Nobody needs to be called any more.
    Needless(Needless),
    /// Time passed.
    Tick,
}

/// What became of a key's wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It is done.
    Done,
    /// Somebody had taken it on before.
    Before(String),
    /// The incident is over.
    Over,
    /// There is no further step, or it was taken already.
    NoNext,
    /// It could not be done.
    Failed,
}

/// Why nobody needs to be called any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needless {
    /// The incident has ended.
    Ended,
    /// Somebody has taken it on.
    TakenOn(String),
}

/// What is to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prompt {
    /// What is the matter, as it stands now, and what the keys mean.
    Message,
    /// That they have taken it on.
    Taken,
    /// That this person has taken it on.
    TakenBy(String),
    /// That the next one is called.
    Passed,
    /// That there is no next one.
    NoNext,
    /// That it could not be done.
    Failed,
    /// That it is over.
    Ended,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Say this, instead of whatever is being said.
    Say(Prompt),
    /// Take the incident on for whoever is called.
    TakeOn,
    /// Pass it on to the next step.
    PassOn,
    /// End the call, or stop ringing. Nothing more follows.
    End(Outcome),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// The exchange has said nothing yet.
    Dialling,
    /// It rings, since then.
    Ringing(Duration),
    /// Somebody answered, and it is their turn to speak.
    Greeted {
        at: Duration,
        begun: Option<Duration>,
        loud: Option<Duration>,
    },
    /// The message is said, for the n-th time.
    Saying(u8),
    /// The message was said so often, and is said again, or the call ends, by then.
    Listening(u8, Duration),
    /// A key was pressed; what becomes of it is known by then.
    Deciding(bool, Duration),
    /// Words after which they may still press a key.
    Answering,
    /// Last words.
    Closing(Outcome),
    Ended,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    settings: Settings,
    phase: Phase,
    answered: Option<Duration>,
    /// Whether the message was said from beginning to end.
    said: bool,
    /// Whether what answered greets as machines do.
    machine: bool,
}

impl Line {
    /// A call that is being dialled; times are counted from here.
    pub fn new(settings: Settings) -> Self {
        Self { settings, phase: Phase::Dialling, answered: None, said: false, machine: false }
    }

    /// When [`Happened::Tick`] may have something to do.
    pub fn deadline(&self) -> Option<Duration> {
        let own = match self.phase {
            Phase::Dialling => Some(SILENT),
            Phase::Ringing(since) => Some(since + self.settings.ring),
            Phase::Greeted { at, loud: None, .. } => Some(at + SHY),
            Phase::Greeted { at, loud: Some(loud), .. } => Some((loud + TURN).min(at + ANYHOW)),
            Phase::Listening(_, until) | Phase::Deciding(_, until) => Some(until),
            Phase::Saying(_) | Phase::Answering | Phase::Closing(_) => None,
            Phase::Ended => return None,
        };
        let last = self.answered.map(|at| at + LONGEST);
        own.into_iter().chain(last).min()
    }

    /// What is to be done about what happened.
    pub fn handle(&mut self, at: Duration, happened: Happened) -> Vec<Act> {
        if self.phase == Phase::Ended {
            return vec![];
        }
        let waits = matches!(self.phase, Phase::Dialling | Phase::Ringing(_));
        match happened {
            Happened::Trying | Happened::Ringing if self.phase == Phase::Dialling => {
                self.phase = Phase::Ringing(at);
                vec![]
            }
            Happened::Answered if waits => {
                self.answered = Some(at);
                self.phase = Phase::Greeted { at, begun: None, loud: None };
                vec![]
            }
            Happened::Refused(status) if waits => self.end(of_answer(status)),
            Happened::Lost if waits => self.end(Outcome::Dead),
            Happened::HungUp | Happened::Lost => self.end(self.so_far()),
            Happened::Key(key) => self.key(at, key),
            Happened::Sound(loud) => self.sound(at, loud),
            Happened::Said => self.finished(at),
            Happened::Settled(settled) => self.settled(settled),
            Happened::Needless(why) => self.needless(waits, why),
            Happened::Tick => self.tick(at),
            Happened::Trying | Happened::Ringing | Happened::Answered | Happened::Refused(_) => vec![],
        }
    }

    fn end(&mut self, outcome: Outcome) -> Vec<Act> {
        self.phase = Phase::Ended;
        vec![Act::End(outcome)]
    }

    /// What came of it if it ends now.
    fn so_far(&self) -> Outcome {
        match &self.phase {
            Phase::Closing(outcome) => *outcome,
            // The wish is on its way, and holds without the line.
            Phase::Deciding(true, _) => Outcome::TakenOn,
            Phase::Deciding(false, _) => Outcome::PassedOn,
            Phase::Dialling | Phase::Ringing(_) => Outcome::Failed,
            _ if self.machine => Outcome::Machine,
            _ if self.said => Outcome::Heard,
            _ => Outcome::HungUp,
        }
    }

    fn key(&mut self, at: Duration, key: char) -> Vec<Act> {
        let open =
            matches!(self.phase, Phase::Greeted { .. } | Phase::Saying(_) | Phase::Listening(..) | Phase::Answering);
        let takes = match key {
            '1' if open => true,
            '2' if open => false,
            _ => return vec![],
        };
        // A machine presses nothing.
        self.machine = false;
        self.phase = Phase::Deciding(takes, at + DECIDE);
        vec![if takes { Act::TakeOn } else { Act::PassOn }]
    }

    fn sound(&mut self, at: Duration, is_loud: bool) -> Vec<Act> {
        if let Phase::Greeted { begun, loud, .. } = &mut self.phase
            && is_loud
        {
            let goes_on = loud.is_some_and(|last| at.saturating_sub(last) <= BREATH);
            *begun = if goes_on { *begun } else { Some(at) };
            *loud = Some(at);
            self.machine |= begun.is_some_and(|begun| at.saturating_sub(begun) >= GREETING);
        }
        self.tick(at)
    }

    /// What was to be said was said to its end.
    fn finished(&mut self, at: Duration) -> Vec<Act> {
        match self.phase {
            Phase::Saying(times) => {
                self.said = true;
                let wait = if times < TIMES { PAUSE } else { LISTEN };
                self.phase = Phase::Listening(times, at + wait);
                vec![]
            }
            Phase::Answering => {
                self.said = true;
                self.phase = Phase::Listening(TIMES, at + LISTEN);
                vec![]
            }
            Phase::Closing(outcome) => self.end(outcome),
            _ => vec![],
        }
    }

    fn settled(&mut self, settled: Settled) -> Vec<Act> {
        let Phase::Deciding(takes, _) = self.phase else { return vec![] };
        let (prompt, outcome) = match settled {
            Settled::Done if takes => (Prompt::Taken, Outcome::TakenOn),
            Settled::Done => (Prompt::Passed, Outcome::PassedOn),
            Settled::Before(name) => (Prompt::TakenBy(name), Outcome::Heard),
            Settled::Over => (Prompt::Ended, Outcome::Heard),
            // They know, and may still take it on.
            Settled::NoNext => return self.answer(Prompt::NoNext),
            Settled::Failed => return self.answer(Prompt::Failed),
        };
        self.phase = Phase::Closing(outcome);
        vec![Act::Say(prompt)]
    }

    fn answer(&mut self, prompt: Prompt) -> Vec<Act> {
        self.phase = Phase::Answering;
        vec![Act::Say(prompt)]
    }

    fn needless(&mut self, waits: bool, why: Needless) -> Vec<Act> {
        match self.phase {
            _ if waits => self.end(Outcome::Over),
            // Their own key is what ended it.
            Phase::Deciding(..) | Phase::Closing(_) => vec![],
            _ => {
                let prompt = match why {
                    Needless::Ended => Prompt::Ended,
                    Needless::TakenOn(name) => Prompt::TakenBy(name),
                };
                self.phase = Phase::Closing(Outcome::Over);
                vec![Act::Say(prompt)]
            }
        }
    }

    fn tick(&mut self, at: Duration) -> Vec<Act> {
        if self.deadline().is_none_or(|deadline| at < deadline) {
            return vec![];
        }
        match self.phase {
            Phase::Dialling => self.end(Outcome::Dead),
            Phase::Ringing(_) => self.end(Outcome::NoAnswer),
            Phase::Greeted { .. } => self.say(1),
            Phase::Listening(times, _) if times < TIMES => self.say(times + 1),
            Phase::Deciding(..) => self.settled(Settled::Failed),
            _ => self.end(self.so_far()),
        }
    }

    fn say(&mut self, times: u8) -> Vec<Act> {
        self.phase = Phase::Saying(times);
        vec![Act::Say(Prompt::Message)]
    }
}
