//! A journal that is damaged in any way opens, says so, and gives back what is left, and never what was not written.

use super::{
    table::Table,
    tests::{at, block, due, incident, notice, recipient},
    *,
};
use crate::model::{Branch, FailureKind, IncidentId, IncidentNotice, Level, LinkState, State, told};
use crate::rights::{self, Deed, Hash, Invite, Role, Wish};
use proptest::prelude::*;
use rusqlite::{Connection, types::Value};
use secrecy::ExposeSecret;
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{LazyLock, mpsc},
};

fn settings(folder: &Path) -> Settings {
    Settings { path: Some(folder.join("journal.sqlite3")), ..Settings::default() }
}

fn transition(number: i64) -> Transition {
    Transition {
        camera: format!("cam-{:03}", number % 40).as_str().into(),
        from: State::Up,
        to: if number % 2 == 0 { State::Down } else { State::Up },
        cause: (number % 2 == 0).then_some(FailureKind::Timeout),
        detail: told!(NoAnswerTo, "PLAY", format!("lần thứ {number}")),
        since: at(number - 6),
        decided: at(number),
    }
}

fn open_or_ended(number: u32) -> Incident {
    let audience = vec![recipient("an", &["zalo"])];
    let closed = number.is_multiple_of(2).then(|| at(60));
    Incident { audience, paged: true, escalated: 1, closed, ..incident(number) }
}

/// Somebody who is invited, and the entry of that.
fn people(number: i64, chain: &mut Chain) -> (Vec<Change>, Vec<Entry>) {
    let name = format!("can-bo-{number}");
    let invite = Invite {
        name: name.clone(),
        full_name: "Trung úy An".into(),
        role: Role::Officer,
        again: false,
        areas: None,
        openid: None,
    };
    let wish = Wish::Invite(invite, Hash(format!("{number:064x}")));
    let decided = rights::decide(&mut Register::default(), at(number), wish).expect("it is made");
    let deed = decided.deed.expect("it is told");
    (decided.changes, vec![chain.add(at(number), Deed { who: "dung".into(), ..deed })])
}

/// A journal with known content, in one place on the disk: `journal.sqlite3` without a WAL.
fn write(folder: &Path) -> Vec<u8> {
    let (journal, _) = Journal::open(&settings(folder), at(0)).expect("a journal");
    let site = |number: i64| SiteRecord {
        site: format!("site-{number}").as_str().into(),
        level: Level::Reduced,
        since: at(number),
        alert: None,
        ended: vec![at(1)],
    };
    block(async {
        let mut chain = Chain::default();
        for part in 0..40i64 {
            let (people, audit) = people(part, &mut chain);
            let (number, incident_of) = (part as u32 + 1, IncidentId::stored(format!("i{}", part + 1)));
            let Notice::Incident(news) = notice(1, part) else { panic!("it is of an incident") };
            let told = Notice::Incident(Box::new(IncidentNotice { number, incident: incident_of, ..*news }));
            let looks = (0..5).map(|look| {
                let started = at(part * 5 + look);
                (format!("cam-{look}").as_str().into(), Observation::new(crate::model::Check::Stream, started))
            });
            let batch = Batch {
                transitions: (part * 10..part * 10 + 10).map(transition).collect(),
                sites: vec![site(part)],
                links: vec![LinkRecord {
                    branch: Branch::Link("fibre".into()),
                    state: LinkState::Down,
                    since: at(part),
                }],
                incidents: vec![open_or_ended(part as u32 + 1).into()],
                notices: vec![(told, vec![recipient("an", &["zalo"])])],
                observations: looks.collect(),
                memories: [(format!("cam-{part}").as_str().into(), Arc::default())].into(),
                proofs: [(format!("cam-{part}").as_str().into(), at(part))].into(),
                people,
                audit,
                ..Batch::default()
            };
            journal.commit(batch).await.expect("it is written");
        }
        journal.signing_key().await.expect("a key");
        let end = journal.ended();
        drop(journal);
        end.await;
    });
    assert!(!open::has_wal(&folder.join("journal.sqlite3")));
    fs::read(folder.join("journal.sqlite3")).expect("a journal")
}

