//! The server against visitors who do nothing, too much or too slowly; an honest one is let in each time.

use super::*;
use crate::web::street::{Street, Visitor};
use axum::{
    Extension,
    body::{Body, Bytes},
    routing::get,
};
use futures_util::{StreamExt, stream};
use std::{net::IpAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::Instant,
};

const LARGE: usize = 1024 * 1024;

fn router() -> Router {
    let large = || Bytes::from(vec![b'x'; LARGE]);
    // First a word, then nothing more; or much, again and again.
    let listen = async |Extension(guest): Extension<Guest>| {
        guest.listens();
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"event"))]);
        Body::from_stream(first.chain(stream::pending()))
    };
    let pour = async move |Extension(guest): Extension<Guest>| {
        guest.listens();
        Body::from_stream(stream::repeat(large()).map(Ok::<_, Infallible>))
    };
    Router::new()
        .route("/quick", get(async || "here"))
        .route("/never", get(async || std::future::pending::<()>().await))
        .route("/large", get(async move || large()))
        .route("/listen", get(listen))
        .route("/pour", get(pour))
}

fn street(limits: Limits) -> Street {
    Street::open(router(), limits)
}

fn ip(last: u8) -> IpAddr {
    [10, 0, 0, last].into()
}

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")
}

async fn well(street: &Street, from: IpAddr) -> bool {
    street.get(from, "/quick").await.ends_with("here")
}

async fn listening(street: &Street, from: IpAddr) -> Visitor {
    let mut visitor = street.visit(from);
    visitor.say(&request("/listen")).await;
    visitor.hears("event").await;
    visitor
}

