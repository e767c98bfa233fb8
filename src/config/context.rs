//! What all of reading a configuration shares: the problems so far and the environment.

use super::{
    checked::Config,
    keys::{self, is_name},
    mask::HIDDEN,
    names::near,
    problem::{Problem, Problems, WHOLE},
    source::Source,
};
use miette::NamedSource;
use std::{cell::RefCell, collections::BTreeMap, ops::Range, sync::Arc};

/// What all of reading shares: how far it has come.
pub(super) struct Context<'e> {
    problems: RefCell<Vec<Problem>>,
    pub(super) environment: &'e dyn Fn(&str) -> Option<String>,
}

impl<'e> Context<'e> {
    pub(super) fn new(environment: &'e dyn Fn(&str) -> Option<String>) -> Self {
        Self { problems: RefCell::default(), environment }
    }

    /// The name of a table or key that nobody asked for, and its place in its file, if it is near enough to a known one
    /// to be no secret; else what stands in its place.
    pub(super) fn unknown<'n>(&self, name: &'n str, source: &Source, span: Range<usize>) -> &'n str {
        if !is_name(name) && near(name, keys::names()).is_none() {
            return HIDDEN;
        }
        source.show(span);
        name
    }

    pub(super) fn problem(&self, source: &Source, key: String, span: Range<usize>, message: String, remedy: &str) {
        let line = source.line(span.start);
        self.problems.borrow_mut().push(Problem {
            file: source.name.clone(),
            line,
            key,
            message,
            remedy: remedy.to_owned(),
            source: None,
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
    pub(super) fn amend(&self, change: impl FnOnce(&mut Problem)) {
        if let Some(last) = self.problems.borrow_mut().last_mut() {
            change(last);
        }
    }

    /// The configuration, if nothing is wrong with it.
    pub(super) fn finish<'s>(
        &self,
        config: Config,
        sources: impl IntoIterator<Item = &'s Source>,
    ) -> Result<Config, Problems> {
        if self.problems.borrow().is_empty() { Ok(config) } else { Err(self.problems(sources)) }
    }

    /// What was noted so far, with the files as far as they may be shown.
    pub(super) fn problems<'s>(&self, sources: impl IntoIterator<Item = &'s Source>) -> Problems {
        let mut problems = self.problems.take();
        for source in sources {
            let here = |problem: &&mut Problem| problem.line > 0 && problem.file == source.name;
            let mut here = problems.iter_mut().filter(here).peekable();
            if here.peek().is_none() {
                continue;
            }
            let mut shown = source.masked();
            let text = Arc::new(NamedSource::new(&source.name, std::mem::take(&mut shown.text)));
            for problem in here {
                problem.source = Some(text.clone());
                problem.span = shown.span(&problem.span);
                problem.other = problem.other.take().map(|(span, label)| (shown.span(&span), label));
            }
        }
        // By place, with files in the order in which they were first named, and what is missing from all of them last.
        let mut order = BTreeMap::new();
        for problem in &problems {
            let next = order.len();
            order.entry(problem.file.clone()).or_insert(next);
        }
        let whole = |problem: &Problem| problem.file == WHOLE;
        problems.sort_by_key(|problem| (whole(problem), order.get(&problem.file).copied(), problem.span.start));
        Problems(problems)
    }
}
