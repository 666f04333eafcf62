//! Assignment of the load: the numbers of the series, and the worker of each part of each service.

use std::{collections::BTreeMap, time::Duration};

use super::{
    api::Settings,
    pacing::Pacing,
    part::{Part, parts},
    turns::Turns,
};
use crate::{
    measure::{OTHERS, READS, REDIRECTED, SEVERAL, SeriesId, SeriesKey, SeriesRole},
    operation::{Access, DataType, Kind, Removal},
    scenario::{Action, Command, Operation, Scenario, Service, Shard},
    target::Served,
};

/// The plan of a run.
#[derive(Debug)]
pub(super) struct Plan {
    /// Every series, by its number: those of operations before those of nodes.
    pub(super) series: Vec<PlannedSeries>,
    /// Number of series of operations.
    pub(super) operations: usize,
    /// Number of series of operations and nodes; those of reads by role follow.
    pub(super) before_reads: usize,
    /// Series of each service, by its index in the scenario.
    pub(super) services: Vec<ServiceSeries>,
    /// Series of the nodes of each service, by its index in the scenario.
    pub(super) nodes: Vec<NodeSeries>,
    /// Parts of each worker.
    pub(super) workers: Vec<Vec<Part>>,
    /// Pacing of the workers.
    pub(super) pacing: Pacing,
    /// Whether two halves of the services take turns.
    pub(super) turns: Option<Turns>,
}

/// Facts of a series before the load.
#[derive(Debug)]
pub(super) struct PlannedSeries {
    pub(super) key: SeriesKey,
    pub(super) commands: Vec<String>,
    pub(super) expects_hits: bool,
}

/// Series of one service, by the index of its operation.
pub(super) type ServiceSeries = Vec<OperationSeries>;

/// Series of one operation.
#[derive(Debug, Clone)]
pub(super) struct OperationSeries {
    pub(super) whole: SeriesId,
    /// One per step of a sequence; empty for a single command.
    pub(super) steps: Vec<SeriesId>,
    pub(super) upkeep: Option<SeriesId>,
    /// Whether its steps are wrapped in `MULTI` and `EXEC`.
    pub(super) transaction: bool,
    /// Whether replicas may serve it.
    pub(super) reads: bool,
}

/// Series of the nodes that requests of one service are served by; none where there is one server only.
#[derive(Debug, Clone, Default)]
pub(super) struct NodeSeries {
    /// By the number of the node.
    nodes: Vec<SeriesId>,
    redirected: Option<SeriesId>,
    several: Option<SeriesId>,
    /// Of nodes that became known during the load, and of requests of which the node is not known.
    others: Option<SeriesId>,
    /// Of reads that a primary served, that replicas served, and all others; none where the service does not read from replicas.
    reads: Option<[SeriesId; READS.len()]>,
}

impl NodeSeries {
    /// The series of requests that were served there.
    #[inline]
    pub(super) fn of(&self, served: Served) -> Option<SeriesId> {
        match served {
            Served::By(number) | Served::Replica(number) => {
                self.nodes.get(usize::from(number)).copied().or(self.others)
            }
            Served::Redirected => self.redirected,
            Served::Several | Served::Replicas => self.several,
            Served::Unknown => self.others,
        }
    }

    /// The series of reads that were served there, where the service reads from replicas.
    #[inline]
    pub(super) fn of_read(&self, served: Served) -> Option<SeriesId> {
        let [by_primary, by_replica, others] = self.reads?;
        Some(match served {
            Served::By(_) => by_primary,
            Served::Replica(_) | Served::Replicas => by_replica,
            Served::Redirected | Served::Several | Served::Unknown => others,
        })
    }

    fn all(&self) -> impl Iterator<Item = SeriesId> {
        let rest = [self.redirected, self.several, self.others];
        self.nodes.iter().copied().chain(rest.into_iter().flatten()).chain(self.reads.into_iter().flatten())
    }
}

impl Plan {
    /// `nodes` are the addresses of a cluster's nodes.
    pub(super) fn new(scenario: &Scenario, settings: Settings, nodes: &[String]) -> Self {
        let mut series = Vec::new();
        let services =
            scenario.services.iter().map(|service| plan_service(scenario, service, &mut series)).collect::<Vec<_>>();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let for_server = usize::from(settings.same_machine);
        let processes = settings.sharing as usize + 1;
        let workers = settings.workers.unwrap_or_else(|| cores.saturating_sub(for_server) / processes).max(1);
        let workers = assign(scenario, workers, settings.turns, settings.shard);
        let spare = workers.len() * processes + for_server <= cores;
        let pacing = settings.pacing.unwrap_or(if spare { Pacing::Spin } else { Pacing::Adaptive });
        let operations = series.len();
        let mut nodes: Vec<_> =
            scenario.services.iter().map(|service| plan_nodes(service, nodes, &mut series)).collect();
        let before_reads = series.len();
        for (service, nodes) in scenario.services.iter().zip(&mut nodes).filter(|(service, _)| service.reads_replicas())
        {
            nodes.reads = Some(READS.map(|role| add_to(&mut series, service, role)));
        }
        Self { series, operations, before_reads, services, nodes, workers, pacing, turns: settings.turns }
    }

