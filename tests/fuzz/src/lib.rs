//! What several fuzz targets share: a certification authority with known keys, documents signed by it, and the
//! real documents.
#![forbid(unsafe_code)]

pub mod der;
pub mod documents;
pub mod pki;
