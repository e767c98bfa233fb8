//! Open files and sockets, of which a process may have so many: visitors get what looks and channels leave.
//!
//! A look that gets no socket takes a camera for unreachable. So looks come first, and the server's limit on
//! connections follows from what is left.

use crate::{config::Config, web};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The journal, the log, timers, signals, resolving names, and what is not thought of.
const OWN: u64 = 96;
/// A look's connections: to the RTSP port, and for `OPTIONS` beside it.
const OF_A_LOOK: u64 = 2;
/// The pipes of a worker that runs, and of the one that takes its place.
const OF_A_WORKER: u64 = 8;
/// A message on its way, and the connection that is kept for the next.
const OF_A_CHANNEL: u64 = 2;
/// The connection that an agent keeps, and another for what is urgent.
const OF_AN_AGENT: u64 = 2;
/// Visitors are never left without.
const LEAST_VISITORS: u64 = 16;

/// Raises the soft limit as far as the hard one lets us.
pub fn raise() -> std::io::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}

/// The server's limits, with as many connections as there are descriptors for; warns where these are few.
pub(super) fn limits(config: &Config) -> web::Limits {
    let usual = web::Limits::default();
    let wanted = usual.connections as u64;
    let needed = needed(config);
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if limit < needed + wanted {
        tracing::warn!(
            limit,
            wanted = needed + wanted,
            "few files may be open at once: looks or visitors may lack sockets; write LimitNOFILE={} into the \
             service's unit, or raise ulimit -n",
            (needed + wanted).next_power_of_two()
        );
    }
    web::Limits {
        connections: share(limit, needed, wanted),
        proxies: config.web.proxies.as_slice().into(),
        neighbours: config.web.neighbours.as_slice().into(),
        ..usual
    }
}

/// What everything but visitors may take.
fn needed(config: &Config) -> u64 {
    let looks = config.schedule.concurrency.min(config.fleet.cameras.len()) as u64;
    let (workers, channels) = (config.probe.workers as u64, config.deliver.channels.len() as u64);
    let agents = config.fleet.agents().count() as u64 * OF_AN_AGENT;
    OWN + looks * OF_A_LOOK + workers * OF_A_WORKER + channels * OF_A_CHANNEL + agents + config.fleet.links.len() as u64
}

/// Connections of visitors.
fn share(limit: u64, needed: u64, wanted: u64) -> usize {
    limit.saturating_sub(needed).clamp(LEAST_VISITORS.min(wanted), wanted) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors_get_what_looks_and_channels_leave() {
        assert_eq!(share(1024, 300, 256), 256);
        assert_eq!(share(400, 300, 256), 100);
        assert_eq!(share(256, 300, 256), 16, "some are always heard");
        assert_eq!(share(u64::MAX, 300, 256), 256);
    }

    #[test]
    fn the_limit_is_raised_as_far_as_it_goes() {
        raise().expect("the hard limit is allowed");
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!(current, maximum);
    }
}
