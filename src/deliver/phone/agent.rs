//! Our side of SIP (RFC 3261) for as long as a call or a registration lasts: a socket, `rsipstack` on it, and whoever drives
//! both. Each call has one of its own, so that what one exchange does to its call harms no other.

use super::{
    tls::{self, Resolved},
    trunk::{Transport, Trunk},
};
use crate::call::{Outcome, of_answer};
use futures_util::{StreamExt, stream::FuturesUnordered};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use rsipstack::{
    EndpointBuilder,
    dialog::{authenticate::Credential, dialog_layer::DialogLayer, registration::Registration},
    platform::net::UdpSocket as Socket,
    sip::{self, Host, Method, StatusCode, Uri},
    transaction::{
        Endpoint, TransactionReceiver,
        endpoint::EndpointOption,
        key::{TransactionKey, TransactionRole},
        make_tag,
        transaction::Transaction,
    },
    transport::{SipAddr, TransportLayer, udp::UdpConnection},
};
use secrecy::ExposeSecret;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};
use tokio::net::UdpSocket;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Names are resolved within this.
const RESOLVED: Duration = Duration::from_secs(5);
/// For an exchange's answer to a registration, or to the question whether it is there.
const ANSWERED: Duration = Duration::from_secs(6);
/// How long we ask to be known.
const REGISTERED: u32 = 300;
/// Datagrams a second that are read from others than the exchange, such as a telephone behind it: a call has one or two.
const STRANGERS: u32 = 50;
/// Requests within calls that are answered at once.
const AT_ONCE: usize = 16;

/// Our side of SIP.
pub(super) struct Agent {
    endpoint: Endpoint,
    incoming: Option<TransactionReceiver>,
    pub(super) dialogs: Arc<DialogLayer>,
    pub(super) local: SocketAddr,
    pub(super) peer: SipAddr,
    /// Its address.
    address: SocketAddr,
    stop: CancellationToken,
    _stops: DropGuard,
}

impl Agent {
    /// A socket towards the exchange; `None` where it has no address, or this machine no way to it.
    pub(super) async fn open(trunk: &Trunk) -> Option<Self> {
        let resolved = tokio::net::lookup_host((trunk.host.as_str(), trunk.port));
        let peer = tokio::time::timeout(RESOLVED, resolved).await.ok()?.ok()?.next()?;
        let own = own_address(peer).await?;
        let socket = UdpSocket::bind((own, 0)).await.ok()?;
        let local = socket.local_addr().ok()?;
        let stop = CancellationToken::new();
        let per_second = NonZeroU32::new(STRANGERS)?;
        let guarded =
            Guarded { socket, peer: peer.ip(), strangers: RateLimiter::direct(Quota::per_second(per_second)) };
        let udp = UdpConnection::from_socket(Arc::new(guarded), None, Some(stop.child_token())).await.ok()?;
        let transport = TransportLayer::new_with_domain_resolver(stop.child_token(), Box::new(Resolved(peer)));
        transport.add_transport(udp.into());
        let endpoint = EndpointBuilder::new()
            .with_user_agent("camhealth")
            .with_option(EndpointOption { callid_suffix: Some(local.ip().to_string()), ..EndpointOption::default() })
            .with_transport_layer(transport)
            .with_cancel_token(stop.child_token())
            .build();
        let incoming = endpoint.incoming_transactions().ok()?;
        let dialogs = Arc::new(DialogLayer::new(endpoint.inner.clone()));
        let address = peer;
        let peer = match trunk.transport {
            Transport::Udp => SipAddr::new(sip::Transport::Udp, address.into()),
            Transport::Tcp => SipAddr::new(sip::Transport::Tcp, address.into()),
            Transport::Tls => tls::place(trunk),
        };
        let _stops = stop.clone().drop_guard();
        Some(Self { endpoint, incoming: Some(incoming), dialogs, local, peer, address, stop, _stops })
    }

