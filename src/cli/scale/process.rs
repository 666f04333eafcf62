//! A process that was started, and what it writes.

use std::{
    io::{self, BufRead as _, BufReader},
    process::{Child, ChildStdin, ExitStatus},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
    thread,
    time::Instant,
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::cli::shard::lines::{Read, Reader, Report};

/// What comes from the processes that were started.
pub(super) enum Event {
    /// A message of a generator.
    Said(u32, Report),
    /// A piece of one.
    Alive(u32),
    /// A line that is none, from standard output or standard error.
    Line(String),
    /// Lines that cannot be read.
    Garbled(String),
}

/// A process that was started.
pub(super) struct Process {
    pub(super) child: Child,
    pub(super) input: Option<ChildStdin>,
    /// The generator that it is.
    pub(super) number: Option<u32>,
    /// When its end was noticed, and how it ended.
    pub(super) ended: Option<(Instant, ExitStatus)>,
    /// Whether all that it wrote has been read.
    pub(super) closed: Arc<AtomicBool>,
}

impl Process {
    /// Notes its end, once it has ended.
    pub(super) fn note_end(&mut self) -> io::Result<()> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait()?.map(|status| (Instant::now(), status));
        }
        Ok(())
    }

    /// Sends a signal to its group, unless it has ended.
    pub(super) fn signal(&self, signal: Signal) {
        if self.ended.is_none() {
            let _ = kill_process_group(Pid::from_child(&self.child), signal);
        }
    }
}

/// Passes on what a process writes, on a thread of its own.
pub(super) fn hear(
    pipe: Option<impl io::Read + Send + 'static>,
    sender: Sender<Event>,
    closed: Arc<AtomicBool>,
    has_messages: bool,
) -> io::Result<()> {
    let Some(pipe) = pipe else { return Ok(()) };
    let hear = move || {
        let (mut reader, mut pipe, mut line) = (Reader::default(), BufReader::new(pipe), Vec::new());
        // Launchers and remote shells may print what is not UTF-8.
        while pipe.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            let read = if has_messages { reader.take::<Report>(&text) } else { Ok(Read::Other) };
            let event = match read {
                Ok(Read::Message(number, report)) => Event::Said(number, report),
                Ok(Read::Other) => Event::Line(text),
                Ok(Read::Piece(number)) => Event::Alive(number),
                Err(reason) => Event::Garbled(reason),
            };
            if sender.send(event).is_err() {
                return;
            }
        }
        closed.store(true, Ordering::Release);
    };
    thread::Builder::new().name("hear".to_owned()).spawn(hear).map(drop)
}
