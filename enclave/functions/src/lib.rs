//! r3e-functions
