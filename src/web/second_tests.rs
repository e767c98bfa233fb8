//! The second step as people live with it: set up on a page, asked for after the password, lost with the phone, taken off.

use super::{
    Limits,
    rights_tests::{ask, cookie_of, header, status},
    router::{router, tests},
    secrets,
    street::Street,
};
use crate::{
    model::State,
    request::{Done, Refused, Request},
    rights::{Hash, Invite, Register, Role, Wish, decide},
};
use jiff::Timestamp;
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
};
use tokio::sync::{mpsc, watch};
use totp_rs::{Builder, Secret};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
const PASSWORD: &str = "thuyền về bến lúc tảng sáng";

/// A street whose clock is set by the test: An, an officer, and Bo, an administrator.
struct House {
    street: Street,
    register: watch::Receiver<Arc<Register>>,
    clock: Arc<Mutex<Timestamp>>,
}

impl House {
    fn open(required: &[Role]) -> Self {
        let (mut state, _) = tests::state();
        let now = tests::snapshot(State::Up, 0).at;
        let mut register = Register::default();
        let kept = secrets::hashed(&PASSWORD.into()).expect("a hash");
        for (name, role) in [("an", Role::Officer), ("bo", Role::Administrator)] {
            let invite =
                Invite { name: name.into(), full_name: name.into(), role, again: false, areas: None, openid: None };
            let link = Hash(name.into());
            decide(&mut register, now, Wish::Invite(invite, link.clone())).expect("it is made");
            decide(&mut register, now, Wish::Choose { invitation: link, password: kept.clone() }).expect("chosen");
        }
        let clock = Arc::new(Mutex::new(now));
        let (registers, known) = watch::channel(Arc::new(register));
        let (requests, mut inbox) = mpsc::channel::<super::Asked>(16);
        let read = clock.clone();
        state.access.now = Arc::new(move || *read.lock().expect("no panic"));
        (state.access.register, state.access.sign_in) = (known.clone(), true);
        state.access.second_step = required.to_vec();
        state.requests = requests;
        let read = state.access.now.clone();
        tokio::spawn(async move {
            while let Some(super::Asked { request, answer, .. }) = inbox.recv().await {
                let Request::People(wish) = request else { continue };
                let mut register = (**registers.borrow()).clone();
                let outcome = decide(&mut register, read(), wish);
                registers.send_replace(Arc::new(register));
                let _ = answer.send(outcome.map(|_| Done::People).map_err(Refused::People));
            }
        });
        Self { street: Street::open(router(state), Limits::default()), register: known, clock }
    }

    fn wait(&self, seconds: i64) {
        let mut clock = self.clock.lock().expect("no panic");
        *clock = crate::model::later(*clock, std::time::Duration::from_secs(seconds.unsigned_abs()));
    }

    /// What an authenticator shows now: worked out by the library, from the text that was typed into it.
    fn code(&self, seed: &str) -> String {
        let secret = Secret::try_from_base32(seed.replace(' ', "")).expect("base32");
        let totp = Builder::new().with_secret(secret).with_account_name("an").build().expect("a code");
        totp.generate(self.clock.lock().expect("no panic").as_second() as u64).to_string()
    }

    async fn password(&self, from: IpAddr, name: &str, headers: &str) -> String {
        let typed = form(&[("name", name), ("password", PASSWORD), ("to", "/sites")]);
        ask(&self.street, from, "POST /sign-in?lang=en", headers, &typed).await
    }

    /// Types a code into the form that asks for one.
    async fn second(&self, from: IpAddr, asked: &str, code: &str, headers: &str) -> String {
        let (name, half) = (field(asked, "name=\"name\" value=\""), field(asked, "name=\"half\" value=\""));
        let typed = form(&[("name", &name), ("half", &half), ("code", code), ("to", "/sites")]);
        ask(&self.street, from, "POST /sign-in/code?lang=en", headers, &typed).await
    }

    /// A session, as a header and the token of its forms.
    fn session(answer: &str) -> (String, String) {
        let cookie = cookie_of(answer, "camhealth").expect("a session");
        let token = secrets::form_token(&b"key".to_vec().into(), &secrets::known_as(&cookie));
        (format!("cookie: camhealth={cookie}\r\nx-csrf-token: {token}\r\n"), cookie)
    }

