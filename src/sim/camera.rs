//! A simulated camera as a value: its sockets open and close with its fault, and it counts what is done to it.

use super::{
    fault::Fault,
    h264::Gop,
    onvif, rtsp,
    shared::{Shared, Spec, Stats},
};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

/// A running simulated camera; it goes when it is dropped.
pub struct SimCamera {
    shared: Arc<Shared>,
    rtsp: SocketAddr,
    onvif: Option<SocketAddr>,
    fault: watch::Sender<Fault>,
    doors: tokio::sync::Mutex<Doors>,
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