/// The bytes of that journal, and its rows.
static KNOWN: LazyLock<(Vec<u8>, BTreeSet<String>)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = write(folder.path());
    let rows = rows_of(folder.path());
    assert!(rows.len() > 800, "{}", rows.len());
    (bytes, rows)
});

/// All rows that the journal gives to anybody.
fn rows_of(folder: &Path) -> BTreeSet<String> {
    let connection = open::read_only(&folder.join("journal.sqlite3")).expect("it is read").into();
    // How long all is kept is written anew where it was lost.
    let tables = table::ALL.iter().filter(|table| table.name != table::RETENTION.name);
    tables.flat_map(|table| sound_rows(&connection, table)).collect()
}

fn sound_rows(connection: &sql::Connection, table: &Table) -> Vec<String> {
    let sql = format!("SELECT {}, {} FROM {}", table.list(), table.sound(), table.name);
    let strange = strange::Strange::default();
    let row = |row: sql::Row<'_>| {
        let sql::Row::File(row) = row else { return Err(sql::Misread) };
        let values = (0..table.columns.len()).map(|column| row.get::<_, Value>(column));
        Ok(format!("{} {:?}", table.name, values.collect::<Result<Vec<_>, _>>().map_err(|_| sql::Misread)?))
    };
    rows::read(connection, &sql, &[], (table.name, &strange), row).expect("rows")
}

/// Opens what is left of the known journal; the rows that came back, and how the journal fares.
fn reopen(folder: &Path) -> (BTreeSet<String>, Condition, Restored) {
    let (journal, restored) = Journal::open(&settings(folder), at(1000)).expect("it opens, whatever it is");
    let condition = journal.condition().borrow().clone();
    block(async {
        journal.commit(Batch::default()).await.expect("it is written");
        let end = journal.ended();
        drop(journal);
        end.await;
    });
    // The run that was just begun is new.
    let new = format!("Integer({})", at(1000).as_millisecond());
    let rows = rows_of(folder).into_iter().filter(|row| !row.starts_with("run ") || !row.contains(&new));
    (rows.collect(), condition, restored)
}

fn put(bytes: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("journal.sqlite3"), bytes).expect("it is written");
    folder
}

fn set_aside(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let is_file = |name: &str| name.contains(".damaged-") && !name.ends_with("-wal") && !name.ends_with("-shm");
    let mut found: Vec<_> = entries.filter(|path| is_file(&path.to_string_lossy())).collect();
    found.sort();
    found
}

/// Where the words of a row that was changed by hand are not the row's any more.
fn invented(rows: &BTreeSet<String>) -> Vec<&String> {
    rows.difference(&KNOWN.1).collect()
}

#[derive(Debug, Clone)]
enum Harm {
    /// Bytes from a place on are changed.
    Flip(usize, Vec<u8>),
    /// Bytes from a place on are zeros.
    Zeros(usize, usize),
    Cut(usize),
}

fn harm() -> impl Strategy<Value = Harm> {
    let length = KNOWN.0.len();
    // Half of what is done is done to the first pages, which lead to all others.
    let place = || prop_oneof![0..length, 0..8192usize];
    prop_oneof![
        (place(), prop::collection::vec(1..=255u8, 64)).prop_map(|(at, bits)| Harm::Flip(at, bits)),
        (place(), prop::collection::vec(1..=255u8, 1..4)).prop_map(|(at, bits)| Harm::Flip(at, bits)),
        (place(), 1..9000usize).prop_map(|(at, count)| Harm::Zeros(at, count)),
        (0..length).prop_map(Harm::Cut),
    ]
}

