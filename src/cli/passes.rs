//! `camhealth passes`: what programs and screens are known by; and `camhealth audit`, what people changed.

use super::{
    client::{Client, Daemon, NOTHING, told},
    users::{ids, local, table},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    daemon: Daemon,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Show what is known: browsers, programs and screens.
    List,
    /// Make a token for a program, such as Prometheus; it is printed once.
    Token {
        /// What people call the program.
        label: String,
        /// What it may do: wall (also reads metrics), officer, chief, contractor or administrator.
        #[arg(long, value_name = "ROLE", default_value = "wall")]
        role: String,
        /// For how many days it is good; without it there is no end.
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
        /// An area's id: it sees and acts within it alone. May be given several times.
        #[arg(long = "area", value_name = "ID")]
        areas: Vec<String>,
    },
    /// Make a link that is opened on a wall's screen once.
    Screen {
        /// What people call the screen.
        label: String,
        /// For how many days it is good; without it there is no end.
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
        /// An area's id: it sees and acts within it alone. May be given several times.
        #[arg(long = "area", value_name = "ID")]
        areas: Vec<String>,
    },
    /// Make a token for a source, such as a script that asks a vendor's cloud; it is printed once.
    Source {
        /// The link that it is, one of the kind source.
        link: String,
        /// For how many days it is good; without it there is no end.
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
    },
    /// Make the address of somebody's shifts as a calendar, for their phone to subscribe to; it is printed once.
    Calendar {
        /// Their id in the roster.
        person: String,
        /// For how many days it is good; without it there is no end.
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
    },
    /// End a pass, by the id that the list shows.
    End {
        /// Its id.
        id: String,
    },
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let client = match arguments.daemon.client() {
        Ok(client) => client,
        Err(code) => return code,
    };
    let outcome = match arguments.what.unwrap_or(What::List) {
        What::List => list(&client).await,
        What::Token { label, role, days, areas } => {
            let new = json!({ "label": label, "kind": "token", "role": role, "days": days, "areas": areas });
            secret(&client, &new).await
        }
        What::Screen { label, days, areas } => {
            let new = json!({ "label": label, "kind": "screen", "role": "wall", "days": days, "areas": areas });
            secret(&client, &new).await.map(|path| client.at(&path))
        }
        What::Source { link, days } => {
            let new = json!({ "label": link, "kind": "source", "role": "wall", "days": days });
            let made = secret(&client, &new).await;
            made.map_err(|why| format!("{why} (is {link} a [[link]] with kind = \"source\"?)"))
        }
        What::Calendar { person, days } => {
            let new = json!({ "label": person, "kind": "calendar", "role": "wall", "days": days });
            secret(&client, &new).await.map(|path| client.at(&path))
        }
        What::End { id } => client.ask(Method::DELETE, &["api", "v1", "passes", &id], &[], NOTHING).await,
    };
    told(outcome)
}

/// Makes a pass; its secret, or the path of its link.
pub(super) async fn secret(client: &Client, new: &Value) -> Result<String, String> {
    let made = client.json(Method::POST, &["api", "v1", "passes"], Some(new)).await?;
    Ok(made["secret"].as_str().unwrap_or_default().to_owned())
}

async fn list(client: &Client) -> Result<String, String> {
    let passes = client.json(Method::GET, &["api", "v1", "passes"], NOTHING).await?;
    let text = |pass: &Value, key: &str| pass[key].as_str().unwrap_or_default().to_owned();
    let rows = passes.as_array().into_iter().flatten().map(|pass| {
        let until = if pass["until"].is_null() { "no end".to_owned() } else { local(&pass["until"]) };
        [
            text(pass, "id"),
            text(pass, "kind"),
            text(pass, "role"),
            text(pass, "account"),
            text(pass, "label"),
            ids(&pass["areas"]).join(", "),
            until,
        ]
    });
    Ok(table(&rows.collect::<Vec<_>>()))
}

/// `camhealth audit`.
#[derive(Debug, clap::Args)]
pub(super) struct Audit {
    /// Print all of it as JSON, a line for each entry, the newest first.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Daemon,
}

/// Prints what people changed; fails where the chain is broken.
pub(super) async fn audit(arguments: Audit) -> ExitCode {
    let client = match arguments.daemon.client() {
        Ok(client) => client,
        Err(code) => return code,
    };
    told(trail(&client, arguments.json).await)
}

async fn trail(client: &Client, as_json: bool) -> Result<String, String> {
    let (mut lines, mut before) = (Vec::new(), None::<u64>);
    let forgotten = loop {
        let query: Vec<(&str, String)> = before.iter().map(|number| ("before", number.to_string())).collect();
        let query: Vec<(&str, &str)> = query.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let (status, part) = client.get(&["api", "v1", "audit"], &query).await?;
        if status != 200 {
            return Err(part["error"].as_str().unwrap_or("the daemon refuses").to_owned());
        }
        if let Some(number) = part["broken"].as_u64() {
            return Err(format!(
                "the chain is broken at entry {number}: it was changed, or entries before it are missing"
            ));
        }
        let entries = part["entries"].as_array().cloned().unwrap_or_default();
        let Some(last) = entries.last().and_then(|entry| entry["number"].as_u64()) else {
            break part["forgotten"].clone();
        };
        lines.extend(entries);
        before = Some(last);
        if last <= 1 || !as_json {
            break part["forgotten"].clone();
        }
    };
    if as_json {
        return Ok(lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n"));
    }
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let rows = lines.iter().take(100).map(|entry| {
        let (before, after) = (text(entry, "before"), text(entry, "after"));
        let change = if before.is_empty() { after } else { format!("{before} → {after}") };
        let what = format!("{} {}", text(entry, "action"), text(entry, "subject"));
        [entry["number"].to_string(), local(&entry["at"]), text(entry, "who"), text(entry, "from"), what, change]
    });
    let mut told = table(&rows.collect::<Vec<_>>());
    if let Some(number) = forgotten["number"].as_u64() {
        told += &format!("\nentries up to {number} ({}) were forgotten: [journal] keep_audit", local(&forgotten["at"]));
    }
    Ok(told)
}
