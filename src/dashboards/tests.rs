//! What every board must have, and that the files of the repository are those that the code gives.

use super::*;
use std::{collections::BTreeSet, path::Path};

fn panels(board: &Value) -> Vec<&Value> {
    board["panels"].as_array().expect("a board has panels").iter().collect()
}

#[test]
fn each_panel_says_what_it_shows_and_asks_something() {
    for language in Language::ALL {
        for (name, board) in boards(language) {
            for panel in panels(&board) {
                let title = panel["title"].as_str().unwrap_or_default();
                assert!(panel["description"].as_str().is_some_and(|text| text.len() > 8), "{name}: {title}");
                assert!(!panel["targets"].as_array().expect("targets").is_empty(), "{name}: {title}");
                let stepped = panel["fieldConfig"]["defaults"]["color"]["mode"] != "thresholds"
                    || panel["fieldConfig"]["defaults"]["thresholds"].is_object()
                    || panel["type"] == "table";
                assert!(stepped, "{name}: {title}: Grafana's own thresholds turn red at 80");
            }
        }
    }
}

#[test]
fn panels_lie_side_by_side_and_never_on_each_other() {
    for (name, board) in boards(Language::Vi) {
        let mut taken = BTreeSet::new();
        for panel in panels(&board) {
            let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().expect("a number"));
            assert!(x + w <= 24, "{name}: {}", panel["title"]);
            for cell in (x..x + w).flat_map(|column| (y..y + h).map(move |row| (column, row))) {
                assert!(taken.insert(cell), "{name}: {} lies on another panel", panel["title"]);
            }
        }
    }
}

#[test]
fn both_languages_ask_the_same_in_other_words() {
    for ((_, vietnamese), (name, english)) in boards(Language::Vi).into_iter().zip(boards(Language::En)) {
        let asked = |board: &Value| -> Vec<String> {
            let targets = panels(board).into_iter().flat_map(|panel| panel["targets"].as_array().expect("targets"));
            targets.map(|target| target["expr"].to_string()).collect()
        };
        assert_eq!(asked(&vietnamese), asked(&english), "{name}");
        for (ours, theirs) in panels(&vietnamese).iter().zip(panels(&english)) {
            assert_ne!(ours["description"], theirs["description"], "{name}");
        }
    }
}

#[test]
fn links_lead_to_boards_that_exist() {
    let uids: BTreeSet<String> = Language::ALL
        .into_iter()
        .flat_map(boards)
        .map(|(_, board)| board["uid"].as_str().expect("a uid").to_owned())
        .collect();
    assert_eq!(uids.len(), 12);
    let mut links = 0;
    for (name, board) in Language::ALL.into_iter().flat_map(boards) {
        let json = board.to_string();
        for (at, _) in json.match_indices("\"/d/") {
            let uid: String = json[at + 4..].chars().take_while(|letter| !matches!(letter, '?' | '"')).collect();
            assert!(uids.contains(&uid), "{name}: {uid}");
            links += 1;
        }
    }
    assert!(links >= 10, "boards lead to each other");
}

#[test]
fn the_files_of_the_repository_are_what_the_code_gives() {
    for language in Language::ALL {
        for (name, board) in boards(language) {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards").join(language.as_str()).join(name);
            let file = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(file == text(&board), "{}: run camhealth dashboards --out dashboards", path.display());
        }
    }
}
