//! The roll's statements against a roll that is as simple as can be: each change counts where it still finds what it was decided by.
//! They have nothing to do where tests have no server.

use super::*;
use crate::journal::tests::{at, for_once, on_server};
use proptest::prelude::*;
use std::collections::BTreeMap;

const MEMBERS: [&str; 2] = ["may-1", "may-2"];
const COMMUNES: [&str; 2] = ["xa_a", "xa_b"];

fn any_move() -> impl Strategy<Value = (usize, Move)> {
    let commune = || prop::sample::select(COMMUNES.to_vec()).prop_map(CommuneId::from);
    let member = || prop::sample::select(MEMBERS.to_vec()).prop_map(MemberId::from);
    let step = prop_oneof![
        (commune(), prop::option::of(member())).prop_map(|(commune, from)| Move::Claim { commune, from }),
        (commune(), member()).prop_map(|(commune, to)| Move::Offer { commune, to }),
        (commune(), member()).prop_map(|(commune, to)| Move::Withdraw { commune, to }),
        commune().prop_map(|commune| Move::Ready { commune }),
        (commune(), member()).prop_map(|(commune, to)| Move::HandOver { commune, to }),
        commune().prop_map(|commune| Move::LetGo { commune }),
    ];
    (0..MEMBERS.len(), step)
}

/// Whose it is, to whom it is offered, and whether that one is ready.
type Row = (Option<MemberId>, Option<MemberId>, bool);

fn made(rows: &mut BTreeMap<CommuneId, Row>, me: &MemberId, step: &Move) -> bool {
    let row = rows.get_mut(step.commune()).expect("it is there");
    let own = row.0.as_ref() == Some(me);
    let after = match (step, &*row) {
        (Move::Claim { from, .. }, (holder, ..)) if holder == from => (Some(me.clone()), None, false),
        (Move::Offer { to, .. }, (holder, None, _)) if own => (holder.clone(), Some(to.clone()), false),
        (Move::Withdraw { to, .. }, (holder, Some(next), _)) if own && next == to => (holder.clone(), None, false),
        (Move::Ready { .. }, (holder, Some(next), _)) if next == me => (holder.clone(), Some(next.clone()), true),
        (Move::HandOver { to, .. }, (_, Some(next), true)) if own && next == to => (Some(to.clone()), None, false),
        (Move::LetGo { .. }, _) if own => (None, None, false),
        _ => return false,
    };
    *row = after;
    true
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if on_server() { 8 } else { 1 }))]

    #[test]
    fn each_change_counts_where_it_finds_what_it_was_decided_by(moves in prop::collection::vec(any_move(), 0..60)) {
        let Some(server) = on_server().then(for_once).and_then(|settings| settings.server) else { return Ok(()) };
        let listed = COMMUNES.map(|id| Listed { id: id.into(), name: "Xã".into(), cameras: 9, port: 9801, home: None });
        let able = listed.iter().map(|listed| listed.id.clone()).collect();
        let member = |name: &str| {
            let mut roll = Roll::new(server.clone(), name.into(), "10.0.0.1".parse().expect("an address"));
            roll.say(&listed, &able, false).expect("it answers");
            roll
        };
        let mut rolls = MEMBERS.map(member);
        let mut rows: BTreeMap<CommuneId, Row> = COMMUNES.iter().map(|id| ((*id).into(), Row::default())).collect();
        for (number, (who, step)) in moves.into_iter().enumerate() {
            let counted = rolls[who].make(&step, at(number as i64)).expect("it answers");
            prop_assert_eq!(counted, made(&mut rows, &MEMBERS[who].into(), &step), "{:?}", step);
        }
        let read = rolls[0].say(&listed, &able, false).expect("it answers");
        prop_assert!(read.members.values().all(|member| member.is_alive && member.communes == able));
        for (id, held) in &read.communes {
            prop_assert_eq!(&(held.holder.clone(), held.next.clone(), held.is_ready), &rows[id]);
            prop_assert_eq!(held.since.is_some(), held.holder.is_some());
        }
        // A second machine by a name that is taken changes nothing.
        let mut twin = Roll::new(server.clone(), "may-1".into(), "10.0.0.9".parse().expect("an address"));
        let refused = twin.say(&listed, &able, false).expect_err("the name is taken");
        prop_assert!(refused.to_string().contains("[province] member"), "{}", refused);
        // Who is gone is seen to be gone at once, and its name is free.
        drop(rolls);
        let freed = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            twin.say(&listed, &able, false).is_ok()
        });
        prop_assert!(freed);
        let read = province(&server).expect("it answers");
        prop_assert_eq!(read.members.iter().filter(|(_, member)| member.is_alive).count(), 1);
    }
}
