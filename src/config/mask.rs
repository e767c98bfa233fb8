//! What is shown of a file around a problem: its lines, in which all that may be a secret is stars.
//!
//! People put passwords into the wrong key, table, line or file, so nothing is shown for its looks: an entry says which
//! values are harmless as it reads them, and of everything else only the marks of TOML and known names of keys stay.

use super::{keys::is_name, names::near};
use std::{
    net::{IpAddr, SocketAddr},
    ops::Range,
    path::Path,
};
use unicode_width::UnicodeWidthChar;

/// Where a text speaks of a secret, the secret may follow.
const SIGNS: [&str; 9] = ["pass", "pwd", "secret", "token", "mật khẩu", "mật_khẩu", "matkhau", "mat khau", "mat_khau"];
const SCHEMES: [&str; 9] = ["ftp", "http", "https", "icmp", "rtmp", "rtsp", "rtsps", "tcp", "udp"];
/// Longer than any name or reason.
const LONGEST: usize = 200;
/// In place of a value that is not shown.
pub(super) const HIDDEN: &str = "***";

/// A file as it is shown.
pub(super) struct Shown {
    pub(super) text: String,
    /// From which place in the file on which place in `text` is meant, where the distance changes.
    shifts: Vec<(usize, usize)>,
}

impl Shown {
    /// Where a place of the file is in what is shown.
    fn place(&self, offset: usize) -> usize {
        let before = self.shifts.partition_point(|(from, _)| *from <= offset);
        let last = before.checked_sub(1).and_then(|last| self.shifts.get(last));
        last.map_or(offset, |(from, shown)| shown + (offset - from))
    }

    pub(super) fn span(&self, span: &Range<usize>) -> Range<usize> {
        self.place(span.start)..self.place(span.end)
    }
}

/// The file with a star for each column of what is neither harmless, nor a mark of TOML, nor a known name of a key.
pub(super) fn masked(text: &str, harmless: &[Range<usize>]) -> Shown {
    let mut kept = vec![false; text.len()];
    let harmless = harmless.iter().cloned();
    for range in marks(text).into_iter().chain(harmless) {
        if let Some(kept) = kept.get_mut(range) {
            kept.fill(true);
        }
    }
    let mut shown = Shown { text: String::with_capacity(text.len()), shifts: Vec::new() };
    for (at, c) in text.char_indices() {
        let is_blank = matches!(c, '\n' | '\r' | '\t');
        if is_blank || kept[at] && !c.is_control() {
            shown.text.push(c);
            continue;
        }
        let columns = c.width().unwrap_or(1);
        shown.text.extend(std::iter::repeat_n('*', columns));
        if columns != c.len_utf8() {
            shown.shifts.push((at + c.len_utf8(), shown.text.len()));
        }
    }
    shown
}

/// Where a line may show names of keys.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// `[table.heading]`, up to its end.
    Heading,
    /// Before the `=`.
    Key,
    /// After it, or a line that is no TOML.
    Rest,
}

fn part(line: &str) -> Part {
    let line = line.split('\n').next().unwrap_or_default();
    match (line.trim_start().starts_with('['), line.contains('=')) {
        (true, _) => Part::Heading,
        (_, true) => Part::Key,
        _ => Part::Rest,
    }
}

/// The marks of TOML and the known names of keys. It need not understand what it reads: what it takes for something
/// else than TOML does is hidden all the same.
fn marks(text: &str) -> Vec<Range<usize>> {
    let mut marks = Vec::new();
    let mut part = part(text);
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match first {
            '\n' => {
                part = self::part(&rest[1..]);
                1
            }
            '#' => {
                marks.push(at..at + 1);
                rest.find('\n').unwrap_or(rest.len())
            }
            '"' | '\'' => {
                let string = string(rest, first);
                marks.push(at..at + string.quotes);
                if string.is_closed {
                    marks.push(at + string.length - string.quotes..at + string.length);
                }
                string.length
            }
            _ if is_mark(first) => {
                if first == '=' || first == ']' && part == Part::Heading {
                    part = Part::Rest;
                }
                marks.push(at..at + first.len_utf8());
                first.len_utf8()
            }
            _ => {
                let length = rest.find(|c| is_mark(c) || matches!(c, '"' | '\'' | '#' | '\n')).unwrap_or(rest.len());
                if part != Part::Rest && is_name(&rest[..length]) {
                    marks.push(at..at + length);
                }
                length
            }
        };
        at += length;
    }
    marks
}

fn is_mark(c: char) -> bool {
    c == ' ' || matches!(c, '\t' | '\r' | '[' | ']' | '{' | '}' | '=' | ',' | '.')
}

/// A string as it stands in a file.
struct Quoted {
    /// How many quotes begin it.
    quotes: usize,
    /// With its quotes.
    length: usize,
    is_closed: bool,
}

/// The string that begins a text. One that is not closed ends with its line, or with the file where it may span lines.
fn string(text: &str, quote: char) -> Quoted {
    let long = text.chars().take(3).filter(|c| *c == quote).count() == 3;
    let quotes = if long { 3 } else { 1 };
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(quotes) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            '\n' if !long => return Quoted { quotes, length: at, is_closed: false },
            _ if text[at..].starts_with(&text[..quotes]) => {
                return Quoted { quotes, length: at + quotes, is_closed: true };
            }
            _ => {}
        }
    }
    Quoted { quotes, length: text.len(), is_closed: false }
}

