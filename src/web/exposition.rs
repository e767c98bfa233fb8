//! `/metrics`: in the format that the scraper prefers, compressed where it asks, and worked out once for all who ask.

use crate::model::Snapshot;
use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};
use std::{
    io::Write,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{sync::Mutex, time::Instant};

/// How old metrics may be that the daemon counts beside the snapshot.
const KEPT: Duration = Duration::from_secs(1);
/// A scraper waits for the compressing too, and lines that repeat themselves become a tenth by the least effort.
const EFFORT: Compression = Compression::fast();
/// Below this a packet or two hold it as it is.
const SMALL: usize = 4096;

/// The formats that Prometheus reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Format {
    /// Version 0.0.4 of Prometheus' own.
    Text,
    /// OpenMetrics 1.0.0.
    Open,
}

impl Format {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::Open => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// OpenMetrics where it is asked for at least as much as anything else.
    fn wanted(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let weight = |kind: &str| offers(accept).filter(|(offer, _)| *offer == kind).map(|(_, weight)| weight).max();
        match weight("application/openmetrics-text") {
            Some(open) if open > 0 && open >= weight("text/plain").unwrap_or(0) => Self::Open,
            _ => Self::Text,
        }
    }
}

/// What a header of offers names, each with its weight in thousandths.
fn offers(text: &str) -> impl Iterator<Item = (&str, u32)> {
    text.split(',').map(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f64>().ok()).unwrap_or(1.0);
        (name, (weight.clamp(0.0, 1.0) * 1000.0) as u32)
    })
}

/// The last snapshot's metrics. Whoever makes them holds the lock until they are made, even if the one who asked goes
/// away: so no flood makes them twice at once.
#[derive(Default)]
pub(super) struct Kept(Arc<Mutex<Option<Made>>>);

struct Made {
    /// The snapshot that they are of. It is not kept for them: all that has changed since would be held twice.
    of: Weak<Snapshot>,
    at: Instant,
    text: Bytes,
    /// Other forms of the same, made when first asked for.
    forms: Vec<((Format, bool), Bytes)>,
}

impl Kept {
    /// The answer to a scraper that sent these headers.
    pub(super) async fn answer(
        &self,
        snapshot: Arc<Snapshot>,
        headers: &HeaderMap,
        render: Arc<dyn Fn(&Snapshot) -> String + Send + Sync>,
    ) -> Response {
        let format = Format::wanted(headers);
        let encodings = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let packs = offers(encodings).any(|(name, weight)| name == "gzip" && weight > 0);
        match self.get(snapshot, format, packs, render).await {
            Ok((body, packed)) => {
                let vary = (header::VARY, HeaderName::as_str(&header::ACCEPT_ENCODING).to_owned());
                let mut response =
                    ([(header::CONTENT_TYPE, format.content_type().to_owned()), vary], body).into_response();
                if packed {
                    response.headers_mut().insert(header::CONTENT_ENCODING, header::HeaderValue::from_static("gzip"));
                }
                response
            }
            Err(error) => {
                tracing::error!(%error, "metrics cannot be rendered");
                (StatusCode::INTERNAL_SERVER_ERROR, "metrics cannot be rendered; see the log\n").into_response()
            }
        }
    }

    /// The metrics of a snapshot, packed if that is wished and they are not small. While they are made others wait, and
    /// then get the same. That takes a while of a large fleet, which whoever is served by the same thread must not wait
    /// for.
    async fn get(
        &self,
        snapshot: Arc<Snapshot>,
        format: Format,
        packs: bool,
        render: Arc<dyn Fn(&Snapshot) -> String + Send + Sync>,
    ) -> std::io::Result<(Bytes, bool)> {
        let mut kept = self.0.clone().lock_owned().await;
        if let Some(made) = kept.as_ref().filter(|made| made.is_fresh(&snapshot))
            && let Some(form) = made.known((format, made.packed(packs)))
        {
            return Ok((form, made.packed(packs)));
        }
        let make = move || {
            if !kept.as_ref().is_some_and(|made| made.is_fresh(&snapshot)) {
                let text = Bytes::from(render(&snapshot));
                *kept = Some(Made { of: Arc::downgrade(&snapshot), at: Instant::now(), text, forms: Vec::new() });
            }
            let Some(made) = kept.as_mut() else { return Ok((Bytes::new(), false)) };
            let packed = made.packed(packs);
            Ok((made.form((format, packed))?, packed))
        };
        tokio::task::spawn_blocking(make).await.map_err(std::io::Error::other)?
    }
}

