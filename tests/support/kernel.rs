//! What the kernel tells of processes. Of a daemon, which writes no core, it tells it to root alone.

use std::fs;

/// How many entries a folder of /proc has.
pub fn entries(folder: &str) -> usize {
    // A worker that has just ended has none.
    fs::read_dir(folder).map_or(0, Iterator::count)
}

/// The processes that a process started and that have not ended.
pub fn children(process: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("it runs");
    let read = |task: fs::DirEntry| fs::read_to_string(task.path().join("children")).unwrap_or_default();
    let lists: String = tasks.filter_map(Result::ok).map(read).collect();
    lists.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

/// Memory of a process, with what it shares with others divided among them, in KiB.
pub fn share_kib(process: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0)
}
