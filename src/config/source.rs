//! The files: which there are, what TOML they hold, and which table stands where.

use super::{
    context::Context,
    entry::Entry,
    keys::is_name,
    mask::{self, Shown},
    names::suggestion,
};
use std::{
    cell::RefCell,
    collections::BTreeSet,
    fs,
    ops::Range,
    path::{Path, PathBuf},
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Syntax errors that are told of one file.
const MOST_ERRORS: usize = 20;
/// Larger than any configuration: a province's cameras take a few megabytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// One file.
pub(super) struct Source {
    /// As it was named to us.
    pub(super) name: String,
    /// Where it lies; relative paths in it start here.
    pub(super) folder: PathBuf,
    /// What is read.
    pub(super) text: String,
    /// Places whose text may be shown around a problem: it is known to be no secret.
    harmless: RefCell<Vec<Range<usize>>>,
}

impl Source {
    /// The line, from 1, at an offset in bytes.
    pub(super) fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }

    /// Notes that a place holds no secret.
    pub(super) fn show(&self, span: Range<usize>) {
        self.harmless.borrow_mut().push(span);
    }

    /// Whether a whole place is known to hold no secret.
    pub(super) fn is_shown(&self, span: &Range<usize>) -> bool {
        self.harmless.borrow().iter().any(|shown| shown.start <= span.start && span.end <= shown.end)
    }

    /// What may be shown.
    pub(super) fn masked(&self) -> Shown {
        mask::masked(&self.text, &self.harmless.borrow())
    }
}

/// A table's name and where it stands first.
type Name<'a> = (&'a str, Range<usize>);

/// All tables of all files, by name.
pub(super) struct Tables<'a> {
    /// Its name with its place, and the table.
    entries: Vec<(Name<'a>, Entry<'a>)>,
    /// Keys outside of any table.
    strays: Vec<(&'a str, &'a Source, Range<usize>)>,
    context: &'a Context<'a>,
    asked: RefCell<BTreeSet<&'static str>>,
}

/// Reads the main file and those that its `include` names.
pub(super) fn read(path: &Path, context: &Context) -> Vec<Source> {
    let Some(main) = read_one(path, context) else { return Vec::new() };
    let mut sources = vec![main];
    // The tree borrows its text, so the paths are taken out before files are added.
    let included: Vec<PathBuf> = {
        // What is no TOML is told when the trees are made; what can be read of its includes is followed all the same.
        let (tree, _) = DeTable::parse_recoverable(&sources[0].text);
        includes(&sources[0], tree.get_ref(), context)
    };
    sources.extend(included.iter().filter_map(|path| read_one(path, context)));
    sources
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
            Some(Source { name, folder, text, harmless: RefCell::default() })
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
    let mut paths = Vec::new();
    for pattern in entry.texts("include") {
        let whole = main.folder.join(&pattern.value);
        let found: Vec<PathBuf> = match glob::glob(&whole.to_string_lossy()) {
            Ok(found) => found.filter_map(Result::ok).filter(|path| path.is_file()).collect(),
            Err(error) => {
                let message = format!("{} is no pattern: {}", entry.quoted(&pattern), error.msg);
                let remedy = "write a file name or a pattern such as \"cameras-*.toml\"";
                entry.problem("include", pattern.span, message, remedy);
                continue;
            }
        };
        if found.is_empty() {
            let message = format!("{} matches no file", entry.quoted(&pattern));
            let remedy = "patterns start from the folder of this file; correct or remove it";
            entry.problem("include", pattern.span, message, remedy);
        }
        for path in found {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
    paths
}

/// The tree of each file; a file that is no TOML has an empty one.
pub(super) fn parse<'a>(sources: &'a [Source], context: &Context) -> Vec<Spanned<DeTable<'a>>> {
    let parse = |source: &'a Source| {
        let (tree, errors) = DeTable::parse_recoverable(&source.text);
        // What is no TOML at all has an error in each line: the first few tell enough.
        for error in errors.into_iter().take(MOST_ERRORS) {
            let span = error.span().unwrap_or(0..0);
            // The parser's words may quote the text around the fault, the first line names only its kind.
            let message = error.message().lines().next().unwrap_or("is no TOML").to_owned();
            context.problem(source, String::new(), span, message, "this is not valid TOML; see toml.io for its form");
        }
        tree
    };
    sources.iter().map(parse).collect()
}

