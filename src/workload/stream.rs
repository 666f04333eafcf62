//! The stream of one service's requests.

use std::sync::Arc;

use rand::distr::{Distribution, weighted::WeightedIndex};

use super::{
    draw::{Purpose, Root},
    step::Step,
    value::{Values, text_limit, typical},
};
use crate::{
    operation::{Reply, Request},
    scenario::{Order, Scenario, Service},
};

/// Requests of one service, by sequence number.
///
/// Instance i of n uses the numbers i, i + n, i + 2n and so on. Clones share their tables and count references to them:
/// clone within a thread, but build one stream for each thread, or the threads will wait for each other's caches.
#[derive(Debug, Clone)]
pub struct RequestStream {
    plan: Arc<Plan>,
}

/// Everything that is known before the first request.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) root: Root,
    pub(super) values: Values,
    /// Length in bytes from which on a text is set back.
    pub(super) text_limit: u64,
    /// Median size of values, in bytes.
    pub(super) typical: u64,
    instances: u64,
    order: Choice,
    operations: Vec<Vec<Step>>,
}

#[derive(Debug)]
enum Choice {
    Weighted(WeightedIndex<f64>),
    Cycle,
}

impl RequestStream {
    /// The stream of the service at that index of the scenario.
    ///
    /// # Panics
    /// Where the index is out of range.
    pub fn new(scenario: &Scenario, service: usize) -> Self {
        let root = Root::new(scenario.seed, service);
        Self { plan: Arc::new(Plan::new(&scenario.services[service], root)) }
    }

    /// The operation that this sequence number asks for: an index into the service's operations.
    #[inline]
    pub fn operation(&self, sequence: u64) -> usize {
        self.plan.operation(sequence)
    }

    /// Number of requests that an operation takes one after another, `MULTI` and `EXEC` included.
    #[inline]
    pub fn steps(&self, operation: usize) -> usize {
        self.plan.operations[operation].len()
    }

    /// One request of the operation that this sequence number asks for. All steps of an operation use the same key of a
    /// type of data, and the same first member or field.
    ///
    /// # Panics
    /// Where the operation has fewer steps.
    #[inline]
    pub fn request(&self, sequence: u64, step: usize) -> Request {
        self.plan.request(self.plan.step(sequence, step), sequence, step)
    }

    /// What has to follow this reply to that request so that the data neither grows nor dwindles. Its command is the
    /// one that [`crate::operation::Kind::upkeep`] names; its own reply asks for nothing more.
    ///
    /// # Panics
    /// Where the operation has fewer steps.
    #[inline]
    pub fn upkeep(&self, sequence: u64, step: usize, reply: &Reply) -> Option<Request> {
        self.plan.upkeep(self.plan.step(sequence, step), sequence, step, reply)
    }
}

impl Plan {
    fn new(service: &Service, root: Root) -> Self {
        let order = match service.order {
            Order::Weighted => Choice::Weighted(
                WeightedIndex::new(service.operations.iter().map(|operation| operation.weight))
                    .expect("a validated service has operations, all of them with a weight above 0"),
            ),
            Order::Cycle => Choice::Cycle,
        };
        Self {
            root,
            values: Values::new(service.values, 0, root),
            text_limit: text_limit(service.values),
            typical: typical(service.values),
            instances: u64::from(service.instances).max(1),
            order,
            operations: service.operations.iter().map(|operation| Step::all(service, &operation.action)).collect(),
        }
    }

    #[inline]
    fn operation(&self, sequence: u64) -> usize {
        match &self.order {
            Choice::Weighted(weights) => weights.sample(&mut self.root.generator(Purpose::Operation, sequence, 0)),
            Choice::Cycle => ((sequence / self.instances) % self.operations.len() as u64) as usize,
        }
    }

    #[inline]
    fn step(&self, sequence: u64, step: usize) -> &Step {
        &self.operations[self.operation(sequence)][step]
    }

    /// How far the walk through the keyspace has come. In a cycled order a full cycle of an instance is one turn:
    /// otherwise each operation would only ever meet every so manieth key.
    #[inline]
    pub(super) fn turn(&self, sequence: u64) -> u64 {
        match self.order {
            Choice::Weighted(_) => sequence,
            Choice::Cycle => {
                let cycle = sequence / self.instances / self.operations.len() as u64;
                cycle * self.instances + sequence % self.instances
            }
        }
    }
}
