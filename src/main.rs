//! The camhealth program: arguments in, exit code out; everything else is in the library.

/// Gives back what a reload of a large fleet took, which glibc keeps; `cli/arenas.rs` says how it is told to.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    camhealth::cli::main()
}
