//! Cameras that nobody of ours looks at, since they hang on a source that tells of them: what their entries say and do not say.

use super::entry::{Entry, Located};
use crate::model::{LinkId, Strength};
use url::Url;

/// The weakest proof by which it counts as seeing.
pub(super) fn proof(entry: &Entry<'_>, source: Option<&LinkId>) -> Strength {
    const REMEDY: &str = "write proof = \"counter\" (a number that rises there) or proof = \"word\" (whatever it says), by which it counts as seeing";
    let said = entry.word("proof", &Strength::NAMES);
    match (source, said) {
        (Some(source), None) if !entry.has("proof") => {
            let message =
                format!("is missing: it hangs on the source {source:?}, which can prove less than video that arrives");
            entry.problem("proof", entry.span(), message, REMEDY);
        }
        (Some(_), Some(Strength::Media)) => {
            let message =
                "\"media\" is what nobody can prove of it: it hangs on a source, and is not looked at".to_owned();
            entry.problem("proof", entry.place("proof"), message, REMEDY);
        }
        (None, Some(Strength::Counter | Strength::Word)) => {
            let message = "is for cameras that hang on a link of the kind source: this one is looked at".to_owned();
            entry.problem("proof", entry.place("proof"), message, "leave it out");
        }
        _ => {}
    }
    said.unwrap_or_default()
}

/// What stands in the place of an address: it names no host, and is another where something else is believed.
pub(super) fn address(
    entry: &Entry<'_>,
    source: &LinkId,
    (id, proof): (Option<&str>, Strength),
) -> Option<Located<Url>> {
    for key in ["rtsp", "onvif"].into_iter().filter(|key| entry.has(key)) {
        let message = format!("is never asked: it hangs on the source {source:?}, which tells of it");
        entry.problem(key, entry.place(key), message, "leave it out, or hang the camera on a link that is no source");
    }
    let url = format!("rtsp://told.invalid/{}/{source}/{}", proof.as_str(), id?).parse().ok()?;
    Some(Located { value: url, span: entry.span() })
}
