//! A sample of the server's counters, and the difference between two samples.

use super::info::Info;
use crate::{
    measure::Nanos,
    results::{CommandUse, DatabaseKeys, ErrorUse, Levels, Persistence, ServerCounts, ServerSecond},
};

/// Counters that a reset sets to 0. A busy one may have passed its old value by the next look; that of connections, which
/// stay, has not.
const RESET: [&str; 2] = ["total_commands_processed", "total_connections_received"];

/// Change of a server's counters between two samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// The counters continued.
    Same,
    /// The counters were reset (`CONFIG RESETSTAT`).
    Reset,
    /// The server was restarted.
    Another,
}

/// `INFO` at one moment.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// When, on the clock of the run.
    pub(super) at: Nanos,
    pub(super) info: Info,
}

impl Sample {
    /// Levels: keys, memory, clients.
    pub(super) fn levels(&self) -> Levels {
        let info = &self.info;
        let keys: Vec<u64> = self.databases().iter().map(|database| database.keys).collect();
        Levels {
            used_memory: info.number("used_memory"),
            rss: info.number("used_memory_rss"),
            peak_memory: info.number("used_memory_peak"),
            max_memory: info.number("maxmemory").filter(|limit| *limit > 0),
            system_memory: info.number("total_system_memory"),
            fragmentation: info.number("mem_fragmentation_ratio"),
            clients: info.number("connected_clients"),
            blocked: info.number("blocked_clients"),
            // A server that says anything of its memory says everything of its keys.
            keys: info.text("used_memory").map(|_| keys.iter().sum()),
            replicas: info.number("connected_slaves"),
            replica_lag: self.replica_lag(),
            replication_offset: self.replication_offset(),
            io_threads_active: info.text("io_threads_active").map(|active| active == "1"),
            persistence: self.persistence(),
        }
    }

    /// Whether the sample has the statistics of commands.
    pub(super) fn has_command_statistics(&self) -> bool {
        self.info.compound("cmdstat_").next().is_some()
    }

    /// Keys per database.
    pub(super) fn databases(&self) -> Vec<DatabaseKeys> {
        let read = |(rest, keys): (&str, super::info::Compound<'_>)| {
            Some(DatabaseKeys {
                database: rest.parse().ok()?,
                keys: keys.number("keys")?,
                expires: keys.number("expires").unwrap_or_default(),
            })
        };
        let mut databases: Vec<_> = self.info.compound("db").filter_map(read).collect();
        databases.sort_by_key(|database| database.database);
        databases
    }

    fn replica_lag(&self) -> Option<u64> {
        let offset: u64 = self.info.number("master_repl_offset")?;
        let numbered = self.info.compound("slave").filter(|(rest, _)| rest.parse::<u32>().is_ok());
        numbered.filter_map(|(_, replica)| replica.number::<u64>("offset")).map(|at| offset.saturating_sub(at)).max()
    }

    fn replication_offset(&self) -> Option<u64> {
        let field = if self.info.text("role") == Some("slave") { "slave_repl_offset" } else { "master_repl_offset" };
        self.info.number(field).filter(|offset| *offset > 0)
    }

    fn persistence(&self) -> Vec<Persistence> {
        [
            ("rdb_bgsave_in_progress", Persistence::RdbSave),
            ("aof_rewrite_in_progress", Persistence::AofRewrite),
            ("module_fork_in_progress", Persistence::ModuleFork),
            ("loading", Persistence::Loading),
            ("async_loading", Persistence::Loading),
        ]
        .into_iter()
        .filter_map(|(field, work)| self.info.is_on(field).then_some(work))
        .collect()
    }

    /// Change of the server's counters since an earlier sample.
    pub(super) fn life_since(&self, earlier: &Self) -> Life {
        let fell = |name: &str| {
            let of = |sample: &Self| sample.info.number::<u64>(name);
            matches!((of(earlier), of(self)), (Some(before), Some(now)) if now < before)
        };
        if self.info.text("run_id") != earlier.info.text("run_id") || fell("uptime_in_seconds") {
            Life::Another
        } else if RESET.iter().any(|name| fell(name)) {
            // Without an age this may be either; the graver one is reported.
            if self.info.text("uptime_in_seconds").is_some() { Life::Reset } else { Life::Another }
        } else {
            Life::Same
        }
    }

