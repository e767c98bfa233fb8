//! How far a command is, on a terminal; nothing where standard error goes into a file or a pipe.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of so many steps.
pub(super) fn bar(length: usize, what: &'static str) -> ProgressBar {
    styled(ProgressBar::new(length as u64), "{prefix} {bar:30} {pos}/{len} {msg}", what)
}

/// A count of which the end is not known.
pub(super) fn count(what: &'static str) -> ProgressBar {
    styled(ProgressBar::no_length(), "{prefix} {pos} {msg}", what)
}

fn styled(bar: ProgressBar, template: &str, what: &'static str) -> ProgressBar {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(what);
    bar
}
