//! What SMS may cost in a day: how many parts a channel still pays for, and what for.
//!
//! A tenth is kept for alarms of blind sites: whatever else was told that day, these still go.

use crate::model::{Level, Notice, Reason};

/// Whoever keeps the monitor is told when so much of a day is used, in percent.
const NEARLY: u64 = 80;

/// Whether something is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paid {
    /// It is, and whether so much is used up with it that somebody is to be told.
    Yes {
        /// Whether somebody is to be told.
        nearly: bool,
    },
    /// No more today.
    No,
}

/// Whether a channel that has paid for so many parts today pays for so many more; `pressing` is an alarm of a blind site.
pub fn paid(per_day: u32, spent: u32, parts: u32, pressing: bool) -> Paid {
    let kept = if pressing { 0 } else { per_day.div_ceil(10) };
    let after = u64::from(spent) + u64::from(parts);
    if parts > 0 && after > u64::from(per_day - kept) {
        return Paid::No;
    }
    Paid::Yes { nearly: after * 100 >= u64::from(per_day) * NEARLY }
}

/// Whether a notice is an alarm that what is kept is kept for: of a blind site, or of a monitor that sees nothing at all.
pub fn is_pressing(notice: &Notice) -> bool {
    notice.incident().is_some_and(|incident| {
        incident.reason.pages() && (incident.level == Level::Blind || incident.reason == Reason::MonitorCutOff)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tenth_is_kept_for_alarms_of_blind_sites() {
        assert_eq!(paid(100, 0, 1, false), Paid::Yes { nearly: false });
        assert_eq!(paid(100, 78, 1, false), Paid::Yes { nearly: false });
        assert_eq!(paid(100, 79, 1, false), Paid::Yes { nearly: true });
        assert_eq!(paid(100, 89, 1, false), Paid::Yes { nearly: true });
        assert_eq!(paid(100, 90, 1, false), Paid::No);
        assert_eq!(paid(100, 89, 2, false), Paid::No);
        assert_eq!(paid(100, 90, 1, true), Paid::Yes { nearly: true });
        assert_eq!(paid(100, 99, 2, true), Paid::No);
        assert_eq!(paid(100, 100, 1, true), Paid::No);
        // Of little a tenth is one; nothing is nothing for anybody.
        assert_eq!([paid(1, 0, 1, false), paid(1, 0, 1, true)], [Paid::No, Paid::Yes { nearly: true }]);
        assert_eq!([paid(0, 0, 1, false), paid(0, 0, 1, true)], [Paid::No, Paid::No]);
    }

    proptest! {
        /// Whatever comes: a day never costs more than it may, what is no alarm never takes what is kept, an alarm of one
        /// part is told while anything is left, and somebody is told before anything is refused.
        #[test]
        fn a_day_costs_no_more_than_it_may(
            per_day in 0u32..200,
            messages in prop::collection::vec((1u32..4, any::<bool>()), 0..300),
        ) {
            let (mut spent, mut told) = (0, false);
            for (parts, pressing) in messages {
                match paid(per_day, spent, parts, pressing) {
                    Paid::Yes { nearly } => {
                        spent += parts;
                        told |= nearly;
                        prop_assert!(pressing || spent <= per_day - per_day.div_ceil(10));
                    }
                    Paid::No => {
                        prop_assert!(!pressing || spent + parts > per_day);
                        prop_assert!(told || per_day < 40, "{spent} of {per_day}");
                    }
                }
                prop_assert!(spent <= per_day);
            }
        }
    }
}
