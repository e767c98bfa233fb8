//! What is wrong, where, and what to do about it.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use std::{collections::BTreeSet, fmt, ops::Range, sync::Arc};

/// Stands for all files together, where none is at fault alone.
pub(super) const WHOLE: &str = "the configuration";

/// One thing that is wrong. It never holds a password.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The file, as it was named to us.
    pub file: String,
    /// Line, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// The entry and key, such as `camera "cho-01": rtsp`.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
    pub(super) source: Option<Arc<NamedSource<String>>>,
    pub(super) span: Range<usize>,
    /// Another place that matters, such as a first definition.
    pub(super) other: Option<(Range<usize>, String)>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, key, message, .. } = self;
        match (&self.source, key.as_str()) {
            // What is wrong with a whole file has no line to show.
            (None, _) => write!(f, "{file} {message}"),
            (Some(_), "") => f.write_str(message),
            (Some(_), key) => write!(f, "{key}: {message}"),
        }
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.remedy))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_deref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.source.as_ref()?;
        let here = LabeledSpan::new_primary_with_span(None, self.span.clone());
        let other =
            self.other.iter().map(|(span, label)| LabeledSpan::new_with_span(Some(label.clone()), span.clone()));
        Some(Box::new(std::iter::once(here).chain(other)))
    }
}

/// All that is wrong with a configuration, in the order of the files.
#[derive(Debug, Clone)]
pub struct Problems(pub(super) Vec<Problem>);

impl Problems {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// How many there are, in words.
    pub fn count(&self) -> String {
        plural(self.0.len(), "problem")
    }

    /// All of them for people, each with the lines it speaks of.
    pub fn render(&self, colour: bool) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(110).with_links(false);
        let mut text = String::new();
        for problem in &self.0 {
            // Writing to a string does not fail.
            let _ = handler.render_report(&mut text, problem);
            text.push('\n');
        }
        let files: BTreeSet<&str> =
            self.0.iter().map(|problem| problem.file.as_str()).filter(|file| *file != WHOLE).collect();
        let problems = self.count();
        match files.len() {
            0 => text + &format!("{problems}\n"),
            count => text + &format!("{problems} in {}\n", plural(count, "file")),
        }
    }
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}
