//! The shell in made-up time: all of the daemon's tasks with a journal in memory, looks by a function and channels that
//! take, refuse, hang or panic as a test wishes.

use super::{relay::TellFn, start::begin, *};
use crate::clock::Clock;
use crate::journal::Journal;
use crate::model::{
    CameraId, ChannelId, Codec, Detail, Failure, FailureKind, Observation, Refusal, State, StreamFacts,
};
use futures_util::FutureExt;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};
use tokio::sync::Notify;

/// What a channel does with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Takes,
    Refuses,
    Panics,
    /// It does not answer until it is let go; then it refuses.
    Hangs,
}

/// A message that a channel was handed: the channel, why it is told, and its key.
type Handed = (String, &'static str, String);

/// What tests hold in their hands.
#[derive(Clone, Default)]
struct Hands {
    /// Channels that do not take everything.
    ways: Arc<Mutex<BTreeMap<ChannelId, Way>>>,
    taken: Arc<Mutex<Vec<Handed>>>,
    hanging: Arc<Mutex<Vec<Handed>>>,
    let_go: Arc<Notify>,
    /// Cameras that refuse, and those whose looks panic.
    down: Arc<Mutex<BTreeSet<CameraId>>>,
    cursed: Arc<Mutex<BTreeSet<CameraId>>>,
    /// What a reload reads.
    config: Arc<Mutex<Option<Config>>>,
}

fn lock<T>(held: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hands {
    fn way(&self, channel: &str, way: Way) {
        lock(&self.ways).insert(channel.into(), way);
    }

    fn down(&self, camera: &str, down: bool) {
        let mut all = lock(&self.down);
        if down {
            all.insert(camera.into())
        } else {
            all.remove(camera)
        };
    }

    /// Reasons that a channel was told for.
    fn told(&self, channel: &str) -> Vec<&'static str> {
        lock(&self.taken).iter().filter(|(to, ..)| to == channel).map(|(_, reason, _)| *reason).collect()
    }

    fn tell(&self) -> TellFn {
        let hands = self.clone();
        Arc::new(move |message| {
            let hands = hands.clone();
            async move {
                let channel = &message.place.channel;
                let handed = (channel.to_string(), message.notice.reason(), message.notice.key());
                let way = lock(&hands.ways).get(channel).copied().unwrap_or(Way::Takes);
                match way {
                    Way::Takes => lock(&hands.taken).push(handed),
                    Way::Refuses => return Err(Refusal::passing("503")),
                    Way::Panics => panic!("a test has a channel panic"),
                    Way::Hangs => {
                        lock(&hands.hanging).push(handed);
                        hands.let_go.notified().await;
                        return Err(Refusal::passing("it was let go"));
                    }
                }
                Ok(None)
            }
            .boxed()
        })
    }

    fn probing(&self, clock: &Clock) -> Probing {
        let (hands, clock) = (self.clone(), clock.clone());
        Probing::Simulated(Arc::new(move |order| {
            let id = &order.camera.id;
            let (cursed, down) = (lock(&hands.cursed).contains(id), lock(&hands.down).contains(id));
            let now = clock.now();
            async move {
                assert!(!cursed, "a test has a look panic");
                // Refused: the network works, so that no link is blamed.
                let failure = down.then(|| Failure::new(FailureKind::Refused, Detail::default()));
                let stream = Some(StreamFacts { proven: !down, ..StreamFacts::new(Codec::H264) });
                Observation { failure, stream, ..Observation::new(order.check, now) }
            }
            .boxed()
        }))
    }
}

/// Keeps tokio from turning the clock on by itself, which it does while the journal's thread works.
struct Still(#[expect(dead_code, reason = "its end is what counts")] std::sync::mpsc::Sender<()>);

impl Still {
    fn new() -> Self {
        let (held, end) = std::sync::mpsc::channel::<()>();
        // While something blocks, tokio's clock stands still.
        tokio::task::spawn_blocking(move || end.recv().is_err());
        Self(held)
    }
}

struct World {
    folder: tempfile::TempDir,
    hands: Hands,
    running: Running,
    journal: Journal,
    still: Still,
}

/// Two sites that a camera each watches; whoever is on call, with their channels, and channels that all share.
fn config(folder: &tempfile::TempDir, people: &[(&str, &[&str])], shared: &[&str]) -> Config {
    let mut text = String::from(
        "[commune]\nname = \"Xã Thử\"\n[web]\nlisten = \"127.0.0.1:0\"\nsign_in = false\n[journal]\npath = \"journal.sqlite3\"\n\
         [schedule]\nconfirm_every = \"1s\"\npublic = { liveness = \"2s\", stream = \"5s\" }\n",
    );
    for number in [1, 2] {
        text += &format!(
            "[[camera]]\nid = \"cam-{number}\"\nname = \"Cam {number}\"\nkind = \"public\"\n\
             rtsp = \"rtsp://127.0.0.{number}:9/s\"\n[[site]]\nid = \"site-{number}\"\nname = \"Ngã {number}\"\n\
             hamlet = \"Thôn 1\"\n[[site.view]]\nname = \"v\"\ncameras = [\"cam-{number}\"]\n"
        );
    }
    let quoted = |all: &[&str]| all.iter().map(|one| format!("\"{one}\"")).collect::<Vec<_>>().join(", ");
    let channels: BTreeSet<&str> =
        people.iter().flat_map(|(_, channels)| channels.iter()).chain(shared).copied().collect();
    for channel in channels {
        text +=
            &format!("[[channel]]\nid = \"{channel}\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/{channel}\"\n");
    }
    for (person, channels) in people {
        text += &format!("[[person]]\nid = \"{person}\"\nname = \"{person}\"\nchannels = [{}]\n", quoted(channels));
    }
    let names: Vec<&str> = people.iter().map(|(name, _)| *name).collect();
    text += &format!("[rotation]\npeople = [{}]\nstart = \"2026-11-02\"\n", quoted(&names));
    text += &format!("[alert]\nchannels = [{}]\n", quoted(shared));
    let path = folder.path().join("camhealth.toml");
    std::fs::write(&path, text).expect("it can be written");
    crate::config::load(&path).unwrap_or_else(|problems| panic!("{}", problems.render(false)))
}

impl World {
    async fn new(people: &[(&str, &[&str])], shared: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = config(&folder, people, shared);
        config.journal.path = None;
        Self::of(folder, config, Hands::default()).await
    }

    async fn of(folder: tempfile::TempDir, config: Config, hands: Hands) -> Self {
        let still = Still::new();
        let clock = Clock::simulated("2026-11-24T03:00:00Z".parse().expect("a time"));
        let read = hands.config.clone();
        let loader: Loader = Arc::new(move || lock(&read).clone().ok_or("there is nothing new".to_owned()));
        let parts = Parts { probing: hands.probing(&clock), loader };
        let tell = hands.tell();
        let (running, journal) = begin(config, clock, parts, |_| tell).await.expect("it starts");
        let mut world = Self { folder, hands, running, journal, still };
        world.until("all cameras are seen", |world| world.are(State::Up)).await;
        world
    }

    fn are(&self, state: State) -> bool {
        self.running.snapshots.borrow().cameras.values().all(|camera| camera.state == state)
    }

    /// Lets time pass until something is so, at most ten minutes.
    async fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        for _ in 0..6000 {
            // Each task, and the journal's thread, gets on with what there is.
            for _ in 0..4 {
                for _ in 0..8 {
                    tokio::task::yield_now().await;
                }
                self.journal.waiting().await.expect("it works");
            }
            if is_so(self) {
                return;
            }
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        panic!("it never came about: {what}; taken: {:?}", lock(&self.hands.taken));
    }

    /// Lets time pass until so many messages wait.
    async fn until_wait(&mut self, count: usize) {
        for _ in 0..6000 {
            self.until("time passes", |_| true).await;
            if self.journal.waiting().await.expect("it works") == count {
                return;
            }
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        panic!("{count} never waited; taken: {:?}", lock(&self.hands.taken));
    }

    /// Takes over a configuration with these people and channels, whatever it takes away.
    async fn reload(&mut self, people: &[(&str, &[&str])], shared: &[&str]) {
        let mut config = config(&self.folder, people, shared);
        config.journal.path = None;
        *lock(&self.hands.config) = Some(config);
        self.running.reload(true).await.expect("it is taken over");
    }

    fn is_whole(&self) -> bool {
        self.running.supervisor.broken().borrow().is_none()
    }
}

#[tokio::test(start_paused = true)]
async fn a_reload_of_people_and_channels_reaches_whoever_is_on_call_then() {
    let mut world = World::new(&[("an", &["zalo-an"])], &["hook"]).await;
    let hands = world.hands.clone();
    hands.down("cam-1", true);
    world.until("An is called", |_| hands.told("zalo-an") == ["coverage_lost"]).await;
    assert_eq!(hands.told("hook"), ["coverage_lost"]);
    let refused = world.running.reload(false).await.expect_err("there is nothing to read");
    assert_eq!(refused, Refused::Configuration("there is nothing new".into()));
    world.reload(&[("binh", &["zalo-binh"])], &["hook"]).await;
    hands.down("cam-2", true);
    world.until("Bình is called", |_| hands.told("zalo-binh") == ["coverage_lost"]).await;
    ["cam-1", "cam-2"].iter().for_each(|camera| hands.down(camera, false));
    world.until("it is taken back", |_| hands.told("zalo-binh") == ["coverage_lost", "coverage_restored"]).await;
    world.until("both are over", |_| hands.told("hook").len() == 4).await;
    // An's channel is gone: nobody can be told over it, and nothing waits for it.
    world.until_wait(0).await;
    assert_eq!(hands.told("zalo-an"), ["coverage_lost"]);
    assert!(world.is_whole());
}

#[tokio::test(start_paused = true)]
async fn a_reload_lets_go_of_the_fleet_that_was() {
    let mut world = World::new(&[("an", &["zalo-an"])], &[]).await;
    for _ in 0..2 {
        let before = Arc::downgrade(&world.running.snapshots.borrow().fleet);
        world.reload(&[("an", &["zalo-an"])], &[]).await;
        lock(&world.hands.config).take();
        world.until("nobody holds it", |_| before.upgrade().is_none()).await;
    }
    assert!(world.is_whole());
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_channel_that_is_removed_goes_another_way_or_is_given_up() {
    let mut world = World::new(&[("an", &["zalo-an", "sms-an"])], &["hook"]).await;
    let hands = world.hands.clone();
    hands.way("zalo-an", Way::Hangs);
    hands.way("hook", Way::Refuses);
    ["cam-1", "cam-2"].iter().for_each(|camera| hands.down(camera, true));
    world.until("one is under way", |_| lock(&hands.hanging).len() == 1).await;
    // Two alarms to An, of which the second waits for the first, and both over the shared channel.
    world.until_wait(4).await;
    world.reload(&[("an", &["sms-an"])], &[]).await;
    world.until_wait(2).await;
    assert_eq!((hands.told("sms-an").len(), hands.told("hook").len()), (0, 0), "An's channel is still busy");
    hands.let_go.notify_waiters();
    world.until("An is told of both", |_| hands.told("sms-an") == ["coverage_lost"; 2]).await;
    world.until_wait(0).await;
    assert_eq!((lock(&hands.hanging).len(), hands.told("zalo-an").len()), (1, 0), "nothing more went there");
}

#[tokio::test(start_paused = true)]
async fn what_panics_while_it_is_told_or_looked_at_costs_only_itself() {
    let mut world = World::new(&[("an", &["zalo-an", "sms-an"])], &[]).await;
    let hands = world.hands.clone();
    hands.way("zalo-an", Way::Panics);
    lock(&hands.cursed).insert("cam-2".into());
    hands.down("cam-1", true);
    world.until("the next channel takes over", |_| hands.told("sms-an") == ["coverage_lost"]).await;
    hands.way("zalo-an", Way::Takes);
    hands.down("cam-1", false);
    world.until("the first channel works again", |_| hands.told("zalo-an") == ["coverage_restored"]).await;
    lock(&hands.cursed).clear();
    world.until("all cameras are seen", |world| world.are(State::Up)).await;
    assert!(world.is_whole());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ends_is_named_while_a_message_is_under_way() {
    let mut world = World::new(&[("an", &["zalo-an"])], &[]).await;
    let hands = world.hands.clone();
    hands.way("zalo-an", Way::Hangs);
    hands.down("cam-1", true);
    world.until("one is under way", |_| lock(&hands.hanging).len() == 1).await;
    world.running.supervisor.tasks()[&Task::Schedule].abort();
    let broken = world.running.broken().await;
    assert_eq!((broken.task, broken.why.as_str()), (Task::Schedule, "it was cut off"));
    let World { running, still, .. } = world;
    drop(still);
    let began = tokio::time::Instant::now();
    running.stop().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_the_middle_of_a_delivery_loses_it_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(&folder, &[("an", &["zalo-an"])], &[]);
    let mut world = World::of(folder, config.clone(), Hands::default()).await;
    let hands = world.hands.clone();
    hands.way("zalo-an", Way::Hangs);
    hands.down("cam-1", true);
    world.until("one is under way", |_| lock(&hands.hanging).len() == 1).await;
    let World { folder, running, journal, still, .. } = world;
    drop(still);
    let began = tokio::time::Instant::now();
    running.stop().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let closed = journal.ended();
    drop(journal);
    closed.await;
    // The next run sends it again, under the key by which the receiver knows it.
    let key = lock(&hands.hanging)[0].2.clone();
    hands.way("zalo-an", Way::Takes);
    hands.down("cam-1", false);
    let mut world = World::of(folder, config, hands.clone()).await;
    world.until("An is told", |_| lock(&hands.taken).iter().any(|(_, _, told)| *told == key)).await;
    world.until("it is taken back", |_| hands.told("zalo-an") == ["coverage_lost", "coverage_restored"]).await;
}
