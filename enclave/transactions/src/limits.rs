//! Every limit of transactions, in one table, each with its reason.

use std::time::Duration;

/// Bytes of a call's data: the code of the largest contract that may be created (EIP-3860), and room for its arguments.
pub const MAX_DATA_BYTES: usize = 50_000;
/// Gas of a transaction that does nothing, and the least of any.
pub const NOOP_GAS: u64 = 21_000;
/// The most gas of one (EIP-7825).
pub const MAX_GAS: u64 = 1 << 24;
/// Open transactions of one account on one chain.
pub const MAX_OPEN: usize = 64;
/// Of those, so many are out at a time: nodes keep no more that wait for one before them (geth: 16 of an account are safe).
pub const MAX_OUT: usize = 16;
/// Accounts, each on a chain, that a tenant's transactions ever went from.
pub const MAX_LANES_OF_ONE: usize = 1_024;
/// Transactions of all lanes of a tenant that are open, of each family of chains, and the bytes of their calls: they are in memory, and whoever asks for them need not
/// pay for one.
pub const MAX_OPEN_OF_ONE: usize = 512;
/// See [`MAX_OPEN_OF_ONE`].
pub const MAX_OPEN_BYTES_OF_ONE: usize = 4 * 1024 * 1024;
/// How long an ended transaction is remembered at the least: so long, the same name does not do the same again.
pub const REMEMBERED: Duration = Duration::from_hours(24);
/// Ended transactions of a lane for which something was signed: where the oldest of so many is not old enough to be forgotten, nothing new is taken. As many
/// more that functions asked for and for which nothing was signed: there, nothing more of functions is.
pub const MAX_ENDED: usize = 1_024;
/// Ended transactions of a lane for which nothing was ever signed: under such a name it may be tried again.
pub const MAX_ENDED_UNSIGNED: usize = 64;
/// Ended transactions of a lane whose names are given once: each feed that a wallet brings reports of has its last ones among them.
pub const MAX_ENDED_BRIEF: usize = 256;
/// An ended transaction's data is dropped where it is longer; its digest stays.
pub const MAX_ENDED_DATA_BYTES: usize = 256;
/// Entries of one commit: each has its data and what was signed last, as hexadecimal digits.
pub const ENTRIES_OF_A_COMMIT: usize = 8;
/// Signatures for one transaction: so often can a price rise by a tenth; it is then some twenty times the first. Beyond, a price must be twice the one before.
pub const MAX_ATTEMPTS: usize = 32;
/// Of those, so many are left for giving it up.
pub const NOOP_ATTEMPTS: usize = 8;
/// The longest that a transaction may be tried: whoever forgets it is not to find it done a month later.
pub const MAX_LIFE: Duration = Duration::from_hours(7 * 24);
/// The shortest: a block of Ethereum, and what comes before it.
pub const MIN_LIFE: Duration = Duration::from_secs(15);
/// The shortest on Neo N3: four blocks of a quarter of a minute.
pub const MIN_NEO_LIFE: Duration = Duration::from_mins(1);
/// The longest on Neo N3: no transaction may wait longer there (`MaxValidUntilBlockIncrement`, 5,760 blocks).
pub const MAX_NEO_LIFE: Duration = Duration::from_hours(24);
/// The fewest blocks that may have a transaction of Neo N3, from the one after the last: the next may be made already.
pub const MIN_NEO_BLOCKS_TO_LIVE: u64 = 3;
/// What is signed on Neo N3 has its price and its last block from not longer ago: two looks of slow nodes.
pub const PRICE_HOLDS: Duration = Duration::from_secs(15);
/// Transactions of an account on Neo N3 that are priced in one look: what is signed of them is not old by the last of them.
pub const PRICED_AT_ONCE: usize = 8;
/// So long may a contract of Neo N3 refuse a transaction for which nothing was signed: what it waits for may be in one of the next blocks.
pub const REFUSED_FOR: Duration = Duration::from_mins(1);
/// Of what the nodes of one chain are asked at a time, what is one tenant's.
pub const QUESTIONS_OF_ONE: usize = 2;
/// One look at what an account has on Neo N3 asks for so long, and then so long again for what it costs: the rest is asked first in the next one.
pub const NEO_LOOK: Duration = Duration::from_secs(12);
/// So long all nodes are waited for where enough have answered.
pub const NEO_PATIENCE: Duration = Duration::from_secs(1);
/// How a network makes its blocks, its committee may change.
pub const PACE_HOLDS: Duration = Duration::from_mins(10);
/// The same bytes are given to nodes of Neo N3 again, which have few blocks' time for them.
pub const NEO_SEND_AGAIN: Duration = Duration::from_secs(10);
/// A name that a caller gives one.
pub const MAX_ID_BYTES: usize = 64;
/// After a signature that was refused and may be given later.
pub const SIGN_AGAIN: Duration = Duration::from_secs(5);
/// The same bytes are given to the same nodes again: one may have lost them.
pub const SEND_AGAIN: Duration = Duration::from_secs(30);
/// Between two of the lane's own that fill a gap of nonces: the gate may refuse them.
pub const FILL_AGAIN: Duration = Duration::from_mins(1);
/// A commit that was not confirmed is settled by then.
pub const UNCERTAIN: Duration = Duration::from_mins(1);
/// After nodes that did not agree, or a store that did not answer.
pub const PAUSE_AFTER_TROUBLE: Duration = Duration::from_millis(500);
/// Of what a node or a gate says, so much is kept.
pub const MAX_TROUBLE_CHARS: usize = 256;
