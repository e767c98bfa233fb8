//! What a list of incidents is asked for. Addresses are typed by people and by whoever means harm, so what is not understood
//! is left out, and what is long is cut.

use crate::{
    model::{Cause, Fleet, Language, Level, Sought, Thing, folded},
    uptime::Month,
    web::{
        list::{Index, short},
        words::words,
    },
};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeSet;
use url::form_urlencoded;
use utoipa::IntoParams;

/// Rows on a page.
pub(in crate::web) const ROWS: usize = 50;

/// Kinds of causes, each by an example of it.
pub(super) fn causes() -> [Cause; 6] {
    let (site, link, device) = ("", "", "");
    [
        Cause::Site(site.into()),
        Cause::Unproven(site.into()),
        Cause::Link(link.into()),
        Cause::Device(device.into()),
        Cause::Commune,
        Cause::Monitor,
    ]
}

/// A query as it came.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::web) struct Asked {
    /// Words of the name of a site, a link or a recorder, with or without marks; or the incident's number.
    #[param(max_length = 64)]
    q: Option<String>,
    /// The id of a site that they keep or kept down.
    site: Option<String>,
    /// The worst level that was told.
    #[param(value_type = Option<Level>)]
    level: Option<String>,
    /// The kind of what failed.
    #[param(pattern = "^(site|unproven|link|device|commune|monitor)$")]
    cause: Option<String>,
    /// The month in which they were decided, such as 2026-10.
    #[param(pattern = "^20[0-9]{2}-(0[1-9]|1[0-2])$")]
    month: Option<String>,
    /// Those with a lower number than this: the next page.
    #[param(value_type = Option<u32>)]
    before: Option<String>,
}

impl Asked {
    /// Whether anything is asked for.
    pub(in crate::web) fn is_empty(&self) -> bool {
        let Self { q, site, level, cause, month, before } = self;
        [q, site, level, cause, month, before].iter().all(|part| part.is_none())
    }
}

/// What is wanted, understood.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(in crate::web) struct Search {
    /// As it was typed.
    pub(super) words: String,
    pub(super) site: String,
    pub(super) level: Option<Level>,
    pub(super) cause: Option<&'static str>,
    pub(super) month: String,
    pub(super) before: Option<u32>,
}

impl Search {
    /// What is understood of a query.
    pub(in crate::web) fn read(asked: &Asked) -> Self {
        let text = |text: &Option<String>| short(text.as_deref().unwrap_or_default());
        let cause = asked.cause.as_deref();
        let month = asked.month.as_deref().and_then(|month| month.parse::<Month>().ok());
        Self {
            words: text(&asked.q),
            site: text(&asked.site),
            level: asked.level.as_deref().and_then(|level| level.parse().ok()),
            cause: causes().iter().map(Cause::kind).find(|kind| cause == Some(kind)),
            month: month.map_or_else(String::new, |month| month.to_string()),
            before: asked.before.as_deref().and_then(|before| before.parse().ok()),
        }
    }

    /// The same for programs, which are told what is not understood.
    pub(in crate::web) fn whole(asked: &Asked) -> Result<Self, String> {
        let search = Self::read(asked);
        let given = |part: &Option<String>| part.as_ref().is_some_and(|part| !part.is_empty());
        let wrong = [
            ("level", given(&asked.level) && search.level.is_none()),
            ("cause", given(&asked.cause) && search.cause.is_none()),
            ("month", given(&asked.month) && search.month.is_empty()),
            ("before", given(&asked.before) && search.before.is_none()),
        ];
        match wrong.into_iter().find(|(_, wrong)| *wrong) {
            Some((name, _)) => {
                Err(format!("{name}: there is no such value; /api/v1/openapi.json says which there are"))
            }
            None => Ok(search),
        }
    }

    /// The query that is read as this one.
    pub(in crate::web) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let mut pair = |name: &str, value: &str| {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        };
        pair("q", &self.words);
        pair("site", &self.site);
        pair("level", self.level.map_or("", Level::as_str));
        pair("cause", self.cause.unwrap_or_default());
        pair("month", &self.month);
        pair("before", &self.before.map_or_else(String::new, |before| before.to_string()));
        query.finish()
    }

    /// Its address in a language.
    pub(in crate::web) fn address(&self, language: Language) -> String {
        let (query, lang) = (self.query(), words(language).lang);
        let and = if query.is_empty() { "" } else { "&" };
        format!("/incidents?{query}{and}lang={lang}")
    }

    /// The same in the words of the journal: names are looked up in the fleet as it is.
    pub(in crate::web) fn sought(&self, fleet: &Fleet, index: &Index, now: Timestamp, most: usize) -> Sought {
        let mut sought = Sought { before: self.before, most, ..Sought::default() };
        if !self.site.is_empty() {
            sought.all.insert(Thing::Site(self.site.as_str().into()));
        }
        sought.all.extend(self.level.map(Thing::told));
        sought.all.extend(self.cause.map(Thing::Cause));
        if let Ok(month) = self.month.parse::<Month>() {
            let period = month.period(&fleet.commune.timezone, now);
            let moment = |second: i64| Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
            sought.opened = Some((moment(period.from), moment(period.end)));
        }
        let typed = self.words.trim();
        match typed.strip_prefix('#').unwrap_or(typed).parse() {
            Ok(number) => sought.number = Some(number),
            Err(_) if typed.is_empty() => {}
            Err(_) => sought.any.push(named(typed, fleet, index)),
        }
        sought
    }
}

/// What of a fleet bears all these words in its name or id.
fn named(typed: &str, fleet: &Fleet, index: &Index) -> BTreeSet<Thing> {
    let plain = |text: &str| folded(text).to_lowercase();
    let wanted: Vec<String> = plain(typed).split_whitespace().map(str::to_owned).collect();
    let has = |text: &str| wanted.iter().all(|word| text.contains(word.as_str()));
    let mut things: BTreeSet<Thing> = index.sites_with(typed).cloned().map(Thing::Site).collect();
    for (id, link) in &fleet.links {
        if has(&plain(&format!("{}\n{id}", link.name))) {
            things.insert(Thing::Root("link", id.to_string()));
        }
    }
    for id in fleet.devices.keys() {
        let cause = Cause::Device(id.clone());
        if has(&plain(&format!("{}\n{id}", fleet.place(&cause)))) {
            things.insert(Thing::Root(cause.kind(), id.to_string()));
        }
    }
    for cause in [Cause::Commune, Cause::Monitor] {
        if has(&plain(&fleet.place(&cause))) {
            things.insert(Thing::Cause(cause.kind()));
        }
    }
    things
}
