//! How quickly passwords may be tried, so that nobody can guess one, and nobody can lock another out.
//!
//! Whoever types wrong passwords waits, longer each time, by the address they come from and by the account they try.
//! A browser in which that account has signed in before waits only for its own mistakes: somebody who tries an
//! officer's name a thousand times in the night does not keep that officer out.

use crate::model::{elapsed, later};
use jiff::Timestamp;
use std::{collections::BTreeMap, net::IpAddr, time::Duration};

/// Tries that are free.
const FREE: u32 = 5;
/// The first wait; each further mistake doubles it.
const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(5 * 60);
/// After so long without a mistake all is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(3600);
/// Addresses and accounts of which mistakes are counted; beyond that the ones longest ago are forgotten.
const COUNTED: usize = 10_000;

/// Whose mistakes are counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    Address(IpAddr),
    Account(String),
    /// An account, from a browser that is known to be one of its own.
    Known(String, String),
}

/// Mistakes of late.
#[derive(Debug, Default)]
pub struct Throttle {
    mistakes: BTreeMap<Whose, (u32, Timestamp)>,
}

/// A try: from where, at which account, and from which known browser of that account, if it is one.
#[derive(Debug, Clone, Copy)]
pub struct Try<'a> {
    /// From which address.
    pub address: IpAddr,
    /// At which account.
    pub account: &'a str,
    /// From which browser in which that account has signed in before.
    pub browser: Option<&'a str>,
}

impl Try<'_> {
    fn counted_as(&self) -> Vec<Whose> {
        match self.browser {
            Some(browser) => vec![Whose::Known(self.account.to_owned(), browser.to_owned())],
            None => vec![Whose::Address(self.address), Whose::Account(self.account.to_owned())],
        }
    }
}

impl Throttle {
    /// How long a try must still wait; nothing if it may be made now.
    pub fn wait(&self, now: Timestamp, tried: Try<'_>) -> Duration {
        let wait = |whose: &Whose| {
            let (count, last) = self.mistakes.get(whose)?;
            let over = count.checked_sub(FREE)?;
            let pause = FIRST.saturating_mul(2u32.saturating_pow(over)).min(LONGEST);
            // A clock that is set back makes nobody wait for longer than the pause itself.
            Some(pause.saturating_sub(elapsed(now, *last)))
        };
        tried.counted_as().iter().filter_map(wait).max().unwrap_or_default()
    }

    /// A password was wrong.
    pub fn mistake(&mut self, now: Timestamp, tried: Try<'_>) {
        self.mistakes.retain(|_, (_, last)| elapsed(now, *last) < FORGOTTEN && *last <= later(now, FORGOTTEN));
        for whose in tried.counted_as() {
            if self.mistakes.len() >= COUNTED && !self.mistakes.contains_key(&whose) {
                let oldest = self.mistakes.iter().min_by_key(|(_, (_, last))| *last).map(|(whose, _)| whose.clone());
                oldest.map(|oldest| self.mistakes.remove(&oldest));
            }
            let (count, last) = self.mistakes.entry(whose).or_insert((0, now));
            (*count, *last) = (count.saturating_add(1), now);
        }
    }

    /// Somebody signed in: their own mistakes are forgotten, not those of whoever else tries that account.
    pub fn signed_in(&mut self, tried: Try<'_>) {
        self.mistakes.remove(&Whose::Address(tried.address));
        if let Some(browser) = tried.browser {
            self.mistakes.remove(&Whose::Known(tried.account.to_owned(), browser.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
    }

    fn from(last: u8) -> IpAddr {
        Ipv4Addr::new(10, 0, 0, last).into()
    }

    /// Tries a wrong password whenever it may, for so long; how often that was.
    fn guesses(throttle: &mut Throttle, tried: Try<'_>, seconds: i64) -> usize {
        (0..seconds)
            .filter(|second| {
                let may = throttle.wait(at(*second), tried).is_zero();
                if may {
                    throttle.mistake(at(*second), tried);
                }
                may
            })
            .count()
    }

    #[test]
    fn a_night_of_guessing_gets_some_hundred_tries() {
        let mut throttle = Throttle::default();
        let tried = Try { address: from(1), account: "dung", browser: None };
        let night = guesses(&mut throttle, tried, 8 * 3600);
        assert!((50..150).contains(&night), "{night}");
    }

    #[test]
    fn from_a_thousand_addresses_an_account_is_tried_no_more_often() {
        let mut throttle = Throttle::default();
        let mut count = 0;
        for second in 0..8 * 3600i64 {
            let address = Ipv4Addr::new(10, 1, (second / 250 % 4) as u8, (second % 250) as u8).into();
            let tried = Try { address, account: "dung", browser: None };
            if throttle.wait(at(second), tried).is_zero() {
                throttle.mistake(at(second), tried);
                count += 1;
            }
        }
        assert!(count < 150, "{count}");
    }

    #[test]
    fn nobody_is_locked_out_of_a_browser_that_knows_them() {
        let mut throttle = Throttle::default();
        guesses(&mut throttle, Try { address: from(1), account: "dung", browser: None }, 3600);
        let stranger = Try { address: from(2), account: "dung", browser: None };
        assert!(!throttle.wait(at(3600), stranger).is_zero(), "from elsewhere they would wait");
        let own = Try { address: from(1), account: "dung", browser: Some("phone") };
        assert!(throttle.wait(at(3600), own).is_zero());
        // Their own mistakes count there too.
        let slips = guesses(&mut throttle, own, 60);
        assert!(slips < 15, "{slips}");
        throttle.signed_in(own);
        assert!(throttle.wait(at(61), own).is_zero());
        assert!(!throttle.wait(at(3600), stranger).is_zero(), "the guesser is not forgiven");
    }

    #[test]
    fn what_is_counted_is_bounded() {
        let mut throttle = Throttle::default();
        for number in 0..20_000u32 {
            let account = format!("a-{number}");
            throttle.mistake(at(i64::from(number / 100)), Try { address: from(1), account: &account, browser: None });
        }
        assert!(throttle.mistakes.len() <= COUNTED);
    }
}
