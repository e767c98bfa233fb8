//! Steps, reasons and looks as their readers have them: details in the reader's language, and without what is not told
//! of a household. Pages, the API and commands show these; the journal and workers keep what they are made of.

use super::{Camera, Check, Detail, Failure, FailureKind, Language, Rung, RungName};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use std::time::Duration;
use utoipa::ToSchema;

/// One step of the ladder.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Rung)]
pub struct ToldRung {
    /// Which step.
    pub name: RungName,
    /// Whether it held.
    pub ok: bool,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What was found, for people.
    pub detail: String,
}

/// Why something is not well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Failure)]
pub struct ToldFailure {
    /// For machines: metric label, JSON, message table.
    pub kind: FailureKind,
    /// For people: what exactly happened. Holds no URL with a login, no password, no stream bytes.
    pub detail: String,
}

/// One look in a line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Seen)]
pub struct ToldLook {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started: Timestamp,
    /// How deep it was.
    pub check: Check,
    /// How long it took.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    #[schema(value_type = f64)]
    pub took: Duration,
    /// Bytes received.
    pub bytes: u64,
    /// What was wrong, if anything.
    pub failure: Option<ToldFailure>,
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

impl Rung {
    /// The step with its detail as `tell` has it.
    pub fn told(&self, tell: impl Fn(&Detail) -> String) -> ToldRung {
        ToldRung { name: self.name, ok: self.ok, seconds: self.seconds, detail: tell(&self.detail) }
    }
}

impl Failure {
    /// The reason with its detail as `tell` has it.
    pub fn told(&self, tell: impl Fn(&Detail) -> String) -> ToldFailure {
        ToldFailure { kind: self.kind, detail: tell(&self.detail) }
    }
}

impl Camera {
    /// What was found of it as others may read it, in their language.
    pub fn told(&self, detail: &Detail, language: Language) -> String {
        self.discreet(&detail.text(language))
    }
}
