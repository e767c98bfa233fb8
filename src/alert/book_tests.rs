//! Incidents and their escalation: who is told what, when, and when it stops.

use super::*;
use crate::alert::Target;
use crate::{
    alert::{Person, Quiet, Rotation, Step},
    model::{OpenAlert, PersonId},
};
use jiff::civil::{date, time};
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    // 2026-11-24 08:00 in Vietnam.
    Timestamp::from_second(1_795_482_000 + second).expect("a time in this century")
}

fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(7))
}

/// An and Bình take turns of a day; Dũng is the chief; a wall is always told.
fn settings() -> Settings {
    let person =
        |name: &str| (PersonId::from(name), Person { name: name.into(), channels: vec![name.into()], calls: vec![] });
    let step = |after, to| Step { after: Duration::from_secs(after), to: vec![to] };
    Settings {
        people: ["an", "binh", "dung"].map(person).into(),
        rotations: vec![Rotation {
            id: "truc".into(),
            people: vec!["an".into(), "binh".into()],
            start: date(2026, 11, 24),
            handovers: vec![time(7, 0, 0, 0)],
            days: 1,
            handover_notice: Duration::ZERO,
        }],
        always: vec!["wall".into()],
        steps: vec![
            step(0, Target::OnCall),
            step(300, Target::Next("truc".into())),
            step(600, Target::Person("dung".into())),
        ],
        ..Settings::default()
    }
}

struct World {
    book: Book,
    settings: Settings,
    told: Vec<String>,
}

impl World {
    fn new(settings: Settings) -> Self {
        Self { book: Book::default(), settings, told: Vec::new() }
    }

    fn settle(&mut self, second: i64) {
        for telling in self.book.settle(at(second), &self.settings, &zone()) {
            let Some(reason) = telling.reason else { continue };
            let to: Vec<String> = telling.to.iter().map(|one| one.channels[0].to_string()).collect();
            let number = telling.incident.number;
            self.told.push(format!("{second} {number} {} -> {}", reason.as_str(), to.join("+")));
        }
    }

    fn site(&mut self, second: i64, site: &str, change: Change, cause: Cause) {
        let cut = Cut { cause, since: at(second) };
        self.book.site_turned(at(second), &site.into(), &change, cut);
    }

    fn lost(&mut self, second: i64, site: &str, worst: Level) {
        let alert = OpenAlert { since: at(second), worst };
        self.site(second, site, Change::Opened(alert), Cause::Site(site.into()));
        self.settle(second);
    }

    /// The switch of Thôn Đông goes, and these sites with it, in one event.
    fn link_lost(&mut self, second: i64, sites: &[&str]) {
        for site in sites {
            let alert = OpenAlert { since: at(second), worst: Blind };
            self.site(second, site, Change::Opened(alert), Cause::Link("tu-dong".into()));
        }
        self.settle(second);
    }

    fn restored(&mut self, second: i64, site: &str) {
        self.site(second, site, Change::Restored, Cause::Site(site.into()));
        self.settle(second);
    }

    fn pass(&mut self, until: i64) {
        while let Some(due) = self.book.deadline().filter(|due| *due <= at(until)) {
            self.book.tick(due, &self.settings, |_| false);
            self.settle(due.as_second() - at(0).as_second());
        }
    }

    fn ack(&mut self, second: i64, name: &str) -> bool {
        let ack = Ack { by: "An".into(), via: "test".into(), at: at(second) };
        let known = self.book.acknowledge(name, ack, &self.settings);
        self.settle(second);
        known
    }

    /// What happened since this was last asked: second, incident, what, and why.
    fn happened(&mut self) -> Vec<String> {
        let happened = self.book.take_happened();
        let word = |entry: &Happened| {
            let seconds = |moment: Timestamp| moment.as_second() - at(0).as_second();
            let number = self.book.get(&entry.incident).map_or(0, |incident| incident.number);
            let level = entry.level.map_or(String::new(), |level| format!(" {}", level.as_str()));
            let until = entry.until.map_or(String::new(), |until| format!(" until {}", seconds(until)));
            let detail = if entry.detail.is_empty() { String::new() } else { format!(" ({})", entry.detail) };
            format!("{} {number} {}{level}{until}{detail}", seconds(entry.at), entry.what.as_str())
        };
        happened.iter().map(word).collect()
    }

    #[track_caller]
    fn check(&self, expected: &[&str]) {
        assert_eq!(self.told, expected);
    }
}

use Level::{Blind, Critical};

