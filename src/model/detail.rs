//! What a step of a look found, or why something failed, kept so that each reader is told it in their language: a
//! [`Phrase`] and what it speaks of, without its words.
//!
//! A province keeps some hundred thousand of these, so what they speak of stands in one text, without the sentence:
//! the parts behind each other, with marks between them that no text can hold.

use super::{Language, Phrase};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeSeq};
use serde_json::Value;
use std::fmt::{self, Write};

/// Stands between two parts.
const BETWEEN: char = '\u{1f}';
/// Stand around a part that is itself a detail; behind the first stands the number of its phrase.
const BEGIN: char = '\u{1d}';
const END: char = '\u{1e}';
/// Numbers of phrases begin here, behind all marks.
const FIRST: u32 = ' ' as u32;
/// Details within details, as JSON holds them: more than ours are.
const DEEPEST: usize = 5;
/// Parts of a detail with all its details, as JSON holds them.
const MOST_PARTS: usize = 16;

/// What was found, for people.
///
/// In JSON it is the name of its phrase and what that speaks of, as `["no_answer_to", "PLAY", "5s"]`; text that has no
/// language, as earlier versions wrote everything, is a string. What is neither is read as such text.
#[derive(Clone, PartialEq, Eq)]
pub struct Detail {
    phrase: Phrase,
    parts: Box<str>,
}

/// Makes a [`Detail`] of a phrase and what stands in its places, which are counted while the program is compiled.
macro_rules! told {
    ($phrase:ident $(, $part:expr)* $(,)?) => {{
        const {
            let parts: &[&str] = &[$(stringify!($part)),*];
            assert!(parts.len() == $crate::model::Phrase::$phrase.places(), "the phrase has as many places");
        }
        $crate::model::Detail::of($crate::model::Phrase::$phrase, &[$(&$part),*])
    }};
}
pub(crate) use told;

impl Detail {
    /// Text that has no language: a name, what a device says of itself.
    pub fn plain(text: &str) -> Self {
        Self::of(Phrase::Plain, &[&text])
    }

    /// A phrase with its parts; [`told!`] counts them.
    pub(crate) fn of(phrase: Phrase, parts: &[&dyn Part]) -> Self {
        let mut text = String::new();
        for (number, part) in parts.iter().enumerate() {
            if number > 0 {
                text.push(BETWEEN);
            }
            part.put(&mut text);
        }
        Self { phrase, parts: text.into() }
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.is_plain() && self.parts.is_empty()
    }

    /// Whether it is text without a language.
    pub fn is_plain(&self) -> bool {
        self.phrase == Phrase::Plain
    }

    /// What it says in a language.
    pub fn text(&self, language: Language) -> String {
        let mut text = String::new();
        self.whole().say(language, &mut text);
        text
    }

    /// The same with each text that it speaks of changed, the details within it too.
    pub fn changed(&self, change: &mut dyn FnMut(&str) -> String) -> Self {
        let mut parts = String::new();
        self.whole().change(change, &mut parts);
        Self { phrase: self.phrase, parts: parts.into() }
    }

    /// The same with texts of so many characters, all together.
    pub fn shortened(&self, most: usize) -> Self {
        let mut left = most;
        self.changed(&mut |text| {
            let short: String = text.chars().take(left).collect();
            left -= short.chars().count();
            short
        })
    }

    fn whole(&self) -> Told<'_> {
        Told { phrase: self.phrase, parts: &self.parts }
    }

    /// What JSON says, if it is a detail.
    fn read(value: &Value) -> Option<Self> {
        let mut parts = String::new();
        if let Value::String(text) = value {
            put_text(text, &mut parts);
            return Some(Self { phrase: Phrase::Plain, parts: parts.into() });
        }
        let mut left = MOST_PARTS;
        let phrase = put_json(value, 1, &mut left, &mut parts)?;
        Some(Self { phrase, parts: parts.into() })
    }
}

