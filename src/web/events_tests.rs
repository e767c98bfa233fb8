//! Pages that listen: what changes reaches them, and that the daemon does not do its work, even when nothing changes.

use super::*;
use crate::web::province;

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

/// What changes is sent by itself, and what does not is not sent again.
#[tokio::test]
async fn a_page_that_listens_is_sent_what_changed_and_not_the_whole() {
    let server = serve().await;
    let before = province::province(120, 2);
    server.publish.send_replace(before.clone());
    for (path, changed, same) in [
        ("/events?lang=en", "camera-00001", "camera-00004"),
        ("/events?lang=en&area=khu-000", "camera-00001", "camera-00007"),
        ("/events?lang=en&list=cameras&q=duong", "camera-00001", "camera-00004"),
    ] {
        server.publish.send_replace(before.clone());
        let mut chunks =
            reqwest::get(format!("http://{}{path}", server.address)).await.expect("an answer").bytes_stream();
        let (mut text, mut whole) = (String::new(), 0);
        while !text.contains("event: patch") {
            text.push_str(&String::from_utf8_lossy(&chunks.next().await.expect("it goes on").expect("bytes")));
            if whole == 0 && text.contains("event: wall") && text.ends_with("\n\n") {
                whole = text.len();
                let mut after = (*before).clone();
                let mut status = (**after.cameras.get("camera-00001").expect("it is there")).clone();
                status.cause = Some(crate::model::FailureKind::ALL[5]);
                after.cameras.insert("camera-00001".into(), Arc::new(status));
                server.publish.send_replace(Arc::new(after));
            }
        }
        while !text.ends_with("\n\n") {
            text.push_str(&String::from_utf8_lossy(&chunks.next().await.expect("it goes on").expect("bytes")));
        }
        let patch = &text[text.find("event: patch").expect("it is there")..];
        assert!(whole > 10_000 && patch.len() * 5 < whole, "{path}: {} of {whole} bytes", patch.len());
        assert!(patch.contains(changed), "{path}: {patch}");
        assert!(!patch.contains(same), "{path}: {patch}");
    }
}