fn harmed(harms: &[Harm]) -> Vec<u8> {
    let mut bytes = KNOWN.0.clone();
    for harm in harms {
        match harm {
            Harm::Flip(at, bits) => {
                bytes.iter_mut().skip(*at).zip(bits).for_each(|(byte, bits)| *byte ^= bits);
            }
            Harm::Zeros(at, count) => bytes.iter_mut().skip(*at).take(*count).for_each(|byte| *byte = 0),
            Harm::Cut(length) => bytes.truncate(*length),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_damaged_a_journal_opens_and_invents_nothing(harms in prop::collection::vec(harm(), 1..4)) {
        let bytes = harmed(&harms);
        // A format that is a little newer is believed where nothing else is wrong: this one byte is no damage to us.
        let newer = schema::LATEST + 1..=schema::LATEST + 100;
        prop_assume!(bytes.len() < 64 || bytes[60..63] != [0; 3] || !newer.contains(&i64::from(bytes[63])));
        let folder = put(&bytes);
        let (rows, condition, _) = reopen(folder.path());
        prop_assert_eq!(invented(&rows), Vec::<&String>::new());
        prop_assert_eq!(condition.impaired, None);
        if let [aside] = &set_aside(folder.path())[..] {
            prop_assert_eq!(&fs::read(aside).expect("it is there"), &bytes, "it is set aside as it was");
            prop_assert!(condition.set_aside.expect("it is told").contains(&aside.display().to_string()));
        }
        if let [Harm::Flip(..)] = &harms[..] {
            // 64 bytes lie on at most two pages.
            let least = KNOWN.1.len() * 3 / 4;
            prop_assert!(rows.len() >= least, "{} of {} rows came back", rows.len(), KNOWN.1.len());
        }
    }
}

#[test]
fn what_is_whole_comes_back_without_the_page_that_leads_to_it() {
    let folder = put(&harmed(&[Harm::Zeros(0, 4096)]));
    let (rows, condition, restored) = reopen(folder.path());
    assert_eq!(invented(&rows), Vec::<&String>::new());
    assert_eq!((rows.len(), condition.rows_skipped), (KNOWN.1.len(), 0));
    assert_eq!(restored.last_number, 40);
    assert_eq!((restored.cameras.len(), restored.sites.len(), restored.incidents.len()), (40, 40, 40));
}

#[test]
fn a_wrong_letter_in_the_description_of_a_table_costs_no_row() {
    let declares = |text: &[u8]| text.starts_with(b"body ") && text[4..].trim_ascii_start().starts_with(b"TEXT");
    let places = KNOWN.0.windows(12).enumerate().filter(|(_, text)| declares(text));
    let columns: Vec<usize> = places.map(|(at, _)| at).collect();
    assert!(columns.len() >= 4, "{columns:?}");
    let mut found = 0;
    for at in columns {
        // `$ody` is no less a name than `body`.
        let folder = put(&harmed(&[Harm::Flip(at, vec![b'b' ^ b'$'])]));
        let (rows, condition, _) = reopen(folder.path());
        // Some places are left from descriptions of before, which nobody reads.
        found += usize::from(condition.set_aside.is_some());
        assert_eq!((rows.len(), condition.rows_skipped), (KNOWN.1.len(), 0));
    }
    assert!(found >= 4, "{found}");
}

#[test]
fn incidents_are_not_numbered_alike_when_their_rows_are_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path());
    let connection = Connection::open(folder.path().join("journal.sqlite3")).expect("a database");
    connection.execute("DELETE FROM incident WHERE number > 3", []).expect("it is written");
    connection.execute("UPDATE incident SET number = 1000000 WHERE number = 2", []).expect("it is written");
    drop(connection);
    let (_, condition, restored) = reopen(folder.path());
    assert_eq!((restored.last_number, condition.set_aside), (40, None), "what was told names the number");
}

#[test]
fn what_is_no_journal_is_set_aside_whole_and_a_new_one_begins() {
    for bytes in [vec![0; 40_000], b"xin chao ".repeat(1000), KNOWN.0[..50].to_vec()] {
        let folder = put(&bytes);
        let (rows, condition, restored) = reopen(folder.path());
        assert_eq!((rows.len(), restored), (0, Restored::default()));
        let aside = set_aside(folder.path());
        assert_eq!(fs::read(&aside[0]).expect("it is there"), bytes);
        let name = aside[0].file_name().expect("a name").to_string_lossy().into_owned();
        assert!(name.starts_with("journal.sqlite3.damaged-2026"), "{name}");
        assert!(condition.set_aside.expect("it is told").contains(&name));
    }
}

