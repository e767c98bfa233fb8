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
    /// Seconds that its clock may gain or lose in a second, by its sender reports.
    pub clock_drift: f64,
    /// Share of the promised or usual frame rate below which a stream is `degraded`, 0 to 1.
    pub fps_ratio: f64,
    /// Share of the promised or usual bit rate below which a stream is `degraded`, 0 to 1.
    pub bitrate_ratio: f64,
    /// Share of the usual size of frames between keyframes below which a picture may stand still, 0 to 1.
    pub frozen_ratio: f64,
    /// By how much media time may be faster or slower than time, as a share.
    pub media_speed: f64,
    /// Interarrival jitter above which a stream is `degraded`.
    pub jitter: Duration,
    /// Starts of a device within `reboot_window` that are too many.
    pub reboots: u32,
    /// The time in which starts are counted.
    pub reboot_window: Duration,
    /// How long a changed serial number, firmware or stream is told, before it is taken for meant.
    pub change_shown_for: Duration,
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
            // 3.6 s an hour; 20 millionths are usual for a crystal.
            clock_drift: 0.001,
            fps_ratio: 0.5,
            bitrate_ratio: 0.2,
            frozen_ratio: 0.1,
            media_speed: 0.25,
            // Bursts of a second show as 0.12 s, a healthy wireless link as some hundredths.
            jitter: Duration::from_millis(100),
            reboots: 3,
            reboot_window: Duration::from_secs(60 * 60),
            change_shown_for: Duration::from_secs(24 * 60 * 60),
        }
    }
}
