//! What a quorum's member does: it learns who unlocks the appliance, and verifies the setup before it signs for it.
//!
//! Each type is made by the step before it alone: an [`Unlocking`] was held against PCR17 of this session's document; a
//! [`VerifiedSetup`] was made by an enclave that the policy accepts, or is the one that the member verified before, and is
//! for the very members that are measured now; an [`OpenedShare`] is the member's, and the one that the setup names. Only with it does anything leave.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;
use r3e_attestation::AttestationResult;
use r3e_proto::api::unlock::{Approval, Init, Unlock, UnlockState};
use r3e_proto::api::wallets::SecretText;
use r3e_proto::channel::UNLOCK_PCR;
use r3e_proto::channel::binding::{Digest, configuration_digest, pcr_extended_once};
use r3e_proto::channel::statement::Statement;
use r3e_proto::unlock::SHARE_BYTES;
use r3e_proto::unlock::message::{approve_message, init_message, share_digest};
use r3e_proto::unlock::policy::QuorumPolicy;
use r3e_proto::unlock::setup::{AttestedSetup, Setup, setup_digest};
use zeroize::Zeroizing;

use crate::channel::AttestedChannel;
use crate::error::{ClientError, SetupProblem};
use crate::http::{Body, answer, json};
use crate::member_key::MemberKey;
use crate::policy::Policy;

/// Room for an approval's JSON, so that it is written without leaving copies of the share.
const APPROVAL_CAPACITY: usize = 1024;

/// How a quorum's unlocking stands, by an appliance whose PCR17 measures this quorum.
#[derive(Debug, Clone)]
pub struct Unlocking {
    answer: Unlock,
    policy: QuorumPolicy,
    setup: Option<VerifiedSetup>,
}

/// A setup of the measured members. Its document was appraised, as of when it was made: an accepted image made it. Or it
/// is, byte for byte, the one that the caller remembers from when that was seen: the image may have been withdrawn since.
#[derive(Debug, Clone)]
pub struct VerifiedSetup {
    setup: Setup,
    digest: Digest,
    attestation: Option<AttestationResult>,
}

/// A member's own share of a verified setup. Wiped when dropped.
pub struct OpenedShare<'a> {
    setup: &'a VerifiedSetup,
    key: &'a MemberKey,
    index: u8,
    member: String,
    share: Zeroizing<[u8; SHARE_BYTES]>,
}

impl Unlocking {
    /// How far it is.
    pub fn state(&self) -> UnlockState {
        self.answer.state
    }

    /// The appliance's words on it.
    pub fn detail(&self) -> &str {
        &self.answer.detail
    }

    /// The measured quorum.
    pub fn policy(&self) -> &QuorumPolicy {
        &self.policy
    }

    /// The members that have approved, by name, as the appliance says it.
    pub fn approved(&self) -> &[String] {
        &self.answer.approved
    }

    /// The setup that stands, if any does.
    pub fn setup(&self) -> Option<&VerifiedSetup> {
        self.setup.as_ref()
    }

    /// The name of the member whose key this is.
    ///
    /// # Errors
    /// [`ClientError::NotAMember`].
    pub fn member(&self, key: &MemberKey) -> Result<&str, ClientError> {
        let keys = (key.signing_key().0, key.encryption_key());
        let mut members = self.policy.members().iter();
        let found = members.find(|member| (member.signing_key, member.encryption_key) == keys);
        found.map(|member| member.name.as_str()).ok_or(ClientError::NotAMember)
    }
}

impl VerifiedSetup {
    /// What it says.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Its digest: what members sign for, and what they remember it by.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What the appraisal of its document found. None for a remembered setup whose document no list accepts now.
    pub fn attestation(&self) -> Option<&AttestationResult> {
        self.attestation.as_ref()
    }

    /// Opens the member's share.
    ///
    /// # Errors
    /// [`ClientError::NotAMember`]; [`ClientError::Setup`] where the share does not open, or is another than the setup names.
    pub fn open<'a>(&'a self, key: &'a MemberKey) -> Result<OpenedShare<'a>, ClientError> {
        let (index, member) = key.place(&self.setup).ok_or(ClientError::NotAMember)?;
        let share = key.open(&self.setup).ok_or(ClientError::Setup(SetupProblem::Share))?;
        Ok(OpenedShare { setup: self, key, index, member, share })
    }

    fn verify(
        attested: &[u8],
        measured: &QuorumPolicy,
        policy: &Policy,
        session: &AttestationResult,
        remembered: Option<&Digest>,
    ) -> Result<Self, SetupProblem> {
        let attested = AttestedSetup::decode(attested).map_err(SetupProblem::Malformed)?;
        let digest = setup_digest(&attested.setup);
        let appraised = appraise(&attested.document, &digest, policy, session);
        let attestation = match appraised {
            // What the document shows was seen when the setup was new, and the digest says that it is the same one.
            Err(_) if remembered == Some(&digest) => None,
            appraised => Some(appraised?),
        };
        let setup = Setup::decode(&attested.setup).map_err(SetupProblem::Malformed)?;
        if setup.policy != *measured {
            return Err(SetupProblem::OtherQuorum);
        }
        Ok(Self { setup, digest, attestation })
    }
}

