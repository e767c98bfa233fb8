//! Lines of the text format that are kept from one scrape to the next for whatever did not change.
//!
//! The format wants all series of a family together, while what changes is a camera, with one series in each of many
//! families. So each camera's lines are kept as one text with the places at which its families end, and a scrape puts
//! the pieces together.

use jiff::Timestamp;
use std::fmt::Write;

/// A metric family: each is declared once, with what it says of a subject such as a camera.
pub(super) struct Family<S: ?Sized> {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) kind: &'static str,
    /// Whether fleets that want few series have it too.
    pub(super) lean: bool,
    /// Writes the subject's series.
    pub(super) write: fn(&S, &mut Samples<'_>),
}

impl<S: ?Sized> Family<S> {
    pub(super) const fn gauge(name: &'static str, help: &'static str, write: fn(&S, &mut Samples<'_>)) -> Self {
        Self { name, help, kind: "gauge", lean: true, write }
    }

    pub(super) const fn counter(name: &'static str, help: &'static str, write: fn(&S, &mut Samples<'_>)) -> Self {
        Self { name, help, kind: "counter", lean: true, write }
    }

    /// The same for fleets that want all series.
    pub(super) const fn in_full(self) -> Self {
        Self { lean: false, ..self }
    }
}

/// Where a family's series of one subject are written to.
pub(super) struct Samples<'t> {
    text: &'t mut String,
    name: &'static str,
    /// Whether few series are wanted.
    pub(super) lean: bool,
}

impl Samples<'_> {
    /// Writes a series. Labels are written in the order in which they come, their values escaped.
    pub(super) fn add(&mut self, labels: &[(&str, &str)], value: f64) {
        self.text.push_str(self.name);
        let mut mark = '{';
        for (name, value) in labels {
            self.text.push(mark);
            self.text.push_str(name);
            self.text.push_str("=\"");
            escape(value, self.text);
            self.text.push('"');
            mark = ',';
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, " {value}");
    }

    /// The same where there may be no value.
    pub(super) fn maybe(&mut self, labels: &[(&str, &str)], value: Option<f64>) {
        if let Some(value) = value {
            self.add(labels, value);
        }
    }
}

fn escape(value: &str, text: &mut String) {
    if !value.contains(['\\', '"', '\n']) {
        text.push_str(value);
        return;
    }
    for mark in value.chars() {
        match mark {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
}

/// What lines were written from, as far as it may change while the fleet stays the same: lines of the same are the same.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Source<E> {
    pub(super) revision: u64,
    pub(super) extra: E,
}

/// The lines of one subject.
#[derive(Debug)]
pub(super) struct Row<E> {
    source: Source<E>,
    /// From when on time alone makes other lines of it.
    until: Timestamp,
    text: Box<str>,
    /// Where each family's lines end.
    ends: Box<[u32]>,
}

impl<E: PartialEq> Row<E> {
    /// Whether its lines still are what would be written now.
    pub(super) fn holds(&self, at: Timestamp, source: &Source<E>) -> bool {
        at < self.until && self.source == *source
    }

    /// Writes a subject's lines. `scratch` is a buffer that is used again and again.
    pub(super) fn write<S>(
        families: &[Family<S>],
        (subject, source, until): (&S, Source<E>, Timestamp),
        lean: bool,
        scratch: &mut String,
    ) -> Self {
        scratch.clear();
        let end = |family: &Family<S>| {
            if family.lean || !lean {
                (family.write)(subject, &mut Samples { text: scratch, name: family.name, lean });
            }
            u32::try_from(scratch.len()).unwrap_or(u32::MAX)
        };
        let ends = families.iter().map(end).collect();
        Self { source, until, text: scratch.as_str().into(), ends }
    }
}

/// How many bytes [`assemble`] writes at most.
pub(super) fn length<S, E>(families: &[Family<S>], rows: &[Row<E>]) -> usize {
    // Two lines of each family: its name twice, its help and its kind, and what stands around them.
    let heads = families.iter().map(|family| 2 * family.name.len() + family.help.len() + 64);
    heads.sum::<usize>() + rows.iter().map(|row| row.text.len()).sum::<usize>()
}

/// Puts the families together of what their subjects say. A family without series is left out.
pub(super) fn assemble<S, E>(families: &[Family<S>], rows: &[Row<E>], text: &mut String) {
    for (number, family) in families.iter().enumerate() {
        let before = text.len();
        let _ = writeln!(text, "# HELP {} {}\n# TYPE {} {}", family.name, family.help, family.name, family.kind);
        let head = text.len();
        for row in rows {
            let from = number.checked_sub(1).map_or(0, |before| row.ends[before]);
            text.push_str(&row.text[from as usize..row.ends[number] as usize]);
        }
        if text.len() == head {
            text.truncate(before);
        }
    }
}