impl Made {
    fn is_fresh(&self, snapshot: &Arc<Snapshot>) -> bool {
        std::ptr::eq(self.of.as_ptr(), Arc::as_ptr(snapshot)) && self.at.elapsed() < KEPT
    }

    /// Whether it is worth packing, if that is wished.
    fn packed(&self, wished: bool) -> bool {
        wished && self.text.len() > SMALL
    }

    /// A form that was made already.
    fn known(&self, form: (Format, bool)) -> Option<Bytes> {
        if form == (Format::Text, false) {
            return Some(self.text.clone());
        }
        self.forms.iter().find(|(made, _)| *made == form).map(|(_, bytes)| bytes.clone())
    }

    fn form(&mut self, (format, packed): (Format, bool)) -> std::io::Result<Bytes> {
        if let Some(bytes) = self.known((format, packed)) {
            return Ok(bytes);
        }
        let bytes = if packed {
            pack(&self.form((format, false))?)?
        } else {
            open(&String::from_utf8_lossy(&self.text)).into()
        };
        self.forms.push(((format, packed), bytes.clone()));
        Ok(bytes)
    }
}

fn pack(text: &[u8]) -> std::io::Result<Bytes> {
    let mut packed = GzEncoder::new(Vec::with_capacity(text.len() / 8), EFFORT);
    packed.write_all(text)?;
    Ok(packed.finish()?.into())
}

/// The same in OpenMetrics: a counter's family has its name without `_total`, and the end is marked.
fn open(text: &str) -> String {
    let mut open = String::with_capacity(text.len() + 8);
    for line in text.split_inclusive('\n') {
        let head = line.strip_prefix("# ").and_then(|rest| rest.split_once(' '));
        let name = head.and_then(|(word, rest)| Some((word, rest.split_once(' ')?)));
        match name.and_then(|(word, (name, rest))| Some((word, name.strip_suffix("_total")?, rest))) {
            Some((word, name, rest)) => open.extend(["# ", word, " ", name, " ", rest]),
            None => open.push_str(line),
        }
    }
    open.push_str("# EOF\n");
    open
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn wanted(accept: &str) -> Format {
        let value = accept.parse().expect("a header");
        Format::wanted(&HeaderMap::from_iter([(header::ACCEPT, value)]))
    }

    #[test]
    fn scrapers_get_the_format_that_they_prefer() {
        // As Prometheus 2.42, curl and an old client ask.
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
            text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(wanted(prometheus), Format::Open);
        assert_eq!(wanted("*/*"), Format::Text);
        assert_eq!(wanted("text/plain;version=0.0.4;q=1,*/*;q=0.1"), Format::Text);
        assert_eq!(wanted("text/plain, application/openmetrics-text;q=0.5"), Format::Text);
        assert_eq!(wanted("application/openmetrics-text;q=0"), Format::Text);
        assert_eq!(Format::wanted(&HeaderMap::new()), Format::Text);
    }

    #[test]
    fn open_metrics_names_counters_without_their_ending_and_ends() {
        let text = "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"# y_total z\"} 1\n# HELP b B.\n# TYPE b gauge\nb 2\n";
        let wanted =
            "# HELP a A.\n# TYPE a counter\na_total{x=\"# y_total z\"} 1\n# HELP b B.\n# TYPE b gauge\nb 2\n# EOF\n";
        assert_eq!(open(text), wanted);
    }

    #[test]
    fn what_is_packed_is_what_was_there() {
        let text = "camhealth_camera_state{camera=\"cho-01\",state=\"up\"} 1\n".repeat(1000);
        let packed = pack(text.as_bytes()).expect("memory can be written to");
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(&*packed).read_to_string(&mut unpacked).expect("it is whole");
        assert_eq!(unpacked, text);
        assert!(10 * packed.len() < text.len(), "{}", packed.len());
    }
}
