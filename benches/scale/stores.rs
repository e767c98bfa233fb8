//! The same journal in a file and on a PostgreSQL server of this machine, side by side: what a change costs until it is durable, and what
//! a fleet writes at once.

use super::{measure::cpu, support::postgres::Postgres};
use camhealth::{
    journal::{Batch, Journal, Server, Settings},
    model::{Detail, FailureKind, FigureRow, Grain, Memory, State, Transition},
};
use jiff::Timestamp;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const CHANGES: usize = 2000;
const AT_ONCE: usize = 1000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("a time in this century")
}

fn change(camera: usize, second: i64) -> Transition {
    let down = second % 2 == 0;
    Transition {
        camera: format!("c{camera}").as_str().into(),
        from: if down { State::Up } else { State::Down },
        to: if down { State::Down } else { State::Up },
        cause: down.then_some(FailureKind::Timeout),
        detail: Detail::plain("không trả lời"),
        since: at(second - 6),
        decided: at(second),
    }
}

/// How long it took, and how long processors were busy with it: ours, and a server's.
async fn timed<T>(postgres: Option<&Postgres>, work: impl Future<Output = T>) -> (Duration, Duration, Duration) {
    let servers = || postgres.map_or(Duration::ZERO, |postgres| postgres.processes().into_iter().map(cpu).sum());
    let (began, ours, theirs) = (Instant::now(), cpu(std::process::id()), servers());
    work.await;
    (began.elapsed(), cpu(std::process::id()).saturating_sub(ours), servers().saturating_sub(theirs))
}

fn told((took, ours, theirs): (Duration, Duration, Duration), each: usize) -> String {
    let micros = |time: Duration| time.as_secs_f64() * 1e6 / each as f64;
    let server = if theirs.is_zero() { String::new() } else { format!(" + {:.0}", micros(theirs)) };
    format!("{:.0} µs ({:.0}{server})", micros(took), micros(ours))
}

/// A line for a store; what is behind each time is what processors did for it, ours and a server's.
pub async fn measure(size: usize, postgres: Option<&Postgres>) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let server = postgres.map(|postgres| {
        Arc::new(Server::new(&postgres.url(), None, None, &format!("fleet_{size}")).expect("an address"))
    });
    let path = server.is_none().then(|| folder.path().join("journal.sqlite3"));
    let settings = Settings { path, server, ..Settings::default() };
    let opened = settings.clone();
    let open = || tokio::task::spawn_blocking(move || Journal::open(&opened, at(0)).expect("a journal"));
    let (journal, _) = open().await.expect("it opens");
    let commit = async |batch: Batch| journal.commit(batch).await.expect("it is written");

    let mut times = Vec::new();
    let one_by_one = timed(postgres, async {
        for number in 0..CHANGES {
            let began = Instant::now();
            let transitions = vec![change(number % size, number as i64)];
            commit(Batch { transitions, ..Batch::default() }).await;
            times.push(began.elapsed());
        }
    })
    .await;
    times.sort();
    let together = timed(postgres, async {
        for round in 0..5i64 {
            let transitions = (0..AT_ONCE).map(|camera| change(camera % size, round)).collect();
            commit(Batch { transitions, ..Batch::default() }).await;
        }
    })
    .await;
    let ids: Vec<_> = (0..size).map(|camera| format!("c{camera}").as_str().into()).collect();
    let proofs = timed(postgres, async {
        commit(Batch { proofs: ids.iter().cloned().map(|id| (id, at(9))).collect(), ..Batch::default() }).await;
    })
    .await;
    let figures = timed(postgres, async {
        for rows in ids.chunks(AT_ONCE) {
            let row = |id: &camhealth::model::CameraId| FigureRow {
                grain: Grain::Minute,
                begins: 1_790_000_400,
                camera: id.clone(),
                parts: vec![7; 90],
            };
            commit(Batch { figures: rows.iter().map(row).collect(), ..Batch::default() }).await;
        }
    })
    .await;
    let memory = Arc::new(Memory::default());
    commit(Batch { memories: ids.iter().map(|id| (id.clone(), memory.clone())).collect(), ..Batch::default() }).await;
    let ended = journal.ended();
    drop(journal);
    ended.await;
    let again = settings.clone();
    let restored =
        timed(postgres, tokio::task::spawn_blocking(move || Journal::open(&again, at(99)).expect("a journal"))).await;
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    format!(
        "| {size} | {} | {:.2}, {:.2} ms | {} | {} | {} | {} | {:.0} ms |",
        if postgres.is_some() { "PostgreSQL" } else { "SQLite" },
        millis(times[CHANGES / 2]),
        millis(times[CHANGES * 99 / 100]),
        told(one_by_one, CHANGES),
        told(together, 5 * AT_ONCE),
        told(proofs, size),
        told(figures, size),
        millis(restored.0)
    )
}
