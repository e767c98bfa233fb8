//! One camera's page and its JSON: both show the same explanation.

use super::{
    explain::{Explanation, Steps, explain},
    page,
    past::{self, Called, Past},
    words::{Words, words},
};
use crate::{
    model::{Budget, Client, DeviceFacts, Language, Local, Snapshot, ToldLook},
    uptime::{Of, Range},
};
use askama::Template;

/// The page's content; `None` when there is no such camera.
pub(super) fn main(
    snapshot: &Snapshot,
    id: &str,
    language: Language,
    (past, range): (&Past, Range),
) -> askama::Result<Option<String>> {
    let Some(it) = explain(snapshot, id, language) else { return Ok(None) };
    let Some(camera) = snapshot.fleet.cameras.get(id) else { return Ok(None) };
    let words = words(language);
    let looked = past.one(&Of::Camera(camera.id.clone()), range);
    let address = format!("/cameras/{}", camera.id);
    let status = snapshot.cameras.get(id);
    let measured = looked.as_deref().map(|looked| &looked.measured);
    let plots = status
        .zip(measured)
        .map_or_else(Vec::new, |(status, measured)| past::plots(snapshot, (camera, status), range, measured, language));
    let template = Main {
        past: past::of_one(
            snapshot,
            (language, Called::Things),
            (&address, range),
            looked.as_deref().map(|looked| &looked.strip),
        ),
        plots,
        link: camera.link.as_ref().map(ToString::to_string),
        words,
        mood: it.state.as_str(),
        symbol: page::symbol(it.state),
        kind: camera.kind.text(language),
        notes: camera.notes.as_deref().map(|notes| camera.discreet(notes)),
        recorder: snapshot.fleet.devices.get(&camera.device).and_then(|device| {
            let notes = device.notes.as_deref()?;
            Some((camera.device.to_string(), camera.discreet(notes)))
        }),
        since: page::moment(it.since, snapshot),
        at: page::moment(it.at, snapshot),
        budgets: budgets(&it, words),
        facts: facts(&it, words),
        looks: it.recent.iter().map(|seen| look(seen, snapshot.local(), language, words)).collect(),
        steps: it.last.iter().map(|(check, steps)| (check.text(language), steps)).collect(),
        it: &it,
    };
    template.render().map(Some)
}

#[derive(Template)]
#[template(path = "camera.html")]
struct Main<'a> {
    words: &'static Words,
    past: past::Section,
    plots: Vec<past::Plot>,
    /// The link that it hangs on, by its id.
    link: Option<String>,
    it: &'a Explanation,
    mood: &'static str,
    symbol: &'static str,
    kind: &'static str,
    /// What people noted on it.
    notes: Option<String>,
    /// The recorder that it hangs on, and what they noted on that.
    recorder: Option<(String, String)>,
    since: page::Moment,
    at: page::Moment,
    budgets: String,
    facts: Vec<(&'static str, String)>,
    looks: Vec<LookRow>,
    steps: Vec<(&'static str, &'a Steps)>,
}

struct LookRow {
    when: String,
    depth: &'static str,
    took: String,
    bytes: String,
    cause: String,
    well: bool,
}

fn look(seen: &ToldLook, local: Local<'_>, language: Language, words: &Words) -> LookRow {
    LookRow {
        when: local.time(seen.started),
        depth: seen.check.text(language),
        took: format!("{:.2} s", seen.took.as_secs_f64()),
        bytes: kilobytes(seen.bytes),
        cause: seen.failure.as_ref().map_or(words.fine, |failure| failure.kind.text(language)).to_owned(),
        well: seen.failure.is_none(),
    }
}

fn kilobytes(bytes: u64) -> String {
    format!("{:.1} kB", bytes as f64 / 1000.0)
}

fn budgets(it: &Explanation, words: &Words) -> String {
    let bytes = |budget: Budget| {
        let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
        format!("{} {} ({} {})", megabytes(budget.limit), words.per_day, megabytes(budget.left), words.left)
    };
    let looks = |budget: Budget| format!("{} {} ({} {})", budget.limit, words.per_hour, budget.left, words.left);
    // Of one that is not looked at there is nothing to spend.
    if it.bytes_budget.is_none() && it.bytes_received == 0 {
        return String::new();
    }
    let parts = it.bytes_budget.map(bytes).into_iter().chain(it.looks_budget.map(looks));
    parts.chain([format!("{}: {}", words.spent, kilobytes(it.bytes_received))]).collect::<Vec<_>>().join("; ")
}

