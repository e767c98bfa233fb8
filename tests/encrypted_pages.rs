//! Pages and metrics over TLS by the real program: a real Prometheus proves who it is, certificates are renewed, and plain
//! HTTP is shown the way.

use crate::support::{Process, Prometheus, camhealth, eventually, fixture, free_address, program};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use reqwest::tls::TlsInfo;
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A daemon whose pages are encrypted.
struct Encrypted {
    folder: tempfile::TempDir,
    page: SocketAddr,
    http: reqwest::Client,
    _daemon: Process,
}

/// Writes a new certificate and its key.
pub fn issue(folder: &Path, name: &str) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    fs::write(folder.join(name).with_extension("key"), made.signing_key.serialize_pem()).expect("a disk");
    fs::write(folder.join(name).with_extension("crt"), made.cert.pem()).expect("a disk");
}

/// An authority, and what it has certified under a name: its certificate, the other's, and the other's key.
pub fn authority(name: &str) -> [(&'static str, String); 3] {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = params.self_signed(&key).expect("a certificate");
    let issuer = Issuer::new(params, key);
    let clients = KeyPair::generate().expect("a key");
    let client = CertificateParams::new([name.to_owned()]).expect("parameters");
    let client = client.signed_by(&clients, &issuer).expect("a certificate");
    [("authority.crt", authority.pem()), ("client.crt", client.pem()), ("client.key", clients.serialize_pem())]
}

impl Encrypted {
    fn start(web_config: &str, files: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        issue(folder.path(), "page");
        let page = free_address();
        let config = fixture("encrypted.toml", &[("page", &page.to_string())]);
        fs::write(folder.path().join("camhealth.toml"), config).expect("a disk");
        fs::write(folder.path().join("web-config.yml"), web_config).expect("a disk");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("a disk");
        }
        let log = fs::File::create(folder.path().join("log")).expect("a file");
        let mut command = Command::new(program());
        command.args(["run", "--config"]).arg(folder.path().join("camhealth.toml"));
        let daemon = Process::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log));
        let http = reqwest::Client::builder().tls_info(true).tls_danger_accept_invalid_certs(true);
        // Each request has a connection of its own, and so the certificate of its time.
        let http =
            http.redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(0).build().expect("a client");
        Self { folder, page, http, _daemon: daemon }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("camhealth.toml")
    }

    async fn get(&self, path: &str) -> Option<reqwest::Response> {
        self.http.get(format!("https://{}{path}", self.page)).send().await.ok()
    }

    async fn ready(&self) {
        eventually("it is ready", async || self.get("/-/ready").await.filter(|answer| answer.status() == 200)).await;
    }

    /// The certificate that a visitor sees.
    async fn seen(&self) -> Option<Vec<u8>> {
        let answer = self.get("/-/ready").await?;
        answer.extensions().get::<TlsInfo>()?.peer_certificate().map(<[u8]>::to_vec)
    }

    async fn metric(&self, name: &str) -> Option<f64> {
        let request =
            self.http.get(format!("https://{}/metrics", self.page)).basic_auth("prometheus", Some("mật khẩu"));
        let text = request.send().await.ok()?.text().await.ok()?;
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }
}

