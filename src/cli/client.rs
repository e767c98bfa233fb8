//! How commands reach the running daemon: its address from the configuration or from the command line.

use super::{FAILED, USAGE, config_path, fail, paint::Paint};
use crate::{clock::Clock, config, journal, model::Certificate, probe::known_by, web};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use url::Url;

/// The server ends a request after 30 s.
const ANSWER: Duration = Duration::from_secs(35);

/// A request without a body.
pub(super) const NOTHING: Option<&()> = None;

#[derive(Debug, clap::Args)]
pub(super) struct Daemon {
    /// The daemon's configuration, for its address.
    #[arg(long, global = true, value_name = "PATH", default_value = config_path())]
    config: PathBuf,
    /// The daemon's address, such as http://127.0.0.1:9740, instead of the configuration's.
    #[arg(long, global = true, value_name = "URL")]
    url: Option<Url>,
}

/// A program's token, and a file that holds one.
const TOKEN: &str = "CAMHEALTH_TOKEN";
const TOKEN_FILE: &str = "CAMHEALTH_TOKEN_FILE";

/// The running daemon.
pub(super) struct Client {
    base: Url,
    http: reqwest::Client,
    shown: Shown,
}

/// What shows the daemon who asks.
enum Shown {
    /// A program's token.
    Token(SecretString),
    /// The key in the daemon's journal, which only its administrator can read.
    Key(SecretSlice<u8>),
    /// Nothing: enough for a daemon that asks nobody who they are.
    Nothing,
}

impl Shown {
    fn find(journal: Option<&journal::Settings>) -> Self {
        let from_file = || std::env::var_os(TOKEN_FILE).and_then(|path| std::fs::read_to_string(path).ok());
        if let Some(token) = std::env::var(TOKEN).ok().or_else(from_file) {
            return Self::Token(token.trim().to_owned().into());
        }
        let key = journal.and_then(|settings| journal::signing_key(settings).ok().flatten());
        key.map_or(Self::Nothing, Self::Key)
    }

    /// What stands in the header `Authorization`.
    fn header(&self, method: &reqwest::Method, url: &Url) -> Option<String> {
        match self {
            Self::Token(token) => Some(format!("Bearer {}", token.expose_secret())),
            Self::Key(key) => {
                let second = Clock::system().now().as_second();
                Some(format!("Camhealth {}", web::machine_token(key, second, method.as_str(), url.path())))
            }
            Self::Nothing => None,
        }
    }
}

impl Daemon {
    /// The daemon's configuration.
    pub(super) fn config(&self) -> &Path {
        &self.config
    }

    /// A client of the daemon; otherwise it has said what is wrong, and this is the exit code.
    pub(super) fn client(&self) -> Result<Client, ExitCode> {
        let config = config::load(&self.config);
        let journal = config.as_ref().ok().map(|config| config.journal.clone());
        let mut http = reqwest::Client::builder().no_proxy().timeout(ANSWER);
        let base = match &self.url {
            Some(url) => url.clone(),
            None => match config {
                Ok(config) => {
                    if let Some(tls) = &config.web.tls {
                        http = http.tls_backend_preconfigured(pinned(tls).map_err(|why| fail(FAILED, &why))?);
                    }
                    let base = format!("{}://{}/", config.web.scheme(), config.web.listen).parse();
                    base.map_err(|error| fail(FAILED, &format!("[web] listen: {error}")))?
                }
                Err(problems) => {
                    eprint!("{}", problems.render(Paint::stderr().is_on()));
                    let remedy = "without a good configuration name the daemon's address: --url http://127.0.0.1:9740";
                    return Err(fail(USAGE, remedy));
                }
            },
        };
        let shown = Shown::find(journal.as_ref());
        Ok(Client { base, http: http.build().map_err(|error| fail(FAILED, &error.to_string()))?, shown })
    }

    /// Posts one wish to the daemon and prints what became of it; the exit code.
    pub(super) async fn post(&self, path: &[&str], query: &[(&str, &str)], body: Option<&impl Serialize>) -> ExitCode {
        match self.client() {
            Ok(client) => told(client.ask(reqwest::Method::POST, path, query, body).await),
            Err(code) => code,
        }
    }
}

