//! What is younger than its limit stays, what is older goes, and the documentation says which limit that is, table by table.

use super::{
    sql::values,
    tests::{at, incident, notice, on_server, recipient, tables},
    *,
};
use crate::model::{Branch, Detail, Failure, FailureKind, Level, LinkState, Scope, Span, State};
use crate::rights::{Break, Deed};
use proptest::prelude::*;
use std::{collections::BTreeSet, time::Duration};

const DAY: i64 = 24 * 60 * 60;

/// How long the rows of a table stay.
enum Stay {
    /// For so long, by this key; and what stays beside that.
    By(&'static [Keep], &'static str),
    /// By no age.
    As(&'static str),
}

use Stay::{As, By};

/// All tables, for `docs/privacy.md`: what is not here is in no file.
const STAYS: &[(&str, &str, Stay)] = &[
    ("transition", "each change of a camera", By(&[Keep::History], "the last of each camera before that stays")),
    ("level_change", "each change of a site", By(&[Keep::History], "the last of each site before that stays")),
    ("link_change", "each change of a link", By(&[Keep::History], "the last of each link before that stays")),
    ("incident", "incidents, who took them on", By(&[Keep::History], "from their end on; the highest number stays")),
    ("maintenance", "windows and silences, who set them and why", By(&[Keep::History], "from their end on")),
    ("run", "when the daemon ran", By(&[Keep::History], "")),
    ("late", "what agents saw of cameras while they could not tell", By(&[Keep::History], "")),
    ("agent", "how far each agent's looks are taken in, by its key", As("for good: a number, nothing else")),
    ("notice", "what was told", By(&[Keep::Messages], "what still waits stays")),
    (
        "outbox",
        "whom, by which channel, and what became of it",
        By(&[Keep::Messages], "from then on; what still waits stays"),
    ),
    ("timeline", "what happened to each incident and each message of it", By(&[Keep::Messages], "")),
    ("incident_of", "by which site, cause and level an incident is found", By(&[Keep::History], "with its incident")),
    (
        "observation",
        "transcripts of looks: good ones, failed ones",
        By(&[Keep::Good, Keep::Failures], "also by number and by size"),
    ),
    ("minute_figures", "what looks measured, by the minute", By(&[Keep::Minutes], "")),
    ("hour_figures", "the same by the hour", By(&[Keep::Hours], "less where the file grows too big")),
    (
        "audit",
        "who changed what, from which address",
        By(&[Keep::Audit], "from its beginning on; up to where is kept and shown"),
    ),
    (
        "edit",
        "what was edited on pages, as it stands",
        As("until it is struck out; what stood there before is in the audit trail"),
    ),
    (
        "account",
        "accounts, with a hash of their password",
        As("for good: a name that once did something is given to nobody else"),
    ),
    (
        "pass",
        "sessions, tokens, links",
        As("until they end: a session two weeks after its last use, after 90 days in any case"),
    ),
    ("site", "how each site stands", As("the last of each")),
    ("memory", "what each camera last said of itself", As("the last of each, until the camera is forgotten")),
    ("proof", "when each camera last proved that it sees", As("the last of each, until the camera is forgotten")),
    ("login", "how the login at each device fared", As("the last of each, until the camera is forgotten")),
    ("secret", "the key that signs links in messages", As("for good")),
    ("retention", "how long all this is kept, and until when it was forgotten", As("for good")),
];

fn days(length: Duration) -> String {
    match length.as_secs() / 3600 {
        hours if hours % 24 != 0 => format!("{hours} hours"),
        24 => "1 day".to_owned(),
        hours => format!("{} days", hours / 24),
    }
}

/// The table as the documentation has it.
fn documented() -> String {
    let mut table = "| table | what | for how long |\n| --- | --- | --- |\n".to_owned();
    for (name, what, stay) in STAYS {
        let stay = match stay {
            As(words) => (*words).to_owned(),
            By(keeps, more) => {
                let keep = |keep: &Keep| format!("`{}` ({})", keep.as_str(), days(keep.usual()));
                let keeps: Vec<_> = keeps.iter().map(keep).collect();
                let more = if more.is_empty() { String::new() } else { format!("; {more}") };
                keeps.join(", ") + &more
            }
        };
        table += &format!("| `{name}` | {what} | {stay} |\n");
    }
    table
}

#[test]
fn the_documentation_has_the_table_of_what_is_kept() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/privacy.md");
    let text = std::fs::read_to_string(path).expect("it is there");
    let (before, rest) = text.split_once("<!-- kept -->\n").expect("a mark before the table");
    let (table, after) = rest.split_once("<!-- /kept -->").expect("a mark behind it");
    if std::env::var_os("CAMHEALTH_BLESS").is_some() {
        let text = format!("{before}<!-- kept -->\n{}<!-- /kept -->{after}", documented());
        std::fs::write(path, text).expect("it can be written");
        return;
    }
    assert_eq!(table, documented(), "CAMHEALTH_BLESS=1 writes it anew");
}

