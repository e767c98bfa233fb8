//! `camhealth silence`: takes something out of service on purpose, shows what is, and ends it early.

use super::{
    USAGE,
    client::{Client, Daemon, NOTHING, told},
    fail,
    paint::Paint,
};
use crate::{
    model::{Local, Scope, Span, Window, local},
    request::Silence,
};
use jiff::tz::TimeZone;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// All cameras of this site.
    #[arg(long, value_name = "ID", group = "scope")]
    site: Option<String>,
    /// All cameras below this link.
    #[arg(long, value_name = "ID", group = "scope")]
    link: Option<String>,
    /// This camera.
    #[arg(long, value_name = "ID", group = "scope")]
    camera: Option<String>,
    /// All that lies in this area.
    #[arg(long, value_name = "ID", group = "scope")]
    area: Option<String>,
    /// All sites of this hamlet.
    #[arg(long, value_name = "NAME", group = "scope")]
    hamlet: Option<String>,
    /// The whole commune.
    #[arg(long, group = "scope")]
    all: bool,
    /// For how long, such as 2h or 1d 12h; at most 31 days.
    #[arg(long = "for", value_name = "LENGTH", requires = "scope")]
    length: Option<jiff::Span>,
    /// Who decides it.
    #[arg(long, value_name = "NAME", requires = "scope")]
    by: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT", requires = "scope")]
    reason: Option<String>,
    /// End this window early.
    #[arg(long, value_name = "WINDOW", conflicts_with = "scope")]
    end: Option<String>,
    #[command(flatten)]
    daemon: Daemon,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let client = match arguments.daemon.client() {
        Ok(client) => client,
        Err(code) => return code,
    };
    let outcome = match (&arguments.end, scope(&arguments)) {
        (Some(id), _) => client.ask(reqwest::Method::DELETE, &["api", "v1", "silences", id], &[], NOTHING).await,
        (None, Some(scope)) => match wish(&arguments, scope) {
            Ok(wish) => client.ask(reqwest::Method::POST, &["api", "v1", "silences"], &[], Some(&wish)).await,
            Err(message) => return fail(USAGE, &message),
        },
        (None, None) => list(&client).await,
    };
    told(outcome)
}

fn scope(arguments: &Arguments) -> Option<Scope> {
    let Arguments { site, link, camera, area, hamlet, all, .. } = arguments;
    let site = site.as_ref().map(|id| Scope::Site(id.as_str().into()));
    let link = link.as_ref().map(|id| Scope::Link(id.as_str().into()));
    let camera = camera.as_ref().map(|id| Scope::Camera(id.as_str().into()));
    let area = area.as_ref().map(|id| Scope::Area(id.as_str().into()));
    let hamlet = hamlet.clone().map(Scope::Hamlet);
    site.or(link).or(camera).or(area).or(hamlet).or(all.then_some(Scope::All))
}

fn wish(arguments: &Arguments, scope: Scope) -> Result<Silence, String> {
    let missing = |what: &str| format!("{what} is missing; give --for 2h --by NAME --reason TEXT");
    let length = arguments.length.ok_or_else(|| missing("--for"))?;
    let author = arguments.by.as_deref().ok_or_else(|| missing("--by"))?;
    let reason = arguments.reason.as_deref().ok_or_else(|| missing("--reason"))?;
    let length = length.to_duration(jiff::SpanRelativeTo::days_are_24_hours());
    let minutes = length.map_err(|error| format!("--for: {error}"))?.as_mins();
    if minutes < 1 {
        return Err("--for: at least one minute".into());
    }
    let (author, reason) = (author.to_owned(), reason.to_owned());
    // Longer than any window may be, it is a number all the same.
    Ok(Silence { scope, from: None, until: None, minutes: Some(minutes as f64), author, reason })
}

async fn list(client: &Client) -> Result<String, String> {
    let (_, windows) = client.get(&["api", "v1", "silences"], &[]).await?;
    let windows: Vec<Window> =
        serde_json::from_value(windows).map_err(|_| "the daemon is of another version than this command".to_owned())?;
    if windows.is_empty() {
        return Ok("nothing is out of service on purpose".into());
    }
    let paint = Paint::stdout();
    let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap_or_else(|_| TimeZone::fixed(jiff::tz::offset(7)));
    let now = crate::clock::Clock::system().now();
    let lines = windows.iter().map(|window| {
        let open = if window.is_open(now, &zone) { paint.fair("open   ") } else { paint.dim("planned") };
        let what = match &window.scope {
            Scope::All => window.scope.kind().to_owned(),
            some => format!("{} {}", some.kind(), some.subject()),
        };
        format!(
            "{open} {:<16} {what:<28} {:<24} {}: {}",
            window.id,
            when(&window.span, Local::new(&zone, now)),
            window.author,
            window.reason
        )
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

fn when(span: &Span, local: Local<'_>) -> String {
    match span {
        Span::Once { until, .. } => format!("until {}", local.full(*until)),
        Span::Weekly { hours, .. } => format!("weekly {} to {}", local::hour(hours.from), local::hour(hours.to)),
    }
}
