//! Keys that exchanges report by SIP INFO, in the two forms that are in use.

/// The key that a body names: `Signal=1` of `application/dtmf-relay` (Cisco's), or the bare key of `application/dtmf`.
pub(super) fn of_info(body: &[u8]) -> Option<char> {
    // Bodies of such requests have some thirty bytes.
    let text = std::str::from_utf8(body.get(..body.len().min(200))?).ok()?;
    let signal = text.lines().find_map(|line| {
        let (name, value) = line.split_once(['=', ':'])?;
        name.trim().eq_ignore_ascii_case("signal").then(|| value.trim())
    });
    let mut key = signal.unwrap_or(text.trim()).chars();
    match (key.next(), key.next()) {
        (Some(key @ ('0'..='9' | '*' | '#' | 'A'..='D')), None) => Some(key),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::of_info;
    use proptest::prelude::*;

    #[test]
    fn both_forms_are_read() {
        for (body, key) in [
            ("Signal=1\r\nDuration=160\r\n", Some('1')),
            ("signal = 2\nduration=100", Some('2')),
            ("Signal: #\r\n", Some('#')),
            ("1", Some('1')),
            ("2\r\n", Some('2')),
            ("Signal=12\r\n", None),
            ("Signal=\r\n", None),
            ("hello", None),
            ("", None),
        ] {
            assert_eq!(of_info(body.as_bytes()), key, "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_a_key_or_nothing(body in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = of_info(&body);
        }
    }
}
