//! SIP over TLS: what `rsipstack` asks for a connection, made with the crypto that everything else here uses.
//!
//! It knows one connector for the whole process, so this one holds nothing: what a connection needs to know (the exchange's
//! name, and the certificate by which it is known where that is not an authority's affair) travels in the name of the host
//! that it is asked for, as `NAME/FINGERPRINT`. That name is written into no message.

use super::trunk::Trunk;
use crate::model::Certificate;
use rsipstack::{
    Error,
    platform::tls::{TlsClientConfig, TlsConnector as Connector, TlsStream as Stream, set_client_connector},
    sip::{Domain, Host, HostWithPort},
    transport::{SipAddr, transport_layer::DomainResolver},
};
use rustls::{ClientConfig, crypto::aws_lc_rs, pki_types::ServerName};
use rustls_platform_verifier::BuilderVerifierExt;
use std::{
    net::SocketAddr,
    sync::{Arc, Once},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf},
    net::TcpStream,
    sync::Mutex,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Bytes that are read at once.
const CHUNK: usize = 8 * 1024;

/// Makes a client that knows its server by a certificate.
pub type KnownBy = fn(Certificate) -> Result<ClientConfig, rustls::Error>;

/// Has calls over TLS made by this program's own crypto; before the first of them.
pub fn encrypt_calls(known_by: KnownBy) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| set_client_connector(Arc::new(Connecting(known_by))));
}

/// Where an exchange is asked for over TLS.
pub(super) fn place(trunk: &Trunk) -> SipAddr {
    let known = trunk.certificate.map(|certificate| format!("/{certificate}")).unwrap_or_default();
    let host = Host::Domain(Domain::from(format!("{}{known}", trunk.host)));
    SipAddr::new(rsipstack::sip::Transport::Tls, HostWithPort { host, port: Some(trunk.port.into()) })
}

/// Knows where each exchange is: the address that was resolved when the call began.
pub(super) struct Resolved(pub(super) SocketAddr);

#[async_trait::async_trait]
impl DomainResolver for Resolved {
    async fn resolve(&self, asked: &SipAddr) -> rsipstack::Result<SipAddr> {
        Ok(SipAddr { r#type: asked.r#type, addr: self.0.into() })
    }
}

struct Connecting(KnownBy);

#[async_trait::async_trait]
impl Connector for Connecting {
    async fn connect(&self, asked: &TlsClientConfig, at: SocketAddr) -> rsipstack::Result<Box<dyn Stream>> {
        let (name, known) = match asked.server_name.split_once('/') {
            Some((name, certificate)) => (name, certificate.parse().ok()),
            None => (asked.server_name.as_str(), None),
        };
        let config = self.config(known).map_err(|_| Error::Error("this machine has no means for TLS".into()))?;
        let name = ServerName::try_from(name.to_owned()).map_err(|_| Error::Error("no name of a server".into()))?;
        let stream = TcpStream::connect(at).await?;
        let local = stream.local_addr()?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let (reading, writing) = tokio::io::split(stream);
        Ok(Box::new(Encrypted { local, reading: reading.into(), writing: writing.into() }))
    }
}

impl Connecting {
    /// By the certificate that the configuration names, else by an authority that this machine believes.
    fn config(&self, known: Option<Certificate>) -> Result<ClientConfig, rustls::Error> {
        if let Some(certificate) = known {
            return self.0(certificate);
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        Ok(builder.with_safe_default_protocol_versions()?.with_platform_verifier()?.with_no_client_auth())
    }
}

struct Encrypted {
    local: SocketAddr,
    reading: Mutex<ReadHalf<TlsStream<TcpStream>>>,
    writing: Mutex<WriteHalf<TlsStream<TcpStream>>>,
}

#[async_trait::async_trait]
impl Stream for Encrypted {
    async fn recv(&self) -> rsipstack::Result<Vec<u8>> {
        let mut chunk = vec![0; CHUNK];
        let size = self.reading.lock().await.read(&mut chunk).await?;
        chunk.truncate(size);
        Ok(chunk)
    }

    async fn send_all(&self, data: Vec<u8>) -> rsipstack::Result<()> {
        let mut writing = self.writing.lock().await;
        writing.write_all(&data).await?;
        Ok(writing.flush().await?)
    }

    async fn shutdown(&self) -> rsipstack::Result<()> {
        Ok(self.writing.lock().await.shutdown().await?)
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(self.local)
    }
}
