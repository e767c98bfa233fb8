//! `camhealth explain`: why a camera stands where it stands, as the running daemon knows it.

use super::{
    FAILED,
    client::{Client, Daemon},
    fail,
    paint::Paint,
};
use crate::model::{Local, State};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The camera's id.
    camera: String,
    #[command(flatten)]
    daemon: Daemon,
    /// Language: vi or en; the commune's without it.
    #[arg(long, value_parser = ["vi", "en"])]
    lang: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let client = match arguments.daemon.client() {
        Ok(client) => client,
        Err(code) => return code,
    };
    let answer = match ask(&client, &arguments).await {
        Ok(answer) => answer,
        Err(message) => return fail(FAILED, &message),
    };
    if arguments.json {
        println!("{answer:#}");
    } else {
        print!("{}", text(&answer, Paint::stdout()));
    }
    ExitCode::SUCCESS
}

async fn ask(client: &Client, arguments: &Arguments) -> Result<Value, String> {
    let lang: Vec<(&str, &str)> = arguments.lang.iter().map(|lang| ("lang", lang.as_str())).collect();
    let (status, answer) = client.get(&["api", "v1", "cameras", &arguments.camera], &lang).await?;
    if status != 200 {
        let reason = answer["error"].as_str().unwrap_or("the daemon refused");
        return Err(format!("{}: {reason}", arguments.camera));
    }
    Ok(answer)
}

fn text(answer: &Value, paint: Paint) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    let state: Option<State> = serde_json::from_value(answer["state"].clone()).ok();
    let shown = word(&answer["state_text"]).to_uppercase();
    let shown = state.map_or(shown.clone(), |state| paint.state(state, &shown));
    let mut text = format!("{} {} {shown}", paint.bold(&word(&answer["name"])), paint.dim(&word(&answer["id"])));
    if let Some(cause) = answer["cause_text"].as_str() {
        text += &format!(": {cause}");
    }
    text += "\n\n";
    for (line, number) in answer["reasoning"].as_array().into_iter().flatten().zip(1..) {
        text += &format!("{number:>3}. {}\n", word(line));
    }
    if !word(&answer["detail"]).is_empty() {
        text += &format!("     {}\n", paint.dim(&word(&answer["detail"])));
    }
    if let Some(remedy) = answer["remedy"].as_str() {
        text += &format!("  → {}\n", paint.bold(remedy));
    }
    text += &format!("\n  {} {}\n", paint.dim("next  "), word(&answer["next_text"]));
    let budget = |value: &Value, unit: &str, scale: f64| {
        let (left, limit) = (number(&value["left"]) / scale, number(&value["limit"]) / scale);
        format!("{left:.1} of {limit:.1} {unit}")
    };
    let (bytes, looks) = (&answer["bytes_budget"], &answer["looks_budget"]);
    if bytes.is_object() {
        let budgets = format!("{}, {}", budget(bytes, "MB a day", 1e6), budget(looks, "looks an hour", 1.0));
        text += &format!("  {} {budgets}\n", paint.dim("budget"));
    }
    text += "\n";
    let zone = TimeZone::get(&word(&answer["timezone"])).unwrap_or_else(|_| TimeZone::fixed(jiff::tz::offset(7)));
    let time = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let local = time(&answer["at"]).map(|now| Local::new(&zone, now));
    for look in answer["recent"].as_array().into_iter().flatten() {
        let failure = &look["failure"];
        let (mark, why) = match failure["kind"].as_str() {
            None => (paint.good("✓"), String::new()),
            Some(kind) => (paint.bad("✗"), format!("{kind}: {}", word(&failure["detail"]))),
        };
        let took = number(&look["seconds"]);
        let started = local.zip(time(&look["started"])).map(|(local, at)| local.time(at));
        let time = started.unwrap_or_else(|| word(&look["started"]));
        let (check, kilobytes) = (word(&look["check"]), number(&look["bytes"]) / 1000.0);
        text += &format!("  {mark} {time}  {check:<8} {took:>6.2} s {kilobytes:>8.1} kB  {why}\n");
    }
    text
}
