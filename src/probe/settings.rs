//! Time limits of a probe's steps and the bounds of the worker processes.

use std::time::Duration;

/// Checks in one worker at once.
pub(super) const JOBS_A_WORKER: usize = 16;

/// Limits of a probe.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Longest wait for a TCP connect.
    pub connect_timeout: Duration,
    /// Longest wait for the answer to one request.
    pub answer_timeout: Duration,
    /// Longest look at arriving media; below 7 s, half of the shortest session timeout known (Tapo, 15 s), so that
    /// no keepalive is ever sent.
    pub media_timeout: Duration,
    /// Frames that suffice to call a stream live.
    pub frames: u32,
    /// Keyframes to wait for beyond that, as long as the look may last; the daemon waits for none, since smart codecs
    /// space them 10 s and more apart.
    pub keyframes: u32,
    /// Worker processes for stream checks.
    pub workers: usize,
    /// Data memory that one worker may use, in MiB; beyond it the kernel refuses and the worker dies.
    pub worker_memory_mib: u64,
}

impl Settings {
    /// Looks at streams, and by ONVIF, that can go on at once.
    pub fn places(&self) -> usize {
        self.workers.max(1) * JOBS_A_WORKER
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            answer_timeout: Duration::from_secs(5),
            media_timeout: Duration::from_millis(6500),
            frames: 10,
            keyframes: 0,
            workers: 2,
            worker_memory_mib: 64,
        }
    }
}
