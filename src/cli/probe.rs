//! `camhealth probe URL`: climbs the ladder once and prints each rung, the verdict and its cause.

use super::{
    FAILED, UNPROVEN, USAGE, fail,
    login::{LoginArguments, login},
    paint::Paint,
};
use crate::{
    clock::Clock,
    health,
    model::{
        Camera, Certificate, Check, Client, Detail, DeviceFacts, Failure, FailureKind, Login, Memory, Observation,
        Promise, StreamFacts, ToldRung, Transport, Verdict,
    },
    probe::{Look, Pool, Prober, Settings},
};
use serde::Serialize;
use std::{fmt::Write, process::ExitCode, sync::Arc, time::Duration};
use url::Url;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// RTSP address of the stream, such as rtsp://10.20.1.7:554/sub, without a password.
    url: Url,
    /// ONVIF device service, such as http://10.20.1.7/onvif/device_service.
    #[arg(long, value_name = "URL")]
    onvif: Option<Url>,
    #[command(flatten)]
    login: LoginArguments,
    /// Send the password in clear where the camera wants that (Basic).
    #[arg(long)]
    allow_basic: bool,
    /// Of an rtsps:// address: sha256:… of its certificate, or any. Left out, the fingerprint is told.
    #[arg(long, value_name = "FINGERPRINT", value_parser = certificate)]
    certificate: Option<Certificate>,
    /// How to ask for RTP.
    #[arg(long, value_enum, default_value = "tcp")]
    transport: TransportArgument,
    /// Watch for 6.5 s rather than until the evidence suffices: speed, jitter, keyframe interval.
    #[arg(long)]
    long: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum TransportArgument {
    Tcp,
    Udp,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Outcome {
    verdict: Verdict,
    cause: Option<FailureKind>,
    detail: Option<String>,
    rungs: Vec<ToldRung>,
    stream: Option<StreamFacts>,
    device: Option<DeviceFacts>,
    clock_offset_seconds: Option<f64>,
    bytes: u64,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let camera = match camera(&arguments) {
        Ok(camera) => camera,
        Err(message) => return fail(USAGE, &message),
    };
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return fail(FAILED, &format!("cannot find this program's own file: {error}")),
    };
    // A person who looks at one camera wants to know its keyframe interval too.
    let settings = Settings { keyframes: 2, workers: 1, ..Settings::default() };
    let pool = Pool::new(program, settings.workers, settings.worker_memory_mib);
    let prober = Prober::new(settings, pool);
    let clock = Clock::system();
    let looks = async {
        let look = |check| Look::new(check, clock.now());
        let depth = if arguments.long { Check::Survey } else { Check::Stream };
        let stream = prober.probe(&camera, look(depth)).await;
        let device = match &camera.onvif {
            Some(_) => Some(prober.probe(&camera, look(Check::Device)).await),
            None => None,
        };
        outcome(stream, device, clock.now())
    };
    let outcome = tokio::select! {
        outcome = looks => outcome,
        _ = tokio::signal::ctrl_c() => {
            prober.pool().stop(Duration::from_secs(4)).await;
            return fail(FAILED, "interrupted; the camera's session is closed");
        }
    };
    prober.pool().stop(Duration::from_secs(2)).await;
    if arguments.json {
        match serde_json::to_string_pretty(&outcome) {
            Ok(json) => println!("{json}"),
            Err(error) => return fail(FAILED, &format!("cannot write JSON: {error}")),
        }
    } else {
        print!("{}", text(&arguments.url, &outcome, Paint::stdout()));
    }
    match outcome.verdict {
        Verdict::Up => ExitCode::SUCCESS,
        Verdict::Degraded => ExitCode::from(1),
        Verdict::Down => ExitCode::from(FAILED),
        Verdict::Unproven => ExitCode::from(UNPROVEN),
    }
}

fn certificate(text: &str) -> Result<Certificate, String> {
    text.parse().map_err(|()| "write sha256: and 64 hexadecimal digits, or any".to_owned())
}

