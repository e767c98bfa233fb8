//! The fleet at one moment: the single source of pages and metrics, so that they cannot contradict each other.

use super::{
    AgentContact, AreaId, Beacon, ByCheck, CameraId, Cause, Check, Claim, Counts, Detail, DeviceFacts, FailureKind,
    Fleet, Incident, IncidentId, Kind, LastProof, Level, LinkId, LinkState, Local, Memory, Rung, Seen, SharedOutlooks,
    SiteId, State, StreamFacts, ViewState, Window, elapsed, later,
};
use imbl::OrdMap;
use jiff::Timestamp;
use serde::Serialize;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use utoipa::ToSchema;

/// The fleet at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Which moment.
    pub at: Timestamp,
    /// The inventory that it speaks of.
    pub fleet: Arc<Fleet>,
    /// Every camera of the fleet. This map and the others are shared with the snapshots before and after.
    pub cameras: OrdMap<CameraId, Arc<CameraStatus>>,
    /// Every site of the fleet.
    pub sites: OrdMap<SiteId, Arc<SiteStatus>>,
    /// How many cameras are in each state, and sites at each level.
    pub counts: Counts,
    /// All views of the commune together.
    pub coverage: Coverage,
    /// The same by hamlet.
    pub hamlets: OrdMap<Arc<str>, Coverage>,
    /// The same by area, with all areas that are a part of it.
    pub areas: OrdMap<AreaId, Coverage>,
    /// Every link of the fleet.
    pub links: OrdMap<LinkId, LinkStatus>,
    /// What was last heard of agents, by the link that each is; nothing of those that were not heard of since the start.
    pub agents: OrdMap<LinkId, AgentContact>,
    /// Whether the monitor sees nothing at all and cannot say why.
    pub cut_off: Option<Timestamp>,
    /// Whether anchors answered when they were last asked; `None` where there are none or none was asked yet.
    pub anchors: Option<bool>,
    /// Incidents that are open, or ended within the last hours; newest first.
    pub incidents: Arc<Vec<Arc<Incident>>>,
    /// All windows that are not over, those of the configuration first.
    pub windows: Arc<Vec<Window>>,
    /// Who is on call, by rotation.
    pub on_call: Arc<Vec<OnCall>>,
    /// What is planned for each camera; published now and then, so a little older than the rest.
    pub outlooks: SharedOutlooks,
}

impl Snapshot {
    /// How many cameras of a kind are in a state.
    pub fn count(&self, kind: Kind, state: State) -> usize {
        self.counts.cameras(kind, state)
    }

    /// Incidents that are open, newest first.
    pub fn open_incidents(&self) -> impl Iterator<Item = &Arc<Incident>> {
        self.incidents.iter().filter(|incident| incident.closed.is_none())
    }

    /// The incident of a number or an id.
    pub fn incident(&self, name: &str) -> Option<&Arc<Incident>> {
        self.incidents.iter().find(|incident| incident.is_named(name))
    }

    /// The number of the open incident that accounts for a site.
    pub fn number(&self, site: &SiteStatus) -> Option<u32> {
        let id = site.incident.as_ref()?;
        self.incidents.iter().find(|incident| incident.id == *id).map(|incident| incident.number)
    }

    /// Times as the commune's people read them at this moment.
    pub fn local(&self) -> Local<'_> {
        Local::new(&self.fleet.commune.timezone, self.at)
    }

    /// The name for people of what failed.
    pub fn place(&self, cause: &Cause) -> String {
        self.fleet.place(cause)
    }

    /// How many sites are at a level.
    pub fn sites_at(&self, level: Level) -> usize {
        self.counts.sites(level)
    }
}

