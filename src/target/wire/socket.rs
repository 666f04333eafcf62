//! A socket that is connected and logged in.

use std::{
    io,
    pin::Pin,
    time::{Duration, Instant},
};

use bytes::Bytes;
use fred::{
    error::{Error, ErrorKind},
    rustls::pki_types::ServerName,
    types::config::TlsConnector,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    time::timeout,
};

use super::{decode::Decoder, encode};
use crate::{
    measure::{ErrorClass, Failure},
    operation::{Args, Kind, Request},
    scenario::Protocol,
    target::{
        Endpoint, Topology,
        connector::{Connector, OPEN_LIMIT},
        nodes,
        roster::READONLY,
    },
};

/// Time that a Sentinel has to answer before the next one is asked.
const SENTINEL_LIMIT: Duration = Duration::from_secs(1);

/// A stream of bytes to the server and back.
pub(super) type Socket = Pin<Box<dyn Stream>>;

/// What the kinds of sockets have in common.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send {}

impl<S: AsyncRead + AsyncWrite + Send> Stream for S {}

/// Connects, logs in, selects the database and says the name: one attempt, of at most ten seconds. Gives the time of the TLS
/// handshake as well, if there was one.
pub(super) async fn open(connector: &Connector) -> Result<(Socket, Option<Duration>), Error> {
    let silent = |_| Error::new(ErrorKind::Timeout, "no answer");
    let (mut socket, handshake) = timeout(OPEN_LIMIT, connect(connector)).await.map_err(silent)??;
    timeout(OPEN_LIMIT, log_in(&mut socket, connector)).await.map_err(silent)??;
    Ok((socket, handshake))
}

async fn connect(connector: &Connector) -> Result<(Socket, Option<Duration>), Error> {
    let primary = match &connector.site().topology {
        Topology::Sentinel { service } => Some(primary(connector, service).await?),
        Topology::Standalone | Topology::Cluster => None,
    };
    match primary.as_ref().unwrap_or(connector.site().first()) {
        Endpoint::Unix { path } => Ok((Box::pin(UnixStream::connect(path).await?), None)),
        Endpoint::Tcp { host, port, .. } => {
            let host = host.trim_matches(['[', ']']);
            let stream = TcpStream::connect((host, *port)).await?;
            stream.set_nodelay(true)?;
            let Some(tls) = connector.tls() else { return Ok((Box::pin(stream), None)) };
            let name = ServerName::try_from(tls.server_name(host).to_owned())
                .map_err(|error| Error::new(ErrorKind::Tls, error.to_string()))?;
            let TlsConnector::Rustls(tls) = tls.connector();
            let begun = Instant::now();
            let stream = tls.connect(name, stream).await?;
            Ok((Box::pin(stream), Some(begun.elapsed())))
        }
    }
}

/// The primary of a service, as the first Sentinel names it that answers.
async fn primary(connector: &Connector, service: &str) -> Result<Endpoint, Error> {
    let mut last = None;
    for sentinel in &connector.site().seeds {
        match timeout(SENTINEL_LIMIT, nodes::primary(connector, sentinel, service)).await {
            Ok(Ok(primary)) => return Ok(primary),
            Ok(Err(error)) => last = Some(error),
            Err(_) => last = Some(Error::new(ErrorKind::Timeout, "no answer")),
        }
    }
    Err(last.unwrap_or_else(|| Error::new(ErrorKind::Sentinel, "no Sentinel")))
}

async fn log_in(socket: &mut Socket, connector: &Connector) -> Result<(), Error> {
    let protocol = connector.protocol();
    let mut ask = async |words: &[&str]| ask(&mut *socket, protocol, words).await;
    if protocol == Protocol::Resp3 {
        let login = connector.any_password().map(|password| ["AUTH", connector.user(), password]);
        let words: Vec<&str> = ["HELLO", "3"].into_iter().chain(login.into_iter().flatten()).collect();
        ask(&words).await?.map_err(refused)?;
    } else if let Some(password) = connector.any_password() {
        let user = connector.username();
        let words: Vec<&str> = ["AUTH"].into_iter().chain(user).chain([password]).collect();
        ask(&words).await?.map_err(refused)?;
    } else {
        // A server that refuses the connection says so here.
        ask(&["PING"]).await?.map_err(refused)?;
    }
    if connector.database() != 0 {
        ask(&["SELECT", &connector.database().to_string()]).await?.map_err(refused)?;
    }
    if connector.is_readonly() {
        ask(&[READONLY]).await?.map_err(refused)?;
    }
    // A user without the right to give names does without.
    let _ = ask(&["CLIENT", "SETNAME", connector.client_name()]).await?;
    Ok(())
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Unknown, message)
}

/// Sends a command and waits for its reply, of which only an error is kept.
async fn ask(socket: &mut Socket, protocol: Protocol, words: &[&str]) -> Result<Result<(), String>, Error> {
    let words = words.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
    let mut out = Vec::new();
    encode::encode(&mut out, &Request::new(Kind::Raw, Bytes::new(), Args::Raw(words)));
    let written = match socket.write_all(&out).await {
        Ok(()) => socket.flush().await,
        failed => failed,
    };
    if let Err(error) = written {
        // The reason may have come before the connection was closed, such as an alert about a certificate.
        return Err(socket.read_buf(&mut Vec::new()).await.err().unwrap_or(error).into());
    }
    let mut decoder = Decoder::of(protocol);
    let mut input = Vec::new();
    loop {
        if socket.read_buf(&mut input).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let (used, reply) = decoder.decode(&input).map_err(|malformed| Error::new(ErrorKind::Protocol, malformed.0))?;
        input.drain(..used);
        if let Some(reply) = reply.filter(|reply| !reply.is_push) {
            if !input.is_empty() {
                return Err(Error::new(ErrorKind::Protocol, "bytes came behind a reply"));
            }
            return Ok(reply.error.map_or(Ok(()), Err));
        }
    }
}

/// The failure of a request whose connection broke.
pub(super) fn broken(error: &io::Error) -> Failure {
    let message = match error.kind() {
        io::ErrorKind::UnexpectedEof => "Connection closed".to_owned(),
        _ => error.to_string(),
    };
    Failure { class: ErrorClass::ConnectionLost, message }
}
