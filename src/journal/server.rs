//! A PostgreSQL server that holds the journal: where it is, and how it is signed in to.

use super::{Error, error::Trouble};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::CertificateDer, pki_types::pem::PemObject};
use rustls_platform_verifier::BuilderVerifierExt;
use secrecy::{ExposeSecret, SecretString};
use std::{net::IpAddr, path::PathBuf, str::FromStr, sync::Arc, time::Duration};
use tokio_postgres::{
    Client, Config,
    config::{Host, SslMode, TargetSessionAttrs},
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The longest name of a schema that a server does not cut off.
const LONGEST_NAME: usize = 63;
/// How long a server of several is tried before the next.
const EACH: Duration = Duration::from_secs(2);

/// Where the journal lies on a server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Without its password.
    config: Config,
    password: Option<SecretString>,
    /// The authorities that its certificate is known by, as PEM; those of this machine without it.
    roots: Option<PathBuf>,
    schema: String,
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        let secret = |server: &Self| server.password.as_ref().map(|secret| secret.expose_secret().to_owned());
        (&self.config, &self.roots, &self.schema) == (&other.config, &other.roots, &other.schema)
            && secret(self) == secret(other)
    }
}

impl Eq for Server {}

/// Why an address cannot be used, for people; it names no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// It is none, or has a word that none has.
    Address,
    /// It holds a password.
    Password,
    /// It names no database.
    Database,
    /// A schema's name is no plain name.
    Schema,
}

