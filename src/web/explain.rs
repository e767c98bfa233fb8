//! Why a camera stands where it stands: the verdict's reasoning step by step, the last looks, the next one and its
//! budgets. The page, the JSON and `camhealth explain` all show this.

use super::{agent_facts, page::rungs};
use crate::model::{
    Budget, Camera, CameraStatus, Check, DeviceFacts, FailureKind, Held, Hour, Language, NextLook, Observer, Snapshot,
    State, StreamFacts, Strength, ToldLook, ToldRung, elapsed,
};
use jiff::Timestamp;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use utoipa::ToSchema;

/// Everything that is known of one camera, in one language. Holds no login and no path of a stream: some makes carry
/// the password in it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Explanation {
    pub(super) id: String,
    /// Its name; that of a household camera is its id.
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) device: String,
    /// Host and port of its stream; not told of a household's.
    pub(super) host: Option<String>,
    pub(super) link: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub(super) at: Timestamp,
    /// In which people are shown times: an IANA name.
    pub(super) timezone: String,
    pub(super) state: State,
    pub(super) state_text: &'static str,
    pub(super) cause: Option<FailureKind>,
    pub(super) cause_text: Option<&'static str>,
    pub(super) detail: String,
    #[schema(value_type = String, format = DateTime)]
    pub(super) since: Timestamp,
    /// What to do about it.
    pub(super) remedy: Option<&'static str>,
    /// The verdict step by step, for people.
    pub(super) reasoning: Vec<String>,
    pub(super) next: Option<NextLook>,
    pub(super) next_text: String,
    pub(super) held: Option<Held>,
    pub(super) bytes_budget: Option<Budget>,
    pub(super) looks_budget: Option<Budget>,
    pub(super) bytes_received: u64,
    pub(super) stream: Option<StreamFacts>,
    pub(super) device_facts: Option<DeviceFacts>,
    pub(super) clock_offset_seconds: Option<f64>,
    /// What last proved that it sends, since the daemon runs.
    pub(super) proof: Option<ToldProof>,
    pub(super) usual_at_this_hour: Option<Hour>,
    /// The steps of the last look of each depth.
    pub(super) last: BTreeMap<Check, Steps>,
    /// The last looks, newest first.
    pub(super) recent: Vec<ToldLook>,
}

/// One look with its steps.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Steps {
    #[schema(value_type = String, format = DateTime)]
    pub(super) started: Timestamp,
    pub(super) seconds: f64,
    pub(super) failure: Option<FailureKind>,
    pub(super) rungs: Vec<ToldRung>,
}

/// What last proved that a camera sends.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ToldProof {
    /// When, by the daemon's clock.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// By how many seconds it may be later than that.
    error_seconds: f64,
    /// Who saw it: daemon, agent or source.
    observer: &'static str,
    /// The link that an agent or a source is.
    link: Option<String>,
    /// How strong it is.
    strength: Strength,
    /// All of it for people.
    pub(super) text: String,
}

/// What a camera's people ask; `None` when there is no such camera.
pub(super) fn explain(snapshot: &Snapshot, id: &str, language: Language) -> Option<Explanation> {
    let camera = snapshot.fleet.cameras.get(id)?;
    let status = snapshot.cameras.get(id)?;
    let outlook = snapshot.outlooks.cameras.get(id);
    let tell = Tell { snapshot, camera, status, language };
    let link = camera.link.as_ref().and_then(|link| snapshot.fleet.links.get(link));
    let steps = |check: &Check| {
        let last = status.last.get(check)?;
        let (started, seconds) = (last.started, last.took.as_secs_f64());
        Some((*check, Steps { started, seconds, failure: last.failure, rungs: rungs(camera, &last.rungs, language) }))
    };
    Some(Explanation {
        id: camera.id.to_string(),
        name: camera.public_name().to_owned(),
        kind: camera.kind.as_str(),
        device: camera.device.to_string(),
        host: camera.public_host(),
        link: link.map(|link| link.name.clone()),
        at: snapshot.at,
        timezone: snapshot.fleet.commune.timezone.iana_name().unwrap_or("Asia/Ho_Chi_Minh").to_owned(),
        state: status.state,
        state_text: status.state.text(language),
        cause: status.cause,
        cause_text: status.cause.map(|cause| cause.text(language)),
        detail: camera.told(&status.detail, language),
        since: status.since,
        remedy: status.cause.map(|cause| cause.remedy(language)),
        reasoning: tell.reasoning().iter().map(|line| camera.discreet(line)).collect(),
        next: outlook.and_then(|outlook| outlook.next),
        next_text: tell.next(),
        held: outlook.and_then(|outlook| outlook.held),
        bytes_budget: outlook.map(|outlook| outlook.bytes),
        looks_budget: outlook.map(|outlook| outlook.looks),
        bytes_received: status.bytes,
        stream: status.stream_at(snapshot.at),
        device_facts: status.device.as_deref().map(|facts| discreet_facts(camera, facts)),
        clock_offset_seconds: status.clock_offset_at(snapshot.at),
        proof: status.proof.as_ref().map(|proof| ToldProof {
            at: proof.at,
            error_seconds: proof.error.as_secs_f64(),
            observer: proof.by.as_str(),
            link: proof.by.link().map(ToString::to_string),
            strength: proof.strength,
            text: agent_facts::proof(snapshot, proof, language),
        }),
        usual_at_this_hour: status.memory.baseline.hour(snapshot.at),
        last: Check::ALL.iter().filter_map(steps).collect(),
        recent: status.recent.iter().map(|seen| seen.told(|detail| camera.told(detail, language))).collect(),
    })
}

