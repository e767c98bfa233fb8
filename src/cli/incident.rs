//! `camhealth incident`: what happened to one incident, as a file to keep: who was told what, who took it on, what was overdue.

use super::{FAILED, client::Daemon, fail, output, pdf};
use clap::ValueEnum;
use std::{path::PathBuf, process::ExitCode};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The incident's number, open or past.
    number: u32,
    /// What is written.
    #[arg(long, value_enum, default_value_t = Format::Html)]
    format: Format,
    /// Write to this file, which must not exist yet; a PDF needs it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Language: vi or en; the commune's without it.
    #[arg(long, value_parser = ["vi", "en"])]
    lang: Option<String>,
    #[command(flatten)]
    daemon: Daemon,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One file, for a browser or a printer.
    Html,
    /// Everything that happened to it.
    Json,
    /// The same as html, on A4, by the Chromium of this machine.
    Pdf,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    match write(&arguments).await {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(message)) => fail(FAILED, &message),
        Err(code) => code,
    }
}

async fn write(arguments: &Arguments) -> Result<Result<(), String>, ExitCode> {
    let (client, number, out) = (arguments.daemon.client()?, arguments.number.to_string(), arguments.out.as_deref());
    let lang: Vec<(&str, &str)> = arguments.lang.iter().map(|lang| ("lang", lang.as_str())).collect();
    let written = async {
        if arguments.format == Format::Json {
            let path = ["api", "v1", "incidents", &number, "timeline"];
            let timeline = client.json(reqwest::Method::GET, &path, super::client::NOTHING).await?;
            return output(out, &format!("{timeline:#}\n"));
        }
        let html = client.text(&["incidents", &number, "file"], &lang).await?;
        match arguments.format {
            Format::Pdf => pdf::print(out.ok_or("a PDF needs a name: add --out su-co-17.pdf")?, &html),
            _ => output(out, &html),
        }
    };
    Ok(written.await)
}
