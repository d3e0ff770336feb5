//! The limit on open files, raised as far as it goes.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::limits::{DESCRIPTORS_PER_CONNECTION, RESERVED_DESCRIPTORS};

/// Makes room for `connections` and returns the limit that then holds: the hard limit, which a privileged process
/// raises where it is too low.
pub(crate) fn raise(connections: usize) -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        // The smallest default of any Linux: the caller then allows few connections, and says so.
        return 1024;
    };
    let wanted = of(connections).saturating_add(RESERVED_DESCRIPTORS);
    for limit in [wanted, hard] {
        if limit >= hard && setrlimit(Resource::RLIMIT_NOFILE, limit, limit).is_ok() {
            return limit;
        }
    }
    soft
}

/// How many clients' connections `limit` descriptors can carry beside `egress` ones, at most `wanted`; none when it
/// carries none.
///
/// Where the limit is small, half of it is kept for the rest.
pub(crate) fn affordable(limit: u64, wanted: usize, egress: usize) -> Option<usize> {
    let reserved = RESERVED_DESCRIPTORS.saturating_add(of(egress)).min(limit / 2);
    let carried = usize::try_from((limit - reserved) / DESCRIPTORS_PER_CONNECTION).unwrap_or(usize::MAX);
    (carried > 0).then_some(carried.min(wanted))
}

/// The descriptors of so many connections.
fn of(connections: usize) -> u64 {
    DESCRIPTORS_PER_CONNECTION.saturating_mul(u64::try_from(connections).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_fit_the_limit_and_the_wish() {
        assert_eq!(affordable(1_048_576, 20_000, 1024), Some(20_000));
        assert_eq!(affordable(RESERVED_DESCRIPTORS + 2_000 + 6_000, 20_000, 1_000), Some(3_000));
        assert_eq!(affordable(1024, 20_000, 1024), Some(256));
        assert_eq!(affordable(2, 20_000, 0), None);
        assert_eq!(affordable(0, 20_000, usize::MAX), None);
    }

    #[test]
    fn the_limit_that_is_told_is_the_limit_that_holds() {
        let hard = getrlimit(Resource::RLIMIT_NOFILE).unwrap().1;
        let reached = raise(100);
        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap().0, reached);
        assert!(reached >= hard, "{reached}");
    }
}
