//! What a worker gives up before it reads its first byte from a camera: memory beyond a limit, files, privileges, and
//! nearly all system calls.
//!
//! The limits hold everywhere, and a worker that cannot set them does not work. The rest depends on the kernel: a
//! worker tells which layers are in force, and the daemon shows it.
//!
//! What is left out, and why:
//! - Landlock could forbid TCP connects but to listed ports, for the whole of the process's life; a worker looks at
//!   many cameras, each with ports of its own.
//! - `RLIMIT_NPROC` counts the processes and threads of a user, not of a process, and does not bind root. Seccomp
//!   forbids new processes by themselves.
//! - The user stays the same: changing it takes a user that the machine would have to have.

use super::syscalls;
use crate::model::closed;
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, Ruleset, RulesetAttr, Scope,
};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{
        CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, no_new_privs,
        remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
    },
};
use std::{collections::BTreeSet, io};

/// More descriptors than sixteen jobs need, each with a login's connection, a session over UDP and one to tear down.
const MOST_FILES: u64 = 256;

closed! {
    /// A layer of the confinement, in the order in which they are laid.
    #[derive(PartialOrd, Ord)]
    pub(super) enum Layer {
        /// Limits of memory and descriptors, no core dumps, no growing files.
        Limits "limits",
        /// No capabilities, and none to be had by running another program.
        Privileges "privileges",
        /// No files (Landlock, Linux 5.13).
        Files "files",
        /// No TCP port can be taken (Landlock, Linux 6.7).
        TcpBind "tcp_bind",
        /// No signals to other processes and no abstract Unix sockets (Landlock, Linux 6.12).
        Scopes "scopes",
        /// Few system calls (seccomp).
        SystemCalls "system_calls",
    }
}

/// Confines this process for the rest of its life; the layers that are in force. To be called before it has threads.
pub(super) fn confine(memory_mib: u64) -> io::Result<BTreeSet<Layer>> {
    // Counts private writable memory, so that neither shared libraries nor reserved address space eat into it.
    limit(Resource::Data, memory_mib * 1024 * 1024)?;
    // A crash must not write what cameras sent to disk, and nothing else may be written either.
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nofile, MOST_FILES)?;
    let mut layers = BTreeSet::from([Layer::Limits]);
    layers.extend(drop_privileges().is_ok_and(|dropped| dropped).then_some(Layer::Privileges));
    layers.extend(landlock().map_err(io::Error::other)?);
    layers.extend(syscalls::restrict().then_some(Layer::SystemCalls));
    Ok(layers)
}

/// Lowers a limit for good; one that is lower already stays.
fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let most = Some(getrlimit(resource).maximum.map_or(most, |already| already.min(most)));
    Ok(setrlimit(resource, Rlimit { current: most, maximum: most })?)
}

/// Gives up all capabilities, of which there are some when root started us; whether none is left.
fn drop_privileges() -> io::Result<bool> {
    // The bounding set needs a capability itself; who lacks it cannot gain others from there by `no_new_privs`.
    for bit in 0..u64::BITS {
        if remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << bit)).is_err() {
            break;
        }
    }
    clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    set_no_new_privs(true)?;
    let left = capabilities(None)?;
    Ok(no_new_privs()? && (left.effective | left.permitted | left.inheritable).is_empty())
}

