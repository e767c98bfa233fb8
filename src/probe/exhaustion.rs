//! Tells this machine's own wants from a camera's faults: a socket that could not be had says nothing about who was to
//! be asked.

use crate::model::{Failure, FailureKind, told};
use rustix::io::Errno;
use std::{error::Error, io};

/// Out of descriptors in this process and on this machine, of buffers, of memory, of local ports; and EPERM, which no
/// peer can bring about: our own packet filter or sandbox says it.
const OWN: [Errno; 6] = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::ADDRNOTAVAIL, Errno::PERM];

/// Whether the error is this machine's own.
pub(super) fn own_fault(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::OutOfMemory
        || error.raw_os_error().is_some_and(|code| OWN.iter().any(|own| own.raw_os_error() == code))
}

/// Whether such an error is the cause of another, as HTTP clients wrap it.
pub(super) fn caused_by_own_fault(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let outer = error.downcast_ref::<io::Error>();
        if outer.is_some_and(own_fault) {
            return true;
        }
        // What an I/O error wraps is not its source: that is the wrapped one's.
        let inner = outer.and_then(io::Error::get_ref).map(|inner| inner as &(dyn Error + 'static));
        next = inner.or_else(|| error.source());
    }
    false
}

/// A look that this machine could not make.
pub(super) fn could_not_ask() -> Failure {
    Failure::new(FailureKind::ProbeFailed, told!(NoSocket))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(code: Errno) -> io::Error {
        io::Error::from_raw_os_error(code.raw_os_error())
    }

    #[test]
    fn what_this_machine_lacks_is_its_own_fault() {
        for own in OWN {
            assert!(own_fault(&os(own)), "{own:?}");
        }
        for theirs in [Errno::CONNREFUSED, Errno::HOSTUNREACH, Errno::NETUNREACH, Errno::TIMEDOUT, Errno::CONNRESET] {
            assert!(!own_fault(&os(theirs)), "{theirs:?}");
        }
        assert!(!own_fault(&io::ErrorKind::UnexpectedEof.into()));
    }

    #[test]
    fn it_is_found_below_other_errors() {
        let wrapped = io::Error::other(io::Error::other(os(Errno::MFILE)));
        assert!(caused_by_own_fault(&wrapped));
        assert!(!caused_by_own_fault(&io::Error::other(os(Errno::CONNREFUSED))));
    }
}
