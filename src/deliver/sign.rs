//! Links by which somebody takes an incident on without a login: signed, so that nobody else can make one.

use crate::model::hex;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;
use url::Url;

/// Characters of the signature in a link: 80 bits, too many to try over HTTP.
const SHOWN: usize = 20;

/// HMAC-SHA256.
pub fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// The signature of an incident, of the round of its telling, and of who takes it on.
pub fn signature(key: &SecretSlice<u8>, incident: &str, round: u32, person: &str) -> String {
    let mut text = hex(&mac(key.expose_secret(), format!("ack|{incident}|{round}|{person}").as_bytes()));
    text.truncate(SHOWN);
    text
}

/// Whether a signature is right; takes the same time whatever is wrong with it.
pub fn is_signed(key: &SecretSlice<u8>, incident: &str, round: u32, person: &str, given: &str) -> bool {
    let right = signature(key, incident, round, person);
    let differs = right.bytes().zip(given.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b));
    right.len() == given.len() && differs == 0
}

/// The link for one person, good until somebody has taken the incident on: when that runs out, the next round has
/// another.
pub fn link(page: &Url, key: &SecretSlice<u8>, incident: &str, round: u32, person: &str) -> Option<Url> {
    let mut link = page.clone();
    let signature = signature(key, incident, round, person);
    link.path_segments_mut().ok()?.pop_if_empty().extend(["ack", incident, person, &signature]);
    Some(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_good_for_one_incident_one_round_and_one_person() {
        let key = SecretSlice::from(b"key".to_vec());
        let page = "http://xa.lan:9740/".parse().expect("a URL");
        let link = link(&page, &key, "17", 1, "an").expect("a link");
        let parts: Vec<&str> = link.path_segments().expect("a path").collect();
        assert_eq!((parts[0], parts[1], parts[2], parts[3].len()), ("ack", "17", "an", SHOWN));
        let right = parts[3];
        assert!(is_signed(&key, "17", 1, "an", right));
        for (incident, round, person, given) in [
            ("18", 1, "an", right),
            ("17", 0, "an", right),
            ("17", 2, "an", right),
            ("17", 1, "binh", right),
            ("17", 1, "an", ""),
        ] {
            assert!(!is_signed(&key, incident, round, person, given));
        }
    }
}
