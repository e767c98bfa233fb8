//! An agent's part of a configuration that the program made itself, as the demo does: there are no files from which it could be
//! taken, so it is written anew from what the configuration holds.

use super::Config;
use crate::{
    model::{Camera, Kind, LinkId},
    schedule::Cadence,
};
use secrecy::ExposeSecret;
use std::{collections::BTreeMap, time::Duration};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

/// What stands for the day on which a family agreed, where the program made the family up.
const AGREED: &str = "2026-01-01";

fn seconds(length: Duration) -> Item {
    value(format!("{}s", length.as_secs().max(1)))
}

fn cadence(cadence: &Cadence) -> Table {
    let mut table = Table::new();
    let lengths = [
        ("liveness", cadence.liveness),
        ("stream", cadence.stream),
        ("survey", cadence.survey),
        ("device", cadence.device),
    ];
    lengths.into_iter().for_each(|(key, length)| drop(table.insert(key, seconds(length))));
    table
}

/// The plan and its passwords, by the variables that stand for them.
pub(super) fn made(config: &Config, agent: &LinkId) -> (DocumentMut, BTreeMap<String, String>) {
    let fleet = &config.fleet;
    let mut plan = DocumentMut::new();
    let mut commune = Table::new();
    commune.insert("name", value(fleet.commune.name.as_str()));
    commune.insert("being_set_up", value(true));
    plan.insert("commune", Item::Table(commune));
    let mut schedule = Table::new();
    schedule.insert("public", Item::Table(cadence(&config.schedule.public)));
    schedule.insert("household", Item::Table(cadence(&config.schedule.household)));
    plan.insert("schedule", Item::Table(schedule));
    let mut link = Table::new();
    link.insert("id", value(agent.as_str()));
    link.insert("name", value(agent.as_str()));
    link.insert("kind", value("agent"));
    let mut links = ArrayOfTables::new();
    links.push(link);
    plan.insert("link", Item::ArrayOfTables(links));

    let (mut cameras, mut logins, mut secrets) = (ArrayOfTables::new(), Table::new(), BTreeMap::new());
    let theirs = |camera: &&std::sync::Arc<Camera>| fleet.agent_of(camera).as_ref() == Some(agent);
    for camera in fleet.cameras.values().filter(theirs) {
        let mut entry = Table::new();
        entry.insert("id", value(camera.id.as_str()));
        entry.insert("name", value(camera.id.as_str()));
        entry.insert("kind", value(camera.kind.as_str()));
        if camera.kind == Kind::Household {
            entry.insert("consent", value(AGREED));
        }
        entry.insert("link", value(agent.as_str()));
        entry.insert("rtsp", value(camera.rtsp.as_str()));
        if let Some(login) = &camera.login {
            let (name, variable) = (camera.id.as_str(), format!("CAMHEALTH_LOGIN_{}", secrets.len()));
            let mut known = Table::new();
            known.insert("username", value(login.username.as_str()));
            known.insert("password", value(format!("${{{variable}}}")));
            logins.insert(name, Item::Table(known));
            secrets.insert(variable, login.password.expose_secret().to_owned());
            entry.insert("login", value(name));
        }
        cameras.push(entry);
    }
    plan.insert("camera", Item::ArrayOfTables(cameras));
    plan.insert("login", Item::Table(logins));
    (plan, secrets)
}
