//! Text from devices, made fit for terminals, logs, pages and messages: short, and nothing in it that cannot be seen.
//!
//! A device chooses its own name, and a name can turn the rest of a line around (bidirectional controls), hide what it
//! says (zero-width and tag characters), move a terminal's cursor, or cover the lines above and below it with marks.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Characters of a name, a version, a serial number: more than honest ones have.
const NAME: usize = 64;
/// Marks upon one letter; Vietnamese has two at most.
const MARKS: usize = 3;

/// A name, a version, a serial number as a device tells it.
pub(super) fn clean(text: &str) -> String {
    clean_to(text, NAME)
}

/// The same for text of another length, in characters.
pub(super) fn clean_to(text: &str, most: usize) -> String {
    let mut marks = 0;
    // Letters and their marks are put together, so that a name is as long as it looks.
    let seen = text.chars().filter_map(visible).nfc().filter(|c| {
        marks = if is_combining_mark(*c) { marks + 1 } else { 0 };
        marks <= MARKS
    });
    // Spaces in front must not use up what may be kept.
    seen.skip_while(|c| *c == ' ').take(most).collect::<String>().trim_end().to_owned()
}

/// The character, if it can be seen; a space for all that parts words, line breaks and control characters included.
fn visible(c: char) -> Option<char> {
    use GeneralCategory as Is;
    match c.general_category() {
        Is::Control | Is::SpaceSeparator | Is::LineSeparator | Is::ParagraphSeparator => Some(' '),
        Is::Format | Is::PrivateUse | Is::Unassigned | Is::Surrogate => None,
        _ if is_blank(c) => None,
        _ => Some(c),
    }
}

/// Letters and marks that are drawn as nothing (Default_Ignorable_Code_Point, as far as its categories are others).
fn is_blank(c: char) -> bool {
    matches!(c,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(clean(text), expected, "{text:?}");
    }

    #[test]
    fn what_people_write_survives() {
        check("Hikvision DS-2CD2043G2-I", "Hikvision DS-2CD2043G2-I");
        let name = "Ngã tư Nguyễn Thị Thập – cổng trường số 2 (ấp Ưu Đãi)";
        check(name, name);
        let apart: String = name.nfd().collect();
        check(&apart, name);
        check("大华 é € 📷", "大华 é € 📷");
    }

    #[test]
    fn what_cannot_be_seen_does_not() {
        check("cam\u{202e}gpj.exe\u{202c}", "camgpj.exe");
        check("\u{2066}a\u{2069}\u{200e}b\u{200f}\u{061c}", "ab");
        check("\u{feff}so\u{ad}ft\u{200b}\u{200d}\u{2060}", "soft");
        check("tag\u{e0041}\u{e007f}ged\u{fe0f}\u{e0100}", "tagged");
        check("\u{1b}[31mred\r\nline\u{2028}line\u{85}\u{9b}x", "[31mred  line line  x");
        check("\u{e000}\u{f0000}\u{378}\u{fffe}\u{3164}\u{115f}\u{34f}x", "x");
        check("wide\u{3000}no-break\u{a0}x", "wide no-break x");
    }

    #[test]
    fn marks_do_not_pile_up() {
        let piled = format!("a{}b", "\u{301}".repeat(50));
        check(&piled, "á\u{301}\u{301}\u{301}b");
    }

    proptest! {
        #[test]
        fn whatever_a_device_sends_is_visible_and_short(
            text in "\\PC*|(?s).{0,200}|[\u{200b}-\u{206f}\u{feff}\u{ad}\u{e0000}-\u{e01ff}\0-\u{a0}a-z ]{0,200}",
        ) {
            let text = clean(&text);
            prop_assert!(text.chars().count() <= NAME);
            prop_assert_eq!(text.trim(), &text);
            for c in text.chars() {
                prop_assert!(c == ' ' || (!c.is_control() && !c.is_whitespace()), "{:?}", c);
                let hidden = matches!(c as u32,
                    0xad | 0x61c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff
                    | 0xe000..=0xf8ff | 0xfff9..=0xfffb | 0xe0000..=0x10_ffff);
                prop_assert!(!hidden, "{:?}", c);
            }
            prop_assert_eq!(clean(&text), text);
        }
    }
}
