//! The page around its content.

use super::{
    rendered::Subject,
    state::Shared,
    visitor::{FORM_TOKEN, Visitor},
    words::{Words, words},
};
use crate::{
    model::{Language, Snapshot},
    rights::Right,
    uptime::Range,
};
use askama::Template;
use axum::{
    body::{Body, Bytes},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use futures_util::stream;
use std::{borrow::Cow, convert::Infallible, sync::Arc};

/// In forms: where the visitor's token stands, and around what asks for a name.
const TOKEN: &str = "<!--token-->";
const NAME: &str = "<!--name-->";
const NAME_END: &str = "<!--/name-->";

/// What stands around a content.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) shared: &'a Shared,
    pub(super) visitor: &'a Visitor,
    pub(super) snapshot: &'a Snapshot,
    pub(super) language: Language,
    /// The page's address without a language.
    pub(super) path: &'a str,
    /// What its script listens to; nothing for who may not.
    pub(super) events: &'a str,
}

impl Frame<'_> {
    /// The page around its content. Over that stands that the daemon does not do its work, if so: what looks green might
    /// be old.
    pub(super) fn whole(&self, main: &str) -> askama::Result<String> {
        let words = words(self.language);
        let menu = [
            ("/", words.wall, Right::See),
            ("/sites", words.sites_short, Right::See),
            ("/cameras", words.cameras, Right::See),
            ("/incidents", words.all_incidents, Right::See),
            ("/links", words.links, Right::See),
            ("/map", words.map, Right::See),
            ("/reports", words.reports, Right::SeeReports),
            ("/contract", words.contract_short, Right::See),
            ("/settings", words.settings, Right::SeeSettings),
            ("/accounts", words.accounts, Right::Accounts),
            ("/owners", words.owners, Right::Owners),
            ("/audit", words.audit, Right::Audit),
        ];
        let signs_in = self.shared.state.access.sign_in;
        let contract = self.shared.cache.incidents().clocks().contractor.is_some();
        // Where nobody is asked who they are there are no accounts to keep.
        let has =
            |right: Right| self.visitor.may(right) && (signs_in || !matches!(right, Right::Accounts | Right::Audit));
        // Who must set up a second step first would be led back to it from each.
        let sets_up = self.shared.state.access.lacks_second_step(&self.visitor.by.who);
        let (place, query) = self.path.split_once('?').unwrap_or((self.path, ""));
        let and = if query.is_empty() { "" } else { "&" };
        let trouble = (self.shared.state.healthy)().err().filter(|_| self.visitor.may(Right::See));
        Whole {
            words,
            trouble: trouble.as_deref(),
            commune: &self.snapshot.fleet.commune.name,
            main: &self.fitted(main),
            at: self.snapshot.at.as_millisecond(),
            path: place,
            other: format!("{place}?{query}{and}lang={}", words.other_lang),
            events: self.events,
            home: place == "/",
            menu: menu
                .into_iter()
                .filter(|(at, _, right)| has(*right) && !sets_up && (contract || *at != "/contract"))
                .map(|(at, name, _)| (at, name))
                .collect(),
            name: self.visitor.name(),
            bound: self.visitor.areas(&self.snapshot.fleet),
            token: &self.visitor.token,
            may: [Right::TakeOn, Right::Respond, Right::Silence]
                .into_iter()
                .filter(|right| self.visitor.may(*right))
                .map(Right::as_str)
                .collect::<Vec<_>>()
                .join(" "),
        }
        .render()
    }

    /// The page around content that others read as well: its bytes are sent, not copied, where nothing in it is for one
    /// visitor alone.
    pub(super) fn around(&self, main: Bytes) -> askama::Result<Response> {
        // Names are escaped, so that none of them can be this.
        const PLACE: &str = "<main>";
        let page = self.whole(PLACE)?;
        let (head, tail) = page.split_once(PLACE).unwrap_or((&page, ""));
        let main = match std::str::from_utf8(&main) {
            Ok(text) if text.contains(TOKEN) => Bytes::from(self.fitted(text).into_owned()),
            _ => main,
        };
        let pieces = [Bytes::copy_from_slice(head.as_bytes()), main, Bytes::copy_from_slice(tail.as_bytes())];
        Ok(Html(Body::from_stream(stream::iter(pieces.map(Ok::<_, Infallible>)))).into_response())
    }

    /// Forms hold the visitor's token, and ask nobody for a name who is known by one. Contents are kept for all who read
    /// them, so this is put in afterwards.
    fn fitted<'m>(&self, main: &'m str) -> Cow<'m, str> {
        if !main.contains(TOKEN) {
            return Cow::Borrowed(main);
        }
        let token = &self.visitor.token;
        let field = match token.is_empty() {
            true => String::new(),
            false => format!("<input type=\"hidden\" name=\"{FORM_TOKEN}\" value=\"{token}\">"),
        };
        let mut fitted = main.replace(TOKEN, &field);
        while let Some(from) = fitted.find(NAME).filter(|_| self.visitor.name().is_some()) {
            let until =
                fitted[from..].find(NAME_END).map_or(from + NAME.len(), |length| from + length + NAME_END.len());
            fitted.replace_range(from..until, "");
        }
        Cow::Owned(fitted)
    }
}

