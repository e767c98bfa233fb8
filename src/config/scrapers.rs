//! `[web] web_config`: a file of the form that Prometheus and its exporters take with `--web.config.file`.
//!
//! Of that form we take what concerns who reads metrics: names with bcrypt hashes, and certificates. What we would not
//! heed is refused, so that nobody believes to be protected by it.

use super::entry::Entry;
use crate::web::Scrapers;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Such a file has a few names.
const LARGEST: u64 = 64 * 1024;
/// The largest bcrypt cost: each step doubles the time that looking at a password takes, and 14 is a second and more.
const DEAREST: u32 = 14;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    tls_server_config: Option<TlsServer>,
    #[serde(default)]
    basic_auth_users: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsServer {
    #[serde(default)]
    cert_file: PathBuf,
    #[serde(default)]
    key_file: PathBuf,
    #[serde(default)]
    client_ca_file: Option<PathBuf>,
    #[serde(default)]
    client_auth_type: ClientAuth,
    /// We speak no older ones anyway.
    #[serde(default, rename = "min_version")]
    _min_version: Version,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
enum ClientAuth {
    #[default]
    NoClientCert,
    VerifyClientCertIfGiven,
    RequireAndVerifyClientCert,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
enum Version {
    #[default]
    #[serde(rename = "TLS12")]
    Twelve,
}

/// What the file says of encryption.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Encryption {
    /// The certificate and its key; it may leave them to `[web]`.
    pub(super) own: Option<(PathBuf, PathBuf)>,
    /// The authority whose certificates visitors may show.
    pub(super) clients: Option<PathBuf>,
}

/// Who reads metrics, and what the file says of encryption.
pub(super) fn scrapers(table: &Entry<'_>) -> (Scrapers, Option<Encryption>) {
    let Some(name) = table.text("web_config") else { return (Scrapers::default(), None) };
    let path = table.source.folder.join(&name.value);
    match read(&path) {
        Ok(read) => read,
        Err(message) => {
            let remedy = "see docs/rights.md for what of Prometheus' web configuration is taken";
            table.problem("web_config", name.span, format!("{} {message}", path.display()), remedy);
            (Scrapers::default(), None)
        }
    }
}

fn read(path: &Path) -> Result<(Scrapers, Option<Encryption>), String> {
    let length = fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?.len();
    if length > LARGEST {
        return Err("is larger than any web configuration".into());
    }
    let text = fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    parse(&text, path.parent().unwrap_or(Path::new("")))
}

fn parse(text: &str, folder: &Path) -> Result<(Scrapers, Option<Encryption>), String> {
    let options = serde_saphyr::options! { strict_booleans: true };
    let file: File = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        // The parser's words may quote a hash.
        let line = error.location().map(|place| format!(" line {}", place.line())).unwrap_or_default();
        format!(
            "is not understood{line}: it may hold basic_auth_users (names with bcrypt hashes) and tls_server_config (cert_file, \
             key_file, client_ca_file, client_auth_type, min_version TLS12)"
        )
    })?;
    for (name, hash) in &file.basic_auth_users {
        let cost = hash.parse::<bcrypt::HashParts>().map(|parts| parts.get_cost());
        match cost {
            Ok(cost) if cost <= DEAREST && !name.contains(':') => {}
            Ok(_) => return Err(format!("has a user with a cost above {DEAREST}, or with a colon in the name")),
            Err(_) => return Err("has a user whose password is no bcrypt hash: htpasswd -nBC 10 NAME makes one".into()),
        }
    }
    let mut scrapers = Scrapers::new(file.basic_auth_users, false);
    let Some(server) = file.tls_server_config else { return Ok((scrapers, None)) };
    let clients = match (server.client_auth_type, &server.client_ca_file) {
        (ClientAuth::NoClientCert, None) => None,
        (ClientAuth::NoClientCert, Some(_)) => {
            return Err(
                "has a client_ca_file that client_auth_type does not use: write RequireAndVerifyClientCert".into()
            );
        }
        (_, None) => return Err("asks for certificates and names no client_ca_file".into()),
        (wanted, Some(authority)) => {
            scrapers.certified = wanted == ClientAuth::RequireAndVerifyClientCert;
            Some(folder.join(authority))
        }
    };
    let own = match [&server.cert_file, &server.key_file].map(|file| !file.as_os_str().is_empty()) {
        [true, true] => Some((folder.join(server.cert_file), folder.join(server.key_file))),
        [false, false] => None,
        _ => return Err("names one of cert_file and key_file without the other".into()),
    };
    Ok((scrapers, Some(Encryption { own, clients })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(Scrapers, Option<Encryption>), String> {
        parse(text, Path::new("/etc/camhealth"))
    }

    const HASH: &str = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG";

    #[test]
    fn what_exporters_take_is_taken() {
        let text = format!(
            "tls_server_config:\n  cert_file: own.crt\n  key_file: own.key\n  client_auth_type: RequireAndVerifyClientCert\n  \
             client_ca_file: /etc/ssl/authority.pem\n  min_version: TLS12\nbasic_auth_users:\n  prometheus: {HASH}\n"
        );
        let (scrapers, tls) = parsed(&text).expect("it is good");
        assert!(scrapers.certified && scrapers.users["prometheus"].0 == HASH);
        let clients = Some("/etc/ssl/authority.pem".into());
        let own = Some(("/etc/camhealth/own.crt".into(), "/etc/camhealth/own.key".into()));
        let wanted = Encryption { own, clients };
        assert_eq!(tls, Some(wanted));
        assert_eq!(parsed("{}"), Ok((Scrapers::default(), None)));
    }

    #[test]
    fn what_would_protect_nothing_is_refused_and_no_hash_is_told() {
        let told = |text: &str| parsed(text).expect_err("it is not good");
        assert!(told("basic_auth_users:\n  prometheus: geheim\n").contains("no bcrypt hash"));
        assert!(told(&format!("basic_auth_users:\n  p: {}\n", HASH.replacen("$10$", "$16$", 1))).contains("above 14"));
        assert!(told("tls_server_config:\n  client_auth_type: RequireAnyClientCert\n").contains("line 2"));
        assert!(told("tls_server_config:\n  client_ca_file: a\n").contains("does not use"));
        assert!(
            told("tls_server_config:\n  client_auth_type: RequireAndVerifyClientCert\n").contains("no client_ca_file")
        );
        assert!(told("tls_server_config:\n  cert_file: a\n").contains("without the other"));
        for text in
            ["rate_limit:\n  burst: 1\n", "basic_auth_users: [geheim]\n", "basic_auth_users:\n  a: [geheim]\n", "{"]
        {
            let told = told(text);
            assert!(told.starts_with("is not understood") && !told.contains("geheim"), "{told}");
        }
    }
}