    /// Series of the services on one worker.
    pub(super) fn series_of(&self, worker: usize) -> Vec<SeriesId> {
        let of_operation = |series: &OperationSeries| {
            let OperationSeries { whole, steps, upkeep, .. } = series.clone();
            [whole].into_iter().chain(steps).chain(upkeep)
        };
        self.services_of(worker)
            .into_iter()
            .flat_map(|service| self.services[service].iter().flat_map(of_operation).chain(self.nodes[service].all()))
            .collect()
    }

    /// Parts of each instance of a service; nothing where it is not divided.
    pub(super) fn parts_of(&self, service: usize) -> Option<u32> {
        let mut parts = self.workers.iter().flatten().filter(|part| part.service == service);
        parts.next().map(|part| part.parts).filter(|parts| *parts > 1)
    }

    /// Services on one worker.
    pub(super) fn services_of(&self, worker: usize) -> Vec<usize> {
        let mut services: Vec<_> = self.workers[worker].iter().map(|part| part.service).collect();
        services.sort_unstable();
        services.dedup();
        services
    }
}

/// Spreads the parts of the services over the workers, the heaviest first, each to the worker with the least load.
///
/// Services that take turns share a worker, part by part: on workers of their own the two halves would differ by thread and
/// core.
fn assign(scenario: &Scenario, workers: usize, turns: Option<Turns>, shard: Shard) -> Vec<Vec<Part>> {
    // A closed loop takes what it can get, so it counts like the sum of all open ones.
    let open = scenario.offered_rate().unwrap_or(0.0);
    let root = |index| turns.map_or(index, |turns| turns.root(index));
    let mut cuts: BTreeMap<usize, u32> = BTreeMap::new();
    for (index, service) in scenario.services.iter().enumerate() {
        let own = parts(service, workers, shard);
        cuts.entry(root(index)).and_modify(|cut| *cut = own.min(*cut)).or_insert(own);
    }
    let mut units: BTreeMap<(usize, u32, u32), (f64, Vec<Part>)> = BTreeMap::new();
    for (index, service) in scenario.services.iter().enumerate() {
        let load = service.offered_rate().unwrap_or(open.max(1.0));
        for part in Part::all(index, service.instances, cuts[&root(index)], shard) {
            let (sum, taken) = units.entry((root(index), part.instance, part.number)).or_default();
            *sum += load / f64::from(part.instances * part.parts);
            taken.push(part);
        }
    }
    let mut units: Vec<_> = units.into_values().collect();
    units.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let mut loads: Vec<(f64, Vec<Part>)> = vec![(0.0, Vec::new()); workers.min(units.len())];
    for (load, parts) in units {
        let lightest = loads.iter_mut().min_by(|(a, _), (b, _)| a.total_cmp(b));
        let (sum, taken) = lightest.expect("a scenario has at least one service, hence one worker");
        *sum += load;
        taken.extend(parts);
    }
    loads.into_iter().map(|(_, parts)| parts).collect()
}

fn plan_nodes(service: &Service, nodes: &[String], series: &mut Vec<PlannedSeries>) -> NodeSeries {
    let mut add = |operation: &str| add_to(series, service, operation);
    if nodes.is_empty() {
        return NodeSeries::default();
    }
    NodeSeries {
        nodes: nodes.iter().map(|node| add(node)).collect(),
        redirected: Some(add(REDIRECTED)),
        several: Some(add(SEVERAL)),
        others: Some(add(OTHERS)),
        reads: None,
    }
}

/// Adds a series of requests that are in one of an operation as well.
fn add_to(series: &mut Vec<PlannedSeries>, service: &Service, operation: &str) -> SeriesId {
    let id = number(series.len());
    let key = SeriesKey { service: service.name.clone(), operation: operation.to_owned(), role: SeriesRole::Operation };
    series.push(PlannedSeries { key, commands: Vec::new(), expects_hits: false });
    id
}

fn number(series: usize) -> SeriesId {
    SeriesId(u16::try_from(series).expect("a scenario has far fewer than 65 536 operations and nodes"))
}

