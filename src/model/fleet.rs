//! The inventory: cameras, the devices and links behind them, and the sites that they watch.

use super::{
    Area, AreaId, CameraId, Cause, Certificate, Codec, Consent, Detail, DeviceId, Language, LinkId, Login, Observer,
    Site, SiteId, Strength, Window, closed::closed, hours::DailyHours,
};
use jiff::{Timestamp, tz::TimeZone};
use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::Arc,
    time::Duration,
};
use url::Url;

/// Everything a commune has, checked: each id that is named here exists here.
#[derive(Debug, Clone, PartialEq)]
pub struct Fleet {
    /// Whom all this belongs to.
    pub commune: Commune,
    /// Hosts by id; each camera's `device` is among them.
    pub devices: BTreeMap<DeviceId, Device>,
    /// Cameras by id.
    pub cameras: BTreeMap<CameraId, Arc<Camera>>,
    /// Sites by id; each camera that a view names is among `cameras`.
    pub sites: BTreeMap<SiteId, Arc<Site>>,
    /// Areas by id, a forest.
    pub areas: BTreeMap<AreaId, Area>,
    /// Links by id, a forest.
    pub links: BTreeMap<LinkId, Link>,
    /// What the monitor asks to tell whether its own network works; nothing where it cannot know.
    pub anchors: Vec<Beacon>,
    /// Maintenance windows of the configuration.
    pub windows: Vec<Window>,
}

impl Fleet {
    /// A commune without anything in it.
    pub fn empty(commune: Commune) -> Self {
        Self {
            commune,
            devices: BTreeMap::new(),
            cameras: BTreeMap::new(),
            sites: BTreeMap::new(),
            areas: BTreeMap::new(),
            links: BTreeMap::new(),
            anchors: Vec::new(),
            windows: Vec::new(),
        }
    }

    /// The name for people of what failed.
    pub fn place(&self, cause: &Cause) -> String {
        let name = match cause {
            Cause::Site(id) | Cause::Unproven(id) | Cause::Drill(id) => {
                self.sites.get(id).map(|site| site.name.clone())
            }
            Cause::Link(id) => self.links.get(id).map(|link| link.name.clone()),
            Cause::Device(id) => Some(id.to_string()),
            Cause::Commune | Cause::Monitor => Some(self.commune.name.clone()),
        };
        name.unwrap_or_else(|| cause.subject().to_owned())
    }

    /// Cameras whose owner's consent has ended, has not begun or ends soon; the first to end comes first.
    pub fn consents_ending(&self, now: Timestamp) -> Vec<(&Camera, &Consent)> {
        let zone = &self.commune.timezone;
        let consents = self.cameras.values().filter_map(|camera| Some((&**camera, camera.consent.as_ref()?)));
        let mut ending: Vec<_> =
            consents.filter(|(_, consent)| !consent.holds(now, zone) || consent.ends_soon(now, zone)).collect();
        ending.sort_by_key(|(_, consent)| consent.until);
        ending
    }

    /// The links that a camera hangs on, from the nearest up.
    pub fn links_above(&self, camera: &Camera) -> Vec<LinkId> {
        camera.link.iter().flat_map(|link| self.up_from(link)).collect()
    }

    /// A link and those that it hangs on, from the nearest up.
    pub fn up_from(&self, link: &LinkId) -> impl Iterator<Item = LinkId> {
        let next = |id: &LinkId| self.links.get(id)?.parent.clone();
        // The configuration has no circles; a depth no tree has bounds it all the same.
        std::iter::successors(Some(link.clone()), next).take(64)
    }

    /// Whether a link is an agent.
    pub fn is_agent(&self, link: &LinkId) -> bool {
        self.links.get(link).is_some_and(|link| link.kind == LinkKind::Agent)
    }

    /// Who is to see a camera: the nearest agent or source above it, else the daemon.
    pub fn observer_of(&self, camera: &Camera) -> Observer {
        observer_above(&self.links, camera.link.as_ref())
    }

