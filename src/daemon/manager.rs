//! What the service manager is told: systemd, or `camhealth province run`, which starts daemons as systemd does.
//!
//! `sd-notify` writes the states; they are sent here, since whoever takes them may be stopped, and nobody is to wait for
//! them.

use sd_notify::NotifyState;
use std::{
    env, io,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
};

/// Tells the service manager. Without one there is nobody to tell, which is no error, and one that does not take it now is not
/// waited for.
pub fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = send(states) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}

fn send(states: &[NotifyState<'_>]) -> io::Result<()> {
    let Some(place) = env::var("NOTIFY_SOCKET").ok().filter(|place| !place.is_empty()) else { return Ok(()) };
    let address = match place.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(&place)?,
    };
    let text: String = states.iter().map(|state| format!("{state}\n")).collect();
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to_addr(text.as_bytes(), &address).map(drop)
}
