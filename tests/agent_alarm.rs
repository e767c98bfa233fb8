//! An agent that cannot reach its daemon tells of a blind site by a modem of its own: a real gammu-smsd, with gammu's dummy for a
//! modem. What the daemon has heard of is the daemon's to tell.

use crate::{
    agents::{World, taken},
    sms::Modem,
    support::{camhealth, eventually, eventually_within},
};
use camhealth::sim::Fault;
use std::{fs, time::Duration};

/// The daemon is believed to be gone after two minutes.
const CUT: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn a_blind_site_is_told_by_the_agents_own_modem_while_the_daemon_is_gone() {
    let (modem, mut world) = (Modem::start(), World::new().await);
    let daemon = world.daemon();
    let folder = world.joined().await;
    let config = modem.at("smsdrc").display().to_string();
    let own = format!("[[channel]]\nid = \"modem\"\ntype = \"gammu\"\nphone = \"0900000007\"\nconfig = \"{config}\"\n");
    fs::write(folder.join("alarm.toml"), own).expect("a disk");
    let agent = world.agent(&folder);
    world.becomes("nha-1", "up").await;
    world.becomes("nha-2", "up").await;
    let arguments = ["agent", "alarm", "--folder", folder.to_str().expect("letters")];
    let tried = camhealth(&arguments, &[]);
    assert!(tried.status.success(), "{}", String::from_utf8_lossy(&tried.stderr));
    let sent = || modem.sent("900000007");
    eventually("the test arrives", async || (sent().len() == 1).then_some(())).await;

    // One site goes blind before the daemon dies, which has told of it; the other after that.
    world.cameras.set_fault([127, 9, 79, 1].into(), Fault::PortClosed).await.expect("a fault");
    world.becomes("nha-1", "down").await;
    // The agent has heard that the daemon has it: else it would tell of that site, too.
    taken(&folder).await;
    drop(daemon);
    world.cameras.set_fault([127, 9, 79, 2].into(), Fault::PortClosed).await.expect("a fault");
    eventually_within(2 * CUT, "an alarm", async || (sent().len() == 2).then_some(())).await;
    let alarm = sent().pop().expect("an SMS");
    assert!(alarm.starts_with("Cuoi hem 7: mu hoan toan tu ") && alarm.contains("may chu"), "{alarm}");

    // A start anew tells it no second time, and that it is over once.
    drop(agent);
    let agent = world.agent(&folder);
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!(sent().len(), 2, "{:?}", sent());
    world.cameras.set_fault([127, 9, 79, 2].into(), Fault::None).await.expect("no fault");
    eventually_within(CUT, "that it is over", async || (sent().len() == 3).then_some(())).await;
    assert!(sent().iter().any(|sms| sms.starts_with("Cuoi hem 7: da quan sat lai duoc")), "{:?}", sent());

    // The daemon is back, hears how many alarms there were, and tells by itself again.
    let _daemon = world.daemon();
    world.becomes("nha-2", "up").await;
    let alarms = "camhealth_agent_alarms{link=\"hem-7\"}";
    eventually("that it is counted", async || (world.metric(alarms).await? == 1.0).then_some(())).await;
    world.cameras.set_fault([127, 9, 79, 2].into(), Fault::PortClosed).await.expect("a fault");
    world.becomes("nha-2", "down").await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(sent().len(), 3, "{:?}", sent());
    drop(agent);
    let log = world.log("agent.log");
    assert!(!log.contains("panicked") && !log.contains("900000007"), "{log}");
}
