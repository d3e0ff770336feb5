//! r3e-store
