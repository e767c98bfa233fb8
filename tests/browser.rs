//! The real page in a real Chromium, driven over WebDriver: live without a reload, in both languages, on a phone too.

use crate::{
    daemon::World,
    editing::Editing,
    support::{PATIENCE, Process, eventually, eventually_or, eventually_within, free_address, program, require, tool},
};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A browser window.
pub struct Browser {
    driver: Child,
    session: String,
    http: reqwest::Client,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub async fn start() -> Self {
        require("/usr/bin/chromium");
        require("/usr/bin/chromedriver");
        let listen = free_address();
        let driver = Command::new("/usr/bin/chromedriver")
            .arg(format!("--port={}", listen.port()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // The browser that it starts outlives it, and is ended with the group.
            .process_group(0)
            .spawn()
            .expect("it starts");
        let profile = tempfile::tempdir().expect("a folder");
        let mut arguments: Vec<String> = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
        ]
        .map(str::to_owned)
        .into();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": "/usr/bin/chromium", "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let http = reqwest::Client::new();
        let base = format!("http://{listen}/session");
        let session = eventually("a browser", async || {
            let request = http.post(&base).body(capabilities.to_string());
            let answer: Value = serde_json::from_str(&request.send().await.ok()?.text().await.ok()?).ok()?;
            Some(format!("{base}/{}", answer["value"]["sessionId"].as_str()?))
        })
        .await;
        Self { driver, session, http, _profile: profile }
    }

    pub async fn command(&self, path: &str, body: Value) -> Value {
        let answer = self.asked(path, body).await;
        assert!(answer["error"].is_null(), "{path}: {answer:#}");
        answer
    }

    /// What the driver answers, an error too.
    async fn asked(&self, path: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}/{path}", self.session)).body(body.to_string());
        let text = request.send().await.expect("an answer").text().await.expect("text");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        answer["value"].clone()
    }

    pub async fn open(&self, url: &str) {
        self.command("url", json!({"url": url})).await;
    }

    pub async fn script(&self, script: &str) -> Value {
        self.command("execute/sync", json!({"script": script, "args": []})).await
    }

    /// What is read in the first element of a selector; nothing while one page gives way to the next.
    pub async fn text(&self, selector: &str) -> String {
        let script = format!("return document.querySelector('{selector}')?.innerText ?? ''");
        let found = self.asked("execute/sync", json!({"script": script, "args": []})).await;
        found.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until all of this is read in the first element of a selector; says what is read there where it never is.
    pub async fn reads(&self, selector: &str, wanted: &[&str]) {
        let what = format!("{wanted:?} in {selector}:");
        eventually_or(PATIENCE, &what, async || {
            let text = self.text(selector).await;
            if wanted.iter().all(|part| text.contains(part)) { Ok(()) } else { Err(text) }
        })
        .await;
    }

    pub async fn resize(&self, width: u32, height: u32) {
        let script = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params":
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}});
        self.command("goog/cdp/execute", script).await;
    }

    /// From a phone to a 4K wall nothing is wider than the screen, and the console is empty.
    async fn fits_screens_without_a_complaint(&self) {
        for (width, height) in [(360, 800), (1920, 1080), (3840, 2160)] {
            self.resize(width, height).await;
            let wide = self.script("return document.documentElement.scrollWidth > window.innerWidth").await;
            assert_eq!(wide, false, "the page is wider than {width} pixels");
        }
        self.nothing_serious_by_axe().await;
        let logs = self.command("se/log", json!({"type": "browser"})).await;
        assert_eq!(logs.as_array().expect("a list").len(), 0, "{logs:#}");
    }
}