fn plan_service(scenario: &Scenario, service: &Service, series: &mut Vec<PlannedSeries>) -> ServiceSeries {
    let mut add = |operation: String, role, commands: Vec<Kind>, expects_hits| {
        let id = number(series.len());
        let key = SeriesKey { service: service.name.clone(), operation, role };
        let commands = commands.into_iter().map(|kind| kind.spec().name.to_owned()).collect();
        series.push(PlannedSeries { key, commands, expects_hits });
        id
    };
    let expected = |command: &Command| expects_hits(scenario, service, command);
    let plan_operation = |operation: &Operation| {
        let name = &operation.name;
        let reads = service.reads_replicas() && operation.only_reads();
        match &operation.action {
            Action::Single(command) => {
                let kind = command.kind;
                let whole = add(name.clone(), SeriesRole::Operation, vec![kind], expected(command));
                let upkeep = kind.upkeep().map(|upkeep| {
                    add(format!("{name}+{}", upkeep.spec().name), SeriesRole::Upkeep, vec![upkeep], false)
                });
                OperationSeries { whole, steps: Vec::new(), upkeep, transaction: false, reads }
            }
            Action::Sequence { steps, transaction } => {
                let mut kinds: Vec<_> = steps.iter().map(|step| (step.kind, !transaction && expected(step))).collect();
                if *transaction {
                    kinds.insert(0, (Kind::Multi, false));
                    kinds.push((Kind::Exec, false));
                }
                let all = kinds.iter().map(|(kind, _)| *kind).collect();
                let whole = add(name.clone(), SeriesRole::Operation, all, kinds.iter().all(|(_, hits)| *hits));
                let steps = kinds
                    .iter()
                    .enumerate()
                    .map(|(number, (kind, hits))| {
                        let step = format!("{name}/{}.{}", number + 1, kind.spec().name);
                        add(step, SeriesRole::Step, vec![*kind], *hits)
                    })
                    .collect();
                let upkeep: Vec<_> = kinds.iter().filter_map(|(kind, _)| kind.upkeep()).collect();
                let upkeep =
                    (!upkeep.is_empty()).then(|| add(format!("{name}+upkeep"), SeriesRole::Upkeep, upkeep, false));
                OperationSeries { whole, steps, upkeep, transaction: *transaction, reads }
            }
        }
    };
    service.operations.iter().map(plan_operation).collect()
}

/// Whether a command reads what the prefill wrote, and nothing else in its service takes that away again.
fn expects_hits(scenario: &Scenario, service: &Service, command: &Command) -> bool {
    let spec = command.kind.spec();
    let mut commands = service.operations.iter().flat_map(Operation::commands);
    let removed = commands.any(|other| other.kind.spec().data == spec.data && takes_away(other));
    scenario.run.prefill && spec.access == Access::Read && spec.data != DataType::None && !removed
}

fn takes_away(command: &Command) -> bool {
    /// Keys that outlive this outlive most runs.
    const LONG: Duration = Duration::from_secs(3600);
    match command.kind.spec().removal {
        Removal::Never => false,
        Removal::ByExpiry => command.parameters.expire.is_some_and(|expire| expire < LONG),
        Removal::Possibly => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load;

    #[test]
    fn services_that_take_turns_share_a_worker() {
        for name in ["mixed", "workflow-engine"] {
            let mut scenario = load(name).unwrap();
            let half = scenario.services.len();
            scenario.services[0].instances = 3;
            scenario.services[0].parts = Some(2);
            scenario.services.extend(scenario.services.clone());
            let turns = Turns { window: Duration::from_millis(25), half };
            for workers in 1..=8 {
                let assigned = assign(&scenario, workers, Some(turns), Shard::WHOLE);
                for parts in &assigned {
                    let (first, second): (Vec<_>, Vec<_>) = parts.iter().partition(|part| part.service < half);
                    let root = |part: &&Part| (part.service % half, part.instance, part.number);
                    assert!(first.iter().map(root).eq(second.iter().map(root)), "{name}, {workers}: {assigned:?}");
                }
                let placed: usize = assigned.iter().map(Vec::len).sum();
                let parts = |service: &Service| (service.instances * service.parts.unwrap_or(1)) as usize;
                assert_eq!(placed, scenario.services.iter().map(parts).sum::<usize>(), "{name}, {workers}");
            }
        }
    }

    #[test]
    fn instances_without_turns_go_to_the_worker_with_the_least_load() {
        let mut scenario = load("mixed").unwrap();
        scenario.services[0].instances = 3;
        let numbers = |workers| -> Vec<Vec<u32>> {
            let assigned = assign(&scenario, workers, None, Shard::WHOLE);
            assigned.iter().map(|parts| parts.iter().map(|part| part.instance).collect()).collect()
        };
        assert_eq!(numbers(2), [vec![0, 2], vec![1]]);
        assert_eq!(numbers(8), [vec![0], vec![1], vec![2]]);
    }
}
