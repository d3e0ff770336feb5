//! The limit on open files, raised to what the listener may need. A process that is out of descriptors can neither accept
//! a connection, nor start a runner, nor reach its parent's store.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::limits::{MAX_CONNECTIONS, RESERVED_DESCRIPTORS};

/// How many connections this process can hold, beside all else that it opens: `MAX_CONNECTIONS`, unless the limit
/// on open files carries fewer and this process may not raise it.
pub(crate) fn affordable_connections() -> usize {
    let wanted = RESERVED_DESCRIPTORS + MAX_CONNECTIONS as u64;
    let affordable = affordable(raise(wanted));
    if affordable < MAX_CONNECTIONS {
        tracing::warn!(
            affordable,
            wanted = MAX_CONNECTIONS,
            "the limit on open files carries fewer connections"
        );
    }
    affordable
}

/// Raises the limit to `wanted`, or else as far as it goes; the limit that then holds.
fn raise(wanted: u64) -> u64 {
    // The smallest default of any Linux, where not even reading the limit works.
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 1024 };
    for (limit, ceiling) in [(wanted, hard.max(wanted)), (hard.min(wanted), hard)] {
        if limit >= soft && setrlimit(Resource::RLIMIT_NOFILE, limit, ceiling).is_ok() {
            return limit;
        }
    }
    soft
}

/// What a limit carries: where it is small, half of it is kept for the rest.
fn affordable(limit: u64) -> usize {
    let left = limit - RESERVED_DESCRIPTORS.min(limit / 2);
    usize::try_from(left).unwrap_or(usize::MAX).clamp(1, MAX_CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_fit_the_limit_and_the_wish() {
        assert_eq!(affordable(1_048_576), MAX_CONNECTIONS);
        assert_eq!(affordable(RESERVED_DESCRIPTORS + 9_000), 9_000);
        assert_eq!(affordable(1024), 512);
        assert_eq!(affordable(0), 1);
    }

    #[test]
    fn the_limit_that_is_told_is_the_limit_that_holds() {
        let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        let reached = raise(soft + 1);
        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap().0, reached);
        assert!(reached >= soft);
    }
}
