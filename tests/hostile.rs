//! Peers that mean harm: each ends within bounded time and memory with its cause, and delays nobody else.

use crate::simulated::{LOOPBACK, configured, prober, start};
use camhealth::{
    model::{Camera, Check, FailureKind, Observation, RungName},
    probe::Look,
    sim::{Fault, SimCamera, Spec, Stage},
};
use std::{
    collections::BTreeMap,
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

fn resident_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_floods_at_once_leave_memory_flat_and_other_verdicts_in_time() {
    let prober = Arc::new(prober());
    let good = start().await;
    let mut hostile = Vec::new();
    for number in 0..10 {
        let camera = SimCamera::start(Spec::new(LOOPBACK)).await.expect("ports");
        let fault =
            if number % 2 == 0 { Fault::HugeBody(Stage::Describe) } else { Fault::EndlessHeaders(Stage::Describe) };
        camera.set_fault(fault).await.expect("the fault is set");
        hostile.push(camera);
    }
    let before = resident_mib();
    let now = jiff::Timestamp::now();
    for round in 0..2 {
        let attacks: Vec<_> = hostile
            .iter()
            .enumerate()
            .map(|(number, camera)| {
                let mut camera = configured(camera);
                camera.id = format!("hostile-{number}").as_str().into();
                camera.login = None;
                let prober = prober.clone();
                tokio::spawn(async move { prober.probe(&camera, Look::new(Check::Stream, now)).await })
            })
            .collect();
        // The good camera is looked at while they rage.
        let camera = configured(&good);
        let began = Instant::now();
        let observation = prober.probe(&camera, Look::new(Check::Stream, now)).await;
        let took = began.elapsed();
        assert_eq!(observation.failure, None, "round {round}: {observation:#?}");
        assert!(took < Duration::from_secs(10), "round {round}: the good camera waited {took:?}");
        for attack in attacks {
            let observation = attack.await.expect("the probe does not panic");
            let kind = observation.failure.as_ref().map(|failure| failure.kind);
            assert_eq!(kind, Some(FailureKind::Oversized), "{observation:#?}");
            assert!(observation.took < Duration::from_secs(25), "{:?}", observation.took);
        }
    }
    let grown = resident_mib().saturating_sub(before);
    assert!(grown < 64, "this process grew by {grown} MiB");
    let deaths: u64 = prober.pool().deaths().map(|(_, count)| count).sum();
    assert_eq!(deaths, 0, "our own reader ends a flood before it fills a worker");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_is_good_and_deadly_by_turns_is_named() {
    let prober = prober();
    let camera = SimCamera::start(Spec::new(LOOPBACK)).await.expect("ports");
    let target = Camera { login: None, ..configured(&camera) };
    let now = jiff::Timestamp::now();
    let look = async || prober.probe(&target, Look::new(Check::Stream, now)).await;
    let notes = |observation: &Observation| {
        let notes = observation.rungs.iter().filter(|rung| rung.name == RungName::Worker);
        notes.map(|rung| (rung.ok, rung.detail.to_string())).collect::<Vec<_>>()
    };
    for killed in 1..=3 {
        camera.set_fault(Fault::FloodsSecondClient).await.expect("the fault is set");
        let observation = look().await;
        let kind = observation.failure.as_ref().map(|failure| failure.kind);
        assert_eq!(kind, Some(FailureKind::Oversized), "{observation:#?}");
        assert_eq!(notes(&observation).len(), 1, "{observation:#?}");
        camera.set_fault(Fault::None).await.expect("the fault is set");
        let observation = look().await;
        assert_eq!(observation.failure, None, "what a good look saw stands: {observation:#?}");
        assert_eq!(prober.pool().culprits(now), [(target.id.to_string(), "rtsp", killed)]);
        let noted = notes(&observation);
        assert_eq!(noted.len(), usize::from(killed >= 3), "{observation:#?}");
        assert!(noted.iter().all(|(ok, detail)| !ok && detail.contains("3 times in the last 6 hours")), "{noted:?}");
    }
    // Only the first flood met a shared worker; then it was looked at alone.
    let deaths: BTreeMap<_, _> = prober.pool().deaths().collect();
    assert_eq!(deaths["crashed"], 4, "{deaths:?}");
    let later = now + jiff::SignedDuration::from_hours(6);
    assert_eq!(prober.pool().culprits(later), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_soap_bomb_ends_with_its_cause() {
    let camera = start().await;
    camera.set_fault(Fault::SoapBomb).await.expect("the fault is set");
    let observation = prober().probe(&configured(&camera), Look::new(Check::Device, jiff::Timestamp::now())).await;
    let kind = observation.failure.as_ref().map(|failure| failure.kind);
    assert_eq!(kind, Some(FailureKind::Oversized), "{observation:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_and_drips_end_within_their_limit() {
    for fault in [Fault::Mute, Fault::Drip, Fault::NoMedia, Fault::PoweredOff] {
        let camera = start().await;
        camera.set_fault(fault).await.expect("the fault is set");
        let began = Instant::now();
        let observation = prober().probe(&configured(&camera), Look::new(Check::Stream, jiff::Timestamp::now())).await;
        assert!(observation.failure.is_some());
        assert!(began.elapsed() < Duration::from_secs(8), "{fault:?} took {:?}", began.elapsed());
    }
}
