//! What is told of each camera: the families, and from what each is written.

use super::lines::Family;
use crate::model::{Camera, CameraStatus, Check, Kind, Outlook, State, StreamFacts};
use jiff::Timestamp;
use std::sync::Arc;

/// A camera at the moment of a snapshot.
pub(super) struct Subject {
    pub(super) camera: Arc<Camera>,
    pub(super) status: Arc<CameraStatus>,
    /// What its stream shows, if that is not too old.
    pub(super) stream: Option<StreamFacts>,
    pub(super) clock_offset: Option<f64>,
    pub(super) outlook: Option<Outlook>,
    /// That of the first site that it watches; cameras that no view names have none.
    pub(super) hamlet: Arc<str>,
}

impl Subject {
    fn id(&self) -> (&'static str, &str) {
        ("camera", self.camera.id.as_str())
    }

    fn kind(&self) -> (&'static str, &'static str) {
        ("kind", self.camera.kind.as_str())
    }

    fn stream(&self, value: impl FnOnce(&StreamFacts) -> Option<f64>) -> Option<f64> {
        value(self.stream.as_ref()?)
    }
}

pub(super) fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

type One = Family<Subject>;

pub(super) const FAMILIES: &[One] = &[
    One::gauge(
        "camhealth_camera_state_since_timestamp_seconds",
        "Since when the camera is in its state, as Unix time in seconds.",
        |one, out| out.add(&[one.id()], seconds(one.status.since)),
    ),
    One::gauge(
        "camhealth_camera_last_probe_timestamp_seconds",
        "When the camera was last looked at, as Unix time in seconds.",
        |one, out| out.maybe(&[one.id()], one.status.last_probe.map(seconds)),
    ),
    One::gauge(
        "camhealth_camera_last_media_timestamp_seconds",
        "When video last arrived, as Unix time in seconds; the age of the stream figures.",
        |one, out| out.maybe(&[one.id()], one.status.last_media.map(seconds)),
    ),
    One::gauge(
        "camhealth_camera_frames_per_second",
        "Frame rate by RTP timestamps in the last look at the stream.",
        |one, out| out.maybe(&[one.id()], one.stream(|stream| stream.fps)),
    ),
    One::gauge(
        "camhealth_camera_stream_bytes_per_second",
        "RTP payload in bytes a second of media time in the last look at the stream.",
        |one, out| out.maybe(&[one.id()], one.stream(|stream| stream.bytes_per_second)),
    ),
    One::gauge(
        "camhealth_camera_keyframe_interval_seconds",
        "Longest time between keyframes in the last look at the stream that saw two, in seconds.",
        |one, out| out.maybe(&[one.id()], one.stream(|stream| stream.keyframe_interval_seconds)),
    )
    .in_full(),
    One::gauge("camhealth_camera_packets_lost", "RTP packets missing in the last look at the stream.", |one, out| {
        out.maybe(&[one.id()], one.stream(|stream| Some(f64::from(stream.packets_lost))))
    })
    .in_full(),
    One::gauge(
        "camhealth_camera_identical_frames",
        "Frames that repeat the one before in the last look at the stream.",
        |one, out| out.maybe(&[one.id()], one.stream(|stream| Some(f64::from(stream.identical_frames)))),
    )
    .in_full(),
    One::gauge(
        "camhealth_camera_delta_frame_bytes",
        "Mean size of the frames between keyframes in the last look at the stream, in bytes.",
        |one, out| out.maybe(&[one.id()], one.stream(|stream| stream.delta_frame_bytes)),
    )
    .in_full(),
    One::gauge(
        "camhealth_camera_jitter_seconds",
        "Worst interarrival jitter (RFC 3550) in the last look at the stream, in seconds.",
        |one, out| out.maybe(&[one.id()], one.stream(|stream| stream.jitter_seconds)),
    )
    .in_full(),
    One::gauge(
        "camhealth_camera_media_speed_ratio",
        "Media time a second of arrival in the last look at the stream that was long enough; 1 is right.",
        |one, out| out.maybe(&[one.id()], one.stream(|stream| stream.media_speed)),
    )
    .in_full(),
    One::gauge(
        "camhealth_camera_timestamp_jumps",
        "Timestamps that jumped in the last look at the stream.",
        |one, out| out.maybe(&[one.id()], one.stream(|stream| Some(f64::from(stream.timestamp_jumps)))),
    )
    .in_full(),
    One::gauge(
        "camhealth_camera_parameter_changes",
        "Parameter sets that changed in the last look at the stream.",
        |one, out| out.maybe(&[one.id()], one.stream(|stream| Some(f64::from(stream.parameter_changes)))),
    )
    .in_full(),
    One::gauge(
        "camhealth_camera_sender_clock_offset_seconds",
        "Camera time by its last RTCP sender report minus the monitor's, in seconds; only its change means anything.",
        |one, out| out.maybe(&[one.id()], one.stream(|stream| stream.sender_clock_seconds)),
    )
    .in_full(),
    One::gauge("camhealth_camera_boots", "Starts of the device that were noticed lately.", |one, out| {
        let known = one.status.memory.device.as_ref();
        out.maybe(&[one.id()], known.map(|_| one.status.memory.boots.len() as f64));
    })
    .in_full(),
    One::gauge("camhealth_camera_clock_offset_seconds", "Camera clock minus the monitor's, in seconds.", |one, out| {
        out.maybe(&[one.id()], one.clock_offset);
    }),
    One::counter("camhealth_camera_transitions_total", "Changes of state since the daemon started.", |one, out| {
        out.add(&[one.id()], one.status.transitions as f64);
    }),
    One::counter("camhealth_camera_received_bytes_total", "Bytes received from the camera by probes.", |one, out| {
        out.add(&[one.id()], one.status.bytes as f64)
    })
    .in_full(),
    One::gauge("camhealth_camera_info", "What the camera is; always 1. Household names stay out.", |one, out| {
        let camera = &one.camera;
        let name = if camera.kind == Kind::Public { camera.name.as_str() } else { "" };
        let link = camera.link.as_ref().map_or("", |link| link.as_str());
        let (device, hamlet) = (("device", camera.device.as_str()), ("hamlet", &*one.hamlet));
        out.add(&[one.id(), device, hamlet, one.kind(), ("link", link), ("name", name)], 1.0);
    }),
    One::gauge("camhealth_camera_device_info", "What the device says that it is; always 1.", |one, out| {
        if let Some(facts) = &one.status.device {
            let (make, model, firmware) = (&facts.manufacturer, &facts.model, &facts.firmware);
            out.add(&[one.id(), ("firmware", firmware), ("manufacturer", make), ("model", model)], 1.0);
        }
    }),
    One::gauge(
        "camhealth_camera_stream_info",
        "What the camera sends, and which RTSP client saw it last; always 1, and absent where no video came lately.",
        |one, out| {
            if let Some(stream) = &one.stream {
                out.add(&[one.id(), ("client", stream.client.as_str()), ("codec", stream.codec.as_str())], 1.0);
            }
        },
    )
    .in_full(),
    One::gauge(
        "camhealth_camera_proof_info",
        "Who last proved that the camera sends (daemon, agent or source), by which link, and how strong that proof is: media, counter or word; always 1.",
        |one, out| {
            if let Some(proof) = &one.status.proof {
                let link = proof.by.link().map_or("", |link| link.as_str());
                let strength = ("strength", proof.strength.as_str());
                out.add(&[one.id(), ("link", link), ("observer", proof.by.as_str()), strength], 1.0);
            }
        },
    )
    .in_full(),
    One::gauge(
        "camhealth_camera_state",
        "1 for the state that the camera is in, else 0; fleets that want few series have the 1 alone.",
        |one, out| {
            for state in State::ALL {
                let is = one.status.state == state;
                if is || !out.lean {
                    out.add(&[one.id(), one.kind(), ("state", state.as_str())], f64::from(u8::from(is)));
                }
            }
        },
    ),
    One::gauge("camhealth_camera_failure", "1 for the reason why the camera is not well.", |one, out| {
        if let Some(cause) = one.status.cause {
            out.add(&[one.id(), ("cause", cause.as_str()), one.kind()], 1.0);
        }
    }),
    One::counter(
        "camhealth_camera_probes_total",
        "Looks at the camera by depth and outcome, for depths in which it was looked at.",
        |one, out| {
            for check in Check::ALL {
                let counts = || one.status.probes.iter().filter(|((depth, _), _)| *depth == check);
                if counts().next().is_none() {
                    continue;
                }
                for (outcome, failed) in [("ok", false), ("failed", true)] {
                    let of = counts().filter(|((_, cause), _)| cause.is_some() == failed);
                    let count: u64 = of.map(|(_, count)| count).sum();
                    out.add(&[one.id(), ("check", check.as_str()), ("outcome", outcome)], count as f64);
                }
            }
        },
    )
    .in_full(),
    One::gauge("camhealth_camera_probe_duration_seconds", "Time of the last look of each depth.", |one, out| {
        for (check, last) in one.status.last.iter() {
            out.add(&[one.id(), ("check", check.as_str())], last.took.as_secs_f64());
        }
    })
    .in_full(),
    One::gauge(
        "camhealth_camera_budget_bytes",
        "Bytes that looks may move from the camera in any 24 hours.",
        |one, out| out.maybe(&[one.id()], one.outlook.as_ref().map(|outlook| outlook.bytes.limit as f64)),
    )
    .in_full(),
    One::gauge("camhealth_camera_budget_left_bytes", "Bytes that looks could move from it at once.", |one, out| {
        out.maybe(&[one.id()], one.outlook.as_ref().map(|outlook| outlook.bytes.left as f64))
    })
    .in_full(),
    One::gauge("camhealth_camera_budget_looks", "Looks that may begin at the camera in any hour.", |one, out| {
        out.maybe(&[one.id()], one.outlook.as_ref().map(|outlook| outlook.looks.limit as f64))
    })
    .in_full(),
    One::gauge("camhealth_camera_budget_left_looks", "Looks that could begin at it at once.", |one, out| {
        out.maybe(&[one.id()], one.outlook.as_ref().map(|outlook| outlook.looks.left as f64));
    })
    .in_full(),
    One::gauge(
        "camhealth_camera_login_strikes",
        "Rejected logins that count; with 2 none is tried any more.",
        |one, out| {
            let Some(outlook) = &one.outlook else { return };
            for (protocol, count) in [("rtsp", outlook.rtsp_strikes), ("onvif", outlook.onvif_strikes)] {
                if count > 0 || !out.lean {
                    out.add(&[one.id(), ("protocol", protocol)], f64::from(count));
                }
            }
        },
    ),
    One::gauge(
        "camhealth_camera_next_probe_timestamp_seconds",
        "When the next look is due, as Unix time.",
        |one, out| {
            out.maybe(&[one.id()], one.outlook.as_ref().and_then(|outlook| outlook.next).map(|look| seconds(look.at)))
        },
    )
    .in_full(),
    One::gauge("camhealth_camera_probe_held", "1 for the reason why a look that is due waits.", |one, out| {
        if let Some(reason) = one.outlook.as_ref().and_then(|outlook| outlook.held) {
            out.add(&[one.id(), ("reason", reason.as_str())], 1.0);
        }
    })
    .in_full(),
];
