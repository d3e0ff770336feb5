//! What an input may cost. Knows nothing of the formats that choose the figures.

/// No input may nest deeper than this, whatever the caller's [`Limits::max_depth`] says: the decoder, the
/// encoder and the destructor of a value recurse, and 64 levels stay far below the smallest stack we run on.
pub const HARD_MAX_DEPTH: usize = 64;

/// The limits for one input. All three are inclusive; the caller picks them for its format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of the whole input, in bytes. Checked before anything is read.
    pub max_bytes: usize,
    /// How many arrays, maps and tags may lie one within another: a bare integer has depth 0, `[]` has depth
    /// 1, `[[]]` has 2. Values above [`HARD_MAX_DEPTH`] mean [`HARD_MAX_DEPTH`].
    pub max_depth: usize,
    /// How many data items the input may hold in all: each array, map, tag, key, value and each chunk of an
    /// indefinite-length string counts as one. Bounds the memory, at some 50 bytes an item.
    pub max_items: usize,
}
