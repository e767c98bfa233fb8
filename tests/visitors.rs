//! Visitors who take what they can, on real sockets: cameras stay up, and others are served.

use crate::{daemon::World, support::eventually};
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

/// A connection from a loopback address of one's own.
fn from(last: u8, to: SocketAddr) -> socket2::Socket {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0)).into()).expect("a loopback address");
    socket.connect(&to.into()).expect("it listens");
    socket.set_write_timeout(Some(Duration::from_secs(5))).expect("it can be set");
    socket.set_read_timeout(Some(Duration::from_secs(60))).expect("it can be set");
    socket
}

/// How many descriptors a process has open.
fn descriptors(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").count()
}

/// The value of a metric's first series.
fn value(metrics: &str, name: &str) -> Option<f64> {
    let line = metrics.lines().find(|line| line.starts_with(name))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn half_sent_requests_take_neither_sockets_from_looks_nor_room_from_others() {
    let world = World::new().await;
    let daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    let mut held = Vec::new();
    // Not as many as it takes to use up the limit, which the tests' own process has as well.
    for number in 0..500_u32 {
        let mut socket = from(2 + (number % 20) as u8, world.page);
        // One that had to give way may be closed already.
        let _ = socket.write_all(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ");
        held.push(socket);
    }
    let open = eventually("few connections", async || {
        let open = descriptors(daemon.id());
        (open < 330).then_some(open)
    })
    .await;
    assert!(open > 200, "{open} descriptors: the connections were not made");
    assert!(world.get("/-/healthy").await.is_some(), "another visitor is served");
    let proof = || async { value(&world.get("/metrics").await?, "camhealth_camera_last_media_timestamp_seconds") };
    let before = eventually("a proof", proof).await;
    eventually("another proof", async || proof().await.filter(|proof| *proof > before)).await;
    world.metric("camhealth_coverage_ratio", 1.0).await;
    let last = held.last_mut().expect("there are some");
    let mut rest = Vec::new();
    // A reset tells the end as well.
    let _ = last.read_to_end(&mut rest);
    eventually("the end of the others", async || (descriptors(daemon.id()) < 60).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_who_do_not_read_are_cut_off() {
    let world = World::new().await;
    let daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    let mut held = Vec::new();
    for number in 0..64_u32 {
        let mut socket = from(2 + (number % 4) as u8, world.page);
        socket.set_recv_buffer_size(4096).expect("it can be set");
        // Many answers one after the other fill all that the kernels keep.
        let _ = socket.write_all("GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".repeat(300).as_bytes());
        held.push(socket);
    }
    eventually("their connections", async || (descriptors(daemon.id()) > 80).then_some(())).await;
    eventually("that they are cut off", async || (descriptors(daemon.id()) < 60).then_some(())).await;
    assert!(world.get("/-/healthy").await.is_some());
}