impl Browser {
    /// axe-core finds nothing serious, on a phone and on a desk, light and dark.
    pub async fn nothing_serious_by_axe(&self) {
        let axe = std::fs::read_to_string(tool("target/test-npm/node_modules/axe-core/axe.min.js")).expect("a file");
        self.script(&axe).await;
        for (width, scheme) in [(360, "dark"), (360, "light"), (1280, "dark"), (1280, "light")] {
            self.resize(width, 900).await;
            let scheme = json!([{"name": "prefers-color-scheme", "value": scheme}]);
            let media = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": scheme}});
            self.command("goog/cdp/execute", media).await;
            let run = "const done = arguments[arguments.length - 1]; \
                       document.querySelectorAll('details').forEach((one) => one.open = true); \
                       axe.run().then((found) => done(found.violations \
                       .filter((one) => ['serious', 'critical'].includes(one.impact)) \
                       .map((one) => [one.id, one.help, one.nodes.slice(0, 3).map((node) => node.html)])), \
                       (error) => done(String(error)))";
            let found = self.command("execute/async", json!({"script": run, "args": []})).await;
            assert_eq!(found, json!([]), "{width} pixels: {found:#}");
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let group = i32::try_from(self.driver.id()).ok().and_then(Pid::from_raw);
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
        let _ = self.driver.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wall_is_live_bilingual_and_fits_a_phone() {
    let world = World::new().await;
    let mut daemon = Some(world.start());
    world.metric("camhealth_coverage_ratio", 1.0).await;
    let browser = Browser::start().await;
    browser.open(&format!("http://{}/", world.page)).await;
    assert_eq!(browser.text("html").await.matches("Ngã tư Chợ").count(), 1, "a tile for each site");
    assert!(browser.text(".site").await.contains("đủ"));
    assert!(browser.text(".headline").await.contains("100"));

    // Without a reload: the mark would be gone.
    browser.script("window.mark = 'the same page'").await;
    world.break_camera(1).await;
    eventually("the lost view on the wall", async || {
        browser.text(".site.critical").await.contains("về phía cảng").then_some(())
    })
    .await;
    assert!(browser.text(".camera.down").await.contains("cổng RTSP đóng"));
    assert_eq!(browser.script("return window.mark").await, "the same page");
    assert_eq!(browser.script("return document.getElementById('stale').hidden").await, true);

    browser.open(&format!("http://{}/?lang=en", world.page)).await;
    assert!(browser.text(".site.critical").await.contains("Views lost: về phía cảng"));
    assert!(browser.text(".camera.down").await.contains("the RTSP port is closed"));

    browser.fits_screens_without_a_complaint().await;

    // Old figures must not look fresh.
    daemon.take();
    eventually("the banner", async || {
        (browser.script("return document.getElementById('stale').hidden").await == false).then_some(())
    })
    .await;
    assert!(browser.text("#stale").await.contains("Connection to the monitor lost"));
}

/// A commune whose cameras all refuse: each site is blind and its tile as large as it gets.
fn dark(folder: &Path, page: SocketAddr, sites: usize) -> PathBuf {
    let site = |number: usize| {
        format!(
            "[[camera]]\nid = \"cam-{number}\"\nname = \"Ngã tư Đê biển {number}, về phía cảng\"\nkind = \"public\"\n\
             rtsp = \"rtsp://127.9.77.{}:9/x\"\n\
             [[site]]\nid = \"site-{number}\"\nname = \"Ngã tư Đê biển số {number}\"\nhamlet = \"Thôn Hải\"\n\
             {}location = \"19.{number:03}, 105.8\"\n[[site.view]]\nname = \"về phía cảng cá\"\ncameras = [\"cam-{number}\"]\n",
            number + 1,
            if sites > 60 { format!("area = \"khu-{}\"\n", number % 5) } else { String::new() },
        )
    };
    let area = |number: usize| format!("[[area]]\nid = \"khu-{number}\"\nname = \"Xã Hải Bình {number} cũ\"\n");
    let (areas, sites): (String, String) = ((0..5).map(area).collect(), (0..sites).map(site).collect());
    let config = folder.join("camhealth.toml");
    let text = format!(
        "[commune]\nname = \"Xã Thử\"\n[web]\nlisten = \"{page}\"\nsign_in = false\n[journal]\npath = \"journal.sqlite3\"\n\
         [schedule]\nconfirm_every = \"1s\"\ndown_every = \"5s\"\n\
         public = {{ liveness = \"1s\", stream = \"5s\", device = \"1h\" }}\n{areas}{sites}"
    );
    std::fs::write(&config, text).expect("it can be written");
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wall_of_14_sites_and_one_of_150_fit_a_screen_of_1080_lines() {
    let browser = Browser::start().await;
    for sites in [14, 150] {
        let (folder, page) = (tempfile::tempdir().expect("a folder"), free_address());
        let config = dark(folder.path(), page, sites);
        let mut command = Command::new(program());
        command.args(["run", "--config"]).arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let _daemon = Process::start(&mut command);
        let count = |selector: &str| format!("return document.querySelectorAll('{selector}').length");
        eventually("a wall on which all is dark", async || {
            reqwest::get(format!("http://{page}/-/ready")).await.ok()?;
            browser.open(&format!("http://{page}/")).await;
            (browser.script(&count(".site.blind")).await == sites).then_some(())
        })
        .await;
        browser.resize(1920, 1080).await;
        let lowest = "return Math.max(...[...document.querySelectorAll('.site')]\
                      .map((one) => one.getBoundingClientRect().bottom)) <= window.innerHeight";
        assert_eq!(browser.script(lowest).await, true, "a wall of {sites} sites needs scrolling");
        assert_eq!(browser.script(&count(".part")).await, if sites > 60 { 5 } else { 0 });
        browser.fits_screens_without_a_complaint().await;
        if sites < 60 {
            // A page that listens would complain of the daemon's end.
            browser.open("about:blank").await;
            continue;
        }
        browser.open(&format!("http://{page}/areas/khu-3")).await;
        assert!(browser.text("h2").await.starts_with("Xã Hải Bình 3 cũ"), "{}", browser.text("main").await);
        assert_eq!(browser.script(&count(".site")).await, 30);
        browser.fits_screens_without_a_complaint().await;
        // A search without diacritics, by the form; and what was typed stays while the list lives.
        browser.open(&format!("http://{page}/cameras")).await;
        let search = "const [form] = document.forms; form.q.value = 'BIEN 14 cang'; form.area.value = 'khu-4'; form.requestSubmit()";
        browser.script(search).await;
        eventually("what was searched", async || (browser.script(&count(".camera")).await == 4).then_some(())).await;
        browser.fits_screens_without_a_complaint().await;
        browser.script("document.forms[0].q.value = 'typed'; document.querySelector('#cameras').mark = 1").await;
        let before = browser.script("return document.querySelector('main').innerText").await;
        eventually("news of a camera", async || {
            (browser.script("return document.querySelector('main').innerText").await != before).then_some(())
        })
        .await;
        let kept = "return [document.forms[0].q.value, document.querySelector('#cameras').mark]";
        assert_eq!(browser.script(kept).await, json!(["typed", 1]), "only what changed is changed");
        browser.open(&format!("http://{page}/sites?lang=en&level=blind&sort=name&page=2")).await;
        assert_eq!(browser.script(&count("tbody tr")).await, 50);
        browser.fits_screens_without_a_complaint().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cameras_page_explains_it_live_and_fits_a_phone() {
    let world = World::new().await;
    let _daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    let browser = Browser::start().await;
    browser.open(&format!("http://{}/", world.page)).await;
    browser
        .script("document.querySelector('#well').open = true; document.querySelector('#camera-cam-1 a').click()")
        .await;
    eventually("the camera's page", async || browser.text(".reasons").await.contains("Hoạt động từ").then_some(()))
        .await;

    browser.script("window.mark = 'the same page'").await;
    world.break_camera(1).await;
    eventually("the reasons on the page", async || {
        browser.text(".reasons").await.contains("3 lần kiểm tra hỏng liên tiếp").then_some(())
    })
    .await;
    assert_eq!(browser.script("return window.mark").await, "the same page");
    let page = browser.text("main").await;
    assert!(page.contains("Bật lại dịch vụ RTSP"), "what to do: {page}");
    assert!(page.contains("Hạn mức"), "{page}");
    // While a look is under way the next is not yet planned.
    eventually("the next look", async || browser.text("main").await.contains("kiểm tra phản hồi lúc").then_some(()))
        .await;
    assert!(!page.contains("canary") && !page.contains("/sub"), "neither login nor path: {page}");

    browser.open(&format!("http://{}/cameras/cam-1?lang=en", world.page)).await;
    assert!(browser.text(".reasons").await.contains("3 failed looks in a row"));
    browser.fits_screens_without_a_complaint().await;
}

/// Minutes are written when they are over, and what is read of weeks is shown for five.
const SLOW: Duration = Duration::from_secs(150);

#[tokio::test(flavor = "multi_thread")]
async fn the_time_before_now_is_drawn_and_told_on_pages_that_live() {
    let world = World::new().await;
    let _daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    world.break_camera(1).await;
    world.metric("camhealth_incidents_open{cause=\"site\"}", 1.0).await;
    let browser = Browser::start().await;
    let title = "return [...document.querySelectorAll('.past-bar title')].pop()?.textContent ?? ''";
    for (path, pieces, told) in [
        ("/cameras/cam-1?lang=vi", 48, "hỏng: cổng RTSP đóng"),
        ("/cameras/cam-1?range=7d&lang=en", 84, "down: the RTSP port is closed"),
        ("/sites/cho?range=30d&lang=vi", 90, "nguy cấp: cổng RTSP đóng"),
        ("/?range=24h&lang=en", 48, "critical"),
    ] {
        // What was read is shown for some seconds.
        eventually_within(SLOW, "what was down", async || {
            browser.open(&format!("http://{}{path}", world.page)).await;
            browser.script(title).await.as_str().filter(|title| title.contains(told)).map(|_| ())
        })
        .await;
        let count = "return document.querySelectorAll('.past-bar rect').length";
        assert_eq!(browser.script(count).await, pieces, "{path}");
        browser.fits_screens_without_a_complaint().await;
        browser.script("document.querySelector('#past-table').open = true").await;
        assert!(browser.text("#past-table").await.contains(told), "{path}: {}", browser.text("#past").await);
    }
    assert_eq!(browser.script("return document.querySelectorAll('.site .mini').length > 0").await, true);
    // Another range by its link, and the choice stays in the other language.
    browser.script("document.querySelector('.ranges a:last-child').click()").await;
    eventually("thirty days", async || {
        (browser.script("return document.querySelectorAll('.past-bar rect').length").await == 90).then_some(())
    })
    .await;
    let other = browser.script("return document.querySelector('.top > a').href").await;
    assert!(other.as_str().expect("an address").contains("range=30d"), "{other}");
    // What looks measured appears when its minute is over.
    eventually_within(SLOW, "a plot", async || {
        browser.open(&format!("http://{}/cameras/cam-2?lang=vi", world.page)).await;
        browser
            .script("return document.querySelector('.plot.measured')?.getAttribute('aria-label') ?? ''")
            .await
            .as_str()
            .filter(|label| label.contains("hình/giây"))
            .map(|_| ())
    })
    .await;
    browser.fits_screens_without_a_complaint().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_taken_on_and_silenced_from_its_page() {
    let world = World::new().await;
    let _daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    world.break_camera(1).await;
    world.metric("camhealth_incidents_open{cause=\"site\"}", 1.0).await;
    let browser = Browser::start().await;
    browser.open(&format!("http://{}/", world.page)).await;
    browser.reads(".incidents", &["#1 · Ngã tư Chợ nguy cấp"]).await;
    browser.script("document.querySelector('.incidents a').click()").await;
    eventually("the incident's page", async || browser.text("h2").await.contains("Sự cố #1: Ngã tư Chợ").then_some(()))
        .await;
    browser.fits_screens_without_a_complaint().await;

    // A name is needed; the browser itself says so.
    let fill = "const [form] = document.forms; form.by.value = 'Trung úy An'; form.requestSubmit()";
    browser.script(fill).await;
    eventually("who took it on", async || browser.text(".taken").await.starts_with("Trung úy An, ").then_some(()))
        .await;
    // What happened comes by itself, and stands there in order.
    let entries = "return [...document.querySelectorAll('#entries th')].map((cell) => cell.textContent).join(', ')";
    eventually("the timeline", async || {
        let told = browser.script(entries).await;
        told.as_str()
            .filter(|told| told.starts_with("Xác định sự cố, ") && told.contains("Đã có người nhận"))
            .map(|_| ())
    })
    .await;
    browser.reads("#entries", &["Đã gửi", "hook", "Trung úy An, trên trang này"]).await;
    browser.fits_screens_without_a_complaint().await;
    // It is found on its list, by a name without marks.
    browser.open(&format!("http://{}/incidents?q=nga+tu&level=critical&lang=en", world.page)).await;
    browser.reads("#incidents", &["#1 · Ngã tư Chợ"]).await;
    browser.fits_screens_without_a_complaint().await;
    browser.script("document.querySelector('#incidents a').click()").await;
    eventually("its page", async || browser.text("h2").await.contains("Incident #1").then_some(())).await;
    let fill = "const [form] = document.forms; form.author.value = 'An'; form.reason.value = 'thay camera'; form.requestSubmit()";
    browser.script(fill).await;
    world.metric("camhealth_maintenance_windows_open", 1.0).await;
    browser.open(&format!("http://{}/", world.page)).await;
    browser.reads(".windows", &["An: thay camera"]).await;
    browser.reads(".incidents", &["Người nhận: Trung úy An"]).await;
    browser.fits_screens_without_a_complaint().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_the_map_and_reports_are_pages_of_both_languages() {
    let world = World::new().await;
    let _daemon = world.start();
    world.metric("camhealth_coverage_ratio", 1.0).await;
    let browser = Browser::start().await;
    browser.open(&format!("http://{}/", world.page)).await;
    browser.script("document.querySelector('.menu a[href^=\"/map\"]').click()").await;
    eventually("the map", async || browser.text("h2").await.starts_with("Bản đồ").then_some(())).await;
    let label = "return document.querySelector('.mark').getAttribute('aria-label')";
    assert_eq!(browser.script(label).await, "Ngã tư Chợ: đủ");

    // The map and the site's page live too.
    browser.script("window.mark = 'the same page'").await;
    world.break_camera(1).await;
    eventually("the lost view on the map", async || {
        (browser.script(label).await == "Ngã tư Chợ: nguy cấp").then_some(())
    })
    .await;
    assert_eq!(browser.script("return window.mark").await, "the same page");
    browser.fits_screens_without_a_complaint().await;

    // A keyboard is enough.
    browser.script("document.querySelector('.mark').focus()").await;
    let enter = json!({"actions": [{"type": "key", "id": "keys", "actions": [
        {"type": "keyDown", "value": "\u{e007}"}, {"type": "keyUp", "value": "\u{e007}"}]}]});
    browser.command("actions", enter).await;
    eventually("the site's page", async || browser.text("h2").await.contains("Ngã tư Chợ").then_some(())).await;
    let page = browser.text("main").await;
    assert!(page.contains("về phía cảng mất") && page.contains("vào chợ quan sát được"), "{page}");
    browser.fits_screens_without_a_complaint().await;
    browser.open(&format!("http://{}/sites/cho?lang=en", world.page)).await;
    assert!(browser.text("main").await.contains("về phía cảng lost"), "{}", browser.text("main").await);

    browser.open(&format!("http://{}/reports?lang=en", world.page)).await;
    let page = browser.text("main").await;
    for part in
        ["Uptime report", "Service availability", "Contractor\u{2019}s share", "Measured", "Where the time went"]
    {
        assert!(page.contains(&part.replace('\u{2019}', "'")), "{part}: {page}");
    }
    browser.fits_screens_without_a_complaint().await;
    browser.open(&format!("http://{}/reports?lang=vi", world.page)).await;
    assert!(browser.text("main").await.contains("Mức sẵn sàng"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roster_is_edited_on_its_page_and_seen_on_the_wall() {
    let world = Editing::new("2099-12-31");
    let _daemon = world.start().await;
    let browser = Browser::start().await;
    let page = |path: &str| format!("http://{}{path}", world.page);
    browser.open(&page("/")).await;
    let on_call = browser.text(".oncall").await;
    let (now, next) = match on_call.contains("Trung úy An") {
        true => ("an", "binh"),
        false => ("binh", "an"),
    };
    let name = |id: &str| if id == "an" { "Trung úy An" } else { "Thiếu úy Bình" };
    assert!(on_call.contains(name(now)), "{on_call}");

    browser.script("document.querySelector('.menu a[href^=\"/settings\"]').click()").await;
    eventually("the settings", async || (browser.text("h2").await == "Thiết lập").then_some(())).await;
    browser.fits_screens_without_a_complaint().await;
    browser.script("document.querySelector('.subjects a[href^=\"/settings/roster\"]').click()").await;
    eventually("the roster", async || (browser.text("h2").await == "Lịch trực").then_some(())).await;
    assert!(browser.text(".origin").await.contains("camhealth.toml:"), "{}", browser.text(".origin").await);
    browser.fits_screens_without_a_complaint().await;

    // Nobody takes turns: that is refused in the words of `camhealth check`, and what was typed stays.
    let choose = |first: &str, days: &str| {
        format!(
            "const all = document.querySelectorAll('select[name=people]'); all.forEach((one) => one.value = ''); \
             all[0].value = '{first}'; document.querySelector('input[name=days]').value = '{days}'; \
             document.querySelector('button[value=save]').click()"
        )
    };
    browser.script(&choose("", "3")).await;
    eventually("a refusal", async || browser.text(".refused").await.contains("Chưa lưu").then_some(())).await;
    let told = browser.text(".refused").await;
    assert!(told.contains("[rotation]: people: names nobody"), "{told}");
    assert_eq!(browser.script("return document.querySelector('input[name=days]').value").await, "3");

    // The console says that it was refused; that is the only complaint.
    let logs = browser.command("se/log", json!({"type": "browser"})).await;
    assert_eq!(logs.as_array().map(Vec::len), Some(1), "{logs:#}");

    // Whoever has the next turn takes all of them.
    browser.script(&choose(next, "3")).await;
    eventually("it is saved", async || browser.text(".origin").await.contains("Sửa bởi").then_some(())).await;
    let week = browser.text(".week").await;
    assert!(week.contains(name(next)) && !week.contains(name(now)), "{week}");
    browser.open(&page("/")).await;
    let on_call = browser.text(".oncall").await;
    assert!(on_call.contains(name(next)) && !on_call.contains(name(now)), "{on_call}");

    // As in the file again, from a page in English.
    browser.open(&page("/settings/roster?lang=en")).await;
    browser.script("document.querySelector('button[value=back]').click()").await;
    eventually("it is taken back", async || {
        browser.text(".origin").await.starts_with("From camhealth.toml").then_some(())
    })
    .await;
    browser.open(&page("/")).await;
    assert!(browser.text(".oncall").await.contains(name(now)));

    // Somebody stands in, from a form of its own.
    browser.open(&page("/settings/stand-ins")).await;
    browser.fits_screens_without_a_complaint().await;
    let stand_in = format!(
        "const set = (name, value) => document.querySelector('[name=' + name + ']').value = value; \
         set('person', '{next}'); set('from', '2026-01-01T07:00'); set('until', '2099-12-31T07:00'); \
         set('reason', 'ốm dài ngày'); document.querySelector('button[value=save]').click()"
    );
    browser.script(&stand_in).await;
    eventually("it stands there", async || browser.text("main").await.contains("ốm dài ngày").then_some(())).await;
    browser.open(&page("/")).await;
    assert!(browser.text(".oncall").await.contains(name(next)));
    for path in
        ["/settings/people", "/settings/consent", "/settings/maintenance", "/settings/sites", "/settings/cameras"]
    {
        browser.open(&page(path)).await;
        assert!(browser.script("return document.querySelectorAll('.setting').length > 0").await == true, "{path}");
        browser.fits_screens_without_a_complaint().await;
    }
    // Something is silenced for now, and that is ended again.
    browser.open(&page("/settings/maintenance")).await;
    let silence = "const form = document.querySelector('form[action^=\"/settings/silences\"]'); \
                   form.scope.value = 'site:cho'; form.author.value = 'An'; form.reason.value = 'sửa điện'; \
                   form.querySelector('button').click()";
    browser.script(silence).await;
    eventually("it is silenced", async || browser.text("main").await.contains("sửa điện (An)").then_some(())).await;
    browser.fits_screens_without_a_complaint().await;
    browser.script("document.querySelector('form[action$=\"/end?lang=vi\"] button').click()").await;
    eventually("it is ended", async || (!browser.text("main").await.contains("sửa điện (An)")).then_some(())).await;
}
