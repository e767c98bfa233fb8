//! The system calls that a worker has left: a list of what is allowed, by seccomp.
//!
//! A list of what is allowed, not of what is forbidden: the latter must name each new call of each new kernel, and has
//! holes where a call has another number (x32). What makes such a list brittle, calls that another version of libc
//! makes, is answered by `ENOSYS`, at which libc falls back to the older call that it used before (`clone3`, `statx`,
//! `epoll_pwait2`); a test makes whole looks with it. What no honest process of ours ever does (starting programs,
//! reading others' memory) ends the worker by SIGSYS, which names the camera like any other crash.
//!
//! Left are: memory that is not executable, threads (of which a worker has one, and libraries may want more), time,
//! signals to itself, and sockets of TCP and UDP that connect or receive. `bind` cannot be told by its arguments
//! whether it is for UDP, which needs it; without `listen` and `accept` nobody can come in by TCP all the same.

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod listed {
    use seccompiler::{
        BackendError, SeccompCmpArgLen::Dword, SeccompCmpOp, SeccompCmpOp::Eq, SeccompCmpOp::MaskedEq,
        SeccompCondition, SeccompRule,
    };
    use std::collections::BTreeMap;

    pub(super) type Rules = BTreeMap<i64, Vec<SeccompRule>>;

    /// Allowed whatever their arguments.
    const ALLOWED: &[i64] = &[
        // The daemon's socket and the cameras'.
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_recvfrom,
        libc::SYS_recvmsg,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_shutdown,
        libc::SYS_close,
        libc::SYS_getsockname,
        libc::SYS_getpeername,
        libc::SYS_getsockopt,
        libc::SYS_setsockopt,
        libc::SYS_fcntl,
        // Waiting and time; the clock is read without a call where the kernel can.
        libc::SYS_epoll_ctl,
        libc::SYS_epoll_pwait,
        libc::SYS_ppoll,
        libc::SYS_futex,
        libc::SYS_nanosleep,
        libc::SYS_clock_nanosleep,
        libc::SYS_clock_gettime,
        libc::SYS_gettimeofday,
        libc::SYS_sched_yield,
        // Memory; `mmap` and `mprotect` are below.
        libc::SYS_brk,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_getrandom,
        // Threads and signals of its own.
        libc::SYS_set_robust_list,
        libc::SYS_rseq,
        libc::SYS_sched_getaffinity,
        libc::SYS_sigaltstack,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_restart_syscall,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_exit,
        libc::SYS_exit_group,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_epoll_wait,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_time,
    ];

    /// What only a worker that was taken over does.
    const HOSTILE: &[i64] = &[
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_getfd,
        libc::SYS_bpf,
        libc::SYS_mount,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_keyctl,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_kexec_load,
    ];

    pub(super) fn hostile() -> Rules {
        HOSTILE.iter().map(|call| (*call, Vec::new())).collect()
    }

    pub(super) fn allowed() -> Result<Rules, BackendError> {
        let mut rules: Rules = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
        let mut only = |call: i64, conditions: &[(u8, SeccompCmpOp, u64)]| -> Result<(), BackendError> {
            let conditions = conditions
                .iter()
                .map(|(argument, operator, value)| SeccompCondition::new(*argument, Dword, operator.clone(), *value));
            rules.entry(call).or_default().push(SeccompRule::new(conditions.collect::<Result<_, _>>()?)?);
            Ok(())
        };
        let is = |value: i32| value as u64;
        // Sockets of TCP and of UDP, and of nothing else: no raw packets, no other process, no kernel interface.
        let flags = is(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC);
        let kind = MaskedEq(u64::from(u32::MAX) & !flags);
        for family in [libc::AF_INET, libc::AF_INET6] {
            for (socket, protocol) in [(libc::SOCK_STREAM, libc::IPPROTO_TCP), (libc::SOCK_DGRAM, libc::IPPROTO_UDP)] {
                for protocol in [0, protocol] {
                    only(
                        libc::SYS_socket,
                        &[(0, Eq, is(family)), (1, kind.clone(), is(socket)), (2, Eq, is(protocol))],
                    )?;
                }
            }
        }
        // No memory that can be run.
        let runs = MaskedEq(is(libc::PROT_EXEC));
        only(libc::SYS_mmap, &[(2, runs.clone(), 0)])?;
        only(libc::SYS_mprotect, &[(2, runs, 0)])?;
        // Threads, no processes.
        only(libc::SYS_clone, &[(0, MaskedEq(is(libc::CLONE_THREAD)), is(libc::CLONE_THREAD))])?;
        only(libc::SYS_prctl, &[(0, Eq, is(libc::PR_SET_NAME))])?;
        only(libc::SYS_ioctl, &[(1, Eq, is(libc::FIONBIO as i32))])?;
        // `abort` signals the thread that calls it; nobody else may be signalled.
        let own = u64::from(std::process::id());
        only(libc::SYS_tgkill, &[(0, Eq, own)])?;
        only(libc::SYS_tkill, &[(0, Eq, own)])?;
        Ok(rules)
    }
}

/// Installs the filters for the rest of this process's life, in all its threads; whether they are in force. They are
/// not on an architecture whose calls are not listed here, nor under a kernel without seccomp.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) fn restrict() -> bool {
    let hostile = compiled(listed::hostile(), SeccompAction::Allow, SeccompAction::KillProcess);
    let unknown = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let allowed = listed::allowed().ok().and_then(|rules| compiled(rules, unknown, SeccompAction::Allow));
    let (Some(hostile), Some(allowed)) = (hostile, allowed) else { return false };
    // The second one forbids to install another.
    [hostile, allowed].iter().all(|program| seccompiler::apply_filter_all_threads(program).is_ok())
}

/// No list for this architecture.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) fn restrict() -> bool {
    false
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn compiled(rules: listed::Rules, otherwise: SeccompAction, listed: SeccompAction) -> Option<BpfProgram> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH).ok()?;
    SeccompFilter::new(rules, otherwise, listed, architecture).ok()?.try_into().ok()
}
