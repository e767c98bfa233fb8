//! Telephone numbers as they are dialled: the same number is written in several ways.

/// What Vietnam's numbers begin with abroad, and at home.
const VIETNAM: &str = "84";

/// A number with its country and without any sign, by which two ways of writing it are the same: `+84901234567`,
/// `0901 234 567` and `0084901234567` are `84901234567`. Short numbers, as networks send from, stay as they are; what
/// is no number is none.
pub fn dialled(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|mark| !matches!(mark, ' ' | '-' | '.' | '(' | ')')).collect();
    let (abroad, digits) = match plain.strip_prefix('+') {
        Some(digits) => (true, digits),
        None => match plain.strip_prefix("00") {
            Some(digits) => (true, digits),
            None => (false, plain.as_str()),
        },
    };
    if !(3..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match digits.strip_prefix('0').filter(|_| !abroad) {
        Some(rest) => Some(format!("{VIETNAM}{rest}")),
        None => Some(digits.to_owned()),
    }
}

/// The same as Vietnam's networks dial it: `0901234567`. Other countries' numbers stay as they are.
pub(super) fn at_home(text: &str) -> String {
    let number = dialled(text).unwrap_or_else(|| text.to_owned());
    match number.strip_prefix(VIETNAM).filter(|rest| rest.len() >= 8) {
        Some(rest) => format!("0{rest}"),
        None => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for text in ["+84901234567", "0901234567", "84901234567", "0084901234567", "+84 901 234 567", "(090) 123-4567"]
        {
            assert_eq!(dialled(text).as_deref(), Some("84901234567"), "{text}");
            assert_eq!(at_home(text), "0901234567", "{text}");
        }
        assert_eq!(
            (dialled("+4912345678").as_deref(), at_home("+4912345678")),
            (Some("4912345678"), "4912345678".into())
        );
        assert_eq!((dialled("9029").as_deref(), at_home("113")), (Some("9029"), "113".into()));
        for text in ["", "+", "12", "Viettel", "+84x", "1234567890123456", "+8490\n1234567", "٠٩٠١٢٣٤٥٦٧"] {
            assert_eq!(dialled(text), None, "{text:?}");
        }
    }
}
