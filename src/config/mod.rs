//! From TOML files to a checked [`Config`]: everything that is wrong is found in one run, each with its place and remedy.
//!
//! Files are read as trees that know where each value stands, and each value is taken out by name: a mistake in one
//! entry hides no other. Nothing here touches the network or the clock.

mod acme;
mod areas;
mod channels;
mod checked;
mod consent;
mod contacts;
mod context;
mod contract;
mod details;
mod edited;
mod entry;
mod export;
mod files;
mod fleet;
mod forest;
mod ids;
mod journal;
mod keys;
mod lay;
mod made;
mod mask;
mod names;
mod openid;
mod owners;
mod privacy;
mod problem;
mod province;
mod reading;
mod scrapers;
mod secret;
mod settings;
mod sheet;
mod sites;
mod slice;
mod sms;
mod source;
mod tables;
mod told;
mod trunks;
mod web;
mod web_address;
mod windows;

pub use checked::Config;
pub(crate) use entry::parse_duration;
pub use export::export;
pub use files::Files;
pub use owners::Owners;
pub use problem::{Problem, Problems};
pub use province::province;
pub use slice::{Slices, read_slice};

use crate::edits::Sheet;
use context::Context;
use source::Source;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Reads the main file and what it includes; secrets come from files and the process's environment.
pub fn load(path: &Path) -> Result<Config, Problems> {
    load_with(path, &|name| std::env::var(name).ok())
}

/// The files of a configuration, the main one first; those that cannot be read are left out.
pub fn files(path: &Path) -> Vec<PathBuf> {
    let context = Context::new(&|_| None);
    let Some(main) = reading::main(path, &context) else { return Vec::new() };
    let others = reading::included(&main, reading::parse(&main, &context).get_ref(), &context);
    std::iter::once(&main).chain(&others).map(|source| source.name.clone().into()).collect()
}

/// The same with an environment of the caller's.
pub fn load_with(path: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Result<Config, Problems> {
    let context = Context::new(environment);
    let Some(main) = reading::main(path, &context) else { return Err(context.problems([])) };
    // The main file's tree says which others there are: a province's cameras are not parsed twice for that.
    let tree = reading::parse(&main, &context);
    let others = reading::included(&main, tree.get_ref(), &context);
    let mut trees = vec![(&main, tree)];
    trees.extend(others.iter().map(|source| (source, reading::parse(source, &context))));
    let mut config = build(&context, &trees, None)?;
    config.files = Files::of(trees.iter().map(|(source, _)| *source));
    Ok(config)
}

/// A file with its tree.
type Parsed<'a> = (&'a Source, toml::Spanned<toml::de::DeTable<'a>>);

/// The configuration that files say; what of them can be edited is known already where edits were laid over them.
fn build<'a>(
    context: &'a Context<'a>,
    trees: &'a [Parsed<'a>],
    sheet: Option<&Arc<Sheet>>,
) -> Result<Config, Problems> {
    let tables = tables::collect(trees, context);

    let (mut schedule, health) = settings::schedule_and_health(&tables);
    let mut probe = settings::probe(&tables);
    let metrics = settings::metrics(&tables);
    let journal = journal::journal(&tables);
    let web = web::web(&tables, journal.path.as_deref().and_then(Path::parent));
    let mut uptime = settings::report(&tables);
    uptime.health = health.clone();
    let owners = privacy::owners(&tables);
    let logins = secret::logins(&tables);
    let may_be_empty = fleet::is_being_set_up(&tables);
    let mut fleet = fleet::fleet(&tables, &logins, may_be_empty, context);
    settings::by_size(&tables, fleet.cameras.len(), &mut schedule, &mut probe);
    fleet.sites = sites::sites(&tables, &fleet, may_be_empty, context);
    areas::settle(&mut fleet);
    fleet.windows = windows::windows(&tables, &fleet);
    let (topology, anchors) = settings::monitor(&tables);
    fleet.anchors = anchors;
    let (mut deliver, mut alert) = contacts::contacts(&tables, &fleet.commune, context);
    uptime.contract = contract::contract(&tables, &mut alert);
    deliver.places = Arc::new(sms::places(&fleet));
    tables.refuse_unread();
    let fleet = Arc::new(fleet);
    let (files, known) = (Files::default(), sheet.cloned().unwrap_or_default());
    let config = Config {
        fleet,
        health,
        topology,
        alert,
        schedule,
        probe,
        journal,
        deliver,
        uptime,
        metrics,
        web,
        owners,
        files,
        sheet: known,
    };
    let mut config = context.finish(config, trees.iter().map(|(source, _)| *source))?;
    if sheet.is_none() {
        config.sheet = Arc::new(sheet::of(trees));
    }
    Ok(config)
}
