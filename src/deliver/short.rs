//! A message as an SMS: what there is room for, by its weight to whoever reads it.
//!
//! Pure. The incident's number, its level and how to answer stay whatever else goes: first the exact time, then since
//! when at all, then how many cameras it is, and then the place's name is shortened ([`places`](super::places)).

use super::{
    gsm,
    places::{Places, Room},
};
use unicode_segmentation::UnicodeSegmentation;

/// Stands for the place while a title is taken apart; no name has it.
const PLACE: &str = "\u{1}";

/// What an SMS may be, and who gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sms {
    /// The receiver's number.
    pub phone: String,
    /// Whether diacritics are kept: 70 characters in a part instead of 160.
    pub diacritics: bool,
    /// In how many parts a message may be sent, each of which is paid; at least one.
    pub parts: u32,
}

/// A message in short, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Short {
    /// The incident's number with its sign, if it is of one.
    number: String,
    /// What is new, with all there is to say, and without what one can do without.
    titles: [Title; 2],
    /// Where.
    place: String,
    /// Since when, exactly and roughly.
    since: [String; 2],
    /// How it is answered, if it is.
    answer: String,
}

/// A title around the name of its place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Title {
    before: String,
    /// What follows the place's name; `None` where the title has none.
    after: Option<String>,
}

/// An SMS as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted {
    /// What it says.
    pub text: String,
    /// In how many parts it is sent, each of which is paid.
    pub parts: u32,
}

impl Fitted {
    /// Whether it is sent as Unicode.
    pub fn is_unicode(&self) -> bool {
        gsm::is_unicode(&self.text)
    }
}

impl Short {
    /// Of titles, told of a place by its name: the first with all there is to say, the second without what one can do
    /// without.
    pub(super) fn of(
        number: Option<u32>,
        place: &str,
        titles: [&dyn Fn(&str) -> String; 2],
        since: [String; 2],
        answer: String,
    ) -> Self {
        let number = number.map(|number| format!("#{number} ")).unwrap_or_default();
        Self { number, titles: titles.map(|title| Title::of(&title(PLACE))), place: place.to_owned(), since, answer }
    }

    /// All of it, whatever room that takes.
    pub fn whole(&self) -> String {
        self.said(&self.titles[0], &self.place, &self.since[0])
    }

    /// As an SMS of so many parts.
    pub fn fitted(&self, places: &Places, sms: &Sms) -> Fitted {
        let written = |text: &str| written(text, sms.diacritics);
        let fits = |text: &str| gsm::parts(text) <= sms.parts.max(1);
        let [all, brief] = &self.titles;
        let [exactly, roughly] = self.since.each_ref().map(String::as_str);
        // The name as it is where there is room for any length of it: not always what it says in the configuration.
        let full = places.called(&self.place, &Room { written: &written, fits: &|_| true });
        let whole = |title: &Title, since: &str| written(&self.said(title, &full, since));
        let forms = [whole(all, exactly), whole(all, roughly), whole(all, ""), whole(brief, roughly), whole(brief, "")];
        let text = forms.into_iter().find(|form| fits(form)).unwrap_or_else(|| {
            let around = |place: &str| written(&self.said(brief, place, ""));
            let place = places.called(&self.place, &Room { written: &written, fits: &|place| fits(&around(place)) });
            let text = around(&place);
            if fits(&text) { text } else { self.cut(brief, &written, &fits) }
        });
        Fitted { parts: gsm::parts(&text), text }
    }

    /// Without a place, and as much of the title as there is room for: somebody's name may be long.
    fn cut(&self, title: &Title, written: &dyn Fn(&str) -> String, fits: &dyn Fn(&str) -> bool) -> String {
        let rest = written(&[title.before.as_str(), title.after.as_deref().unwrap_or_default()].concat());
        let (number, answer) = (written(&self.number), written(&self.answered()));
        let ends = rest.grapheme_indices(true).map(|(end, _)| end).rev();
        let mut cut = ends.map(|end| format!("{number}{}...{answer}", rest[..end].trim_end()));
        cut.find(|text| fits(text)).unwrap_or_else(|| format!("{}{}", number.trim_end(), answer))
    }

    fn said(&self, title: &Title, place: &str, since: &str) -> String {
        let number = &self.number;
        let title = match &title.after {
            Some(after) => format!("{}{place}{after}", title.before),
            None => title.before.clone(),
        };
        let since = if since.is_empty() { String::new() } else { format!(" {since}.") };
        format!("{number}{title}.{since}{}", self.answered())
    }

    fn answered(&self) -> String {
        if self.answer.is_empty() { String::new() } else { format!(" {}", self.answer) }
    }
}

impl Title {
    fn of(text: &str) -> Self {
        match text.split_once(PLACE) {
            Some((before, after)) => Self { before: before.to_owned(), after: Some(after.to_owned()) },
            None => Self { before: text.to_owned(), after: None },
        }
    }
}

/// A text as it is sent: with its marks, or in the plain alphabet.
fn written(text: &str, marks: bool) -> String {
    match marks {
        true => text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect(),
        false => crate::model::folded(text).chars().map(gsm::plain).collect(),
    }
}

#[cfg(test)]
#[path = "short_tests.rs"]
mod tests;
