//! What says something about a camera: who saw it, how strong a proof that can be, how long ago, and how wrong that age may be.

use super::{CameraId, LinkId, Observation, closed::closed, worded};
use jiff::Timestamp;
use std::time::Duration;

closed! {
    /// How strong a proof is that a camera sends, the strongest first.
    #[derive(PartialOrd, Ord, Default)]
    pub enum Strength {
        /// Media arrived, and our own code counted it.
        #[default]
        Media "media",
        /// A number of bytes or frames rises elsewhere.
        Counter "counter",
        /// Somebody says that it works.
        Word "word",
    }
}

worded!(Strength::text {
    Media => "hình về tận nơi", "video that arrived";
    Counter => "số đếm tăng ở nguồn tin", "a counter that rises at a source";
    Word => "lời báo của nguồn tin", "a source's word";
});

/// Who saw a camera.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Observer {
    /// The daemon itself.
    #[default]
    Daemon,
    /// An agent in a house, with the same code.
    Agent(LinkId),
    /// Something that watches it in its own way: a recorder, a vendor's cloud, a media server.
    Source(LinkId),
}

impl Observer {
    /// What it is, as API and metrics have it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Daemon => "daemon",
            Self::Agent(_) => "agent",
            Self::Source(_) => "source",
        }
    }

    /// The link that it is, if it is one.
    pub fn link(&self) -> Option<&LinkId> {
        match self {
            Self::Daemon => None,
            Self::Agent(link) | Self::Source(link) => Some(link),
        }
    }
}

/// What a source says of a camera that nobody of ours looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// What a number stands at that rises as long as media comes, such as of bytes or frames.
    Counter(u64),
    /// Whether it works.
    Works(bool),
}

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A look by our own code.
    Look(Box<Observation>),
    /// What a source says.
    Claim(Claim),
}

/// One thing that was seen of one camera. Times are by the daemon's clock alone: whoever saw it says how old it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// Which camera.
    pub camera: CameraId,
    /// Who saw it.
    pub by: Observer,
    /// How long ago it ended, at most.
    pub age: Duration,
    /// How much younger than that it may be.
    pub error: Duration,
    /// What was seen.
    pub content: Content,
}

impl Sighting {
    /// A look of the daemon's own that has just ended.
    pub fn own(camera: CameraId, look: Box<Observation>) -> Self {
        let (age, error) = (Duration::ZERO, Duration::ZERO);
        Self { camera, by: Observer::Daemon, age, error, content: Content::Look(look) }
    }

    /// What it can prove.
    pub fn strength(&self) -> Strength {
        match self.content {
            Content::Look(_) => Strength::Media,
            Content::Claim(Claim::Counter(_)) => Strength::Counter,
            Content::Claim(Claim::Works(_)) => Strength::Word,
        }
    }
}

/// What last proved that a camera sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastProof {
    /// When, by the daemon's clock.
    pub at: Timestamp,
    /// By how much it may be later than that.
    pub error: Duration,
    /// Who saw it.
    pub by: Observer,
    /// How strong it is.
    pub strength: Strength,
}
