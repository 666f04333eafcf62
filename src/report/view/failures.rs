//! What to do about each class of failure.

use crate::{analysis::WAITS, measure::ErrorClass};

/// Advice for a class of failure, by its word, with that message.
pub(super) fn advice(word: &str, message: &str) -> &'static str {
    let class = ErrorClass::ALL.iter().copied().find(|class| class.word() == word).unwrap_or(ErrorClass::Other);
    match class {
        ErrorClass::Timeout if message.ends_with(WAITS) => {
            "A blocking command waited longer than the pool's command_timeout: set command_timeout above the time for \
             which the command may block. The harness renews the connection after each timeout."
        }
        ErrorClass::Timeout => {
            "No reply within the pool's command_timeout. Check what blocked the server (SLOWLOG GET, forks, swapping) \
             before raising the timeout."
        }
        ErrorClass::CheckoutTimeout => {
            "No connection was free within the pool's checkout_timeout: the pool is too small, or the server too slow, \
             for this load."
        }
        ErrorClass::ConnectionLost => {
            "The connection broke during the request: the server was restarted or closed the connection (CLIENT KILL, \
             timeout, output buffer limits), or the network failed."
        }
        ErrorClass::Protocol => "The client library could not read the reply: check proxies between client and server.",
        ErrorClass::Oom => {
            "The server reached maxmemory and may not evict: raise maxmemory, choose an eviction policy, or store less \
             data."
        }
        ErrorClass::Noperm => "The ACL user lacks a permission: ACL LOG on the server lists command and key.",
        ErrorClass::Noauth | ErrorClass::Wrongpass => {
            "The server does not accept these credentials any more: check user and password of the service."
        }
        ErrorClass::Wrongtype => {
            "A key has another type than the command needs: another program, or an earlier run with --keep-data, uses \
             the same prefix."
        }
        ErrorClass::Loading => "The server was loading its data set after a restart. Wait until it is ready.",
        ErrorClass::Readonly => "Writes went to a replica: point the target at the primary.",
        ErrorClass::Masterdown => "The replica has lost its primary and may not serve stale data.",
        ErrorClass::Noreplicas => "Too few replicas are connected for min-replicas-to-write.",
        ErrorClass::Busy => "A script blocked the server: shorten the script, or end it with SCRIPT KILL.",
        ErrorClass::Tryagain
        | ErrorClass::Moved
        | ErrorClass::Ask
        | ErrorClass::Clusterdown
        | ErrorClass::Crossslot => {
            "Hash slots of the cluster were moving or had no node that serves them, as during a failover, or the keys of one \
             command lie in different slots."
        }
        ErrorClass::Misconf => {
            "The server cannot save its data set and therefore refuses writes: check its log and its disk."
        }
        ErrorClass::Noscript => "The script is not in the server's cache: SCRIPT FLUSH or a restart removed it.",
        ErrorClass::Execabort => "The transaction was abandoned because one of its commands was refused when queued.",
        ErrorClass::Err | ErrorClass::Other => "The server refused the command: see its message.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_blocks_on_purpose_needs_a_longer_timeout() {
        let word = ErrorClass::Timeout.word();
        let waits = advice(word, &format!("no reply within 1s{WAITS}"));
        assert!(waits.contains("command_timeout above the time for which the command may block"), "{waits}");
        assert!(advice(word, "no reply within 1s").contains("what blocked the server"));
    }
}
