//! Ordering a certificate: by `instant-acme`, over our own HTTP client.

use super::{Acme, Proofs};
use crate::web::{
    asking::{self, LARGEST},
    private::write,
};
use axum::{body::Bytes, http::Request};
use futures_util::FutureExt;
use instant_acme::{
    Account, AuthorizationStatus, BodyWrapper, BytesResponse, ChallengeType, Error, HttpClient, Identifier, NewAccount,
    NewOrder, OrderStatus, RetryPolicy,
};
use std::{pin::Pin, time::Duration};

/// How long one answer of the authority may take.
const ANSWER: Duration = Duration::from_secs(30);
/// How long the authority may take until it has looked at the proof, and until it has signed.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The authority did not answer, or refused.
    #[error("the authority: {0}")]
    Authority(#[from] Error),
    /// It found no proof, or not ours.
    #[error(
        "the authority found no proof that this is the machine of {names}: {why}; it asks each name over http:// at port 80, \
         which must lead to [web.acme] listen"
    )]
    Proof {
        /// The names.
        names: String,
        /// What it says.
        why: String,
    },
    /// It offers none that can be given over HTTP.
    #[error("the authority takes no proof over HTTP (HTTP-01) for {0}")]
    NoWay(String),
    /// What was given cannot be kept.
    #[error("it cannot be kept: {0}")]
    Disk(#[from] std::io::Error),
    /// The authority's roots cannot be used.
    #[error("the authority's roots: {0}")]
    Roots(String),
    /// The file of the account is none.
    #[error("account.json is broken: remove it, and another account is made")]
    Account,
}

impl Acme {
    /// Orders one and keeps it in the file that pages are encrypted with.
    pub async fn order(&self, http: &reqwest::Client, proofs: &Proofs) -> Result<(), Trouble> {
        let outcome = self.ordered(self.client(http).await?, proofs).await;
        proofs.clear();
        let pem = outcome?;
        let file = self.file();
        tokio::task::spawn_blocking(move || write(&file, &pem)).await.map_err(std::io::Error::other)??;
        Ok(())
    }

    /// Our client; one that trusts a private authority's roots beside others, where there are some.
    async fn client(&self, http: &reqwest::Client) -> Result<Client, Trouble> {
        let Some(path) = self.roots.clone() else { return Ok(Client(http.clone())) };
        let roots = |why: String| Trouble::Roots(why);
        let pem = tokio::fs::read(&path).await.map_err(|error| roots(format!("{}: {error}", path.display())))?;
        let all = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| roots(error.to_string()))?;
        let client = reqwest::Client::builder().tls_certs_merge(all).build();
        client.map(Client).map_err(|error| roots(error.to_string()))
    }

    async fn account(&self, client: Client) -> Result<Account, Trouble> {
        let builder = Account::builder_with_http(Box::new(client));
        if let Ok(kept) = tokio::fs::read(self.account_file()).await {
            let kept: Kept = serde_json::from_slice(&kept).map_err(|_| Trouble::Account)?;
            // Another authority knows nothing of it.
            if kept.directory == self.directory.as_str() {
                return Ok(builder.from_credentials(kept.credentials).await?);
            }
        }
        let contact: Vec<String> = self.contact.iter().map(|contact| format!("mailto:{contact}")).collect();
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let (account, credentials) = builder.create(&new, self.directory.to_string(), None).await?;
        let kept = Kept { directory: self.directory.to_string(), credentials };
        let text = serde_json::to_string(&kept).map_err(std::io::Error::other)?;
        let path = self.account_file();
        tokio::task::spawn_blocking(move || write(&path, &text)).await.map_err(std::io::Error::other)??;
        Ok(account)
    }

    /// The certificate and its key in PEM.
    async fn ordered(&self, client: Client, proofs: &Proofs) -> Result<String, Trouble> {
        let account = self.account(client).await?;
        let names: Vec<Identifier> = self.names.iter().cloned().map(Identifier::Dns).collect();
        let mut order = account.new_order(&NewOrder::new(&names)).await?;
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            let name = authorization.identifier().to_string();
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let mut challenge = authorization.challenge(ChallengeType::Http01).ok_or(Trouble::NoWay(name))?;
            proofs.put(challenge.token.clone(), challenge.key_authorization().as_str().to_owned());
            challenge.set_ready().await?;
        }
        let patience = RetryPolicy::default().timeout(PATIENCE);
        let proof = |why: String| Trouble::Proof { names: self.names.join(", "), why };
        match order.poll_ready(&patience).await {
            Ok(OrderStatus::Ready) => {}
            Ok(status) => return Err(proof(format!("the order is {status:?}"))),
            Err(Error::Api(problem)) => return Err(proof(problem.to_string())),
            Err(other) => return Err(other.into()),
        }
        let key = order.finalize().await?;
        let chain = order.poll_certificate(&patience).await?;
        Ok(format!("{chain}\n{key}"))
    }
}

/// The account as it is kept, and at which authority.
#[derive(serde::Serialize, serde::Deserialize)]
struct Kept {
    directory: String,
    credentials: instant_acme::AccountCredentials,
}

/// Our HTTP client, with bounds.
struct Client(reqwest::Client);

impl HttpClient for Client {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let http = self.0.clone();
        async move { asked(http, request).await.map_err(|error| Error::Other(error.into())) }.boxed()
    }
}

async fn asked(http: reqwest::Client, request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, String> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(axum::body::Body::new(body), LARGEST).await.map_err(|error| error.to_string())?;
    let answer = asking::asked(&http, Request::from_parts(parts, body), ANSWER).await;
    let (parts, body) = answer.map_err(|error| error.to_string())?.into_parts();
    Ok(BytesResponse { parts, body: Box::new(Bytes::from(body)) })
}
