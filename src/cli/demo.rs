//! `camhealth demo`: a commune of 240 simulated cameras, faults that come and go, and the daemon watching them.

use super::{
    FAILED,
    demo_agents::{self, Agents},
    demo_commune,
    demo_table::{self, Messages},
    fail,
};
use crate::{
    clock::Clock,
    daemon::{self, Parts, Probing, Signals},
    sim::{Fault, SimCamera},
};
use axum::{Json, Router, extract::State, routing::post};
use std::{
    net::SocketAddr,
    process::ExitCode,
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::net::TcpListener;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where the status page is served.
    #[arg(long, default_value = "127.0.0.1:9740")]
    listen: SocketAddr,
    /// End after so many seconds; without it, Ctrl-C ends.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Let so many agents, in processes of their own, look at two household cameras each; the first one goes away and comes back.
    #[arg(long, value_name = "COUNT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=i64::from(demo_agents::MOST)))]
    agents: u8,
}

/// A step of the script: after so many seconds, these public cameras get this fault.
type Step = (u64, &'static [usize], Fault);

/// Faults come and go; it begins anew each two minutes. Cameras 1 to 3 see the first site, 4 to 6 the second.
const SCRIPT: &[Step] = &[
    (12, &[1], Fault::PortClosed),
    (18, &[4, 5, 6], Fault::PoweredOff),
    (24, &[8], Fault::NoMedia),
    (28, &[11], Fault::WrongLogin),
    (32, &[14], Fault::Lossy { one_in: 3 }),
    (36, &[17], Fault::WrongClock { seconds: 25_200 }),
    (40, &[20], Fault::Busy),
    (44, &[23], Fault::Mute),
    (48, &[26], Fault::HugeBody(crate::sim::Stage::Describe)),
    (52, &[29], Fault::Frozen),
    // All that hangs on Thôn Hải's fibre: one message, whatever it takes down.
    (56, &demo_commune::THON_HAI, Fault::PoweredOff),
    (60, &[1, 8], Fault::None),
    (75, &[4, 5, 6], Fault::None),
    (90, &[11, 14, 17, 20, 23, 26], Fault::None),
    (92, &demo_commune::THON_HAI, Fault::None),
];
const SCRIPT_SECONDS: u64 = 120;

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    match watch(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => fail(FAILED, &message),
    }
}

async fn watch(arguments: Arguments) -> Result<(), String> {
    let mut signals = Signals::new().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program's own file: {error}"))?;
    eprintln!("Starting 240 simulated cameras on loopback addresses …");
    let cameras = demo_commune::cameras()
        .await
        .map_err(|error| format!("cannot open the simulated cameras' ports: {error}; is another demo running?"))?;
    let messages = Messages::default();
    let receiver = receive(messages.clone()).await.map_err(|error| format!("cannot receive messages: {error}"))?;
    let config = demo_commune::config(&cameras, arguments.agents, (arguments.listen, receiver))?;
    let same = config.clone();
    let parts = Parts { probing: Probing::Real(program.clone()), loader: Arc::new(move || Ok(same.clone())) };
    let running = daemon::start(config, Clock::system(), parts)
        .await
        .map_err(|error| format!("{error} (camhealth demo --listen 127.0.0.1:0 picks a free port)"))?;

    let mut agents = match Agents::start(&program, running.address(), arguments.agents).await {
        Ok(agents) => agents,
        Err(why) => {
            running.stop().await;
            return Err(why);
        }
    };
    let table = demo_table::show(running.snapshots(), running.address(), messages);
    let script = perform(&cameras);
    let end = async {
        match arguments.seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = table => {}
        () = script => {}
        () = agents.perform() => {}
        () = end => {}
        _ = signals.next() => {}
        broken = running.broken() => {
            running.stop().await;
            return Err(format!("the task {} ended: {}", broken.task.as_str(), broken.why));
        }
    }
    eprintln!("\nStopping …");
    running.stop().await;
    Ok(())
}

async fn perform(cameras: &[SimCamera]) {
    loop {
        let began = tokio::time::Instant::now();
        for (second, numbers, fault) in SCRIPT {
            tokio::time::sleep_until(began + Duration::from_secs(*second)).await;
            for number in *numbers {
                let Some(camera) = cameras.get(number - 1) else { continue };
                if let Err(error) = camera.set_fault(*fault).await {
                    eprintln!("a simulated camera cannot change: {error}");
                }
            }
        }
        tokio::time::sleep_until(began + Duration::from_secs(SCRIPT_SECONDS)).await;
    }
}

/// A webhook receiver of the demo's own, so that alerts are seen to arrive.
async fn receive(messages: Messages) -> std::io::Result<SocketAddr> {
    let take = async |State(messages): State<Messages>, Json(body): Json<serde_json::Value>| {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let mut messages = messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.push_front(format!("{} — {}", text("title"), text("message").replace('\n', " · ")));
        messages.truncate(5);
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/", post(take)).with_state(messages);
    tokio::spawn(async move {
        // Ends with the demo.
        let _ = axum::serve(listener, router).await;
    });
    Ok(address)
}
