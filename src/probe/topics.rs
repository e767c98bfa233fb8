//! The device-status topics that are asked for, and what their messages say. Nothing else is asked for, and what a
//! device sends all the same is dropped unread: topics about motion, objects, faces, plates and scenes are none of a
//! health monitor's business.
//!
//! Names are those of the ONVIF core, imaging and device specifications.

use jiff::{Timestamp, civil::DateTime};
use oxvif::NotificationMessage;

/// All that is ever asked for. `//.` asks for what lies below a topic.
pub(super) const ALLOWED: [&str; 4] = [
    "tns1:VideoSource/SignalLoss",
    "tns1:Device/HardwareFailure//.",
    "tns1:Monitoring/OperatingTime/LastReboot",
    "tns1:Monitoring/OperatingTime/LastClockSynchronization",
];

/// More would be a device that tells of things that nobody asked for.
const MOST_ALARMS: usize = 8;

/// What the messages of one pull amount to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Status {
    /// Topics that report a failure, without the namespace.
    pub(super) alarms: Vec<String>,
    pub(super) last_reboot: Option<Timestamp>,
    pub(super) last_clock_sync: Option<Timestamp>,
}

/// The filter of a subscription.
pub(super) fn filter() -> String {
    ALLOWED.join("|")
}

/// Reads the messages of allowed topics.
pub(super) fn read(messages: &[NotificationMessage]) -> Status {
    let mut status = Status::default();
    for message in messages {
        let Some(topic) = allowed(&message.topic) else { continue };
        let mut values = message.data.values().map(|value| value.trim());
        match topic {
            "Monitoring/OperatingTime/LastReboot" => status.last_reboot = values.find_map(time),
            "Monitoring/OperatingTime/LastClockSynchronization" => status.last_clock_sync = values.find_map(time),
            _ if values.any(|value| value.eq_ignore_ascii_case("true") || value == "1") => {
                let topic: String = topic.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '/').take(64).collect();
                if status.alarms.len() < MOST_ALARMS && !status.alarms.contains(&topic) {
                    status.alarms.push(topic);
                }
            }
            _ => {}
        }
    }
    status.alarms.sort();
    status
}

/// The topic without its namespace, if it is one that was asked for. Makes choose their own prefixes.
fn allowed(topic: &str) -> Option<&str> {
    let bare = |topic: &'static str| topic.trim_start_matches("tns1:").trim_end_matches("//.");
    let topic = topic.trim().split_once(':').map_or(topic.trim(), |(_, topic)| topic);
    let asked = ALLOWED.into_iter().any(|wanted| {
        let below = topic.strip_prefix(bare(wanted));
        below.is_some_and(|below| if wanted.ends_with("//.") { below.starts_with('/') } else { below.is_empty() })
    });
    asked.then_some(topic)
}

/// A time as devices write it. One make writes the day first (`06-11-2021T09:17:46Z`); what never happened is 1970.
fn time(text: &str) -> Option<Timestamp> {
    let bare = text.trim_end_matches('Z');
    let read = text.parse::<Timestamp>().ok().or_else(|| {
        let day_first = || DateTime::strptime("%d-%m-%YT%H:%M:%S", bare);
        let parsed = bare.parse::<DateTime>().or_else(|_| day_first()).ok()?;
        jiff::tz::TimeZone::UTC.to_timestamp(parsed).ok()
    })?;
    (read.as_second() > 86_400 * 365).then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str, data: &[(&str, &str)]) -> NotificationMessage {
        NotificationMessage {
            topic: topic.into(),
            utc_time: String::new(),
            property_operation: "Initialized".into(),
            source: Default::default(),
            data: data.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        }
    }

    #[test]
    fn nothing_about_pictures_is_ever_asked_for() {
        let filter = filter().to_ascii_lowercase();
        for word in [
            "motion",
            "object",
            "face",
            "plate",
            "scene",
            "rule",
            "analytics",
            "people",
            "count",
            "line",
            "field",
            "image",
        ] {
            assert!(!filter.contains(word), "{word} is asked for");
        }
        for topic in filter.split('|') {
            let known = ["videosource/signalloss", "device/hardwarefailure//.", "monitoring/operatingtime/"];
            assert!(known.iter().any(|known| topic.contains(known)), "{topic}");
            assert!(
                !topic.ends_with("videosource//.") && !topic.ends_with("monitoring//."),
                "{topic} asks for too much"
            );
        }
    }

    #[test]
    fn what_was_not_asked_for_is_dropped_unread() {
        let status = read(&[
            message("tns1:RuleEngine/CellMotionDetector/Motion", &[("IsMotion", "true")]),
            message("tns1:VideoSource/MotionAlarm", &[("State", "true")]),
            message("tns1:VideoSource/SignalLossOfFace", &[("State", "true")]),
            message("tns1:Device/HardwareFailureFace/Plate", &[("State", "true")]),
            message("tns1:UserAlarm/IVA/HumanShapeDetect", &[("State", "true")]),
        ]);
        assert_eq!(status, Status::default());
    }

    #[test]
    fn failures_and_times_are_read_as_makes_write_them() {
        let status = read(&[
            message("tns1:VideoSource/SignalLoss", &[("State", "false")]),
            message("tns1:Device/HardwareFailure/StorageFailure", &[("Failed", "true")]),
            message("tnsfoo:Device/HardwareFailure/FanFailure", &[("Failed", "1")]),
            message("tns1:Monitoring/OperatingTime/LastReboot", &[("Status", "06-11-2021T09:17:46Z")]),
            message("tns1:Monitoring/OperatingTime/LastClockSynchronization", &[("Status", "1970-01-01T00:00:00Z")]),
        ]);
        assert_eq!(status.alarms, ["Device/HardwareFailure/FanFailure", "Device/HardwareFailure/StorageFailure"]);
        assert_eq!(status.last_reboot, "2021-11-06T09:17:46Z".parse().ok());
        assert_eq!(status.last_clock_sync, None);
    }
}