#[test]
fn each_table_of_the_schema_has_its_time_and_each_key_a_table() {
    let connection = open::memory().expect("a journal");
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
    let mut statement = connection.prepare(sql).expect("a statement");
    let there = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    let there: BTreeSet<String> = there.collect::<Result<_, _>>().expect("names");
    let said: BTreeSet<String> = STAYS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(there, said, "how long does it stay? say so in STAYS");
    for keep in Keep::ALL {
        let used = |stay: &Stay| matches!(stay, By(keeps, _) if keeps.contains(&keep));
        assert!(STAYS.iter().any(|(.., stay)| used(stay)), "{keep:?}");
        assert!(keep.usual() >= keep.least());
    }
    // Thirteen months, whichever they are, the one that runs among them.
    assert!(Keep::History.least().as_secs() >= (366 + 31) * 24 * 60 * 60);
}

/// Something of a kind, and how many hours ago.
#[derive(Debug, Clone)]
struct Thing {
    kind: usize,
    which: usize,
    hours: i64,
}

const KINDS: usize = 10;
const NAMES: [&str; 3] = ["a", "b", "c"];

fn things() -> impl Strategy<Value = Vec<Thing>> {
    let thing = (0..KINDS, 0..NAMES.len(), 0..1200 * 24i64);
    let things = prop::collection::vec(thing, 1..80);
    things.prop_map(|all| {
        let mut all: Vec<Thing> = all.into_iter().map(|(kind, which, hours)| Thing { kind, which, hours }).collect();
        all.sort_by_key(|thing| std::cmp::Reverse(thing.hours));
        all
    })
}

/// A table's rows that are left, each by a word of its own.
fn left(connection: &Connection, sql: &str) -> BTreeSet<String> {
    connection.all(sql, values![], |row| row.get::<String>(0)).expect("words").into_iter().collect()
}

const NOW: i64 = 2000 * DAY;

