//! The process as the kernel sees it, under the names that all Prometheus clients use, and as its runtime does.

use super::family::Family;
use prometheus::proto::MetricFamily;
use std::fs;
use tokio::runtime::Handle;

/// What the kernel tells is left out where there is no `/proc`.
pub(super) fn families() -> Vec<MetricFamily> {
    let mut families = Vec::new();
    let mut push = |mut family: Family, value: Option<f64>| {
        if let Some(value) = value {
            family.add(&[], value);
            families.push(family.done());
        }
    };
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The program's name stands in parentheses and may hold spaces; numbers are counted from behind it.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or(Vec::new(), |(_, rest)| rest.split_whitespace().collect());
    let field = |number: usize| fields.get(number - 3).and_then(|text| text.parse::<f64>().ok());
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let cpu = field(14).zip(field(15)).map(|(user, system)| (user + system) / ticks);
    push(Family::counter("process_cpu_seconds_total", "User and system CPU time of this process, in seconds."), cpu);
    let resident = field(24).map(|pages| pages * rustix::param::page_size() as f64);
    push(Family::gauge("process_resident_memory_bytes", "Resident memory of this process, in bytes."), resident);
    let open = fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count() as f64);
    push(Family::gauge("process_open_fds", "Open file descriptors of this process."), open);
    // One that is forgotten costs no descriptor, so nothing else shows it.
    let tasks = Handle::try_current().map_or(0, |runtime| runtime.metrics().num_alive_tasks());
    let help = "Tasks of this process: its parts, and one for each connection and look that is under way.";
    push(Family::gauge("camhealth_tasks", help), Some(tasks as f64));
    families
}
