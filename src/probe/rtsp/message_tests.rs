//! Messages in any pieces, with what cameras get wrong around them.

use super::*;
use proptest::prelude::*;

const OK: &[u8] = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: OPTIONS, DESCRIBE\r\n\r\n";

/// All items of some bytes, as the wire cuts them.
fn items(pieces: &[&[u8]]) -> Result<Vec<Item>, Broken> {
    let mut reader = Reader { channels: 1, ..Reader::default() };
    let mut items = Vec::new();
    for piece in pieces {
        reader.buffer.extend_from_slice(piece);
        while let Some(item) = reader.next()? {
            items.push(item);
        }
    }
    Ok(items)
}

/// The status of the first answer; nothing while none is whole.
#[track_caller]
fn check(bytes: &[u8], expected: Result<Option<u16>, Broken>) {
    let found = items(&[bytes]).map(|items| match items.first() {
        Some(Item::Response(response)) => Some(response.status),
        _ => None,
    });
    assert_eq!(found, expected, "{}", String::from_utf8_lossy(bytes));
}

#[test]
fn an_answer_is_recognised_only_when_whole() {
    (0..OK.len()).for_each(|cut| check(&OK[..cut], Ok(None)));
    check(OK, Ok(Some(200)));
    check(b"RTSP/1.0 401 Unauthorized\r\nContent-Length: 5\r\n\r\n1234", Ok(None));
    check(b"RTSP/1.0 401 Unauthorized\r\nContent-Length: 5\r\n\r\n12345", Ok(Some(401)));
}

#[test]
fn status_lines_of_all_sorts() {
    check(b"RTSP/1.0 454\r\n\r\n", Ok(Some(454)));
    check(b"RTSP/1.0 200 OK\nCSeq: 1\n\n", Ok(Some(200)));
    check(b"RTSP/1.0 OK\r\n\r\n", Err(Broken::Foreign));
    check(b"RTSP/x 200 OK\r\n\r\n", Err(Broken::Foreign));
    check(b"RTSP/1.0 2000 OK\r\n\r\n", Err(Broken::Foreign));
    check(b"HTTP/1.1 400 Bad Request\r\n\r\n", Err(Broken::Foreign));
    check(b"SSH-2.0-dropbear", Err(Broken::Foreign));
    check(b"$\0\0\x01a", Err(Broken::Foreign));
    check(b"", Ok(None));
}

#[test]
fn dishonest_sizes_are_told_apart() {
    check(b"RTSP/1.0 200 OK\r\nContent-Length: 10000000000\r\n\r\n", Err(Broken::Oversized));
    check(b"RTSP/1.0 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n", Err(Broken::Oversized));
    let mut endless = b"RTSP/1.0 200 OK\r\n".to_vec();
    endless.extend(b"X-Padding: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(1000));
    check(&endless, Err(Broken::Oversized));
}

#[test]
fn packets_requests_and_stray_bytes_between_answers() {
    let wire = [
        OK,
        b"$\0\0\x03abc",
        b"\r\n\0\x01stray$\xf0",
        b"$\x01\0\0",
        b"OPTIONS * RTSP/1.0\r\nCSeq: 7\x1b\r\n\r\n",
        b"Ax",
        b"RTSP/1.0 200 OK\r\nSession: 1\r\nSession: 2\r\n\r\n",
    ]
    .concat();
    let items = items(&[&wire]).expect("RTSP");
    let [Item::Response(_), first, second, Item::Request(request), Item::Response(last)] = items.as_slice() else {
        panic!("{items:?}")
    };
    assert_eq!(*first, Item::Data(0, Bytes::from_static(b"abc")));
    assert_eq!(*second, Item::Data(1, Bytes::new()));
    assert_eq!((request.method.as_str(), request.cseq.as_str()), ("OPTIONS", "7"));
    assert_eq!(last.headers("session").collect::<Vec<_>>(), ["1", "2"]);
}

#[test]
fn a_head_that_drips_is_looked_at_once() {
    let mut reader = Reader::default();
    let head = [b"RTSP/1.0 200 OK\r\n".to_vec(), b"X: y\r\n".repeat(2000), b"\r\n".to_vec()].concat();
    for byte in &head {
        reader.buffer.extend_from_slice(&[*byte]);
        let before = reader.scanned;
        let found = reader.next().expect("RTSP");
        assert!(found.is_some() || reader.scanned >= before, "it never begins anew");
        assert!(found.is_some() || reader.scanned + 2 >= reader.buffer.len() || reader.buffer.len() < 8, "{reader:?}");
    }
    assert!(reader.buffer.is_empty());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_and_cuts_change_nothing(
        bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'$'), Just(0u8), any::<u8>()], 0..200),
        cuts in proptest::collection::vec(0usize..400, 0..8),
    ) {
        let wire = [OK, &bytes, b"RTSP/1.0 404 No\r\nContent-Length: 2\r\n\r\nab", OK].concat();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % wire.len()).chain([0, wire.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &wire[pair[0]..pair[1]]).collect();
        prop_assert_eq!(items(&pieces), items(&[&wire]));
        let _ = items(&[&bytes]);
    }
}

#[test]
fn empty_lines_before_an_answer_and_a_length_with_a_tail_are_borne_with() {
    let mut reader = Reader::default();
    reader.buffer.extend_from_slice(b"\r\n\r\nRTSP/1.0 200 OK\r\nContent-Length: 2;\r\n\r\nab");
    let item = reader.next();
    assert!(matches!(&item, Ok(Some(Item::Response(response))) if response.body == "ab"), "{item:?}");
    let mut foreign = Reader::default();
    foreign.buffer.extend_from_slice(b"\r\nHTTP/1.1 200 OK\r\n\r\n");
    assert_eq!(foreign.next(), Err(Broken::Foreign));
}
