//! Shares and lengths of time as people read them, in their language.

use super::words::words;
use crate::model::Language;

/// A share of 1 in per cent. Rounded down, so that only what is whole is shown as 100.
pub fn percent(share: Option<f64>, language: Language) -> String {
    let Some(share) = share else { return "–".to_owned() };
    // The margin keeps 0.07 from becoming 6.99 by the way binary fractions are.
    let hundredths = (share * 10_000.0 + 1e-6).floor();
    decimal(format!("{:.2} %", hundredths / 100.0), language)
}

/// A change of a share, in percentage points with its sign.
pub(super) fn points(change: Option<f64>, language: Language) -> String {
    change.map_or_else(|| "–".to_owned(), |change| decimal(format!("{:+.2}", change * 100.0), language))
}

/// Hours with one digit.
pub(super) fn hours(seconds: i64, language: Language) -> String {
    decimal(format!("{:.1}", seconds as f64 / 3600.0), language)
}

/// A length of time in its two largest units.
pub fn length(seconds: i64, language: Language) -> String {
    let words = words(language);
    let units = [(86_400, words.d), (3_600, words.h), (60, words.m), (1, words.s)];
    let first = units.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(3);
    let (large, name) = units[first];
    let whole = format!("{} {name}", seconds / large);
    match units.get(first + 1) {
        Some((small, name)) if seconds % large >= *small => format!("{whole} {} {name}", seconds % large / small),
        _ => whole,
    }
}

/// The same of a mean.
pub fn mean_length(seconds: Option<f64>, language: Language) -> String {
    seconds.map_or_else(|| "–".to_owned(), |seconds| length(seconds.round() as i64, language))
}

fn decimal(text: String, language: Language) -> String {
    text.replace('.', language.pick(",", "."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_never_rounded_up_to_what_was_agreed() {
        let check = |share, expected: &str| assert_eq!(percent(Some(share), Language::En), expected);
        check(1.0, "100.00 %");
        check(0.99999, "99.99 %");
        check(0.0007, "0.07 %");
        assert_eq!(percent(Some(0.98765), Language::Vi), "98,76 %");
        assert_eq!(percent(None, Language::Vi), "–");
        assert_eq!(points(Some(-0.0123), Language::Vi), "-1,23");
    }

    #[test]
    fn lengths_have_two_units() {
        let check = |seconds, expected: &str| assert_eq!(length(seconds, Language::En), expected);
        check(0, "0 s");
        check(59, "59 s");
        check(60, "1 min");
        check(3_725, "1 h 2 min");
        check(3_600, "1 h");
        check(200_000, "2 d 7 h");
    }
}
