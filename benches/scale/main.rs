//! What fleets of 240, 2,000 and 20,000 cameras cost on one machine, at the default cadence.
//!
//! `cargo bench --bench scale` runs it. First the core alone, in this process: the time of one look, and of one
//! transition up to the snapshot that shows it, and a simulated month. Then a month of history in a journal, and the
//! report of it; then what a journal's changes cost in a file and on a PostgreSQL server, side by side. Last the daemon itself: cameras are simulated behind one listening socket in a process of their own, metrics are scraped each
//! 15 s and two walls are open all the while. It is measured once each camera was looked at for long, which takes minutes. `CAMHEALTH_SCALE` names other sizes (`240,20000`),
//! `CAMHEALTH_BENCH_SECONDS` sets for how long each is measured (60 by default), `CAMHEALTH_PARTS` names the parts
//! (`core,month,history,stores,daemon`), `CAMHEALTH_STORES=sqlite,postgresql` has the daemon measured with either. How late looks begin comes from the daemon's own histogram.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "benches measure, by a clock")]
#![expect(unreachable_pub, reason = "all modules of a bench are private; `pub` marks what they share")]

mod core;
mod daemon;
mod fleet;
mod history;
#[path = "../measure/mod.rs"]
mod measure;
mod month;
mod stores;
#[allow(dead_code, unused_imports, reason = "a bench uses the tests' server alone")]
#[path = "../../tests/support/mod.rs"]
mod support;

use std::time::Duration;
use support::postgres::Postgres;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let of = |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    let sizes = of("CAMHEALTH_SCALE", "240,2000,20000");
    let sizes: Vec<usize> = sizes.split(',').map(|size| size.trim().parse().expect("a number of cameras")).collect();
    let seconds: u64 = of("CAMHEALTH_BENCH_SECONDS", "60").parse().expect("a number of seconds");
    let parts = of("CAMHEALTH_PARTS", "core,month,history,stores,daemon");
    let stores = of("CAMHEALTH_STORES", "sqlite");
    let stores: Vec<&str> = stores.split(',').map(str::trim).collect();
    if parts.contains("core") {
        println!("\n| cameras | configuration read | monitor made | a look | a transition, and the snapshot of it |");
        println!("| ---: | ---: | ---: | ---: | ---: |");
        sizes.iter().for_each(|size| println!("{}", core::measure(*size)));
    }
    if parts.contains("month") {
        println!("\n| cameras | a simulated month took | events | each | messages | recounts |");
        println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
        sizes.iter().for_each(|size| println!("{}", month::measure(*size)));
    }
    if parts.contains("history") {
        println!(
            "\n| cameras | a month in the journal | of rows | read | worked out | a year would take \
             | 30 days of a camera | of a site | all sites: a day | 30 days |"
        );
        println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        for size in &sizes {
            println!("{}", history::measure(*size).await);
        }
    }
    if parts.contains("stores") {
        println!(
            "\n| cameras | journal | a change until it is durable: p50, p99 | of {} one by one, each | of 1000 at once, each \
             | proofs of the fleet at once, each | figures, each | read at a start |\n| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
            2000
        );
        let postgres = Postgres::start();
        for size in &sizes {
            println!("{}", stores::measure(*size, None).await);
            println!("{}", stores::measure(*size, Some(&postgres)).await);
        }
    }
    if parts.contains("daemon") {
        println!(
            "\n| cameras | start | CPU of one core (daemon + workers) | looks begin late: p50, p99; worst lag | memory (PSS): watching, worst \
             | `/metrics` | reload | all silent, seen within | back within |\n\
             | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
        );
        let mut pages = String::new();
        for size in sizes {
            for store in &stores {
                let postgres = (*store == "postgresql").then(Postgres::start);
                let journal = postgres.as_ref().map(|postgres| format!("url = \"{}\"", postgres.url()));
                let line = daemon::measure(size, Duration::from_secs(seconds), (journal.as_deref(), &mut pages)).await;
                println!(
                    "{}",
                    line.replacen("| ", &format!("| {}", if journal.is_some() { "PostgreSQL: " } else { "" }), 1)
                );
            }
        }
        println!("\n| cameras | page | time | size |\n| ---: | --- | ---: | ---: |\n{pages}");
    }
}
