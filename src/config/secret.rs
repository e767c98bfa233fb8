//! Secrets: from files and the environment, never from the configuration itself.

use super::{
    entry::{Entry, Located},
    source::Tables,
};
use crate::model::Login;
use secrecy::SecretString;
use std::{collections::BTreeMap, fs, sync::Arc};

/// All `[login.NAME]`.
pub(super) fn logins(tables: &Tables<'_>) -> BTreeMap<String, Option<Arc<Login>>> {
    let mut logins = BTreeMap::new();
    for entry in tables.list("login") {
        for (name, login) in entry.named_children() {
            let username = login.required("username", "giamsat");
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
            let text = entry.text(key)?;
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
    let name = entry.text(key)?;
    let path = entry.source.folder.join(&name.value);
    match fs::read_to_string(&path) {
        Ok(text) if text.trim_end_matches(['\r', '\n']).is_empty() => {
            entry.problem(key, name.span, format!("{} is empty", path.display()), "write the secret into it");
            None
        }
        Ok(text) => Some(text.trim_end_matches(['\r', '\n']).to_owned().into()),
        Err(error) => {
            let message = format!("{} cannot be read: {error}", path.display());
            entry.problem(key, name.span, message, "create it, readable by camhealth's user only (chmod 600)");
            None
        }
    }
}

/// Text in which `${NAME}` stands for a variable of the environment.
pub(super) fn interpolated(entry: &Entry<'_>, key: &'static str, text: &Located<String>) -> Option<String> {
    let environment = entry.context().environment;
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
                let message = format!("the environment has no variable {name}");
                let remedy = format!("set it before camhealth starts: export {name}=…, or Environment= in its unit");
                entry.problem(key, text.span.clone(), message, &remedy);
                return None;
            }
        }
        rest = after;
    }
    Some(result + rest)
}

/// The text with what may be a secret replaced by stars, byte for byte, so that places stay where they are. It errs on
/// the side of stars: whatever looks like a password or token key, misspelt too, and whatever holds an `@`.
pub(super) fn masked(text: &str) -> String {
    const KEYS: [&str; 5] = ["pas", "pwd", "tok", "secret", "mat_khau"];
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let lower = line.to_ascii_lowercase();
        // The address of a webhook often is its secret.
        let names_secret = lower.trim_start().starts_with("url")
            || KEYS.iter().any(|key| lower.contains(key)) && !lower.contains("_file");
        let value_at = line.find(['=', '"', '\'', ' ']).filter(|_| names_secret).or(line.find('@').map(|_| 0));
        match value_at {
            Some(at) if !only_names_a_variable(&line[at..]) => {
                shown.push_str(&line[..at]);
                shown.extend(
                    line[at..].bytes().map(|byte| if b"=\"' \r\n".contains(&byte) { byte as char } else { '*' }),
                );
            }
            _ => shown.push_str(line),
        }
    }
    shown
}

/// Whether a line's value is one `${NAME}` and nothing else.
fn only_names_a_variable(value: &str) -> bool {
    let value = value.trim_start_matches([' ', '=']).trim_end();
    value.strip_prefix("\"").and_then(|value| value.strip_suffix("\"")).is_some_and(is_variable)
}

fn is_variable(text: &str) -> bool {
    let name = text.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn whatever_may_be_a_secret_is_masked_and_places_stay() {
        let canary = "cañary";
        for line in [
            format!("password = \"{canary}\""),
            format!("pasword = \"{canary}\""),
            format!("password \"{canary}\""),
            format!("\"password\" = \"{canary}\""),
            format!("password = \"${{A}}{canary}\""),
            format!("login.cam = {{ username = \"a\", password = \"{canary}\" }}"),
            format!("token = '{canary}'"),
            format!("rtsp = \"rtsp://a:{canary}@b/c\""),
            format!("rtsp = \"rtsp:/a:{canary}@b/c\""),
            format!("{canary}@b"),
        ] {
            let text = format!("name = \"Chợ\"\n{line}\nx = 1\n");
            let shown = masked(&text);
            assert!(!shown.contains("cañ") && !shown.contains("ary"), "{shown}");
            assert_eq!(shown.len(), text.len(), "{shown}");
            assert!(shown.starts_with("name = \"Chợ\"\n") && shown.ends_with("\nx = 1\n"));
        }
    }

    #[test]
    fn what_only_names_a_secret_stays() {
        for line in ["password = \"${NAME}\"", "password_file = \"secrets/public\"", "rtsp = \"rtsp://b/c\""] {
            assert_eq!(masked(line), line);
        }
    }
}
