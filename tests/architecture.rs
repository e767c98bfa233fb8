//! House rules as tests: who may import whom, a core without the outside world, and files that say what they are.
//!
//! Code is read as tokens (`architecture/code.rs`), so comments and strings say nothing and `super::super::` hides
//! nothing. What only a compiler sees, a clock behind a method or an alias, is clippy's: `clippy.toml` disallows clocks,
//! sockets, files and randomness everywhere, and `src/lib.rs` lets the edges have them.

mod code;

use code::{File, Segments, Sources};
use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};

/// Pure modules: everything that decides.
const CORE: &[&str] = &[
    "model",
    "health",
    "coverage",
    "topology",
    "alert",
    "outbox",
    "placement",
    "call",
    "request",
    "rights",
    "edits",
    "uptime",
    "monitor",
    "inventory",
];
/// Pure files of modules that are not pure as a whole, by how their names begin.
const CORE_FILES: &[&str] =
    &["schedule/bucket", "schedule/cadence", "schedule/gate", "schedule/plan", "schedule/settings"];
/// Thin modules: everything that touches the world, one concern each.
const EDGES: &[&str] = &["probe", "schedule", "journal", "deliver", "metrics", "web", "sim", "dashboards"];
/// What may be imported beyond `model`, by module.
const EXCEPTIONS: &[(&str, &[&str])] = &[
    ("monitor", &["health", "coverage", "topology", "alert"]),
    // Each wish needs a right, and what is done of it stands in the audit trail.
    ("request", &["rights", "edits"]),
    ("edits", &["rights"]),
    ("journal", &["rights", "edits"]),
    // What a call does is decided there; whoever dials is told.
    ("deliver", &["call"]),
    // A site in maintenance is judged as the monitor judges it, and so is a camera of which we heard late.
    ("uptime", &["coverage", "health"]),
    // Settings types, each owned by its module, are filled by the configuration.
    // So are edits, which are laid over the files.
    (
        "config",
        &[
            "health", "topology", "alert", "schedule", "probe", "journal", "deliver", "metrics", "uptime", "web",
            "edits", "province",
        ],
    ),
    // The report's figures are plain data, worked out by pure functions; so are wishes and what became of them.
    ("web", &["uptime", "request", "rights", "edits"]),
    // The only module beside the edges that tells the time.
    ("schedule", &["clock"]),
];
/// What the core must not name: such a path, or one that begins or goes on with it.
const OUTSIDE_WORLD: &[&str] = &[
    "std::fs",
    "std::env",
    "std::io",
    "std::os",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "TimeZone::system",
    // Their order is random: the same events would not give the same effects.
    "HashMap",
    "HashSet",
];
/// Addresses are data; what else is there, sockets, is not.
const ADDRESSES: &[&str] = &["IpAddr", "Ipv4Addr", "Ipv6Addr", "SocketAddr"];
/// The crates that the core may name: data, its forms, and time as a number.
const CORE_CRATES: &[&str] = &[
    "imbl",
    "jiff",
    "proptest",
    "secrecy",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "url",
    "utoipa",
    // The inventory reads spreadsheets and writes TOML, from bytes into text.
    "calamine",
    "csv",
    "encoding_rs",
    "toml",
    "unicode_normalization",
    "unicode_properties",
];
static SOURCES: LazyLock<Sources> = LazyLock::new(Sources::read);

/// All files.
fn sources() -> impl Iterator<Item = &'static File> {
    SOURCES.files.iter()
}

fn is_core(file: &File) -> bool {
    CORE.contains(&file.top()) || CORE_FILES.iter().any(|start| file.name().starts_with(start))
}

/// All paths that a file names, each with the module that it is written in and whether that is for tests.
fn named(file: &File) -> Vec<(Segments, bool, &Segments)> {
    let mut named = Vec::new();
    for placed in file.code.all(&file.module, file.for_tests) {
        for path in placed.scope.uses.iter().map(|(_, path)| path).chain(&placed.scope.paths) {
            named.push((placed.module.clone(), placed.for_tests, path));
        }
    }
    named
}

/// Whether a path holds such names one after the other.
fn holds(path: &[String], wanted: &str) -> bool {
    let wanted: Vec<&str> = wanted.split("::").collect();
    path.windows(wanted.len()).any(|part| part == wanted)
}

