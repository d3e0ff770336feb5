//! r3e-rules
