//! A backup is one moment of the journal, whole or not there; what is restored is it or what was there before.

use super::{
    tests::{at, block, closed, transition},
    *,
};
use crate::{
    model::{Level, State},
    rights::Deed,
};
use rusqlite::Connection as Raw;
use std::{
    fs,
    os::unix::fs::{FileExt, PermissionsExt},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
};

/// A folder with a journal of so many batches in it.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new(batches: i64) -> Self {
        let world = Self { folder: tempfile::tempdir().expect("a folder") };
        let journal = world.open().0;
        block(async {
            for number in 1..=batches {
                journal.commit(batch(number)).await.expect("it is written");
            }
            closed(journal).await;
        });
        world
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("journal.sqlite3")
    }

    fn open(&self) -> (Journal, Restored) {
        let settings = Settings { path: Some(self.path()), ..Settings::default() };
        Journal::open(&settings, at(0)).expect("a journal")
    }

    fn backup(&self) -> PathBuf {
        backup(&self.path(), None, at(0), &mut |_| {}).expect("a backup").path
    }

    fn restore(&self, file: &Path) -> Result<Replaced, Error> {
        restore(file, &self.path(), false, at(50), &mut |_| {})
    }

    /// All files but locks, with what is in them.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.folder.path()).expect("a folder").map(|entry| entry.expect("an entry"));
        let files = entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
        let files = files.filter(|(name, _)| !name.ends_with(".lock"));
        files.map(|(name, path)| (name, fs::read(path).expect("it is read"))).collect()
    }
}

/// A change of a camera and one of a site, which belong together.
fn batch(number: i64) -> Batch {
    let level = if number % 2 == 0 { Level::Reduced } else { Level::Full };
    let site = SiteRecord { site: "cho".into(), level, since: at(number), alert: None, ended: Vec::new() };
    Batch { transitions: vec![transition("a", State::Down, number)], sites: vec![site], ..Batch::default() }
}

/// How many batches a journal holds; each whole, and none left out before it.
fn batches(path: &Path) -> i64 {
    let connection = open::any(path).expect("it is read");
    let sql = "SELECT (SELECT group_concat(id) FROM transition ORDER BY id),
                      (SELECT group_concat(id) FROM level_change ORDER BY id),
                      (SELECT count(*) FROM transition)";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (cameras, sites, count): (Option<String>, Option<String>, i64) =
        connection.query_row(sql, [], read).expect("rows");
    assert_eq!(cameras, sites, "a batch is there whole or not at all");
    let all: Vec<String> = (1..=count).map(|number| number.to_string()).collect();
    assert_eq!(cameras.unwrap_or_default(), all.join(","));
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_backup_is_one_moment_of_a_journal_that_is_written_all_the_while() {
    let world = World { folder: tempfile::tempdir().expect("a folder") };
    let (journal, _) = world.open();
    // Some megabytes: a backup takes many steps, with pauses between them.
    let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1500)
               INSERT INTO observation (camera, started, failed, body, sum)
               SELECT 'a', 1790000000000, 0, printf('%.*c', 4000, 'x'), 0 FROM n";
    let sums = "UPDATE observation SET sum = row_sum('observation', id, camera, started, failed, body)";
    let fill = move |store: &mut Store| {
        Ok(store.connection().file().expect("a file").execute_batch(&format!("{sql}; {sums}"))?)
    };
    journal.with(fill).await.expect("it is written");
    let done = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (journal, done) = (journal.clone(), done.clone());
        async move {
            let mut number = 0;
            while !done.load(Ordering::Relaxed) {
                number += 1;
                journal.commit(batch(number)).await.expect("a backup holds up no write");
            }
            number
        }
    });
    let (mut held, mut steps) = (Vec::new(), 0);
    for second in 0..6 {
        let path = world.path();
        let made = tokio::task::spawn_blocking(move || {
            let mut steps = 0;
            let made = backup(&path, None, at(second), &mut |step| {
                steps += usize::from(matches!(step, Progress::Copied { .. }));
            });
            (made.expect("a backup"), steps)
        });
        let (made, of_it) = made.await.expect("no panic");
        assert!(made.inspection.is_sound(), "{:?}", made.inspection);
        steps += of_it;
        held.push(batches(&made.path));
    }
    done.store(true, Ordering::Relaxed);
    let written = writer.await.expect("no panic");
    closed(journal).await;
    assert!(steps >= 30, "{steps} steps: nothing could come between them");
    assert!(held.is_sorted() && held[0] < held[5] && held[5] <= written, "{held:?} of {written}");
    assert_eq!(batches(&world.path()), written);
    assert!(world.files().keys().all(|name| !name.ends_with(".part")), "{:?}", world.files().keys());
}