impl Default for Detail {
    fn default() -> Self {
        Self { phrase: Phrase::Plain, parts: Box::default() }
    }
}

/// In English, as logs have it.
impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::OF_PROGRAMS))
    }
}

impl fmt::Debug for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({:?})", self.phrase, self.text(Language::OF_PROGRAMS))
    }
}

impl Serialize for Detail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.phrase {
            Phrase::Plain => serializer.serialize_str(&self.parts),
            _ => self.whole().serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Detail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self::read(&value).unwrap_or_else(|| Self::plain(&value.to_string())))
    }
}

/// What a detail is made of, as it stands in its text.
#[derive(Clone, Copy)]
struct Told<'a> {
    phrase: Phrase,
    parts: &'a str,
}

/// What stands in one place.
enum Piece<'a> {
    Text(&'a str),
    Told(Told<'a>),
}

impl<'a> Told<'a> {
    /// What stands in its places, in their order.
    fn pieces(self) -> impl Iterator<Item = Piece<'a>> {
        let mut depth = 0;
        let parts = self.parts.split(move |c: char| {
            match c {
                BEGIN => depth += 1,
                END => depth -= 1,
                _ => {}
            }
            c == BETWEEN && depth == 0
        });
        parts.take(self.phrase.places()).map(|part| Self::within(part).map_or(Piece::Text(part), Piece::Told))
    }

    /// The detail that a part is, if it is one.
    fn within(part: &'a str) -> Option<Self> {
        let mut inner = part.strip_prefix(BEGIN)?.strip_suffix(END)?.chars();
        let number = u32::from(inner.next()?).checked_sub(FIRST)?;
        let phrase = *Phrase::ALL.get(usize::try_from(number).ok()?)?;
        Some(Self { phrase, parts: inner.as_str() })
    }

    fn say(self, language: Language, text: &mut String) {
        let mut rest = self.phrase.template(language);
        while let Some((before, place)) = rest.split_once('{') {
            text.push_str(before);
            let (number, after) = place.split_once('}').unwrap_or((place, ""));
            match number.parse().ok().and_then(|number| self.pieces().nth(number)) {
                Some(Piece::Text(part)) => text.push_str(part),
                Some(Piece::Told(told)) => told.say(language, text),
                None => {}
            }
            rest = after;
        }
        text.push_str(rest);
    }

    fn change(self, change: &mut dyn FnMut(&str) -> String, parts: &mut String) {
        for (number, piece) in self.pieces().enumerate() {
            if number > 0 {
                parts.push(BETWEEN);
            }
            match piece {
                Piece::Text(text) => put_text(&change(text), parts),
                Piece::Told(told) => put_within(told.phrase, parts, |parts| told.change(change, parts)),
            }
        }
    }
}

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = serializer.serialize_seq(Some(1 + self.phrase.places()))?;
        all.serialize_element(self.phrase.as_str())?;
        for piece in self.pieces() {
            match piece {
                Piece::Text(text) => all.serialize_element(text)?,
                Piece::Told(told) => all.serialize_element(&told)?,
            }
        }
        all.end()
    }
}

/// Something that a phrase may speak of.
pub(crate) trait Part {
    /// Puts it behind what is there.
    fn put(&self, parts: &mut String);
}

impl Part for str {
    fn put(&self, parts: &mut String) {
        put_text(self, parts);
    }
}

impl Part for Detail {
    fn put(&self, parts: &mut String) {
        match self.phrase {
            Phrase::Plain => parts.push_str(&self.parts),
            phrase => put_within(phrase, parts, |parts| parts.push_str(&self.parts)),
        }
    }
}

impl<T: Part + ?Sized> Part for &T {
    fn put(&self, parts: &mut String) {
        (**self).put(parts);
    }
}

/// What is shown as it is in each language.
macro_rules! shown {
    ($($type:ty),*) => {
        $(impl Part for $type {
            fn put(&self, parts: &mut String) {
                // It cannot fail: all text is taken.
                let _ = write!(Cleaned(parts), "{self}");
            }
        })*
    };
}

