//! A connection: requests that share its buffers, and the task that moves bytes.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt, io,
    mem::MaybeUninit,
    ops::Deref,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker, ready},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::{
    io::ReadBuf,
    task::{AbortHandle, spawn_local},
    time::{sleep, timeout},
};

use super::{
    decode::{Decoded, Decoder, Malformed},
    encode,
    socket::{self, Socket, broken},
};
use crate::{
    measure::{ErrorClass, Failure},
    operation::{Args, Kind, Request},
    target::{
        connector::Connector,
        driver::{Answer, DriverConnection, Served},
        failure,
        link::{Link, TIMEOUT, longer},
        reply::Expectation,
    },
};

/// Bytes that one system call reads at most.
const READ: usize = 16 << 10;

/// Time that the server has to close a connection.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// A connection of one service. It is closed when it is dropped.
pub struct WireConnection {
    shared: Rc<Shared>,
    exchange: AbortHandle,
    handshake: Option<Duration>,
}

pub(super) struct Shared {
    link: Link,
    state: RefCell<State>,
    /// Memory for the slots of a batch.
    spare: Cell<Vec<u32>>,
    /// Whether the task that moves bytes has panicked.
    panicked: Cell<bool>,
}

/// Marks a connection whose task panics: the panic reaches nobody by itself, since nobody waits for the task.
struct PanicMark(Rc<Shared>);

impl Drop for PanicMark {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.panicked.set(true);
            self.0.link.lose();
        }
    }
}

/// Requests of a connection and the bytes that they became.
#[derive(Default)]
struct State {
    /// Encoded requests, of which the first `written` bytes are sent.
    out: Vec<u8>,
    written: usize,
    /// Slots of the requests under way, in the order of sending.
    under_way: VecDeque<u32>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// The task that moves bytes.
    exchange: Option<Waker>,
    /// Whether the connection is to be opened anew.
    renew: bool,
}

/// Place of one request.
struct Slot {
    expectation: Expectation,
    progress: Progress,
}

enum Progress {
    Waiting(Option<Waker>),
    /// Nobody waits any more, but the reply will come.
    GivenUp,
    /// Taken at most once.
    Done(Option<Answer>),
}

impl WireConnection {
    /// Must be called within a `LocalSet`, which the tasks of the connection run on.
    pub(super) fn new(connector: Connector, socket: Socket, handshake: Option<Duration>) -> Self {
        let shared = Rc::new(Shared {
            link: Link::new(connector.losses()),
            state: RefCell::default(),
            spare: Cell::default(),
            panicked: Cell::default(),
        });
        let exchange = spawn_local(exchange(connector, socket, Rc::clone(&shared))).abort_handle();
        Self { shared, exchange, handshake }
    }

    /// Queues a request at once, whose reply may be awaited later; nothing while there is no connection.
    pub(super) fn send(&self, request: &Request) -> Option<Ticket<Rc<Shared>>> {
        let shared = Rc::clone(&self.shared);
        (!shared.link.is_lost()).then(|| Ticket { slot: shared.send(request), shared })
    }

    /// Whether there is no connection at the moment.
    pub(in crate::target) fn is_lost(&self) -> bool {
        self.shared.link.is_lost()
    }

    /// # Panics
    /// Where the task of the connection has panicked: a defect ends the run, and is not counted as lost requests.
    async fn answers(&self) -> bool {
        assert!(!self.shared.panicked.get(), "the task of a connection has panicked");
        let ping = Request::new(Kind::Ping, Bytes::new(), Args::None);
        match self.issue(ping).await.result {
            Ok(_) => true,
            Err(failure) => !matches!(failure.class, ErrorClass::ConnectionLost | ErrorClass::Protocol),
        }
    }

    /// Opens the connection anew; shows whether that took less than [`TIMEOUT`].
    async fn reconnect(&self) -> bool {
        self.shared.state.borrow_mut().renew = true;
        self.shared.wake();
        timeout(TIMEOUT, self.shared.link.back()).await.is_ok()
    }
}

impl DriverConnection for WireConnection {
    fn handshake(&self) -> Option<Duration> {
        self.handshake
    }

    async fn issue(&self, request: Request) -> Answer {
        if self.shared.link.is_lost() {
            return Err(failure::lost()).into();
        }
        Ticket { shared: &*self.shared, slot: self.shared.send(&request) }.await
    }

    async fn issue_all(&self, requests: &mut Vec<Request>, answers: &mut Vec<Answer>) {
        if self.shared.link.is_lost() {
            answers.extend(requests.drain(..).map(|_| Err(failure::lost()).into()));
            return;
        }
        let mut slots = self.shared.spare.take();
        slots.extend(requests.drain(..).map(|request| self.shared.send(&request)));
        Batch { shared: &self.shared, slots, answers }.await;
    }

