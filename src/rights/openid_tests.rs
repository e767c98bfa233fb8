//! Whom a provider vouches for, and that nobody else ever signs in as them.

use super::*;
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
}

fn hash(text: &str) -> Hash {
    Hash(text.to_owned())
}

fn invite(name: &str, openid: Option<&str>) -> Wish {
    let (name, openid) = (name.to_owned(), openid.map(str::to_owned));
    let invite = Invite { full_name: name.clone(), role: Role::Officer, again: false, areas: None, openid, name };
    Wish::Invite(invite, hash("link"))
}

fn vouched(issuer: &str, subject: &str, name: &str) -> Vouched {
    Vouched { issuer: issuer.into(), subject: subject.into(), name: Some(name.into()) }
}

/// Somebody comes by the provider, as the pages let them: whose session it becomes.
fn comes(register: &mut Register, number: usize, by: &Vouched) -> Result<String, Wrong> {
    let account = register.vouched(by)?.name.clone();
    let pass = hash(&format!("pass {number}"));
    let wish = Wish::Vouched { vouched: by.clone(), account, pass: pass.clone(), label: String::new() };
    decide(register, at(9), wish)?;
    match register.who(at(9), &pass, &[PassKind::Session]) {
        Who::Person { account, .. } => Ok(account),
        _ => Err(Wrong::Code),
    }
}

#[test]
fn the_first_of_a_name_is_bound_and_another_of_that_name_is_refused() {
    let mut register = Register::default();
    decide(&mut register, at(0), invite("an", Some(" nguyen.an "))).expect("it is made");
    assert_eq!(comes(&mut register, 1, &vouched("p", "7", "nguyen.An")), Err(Wrong::Unvouched), "letter by letter");
    assert_eq!(comes(&mut register, 2, &vouched("p", "7", "nguyen.an")), Ok("an".into()));
    // Renamed at the provider they are still the same, and whoever has their old name is not.
    assert_eq!(comes(&mut register, 3, &vouched("p", "7", "tran.an")), Ok("an".into()));
    assert_eq!(comes(&mut register, 4, &vouched("p", "8", "nguyen.an")), Err(Wrong::Unvouched));
    assert_eq!(comes(&mut register, 5, &vouched("q", "7", "nguyen.an")), Err(Wrong::Unvouched), "of another provider");
    // That name is free for another account; the first stays whose it is.
    decide(&mut register, at(1), invite("binh", Some("nguyen.an"))).expect("the first waits no more");
    assert_eq!(comes(&mut register, 6, &vouched("p", "8", "nguyen.an")), Ok("binh".into()));
    assert_eq!(comes(&mut register, 7, &vouched("p", "7", "nguyen.an")), Ok("an".into()));
}

#[test]
fn a_name_that_is_waited_for_is_one_accounts_alone() {
    let mut register = Register::default();
    decide(&mut register, at(0), invite("an", Some("nguyen.an"))).expect("it is made");
    assert_eq!(decide(&mut register, at(1), invite("binh", Some("nguyen.an"))), Err(Wrong::Provider));
    for name in ["", " ", "a\nb", &"ă".repeat(256)] {
        assert_eq!(decide(&mut register, at(1), invite("binh", Some(name))), Err(Wrong::Provider), "{name:?}");
    }
    decide(&mut register, at(1), invite("binh", None)).expect("it is made");
    let provider = |name: &str, called: Option<&str>| Wish::Provider(name.into(), called.map(str::to_owned));
    assert_eq!(decide(&mut register, at(2), provider("binh", Some("nguyen.an"))), Err(Wrong::Provider));
    // An account that nobody may come to any more, and one that starts anew: who was in is out.
    assert_eq!(comes(&mut register, 1, &vouched("p", "7", "nguyen.an")), Ok("an".into()));
    let decided = decide(&mut register, at(3), provider("an", None)).expect("it is done");
    assert_eq!(decided.deed.map(|deed| (deed.before, deed.after)), Some(("nguyen.an (7 at p)".into(), String::new())));
    assert_eq!(register.who(at(9), &hash("pass 1"), &[PassKind::Session]), Who::Stranger);
    assert_eq!(comes(&mut register, 2, &vouched("p", "7", "nguyen.an")), Err(Wrong::Unvouched));
}

