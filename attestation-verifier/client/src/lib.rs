//! r3e-client
