//! The PCRs of an image, computed from its bytes as the hypervisor computes them. Knows nothing of documents.

use sha2::{Digest, Sha384};

use crate::{Image, SignatureError};

/// A platform configuration register: a SHA-384.
pub type Pcr = [u8; 48];

/// What an image measures to.
///
/// Each register is over joined content, and does not see where one section ends and the next begins. So whoever holds
/// an image can let the command line begin later, or a ramdisk end earlier, and leave every register as it is. Nothing
/// that matters may depend on the command line; a ramdisk that was cut is no archive any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurements {
    /// The whole of what runs: kernel, command line, all ramdisks.
    pub pcr0: Pcr,
    /// What boots: kernel, command line, first ramdisk.
    pub pcr1: Pcr,
    /// The application: the ramdisks behind the first.
    pub pcr2: Pcr,
    /// The signing certificate; `None`, if the image is not signed. An enclave's register is all zeros then.
    pub pcr8: Option<Pcr>,
}

impl Measurements {
    /// Index and value of each, rising.
    pub fn iter(&self) -> impl Iterator<Item = (u8, Pcr)> {
        let first = [(0, self.pcr0), (1, self.pcr1), (2, self.pcr2)];
        first.into_iter().chain(self.pcr8.map(|pcr8| (8, pcr8)))
    }
}

impl Image<'_> {
    /// The measurements. PCR8 is there only for a signature that holds: nobody can make an image that measures to
    /// another's certificate by pasting it in.
    ///
    /// # Errors
    /// If there is a signature that cannot be read, is of another image, or was not made by its certificate's key. No
    /// enclave starts from such an image.
    pub fn measure(&self) -> Result<Measurements, SignatureError> {
        let mut measurements = self.measure_unsigned();
        if let Some(signature) = self.signature()? {
            measurements.pcr8 = Some(signature.verify(&measurements.pcr0)?.pcr8());
        }
        Ok(measurements)
    }

    /// PCR0, 1 and 2, which no signature changes; PCR8 is `None`.
    pub fn measure_unsigned(&self) -> Measurements {
        let (mut application, mut ramdisks) = (Sha384::new(), self.ramdisks.iter());
        let mut whole = Sha384::new().chain_update(self.kernel).chain_update(self.command_line);
        if let Some(first) = ramdisks.next() {
            whole.update(first);
        }
        let boot = whole.clone();
        for ramdisk in ramdisks {
            whole.update(ramdisk);
            application.update(ramdisk);
        }
        let [pcr0, pcr1, pcr2] = [whole, boot, application].map(extended);
        Measurements { pcr0, pcr1, pcr2, pcr8: None }
    }
}

/// A register that held zeros, extended once by the digest of the content.
pub(crate) fn extended(content: Sha384) -> Pcr {
    Sha384::new().chain_update([0; 48]).chain_update(content.finalize()).finalize().into()
}
