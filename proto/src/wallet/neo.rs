//! Transactions of Neo N3: what their sender signs, and how they are carried.

use r3e_neo::{
    Argument, CallFlags, CodecError, Hash160, PublicKey, Scopes, ScriptBuilder, ScriptError, Signer,
    Transaction, Witness, hash160, sign_data, signature_invocation, verification_script,
};
use sha2::{Digest as _, Sha256};

use super::PayloadError;
use crate::api::wallets::{Hash32, NeoArgument, NeoScope, NeoTransaction, Wei};
use crate::limits::{MAX_NEO_ARGUMENTS, MAX_NEO_METHOD_BYTES};

/// What the sender signs: its SHA-256, which ECDSA on P-256 takes.
pub(super) fn signing_hash(transaction: &NeoTransaction) -> Result<[u8; 32], PayloadError> {
    if transaction.magic == 0 {
        return Err(PayloadError::NoChain);
    }
    let hash = unsigned(transaction)?.hash().map_err(|error| of_codec(&error))?;
    Ok(Sha256::digest(sign_data(transaction.magic, hash)).into())
}

/// The account whose signatures the key's are.
pub fn neo_account(public_key: &[u8; 33]) -> Hash160 {
    hash160(&verification_script(&PublicKey(*public_key)))
}

/// The transaction as a node takes it.
///
/// # Errors
/// [`PayloadError`]: as for the digest.
pub fn signed_neo_transaction(
    transaction: &NeoTransaction,
    public_key: &[u8; 33],
    signature: &[u8; 64],
) -> Result<Vec<u8>, PayloadError> {
    let mut whole = unsigned(transaction)?;
    whole.witnesses.push(Witness::of_signature(&PublicKey(*public_key), signature));
    whole.encode().map_err(|error| of_codec(&error))
}

/// Its name, in the order of bytes in which nodes show it.
///
/// # Errors
/// [`PayloadError`]: as for the digest.
pub fn neo_transaction_hash(transaction: &NeoTransaction) -> Result<Hash32, PayloadError> {
    let mut hash = unsigned(transaction)?.hash().map_err(|error| of_codec(&error))?.0;
    hash.reverse();
    Ok(Hash32(hash))
}

/// Whether `bytes` are the transaction with this signature, by the key of its sender. Whether the signature holds, nodes find out.
pub fn is_signed_neo_transaction(transaction: &NeoTransaction, signature: &[u8], bytes: &[u8]) -> bool {
    let (Ok(expected), Ok(mut found), Ok(signature)) =
        (unsigned(transaction), Transaction::decode(bytes), signature.try_into())
    else {
        return false;
    };
    let witnesses = std::mem::take(&mut found.witnesses);
    let [Witness { invocation, verification }] = witnesses.as_slice() else { return false };
    found == expected
        && *invocation == signature_invocation(signature)
        && hash160(verification) == transaction.sender.0
}

/// The script: one call.
///
/// # Errors
/// [`PayloadError`]: it is over a limit.
pub fn neo_script(transaction: &NeoTransaction) -> Result<Vec<u8>, PayloadError> {
    script(transaction.contract, &transaction.method, CallFlags::ALL, &transaction.arguments)
}

/// A script that reads: one call, which changes nothing.
///
/// # Errors
/// [`PayloadError`]: it is over a limit.
pub fn neo_reading(
    contract: Hash160,
    method: &str,
    arguments: &[NeoArgument],
) -> Result<Vec<u8>, PayloadError> {
    script(contract, method, CallFlags::READ_ONLY, arguments)
}

fn script(
    contract: Hash160,
    method: &str,
    flags: CallFlags,
    arguments: &[NeoArgument],
) -> Result<Vec<u8>, PayloadError> {
    if method.len() > MAX_NEO_METHOD_BYTES {
        return Err(PayloadError::TooLong { what: "a method's name, in bytes", max: MAX_NEO_METHOD_BYTES });
    }
    if arguments.len() > MAX_NEO_ARGUMENTS {
        return Err(PayloadError::TooLong { what: "a call's arguments", max: MAX_NEO_ARGUMENTS });
    }
    let of_script = |error: ScriptError| match error {
        ScriptError::TooLong { what, max } => PayloadError::TooLong { what, max },
        _ => PayloadError::Form { what: "a script" },
    };
    let arguments: Vec<Argument> = arguments.iter().map(argument).collect();
    let mut script = ScriptBuilder::default();
    script.call(contract, method, flags, &arguments).map_err(of_script)?;
    script.finish().map_err(of_script)
}

fn unsigned(transaction: &NeoTransaction) -> Result<Transaction, PayloadError> {
    let scopes = match transaction.scope {
        NeoScope::None => Scopes::NONE,
        NeoScope::CalledByEntry => Scopes::CALLED_BY_ENTRY,
    };
    let signer = Signer { scopes, ..Signer::called_by_entry(transaction.sender.0) };
    Ok(Transaction {
        nonce: transaction.nonce,
        system_fee: fee(transaction.system_fee)?,
        network_fee: fee(transaction.network_fee)?,
        valid_until_block: transaction.valid_until_block,
        signers: vec![signer],
        attributes: Vec::new(),
        script: neo_script(transaction)?,
        witnesses: Vec::new(),
    })
}

fn fee(amount: Wei) -> Result<i64, PayloadError> {
    i64::try_from(amount.0).map_err(|_| PayloadError::Form { what: "a fee of 2^63 or more" })
}

fn argument(argument: &NeoArgument) -> Argument {
    match argument {
        NeoArgument::Null => Argument::Null,
        NeoArgument::Boolean(value) => Argument::Boolean(*value),
        NeoArgument::Integer(number) => Argument::Integer(number.0),
        NeoArgument::Bytes(bytes) => Argument::Bytes(bytes.0.clone()),
        NeoArgument::Text(text) => Argument::Text(text.clone()),
        NeoArgument::Hash160(hash) => Argument::Hash160(*hash),
        NeoArgument::Hash256(hash) => Argument::Hash256(*hash),
        NeoArgument::Account(account) => Argument::Hash160(account.0),
        // As deep as JSON may be; the script's own limit is lower, and is kept when it is written.
        NeoArgument::Array(list) => Argument::Array(list.iter().map(self::argument).collect()),
    }
}

fn of_codec(error: &CodecError) -> PayloadError {
    match error {
        CodecError::TooLong { what, max } => PayloadError::TooLong { what, max: *max },
        CodecError::Value { what } => PayloadError::Form { what },
        _ => PayloadError::Form { what: "a transaction that no node takes" },
    }
}
