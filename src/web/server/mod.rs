//! The HTTP server: hyper behind limits on connections, on time, on what visitors send and on what waits for them.
//!
//! It is generic over where connections come from, so that its tests hold the time and choose the addresses.

mod address;
mod chair;
mod doors;
mod limits;
mod pace;
mod seats;

pub(super) use chair::{Guest, Way};
pub(super) use doors::to_https;
pub use limits::Limits;
pub(super) use limits::{BODY, BODY_WITHIN};

use super::refuse::refuse;
use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::Response,
    serve::{Listener, ListenerExt},
};
use chair::{Answer, Chair, Room};
use doors::Begun;
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use pace::Paced;
use rustls::ServerConfig;
use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// A listener whose connections keep little in the kernel and send events at once.
pub fn tuned(listener: TcpListener) -> impl Listener<Addr = SocketAddr> {
    listener.tap_io(|stream: &mut TcpStream| {
        let small = socket2::SockRef::from(&*stream).set_send_buffer_size(limits::SEND_BUFFER);
        if let Err(error) = small.and_then(|()| stream.set_nodelay(true)) {
            tracing::debug!(%error, "a connection is served with the system's settings");
        }
    })
}

/// What connections are encrypted with; another from when on the files change.
pub type Encryption = watch::Receiver<Arc<ServerConfig>>;

/// What all connections share.
#[derive(Clone)]
struct House {
    router: Router,
    limits: Limits,
    encryption: Option<Encryption>,
    stop: CancellationToken,
}

/// Serves until `stop`, and then what is under way for a moment.
pub async fn serve(
    mut listener: impl Listener<Addr = SocketAddr>,
    router: Router,
    limits: Limits,
    encryption: Option<Encryption>,
    stop: CancellationToken,
) {
    let room = Room::new(&limits);
    let house = House { router, limits, encryption, stop };
    // Dropped with this future, and with it all connections.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = house.stop.cancelled() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            (io, peer) = listener.accept() => match room.admit(peer.ip(), house.limits.request) {
                Some(chair) => {
                    connections.spawn(house.clone().attend(io, peer.ip(), chair));
                }
                None => tracing::debug!(%peer, "no room: all connections are being answered"),
            },
        }
    }
    drop(listener);
    // What takes longer is cut off.
    let _ = timeout(house.limits.stop, async { while connections.join_next().await.is_some() {} }).await;
}

impl House {
    /// Serves one connection until it ends, gives way or is cut off.
    async fn attend<T: AsyncRead + AsyncWrite + Unpin>(mut self, io: T, peer: IpAddr, chair: Arc<Chair>) {
        let Some(encryption) = &self.encryption else { return self.speak(io, peer, chair, Way::default()).await };
        let acceptor = TlsAcceptor::from(encryption.borrow().clone());
        let shake = async {
            let begun = Begun::read(io).await?;
            match begun.is_tls() {
                true => acceptor.accept(begun).await.map(Ok),
                false => Ok(Err(begun)),
            }
        };
        // As long as a head may take.
        let shaken = tokio::select! {
            shaken = timeout(self.limits.head, shake) => shaken,
            () = chair.gives_way() => return,
            () = self.stop.cancelled() => return,
        };
        match shaken {
            Ok(Ok(Ok(io))) => {
                let certified = io.get_ref().1.peer_certificates().is_some();
                self.speak(io, peer, chair, Way { encrypted: true, certified }).await;
            }
            Ok(Ok(Err(io))) => {
                self.router = doors::to_https();
                self.speak(io, peer, chair, Way::default()).await;
            }
            Ok(Err(error)) => tracing::debug!(%peer, %error, "a visitor does not speak TLS as we do"),
            Err(_) => tracing::debug!(%peer, "a visitor says nothing"),
        }
    }

    /// Speaks HTTP on a connection.
    async fn speak<T: AsyncRead + AsyncWrite + Unpin>(self, io: T, peer: IpAddr, chair: Arc<Chair>, way: Way) {
        let Self { router, limits, stop, .. } = self;
        let router = TowerToHyperService::new(router);
        let (host, proxies) = (chair.clone(), limits.proxies);
        let service = service_fn(move |incoming: hyper::Request<Incoming>| {
            let chair = host.clone();
            chair.busy();
            let mut incoming: Request = incoming.map(axum::body::Body::new);
            let encrypted = way.encrypted || address::is_encrypted_before(peer, incoming.headers(), &proxies);
            let address = address::asks(peer, incoming.headers(), &proxies);
            incoming.extensions_mut().insert(Guest { chair: chair.clone(), address, way: Way { encrypted, ..way } });
            let path = incoming.uri().path().to_owned();
            let answer = router.call(incoming);
            async move {
                let response = match chair.in_time(answer).await {
                    Some(Ok(response)) => response,
                    None => too_long(&path),
                };
                Ok::<_, Infallible>(response.map(|body| Answer { body, chair }))
            }
        });
        let paced = Paced::new(io, chair.clone(), limits.pace, limits.least);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_header_size(limits::HEAD)
            .max_headers(limits::HEADERS)
            .max_buf_size(limits::BUFFER)
            .serve_connection(TokioIo::new(paced), service);
        let mut connection = pin!(connection);
        let mut stopping = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection broke");
                    }
                    return;
                }
                () = chair.gives_way() => return,
                () = stop.cancelled(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

fn too_long(path: &str) -> Response {
    let vietnamese = "Máy chủ chưa trả lời kịp; hãy thử lại sau ít phút.";
    let english = "the answer took too long; try again in a moment";
    let mut response = refuse(path, StatusCode::SERVICE_UNAVAILABLE, vietnamese, english);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
    response
}

#[cfg(test)]
#[path = "../server_tests.rs"]
mod tests;
