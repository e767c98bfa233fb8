//! The rows of a page: what holds of each thing, where it comes from, and the form by which it is edited.

use super::{
    form::Typed,
    holds,
    words::{Words, words},
};
use crate::{
    edits::{Edit, Item, Kind, Line, Refusal, Sheet, Standing, Subject, Value},
    model::{Language, Snapshot, folded, local::whole_day},
    request::Refused,
    web::{asked, page::moment, view::Ground},
};
use axum::http::StatusCode;

/// Selects of a form by which several are chosen in order, beyond those that are chosen already.
const MORE: usize = 2;

/// What was refused, with what was typed.
pub(super) struct Draft {
    pub(super) item: Item,
    value: Value,
    /// Why, for people.
    pub(super) why: String,
    /// The same in the words of `camhealth check`, where they say it.
    pub(super) told: Option<String>,
    pub(super) status: StatusCode,
    stale: bool,
}

impl Draft {
    pub(super) fn of(typed: Typed, refused: &Refused, language: Language) -> Self {
        let words = words(language);
        let stale = matches!(refused, Refused::Edit(Refusal::Stale(_)));
        let mut told = None;
        let why = match refused {
            Refused::Edit(Refusal::Unfit(words_of_check)) => {
                told = Some(words_of_check.clone());
                words.not_valid.to_owned()
            }
            _ if stale => words.stale.to_owned(),
            Refused::NotDurable => words.not_durable.to_owned(),
            Refused::JournalFails => words.journal_fails.to_owned(),
            refused => refused.to_string(),
        };
        Self { item: typed.wish.item, value: typed.value, why, told, status: asked::status(refused), stale }
    }
}

/// One thing on a page.
pub(super) struct Row {
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) version: String,
    pub(super) title: String,
    /// What holds, where there is no form.
    pub(super) told: String,
    pub(super) fields: Vec<FieldView>,
    /// Where what holds comes from.
    pub(super) origin: String,
    /// What the file says, where that does not hold.
    pub(super) file_says: Option<String>,
    /// What is to be known of it: that it does not hold, that somebody was quicker, that it soon ends.
    pub(super) notice: Option<String>,
    pub(super) editable: bool,
    /// Whether it stands in the files and can be struck out.
    pub(super) strike: bool,
    /// What the button is called that takes an edit back, if there is one.
    pub(super) back: Option<&'static str>,
}

/// A field of a form.
pub(super) struct FieldView {
    pub(super) label: &'static str,
    pub(super) key: &'static str,
    pub(super) input: Input,
}

/// How it is filled in.
pub(super) enum Input {
    /// By a text: its type, and what stands in it.
    Text(&'static str, String),
    /// By a choice, or several in order; each choice is a value, its name, and whether it is chosen.
    Choices(Vec<Vec<(String, String, bool)>>),
}

/// Makes rows.
pub(super) struct Maker<'m> {
    pub(super) sheet: &'m Sheet,
    pub(super) snapshot: &'m Snapshot,
    pub(super) language: Language,
    /// Whether whoever visits may edit it.
    pub(super) may: bool,
    /// Where they are bound to areas, what of the fleet lies in them.
    pub(super) bounds: Option<Ground>,
}

/// Why an edit does not hold.
pub(super) fn standing(line: &Line, words: &Words) -> String {
    match &line.standing {
        Standing::Orphan => words.orphan.to_owned(),
        Standing::Unfit(why) => format!("{} {why}", words.unfit),
        Standing::Files | Standing::Edited => String::new(),
    }
}

