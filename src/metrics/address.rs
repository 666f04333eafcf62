//! Where metrics are served: on the loopback interface unless another one is written out.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

/// Interface and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address(SocketAddr);

/// Not an address; the message has the expected form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected PORT or IP:PORT, such as 9464, 127.0.0.1:9464 or [::1]:9464")]
pub struct NoAddress;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl Address {
    pub(super) fn new(socket: SocketAddr) -> Self {
        Self(socket)
    }

    pub(super) fn socket(self) -> SocketAddr {
        self.0
    }
}

impl FromStr for Address {
    type Err = NoAddress;

    /// `PORT`, `:PORT` and `localhost:PORT` are the loopback interface, `IP:PORT` is another one; port 0 takes any free one.
    fn from_str(text: &str) -> Result<Self, NoAddress> {
        if let Ok(socket) = text.parse() {
            return Ok(Self(socket));
        }
        let port = match text.split_once(':') {
            Some(("" | "localhost", port)) => port,
            Some(_) => return Err(NoAddress),
            None => text,
        };
        // The standard library also takes a sign.
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = digits.then(|| port.parse().ok()).flatten().ok_or(NoAddress)?;
        Ok(Self(SocketAddr::new(LOOPBACK, port)))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        text.parse().ok().map(|address: Address| address.to_string())
    }

    #[test]
    fn a_port_alone_is_the_loopback_interface() {
        for text in ["9464", ":9464", "localhost:9464", "127.0.0.1:9464"] {
            assert_eq!(read(text).as_deref(), Some("127.0.0.1:9464"), "{text}");
        }
    }

    #[test]
    fn another_interface_is_written_out() {
        assert_eq!(read("0.0.0.0:9464").as_deref(), Some("0.0.0.0:9464"));
        assert_eq!(read("[::]:80").as_deref(), Some("[::]:80"));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", ":", "65536", "-1", "+80", "10.0.0.1", "10.0.0.1:", "::1", "db.example:80", "http://[::1]:80"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
