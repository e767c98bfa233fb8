//! Whoever is bound to areas asks for anything at all: what is allowed changes nothing that lies elsewhere.

use super::{Ground, Refused, Request, Silence};
use crate::{
    edits::{self, Choices, Edit, Edits, Field, Item, Kind, Place, Sheet, Standing, Value},
    model::Scope,
    rights::{
        self, Bounds, Denied, Hash, Role, Who,
        worlds::{self, MOST, Oracle, at, window},
    },
};
use proptest::prelude::*;
use std::sync::Arc;

fn who(areas: Option<Bounds>, role: Role) -> Who {
    Who::Person { account: "an".into(), name: "An".into(), role, pass: Hash("p".into()), areas }
}

fn silence(scope: Scope) -> Silence {
    let (author, reason) = ("An".into(), "thay camera".into());
    Silence { scope, from: None, until: None, minutes: Some(60.0), author, reason }
}

/// A value of maintenance that covers this.
fn maintenance(scope: &Scope) -> Value {
    match scope {
        Scope::All => Value::default().with("all", Field::Truth(true)),
        scope => Value::default().text(scope.kind(), scope.subject()),
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(Kind::ALL.to_vec())
}

proptest! {
    #[test]
    fn what_is_allowed_changes_nothing_outside(
        fleet in worlds::fleet(), bounds in worlds::bounds(), role in prop::sample::select(Role::ALL.to_vec()),
        (scope, was, edited) in (worlds::scope(), worlds::scope(), prop::option::of(worlds::scope())),
        incident in worlds::incident(), (kind, number) in (kind(), 0..=MOST), back in any::<bool>(),
    ) {
        let oracle = Oracle::new(&fleet, &bounds);
        let thing = match kind {
            Kind::SiteName => format!("site-{number}."),
            Kind::Maintenance => "e1".to_owned(),
            _ => format!("cam-{number}."),
        };
        let item = Item::new(kind, thing.clone());
        // Maintenance that stands in the files, and may have been edited.
        let place = Place { file: "windows.toml".into(), line: 1 };
        let there = Item::new(Kind::Maintenance, "e1");
        let sheet = Sheet::of_files([(there.clone(), maintenance(&was), place)], Choices::default());
        let edit = edited.as_ref().map(|scope| Arc::new(Edit {
            item: there, version: 1, value: maintenance(scope), over: None, by: "Bo".into(), at: at(0),
        }));
        let sheet = sheet.with(&edit.into_iter().collect::<Edits>(), |_| Standing::Edited);
        let value = if kind == Kind::Maintenance { maintenance(&scope) } else { Value::default().text("name", "x") };
        let wish = edits::Wish { item, version: String::new(), value: (!back).then_some(value) };
        let set = window("w1", was.clone());
        let ground = Ground { fleet: &fleet, incident: Some(&incident), window: Some(&set), sheet: &sheet };
        let who = who(Some(bounds.clone()), role);
        let allowed = |request: &Request| request.allowed(&who, ground);
        let alone = |scope: &Scope| oracle.leaves_others_alone(scope) && scope.is_known(&fleet);

        let asked = Request::Silence(silence(scope.clone()));
        prop_assert!(allowed(&asked).is_err() || alone(&scope), "{asked:?}");
        let asked = Request::Unsilence { window: "w1".into() };
        prop_assert!(allowed(&asked).is_err() || alone(&was), "{asked:?} of {was}");
        let asked = Request::TakeOn { incident: incident.number.to_string(), by: "An".into(), via: "page".into() };
        let whole = incident.sites.keys().all(|site| oracle.site(site.as_str()));
        prop_assert!(allowed(&asked).is_err() || whole, "{asked:?} of {incident:?}");
        let asked = Request::Edit(wish);
        if allowed(&asked).is_ok() {
            prop_assert!(role.has(kind.subject().right()) && !kind.subject().is_of_the_commune());
            let fits = match kind {
                Kind::SiteName => oracle.site(&thing),
                Kind::CameraName | Kind::Notes => oracle.lies(&thing),
                Kind::Consent => alone(&Scope::Camera(thing.as_str().into())),
                _ => alone(&was) && edited.as_ref().is_none_or(alone) && (back || alone(&scope)),
            };
            prop_assert!(fits, "{asked:?} was {was} and {edited:?}");
        }
        let everything = [Request::Reload { force: false }, Request::People(rights::Wish::Close("bo".into()))];
        for asked in everything {
            prop_assert!(matches!(allowed(&asked), Err(Refused::Denied(_))), "{asked:?}");
        }
        // Their own affairs are theirs, and who is not bound is let do what their role may.
        prop_assert!(allowed(&Request::People(rights::Wish::SignOut(Hash("p".into())))).is_ok());
        let free = Request::Silence(silence(scope)).allowed(&self::who(None, Role::Chief), ground);
        prop_assert_eq!(free, Ok(()));
    }
}

#[test]
fn what_is_refused_says_why_in_both_languages() {
    for denied in [Denied::Commune, Denied::Outside] {
        let [vietnamese, english] = crate::model::Language::ALL.map(|language| denied.text(language));
        assert!(
            vietnamese.contains("toàn xã") && english.contains("your account is bound to"),
            "{vietnamese} {english}"
        );
    }
}
