//! The daemon as it is put together: each of its tasks is watched, and the end of any one is the end of all.

use super::*;
use crate::{
    clock::Clock,
    model::Observation,
    request::{self, Done},
};
use std::collections::BTreeSet;

/// A daemon with one camera that is always well.
async fn daemon(probing: Probing) -> (Running, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("camhealth.toml");
    let text = include_str!("../../tests/fixtures/one_camera.toml");
    std::fs::write(&path, text).expect("it can be written");
    let config = crate::config::load(&path).expect("it is valid");
    let parts = Parts { probing, loader: Arc::new(|| Err("not asked for".into())) };
    (start(config, Clock::system(), parts).await.expect("it starts"), folder)
}

fn simulated() -> Probing {
    Probing::Simulated(Arc::new(|order| Box::pin(async move { Observation::new(order.check, Clock::system().now()) })))
}

/// What every daemon has, and what those have that look for real. Under systemd there is one more.
const ALWAYS: [Task; 12] = [
    Task::EventLoop,
    Task::Journal,
    Task::Schedule,
    Task::Web,
    Task::Relay,
    Task::Agents,
    Task::Contract,
    Task::Replies,
    Task::Trunks,
    Task::Heartbeat,
    Task::Alertmanagers,
    Task::Distress,
];

async fn fetch(running: &Running, path: &str) -> (u16, String) {
    let answer = reqwest::get(format!("http://{}{path}", running.address())).await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

#[tokio::test]
async fn every_task_is_registered() {
    let (running, _folder) = daemon(Probing::Real("no-such-program".into())).await;
    let known: BTreeSet<Task> = running.supervisor.tasks().keys().copied().collect();
    assert_eq!(known, ALWAYS.into_iter().chain([Task::Beacons]).collect());
    let optional = [Task::Beacons, Task::Certificates, Task::Acme, Task::ServiceManager];
    assert!(Task::ALL.iter().all(|task| known.contains(task) || optional.contains(task)), "a task is new");
    let (status, metrics) = fetch(&running, "/metrics").await;
    assert_eq!(status, 200);
    for task in known {
        assert!(metrics.contains(&format!("camhealth_task_up{{task=\"{}\"}} 1\n", task.as_str())), "{metrics}");
    }
    running.stop().await;
}

#[tokio::test]
async fn whichever_task_ends_is_noticed_at_once_and_the_rest_ends_in_order() {
    for task in ALWAYS {
        let (running, _folder) = daemon(simulated()).await;
        for path in ["/-/ready", "/-/healthy"] {
            assert_eq!(fetch(&running, path).await.0, 200, "{path}");
        }
        running.supervisor.tasks()[&task].abort();
        let broken = running.broken().await;
        assert_eq!((broken.task, broken.why.as_str()), (task, "it was cut off"));
        if task != Task::Web {
            for path in ["/-/ready", "/-/healthy"] {
                let (status, text) = fetch(&running, path).await;
                assert_eq!((status, text.contains(task.as_str())), (503, true), "{path}: {text}");
            }
            let (_, metrics) = fetch(&running, "/metrics").await;
            assert!(metrics.contains(&format!("camhealth_task_up{{task=\"{}\"}} 0\n", task.as_str())), "{metrics}");
        }
        let began = tokio::time::Instant::now();
        running.stop().await;
        assert!(began.elapsed() < Duration::from_secs(5), "{}: stopping took {:?}", task.as_str(), began.elapsed());
    }
}

#[tokio::test]
async fn a_daemon_that_is_told_to_stop_breaks_nothing() {
    let (running, _folder) = daemon(simulated()).await;
    let broken = running.supervisor.broken();
    running.stop().await;
    assert_eq!(*broken.borrow(), None);
}

async fn wish(running: &Running, request: Request) -> Result<Done, Refused> {
    let (answer, answered) = oneshot::channel();
    running.requests.send(web::Asked { request, by: By::machine(), answer }).await.expect("the loop runs");
    answered.await.expect("it is answered")
}

fn silence(from: Option<jiff::Timestamp>, minutes: u64) -> Request {
    let scope = crate::model::Scope::Camera("cam".into());
    let begin = from.unwrap_or(Clock::system().now());
    let until = crate::model::later(begin, Duration::from_secs(60 * minutes));
    let (author, reason) = ("An".into(), "bảo trì".into());
    Request::Silence(request::Silence { scope, from, until: Some(until), minutes: None, author, reason })
}

#[tokio::test]
async fn silences_have_an_id_each_and_are_bounded_in_number_and_time() {
    let (running, _folder) = daemon(simulated()).await;
    let mut ids = BTreeSet::new();
    // All of them within a few milliseconds: their ids once came from the time alone, and overwrote each other.
    for _ in 0..200 {
        assert!(ids.insert(wish(&running, silence(None, 60)).await.expect("it is done").to_string()));
    }
    let refused = |outcome: Result<Done, Refused>, part: &str| {
        assert!(outcome.as_ref().is_err_and(|refusal| refusal.to_string().contains(part)), "{outcome:?}");
    };
    refused(wish(&running, silence(None, 60)).await, "200 windows are set already");
    let first = ids.first().expect("there are many").clone();
    wish(&running, Request::Unsilence { window: first }).await.expect("it is ended");
    assert!(ids.insert(wish(&running, silence(None, 60)).await.expect("there is room again").to_string()));
    let far: jiff::Timestamp = "9998-01-01T00:00:00Z".parse().expect("a time");
    refused(wish(&running, silence(Some(far), 60)).await, "more than 90 days");
    refused(wish(&running, silence(None, 0)).await, "the end lies in the past");
    // Who ends as many as they set fills no disk either.
    let mut set = 201;
    let last = loop {
        let id = ids.pop_last().expect("there are many");
        wish(&running, Request::Unsilence { window: id }).await.expect("it is ended");
        match wish(&running, silence(None, 60)).await {
            Ok(done) => ids.insert(done.to_string()),
            refusal => break refusal,
        };
        set += 1;
    };
    refused(last, "windows were set within a day");
    assert_eq!(set, 1000);
    running.stop().await;
}
