//! What functions are given, each time with an entry in the tenant's log that is durable before they are given it.

use r3e_functions::{
    ChangeError, ChangeFuture, SecretAnswer, SecretReader, SecretSource, SourceError, SourceFuture,
};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::secrets::{Action, Actor, AuditEntry, Outcome};
use r3e_store::Namespace;
use zeroize::Zeroizing;

use super::record::Access;
use super::{Secrets, SetOptions, entry, value_key, values};
use crate::service::ServiceError;

/// Times that a read meets a change of the secret before it gives up: each is one more change of it.
const MAX_READ_TRIES: usize = 8;

impl Secrets {
    /// Gives a function the current version, if it may have it now.
    async fn give(&self, reader: SecretReader<'_>, name: &str) -> Result<SecretAnswer, ServiceError> {
        let space = values(reader.tenant)?;
        for _ in 0..MAX_READ_TRIES {
            let found = self.find(reader.tenant, name).await?;
            let stands = found.as_ref().map(|(_, stands)| *stands);
            let judged = |now_ms| {
                let (record, _) = found.as_ref()?;
                let version = hex::encode(reader.version);
                Some(record.access(reader.function, &version, reader.in_service, now_ms))
            };
            let now_ms = (self.now_ms)();
            let access = judged(now_ms);
            let (answer, outcome, version) = match access {
                None => (SecretAnswer::Absent, Outcome::Absent, None),
                Some(Access::NotGranted(version)) => {
                    (SecretAnswer::NotGranted, Outcome::NotGranted, Some(version))
                }
                Some(Access::Expired(version)) => (SecretAnswer::Expired, Outcome::Expired, Some(version)),
                Some(Access::Given(version)) => match self.value(&space, name, version).await? {
                    Some(value) => (SecretAnswer::Given { value, version }, Outcome::Done, Some(version)),
                    // Changed since the record was read.
                    None => continue,
                },
            };
            let logged = AuditEntry { outcome, ..entry(Action::Read, name, version, by(reader), now_ms) };
            self.audit.commit(reader.tenant, vec![logged], Vec::new()).await?;
            // A change that was answered while the entry was on its way holds already: a grant that is gone gives nothing. Nor
            // does a version whose time ran out meanwhile.
            let still = self.find(reader.tenant, name).await?.map(|(_, stands)| stands);
            if still == stands && judged((self.now_ms)()) == access {
                return Ok(answer);
            }
        }
        Err(ServiceError::Busy("the secret is being changed again and again".into()))
    }

    /// The current version, where it is granted to the function as it is in service; none where it is not, has expired, or is not
    /// there. No code is given it: it is what the appliance checks requests to a trigger's public route by, and whoever may
    /// send those could fill the log.
    pub(crate) async fn for_trigger(
        &self,
        tenant: TenantId,
        function: &str,
        name: &str,
    ) -> Result<Option<Zeroizing<String>>, ServiceError> {
        let space = values(tenant)?;
        for _ in 0..MAX_READ_TRIES {
            let Some((record, _)) = self.find(tenant, name).await? else { return Ok(None) };
            let Access::Given(version) = record.access(function, "", true, (self.now_ms)()) else {
                return Ok(None);
            };
            if let Some(value) = self.value(&space, name, version).await? {
                return Ok(Some(value));
            }
        }
        Err(ServiceError::Busy("the secret is being changed again and again".into()))
    }

    /// A version's value.
    pub(super) async fn value(
        &self,
        space: &Namespace,
        name: &str,
        version: u64,
    ) -> Result<Option<Zeroizing<String>>, ServiceError> {
        let Some(record) = self.store.get(space, &value_key(name, version)).await? else { return Ok(None) };
        let text = std::str::from_utf8(record.value.as_bytes())
            .map_err(|_| ServiceError::Internal("a secret's record is not text".into()))?;
        Ok(Some(Zeroizing::new(text.to_owned())))
    }
}

impl SecretSource for Secrets {
    fn read<'a>(&'a self, reader: SecretReader<'a>, name: &'a str) -> SourceFuture<'a, SecretAnswer> {
        Box::pin(async move { self.give(reader, name).await.map_err(|error| unanswered(&error)) })
    }

    fn undeclared<'a>(&'a self, reader: SecretReader<'a>, name: &'a str) -> SourceFuture<'a, ()> {
        let refused = AuditEntry {
            outcome: Outcome::Undeclared,
            ..entry(Action::Read, name, None, by(reader), (self.now_ms)())
        };
        Box::pin(async move {
            self.audit
                .commit(reader.tenant, vec![refused], Vec::new())
                .await
                .map_err(|error| unanswered(&error))
        })
    }

    fn held<'a>(&'a self, reader: SecretReader<'a>, held: Vec<(String, u64)>) -> SourceFuture<'a, ()> {
        let now_ms = (self.now_ms)();
        let entries = held
            .iter()
            .map(|(name, version)| entry(Action::Held, name, Some(*version), by(reader), now_ms))
            .collect();
        Box::pin(async move {
            self.audit.commit(reader.tenant, entries, Vec::new()).await.map_err(|error| unanswered(&error))
        })
    }

    fn set<'a>(
        &'a self,
        setter: SecretReader<'a>,
        name: &'a str,
        value: &'a Zeroizing<String>,
    ) -> ChangeFuture<'a, u64> {
        Box::pin(async move {
            let turn = self.setting.take(setter.tenant).await;
            let _one_of_functions = turn.map_err(|error| unanswered(&error))?;
            let set =
                Self::set(self, setter.tenant, by(setter), name, value.as_bytes(), SetOptions::default());
            set.await.map(|secret| secret.version).map_err(not_set)
        })
    }
}

fn not_set(error: ServiceError) -> ChangeError {
    match error {
        ServiceError::Invalid(message) => ChangeError::Invalid(message),
        error @ ServiceError::TooMany { .. } => ChangeError::Full(error.to_string()),
        // The log's lock and the record's version see to it that none of these was written.
        error @ (ServiceError::Busy(_) | ServiceError::Conflict(_) | ServiceError::NoRoom(_)) => {
            unanswered(&error).into()
        }
        unknown => {
            tracing::error!(error = %unknown, "a function's secret was neither set nor refused");
            let message = "the secret was neither set nor refused in time: it may stand or not; set it again"
                .to_owned();
            ChangeError::Unconfirmed(message)
        }
    }
}

fn by(reader: SecretReader<'_>) -> Actor {
    Actor::Function {
        name: reader.function.to_owned(),
        version: hex::encode(reader.version),
        invocation: hex::encode(reader.invocation),
    }
}

fn unanswered(error: &ServiceError) -> SourceError {
    SourceError(error.to_string())
}