/// Whether the value of a key that holds no secret, as it stands in the file, may be shown. One that spans lines, or
/// looks like an assignment, has swallowed what stood beside it.
pub(super) fn is_plain(raw: &str) -> bool {
    let speaks = raw.contains([' ', ':']) && {
        let lower = raw.to_lowercase();
        SIGNS.iter().any(|sign| lower.contains(sign))
    };
    raw.len() <= LONGEST && !raw.contains(['\n', '\r', '=', '@', '#']) && !raw.contains("://") && !speaks
}

/// How much of an address, from its beginning, may be shown: scheme, IP address and port. A password may stand in all
/// that follows, and anywhere where there is an `@`.
pub(super) fn harmless_address(raw: &str) -> usize {
    let Some((start, rest)) = raw.split_once("://") else { return 0 };
    if raw.contains(['@', '\n', '\\']) || !is_scheme(start.trim_start_matches(['"', '\''])) {
        return 0;
    }
    let (host, path) = rest.split_at(rest.find(['/', '?', '#', '"', '\'']).unwrap_or(rest.len()));
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if host.parse::<SocketAddr>().is_err() && bare.parse::<IpAddr>().is_err() {
        return 0;
    }
    match path {
        "\"" | "'" | "/\"" | "/'" => raw.len(),
        _ => raw.len() - path.len(),
    }
}

/// Whether this is the scheme of an address, or nearly: everything else may be a user's name.
pub(super) fn is_scheme(text: &str) -> bool {
    SCHEMES.contains(&text) || near(text, SCHEMES.into_iter()).is_some()
}

/// Whether a text that is to name a file does: it may be the secret itself.
pub(super) fn names_a_file(folder: &Path, text: &str) -> bool {
    let path = folder.join(text);
    // A folder that the text itself names: `abc/` names none, and may be a secret that ends so.
    let named =
        Path::new(text).parent().filter(|parent| !parent.as_os_str().is_empty()).map(|parent| folder.join(parent));
    let in_folder = || named.is_some_and(|parent| parent.file_name().is_some() && parent.is_dir());
    is_plain(text) && (path.is_file() || text.contains('/') && in_folder())
}

/// `${NAME}` with a name as variables have them.
pub(super) fn is_variable(text: &str) -> bool {
    text.strip_prefix("${").and_then(|text| text.strip_suffix('}')).is_some_and(is_variables_name)
}

/// Whether this is a variable's name, rather than a secret in its place.
pub(super) fn is_variables_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        masked(text, &[]).text
    }

    #[test]
    fn only_marks_and_names_of_keys_are_shown() {
        for (line, expected) in [
            ("name = \"x y\" # z\n", "name = \"***\" #**\n"),
            ("name name", "**** ****"),
            ("[web.name] name", "[web.name] ****"),
            ("[[web]]", "[[web]]"),
            ("other = name", "***** = ****"),
            ("password = \"ab", "password = \"**"),
            ("name = \"a\\\"b\" x", "name = \"****\" *"),
            ("name = '''a\nname = \"b\"''' x", "name = '''*\n**********''' *"),
            ("name = \"\"\"a\nname = 1", "name = \"\"\"*\n********"),
            ("name = 1979-05-27", "name = **********"),
            ("a\u{1b}b", "***"),
        ] {
            assert_eq!(shown(line), expected, "{line:?}");
        }
    }

    #[test]
    fn places_stay_where_they_are_seen() {
        let text = "# mật khẩu 秘密 e\u{301}\nname = 1";
        let shown = masked(text, &[]);
        // Two columns for each of the wide characters, none for the accent.
        assert_eq!(shown.text, format!("#{}\nname = *", "*".repeat(16)));
        let name = text.find("name").expect("it is there");
        let span = shown.span(&(name..name + 4));
        assert_eq!(&shown.text[span], "name");
        assert_eq!(shown.span(&(0..text.len())), 0..shown.text.len());
    }

    #[test]
    fn of_an_address_no_more_than_its_host_is_shown() {
        let check = |raw: &str, expected: &str| assert_eq!(&raw[..harmless_address(raw)], expected, "{raw}");
        check("\"rtsp://10.20.1.7:554/sub\"", "\"rtsp://10.20.1.7:554");
        check("\"rstp://10.20.1.7/sub\"", "\"rstp://10.20.1.7");
        check("'icmp://10.20.0.1'", "'icmp://10.20.0.1'");
        check("\"http://[fd00::1]:80/\"", "\"http://[fd00::1]:80/\"");
        for hidden in [
            "\"rtsp://admin:s3@10.20.1.7/sub\"",
            "\"rtsp://admin:s3/10.20.1.7/sub\"",
            "\"rtsp://s3/sub\"",
            "\"s3://10.20.1.7/sub\"",
            "\"rtsp://10.20.1.7/a@b\"",
            "\"rtsp:/10.20.1.7\"",
        ] {
            check(hidden, "");
        }
    }

    #[test]
    fn what_swallowed_its_neighbours_is_not_plain() {
        for plain in ["\"Ngã tư Chợ, về phía cảng\"", "\"10s\"", "\"passage-01\"", "3"] {
            assert!(is_plain(plain), "{plain}");
        }
        for other in ["\"a, password = \"", "\"a\nb\"", "\"mật khẩu: x\"", "\"a@b\"", "\"rtsp://b\""] {
            assert!(!is_plain(other), "{other}");
        }
        assert!(is_variable("${CAM_2}") && !is_variable("${hunter2}") && !is_variable("${2}") && !is_variable("${}"));
    }
}
