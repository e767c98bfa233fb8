//! Takes values out of a table by name, each with its place, and notes what is wrong with them.

use super::{
    context::Context,
    keys::is_name,
    mask::{self, HIDDEN},
    names::suggestion,
    source::Source,
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    ops::Range,
    str::FromStr,
    time::Duration,
};
use toml::de::{DeTable, DeValue};

/// A value with its place in the file.
#[derive(Debug, Clone)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

/// One table.
pub(super) struct Entry<'a> {
    pub(super) source: &'a Source,
    context: &'a Context<'a>,
    label: String,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    asked: RefCell<BTreeSet<&'static str>>,
    /// Whether its keys are of no further interest, since what they mean cannot be told.
    judged: Cell<bool>,
}

impl<'a> Entry<'a> {
    pub(super) fn new(
        source: &'a Source,
        context: &'a Context<'a>,
        label: String,
        table: &'a DeTable<'a>,
        span: Range<usize>,
    ) -> Self {
        Self { source, context, label, table, span, asked: RefCell::default(), judged: Cell::default() }
    }

    pub(super) fn context(&self) -> &'a Context<'a> {
        self.context
    }

    /// Where the table stands.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Notes a problem with one of the table's keys, or with the table as a whole.
    pub(super) fn problem(&self, key: &str, span: Range<usize>, message: String, remedy: &str) {
        let key = match (self.label.as_str(), key) {
            (label, "") => label.to_owned(),
            ("", key) => key.to_owned(),
            (label, key) => format!("{label}: {key}"),
        };
        self.context.problem(self.source, key, span, message, remedy);
    }

    /// The same, pointing to where the name stood first.
    pub(super) fn duplicate(&self, key: &str, name: &Located<String>, first: (&Source, Range<usize>)) {
        let (source, span) = first;
        let same_file = source.name == self.source.name;
        let line = source.line(span.start);
        let message = format!("{} is taken: it was first defined at {}:{line}", self.quoted(name), source.name);
        self.problem(key, name.span.clone(), message, "give one of them another name");
        if same_file {
            self.context.amend(|problem| problem.other = Some((span, "first defined here".into())));
        }
    }

    fn value(&self, key: &'static str) -> Option<(&'a DeValue<'a>, Range<usize>)> {
        self.asked.borrow_mut().insert(key);
        debug_assert!(is_name(key), "add {key:?} to keys.rs");
        let (name, value) = self.table.get_key_value(key)?;
        self.source.show(name.span());
        Some((value.get_ref(), value.span()))
    }

    /// The value of a key that holds no secret: it may be shown, unless it looks as if it had swallowed another.
    fn open(&self, key: &'static str) -> Option<(&'a DeValue<'a>, Range<usize>)> {
        let (value, span) = self.value(key)?;
        self.show_plain(value, span.clone());
        Some((value, span))
    }

    fn show_plain(&self, value: &DeValue<'_>, span: Range<usize>) {
        let is_one = !matches!(value, DeValue::Array(_) | DeValue::Table(_));
        if is_one && self.source.text.get(span.clone()).is_some_and(mask::is_plain) {
            self.source.show(span);
        }
    }

    /// Lets a value be shown that is known to be no secret.
    pub(super) fn show(&self, text: &Located<String>) {
        self.source.show(text.span.clone());
    }

    /// A value as messages quote it: nothing that is not shown where it stands.
    pub(super) fn quoted(&self, text: &Located<String>) -> String {
        if self.source.is_shown(&text.span) { format!("{:?}", text.value) } else { format!("{HIDDEN:?}") }
    }

    pub(super) fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    fn wrong_type(&self, key: &str, span: Range<usize>, value: &DeValue<'_>, wanted: &str, example: &str) {
        let message = format!("is of type {}, but must be {wanted}", value.type_str());
        self.problem(key, span, message, &format!("write it as {example}"));
    }

    /// Text that is no secret.
    pub(super) fn text(&self, key: &'static str) -> Option<Located<String>> {
        self.open(key);
        self.hidden(key)
    }

    /// Text that is a secret, or often holds one: it is shown nowhere.
    pub(super) fn hidden(&self, key: &'static str) -> Option<Located<String>> {
        let (value, span) = self.value(key)?;
        let Some(text) = value.as_str() else {
            self.wrong_type(key, span, value, "text", &format!("{key} = \"…\""));
            return None;
        };
        Some(Located { value: text.to_owned(), span })
    }

    /// An address, of which no more is shown than what can hold no password.
    pub(super) fn address(&self, key: &'static str) -> Option<Located<String>> {
        let text = self.hidden(key)?;
        self.show_address(&text);
        Some(text)
    }

    fn show_address(&self, text: &Located<String>) {
        let length = self.source.text.get(text.span.clone()).map_or(0, mask::harmless_address);
        self.source.show(text.span.start..text.span.start + length);
    }

    /// Text that is no secret, must be there and must not be empty.
    pub(super) fn required(&self, key: &'static str, example: &str) -> Option<Located<String>> {
        self.open(key);
        self.required_hidden(key, example)
    }

