//! Whether somebody may do what they ask for: by their role, and by the areas that they are bound to.

use super::{Refused, Request, Unknown};
use crate::{
    edits::{self, Item, Kind, Line, Sheet, Value},
    model::{Fleet, Incident, Scope, Window},
    rights::{Denied, Outside, Reach, Touched, Who},
};
use std::cell::LazyCell;

/// What a request speaks of, as it stands.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'g> {
    /// The inventory.
    pub fleet: &'g Fleet,
    /// The open incident that it names.
    pub incident: Option<&'g Incident>,
    /// The window that it names.
    pub window: Option<&'g Window>,
    /// What can be edited.
    pub sheet: &'g Sheet,
}

impl Request {
    /// Whether somebody may ask for this. What they do not see is refused as if it were not there.
    pub fn allowed(&self, who: &Who, ground: Ground<'_>) -> Result<(), Refused> {
        if let Some(right) = self.right() {
            who.may(right).map_err(Refused::Denied)?;
        }
        let Some(areas) = who.areas() else { return Ok(()) };
        // It is worked out over the whole fleet: once, and only for what asks it.
        let reach = LazyCell::new(|| Reach::of(areas, ground.fleet));
        let may = |touched: &Touched<'_>| reach.may(touched, ground.fleet);
        match self {
            Self::Reload { .. } => Err(Refused::Denied(Denied::Commune)),
            // What needs a right is the commune's; the rest somebody does for themselves.
            Self::People(wish) if wish.right().is_some() => Err(Refused::Denied(Denied::Commune)),
            Self::People(_) | Self::Witnessed { .. } | Self::Claimed { .. } => Ok(()),
            Self::TakeOn { incident: called, .. }
            | Self::Respond { incident: called, .. }
            | Self::PassOn { incident: called, .. } => {
                let unknown = || Refused::Unknown(Unknown::Incident(called.clone()));
                let incident = ground.incident.ok_or_else(unknown)?;
                may(&Touched::Incident(incident)).map_err(|outside| refused(outside, unknown))
            }
            // Whose door it hangs at is for the chief of that part.
            Self::ReadOwner { camera, .. } => may(&Touched::Camera(camera.clone())).map_err(|outside| {
                refused(outside, || Refused::Unknown(Unknown::Scope(Scope::Camera(camera.clone()))))
            }),
            Self::Drill(wish) => {
                let scope = Scope::Site(wish.site.clone());
                may(&Touched::Service(scope.clone()))
                    .map_err(|outside| refused(outside, || Refused::Unknown(Unknown::Scope(scope))))
            }
            Self::Silence(wish) => may(&Touched::Service(wish.scope.clone()))
                .map_err(|outside| refused(outside, || Refused::Unknown(Unknown::Scope(wish.scope.clone())))),
            Self::Unsilence { window: id } => {
                let unknown = || Refused::Unknown(Unknown::Window(id.clone()));
                let window = ground.window.ok_or_else(unknown)?;
                may(&Touched::Service(window.scope.clone())).map_err(|outside| refused(outside, unknown))
            }
            Self::Edit(wish) => {
                let unknown = || Refused::Edit(edits::Refusal::Unknown(wish.item.to_string()));
                touched(wish, ground.sheet)
                    .iter()
                    .try_for_each(|touched| may(touched).map_err(|outside| refused(outside, unknown)))
            }
        }
    }
}

fn refused(outside: Outside, unknown: impl FnOnce() -> Refused) -> Refused {
    match outside {
        Outside::Unseen => unknown(),
        Outside::Shared => Refused::Denied(Denied::Outside),
    }
}

/// What an edit would change: of maintenance both what was and what is to be out of service.
fn touched(wish: &edits::Wish, sheet: &Sheet) -> Vec<Touched<'static>> {
    let id = wish.item.id.as_str();
    match wish.item.kind {
        Kind::Roster | Kind::StandIn | Kind::PersonName | Kind::Reach | Kind::Calls | Kind::Address => {
            vec![Touched::Commune]
        }
        Kind::SiteName => vec![Touched::Site(id.into())],
        Kind::CameraName | Kind::Notes => vec![Touched::Camera(id.into())],
        Kind::RecorderNotes => vec![Touched::Device(id.into())],
        Kind::Consent => vec![Touched::Service(Scope::Camera(id.into()))],
        Kind::Maintenance => {
            let line = sheet.line(&wish.item);
            // What was is looked at first: who does not see it learns nothing of it.
            let before =
                line.into_iter().flat_map(|line| [line.file.as_ref(), line.edit.as_ref().map(|edit| &edit.value)]);
            let scopes = before.flatten().chain(&wish.value).flat_map(scopes);
            scopes.map(Touched::Service).collect()
        }
    }
}

/// What a window of maintenance covers; all where it does not say.
fn scopes(value: &Value) -> Vec<Scope> {
    let named = ["camera", "site", "link", "area", "hamlet"].into_iter();
    let named = named.filter_map(|key| format!("{key}:{}", value.get(key)?).parse().ok());
    let scopes: Vec<Scope> = named.chain(value.get("all").map(|_| Scope::All)).collect();
    if scopes.is_empty() { vec![Scope::All] } else { scopes }
}

/// Whether somebody who reaches so much sees what can be edited of something.
pub fn sees(reach: &Reach, fleet: &Fleet, item: &Item, line: &Line) -> bool {
    let id = item.id.as_str();
    match item.kind {
        Kind::Roster | Kind::StandIn | Kind::PersonName | Kind::Reach | Kind::Calls | Kind::Address => false,
        Kind::SiteName => reach.sees_site(&id.into()),
        Kind::CameraName | Kind::Notes | Kind::Consent => reach.sees_camera(&id.into()),
        Kind::RecorderNotes => reach.sees_device(&id.into()),
        // All that is told of it is theirs: what holds, what the files say, and what was edited.
        Kind::Maintenance => {
            let told = [line.file.as_ref(), line.edit.as_ref().map(|edit| &edit.value)];
            told.into_iter().flatten().flat_map(scopes).all(|scope| reach.sees(&scope, fleet))
        }
    }
}
