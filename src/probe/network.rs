//! What an error of a socket says: about the way to a camera, or about ourselves.

use crate::model::{Failure, FailureKind};
use rustix::io::Errno;
use std::{io, net::SocketAddr};

/// Whether it is our own machine that is out of something: descriptors, memory, buffers, ports.
pub(crate) fn own_fault(error: &io::Error) -> bool {
    const OWN: [Errno; 5] = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::ADDRNOTAVAIL];
    error.raw_os_error().is_some_and(|code| OWN.iter().any(|own| own.raw_os_error() == code))
}

/// Why `address` could not be connected to.
pub(super) fn failure(address: SocketAddr, error: &io::Error) -> Failure {
    if own_fault(error) {
        return Failure::new(FailureKind::ProbeFailed, format!("this machine cannot connect: {}", error.kind()));
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Failure::new(
            FailureKind::Refused,
            format!("{address} refuses connections: the host is there, the port is closed"),
        ),
        io::ErrorKind::TimedOut => Failure::new(FailureKind::Timeout, format!("{address} did not answer")),
        kind => Failure::new(FailureKind::Unreachable, format!("no way to {address}: {kind}")),
    }
}
