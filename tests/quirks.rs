//! What cameras get wrong, judged by players that nobody here wrote: where one plays, the verdict is `up`, and where
//! none does, it is not.
//!
//! Each quirk of the simulator is watched for some seconds at once by ffmpeg, by GStreamer, by retina alone and by our
//! own long look; what counts is whether video still comes at the end. `cargo test quirks -- --nocapture` prints the
//! table that the README shows.

use crate::{
    simulated::{LOOPBACK, configured, start},
    support::{program, require},
};
use camhealth::{
    health,
    model::{Camera, Check, Client, Login, Memory, Observation, Promise, Verdict},
    probe::{Look, Pool, Prober, Settings},
    sim::{Fault, SimCamera, Spec},
};
use futures_util::StreamExt;
use std::{process::Stdio, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    time::{Instant, timeout, timeout_at},
};

/// How long each watches.
const WATCHED: Duration = Duration::from_secs(8);
/// Video plays if it came within the last of that time.
const LATELY: Duration = Duration::from_secs(3);
const USER: &str = "giamsat";
const PASSWORD: &str = "canary";

/// What is asked of players.
const QUIRKS: &[Fault] = &[
    Fault::None,
    Fault::OneByteWrites,
    Fault::OddContentType,
    Fault::OddSession,
    Fault::SpacedSession,
    Fault::StaleFirst,
    Fault::StaleNonce,
    Fault::FreshNonces,
    Fault::AlwaysStale,
    Fault::LateBody,
    Fault::BrokenDescription,
    Fault::ForeignContentBase,
    Fault::Redirects,
    Fault::CameraSendsOptions,
    Fault::SsrcChange { after_frames: 20 },
    Fault::Restart { after_frames: 20 },
    Fault::SequenceBack { after_frames: 20 },
    Fault::StrayBytes,
    Fault::Bursts,
    Fault::CacheThenLive,
    Fault::CachedOnly,
    Fault::Slow { one_in: 15 },
    Fault::Lossy { one_in: 25 },
    Fault::TimestampJump { after_frames: 20 },
    Fault::NoMedia,
    Fault::Stall { after_frames: 15 },
    Fault::Closes { after_frames: 15 },
    Fault::Resets { after_frames: 15 },
    Fault::AudioOnly,
    Fault::EmptyDescription,
    Fault::WrongLogin,
    Fault::NotFound,
    Fault::Busy,
    Fault::Mute,
    Fault::Garbage,
    Fault::PortClosed,
];

/// A camera of its own for each watcher, so that none spends what another meets first.
async fn camera(fault: Fault) -> SimCamera {
    let camera = start().await;
    camera.set_fault(fault).await.expect("the fault is set");
    camera
}

fn with_login(camera: &SimCamera) -> String {
    camera.rtsp_url().replace("rtsp://", &format!("rtsp://{USER}:{PASSWORD}@"))
}

/// Whether ffmpeg still gets frames at the end.
async fn ffmpeg(fault: Fault) -> bool {
    let camera = camera(fault).await;
    let url = with_login(&camera);
    let arguments = ["-nostdin", "-v", "quiet", "-rtsp_transport", "tcp", "-analyzeduration", "1000000", "-i", &url];
    let output = ["-map", "0:v", "-c", "copy", "-f", "null", "-progress", "pipe:1", "-stats_period", "0.2", "-"];
    let mut command = Command::new("/usr/bin/ffmpeg");
    command.args(arguments).args(output).stdout(Stdio::piped()).stdin(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().expect("it runs");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let until = Instant::now() + WATCHED;
    let (mut frames, mut last) = (0, None);
    while let Ok(Ok(Some(line))) = timeout_at(until, lines.next_line()).await {
        let count = line.strip_prefix("frame=").and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0);
        // The last line may only repeat what a stream that ended had.
        if count > frames {
            (frames, last) = (count, Some(Instant::now()));
        }
    }
    last.is_some_and(|last| until - last < LATELY)
}