    /// Sets it up for An, who is signed in; the seed, and the recovery codes.
    async fn set_up(&self, session: &str) -> (String, Vec<String>) {
        let typed = form(&[("deed", "begin"), ("password", PASSWORD)]);
        let page = ask(&self.street, HERE, "POST /second-step?lang=en", session, &typed).await;
        let seed = field(&page, "<code id=\"seed\">");
        assert!(page.contains("otpauth://totp/") && page.contains("<svg class=\"qr\""), "{page}");
        let wrong = form(&[("deed", "confirm"), ("code", "000000")]);
        let wrong = ask(&self.street, HERE, "POST /second-step?lang=en", session, &wrong).await;
        assert!(status(&wrong) == 403 && field(&wrong, "<code id=\"seed\">") == seed, "{wrong}");
        let right = form(&[("deed", "confirm"), ("code", &self.code(&seed))]);
        let page = ask(&self.street, HERE, "POST /second-step?lang=en", session, &right).await;
        let codes = page.split("<li><code>").skip(1).filter_map(|rest| rest.split('<').next());
        let codes: Vec<String> = codes.map(str::to_owned).collect();
        assert!(status(&page) == 200 && codes.len() == 10 && !page.contains(&seed), "{page}");
        (seed, codes)
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// What stands behind a mark, up to the end of the attribute or the element.
fn field(page: &str, mark: &str) -> String {
    let rest = page.split(mark).nth(1).unwrap_or_else(|| panic!("no {mark} in {page}"));
    rest.split(['"', '<']).next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn it_is_set_up_asked_for_and_each_code_counts_once() {
    let house = House::open(&[]);
    let alone = house.password(HERE, "an", "").await;
    assert_eq!(status(&alone), 303, "by the password alone, before it is set up: {alone}");
    let (session, _) = House::session(&alone);
    let wrong = form(&[("deed", "begin"), ("password", "một câu khác hẳn")]);
    let refused = ask(&house.street, HERE, "POST /second-step?lang=en", &session, &wrong).await;
    assert!(status(&refused) == 403 && !refused.contains("otpauth"), "whoever finds the browser: {refused}");
    let (seed, codes) = house.set_up(&session).await;
    let page = ask(&house.street, HERE, "GET /second-step?lang=en", &session, "").await;
    assert!(page.contains("It is on, since") && page.contains("Recovery codes that are left: 10"), "{page}");
    assert!(!page.contains(&seed) && !page.contains(&codes[0]), "shown once");

    let asked = house.password(ELSEWHERE, "an", "").await;
    assert!(status(&asked) == 200 && cookie_of(&asked, "camhealth").is_none(), "no session yet: {asked}");
    let again = house.second(ELSEWHERE, &asked, &house.code(&seed), "").await;
    assert!(status(&again) == 403 && again.contains("was used"), "the code that confirmed it counted: {again}");
    house.wait(30);
    let code = house.code(&seed);
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    let entered = house.second(ELSEWHERE, &asked, &spaced, "").await;
    assert_eq!((status(&entered), header(&entered, "location")), (303, vec!["/sites"]), "{entered}");
    House::session(&entered);
    let again = house.second(ELSEWHERE, &asked, &code, "").await;
    assert_eq!(status(&again), 403, "seen over a shoulder, it is of no use: {again}");
    house.wait(30);
    let early = house.code(&seed);
    house.wait(30);
    let late = house.second(ELSEWHERE, &house.password(ELSEWHERE, "an", "").await, &early, "").await;
    assert_eq!(status(&late), 303, "a clock that is half a minute late: {late}");

    // Without the phone.
    let asked = house.password(HERE, "an", "").await;
    let entered = house.second(HERE, &asked, &codes[3].to_uppercase().replace('-', ""), "").await;
    assert_eq!(status(&entered), 303, "{entered}");
    let again = house.second(HERE, &asked, &codes[3], "").await;
    assert_eq!(status(&again), 403, "once: {again}");
    let left = house.register.borrow().account("an").and_then(|an| Some(an.second.as_ref()?.recovery.len()));
    assert_eq!(left, Some(9));
}

#[tokio::test]
async fn what_comes_between_password_and_code_is_of_one_account_and_five_minutes() {
    let house = House::open(&[]);
    let (session, _) = House::session(&house.password(HERE, "an", "").await);
    let (seed, _) = house.set_up(&session).await;
    house.wait(30);
    let asked = house.password(HERE, "an", "").await;
    let half = field(&asked, "name=\"half\" value=\"");
    let (second, proof) = half.split_once('.').expect("two parts");
    let later = second.parse::<i64>().expect("a number") + 100;
    for (name, half) in
        [("an", format!("{later}.{proof}")), ("bo", half.clone()), ("an", "0.".into()), ("an", "x".into())]
    {
        let typed = form(&[("name", name), ("half", &half), ("code", &house.code(&seed))]);
        let answer = ask(&house.street, HERE, "POST /sign-in/code?lang=en", "", &typed).await;
        assert!(status(&answer) == 403 && answer.contains("type your password again"), "{name} {half}: {answer}");
    }
    house.wait(301);
    let late = house.second(HERE, &asked, &house.code(&seed), "").await;
    assert!(status(&late) == 403 && late.contains("type your password again"), "{late}");
}

#[tokio::test]
async fn guessing_codes_is_slow_and_keeps_nobody_out() {
    let house = House::open(&[]);
    let first = house.password(HERE, "an", "").await;
    let browser = cookie_of(&first, "camhealth-browser").expect("it is known");
    let (seed, _) = house.set_up(&House::session(&first).0).await;
    house.wait(30);
    let asked = house.password(ELSEWHERE, "an", "").await;
    for number in 0..5 {
        assert_eq!(status(&house.second(ELSEWHERE, &asked, "123456", "").await), 403, "{number}");
    }
    let slowed = house.second(ELSEWHERE, &asked, &house.code(&seed), "").await;
    assert!(status(&slowed) == 429 && cookie_of(&slowed, "camhealth").is_none(), "even the right one: {slowed}");
    // Where An has signed in before, only An's own mistakes count.
    let known = format!("cookie: camhealth-browser={browser}\r\n");
    let asked = house.password(HERE, "an", &known).await;
    let entered = house.second(HERE, &asked, &house.code(&seed), &known).await;
    assert_eq!(status(&entered), 303, "{entered}");
}

#[tokio::test]
async fn a_role_may_have_to_have_it_and_an_administrator_takes_it_off() {
    let house = House::open(&[Role::Officer]);
    let html = "accept: text/html\r\n";
    let (an, _) = House::session(&house.password(HERE, "an", "").await);
    let (bo, _) = House::session(&house.password(HERE, "bo", "").await);
    let shown = ask(&house.street, HERE, "GET /", &format!("{an}{html}"), "").await;
    assert_eq!((status(&shown), header(&shown, "location")), (303, vec!["/second-step"]), "{shown}");
    let asked = ask(&house.street, HERE, "GET /api/v1/status", &an, "").await;
    assert!(status(&asked) == 403 && asked.contains("second step"), "{asked}");
    assert_eq!(status(&ask(&house.street, HERE, "GET /events", &an, "").await), 403);
    let page = ask(&house.street, HERE, "GET /second-step?lang=en", &an, "").await;
    assert!(page.contains("Your role must turn it on") && !page.contains("href=\"/sites"), "{page}");
    assert_eq!(status(&ask(&house.street, HERE, "GET /", &bo, "").await), 200, "of Bo's role it is not asked");
    let (seed, codes) = house.set_up(&an).await;
    assert_eq!(status(&ask(&house.street, HERE, "GET /", &an, "").await), 200);

    let (accounts, listed) = (ask(&house.street, HERE, "GET /accounts?lang=en", &bo, "").await, "GET /api/v1/accounts");
    let listed = ask(&house.street, HERE, listed, &bo, "").await;
    for told in [&accounts, &listed] {
        assert!(!told.contains(&seed.replace(' ', "")) && !told.contains(&codes[0]), "{told}");
    }
    assert!(accounts.contains("No second step") && listed.contains("\"second_step\":true"), "{accounts} {listed}");
    let off = ask(&house.street, HERE, "POST /accounts/an", &bo, "deed=no_second_step").await;
    assert_eq!(status(&off), 303, "{off}");
    assert_eq!(status(&house.password(ELSEWHERE, "an", "").await), 303, "by the password alone");
    let shown = ask(&house.street, HERE, "GET /", &format!("{an}{html}"), "").await;
    assert_eq!(header(&shown, "location"), ["/second-step"], "and asked to set it up again");
}
