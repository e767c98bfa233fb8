//! How values stand in columns: times as milliseconds since 1970, everything that has parts as JSON.

use crate::model::{Detail, Phrase};
use jiff::Timestamp;
use serde::Serialize;

/// A time as it is stored; one that no calendar has is 1970.
pub(super) fn time(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A value as it is stored.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data with text keys can always be written as JSON")
}

/// A detail as it is stored: JSON, but for text without a language, which stands as it is.
pub(super) fn detail(detail: &Detail) -> String {
    let text = detail.to_string();
    match detail.is_plain() {
        true if text.starts_with('[') => json(&(Phrase::Plain, text)),
        true => text,
        false => json(detail),
    }
}

/// A detail as it was stored. Earlier versions stored text; whatever cannot be read is text too.
pub(super) fn read_detail(stored: &str) -> Detail {
    let read = stored.starts_with('[').then(|| serde_json::from_str(stored).ok());
    read.flatten().unwrap_or_else(|| Detail::plain(stored))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::told;

    #[test]
    fn details_are_read_as_they_were_meant() {
        for (meant, stored) in [
            (Detail::default(), ""),
            (Detail::plain("không trả lời"), "không trả lời"),
            (Detail::plain("[fd00::1]:554 accepts"), r#"["plain","[fd00::1]:554 accepts"]"#),
            (Detail::plain(r#"["granted"]"#), r#"["plain","[\"granted\"]"]"#),
            (told!(Granted), r#"["granted"]"#),
            (
                told!(LoginGoodBefore, told!(LoginRejected, "401", "PLAY")),
                r#"["login_good_before",["login_rejected","401","PLAY"]]"#,
            ),
        ] {
            assert_eq!(detail(&meant), stored);
            assert_eq!(read_detail(stored), meant);
        }
        for strange in
            ["[fd00::1]:554 accepts", "[", "[]", r#"["haunted","a"]"#, r#"["granted","a"]"#, "\"a\"", "{}", "7"]
        {
            assert_eq!(read_detail(strange), Detail::plain(strange));
        }
    }
}
