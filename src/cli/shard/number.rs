//! Number of a shard, as those who start processes set it.

use std::env;

use crate::scenario::Shard;

/// Variables with the number of a process, from 0, and with the number of processes: of Slurm, of an Indexed Job of Kubernetes, of
/// Open MPI, and of other implementations of MPI.
const VARIABLES: [(&str, &str); 4] = [
    ("SLURM_PROCID", "SLURM_NTASKS"),
    ("JOB_COMPLETION_INDEX", "PLIMSOLL_SHARDS"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
];

/// The shard that the environment names. `mpirun` may itself run within Slurm, so its own variables come first where both are there.
pub(in crate::cli) fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let found = |(number, of): &(&'static str, &'static str)| Some((*number, *of, variable(number)?));
    let mut known: Vec<_> = VARIABLES.iter().filter_map(found).collect();
    known.sort_by_key(|(number, _, _)| *number == VARIABLES[0].0);
    let Some((number, of, value)) = known.into_iter().next() else {
        let names: Vec<_> = VARIABLES.iter().map(|(number, _)| *number).collect();
        return Err(format!("which shard is this? Pass --shard I/N; none of {} is set", names.join(", ")));
    };
    let Some(all) = variable(of) else {
        return Err(format!("{number} is set, but {of}, the number of shards, is not: set it, or pass --shard I/N"));
    };
    format!("{value}/{all}").parse().map_err(|error| format!("{number} and {of}: {error}"))
}

/// Further processes on this machine that are started with this one, where that is known: Open MPI says so.
pub(super) fn sharing() -> u32 {
    let local = env::var("OMPI_COMM_WORLD_LOCAL_SIZE").ok().and_then(|size| size.parse::<u32>().ok());
    local.map_or(0, |size| size.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<String, String> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        of_environment(variable).map(|shard| shard.to_string())
    }

    #[test]
    fn each_engine_tells_the_number_in_its_way() {
        for (number, all) in VARIABLES {
            assert_eq!(of(&[(number, "2"), (all, "4")]).as_deref(), Ok("2/4"));
        }
        let within_slurm = [
            ("SLURM_PROCID", "0"),
            ("SLURM_NTASKS", "1"),
            ("OMPI_COMM_WORLD_RANK", "3"),
            ("OMPI_COMM_WORLD_SIZE", "4"),
        ];
        assert_eq!(of(&within_slurm).as_deref(), Ok("3/4"));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        assert!(of(&[]).unwrap_err().contains("--shard I/N"));
        assert!(of(&[("JOB_COMPLETION_INDEX", "1")]).unwrap_err().contains("PLIMSOLL_SHARDS"));
        assert!(of(&[("PMI_RANK", "4"), ("PMI_SIZE", "4")]).unwrap_err().contains("no shard 4 of 4"));
    }
}
