//! Signing in by a provider of OpenID Connect that somebody else wrote, as a browser does it: `oidc-provider`, which is certified.

use crate::support::{Process, Server, camhealth, eventually, free_address, program};
use reqwest::{Client, Response, StatusCode, Url, header, redirect::Policy};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::Mutex,
};
use totp_rs::{Builder, Secret};

const SECRET: &str = "cua-hang-ven-song";
const PASSWORD: &str = "thuyền về bến lúc tảng sáng";

fn configuration(folder: &Path, page: SocketAddr, provider: SocketAddr) -> PathBuf {
    fs::write(folder.join("openid.secret"), SECRET).expect("it can be written");
    let text = format!(
        "[commune]\nname = \"Xã Hải Bình\"\n[web]\nlisten = \"{page}\"\n\
         [web.openid]\nissuer = \"http://{provider}\"\nclient_id = \"camhealth\"\nclient_secret_file = \"openid.secret\"\n\
         name = \"Tài khoản tỉnh\"\n[journal]\npath = \"journal.sqlite3\"\n\
         [[camera]]\nid = \"cam\"\nname = \"Chợ\"\nkind = \"public\"\nrtsp = \"rtsp://127.9.79.1:9/x\"\n\
         [[site]]\nid = \"cho\"\nname = \"Ngã tư Chợ\"\nhamlet = \"Thôn Đông\"\n[[site.view]]\nname = \"về phía cảng\"\ncameras = [\"cam\"]\n"
    );
    let config = folder.join("camhealth.toml");
    fs::write(&config, text).expect("it can be written");
    config
}

fn provider(at: SocketAddr, page: SocketAddr) -> Server {
    let (script, port) = (concat!(env!("CARGO_MANIFEST_DIR"), "/tests/npm/openid.mjs"), at.port().to_string());
    let back = format!("http://{page}/sign-in/openid/back");
    // Two people of one name: the second was given it when the first was renamed.
    Server::start("/usr/bin/env", &["node", script, &port, &back, SECRET, "s7=nguyen.an", "s8=nguyen.an", "s9=le.chi"])
}

/// A browser, as far as cookies and redirects go: cookies of an address are shown to each of its ports, below their path.
struct Browser {
    http: Client,
    cookies: Mutex<Vec<(String, String, String)>>,
}

impl Browser {
    fn new() -> Self {
        let http = Client::builder().redirect(Policy::none()).no_proxy().build().expect("a client");
        Self { http, cookies: Mutex::default() }
    }

    /// One request, without following where it leads; sent again where too many came at once, which nobody types.
    async fn asks(&self, url: &Url, form: Option<&[(&str, &str)]>) -> Response {
        eventually("room for a wish", async || {
            Some(self.asks_once(url, form).await).filter(|answer| answer.status() != StatusCode::TOO_MANY_REQUESTS)
        })
        .await
    }

    async fn asks_once(&self, url: &Url, form: Option<&[(&str, &str)]>) -> Response {
        let request = match form {
            Some(fields) => {
                let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                self.http.post(url.clone()).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
            }
            None => self.http.get(url.clone()),
        };
        let shown: Vec<String> = {
            let cookies = self.cookies.lock().expect("no panic");
            let shown = cookies.iter().filter(|(path, ..)| url.path().starts_with(path.as_str()));
            shown.map(|(_, name, value)| format!("{name}={value}")).collect()
        };
        let answer = request.header(header::COOKIE, shown.join("; ")).send().await.expect("an answer");
        let mut cookies = self.cookies.lock().expect("no panic");
        for line in answer.headers().get_all(header::SET_COOKIE) {
            let line = line.to_str().expect("letters");
            let (name, value) = line.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            let part = line.split(';').map(str::trim).find(|part| part.to_lowercase().starts_with("path="));
            let path = part.map_or("/", |part| &part[5..]).to_owned();
            cookies.retain(|(at, known, _)| !(*at == path && known == name));
            if !value.is_empty() {
                cookies.push((path, name.to_owned(), value.to_owned()));
            }
        }
        drop(cookies);
        answer
    }

    /// From our button to the provider's form, through it as `subject`; the address that it sends the browser back to.
    async fn vouched(&self, page: SocketAddr, subject: &str) -> Url {
        let mut at = self.begins(page).await;
        for _ in 0..12 {
            let answer = self.asks(&at, None).await;
            if answer.status().is_redirection() {
                at = leads(&at, &answer);
            } else {
                let form = answer.text().await.expect("text");
                let login = form.contains("name=\"login\"");
                let fields: &[(&str, &str)] = match login {
                    true => &[("prompt", "login"), ("login", subject), ("password", "x")],
                    false => &[("prompt", "consent")],
                };
                let answer = self.asks(&at, Some(fields)).await;
                at = leads(&at, &answer);
            }
            if at.path() == "/sign-in/openid/back" {
                return at;
            }
        }
        panic!("the provider never led back: {at}");
    }

