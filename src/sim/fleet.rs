//! Tens of thousands of simulated cameras behind two listening sockets: each address of 127/8 is a camera.
//!
//! Linux hands a listener on the wildcard address all connections to 127.0.0.0/8, and the accepted socket tells which
//! address was called. So a camera costs nothing until somebody calls it, and all share one group of pictures.

use super::{
    camera::deafen,
    fault::Fault,
    h264::Gop,
    onvif, rtsp,
    shared::{Shared, Spec},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Connections that may wait to be accepted: all cameras of a big fleet may be called at once.
const BACKLOG: u32 = 4096;

/// Cameras at all addresses of 127/8, on one RTSP port and one ONVIF port. They go when it is dropped.
pub struct SimFleet {
    cameras: Arc<Cameras>,
    rtsp: u16,
    doors: Doors,
    onvif: JoinHandle<()>,
}

/// What is known of each address.
struct Cameras {
    template: Spec,
    onvif: u16,
    gop: Arc<Gop>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// What a camera suffers from that nothing else was said of.
    usual: Fault,
    /// Those that were called, or that a fault was set for.
    cameras: HashMap<IpAddr, (watch::Sender<Fault>, Arc<Shared>)>,
}

struct Doors {
    all: Door,
    /// Single cameras that nobody gets through to.
    dark: HashMap<IpAddr, Dark>,
}

enum Door {
    Open(JoinHandle<()>),
    Dark { _dark: Dark },
    Closed,
}

type Dark = (TcpListener, Vec<TcpStream>);

impl SimFleet {
    /// Opens the ports on all addresses; what each camera is `template` says.
    pub async fn start(template: Spec, rtsp: u16, onvif: u16) -> io::Result<Self> {
        let listener = listen(rtsp)?;
        let services = listen(onvif)?;
        let (rtsp, onvif) = (listener.local_addr()?.port(), services.local_addr()?.port());
        let gop = Arc::new(Gop::new(template.width, template.height, template.gop));
        let cameras = Arc::new(Cameras { template, onvif, gop, known: Mutex::default() });
        let all = Door::Open(tokio::spawn(accept(listener, cameras.clone(), rtsp)));
        let onvif = tokio::spawn(serve_onvif(services, cameras.clone(), rtsp));
        Ok(Self { cameras, rtsp, doors: Doors { all, dark: HashMap::new() }, onvif })
    }

    /// Address of the stream of the camera at `ip`.
    pub fn rtsp_url(&self, ip: IpAddr) -> String {
        format!("rtsp://{}{}", SocketAddr::from((ip, self.rtsp)), self.cameras.template.path)
    }

    /// Address of the ONVIF service of the camera at `ip`.
    pub fn onvif_url(&self, ip: IpAddr) -> String {
        onvif::url((ip, self.cameras.onvif).into())
    }

    /// Sets the fault of one camera. It is in force when this returns, for open sessions too. A camera whose port is
    /// closed is called and resets at once, since one socket listens for all.
    pub async fn set_fault(&mut self, ip: IpAddr, fault: Fault) -> io::Result<()> {
        self.cameras.of(ip, self.rtsp).0.send_replace(fault);
        match fault {
            Fault::PoweredOff if !self.doors.dark.contains_key(&ip) => {
                drop(self.doors.dark.insert(ip, dark((ip, self.rtsp).into()).await?));
            }
            Fault::PoweredOff => {}
            _ => drop(self.doors.dark.remove(&ip)),
        }
        Ok(())
    }

    /// Sets the fault of all cameras.
    pub async fn set_all(&mut self, fault: Fault) -> io::Result<()> {
        {
            let mut known = self.cameras.known();
            known.usual = fault;
            for (sender, _) in known.cameras.values() {
                sender.send_replace(fault);
            }
        }
        self.doors.dark.clear();
        if let Door::Open(task) = std::mem::replace(&mut self.doors.all, Door::Closed) {
            task.abort();
            // The socket is closed when the task is gone.
            let _ = task.await;
        }
        self.doors.all = match fault {
            Fault::PoweredOff => Door::Dark { _dark: dark((Ipv4Addr::UNSPECIFIED, self.rtsp).into()).await? },
            Fault::PortClosed => Door::Closed,
            _ => Door::Open(tokio::spawn(accept(listen(self.rtsp)?, self.cameras.clone(), self.rtsp))),
        };
        Ok(())
    }
}

impl Drop for SimFleet {
    fn drop(&mut self) {
        if let Door::Open(task) = &self.doors.all {
            task.abort();
        }
        self.onvif.abort();
    }
}

impl Cameras {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The camera at an address, made when it is first called.
    fn of(&self, ip: IpAddr, rtsp: u16) -> (watch::Sender<Fault>, Arc<Shared>) {
        let mut known = self.known();
        let usual = known.usual;
        let made = || {
            let (sender, fault) = watch::channel(usual);
            let addresses = ((ip, rtsp).into(), Some((ip, self.onvif).into()));
            let spec = Spec { rtsp: addresses.0, onvif: addresses.1, serial: ip.to_string(), ..self.template.clone() };
            let shared = Shared::new(spec, self.gop.clone(), fault);
            // The cell is new: nobody has set it.
            let _ = shared.addresses.set(addresses);
            (sender, Arc::new(shared))
        };
        known.cameras.entry(ip).or_insert_with(made).clone()
    }
}

/// Beside each other on one port a listener for all addresses and those of single ones: the kernel takes the one that
/// fits best. Nobody gets to them but over loopback.
fn shared_socket() -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    #[cfg(target_os = "linux")]
    socket.bind_device(Some(b"lo"))?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    Ok(socket)
}

fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = shared_socket()?;
    socket.bind((Ipv4Addr::UNSPECIFIED, port).into())?;
    socket.listen(BACKLOG)
}

async fn dark(address: SocketAddr) -> io::Result<Dark> {
    deafen(shared_socket()?, address).await
}

async fn accept(listener: TcpListener, cameras: Arc<Cameras>, port: u16) {
    loop {
        let stream = rtsp::next(&listener).await;
        let Ok(called) = stream.local_addr() else { continue };
        let (_, shared) = cameras.of(called.ip(), port);
        if shared.fault() == Fault::PortClosed {
            // The client sees a reset instead of an end.
            let _ = stream.set_zero_linger();
            continue;
        }
        tokio::spawn(rtsp::serve(stream, shared));
    }
}

async fn serve_onvif(listener: TcpListener, cameras: Arc<Cameras>, port: u16) {
    loop {
        let stream = rtsp::next(&listener).await;
        let Ok(called) = stream.local_addr() else { continue };
        let service = TowerToHyperService::new(onvif::router(cameras.of(called.ip(), port).1));
        tokio::spawn(async move {
            // A client that goes away ends its connection and nothing else.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
