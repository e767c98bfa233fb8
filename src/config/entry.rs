//! Takes values out of a table by name, each with its place, and notes what is wrong with them.

use super::{
    plan::Plan,
    problem::{Problem, Problems, WHOLE},
    source::Source,
};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    str::FromStr,
    time::Duration,
};
use toml::de::{DeTable, DeValue};

/// What all of reading shares: the problems so far and the environment.
pub(super) struct Context<'e> {
    problems: RefCell<Vec<Problem>>,
    pub(super) environment: &'e dyn Fn(&str) -> Option<String>,
}

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

impl<'e> Context<'e> {
    pub(super) fn new(environment: &'e dyn Fn(&str) -> Option<String>) -> Self {
        Self { problems: RefCell::default(), environment }
    }

    pub(super) fn problem(&self, source: &Source, key: String, span: Range<usize>, message: String, remedy: &str) {
        let line = source.line(span.start);
        self.problems.borrow_mut().push(Problem {
            file: source.name.clone(),
            line,
            key,
            message,
            remedy: remedy.to_owned(),
            source: Some(source.shown.clone()),
            span,
            other: None,
        });
    }

    /// A problem with what is missing from all files.
    pub(super) fn missing(&self, message: &str, remedy: &str) {
        self.about_file(WHOLE, message.to_owned(), remedy);
    }

    /// A problem with a whole file.
    pub(super) fn about_file(&self, name: &str, message: String, remedy: &str) {
        self.problems.borrow_mut().push(Problem {
            file: name.to_owned(),
            line: 0,
            key: String::new(),
            message,
            remedy: remedy.to_owned(),
            source: None,
            span: 0..0,
            other: None,
        });
    }

    /// Changes the problem that was noted last.
    fn amend(&self, change: impl FnOnce(&mut Problem)) {
        if let Some(last) = self.problems.borrow_mut().last_mut() {
            change(last);
        }
    }

    /// The plan, if nothing is wrong with it.
    pub(super) fn finish(&self, plan: Plan) -> Result<Plan, Problems> {
        if self.problems.borrow().is_empty() { Ok(plan) } else { Err(self.problems()) }
    }

    /// What was noted so far.
    pub(super) fn problems(&self) -> Problems {
        let mut problems = self.problems.take();
        // By place, with files in the order in which they were first named.
        let mut order = BTreeMap::new();
        for problem in &problems {
            let next = order.len();
            order.entry(problem.file.clone()).or_insert(next);
        }
        problems.sort_by_key(|problem| (order.get(&problem.file).copied(), problem.span.start));
        Problems(problems)
    }
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
    pub(super) fn duplicate(&self, key: &str, at: Range<usize>, value: &str, first: (&Source, Range<usize>)) {
        let (source, span) = first;
        let same_file = source.name == self.source.name;
        let line = source.line(span.start);
        let message = format!("{value:?} is taken: it was first defined at {}:{line}", source.name);
        self.problem(key, at, message, "give one of them another name");
        if same_file {
            self.context.amend(|problem| problem.other = Some((span, "first defined here".into())));
        }
    }

    fn value(&self, key: &'static str) -> Option<(&'a DeValue<'a>, Range<usize>)> {
        self.asked.borrow_mut().insert(key);
        self.table.get(key).map(|value| (value.get_ref(), value.span()))
    }

    pub(super) fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    fn wrong_type(&self, key: &str, span: Range<usize>, value: &DeValue<'_>, wanted: &str, example: &str) {
        let message = format!("is of type {}, but must be {wanted}", value.type_str());
        self.problem(key, span, message, &format!("write it as {example}"));
    }

    pub(super) fn text(&self, key: &'static str) -> Option<Located<String>> {
        let (value, span) = self.value(key)?;
        let Some(text) = value.as_str() else {
            self.wrong_type(key, span, value, "text", &format!("{key} = \"…\""));
            return None;
        };
        Some(Located { value: text.to_owned(), span })
    }

    /// Text that must be there and must not be empty.
    pub(super) fn required(&self, key: &'static str, example: &str) -> Option<Located<String>> {
        if !self.has(key) {
            self.problem(key, self.span(), "is missing".into(), &format!("add {key} = {example:?}"));
            return None;
        }
        let text = self.text(key)?;
        if text.value.trim().is_empty() {
            self.problem(key, text.span, "is empty".into(), &format!("write something like {example:?}"));
            return None;
        }
        Some(text)
    }

    pub(super) fn texts(&self, key: &'static str) -> Vec<Located<String>> {
        let Some((value, span)) = self.value(key) else { return Vec::new() };
        let Some(items) = value.as_array() else {
            self.wrong_type(key, span, value, "a list of texts", &format!("{key} = [\"…\"]"));
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref().as_str() {
                Some(text) => texts.push(Located { value: text.to_owned(), span: item.span() }),
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

    /// `true` or `false`.
    pub(super) fn truth(&self, key: &'static str) -> Option<bool> {
        let (value, span) = self.value(key)?;
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
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        if id.value.len() > 64 || !id.value.chars().all(fits) {
            let remedy =
                "use at most 64 of the letters a to z, digits, '-', '_' and '.'; names for people go into name";
            self.problem("id", id.span, format!("{:?} cannot be an id", id.value), remedy);
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
            text.span,
            format!("{:?} is not known here", text.value),
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
        let (value, span) = self.value(key)?;
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
        let (value, span) = self.value(key)?;
        let text = value.as_float().map(|float| float.as_str()).or(value.as_integer().map(|integer| integer.as_str()));
        let ratio = text.and_then(|text| text.parse::<f64>().ok()).filter(|ratio| (0.0..=1.0).contains(ratio));
        if ratio.is_none() {
            self.problem(key, span, "must be a share from 0 to 1".into(), &format!("write {key} = 0.2 for 20 %"));
        }
        ratio
    }

    /// A number above zero.
    pub(super) fn positive(&self, key: &'static str, example: u32) -> Option<f64> {
        let (value, span) = self.value(key)?;
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
            let message = format!("{:?} is no amount of data of 1MB or more", text.value);
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
            self.problem(key, text.span, format!("{:?} is no length of time", text.value), remedy);
            return None;
        };
        if !range.contains(&value) {
            let message = format!("{:?} is out of range: from {:?} to {:?}", text.value, range.start(), range.end());
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
                let message = format!("{:?} is no {what}", text.value);
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
                    let label = format!("{}.{name}]", self.label.trim_end_matches(']'));
                    children.push((name, Entry::new(self.source, self.context, label, table, key.span())));
                }
                other => self.wrong_type(name, value.span(), other, "a table", "[login.NAME]"),
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
                self.problem(name, key.span(), "there is no such key".into(), &suggestion(name, &known));
            }
        }
    }
}

/// The nearest known name, or all of them.
pub(super) fn suggestion(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(nearest) => format!("did you mean {nearest:?}?"),
        None => format!("known here: {}", known.join(", ")),
    }
}

/// The known name that a typing error away.
pub(super) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let distances = known.map(|known| (strsim::damerau_levenshtein(name, known), known));
    distances.min().filter(|(distance, _)| *distance <= 2.max(name.len() / 4)).map(|(_, known)| known)
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

fn parse_duration(text: &str) -> Option<Duration> {
    let span: jiff::Span = text.parse().ok()?;
    let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(duration).ok()
}