    /// Presses the button; where it leads.
    async fn begins(&self, page: SocketAddr) -> Url {
        let form = Url::parse(&format!("http://{page}/sign-in?to=/sites")).expect("a URL");
        let text = self.asks(&form, None).await.text().await.expect("text");
        assert!(text.contains("Đăng nhập bằng Tài khoản tỉnh"), "{text}");
        let start = text.find("/sign-in/openid?").expect("a button");
        let link = text[start..].split('"').next().expect("its end").replace("&amp;", "&").replace("&#38;", "&");
        let button = form.join(&link).expect("a URL");
        let answer = self.asks(&button, None).await;
        assert_eq!(answer.status(), 303, "{link}");
        leads(&button, &answer)
    }

    /// Turns a second step on, as whoever is signed in; a code that counts once it is on.
    async fn sets_up_second_step(&self, page: SocketAddr) -> String {
        let at = Url::parse(&format!("http://{page}/second-step")).expect("a URL");
        let token = value(&self.asks(&at, None).await.text().await.expect("text"), "csrf");
        let begin = [("csrf", token.as_str()), ("deed", "begin"), ("password", PASSWORD)];
        let text = self.asks(&at, Some(&begin)).await.text().await.expect("text");
        let seed = text.split("id=\"seed\">").nth(1).and_then(|rest| rest.split('<').next()).expect("a seed");
        let secret = Secret::try_from_base32(seed.replace(' ', "")).expect("base32");
        let totp = Builder::new().with_secret(secret).with_account_name("an").build().expect("an authenticator");
        let code = |later: u64| totp.generate(jiff::Timestamp::now().as_second() as u64 + later).to_string();
        let confirm = [("csrf", token.as_str()), ("deed", "confirm"), ("code", &code(0))];
        assert_eq!(self.asks(&at, Some(&confirm)).await.status(), 200);
        // Of the next step of time, which is taken for clocks that differ: this one's counted.
        code(30)
    }

    async fn sees(&self, page: SocketAddr, path: &str) -> (u16, String) {
        let answer = self.asks(&Url::parse(&format!("http://{page}{path}")).expect("a URL"), None).await;
        (answer.status().as_u16(), answer.text().await.expect("text"))
    }
}

fn leads(from: &Url, answer: &Response) -> Url {
    let to = answer.headers().get(header::LOCATION).unwrap_or_else(|| panic!("{from} leads nowhere: {answer:?}"));
    from.join(to.to_str().expect("letters")).expect("a URL")
}

fn field(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).expect("it is there")
}

fn with(url: &Url, name: &str, value: &str) -> Url {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let mut changed = url.clone();
    let other = |key: String, old: String| if key == name { (key, value.to_owned()) } else { (key, old) };
    changed.query_pairs_mut().clear().extend_pairs(pairs.into_iter().map(|(key, old)| other(key, old)));
    changed
}

/// What a field of a form holds.
fn value(page: &str, name: &str) -> String {
    let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_else(|| panic!("no {name}: {page}"));
    rest.split('"').next().expect("its end").to_owned()
}

