//! From TOML files to a checked [`Plan`]: everything that is wrong is found in one run, each with its place and remedy.
//!
//! Files are read as trees that know where each value stands, and each value is taken out by name: a mistake in one
//! entry hides no other. Nothing here touches the network or the clock.

mod areas;
mod channels;
mod contacts;
mod context;
mod details;
mod entry;
mod fleet;
mod forest;
mod keys;
mod mask;
mod names;
mod plan;
mod problem;
mod secret;
mod settings;
mod sites;
mod source;
mod windows;

pub use plan::Plan;
pub use problem::{Problem, Problems};

use context::Context;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Reads the main file and what it includes; secrets come from files and the process's environment.
pub fn load(path: &Path) -> Result<Plan, Problems> {
    load_with(path, &|name| std::env::var(name).ok())
}

/// The files of a configuration, the main one first; those that cannot be read are left out.
pub fn files(path: &Path) -> Vec<PathBuf> {
    let context = Context::new(&|_| None);
    source::read(path, &context).into_iter().map(|source| source.name.into()).collect()
}

/// The same with an environment of the caller's.
pub fn load_with(path: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Result<Plan, Problems> {
    let context = Context::new(environment);
    let sources = source::read(path, &context);
    if sources.is_empty() {
        return Err(context.problems(&sources));
    }
    let trees = source::parse(&sources, &context);
    let tables = source::collect(&sources, &trees, &context);

    let (schedule, health) = settings::schedule_and_health(&tables);
    let probe = settings::probe(&tables);
    let journal = settings::journal(&tables);
    let web = settings::web(&tables);
    let uptime = settings::report(&tables);
    let logins = secret::logins(&tables);
    let mut fleet = fleet::fleet(&tables, &logins, &context);
    fleet.sites = sites::sites(&tables, &fleet, &context);
    areas::settle(&mut fleet);
    fleet.windows = windows::windows(&tables, &fleet);
    let (topology, anchors) = settings::monitor(&tables);
    fleet.anchors = anchors;
    let (deliver, alert) = contacts::contacts(&tables, &fleet.commune, &context);
    tables.refuse_unread();
    let plan = Plan { fleet: Arc::new(fleet), health, topology, alert, schedule, probe, journal, deliver, uptime, web };
    context.finish(plan, &sources)
}
