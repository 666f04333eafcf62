//! Time in which CPU quotas of control groups stopped this process.
//!
//! A quota may be set on the group of the process and on every group above it (cgroups(7)). Groups above the root of a
//! container's own hierarchy are not visible in it.

use std::{
    fs,
    io::ErrorKind,
    path::{Component, Path, PathBuf},
};

/// The group of the process and the groups above it.
#[derive(Debug)]
pub(super) struct Throttling {
    groups: Vec<PathBuf>,
}

impl Throttling {
    /// Finds the groups in the file system below `root`; `None` where the kernel does not show them.
    pub(super) fn find(root: &Path) -> Option<Self> {
        let read = |path: &str| fs::read(root.join(path)).map(|text| String::from_utf8_lossy(&text).into_owned());
        let (hierarchy, path) = own_group(&read("proc/self/cgroup").ok()?)?;
        let mounts = read("proc/self/mountinfo").ok()?;
        let groups = mounts.lines().find_map(|mount| {
            let (mounted, point) = mount_of(mount, hierarchy)?;
            // A mount may show a part of the hierarchy.
            let below = path.strip_prefix(mounted).ok().filter(|below| is_plain(below))?;
            let top = root.join(point.strip_prefix("/").ok()?);
            let own = top.join(below);
            let depth = below.components().count();
            own.is_dir().then(|| own.ancestors().take(depth + 1).map(Path::to_owned).collect())
        })?;
        Some(Self { groups })
    }

    /// Time for which any of the groups was stopped, in microseconds, summed over CPUs; `None` where one does not show it.
    pub(super) fn total_us(&self) -> Option<u64> {
        self.groups.iter().map(|group| stopped_us(group)).sum()
    }
}

/// Version 1 has a hierarchy for each controller, version 2 has one for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hierarchy {
    V1,
    V2,
}

