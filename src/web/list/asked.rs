//! What a list is asked for. Addresses are typed by people and by whoever means harm, so what is not understood is
//! left out, and what is long is cut.

use crate::model::{FailureKind, Kind, Language, Level, State};
use crate::web::words::words;
use serde::Deserialize;
use std::str::FromStr;
use url::form_urlencoded;

/// Letters of a search, or of an id, that are read.
const LONGEST: usize = 64;
/// The value that stands for everything which is not well.
pub(super) const UNWELL: &str = "unwell";
/// The value that stands for what lies in no area; no id is empty or has a blank.
pub(super) const OUTSIDE: &str = " ";

/// A query as it came.
#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Asked {
    q: Option<String>,
    state: Option<String>,
    level: Option<String>,
    kind: Option<String>,
    cause: Option<String>,
    area: Option<String>,
    sort: Option<String>,
    page: Option<String>,
}

/// Of what there are lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::web) enum What {
    Cameras,
    Sites,
    Links,
}

/// Which of those that may stand differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(in crate::web) enum Wanted<T> {
    /// All of them.
    #[default]
    Any,
    /// All that are not well.
    Unwell,
    /// Those that stand like this.
    Is(T),
}

/// Where something lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::web) enum Place {
    /// In no area.
    Outside,
    /// In this one, or in one that is a part of it.
    In(String),
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(in crate::web) enum Sort {
    /// What is worst first.
    #[default]
    Worst,
    /// By name, without regard to diacritics.
    Name,
    /// What has changed last first.
    Since,
}

impl Sort {
    pub(super) const ALL: [(&'static str, Self); 3] =
        [("worst", Self::Worst), ("name", Self::Name), ("since", Self::Since)];
}

/// What is wanted, understood.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::web) struct Filter {
    pub(in crate::web) what: What,
    /// As it was typed.
    pub(super) words: String,
    pub(super) state: Wanted<State>,
    pub(super) level: Wanted<Level>,
    pub(super) kind: Option<Kind>,
    pub(super) cause: Option<FailureKind>,
    pub(super) place: Option<Place>,
    pub(super) sort: Sort,
    /// From 1.
    pub(super) page: usize,
}

impl Filter {
    /// Everything of a kind.
    pub(super) fn all(what: What) -> Self {
        Self {
            what,
            words: String::new(),
            state: Wanted::Any,
            level: Wanted::Any,
            kind: None,
            cause: None,
            place: None,
            sort: Sort::Worst,
            page: 1,
        }
    }

    /// What is understood of a query.
    pub(in crate::web) fn read(what: What, asked: &Asked) -> Self {
        let all = Self::all(what);
        let page = asked.page.as_deref().and_then(|page| page.parse().ok()).unwrap_or(1).max(1);
        let place = match asked.area.as_deref() {
            None | Some("") => None,
            Some(OUTSIDE) => Some(Place::Outside),
            Some(id) => Some(short(id)).filter(|id| !id.is_empty()).map(Place::In),
        };
        let sort = asked.sort.as_deref();
        let sort = Sort::ALL.into_iter().find(|(name, _)| Some(*name) == sort).map_or(Sort::Worst, |(_, sort)| sort);
        match what {
            What::Cameras => Self {
                words: short(asked.q.as_deref().unwrap_or_default()),
                state: wanted(asked.state.as_deref()),
                kind: known(asked.kind.as_deref()),
                cause: known(asked.cause.as_deref()),
                place,
                sort,
                page,
                ..all
            },
            What::Sites => Self {
                words: short(asked.q.as_deref().unwrap_or_default()),
                level: wanted(asked.level.as_deref()),
                place,
                sort,
                page,
                ..all
            },
            What::Links => Self { words: short(asked.q.as_deref().unwrap_or_default()), page, ..all },
        }
    }

    /// Its path.
    pub(in crate::web) fn path(&self) -> &'static str {
        match self.what {
            What::Cameras => "/cameras",
            What::Sites => "/sites",
            What::Links => "/links",
        }
    }

    /// The query that is read as this one.
    pub(in crate::web) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let mut pair = |name: &str, value: &str| {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        };
        pair("q", &self.words);
        pair("state", self.state.value(State::as_str));
        pair("level", self.level.value(Level::as_str));
        pair("kind", self.kind.map_or("", Kind::as_str));
        pair("cause", self.cause.map_or("", FailureKind::as_str));
        match &self.place {
            None => {}
            Some(Place::Outside) => pair("area", OUTSIDE),
            Some(Place::In(id)) => pair("area", id),
        }
        let sort = Sort::ALL.iter().find(|(_, sort)| *sort == self.sort && self.sort != Sort::Worst);
        pair("sort", sort.map_or("", |(name, _)| name));
        let page = if self.page > 1 { self.page.to_string() } else { String::new() };
        pair("page", &page);
        query.finish()
    }

    /// Its address in a language.
    pub(in crate::web) fn address(&self, language: Language) -> String {
        let (query, lang) = (self.query(), words(language).lang);
        let and = if query.is_empty() { "" } else { "&" };
        format!("{}?{query}{and}lang={lang}", self.path())
    }
}

impl<T: Copy> Wanted<T> {
    /// How a query names it.
    pub(super) fn value(self, name: impl Fn(T) -> &'static str) -> &'static str {
        match self {
            Self::Any => "",
            Self::Unwell => UNWELL,
            Self::Is(one) => name(one),
        }
    }
}

impl<T: Copy + PartialEq> Wanted<T> {
    /// Whether something that stands so is wanted; `well` is how that stands which is well.
    pub(super) fn takes(self, standing: T, well: T) -> bool {
        match self {
            Self::Any => true,
            Self::Unwell => standing != well,
            Self::Is(one) => standing == one,
        }
    }
}

fn wanted<T: FromStr>(value: Option<&str>) -> Wanted<T> {
    match value {
        Some(UNWELL) => Wanted::Unwell,
        value => known(value).map_or(Wanted::Any, Wanted::Is),
    }
}

fn known<T: FromStr>(value: Option<&str>) -> Option<T> {
    value?.parse().ok()
}

/// A text as it is read: short, and without what nobody types.
pub(in crate::web) fn short(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|letter| !letter.is_control())
        .skip_while(|letter| letter.is_whitespace())
        .take(LONGEST)
        .collect();
    text.trim_end().to_owned()
}