#[test]
fn nobody_answers_and_it_climbs_to_the_chief_and_ends() {
    let mut world = World::new(settings());
    world.lost(0, "cho", Blind);
    world.pass(9999);
    world.restored(9999, "cho");
    world.check(&[
        "0 1 coverage_lost -> wall+an",
        "300 1 escalated -> binh",
        "900 1 escalated -> dung",
        "9999 1 coverage_restored -> wall+an+binh+dung",
    ]);
}

#[test]
fn a_policy_may_begin_again() {
    let mut world = World::new(Settings { repeat: 1, ..settings() });
    world.lost(0, "cho", Blind);
    world.pass(9999);
    let times: Vec<&str> = world.told.iter().filter_map(|told| told.split(' ').next()).collect();
    assert_eq!(times, ["0", "300", "900", "960", "1260", "1860"]);
}

#[test]
fn whoever_takes_it_on_stops_it_and_the_others_know() {
    let mut world = World::new(settings());
    world.lost(0, "cho", Blind);
    world.pass(400);
    assert!(world.ack(400, "1") && !world.ack(401, "2"));
    world.pass(8 * 3600);
    world.check(&["0 1 coverage_lost -> wall+an", "300 1 escalated -> binh", "400 1 acknowledged -> wall+an+binh"]);
    // Long after, it is still open.
    world.pass(9 * 3600);
    assert_eq!(world.told[3], "29200 1 reminder -> an");
    world.restored(9 * 3600 + 1, "cho");
    assert!(world.told.last().expect("an all-clear").starts_with("32401 1 coverage_restored -> wall+an+binh"));
}

#[test]
fn worse_is_told_even_to_those_who_took_it_on() {
    let mut world = World::new(settings());
    world.lost(0, "cho", Critical);
    world.ack(10, "1");
    let alert = OpenAlert { since: at(0), worst: Blind };
    world.site(20, "cho", Change::Worse(alert), Cause::Site("cho".into()));
    world.settle(20);
    assert_eq!(world.told[2], "20 1 coverage_worse -> wall+an");
}

#[test]
fn at_night_what_can_wait_waits_and_what_cannot_rings() {
    let quiet = Some(Quiet { hours: "22:00-06:00".parse().expect("a span"), except: Blind });
    let mut world = World::new(Settings { quiet, ..settings() });
    // 23:00, 23:10: An's day still.
    world.lost(15 * 3600, "cho", Critical);
    world.lost(15 * 3600 + 600, "cang", Blind);
    world.lost(15 * 3600 + 900, "dinh", Critical);
    world.restored(15 * 3600 + 1200, "dinh");
    world.ack(15 * 3600 + 610, "2");
    world.pass(22 * 3600 + 60);
    world.check(&[
        "54000 1 coverage_lost -> wall",
        "54600 2 coverage_lost -> wall+an",
        "54900 3 coverage_lost -> wall",
        "55200 3 coverage_restored -> wall",
        "54610 2 acknowledged -> wall+an",
        "79200 1 coverage_lost -> an",
    ]);
}

#[test]
fn one_link_is_one_incident_however_many_sites_it_takes() {
    let mut world = World::new(settings());
    world.link_lost(0, &["cho", "cang"]);
    let alert = OpenAlert { since: at(0), worst: Critical };
    world.site(60, "dinh", Change::Opened(alert), Cause::Link("tu-dong".into()));
    world.settle(60);
    for (second, site) in [(100, "cho"), (110, "dinh"), (120, "cang")] {
        world.restored(second, site);
    }
    world.check(&["0 1 coverage_lost -> wall+an", "120 1 coverage_restored -> wall+an"]);
}

#[test]
fn late_evidence_merges_what_was_told_apart_and_tells_nobody_twice() {
    let mut world = World::new(settings());
    world.lost(0, "cho", Blind);
    world.lost(5, "cang", Blind);
    let cut = Cut { cause: Cause::Link("tu-dong".into()), since: at(-5) };
    world.book.root_found(at(20), &"cho".into(), cut.clone());
    world.book.root_found(at(20), &"cang".into(), cut);
    world.settle(20);
    world.pass(299);
    world.restored(100, "cho");
    world.restored(110, "cang");
    world.check(&[
        "0 1 coverage_lost -> wall+an",
        "5 2 coverage_lost -> wall+an",
        "20 1 root_found -> wall+an",
        "20 2 merged -> wall+an",
        "110 1 coverage_restored -> wall+an",
    ]);
    assert!(world.book.incidents().all(|incident| incident.closed.is_some()));
}

#[test]
fn an_old_fault_is_not_blamed_on_a_new_cause() {
    let mut world = World::new(settings());
    world.lost(0, "cho", Critical);
    let link = Cause::Link("tu-dong".into());
    world.book.root_found(at(3600), &"cho".into(), Cut { cause: link.clone(), since: at(3590) });
    let alert = OpenAlert { since: at(0), worst: Blind };
    world.site(3600, "cho", Change::Worse(alert), link);
    world.settle(3600);
    assert_eq!(world.told[1..].to_vec(), ["3600 2 coverage_lost -> wall+an"]);
}

