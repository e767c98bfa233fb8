//! What the provider is asked, within bounds of time and size, and that what it says is its own, of now, and for us.
//!
//! Signatures, issuer, audience, end and nonce are `openidconnect`'s to look at. Nothing of codes, tokens and secrets is in what
//! goes wrong: of each error there is a word of ours.

use crate::{
    rights::Vouched,
    web::{
        asking,
        settings::{Claim, OpenId},
    },
};
use futures_util::{FutureExt, future::BoxFuture};
use jiff::Timestamp;
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, SignatureVerificationError, TokenResponse,
    core::{
        CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims,
        CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreUserInfoClaims,
    },
};
use secrecy::ExposeSecret;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::sync::Mutex;
use url::Url;

/// Longest wait for one answer of the provider.
const ANSWER: Duration = Duration::from_secs(8);
/// Seconds for which its discovery document and its keys are taken from memory.
const FRESH: i64 = 3600;
/// Seconds before it is asked again when it did not answer, or when a key was not among those that it gave.
const AGAIN: i64 = 15;
/// Seconds by which the provider's clock may differ where it says when a token was made.
const SKEW: i64 = 600;

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// Why nobody is vouched for. Its words are for the log: they hold nothing that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error("it cannot be reached, or does not answer in time")]
    Unreachable,
    #[error("what it answers is not OpenID Connect: is [web.openid] issuer written as the provider writes it?")]
    Strange,
    #[error("it does not take the code: is client_secret the one that it knows?")]
    Code,
    #[error("its token does not hold: signature, issuer, audience, time or nonce are wrong")]
    Token,
}

/// What went wrong on the way to it; it names no address, which may hold a code.
#[derive(Debug, thiserror::Error)]
#[error("no answer of the provider")]
struct NoAnswer;

/// A sign-in that was begun.
pub(in crate::web) struct Begun {
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    /// Where the provider sends the browser back to.
    back: String,
}

impl Begun {
    pub(super) fn state(&self) -> &str {
        self.state.secret()
    }
}

/// What is known of it.
#[derive(Default)]
struct Known {
    metadata: Option<(Timestamp, Arc<CoreProviderMetadata>)>,
    /// When it was asked last.
    asked: Option<Timestamp>,
}

/// The provider.
pub struct Provider {
    settings: OpenId,
    http: reqwest::Client,
    known: Mutex<Known>,
}

impl Provider {
    /// One that is asked by this client, which must follow no redirects: they could lead anywhere.
    pub fn new(settings: OpenId, http: reqwest::Client) -> Self {
        Self { settings, http, known: Mutex::default() }
    }

    /// What stands on the button.
    pub(in crate::web) fn name(&self) -> &str {
        &self.settings.name
    }

