//! Block headers. A node says a header's fields and its hash; the hash is computed here from the fields, in the order in which forks
//! added them.

use r3e_proto::api::wallets::{EvmAddress, Hash32, HexBytes, keccak256};
use r3e_proto::wallet::rlp::List;
use serde_json::Value;

use super::bloom::Bloom;
use super::quantity::{Quantity, number, quantity};
use crate::follow::{BlockId, Link, Linked};
use crate::limits::MAX_EXTRA_DATA_BYTES;
use crate::rpc::fields::{member, parsed};
use crate::rpc::{Answer, AnswerError};

/// What is kept of a header whose hash holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its hash, computed here.
    pub hash: Hash32,
    /// Its parent's.
    pub parent: Hash32,
    /// Its height.
    pub number: u64,
    /// When it was made, in seconds since 1970, as its producer says.
    pub timestamp_s: u64,
    /// Of its logs.
    pub bloom: Bloom,
    /// What a unit of gas costs in it (EIP-1559); none before that fork.
    pub base_fee: Option<Quantity>,
}

/// What forks added, in their order. None may be there without those before it: the list in RLP has no gaps.
const OF_FORKS: [(&str, Kind); 6] = [
    // EIP-1559.
    ("baseFeePerGas", Kind::Quantity),
    // EIP-4895.
    ("withdrawalsRoot", Kind::Hash),
    // EIP-4844.
    ("blobGasUsed", Kind::Quantity),
    ("excessBlobGas", Kind::Quantity),
    // EIP-4788.
    ("parentBeaconBlockRoot", Kind::Hash),
    // EIP-7685.
    ("requestsHash", Kind::Hash),
];

#[derive(Clone, Copy)]
enum Kind {
    Quantity,
    Hash,
}

/// The header in a node's answer to `eth_getBlockByNumber`.
///
/// # Errors
/// [`AnswerError`]: it is none, or another than that of `height`, or its hash is not of its fields.
pub fn read_block(answer: &Value, height: u64) -> Result<Header, AnswerError> {
    if answer.is_null() {
        return Err(AnswerError::Missing { what: "block" });
    }
    let said: Hash32 = parsed(answer, "hash")?;
    let parent: Hash32 = parsed(answer, "parentHash")?;
    let bloom = bytes(answer, "logsBloom", 256)?;
    let bloom = Bloom(bloom.try_into().map_err(|_| AnswerError::Form { what: "logsBloom" })?);
    let number = number(answer, "number")?;
    let timestamp = quantity(answer, "timestamp")?;
    let timestamp_s = timestamp.to_u64().ok_or(AnswerError::Form { what: "timestamp" })?;

    let mut list = List::default();
    list.bytes(&parent.0)
        .bytes(&parsed::<Hash32>(answer, "sha3Uncles")?.0)
        .bytes(&parsed::<EvmAddress>(answer, "miner")?.0)
        .bytes(&parsed::<Hash32>(answer, "stateRoot")?.0)
        .bytes(&parsed::<Hash32>(answer, "transactionsRoot")?.0)
        .bytes(&parsed::<Hash32>(answer, "receiptsRoot")?.0)
        .bytes(&bloom.0);
    for name in ["difficulty", "number", "gasLimit", "gasUsed", "timestamp"] {
        list.bytes(quantity(answer, name)?.bytes());
    }
    list.bytes(&bytes(answer, "extraData", MAX_EXTRA_DATA_BYTES)?)
        .bytes(&parsed::<Hash32>(answer, "mixHash")?.0)
        .bytes(&exactly::<8>(answer, "nonce")?);
    of_forks(answer, &mut list)?;

    let hash = Hash32(keccak256(&[&list.finish(&[])]));
    if hash != said {
        return Err(AnswerError::Hash { what: "a block's header" });
    }
    if number != height {
        return Err(AnswerError::Other { what: "height" });
    }
    let base_fee = answer.get("baseFeePerGas").filter(|fee| !fee.is_null());
    let base_fee = base_fee.map(|_| quantity(answer, "baseFeePerGas")).transpose()?;
    Ok(Header { hash, parent, number, timestamp_s, bloom, base_fee })
}

fn of_forks(answer: &Value, list: &mut List) -> Result<(), AnswerError> {
    let mut ended = false;
    for (name, kind) in OF_FORKS {
        match answer.get(name) {
            None | Some(Value::Null) => ended = true,
            Some(_) if ended => return Err(AnswerError::Form { what: name }),
            Some(_) => {
                match kind {
                    Kind::Quantity => list.bytes(quantity(answer, name)?.bytes()),
                    Kind::Hash => list.bytes(&parsed::<Hash32>(answer, name)?.0),
                };
            }
        }
    }
    Ok(())
}

fn bytes(value: &Value, name: &'static str, max: usize) -> Result<Vec<u8>, AnswerError> {
    let bytes = parsed::<HexBytes>(value, name)?.0;
    if bytes.len() > max { Err(AnswerError::TooMany { what: name, max }) } else { Ok(bytes) }
}

fn exactly<const N: usize>(value: &Value, name: &'static str) -> Result<[u8; N], AnswerError> {
    member(value, name)?;
    bytes(value, name, N)?.try_into().map_err(|_| AnswerError::Form { what: name })
}

impl Linked for Header {
    fn link(&self) -> Link {
        Link { id: BlockId { height: self.number, hash: self.hash.0 }, parent: self.parent.0 }
    }
}

impl Answer for Header {
    fn summary(&self) -> String {
        format!("block {} at height {}", self.hash, self.number)
    }
}
