//! Whether a server is behind the security fixes of its branch, by a table that ships with the program and says its date.

use super::{Rule, Ruling, Severity, Subject};

/// The day on which the table below was last compared with the projects' release notes and advisories.
pub const SECURITY_DATA: &str = "2026-09-01";

/// A branch with its latest release that has security fixes, and an advisory that names it.
struct Fixed {
    product: &'static str,
    branch: (u32, u32),
    release: u32,
    advisory: &'static str,
}

const fn fixed(product: &'static str, branch: (u32, u32), release: u32, advisory: &'static str) -> Fixed {
    Fixed { product, branch, release, advisory }
}

/// From the affected versions of CVE-2026-81934 (Redis) and the release notes of 31 August and 1 September 2026 (Valkey).
/// Branches that get no fixes any more have the last one that they got.
const FIXES: &[Fixed] = &[
    fixed("redis", (6, 2), 24, "CVE-2026-81934"),
    fixed("redis", (7, 2), 16, "CVE-2026-81934"),
    fixed("redis", (7, 4), 11, "CVE-2026-81934"),
    fixed("redis", (8, 2), 9, "CVE-2026-81934"),
    fixed("redis", (8, 4), 6, "CVE-2026-81934"),
    fixed("redis", (8, 6), 6, "CVE-2026-81934"),
    fixed("redis", (8, 8), 2, "CVE-2026-81934"),
    fixed("redis", (8, 10), 1, "CVE-2026-81934"),
    fixed("valkey", (7, 2), 11, "CVE-2025-49844"),
    fixed("valkey", (8, 0), 11, "GHSA-jcj7-v34w-v9vv"),
    fixed("valkey", (8, 1), 10, "GHSA-jcj7-v34w-v9vv"),
    fixed("valkey", (9, 0), 6, "GHSA-jcj7-v34w-v9vv"),
    fixed("valkey", (9, 1), 1, "CVE-2026-56684"),
];

/// Branches of Redis that get no fixes any more: all before 6.2, and these.
const ENDED: &[(u32, u32)] = &[(7, 0), (8, 0)];

pub(super) fn rulings(subject: &Subject<'_>) -> Vec<Ruling> {
    version(&subject.target.product, &subject.target.version).into_iter().collect()
}

fn version(product: &str, version: &str) -> Option<Ruling> {
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    let (branch, release) = ((numbers.next()?, numbers.next()?), numbers.next()?);
    let mut known = FIXES.iter().filter(|fix| fix.product == product).peekable();
    known.peek()?;
    let own = known.find(|fix| fix.branch == branch);
    let ruling = |severity| Ruling::new(Rule::Version, severity).with("version", format!("{product} {version}"));
    let name = format!("{}.{}", branch.0, branch.1);
    let ruling = match own {
        Some(fix) => {
            let severity = if release < fix.release { Severity::Warning } else { Severity::Passed };
            ruling(severity)
                .with("latest security fix of its branch", format!("{name}.{} ({})", fix.release, fix.advisory))
        }
        None if product == "redis" && (branch < (6, 2) || ENDED.contains(&branch)) => {
            ruling(Severity::Warning).with("branch", format!("{name}, no longer maintained"))
        }
        None => ruling(Severity::Unknown).with("branch", format!("{name}, not in the table")),
    };
    Some(ruling.with("as of", SECURITY_DATA))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn severity(product: &str, text: &str) -> Option<Severity> {
        version(product, text).map(|ruling| ruling.severity)
    }

    #[test]
    fn versions_are_compared_with_their_branch() {
        assert_eq!(severity("redis", "7.2.4"), Some(Severity::Warning));
        assert_eq!(severity("redis", "7.2.16"), Some(Severity::Passed));
        assert_eq!(severity("redis", "7.0.15"), Some(Severity::Warning), "no longer maintained");
        assert_eq!(severity("redis", "99.0.0"), Some(Severity::Unknown));
        assert_eq!(severity("redis", "5.0.14"), Some(Severity::Warning));
        assert_eq!(severity("valkey", "8.1.4"), Some(Severity::Warning));
        assert_eq!(severity("valkey", "7.2.12"), Some(Severity::Passed));
        for other in ["unknown", "dragonfly", "garnet", "kvrocks", "elasticache", "keydb"] {
            assert_eq!(severity(other, "6.0.3"), None, "{other}");
        }
        assert_eq!(severity("redis", "unknown"), None);
    }
}