impl Server {
    /// The server of an address such as `postgres://camhealth@db.example/camhealth`. Where nothing is said of encryption, it is
    /// asked for unless the server is this machine.
    pub fn new(
        url: &str,
        password: Option<SecretString>,
        roots: Option<PathBuf>,
        schema: &str,
    ) -> Result<Self, Unusable> {
        let is_address = url.starts_with("postgres://") || url.starts_with("postgresql://");
        let mut config = Config::from_str(url).ok().filter(|_| is_address).ok_or(Unusable::Address)?;
        if config.get_password().is_some() {
            return Err(Unusable::Password);
        }
        if config.get_dbname().is_none() {
            return Err(Unusable::Database);
        }
        let plain = |mark: char| mark.is_ascii_lowercase() || mark.is_ascii_digit() || mark == '_';
        let begins = schema.starts_with(|mark: char| mark.is_ascii_lowercase() || mark == '_');
        if !begins || !schema.chars().all(plain) || schema.len() > LONGEST_NAME || schema.starts_with("pg_") {
            return Err(Unusable::Schema);
        }
        let is_here = |host: &Host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        };
        if config.get_hosts().is_empty() {
            config.host_path("/run/postgresql");
        }
        // What is not said of encryption reads as `prefer`, which believes whoever says that there is none.
        if config.get_ssl_mode() == SslMode::Prefer {
            let here = config.get_hosts().iter().all(is_here) && config.get_hostaddrs().is_empty();
            config.ssl_mode(if here { SslMode::Disable } else { SslMode::Require });
        }
        if config.get_user().is_none() {
            config.user("camhealth");
        }
        config.application_name("camhealth").target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.connect_timeout(EACH).tcp_user_timeout(Duration::from_secs(10));
        config.keepalives_idle(Duration::from_secs(10)).keepalives_interval(Duration::from_secs(5));
        config.keepalives_retries(3);
        Ok(Self { config, password, roots, schema: schema.to_owned() })
    }

    /// The schema: letters, digits and underscores, so that it stands in a statement as it is.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// Where it is, for people.
    pub fn told(&self) -> String {
        let ports = self.config.get_ports();
        let host = |(at, host): (usize, &Host)| {
            let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                Host::Unix(path) => format!("{}:{port}", path.display()),
            }
        };
        let hosts: Vec<_> = self.config.get_hosts().iter().enumerate().map(host).collect();
        let database = self.config.get_dbname().unwrap_or_default();
        format!("postgres://{}/{database} (schema {})", hosts.join(","), self.schema)
    }

    /// Signs in; what is said over the session is for whoever drives the second of these.
    pub(super) async fn connect(&self) -> Result<(Client, impl Future<Output = ()> + Send + use<>), Error> {
        let mut config = self.config.clone();
        if let Some(password) = &self.password {
            config.password(password.expose_secret());
        }
        let tls = MakeRustlsConnect::new(self.encryption()?);
        let (client, connection) = config.connect(tls).await.map_err(|error| Trouble::of(&error))?;
        let driven = async move {
            // Whoever waits for an answer hears of it.
            let _ = connection.await;
        };
        Ok((client, driven))
    }

    fn encryption(&self) -> Result<ClientConfig, Error> {
        let told = |error: rustls::Error| Error::File(std::io::Error::other(error.to_string()));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(told)?;
        let Some(path) = &self.roots else {
            return Ok(builder.with_platform_verifier().map_err(told)?.with_no_client_auth());
        };
        let unfit = |why: String| Error::Unfit { path: path.clone(), why };
        let pem = std::fs::read(path).map_err(|error| unfit(format!("{error}: see [journal] roots")))?;
        let mut roots = RootCertStore::empty();
        let known = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok);
        if roots.add_parsable_certificates(known).0 == 0 {
            return Err(unfit("it holds no certificate: name the authority's in [journal] roots, as PEM".to_owned()));
        }
        Ok(builder.with_root_certificates(roots).with_no_client_auth())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Result<Server, Unusable> {
        Server::new(url, None, None, "camhealth")
    }

    #[test]
    fn what_leaves_this_machine_is_encrypted_unless_somebody_says_otherwise() {
        let mode = |url: &str| server(url).expect("an address").config.get_ssl_mode();
        assert_eq!(mode("postgres://camhealth@127.0.0.1/camhealth"), SslMode::Disable);
        assert_eq!(mode("postgres:///camhealth?host=/run/postgresql"), SslMode::Disable);
        assert_eq!(mode("postgres:///camhealth"), SslMode::Disable);
        assert_eq!(mode("postgres://db.example/camhealth"), SslMode::Require);
        assert_eq!(mode("postgres://localhost,db.example/camhealth"), SslMode::Require);
        assert_eq!(mode("postgres://db.example/camhealth?sslmode=prefer"), SslMode::Require);
        assert_eq!(mode("postgres://db.example/camhealth?sslmode=disable"), SslMode::Disable);
    }

    #[test]
    fn what_cannot_be_used_is_refused_and_no_password_is_shown() {
        for (url, why) in [
            ("postgres://camhealth:geheim@db.example/camhealth", Unusable::Password),
            ("postgres://db.example/camhealth?password=geheim", Unusable::Password),
            ("postgres://db.example", Unusable::Database),
            ("mysql://db.example/camhealth", Unusable::Address),
            ("host=db.example dbname=camhealth", Unusable::Address),
            ("postgres://db.example/camhealth?sslmodus=require", Unusable::Address),
            ("postgres://db.example:port/camhealth", Unusable::Address),
            ("", Unusable::Address),
        ] {
            assert_eq!(server(url).expect_err(url), why, "{url}");
        }
        for schema in ["", "Xã", "a b", "a\"b", "1a", "pg_catalog", &"a".repeat(64)] {
            assert_eq!(Server::new("postgres:///x", None, None, schema).expect_err(schema), Unusable::Schema);
        }
        let secret = Some(SecretString::from("geheim"));
        let known =
            Server::new("postgres://a@db.example,db2.example:5433/x", secret, None, "xa_1").expect("an address");
        assert_eq!(known.told(), "postgres://db.example:5432,db2.example:5433/x (schema xa_1)");
        assert!(!format!("{known:?}").contains("geheim"));
        let other = Server { password: Some("khac".into()), ..known.clone() };
        assert!(known == known.clone() && known != other, "another password is another way in");
    }
}
