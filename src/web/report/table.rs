//! The report as one table (CSV): a line for each thing and each group, for spreadsheets.

use crate::uptime::{Account, Line, Report};

/// The table, in UTF-8 with the mark by which spreadsheets know it.
pub fn csv(report: &Report) -> Result<String, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::from("\u{feff}".as_bytes()));
    let before = ["month", "section", "id", "name", "members"].map(str::to_owned);
    let states = Account::ALL.map(|account| format!("{}_seconds", account.as_str()));
    let after = [
        "blind_seconds",
        "service_availability",
        "contractor_availability",
        "measured",
        "outages",
        "failures",
        "mttr_seconds",
        "mtbf_seconds",
        "change",
        "verdict",
        "proof",
    ];
    table.write_record(before.into_iter().chain(states).chain(after.map(str::to_owned)))?;
    let month = report.from.to_zoned_datetime(report.zone.clone()).strftime("%Y-%m").to_string();
    let sections: [(&str, &[Line]); 9] = [
        ("total", std::slice::from_ref(&report.total)),
        ("kind", &report.kinds),
        ("coverage", std::slice::from_ref(&report.coverage)),
        ("site", &report.sites),
        ("camera", &report.cameras),
        ("link", &report.links),
        ("cameras_by_link", &report.cameras_by_link),
        ("cameras_by_area", &report.cameras_by_area),
        ("make", &report.makes),
    ];
    for (section, lines) in sections {
        for line in lines {
            table.write_record(record(&month, section, line))?;
        }
    }
    let bytes = table.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn record(month: &str, section: &str, line: &Line) -> Vec<String> {
    let share = |share: Option<f64>| share.map_or_else(String::new, |share| format!("{share:.6}"));
    let mean = |seconds: Option<f64>| seconds.map_or_else(String::new, |seconds| format!("{seconds:.0}"));
    let mut record = vec![month.to_owned(), section.to_owned(), line.id.clone(), line.name.clone()];
    record.push(line.members.to_string());
    record.extend(Account::ALL.map(|account| line.seconds.of(account).to_string()));
    record.push(line.blind_seconds.map_or_else(String::new, |seconds| seconds.to_string()));
    record.extend([share(line.service), share(line.contractor), share(line.measured)]);
    record.extend([line.outages.to_string(), line.failures.to_string()]);
    record.extend([mean(line.mttr_seconds), mean(line.mtbf_seconds), share(line.change)]);
    record.push(line.verdict.map_or_else(String::new, |verdict| verdict.as_str().to_owned()));
    record.push(line.proof.map_or_else(String::new, |proof| proof.as_str().to_owned()));
    record
}
