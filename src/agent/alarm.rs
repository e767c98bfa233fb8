//! When an agent tells of a blind site by itself: while the daemon cannot be reached, once for each time that a site goes blind,
//! and never of what the daemon has heard of.
//!
//! Pure. What is waited for is measured from the agent's start by a clock that nobody sets; the wall clock is for people, and for a day.

use crate::model::{Level, SiteId, elapsed};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// The daemon that has not answered for so long cannot be reached. It calls the agent lost somewhat sooner, and tells of that.
const CUT: Duration = Duration::from_secs(120);
/// Alarms in a day at most: each costs money, and a camera that comes and goes is no reason to spend it all.
const MOST_A_DAY: usize = 20;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What was last heard of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Contact {
    /// When it last answered; the start of the agent, before it has.
    pub(super) answered: Duration,
    /// The number up to which it has taken looks.
    pub(super) taken: u64,
}

/// How far an agent has got with a site that is blind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It may have to be told.
    Waits,
    /// The daemon has heard of it: it is the daemon's to tell.
    Known,
    /// It was told by the agent.
    Told,
    /// And is seen again, which is to be told too.
    Over,
}

#[derive(Debug, Clone)]
struct Blind {
    /// Since when, for people.
    since: Timestamp,
    began: Duration,
    /// The look that it followed from.
    look: u64,
    /// How long it must last.
    after: Duration,
    stage: Stage,
}

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Telling {
    pub(super) site: SiteId,
    /// Since when it is, or was, blind.
    pub(super) since: Timestamp,
    /// Whether it is seen again.
    pub(super) over: bool,
}

/// What is known of blind sites.
#[derive(Debug, Clone, Default)]
pub(super) struct Alarm {
    sites: BTreeMap<SiteId, Blind>,
    /// When alarms were told.
    told: VecDeque<Timestamp>,
    /// How many ever were.
    count: u64,
}

/// What outlives a start anew: else a site would be told of again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Sites that are blind, since when, and whether the agent has told of them; the daemon has, else.
    sites: BTreeMap<SiteId, (Timestamp, bool)>,
    /// When the last alarms were told.
    told: VecDeque<Timestamp>,
    /// How many alarms were ever told.
    count: u64,
}

impl Alarm {
    pub(super) fn restored(kept: Kept) -> Self {
        let blind = |(since, told): (Timestamp, bool)| Blind {
            since,
            began: Duration::ZERO,
            look: 0,
            after: Duration::ZERO,
            stage: if told { Stage::Told } else { Stage::Known },
        };
        let sites = kept.sites.into_iter().map(|(site, kept)| (site, blind(kept))).collect();
        Self { sites, told: kept.told, count: kept.count }
    }

    pub(super) fn kept(&self) -> Kept {
        let sites = self.sites.iter().filter(|(_, blind)| blind.stage != Stage::Waits);
        let kept = |(site, blind): (&SiteId, &Blind)| (site.clone(), (blind.since, blind.stage != Stage::Known));
        Kept { sites: sites.map(kept).collect(), told: self.told.clone(), count: self.count }
    }

    /// How many alarms were ever told.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Takes in how a site is covered after a look; `after` is how long it must be blind before anybody is told.
    pub(super) fn covered(
        &mut self,
        (at, wall): (Duration, Timestamp),
        site: &SiteId,
        (level, after): (Level, Duration),
        look: u64,
    ) {
        match (level, self.sites.get_mut(site)) {
            // Ignorance is neither an alarm nor its end.
            (Level::Unknown, _) => {}
            (Level::Blind, None) => {
                let blind = Blind { since: wall, began: at, look, after, stage: Stage::Waits };
                self.sites.insert(site.clone(), blind);
            }
            (Level::Blind, Some(blind)) => {
                if blind.stage == Stage::Over {
                    blind.stage = Stage::Told;
                }
            }
            (_, Some(blind)) if matches!(blind.stage, Stage::Told | Stage::Over) => blind.stage = Stage::Over,
            (_, Some(_)) => drop(self.sites.remove(site)),
            (_, None) => {}
        }
    }

    /// Forgets sites that are not the agent's any more.
    pub(super) fn retain(&mut self, is_there: impl Fn(&SiteId) -> bool) {
        self.sites.retain(|site, _| is_there(site));
    }

    /// What is to be told now. `works` is whether the agent's own network does: what it cannot reach by its own fault is the
    /// daemon's to tell, which misses the agent.
    pub(super) fn due(&mut self, (at, wall): (Duration, Timestamp), contact: Contact, works: bool) -> Vec<Telling> {
        while self.told.front().is_some_and(|told| elapsed(wall, *told) >= DAY) {
            self.told.pop_front();
        }
        let may = self.told.len() < MOST_A_DAY && works && at.saturating_sub(contact.answered) >= CUT;
        let mut due = Vec::new();
        for (site, blind) in &mut self.sites {
            if blind.stage == Stage::Waits && contact.taken >= blind.look {
                blind.stage = Stage::Known;
            }
            let lasts = at.saturating_sub(blind.began) >= blind.after;
            let (is_due, over) = match blind.stage {
                Stage::Waits => (may && lasts, false),
                // Whoever was alarmed by us is told by us that it is over.
                Stage::Over => (true, true),
                Stage::Known | Stage::Told => (false, false),
            };
            if is_due {
                due.push(Telling { site: site.clone(), since: blind.since, over });
            }
        }
        due
    }