#[test]
fn what_a_link_leaves_behind_goes_on_under_its_own_name_without_ringing() {
    let mut world = World::new(settings());
    world.link_lost(0, &["cho", "cang"]);
    world.ack(10, "1");
    world.book.root_found(at(300), &"cho".into(), Cut { cause: Cause::Site("cho".into()), since: at(0) });
    world.settle(300);
    world.restored(310, "cang");
    world.restored(999, "cho");
    world.check(&[
        "0 1 coverage_lost -> wall+an",
        "10 1 acknowledged -> wall+an",
        "300 2 root_found -> wall+an",
        "310 1 coverage_restored -> wall+an",
        "999 2 coverage_restored -> wall+an",
    ]);
}

/// A link is signed for the round: it must be another after an acknowledgement ran out, and only then.
#[test]
fn a_round_ends_when_an_acknowledgement_runs_out() {
    let mut world = World::new(settings());
    world.lost(0, "cho", Blind);
    let round = |world: &World| world.book.named("1").map(|incident| incident.round());
    world.pass(300);
    assert_eq!(round(&world), Some(0), "an escalation begins none");
    assert!(world.ack(400, "1"));
    let before = world.book.named("1").cloned();
    let told = world.told.len();
    assert!(world.ack(401, "1"), "it is taken on already");
    assert_eq!((world.book.named("1").cloned(), world.told.len()), (before, told), "a second time changes nothing");
    let expires = i64::try_from(world.settings.ack_expires.as_secs()).expect("hours");
    world.pass(400 + expires);
    let incident = world.book.named("1").expect("it is open");
    assert_eq!((incident.round(), &incident.ack), (1, &None));
    assert_eq!(incident.lapsed.as_ref().map(|lapsed| lapsed.last.at), Some(at(400)));
    assert!(world.told.last().is_some_and(|told| told.contains("reminder")), "{:?}", world.told);
}

#[test]
fn maintenance_keeps_the_escalation_back() {
    let mut world = World::new(settings());
    world.lost(0, "cho", Blind);
    world.book.tick(at(300), &world.settings, |_| true);
    world.settle(300);
    assert_eq!(world.told.len(), 1);
    world.book.tick(at(360), &world.settings, |_| false);
    world.settle(360);
    assert_eq!(world.told[1], "360 1 escalated -> binh");
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let mut world = World::new(settings());
    world.lost(0, "cho", Blind);
    world.pass(300);
    let incidents = world.book.incidents().map(|incident| (**incident).clone()).collect();
    world.book = Book::restored(incidents, 1);
    world.pass(9999);
    world.lost(9999, "cang", Blind);
    assert_eq!(world.told[2..].to_vec(), ["900 1 escalated -> dung", "9999 2 coverage_lost -> wall+an"]);
}

#[test]
fn a_clock_that_is_set_back_does_not_put_off_the_next_step() {
    let mut world = World::new(settings());
    world.lost(36_000, "cho", Blind);
    world.book.tick(at(0), &world.settings, |_| false);
    assert_eq!(world.book.deadline(), Some(at(600)), "the longest step from now, not ten hours");
}

proptest! {
    /// Whatever happens: once somebody took an incident on, nothing of it escalates before the word expires, and each
    /// incident that opened ends with an all-clear, or as a part of another.
    #[test]
    fn an_acknowledgement_stops_and_everything_ends(
        events in proptest::collection::vec((0..5u8, 0..4usize, 1..400i64), 1..80)
    ) {
        let sites = ["a", "b", "c", "d"];
        let mut world = World::new(Settings { repeat: 2, ..settings() });
        let mut open = [false; 4];
        let mut second = 0;
        for (kind, site, step) in events {
            second += step;
            world.pass(second);
            match kind {
                0 | 1 if !open[site] => {
                    open[site] = true;
                    let cause = if kind == 0 { Cause::Site(sites[site].into()) } else { Cause::Link("l".into()) };
                    let alert = OpenAlert { since: at(second), worst: Blind };
                    world.site(second, sites[site], Change::Opened(alert), cause);
                }
                2 if open[site] => {
                    open[site] = false;
                    world.site(second, sites[site], Change::Restored, Cause::Site(sites[site].into()));
                }
                3 if open[site] => {
                    let cut = Cut { cause: Cause::Link("l".into()), since: at(second) };
                    world.book.root_found(at(second), &sites[site].into(), cut);
                }
                4 => {
                    let first = world.book.incidents().find(|incident| incident.closed.is_none());
                    if let Some(number) = first.map(|incident| incident.number.to_string()) {
                        world.ack(second, &number);
                    }
                }
                _ => {}
            }
            world.settle(second);
        }
        for (site, open) in sites.iter().zip(open) {
            if open {
                second += 1;
                world.restored(second, site);
            }
        }
        prop_assert!(world.book.incidents().all(|incident| incident.closed.is_some()));
        let mut taken = BTreeSet::new();
        let mut ended = BTreeSet::new();
        for told in &world.told {
            let mut words = told.split(' ').skip(1);
            let (number, reason) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            match reason {
                "acknowledged" => drop(taken.insert(number)),
                "escalated" => prop_assert!(!taken.contains(number), "{:#?}", world.told),
                "coverage_restored" | "merged" => prop_assert!(ended.insert(number), "{:#?}", world.told),
                _ => prop_assert!(!ended.contains(number), "{:#?}", world.told),
            }
        }
        prop_assert_eq!(ended.len(), world.book.incidents().count(), "{:#?}", world.told);
    }
}

