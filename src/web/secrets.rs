//! Secrets that visitors show, and what is kept of them: made at random, and known again by their hashes.

use crate::{model::hex, rights::Hash};
use argon2::{
    Argon2,
    password_hash::{
        PasswordHash, PasswordHasher, PasswordVerifier, SaltString,
        rand_core::{OsRng, RngCore},
    },
};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::{Digest, Sha256};

/// Letters of a password at least. NIST SP 800-63B asks for 8 where there is nothing else, and advises against rules on
/// what they are.
pub(super) const SHORTEST: usize = 10;
/// What is hashed at most.
pub(super) const LONGEST: usize = 200;

/// A secret of 160 bits, as letters and digits that can stand in an address.
pub(super) fn secret() -> SecretString {
    let mut bytes = [0u8; 20];
    OsRng.fill_bytes(&mut bytes);
    hex(&bytes).into()
}

/// A new link by which somebody chooses a password: its path, and what is kept of it.
pub fn invitation() -> (SecretString, Hash) {
    let secret = secret();
    (format!("/join/{}", secret.expose_secret()).into(), known_as(secret.expose_secret()))
}

/// What is kept of a secret: it is random and long, so a plain hash says nothing of it.
pub(super) fn known_as(secret: &str) -> Hash {
    Hash(hex(&Sha256::digest(secret)))
}

/// What is kept of a password: Argon2id with the parameters that its crate advises (19 MiB, 2 passes). It takes some
/// hundredths of a second on purpose.
pub(super) fn hashed(password: &SecretString) -> Option<Hash> {
    let salt = SaltString::generate(&mut OsRng);
    let hash = Argon2::default().hash_password(password.expose_secret().as_bytes(), &salt).ok()?;
    Some(Hash(hash.to_string()))
}

/// Whether a password is the one that this was kept of. Without one it takes as long, so that nobody learns by the clock
/// which accounts there are.
pub(super) fn is_right(password: &SecretString, kept: Option<&Hash>) -> bool {
    /// Of no password: nobody knows one that gives it.
    const NONE: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$Y2FtaGVhbHRoY2FtaGVhbHRo$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let Ok(hash) = PasswordHash::new(kept.map_or(NONE, |kept| &kept.0)) else { return false };
    Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok() && kept.is_some()
}

/// What a form of ours holds, so that a page of somebody else's cannot send it for whoever is signed in here.
pub(super) fn form_token(key: &SecretSlice<u8>, pass: &Hash) -> String {
    hex(&mac(key, &format!("form|{}", pass.0))[..16])
}

/// What says that somebody has just shown the password of an account and nothing else: for the form that asks for a code.
/// Another password makes another.
pub(super) fn half_way(key: &SecretSlice<u8>, second: i64, account: &str, password: &Hash) -> String {
    format!("{second}.{}", hex(&mac(key, &format!("half way|{second}|{account}|{}", password.0))))
}

/// What a passkey keeps of its owner: the same for an account each time, and nothing that tells who it is.
pub(super) fn handle(key: &SecretSlice<u8>, account: &str) -> [u8; 16] {
    let mut handle = [0; 16];
    handle.copy_from_slice(&mac(key, &format!("passkey|{account}"))[..16]);
    handle
}

/// What proves that whoever asks can read the journal of this machine, for one request within a minute.
pub fn machine_token(key: &SecretSlice<u8>, second: i64, method: &str, path: &str) -> String {
    format!("{second}.{}", hex(&mac(key, &format!("machine|{second}|{method}|{path}"))))
}

/// Whether two texts are the same; takes the same time wherever they differ.
pub(super) fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

fn mac(key: &SecretSlice<u8>, text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret()).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other() {
        let password = SecretString::from("mật khẩu của tôi");
        let kept = hashed(&password).expect("a hash");
        assert!(kept.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && !format!("{kept:?}").contains("argon2"));
        assert!(is_right(&password, Some(&kept)));
        assert!(!is_right(&"mật khẩu của toi".into(), Some(&kept)) && !is_right(&password, None));
        assert_ne!(hashed(&password), Some(kept), "each has its own salt");
    }

    #[test]
    fn secrets_differ_and_say_nothing_of_each_other() {
        let (a, b) = (secret(), secret());
        assert_eq!(a.expose_secret().len(), 40);
        assert_ne!(a.expose_secret(), b.expose_secret());
        assert_ne!(known_as(a.expose_secret()), known_as(b.expose_secret()));
        assert!(same("ab", "ab") && !same("ab", "ac") && !same("ab", "abc"));
    }
}
