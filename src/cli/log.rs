//! The daemon's log: an event is a line for people, a line of JSON, or an entry of systemd's journal with its fields.
//!
//! Whatever an event holds, what cannot be seen is escaped before it is written, in each form alike: texts of cameras, of
//! servers and of the system may hold line breaks, a terminal's commands, or marks that turn a line around. The usual
//! layers (tracing-subscriber's JSON, tracing-journald) write values as they are, and have no place at which to do so.

use super::paint::Paint;
use crate::clock::Clock;
use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::{
    fmt::{Debug, Write as _},
    fs::File,
    io::{self, Write as _},
    os::{
        fd::AsFd,
        unix::{fs::MetadataExt, net::UnixDatagram},
    },
    panic::PanicHookInfo,
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{EnvFilter, Layer, layer::Context, prelude::*};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Characters of a value; more is cut.
const LONGEST: usize = 2048;
/// Where systemd's journal takes entries.
const JOURNAL: &str = "/run/systemd/journal/socket";

/// Libraries that speak to others: their logs hold URLs, tokens, numbers and stream bytes.
const SILENT: [&str; 7] = ["retina", "oxvif", "reqwest", "hyper", "openidconnect", "oauth2", "rsipstack"];

/// How the log is written, on standard error but for the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// As journald where standard error is systemd's journal, else as people.
    Auto,
    /// Lines for people, with colours on a terminal.
    People,
    /// A line of JSON for each event.
    Json,
    /// Entries of systemd's journal: priorities, and a field CAMHEALTH_… for each value.
    Journald,
}

impl Form {
    /// As it is named on the command line.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::People => "people",
            Self::Json => "json",
            Self::Journald => "journald",
        }
    }
}

/// Begins to log: changes of state, by `RUST_LOG` more. The libraries that speak to others stay silent whatever is asked,
/// since their logs hold URLs, tokens and stream bytes.
pub(super) fn start(form: Form, commune: Option<&str>) -> io::Result<()> {
    let sink = match form {
        Form::Journald => Sink::Journal(journal()?),
        // Without its socket the journal takes lines all the same.
        Form::Auto if is_the_journal() => journal().map_or(Sink::People(Paint::off()), Sink::Journal),
        Form::Auto | Form::People => Sink::People(Paint::stderr()),
        Form::Json => Sink::Json,
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let directives = SILENT.iter().filter_map(|library| format!("{library}=off").parse().ok());
    let filter = directives.fold(filter, EnvFilter::add_directive);
    tracing_subscriber::registry()
        .with(filter)
        .with(Log { clock: Clock::system(), commune: commune.map(str::to_owned), sink })
        .init();
    // Who asks for a backtrace gets it as the language writes it.
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        std::panic::set_hook(Box::new(panicked));
    }
    Ok(())
}

/// What stands in many lines, as events.
pub(super) fn lines(text: &str) {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        tracing::error!("{line}");
    }
}

/// A panic as an event: what it says may hold what a camera sent.
fn panicked(info: &PanicHookInfo<'_>) {
    let why = info.payload_as_str().unwrap_or("it gave no reason");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, "panicked: {why}");
}

/// Whether standard error is systemd's journal, as systemd says by device and inode.
fn is_the_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let own = io::stderr().as_fd().try_clone_to_owned().and_then(|file| File::from(file).metadata());
    own.is_ok_and(|own| stream == format!("{}:{}", own.dev(), own.ino()))
}

fn journal() -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(JOURNAL)?;
    Ok(socket)
}

enum Sink {
    People(Paint),
    Json,
    Journal(UnixDatagram),
}

/// What events are handed to.
struct Log {
    clock: Clock,
    /// Whose daemon it is, where several write to one log.
    commune: Option<String>,
    sink: Sink,
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // A directive for one of its modules would weigh more than the one that silences all of it.
        let library = event.metadata().target().split("::").next().unwrap_or_default();
        if SILENT.contains(&library) {
            return;
        }
        let mut entry = Entry::of(event, self.clock.now());
        if let Some(commune) = &self.commune {
            entry.fields.push(("commune", Value::String(commune.clone())));
        }
        let mut error = io::stderr().lock();
        // There is nobody to tell that the log cannot be written.
        let _ = match &self.sink {
            Sink::People(paint) => error.write_all(entry.people(*paint).as_bytes()),
            Sink::Json => error.write_all(entry.json().as_bytes()),
            Sink::Journal(socket) => match socket.send(entry.journald().as_bytes()) {
                Ok(_) => Ok(()),
                // It restarts, or is full: the line goes the way of what the program prints.
                Err(_) => error.write_all(entry.people(Paint::off()).as_bytes()),
            },
        };
    }
}

/// An event whose texts can all be seen.
struct Entry {
    at: Timestamp,
    level: Level,
    target: String,
    message: String,
    fields: Vec<(&'static str, Value)>,
}

impl Entry {
    fn of(event: &Event<'_>, at: Timestamp) -> Self {
        let meta = event.metadata();
        let mut entry = Self {
            at,
            level: *meta.level(),
            target: meta.target().to_owned(),
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut entry);
        entry
    }

    /// Its values as `name=value`, with quotes where one could be taken for more than one.
    fn values(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.fields {
            let plain = |text: &str| !text.is_empty() && !text.contains([' ', '"', '=']);
            let _ = match value {
                Value::String(value) if plain(value) => write!(text, " {name}={value}"),
                value => write!(text, " {name}={value}"),
            };
        }
        text
    }

    fn people(&self, paint: Paint) -> String {
        let level = format!("{:>5}", self.level.as_str());
        let level = match self.level {
            Level::ERROR => paint.bad(&level),
            Level::WARN => paint.fair(&level),
            Level::INFO => paint.good(&level),
            _ => paint.dim(&level),
        };
        let at = paint.dim(&format!("{:.6}", self.at));
        format!("{at} {level} {}{}\n", self.message, paint.dim(&self.values()))
    }

    fn json(&self) -> String {
        let fields: Map<String, Value> =
            self.fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let level = self.level.as_str().to_lowercase();
        let line = json!({ "timestamp": format!("{:.6}", self.at), "level": level, "target": self.target,
            "message": self.message, "fields": fields });
        format!("{line}\n")
    }

    /// Lines of systemd's native protocol; no value holds a line break, so none needs its other form.
    fn journald(&self) -> String {
        let priority = match self.level {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            _ => 7,
        };
        let mut text = format!("PRIORITY={priority}\nSYSLOG_IDENTIFIER=camhealth\n");
        let _ = write!(text, "TARGET={}\nMESSAGE={}{}\n", self.target, self.message, self.values());
        for (name, value) in &self.fields {
            let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let _ = writeln!(text, "CAMHEALTH_{}={value}", name.to_ascii_uppercase());
        }
        text
    }

    fn put(&mut self, field: &Field, value: Value) {
        self.fields.push((field.name(), value));
    }
}

impl Visit for Entry {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message = seen(value),
            _ => self.put(field, Value::String(seen(value))),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

/// The text with what cannot be seen as escapes, cut where it is long.
fn seen(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    for (number, c) in text.chars().enumerate() {
        if number == LONGEST {
            seen.push('…');
            break;
        }
        let hidden = matches!(c.general_category_group(), GeneralCategoryGroup::Other)
            || matches!(c.general_category_group(), GeneralCategoryGroup::Separator) && c != ' ';
        if hidden {
            seen.extend(c.escape_default());
        } else {
            seen.push(c);
        }
    }
    seen
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