    /// What drives the transport and answers requests, beside whatever waits for it. Once.
    pub(super) fn serve(&mut self) -> impl Future<Output = ()> + use<> {
        let (endpoint, dialogs, peer) = (self.endpoint.inner.clone(), self.dialogs.clone(), self.address.ip());
        let (incoming, stop) = (self.incoming.take(), self.stop.clone());
        async move {
            let Some(mut incoming) = incoming else { return };
            let answering = async {
                let mut answers = FuturesUnordered::new();
                loop {
                    tokio::select! {
                        Some(transaction) = incoming.recv(), if answers.len() < AT_ONCE => {
                            answers.push(answer(&dialogs, transaction, peer));
                        }
                        Some(()) = answers.next() => {}
                        else => return,
                    }
                }
            };
            tokio::select! {
                _ = endpoint.serve() => {}
                () = answering => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// An address at the exchange.
    pub(super) fn uri(&self, trunk: &Trunk, user: &str) -> Option<Uri> {
        let host = if trunk.host.contains(':') { format!("[{}]", trunk.host) } else { trunk.host.clone() };
        let carried = match trunk.transport {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
            Transport::Tls => ";transport=tls",
        };
        let user = if user.is_empty() { String::new() } else { format!("{user}@") };
        Uri::try_from(format!("sip:{user}{host}:{}{carried}", trunk.port).as_str()).ok()
    }

    /// Where the exchange finds us.
    pub(super) fn contact(&self, trunk: &Trunk) -> Option<Uri> {
        Uri::try_from(format!("sip:{}@{}", trunk.from, self.local).as_str()).ok()
    }

    pub(super) fn credential(trunk: &Trunk) -> Option<Credential> {
        let (name, password) = trunk.login.as_ref()?;
        let username = trunk.from.clone();
        let password = password.expose_secret().to_owned();
        Some(Credential { username, password, realm: None, auth_username: Some(name.clone()) })
    }

    async fn register(&self, trunk: &Trunk) -> Result<Alive, Outcome> {
        let server = self.uri(trunk, "").ok_or(Outcome::Failed)?;
        let mut registration = Registration::new(self.endpoint.inner.clone(), Self::credential(trunk));
        // Over TLS the name is looked up, since the certificate is for the name.
        if trunk.transport != Transport::Tls {
            registration.outbound_proxy = Some(self.address);
        }
        let answer = registration.register(server, Some(REGISTERED)).await.map_err(|_| Outcome::Dead)?;
        match answer.status_code.code() {
            200 => Ok(Alive { holds: Duration::from_secs(registration.expires().into()) }),
            status => Err(of_answer(status)),
        }
    }

    /// Asks whether the exchange is there: any answer says so.
    async fn ask(&self, trunk: &Trunk) -> Result<Alive, Outcome> {
        let inner = &self.endpoint.inner;
        let asked = || {
            let server = self.uri(trunk, "")?;
            let from = sip::typed::From { display_name: None, uri: self.uri(trunk, &trunk.from)?, params: vec![] };
            let to = sip::typed::To { display_name: None, uri: server.clone(), params: vec![] };
            let via = inner.get_via(Some(self.via()), None).ok()?;
            let from = from.with_tag(make_tag());
            let request = inner.make_request(Method::Options, server, via, from, to, 1, None);
            let key = TransactionKey::from_request(&request, TransactionRole::Client).ok()?;
            let mut transaction = Transaction::new_client(key, request, inner.clone(), None);
            transaction.destination = Some(self.peer.clone());
            Some(transaction)
        };
        let mut transaction = asked().ok_or(Outcome::Failed)?;
        transaction.send().await.map_err(|_| Outcome::Dead)?;
        match transaction.receive().await {
            Some(sip::SipMessage::Response(answer)) if answer.status_code.code() != 408 => {
                Ok(Alive { holds: Duration::from_secs(REGISTERED.into()) })
            }
            _ => Err(Outcome::Dead),
        }
    }

    fn via(&self) -> SipAddr {
        SipAddr { r#type: self.peer.r#type, addr: self.local.into() }
    }
}

/// That an exchange is there, or knows us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alive {
    /// For how long it does.
    pub holds: Duration,
}

/// Registers us with an exchange that wants it, and asks others whether they are there.
pub async fn alive(trunk: &Trunk) -> Result<Alive, Outcome> {
    let mut agent = Agent::open(trunk).await.ok_or(Outcome::Dead)?;
    let serving = agent.serve();
    let asking = async { if trunk.register { agent.register(trunk).await } else { agent.ask(trunk).await } };
    tokio::select! {
        asked = tokio::time::timeout(ANSWERED, asking) => asked.unwrap_or(Err(Outcome::Dead)),
        () = serving => Err(Outcome::Dead),
    }
}

/// What becomes of a request that comes in: calls answer theirs, the exchange may ask whether we are there, and nobody is
/// called here. Strangers get no answer, so that we are of no use to whoever forges addresses.
async fn answer(dialogs: &DialogLayer, mut transaction: Transaction, peer: IpAddr) {
    if let Some(mut dialog) = dialogs.match_dialog(&transaction) {
        let _ = dialog.handle(&mut transaction).await;
        return;
    }
    let from = transaction.connection.as_ref().and_then(|connection| connection.get_remote_addr().cloned());
    if from.is_none_or(|from| from.addr.host != Host::IpAddr(peer)) {
        return;
    }
    let status = match transaction.original.method {
        Method::Options => StatusCode::OK,
        Method::Ack => return,
        Method::Invite => StatusCode::Decline,
        _ => StatusCode::CallTransactionDoesNotExist,
    };
    let _ = transaction.reply(status).await;
}

/// Our address on the way to the exchange: nothing is sent to find it.
async fn own_address(peer: SocketAddr) -> Option<IpAddr> {
    let any = match peer {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0)).await.ok()?;
    socket.connect(peer).await.ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// A socket that reads what the exchange sends, and little of others: who floods it costs a call nothing.
struct Guarded {
    socket: UdpSocket,
    peer: IpAddr,
    strangers: DefaultDirectRateLimiter,
}

#[async_trait::async_trait]
impl Socket for Guarded {
    async fn recv_from(&self, buffer: &mut [u8]) -> rsipstack::Result<(usize, SocketAddr)> {
        loop {
            let (size, from) = self.socket.recv_from(buffer).await?;
            // The stack answers these two by itself, whoever sends them.
            let answered = buffer[..size].starts_with(b"CANCEL ") || buffer[..size].trim_ascii().is_empty();
            if from.ip() == self.peer || !answered && self.strangers.check().is_ok() {
                return Ok((size, from));
            }
        }
    }

    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> rsipstack::Result<usize> {
        Ok(self.socket.send_to(bytes, to).await?)
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }
}

#[cfg(test)]
#[path = "agent_tests.rs"]
mod tests;