fn camera(arguments: &Arguments) -> Result<Camera, String> {
    const SAFER: &str = "give the user with --user and the password with --password-file or CAMHEALTH_PASSWORD";
    let mut rtsp = arguments.url.clone();
    if !matches!(rtsp.scheme(), "rtsp" | "rtsps") {
        return Err(format!("{} is not an RTSP address: it must begin with rtsp:// or rtsps://", rtsp.scheme()));
    }
    if arguments.certificate.is_some() && rtsp.scheme() == "rtsp" {
        return Err("--certificate is for rtsps:// addresses".into());
    }
    if rtsp.host_str().is_none_or(str::is_empty) {
        return Err("the RTSP address names no host: write rtsp://HOST/PATH".into());
    }
    if rtsp.password().is_some() || arguments.onvif.as_ref().is_some_and(|url| url.password().is_some()) {
        return Err(format!("a password in an address shows in process lists and shell histories; {SAFER}"));
    }
    if arguments.onvif.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
        return Err("the ONVIF address must begin with http:// or https://".into());
    }
    let login = login(&arguments.login, rtsp.username())?;
    let allow_basic = arguments.allow_basic;
    let login = login.map(|login| Arc::new(Login { allow_basic, ..(*login).clone() }));
    // Cannot fail: the URL has a host.
    let _ = rtsp.set_username("");
    Ok(Camera {
        transport: match arguments.transport {
            TransportArgument::Tcp => Transport::Tcp,
            TransportArgument::Udp => Transport::Udp,
        },
        certificate: arguments.certificate,
        onvif: arguments.onvif.clone(),
        login,
        ..Camera::new("camera", rtsp)
    })
}

/// Both looks as one: the stream decides, ONVIF can only degrade it.
fn outcome(stream: Observation, device: Option<Observation>, now: jiff::Timestamp) -> Outcome {
    // One look must do: nothing is remembered and nothing confirmed.
    let settings = health::Settings { good_to_up: 1, ..health::Settings::default() };
    let promise = Promise::default();
    let measure = health::Measure { promise: &promise, serial: None, stream: "", cause: None, settings: &settings };
    let mut memory = Memory::default();
    let offset = device.as_ref().and_then(|device| device.clock_offset_seconds);
    let aside = device.as_ref().and_then(|device| health::judge(now, device, &mut memory, measure));
    let failure = health::judge(now, &stream, &mut memory, measure);
    let verdict = match (&failure, &aside) {
        (None, Some(_)) => Verdict::Degraded,
        _ => Observation { failure: failure.clone(), ..stream.clone() }.verdict(),
    };
    let failure: Option<Failure> = failure.or(aside);
    let (rungs, facts, bytes) = device.map(|device| (device.rungs, device.device, device.bytes)).unwrap_or_default();
    Outcome {
        verdict,
        cause: failure.as_ref().map(|failure| failure.kind),
        detail: failure.map(|failure| failure.detail.to_string()),
        rungs: stream.rungs.iter().chain(&rungs).map(|rung| rung.told(Detail::to_string)).collect(),
        stream: stream.stream,
        device: facts,
        clock_offset_seconds: offset,
        bytes: stream.bytes + bytes,
    }
}

fn text(url: &Url, outcome: &Outcome, paint: Paint) -> String {
    let mut text = format!("{}\n", paint.bold(url.as_str()));
    let mut line = |label: &str, words: &str| {
        let _ = writeln!(text, "{} {words}", paint.dim(&format!("{label:<13}")));
    };
    for rung in &outcome.rungs {
        let mark = if rung.ok { paint.good("✓") } else { paint.bad("✗") };
        line(rung.name.as_str(), &format!("{mark} {:>9.1} ms  {}", rung.seconds * 1000.0, rung.detail));
    }
    if let Some(stream) = outcome.stream.as_ref().filter(|stream| stream.frames > 0) {
        line("stream", &describe(stream));
    }
    if let Some(device) = &outcome.device {
        line("device", &format!("{} {}, firmware {}", device.manufacturer, device.model, device.firmware));
    }
    if let Some(offset) = outcome.clock_offset_seconds {
        line("clock", &format!("{offset:+.1} s from this machine's"));
    }
    let verdict = paint.verdict(outcome.verdict, &outcome.verdict.as_str().to_uppercase());
    let cause = outcome.cause.map_or_else(String::new, |cause| format!(": {}", cause.as_str()));
    let detail = outcome.detail.as_ref().map_or_else(String::new, |detail| format!(" ({detail})"));
    line("verdict", &format!("{verdict}{cause}{detail}"));
    text
}

fn describe(stream: &StreamFacts) -> String {
    let size = stream.width.zip(stream.height).map_or_else(String::new, |(w, h)| format!(" {w}×{h}"));
    let fps = stream.fps.map_or_else(String::new, |fps| format!(", {fps:.1} frames/s"));
    let rate = stream.bytes_per_second.map_or_else(String::new, |rate| format!(", {:.0} kbit/s", rate * 8.0 / 1000.0));
    let gop = stream.keyframe_interval_seconds.map_or_else(String::new, |gop| format!(", a keyframe each {gop:.1} s"));
    let (lost, packets) = (stream.packets_lost, stream.packets);
    let client = match stream.client {
        Client::Own => "",
        Client::Retina => ", seen by retina",
    };
    format!("{}{size}{fps}{rate}{gop}, {lost} of {} packets lost{client}", stream.codec.as_str(), packets + lost)
}
