//! Whose credentials there are: what the metadata service hands out, and KMS knows again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::unix_ms;

/// Temporary credentials of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The role, `arn:aws:iam::ACCOUNT:role/NAME`.
    pub role_arn: String,
    /// The identifier.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: String,
    /// The token.
    pub session_token: String,
    /// Their end, in Unix milliseconds.
    pub expires_at_ms: u64,
}

/// All credentials there are. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Accounts(Arc<Mutex<BTreeMap<String, Issued>>>);

impl Accounts {
    /// New credentials of `role_arn`.
    pub fn issue(&self, role_arn: &str, lifetime: Duration) -> Issued {
        let lifetime_ms = u64::try_from(lifetime.as_millis()).expect("a lifetime of a test");
        let issued = Issued {
            role_arn: role_arn.to_owned(),
            access_key_id: format!("ASIA{}", hex::encode_upper(random::<8>())),
            secret_access_key: STANDARD.encode(random::<30>()),
            session_token: STANDARD.encode([random::<64>(), random::<64>()].concat()),
            expires_at_ms: unix_ms() + lifetime_ms,
        };
        self.table().insert(issued.access_key_id.clone(), issued.clone());
        issued
    }

    /// The credentials of this identifier.
    pub(crate) fn find(&self, access_key_id: &str) -> Option<Issued> {
        self.table().get(access_key_id).cloned()
    }

    fn table(&self) -> MutexGuard<'_, BTreeMap<String, Issued>> {
        self.0.lock().expect("no holder panicked")
    }
}

/// Random bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("random bytes");
    bytes
}
