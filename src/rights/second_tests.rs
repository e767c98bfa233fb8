//! A code counts once: whatever is shown, in whatever order, again and at once.

use super::{Hash, Invite, Proof, Register, Role, SecondStep, Seed, Wish, Wrong, decide, worlds::at};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn hash(text: &str) -> Hash {
    Hash(text.to_owned())
}

fn second(last: u64) -> SecondStep {
    let recovery = (0..10).map(|number| hash(&format!("r{number}"))).collect();
    SecondStep { seed: Seed("JBSWY3DPEHPK3PXP".into()), last, recovery, since: at(0) }
}

/// A register in which An is asked for a second step.
fn register(last: u64) -> Register {
    let mut register = Register::default();
    let (name, full_name, role) = ("an".to_owned(), String::new(), Role::Officer);
    let invite = Invite { name, full_name, role, again: false, areas: None, openid: None };
    decide(&mut register, at(0), Wish::Invite(invite, hash("link"))).expect("it is made");
    let choose = Wish::Choose { invitation: hash("link"), password: hash("p") };
    decide(&mut register, at(0), choose).expect("it is chosen");
    decide(&mut register, at(0), Wish::SecondStep("an".into(), second(last))).expect("it is asked for");
    register
}

fn sign_in(register: &mut Register, number: usize, proof: Option<Proof>) -> Result<(), Wrong> {
    let (account, pass, label) = ("an".to_owned(), hash(&format!("s{number}")), String::new());
    decide(register, at(1), Wish::SignIn { account, pass, label, proof }).map(|_| ())
}

proptest! {
    #[test]
    fn a_code_counts_once(
        last in 0..50u64,
        shown in prop::collection::vec(prop_oneof![
            (0..60u64).prop_map(|step| Some(Proof::Code(step))),
            (0..14usize).prop_map(|number| Some(Proof::Recovery(hash(&format!("r{number}"))))),
            Just(None),
        ], 1..80),
    ) {
        let mut register = register(last);
        let (mut steps, mut codes) = (BTreeSet::from([last]), BTreeSet::new());
        for (number, proof) in shown.into_iter().enumerate() {
            let before = register.clone();
            match (sign_in(&mut register, number, proof.clone()), proof) {
                (Ok(()), Some(Proof::Code(step))) => {
                    prop_assert!(steps.iter().all(|before| *before < step), "{step} after {steps:?}");
                    steps.insert(step);
                }
                (Ok(()), Some(Proof::Recovery(code))) => {
                    prop_assert!(second(0).recovery.contains(&code) && codes.insert(code), "twice, or of nobody");
                }
                (Ok(()), None | Some(Proof::Passkey { .. })) => prop_assert!(false, "by a password alone"),
                (Err(wrong), proof) => {
                    prop_assert_eq!(wrong, Wrong::Code);
                    prop_assert_eq!(&register, &before, "what is refused changes nothing");
                    let used = match proof {
                        Some(Proof::Code(step)) => steps.iter().any(|before| *before >= step),
                        Some(Proof::Recovery(code)) => codes.contains(&code) || !second(0).recovery.contains(&code),
                        None | Some(Proof::Passkey { .. }) => true,
                    };
                    prop_assert!(used, "a fresh one is taken");
                }
            }
            // As it would be read again after a restart.
            let accounts = register.accounts().cloned().collect();
            let passes = register.passes(at(1)).cloned().collect();
            prop_assert_eq!(&Register::restored(accounts, passes), &register);
        }
    }
}

#[test]
fn it_can_be_taken_off_and_another_password_leaves_it_on() {
    let mut register = register(5);
    let told = format!("{:?}", register.account("an"));
    assert!(!told.contains("JBSWY3DPEHPK3PXP") && !told.contains("r0"), "{told}");
    let invite = Invite {
        name: "an".into(),
        full_name: String::new(),
        role: Role::Officer,
        again: true,
        areas: None,
        openid: None,
    };
    decide(&mut register, at(2), Wish::Invite(invite, hash("again"))).expect("a link");
    let choose = Wish::Choose { invitation: hash("again"), password: hash("q") };
    decide(&mut register, at(2), choose).expect("it is chosen");
    assert_eq!(sign_in(&mut register, 0, None), Err(Wrong::Code), "a new password is not the phone");
    let off = decide(&mut register, at(3), Wish::NoSecondStep("an".into())).expect("off");
    let deed = off.deed.expect("it stands in the audit trail");
    assert_eq!(
        (deed.action, deed.before.as_str(), deed.after.as_str()),
        ("no_second_step", "second step", "password alone")
    );
    assert_eq!(sign_in(&mut register, 1, None), Ok(()));
    assert!(
        Wish::NoSecondStep("an".into()).right() == Some(super::Right::Accounts),
        "nobody takes it off by themselves"
    );
}