/// One camera at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraStatus {
    /// Which shown version of it this is; it grows with each change that a snapshot shows.
    pub revision: u64,
    /// Where it stands.
    pub state: State,
    /// Why, unless it is well or was never seen.
    pub cause: Option<FailureKind>,
    /// For people.
    pub detail: Detail,
    /// Since when.
    pub since: Timestamp,
    /// When it was last looked at, in whatever depth.
    pub last_probe: Option<Timestamp>,
    /// When media last arrived.
    pub last_media: Option<Timestamp>,
    /// What the last look at the stream showed; its age is that of `last_media`. Pages and metrics show
    /// [`Self::stream_at`].
    pub stream: Option<StreamFacts>,
    /// When the figures were measured that only a long look can measure.
    pub surveyed: Option<Timestamp>,
    /// What the device last said of itself. Many never do, and it is large.
    pub device: Option<Arc<DeviceFacts>>,
    /// Camera clock minus ours, in seconds, as last measured; pages and metrics show [`Self::clock_offset_at`].
    pub clock_offset_seconds: Option<f64>,
    /// When that was.
    pub clock_measured: Option<Timestamp>,
    /// The last look of each depth: how long it took and whether it found anything wrong.
    pub last: ByCheck<LastCheck>,
    /// Looks so far in this run of the daemon, by depth and outcome.
    pub probes: BTreeMap<(Check, Option<FailureKind>), u64>,
    /// Changes of state so far in this run of the daemon.
    pub transitions: u64,
    /// Bytes received from it so far in this run of the daemon.
    pub bytes: u64,
    /// The looks before those of `last`, newest first, without their steps.
    pub recent: VecDeque<Seen>,
    /// What the state machine counts.
    pub reasoning: Option<Reasoning>,
    /// What last proved that it sends, as far as this run of the daemon has seen it.
    pub proof: Option<LastProof>,
    /// What a source said last, and when; of the other cameras nothing.
    pub claim: Option<(Timestamp, Claim)>,
    /// What was learned of it.
    pub memory: Arc<Memory>,
}

/// What the state machine counts, and what would change its mind.
#[derive(Debug, Clone, PartialEq)]
pub struct Reasoning {
    /// Looks in a row that failed.
    pub bad: u32,
    /// How the last of them failed.
    pub bad_kind: Option<FailureKind>,
    /// How many make it `down`.
    pub bad_needed: u32,
    /// Looks in a row that were good enough to see by.
    pub good: u32,
    /// How many end being `down`, and move between `up` and `degraded`.
    pub good_needed: u32,
    /// Looks in a row that would move it between `up` and `degraded`.
    pub shade: Option<(Option<FailureKind>, u32)>,
    /// When it last proved that it works.
    pub proven: Option<Timestamp>,
    /// Age past which that proves nothing.
    pub stale_after: Duration,
}

impl CameraStatus {
    /// A camera that this run of the daemon has not looked at.
    pub fn unseen(state: State, since: Timestamp) -> Self {
        Self {
            revision: 0,
            state,
            cause: None,
            detail: Detail::default(),
            since,
            last_probe: None,
            last_media: None,
            stream: None,
            surveyed: None,
            device: None,
            clock_offset_seconds: None,
            clock_measured: None,
            last: ByCheck::default(),
            probes: BTreeMap::new(),
            transitions: 0,
            bytes: 0,
            recent: VecDeque::new(),
            reasoning: None,
            proof: None,
            claim: None,
            memory: Arc::default(),
        }
    }

    /// Until when the figures of [`Self::stream_at`] and [`Self::clock_offset_at`] are shown: past each of these moments
    /// some are not.
    pub fn figures_end(&self) -> impl Iterator<Item = Timestamp> {
        let media = self.last_media.map(|media| later(media, self.media_limit()));
        let seldom = [self.surveyed, self.clock_measured].into_iter().flatten();
        media.into_iter().chain(seldom.map(|at| later(at, SELDOM_MEASURED)))
    }

    fn media_limit(&self) -> Duration {
        self.reasoning.as_ref().map_or(Duration::ZERO, |reasoning| reasoning.stale_after)
    }

