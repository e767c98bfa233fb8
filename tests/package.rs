//! The Debian package on a machine of its own with a real systemd: installed, started, upgraded with its journal, removed and
//! purged; and the unit's confinement, under which all that the daemon needs still works.
//!
//! The machine is namespaces and a layer over this system's files (`tests/package/machine.sh`), so it takes root. The package is
//! made by `packaging/build` of the program that the tests run, which is not optimised; all else is as it is released.

use crate::support::{PATIENCE, eventually, program, run_within, tool};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// The simulated cameras' addresses and those of the machine that the daemon asks by ICMP. One camera is an agent's.
const CONFIGURATION: &str = r#"
[commune]
name = "Xã Thử"

[web]
listen = "127.0.0.1:9740"
sign_in = false

[journal]
path = "/var/lib/camhealth/journal.sqlite3"

[schedule]
confirm_every = "1s"
public = { liveness = "1s", stream = "5s", device = "10s" }

[login.thu]
username = "giamsat"
password_file = "${CREDENTIALS_DIRECTORY}/giamsat"

[[link]]
id = "tu-mang"
name = "Tủ mạng"
kind = "switch"
probe = "icmp://127.0.0.9"

[[camera]]
id = "cho-1"
name = "Chợ"
kind = "public"
link = "tu-mang"
login = "thu"
rtsp = "@rtsp@"
onvif = "@onvif@"

[[link]]
id = "hop"
name = "Hộp hẻm 7"
kind = "agent"

[[camera]]
id = "nha-1"
name = "Nhà bà Hoa"
kind = "public"
link = "hop"
login = "thu"
rtsp = "@second@"

[[site]]
id = "cho"
name = "Chợ"
hamlet = "Thôn 1"

[[site.view]]
name = "vào chợ"
cameras = ["cho-1"]
"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A command that needs root.
fn as_root(program: &str) -> Command {
    if rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["--non-interactive", program]);
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The package, and one that differs by its version and by its default configuration, as the one before would.
struct Packages {
    new: PathBuf,
    old: PathBuf,
}

impl Packages {
    fn build(folder: &Path) -> Self {
        let done = |what: &str, command: &mut Command| {
            let output = run_within(4 * PATIENCE, command);
            assert!(output.status.success(), "{what}: {}", said(&output));
        };
        let new = folder.join("camhealth.deb");
        let tools = tool("target/test-cargo/bin");
        let path = std::env::var("PATH").unwrap_or_default();
        let again = folder.join("again.deb");
        for output in [&new, &again] {
            let mut build = Command::new(root().join("packaging/build"));
            build.arg("--of").arg(program()).args(["--fast", "--output"]).arg(output);
            done("packaging/build", build.env("PATH", format!("{}:{path}", tools.display())));
        }
        let bytes = |path: &Path| fs::read(path).expect("a package");
        assert!(bytes(&new) == bytes(&again), "the same program gives the same package, byte for byte");
        let (tree, old) = (folder.join("old"), folder.join("camhealth-old.deb"));
        done("dpkg-deb", Command::new("dpkg-deb").arg("--raw-extract").args([&new, &tree]));
        let change = |name: &str, change: &dyn Fn(&str) -> String| {
            let text = fs::read_to_string(tree.join(name)).expect("it is in the package");
            fs::write(tree.join(name), change(&text)).expect("it can be written");
        };
        let version = format!("Version: {}-1", env!("CARGO_PKG_VERSION"));
        change("DEBIAN/control", &|text| text.replace(&version, "Version: 0.0.1-1"));
        change("etc/camhealth/camhealth.toml", &|text| text.replace("Xã mới", "Xã cũ"));
        let mut pack = Command::new("dpkg-deb");
        done("dpkg-deb", pack.args(["--root-owner-group", "-Zgzip", "-z1", "--build"]).args([&tree, &old]));
        Self { new, old }
    }
}

/// A machine that ends with this value.
struct Machine {
    unshare: std::process::Child,
    /// Its process 1, as this machine numbers it.
    init: u32,
    folder: TempDir,
}

