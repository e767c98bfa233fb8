//! What a form holds, as a wish: which thing, what its sender saw of it, and what they typed.

use crate::edits::{Field, Form, Item, Kind, Value, Wish};

/// What somebody typed and wishes.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    pub(super) wish: Wish,
    /// What was typed, whether the files are to hold again or not.
    pub(super) value: Value,
}

impl Typed {
    /// Of a form's fields; `None` where it names nothing that can be edited. Who plans maintenance is known by name, if
    /// they signed in.
    pub(super) fn of(form: Vec<(String, String)>, name: Option<&str>) -> Option<Self> {
        let first = |key: &str| form.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str());
        let item = Item::new(first("kind")?.parse().ok()?, first("id").unwrap_or_default());
        let mut value = Value::default();
        for (key, form_of) in item.kind.keys() {
            let mut all = form.iter().filter(|(known, _)| known == key).map(|(_, value)| value.trim()).peekable();
            if all.peek().is_none() {
                continue;
            }
            let field = match form_of {
                Form::List => {
                    let texts = all.flat_map(|value| value.split(',')).map(str::trim).filter(|text| !text.is_empty());
                    Field::List(texts.map(str::to_owned).collect())
                }
                // Browsers put a T between a day and a time.
                _ if matches!(*key, "from" | "until") && item.kind != Kind::Consent => {
                    Field::Text(all.next().unwrap_or_default().replacen('T', " ", 1))
                }
                _ => Field::Text(all.next().unwrap_or_default().to_owned()),
            };
            value = value.with(key, field);
        }
        // What the files say of it is to hold no more.
        let strikes = first("deed") == Some("strike") && item.kind.is_added();
        if strikes {
            value = Value::default();
        } else if item.kind == Kind::Maintenance {
            value = scope(&form, value);
            if let Some(name) = name {
                value = value.text("author", name);
            }
        }
        let back = first("deed") == Some("back");
        let version = first("version").unwrap_or_default().to_owned();
        Some(Self { wish: Wish { item, version, value: (!back).then(|| value.clone()) }, value })
    }
}

/// One choice says what is out of service: `camera:cho-01`, or `all`.
fn scope(form: &[(String, String)], value: Value) -> Value {
    let chosen = form.iter().find(|(key, _)| key == "scope").map(|(_, scope)| scope.as_str());
    match chosen.map(|scope| scope.split_once(':').unwrap_or((scope, ""))) {
        Some(("all", _)) => value.with("all", Field::Truth(true)),
        Some((key @ ("camera" | "site" | "link" | "area" | "hamlet"), id)) => value.text(key, id),
        _ => value,
    }
}
