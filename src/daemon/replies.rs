//! Reads what people answer to bots, and takes incidents on for them.

use super::supervise::Outcome;
use crate::{
    alert,
    config::Config,
    deliver::replies::{Bot, Reply, takes_on},
    model::{Language, PersonId},
    request::{Done, Refused, Request},
    rights::{By, Who},
    web,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Wait after a bot could not be asked.
const RETRY: Duration = Duration::from_secs(10);

/// Who is behind a chat: name, channel and language.
type Chats = BTreeMap<String, (String, String, Language)>;

/// Runs until `stop`; begins anew when the channels change.
pub(super) async fn run(
    http: reqwest::Client,
    mut configs: watch::Receiver<Arc<Config>>,
    requests: mpsc::Sender<web::Asked>,
    stop: CancellationToken,
) -> Outcome {
    loop {
        let config = configs.borrow_and_update().clone();
        let mut asking = JoinSet::new();
        for (bot, chats) in bots(&config) {
            asking.spawn(listen(http.clone(), bot, chats, requests.clone()));
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            changed = configs.changed() => if changed.is_err() { return Err("the event loop is gone".to_owned()) },
            // Each listens for ever: nobody would notice that answers are not heard any more.
            Some(ended) = asking.join_next() => return Err(match ended {
                Ok(()) => "a bot is no longer listened to".to_owned(),
                Err(error) => format!("a bot is no longer listened to: {error}"),
            }),
        }
    }
}

/// Each bot once, with the chats that are known to it.
fn bots(config: &Config) -> Vec<(Bot, Chats)> {
    let people = names_by_channel(&config.alert.people);
    let mut bots: Vec<(Bot, Chats)> = Vec::new();
    for (id, channel) in &config.deliver.channels {
        let (Some(bot), Some(chat)) = (Bot::of(&channel.target), channel.target.chat()) else { continue };
        let name = people.get(id.as_str()).map_or_else(|| id.to_string(), |name| (*name).to_owned());
        let entry = (chat.to_owned(), (name, id.to_string(), channel.language));
        match bots.iter_mut().find(|(known, _)| known.is_same(&bot)) {
            Some((_, chats)) => drop(chats.insert(entry.0, entry.1)),
            None => bots.push((bot, Chats::from([entry]))),
        }
    }
    bots
}

/// The name of the first person whom each channel reaches.
fn names_by_channel(people: &BTreeMap<PersonId, alert::Person>) -> BTreeMap<&str, &str> {
    let mut names = BTreeMap::new();
    for person in people.values() {
        for channel in &person.channels {
            names.entry(channel.as_str()).or_insert(person.name.as_str());
        }
    }
    names
}

async fn listen(http: reqwest::Client, mut bot: Bot, chats: Chats, requests: mpsc::Sender<web::Asked>) {
    loop {
        match bot.replies(&http).await {
            Ok(replies) => {
                for reply in replies {
                    if let Some(answer) = take_on(&reply, &chats, &requests).await {
                        // What was done is done, whether the answer arrives or not.
                        let _ = bot.answer(&http, &reply.chat, &answer).await;
                    }
                }
            }
            Err(refusal) => {
                tracing::warn!(%refusal, "a bot cannot be asked for replies");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Does what a reply asks for; what to answer. Strangers are not answered.
async fn take_on(reply: &Reply, chats: &Chats, requests: &mpsc::Sender<web::Asked>) -> Option<String> {
    let (name, channel, language) = chats.get(&reply.chat)?;
    let number = takes_on(&reply.text)?;
    let (answer, answered) = oneshot::channel();
    let request = Request::TakeOn { incident: number.to_string(), by: name.clone(), via: channel.clone() };
    let by = By { who: Who::Called(name.clone()), from: channel.clone() };
    // waits: replies -> event_loop
    requests.send(web::Asked { request, by, answer }).await.ok()?;
    Some(told(&answered.await.ok()?, name, number, *language))
}

/// What became of it, in words.
fn told(outcome: &Result<Done, Refused>, name: &str, number: u32, language: Language) -> String {
    match outcome {
        Ok(Done::TakenOnBefore { by, .. }) if by != name => language.pick(
            format!("Sự cố #{number} đã được {by} nhận trước đó."),
            format!("{by} has taken incident #{number} on already."),
        ),
        Ok(_) => language.pick(
            format!("Đã ghi nhận: {name} nhận sự cố #{number}."),
            format!("Noted: {name} takes incident #{number} on."),
        ),
        Err(Refused::NotDurable) => language.pick(
            format!("{name} nhận sự cố #{number}, nhưng chưa ghi được vào nhật ký: hãy báo người quản trị."),
            format!(
                "{name} takes incident #{number} on, but the journal cannot be written: tell whoever maintains it."
            ),
        ),
        Err(Refused::Unknown(_) | Refused::Over(_)) => {
            language.pick(format!("Không có sự cố #{number} đang mở."), format!("There is no open incident #{number}."))
        }
        Err(refused) => language.pick(
            format!("Chưa ghi nhận được sự cố #{number}: {refused}."),
            format!("Incident #{number} could not be taken on: {refused}."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Unknown;

    #[test]
    fn each_outcome_has_its_words() {
        let before = |by: &str| Ok(Done::TakenOnBefore { number: 17, by: by.into() });
        let unknown = Err(Refused::Unknown(Unknown::Incident("17".into())));
        #[rustfmt::skip]
        let cases = [
            (Ok(Done::TakenOn { number: 17 }), "Đã ghi nhận: An nhận sự cố #17.", "Noted: An takes incident #17 on."),
            (before("An"), "Đã ghi nhận: An nhận sự cố #17.", "Noted: An takes incident #17 on."),
            (before("Bình"), "Sự cố #17 đã được Bình nhận trước đó.", "Bình has taken incident #17 on already."),
            (unknown, "Không có sự cố #17 đang mở.", "There is no open incident #17."),
            (Err(Refused::Over("17".into())), "Không có sự cố #17 đang mở.", "There is no open incident #17."),
            (Err(Refused::NotDurable), "An nhận sự cố #17, nhưng chưa ghi được vào nhật ký: hãy báo người quản trị.",
                "An takes incident #17 on, but the journal cannot be written: tell whoever maintains it."),
        ];
        for (outcome, vietnamese, english) in cases {
            assert_eq!(told(&outcome, "An", 17, Language::Vi), vietnamese);
            assert_eq!(told(&outcome, "An", 17, Language::En), english);
        }
    }
}