    async fn recover(&self) {
        self.shared.link.recover(async || self.answers().await, async || self.reconnect().await).await;
    }

    async fn close(&self) {
        let quit = Request::new(Kind::Raw, Bytes::new(), Args::Raw(vec![Bytes::from_static(b"QUIT")]));
        let _ = timeout(CLOSE_LIMIT, self.issue(quit)).await;
        self.exchange.abort();
        self.shared.link.lose();
        self.shared.state.borrow_mut().fail(failure::lost());
    }
}

impl Drop for WireConnection {
    fn drop(&mut self) {
        self.exchange.abort();
    }
}

impl fmt::Debug for WireConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireConnection").field("link", &self.shared.link).finish_non_exhaustive()
    }
}

/// A request under way. Dropped before its reply, it gives the request up.
pub(super) struct Ticket<S: Deref<Target = Shared>> {
    shared: S,
    slot: u32,
}

impl<S: Deref<Target = Shared>> Future for Ticket<S> {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let mut state = self.shared.state.borrow_mut();
        match &mut state.slots[self.slot as usize].progress {
            Progress::Done(answer) => Poll::Ready(answer.take().unwrap_or_else(|| Err(failure::lost()).into())),
            Progress::Waiting(waker) => {
                if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                    *waker = Some(context.waker().clone());
                }
                Poll::Pending
            }
            Progress::GivenUp => Poll::Pending,
        }
    }
}

impl<S: Deref<Target = Shared>> Drop for Ticket<S> {
    fn drop(&mut self) {
        self.shared.state.borrow_mut().take(self.slot);
    }
}

/// Requests under way together. Dropped before the last reply, it keeps the replies that have come and gives the others up.
struct Batch<'a> {
    shared: &'a Shared,
    slots: Vec<u32>,
    answers: &'a mut Vec<Answer>,
}

impl Future for Batch<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(last) = self.slots.last() else { return Poll::Ready(()) };
        // Replies come in the order of the requests, so the last one is waited for, and what it wakes is woken once.
        match &mut self.shared.state.borrow_mut().slots[*last as usize].progress {
            Progress::Waiting(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            Progress::Done(_) | Progress::GivenUp => Poll::Ready(()),
        }
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.state.borrow_mut();
        for number in self.slots.drain(..) {
            if let Some(answer) = state.take(number) {
                self.answers.push(answer);
            }
        }
        self.shared.spare.set(std::mem::take(&mut self.slots));
    }
}

impl Shared {
    /// Queues a request, to be written together with others of this turn.
    fn send(&self, request: &Request) -> u32 {
        let mut state = self.state.borrow_mut();
        encode::encode(&mut state.out, request);
        let slot = Slot { expectation: Expectation::of(request), progress: Progress::Waiting(None) };
        let number = if let Some(number) = state.free.pop() {
            state.slots[number as usize] = slot;
            number
        } else {
            state.slots.push(slot);
            state.slots.len() as u32 - 1
        };
        state.under_way.push_back(number);
        drop(state);
        self.wake();
        number
    }