impl Machine {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("shared")).expect("a folder");
        let mut command = as_root("unshare");
        command.args(["--mount", "--pid", "--fork", "--uts", "--ipc", "--net", "--cgroup", "--kill-child"]);
        command.arg(root().join("tests/package/machine.sh")).arg(folder.path());
        let unshare = command.stdin(Stdio::null()).spawn().expect("unshare starts");
        let mut machine = Self { unshare, init: 0, folder };
        machine.init = eventually("systemd is process 1 of the machine", async || {
            let ended = machine.unshare.try_wait().expect("it is our child");
            assert!(
                ended.is_none(),
                "no namespaces or mounts are to be had: as root, outside of a container, they are"
            );
            let init = descendants(machine.unshare.id()).into_iter().next_back()?;
            let name = fs::read_to_string(format!("/proc/{init}/comm")).ok()?;
            (name.trim() == "systemd").then_some(init)
        })
        .await;
        eventually("the machine is up", async || {
            let output = machine.run("systemctl is-active basic.target");
            (output.status.success()).then_some(())
        })
        .await;
        machine
    }

    fn shared(&self) -> PathBuf {
        self.folder.path().join("shared")
    }

    /// Runs a line of shell in there.
    fn run(&self, script: &str) -> Output {
        let mut command = as_root("nsenter");
        command.args(["--all", "--root", "--target", &self.init.to_string(), "--"]);
        command.args([
            "/usr/bin/env",
            "--ignore-environment",
            "--chdir=/",
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
        ]);
        run_within(3 * PATIENCE, command.args(["DEBIAN_FRONTEND=noninteractive", "/bin/bash", "-c", script]))
    }

    /// The same, where it must succeed; what it said.
    fn done(&self, script: &str) -> String {
        let output = self.run(script);
        if !output.status.success() {
            let log = said(&self.run("journalctl --no-pager --lines 40; systemctl status --no-pager camhealth"));
            panic!("{script}\n{}\n{log}", said(&output));
        }
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What systemd knows of the daemon.
    fn unit(&self, property: &str) -> String {
        self.done(&format!("systemctl show --property {property} --value camhealth")).trim().to_owned()
    }

    fn page(&self, path: &str) -> String {
        let ask = format!("GET {path} HTTP/1.0\\r\\nHost: 127.0.0.1\\r\\n\\r\\n");
        said(&self.run(&format!("exec 3<> /dev/tcp/127.0.0.1/9740 && printf '{ask}' >&3 && cat <&3")))
    }

    /// Waits for lines of `/metrics`.
    async fn metrics(&self, wanted: &[&str]) {
        let mut seen = String::new();
        for line in wanted {
            let is_there = async || {
                seen = self.page("/metrics");
                seen.lines().any(|known| known == *line).then_some(())
            };
            let waited = tokio::time::timeout(PATIENCE, eventually(line, is_there)).await;
            assert!(waited.is_ok(), "{line}");
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Process 1 takes all others with it, and unshare follows.
        let _ = as_root("/bin/bash").args(["-c", &format!("kill -KILL {}", self.init)]).status();
        let _ = self.unshare.wait();
    }
}

/// The processes below one, outermost first.
fn descendants(process: u32) -> Vec<u32> {
    let read =
        |process: u32| fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    let mut all = Vec::new();
    let mut next = process;
    while let Some(child) = read(next).split_whitespace().next().and_then(|child| child.parse().ok()) {
        all.push(child);
        next = child;
        if fs::read_to_string(format!("/proc/{child}/comm")).is_ok_and(|name| name.trim() == "systemd") {
            break;
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn the_package_lives_on_a_real_machine() {
    let machine = Machine::start().await;
    let shared = machine.shared();
    let packages = Packages::build(&shared);
    let inside = |path: &Path| format!("/mnt/{}", path.file_name().expect("a name").to_string_lossy());

    // Installed: it runs at once, under its own user, and a configuration without cameras is a good one.
    machine.done(&format!("dpkg --install {}", inside(&packages.old)));
    assert_eq!((machine.unit("ActiveState"), machine.unit("User")), ("active".into(), "camhealth".into()));
    assert!(machine.done("systemctl is-enabled camhealth 2>&1").contains("enabled"));
    let checked = machine.done("camhealth check 2>&1");
    assert!(checked.contains("Xã cũ") && checked.contains("being_set_up"), "{checked}");
    assert!(machine.page("/-/healthy").starts_with("HTTP/1.0 200"), "{}", machine.page("/-/healthy"));
    let rights = "stat --format '%a %U:%G' /etc/camhealth /etc/camhealth/credentials /var/lib/camhealth \
                  /var/lib/camhealth/journal.sqlite3";
    let expected = "750 root:camhealth\n700 root:root\n700 camhealth:camhealth\n600 camhealth:camhealth\n";
    assert_eq!(machine.done(rights), expected);
    for file in ["man/man1/camhealth-users-add.1.gz", "bash-completion/completions/camhealth"] {
        machine.done(&format!("test -s /usr/share/{file}"));
    }
    assert!(machine.done("cat /usr/share/doc/camhealth/camhealth.cdx.json").contains("\"CycloneDX\""));

    watches_a_camera_in_its_confinement(&machine).await;
    an_agent_looks_under_its_unit(&machine).await;

    // What kills it does not end it.
    let process = machine.unit("MainPID");
    machine.done(&format!("kill -KILL {process}"));
    machine.metrics(&["camhealth_camera_state{camera=\"cho-1\",kind=\"public\",state=\"up\"} 1"]).await;
    assert_eq!(machine.unit("NRestarts"), "1");
    machine.done("camhealth users add thu --role administrator --full-name 'Chị Thu'");

    // Upgraded: what an administrator wrote stays, what the journal knows too, and the new one runs.
    let process = machine.unit("MainPID");
    machine.done(&format!("dpkg --force-confdef --force-confold --install {}", inside(&packages.new)));
    assert!(machine.done("cat /etc/camhealth/camhealth.toml").contains("Xã Thử"));
    assert_ne!(machine.unit("MainPID"), process);
    assert_eq!(machine.done("systemctl is-active camhealth-agent").trim(), "active");
    machine.metrics(&["camhealth_camera_state{camera=\"cho-1\",kind=\"public\",state=\"up\"} 1"]).await;
    assert!(machine.done("camhealth users list 2>&1").contains("Chị Thu"));
    assert!(machine.done("camhealth journal check").contains("sound"));

    // A journal of an earlier format is brought to the latest by the start that follows.
    let latest = earlier_journal(&shared.join("journal.sqlite3"));
    machine.done("systemctl stop camhealth && rm /var/lib/camhealth/*");
    machine.done("install -m 600 -o camhealth -g camhealth /mnt/journal.sqlite3 /var/lib/camhealth/");
    machine.done(&format!("dpkg --install {}", inside(&packages.new)));
    let checked = machine.done("camhealth journal check");
    let format = checked.lines().find_map(|line| line.strip_prefix("format")).unwrap_or_default().trim();
    assert!(format == latest.to_string() && checked.contains("sound"), "{checked}");

    // Removed: nothing runs, nothing is lost. Purged: nothing is left but the user.
    machine.done("dpkg --remove camhealth");
    assert!(!machine.run("systemctl is-active camhealth").status.success());
    machine.done("test ! -e /usr/bin/camhealth && test -s /etc/camhealth/camhealth.toml");
    machine.done("test -s /var/lib/camhealth/journal.sqlite3 && test -s /etc/camhealth/credentials/giamsat");
    machine.done("rm --recursive /etc/systemd/system/camhealth.service.d && dpkg --purge camhealth");
    machine.done("test ! -e /etc/camhealth && test ! -e /var/lib/camhealth && id camhealth");
    machine.done("test ! -e /var/lib/camhealth-agent");
    let left =
        machine.done("find / -xdev -name '*camhealth*' -not -path '/work/*' -not -path '/proc/*' -path '/etc/*'");
    assert_eq!(left, "", "left behind");
}

/// Makes a journal of the last format that takes no function of ours to make, and tells the latest format.
fn earlier_journal(path: &Path) -> usize {
    let schema = root().join("src/journal/schema");
    let steps = fs::read_dir(&schema).expect("a folder").filter_map(Result::ok);
    let latest = steps.filter(|entry| entry.path().is_file()).count();
    let connection = rusqlite::Connection::open(path).expect("a file");
    for number in 1..latest {
        let step = fs::read_to_string(schema.join(format!("{number}.sql"))).expect("a step");
        if step.contains("row_sum(") {
            break;
        }
        connection.execute_batch(&step).expect("a format");
        connection.pragma_update(None, "user_version", number as i64).expect("a format");
    }
    latest
}

/// An agent on the same machine: before it has joined its unit has nothing to do, and then it looks, as a user without rights.
async fn an_agent_looks_under_its_unit(machine: &Machine) {
    machine.done("systemctl start camhealth-agent");
    assert_eq!(machine.done("systemctl is-active camhealth-agent || true").trim(), "inactive");
    let code = machine.done("camhealth agents add hop");
    machine.done(&format!("camhealth agent join {} && systemctl start camhealth-agent", code.trim()));
    machine.metrics(&["camhealth_camera_state{camera=\"nha-1\",kind=\"public\",state=\"up\"} 1"]).await;
    let listed = machine.done("camhealth agents");
    assert!(listed.contains("hop") && listed.contains(env!("CARGO_PKG_VERSION")), "{listed}");
    let process = "$(systemctl show --property MainPID --value camhealth-agent)";
    let confined =
        machine.done(&format!("grep --extended-regexp '^(CapBnd|NoNewPrivs|Seccomp):' /proc/{process}/status"));
    assert_eq!(confined, "CapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n");
    let rights = machine.done("stat --format '%a %U' /var/lib/camhealth-agent /var/lib/camhealth-agent/agent.json");
    assert_eq!(rights, "700 camhealth\n600 camhealth\n");
    // It knows which start of the machine this is, or a look of before would seem to be of now.
    machine.done("! journalctl --unit camhealth-agent --output cat | grep boot_id");
}

/// Looks by workers that confine themselves, pings, ONVIF, the watchdog, credentials and the log, all under the unit.
async fn watches_a_camera_in_its_confinement(machine: &Machine) {
    machine.done(
        "systemd-run --unit cameras --collect bash -c 'sleep infinity | camhealth simulate --cameras 2 > /tmp/cameras'",
    );
    let addresses = eventually("the camera is there", async || {
        Some(machine.done("cat /tmp/cameras 2> /dev/null || true")).filter(|text| text.matches('\n').count() == 2)
    })
    .await;
    let addresses: Vec<&str> = addresses.split_whitespace().collect();
    let configuration = CONFIGURATION.replace("@rtsp@", addresses[0]).replace("@onvif@", addresses[1]);
    let configuration = configuration.replace("@second@", addresses[2]);
    fs::write(machine.shared().join("camhealth.toml"), configuration).expect("it can be written");
    let drop_in = "[Service]\nWatchdogSec=20\nLoadCredential=giamsat:/etc/camhealth/credentials/giamsat\n";
    fs::write(machine.shared().join("test.conf"), drop_in).expect("it can be written");
    machine.done(
        "install -m 640 -g camhealth /mnt/camhealth.toml /etc/camhealth/ && \
         echo 'mật khẩu' > /etc/camhealth/credentials/giamsat && chmod 600 /etc/camhealth/credentials/giamsat && \
         install -D -m 644 /mnt/test.conf /etc/systemd/system/camhealth.service.d/test.conf && \
         camhealth check && \
         systemctl daemon-reload && systemctl restart camhealth",
    );
    let layers = ["limits", "privileges", "files", "tcp_bind", "scopes", "system_calls"];
    let layers = layers.map(|layer| format!("camhealth_probe_worker_sandbox_enforced{{layer=\"{layer}\"}} 1"));
    let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
    machine.metrics(&["camhealth_camera_state{camera=\"cho-1\",kind=\"public\",state=\"up\"} 1"]).await;
    machine.metrics(&layers).await;
    let pinged = "camhealth_link_beacon_reachable{link=\"tu-mang\"} 1";
    machine.metrics(&[pinged, "camhealth_watching 1"]).await;
    machine.done("camhealth healthy");
    let doctor = machine.done("camhealth doctor --lang en");
    assert!(doctor.contains("cho-1 (tu-mang): well") && doctor.contains("held by a running daemon"), "{doctor}");
    let fields = "journalctl --unit camhealth --output cat CAMHEALTH_CAMERA=cho-1 CAMHEALTH_TO=up PRIORITY=6";
    assert!(machine.done(fields).contains("camera=cho-1"), "journald has fields");
    let first = machine.unit("WatchdogTimestampMonotonic");
    eventually("the watchdog is fed", async || (machine.unit("WatchdogTimestampMonotonic") != first).then_some(()))
        .await;
    assert_eq!((machine.unit("NRestarts"), machine.unit("StatusText")), ("0".into(), "watching".into()));
    let status = machine.done(&format!("cat /proc/{}/status", machine.unit("MainPID")));
    let of = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    assert_eq!(
        (of("CapBnd:").as_str(), of("NoNewPrivs:").as_str(), of("Seccomp:").as_str()),
        ("0000000000000000", "1", "2")
    );

    // A bad configuration is refused, the old one goes on; a good one is taken over.
    machine.done("sed --in-place 's/Xã Thử/Xã Thử Hai/' /etc/camhealth/camhealth.toml && systemctl reload camhealth");
    eventually("the new configuration is in force", async || {
        machine.done("journalctl --unit camhealth --output cat").contains("reloaded").then_some(())
    })
    .await;
}

#[test]
fn the_unit_is_hardened() {
    for unit in ["camhealth.service", "camhealth-agent.service", "camhealth-province.service"] {
        hardened(unit);
    }
}

fn hardened(name: &str) {
    let unit = root().join("packaging/debian").join(name);
    let mut analyse = Command::new("systemd-analyze");
    analyse.args(["security", "--offline=true", "--threshold=20", "--no-pager"]).arg(&unit);
    let output = run_within(Duration::from_secs(60), &mut analyse);
    assert!(output.status.success(), "an exposure above 2.0:\n{}", said(&output));
    let mut verify = Command::new("systemd-analyze");
    let output = run_within(Duration::from_secs(60), verify.arg("verify").arg("--man=no").arg(&unit));
    let said = said(&output);
    let ours = said.lines().filter(|line| line.contains(name) && !line.contains("not executable"));
    assert_eq!(ours.collect::<Vec<_>>(), [""; 0], "{said}");
}

/// No image can be fetched here, so the Containerfile is checked by what it copies: what it builds from is all that cargo and the
/// code ask for, and what it runs is accepted.
#[test]
fn the_container_is_built_from_what_is_there() {
    let text = fs::read_to_string(root().join("packaging/Containerfile")).expect("it is there");
    let (first, second) = text.split_once("\nFROM debian").expect("two stages");
    let folder = tempfile::tempdir().expect("a folder");
    for line in first.lines().filter_map(|line| line.strip_prefix("COPY ")) {
        let names: Vec<&str> = line.split_whitespace().collect();
        let (to, from) = names.split_last().expect("where to");
        let to = folder.path().join(to);
        let parent = if from.len() > 1 { to.clone() } else { to.parent().expect("a folder").to_owned() };
        fs::create_dir_all(parent).expect("a folder");
        let mut copy = Command::new("cp");
        copy.arg("--recursive").args(from.iter().map(|name| root().join(name))).arg(&to);
        assert!(run_within(PATIENCE, &mut copy).status.success(), "{line}");
    }
    let mut metadata = Command::new(env!("CARGO"));
    metadata.args(["metadata", "--no-deps", "--offline", "--format-version=1"]).current_dir(folder.path());
    let output = run_within(PATIENCE, &mut metadata);
    assert!(output.status.success(), "{}", said(&output));
    // What the code holds of files beside it lies there too.
    let mut asked = 0;
    for path in sources(&folder.path().join("src")) {
        let text = fs::read_to_string(&path).expect("text");
        let included = text.split("include_str!(\"").skip(1).filter_map(|rest| rest.split_once('"'));
        for (name, _) in included.filter(|(name, _)| !name.contains("tests/")) {
            let there = path.parent().expect("a folder").join(name);
            assert!(there.exists(), "{}: {name}", path.display());
            asked += 1;
        }
    }
    assert!(asked > 10, "only {asked} were found");
    let copied =
        second.lines().filter_map(|line| line.strip_prefix("COPY packaging/")).next().expect("a configuration");
    let main = root().join("packaging").join(copied.split_whitespace().next().expect("a name"));
    let checked = crate::support::camhealth(&["check", "--config", main.to_str().expect("a path")], &[]);
    assert!(checked.status.success(), "{}", said(&checked));
    for arguments in [["healthy", "--help"], ["run", "--help"]] {
        assert!(crate::support::camhealth(&arguments, &[]).status.success(), "{arguments:?}");
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
    let files = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}
