//! The list of links: those that carry nothing first, then those on which cameras are out of reach.

use super::{
    asked::Filter,
    index::{Plain, words},
    select::ROWS,
};
use crate::{
    model::{Language, LinkState, Snapshot},
    web::page::{Moment, link_symbol, moment},
};

/// A link in a row.
pub(super) struct LinkRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) state: &'static str,
    pub(super) word: &'static str,
    pub(super) symbol: &'static str,
    pub(super) parent: String,
    pub(super) cameras: usize,
    pub(super) unreachable: usize,
    pub(super) since: Moment,
}

/// One page of them, with how many there are, which page that is, and how many pages there are.
pub(super) fn page(snapshot: &Snapshot, filter: &Filter, language: Language) -> (Vec<LinkRow>, usize, usize, usize) {
    let (wanted, mut plain) = (words(&filter.words), Plain::default());
    let mut found: Vec<_> = snapshot
        .fleet
        .links
        .iter()
        .filter_map(|(id, link)| Some((id, link, snapshot.links.get(id)?)))
        .filter(|(id, link, _)| {
            wanted.is_empty() || {
                let text = plain.of(&format!("{}\n{id}", link.name));
                wanted.iter().all(|word| text.contains(word.as_str()))
            }
        })
        .collect();
    let urgency = |state: LinkState| match state {
        LinkState::Down => 0,
        LinkState::Up => 1,
        LinkState::Unknown => 2,
    };
    found.sort_by_key(|(id, _, status)| (urgency(status.state), std::cmp::Reverse(status.unreachable), *id));
    let pages = found.len().div_ceil(ROWS).max(1);
    let at = filter.page.clamp(1, pages);
    let row = |(id, link, status): &(&crate::model::LinkId, &crate::model::Link, &crate::model::LinkStatus)| LinkRow {
        id: id.to_string(),
        name: link.name.clone(),
        kind: link.kind.text(language),
        state: status.state.as_str(),
        word: status.state.text(language),
        symbol: link_symbol(status.state),
        parent: (link.parent.as_ref())
            .and_then(|id| snapshot.fleet.links.get(id))
            .map_or_else(String::new, |link| link.name.clone()),
        cameras: status.cameras,
        unreachable: status.unreachable,
        since: moment(status.since, snapshot),
    };
    let rows = found.iter().skip((at - 1) * ROWS).take(ROWS).map(row).collect();
    (rows, found.len(), at, pages)
}