    /// The agent that looks at a camera, if one does.
    pub fn agent_of(&self, camera: &Camera) -> Option<LinkId> {
        match self.observer_of(camera) {
            Observer::Agent(link) => Some(link),
            Observer::Daemon | Observer::Source(_) => None,
        }
    }

    /// Whether a link is an agent, or hangs on one.
    pub fn is_behind_agent(&self, link: &LinkId) -> bool {
        self.up_from(link).any(|id| self.is_agent(&id))
    }

    /// The agents.
    pub fn agents(&self) -> impl Iterator<Item = (&LinkId, &Link)> {
        self.links.iter().filter(|(_, link)| link.kind == LinkKind::Agent)
    }

    /// Agents and sources: links that say themselves that they are there.
    pub fn observers(&self) -> impl Iterator<Item = (&LinkId, &Link)> {
        self.links.iter().filter(|(_, link)| link.kind.observes())
    }

    /// The same fleet with the cameras alone that are to be seen by one of those who see some.
    #[must_use]
    pub fn seen_by(self: &Arc<Self>, observer: &Observer) -> Arc<Self> {
        if *observer == Observer::Daemon && self.observers().next().is_none() {
            return self.clone();
        }
        let mut fleet = (**self).clone();
        fleet.cameras.retain(|_, camera| self.observer_of(camera) == *observer);
        let devices: std::collections::BTreeSet<&DeviceId> =
            fleet.cameras.values().map(|camera| &camera.device).collect();
        fleet.devices.retain(|id, _| devices.contains(id));
        Arc::new(fleet)
    }
}

/// Who is to see what hangs on a link: the nearest agent or source above, else the daemon.
pub fn observer_above(links: &BTreeMap<LinkId, Link>, link: Option<&LinkId>) -> Observer {
    // As far up as [`Fleet::up_from`] goes.
    let mut up = std::iter::successors(link, |id| links.get(*id)?.parent.as_ref()).take(64);
    let observer = up.find_map(|id| match links.get(id)?.kind {
        LinkKind::Agent => Some(Observer::Agent(id.clone())),
        LinkKind::Source => Some(Observer::Source(id.clone())),
        LinkKind::Uplink | LinkKind::Switch | LinkKind::Power => None,
    });
    observer.unwrap_or_default()
}

/// An address that answers as long as the way to it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beacon {
    /// A TCP port: that it refuses proves the host as well as that it accepts.
    Tcp(SocketAddr),
    /// An ICMP echo.
    Icmp(IpAddr),
    /// A peer of a WireGuard interface of this machine's, by its public key: it answers as long as their handshakes are renewed.
    WireGuard {
        /// The interface.
        interface: Box<str>,
        /// The peer's public key, in base64.
        peer: Box<str>,
    },
}

impl fmt::Display for Beacon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Icmp(address) => write!(f, "icmp://{address}"),
            Self::WireGuard { interface, peer } => write!(f, "wireguard://{interface}/{peer}"),
        }
    }
}

impl FromStr for Beacon {
    type Err = ();

    /// Reads `tcp://10.20.0.1:80`, `icmp://10.20.0.1` and `wireguard://wg0/KEY`.
    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once("://") {
            Some(("tcp", address)) => address.parse().map(Self::Tcp).map_err(|_| ()),
            Some(("icmp", address)) => address.parse().map(Self::Icmp).map_err(|_| ()),
            Some(("wireguard", rest)) => {
                // In base64 there may be further slashes.
                let (interface, peer) = rest.split_once('/').ok_or(())?;
                let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_=+.-".contains(&byte);
                let is_name = (1..=15).contains(&interface.len()) && interface.bytes().all(is_letter);
                let is_key = peer.len() == 44
                    && peer.ends_with('=')
                    && peer[..43].bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte));
                let beacon = || Self::WireGuard { interface: interface.into(), peer: peer.into() };
                // What begins with a dash would be an option of the program that is asked.
                (is_name && is_key && !interface.starts_with('-')).then(beacon).ok_or(())
            }
            _ => Err(()),
        }
    }
}

