//! What pages are made from, and what is asked for with each.

use super::{
    Asked, Hosts, Scrapers,
    agents::Agents,
    editing::Turn,
    exposition,
    flood::{Messages, Wishes},
    incidents::Incidents,
    openid::{Held as AtProvider, Provider},
    passkeys::Held as Ceremony,
    past,
    pending::Pending,
    rendered::Cache,
    report,
    totp::Waiting,
    view::{Ground, View, Views},
};
use crate::{
    edits::Sheet,
    model::{CameraId, Language, Owner, Snapshot},
    request::{Done, Refused, Request},
    rights::{self, By, Hash, Register, Role, Throttle, Trail, Who, Wish as PeopleWish},
    uptime::Range,
};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use secrecy::SecretSlice;
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

/// Of incident, round, person and signature of a link: the person's name, if the link is one of ours.
pub type Signer = Arc<dyn Fn(&str, u32, &str, &str) -> Option<String> + Send + Sync>;

/// What pages are made from.
#[derive(Clone)]
pub struct State {
    /// The fleet as it stands.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Renders metrics.
    pub metrics: Arc<dyn Fn(&Snapshot) -> String + Send + Sync>,
    /// How each channel fares, as JSON.
    pub channels: Arc<dyn Fn() -> serde_json::Value + Send + Sync>,
    /// Who a signed link is for.
    pub signer: Signer,
    /// Works out uptime reports.
    pub reporter: report::Reporter,
    /// Reads what things were in the time before now.
    pub past: past::Sources,
    /// Reads incidents, open and past.
    pub incidents: Incidents,
    /// The names by which it may be asked.
    pub hosts: Hosts,
    /// Where people's wishes go.
    pub requests: mpsc::Sender<Asked>,
    /// Whether the daemon does its work.
    pub healthy: Condition,
    /// The same, and that it is not stopping.
    pub ready: Condition,
    /// Who may visit.
    pub access: Access,
    /// What can be edited, and what comes from where.
    pub sheet: Arc<dyn Fn() -> Arc<Sheet> + Send + Sync>,
    /// Reads who lends a camera; an error is for people. It is asked when that somebody reads it is in the audit trail.
    pub owner: OwnerFn,
    /// What is known of agents.
    pub agents: Agents,
    /// Who is on when, from a moment to another.
    pub turns: Arc<dyn Fn(Timestamp, Timestamp) -> Vec<Turn> + Send + Sync>,
}

/// Who may visit, and what they are known by.
#[derive(Clone)]
pub struct Access {
    /// Accounts and passes.
    pub register: watch::Receiver<Arc<Register>>,
    /// Whether anybody is asked who they are.
    pub sign_in: bool,
    /// Signs what forms hold, and what the command line shows.
    pub key: Arc<SecretSlice<u8>>,
    /// The time.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Reads the audit trail: entries before a number, the newest first.
    pub audit: AuditFn,
    /// How quickly passwords may be tried.
    pub throttle: Arc<Mutex<Throttle>>,
    /// Who has a password looked at.
    pub hashing: Arc<Semaphore>,
    /// Who reads metrics by the web configuration, as it is now.
    pub scrapers: Arc<dyn Fn() -> Arc<Scrapers> + Send + Sync>,
    /// Roles that must have a second step.
    pub second_step: Vec<Role>,
    /// The provider by which people may sign in too.
    pub openid: Option<Arc<Provider>>,
}

impl Access {
    /// Whether somebody must set up a second step before they do anything else.
    pub(super) fn lacks_second_step(&self, who: &Who) -> bool {
        let Who::Person { account, role, pass, .. } = who else { return false };
        let register = self.register.borrow();
        let lacks = |account: &rights::Account| account.second.is_none();
        self.second_step.contains(role)
            && register.account(account).is_some_and(lacks)
            && !register.pass((self.now)(), pass).is_some_and(|pass| pass.by_passkey)
    }
}

/// Reads who lends a camera.
pub type OwnerFn = Arc<dyn Fn(CameraId) -> BoxFuture<'static, Result<Option<Owner>, String>> + Send + Sync>;

/// Reads entries of the audit trail before a number, so many; an error is for people.
pub type AuditFn = Arc<dyn Fn(u64, usize) -> BoxFuture<'static, Result<Trail, String>> + Send + Sync>;

