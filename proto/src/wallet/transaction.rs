//! Ethereum transactions: legacy with replay protection (EIP-155) and type 2 (EIP-1559).

use super::PayloadError;
use super::rlp::List;
use crate::api::wallets::{EvmAddress, EvmTransaction, Fee, keccak256};
use crate::limits::{MAX_ACCESS_LIST, MAX_CALL_DATA_BYTES};

/// EIP-2718: the type that stands before an EIP-1559 transaction.
const TYPE_EIP1559: [u8; 1] = [2];

/// What the sender signs.
pub(super) fn signing_hash(transaction: &EvmTransaction) -> Result<[u8; 32], PayloadError> {
    check(transaction)?;
    let mut list = fields(transaction);
    let unsigned = match transaction.fee {
        Fee::Legacy { .. } => {
            // EIP-155: chain id, 0, 0 stand where v, r, s will.
            list.number(transaction.chain_id).number(0_u8).number(0_u8);
            list.finish(&[])
        }
        Fee::Eip1559 { .. } => list.finish(&TYPE_EIP1559),
    };
    Ok(keccak256(&[&unsigned]))
}

/// The transaction as a node takes it: with r, s, and the parity of the point that r is of.
pub fn signed_transaction(transaction: &EvmTransaction, r: &[u8; 32], s: &[u8; 32], odd: bool) -> Vec<u8> {
    let mut list = fields(transaction);
    let before: &[u8] = match transaction.fee {
        Fee::Legacy { .. } => {
            // EIP-155: v is 35 or 36 more than twice the chain id.
            list.number(u128::from(transaction.chain_id) * 2 + 35 + u128::from(odd));
            &[]
        }
        Fee::Eip1559 { .. } => {
            list.number(u8::from(odd));
            &TYPE_EIP1559
        }
    };
    list.big_endian(r).big_endian(s).finish(before)
}

/// A signed transaction's hash, by which a node names it.
pub fn transaction_hash(signed: &[u8]) -> [u8; 32] {
    keccak256(&[signed])
}

/// The address of the contract that an account's transaction creates (Yellow Paper, section 7).
pub fn created_contract(account: &EvmAddress, nonce: u64) -> EvmAddress {
    let mut list = List::default();
    list.bytes(&account.0).number(nonce);
    let mut address = [0; 20];
    address.copy_from_slice(&keccak256(&[&list.finish(&[])])[12..]);
    EvmAddress(address)
}

fn check(transaction: &EvmTransaction) -> Result<(), PayloadError> {
    if transaction.chain_id == 0 {
        return Err(PayloadError::NoChain);
    }
    if transaction.data.0.len() > MAX_CALL_DATA_BYTES {
        return Err(PayloadError::TooLong {
            what: "a transaction's data, in bytes",
            max: MAX_CALL_DATA_BYTES,
        });
    }
    let slots: usize = transaction.access_list.iter().map(|entry| 1 + entry.storage_keys.len()).sum();
    if slots > MAX_ACCESS_LIST {
        return Err(PayloadError::TooLong {
            what: "an access list's accounts and slots",
            max: MAX_ACCESS_LIST,
        });
    }
    match transaction.fee {
        Fee::Legacy { .. } if slots > 0 => return Err(PayloadError::AccessList),
        Fee::Eip1559 { max_fee_per_gas, max_priority_fee_per_gas }
            if max_priority_fee_per_gas > max_fee_per_gas =>
        {
            return Err(PayloadError::Priority);
        }
        _ => {}
    }
    let spend = transaction.highest_fee().and_then(|fee| fee.checked_add(transaction.value.0));
    spend.map(|_| ()).ok_or(PayloadError::Overflow)
}

/// The fields that come before the signature, in the form's order.
fn fields(transaction: &EvmTransaction) -> List {
    let mut list = List::default();
    let to: &[u8] = transaction.to.as_ref().map_or(&[], |to| &to.0);
    match transaction.fee {
        Fee::Legacy { gas_price } => {
            list.number(transaction.nonce).number(gas_price.0).number(transaction.gas_limit);
        }
        Fee::Eip1559 { max_fee_per_gas, max_priority_fee_per_gas } => {
            list.number(transaction.chain_id)
                .number(transaction.nonce)
                .number(max_priority_fee_per_gas.0)
                .number(max_fee_per_gas.0)
                .number(transaction.gas_limit);
        }
    }
    list.bytes(to).number(transaction.value.0).bytes(&transaction.data.0);
    if let Fee::Eip1559 { .. } = transaction.fee {
        let mut accesses = List::default();
        for entry in &transaction.access_list {
            let mut slots = List::default();
            for slot in &entry.storage_keys {
                slots.bytes(&slot.0);
            }
            let mut access = List::default();
            access.bytes(&entry.address.0).list(&slots);
            accesses.list(&access);
        }
        list.list(&accesses);
    }
    list
}
