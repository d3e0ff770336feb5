//! r3e-keys