    /// Difference from an earlier sample, as one second.
    pub(super) fn since(&self, earlier: &Self, second: u32) -> ServerSecond {
        let life = self.life_since(earlier);
        let counted = life == Life::Same;
        // A single counter that falls says nothing either.
        let count = |name: &str| -> Option<u64> {
            let (before, now) = (earlier.info.number::<u64>(name)?, self.info.number::<u64>(name)?);
            now.checked_sub(before).filter(|_| counted)
        };
        let seconds = |name: &str| -> Option<f64> {
            let (before, now) = (earlier.info.number::<f64>(name)?, self.info.number::<f64>(name)?);
            Some(now - before).filter(|spent| *spent >= 0.0 && counted)
        };
        let both = |a: &str, b: &str| Some(count(a)? + count(b)?);
        let cpu = |a: &str, b: &str| Some(seconds(a)? + seconds(b)?);
        ServerSecond {
            second,
            length_ns: self.at.saturating_sub(earlier.at),
            restarted: life == Life::Another,
            reset: life == Life::Reset,
            levels: self.levels(),
            counts: ServerCounts {
                commands: count("total_commands_processed"),
                cpu_user: seconds("used_cpu_user"),
                cpu_system: seconds("used_cpu_sys"),
                main_thread_cpu: cpu("used_cpu_user_main_thread", "used_cpu_sys_main_thread"),
                main_thread_active: seconds("used_active_time_main_thread"),
                received: count("total_net_input_bytes"),
                sent: count("total_net_output_bytes"),
                hits: count("keyspace_hits"),
                misses: count("keyspace_misses"),
                evicted: count("evicted_keys"),
                expired: count("expired_keys"),
                rejected: count("rejected_connections"),
                error_replies: count("total_error_replies"),
                forks: count("total_forks"),
                delayed_fsyncs: count("aof_delayed_fsync"),
                event_loops: count("eventloop_cycles"),
                event_loop_us: count("eventloop_duration_sum"),
                event_loop_command_us: count("eventloop_duration_cmd_sum"),
                io_thread_operations: both("io_threaded_reads_processed", "io_threaded_writes_processed"),
            },
        }
    }

    /// Server time of each command since an earlier sample, most expensive first.
    pub(super) fn commands_since(&self, earlier: Option<&Self>) -> Vec<CommandUse> {
        let mut commands: Vec<_> = self
            .info
            .compound("cmdstat_")
            .filter_map(|(name, now)| {
                let stat = format!("cmdstat_{name}");
                let before = earlier.and_then(|earlier| {
                    let mut known = earlier.info.compound(&stat).filter(|(rest, _)| rest.is_empty());
                    Some(known.next()?.1)
                });
                let since = |field: &str| -> Option<u64> {
                    let earlier = before.and_then(|before| before.number::<u64>(field)).unwrap_or_default();
                    Some(now.number::<u64>(field)?.saturating_sub(earlier))
                };
                let calls = since("calls").unwrap_or_default();
                let (rejected, failed) = (since("rejected_calls"), since("failed_calls"));
                (calls + rejected.unwrap_or_default() > 0).then(|| CommandUse {
                    name: name.to_uppercase(),
                    calls,
                    micros: since("usec").unwrap_or_default(),
                    rejected,
                    failed,
                    histogram: Vec::new(),
                })
            })
            .collect();
        commands.sort_by(|a, b| b.micros.cmp(&a.micros).then_with(|| a.name.cmp(&b.name)));
        commands
    }

