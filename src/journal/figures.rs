//! What looks measured, summed up over minutes and hours: written some rows at a time, read for one camera.

use super::{
    Error, rows,
    sql::{Connection, values},
    strange::Strange,
    table::{HOUR_FIGURES, MINUTE_FIGURES, Table},
};
use crate::model::{CameraId, FigureRow, Figures, Grain, Point};
use jiff::Timestamp;

/// What a row's parts are at most: each part some times over, as after restarts within an hour.
const LONGEST: usize = 4096;
/// Rows that are read for one page at most.
const MOST_ROWS: i64 = 400;

fn table(grain: Grain) -> &'static Table {
    match grain {
        Grain::Minute => &MINUTE_FIGURES,
        Grain::Hour => &HOUR_FIGURES,
    }
}

/// Writes parts of rows as part of a batch's transaction: behind what a row has already.
pub(super) fn write(connection: &Connection, rows: &[FigureRow]) -> Result<(), Error> {
    for row in rows {
        let table = table(row.grain);
        if connection.server().is_some() {
            connection.put(&behind(table), values![row.begins, row.camera.as_str(), &row.parts[..]])?;
            continue;
        }
        // SQLite puts no bytes behind others.
        let known = format!("SELECT parts, {} FROM {} WHERE begins = ?1 AND camera = ?2", table.sound(), table.name);
        let known = connection.first(&known, values![row.begins, row.camera.as_str()], |row| {
            Ok(rows::is_sound(row).then(|| row.get::<Vec<u8>>("parts")).transpose()?.unwrap_or_default())
        });
        let mut parts = known?.unwrap_or_default();
        if parts.len() + row.parts.len() > LONGEST {
            continue;
        }
        parts.extend(&row.parts);
        connection.put(&table.put(), values![row.begins, row.camera.as_str(), &parts[..]])?;
    }
    Ok(())
}

/// SQL by which a server puts parts behind those of a row, without a way back to ask which they are.
fn behind(table: &Table) -> String {
    let name = table.name;
    format!(
        "{} ON CONFLICT (begins, camera) DO UPDATE SET parts = {name}.parts || excluded.parts
         WHERE octet_length({name}.parts) + octet_length(excluded.parts) <= {LONGEST}",
        table.write()
    )
}

/// What was measured of a camera since `from`, up to `until`, in the order of time. A part that was written twice, by two
/// runs of the daemon, is there twice.
pub(super) fn read(
    connection: &Connection,
    camera: &CameraId,
    grain: Grain,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<Point>, Error> {
    let strange = Strange::default();
    let table = table(grain);
    let sql = format!("SELECT parts, {} FROM {} WHERE begins = ?1 AND camera = ?2", table.sound(), table.name);
    let (first, step) = (from.as_second() - from.as_second().rem_euclid(grain.row()), grain.row());
    let mut points: Vec<Point> = Vec::new();
    for number in 0..MOST_ROWS {
        let begins = first + number * step;
        if begins >= until.as_second() {
            break;
        }
        let parts = rows::read(connection, &sql, values![begins, camera.as_str()], (table.name, &strange), |row| {
            row.get::<Vec<u8>>("parts")
        })?;
        for (place, figures) in parts.iter().flat_map(|parts| Figures::unpack(parts)) {
            let at = Timestamp::from_second(begins + i64::from(place) * grain.part());
            points.extend(at.ok().filter(|at| *at >= from && *at < until).map(|at| (at, figures)));
        }
    }
    points.sort_by_key(|(at, _)| *at);
    strange.tell();
    Ok(points)
}
