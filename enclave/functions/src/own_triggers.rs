//! `r3e.trigger`: the triggers that one invocation makes for its function, if that may have any.

use std::sync::atomic::{AtomicU32, Ordering};

use r3e_proto::api::identity::TenantId;
use r3e_runner_api::{HostError, HostErrorCode, HostReply, HostValue};

use crate::limits::{MAX_TRIGGER_BYTES, MAX_TRIGGERS_CHANGED};
use crate::sources::{MadeTrigger, OwnTriggers};
use crate::values::{not_changed, refused};

/// What one invocation may do with its function's triggers.
pub(crate) struct Making<'a> {
    keeper: &'a dyn OwnTriggers,
    tenant: TenantId,
    function: &'a str,
    is_granted: bool,
    changes: AtomicU32,
}

impl<'a> Making<'a> {
    pub(crate) fn of(
        keeper: &'a dyn OwnTriggers,
        tenant: TenantId,
        function: &'a str,
        is_granted: bool,
    ) -> Self {
        Self { keeper, tenant, function, is_granted, changes: AtomicU32::new(0) }
    }

    /// Makes one.
    pub(crate) async fn create(&self, definition: &str) -> HostReply {
        self.may_change()?;
        if definition.len() > MAX_TRIGGER_BYTES {
            let message = format!("a trigger has at most {MAX_TRIGGER_BYTES} bytes as JSON");
            return Err(refused(HostErrorCode::TooLarge, message));
        }
        let made = self.keeper.create(self.tenant, self.function, definition).await;
        let MadeTrigger { name, created } = made.map_err(|error| not_changed(&error))?;
        Ok(HostValue::TriggerCreate { name, created })
    }

    /// Deletes one that the function made.
    pub(crate) async fn delete(&self, name: &str) -> HostReply {
        self.may_change()?;
        let deleted = self
            .keeper
            .delete(self.tenant, self.function, name)
            .await
            .map_err(|error| not_changed(&error))?;
        Ok(HostValue::TriggerDelete { deleted })
    }

    fn may_change(&self) -> Result<(), HostError> {
        if !self.is_granted {
            let message = "this function may not make triggers: say triggers = true in its permissions";
            return Err(refused(HostErrorCode::Denied, message));
        }
        if self.changes.fetch_add(1, Ordering::Relaxed) >= MAX_TRIGGERS_CHANGED {
            let message = format!("an invocation makes and deletes at most {MAX_TRIGGERS_CHANGED} triggers");
            return Err(refused(HostErrorCode::LimitExceeded, message));
        }
        Ok(())
    }
}
