//! Real Alertmanagers are told what is open: one alone shows it, and of two that form a cluster one tells people, once.

use crate::{
    support::{eventually, free_address, require, run},
    telling::{Receiver, World, channel},
};
use camhealth::sim::Fault;
use serde_json::Value;
use std::{
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

const PROGRAM: &str = "/usr/bin/prometheus-alertmanager";

/// An Alertmanager; it ends with this value.
struct Alertmanager {
    process: Child,
    listen: SocketAddr,
}

impl Alertmanager {
    /// Starts one; `more` is said of its cluster.
    fn start(folder: &Path, name: &str, config: &str, more: &[String]) -> Self {
        require(PROGRAM);
        let (listen, file) = (free_address(), folder.join(name).with_extension("yml"));
        std::fs::write(&file, config).expect("a disk");
        let process = Command::new(PROGRAM)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", folder.join(name).display()))
            .arg(format!("--web.listen-address={listen}"))
            .arg("--log.level=error")
            .args(more)
            .stdin(Stdio::null())
            .spawn()
            .expect("it starts");
        Self { process, listen }
    }

    fn amtool(&self, arguments: &[&str]) -> Option<Value> {
        let mut command = Command::new("/usr/bin/amtool");
        command.args(arguments).arg("--output=json").arg(format!("--alertmanager.url=http://{}", self.listen));
        serde_json::from_slice(&run(&mut command).stdout).ok()
    }

    async fn shows(&self, wanted: &str, count: usize) -> Vec<Value> {
        eventually(&format!("{count} {wanted}"), async || {
            let alerts = self.amtool(&["alert", "query", wanted])?.as_array()?.clone();
            (alerts.len() == count).then_some(alerts)
        })
        .await
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn alertmanager_shows_what_is_open_and_that_the_daemon_lives() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "route: {receiver: none}\nreceivers: [{name: none}]\n";
    let alertmanager = Alertmanager::start(folder.path(), "one", config, &["--cluster.listen-address=".to_owned()]);
    let contacts = channel("am", "alertmanager", &format!("urls = [\"http://{}\"]", alertmanager.listen));
    let mut world = World::new(&contacts).await;
    world.start().await;
    alertmanager.shows("alertname=CamhealthWatchdog", 1).await;
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    let alerts = alertmanager.shows("alertname=CamhealthIncident", 1).await;
    assert_eq!(alerts[0]["labels"]["severity"], "critical");
    assert_eq!(alerts[0]["annotations"]["summary"], "#1 Ngã tư Chợ: blind");
    world.camera.set_fault(Fault::None).await.expect("the fault is set");
    alertmanager.shows("alertname=CamhealthIncident", 0).await;
}

/// Both members of a cluster are told, one of them tells people; it dies, and the other goes on without a word said twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_tells_once_when_one_of_it_dies() {
    let (folder, receiver) = (tempfile::tempdir().expect("a folder"), Receiver::default());
    let here = receiver.start().await;
    let config = format!(
        "route:\n  receiver: none\n  routes:\n  - receiver: people\n    matchers: ['alertname=\"CamhealthIncident\"']\n    \
         group_by: [incident]\n    group_wait: 1s\n    group_interval: 2s\nreceivers:\n- name: none\n- name: people\n  \
         webhook_configs: [{{url: 'http://{here}/people', send_resolved: true}}]\n"
    );
    let ports = [free_address(), free_address()];
    let member = |own: usize| {
        let more = [
            format!("--cluster.listen-address={}", ports[own]),
            format!("--cluster.peer={}", ports[1 - own]),
            // How long one waits for the other to have told before it does so itself.
            "--cluster.peer-timeout=3s".to_owned(),
            "--cluster.settle-timeout=5s".to_owned(),
        ];
        Alertmanager::start(folder.path(), ["first", "second"][own], &config, &more)
    };
    let mut members = vec![member(0), member(1)];
    for member in &members {
        eventually("a cluster of two", async || {
            let answer =
                reqwest::get(format!("http://{}/api/v2/status", member.listen)).await.ok()?.text().await.ok()?;
            let status: Value = serde_json::from_str(&answer).ok()?;
            let cluster = &status["cluster"];
            (cluster["status"] == "ready" && cluster["peers"].as_array()?.len() == 2).then_some(())
        })
        .await;
    }
    let urls = format!("urls = [\"http://{}\", \"http://{}\"]", members[0].listen, members[1].listen);
    let mut world = World::new(&channel("am", "alertmanager", &urls)).await;
    world.start().await;
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    for member in &members {
        member.shows("alertname=CamhealthIncident", 1).await;
    }
    receiver.wait("/people", "\"status\":\"firing\"").await;
    // Whichever of them told: what it said goes round by then, and the other knows.
    eventually("that both know who was told", async || {
        for member in &members {
            let text = reqwest::get(format!("http://{}/metrics", member.listen)).await.ok()?.text().await.ok()?;
            let entries =
                text.lines().find_map(|line| line.strip_prefix("alertmanager_nflog_gossip_messages_propagated_total "));
            let told = text.lines().find_map(|line| {
                line.strip_prefix("alertmanager_notifications_total{integration=\"webhook\"} ")?.parse::<f64>().ok()
            })?;
            if told == 0.0 && entries?.parse::<f64>().ok()? == 0.0 {
                return None;
            }
        }
        Some(())
    })
    .await;
    drop(members.remove(0));
    world.camera.set_fault(Fault::None).await.expect("the fault is set");
    receiver.wait("/people", "\"status\":\"resolved\"").await;
    let told: Vec<_> = receiver.at("/people").iter().map(|taken| taken.body["status"].clone()).collect();
    assert_eq!(told, ["firing", "resolved"], "{:#?}", receiver.at("/people").len());
    // One member that is gone is no channel that fails.
    world.metric("camhealth_notice_failures_total{channel=\"am\"} 0").await;
}
