//! What the facts mean and what is to be done about it, in both languages: pure functions of what was found.

use super::facts::{Disk, Facts, Journal, Port};
use crate::{
    journal::Asked,
    model::{Language, Verdict},
};
use serde::Serialize;

/// Seconds by which a server's clock may be off ours: its times stand beside ours in what people read of it.
const MOST_APART: f64 = 5.0;

/// What is looked at, in the order in which one leans on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Check {
    /// The configuration as a whole.
    Configuration,
    /// The wall clock.
    Clock,
    /// Rights of files.
    Files,
    /// Room where the journal lies.
    Disk,
    /// The journal.
    Journal,
    /// The pages' port.
    Port,
    /// Confinement of the workers.
    Workers,
    /// The way out of the network.
    Gateway,
    /// Names of hosts.
    Names,
    /// Anchors and devices of links.
    Beacons,
    /// Channels.
    Channels,
    /// One camera of each link.
    Cameras,
}

impl Check {
    /// What people call it.
    pub(super) fn text(self, language: Language) -> &'static str {
        match self {
            Self::Configuration => language.pick("cấu hình", "configuration"),
            Self::Clock => language.pick("đồng hồ", "clock"),
            Self::Files => language.pick("quyền tệp", "files"),
            Self::Disk => language.pick("ổ đĩa", "disk"),
            Self::Journal => language.pick("nhật ký", "journal"),
            Self::Port => language.pick("cổng web", "port"),
            Self::Workers => language.pick("tiến trình con", "workers"),
            Self::Gateway => language.pick("đường ra mạng", "gateway"),
            Self::Names => language.pick("phân giải tên", "names"),
            Self::Beacons => language.pick("thiết bị mạng", "beacons"),
            Self::Channels => language.pick("kênh báo", "channels"),
            Self::Cameras => language.pick("camera", "cameras"),
        }
    }
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Weight {
    /// All in order.
    Good,
    /// It works, and could be better or safer.
    Fair,
    /// It does not work.
    Broken,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) check: Check,
    pub(super) weight: Weight,
    pub(super) told: String,
    pub(super) remedy: Option<String>,
}

impl Finding {
    fn good(check: Check, told: impl Into<String>) -> Self {
        Self { check, weight: Weight::Good, told: told.into(), remedy: None }
    }

    fn bad(check: Check, weight: Weight, told: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, weight, told: told.into(), remedy: Some(remedy.into()) }
    }
}

/// Less room than this is none: a WAL alone may take it.
const NO_ROOM: u64 = 100_000_000;
/// A camera's clock may be so far off before ours is asked about, in seconds.
const CLOCK_OFF: f64 = 60.0;

/// What all of it means.
pub(super) fn judge(facts: &Facts, language: Language) -> Vec<Finding> {
    let mut findings = Vec::new();
    let say = |vietnamese: &str, english: &str| language.pick(vietnamese, english).to_owned();
    findings.push(match &facts.problems {
        None => Finding::good(Check::Configuration, say("hợp lệ", "valid")),
        Some(count) => Finding::bad(
            Check::Configuration,
            Weight::Broken,
            language.pick(format!("không dùng được: {count}"), format!("cannot be used: {count}")),
            say("chạy camhealth check để xem từng lỗi", "camhealth check names each of them"),
        ),
    });
    clock(facts, language, &mut findings);
    files(facts, language, &mut findings);
    findings.extend(facts.disk.as_ref().map(|room| disk(room, language)));
    journal(&facts.journal, language, &mut findings);
    findings.extend(facts.listen.as_ref().map(|(address, state)| port(address, state, language)));
    workers(facts, language, &mut findings);
    network(facts, language, &mut findings);
    channels(facts, language, &mut findings);
    cameras(facts, language, &mut findings);
    findings
}

