//! A province as people read it on a terminal or a page: its machines, and which commune is where.

use super::settings::Settings;
use crate::model::{Holding, Local, Member, MemberId, Province};
use jiff::{
    Timestamp,
    tz::{TimeZone, offset},
};
use unicode_width::UnicodeWidthStr;

/// All of it, in the province's language and Vietnam's time.
pub fn table(settings: &Settings, province: &Province, now: Timestamp) -> String {
    let language = settings.language;
    let zone = TimeZone::fixed(offset(7));
    let local = Local::new(&zone, now);
    let heads = language.pick(
        ["MÁY", "ĐỊA CHỈ", "TÌNH TRẠNG", "SỐ XÃ", "SỐ CAMERA", "PHIÊN BẢN"],
        ["MACHINE", "ADDRESS", "STATE", "COMMUNES", "CAMERAS", "VERSION"],
    );
    let mut members = vec![heads.map(str::to_owned)];
    for (name, member) in &province.members {
        let (communes, cameras) = province.share(name);
        members.push([
            name.to_string(),
            member.address.to_string(),
            state(member, settings),
            communes.to_string(),
            cameras.to_string(),
            member.version.clone(),
        ]);
    }
    let heads = language.pick(
        ["XÃ", "MÃ", "SỐ CAMERA", "MÁY ĐANG GIỮ", "TỪ LÚC", "GHI CHÚ"],
        ["COMMUNE", "ID", "CAMERAS", "HELD BY", "SINCE", "NOTE"],
    );
    let mut communes = vec![heads.map(str::to_owned)];
    for (id, held) in &province.communes {
        communes.push([
            held.name.clone(),
            id.to_string(),
            held.cameras.to_string(),
            held.holder.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
            held.since.map_or_else(String::new, |since| local.time(since)),
            note(province, held, settings),
        ]);
    }
    format!("{}\n\n{}\n\n{}\n", settings.name, aligned(&members), aligned(&communes))
}

fn state(member: &Member, settings: &Settings) -> String {
    let seconds = member.seen.as_secs();
    let gone = || format!("mất liên lạc {seconds} giây");
    let gone_too = || format!("not seen for {seconds} s");
    let language = settings.language;
    match (member.is_alive, member.is_leaving) {
        (false, _) => language.pick(gone(), gone_too()),
        (true, true) => language.pick("đang bàn giao", "hands over").to_owned(),
        (true, false) => language.pick("đang chạy", "runs").to_owned(),
    }
}

fn note(province: &Province, held: &Holding, settings: &Settings) -> String {
    let language = settings.language;
    let named =
        |vietnamese: &str, english: &str, member: &MemberId| format!("{} {member}", language.pick(vietnamese, english));
    let mut notes = Vec::new();
    if !province.is_held(held) {
        notes.push(language.pick("chưa có máy nào theo dõi", "nobody watches it").to_owned());
    }
    notes.extend(held.next.as_ref().map(|next| named("đang chuyển sang", "goes to", next)));
    notes.extend(held.wish.as_ref().map(|wish| named("ghim ở", "pinned to", wish)));
    notes.extend(held.home.as_ref().map(|home| named("kênh nhắn ở", "has a channel at", home)));
    notes.join(", ")
}

/// Rows with their columns side by side.
pub fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: [usize; N] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].width()).max().unwrap_or_default());
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width())));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
