//! A link's page: whether it carries anything, what hangs on it, and how it stood before now.

use super::{
    agent_facts,
    page::{Moment, link_symbol, moment},
    past::{self, Called, Past},
    words::{Words, words},
};
use crate::{
    model::{Language, Snapshot},
    uptime::{Of, Range},
};
use askama::Template;

/// Links behind it that are named.
const BELOW: usize = 100;

#[derive(Template)]
#[template(path = "link.html")]
struct Main<'a> {
    words: &'static Words,
    past: past::Section,
    id: &'a str,
    name: &'a str,
    kind: &'static str,
    class: &'static str,
    word: &'static str,
    symbol: &'static str,
    since: Moment,
    at: Moment,
    /// The link that it hangs on: id and name.
    parent: Option<(&'a str, &'a str)>,
    cameras: usize,
    unreachable: usize,
    /// What its own beacon said last.
    beacon: Option<&'static str>,
    /// What is known of it, where it is an agent.
    agent: Vec<(&'static str, String)>,
    /// Links behind it: id, name, class, sign and word.
    below: Vec<(&'a str, &'a str, &'static str, &'static str, &'static str)>,
    below_more: usize,
}

/// The page's content; `None` when there is no such link.
pub(super) fn main(
    snapshot: &Snapshot,
    id: &str,
    language: Language,
    (past, range): (&Past, Range),
) -> askama::Result<Option<String>> {
    let fleet = &snapshot.fleet;
    let (Some((id, link)), Some(status)) = (fleet.links.get_key_value(id), snapshot.links.get(id)) else {
        return Ok(None);
    };
    let words = words(language);
    let below = fleet.links.iter().filter(|(_, below)| below.parent.as_ref() == Some(id));
    let mut below: Vec<_> = below
        .filter_map(|(id, link)| {
            let state = snapshot.links.get(id)?.state;
            Some((id.as_str(), link.name.as_str(), state.as_str(), link_symbol(state), state.text(language)))
        })
        .collect();
    let below_more = below.len().saturating_sub(BELOW);
    below.truncate(BELOW);
    let looked = past.one(&Of::Link(id.clone()), range);
    let agent = agent_facts::facts(snapshot, id, language);
    let page = Main {
        words,
        past: past::of_one(
            snapshot,
            (language, Called::Things),
            (&format!("/links/{id}"), range),
            looked.as_deref().map(|looked| &looked.strip),
        ),
        id: id.as_str(),
        name: &link.name,
        kind: link.kind.text(language),
        class: status.state.as_str(),
        word: status.state.text(language),
        symbol: link_symbol(status.state),
        since: moment(status.since, snapshot),
        at: moment(snapshot.at, snapshot),
        parent: link.parent.as_ref().and_then(|id| Some((id.as_str(), fleet.links.get(id)?.name.as_str()))),
        cameras: status.cameras,
        unreachable: status.unreachable,
        // An agent is its own beacon, and more is said of it.
        beacon: status
            .beacon
            .filter(|_| agent.is_empty())
            .map(|answers| if answers { words.answers } else { words.silent }),
        agent,
        below,
        below_more,
    };
    page.render().map(Some)
}
