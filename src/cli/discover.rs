//! `camhealth discover`: what cameras are on the network, which of them are known, moved or new.

use super::{
    FAILED, USAGE, config_path, fail,
    login::{LoginArguments, login},
    output,
    paint::Paint,
    progress::bar as progress,
};
use crate::{
    clock::Clock,
    config, inventory,
    inventory::{Finding, Found, KnownCamera, NewCamera},
    journal,
    model::{Camera, Check, DeviceFacts, FailureKind, Login},
    probe::{Candidate, Look, Pool, Prober, Settings, ask, multicast},
};
use futures_util::{StreamExt, stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use url::Url;

/// Addresses asked at once.
const AT_ONCE: usize = 128;
/// More would take long and look like an attack.
const MOST_ADDRESSES: usize = 4096;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Addresses to ask one by one, where multicast does not reach: 10.20.1.0/24 or 10.20.1.10-10.20.1.60.
    #[arg(long, value_name = "RANGE")]
    range: Vec<String>,
    /// Do not ask by multicast.
    #[arg(long)]
    no_multicast: bool,
    /// Configuration whose cameras are known; without it, the usual one if it is there.
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    #[command(flatten)]
    login: LoginArguments,
    /// File for the entries of new cameras, which must not exist yet; without it they are printed.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

/// A device with what it told of itself.
struct Device {
    candidate: Candidate,
    facts: Option<DeviceFacts>,
    mac: Option<String>,
    finding: Finding,
    rejected: bool,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let (addresses, login, known) = match prepare(&arguments) {
        Ok(prepared) => prepared,
        Err(code) => return code,
    };
    let devices = match devices(addresses, !arguments.no_multicast, login, &known.cameras).await {
        Ok(devices) => devices,
        Err(error) => return fail(FAILED, &error),
    };
    print!("{}", table(&devices, Paint::stdout()));
    print!("{}", edits(&devices, &known, Paint::stdout()));
    let new = entries(&devices);
    if new.is_empty() {
        return ExitCode::SUCCESS;
    }
    match output(arguments.write.as_deref(), &inventory::write(&new)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(FAILED, &error),
    }
}

/// Entries of all cameras at these addresses, or of those that multicast finds, for whoever has no configuration yet.
pub(super) async fn new_cameras(addresses: Vec<IpAddr>, login: Option<Arc<Login>>) -> Result<Vec<NewCamera>, String> {
    let by_multicast = addresses.is_empty();
    Ok(entries(&devices(addresses, by_multicast, login, &[]).await?))
}

/// Finds devices, and asks each who it is.
async fn devices(
    addresses: Vec<IpAddr>,
    by_multicast: bool,
    login: Option<Arc<Login>>,
    known: &[KnownCamera],
) -> Result<Vec<Device>, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program's own file: {error}"))?;
    let mut candidates: BTreeMap<IpAddr, Candidate> = BTreeMap::new();
    if by_multicast {
        eprintln!("asking by WS-Discovery …");
        candidates.extend(multicast().await.into_iter().map(|found| (found.address, found)));
    }
    for found in scan(addresses).await {
        candidates.insert(found.address, found);
    }
    let settings = Settings { workers: 1, ..Settings::default() };
    let pool = Pool::new(program, settings.workers, settings.worker_memory_mib);
    let prober = Prober::new(settings, pool);
    let devices = identify(candidates, &prober, login, known).await;
    prober.pool().stop(Duration::from_secs(2)).await;
    Ok(devices)
}

/// What the configuration and the journal know.
#[derive(Default)]
struct Known {
    cameras: Vec<KnownCamera>,
    addresses: BTreeMap<String, Vec<Url>>,
    files: Vec<PathBuf>,
}

type Prepared = (Vec<IpAddr>, Option<Arc<Login>>, Known);

fn prepare(arguments: &Arguments) -> Result<Prepared, ExitCode> {
    let mut addresses = BTreeSet::new();
    for range in &arguments.range {
        addresses.extend(parse_range(range).map_err(|problem| fail(USAGE, &format!("--range {range}: {problem}")))?);
    }
    if addresses.len() > MOST_ADDRESSES {
        let problem = format!("{} addresses are too many: name ranges of {MOST_ADDRESSES} at most", addresses.len());
        return Err(fail(USAGE, &problem));
    }
    if addresses.is_empty() && arguments.no_multicast {
        return Err(fail(USAGE, "nobody is asked: name a --range, or leave --no-multicast away"));
    }
    let login = login(&arguments.login, "").map_err(|problem| fail(USAGE, &problem))?;
    let default = Path::new(config_path());
    let path = arguments.config.as_deref().or_else(|| default.is_file().then_some(default));
    let known = match path.map(|path| (path, config::load(path))) {
        None => Known::default(),
        Some((path, Ok(config))) => known(path, &config),
        Some((path, Err(_))) if arguments.config.is_none() => {
            let path = path.display();
            eprintln!("{path} has problems and is left aside (camhealth check tells them): every camera will look new");
            Known::default()
        }
        Some((_, Err(problems))) => {
            eprint!("{}", problems.render(Paint::stderr().is_on()));
            return Err(fail(USAGE, "known cameras can be told only by a good configuration"));
        }
    };
    Ok((addresses.into_iter().collect(), login, known))
}

