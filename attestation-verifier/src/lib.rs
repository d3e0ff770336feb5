//! r3e-attestation
