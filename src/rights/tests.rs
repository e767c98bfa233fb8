//! Accounts and passes as people live with them, and what must hold whatever they do.

use super::*;
use crate::model::one_name;
use jiff::Timestamp;
use proptest::prelude::*;

const DAY: i64 = 24 * 3600;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
}

fn hash(text: &str) -> Hash {
    Hash(text.to_owned())
}

fn invite(name: &str, role: Role) -> Invite {
    Invite { name: name.to_owned(), full_name: format!("Ông {name}"), role, again: false, areas: None, openid: None }
}

/// A register in which these can sign in, by a password that has their name for a hash.
fn register(people: &[(&str, Role)]) -> Register {
    let mut register = Register::default();
    for (name, role) in people {
        let link = hash(&format!("link of {name}"));
        decide(&mut register, at(0), Wish::Invite(invite(name, *role), link.clone())).expect("it is made");
        decide(&mut register, at(1), Wish::Choose { invitation: link, password: hash(name) }).expect("it is chosen");
    }
    register
}

fn sign_in(register: &mut Register, second: i64, name: &str, pass: &str) -> Result<Decided, Wrong> {
    decide(
        register,
        at(second),
        Wish::SignIn { account: name.into(), pass: hash(pass), label: "điện thoại".into(), proof: None },
    )
}

fn who(register: &Register, second: i64, pass: &str) -> Who {
    register.who(at(second), &hash(pass), &[PassKind::Session, PassKind::Token])
}

#[test]
fn each_reason_has_one_name() {
    one_name::<Wrong>();
    one_name::<PassKind>();
}

#[test]
fn a_link_is_good_once_and_for_a_day() {
    let mut register = Register::default();
    decide(&mut register, at(0), Wish::Invite(invite("An", Role::Officer), hash("link"))).expect("it is made");
    assert_eq!(who(&register, 1, "link"), Who::Stranger, "it is no session");
    let choose = |password: &str| Wish::Choose { invitation: hash("link"), password: hash(password) };
    assert_eq!(decide(&mut register.clone(), at(DAY), choose("late")), Err(Wrong::Invitation));
    decide(&mut register, at(DAY - 1), choose("p")).expect("it is chosen");
    assert_eq!(register.account(" AN ").and_then(|account| account.password.clone()), Some(hash("p")));
    assert_eq!(decide(&mut register, at(DAY - 1), choose("q")), Err(Wrong::Invitation), "once");
}

#[test]
fn names_are_plain_and_taken_once() {
    let mut register = register(&[("an", Role::Officer)]);
    let mut ask = |name: &str| decide(&mut register, at(9), Wish::Invite(invite(name, Role::Officer), hash("l"))).err();
    assert_eq!(ask("AN"), Some(Wrong::Taken));
    for name in ["", "  ", "a b", "an/../x", "ân", &"a".repeat(33)] {
        assert_eq!(ask(name), Some(Wrong::Name), "{name:?}");
    }
}

#[test]
fn whoever_forgot_a_password_signs_in_by_the_old_one_until_they_chose_another() {
    let mut register = register(&[("an", Role::Officer)]);
    sign_in(&mut register, 10, "an", "phone").expect("they sign in");
    let again = Invite { again: true, ..invite("an", Role::Wall) };
    decide(&mut register, at(20), Wish::Invite(again, hash("link 2"))).expect("a link is made");
    assert_eq!(register.account("an").and_then(|account| account.password.clone()), Some(hash("an")));
    assert_eq!(register.account("an").map(|account| account.role), Some(Role::Officer), "the role stays");
    decide(&mut register, at(30), Wish::Choose { invitation: hash("link 2"), password: hash("new") }).expect("chosen");
    assert_eq!(who(&register, 31, "phone"), Who::Stranger, "who knew the old password is out");
}

#[test]
fn sessions_end_when_nobody_uses_them_or_somebody_says_so() {
    let mut register = register(&[("an", Role::Officer), ("binh", Role::Chief)]);
    sign_in(&mut register, 10, "an", "phone").expect("they sign in");
    sign_in(&mut register, 10, "binh", "pc").expect("they sign in");
    assert!(matches!(who(&register, 20, "phone"), Who::Person { account, role: Role::Officer, .. } if account == "an"));
    // Used each day it lasts, though not for ever.
    for day in 1..80 {
        assert!(register.used(at(day * DAY), &hash("phone")).is_some(), "day {day}");
        assert!(register.used(at(day * DAY + 60), &hash("phone")).is_none(), "not each minute");
    }
    assert!(matches!(who(&register, 80 * DAY, "phone"), Who::Person { .. }));
    assert_eq!(who(&register, 91 * DAY, "phone"), Who::Stranger);
    assert_eq!(who(&register, 15 * DAY, "pc"), Who::Stranger, "two weeks without use");
    assert_eq!(register.tidy(at(91 * DAY)).len(), 2);
    sign_in(&mut register, 92 * DAY, "an", "phone 2").expect("they sign in");
    sign_in(&mut register, 92 * DAY, "an", "pc 2").expect("they sign in");
    decide(&mut register, at(92 * DAY), Wish::SignOutEverywhere("an".into())).expect("it is done");
    assert_eq!(who(&register, 92 * DAY, "pc 2"), Who::Stranger);
}