fn known(path: &Path, config: &config::Config) -> Known {
    // A serial number that was once seen serves where the configuration names none.
    let learned: BTreeMap<_, _> = journal::learned(&config.journal).into_iter().collect();
    let mut known = Known { files: config::files(path), ..Known::default() };
    for camera in config.fleet.cameras.values() {
        let seen = learned.get(&camera.id).and_then(|memory| memory.device.as_ref()).map(|known| &known.now.serial);
        let serial = camera.identity.serial.clone().or_else(|| seen.cloned().filter(|serial| !serial.is_empty()));
        let (endpoint, mac) = (camera.identity.endpoint.clone(), camera.identity.mac.clone());
        let host = camera.rtsp.host_str().unwrap_or_default().to_owned();
        let id = camera.id.to_string();
        known
            .addresses
            .insert(id.clone(), [Some(&camera.rtsp), camera.onvif.as_ref()].into_iter().flatten().cloned().collect());
        known.cameras.push(KnownCamera { id, host, serial, endpoint, mac });
    }
    known
}

async fn scan(addresses: Vec<IpAddr>) -> Vec<Candidate> {
    if addresses.is_empty() {
        return Vec::new();
    }
    let bar = progress(addresses.len(), "asking");
    let mut answers = stream::iter(addresses).map(ask).buffer_unordered(AT_ONCE);
    let mut found = Vec::new();
    while let Some(answer) = answers.next().await {
        bar.inc(1);
        found.extend(answer);
        bar.set_message(format!("{} found", found.len()));
    }
    bar.finish_and_clear();
    found
}

/// Asks each device once who it is. One login is tried once on each; after two rejections in a row no more.
async fn identify(
    candidates: BTreeMap<IpAddr, Candidate>,
    prober: &Prober,
    login: Option<Arc<Login>>,
    known: &[KnownCamera],
) -> Vec<Device> {
    let bar = progress(candidates.len(), "identifying");
    let clock = Clock::system();
    let macs = neighbours();
    let mut devices = Vec::new();
    let mut rejections = 0;
    for candidate in candidates.into_values() {
        bar.inc(1);
        let mut facts = None;
        let mut rejected = false;
        if let Some(onvif) = &candidate.onvif {
            let Ok(rtsp) = format!("rtsp://{}/", candidate.address).parse() else { continue };
            let login = login.clone().filter(|_| rejections < 2);
            let camera = Camera { onvif: Some(onvif.clone()), login: login.clone(), ..Camera::new("found", rtsp) };
            let seen = prober.probe(&camera, Look::new(Check::Device, clock.now())).await;
            let failure = seen.failure.map(|failure| failure.kind);
            rejected = login.is_some() && failure.is_some_and(FailureKind::refuses_login);
            rejections = if rejected {
                rejections + 1
            } else if seen.device.is_some() {
                0
            } else {
                rejections
            };
            facts = seen.device;
        }
        let mac = macs.get(&candidate.address.to_string()).cloned();
        let serial = facts.as_ref().map(|facts| facts.serial.clone()).filter(|serial| !serial.is_empty());
        let (host, endpoint) = (candidate.address.to_string(), candidate.endpoint.clone());
        let finding = inventory::compare(&Found { host, serial, endpoint, mac: mac.clone() }, known);
        devices.push(Device { candidate, facts, mac, finding, rejected });
    }
    bar.finish_and_clear();
    devices
}

/// Hardware addresses of those that were just spoken to on the same network (Linux).
fn neighbours() -> BTreeMap<String, String> {
    let table = std::fs::read_to_string("/proc/net/arp").unwrap_or_default();
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter_map(|cells| Some(((*cells.first()?).to_owned(), cells.get(3)?.to_lowercase()))).collect()
}

fn table(devices: &[Device], paint: Paint) -> String {
    if devices.is_empty() {
        return "no camera answered; where multicast does not reach, name a --range\n".into();
    }
    let rows: Vec<[String; 4]> = devices.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut text = String::new();
    for (row, device) in rows.iter().zip(devices) {
        let finding = match device.finding {
            Finding::Same { .. } => paint.good(&row[3]),
            Finding::Moved { .. } => paint.fair(&row[3]),
            Finding::Replaced { .. } => paint.bad(&row[3]),
            Finding::New => paint.bold(&row[3]),
        };
        let [address, make, serial] = [0, 1, 2].map(|column| format!("{:<1$}", row[column], widths[column]));
        text += &format!("{address}  {make}  {serial}  {finding}\n");
    }
    text
}

