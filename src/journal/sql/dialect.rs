//! What a server reads otherwise than SQLite. Statements are ours alone, and tests hand all of them to both.
//!
//! - Places are `$1` and not `?1`.
//! - Rows have no sums of ours: a server has its own, of pages (`initdb --data-checksums`). A row that is believed has a 1
//!   where its sum stands, one that is given up has none.
//! - A list that is handed over as JSON is read by a function of our own, `listed`.

/// A statement as a server reads it.
pub(super) fn of_a_server(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(mark) = rest.chars().next() {
        if mark == '\'' {
            // Text stands as it is. A quote in it is written twice, which is two texts side by side here.
            let end = rest[1..].find('\'').map_or(rest.len(), |at| at + 2);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        } else if let Some(after) = rest.strip_prefix("row_sum(") {
            out.push('1');
            rest = after_bracket(after);
        } else if let Some(after) = rest.strip_prefix("json_each(") {
            out.push_str("listed(");
            rest = after;
        } else {
            out.push(if mark == '?' { '$' } else { mark });
            rest = &rest[mark.len_utf8()..];
        }
    }
    out
}

/// What follows the bracket that closes one which was opened.
fn after_bracket(text: &str) -> &str {
    let (mut open, mut quoted) = (1, false);
    for (at, mark) in text.char_indices() {
        match mark {
            '\'' => quoted = !quoted,
            '(' if !quoted => open += 1,
            ')' if !quoted => open -= 1,
            _ => {}
        }
        if open == 0 {
            return &text[at + 1..];
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_sums_and_lists_are_put_otherwise_and_texts_stay() {
        let same = "SELECT body, '?1 row_sum(' AS x FROM notice WHERE key = 'it''s?'";
        assert_eq!(of_a_server(same), same);
        assert_eq!(
            of_a_server("INSERT INTO t (a, sum) VALUES (?1, row_sum('t', ?1, coalesce(?2, ')'))) -- ế"),
            "INSERT INTO t (a, sum) VALUES ($1, 1) -- ế"
        );
        assert_eq!(of_a_server("a IN (SELECT value FROM json_each(?12))"), "a IN (SELECT value FROM listed($12))");
        assert_eq!(of_a_server("x = row_sum('t'"), "x = 1");
    }
}
