//! Agents behind a real router: the commune, a router that lets nothing in and a house are network namespaces of their own, IPv4 is
//! translated and IPv6 is not, and the cameras answer inside the house alone. And an agent that goes through a proxy, and a link whose
//! tunnel tells whether the line to a house lives.

use crate::{
    agents::{World, each_look_counts_once, moments},
    encrypted_pages::issue,
    support::{Process, clock_of, eventually, eventually_within, fixture, program, require},
};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

/// What lies between the commune and the house. Nothing of it touches this machine's own network.
const STREET: &str = r#"
set -e
mount -t tmpfs none /run
mkdir /run/netns
for place in commune router house; do ip netns add $place; done
ip link add wan netns commune type veth peer name outside netns router
ip link add eth netns house type veth peer name inside netns router
ip -n commune address add 10.9.0.1/24 dev wan
ip -n commune address add fd00:9::1/64 dev wan nodad
ip -n router address add 10.9.0.2/24 dev outside
ip -n router address add fd00:9::2/64 dev outside nodad
ip -n router address add 192.168.7.1/24 dev inside
ip -n router address add fd00:7::1/64 dev inside nodad
ip -n house address add 192.168.7.2/24 dev eth
ip -n house address add fd00:7::2/64 dev eth nodad
for device in commune:lo commune:wan router:lo router:outside router:inside house:lo house:eth; do
    ip -n ${device%:*} link set ${device#*:} up
done
ip -n house route add default via 192.168.7.1
ip -n house route add default via fd00:7::1
ip -n commune route add fd00:7::/64 via fd00:9::2
nsenter --net=/run/netns/router sh -c '
    echo 1 > /proc/sys/net/ipv4/ip_forward
    echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
    nft add table inet gate
    nft add chain inet gate forward "{ type filter hook forward priority 0; policy drop; }"
    nft add rule inet gate forward ct state established,related accept
    nft add rule inet gate forward iifname inside accept
    nft add table ip translated
    nft add chain ip translated out "{ type nat hook postrouting priority 100; }"
    nft add rule ip translated out oifname outside masquerade
'
echo READY
exec sleep infinity
"#;

struct Street {
    sleeper: Child,
    folder: tempfile::TempDir,
}

impl Drop for Street {
    fn drop(&mut self) {
        let _ = self.sleeper.kill();
        let _ = self.sleeper.wait();
    }
}

impl Street {
    /// Nothing where this machine's kernel has no such devices, or lets nobody have them; that is said.
    fn new() -> Option<Self> {
        require("/usr/sbin/nft");
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "--net", "sh", "-c", STREET]);
        let mut sleeper = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("unshare starts");
        let mut line = String::new();
        let _ = BufReader::new(sleeper.stdout.take().expect("it is piped")).read_line(&mut line);
        let street = Self { sleeper, folder: tempfile::tempdir().expect("a folder") };
        let is_made = line == "READY\n";
        if !is_made {
            eprintln!(
                "SKIPPED: this kernel gives no network namespaces with veth and nftables (what failed stands above)"
            );
        }
        is_made.then_some(street)
    }

    /// Runs a program at a place.
    fn at(&self, place: &str) -> Command {
        let id = self.sleeper.id();
        let mut command = Command::new("nsenter");
        command.args(["--target", &id.to_string(), "--user", "--preserve-credentials", "--mount"]);
        command.arg(format!("--net=/proc/{id}/root/run/netns/{place}")).env("AGENTS_TEST_PASSWORD", "mật khẩu");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn done(&self, place: &str, arguments: &[&str]) -> (bool, String) {
        let output: Output = self.at(place).args(arguments).output().expect("nsenter is there");
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        (output.status.success(), text.trim().to_owned())
    }

    fn start(&self, place: &str, log: &str, arguments: &[&str]) -> Process {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join(log)).expect("a file");
        let mut command = self.at(place);
        command.arg(program()).args(arguments);
        Process::start(command.stdout(Stdio::null()).stderr(log))
    }

    /// An agent whose wall clock is off by what a file says at each moment.
    fn agent(&self, folder: &str, clock: &Path) -> Process {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("agent.log"));
        let mut command = self.at("house");
        command.arg(program()).args(["agent", "run", "--folder", folder]);
        clock_of(&mut command, clock);
        Process::start(command.stdout(Stdio::null()).stderr(log.expect("a file")))
    }

    /// Cuts the line to the house, or joins it again.
    fn cut(&self, cut: bool) {
        let (done, told) = self.done("router", &["ip", "link", "set", "outside", if cut { "down" } else { "up" }]);
        assert!(done, "{told}");
        if !cut {
            // With a device go its addresses and routes of IPv6.
            self.done("router", &["ip", "address", "add", "fd00:9::2/64", "dev", "outside", "nodad"]);
        }
    }

    fn log(&self) -> String {
        let log = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        log("daemon.log") + &log("agent.log")
    }

    /// Waits until the commune says so of a camera.
    async fn explains(&self, config: &str, camera: &str, wanted: &str) {
        eventually_within(Duration::from_secs(120), &format!("{camera}: {wanted}"), async || {
            let (_, told) = self.done("commune", &[program(), "explain", camera, "--config", config]);
            told.contains(wanted).then_some(())
        })
        .await;
    }
}

