//! What a simulated camera sends while it plays: frames, sender reports, and what its fault makes of them.

use super::{
    connection::{Connection, Playing},
    fault::Fault,
    rtp::Stream,
};
use std::{io, sync::atomic::Ordering, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    time::{Instant, MissedTickBehavior, interval},
};

/// Frames in the cache of a relay: three seconds of a usual substream.
const CACHED_FRAMES: u32 = 45;
/// Seconds from 1900, where NTP counts from, to 1970.
const NTP_EPOCH: f64 = 2_208_988_800.0;

impl Connection {
    pub(super) fn play(&mut self) -> Option<String> {
        let session = self.session.as_mut()?;
        let seed = self.shared.serial.fetch_add(1, Ordering::Relaxed) as u32;
        let mut ticks = interval(Duration::from_secs(1) / self.shared.spec.fps.max(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let stream = Stream {
            channel: session.channel,
            ssrc: seed.wrapping_mul(0x9e37_79b9) | 1,
            sequence: seed as u16,
            timestamp: seed.wrapping_mul(90_000),
            packets: 0,
            octets: 0,
            lossy: None,
        };
        let (sequence, timestamp) = (stream.sequence.wrapping_add(1), stream.timestamp);
        session.playing = Some(Playing { stream, ticks, frame: 0, began: Instant::now() });
        let id = &session.id;
        Some(format!("Session: {id};timeout=60\r\nRTP-Info: url=trackID=0;seq={sequence};rtptime={timestamp}\r\n"))
    }

    pub(super) async fn send_frame(&mut self) -> io::Result<()> {
        let fault = self.shared.fault();
        let Some(playing) = self.session.as_mut().and_then(|session| session.playing.as_mut()) else { return Ok(()) };
        let silent = match fault {
            Fault::NoMedia | Fault::PoweredOff | Fault::Mute => true,
            Fault::Stall { after_frames } => playing.frame >= after_frames,
            Fault::CachedOnly => playing.frame > 0,
            Fault::Closes { after_frames } if playing.frame >= after_frames => {
                self.stream.shutdown().await?;
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            Fault::Resets { after_frames } if playing.frame >= after_frames => {
                // What is left unsent is thrown away, and the other side told so.
                socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?;
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            _ => false,
        };
        if silent {
            return Ok(());
        }
        let gop = &self.shared.gop;
        let fps = self.shared.spec.fps.max(1);
        let skipped = match fault {
            Fault::Slow { one_in } => !playing.frame.is_multiple_of(one_in.max(1)),
            // What a second holds back comes with its last frame, below.
            Fault::Bursts => !(playing.frame + 1).is_multiple_of(fps),
            _ => false,
        };
        if skipped {
            playing.frame += 1;
            if fault != Fault::Bursts {
                playing.stream.timestamp = playing.stream.timestamp.wrapping_add(90_000 / fps);
            }
            return Ok(());
        }
        let frames = if fault == Fault::Still { &gop.frozen } else { &gop.frames };
        let position = if fault == Fault::Frozen { 0 } else { playing.frame as usize % frames.len() };
        playing.stream.lossy = if let Fault::Lossy { one_in } = fault { Some(one_in) } else { None };
        match fault {
            Fault::SsrcChange { after_frames } if after_frames == playing.frame => {
                playing.stream.ssrc ^= 0x5555_5555;
            }
            Fault::Restart { after_frames } if after_frames == playing.frame => {
                playing.stream.ssrc ^= 0x5555_5555;
                playing.stream.sequence = playing.stream.sequence.wrapping_mul(7);
                playing.stream.timestamp = playing.stream.timestamp.wrapping_mul(7);
            }
            Fault::SequenceBack { after_frames } if after_frames == playing.frame => {
                playing.stream.sequence = playing.stream.sequence.wrapping_sub(20);
            }
            _ => {}
        }
        if matches!(fault, Fault::TimestampJump { after_frames } if after_frames == playing.frame) {
            playing.stream.timestamp = playing.stream.timestamp.wrapping_add(90_000 * 3600);
        }
        let mut out = Vec::new();
        if playing.frame.is_multiple_of(5 * fps) {
            let mut unix = jiff::Timestamp::now().as_millisecond() as f64 / 1000.0;
            if fault == Fault::FastClock {
                unix *= 1.1;
            }
            playing.stream.sender_report(unix + NTP_EPOCH, &mut out);
        }
        let changed = matches!(fault, Fault::NewParameters { after_frames } if playing.frame >= after_frames);
        let sps = if changed { &gop.other_sps } else { &gop.sps };
        let parameters = [sps.as_slice(), gop.pps.as_slice()];
        let before: &[&[u8]] = if position == 0 || changed { &parameters } else { &[] };
        let step = match fault {
            Fault::HalfSpeed => 45_000 / fps,
            _ => 90_000 / fps,
        };
        let burst = match fault {
            Fault::Bursts => fps,
            Fault::CachedOnly | Fault::CacheThenLive if playing.frame == 0 => CACHED_FRAMES,
            _ => 1,
        };
        if fault == Fault::StrayBytes {
            out.extend([0, 0, 0xff, 0x0d, 0x0a]);
        }
        for number in 0..burst as usize {
            let unit = frames[(position + number) % frames.len()].as_slice();
            playing.stream.frame(before.iter().copied().chain([unit]), &mut out);
            playing.stream.timestamp = playing.stream.timestamp.wrapping_add(step);
        }
        playing.frame += 1;
        if fault == Fault::CameraSendsOptions && playing.frame == 3 {
            let waited = playing.began.elapsed().as_millis();
            out.extend(format!("OPTIONS * RTSP/1.0\r\nCSeq: {waited}\r\n\r\n").into_bytes());
        }
        self.send(&out).await
    }
}
