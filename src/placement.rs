//! Which machine of a province watches which commune, decided by each of them from what stands in their roll.
//!
//! Nobody leads: all read the same and come to the same, and each changes only what is its own or nobody's. A change counts
//! where it still finds what it was decided by, so two that decide at once harm nothing. What is decided here says where a
//! daemon runs; that only one of them watches is the journal's lock and fence to hold, whatever is decided here.

use crate::model::{CommuneId, Holding, MemberId, Move, Province};
use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

/// Who has just come may go again: it is given what others hold only after so long.
pub const SETTLED: Duration = Duration::from_secs(60);
/// What is handed over at once by one member: each takes a start of a daemon at the other end.
const OFFERS: usize = 4;
/// How much more than the mean the busiest may have over the idlest before anything is moved for it: one part in so many.
const TOLERATED: u64 = 4;

/// How a commune's daemon on this machine fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fares {
    /// There is none.
    Absent,
    /// It is started or stopped, or takes over.
    Changes,
    /// It waits for its turn.
    StandsBy,
    /// It watches.
    Watches,
}

/// What a member knows of itself.
pub struct Here<'h> {
    /// Its name.
    pub me: &'h MemberId,
    /// Whether it has been with the roll for long enough to believe that others are gone: all lose their session with it at once.
    pub is_settled: bool,
    /// Whether it has the configuration of a commune.
    pub has: &'h dyn Fn(&CommuneId) -> bool,
    /// How its daemon of a commune fares.
    pub fares: &'h dyn Fn(&CommuneId) -> Fares,
}

/// Whether a daemon of this commune is to run on this machine.
pub fn runs(province: &Province, here: &Here<'_>, commune: &CommuneId) -> bool {
    let Some(held) = province.communes.get(commune).filter(|_| (here.has)(commune)) else { return false };
    if held.holder.as_ref() == Some(here.me) {
        let next = held.next.as_ref().filter(|next| held.is_ready && province.could(next, commune));
        return next.is_none() && !(is_leaving(province, here.me) && others(province, here.me, commune).is_empty());
    }
    held.next.as_ref() == Some(here.me) && !is_leaving(province, here.me)
}

/// What this member changes in the roll now.
pub fn moves(province: &Province, here: &Here<'_>) -> Vec<Move> {
    let mut moves = Vec::new();
    if here.is_settled && !is_leaving(province, here.me) {
        let mine = assigned(province).into_iter().filter(|(_, member)| member == here.me);
        moves.extend(mine.filter(|(commune, _)| (here.has)(commune)).map(|(commune, _)| {
            let from = province.communes.get(&commune).and_then(|held| held.holder.clone());
            Move::Claim { commune, from }
        }));
    }
    let own = |held: &Holding| held.holder.as_ref() == Some(here.me);
    let mut offers = province.communes.values().filter(|held| own(held) && held.next.is_some()).count();
    for (commune, held) in &province.communes {
        let commune = commune.clone();
        let fares = (here.fares)(&commune);
        if !own(held) {
            // Where its holder's fails it watches already.
            let is_there = matches!(fares, Fares::StandsBy | Fares::Watches);
            if held.next.as_ref() == Some(here.me) && !held.is_ready && is_there {
                moves.push(Move::Ready { commune });
            }
            continue;
        }
        match &held.next {
            Some(next) if !province.could(next, &commune) => {
                moves.push(Move::Withdraw { commune, to: next.clone() });
            }
            Some(next) if held.is_ready && fares == Fares::Absent => {
                moves.push(Move::HandOver { commune, to: next.clone() });
            }
            Some(_) => {}
            None => match wanted_elsewhere(province, here, &commune, held) {
                Wanted::At(to) if offers < OFFERS => {
                    offers += 1;
                    moves.push(Move::Offer { commune, to });
                }
                Wanted::Nowhere if fares == Fares::Absent => moves.push(Move::LetGo { commune }),
                Wanted::At(_) | Wanted::Nowhere | Wanted::Here => {}
            },
        }
    }
    if moves.is_empty() {
        moves.extend(relief(province, here.me).map(|(commune, to)| Move::Offer { commune, to }));
    }
    moves
}

/// Where what this member holds is to be.
enum Wanted {
    Here,
    At(MemberId),
    Nowhere,
}

