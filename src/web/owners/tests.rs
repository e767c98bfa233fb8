//! A household is shown to a chief, when the trail has it, and not otherwise.

use crate::{
    model::{CameraId, Kind, Owner},
    request::{Done, Refused, Request},
    rights::{Bounds, By, Hash, Invite, Register, Role, Wish, decide},
    web::{
        Asked, Limits,
        router::{router, tests},
        secrets,
        street::Street,
    },
};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
};
use tokio::sync::{mpsc, watch};

const IP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const NAME: &str = "Nhà bà Quỳnh";

/// What happened, in its order.
type Log = Arc<Mutex<Vec<String>>>;

struct World {
    street: Street,
    log: Log,
    cookie: String,
    token: String,
}

/// A server at which somebody of this role has signed in, and a loop that notes readings, or cannot.
fn world(role: Role, durable: bool) -> World {
    world_within(role, durable, None)
}

/// The same with an account that is bound to areas.
fn world_within(role: Role, durable: bool, areas: Option<Bounds>) -> World {
    let (mut state, behind) = tests::state();
    let mut register = Register::default();
    let now = (state.access.now)();
    let invite = Invite { name: "chi".into(), full_name: "Chị".into(), role, again: false, areas, openid: None };
    decide(&mut register, now, Wish::Invite(invite, Hash("link".into()))).expect("it is made");
    let choose = Wish::Choose { invitation: Hash("link".into()), password: Hash("password".into()) };
    decide(&mut register, now, choose).expect("it is chosen");
    let pass = secrets::known_as("session");
    let sign_in = Wish::SignIn { account: "chi".into(), pass: pass.clone(), label: String::new(), proof: None };
    decide(&mut register, now, sign_in).expect("in");
    let (_, known) = watch::channel(Arc::new(register));
    (state.access.register, state.access.sign_in) = (known, true);
    let log = Log::default();
    behind.publish.send_modify(|snapshot| {
        let fleet = Arc::make_mut(&mut Arc::make_mut(snapshot).fleet);
        let public = fleet.cameras.values().next().expect("a camera").clone();
        let camera = crate::model::Camera { id: "ho-1".into(), kind: Kind::Household, ..(*public).clone() };
        fleet.cameras.insert(camera.id.clone(), Arc::new(camera));
    });
    let read = log.clone();
    state.owner = Arc::new(move |camera: CameraId| {
        read.lock().expect("no panic").push(format!("read {camera}"));
        let owner = Owner { name: NAME.into(), phone: "0901".into(), ..Owner::default() };
        Box::pin(async { Ok(Some(owner)) })
    });
    let (requests, mut inbox) = mpsc::channel::<Asked>(4);
    state.requests = requests;
    let noted = log.clone();
    tokio::spawn(async move {
        while let Some(Asked { request, by, answer }) = inbox.recv().await {
            let Request::ReadOwner { camera, reason } = &request else { continue };
            let right = request.right().expect("it takes one");
            let outcome = match (by.who.may(right), durable) {
                (Err(denied), _) => Err(Refused::Denied(denied)),
                (Ok(()), false) => Err(Refused::NotDurable),
                (Ok(()), true) => {
                    noted.lock().expect("no panic").push(format!("noted {camera}: {reason} by {}", by.who.name()));
                    Ok(Done::Noted)
                }
            };
            let _ = answer.send(outcome);
        }
    });
    let token = secrets::form_token(&b"key".to_vec().into(), &pass);
    World { street: Street::open(router(state), Limits::default()), log, cookie: "camhealth=session".into(), token }
}

impl World {
    async fn ask(&self, line: &str, body: &str) -> String {
        let mut visitor = self.street.visit(IP);
        let (length, cookie) = (body.len(), &self.cookie);
        let head = format!(
            "{line} HTTP/1.1\r\nhost: 10.20.0.2:9740\r\nconnection: close\r\ncookie: {cookie}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        visitor.say(&head).await;
        visitor.rest().await
    }

    async fn read(&self, camera: &str, reason: &str) -> String {
        let body = format!("csrf={}&camera={camera}&reason={reason}", self.token);
        self.ask("POST /owners?lang=vi", &body).await
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().expect("no panic").clone()
    }
}

#[tokio::test]
async fn it_is_noted_then_read_then_shown() {
    let world = world(Role::Chief, true);
    let page = world.ask("GET /owners?lang=vi&camera=ho-1", "").await;
    assert!(page.contains("value=\"ho-1\"") && !page.contains(NAME) && world.log().is_empty(), "{page}");
    let page = world.read("ho-1", "camera+bi+roi").await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains(NAME) && page.contains("0901"), "{page}");
    assert!(page.contains("cache-control: no-store"), "{page}");
    assert_eq!(world.log(), ["noted ho-1: camera bi roi by chi", "read ho-1"]);
    // Nothing of it stays for whoever looks next.
    let page = world.ask("GET /owners?lang=vi&camera=ho-1", "").await;
    assert!(!page.contains(NAME) && !page.contains("0901"), "{page}");
}

#[tokio::test]
async fn what_cannot_be_noted_is_not_even_read() {
    let world = world(Role::Chief, false);
    let page = world.read("ho-1", "goi").await;
    assert!(page.starts_with("HTTP/1.1 503") && page.contains("nhật ký thao tác nên không hiện"), "{page}");
    assert!(!page.contains(NAME) && world.log().is_empty(), "{:?}", world.log());
}

#[tokio::test]
async fn what_for_is_asked_and_only_families_have_owners() {
    let world = world(Role::Chief, true);
    let page = world.read("ho-1", "++").await;
    assert!(page.starts_with("HTTP/1.1 400") && page.contains("xem để làm gì"), "{page}");
    for camera in ["cho-01", "ho-9", "%3Cscript%3E"] {
        let page = world.read(camera, "goi").await;
        assert!(page.starts_with("HTTP/1.1 404") && !page.contains("<script>"), "{page}");
    }
    assert!(world.log().is_empty());
}

#[tokio::test]
async fn a_chief_who_is_bound_to_areas_reads_of_no_household_elsewhere() {
    let world = world_within(Role::Chief, true, Bounds::of(["khu-khac".into()]));
    let page = world.read("ho-1", "goi").await;
    assert!(page.starts_with("HTTP/1.1 404") && !page.contains(NAME) && world.log().is_empty(), "{page}");
}

#[tokio::test]
async fn nobody_else_reads_it() {
    for role in Role::ALL.into_iter().filter(|role| *role != Role::Chief) {
        let world = world(role, true);
        for answer in [world.ask("GET /owners", "").await, world.read("ho-1", "goi").await] {
            assert!(answer.starts_with("HTTP/1.1 403") && !answer.contains(NAME), "{role:?}: {answer}");
        }
        assert!(world.log().is_empty());
        let page = world.ask("GET /?lang=vi", "").await;
        assert!(!page.contains("href=\"/owners"), "{role:?}");
    }
    let world = world(Role::Chief, true);
    assert!(world.ask("GET /?lang=vi", "").await.contains("href=\"/owners"));
    let request = crate::request::Request::ReadOwner { camera: "ho-1".into(), reason: "x".into() };
    let right = request.right().expect("it takes one");
    assert!(crate::rights::Who::Anybody.may(right).is_err(), "where nobody is asked who they are, nobody reads");
    assert!(By::machine().who.may(right).is_ok());
}
