//! A notice in words, Vietnamese or English: what failed, what is lost by it, since when, which cameras and why.
//!
//! Pure. Household cameras are counted, never named: their owners' affairs do not travel over push services.

use super::{short::Short, words::Words};
use crate::model::{Cameras, Cause, IncidentNotice, Language, Local, Notice};
use jiff::tz::TimeZone;
use url::Url;

/// Sites that a message lists.
const SITES: usize = 12;

/// A notice in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// One line that fits a lock screen.
    pub title: String,
    /// A few lines: what an officer needs to know.
    pub body: String,
    /// The same for an SMS, of which there is little room.
    pub short: Short,
    /// How to answer over a channel that takes replies; empty where nothing is to be answered.
    pub answer: String,
    /// Where to look further.
    pub link: Option<Url>,
    /// By what the receiver takes the incident on.
    pub ack: Option<Url>,
    /// What a button for that says.
    pub take_on: &'static str,
}

impl Message {
    /// Everything as one text, for channels that know no titles.
    pub fn whole(&self) -> String {
        let link = self.link.as_ref().map(Url::as_str).unwrap_or_default();
        let parts = [self.title.as_str(), &self.body, &self.answer, link];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
    }
}

/// Puts a notice into words. Times are local to `zone`; `ack` is the receiver's own link.
pub fn compose(notice: &Notice, language: Language, zone: &TimeZone, page: Option<&Url>, ack: Option<Url>) -> Message {
    let words = Words { language, local: Local::new(zone, notice.at()), brief: false };
    let incident = notice.incident();
    // What the receiver may take on.
    let open = incident.filter(|incident| incident.reason.pages());
    let link = page.and_then(|page| match incident {
        None => Some(page.clone()),
        Some(incident) => page.join(&format!("incidents/{}", incident.number)).ok(),
    });
    Message {
        title: words.title(notice),
        body: body(&words, notice),
        short: short(&words, notice),
        answer: open.map(|incident| words.how_to_answer(incident.number)).unwrap_or_default(),
        link,
        ack: ack.filter(|_| open.is_some()),
        take_on: language.pick("Tôi nhận", "I take it"),
    }
}

fn body(words: &Words<'_>, notice: &Notice) -> String {
    match notice {
        Notice::Incident(notice) => news(words, notice),
        Notice::Digest(notice) => {
            let lines = [words.digest(&notice.cameras)].into_iter().chain(cameras(words, &notice.cameras));
            lines.chain(words.overdue(notice)).collect::<Vec<_>>().join("\n")
        }
        Notice::Channel(notice) => words.channel_failing(notice),
        Notice::Journal(notice) => words.journal(notice),
        Notice::Test(_) => words.test(),
        Notice::Note(_, note) => words.note(note),
    }
}

/// What is new of an incident.
fn news(words: &Words<'_>, notice: &IncidentNotice) -> String {
    let mut lines = Vec::new();
    match (&notice.cause, notice.sites.as_slice()) {
        (Cause::Site(_), [site]) => {
            lines.push(words.place(&notice.place, notice.hamlet.as_deref()));
            lines.push(words.coverage(site));
        }
        (_, sites) => {
            lines.extend(words.explanation(notice));
            lines.extend(sites.iter().take(SITES).map(|site| words.site(site)));
            lines.extend((sites.len() > SITES).then(|| words.more_sites(sites.len() - SITES)));
        }
    }
    lines.push(words.since(notice));
    lines.extend(notice.link_answers.then(|| words.link_answers().to_owned()));
    if notice.reason.clears() {
        // Those that are well again are not told one by one.
        lines.extend((notice.cameras.households > 0).then(|| words.households(notice.cameras.households)));
    } else {
        lines.extend(cameras(words, &notice.cameras));
    }
    if notice.episode > 1 && notice.reason.pages() {
        lines.push(words.episode(notice.episode));
    }
    lines.push(words.incident(notice));
    lines.join("\n")
}

/// The cameras that are not well, in a line each.
fn cameras(words: &Words<'_>, cameras: &Cameras) -> Vec<String> {
    let mut lines: Vec<String> = cameras.named.iter().map(|camera| words.camera(camera)).collect();
    let more = cameras.public.saturating_sub(cameras.named.len());
    lines.extend((more > 0).then(|| words.more_cameras(more)));
    lines.extend((cameras.households > 0).then(|| words.households(cameras.households)));
    lines
}

fn short(words: &Words<'_>, notice: &Notice) -> Short {
    let briefly = Words { brief: true, ..*words };
    let Some(incident) = notice.incident() else {
        let since = match notice {
            Notice::Note(..) => Default::default(),
            _ => [words.begun(notice.at()), words.roughly_begun(notice.at())],
        };
        return Short::of(None, "", [&|_| words.title(notice), &|_| briefly.title(notice)], since, String::new());
    };
    let told = |place: &str| Notice::Incident(Box::new(IncidentNotice { place: place.to_owned(), ..incident.clone() }));
    let titles: [&dyn Fn(&str) -> String; 2] =
        [&|place| words.title(&told(place)), &|place| briefly.title(&told(place))];
    let since = [words.since(incident), words.roughly_since(incident)];
    let answer = if incident.reason.pages() { words.short_answer(incident.number) } else { String::new() };
    Short::of(Some(incident.number), &incident.place, titles, since, answer)
}

/// The first characters of a text, with a sign where something is missing.
pub(super) fn cut(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    // Three dots are in every alphabet, the sign for them is not in GSM 03.38.
    text.chars().take(characters.saturating_sub(3)).chain("...".chars()).collect()
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