/// The same people, of whom An and Dũng have telephones.
fn with_telephones() -> Settings {
    let mut settings = settings();
    for name in ["an", "dung"] {
        let person = settings.people.get_mut(&PersonId::from(name)).expect("they are there");
        person.calls = vec![format!("goi-{name}").as_str().into()];
    }
    settings
}

#[test]
fn telephones_ring_for_each_step_once_whatever_becomes_worse() {
    let mut world = World::new(with_telephones());
    world.lost(0, "cho", Critical);
    let worse = OpenAlert { since: at(0), worst: Blind };
    world.site(60, "cho", Change::Worse(worse), Cause::Site("cho".into()));
    world.settle(60);
    world.pass(9999);
    world.restored(9999, "cho");
    world.check(&[
        "0 1 coverage_lost -> wall+an+goi-an",
        "60 1 coverage_worse -> wall+an",
        "300 1 escalated -> binh",
        "900 1 escalated -> dung+goi-dung",
        // That there is no need takes the place of calls that wait.
        "9999 1 coverage_restored -> wall+an+goi-an+binh+dung+goi-dung",
    ]);
}

#[test]
fn who_passes_it_on_calls_the_next_at_once_and_the_step_before_nobody_twice() {
    let mut world = World::new(with_telephones());
    world.lost(0, "cho", Blind);
    let pass_on = |world: &mut World, second, step| {
        let can = world.book.can_pass_on(at(second), "1", step, &world.settings).is_some();
        world.book.pass_on(at(second), "1", step, &world.settings.clone());
        world.pass(second);
        can
    };
    assert!(pass_on(&mut world, 20, 1));
    // An's other telephone was not answered either, or An pressed the key late.
    assert!(!pass_on(&mut world, 30, 1));
    assert!(pass_on(&mut world, 40, 2));
    // There is nobody further in this round, and the next begins in its own time.
    world.settings.repeat = 1;
    assert!(!pass_on(&mut world, 50, 3));
    assert!(world.ack(60, "1"));
    assert!(!pass_on(&mut world, 70, 3));
    world.check(&[
        "0 1 coverage_lost -> wall+an+goi-an",
        "20 1 escalated -> binh",
        "40 1 escalated -> dung+goi-dung",
        "60 1 acknowledged -> wall+an+goi-an+binh+dung+goi-dung",
    ]);
}

#[test]
fn an_exercise_goes_as_an_alarm_and_ends_by_itself() {
    let mut world = World::new(with_telephones());
    // At night too: somebody wants to know.
    world.settings.quiet = Some(Quiet { hours: "00:00-23:59".parse().expect("hours"), except: Blind });
    world.book.drill(at(0), "cho".into());
    world.settle(0);
    assert!(world.book.of_site(&"cho".into()).is_none(), "nothing is lost");
    // One at a time.
    world.book.drill(at(5), "cang".into());
    world.settle(5);
    // Nobody takes it on.
    world.pass(9999);
    world.book.drill(at(10_000), "cang".into());
    world.settle(10_000);
    assert!(world.ack(10_042, "2"));
    world.pass(20_000);
    world.check(&[
        "0 1 drill -> wall+an+goi-an",
        "300 1 escalated -> binh",
        "900 1 escalated -> dung+goi-dung",
        "1500 1 drill_over -> wall+an+goi-an+binh+dung+goi-dung",
        "10000 2 drill -> wall+an+goi-an",
        "10042 2 drill_over -> wall+an+goi-an",
    ]);
}

#[path = "contract_tests.rs"]
mod contract_tests;
#[path = "happened_tests.rs"]
mod happened;
