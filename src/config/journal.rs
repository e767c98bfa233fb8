//! `[journal]`: where the journal lies, in a file or on a server, and how long it remembers.

use super::{entry::Entry, secret::secret, tables::Tables};
use crate::journal::{self, Keep, Unusable};
use std::{sync::Arc, time::Duration};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A year of a commune takes some tens of megabytes without any transcript.
const SMALLEST: u64 = 100_000_000;
/// Where a server's tables lie unless somebody says otherwise.
const SCHEMA: &str = "camhealth";
/// What an address of a server is like.
const SERVER: &str = "write url = \"postgres://camhealth@HOST/DATABASE\"";

pub(super) fn journal(tables: &Tables<'_>) -> journal::Settings {
    let mut journal = journal::Settings::default();
    if let Some(table) = tables.one("journal") {
        if let Some(path) = table.text("path") {
            journal.path = Some(table.source.folder.join(path.value));
        }
        if table.has("url") {
            journal.server = server(table, SCHEMA);
            journal.path = None;
            journal.standby = table.truth("standby").unwrap_or(false);
        } else if table.has("standby") {
            let message = "daemons stand by for each other on a server alone".to_owned();
            table.problem("standby", table.place("standby"), message, SERVER);
        }
        for keep in Keep::ALL {
            let Some(length) = table.duration(keep.as_str(), keep.least()..=3650 * DAY) else { continue };
            journal.keep.set(keep, length.value);
            // Files of before said by this key how long messages and the audit trail stay, too.
            if keep == Keep::History {
                journal.keep.set(Keep::Messages, length.value);
                journal.keep.set(Keep::Audit, length.value.max(Keep::Audit.usual()));
            }
        }
        if let Some(bytes) = table.bytes("max_size") {
            journal.max_size = bytes;
            if bytes < SMALLEST {
                let message = format!("{bytes} bytes are too few for a journal");
                table.problem("max_size", table.place("max_size"), message, "write max_size = \"100MB\" or more");
            }
        }
    }
    journal
}

/// A PostgreSQL server that a table names; its tables lie in `usual` unless it says otherwise.
pub(super) fn server(table: &Entry<'_>, usual: &str) -> Option<Arc<journal::Server>> {
    if table.has("path") {
        let message = "path and url are both given".to_owned();
        table.problem("path", table.place("path"), message, "keep one of them: a file, or a server");
    }
    let password = secret(table, "password", "password_file", false);
    let roots = table.text("roots").map(|roots| table.source.folder.join(roots.value));
    let schema = table.text("schema");
    // It may hold a password, which is shown nowhere.
    let url = table.hidden("url")?;
    let name = schema.as_ref().map_or(usual, |schema| schema.value.as_str());
    match journal::Server::new(&url.value, password, roots, name) {
        Ok(server) => return Some(Arc::new(server)),
        Err(Unusable::Schema) => {
            let place = schema.as_ref().map_or_else(|| table.place("schema"), |schema| schema.span.clone());
            let message = format!("{name:?} is no name of a schema");
            table.problem(
                "schema",
                place,
                message,
                "write small letters, digits and _, such as schema = \"xa_hai_binh\"",
            );
        }
        Err(Unusable::Password) => {
            let remedy = "take it out of url, and write password_file = \"FILE\", or password = \"${NAME}\"";
            table.problem("url", url.span, "a secret must not stand in the configuration itself".to_owned(), remedy);
        }
        Err(Unusable::Database) => {
            table.problem("url", url.span, "it names no database".to_owned(), SERVER);
        }
        Err(Unusable::Address) => {
            table.problem("url", url.span, "it is no address of a PostgreSQL server".to_owned(), SERVER);
        }
    }
    None
}
