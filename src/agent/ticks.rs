//! A clock that nobody sets: milliseconds since the machine started, and which start that was.

use rustix::time::{ClockId, clock_gettime};
use std::{fs, sync::LazyLock};

/// Which start of the machine this is. Where the kernel does not say so, nothing that another process of ours saw is taken to be of the
/// same one: else what was seen before a restart of the machine would seem to be of now.
static BOOT: LazyLock<String> = LazyLock::new(|| {
    let told = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    match told.trim() {
        "" => {
            tracing::warn!(
                "/proc/sys/kernel/random/boot_id cannot be read: ages of looks before this start are by the wall clock"
            );
            let started = clock_gettime(ClockId::Boottime);
            format!("unknown-{}-{}.{}", std::process::id(), started.tv_sec, started.tv_nsec)
        }
        told => told.to_owned(),
    }
});

/// A moment of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ticks {
    /// Which start of the machine.
    pub(super) boot: String,
    /// Milliseconds since then, sleep included.
    pub(super) since: i64,
}

impl Ticks {
    pub(super) fn now() -> Self {
        let time = clock_gettime(ClockId::Boottime);
        Self { boot: BOOT.clone(), since: time.tv_sec * 1000 + time.tv_nsec / 1_000_000 }
    }

    /// How long ago something was, in milliseconds, and by how much that may be wrong. What was before the machine last started
    /// can be told by its wall clock only, which may have been set since: it was before the start at least.
    pub(super) fn age(&self, then: &Self, wall: i64) -> (u64, u64) {
        /// What a wall clock may be off in between, in milliseconds.
        const DOUBT: u64 = 120_000;
        match then.boot == self.boot {
            true => ((self.since - then.since).max(0).unsigned_abs(), 0),
            false => (wall.max(self.since).max(0).unsigned_abs(), DOUBT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_by_the_clock_that_nobody_sets() {
        let now = Ticks { boot: "b".into(), since: 100_000 };
        let then = |boot: &str, since| Ticks { boot: boot.into(), since };
        assert_eq!(now.age(&then("b", 40_000), -999), (60_000, 0), "whatever the wall clock says");
        assert_eq!(now.age(&then("b", 140_000), 5), (0, 0));
        assert_eq!(now.age(&then("a", 40_000), 300_000), (300_000, 120_000));
        assert_eq!(now.age(&then("a", 40_000), -5_000_000), (100_000, 120_000), "before this start at least");
        let (one, other) = (Ticks::now(), Ticks::now());
        assert!(one.boot == other.boot && one.since <= other.since && one.since > 0);
    }
}
