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
/// Accounts, each on a chain, that a tenant's transactions go from.
pub const MAX_LANES_OF_ONE: usize = 64;
/// Ended transactions of a lane that are remembered: the same name does not do the same again.
pub const MAX_ENDED: usize = 256;
/// Signatures for one transaction: so often can a price rise by a tenth; it is then some twenty times the first.
pub const MAX_ATTEMPTS: usize = 32;
/// Of those, so many are left for giving it up.
pub const NOOP_ATTEMPTS: usize = 8;
/// The longest that a transaction may be tried: whoever forgets it is not to find it done a month later.
pub const MAX_LIFE: Duration = Duration::from_hours(7 * 24);
/// The shortest: a block of Ethereum, and what comes before it.
pub const MIN_LIFE: Duration = Duration::from_secs(15);
/// A name that a caller gives one.
pub const MAX_ID_BYTES: usize = 64;
/// After a signature that was refused and may be given later.
pub const SIGN_AGAIN: Duration = Duration::from_secs(5);
/// The same bytes are given to the same nodes again: one may have lost them.
pub const SEND_AGAIN: Duration = Duration::from_secs(10);
/// After nodes that did not agree, or a store that did not answer.
pub const PAUSE_AFTER_TROUBLE: Duration = Duration::from_millis(500);
/// Of what a node or a gate says, so much is kept.
pub const MAX_TROUBLE_CHARS: usize = 256;
