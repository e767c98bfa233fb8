//! Pages that listen: what changes reaches them, and that the daemon does not do its work, even when nothing changes.

use super::*;

#[tokio::test]
async fn a_change_reaches_a_page_that_listens() {
    let server = serve().await;
    let response = reqwest::get(format!("http://{}/events?lang=en", server.address)).await.expect("an answer");
    let mut chunks = response.bytes_stream();
    let mut text = String::new();
    let mut published = false;
    while let Some(chunk) = chunks.next().await {
        text.push_str(&String::from_utf8_lossy(&chunk.expect("bytes")));
        if !published && text.contains("event: wall") {
            published = true;
            server.publish.send_replace(snapshot(CameraState::Down, 1000));
        }
        if text.contains("camera down") {
            return;
        }
    }
    panic!("the stream ended: {text}");
}

/// A wall that is green because nothing is looked at any more must not look so.
#[tokio::test]
async fn a_page_says_large_that_the_daemon_does_not_do_its_work() {
    let server = serve().await;
    let shown = "<p id=\"trouble\" role=\"alert\"><b>";
    for path in ["/", "/map", "/incidents/17", "/cameras/cho-01"] {
        assert!(!fetch(&server, path).await.2.contains(shown), "{path}");
    }
    let mut chunks = reqwest::get(format!("http://{}/events", server.address)).await.expect("an answer").bytes_stream();
    let mut text = String::new();
    let mut until = async |wanted: &str| {
        while !text.contains(wanted) {
            text.push_str(&String::from_utf8_lossy(&chunks.next().await.expect("it goes on").expect("bytes")));
        }
        text.clear();
    };
    until("event: well").await;
    server.broken.send_replace(Some("schedule has done nothing for 8 s".into()));
    for path in ["/", "/map", "/incidents/17", "/cameras/cho-01"] {
        let (_, _, page) = fetch(&server, path).await;
        assert!(page.contains(shown) && page.contains("schedule has done nothing for 8 s"), "{path}: {page}");
    }
    // Nothing changes any more, and those who look are told all the same.
    until("event: trouble\ndata: schedule has done nothing for 8 s").await;
    server.broken.send_replace(None);
    until("event: well").await;
}