/// What talks to a daemon that is known by the certificate in its own files, whoever signed that and whatever name stands
/// in it.
fn pinned(tls: &web::Tls) -> Result<rustls::ClientConfig, String> {
    let unreadable = |why: String| format!("{} {why}", tls.certificate.display());
    let pem = std::fs::read(&tls.certificate).map_err(|error| unreadable(format!("cannot be read: {error}")))?;
    let chain = web::certificates(&pem).map_err(unreadable)?;
    let print = Sha256::digest(chain.first().ok_or("no certificate")?).into();
    known_by(Certificate::Pinned(print)).map_err(|error| error.to_string())
}

/// Prints what the daemon did, or why it did not; the exit code.
pub(super) fn told(outcome: Result<String, String>) -> ExitCode {
    match outcome {
        Ok(done) => {
            println!("{done}");
            ExitCode::SUCCESS
        }
        Err(message) => fail(FAILED, &message),
    }
}

impl Client {
    /// Sends a request to a path of those segments; status and text.
    async fn send(
        &self,
        method: reqwest::Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&impl Serialize>,
    ) -> Result<(u16, String), String> {
        let mut url = self.base.clone();
        // Each segment stays one, whatever it holds.
        url.path_segments_mut().map_err(|()| "--url must begin with http://".to_owned())?.pop_if_empty().extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let shown = self.shown.header(&method, &url);
        let mut request = self.http.request(method, url);
        if let Some(shown) = shown {
            request = request.header("Authorization", shown);
        }
        if let Some(body) = body {
            let body = serde_json::to_string(body).map_err(|error| format!("the wish cannot be written: {error}"))?;
            request = request.header("Content-Type", "application/json").body(body);
        }
        let base = &self.base;
        let response = request.send().await.map_err(|error| match error.is_timeout() {
            true => format!("the daemon at {base} has not answered yet: its log says what became of it"),
            false => {
                format!("no daemon answers at {base}: start it with camhealth run, or name its address with --url")
            }
        })?;
        let status = response.status().as_u16();
        if status == 401 {
            return Err(format!(
                "the daemon at {base} asks who you are: run this as its own user, who can read its journal (such as sudo -u \
                 camhealth camhealth …), or set {TOKEN_FILE} to a file with a token (camhealth passes token)"
            ));
        }
        let body = response.text().await.map_err(|error| format!("the daemon's answer broke off: {error}"))?;
        Ok((status, body))
    }

    /// What lies at a path, for people to open.
    pub(super) fn at(&self, path: &str) -> String {
        self.base.join(path).map_or_else(|_| path.to_owned(), |url| url.to_string())
    }

    /// Asks for something whose answer is JSON.
    pub(super) async fn json(
        &self,
        method: reqwest::Method,
        path: &[&str],
        body: Option<&impl Serialize>,
    ) -> Result<Value, String> {
        let (status, text) = self.send(method, path, &[], body).await?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        match (200..300).contains(&status) {
            true => Ok(answer),
            false => Err(format!("the daemon refuses: {}", answer["error"].as_str().unwrap_or(text.trim()))),
        }
    }

    /// Gets a page.
    pub(super) async fn text(&self, path: &[&str], query: &[(&str, &str)]) -> Result<String, String> {
        let (status, body) = self.send(reqwest::Method::GET, path, query, NOTHING).await?;
        if status == 200 { Ok(body) } else { Err(format!("the daemon refuses: {}", body.trim())) }
    }

    /// Gets JSON, with the status.
    pub(super) async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<(u16, Value), String> {
        let (status, body) = self.send(reqwest::Method::GET, path, query, NOTHING).await?;
        let answer = serde_json::from_str(&body);
        Ok((status, answer.map_err(|_| format!("what answers at {} is no camhealth", self.base))?))
    }

    /// Asks for something to be done; the daemon's words.
    pub(super) async fn ask(
        &self,
        method: reqwest::Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&impl Serialize>,
    ) -> Result<String, String> {
        let (status, text) = self.send(method, path, query, body).await?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        let told = ["done", "id", "error"].iter().find_map(|key| answer[*key].as_str());
        let text = told.unwrap_or(text.trim()).to_owned();
        if (200..300).contains(&status) { Ok(text) } else { Err(format!("the daemon refuses: {text}")) }
    }
}