/// Puts it into a batch; its kind, its table's name, its own word.
fn put(batch: &mut Batch, chain: &mut Chain, number: u32, thing: &Thing) -> String {
    let (second, name) = (NOW - thing.hours * 3600, NAMES[thing.which]);
    let ms = at(second).as_millisecond();
    match thing.kind {
        0 => batch.transitions.push(super::tests::transition(name, State::Up, second)),
        1 => {
            // What does not change its level is no change.
            let even = batch.sites.iter().filter(|known| known.site.as_str() == name).count() % 2 == 0;
            batch.sites.push(SiteRecord {
                site: name.into(),
                level: if even { Level::Full } else { Level::Blind },
                since: at(second),
                alert: None,
                ended: vec![],
            });
        }
        2 => {
            batch.links.push(LinkRecord { branch: Branch::Link(name.into()), state: LinkState::Up, since: at(second) })
        }
        3 => {
            batch.incidents.push(Incident { closed: Some(at(second)), ..incident(number) }.into());
            return format!("i{number}");
        }
        4 => {
            let span = Span::Once { from: at(second - 60), until: at(second) };
            let (id, author, reason) = (format!("w{number}"), "An".into(), "thay camera".into());
            batch.windows.push(Window { id: id.clone(), scope: Scope::All, span, author, reason });
            return id;
        }
        5 => {
            let told = notice(number, second);
            let key = told.key();
            batch.notices.push((told, vec![recipient(name, &["zalo"])]));
            return key;
        }
        6 | 7 => {
            let failure = (thing.kind == 7).then(|| Failure::new(FailureKind::Timeout, Detail::plain("không trả lời")));
            let seen = Observation { failure, ..Observation::new(crate::model::Check::Stream, at(second)) };
            batch.observations.push((name.into(), seen));
        }
        8 => {
            let row = |grain: Grain| FigureRow {
                grain,
                begins: at(second).as_second(),
                camera: name.into(),
                parts: vec![1, 2, 3],
            };
            batch.figures.extend([row(Grain::Minute), row(Grain::Hour)]);
            return format!("{} {name}", at(second).as_second());
        }
        _ => {
            let entry = chain.add(at(second), Deed { action: "silence", ..Deed::default() });
            batch.audit.push(entry);
            return number.to_string();
        }
    }
    format!("{ms} {name}")
}

