//! The logins of a device: who may try one now, and what a rejection means for the next.
//!
//! Common makes lock an account or an address for half an hour after three to seven wrong passwords, a recorder for
//! all its channels. So a login that was rejected is tried once more when such a lockout has passed, and then not
//! again until the configuration changes. The strikes survive a restart.

use crate::model::{Camera, Check, DeviceId, FailureKind, LoginRecord, later};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Rejections after which only a change of the configuration helps.
const STRIKES: u8 = 2;

/// Both logins of a device.
#[derive(Debug, Clone)]
pub(super) struct Gates {
    device: DeviceId,
    fingerprint: u16,
    rtsp: Gate,
    onvif: Gate,
    /// Looks under way that log in.
    flying: usize,
    /// Those of them that began before the last strike. What they find is of before it, so it takes nothing back.
    old: usize,
}

/// The login over one protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Gate {
    strikes: u8,
    until: Option<Timestamp>,
    good: bool,
    /// Whether the password was good elsewhere after the last strike, so that the strike is this protocol's alone.
    refuted: bool,
}

/// Whether a look that logs in may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    Now,
    At(Timestamp),
    /// Another login to the device is under way.
    Busy,
    Never,
}

impl Gates {
    pub(super) fn new(device: DeviceId, fingerprint: u16) -> Self {
        Self { device, fingerprint, rtsp: Gate::default(), onvif: Gate::default(), flying: 0, old: 0 }
    }

    /// As an earlier run left it, if it was about the same address and login.
    pub(super) fn restore(&mut self, record: &LoginRecord) {
        if record.fingerprint == self.fingerprint {
            let gate = if record.onvif { &mut self.onvif } else { &mut self.rtsp };
            let (strikes, until, good) = (record.strikes.min(STRIKES), record.until, record.good);
            *gate = Gate { strikes, until, good, refuted: false };
        }
    }

    /// Takes in the configuration: another login or address begins anew.
    pub(super) fn configure(&mut self, fingerprint: u16) {
        if self.fingerprint != fingerprint {
            let flying = self.flying;
            *self = Self { flying, ..Self::new(self.device.clone(), fingerprint) };
        }
    }

    pub(super) fn pass(&self, check: Check, now: Timestamp) -> Pass {
        let gates: &[Gate] = match check {
            Check::Liveness => return Pass::Now,
            Check::Stream | Check::Survey => &[self.rtsp],
            // Makes count failures by address: while RTSP rejects the login, ONVIF is left alone.
            Check::Device => &[self.rtsp, self.onvif],
        };
        if gates.iter().any(|gate| gate.strikes >= STRIKES) {
            return Pass::Never;
        }
        let until = gates.iter().filter(|gate| gate.strikes > 0).filter_map(|gate| gate.until).max();
        if let Some(until) = until.filter(|until| *until > now) {
            return Pass::At(until);
        }
        // As many as may still be rejected. One that was never good, or is in doubt, goes alone.
        let doubtful = !self.rtsp.good || self.rtsp.strikes > 0 || (self.onvif.strikes > 0 && !self.onvif.refuted);
        let allowed = if doubtful { 1 } else { usize::from(STRIKES) };
        if self.flying >= allowed { Pass::Busy } else { Pass::Now }
    }

    pub(super) fn begin(&mut self, check: Check) {
        self.flying += usize::from(check != Check::Liveness);
    }

    /// Takes in how a look ended; what is to be remembered, if that changed anything. `known` is false for a look of
    /// a configuration that no longer holds: it frees its place and says nothing.
    pub(super) fn finished(
        &mut self,
        now: Timestamp,
        check: Check,
        failure: Option<FailureKind>,
        retry_after: Duration,
        known: bool,
    ) -> Option<LoginRecord> {
        if check == Check::Liveness {
            return None;
        }
        self.flying = self.flying.saturating_sub(1);
        // After a strike the login is in doubt, and nothing new begins before these have ended.
        let old = self.old > 0;
        self.old = self.old.saturating_sub(1);
        if !known {
            return None;
        }
        let onvif = check == Check::Device;
        let unrefuted = if self.onvif.refuted { 0 } else { self.onvif.strikes };
        let gate = if onvif { &mut self.onvif } else { &mut self.rtsp };
        let before = *gate;
        match failure {
            Some(kind) if kind.refuses_login() => {
                // What ONVIF rejected since RTSP was last good was the same wrong password.
                let more = 1 + if onvif { 0 } else { unrefuted };
                gate.strikes = gate.strikes.saturating_add(more).min(STRIKES);
                gate.until = Some(later(now, retry_after));
                gate.refuted = false;
                self.old = self.flying;
            }
            None if old => {}
            None => *gate = Gate { good: true, ..Gate::default() },
            // What failed for another reason says nothing of the login.
            Some(_) => {}
        }
        let changed = *gate != before;
        if !onvif && failure.is_none() && !old {
            self.onvif.refuted = true;
        }
        changed.then(|| self.record(onvif))
    }

    pub(super) fn strikes(&self, onvif: bool) -> u8 {
        if onvif { self.onvif.strikes } else { self.rtsp.strikes }
    }

    fn record(&self, onvif: bool) -> LoginRecord {
        let gate = if onvif { self.onvif } else { self.rtsp };
        LoginRecord {
            device: self.device.clone(),
            onvif,
            fingerprint: self.fingerprint,
            strikes: gate.strikes,
            until: gate.until,
            good: gate.good,
        }
    }
}

