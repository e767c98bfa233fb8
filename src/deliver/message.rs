//! A notice in words, Vietnamese or English: what failed, what is lost by it, since when, which cameras and why.
//!
//! Pure. Household cameras are counted, never named: their owners' affairs do not travel over push services.

use super::words::Words;
use crate::model::{Cause, Language, Notice, Reason};
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
    /// One line for an SMS.
    pub short: String,
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
    let words = Words { language, zone, now: notice.at };
    let may_take_on = notice.reason.pages() && notice.number > 0;
    let link = page.and_then(|page| match notice.number {
        0 => Some(page.clone()),
        _ => page.join(&format!("incidents/{}", notice.number)).ok(),
    });
    Message {
        title: words.title(notice),
        body: body(&words, notice),
        short: short(&words, notice),
        answer: if may_take_on { words.how_to_answer(notice.number) } else { String::new() },
        link,
        ack: ack.filter(|_| may_take_on),
        take_on: words.pick("Tôi nhận", "I take it"),
    }
}

fn body(words: &Words<'_>, notice: &Notice) -> String {
    let mut lines = Vec::new();
    match notice.reason {
        Reason::Test => return words.test(),
        Reason::JournalFailing | Reason::JournalRestored | Reason::JournalDamaged => {
            return words.journal(notice.reason, &notice.remark);
        }
        Reason::ChannelFailing => return words.channel_failing(&notice.remark),
        Reason::Digest => lines.push(words.digest(notice)),
        _ => match (&notice.cause, notice.sites.as_slice()) {
            (Some(Cause::Site(_)), [site]) => {
                lines.push(words.place(&notice.place, &notice.hamlet));
                lines.push(words.coverage(site));
            }
            (_, sites) => {
                lines.extend(words.explanation(notice));
                lines.extend(sites.iter().take(SITES).map(|site| words.site(site)));
                lines.extend((sites.len() > SITES).then(|| words.more_sites(sites.len() - SITES)));
            }
        },
    }
    if notice.reason != Reason::Digest {
        lines.push(words.since(notice));
    }
    lines.extend(words.remark(&notice.remark));
    lines.extend(notice.cameras.iter().map(|camera| words.camera(camera)));
    lines.extend(words.more_cameras(notice.cameras_total.saturating_sub(notice.cameras.len()), notice));
    if notice.households > 0 {
        lines.push(words.households(notice.households));
    }
    if notice.episode > 1 && notice.reason.pages() {
        lines.push(words.episode(notice.episode));
    }
    lines.extend(words.incident(notice));
    lines.join("\n")
}

fn short(words: &Words<'_>, notice: &Notice) -> String {
    let number = if notice.number > 0 { format!("#{} ", notice.number) } else { String::new() };
    let answer = if notice.reason.pages() { format!(" {}", words.short_answer(notice.number)) } else { String::new() };
    format!("{number}{}. {}.{answer}", words.title(notice), words.since(notice))
}

/// The first characters of a text, with a sign where something is missing.
pub(super) fn cut(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    // Three dots are in every alphabet, the sign for them is not in GSM 03.38.
    text.chars().take(characters.saturating_sub(3)).chain("...".chars()).collect()
}

/// The text without diacritics, as it is written in an SMS of 160 characters.
pub fn folded(text: &str) -> String {
    let plain = |c: char| match c {
        '–' | '—' => '-',
        '•' => '*',
        '…' => '.',
        other => other,
    };
    crate::model::folded(text).chars().map(plain).collect()
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
