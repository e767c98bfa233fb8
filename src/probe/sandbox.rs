//! What a worker gives up before it reads its first byte from a camera: memory beyond a limit, and files.

use landlock::{ABI, Access, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::io;

/// Confines this process for the rest of its life.
///
/// The memory limit holds everywhere; the ban on files needs a kernel with Landlock (Linux 5.13) and is left out
/// where there is none.
pub(super) fn confine(memory_mib: u64) -> io::Result<()> {
    let limit = |bytes| Rlimit { current: Some(bytes), maximum: Some(bytes) };
    // Counts private writable memory, so that neither shared libraries nor reserved address space eat into it.
    setrlimit(Resource::Data, limit(memory_mib * 1024 * 1024))?;
    // A crash must not write what cameras sent to disk, and nothing else may be written either.
    setrlimit(Resource::Core, limit(0))?;
    setrlimit(Resource::Fsize, limit(0))?;
    let banned = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V5))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self);
    banned.map(|_| ()).map_err(io::Error::other)
}