    /// The same where it is not shown.
    pub(super) fn required_hidden(&self, key: &'static str, example: &str) -> Option<Located<String>> {
        if !self.has(key) {
            self.problem(key, self.span(), "is missing".into(), &format!("add {key} = {example:?}"));
            return None;
        }
        let text = self.hidden(key)?;
        if text.value.trim().is_empty() {
            self.problem(key, text.span, "is empty".into(), &format!("write something like {example:?}"));
            return None;
        }
        Some(text)
    }

    /// Texts that are no secrets.
    pub(super) fn texts(&self, key: &'static str) -> Vec<Located<String>> {
        self.list(key, |text, value| self.show_plain(value, text.span.clone()))
    }

    /// Addresses, of which no more is shown than what can hold no password.
    pub(super) fn addresses(&self, key: &'static str) -> Vec<Located<String>> {
        self.list(key, |text, _| self.show_address(text))
    }

    fn list(&self, key: &'static str, show: impl Fn(&Located<String>, &DeValue<'_>)) -> Vec<Located<String>> {
        let Some((value, span)) = self.value(key) else { return Vec::new() };
        let Some(items) = value.as_array() else {
            self.wrong_type(key, span, value, "a list of texts", &format!("{key} = [\"…\"]"));
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref().as_str() {
                Some(text) => {
                    let text = Located { value: text.to_owned(), span: item.span() };
                    show(&text, item.get_ref());
                    texts.push(text);
                }
                None => self.wrong_type(key, item.span(), item.get_ref(), "text", &format!("{key} = [\"…\"]")),
            }
        }
        texts
    }

    /// A text, or a list of texts.
    pub(super) fn one_or_more(&self, key: &'static str) -> Vec<Located<String>> {
        match self.value(key) {
            Some((value, _)) if value.as_str().is_some() => self.text(key).into_iter().collect(),
            _ => self.texts(key),
        }
    }

    /// Whether a key's value is a table.
    pub(super) fn has_table(&self, key: &'static str) -> bool {
        self.value(key).is_some_and(|(value, _)| value.is_table())
    }

    /// `true` or `false`.
    pub(super) fn truth(&self, key: &'static str) -> Option<bool> {
        let (value, span) = self.open(key)?;
        let truth = value.as_bool();
        if truth.is_none() {
            self.wrong_type(key, span, value, "true or false", &format!("{key} = true"));
        }
        truth
    }

    /// Takes all keys for known, where what they mean cannot be told.
    pub(super) fn ask_all(&self) {
        self.judged.set(true);
    }

    /// A name for metric labels and file-safe places.
    pub(super) fn id(&self) -> Option<Located<String>> {
        let id = self.required("id", "cho-01")?;
        if !is_id(&id.value) {
            let remedy =
                "use at most 64 of the letters a to z, digits, '-', '_' and '.'; names for people go into name";
            self.problem("id", id.span.clone(), format!("{} cannot be an id", self.quoted(&id)), remedy);
            return None;
        }
        Some(id)
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(*value);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.problem(
            key,
            text.span.clone(),
            format!("{} is not known here", self.quoted(&text)),
            &format!("write one of {}", known.join(", ")),
        );
        None
    }

    /// Where a key's value stands, or else the table.
    pub(super) fn place(&self, key: &'static str) -> Range<usize> {
        self.value(key).map_or(self.span(), |(_, span)| span)
    }

    /// A whole number in a range.
    pub(super) fn number(&self, key: &'static str, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let (value, span) = self.open(key)?;
        let number = value.as_integer().and_then(|number| number.as_str().parse::<u64>().ok());
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let message = format!("must be a whole number from {} to {}", range.start(), range.end());
            self.problem(key, span, message, &format!("write {key} = {}, for example", range.start()));
        }
        number
    }

    /// A share from 0 to 1.
    pub(super) fn ratio(&self, key: &'static str) -> Option<f64> {
        let (value, span) = self.open(key)?;
        let text = value.as_float().map(|float| float.as_str()).or(value.as_integer().map(|integer| integer.as_str()));
        let ratio = text.and_then(|text| text.parse::<f64>().ok()).filter(|ratio| (0.0..=1.0).contains(ratio));
        if ratio.is_none() {
            self.problem(key, span, "must be a share from 0 to 1".into(), &format!("write {key} = 0.2 for 20 %"));
        }
        ratio
    }

    /// A number above zero.
    pub(super) fn positive(&self, key: &'static str, example: u32) -> Option<f64> {
        let (value, span) = self.open(key)?;
        let text = value.as_float().map(|float| float.as_str()).or(value.as_integer().map(|integer| integer.as_str()));
        let number =
            text.and_then(|text| text.parse::<f64>().ok()).filter(|number| *number > 0.0 && number.is_finite());
        if number.is_none() {
            self.problem(
                key,
                span,
                "must be a number above 0".into(),
                &format!("write {key} = {example}, for example"),
            );
        }
        number
    }

    /// An amount of data, such as `15MB`.
    pub(super) fn bytes(&self, key: &'static str) -> Option<u64> {
        let text = self.text(key)?;
        let value = parse_bytes(&text.value).filter(|bytes| *bytes >= 1_000_000);
        if value.is_none() {
            let message = format!("{} is no amount of data of 1MB or more", self.quoted(&text));
            self.problem(key, text.span, message, &format!("write {key} = \"15MB\", \"500MB\" or \"2GB\""));
        }
        value
    }

    /// A length of time within bounds.
    pub(super) fn duration(
        &self,
        key: &'static str,
        range: std::ops::RangeInclusive<Duration>,
    ) -> Option<Located<Duration>> {
        let text = self.text(key)?;
        let remedy = "write it like \"10s\", \"1m 30s\", \"6h\" or \"30d\"";
        let Some(value) = parse_duration(&text.value) else {
            self.problem(key, text.span.clone(), format!("{} is no length of time", self.quoted(&text)), remedy);
            return None;
        };
        if !range.contains(&value) {
            let (from, to) = (range.start(), range.end());
            let (from, to) = (length(*from), length(*to));
            let message = format!("{} is out of range: from {from} to {to}", self.quoted(&text));
            self.problem(key, text.span, message, "choose a length within that range");
            return None;
        }
        Some(Located { value, span: text.span })
    }

    /// Anything that is parsed from text.
    pub(super) fn parsed<T: FromStr>(&self, key: &'static str, what: &str, example: &str) -> Option<Located<T>> {
        let text = self.text(key)?;
        match text.value.parse() {
            Ok(value) => Some(Located { value, span: text.span }),
            Err(_) => {
                let message = format!("{} is no {what}", self.quoted(&text));
                self.problem(key, text.span, message, &format!("write it like {example:?}"));
                None
            }
        }
    }

    /// The tables of `[[…key]]` below this one.
    pub(super) fn children(&self, key: &'static str) -> Vec<Entry<'a>> {
        let Some((value, span)) = self.value(key) else { return Vec::new() };
        let tables = value.as_array().map(|items| items.iter().map(|item| (item.get_ref().as_table(), item.span())));
        let Some(tables) = tables else {
            self.wrong_type(key, span, value, "a list of tables", &format!("[[….{key}]]"));
            return Vec::new();
        };
        let child = |table, span| {
            let label = format!("{} {key}", self.label);
            Entry::new(self.source, self.context, label, table, span)
        };
        tables.filter_map(|(table, span)| Some(child(table?, span))).collect()
    }

    /// The tables below this one, by name.
    pub(super) fn named_children(&self) -> Vec<(&'a str, Entry<'a>)> {
        let mut children = Vec::new();
        for (key, value) in self.table {
            let name: &str = key.get_ref();
            match value.get_ref() {
                DeValue::Table(table) => {
                    let shown = if is_id(name) { name } else { HIDDEN };
                    if is_id(name) {
                        self.source.show(key.span());
                    }
                    let label = format!("{}.{shown}]", self.label.trim_end_matches(']'));
                    children.push((name, Entry::new(self.source, self.context, label, table, key.span())));
                }
                // What is no table has no name, and may be a secret.
                other => self.wrong_type(HIDDEN, value.span(), other, "a table", "[login.NAME]"),
            }
        }
        children
    }

    /// The table `[…key]` below this one.
    pub(super) fn child(&self, key: &'static str) -> Option<Entry<'a>> {
        let (value, span) = self.value(key)?;
        let Some(table) = value.as_table() else {
            self.wrong_type(key, span, value, "a table", &format!("a heading [….{key}] of its own"));
            return None;
        };
        let label = match self.label.strip_suffix(']') {
            Some(heading) => format!("{heading}.{key}]"),
            None => format!("{} {key}", self.label),
        };
        Some(Entry::new(self.source, self.context, label, table, span))
    }

    /// Names the keys that nobody asked for.
    pub(super) fn refuse_unread(&self) {
        if self.judged.get() {
            return;
        }
        let asked = self.asked.borrow();
        let known: Vec<&str> = asked.iter().copied().collect();
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            // An entry of which nothing was asked is judged as a whole by whoever read its children.
            if !known.is_empty() && !asked.contains(name) {
                let shown = self.context.unknown(name, self.source, key.span());
                self.problem(shown, key.span(), "there is no such key".into(), &suggestion(name, &known));
            }
        }
    }
}

/// Whether an id can be so: for metric labels, and for places that are safe in files.
fn is_id(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    text.len() <= 64 && text.chars().all(fits)
}

fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim() {
        "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// A length of time as people write it.
fn length(length: Duration) -> String {
    const DAY: u64 = 24 * 60 * 60;
    match length.as_secs() {
        seconds if seconds > 0 && seconds % DAY == 0 && length.subsec_nanos() == 0 => format!("{}d", seconds / DAY),
        _ => format!("{length:?}"),
    }
}

/// A length of time as people write it, such as `430d`.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let span: jiff::Span = text.parse().ok()?;
    let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(duration).ok()
}
