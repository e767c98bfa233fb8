//! What answers have in common, whichever way they come: who is behind them, and what becomes of them.

use crate::{
    alert,
    model::{Answered, Language, PersonId},
    request::{Done, Refused, Request},
    rights::{By, Who},
    web,
};
use std::collections::BTreeMap;
use tokio::sync::{mpsc, oneshot};

/// Somebody who is known: name, channel and language.
pub(super) type Known = (String, String, Language);

/// Who is behind a chat, or a telephone number.
pub(super) type Chats = BTreeMap<String, Known>;

/// The name of the first person whom each channel reaches.
pub(super) fn names_by_channel(people: &BTreeMap<PersonId, alert::Person>) -> BTreeMap<&str, &str> {
    let mut names = BTreeMap::new();
    for person in people.values() {
        for channel in &person.channels {
            names.entry(channel.as_str()).or_insert(person.name.as_str());
        }
    }
    names
}

/// Takes an incident on for somebody who answered over a channel.
pub(super) async fn ask(
    requests: &mpsc::Sender<web::Asked>,
    number: u32,
    name: &str,
    channel: &str,
) -> Option<Result<Done, Refused>> {
    let (answer, answered) = oneshot::channel();
    let request = Request::TakeOn { incident: number.to_string(), by: name.to_owned(), via: channel.to_owned() };
    let by = By { who: Who::Called(name.to_owned()), from: channel.to_owned() };
    // waits: replies -> event_loop
    requests.send(web::Asked { request, by, answer }).await.ok()?;
    answered.await.ok()
}

/// What became of it, and by whom it is taken on.
pub(super) fn judged<'o>(outcome: &'o Result<Done, Refused>, name: &'o str) -> (Answered, &'o str) {
    match outcome {
        Ok(Done::TakenOnBefore { by, .. }) if by != name => (Answered::TakenBefore, by),
        Ok(_) => (Answered::Taken, name),
        Err(Refused::NotDurable) => (Answered::NotDurable, name),
        Err(Refused::Unknown(_) | Refused::Over(_)) => (Answered::Unknown, name),
        Err(_) => (Answered::Refused, name),
    }
}
