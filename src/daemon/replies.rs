//! Reads what people answer to bots and by SMS, and takes incidents on for them.

use super::{
    answers::{Chats, ask, judged, names_by_channel},
    inbox,
    supervise::Outcome,
};
use crate::{
    clock::Clock,
    config::Config,
    deliver::{
        self,
        replies::{Bot, Reply, takes_on},
    },
    model::{Answered, Language},
    monitor::Event,
    request::{Done, Refused},
    web,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Wait after a bot could not be asked.
const RETRY: Duration = Duration::from_secs(10);

/// Runs until `stop`; begins anew when the channels change.
pub(super) async fn run(
    (http, clock): (reqwest::Client, Clock),
    mut configs: watch::Receiver<Arc<Config>>,
    (requests, news): (mpsc::Sender<web::Asked>, mpsc::Sender<Event>),
    stop: CancellationToken,
) -> Outcome {
    loop {
        let config = configs.borrow_and_update().clone();
        let mut asking = JoinSet::new();
        for (bot, chats) in bots(&config) {
            asking.spawn(listen(http.clone(), bot, chats, requests.clone()));
        }
        let numbers = inbox::numbers(&config);
        for folder in inbox::inboxes(&config) {
            let known = (folder, numbers.clone());
            asking.spawn(inbox::listen(clock.clone(), known, requests.clone(), news.clone()));
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
    let outcome = ask(requests, number, name, channel).await?;
    Some(told(&outcome, name, number, *language))
}

/// The same in words.
fn told(outcome: &Result<Done, Refused>, name: &str, number: u32, language: Language) -> String {
    let (judged, by) = judged(outcome, name);
    let told = deliver::answered(language, number, judged, by);
    match outcome {
        Err(refused) if judged == Answered::Refused => format!("{told}: {refused}."),
        _ => format!("{told}."),
    }
}
