//! How many looks confirm a change, and when a look is too old to be believed.

use std::time::Duration;

/// Policy of the camera state machine. Counts are of results, so that a stepped clock cannot invent an outage.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Bad looks in a row before a camera is `down`.
    pub bad_to_down: u32,
    /// Good looks in a row before a camera that was `down` is well again.
    pub good_to_up: u32,
    /// Age past which the last media of a public camera proves nothing; then it is `unknown`.
    pub stale_after_public: Duration,
    /// The same for a household camera, which is looked at less often.
    pub stale_after_household: Duration,
    /// Share of lost RTP packets above which a stream is `degraded`, 0 to 1.
    pub loss_ratio: f64,
    /// Clock offset above which a camera is `degraded`.
    pub clock_offset: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bad_to_down: 3,
            good_to_up: 2,
            stale_after_public: Duration::from_secs(5 * 60),
            stale_after_household: Duration::from_secs(60 * 60),
            loss_ratio: 0.02,
            clock_offset: Duration::from_secs(60),
        }
    }
}