#[test]
fn a_backup_that_is_cut_off_has_no_name_and_the_next_one_goes_through() {
    let world = World::new(20);
    let mut moments = 0;
    for cut in 1.. {
        moments = 0;
        let whole = catch_unwind(AssertUnwindSafe(|| {
            backup(&world.path(), None, at(cut), &mut |_| {
                moments += 1;
                if moments == cut {
                    // As kill -9: nobody tidies up.
                    resume_unwind(Box::new("cut off"));
                }
            })
        }));
        let backups = || world.files().into_keys().filter(|name| name.contains(".backup-")).collect::<Vec<_>>();
        match whole {
            Ok(made) => {
                let made = made.expect("what was left of those before is no hindrance");
                assert_eq!(batches(&made.path), 20);
                assert_eq!(fs::metadata(&made.path).expect("it is there").permissions().mode() & 0o777, 0o600);
                assert_eq!(backups().len(), 1);
                assert!(world.files().keys().all(|name| !name.ends_with(".part")), "nothing is left");
                break;
            }
            Err(_) => assert_eq!(backups(), Vec::<String>::new()),
        }
    }
    assert!(moments >= 2, "{moments}");
}

#[test]
fn a_backup_overwrites_nothing_and_goes_where_it_is_asked_to() {
    let world = World::new(3);
    let to = |path: PathBuf| backup(&world.path(), Some(&path), at(0), &mut |_| {});
    let folder = world.folder.path();
    let other = tempfile::tempdir().expect("a folder");
    let made = to(other.path().to_owned()).expect("a folder is good");
    assert_eq!(made.path, other.path().join("journal.sqlite3.backup-20260921T141320Z"));
    assert_eq!(to(folder.join("mine")).expect("so is a name").path, folder.join("mine"));
    let before = world.files();
    for (path, why) in [
        (folder.join("mine"), "not overwritten"),
        (world.path(), "not overwritten"),
        (other.path().to_owned(), "not overwritten"),
        (folder.join("nowhere/mine"), "no such folder"),
        (folder.join("nowhere/"), "no such folder"),
        (folder.join("journal.sqlite3-wal"), "belongs to the journal"),
        (folder.join("../").join(folder.file_name().expect("a name")).join("journal.sqlite3.new"), "belongs to"),
    ] {
        let error = to(path.clone()).expect_err("it is refused").to_string();
        let named = error.contains(&path.display().to_string()) || why != "not overwritten" || path == other.path();
        assert!(error.contains(why) && named, "{error}");
    }
    assert_eq!(world.files(), before);
    let mut second = None;
    let first = backup(&world.path(), None, at(1), &mut |_| {
        second.get_or_insert_with(|| backup(&world.path(), None, at(2), &mut |_| {}));
    });
    let refused = second.expect("it was tried").expect_err("one at a time").to_string();
    assert!(refused.contains(".backup.part: another backup is writing it"), "{refused}");
    assert_eq!(batches(&first.expect("it is not disturbed").path), 3);
    let error = backup(&folder.join("none.sqlite3"), None, at(0), &mut |_| {}).expect_err("no journal").to_string();
    assert!(error.contains("none.sqlite3: No such file"), "{error}");
}

