//! A province as its roll stands: the machines that share it, and which of them watches which commune.

use super::{CommuneId, MemberId};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// A machine that shares a province's communes with others, as all of them see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Where the others reach what it serves.
    pub address: IpAddr,
    /// Its program's version.
    pub version: String,
    /// Whether it was seen lately, by the roll's clock, and still has its session there.
    pub is_alive: bool,
    /// Whether it hands over all that it has, to end.
    pub is_leaving: bool,
    /// For how long it has been there.
    pub age: Duration,
    /// How long ago it was seen.
    pub seen: Duration,
    /// The communes that it has the configuration of, and whose daemon does not fail there.
    pub communes: BTreeSet<CommuneId>,
}

impl Member {
    /// Whether it may be given something.
    pub fn is_usable(&self) -> bool {
        self.is_alive && !self.is_leaving
    }
}

/// A commune, and who watches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Its name, for people.
    pub name: String,
    /// How many cameras it has: its weight.
    pub cameras: u32,
    /// The port of its pages, on each machine.
    pub port: u16,
    /// Whose it is.
    pub holder: Option<MemberId>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Who is about to take it over from its holder, in order.
    pub next: Option<MemberId>,
    /// Whether a daemon of the next one's stands by already.
    pub is_ready: bool,
    /// Where an administrator wants it to be.
    pub wish: Option<MemberId>,
    /// The machine that one of its channels hangs on, such as the one with its modem.
    pub home: Option<MemberId>,
}

impl Holding {
    /// Where it is wanted: by an administrator, or else by its channels.
    pub fn wanted(&self) -> Option<&MemberId> {
        self.wish.as_ref().or(self.home.as_ref())
    }

    /// What it weighs beside the others.
    pub fn weight(&self) -> u64 {
        u64::from(self.cameras.max(1))
    }
}

/// A province: who shares it, and what of it is whose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Province {
    /// The machines.
    pub members: BTreeMap<MemberId, Member>,
    /// The communes.
    pub communes: BTreeMap<CommuneId, Holding>,
}

impl Province {
    /// Whether a member may be given a commune.
    pub fn could(&self, member: &MemberId, commune: &CommuneId) -> bool {
        self.members.get(member).is_some_and(|member| member.is_usable() && member.communes.contains(commune))
    }

    /// A commune's holder, if it lives.
    fn living(&self, held: &Holding) -> Option<&Member> {
        held.holder.as_ref().and_then(|holder| self.members.get(holder)).filter(|holder| holder.is_alive)
    }

    /// Whether a commune has a holder that lives.
    pub fn is_held(&self, held: &Holding) -> bool {
        self.living(held).is_some()
    }

    /// Where a commune's pages are served, if somebody watches it.
    pub fn place(&self, held: &Holding) -> Option<SocketAddr> {
        self.living(held).map(|holder| SocketAddr::new(holder.address, held.port))
    }

    /// What a member holds.
    pub fn held_by<'p>(&'p self, member: &'p MemberId) -> impl Iterator<Item = (&'p CommuneId, &'p Holding)> {
        self.communes.iter().filter(move |(_, held)| held.holder.as_ref() == Some(member))
    }

    /// The weight of what a member holds.
    pub fn load(&self, member: &MemberId) -> u64 {
        self.held_by(member).map(|(_, held)| held.weight()).sum()
    }

    /// How many communes a member holds, and how many cameras these have.
    pub fn share(&self, member: &MemberId) -> (usize, u64) {
        self.held_by(member).fold((0, 0), |(communes, all), (_, held)| (communes + 1, all + u64::from(held.cameras)))
    }
}

/// One change of the roll, which counts only where it still finds there what it was decided by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// What nobody holds who lives becomes this member's.
    Claim {
        /// Which.
        commune: CommuneId,
        /// Whose it was.
        from: Option<MemberId>,
    },
    /// This member's is offered to another, whose daemon then stands by.
    Offer {
        /// Which.
        commune: CommuneId,
        /// To whom.
        to: MemberId,
    },
    /// An offer is taken back.
    Withdraw {
        /// Which.
        commune: CommuneId,
        /// To whom it was made.
        to: MemberId,
    },
    /// A daemon of this member's stands by for what it was offered.
    Ready {
        /// Which.
        commune: CommuneId,
    },
    /// This member's daemon has ended: it is the next one's.
    HandOver {
        /// Which.
        commune: CommuneId,
        /// Whose it becomes.
        to: MemberId,
    },
    /// This member's becomes nobody's.
    LetGo {
        /// Which.
        commune: CommuneId,
    },
}

impl Move {
    /// Which commune it is about.
    pub fn commune(&self) -> &CommuneId {
        match self {
            Self::Claim { commune, .. }
            | Self::Offer { commune, .. }
            | Self::Withdraw { commune, .. }
            | Self::Ready { commune }
            | Self::HandOver { commune, .. }
            | Self::LetGo { commune } => commune,
        }
    }
}