fn clock(facts: &Facts, language: Language, findings: &mut Vec<Finding>) {
    let remedy = language.pick(
        "bật đồng bộ giờ: timedatectl set-ntp true (gói systemd-timesyncd hoặc chrony)",
        "let it follow others: timedatectl set-ntp true (package systemd-timesyncd or chrony)",
    );
    let off = facts.cameras.iter().filter_map(|camera| camera.clock).filter(|offset| offset.abs() > CLOCK_OFF).count();
    let told = facts.cameras.iter().filter(|camera| camera.clock.is_some()).count();
    if let Some(seconds) = facts.clock.behind_journal {
        let told = language.pick(
            format!("chậm hơn lần ghi nhật ký cuối cùng {seconds} giây"),
            format!("{seconds} s behind the last time that the journal was written"),
        );
        findings.push(Finding::bad(Check::Clock, Weight::Broken, told, remedy));
    } else if told > 1 && off == told {
        let told = language.pick("lệch so với mọi camera đã hỏi", "differs from that of every camera that was asked");
        findings.push(Finding::bad(Check::Clock, Weight::Fair, told, remedy));
    } else {
        findings.push(match facts.clock.follows {
            Some(true) => Finding::good(Check::Clock, language.pick("được đồng bộ", "follows others")),
            Some(false) => {
                Finding::bad(Check::Clock, Weight::Fair, language.pick("chưa đồng bộ", "follows nobody"), remedy)
            }
            None => Finding::bad(
                Check::Clock,
                Weight::Fair,
                language.pick("không rõ có đồng bộ không", "whether it follows others cannot be told here"),
                remedy,
            ),
        });
    }
}

fn files(facts: &Facts, language: Language, findings: &mut Vec<Finding>) {
    let others = |bit: u32| facts.files.iter().filter(move |file| file.mode & bit != 0);
    for file in others(0o002) {
        let (path, told) = (file.path.display(), language.pick("ai cũng ghi được", "can be written by anybody"));
        findings.push(Finding::bad(
            Check::Files,
            Weight::Broken,
            format!("{path}: {told}"),
            format!("chmod o-w {path}"),
        ));
    }
    for file in others(0o004).filter(|file| file.mode & 0o002 == 0) {
        let (path, told) = (file.path.display(), language.pick("ai cũng đọc được", "can be read by anybody"));
        findings.push(Finding::bad(Check::Files, Weight::Fair, format!("{path}: {told}"), format!("chmod o-r {path}")));
    }
    if others(0o006).next().is_none() && !facts.files.is_empty() {
        let count = facts.files.len();
        findings.push(Finding::good(
            Check::Files,
            language.pick(format!("{count} tệp, người ngoài không đọc được"), format!("{count}, none open to others")),
        ));
    }
}

fn disk(room: &Disk, language: Language) -> Finding {
    let megabytes = room.free / 1_000_000;
    let folder = room.folder.display();
    let told = language.pick(format!("còn {megabytes} MB ở {folder}"), format!("{megabytes} MB free in {folder}"));
    let remedy =
        language.pick("giải phóng ổ đĩa, hoặc giảm [journal] max_size", "free some of it, or lower [journal] max_size");
    match () {
        () if room.free < NO_ROOM => Finding::bad(Check::Disk, Weight::Broken, told, remedy),
        () if room.free < room.wanted => Finding::bad(Check::Disk, Weight::Fair, told, remedy),
        () => Finding::good(Check::Disk, told),
    }
}

fn journal(journal: &Journal, language: Language, findings: &mut Vec<Finding>) {
    findings.extend(match journal {
        Journal::None => None,
        Journal::New(path) => Some(Finding::good(
            Check::Journal,
            language.pick(
                format!("{} sẽ được tạo khi khởi động", path.display()),
                format!("{} will be made at the start", path.display()),
            ),
        )),
        Journal::There { path, is_open: true, .. } => Some(Finding::bad(
            Check::Journal,
            Weight::Fair,
            language.pick(
                format!("người ngoài đọc được {}", path.display()),
                format!("{} can be read by others", path.display()),
            ),
            format!("chmod 600 {}", path.display()),
        )),
        Journal::There { path, is_held, .. } => {
            let held = language.pick(", dịch vụ đang dùng", ", held by a running daemon");
            let held = if *is_held { held } else { "" };
            Some(Finding::good(Check::Journal, format!("{}{held}", path.display())))
        }
        Journal::Unread { path, why, forbidden } => {
            let remedy = match forbidden {
                true => language.pick(
                    "chạy lại bằng root hoặc bằng người dùng của dịch vụ: sudo camhealth doctor",
                    "ask again as root or as the daemon's user: sudo camhealth doctor",
                ),
                false => language.pick(
                    "camhealth journal check; nếu hỏng: khởi động lại dịch vụ hoặc camhealth restore",
                    "camhealth journal check; if it is damaged, restart the daemon or camhealth restore",
                ),
            };
            Some(Finding::bad(Check::Journal, Weight::Broken, format!("{}: {why}", path.display()), remedy))
        }
        Journal::Server { told, asked } => Some(server(told, asked, language)),
    });
}

