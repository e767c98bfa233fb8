//! An incident's page: how it stands, what it keeps down, who has taken it on, and what can be done about it.

use super::{
    contract::Part,
    ground::urgency,
    incidents::lines::Lines,
    page::{self, moment},
    rows::first_of,
    words::{Words, words},
};
use crate::model::{Cause, Course, Incident, Language, Level, Scope, SiteId, Snapshot};
use askama::Template;

/// Sites of an incident that its page shows.
const SITES: usize = 100;

#[derive(Template)]
#[template(path = "incident.html")]
struct Page<'a> {
    words: &'a Words,
    /// Whose page it is, and of when, for who prints it.
    commune: &'a str,
    at: String,
    incident: &'a Incident,
    place: String,
    /// How it stands, and the worst that was told where that is another.
    level: String,
    worst: Option<&'static str>,
    level_class: &'static str,
    since: String,
    closed: Option<String>,
    ack: Option<(String, String)>,
    sites: Vec<Site>,
    sites_more: usize,
    cause: &'static str,
    signed: Signed,
    scopes: Vec<(String, String)>,
    /// How it stands under the contract.
    contract: Option<Part>,
    /// What happened to it, where that is at hand.
    timeline: Option<Lines>,
}

/// What a page is opened by, where that is a signed link.
#[derive(Default)]
pub(super) struct Signed {
    /// Where its button posts to, and who presses it.
    pub(super) button: Option<(String, String)>,
    /// Why it has none, in each language.
    pub(super) used: Vec<(&'static str, String)>,
}

/// A site's id, name, level, its class, and that it recovers.
type Site = (String, String, &'static str, &'static str, Option<String>);

/// The page's content.
pub(super) fn main(
    snapshot: &Snapshot,
    incident: &Incident,
    (timeline, contract): (Option<Lines>, Option<Part>),
    language: Language,
    signed: Signed,
) -> askama::Result<String> {
    let words = words(language);
    let ack = incident.ack.as_ref();
    let course = snapshot.course(incident);
    // The worst first where they are too many: an incident of the whole commune has all of them.
    let mut worst: Vec<&SiteId> = incident.sites.keys().collect();
    if worst.len() > SITES {
        let rank = |id: &SiteId| snapshot.sites.get(id).map_or(u8::MAX, |site| urgency(site.level));
        worst = first_of(worst, SITES, |a, b| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
    }
    let site = |id: &SiteId| {
        let status = snapshot.sites.get(id);
        let level = status.map_or(Level::Unknown, |site| site.level);
        let recovering = status.and_then(|status| page::recovering(snapshot, status, language));
        (id.to_string(), snapshot.place(&Cause::Site(id.clone())), level.text(language), level.as_str(), recovering)
    };
    let mut scopes: Vec<(String, String)> = (worst.iter())
        .map(|id| (Scope::Site((*id).clone()).to_string(), snapshot.place(&Cause::Site((*id).clone()))))
        .collect();
    if let Cause::Link(link) = &incident.cause {
        scopes.insert(0, (Scope::Link(link.clone()).to_string(), snapshot.place(&incident.cause)));
    }
    let page = Page {
        words,
        commune: &snapshot.fleet.commune.name,
        at: snapshot.local().full(snapshot.at),
        incident,
        place: snapshot.place(&incident.cause),
        level: match course {
            _ if incident.is_drill() => language.pick("diễn tập", "exercise").to_owned(),
            // The end stands beside its beginning.
            Course::Ended(_) => incident.told.text(language).to_owned(),
            course => snapshot.course_text(course, language),
        },
        worst: match course {
            Course::Ended(_) => None,
            _ if incident.is_drill() => None,
            course => Some(incident.told).filter(|told| course != Course::Lasting(*told)),
        }
        .map(|told| told.text(language)),
        level_class: course.level().as_str(),
        since: moment(incident.since, snapshot).text,
        closed: incident.closed.map(|at| moment(at, snapshot).text),
        ack: ack.map(|ack| (ack.by.clone(), moment(ack.at, snapshot).text)),
        sites: worst.iter().map(|id| site(id)).collect(),
        sites_more: incident.sites.len() - worst.len(),
        cause: cause_text(&incident.cause, language),
        signed,
        scopes,
        contract,
        timeline,
    };
    page.render()
}

pub(super) fn cause_text(cause: &Cause, language: Language) -> &'static str {
    let (vietnamese, english) = match cause {
        Cause::Site(_) => ("camera tại chỗ", "cameras on the spot"),
        Cause::Unproven(_) => {
            ("camera trả lời nhưng chưa chứng minh được còn hình", "cameras that answer and prove nothing")
        }
        Cause::Drill(_) => ("diễn tập, không có sự cố thật", "exercise, nothing is lost"),
        Cause::Link(_) => ("đường truyền hoặc nguồn điện", "link or power"),
        Cause::Device(_) => ("đầu ghi", "recorder"),
        Cause::Commune => ("toàn xã", "the whole commune"),
        Cause::Monitor => ("máy giám sát", "the monitor itself"),
    };
    language.pick(vietnamese, english)
}

pub(super) fn no_such(language: Language) -> &'static str {
    language
        .pick("Không có sự cố này, hoặc đã kết thúc từ lâu.\n", "There is no such incident, or it ended long ago.\n")
}
