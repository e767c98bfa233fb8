//! House rules as tests: who may import whom, a core without the outside world, and files that say what they are.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Pure modules: everything that decides.
const CORE: &[&str] = &["model", "health", "coverage", "topology", "alert", "outbox", "request", "uptime", "monitor"];
/// Thin modules: everything that touches the world, one concern each.
const EDGES: &[&str] = &["probe", "schedule", "journal", "deliver", "metrics", "web", "sim", "inventory", "dashboards"];
/// What may be imported beyond `model`, by module.
const EXCEPTIONS: &[(&str, &[&str])] = &[
    ("monitor", &["health", "coverage", "topology", "alert"]),
    // A site in maintenance is judged as the monitor judges it.
    ("uptime", &["coverage"]),
    // Settings types, each owned by its module, are filled by the configuration.
    ("config", &["health", "topology", "alert", "schedule", "probe", "journal", "deliver", "uptime", "web"]),
    // The report's figures are plain data, worked out by pure functions; so are wishes and what became of them.
    ("web", &["uptime", "request"]),
    // The only module beside the edges that tells the time.
    ("schedule", &["clock"]),
];
/// What a pure module must not name.
const OUTSIDE_WORLD: &[&str] = &[
    "tokio",
    "std::net",
    "std::fs",
    "std::env",
    "std::process",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "thread::sleep",
    "reqwest",
    "rusqlite",
    "retina::",
    "oxvif::",
    "tracing",
];

fn sources() -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("src can be read").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&entry).expect("sources are UTF-8");
                files.push((entry, text));
            }
        }
    }
    assert!(files.len() > 40, "the sources were not found");
    files
}

/// The module that a file belongs to, such as `probe` for `src/probe/pool.rs`.
fn module_of(path: &Path) -> String {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let relative = path.strip_prefix(src).expect("it lies in src");
    let first = relative.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Code without comments.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Names of our modules that a file reaches into by `crate::…`, in nested lists too.
fn imports(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut name = String::new();
            for letter in list.chars() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => found.push(std::mem::take(&mut name)),
                    _ if depth == 0 => name.push(letter),
                    _ => {}
                }
            }
            found.push(name);
        } else {
            found.push(rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect());
        }
    }
    let first = |name: &String| name.split("::").next().unwrap_or_default().trim().to_owned();
    found.iter().map(first).filter(|name| !name.is_empty()).collect()
}

#[test]
fn modules_import_only_what_the_picture_allows() {
    for (path, text) in sources() {
        let module = module_of(&path);
        let restricted = CORE.contains(&module.as_str()) || EDGES.contains(&module.as_str()) || module == "config";
        if !restricted {
            continue;
        }
        let allowed = EXCEPTIONS.iter().filter(|(name, _)| *name == module).flat_map(|(_, allowed)| allowed.iter());
        let allowed: Vec<&str> = allowed.copied().chain(["model", module.as_str()]).collect();
        for import in imports(&code(&text)) {
            assert!(
                allowed.contains(&import.as_str()),
                "{}: `{module}` imports `{import}`. Pass it in as a function or as data of `model`, join the two in \
                 `monitor` (core) or `daemon` (edges), or change the picture here, in lib.rs and in ARCHITECTURE.md.",
                path.display()
            );
        }
    }
}

#[test]
fn the_core_does_not_touch_the_world() {
    for (path, text) in sources() {
        if !CORE.contains(&module_of(&path).as_str()) {
            continue;
        }
        for name in OUTSIDE_WORLD {
            assert!(
                !code(&text).contains(name),
                "{}: the core names `{name}`. Take what you need as an argument and let the shell do it.",
                path.display()
            );
        }
    }
}

#[test]
fn only_the_clock_and_simulated_cameras_read_the_wall_clock() {
    for (path, text) in sources() {
        let reads = ["Timestamp::now", "SystemTime::now", "Zoned::now"].iter().any(|name| code(&text).contains(name));
        let may = matches!(module_of(&path).as_str(), "clock" | "sim");
        assert!(!reads || may, "{}: ask a `Clock` for the time, so that tests can hold it.", path.display());
    }
}

#[test]
fn each_file_says_what_it_is_and_stays_readable() {
    for (path, text) in sources() {
        assert!(text.starts_with("//! "), "{}: open the file with `//!` and a sentence on it.", path.display());
        let lines = text.lines().count();
        assert!(lines <= 480, "{}: {lines} lines; split it by subject.", path.display());
    }
}

#[test]
fn a_closed_list_has_its_names_from_one_declaration() {
    for (path, text) in sources().into_iter().filter(|(path, _)| !path.ends_with("model/closed.rs")) {
        assert!(
            !(code(&text).contains("fn as_str(self)") && text.contains("rename_all")),
            "{}: declare the enum by `closed!`, which gives serde, the schema and `as_str` one name.",
            path.display()
        );
    }
}

#[test]
fn each_task_of_the_daemon_is_watched() {
    let spawns =
        |text: &str| code(text).split("#[cfg(test)]").next().unwrap_or_default().matches("tokio::spawn(").count();
    for (path, text) in sources().into_iter().filter(|(path, _)| module_of(path) == "daemon") {
        let may = usize::from(path.ends_with("daemon/supervise.rs"));
        let tests = path.ends_with("tests.rs");
        assert!(
            tests || spawns(&text) == may,
            "{}: start the task by `Supervisor::start`, so that its end is noticed.",
            path.display()
        );
    }
}

/// Who waits for whom, as the comments `// waits: a, b -> c` say where it happens.
fn waits() -> Vec<(String, String)> {
    let mut edges = Vec::new();
    for (path, text) in sources() {
        let tests = path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("tests.rs"));
        if tests || !["daemon", "schedule", "web", "journal"].contains(&module_of(&path).as_str()) {
            continue;
        }
        let mut tagged = None;
        for line in text.lines() {
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
                path.display(),
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

#[test]
fn the_rules_find_what_they_look_for() {
    assert_eq!(imports("use crate::{a::{B, c::D}, e};\nuse crate::f::G;"), ["a", "e", "f"]);
    assert_eq!(code("let x = 1; // tokio"), "let x = 1; ");
}
