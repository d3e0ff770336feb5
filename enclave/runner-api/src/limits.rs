//! Every bound of the protocol, with its reason.

/// Version that both sides must speak; a runner of another build is refused at `Ready`.
pub const PROTOCOL_VERSION: u8 = 3;

/// Bytes before a frame's body: a big-endian `u32` length of kind and body, then the kind.
pub const HEADER_BYTES: usize = 5;

/// What a runner, or a compiler, is given of one function version, and what a compiler gives: 6 MiB of WebAssembly in base64, or its
/// machine code deflated, and some.
pub const MAX_SOURCE_BYTES: usize = 9 * 1024 * 1024;

/// Modules of one program.
pub const MAX_MODULES: usize = 256;

/// JSON text of one event; a request body above this belongs in storage.
pub const MAX_EVENT_BYTES: usize = 6 * 1024 * 1024;

/// Highest output that a function's own limit may be raised to.
pub const MAX_OUTPUT_BYTES: usize = 6 * 1024 * 1024;

/// One host call as JSON: a request body of 1 MiB in base64, its URL and its headers.
pub const MAX_HOST_CALL_BYTES: usize = 2 * 1024 * 1024;

/// One host reply as JSON: a response body of 4 MiB in base64, and its headers.
pub const MAX_HOST_REPLY_BYTES: usize = 6 * 1024 * 1024;

/// Text of one log line; a longer one is cut and marked.
pub const MAX_LOG_TEXT_BYTES: usize = 8 * 1024;

/// Log frames of one invocation. The runner stops before it; a runner that goes on is lying.
pub const MAX_LOG_FRAMES: u32 = 1_000;

/// A fault as JSON: its name, message and stack, each cut to [`MAX_FAULT_TEXT_BYTES`].
pub const MAX_FAULT_BYTES: usize = 64 * 1024;

/// Each text of a fault. Three of them, every byte escaped to six, fit [`MAX_FAULT_BYTES`].
pub const MAX_FAULT_TEXT_BYTES: usize = 3 * 1024;

/// Host calls of one invocation that may wait for their replies at once. The runner queues beyond it.
pub const MAX_OUTSTANDING_HOST_CALLS: usize = 16;

/// Copies of one runner that live at once: each is a process. The supervisor's own bounds are tighter.
pub const MAX_COPIES: usize = 65_536;

/// Nesting of arrays and objects in an event or an output. Readers of both recurse.
pub const MAX_JSON_DEPTH: usize = 128;

/// Headers of one `fetch`, either way.
pub const MAX_FETCH_HEADERS: usize = 128;

/// What a decoder keeps allocated between frames.
pub const RETAINED_BUFFER_BYTES: usize = 64 * 1024;
