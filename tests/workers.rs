//! Worker processes that end for reasons that are no camera's, as when the machine runs out of memory.

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
use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

/// A prober whose workers are told from those of other tests by the name under which they were started.
struct Marked {
    prober: Arc<Prober>,
    program: PathBuf,
    _folder: tempfile::TempDir,
}

impl Marked {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let marked = folder.path().join("camhealth");
        std::os::unix::fs::symlink(program(), &marked).expect("a link");
        let settings = Settings::default();
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

    async fn worker(&self, but: Option<i32>) -> i32 {
        eventually("a worker", async || self.workers().into_iter().find(|pid| Some(*pid) != but)).await
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
    let marked = Marked::new();
    let camera = start().await;
    // No media: the looks last until somebody ends their worker.
    camera.set_fault(Fault::NoMedia).await.expect("the fault is set");
    let target = configured(&camera);
    for signal in [Signal::KILL, Signal::KILL, Signal::KILL, Signal::QUIT] {
        let look = tokio::spawn({
            let (prober, target) = (marked.prober.clone(), target.clone());
            async move { prober.probe(&target, Look::new(Check::Stream, jiff::Timestamp::now())).await }
        });
        let shared = marked.worker(None).await;
        kill(shared, signal);
        // The look runs again, alone in another worker, which ends the same way.
        let alone = marked.worker(Some(shared)).await;
        kill(alone, signal);
        let observation = look.await.expect("the probe does not panic");
        assert_eq!(cause(&observation), Some(FailureKind::ProbeFailed), "{observation:#?}");
    }
    let deaths = marked.deaths();
    assert_eq!((deaths["killed"], deaths["crashed"], deaths["hung"]), (8, 0, 0), "{deaths:?}");

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
    kill(marked.worker(None).await, Signal::KILL);
    let observation = look.await.expect("the probe does not panic");
    assert_eq!(observation.failure, None, "{observation:#?}");
    assert_eq!(marked.deaths()["killed"], 1);
}

#[tokio::test]
async fn a_program_that_is_no_worker_blames_no_camera() {
    let camera = start().await;
    let prober = Prober::new(Settings::default(), Pool::new("/bin/false".into(), 1, 64));
    let observation = prober.probe(&configured(&camera), Look::new(Check::Stream, jiff::Timestamp::now())).await;
    assert_eq!(cause(&observation), Some(FailureKind::ProbeFailed), "{observation:#?}");
}
