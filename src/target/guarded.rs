//! A connection that is seen to when a request on it was given up.

use std::{cell::Cell, rc::Rc};

use tokio::task::spawn_local;

use super::{Answer, DriverConnection};
use crate::measure::ErrorClass;

/// A connection that may be in doubt.
pub(super) struct Guarded<C> {
    pub(super) connection: C,
    /// Whether a request was given up, or the connection was lost, since the last recovery began.
    doubtful: Cell<bool>,
    /// Whether a task waits until it answers again.
    recovering: Cell<bool>,
}

impl<C: DriverConnection> Guarded<C> {
    pub(super) fn new(connection: C) -> Self {
        Self { connection, doubtful: Cell::default(), recovering: Cell::default() }
    }

    /// Whether it has to be recovered.
    pub(super) fn is_doubtful(&self) -> bool {
        self.doubtful.get()
    }

    /// Whether a task waits until it answers again.
    pub(super) fn is_recovering(&self) -> bool {
        self.recovering.get()
    }

    /// Waits in the background until it answers again, where that is in doubt.
    pub(super) fn recover(self: &Rc<Self>) {
        if self.doubtful.take() && !self.recovering.replace(true) {
            let this = Rc::clone(self);
            spawn_local(async move {
                this.connection.recover().await;
                this.recovering.set(false);
            });
        }
    }

    /// Requests that are under way.
    pub(super) fn under_way(self: &Rc<Self>) -> UnderWay<C> {
        UnderWay { guarded: Rc::clone(self), answered: false }
    }
}

/// Requests under way. Dropped before they have their answers, it puts the connection in doubt.
pub(super) struct UnderWay<C> {
    guarded: Rc<Guarded<C>>,
    answered: bool,
}

impl<C> UnderWay<C> {
    /// Takes in the answers, which may say that the connection is lost.
    pub(super) fn end<'a>(mut self, answers: impl IntoIterator<Item = &'a Answer>) {
        let is_lost = |answer: &Answer| {
            let class = answer.result.as_ref().err().map(|failure| failure.class);
            matches!(class, Some(ErrorClass::ConnectionLost | ErrorClass::Protocol))
        };
        self.answered = !answers.into_iter().any(is_lost);
    }
}

impl<C> Drop for UnderWay<C> {
    fn drop(&mut self) {
        if !self.answered {
            self.guarded.doubtful.set(true);
        }
    }
}
