//! Notices of jobs that ended, as a webhook's server checks them: with the report key, which a client that met the appliance
//! knows to be attested, and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_proto::notice::{Notice, NoticeError};
use thiserror::Error;

use crate::report_key::{ReportKey, signed_by};

/// Why a request to a webhook is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoticeRefused {
    /// The header is no base64.
    #[error("the notice's header is not standard base64")]
    Base64,
    /// It is no notice, not signed by the key, or about another body.
    #[error(transparent)]
    Notice(#[from] NoticeError),
}

/// Checks a request that a webhook was sent: `header` is the value of [`r3e_proto::notice::NOTICE_HEADER`], `body` the request's body as it came,
/// `public_key` the appliance's report key ([`ReportKey::public_key`]).
///
/// A notice that holds may be an old one that somebody sends again: act once on each [`Notice::job`]. It names the tenant, too:
/// one appliance has one report key for all of them, so check [`Notice::tenant`].
///
/// # Errors
/// [`NoticeRefused`].
pub fn verify_notice(public_key: &[u8; 32], header: &str, body: &[u8]) -> Result<Notice, NoticeRefused> {
    let signed = STANDARD.decode(header.trim()).map_err(|_| NoticeRefused::Base64)?;
    Ok(Notice::verify(&signed, body, |message, signature| signed_by(public_key, message, signature))?)
}

impl ReportKey {
    /// [`verify_notice`] with this key.
    ///
    /// # Errors
    /// [`NoticeRefused`].
    pub fn notice(&self, header: &str, body: &[u8]) -> Result<Notice, NoticeRefused> {
        verify_notice(self.public_key(), header, body)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    #[test]
    fn a_notice_holds_under_its_key_and_for_its_body() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let mut body_hash = [0; 32];
        body_hash.copy_from_slice(digest(&SHA256, b"{}").as_ref());
        let notice = Notice {
            job: [1; 16],
            tenant: [2; 16],
            function: "f".into(),
            state: "dead".into(),
            outcome: "timeout".into(),
            output: [3; 32],
            time_ms: 4,
            body: body_hash,
        };
        let signed = notice.sign(|message| pair.sign(message).as_ref().try_into().unwrap());
        let header = STANDARD.encode(signed);
        let key: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
        assert_eq!(verify_notice(&key, &header, b"{}"), Ok(notice.clone()));
        assert_eq!(ReportKey::appraised_for_test(key).notice(&header, b"{}"), Ok(notice));
        assert_eq!(verify_notice(&key, &header, b"{ }"), Err(NoticeError::Body.into()));
        assert_eq!(verify_notice(&[9; 32], &header, b"{}"), Err(NoticeError::Signature.into()));
        assert_eq!(verify_notice(&key, "*", b"{}"), Err(NoticeRefused::Base64));
    }
}
