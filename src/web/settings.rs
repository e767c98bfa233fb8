//! Where pages and metrics are served, how they are encrypted, and who reads metrics without an account.

use super::{acme::Acme, tls::Tls};
use crate::{
    model::closed,
    rights::{Hash, Role},
};
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// The listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Address to listen on; loopback unless the commune says otherwise.
    pub listen: SocketAddr,
    /// Names by which others ask for it, beside its addresses, `localhost` and the host of `[alert] page`; lower case.
    pub hosts: Vec<String>,
    /// Whether visitors must sign in.
    pub sign_in: bool,
    /// Roles that must have a second step beside their password.
    pub second_step: Vec<Role>,
    /// The provider that says who somebody is, beside passwords.
    pub openid: Option<OpenId>,
    /// What it is encrypted with; without it, it speaks plain HTTP.
    pub tls: Option<Tls>,
    /// The authority that gives the certificate, where none of one's own is named.
    pub acme: Option<Acme>,
    /// Addresses of proxies, whose word on where a request comes from is believed.
    pub proxies: Vec<IpAddr>,
    /// Addresses of the other machines of a province, which pass visitors on as they are.
    pub neighbours: Vec<IpAddr>,
    /// Who reads metrics as Prometheus does from other exporters.
    pub scrapers: Arc<Scrapers>,
}

impl Settings {
    /// Has people of a role show a second step. False where there is no such role of people: screens and programs have no
    /// password beside which it could stand.
    pub fn require_second_step(&mut self, role: &str) -> bool {
        let role = role.parse::<Role>().ok().filter(|role| *role != Role::Wall);
        self.second_step.extend(role);
        role.is_some()
    }

    /// How addresses of pages begin.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9740)),
            hosts: Vec::new(),
            sign_in: true,
            second_step: Vec::new(),
            openid: None,
            tls: None,
            acme: None,
            proxies: Vec::new(),
            neighbours: Vec::new(),
            scrapers: Arc::default(),
        }
    }
}

closed! {
    /// Which claim of a provider is the name that an account waits for.
    pub enum Claim {
        /// What they sign in by there.
        PreferredUsername "preferred_username",
        /// Their address, where the provider has verified it.
        Email "email",
        /// The provider's own number of them.
        Subject "sub",
    }
}

/// A provider of OpenID Connect, and what camhealth is there.
#[derive(Debug, Clone)]
pub struct OpenId {
    /// Its address, letter by letter as its discovery document has it.
    pub issuer: String,
    /// What camhealth is called there.
    pub client_id: String,
    /// What camhealth is known by there.
    pub client_secret: SecretString,
    /// What stands on the button.
    pub name: String,
    /// Which claim is matched.
    pub claim: Claim,
}

impl PartialEq for OpenId {
    fn eq(&self, other: &Self) -> bool {
        let all = |of: &Self| (of.issuer.clone(), of.client_id.clone(), of.name.clone(), of.claim);
        all(self) == all(other) && self.client_secret.expose_secret() == other.client_secret.expose_secret()
    }
}

impl Eq for OpenId {}

/// Who reads metrics by what Prometheus' web configuration says, beside those who have a token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scrapers {
    /// Names and the bcrypt hashes of their passwords.
    pub users: BTreeMap<String, Hash>,
    /// Whether they must show a certificate of the authority in [`Tls::clients`].
    pub certified: bool,
}

impl Scrapers {
    /// Names with the bcrypt hashes of their passwords, and whether a certificate is asked for as well.
    pub fn new(users: BTreeMap<String, String>, certified: bool) -> Self {
        Self { users: users.into_iter().map(|(name, hash)| (name, Hash(hash))).collect(), certified }
    }

    /// Whether nothing was said of any.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && !self.certified
    }
}
