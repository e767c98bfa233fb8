//! Doors for the fuzz targets in `fuzz/`, and for the test that needs no fuzzer: each feeds bytes to one parser as a camera
//! would. Not part of any other build.

use super::{
    evidence::{End, Evidence, Packet},
    nal,
    rtsp::{
        auth,
        message::{Item, Reader},
        sdp,
    },
    stream, topics,
    wire::{self, Job, Key, Said, StreamJob},
};
use crate::model::{Client, Codec, Language, Transport};
use oxvif::{
    NotificationMessage, OnvifClient,
    transport::{Transport as SoapTransport, TransportError},
};
use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// What a camera sends over RTSP, whole and in two pieces: neither what is taken off nor why it ends may depend on the cut. After
/// an error nobody reads on.
pub fn rtsp_head(bytes: &[u8]) {
    let items = |pieces: &[&[u8]]| {
        let mut reader = Reader::default();
        let mut items = Vec::new();
        for piece in pieces {
            reader.buffer.extend_from_slice(piece);
            loop {
                match reader.next() {
                    Ok(Some(item)) => items.push(item),
                    Ok(None) => break,
                    Err(broken) => return (items, Some(broken)),
                }
            }
        }
        (items, None)
    };
    let whole = items(&[bytes]);
    let (front, back) = bytes.split_at(bytes.len() / 2);
    assert_eq!(whole, items(&[front, back]));
    for item in whole.0 {
        let Item::Response(response) = item else { continue };
        response.headers("www-authenticate").for_each(auth::challenge);
        sdp::parse(&response.body).video();
    }
    sdp::parse(bytes).video();
}

/// RTP packets: codec, then for each a time, a loss and a payload.
pub fn packets(bytes: &[u8]) {
    let codec = match bytes.first().copied().unwrap_or_default() % 3 {
        0 => Codec::H264,
        1 => Codec::H265,
        _ => Codec::Mjpeg,
    };
    let mut evidence = Evidence::new(codec);
    let mut arrived = Duration::ZERO;
    for chunk in bytes.get(1..).unwrap_or_default().chunks(24) {
        let Some((time, payload)) = chunk.split_first_chunk::<4>() else { break };
        let media = f64::from(i32::from_be_bytes(*time)) / 90_000.0;
        arrived += Duration::from_millis(u64::from(time[3]));
        nal::sequence_parameters(codec, payload);
        evidence.packet(Packet { media, payload, lost: u16::from(time[0] & 3), anew: time[0] == 7, arrived });
    }
    let facts = evidence.facts(None, arrived, 10);
    assert!(facts.identical_frames <= facts.frames && facts.keyframes <= facts.frames.max(1) * 2);
    let _ = evidence.verdict(arrived, 10, End::Ours);
}

/// A worker that was taken over says anything.
pub fn worker_reply(bytes: &[u8]) {
    if let Some(Said::Done(reply)) = wire::said(bytes) {
        for rung in reply.report.cleaned().rungs {
            let told = Language::ALL.map(|language| rung.detail.text(language));
            assert!(
                told.iter().all(|text| text.chars().count() < 4096 && !text.contains(char::is_control)),
                "{told:?}"
            );
        }
    }
    let _ = serde_json::from_slice::<Job>(bytes);
}

/// Topics and times of events, which makes write as they like.
pub fn events(text: &str) {
    let messages: Vec<NotificationMessage> = text
        .split('\n')
        .filter_map(|line| line.split_once('='))
        .map(|(topic, value)| NotificationMessage {
            topic: topic.into(),
            utc_time: String::new(),
            property_operation: String::new(),
            source: HashMap::new(),
            data: [("x".to_owned(), value.to_owned())].into(),
        })
        .collect();
    let status = topics::read(&messages);
    for alarm in &status.alarms {
        let known = alarm.starts_with("VideoSource/SignalLoss") || alarm.starts_with("Device/HardwareFailure/");
        assert!(known, "{alarm} was not asked for");
    }
}

/// Any text as the answer to each SOAP call, through oxvif.
pub async fn soap(text: String) {
    struct Fixed(String);

    #[async_trait::async_trait]
    impl SoapTransport for Fixed {
        async fn soap_post(&self, _: &str, _: &str, _: String) -> Result<String, TransportError> {
            Ok(self.0.clone())
        }
    }

    let url = "http://127.0.0.1/";
    let client = OnvifClient::new(url).with_transport(Arc::new(Fixed(text)));
    let _ = client.get_system_date_and_time().await;
    let _ = client.get_device_info().await;
    let _ = client.get_capabilities().await;
    let _ = client.get_profiles(url).await;
    let _ = client.get_stream_uri(url, "a").await;
    let _ = client.create_pull_point_subscription(url, None, None).await;
    if let Ok(messages) = client.pull_messages(url, "PT1S", 1).await {
        topics::read(&messages);
    }
}

/// A look at a server on loopback, through both clients.
pub async fn look(address: SocketAddr) {
    let Ok(url) = format!("rtsp://{address}/sub").parse() else { return };
    let login: Option<Key> = None;
    let job = StreamJob {
        url,
        login,
        certificate: None,
        client: Client::Own,
        transport: Transport::Tcp,
        answer_timeout: Duration::from_millis(300),
        media_timeout: Duration::from_millis(50),
        frames: 10,
        keyframes: 0,
        survey: false,
        byte_limit: 1 << 20,
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let report = stream::look(&job, &CancellationToken::new()).await;
    // What is handed on holds no control characters, however a camera names its codec.
    assert!(report.rungs.iter().all(|rung| !rung.detail.to_string().contains('\u{1b}')), "{report:?}");
}

#[cfg(test)]
#[path = "fuzz_tests.rs"]
mod tests;