fn users() -> String {
    format!("basic_auth_users:\n  prometheus: {}\n", bcrypt::hash("mật khẩu", 4).expect("a hash"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_prometheus_shows_a_password_and_a_certificate() {
    let authority = authority("prometheus");
    let wanted =
        "tls_server_config:\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: authority.crt\n";
    let daemon = Encrypted::start(&format!("{wanted}{}", users()), &authority);
    daemon.ready().await;
    let job = |name: &str, password: &str, certificate: &str| {
        format!(
            "  - job_name: {name}\n    scheme: https\n    scrape_interval: 1s\n    static_configs: [{{targets: ['{}']}}]\n    \
             basic_auth: {{username: prometheus, password: '{password}'}}\n    \
             tls_config: {{ca_file: page.crt, server_name: localhost{certificate}}}\n",
            daemon.page
        )
    };
    let shown = ", cert_file: client.crt, key_file: client.key";
    let jobs = [job("right", "mật khẩu", shown), job("wrong", "mat khau", shown), job("uncertified", "mật khẩu", "")];
    let page = fs::read_to_string(daemon.folder.path().join("page.crt")).expect("it is there");
    let config = format!("scrape_configs:\n{}", jobs.concat());
    let [_, (_, client), (_, key)] = &authority;
    let prometheus = Prometheus::start(&[
        ("prometheus.yml", &config),
        ("page.crt", &page),
        ("client.crt", client),
        ("client.key", key),
    ]);
    for (name, up) in [("right", 1.0), ("wrong", 0.0), ("uncertified", 0.0)] {
        let expression = format!("up{{job=\"{name}\"}}");
        eventually(&expression, async || (prometheus.value(&expression).await == Some(up)).then_some(())).await;
    }
    let scraped = "camhealth_web_certificate_expiry_timestamp_seconds{job=\"right\"} > time()";
    eventually(scraped, async || prometheus.value(scraped).await).await;
    // Who reads metrics reads nothing else, and people are asked for no certificate.
    let answer = daemon.http.get(format!("https://{}/cameras", daemon.page)).basic_auth("prometheus", Some("mật khẩu"));
    assert_eq!(answer.send().await.expect("an answer").status(), 401);
    assert_eq!(daemon.get("/sign-in").await.expect("an answer").status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_used_and_half_of_one_is_not() {
    let daemon = Encrypted::start(&users(), &[]);
    daemon.ready().await;
    let folder = daemon.folder.path();
    let first = daemon.seen().await.expect("there is one");
    let good = "camhealth_web_certificate_last_read_successful";
    assert_eq!(daemon.metric(good).await, Some(1.0));
    // As a renewal leaves it that is under way.
    issue(folder, "next");
    fs::rename(folder.join("next.crt"), folder.join("page.crt")).expect("a disk");
    eventually("the key of another is noticed", async || (daemon.metric(good).await == Some(0.0)).then_some(())).await;
    assert_eq!(daemon.seen().await, Some(first.clone()), "the one before goes on");
    fs::rename(folder.join("next.key"), folder.join("page.key")).expect("a disk");
    let another = async || daemon.seen().await.filter(|seen| *seen != first);
    eventually("another certificate is shown", another).await;
    assert_eq!(daemon.metric(good).await, Some(1.0));
    let log = fs::read_to_string(folder.join("log")).expect("a log");
    assert!(log.contains("page.key is not the key of the certificate") && !log.contains("PRIVATE"), "{log}");
    assert_eq!(log.matches("is not the key").count(), 1, "it is told once: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_know_their_daemon_and_plain_http_is_shown_the_way() {
    let daemon = Encrypted::start(&users(), &[]);
    daemon.ready().await;
    let config = daemon.config();
    let config = config.to_str().expect("letters");
    let output = camhealth(&["users", "add", "an", "--role", "officer", "--full-name", "An", "--config", config], &[]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.starts_with(&format!("https://{}/join/", daemon.page)), "{output:?}");

    let plain = daemon.http.get(format!("http://{}/sites?lang=vi", daemon.page)).send().await.expect("an answer");
    assert_eq!(plain.status(), 308);
    assert_eq!(plain.headers()["location"], format!("https://{}/sites?lang=vi", daemon.page));
    let plain = daemon.http.post(format!("http://{}/sign-in", daemon.page)).body("name=an").send().await;
    assert_eq!(plain.expect("an answer").status(), 426, "a password in clear is not sent on");

    // Whoever answers there with another certificate than the configuration's is not our daemon.
    issue(daemon.folder.path(), "other");
    let text = fs::read_to_string(config).expect("it is there").replace("page.", "other.");
    let other = daemon.folder.path().join("other.toml");
    fs::write(&other, text).expect("a disk");
    let listed = |config: &str| camhealth(&["users", "list", "--config", config], &[]);
    assert!(listed(config).status.success());
    let output = listed(other.to_str().expect("letters"));
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
}
