//! What pages show of the past: drawn to scale, told in words, read once for all who ask, and left out where it cannot be
//! read.

use super::*;
use crate::{
    model::{FailureKind, History, Language, LevelChange, Run, State as CameraState, Transition},
    uptime::{self, Settings},
    web::{
        incidents::{self, Known},
        province::{self, province},
        rendered::{Cache, Subject},
    },
};
use futures_util::FutureExt;
use jiff::Timestamp;

/// The past of a fleet of which the journal knows nothing.
pub(in crate::web) fn sources(snapshots: watch::Receiver<Arc<Snapshot>>) -> Sources {
    of(move || snapshots.borrow().clone(), Arc::new(History::default()))
}

/// One that cannot be read.
pub(super) fn unreadable() -> Sources {
    Sources {
        one: Arc::new(|_, _| async { Err("it cannot be read".to_owned()) }.boxed()),
        figures: Arc::new(|_, _| async { Err("it cannot be read".to_owned()) }.boxed()),
        all: Arc::new(|_| async { Err("it cannot be read".to_owned()) }.boxed()),
    }
}

/// The same of one with a history.
fn of(snapshot: impl Fn() -> Arc<Snapshot> + Clone + Send + Sync + 'static, history: Arc<History>) -> Sources {
    let (known, rows) = (snapshot.clone(), history.clone());
    let one = move |of: Of, range: Range| {
        let snapshot = known();
        let strip = of.strip(&snapshot.fleet, &rows, range, &Settings::default(), snapshot.at);
        async move { Ok(strip) }.boxed()
    };
    let all = move |range: Range| {
        let snapshot = snapshot();
        let together = uptime::together(&snapshot.fleet, &history, range, &Settings::default(), snapshot.at);
        async move { Ok(together) }.boxed()
    };
    Sources {
        one: Arc::new(one),
        figures: Arc::new(|_, _| async { Ok(Measured::default()) }.boxed()),
        all: Arc::new(all),
    }
}

/// A past in which each piece is another than the one before it, of each thing, for as many reasons as there are.
pub(in crate::web) fn worst(snapshot: &Arc<Snapshot>) -> Sources {
    let strip = |range: Range, begin: i64| {
        let (count, step) = range.grid();
        let piece = |number: usize| {
            let from = begin + number as i64 * step;
            let mut piece = uptime::Piece { from, until: from + step, ..Default::default() };
            for (account, cause) in Account::ALL.into_iter().zip(FailureKind::ALL.into_iter().rev()) {
                let stands = uptime::Stands { account, cause: Some(cause), blind: number.is_multiple_of(2) };
                piece.unwell.insert(stands, step / 10);
            }
            piece.seconds = uptime::Seconds { up: step / 3, degraded: step / 3, down: step / 3, ..Default::default() };
            piece
        };
        let spell = |number: usize| uptime::Spell {
            from: begin + number as i64 * 100,
            until: begin + number as i64 * 100 + 100,
            stands: uptime::Stands {
                account: Account::ALL[number % Account::ALL.len()],
                cause: Some(FailureKind::ALL[number % FailureKind::ALL.len()]),
                blind: false,
            },
        };
        Strip { range, pieces: (0..count).map(piece).collect(), spells: (0..20_000).map(spell).collect() }
    };
    let begin = snapshot.at.as_second() - 86_400;
    let shades = [Account::Up, Account::Down, Account::Degraded, Account::Unseen];
    let pieces = move |range: Range| (0..range.grid().0).map(move |number| shades[number % 4]).collect::<Box<[_]>>();
    let (fleet, now) = (snapshot.fleet.clone(), snapshot.at.as_second());
    let points = move |step: i64, count: i64| -> Vec<crate::model::Point> {
        let point = |number: i64| {
            let value = Some((number % 7) as f64 * 3.3);
            let figures = crate::model::Figures {
                looks: 1,
                fps: value,
                least_fps: value,
                kilobits: value,
                loss: value,
                clock_offset: value,
                took: value,
                longest: value,
            };
            (second(now - number * step), figures)
        };
        (1..count).rev().map(point).collect()
    };
    Sources {
        figures: Arc::new(move |_, range| {
            let shown = if range == Range::Day { points(60, 1440) } else { points(3600, 720) };
            let measured = Measured { points: shown, hours: points(3600, 720) };
            async move { Ok(measured) }.boxed()
        }),
        one: Arc::new(move |_, range| async move { Ok(Some(strip(range, begin))) }.boxed()),
        all: Arc::new(move |range| {
            let sites = fleet.sites.keys().map(|id| (id.clone(), pieces(range))).collect();
            let areas = fleet.areas.keys().map(|id| (id.clone(), strip(range, begin))).collect();
            let together = Together { commune: strip(range, begin), areas, sites };
            async move { Ok(together) }.boxed()
        }),
    }
}

fn second(at: i64) -> Timestamp {
    Timestamp::from_second(at).expect("a time")
}

