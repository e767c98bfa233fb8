//! How much room a text takes as an SMS: GSM 03.38 and UCS-2, and in how many parts it is sent and paid.

/// Septets of a message that stands alone, and of each part of a longer one.
const SEPTETS: (usize, usize) = (160, 153);
/// The same in the 16-bit units of UCS-2.
const UNITS: (usize, usize) = (70, 67);

/// Whether a text needs UCS-2.
///
/// Of GSM 03.38 only what is ASCII too counts as plain: its few letters with marks (à, é, ù …) are half of what a
/// Vietnamese word needs, and gateways in Vietnam take the marks off a text that is not sent as Unicode.
pub(super) fn is_unicode(text: &str) -> bool {
    text.chars().any(|letter| septets(letter).is_none())
}

/// In how many parts a text is sent, each of which is paid as a message.
pub(super) fn parts(text: &str) -> u32 {
    let unicode = is_unicode(text);
    let (alone, part) = if unicode { UNITS } else { SEPTETS };
    let sizes = || text.chars().map(|letter| if unicode { letter.len_utf16() } else { septets(letter).unwrap_or(1) });
    if sizes().sum::<usize>() <= alone {
        return 1;
    }
    // What takes two places is not torn apart between two parts.
    let (mut count, mut used) = (1, 0);
    for size in sizes() {
        if used + size > part {
            (count, used) = (count + 1, 0);
        }
        used += size;
    }
    count
}

/// A letter in the plain alphabet, or what stands for it there.
pub(super) fn plain(letter: char) -> char {
    match letter {
        _ if septets(letter).is_some() => letter,
        '`' | '´' | '‘' | '’' => '\'',
        '“' | '”' | '„' => '"',
        '–' | '—' | '‑' => '-',
        '•' | '·' => '.',
        '…' => '.',
        other if other.is_whitespace() || other.is_control() => ' ',
        _ => '?',
    }
}

/// Places that a letter takes in GSM 03.38: those of its extension follow an escape.
fn septets(letter: char) -> Option<usize> {
    match letter {
        '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' => Some(2),
        '`' => None,
        '\n' | ' '..='~' => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_message_is_paid_by_its_parts() {
        for (text, unicode, count) in [
            (String::new(), false, 1),
            ("a".repeat(160), false, 1),
            ("a".repeat(161), false, 2),
            ("a".repeat(306), false, 2),
            ("a".repeat(307), false, 3),
            // Of the extension: two places each, and none is torn apart.
            ("[".repeat(80), false, 1),
            ("[".repeat(81), false, 2),
            (format!("{}[{}", "a".repeat(152), "a".repeat(20)), false, 2),
            ("ệ".repeat(70), true, 1),
            ("ệ".repeat(71), true, 2),
            ("ệ".repeat(134), true, 2),
            ("ệ".repeat(135), true, 3),
            // One letter with a mark makes all of it UCS-2.
            (format!("à{}", "a".repeat(70)), true, 2),
            // Outside of the first plane: two units each, and none is torn apart.
            ("🚨".repeat(35), true, 1),
            ("🚨".repeat(36), true, 2),
            (format!("ệ{}", "🚨".repeat(66)), true, 2),
            (format!("ệ{}", "🚨".repeat(67)), true, 3),
        ] {
            assert_eq!((is_unicode(&text), parts(&text)), (unicode, count), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_made_plain_is_plain(text in "\\PC{0,300}") {
            let plain: String = text.chars().map(plain).collect();
            prop_assert!(!is_unicode(&plain));
            prop_assert!(parts(&plain) as usize <= plain.chars().count().div_ceil(76).max(1));
        }

        #[test]
        fn a_longer_text_is_never_cheaper(text in "[a-z\\[ệ🚨]{0,400}", more in "[a-z\\[ệ🚨]{0,9}") {
            let whole = text.clone() + &more;
            prop_assert!(parts(&text) <= parts(&whole));
        }
    }
}
