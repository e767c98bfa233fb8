//! What pages are encrypted with: a certificate and its key from files, and whose certificates visitors may show.
//!
//! Files are read as a whole, so that a certificate and the key of another are never served together. TLS is rustls'
//! with its own choice of versions (1.2 and 1.3) and ciphers.

use jiff::Timestamp;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A chain of certificates is some kilobytes.
const LARGEST: u64 = 1024 * 1024;

/// The files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate, and those between it and the authority, in PEM.
    pub certificate: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
    /// The authority whose certificates visitors may show, in PEM.
    pub clients: Option<PathBuf>,
}

/// One of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsFile {
    /// [`Tls::certificate`].
    Certificate,
    /// [`Tls::key`].
    Key,
    /// [`Tls::clients`].
    Clients,
}

/// Why files cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {why}", .path.display())]
pub struct Unusable {
    /// The file at fault.
    pub file: TlsFile,
    /// Where it lies.
    pub path: PathBuf,
    /// What is wrong with it, for people; goes on after the file's name.
    pub why: String,
}

/// What was read of the files.
#[derive(Clone)]
pub struct Keyring {
    /// What connections are encrypted with.
    pub server: Arc<ServerConfig>,
    /// When the certificate ends.
    pub ends: Timestamp,
    /// Differs when any of the files does.
    pub print: [u8; 32],
}

impl Tls {
    /// Reads the files. It waits for the disk.
    pub fn read(&self) -> Result<Keyring, Unusable> {
        let fault = |file, path: &Path, why: String| Unusable { file, path: path.to_owned(), why };
        let in_certificate = |why| fault(TlsFile::Certificate, &self.certificate, why);
        let in_key = |why| fault(TlsFile::Key, &self.key, why);
        let certificate = read(&self.certificate).map_err(in_certificate)?;
        let key: SecretSlice<u8> = read(&self.key).map_err(in_key)?.into();
        let mut print = Sha256::new();
        print.update(&certificate);
        print.update(key.expose_secret());

        let chain = certificates(&certificate).map_err(in_certificate)?;
        let ends = chain.first().and_then(ends).ok_or_else(|| in_certificate("is no certificate of today".into()))?;
        let secret = PrivateKeyDer::from_pem_slice(key.expose_secret());
        let secret = secret.map_err(|_| in_key("holds no private key in PEM (-----BEGIN PRIVATE KEY-----)".into()))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| in_key(format!("cannot be used: {error}")))?;
        let builder = match &self.clients {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let in_clients = |why| fault(TlsFile::Clients, path, why);
                let authority = read(path).map_err(in_clients)?;
                print.update(&authority);
                let mut roots = RootCertStore::empty();
                for root in certificates(&authority).map_err(in_clients)? {
                    roots.add(root).map_err(|error| in_clients(format!("is no authority: {error}")))?;
                }
                // Browsers have none; what needs one asks for it.
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = verifier.allow_unauthenticated().build();
                builder.with_client_cert_verifier(verifier.map_err(|error| in_clients(error.to_string()))?)
            }
        };
        let mut server = builder.with_single_cert(chain, secret).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => in_key("is not the key of the certificate".into()),
            other => in_certificate(format!("cannot be used: {other}")),
        })?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Keyring { server: Arc::new(server), ends, print: print.finalize().into() })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let length = fs::metadata(path).map(|file| file.len());
    match length.and_then(|length| if length > LARGEST { Ok(None) } else { fs::read(path).map(Some) }) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err("is larger than any certificate".into()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(format!("cannot be read: {error}; the daemon's user must be able to"))
        }
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

/// The certificates in a file, the first one first.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err("holds no certificate in PEM (-----BEGIN CERTIFICATE-----)".into()),
    }
}

/// The fingerprint of a certificate that no authority vouches for: whoever comes by it must know it beforehand.
pub fn own_fingerprint(tls: &Tls) -> Option<[u8; 32]> {
    let chain = certificates(&fs::read(&tls.certificate).ok()?).ok()?;
    let first = chain.first()?;
    let (_, certificate) = x509_parser::parse_x509_certificate(first).ok()?;
    (certificate.issuer() == certificate.subject()).then(|| Sha256::digest(first).into())
}

/// When a certificate ends.
fn ends(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate and its key in a folder.
    fn written(folder: &Path, name: &str) -> Tls {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        let (certificate, key) = (folder.join(format!("{name}.crt")), folder.join(format!("{name}.key")));
        fs::write(&certificate, made.cert.pem()).expect("a disk");
        fs::write(&key, made.signing_key.serialize_pem()).expect("a disk");
        Tls { certificate, key, clients: None }
    }

    #[test]
    fn what_is_read_is_whole_and_changes_with_any_of_the_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (written(folder.path(), "one"), written(folder.path(), "other"));
        let keyring = one.read().expect("it is good");
        assert_eq!(keyring.print, one.read().expect("it is good").print);
        assert_ne!(keyring.print, other.read().expect("it is good").print);
        let with_clients = Tls { clients: Some(other.certificate.clone()), ..one.clone() };
        assert_ne!(keyring.print, with_clients.read().expect("it is good").print);
        // rcgen's certificates end in the year 4096.
        assert_eq!(keyring.ends.to_string(), "4096-01-01T00:00:00Z");
    }

    #[test]
    fn what_cannot_be_used_is_told_by_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (written(folder.path(), "one"), written(folder.path(), "other"));
        let told = |tls: Tls| tls.read().err().map(|unusable| (unusable.file, unusable.why)).expect("it is not good");
        let swapped = Tls { certificate: one.key.clone(), key: one.certificate.clone(), clients: None };
        assert_eq!(told(swapped).0, TlsFile::Certificate);
        let strange = Tls { key: other.key, ..one.clone() };
        assert_eq!(told(strange), (TlsFile::Key, "is not the key of the certificate".into()));
        let no_key = Tls { key: one.certificate.clone(), ..one.clone() };
        assert!(told(no_key).1.starts_with("holds no private key"));
        let (file, why) = told(Tls { clients: Some(folder.path().join("none")), ..one.clone() });
        assert!(file == TlsFile::Clients && why.starts_with("cannot be read: No such file"), "{why}");
        let empty = folder.path().join("empty");
        fs::write(&empty, "").expect("a disk");
        assert!(told(Tls { certificate: empty, ..one }).1.starts_with("holds no certificate"));
    }
}
