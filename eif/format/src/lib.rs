//! The enclave image file (EIF, version 4): its sections, the ramdisks in it, and the measurements of it.
#![forbid(unsafe_code)]
