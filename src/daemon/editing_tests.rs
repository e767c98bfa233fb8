//! Edits through the whole daemon: each is durable before it holds, two at once do not overwrite each other, and what was
//! edited survives reloads and starts.

use super::*;
use crate::{
    clock::Clock,
    edits::{Item, Kind, Line, Refusal, Standing, Value, Wish},
    model::Observation,
    request::Done,
    rights::Who,
};
use std::path::Path;

const TEXT: &str = include_str!("../../tests/fixtures/one_camera.toml");

fn text(name: &str) -> String {
    TEXT.replace("name = \"Cam\"", &format!("name = \"{name}\""))
}

/// A daemon over the files in a folder, with its journal there.
async fn daemon(folder: &Path) -> Running {
    let path = folder.join("camhealth.toml");
    let read = move || {
        let mut config = crate::config::load(&path).map_err(|problems| problems.to_string())?;
        config.journal.path = Some(path.with_file_name("journal.sqlite3"));
        Ok(config)
    };
    let config = read().expect("it is valid");
    let probing = Probing::Simulated(Arc::new(|order| {
        Box::pin(async move { Observation::new(order.check, Clock::system().now()) })
    }));
    start(config, Clock::system(), Parts { probing, loader: Arc::new(read) }).await.expect("it starts")
}

async fn wish(running: &Running, request: Request) -> Result<Done, Refused> {
    let (answer, answered) = oneshot::channel();
    running.requests.send(web::Asked { request, by: By::machine(), answer }).await.expect("the loop runs");
    answered.await.expect("it is answered")
}

fn item(kind: Kind) -> Item {
    Item::new(kind, "cam")
}

fn line(running: &Running, item: &Item) -> Line {
    running.config().sheet.line(item).cloned().unwrap_or_default()
}

fn renamed(running: &Running, name: &str) -> Request {
    let (item, value) = (item(Kind::CameraName), Some(Value::default().text("name", name)));
    Request::Edit(Wish { version: line(running, &item).version(), item, value })
}

fn name(running: &Running) -> String {
    running.snapshots.borrow().fleet.cameras["cam"].name.clone()
}

#[tokio::test]
async fn an_edit_holds_at_once_after_a_reload_and_after_a_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("camhealth.toml");
    std::fs::write(&file, text("Cam")).expect("it can be written");
    let running = daemon(folder.path()).await;
    assert_eq!(wish(&running, renamed(&running, "Ngã tư Chợ")).await, Ok(Done::Edited));
    assert_eq!(name(&running), "Ngã tư Chợ", "whoever is answered finds it done");
    // The file changes below it, and is read.
    std::fs::write(&file, text("Cam").replace("[commune]", "# khác\n[commune]")).expect("it can be written");
    running.reload(false).await.expect("it is read");
    assert_eq!(name(&running), "Ngã tư Chợ");
    // While the file is half of something new, an edit is laid over what runs.
    std::fs::write(&file, "[commune").expect("it can be written");
    assert_eq!(wish(&running, renamed(&running, "Chợ mới")).await, Ok(Done::Edited));
    assert_eq!(name(&running), "Chợ mới");
    let refused = wish(&running, renamed(&running, "")).await.expect_err("a camera has a name");
    assert!(
        matches!(&refused, Refused::Edit(Refusal::Unfit(why)) if why.contains("camera \"cam\": name")),
        "{refused:?}"
    );
    std::fs::write(&file, text("Cam")).expect("it can be written");
    running.stop().await;

    let running = daemon(folder.path()).await;
    assert_eq!(name(&running), "Chợ mới");
    let named = item(Kind::CameraName);
    assert_eq!(line(&running, &named).standing, Standing::Edited);
    let back = Wish { version: line(&running, &named).version(), item: named, value: None };
    assert_eq!(wish(&running, Request::Edit(back)).await, Ok(Done::Edited));
    assert_eq!(name(&running), "Cam", "what the file says");
    let answer = reqwest::get(format!("http://{}/api/v1/audit", running.address())).await.expect("an answer");
    let trail = answer.text().await.expect("text");
    let trail: serde_json::Value = serde_json::from_str(&trail).expect("JSON");
    assert!(trail["broken"].is_null(), "{trail}");
    let told = trail["entries"].as_array().expect("a list").iter().map(|entry| {
        let part = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        format!("{} {} | {} | {}", part("action"), part("subject"), part("before"), part("after"))
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "take_back camera_name:cam | name = Chợ mới | name = Cam",
            "edit camera_name:cam | name = Ngã tư Chợ | name = Chợ mới",
            "reload  |  | ",
            "edit camera_name:cam | name = Cam | name = Ngã tư Chợ",
        ]
    );
    running.stop().await;
}