fn wanted_elsewhere(province: &Province, here: &Here<'_>, commune: &CommuneId, held: &Holding) -> Wanted {
    let wish = held.wanted().filter(|wish| *wish != here.me && province.could(wish, commune));
    if let Some(wish) = wish {
        return Wanted::At(wish.clone());
    }
    let me = province.members.get(here.me);
    let fails = me.is_some_and(|me| !me.communes.contains(commune));
    let goes = is_leaving(province, here.me) || !(here.has)(commune);
    if !goes && !fails {
        return Wanted::Here;
    }
    match idlest(province, others(province, here.me, commune)) {
        Some(to) => Wanted::At(to),
        // One that fails here goes on to be tried.
        None if goes => Wanted::Nowhere,
        None => Wanted::Here,
    }
}

fn is_leaving(province: &Province, me: &MemberId) -> bool {
    province.members.get(me).is_some_and(|me| me.is_leaving)
}

/// All others that may be given a commune.
fn others(province: &Province, me: &MemberId, commune: &CommuneId) -> Vec<MemberId> {
    province.members.keys().filter(|other| *other != me && province.could(other, commune)).cloned().collect()
}

/// Of members the one with the least, counting what it was offered.
fn idlest(province: &Province, members: Vec<MemberId>) -> Option<MemberId> {
    let offered = |member: &MemberId| -> u64 {
        province.communes.values().filter(|held| held.next.as_ref() == Some(member)).map(Holding::weight).sum()
    };
    members.into_iter().min_by_key(|member| (province.load(member) + offered(member), member.clone()))
}

/// Whose becomes what nobody holds who lives: the heaviest first, each to whoever has least by then.
fn assigned(province: &Province) -> Vec<(CommuneId, MemberId)> {
    let mut free: Vec<_> = province.communes.iter().filter(|(_, held)| !province.is_held(held)).collect();
    free.sort_by_key(|(commune, held)| (Reverse(held.weight()), (*commune).clone()));
    if free.is_empty() {
        return Vec::new();
    }
    let mut loads: BTreeMap<&MemberId, u64> =
        province.members.keys().map(|member| (member, province.load(member))).collect();
    let mut assigned = Vec::new();
    for (commune, held) in free {
        // A daemon of whoever it was offered to may stand by already.
        let named =
            [held.next.as_ref(), held.wanted()].into_iter().flatten().find(|named| province.could(named, commune));
        let least = || {
            let could = loads.iter().filter(|(member, _)| province.could(member, commune));
            could.min_by_key(|(member, load)| (**load, **member)).map(|(member, _)| *member)
        };
        let Some(member) = named.or_else(least).cloned() else { continue };
        if let Some(load) = loads.get_mut(&member) {
            *load += held.weight();
        }
        assigned.push((commune.clone(), member));
    }
    assigned
}

/// What the busiest hands to the idlest, one commune at a time, where they differ by more than is tolerated: each such move
/// brings all closer together, so it ends.
fn relief(province: &Province, me: &MemberId) -> Option<(CommuneId, MemberId)> {
    // First things first: what nobody watches, and what is on its way.
    let moves = |held: &Holding| held.next.is_some() && province.is_held(held);
    if province.communes.values().any(moves) || !assigned(province).is_empty() {
        return None;
    }
    let loads: Vec<(u64, &MemberId)> = province
        .members
        .iter()
        .filter(|(_, member)| member.is_usable())
        .map(|(name, _)| (province.load(name), name))
        .collect();
    let (most, busiest) = loads.iter().max()?;
    let settled = |(_, name): &&(u64, &MemberId)| province.members[*name].age >= SETTLED;
    let (least, to) = loads.iter().filter(settled).min()?;
    let difference = most - least;
    let mean = loads.iter().map(|(load, _)| load).sum::<u64>() / loads.len() as u64;
    if *busiest != me || difference <= mean / TOLERATED {
        return None;
    }
    let may_go = |(commune, held): &(&CommuneId, &Holding)| {
        held.holder.as_ref() == Some(me)
            && held.wanted() != Some(me)
            && held.weight() < difference
            && province.could(to, commune)
    };
    let best = province.communes.iter().filter(may_go);
    let best = best.min_by_key(|(commune, held)| (difference.abs_diff(2 * held.weight()), (*commune).clone()));
    best.map(|(commune, _)| (commune.clone(), (*to).clone()))
}

#[cfg(test)]
#[path = "placement_tests.rs"]
mod tests;