fn facts(it: &Explanation, words: &'static Words) -> Vec<(&'static str, String)> {
    let mut facts: Vec<_> = it.proof.iter().map(|proof| (words.last_proof, proof.text.clone())).collect();
    if let Some(stream) = it.stream.as_ref().filter(|stream| stream.frames > 0) {
        let mut parts = vec![stream.codec.as_str().to_uppercase()];
        parts.extend(stream.size().map(|(width, height)| format!("{width}×{height}")));
        parts.extend(stream.fps.map(|fps| format!("{fps:.1} {}", words.frames)));
        parts.extend(stream.bytes_per_second.map(|rate| format!("{:.0} kbit/s", rate * 8.0 / 1000.0)));
        parts.extend(stream.keyframe_interval_seconds.map(|gop| format!("GOP {gop:.1} s")));
        parts.push(format!("{}/{} {}", stream.packets_lost, stream.packets + stream.packets_lost, words.lost_packets));
        parts.extend(stream.jitter_seconds.map(|jitter| format!("jitter {:.0} ms", jitter * 1000.0)));
        parts.extend(stream.media_speed.map(|speed| format!("× {speed:.2}")));
        parts.extend((stream.client == Client::Retina).then(|| words.by_retina.to_owned()));
        facts.push((words.stream, parts.join(", ")));
    }
    if let Some(device) = &it.device_facts {
        let DeviceFacts { manufacturer, model, firmware, serial, .. } = device;
        facts.push((words.device, format!("{manufacturer} {model}, {firmware}, {serial}")));
        if !device.streams.is_empty() {
            facts.push((words.named, device.streams.join(", ")));
        }
    }
    if let Some(offset) = it.clock_offset_seconds {
        facts.push((words.clock, format!("{offset:+.1} s")));
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Camera, Detail, FailureKind, Kind, Part, Phrase, Rung, RungName, State},
        web::{
            explain,
            province::{Wanted, snapshot},
        },
    };
    use std::sync::Arc;

    /// A camera that is down, of which looks found all that there are phrases for.
    fn failing(kind: Kind) -> Arc<Snapshot> {
        let (name, cause) = ("Cổng chợ".to_owned(), Some(FailureKind::Timeout));
        let wanted = Wanted { name, kind, state: State::Down, cause, area: None, age: 60 };
        let mut snapshot = snapshot(&[wanted], 0);
        let detail = |phrase: Phrase| {
            let address = &"10.1.0.0:554" as &dyn Part;
            Detail::of(phrase, &vec![address; phrase.places()])
        };
        let rung = |phrase: Phrase| Rung { name: RungName::Media, ok: false, seconds: 0.1, detail: detail(phrase) };
        let rungs = Phrase::ALL.map(rung).to_vec();
        let (id, status) = snapshot.cameras.iter().next().expect("a camera");
        let (id, mut status) = (id.clone(), (**status).clone());
        status.detail = detail(Phrase::NoWay);
        let told: Vec<_> = status.last.iter().map(|(check, last)| (check, last.clone())).collect();
        for (check, last) in told {
            status.last.insert(check, crate::model::LastCheck { rungs: rungs.clone().into(), ..last });
        }
        Arc::make_mut(&mut snapshot).cameras.insert(id, Arc::new(status));
        snapshot
    }

    #[test]
    fn a_page_tells_what_was_found_in_its_own_language() {
        let snapshot = failing(Kind::Public);
        let id = snapshot.fleet.cameras.keys().next().expect("a camera").to_string();
        let text = |language| {
            let past = (&Past::unknown(), Range::Day);
            let page = main(&snapshot, &id, language, past).expect("it is rendered").expect("there is such a camera");
            page.replace("&#34;", "\"").replace("&#39;", "'")
        };
        let pages = Language::ALL.map(text);
        let steps = explain::explain(&snapshot, &id, Language::default()).expect("a camera").last;
        assert_eq!(steps.values().map(|steps| steps.rungs.len()).sum::<usize>(), Phrase::ALL.len());
        for phrase in Phrase::ALL.into_iter().filter(|phrase| *phrase != Phrase::Plain) {
            let detail = Detail::of(phrase, &vec![&"10.1.0.0:554" as &dyn Part; phrase.places()]);
            for (page, language) in pages.iter().zip(Language::ALL) {
                for told_in in Language::ALL {
                    let step = format!("</span> {}</li>", detail.text(told_in));
                    assert_eq!(page.contains(&step), told_in == language, "{language:?}: {step}");
                }
            }
        }
        let [vietnamese, english] = pages;
        assert!(vietnamese.contains("không có đường tới 10.1.0.0:554: ") && !vietnamese.contains("no way to"));
        assert!(english.contains("no way to 10.1.0.0:554: "));
    }

    #[test]
    fn no_phrase_tells_where_a_household_is() {
        let snapshot = failing(Kind::Household);
        let camera: &Camera = snapshot.fleet.cameras.values().next().expect("a camera");
        for language in Language::ALL {
            let past = (&Past::unknown(), Range::Day);
            let page = main(&snapshot, camera.id.as_str(), language, past).expect("it is rendered").expect("a camera");
            assert!(!page.contains("10.1.0.0") && page.contains("***"), "{page}");
        }
    }
}