shown!(String, fmt::Arguments<'_>, usize, u16, u32, u64, std::net::SocketAddr);

/// Takes text without what could be a mark.
struct Cleaned<'a>(&'a mut String);

impl Write for Cleaned<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        put_text(text, self.0);
        Ok(())
    }
}

fn put_text(text: &str, parts: &mut String) {
    parts.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
}

fn put_within(phrase: Phrase, parts: &mut String, put: impl FnOnce(&mut String)) {
    parts.push(BEGIN);
    parts.extend(char::from_u32(FIRST + phrase as u32));
    put(parts);
    parts.push(END);
}

/// Puts the parts that JSON gives to a phrase, which is handed back; nothing where it is none of ours, or larger.
fn put_json(value: &Value, depth: usize, left: &mut usize, parts: &mut String) -> Option<Phrase> {
    let (Value::String(name), given) = value.as_array()?.split_first()? else { return None };
    let phrase: Phrase = name.parse().ok()?;
    if depth > DEEPEST || given.len() != phrase.places() {
        return None;
    }
    for (number, part) in given.iter().enumerate() {
        *left = left.checked_sub(1)?;
        if number > 0 {
            parts.push(BETWEEN);
        }
        match part {
            Value::String(text) => put_text(text, parts),
            told => {
                let mut inner = String::new();
                // Text without a language is a part of its own only by itself.
                let phrase = put_json(told, depth + 1, left, &mut inner).filter(|phrase| *phrase != Phrase::Plain)?;
                put_within(phrase, parts, |parts| parts.push_str(&inner));
            }
        }
    }
    Some(phrase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn phrase() -> impl Strategy<Value = Phrase> {
        proptest::sample::select(Phrase::ALL.as_slice())
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[ -~àậđơữ×]{0,12}", "\\PC{0,4}", ".{0,4}"]
    }

    /// A detail with texts, and with details where a phrase has room for them.
    fn detail() -> impl Strategy<Value = Detail> {
        let flat = (phrase(), proptest::collection::vec(text(), 3))
            .prop_map(|(phrase, texts)| with(phrase, texts.iter().map(|text| text as &dyn Part)));
        flat.prop_recursive(3, 12, 3, |inner| {
            let phrase = phrase().prop_filter("it holds text alone", |phrase| *phrase != Phrase::Plain);
            (phrase, proptest::collection::vec(inner, 3))
                .prop_map(|(phrase, details)| with(phrase, details.iter().map(|detail| detail as &dyn Part)))
        })
        .prop_filter("larger than ours are", |detail| MOST_PARTS >= parts(detail.whole()))
    }

    fn with<'a>(phrase: Phrase, parts: impl Iterator<Item = &'a dyn Part>) -> Detail {
        Detail::of(phrase, &parts.take(phrase.places()).collect::<Vec<_>>())
    }

    fn parts(told: Told<'_>) -> usize {
        let part = |piece| match piece {
            Piece::Text(_) => 1,
            Piece::Told(told) => 1 + parts(told),
        };
        told.pieces().map(part).sum()
    }

    fn read(json: &str) -> Detail {
        serde_json::from_str(json).expect("anything is read")
    }

    #[test]
    fn it_is_told_in_the_reader_s_language() {
        let detail = told!(PerhapsClock, told!(OnvifRejected, "401 Unauthorized"));
        let english = "the device rejects the login (HTTP 401 Unauthorized); it tells no time, so a wrong clock may be the reason";
        assert_eq!(detail.text(Language::En), english);
        assert_eq!(detail.to_string(), english);
        assert_eq!(
            detail.text(Language::Vi),
            "thiết bị từ chối đăng nhập (HTTP 401 Unauthorized); thiết bị không cho biết giờ, nên có thể do đồng hồ sai"
        );
        let short = told!(FrameRateIs, format_args!("{:.1}", 4.96), "25.0", told!(Promised));
        assert_eq!(short.text(Language::Vi), "5.0 hình/giây, cam kết là 25.0", "in the order of the language");
        assert_eq!(told!(Frames, "12", "", told!(AndRate, "15.0")).to_string(), "12 frames, 15.0 frames/s");
        assert_eq!(told!(Granted).text(Language::Vi), "được chấp nhận");
    }

    #[test]
    fn its_json_is_short_and_that_of_before_is_read() {
        let detail = told!(Frames, 12_u32, told!(AndKeyframes, 2_u32), "");
        let json = serde_json::to_string(&detail).expect("JSON");
        assert_eq!(json, r#"["frames","12",["and_keyframes","2"],""]"#);
        assert_eq!(read(&json), detail);
        assert_eq!(read("\"401 Unauthorized\""), Detail::plain("401 Unauthorized"));
        assert_eq!(read(r#"["plain","[1]"]"#), Detail::plain("[1]"));
        assert!(read("\"\"").is_empty() && Detail::default().is_empty() && !told!(Granted).is_empty());
    }

    #[test]
    fn what_is_no_detail_is_text() {
        let too_deep = format!("{}\"granted\"{}", "[\"well_but\",".repeat(6), "]".repeat(6));
        let too_many =
            format!("[\"frames\",{0},{0},{0}]", format!("[\"frames\",{0},{0},{0}]", "[\"frames\",\"\",\"\",\"\"]"));
        for json in [
            "7",
            "null",
            "{\"a\":1}",
            "[]",
            "[7]",
            r#"["haunted","house"]"#,
            r#"["granted","x"]"#,
            r#"["nameless"]"#,
            r#"["nameless",7]"#,
            r#"["nameless",["haunted"]]"#,
            r#"["nameless",["plain","x"]]"#,
            &too_deep,
            &too_many,
        ] {
            assert_eq!(read(json), Detail::plain(json), "{json}");
        }
    }

    #[test]
    fn marks_in_a_text_are_none() {
        let detail = told!(NoWay, "a\u{1d}b\u{1e}", "c\u{1f}d\n");
        assert_eq!(detail.to_string(), "no way to a b : c d ");
        assert_eq!(read(r#"["no_way","a\u001f","\u001d!\u001e"]"#).to_string(), "no way to a :  ! ");
    }

    #[test]
    fn texts_are_shortened_all_together() {
        let detail = told!(NoAnswerTo, "DESCRIBE", told!(OffersOnly, "audio")).shortened(10);
        assert_eq!(detail.to_string(), "no answer to DESCRIBE within the description offers no video, only au");
        assert_eq!(Detail::plain("như đã thấy").shortened(3), Detail::plain("như"));
    }

    #[test]
    fn it_takes_no_more_memory_than_its_sentence_would() {
        assert_eq!(size_of::<Detail>(), size_of::<String>());
        for phrase in Phrase::ALL {
            let ones = [&"1" as &dyn Part; 3];
            let detail = Detail::of(phrase, &ones[..phrase.places()]);
            assert!(detail.parts.len() <= detail.to_string().len(), "{phrase:?}");
        }
    }

    proptest! {
        #[test]
        fn each_detail_survives_json(detail in detail()) {
            let json = serde_json::to_string(&detail).expect("JSON");
            prop_assert_eq!(&read(&json), &detail);
            prop_assert_eq!(detail.changed(&mut str::to_owned), detail.clone());
            for language in Language::ALL {
                prop_assert!(!detail.text(language).contains(char::is_control));
            }
        }

        #[test]
        fn no_json_makes_it_panic(json in "[\\[\\],\"a-z_0-9{}:]{0,40}|\\[\"(frames|well_but|plain)\"(,\"\\PC{0,5}\"|,\\[\"once\"\\]){0,4}\\]") {
            if let Ok(detail) = serde_json::from_str::<Detail>(&json) {
                prop_assert!(!detail.text(Language::Vi).contains(char::is_control));
            }
        }
    }
}
