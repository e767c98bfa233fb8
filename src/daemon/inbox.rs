//! Reads what people answer by SMS, and takes incidents on for those whose numbers are known.

use super::answers::{Chats, Known, ask, judged, names_by_channel};
use crate::{
    clock::Clock,
    config::Config,
    deliver::{Target, dialled, inbox::Inbox, replies::takes_on},
    model::{ChannelId, Note, Recipient, hex},
    monitor::Event,
    web,
};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};
use tokio::{sync::mpsc, task::spawn_blocking};

/// How often the folder is looked at: whoever answers waits for a word.
const EVERY: Duration = Duration::from_secs(2);
/// Wait after it could not be.
const RETRY: Duration = Duration::from_secs(60);

/// Each inbox once.
pub(super) fn inboxes(config: &Config) -> Vec<PathBuf> {
    let inboxes = config.deliver.channels.values().filter_map(|channel| match &channel.target {
        Target::Gammu { inbox, .. } => inbox.clone(),
        _ => None,
    });
    let mut inboxes: Vec<PathBuf> = inboxes.collect();
    inboxes.sort();
    inboxes.dedup();
    inboxes
}

/// Who is behind a number, by the first person's channel that leads to it; answered over a modem, where there is one.
pub(super) fn numbers(config: &Config) -> Chats {
    let people = names_by_channel(&config.alert.people);
    let mut numbers: BTreeMap<String, (bool, Known)> = BTreeMap::new();
    for (id, channel) in &config.deliver.channels {
        let Some(number) = channel.target.sms().and_then(|sms| dialled(&sms.phone)) else { continue };
        // A number that is nobody's own takes nothing on: a shared one may lie on any desk.
        let Some(name) = people.get(id.as_str()) else { continue };
        let by_modem = matches!(channel.target, Target::Gammu { .. });
        let known = (by_modem, ((*name).to_owned(), id.to_string(), channel.language));
        match numbers.get(&number) {
            Some((was_by_modem, _)) if *was_by_modem || !by_modem => {}
            _ => drop(numbers.insert(number, known)),
        }
    }
    numbers.into_iter().map(|(number, (_, known))| (number, known)).collect()
}

/// Listens to one inbox for ever.
pub(super) async fn listen(
    clock: Clock,
    (folder, numbers): (PathBuf, Chats),
    requests: mpsc::Sender<web::Asked>,
    news: mpsc::Sender<Event>,
) {
    let mut inbox = Inbox::of(&folder);
    loop {
        let now = clock.now();
        let looked = spawn_blocking(move || {
            let found = inbox.look(now);
            (inbox, found)
        });
        let Ok((back, found)) = looked.await else { return };
        inbox = back;
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "the modem's inbox cannot be read");
                tokio::time::sleep(RETRY).await;
                continue;
            }
        };
        for written in found {
            // Strangers change nothing and are not answered, and neither is what is no answer.
            let (Some((name, channel, _)), Some(number)) = (numbers.get(&written.from), takes_on(&written.text)) else {
                continue;
            };
            let Some(outcome) = ask(&requests, number, name, channel).await else { continue };
            let (outcome, by) = judged(&outcome, name);
            let note = Note::Answer { number, outcome, by: by.to_owned() };
            let to = Recipient { person: None, channels: vec![ChannelId::from(channel.as_str())], rings: false };
            // Named after what it answers: were it read again, nobody would be answered twice.
            let hash = Sha256::digest(format!("{}\n{}", written.file, written.text));
            let id = format!("answer-{}", hex(&hash[..12]));
            // waits: inbox -> event_loop
            let _ = news.send(Event::Note { id, note, to: Some(to) }).await;
            let (folder, file) = (folder.clone(), written.file);
            let moved = spawn_blocking(move || Inbox::of(&folder).put_aside(&file)).await;
            if let Ok(Err(error)) = moved {
                tracing::error!(%error, "what was answered cannot be moved out of the modem's inbox; a later start reads it again");
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load_with;

    #[test]
    fn only_numbers_of_people_are_known_and_a_modem_answers() {
        let folder = tempfile::tempdir().expect("a folder");
        let main = folder.path().join("camhealth.toml");
        let channel =
            |id: &str, kind: &str, rest: &str| format!("[[channel]]\nid = \"{id}\"\ntype = \"{kind}\"\n{rest}\n");
        let text = [
            "[commune]\nname = \"Xã Thử\"\nbeing_set_up = true\n".to_owned(),
            channel("a-http", "sms_http", "url = \"http://10.0.0.1/\"\nphone = \"0900000001\""),
            channel("an", "gammu", "phone = \"+84900000001\"\ninbox = \"/var/spool/gammu/inbox\""),
            channel("duty", "gammu", "phone = \"+84900000009\"\ninbox = \"/var/spool/gammu/inbox\""),
            "[[person]]\nid = \"an\"\nname = \"Trung úy An\"\nchannels = [\"a-http\", \"an\"]\n".to_owned(),
            "[rotation]\npeople = [\"an\"]\nstart = \"2026-11-02\"\n[alert]\nchannels = [\"duty\"]\n".to_owned(),
        ];
        std::fs::write(&main, text.concat()).expect("it can be written");
        let config = load_with(&main, &|_| None).expect("it is valid");
        assert_eq!(inboxes(&config), [PathBuf::from("/var/spool/gammu/inbox")]);
        let numbers = numbers(&config);
        let known: Vec<_> =
            numbers.iter().map(|(number, (name, channel, _))| (&**number, &**name, &**channel)).collect();
        assert_eq!(known, [("84900000001", "Trung úy An", "an")]);
    }
}
