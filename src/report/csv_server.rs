//! Tables of the server's side: `server.csv`, second by second, and `commands.csv`.

use super::{
    csv_table::table,
    number::{micros, ratio, rounded, seconds},
};
use crate::{
    analysis::Analysis,
    results::{Run, ServerSecond, slug},
};

/// `server.csv`: what the server said, second by second. Counts are those of the second; levels are those at its end. Empty
/// where the server said nothing.
pub(super) fn server(run: &Run) -> Vec<u8> {
    let spent = |seconds: Option<f64>| seconds.map(|seconds| rounded(seconds, 6));
    let persistence = |second: &ServerSecond| second.levels.persistence.iter().map(slug).collect::<Vec<_>>().join(" ");
    table!(&run.server.seconds, |second| [
        ("second", second.second),
        ("length_s", seconds(second.length_ns)),
        ("restarted", second.restarted),
        ("reset", second.reset),
        ("commands", second.commands),
        ("cpu_user_s", spent(second.cpu_user)),
        ("cpu_system_s", spent(second.cpu_system)),
        ("main_thread_cpu_s", spent(second.main_thread_cpu)),
        ("main_thread_active_s", spent(second.main_thread_active)),
        ("bytes_received", second.received),
        ("bytes_sent", second.sent),
        ("hits", second.hits),
        ("misses", second.misses),
        ("evicted", second.evicted),
        ("expired", second.expired),
        ("rejected", second.rejected),
        ("error_replies", second.error_replies),
        ("forks", second.forks),
        ("delayed_fsyncs", second.delayed_fsyncs),
        ("event_loops", second.event_loops),
        ("event_loop_us", second.event_loop_us),
        ("event_loop_command_us", second.event_loop_command_us),
        ("io_thread_operations", second.io_thread_operations),
        ("used_memory", second.levels.used_memory),
        ("rss", second.levels.rss),
        ("peak_memory", second.levels.peak_memory),
        ("fragmentation", second.levels.fragmentation),
        ("clients", second.levels.clients),
        ("blocked", second.levels.blocked),
        ("keys", second.levels.keys),
        ("replicas", second.levels.replicas),
        ("replica_lag_bytes", second.levels.replica_lag),
        ("persistence", persistence(second)),
    ])
}

/// `commands.csv`: both times of each command, most server time first.
pub(super) fn commands(analysis: &Analysis) -> Vec<u8> {
    table!(&analysis.server.commands, |command| [
        ("command", command.name),
        ("calls", command.calls),
        ("server_mean_us", micros(command.server)),
        ("server_p99_below_us", command.server_p99.map(micros)),
        ("client_mean_us", command.client.map(micros)),
        ("busy_share", ratio(command.busy)),
        ("rejected", command.rejected),
        ("failed", command.failed),
    ])
}
