//! Who is connected, and who gives way when there is no room: a table without sockets and without a clock.
//!
//! Nobody is refused for the sake of somebody who does nothing. What is idle gives way first, what only listens next,
//! and within each the one that has been so for longest. A request in hand is never broken off for a newcomer.

use super::{
    Limits,
    address::{address, is_proxy},
};
use std::{collections::BTreeMap, net::IpAddr};

/// Names a connection. Later ones are larger.
pub(super) type Id = u64;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// No request is in hand: nothing came yet, half a head came, or all was answered.
    Idle,
    /// A request is being read, worked on or answered.
    Busy,
    /// A page listens for events.
    Stream,
    /// An agent that has shown its key waits for an answer. It takes nobody's place: many agents may come from one address, such as
    /// that of a provider which translates those of a whole hamlet, and each key has one such place.
    Agent,
}

struct Seat {
    address: IpAddr,
    /// Whether a proxy sits here, who stands for many.
    proxy: bool,
    phase: Phase,
    /// Grows with each change of phase: the smallest has been in its phase for longest.
    since: u64,
    /// Whose key an agent has shown here.
    key: Option<String>,
}

/// The table.
pub(super) struct Seats {
    limits: Limits,
    seats: BTreeMap<Id, Seat>,
    turns: u64,
}

