//! What comes from elsewhere: strangers, floods and broken messages change nothing.

use super::*;
use proptest::prelude::*;

const INVITE: &str = "INVITE sip:1@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.9:5060;branch=z9hG4bKx\r\nFrom: <sip:9@x>;tag=1\r\n\
    To: <sip:1@127.0.0.1>\r\nCall-ID: spoofed\r\nCSeq: 1 INVITE\r\nContact: <sip:9@127.0.0.9>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";

fn trunk(port: u16) -> Trunk {
    Trunk {
        id: "tong-dai".into(),
        host: "127.0.0.1".into(),
        port,
        transport: Transport::Udp,
        certificate: None,
        login: None,
        from: "1".into(),
        register: false,
        lines: Arc::new(tokio::sync::Semaphore::new(1)),
        speaker: "espeak-ng".into(),
        prompts: None,
    }
}

/// An exchange's socket, and another host's.
async fn sockets() -> (UdpSocket, UdpSocket) {
    let exchange = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    (exchange, UdpSocket::bind("127.0.0.9:0").await.expect("a port"))
}

/// Sends a request as exchanges do, again and again until it is answered: datagrams are lost in a flood.
async fn answered(exchange: &UdpSocket, to: SocketAddr, request: &str, status: &str) {
    let mut buffer = [0; 4096];
    loop {
        exchange.send_to(request.as_bytes(), to).await.expect("it is sent");
        let answer = tokio::time::timeout(Duration::from_millis(200), exchange.recv_from(&mut buffer)).await;
        if answer.is_ok_and(|read| read.is_ok_and(|(size, _)| buffer[..size].starts_with(status.as_bytes()))) {
            return;
        }
    }
}

#[tokio::test]
async fn strangers_get_no_answer_and_a_flood_of_garbage_delays_nothing() {
    let (exchange, stranger) = sockets().await;
    let mut agent = Agent::open(&trunk(exchange.local_addr().expect("one").port())).await.expect("an agent");
    let (here, mut serving) = (agent.local, Box::pin(agent.serve()));
    let played = async {
        for number in 0..2000 {
            let text = if number % 2 == 0 { INVITE.to_owned() } else { format!("\0garbage {number}\r\n\r\n") };
            stranger.send_to(text.as_bytes(), here).await.expect("it is sent");
        }
        // The exchange's own question is answered all the same, and its call declined.
        let at = exchange.local_addr().expect("one").to_string();
        let own = INVITE.replace("127.0.0.9:5060", &at).replace("127.0.0.9", "127.0.0.1");
        let asks = own.replace("INVITE", "OPTIONS").replace("z9hG4bKx", "z9hG4bKy");
        for (request, status) in [(asks, "SIP/2.0 200"), (own, "SIP/2.0 603")] {
            answered(&exchange, here, &request, status).await;
        }
    };
    tokio::select! {
        () = played => {}
        () = &mut serving => panic!("it no longer serves"),
    }
    let mut buffer = [0; 4096];
    assert!(stranger.try_recv_from(&mut buffer).is_err(), "a stranger was answered");
}

fn broken() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8);
    (changes, any::<prop::sample::Index>()).prop_map(|(changes, cut)| {
        let mut bytes = INVITE.replace("INVITE", "BYE").into_bytes();
        let length = bytes.len();
        changes.iter().for_each(|(at, byte)| bytes[at.index(length)] = *byte);
        bytes.truncate(cut.index(length) + 1);
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// What an exchange sends, or somebody in its place, is read or refused, and nothing else.
    #[test]
    fn whatever_comes_is_a_message_or_none(bytes in prop_oneof![broken(), prop::collection::vec(any::<u8>(), 0..300)]) {
        if let Ok(message) = sip::SipMessage::try_from(&bytes[..]) {
            let _ = rsipstack::transport::SipConnection::update_msg_received(
                message,
                ([127, 0, 0, 9], 5060).into(),
                sip::Transport::Udp,
            );
        }
    }
}