/// The hierarchy that has the CPU controller, and the group of the process in it, from `/proc/self/cgroup`.
fn own_group(text: &str) -> Option<(Hierarchy, PathBuf)> {
    let group = |of: Hierarchy| {
        text.lines().find_map(|line| {
            let (number, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            let is_it = match of {
                Hierarchy::V1 => controllers.split(',').any(|controller| controller == "cpu"),
                Hierarchy::V2 => number == "0" && controllers.is_empty(),
            };
            is_it.then(|| (of, PathBuf::from(path)))
        })
    };
    group(Hierarchy::V1).or_else(|| group(Hierarchy::V2))
}

/// Group and mount point in a line of `/proc/self/mountinfo`, if the line is of this hierarchy.
fn mount_of(line: &str, hierarchy: Hierarchy) -> Option<(PathBuf, PathBuf)> {
    let (mount, file_system) = line.split_once(" - ")?;
    let mut file_system = file_system.split(' ');
    let (kind, options) = (file_system.next()?, file_system.nth(1)?);
    let is_it = match hierarchy {
        Hierarchy::V1 => kind == "cgroup" && options.split(',').any(|option| option == "cpu"),
        Hierarchy::V2 => kind == "cgroup2",
    };
    let mut mount = mount.split(' ').skip(3).map(unescaped);
    is_it.then_some((mount.next()?, mount.next()?))
}

/// A path of `/proc/self/mountinfo`, in which blanks and backslashes are octal.
fn unescaped(path: &str) -> PathBuf {
    path.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\").into()
}

/// Whether a path leads downwards only: a group outside of the root of its namespace is shown with `..`.
fn is_plain(path: &Path) -> bool {
    path.components().all(|component| matches!(component, Component::Normal(_)))
}

fn stopped_us(group: &Path) -> Option<u64> {
    match fs::read_to_string(group.join("cpu.stat")) {
        Ok(stat) => {
            let counter = |name: &str| stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            match (counter("throttled_usec"), counter("throttled_time")) {
                (Some(micros), _) => micros.trim().parse().ok(),
                (None, Some(nanos)) => nanos.trim().parse::<u64>().ok().map(|nanos| nanos / 1_000),
                (None, None) => no_quota(group),
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => no_quota(group),
        Err(_) => None,
    }
}

/// 0 for a group that cannot have a quota: the root of a hierarchy, and one to which the controller does not reach.
fn no_quota(group: &Path) -> Option<u64> {
    let has = |file: &str| group.join(file).exists();
    (has("cgroup.procs") && !has("cpu.max") && !has("cpu.cfs_quota_us")).then_some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file system with these files.
    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn total(files: &[(&str, &str)]) -> Option<u64> {
        Throttling::find(tree(files).path())?.total_us()
    }

    const V1_MOUNTS: &str = "\
        31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
        33 31 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n\
        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
    const V2_MOUNTS: &str = "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn every_group_up_to_the_root_counts_in_version_1() {
        let stat = |nanos: &str| format!("nr_periods 53\nnr_throttled 50\nthrottled_time {nanos}\n");
        let (own, parent, root) = (stat("4000000000"), stat("300000000"), stat("0"));
        let files = [
            ("proc/self/cgroup", "9:cpuset:/\n2:cpu,cpuacct:/jobs/one two\n0::/elsewhere\n"),
            ("proc/self/mountinfo", V1_MOUNTS),
            ("sys/fs/cgroup/cpu,cpuacct/jobs/one two/cpu.stat", &own),
            ("sys/fs/cgroup/cpu,cpuacct/jobs/cpu.stat", &parent),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.stat", &root),
        ];
        assert_eq!(total(&files), Some(4_300_000));
        assert_eq!(total(&files[..4]), None, "a group that does not show it");
    }

    #[test]
    fn every_group_up_to_the_root_counts_in_version_2() {
        let files = [
            ("proc/self/cgroup", "0::/user.slice/bench.service\n"),
            ("proc/self/mountinfo", V2_MOUNTS),
            ("sys/fs/cgroup/user.slice/bench.service/cpu.stat", "usage_usec 9\nnr_throttled 7\nthrottled_usec 5000\n"),
            ("sys/fs/cgroup/user.slice/cpu.stat", "usage_usec 9\nthrottled_usec 600\n"),
            // The root has no quota, and the kernel counts none for it.
            ("sys/fs/cgroup/cpu.stat", "usage_usec 9\n"),
            ("sys/fs/cgroup/cgroup.procs", ""),
        ];
        assert_eq!(total(&files), Some(5_600));
    }

    #[test]
    fn a_container_sees_its_own_part_of_the_hierarchy() {
        let v1 = "32 31 0:29 /docker/3f2c /sys/fs/cgroup/cpu\\040time ro - cgroup cgroup rw,cpu\n";
        let stat = "throttled_time 7000\n";
        let own = "sys/fs/cgroup/cpu time/cpu.stat";
        let seen = |group: &str| total(&[("proc/self/cgroup", group), ("proc/self/mountinfo", v1), (own, stat)]);
        assert_eq!(seen("1:cpu:/docker/3f2c\n"), Some(7));
        assert_eq!(seen("1:cpu:/docker/another\n"), None, "not the group that is mounted");
        assert_eq!(seen("1:cpu:/docker/3f2c/../another\n"), None, "a group outside of the namespace");

        let own_namespace = [
            ("proc/self/cgroup", "0::/\n"),
            ("proc/self/mountinfo", V2_MOUNTS),
            ("sys/fs/cgroup/cpu.stat", "throttled_usec 42\n"),
        ];
        assert_eq!(total(&own_namespace), Some(42));
    }

    #[test]
    fn what_cannot_be_read_is_not_known() {
        let group = ("proc/self/cgroup", "0::/bench\n");
        let mounts = ("proc/self/mountinfo", V2_MOUNTS);
        let top = ("sys/fs/cgroup/cgroup.procs", "");
        let quota = ("sys/fs/cgroup/bench/cpu.max", "20000 100000\n");
        let procs = ("sys/fs/cgroup/bench/cgroup.procs", "");
        let stat = |text| ("sys/fs/cgroup/bench/cpu.stat", text);
        assert_eq!(total(&[]), None, "not Linux");
        assert_eq!(total(&[group]), None, "mounts that are hidden");
        assert_eq!(total(&[group, mounts, top]), None, "a group that is hidden");
        assert_eq!(total(&[group, mounts, top, procs, quota]), None, "a quota without its count");
        assert_eq!(total(&[group, mounts, top, procs, quota, stat("usage_usec 1\n")]), None);
        assert_eq!(total(&[group, mounts, top, procs, stat("throttled_usec many\n")]), None);
        assert_eq!(total(&[group, mounts, top, procs, stat("usage_usec 1\n")]), Some(0), "no quota");
    }
}
