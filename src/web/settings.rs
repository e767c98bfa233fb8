//! Where pages and metrics are served.

use std::net::SocketAddr;

/// The listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Address to listen on; loopback unless the commune says otherwise.
    pub listen: SocketAddr,
    /// Names by which others ask for it, beside its addresses, `localhost` and the host of `[alert] page`; lower case.
    pub hosts: Vec<String>,
    /// Whether visitors must sign in.
    pub sign_in: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 9740)), hosts: Vec::new(), sign_in: true }
    }
}
