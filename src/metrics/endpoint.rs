//! The HTTP server that is scraped: a thread of its own, which yields to everything else on the machine.

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    net::TcpListener as Listener,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Builder,
    sync::{oneshot, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{Address, Board, exposition::Format};
use crate::measure::yield_to_load;

/// Time limit of a client for its request and the response.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum number of concurrent clients; beyond it the oldest connection is closed. A well-behaved scraper finishes at
/// once.
const CLIENTS: usize = 64;

/// Pause after a failed accept, for lack of file descriptors for instance.
const PAUSE: Duration = Duration::from_millis(100);

const METRICS: &str = "/metrics";

/// Page for browsers.
const PAGE: &str = "<!doctype html>\n<html lang=\"en\"><meta \
                    charset=\"utf-8\"><title>plimsoll</title>\n<h1>plimsoll</h1>\n<p><a href=\"/metrics\">Metrics</a> \
                    of the run, for Prometheus.</p>\n</html>\n";

/// Serves metrics until it is dropped.
#[derive(Debug)]
pub struct Endpoint {
    address: Address,
    audience: Arc<Audience>,
    // Dropped to end the thread.
    end: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// State of the scrapes.
#[derive(Debug)]
struct Audience {
    /// Whether a scrape occurred before the verdict was known.
    watched: AtomicBool,
    /// Whether a scrape returned the verdict.
    knows: watch::Sender<bool>,
}

/// Response to a client, so far.
#[derive(Debug, Default)]
struct Given {
    metrics: AtomicBool,
    verdict: AtomicBool,
}

/// Reason why metrics cannot be served.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant and its fields mean")]
pub enum MetricsError {
    #[error("could not listen on {address} for scrapes of metrics: use another address or port")]
    Listen {
        address: Address,
        #[source]
        source: io::Error,
    },
    #[error("could not set up the thread that serves metrics")]
    Thread(#[source] io::Error),
}

impl Endpoint {
    /// Time limit for a scraper to fetch the verdict.
    pub const FAREWELL: Duration = Duration::from_secs(20);

    /// Listens, and serves what is on the board.
    pub fn open(address: Address, board: Board) -> Result<Self, MetricsError> {
        let refused = |source| MetricsError::Listen { address, source };
        let listener = Listener::bind(address.socket()).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let address = listener.local_addr().map(Address::new).map_err(refused)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(MetricsError::Thread)?;
        let audience = Arc::new(Audience { watched: AtomicBool::new(false), knows: watch::Sender::new(false) });
        let (end, ended) = oneshot::channel();
        let listeners = Arc::clone(&audience);
        let serve = move || {
            yield_to_load();
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, board, listeners) => {}
                    _ = ended => {}
                }
            });
        };
        let thread =
            thread::Builder::new().name("plimsoll-metrics".to_owned()).spawn(serve).map_err(MetricsError::Thread)?;
        Ok(Self { address, audience, end: Some(end), thread: Some(thread) })
    }

    /// Where the metrics are.
    pub fn url(&self) -> String {
        format!("http://{}{METRICS}", self.address)
    }

    /// Whether the run was scraped and the verdict is still to be fetched.
    pub fn is_watched(&self) -> bool {
        self.audience.watched.load(Ordering::Relaxed) && !*self.audience.knows.borrow()
    }

    /// Returns when a scrape has returned the verdict, or after 20 s.
    pub async fn wait_for_final_scrape(&self) {
        let mut knows = self.audience.knows.subscribe();
        // Nobody came: that is theirs to know.
        let _ = timeout(Self::FAREWELL, knows.wait_for(|knows| *knows)).await;
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // It never waits for clients. Had it panicked there were no metrics, which is no reason to panic, too.
            let _ = thread.join();
        }
    }
}

async fn serve(listener: Listener, board: Board, audience: Arc<Audience>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let mut clients: VecDeque<JoinHandle<()>> = VecDeque::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        clients.retain(|client| !client.is_finished());
        if clients.len() == CLIENTS
            && let Some(oldest) = clients.pop_front()
        {
            oldest.abort();
        }
        clients.push_back(tokio::spawn(attend(stream, board.clone(), Arc::clone(&audience))));
    }
}

/// Answers one request of one client.
async fn attend(stream: TcpStream, board: Board, audience: Arc<Audience>) {
    let given = Given::default();
    let answer = service_fn(|request| {
        let answered = answer(&request, &board, &given);
        async { Ok::<_, Infallible>(answered) }
    });
    let mut http = http1::Builder::new();
    // One request each: the end of the connection shows that the answer has gone out.
    http.keep_alive(false).header_read_timeout(None);
    let served = timeout(TIMEOUT, http.serve_connection(TokioIo::new(stream), answer)).await;
    if matches!(served, Ok(Ok(()))) {
        if given.verdict.load(Ordering::Relaxed) {
            audience.knows.send_replace(true);
        } else if given.metrics.load(Ordering::Relaxed) {
            audience.watched.store(true, Ordering::Relaxed);
        }
    }
}

fn answer(request: &Request<Incoming>, board: &Board, given: &Given) -> Response<String> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    match request.uri().path() {
        METRICS => {
            let accept: Vec<_> =
                request.headers().get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok()).collect();
            let format = Format::accepted(&accept.join(","));
            let state = board.copy();
            let verdict = state.verdict.is_some();
            let Ok(text) = format.render(state) else {
                return plain(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be rendered\n");
            };
            // A client that asks for the head knows nothing yet.
            if request.method() == Method::GET {
                given.metrics.store(true, Ordering::Relaxed);
                given.verdict.store(verdict, Ordering::Relaxed);
            }
            typed(StatusCode::OK, format.content_type(), text)
        }
        "/" => typed(StatusCode::OK, "text/html; charset=utf-8", PAGE.to_owned()),
        _ => plain(StatusCode::NOT_FOUND, "metrics: /metrics\n"),
    }
}

fn plain(status: StatusCode, text: &str) -> Response<String> {
    typed(status, "text/plain; charset=utf-8", text.to_owned())
}

fn typed(status: StatusCode, kind: &'static str, text: String) -> Response<String> {
    let mut response = Response::new(text);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
