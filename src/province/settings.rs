//! What a machine that shares a province is told by its file: its name, where it is, where the roll lies, and which communes there are.

use crate::{
    journal,
    model::{Language, MemberId},
};
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

/// The settings of a member.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The province's name, for people.
    pub name: String,
    /// In which what it shows is told.
    pub language: Language,
    /// This machine's name among the others.
    pub member: MemberId,
    /// Where the others, and Prometheus, reach what this machine serves.
    pub address: IpAddr,
    /// Where it says which commune is where.
    pub listen: SocketAddr,
    /// Where the roll lies.
    pub server: Arc<journal::Server>,
    /// The main file of each commune's configuration.
    pub communes: Vec<PathBuf>,
}