fn row(device: &Device) -> [String; 4] {
    let facts = device.facts.as_ref();
    let make = match facts {
        Some(facts) => format!("{} {}", facts.manufacturer, facts.model),
        None if device.rejected => "(login rejected)".into(),
        None if device.candidate.onvif.is_some() => "ONVIF".into(),
        None => "RTSP only".into(),
    };
    let finding = match &device.finding {
        Finding::Same { camera } => format!("known: {camera}"),
        Finding::Moved { camera, from, by } => format!("moved: {camera}, from {from} (by {by})"),
        Finding::Replaced { camera } => format!("another device at the address of {camera}"),
        Finding::New => "new".into(),
    };
    let serial = facts.map_or_else(String::new, |facts| facts.serial.clone());
    [device.candidate.address.to_string(), make, serial, finding]
}

/// What to change in which file for cameras whose address changed.
fn edits(devices: &[Device], known: &Known, paint: Paint) -> String {
    let mut text = String::new();
    let files: Vec<(String, String)> = (known.files.iter())
        .filter_map(|path| Some((path.display().to_string(), std::fs::read_to_string(path).ok()?)))
        .collect();
    for device in devices {
        let Finding::Moved { camera, .. } = &device.finding else { continue };
        for url in known.addresses.get(camera).into_iter().flatten() {
            let old = url.as_str().trim_end_matches('/');
            let host = url.host_str().unwrap_or_default();
            let new = old.replacen(host, &device.candidate.address.to_string(), 1);
            let place = files.iter().find_map(|(name, text)| {
                let line = text.lines().position(|line| line.contains(&format!("\"{old}")))?;
                Some(format!("{name}:{}", line + 1))
            });
            text += &format!("{}\n", paint.bold(place.as_deref().unwrap_or(camera)));
            text += &format!("{}\n{}\n", paint.bad(&format!("- {old}")), paint.good(&format!("+ {new}")));
        }
    }
    if text.is_empty() { text } else { format!("\n{text}\n") }
}

fn entries(devices: &[Device]) -> Vec<NewCamera> {
    let new = devices.iter().filter(|device| device.finding == Finding::New);
    new.map(|device| {
        let Candidate { address, rtsp, onvif, endpoint } = &device.candidate;
        let facts = device.facts.clone().unwrap_or_default();
        let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
        // The last stream that is named is the smallest on most makes.
        let stream = facts.streams.last().cloned();
        let port = rtsp.map_or(554, |rtsp| rtsp.port());
        let make = format!("{} {}", facts.manufacturer, facts.model);
        let mut remark = "set kind, name, login and link; household cameras need consent".to_owned();
        match facts.streams.len() {
            0 => remark += "\nit names no stream: complete the path of rtsp",
            1 => {}
            _ => remark = format!("{remark}\nit names {}", facts.streams.join(" and ")),
        }
        NewCamera {
            id: format!("cam-{}", inventory::id_from(&address.to_string())),
            name: format!("{} {address}", make.trim()).trim().to_owned(),
            rtsp: stream.map_or_else(|| format!("rtsp://{host}:{port}/"), |stream| format!("rtsp://{host}{stream}")),
            onvif: onvif.as_ref().map_or_else(String::new, Url::to_string),
            serial: facts.serial,
            endpoint: endpoint.clone().unwrap_or_default(),
            mac: device.mac.clone().unwrap_or_default(),
            remark,
            ..NewCamera::default()
        }
    })
    .collect()
}

/// `10.20.1.0/24`, `10.20.1.10-10.20.1.60`, or one address.
pub(super) fn parse_range(text: &str) -> Result<Vec<IpAddr>, String> {
    const REMEDY: &str = "write it like 10.20.1.0/24 or 10.20.1.10-10.20.1.60";
    let address = |text: &str| text.trim().parse::<Ipv4Addr>().map(u32::from).map_err(|_| REMEDY.to_owned());
    let (from, to) = if let Some((base, bits)) = text.split_once('/') {
        let bits: u32 = bits.parse().ok().filter(|bits| (16..=32).contains(bits)).ok_or(REMEDY)?;
        let size = 1u32 << (32 - bits);
        let first = address(base)? & !(size - 1);
        // The first and the last address of a network are nobody's.
        if size > 2 { (first + 1, first + size - 2) } else { (first, first + size - 1) }
    } else if let Some((from, to)) = text.split_once('-') {
        (address(from)?, address(to)?)
    } else {
        (address(text)?, address(text)?)
    };
    if from > to {
        return Err("its end comes before its beginning".into());
    }
    if (to - from) as usize >= MOST_ADDRESSES {
        return Err(format!("at most {MOST_ADDRESSES} addresses"));
    }
    Ok((from..=to).map(|address| Ipv4Addr::from(address).into()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_bounded() {
        let count = |text: &str| parse_range(text).map(|addresses| addresses.len());
        assert_eq!(count("10.20.1.0/24"), Ok(254));
        assert_eq!(count("10.20.1.77/30"), Ok(2));
        assert_eq!(count("10.20.1.7"), Ok(1));
        assert_eq!(count("10.20.1.10-10.20.1.60"), Ok(51));
        for bad in ["10.20.1.0/8", "10.20.0.0/16", "10.20.1.9-10.20.1.1", "10.20.1", "lan"] {
            assert!(count(bad).is_err(), "{bad}");
        }
    }
}
