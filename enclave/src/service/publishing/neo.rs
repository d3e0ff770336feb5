//! By transactions of a wallet on Neo N3. There are no nonces: what was signed is written down before any node is given it, and nothing else is signed until it is
//! in a block, or none can have it any more. Whether a report is there, its contract says.

use r3e_chain::neo::Item;
use r3e_neo::{Hash160, Hash256};
use r3e_proto::api::feeds::{Publication, SignedReport};
use r3e_proto::api::wallets::{
    HexBytes, KeyType, NeoAccount, NeoArgument, NeoScope, NeoTransaction, Payload, Wallet, Wei, keccak256,
};
use r3e_proto::report::{NeoTarget, Report};
use r3e_store::{Namespace, StoreError};
use r3e_transactions::limits::NEO_PATIENCE;
use r3e_transactions::{Asker, By, NeoChain as _, NeoNodes, NotPriced, price, refused_by};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::{Fate, Inner, Key};
use crate::limits::{NEO_BLOCKS_TO_LIVE, NEO_LOOKS_BETWEEN_SENDS, PUBLISH_LOOK};
use crate::service::ServiceError;
use crate::service::chains::{HttpsNodes, in_words};
use crate::service::json::{decode, encode};

/// The contract's methods.
const TRANSMIT: &str = "transmit";
const LATEST: &str = "latestRoundData";

/// What was signed, and may be in a block or come to one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Underway {
    /// The report's.
    sequence: u64,
    hash: Hash256,
    /// The last block that may have it.
    valid_until_block: u32,
    transaction: HexBytes,
}

/// What the contract says of the last report that it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Latest {
    sequence: u64,
    observed_at_s: u64,
}

/// Why there is nothing to give to nodes.
enum NotMade {
    Fate(Fate),
    Error(ServiceError),
}

impl Inner {
    /// One report, until the contract has it or a newer one, or what was signed for it is in no block and cannot come to one.
    pub(super) async fn bring_to_neo(
        &self,
        key: &Key,
        one: &Publication,
        target: NeoTarget,
        signed: &SignedReport,
    ) -> Result<Fate, ServiceError> {
        let Some(network) = self.neo.networks.network(target.magic) else {
            let why = format!("this appliance has no nodes of neo-n3:{}", target.magic);
            return Ok(Fate::Lost(why));
        };
        let (contract, sequence) = (Hash160(target.contract), signed.report.sequence);
        let mut underway = self.underway(key).await?;
        let (mut looks, mut has_halted) = (0_u32, false);
        loop {
            let turn = match network.turn().await {
                Ok(turn) => turn,
                Err(why) => return Ok(Fate::Lost(why)),
            };
            // One block more: enough nodes have the one in which it could have been.
            let end = underway.as_ref().map_or(u32::MAX, |it| it.valid_until_block.saturating_add(1));
            let found = match turn.calls.ask(contract, LATEST, end.into()).await {
                Ok(found) => found,
                Err(error) if underway.is_none() => return Ok(Fate::Lost(in_words(&error))),
                Err(error) => {
                    drop(turn);
                    self.is_in_trouble(key, in_words(&error));
                    sleep(PUBLISH_LOOK).await;
                    continue;
                }
            };
            let latest = match found.value.as_ref().map(Latest::of) {
                Some(None) => {
                    return Ok(Fate::Lost(format!("{LATEST} of the contract is not what a feed's gives")));
                }
                latest => latest.flatten(),
            };
            if latest.is_some_and(|latest| latest.is_at(&signed.report)) {
                self.note(key, |it| (it.sequence, it.trouble) = (sequence, None));
                // Whoever has a report may bring it: what was signed here may be on its way all the same.
                if let Some(sent) = underway
                    && (found.is_beyond || matches!(turn.calls.has_halted(sent.hash).await, Ok(Some(_))))
                {
                    self.forget(key).await;
                }
                return Ok(Fate::Done);
            }
            let Some(sent) = underway.take() else {
                (looks, has_halted) = (0, false);
                drop(turn);
                match self.make(key, one, (network, target), signed).await {
                    Ok(made) => underway = Some(made),
                    Err(NotMade::Fate(fate)) => return Ok(fate),
                    Err(NotMade::Error(error)) => return Err(error),
                }
                continue;
            };
            self.note(key, |it| it.transaction = Some(sent.hash.to_string()));
            let is_of_this = sent.sequence == sequence;
            if has_halted && is_of_this {
                // Of two times that enough nodes were asked, some were asked both times.
                self.forget(key).await;
                return Ok(Fate::Reverted(format!("its contract took it, and {LATEST} does not show it")));
            }
            let is_asked = found.is_beyond || looks % NEO_LOOKS_BETWEEN_SENDS == 1;
            let ran = if is_asked { turn.calls.has_halted(sent.hash).await } else { Ok(None) };
            let end = match ran {
                Ok(Some(false)) => Some(Fate::Reverted("its contract refused it".to_owned())),
                Ok(None) if found.is_beyond => Some(Fate::Lost("no block had it in its time".to_owned())),
                // It may have been paid for: that is not done again on the word of none.
                Err(_) if found.is_beyond => {
                    Some(Fate::Reverted("not enough nodes say what became of it".to_owned()))
                }
                // It ended well, or may still come to a block.
                _ => None,
            };
            has_halted = matches!(ran, Ok(Some(true)));
            match end {
                Some(fate) => {
                    self.forget(key).await;
                    if is_of_this {
                        return Ok(fate);
                    }
                    continue;
                }
                // It was an older report, and is over.
                None if has_halted && !is_of_this => {
                    self.forget(key).await;
                    continue;
                }
                None => {}
            }
            if !has_halted && looks % NEO_LOOKS_BETWEEN_SENDS == 0 {
                let trouble = refused_by(&turn.calls.send(&sent.transaction.0, sleep(NEO_PATIENCE)).await);
                self.note(key, |it| it.trouble = trouble);
            }
            underway = Some(sent);
            looks = looks.wrapping_add(1);
            drop(turn);
            sleep(PUBLISH_LOOK).await;
        }
    }

