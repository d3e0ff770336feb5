//! r3e-cbor
