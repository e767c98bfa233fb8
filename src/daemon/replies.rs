//! Reads what people answer to bots, and takes incidents on for them.

use super::{event_loop::DeliverSettings, supervise::Outcome};
use crate::{
    deliver::replies::{Bot, Reply, takes_on},
    model::{Language, Snapshot},
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
    mut settings: watch::Receiver<DeliverSettings>,
    people: impl Fn() -> BTreeMap<String, String>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    requests: mpsc::Sender<web::Request>,
    stop: CancellationToken,
) -> Outcome {
    loop {
        let current = settings.borrow_and_update().clone();
        let mut asking = JoinSet::new();
        for (bot, chats) in bots(&current, &people()) {
            asking.spawn(listen(http.clone(), bot, chats, snapshots.clone(), requests.clone()));
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            changed = settings.changed() => if changed.is_err() { return Err("the event loop is gone".to_owned()) },
            // Each listens for ever: nobody would notice that answers are not heard any more.
            Some(ended) = asking.join_next() => return Err(match ended {
                Ok(()) => "a bot is no longer listened to".to_owned(),
                Err(error) => format!("a bot is no longer listened to: {error}"),
            }),
        }
    }
}

/// Each bot once, with the chats that are known to it.
fn bots(settings: &DeliverSettings, people: &BTreeMap<String, String>) -> Vec<(Bot, Chats)> {
    let mut bots: Vec<(Bot, Chats)> = Vec::new();
    for (id, channel) in &settings.deliver.channels {
        let (Some(bot), Some(chat)) = (Bot::of(&channel.target), channel.target.chat()) else { continue };
        let name = people.get(id.as_str()).cloned().unwrap_or_else(|| id.to_string());
        let entry = (chat.to_owned(), (name, id.to_string(), channel.language));
        match bots.iter_mut().find(|(known, _)| known.is_same(&bot)) {
            Some((_, chats)) => drop(chats.insert(entry.0, entry.1)),
            None => bots.push((bot, Chats::from([entry]))),
        }
    }
    bots
}

async fn listen(
    http: reqwest::Client,
    mut bot: Bot,
    chats: Chats,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    requests: mpsc::Sender<web::Request>,
) {
    loop {
        match bot.replies(&http).await {
            Ok(replies) => {
                for reply in replies {
                    if let Some(answer) = take_on(&reply, &chats, &snapshots, &requests).await {
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
async fn take_on(
    reply: &Reply,
    chats: &Chats,
    snapshots: &watch::Receiver<Arc<Snapshot>>,
    requests: &mpsc::Sender<web::Request>,
) -> Option<String> {
    let (name, channel, language) = chats.get(&reply.chat)?;
    let number = takes_on(&reply.text)?;
    let incident = snapshots.borrow().incident(&number.to_string()).cloned();
    let taken_by = incident.filter(|incident| incident.closed.is_none()).and_then(|incident| incident.ack.clone());
    if let Some(ack) = taken_by.filter(|ack| ack.by != *name) {
        return Some(match language {
            Language::Vi => format!("Sự cố #{number} đã được {} nhận trước đó.", ack.by),
            Language::En => format!("{} has taken incident #{number} on already.", ack.by),
        });
    }
    let (answer, answered) = oneshot::channel();
    let command = web::Command::Acknowledge { incident: number.to_string(), by: name.clone(), via: channel.clone() };
    // waits: replies -> event_loop
    requests.send(web::Request { command, answer }).await.ok()?;
    Some(match (answered.await.ok()?, language) {
        (Ok(_), Language::Vi) => format!("Đã ghi nhận: {name} nhận sự cố #{number}."),
        (Ok(_), Language::En) => format!("Noted: {name} takes incident #{number} on."),
        (Err(web::Refusal::Refused(_)), Language::Vi) => format!("Không có sự cố #{number} đang mở."),
        (Err(web::Refusal::Refused(_)), Language::En) => format!("There is no open incident #{number}."),
        (Err(web::Refusal::NotRemembered), Language::Vi) => {
            format!("{name} nhận sự cố #{number}, nhưng chưa ghi được vào nhật ký: hãy báo người quản trị.")
        }
        (Err(web::Refusal::NotRemembered), Language::En) => {
            format!("{name} takes incident #{number} on, but the journal cannot be written: tell whoever maintains it.")
        }
    })
}
