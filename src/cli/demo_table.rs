//! The demo's live table: what the wall shows, in a terminal.

use super::paint::Paint;
use crate::model::{Camera, CameraStatus, Kind, Language, Snapshot, State};
use std::{
    collections::VecDeque,
    fmt::Write,
    io::{self, IsTerminal, Write as _},
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::watch;
use unicode_width::UnicodeWidthStr;

/// Messages that the demo's own receiver got, newest first.
pub(super) type Messages = Arc<Mutex<VecDeque<String>>>;

/// Rows of cameras that fit a small terminal with all else.
const CAMERAS_SHOWN: usize = 14;

/// Shows the fleet until the daemon ends: redrawn in a terminal, else a line for each change.
pub(super) async fn show(mut snapshots: watch::Receiver<Arc<Snapshot>>, page: SocketAddr, messages: Messages) {
    let paint = Paint::stdout();
    let live = io::stdout().is_terminal();
    if !live {
        println!("status page: http://{page}/");
    }
    let mut before: Option<Arc<Snapshot>> = None;
    while snapshots.changed().await.is_ok() {
        let snapshot = snapshots.borrow_and_update().clone();
        let text = if live {
            let table = table(&snapshot, page, &messages, paint);
            // Home, each line cleared to its end, then everything below: no flicker.
            format!("\x1b[H{}\x1b[J", table.replace('\n', "\x1b[K\n"))
        } else {
            changes(before.as_deref(), &snapshot)
        };
        // A closed pipe ends the table, not the demo.
        if io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()).is_err() {
            std::future::pending::<()>().await;
        }
        before = Some(snapshot);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn table(snapshot: &Snapshot, page: SocketAddr, messages: &Messages, paint: Paint) -> String {
    let mut text = String::new();
    let local = snapshot.local();
    let time = local.time(snapshot.at);
    let coverage = snapshot.coverage;
    let percent = coverage.ratio().map_or_else(|| "–".into(), |ratio| format!("{:.0} %", (ratio * 100.0).floor()));
    let _ = writeln!(text, "{}  {time}", paint.bold(&snapshot.fleet.commune.name));
    let _ = writeln!(text, "page  http://{page}/   {}", paint.dim("Ctrl-C ends"));
    let covered = format!("{percent}  {}/{} views", coverage.covered, coverage.total);
    let _ = writeln!(text, "\n{}  {covered}", paint.bold("coverage"));
    for kind in Kind::ALL {
        let counts = State::ALL.map(|state| {
            let word = format!("{:>4} {:<9}", snapshot.count(kind, state), state.as_str());
            if snapshot.count(kind, state) == 0 { paint.dim(&word) } else { paint.state(state, &word) }
        });
        let _ = writeln!(text, "{:<10}{}", kind.as_str(), counts.join(""));
    }
    let _ = writeln!(text, "\n{}", paint.bold("sites"));
    let mut cells = snapshot.sites.iter().filter_map(|(id, status)| {
        let name = &snapshot.fleet.sites.get(id)?.name;
        Some(format!("{}{}", padded(name, 24), paint.level(status.level, &format!("{:<9}", status.level.as_str()))))
    });
    while let Some(left) = cells.next() {
        let _ = writeln!(text, "  {left}  {}", cells.next().unwrap_or_default());
    }
    let problems: Vec<_> = problems(snapshot).collect();
    let _ = writeln!(text, "\n{} {}", paint.bold("cameras that need attention"), problems.len());
    for (camera, status) in problems.iter().take(CAMERAS_SHOWN) {
        let since = local.time(status.since);
        let state = paint.state(status.state, &format!("{:<9}", status.state.as_str()));
        let cause = status.cause.map_or("", |cause| cause.text(Language::OF_PROGRAMS));
        let _ = writeln!(text, "  {:<7} {} {state} {since}  {cause}", camera.id, padded(&camera.name, 34));
    }
    let messages = messages.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = writeln!(text, "\n{}", paint.bold("messages sent"));
    for message in messages.iter() {
        let _ = writeln!(text, "  {}", shortened(message, 110));
    }
    text
}

/// Those that are not up, without those that were never looked at yet.
fn problems(snapshot: &Snapshot) -> impl Iterator<Item = (&Arc<Camera>, &Arc<CameraStatus>)> {
    let all = snapshot.fleet.cameras.values();
    all.filter_map(|camera| Some((camera, snapshot.cameras.get(&camera.id)?)))
        .filter(|(_, status)| status.state != State::Up && (status.state, status.cause) != (State::Unknown, None))
}

fn changes(before: Option<&Snapshot>, now: &Snapshot) -> String {
    let mut text = String::new();
    for (id, status) in &now.cameras {
        let was = before.and_then(|before| before.cameras.get(id));
        let (from, cause) = was.map_or((State::Unknown, None), |was| (was.state, was.cause));
        if (from, cause) != (status.state, status.cause) {
            let cause = status.cause.map_or("", |cause| cause.as_str());
            let _ = writeln!(text, "{} {id} {} {cause}", now.at.strftime("%H:%M:%SZ"), status.state.as_str());
        }
    }
    text
}

/// Padded by what the eye sees: Vietnamese letters may be several code points.
fn padded(text: &str, width: usize) -> String {
    let text = shortened(text, width);
    let missing = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    for letter in text.chars() {
        if short.width() + 2 > width {
            break;
        }
        short.push(letter);
    }
    short + "…"
}
