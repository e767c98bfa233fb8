//! `[privacy]`: where it is written who lends which camera.

use super::{owners::Owners, tables::Tables};

const REMEDY: &str = "write a table for each camera, [ho-017] with name, phone, address and note as text, readable by \
                      camhealth's user only (chmod 600)";

/// The file of owners, which must be as it should already now.
pub(super) fn owners(tables: &Tables<'_>) -> Option<Owners> {
    let table = tables.one("privacy")?;
    let name = table.text("owners")?;
    Owners::at(table.source.folder.join(&name.value))
        .map_err(|why| table.problem("owners", name.span, why, REMEDY))
        .ok()
}
