//! Files with what was edited on pages written into them, to be put in the place of those files or elsewhere.

use super::{Config, lay};
use crate::edits::{Item, Standing};
use std::{collections::BTreeSet, path::Path};
use toml_edit::{Array, DocumentMut, TableLike, Value};

/// Keys that name files from the folder of the file in which they stand.
const PATHS: [&str; 5] = ["password_file", "path", "roots", "secret_file", "token_file"];

/// The files' names, without folders, and their texts, the main one first. What they name by relative paths is named by
/// whole ones: secrets stay where they are.
pub fn export(config: &Config) -> Result<Vec<(String, String)>, String> {
    let holds = |item: &Item| config.sheet.line(item).is_some_and(|line| line.standing == Standing::Edited);
    let edits = config.sheet.edits();
    let held = edits.iter().filter(|(item, _)| holds(item)).map(|(_, edit)| &**edit);
    let laid = lay::lay(&config.files.texts(), held);
    let mut taken = BTreeSet::new();
    let names: Vec<String> = config.files.places().map(|(name, _)| free_name(name, &mut taken)).collect();
    let mut files = Vec::new();
    for (number, ((_, folder), text)) in config.files.places().zip(laid.texts).enumerate() {
        let mut document: DocumentMut = text.parse().map_err(|_| format!("{} is no TOML any more", names[number]))?;
        if number == 0 && document.contains_key("include") {
            let others: Array = names[1..].iter().map(String::as_str).collect();
            document.insert("include", toml_edit::value(others));
        }
        // A file that was named without a folder lies in this one.
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let folder = std::path::absolute(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        whole_paths(&mut *document, &folder);
        files.push((names[number].clone(), document.to_string()));
    }
    Ok(files)
}

/// A file's name, with a number where another has it already.
fn free_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let name = Path::new(name).file_name().map_or_else(|| "camhealth.toml".into(), |name| name.to_string_lossy());
    let numbered = (2..).map(|number| format!("{number}-{name}"));
    let free = std::iter::once(name.to_string()).chain(numbered).find(|name| !taken.contains(name));
    let free = free.unwrap_or_default();
    taken.insert(free.clone());
    free
}

fn whole_paths(table: &mut dyn TableLike, folder: &Path) {
    for (key, node) in table.iter_mut() {
        match node {
            toml_edit::Item::Value(value) => whole_path(key.get(), value, folder),
            toml_edit::Item::Table(table) => whole_paths(table, folder),
            toml_edit::Item::ArrayOfTables(tables) => tables.iter_mut().for_each(|table| whole_paths(table, folder)),
            toml_edit::Item::None => {}
        }
    }
}

fn whole_path(key: &str, value: &mut Value, folder: &Path) {
    match value {
        Value::String(path) if PATHS.contains(&key) && Path::new(path.value()).is_relative() => {
            let decor = path.decor().clone();
            let whole = folder.join(path.value());
            *value = whole.to_string_lossy().as_ref().into();
            *value.decor_mut() = decor;
        }
        Value::InlineTable(table) => whole_paths(table, folder),
        Value::Array(items) => items.iter_mut().for_each(|item| whole_path("", item, folder)),
        _ => {}
    }
}