#[test]
fn three_damaged_files_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    for number in 0..5 {
        fs::write(folder.path().join("journal.sqlite3"), format!("number {number}")).expect("it is written");
        drop(Journal::open(&settings(folder.path()), at(number)).expect("it opens"));
    }
    let kept: Vec<_> = set_aside(folder.path()).iter().map(|path| fs::read_to_string(path).expect("text")).collect();
    assert_eq!(kept, ["number 2", "number 3", "number 4"]);
}

#[test]
fn a_wrong_row_in_a_sound_file_costs_only_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path());
    let connection = Connection::open(folder.path().join("journal.sqlite3")).expect("a database");
    for sql in [
        "UPDATE transition SET decided = 'noon' WHERE id = 400",
        "UPDATE transition SET detail = x'ff' WHERE id = 399",
        "UPDATE transition SET camera = 'cam-000' WHERE id = 398",
        "UPDATE memory SET body = 7 WHERE camera = 'cam-1'",
        "UPDATE proof SET at = 1 WHERE camera = 'cam-1'",
        "UPDATE site SET since = 'noon' WHERE site = 'site-1'",
        "UPDATE incident SET body = 'text' WHERE number = 1",
        "UPDATE notice SET body = 'text' WHERE key = (SELECT notice FROM outbox WHERE id = 2)",
        "UPDATE outbox SET recipient = x'ff' WHERE id = 1",
        "UPDATE run SET last_alive = 'noon'",
    ] {
        assert!(connection.execute(sql, []).expect("it is written") > 0, "{sql}");
    }
    drop(connection);
    let (journal, restored) = Journal::open(&settings(folder.path()), at(1000)).expect("it opens");
    let condition = journal.condition().borrow().clone();
    assert_eq!((condition.impaired, condition.set_aside), (None, None));
    assert!(condition.rows_skipped >= 7, "{}", condition.rows_skipped);
    let counts = [restored.cameras.len(), restored.memories.len(), restored.sites.len(), restored.incidents.len()];
    assert_eq!(counts, [37, 39, 39, 39]);
    block(async {
        // Both damaged deliveries of the channel are given up, one after the other, and hold up nobody.
        let mut told = due(&journal, 1000).await;
        for _ in 0..3 {
            if told.is_empty() {
                told = due(&journal, 1000).await;
            }
        }
        assert_eq!(told.len(), 1);
        let known = journal.history(at(0), at(2000)).await.expect("history");
        assert_eq!(known.transitions.len(), 397);
        // What was wrong is written over by what is right.
        let proofs = [("cam-1".into(), at(1001))].into();
        journal.commit(Batch { proofs, ..Batch::default() }).await.expect("it is written");
    });
}

/// Flips pages of the file below a journal that is open.
fn harm_below(journal: &Journal, folder: &Path) {
    block(journal.with(|store| {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA shrink_memory";
        Ok(store.connection().file().expect("a file").execute_batch(sql)?)
    }))
    .expect("nothing is left in memory");
    let file = fs::File::options().write(true).open(folder.join("journal.sqlite3")).expect("a journal");
    let pages = file.metadata().expect("a size").len() / 4096;
    for page in 1..pages {
        // The heads of all pages but the first.
        file.write_all_at(&[0xee; 8], page * 4096).expect("it is written");
    }
}

#[test]
fn damage_that_comes_while_it_runs_is_mended_and_the_batch_in_hand_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path());
    let (journal, _) = Journal::open(&settings(folder.path()), at(1000)).expect("it opens");
    let key = block(journal.signing_key()).expect("a key");
    let mut condition = journal.condition();
    condition.mark_unchanged();
    harm_below(&journal, folder.path());
    block(async {
        journal.commit(Batch { transitions: vec![transition(500)], ..Batch::default() }).await.expect("it is written");
        assert!(condition.has_changed().expect("it lives") && condition.borrow().set_aside.is_some());
        journal.keep(at(1060), Settings::default()).await.expect("the run goes on");
        let known = journal.history(at(0), at(2000)).await.expect("history");
        assert_eq!(known.transitions.last(), Some(&transition(500)));
        assert_eq!(known.runs.last(), Some(&crate::model::Run { from: at(1000), until: at(1060) }));
        let end = journal.ended();
        drop((journal, condition));
        end.await;
    });
    let (journal, restored) = Journal::open(&settings(folder.path()), at(2000)).expect("it opens");
    assert!(restored.cameras.contains(&transition(500)));
    let same = block(journal.signing_key()).expect("a key");
    assert_eq!(same.expose_secret(), key.expose_secret(), "links of that run stay good");
}

