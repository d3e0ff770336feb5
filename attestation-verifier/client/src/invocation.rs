//! An invocation whose receipt was checked against what was sent and what came back.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_proto::api::functions::{self, LogLine, Outcome, Usage};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::versions::{At, Reference};
use r3e_proto::channel::binding::Digest;
use r3e_proto::receipt::{Bundle, OUTCOME_OK, Receipt, ReceiptError, log_hash};
use thiserror::Error;

use crate::report_key::ReportKey;

/// What an invocation gave. Its receipt was signed by the attested report key, and says of the event, the outcome and
/// the log what this client sent and received; only [`crate::TenantChannel::invoke`] makes one.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Invocation {
    answer: functions::Invocation,
    receipt: Receipt,
    bundle: Bundle,
}

/// Why a receipt does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReceiptMismatch {
    /// Not base64.
    #[error("it is not base64")]
    Base64,
    /// Not a receipt, or not signed by the attested key.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// It is another tenant's.
    #[error("it is the tenant {found}'s, and the request was {expected}'s")]
    Tenant {
        /// Whose the request was.
        expected: TenantId,
        /// Whose the receipt is.
        found: TenantId,
    },
    /// It speaks of something else.
    #[error("its {field} is not what was sent or received")]
    Field {
        /// Which field.
        field: &'static str,
    },
}

/// What the client knows of an invocation before it looks at the receipt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) function: &'a Reference,
    pub(crate) event: &'a [u8],
    pub(crate) tenant: TenantId,
    pub(crate) configuration: &'a Digest,
    pub(crate) report_key: &'a ReportKey,
}

impl Invocation {
    /// Checks an answer's receipt.
    pub(crate) fn verify(
        answer: functions::Invocation,
        expected: &Expected<'_>,
    ) -> Result<Self, ReceiptMismatch> {
        Self::verify_given(answer, expected, &sha256(expected.event), true)
    }

    /// Checks the receipt of an invocation that was made before, under whatever configuration was measured then, with an event of
    /// this SHA-256.
    pub(crate) fn verify_recorded(
        answer: functions::Invocation,
        expected: &Expected<'_>,
        input: &[u8; 32],
    ) -> Result<Self, ReceiptMismatch> {
        Self::verify_given(answer, expected, input, false)
    }

    fn verify_given(
        answer: functions::Invocation,
        expected: &Expected<'_>,
        input: &[u8; 32],
        is_of_this_session: bool,
    ) -> Result<Self, ReceiptMismatch> {
        let signed = STANDARD.decode(&answer.receipt).map_err(|_| ReceiptMismatch::Base64)?;
        let receipt =
            Receipt::verify(&signed, |message, signature| expected.report_key.signed(message, signature))?;
        let (outcome, output) = match &answer.outcome {
            Outcome::Output(text) => (OUTCOME_OK, text),
            Outcome::Error(error) => (error.code.as_str(), &error.message),
        };
        // An error whose code is `ok` would pass for a result in the receipt.
        let ok_is_output = matches!(answer.outcome, Outcome::Output(_)) == (outcome == OUTCOME_OK);
        if expected.tenant.0 != receipt.tenant {
            return Err(ReceiptMismatch::Tenant {
                expected: expected.tenant,
                found: TenantId(receipt.tenant),
            });
        }
        for (field, holds) in [
            ("invocation", hex::encode(receipt.invocation) == answer.id),
            ("function", receipt.function == expected.function.function()),
            (
                "version",
                hex::encode(receipt.version) == answer.version
                    && is_meant(&answer.version, expected.function),
            ),
            ("input", receipt.input == *input),
            ("outcome", receipt.outcome == outcome && ok_is_output),
            ("output", receipt.output == sha256(output.as_bytes())),
            ("log", receipt.log == log_hash(&answer.logs, answer.logs_truncated)),
            ("usage", receipt.usage == answer.usage),
            ("configuration", !is_of_this_session || receipt.configuration == *expected.configuration),
        ] {
            if !holds {
                return Err(ReceiptMismatch::Field { field });
            }
        }
        let bundle = Bundle { receipt: signed, document: expected.report_key.document().to_vec() };
        Ok(Self { answer, receipt, bundle })
    }

    /// 32 hex digits.
    pub fn id(&self) -> &str {
        &self.answer.id
    }

    /// The version that ran, hex.
    pub fn version(&self) -> &str {
        &self.answer.version
    }

    /// The result's JSON text, or why there is none.
    pub fn outcome(&self) -> &Outcome {
        &self.answer.outcome
    }

    /// What the function logged.
    pub fn logs(&self) -> &[LogLine] {
        &self.answer.logs
    }

    /// Whether the appliance left out lines for their size.
    pub fn logs_truncated(&self) -> bool {
        self.answer.logs_truncated
    }

    /// What it used.
    pub fn usage(&self) -> Usage {
        self.answer.usage
    }

    /// The receipt's content.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// The signed receipt with the document that attests its key: what `r3e-verify receipt` reads.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }
}

/// Whether a version may be what was asked for: where digits were given, it begins with them.
fn is_meant(version: &str, asked: &Reference) -> bool {
    match asked.at() {
        At::Version(digits) => version.starts_with(digits),
        At::Alias(_) => true,
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    // SHA-256 gives 32 bytes.
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

#[cfg(test)]
#[path = "invocation_tests.rs"]
mod tests;
