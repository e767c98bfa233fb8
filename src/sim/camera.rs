//! A simulated camera as a value: its sockets open and close with its fault, and it counts what is done to it.

use super::{fault::Fault, h264::Gop, onvif, rtsp};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

/// What a simulated camera is.
#[derive(Debug, Clone)]
pub struct Spec {
    /// RTSP address; port 0 picks one.
    pub rtsp: SocketAddr,
    /// ONVIF address; port 0 picks one.
    pub onvif: Option<SocketAddr>,
    /// User and password that `DESCRIBE` and device information want.
    pub login: Option<(String, String)>,
    /// Path of its stream, with the leading slash.
    pub path: String,
    /// Frames a second.
    pub fps: u32,
    /// Frames from keyframe to keyframe, at most 256.
    pub gop: u32,
    /// Width in pixels, even.
    pub width: u32,
    /// Height in pixels, even.
    pub height: u32,
    /// Sessions at once.
    pub sessions: usize,
    /// What ONVIF says of it.
    pub manufacturer: String,
    /// What ONVIF says of it.
    pub model: String,
    /// What ONVIF says of it.
    pub firmware: String,
    /// What ONVIF says of it.
    pub serial: String,
}

impl Spec {
    /// A substream of 640×360 at 15 frames a second with a keyframe each 2 s, without login and ONVIF.
    pub fn new(rtsp: SocketAddr) -> Self {
        Self {
            rtsp,
            onvif: None,
            login: None,
            path: "/sub".into(),
            fps: 15,
            gop: 30,
            width: 640,
            height: 360,
            sessions: 2,
            manufacturer: "camhealth".into(),
            model: "simulated".into(),
            firmware: env!("CARGO_PKG_VERSION").into(),
            serial: "0".into(),
        }
    }
}

/// What was done to a camera.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// RTSP connections accepted.
    pub connections: u64,
    /// Sessions set up and not torn down.
    pub open_sessions: usize,
    /// The most sessions at once.
    pub max_open_sessions: usize,
    /// `TEARDOWN` requests.
    pub teardowns: u64,
    /// Logins rejected, over RTSP and ONVIF.
    pub failed_logins: u64,
    /// Logins that came in clear.
    pub basic_logins: u64,
}

/// A running simulated camera; it goes when it is dropped.
pub struct SimCamera {
    shared: Arc<Shared>,
    rtsp: SocketAddr,
    onvif: Option<SocketAddr>,
    fault: watch::Sender<Fault>,
    doors: tokio::sync::Mutex<Doors>,
}

/// What all connections of a camera share.
pub(super) struct Shared {
    pub(super) spec: Spec,
    pub(super) gop: Arc<Gop>,
    pub(super) fault: watch::Receiver<Fault>,
    pub(super) connections: AtomicU64,
    pub(super) open_sessions: AtomicUsize,
    pub(super) max_open_sessions: AtomicUsize,
    pub(super) teardowns: AtomicU64,
    pub(super) failed_logins: AtomicU64,
    pub(super) basic_logins: AtomicU64,
    pub(super) serial: AtomicU64,
    pub(super) logins: AtomicU64,
    pub(super) topics: Mutex<Vec<String>>,
    /// Where its services really are: RTSP and ONVIF.
    pub(super) addresses: OnceLock<(SocketAddr, Option<SocketAddr>)>,
}

impl Shared {
    /// A camera to which nothing was done yet. Making the pictures takes a while, so cameras may share them.
    pub(super) fn new(spec: Spec, gop: Arc<Gop>, fault: watch::Receiver<Fault>) -> Self {
        Self {
            gop,
            spec,
            fault,
            connections: AtomicU64::new(0),
            open_sessions: AtomicUsize::new(0),
            max_open_sessions: AtomicUsize::new(0),
            teardowns: AtomicU64::new(0),
            failed_logins: AtomicU64::new(0),
            basic_logins: AtomicU64::new(0),
            serial: AtomicU64::new(1),
            logins: AtomicU64::new(0),
            topics: Mutex::default(),
            addresses: OnceLock::new(),
        }
    }

    pub(super) fn fault(&self) -> Fault {
        *self.fault.borrow()
    }
}

/// The sockets as they are now.
#[derive(Default)]
struct Doors {
    rtsp: Option<Door>,
    onvif: Option<JoinHandle<()>>,
}

/// The RTSP port.
enum Door {
    Open(JoinHandle<()>),
    /// A listener whose queue is full: further connects get no answer.
    Dark {
        _listener: TcpListener,
        _queue: Vec<TcpStream>,
    },
}

impl SimCamera {
    /// Opens the camera's ports.
    pub async fn start(spec: Spec) -> io::Result<Self> {
        let (fault, watched) = watch::channel(Fault::None);
        let listener = TcpListener::bind(spec.rtsp).await?;
        let rtsp = listener.local_addr()?;
        let service = match spec.onvif {
            Some(address) => Some(TcpListener::bind(address).await?),
            None => None,
        };
        let onvif = service.as_ref().map(TcpListener::local_addr).transpose()?;
        let gop = Arc::new(Gop::new(spec.width, spec.height, spec.gop));
        let shared = Arc::new(Shared::new(spec, gop, watched));
        // The cell is new: nobody has set it.
        let _ = shared.addresses.set((rtsp, onvif));
        let doors = Doors {
            rtsp: Some(Door::Open(tokio::spawn(accept(listener, shared.clone())))),
            onvif: service.map(|service| serve_onvif(service, &shared)),
        };
        Ok(Self { shared, rtsp, onvif, fault, doors: tokio::sync::Mutex::new(doors) })
    }

