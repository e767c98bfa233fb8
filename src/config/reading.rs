//! The files: which there are, and what TOML they hold.

use super::{context::Context, entry::Entry, source::Source};
use std::{
    fs,
    path::{Path, PathBuf},
};
use toml::{Spanned, de::DeTable};

/// Syntax errors that are told of one file.
const MOST_ERRORS: usize = 20;
/// Larger than any configuration: a province's cameras take a few megabytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Reads the main file.
pub(super) fn main(path: &Path, context: &Context) -> Option<Source> {
    read_one(path, context)
}

/// Reads the files that the main one's `include` names.
pub(super) fn included(main: &Source, tree: &DeTable<'_>, context: &Context) -> Vec<Source> {
    includes(main, tree, context).iter().filter_map(|path| read_one(path, context)).collect()
}

fn read_one(path: &Path, context: &Context) -> Option<Source> {
    let name = path.display().to_string();
    if fs::metadata(path).is_ok_and(|file| file.len() > LARGEST) {
        let message = format!("is larger than {} MiB", LARGEST / 1024 / 1024);
        context.about_file(&name, message, "is it a configuration at all? Name it more narrowly in include");
        return None;
    }
    match fs::read_to_string(path) {
        Ok(text) => {
            let folder = path.parent().map(Path::to_owned).unwrap_or_default();
            Some(Source::new(name, folder, text))
        }
        Err(error) => {
            let remedy = "name the main file with --config PATH; it must be readable UTF-8 text";
            context.about_file(&name, format!("cannot be read: {error}"), remedy);
            None
        }
    }
}

fn includes(main: &Source, tree: &DeTable<'_>, context: &Context) -> Vec<PathBuf> {
    let entry = Entry::new(main, context, String::new(), tree, 0..0);
    let remedies = [
        "write a file name or a pattern such as \"cameras-*.toml\"",
        "patterns start from the folder of this file; correct or remove it",
    ];
    matched(&entry, "include", remedies)
}

/// The files that a key's patterns match, from the folder of its own file; what helps where one is no pattern, and where one matches
/// nothing.
pub(super) fn matched(entry: &Entry<'_>, key: &'static str, remedies: [&str; 2]) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for pattern in entry.texts(key) {
        let whole = entry.source.folder.join(&pattern.value);
        let found: Vec<PathBuf> = match glob::glob(&whole.to_string_lossy()) {
            Ok(found) => found.filter_map(Result::ok).filter(|path| path.is_file()).collect(),
            Err(error) => {
                let message = format!("{} is no pattern: {}", entry.quoted(&pattern), error.msg);
                entry.problem(key, pattern.span, message, remedies[0]);
                continue;
            }
        };
        if found.is_empty() {
            let message = format!("{} matches no file", entry.quoted(&pattern));
            entry.problem(key, pattern.span, message, remedies[1]);
        }
        for path in found {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
    paths
}

/// The tree of a file; one that is no TOML has what can be read of it.
pub(super) fn parse<'a>(source: &'a Source, context: &Context) -> Spanned<DeTable<'a>> {
    let (tree, errors) = DeTable::parse_recoverable(&source.text);
    // What is no TOML at all has an error in each line: the first few tell enough.
    for error in errors.into_iter().take(MOST_ERRORS) {
        let span = error.span().unwrap_or(0..0);
        // The parser's words may quote the text around the fault, the first line names only its kind.
        let message = error.message().lines().next().unwrap_or("is no TOML").to_owned();
        context.problem(source, String::new(), span, message, "this is not valid TOML; see toml.io for its form");
    }
    tree
}
