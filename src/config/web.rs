//! `[web]`: the listener, what it is encrypted with, and which proxies stand before it.

use super::{
    acme,
    entry::{Entry, Located},
    mask::names_a_file,
    openid,
    scrapers::{self, Encryption},
    tables::Tables,
};
use crate::web::{Acme, Settings, Tls, TlsFile};
use std::{net::IpAddr, path::Path};

const TLS_REMEDY: &str = "give certificate = \"FILE\" and key = \"FILE\" in PEM, or leave listen on 127.0.0.1 behind a proxy that \
                          speaks TLS; where nobody else is on the network: allow_plain = true";

pub(super) fn web(tables: &Tables<'_>, journal: Option<&Path>) -> Settings {
    let mut web = Settings::default();
    let Some(table) = tables.one("web") else { return web };
    let listen = table.parsed("listen", "address with a port", "127.0.0.1:9740");
    if let Some(listen) = &listen {
        web.listen = listen.value;
    }
    web.sign_in = table.truth("sign_in").unwrap_or(web.sign_in);
    for name in table.texts("second_step") {
        if !web.require_second_step(&name.value) {
            let message = format!("{} is no role of people", table.quoted(&name));
            let remedy = "write second_step = [\"administrator\"]: of officer, chief, contractor and administrator";
            table.problem("second_step", name.span.clone(), message, remedy);
        }
    }
    web.openid = table.child("openid").and_then(|entry| openid::openid(&entry));
    web.hosts = table.texts("hosts").into_iter().filter_map(|name| host(table, &name)).collect();
    web.proxies = table.texts("proxies").into_iter().filter_map(|text| proxy(table, &text)).collect();
    let (scrapers, theirs) = scrapers::scrapers(table);
    web.scrapers = scrapers.into();
    web.tls = tls(table, theirs);
    if let Some(entry) = table.child("acme") {
        web.acme = acme::acme(&entry, journal);
        if web.tls.is_some() {
            let message = "stands beside a certificate of one's own".to_owned();
            table.problem("acme", table.place("acme"), message, "keep [web.acme], or certificate and key");
        }
        // Where something is missing that was told of, and a second problem would not help.
        web.tls = web.acme.as_ref().map(Acme::tls).or(web.tls);
        web.hosts.extend(web.acme.iter().flat_map(|acme| acme.names.clone()));
    }
    let allowed = table.truth("allow_plain").unwrap_or(false);
    // Files that cannot be used were told of already. A web configuration may name users alone, and encrypts nothing then.
    let meant = web.tls.is_some() || table.has("acme") || table.has("certificate") || table.has("key");
    if let Some(listen) = listen.filter(|listen| !listen.value.ip().is_loopback() && !allowed && !meant) {
        let message =
            format!("{} is for others too, and passwords would cross the network in plain HTTP", listen.value);
        table.problem("listen", listen.span, message, TLS_REMEDY);
    }
    web
}

/// What pages are encrypted with: the table's own files, or those of the web configuration.
fn tls(table: &Entry<'_>, theirs: Option<Encryption>) -> Option<Tls> {
    let path = |key| {
        // Somebody may write the key itself in place of its file.
        let text = table.hidden(key)?;
        if names_a_file(&table.source.folder, &text.value) {
            table.show(&text);
        }
        Some(table.source.folder.join(text.value))
    };
    let own = match (path("certificate"), path("key")) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (one, _) => {
            let missing = if one.is_some() { "key" } else { "certificate" };
            let remedy = format!("add {missing} = \"FILE\": a certificate is of no use without its key");
            table.problem(missing, table.span(), "is missing".into(), &remedy);
            return None;
        }
    };
    let asked = theirs.is_some();
    let (theirs, clients) = theirs.map_or((None, None), |theirs| (theirs.own, theirs.clients));
    let ((certificate, key), named_by) = match (own, theirs) {
        (Some(_), Some(_)) => {
            let message = "certificate and key stand here and in the web configuration".to_owned();
            table.problem("certificate", table.place("certificate"), message, "keep one of them");
            return None;
        }
        (Some(own), None) => (own, "certificate"),
        (None, Some(theirs)) => (theirs, "web_config"),
        (None, None) if asked => {
            let message = "asks for certificates of visitors, and there is none of our own".to_owned();
            table.problem("web_config", table.place("web_config"), message, "give cert_file and key_file in it");
            return None;
        }
        (None, None) => return None,
    };
    let tls = Tls { certificate, key, clients };
    if let Err(unusable) = tls.read() {
        let key = match unusable.file {
            TlsFile::Key if named_by == "certificate" => "key",
            TlsFile::Clients => "web_config",
            TlsFile::Certificate | TlsFile::Key => named_by,
        };
        let shown = match table.source.is_shown(&table.place(key)) || key == "web_config" {
            true => unusable.path.display().to_string(),
            false => "the file that it names".to_owned(),
        };
        let remedy = "name PEM files of one certificate and its key that camhealth's user can read";
        table.problem(key, table.place(key), format!("{shown} {}", unusable.why), remedy);
    }
    Some(tls)
}

fn proxy(table: &Entry<'_>, text: &Located<String>) -> Option<IpAddr> {
    let address = text.value.parse::<IpAddr>();
    if address.is_err() {
        let message = format!("{} is no IP address", table.quoted(text));
        table.problem("proxies", text.span.clone(), message, "write proxies = [\"127.0.0.1\"]");
    }
    address.ok().map(|address| address.to_canonical())
}

/// A name as browsers send it: in lower case, and in its ASCII form where it has other letters.
fn host(table: &Entry<'_>, name: &Located<String>) -> Option<String> {
    let remedy = "write hosts = [\"giam-sat.xa.vn\"]: names alone, without http:// and without a port";
    let allowed = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let parsed = Some(name.value.as_str()).filter(|name| !name.is_empty() && name.chars().all(allowed));
    let Some(parsed) = parsed.and_then(|name| url::Host::parse(name.trim_end_matches('.')).ok()) else {
        table.problem("hosts", name.span.clone(), format!("{} is no name of a machine", table.quoted(name)), remedy);
        return None;
    };
    match parsed {
        url::Host::Domain(name) => Some(name),
        url::Host::Ipv4(_) | url::Host::Ipv6(_) => {
            let message = format!("{} is an address: those are always taken", table.quoted(name));
            table.problem("hosts", name.span.clone(), message, "leave it out");
            None
        }
    }
}