/// Sorts all tables by name.
pub(super) fn collect<'a>(
    sources: &'a [Source],
    trees: &'a [Spanned<DeTable<'a>>],
    context: &'a Context<'a>,
) -> Tables<'a> {
    let (mut entries, mut strays) = (Vec::new(), Vec::new());
    for (number, (source, tree)) in sources.iter().zip(trees).enumerate() {
        for (key, value) in tree.get_ref() {
            let name: &str = key.get_ref();
            if name == "include" && number == 0 {
                continue;
            }
            match value.get_ref() {
                DeValue::Table(table) => {
                    let entry = Entry::new(source, context, format!("[{name}]"), table, key.span());
                    entries.push(((name, key.span()), entry));
                }
                DeValue::Array(items) if items.iter().all(|item| item.get_ref().is_table()) => {
                    for item in items {
                        let DeValue::Table(table) = item.get_ref() else { continue };
                        // What cannot be shown where it stands is not quoted either.
                        let plain = |span| source.text.get(span).is_some_and(mask::is_plain);
                        let id = table.get("id").filter(|id| plain(id.span())).and_then(|id| id.get_ref().as_str());
                        let label = id.map_or_else(|| format!("[[{name}]]"), |id| format!("{name} {id:?}"));
                        entries.push(((name, key.span()), Entry::new(source, context, label, table, item.span())));
                    }
                }
                _ if name == "include" => {
                    let message = "only the main file includes others".to_owned();
                    context.problem(source, name.to_owned(), key.span(), message, "move it to the main file");
                }
                _ => strays.push((name, source, key.span())),
            }
        }
    }
    Tables { entries, strays, context, asked: RefCell::default() }
}

impl<'a> Tables<'a> {
    /// All entries `[[name]]`.
    pub(super) fn list(&self, name: &'static str) -> impl Iterator<Item = &Entry<'a>> {
        self.asked.borrow_mut().insert(name);
        debug_assert!(is_name(name), "add {name:?} to keys.rs");
        self.entries.iter().filter(move |((known, _), _)| *known == name).map(|(_, entry)| entry)
    }

    /// The table `[name]`, which may stand in one file only.
    pub(super) fn one(&self, name: &'static str) -> Option<&Entry<'a>> {
        let first_time = !self.asked.borrow().contains(name);
        let mut all = self.list(name);
        let first = all.next();
        for again in all.filter(|_| first_time) {
            again.problem("", again.span(), "stands twice".into(), "keep one and merge the other into it");
        }
        first
    }

    /// Names what nobody asked for: tables and keys that do not exist.
    pub(super) fn refuse_unread(&self) {
        let asked = self.asked.borrow();
        let known: Vec<&str> = asked.iter().copied().collect();
        for ((name, place), entry) in &self.entries {
            if asked.contains(name) {
                entry.refuse_unread();
            } else {
                let shown = self.context.unknown(name, entry.source, place.clone());
                let message = format!("there is no table {shown:?}");
                let remedy = suggestion(name, &known);
                self.context.problem(entry.source, format!("[{shown}]"), entry.span(), message, &remedy);
            }
        }
        for (name, source, span) in &self.strays {
            let shown = self.context.unknown(name, source, span.clone()).to_owned();
            let message = "stands outside of any table".to_owned();
            self.context.problem(source, shown, span.clone(), message, "put it below its [table] heading");
        }
    }
}
