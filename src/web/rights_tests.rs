//! Who gets where: each address by each role, against a table in the documentation; signing in as people do it, and what
//! a page of somebody else's can do with a browser that is signed in.

use super::{
    Limits, Settings,
    needed::{ALL, Needed},
    router::{router, tests},
    secrets,
    street::Street,
};
use crate::{
    request::{Done, Request},
    rights::{Hash, Invite, Pass, PassKind, Register, Right, Role, Wish, decide},
};
use std::{
    fmt::Write,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};
use tokio::sync::{mpsc, watch};

const IP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
const PASSWORD: &str = "thuyền về bến lúc tảng sáng";

/// A street whose house asks people to sign in, with an account of each role that has a session and a token.
fn house() -> (Street, watch::Receiver<Arc<Register>>, tests::Behind) {
    let (mut state, behind) = tests::state();
    let now = (state.access.now)();
    let mut register = Register::default();
    let kept = secrets::hashed(&PASSWORD.into()).expect("a hash");
    for role in Role::ALL {
        let name = role.as_str();
        let invite = Invite {
            name: name.into(),
            full_name: format!("Bà {name}"),
            role,
            again: false,
            areas: None,
            openid: None,
        };
        let link = Hash(format!("link of {name}"));
        decide(&mut register, now, Wish::Invite(invite, link.clone())).expect("it is made");
        decide(&mut register, now, Wish::Choose { invitation: link, password: kept.clone() }).expect("it is chosen");
        let pass = secrets::known_as(&session(role));
        decide(&mut register, now, Wish::SignIn { account: name.into(), pass, label: String::new(), proof: None })
            .expect("in");
        let id = secrets::known_as(&token(role));
        let pass = Pass::of_thing(id, PassKind::Token, name.into(), role, (now, None));
        decide(&mut register, now, Wish::Issue(pass)).expect("it is issued");
    }
    let (registers, known) = watch::channel(Arc::new(register));
    (state.access.register, state.access.sign_in) = (known.clone(), true);
    // Wishes about accounts are done; others as the tests of pages do them.
    let (requests, mut inbox) = mpsc::channel::<super::Asked>(16);
    let others = std::mem::replace(&mut state.requests, requests);
    tokio::spawn(async move {
        while let Some(asked) = inbox.recv().await {
            let Request::People(wish) = &asked.request else {
                let _ = others.send(asked).await;
                continue;
            };
            let mut register = (**registers.borrow()).clone();
            let outcome = decide(&mut register, now, wish.clone());
            registers.send_replace(Arc::new(register));
            let _ = asked.answer.send(outcome.map(|_| Done::People).map_err(crate::request::Refused::People));
        }
    });
    (Street::open(router(state), Limits::default()), known, behind)
}

fn session(role: Role) -> String {
    format!("session of {}", role.as_str()).replace(' ', "-")
}

fn token(role: Role) -> String {
    format!("token-of-{}", role.as_str())
}

fn form_token(role: Role) -> String {
    secrets::form_token(&b"key".to_vec().into(), &secrets::known_as(&session(role)))
}

pub(super) async fn ask(street: &Street, from: IpAddr, line: &str, headers: &str, body: &str) -> String {
    let mut visitor = street.visit(from);
    let kind = if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
    let length = body.len();
    let head = format!("{line} HTTP/1.1\r\nhost: 10.20.0.2:9740\r\nconnection: close\r\ncontent-type: {kind}\r\n");
    visitor.say(&format!("{head}content-length: {length}\r\n{headers}\r\n{body}")).await;
    visitor.rest().await
}

pub(super) fn status(answer: &str) -> u16 {
    answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0)
}

pub(super) fn header<'a>(answer: &'a str, name: &str) -> Vec<&'a str> {
    let lines = answer.split("\r\n\r\n").next().unwrap_or_default().lines();
    lines.filter_map(|line| line.split_once(": ")).filter(|(key, _)| *key == name).map(|(_, value)| value).collect()
}

pub(super) fn cookie_of(answer: &str, name: &str) -> Option<String> {
    let all = header(answer, "set-cookie").into_iter();
    all.filter_map(|cookie| cookie.split(';').next()?.strip_prefix(&format!("{name}="))).map(str::to_owned).next()
}

