//! Rust sources as the house rules read them: tokens instead of text, so that comments and strings say nothing, and each
//! path resolved to the file that declares what it names.
//!
//! Tokens come from `proc-macro2`, the tokenizer that macros are built on. What only a compiler knows is left out:
//! methods, and names that a macro makes up.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A path as it is written, such as `super::super::Settings`; `*` stands for all of a module.
pub type Segments = Vec<String>;

/// One file of `src`.
pub struct File {
    /// Where it lies.
    pub path: PathBuf,
    /// As it is written, with comments.
    pub text: String,
    /// Its tokens without spaces, comments and what strings say.
    pub squeezed: String,
    /// Its module, such as `["probe", "rtsp", "auth"]`.
    pub module: Segments,
    /// Whether it is compiled for tests only.
    pub for_tests: bool,
    /// Everything in it.
    pub code: Scope,
}

impl File {
    /// The module below the crate's root that it belongs to, such as `probe`.
    pub fn top(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }

    /// From `src` on, as `probe/rtsp/auth.rs`.
    pub fn name(&self) -> String {
        self.path.strip_prefix(src()).unwrap_or(&self.path).display().to_string()
    }
}

/// What stands in a file, or in a module within it.
#[derive(Default)]
pub struct Scope {
    /// What `use` brings in: the name here, and the path as written. A glob is named `*`.
    pub uses: Vec<(String, Segments)>,
    /// All paths of two names or more that are written elsewhere, and all single names.
    pub paths: Vec<Segments>,
    /// Modules within this file, and whether they are for tests.
    pub inner: Vec<(String, bool, Scope)>,
    /// Modules that lie in files of their own: name, `#[path]`, and whether they are for tests.
    pub files: Vec<(String, Option<String>, bool)>,
    /// Everything in it that stands behind `#[cfg(test)]` and is no module.
    pub tested: Option<Box<Scope>>,
}

/// A scope with the module that it is.
pub struct Placed<'s> {
    /// The module.
    pub module: Segments,
    /// Whether it is for tests.
    pub for_tests: bool,
    /// What stands in it.
    pub scope: &'s Scope,
}

impl Scope {
    /// Reads tokens.
    pub fn of(tokens: TokenStream) -> Self {
        let mut scope = Self::default();
        scope.read(&tokens.into_iter().collect::<Vec<_>>());
        scope
    }

    /// This scope and all within it.
    pub fn all<'s>(&'s self, module: &[String], for_tests: bool) -> Vec<Placed<'s>> {
        let mut all = vec![Placed { module: module.to_vec(), for_tests, scope: self }];
        for (name, tests, inner) in &self.inner {
            let module: Segments = module.iter().chain([name]).cloned().collect();
            all.extend(inner.all(&module, for_tests || *tests));
        }
        if let Some(tested) = &self.tested {
            all.extend(tested.all(module, true));
        }
        all
    }

    fn read(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        let (mut tests, mut path) = (false, None);
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Punct(mark) if mark.as_char() == '#' => {
                    // An attribute: of a module it tells its file, and whether it is for tests.
                    let inner = matches!(tokens.get(at + 1), Some(TokenTree::Punct(mark)) if mark.as_char() == '!');
                    let Some(TokenTree::Group(group)) = tokens.get(at + 1 + usize::from(inner)) else {
                        at += 1;
                        continue;
                    };
                    let said: String = group.stream().to_string().split_whitespace().collect();
                    if !inner {
                        tests |= said == "cfg(test)";
                        path = said.strip_prefix("path=\"").map(|rest| rest.trim_end_matches('"').to_owned()).or(path);
                    }
                    if !said.starts_with("doc=") {
                        self.read(&group.stream().into_iter().collect::<Vec<_>>());
                    }
                    at += 2 + usize::from(inner);
                    continue;
                }
                TokenTree::Ident(word) if word == "pub" => {
                    let limited = matches!(tokens.get(at + 1), Some(TokenTree::Group(group))
                        if group.delimiter() == Delimiter::Parenthesis);
                    at += 1 + usize::from(limited);
                    continue;
                }
                TokenTree::Ident(word) if word == "mod" && is_name(tokens.get(at + 1)) => {
                    let name = tokens[at + 1].to_string();
                    match tokens.get(at + 2) {
                        Some(TokenTree::Group(group)) => {
                            self.inner.push((name, tests, Self::of(group.stream())));
                        }
                        _ => self.files.push((name, path.take(), tests)),
                    }
                    (tests, path) = (false, None);
                    at += 3;
                    continue;
                }
                // What is for tests alone is read apart, up to its end.
                _ if tests => {
                    let length = tokens[at..].iter().position(ends_an_item).map_or(tokens.len() - at, |end| end + 1);
                    let item = &tokens[at..at + length];
                    self.tested.get_or_insert_default().read(item);
                    (tests, path) = (false, None);
                    at += length;
                    continue;
                }
                TokenTree::Ident(word)
                    if word == "use"
                        && !matches!(tokens.get(at + 1), Some(TokenTree::Punct(mark)) if mark.as_char() == '<') =>
                {
                    let length = tokens[at..].iter().position(is_semicolon).unwrap_or(tokens.len() - at);
                    use_tree(&tokens[at + 1..at + length], &[], &mut self.uses);
                    at += length;
                    continue;
                }
                TokenTree::Ident(_) => {
                    path = None;
                    let (segments, length) = path_at(tokens, at);
                    self.paths.push(segments);
                    at += length;
                    continue;
                }
                TokenTree::Group(group) => self.read(&group.stream().into_iter().collect::<Vec<_>>()),
                _ => {}
            }
            at += 1;
        }
    }
}