/// A fleet whose first camera was down for an hour and whose first site was blind then, two hours ago.
fn troubled() -> (Arc<Snapshot>, Arc<History>) {
    let snapshot = province(30, 0);
    let now = snapshot.at.as_second();
    let camera = snapshot.fleet.cameras.keys().next().expect("one").clone();
    let site = snapshot.fleet.sites.keys().next().expect("one").clone();
    let row = |to, since, cause| Transition {
        camera: camera.clone(),
        from: CameraState::Unknown,
        to,
        cause,
        detail: Default::default(),
        since: second(since),
        decided: second(since),
    };
    let level = |level, since| LevelChange { site: site.clone(), level, since: second(since) };
    let (begin, end) = (now - 2 * 3600, now - 3600);
    let history = History {
        runs: vec![Run { from: second(now - 40 * 86_400), until: second(now) }],
        transitions: vec![
            row(CameraState::Up, now - 39 * 86_400, None),
            row(CameraState::Down, begin, Some(FailureKind::Timeout)),
            row(CameraState::Up, end, None),
        ],
        levels: vec![
            level(crate::model::Level::Full, now - 39 * 86_400),
            level(crate::model::Level::Blind, begin),
            level(crate::model::Level::Full, end),
        ],
        ..History::default()
    };
    (snapshot, Arc::new(history))
}

fn past(snapshot: &Arc<Snapshot>, history: &Arc<History>) -> Arc<Past> {
    let snapshot = snapshot.clone();
    Arc::new(Past::new(of(move || snapshot.clone(), history.clone())))
}

async fn page(past: &Arc<Past>, snapshot: &Arc<Snapshot>, subject: Subject, language: Language) -> String {
    let cache = Cache::new(past.clone(), Known::new(incidents::tests::unreadable()));
    cache.ready(&subject, snapshot).await;
    let page = cache.main(snapshot, &subject, language).expect("it is rendered").expect("there is one");
    String::from_utf8(page.to_vec()).expect("text")
}

#[tokio::test]
async fn a_camera_and_a_site_show_how_they_stood_and_why() {
    let (snapshot, history) = troubled();
    let past = past(&snapshot, &history);
    let camera = snapshot.fleet.cameras.keys().next().expect("one").to_string();
    let site = snapshot.fleet.sites.keys().next().expect("one").to_string();
    for range in Range::ALL {
        let shown = page(&past, &snapshot, Subject::Camera(camera.clone(), range), Language::Vi).await;
        assert_eq!(shown.matches("<title>").count(), range.grid().0);
        assert!(
            shown.contains("hỏng: không trả lời") || shown.contains(FailureKind::Timeout.text(Language::Vi)),
            "{shown}"
        );
        assert!(shown.contains("class=\"down\""));
        assert!(shown.contains(&format!("range={}&#38;lang=vi\" aria-current=\"true\"", range.as_str())), "{shown}");
        let shown = page(&past, &snapshot, Subject::Site(site.clone(), range), Language::En).await;
        assert!(shown.contains("blind") && shown.contains("answer"), "{shown}");
    }
    let shown = page(&past, &snapshot, Subject::Camera(camera, Range::Day), Language::En).await;
    // An hour of a day that still runs its last half hour.
    assert!(shown.contains("1 h") && shown.contains("<details id=\"past-table\">"), "{shown}");
}

#[tokio::test]
async fn the_wall_and_its_tiles_have_the_last_day_as_soon_as_it_was_read() {
    let (snapshot, history) = troubled();
    let past = past(&snapshot, &history);
    let before = page(&past, &snapshot, Subject::Wall(Range::Day), Language::En).await;
    assert!(before.contains("not read yet") && !before.contains("class=\"mini\""));
    let (_publish, snapshots) = watch::channel(snapshot.clone());
    let at_hand = past.keep_at_hand(snapshots);
    tokio::pin!(at_hand);
    assert!(futures_util::poll!(&mut at_hand).is_pending(), "it goes on for ever");
    let after = page(&past, &snapshot, Subject::Wall(Range::Week), Language::En).await;
    assert_eq!(after.matches("<title>").count(), Range::Week.grid().0);
    assert_eq!(after.matches("class=\"mini\"").count(), snapshot.fleet.sites.len());
    assert_eq!(after.matches("<path class=\"bad\"").count(), 1, "one site was blind");
}

#[tokio::test]
async fn an_area_has_the_past_of_its_sites_on_its_page_and_its_tile() {
    let wanted = |number: usize| province::Wanted {
        name: format!("Camera {number}"),
        kind: crate::model::Kind::Public,
        state: CameraState::Up,
        cause: None,
        area: Some(number % 4),
        age: 60,
    };
    let wanted: Vec<_> = (0..60).map(wanted).collect();
    let snapshot = province::snapshot(&wanted, 4);
    let past = past(&snapshot, &Arc::new(History::default()));
    let (_publish, snapshots) = watch::channel(snapshot.clone());
    let at_hand = past.keep_at_hand(snapshots);
    tokio::pin!(at_hand);
    assert!(futures_util::poll!(&mut at_hand).is_pending());
    for (id, area) in &snapshot.fleet.areas {
        for range in Range::ALL {
            let shown = page(&past, &snapshot, Subject::Area(id.to_string(), range), Language::En).await;
            let sites = snapshot.fleet.sites.values().any(|site| site.area.as_ref() == Some(id));
            let pieces = if sites || area.parent.is_none() { range.grid().0 } else { 0 };
            assert_eq!(shown.matches("<title>").count(), pieces, "{id}");
            let here = format!("/areas/{id}?range={}&#38;lang=en\" aria-current=\"true\"", range.as_str());
            assert!(pieces == 0 || shown.contains(&here), "{shown}");
        }
    }
    let wall = page(&past, &snapshot, Subject::Wall(Range::Day), Language::En).await;
    assert!(wall.matches("class=\"mini\"").count() > snapshot.fleet.sites.len(), "heads of parts have one too");
}

