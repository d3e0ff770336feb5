//! The enclave image file (EIF, version 4): its sections, the ramdisks in it, its signature, and the measurements of it.
//!
//! - [`Image`] is read from bytes that nobody vouches for, or put together and written. One image has one encoding.
//! - [`Measurements`] are the PCRs that the hypervisor will report for an image.
//! - [`cpio::Archive`] is a ramdisk: one set of files has one encoding, too.
//! - [`packing`] is how a ramdisk lies in an image when it is packed.
//! - [`ImageSignature`], [`SigningKey`] and [`SigningCertificate`] are what PCR8 is about.
//! - [`Metadata`] is the description that tools show, and that nothing measures.
//!
//! Works on bytes in memory. It opens no file, reads no clock, and knows nothing of kernels, of what the ramdisks are
//! for, or of attestation documents.
//!
//! The format has no specification but the program that AWS builds images with. What is written here is, byte for
//! byte, what `aws-nitro-enclaves-image-format` 0.8.1 writes from the same parts; `tests/eif-peer` compares them. The
//! reader is narrower than that program's: it takes the one layout that is ever written, and no file that two
//! readers could understand in two ways.
#![forbid(unsafe_code)]

pub mod cpio;
mod error;
mod header;
mod image;
pub mod limits;
mod measure;
mod metadata;
pub mod packing;
mod read;
mod signature;

pub use error::{ImageError, SignatureError};
pub use header::{Architecture, Section, SectionKind};
pub use image::Image;
pub use measure::{Measurements, Pcr};
pub use metadata::Metadata;
pub use signature::{CertificateSummary, ImageSignature, SigningCertificate, SigningKey};
