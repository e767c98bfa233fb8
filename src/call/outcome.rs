//! What came of a call, and what an exchange's refusal says about it.

use crate::model::closed;

closed! {
    /// What came of a call.
    pub enum Outcome {
        /// Whoever answered took the incident on.
        TakenOn "taken_on",
        /// Whoever answered passed it on to the next step.
        PassedOn "passed_on",
        /// It was said from beginning to end, and no key was pressed.
        Heard "heard",
        /// Nobody needed to be called any more before it was said.
        Over "over",
        /// The line was busy.
        Busy "busy",
        /// The call was declined.
        Declined "declined",
        /// It rang, and nobody answered.
        NoAnswer "no_answer",
        /// The telephone is switched off, out of reach or not registered.
        Unavailable "unavailable",
        /// A machine answered, by how long it greeted.
        Machine "machine",
        /// Whoever answered hung up before it was said.
        HungUp "hung_up",
        /// There is no such number.
        NoSuchNumber "no_such_number",
        /// The exchange does not take our login, or does not let it call.
        Login "login",
        /// The exchange does not answer.
        Dead "dead",
        /// The exchange cannot put the call through.
        Failed "failed",
    }
}

impl Outcome {
    /// What it says to whoever looks after channels, with what to do where something can be done.
    pub fn text(self) -> &'static str {
        match self {
            Self::TakenOn => "taken on",
            Self::PassedOn => "passed on",
            Self::Heard => "heard",
            Self::Over => "not needed any more",
            Self::Busy => "busy",
            Self::Declined => "the call was declined",
            Self::NoAnswer => "no answer",
            Self::Unavailable => "switched off or out of reach",
            Self::Machine => "a machine answered",
            Self::HungUp => "hung up before it was said",
            Self::NoSuchNumber => "there is no such number; check phone",
            Self::Login => "the exchange refuses our login; check the trunk's username and password",
            Self::Dead => "the exchange does not answer; check the trunk's host, port, transport and certificate",
            Self::Failed => "the exchange cannot put the call through",
        }
    }

    /// Whether the message came to a person, or none was needed any more.
    pub fn is_told(self) -> bool {
        matches!(self, Self::TakenOn | Self::PassedOn | Self::Heard | Self::Over)
    }

    /// Whether the exchange did its work: what is left is the person's affair.
    pub fn is_put_through(self) -> bool {
        !matches!(self, Self::Login | Self::Dead | Self::Failed)
    }

    /// Whether the same call will never succeed as things are configured.
    pub fn is_permanent(self) -> bool {
        matches!(self, Self::NoSuchNumber | Self::Login)
    }
}

/// What the final answer to a call says that was not taken: a status of SIP (RFC 3261, section 21; 607 of RFC 8197).
pub fn of_answer(status: u16) -> Outcome {
    match status {
        486 | 600 => Outcome::Busy,
        603 | 607 => Outcome::Declined,
        // 408 and 487 come from proxies that let it ring for as long as they like.
        408 | 487 => Outcome::NoAnswer,
        480 => Outcome::Unavailable,
        404 | 410 | 484 | 485 | 604 => Outcome::NoSuchNumber,
        401 | 403 | 407 => Outcome::Login,
        _ => Outcome::Failed,
    }
}
