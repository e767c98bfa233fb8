//! What a member shows of its province, and its figures for Prometheus.

use super::{child::State, communes::Commune, settings::Settings};
use crate::model::{CommuneId, Holding, MemberId, Move, Province};
use jiff::Timestamp;
use prometheus::{Encoder, GaugeVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// A roll that was read so long ago says nothing of now.
const YOUNG: Duration = Duration::from_secs(15);

/// How often this member changed the roll, by what it did.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    claimed: u64,
    handed_over: u64,
    let_go: u64,
}

impl Counts {
    pub(super) fn made(&mut self, step: &Move) {
        match step {
            Move::Claim { .. } => self.claimed += 1,
            Move::HandOver { .. } => self.handed_over += 1,
            Move::LetGo { .. } => self.let_go += 1,
            Move::Offer { .. } | Move::Withdraw { .. } | Move::Ready { .. } => {}
        }
    }
}

/// What a member knew at a moment.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) settings: Settings,
    pub(super) province: Province,
    /// The communes whose configuration this machine has.
    pub(super) communes: Vec<Commune>,
    /// Configurations that could not be read.
    pub(super) unreadable: usize,
    pub(super) states: BTreeMap<CommuneId, State>,
    /// When the roll was read last.
    pub(super) read: Option<Instant>,
    /// Why it cannot be read now.
    pub(super) trouble: Option<String>,
    pub(super) counts: Counts,
    pub(super) now: Timestamp,
}

impl View {
    /// Before anything is known.
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
            province: Province::default(),
            communes: Vec::new(),
            unreadable: 0,
            states: BTreeMap::new(),
            read: None,
            trouble: None,
            counts: Counts::default(),
            now: Timestamp::UNIX_EPOCH,
        }
    }

    /// Why what it shows may not be so any more.
    pub(super) fn is_stale(&self) -> Option<String> {
        match (&self.trouble, self.read) {
            (_, Some(read)) if read.elapsed() < YOUNG => None,
            (Some(trouble), _) => Some(format!("the roll cannot be read: {trouble}")),
            (None, _) => Some("the roll was not read yet".to_owned()),
        }
    }

    /// How many communes this member holds, and how many there are.
    pub(super) fn shares(&self) -> (usize, usize) {
        (self.province.share(&self.settings.member).0, self.province.communes.len())
    }

    /// Where Prometheus finds each commune, as `http_sd` wants it.
    pub(super) fn targets(&self) -> serde_json::Value {
        let target = |(id, held): (&CommuneId, &Holding)| {
            let place = self.province.place(held)?;
            let known = self.communes.iter().find(|commune| commune.listed.id == *id);
            let scheme = if known.is_some_and(|commune| commune.is_encrypted) { "https" } else { "http" };
            // The series go on by the same name when another machine takes it over.
            let labels = serde_json::json!({
                "instance": id, "commune": id, "__scheme__": scheme, "__meta_camhealth_commune_name": held.name,
            });
            Some(serde_json::json!({ "targets": [place.to_string()], "labels": labels }))
        };
        self.province.communes.iter().filter_map(target).collect()
    }

    /// Figures in Prometheus' format.
    pub(super) fn metrics(&self) -> String {
        self.try_metrics().unwrap_or_else(|error| {
            tracing::error!(%error, "the province's figures cannot be made");
            String::new()
        })
    }

    fn try_metrics(&self) -> prometheus::Result<String> {
        let registry = Registry::new();
        let gauge = |name: &str, help: &str, value: i64| {
            let gauge = IntGauge::new(name, help)?;
            gauge.set(value);
            registry.register(Box::new(gauge))
        };
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let province = &self.province;
        gauge(
            "camhealth_province_roll_fresh",
            "Whether the roll was read lately.",
            i64::from(self.is_stale().is_none()),
        )?;
        gauge("camhealth_province_communes", "Communes in the roll.", count(province.communes.len()))?;
        let unheld = province.communes.values().filter(|held| !province.is_held(held)).count();
        gauge("camhealth_province_communes_unheld", "Communes that nobody holds who lives.", count(unheld))?;
        let moving = province.communes.values().filter(|held| held.next.is_some()).count();
        gauge("camhealth_province_communes_moving", "Communes that are handed over.", count(moving))?;
        let what = "Configurations that this member could not read.";
        gauge("camhealth_province_configs_unreadable", what, count(self.unreadable))?;

        let by_member = |name: &str, help: &str| {
            let family = GaugeVec::new(Opts::new(name, help), &["member"])?;
            registry.register(Box::new(family.clone()))?;
            Ok::<_, prometheus::Error>(family)
        };
        let up = by_member("camhealth_province_member_up", "Whether a member was seen lately.")?;
        let held = by_member("camhealth_province_member_communes", "Communes that a member holds.")?;
        let cameras = by_member("camhealth_province_member_cameras", "Cameras of the communes that a member holds.")?;
        for (name, member) in &province.members {
            let (communes, theirs) = province.share(name);
            up.with_label_values(&[name.as_str()]).set(f64::from(u8::from(member.is_alive)));
            held.with_label_values(&[name.as_str()]).set(communes as f64);
            cameras.with_label_values(&[name.as_str()]).set(theirs as f64);
        }

        let what = "1 for each commune, with its name for people and the member that holds it.";
        let info = GaugeVec::new(Opts::new("camhealth_province_commune_info", what), &["commune", "name", "holder"])?;
        registry.register(Box::new(info.clone()))?;
        for (id, held) in &province.communes {
            let holder = held.holder.as_ref().filter(|_| province.is_held(held)).map_or("", MemberId::as_str);
            info.with_label_values(&[id.as_str(), held.name.as_str(), holder]).set(1.0);
        }

        let counter = |name: &str, help: &str, label: &str| {
            let family = IntCounterVec::new(Opts::new(name, help), &[label])?;
            registry.register(Box::new(family.clone()))?;
            Ok::<_, prometheus::Error>(family)
        };
        let moves = counter("camhealth_province_moves_total", "Changes of the roll by this member.", "kind")?;
        let Counts { claimed, handed_over, let_go } = self.counts;
        for (kind, number) in [("claimed", claimed), ("handed_over", handed_over), ("let_go", let_go)] {
            moves.with_label_values(&[kind]).inc_by(number);
        }
        let what = "Daemons that ended by themselves and were started again by this member.";
        let restarts = counter("camhealth_province_daemon_restarts_total", what, "commune")?;
        for (id, state) in &self.states {
            restarts.with_label_values(&[id.as_str()]).inc_by(state.restarts);
        }
        let mut text = Vec::new();
        TextEncoder::new().encode(&registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
