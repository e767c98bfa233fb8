//! `camhealth users`: accounts of people, kept by whoever can read the daemon's journal.

use super::client::{Client, Daemon, NOTHING, told};
use crate::model::Local;
pub(super) use crate::province::aligned as table;
use jiff::Timestamp;
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
    /// Show all accounts.
    List,
    /// Make an account; prints a link, good once and for a day, by which its password is chosen.
    Add {
        /// What they sign in by: letters of a to z, digits, dots and hyphens.
        name: String,
        /// What they may do: wall, officer, chief, contractor or administrator.
        #[arg(long, value_name = "ROLE")]
        role: String,
        /// What others read where they did something.
        #[arg(long, value_name = "NAME", default_value = "")]
        full_name: String,
        /// An area's id: they see and act within it alone. May be given several times; without it the whole commune is theirs.
        #[arg(long = "area", value_name = "ID")]
        areas: Vec<String>,
        /// What they are called at the provider of OpenID Connect: the first of this name who comes is bound to the account.
        #[arg(long, value_name = "NAME", default_value = "")]
        openid: String,
    },
    /// Print a link by which somebody chooses another password.
    Link {
        /// Whose.
        name: String,
    },
    /// Give somebody another role.
    Appoint {
        /// Whom.
        name: String,
        /// Which: wall, officer, chief, contractor or administrator.
        role: String,
    },
    /// Let somebody see and act within some areas alone, or in the whole commune again.
    Bind {
        /// Whom.
        name: String,
        /// An area's id; may be given several times.
        #[arg(long = "area", value_name = "ID", required_unless_present = "everywhere")]
        areas: Vec<String>,
        /// The whole commune.
        #[arg(long, conflicts_with = "areas")]
        everywhere: bool,
    },
    /// Ask somebody for no second step any more, such as where a phone and the recovery codes are lost.
    SecondStep {
        /// Whom.
        name: String,
        /// Take it off; people set one up themselves, on the page that their name leads to.
        #[arg(long, required = true)]
        off: bool,
    },
    /// Forget somebody's passkeys, such as where a phone was stolen; sign them out everywhere, too.
    Passkeys {
        /// Whose.
        name: String,
        /// Forget all of them; people make some themselves, on the page that their name leads to.
        #[arg(long, required = true)]
        forget: bool,
    },
    /// Let somebody sign in by the provider of OpenID Connect, or no more; ends their sessions.
    Openid {
        /// Whom.
        name: String,
        /// What they are called there: the first of this name who comes is bound to the account.
        #[arg(required_unless_present = "off")]
        called: Option<String>,
        /// By the provider no more.
        #[arg(long, conflicts_with = "called")]
        off: bool,
    },
    /// Let somebody sign in no more.
    Close {
        /// Whom.
        name: String,
    },
    /// End all of somebody's sessions.
    SignOut {
        /// Whose.
        name: String,
    },
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let client = match arguments.daemon.client() {
        Ok(client) => client,
        Err(code) => return code,
    };
    let outcome = match arguments.what.unwrap_or(What::List) {
        What::List => list(&client).await,
        What::Add { name, role, full_name, areas, openid } => {
            let new = json!({ "name": name, "role": role, "full_name": full_name, "areas": areas, "openid": openid });
            made(&client, client.json(Method::POST, &["api", "v1", "accounts"], Some(&new)).await)
        }
        What::Link { name } => made(&client, change(&client, &name, json!({ "deed": "link" })).await),
        What::Appoint { name, role } => done(change(&client, &name, json!({ "deed": "appoint", "role": role })).await),
        What::Bind { name, areas, .. } => done(change(&client, &name, json!({ "deed": "bind", "areas": areas })).await),
        What::SecondStep { name, .. } => done(change(&client, &name, json!({ "deed": "no_second_step" })).await),
        What::Passkeys { name, .. } => done(change(&client, &name, json!({ "deed": "no_passkeys" })).await),
        What::Openid { name, called, .. } => {
            let deed = json!({ "deed": "provider", "called": called.unwrap_or_default() });
            done(change(&client, &name, deed).await)
        }
        What::Close { name } => done(change(&client, &name, json!({ "deed": "close" })).await),
        What::SignOut { name } => done(change(&client, &name, json!({ "deed": "sign_out" })).await),
    };
    told(outcome)
}

async fn change(client: &Client, name: &str, deed: Value) -> Result<Value, String> {
    client.json(Method::POST, &["api", "v1", "accounts", name], Some(&deed)).await
}

fn done(answer: Result<Value, String>) -> Result<String, String> {
    answer.map(|_| "done".to_owned())
}

fn made(client: &Client, answer: Result<Value, String>) -> Result<String, String> {
    answer.map(|made| client.at(made["secret"].as_str().unwrap_or_default()))
}

async fn list(client: &Client) -> Result<String, String> {
    let accounts = client.json(Method::GET, &["api", "v1", "accounts"], NOTHING).await?;
    let text = |account: &Value, key: &str| account[key].as_str().unwrap_or_default().to_owned();
    let rows = accounts.as_array().into_iter().flatten().map(|account| {
        let passkeys = account["passkeys"].as_u64().unwrap_or(0);
        let state = match (account["closed"] == true, account["password"] == true) {
            (true, _) => "closed".to_owned(),
            (_, false) => "no password yet".to_owned(),
            _ => {
                let second = (account["second_step"] == true).then(|| "second step".to_owned());
                let passkeys = (passkeys > 0).then(|| format!("passkeys: {passkeys}"));
                second.into_iter().chain(passkeys).collect::<Vec<_>>().join(", ")
            }
        };
        let gone: Vec<String> = ids(&account["areas_gone"]);
        let areas = ids(&account["areas"]).into_iter();
        let areas =
            areas.map(|id| if gone.contains(&id) { format!("{id} (no more in the configuration)") } else { id });
        let areas = areas.collect::<Vec<_>>().join(", ");
        let provider = match (account["provider_name"].as_str(), account["provider_bound"] == true) {
            (Some(called), true) => format!("by the provider: {called}"),
            (Some(called), false) => format!("by the provider, not come yet: {called}"),
            (None, _) => String::new(),
        };
        let (name, role, full_name) = (text(account, "name"), text(account, "role"), text(account, "full_name"));
        [name, role, full_name, areas, state, provider]
    });
    let rows: Vec<_> = rows.collect();
    Ok(if rows.is_empty() {
        "there is no account: camhealth users add NAME --role administrator".to_owned()
    } else {
        table(&rows)
    })
}

/// Texts of a list.
pub(super) fn ids(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A time of an answer as people here read it.
pub(super) fn local(value: &Value) -> String {
    value.as_str().and_then(|at| at.parse().ok()).map(local_time).unwrap_or_default()
}

/// A time as people here read it.
pub(super) fn local_time(at: Timestamp) -> String {
    let zone = jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").unwrap_or(jiff::tz::TimeZone::UTC);
    Local::new(&zone, at).full(at)
}