/// A house is watched through its router, by an address of either sort.
async fn a_house_is_watched(listen: &str, daemon: &str) {
    let Some(street) = Street::new() else { return };
    let mut simulated = street.at("house");
    simulated.arg(program()).args(["simulate", "--cameras", "2"]).stdin(Stdio::piped()).stderr(Stdio::null());
    let mut cameras = simulated.spawn().expect("it starts");
    let lines = BufReader::new(cameras.stdout.take().expect("it is piped")).lines().take(2);
    let url = |line: String| line.split(' ').next().expect("a URL").to_owned();
    let urls: Vec<String> = lines.map(|line| url(line.expect("text"))).collect();
    let config = street.folder.path().join("camhealth.toml");
    issue(street.folder.path(), "page");
    let values = [("page", listen), ("first", &urls[0]), ("second", &urls[1]), ("third", "rtsp://127.0.0.1:9/sub")];
    fs::write(&config, fixture("agents.toml", &values)).expect("a disk");
    let config = config.to_str().expect("letters");
    let start = || street.start("commune", "daemon.log", &["run", "--config", config]);
    let mut running = Some(start());
    let at = format!("https://{daemon}/");
    let code = eventually("a code", async || {
        let add = [program(), "agents", "add", "hem-7", "--at", &at, "--config", config];
        let (done, code) = street.done("commune", &add);
        if !done {
            eprintln!("{code}");
        }
        (done && code.starts_with("cam1-")).then_some(code)
    })
    .await;
    let folder = street.folder.path().join("agent");
    let folder = folder.to_str().expect("letters");
    // Neighbours of IPv6 find each other within some seconds.
    eventually("the agent joins", async || {
        let (done, told) = street.done("house", &[program(), "agent", "join", &code, "--folder", folder]);
        if !done {
            eprintln!("{told}");
        }
        done.then_some(())
    })
    .await;
    let clock = street.folder.path().join("clock");
    fs::write(&clock, "+0").expect("a disk");
    let mut agent = Some(street.agent(folder, &clock));
    street.explains(config, "nha-1", "Hoạt động từ").await;
    street.explains(config, "nha-2", "Hoạt động từ").await;

    // Nobody gets in, and nothing of the agent's listens.
    for house in ["192.168.7.2", "fd00:7::2"] {
        let ask = format!("exec 3<>/dev/tcp/{house}/8554");
        let (reached, told) = street.done("commune", &["timeout", "3", "bash", "-c", &ask]);
        assert!(!reached, "{house} is reached from outside: {told}");
    }
    let (_, listening) = street.done("house", &["ss", "--listening", "--tcp", "--udp", "--numeric", "--processes"]);
    let agents = format!("pid={},", agent.as_ref().expect("it runs").id());
    assert!(listening.contains("LISTEN") && !listening.contains(&agents), "{agents} listens: {listening}");

    // The line is gone for some seconds, in which a camera fails: that is told when it is back.
    street.cut(true);
    let host = urls[0].parse::<reqwest::Url>().expect("a URL").host_str().expect("a host").to_owned();
    let input = cameras.stdin.as_mut().expect("it is piped");
    input.write_all(format!("port_closed {host}\n").as_bytes()).expect("it listens");
    tokio::time::sleep(Duration::from_secs(8)).await;
    street.cut(false);
    street.explains(config, "nha-1", "Hỏng từ").await;

    // Whatever dies, and whatever the house's clock shows, each look counts once.
    for (round, pause) in moments(4) {
        match round % 4 {
            0 => {
                street.cut(true);
                tokio::time::sleep(pause).await;
                street.cut(false);
            }
            1 => {
                drop(agent.take());
                agent = Some(street.agent(folder, &clock));
            }
            2 => {
                drop(running.take());
                running = Some(start());
            }
            _ => {
                let off = ["+3600", "-86400", "+0"][(round / 4 % 3) as usize];
                fs::write(&clock, off).expect("a disk");
            }
        }
        tokio::time::sleep(pause).await;
    }
    street.explains(config, "nha-2", "Hoạt động từ").await;
    each_look_counts_once(Path::new(folder), &street.folder.path().join("journal.sqlite3")).await;
    let _ = cameras.kill();
    let _ = cameras.wait();
    drop(agent);
    let log = street.log();
    assert!(!log.contains("panicked") && !log.contains("mật khẩu"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_is_watched_through_a_router_that_translates_and_lets_nothing_in() {
    a_house_is_watched("0.0.0.0:9740", "10.9.0.1:9740").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_is_watched_over_ipv6_through_a_router_that_lets_nothing_in() {
    a_house_is_watched("[::]:9740", "[fd00:9::1]:9740").await;
}

/// A proxy that opens whatever it is asked to (`CONNECT`), and counts what went through.
async fn proxy(bytes: Arc<AtomicU64>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let bytes = bytes.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(near.read_u8().await.ok()?);
                }
                let head = String::from_utf8(head).ok()?;
                let mut far = TcpStream::connect(head.strip_prefix("CONNECT ")?.split(' ').next()?).await.ok()?;
                near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok()?;
                let (up, down) = copy_bidirectional(&mut near, &mut far).await.ok()?;
                bytes.fetch_add(up + down, Ordering::Relaxed);
                Some(())
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_goes_through_the_proxy_that_the_environment_names() {
    let world = World::new().await;
    let daemon = world.daemon();
    eventually("the daemon", async || world.get("/api/v1/status").await).await;
    // By a code of the page, which says where the daemon is.
    let page = world.page("/passes", "kind=joining&role=wall&label=hem-7").await;
    let code = page.split("<code id=\"issued\">").nth(1).and_then(|rest| rest.split("</code>").next());
    let folder = world.folder.path().join("agent");
    let (done, told) = world.join(&folder, code.unwrap_or_else(|| panic!("there is no code: {page}")));
    assert!(done, "{told}");
    let bytes = Arc::new(AtomicU64::new(0));
    let proxy = format!("http://{}", proxy(bytes.clone()).await);
    let mut command = Command::new(program());
    command.args(["agent", "run", "--folder"]).arg(&folder).env("HTTPS_PROXY", proxy).env_remove("NO_PROXY");
    let _agent = Process::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()));
    world.becomes("nha-1", "up").await;
    // What a connection moved is counted when it ends.
    drop(daemon);
    eventually("what went through the proxy", async || (bytes.load(Ordering::Relaxed) > 1000).then_some(())).await;
}

/// Two WireGuards of user space on one machine: `doctor` asks links' beacons as the daemon does.
const TUNNEL: &str = r#"
set -e
mount -t tmpfs none /run
[ "$(realpath /var/run)" = /run ] || mount --bind /run /var/run
mkdir /run/wireguard
cd "$1"
ip link set lo up
umask 077
export WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1 LOG_LEVEL=silent
for side in commune house stranger; do wg genkey > $side.key; wg pubkey < $side.key > $side.pub; done
wireguard-go wgcommune > log 2>&1
wireguard-go wghouse > log 2>&1
wg set wghouse private-key house.key listen-port 51002 peer $(cat commune.pub) allowed-ips 10.8.0.1/32
wg set wgcommune private-key commune.key listen-port 51001 \
    peer $(cat house.pub) endpoint 127.0.0.1:51002 persistent-keepalive 1 allowed-ips 10.8.0.2/32 \
    peer $(cat stranger.pub) allowed-ips 10.8.0.3/32
ip link set wghouse up
ip link set wgcommune up
for _ in $(seq 100); do
    [ "$(wg show wgcommune latest-handshakes | grep "$(cat house.pub)" | cut -f2)" = 0 ] || break
    sleep 0.1
done
sed "s|@house@|$(cat house.pub)|; s|@stranger@|$(cat stranger.pub)|" camhealth.in > camhealth.toml
"$2" doctor --config camhealth.toml || true
"#;

#[test]
fn a_tunnel_tells_whether_the_line_to_a_house_lives() {
    require("/usr/bin/wireguard-go");
    if fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun").is_err() {
        return eprintln!("SKIPPED: this machine has no /dev/net/tun for a WireGuard of user space");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let link = |id: &str, beacon: &str| {
        format!("[[link]]\nid = \"{id}\"\nname = \"Nhà {id}\"\nkind = \"uplink\"\nprobe = \"wireguard://{beacon}\"\n")
    };
    let config = "[commune]\nname = \"Xã Hải Bình\"\nlanguage = \"en\"\nbeing_set_up = true\n\
        [journal]\npath = \"journal.sqlite3\"\n[web]\nlisten = \"127.0.0.1:9740\"\n"
        .to_owned()
        + &link("tu", "wgcommune/@house@")
        + &link("la", "wgcommune/@stranger@")
        + &link("khong", "wg9/@house@");
    fs::write(folder.path().join("camhealth.in"), config).expect("a disk");
    let mut command = Command::new("unshare");
    // What it started ends with it.
    command.args(["--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", TUNNEL, "sh"]);
    let output = command.arg(folder.path()).arg(program()).stdin(Stdio::null()).output().expect("unshare starts");
    let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    let key = |side: &str| fs::read_to_string(folder.path().join(side)).unwrap_or_default().trim().to_owned();
    let line = |beacon: String| told.lines().find(|line| line.contains(&beacon)).unwrap_or_default().to_owned();
    let house = line(format!("wireguard://wgcommune/{}", key("house.pub")));
    assert!(house.contains("answers"), "{told}");
    let stranger = line(format!("wireguard://wgcommune/{}", key("stranger.pub")));
    assert!(!stranger.is_empty() && !stranger.contains("answers"), "{told}");
    let nowhere = line(format!("wireguard://wg9/{}", key("house.pub")));
    assert!(!nowhere.is_empty() && !nowhere.contains("answers") && nowhere != stranger, "{told}");
}