/// The commune as its people see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Commune {
    /// Name for pages and messages, in UTF-8.
    pub name: String,
    /// Language of pages and messages where nothing else is said.
    pub language: Language,
    /// IANA zone in which people are shown times.
    pub timezone: TimeZone,
    /// The hours in which views need what they need at night.
    pub night: DailyHours,
}

/// One network host with one login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// How many of our sessions it may serve at once, over all its channels.
    pub sessions: usize,
    /// What people noted on it.
    pub notes: Option<String>,
}

closed! {
    /// Whose camera it is.
    #[derive(PartialOrd, Ord)]
    pub enum Kind {
        /// On the road, paid for by the people.
        Public "public",
        /// Lent by a family; its name and place never leave the commune.
        Household "household",
    }
}

closed! {
    /// How RTP reaches us.
    #[derive(Default)]
    pub enum Transport {
        /// Interleaved in the RTSP connection.
        #[default]
        Tcp "tcp",
        /// A pair of UDP ports.
        Udp "udp",
    }
}

/// One video channel of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// Its id.
    pub id: CameraId,
    /// Name for people, in UTF-8.
    pub name: String,
    /// Public or household.
    pub kind: Kind,
    /// The host that serves it.
    pub device: DeviceId,
    /// What it hangs on, if that is known.
    pub link: Option<LinkId>,
    /// The area that it counts to: its own, or that of the first site that it watches.
    pub area: Option<AreaId>,
    /// RTSP URL of the stream to look at (the substream, by preference), without user and password. Of one that a source
    /// tells of it names no host.
    pub rtsp: Url,
    /// The weakest proof by which it counts as seeing: the one of media, unless a source tells of it.
    pub proof: Strength,
    /// Which certificate it must have, where its address is `rtsps://`.
    pub certificate: Option<Certificate>,
    /// How RTP is asked for.
    pub transport: Transport,
    /// ONVIF device service, if it has one.
    pub onvif: Option<Url>,
    /// Login for RTSP and ONVIF.
    pub login: Option<Arc<Login>>,
    /// What its stream should be.
    pub promise: Promise,
    /// How the device is known again when its address changes.
    pub identity: Identity,
    /// When its owner wants no contact.
    pub off_hours: Vec<DailyHours>,
    /// What a family agreed to; of a camera on the road nothing.
    pub consent: Option<Consent>,
    /// What people noted on it.
    pub notes: Option<String>,
    /// Bytes that looks may move from it in any 24 hours; the kind's default when `None`.
    pub bytes_per_day: Option<u64>,
}

impl Camera {
    /// A public camera on a device of its own, of which only the address is known.
    pub fn new(id: &str, rtsp: Url) -> Self {
        Self {
            id: id.into(),
            name: id.to_owned(),
            kind: Kind::Public,
            device: id.into(),
            link: None,
            area: None,
            rtsp,
            proof: Strength::Media,
            certificate: None,
            transport: Transport::default(),
            onvif: None,
            login: None,
            promise: Promise::default(),
            identity: Identity::default(),
            off_hours: Vec::new(),
            consent: None,
            notes: None,
            bytes_per_day: None,
        }
    }

    /// The weaker proof by which it counts as seeing, where a source tells of it.
    pub fn weaker_proof(&self) -> Option<Strength> {
        Some(self.proof).filter(|proof| *proof != Strength::Media)
    }

    /// Whether looks at it are the same as at `other`: what people call it and agreed to changes none.
    pub fn is_looked_at_like(&self, other: &Self) -> bool {
        let Self { name, area, consent, notes, .. } = other.clone();
        Self { name, area, consent, notes, ..self.clone() } == *other
    }

