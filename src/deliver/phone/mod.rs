//! Telephone calls over an exchange that speaks SIP: a provider's trunk, a PBX, or a GSM gateway beside the machine.
//!
//! What a call does is decided by the core (`call`); here it is dialled ([`agent`], on `rsipstack`), spoken ([`speech`]) and
//! listened to for keys ([`media`]). What it is about is a [`Matter`], which the daemon answers for.

mod agent;
mod keys;
mod matter;
mod media;
mod rtp;
mod sdp;
mod speech;
mod talk;
mod tls;
mod trunk;
mod words;

pub use agent::{Alive, alive};
pub use matter::{Matter, Rehearsal};
pub use speech::Voice;
pub use tls::{KnownBy, encrypt_calls};
pub use trunk::{Transport, Trunk};

use super::{Dispatch, Receipt, Refusal};
use crate::{
    call::{Outcome, Settings},
    model::Language,
};
use std::time::Duration;

/// Who is not reached may be so in a little while: two calls within three minutes pass what is called "repeated calls" on
/// telephones that are set to leave their owner in peace.
const AGAIN: Duration = Duration::from_secs(20);

/// A telephone.
#[derive(Debug, Clone)]
pub struct Phone {
    /// Over which exchange it is called.
    pub trunk: std::sync::Arc<Trunk>,
    /// Its number.
    pub number: String,
    /// For how long it rings.
    pub ring: Duration,
}

/// Calls somebody, if the notice is worth a call: an alarm, or a test.
pub(super) async fn tell(
    phone: &Phone,
    language: Language,
    voice: &Voice,
    dispatch: &Dispatch<'_>,
) -> Result<Receipt, Refusal> {
    let notice = dispatch.notice;
    if !notice.rings() {
        return Ok(None);
    }
    let rehearsal = Rehearsal;
    let matter: &dyn Matter = dispatch.matter.unwrap_or(&rehearsal);
    let script = words::Script { language, zone: dispatch.zone, notice, matter };
    let talk = talk::Talk { phone, settings: Settings { ring: phone.ring }, matter, script, voice };
    let outcome = talk.hold().await;
    if outcome.is_told() { Ok(Some(outcome.as_str().to_owned())) } else { Err(refusal(outcome)) }
}

/// The words of a call without keys, as they stand.
pub(super) fn spoken(dispatch: &Dispatch<'_>, language: Language) -> String {
    let rehearsal = Rehearsal;
    let matter: &dyn Matter = dispatch.matter.unwrap_or(&rehearsal);
    let pieces = words::Script { language, zone: dispatch.zone, notice: dispatch.notice, matter }.news();
    pieces.into_iter().map(|piece| piece.text).collect::<Vec<_>>().join(" ")
}

/// What a call that told nobody is for whoever keeps the outbox.
pub(super) fn refusal(outcome: Outcome) -> Refusal {
    let unreached = outcome.is_put_through();
    let wait = (unreached && !outcome.is_permanent()).then_some(AGAIN);
    Refusal { wait, permanent: outcome.is_permanent(), unreached, ..Refusal::passing(outcome.text()) }
}