#[tokio::test]
async fn of_many_at_once_one_is_done_and_the_others_are_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("camhealth.toml"), text("Cam")).expect("it can be written");
    let running = daemon(folder.path()).await;
    // All of them opened the page before any of them sent, and another thing is edited and read in between.
    let wishes: Vec<Request> = (0..12).map(|number| renamed(&running, &format!("Tên {number}"))).collect();
    let notes = Wish {
        version: line(&running, &item(Kind::Notes)).version(),
        item: item(Kind::Notes),
        value: Some(Value::default().text("notes", "thay nguồn")),
    };
    let all = wishes.into_iter().chain([Request::Edit(notes), Request::Reload { force: false }]);
    let outcomes = futures_util::future::join_all(all.map(|request| wish(&running, request))).await;
    let (edits, rest) = outcomes.split_at(12);
    let done: Vec<usize> = (0..12).filter(|number| edits[*number] == Ok(Done::Edited)).collect();
    assert_eq!(done.len(), 1, "{edits:?}");
    let stale = |outcome: &&Result<Done, Refused>| matches!(outcome, Err(Refused::Edit(Refusal::Stale(now))) if now.value.is_some());
    assert_eq!(edits.iter().filter(stale).count(), 11, "{edits:?}");
    assert_eq!(rest, [Ok(Done::Edited), Ok(Done::Reloaded)]);
    assert_eq!(name(&running), format!("Tên {}", done[0]));
    assert_eq!(running.snapshots.borrow().fleet.cameras["cam"].notes.as_deref(), Some("thay nguồn"));
    running.stop().await;
}

#[tokio::test]
async fn what_the_files_have_no_more_is_kept_and_harms_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("camhealth.toml");
    std::fs::write(&file, text("Cam")).expect("it can be written");
    let running = daemon(folder.path()).await;
    wish(&running, renamed(&running, "Ngã tư Chợ")).await.expect("it is done");
    std::fs::write(&file, text("Cam").replace("\"cam\"", "\"other\"")).expect("it can be written");
    running.reload(true).await.expect("it is read");
    assert_eq!(line(&running, &item(Kind::CameraName)).standing, Standing::Orphan);
    std::fs::write(&file, text("Cam")).expect("it can be written");
    running.reload(true).await.expect("it is read");
    assert_eq!(
        (line(&running, &item(Kind::CameraName)).standing, name(&running)),
        (Standing::Edited, "Ngã tư Chợ".into())
    );
    running.stop().await;
}

#[tokio::test]
async fn each_role_edits_what_is_its_own_whichever_way_it_comes() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("camhealth.toml"), text("Cam")).expect("it can be written");
    let running = daemon(folder.path()).await;
    let mut may = Vec::new();
    for role in Role::ALL {
        for kind in Kind::ALL {
            let who = Who::Thing { label: "kho".into(), role, areas: None };
            let wish = Wish { item: Item::new(kind, "nothing"), version: String::new(), value: None };
            let (answer, answered) = oneshot::channel();
            let asked = web::Asked { request: Request::Edit(wish), by: By { who, from: String::new() }, answer };
            running.requests.send(asked).await.expect("the loop runs");
            match answered.await.expect("it is answered") {
                Err(Refused::Edit(Refusal::Unknown(_))) => may.push(format!("{} {}", role.as_str(), kind.as_str())),
                Err(Refused::Denied(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    let of = |role: &str, kinds: &[&str]| kinds.iter().map(|kind| format!("{role} {kind}")).collect::<Vec<_>>();
    let all = Kind::ALL.map(Kind::as_str);
    let expected = [
        of("officer", &["stand_in"]),
        of("chief", &all),
        of("contractor", &["maintenance", "camera_name", "notes", "recorder_notes"]),
        of("administrator", &all),
    ];
    assert_eq!(may, expected.concat());
    running.stop().await;
}

#[tokio::test]
async fn what_cannot_be_laid_at_all_is_kept_in_sight_and_not_lost_by_the_next_edit() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("camhealth.toml");
    let secret = folder.path().join("token");
    std::fs::write(&secret, "abc").expect("it can be written");
    let channel =
        "[[channel]]\nid = \"hook\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\ntoken_file = \"token\"\n";
    std::fs::write(&file, text("Cam") + channel).expect("it can be written");
    let running = daemon(folder.path()).await;
    wish(&running, renamed(&running, "Ngã tư Chợ")).await.expect("it is done");
    std::fs::remove_file(&secret).expect("it is there");
    // Nothing can be checked while a secret is gone; nothing that held is lost by that.
    let notes = |running: &Running| {
        let item = item(Kind::Notes);
        let value = Some(Value::default().text("notes", "thay nguồn"));
        Request::Edit(Wish { version: line(running, &item).version(), item, value })
    };
    let refused = wish(&running, notes(&running)).await.expect_err("the files cannot be read");
    assert!(refused.to_string().contains("token"), "{refused}");
    assert_eq!(name(&running), "Ngã tư Chợ");
    std::fs::write(&secret, "abc").expect("it can be written");
    wish(&running, notes(&running)).await.expect("it is done");
    assert_eq!(running.config().sheet.edits().len(), 2);
    running.stop().await;
}
