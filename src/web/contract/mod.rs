//! How incidents stand under the contract: a part of each one's page, and a page of all that are open.

mod part;
#[cfg(test)]
mod tests;
mod whole;

pub(super) use part::{Part, at_a_glance, part};
pub(super) use whole::main;

use crate::{
    model::{Language, Snapshot, worded},
    uptime::{Clock, Deadline, Reckoned, Stand},
};

worded!(Reckoned::text {
    Counted => "tính vào thời hạn", "counts";
    OutOfHours => "ngoài giờ đã thỏa thuận", "outside the agreed hours";
    Unseen => "không xác định được", "it cannot be said";
    Others => "do đường truyền hoặc điện của bên khác", "others' lines or power";
    Maintenance => "bảo trì có kế hoạch", "planned maintenance";
    Milder => "mất ít hơn mức này", "less was lost than this level";
    Seen => "đã thấy lại, chờ ổn định", "seen again, while that must last";
    MonitorDown => "máy giám sát không chạy", "the monitor did not run";
});

worded!(Stand::text {
    Running => "đang tính", "running";
    Paused => "tạm dừng", "paused";
    Kept => "✓ đúng hạn", "✓ kept";
    Missed => "✗ quá hạn", "✗ missed";
    Merged => "tính theo sự cố chung", "counts with the whole incident";
});

/// How a deadline stands, in a few words: when it ends, what stops it, since when it is overdue.
fn stands(snapshot: &Snapshot, clock: &Clock, deadline: &Deadline, language: Language) -> String {
    let at = deadline.at.map(|at| snapshot.local().short(at));
    let word = deadline.stands.text(language);
    match (deadline.stands, at) {
        (Stand::Running, Some(at)) => format!("{} {at}", language.pick("hết hạn lúc", "due at")),
        (Stand::Missed, Some(at)) => format!("{word} {} {at}", language.pick("từ", "since")),
        (Stand::Kept, Some(at)) => format!("{word} {} {at}", language.pick("lúc", "at")),
        (Stand::Paused, _) => match clock.now() {
            Some(why) => format!("{word}: {}", why.text(language)),
            None => word.to_owned(),
        },
        (_, _) => word.to_owned(),
    }
}

/// How it is coloured.
fn class(deadline: &Deadline) -> &'static str {
    match deadline.stands {
        Stand::Missed => "bad",
        Stand::Kept => "good",
        Stand::Paused | Stand::Merged => "quiet",
        // A quarter is left of it.
        Stand::Running if deadline.left_seconds() * 4 <= deadline.allowed_seconds => "fair",
        Stand::Running => "news",
    }
}