fn is_name(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Ident(_)))
}

fn is_semicolon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(mark) if mark.as_char() == ';')
}

fn ends_an_item(token: &TokenTree) -> bool {
    is_semicolon(token) || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

/// Whether `::` stands there.
fn joins(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at: usize, spacing: Option<Spacing>| {
        matches!(tokens.get(at), Some(TokenTree::Punct(mark))
            if mark.as_char() == ':' && spacing.is_none_or(|wanted| mark.spacing() == wanted))
    };
    colon(at, Some(Spacing::Joint)) && colon(at + 1, None)
}

/// The path that begins there, and how many tokens it takes.
fn path_at(tokens: &[TokenTree], start: usize) -> (Segments, usize) {
    let (mut segments, mut at) = (vec![tokens[start].to_string()], start + 1);
    while joins(tokens, at) && is_name(tokens.get(at + 2)) {
        segments.push(tokens[at + 2].to_string());
        at += 3;
    }
    (segments, at - start)
}

/// What the tree behind `use` brings in.
fn use_tree(tokens: &[TokenTree], prefix: &[String], found: &mut Vec<(String, Segments)>) {
    for branch in tokens.split(|token| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ',')) {
        if branch.is_empty() {
            continue;
        }
        let (mut path, mut at) = (prefix.to_vec(), usize::from(joins(branch, 0)) * 2);
        let mut alias = None;
        while let Some(token) = branch.get(at) {
            match token {
                TokenTree::Group(group) => {
                    use_tree(&group.stream().into_iter().collect::<Vec<_>>(), &path, found);
                    path.clear();
                }
                TokenTree::Punct(mark) if mark.as_char() == '*' => path.push("*".into()),
                TokenTree::Ident(word) if word == "as" => {
                    alias = branch.get(at + 1).map(TokenTree::to_string);
                    at += 1;
                }
                TokenTree::Ident(word) if word == "self" && !path.is_empty() => {}
                TokenTree::Ident(word) => path.push(word.to_string()),
                _ => {}
            }
            at += 1;
        }
        if let Some(last) = path.last().cloned() {
            found.push((alias.unwrap_or(last), path));
        }
    }
}

/// Appends tokens without spaces; comments for documentation, which are attributes, are left out, and what strings say.
fn squeeze(tokens: TokenStream, text: &mut String) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                let is_doc = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.to_string().starts_with("[doc"));
                if tokens.next_if(is_doc).is_none() {
                    text.push('#');
                }
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                squeeze(group.stream(), text);
                text.push_str(close);
            }
            TokenTree::Literal(_) => text.push('0'),
            other => text.push_str(&other.to_string()),
        }
    }
}

/// Where the sources lie.
pub fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").canonicalize().expect("it is there")
}

/// All files of the library, as `lib.rs` and the modules below it name them.
pub struct Sources {
    /// By where they lie.
    pub files: Vec<File>,
    /// The file of each module, those within a file included.
    modules: BTreeMap<Segments, usize>,
}

impl Sources {
    /// Reads them all.
    pub fn read() -> Self {
        let mut sources = Self { files: Vec::new(), modules: BTreeMap::new() };
        sources.load(src().join("lib.rs"), Vec::new(), false);
        assert!(sources.files.len() > 40, "the sources were not found");
        sources
    }

