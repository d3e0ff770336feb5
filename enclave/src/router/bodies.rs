//! Room for request bodies in memory: so much for all, and of it so much for one tenant, so that a tenant that sends slowly,
//! or has much waiting, leaves room for the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use r3e_proto::api::identity::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{MAX_BODIES_BYTES, MAX_BODIES_OF_ONE_BYTES, MAX_HOOK_BODIES_OF_ONE_BYTES};

/// The room for all bodies.
pub(crate) struct Bodies {
    all: Arc<Semaphore>,
    /// Room of those that have bodies here; who has none leaves no trace but a weak reference.
    of_one: Mutex<HashMap<Owner, Weak<Semaphore>>>,
}

/// Who a body is charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    /// A tenant.
    Tenant(TenantId),
    /// Whoever asks a tenant's public routes: apart from the tenant itself, and with less room.
    Hooks(TenantId),
    /// The operator and those who are signing in, together: their bodies are small.
    Others,
}

/// Room for one body. A handler holds it for as long as it works on the body.
pub(crate) struct Place {
    _of_one: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

/// Whose room is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// The owner's own share.
    Owner,
    /// All of it.
    Appliance,
}

impl Bodies {
    /// All of it free.
    pub(crate) fn new() -> Self {
        Self { all: Arc::new(Semaphore::new(MAX_BODIES_BYTES)), of_one: Mutex::default() }
    }

    /// Takes room for a body of `bytes`, if there is any now.
    pub(crate) fn take(&self, owner: Owner, bytes: usize) -> Result<Place, Full> {
        let bytes = u32::try_from(bytes).map_err(|_| Full::Owner)?;
        let of_one = self.room_of(owner).try_acquire_many_owned(bytes).map_err(|_| Full::Owner)?;
        let of_all = Arc::clone(&self.all).try_acquire_many_owned(bytes).map_err(|_| Full::Appliance)?;
        Ok(Place { _of_one: of_one, _of_all: of_all })
    }

    fn room_of(&self, owner: Owner) -> Arc<Semaphore> {
        let mut rooms = self.of_one.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = rooms.get(&owner).and_then(Weak::upgrade) {
            return room;
        }
        rooms.retain(|_, room| room.strong_count() > 0);
        let room = Arc::new(Semaphore::new(match owner {
            Owner::Hooks(_) => MAX_HOOK_BODIES_OF_ONE_BYTES,
            Owner::Tenant(_) | Owner::Others => MAX_BODIES_OF_ONE_BYTES,
        }));
        rooms.insert(owner, Arc::downgrade(&room));
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{MAX_CONNECTIONS, MAX_JSON_BODY_BYTES, MAX_SIGN_IN_BODY_BYTES};

    const MIB: usize = 1024 * 1024;

    fn tenant(number: u8) -> Owner {
        Owner::Tenant(TenantId([number; 16]))
    }

    /// Takes as many places of a MiB as there are.
    fn fill(bodies: &Bodies, owner: Owner) -> (Vec<Place>, Full) {
        let mut places = Vec::new();
        loop {
            match bodies.take(owner, MIB) {
                Ok(place) => places.push(place),
                Err(full) => return (places, full),
            }
        }
    }

    #[test]
    fn one_tenant_takes_its_share_and_leaves_the_rest() {
        let bodies = Bodies::new();
        let (greedy, full) = fill(&bodies, tenant(1));
        assert_eq!((greedy.len(), full), (MAX_BODIES_OF_ONE_BYTES / MIB, Full::Owner));
        const { assert!(2 * MAX_BODIES_OF_ONE_BYTES < MAX_BODIES_BYTES) };
        let (others, full) = fill(&bodies, Owner::Others);
        assert_eq!((others.len(), full), (greedy.len(), Full::Owner));
        assert!(bodies.take(tenant(2), MIB).is_ok());
        let second = fill(&bodies, tenant(2));
        let (rest, full) = fill(&bodies, tenant(3));
        assert_eq!(full, Full::Appliance);
        let taken = greedy.len() + others.len() + second.0.len() + rest.len();
        assert_eq!(taken, MAX_BODIES_BYTES / MIB);
        drop(greedy);
        assert!(bodies.take(tenant(3), MIB).is_ok());
    }

    #[test]
    fn no_number_of_connections_that_sign_in_keeps_the_operator_or_a_tenant_waiting() {
        // HTTP/1.1: one body a connection.
        let bodies = Bodies::new();
        let signing_in: Vec<_> =
            (0..MAX_CONNECTIONS).map(|_| bodies.take(Owner::Others, MAX_SIGN_IN_BODY_BYTES)).collect();
        assert!(signing_in.iter().all(Result::is_ok));
        assert!(bodies.take(Owner::Others, MAX_JSON_BODY_BYTES).is_ok());
        assert_eq!(fill(&bodies, tenant(1)).0.len(), MAX_BODIES_OF_ONE_BYTES / MIB);
    }

    #[test]
    fn what_is_given_up_leaves_nothing_behind() {
        let bodies = Bodies::new();
        for number in 0..=255 {
            assert!(bodies.take(tenant(number), MIB).is_ok());
        }
        let place = bodies.take(Owner::Others, 0).unwrap_or_else(|_| unreachable!());
        assert_eq!(bodies.of_one.lock().unwrap().len(), 1);
        drop(place);
        assert_eq!(bodies.all.available_permits(), MAX_BODIES_BYTES);
        assert_eq!(bodies.take(tenant(1), usize::MAX).err(), Some(Full::Owner));
    }
}
