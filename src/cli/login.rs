//! A login on the command line: the user as an argument, the password never.

use crate::model::Login;
use std::{path::PathBuf, sync::Arc};

#[derive(Debug, clap::Args)]
pub(super) struct LoginArguments {
    /// User name for RTSP and ONVIF.
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// File that holds the password; without it, the environment variable CAMHEALTH_PASSWORD is used.
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
}

/// The login, if a user is named, here or by `user_in_address`.
pub(super) fn login(arguments: &LoginArguments, user_in_address: &str) -> Result<Option<Arc<Login>>, String> {
    let named = Some(user_in_address.to_owned()).filter(|user| !user.is_empty());
    let user = arguments.user.clone().or(named);
    let password = match &arguments.password_file {
        Some(file) => {
            let text = std::fs::read_to_string(file);
            let text = text.map_err(|error| format!("--password-file {}: {error}", file.display()))?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        None => std::env::var("CAMHEALTH_PASSWORD").ok(),
    };
    match (user, password) {
        (Some(username), Some(password)) => Ok(Some(Arc::new(Login::new(username, password)))),
        (Some(_), None) => Err("--user needs a password: --password-file or CAMHEALTH_PASSWORD".into()),
        (None, _) if arguments.password_file.is_some() => Err("--password-file needs --user".into()),
        (None, _) => Ok(None),
    }
}
