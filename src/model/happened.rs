//! What happened to an incident, and to each message of it: one entry of its timeline, as it is kept.

use super::{
    Ack, ChannelId, Detail, Duty, Incident, IncidentId, Level, Mark, Overdue, PersonId, Place, closed::closed, told,
    worded,
};
use jiff::Timestamp;

/// Letters of a detail that are kept.
const LONGEST: usize = 200;

closed! {
    /// What can happen to an incident, or to a message of it.
    pub enum Happening {
        /// It was decided that there is an incident.
        Opened "opened",
        /// It became worse than anything that was told.
        Worse "worse",
        /// It turned out to have another root.
        RootFound "root_found",
        /// It is kept from people for a time, and why.
        KeptBack "kept_back",
        /// What was kept back is told.
        Released "released",
        /// Nobody had taken it on: the next step of the escalation was taken.
        Escalated "escalated",
        /// Somebody took it on.
        TakenOn "taken_on",
        /// The contractor answered that they see to it.
        Responded "responded",
        /// It outlasted a term of the contract, or, once it was reckoned anew, did not.
        Overdue "overdue",
        /// It was still open long after somebody took it on, and is told anew.
        AckExpired "ack_expired",
        /// It turned out to be part of another.
        Merged "merged",
        /// It ended.
        Ended "ended",
        /// A message is to be told to somebody.
        Queued "queued",
        /// A channel took it.
        Sent "sent",
        /// A channel did not take it, and why.
        Failed "failed",
        /// It goes over another channel of theirs from now on.
        Moved "moved",
        /// It is not told: newer news say all that it would have.
        Superseded "superseded",
        /// It is told no more: none of their channels is there any more, or nobody answers their telephones.
        Abandoned "abandoned",
        /// Whoever carries messages says that it arrived.
        Delivered "delivered",
        /// A call was answered.
        Heard "heard",
        /// Nobody needed to be called any more.
        Needless "needless",
    }
}

worded!(Happening::text {
    Opened => "Xác định sự cố", "Decided";
    Worse => "Nặng hơn", "Worse";
    RootFound => "Tìm ra nguyên nhân", "Another root found";
    KeptBack => "Tạm chưa báo", "Kept back";
    Released => "Hết giờ tạm hoãn, bắt đầu báo", "No longer kept back";
    Escalated => "Chưa ai nhận: báo cấp tiếp theo", "Nobody took it on: escalated";
    TakenOn => "Đã có người nhận", "Taken on";
    Responded => "Nhà thầu tiếp nhận", "The contractor answered";
    Overdue => "Thời hạn hợp đồng", "The contract's term";
    AckExpired => "Nhận đã lâu mà chưa xong: báo lại", "Taken on long ago and not over: told anew";
    Merged => "Gộp vào sự cố khác", "Part of another";
    Ended => "Kết thúc", "Ended";
    Queued => "Chờ gửi", "Queued";
    Sent => "Đã gửi", "Sent";
    Failed => "Gửi không được", "Not taken";
    Moved => "Chuyển sang kênh khác", "Over another channel";
    Superseded => "Thay bằng tin mới hơn", "Newer news instead";
    Abandoned => "Thôi không gửi nữa", "Given up";
    Delivered => "Đã tới máy nhận", "Delivered";
    Heard => "Đã nghe máy", "Answered the call";
    Needless => "Không cần gọi nữa", "No call needed any more";
});

impl Happening {
    /// Whether it happened to a message, and not to the incident.
    pub const fn is_of_a_message(self) -> bool {
        matches!(
            self,
            Self::Queued
                | Self::Sent
                | Self::Failed
                | Self::Moved
                | Self::Superseded
                | Self::Abandoned
                | Self::Delivered
                | Self::Heard
                | Self::Needless
        )
    }

    /// Whether a message reached its channel by it.
    pub const fn reaches(self) -> bool {
        matches!(self, Self::Sent | Self::Delivered | Self::Heard)
    }
}

/// One entry of a timeline. It is never changed once it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// Of which incident.
    pub incident: IncidentId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happening,
    /// The incident's notice that it belongs to, or that says so.
    pub step: u32,
    /// Who is told.
    pub person: Option<PersonId>,
    /// Over what they are told, or answered.
    pub channel: Option<ChannelId>,
    /// How bad it is, where that is the news.
    pub level: Option<Level>,
    /// Until when, where something lasts.
    pub until: Option<Timestamp>,
    /// Why, by whom, or of what; bounded.
    pub detail: Detail,
}

impl Happened {
    /// What happens to an incident now; the notice that says so is its next.
    pub fn to(incident: &Incident, what: Happening, at: Timestamp) -> Self {
        Self {
            incident: incident.id.clone(),
            at,
            what,
            step: incident.step.saturating_add(1),
            person: None,
            channel: None,
            level: None,
            until: None,
            detail: Detail::default(),
        }
    }

    /// The same with a detail, of which as much is kept as there is room for.
    pub fn saying(self, detail: &Detail) -> Self {
        Self { detail: detail.shortened(LONGEST), ..self }
    }

    /// Somebody takes an incident on.
    pub fn taken_on(incident: &Incident, ack: &Ack) -> Self {
        Self::answered(incident, Happening::TakenOn, ack)
    }

    /// The contractor answers that they see to an incident.
    pub fn responded(incident: &Incident, ack: &Ack) -> Self {
        Self::answered(incident, Happening::Responded, ack)
    }

    /// An incident outlasts a term of the contract, or turns out not to have.
    pub fn overdue(incident: &Incident, overdue: &Overdue, at: Timestamp, lasts: bool) -> Self {
        let why = match (overdue.duty, lasts) {
            (Duty::Respond, true) => told!(NotAnsweredInTime),
            (Duty::Repair, true) => told!(NotRepairedInTime),
            (Duty::Respond, false) => told!(AnsweredInTime),
            (Duty::Repair, false) => told!(RepairedInTime),
        };
        Self { level: Some(overdue.level), ..Self::to(incident, Happening::Overdue, at) }.saying(&why)
    }

