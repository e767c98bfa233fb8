//! Reads the head of an RTSP answer (RFC 2326, section 7), bounded, from bytes that may come in any pieces.
//!
//! Only what liveness needs: that it is RTSP, its status, and that it is of an honest size. Bodies are not read.

/// More head than any camera needs; real ones send some hundred bytes.
pub(super) const MAX_HEAD: usize = 16 * 1024;
/// More body than an answer to `OPTIONS` can honestly have; most have none.
const MAX_BODY: u64 = 64 * 1024;

/// What the bytes so far amount to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// An honest beginning; read on.
    Partial,
    /// A whole head with this status.
    Complete(u16),
    /// No RTSP.
    Foreign,
    /// An RTSP answer of a size that no honest camera sends.
    Oversized,
}

/// Judges the bytes received so far. The verdict does not depend on how they were cut.
pub(super) fn head(bytes: &[u8]) -> Head {
    const MAGIC: &[u8] = b"RTSP/";
    let compared = bytes.len().min(MAGIC.len());
    if bytes[..compared] != MAGIC[..compared] {
        return Head::Foreign;
    }
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if bytes.len() > MAX_HEAD { Head::Oversized } else { Head::Partial };
    };
    let Ok(text) = std::str::from_utf8(&bytes[..end]) else { return Head::Foreign };
    let mut lines = text.split("\r\n");
    let Some(status) = lines.next().and_then(status) else { return Head::Foreign };
    let declared = lines
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("content-length"))
        .map(|(_, value)| value.trim().parse::<u64>().unwrap_or(u64::MAX))
        .max();
    match declared {
        Some(length) if length > MAX_BODY => Head::Oversized,
        _ => Head::Complete(status),
    }
}

/// The values of a header, whose name is given in lower case, in a head that is complete.
pub(super) fn values(bytes: &[u8], name: &str) -> Vec<String> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(bytes.len());
    let text = String::from_utf8_lossy(&bytes[..end]);
    let headers = text.split("\r\n").filter_map(|line| line.split_once(':'));
    headers.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned()).collect()
}

/// The status of `RTSP/1.0 200 OK`; the reason phrase may be missing.
fn status(line: &str) -> Option<u16> {
    let (version, rest) = line.split_once(' ')?;
    let version = version.strip_prefix("RTSP/")?;
    let digits = version.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let status = rest.split(' ').next()?;
    let status: u16 = (status.len() == 3).then(|| status.parse().ok())??;
    (digits && (100..600).contains(&status)).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OK: &[u8] = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: OPTIONS, DESCRIBE\r\n\r\n";

    #[track_caller]
    fn check(bytes: &[u8], expected: Head) {
        assert_eq!(head(bytes), expected, "{}", String::from_utf8_lossy(bytes));
    }

    #[test]
    fn an_answer_is_recognised_only_when_whole() {
        (0..OK.len()).for_each(|cut| check(&OK[..cut], Head::Partial));
        check(OK, Head::Complete(200));
    }

    #[test]
    fn status_lines_of_all_sorts() {
        check(b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n", Head::Complete(401));
        check(b"RTSP/1.0 454\r\n\r\n", Head::Complete(454));
        check(b"RTSP/1.0 OK\r\n\r\n", Head::Foreign);
        check(b"RTSP/x 200 OK\r\n\r\n", Head::Foreign);
        check(b"RTSP/1.0 2000 OK\r\n\r\n", Head::Foreign);
        check(b"HTTP/1.1 400 Bad Request\r\n\r\n", Head::Foreign);
        check(b"SSH-2.0-dropbear", Head::Foreign);
        check(b"", Head::Partial);
    }

    #[test]
    fn dishonest_sizes_are_told_apart() {
        check(b"RTSP/1.0 200 OK\r\nContent-Length: 10000000000\r\n\r\n", Head::Oversized);
        check(b"RTSP/1.0 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n", Head::Oversized);
        check(b"RTSP/1.0 200 OK\r\nContent-Length: 12\r\n\r\n", Head::Complete(200));
        let mut endless = b"RTSP/1.0 200 OK\r\n".to_vec();
        endless.extend(b"X-Padding: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(1000));
        check(&endless, Head::Oversized);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            head(&bytes);
            let mut answer = b"RTSP/1.0 ".to_vec();
            answer.extend(bytes);
            head(&answer);
        }
    }
}
