//! How the daemon's memory is managed by glibc: few heaps, and large pieces that go back to the system at once.
//!
//! Left alone, glibc gives each of a process's threads a heap of its own, up to eight for each core, and what is free in
//! one is no use to the others. Reports, metrics and configurations are made by threads beside those that serve: under
//! all attacks of `tests/attack.rs` at once the daemon of 240 cameras held 73 MiB with glibc's own number of heaps, and
//! 47 MiB with two. And once a large piece was freed, glibc puts the next ones of its size into a heap, where they leave
//! holes; a large fleet's metrics are such a piece each quarter of a minute.

use std::{env, os::unix::process::CommandExt, process::Command};

/// What glibc reads when a program starts; its manual calls them `M_ARENA_MAX` and `M_MMAP_THRESHOLD`. The first tells
/// that somebody has chosen.
const VARIABLES: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "2"), ("MALLOC_MMAP_THRESHOLD_", "262144")];

/// Starts this program again in its own place, with memory managed so, unless somebody has said how it is to be. The
/// process stays the same one for whoever started it. Where that cannot be done all goes on as it is.
pub(super) fn few() {
    if env::var_os(VARIABLES[0].0).is_some() {
        return;
    }
    let mut arguments = env::args_os();
    let (Some(name), Ok(program)) = (arguments.next(), env::current_exe()) else { return };
    // It returns only if it fails.
    let _ = Command::new(program).arg0(name).args(arguments).envs(VARIABLES).exec();
}
