//! RTSP over TLS (`rtsps://`): the camera's certificate is the one that the configuration names, or any where it says so.
//!
//! Cameras sign their own certificates, and a worker has no files to look authorities up in; so what counts is the
//! fingerprint. A certificate that is not named is told with its fingerprint, to be compared and entered.

use crate::model::{Certificate, Failure, FailureKind, told};
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use sha2::{Digest, Sha256};
use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Encrypts a connection to a camera.
pub(super) async fn connect(
    stream: TcpStream,
    address: IpAddr,
    expected: Option<Certificate>,
) -> Result<TlsStream<TcpStream>, Failure> {
    let (config, verifier) =
        verifying(expected).map_err(|_| Failure::new(FailureKind::ProbeFailed, told!(TlsMissing)))?;
    let connected = TlsConnector::from(Arc::new(config)).connect(ServerName::from(address), stream).await;
    connected.map_err(|_| match (verifier.seen.get(), expected) {
        (Some(seen), expected) if !expected.is_some_and(|expected| expected.admits(seen)) => {
            let seen = Certificate::Pinned(*seen).to_string();
            let detail = match expected {
                None => told!(CertificateUnnamed, seen),
                Some(_) => told!(CertificateOther, seen),
            };
            Failure::new(FailureKind::Certificate, detail)
        }
        _ => Failure::new(FailureKind::RtspError, told!(SpeaksNoTls)),
    })
}

/// A client that knows its server by the server's certificate alone, whoever signed it.
pub(crate) fn known_by(certificate: Certificate) -> Result<ClientConfig, rustls::Error> {
    verifying(Some(certificate)).map(|(config, _)| config)
}

fn verifying(expected: Option<Certificate>) -> Result<(ClientConfig, Arc<Verifier>), rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(Verifier { expected, seen: OnceLock::new(), provider: provider.clone() });
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?.dangerous();
    Ok((builder.with_custom_certificate_verifier(verifier.clone()).with_no_client_auth(), verifier))
}

#[derive(Debug)]
struct Verifier {
    expected: Option<Certificate>,
    /// The fingerprint that came.
    seen: OnceLock<[u8; 32]>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let seen = *self.seen.get_or_init(|| Sha256::digest(certificate).into());
        match self.expected {
            Some(expected) if expected.admits(&seen) => Ok(ServerCertVerified::assertion()),
            _ => Err(rustls::CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