impl Maker<'_> {
    /// So many rows after so many, and whether there are more.
    pub(super) fn rows(
        &self,
        subject: Subject,
        search: &str,
        skip: usize,
        most: usize,
        draft: Option<&Draft>,
    ) -> (Vec<Row>, bool) {
        let wanted = folded(search);
        let mut found: Vec<(&Item, &Line)> = subject.kinds().iter().flat_map(|kind| self.sheet.of(*kind)).collect();
        found.retain(|(item, _)| wanted.is_empty() || folded(&self.title(item)).contains(&wanted));
        if subject.kinds().len() > 1 && subject == Subject::Cameras {
            found.sort_by(|(one, _), (other, _)| (&one.id, one.kind).cmp(&(&other.id, other.kind)));
        }
        let more = found.len() > skip.saturating_add(most);
        let mut rows = Vec::new();
        for kind in subject.kinds().iter().filter(|kind| kind.is_added() && self.may) {
            rows.push(self.row(&Item::new(*kind, ""), &Line::default(), draft));
        }
        rows.extend(found.into_iter().skip(skip).take(most).map(|(item, line)| self.row(item, line, draft)));
        (rows, more)
    }

    fn title(&self, item: &Item) -> String {
        let (words, id) = (words(self.language), item.id.as_str());
        let choices = &self.sheet.choices;
        match item.kind {
            Kind::StandIn if id.is_empty() => words.add_stand_in.to_owned(),
            Kind::Maintenance if id.is_empty() => words.add_maintenance.to_owned(),
            Kind::StandIn | Kind::Maintenance => {
                let line = self.sheet.line(item);
                // What was struck out is called after what the file says, or said.
                let over = || line.and_then(|line| line.file.as_ref().or(line.edit.as_ref()?.over.as_ref()));
                let value = line.and_then(Line::value).filter(|value| !value.is_empty()).or_else(over);
                value.map(|value| value.typed("reason")).unwrap_or_else(|| id.to_owned())
            }
            Kind::Roster => format!("{} {id}", words.rotation),
            Kind::Reach | Kind::Calls | Kind::PersonName => match self.person(id) {
                name if name.is_empty() => id.to_owned(),
                name => format!("{name} ({id})"),
            },
            Kind::Address => {
                let kind = choices.channels.get(id).cloned().unwrap_or_default();
                format!("{id} ({kind})")
            }
            Kind::SiteName => {
                let name = self.snapshot.fleet.sites.get(id).map(|site| site.name.clone());
                name.map_or_else(|| id.to_owned(), |name| format!("{id} – {name}"))
            }
            Kind::RecorderNotes => format!("{} {id}", words.recorder),
            Kind::CameraName | Kind::Notes | Kind::Consent => {
                let camera = self.snapshot.fleet.cameras.get(id);
                let name = camera.map(|camera| camera.public_name()).filter(|name| *name != id);
                name.map_or_else(|| id.to_owned(), |name| format!("{id} – {name}"))
            }
        }
    }

    fn row(&self, item: &Item, line: &Line, draft: Option<&Draft>) -> Row {
        let words = words(self.language);
        let draft = draft.filter(|draft| draft.item == *item);
        let of_file = item.kind.is_added() && line.place.is_some();
        let edit = line.edit.as_deref();
        let strikes = edit.is_some_and(Edit::strikes);
        let value = match edit {
            Some(edit) if strikes => line.file.as_ref().or(edit.over.as_ref()),
            edit => line.value().or(edit.map(|edit| &edit.value)),
        };
        let value = value.cloned().unwrap_or_default();
        let shown = draft.map_or(&value, |draft| &draft.value);
        let holds = holds(&line.standing);
        let origin = match (edit, &line.place) {
            (Some(edit), _) => format!("{} {}", words.by, self.edited(edit)),
            (None, Some(place)) => format!("{} {place}", words.in_file),
            (None, None) => String::new(),
        };
        let notice = match draft {
            Some(draft) if draft.stale => Some(format!("{} {value}. {}", words.stale, words.send_again)),
            Some(_) => None,
            None if !holds => Some(standing(line, words)),
            None if strikes => Some(words.struck.to_owned()),
            None if of_file => Some(words.only_in_file.to_owned()),
            None => self.soon(item),
        };
        let (back, says) = match (edit, &line.file) {
            // What is struck out stands below, as the file says it.
            (Some(_), Some(file)) => (Some(words.take_back), Some(self.told(file)).filter(|_| !strikes)),
            (Some(_), None) => (Some(words.remove), None),
            (None, _) => (None, None),
        };
        let editable = self.may;
        let has_fields = editable && !of_file && !strikes;
        Row {
            kind: item.kind.as_str(),
            id: item.id.clone(),
            version: if item.id.is_empty() { String::new() } else { line.version() },
            title: self.title(item),
            told: self.told(&value),
            fields: if has_fields { self.fields(item.kind, shown) } else { Vec::new() },
            origin,
            file_says: says,
            notice,
            editable,
            strike: editable && of_file && !strikes,
            back: back.filter(|_| editable),
        }
    }

    /// What people call somebody, as it holds.
    fn person(&self, id: &str) -> String {
        let line = self.sheet.line(&Item::new(Kind::PersonName, id));
        let edited = line.and_then(Line::value).map(|value| value.typed("name"));
        edited.or_else(|| self.sheet.choices.people.get(id).cloned()).unwrap_or_default()
    }

    fn edited(&self, edit: &Edit) -> String {
        format!("{}, {}", edit.by, moment(edit.at, self.snapshot).text)
    }

    fn told(&self, value: &Value) -> String {
        let words = words(self.language);
        let fields: Vec<String> = value.fields().map(|(_, field)| field.to_string()).collect();
        if fields.is_empty() { words.nothing.to_owned() } else { fields.join(" · ") }
    }

    /// That a consent ends soon, or has.
    fn soon(&self, item: &Item) -> Option<String> {
        let camera = self.snapshot.fleet.cameras.get(item.id.as_str()).filter(|_| item.kind == Kind::Consent)?;
        let (now, zone) = (self.snapshot.at, &self.snapshot.fleet.commune.timezone);
        let consent = camera.consent.as_ref()?;
        if let Some(why) = consent.lacks(now, zone) {
            return Some(format!("{}: {}", words(self.language).consent_over, why.text(self.language)));
        }
        let day = consent.until.filter(|_| consent.ends_soon(now, zone))?;
        Some(format!("{} {}", words(self.language).ends_on, whole_day(day)))
    }

    fn fields(&self, kind: Kind, value: &Value) -> Vec<FieldView> {
        let words = words(self.language);
        let text = |label, key, input: &'static str| FieldView {
            label,
            key,
            input: Input::Text(
                input,
                value.typed(key).replacen(' ', if input == "datetime-local" { "T" } else { " " }, 1),
            ),
        };
        let choices = &self.sheet.choices;
        let named = |id: &String| (id.clone(), format!("{} ({id})", self.person(id)));
        let people: Vec<(String, String)> = choices.people.keys().map(named).collect();
        match kind {
            Kind::Roster => vec![
                FieldView { label: words.people, key: "people", input: several(&people, &value.texts("people")) },
                text(words.start, "start", "date"),
                text(words.handover, "handover", "text"),
                text(words.days, "days", "number"),
            ],
            Kind::StandIn => {
                let everywhere = (String::new(), words.all_rotations.to_owned());
                let rotations = choices.rotations.iter().map(|id| (id.clone(), id.clone()));
                let rotations: Vec<_> = std::iter::once(everywhere).chain(rotations).collect();
                vec![
                    FieldView { label: words.person, key: "person", input: one(&people, &value.typed("person")) },
                    FieldView {
                        label: words.rotation,
                        key: "rotation",
                        input: one(&rotations, &value.typed("rotation")),
                    },
                    text(words.from, "from", "datetime-local"),
                    text(words.until, "until", "datetime-local"),
                    text(words.reason, "reason", "text"),
                ]
            }
            Kind::Reach | Kind::Calls => {
                let rings = kind == Kind::Calls;
                let (label, key) = if rings { (words.calls, "calls") } else { (words.channels, "channels") };
                let all =
                    choices.channels.iter().filter(|(_, kind)| matches!(kind.as_str(), "sip" | "stringee") == rings);
                let channels: Vec<_> = all.map(|(id, kind)| (id.clone(), format!("{id} ({kind})"))).collect();
                vec![FieldView { label, key, input: several(&channels, &value.texts(key)) }]
            }
            Kind::Address => {
                let keys = [(words.phone, "phone", "tel"), (words.chat, "chat", "text"), (words.to, "to", "email")];
                let there = keys.into_iter().filter(|(_, key, _)| value.get(key).is_some());
                there.map(|(label, key, input)| text(label, key, input)).collect()
            }
            Kind::Consent => vec![
                text(words.given, "given", "date"),
                text(words.scope, "scope", "text"),
                text(words.last_day, "until", "date"),
            ],
            Kind::Maintenance => {
                let scopes = self.scopes();
                let chosen = scope_of(value);
                vec![
                    FieldView { label: words.out_of_service, key: "scope", input: one(&scopes, &chosen) },
                    text(words.hours, "hours", "text"),
                    text(words.weekdays, "days", "text"),
                    text(words.or_once, "from", "datetime-local"),
                    text(words.until, "until", "datetime-local"),
                    text(words.author, "author", "text"),
                    text(words.reason, "reason", "text"),
                ]
            }
            Kind::SiteName | Kind::CameraName | Kind::PersonName => vec![text(words.name, "name", "text")],
            Kind::Notes | Kind::RecorderNotes => vec![text(words.notes, "notes", "text")],
        }
    }

    /// What may be out of service on purpose, as far as a form can offer it.
    pub(super) fn scopes(&self) -> Vec<(String, String)> {
        const MOST: usize = 500;
        let fleet = &self.snapshot.fleet;
        let mut scopes = vec![("all".to_owned(), words(self.language).everything.to_owned())];
        scopes.extend(fleet.links.iter().map(|(id, link)| (format!("link:{id}"), link.name.clone())));
        scopes.extend(fleet.areas.iter().map(|(id, area)| (format!("area:{id}"), area.name.clone())));
        scopes.extend(fleet.sites.iter().map(|(id, site)| (format!("site:{id}"), site.name.clone())));
        scopes
            .extend(fleet.cameras.iter().map(|(id, camera)| (format!("camera:{id}"), camera.public_name().to_owned())));
        let mine = |(scope, _): &(String, String)| {
            let may = |bounds: &Ground| scope.parse().is_ok_and(|scope| bounds.may_silence(&scope));
            self.bounds.as_ref().is_none_or(may)
        };
        scopes.retain(mine);
        scopes.truncate(MOST);
        scopes
    }
}

