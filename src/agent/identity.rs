//! Who an agent is and whom it goes to: a key pair that is made here and never leaves, the daemon's address, and by which
//! certificate the daemon is known. It joins by a code that is good once.

use crate::{
    config::Config,
    model::{Certificate, hex},
    probe::known_by,
    web,
};
use aws_lc_rs::{
    encoding::AsBigEndian,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{fs, io, os::unix::fs::DirBuilderExt, path::Path, time::Duration};
use url::Url;

/// The file in an agent's folder.
const FILE: &str = "agent.json";
/// What a code begins with.
const PREFIX: &str = "cam1-";
/// How long joining may take.
const ANSWER: Duration = Duration::from_secs(30);

/// What a code carries: where the daemon is, by which certificate it is known where no authority vouches for it, and what is good
/// once.
#[derive(Clone, Serialize, Deserialize)]
pub struct Code {
    /// The daemon's address.
    pub url: Url,
    /// The certificate's SHA-256, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// What is good once.
    pub code: String,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Code {
    /// One without what is good once: where agents reach a daemon, and by which certificate it is known where it has signed its own;
    /// nothing where no address is known but that of all of a machine's networks.
    pub fn of(config: &Config, at: Option<Url>) -> Option<Self> {
        let own = || format!("{}://{}/", config.web.scheme(), config.web.listen).parse().ok();
        let own = || own().filter(|_| !config.web.listen.ip().is_unspecified());
        let url = at.or_else(|| config.deliver.page.clone()).or_else(own)?;
        let pinned = config.web.tls.as_ref().filter(|_| config.web.acme.is_none());
        let certificate = pinned.and_then(web::own_fingerprint).map(|print| hex(&print));
        Some(Self { url, certificate, code: String::new() })
    }

    /// As people copy it.
    pub fn written(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(json))
    }

    /// Reads it as it was copied, line breaks and spaces included.
    pub fn read(text: &str) -> Result<Self, String> {
        let whole: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        let refused = || format!("this is no code of camhealth agents add: those begin with {PREFIX}");
        let json =
            BASE64_URL_SAFE_NO_PAD.decode(whole.strip_prefix(PREFIX).ok_or_else(refused)?).map_err(|_| refused())?;
        let code: Self = serde_json::from_slice(&json).map_err(|_| refused())?;
        allowed(&code.url)?;
        Ok(code)
    }
}

/// What is said crosses networks of others, so it is encrypted; on this machine it need not be.
fn allowed(url: &Url) -> Result<(), String> {
    let here = url.host_str().is_some_and(|host| {
        let host = host.trim_matches(['[', ']']);
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    });
    match url.scheme() {
        "https" => Ok(()),
        "http" if here => Ok(()),
        _ => Err(format!(
            "{url}: an agent goes to https:// only; give the daemon a certificate ([web] certificate or [web.acme])"
        )),
    }
}

/// Who an agent is.
#[derive(Serialize, Deserialize)]
struct Kept {
    url: Url,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    link: String,
    /// The seed of the key, in base64 for addresses.
    key: String,
}

/// The same, ready for use.
pub struct Identity {
    url: Url,
    /// The link that it is.
    pub link: String,
    key: Ed25519KeyPair,
    pub(super) http: reqwest::Client,
}

impl Identity {
    /// Reads who the agent of a folder is.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join(FILE);
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                format!("{}: nobody has joined here yet: camhealth agent join CODE", path.display())
            }
            _ => format!("{}: {error}", path.display()),
        })?;
        let broken = || format!("{} is broken: join anew by another code", path.display());
        let kept: Kept = serde_json::from_str(&text).map_err(|_| broken())?;
        let seed = BASE64_URL_SAFE_NO_PAD.decode(&kept.key).map_err(|_| broken())?;
        let key = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| broken())?;
        let http = client(kept.certificate.as_deref())?;
        Ok(Self { url: kept.url, link: kept.link, key, http })
    }

    /// The whole address of a path.
    pub(super) fn at(&self, path: &str) -> Result<Url, String> {
        self.url.join(path).map_err(|error| error.to_string())
    }

    /// What proves that a message is this agent's: `Agent KEY.TIME.SIGNATURE`.
    pub(super) fn shown(&self, text: &str, at: i64) -> String {
        let signature = self.key.sign(text.as_bytes());
        let [key, signature] =
            [self.key.public_key().as_ref(), signature.as_ref()].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
        format!("Agent {key}.{at}.{signature}")
    }

    /// What tells agents apart in files of theirs.
    pub(super) fn print(&self) -> String {
        hex(self.key.public_key().as_ref())
    }
}

