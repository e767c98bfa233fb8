//! How commands reach the running daemon: its address from the configuration or from the command line.

use super::{FAILED, USAGE, fail, paint::Paint};
use crate::config;
use serde::Serialize;
use serde_json::Value;
use std::{path::PathBuf, process::ExitCode, time::Duration};
use url::Url;

/// The server ends a request after 30 s.
const ANSWER: Duration = Duration::from_secs(35);

/// A request without a body.
pub(super) const NOTHING: Option<&()> = None;

#[derive(Debug, clap::Args)]
pub(super) struct Daemon {
    /// The daemon's configuration, for its address.
    #[arg(long, value_name = "PATH", default_value = "config/camhealth.toml")]
    config: PathBuf,
    /// The daemon's address, such as http://127.0.0.1:9740, instead of the configuration's.
    #[arg(long, value_name = "URL")]
    url: Option<Url>,
}

/// The running daemon.
pub(super) struct Client {
    base: Url,
    http: reqwest::Client,
}

impl Daemon {
    /// A client of the daemon; otherwise it has said what is wrong, and this is the exit code.
    pub(super) fn client(&self) -> Result<Client, ExitCode> {
        let base = match &self.url {
            Some(url) => url.clone(),
            None => match config::load(&self.config) {
                Ok(config) => format!("http://{}/", config.web.listen)
                    .parse()
                    .map_err(|error| fail(FAILED, &format!("[web] listen: {error}")))?,
                Err(problems) => {
                    eprint!("{}", problems.render(Paint::stderr().is_on()));
                    let remedy = "without a good configuration name the daemon's address: --url http://127.0.0.1:9740";
                    return Err(fail(USAGE, remedy));
                }
            },
        };
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER).build();
        Ok(Client { base, http: http.map_err(|error| fail(FAILED, &error.to_string()))? })
    }

    /// Posts one wish to the daemon and prints what became of it; the exit code.
    pub(super) async fn post(&self, path: &[&str], query: &[(&str, &str)], body: Option<&impl Serialize>) -> ExitCode {
        match self.client() {
            Ok(client) => told(client.ask(reqwest::Method::POST, path, query, body).await),
            Err(code) => code,
        }
    }
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
        let mut request = self.http.request(method, url);
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
        let body = response.text().await.map_err(|error| format!("the daemon's answer broke off: {error}"))?;
        Ok((status, body))
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