/// Sixteen bits of a hash over what a login is tried with: enough to notice a change, too few to find a password by.
pub(super) fn fingerprint<'c>(cameras: impl Iterator<Item = &'c Camera>) -> u16 {
    cameras.fold(0, |all, camera| {
        let mut hash = Sha256::new();
        hash.update(camera.device.as_str());
        hash.update(camera.rtsp.host_str().unwrap_or_default());
        hash.update(camera.rtsp.port().unwrap_or(554).to_be_bytes());
        if let Some(login) = &camera.login {
            hash.update(&login.username);
            hash.update([0]);
            hash.update(login.password.expose_secret());
        }
        let hash = hash.finalize();
        // Turned, so that two channels with the same login do not cancel out.
        all.rotate_left(1) ^ u16::from_be_bytes([hash[0], hash[1]])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: Duration = Duration::from_secs(35 * 60);

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(60 * minute).expect("a small time")
    }

    fn look(gates: &mut Gates, minute: i64, check: Check, failure: Option<FailureKind>) -> bool {
        if gates.pass(check, at(minute)) != Pass::Now {
            return false;
        }
        gates.begin(check);
        gates.finished(at(minute), check, failure, AFTER, true);
        true
    }

    #[test]
    fn two_rejections_and_never_again() {
        let mut gates = Gates::new("d".into(), 1);
        let tries: Vec<i64> =
            (0..10_000).filter(|minute| look(&mut gates, *minute, Check::Stream, Some(FailureKind::Auth))).collect();
        assert_eq!(tries, [0, 35]);
        assert_eq!(gates.pass(Check::Device, at(20_000)), Pass::Never);
        gates.configure(2);
        assert_eq!(gates.pass(Check::Stream, at(20_000)), Pass::Now);
    }

    /// A look that began before the strike, and ends well after it, was let in by the password of before.
    #[test]
    fn what_began_before_a_strike_takes_nothing_back() {
        for (rejected, slow) in
            [(Check::Stream, Check::Stream), (Check::Device, Check::Stream), (Check::Stream, Check::Device)]
        {
            let mut gates = Gates::new("d".into(), 1);
            assert!(look(&mut gates, 0, Check::Stream, None) && look(&mut gates, 0, Check::Device, None));
            gates.begin(slow);
            gates.begin(rejected);
            gates.finished(at(1), rejected, Some(FailureKind::Auth), AFTER, true);
            gates.finished(at(2), slow, None, AFTER, true);
            assert_eq!(gates.strikes(rejected == Check::Device), 1, "{rejected:?}, {slow:?}");
            // Nor do two go at once after it.
            let goes = |gates: &Gates, minute| gates.pass(Check::Stream, at(minute)) == Pass::Now;
            assert!(goes(&gates, 40));
            gates.begin(Check::Stream);
            assert!(!goes(&gates, 40), "{rejected:?}, {slow:?}");
        }
    }

    #[test]
    fn a_login_in_doubt_goes_alone_and_a_good_one_in_twos() {
        let mut gates = Gates::new("d".into(), 1);
        gates.begin(Check::Stream);
        assert_eq!(gates.pass(Check::Stream, at(0)), Pass::Busy);
        gates.finished(at(0), Check::Stream, None, AFTER, true);
        gates.begin(Check::Stream);
        assert_eq!(gates.pass(Check::Survey, at(0)), Pass::Now);
        gates.begin(Check::Survey);
        assert_eq!(gates.pass(Check::Device, at(0)), Pass::Busy);
        assert_eq!(gates.pass(Check::Liveness, at(0)), Pass::Now);
    }

    #[test]
    fn a_password_that_was_changed_costs_two_rejections_over_both_protocols() {
        let mut gates = Gates::new("d".into(), 1);
        assert!(look(&mut gates, 0, Check::Stream, None));
        assert!(look(&mut gates, 1, Check::Device, None));
        assert!(look(&mut gates, 2, Check::Device, Some(FailureKind::Auth)));
        assert!(look(&mut gates, 3, Check::Stream, Some(FailureKind::Auth)));
        assert_eq!(gates.pass(Check::Stream, at(10_000)), Pass::Never);
    }

    #[test]
    fn what_only_onvif_rejects_does_not_blind_the_stream() {
        let mut gates = Gates::new("d".into(), 1);
        assert!(look(&mut gates, 0, Check::Stream, None));
        assert!(look(&mut gates, 1, Check::Device, Some(FailureKind::Auth)));
        assert!(look(&mut gates, 2, Check::Stream, None));
        assert!(look(&mut gates, 40, Check::Device, Some(FailureKind::Auth)));
        assert!(look(&mut gates, 41, Check::Stream, Some(FailureKind::NoMedia)));
        assert_eq!(gates.pass(Check::Device, at(10_000)), Pass::Never);
        assert_eq!(gates.pass(Check::Stream, at(10_000)), Pass::Now);
    }

    #[test]
    fn a_restart_forgives_nothing_and_another_login_begins_anew() {
        let mut gates = Gates::new("d".into(), 1);
        gates.begin(Check::Stream);
        let record = gates.finished(at(0), Check::Stream, Some(FailureKind::Auth), AFTER, true).expect("a strike");
        let mut after = Gates::new("d".into(), 1);
        after.restore(&record);
        assert_eq!(after.pass(Check::Stream, at(10)), Pass::At(at(35)));
        let mut changed = Gates::new("d".into(), 2);
        changed.restore(&record);
        assert_eq!(changed.pass(Check::Stream, at(10)), Pass::Now);
    }

    #[test]
    fn fingerprints_tell_logins_apart() {
        let with = |password: &str| Camera {
            login: Some(std::sync::Arc::new(crate::model::Login {
                allow_basic: false,
                username: "u".into(),
                password: password.to_owned().into(),
            })),
            ..Camera::new("cam", "rtsp://10.0.0.1/sub".parse().expect("a URL"))
        };
        let of = |password: &str| fingerprint([with(password)].iter());
        assert_eq!(of("a"), of("a"));
        assert_ne!(of("a"), of("b"));
    }
}