/// A subject's page at its address, or with what it says that there is no such thing.
pub(super) fn of(
    shared: &Shared,
    snapshot: &Arc<Snapshot>,
    (language, visitor): (Language, &Visitor),
    subject: &Subject,
    missing: &'static str,
) -> Response {
    let (path, wish) = match subject {
        Subject::Wall(range) => (format!("/{}", back("?", *range)), back("&", *range)),
        Subject::Area(id, range) => {
            (format!("/areas/{id}{}", back("?", *range)), format!("&area={id}{}", back("&", *range)))
        }
        Subject::Map(None) => ("/map".to_owned(), "&map=all".to_owned()),
        Subject::Map(Some(area)) => (format!("/map?area={area}"), format!("&map=all&area={area}")),
        Subject::List(filter) => {
            let (path, query) = (filter.path(), filter.query());
            (format!("{path}?{query}"), format!("&list={}&{query}", path.trim_start_matches('/')))
        }
        Subject::Site(id, range) => {
            (format!("/sites/{id}{}", back("?", *range)), format!("&site={id}{}", back("&", *range)))
        }
        Subject::Camera(id, range) => {
            (format!("/cameras/{id}{}", back("?", *range)), format!("&camera={id}{}", back("&", *range)))
        }
        Subject::Link(id, range) => {
            (format!("/links/{id}{}", back("?", *range)), format!("&link={id}{}", back("&", *range)))
        }
        Subject::Incidents(search) => {
            let query = search.query();
            (format!("/incidents?{query}"), format!("&list=incidents&{query}"))
        }
        Subject::Contract => ("/contract".to_owned(), "&list=contract".to_owned()),
        Subject::Incident(id, _) => {
            let number = snapshot.incident(id).map_or_else(|| id.clone(), |incident| incident.number.to_string());
            (format!("/incidents/{number}"), format!("&incident={number}"))
        }
    };
    let events = format!("/events?lang={}{wish}", words(language).lang);
    let snapshot = &shared.cache.frame(snapshot, subject);
    let page = match shared.cache.main(snapshot, subject, language) {
        Ok(Some(main)) => Frame { shared, visitor, snapshot, language, path: &path, events: &events }.around(main),
        Ok(None) => Ok((StatusCode::NOT_FOUND, missing).into_response()),
        Err(error) => Err(error),
    };
    page.unwrap_or_else(|error| html(Err(error)))
}

/// The part of an address that says how far back the page looks, unless it is as usual.
fn back(and: &str, range: Range) -> String {
    if range == Range::default() { String::new() } else { format!("{and}range={}", range.as_str()) }
}

#[derive(Template)]
#[template(path = "whole.html")]
struct Whole<'a> {
    words: &'static Words,
    commune: &'a str,
    main: &'a str,
    at: i64,
    path: &'a str,
    /// Its address in the other language.
    other: String,
    events: &'a str,
    home: bool,
    trouble: Option<&'a str>,
    menu: Vec<(&'a str, &'static str)>,
    /// Who signed in.
    name: Option<&'a str>,
    /// What the areas are called that they are bound to.
    bound: Option<Vec<String>>,
    token: &'a str,
    /// What they may do of that for which contents have forms.
    may: String,
}

pub(super) fn html(rendered: askama::Result<String>) -> Response {
    match rendered {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "the page cannot be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be rendered; see the log\n").into_response()
        }
    }
}