    /// Whether it must not be contacted at `now`, in the commune's time: its owner wants none at this hour, or has not
    /// agreed to any.
    pub fn is_off(&self, now: Timestamp, zone: &TimeZone) -> bool {
        self.in_off_hours(now, zone) || !self.has_consent(now, zone)
    }

    /// Whether its owner wants no contact at this hour.
    pub fn in_off_hours(&self, now: Timestamp, zone: &TimeZone) -> bool {
        if self.off_hours.is_empty() {
            return false;
        }
        let time = now.to_zoned_datetime(zone.clone()).time();
        self.off_hours.iter().any(|hours| hours.contain(time))
    }

    /// Whether whoever lent it has agreed, or nobody needs to.
    pub fn has_consent(&self, now: Timestamp, zone: &TimeZone) -> bool {
        self.consent.as_ref().is_none_or(|consent| consent.holds(now, zone))
    }

    /// Why it must not be contacted, if it must not; nothing is told where it is the hour.
    pub fn off(&self, now: Timestamp, zone: &TimeZone) -> Option<Detail> {
        let lacks = self.consent.as_ref().and_then(|consent| consent.lacks(now, zone));
        lacks.or_else(|| self.in_off_hours(now, zone).then(Detail::default))
    }
}

/// The port of an RTSP address, where it names none that of its scheme.
pub fn rtsp_port(url: &Url) -> u16 {
    url.port().unwrap_or(if url.scheme() == "rtsps" { 322 } else { 554 })
}

/// What a camera's stream should be; what is `None` was not promised.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Promise {
    /// Video codec.
    pub codec: Option<Codec>,
    /// Width and height in pixels.
    pub size: Option<(u32, u32)>,
    /// Frames a second.
    pub fps: Option<f64>,
    /// Bytes a second.
    pub bytes_per_second: Option<f64>,
    /// Longest time between keyframes.
    pub keyframe_interval: Option<Duration>,
}

/// What stays the same when a device's address changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// Serial number, as ONVIF tells it.
    pub serial: Option<String>,
    /// WS-Discovery endpoint reference, such as `urn:uuid:…`.
    pub endpoint: Option<String>,
    /// Hardware address in lower case with colons.
    pub mac: Option<String>,
}

impl Identity {
    /// A hardware address in lower case with colons, from its twelve hexadecimal digits however they are separated.
    pub fn mac_from(text: &str) -> Option<String> {
        let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        let pairs = || (0..6).map(|n| digits[2 * n..2 * n + 2].to_ascii_lowercase()).collect::<Vec<_>>();
        (digits.len() == 12).then(|| pairs().join(":"))
    }
}

/// What devices share and what can take them down together.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Name for people.
    pub name: String,
    /// What it is.
    pub kind: LinkKind,
    /// The link that it hangs on.
    pub parent: Option<LinkId>,
    /// Bytes that looks may move over it in any 24 hours; without limit when `None`.
    pub bytes_per_day: Option<u64>,
    /// Looks at streams that may begin on it in a second, on average.
    pub looks_per_second: f64,
    /// What answers as long as the link itself works, such as its switch.
    pub probe: Option<Beacon>,
}

closed! {
    /// What a link is made of.
    pub enum LinkKind {
        /// The line of an Internet provider, or a fibre to the next hamlet.
        Uplink "uplink",
        /// A switch or an access point.
        Switch "switch",
        /// A power feeder.
        Power "power",
        /// A small computer behind a home router that looks at what hangs on it, and tells us.
        Agent "agent",
        /// Something that knows of cameras that nobody of ours can look at, and tells us: a vendor's cloud, a recorder.
        Source "source",
    }
}

impl LinkKind {
    /// Whether it says itself that it is there.
    pub const fn observes(self) -> bool {
        matches!(self, Self::Agent | Self::Source)
    }
}
