//! Things that name a parent of their kind, such as links and areas: no circles.

use super::entry::{Entry, Located};
use std::collections::BTreeSet;

/// Notes each circle once, at the thing of it that stands first. `parents` are the things that name a parent, in the
/// order of the files, `parent_of` gives the parent that an id has, and `what` says what goes round, such as "links hang
/// on each other".
pub(super) fn refuse_cycles<'a>(
    what: &str,
    remedy: &str,
    parents: &'a [(&Entry<'_>, String, Located<String>)],
    parent_of: impl Fn(&str) -> Option<&'a str>,
) {
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for (entry, id, parent) in parents {
        let mut path: Vec<&str> = vec![id];
        let mut next = parent_of(id);
        while let Some(at) = next {
            if at == id {
                if told.iter().any(|known| path.contains(known)) {
                    break;
                }
                let cycle = format!("the {what} in a circle: {} → {id}", path.join(" → "));
                entry.problem("parent", parent.span.clone(), cycle, remedy);
                told.extend(path);
                break;
            }
            if path.contains(&at) {
                // A circle further up, told at its own members.
                break;
            }
            path.push(at);
            next = parent_of(at);
        }
    }
}