/// An address with something in each place.
fn filled(route: &str) -> String {
    let parts = route.split('/').map(|part| match part {
        "{month}" => "2026-09",
        "{table}" => "cameras",
        "{kind}" => "site_name",
        part if part.starts_with('{') => "17",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Whether somebody was let past the door: what they find behind it is another matter.
fn let_in(answer: &str) -> bool {
    let turned_away = answer.contains("sign in first") || answer.contains("your role does not allow this");
    let shown_out = status(answer) == 303 && header(answer, "location").iter().any(|to| to.starts_with("/sign-in"));
    !turned_away && !shown_out
}

#[tokio::test(start_paused = true)]
async fn each_address_lets_in_whom_the_table_says_and_nobody_else() {
    let (street, _, _) = house();
    for (method, route, needed) in ALL {
        let line = format!("{method} {}", filled(route));
        let body = if *method == "GET" { "" } else { "{}" };
        let stranger = ask(&street, IP, &line, "", body).await;
        assert_eq!(let_in(&stranger), *needed == Needed::Nothing, "a stranger at {line}: {stranger}");
        for role in Role::ALL {
            let expected = match needed {
                Needed::Nothing | Needed::Known => true,
                Needed::Right(right) | Needed::Whole(right) => role.has(*right),
            };
            // Ending a session here would turn the next away.
            if *route == "/sign-out" {
                continue;
            }
            // What a family's name is shown to is no program.
            let is_personal = *needed == Needed::Right(Right::Owners);
            let by_token = format!("authorization: Bearer {}\r\n", token(role));
            let by_cookie =
                format!("cookie: a=b; camhealth={}\r\nx-csrf-token: {}\r\n", session(role), form_token(role));
            for (shown, is_person) in [(by_token, false), (by_cookie, true)] {
                let answer = ask(&street, IP, &line, &shown, body).await;
                assert_eq!(
                    let_in(&answer),
                    expected && (is_person || !is_personal),
                    "{} at {line}: {answer}",
                    role.as_str()
                );
            }
        }
    }
}

#[test]
fn every_address_that_is_served_stands_in_the_table() {
    let described = super::api::paths();
    let own = [
        include_str!("router.rs"),
        include_str!("accounts.rs"),
        include_str!("incident_forms.rs"),
        include_str!("editing/mod.rs"),
        include_str!("owners/mod.rs"),
    ];
    let own = own.iter().flat_map(|text| text.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()));
    let served: Vec<String> = described.into_iter().chain(own.map(str::to_owned)).collect();
    assert!(served.len() > 40, "{served:?}");
    for route in served.iter().filter(|route| !route.contains("{*")) {
        assert!(ALL.iter().any(|(_, known, _)| known == route), "{route} stands in no table: add it to web/needed.rs");
    }
}

/// The table of the documentation, made from the code.
fn documented() -> String {
    let words = |role: Role| match role {
        Role::Wall => "wall",
        Role::Officer => "officer",
        Role::Chief => "chief",
        Role::Contractor => "contractor",
        Role::Administrator => "administrator",
    };
    let mut text = String::from("| right |");
    Role::ALL.iter().for_each(|role| text += &format!(" {} |", words(*role)));
    text += " addresses |\n| --- |";
    Role::ALL.iter().for_each(|_| text += " :-: |");
    text += " --- |\n";
    for right in Right::ALL {
        let _ = write!(text, "| `{}` |", right.as_str());
        Role::ALL.iter().for_each(|role| text += if role.has(right) { " ✓ |" } else { " |" });
        let at = ALL.iter().filter(|(.., needed)| [Needed::Right(right), Needed::Whole(right)].contains(needed));
        let at: Vec<String> = at.map(|(method, route, _)| format!("`{method} {route}`")).collect();
        let _ = writeln!(text, " {} |", at.join(", "));
    }
    text
}

#[test]
fn the_documentation_has_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rights.md");
    let text = std::fs::read_to_string(path).expect("it is there");
    let (before, rest) = text.split_once("<!-- table -->\n").expect("a mark before the table");
    let (table, after) = rest.split_once("<!-- /table -->").expect("a mark behind it");
    if std::env::var_os("CAMHEALTH_BLESS").is_some() {
        let text = format!("{before}<!-- table -->\n{}<!-- /table -->{after}", documented());
        std::fs::write(path, text).expect("it can be written");
        return;
    }
    assert_eq!(table, documented(), "CAMHEALTH_BLESS=1 writes it anew");
}

/// Where people are reached, and what families agreed to, is for those who keep it.
#[tokio::test]
async fn addresses_and_consents_are_read_by_those_who_keep_them() {
    let (street, _, _) = house();
    for kind in crate::edits::Kind::ALL {
        for role in Role::ALL {
            let shown = format!("authorization: Bearer {}\r\n", token(role));
            let answer = ask(&street, IP, &format!("GET /api/v1/settings/{}", kind.as_str()), &shown, "").await;
            let may = role.has(Right::SeeSettings) && role.has(kind.subject().seen_with());
            assert_eq!(
                status(&answer),
                if may { 200 } else { 403 },
                "{} of {}: {answer}",
                role.as_str(),
                kind.as_str()
            );
        }
    }
    let shown = format!("authorization: Bearer {}\r\n", token(Role::Contractor));
    let page = ask(&street, IP, "GET /settings/cameras", &shown, "").await;
    assert!(page.contains("cameras.toml:7") && page.contains("&#60;script&#62;"), "{page}");
    assert!(page.contains("action=\"/settings/cameras?lang=vi\""), "a contractor edits it: {page}");
    let shown = format!("authorization: Bearer {}\r\n", token(Role::Officer));
    let page = ask(&street, IP, "GET /settings/cameras", &shown, "").await;
    assert!(page.contains("cameras.toml:7") && !page.contains("method=\"post\" action=\"/settings"), "{page}");
}

#[tokio::test]
async fn somebody_signs_in_does_something_and_signs_out() {
    let (street, register, behind) = house();
    let page = ask(&street, IP, "GET /incidents/17?lang=vi", "accept: text/html\r\n", "").await;
    let to = header(&page, "location")[0];
    assert_eq!((status(&page), to), (303, "/sign-in?to=%2Fincidents%2F17%3Flang%3Dvi"));
    let form = ask(&street, IP, &format!("GET {to}"), "", "").await;
    assert!(form.contains("Đăng nhập") && form.contains("value=\"/incidents/17?lang=vi\""), "{form}");
    assert!(!form.contains("cho-1") && !form.contains("Chợ"), "nothing of the commune but its name: {form}");
    let typed = |password: &str| {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("name", " Officer ")
            .append_pair("password", password)
            .append_pair("to", "/incidents/17")
            .finish()
    };
    let wrong = ask(&street, IP, "POST /sign-in", "", &typed("một câu khác hẳn")).await;
    assert!(status(&wrong) == 403 && wrong.contains("Sai tên đăng nhập hoặc mật khẩu"), "{wrong}");
    let right = ask(&street, IP, "POST /sign-in", "", &typed(PASSWORD)).await;
    assert_eq!((status(&right), header(&right, "location")), (303, vec!["/incidents/17"]), "{right}");
    let cookie = cookie_of(&right, "camhealth").expect("a session");
    assert!(header(&right, "set-cookie").iter().all(|cookie| cookie.contains("HttpOnly; SameSite=Lax")), "{right}");
    assert!(!register.borrow().passes(tests::snapshot(crate::model::State::Up, 0).at).any(|pass| pass.id.0 == cookie));

    let shown = format!("cookie: camhealth={cookie}\r\n");
    let page = ask(&street, IP, "GET /incidents/17", &shown, "").await;
    assert!(page.contains(">Bà officer</a>") && page.contains("Đăng xuất"), "{page}");
    assert!(!page.contains("name=\"by\""), "whoever is known is asked for no name");
    let token = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a token");
    // A form without the token is somebody else's, wherever it says that it comes from.
    let forged = ask(&street, IP, "POST /incidents/17/ack", &shown, "by=An").await;
    assert!(status(&forged) == 403 && behind.asked.lock().expect("no panic").is_empty(), "{forged}");
    let done = ask(&street, IP, "POST /incidents/17/ack", &shown, &format!("by=Ai+kh%C3%A1c&csrf={token}")).await;
    assert_eq!(status(&done), 303, "{done}");
    let asked = std::mem::take(&mut *behind.asked.lock().expect("no panic"));
    let expected = Request::TakeOn { incident: "17".into(), by: "Bà officer".into(), via: "page".into() };
    assert_eq!(asked, [expected], "by their name, whatever the form says");

    let out = ask(&street, IP, "POST /sign-out", &shown, &format!("csrf={token}")).await;
    assert_eq!((status(&out), cookie_of(&out, "camhealth")), (303, Some(String::new())));
    let after = ask(&street, IP, "GET /", &shown, "").await;
    assert!(!let_in(&after), "{after}");
}

#[tokio::test]
async fn a_link_leads_to_a_password_once_and_to_our_own_pages_only() {
    let (street, register, _) = house();
    let shown = format!(
        "cookie: camhealth={}\r\nx-csrf-token: {}\r\n",
        session(Role::Administrator),
        form_token(Role::Administrator)
    );
    let body = r#"{"name":"Hoa","full_name":"Thượng úy Hoa","role":"officer"}"#;
    let made = ask(&street, IP, "POST /api/v1/accounts", &shown, body).await;
    let path = made.split("\"secret\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a link").to_owned();
    assert!(status(&made) == 201 && path.starts_with("/join/"), "{made}");
    let form = ask(&street, OTHER, &format!("GET {path}"), "", "").await;
    assert!(form.contains("Đặt mật khẩu: hoa"), "{form}");
    for (password, again, why) in [
        ("ngắn", "ngắn", "Từ 10 đến 200 ký tự"),
        ("hoa hoa hoa hoa", "hoa hoa hoa hoa", "không được chứa tên đăng nhập"),
        (PASSWORD, "thuyền về bến lúc chạng vạng", "không giống nhau"),
    ] {
        let mut typed = url::form_urlencoded::Serializer::new(String::new());
        let typed = typed.append_pair("password", password).append_pair("again", again).finish();
        let answer = ask(&street, OTHER, &format!("POST {path}"), "", &typed).await;
        assert!(status(&answer) == 400 && answer.contains(why) && !answer.contains(password), "{answer}");
    }
    let mut typed = url::form_urlencoded::Serializer::new(String::new());
    let typed = typed.append_pair("password", PASSWORD).append_pair("again", PASSWORD).finish();
    let chosen = ask(&street, OTHER, &format!("POST {path}"), "", &typed).await;
    assert_eq!(status(&chosen), 303, "{chosen}");
    assert!(register.borrow().account("hoa").is_some_and(|account| account.password.is_some()));
    assert_eq!(status(&ask(&street, OTHER, &format!("GET {path}"), "", "").await), 404, "once");
    for to in ["//evil.example/", "https://evil.example/", "/\\evil.example", ""] {
        let mut typed = url::form_urlencoded::Serializer::new(String::new());
        let typed = typed.append_pair("name", "hoa").append_pair("password", PASSWORD).append_pair("to", to).finish();
        let answer = ask(&street, OTHER, "POST /sign-in", "", &typed).await;
        assert_eq!(header(&answer, "location"), ["/"], "{to}: {answer}");
    }
}

#[tokio::test]
async fn guessing_is_slow_and_keeps_nobody_out_who_was_there_before() {
    let (street, _, _) = house();
    let typed = |password: &str| format!("name=officer&password={password}");
    let right = {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("name", "officer").append_pair("password", PASSWORD).finish()
    };
    let before = ask(&street, OTHER, "POST /sign-in", "", &right).await;
    let browser = cookie_of(&before, "camhealth-browser").expect("the browser is known");
    for number in 0..5 {
        assert_eq!(status(&ask(&street, IP, "POST /sign-in", "", &typed("sai-sai-sai")).await), 403, "{number}");
    }
    let slowed = ask(&street, IP, "POST /sign-in", "", &typed("sai-sai-sai")).await;
    assert!(status(&slowed) == 429 && slowed.contains("hãy chờ"), "{slowed}");
    assert_eq!(status(&ask(&street, OTHER, "POST /sign-in", "", &right).await), 429, "the account waits elsewhere too");
    let known = format!("cookie: camhealth-browser={browser}\r\n");
    assert_eq!(status(&ask(&street, OTHER, "POST /sign-in", &known, &right).await), 303, "not where it was before");
    let forged = "cookie: camhealth-browser=officer.0123456789abcdef0123456789abcdef\r\n";
    assert_eq!(status(&ask(&street, OTHER, "POST /sign-in", forged, &right).await), 429, "which nobody can make up");
}

#[tokio::test(start_paused = true)]
async fn a_screen_is_known_by_its_link_and_shows_the_wall_alone() {
    let (street, register, _) = house();
    let admin = format!(
        "cookie: camhealth={}\r\nx-csrf-token: {}\r\n",
        session(Role::Administrator),
        form_token(Role::Administrator)
    );
    let body = r#"{"label":"Phòng trực ban","kind":"screen","role":"administrator"}"#;
    let made = ask(&street, IP, "POST /api/v1/passes", &admin, body).await;
    let path = made.split("\"secret\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a link").to_owned();
    let opened = ask(&street, OTHER, &format!("GET {path}"), "", "").await;
    let cookie = format!("cookie: camhealth={}\r\n", cookie_of(&opened, "camhealth").expect("it is known"));
    assert_eq!(status(&ask(&street, OTHER, "GET /", &cookie, "").await), 200);
    assert_eq!(status(&ask(&street, OTHER, "GET /accounts", &cookie, "").await), 403, "whatever role was asked for");
    let listed = ask(&street, IP, "GET /api/v1/passes", &admin, "").await;
    assert!(listed.contains("Phòng trực ban") && !listed.contains(path.trim_start_matches("/screen/")), "{listed}");
    let now = tests::snapshot(crate::model::State::Up, 0).at;
    let id =
        register.borrow().passes(now).find(|pass| pass.kind == PassKind::Screen).expect("it is there").id.0.clone();
    let ended = ask(&street, IP, &format!("DELETE /api/v1/passes/{}", &id[..16]), &admin, "").await;
    assert_eq!(status(&ended), 200, "{ended}");
    assert!(!let_in(&ask(&street, OTHER, "GET /", &cookie, "").await));
}

#[tokio::test(start_paused = true)]
async fn the_command_line_is_known_by_the_journals_key_for_a_minute_and_one_request() {
    let (street, _, _) = house();
    let now = tests::snapshot(crate::model::State::Up, 0).at.as_second();
    let key = b"key".to_vec().into();
    let shown = |second: i64, method: &str, path: &str| {
        format!("authorization: Camhealth {}\r\n", secrets::machine_token(&key, second, method, path))
    };
    let right = shown(now - 50, "GET", "/api/v1/accounts");
    assert_eq!(status(&ask(&street, IP, "GET /api/v1/accounts", &right, "").await), 200);
    assert_eq!(status(&ask(&street, IP, "GET /api/v1/passes", &right, "").await), 401, "another request");
    let old = shown(now - 61, "GET", "/api/v1/accounts");
    assert_eq!(status(&ask(&street, IP, "GET /api/v1/accounts", &old, "").await), 401, "too old");
    let forged = format!("authorization: Camhealth {now}.00\r\n");
    assert_eq!(status(&ask(&street, IP, "GET /api/v1/accounts", &forged, "").await), 401);
}

#[tokio::test(start_paused = true)]
async fn who_is_signed_out_sees_no_more_of_what_goes_on() {
    let (street, _, _) = house();
    for (role, shown) in [
        (Role::Chief, format!("cookie: camhealth={}\r\n", session(Role::Chief))),
        (Role::Contractor, format!("authorization: Bearer {}\r\n", token(Role::Contractor))),
    ] {
        let mut listener = street.visit(OTHER);
        listener
            .say(&format!("GET /events HTTP/1.1\r\nhost: 10.20.0.2:9740\r\nconnection: close\r\n{shown}\r\n"))
            .await;
        listener.hears("event: wall").await;
        let admin = format!("authorization: Bearer {}\r\n", token(Role::Administrator));
        let ended = match role {
            Role::Chief => ask(&street, IP, "POST /api/v1/accounts/chief", &admin, r#"{"deed":"sign_out"}"#).await,
            _ => {
                let id = secrets::known_as(&token(role)).0;
                ask(&street, IP, &format!("DELETE /api/v1/passes/{}", &id[..16]), &admin, "").await
            }
        };
        assert_eq!(status(&ended), 200, "{ended}");
        // Within seconds the stream ends by itself; a server that went on would be waited for until the test's own end.
        let rest = tokio::time::timeout(std::time::Duration::from_secs(10), listener.rest()).await;
        assert!(rest.is_ok(), "{}: it goes on", role.as_str());
    }
}

#[test]
fn visitors_sign_in_unless_the_configuration_says_otherwise() {
    assert!(Settings::default().sign_in);
}

/// What happened is seen by all; who was told, by whom the table says.
#[tokio::test(start_paused = true)]
async fn who_was_told_is_named_to_those_who_may_know_it() {
    let (street, ..) = house();
    for role in Role::ALL {
        let bearer = format!("authorization: Bearer {}\r\n", token(role));
        let page = ask(&street, IP, "GET /incidents/17?lang=en", &bearer, "").await;
        assert_eq!(status(&page), 200, "{role:?}");
        assert!(page.contains("Nobody took it on: escalated"), "{role:?}: {page}");
        let named = ["Trung úy an", "zalo-truc-ban", "503"].map(|part| page.contains(part));
        assert_eq!(named, [role.has(Right::SeeTold); 3], "{role:?}");
        let timeline = ask(&street, IP, "GET /api/v1/incidents/17/timeline", &bearer, "").await;
        assert_eq!(status(&timeline), if role.has(Right::SeeTold) { 200 } else { 403 }, "{role:?}");
    }
}