    /// What the stream shows at a moment: nothing where video came so long ago that it proves nothing any more.
    pub fn stream_at(&self, at: Timestamp) -> Option<StreamFacts> {
        let limit = self.media_limit();
        let fresh = self.last_media.is_some_and(|media| elapsed(at, media) <= limit);
        let mut stream = self.stream.clone().filter(|_| fresh)?;
        if self.surveyed.is_none_or(|surveyed| elapsed(at, surveyed) > SELDOM_MEASURED) {
            (stream.keyframe_interval_seconds, stream.media_speed) = (None, None);
        }
        Some(stream)
    }

    /// How far its clock is off, where that was measured lately.
    pub fn clock_offset_at(&self, at: Timestamp) -> Option<f64> {
        let fresh = self.clock_measured.is_some_and(|measured| elapsed(at, measured) <= SELDOM_MEASURED);
        self.clock_offset_seconds.filter(|_| fresh)
    }
}

/// Figures of the looks that a household's camera gets once a day are shown until the next one is overdue.
const SELDOM_MEASURED: Duration = Duration::from_secs(25 * 60 * 60);

/// The last look of one depth.
#[derive(Debug, Clone, PartialEq)]
pub struct LastCheck {
    /// When it began.
    pub started: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What was wrong, if anything.
    pub failure: Option<FailureKind>,
    /// The steps; what keeps a status as it was shares them.
    pub rungs: Arc<[Rung]>,
}

/// One site at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteStatus {
    /// Which shown version of it this is; it grows with each change that a snapshot shows.
    pub revision: u64,
    /// How well it is covered.
    pub level: Level,
    /// Since when at this level.
    pub since: Timestamp,
    /// Its views, in the order of the configuration.
    pub views: Vec<ViewStatus>,
    /// The open incident, if somebody was told.
    pub incident: Option<IncidentId>,
    /// Since when it is well enough again, while its alert is still open: it must stay so before the all-clear.
    pub recovering: Option<Timestamp>,
}

/// One link at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkStatus {
    /// Whether it carries anything.
    pub state: LinkState,
    /// Since when.
    pub since: Timestamp,
    /// What its own beacon said when it was last asked; `None` where it has none or was not asked yet.
    pub beacon: Option<bool>,
    /// Its beacon.
    pub probe: Option<Beacon>,
    /// Cameras that hang on it.
    pub cameras: usize,
    /// How many of them cannot be reached because of it or a link above it.
    pub unreachable: usize,
}

/// Who answers for a rotation now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OnCall {
    /// The rotation's id.
    pub rotation: String,
    /// The person's name for people.
    pub name: String,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
}

/// One view at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewStatus {
    /// Name for people.
    pub name: String,
    /// Whether it is seen.
    pub state: ViewState,
    /// How many cameras see it now.
    pub seeing: usize,
    /// How many must at this hour.
    pub needs: usize,
    /// What it counts in coverage.
    pub weight: f64,
}

/// Views seen out of views wanted.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Coverage {
    /// Views that are seen.
    pub covered: usize,
    /// Views that are lost.
    pub lost: usize,
    /// All views; those neither covered nor lost are unknown.
    pub total: usize,
    /// Weight of the views that are seen.
    pub weight_covered: f64,
    /// Weight of all views.
    pub weight_total: f64,
}

impl Coverage {
    /// Takes in a view.
    pub fn add(&mut self, state: ViewState, weight: f64) {
        self.total += 1;
        self.weight_total += weight;
        match state {
            ViewState::Covered => {
                self.covered += 1;
                self.weight_covered += weight;
            }
            ViewState::Lost => self.lost += 1,
            ViewState::Unknown => {}
        }
    }

    /// Covered weight as a share of all, 0 to 1; `None` when there are no views.
    pub fn ratio(self) -> Option<f64> {
        (self.weight_total > 0.0).then(|| self.weight_covered / self.weight_total)
    }
}
