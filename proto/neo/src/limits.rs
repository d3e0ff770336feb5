//! Every limit of the formats, in one table, each with its reason.

/// A Neo transaction (`MaxTransactionSize`).
pub const MAX_NEO_TRANSACTION_BYTES: usize = 102_400;
/// Signers of a Neo transaction, and its attributes, together (`MaxTransactionAttributes`).
pub const MAX_NEO_ATTRIBUTES: usize = 16;
/// A Neo transaction's script (`ushort.MaxValue`).
pub const MAX_NEO_SCRIPT_BYTES: usize = 65_535;
/// Each of a witness' two scripts.
pub const MAX_NEO_WITNESS_BYTES: usize = 1_024;
/// Contracts, groups or rules of a signer (`MaxSubitems`).
pub const MAX_NEO_SUBITEMS: usize = 16;
/// Nesting of a rule's condition (`MaxNestingDepth`).
pub const MAX_NEO_CONDITION_DEPTH: usize = 3;
/// The answer of an oracle in a transaction's attribute (`OracleResponse.MaxResultSize`).
pub const MAX_NEO_ORACLE_RESULT_BYTES: usize = 65_535;
/// A script that is being built: no longer ones run.
pub const MAX_BUILT_SCRIPT_BYTES: usize = MAX_NEO_SCRIPT_BYTES;
/// Nesting of an argument of a call.
pub const MAX_ARGUMENT_DEPTH: usize = 8;
/// Items in one stack item: the virtual machine's limit (`MaxStackSize`).
pub const MAX_ITEM_COUNT: usize = 2_048;
/// Bytes of one stack item: the virtual machine's limit (`MaxItemSize`, 131,070).
pub const MAX_ITEM_BYTES: usize = 65_535 * 2;
