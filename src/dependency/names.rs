//! Addresses of a name, with a limit of time: the system's own question for them has none.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use super::ProbeError;

type Answer = io::Result<Vec<SocketAddr>>;

/// Asks for the addresses of one name, one question at a time: one that the system is slow to answer is waited for the
/// next time, too.
#[derive(Debug)]
pub(super) struct Names {
    host: String,
    port: u16,
    open: Option<Receiver<Answer>>,
}

impl Names {
    /// For a name, or an address without brackets.
    pub(super) fn new(host: &str, port: u16) -> Self {
        Self { host: host.to_owned(), port, open: None }
    }

    /// Its addresses, at least one.
    pub(super) fn addresses(&mut self, patience: Duration) -> Result<Vec<SocketAddr>, ProbeError> {
        // An address stands for itself.
        if let Ok(address) = self.host.parse() {
            return Ok(vec![SocketAddr::new(address, self.port)]);
        }
        let host = || self.host.clone();
        let open = match self.open.take() {
            Some(open) => open,
            None => self.ask().map_err(|error| ProbeError::Other(error.to_string()))?,
        };
        match open.recv_timeout(patience) {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            Ok(Ok(_)) => Err(ProbeError::UnknownHost { host: host(), reason: "the host has no address".to_owned() }),
            Ok(Err(error)) => {
                let said = error.to_string();
                let reason = said.rsplit_once("information: ").map_or(said.as_str(), |(_, reason)| reason).to_owned();
                Err(ProbeError::UnknownHost { host: host(), reason })
            }
            Err(RecvTimeoutError::Timeout) => {
                let slow = ProbeError::SlowName { host: host(), patience };
                self.open = Some(open);
                Err(slow)
            }
            Err(RecvTimeoutError::Disconnected) => Err(ProbeError::Other("the look-up of its name ended".to_owned())),
        }
    }

    fn ask(&self) -> io::Result<Receiver<Answer>> {
        let (sender, open) = mpsc::channel();
        let (host, port) = (self.host.clone(), self.port);
        let ask = move || {
            let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
            // The prober that asked may have gone.
            let _ = sender.send(found);
        };
        thread::Builder::new().name("plimsoll-name".to_owned()).spawn(ask)?;
        Ok(open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stand_for_themselves() {
        let of = |host| Names::new(host, 6432).addresses(Duration::ZERO).unwrap();
        assert_eq!(of("127.0.0.1"), ["127.0.0.1:6432".parse().unwrap()]);
        assert_eq!(of("::1"), ["[::1]:6432".parse().unwrap()]);
    }

    #[test]
    fn a_slow_answer_is_waited_for_the_next_time() {
        let mut names = Names::new("name", 1);
        let (sender, open) = mpsc::channel();
        names.open = Some(open);
        let slow = names.addresses(Duration::from_millis(1)).unwrap_err();
        assert_eq!(slow.to_string(), "no address for name within 0.001 s");
        let address: SocketAddr = "10.0.0.1:1".parse().unwrap();
        sender.send(Ok(vec![address])).unwrap();
        assert_eq!(names.addresses(Duration::ZERO).unwrap(), [address]);
        assert!(names.open.is_none());
    }
}
