//! `camhealth simulate`: simulated cameras on loopback, for trying other tools and for benchmarks.

use super::{FAILED, fail};
use crate::sim::{SimCamera, Spec, fleet_addresses};
use std::{io, process::ExitCode};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How many cameras.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    cameras: u16,
}

/// Prints one RTSP and one ONVIF address a line, then serves until it is interrupted.
pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let cameras = match start(usize::from(arguments.cameras)).await {
        Ok(cameras) => cameras,
        Err(error) => return fail(FAILED, &format!("cannot open the simulated cameras' ports: {error}")),
    };
    for camera in &cameras {
        println!("{} {}", camera.rtsp_url(), camera.onvif_url().unwrap_or_default());
    }
    // Whoever started us as a child closes our input when it goes.
    let input = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink()));
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = input, if !io::IsTerminal::is_terminal(&io::stdin()) => {}
    }
    // The blocking read of standard input would keep the runtime.
    std::process::exit(0)
}

async fn start(count: usize) -> io::Result<Vec<SimCamera>> {
    let mut cameras = Vec::with_capacity(count);
    for (rtsp, onvif) in fleet_addresses(count) {
        cameras.push(SimCamera::start(Spec { onvif: Some(onvif), ..Spec::new(rtsp) }).await?);
    }
    Ok(cameras)
}
