//! A camera as an entry of `cameras-*.toml`, and ids made from Vietnamese names.

use std::fmt::Write;
use unicode_normalization::UnicodeNormalization;

/// What a new entry says; what is empty is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewCamera {
    /// Id: a to z, digits, `-`, `_`, `.`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// `public` or `household`; a guess is marked in the entry.
    pub kind: Option<&'static str>,
    /// Day of the owner's consent, `2026-03-01`.
    pub consent: String,
    /// Address of its stream, without a login.
    pub rtsp: String,
    /// ONVIF device service.
    pub onvif: String,
    /// Name of a login in the configuration.
    pub login: String,
    /// Id of a link in the configuration.
    pub link: String,
    /// Id of an area in the configuration.
    pub area: String,
    /// Id of a recorder in the configuration.
    pub device: String,
    /// Serial number.
    pub serial: String,
    /// WS-Discovery endpoint reference.
    pub endpoint: String,
    /// Hardware address.
    pub mac: String,
    /// The owner's hours, such as `22:00-05:00`.
    pub off_hours: Vec<String>,
    /// Said above the entry, for whoever edits it.
    pub remark: String,
}

/// Entries as TOML, in order.
pub fn write<'c>(cameras: impl IntoIterator<Item = &'c NewCamera>) -> String {
    let mut text = String::new();
    for camera in cameras {
        for line in camera.remark.lines() {
            let _ = writeln!(text, "# {}", printable(line));
        }
        text.push_str("[[camera]]\n");
        let mut pair = |key: &str, value: &str| {
            if !value.is_empty() {
                let _ = writeln!(text, "{key} = {}", quoted(value));
            }
        };
        pair("id", &camera.id);
        pair("name", &camera.name);
        pair("kind", camera.kind.unwrap_or_default());
        pair("consent", &camera.consent);
        pair("rtsp", &camera.rtsp);
        pair("onvif", &camera.onvif);
        pair("login", &camera.login);
        pair("link", &camera.link);
        pair("area", &camera.area);
        pair("device", &camera.device);
        pair("serial", &camera.serial);
        pair("endpoint", &camera.endpoint);
        pair("mac", &camera.mac);
        if !camera.off_hours.is_empty() {
            let hours: Vec<String> = camera.off_hours.iter().map(|hours| quoted(hours)).collect();
            let _ = writeln!(text, "off_hours = [{}]", hours.join(", "));
        }
        text.push('\n');
    }
    text
}

/// Text as TOML, on one line.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(printable(text)).to_string()
}

/// What devices say of themselves ends in files and terminals.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// An id from a name: `Ngã tư Chợ, về phía cảng` gives `nga-tu-cho-ve-phia-cang`.
pub fn id_from(name: &str) -> String {
    let mut id = String::new();
    // Marks are taken off their letters; đ has no mark, it is a letter of its own.
    for c in name.to_lowercase().replace('đ', "d").nfd() {
        if c.is_ascii_alphanumeric() {
            id.push(c);
        } else if !unicode_normalization::char::is_combining_mark(c) && !id.ends_with('-') && !id.is_empty() {
            id.push('-');
        }
    }
    let id: String = id.trim_matches('-').chars().take(48).collect();
    id.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vietnamese_names_become_ids() {
        assert_eq!(id_from("Ngã tư Chợ, về phía cảng"), "nga-tu-cho-ve-phia-cang");
        assert_eq!(id_from("  Đường Đồng Khởi – số 7 "), "duong-dong-khoi-so-7");
        assert_eq!(id_from("…"), "");
    }

    #[test]
    fn an_entry_is_toml_whatever_a_device_calls_itself() {
        let camera = NewCamera {
            id: "a".into(),
            name: "quote \" and \u{7} bell".into(),
            remark: "first\nkind = \"x\"".into(),
            off_hours: vec!["22:00-05:00".into()],
            ..NewCamera::default()
        };
        let text = write([&camera]);
        let parsed: toml::Table = text.parse().expect("TOML");
        let entry = &parsed["camera"][0];
        assert_eq!(entry["name"].as_str(), Some("quote \" and   bell"));
        assert_eq!(entry["off_hours"][0].as_str(), Some("22:00-05:00"));
        assert!(entry.get("kind").is_none() && text.starts_with("# first\n# kind"));
    }
}
