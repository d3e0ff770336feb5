//! r3e-egress
