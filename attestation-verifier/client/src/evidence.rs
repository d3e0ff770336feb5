//! Evidence on its way in: the frame that carries it, and the checks that tie it to one session.
//!
//! The document itself is appraised elsewhere (`policy`); what is checked here takes its fields as appraised.

use r3e_proto::channel::binding::{Digest, pcr_extended_once};
use r3e_proto::channel::evidence::{Evidence, EvidenceReply};
use r3e_proto::limits::MAX_EVIDENCE_BYTES;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::error::ClientError;

/// What an appraised document says that concerns a session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claims<'a> {
    /// `user_data`, empty where the document has none.
    pub(crate) user_data: &'a [u8],
    /// `public_key`, empty where the document has none (absent, null and empty are one).
    pub(crate) public_key: &'a [u8],
    /// PCR16, which measures the configuration.
    pub(crate) configuration_pcr: Option<&'a Digest>,
}

/// Reads one frame, a 32-bit big-endian length and that many bytes, and not one byte beyond it.
///
/// # Errors
/// [`ClientError`]: the stream ended or broke, the length is impossible, the body is no Evidence, or the appliance has
/// none now.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Evidence, ClientError> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await.map_err(ended)?;
    let announced = u32::from_be_bytes(length);
    let bytes = match usize::try_from(announced) {
        Ok(bytes) if (1..=MAX_EVIDENCE_BYTES).contains(&bytes) => bytes,
        _ => return Err(ClientError::EvidenceSize { bytes: announced.into(), max: MAX_EVIDENCE_BYTES }),
    };
    let mut body = vec![0; bytes];
    stream.read_exact(&mut body).await.map_err(ended)?;
    match EvidenceReply::decode(&body).map_err(ClientError::EvidenceMalformed)? {
        EvidenceReply::Evidence(evidence) => Ok(evidence),
        EvidenceReply::Unavailable(why) => Err(ClientError::EvidenceUnavailable { why }),
    }
}

/// Checks that an appraised document belongs to the session of `binding`, names its HPKE key, and measured its
/// configuration.
///
/// # Errors
/// [`ClientError`]: which of them does not hold.
pub(crate) fn check(evidence: &Evidence, claims: Claims<'_>, binding: &Digest) -> Result<(), ClientError> {
    evidence.verify_binding(binding, claims.user_data).map_err(ClientError::OtherSession)?;
    if claims.public_key != evidence.hpke_public_key {
        return Err(ClientError::HpkeKeyMismatch);
    }
    if claims.configuration_pcr != Some(&pcr_extended_once(&evidence.configuration)) {
        return Err(ClientError::ConfigurationMismatch);
    }
    Ok(())
}

fn ended(source: std::io::Error) -> ClientError {
    match source.kind() {
        std::io::ErrorKind::UnexpectedEof => ClientError::NoEvidence,
        _ => ClientError::Transport { during: "the wait for evidence", source },
    }
}

#[cfg(test)]
mod tests {
    use r3e_proto::channel::merkle::Tree;
    use r3e_proto::channel::statement::Statement;

    use super::*;

    const CONFIGURATION: Digest = [7; 48];

    /// Evidence for `binding` in a batch of three, and the `user_data` of its document.
    fn evidence(binding: Digest) -> (Evidence, Vec<u8>) {
        let tree = Tree::new(&[[1; 48], binding, [3; 48]]).unwrap();
        let evidence = Evidence {
            document: vec![0xd2],
            index: 1,
            size: 3,
            path: tree.path(1).unwrap(),
            configuration: CONFIGURATION,
            hpke_public_key: vec![],
        };
        (evidence, Statement::Sessions { root: tree.root(), size: 3 }.encode())
    }

    fn claims<'a>(user_data: &'a [u8], pcr: &'a Digest) -> Claims<'a> {
        Claims { user_data, public_key: &[], configuration_pcr: Some(pcr) }
    }

