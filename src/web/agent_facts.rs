//! What people read of whoever sees cameras for us, an agent or a source: on the page of its link, and where it is told why a
//! camera stands as it does.

use super::words::words;
use crate::model::{AgentContact, Camera, CameraStatus, Claim, Fits, Language, LastProof, LinkId, Observer, Snapshot};

/// What is known of an agent or a source, by name and value; nothing where a link is neither.
pub(super) fn facts(snapshot: &Snapshot, link: &LinkId, language: Language) -> Vec<(&'static str, String)> {
    if !snapshot.fleet.links.get(link).is_some_and(|link| link.kind.observes()) {
        return Vec::new();
    }
    let words = words(language);
    let contact = snapshot.agents.get(link);
    let heard = contact.and_then(|contact| contact.heard);
    let heard = heard.map_or_else(|| words.not_since_the_start.to_owned(), |heard| snapshot.local().time(heard));
    let mut facts = vec![(words.last_heard, heard)];
    let Some(contact) = contact.filter(|_| snapshot.fleet.is_agent(link)) else { return facts };
    facts.push((words.looks_wait, contact.backlog.to_string()));
    if contact.dropped > 0 {
        facts.push((words.looks_given_up, contact.dropped.to_string()));
    }
    if contact.alarms > 0 {
        facts.push((words.alarms_of_its_own, contact.alarms.to_string()));
    }
    let fits = match contact.fits {
        Fits::Same => "",
        Fits::Older => words.is_older,
        Fits::Newer => words.is_newer,
        Fits::Refused => words.is_refused,
    };
    facts.push((words.version, format!("{} {fits}", contact.version).trim_end().to_owned()));
    if let Some(offset) = contact.clock_offset_seconds {
        facts.push((words.its_clock, AgentContact::clock_off(offset)));
    }
    facts
}

/// Who sees a camera in the daemon's place, and how that stands: one sentence.
pub(super) fn sentence(
    snapshot: &Snapshot,
    camera: &Camera,
    status: &CameraStatus,
    language: Language,
) -> Option<String> {
    match snapshot.fleet.observer_of(camera) {
        Observer::Daemon => None,
        Observer::Agent(link) => of_agent(snapshot, &link, language),
        Observer::Source(link) => of_source(snapshot, &link, (camera, status), language),
    }
}

fn of_agent(snapshot: &Snapshot, agent: &LinkId, language: Language) -> Option<String> {
    let name = &snapshot.fleet.links.get(agent)?.name;
    let contact = snapshot.agents.get(agent);
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

fn of_source(
    snapshot: &Snapshot,
    source: &LinkId,
    (camera, status): (&Camera, &CameraStatus),
    language: Language,
) -> Option<String> {
    let name = &snapshot.fleet.links.get(source)?.name;
    let proof = camera.proof.text(language);
    let Some((at, claim)) = status.claim else {
        return Some(language.pick(
            format!("Camera này không được kiểm tra trực tiếp: {name} (nguồn tin) báo thay, mức bằng chứng: {proof}; từ khi khởi động chưa báo gì."),
            format!("It is not looked at: {name}, a source, tells of it, and is believed by {proof}; it has said nothing since the start."),
        ));
    };
    let at = snapshot.local().time(at);
    let said = match claim {
        Claim::Counter(count) => language.pick(format!("số đếm {count}"), format!("a counter of {count}")),
        Claim::Works(true) => language.pick("đang hoạt động".to_owned(), "that it works".to_owned()),
        Claim::Works(false) => language.pick("không hoạt động".to_owned(), "that it does not work".to_owned()),
    };
    Some(language.pick(
        format!("Camera này không được kiểm tra trực tiếp: {name} (nguồn tin) báo thay, mức bằng chứng: {proof}; báo lần cuối lúc {at}: {said}."),
        format!("It is not looked at: {name}, a source, tells of it, and is believed by {proof}; at {at} it last said {said}."),
    ))
}

/// What last proved that a camera sends: how strong that is, when it was, and who saw it.
pub(super) fn proof(snapshot: &Snapshot, proof: &LastProof, language: Language) -> String {
    let mut told = format!("{}, {}", snapshot.local().time(proof.at), proof.strength.text(language));
    let name = proof.by.link().and_then(|link| snapshot.fleet.links.get(link)).map(|link| link.name.as_str());
    if let Some(name) = name {
        told += &format!(" ({name})");
    }
    // Less than a tenth of a second is what a message takes.
    let error = proof.error.as_secs_f64();
    if error >= 0.1 {
        told += &format!(" ±{error:.1} s");
    }
    told
}
