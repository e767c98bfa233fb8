//! `camhealth agents`: the agents of a daemon, and codes by which they join.

use super::{
    FAILED,
    client::{Client, Daemon, NOTHING, told},
    fail, passes,
    users::{local, table},
};
use crate::{agent::Code, config, model::AgentContact};
use reqwest::Method;
use serde_json::{Value, json};
use std::process::ExitCode;
use url::Url;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    daemon: Daemon,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Show agents: when each was last heard of, what waits with it, and its version.
    List,
    /// Print a code by which an agent joins, once, within a day.
    Add {
        /// The id of the link that it is, one of the kind agent.
        link: String,
        /// The address at which agents reach the daemon; without it the one of the pages.
        #[arg(long, value_name = "URL")]
        at: Option<Url>,
    },
    /// Cut an agent off, at once: its key is good no more.
    Revoke {
        /// The link that it is.
        link: String,
    },
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let client = match arguments.daemon.client() {
        Ok(client) => client,
        Err(code) => return code,
    };
    let outcome = match arguments.what.unwrap_or(What::List) {
        What::List => list(&client).await,
        What::Add { link, at } => {
            let config = match config::load(arguments.daemon.config()) {
                Ok(config) => config,
                Err(problems) => return fail(FAILED, &problems.render(false)),
            };
            let Some(code) = Code::of(&config, at) else {
                return fail(FAILED, "say where agents reach the daemon: --at https://NAME:9740/");
            };
            add(&client, &link, code).await
        }
        What::Revoke { link } => revoke(&client, &link).await,
    };
    told(outcome)
}

async fn list(client: &Client) -> Result<String, String> {
    let agents = client.json(Method::GET, &["api", "v1", "agents"], NOTHING).await?;
    let head = ["AGENT", "LAST HEARD OF", "CAMERAS", "WAITING", "GIVEN UP", "CLOCK", "VERSION"].map(str::to_owned);
    let row = |agent: &Value| {
        let heard = if agent["heard"].is_null() { "not since the start".to_owned() } else { local(&agent["heard"]) };
        let text = |key: &str| agent[key].as_str().unwrap_or_default().to_owned();
        let number = |key: &str| agent[key].as_u64().unwrap_or_default().to_string();
        let clock = agent["clock_offset_seconds"].as_f64().map(AgentContact::clock_off).unwrap_or_default();
        let fits = match agent["fits"].as_str() {
            None | Some("same") => String::new(),
            Some(fits) => format!(" ({fits})"),
        };
        let version = text("version") + &fits;
        [text("link"), heard, number("cameras"), number("backlog"), number("dropped"), clock, version]
    };
    let rows: Vec<_> = agents.as_array().into_iter().flatten().map(row).collect();
    Ok(match rows.is_empty() {
        true => "there is no agent: add a [[link]] with kind = \"agent\", and reload".to_owned(),
        false => table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()),
    })
}

async fn add(client: &Client, link: &str, code: Code) -> Result<String, String> {
    let new = json!({ "label": link, "kind": "joining", "role": "wall" });
    let secret = passes::secret(client, &new).await;
    let secret = secret.map_err(|why| format!("{why} (is {link} a [[link]] with kind = \"agent\"?)"))?;
    Ok(Code { code: secret, ..code }.written())
}

async fn revoke(client: &Client, link: &str) -> Result<String, String> {
    let passes = client.json(Method::GET, &["api", "v1", "passes"], NOTHING).await?;
    let is_it = |pass: &&Value| pass["label"] == link && matches!(pass["kind"].as_str(), Some("agent" | "joining"));
    let mut ended = 0;
    for pass in passes.as_array().into_iter().flatten().filter(is_it) {
        let id = pass["id"].as_str().unwrap_or_default();
        client.ask(Method::DELETE, &["api", "v1", "passes", id], &[], NOTHING).await?;
        ended += 1;
    }
    if ended == 0 { Err(format!("no agent has joined as {link}")) } else { Ok("done".to_owned()) }
}