    #[test]
    fn evidence_for_this_session_holds() {
        let (evidence, user_data) = evidence([2; 48]);
        let pcr = pcr_extended_once(&CONFIGURATION);
        check(&evidence, claims(&user_data, &pcr), &[2; 48]).unwrap();
    }

    #[test]
    fn evidence_for_another_session_does_not() {
        let (evidence, user_data) = evidence([2; 48]);
        let pcr = pcr_extended_once(&CONFIGURATION);
        let refused = check(&evidence, claims(&user_data, &pcr), &[9; 48]).unwrap_err();
        assert_eq!(refused.code(), "other_session");
        // Its neighbour in the batch is another session too.
        assert_eq!(check(&evidence, claims(&user_data, &pcr), &[1; 48]).unwrap_err().code(), "other_session");
        for statement in [Statement::ReportKey { public_key: [2; 32] }.encode(), vec![], vec![2; 48]] {
            let refused = check(&evidence, claims(&statement, &pcr), &[2; 48]).unwrap_err();
            assert_eq!(refused.code(), "other_session");
        }
    }

    #[test]
    fn a_configuration_that_was_not_measured_does_not_hold() {
        let (evidence, user_data) = evidence([2; 48]);
        let other = pcr_extended_once(&[8; 48]);
        for pcr in [Some(&other), Some(&CONFIGURATION), Some(&[0; 48]), None] {
            let claims = Claims { user_data: &user_data, public_key: &[], configuration_pcr: pcr };
            assert_eq!(check(&evidence, claims, &[2; 48]).unwrap_err().code(), "configuration_mismatch");
        }
    }

    #[test]
    fn an_hpke_key_that_is_not_the_documents_does_not_hold() {
        let (mut evidence, user_data) = evidence([2; 48]);
        let pcr = pcr_extended_once(&CONFIGURATION);
        let with_key = Claims { public_key: &[5; 32], ..claims(&user_data, &pcr) };
        assert_eq!(check(&evidence, with_key, &[2; 48]).unwrap_err().code(), "hpke_key_mismatch");
        evidence.hpke_public_key = vec![6; 32];
        assert_eq!(check(&evidence, with_key, &[2; 48]).unwrap_err().code(), "hpke_key_mismatch");
        let none = claims(&user_data, &pcr);
        assert_eq!(check(&evidence, none, &[2; 48]).unwrap_err().code(), "hpke_key_mismatch");
        evidence.hpke_public_key = vec![5; 32];
        check(&evidence, with_key, &[2; 48]).unwrap();
    }

    #[tokio::test]
    async fn one_frame_is_read_and_nothing_beyond_it() {
        let (evidence, _) = evidence([2; 48]);
        let body = EvidenceReply::Evidence(evidence.clone()).encode();
        let mut bytes = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
        bytes.extend(&body);
        bytes.extend(b"HTTP");
        let mut stream = bytes.as_slice();
        assert_eq!(read(&mut stream).await.unwrap(), evidence);
        assert_eq!(stream, b"HTTP");
        for cut in 0..bytes.len() - 4 {
            assert_eq!(read(&mut &bytes[..cut]).await.unwrap_err().code(), "no_evidence", "cut at {cut}");
        }
    }

    #[tokio::test]
    async fn impossible_frames_are_refused() {
        for (bytes, code) in [
            (vec![0, 0, 0, 0], "evidence_malformed"),
            (vec![0xff; 4], "evidence_malformed"),
            (vec![0, 2, 0, 1], "evidence_malformed"),
            (vec![0, 0, 0, 1, 0xff], "evidence_malformed"),
            (vec![0, 0, 0, 2, 0xa0], "no_evidence"),
        ] {
            assert_eq!(read(&mut bytes.as_slice()).await.unwrap_err().code(), code, "{bytes:?}");
        }
        let body = EvidenceReply::Unavailable("the queue is full".into()).encode();
        let mut bytes = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
        bytes.extend(&body);
        let refused = read(&mut bytes.as_slice()).await.unwrap_err();
        assert!(matches!(refused, ClientError::EvidenceUnavailable { why } if why == "the queue is full"));
    }
}
