//! An exchange: where it is, how it is spoken to, and who we are to it.

use crate::model::{Certificate, closed};
use secrecy::SecretString;
use std::{path::PathBuf, sync::Arc};
use tokio::sync::Semaphore;

closed! {
    /// How SIP is carried.
    pub enum Transport {
        /// Datagrams, as most exchanges and gateways expect.
        Udp "udp",
        /// A stream.
        Tcp "tcp",
        /// An encrypted stream.
        Tls "tls",
    }
}

/// An exchange that puts calls through.
#[derive(Debug, Clone)]
pub struct Trunk {
    /// Its id.
    pub id: String,
    /// Where it is: a name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How SIP is carried to it.
    pub transport: Transport,
    /// By which certificate it is known where that is not an authority's affair.
    pub certificate: Option<Certificate>,
    /// User name and password, where it asks for them.
    pub login: Option<(String, SecretString)>,
    /// The number or name that it knows us by, and that those who are called see.
    pub from: String,
    /// Whether it wants us registered.
    pub register: bool,
    /// How many calls it takes at once.
    pub lines: Arc<Semaphore>,
    /// The program that speaks: espeak-ng, or where it lies.
    pub speaker: PathBuf,
    /// Recorded prompts, which are played in place of synthetic ones.
    pub prompts: Option<PathBuf>,
}