    fn load(&mut self, path: PathBuf, module: Segments, for_tests: bool) {
        let path = path.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut squeezed = String::new();
        squeeze(tokens.clone(), &mut squeezed);
        let code = Scope::of(tokens);
        let folder = path.parent().expect("it lies in a folder").to_owned();
        let is_root = path.ends_with("lib.rs") || path.ends_with("mod.rs");
        let below = if is_root { folder.clone() } else { path.with_extension("") };
        let mut children = Vec::new();
        for placed in code.all(&module, for_tests) {
            self.modules.insert(placed.module.clone(), self.files.len());
            for (name, at, tests) in &placed.scope.files {
                let mut child = placed.module.clone();
                child.push(name.clone());
                let file = match at {
                    Some(at) => folder.join(at),
                    None => Some(below.join(format!("{name}.rs")))
                        .filter(|file| file.exists())
                        .unwrap_or_else(|| below.join(name).join("mod.rs")),
                };
                children.push((file, child, placed.for_tests || *tests));
            }
        }
        self.files.push(File { path, text, squeezed, module, for_tests, code });
        for (file, child, tests) in children {
            self.load(file, child, tests);
        }
    }

    fn scope(&self, module: &[String]) -> Option<&Scope> {
        let file = &self.files[*self.modules.get(module)?];
        let placed = file.code.all(&file.module, file.for_tests).into_iter().find(|placed| placed.module == module);
        placed.map(|placed| placed.scope)
    }

    /// A path as seen from a module, from the crate's root on; `None` where it leads out of the crate.
    pub fn absolute(&self, module: &[String], path: &[String]) -> Option<Segments> {
        let (mut base, mut rest) = (module.to_vec(), path);
        match path.first().map(String::as_str)? {
            "crate" => (base, rest) = (Vec::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {}
            first => {
                // A module below this one; what `use` brought in is counted where it was.
                base.push(first.to_owned());
                if !self.modules.contains_key(&base) {
                    return None;
                }
                rest = &path[1..];
            }
        }
        while rest.first().is_some_and(|segment| segment == "super") {
            base.pop()?;
            rest = &rest[1..];
        }
        Some(base.into_iter().chain(rest.iter().cloned()).collect())
    }

    /// The file that declares what an absolute path names: through modules, and through what they hand on by `use`.
    pub fn declared_in(&self, absolute: &[String]) -> Option<usize> {
        let mut seen = BTreeSet::new();
        self.follow(absolute, &mut seen)
    }

    fn follow(&self, absolute: &[String], seen: &mut BTreeSet<Segments>) -> Option<usize> {
        if !seen.insert(absolute.to_vec()) {
            return None;
        }
        let known = (0..=absolute.len()).rev().find(|length| self.modules.contains_key(&absolute[..*length]))?;
        let (module, rest) = absolute.split_at(known);
        let Some(name) = rest.first().filter(|name| *name != "*") else { return self.modules.get(module).copied() };
        let scope = self.scope(module)?;
        let handed_on = scope.uses.iter().filter(|(alias, _)| alias == name);
        let mut handed_on = handed_on.filter_map(|(_, path)| self.absolute(module, path));
        let whole =
            handed_on.next().map(|path| path.into_iter().chain(rest[1..].iter().cloned()).collect::<Segments>());
        whole.and_then(|whole| self.follow(&whole, seen)).or_else(|| self.modules.get(module).copied())
    }

    /// Which file names what of which other: index, index, and the path as written. Code for tests is left out, and so is
    /// what a file takes from the module that it is a part of.
    pub fn edges(&self) -> Vec<(usize, usize, String)> {
        let mut edges = BTreeMap::new();
        for (number, file) in self.files.iter().enumerate().filter(|(_, file)| !file.for_tests) {
            for placed in file.code.all(&file.module, false).into_iter().filter(|placed| !placed.for_tests) {
                // A single name elsewhere is a variable more often than a module.
                let written = placed.scope.paths.iter().filter(|path| path.len() > 1);
                for path in placed.scope.uses.iter().map(|(_, path)| path).chain(written) {
                    let Some(absolute) = self.absolute(&placed.module, path) else { continue };
                    let Some(target) = self.declared_in(&absolute) else { continue };
                    let whole = &self.files[target].module;
                    if target != number && !file.module.starts_with(whole) {
                        edges.entry((number, target)).or_insert_with(|| path.join("::"));
                    }
                }
            }
        }
        edges.into_iter().map(|((from, to), path)| (from, to, path)).collect()
    }
}
