//! Bad configurations and their exact messages, side by side in `tests/config_errors/`.
//!
//! `CAMHEALTH_BLESS=1 cargo test config_errors` writes the messages anew; read the difference before committing it.

use camhealth::config;
use std::{fs, path::Path};

/// From the package's folder, where cargo starts tests: a message's line breaks must not hang on where the clone lies.
fn folder() -> &'static Path {
    Path::new("tests/config_errors")
}

fn problems(path: &Path) -> config::Problems {
    match config::load_with(path, &|_| None) {
        Ok(_) => panic!("{} is accepted", path.display()),
        Err(problems) => problems,
    }
}

#[test]
fn each_bad_file_gets_its_exact_message() {
    let mut files: Vec<_> =
        fs::read_dir(folder()).expect("it is there").map(|file| file.expect("a file").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(files.len() >= 20, "only {} bad files", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let shown = problems(&path).render(false).replace(&format!("{}/", folder().display()), "");
        assert!(!shown.contains("canary"), "{}: a secret is shown:\n{shown}", path.display());
        let expected = path.with_extension("expected");
        if std::env::var_os("CAMHEALTH_BLESS").is_some() {
            fs::write(&expected, &shown).expect("it can be written");
        } else if fs::read_to_string(&expected).unwrap_or_default() != shown {
            wrong.push(format!("{}:\n{shown}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "messages changed:\n{}", wrong.join("\n"));
}

#[test]
fn all_problems_are_told_in_one_run_with_place_and_remedy() {
    let problems = problems(&folder().join("everything.toml"));
    let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    for key in [
        "[health]: bad_to_dwon",
        "[schedule]: confirm_every",
        "link \"uplink\": parent",
        "camera \"cho-01\": rtsp",
        "camera \"cho-01\": id",
        "site \"cho\" view: cameras",
    ] {
        assert!(keys.contains(&key), "{key} is missing among {keys:?}");
    }
    for problem in problems.iter() {
        assert!(problem.file.ends_with("everything.toml") && problem.line > 1 && !problem.remedy.is_empty());
    }
}

#[test]
fn a_file_that_is_missing_is_named() {
    let problems = problems(Path::new("nowhere/camhealth.toml"));
    assert!(problems.render(false).contains("nowhere/camhealth.toml"));
}

/// Found by fuzzing: an include that matches, say, the journal had an error for each of its lines.
#[test]
fn a_large_file_that_is_no_toml_is_told_briefly() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    fs::write(path("big.toml"), "no toml at all\n".repeat(100_000)).expect("it can be written");
    fs::write(path("camhealth.toml"), "include = [\"big.toml\"]\n").expect("it can be written");
    let told = problems(&path("camhealth.toml")).iter().filter(|problem| problem.file.ends_with("big.toml")).count();
    assert!((1..=20).contains(&told), "{told} problems");
    fs::write(path("big.toml"), vec![b' '; 17 << 20]).expect("it can be written");
    assert!(problems(&path("camhealth.toml")).render(false).contains("is larger than 16 MiB"));
}
