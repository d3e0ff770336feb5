//! Every bound of the bundler, with its reason. The number and the size of modules are bounded by `r3e_runner_api::limits`.

/// Brackets that stand in each other. The parser and everything after it recurse; generated code stays below a hundred, and a
/// scan that is a little off has room.
pub const MAX_NESTING: usize = 1_000;

/// Different imports of one module: each names one of at most 256 modules, some in more than one way.
pub const MAX_IMPORTS: usize = 1024;

/// Bytes of what an import names. Longer ones name nothing.
pub const MAX_SPECIFIER_BYTES: usize = 1024;
