//! r3e-transport
