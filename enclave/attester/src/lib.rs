//! r3e-attester
