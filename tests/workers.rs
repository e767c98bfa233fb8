//! Worker processes: those that end for reasons that are no camera's, and what confines them all.

use crate::{
    simulated::{configured, start},
    support::{eventually, program},
};
use camhealth::{
    model::{Check, FailureKind, Observation},
    probe::{Look, Pool, Prober, Settings, WORKER_ARGUMENT},
    sim::Fault,
};
use rustix::process::{Pid, Signal, kill_process};
use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc, time::Duration};

/// A prober whose workers are told from those of other tests by the name under which they were started.
struct Marked {
    prober: Arc<Prober>,
    program: PathBuf,
    _folder: tempfile::TempDir,
}

impl Marked {
    fn new() -> Self {
        Self::with(Settings::default())
    }

    /// Looks without media last until a test ends their worker, however busy the machine is.
    fn patient() -> Self {
        Self::with(Settings { media_timeout: Duration::from_secs(60), ..Settings::default() })
    }

    fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let marked = folder.path().join("camhealth");
        std::os::unix::fs::symlink(program(), &marked).expect("a link");
        let pool = Pool::new(marked.clone(), 1, settings.worker_memory_mib);
        Self { prober: Arc::new(Prober::new(settings, pool)), program: marked, _folder: folder }
    }

    fn workers(&self) -> Vec<i32> {
        let ours = format!("{}\0{WORKER_ARGUMENT}\0", self.program.display());
        let pids = fs::read_dir("/proc").expect("this is Linux").flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        pids.filter(|pid| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(ours.as_bytes())))
            .collect()
    }

    async fn worker(&self) -> i32 {
        eventually("a worker", async || self.workers().first().copied()).await
    }

    fn deaths(&self) -> BTreeMap<&'static str, u64> {
        self.prober.pool().deaths().collect()
    }
}

fn kill(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).expect("a process"), signal).expect("it is ours");
}

fn cause(observation: &Observation) -> Option<FailureKind> {
    observation.failure.as_ref().map(|failure| failure.kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_are_killed_from_outside_blame_no_camera() {
    let marked = Marked::patient();
    let camera = start().await;
    // No media: the looks last until somebody ends their worker.
    camera.set_fault(Fault::NoMedia).await.expect("the fault is set");
    let target = configured(&camera);
    for signal in [Signal::KILL, Signal::KILL, Signal::KILL, Signal::QUIT] {
        let before = camera.stats().connections;
        let mut look = tokio::spawn({
            let (prober, target) = (marked.prober.clone(), target.clone());
            async move { prober.probe(&target, Look::new(Check::Stream, jiff::Timestamp::now())).await }
        });
        // The process is there before its job is: a worker has it in hand once it has connected to the camera. After
        // it the look runs again, alone in another worker, which ends the same way.
        let kills = async {
            let mut connections = before + 2;
            loop {
                let more =
                    eventually("a connection", async || (camera.stats().connections >= connections).then_some(()));
                // Where whoever was killed had nothing in hand yet, no other connection follows.
                let _ = tokio::time::timeout(Duration::from_secs(1), more).await;
                connections = camera.stats().connections + 1;
                // Beside the one that has the look in hand another may wait for work already: which is which cannot be
                // seen. One that ended meanwhile needs no killing.
                for pid in marked.workers().into_iter().filter_map(Pid::from_raw) {
                    let _ = kill_process(pid, signal);
                }
            }
        };
        let seen = tokio::select! {
            () = kills => unreachable!("killing goes on"),
            seen = &mut look => seen,
        };
        let observation = seen.expect("the probe does not panic");
        assert_eq!(cause(&observation), Some(FailureKind::ProbeFailed), "{observation:#?}");
    }
    let deaths = marked.deaths();
    assert!(deaths["killed"] >= 4, "{deaths:?}");
    assert_eq!((deaths["crashed"], deaths["hung"], deaths["misspoke"]), (0, 0, 0), "{deaths:?}");

    // Nothing is held against the camera: its next look goes to a shared worker, which stays.
    camera.set_fault(Fault::None).await.expect("the fault is set");
    let observation = marked.prober.probe(&target, Look::new(Check::Stream, jiff::Timestamp::now())).await;
    assert_eq!(observation.failure, None, "{observation:#?}");
    assert_eq!(marked.workers().len(), 1, "a suspect's worker would be gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_survives_one_killed_worker() {
    let marked = Marked::new();
    let camera = start().await;
    let target = configured(&camera);
    let look = tokio::spawn({
        let (prober, target) = (marked.prober.clone(), target.clone());
        async move { prober.probe(&target, Look::new(Check::Stream, jiff::Timestamp::now())).await }
    });
    let worker = marked.worker().await;
    eventually("a connection", async || (camera.stats().connections >= 2).then_some(())).await;
    kill(worker, Signal::KILL);
    let observation = look.await.expect("the probe does not panic");
    assert_eq!(observation.failure, None, "{observation:#?}");
    eventually("its end", async || (marked.deaths()["killed"] == 1).then_some(())).await;
}

#[tokio::test]
async fn a_program_that_is_no_worker_blames_no_camera() {
    let camera = start().await;
    let prober = Prober::new(Settings::default(), Pool::new("/bin/false".into(), 1, 64));
    let observation = prober.probe(&configured(&camera), Look::new(Check::Stream, jiff::Timestamp::now())).await;
    assert_eq!(cause(&observation), Some(FailureKind::ProbeFailed), "{observation:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_kernel_says_of_a_worker_is_what_the_pool_says() {
    let marked = Marked::new();
    let camera = start().await;
    let target = configured(&camera);
    let look = tokio::spawn({
        let (prober, target) = (marked.prober.clone(), target.clone());
        async move { prober.probe(&target, Look::new(Check::Survey, jiff::Timestamp::now())).await }
    });
    let pid = marked.worker().await;
    let status = eventually("a confined worker", async || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        status.contains("Seccomp:\t2").then_some(status)
    })
    .await;
    let of = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).expect("it is there");
    assert_eq!((of("NoNewPrivs:"), of("Threads:")), ("1", "1"), "{status}");
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
        assert_eq!(of(set), "0000000000000000", "{set}");
    }
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("it lives");
    let limit = |name: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).expect("it is there");
        line.split_whitespace().map(str::to_owned).take(2).collect::<Vec<_>>()
    };
    assert_eq!(limit("Max data size"), ["67108864", "67108864"]);
    assert_eq!(limit("Max core file size"), ["0", "0"]);
    assert_eq!(limit("Max file size"), ["0", "0"]);
    assert_eq!(limit("Max open files"), ["256", "256"]);
    // As a service manager does to the whole group: the daemon decides when a worker ends.
    kill(pid, Signal::TERM);
    let observation = look.await.expect("the probe does not panic");
    assert_eq!(observation.failure, None, "a confined worker can look: {observation:#?}");
    assert_eq!(marked.workers(), [pid], "it outlives SIGTERM");
    let layers: BTreeMap<_, _> = marked.prober.pool().sandbox().into_iter().collect();
    assert_eq!((layers["limits"], layers["privileges"], layers["system_calls"]), (true, true, true), "{layers:?}");
}
