//! Documents that say what is there: paths that exist, words that live where the glossary says, and complete lists.

use camhealth::model::FailureKind;
use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What stands between backticks in a text, without its blocks of code.
fn quoted(text: &str) -> Vec<&str> {
    let blocks: Vec<&str> = text.split("```").step_by(2).collect();
    blocks.iter().flat_map(|block| block.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn guides_name_files_that_exist() {
    let mut seen = 0;
    let guides = ["CONTRIBUTING.md", "SECURITY.md", "ARCHITECTURE.md", "README.md"].map(str::to_owned).into_iter();
    let in_docs = ["docs", "docs/vi", "docs/en"].into_iter().flat_map(|folder| {
        let files = std::fs::read_dir(root().join(folder)).expect("a folder").map(|file| file.expect("a file"));
        let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.ends_with(".md")).map(move |name| format!("{folder}/{name}"))
    });
    for guide in guides.chain(in_docs) {
        let guide = guide.as_str();
        let guide_text = text(guide);
        let links = guide_text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
        let links = links.filter(|link| !link.contains("://") && !link.starts_with('#'));
        let folder = root().join(guide).parent().map(Path::to_owned).expect("it lies in a folder");
        for link in links {
            assert!(folder.join(link).exists(), "{guide} links to {link}, which is not there");
        }
        let tops = [
            "packaging/",
            "src/",
            "tests/",
            "config/",
            "docs/",
            "fuzz/",
            "dashboards/",
            "benches/",
            ".ci/",
            ".github/",
        ];
        for path in quoted(&guide_text).into_iter().filter(|name| tops.iter().any(|top| name.starts_with(top))) {
            let path = path.split_whitespace().next().unwrap_or_default();
            if !path.contains(['*', '{']) && !path.contains("NAME") {
                // ARCHITECTURE.md leaves `src/` out.
                let is_there = root().join(path).exists() || root().join("src").join(path).exists();
                assert!(is_there, "{guide} names {path}, which is not there");
                seen += 1;
            }
        }
    }
    assert!(seen > 40, "only {seen} paths were found");
}

/// A picture and all of them, in bytes: whoever clones the repository has each that there ever was.
const PICTURE: u64 = 150_000;
const PICTURES: u64 = 2_000_000;

/// Each picture of the book is said in words too, in the language of its page; `tests/run --pictures` takes them.
#[test]
fn the_books_pictures_are_small_said_in_words_and_shown() {
    let mut shown = Vec::new();
    for (folder, language) in [("docs/vi", "vi"), ("docs/en", "en")] {
        for page in fs::read_dir(root().join(folder)).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            let page_text = fs::read_to_string(&page).expect("text");
            for (alt, rest) in page_text.split("![").skip(1).filter_map(|rest| rest.split_once("](")) {
                let link = rest.split(')').next().unwrap_or_default();
                let page = page.display();
                assert!(alt.split_whitespace().count() >= 6, "{page}: {link} is not said in words: {alt:?}");
                assert!(link.ends_with(&format!(".{language}.png")), "{page}: {link} is in another language");
                shown.push(root().join("docs/vi").join(link).canonicalize().expect("it is there"));
            }
        }
    }
    let mut all = 0;
    for picture in fs::read_dir(root().join("docs/pictures")).expect("a folder") {
        let path = picture.expect("an entry").path().canonicalize().expect("it is there");
        let bytes = fs::read(&path).expect("a file");
        let (size, path_is) = (bytes.len() as u64, path.display());
        assert!(bytes.starts_with(b"\x89PNG") && size <= PICTURE, "{path_is}: {size} bytes");
        assert!(shown.contains(&path), "{path_is} is shown nowhere");
        all += size;
    }
    assert!((1..=PICTURES).contains(&all), "{all} bytes");
    assert!(shown.len() >= 10, "only {} pictures are shown", shown.len());
}

#[test]
fn the_glossarys_words_live_where_it_says() {
    let glossary = text("docs/glossary.md");
    let rows = glossary.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| word |"));
    let mut seen = 0;
    for row in rows.filter(|row| !row.starts_with("| ---")) {
        let place = row.trim_end_matches([' ', '|']).rsplit("| ").next().unwrap_or_default().trim_matches('`');
        if place.starts_with('[') {
            continue;
        }
        let mut parts = place.split("::");
        let module = parts.next().unwrap_or_default();
        let folder = root().join("src").join(module);
        assert!(folder.is_dir(), "{row}: there is no module {module}");
        let sources: Vec<String> = fs::read_dir(folder)
            .expect("a folder")
            .filter_map(|entry| fs::read_to_string(entry.expect("an entry").path()).ok())
            .collect();
        for name in parts {
            let declared = ["struct ", "enum ", "fn ", "trait ", "type "].map(|kind| format!("{kind}{name}"));
            // Closed enums and ids are declared by macros.
            let is_there = |source: &String| declared.iter().any(|item| source.contains(item.as_str()));
            assert!(sources.iter().any(is_there), "{row}: `{module}` declares no {name}");
        }
        seen += 1;
    }
    assert!(seen > 30, "only {seen} words were found");
}

#[test]
fn each_reason_is_listed_and_has_its_evidence() {
    let (readme, architecture) = (text("README.md"), text("ARCHITECTURE.md"));
    let listed = readme.split("Causes: `").nth(1).and_then(|rest| rest.split('`').next()).expect("the list of causes");
    let listed: Vec<&str> = listed.split_whitespace().collect();
    let known: Vec<&str> = FailureKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(listed, known, "README.md lists the causes in the order of the ladder");
    for kind in known {
        assert!(architecture.contains(&format!("`{kind}`")), "ARCHITECTURE.md does not say what `{kind}` is known by");
    }
}