    /// Address of its RTSP port.
    pub fn rtsp_addr(&self) -> SocketAddr {
        self.rtsp
    }

    /// URL of its stream.
    pub fn rtsp_url(&self) -> String {
        format!("rtsp://{}{}", self.rtsp, self.shared.spec.path)
    }

    /// URL of its ONVIF device service.
    pub fn onvif_url(&self) -> Option<String> {
        self.onvif.map(onvif::url)
    }

    /// What was done to it so far.
    pub fn stats(&self) -> Stats {
        let shared = &self.shared;
        Stats {
            connections: shared.connections.load(Ordering::Relaxed),
            open_sessions: shared.open_sessions.load(Ordering::Relaxed),
            max_open_sessions: shared.max_open_sessions.load(Ordering::Relaxed),
            teardowns: shared.teardowns.load(Ordering::Relaxed),
            failed_logins: shared.failed_logins.load(Ordering::Relaxed),
            basic_logins: shared.basic_logins.load(Ordering::Relaxed),
        }
    }

    /// The event topics that were asked for, in order, as the filters named them.
    pub fn topics_asked(&self) -> Vec<String> {
        self.shared.topics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets its fault. It is in force when this returns, for open sessions too.
    pub async fn set_fault(&self, fault: Fault) -> io::Result<()> {
        let mut doors = self.doors.lock().await;
        self.shared.logins.store(0, Ordering::Relaxed);
        self.fault.send_replace(fault);
        let open = matches!(doors.rtsp, Some(Door::Open(_)));
        match fault {
            Fault::PoweredOff => {
                close(&mut doors).await;
                doors.rtsp = Some(dark(self.rtsp).await?);
            }
            Fault::PortClosed => close(&mut doors).await,
            _ if open => {}
            _ => {
                close(&mut doors).await;
                let listener = TcpListener::bind(self.rtsp).await?;
                doors.rtsp = Some(Door::Open(tokio::spawn(accept(listener, self.shared.clone()))));
                if let Some(address) = self.onvif {
                    doors.onvif = Some(serve_onvif(TcpListener::bind(address).await?, &self.shared));
                }
            }
        }
        Ok(())
    }
}

impl Drop for SimCamera {
    fn drop(&mut self) {
        let doors = self.doors.get_mut();
        if let Some(Door::Open(task)) = &doors.rtsp {
            task.abort();
        }
        if let Some(task) = &doors.onvif {
            task.abort();
        }
        // Open connections end when the sender of their fault is gone.
    }
}

/// RTSP and ONVIF addresses for `count` cameras: one loopback address each where the system has them (Linux), else
/// ports that the system picks.
pub fn fleet_addresses(count: usize) -> Vec<(SocketAddr, SocketAddr)> {
    let has_many = std::net::TcpListener::bind((Ipv4Addr::new(127, 0, 1, 1), 0)).is_ok();
    let address = |number: usize| {
        if !has_many {
            let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            return (any, any);
        }
        // 250 in each of 250 networks, and so on: none ends in 0 or 255, as a host's does not.
        let [low, middle, high] = [number, number / 250, number / 62_500].map(|part| (part % 250) as u8);
        let ip = IpAddr::from(Ipv4Addr::new(127, high, 1 + middle, 1 + low));
        ((ip, 8554).into(), (ip, 8000).into())
    };
    (0..count).map(address).collect()
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        tokio::spawn(rtsp::serve(rtsp::next(&listener).await, shared.clone()));
    }
}

async fn close(doors: &mut Doors) {
    let rtsp = doors.rtsp.take();
    let onvif = doors.onvif.take();
    let tasks = [rtsp.and_then(|door| if let Door::Open(task) = door { Some(task) } else { None }), onvif];
    for task in tasks.into_iter().flatten() {
        task.abort();
        // The socket is closed when the task is gone.
        let _ = task.await;
    }
}

async fn dark(address: SocketAddr) -> io::Result<Door> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    let (_listener, _queue) = deafen(socket, address).await?;
    Ok(Door::Dark { _listener, _queue })
}

/// Nobody accepts and the queue is full, so that the kernel drops further connection requests.
pub(super) async fn deafen(socket: TcpSocket, address: SocketAddr) -> io::Result<(TcpListener, Vec<TcpStream>)> {
    socket.bind(address)?;
    let listener = socket.listen(1)?;
    let mut queue = Vec::new();
    // A backlog of 1 takes two; a few more tries cost little where the kernel rounds up.
    while let Ok(Ok(stream)) = timeout(Duration::from_millis(50), TcpStream::connect(address)).await {
        queue.push(stream);
        if queue.len() > 64 {
            break;
        }
    }
    Ok((listener, queue))
}

fn serve_onvif(listener: TcpListener, shared: &Arc<Shared>) -> JoinHandle<()> {
    let router = onvif::router(shared.clone());
    tokio::spawn(async move {
        // Ends only with the camera.
        let _ = axum::serve(listener, router).await;
    })
}
