//! The pages' certificate: whether it can be used, when it ends, and how orders of the next one went.

use super::made::made;
use jiff::Timestamp;
use prometheus::{Gauge, IntCounterVec, IntGauge, Opts, Registry};

/// What is told of the pages' certificate.
#[derive(Debug)]
pub struct CertificateMetrics {
    ok: IntGauge,
    ends: Gauge,
    orders: IntCounterVec,
}

impl Default for CertificateMetrics {
    fn default() -> Self {
        let metrics = Self {
            ok: made(IntGauge::new(
                "camhealth_web_certificate_last_read_successful",
                "1 if the certificate's files could be used when they were last read; 1 without any.",
            )),
            ends: made(Gauge::new(
                "camhealth_web_certificate_expiry_timestamp_seconds",
                "When the certificate of pages and metrics ends, as Unix time in seconds; 0 without one.",
            )),
            orders: made(IntCounterVec::new(
                Opts::new(
                    "camhealth_web_certificate_orders_total",
                    "Certificates that were ordered from an authority (ACME), by outcome.",
                ),
                &["outcome"],
            )),
        };
        metrics.ok.set(1);
        metrics
    }
}

impl CertificateMetrics {
    pub(super) fn register(&self, registry: &Registry) {
        made(registry.register(Box::new(self.ok.clone())));
        made(registry.register(Box::new(self.ends.clone())));
        made(registry.register(Box::new(self.orders.clone())));
    }

    /// When it ends, and whether its files are good.
    pub fn set(&self, ends: Timestamp, good: bool) {
        self.ends.set(ends.as_second() as f64);
        self.ok.set(i64::from(good));
    }

    /// An authority was asked for one.
    pub fn ordered(&self, given: bool) {
        self.orders.with_label_values(&[if given { "given" } else { "failed" }]).inc();
    }
}