#[test]
fn modules_import_only_what_the_picture_allows() {
    let modules: BTreeSet<&str> = sources().map(File::top).collect();
    let mut seen = 0;
    for file in sources() {
        let module = file.top();
        if !(CORE.contains(&module) || EDGES.contains(&module) || module == "config") {
            continue;
        }
        let allowed = EXCEPTIONS.iter().filter(|(name, _)| *name == module).flat_map(|(_, allowed)| allowed.iter());
        let allowed: Vec<&str> = allowed.copied().chain(["model", module]).collect();
        for (within, _, path) in named(file) {
            let Some(absolute) = SOURCES.absolute(&within, path) else { continue };
            let Some(import) = absolute.first().map(String::as_str).filter(|name| modules.contains(name)) else {
                continue;
            };
            assert!(
                allowed.contains(&import),
                "{}: `{module}` imports `{import}` by `{}`. Pass it in as a function or as data of `model`, join the two in \
                 `monitor` (core) or `daemon` (edges), or change the picture here, in lib.rs and in ARCHITECTURE.md.",
                file.name(),
                path.join("::")
            );
            seen += usize::from(import != module);
        }
    }
    assert!(seen > 200, "only {seen} imports were found");
}

#[test]
fn the_core_does_not_touch_the_world() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).expect("it is there");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let dependencies = ["dependencies", "dev-dependencies"].map(|table| manifest[table].as_table().expect("a table"));
    let crates: BTreeSet<String> =
        dependencies.iter().flat_map(|table| table.keys()).map(|name| name.replace('-', "_")).collect();
    let mut checked = 0;
    for file in sources().filter(|file| is_core(file)) {
        checked += 1;
        for (within, _, path) in named(file) {
            if path.len() == 1 && !holds(path, "HashMap") && !holds(path, "HashSet") {
                continue;
            }
            let first = path[0].as_str();
            let inside = SOURCES.absolute(&within, path).is_some();
            let foreign = !inside && crates.contains(first) && !CORE_CRATES.contains(&first);
            let socket = holds(path, "std::net") && !path.last().is_some_and(|last| ADDRESSES.contains(&last.as_str()));
            // A cursor over bytes reads no more of the world than the bytes do.
            let in_memory = holds(path, "std::io::Cursor");
            let world = !in_memory && OUTSIDE_WORLD.iter().any(|name| holds(path, name));
            assert!(
                !foreign && !socket && !world,
                "{}: the core names `{}`. Take what you need as an argument and let the shell do it.",
                file.name(),
                path.join("::")
            );
        }
    }
    assert!(checked > 60, "only {checked} files of the core were found");
    for name in CORE_FILES {
        assert!(sources().any(|file| file.name().starts_with(name)), "{name} is gone: change CORE_FILES");
    }
}

/// A pure file of a module that is not pure must not lean on the other half.
#[test]
fn the_core_leans_on_the_core_alone() {
    for (from, to, path) in SOURCES.edges() {
        let (from, to) = (&SOURCES.files[from], &SOURCES.files[to]);
        assert!(!is_core(from) || is_core(to), "{}: `{path}` leads out of the core, into {}", from.name(), to.name());
    }
}

#[test]
fn only_the_clock_and_simulated_cameras_read_the_wall_clock() {
    for file in sources().filter(|file| !matches!(file.top(), "clock" | "sim")) {
        for (_, _, path) in named(file) {
            let reads = ["Timestamp::now", "SystemTime::now", "Zoned::now"].iter().any(|name| holds(path, name));
            assert!(!reads, "{}: ask a `Clock` for the time, so that tests can hold it.", file.name());
        }
    }
}

