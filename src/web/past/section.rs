//! The part of a page that shows the past: a choice of how far back, the strip, what its colours mean, and a table.

use super::{
    super::words::{Words, words},
    draw,
};
use crate::{
    model::{Language, Level, Local, Snapshot},
    uptime::{Account, Class, Piece, Range, Seconds, Stands, Strip},
    web::report::{length, percent},
};
use askama::Template;
use jiff::Timestamp;

/// Rows of the table, the latest of them; of all sites, whose rows are long and whose page has much else.
const ROWS: usize = 60;
const ROWS_OF_ALL: usize = 16;

/// The part of a page, drawn.
#[derive(Template)]
#[template(path = "past.html")]
pub(in crate::web) struct Section {
    words: &'static Words,
    /// How far back it can look: address, words, and whether that is shown.
    ranges: Vec<(String, &'static str, bool)>,
    /// Availability in per cent, where there is any.
    service: String,
    bar: String,
    /// Where it begins.
    from: String,
    /// Class, name and share of each state that there was.
    legend: Vec<(&'static str, String, String)>,
    rows: Vec<Row>,
    rows_more: usize,
    /// That the past cannot be told.
    missing: bool,
    /// Whether it stands on a wall, where there is little room.
    of_all: bool,
}

struct Row {
    class: &'static str,
    from: String,
    until: String,
    what: String,
    length: String,
}

/// How states are called: a site's are its levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) enum Called {
    Things,
    Sites,
}

impl Called {
    fn account(self, account: Account, blind: bool, language: Language) -> &'static str {
        match (self, account) {
            (Self::Sites, Account::Up) => Level::Full.text(language),
            (Self::Sites, Account::Degraded) => Level::Reduced.text(language),
            (Self::Sites, Account::Down) if blind => Level::Blind.text(language),
            (Self::Sites, Account::Down) => Level::Critical.text(language),
            (_, account) => account.text(language),
        }
    }

    /// A state with its reason.
    fn stands(self, stands: Stands, language: Language) -> String {
        let name = self.account(stands.account, stands.blind, language);
        match stands.cause {
            Some(cause) => format!("{name}: {}", cause.text(language)),
            None => name.to_owned(),
        }
    }
}

/// Whose past is shown, and to whom.
struct Show<'a> {
    snapshot: &'a Snapshot,
    language: Language,
    called: Called,
    /// Faults in a title.
    most: usize,
}

/// The past of one thing at its address. `None` for the strip where it cannot be read.
pub(in crate::web) fn of_one(
    snapshot: &Snapshot,
    (language, called): (Language, Called),
    (address, range): (&str, Range),
    strip: Option<&Strip>,
) -> Section {
    let show = Show { snapshot, language, called, most: 2 };
    show.section((address, range), strip, |show, strip| {
        let row = |spell: &crate::uptime::Spell| Row {
            class: spell.stands.account.as_str(),
            from: show.moment(spell.from),
            until: show.moment(spell.until),
            what: called.stands(spell.stands, language),
            length: length(spell.seconds(), language),
        };
        (strip.spells.iter().rev().take(ROWS).map(row).collect(), strip.spells.len())
    })
}

/// The past of all sites together, which is told piece by piece.
pub(in crate::web) fn of_all(
    snapshot: &Snapshot,
    language: Language,
    (address, range): (&str, Range),
    strip: Option<&Strip>,
) -> Section {
    let show = Show { snapshot, language, called: Called::Sites, most: 1 };
    let section = show.section((address, range), strip, |show, strip| {
        let pieces = || strip.pieces.iter().rev().filter(|piece| !piece.unwell.is_empty());
        let row = |piece: &Piece| Row {
            class: piece.main_fault().map_or(Account::Up, |stands| stands.account).as_str(),
            from: show.moment(piece.from),
            until: show.moment(piece.until),
            what: show.shares(piece, 2),
            length: percent(piece.seconds.service(), language),
        };
        (pieces().take(ROWS_OF_ALL).map(row).collect(), pieces().count())
    });
    Section { of_all: true, ..section }
}

