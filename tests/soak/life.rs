//! Who does what in a soak: faults that come and go, walls, visitors, edits, reports and reloads.

use super::{CAMERAS, Done, World, ip};
use camhealth::{
    sim::{Fault, SimFleet, Stage},
    uptime::Month,
};
use futures_util::StreamExt;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use std::{collections::VecDeque, sync::Arc, time::Duration};

pub(super) const PASSWORD: &str = "thuyền về bến lúc tảng sáng";
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// Faults that last as long as somebody lets them.
const FAULTS: [Fault; 16] = [
    Fault::PoweredOff,
    Fault::PortClosed,
    Fault::Mute,
    Fault::Garbage,
    Fault::EndlessHeaders(Stage::Options),
    Fault::HugeBody(Stage::Describe),
    Fault::Drip,
    Fault::NotFound,
    Fault::Busy,
    Fault::NoMedia,
    Fault::Stall { after_frames: 5 },
    Fault::Frozen,
    Fault::Lossy { one_in: 3 },
    Fault::CachedOnly,
    Fault::AudioOnly,
    Fault::SoapBomb,
];

pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let url = reqwest::Url::parse_with_params("http://form/", fields).expect("a URL");
    url.query().expect("fields").to_owned()
}

/// A number that looks like chance, and is the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// Faults come and go, of single cameras, and now and then of all behind a cable.
pub(super) async fn breaks(fleet: Arc<tokio::sync::Mutex<SimFleet>>, done: Done) {
    let (mut chance, mut broken) = (Chance(7), VecDeque::new());
    for round in 1.. {
        let mut fleet = fleet.lock().await;
        if round % 60 == 0 {
            for number in 0..12 {
                fleet.set_fault(ip(number), Fault::PoweredOff).await.expect("the fault is set");
                broken.push_back(number);
            }
            done.count("cables cut");
        }
        let number = chance.below(CAMERAS);
        fleet.set_fault(ip(number), FAULTS[chance.below(FAULTS.len())]).await.expect("the fault is set");
        broken.push_back(number);
        done.count("faults");
        while broken.len() > 5 {
            let mended = broken.pop_front().expect("there are some");
            fleet.set_fault(ip(mended), Fault::None).await.expect("the fault is set");
        }
        drop(fleet);
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// A wall that is looked at for a few pieces of news, and goes away in the middle of one.
pub(super) async fn looks_at_a_wall(world: Arc<World>, number: usize) {
    let mut chance = Chance(number as u64);
    let paths = ["lang=vi", "lang=en", "camera=c3", "site=s1", "map=1", "list=cameras", "list=incidents", "link=cap-1"];
    loop {
        let url = world.url(&format!("/events?{}", paths[chance.below(paths.len())]));
        match world.http.get(url).bearer_auth(&world.token).send().await {
            Ok(answer) if answer.status().is_success() => {
                let pieces = answer.bytes_stream().take(1 + chance.below(20));
                pieces.for_each(|_| std::future::ready(())).await;
                world.done.count("walls");
            }
            Ok(answer) => world.done.wrong(format!("/events: {}", answer.status())),
            Err(error) => world.done.wrong(format!("/events: {error}")),
        }
    }
}

/// Somebody signs in, reads some pages, and signs out, or goes away as people do.
pub(super) async fn signs_in(world: &World, round: usize) {
    let body = form(&[("name", "an"), ("password", PASSWORD), ("to", "/")]);
    let request = world.http.post(world.url("/sign-in")).header(header::CONTENT_TYPE, FORM).body(body);
    let Ok(answer) = request.send().await else { return world.done.wrong("/sign-in: no answer".into()) };
    let cookies = answer.headers().get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies: Vec<&str> = cookies.filter_map(|value| value.split(';').next()).collect();
    if answer.status() != StatusCode::SEE_OTHER || cookies.is_empty() {
        return world.done.wrong(format!("/sign-in: {}", answer.status()));
    }
    let cookies = cookies.join("; ");
    let mut page = String::new();
    for path in
        ["/", "/cameras", "/cameras/c2?range=7d", "/sites/s2?range=30d", "/incidents", "/settings", "/audit", "/map"]
    {
        let request = world.http.get(world.url(path)).header(header::COOKIE, &cookies).send().await;
        page = world.answered(path, request).await.unwrap_or_default();
    }
    let token = page.split("name=\"csrf\" content=\"").nth(1).and_then(|rest| rest.split('"').next());
    if round.is_multiple_of(2) {
        let request = world.http.post(world.url("/sign-out")).header(header::COOKIE, &cookies);
        let request = request.header("x-csrf-token", token.unwrap_or_default()).send().await;
        world.answered("/sign-out", request).await;
    }
    world.done.count("sign-ins");
}

pub(super) async fn edits(world: &World, round: usize) {
    let path = "/api/v1/settings/site_name";
    let known = world.ask(Method::GET, path, None).await.unwrap_or_default();
    let known: Value = serde_json::from_str(&known).unwrap_or_default();
    let version = known.as_array().and_then(|all| all.iter().find(|one| one["id"] == "s1")).map(|one| &one["version"]);
    let wish = json!({"id": "s1", "version": version.unwrap_or(&json!("")), "value": {"name": format!("Chợ {round}")}});
    world.ask(Method::POST, path, Some(wish)).await;
    world.done.count("edits");
    // A thousand a day may be silenced.
    if round.is_multiple_of(20) {
        let silence = json!({"scope": {"kind": "site", "id": "s3"}, "minutes": 1, "author": "An", "reason": "thử"});
        world.ask(Method::POST, "/api/v1/silences", Some(silence)).await;
        world.done.count("silences");
    }
}

pub(super) async fn reports(world: &World, round: usize) {
    let zone = jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").expect("it is known");
    let month = Month::of(jiff::Timestamp::now(), &zone);
    let paths = ["/reports?lang=en".into(), format!("/api/v1/reports/{month}"), format!("/reports/{month}.csv")];
    world.ask(Method::GET, &paths[round % paths.len()], None).await;
    world.done.count("reports");
}

pub(super) async fn reloads(world: &World, round: usize) {
    world.configure(round);
    world.ask(Method::POST, "/-/reload", None).await;
    world.done.count("reloads");
}

/// Does one thing after the other for ever; how often is said by the length of time between two.
pub(super) async fn again<F: Future<Output = ()>>(every: Duration, mut act: impl FnMut(usize) -> F) {
    for round in 1.. {
        act(round).await;
        tokio::time::sleep(every).await;
    }
}
