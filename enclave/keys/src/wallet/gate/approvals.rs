//! Consents: so many of the policy's approvers, each once, each for this very thing and not expired.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use r3e_proto::api::wallets::{Approval, ApprovalRule};
use r3e_proto::wallet::approval::{Subject, WalletRevision, message};

use super::{ApprovalFault, Asking, Denied};
use crate::limits::{MAX_APPROVAL_LIFETIME_MS, MAX_APPROVERS};

/// Whether enough approvers consent. One that does not hold is named, not passed over: somebody sent it for a reason.
pub(super) fn judge(
    rule: &ApprovalRule,
    wallet: &WalletRevision<'_>,
    subject: Subject,
    asking: &Asking<'_>,
) -> Result<(), Denied> {
    let approvals = asking.approvals;
    if approvals.len() > MAX_APPROVERS {
        return Err(Denied::Approval { index: MAX_APPROVERS, fault: ApprovalFault::TooMany });
    }
    for (index, approval) in approvals.iter().enumerate() {
        let before = approvals.get(..index).unwrap_or_default();
        let fault = if !rule.approvers.contains(&approval.public_key) {
            ApprovalFault::Stranger
        } else if before.iter().any(|other| other.public_key == approval.public_key) {
            ApprovalFault::Twice
        } else if approval.expires_at_ms <= asking.now_ms {
            ApprovalFault::Expired
        } else if approval.expires_at_ms - asking.now_ms > MAX_APPROVAL_LIFETIME_MS {
            ApprovalFault::TooLong
        } else if !is_signed(approval, wallet, subject) {
            ApprovalFault::Signature
        } else {
            continue;
        };
        return Err(Denied::Approval { index, fault });
    }
    let have = u8::try_from(approvals.len()).unwrap_or(u8::MAX);
    if have < rule.threshold { Err(Denied::ApprovalMissing { need: rule.threshold, have }) } else { Ok(()) }
}

fn is_signed(approval: &Approval, wallet: &WalletRevision<'_>, subject: Subject) -> bool {
    let message = message(wallet, subject, approval.expires_at_ms);
    UnparsedPublicKey::new(&ED25519, approval.public_key.0).verify(&message, &approval.signature.0).is_ok()
}