/// A file takes what it needs from those below it. What a file takes from the module that it is a part of is no circle.
#[test]
fn files_do_not_import_each_other_in_a_circle() {
    let edges = SOURCES.edges();
    let reached = |from: usize| {
        let (mut reached, mut left) = (BTreeSet::new(), vec![from]);
        while let Some(at) = left.pop() {
            left.extend(
                edges.iter().filter(|(from, ..)| *from == at).map(|(_, to, _)| *to).filter(|to| reached.insert(*to)),
            );
        }
        reached
    };
    let reached: Vec<_> = (0..SOURCES.files.len()).map(reached).collect();
    for (number, file) in sources().enumerate() {
        let circle: Vec<usize> = reached[number].iter().copied().filter(|to| reached[*to].contains(&number)).collect();
        let name = file.name();
        let by = edges.iter().filter(|(from, to, _)| circle.contains(from) && circle.contains(to));
        let by: Vec<String> = by
            .map(|(from, to, path)| {
                format!("{} -> {} by {path}", SOURCES.files[*from].name(), SOURCES.files[*to].name())
            })
            .collect();
        assert!(
            circle.is_empty(),
            "{name} imports in a circle. Move what both need into a file of its own.\n{}",
            by.join("\n")
        );
    }
}

#[test]
fn each_file_says_what_it_is_and_stays_readable() {
    for file in sources() {
        assert!(file.text.starts_with("//! "), "{}: open the file with `//!` and a sentence on it.", file.name());
        let lines = file.text.lines().count();
        assert!(lines <= 480, "{}: {lines} lines; split it by subject.", file.name());
    }
}

/// All that lies in `src` is reached from `lib.rs` or `main.rs`, so that no rule passes by a file.
#[test]
fn each_file_is_a_module() {
    let mut folders = vec![code::src()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).expect("src can be read").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("src/main.rs") {
                let is_read = sources().any(|file| file.path == path);
                assert!(is_read, "{}: no `mod` names it", path.display());
            }
        }
    }
}

#[test]
fn a_closed_list_has_its_names_from_one_declaration() {
    for file in sources().filter(|file| file.name() != "model/closed.rs") {
        assert!(
            !(file.squeezed.contains("fnas_str(self)") && file.squeezed.contains("rename_all")),
            "{}: declare the enum by `closed!`, which gives serde, the schema and `as_str` one name.",
            file.name()
        );
    }
}

#[test]
fn one_place_decides_between_the_languages() {
    for file in sources().filter(|file| file.name() != "model/language.rs") {
        for (_, for_tests, path) in named(file) {
            let decides = ["Language::Vi", "Language::En"].iter().any(|name| holds(path, name));
            assert!(
                for_tests || !decides,
                "{}: it names a language. Say both by `Language::pick`, or in a table of `worded!` or `vocabulary!`.",
                file.name()
            );
        }
    }
}

/// Those that write times for machines, in UTC or as names.
const TIMES_FOR_MACHINES: &[&str] = &[
    "cli/demo_table.rs",
    "health/judge.rs",
    "journal/place.rs",
    "uptime/report.rs",
    "web/report/table.rs",
    "web/report/terms_table.rs",
    "web/roster/feed.rs",
    "web/roster/mod.rs",
];

#[test]
fn one_place_writes_the_times_that_people_read() {
    for file in sources().filter(|file| file.name() != "model/local.rs") {
        assert!(
            !file.squeezed.contains(".strftime(") || TIMES_FOR_MACHINES.contains(&file.name().as_str()),
            "{}: write times for people by `Local`.",
            file.name()
        );
    }
}

#[test]
fn each_task_of_the_daemon_is_watched() {
    for file in sources().filter(|file| file.top() == "daemon") {
        let spawns = |(_, for_tests, path): &(Segments, bool, &Segments)| {
            !for_tests
                && (holds(path, "tokio::spawn") || holds(path, "task::spawn") || holds(path, "tokio::task::spawn"))
        };
        let may = usize::from(file.name() == "daemon/supervise.rs");
        assert!(
            named(file).iter().filter(|path| spawns(path)).count() == may,
            "{}: start the task by `Supervisor::start`, so that its end is noticed.",
            file.name()
        );
    }
}

/// Who waits for whom, as the comments `// waits: a, b -> c` say where it happens.
fn waits() -> Vec<(String, String)> {
    let mut edges = Vec::new();
    for file in sources() {
        if file.for_tests || !["daemon", "schedule", "web", "journal"].contains(&file.top()) {
            continue;
        }
        let mut tagged = None;
        for line in file.text.lines() {
            if let Some((from, to)) = line.trim().strip_prefix("// waits: ").and_then(|rest| rest.split_once(" -> ")) {
                edges.extend(from.split(", ").map(|from| (from.to_owned(), to.to_owned())));
                tagged = Some(());
                continue;
            }
            let waits = line.contains(".send(") && !line.contains(".send()") && line.contains(".await")
                || line.contains("= found.send(");
            assert!(
                !waits || tagged.is_some(),
                "{}: {}: say who waits for whom in the line before, as // waits: relay -> journal, and in \
                 ARCHITECTURE.md; the event loop and the journal wait for nobody.",
                file.name(),
                line.trim()
            );
            tagged = None;
        }
    }
    edges.sort();
    edges
}

