//! What people read of an agent: on the page of its link, and where it is told why a camera stands as it does.

use super::words::words;
use crate::model::{AgentContact, Camera, Fits, Language, LinkId, Snapshot};

/// What is known of an agent, by name and value; nothing where a link is none.
pub(super) fn facts(snapshot: &Snapshot, link: &LinkId, language: Language) -> Vec<(&'static str, String)> {
    if !snapshot.fleet.is_agent(link) {
        return Vec::new();
    }
    let words = words(language);
    let contact = snapshot.agents.get(link);
    let heard = contact.and_then(|contact| contact.heard);
    let heard = heard.map_or_else(|| words.not_since_the_start.to_owned(), |heard| snapshot.local().time(heard));
    let mut facts = vec![(words.last_heard, heard)];
    let Some(contact) = contact else { return facts };
    facts.push((words.looks_wait, contact.backlog.to_string()));
    if contact.dropped > 0 {
        facts.push((words.looks_given_up, contact.dropped.to_string()));
    }
    let fits = match contact.fits {
        Fits::Same => "",
        Fits::Older => words.is_older,
        Fits::Newer => words.is_newer,
        Fits::Refused => words.is_refused,
    };
    facts.push((words.version, format!("{} {fits}", contact.version).trim_end().to_owned()));
    if let Some(offset) = contact.clock_offset_seconds {
        // A moment to either side is no error, and "-0.0" is nothing to read.
        let offset = if offset.abs() < 0.05 { 0.0 } else { offset };
        facts.push((words.its_clock, AgentContact::clock_off(offset)));
    }
    facts
}

/// Which agent looks at a camera, and how that stands: one sentence.
pub(super) fn sentence(snapshot: &Snapshot, camera: &Camera, language: Language) -> Option<String> {
    let agent = snapshot.fleet.agent_of(camera)?;
    let name = &snapshot.fleet.links.get(&agent)?.name;
    let contact = snapshot.agents.get(&agent);
    let Some((contact, heard)) = contact.and_then(|contact| Some((contact, contact.heard?))) else {
        return Some(language.pick(
            format!("Camera này do {name} (hộp theo dõi) kiểm tra; từ khi khởi động chưa nhận được tin nào của hộp."),
            format!("{name}, an agent, looks at it, and was not heard of since the start."),
        ));
    };
    let (heard, wait) = (snapshot.local().time(heard), contact.backlog);
    Some(language.pick(
        format!(
            "Camera này do {name} (hộp theo dõi) kiểm tra: báo về lần cuối lúc {heard}, còn {wait} kết quả chờ gửi."
        ),
        format!("{name}, an agent, looks at it: last heard of at {heard}, {wait} looks wait to be sent."),
    ))
}
