//! Figures are found by camera and time, grow by what is written later, and stay within their bounds.

use super::{
    sql::values,
    tests::{at, closed, for_once, in_folder, on_server},
    *,
};
use crate::model::Figures;
use rusqlite::Connection as File;

const DAY: i64 = 86_400;

fn second(second: i64) -> i64 {
    at(second).as_second()
}

/// A row with parts at these places, each with as many looks as its place.
fn row(camera: &str, grain: Grain, begins: i64, places: &[u8]) -> FigureRow {
    let begins = begins - begins.rem_euclid(grain.row());
    let mut parts = Vec::new();
    for place in places {
        Figures { looks: *place, fps: Some(f64::from(*place)), ..Figures::default() }.pack(*place, &mut parts);
    }
    FigureRow { grain, begins, camera: camera.into(), parts }
}

async fn write(journal: &Journal, figures: Vec<FigureRow>) {
    journal.commit(Batch { figures, ..Batch::default() }).await.expect("it is written");
}

async fn looks(journal: &Journal, camera: &str, grain: Grain, span: (i64, i64)) -> Vec<(i64, u8)> {
    let span = (Timestamp::from_second(span.0).expect("a time"), Timestamp::from_second(span.1).expect("a time"));
    let found = journal.figures(camera.into(), grain, span).await.expect("it is read");
    found.iter().map(|(at, figures)| (at.as_second(), figures.looks)).collect()
}

fn open(settings: &Settings) -> Journal {
    Journal::open(settings, at(0)).expect("a journal").0
}

#[tokio::test]
async fn what_was_measured_is_read_for_its_time_and_its_camera_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = in_folder(folder.path());
    let journal = open(&settings);
    let begins = second(0) - second(0).rem_euclid(600);
    let rows = vec![
        row("a", Grain::Minute, begins, &[1, 2, 9]),
        row("a", Grain::Minute, begins + 600, &[3]),
        row("b", Grain::Minute, begins, &[4]),
        row("a", Grain::Hour, begins, &[5]),
    ];
    write(&journal, rows).await;
    // What comes later of the same ten minutes stands behind what is there, also after a restart.
    closed(journal).await;
    let journal = open(&settings);
    write(&journal, vec![row("a", Grain::Minute, begins, &[4])]).await;
    let all = [(60, 1), (120, 2), (240, 4), (540, 9), (780, 3)].map(|(at, looks)| (begins + at, looks));
    assert_eq!(looks(&journal, "a", Grain::Minute, (begins, begins + 3600)).await, all);
    assert_eq!(looks(&journal, "a", Grain::Minute, (begins + 61, begins + 540)).await, all[1..3]);
    assert_eq!(looks(&journal, "b", Grain::Minute, (begins, begins + 3600)).await, [(begins + 240, 4)]);
    let day = begins - begins.rem_euclid(DAY);
    assert_eq!(looks(&journal, "a", Grain::Hour, (day, day + DAY)).await, [(day + 5 * 3600, 5)]);
    assert!(looks(&journal, "c", Grain::Hour, (day, day + DAY)).await.is_empty());
}

#[tokio::test]
async fn minutes_go_after_a_day_hours_after_thirteen_months_and_rows_do_not_grow_for_ever() {
    let settings = for_once();
    let journal = open(&settings);
    let day = second(0) - second(0).rem_euclid(DAY);
    for number in 0..10 {
        write(&journal, vec![row("a", Grain::Minute, day + number * 6 * 3600, &[1])]).await;
        write(&journal, vec![row("a", Grain::Hour, day + number * 100 * DAY, &[1])]).await;
    }
    let count = async |journal: &Journal, table: &str| {
        let sql = format!("SELECT count(*) FROM {table}");
        let read = journal.with(move |store| store.connection().number(&sql, values![]));
        read.await.expect("a number")
    };
    let keep = async |now: i64| {
        let now = Timestamp::from_second(now).expect("a time");
        journal.keep(now, settings.clone()).await.expect("it is kept");
    };
    keep(day + 9 * 6 * 3600).await;
    assert_eq!(count(&journal, "minute_figures").await, 5);
    assert_eq!(count(&journal, "hour_figures").await, 10);
    keep(day + 900 * DAY).await;
    assert_eq!(count(&journal, "minute_figures").await, 0);
    assert_eq!(count(&journal, "hour_figures").await, 5);
    for _ in 0..400 {
        write(&journal, vec![row("a", Grain::Hour, day + 900 * DAY, &[7])]).await;
    }
    let sql = "SELECT max(length(parts)) FROM hour_figures";
    let read = journal.with(move |store| store.connection().number(sql, values![]));
    let longest = read.await.expect("a number");
    assert!((4000..=4096).contains(&longest), "{longest}");
}

