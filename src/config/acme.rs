//! `[web.acme]`: the authority that gives the pages' certificate.

use super::{entry::Entry, web_address::is_here};
use crate::web::Acme;
use std::{net::SocketAddr, path::Path};
use url::{Host, Url};

const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// `journal`: the folder in which the journal lies, beside which the certificate is kept where nothing else is said.
pub(super) fn acme(entry: &Entry<'_>, journal: Option<&Path>) -> Option<Acme> {
    let names = names(entry);
    let directory = directory(entry);
    let folder = entry.text("folder").map(|folder| entry.source.folder.join(folder.value));
    let folder = folder.or_else(|| journal.map(|journal| journal.join("acme")));
    if folder.is_none() {
        let message = "is missing, and there is no journal on a disk beside which the certificate could lie".to_owned();
        entry.problem("folder", entry.place("folder"), message, "write folder = \"/var/lib/camhealth/acme\"");
    }
    let listen = entry.parsed("listen", "address with a port", "0.0.0.0:80");
    let roots = entry.text("roots").map(|roots| entry.source.folder.join(roots.value));
    let contact = entry.text("contact").filter(|contact| {
        let is_address =
            contact.value.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
        if !is_address {
            let message = format!("{} is no address of e-mail", entry.quoted(contact));
            entry.problem(
                "contact",
                contact.span.clone(),
                message,
                "write contact = \"quan-tri@xa.vn\", or leave it away",
            );
        }
        is_address
    });
    if entry.truth("agree_terms") != Some(true) {
        let remedy =
            "read the authority's terms (Let's Encrypt: letsencrypt.org/repository), and write agree_terms = true";
        entry.problem("agree_terms", entry.place("agree_terms"), "is not true".into(), remedy);
    }
    entry.refuse_unread();
    Some(Acme {
        directory: directory?,
        roots,
        names: names?,
        contact: contact.map(|contact| contact.value),
        listen: listen.map_or(SocketAddr::from(([0, 0, 0, 0], 80)), |listen| listen.value),
        folder: folder?,
    })
}

/// Authorities give certificates to names that others can look up.
fn names(entry: &Entry<'_>) -> Option<Vec<String>> {
    let remedy = "write names = [\"giam-sat.xa.vn\"]: whole names by which people open the pages";
    let all = entry.texts("names");
    if all.is_empty() {
        entry.problem("names", entry.place("names"), "names nothing".into(), remedy);
        return None;
    }
    let name = |text: &super::entry::Located<String>| match Host::parse(&text.value) {
        Ok(Host::Domain(name)) if name.contains('.') && !name.ends_with('.') && !name.contains('*') => Some(name),
        _ => {
            let message = format!("{} is no name that an authority gives a certificate to", entry.quoted(text));
            entry.problem("names", text.span.clone(), message, remedy);
            None
        }
    };
    // All of them are told of at once.
    let names: Vec<Option<String>> = all.iter().map(name).collect();
    names.into_iter().collect()
}

fn directory(entry: &Entry<'_>) -> Option<Url> {
    let Some(text) = entry.address("directory") else { return LETS_ENCRYPT.parse().ok() };
    let url = text.value.parse::<Url>().ok().filter(Url::has_host);
    let url = url.filter(|url| url.scheme() == "https" || url.scheme() == "http" && is_here(url));
    if url.is_none() {
        let message = "is no https:// address of an authority's directory".to_owned();
        let remedy = format!("write directory = \"{LETS_ENCRYPT}\", which is what holds without it");
        entry.problem("directory", text.span, message, &remedy);
    }
    url
}
