//! A relay before a server that can forget the connections it has, as a router does: neither end learns of it.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

/// A relay on a port of the loopback address. Its threads end with the process.
pub(crate) struct Relay {
    pub(crate) port: u16,
    /// Connections of earlier numbers are forgotten.
    number: Arc<AtomicU32>,
}

impl Relay {
    /// Listens before a port.
    pub(crate) fn before(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let own = listener.local_addr().unwrap().port();
        let number = Arc::<AtomicU32>::default();
        let current = Arc::clone(&number);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let (to, from) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                for (from, to) in [(client, server), (from, to)] {
                    let (current, own) = (Arc::clone(&current), current.load(Ordering::Relaxed));
                    thread::spawn(move || carry(&from, &to, || current.load(Ordering::Relaxed) == own));
                }
            }
        });
        Self { port: own, number }
    }

    /// Forgets the connections there are: what is sent on them is lost. New ones are not concerned.
    pub(crate) fn forget(&self) {
        self.number.fetch_add(1, Ordering::Relaxed);
    }
}

fn carry(mut from: &TcpStream, mut to: &TcpStream, is_known: impl Fn() -> bool) {
    let mut buffer = vec![0; 1 << 16];
    to.set_nodelay(true).unwrap();
    while let Ok(read) = from.read(&mut buffer) {
        if read == 0 || is_known() && to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