#[tokio::test(start_paused = true)]
async fn half_sent_heads_keep_nobody_out_and_end() {
    let street = street(Limits::default());
    let mut idle = Vec::new();
    for number in 0..1300_u32 {
        // Some from one address, some from many.
        let mut visitor = street.visit(ip(if number < 300 { 1 } else { 2 + (number % 200) as u8 }));
        visitor.say("GET / HTTP/1.1\r\nhost: local").await;
        idle.push(visitor);
    }
    assert!(well(&street, ip(1)).await && well(&street, ip(250)).await);
    assert!(idle[0].is_cut().await, "the oldest gave way");
    let mut last = idle.pop().expect("there are some");
    assert!(!last.is_cut().await);
    let began = Instant::now();
    last.say("h").await;
    last.rest().await;
    let took = began.elapsed();
    assert!(
        took > Duration::from_secs(9) && took < Duration::from_secs(11),
        "{took:?}: a letter now and then is no head"
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_asks_no_more_ends() {
    let street = street(Limits::default());
    let mut visitor = street.visit(ip(1));
    for _ in 0..3 {
        visitor.say(&request("/quick")).await;
        visitor.hears("here").await;
        tokio::time::sleep(Duration::from_secs(8)).await;
    }
    let began = Instant::now();
    assert_eq!(visitor.rest().await, "");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

/// Takes `bytes` each second, until the server cuts it off or for `seconds`; how long that was, and how much came.
async fn drip(visitor: &mut Visitor, bytes: usize, seconds: u64) -> (Duration, usize) {
    let (began, mut all) = (Instant::now(), 0);
    let mut buffer = vec![0; bytes];
    while began.elapsed() < Duration::from_secs(seconds) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        // What was sent before can be read after the end, so that writing alone tells it.
        if visitor.0.write_all(b"\r").await.is_err() {
            break;
        }
        all += visitor.0.read_exact(&mut buffer).await.unwrap_or(0);
    }
    (began.elapsed(), all)
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_a_little_now_and_then_is_cut_off() {
    for path in ["/large", "/pour"] {
        let street = street(Limits::default());
        for bytes in [1, 1000] {
            let mut visitor = street.visit(ip(1));
            visitor.say(&request(path)).await;
            let (took, _) = drip(&mut visitor, bytes, 100).await;
            assert!(took > Duration::from_secs(9) && took < Duration::from_secs(13), "{path}: {bytes}: {took:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_that_keeps_pace_is_served_and_an_answer_has_an_end() {
    let street = street(Limits::default());
    let mut visitor = street.visit(ip(1));
    visitor.say(&request("/pour")).await;
    let (took, all) = drip(&mut visitor, 4096, 120).await;
    assert!(took >= Duration::from_secs(120) && all >= 120 * 4096, "{took:?}: {all}");

    let mut visitor = street.visit(ip(2));
    visitor.say(&request("/large")).await;
    let (took, _) = drip(&mut visitor, 4096, 120).await;
    assert!(took > Duration::from_secs(29) && took < Duration::from_secs(32), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_answered_in_time_is_refused_in_words() {
    let street = street(Limits::default());
    let began = Instant::now();
    let answer = street.get(ip(1), "/never").await;
    assert_eq!(began.elapsed().as_secs(), 30);
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 10"), "{answer}");
    assert!(answer.contains("hãy thử lại") && answer.contains("try again"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn the_seventeenth_stream_of_an_address_replaces_its_first() {
    let street = street(Limits::default());
    let mut other = listening(&street, ip(2)).await;
    let mut streams = Vec::new();
    for _ in 0..17 {
        streams.push(listening(&street, ip(1)).await);
    }
    assert!(streams[0].is_cut().await);
    for visitor in &mut streams[1..] {
        assert!(!visitor.is_cut().await);
    }
    assert!(!other.is_cut().await, "another address has its own");
}

#[tokio::test(start_paused = true)]
async fn streams_of_many_addresses_lock_nobody_out() {
    let street = street(Limits::default());
    let mut honest = listening(&street, ip(9)).await;
    let mut greedy = Vec::new();
    for number in 0..200_u8 {
        greedy.push(listening(&street, ip(10 + number % 4)).await);
    }
    let mut late = listening(&street, ip(8)).await;
    assert!(!late.is_cut().await && !honest.is_cut().await);
    let mut open = 0;
    for visitor in &mut greedy {
        open += usize::from(!visitor.is_cut().await);
    }
    assert_eq!(open, 62, "with the other two they are 64");
    assert!(well(&street, ip(10)).await);
}

#[tokio::test(start_paused = true)]
async fn where_all_are_being_answered_a_newcomer_is_closed_at_once_and_let_in_later() {
    let street = street(Limits { connections: 2, ..Limits::default() });
    let mut busy = [street.visit(ip(1)), street.visit(ip(2))];
    for visitor in &mut busy {
        visitor.say(&request("/never")).await;
    }
    // The server has taken both requests in when it answers a third, which it cannot: so wait for its word on time.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let began = Instant::now();
    assert_eq!(street.get(ip(3), "/quick").await, "");
    assert!(began.elapsed() < Duration::from_secs(1));
    drop(busy);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(well(&street, ip(3)).await);
}

#[tokio::test(start_paused = true)]
async fn heads_are_bounded() {
    let street = street(Limits::default());
    let long = "x".repeat(17 * 1024);
    let many = "a: b\r\n".repeat(70);
    for (line, rest) in [
        (format!("GET /{long}"), "\r\n".to_owned()),
        ("GET /quick".to_owned(), format!("cookie: {long}\r\n\r\n")),
        ("GET /quick".to_owned(), format!("{many}\r\n")),
    ] {
        let answer = street.ask(ip(1), &line, &rest).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    assert!(well(&street, ip(1)).await);
}

#[tokio::test(start_paused = true)]
async fn it_stops_at_once_though_pages_listen() {
    let street = street(Limits::default());
    let mut stream = listening(&street, ip(1)).await;
    let mut idle = street.visit(ip(2));
    idle.say(&request("/quick")).await;
    idle.hears("here").await;
    let began = Instant::now();
    street.stop.cancel();
    street.served.await.expect("no panic");
    assert!(began.elapsed() <= Duration::from_millis(201), "{:?}", began.elapsed());
    assert!(stream.is_cut().await && idle.is_cut().await);
}

/// A port that is encrypted, and what a visitor needs to speak to it.
fn encrypted(limits: Limits) -> (Street, tokio_rustls::TlsConnector) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let server = server.expect("TLS").with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key.into());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a certificate");
    let client = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let client = client.expect("TLS").with_root_certificates(roots).with_no_client_auth();
    let (_, encryption) = watch::channel(Arc::new(server.expect("the key is the certificate's")));
    (Street::encrypted(router(), limits, encryption), Arc::new(client).into())
}

/// Whoever opens an encrypted port and says nothing, or half of what opens TLS, holds a place no longer than one who
/// sends half a head.
#[tokio::test(start_paused = true)]
async fn half_a_handshake_keeps_nobody_out_and_ends() {
    let (street, connector) = encrypted(Limits::default());
    let mut idle = Vec::new();
    for number in 0..1300_u32 {
        let mut visitor = street.visit(ip(2 + (number % 200) as u8));
        visitor.say(if number % 2 == 0 { "" } else { "\x16\x03\x01\x02" }).await;
        idle.push(visitor);
    }
    let name = rustls::pki_types::ServerName::try_from("localhost").expect("a name");
    let mut honest = connector.connect(name, street.visit(ip(250)).0).await.expect("it is let in");
    honest.write_all(request("/quick").as_bytes()).await.expect("it reads");
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).ends_with("here") {
        assert!(honest.read_buf(&mut heard).await.expect("it answers") > 0);
    }
    let mut last = idle.pop().expect("there are some");
    assert!(idle[0].is_cut().await && !last.is_cut().await, "the oldest gave way");
    let began = Instant::now();
    last.rest().await;
    assert!(began.elapsed() <= Limits::default().head + Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn plain_http_at_an_encrypted_port_is_shown_the_way_and_nothing_else() {
    let (street, _) = encrypted(Limits::default());
    let told = street.get(ip(1), "/sites?lang=vi").await;
    assert!(told.starts_with("HTTP/1.1 308") && told.contains("location: https://localhost/sites?lang=vi"), "{told}");
    let told = street.ask(ip(1), "POST /sign-in", "content-length: 0\r\n\r\n").await;
    assert!(told.starts_with("HTTP/1.1 426") && told.contains("https://"), "{told}");
    // Nobody is led by a name that is none.
    let mut visitor = street.visit(ip(1));
    visitor.say("GET / HTTP/1.1\r\nhost: evil.example/path@x\r\nconnection: close\r\n\r\n").await;
    assert!(visitor.rest().await.starts_with("HTTP/1.1 4"));
}

/// What stands for many visitors is not held to the limits of one.
#[tokio::test(start_paused = true)]
async fn a_proxy_may_have_as_many_connections_as_its_visitors_need() {
    let proxy = ip(9);
    let limits =
        Limits { connections_by_address: 2, streams_by_address: 1, proxies: Arc::new([proxy]), ..Limits::default() };
    let street = street(limits);
    let mut pages = Vec::new();
    for _ in 0..10 {
        pages.push(listening(&street, proxy).await);
    }
    let cut = async |pages: &mut [Visitor]| {
        let mut count = 0;
        for page in pages {
            count += usize::from(page.is_cut().await);
        }
        count
    };
    assert_eq!(cut(&mut pages).await, 0);
    let mut others = vec![listening(&street, ip(1)).await, listening(&street, ip(1)).await];
    assert_eq!(cut(&mut others).await, 1, "others are");
}