    fn answered(incident: &Incident, what: Happening, ack: &Ack) -> Self {
        let (channel, via) = match ack.via.as_str() {
            "page" => (None, told!(OnPage)),
            "link" => (None, told!(ByLink)),
            "command" => (None, told!(ByCommand)),
            channel => (Some(channel.into()), told!(ByReply)),
        };
        let entry = Self { channel, ..Self::to(incident, what, ack.at) };
        entry.saying(&told!(TakenOnBy, ack.by, via))
    }
}

/// What a channel says later of a message that it took: a gateway's report, a call that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// Which channel.
    pub channel: ChannelId,
    /// What it called the message when it took it.
    pub receipt: String,
    /// [`Happening::Delivered`], [`Happening::Heard`], or that it failed after all.
    pub what: Happening,
    /// When.
    pub at: Timestamp,
    /// What more there is to say.
    pub detail: Detail,
}

impl Mark {
    /// What happened to a message by what is noted of it, over which channel, and why; `before` is where it waited, and
    /// `rings` says that it is a call.
    pub fn happenings(&self, before: &Place, rings: bool) -> Vec<(Happening, Option<ChannelId>, Detail)> {
        let here = Some(before.channel.clone());
        match self {
            // A call is called as it went; where there was no need to ring nothing happened.
            Self::Sent { receipt, .. } if rings => match receipt.as_deref() {
                None => Vec::new(),
                Some("over") => vec![(Happening::Needless, here, Detail::default())],
                Some("passed_on") => vec![(Happening::Heard, here, told!(PassedIt))],
                Some("heard" | "taken_on") => vec![(Happening::Heard, here, Detail::default())],
                // Whoever put it through does not know.
                Some(_) => vec![(Happening::Sent, here, Detail::default())],
            },
            Self::Sent { .. } => vec![(Happening::Sent, here, Detail::default())],
            // Several may be, wherever they waited.
            Self::Superseded { .. } => vec![(Happening::Superseded, None, Detail::default())],
            Self::Abandoned { error, .. } => {
                let why = error.as_deref().map(Detail::plain).unwrap_or_default().shortened(LONGEST);
                vec![(Happening::Abandoned, here, why)]
            }
            Self::Waits { place, error, .. } => {
                let why = error.as_deref().map(Detail::plain).unwrap_or_default().shortened(LONGEST);
                // It was tried, and not only sent another way.
                let failed = error.is_some() && place.attempts > before.attempts;
                let moved = place.channel != before.channel;
                let reason = if failed { Detail::default() } else { why.clone() };
                let failure = failed.then_some((Happening::Failed, here, why));
                let move_ = moved.then(|| (Happening::Moved, Some(place.channel.clone()), reason));
                failure.into_iter().chain(move_).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::one_name;

    fn place(channel: &str, nth: usize, attempts: u32) -> Place {
        Place { channel: channel.into(), nth, attempts }
    }

    #[test]
    fn each_happening_has_one_name() {
        one_name::<Happening>();
    }

    #[test]
    fn what_is_noted_of_a_message_says_what_happened_to_it() {
        use Happening::{Abandoned, Failed, Heard, Moved, Needless, Sent};
        let waits = |channel: &str, nth, attempts, error: Option<&str>| {
            let (place, error) = (place(channel, nth, attempts), error.map(str::to_owned));
            Mark::Waits { id: 9, place, due: Timestamp::UNIX_EPOCH, error }
        };
        type Case = (Mark, &'static [(Happening, &'static str, &'static str)]);
        let cases: [Case; 8] = [
            (Mark::Sent { id: 9, receipt: None }, &[(Sent, "zalo", "")]),
            (Mark::Abandoned { id: 9, error: None }, &[(Abandoned, "zalo", "")]),
            (Mark::Abandoned { id: 9, error: Some("busy".into()) }, &[(Abandoned, "zalo", "busy")]),
            (waits("zalo", 0, 2, Some("503")), &[(Failed, "zalo", "503")]),
            (waits("sms", 1, 2, Some("503")), &[(Failed, "zalo", "503"), (Moved, "sms", "")]),
            (waits("sms", 1, 1, Some("the channel zalo is gone")), &[(Moved, "sms", "the channel zalo is gone")]),
            // It takes the place of an older one, with its tries.
            (waits("sms", 1, 3, None), &[(Moved, "sms", "")]),
            (waits("zalo", 0, 3, None), &[]),
        ];
        for (mark, expected) in cases {
            let happened = mark.happenings(&place("zalo", 0, 1), false);
            let happened: Vec<_> = happened
                .iter()
                .map(|(what, channel, why)| (*what, channel.as_ref().map_or("", ChannelId::as_str), why.to_string()))
                .collect();
            let expected: Vec<_> =
                expected.iter().map(|(what, channel, why)| (*what, *channel, (*why).to_owned())).collect();
            assert_eq!(happened, expected, "{mark:?}");
        }
        for (receipt, what) in [
            (Some("heard"), Some(Heard)),
            (Some("taken_on"), Some(Heard)),
            (Some("passed_on"), Some(Heard)),
            (Some("over"), Some(Needless)),
            (Some("unknown"), Some(Sent)),
            (None, None),
        ] {
            let call = Mark::Sent { id: 9, receipt: receipt.map(str::to_owned) };
            let happened = call.happenings(&place("goi", 0, 0), true);
            assert_eq!(happened.first().map(|(what, ..)| *what), what, "{receipt:?}");
        }
    }
}