#[tokio::test]
async fn years_of_hours_leave_room_for_transcripts() {
    if on_server() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite3");
    let settings = Settings { path: Some(path), max_size: 2_000_000, ..Settings::default() };
    let journal = open(&settings);
    let day = second(0) - second(0).rem_euclid(DAY);
    let hours: Vec<u8> = (0..24).collect();
    for number in 0..40 {
        let rows = (0..100).map(|camera| row(&format!("camera-{camera:03}"), Grain::Hour, day + number * DAY, &hours));
        write(&journal, rows.collect()).await;
    }
    let days = async || {
        let sql = "SELECT count(DISTINCT begins), max(begins) FROM hour_figures";
        let read = journal.with(move |store| {
            let read = store.connection().first(sql, values![], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))?;
            Ok(read.expect("a row"))
        });
        read.await.expect("numbers")
    };
    let now = Timestamp::from_second(day + 40 * DAY).expect("a time");
    let mut before = days().await;
    loop {
        journal.keep(now, settings.clone()).await.expect("it is kept");
        let after = days().await;
        if after == before {
            break;
        }
        before = after;
    }
    // A quarter of the size holds some ten days of these; nothing goes while the file has not half of it.
    assert!((8..=20).contains(&before.0), "{before:?}");
    assert_eq!(before.1, day + 39 * DAY, "the latest stay");
}

#[tokio::test]
async fn a_damaged_row_costs_only_itself() {
    if on_server() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite3");
    let settings = Settings { path: Some(path.clone()), ..Settings::default() };
    let journal = open(&settings);
    let begins = second(0) - second(0).rem_euclid(600);
    write(&journal, vec![row("a", Grain::Minute, begins, &[1]), row("a", Grain::Minute, begins + 600, &[2])]).await;
    File::open(&path)
        .and_then(|file| file.execute("UPDATE minute_figures SET parts = x'00' WHERE begins = ?1", [begins]))
        .expect("it is damaged");
    assert_eq!(looks(&journal, "a", Grain::Minute, (begins, begins + 3600)).await, [(begins + 720, 2)]);
    // What is written next takes its place.
    write(&journal, vec![row("a", Grain::Minute, begins, &[3])]).await;
    let found = looks(&journal, "a", Grain::Minute, (begins, begins + 3600)).await;
    assert_eq!(found, [(begins + 180, 3), (begins + 720, 2)]);
}

/// What a year takes: for docs/journal.md, and so that nobody makes it much more without knowing.
#[tokio::test]
async fn a_camera_day_takes_as_many_bytes_as_the_documentation_says() {
    if on_server() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite3");
    let settings = Settings { path: Some(path.clone()), ..Settings::default() };
    let journal = open(&settings);
    let size = || {
        let file = File::open(&path).expect("a file");
        let size = |table: &str| {
            let sql = "SELECT sum(pgsize) FROM dbstat WHERE name = ?1";
            file.query_row(sql, [table], |row| row.get::<_, Option<i64>>(0)).map(Option::unwrap_or_default)
        };
        ["minute_figures", "hour_figures"].map(|table| size(table).unwrap_or(-1))
    };
    let day = second(0) - second(0).rem_euclid(DAY);
    let (cameras, hours): (Vec<String>, Vec<u8>) =
        ((0..200).map(|it| format!("camera-{it:05}")).collect(), (0..24).collect());
    let minutes: Vec<u8> = (0..10).collect();
    let mut rows: Vec<FigureRow> = Vec::new();
    for ten in 0..144 {
        rows.extend(cameras.iter().map(|camera| row(camera, Grain::Minute, day + ten * 600, &minutes)));
    }
    rows.extend(cameras.iter().map(|camera| row(camera, Grain::Hour, day, &hours)));
    for some in rows.chunks(1000) {
        write(&journal, some.to_vec()).await;
    }
    let [minute, hour] = size().map(|bytes| bytes / cameras.len() as i64);
    println!("a camera's day: {minute} bytes by the minute, {hour} by the hour");
    if minute >= 0 {
        assert!(minute < 36_000 && hour < 700, "{minute} {hour}");
    }
}

#[tokio::test]
async fn a_journal_of_format_6_keeps_what_it_has_and_takes_figures() {
    if on_server() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite3");
    let settings = Settings { path: Some(path.clone()), ..Settings::default() };
    let journal = open(&settings);
    let proofs = [("a".into(), at(5))].into();
    journal.commit(Batch { proofs, ..Batch::default() }).await.expect("it is written");
    let mut ended = journal.ended.clone();
    drop(journal);
    ended.wait_for(Option::is_some).await.expect("it ends");
    // What formats 7 to 9 added is taken away again.
    File::open(&path)
        .and_then(|file| {
            file.execute_batch(
                "DROP TABLE minute_figures; DROP TABLE hour_figures; DROP TABLE edit; DROP TABLE retention;
                 DROP TABLE timeline; DROP TABLE incident_of; DROP TRIGGER incident_gone; DROP INDEX incident_by_opening;
                 DROP INDEX outbox_by_receipt;
                 PRAGMA user_version = 6",
            )
        })
        .expect("it is of format 6");
    let (journal, restored) = Journal::open(&settings, at(10)).expect("a journal");
    assert_eq!(restored.proofs.get("a"), Some(&at(5)));
    write(&journal, vec![row("a", Grain::Hour, second(0), &[3])]).await;
    let span = (second(0) - DAY, second(0) + DAY);
    assert_eq!(looks(&journal, "a", Grain::Hour, span).await.len(), 1);
}