/// What lies in the journal's place before a restore.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Before {
    Whole,
    /// A daemon was killed, and what it wrote last lies in the WAL.
    Killed,
    Newer,
    /// So it cannot be read, and its WAL cannot go into it.
    Ruined,
    /// Only a WAL is left, which must not go into the backup.
    WalAlone,
    Nothing,
}

#[test]
fn a_restore_that_is_cut_off_leaves_the_journal_of_before_or_the_backup() {
    for before in [Before::Whole, Before::Killed, Before::Newer, Before::Ruined, Before::WalAlone, Before::Nothing] {
        let world = World::new(10);
        let file = world.backup();
        {
            let (journal, _) = world.open();
            block(async {
                for number in 11..=30 {
                    journal.commit(batch(number)).await.expect("it is written");
                }
            });
            if before != Before::Whole {
                let wal = fs::read(place::beside(&world.path(), "-wal")).expect("a WAL");
                let main = fs::read(world.path()).expect("a journal");
                block(closed(journal));
                fs::write(place::beside(&world.path(), "-wal"), wal).expect("it is written");
                fs::write(world.path(), main).expect("it is written");
            }
        }
        match before {
            Before::Whole | Before::Killed => {}
            Before::Newer => {
                let connection = Raw::open(world.path()).expect("a file");
                connection.pragma_update(None, "user_version", schema::LATEST + 1).expect("a format");
            }
            Before::Ruined => fs::write(world.path(), "xin chao".repeat(1000)).expect("it is written"),
            Before::WalAlone => fs::remove_file(world.path()).expect("it is there"),
            Before::Nothing => ["", "-wal"].iter().for_each(|suffix| {
                fs::remove_file(place::beside(&world.path(), suffix)).expect("it is there");
            }),
        }
        let present = fs::read(world.path()).unwrap_or_default();
        let mut disks: Vec<(Progress, BTreeMap<String, Vec<u8>>)> = Vec::new();
        let keep = &mut |step: Progress| disks.push((step, world.files()));
        let done = restore(&file, &world.path(), false, at(50), keep).expect("it is restored");
        assert_eq!(batches(&world.path()), 10, "{before:?}");
        let aside = done.aside.as_deref();
        assert_eq!(aside.is_some(), before != Before::Nothing, "{before:?}");
        match before {
            Before::Whole | Before::Killed => assert_eq!(batches(aside.expect("it is set aside")), 30),
            Before::Ruined => assert_eq!(fs::read(aside.expect("it is set aside")).expect("it is read"), present),
            _ => {}
        }
        assert!(disks.iter().any(|(step, _)| *step == Progress::InPlace));
        for (step, disk) in disks {
            let after = World { folder: tempfile::tempdir().expect("a folder") };
            for (name, bytes) in &disk {
                fs::write(after.folder.path().join(name), bytes).expect("it is written");
            }
            if before == Before::Newer && step != Progress::InPlace {
                assert_eq!(disk["journal.sqlite3"], present);
                continue;
            }
            let (journal, _) = after.open();
            block(closed(journal));
            let holds = batches(&after.path());
            let right = match before {
                _ if step == Progress::InPlace => holds == 10,
                Before::Whole | Before::Killed => holds == 30,
                // All that was readable lay in the WAL.
                Before::Ruined | Before::WalAlone => holds <= 30,
                Before::Nothing | Before::Newer => holds == 0,
            };
            assert!(right, "{before:?} at {step:?}: {holds}");
        }
    }
}

