//! Accounts, passes and the audit trail, for whoever keeps them from a command line.

use super::{
    Done, Json, Problem, Refusal, Seen, ToSchema,
    incidents::described,
    refusal::{Ask, Body, Name},
};
use crate::{
    model::AreaId,
    rights::{self, Bounds, Entry, Forgotten, OpenId, PassKind, Role, Wrong},
    web::{
        origin::OwnPage,
        people::{self, Deed, Issued},
        visitor::Visitor,
    },
};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Entries of the audit trail in one answer.
const ENTRIES: usize = 1000;

/// Somebody who can sign in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AccountLine {
    /// What they sign in by.
    name: String,
    /// What others read where they did something.
    full_name: String,
    /// What they may do.
    role: Role,
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// Whether they have chosen a password.
    password: bool,
    /// Whether they can sign in no more.
    closed: bool,
    /// Whether they are asked for a second step beside their password.
    second_step: bool,
    /// Passkeys that they sign in by.
    passkeys: usize,
    /// What they are called at the provider of OpenID Connect, if they may sign in by it.
    provider_name: Option<String>,
    /// Whether somebody of that name has come, who alone signs in by it since.
    provider_bound: bool,
    /// The areas that they are bound to; none where the whole commune is theirs.
    areas: Vec<String>,
    /// Those of them that the configuration has no more: nothing is reached by them.
    areas_gone: Vec<String>,
}

fn ids<'a>(areas: impl Iterator<Item = &'a AreaId>) -> Vec<String> {
    areas.map(ToString::to_string).collect()
}

/// All accounts, by name.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts", responses((status = 200, body = Vec<AccountLine>)))]
pub(super) async fn list(Seen(shared): Seen) -> Json<Vec<AccountLine>> {
    let (register, fleet) = (shared.state.access.register.borrow().clone(), shared.snapshot().fleet.clone());
    let line = |account: &crate::rights::Account| AccountLine {
        name: account.name.clone(),
        full_name: account.full_name.clone(),
        role: account.role,
        created: account.created,
        password: account.password.is_some(),
        closed: account.closed,
        second_step: account.second.is_some(),
        passkeys: account.passkeys.len(),
        provider_name: account.openid.as_ref().map(|openid| openid.name().to_owned()),
        provider_bound: account.openid.as_ref().is_some_and(OpenId::is_bound),
        areas: ids(account.areas.iter().flat_map(Bounds::areas)),
        areas_gone: ids(account.areas.iter().flat_map(|areas| areas.gone(&fleet))),
    };
    Json(register.accounts().map(line).collect())
}

/// An account to be made.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewAccount {
    /// Letters of a to z, digits, dots, hyphens and underscores.
    #[schema(pattern = r"^[A-Za-z0-9._-]{1,32}$")]
    name: String,
    /// What others read where they did something; the name where it is empty.
    #[serde(default)]
    #[schema(max_length = 80)]
    full_name: String,
    role: Role,
    /// The ids of the areas that they are bound to; none where the whole commune is to be theirs.
    #[serde(default)]
    areas: Vec<String>,
    /// What they are called at the provider of OpenID Connect, if they are to sign in by it: the first of this name is bound to
    /// the account.
    #[serde(default)]
    #[schema(max_length = 255)]
    openid: String,
}

/// What was made, with the only copy of its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Made {
    /// The path of a link that is opened once, or a program's token.
    secret: String,
}

impl From<Issued> for Made {
    fn from(issued: Issued) -> Self {
        let (Issued::Link(secret) | Issued::Screen(secret) | Issued::Token(secret) | Issued::Calendar(secret)) = issued;
        Self { secret }
    }
}

