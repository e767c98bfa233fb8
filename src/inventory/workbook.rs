//! A workbook (XLSX) as a table: its first sheet that holds anything.
//!
//! Cells are read one after the other, so that a single cell far down and to the right, as stray formatting leaves it, does
//! not make a table of a thousand million cells.

use super::table::Table;
use calamine::{DataRef, Reader, Xlsx};
use std::{collections::BTreeMap, io::Cursor};
use unicode_normalization::UnicodeNormalization;

/// Rows and columns that a table of cameras can have: a province's, with whatever else its owners note.
const ROWS: u32 = 50_000;
const COLUMNS: u32 = 200;

/// How any archive begins, as a workbook is one.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// Reads it.
pub(super) fn read(bytes: &[u8]) -> Result<Table, String> {
    let mut workbook: Xlsx<_> =
        Xlsx::new(Cursor::new(bytes)).map_err(|error| format!("it is no workbook (XLSX) that can be read: {error}"))?;
    for sheet in workbook.sheet_names() {
        let rows = rows(&mut workbook, &sheet)?;
        let mut rows = rows.into_iter().filter(|(_, cells)| cells.iter().any(|cell| !cell.is_empty()));
        let Some((_, headings)) = rows.next() else { continue };
        return Ok(Table { headings, rows: rows.collect(), encoding: "XLSX" });
    }
    Err("it is empty".into())
}

type Rows = Vec<(usize, Vec<String>)>;

fn rows(workbook: &mut Xlsx<Cursor<&[u8]>>, sheet: &str) -> Result<Rows, String> {
    let broken = |error| format!("its sheet {sheet:?} cannot be read: {error}");
    let mut cells = workbook.worksheet_cells_reader(sheet).map_err(broken)?;
    let mut rows: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    while let Some(cell) = cells.next_cell().map_err(broken)? {
        let ((row, column), text) = (cell.get_position(), text(cell.get_value()));
        if text.is_empty() {
            continue;
        }
        if row >= ROWS || column >= COLUMNS {
            return Err(format!("its sheet {sheet:?} has more than {ROWS} rows or {COLUMNS} columns"));
        }
        let cells = rows.entry(row).or_default();
        cells.resize(cells.len().max(column as usize + 1), String::new());
        cells[column as usize] = text;
    }
    Ok(rows.into_iter().map(|(row, cells)| (row as usize + 1, cells)).collect())
}

/// A cell as people would type it.
fn text(cell: &DataRef<'_>) -> String {
    let text = match cell {
        DataRef::Empty | DataRef::Error(_) => String::new(),
        // A port is a number, and has no decimals.
        DataRef::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        DataRef::Float(number) => number.to_string(),
        DataRef::DateTime(time) => {
            let (year, month, day, ..) = time.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        DataRef::DateTimeIso(time) => time.chars().take(10).collect(),
        DataRef::String(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Bool(truth) => truth.to_string(),
    };
    text.trim().nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by openpyxl: an empty sheet before it, rows of nothing, ports as numbers, a date, letters with their marks apart,
    /// and a formatted cell far away.
    const WORKBOOK: &[u8] = include_bytes!("workbook.xlsx");

    #[test]
    fn cells_are_read_as_people_type_them() {
        assert!(is_one(WORKBOOK));
        let table = read(WORKBOOK).expect("it is a workbook");
        assert_eq!(table.headings, ["Tên camera", "IP", "Cổng", "Loại", "Ngày đồng ý"]);
        let rows = [
            (4, vec!["Ngã tư Chợ", "10.20.1.7", "554", "công cộng"]),
            (6, vec!["Nhà ông Bình", "10.30.4.2", "8554", "hộ dân", "2026-03-01"]),
        ];
        let wanted: Rows =
            rows.into_iter().map(|(line, cells)| (line, cells.into_iter().map(str::to_owned).collect())).collect();
        assert_eq!(table.rows, wanted);
    }

    #[test]
    fn what_is_cut_off_or_something_else_is_said_so() {
        for bytes in [&WORKBOOK[..WORKBOOK.len() / 2], b"PK\x03\x04 and nothing more"] {
            let error = read(bytes).expect_err("it is no workbook");
            assert!(error.starts_with("it is no workbook"), "{error}");
        }
    }
}
