//! `r3e.secrets`: what one invocation is given, asked for once each, what it sets, and what it may have in memory without asking.
//!
//! A process is kept between the invocations of a function, and its code may keep a value in a variable. So each process has
//! notes of what it was given ([`ProcessNotes`]): an invocation that will run in one is logged with what that may hold,
//! before it has its event, and a process whose notes name a secret that changed is ended.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use r3e_proto::api::functions::Permissions;
use r3e_proto::api::is_name;
use r3e_runner_api::{HostErrorCode, HostReply, HostValue, SecretText};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use crate::limits::{MAX_SECRETS_SET, MAX_UNDECLARED_LOGGED};
use crate::runner_pool::{NotReady, ProcessNotes};
use crate::sources::{SecretAnswer, SecretReader, SecretSource, SourceError};
use crate::values::{not_changed, refused};

/// The secrets of one invocation.
pub(crate) struct Secrets<'a> {
    source: &'a dyn SecretSource,
    reader: SecretReader<'a>,
    declared: &'a [String],
    settable: &'a [String],
    /// How often it set one.
    sets: AtomicU32,
    /// By name; filled once, so that an invocation sees one version, and is logged once, however often it asks.
    asked: Mutex<BTreeMap<String, Arc<OnceCell<SecretAnswer>>>>,
    /// Of the process that serves the invocation.
    notes: Mutex<Option<Arc<ProcessNotes>>>,
    /// Why what a process holds could not be logged.
    not_logged: OnceLock<SourceError>,
}

impl<'a> Secrets<'a> {
    /// Those that `permissions` name, for `reader`.
    pub(crate) fn of(
        source: &'a dyn SecretSource,
        reader: SecretReader<'a>,
        permissions: &'a Permissions,
    ) -> Self {
        Self {
            source,
            reader,
            declared: &permissions.secrets,
            settable: &permissions.set_secrets,
            sets: AtomicU32::new(0),
            asked: Mutex::default(),
            notes: Mutex::default(),
            not_logged: OnceLock::new(),
        }
    }

    /// Takes note of the process that will serve the invocation, and logs what that was given in earlier ones, at once and
    /// durably: from its first instruction on, the invocation may have these values, whatever becomes of it.
    pub(crate) async fn served_by(&self, notes: &Arc<ProcessNotes>) -> Result<(), NotReady> {
        let held = notes.all();
        if !held.is_empty() {
            self.source.held(self.reader, held).await.map_err(|error| {
                let _ = self.not_logged.set(error);
                NotReady
            })?;
        }
        // A process that was not taken after all is not the one that is told of what the next one is given.
        *self.notes.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(notes));
        Ok(())
    }

    /// Why the process may not serve the invocation.
    pub(crate) fn not_logged(&self) -> Option<SourceError> {
        self.not_logged.get().cloned()
    }

    /// What the invocation is given under `name`.
    pub(crate) async fn get(&self, name: &str) -> HostReply {
        if !self.declared.iter().any(|declared| declared == name) {
            return self.undeclared(name).await;
        }
        let cell = self.cell(name);
        let answer = cell.get_or_try_init(|| self.ask(name)).await.map_err(|error| unanswered(&error))?;
        match answer {
            SecretAnswer::Given { value, .. } => {
                Ok(HostValue::SecretGet { value: Some(SecretText::new(value.clone())) })
            }
            SecretAnswer::Absent => Ok(HostValue::SecretGet { value: None }),
            SecretAnswer::NotGranted => {
                let message = "that secret is not granted to this function, or not to this version of it: its owner grants it \
                               (`r3e secrets grant`)";
                Err(refused(HostErrorCode::Denied, message))
            }
            SecretAnswer::Expired => {
                Err(refused(HostErrorCode::Expired, "that secret has expired; its owner must set it anew"))
            }
        }
    }

    /// Sets the secret `name`. What the invocation asks for from then on is what stands then.
    pub(crate) async fn set(&self, name: &str, value: &SecretText) -> HostReply {
        if !self.settable.iter().any(|settable| settable == name) {
            let message = "this function's manifest does not let it set that secret: name it in permissions.set_secrets";
            return Err(refused(HostErrorCode::Denied, message));
        }
        if self.sets.fetch_add(1, Ordering::Relaxed) >= MAX_SECRETS_SET {
            let message = format!("an invocation sets at most {MAX_SECRETS_SET} secrets");
            return Err(refused(HostErrorCode::LimitExceeded, message));
        }
        let value = Zeroizing::new(value.expose().to_owned());
        // Before it stands: whatever becomes of this call, the process has it.
        self.noted(name, 0);
        let version = self.source.set(self.reader, name, &value).await;
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        self.noted(name, version.map_err(|error| not_changed(&error))?);
        Ok(HostValue::SecretSet {})
    }

    async fn ask(&self, name: &str) -> Result<SecretAnswer, SourceError> {
        let answer = self.source.read(self.reader, name).await?;
        // Before the value is on its way: a process that may have it is always known to.
        if let SecretAnswer::Given { version, .. } = &answer {
            self.noted(name, *version);
        }
        Ok(answer)
    }

    fn noted(&self, name: &str, version: u64) {
        if let Some(notes) = &*self.notes.lock().unwrap_or_else(PoisonError::into_inner) {
            notes.add(name, version);
        }
    }

    /// Refuses, and logs it; of each name once, and of so many names.
    async fn undeclared(&self, name: &str) -> HostReply {
        let is_new = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let others = asked.keys().filter(|other| !self.declared.contains(other)).count();
            let is_new = is_name(name) && others < MAX_UNDECLARED_LOGGED && !asked.contains_key(name);
            if is_new {
                asked.insert(name.to_owned(), Arc::default());
            }
            is_new
        };
        if is_new {
            self.source.undeclared(self.reader, name).await.map_err(|error| unanswered(&error))?;
        }
        let message = "this function's manifest does not name that secret; name it when you deploy";
        Err(refused(HostErrorCode::Denied, message))
    }

    fn cell(&self, name: &str) -> Arc<OnceCell<SecretAnswer>> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(asked.entry(name.to_owned()).or_default())
    }
}

/// A source's own words are for the log: they may tell of other tenants.
fn unanswered(error: &SourceError) -> r3e_runner_api::HostError {
    tracing::warn!(%error, "a secret could not be given");
    refused(HostErrorCode::Unavailable, "the appliance cannot give secrets now; try again")
}
