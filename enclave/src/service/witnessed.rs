//! The appliances that this one is a rollback witness of: who the operator admitted, and the last commit of each.
//!
//! An appliance with witnesses of its own is nobody's. Its answers would have to wait until its own commit is witnessed: two
//! that witness each other would wait for each other, and after an outage of both neither could ever start.

mod pace;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use r3e_proto::api::identity::PublicKey;
use r3e_proto::api::witness::{AdmitWitnessed, Ask, Record, Recorded, Witnessed, codes};
use r3e_proto::channel::binding::Digest;
use r3e_proto::witness::{ask_message, record_message};
use r3e_store::{Namespace, Store, StoreError, Write};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use self::pace::Paces;
use super::ServiceError;
use super::json::{decode, encode};
use super::tenants::checked_label;
use crate::limits::{MAX_WITNESSED, MAX_WITNESSED_EVER, WITNESS_TURN_WAIT};

/// The time, in Unix milliseconds.
type Time = Box<dyn Fn() -> u64 + Send + Sync>;

/// Those whose commits are remembered.
pub(crate) struct WitnessedAppliances {
    store: Store,
    time: Time,
    namespace: Namespace,
    /// Whether this appliance is a witness at all.
    offered: bool,
    /// Held from the count to the commit, so that two at once cannot both take the last place.
    admitting: Mutex<()>,
    /// One commit of an appliance at a time: its commits cost this one's store no more than one each, one after the other.
    turns: Vec<Mutex<()>>,
    /// How fast each may ask and tell.
    paces: Paces,
}

/// Why nothing is remembered or told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// This appliance is no witness.
    #[error(
        "this appliance has rollback witnesses of its own and is nobody's: two that witness each other would wait for \
         each other. Ask an appliance whose own witness is `none`"
    )]
    NotOffered,
    /// The operator has not admitted the key.
    #[error("the operator has not admitted this witness key: `r3e operator witness admit`")]
    NotAdmitted,
    /// The signature is not the key's.
    #[error("the signature is not this witness key's over this request")]
    Signature,
    /// The service.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl Refused {
    /// The stable code, where it is one of a witness's own.
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self {
            Self::NotOffered => Some(codes::NOT_OFFERED),
            Self::NotAdmitted => Some(codes::NOT_ADMITTED),
            Self::Signature => Some(codes::SIGNATURE),
            Self::Service(_) => None,
        }
    }
}

/// One of them, as it is kept under its key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    name: String,
    admitted: bool,
    admitted_at_ms: u64,
    last: Option<Recorded>,
    recorded_at_ms: Option<u64>,
}