    fn wake(&self) {
        let waker = self.state.borrow_mut().exchange.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl State {
    /// Ends the wait for a request: takes its answer, or gives the request up.
    fn take(&mut self, number: u32) -> Option<Answer> {
        match std::mem::replace(&mut self.slots[number as usize].progress, Progress::GivenUp) {
            Progress::Waiting(_) | Progress::GivenUp => None,
            Progress::Done(answer) => {
                self.free.push(number);
                answer
            }
        }
    }

    /// Gives the first request under way its answer.
    fn answer(&mut self, answer: impl FnOnce(Expectation) -> Answer) {
        let Some(number) = self.under_way.pop_front() else { return };
        let slot = &mut self.slots[number as usize];
        match std::mem::replace(&mut slot.progress, Progress::GivenUp) {
            Progress::Waiting(waker) => {
                slot.progress = Progress::Done(Some(answer(slot.expectation)));
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            Progress::GivenUp | Progress::Done(_) => self.free.push(number),
        }
    }

    /// Fails what is under way: the first request with the reason, which may be its own fault, the others with the loss.
    fn fail(&mut self, reason: Failure) {
        let mut reason = Some(reason);
        while !self.under_way.is_empty() {
            self.answer(|_| Err(reason.take().unwrap_or_else(failure::lost)).into());
        }
        self.out.clear();
        self.written = 0;
    }
}

/// Moves bytes until the connection is dropped, and opens it anew when it breaks.
async fn exchange(connector: Connector, mut socket: Socket, shared: Rc<Shared>) {
    let _mark = PanicMark(Rc::clone(&shared));
    loop {
        let mut decoder = Decoder::of(connector.protocol());
        let mut rest = Vec::new();
        let broken = std::future::poll_fn(|context| turn(&shared, &mut socket, &mut decoder, &mut rest, context)).await;
        if broken.is_some() {
            shared.link.lose();
        }
        // After the link is lost: a request that is issued meanwhile fails at once.
        shared.state.borrow_mut().fail(broken.unwrap_or_else(failure::lost));
        // A server at its limit of clients refuses the new connection while the old one is open.
        drop(socket);
        let mut pause = Duration::ZERO;
        socket = loop {
            // A pause comes first: a server that breaks every connection is not asked without rest.
            pause = longer(pause);
            sleep(pause).await;
            // Boxed: the state of an attempt to connect is larger than all else that a connection keeps.
            if let Ok((socket, _)) = Box::pin(socket::open(&connector)).await {
                break socket;
            }
        };
        shared.state.borrow_mut().renew = false;
        shared.link.find();
    }
}

/// Writes what is ready and reads what has come. Ends with the reason for which the connection broke, or without one where the
/// harness wants another connection.
fn turn(
    shared: &Shared,
    socket: &mut Socket,
    decoder: &mut Decoder,
    rest: &mut Vec<u8>,
    context: &mut Context<'_>,
) -> Poll<Option<Failure>> {
    let mut state = shared.state.borrow_mut();
    if std::mem::take(&mut state.renew) {
        return Poll::Ready(None);
    }
    state.exchange = Some(context.waker().clone());
    if let Err(error) = write(&mut state, socket, context) {
        return Poll::Ready(Some(broken(&error)));
    }
    loop {
        let mut space = [const { MaybeUninit::uninit() }; READ];
        let mut buffer = ReadBuf::uninit(&mut space);
        if let Err(error) = ready!(socket.as_mut().poll_read(context, &mut buffer)) {
            return Poll::Ready(Some(broken(&error)));
        }
        let received = Instant::now();
        if buffer.filled().is_empty() {
            return Poll::Ready(Some(broken(&io::ErrorKind::UnexpectedEof.into())));
        }
        let taken = if rest.is_empty() {
            take_in(&mut state, decoder, buffer.filled(), received).map(|used| {
                rest.extend_from_slice(&buffer.filled()[used..]);
            })
        } else {
            rest.extend_from_slice(buffer.filled());
            take_in(&mut state, decoder, rest, received).map(|used| {
                rest.drain(..used);
            })
        };
        if let Err(Malformed(reason)) = taken {
            return Poll::Ready(Some(Failure { class: ErrorClass::Protocol, message: reason.to_owned() }));
        }
    }
}

/// Writes as much as the socket takes.
fn write(state: &mut State, socket: &mut Socket, context: &mut Context<'_>) -> io::Result<()> {
    while state.written < state.out.len() {
        match socket.as_mut().poll_write(context, &state.out[state.written..]) {
            Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
            Poll::Ready(Ok(written)) => state.written += written,
            Poll::Ready(Err(error)) => return Err(error),
            Poll::Pending => {
                // What is sent is not kept while the socket is full, which it may be without a pause.
                if state.written > state.out.len() / 2 {
                    state.out.drain(..state.written);
                    state.written = 0;
                }
                return Ok(());
            }
        }
    }
    if state.written > 0 {
        state.out.clear();
        state.written = 0;
    }
    // Only TLS has anything to flush.
    match socket.as_mut().poll_flush(context) {
        Poll::Ready(Err(error)) => Err(error),
        _ => Ok(()),
    }
}

/// Answers requests from replies that have come; gives the number of bytes that are done with.
fn take_in(state: &mut State, decoder: &mut Decoder, input: &[u8], received: Instant) -> Result<usize, Malformed> {
    let mut at = 0;
    while at < input.len() {
        if state.under_way.is_empty() && !decoder.is_push(&input[at..]) {
            return Err(Malformed("a reply came that nothing asked for"));
        }
        let (used, reply) = decoder.decode(&input[at..])?;
        at += used;
        let Some(Decoded { is_push, shape, bytes, error }) = reply else { break };
        if is_push {
            continue;
        }
        state.answer(|expectation| Answer {
            result: match error {
                None => Ok(expectation.reply(shape, bytes)),
                Some(message) => Err(Failure { class: ErrorClass::of_reply(&message), message }),
            },
            received: Some(received),
            served: Served::Unknown,
        });
    }
    Ok(at)
}
