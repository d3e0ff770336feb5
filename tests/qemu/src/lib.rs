//! Boots the enclave image in QEMU, for tests.
#![forbid(unsafe_code)]
