//! Secrets: from files and the environment, never from the configuration itself.

use super::{
    entry::{Entry, Located},
    mask::{is_variable, is_variables_name, names_a_file},
    tables::Tables,
};
use crate::model::Login;
use secrecy::SecretString;
use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

/// Where systemd puts what `LoadCredential=` names, for the service alone to read.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
/// How a file's name says that it lies there.
const OF_CREDENTIALS: &str = "${CREDENTIALS_DIRECTORY}/";
/// Where they lie for commands that systemd does not start, beside the configuration: root's alone to read.
const UNHANDED: &str = "credentials";

/// All `[login.NAME]`.
pub(super) fn logins(tables: &Tables<'_>) -> BTreeMap<String, Option<Arc<Login>>> {
    let mut logins = BTreeMap::new();
    for entry in tables.list("login") {
        for (name, login) in entry.named_children() {
            // It stands in a file of whoever's camera it is.
            if login.truth("at_agent") == Some(true) {
                login.refuse_unread();
                logins.insert(name.to_owned(), None);
                continue;
            }
            let username = login.required_hidden("username", "giamsat");
            let password = secret(&login, "password", "password_file", true);
            let allow_basic = login.truth("allow_basic").unwrap_or(false);
            login.refuse_unread();
            let both = username.zip(password);
            let both = both.map(|(user, password)| Arc::new(Login { username: user.value, password, allow_basic }));
            if logins.insert(name.to_owned(), both).is_some() {
                login.problem("", login.span(), "is defined twice".into(), "give one of them another name");
            }
        }
    }
    logins
}

/// A secret from `file_key = "path"` or `key = "${NAME}"`.
pub(super) fn secret(
    entry: &Entry<'_>,
    key: &'static str,
    file_key: &'static str,
    required: bool,
) -> Option<SecretString> {
    let remedy = format!("write {file_key} = \"FILE\", or {key} = \"${{NAME}}\" for a variable of the environment");
    match (entry.has(key), entry.has(file_key)) {
        (true, true) => {
            entry.problem(key, entry.span(), format!("{key} and {file_key} are both given"), "keep one of them");
            None
        }
        (false, false) if required => {
            entry.problem(key, entry.span(), "is missing".into(), &remedy);
            None
        }
        (false, false) => None,
        (false, true) => from_file(entry, file_key),
        (true, false) => {
            let text = entry.hidden(key)?;
            if !is_variable(&text.value) {
                let message = "a secret must not stand in the configuration itself".to_owned();
                entry.problem(key, text.span, message, &remedy);
                return None;
            }
            interpolated(entry, key, &text).map(SecretString::from)
        }
    }
}

fn from_file(entry: &Entry<'_>, key: &'static str) -> Option<SecretString> {
    let name = entry.hidden(key)?;
    let (folder, file) = match name.value.strip_prefix(OF_CREDENTIALS) {
        None => (entry.source.folder.clone(), name.value.as_str()),
        Some(file) => {
            let folder = (entry.context().environment)(CREDENTIALS).map(PathBuf::from);
            (folder.unwrap_or_else(|| entry.source.folder.join(UNHANDED)), file)
        }
    };
    let path = folder.join(file);
    let shown = match names_a_file(&folder, file) {
        true => {
            entry.show(&name);
            path.display().to_string()
        }
        false => "the file that it names".to_owned(),
    };
    match fs::read_to_string(&path) {
        Ok(text) if text.trim_end_matches(['\r', '\n']).is_empty() => {
            entry.problem(key, name.span, format!("{shown} is empty"), "write the secret into it");
            None
        }
        Ok(text) => Some(text.trim_end_matches(['\r', '\n']).to_owned().into()),
        Err(error) => {
            let message = format!("{shown} cannot be read: {error}");
            entry.problem(key, name.span, message, "create it, readable by camhealth's user only (chmod 600)");
            None
        }
    }
}

/// Text in which `${NAME}` stands for a variable of the environment.
pub(super) fn interpolated(entry: &Entry<'_>, key: &'static str, text: &Located<String>) -> Option<String> {
    let environment = entry.context().environment;
    if is_variable(&text.value) {
        entry.show(text);
    }
    let mut result = String::new();
    let mut rest = text.value.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        result += before;
        let Some((name, after)) = after.split_once('}') else {
            entry.problem(key, text.span.clone(), "${ is not closed".into(), "write ${NAME}");
            return None;
        };
        match environment(name).filter(|value| !value.is_empty()) {
            Some(value) => result += &value,
            None => {
                // A secret in braces is still one.
                let (message, name) = match is_variables_name(name) {
                    true => (format!("the environment has no variable {name}"), name),
                    false => ("the environment has no such variable".to_owned(), "NAME"),
                };
                let remedy = format!("set it before camhealth starts: export {name}=…, or Environment= in its unit");
                entry.problem(key, text.span.clone(), message, &remedy);
                return None;
            }
        }
        rest = after;
    }
    Some(result + rest)
}

#[cfg(test)]
mod tests {
    use crate::config::load_with;
    use std::fs;

    #[test]
    fn a_credential_is_read_where_the_service_manager_put_it_or_beside_the_configuration() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "[commune]\nname = \"Xã Thử\"\nbeing_set_up = true\n\n[login.thu]\nusername = \"thu\"\n\
                    password_file = \"${CREDENTIALS_DIRECTORY}/thu\"\n";
        let main = folder.path().join("camhealth.toml");
        fs::write(&main, text).expect("it can be written");
        let handed = folder.path().join("run");
        let environment = |name: &str| (name == "CREDENTIALS_DIRECTORY").then(|| handed.display().to_string());
        for place in [handed.clone(), folder.path().join("credentials")] {
            fs::create_dir(&place).expect("a folder");
            fs::write(place.join("thu"), "mật khẩu\n").expect("it can be written");
        }
        assert!(load_with(&main, &environment).is_ok() && load_with(&main, &|_| None).is_ok());
        fs::remove_dir_all(&handed).expect("it goes");
        let problems = load_with(&main, &environment).expect_err("it is not there").to_string();
        assert!(problems.contains("cannot be read"), "{problems}");
    }
}
