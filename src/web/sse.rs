//! Server-sent events as bytes, which many listeners share.

use axum::body::Bytes;

/// Keeps a connection that says nothing from being taken for dead.
pub(super) const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// One event. Its data may have many lines; names and ids are our own and have one.
pub(super) fn event(name: &str, id: Option<&str>, data: &[u8]) -> Bytes {
    let mut text = Vec::with_capacity(data.len() + data.len() / 16 + 64);
    let mut field = |field: &str, value: &[u8]| {
        text.extend_from_slice(field.as_bytes());
        text.extend_from_slice(value);
        text.push(b'\n');
    };
    field("event: ", name.as_bytes());
    if let Some(id) = id {
        field("id: ", id.as_bytes());
    }
    // A carriage return ends a line as well: what somebody named so must not begin a field of its own.
    for line in data.split(|byte| matches!(byte, b'\n' | b'\r')) {
        field("data: ", line);
    }
    text.push(b'\n');
    text.shrink_to_fit();
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_the_data_gets_out_of_it() {
        let text = event("wall", Some("7"), "<p>\nid: 1\revent: x\r\n\r\n</p>".as_bytes());
        let data = "data: <p>\ndata: id: 1\ndata: event: x\ndata: \ndata: \ndata: \ndata: </p>\n";
        assert_eq!(text, format!("event: wall\nid: 7\n{data}\n"));
        assert_eq!(event("pulse", None, b"7"), "event: pulse\ndata: 7\n\n");
    }
}
