//! What a camera's entry says beyond its address: its stream's promise, its device's identity, its owner's hours.

use super::entry::Entry;
use crate::model::{Certificate, Codec, DailyHours, Identity, Promise};
use std::time::Duration;
use url::Url;

/// `[camera.promise]`, all of it optional.
pub(super) fn promise(entry: &Entry<'_>) -> Promise {
    let Some(table) = entry.child("promise") else { return Promise::default() };
    // Nobody can promise what has no name.
    let codecs: Vec<_> = Codec::NAMES.into_iter().filter(|(_, codec)| *codec != Codec::Other).collect();
    let promise = Promise {
        codec: table.word("codec", &codecs),
        size: size(&table),
        fps: table.positive("fps", 15),
        bytes_per_second: table.positive("kilobits_per_second", 256).map(|kilobits| kilobits * 125.0),
        keyframe_interval: table
            .duration("keyframe_interval", Duration::from_millis(100)..=Duration::from_secs(600))
            .map(|interval| interval.value),
    };
    table.refuse_unread();
    promise
}

fn size(table: &Entry<'_>) -> Option<(u32, u32)> {
    let text = table.text("size")?;
    let parsed = text.value.split_once(['x', '×']).and_then(|(width, height)| {
        Some((width.trim().parse().ok()?, height.trim().parse().ok()?)).filter(|(w, h): &(u32, u32)| *w > 0 && *h > 0)
    });
    if parsed.is_none() {
        let message = format!("{} is no size in pixels", table.quoted(&text));
        table.problem("size", text.span, message, "write size = \"640x360\"");
    }
    parsed
}

/// `serial`, `endpoint` and `mac`.
pub(super) fn identity(entry: &Entry<'_>) -> Identity {
    let text = |key| entry.text(key).map(|text| text.value);
    Identity { serial: text("serial"), endpoint: text("endpoint"), mac: mac(entry) }
}

fn mac(entry: &Entry<'_>) -> Option<String> {
    let text = entry.text("mac")?;
    let rest_is_separators = text.value.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '-' | '.'));
    let mac = Identity::mac_from(&text.value).filter(|_| rest_is_separators);
    if mac.is_none() {
        let remedy = "write mac = \"00:11:22:33:44:55\"";
        let message = format!("{} is no hardware address", entry.quoted(&text));
        entry.problem("mac", text.span, message, remedy);
    }
    mac
}

/// `certificate`, which an address of `rtsps://` wants and no other takes.
pub(super) fn certificate(entry: &Entry<'_>, rtsp: Option<&Url>) -> Option<Certificate> {
    const REMEDY: &str = "write certificate = \"sha256:…\" with the fingerprint that camhealth probe shows, or \"any\"";
    let encrypted = rtsp?.scheme() == "rtsps";
    let Some(text) = entry.text("certificate") else {
        if encrypted && !entry.has("certificate") {
            entry.problem("certificate", entry.span(), "is missing: rtsps:// names no camera by itself".into(), REMEDY);
        }
        return None;
    };
    if !encrypted {
        let message = "is for rtsps:// only, and this address is rtsp://".to_owned();
        entry.problem("certificate", text.span, message, "leave it out, or write rtsp = \"rtsps://…\"");
        return None;
    }
    let parsed = text.value.parse();
    if parsed.is_err() {
        let message = format!("{} is no fingerprint", entry.quoted(&text));
        entry.problem("certificate", text.span, message, REMEDY);
    }
    parsed.ok()
}

/// `off_hours = ["22:00-05:00"]`.
pub(super) fn off_hours(entry: &Entry<'_>) -> Vec<DailyHours> {
    let mut hours = Vec::new();
    for text in entry.texts("off_hours") {
        match text.value.parse() {
            Ok(span) => hours.push(span),
            Err(()) => {
                let message = format!("{} is no span of a day", entry.quoted(&text));
                entry.problem("off_hours", text.span, message, "write off_hours = [\"22:00-05:00\"]");
            }
        }
    }
    hours
}
