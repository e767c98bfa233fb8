//! `camhealth report`: the uptime of a month from the journal, for people, spreadsheets, programs and the file.

use super::{FAILED, config_path, fail, loaded, output, paint::Paint, pdf};
use crate::{
    clock::Clock,
    config, journal,
    model::{Language, Local},
    uptime::{self, Class, Line, Month, Report, Stand, Verdict},
    web,
};
use clap::ValueEnum;
use std::{path::PathBuf, process::ExitCode};
use unicode_width::UnicodeWidthStr;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The month, such as 2026-10; the last one that is over without it.
    #[arg(long, value_name = "YEAR-MONTH")]
    month: Option<Month>,
    /// What is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write to this file, which must not exist yet; a PDF needs it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Language: vi or en; the commune's without it.
    #[arg(long, value_parser = ["vi", "en"])]
    lang: Option<String>,
    /// The daemon's configuration, for the journal's path, the fleet and what was agreed.
    #[arg(long, value_name = "PATH", default_value = config_path())]
    config: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A summary for the terminal.
    Text,
    /// One file with plots, for a browser or a printer.
    Html,
    /// A line for each thing, for spreadsheets.
    Csv,
    /// A line for each incident under each term of the contract, for spreadsheets.
    Terms,
    /// Everything.
    Json,
    /// The same as html, on A4, by the Chromium of this machine.
    Pdf,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let config = match loaded(&arguments.config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    match make(arguments, &config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => fail(FAILED, &message),
    }
}

fn make(arguments: &Arguments, config: &config::Config) -> Result<(), String> {
    if !config.journal.is_kept() {
        return Err("[journal] path is not set: nothing is remembered to report on".to_owned());
    }
    let now = Clock::system().now();
    let fleet = &config.fleet;
    let month = arguments.month.unwrap_or_else(|| Month::of(now, &fleet.commune.timezone).before());
    if !month.has_begun(&fleet.commune.timezone, now) {
        return Err(format!("{month} has not begun; name a month that has"));
    }
    let (from, until) = uptime::reach(fleet, month, now);
    let history = journal::history(&config.journal, from, until)
        .map_err(|error| format!("{}: {error}; check [journal], and that camhealth ran", config.journal.told()))?;
    let report = uptime::of_month(fleet, &history, month, &config.uptime, now);
    let asked = arguments.lang.as_deref().and_then(|lang| lang.parse().ok());
    let language = asked.unwrap_or(fleet.commune.language);
    let html = || {
        let households = web::report::households(fleet);
        web::report::file(&report, &households, language).map_err(|error| error.to_string())
    };
    let out = arguments.out.as_deref();
    match arguments.format {
        Format::Text => {
            output(out, &text(&report, language, if out.is_some() { Paint::off() } else { Paint::stdout() }))
        }
        Format::Html => output(out, &html()?),
        Format::Csv => output(out, &web::report::csv(&report).map_err(|error| error.to_string())?),
        Format::Terms if report.contract.is_none() => {
            Err("there is no contract: add [contract] to the configuration".to_owned())
        }
        Format::Terms => output(out, &web::report::terms_csv(&report).map_err(|error| error.to_string())?),
        Format::Json => {
            let json = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
            output(out, &format!("{json}\n"))
        }
        Format::Pdf => pdf::print(out.ok_or("a PDF needs a name: add --out report.pdf")?, &html()?),
    }
}

/// The summary: totals, and the worst of each kind.
fn text(report: &Report, language: Language, paint: Paint) -> String {
    use web::report::{length, mean_length, percent};
    const WORST: usize = 10;
    let of = |vi, en| language.pick(vi, en);
    let shown = |verdict_of: Option<Verdict>| match verdict_of {
        Some(verdict @ Verdict::Pass) => paint.good(verdict.text(language)),
        Some(verdict @ Verdict::Fail) => paint.bad(verdict.text(language)),
        Some(verdict @ Verdict::NotMeasured) => paint.dim(verdict.text(language)),
        None => String::new(),
    };
    let local = Local::new(&report.zone, report.until);
    let mut text = format!(
        "{} – {} {} {} {}\n\n",
        paint.bold(&report.commune),
        of("hoạt động từ", "uptime from"),
        local.full(report.from),
        of("đến", "to"),
        local.full(report.until)
    );
    let headings = [
        "",
        of("sẵn sàng", "service"),
        of("nhà thầu", "contractor"),
        of("đo được", "measured"),
        of("hỏng", "down"),
        "MTTR",
        "",
    ];
    let mut rows: Vec<[String; 7]> = vec![headings.map(str::to_owned)];
    let mut add = |name: String, line: &Line| {
        let [service, contractor, measured] =
            [line.service, line.contractor, line.measured].map(|of| percent(of, language));
        let down = length(line.seconds.class(Class::Down), language);
        let mttr = mean_length(line.mttr_seconds, language);
        rows.push([name, service, contractor, measured, down, mttr, shown(line.verdict)]);
    };
    add(of("Tất cả camera", "All cameras").into(), &report.total);
    for (id, vi, en) in
        [("public", "Camera công cộng", "Public cameras"), ("household", "Camera hộ dân", "Household cameras")]
    {
        report.kinds.iter().filter(|line| line.id == id).for_each(|line| add(of(vi, en).into(), line));
    }
    add(of("Các điểm quan sát", "Sites").into(), &report.coverage);
    let bad = |line: &&Line| line.verdict == Some(Verdict::Fail);
    for line in report.sites.iter().filter(bad).chain(report.cameras.iter().filter(bad).take(WORST)) {
        add(format!("  {}", line.name), line);
    }
    text += &aligned(&rows);
    let failing = report.cameras.iter().filter(bad).count();
    if failing > WORST {
        text += &format!(
            "  {} {}\n",
            failing - WORST,
            of("camera không đạt nữa: xem --format html", "more cameras fail: see --format html")
        );
    }
    text += &format!("\n{} {}\n", report.incidents.len(), of("sự cố", "incidents"));
    if let Some(terms) = &report.contract {
        text += &format!("\n{}\n", paint.bold(&terms.contractor));
        for (what, kept) in [(of("Tiếp nhận", "Response"), &terms.respond), (of("Khắc phục", "Repair"), &terms.repair)]
        {
            text += &format!("  {what}: {}\n", web::report::kept(kept, language));
        }
        for line in terms.lines.iter().take(WORST) {
            let missed = [&line.respond, &line.repair].into_iter().flatten().any(|one| one.stands == Stand::Missed);
            if missed {
                let counted = length(line.seconds.counted, language);
                let line = format!("  #{} {} ({}): {counted}", line.number, line.place, line.level.text(language));
                text += &format!("{}\n", paint.bad(&line));
            }
        }
    }
    text
}

/// Columns side by side: names to the left, figures to the right.
fn aligned(rows: &[[String; 7]]) -> String {
    let widths: [usize; 6] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].width()).max().unwrap_or(0));
    let mut text = String::new();
    for [name, figures @ .., verdict] in rows {
        text += &format!("{name}{}", " ".repeat(widths[0] - name.width()));
        for (figure, width) in figures.iter().zip(&widths[1..]) {
            text += &format!("  {}{figure}", " ".repeat(width - figure.width()));
        }
        text += &format!("  {verdict}\n");
    }
    text
}