impl Seats {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, seats: BTreeMap::new(), turns: 0 }
    }

    /// Room for a connection, and who gives way for it; `None` where it is to be closed.
    pub(super) fn admit(&mut self, ip: IpAddr) -> Option<(Id, Option<Id>)> {
        let address = address(ip);
        let is_counted = |seat: &Seat| seat.phase != Phase::Agent;
        let of_address = |seat: &Seat| seat.address == address && is_counted(seat);
        let proxy = is_proxy(ip, &self.limits.proxies) || is_proxy(ip, &self.limits.neighbours);
        let gone = if !proxy && self.count(of_address) >= self.limits.connections_by_address {
            Some(self.least_missed(of_address)?)
        } else if self.count(is_counted) >= self.limits.connections {
            Some(self.least_missed(|_| true)?)
        } else {
            None
        };
        if let Some(gone) = gone {
            self.seats.remove(&gone);
        }
        let id = self.turn();
        self.seats.insert(id, Seat { address, proxy, phase: Phase::Idle, since: id, key: None });
        Some((id, gone))
    }

    /// A connection does something else now. One that has given way is no longer in the table.
    pub(super) fn goes_over(&mut self, id: Id, phase: Phase) {
        let since = self.turn();
        if let Some(seat) = self.seats.get_mut(&id) {
            (seat.phase, seat.since) = (phase, since);
        }
    }

    /// An agent that has shown this key waits for its answer; which other connection of the same key gives way for it.
    pub(super) fn waits(&mut self, id: Id, key: &str) -> Option<Id> {
        let same = |seat: &Seat| seat.phase == Phase::Agent && seat.key.as_deref() == Some(key);
        let gone = self.seats.iter().find(|(other, seat)| **other != id && same(seat)).map(|(other, _)| *other);
        if let Some(gone) = gone {
            self.seats.remove(&gone);
        }
        self.goes_over(id, Phase::Agent);
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.key = Some(key.to_owned());
        }
        gone
    }

    /// A connection begins to listen for events; which other gives way for it.
    pub(super) fn listens(&mut self, id: Id) -> Option<Id> {
        let (address, proxy) = self.seats.get(&id).map(|seat| (seat.address, seat.proxy))?;
        let streams = |address: IpAddr| move |seat: &Seat| seat.phase == Phase::Stream && seat.address == address;
        let from = if !proxy && self.count(streams(address)) >= self.limits.streams_by_address {
            Some(address)
        } else if self.count(|seat| seat.phase == Phase::Stream) >= self.limits.streams {
            let mut all: BTreeMap<IpAddr, (usize, std::cmp::Reverse<u64>)> = BTreeMap::new();
            for seat in self.seats.values().filter(|seat| seat.phase == Phase::Stream) {
                let (count, oldest) = all.entry(seat.address).or_insert((0, std::cmp::Reverse(seat.since)));
                *count += 1;
                oldest.0 = oldest.0.min(seat.since);
            }
            // Of those that have as many, the one whose stream is the oldest.
            all.into_iter().max_by_key(|(_, holds)| *holds).map(|(address, _)| address)
        } else {
            None
        };
        let gone = from.and_then(|address| self.oldest(streams(address)));
        if let Some(gone) = gone {
            self.seats.remove(&gone);
        }
        self.goes_over(id, Phase::Stream);
        gone
    }

    /// A connection ended.
    pub(super) fn leaves(&mut self, id: Id) {
        self.seats.remove(&id);
    }

    fn turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns
    }

    fn count(&self, which: impl Fn(&Seat) -> bool) -> usize {
        self.seats.values().filter(|seat| which(seat)).count()
    }

    fn oldest(&self, which: impl Fn(&Seat) -> bool) -> Option<Id> {
        let seats = self.seats.iter().filter(|(_, seat)| which(seat));
        seats.min_by_key(|(_, seat)| seat.since).map(|(id, _)| *id)
    }

    /// The idle one, else the listening one, that has been so for longest.
    fn least_missed(&self, which: impl Fn(&Seat) -> bool) -> Option<Id> {
        let of = |phase| self.oldest(|seat| seat.phase == phase && which(seat));
        of(Phase::Idle).or_else(|| of(Phase::Stream))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats(connections: usize, connections_by_address: usize, streams: usize, streams_by_address: usize) -> Seats {
        let limits = Limits { connections, connections_by_address, streams, streams_by_address, ..Limits::default() };
        Seats::new(limits)
    }

    fn ip(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    fn admitted(seats: &mut Seats, last: u8) -> Id {
        let (id, gone) = seats.admit(ip(last)).expect("there is room");
        assert_eq!(gone, None);
        id
    }

    #[test]
    fn idle_ones_give_way_then_streams_and_requests_in_hand_never() {
        let mut seats = seats(3, 3, 9, 9);
        let [busy, stream, idle] = [1, 2, 3].map(|last| admitted(&mut seats, last));
        seats.goes_over(busy, Phase::Busy);
        assert_eq!(seats.listens(stream), None);
        let (second, gone) = seats.admit(ip(4)).expect("the idle one gives way");
        assert_eq!(gone, Some(idle));
        seats.goes_over(second, Phase::Busy);
        let (third, gone) = seats.admit(ip(5)).expect("the stream gives way");
        assert_eq!(gone, Some(stream));
        seats.goes_over(third, Phase::Busy);
        assert_eq!(seats.admit(ip(6)), None, "all are being answered");
        seats.leaves(second);
        assert!(matches!(seats.admit(ip(6)), Some((_, None))));
    }

    #[test]
    fn a_machine_that_passes_visitors_on_stands_for_many() {
        let limits = Limits { connections_by_address: 1, neighbours: [ip(9)].into(), ..Limits::default() };
        let mut seats = Seats::new(limits);
        for _ in 0..5 {
            admitted(&mut seats, 9);
        }
        admitted(&mut seats, 1);
        assert!(matches!(seats.admit(ip(1)), Some((_, Some(_)))), "one that is nobody's neighbour gives way to itself");
    }

    #[test]
    fn it_is_the_one_that_was_idle_for_longest() {
        let mut seats = seats(2, 2, 9, 9);
        let [first, second] = [1, 2].map(|last| admitted(&mut seats, last));
        seats.goes_over(first, Phase::Busy);
        seats.goes_over(first, Phase::Idle);
        assert_eq!(seats.admit(ip(3)).expect("there is room").1, Some(second));
    }

    #[test]
    fn an_address_that_holds_its_share_gives_way_to_itself_alone() {
        let mut seats = seats(9, 2, 9, 9);
        let other = admitted(&mut seats, 1);
        let [first, second] = [2, 2].map(|last| admitted(&mut seats, last));
        let (third, gone) = seats.admit(ip(2)).expect("its own gives way");
        assert_eq!(gone, Some(first), "{other} is older and somebody else's");
        seats.goes_over(second, Phase::Busy);
        seats.goes_over(third, Phase::Busy);
        assert_eq!(seats.admit(ip(2)), None);
        admitted(&mut seats, 3);
    }

    #[test]
    fn the_oldest_stream_of_an_address_or_of_the_greediest_gives_way() {
        let mut seats = seats(99, 99, 4, 3);
        let mut listen = |last| {
            let id = admitted(&mut seats, last);
            (id, seats.listens(id))
        };
        let (honest, gone) = listen(1);
        assert_eq!(gone, None);
        let greedy = [2, 2, 2].map(|last| listen(last).0);
        assert_eq!(listen(2).1, Some(greedy[0]), "its own share is full");
        assert_eq!(listen(3).1, Some(greedy[1]), "all shares are full");
        assert_eq!(listen(4).1, Some(greedy[2]), "it still has most");
        assert_eq!(listen(5).1, Some(honest), "all have one: the oldest");
    }

    #[test]
    fn agents_that_wait_take_nobodys_place_and_each_key_has_one() {
        let mut seats = seats(3, 2, 9, 9);
        let agents: Vec<Id> = (0..50)
            .map(|number| {
                let (id, gone) = seats.admit(ip(1)).expect("there is room");
                assert_eq!(gone, None, "{number}");
                seats.goes_over(id, Phase::Busy);
                assert_eq!(seats.waits(id, &format!("key-{number}")), None);
                id
            })
            .collect();
        let [first, second] = [1, 1].map(|last| admitted(&mut seats, last));
        assert_eq!(seats.admit(ip(1)).expect("its own gives way").1, Some(first));
        seats.goes_over(second, Phase::Busy);
        let again = admitted(&mut seats, 2);
        assert_eq!(seats.waits(again, "key-7"), Some(agents[7]), "the older of the same key gives way");
        assert_eq!(seats.waits(again, "key-7"), None);
        // One that was answered is a visitor like others.
        seats.goes_over(agents[3], Phase::Idle);
        assert!(seats.admit(ip(1)).expect("an idle one gives way").1.is_some());
    }

    #[test]
    fn addresses_of_one_household_are_one() {
        let parsed = |text: &str| address(text.parse().expect("an address"));
        assert_eq!(parsed("::ffff:10.0.0.1"), parsed("10.0.0.1"));
        assert_eq!(parsed("2001:db8:1:2:3:4:5:6"), parsed("2001:db8:1:2::1"));
        assert_ne!(parsed("2001:db8:1:2::1"), parsed("2001:db8:1:3::1"));
        assert_ne!(parsed("10.0.0.1"), parsed("10.0.0.2"));
        assert_ne!(parsed("::1"), parsed("127.0.0.1"));
    }
}