fn discreet_facts(camera: &Camera, facts: &DeviceFacts) -> DeviceFacts {
    DeviceFacts { streams: facts.streams.iter().map(|stream| camera.discreet(stream)).collect(), ..facts.clone() }
}

struct Tell<'a> {
    snapshot: &'a Snapshot,
    camera: &'a Camera,
    status: &'a CameraStatus,
    language: Language,
}

impl Tell<'_> {
    fn time(&self, at: Timestamp) -> String {
        self.snapshot.local().time(at)
    }

    fn reasoning(&self) -> Vec<String> {
        let mut lines = vec![self.verdict()];
        lines.extend(agent_facts::sentence(self.snapshot, self.camera, self.status, self.language));
        lines.extend(self.counts());
        lines.extend(self.witnesses());
        lines.extend(self.neighbours());
        lines.extend(self.incidents());
        lines
    }

    /// Where it stands, and what would change that.
    fn verdict(&self) -> String {
        let status = self.status;
        let since = self.time(status.since);
        let cause = status.cause.map_or("", |cause| cause.text(self.language));
        let Some(reasons) = &status.reasoning else {
            return self
                .language
                .pick("Chưa kiểm tra lần nào từ khi khởi động.".into(), "Not looked at since the start.".into());
        };
        let (bad, good) = (reasons.bad_needed, reasons.good_needed);
        let detail = status.detail.text(self.language);
        match status.state {
            State::Up => {
                let proven = reasons.proven.unwrap_or(status.since);
                let until = self.time(crate::model::later(proven, reasons.stale_after));
                let proven = self.time(proven);
                if let Some(proof) = self.camera.weaker_proof() {
                    let proof = proof.text(self.language);
                    return self.language.pick(
                        format!("Hoạt động từ {since}, theo {proof} lúc {proven}, còn tin được đến {until}; {bad} lần báo hỏng liên tiếp thì kết luận hỏng."),
                        format!("Up since {since}, by {proof} at {proven}, which is believed until {until}; if it is said {bad} times in a row that it does not work, it is down."),
                    );
                }
                self.language.pick(
                    format!("Hoạt động từ {since}: hình về lúc {proven}, còn tin được đến {until}; {bad} lần hỏng liên tiếp thì kết luận hỏng."),
                    format!("Up since {since}: video arrived at {proven}, which proves it until {until}; {bad} failed looks in a row would make it down."),
                )
            }
            State::Degraded => self.language.pick(
                format!("Suy giảm từ {since}: hình vẫn về, nhưng {cause}; {good} lần tốt liên tiếp thì hết."),
                format!("Degraded since {since}: video arrives, but {cause}; {good} good looks in a row would end it."),
            ),
            State::Down => self.language.pick(
                format!("Hỏng từ {since}: đủ {bad} lần kiểm tra hỏng liên tiếp ({cause}); cần {good} lần tốt liên tiếp, có hình, để hoạt động lại."),
                format!("Down since {since}: {bad} failed looks in a row ({cause}); {good} good ones in a row, with video, would end it."),
            ),
            State::Unknown if status.cause.is_some_and(FailureKind::refuses_login) => self.language.pick(
                format!("Chưa rõ từ {since}: {cause}. Không đăng nhập được thì không biết còn hình hay không; đây không phải báo động."),
                format!("Unknown since {since}: {cause}. Without a login nothing can be said of the picture; nobody is alarmed."),
            ),
            State::Unknown if status.cause.is_some() => self.language.pick(
                format!("Chưa rõ từ {since}: {cause}, nên chưa chứng minh được là còn hình."),
                format!("Unknown since {since}: {cause}, so it is not proven that video still comes."),
            ),
            State::Unknown => self.language.pick(
                format!("Chưa rõ từ {since}: chưa có bằng chứng mới trong {}.", minutes(reasons.stale_after, self.language)),
                format!("Unknown since {since}: no proof within {}.", minutes(reasons.stale_after, self.language)),
            ),
            State::Unreachable => self.language.pick(
                format!("Không tới được từ {since}: {}.", self.behind()),
                format!("Unreachable since {since}: {}.", self.behind()),
            ),
            State::Maintenance => self.language.pick(
                format!("Bảo trì từ {since}: {}. Báo động được giữ lại, thời gian này không tính vào thời gian hoạt động.", detail),
                format!("In maintenance since {since}: {}. Alerts are kept back and this time counts as neither up nor down.", detail),
            ),
            State::Off if !self.status.detail.is_empty() => self.language.pick(
                format!("Không kết nối từ {since}: {detail}."),
                format!("Not contacted since {since}: {detail}."),
            ),
            State::Off => self.language.pick(
                format!("Ngoài giờ từ {since}: chủ hộ không muốn kết nối vào giờ này."),
                format!("Off since {since}: its owner wants no contact at this hour."),
            ),
        }
    }

    /// The open incidents of the sites that it sees, and how they stand.
    fn incidents(&self) -> Vec<String> {
        let sites = self.snapshot.fleet.sites.values().filter(|site| site.is_watched_by(&self.camera.id));
        let ids: BTreeSet<_> = sites.filter_map(|site| self.snapshot.sites.get(&site.id)?.incident.as_ref()).collect();
        let open = self.snapshot.open_incidents().filter(|incident| ids.contains(&incident.id));
        let line = |incident: &std::sync::Arc<crate::model::Incident>| {
            let (number, place) = (incident.number, self.snapshot.place(&incident.cause));
            let course = self.snapshot.course_text(self.snapshot.course(incident), self.language);
            self.language.pick(
                format!("Sự cố #{number} ({place}): {course}."),
                format!("Incident #{number} ({place}): {course}."),
            )
        };
        open.map(line).collect()
    }

    /// Which link keeps it out of reach.
    fn behind(&self) -> String {
        let links = self.snapshot.fleet.links_above(self.camera);
        let down = links
            .iter()
            .rev()
            .find(|id| self.snapshot.links.get(*id).is_some_and(|link| link.state == crate::model::LinkState::Down));
        match down.and_then(|id| self.snapshot.fleet.links.get(id)) {
            Some(link) => self.language.pick(format!("{} mất kết nối", link.name), format!("{} is down", link.name)),
            None => self.language.pick("mạng ở trên mất kết nối".into(), "the network above it is down".into()),
        }
    }

    /// What is being counted towards a change.
    fn counts(&self) -> Vec<String> {
        let Some(reasons) = &self.status.reasoning else { return Vec::new() };
        let mut lines = Vec::new();
        if reasons.bad > 0 && self.status.state != State::Down {
            let kind = reasons.bad_kind.map_or("", |kind| kind.text(self.language));
            let (bad, needed) = (reasons.bad, reasons.bad_needed);
            lines.push(self.language.pick(
                format!("Đang đếm: {bad}/{needed} lần hỏng liên tiếp ({kind})."),
                format!("Counting: {bad} of {needed} failed looks in a row ({kind})."),
            ));
        }
        if reasons.good > 0 && self.status.state == State::Down {
            let (good, needed) = (reasons.good, reasons.good_needed);
            lines.push(self.language.pick(
                format!("Đang đếm: {good}/{needed} lần tốt liên tiếp."),
                format!("Counting: {good} of {needed} good looks in a row."),
            ));
        }
        if let Some((kind, length)) = reasons.shade {
            let needed = reasons.good_needed;
            let kind = kind.map_or(State::Up.text(self.language), |kind| kind.text(self.language));
            lines.push(self.language.pick(
                format!("Đang đếm: {length}/{needed} lần liên tiếp cho \"{kind}\"."),
                format!("Counting: {length} of {needed} in a row for \"{kind}\"."),
            ));
        }
        lines
    }

    /// What is known from looks that are made seldom, and what the present is measured by.
    fn witnesses(&self) -> Vec<String> {
        let memory = &self.status.memory;
        let mut lines = Vec::new();
        let named = [("khảo sát dài", "long look", &memory.survey), ("ONVIF", "ONVIF", &memory.onvif)];
        for (vietnamese, english, opinion) in named {
            if let Some(failure) = &opinion.told {
                let (text, detail) = (failure.kind.text(self.language), failure.detail.text(self.language));
                lines.push(self.language.pick(
                    format!("Theo {vietnamese}: {text} ({detail})."),
                    format!("By {english}: {text} ({detail})."),
                ));
            }
        }
        if let Some(usual) = memory.baseline.hour(self.snapshot.at) {
            let (fps, rate) = (usual.fps, usual.bytes_per_second * 8.0 / 1000.0);
            let (size, looks) = (usual.delta_frame_bytes, usual.looks);
            lines.push(self.language.pick(
                format!("Thường giờ này: {fps:.1} hình/giây, {rate:.0} kbit/s, {size:.0} byte mỗi khung giữa hai khung chính (từ {looks} lần)."),
                format!("Usual at this hour: {fps:.1} frames/s, {rate:.0} kbit/s, {size:.0} bytes a frame between keyframes (from {looks} looks)."),
            ));
        }
        if let Some(outlook) = self.snapshot.outlooks.cameras.get(&self.camera.id)
            && outlook.rtsp_strikes + outlook.onvif_strikes > 0
        {
            let (rtsp, onvif) = (outlook.rtsp_strikes, outlook.onvif_strikes);
            lines.push(self.language.pick(
                format!("Đăng nhập bị từ chối: RTSP {rtsp}/2, ONVIF {onvif}/2; đủ 2 lần thì chỉ thử lại khi cấu hình thay đổi."),
                format!("Logins rejected: RTSP {rtsp} of 2, ONVIF {onvif} of 2; after 2 only a changed configuration is tried."),
            ));
        }
        lines
    }

    /// What else hangs on the same link, when this camera is not well: a shared cause looks like this.
    fn neighbours(&self) -> Option<String> {
        let link = self.camera.link.as_ref().filter(|_| !self.status.state.sees())?;
        let others = self.snapshot.fleet.cameras.values().filter(|other| other.link.as_ref() == Some(link));
        let states: Vec<State> = others.filter_map(|other| Some(self.snapshot.cameras.get(&other.id)?.state)).collect();
        let down = states.iter().filter(|state| state.is_lost()).count();
        let (name, all) = (&self.snapshot.fleet.links.get(link)?.name, states.len());
        (all > 1).then(|| {
            self.language.pick(
                format!("Cùng đường truyền {name}: {down}/{all} camera hỏng."),
                format!("On the same link, {name}: {down} of {all} cameras are down."),
            )
        })
    }

    fn next(&self) -> String {
        match self.snapshot.fleet.observer_of(self.camera) {
            Observer::Daemon => {}
            Observer::Agent(_) => {
                return self.language.pick("do hộp theo dõi tự lên lịch".into(), "the agent plans it".into());
            }
            Observer::Source(_) => {
                return self.language.pick("không kiểm tra trực tiếp".into(), "none: it is not looked at".into());
            }
        }
        let Some(outlook) = self.snapshot.outlooks.cameras.get(&self.camera.id) else { return String::new() };
        let held = outlook.held.map(|held| held.text(self.language));
        let next = outlook.next.map(|next| {
            let wait = elapsed(next.at, self.snapshot.at).as_secs();
            let (check, at) = (next.check.text(self.language), self.time(next.at));
            self.language.pick(format!("{check} lúc {at} (sau {wait} giây)"), format!("{check} at {at} (in {wait} s)"))
        });
        let looking = outlook.looking.then(|| self.language.pick("đang kiểm tra".into(), "a look is under way".into()));
        let parts: Vec<String> = looking.into_iter().chain(next).chain(held.map(str::to_owned)).collect();
        if parts.is_empty() {
            return self.language.pick("không có lần nào được lên lịch".into(), "none is planned".into());
        }
        parts.join("; ")
    }
}

fn minutes(length: Duration, language: Language) -> String {
    let minutes = length.as_secs() / 60;
    language.pick(format!("{minutes} phút"), format!("{minutes} min"))
}