#[test]
fn damage_that_a_report_meets_is_mended() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path());
    let (journal, _) = Journal::open(&settings(folder.path()), at(1000)).expect("it opens");
    harm_below(&journal, folder.path());
    block(async {
        journal.history(at(0), at(2000)).await.expect("what is left");
        assert!(journal.condition().borrow().set_aside.is_some());
        assert!(journal.heads(at(1000)).await.is_ok());
    });
}

#[test]
fn what_was_committed_and_lies_in_the_wal_is_salvaged() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path());
    let (journal, _) = Journal::open(&settings(folder.path()), at(1000)).expect("it opens");
    block(journal.commit(Batch { transitions: vec![transition(500)], ..Batch::default() })).expect("it is written");
    // As after a power cut.
    let copy = tempfile::tempdir().expect("a folder");
    for suffix in ["", "-wal"] {
        let name = format!("journal.sqlite3{suffix}");
        fs::copy(folder.path().join(&name), copy.path().join(&name)).expect("a copy");
    }
    let file = fs::File::options().write(true).open(copy.path().join("journal.sqlite3")).expect("a journal");
    file.write_all_at(&[0xee; 100], 0).expect("it is written");
    let (_, condition, restored) = reopen(copy.path());
    assert!(condition.set_aside.is_some());
    assert!(restored.cameras.contains(&transition(500)));
    assert!(open::has_wal(&set_aside(copy.path())[0]), "the file and its WAL");
}

#[test]
fn a_damaged_journal_of_an_earlier_format_is_read_as_far_as_it_leads() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite3");
    let old = Connection::open(&path).expect("a file");
    for (version, step) in (1..).zip([
        include_str!("schema/1.sql"),
        include_str!("schema/2.sql"),
        include_str!("schema/3.sql"),
        include_str!("schema/4.sql"),
    ]) {
        old.execute_batch(step).expect("a format");
        old.pragma_update(None, "user_version", version).expect("a format");
    }
    old.execute("INSERT INTO secret VALUES ('signing_key', x'0102')", []).expect("a key");
    let sql = "INSERT INTO transition (camera, from_state, to_state, detail, since, decided)
               VALUES (?1, 'up', 'down', '', 1, 1)";
    for camera in 0..1000 {
        old.execute(sql, [format!("cam-{camera}")]).expect("a transition");
    }
    drop(old);
    let file = fs::File::options().write(true).open(&path).expect("a journal");
    let last = file.metadata().expect("a size").len() / 4096 - 1;
    file.write_all_at(&[0xee; 100], last * 4096).expect("it is written");
    let (journal, restored) = Journal::open(&settings(folder.path()), at(0)).expect("it opens");
    assert!(journal.condition().borrow().set_aside.is_some());
    assert!(restored.cameras.len() > 100, "{}", restored.cameras.len());
    assert_eq!(block(journal.signing_key()).expect("a key").expose_secret(), [1, 2]);
}

#[test]
fn nobody_waits_for_a_thread_that_salvages_for_ever() {
    // A disk that damages what is written at once: the second time within a minute is an error, not another salvage.
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path());
    let (journal, _) = Journal::open(&settings(folder.path()), at(1000)).expect("it opens");
    let (told, outcomes) = mpsc::channel();
    for _ in 0..2 {
        harm_below(&journal, folder.path());
        let batch = Batch { transitions: vec![transition(500)], ..Batch::default() };
        told.send(block(journal.commit(batch)).map_err(|error| error.to_string())).expect("it is heard");
    }
    drop(told);
    let outcomes: Vec<_> = outcomes.iter().collect();
    assert_eq!(outcomes[0], Ok(()));
    let refused = outcomes[1].as_ref().expect_err("it is refused");
    assert!(refused.contains("damaged again within a minute"), "{refused}");
    assert_eq!(journal.condition().borrow().impaired.as_ref(), Some(refused));
    assert_eq!(set_aside(folder.path()).len(), 1);
}