fn server(told: &str, asked: &Result<Asked, String>, language: Language) -> Finding {
    let fair = |what: String, remedy: &str| Finding::bad(Check::Journal, Weight::Fair, what, remedy);
    match asked {
        Err(why) => Finding::bad(
            Check::Journal,
            Weight::Broken,
            format!("{told}: {why}"),
            language.pick("xem [journal] url và máy chủ PostgreSQL", "see [journal] url, and the PostgreSQL server"),
        ),
        Ok(asked) if asked.ahead.abs() > MOST_APART => fair(
            language.pick(
                format!("đồng hồ của {told} lệch {:+.0} s so với máy này", asked.ahead),
                format!("the clock of {told} is {:+.0} s off this machine's", asked.ahead),
            ),
            language.pick("đồng bộ giờ cho cả hai (chrony)", "let both follow the same time (chrony)"),
        ),
        Ok(Asked { has_sums: false, .. }) => fair(
            language.pick(
                format!("{told} không nhận ra trang dữ liệu bị hỏng (data_checksums = off)"),
                format!("{told} does not tell damaged pages (data_checksums = off)"),
            ),
            language
                .pick("dừng PostgreSQL rồi chạy pg_checksums --enable", "stop PostgreSQL, and pg_checksums --enable"),
        ),
        Ok(Asked { is_there: false, .. }) => Finding::good(
            Check::Journal,
            language.pick(format!("{told} sẽ được tạo khi khởi động"), format!("{told} will be made at the start")),
        ),
        Ok(Asked { is_held, .. }) => {
            let held = language.pick(", dịch vụ đang dùng", ", held by a running daemon");
            Finding::good(Check::Journal, format!("{told}{}", if *is_held { held } else { "" }))
        }
    }
}

fn port(address: &str, state: &Port, language: Language) -> Finding {
    match state {
        Port::Free => {
            Finding::good(Check::Port, language.pick(format!("{address} còn trống"), format!("{address} is free")))
        }
        Port::Ours => Finding::good(
            Check::Port,
            language.pick(format!("{address} do dịch vụ đang chạy giữ"), format!("{address} is the running daemon's")),
        ),
        Port::Taken(why) => Finding::bad(
            Check::Port,
            Weight::Broken,
            format!("{address}: {why}"),
            language.pick(
                "tìm chương trình đang giữ cổng (ss -ltnp), hoặc sửa [web] listen",
                "see who holds it (ss -ltnp), or change [web] listen",
            ),
        ),
    }
}

fn workers(facts: &Facts, language: Language, findings: &mut Vec<Finding>) {
    if !facts.workers.were_asked {
        return;
    }
    let missing = facts.workers.missing.join(", ");
    findings.push(match missing.is_empty() {
        true => Finding::good(Check::Workers, language.pick("được cách ly đầy đủ", "confined by every layer")),
        false => Finding::bad(
            Check::Workers,
            Weight::Fair,
            language.pick(format!("thiếu lớp cách ly: {missing}"), format!("not confined by {missing}")),
            language.pick("nâng cấp nhân Linux lên 6.12 trở lên", "use Linux 6.12 or later, with Landlock and seccomp"),
        ),
    });
}

