//! Which versions of the program may speak to each other: an agent may be one minor version behind the daemon or ahead of it, so
//! that neither has to be upgraded in the same hour.

use super::closed;

closed! {
    /// How an agent's version fits the daemon's.
    pub enum Fits {
        /// It is of the same minor version.
        Same "same",
        /// It is one minor version behind: taken, and to be upgraded.
        Older "older",
        /// It is one minor version ahead: taken, and the daemon is to be upgraded.
        Newer "newer",
        /// It is further away, or of another major version: nothing of it is taken, and it keeps what it saw.
        Refused "refused",
    }
}

/// Major and minor version.
fn parts(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    let (major, minor) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    // A patch is there, and may be anything (`3`, `3-rc1`).
    parts.next().map(|_| (major, minor))
}

/// How a version `theirs` fits `ours`; one that is none does not.
///
/// ```
/// use camhealth::model::{Fits, fits};
///
/// assert_eq!(fits("1.4.0", "1.4.7"), Fits::Same);
/// assert_eq!(fits("1.4.0", "1.3.0"), Fits::Older);
/// assert_eq!(fits("1.4.0", "2.0.0"), Fits::Refused);
/// ```
pub fn fits(ours: &str, theirs: &str) -> Fits {
    match (parts(ours), parts(theirs)) {
        (Some((ours, our_minor)), Some((theirs, their_minor))) if ours == theirs => {
            match i64::from(their_minor) - i64::from(our_minor) {
                0 => Fits::Same,
                -1 => Fits::Older,
                1 => Fits::Newer,
                _ => Fits::Refused,
            }
        }
        _ => Fits::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What one side takes the other would take, and nothing that a stranger calls itself is more than refused.
        #[test]
        fn both_sides_agree(ours in (0..3u32, 0..6u32), theirs in (0..3u32, 0..6u32), patch in ".{0,8}", garbage in ".{0,40}") {
            let [ours, theirs] = [ours, theirs].map(|(major, minor)| format!("{major}.{minor}.{patch}"));
            let mirrored = match fits(&theirs, &ours) {
                Fits::Older => Fits::Newer,
                Fits::Newer => Fits::Older,
                same => same,
            };
            prop_assert_eq!(fits(&ours, &theirs), mirrored);
            prop_assert_eq!(fits(&ours, &ours), Fits::Same);
            fits(&ours, &garbage);
        }
    }

    #[test]
    fn one_minor_version_to_either_side() {
        for (theirs, wanted) in [
            ("0.4.9", Fits::Same),
            ("0.5.0-rc1", Fits::Newer),
            ("0.3.0", Fits::Older),
            ("0.2.9", Fits::Refused),
            ("0.6.0", Fits::Refused),
            ("1.4.0", Fits::Refused),
            ("0.4", Fits::Refused),
            ("0.99999999999.0", Fits::Refused),
            ("", Fits::Refused),
        ] {
            assert_eq!(fits("0.4.0", theirs), wanted, "{theirs}");
        }
    }
}
