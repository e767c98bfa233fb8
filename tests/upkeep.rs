//! The journal's upkeep by the real program: a backup beside a running daemon, a restore, a look over, forgetting.

use crate::{
    daemon::World,
    support::{camhealth, eventually},
};
use std::{fs, os::unix::fs::FileExt, path::Path, process::Output};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a command on the world's configuration; its exit code, and all that it printed.
fn run(world: &World, arguments: &[&str]) -> (i32, String) {
    let config = world.config();
    let config = ["--config", config.to_str().expect("a path of letters")];
    told(&camhealth(&[arguments, &config].concat(), &[]))
}

fn told(output: &Output) -> (i32, String) {
    (output.status.code().expect("an exit code"), text(&output.stdout) + &text(&output.stderr))
}

/// What the table of a look over says of some thing.
fn line<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {text}"));
    line[name.len()..].split_whitespace().collect()
}

fn backups(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    names.map(|name| name.to_string_lossy().into_owned()).filter(|name| name.contains(".backup")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_backup_knew_is_known_after_the_journal_is_lost() {
    let world = World::new().await;
    let daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    world.break_camera(1).await;
    world.metric("camhealth_incidents_open{cause=\"site\"}", 1.0).await;
    world.receiver.message(2).await;

    let folder = world.folder.path();
    let journal = folder.join("journal.sqlite3");
    let (code, out) = run(&world, &["backup"]);
    assert_eq!(code, 0, "{out}");
    let [name] = &backups(folder)[..] else { panic!("one file, whole: {:?}", backups(folder)) };
    let backup = folder.join(name);
    let backup = backup.to_str().expect("a path of letters");
    assert_eq!(line(&out, "file"), [backup]);
    assert!(line(&out, "rows")[0].parse::<u64>().expect("a number") > 5 && line(&out, "took")[1] == "s", "{out}");
    let (code, out) = run(&world, &["backup", "--to", backup]);
    assert!(code == 3 && out.contains(backup) && out.contains("not overwritten"), "{out}");

    let (code, out) = run(&world, &["journal", "check"]);
    assert_eq!((code, line(&out, "structure"), line(&out, "audit trail")), (0, vec!["sound"], vec!["whole"]), "{out}");
    let (code, out) = run(&world, &["restore", backup]);
    assert!(code == 3 && out.contains(&format!("(process {})", daemon.id())) && out.contains("stop that one"), "{out}");
    let (code, out) = run(&world, &["journal", "prune"]);
    assert!(code == 3 && out.contains("stop that one"), "{out}");

    // kill -9, and a disk that has lost the journal's beginning.
    drop(daemon);
    let harmed = fs::File::options().write(true).open(&journal).expect("a journal");
    harmed.set_len(5000).expect("it is cut");
    harmed.write_all_at(&[0xee; 5000], 0).expect("it is written");
    let (code, out) = run(&world, &["journal", "check"]);
    assert!(code == 3 && out.contains("journal.sqlite3") && out.contains("damaged"), "{out}");
    let (code, out) = run(&world, &["restore", backup]);
    assert_eq!(code, 0, "{out}");
    let aside = line(&out, "set aside").join(" ");
    assert!(aside.contains("journal.sqlite3.replaced-"), "{out}");
    assert_eq!(fs::read(&aside).expect("it is set aside")[..5000], [0xee; 5000]);

    let _daemon = world.start();
    world.metric("camhealth_camera_state{camera=\"cam-1\",kind=\"public\",state=\"down\"}", 1.0).await;
    world.metric("camhealth_incidents_open{cause=\"site\"}", 1.0).await;
    let (code, out) = run(&world, &["journal", "check"]);
    let transitions: u64 = line(&out, "transition")[0].parse().expect("a number");
    assert!(code == 0 && transitions >= 3, "up, up, down: {out}");
    world.mend_camera(1).await;
    let clear = eventually("the all-clear", async || {
        world.receiver.taken().into_iter().find(|body| body["reason"] == "coverage_restored")
    });
    let clear = clear.await;
    let lost = world.receiver.taken().into_iter().find(|body| body["reason"] == "coverage_lost").expect("it was told");
    assert_eq!(clear["incident"], lost["incident"], "it is the same incident");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_byte_is_found_and_what_is_old_is_forgotten() {
    let world = World::new().await;
    let daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    world.break_camera(1).await;
    world.receiver.message(2).await;
    drop(daemon);
    let (code, out) = run(&world, &["journal", "prune", "--history", "30d"]);
    assert!(code == 2 && out.contains("--history: reports list thirteen months, so keep 400d or more"), "{out}");
    let (code, out) = run(&world, &["journal", "prune", "--transcripts", "0s", "--vacuum"]);
    assert_eq!(code, 0, "{out}");
    let forgotten = line(&out, "observation");
    assert!(forgotten[1..] == ["rows", "forgotten"] && forgotten[0] != "0", "{out}");

    // A letter in the words of a row: its tree is as good as before.
    let journal = world.folder.path().join("journal.sqlite3");
    let bytes = fs::read(&journal).expect("a journal");
    let known = rusqlite::Connection::open(&journal).expect("it opens");
    let body: String = known.query_row("SELECT body FROM notice", [], |row| row.get(0)).expect("a notice");
    drop(known);
    let places: Vec<usize> =
        bytes.windows(60).enumerate().filter(|(_, part)| *part == &body.as_bytes()[..60]).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "the row stands in the file");
    let file = fs::File::options().write(true).open(&journal).expect("a journal");
    places.iter().for_each(|at| file.write_all_at(b"x", *at as u64 + 30).expect("it is written"));
    let (code, out) = run(&world, &["journal", "check"]);
    assert_eq!((code, line(&out, "structure")), (3, vec!["sound"]), "{out}");
    assert_eq!(line(&out, "notice")[1], "1", "{out}");
    assert!(!out.contains("canary"), "{out}");
    // The copy is as the journal is, and says so; a restore wants to be meant.
    let (code, out) = run(&world, &["backup"]);
    assert!(code == 0 && out.contains("1 of the rows are damaged"), "{out}");
    let name = backups(world.folder.path()).remove(0);
    let backup = world.folder.path().join(name);
    let backup = backup.to_str().expect("a path of letters");
    let (code, out) = told(&camhealth(&["journal", "check", backup], &[]));
    assert_eq!((code, line(&out, "notice")[1]), (3, "1"), "{out}");
    let (code, out) = run(&world, &["restore", backup]);
    assert!(code == 3 && out.contains("--force"), "{out}");
    let (code, out) = run(&world, &["restore", backup, "--force"]);
    assert_eq!(code, 0, "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_left_is_forgotten_to_the_last_byte() {
    let world = World::new().await;
    let daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    world.break_camera(1).await;
    world.metric("camhealth_incidents_open{cause=\"site\"}", 1.0).await;
    world.receiver.message(2).await;
    let (code, out) = run(&world, &["forget", "cam-1"]);
    assert!(code == 2 && out.contains("camhealth forget cam-1 --word \"Camera 1\" --word 127.0.0.1"), "{out}");
    // The owner takes it back: another hangs in its place.
    let text = fs::read_to_string(world.config()).expect("a configuration");
    let text = text.replace("cam-1", "cam-9").replace("\"Camera 1\"", "\"Camera 9\"");
    let owners = world.folder.path().join("owners.toml");
    let both = "[cam-1]\nname = \"Trần Thị Tư\"\nphone = \"0912 345 678\"\n\n[cam-9]\nname = \"Lê Văn Năm\"\n";
    fs::write(&owners, both).expect("a disk");
    fs::write(world.config(), text + "\n[privacy]\nowners = \"owners.toml\"\n").expect("a disk");
    let (code, out) = run(&world, &["check"]);
    assert!(code == 2 && out.contains("can be read by others") && !out.contains("Trần"), "{out}");
    fs::set_permissions(&owners, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is ours");
    let (code, out) = run(&world, &["check"]);
    assert!(
        code == 0 && out.contains("names \"cam-1\", which is no family's camera") && !out.contains("Trần"),
        "{out}"
    );
    let forget = ["forget", "cam-1", "--word", "Camera 1"];
    let (code, out) = run(&world, &forget);
    assert!(code == 3 && out.contains("stop that one"), "{out}");
    drop(daemon);

    let (code, out) = run(&world, &forget);
    assert!(code == 0 && out.contains("no byte of it is left in the journal"), "{out}");
    assert!(line(&out, "transition").contains(&"gone") && line(&out, "observation").contains(&"gone"), "{out}");
    assert!(out.contains("struck out of the owners' file"), "{out}");
    let left = fs::read_to_string(&owners).expect("it is there");
    assert!(left.contains("Lê Văn Năm") && !left.contains("Trần") && !left.contains("0912"), "{left}");
    for entry in fs::read_dir(world.folder.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("it is read");
        let holds = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
        let journal = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("journal"));
        assert!(!journal || !(holds(b"cam-1") || holds(b"Camera 1")), "{}", path.display());
    }
    let (code, out) = run(&world, &["journal", "check"]);
    assert_eq!((code, line(&out, "structure"), line(&out, "audit trail")), (0, vec!["sound"], vec!["whole"]), "{out}");
    let _daemon = world.start();
    world.metric("camhealth_camera_state{camera=\"cam-9\",kind=\"public\",state=\"down\"}", 1.0).await;
}
