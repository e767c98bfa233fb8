//! What processes cost, as the kernel counts it, and how they are ended.
#![allow(dead_code, unreachable_pub, reason = "each bench uses some of it")]

use std::{
    fs,
    process::Child,
    time::{Duration, Instant},
};

/// SIGTERM, so that a daemon closes its sessions.
pub fn end(child: &mut Child) {
    if let Some(id) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // It may have ended by itself.
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
    }
    let deadline = Instant::now() + Duration::from_secs(6);
    while Instant::now() < deadline && child.try_wait().ok().flatten().is_none() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Numbers behind the program's name in `/proc/ID/stat`, counted from 3 as in proc(5).
pub fn stat(id: u32, field: usize) -> u64 {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    rest.split_whitespace().nth(field - 3).and_then(|text| text.parse().ok()).unwrap_or(0)
}

pub fn ticks(count: u64) -> Duration {
    Duration::from_secs_f64(count as f64 / rustix::param::clock_ticks_per_second() as f64)
}

pub fn cpu(id: u32) -> Duration {
    ticks(stat(id, 14) + stat(id, 15))
}

pub fn cpu_of_ended_children() -> Duration {
    ticks(stat(std::process::id(), 16) + stat(std::process::id(), 17))
}

pub fn peak_mib(id: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
}

/// Memory of a process, with what it shares with others (its program's text with its workers) divided among them.
pub fn share_mib(id: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
}

pub fn command_of(id: u32) -> String {
    fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default()
}

pub fn children() -> Vec<u32> {
    children_of(std::process::id())
}

pub fn children_of(parent: u32) -> Vec<u32> {
    let ids = fs::read_dir("/proc")
        .expect("this is Linux")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter(|id| stat(*id, 4) == u64::from(parent)).collect()
}
