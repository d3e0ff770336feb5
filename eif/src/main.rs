//! `r3e-eif`: builds, measures, describes and compares enclave images.
#![forbid(unsafe_code)]

fn main() {}