    /// Where the browser is sent, and what its answer must fit.
    pub(super) async fn begin(&self, now: Timestamp, back: String) -> Result<(Url, Begun), Trouble> {
        let metadata = self.metadata(now, FRESH).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = self.client(&metadata, &back)?;
        let request =
            client.authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random);
        let scope = match self.settings.claim {
            Claim::PreferredUsername => Some("profile"),
            Claim::Email => Some("email"),
            Claim::Subject => None,
        };
        let request = request.add_scopes(scope.map(|scope| Scope::new(scope.to_owned())));
        let (url, state, nonce) = request.set_pkce_challenge(challenge).url();
        Ok((url, Begun { state, nonce, verifier, back }))
    }

    /// Whom the provider vouches for by a code.
    pub(super) async fn end(&self, now: Timestamp, begun: Begun, code: String) -> Result<Vouched, Trouble> {
        let metadata = self.metadata(now, FRESH).await?;
        let (client, http) = (self.client(&metadata, &begun.back)?, self.asking());
        let request = client.exchange_code(AuthorizationCode::new(code)).map_err(|_| Trouble::Strange)?;
        let answer = request.set_pkce_verifier(begun.verifier).request_async(&http).await;
        let answer = answer.map_err(|error| match error {
            RequestTokenError::ServerResponse(_) => Trouble::Code,
            RequestTokenError::Request(_) => Trouble::Unreachable,
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => Trouble::Strange,
        })?;
        let token = answer.id_token().ok_or(Trouble::Strange)?;
        let claims = match self.checked(&client, token, &begun.nonce, now) {
            // It has new keys since.
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
                let metadata = self.metadata(now, AGAIN).await?;
                let client = self.client(&metadata, &begun.back)?;
                self.checked(&client, token, &begun.nonce, now).cloned().map_err(|_| Trouble::Token)?
            }
            checked => checked.cloned().map_err(|_| Trouble::Token)?,
        };
        let name = match self.name_in(&claims) {
            Some(name) => Some(name),
            // Many providers tell names by another answer alone.
            None => {
                let subject = Some(claims.subject().clone());
                let request = client.user_info(answer.access_token().clone(), subject).map_err(|_| Trouble::Strange)?;
                let told: CoreUserInfoClaims = request.request_async(&http).await.map_err(|_| Trouble::Strange)?;
                self.name_told(&told)
            }
        };
        Ok(Vouched { issuer: self.settings.issuer.clone(), subject: claims.subject().to_string(), name })
    }

    fn name_in(&self, claims: &CoreIdTokenClaims) -> Option<String> {
        match self.settings.claim {
            Claim::PreferredUsername => claims.preferred_username().map(|name| name.to_string()),
            Claim::Email => {
                claims.email().filter(|_| claims.email_verified() == Some(true)).map(|name| name.to_string())
            }
            Claim::Subject => Some(claims.subject().to_string()),
        }
    }

    fn name_told(&self, told: &CoreUserInfoClaims) -> Option<String> {
        match self.settings.claim {
            Claim::PreferredUsername => told.preferred_username().map(|name| name.to_string()),
            Claim::Email => told.email().filter(|_| told.email_verified() == Some(true)).map(|name| name.to_string()),
            Claim::Subject => Some(told.subject().to_string()),
        }
    }

    /// The claims of a token that holds.
    fn checked<'t>(
        &self,
        client: &Client,
        token: &'t CoreIdToken,
        nonce: &Nonce,
        now: Timestamp,
    ) -> Result<&'t CoreIdTokenClaims, ClaimsVerificationError> {
        use CoreJwsSigningAlgorithm as By;
        let made = move |at: i64| match at.abs_diff(now.as_second()) <= SKEW.unsigned_abs() {
            true => Ok(()),
            false => Err("it was made at another time".to_owned()),
        };
        let verifier = client
            .id_token_verifier()
            // Those of which the provider alone has the key: no secret that is shared, and none at all, signs.
            .set_allowed_algs([
                By::RsaSsaPkcs1V15Sha256,
                By::RsaSsaPkcs1V15Sha384,
                By::RsaSsaPkcs1V15Sha512,
                By::RsaSsaPssSha256,
                By::RsaSsaPssSha384,
                By::RsaSsaPssSha512,
                By::EcdsaP256Sha256,
                By::EcdsaP384Sha384,
                By::EdDsa,
            ])
            .set_time_fn(move || (SystemTime::UNIX_EPOCH + Duration::from_secs(now.as_second().unsigned_abs())).into())
            .set_issue_time_verifier_fn(move |at| made(at.timestamp()));
        token.claims(&verifier, nonce)
    }

    fn client(&self, metadata: &CoreProviderMetadata, back: &str) -> Result<Client, Trouble> {
        let secret = ClientSecret::new(self.settings.client_secret.expose_secret().to_owned());
        let id = ClientId::new(self.settings.client_id.clone());
        let back = RedirectUrl::new(back.to_owned()).map_err(|_| Trouble::Strange)?;
        let client = CoreClient::from_provider_metadata(metadata.clone(), id, Some(secret)).set_redirect_uri(back);
        let ways = metadata.token_endpoint_auth_methods_supported();
        let in_body = ways.is_some_and(|ways| !ways.contains(&CoreClientAuthMethod::ClientSecretBasic));
        Ok(if in_body { client.set_auth_type(openidconnect::AuthType::RequestBody) } else { client })
    }

    /// Its discovery document and its keys, of so many seconds ago at most where it answers. One that does not answer is asked
    /// again after a while only, so that not everybody waits for it; what it said before is good meanwhile.
    async fn metadata(&self, now: Timestamp, fresh: i64) -> Result<Arc<CoreProviderMetadata>, Trouble> {
        let mut known = self.known.lock().await;
        let within =
            |at: Timestamp, seconds: i64| (0..seconds).contains(&now.as_second().saturating_sub(at.as_second()));
        if let Some((_, metadata)) = known.metadata.as_ref().filter(|(at, _)| within(*at, fresh)) {
            return Ok(metadata.clone());
        }
        if !known.asked.is_some_and(|at| within(at, AGAIN)) {
            known.asked = Some(now);
            let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(|_| Trouble::Strange)?;
            let http = self.asking();
            match CoreProviderMetadata::discover_async(issuer, &http).await {
                Ok(metadata) => known.metadata = Some((now, Arc::new(metadata))),
                Err(openidconnect::DiscoveryError::Request(_)) if known.metadata.is_none() => {
                    return Err(Trouble::Unreachable);
                }
                Err(_) if known.metadata.is_none() => return Err(Trouble::Strange),
                Err(_) => tracing::warn!("the provider of OpenID Connect does not answer; what it said before is used"),
            }
        }
        known.metadata.as_ref().map(|(_, metadata)| metadata.clone()).ok_or(Trouble::Unreachable)
    }

    /// What sends its requests.
    fn asking(
        &self,
    ) -> impl Fn(HttpRequest) -> BoxFuture<'static, Result<HttpResponse, NoAnswer>> + Send + Sync + use<> {
        let (http, encrypted) = (self.http.clone(), self.settings.issuer.starts_with("https:"));
        move |request| asked(http.clone(), encrypted, request).boxed()
    }
}

/// One request and its answer. Where the provider is known by an encrypted address, nothing is sent to it in plain text.
async fn asked(http: reqwest::Client, encrypted: bool, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
    if encrypted && request.uri().scheme_str() != Some("https") {
        return Err(NoAnswer);
    }
    asking::asked(&http, request, ANSWER).await.map_err(|_| NoAnswer)
}

#[cfg(test)]
#[path = "provider_tests.rs"]
mod tests;
