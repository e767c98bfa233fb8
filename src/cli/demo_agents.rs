//! The demo's agents: processes of their own, each of which joins by a code and looks at two household cameras. The first one goes
//! away and comes back.

use crate::agent::{self, Code};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::process::{Child, Command};
use url::Url;

/// How many there may be.
pub(super) const MOST: u8 = 3;
/// After so many seconds the first one is cut off, for so long, and how often that happens: an agent is lost after 50 s.
const AWAY_AFTER: Duration = Duration::from_secs(40);
const AWAY_FOR: Duration = Duration::from_secs(90);

/// What an agent's link is called.
pub(super) fn link(number: u8) -> String {
    format!("hop-{number}")
}

/// Agents that have joined, with their folder.
pub(super) struct Agents {
    program: PathBuf,
    folder: PathBuf,
    running: Vec<Child>,
}

impl Drop for Agents {
    fn drop(&mut self) {
        // Left-over files in the system's temporary folder harm nobody.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Agents {
    /// Lets so many join at the demo's daemon, and starts them.
    pub(super) async fn start(program: &Path, page: SocketAddr, count: u8) -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("camhealth-demo-{}", std::process::id()));
        let mut agents = Self { program: program.to_owned(), folder, running: Vec::new() };
        let url: Url = format!("http://{page}/").parse().map_err(|error| format!("the demo's address: {error}"))?;
        for number in 1..=count {
            let code = Code { url: url.clone(), certificate: None, code: code(&url, &link(number)).await? };
            agent::join(&agents.folder.join(link(number)), &code).await?;
            let child = agents.child(number)?;
            agents.running.push(child);
        }
        Ok(agents)
    }

    fn child(&self, number: u8) -> Result<Child, String> {
        let mut command = Command::new(&self.program);
        command.args(["agent", "run", "--attached", "--folder"]).arg(self.folder.join(link(number)));
        // It ends with us even if we are killed.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        command.spawn().map_err(|error| format!("an agent cannot be started: {error}"))
    }

    /// Goes on for ever; without agents there is nothing to do.
    pub(super) async fn perform(&mut self) {
        loop {
            tokio::time::sleep(AWAY_AFTER).await;
            let Some(first) = self.running.first_mut() else { return std::future::pending().await };
            // One that ended by itself is gone, too.
            let _ = first.kill().await;
            tokio::time::sleep(AWAY_FOR).await;
            match self.child(1) {
                Ok(child) => self.running[0] = child,
                Err(why) => eprintln!("{why}"),
            }
        }
    }
}

/// A code by which an agent may join.
async fn code(url: &Url, link: &str) -> Result<String, String> {
    let fails = |error: reqwest::Error| format!("no code for an agent: {error}");
    let address = url.join("api/v1/passes").map_err(|error| error.to_string())?;
    let body = serde_json::json!({ "label": link, "kind": "joining", "role": "wall" }).to_string();
    let request = reqwest::Client::new().post(address).header("content-type", "application/json").body(body);
    let answer = request.send().await.map_err(fails)?.error_for_status().map_err(fails)?.text().await.map_err(fails)?;
    let answer: serde_json::Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
    answer["secret"].as_str().map(str::to_owned).ok_or_else(|| "no code for an agent".to_owned())
}
