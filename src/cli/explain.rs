//! `camhealth explain`: why a camera stands where it stands, as the running daemon knows it.

use super::{FAILED, USAGE, fail, paint::Paint};
use crate::{config, model::State};
use serde_json::Value;
use std::{path::PathBuf, process::ExitCode, time::Duration};
use url::Url;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The camera's id.
    camera: String,
    /// The daemon's configuration, for its address and language.
    #[arg(long, value_name = "PATH", default_value = "config/camhealth.toml")]
    config: PathBuf,
    /// The daemon's address, such as http://127.0.0.1:9740, instead of the configuration's.
    #[arg(long, value_name = "URL")]
    url: Option<Url>,
    /// Language: vi or en; the commune's without it.
    #[arg(long, value_parser = ["vi", "en"])]
    lang: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let base = match &arguments.url {
        Some(url) => url.clone(),
        None => match config::load(&arguments.config) {
            Ok(plan) => match format!("http://{}/", plan.web.listen).parse() {
                Ok(url) => url,
                Err(error) => return fail(FAILED, &format!("[web] listen: {error}")),
            },
            Err(problems) => {
                eprint!("{}", problems.render(Paint::stderr().is_on()));
                return fail(
                    USAGE,
                    "without a good configuration name the daemon's address: --url http://127.0.0.1:9740",
                );
            }
        },
    };
    let answer = match ask(&base, &arguments).await {
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

async fn ask(base: &Url, arguments: &Arguments) -> Result<Value, String> {
    let mut url = base.join("api/v1/cameras/").map_err(|error| format!("--url: {error}"))?;
    // The id becomes one segment of the path, whatever it holds.
    url.path_segments_mut().map_err(|()| "--url must begin with http://".to_owned())?.pop().push(&arguments.camera);
    if let Some(lang) = &arguments.lang {
        url.query_pairs_mut().append_pair("lang", lang);
    }
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build();
    let http = http.map_err(|error| error.to_string())?;
    let response = http.get(url).send().await;
    let response = response.map_err(|_| {
        format!("no daemon answers at {base}: start it with camhealth run, or name its address with --url")
    })?;
    let status = response.status();
    let body = response.text().await.map_err(|error| format!("the daemon's answer broke off: {error}"))?;
    let answer: Value = serde_json::from_str(&body).map_err(|_| format!("what answers at {base} is no camhealth"))?;
    if !status.is_success() {
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
    let zone = jiff::tz::TimeZone::get(&word(&answer["timezone"]));
    let zone = zone.unwrap_or_else(|_| jiff::tz::TimeZone::fixed(jiff::tz::offset(7)));
    for look in answer["recent"].as_array().into_iter().flatten() {
        let failure = &look["failure"];
        let (mark, why) = match failure["kind"].as_str() {
            None => (paint.good("✓"), String::new()),
            Some(kind) => (paint.bad("✗"), format!("{kind}: {}", word(&failure["detail"]))),
        };
        let took = number(&look["seconds"]);
        let started = word(&look["started"]);
        let time = started
            .parse::<jiff::Timestamp>()
            .map_or(started, |at| at.to_zoned_datetime(zone.clone()).strftime("%H:%M:%S").to_string());
        let (check, kilobytes) = (word(&look["check"]), number(&look["bytes"]) / 1000.0);
        text += &format!("  {mark} {time}  {check:<8} {took:>6.2} s {kilobytes:>8.1} kB  {why}\n");
    }
    text
}
