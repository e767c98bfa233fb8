//! Vietnamese without its marks, for whoever searches or writes an SMS without a Vietnamese keyboard.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The letters of a text without diacritics; đ is a letter of its own and becomes d. Case stays as it is.
///
/// ```
/// assert_eq!(camhealth::model::folded("Đường Đê biển"), "Duong De bien");
/// ```
pub fn folded(text: &str) -> String {
    let plain = |letter: char| match letter {
        'đ' => 'd',
        'Đ' => 'D',
        other => other,
    };
    text.nfd().filter(|letter| !is_combining_mark(*letter)).map(plain).collect()
}