impl WitnessedAppliances {
    pub(crate) fn new(
        store: Store,
        time: impl Fn() -> u64 + Send + Sync + 'static,
        offered: bool,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            store,
            time: Box::new(time),
            namespace: Namespace::of_appliance("witnessed")?,
            offered,
            admitting: Mutex::new(()),
            turns: (0..MAX_WITNESSED).map(|_| Mutex::new(())).collect(),
            paces: Paces::default(),
        })
    }

    /// Remembers a commit, durably, unless a later one is remembered, or another one of the same sequence; what is
    /// remembered then.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) async fn record(&self, request: &Record) -> Result<Recorded, Refused> {
        let Record { key, commit, .. } = request;
        self.admitted(key).await?;
        verified(key, &record_message(key, &commit.commit()), &commit.signature.0)?;
        self.in_pace(key).await?;
        let _turn = self.turn(key).await?;
        // Read again: it may have changed while this one waited.
        let (stored, version) = self.admitted(key).await?;
        if let Some(last) = stored.last
            && last.sequence >= commit.sequence
        {
            return Ok(last);
        }
        let stored = Stored { last: Some(*commit), recorded_at_ms: Some((self.time)()), ..stored };
        self.write(key, &stored, Some(version)).await?;
        Ok(*commit)
    }

    /// What is remembered of the one that asks on the session of this binding.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) async fn last(&self, request: &Ask, binding: &Digest) -> Result<Option<Recorded>, Refused> {
        let Ask { key, nonce, signature } = request;
        self.admitted(key).await?;
        verified(key, &ask_message(key, binding, &nonce.0), &signature.0)?;
        self.in_pace(key).await?;
        // Read after it waited, if it did.
        let (stored, _) = self.admitted(key).await?;
        Ok(stored.last)
    }

    /// Admits a key, or admits it again: then what was remembered of it still counts.
    ///
    /// # Errors
    /// [`Refused::NotOffered`]; [`ServiceError::Conflict`] if it is admitted; [`ServiceError::TooMany`].
    pub(crate) async fn admit(&self, request: AdmitWitnessed) -> Result<Witnessed, Refused> {
        if !self.offered {
            return Err(Refused::NotOffered);
        }
        let AdmitWitnessed { key, name } = request;
        checked_label(&name)?;
        let _admitting = self.admitting.lock().await;
        let all = self.list().await?;
        let before = all.iter().find(|one| one.key == key);
        if before.is_some_and(|one| one.admitted) {
            return Err(ServiceError::Conflict(format!("the witness key {key} is admitted already")).into());
        }
        if all.iter().filter(|one| one.admitted).count() >= MAX_WITNESSED {
            return Err(ServiceError::TooMany { what: "witnessed appliances", max: MAX_WITNESSED }.into());
        }
        if before.is_none() && all.len() >= MAX_WITNESSED_EVER {
            let full = "as many appliances were witnessed as may ever be: what is remembered of one is never dropped";
            return Err(ServiceError::Conflict(full.into()).into());
        }
        let _turn = self.turn(&key).await?;
        let standing = self.read(&key).await?;
        let version = standing.as_ref().map(|(_, version)| *version);
        let new = || Stored {
            name: String::new(),
            admitted: false,
            admitted_at_ms: (self.time)(),
            last: None,
            recorded_at_ms: None,
        };
        let stored = standing.map_or_else(new, |(stored, _)| stored);
        let stored = Stored { name, admitted: true, ..stored };
        self.write(&key, &stored, version).await?;
        Ok(self.described(key, stored))
    }

    /// Serves a key no more. What was remembered of it stays.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub(crate) async fn remove(&self, key: &PublicKey) -> Result<(), Refused> {
        let _turn = self.turn(key).await?;
        let missing = || ServiceError::NotFound { kind: "witnessed appliance", name: key.to_string() };
        let standing = self.read(key).await?.filter(|(stored, _)| stored.admitted);
        let (stored, version) = standing.ok_or_else(missing)?;
        self.write(key, &Stored { admitted: false, ..stored }, Some(version)).await
    }

    /// All of them, those that were removed among them, by key.
    pub(crate) async fn list(&self) -> Result<Vec<Witnessed>, ServiceError> {
        let mut all = Vec::new();
        for listed in self.store.scan(&self.namespace, "", None, MAX_WITNESSED_EVER)? {
            let record = self.store.get(&self.namespace, &listed.key).await?;
            if let (Ok(key), Some(record)) = (listed.key.parse(), record) {
                all.push(self.described(key, decode(record.value.as_bytes())?));
            }
        }
        Ok(all)
    }

    /// Only after the key's own signature: nobody else shall use up its pace.
    async fn in_pace(&self, key: &PublicKey) -> Result<(), ServiceError> {
        if self.paces.keep(key).await {
            return Ok(());
        }
        Err(ServiceError::Busy("this witness key's requests come too fast; try again in a second".into()))
    }

    fn described(&self, key: PublicKey, stored: Stored) -> Witnessed {
        let Stored { name, admitted, admitted_at_ms, last, recorded_at_ms } = stored;
        Witnessed {
            key,
            name,
            admitted,
            admitted_at_ms,
            sequence: last.map(|last| last.sequence),
            recorded_at_ms,
            refused: self.paces.refused(&key),
        }
    }

    async fn admitted(&self, key: &PublicKey) -> Result<(Stored, u64), Refused> {
        if !self.offered {
            return Err(Refused::NotOffered);
        }
        self.read(key).await?.filter(|(stored, _)| stored.admitted).ok_or(Refused::NotAdmitted)
    }

    async fn read(&self, key: &PublicKey) -> Result<Option<(Stored, u64)>, ServiceError> {
        let record = self.store.get(&self.namespace, &key.to_string()).await?;
        record.map(|record| Ok((decode(record.value.as_bytes())?, record.version))).transpose()
    }

    async fn write(&self, key: &PublicKey, stored: &Stored, over: Option<u64>) -> Result<(), Refused> {
        let put = Write::put(&self.namespace, &key.to_string(), encode(stored)?);
        let put = match over {
            Some(version) => put.if_version(version),
            None => put.if_absent(),
        };
        match self.store.batch(vec![put]).await {
            Ok(_) => Ok(()),
            Err(StoreError::Conflict { .. }) => {
                Err(ServiceError::Conflict("it changed meanwhile; try again".into()).into())
            }
            Err(error) => Err(ServiceError::from(error).into()),
        }
    }

    async fn turn(&self, key: &PublicKey) -> Result<MutexGuard<'_, ()>, ServiceError> {
        let busy = || ServiceError::Busy("an earlier request for this witness key is under way".into());
        let place = usize::from(key.0[0]) % self.turns.len().max(1);
        let turn = self.turns.get(place).ok_or_else(busy)?;
        timeout(WITNESS_TURN_WAIT, turn.lock()).await.map_err(|_| busy())
    }
}

fn verified(key: &PublicKey, message: &Digest, signature: &[u8; 64]) -> Result<(), Refused> {
    UnparsedPublicKey::new(&ED25519, key.0).verify(message, signature).map_err(|_| Refused::Signature)
}

#[cfg(test)]
mod tests;
