//! A telephone call as decisions: when it rings, what is said and how often, what a key means, and what came of it.
//!
//! Pure: what happens on the line comes in as [`Happened`], with the time, and what is to be done goes out as [`Act`]. Whoever
//! drives it speaks SIP and sends sound (`deliver::phone`). The rules:
//!
//! - An exchange that says nothing at all is dead, and that is told apart from a person who does not answer.
//! - What is said is said twice. Key 1 takes the incident on, key 2 passes it on to the next step at once, at any time.
//! - Who answers and presses nothing has *heard* it, once it was said from beginning to end; nothing is taken on by that.
//! - A voice that greets for longer than people do is a machine's: it is told all the same, and counts as not reached.
//! - A call ends when nobody needs to be called any more.

mod line;
mod outcome;

pub use line::{Act, Happened, Line, Needless, Prompt, Settings, Settled};
pub use outcome::{Outcome, of_answer};

#[cfg(test)]
mod tests;