    /// Something was told.
    pub(super) fn done(&mut self, wall: Timestamp, telling: &Telling) {
        match self.sites.get_mut(&telling.site) {
            Some(blind) if !telling.over => {
                blind.stage = Stage::Told;
                self.told.push_back(wall);
                self.count += 1;
            }
            Some(blind) if blind.stage == Stage::Over => drop(self.sites.remove(&telling.site)),
            Some(_) | None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NONE: [bool; 0] = [];

    fn second(second: u64) -> (Duration, Timestamp) {
        let wall = Timestamp::from_second(1_790_000_000).expect("a time in this century");
        (Duration::from_secs(second), wall + Duration::from_secs(second))
    }

    fn due(alarm: &mut Alarm, at: u64, contact: Contact, works: bool) -> Vec<bool> {
        alarm.due(second(at), contact, works).iter().map(|telling| telling.over).collect()
    }

    #[test]
    fn what_the_daemon_has_heard_of_is_not_told() {
        let site = SiteId::from("hem");
        let blind = |alarm: &mut Alarm, at| alarm.covered(second(at), &site, (Level::Blind, Duration::ZERO), 7);
        let answered = |at, taken| Contact { answered: second(at).0, taken };
        let mut alarm = Alarm::default();
        blind(&mut alarm, 100);
        assert_eq!(due(&mut alarm, 219, answered(100, 6), true), NONE);
        assert_eq!(due(&mut alarm, 220, answered(100, 6), false), NONE, "its own network is in doubt");
        let telling = alarm.due(second(220), answered(100, 6), true);
        assert_eq!(telling, [Telling { site: site.clone(), since: second(100).1, over: false }]);
        alarm.done(second(221).1, &telling[0]);
        assert_eq!((due(&mut alarm, 999, answered(100, 6), true), alarm.count()), (NONE.to_vec(), 1), "once");
        // A start anew tells it no second time, and does tell that it is over.
        let mut alarm = Alarm::restored(alarm.kept());
        blind(&mut alarm, 10);
        assert_eq!(due(&mut alarm, 500, answered(0, 0), true), NONE);
        alarm.covered(second(510), &site, (Level::Unknown, Duration::ZERO), 8);
        assert_eq!(due(&mut alarm, 511, answered(0, 0), true), NONE);
        alarm.covered(second(520), &site, (Level::Full, Duration::ZERO), 9);
        assert_eq!(due(&mut alarm, 520, answered(519, 9), false), [true]);

        let mut alarm = Alarm::default();
        blind(&mut alarm, 100);
        assert_eq!(due(&mut alarm, 101, answered(101, 7), true), NONE, "the daemon has it");
        assert_eq!(due(&mut alarm, 9999, answered(101, 7), true), NONE, "and is cut off later");
        let mut alarm = Alarm::restored(alarm.kept());
        blind(&mut alarm, 10);
        assert_eq!(due(&mut alarm, 500, answered(0, 0), true), NONE, "a start anew does not forget that");
    }

    #[derive(Debug, Clone)]
    enum Step {
        Level(Level),
        Answered,
        Taken,
        Restart,
        Fails,
    }

    fn any_step() -> impl Strategy<Value = (u64, Step)> {
        let level =
            prop::sample::select(vec![Level::Full, Level::Critical, Level::Blind, Level::Blind, Level::Unknown]);
        let step = prop_oneof![
            5 => level.prop_map(Step::Level),
            2 => Just(Step::Answered),
            1 => Just(Step::Taken),
            1 => Just(Step::Restart),
            1 => Just(Step::Fails),
        ];
        (0..200u64, step)
    }

    proptest! {
        /// Whatever happens: an alarm is of a site that is blind, of which the daemon has not heard, while it has not answered for
        /// two minutes; none is told twice, each is followed by its end, and there is no end without it.
        #[test]
        fn never_in_double_and_never_without_its_end(steps in prop::collection::vec(any_step(), 1..200)) {
            let site = SiteId::from("hem");
            let (mut alarm, mut at, mut look) = (Alarm::default(), 0, 0);
            let mut contact = Contact::default();
            // The oracle: the look that made it blind, what was last told, and how many alarms in the last day.
            let (mut blind, mut is_told, mut alarms) = (None::<u64>, false, Vec::new());
            for (pause, step) in steps {
                at += pause;
                look += 1;
                let mut fails = false;
                match step {
                    Step::Level(level) => {
                        alarm.covered(second(at), &site, (level, Duration::ZERO), look);
                        match level {
                            Level::Unknown => {}
                            Level::Blind => blind = blind.or(Some(look)),
                            _ => blind = None,
                        }
                    }
                    Step::Answered => contact.answered = second(at).0,
                    Step::Taken => contact = Contact { answered: second(at).0, taken: look },
                    // What nobody knew of is blind by another look then.
                    Step::Restart => {
                        alarm = Alarm::restored(alarm.kept());
                        blind = blind.filter(|look| is_told || *look <= contact.taken);
                    }
                    Step::Fails => fails = true,
                }
                for telling in alarm.due(second(at), contact, true) {
                    match telling.over {
                        false => {
                            prop_assert!(!is_told && blind.is_some_and(|since| since > contact.taken));
                            prop_assert!(second(at).0 - contact.answered >= CUT);
                            alarms.retain(|then| at - then < 24 * 3600);
                            prop_assert!(alarms.len() < MOST_A_DAY);
                        }
                        true => prop_assert!(is_told && blind.is_none()),
                    }
                    if !fails {
                        alarm.done(second(at).1, &telling);
                        is_told = !telling.over;
                        alarms.extend((!telling.over).then_some(at));
                    }
                }
                if blind.is_none() && !fails && matches!(step, Step::Level(Level::Full | Level::Critical)) {
                    prop_assert!(!is_told, "it is over, and nobody was told");
                }
            }
        }
    }
}
