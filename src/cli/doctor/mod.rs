//! `camhealth doctor`: whether this machine can do what its configuration wants, and what to do where it cannot.
//!
//! Facts are gathered first, then judged, so that what is said of them can be tested without a machine that is ill.

mod facts;
mod gather;
mod judge;

use super::{FAILED, config_path, paint::Paint};
use crate::model::Language;
use judge::{Finding, Weight};
use std::{path::PathBuf, process::ExitCode};
use unicode_width::UnicodeWidthStr;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The main configuration file; it includes the others.
    #[arg(long, value_name = "PATH", default_value = config_path())]
    config: PathBuf,
    /// Ask nothing over the network: no names, gateways, channels or cameras.
    #[arg(long)]
    offline: bool,
    /// Language: vi or en; the commune's without it.
    #[arg(long, value_parser = ["vi", "en"])]
    lang: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let (facts, language) = gather::all(&arguments.config, arguments.offline).await;
    let asked = arguments.lang.as_deref().and_then(|lang| lang.parse().ok());
    let language = asked.or(language).unwrap_or(Language::OF_PROGRAMS);
    let findings = judge::judge(&facts, language);
    if arguments.json {
        println!("{:#}", json(&findings));
    } else {
        print!("{}", table(&findings, language, Paint::stdout()));
    }
    match worst(&findings) {
        Weight::Broken => ExitCode::from(FAILED),
        Weight::Good | Weight::Fair => ExitCode::SUCCESS,
    }
}

fn worst(findings: &[Finding]) -> Weight {
    findings.iter().map(|finding| finding.weight).max().unwrap_or(Weight::Good)
}

/// A line for each finding; what is to be done stands below it.
fn table(findings: &[Finding], language: Language, paint: Paint) -> String {
    let name = |finding: &Finding| finding.check.text(language);
    let widest = findings.iter().map(|finding| name(finding).width()).max().unwrap_or(0);
    let mut text = String::new();
    let mut last = "";
    for finding in findings {
        let mark = match finding.weight {
            Weight::Good => paint.good("✓"),
            Weight::Fair => paint.fair("!"),
            Weight::Broken => paint.bad("✗"),
        };
        // Several lines of one subject stand under its name.
        let shown = if name(finding) == last { "" } else { name(finding) };
        last = name(finding);
        let gap = " ".repeat(widest - shown.width());
        text += &format!("{mark} {}{gap}  {}\n", paint.bold(shown), finding.told);
        if let Some(remedy) = &finding.remedy {
            text += &format!("  {}  {} {remedy}\n", " ".repeat(widest), paint.dim("→"));
        }
    }
    let count = |weight| findings.iter().filter(|finding| finding.weight == weight).count();
    let (broken, fair) = (count(Weight::Broken), count(Weight::Fair));
    let sum =
        language.pick(format!("{broken} hỏng, {fair} nên xem lại"), format!("{broken} broken, {fair} to be looked at"));
    let sum = match worst(findings) {
        Weight::Good => paint.good(language.pick("mọi thứ đều tốt", "all is well")),
        Weight::Fair => paint.fair(&sum),
        Weight::Broken => paint.bad(&sum),
    };
    text + &format!("\n{sum}\n")
}

fn json(findings: &[Finding]) -> serde_json::Value {
    let lines = findings.iter().map(|finding| {
        serde_json::json!({
            "check": finding.check,
            "verdict": finding.weight,
            "told": finding.told,
            "remedy": finding.remedy,
        })
    });
    serde_json::json!({ "verdict": worst(findings), "findings": lines.collect::<Vec<_>>() })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
