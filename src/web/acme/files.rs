//! What is kept of it: the certificate with its key in one file, so that both change at once, and the account at the authority.

use super::{Acme, renewal::Standing};
use crate::web::{
    private::write,
    tls::{Tls, certificates},
};
use jiff::Timestamp;
use std::{fs, io, path::PathBuf};
use x509_parser::extensions::GeneralName;

impl Acme {
    /// The certificate and its key.
    pub fn file(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// The account, by which the authority knows who orders.
    pub(super) fn account_file(&self) -> PathBuf {
        self.folder.join("account.json")
    }

    /// What pages are encrypted with.
    pub fn tls(&self) -> Tls {
        Tls { certificate: self.file(), key: self.file(), clients: None }
    }

    /// Makes a certificate of our own where there is none that can be used: the page opens with a warning until an authority has
    /// given one. It waits for the disk.
    pub fn prepare(&self) -> io::Result<()> {
        if self.tls().read().is_ok() {
            return Ok(());
        }
        let made = rcgen::generate_simple_self_signed(self.names.clone()).map_err(io::Error::other)?;
        write(&self.file(), &format!("{}{}", made.cert.pem(), made.signing_key.serialize_pem()))
    }

    /// What lies there; nothing where it cannot be read. It waits for the disk.
    pub fn standing(&self) -> Option<Standing> {
        let chain = certificates(&fs::read(self.file()).ok()?).ok()?;
        let (_, certificate) = x509_parser::parse_x509_certificate(chain.first()?).ok()?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let names: Vec<&str> = names
            .iter()
            .flat_map(|names| &names.value.general_names)
            .filter_map(|name| if let GeneralName::DNSName(name) = name { Some(*name) } else { None })
            .collect();
        let is_for_all = self.names.iter().all(|name| names.contains(&name.as_str()));
        let validity = certificate.validity();
        Some(Standing {
            begins: Timestamp::from_second(validity.not_before.timestamp()).ok()?,
            ends: Timestamp::from_second(validity.not_after.timestamp()).ok()?,
            good: is_for_all && certificate.issuer() != certificate.subject(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn one_of_our_own_stands_in_and_what_is_there_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let acme = Acme {
            directory: "https://acme.test/directory".parse().expect("a URL"),
            roots: None,
            names: vec!["giamsat.xa.vn".into()],
            contact: None,
            listen: ([127, 0, 0, 1], 80).into(),
            folder: folder.path().join("acme"),
        };
        assert_eq!(acme.standing(), None);
        acme.prepare().expect("a disk");
        let first = fs::read(acme.file()).expect("it is there");
        assert!(acme.tls().read().is_ok() && !acme.standing().expect("it can be read").good);
        assert_eq!(fs::metadata(acme.file()).expect("it is there").permissions().mode() & 0o777, 0o600);
        acme.prepare().expect("a disk");
        assert_eq!(fs::read(acme.file()).expect("it is there"), first, "it is not made anew");
        fs::write(acme.file(), "half of it").expect("a disk");
        acme.prepare().expect("a disk");
        assert!(acme.tls().read().is_ok());

        // An authority's counts for its names alone.
        let mut authority = rcgen::CertificateParams::new([]).expect("parameters");
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        authority.distinguished_name.push(rcgen::DnType::CommonName, "an authority");
        let key = rcgen::KeyPair::generate().expect("a key");
        let issuer = rcgen::Issuer::new(authority, key);
        let own = rcgen::KeyPair::generate().expect("a key");
        let given = rcgen::CertificateParams::new(["giamsat.xa.vn".to_owned()]).expect("parameters");
        let given = given.signed_by(&own, &issuer).expect("a certificate");
        write(&acme.file(), &format!("{}{}", given.pem(), own.serialize_pem())).expect("a disk");
        assert!(acme.standing().expect("it can be read").good && acme.tls().read().is_ok());
        let more = Acme { names: vec!["giamsat.xa.vn".into(), "camera.xa.vn".into()], ..acme };
        assert!(!more.standing().expect("it can be read").good, "another name is wanted since");
    }
}
