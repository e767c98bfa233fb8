//! Passkeys: whoever is signed in by one is whose it is, whatever was added, shown and forgotten before.

use super::{Hash, PASSKEYS, PassKind, Passkey, Proof, Register, Right, Role, Who, Wish, Wrong, decide, worlds};
use proptest::prelude::*;
use std::collections::BTreeMap;
use worlds::at;

const NAMES: [&str; 3] = ["an", "bo", "chi"];

fn register() -> Register {
    Register::restored(NAMES.map(worlds::account).to_vec(), Vec::new())
}

fn passkey(id: usize) -> Passkey {
    Passkey::new(format!("id-{id}"), format!("key-{id}"), " điện thoại\u{7} ", at(0))
}

fn sign_in(register: &mut Register, name: &str, id: usize, pass: &str) -> Result<Vec<super::Change>, Wrong> {
    let proof = Some(Proof::Passkey { id: format!("id-{id}"), key: format!("key-{id} again") });
    let (account, pass, label) = (name.to_owned(), Hash(pass.to_owned()), String::new());
    decide(register, at(1), Wish::SignIn { account, pass, label, proof }).map(|decided| decided.changes)
}

#[derive(Debug, Clone)]
enum Step {
    Add(usize, usize),
    Forget(usize, usize),
    ForgetAll(usize),
    Close(usize),
    Show(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (who, id) = (0..NAMES.len(), 0..14usize);
    prop_oneof![
        4 => (who.clone(), id.clone()).prop_map(|(who, id)| Step::Add(who, id)),
        2 => (who.clone(), id.clone()).prop_map(|(who, id)| Step::Forget(who, id)),
        1 => who.clone().prop_map(Step::ForgetAll),
        1 => who.clone().prop_map(Step::Close),
        4 => (who, id).prop_map(|(who, id)| Step::Show(who, id)),
    ]
}

proptest! {
    /// Held against a plain list of who has which, as each step leaves it.
    #[test]
    fn whoever_shows_one_is_whose_it_is(steps in prop::collection::vec(step(), 1..60)) {
        let mut register = register();
        let mut owners: BTreeMap<usize, usize> = BTreeMap::new();
        let mut closed = [false; NAMES.len()];
        for (number, step) in steps.into_iter().enumerate() {
            let pass = format!("s{number}");
            match step {
                Step::Add(who, id) => {
                    let many = owners.values().filter(|owner| **owner == who).count();
                    let outcome = decide(&mut register, at(0), Wish::AddPasskey(NAMES[who].into(), passkey(id)));
                    let wanted = !closed[who] && !owners.contains_key(&id) && many < PASSKEYS;
                    prop_assert_eq!(outcome.is_ok(), wanted);
                    if wanted {
                        owners.insert(id, who);
                    }
                }
                Step::Forget(who, id) => {
                    let outcome = decide(&mut register, at(0), Wish::DropPasskey(NAMES[who].into(), format!("id-{id}")));
                    let wanted = owners.get(&id) == Some(&who) && !closed[who];
                    prop_assert_eq!(outcome.is_ok(), wanted, "nobody forgets another's");
                    if wanted {
                        owners.remove(&id);
                    }
                }
                Step::ForgetAll(who) => {
                    let outcome = decide(&mut register, at(0), Wish::NoPasskeys(NAMES[who].into()));
                    prop_assert_eq!(outcome.is_ok(), !closed[who]);
                    owners.retain(|_, owner| *owner != who);
                }
                Step::Close(who) => {
                    let _ = decide(&mut register, at(0), Wish::Close(NAMES[who].into()));
                    closed[who] = true;
                    owners.retain(|_, owner| *owner != who);
                }
                Step::Show(who, id) => {
                    let wanted = owners.get(&id) == Some(&who) && !closed[who];
                    let outcome = sign_in(&mut register, NAMES[who], id, &pass);
                    prop_assert_eq!(outcome.is_ok(), wanted);
                    let entered = register.who(at(2), &Hash(pass), &[PassKind::Session]);
                    match wanted {
                        true => {
                            let is_theirs = matches!(entered, Who::Person { account, .. } if account == NAMES[who]);
                            prop_assert!(is_theirs);
                            let (_, known) = register.of_passkey(&format!("id-{id}")).expect("it is known");
                            prop_assert_eq!(&known.key, &format!("key-{id} again"), "how often it was used is kept");
                            prop_assert_eq!(known.used, Some(at(1)));
                        }
                        false => prop_assert_eq!(entered, Who::Stranger),
                    }
                }
            }
            for id in 0..14 {
                let known = register.of_passkey(&format!("id-{id}")).map(|(account, _)| account.name.as_str());
                prop_assert_eq!(known, owners.get(&id).map(|who| NAMES[*who]));
            }
        }
    }
}

#[test]
fn it_is_both_steps_and_another_password_forgets_it() {
    let mut register = register();
    let second =
        super::SecondStep { seed: super::Seed("JBSWY3DPEHPK3PXP".into()), last: 0, recovery: Vec::new(), since: at(0) };
    decide(&mut register, at(0), Wish::SecondStep("an".into(), second)).expect("on");
    let added = decide(&mut register, at(0), Wish::AddPasskey("an".into(), passkey(1))).expect("added");
    let deed = added.deed.expect("it stands in the audit trail");
    assert_eq!((deed.action, deed.subject.as_str(), deed.after.as_str()), ("add_passkey", "an", "điện thoại"));
    let changes = sign_in(&mut register, "an", 1, "s").expect("no code is asked for");
    assert!(changes.iter().any(|change| matches!(change, super::Change::Pass(pass) if pass.by_passkey)));
    assert_eq!(Wish::NoPasskeys("an".into()).right(), Some(Right::Accounts));
    let invite = super::Invite {
        name: "an".into(),
        full_name: String::new(),
        role: Role::Officer,
        again: true,
        areas: None,
        openid: None,
    };
    decide(&mut register, at(2), Wish::Invite(invite, Hash("link".into()))).expect("a link");
    let choose = Wish::Choose { invitation: Hash("link".into()), password: Hash("p".into()) };
    decide(&mut register, at(2), choose).expect("chosen");
    assert_eq!(sign_in(&mut register, "an", 1, "t"), Err(Wrong::Passkey), "what was lost may be the phone");
}