/// As much of Landlock as the kernel has.
fn landlock() -> Result<Vec<Layer>, landlock::RulesetError> {
    let banned = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V9))?
        .handle_access(AccessNet::BindTcp)?
        .scope(Scope::from_all(ABI::V6))?
        .create()?
        .restrict_self()?;
    let LandlockStatus::Available { effective_abi, .. } = banned.landlock else { return Ok(Vec::new()) };
    let since = [(ABI::V1, Layer::Files), (ABI::V4, Layer::TcpBind), (ABI::V6, Layer::Scopes)];
    Ok(since.into_iter().filter(|(abi, _)| effective_abi >= *abi).map(|(_, layer)| layer).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Pid, Signal, test_kill_process};
    use socket2::{Domain, Protocol, Socket, Type};
    use std::{
        collections::BTreeMap,
        fs::File,
        net::{TcpListener, TcpStream, UdpSocket},
        os::unix::{
            net::UnixStream,
            process::{CommandExt, ExitStatusExt},
        },
        process::{Command, Output},
    };

    /// By which the test program, started again, is told what to do when it is confined.
    const TASK: &str = "CAMHEALTH_TEST_CONFINED";
    /// Whom it may connect to, and whom it must not signal.
    const PEER: &str = "CAMHEALTH_TEST_PEER";
    const PARENT: &str = "CAMHEALTH_TEST_PARENT";

    fn confined(task: &str, peer: Option<&TcpListener>) -> Output {
        let peer = peer.map_or_else(String::new, |peer| peer.local_addr().expect("an address").to_string());
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "probe::sandbox::tests::the_process_that_is_confined", "--nocapture"]);
        command.env(TASK, task).env(PEER, peer).env(PARENT, std::process::id().to_string());
        command.output().expect("it starts")
    }

    /// What the tests below look at, in a process of its own; without its task there is nothing to do.
    #[test]
    fn the_process_that_is_confined() {
        let Ok(task) = std::env::var(TASK) else { return };
        let peer = std::env::var(PEER).expect("it is given");
        let parent: i32 = std::env::var(PARENT).ok().and_then(|pid| pid.parse().ok()).expect("it is given");
        let layers = confine(64).expect("limits can be set");
        match task.as_str() {
            "try" => {
                let mut may = BTreeMap::new();
                may.insert("connect", TcpStream::connect(&peer).is_ok());
                may.insert("receive", UdpSocket::bind("127.0.0.1:0").is_ok());
                may.insert("thread", std::thread::Builder::new().spawn(|| 7).is_ok_and(|it| it.join().is_ok()));
                may.insert("listen", TcpListener::bind("127.0.0.1:0").is_ok());
                may.insert("pair", UnixStream::pair().is_ok());
                may.insert("raw", Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::TCP)).is_ok());
                may.insert("ping", Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::ICMPV4)).is_ok());
                may.insert("read", File::open("/etc/passwd").is_ok());
                may.insert("spawn", Command::new("/bin/true").status().is_ok());
                may.insert("signal", Pid::from_raw(parent).is_some_and(|pid| test_kill_process(pid).is_ok()));
                println!("@layers {}", serde_json::to_string(&layers).expect("JSON"));
                println!("@may {}", serde_json::to_string(&may).expect("JSON"));
            }
            "descriptors" => {
                let open: Vec<_> = (0..1000).map_while(|_| UdpSocket::bind("127.0.0.1:0").ok()).collect();
                println!("@open {}", open.len());
            }
            "exec" => drop(Command::new("/bin/true").exec()),
            "abort" => std::process::abort(),
            "grow" => {
                let mut held = Vec::new();
                loop {
                    held.push(std::hint::black_box(vec![1u8; 1 << 20]));
                }
            }
            _ => unreachable!("there is no such task"),
        }
    }

    fn said<T: serde::de::DeserializeOwned>(output: &Output, what: &str) -> T {
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().find_map(|line| line.split_once(&format!("@{what} ")).map(|(_, rest)| rest.to_owned()));
        let line = line.unwrap_or_else(|| panic!("it said no {what}: {output:?}"));
        serde_json::from_str(&line).expect("JSON")
    }

    #[test]
    fn a_worker_can_look_at_cameras_and_nothing_else() {
        let peer = TcpListener::bind("127.0.0.1:0").expect("a port");
        let output = confined("try", Some(&peer));
        let layers: BTreeSet<Layer> = said(&output, "layers");
        let always = BTreeSet::from([Layer::Limits, Layer::Privileges, Layer::SystemCalls]);
        assert!(layers.is_superset(&always), "{layers:?}");
        let may: BTreeMap<String, bool> = said(&output, "may");
        let may: Vec<&str> = may.iter().filter(|(_, may)| **may).map(|(what, _)| what.as_str()).collect();
        assert_eq!(may, ["connect", "receive", "thread"]);
    }

    #[test]
    fn a_worker_has_few_descriptors() {
        let open: u64 = said(&confined("descriptors", None), "open");
        assert!((128..MOST_FILES).contains(&open), "{open}");
    }

    #[test]
    fn how_a_worker_ends_tells_what_it_did() {
        let signal = |task| confined(task, None).status.signal();
        assert_eq!(signal("grow"), Some(Signal::ABORT.as_raw()), "out of its own memory");
        assert_eq!(signal("abort"), Some(Signal::ABORT.as_raw()));
        assert_eq!(signal("exec"), Some(Signal::SYS.as_raw()), "no honest worker starts a program");
    }
}