/// Appraises a setup's document: it must be of an accepted image under this session's unlock policy, and name the setup.
fn appraise(
    document: &[u8],
    digest: &Digest,
    policy: &Policy,
    session: &AttestationResult,
) -> Result<AttestationResult, SetupProblem> {
    let attestation = policy.appraise_setup(document).map_err(SetupProblem::Appraisal)?;
    let says = Statement::decode(attestation.user_data().unwrap_or_default());
    if says != Ok(Statement::UnlockSetup { setup: *digest }) {
        return Err(SetupProblem::OtherStatement);
    }
    if attestation.pcr(UNLOCK_PCR) != session.pcr(UNLOCK_PCR) {
        return Err(SetupProblem::OtherQuorum);
    }
    Ok(attestation)
}

impl AttestedChannel {
    /// Asks how the unlocking stands, and verifies the setup, if there is one. `remembered` is the digest of the one that
    /// the caller verified at this appliance before: that one needs no accepted release any more, any other does.
    ///
    /// # Errors
    /// [`ClientError::NotAQuorum`] where another provider unlocks it; [`ClientError::UnlockPolicy`] where the policy is not
    /// the measured one; [`ClientError::Setup`] where the setup was not made by such an enclave; any other [`ClientError`].
    pub async fn unlocking(&mut self, remembered: Option<&Digest>) -> Result<Unlocking, ClientError> {
        let name = "the unlocking";
        let body = self.send(name, Method::GET, "/v1/unlock", None, Body::Empty).await?;
        self.read_unlocking(name, json(name, &body)?, remembered)
    }

    /// Has the appliance make a root secret, split for its quorum, at the word of one of its members. The setup in the
    /// answer was verified, and the member's share in it opens.
    ///
    /// # Errors
    /// As [`Self::unlocking`] and [`VerifiedSetup::open`]; [`ClientError::Api`] where the appliance refuses.
    pub async fn init_quorum(
        &mut self,
        unlocking: &Unlocking,
        key: &MemberKey,
    ) -> Result<Unlocking, ClientError> {
        let name = "the making of a root secret";
        let member = unlocking.member(key)?.to_owned();
        let message = init_message(self.binding(), &unlocking.policy.digest());
        let request = Init { member, signature: hex::encode(key.sign(&message)) };
        let made = self.post(name, "/v1/unlock/init", &request).await?;
        let made = self.read_unlocking(name, made, None)?;
        made.setup().ok_or_else(|| answer(name, "it has no setup"))?.open(key)?;
        Ok(made)
    }

    /// Approves the unlocking with a share, over this session alone.
    ///
    /// # Errors
    /// [`ClientError::Api`] where the appliance refuses; any other [`ClientError`].
    pub async fn approve(&mut self, opened: &OpenedShare<'_>) -> Result<Unlocking, ClientError> {
        let name = "the approval";
        let OpenedShare { setup, key, index, member, share } = opened;
        let digest = share_digest(&setup.setup.id, *index, share);
        let message = approve_message(self.binding(), &setup.digest, &digest);
        let approval = Approval {
            member: member.clone(),
            policy: hex::encode(setup.setup.policy.digest()),
            setup: hex::encode(setup.setup.id),
            share: SecretText::new(Zeroizing::new(hex::encode(share.as_slice()))),
            signature: hex::encode(key.sign(&message)),
        };
        let mut text = Zeroizing::new(Vec::with_capacity(APPROVAL_CAPACITY));
        let written = serde_json::to_writer(&mut *text, &approval);
        written.map_err(|error| answer(name, &error))?;
        // Cleared once it was sent; what TLS buffered of it is not.
        let body = Body::Json(Bytes::from_owner(text));
        let body = self.send(name, Method::POST, "/v1/unlock/shares", None, body).await?;
        self.read_unlocking(name, json(name, &body)?, Some(&setup.digest))
    }

    fn read_unlocking(
        &self,
        name: &'static str,
        unlock: Unlock,
        remembered: Option<&Digest>,
    ) -> Result<Unlocking, ClientError> {
        let bytes = hex::decode(&unlock.policy).map_err(|error| answer(name, &error))?;
        let measured = pcr_extended_once(&configuration_digest(&bytes));
        if self.attestation().pcr(UNLOCK_PCR) != Some(&measured) {
            return Err(ClientError::UnlockPolicy);
        }
        let policy = QuorumPolicy::decode(&bytes)
            .map_err(|_| ClientError::NotAQuorum { provider: unlock.provider.clone() })?;
        let verify = |text: &String| {
            let attested = STANDARD.decode(text).map_err(|error| answer(name, &error))?;
            VerifiedSetup::verify(&attested, &policy, &self.shared.policy, self.attestation(), remembered)
                .map_err(ClientError::Setup)
        };
        let setup = unlock.setup.as_ref().map(verify).transpose()?;
        Ok(Unlocking { answer: unlock, policy, setup })
    }
}
