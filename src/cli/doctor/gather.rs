//! Gathers the facts: bounded in time, and nobody is changed or told anything.

use super::facts::{Camera, Channel, Clock, Disk, Facts, File, Gateway, Icmp, Journal, Port, Workers};
use crate::{
    clock,
    config::{self, Config},
    deliver::{self, Target, Trunk},
    journal,
    model::{self, Beacon, Check, Kind, Language, Observer},
    probe::{
        self, Look, Pool, Prober,
        beacon::{answers, icmp_refusal},
    },
};
use futures_util::{StreamExt, future::join_all, stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, TryLockError},
    io,
    net::{IpAddr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use url::Url;

/// Longest wait for a name, a server or a gateway.
const PATIENCE: Duration = Duration::from_secs(4);
/// Names, beacons and channels asked at once.
const AT_ONCE: usize = 32;
/// Names that are looked up.
const MOST_NAMES: usize = 100;
/// Cameras that are looked at.
const MOST_CAMERAS: usize = 16;

/// All facts, and the commune's language where the configuration tells it.
pub(super) async fn all(path: &Path, offline: bool) -> (Facts, Option<Language>) {
    let mut facts = Facts { clock: Clock { follows: follows(), ..Clock::default() }, ..Facts::default() };
    let config = match config::load(path) {
        Ok(config) => config,
        Err(problems) => {
            facts.problems = Some(problems.count());
            return (facts, None);
        }
    };
    let owners = config.owners.as_ref().map(|owners| owners.path().to_owned());
    facts.files = config::files(path).into_iter().chain(owners).filter_map(file).collect();
    let now = clock::Clock::system().now().as_second();
    if let Some(journal) = &config.journal.path {
        facts.journal = journal_at(journal);
        facts.disk = disk(journal, config.journal.max_size);
        // Clocks of file systems are read in seconds.
        let written = fs::metadata(journal).and_then(|known| known.modified()).ok();
        let written = written.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let ahead = written.map(|at| at.as_secs().cast_signed() - now).filter(|ahead| *ahead > 2);
        facts.clock.behind_journal = ahead;
    }
    if let Some(server) = config.journal.server.clone().filter(|_| !offline) {
        let told = server.told();
        let ours = clock::Clock::system();
        let asked = tokio::task::spawn_blocking(move || journal::ask(&server, || ours.now())).await;
        let asked = asked.map_err(|error| error.to_string());
        let asked = asked.and_then(|asked| asked.map_err(|error| error.to_string()));
        facts.journal = Journal::Server { told, asked };
    }
    let is_held = match &facts.journal {
        Journal::There { is_held, .. } => *is_held,
        Journal::Server { asked: Ok(asked), .. } => asked.is_held,
        _ => false,
    };
    facts.listen = Some((config.web.listen.to_string(), port(&config, is_held)));
    let beacons: BTreeSet<String> = beacons(&config).map(|beacon| beacon.to_string()).collect();
    facts.icmp =
        Icmp { is_needed: beacons.iter().any(|text| text.starts_with("icmp:")), is_refused: icmp_refusal().is_some() };
    if !offline {
        network(&config, &mut facts).await;
        cameras(&config, is_held, &mut facts).await;
    }
    (facts, Some(config.fleet.commune.language))
}

fn beacons(config: &Config) -> impl Iterator<Item = &Beacon> {
    config.fleet.anchors.iter().chain(config.fleet.links.values().filter_map(|link| link.probe.as_ref()))
}

/// Whether the clock is set by others, as the service manager knows it.
fn follows() -> Option<bool> {
    let mut command = Command::new("timedatectl");
    command.args(["show", "--property", "NTPSynchronized", "--value"]).stdin(Stdio::null()).stderr(Stdio::null());
    match command.output().ok()?.stdout.trim_ascii() {
        b"yes" => Some(true),
        b"no" => Some(false),
        _ => None,
    }
}

fn file(path: PathBuf) -> Option<File> {
    let mode = fs::metadata(&path).ok()?.permissions().mode();
    // What lies in a folder that is closed to others is closed to them too.
    let folder = path.parent().and_then(|folder| fs::metadata(folder).ok());
    let closed = folder.is_some_and(|folder| folder.permissions().mode() & 0o001 == 0);
    Some(File { path, mode: if closed { mode & !0o007 } else { mode } })
}

fn journal_at(path: &Path) -> Journal {
    let unread = |error: &dyn std::fmt::Display, kind: Option<io::ErrorKind>| Journal::Unread {
        path: path.to_owned(),
        why: error.to_string(),
        forbidden: kind == Some(io::ErrorKind::PermissionDenied),
    };
    match fs::metadata(path).and_then(|known| fs::File::open(path).map(|_| known)) {
        Ok(known) => {
            match journal::signing_key(&journal::Settings { path: Some(path.to_owned()), ..Default::default() }) {
                Ok(_) => Journal::There {
                    path: path.to_owned(),
                    is_held: is_held(path),
                    is_open: known.permissions().mode() & 0o077 != 0,
                },
                Err(error) => unread(&error, None),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Journal::New(path.to_owned()),
        Err(error) => unread(&error, Some(error.kind())),
    }
}

/// Whether a daemon runs on this journal.
fn is_held(path: &Path) -> bool {
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    let tried = fs::File::open(lock).map(|file| file.try_lock());
    matches!(tried, Ok(Err(TryLockError::WouldBlock)))
}

/// The room in the folder, or in the first one above that is there.
fn disk(journal: &Path, most: u64) -> Option<Disk> {
    let folder = journal.ancestors().skip(1).find(|folder| folder.is_dir())?;
    let found = rustix::fs::statvfs(folder).ok()?;
    let size = fs::metadata(journal).map_or(0, |known| known.len());
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    Some(Disk { folder: folder.to_owned(), free, wanted: most.saturating_sub(size) })
}

fn port(config: &Config, is_held: bool) -> Port {
    match TcpListener::bind(config.web.listen) {
        Ok(_) => Port::Free,
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_held => Port::Ours,
        Err(error) => Port::Taken(error.to_string()),
    }
}

async fn network(config: &Config, facts: &mut Facts) {
    let addresses = addresses(config);
    let names: BTreeSet<String> = addresses.iter().filter(|host| host.parse::<IpAddr>().is_err()).cloned().collect();
    let is_far = |host: &String| host.parse::<IpAddr>().map_or(host != "localhost", |ip| !ip.is_loopback());
    let needed = addresses.iter().any(is_far);
    let (gateway, now) = (probe::default_gateway(), clock::Clock::system().now());
    let ping = async {
        match gateway {
            Some(address) => answers(&Beacon::Icmp(address), now).await,
            None => None,
        }
    };
    let names = stream::iter(names.into_iter().take(MOST_NAMES).map(async |name| {
        let why = match timeout(PATIENCE, lookup_host((name.as_str(), 0))).await {
            Ok(Ok(mut found)) => found.next().is_none().then(|| "no address".to_owned()),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("no answer".to_owned()),
        };
        (name, why)
    }));
    let unique: BTreeMap<String, Beacon> = beacons(config).map(|beacon| (beacon.to_string(), beacon.clone())).collect();
    let asked = stream::iter(unique.into_iter().map(async |(text, beacon)| (text, answers(&beacon, now).await)));
    let channels = stream::iter(places(config).into_iter().map(async |(id, place, way)| {
        let trouble = match way {
            Way::Server(host, port) => reach(&host, port).await.err(),
            Way::Exchange(trunk) => {
                deliver::encrypt_calls(probe::known_by);
                deliver::alive(&trunk).await.err().map(|why| why.text().to_owned())
            }
            Way::Program(program) => (!is_program(&program)).then(|| "is no program of this machine".to_owned()),
        };
        Channel { id, place, trouble }
    }));
    let (answer, names, asked, channels) = tokio::join!(
        ping,
        names.buffered(AT_ONCE).collect(),
        asked.buffered(AT_ONCE).collect(),
        channels.buffered(AT_ONCE).collect()
    );
    facts.gateway = Gateway { address: gateway, answers: answer, is_needed: needed };
    (facts.names, facts.beacons, facts.channels) = (names, asked, channels);
}

/// All hosts that this machine is to reach.
fn addresses(config: &Config) -> BTreeSet<String> {
    let bare = |url: &Url| url.host_str().map(|host| host.trim_matches(['[', ']']).to_owned());
    let own = config.fleet.seen_by(&Observer::Daemon);
    let cameras = own.cameras.values().flat_map(|camera| [Some(&camera.rtsp), camera.onvif.as_ref()]);
    let heartbeat = config.deliver.heartbeat.iter().map(|heartbeat| &heartbeat.url);
    let urls = cameras.flatten().chain(heartbeat).filter_map(bare);
    let servers = places(config).into_iter().filter_map(|(_, _, way)| match way {
        Way::Exchange(trunk) => Some(trunk.host.clone()),
        Way::Server(host, _) => Some(host),
        Way::Program(_) => None,
    });
    urls.chain(servers).collect()
}

/// How a channel is reached.
enum Way {
    Server(String, u16),
    Exchange(Arc<Trunk>),
    Program(PathBuf),
}

/// Each channel's id, what of its place may be shown, and how it is reached.
fn places(config: &Config) -> Vec<(String, String, Way)> {
    let server = |url: &Url| {
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        Some(Way::Server(host, url.port_or_known_default()?))
    };
    let mut places = Vec::new();
    for (id, channel) in &config.deliver.channels {
        let ways: Vec<Option<Way>> = match &channel.target {
            Target::Webhook { url, .. } | Target::Ntfy { url, .. } | Target::SmsHttp { url, .. } => vec![server(url)],
            Target::Stringee(to) => vec![server(&to.api)],
            Target::Zalo { api, .. }
            | Target::Telegram { api, .. }
            | Target::Esms { api, .. }
            | Target::SpeedSms { api, .. } => vec![server(api)],
            Target::Alertmanager { urls, .. } => urls.iter().map(server).collect(),
            Target::Email(email) => vec![Some(Way::Server(email.host.clone(), email.port))],
            Target::Gammu { program, .. } => vec![Some(Way::Program(program.clone()))],
            Target::Sip(phone) => {
                vec![Some(Way::Exchange(phone.trunk.clone())), Some(Way::Program(phone.trunk.speaker.clone()))]
            }
        };
        for way in ways.into_iter().flatten() {
            let place = match &way {
                Way::Exchange(trunk) => format!("{}:{}", trunk.host, trunk.port),
                Way::Server(host, port) => format!("{host}:{port}"),
                Way::Program(program) => program.display().to_string(),
            };
            places.push((id.to_string(), place, way));
        }
    }
    places
}

async fn reach(host: &str, port: u16) -> Result<(), String> {
    match timeout(PATIENCE, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer".to_owned()),
    }
}

fn is_program(program: &Path) -> bool {
    let is_one =
        |path: &Path| fs::metadata(path).is_ok_and(|known| known.is_file() && known.permissions().mode() & 0o111 != 0);
    if program.components().count() > 1 {
        return is_one(program);
    }
    std::env::var_os("PATH").is_some_and(|all| std::env::split_paths(&all).any(|folder| is_one(&folder.join(program))))
}

/// One camera of each link, and one of those that hang on none. While a daemon runs, only whether it answers is asked: many
/// cameras have one session, and that is the daemon's.
async fn cameras(config: &Config, is_held: bool, facts: &mut Facts) {
    let clock = clock::Clock::system();
    let now = clock.now();
    let zone = &config.fleet.commune.timezone;
    let mut chosen: BTreeMap<Option<&model::LinkId>, &model::Camera> = BTreeMap::new();
    let own = config.fleet.seen_by(&Observer::Daemon);
    let may = own.cameras.values().filter(|camera| !camera.is_off(now, zone));
    for camera in may {
        let of_link = chosen.entry(camera.link.as_ref()).or_insert(camera);
        // A family's line is spared where a camera of the road hangs on the same link.
        if of_link.kind == Kind::Household && camera.kind == Kind::Public {
            *of_link = camera;
        }
    }
    let Ok(program) = std::env::current_exe() else { return };
    let settings = config.probe.clone();
    let pool = Pool::new(program, 1, settings.worker_memory_mib);
    let prober = Prober::new(settings, pool);
    let depth = if is_held { Check::Liveness } else { Check::Stream };
    let looks = chosen.into_values().take(MOST_CAMERAS).map(async |camera| {
        let look = prober.probe(camera, Look::new(depth, clock.now())).await;
        let device = match camera.onvif {
            Some(_) if !is_held => Some(prober.probe(camera, Look::new(Check::Device, clock.now())).await),
            _ => None,
        };
        Camera {
            id: camera.id.to_string(),
            link: camera.link.as_ref().map(ToString::to_string),
            verdict: look.verdict(),
            cause: look.failure.map(|failure| failure.kind),
            clock: device.and_then(|device| device.clock_offset_seconds),
        }
    });
    facts.cameras = join_all(looks).await;
    let sandbox = prober.pool().sandbox();
    facts.workers = Workers {
        were_asked: !sandbox.is_empty(),
        missing: sandbox.into_iter().filter(|(_, is_there)| !is_there).map(|(layer, _)| layer).collect(),
    };
    prober.pool().stop(Duration::from_secs(2)).await;
}
