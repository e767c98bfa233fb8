//! Few heaps for the daemon: glibc gives each of a process's threads one of its own, up to eight for each core, and what
//! is free in one is no use to the others.
//!
//! Reports, metrics and configurations are made by threads beside those that serve. Under all attacks of
//! `tests/attack.rs` at once the daemon of 240 cameras held 73 MiB with glibc's own number of heaps, and 47 MiB with two.

use std::{env, os::unix::process::CommandExt, process::Command};

/// What glibc reads the number from when a program starts; its manual calls it `M_ARENA_MAX`.
const VARIABLE: &str = "MALLOC_ARENA_MAX";
const HEAPS: &str = "2";

/// Starts this program again in its own place, with few heaps, unless somebody has said how many there are to be. The
/// process stays the same one for whoever started it. Where that cannot be done all goes on as it is.
pub(super) fn few() {
    if env::var_os(VARIABLE).is_some() {
        return;
    }
    let mut arguments = env::args_os();
    let (Some(name), Ok(program)) = (arguments.next(), env::current_exe()) else { return };
    // It returns only if it fails.
    let _ = Command::new(program).arg0(name).args(arguments).env(VARIABLE, HEAPS).exec();
}
