//! One file of the configuration: its text, and which places of it may be shown.

use super::mask::{self, Shown};
use std::{cell::RefCell, ops::Range, path::PathBuf};

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
    /// A file of which nothing may be shown yet.
    pub(super) fn new(name: String, folder: PathBuf, text: String) -> Self {
        Self { name, folder, text, harmless: RefCell::default() }
    }

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
