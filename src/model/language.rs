//! The two languages that people are spoken to in: [`Language::pick`] alone decides between them, and two tables are
//! built on it.
//!
//! Words of a closed list stand in [`worded!`], words of pages that have names in [`vocabulary!`], the sentences of looks
//! in `phrases.rs`, and whatever is said in one place alone stands there, in a call of `pick`. In all of them the
//! Vietnamese comes first. A third language would be a third argument of `pick`, and the compiler would ask for the rest.

use super::closed::closed;

closed! {
    /// A language that pages and messages exist in.
    #[derive(Default)]
    pub enum Language {
        /// Vietnamese, the default.
        #[default]
        Vi "vi",
        /// English.
        En "en",
    }
}

impl Language {
    /// What logs, other programs and commands without a language of their own are told in.
    pub const OF_PROGRAMS: Self = Self::En;

    /// What is said in this language.
    pub fn pick<T>(self, vietnamese: T, english: T) -> T {
        match self {
            Self::Vi => vietnamese,
            Self::En => english,
        }
    }
}

/// Words of a closed list: for each value its Vietnamese, then its English. `worded!(State::text { … })` is a method.
macro_rules! worded {
    ($type:ident::$method:ident { $($variant:ident => $vietnamese:literal, $english:literal;)* }) => {
        impl $type {
            #[doc = concat!("Its ", stringify!($method), " for people.")]
            pub fn $method(self, language: $crate::model::Language) -> &'static str {
                let (vietnamese, english) = match self { $(Self::$variant => ($vietnamese, $english),)* };
                language.pick(vietnamese, english)
            }
        }
    };
}
pub(crate) use worded;

/// Words that have names, as templates use them: for each its Vietnamese, then its English. `words(language)` gives them.
macro_rules! vocabulary {
    ($($name:ident: $vietnamese:literal, $english:literal;)*) => {
        /// Words of one language.
        pub(super) struct Words {
            $(pub(super) $name: &'static str,)*
        }

        /// The words of a language.
        pub(super) fn words(language: $crate::model::Language) -> &'static Words {
            static VIETNAMESE: Words = Words { $($name: $vietnamese,)* };
            static ENGLISH: Words = Words { $($name: $english,)* };
            language.pick(&VIETNAMESE, &ENGLISH)
        }
    };
}
pub(crate) use vocabulary;
