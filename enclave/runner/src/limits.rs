//! Every bound that the engine itself keeps, with its reason. The box's are in `r3e-sandbox`, the protocol's in
//! `r3e-runner-api`.

/// Log lines of one invocation: one less than the enclave bears, for the line that says more were left out.
pub(crate) const MAX_LOG_LINES: u32 = r3e_runner_api::limits::MAX_LOG_FRAMES - 1;

/// Host calls that may queue behind those that are out. Far above any function's budget.
pub(crate) const MAX_QUEUED_HOST_CALLS: usize = 1024;
