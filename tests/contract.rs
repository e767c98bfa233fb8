//! The contract's clock by the whole program: a site goes blind, the contractor answers too late, everybody can see it, the
//! morning's digest names it, and the month's report accounts for each second.

use crate::{
    support::{camhealth, eventually},
    telling::{ROTATION, Receiver, World, channel, person},
};
use camhealth::sim::Fault;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde_json::{Value, json};

const TERMS: &str = "[contract]\nname = \"Công ty Ánh Sáng\"\npeople = [\"hung\"]\n\
                     [[contract.term]]\nlevel = \"blind\"\nrespond_by = \"3s\"\nrepair_by = \"8s\"\n";

async fn timeline(world: &World) -> Vec<Value> {
    let timeline = world.get("/api/v1/incidents/1/timeline").await;
    timeline["entries"].as_array().cloned().unwrap_or_default()
}

/// How often an incident outlasted a term.
async fn overdue(world: &World) -> usize {
    timeline(world).await.iter().filter(|entry| entry["what"] == "overdue").count()
}

async fn text(world: &World, path: &str) -> String {
    let answer = reqwest::get(format!("http://{}{path}", world.page)).await.expect("an answer");
    answer.text().await.expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_agreed_is_counted_shown_told_and_reported() {
    let receiver = Receiver::default();
    let here = receiver.start().await;
    let hook = |id: &str| channel(id, "webhook", &format!("url = \"http://{here}/{id}\""));
    let contacts = [
        hook("hook-an"),
        hook("nha-thau"),
        person("an", "Trung úy An", "\"hook-an\""),
        person("hung", "Anh Hưng", "\"nha-thau\""),
        ROTATION.to_owned(),
        TERMS.to_owned(),
    ];
    let mut world = World::new(&contacts.concat()).await;
    world.start().await;
    world.metric("camhealth_contract_deadlines{duty=\"repair\",stands=\"running\"} 0").await;
    assert!(text(&world, "/contract?lang=vi").await.contains("Công ty Ánh Sáng"));

    // An officer has it in hand: that is no answer of the contractor's.
    world.camera.set_fault(Fault::PortClosed).await.expect("the fault is set");
    let client = reqwest::Client::new();
    let post = async |path: &str, by: &str| {
        let request = client.post(format!("http://{}{path}", world.page)).header("content-type", "application/json");
        request.body(json!({ "by": by }).to_string()).send().await.expect("an answer").status().as_u16()
    };
    eventually("an incident", async || world.get("/api/v1/incidents/1").await["number"].is_u64().then_some(())).await;
    assert_eq!(post("/api/v1/incidents/1/ack", "Trung úy An").await, 200);
    eventually("a running clock", async || {
        let open = world.get("/api/v1/contract").await;
        let clock = &open["incidents"][0]["clocks"][0];
        (clock["level"] == "blind" && clock["seconds"]["counted"].as_i64()? > 0).then_some(())
    })
    .await;
    eventually("the answer to be overdue", async || (overdue(&world).await > 0).then_some(())).await;
    assert_eq!(post("/api/v1/incidents/1/respond", "Anh Hưng").await, 200);
    assert_eq!(post("/api/v1/incidents/1/respond", "Anh Thảo").await, 200, "the first answer counts");
    assert_eq!(post("/api/v1/incidents/99/respond", "Anh Hưng").await, 404);
    assert_eq!(world.get("/api/v1/incidents/1").await["responded"]["by"], "Anh Hưng");
    eventually("the repair to be overdue", async || (overdue(&world).await == 2).then_some(())).await;
    world.metric("camhealth_contract_deadlines{duty=\"repair\",stands=\"missed\"} 1").await;
    for path in ["/contract?lang=vi", "/incidents/1?lang=vi", "/incidents?lang=vi"] {
        let page = text(&world, path).await;
        assert!(page.contains("class=\"bad\">quá "), "{path}: {page}");
    }

    // kill -9, and a digest whose time has just gone by: it names what the contractor is late with.
    let mut daemon = world.daemon.take().expect("it runs");
    daemon.kill().expect("it is our child");
    daemon.wait().expect("it is our child");
    let before = Timestamp::now().to_zoned_datetime(TimeZone::get("Asia/Ho_Chi_Minh").expect("Vietnam"));
    let at = before.saturating_sub(1.minute()).strftime("%H:%M").to_string();
    let written = std::fs::read_to_string(world.config()).expect("it can be read");
    let digest = format!("[alert.digest]\nat = \"{at}\"\nto = [\"nha-thau\"]\n");
    std::fs::write(world.config(), written + &digest).expect("it can be written");
    world.camera.set_fault(Fault::None).await.expect("the fault is set");
    world.start().await;
    let told = receiver.wait("/nha-thau", "\"digest\"").await;
    assert_eq!((&told.body["overdue"][0]["number"], &told.body["overdue"][0]["duty"]), (&json!(1), &json!("repair")));
    assert!(told.text.contains("Quá hạn hợp đồng: 1 sự cố."), "{}", told.text);

    // It ends, and the report accounts for each of its seconds.
    let ended = eventually("its end", async || {
        let incident = world.get("/api/v1/incidents/1").await;
        incident["closed"].is_string().then_some(incident)
    })
    .await;
    let moment = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok()).expect("a time");
    let (opened, closed) = (moment(&ended["opened"]), moment(&ended["closed"]));
    let month = opened.to_zoned_datetime(before.time_zone().clone()).strftime("%Y-%m").to_string();
    let report = |format: &str| {
        let output = camhealth(&["report", "--month", &month, "--format", format, "--config", &world.config()], &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let json: Value = serde_json::from_str(&report("json")).expect("JSON");
    let terms = &json["contract"];
    assert_eq!((&terms["repair"]["missed"], &terms["respond"]["missed"]), (&json!(1), &json!(1)), "{terms:#}");
    let seconds = terms["lines"][0]["seconds"].as_object().expect("seconds");
    let all: i64 = seconds.values().filter_map(Value::as_i64).sum();
    assert_eq!(all, closed.as_second() - opened.as_second(), "{seconds:?}");
    // The monitor did not see what happened while it did not run: that is not the contractor's.
    assert!(
        seconds["monitor_down"].as_i64().is_some_and(|down| down < 15),
        "it ran from the first second: {seconds:?}"
    );
    assert!(seconds["counted"].as_i64().is_some_and(|counted| counted > 8 && counted <= all), "{seconds:?}");
    assert!(report("terms").contains(&format!("{month},1,")), "{}", report("terms"));
    // What happened to it, for the file: on paper, in a page of its own without what can be pressed, and for programs.
    let file = |format: &str, name: &str| {
        let out = world.folder.path().join(name);
        let path = out.display().to_string();
        let output =
            camhealth(&["incident", "1", "--format", format, "--out", &path, "--config", &world.config()], &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::read(&out).expect("it is written")
    };
    assert!(file("pdf", "su-co.pdf").starts_with(b"%PDF-"));
    let html = String::from_utf8(file("html", "su-co.html")).expect("UTF-8");
    assert!(html.contains("Anh Hưng") && html.contains("chưa khắc phục xong khi hết hạn"), "{html}");
    assert!(!html.contains("<script") && !html.contains("href=\"/static"), "it needs nothing beside it");
    let words = report("text");
    assert!(words.contains("Khắc phục: 0,00 % (0 đúng hạn, 1 quá hạn)") && words.contains("#1 "), "{words}");
}
