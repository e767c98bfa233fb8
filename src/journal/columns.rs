//! How values stand in columns: times as milliseconds since 1970, everything that has parts as JSON.

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
