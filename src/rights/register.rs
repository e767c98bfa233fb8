//! All accounts and passes, and what becomes of them. Pure: each change says what is to be kept, and what is to stand in
//! the audit trail; it is in force when that is durable.

use super::account::{Account, Pass, PassKind, Who};
use super::{
    bounds::Bounds,
    hash::Hash,
    invite::{Invite, is_name},
    openid::{OpenId, Vouched},
    passkey::{self, Passkey},
    role::Role,
    second::{Proof, SecondStep},
    wrong::Wrong,
};
use crate::model::{AreaId, Fleet};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Accounts, and passes of an account or without one, that there may be.
const ACCOUNTS: usize = 1000;
const PASSES: usize = 50;

/// A change of an account or a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It stands like this now.
    Account(Account),
    /// It stands like this now.
    Pass(Pass),
    /// It is gone.
    Gone(Hash),
}

/// What follows from a wish.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// What is to be kept.
    pub changes: Vec<Change>,
    /// What stood there before, and what stands there now, for the audit trail.
    pub before: String,
    /// See `before`.
    pub after: String,
}

/// All of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Register {
    accounts: BTreeMap<String, Account>,
    passes: BTreeMap<Hash, Pass>,
}

impl Register {
    /// As the journal keeps them.
    pub fn restored(accounts: Vec<Account>, passes: Vec<Pass>) -> Self {
        Self {
            accounts: accounts.into_iter().map(|account| (account.name.clone(), account)).collect(),
            passes: passes.into_iter().map(|pass| (pass.id.clone(), pass)).collect(),
        }
    }

