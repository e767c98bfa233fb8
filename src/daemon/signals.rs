//! The signals of the operating system, for whoever runs the daemon as a process.

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What the operating system asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
}

/// Listens for signals from its making on.
#[derive(Debug)]
pub struct Signals {
    terminate: Stream,
    interrupt: Stream,
    hang_up: Stream,
    /// What else asks to stop.
    end: CancellationToken,
}

impl Signals {
    /// Takes over the signals; their default effect ends here.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            end: CancellationToken::new(),
        })
    }

    /// Whoever cancels it asks to stop, once.
    pub fn end(&self) -> CancellationToken {
        self.end.clone()
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.hang_up.recv() => Signal::Reload,
            () = self.end.cancelled() => {
                self.end = CancellationToken::new();
                Signal::Stop
            }
        }
    }
}
