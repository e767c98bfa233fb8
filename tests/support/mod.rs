//! Helpers that the tests share: programs with a READY line, our own program, and waiting for a condition.

pub mod kernel;
pub mod postgres;

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        atomic::{AtomicU16, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

/// Longest wait for anything that should happen at once.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the test with a remedy when a program is missing.
pub fn require(program: &str) {
    assert!(Path::new(program).exists(), "{program} is missing: run tests/run, it installs what the tests need");
}

/// A server in a process of its own; it ends with this value.
pub struct Server {
    child: Child,
    lines: mpsc::Receiver<String>,
    /// What it said behind READY: its URL.
    pub url: String,
}

impl Server {
    /// Starts a program that prints `READY url`.
    pub fn start(program: &str, arguments: &[&str]) -> Self {
        require(program);
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut server = Self { child, lines, url: String::new() };
        server.url = server.wait_for("READY").trim().to_owned();
        server
    }

    /// A GStreamer camera.
    pub fn gstreamer(arguments: &[&str]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/gst_camera.py");
        Self::start("/usr/bin/python3", &[&[script], arguments].concat())
    }

    /// Waits for a line that begins with a word, and gives the rest of it.
    pub fn wait_for(&mut self, word: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("the server never said {word}"));
            if let Some(rest) = line.strip_prefix(word) {
                return rest.to_owned();
            }
        }
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A configuration of `tests/fixtures`, in which each `@name@` stands for a value.
pub fn fixture(name: &str, values: &[(&str, &str)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let mut text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for (name, value) in values {
        let mark = format!("@{name}@");
        assert!(text.contains(&mark), "{} has no {mark}", path.display());
        text = text.replace(&mark, value);
    }
    text
}

/// The path of our own program.
pub fn program() -> &'static str {
    env!("CARGO_BIN_EXE_camhealth")
}

/// Has a program's wall clock be off by what a file says at each moment, such as `-3600`; what measures time is left alone.
pub fn clock_of(command: &mut Command, file: &Path) {
    const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
    let library = Some(LIBRARY).filter(|library| Path::new(library).exists());
    let library = library.unwrap_or("/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1");
    require(library);
    command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", file);
    command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
}

/// Runs our program to its end.
pub fn camhealth(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    run(Command::new(program()).args(arguments).envs(environment.iter().copied()))
}

/// Runs a command to its end, within two minutes.
pub fn run(command: &mut Command) -> Output {
    run_within(2 * PATIENCE, command)
}

/// The same with another patience.
pub fn run_within(patience: Duration, command: &mut Command) -> Output {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let drain = |mut pipe: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).expect("a pipe can be read");
            bytes
        })
    };
    let stdout = drain(Box::new(child.stdout.take().expect("it is piped")));
    let stderr = drain(Box::new(child.stderr.take().expect("it is piped")));
    let deadline = Instant::now() + patience;
    let status = loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().expect("it is our child");
            panic!("{command:?} does not end");
        }
        std::thread::park_timeout(Duration::from_millis(10));
    };
    let end = |reader: std::thread::JoinHandle<Vec<u8>>| reader.join().expect("the reader does not panic");
    Output { status, stdout: end(stdout), stderr: end(stderr) }
}

/// `camhealth probe --json`: the exit code and what it printed.
pub fn probe(arguments: &[&str], environment: &[(&str, &str)]) -> (i32, Value) {
    let output = camhealth(&[&["probe", "--json"], arguments].concat(), environment);
    let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("no JSON ({error}): {}", String::from_utf8_lossy(&output.stderr));
    });
    (output.status.code().expect("an exit code"), json)
}

/// A loopback port that is free, below those that the system hands out by itself, so that no other test gets it.
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 5000).expect("it is below 5000");
    let ports = std::iter::repeat_with(|| 20_000 + start + NEXT.fetch_add(1, Ordering::Relaxed));
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    (Ipv4Addr::LOCALHOST, ports.take(1000).find(free).expect("a free port")).into()
}

/// The demo's cameras have fixed addresses: one demo at a time.
pub static DEMO: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A process that ends with this value.
pub struct Process(Child);

impl Process {
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().expect("the program starts"))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A real Prometheus with a configuration of its own.
pub struct Prometheus {
    _process: Process,
    _folder: tempfile::TempDir,
    pub address: SocketAddr,
}

