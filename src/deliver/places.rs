//! Names of places where room is short: usual short forms first, then without the words that tell least, cut last.
//!
//! Pure. Which words tell least the fleet itself says: those that most of its names have. Of two places that would be
//! called the same by that, each gets a number: whoever reads an SMS at night must not drive to the wrong one.

use std::collections::{BTreeSet, HashMap};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// Stands before the number of a place that would be called like another; nothing else has it.
const MARK: char = '*';

/// What people write for these words where room is short; longer ones first. What ends in a dot stands before the next
/// word without a space.
const USUAL: [(&str, &str); 45] = [
    ("uỷ ban nhân dân", "UBND"),
    ("ủy ban nhân dân", "UBND"),
    ("trung học phổ thông", "THPT"),
    ("trung học cơ sở", "THCS"),
    ("khu công nghiệp", "KCN"),
    ("khu tập thể", "KTT"),
    ("khu dân cư", "KDC"),
    ("khu đô thị", "KĐT"),
    ("nhà văn hoá", "NVH"),
    ("nhà văn hóa", "NVH"),
    ("tổ dân phố", "TDP"),
    ("trạm y tế", "TYT"),
    ("đường huyện", "ĐH"),
    ("đường tỉnh", "ĐT"),
    ("đường số", "Đ.số"),
    ("bệnh viện", "BV"),
    ("quảng trường", "Q.Trường"),
    ("thành phố", "TP."),
    ("tiểu học", "TH"),
    ("mầm non", "MN"),
    ("mẫu giáo", "MG"),
    ("bưu điện", "BĐ"),
    ("công an", "CA"),
    ("thị trấn", "TT"),
    ("thị xã", "TX"),
    ("quốc lộ", "QL"),
    ("tỉnh lộ", "TL"),
    ("hương lộ", "HL"),
    ("đại lộ", "ĐL"),
    ("khu phố", "KP"),
    ("ngã ba", "N3"),
    ("ngã tư", "N4"),
    ("ngã năm", "N5"),
    ("ngã sáu", "N6"),
    ("ngã bảy", "N7"),
    ("nguyễn", "Ng."),
    ("đường", "Đ."),
    ("phường", "P."),
    ("trường", "Tr."),
    ("huyện", "H."),
    ("quận", "Q."),
    ("thôn", "T."),
    ("xóm", "X."),
    ("phía", "p."),
    ("xã", "X."),
];

/// The names of a commune's places.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// In their order, each once.
    names: Vec<Name>,
    /// In how many names each word is.
    common: HashMap<String, usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    full: String,
    words: Vec<Word>,
}

/// A word of a name, in its usual short form where it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    text: String,
    /// In how many names it is.
    common: usize,
}

/// How a name is written and whether there is room for it.
pub(super) struct Room<'r> {
    /// As it is written: with its marks, or without.
    pub(super) written: &'r dyn Fn(&str) -> String,
    /// Whether there is room for what was written.
    pub(super) fits: &'r dyn Fn(&str) -> bool,
}

impl Places {
    /// Of all names that a message may have.
    pub fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let names: BTreeSet<String> = names.into_iter().map(composed).collect();
        let mut common: HashMap<String, usize> = HashMap::new();
        let split: Vec<(String, Vec<String>)> = names.into_iter().map(|name| (name.clone(), words(&name))).collect();
        for (_, words) in &split {
            for word in words.iter().map(|word| key(word)).collect::<BTreeSet<_>>() {
                *common.entry(word).or_default() += 1;
            }
        }
        let names = split.into_iter().map(|(full, words)| Name { words: weighed(words, &common), full }).collect();
        Self { names, common }
    }

    /// What a place is called where there is so much room: its name if it fits, and never what another is called there.
    pub(super) fn called(&self, name: &str, room: &Room<'_>) -> String {
        let full = composed(name);
        let place = self.names.binary_search_by(|known| known.full.as_str().cmp(&full));
        let name = Name { words: weighed(words(&full), &self.common), full };
        let own = name.form(room);
        let is_anothers = |other: &Name| other.full != name.full && other.form(room) == own;
        if own.is_empty() || !self.names.iter().any(is_anothers) {
            return own;
        }
        let mark = format!("{MARK}{}", place.map_or(0, |place| place + 1));
        let fits = |text: &str| (room.fits)(&format!("{text}{mark}"));
        let marked = name.form(&Room { written: room.written, fits: &fits });
        let whole = format!("{marked}{mark}");
        if (room.fits)(&whole) { whole } else { String::new() }
    }
}

impl Name {
    /// The longest form of it for which there is room; nothing where there is none for a single letter.
    fn form(&self, room: &Room<'_>) -> String {
        let written = |text: &str| (room.written)(text).replace(MARK, ".");
        let full = written(&self.full);
        if (room.fits)(&full) {
            return full;
        }
        let mut words: Vec<&Word> = self.words.iter().collect();
        loop {
            let text = written(&joined(&words));
            if (room.fits)(&text) {
                return text;
            }
            if words.len() <= 1 {
                break;
            }
            // The later of two that are as common: what a name begins with says what it is.
            let least = (0..words.len()).max_by_key(|place| (words[*place].common, *place));
            words.remove(least.unwrap_or_default());
        }
        let text = written(&joined(&words));
        let ends = text.grapheme_indices(true).map(|(end, _)| end).rev();
        let cut = ends.filter(|end| *end > 0).map(|end| format!("{}.", text[..end].trim_end()));
        cut.into_iter().find(|cut| (room.fits)(cut)).unwrap_or_default()
    }
}

/// Letters as one character each, whatever keyboard they came from, and single spaces.
fn composed(name: &str) -> String {
    name.nfc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What makes two words the same.
fn key(word: &str) -> String {
    word.to_lowercase()
}

/// The words of a name, in their usual short forms.
fn words(name: &str) -> Vec<String> {
    let all: Vec<&str> = name.split_whitespace().collect();
    let mut words = Vec::new();
    let mut rest = all.as_slice();
    while let Some((first, others)) = rest.split_first() {
        let usual = USUAL.iter().find_map(|(long, short)| {
            let count = long.split(' ').count();
            let found = rest.get(..count)?;
            // A name that is nothing but such a word is its name.
            (count < all.len() && found.join(" ").to_lowercase() == *long).then_some((*short, count))
        });
        match usual {
            Some((short, count)) => {
                words.push(short.to_owned());
                rest = &rest[count..];
            }
            None => {
                words.push((*first).to_owned());
                rest = others;
            }
        }
    }
    words
}

fn weighed(words: Vec<String>, common: &HashMap<String, usize>) -> Vec<Word> {
    let weigh = |text: String| Word { common: common.get(&key(&text)).copied().unwrap_or_default(), text };
    // A sign between two names tells nothing alone.
    let is_sign = |text: &String| text.chars().all(|letter| !letter.is_alphanumeric());
    let all_signs = words.iter().all(is_sign);
    words.into_iter().filter(|text| all_signs || !is_sign(text)).map(weigh).collect()
}

fn joined(words: &[&Word]) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() && !text.ends_with('.') {
            text.push(' ');
        }
        text += &word.text;
    }
    text
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;
