//! Which image and configuration took the place of those that the settings name, so that a parent which starts again
//! starts the successor and not what it succeeded.
//!
//! It holds only for as long as the settings name what was replaced, by measurement: once they name anything else, they are
//! right and the record goes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::{info, warn};

use crate::launch::Launch;
use crate::limits::MAX_RECORD_BYTES;
use crate::preflight;
use crate::{Settings, configuration};

/// The file in the data folder.
const RECORD_FILE: &str = "upgraded.json";

/// What the settings name, measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Measured {
    /// The image's PCRs in hex, by index.
    pcrs: BTreeMap<u8, String>,
    /// Of the configuration, in hex.
    configuration_sha256: String,
}

/// The file's content.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    instead_of: Measured,
    image: PathBuf,
    configuration: PathBuf,
    reference_values: Option<PathBuf>,
}

/// Puts what an upgrade left in force over what the settings name, and gives what they name; none where that cannot be
/// measured. Changes nothing on disk. It blocks, for as long as it takes to read an image.
pub fn in_force(settings: &mut Settings, launch: &mut Launch) -> Option<InsteadOf> {
    let named = measure(&launch.image, &settings.configuration)?;
    let path = settings.data.join(RECORD_FILE);
    let record = match read(&path) {
        Ok(Some(record)) => record,
        Ok(None) => return Some(InsteadOf { named, stale: None }),
        Err(error) => {
            warn!(%error, path = %path.display(), "the record of an upgrade cannot be read: the settings are in force");
            return Some(InsteadOf { named, stale: None });
        }
    };
    let mut stale = None;
    if record.instead_of == named {
        warn!(
            image = %record.image.display(), configuration = %record.configuration.display(),
            "an upgrade took the place of what the settings name: put these into the settings"
        );
        launch.image = record.image;
        launch.reference_values = record.reference_values;
        settings.configuration = record.configuration;
    } else {
        stale = Some(path);
    }
    Some(InsteadOf { named, stale })
}

/// What the settings name, for the record of the next upgrade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsteadOf {
    named: Measured,
    /// A record of something else.
    stale: Option<PathBuf>,
}

impl InsteadOf {
    /// Removes the record of an upgrade that the settings have caught up with, or turned away from.
    pub(crate) fn settle(&mut self) {
        if let Some(path) = self.stale.take() {
            info!("the settings no longer name what the last upgrade replaced: they are in force");
            remove(&path);
        }
    }

    /// Keeps that `launch` and `configuration` are in force instead.
    pub(super) fn keep(&self, data: &Path, launch: &Launch, configuration: &Path) -> io::Result<()> {
        let path = data.join(RECORD_FILE);
        if measure(&launch.image, configuration).as_ref() == Some(&self.named) {
            remove(&path);
            return Ok(());
        }
        let record = Record {
            instead_of: self.named.clone(),
            image: launch.image.clone(),
            configuration: configuration.to_owned(),
            reference_values: launch.reference_values.clone(),
        };
        let text = serde_json::to_vec_pretty(&record).map_err(io::Error::other)?;
        let new = data.join(format!("{RECORD_FILE}.new"));
        let mut file = File::create(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(data)?.sync_all()
    }
}

fn read(path: &Path) -> io::Result<Option<Record>> {
    let mut text = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(MAX_RECORD_BYTES).read_to_end(&mut text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    serde_json::from_slice(&text).map(Some).map_err(io::Error::other)
}

/// None where either cannot be read: the preflight says so.
fn measure(image: &Path, configuration: &Path) -> Option<Measured> {
    let bytes = configuration::read(configuration).ok()?;
    let pcrs = preflight::pcrs(image)?;
    Some(Measured { pcrs, configuration_sha256: preflight::hex(&Sha256::digest(&bytes)) })
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        warn!(%error, path = %path.display(), "the record of an upgrade cannot be removed");
    }
}
