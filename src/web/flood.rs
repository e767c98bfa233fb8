//! How many wishes an address may send: each costs the event loop's time and a write to the disk.

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::HashMapStateStore,
};
use std::{net::IpAddr, num::NonZeroU32, time::Duration};

/// Wishes a second, and how many at once after a pause.
const A_SECOND: NonZeroU32 = NonZeroU32::new(5).expect("it is not 0");
const AT_ONCE: NonZeroU32 = NonZeroU32::new(20).expect("it is not 0");
/// Addresses of which something is known. An address is forgotten when its pause is over, which takes 4 s.
const ADDRESSES: usize = 4096;

/// What is known of addresses.
pub(super) struct Wishes<C: Clock = DefaultClock> {
    limiter: RateLimiter<IpAddr, HashMapStateStore<IpAddr>, C, governor::middleware::NoOpMiddleware<C::Instant>>,
    clock: C,
}

impl<C: Clock + Clone + Default> Default for Wishes<C> {
    fn default() -> Self {
        Self::new(C::default())
    }
}

impl<C: Clock + Clone> Wishes<C> {
    fn new(clock: C) -> Self {
        let quota = Quota::per_second(A_SECOND).allow_burst(AT_ONCE);
        Self { limiter: RateLimiter::hashmap_with_clock(quota, clock.clone()), clock }
    }

    /// Takes one wish from an address; else how long it must wait.
    pub(super) fn take(&self, address: IpAddr) -> Result<(), Duration> {
        if self.limiter.len() >= ADDRESSES {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
            if self.limiter.len() >= ADDRESSES {
                return Err(Duration::from_secs(1));
            }
        }
        self.limiter.check_key(&address).map_err(|not_until| not_until.wait_time_from(self.clock.now()))
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
        let wishes = Wishes::new(clock.clone());
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
        let wishes = Wishes::new(clock.clone());
        let address = |number: u32| IpAddr::from(std::net::Ipv4Addr::from_bits(number));
        assert_eq!((0..100_000).filter(|number| wishes.take(address(*number)).is_ok()).count(), ADDRESSES);
        assert!(wishes.limiter.len() <= ADDRESSES);
        clock.advance(Duration::from_secs(5));
        assert_eq!(wishes.take(address(7)), Ok(()));
        assert!(wishes.limiter.len() < 10, "{} addresses are kept", wishes.limiter.len());
    }
}
