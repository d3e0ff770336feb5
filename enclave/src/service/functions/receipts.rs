//! Receipts: what the appliance signs about an invocation.

use std::sync::Arc;

use r3e_functions::Completed;
use r3e_keys::ReportKey;
use r3e_proto::api::identity::TenantId;
use r3e_proto::channel::binding::Digest;
use r3e_proto::receipt::Receipt;

use crate::service::ServiceError;

/// Signs receipts for one appliance under one configuration.
pub(super) struct Receipts {
    key: Arc<ReportKey>,
    configuration: Digest,
}

/// Which invocation, whose, and when.
pub(super) struct Made<'a> {
    pub(super) invocation: [u8; 16],
    pub(super) tenant: TenantId,
    pub(super) function: &'a str,
    /// The store's, once all that the invocation wrote is durable.
    pub(super) sequence: u64,
    pub(super) time_ms: u64,
}

impl Receipts {
    pub(super) fn new(key: Arc<ReportKey>, configuration: Digest) -> Self {
        Self { key, configuration }
    }

    /// The signed receipt of an invocation that is over.
    pub(super) fn sign(&self, made: &Made<'_>, completed: &Completed) -> Result<Vec<u8>, ServiceError> {
        let receipt = Receipt {
            invocation: made.invocation,
            tenant: made.tenant.0,
            function: made.function.to_owned(),
            version: completed.version,
            input: completed.hashes.input,
            outcome: completed.code().to_owned(),
            output: completed.hashes.output,
            log: completed.hashes.log,
            usage: completed.usage,
            sequence: made.sequence,
            time_ms: made.time_ms,
            configuration: self.configuration,
        };
        let mut failure = None;
        let signed = receipt.sign(|message| {
            self.key.sign(message).unwrap_or_else(|error| {
                failure = Some(error);
                [0; 64]
            })
        });
        match failure {
            None => Ok(signed),
            Some(error) => Err(ServiceError::Internal(format!("the receipt cannot be signed: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    use r3e_functions::Hashes;
    use r3e_keys::RootSecret;
    use r3e_proto::api::functions::{FunctionError, LogLine, Outcome, Usage};
    use zeroize::Zeroizing;

    use super::*;

    fn key(seed: u8) -> ReportKey {
        ReportKey::of(&RootSecret::from_recovered(&Zeroizing::new([seed; 32]))).unwrap()
    }

    fn completed(outcome: Outcome) -> Completed {
        let logs = vec![LogLine { level: "info".into(), text: "one".into() }];
        let hashes = Hashes::of(b"{}", &outcome, &logs, false);
        let usage = Usage { cpu_us: 1, wall_us: 2, peak_memory_bytes: 3, host_calls: 4, bytes_out: 5 };
        Completed {
            version: [3; 32],
            outcome,
            logs,
            logs_truncated: false,
            usage,
            hashes,
            course: r3e_functions::Told::default(),
        }
    }

    fn verify(signed: &[u8], by: &ReportKey) -> Option<Receipt> {
        let key = UnparsedPublicKey::new(&ED25519, by.public_key());
        Receipt::verify(signed, |message, signature| key.verify(message, signature).is_ok()).ok()
    }

    #[test]
    fn a_receipt_says_what_happened_and_the_report_key_says_it() {
        let receipts = Receipts::new(Arc::new(key(1)), [9; 48]);
        let made = Made {
            invocation: [1; 16],
            tenant: TenantId([2; 16]),
            function: "price",
            sequence: 7,
            time_ms: 8,
        };
        let error = FunctionError { code: "timeout".into(), message: "late".into(), stack: None };
        for (outcome, code) in [(Outcome::Output("1".into()), "ok"), (Outcome::Error(error), "timeout")] {
            let completed = completed(outcome);
            let signed = receipts.sign(&made, &completed).unwrap();
            let receipt = verify(&signed, &key(1)).unwrap();
            let expected = Receipt {
                invocation: [1; 16],
                tenant: [2; 16],
                function: "price".into(),
                version: [3; 32],
                input: completed.hashes.input,
                outcome: code.into(),
                output: completed.hashes.output,
                log: completed.hashes.log,
                usage: completed.usage,
                sequence: 7,
                time_ms: 8,
                configuration: [9; 48],
            };
            assert_eq!(receipt, expected);
            assert_eq!(verify(&signed, &key(2)), None, "another appliance's key");
        }
    }
}
