//! `camhealth simulate`: simulated cameras on loopback, for trying other tools and for benchmarks.

use super::{FAILED, fail};
use crate::sim::{Fault, SimFleet, Spec, fleet_addresses};
use std::{
    io::{self, Write},
    net::{IpAddr, Ipv4Addr},
    process::ExitCode,
};
use tokio::sync::mpsc;

/// The ports of the simulated cameras, where they are free.
const PORTS: (u16, u16) = (8554, 8000);

#[derive(Debug, clap::Args)]
#[command(after_help = "Each line of standard input sets a fault: its name, then an address or `all`, as in\n\
    `powered_off 127.0.1.7` or `none all`. Names: none, powered_off, port_closed, mute, garbage, wrong_login, not_found,\n\
    busy, no_media, frozen, still, cached_only, audio_only, soap_bomb, reboots.")]
pub(super) struct Arguments {
    /// How many cameras.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=60_000))]
    cameras: u16,
}

/// Prints one RTSP and one ONVIF address a line, then serves until it is interrupted or its input ends.
pub(super) async fn run(arguments: Arguments) -> ExitCode {
    // Another simulator, or a real server, may have the usual ports.
    let fleet = match start(PORTS).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => start((0, 0)).await,
        started => started,
    };
    let mut fleet = match fleet {
        Ok(fleet) => fleet,
        Err(error) => return fail(FAILED, &format!("cannot open the simulated cameras' ports: {error}")),
    };
    let list = fleet_addresses(usize::from(arguments.cameras)).into_iter().map(|(rtsp, _)| {
        let ip = if rtsp.ip().is_loopback() { rtsp.ip() } else { Ipv4Addr::LOCALHOST.into() };
        format!("{} {}\n", fleet.rtsp_url(ip), fleet.onvif_url(ip))
    });
    let list: String = list.collect();
    if let Err(error) = io::stdout().write_all(list.as_bytes()) {
        return fail(FAILED, &format!("the addresses cannot be written: {error}"));
    }
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = listen(&mut fleet) => {}
    }
    // The blocking read of standard input would keep the runtime.
    std::process::exit(0)
}

async fn start((rtsp, onvif): (u16, u16)) -> io::Result<SimFleet> {
    SimFleet::start(Spec::new((Ipv4Addr::LOCALHOST, rtsp).into()), rtsp, onvif).await
}

/// Sets faults as it is told to; ends when its input does, as when whoever started us as a child goes. At a terminal,
/// and without any input, it goes on.
async fn listen(fleet: &mut SimFleet) {
    let (sender, mut lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut lines = io::stdin().lines().map_while(Result::ok);
        lines.all(|line| sender.blocking_send(line).is_ok())
    });
    let mut told = false;
    while let Some(line) = lines.recv().await {
        told = true;
        let outcome = match read(&line) {
            Ok((fault, Some(ip))) => fleet.set_fault(ip, fault).await,
            Ok((fault, None)) => fleet.set_all(fault).await,
            Err(problem) => {
                eprintln!("{problem}");
                continue;
            }
        };
        match outcome {
            Ok(()) => eprintln!("done: {line}"),
            Err(error) => eprintln!("the fault cannot be set: {error}"),
        }
    }
    if !told && io::IsTerminal::is_terminal(&io::stdin()) {
        std::future::pending().await
    }
}

/// A fault and the address that it is for; all of them when there is none.
fn read(line: &str) -> Result<(Fault, Option<IpAddr>), String> {
    let (name, place) = line.trim().split_once(' ').ok_or_else(|| format!("`{line}` is no fault and address"))?;
    let fault = Fault::named(name).ok_or_else(|| format!("there is no fault `{name}`; see --help"))?;
    match place.trim() {
        "all" => Ok((fault, None)),
        place => match place.parse::<IpAddr>() {
            Ok(ip) if ip.is_loopback() => Ok((fault, Some(ip))),
            _ => Err(format!("`{place}` is no address of 127.0.0.0/8, nor `all`")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_sets_the_fault_of_one_camera_or_of_all() {
        assert_eq!(read("powered_off 127.0.1.7"), Ok((Fault::PoweredOff, Some([127, 0, 1, 7].into()))));
        assert_eq!(read("none all"), Ok((Fault::None, None)));
        for wrong in ["", "none", "asleep all", "mute 10.0.0.1", "mute there"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
