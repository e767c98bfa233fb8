//! Names that are nearly right: what somebody may have meant.

/// The nearest known name, or all of them.
pub(super) fn suggestion(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(nearest) => format!("did you mean {nearest:?}?"),
        None => format!("known here: {}", known.join(", ")),
    }
}

/// The known name that is a typing error away.
pub(super) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let distances = known.map(|known| (strsim::damerau_levenshtein(name, known), known));
    distances.min().filter(|(distance, _)| *distance <= 2.max(name.len() / 4)).map(|(_, known)| known)
}

/// The same where what is unlike any known name may be a secret: one letter in four may be wrong, two at most, and
/// there are letters only.
pub(super) fn near<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let is_word = name.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '-' | '_'));
    let wrong = |known: &&str| strsim::damerau_levenshtein(name, known);
    let is_near = |wrong: usize| wrong <= 2 && 4 * wrong <= name.len();
    known.filter(|_| is_word).min_by_key(wrong).filter(|known| is_near(wrong(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_no_typing_error() {
        let known = || ["name", "password", "health", "listen"].into_iter();
        assert_eq!(near("helth", known()), Some("health"));
        assert_eq!(near("lissten", known()), Some("listen"));
        assert_eq!(near("pasword", known()), Some("password"));
        for secret in ["nam3", "no", "password1", "Health", "heal", "p"] {
            assert_eq!(near(secret, known()), None, "{secret}");
        }
    }
}