fn scope_of(value: &Value) -> String {
    let keys = ["camera", "site", "link", "area", "hamlet"];
    let one = keys.into_iter().find_map(|key| Some(format!("{key}:{}", value.get(key)?)));
    one.unwrap_or_else(|| "all".to_owned())
}

fn one(all: &[(String, String)], chosen: &str) -> Input {
    Input::Choices(vec![choice(all, chosen)])
}

/// Several in order, with room for more.
fn several(all: &[(String, String)], chosen: &[&str]) -> Input {
    let none = (String::new(), "–".to_owned());
    let all: Vec<_> = std::iter::once(none).chain(all.iter().cloned()).collect();
    let chosen = chosen.iter().copied().chain(std::iter::repeat_n("", MORE));
    Input::Choices(chosen.map(|chosen| choice(&all, chosen)).collect())
}

fn choice(all: &[(String, String)], chosen: &str) -> Vec<(String, String, bool)> {
    let mut choices: Vec<_> = all.iter().map(|(id, name)| (id.clone(), name.clone(), id == chosen)).collect();
    if !chosen.is_empty() && !all.iter().any(|(id, _)| id == chosen) {
        // What the files have no more stays to be seen.
        choices.push((chosen.to_owned(), chosen.to_owned(), true));
    }
    choices
}