#[test]
fn a_file_that_cannot_be_a_journal_is_refused_and_nothing_is_touched() {
    let world = World::new(10);
    let sound = world.backup();
    let bytes = fs::read(&sound).expect("a backup");
    let other = tempfile::tempdir().expect("a folder");
    let file = |name: &str, change: &dyn Fn(&Path)| {
        let path = other.path().join(name);
        fs::write(&path, &bytes).expect("it is written");
        change(&path);
        path
    };
    let sql = |sql: &'static str| {
        move |path: &Path| {
            let connection = Raw::open(path).expect("a file");
            table::register(&connection).expect("a function");
            connection.execute_batch(sql).expect(sql);
        }
    };
    let cut = |path: &Path| fs::write(path, &bytes[..bytes.len() - 9000]).expect("it is written");
    let flip = |path: &Path| {
        let file = fs::File::options().write(true).open(path).expect("a file");
        file.write_all_at(&[0xee; 30], 3 * 4096).expect("it is written");
    };
    let refused = [
        (file("text", &|path| fs::write(path, "xin chao".repeat(1000)).expect("it is written")), "it is no journal"),
        (file("empty", &|path| fs::write(path, "").expect("it is written")), "it is no journal"),
        (file("cut", &cut), "damaged"),
        (file("flipped", &flip), "damaged"),
        (file("newer", &sql("PRAGMA user_version = 99")), "it has format 99, this program knows up to"),
        (file("other", &sql("DROP TABLE outbox")), "description of outbox"),
        (file("row", &sql("UPDATE transition SET camera = 'b' WHERE id = 3")), "1 of its rows are damaged"),
        (world.path(), "it is the journal itself"),
        (other.path().join("none"), "No such file"),
        (other.path().to_owned(), "it is no file"),
    ];
    let before = world.files();
    for (path, why) in &refused {
        let error = world.restore(path).expect_err("it is refused").to_string();
        let named = error.starts_with(&format!("{}: ", path.display()));
        assert!(error.contains(why) && named, "{}: {error}", path.display());
        assert_eq!(world.files(), before, "{}", path.display());
    }
    let (row, _) = &refused[6];
    restore(row, &world.path(), true, at(50), &mut |_| {}).expect("it is meant");
    assert_eq!(world.open().1.cameras.len(), 1);
    let (journal, _) = world.open();
    let error = world.restore(&sound).expect_err("a daemon runs").to_string();
    assert!(error.contains("is used by another camhealth") && error.contains("stop that one"), "{error}");
    drop(journal);
}

#[test]
fn journals_of_all_formats_are_copied_restored_and_brought_up() {
    let steps = schema::STEPS;
    assert_eq!(steps.len() as i64, schema::LATEST);
    for format in 1..=steps.len() {
        let world = World { folder: tempfile::tempdir().expect("a folder") };
        let connection = Raw::open(world.path()).expect("a file");
        table::register(&connection).expect("a function");
        connection.execute_batch(steps[0]).expect("a format");
        let row = "INSERT INTO transition (camera, from_state, to_state, detail, since, decided)
                   VALUES ('a', 'up', 'down', '', 1790000000000, 1790000000000)";
        connection.execute(row, []).expect("a row");
        for step in &steps[1..format] {
            connection.execute_batch(step).expect("a format");
        }
        connection.pragma_update(None, "user_version", format as i64).expect("a format");
        drop(connection);
        let made = backup(&world.path(), None, at(0), &mut |_| {}).expect("a backup");
        let found = &made.inspection;
        assert_eq!((found.format, found.rows(), found.first), (format as i64, 1, Some(at(0))));
        assert!(found.is_sound(), "{found:?}");
        fs::remove_file(world.path()).expect("it is there");
        world.restore(&made.path).expect("it is restored");
        assert_eq!(world.open().1.cameras.len(), 1, "format {format}");
    }
}