#[test]
fn a_second_step_is_asked_for_whoever_vouched() {
    let mut register = Register::default();
    decide(&mut register, at(0), invite("an", Some("nguyen.an"))).expect("it is made");
    let second = SecondStep { seed: Seed("AAAA".into()), last: 5, recovery: Vec::new(), since: at(0) };
    decide(&mut register, at(1), Wish::SecondStep("an".into(), second)).expect("it is asked for");
    let by = vouched("p", "7", "nguyen.an");
    let wish = Wish::Vouched { vouched: by.clone(), account: "an".into(), pass: hash("x"), label: String::new() };
    let decided = decide(&mut register, at(2), wish.clone()).expect("it is theirs");
    assert_eq!(decided.deed.map(|deed| deed.action), Some("bind_to_provider"));
    assert_eq!(decide(&mut register, at(3), wish).expect("theirs").deed, None, "nothing happened but half a sign-in");
    assert_eq!(register.who(at(9), &hash("x"), &[PassKind::Session]), Who::Stranger);
    let of = |by: &Vouched| register.vouched(by).ok().and_then(|account| account.openid.as_ref()?.shown());
    assert!(of(&by).is_some() && of(&vouched("p", "8", "nguyen.an")).is_none());
}

#[derive(Debug, Clone)]
enum Act {
    Invite(usize, Option<usize>),
    Provider(usize, Option<usize>),
    Close(usize),
    Comes(usize, usize, Option<usize>),
}

fn any_act() -> impl Strategy<Value = Act> {
    let some = || prop::option::of(0..3usize);
    prop_oneof![
        2 => (0..3usize, some()).prop_map(|(who, name)| Act::Invite(who, name)),
        2 => (0..3usize, some()).prop_map(|(who, name)| Act::Provider(who, name)),
        1 => (0..3usize).prop_map(Act::Close),
        5 => (0..2usize, 0..3usize, some()).prop_map(|(issuer, subject, name)| Act::Comes(issuer, subject, name)),
    ]
}

proptest! {
    /// Whatever administrators and providers do: an account is entered only by whom it is of. The oracle keeps, of each account,
    /// the name that it was made for and who came first since, as a list that is looked through from its beginning.
    #[test]
    fn nobody_of_another_subject_or_issuer_signs_in_as_somebody(acts in prop::collection::vec(any_act(), 1..60)) {
        let mut register = Register::default();
        let mut known: BTreeMap<String, (String, Option<(String, String)>)> = BTreeMap::new();
        for (number, act) in acts.into_iter().enumerate() {
            let account = |who: usize| format!("n{who}");
            let name = |name: Option<usize>| name.map(|name| format!("name {name}"));
            match act {
                Act::Invite(who, called) => {
                    if decide(&mut register, at(0), invite(&account(who), name(called).as_deref())).is_ok() {
                        known.remove(&account(who));
                        known.extend(name(called).map(|called| (account(who), (called, None))));
                    }
                }
                Act::Provider(who, called) => {
                    if decide(&mut register, at(0), Wish::Provider(account(who), name(called))).is_ok() {
                        known.remove(&account(who));
                        known.extend(name(called).map(|called| (account(who), (called, None))));
                    }
                }
                Act::Close(who) => {
                    if decide(&mut register, at(0), Wish::Close(account(who))).is_ok() {
                        known.remove(&account(who));
                    }
                }
                Act::Comes(issuer, subject, called) => {
                    let somebody = (format!("issuer {issuer}"), format!("subject {subject}"));
                    let (issuer, subject) = somebody.clone();
                    let by = Vouched { issuer, subject, name: name(called) };
                    let is = |entry: &Option<(String, String)>| entry.as_ref() == Some(&somebody);
                    let theirs = known.iter().find(|(_, (_, first))| is(first)).map(|(account, _)| account.clone());
                    let waits = |entry: &(String, Option<(String, String)>)| {
                        entry.1.is_none() && Some(&entry.0) == by.name.as_ref()
                    };
                    let right = theirs.or_else(|| known.iter().find(|(_, entry)| waits(entry)).map(|(a, _)| a.clone()));
                    let before = register.clone();
                    let outcome = comes(&mut register, number, &by);
                    prop_assert_eq!(outcome.clone().ok(), right.clone());
                    match right {
                        Some(account) => known.get_mut(&account).expect("it is known").1 = Some(somebody),
                        None => prop_assert_eq!(&register, &before, "who is refused changes nothing"),
                    }
                    // Whoever asks for another's account by name does not get it either.
                    for other in ["n0", "n1", "n2"].iter().filter(|other| outcome.as_deref() != Ok(**other)) {
                        let wish = Wish::Vouched {
                            vouched: by.clone(),
                            account: (*other).to_owned(),
                            pass: hash("stolen"),
                            label: String::new(),
                        };
                        prop_assert_eq!(decide(&mut register, at(9), wish), Err(Wrong::Unvouched));
                    }
                }
            }
        }
    }
}