/// The words of what is to be left of a kind: what is younger, and of changes the last of each thing before.
fn expected(words: &[(Thing, String)], kind: usize, length: Duration) -> BTreeSet<String> {
    let young = |thing: &Thing| thing.hours * 3600 <= length.as_secs() as i64;
    let of = || words.iter().filter(move |(thing, _)| thing.kind == kind);
    let mut left: BTreeSet<String> = of().filter(|(thing, _)| young(thing)).map(|(_, word)| word.clone()).collect();
    if kind < 3 {
        for which in 0..NAMES.len() {
            let last = of().rfind(|(thing, _)| thing.which == which && !young(thing));
            left.extend(last.map(|(_, word)| word.clone()));
        }
    }
    // The highest number, and the end of the chain.
    if kind == 3 || kind == 9 {
        left.extend(of().next_back().map(|(_, word)| word.clone()));
    }
    left
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_younger_stays_and_the_older_goes(
        things in things(),
        lengths in prop::collection::vec(1..1000u64, Keep::ALL.len()),
        times in 1..4usize,
    ) {
        let connection = tables();
        let mut settings = Settings { path: None, ..Settings::default() };
        let (mut batch, mut chain, mut words, mut entries) = (Batch::default(), Chain::default(), Vec::new(), 0);
        for (number, thing) in (1..).zip(&things) {
            entries += u32::from(thing.kind == 9);
            let number = if thing.kind == 9 { entries } else { number };
            words.push((thing.clone(), put(&mut batch, &mut chain, number, thing)));
        }
        let trail = batch.audit.clone();
        records::write(&connection, &batch).expect("it is written");
        // Each message was told when it was written.
        let told = "UPDATE outbox SET state = 'sent', settled = (SELECT at FROM notice WHERE key = outbox.notice)";
        connection.execute(told, values![]).expect("rows");
        let summed = "UPDATE outbox SET sum = row_sum('outbox', id, notice, incident, recipient, channels, turn, channel,
                          state, attempts, due, settled, receipt, error)";
        connection.execute(summed, values![]).expect("rows");
        for (keep, days) in Keep::ALL.into_iter().zip(lengths) {
            settings.keep.set(keep, Duration::from_secs(days * 24 * 60 * 60));
        }
        let now = at(NOW);
        settle::settle(&connection, &settings.keep, now).expect("it is noted");
        let holds = settle::hold(&connection, now).expect("it holds");
        // Once more changes nothing.
        for _ in 0..times {
            for rule in retention::rules(now, &settings, &holds, &mut retention::Counts::default()) {
                while rule.portion(&connection).expect("it is forgotten") {}
            }
        }
        let by = |sql: &str| left(&connection, sql);
        let keep = |keep| settings.keep.of(keep);
        let history = keep(Keep::History);
        prop_assert_eq!(by("SELECT decided || ' ' || camera FROM transition"), expected(&words, 0, history));
        prop_assert_eq!(by("SELECT since || ' ' || site FROM level_change"), expected(&words, 1, history));
        prop_assert_eq!(by("SELECT since || ' ' || link FROM link_change"), expected(&words, 2, history));
        prop_assert_eq!(by("SELECT id FROM incident"), expected(&words, 3, history));
        let things = "SELECT DISTINCT 'i' || number FROM incident_of";
        prop_assert_eq!(by(things), expected(&words, 3, history), "what they are found by goes with them");
        prop_assert_eq!(by("SELECT id FROM maintenance"), expected(&words, 4, history));
        prop_assert_eq!(by("SELECT key FROM notice"), expected(&words, 5, keep(Keep::Messages)));
        let queued = "SELECT incident || '-' || step FROM timeline WHERE what = 'queued'";
        prop_assert_eq!(by(queued), expected(&words, 5, keep(Keep::Messages)));
        prop_assert_eq!(by("SELECT notice FROM outbox"), expected(&words, 5, keep(Keep::Messages)));
        let looks = |failed| format!("SELECT started || ' ' || camera FROM observation WHERE failed = {failed}");
        prop_assert_eq!(by(&looks(0)), expected(&words, 6, keep(Keep::Good)));
        prop_assert_eq!(by(&looks(1)), expected(&words, 7, keep(Keep::Failures)));
        let figures = |table| format!("SELECT begins || ' ' || camera FROM {table}");
        prop_assert_eq!(by(&figures("minute_figures")), expected(&words, 8, keep(Keep::Minutes)));
        prop_assert_eq!(by(&figures("hour_figures")), expected(&words, 8, keep(Keep::Hours)));
        prop_assert_eq!(by("SELECT CAST(id AS TEXT) FROM audit"), expected(&words, 9, keep(Keep::Audit)));

        // The trail is whole by what is noted of its beginning, and whoever takes one entry more is found out.
        let found = inspect::inspect(&connection, &mut |_| {}).expect("it is looked over");
        prop_assert!(found.is_sound(), "{:?}", found);
        let first = left(&connection, "SELECT CAST(min(id) AS TEXT) FROM audit HAVING count(*) > 0").first().cloned();
        let gone = found.forgotten.map_or(0, |gone| gone.number);
        prop_assert_eq!(first.and_then(|first| first.parse().ok()).unwrap_or(1), gone + 1);
        if trail.len() as u64 > gone + 1 {
            connection.execute("DELETE FROM audit WHERE id = (SELECT min(id) FROM audit)", values![]).expect("a row");
            let found = inspect::inspect(&connection, &mut |_| {}).expect("it is looked over");
            prop_assert_eq!(found.trail, Some(Break::Gap(gone + 2)));
            let part = people::audit(&connection, u64::MAX, 1000).expect("it is read");
            prop_assert_eq!(part.broken(), Some(gone + 2));
        }
    }
}

fn short(days: u64) -> Settings {
    let mut settings = Settings { path: None, ..Settings::default() };
    for keep in Keep::ALL {
        settings.keep.set(keep, Duration::from_secs(days * 24 * 60 * 60));
    }
    settings
}

