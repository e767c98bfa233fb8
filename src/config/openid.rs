//! `[web.openid]`: the provider that says who somebody is, beside passwords.

use super::{entry::Entry, secret::secret, web_address::is_here};
use crate::web::{Claim, OpenId};
use url::Url;

/// Letters on the button.
const LONGEST_NAME: usize = 40;

pub(super) fn openid(entry: &Entry<'_>) -> Option<OpenId> {
    let issuer = issuer(entry);
    let client_id = entry.required("client_id", "camhealth");
    let client_secret = secret(entry, "client_secret", "client_secret_file", true);
    let name = entry.text("name");
    let claim = entry.word("claim", &Claim::NAMES).unwrap_or(Claim::PreferredUsername);
    if let Some(name) = name.as_ref().filter(|name| !(1..=LONGEST_NAME).contains(&name.value.trim().chars().count())) {
        let message = format!("has to be 1 to {LONGEST_NAME} letters");
        entry.problem(
            "name",
            name.span.clone(),
            message,
            "write what people call the provider: name = \"Tài khoản tỉnh\"",
        );
    }
    entry.refuse_unread();
    let (issuer, host) = issuer?;
    let name = name.map_or(host, |name| name.value.trim().to_owned());
    Some(OpenId { issuer, client_id: client_id?.value, client_secret: client_secret?, name, claim })
}

/// The issuer as it is written, since the provider's own word must be the same letter by letter; and its host.
fn issuer(entry: &Entry<'_>) -> Option<(String, String)> {
    let text = entry.address("issuer");
    let Some(text) = text else {
        if !entry.has("issuer") {
            let remedy = "add issuer = \"https://dang-nhap.tinh.vn/realms/tinh\"";
            entry.problem("issuer", entry.span(), "is missing".into(), remedy);
        }
        return None;
    };
    let url = text.value.parse::<Url>().ok();
    let url = url.filter(|url| url.has_host() && url.query().is_none() && url.fragment().is_none());
    let url = url.filter(|url| url.username().is_empty() && url.password().is_none());
    match url {
        Some(url) if url.scheme() == "https" || url.scheme() == "http" && is_here(&url) => {
            Some((text.value, url.host_str().unwrap_or_default().to_owned()))
        }
        _ => {
            let message = "is no https:// address of a provider".to_owned();
            let remedy = "write it as the provider does, as in issuer = \"https://dang-nhap.tinh.vn/realms/tinh\"; http:// is taken \
                          on this machine alone";
            entry.problem("issuer", text.span, message, remedy);
            None
        }
    }
}
