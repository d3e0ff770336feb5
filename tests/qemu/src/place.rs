//! A machine as the enclave of an end-to-end test: the appliance's parent serves it as it serves the local process of
//! other tests.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use r3e_e2e::{Options, Place, Running, Trust};

use crate::authority::{TestAuthority, root_file};
use crate::image::Image;
use crate::machine::{Machine, MachineConfig, console_file, socket};
use crate::tools::Tools;

/// Options of an appliance whose enclave is a machine: the image has no unlock provider of tests, so its root secret lives as long as
/// the machine.
pub fn options() -> Options {
    Options { unlock: "ephemeral", ..Options::default() }
}

/// Where machines with one image are booted, one after the other.
#[derive(Debug, Clone)]
pub struct MachinePlace {
    tools: Tools,
    image: Image,
    config: MachineConfig,
    authority: PathBuf,
}

impl MachinePlace {
    /// In a folder, with documents signed under a root of its own there.
    ///
    /// # Panics
    /// QEMU is not built, or the folder cannot be written.
    pub fn new(folder: &Path, image: &Image) -> Self {
        let tools = Tools::find().unwrap_or_else(|error| panic!("{error}"));
        let (machine, authority) = (folder.join("m"), folder.join("authority"));
        std::fs::create_dir_all(&machine).unwrap_or_else(|error| panic!("{}: {error}", machine.display()));
        let config =
            MachineConfig { sign_dir: Some(authority.clone()), ..MachineConfig::new(&image.eif, &machine) };
        Self { tools, image: image.clone(), config, authority }
    }

    /// The same with other settings for its machines.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut MachineConfig)) -> Self {
        change(&mut self.config);
        self
    }
}

impl Place for MachinePlace {
    type Running = Machine;

    fn socket(&self) -> PathBuf {
        socket(&self.config.folder)
    }

    fn log(&self) -> PathBuf {
        console_file(&self.config.folder)
    }

    fn trust(&self) -> Trust {
        Trust {
            reference_values_file: self.image.reference_values.clone(),
            test_root_file: root_file(&self.authority),
        }
    }

    fn start(&self) -> Machine {
        // Anew for each boot: a leaf lives for hours alone. The root stays.
        TestAuthority::issue(&self.authority).unwrap_or_else(|error| panic!("{error}"));
        Machine::boot(&self.tools, &self.config).unwrap_or_else(|error| panic!("{error}"))
    }
}

impl Running for Machine {
    fn id(&self) -> u32 {
        self.id()
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.ended().unwrap_or_else(|error| panic!("the state of QEMU: {error}"))
    }

    fn kill(self) {
        drop(self);
    }

    /// An enclave is stopped by switching it off; `nitro-cli terminate-enclave` does nothing else.
    async fn stop(self, _limit: Duration) {
        drop(self);
    }
}