/// Whether GStreamer's `rtspsrc` still hands out video at the end.
async fn gstreamer(fault: Fault) -> bool {
    let camera = camera(fault).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("video");
    let location = format!("location={}", camera.rtsp_url());
    let (user, password) = (format!("user-id={USER}"), format!("user-pw={PASSWORD}"));
    let sink = format!("location={}", file.display());
    let mut command = Command::new("/usr/bin/gst-launch-1.0");
    command.args(["-q", "rtspsrc", &location, &user, &password, "protocols=tcp", "latency=0"]);
    command.args(["!", "rtph264depay", "!", "filesink", &sink, "buffer-mode=unbuffered"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().expect("it runs");
    let until = Instant::now() + WATCHED;
    let (mut size, mut last) = (0, None);
    // The file's size is looked at now and then until the time is over, or the player has given up.
    while timeout(Duration::from_millis(200), child.wait()).await.is_err() {
        let now = std::fs::metadata(&file).map_or(0, |file| file.len());
        if now > size {
            (size, last) = (now, Some(Instant::now()));
        }
        if Instant::now() >= until {
            break;
        }
    }
    last.is_some_and(|last| until.saturating_duration_since(last) < LATELY)
}

/// Whether retina alone still gets packets at the end.
async fn retina(fault: Fault) -> bool {
    use retina::client::{
        Credentials, InitialTimestampPolicy, PacketItem, PlayOptions, Session, SessionOptions, SetupOptions,
        TeardownPolicy,
    };
    let camera = camera(fault).await;
    let credentials = Credentials { username: USER.into(), password: PASSWORD.into() };
    let options = SessionOptions::default().creds(Some(credentials)).teardown(TeardownPolicy::Never);
    let until = Instant::now() + WATCHED;
    let mut last = None;
    let played = async {
        let mut session = Session::describe(camera.rtsp_url().parse().expect("a URL"), options).await.ok()?;
        let video = session.streams().iter().position(|stream| stream.media() == "video")?;
        session.setup(video, SetupOptions::default()).await.ok()?;
        let options = PlayOptions::default().initial_timestamp(InitialTimestampPolicy::Ignore);
        let mut session = Box::pin(session.play(options).await.ok()?);
        while let Some(Ok(item)) = session.next().await {
            if let PacketItem::Rtp(_) = item {
                last = Some(Instant::now());
            }
        }
        Some(())
    };
    let _ = timeout_at(until, played).await;
    last.is_some_and(|last| until - last < LATELY)
}

async fn ours(fault: Fault) -> Observation {
    let camera = camera(fault).await;
    look(&configured(&camera), Check::Survey).await
}

async fn look(camera: &Camera, check: Check) -> Observation {
    let settings = Settings::default();
    let pool = Pool::new(program().into(), 1, settings.worker_memory_mib);
    Prober::new(settings, pool).probe(camera, Look::new(check, jiff::Timestamp::now())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_player_plays_is_up_and_nothing_else() {
    ["/usr/bin/ffmpeg", "/usr/bin/gst-launch-1.0"].iter().for_each(|program| require(program));
    println!("| what it does | ffmpeg | GStreamer | retina alone | camhealth |\n| --- | --- | --- | --- | --- |");
    let mut doubtful = Vec::new();
    // As many at once as two cores can watch.
    for quirks in QUIRKS.chunks(12) {
        let watched = quirks.iter().map(|fault| {
            let fault = *fault;
            tokio::spawn(async move {
                // Some descriptions end retina's parser with a panic.
                let alone = tokio::spawn(retina(fault));
                let (ffmpeg, gstreamer, alone, ours) =
                    tokio::join!(ffmpeg(fault), gstreamer(fault), alone, ours(fault));
                (ffmpeg, gstreamer, alone.unwrap_or(false), ours)
            })
        });
        for (fault, watched) in quirks.iter().zip(futures_util::future::join_all(watched).await) {
            let (ffmpeg, gstreamer, retina, seen) = watched.expect("nobody panics");
            let plays = |plays| if plays { "plays" } else { "—" };
            let cause = seen.failure.as_ref().map_or("", |failure| failure.kind.as_str());
            let verdict = format!("{} {cause}", seen.verdict().as_str());
            println!(
                "| {fault:?} | {} | {} | {} | {} |",
                plays(ffmpeg),
                plays(gstreamer),
                plays(retina),
                verdict.trim()
            );
            if (ffmpeg || gstreamer) != seen.proves() {
                doubtful.push(*fault);
            }
        }
    }
    // On a busy machine a player gives up where it would play: what differs is watched again by itself.
    for fault in doubtful {
        let (ffmpeg, gstreamer, seen) = tokio::join!(ffmpeg(fault), gstreamer(fault), ours(fault));
        assert_eq!(
            ffmpeg || gstreamer,
            seen.proves(),
            "{fault:?}: ffmpeg {ffmpeg}, GStreamer {gstreamer}, but {seen:#?}"
        );
    }
}

/// What no player can tell, or what we do not do although players do.
#[tokio::test(flavor = "multi_thread")]
async fn where_players_are_no_measure() {
    let frozen = ours(Fault::Frozen).await;
    assert_eq!(frozen.verdict(), Verdict::Down, "a player shows the same picture for ever: {frozen:#?}");
    let unknown = ours(Fault::UnknownCodec).await;
    assert!(unknown.proves(), "what no player can decode is video all the same: {unknown:#?}");
    let basic = ours(Fault::BasicOnly).await;
    assert_eq!(basic.verdict(), Verdict::Unproven, "players give the password away: {basic:#?}");
}

#[tokio::test]
async fn a_password_goes_in_clear_only_where_it_may() {
    let camera = camera(Fault::BasicOnly).await;
    let target = configured(&camera);
    let observation = look(&target, Check::Stream).await;
    let failure = observation.failure.expect("a reason");
    assert_eq!(failure.kind.as_str(), "insecure_login");
    assert_eq!(camera.stats().basic_logins, 0, "{}", failure.detail);
    let login = Login { allow_basic: true, ..Login::new(USER, PASSWORD.to_owned()) };
    let allowed = Camera { login: Some(Arc::new(login)), ..target };
    let observation = look(&allowed, Check::Stream).await;
    assert!(observation.failure.is_none() && observation.proves(), "{observation:#?}");
    assert_eq!(observation.login_scheme.map(|scheme| scheme.as_str()), Some("basic"));
}

/// Who asked for Digest before and wants the password in clear now may be somebody else: it is told, for a day.
#[tokio::test]
async fn a_change_from_digest_to_basic_is_told() {
    let camera = start().await;
    let login = Login { allow_basic: true, ..Login::new(USER, PASSWORD.to_owned()) };
    let target = Camera { login: Some(Arc::new(login)), ..configured(&camera) };
    let settings = health::Settings::default();
    let promise = Promise::default();
    let measure = health::Measure { promise: &promise, serial: None, stream: "", cause: None, settings: &settings };
    let (mut memory, now) = (Memory::default(), jiff::Timestamp::now());
    let seen = look(&target, Check::Stream).await;
    assert_eq!(health::judge(now, &seen, &mut memory, measure), None, "{seen:#?}");
    camera.set_fault(Fault::BasicOnly).await.expect("the fault is set");
    let seen = look(&target, Check::Stream).await;
    let told = health::judge(now, &seen, &mut memory, measure).expect("a reason");
    assert_eq!(told.kind.as_str(), "login_downgraded");
    // Without leave it is refused, and the refusal says what was before.
    let seen = look(&configured(&camera), Check::Stream).await;
    let mut before = Memory::default();
    camera.set_fault(Fault::None).await.expect("the fault is set");
    health::judge(now, &look(&configured(&camera), Check::Stream).await, &mut before, measure);
    let told = health::judge(now, &seen, &mut before, measure).expect("a reason");
    assert!(told.kind.as_str() == "insecure_login" && told.detail.to_string().contains("Digest before"), "{told:?}");
}

#[tokio::test]
async fn a_camera_that_calls_every_nonce_stale_is_asked_no_more_than_one_that_rejects() {
    let camera = camera(Fault::AlwaysStale).await;
    let observation = look(&configured(&camera), Check::Stream).await;
    assert_eq!(observation.failure.expect("a reason").kind.as_str(), "auth", "it counts as a strike");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_only_the_second_client_can_open_costs_one_session_from_then_on() {
    let camera = SimCamera::start(Spec::new(LOOPBACK)).await.expect("ports");
    camera.set_fault(Fault::RefusesFirstClient).await.expect("the fault is set");
    let target = Camera { login: None, ..configured(&camera) };
    let settings = Settings::default();
    let pool = Pool::new(program().into(), 1, settings.worker_memory_mib);
    let prober = Prober::new(settings, pool);
    let mut connections = 0;
    for (number, expected) in [(0, 3), (1, 2), (2, 2)] {
        let seen = prober.probe(&target, Look::new(Check::Stream, jiff::Timestamp::now())).await;
        assert!(seen.failure.is_none() && seen.proves(), "look {number}: {seen:#?}");
        assert_eq!(seen.stream.expect("facts").client, Client::Retina);
        let before = std::mem::replace(&mut connections, camera.stats().connections);
        assert_eq!(connections - before, expected, "look {number}: one connection asks OPTIONS");
    }
}

/// The critical one: whatever a camera names, its login and our connections go to it alone.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_ever_connected_to_but_the_configured_address() {
    let sink = tokio::net::TcpListener::bind(LOOPBACK).await.expect("a port");
    let port = sink.local_addr().expect("an address").port();
    let udp = tokio::net::UdpSocket::bind(("127.0.0.1", port)).await.expect("the same port");
    for login in [true, false] {
        for fault in [Fault::Betrayer { sink: port }, Fault::RedirectsAway { sink: port }, Fault::ForeignContentBase] {
            let camera = match login {
                true => start().await,
                false => SimCamera::start(Spec::new(LOOPBACK)).await.expect("ports"),
            };
            camera.set_fault(fault).await.expect("the fault is set");
            let mut target = configured(&camera);
            // With a login that may even be given away.
            let open = Login { allow_basic: true, ..Login::new(USER, PASSWORD.to_owned()) };
            target.login = login.then(|| Arc::new(open));
            for check in [Check::Stream, Check::Survey] {
                look(&target, check).await;
            }
            assert!(camera.stats().connections > 0);
        }
    }
    // What was begun in the shared worker would go on: teardowns were retried there for minutes.
    let mut buffer = [0; 64];
    let visited = timeout(Duration::from_secs(3), async {
        tokio::select! {
            visitor = sink.accept() => format!("TCP: {visitor:?}"),
            packet = udp.recv_from(&mut buffer) => format!("UDP: {packet:?}"),
        }
    });
    if let Ok(visitor) = visited.await {
        panic!("somebody else was connected to: {visitor}");
    }
}
