//! Addresses of web servers in the configuration.

use super::{
    entry::{Entry, Located},
    secret::interpolated,
};
use url::{Host, Url};

/// Whether it is an address of this machine, where nobody listens in between.
pub(super) fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Webhook addresses often are secrets themselves, so the value is never shown.
pub(super) fn url(entry: &Entry<'_>, example: &str) -> Option<Url> {
    let text = entry.required_hidden("url", example)?;
    web_address(entry, "url", text)
}

/// The same of a text that was read already.
pub(super) fn web_address(entry: &Entry<'_>, key: &'static str, text: Located<String>) -> Option<Url> {
    let text = Located { value: interpolated(entry, key, &text)?, span: text.span };
    match text.value.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
        _ => {
            let message = "is no http:// or https:// address".to_owned();
            entry.problem(key, text.span, message, "write it like \"http://ntfy.xa.lan\"");
            None
        }
    }
}
