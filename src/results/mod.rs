//! The run artifact: what it holds, how it is saved, found and read back.

mod abstracted;
mod address;
mod baseline;
mod calibration;
mod capacity;
mod capacity_json;
mod check;
mod ci;
mod client_cost;
mod dependency;
mod environment;
mod error;
mod event;
mod folder;
mod gate;
mod gate_json;
mod gate_series;
mod generator;
mod inspection;
mod json;
mod keyspace;
mod leftover;
mod node_inspection;
mod nodes;
mod run;
#[cfg(test)]
pub(crate) mod sample;
mod saved;
mod schema;
mod server;
mod shard;
mod sides;
mod slots;
mod slug;
mod upgrade;
mod user_rights;
mod verdict;
mod write_audit;

pub use abstracted::{Abstract, AbstractRow, KnownPercentile, Stretch, WorstSeconds};
pub use address::{brief_address, first_host, is_encrypted, place};
pub use baseline::{
    Asked, BASELINE_VERSION, BASELINES, Baseline, Baselines, COPY as BASELINE_COPY, Named as NamedBaseline,
};
pub use calibration::{Calibration, Reference};
pub use capacity::{
    Arm, BlockSide, CAPACITY_VERSION, Capacity, CapacityPlan, CommandCost, ConnectionLevel, Ended, LIMITS,
    PlannedGenerators, PoolBlock, Purpose, Quantiles, ServiceTrial, Trial,
};
pub use check::{CheckKind, HarnessLimit};
pub use ci::{Better, CI_VERSION, Ci, CiCheck, CiMeasure, CiScenario, Leniency, Unit};
pub use client_cost::{ClientCost, CostSecond, CostTally};
pub use dependency::{DependencyRecord, Probe, ProbePhase};
pub use environment::Environment;
pub use error::ResultsError;
pub use event::EventRecord;
pub use folder::{ResultFolder, SHARD_FILE};
pub use gate::{
    Advisory, GATE_VERSION, Gate, GateArm, GateBlock, GatePlan, GateSlice, GateStage, GateTally, SliceKind,
};
pub use gate_series::GateSeries;
pub use generator::{ClockRecord, ClockReference, Generator, LoadFailure, ServiceSilence, ShardRecord};
pub use inspection::{Inspection, Machine, PasswordStrength, Proof, ServiceDatabase, ServiceLogin};
pub use keyspace::{DatabaseSample, HotKey, KeyGroup, KeyspaceSample, LargeKey};
pub use leftover::{Leftover, sweep_beside};
pub use node_inspection::{NodeInspection, SeenSentinel, SentinelInspection, SlotUse};
pub use nodes::{NodeFacts, NodeRecord, NodeRole};
pub use run::{Run, SCHEMA_VERSION, Software, TargetFacts, UNKNOWN};
pub use saved::{HEADLINE, Saved, headline, load, result_folders, rewrite, save_again, write_apart};
pub use schema::{schema_of, schema_of_output};
pub use server::{
    CallsBelow, CommandUse, DatabaseKeys, ErrorUse, LatencyEvent, Levels, NamedClients, Persistence, ServerCounts,
    ServerRecord, ServerSecond, SlowCommand, SlowLog, Withheld,
};
pub use shard::{load_shard, sha256, shard_files};
pub use sides::{Side, Sides};
pub use slots::{SlotSample, SlotShare};
pub use slug::slug;
pub use user_rights::UserRights;
pub use verdict::{InCheck, InComparison, InGate, InRun, Verdict};
pub use write_audit::{LostWrites, WriteAuditRecord};
