//! How much somebody may send: wishes of an address, of which each costs the event loop's time and a write to the disk, and
//! messages of an agent or a source.

use crate::rights::Hash;
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::HashMapStateStore,
};
use std::{net::IpAddr, num::NonZeroU32, time::Duration};

const fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("it is not 0")
}

/// Wishes of an address a second, and how many at once after a pause.
const WISHES: (NonZeroU32, NonZeroU32) = (number(5), number(20));
/// Messages of an agent: it says what is new five times a second at most, and catches up as quickly as it is answered.
const MESSAGES: (NonZeroU32, NonZeroU32) = (number(20), number(100));
/// Messages of a source: it says all that it knows in one each minute, or somewhat more often.
const CLAIMS: (NonZeroU32, NonZeroU32) = (number(1), number(10));
/// Senders of which something is known. One is forgotten when its pause is over, which takes some seconds.
const SENDERS: usize = 4096;

/// What is known of those who send.
pub(super) struct Flood<K: Clone + Eq + std::hash::Hash, C: Clock = DefaultClock> {
    limiter: RateLimiter<K, HashMapStateStore<K>, C, governor::middleware::NoOpMiddleware<C::Instant>>,
    clock: C,
}

/// What is known of addresses that send wishes.
pub(super) type Wishes<C = DefaultClock> = Flood<IpAddr, C>;
/// What is known of agents, by their keys.
pub(super) type Messages = Flood<Hash>;

impl<C: Clock + Clone + Default> Default for Wishes<C> {
    fn default() -> Self {
        Self::new(WISHES, C::default())
    }
}

impl Default for Messages {
    fn default() -> Self {
        Self::new(MESSAGES, DefaultClock::default())
    }
}

impl Messages {
    /// The same of sources.
    pub(super) fn of_sources() -> Self {
        Self::new(CLAIMS, DefaultClock::default())
    }
}

impl<K: Clone + Eq + std::hash::Hash, C: Clock + Clone> Flood<K, C> {
    fn new((a_second, at_once): (NonZeroU32, NonZeroU32), clock: C) -> Self {
        let quota = Quota::per_second(a_second).allow_burst(at_once);
        Self { limiter: RateLimiter::hashmap_with_clock(quota, clock.clone()), clock }
    }

    /// Takes one from a sender; else how long it must wait.
    pub(super) fn take(&self, sender: K) -> Result<(), Duration> {
        if self.limiter.len() >= SENDERS {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
            if self.limiter.len() >= SENDERS {
                return Err(Duration::from_secs(1));
            }
        }
        self.limiter.check_key(&sender).map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    fn taken(wishes: &Wishes<FakeRelativeClock>, last: u8) -> usize {
        (0..100).filter(|_| wishes.take([10, 0, 0, last].into()).is_ok()).count()
    }

    #[test]
    fn twenty_at_once_then_five_a_second_for_each_address() {
        let clock = FakeRelativeClock::default();
        let wishes = Wishes::new(WISHES, clock.clone());
        assert_eq!(taken(&wishes, 1), 20);
        assert_eq!(taken(&wishes, 2), 20, "another address has its own");
        let wait = wishes.take([10, 0, 0, 1].into()).expect_err("it sent too many");
        assert!(wait <= Duration::from_millis(200), "{wait:?}");
        clock.advance(Duration::from_secs(1));
        assert_eq!(taken(&wishes, 1), 5);
    }

    #[test]
    fn a_flood_from_many_addresses_fills_no_memory_and_passes() {
        let clock = FakeRelativeClock::default();
        let wishes = Wishes::new(WISHES, clock.clone());
        let address = |number: u32| IpAddr::from(std::net::Ipv4Addr::from_bits(number));
        assert_eq!((0..100_000).filter(|number| wishes.take(address(*number)).is_ok()).count(), SENDERS);
        assert!(wishes.limiter.len() <= SENDERS);
        clock.advance(Duration::from_secs(5));
        assert_eq!(wishes.take(address(7)), Ok(()));
        assert!(wishes.limiter.len() < 10, "{} addresses are kept", wishes.limiter.len());
    }
}