fn network(facts: &Facts, language: Language, findings: &mut Vec<Finding>) {
    if facts.icmp.is_needed && facts.icmp.is_refused {
        let told = language.pick("người dùng này không gửi được ICMP (ping)", "this user may not send ICMP (pings)");
        let remedy = "sysctl -w net.ipv4.ping_group_range='0 2147483647'";
        findings.push(Finding::bad(Check::Beacons, Weight::Broken, told, remedy));
    }
    let gateway = &facts.gateway;
    match (gateway.address, gateway.answers) {
        (Some(address), Some(true)) => findings.push(Finding::good(
            Check::Gateway,
            language.pick(format!("{address} trả lời"), format!("{address} answers")),
        )),
        // Some answer no pings: that alone is no fault.
        (Some(address), _) => findings.push(Finding::bad(
            Check::Gateway,
            Weight::Fair,
            language.pick(format!("{address} không trả lời ping"), format!("{address} answers no ping")),
            language.pick(
                "kiểm tra cáp mạng và thiết bị định tuyến; có thiết bị không bao giờ trả lời ping",
                "look at the cable and the router; some never answer pings",
            ),
        )),
        (None, _) if gateway.is_needed => findings.push(Finding::bad(
            Check::Gateway,
            Weight::Fair,
            language.pick("không có tuyến mặc định", "there is no default route"),
            language.pick(
                "ip route: camera và kênh báo ngoài mạng này sẽ không tới được",
                "ip route: cameras and channels outside of this network are out of reach",
            ),
        )),
        (None, _) => {}
    }
    let lost = facts.names.iter().filter_map(|(name, why)| why.as_ref().map(|why| (name, why)));
    findings.extend(lost.map(|(name, why)| {
        Finding::bad(
            Check::Names,
            Weight::Broken,
            format!("{name}: {why}"),
            language.pick(
                "sửa tên trong cấu hình, hoặc kiểm tra DNS (/etc/resolv.conf, /etc/hosts)",
                "correct the name, or see to the DNS (/etc/resolv.conf, /etc/hosts)",
            ),
        )
    }));
    if !facts.names.is_empty() && facts.names.iter().all(|(_, why)| why.is_none()) {
        let count = facts.names.len();
        let told = language.pick(format!("tìm được cả {count} tên"), format!("all {count} are found"));
        findings.push(Finding::good(Check::Names, told));
    }
    for (beacon, answers) in &facts.beacons {
        findings.push(match answers {
            Some(true) => {
                Finding::good(Check::Beacons, language.pick(format!("{beacon} trả lời"), format!("{beacon} answers")))
            }
            Some(false) => Finding::bad(
                Check::Beacons,
                Weight::Broken,
                language.pick(format!("{beacon} không trả lời"), format!("{beacon} does not answer")),
                language
                    .pick("kiểm tra địa chỉ, nguồn điện và cáp của thiết bị", "look at its address, power and cable"),
            ),
            None => Finding::bad(
                Check::Beacons,
                Weight::Fair,
                language
                    .pick(format!("{beacon}: máy này không hỏi được"), format!("{beacon}: this machine cannot ask")),
                match beacon.starts_with("wireguard://") {
                    true => language.pick(
                        "cài wireguard-tools; người dùng camhealth cần CAP_NET_ADMIN (docs/installation.md); xem tên giao diện và khóa",
                        "install wireguard-tools; camhealth's user needs CAP_NET_ADMIN (docs/installation.md); look at interface and key",
                    ),
                    false => language.pick("xem dòng về ICMP ở trên", "see what is said of ICMP above"),
                },
            ),
        });
    }
}

fn channels(facts: &Facts, language: Language, findings: &mut Vec<Finding>) {
    for channel in &facts.channels {
        let (id, place) = (&channel.id, &channel.place);
        findings.push(match &channel.trouble {
            None => Finding::good(
                Check::Channels,
                language.pick(format!("{id}: tới được {place}"), format!("{id}: {place} can be reached")),
            ),
            Some(why) => Finding::bad(
                Check::Channels,
                Weight::Broken,
                format!("{id}: {place}: {why}"),
                language.pick(
                    "kiểm tra địa chỉ và tường lửa; gửi thử bằng camhealth oncall --test NGƯỜI",
                    "see to its address and to firewalls; camhealth oncall --test PERSON sends a test message",
                ),
            ),
        });
    }
}

fn cameras(facts: &Facts, language: Language, findings: &mut Vec<Finding>) {
    for camera in &facts.cameras {
        let link = camera.link.as_ref().map_or_else(String::new, |link| format!(" ({link})"));
        let told = camera.cause.map_or(language.pick("tốt", "well"), |cause| cause.text(language));
        let told = format!("{}{link}: {told}", camera.id);
        let weight = match camera.verdict {
            Verdict::Up => Weight::Good,
            Verdict::Degraded | Verdict::Unproven => Weight::Fair,
            Verdict::Down => Weight::Broken,
        };
        let remedy = camera.cause.map(|cause| cause.remedy(language).to_owned());
        findings.push(Finding { check: Check::Cameras, weight, told, remedy });
    }
}