/// Makes an account. The answer holds the path of a link, good once and for a day, by which its password is chosen.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "accounts", request_body = NewAccount,
    responses((status = 201, body = Made), (status = 400, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn invite(
    Seen(shared): Seen,
    visitor: Visitor,
    _: OwnPage,
    Body(new): Body<NewAccount>,
) -> Result<(StatusCode, Json<Made>), Refusal> {
    if !rights::is_name(&new.name) {
        return Err(Refusal::malformed(format!("name: {}", Wrong::Name)));
    }
    if new.full_name.chars().count() > 80 {
        return Err(Refusal::malformed("full_name has more than 80 letters"));
    }
    let invite = people::invitation(&new.name, &new.full_name, (new.role, people::bounds(&new.areas)), false);
    let invite = rights::Invite { openid: people::called_at_provider(&new.openid), ..invite };
    let made = people::invite(&shared, &visitor.by, invite).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Changes an account, or makes a link by which another password is chosen.
#[utoipa::path(post, path = "/api/v1/accounts/{name}", tag = "accounts", params(("name" = String, Path)),
    request_body = Deed,
    responses((status = 200, body = Made), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn change(
    Seen(shared): Seen,
    visitor: Visitor,
    Name(name): Name,
    _: OwnPage,
    Body(deed): Body<Deed>,
) -> Result<Json<Made>, Refusal> {
    let made = people::change(&shared, &visitor.by, name, deed).await?;
    Ok(Json(made.map_or(Made { secret: String::new() }, Made::from)))
}

/// What a browser, a program or a screen is known by.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PassLine {
    /// By which it is ended: the beginning of its hash.
    id: String,
    kind: PassKind,
    /// What people call it.
    label: String,
    /// The account that it belongs to, if it does.
    account: Option<String>,
    role: Role,
    #[schema(value_type = String, format = DateTime)]
    used: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// The areas that a program or a screen is bound to; none where the whole commune is its.
    areas: Vec<String>,
}

/// All passes that are good.
#[utoipa::path(get, path = "/api/v1/passes", tag = "accounts", responses((status = 200, body = Vec<PassLine>)))]
pub(super) async fn passes(Seen(shared): Seen) -> Json<Vec<PassLine>> {
    let access = &shared.state.access;
    let (register, now) = (access.register.borrow().clone(), (access.now)());
    let line = |pass: &crate::rights::Pass| PassLine {
        id: pass.id.0.chars().take(16).collect(),
        kind: pass.kind,
        label: pass.label.clone(),
        account: pass.account.clone(),
        role: pass.role,
        used: pass.used,
        until: pass.until,
        areas: ids(pass.areas.iter().flat_map(Bounds::areas)),
    };
    Json(register.passes(now).map(line).collect())
}

/// A pass to be made.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewPass {
    /// What people call the program or the screen.
    #[schema(min_length = 1, max_length = 80)]
    label: String,
    /// `token` for a program, `screen` for a screen.
    kind: PassKind,
    /// What it may do; of a screen it is always `wall`.
    role: Role,
    /// For how many days it is good; without an end where there is none.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 3660)]
    days: Option<f64>,
    /// The ids of the areas that it is bound to; none where the whole commune is to be its.
    #[serde(default)]
    areas: Vec<String>,
}

/// Makes a pass for a program or a screen.
#[utoipa::path(post, path = "/api/v1/passes", tag = "accounts", request_body = NewPass,
    responses((status = 201, body = Made), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn issue(
    Seen(shared): Seen,
    visitor: Visitor,
    _: OwnPage,
    Body(new): Body<NewPass>,
) -> Result<(StatusCode, Json<Made>), Refusal> {
    described(&new.label, "label")?;
    // JSON has no whole numbers of its own: 90.0 is one.
    let whole = |days: f64| days.fract() == 0.0 && (1.0..=f64::from(people::DAYS)).contains(&days);
    if new.days.is_some_and(|days| !whole(days)) {
        return Err(Refusal::malformed(format!("days: a whole number from 1 to {}", people::DAYS)));
    }
    let days = new.days.map(|days| days as u32);
    let made =
        people::issue(&shared, &visitor.by, (new.kind, new.role, people::bounds(&new.areas)), &new.label, days).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Ends a pass.
#[utoipa::path(delete, path = "/api/v1/passes/{id}", tag = "accounts", params(("id" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn end(
    Seen(shared): Seen,
    visitor: Visitor,
    Name(id): Name,
    _: OwnPage,
) -> Result<Json<Done>, Refusal> {
    people::end(&shared, &visitor.by, &id).await?;
    Ok(Json(crate::request::Done::People.into()))
}

/// Which part of the audit trail is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// Entries before this number.
    #[param(minimum = 1)]
    before: Option<i64>,
}

/// What people changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Trail {
    /// The newest first, at most 1000.
    entries: Vec<Entry>,
    /// The entry at which the chain of hashes is broken, among these.
    broken: Option<u64>,
    /// How far it was forgotten, from its beginning on: the oldest entry that is left hangs on that.
    forgotten: Option<Forgotten>,
}

/// The audit trail, from the newest entry back.
#[utoipa::path(get, path = "/api/v1/audit", tag = "accounts", params(Part),
    responses((status = 200, body = Trail), (status = 400, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn audit(Seen(shared): Seen, Ask(part): Ask<Part>) -> Result<Json<Trail>, Refusal> {
    let before = match part.before {
        Some(number) if number < 1 => return Err(Refusal::malformed("before: the number of an entry, from 1")),
        Some(number) => number.unsigned_abs(),
        None => u64::MAX,
    };
    let part = (shared.state.access.audit)(before, ENTRIES).await.map_err(Refusal::unavailable)?;
    let broken = part.broken();
    Ok(Json(Trail { entries: part.entries, broken, forgotten: part.forgotten }))
}
