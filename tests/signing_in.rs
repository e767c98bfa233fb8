//! Signing in as people do it, in a real Chromium: the first link, a password, a second step, an area of one's own, a screen,
//! and being signed out everywhere.

use crate::{
    browser::Browser,
    support::{Process, camhealth, eventually, free_address, program},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use totp_rs::{Builder, Secret};

const PASSWORD: &str = "thuyền về bến lúc tảng sáng";

/// Two areas with a site each, whose cameras refuse.
fn configuration(folder: &Path, page: SocketAddr) -> PathBuf {
    let side = |number: usize, name: &str| {
        format!(
            "[[area]]\nid = \"khu-{number}\"\nname = \"Khu {name}\"\n\
             [[camera]]\nid = \"cam-{number}\"\nname = \"Chợ {name}, về phía cảng\"\nkind = \"public\"\n\
             rtsp = \"rtsp://127.9.78.{number}:9/x\"\n\
             [[site]]\nid = \"site-{number}\"\nname = \"Ngã tư {name}\"\nhamlet = \"Thôn {name}\"\narea = \"khu-{number}\"\n\
             [[site.view]]\nname = \"về phía cảng cá\"\ncameras = [\"cam-{number}\"]\n"
        )
    };
    let config = folder.join("camhealth.toml");
    let text = format!(
        "[commune]\nname = \"Xã Hải Bình\"\n[web]\nlisten = \"{page}\"\nsecond_step = [\"administrator\"]\n\
         [journal]\npath = \"journal.sqlite3\"\n[schedule]\nconfirm_every = \"1s\"\ndown_every = \"5s\"\n\
         public = {{ liveness = \"1s\", stream = \"5s\", device = \"1h\" }}\n{}{}",
        side(1, "Đông"),
        side(2, "Tây"),
    );
    std::fs::write(&config, text).expect("it can be written");
    config
}

/// A person at a browser.
struct Person<'b> {
    browser: &'b Browser,
    /// How they reach the page: `host:port`.
    page: String,
}

impl Person<'_> {
    async fn opens(&self, path: &str) {
        self.browser.open(&format!("http://{}{path}", self.page)).await;
    }

    /// What they read under the heading of the page.
    async fn reads(&self) -> String {
        self.browser.text("body").await
    }

    async fn place(&self) -> String {
        self.browser.script("return location.pathname").await.as_str().expect("a path").to_owned()
    }

    /// Fills fields of the form that holds the last of them, and presses its button; waits for the page that follows.
    async fn sends(&self, fields: &[(&str, &str)], button: &str) {
        let script = format!(
            "window.before = true; let form; for (const [name, value] of {}) {{ \
             const field = document.querySelector(`main [name='${{name}}']`); field.value = value; form = field.form; }} \
             form = form ?? document.querySelector(`{button}`).form; form.requestSubmit(form.querySelector(`{button}`))",
            json!(fields)
        );
        self.browser.script(&script).await;
        self.follows("the page that follows").await;
    }

    async fn follows(&self, what: &str) {
        let there = "return window.before === undefined && document.readyState === 'complete'";
        eventually(what, async || (self.browser.script(there).await == true).then_some(())).await;
    }

    async fn signs_in(&self, name: &str, password: &str) {
        self.sends(&[("name", name), ("password", password)], "button[type=submit]").await;
    }

    /// Presses the button at the top.
    async fn signs_out(&self) {
        self.browser.script("window.before = true; document.querySelector('.person button').click()").await;
        self.follows("the form to sign in").await;
    }

    /// The console has nothing but that a page was refused, which each refused page leaves there: nothing is against our own
    /// policy, and no script fails. Nothing serious is found by axe, from a phone on.
    async fn is_well(&self, look: &str) {
        self.browser.nothing_serious_by_axe().await;
        for width in [360, 1280] {
            self.browser.resize(width, 900).await;
            let wide = self.browser.script("return document.documentElement.scrollWidth > window.innerWidth").await;
            assert_eq!(wide, false, "{look} is wider than {width} pixels");
            if let Some(folder) = std::env::var_os("CAMHEALTH_LOOK") {
                let taken = self
                    .browser
                    .command("goog/cdp/execute", json!({"cmd": "Page.captureScreenshot", "params": {}}))
                    .await;
                let bytes = BASE64_STANDARD.decode(taken["data"].as_str().expect("text")).expect("base64");
                std::fs::write(Path::new(&folder).join(format!("{look}-{width}.png")), bytes).expect("a disk");
            }
        }
        let logs = self.browser.command("se/log", json!({"type": "browser"})).await;
        let refused = |message: &str| message.contains("the server responded with a status of 4");
        let others = logs.as_array().expect("a list").iter().map(|line| line["message"].to_string());
        let others: Vec<String> = others.filter(|message| !refused(message)).collect();
        assert!(others.is_empty(), "{look}: {others:#?}");
    }
}