impl Prometheus {
    /// Starts one in a folder that holds these files; the first is its configuration.
    pub fn start(files: &[(&str, &str)]) -> Self {
        require("/usr/bin/prometheus");
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("it can be written");
        }
        let address = free_address();
        let mut command = Command::new("/usr/bin/prometheus");
        command
            .arg(format!("--config.file={}", folder.path().join(files[0].0).display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=error");
        let process = Process::start(command.stdin(Stdio::null()));
        Self { _process: process, _folder: folder, address }
    }

    /// One that scrapes a daemon each second.
    pub fn scraping(page: SocketAddr) -> Self {
        let text = format!(
            "scrape_configs:\n  - job_name: camhealth\n    scrape_interval: 1s\n    static_configs:\n      \
             - targets: ['{page}']\n"
        );
        Self::start(&[("prometheus.yml", &text)])
    }

    /// What it answers below `/api/v1`; `None` while it does not.
    pub async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Option<Value> {
        asked(self.address, path, query).await
    }

    /// The value of the first series.
    pub async fn value(&self, expression: &str) -> Option<f64> {
        let answer = self.ask("query", &[("query", expression)]).await?;
        answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()
    }
}

/// A store of another make than Prometheus', which takes what that hands on; it ends with this value.
pub struct VictoriaMetrics {
    _process: Process,
    _folder: tempfile::TempDir,
    pub address: SocketAddr,
}

impl VictoriaMetrics {
    pub fn start() -> Self {
        require("/usr/bin/victoria-metrics");
        let (folder, address) = (tempfile::tempdir().expect("a folder"), free_address());
        let mut command = Command::new("/usr/bin/victoria-metrics");
        command
            .arg(format!("-storageDataPath={}", folder.path().join("data").display()))
            .arg(format!("-httpListenAddr={address}"))
            // Otherwise it shows nothing younger than half a minute.
            .args(["-search.latencyOffset=0s", "-loggerLevel=ERROR"]);
        let process = Process::start(command.stdin(Stdio::null()).stderr(Stdio::null()));
        Self { _process: process, _folder: folder, address }
    }

    /// What Prometheus' configuration says to hand everything on to it.
    pub fn remote_write(&self) -> String {
        format!("\nremote_write:\n  - url: http://{}/api/v1/write\n", self.address)
    }
}

/// What a store that speaks as Prometheus does answers below `/api/v1`; `None` while it does not.
async fn asked(store: SocketAddr, path: &str, query: &[(&str, &str)]) -> Option<Value> {
    let mut url = reqwest::Url::parse(&format!("http://{store}/api/v1/{path}")).expect("a URL");
    url.query_pairs_mut().extend_pairs(query);
    serde_json::from_str(&reqwest::get(url).await.ok()?.text().await.ok()?).ok()
}

/// Whether a store that speaks as Prometheus does has numbers for a query within the last two minutes.
pub async fn has_data(store: SocketAddr, query: &str) -> Option<bool> {
    let now = jiff::Timestamp::now().as_second();
    let (start, end) = ((now - 120).to_string(), now.to_string());
    let span = [("query", query), ("start", start.as_str()), ("end", end.as_str()), ("step", "2")];
    let answer = asked(store, "query_range", &span).await?;
    assert_ne!(answer["status"], "error", "{store}: {query}: {answer}");
    let series = answer["data"]["result"].as_array()?;
    let number = |value: &Value| value[1].as_str().is_some_and(|text| text != "NaN");
    Some(series.iter().any(|one| one["values"].as_array().is_some_and(|values| values.iter().any(number))))
}

/// The path of what tests/run installs below this package.
pub fn tool(path: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    assert!(path.exists(), "{} is missing: run tests/run, it installs what the tests need", path.display());
    path
}

/// Waits until a condition gives something.
pub async fn eventually<T>(what: &str, condition: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(PATIENCE, what, condition).await
}

/// The same with another patience.
pub async fn eventually_within<T>(patience: Duration, what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_or(patience, what, async || condition().await.ok_or_else(String::new)).await
}

/// The same with a condition that tells how things stand; the last of that is told where it never happens.
pub async fn eventually_or<T>(
    patience: Duration,
    what: &str,
    mut condition: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + patience;
    loop {
        let stands = match condition().await {
            Ok(found) => return found,
            Err(stands) => stands,
        };
        assert!(Instant::now() < deadline, "it never happened: {what} {stands}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
