//! The plan that an agent was given last, on its disk, and the configuration that it is with what is written there alone.

use crate::{
    config::{self, Config},
    model::AgentPlan,
    web::write_private,
};
use std::{fs, path::Path, sync::Arc};

/// The plan that was in force last.
pub(super) fn kept_plan(folder: &Path) -> Option<AgentPlan> {
    serde_json::from_str(&fs::read_to_string(folder.join("plan.json")).ok()?).ok()
}

/// A plan as a configuration, with the files that are in the agent's folder alone. A channel that is wrong keeps no camera from
/// being looked at.
pub(super) fn configured(folder: &Path, plan: &AgentPlan) -> Result<Config, config::Problems> {
    let own = |names: &[&'static str]| {
        names.iter().filter_map(|name| Some((*name, fs::read_to_string(folder.join(name)).ok()?))).collect::<Vec<_>>()
    };
    config::read_slice(plan, own(&["logins.toml", "alarm.toml"]), folder.to_owned()).or_else(|problems| {
        let config = config::read_slice(plan, own(&["logins.toml"]), folder.to_owned());
        if config.is_ok() {
            tracing::error!("alarm.toml cannot be used: {}", problems.render(false));
        }
        config
    })
}

/// A plan as a configuration; it is kept for the next start. One that cannot be used is told, and the one before it goes on.
pub(super) fn taken_over(folder: &Path, plan: &AgentPlan) -> Option<Arc<Config>> {
    match configured(folder, plan) {
        Ok(config) => {
            let text = serde_json::to_string(plan).unwrap_or_default();
            if let Err(error) = write_private(&folder.join("plan.json"), &text) {
                tracing::error!(%error, "the plan cannot be kept: after a restart without a line there is none");
            }
            tracing::info!(cameras = config.fleet.cameras.len(), "a plan is in force");
            Some(Arc::new(config))
        }
        Err(problems) => {
            tracing::error!("the plan cannot be used: {}", problems.render(false));
            None
        }
    }
}