/// What a command prints, such as a link.
fn command(config: &Path, arguments: &[&str]) -> String {
    let config = config.to_str().expect("letters");
    let output = camhealth(&[arguments, &["--config", config]].concat(), &[]);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The path of a link.
fn path(link: &str) -> String {
    format!("/{}", link.splitn(4, '/').nth(3).expect("a path"))
}

async fn watching(config: &Path, page: SocketAddr) -> Process {
    let mut daemon = Command::new(program());
    daemon.args(["run", "--config"]).arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let daemon = Process::start(&mut daemon);
    eventually("the daemon", async || reqwest::get(format!("http://{page}/-/ready")).await.ok()).await;
    daemon
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_with_a_second_step_see_their_area_and_are_signed_out_everywhere() {
    let (folder, page) = (tempfile::tempdir().expect("a folder"), free_address());
    let config = configuration(folder.path(), page);
    let _daemon = watching(&config, page).await;
    let browser = Browser::start().await;
    let person = Person { browser: &browser, page: page.to_string() };

    // The first administrator's link, good once.
    let link = path(&command(&config, &["users", "add", "admin", "--role", "administrator"]));
    person.opens(&link).await;
    assert!(person.reads().await.contains("Đặt mật khẩu: admin"), "{}", person.reads().await);
    person.is_well("link").await;
    person.sends(&[("password", PASSWORD), ("again", PASSWORD)], "button[type=submit]").await;
    assert_eq!(person.place().await, "/sign-in");
    person.opens(&link).await;
    assert!(person.reads().await.contains("đã được dùng"), "{}", person.reads().await);

    // Whoever comes by a page is brought back to it.
    person.opens("/sites").await;
    person.signs_in("admin", "một câu khác hẳn").await;
    assert!(person.reads().await.contains("Sai tên đăng nhập hoặc mật khẩu"), "{}", person.reads().await);
    person.is_well("wrong-password").await;
    person.signs_in("Admin", PASSWORD).await;
    assert_eq!(person.place().await, "/second-step", "the role must have it");
    assert!(person.reads().await.contains("phải bật bước thứ hai"), "{}", person.reads().await);
    person.is_well("second-step-required").await;

    person.sends(&[("password", PASSWORD)], "button[value=begin]").await;
    let drawn =
        "const box = document.querySelector('.qr').getBoundingClientRect(); return box.width > 150 && box.height > 150";
    assert_eq!(browser.script(drawn).await, true, "it is large enough to be scanned");
    person.is_well("second-step-key").await;
    let seed = browser.text("#seed").await.replace(' ', "");
    person.sends(&[("code", "000000")], "button[value=confirm]").await;
    assert!(person.reads().await.contains("Mã sai"), "{}", person.reads().await);
    let totp = Builder::new().with_secret(Secret::try_from_base32(&seed).expect("base32")).with_account_name("admin");
    let totp = totp.build().expect("an authenticator");
    let now = jiff::Timestamp::now().as_second() as u64;
    person.sends(&[("code", &totp.generate(now).to_string())], "button[value=confirm]").await;
    assert!(person.reads().await.contains("Bước thứ hai đã bật"), "{}", person.reads().await);
    let codes =
        browser.script("return [...document.querySelectorAll('.recovery code')].map((one) => one.innerText)").await;
    let codes: Vec<String> = serde_json::from_value(codes).expect("texts");
    assert_eq!(codes.len(), 10);
    person.is_well("recovery-codes").await;
    person.opens("/").await;
    assert!(person.reads().await.contains("Ngã tư Đông") && person.reads().await.contains("Ngã tư Tây"));
    person.is_well("wall").await;

    // Again, with the second step; the phone is lost.
    person.signs_out().await;
    person.opens("/accounts").await;
    assert_eq!(person.place().await, "/sign-in");
    person.signs_in("admin", PASSWORD).await;
    assert!(person.reads().await.contains("Mã 6 số, hoặc mã dự phòng"), "{}", person.reads().await);
    person.is_well("code").await;
    person.sends(&[("code", "000000")], "button[type=submit]").await;
    assert!(person.reads().await.contains("Mã sai"), "{}", person.reads().await);
    person.sends(&[("code", &codes[0].to_uppercase())], "button[type=submit]").await;
    assert_eq!(person.place().await, "/accounts", "where they wanted to go");
    person.is_well("accounts").await;

    // Signed out everywhere, the page that lives is told no more, and the next one asks who it is.
    person.opens("/").await;
    assert_eq!(command(&config, &["users", "sign-out", "admin"]), "done");
    eventually("the banner", async || {
        (browser.script("return document.getElementById('stale').hidden").await == false).then_some(())
    })
    .await;
    person.opens("/").await;
    assert_eq!(person.place().await, "/sign-in");

    // Somebody of one area.
    let link =
        command(&config, &["users", "add", "hoa", "--role", "officer", "--area", "khu-1", "--full-name", "Bà Hoa"]);
    person.opens(&path(&link)).await;
    person.sends(&[("password", PASSWORD), ("again", PASSWORD)], "button[type=submit]").await;
    person.signs_in("hoa", PASSWORD).await;
    let read = person.reads().await;
    assert!(read.contains("chỉ xem và thao tác trong: Khu Đông") && read.contains("Bà Hoa"), "{read}");
    assert!(read.contains("Ngã tư Đông") && !read.contains("Tây"), "{read}");
    person.is_well("wall-of-an-area").await;
    person.opens("/sites/site-2").await;
    assert!(person.reads().await.contains("Không có"), "{}", person.reads().await);
    person.opens("/settings/roster").await;
    assert!(person.reads().await.contains("thuộc toàn xã"), "{}", person.reads().await);
    person.opens("/").await;
    person.signs_out().await;

    // A screen that nobody signs in at.
    let link = command(&config, &["passes", "screen", "Nhà văn hoá", "--area", "khu-2"]);
    person.opens(&path(&link)).await;
    let read = person.reads().await;
    assert!(person.place().await == "/" && read.contains("Ngã tư Tây") && !read.contains("Đông"), "{read}");
    person.is_well("screen-of-an-area").await;
    person.opens("/accounts").await;
    assert!(person.reads().await.contains("Vai trò của bạn không được"), "{}", person.reads().await);
}

/// Plugs a phone in that knows its owner, or one that does not.
async fn phone(browser: &Browser, knows: bool) -> String {
    let options = json!({
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
        "isUserVerified": knows, "automaticPresenceSimulation": true,
    });
    let added = cdp(browser, "WebAuthn.addVirtualAuthenticator", json!({ "options": options })).await;
    added["authenticatorId"].as_str().expect("an id").to_owned()
}

async fn cdp(browser: &Browser, cmd: &str, params: serde_json::Value) -> serde_json::Value {
    browser.command("goog/cdp/execute", json!({ "cmd": cmd, "params": params })).await
}

/// What the script of the page says of a passkey that was not taken.
async fn trouble(browser: &Browser) -> String {
    eventually("what went wrong", async || {
        let told = browser.script("return document.querySelector('[data-trouble]:not([hidden])')?.textContent").await;
        told.as_str().map(str::to_owned)
    })
    .await
}

/// Chromium checks what it is asked for as any browser does, and its phone signs as any does: with a key that it keeps.
#[tokio::test(flavor = "multi_thread")]
async fn a_phone_signs_in_without_a_password_until_it_is_forgotten() {
    let (folder, page) = (tempfile::tempdir().expect("a folder"), free_address());
    let config = configuration(folder.path(), page);
    let _daemon = watching(&config, page).await;
    let browser = Browser::start().await;
    let person = Person { browser: &browser, page: format!("localhost:{}", page.port()) };
    person.opens(&path(&command(&config, &["users", "add", "admin", "--role", "administrator"]))).await;
    person.sends(&[("password", PASSWORD), ("again", PASSWORD)], "button[type=submit]").await;
    let button = "return document.querySelector('form[data-passkey=show]')?.hidden";
    assert_eq!(browser.script(button).await, serde_json::Value::Null, "nobody has one");
    person.signs_in("admin", PASSWORD).await;
    assert_eq!(person.place().await, "/second-step", "the role must have it");

    person.opens("/passkeys").await;
    assert!(person.reads().await.contains("Chưa có khóa nào"), "{}", person.reads().await);
    person.is_well("passkeys").await;
    cdp(&browser, "WebAuthn.enable", json!({})).await;
    let first = phone(&browser, true).await;
    let make = async |password: &str| {
        let script = format!(
            "const form = document.querySelector('form[data-passkey=make]'); form.label.value = 'điện thoại của An'; \
             form.password.value = {}; window.before = true; form.requestSubmit()",
            json!(password)
        );
        browser.script(&script).await;
    };
    make("một câu khác hẳn").await;
    assert!(trouble(&browser).await.contains("Sai tên đăng nhập hoặc mật khẩu"));
    person.opens("/passkeys").await;
    make(PASSWORD).await;
    person.follows("the passkey").await;
    let read = person.reads().await;
    assert!(read.contains("điện thoại của An") && read.contains("chưa dùng"), "{read}");
    person.is_well("passkey-made").await;
    make(PASSWORD).await;
    assert!(trouble(&browser).await.contains("Máy không đưa ra khóa nào"), "the same phone is not taken twice");

    // Nobody types anything, and the role's second step is in it.
    let show = async || {
        browser.script("window.before = true; document.querySelector('form[data-passkey=show]').requestSubmit()").await;
    };
    person.opens("/passkeys").await;
    person.signs_out().await;
    person.opens("/accounts").await;
    person.is_well("sign-in-by-passkey").await;
    show().await;
    person.follows("the page that they wanted").await;
    assert_eq!(person.place().await, "/accounts", "{}", person.reads().await);
    assert!(person.reads().await.contains("passkey: 1"), "{}", person.reads().await);
    person.opens("/audit").await;
    assert!(person.reads().await.contains("sign_in_by_passkey"), "{}", person.reads().await);
    let counts = cdp(&browser, "WebAuthn.getCredentials", json!({ "authenticatorId": first })).await;
    assert_eq!(counts["credentials"][0]["rpId"], "localhost");

    // A copy of the phone that has signed less often is noticed.
    let mut copy = counts["credentials"][0].clone();
    copy["signCount"] = json!(0);
    person.opens("/").await;
    person.signs_out().await;
    cdp(&browser, "WebAuthn.removeVirtualAuthenticator", json!({ "authenticatorId": first })).await;
    let second = phone(&browser, true).await;
    cdp(&browser, "WebAuthn.addCredential", json!({ "authenticatorId": second, "credential": copy })).await;
    person.opens("/sign-in").await;
    show().await;
    assert!(trouble(&browser).await.contains("Khóa này không đúng"));

    // Somebody who has the phone and not its owner's finger gets nowhere.
    cdp(&browser, "WebAuthn.setUserVerified", json!({ "authenticatorId": second, "isUserVerified": false })).await;
    person.opens("/sign-in").await;
    show().await;
    assert!(trouble(&browser).await.contains("Máy không đưa ra khóa nào"));
    cdp(&browser, "WebAuthn.setUserVerified", json!({ "authenticatorId": second, "isUserVerified": true })).await;

    // An administrator at the machine has it forgotten: it was stolen.
    assert!(command(&config, &["users"]).contains("passkeys: 1"));
    assert_eq!(command(&config, &["users", "passkeys", "admin", "--forget"]), "done");
    let held = reqwest::get(format!("http://{page}/sign-in")).await.expect("an answer").text().await.expect("text");
    assert!(!held.contains("data-passkey"), "nobody has one");
    person.opens("/sign-in").await;
    person.signs_in("admin", PASSWORD).await;
    assert_eq!(person.place().await, "/second-step");
}
