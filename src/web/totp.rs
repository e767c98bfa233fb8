//! Codes of an authenticator (RFC 6238): what they are worked out from, which step of time one is of, and how a phone takes
//! the seed over, as a link, as text and as a drawing.

use super::secrets;
use crate::{
    model::elapsed,
    rights::{Hash, Proof, SecondStep, Seed},
};
use argon2::password_hash::rand_core::{OsRng, RngCore};
use fast_qr::{ECL, QRBuilder};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use totp_rs::{Builder, Secret, Totp};

/// Recovery codes that somebody is given.
pub(super) const CODES: usize = 10;
/// How long a seed waits for its first code, and how many wait.
const WAITS: Duration = Duration::from_secs(10 * 60);
const WAITING: usize = 200;
/// Light around the drawing, in its squares: readers want as much.
const QUIET: usize = 4;

/// A new seed of 160 bits, as RFC 4226 advises.
pub(super) fn seed() -> Seed {
    let mut bytes = [0u8; 20];
    OsRng.fill_bytes(&mut bytes);
    Seed(Secret::from(bytes).to_base32())
}

/// What all authenticators can do: SHA-1, six digits, thirty seconds; the step before and after are taken, too, for clocks
/// that differ.
fn totp(seed: &Seed, issuer: &str, account: &str) -> Option<Totp> {
    let secret = Secret::try_from_base32(&seed.0).ok()?;
    // A colon would end it.
    let issuer = issuer.replace(':', " ");
    Builder::new().with_secret(secret).with_skew(1).with_issuer(Some(issuer)).with_account_name(account).build().ok()
}

/// The step of time that a code is right for, a step before and after now.
pub(super) fn step(seed: &Seed, code: &str, now: Timestamp) -> Option<u64> {
    let time = u64::try_from(now.as_second()).ok()?;
    totp(seed, "camhealth", "camhealth")?.check(code, time)
}

/// What somebody typed as a proof that counts; nothing where it does not.
pub(super) fn proof(second: &SecondStep, typed: &str, now: Timestamp) -> Option<Proof> {
    // Authenticators show a space in the middle.
    let typed: String = typed.chars().filter(|letter| !letter.is_whitespace()).take(64).collect();
    let is_code = typed.len() == 6 && typed.bytes().all(|letter| letter.is_ascii_digit());
    let proof = match is_code {
        true => Proof::Code(step(&second.seed, &typed, now)?),
        false => Proof::Recovery(known(&typed)),
    };
    second.shown(&proof).map(|_| proof)
}

/// A link by which an authenticator takes the seed over.
pub(super) fn link(seed: &Seed, issuer: &str, account: &str) -> Option<String> {
    totp(seed, issuer, account)?.to_url().ok()
}

/// The seed in groups that can be typed.
pub(super) fn spelled(seed: &Seed) -> String {
    let letters: Vec<char> = seed.0.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// A text as a drawing that phones read: the side in squares, and the path of the dark ones.
pub(super) fn drawn(text: &str) -> Option<(usize, String)> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    let mut path = String::new();
    for row in 0..code.size {
        for column in (0..code.size).filter(|column| code[row][*column].value()) {
            let _ = write!(path, "M{} {}h1v1h-1z", column + QUIET, row + QUIET);
        }
    }
    Some((code.size + 2 * QUIET, path))
}

/// New recovery codes, of 80 bits each: as they are shown once, and what is kept of them.
pub(super) fn recovery() -> Vec<(String, Hash)> {
    // Neither 0 and O nor 1 and L are told apart on paper.
    const LETTERS: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";
    let code = |_| {
        let mut bytes = [0u8; 16];
        OsRng.fill_bytes(&mut bytes);
        let letters: Vec<char> = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
        let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
        let told = groups.join("-");
        let kept = known(&told);
        (told, kept)
    };
    (0..CODES).map(code).collect()
}

/// What is kept of a recovery code, however it was typed.
pub(super) fn known(code: &str) -> Hash {
    let letters = code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase());
    secrets::known_as(&letters.collect::<String>())
}

/// Seeds that were shown, by account, and wait for a first code. They are in memory alone: whoever starts the daemon anew in
/// between begins anew.
#[derive(Default)]
pub(super) struct Waiting(Mutex<BTreeMap<String, (Seed, Timestamp)>>);

impl Waiting {
    /// Somebody was shown a seed.
    pub(super) fn put(&self, now: Timestamp, account: &str, seed: Seed) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, (_, since)| elapsed(now, *since) < WAITS);
        if waiting.len() < WAITING {
            waiting.insert(account.to_owned(), (seed, now));
        }
    }

    /// The seed that waits for somebody's code.
    pub(super) fn of(&self, now: Timestamp, account: &str) -> Option<Seed> {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.get(account).filter(|(_, since)| elapsed(now, *since) < WAITS).map(|(seed, _)| seed.clone())
    }

    /// It was confirmed.
    pub(super) fn done(&self, account: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    /// The vectors of RFC 6238, appendix B, of which six digits are the last of its eight.
    #[test]
    fn codes_are_those_of_the_standard_and_count_a_step_early_or_late() {
        let seed = Seed(Secret::from(*b"12345678901234567890").to_base32());
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let of = second as u64 / 30;
            for drift in [-30, 0, 30] {
                assert_eq!(step(&seed, code, at(second + drift)), Some(of), "{second} {drift}");
            }
            assert_eq!(step(&seed, code, at(second + 61)), None);
            assert_eq!(step(&seed, code, at((second - 61).max(100))), None);
        }
        for wrong in ["", "28708", "2870822", "28708x", "二八七〇八二"] {
            assert_eq!(step(&seed, wrong, at(59)), None, "{wrong}");
        }
    }

    #[test]
    fn a_phone_takes_the_seed_over_and_nothing_else_shows_it() {
        let seed = seed();
        assert_ne!(seed, super::seed());
        let link = link(&seed, "camhealth Hải Bình: xã", "an").expect("a link");
        assert!(link.starts_with("otpauth://totp/") && link.contains(&format!("secret={}", seed.0)), "{link}");
        let (side, path) = drawn(&link).expect("a drawing");
        assert!(side >= 21 + 8 && path.starts_with("M4 4h1v1h-1z"), "{side} {path}");
        assert_eq!(spelled(&seed).replace(' ', ""), seed.0);
        assert_eq!(format!("{seed:?}"), "…");
    }

    #[test]
    fn recovery_codes_differ_and_are_known_however_they_are_typed() {
        let codes = recovery();
        let kept: std::collections::BTreeSet<&Hash> = codes.iter().map(|(_, kept)| kept).collect();
        assert_eq!((codes.len(), kept.len()), (CODES, CODES));
        let (told, hash) = &codes[0];
        assert_eq!(told.len(), 19);
        assert_eq!(known(&told.to_uppercase().replace('-', " ")), *hash);
    }

    #[test]
    fn a_seed_waits_for_ten_minutes() {
        let waiting = Waiting::default();
        waiting.put(at(0), "an", Seed("A".into()));
        assert!(waiting.of(at(599), "an").is_some() && waiting.of(at(600), "an").is_none());
        assert!(waiting.of(at(1), "bo").is_none());
        waiting.done("an");
        assert!(waiting.of(at(1), "an").is_none());
    }
}
