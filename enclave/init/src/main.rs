//! `r3e-init`: PID 1 of the enclave.

fn main() {}
