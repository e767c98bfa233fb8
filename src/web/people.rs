//! What pages and the API ask for about accounts: secrets are made here, and shown once to whoever asked.

use super::{secrets, state::Shared};
use crate::{
    model::{AreaId, LinkKind, later},
    request::{Field, Invalid, Refused, Request},
    rights::{Bounds, By, Entry, Hash, Invite, Pass, PassKind, Role, Wish, Wrong},
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use std::time::Duration;
use utoipa::ToSchema;

/// Letters of a name that are kept.
const LONGEST: usize = 80;
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Days that a pass is good at most.
pub(super) const DAYS: u32 = 3660;

/// What was made, with the only copy of its secret.
pub(super) enum Issued {
    /// The path of a link by which somebody chooses a password.
    Link(String),
    /// The path of a calendar, for somebody's phone.
    Calendar(String),
    /// The path of a link that is opened on a screen once.
    Screen(String),
    /// A token of a program.
    Token(String),
}

/// An account to be made, or one that is there and whose password is forgotten.
pub(super) fn invitation(name: &str, full_name: &str, (role, areas): (Role, Option<Bounds>), again: bool) -> Invite {
    Invite { name: name.trim().to_lowercase(), full_name: clean(full_name), role, again, areas, openid: None }
}

/// Bound to the areas of these ids; not bound where there is none.
pub(super) fn bounds(areas: &[String]) -> Option<Bounds> {
    Bounds::of(areas.iter().map(|id| id.trim()).filter(|id| !id.is_empty()).map(AreaId::from))
}

/// What somebody is called at the provider; nothing where that is empty.
pub(super) fn called_at_provider(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn clean(text: &str) -> String {
    text.trim().chars().filter(|letter| !letter.is_control()).take(LONGEST).collect()
}

/// Asks for something about accounts.
pub(super) async fn ask(shared: &Shared, by: &By, wish: Wish) -> Result<(), Refused> {
    shared.ask(by, Request::People(wish)).await.map(drop)
}

/// Makes an account, or lets somebody choose another password.
pub(super) async fn invite(shared: &Shared, by: &By, invite: Invite) -> Result<Issued, Refused> {
    let (path, id) = secrets::invitation();
    ask(shared, by, Wish::Invite(invite, id)).await?;
    Ok(Issued::Link(path.expose_secret().to_owned()))
}

/// What is to become of an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub(super) enum Deed {
    /// Its password is forgotten: the answer holds the path of a link by which another is chosen.
    Link,
    /// It has another role.
    Appoint {
        /// Which.
        role: Role,
    },
    /// It sees and acts within these areas alone; in the whole commune where there is none.
    Bind {
        /// Their ids.
        areas: Vec<String>,
    },
    /// It is asked for no second step any more, such as where a phone and the recovery codes are lost.
    NoSecondStep,
    /// Its passkeys are forgotten, such as where a phone was stolen.
    NoPasskeys,
    /// Whoever first comes from the provider under this name signs in to it, and nobody else by the provider from then on;
    /// nobody does where it is empty. Its sessions end.
    Provider {
        /// What they are called there.
        #[schema(max_length = 255)]
        called: String,
    },
    /// It can sign in no more.
    Close,
    /// All its sessions end.
    SignOut,
}

/// Changes an account; what was made for it, if that was a link.
pub(super) async fn change(shared: &Shared, by: &By, name: String, deed: Deed) -> Result<Option<Issued>, Refused> {
    let known = shared.state.access.register.borrow().account(&name).map(|known| known.role);
    let role = known.ok_or(Refused::People(Wrong::Unknown))?;
    let wish = match deed {
        Deed::Link => return invite(shared, by, invitation(&name, "", (role, None), true)).await.map(Some),
        Deed::Appoint { role } => Wish::Appoint(name, role),
        Deed::Bind { areas } => Wish::Bind(name, bounds(&areas)),
        Deed::NoSecondStep => Wish::NoSecondStep(name),
        Deed::NoPasskeys => Wish::NoPasskeys(name),
        Deed::Provider { called } => Wish::Provider(name, called_at_provider(&called)),
        Deed::Close => Wish::Close(name),
        Deed::SignOut => Wish::SignOutEverywhere(name),
    };
    ask(shared, by, wish).await.map(|()| None)
}

/// So many entries of the audit trail before a number, the newest first, and the one at which their chain is broken. Behind
/// the oldest one that is left stands a line for those that were forgotten.
pub(super) async fn trail(shared: &Shared, before: u64, most: usize) -> Result<(Vec<Entry>, Option<u64>), String> {
    let part = (shared.state.access.audit)(before, most).await?;
    let broken = part.broken();
    let gone = part.forgotten.filter(|_| part.is_whole).map(|gone| Entry {
        number: gone.number,
        at: gone.at,
        who: "camhealth".to_owned(),
        from: String::new(),
        action: "forgotten".to_owned(),
        subject: format!("1–{}", gone.number),
        before: String::new(),
        after: "[journal] keep_audit".to_owned(),
        previous: String::new(),
        link: gone.link,
    });
    Ok((part.entries.into_iter().chain(gone).collect(), broken))
}

/// Makes a pass for a program or a screen, which is good for so many days.
pub(super) async fn issue(
    shared: &Shared,
    by: &By,
    (kind, role, areas): (PassKind, Role, Option<Bounds>),
    label: &str,
    days: Option<u32>,
) -> Result<Issued, Refused> {
    let label = clean(label);
    let shifts_of = (kind == PassKind::Calendar).then(|| shared.sheet().choices.people.get(&label).cloned());
    if shifts_of == Some(None) {
        return Err(Refused::People(Wrong::Unknown));
    }
    if label.is_empty() {
        return Err(Refused::Invalid(Invalid::Empty(Field::Label)));
    }
    let now = (shared.state.access.now)();
    let until = days.map(|days| later(now, DAY * days.clamp(1, DAYS)));
    // A screen shows the wall, and is left alone with whoever passes by.
    let role = if matches!(kind, PassKind::Screen | PassKind::Source) { Role::Wall } else { role };
    let secret = secrets::secret();
    let id = secrets::known_as(secret.expose_secret());
    let issued = match kind {
        PassKind::Screen => Issued::Screen(format!("/screen/{}", secret.expose_secret())),
        PassKind::Token | PassKind::Source => Issued::Token(secret.expose_secret().to_owned()),
        PassKind::Calendar => Issued::Calendar(format!("/calendar/{}.ics", secret.expose_secret())),
        PassKind::Joining => Issued::Token(secret.expose_secret().to_owned()),
        // Those are made by whoever signs in, is invited or joins.
        PassKind::Session | PassKind::Invitation | PassKind::Agent => return Err(Refused::People(Wrong::Unknown)),
    };
    let fleet = shared.state.snapshots.borrow().fleet.clone();
    let is_of = |kind| fleet.links.get(label.as_str()).is_some_and(|link| link.kind == kind);
    let names_none = match kind {
        PassKind::Joining => !is_of(LinkKind::Agent),
        PassKind::Source => !is_of(LinkKind::Source),
        _ => false,
    };
    if names_none {
        return Err(Refused::People(Wrong::Unknown));
    }
    let pass = match shifts_of.flatten() {
        _ if kind == PassKind::Joining => Pass::joining(id, &label.as_str().into(), now),
        Some(name) => Pass::calendar(id, label.as_str().into(), name, (now, until)),
        None => Pass::of_thing(id, kind, label, role, (now, until)).within(areas),
    };
    ask(shared, by, Wish::Issue(pass)).await?;
    Ok(issued)
}

/// Ends a pass, named by its hash or by the beginning of it.
pub(super) async fn end(shared: &Shared, by: &By, named: &str) -> Result<(), Refused> {
    let register = shared.state.access.register.borrow().clone();
    let now = (shared.state.access.now)();
    let mut found = register.passes(now).filter(|pass| pass.id.0.starts_with(named) && named.len() >= 8);
    match (found.next(), found.next()) {
        (Some(pass), None) => ask(shared, by, Wish::Revoke(Hash(pass.id.0.clone()))).await,
        _ => Err(Refused::People(Wrong::Unknown)),
    }
}
