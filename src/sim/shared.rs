//! What a simulated camera is and what was done to it: what all its connections share.

use super::{fault::Fault, h264::Gop};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, AtomicUsize},
    },
};
use tokio::sync::watch;

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
