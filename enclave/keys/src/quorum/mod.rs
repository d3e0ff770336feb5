//! The `quorum` unlock provider: the root secret is made inside, split among members, and comes back when enough of them
//! have verified the enclave and sent their shares.
//!
//! ```text
//! first boot   slot empty   --init, signed by a member--> root drawn, split, sealed; setup attested and kept --> released
//! later boots  setup stands --approve, by k members-----> shares checked, combined, held against the commitment --> released
//! handoff      anything     --a root comes in use-------> that root split, sealed; setup attested and kept
//! ```
//!
//! The parent carries all of it and can forge none of it. A setup that it made itself releases nothing: each approval is
//! signed by a member's measured key, over this session, this setup and this share; and members sign for setups alone that an
//! enclave attested. This module verifies no document: that is the members' part.
//!
//! It knows nothing of HTTP, of sessions but their binding, or of who may connect.

mod adopt;
mod error;
mod seal;
mod split;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use r3e_proto::channel::binding::Digest;
use r3e_proto::channel::statement::Statement;
use r3e_proto::unlock::message::{approve_message, init_message, share_digest};
use r3e_proto::unlock::policy::{Member, QuorumPolicy};
use r3e_proto::unlock::setup::{AttestedSetup, Setup};
use r3e_proto::unlock::{SETUP_ID_BYTES, SHARE_BYTES};
use tokio::sync::Notify;
use zeroize::Zeroizing;

pub use error::{QuorumError, SetupProblem};

use self::split::Share;
use crate::RootSecret;
use crate::error::KeyError;
use crate::unlock::{
    AdoptFuture, Clock, Documents, Entropy, Slot, SlotWritten, UnlockFuture, UnlockProvider,
};

/// The provider's name.
const NAME: &str = "quorum";

/// A quorum at one boot of the enclave.
pub struct Quorum {
    policy: QuorumPolicy,
    slot: Arc<dyn Slot>,
    documents: Arc<dyn Documents>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Held while a setup is made or the slot is read: two makings at once would race for the slot.
    making: tokio::sync::Mutex<()>,
    released: Notify,
}

/// A member's request to have a root secret made.
#[derive(Debug, Clone, Copy)]
pub struct Init<'a> {
    /// Its name.
    pub member: &'a str,
    /// Ed25519 over `init_message`.
    pub signature: &'a [u8; 64],
}

/// A member's approval.
pub struct Approve<'a> {
    /// Its name.
    pub member: &'a str,
    /// SHA-384 of the policy bytes that the share is for.
    pub policy: &'a Digest,
    /// The id of the setup that the share is from.
    pub setup: &'a [u8; SETUP_ID_BYTES],
    /// The share.
    pub share: Zeroizing<[u8; SHARE_BYTES]>,
    /// Ed25519 over `approve_message`.
    pub signature: &'a [u8; 64],
}

/// How far the unlocking is, for whoever asks: nothing in it is secret.
#[derive(Debug, Clone)]
pub struct View {
    /// The stage.
    pub stage: Stage,
    /// What the parent keeps, an `AttestedSetup`, where it is this quorum's.
    pub setup: Option<Vec<u8>>,
    /// The members that have approved, by name, in their order.
    pub approved: Vec<String>,
}

/// The stages of an unlocking.
#[derive(Debug, Clone)]
pub enum Stage {
    /// The slot is being read.
    Reading,
    /// There is no setup.
    NoSetup,
    /// What the parent keeps is no setup of this quorum's.
    Unusable(SetupProblem),
    /// Members must approve.
    Waiting,
    /// The root secret was released.
    Released,
}

struct State {
    held: Held,
    /// Released, and not yet taken.
    root: Option<RootSecret>,
}

enum Held {
    Reading,
    NoSetup,
    Unusable(SetupProblem),
    Waiting(Standing),
    /// Without a slot where the root came by handoff, and no setup of it stands yet.
    Released {
        slot: Option<Vec<u8>>,
        approved: Vec<String>,
    },
}

/// A setup that stands, and the shares that have come for it.
struct Standing {
    slot: Vec<u8>,
    setup: Setup,
    digest: Digest,
    shares: BTreeMap<u8, Share>,
}

