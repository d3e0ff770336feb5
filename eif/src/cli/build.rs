//! `r3e-eif build`: the image from the source.

use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use r3e_eif_format::limits::{MAX_CERTIFICATE_PEM_BYTES, MAX_PRIVATE_KEY_PEM_BYTES};
use r3e_eif_format::{Image, SigningKey};
use serde::Serialize;

use super::{Failure, Output, to_json};
use crate::recipe::{self, Layer, Source, Toolchain, Workplace};
use crate::reference_values::Pcrs;
use crate::{file, reference_values};

/// Build the image from the source, and its reference values
///
/// Compiles the kernel and the programs and packs them. The same source, compilers and C library make the same bytes,
/// whatever the folder, the user, the machine and the time. A signature, made anew each time, is the exception.
///
/// FILE.reference-values.json is written beside FILE.eif.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    r3e-eif build\n  \
    r3e-eif build --out release/r3e-enclave.eif --json\n  \
    r3e-eif build --layer python --layer csharp\n  \
    r3e-eif build --sign key.pem --cert certificate.pem\n\n\
    scripts/build-image does the same, and installs what is missing first.")]
pub(super) struct Build {
    /// Where to write the image
    #[arg(long, value_name = "FILE.eif", default_value = "r3e-enclave.eif")]
    out: PathBuf,
    /// The clone to build; that around the current folder, where none is named
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
    /// Put a language into the image that it has not by itself; may be repeated
    #[arg(long = "layer", value_name = "LAYER", value_enum)]
    layers: Vec<Layer>,
    /// Sign the image with this private key on P-384 (PEM)
    #[arg(long, value_name = "KEY.pem", requires = "cert")]
    sign: Option<PathBuf>,
    /// The key's certificate (PEM), which PCR8 measures
    #[arg(long, value_name = "CERT.pem", requires = "sign")]
    cert: Option<PathBuf>,
    /// The name of the release in the reference values; name and version of the appliance, where none is given
    #[arg(long, value_name = "NAME", value_parser = reference_values::parse_name)]
    name: Option<String>,
    /// A kernel (bzImage) in place of the one that the source names. The PCRs are then of that kernel
    #[arg(long, value_name = "FILE")]
    kernel: Option<PathBuf>,
    /// Cargo's folder for what it compiles
    #[arg(long, value_name = "DIR", env = "CARGO_TARGET_DIR")]
    target_dir: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Serialize)]
struct Report {
    image: PathBuf,
    reference_values: PathBuf,
    size_bytes: usize,
    sha256: String,
    pcrs: Pcrs,
    layers: Vec<Layer>,
    toolchain: Toolchain,
}

impl Build {
    pub(super) fn run(&self) -> Result<Output, Failure> {
        // What can be refused is refused before minutes of compiling.
        let key = self.key()?;
        let start = match &self.source {
            Some(source) => source.clone(),
            None => env::current_dir().context("there is no current folder").map_err(Failure::Unusable)?,
        };
        let source = Source::find(&start).map_err(|error| Failure::Unusable(error.into()))?;
        let workplace = Workplace {
            target: self.target_dir.clone().unwrap_or_else(|| source.root().join("target")),
            kernel: self.kernel.clone(),
        };
        let mut layers = self.layers.clone();
        layers.sort_unstable();
        layers.dedup();
        let parts = recipe::make(&source, &workplace, &layers, &mut say)
            .map_err(|error| Failure::Unusable(error.into()))?;

        say("image");
        let bytes = recipe::pack(&parts, key.as_ref()).map_err(Failure::refused)?;
        let measurements = Image::decode(&bytes).map_err(Failure::refused)?.measure();
        let measurements = measurements.map_err(Failure::refused)?;
        file::write_whole(&self.out, &bytes).map_err(Failure::Unusable)?;
        let reference_values = self.out.with_extension("reference-values.json");
        let name = self.name.as_deref().unwrap_or(concat!("r3e-enclave ", env!("CARGO_PKG_VERSION")));
        let json = reference_values::render(name, &measurements);
        file::write_whole(&reference_values, json.as_bytes()).map_err(Failure::Unusable)?;

        let report = Report {
            image: self.out.clone(),
            reference_values,
            size_bytes: bytes.len(),
            sha256: file::sha256(&bytes),
            pcrs: Pcrs::from(&measurements),
            layers,
            toolchain: parts.toolchain,
        };
        Ok(Output::done(if self.json { to_json(&report) } else { report.to_text() }))
    }

    fn key(&self) -> Result<Option<SigningKey>, Failure> {
        let (Some(key), Some(certificate)) = (&self.sign, &self.cert) else { return Ok(None) };
        let read = |path: &Path, max| file::read_limited(path, max).map_err(Failure::Unusable);
        let key = read(key, MAX_PRIVATE_KEY_PEM_BYTES)?;
        let certificate = read(certificate, MAX_CERTIFICATE_PEM_BYTES)?;
        SigningKey::from_pem(&key, &certificate).map(Some).map_err(Failure::refused)
    }
}

impl Report {
    fn to_text(&self) -> String {
        let Self { image, reference_values, size_bytes, sha256, pcrs, layers: _, toolchain } = self;
        format!(
            "image             {}\nsize              {size_bytes} bytes\nSHA-256           {sha256}\n\
             reference values  {}\ncompiled by       {}\n                  {}\n                  {}\n                  {}\n{pcrs}",
            image.display(),
            reference_values.display(),
            toolchain.rustc,
            toolchain.cc,
            toolchain.ld,
            toolchain.libc,
        )
    }
}

/// What is being done, on the error stream: the result alone goes to the output.
fn say(step: &str) {
    let _ = writeln!(std::io::stderr(), "==> {step}");
}
