//! The index: for each job one key, whose text says where the job is in its life. The queue is rebuilt from these keys alone,
//! without reading a record.
//!
//! | key, in the appliance's namespace `job-index` | the job |
//! |---|---|
//! | `q/DUE/TENANT/ID/BYTES` | waits for an attempt, which may begin at DUE |
//! | `r/TENANT/ID/BYTES` | is under way |
//! | `w/DUE/TENANT/ID/BYTES/STATE` | has ended; its webhook is told at DUE |
//! | `e/UNTIL/TENANT/ID/BYTES/STATE` | has ended, and is kept until UNTIL |
//!
//! Times are Unix milliseconds in 16 hex digits, so that keys sort by them.

use r3e_proto::api::jobs::JobState;

use crate::record::Address;

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Queued { due_ms: u64, bytes: u64 },
    Running { bytes: u64 },
    Telling { due_ms: u64, state: JobState, bytes: u64 },
    Kept { until_ms: u64, state: JobState, bytes: u64 },
}

impl Place {
    /// The job's state.
    pub(crate) fn state(self) -> JobState {
        match self {
            Self::Queued { .. } => JobState::Queued,
            Self::Running { .. } => JobState::Running,
            Self::Telling { state, .. } | Self::Kept { state, .. } => state,
        }
    }

    /// What is charged for it.
    pub(crate) fn bytes(self) -> u64 {
        match self {
            Self::Queued { bytes, .. }
            | Self::Running { bytes }
            | Self::Telling { bytes, .. }
            | Self::Kept { bytes, .. } => bytes,
        }
    }

    /// The key of a job here.
    pub(crate) fn key(self, Address { tenant, id }: Address) -> String {
        match self {
            Self::Queued { due_ms, bytes } => format!("q/{due_ms:016x}/{tenant}/{id}/{bytes:x}"),
            Self::Running { bytes } => format!("r/{tenant}/{id}/{bytes:x}"),
            Self::Telling { due_ms, state, bytes } => {
                format!("w/{due_ms:016x}/{tenant}/{id}/{bytes:x}/{state}")
            }
            Self::Kept { until_ms, state, bytes } => {
                format!("e/{until_ms:016x}/{tenant}/{id}/{bytes:x}/{state}")
            }
        }
    }

    /// What a key says; none for one of another release.
    pub(crate) fn parse(key: &str) -> Option<(Address, Self)> {
        let mut parts = key.split('/');
        let kind = parts.next()?;
        let time = if kind == "r" { 0 } else { hex_number(parts.next()?)? };
        let address = Address { tenant: parts.next()?.parse().ok()?, id: parts.next()?.parse().ok()? };
        let bytes = hex_number(parts.next()?)?;
        let mut ended = || parts.next()?.parse::<JobState>().ok().filter(|state| state.is_final());
        let place = match kind {
            "q" => Self::Queued { due_ms: time, bytes },
            "r" => Self::Running { bytes },
            "w" => Self::Telling { due_ms: time, state: ended()?, bytes },
            "e" => Self::Kept { until_ms: time, state: ended()?, bytes },
            _ => return None,
        };
        // One place has one key.
        (place.key(address) == key).then_some((address, place))
    }
}

fn hex_number(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

/// The key of a job's records: its id with the time turned round, so that the newest one is listed first.
pub(crate) fn record_key(id: r3e_proto::api::jobs::JobId) -> String {
    let mut key = id.0;
    for byte in key.iter_mut().take(6) {
        *byte = !*byte;
    }
    hex::encode(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use r3e_proto::api::identity::TenantId;
    use r3e_proto::api::jobs::JobId;

    use super::*;

    fn place() -> impl Strategy<Value = Place> {
        let ended = prop_oneof![Just(JobState::Succeeded), Just(JobState::Dead), Just(JobState::Cancelled)];
        (any::<u64>(), any::<u64>(), ended, 0..4u8).prop_map(|(at, bytes, state, kind)| match kind {
            0 => Place::Queued { due_ms: at, bytes },
            1 => Place::Running { bytes },
            2 => Place::Telling { due_ms: at, state, bytes },
            _ => Place::Kept { until_ms: at, state, bytes },
        })
    }

    proptest! {
        #[test]
        fn a_key_says_what_it_was_made_of(place in place(), tenant: [u8; 16], id: [u8; 16]) {
            let address = Address { tenant: TenantId(tenant), id: JobId(id) };
            prop_assert_eq!(Place::parse(&place.key(address)), Some((address, place)));
        }

        #[test]
        fn any_text_is_one_key_or_none(text in "[qrwe]?/?[0-9a-f/]{0,90}(succeeded|dead|queued)?") {
            if let Some((address, place)) = Place::parse(&text) {
                prop_assert_eq!(place.key(address), text);
            }
        }

        #[test]
        fn newer_jobs_are_listed_first(a in 0..1u64 << 48, b in 0..1u64 << 48, random: [u8; 10]) {
            let (older, newer) = (a.min(b), a.max(b));
            let key = |time| record_key(JobId::new(time, random));
            prop_assert!(older == newer || key(newer) < key(older));
        }
    }

    #[test]
    fn what_is_due_first_sorts_first() {
        let address = Address { tenant: TenantId([0; 16]), id: JobId([255; 16]) };
        let other = Address { tenant: TenantId([255; 16]), id: JobId([0; 16]) };
        let due = |due_ms, address| Place::Queued { due_ms, bytes: 1 }.key(address);
        assert!(due(9, other) < due(10, address));
    }
}
