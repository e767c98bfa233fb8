//! E-mail by SMTP; later messages of an incident answer the first, so that mail programs show one thread.

use super::{
    Letter, Receipt, Refusal, Tell,
    settings::{Email, Tls},
};
use async_trait::async_trait;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor, message::header::ContentType,
    transport::smtp::authentication::Credentials,
};
use secrecy::ExposeSecret;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(15);

pub(super) struct Mailbox {
    pub(super) settings: Email,
}

#[async_trait]
impl Tell for Mailbox {
    async fn tell(&self, letter: &Letter<'_>) -> Result<Receipt, Refusal> {
        let never = |what: &str| Refusal { permanent: true, ..Refusal::passing(what) };
        let id = |key: &str| format!("<{key}@camhealth>");
        let mut message = Message::builder()
            .from(self.settings.from.parse().map_err(|_| never("the sender is no address"))?)
            .to(self.settings.to.parse().map_err(|_| never("the receiver is no address"))?)
            .message_id(Some(id(letter.key)))
            .subject(&letter.message.title)
            .header(ContentType::TEXT_PLAIN);
        if letter.notice.step() > 1 {
            let first = id(&format!("{}-1", letter.notice.id()));
            message = message.in_reply_to(first.clone()).references(first);
        }
        let message = message.body(letter.message.whole()).map_err(|_| never("no mail can be made of the message"))?;
        self.transport()?.send(message).await.map(|_| None).map_err(|error| {
            // lettre's own words may hold the server's, which may hold anything.
            let reason = match (error.status(), error.is_timeout()) {
                (Some(code), _) => format!("SMTP {code}"),
                (None, true) => "no answer in time".to_owned(),
                (None, false) => "no connection, or none that can be trusted".to_owned(),
            };
            Refusal { permanent: error.is_permanent(), ..Refusal::passing(reason) }
        })
    }
}

impl Mailbox {
    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, Refusal> {
        let host = self.settings.host.as_str();
        let unusable = |_| Refusal { permanent: true, ..Refusal::passing("the SMTP server's name cannot be used") };
        let builder = match self.settings.tls {
            Tls::Implicit => AsyncSmtpTransport::<Tokio1Executor>::relay(host).map_err(unusable)?,
            Tls::StartTls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(host).map_err(unusable)?,
            Tls::None => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host),
        };
        let mut builder = builder.port(self.settings.port).timeout(Some(TIMEOUT));
        if let Some((user, password)) = &self.settings.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
        }
        Ok(builder.build())
    }
}
