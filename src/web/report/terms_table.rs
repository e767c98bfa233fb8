//! The contract's terms of a report as one table (CSV): a line for each incident under each term, for spreadsheets.

use crate::uptime::{Deadline, Reckoned, Report};
use jiff::Timestamp;

/// The table, in UTF-8 with the mark by which spreadsheets know it; only its heading without a contract.
pub fn terms_csv(report: &Report) -> Result<String, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::from("\u{feff}".as_bytes()));
    let before = ["month", "number", "id", "cause", "place", "level", "opened", "closed", "responded", "responded_by"];
    let of = |duty: &str| {
        ["allowed_seconds", "used_seconds", "stands", "at"].map(|column| format!("{duty}_{column}")).to_vec()
    };
    let seconds = Reckoned::ALL.map(|reckoned| format!("{}_seconds", reckoned.as_str()));
    let after = of("respond").into_iter().chain(of("repair")).chain(seconds).chain(["earlier_seconds".to_owned()]);
    table.write_record(before.map(str::to_owned).into_iter().chain(after))?;
    let month = report.from.to_zoned_datetime(report.zone.clone()).strftime("%Y-%m").to_string();
    let time = |at: Option<Timestamp>| {
        at.map_or_else(String::new, |at| {
            at.to_zoned_datetime(report.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
        })
    };
    let deadline = |deadline: Option<Deadline>| match deadline {
        None => vec![String::new(); 4],
        Some(one) => vec![
            one.allowed_seconds.to_string(),
            one.used_seconds.to_string(),
            one.stands.as_str().to_owned(),
            time(one.at),
        ],
    };
    for line in report.contract.iter().flat_map(|terms| &terms.lines) {
        let mut record = vec![month.clone(), line.number.to_string(), line.id.clone(), line.cause.to_owned()];
        record.extend([words(&line.place), line.level.as_str().to_owned()]);
        record.extend([time(Some(line.opened)), time(line.closed), time(line.responded)]);
        record.push(words(line.responded_by.as_deref().unwrap_or_default()));
        record.extend(deadline(line.respond));
        record.extend(deadline(line.repair));
        record.extend(Reckoned::ALL.map(|reckoned| line.seconds.of(reckoned).to_string()));
        record.push(line.earlier_seconds.to_string());
        table.write_record(record)?;
    }
    let bytes = table.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Text that people wrote: a spreadsheet must not take it for a formula.
fn words(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t']) { format!("'{text}") } else { text.to_owned() }
}
