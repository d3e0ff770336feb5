//! `r3e-eif sign`: signs an image.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use r3e_eif_format::{
    Image, SigningKey,
    limits::{MAX_CERTIFICATE_PEM_BYTES, MAX_PRIVATE_KEY_PEM_BYTES},
};
use serde::Serialize;

use super::{Failure, Output, to_json};
use crate::file;
use crate::reference_values::Pcrs;

/// Sign an image, so that PCR8 names who released it
///
/// The key signs PCR0 by ES384; the certificate goes into the image, and PCR8 is its measurement. A signature that the
/// image has is replaced. PCR0, 1 and 2 stay as they are. The bytes of a signature differ each time, so two signed
/// images of one build are the same but for that section.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    openssl ecparam -name secp384r1 -genkey -noout -out key.pem\n  \
    openssl req -new -x509 -sha384 -days 365 -key key.pem -subj '/CN=release signer' -out certificate.pem\n  \
    r3e-eif sign r3e.eif --key key.pem --cert certificate.pem --out r3e-signed.eif")]
pub(super) struct Sign {
    /// The image
    #[arg(value_name = "FILE.eif")]
    file: PathBuf,
    /// The private key on P-384: PKCS#8 or SEC 1, in PEM
    #[arg(long, value_name = "KEY.pem")]
    key: PathBuf,
    /// The key's certificate, in PEM
    #[arg(long, value_name = "CERT.pem")]
    cert: PathBuf,
    /// Where to write the signed image; may be the image itself
    #[arg(long, value_name = "FILE.eif")]
    out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Serialize)]
struct Report {
    pcrs: Pcrs,
}

impl Sign {
    pub(super) fn run(&self) -> Result<Output, Failure> {
        let bytes = file::read_image(&self.file).map_err(Failure::Unusable)?;
        let private_key =
            file::read_limited(&self.key, MAX_PRIVATE_KEY_PEM_BYTES).map_err(Failure::Unusable)?;
        let certificate =
            file::read_limited(&self.cert, MAX_CERTIFICATE_PEM_BYTES).map_err(Failure::Unusable)?;
        let key = SigningKey::from_pem(&private_key, &certificate).map_err(Failure::refused)?;
        let mut image = Image::decode(&bytes).map_err(Failure::refused)?;
        image.sign(&key).map_err(Failure::refused)?;
        // Computed from what is written, so that what is told is what is there.
        let signed = image.encode().map_err(Failure::refused)?;
        let measurements = Image::decode(&signed).map_err(Failure::refused)?.measure();
        let measurements =
            measurements.context("the new signature does not hold").map_err(Failure::Refused)?;
        file::write_whole(&self.out, &signed).map_err(Failure::Unusable)?;
        let pcrs = Pcrs::from(&measurements);
        Ok(Output::done(if self.json { to_json(&Report { pcrs }) } else { pcrs.to_string() }))
    }
}
