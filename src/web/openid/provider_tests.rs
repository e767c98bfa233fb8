//! Tokens that do not hold, made with a key that the provider has, and with another; and a provider that is not there.

use super::*;
use openidconnect::{
    Audience, EmptyAdditionalClaims, EndUserEmail, EndUserUsername, JsonWebKeyId, JsonWebKeySet, PrivateSigningKey,
    StandardClaims, SubjectIdentifier,
    core::{CoreEdDsaPrivateSigningKey, CoreHmacKey},
};

const NOW: i64 = 1_790_000_000;
const SECRET: &str = "cửa hàng ven sông";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time in this century")
}

fn key() -> CoreEdDsaPrivateSigningKey {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
    let id = Some(JsonWebKeyId::new("k".into()));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pair.serialize_pem(), id).expect("a key")
}

fn provider(claim: Claim) -> Provider {
    let settings = OpenId {
        // Nobody listens there.
        issuer: "http://127.0.0.1:1".into(),
        client_id: "camhealth".into(),
        client_secret: SECRET.into(),
        name: "Tỉnh".into(),
        claim,
    };
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
    Provider::new(settings, http.expect("a client"))
}

fn client(provider: &Provider, known: &CoreEdDsaPrivateSigningKey) -> Client {
    let metadata: CoreProviderMetadata = serde_json::from_value(serde_json::json!({
        "issuer": provider.settings.issuer,
        "authorization_endpoint": "http://127.0.0.1:1/auth",
        "token_endpoint": "http://127.0.0.1:1/token",
        "jwks_uri": "http://127.0.0.1:1/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    }))
    .expect("a document");
    let metadata = metadata.set_jwks(JsonWebKeySet::new(vec![known.as_verification_key()]));
    provider.client(&metadata, "http://127.0.0.1/sign-in/openid/back").expect("a client")
}

/// A token, as a provider makes it.
#[derive(Clone)]
struct Made {
    issuer: &'static str,
    audience: Vec<&'static str>,
    nonce: &'static str,
    made: i64,
    until: i64,
    verified: bool,
}

impl Made {
    fn good() -> Self {
        let (issuer, audience) = ("http://127.0.0.1:1", vec!["camhealth"]);
        Self { issuer, audience, nonce: "n", made: NOW - 2, until: NOW + 60, verified: true }
    }

    fn claims(&self) -> CoreIdTokenClaims {
        let time = |second: i64| (SystemTime::UNIX_EPOCH + Duration::from_secs(second.unsigned_abs())).into();
        let standard = StandardClaims::new(SubjectIdentifier::new("7".into()))
            .set_preferred_username(Some(EndUserUsername::new("an".into())))
            .set_email(Some(EndUserEmail::new("an@tinh.vn".into())))
            .set_email_verified(Some(self.verified));
        let audience = self.audience.iter().map(|name| Audience::new((*name).to_owned())).collect();
        let issuer = IssuerUrl::new(self.issuer.into()).expect("a URL");
        CoreIdTokenClaims::new(issuer, audience, time(self.until), time(self.made), standard, EmptyAdditionalClaims {})
            .set_nonce(Some(Nonce::new(self.nonce.into())))
    }

    fn token(&self, key: &CoreEdDsaPrivateSigningKey) -> CoreIdToken {
        CoreIdToken::new(self.claims(), key, CoreJwsSigningAlgorithm::EdDsa, None, None).expect("a token")
    }
}

#[test]
fn a_token_holds_for_us_for_now_and_from_the_provider_alone() {
    let (provider, another, key) = (provider(Claim::PreferredUsername), key(), key());
    let client = client(&provider, &key);
    let holds = |token: &CoreIdToken| provider.checked(&client, token, &Nonce::new("n".into()), at(NOW)).is_ok();
    let good = Made::good();
    assert!(holds(&good.token(&key)));
    let wrong: [(&str, Made); 7] = [
        ("another provider's", Made { issuer: "http://127.0.0.1:2", ..good.clone() }),
        ("for another program", Made { audience: vec!["other"], ..good.clone() }),
        ("for another program too", Made { audience: vec!["camhealth", "other"], ..good.clone() }),
        ("of another sign-in", Made { nonce: "m", ..good.clone() }),
        ("over", Made { until: NOW - 1, ..good.clone() }),
        ("made long ago", Made { made: NOW - 3600, ..good.clone() }),
        ("made in a time to come", Made { made: NOW + 3600, until: NOW + 7200, ..good.clone() }),
    ];
    for (what, made) in wrong {
        assert!(!holds(&made.token(&key)), "{what}");
    }
    assert!(!holds(&good.token(&another)), "signed by somebody else");
    let shared = CoreHmacKey::new(SECRET);
    let by_secret = CoreIdToken::new(good.claims(), &shared, CoreJwsSigningAlgorithm::HmacSha256, None, None);
    assert!(!holds(&by_secret.expect("a token")), "signed by a secret that is shared");
}

#[test]
fn a_name_is_what_the_claim_says_and_an_address_only_where_it_is_verified() {
    let name = |claim, verified| provider(claim).name_in(&Made { verified, ..Made::good() }.claims());
    assert_eq!(name(Claim::PreferredUsername, false).as_deref(), Some("an"));
    assert_eq!(name(Claim::Subject, false).as_deref(), Some("7"));
    assert_eq!(name(Claim::Email, true).as_deref(), Some("an@tinh.vn"));
    assert_eq!(name(Claim::Email, false), None);
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_said_to_be_so_and_its_secret_is_in_no_debug() {
    let provider = provider(Claim::Email);
    for second in [0, 1, AGAIN + 1] {
        let begun = provider.begin(at(NOW + second), "http://127.0.0.1/sign-in/openid/back".into()).await;
        assert_eq!(begun.err(), Some(Trouble::Unreachable));
    }
    assert!(!format!("{:?}", provider.settings).contains(SECRET));
}
