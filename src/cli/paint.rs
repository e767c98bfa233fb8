//! Colour for terminals that have it, and none for files, pipes and `NO_COLOR`.

use crate::model::{Level, State, Verdict};
use std::io::IsTerminal;

/// Paints text, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    on: bool,
}

impl Paint {
    /// For standard output.
    pub(super) fn stdout() -> Self {
        Self { on: colour_wanted(std::io::stdout().is_terminal()) }
    }

    /// For standard error.
    pub(super) fn stderr() -> Self {
        Self { on: colour_wanted(std::io::stderr().is_terminal()) }
    }

    /// Without colours.
    pub(super) fn off() -> Self {
        Self { on: false }
    }

    /// Whether colours are on.
    pub(super) fn is_on(self) -> bool {
        self.on
    }

    pub(super) fn good(self, text: &str) -> String {
        self.code("32", text)
    }

    pub(super) fn fair(self, text: &str) -> String {
        self.code("33", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.code("31", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.code("2", text)
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.code("1", text)
    }

    pub(super) fn verdict(self, verdict: Verdict, text: &str) -> String {
        match verdict {
            Verdict::Up => self.good(text),
            Verdict::Degraded | Verdict::Unproven => self.fair(text),
            Verdict::Down => self.bad(text),
        }
    }

    pub(super) fn state(self, state: State, text: &str) -> String {
        match state {
            State::Up => self.good(text),
            State::Degraded => self.fair(text),
            State::Down | State::Unreachable => self.bad(text),
            State::Unknown | State::Maintenance | State::Off => self.dim(text),
        }
    }

    pub(super) fn level(self, level: Level, text: &str) -> String {
        match level {
            Level::Full => self.good(text),
            Level::Reduced => self.fair(text),
            Level::Critical | Level::Blind => self.bad(text),
            Level::Unknown => self.dim(text),
        }
    }

    fn code(self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn colour_wanted(terminal: bool) -> bool {
    terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
