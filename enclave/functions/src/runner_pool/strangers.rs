//! Looks through all processes for the descendants of some: what a family has that it did not get from here.

use std::collections::{BTreeMap, BTreeSet};
use std::{fs, io};

/// Most generations between a family's first and its last process. Members have no descendants, so two are one too many.
const MAX_GENERATIONS: usize = 16;

/// The living descendants of each of `ancestors`, by number.
pub(super) fn descendants(ancestors: &BTreeSet<u32>) -> io::Result<BTreeMap<u32, BTreeSet<u32>>> {
    let mut parents = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // One that has ended meanwhile is nobody's any more.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        parents.extend(living_parent(&stat).map(|parent| (pid, parent)));
    }
    Ok(under(&parents, ancestors))
}

/// The parent of a process that has not ended, from `stat` (`proc_pid_stat(5)`).
fn living_parent(stat: &str) -> Option<u32> {
    // The name before it may hold anything, brackets too.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(parent)
}

fn under(parents: &BTreeMap<u32, u32>, ancestors: &BTreeSet<u32>) -> BTreeMap<u32, BTreeSet<u32>> {
    let mut found: BTreeMap<u32, BTreeSet<u32>> =
        ancestors.iter().map(|ancestor| (*ancestor, BTreeSet::new())).collect();
    for pid in parents.keys() {
        let mut above = *pid;
        for _ in 0..MAX_GENERATIONS {
            let Some(parent) = parents.get(&above) else { break };
            above = *parent;
            if let Some(descendants) = found.get_mut(&above) {
                descendants.insert(*pid);
                break;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_living_parent_is_read_whatever_the_name() {
        assert_eq!(living_parent("12 (r3e-runner) S 7 12 12 0"), Some(7));
        assert_eq!(living_parent("12 (a) Z (b) R) R 8 12"), Some(8));
        assert_eq!(living_parent("12 (r3e-runner) Z 7 12"), None);
        assert_eq!(living_parent("12 (r3e-runner"), None);
        assert_eq!(living_parent(""), None);
    }

    #[test]
    fn descendants_are_those_of_the_nearest_ancestor_that_is_asked_for() {
        let parents = BTreeMap::from([(2, 1), (3, 2), (4, 3), (5, 2), (9, 8)]);
        let found = under(&parents, &BTreeSet::from([2, 3, 7]));
        assert_eq!(
            found,
            BTreeMap::from([(2, BTreeSet::from([3, 5])), (3, BTreeSet::from([4])), (7, BTreeSet::new()),])
        );
        // A ring, which the kernel does not make, ends too.
        assert_eq!(under(&BTreeMap::from([(2, 3), (3, 2)]), &BTreeSet::from([4])).len(), 1);
    }

    #[test]
    fn a_child_of_this_process_is_found() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        let own = std::process::id();
        let found = descendants(&BTreeSet::from([own])).unwrap();
        assert!(found[&own].contains(&child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
