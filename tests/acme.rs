//! A certificate from an authority: Let's Encrypt's own test server (Pebble), which looks names up, asks for the proof over
//! HTTP and now and then refuses a good request once, as authorities may.

use crate::support::{Process, eventually, fixture, free_address, program};
use serde_json::json;
use std::{
    fs,
    net::{SocketAddr, UdpSocket},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

const NAME: &str = "giamsat.haibinh.test";

/// An authority, whose proofs are asked for at `plain`.
struct Authority {
    address: SocketAddr,
    keeper: SocketAddr,
    _processes: [Process; 2],
}

impl Authority {
    async fn start(folder: &Path, plain: SocketAddr) -> Self {
        let [address, keeper, unused, manager] = std::array::from_fn(|_| free_address());
        let names = UdpSocket::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
        let [(_, root), (_, own), (_, key)] = crate::encrypted_pages::authority("localhost");
        for (name, text) in [("roots.pem", root), ("authority.pem", own), ("authority.key", key)] {
            fs::write(folder.join(name), text).expect("a disk");
        }
        let config = json!({ "pebble": {
            "listenAddress": address.to_string(), "managementListenAddress": keeper.to_string(),
            "certificate": folder.join("authority.pem"), "privateKey": folder.join("authority.key"),
            "httpPort": plain.port(), "tlsPort": unused.port(), "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
        }});
        fs::write(folder.join("pebble.json"), config.to_string()).expect("a disk");
        // All names lead here.
        let mut dns = Command::new("pebble-challtestsrv");
        dns.args(["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""]);
        dns.args(["-dns01", &names.to_string(), "-management", &manager.to_string()]);
        let mut pebble = Command::new("pebble");
        pebble.arg("-config").arg(folder.join("pebble.json")).args(["-dnsserver", &names.to_string()]);
        pebble.env("PEBBLE_VA_NOSLEEP", "1");
        let processes = [dns, pebble].map(|mut command| {
            Process::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))
        });
        let authority = Self { address, keeper, _processes: processes };
        eventually("the authority", async || authority.roots().await).await;
        authority
    }

    /// The roots of what it gives, which it makes anew at each start.
    async fn roots(&self) -> Option<Vec<reqwest::Certificate>> {
        let http = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().expect("a client");
        let answer = http.get(format!("https://{}/roots/0", self.keeper)).send().await.ok()?;
        reqwest::Certificate::from_pem_bundle(&answer.bytes().await.ok()?).ok()
    }
}

fn daemon(config: &Path, log: &Path) -> Process {
    let log = fs::OpenOptions::new().create(true).append(true).open(log).expect("a file");
    let mut command = Command::new(program());
    command.args(["run", "--config"]).arg(config);
    Process::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log))
}

/// A browser that believes these roots alone, and finds the names here.
fn browser(page: SocketAddr, roots: &[reqwest::Certificate]) -> reqwest::Client {
    let http = reqwest::Client::builder().tls_certs_only(roots.to_vec()).resolve(NAME, page);
    let http = http.resolve("camera.haibinh.test", page).redirect(reqwest::redirect::Policy::none());
    http.pool_max_idle_per_host(0).build().expect("a client")
}

async fn opens(http: &reqwest::Client, name: &str, page: SocketAddr) -> Option<()> {
    let answer = http.get(format!("https://{name}:{}/-/healthy", page.port())).send().await.ok()?;
    answer.status().is_success().then_some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_gives_a_certificate_that_browsers_believe() {
    let folder = tempfile::tempdir().expect("a folder");
    let (page, plain) = (free_address(), free_address());
    let authority = Authority::start(folder.path(), plain).await;
    let roots = authority.roots().await.expect("they are told");
    let directory = format!("https://localhost:{}/dir", authority.address.port());
    let values = [("page", page.to_string()), ("plain", plain.to_string()), ("directory", directory.clone())];
    let values: Vec<(&str, &str)> = values.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let config = folder.path().join("camhealth.toml");
    fs::write(&config, fixture("acme.toml", &values)).expect("a disk");
    let log = folder.path().join("log");
    let running = daemon(&config, &log);
    let http = browser(page, &roots);
    for name in [NAME, "camera.haibinh.test"] {
        eventually("a page that browsers believe", async || opens(&http, name, page).await).await;
    }
    let metrics = http.get(format!("https://{NAME}:{}/metrics", page.port())).send().await.expect("an answer");
    let metrics = metrics.text().await.expect("text");
    assert!(metrics.contains("camhealth_web_certificate_orders_total{outcome=\"given\"} 1\n"), "{metrics}");
    for file in ["certificate.pem", "account.json"] {
        let kept = fs::metadata(folder.path().join("acme").join(file)).expect("it is kept");
        assert_eq!(kept.permissions().mode() & 0o777, 0o600, "{file}");
    }

    // Over plain HTTP nothing else is served, and visitors are shown the way.
    let shown =
        http.get(format!("http://{plain}/incidents?lang=vi")).header("host", NAME).send().await.expect("an answer");
    assert_eq!(shown.headers()["location"], format!("https://{NAME}/incidents?lang=vi"));
    let asked = http.get(format!("http://{plain}/.well-known/acme-challenge/x")).send().await.expect("an answer");
    assert_eq!(asked.status(), 404);

    // A restart keeps both; where the certificate is lost the same account orders another.
    let (account, given) = (folder.path().join("acme/account.json"), folder.path().join("acme/certificate.pem"));
    let (before, first) = (fs::read(&account).expect("it is kept"), fs::read(&given).expect("it is kept"));
    drop(running);
    let running = daemon(&config, &log);
    eventually("the page", async || opens(&http, NAME, page).await).await;
    assert_eq!(fs::read(&given).expect("it is kept"), first, "it is good yet");
    drop(running);
    fs::write(&given, &first[..first.len() / 2]).expect("a disk");
    let _running = daemon(&config, &log);
    eventually("another certificate", async || opens(&http, NAME, page).await).await;
    assert_ne!(fs::read(&given).expect("it is kept"), first);
    assert_eq!(fs::read(&account).expect("it is kept"), before);
    let told = fs::read_to_string(&log).expect("it is read");
    assert!(!told.contains("PRIVATE KEY") && !told.contains("key_pkcs8"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_proof_pages_go_on_and_somebody_is_told_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let (page, plain) = (free_address(), free_address());
    // It asks at another port, as where the router sends port 80 elsewhere.
    let authority = Authority::start(folder.path(), free_address()).await;
    let directory = format!("https://localhost:{}/dir", authority.address.port());
    let values = [("page", page.to_string()), ("plain", plain.to_string()), ("directory", directory)];
    let values: Vec<(&str, &str)> = values.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let config = folder.path().join("camhealth.toml");
    fs::write(&config, fixture("acme.toml", &values)).expect("a disk");
    let log = folder.path().join("log");
    let _running = daemon(&config, &log);
    let http = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().expect("a client");
    let metrics = async || {
        let answer = http.get(format!("https://{page}/metrics")).send().await.ok()?.text().await.ok()?;
        answer.contains("camhealth_web_certificate_orders_total{outcome=\"failed\"} 1\n").then_some(())
    };
    eventually("a refusal", metrics).await;
    let told = fs::read_to_string(&log).expect("it is read");
    assert!(
        told.contains("the machine of giamsat.haibinh.test, camera.haibinh.test") && told.contains("at port 80"),
        "{told}"
    );
}
