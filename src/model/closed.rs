//! Closed lists of words: one declaration gives an enum, its names and the list of all its values.
//!
//! The name that stands beside a variant is the only one it has: in metric labels, in JSON and in its schema, in the
//! journal, in the configuration and in whatever else is parsed. Names of earlier versions, which journals and clients may still hold, follow after
//! `|`; they are read and never written.

/// Declares such an enum. `Hardware "hardware_failure" | "hardware",` is written as the first and read as both.
macro_rules! closed {
    ($(#[$meta:meta])* $vis:vis enum $type:ident {
        $($(#[$note:meta])* $variant:ident $name:tt $(| $earlier:tt)*,)*
    }) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, ::serde::Serialize, ::serde::Deserialize, ::utoipa::ToSchema,
        )]
        $vis enum $type {
            $($(#[$note])* #[serde(rename = $name $(, alias = $earlier)*)] $variant,)*
        }

        impl $type {
            /// All, in the order in which they are declared.
            $vis const ALL: [Self; { [$($name),*].len() }] = [$(Self::$variant),*];

            /// All with their names, as the configuration reads them.
            #[allow(dead_code, reason = "not each list is read from the configuration")]
            $vis const NAMES: [(&'static str, Self); Self::ALL.len()] = [$(($name, Self::$variant)),*];

            /// The name in metric labels, in JSON and in the journal.
            $vis const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl ::std::str::FromStr for $type {
            type Err = $crate::model::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($name $(| $earlier)* => Ok(Self::$variant),)*
                    _ => Err($crate::model::UnknownName),
                }
            }
        }

        #[cfg(test)]
        impl $crate::model::Closed for $type {
            const ALL: &'static [Self] = &Self::ALL;
            const EARLIER: &'static [(Self, &'static str)] = &[$($((Self::$variant, $earlier),)*)*];

            fn name(self) -> &'static str {
                self.as_str()
            }
        }
    };
}
pub(crate) use closed;

/// That a closed list has no value of some name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no value has this name")]
pub struct UnknownName;

/// Closed lists as tests see them.
#[cfg(test)]
pub(crate) trait Closed: Copy + 'static {
    /// All values.
    const ALL: &'static [Self];
    /// Names of earlier versions.
    const EARLIER: &'static [(Self, &'static str)];
    /// The one name.
    fn name(self) -> &'static str;
}

/// Checks that all places where a value has a name agree on it, and that names of before are read everywhere.
#[cfg(test)]
pub(crate) fn one_name<T>()
where
    T: Closed + PartialEq + std::fmt::Debug + std::str::FromStr<Err = UnknownName>,
    T: serde::Serialize + serde::de::DeserializeOwned + utoipa::PartialSchema,
{
    let names: Vec<_> = T::ALL.iter().map(|value| value.name()).collect();
    let json = serde_json::to_value(T::ALL).expect("JSON");
    assert_eq!(json, serde_json::json!(names), "as_str and serde");
    let schema = serde_json::to_value(T::schema()).expect("JSON");
    assert_eq!(schema["enum"], json, "serde and the schema");
    let all = T::ALL.iter().map(|value| (*value, value.name())).chain(T::EARLIER.iter().copied());
    for (value, name) in all {
        assert_eq!(serde_json::from_value::<T>(name.into()).expect(name), value);
        assert_eq!(name.parse(), Ok(value));
    }
    let mut distinct: Vec<_> = names.iter().chain(T::EARLIER.iter().map(|(_, name)| name)).collect();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), names.len() + T::EARLIER.len(), "no name has two meanings");
    assert_eq!("of a newer version".parse::<T>(), Err(UnknownName));
}

#[cfg(test)]
mod tests {
    use super::one_name;
    use crate::model::*;

    #[test]
    fn each_value_has_one_name() {
        one_name::<Check>();
        one_name::<Verdict>();
        one_name::<RungName>();
        one_name::<Phrase>();
        one_name::<FailureKind>();
        one_name::<Codec>();
        one_name::<Client>();
        one_name::<LoginScheme>();
        one_name::<State>();
        one_name::<ViewState>();
        one_name::<Level>();
        one_name::<LinkState>();
        one_name::<Reason>();
        one_name::<Trouble>();
        one_name::<Held>();
        one_name::<Duty>();
        one_name::<Language>();
        one_name::<Kind>();
        one_name::<Transport>();
        one_name::<LinkKind>();
        one_name::<Client>();
    }

    #[test]
    fn reasons_that_were_renamed_are_still_read() {
        let earlier = [
            ("hardware", FailureKind::Hardware),
            ("swapped", FailureKind::Swapped),
            ("rollback", FailureKind::Rollback),
            ("uri_drift", FailureKind::UriDrift),
        ];
        for (name, kind) in earlier {
            assert_eq!(serde_json::from_value::<FailureKind>(name.into()).expect(name), kind);
            assert_ne!(kind.as_str(), name, "it is written by its one name");
        }
    }

    /// Those that carry data have a kind, which is declared twice.
    #[test]
    fn kinds_are_named_as_they_are_written() {
        let causes = [
            Cause::Site("a".into()),
            Cause::Unproven("a".into()),
            Cause::Drill("a".into()),
            Cause::Link("a".into()),
            Cause::Device("a".into()),
            Cause::Commune,
            Cause::Monitor,
        ];
        for cause in causes {
            assert_eq!(serde_json::to_value(&cause).expect("JSON")["kind"], cause.kind());
        }
        let scopes = [
            Scope::All,
            Scope::Area("a".into()),
            Scope::Hamlet("a".into()),
            Scope::Site("a".into()),
            Scope::Link("a".into()),
            Scope::Camera("a".into()),
        ];
        for scope in scopes {
            assert_eq!(serde_json::to_value(&scope).expect("JSON")["kind"], scope.kind());
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
    }
}