    /// All accounts, by name.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// One account, by the name that somebody typed.
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.get(&folded(name))
    }

    /// All passes that are good.
    pub fn passes(&self, now: Timestamp) -> impl Iterator<Item = &Pass> {
        self.passes.values().filter(move |pass| pass.is_good(now))
    }

    /// A pass that is good.
    pub fn pass(&self, now: Timestamp, id: &Hash) -> Option<&Pass> {
        let pass = self.passes.get(id).filter(|pass| pass.is_good(now))?;
        let open = |name: &String| self.accounts.get(name).is_some_and(|account| !account.closed);
        pass.account.as_ref().is_none_or(open).then_some(pass)
    }

    /// Who shows a pass of one of these kinds.
    pub fn who(&self, now: Timestamp, id: &Hash, kinds: &[PassKind]) -> Who {
        let Some(pass) = self.pass(now, id).filter(|pass| kinds.contains(&pass.kind)) else { return Who::Stranger };
        match pass.account.as_ref().and_then(|name| self.accounts.get(name)) {
            Some(account) => Who::Person {
                account: account.name.clone(),
                name: account.full_name.clone(),
                role: account.role,
                pass: id.clone(),
                areas: account.areas.clone(),
            },
            None => Who::Thing { label: pass.label.clone(), role: pass.role, areas: pass.areas.clone() },
        }
    }

    /// Whether anybody can keep accounts: before somebody can, the first administrator is to be made.
    pub fn has_administrator(&self) -> bool {
        self.keepers().next().is_some()
    }

    /// Those who can sign in and keep accounts.
    fn keepers(&self) -> impl Iterator<Item = &Account> {
        let keeps = |account: &&Account| account.role == Role::Administrator && !account.closed;
        self.accounts.values().filter(keeps).filter(|account| account.password.is_some())
    }

    /// Makes an account, or lets the one of this name choose another password; the link's pass is `id`.
    pub fn invite(&mut self, now: Timestamp, wish: Invite, id: Hash) -> Result<Outcome, Wrong> {
        let name = folded(&wish.name);
        if !is_name(&name) {
            return Err(Wrong::Name);
        }
        let before = self.accounts.get(&name);
        if before.is_none() && self.accounts.len() >= ACCOUNTS {
            return Err(Wrong::TooMany);
        }
        if before.is_some_and(|known| !known.closed) && !wish.again {
            return Err(Wrong::Taken);
        }
        refuse_bound(wish.role, wish.areas.as_ref())?;
        let openid = wish.openid.map(|called| self.awaiting(&name, &called)).transpose()?;
        let full_name = if wish.full_name.is_empty() { name.clone() } else { wish.full_name };
        let made = Account {
            name: name.clone(),
            full_name,
            role: wish.role,
            password: None,
            created: now,
            closed: false,
            areas: wish.areas,
            second: None,
            openid,
            passkeys: Vec::new(),
        };
        let account = match before.filter(|known| !known.closed) {
            // Until they choose another, the old password is good.
            Some(known) => known.clone(),
            None => made,
        };
        let mut outcome = Outcome { before: self.told(&name), ..Outcome::default() };
        let old = self
            .passes
            .values()
            .filter(|pass| pass.kind == PassKind::Invitation && pass.account.as_ref() == Some(&name));
        outcome.changes.extend(old.map(|pass| Change::Gone(pass.id.clone())));
        outcome.changes.push(Change::Account(account.clone()));
        outcome.changes.push(Change::Pass(Pass::invitation(id, &account, now)));
        Ok(self.done(outcome, &name))
    }

    /// Somebody opened their link and chose a password. All else that they are known by is good no more, passkeys too: what was
    /// lost may be the phone.
    pub fn choose(&mut self, now: Timestamp, invitation: &Hash, password: Hash) -> Result<Outcome, Wrong> {
        let pass =
            self.pass(now, invitation).filter(|pass| pass.kind == PassKind::Invitation).ok_or(Wrong::Invitation)?;
        let account = pass.account.as_ref().and_then(|name| self.accounts.get(name)).ok_or(Wrong::Invitation)?;
        let account = Account { password: Some(password), passkeys: Vec::new(), ..account.clone() };
        let name = account.name.clone();
        let mut outcome = Outcome { before: self.told(&name), ..Outcome::default() };
        outcome.changes.extend(self.passes_of(&name).map(|pass| Change::Gone(pass.id.clone())));
        outcome.changes.push(Change::Account(account));
        Ok(self.done(outcome, &name))
    }

    /// Somebody signed in. Where a second step is asked for, what was shown counts here, and never again; a passkey is both
    /// steps.
    pub fn sign_in(
        &mut self,
        now: Timestamp,
        name: &str,
        (id, label): (Hash, String),
        proof: Option<&Proof>,
    ) -> Result<Outcome, Wrong> {
        let account = self.account(name).filter(|account| !account.closed).ok_or(Wrong::Unknown)?;
        let (name, mut outcome) = (account.name.clone(), Outcome::default());
        if let Some(Proof::Passkey { id: passkey, key }) = proof {
            let passkeys = passkey::shown(&account.passkeys, passkey, key, now).ok_or(Wrong::Passkey)?;
            let changes = self.entering(now, account, (id, label)).into_iter().map(|change| match change {
                Change::Pass(pass) => Change::Pass(Pass { by_passkey: true, ..pass }),
                other => other,
            });
            outcome.changes.extend(changes);
            outcome.changes.push(Change::Account(Account { passkeys, ..account.clone() }));
            return Ok(self.done(outcome, &name));
        }
        if let Some(second) = &account.second {
            let second = proof.and_then(|proof| second.shown(proof)).ok_or(Wrong::Code)?;
            outcome.changes.push(Change::Account(Account { second: Some(second), ..account.clone() }));
        }
        outcome.changes.extend(self.entering(now, account, (id, label)));
        Ok(self.done(outcome, &name))
    }

    /// A new session; the one that was used longest ago makes room.
    fn entering(&self, now: Timestamp, account: &Account, (id, label): (Hash, String)) -> Vec<Change> {
        let mut sessions: Vec<&Pass> = self.sessions_of(&account.name).collect();
        sessions.sort_by_key(|pass| (pass.is_good(now), pass.used));
        let many = (sessions.len() + 1).saturating_sub(PASSES);
        let gone = sessions.iter().take(many).map(|pass| Change::Gone(pass.id.clone()));
        gone.chain([Change::Pass(Pass::session(id, account, label, now))]).collect()
    }

    /// Whose account it is that a provider vouches for: theirs if somebody of the same subject came before, else the one that
    /// waits for their name. An account of another subject is never theirs, whatever they are called.
    pub fn vouched(&self, by: &Vouched) -> Result<&Account, Wrong> {
        let mut open = self.accounts.values().filter(|account| !account.closed && by.is_sound());
        let all = open.clone();
        let is_theirs = |account: &&Account| account.openid.as_ref().is_some_and(|openid| openid.is_of(by));
        open.find(is_theirs).or_else(|| awaited(all, by.name.as_deref()?)).ok_or(Wrong::Unvouched)
    }

    /// A provider vouched for somebody: their account is of this subject from now on. They are signed in, unless a second step
    /// is asked for: what the provider vouches for stands in place of the password and of nothing else.
    pub fn enter_vouched(
        &mut self,
        now: Timestamp,
        name: &str,
        session: (Hash, String),
        by: &Vouched,
    ) -> Result<Outcome, Wrong> {
        let account = self.vouched(by).ok().filter(|account| account.name == name).ok_or(Wrong::Unvouched)?;
        let mut outcome = Outcome::default();
        let mut account = account.clone();
        if let Some(first) = account.openid.as_ref().filter(|openid| !openid.is_bound()).map(|openid| openid.of(by)) {
            outcome.before = account.openid.as_ref().map(OpenId::told).unwrap_or_default();
            outcome.after = first.told();
            account.openid = Some(first);
            outcome.changes.push(Change::Account(account.clone()));
        }
        if account.second.is_none() {
            outcome.changes.extend(self.entering(now, &account, session));
        }
        self.apply(&outcome.changes);
        Ok(outcome)
    }

    /// Lets the first who is called so at the provider sign in to an account, or nobody by the provider any more. Sessions end:
    /// nobody else's is to stay.
    pub fn ask_provider(&mut self, name: &str, called: Option<&str>) -> Result<Outcome, Wrong> {
        let account = self.account(name).filter(|account| !account.closed).ok_or(Wrong::Unknown)?.clone();
        let openid = called.map(|called| self.awaiting(&account.name, called)).transpose()?;
        let told = |openid: Option<&OpenId>| openid.map(OpenId::told).unwrap_or_default();
        let (before, after) = (told(account.openid.as_ref()), told(openid.as_ref()));
        let mut changes: Vec<Change> =
            self.sessions_of(&account.name).map(|pass| Change::Gone(pass.id.clone())).collect();
        changes.push(Change::Account(Account { openid, ..account }));
        let outcome = Outcome { changes, before, after };
        self.apply(&outcome.changes);
        Ok(outcome)
    }

    /// What an account waits for, if no other does.
    fn awaiting(&self, name: &str, called: &str) -> Result<OpenId, Wrong> {
        let openid = OpenId::awaiting(called).ok_or(Wrong::Provider)?;
        let others = self.accounts.values().filter(|other| !other.closed && other.name != name);
        if awaited(others, openid.name()).is_some() { Err(Wrong::Provider) } else { Ok(openid) }
    }

    /// Ends a pass.
    pub fn revoke(&mut self, id: &Hash) -> Result<Outcome, Wrong> {
        let pass = self.passes.get(id).ok_or(Wrong::Unknown)?;
        let outcome =
            Outcome { changes: vec![Change::Gone(id.clone())], before: pass.label.clone(), ..Outcome::default() };
        self.apply(&outcome.changes);
        Ok(outcome)
    }

    /// Ends all passes of an account: signed out everywhere.
    pub fn sign_out_everywhere(&mut self, name: &str) -> Result<Outcome, Wrong> {
        let account = self.account(name).ok_or(Wrong::Unknown)?.name.clone();
        let changes = self.passes_of(&account).map(|pass| Change::Gone(pass.id.clone())).collect();
        Ok(self.done(Outcome { changes, ..Outcome::default() }, &account))
    }

    /// Gives somebody another role, or closes their account; what they are known by is good no more then.
    pub fn change(&mut self, name: &str, role: Option<Role>, closed: bool) -> Result<Outcome, Wrong> {
        let account = self.account(name).filter(|account| !account.closed).ok_or(Wrong::Unknown)?.clone();
        let changed = Account { role: role.unwrap_or(account.role), closed, ..account.clone() };
        refuse_bound(changed.role, changed.areas.as_ref())?;
        let keeps = changed.role == Role::Administrator && !changed.closed;
        if !keeps && self.keepers().all(|keeper| keeper.name == account.name) && self.has_administrator() {
            return Err(Wrong::LastAdministrator);
        }
        let mut outcome = Outcome { before: self.told(&account.name), ..Outcome::default() };
        if closed {
            outcome.changes.extend(self.passes_of(&account.name).map(|pass| Change::Gone(pass.id.clone())));
        }
        outcome.changes.push(Change::Account(changed));
        Ok(self.done(outcome, &account.name))
    }

    /// Binds somebody to areas, or to none: from then on, in whatever they are signed in.
    pub fn bind(&mut self, name: &str, areas: Option<Bounds>) -> Result<Outcome, Wrong> {
        let account = self.account(name).filter(|account| !account.closed).ok_or(Wrong::Unknown)?.clone();
        refuse_bound(account.role, areas.as_ref())?;
        let mut outcome = Outcome { before: self.told(&account.name), ..Outcome::default() };
        let name = account.name.clone();
        outcome.changes.push(Change::Account(Account { areas, ..account }));
        Ok(self.done(outcome, &name))
    }

    /// Asks somebody for a second step from now on, or no more.
    pub fn ask_second(&mut self, name: &str, second: Option<SecondStep>) -> Result<Outcome, Wrong> {
        let account = self.account(name).filter(|account| !account.closed).ok_or(Wrong::Unknown)?.clone();
        if account.second == second {
            return Ok(Outcome::default());
        }
        let told = |asked: bool| if asked { "second step" } else { "password alone" }.to_owned();
        let (before, after) = (told(account.second.is_some()), told(second.is_some()));
        let outcome = Outcome { changes: vec![Change::Account(Account { second, ..account })], before, after };
        self.apply(&outcome.changes);
        Ok(outcome)
    }

    /// The account of a passkey.
    pub fn of_passkey(&self, id: &str) -> Option<(&Account, &Passkey)> {
        let open = self.accounts.values().filter(|account| !account.closed);
        open.flat_map(|account| account.passkeys.iter().map(move |passkey| (account, passkey)))
            .find(|(_, passkey)| passkey.id == id)
    }

    /// Takes a passkey of somebody's on.
    pub fn add_passkey(&mut self, name: &str, new: Passkey) -> Result<Outcome, Wrong> {
        if self.of_passkey(&new.id).is_some() {
            return Err(Wrong::Passkey);
        }
        let after = new.label.clone();
        self.keep_passkeys(name, (String::new(), after), |known| passkey::with(known, new))
    }

    /// Forgets one of somebody's passkeys, or all of them. Sessions go on: whoever is to be put out is signed out, too.
    pub fn drop_passkeys(&mut self, name: &str, one: Option<&str>) -> Result<Outcome, Wrong> {
        let label = one.and_then(|id| self.of_passkey(id)).map(|(_, passkey)| passkey.label.clone());
        let before = label.unwrap_or_else(|| "all".to_owned());
        self.keep_passkeys(name, (before, String::new()), |known| match one {
            Some(id) => passkey::without(known, id),
            None => Ok(Vec::new()),
        })
    }

    fn keep_passkeys(
        &mut self,
        name: &str,
        (before, after): (String, String),
        kept: impl FnOnce(&[Passkey]) -> Result<Vec<Passkey>, Wrong>,
    ) -> Result<Outcome, Wrong> {
        let account = self.account(name).filter(|account| !account.closed).ok_or(Wrong::Unknown)?;
        let account = Account { passkeys: kept(&account.passkeys)?, ..account.clone() };
        let outcome = Outcome { changes: vec![Change::Account(account)], before, after };
        self.apply(&outcome.changes);
        Ok(outcome)
    }

    /// Who and what is bound to areas that the configuration has no more, with these areas: nothing is reached by them.
    pub fn adrift<'r>(&'r self, fleet: &'r Fleet, now: Timestamp) -> impl Iterator<Item = (&'r str, Vec<&'r AreaId>)> {
        let accounts = self.accounts().filter(|account| !account.closed);
        let accounts = accounts.map(|account| (account.name.as_str(), account.areas.as_ref()));
        let things = self.passes(now).filter(|pass| pass.account.is_none());
        let things = things.map(|pass| (pass.label.as_str(), pass.areas.as_ref()));
        let gone =
            accounts.chain(things).filter_map(|(name, areas)| Some((name, areas?.gone(fleet).collect::<Vec<_>>())));
        gone.filter(|(_, gone)| !gone.is_empty())
    }

    /// Makes a pass for a program or a screen.
    pub fn issue(&mut self, now: Timestamp, pass: Pass) -> Result<Outcome, Wrong> {
        let things = self.passes(now).filter(|known| known.account.is_none());
        if things.filter(|known| known.kind == pass.kind).count() >= PASSES {
            return Err(Wrong::TooMany);
        }
        refuse_bound(pass.role, pass.areas.as_ref())?;
        let after = format!("{}, {}", pass.kind.as_str(), told(pass.role, pass.areas.as_ref()));
        let outcome = Outcome { changes: vec![Change::Pass(pass)], after, ..Outcome::default() };
        self.apply(&outcome.changes);
        Ok(outcome)
    }

    /// An agent joins by its code, which is good no more: it is known by its key from now on, and whatever was that link before
    /// it is not.
    pub fn join(&mut self, now: Timestamp, code: &Hash, agent: Hash) -> Result<Outcome, Wrong> {
        let code = self.pass(now, code).filter(|pass| pass.kind == PassKind::Joining).ok_or(Wrong::Invitation)?;
        if self.passes.contains_key(&agent) {
            return Err(Wrong::Taken);
        }
        let (link, used) = (code.label.clone(), code.id.clone());
        let before = self.passes.values().filter(|pass| pass.kind == PassKind::Agent && pass.label == link);
        let mut changes: Vec<Change> = before.map(|pass| Change::Gone(pass.id.clone())).collect();
        let before = if changes.is_empty() { String::new() } else { "another key".to_owned() };
        changes.push(Change::Gone(used));
        changes.push(Change::Pass(Pass::of_thing(agent, PassKind::Agent, link.clone(), Role::Wall, (now, None))));
        let outcome = Outcome { changes, before, after: link };
        self.apply(&outcome.changes);
        Ok(outcome)
    }

    /// A pass is used; what is to be kept of that, now and then.
    pub fn used(&mut self, now: Timestamp, id: &Hash) -> Option<Change> {
        let pass = self.passes.get_mut(id).filter(|pass| pass.is_to_be_noted(now))?;
        pass.used = now;
        Some(Change::Pass(pass.clone()))
    }

    /// Forgets passes that are good no more.
    pub fn tidy(&mut self, now: Timestamp) -> Vec<Change> {
        let over = self.passes.values().filter(|pass| !pass.is_good(now));
        let changes: Vec<Change> = over.map(|pass| Change::Gone(pass.id.clone())).collect();
        self.apply(&changes);
        changes
    }

    fn passes_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Pass> {
        self.passes.values().filter(move |pass| pass.account.as_deref() == Some(name))
    }

    fn sessions_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Pass> {
        self.passes_of(name).filter(|pass| pass.kind == PassKind::Session)
    }

    fn told(&self, name: &str) -> String {
        self.accounts
            .get(name)
            .map(|account| match account.closed {
                true => "closed".to_owned(),
                false => told(account.role, account.areas.as_ref()),
            })
            .unwrap_or_default()
    }

    fn done(&mut self, outcome: Outcome, name: &str) -> Outcome {
        self.apply(&outcome.changes);
        Outcome { after: self.told(name), ..outcome }
    }

    fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Account(account) => drop(self.accounts.insert(account.name.clone(), account.clone())),
                Change::Pass(pass) => drop(self.passes.insert(pass.id.clone(), pass.clone())),
                Change::Gone(id) => drop(self.passes.remove(id)),
            }
        }
    }
}

/// The account that waits for somebody who is called so at the provider.
fn awaited<'a>(mut among: impl Iterator<Item = &'a Account>, called: &str) -> Option<&'a Account> {
    among.find(|account| account.openid.as_ref().is_some_and(|openid| openid.awaits(called)))
}

/// As the audit trail has a role.
fn told(role: Role, areas: Option<&Bounds>) -> String {
    areas.map_or_else(|| role.as_str().to_owned(), |areas| format!("{} in {areas}", role.as_str()))
}

/// Who keeps accounts could make themselves one without bounds.
fn refuse_bound(role: Role, areas: Option<&Bounds>) -> Result<(), Wrong> {
    if role == Role::Administrator && areas.is_some() { Err(Wrong::Bound) } else { Ok(()) }
}

/// As names are compared.
fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}