#[test]
fn the_last_administrator_stays() {
    let mut register = register(&[("an", Role::Administrator), ("binh", Role::Administrator)]);
    decide(&mut register, at(5), Wish::Close("binh".into())).expect("there is another");
    assert_eq!(decide(&mut register, at(6), Wish::Close("an".into())), Err(Wrong::LastAdministrator));
    assert_eq!(decide(&mut register, at(6), Wish::Appoint("an".into(), Role::Chief)), Err(Wrong::LastAdministrator));
    // One who was invited and has not come yet does not count.
    decide(&mut register, at(7), Wish::Invite(invite("cuc", Role::Administrator), hash("l"))).expect("it is made");
    assert_eq!(decide(&mut register, at(8), Wish::Close("an".into())), Err(Wrong::LastAdministrator));
    decide(&mut register, at(9), Wish::Choose { invitation: hash("l"), password: hash("c") }).expect("chosen");
    decide(&mut register, at(10), Wish::Close("an".into())).expect("now there is another");
    assert!(sign_in(&mut register, 11, "an", "x").is_err(), "closed");
}

#[derive(Debug, Clone)]
enum Act {
    Invite(usize, Role),
    Choose(usize),
    SignIn(usize),
    SignOut(usize),
    Everywhere(usize),
    Appoint(usize, Role),
    Close(usize),
    Wait(i64),
}

fn any_act() -> impl Strategy<Value = Act> {
    let role = || prop::sample::select(Role::ALL.to_vec());
    prop_oneof![
        1 => (0..4usize, role()).prop_map(|(who, role)| Act::Invite(who, role)),
        1 => (0..4usize).prop_map(Act::Choose),
        3 => (0..4usize).prop_map(Act::SignIn),
        1 => (0..4usize).prop_map(Act::SignOut),
        1 => (0..4usize).prop_map(Act::Everywhere),
        1 => (0..4usize, role()).prop_map(|(who, role)| Act::Appoint(who, role)),
        1 => (0..4usize).prop_map(Act::Close),
        1 => (0..40 * DAY).prop_map(Act::Wait),
    ]
}

proptest! {
    /// Whatever people do: once there is an administrator there always is one, nobody who is closed or was signed out is
    /// known, and what the journal keeps is what stands in memory.
    #[test]
    fn there_is_always_an_administrator_and_what_is_kept_is_what_stands(
        acts in prop::collection::vec(any_act(), 1..60),
    ) {
        let mut register = register(&[("n0", Role::Administrator)]);
        let (mut accounts, mut passes) = (std::collections::BTreeMap::new(), std::collections::BTreeMap::new());
        accounts.extend(register.accounts().map(|account| (account.name.clone(), account.clone())));
        let (mut second, mut number) = (100i64, 0);
        let mut last: [Option<String>; 4] = Default::default();
        for act in acts {
            number += 1;
            let name = |who: usize| format!("n{who}");
            let wish = match act {
                Act::Wait(wait) => { second += wait; continue; }
                Act::Invite(who, role) => Wish::Invite(Invite { again: true, ..invite(&name(who), role) }, hash(&format!("l{who}"))),
                Act::Choose(who) => Wish::Choose { invitation: hash(&format!("l{who}")), password: hash("p") },
                Act::SignIn(who) => {
                    last[who] = Some(format!("s{number}"));
                    Wish::SignIn { account: name(who), pass: hash(&format!("s{number}")), label: String::new(), proof: None }
                }
                Act::SignOut(who) => match last[who].take() {
                    Some(pass) => Wish::SignOut(hash(&pass)),
                    None => continue,
                },
                Act::Everywhere(who) => Wish::SignOutEverywhere(name(who)),
                Act::Appoint(who, role) => Wish::Appoint(name(who), role),
                Act::Close(who) => Wish::Close(name(who)),
            };
            let before = register.clone();
            match decide(&mut register, at(second), wish.clone()) {
                Err(_) => prop_assert_eq!(&register, &before, "what is refused changes nothing"),
                Ok(decided) => for change in decided.changes {
                    match change {
                        Change::Account(account) => drop(accounts.insert(account.name.clone(), account)),
                        Change::Pass(pass) => drop(passes.insert(pass.id.clone(), pass)),
                        Change::Gone(id) => drop(passes.remove(&id)),
                    }
                },
            }
            let kept = Register::restored(accounts.values().cloned().collect(), passes.values().cloned().collect());
            prop_assert_eq!(&kept, &register);
            prop_assert!(register.has_administrator());
            for pass in register.passes(at(second)) {
                if let Who::Person { account, role, .. } = who(&register, second, &pass.id.0) {
                    let known = register.account(&account).expect("it is there");
                    prop_assert!(!known.closed && known.role == role);
                }
            }
            if let Wish::Close(name) | Wish::SignOutEverywhere(name) = wish
                && register.account(&name).is_some_and(|account| account.closed)
            {
                prop_assert!(register.passes(at(second)).all(|pass| pass.account.as_deref() != Some(&name)));
            }
        }
    }
}