async fn said(answer: Response) -> (u16, String) {
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

fn command(config: &Path, arguments: &[&str]) -> String {
    let arguments = &[arguments, &["--config", config.to_str().expect("letters")]].concat();
    let is_early = |output: &Output| String::from_utf8_lossy(&output.stderr).contains("too many requests");
    // It shares its address with the browsers, and waits its turn as they do.
    let output = (0..1000).map(|_| camhealth(arguments, &[])).find(|output| !is_early(output)).expect("its turn");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_provider_vouches_for_signs_in_to_their_own_account_and_a_password_works_without_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (page, at) = (free_address(), free_address());
    let config = configuration(folder.path(), page, at);
    let log = folder.path().join("log");
    let mut daemon = Command::new(program());
    daemon.args(["run", "--config"]).arg(&config).env("RUST_LOG", "trace").stdin(Stdio::null());
    daemon
        .stdout(fs::File::create(&log).expect("a file"))
        .stderr(fs::File::options().append(true).open(&log).expect("it"));
    let _daemon = Process::start(&mut daemon);
    eventually("the daemon", async || reqwest::get(format!("http://{page}/-/ready")).await.ok()).await;
    let mut provider = provider(at, page);

    // Nobody has an account for that name yet.
    let stranger = Browser::new();
    let back = stranger.vouched(page, "s7").await;
    let (status, text) = said(stranger.asks(&back, None).await).await;
    assert!(status == 403 && text.contains("Bạn chưa có tài khoản ở đây"), "{status} {text}");
    assert_eq!(stranger.sees(page, "/sites").await.0, 401);

    let link = command(&config, &["users", "add", "an", "--role", "officer", "--openid", "nguyen.an"]);
    assert!(command(&config, &["users"]).contains("by the provider, not come yet: nguyen.an"));
    let join = Url::parse(&link).expect("a link");
    let chosen = Browser::new().asks(&join, Some(&[("password", PASSWORD), ("again", PASSWORD)])).await;
    assert_eq!(chosen.status(), 303);

    // The good way, and where they wanted to go.
    let an = Browser::new();
    let back = an.vouched(page, "s7").await;
    // Of another state, or in another browser, nothing comes of it, and it is not used up by that.
    let (status, text) = said(an.asks(&with(&back, "state", "x"), None).await).await;
    assert!(status == 403 && text.contains("bắt đầu ở trình duyệt khác"), "{status} {text}");
    assert_eq!(Browser::new().asks(&back, None).await.status(), 403);
    let answer = an.asks(&back, None).await;
    assert_eq!((answer.status().as_u16(), leads(&back, &answer).path()), (303, "/sites"));
    let (status, text) = an.sees(page, "/sites").await;
    assert!(status == 200 && text.contains("Ngã tư Chợ"), "{status} {text}");
    assert_eq!(an.sees(page, "/accounts").await.0, 403, "an officer's rights, whoever vouched");
    assert!(command(&config, &["users"]).contains("by the provider: nguyen.an"));

    // Again: the state was used; with a new one the provider knows the code as used.
    let (status, text) = said(an.asks(&back, None).await).await;
    assert!(status == 403 && text.contains("đã dùng rồi"), "{status} {text}");
    let mallory = Browser::new();
    let state = field(&mallory.begins(page).await, "state");
    let (status, text) = said(mallory.asks(&with(&back, "state", &state), None).await).await;
    assert!(status == 403 && text.contains("không xác nhận được bạn"), "{status} {text}");
    assert_eq!(mallory.sees(page, "/sites").await.0, 401);

    // Another person who has that name now is not An; An comes back as themselves.
    let other = Browser::new();
    let back_of_other = other.vouched(page, "s8").await;
    let (status, text) = said(other.asks(&back_of_other, None).await).await;
    assert!(status == 403 && text.contains("Bạn chưa có tài khoản ở đây"), "{status} {text}");
    let again = Browser::new();
    let back_again = again.vouched(page, "s7").await;
    assert_eq!(again.asks(&back_again, None).await.status(), 303);

    // With a second step, the provider is in place of the password alone.
    let totp = again.sets_up_second_step(page).await;
    let careful = Browser::new();
    let back_careful = careful.vouched(page, "s7").await;
    let (status, form) = said(careful.asks(&back_careful, None).await).await;
    assert!(status == 200 && form.contains("Mã 6 số, hoặc mã dự phòng"), "{status} {form}");
    assert_eq!(careful.sees(page, "/sites").await.0, 401, "half a sign-in is none");
    let code = |text: String| {
        [("name", "an".to_owned()), ("half", value(&form, "half")), ("to", "/sites".into()), ("code", text)]
    };
    let form_of_code = Url::parse(&format!("http://{page}/sign-in/code")).expect("a URL");
    for (text, status) in [("000000".to_owned(), 403), (totp, 303)] {
        let fields = code(text);
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(careful.asks(&form_of_code, Some(&fields)).await.status(), status);
    }
    assert_eq!(careful.sees(page, "/sites").await.0, 200);
    assert_eq!(command(&config, &["users", "second-step", "an", "--off"]), "done");

    // Without the provider: words, and the password.
    let state = field(&other.begins(page).await, "state");
    provider.kill();
    let (status, text) = said(other.asks(&with(&back, "state", &state), None).await).await;
    assert!(status == 503 && text.contains("không trả lời"), "{status} {text}");
    let emergency = Browser::new();
    let form = Url::parse(&format!("http://{page}/sign-in")).expect("a URL");
    let answer = emergency.asks(&form, Some(&[("name", "an"), ("password", PASSWORD), ("to", "/sites")])).await;
    assert_eq!(answer.status(), 303);
    assert_eq!(emergency.sees(page, "/sites").await.0, 200);

    // By the provider no more: whoever came by it is out.
    assert_eq!(command(&config, &["users", "openid", "an", "--off"]), "done");
    assert_eq!(an.sees(page, "/sites").await.0, 401);

    let trail = command(&config, &["audit"]);
    for told in ["sign_in_by_provider", "s7 at http://", "sign_in ", "provider"] {
        assert!(trail.contains(told), "{told}: {trail}");
    }
    let log = fs::read_to_string(log).expect("it is there");
    assert!(log.contains("nobody was signed in by the provider"), "{log}");
    for secret in [SECRET, PASSWORD, &field(&back, "code"), &field(&back, "state"), "eyJ"] {
        assert!(!log.contains(secret) && !trail.contains(secret), "{secret} is told");
    }
}