    /// Error replies since an earlier look, most frequent first.
    pub(super) fn errors_since(&self, earlier: Option<&Self>) -> Vec<ErrorUse> {
        let count = |sample: &Self, word: &str| {
            let mut known = sample.info.compound("errorstat_").filter(|(rest, _)| *rest == word);
            known.next().and_then(|(_, stat)| stat.number::<u64>("count")).unwrap_or_default()
        };
        let mut errors: Vec<_> = self
            .info
            .compound("errorstat_")
            .map(|(word, _)| ErrorUse {
                word: word.to_owned(),
                count: count(self, word)
                    .saturating_sub(earlier.map(|earlier| count(earlier, word)).unwrap_or_default()),
            })
            .filter(|error| error.count > 0)
            .collect();
        errors.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.word.cmp(&b.word)));
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at: Nanos, text: &str) -> Sample {
        Sample { at, info: Info::parse(text) }
    }

    const BEFORE: &str = "run_id:a\nused_memory:1000\ntotal_commands_processed:100\nused_cpu_user:1.5\n\
        keyspace_hits:10\nkeyspace_misses:4\ncmdstat_get:calls=10,usec=20,rejected_calls=0,failed_calls=0\n\
        cmdstat_ping:calls=1,usec=1\nerrorstat_OOM:count=2\ndb0:keys=5,expires=0";
    const AFTER: &str = "run_id:a\nused_memory:2000\nmaxmemory:0\ntotal_commands_processed:160\nused_cpu_user:1.75\n\
        keyspace_hits:40\nkeyspace_misses:3\ncmdstat_get:calls=30,usec=100,rejected_calls=1,failed_calls=0\n\
        cmdstat_ping:calls=1,usec=1\ncmdstat_zadd:calls=2,usec=9000,failed_calls=1\nerrorstat_OOM:count=2\n\
        errorstat_NOPERM:count=7\ndb0:keys=5,expires=0\ndb5:keys=2,expires=1\nrdb_bgsave_in_progress:1\n\
        master_repl_offset:500\nslave0:ip=::1,port=1,state=online,offset=450,lag=0\nslave_expires_tracked_keys:0";

    #[test]
    fn counts_are_differences() {
        let second = sample(3_000_000_000, AFTER).since(&sample(2_000_000_000, BEFORE), 2);
        assert_eq!((second.second, second.length_ns, second.restarted), (2, 1_000_000_000, false));
        assert_eq!(
            (second.counts.commands, second.counts.cpu_user, second.counts.hits),
            (Some(60), Some(0.25), Some(30))
        );
        assert_eq!(second.counts.misses, None, "a counter that was reset says nothing");
        assert_eq!(second.counts.evicted, None, "nor does one that is not there");
        assert_eq!(second.levels.persistence, [Persistence::RdbSave]);
        assert_eq!((second.levels.keys, second.levels.max_memory), (Some(7), None));
        assert_eq!(second.levels.replica_lag, Some(50));
    }

    #[test]
    fn a_restart_leaves_no_counts() {
        let reborn = AFTER.replace("run_id:a", "run_id:b");
        let second = sample(2, &reborn).since(&sample(1, BEFORE), 0);
        assert!(second.restarted);
        assert_eq!((second.counts.commands, second.counts.cpu_user, second.counts.hits), (None, None, None));
        assert_eq!(second.levels.used_memory, Some(2000));
    }

    #[test]
    fn counters_that_were_reset_are_no_restart() {
        let old = format!("uptime_in_seconds:9\n{BEFORE}");
        let reset = format!("uptime_in_seconds:10\n{}", AFTER.replace("processed:160", "processed:3"));
        let second = sample(2, &reset).since(&sample(1, &old), 0);
        assert!(second.reset && !second.restarted);
        assert_eq!((second.counts.commands, second.counts.cpu_user, second.counts.hits), (None, None, None));
        // The same name, but younger.
        let younger = reset.replace("uptime_in_seconds:10", "uptime_in_seconds:1");
        assert_eq!(sample(2, &younger).life_since(&sample(1, &old)), Life::Another);
    }

    #[test]
    fn commands_come_by_what_they_cost() {
        let (before, after) = (sample(1, BEFORE), sample(2, AFTER));
        let said: Vec<_> = after
            .commands_since(Some(&before))
            .into_iter()
            .map(|command| (command.name, command.calls, command.micros, command.rejected, command.failed))
            .collect();
        assert_eq!(said, [("ZADD".to_owned(), 2, 9000, None, Some(1)), ("GET".to_owned(), 20, 80, Some(1), Some(0))]);
        assert_eq!(after.errors_since(Some(&before)), [ErrorUse { word: "NOPERM".to_owned(), count: 7 }]);
        assert_eq!(after.commands_since(None).len(), 3);
    }
}