impl Show<'_> {
    fn section(
        &self,
        (address, range): (&str, Range),
        strip: Option<&Strip>,
        rows: impl FnOnce(&Self, &Strip) -> (Vec<Row>, usize),
    ) -> Section {
        let words = words(self.language);
        let name = |range: Range| match range {
            Range::Day => words.last_day,
            Range::Week => words.last_week,
            Range::Month => words.last_month,
        };
        let to = |to: Range| (format!("{address}?range={}&lang={}", to.as_str(), words.lang), name(to), to == range);
        let mut section = Section {
            words,
            ranges: Range::ALL.map(to).into(),
            service: String::new(),
            bar: String::new(),
            from: String::new(),
            legend: Vec::new(),
            rows: Vec::new(),
            rows_more: 0,
            missing: strip.is_none(),
            of_all: false,
        };
        let Some(strip) = strip else { return section };
        let seconds = strip.seconds();
        section.service = percent(seconds.service(), self.language);
        section.legend = self.legend(&seconds);
        let all: Vec<String> = section.legend.iter().map(|(_, name, share)| format!("{name} {share}")).collect();
        let label = format!("{}: {}", name(range), all.join(", "));
        section.bar = draw::bar(&strip.pieces, strip.pieces.iter().map(|piece| self.title(piece)), &label);
        section.from = strip.pieces.first().map_or_else(String::new, |piece| self.moment(piece.from));
        let (rows, count) = rows(self, strip);
        (section.rows_more, section.rows) = (count - rows.len(), rows);
        section
    }

    fn legend(&self, seconds: &Seconds) -> Vec<(&'static str, String, String)> {
        // Less than a hundredth of a per cent is told of outages alone.
        let least = |account: Account| if account.class() == Class::Down { 1 } else { seconds.total() / 10_000 + 1 };
        let there = Account::ALL.into_iter().filter(|account| seconds.of(*account) >= least(*account));
        let share = |account: Account| {
            let share = seconds.of(account) as f64 / seconds.total().max(1) as f64;
            let name = match (self.called, account) {
                // Critical and blind share a colour, and their shares are one.
                (Called::Sites, Account::Down) => words(self.language).lost_sites,
                _ => self.called.account(account, false, self.language),
            };
            (account.as_str(), name.to_owned(), percent(Some(share), self.language))
        };
        there.map(share).collect()
    }

    /// When, and how it stood; why, of what was not well.
    fn title(&self, piece: &Piece) -> String {
        let span = format!("{} – {}", self.moment(piece.from), self.moment(piece.until));
        let shares = match (piece.unwell.is_empty(), piece.seconds.total()) {
            (_, 0) => return span,
            (true, _) => self.called.account(Account::Up, false, self.language).to_owned(),
            (false, _) => self.shares(piece, self.most),
        };
        format!("{span}: {shares}")
    }

    /// What of a piece was not well, the worst first, with how much of its time that was; `most` of it, since titles are
    /// short and many.
    fn shares(&self, piece: &Piece, most: usize) -> String {
        let rank = |stands: &Stands| match stands.account.class() {
            Class::Down => 0,
            Class::Up => 1,
            Class::Excluded => 2,
        };
        let mut unwell: Vec<(&Stands, &i64)> = piece.unwell.iter().collect();
        unwell.sort_by_key(|(stands, seconds)| (rank(stands), std::cmp::Reverse(**seconds)));
        let total = piece.seconds.total().max(1);
        let said = |(stands, seconds): &(&Stands, &i64)| {
            let share = percent(Some(**seconds as f64 / total as f64), self.language);
            format!("{} ({share})", self.called.stands(**stands, self.language))
        };
        let more = if unwell.len() > most { "; …" } else { "" };
        unwell.iter().take(most).map(said).collect::<Vec<_>>().join("; ") + more
    }

    fn moment(&self, second: i64) -> String {
        let at = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
        Local::new(&self.snapshot.fleet.commune.timezone, self.snapshot.at).short(at)
    }
}