impl Quorum {
    /// A quorum that has heard from nobody.
    pub fn new(
        policy: QuorumPolicy,
        slot: Arc<dyn Slot>,
        documents: Arc<dyn Documents>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            policy,
            slot,
            documents,
            clock,
            state: Mutex::new(State { held: Held::Reading, root: None }),
            making: tokio::sync::Mutex::new(()),
            released: Notify::new(),
        }
    }

    /// Its policy.
    pub fn policy(&self) -> &QuorumPolicy {
        &self.policy
    }

    /// Reads what the parent keeps, unless it was read already.
    ///
    /// # Errors
    /// [`KeyError::Locked`]: the parent did not answer.
    pub async fn load(&self) -> Result<(), KeyError> {
        let _making = self.making.lock().await;
        if !matches!(self.state().held, Held::Reading) {
            return Ok(());
        }
        let read = self.slot.read().await.map_err(|source| KeyError::Locked { provider: NAME, source })?;
        let held = self.held(read);
        self.state().held = held;
        Ok(())
    }

    /// How far it is.
    pub fn view(&self) -> View {
        let now = self.state();
        let (stage, setup, approved) = match &now.held {
            Held::Reading => (Stage::Reading, None, Vec::new()),
            Held::NoSetup => (Stage::NoSetup, None, Vec::new()),
            Held::Unusable(problem) => (Stage::Unusable(problem.clone()), None, Vec::new()),
            Held::Waiting(standing) => {
                (Stage::Waiting, Some(standing.slot.clone()), self.names(&standing.shares))
            }
            Held::Released { slot, approved } => (Stage::Released, slot.clone(), approved.clone()),
        };
        View { stage, setup, approved }
    }

    /// Whether [`Self::init`] would begin: there is no setup, and a member asks on the session of `binding`. For a caller
    /// that draws entropy for those alone who may use it.
    ///
    /// # Errors
    /// [`QuorumError`]: why it would not.
    pub fn may_init(&self, request: Init<'_>, binding: &Digest) -> Result<(), QuorumError> {
        match self.state().held {
            Held::Reading => return Err(QuorumError::Reading),
            Held::Waiting(_) | Held::Unusable(_) => return Err(QuorumError::SetupStands),
            Held::Released { .. } => return Err(QuorumError::Unlocked),
            Held::NoSetup => {}
        }
        let (_, member) = self.member(request.member)?;
        verify(member, &init_message(binding, &self.policy.digest()), request.signature)
    }

    /// Makes a root secret and its setup at a member's request on the session of `binding`, has the parent keep the
    /// setup, and releases the root. `entropy` gives the root, the setup's id and every coefficient.
    ///
    /// # Errors
    /// [`QuorumError`]. Nothing is released, and unless the parent failed to answer, nothing is kept.
    pub async fn init(
        &self,
        request: Init<'_>,
        binding: &Digest,
        entropy: &dyn Entropy,
    ) -> Result<View, QuorumError> {
        let _making = self.making.lock().await;
        self.may_init(request, binding)?;
        let root = RootSecret::fill_with(|bytes| entropy.fill(bytes)).map_err(KeyError::Entropy)?;
        if root.is_constant() {
            return Err(KeyError::DeadEntropy.into());
        }
        let slot = self.make(&root, entropy).await?.encode();
        self.keep(&slot).await?;
        let mut state = self.state();
        state.held = Held::Released { slot: Some(slot), approved: Vec::new() };
        state.root = Some(root);
        drop(state);
        self.released.notify_one();
        Ok(self.view())
    }

    /// Takes a member's approval on the session of `binding`; with the last one that is needed, releases the root.
    ///
    /// # Errors
    /// [`QuorumError`]: which rule it breaks. What other members approved stands, but after [`QuorumError::OtherRoot`].
    pub fn approve(&self, approval: Approve<'_>, binding: &Digest) -> Result<View, QuorumError> {
        let mut state = self.state();
        let standing = match &mut state.held {
            Held::Reading => return Err(QuorumError::Reading),
            Held::NoSetup => return Err(QuorumError::NoSetup),
            Held::Unusable(problem) => return Err(problem.clone().into()),
            Held::Released { .. } => return Err(QuorumError::Unlocked),
            Held::Waiting(standing) => standing,
        };
        let (index, share) = self.check(standing, approval, binding)?;
        standing.shares.insert(index, share);
        if standing.shares.len() < usize::from(self.policy.threshold()) {
            drop(state);
            return Ok(self.view());
        }
        let root = split::combine(&standing.shares)?;
        if verify_slices_are_equal(&root.commitment()?, &standing.setup.commitment).is_err() {
            standing.shares.clear();
            return Err(QuorumError::OtherRoot);
        }
        let (slot, approved) = (std::mem::take(&mut standing.slot), self.names(&standing.shares));
        // The shares are wiped with what held them.
        state.held = Held::Released { slot: Some(slot), approved };
        state.root = Some(root);
        drop(state);
        self.released.notify_one();
        Ok(self.view())
    }

    /// The approval's index and share, if it keeps every rule.
    fn check(
        &self,
        standing: &Standing,
        approval: Approve<'_>,
        binding: &Digest,
    ) -> Result<(u8, Share), QuorumError> {
        if *approval.policy != self.policy.digest() {
            return Err(QuorumError::Foreign(
                "the share is for another quorum than this appliance's: another appliance's, or one of other members",
            ));
        }
        if *approval.setup != standing.setup.id {
            return Err(QuorumError::Stale);
        }
        let (index, member) = self.member(approval.member)?;
        let name = || member.name.clone();
        let digest = share_digest(&standing.setup.id, index, &approval.share);
        verify(member, &approve_message(binding, &standing.digest, &digest), approval.signature)?;
        if standing.shares.contains_key(&index) {
            return Err(QuorumError::Duplicate { member: name() });
        }
        match standing.setup.share(index) {
            Some(sealed) if verify_slices_are_equal(&digest, &sealed.digest).is_ok() => {
                Ok((index, approval.share))
            }
            _ => Err(QuorumError::WrongShare { member: name() }),
        }
    }

    async fn make(&self, root: &RootSecret, entropy: &dyn Entropy) -> Result<AttestedSetup, QuorumError> {
        let mut id = [0; SETUP_ID_BYTES];
        entropy.fill(&mut id).map_err(KeyError::Entropy)?;
        let commitment = root.commitment()?;
        // At most 16: the policy has no more.
        let members = u8::try_from(self.policy.members().len()).unwrap_or(u8::MAX);
        let shares = split::split(root, self.policy.threshold(), members, entropy)?;
        let sealed = self.policy.indexed().zip(&shares);
        let sealed =
            sealed.map(|((index, member), share)| seal::seal(&id, &commitment, index, member, share));
        let setup = Setup {
            id,
            policy: self.policy.clone(),
            commitment,
            made_at_ms: self.clock.unix_ms(),
            shares: sealed.collect::<Result<_, _>>()?,
        };
        let statement = Statement::UnlockSetup { setup: setup.digest() }.encode();
        let document = self.documents.attest(None, &statement).await.map_err(QuorumError::Documents)?;
        Ok(AttestedSetup { setup: setup.encode(), document })
    }

    /// Has the parent keep a new setup, where nothing stands.
    async fn keep(&self, slot: &[u8]) -> Result<(), QuorumError> {
        let reason = match self.slot.write(None, slot).await {
            Ok(SlotWritten::Written) => return Ok(()),
            Ok(SlotWritten::Conflict) => None,
            Err(reason) => Some(reason),
        };
        // Something stands there, or nobody knows: what is read now settles it.
        let stands = self.slot.read().await.map_err(QuorumError::Slot)?;
        match (stands, reason) {
            (Some(stands), _) if stands == slot => Ok(()),
            (None, Some(reason)) => Err(QuorumError::Slot(reason)),
            (stands, _) => {
                let held = self.held(stands);
                self.state().held = held;
                Err(QuorumError::SetupStands)
            }
        }
    }

    fn held(&self, slot: Option<Vec<u8>>) -> Held {
        let Some(slot) = slot else { return Held::NoSetup };
        let read = AttestedSetup::decode(&slot).and_then(|attested| Setup::decode(&attested.setup));
        match read {
            Ok(setup) if setup.policy == self.policy => {
                let digest = setup.digest();
                Held::Waiting(Standing { slot, setup, digest, shares: BTreeMap::new() })
            }
            Ok(_) => Held::Unusable(SetupProblem::OtherPolicy),
            Err(error) => Held::Unusable(SetupProblem::Malformed(error)),
        }
    }

    fn member(&self, name: &str) -> Result<(u8, &Member), QuorumError> {
        let unknown = "nobody of this name is a member of the measured quorum";
        self.policy.member(name).ok_or(QuorumError::Foreign(unknown))
    }

    fn names(&self, shares: &BTreeMap<u8, Share>) -> Vec<String> {
        let approved = self.policy.indexed().filter(|(index, _)| shares.contains_key(index));
        approved.map(|(_, member)| member.name.clone()).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnlockProvider for Quorum {
    fn name(&self) -> &'static str {
        NAME
    }

    fn policy_bytes(&self) -> Vec<u8> {
        self.policy.encode()
    }

    /// Waits until a member has had a root made ([`Quorum::init`]) or enough have approved ([`Quorum::approve`]).
    /// Takes no entropy: a new root is made of what `init` is given.
    fn unlock<'a>(&'a self, _: &'a dyn Entropy) -> UnlockFuture<'a> {
        Box::pin(async move {
            self.load().await?;
            loop {
                if let Some(root) = self.state().root.take() {
                    return Ok(root);
                }
                self.released.notified().await;
            }
        })
    }

    fn adopt<'a>(&'a self, root: &'a RootSecret, entropy: &'a dyn Entropy) -> AdoptFuture<'a> {
        Box::pin(async move {
            self.take_over(root, entropy).await.map_err(|error| match error {
                QuorumError::Key(error) => error,
                error => KeyError::NotAdopted { provider: NAME, source: error.into() },
            })
        })
    }
}

fn verify(member: &Member, message: &Digest, signature: &[u8; 64]) -> Result<(), QuorumError> {
    let key = UnparsedPublicKey::new(&ED25519, member.signing_key);
    key.verify(message, signature).map_err(|_| QuorumError::Signature)
}
