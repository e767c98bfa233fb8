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
            login.refuse_unread();
            let login = username.zip(password);
            let login = login.map(|(user, password)| Arc::new(Login { username: user.value, password }));
            logins.insert(name.to_owned(), login);
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
            if !(text.value.starts_with("${") && text.value.ends_with('}')) {
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

/// The text with what may be a secret replaced by stars, byte for byte, so that places stay where they are: literal
/// passwords and tokens, and logins in addresses.
pub(super) fn masked(text: &str) -> String {
    let mut shown = text.as_bytes().to_vec();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some((key, value)) = line.split_once('=') {
            let value_start = start + key.len() + 1;
            let secret = matches!(key.trim(), "password" | "token") && !value.trim().starts_with("\"${");
            if secret {
                let quotes = |byte: &u8| matches!(byte, b'"' | b'\'' | b'\n' | b'\r' | b' ');
                shown[value_start..start + line.len()].iter_mut().filter(|byte| !quotes(byte)).for_each(|b| *b = b'*');
            }
        }
        let mut from = 0;
        while let Some(found) = line[from..].find("://") {
            let begin = from + found + 3;
            let end = line[begin..].find(['"', '\'', '\n']).map_or(line.len(), |end| begin + end);
            if let Some(at) = line[begin..end].rfind('@') {
                shown[start + begin..start + begin + at].fill(b'*');
            }
            from = end;
        }
        start += line.len();
    }
    String::from_utf8_lossy(&shown).into_owned()
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn secrets_are_masked_and_places_stay() {
        let check = |text: &str, expected: &str| {
            assert_eq!(masked(text), expected);
            assert_eq!(masked(text).len(), text.len());
        };
        check("password = \"bí mật\"\nname = \"Chợ\"\n", "password = \"*** ******\"\nname = \"Chợ\"\n");
        check("password = \"${NAME}\"\n", "password = \"${NAME}\"\n");
        check("rtsp = \"rtsp://a:b@c/d\" # x", "rtsp = \"rtsp://***@c/d\" # x");
        check("password_file = \"secrets/p\"", "password_file = \"secrets/p\"");
    }
}
