//! A server that describes and sends what it likes, looked at through retina. The input is the description, a zero
//! byte, and what follows PLAY.
#![no_main]

use std::{net::SocketAddr, sync::LazyLock};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    runtime::{Builder, Runtime},
};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));

/// What a worker survives is no find: sdp-types 0.1.8 panics on some lines, and the worker answers for the job.
static HOOK: LazyLock<()> = LazyLock::new(|| {
    let ours = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let known = panic.location().is_some_and(|at| at.file().contains("sdp-types") || at.file().contains("retina-"));
        if !known {
            ours(panic);
        }
    }));
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    LazyLock::force(&HOOK);
    let cut = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (description, media) = (bytes[..cut].to_vec(), bytes.get(cut + 1..).unwrap_or_default().to_vec());
    RUNTIME.block_on(async {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn(serve(listener, description, media));
        // In a task of its own, as in a worker.
        let _ = tokio::spawn(camhealth::probe::fuzz::look(address)).await;
        server.abort();
    });
});

async fn serve(listener: TcpListener, description: Vec<u8>, media: Vec<u8>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut request = Vec::new();
        while let Ok(1..) = stream.read_buf(&mut request).await {
            let text = String::from_utf8_lossy(&request).into_owned();
            if !text.ends_with("\r\n\r\n") {
                continue;
            }
            request.clear();
            let cseq = text.split("CSeq: ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap_or("1");
            let ok = format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nSession: 1;timeout=60\r\n");
            let mut answer = match text.split(" ").next() {
                Some("DESCRIBE") => {
                    let length = description.len();
                    let head = format!("{ok}Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n");
                    [head.as_bytes(), description.as_slice()].concat()
                }
                Some("SETUP") => {
                    format!("{ok}Transport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=01020304\r\n\r\n").into_bytes()
                }
                _ => format!("{ok}\r\n").into_bytes(),
            };
            if text.starts_with("PLAY") {
                answer.extend_from_slice(&media);
            }
            if stream.write_all(&answer).await.is_err() {
                break;
            }
        }
    }
}