#[test]
fn no_two_tasks_ever_wait_for_each_other() {
    let edges = waits();
    assert!(edges.len() >= 7, "the comments were not found: {edges:?}");
    // Whoever waits for nobody can be taken away; what then remains goes round in a circle.
    let mut left = edges.clone();
    while let Some(free) = left.iter().position(|(_, to)| left.iter().all(|(from, _)| from != to)) {
        left.remove(free);
    }
    assert!(left.is_empty(), "these wait for each other: {left:?}");
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).expect("it is there");
    let drawn: Vec<&str> = page.lines().filter(|line| line.contains("──▶")).collect();
    for (from, to) in &edges {
        let names = |line: &str| line.split(['─', '▶', ',']).any(|name| name.trim() == from);
        let is_drawn = drawn.iter().any(|line| names(line) && line.trim_end().ends_with(to.as_str()));
        assert!(is_drawn, "{from} ──▶ {to} is not drawn");
    }
    let count: usize = drawn.iter().map(|line| line.split("──▶").next().unwrap_or_default().split(',').count()).sum();
    assert_eq!(count, edges.len(), "ARCHITECTURE.md draws what is not there: {edges:?}");
}

/// What a text names, as [`named`] tells it of a file.
fn paths(text: &str) -> Vec<String> {
    let scope = code::Scope::of(text.parse().expect("tokens"));
    let all = scope.all(&["here".to_owned()], false);
    let paths = all.iter().filter(|placed| !placed.for_tests).flat_map(|placed| {
        placed.scope.uses.iter().map(|(_, path)| path).chain(placed.scope.paths.iter().filter(|path| path.len() > 1))
    });
    paths.map(|path| path.join("::")).collect()
}

#[test]
fn the_rules_find_what_they_look_for() {
    assert_eq!(
        paths("use crate::{a::{B, c::D, self as a}, e}; use crate::f::G as H; use super::*;"),
        ["crate::a::B", "crate::a::c::D", "crate::a", "crate::e", "crate::f::G", "super::*"]
    );
    assert_eq!(paths("let x = 1; // tokio::spawn\n/* std::fs */ /// std::env\nfn f() {}"), [""; 0]);
    assert_eq!(
        paths("let page = \"http://a/b\"; tokio::spawn(x); macro_name!(std::fs::read(y));"),
        ["tokio::spawn", "std::fs::read"]
    );
    assert_eq!(
        paths("pub(in crate::web) fn f(a: super::super::deliver::Channel) {}"),
        ["super::super::deliver::Channel"]
    );
    assert_eq!(paths("#[cfg(test)] mod tests { use a::b; } #[cfg(test)] fn f() { c::d() } e::f();"), ["e::f"]);
    let at = |module: &str, path: &str| {
        let split = |text: &str| text.split("::").map(str::to_owned).collect::<Segments>();
        SOURCES.absolute(&split(module), &split(path)).map(|path| path.join("::"))
    };
    assert_eq!(at("alert::book", "super::super::deliver::Channel").as_deref(), Some("deliver::Channel"));
    assert_eq!(at("probe::rtsp::session", "crate::probe::wire::Report").as_deref(), Some("probe::wire::Report"));
    assert_eq!(at("probe", "wire::Report").as_deref(), Some("probe::wire::Report"));
    assert_eq!(at("probe", "tokio::spawn"), None);
    let declared = |path: &str| {
        let path: Segments = path.split("::").map(str::to_owned).collect();
        SOURCES.declared_in(&path).map(|number| SOURCES.files[number].name())
    };
    assert_eq!(declared("health::Machine").as_deref(), Some("health/machine.rs"), "through what a module hands on");
    assert_eq!(declared("health::judge").as_deref(), Some("health/judge.rs"));
}