    /// Forgets what was on its way. Where that cannot be written, it is found again, and found to be over.
    async fn forget(&self, key: &Key) {
        let forgotten = async { self.neo.store.delete(&space(key)?, &key.short()).await };
        if let Err(error) = forgotten.await {
            tracing::debug!(%error, "a report's transaction is not forgotten yet");
        }
    }

    async fn underway(&self, key: &Key) -> Result<Option<Underway>, ServiceError> {
        let record = self.neo.store.get(&space(key)?, &key.short()).await?;
        record.map(|record| decode(record.value.as_bytes())).transpose()
    }

    /// A signed transaction that brings the report, written down.
    async fn make(
        &self,
        key: &Key,
        one: &Publication,
        (network, target): (&NeoNodes<HttpsNodes>, NeoTarget),
        signed: &SignedReport,
    ) -> Result<Underway, NotMade> {
        let left = self.left(signed).ok_or(NotMade::Fate(Fate::Stale))?;
        let (account, public_key) = account(&self.neo.wallets.show(key.tenant, &one.wallet).await?.wallet)?;
        let pace = network.pace().await.map_err(lost)?;
        // None that comes when the report is over: it would be paid for, and refused.
        let blocks = u64::try_from(left.as_millis() / pace.block_time.as_millis().max(1)).unwrap_or(u64::MAX);
        let blocks = blocks.clamp(1, NEO_BLOCKS_TO_LIVE);
        let mut transaction = NeoTransaction {
            magic: target.magic,
            nonce: nonce(key, signed.report.sequence),
            sender: account,
            contract: Hash160(target.contract),
            method: TRANSMIT.to_owned(),
            arguments: arguments(key, signed)?,
            // Whoever has a report may bring it: the account pays, and says nothing.
            scope: NeoScope::None,
            system_fee: Wei(0),
            network_fee: Wei(0),
            valid_until_block: u32::try_from(pace.height.saturating_add(blocks)).unwrap_or(u32::MAX),
        };
        price(network, &mut transaction, &public_key, one.fee_limit).await?;
        let by = By { wallet: &one.wallet, asker: &Asker::Tenant };
        let valid_until_block = transaction.valid_until_block;
        let payload = Payload::NeoTransaction(transaction);
        let made = self.neo.signer.transaction(key.tenant, by, account.to_string(), payload).await;
        let (hash, bytes) =
            made.map_err(|no| lost(format!("the wallet does not sign: {} ({})", no.message, no.code)))?;
        let mut hash = Hash256(hash.0);
        // Nodes show it the other way round.
        hash.0.reverse();
        let underway =
            Underway { sequence: signed.report.sequence, hash, valid_until_block, transaction: bytes };
        self.neo.store.put(&space(key)?, &key.short(), encode(&underway)?).await?;
        Ok(underway)
    }
}

