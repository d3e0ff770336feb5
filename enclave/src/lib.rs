//! r3e-enclave