#[tokio::test]
async fn one_who_cannot_read_the_journal_has_the_page_all_the_same() {
    let (snapshot, _) = troubled();
    let past = Arc::new(Past::unknown());
    let camera = snapshot.fleet.cameras.keys().next().expect("one").to_string();
    let shown = page(&past, &snapshot, Subject::Camera(camera, Range::Day), Language::Vi).await;
    assert!(shown.contains("Chưa đọc được nhật ký"));
}

#[tokio::test(start_paused = true)]
async fn it_is_read_once_for_all_who_ask_and_again_after_a_while() {
    let (snapshot, history) = troubled();
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (real, counter) = (of(move || snapshot.clone(), history), asked.clone());
    let counting = Sources {
        one: Arc::new(move |of, range| {
            counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            (real.one)(of, range)
        }),
        figures: Arc::new(|_, _| async { Ok(Measured::default()) }.boxed()),
        all: Arc::new(|_| async { Err(String::new()) }.boxed()),
    };
    let past = Past::new(counting);
    let count = || asked.load(std::sync::atomic::Ordering::SeqCst);
    let of = |number: usize| Some((Of::Camera(format!("camera-{number:05}").as_str().into()), Range::Day));
    past.ready(of(0)).await;
    past.ready(of(0)).await;
    assert_eq!(count(), 1);
    tokio::time::advance(DAY_OLD).await;
    past.ready(of(0)).await;
    assert_eq!(count(), 2);
    past.ready(None).await;
    // Whoever asks for thousands of them fills no memory.
    for number in 0..30 {
        for range in Range::ALL {
            past.ready(of(number).map(|(of, _)| (of, range))).await;
        }
    }
    assert!(past.kept().one.len() <= KEPT);
}

#[test]
fn heights_fill_a_column_and_show_the_shortest_outage() {
    let piece = |up: i64, down: i64, unseen: i64| {
        let seconds = crate::uptime::Seconds { up, down, unseen, ..Default::default() };
        uptime::Piece { from: 0, until: up + down + unseen, seconds, ..Default::default() }
    };
    for (piece, count) in [(piece(1799, 1, 0), 1), (piece(0, 0, 7), 1), (piece(600, 600, 600), 1), (piece(0, 0, 0), 0)]
    {
        let bar = draw::bar(&[piece], ["<b> & \"x\"".to_owned()].into_iter(), "a 'label'");
        // A column is a path for each state: down by its height, and back.
        let heights = bar.split("v").skip(1).filter_map(|rest| rest.split('h').next()?.parse::<f64>().ok());
        let heights: Vec<f64> = heights.collect();
        assert!((heights.iter().sum::<f64>() - 30.0 * f64::from(count)).abs() < 0.2, "{bar}");
        assert!(heights.iter().all(|height| *height >= 1.0), "{bar}");
        assert!(bar.contains("<title>&lt;b&gt; &amp; &quot;x&quot;</title>") && bar.contains("a &#39;label&#39;"));
    }
    use Account::{Degraded, Down, Unseen, Up};
    let mini = draw::mini(&[Up, Up, Up, Down, Unseen, Up, Degraded, Up, Up, Up], 2);
    let paths = "<path class=\"none\" d=\"M2 0h1\"/>\
                 <path class=\"fair\" d=\"M3 0h1\"/><path class=\"bad\" d=\"M1 0h1\"/>";
    assert!(mini.contains(paths), "{mini}");
}

#[test]
fn households_are_told_by_nothing_but_their_ids() {
    let wanted = province::Wanted {
        name: "Nhà ông Ba".into(),
        kind: crate::model::Kind::Household,
        state: CameraState::Down,
        cause: Some(FailureKind::Timeout),
        area: None,
        age: 60,
    };
    let snapshot = province::snapshot(&[wanted], 0);
    let id = snapshot.fleet.cameras.keys().next().expect("one").clone();
    let strip = Of::Camera(id.clone()).strip(
        &snapshot.fleet,
        &History::default(),
        Range::Day,
        &Settings::default(),
        snapshot.at,
    );
    let address = format!("/cameras/{id}");
    let section = of_one(&snapshot, (Language::Vi, Called::Things), (&address, Range::Day), strip.as_ref());
    assert!(!section.to_string().contains("ông Ba"));
}
