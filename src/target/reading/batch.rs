//! Requests of a batch that go to different nodes, and their answers in the order of the batch.

use std::cell::RefCell;

use crate::{
    operation::{Request, Route},
    target::{Answer, Served},
};

/// Answers by the place of their request in the batch.
pub(super) type Found = RefCell<Vec<Option<Answer>>>;

/// Requests of a batch that go to the same node.
pub(super) struct Share {
    pub(super) route: Route,
    pub(super) served: Served,
    /// Places in the batch.
    pub(super) places: Vec<usize>,
    pub(super) requests: Vec<Request>,
}

/// Answers to a share. Dropped, it passes on those that there are.
pub(super) struct Got<'a> {
    pub(super) places: Vec<usize>,
    pub(super) answers: Vec<Answer>,
    pub(super) found: &'a Found,
}

impl Drop for Got<'_> {
    fn drop(&mut self) {
        let mut found = self.found.borrow_mut();
        for (place, answer) in self.places.drain(..).zip(self.answers.drain(..)) {
            found[place] = Some(answer);
        }
    }
}

/// Answers to a batch. Dropped, it passes on those before the first that is missing: answers are distinguished by their order.
pub(super) struct Batch<'a> {
    pub(super) found: Found,
    pub(super) answers: &'a mut Vec<Answer>,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.answers.extend(self.found.take().into_iter().map_while(|answer| answer));
    }
}

/// Requests by the node that they go to.
pub(super) fn shares(requests: impl Iterator<Item = (Request, Served)>) -> Vec<Share> {
    let mut shares: Vec<Share> = Vec::new();
    for (place, (request, served)) in requests.enumerate() {
        let route = request.route;
        let known = shares.iter().position(|share| share.route == route).unwrap_or_else(|| {
            shares.push(Share { route, served, places: Vec::new(), requests: Vec::new() });
            shares.len() - 1
        });
        shares[known].places.push(place);
        shares[known].requests.push(request);
    }
    shares
}