/// What an upgrade, or another configuration, would take away is told once, and waits for a week.
#[test]
fn a_shorter_limit_is_told_once_and_holds_after_a_week() {
    let connection = tables();
    let (long, less) = (short(800), short(400));
    settle::settle(&connection, &long.keep, at(0)).expect("it is noted");
    let transitions = (0..20).map(|day| super::tests::transition("a", State::Up, day * DAY)).collect();
    let mut chain = Chain::default();
    let audit = (0..20).map(|day| chain.add(at(day * DAY), Deed::default())).collect();
    records::write(&connection, &Batch { transitions, audit, ..Batch::default() }).expect("it is written");
    let count = |connection: &Connection| -> (i64, i64) {
        let sql = "SELECT (SELECT count(*) FROM transition), (SELECT count(*) FROM audit)";
        connection.first(sql, values![], |row| Ok((row.get(0)?, row.get(1)?))).expect("numbers").expect("a row")
    };
    let keep = |connection: &Connection, settings: &Settings, day: i64| {
        let (now, going) = (at(day * DAY), settle::settle(connection, &settings.keep, at(day * DAY)).expect("noted"));
        for rule in retention::rules(now, settings, &going.0, &mut retention::Counts::default()) {
            while rule.portion(connection).expect("it is forgotten") {}
        }
        going.1
    };
    assert_eq!(keep(&connection, &long, 500), []);
    let told = keep(&connection, &less, 500);
    let keys: Vec<_> = told.iter().map(|going| (going.keep, going.rows)).collect();
    assert_eq!(keys, [(Keep::History, 19), (Keep::Audit, 20)], "the last change of the camera stays in any case");
    assert!(told.iter().all(|going| going.from == at(507 * DAY) && going.length.as_secs() == 400 * 24 * 60 * 60));
    assert_eq!(keep(&connection, &less, 506), [], "it is told once");
    assert_eq!(count(&connection), (20, 20));
    // Thought again: nothing goes, however long it takes.
    assert_eq!(keep(&connection, &long, 506), []);
    assert_eq!(keep(&connection, &long, 600), []);
    assert_eq!(count(&connection), (20, 20));
    assert_eq!(keep(&connection, &less, 600).len(), 2);
    assert_eq!(keep(&connection, &less, 608), []);
    assert_eq!(count(&connection), (1, 1));
    let history = history::read(&connection, at(0), at(608 * DAY)).expect("history");
    assert_eq!(history.forgotten, Some(at(208 * DAY)));
    assert_eq!(people::audit(&connection, u64::MAX, 10).expect("it is read").broken(), None);
}

/// A journal of an earlier version says nowhere how long it was to be kept.
#[test]
fn a_journal_of_before_loses_nothing_for_a_week_after_an_upgrade() {
    if on_server() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.sqlite3");
    let old = rusqlite::Connection::open(&path).expect("a file");
    table::register(&old).expect("a function");
    for step in &schema::STEPS[..7] {
        old.execute_batch(step).expect("a step");
    }
    old.pragma_update(None, "user_version", 7).expect("a format");
    let mut chain = Chain::default();
    for day in 0..20 {
        let entry = chain.add(at(day * DAY), Deed::default());
        let sql = "INSERT INTO audit (id, at, body, sum) VALUES (?1, ?2, ?3, row_sum('audit', ?1, ?2, ?3))";
        let body = serde_json::to_string(&entry).expect("JSON");
        // Its beginning was forgotten already.
        if entry.number > 4 {
            old.execute(sql, (entry.number as i64, entry.at.as_millisecond(), body)).expect("a row");
        }
    }
    drop(old);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let settings = Settings { path: Some(path.clone()), ..Settings::default() };
    let (journal, _) = Journal::open(&settings, at(1000 * DAY)).expect("it is brought up to date");
    let keep = |day: i64| {
        runtime.block_on(journal.keep(at(day * DAY), settings.clone())).expect("it is kept");
        runtime.block_on(journal.audit(u64::MAX, 100)).expect("it is read")
    };
    let part = keep(1006);
    assert_eq!((part.entries.len(), part.broken()), (16, None));
    assert_eq!(part.forgotten.map(|gone| gone.number), Some(4));
    let part = keep(1007);
    assert_eq!((part.entries.len(), part.broken()), (1, None), "the next hangs on it");
    assert_eq!(part.forgotten.map(|gone| gone.number), Some(19));
}
