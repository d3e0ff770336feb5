//! r3e-e2e