#[test]
fn a_look_over_counts_what_is_damaged_and_where() {
    let world = World::new(10);
    let (journal, _) = world.open();
    let mut chain = crate::rights::Chain::default();
    let deed =
        |second: i64| Deed { who: "an".into(), action: "silence", subject: second.to_string(), ..Deed::default() };
    let audit: Vec<_> = (0..1500).map(|second| chain.add(at(second), deed(second))).collect();
    block(journal.commit(Batch { audit, ..Batch::default() })).expect("it is written");
    let found = check(&world.path(), &mut |_| {}).expect("beside a daemon that runs");
    assert!(found.is_sound(), "{found:?}");
    let count = |found: &Inspection, name: &str| {
        let count = found.tables.iter().find(|count| count.table == name).expect("it is counted").clone();
        (count.rows, count.damaged)
    };
    assert_eq!((count(&found, "transition"), count(&found, "audit")), ((10, Some(0)), (1500, Some(0))));
    assert_eq!((found.first, found.last), (Some(at(0)), Some(at(1499))));
    block(closed(journal));

    let change = |sql: &str| {
        let connection = Raw::open(world.path()).expect("a file");
        table::register(&connection).expect("a function");
        assert_eq!(connection.execute(sql, []).expect(sql), 1);
        check(&world.path(), &mut |_| {}).expect("it is looked over")
    };
    let found = change("UPDATE transition SET decided = 7 WHERE id = 3");
    assert_eq!((count(&found, "transition"), found.first), ((10, Some(1)), Some(at(0))), "a damaged time is no time");
    assert!(!found.is_sound() && found.faults.is_empty());
    let found = change("DELETE FROM audit WHERE id = 1200");
    assert_eq!(found.trail, Some(crate::rights::Break::Gap(1201)));

    let file = fs::File::options().write(true).open(world.path()).expect("a journal");
    let pages = file.metadata().expect("a size").len() / 4096;
    file.write_all_at(&[0xee; 8], (pages - 1) * 4096).expect("it is written");
    let found = check(&world.path(), &mut |_| {}).expect("what can be read is counted");
    assert!(!found.faults.is_empty() && !found.is_sound(), "{found:?}");
    for (path, why) in
        [(world.folder.path().join("none"), "No such file"), (world.folder.path().to_owned(), "it is no file")]
    {
        let error = check(&path, &mut |_| {}).expect_err("nothing is there").to_string();
        assert!(error.starts_with(&path.display().to_string()) && error.contains(why), "{error}");
    }
}

#[test]
fn what_is_old_is_forgotten_and_its_room_given_back() {
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    let world = World::new(2);
    let (journal, _) = world.open();
    let transitions = (3..=3000).map(|second| transition("a", State::Down, second)).collect();
    block(async {
        journal.commit(Batch { transitions, ..Batch::default() }).await.expect("it is written");
        closed(journal).await;
    });
    let settings = Settings { path: Some(world.path()), ..Settings::default() };
    let later = |days: u32| crate::model::later(at(0), days * day);
    let prune_at = |days, vacuum| prune(&settings, vacuum, later(days), &mut || {});
    let none = prune_at(1, false).expect("nothing is old");
    assert_eq!(none.rows, []);
    let some = prune_at(900, false).expect("it is old");
    // The last one of each thing says what held since.
    assert_eq!(some.rows, [("run", 1), ("level_change", 1), ("transition", 2999)]);
    let all = prune_at(900, true).expect("nothing is left");
    assert!(all.rows.is_empty() && all.unused == 0, "{all:?}");
    assert!(all.after < none.after / 2 && all.after == fs::metadata(world.path()).expect("it is there").len());
    assert!(check(&world.path(), &mut |_| {}).expect("it is looked over").is_sound());
    let (journal, restored) = world.open();
    assert_eq!((restored.cameras.len(), restored.sites.len()), (1, 1));
    let error = prune_at(900, false).expect_err("a daemon runs").to_string();
    assert!(error.contains("stop that one"), "{error}");
    block(closed(journal));
    let connection = Raw::open(world.path()).expect("a file");
    connection.pragma_update(None, "user_version", 1).expect("a format");
    drop(connection);
    let error = prune_at(900, false).expect_err("it is older").to_string();
    assert!(error.contains("start camhealth run once"), "{error}");
}