impl Latest {
    /// What `latestRoundData` gives: the sequence, the answer, when it was observed, and more.
    fn of(item: &Item) -> Option<Self> {
        let (Item::Array(parts) | Item::Struct(parts)) = item else { return None };
        let number = |at: usize| match parts.get(at) {
            Some(Item::Integer(number)) => number.to_i128().and_then(|number| u64::try_from(number).ok()),
            _ => None,
        };
        Some(Self { sequence: number(0)?, observed_at_s: number(2)? })
    }

    /// Whether the contract has this report, or one that was observed later: it takes no older ones.
    fn is_at(self, report: &Report) -> bool {
        let is_it = (self.sequence, self.observed_at_s) == (report.sequence, report.observed_at_s);
        is_it || self.observed_at_s > report.observed_at_s
    }
}

/// The same for the same report: where what was signed could not be written down, the same is signed again if the chain has not moved.
fn nonce(key: &Key, sequence: u64) -> u32 {
    let tenant = key.tenant.to_string();
    let [a, b, c, d, ..] =
        keccak256(&[tenant.as_bytes(), b"\0", key.short().as_bytes(), &sequence.to_be_bytes()]);
    u32::from_be_bytes([a, b, c, d])
}

fn arguments(key: &Key, signed: &SignedReport) -> Result<Vec<NeoArgument>, NotMade> {
    let signature = signed.signatures.iter().find(|signature| signature.target == key.target);
    let internal = || ServiceError::Internal("a report is not signed for its contract".to_owned());
    let signature = signature.ok_or_else(internal)?.signature.clone();
    Ok(vec![NeoArgument::Bytes(HexBytes(signed.report.encode().to_vec())), NeoArgument::Bytes(signature)])
}

/// Who pays.
fn account(wallet: &Wallet) -> Result<(NeoAccount, [u8; 33]), NotMade> {
    let none = || lost(format!("the wallet {:?} has no account on Neo N3", wallet.name));
    if wallet.key_type != KeyType::Secp256r1 {
        return Err(none());
    }
    let public_key = wallet.public_key.0.as_slice().try_into().map_err(|_| none())?;
    Ok((wallet.address.parse().map_err(|_| none())?, public_key))
}

fn space(key: &Key) -> Result<Namespace, StoreError> {
    Namespace::of_tenant("neo-publications", &key.tenant.to_string())
}

fn lost(why: String) -> NotMade {
    NotMade::Fate(Fate::Lost(why))
}

impl From<ServiceError> for NotMade {
    fn from(error: ServiceError) -> Self {
        Self::Error(error)
    }
}

impl From<StoreError> for NotMade {
    fn from(error: StoreError) -> Self {
        Self::Error(error.into())
    }
}

impl From<NotPriced> for NotMade {
    fn from(error: NotPriced) -> Self {
        let (NotPriced::Refused(why) | NotPriced::Dear(why) | NotPriced::HeldUp(why)) = error;
        lost(why)
    }
}