/// A client that goes through whatever proxy the environment names, and knows its daemon by a certificate where it has one.
fn client(certificate: Option<&str>) -> Result<reqwest::Client, String> {
    let mut builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    if let Some(print) = certificate {
        let print = pinned(print).ok_or("the certificate of the code is none")?;
        let config = known_by(Certificate::Pinned(print)).map_err(|error| error.to_string())?;
        builder = builder.tls_backend_preconfigured(config);
    }
    builder.build().map_err(|error| error.to_string())
}

fn pinned(text: &str) -> Option<[u8; 32]> {
    let bytes: Option<Vec<u8>> =
        (0..32).map(|place| u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()).collect();
    bytes?.try_into().ok().filter(|_| text.len() == 64)
}

/// Joins by a code: makes a key, tells its public half, and keeps the rest in a folder.
pub async fn join(folder: &Path, code: &Code) -> Result<String, String> {
    let path = folder.join(FILE);
    if path.exists() {
        return Err(format!(
            "{} is there: this folder's agent has joined already; remove the folder to begin anew",
            path.display()
        ));
    }
    let key = Ed25519KeyPair::generate().map_err(|_| "no key can be made on this machine")?;
    let seed = key.seed().and_then(|seed| seed.as_be_bytes()).map_err(|_| "no key can be made on this machine")?;
    let http = client(code.certificate.as_deref())?;
    let public = BASE64_URL_SAFE_NO_PAD.encode(key.public_key().as_ref());
    let secret = SecretString::from(code.code.clone());
    let body = json!({ "code": secret.expose_secret(), "key": public });
    let address = code.url.join("/agent/join").map_err(|error| error.to_string())?;
    // What cannot be kept must not be used up.
    let fails = |error: io::Error| format!("{}: {error}", folder.display());
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fails)?;
    let request = http.post(address).timeout(ANSWER).header("content-type", "application/json").body(body.to_string());
    let answer = request.send().await.map_err(why)?;
    let status = answer.status();
    let answer = answer.text().await.unwrap_or_default();
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap_or_default();
    let link = answer["link"].as_str().filter(|_| status.is_success());
    let link = link.ok_or_else(|| {
        let usual =
            if status == StatusCode::TOO_MANY_REQUESTS { "try again in a moment" } else { "no agent can join there" };
        format!("{}: {status}: {}", code.url, answer["error"].as_str().unwrap_or(usual))
    })?;
    let kept = Kept {
        url: code.url.clone(),
        certificate: code.certificate.clone(),
        link: link.to_owned(),
        key: BASE64_URL_SAFE_NO_PAD.encode(seed.as_ref()),
    };
    web::write_private(&path, &serde_json::to_string_pretty(&kept).unwrap_or_default()).map_err(fails)?;
    Ok(link.to_owned())
}

/// What went wrong on the way; where it led stands in the code already.
pub(super) fn why(error: reqwest::Error) -> String {
    web::why(&error.without_url())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_was_copied_and_leads_to_no_open_line() {
        let code = Code {
            url: "https://giamsat.xa.vn:9740/".parse().expect("a URL"),
            certificate: Some("ab".repeat(32)),
            code: "bi-mat".into(),
        };
        let written = code.written();
        assert!(!format!("{code:?}").contains("bi-mat"));
        let copied = format!("  {}\n  {} ", &written[..30], &written[30..]);
        let read = Code::read(&copied).expect("it is a code");
        assert_eq!(
            (read.url, read.certificate, read.code),
            (code.url.clone(), code.certificate.clone(), code.code.clone())
        );
        for wrong in ["", "cam1-", "cam1-!!", "x", &written[..20]] {
            assert!(Code::read(wrong).is_err_and(|why| why.contains("cam1-")), "{wrong}");
        }
        let open = Code { url: "http://giamsat.xa.vn/".parse().expect("a URL"), ..code.clone() };
        assert!(Code::read(&open.written()).is_err_and(|why| why.contains("https://")));
        let here = Code { url: "http://127.0.0.1:9740/".parse().expect("a URL"), ..code };
        assert!(Code::read(&here.written()).is_ok());
        assert_eq!(pinned(&"0f".repeat(32)), Some([15; 32]));
        assert!(pinned("0f").is_none() && pinned(&"0g".repeat(32)).is_none() && pinned(&"ế".repeat(40)).is_none());
    }
}