/// Whether all is well; else what is not, for people.
pub(super) type Condition = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The state with what only this module needs.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) state: State,
    pub(super) cache: Arc<Cache>,
    pub(super) exposition: Arc<exposition::Kept>,
    pub(super) wishes: Arc<Wishes>,
    pub(super) agent_messages: Arc<Messages>,
    pub(super) source_messages: Arc<Messages>,
    pub(super) reports: Arc<report::Desk>,
    /// Names and passwords of scrapers that were right, under the key of this journal: bcrypt takes a tenth of a second on
    /// purpose, which each scrape would pay again.
    pub(super) scraped: Arc<Mutex<BTreeSet<Hash>>>,
    pub(super) views: Arc<Views>,
    /// Second steps that are being set up.
    pub(super) waiting: Arc<Waiting>,
    /// Sign-ins that are at the provider.
    pub(super) openid: Arc<Pending<AtProvider>>,
    /// Passkeys that are being made, and sign-ins by one.
    pub(super) passkeys: Arc<Pending<Ceremony>>,
    /// Where whoever visits is bound to areas: what they see. `cache` and `reports` are those of it then.
    pub(super) view: Option<Arc<View>>,
}

/// The language that a page is asked for in.
#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    lang: Option<Language>,
    /// The camera whose page is meant, instead of the wall.
    pub(super) camera: Option<String>,
    /// The site whose page is meant.
    pub(super) site: Option<String>,
    /// The link whose page is meant.
    pub(super) link: Option<String>,
    /// How far back the page looks.
    range: Option<String>,
    /// The area whose wall is meant, or whose map.
    pub(super) area: Option<String>,
    /// The list that is meant: `cameras`, `sites` or `incidents`.
    pub(super) list: Option<String>,
    /// That the map is meant.
    pub(super) map: Option<String>,
    /// The incident whose page is meant; an empty one is told only how old it is.
    pub(super) incident: Option<String>,
}

impl Wish {
    pub(super) fn language(&self, snapshot: &Snapshot) -> Language {
        self.lang.unwrap_or(snapshot.fleet.commune.language)
    }

    /// How far back the page looks; a day where that is not said.
    pub(super) fn range(&self) -> Range {
        self.range.as_deref().and_then(|range| range.parse().ok()).unwrap_or_default()
    }
}

impl Shared {
    /// What somebody sees.
    pub(super) fn seen_by(&self, who: &Who) -> Self {
        let Some(areas) = who.areas() else { return self.clone() };
        let view = self.views.of(areas, &self.cache, &self.reports);
        let (cache, reports) = (view.cache.clone(), view.reports.clone());
        Self { view: Some(view), cache, reports, ..self.clone() }
    }

    /// The fleet as it stands, as far as it is seen.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.narrowed(&self.state.snapshots.borrow().clone())
    }

    /// A snapshot as far as it is seen.
    pub(super) fn narrowed(&self, whole: &Arc<Snapshot>) -> Arc<Snapshot> {
        self.view.as_ref().map_or_else(|| whole.clone(), |view| view.snapshot(whole))
    }

    /// What can be edited, as far as it is seen.
    pub(super) fn sheet(&self) -> Arc<Sheet> {
        let whole = (self.state.sheet)();
        let fleet = || self.state.snapshots.borrow().fleet.clone();
        self.view.as_ref().map_or_else(|| whole.clone(), |view| Arc::new(view.sheet(&whole, &fleet())))
    }

    /// What of the fleet may be taken out of service, where that is not all of it.
    pub(super) fn bounds(&self) -> Option<Ground> {
        let fleet = self.state.snapshots.borrow().fleet.clone();
        self.view.as_ref().map(|view| view.ground(&fleet))
    }

    /// Asks the event loop for something.
    pub(super) async fn ask(&self, by: &By, request: Request) -> Result<Done, Refused> {
        let (answer, answered) = oneshot::channel();
        // waits: web -> event_loop
        self.state.requests.send(Asked { request, by: by.clone(), answer }).await.map_err(|_| Refused::Stopping)?;
        answered.await.unwrap_or(Err(Refused::Stopping))
    }

    /// Says that a pass is used, to be noted. Nobody waits for that, and where there is no room it is said again.
    pub(super) fn mention(&self, pass: Hash) {
        let (answer, _) = oneshot::channel();
        let request = Request::People(PeopleWish::Use(pass));
        let _ = self.state.requests.try_send(Asked { request, by: By::machine(), answer });
    }
}
