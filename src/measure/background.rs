//! Threads beside the load: what they do must not keep requests waiting.

/// Niceness of such a thread: where a private server has the core that the workers leave, packing a second
/// must not keep its requests waiting. A tenth of a core is more than packing needs.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Lets the calling thread yield to everything else on the machine.
pub fn yield_to_load() {
    // Linux knows the niceness of a thread; elsewhere it would be that of all. Being refused is no harm.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICENESS);
}
