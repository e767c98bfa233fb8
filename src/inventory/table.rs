//! A spreadsheet's text: its encoding, its separator, its rows.

use encoding_rs::{UTF_8, WINDOWS_1258};
use unicode_normalization::UnicodeNormalization;

/// Rows of cells with their line numbers, as a spreadsheet program counts them.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) headings: Vec<String>,
    pub(super) rows: Vec<(usize, Vec<String>)>,
    /// What the text was read as.
    pub(super) encoding: &'static str,
}

/// Reads the bytes of a CSV file. UTF-8 is UTF-8 or fails; what fails is Windows-1258, the other encoding that
/// Vietnamese spreadsheets are saved in, which knows letters and their tone marks apart.
pub(super) fn read(bytes: &[u8]) -> Result<Table, String> {
    let (text, encoding) = match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, _)) => (encoding.decode(bytes).0, encoding.name()),
        None => match std::str::from_utf8(bytes) {
            Ok(text) => (text.into(), UTF_8.name()),
            Err(_) => (WINDOWS_1258.decode_without_bom_handling(bytes).0, WINDOWS_1258.name()),
        },
    };
    // Letters with marks of their own become the letters that everybody else writes.
    let text: String = text.nfc().collect();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(&text))
        .flexible(true)
        .has_headers(false)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| format!("it is no table of separated values: {error}"))?;
        let line = record.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
        let cells: Vec<String> = record.iter().map(|cell| cell.trim().to_owned()).collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            rows.push((line, cells));
        }
    }
    if rows.is_empty() {
        return Err("it is empty".into());
    }
    let (_, headings) = rows.remove(0);
    Ok(Table { headings, rows, encoding })
}

/// Spreadsheets in Vietnamese locales separate by semicolons, or by tabs when copied.
fn separator(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |separator: &u8| first.bytes().filter(|byte| byte == separator).count();
    [b',', b';', b'\t'].into_iter().max_by_key(count).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_and_separators_are_recognised() {
        let utf8 = read("Tên;Địa chỉ\nChợ;10.0.0.1\n".as_bytes()).expect("a table");
        assert_eq!((utf8.encoding, utf8.headings[1].as_str()), ("UTF-8", "Địa chỉ"));
        // "Địa chỉ" in Windows-1258: i with a dot below is i and a mark.
        let bytes = b"T\xean,\xd0i\xf2a chi\xd2\nCh\xf5\xf2,10.0.0.1\n";
        let old = read(bytes).expect("a table");
        assert_eq!((old.encoding, old.headings[1].as_str()), ("windows-1258", "Địa chỉ"));
        assert_eq!(old.rows, [(2, vec!["Chợ".to_owned(), "10.0.0.1".to_owned()])]);
        assert!(read(b"").is_err());
    }
}
