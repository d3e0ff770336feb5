//! Every limit of the client of chains, in one table, each with its reason.

/// Nodes that are asked the same question: an operator names them one by one.
pub const MAX_ENDPOINTS: usize = 16;
/// An answer that is a number, a version, an identifier.
pub const MAX_SMALL_ANSWER_BYTES: usize = 64 * 1024;
/// An Ethereum block without its transactions' content: 66 characters for each; the largest of rollups have some ten thousand.
pub const MAX_HEADER_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// A Neo block in base64: 2 MiB of it (`MaxBlockSize` of the main network), and room.
pub const MAX_BLOCK_ANSWER_BYTES: usize = 3 * 1024 * 1024;
/// Logs of one contract in one block, or all notifications of one transaction: what outbound requests may bring back at all.
pub const MAX_EVENTS_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// Nesting of an answer: a stack item's sixteen, two for each, and what stands around it.
pub const MAX_ANSWER_DEPTH: usize = 48;
/// Values and names in an answer: a tree of them takes some hundred bytes each in memory.
pub const MAX_ANSWER_VALUES: usize = 256 * 1024;
/// What is kept of a node's own words for an error.
pub const MAX_NODE_MESSAGE_CHARS: usize = 256;

pub use r3e_neo::limits::{MAX_ITEM_BYTES, MAX_ITEM_COUNT};

/// Nesting of a stack item: applications' own items have three or four.
pub const MAX_ITEM_DEPTH: usize = 16;
/// Notifications of one execution: Neo allows 512 since its hardfork Echidna. Before, gas alone bounds them, 0.01 GAS for each.
pub const MAX_NOTIFICATIONS: usize = 16_384;
/// A notification's name in bytes (`MaxEventName`).
pub const MAX_EVENT_NAME_BYTES: usize = 32;
/// Executions of one application log: a transaction has one, a block two.
pub const MAX_EXECUTIONS: usize = 4;

/// Transactions of a Neo block: eight times the main network's `MaxTransactionsPerBlock`; each is a question of its own.
pub const MAX_NEO_BLOCK_TRANSACTIONS: usize = 4_096;

/// Topics of a log (Yellow Paper, LOG0 to LOG4).
pub const MAX_TOPICS: usize = 4;
/// A header's extra data: Ethereum allows 32; networks with a committee write their seals there.
pub const MAX_EXTRA_DATA_BYTES: usize = 16 * 1024;
/// The data of a call: a function's arguments, and not a contract's code.
pub const MAX_CALL_DATA_BYTES: usize = 16 * 1024;
/// What a call gives, as its answer has it: 128 KiB in hexadecimal, or as a stack item.
pub const MAX_CALL_ANSWER_BYTES: usize = 256 * 1024 + 1024;
/// The declaration of an event or a method, as a person writes it.
pub const MAX_SIGNATURE_BYTES: usize = 1_024;
/// Parameters of an event or a method, and parts of a tuple.
pub const MAX_PARAMETERS: usize = 32;
/// Nesting of a parameter's type.
pub const MAX_TYPE_DEPTH: usize = 8;
/// The length of an array whose type says it.
pub const MAX_FIXED_ARRAY: usize = 1_024;
/// Values that one log's data is decoded to: offsets may point at one place many times.
pub const MAX_ABI_VALUES: usize = 4_096;
/// Bytes that one log's data is decoded to, for the same reason.
pub const MAX_ABI_BYTES: usize = 1024 * 1024;

/// An event's values as JSON, as whoever watches is given them.
pub const MAX_EVENT_TEXT_BYTES: usize = 64 * 1024;

/// Hashes of the last blocks in a cursor: it is written with each step, 64 bytes each. A reorganisation that is deeper still is found;
/// only where it begins is not.
pub const MAX_TAIL_BLOCKS: usize = 32;
/// A cursor's text: its tail, and a few numbers.
pub const MAX_CURSOR_BYTES: usize = 4 * 1024;
/// Blocks that must stand above one: two days of Ethereum.
pub const MAX_CONFIRMATIONS: u32 = 16_384;
/// Blocks of one batch: a question or two to each node for each.
pub const MAX_BATCH_BLOCKS: u32 = 256;
/// Events of one batch.
pub const MAX_BATCH_EVENTS: u32 = 4_096;
/// Events of one block that one follower may see.
pub const MAX_BLOCK_EVENTS: usize = 16_384;
