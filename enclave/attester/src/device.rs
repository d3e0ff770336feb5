//! The real NSM: the character device `/dev/nsm`.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use aws_nitro_enclaves_nsm_api::driver::nsm_process_request;

use crate::driver::{NsmDriver, Request, Response};
use crate::error::AttesterError;

/// Where the kernel's NSM driver puts its device. Not configurable: a path that could be chosen
/// would be a way to point the appliance at something that is not the NSM.
const DEVICE_PATH: &str = "/dev/nsm";

/// The NSM of the enclave this process runs in. Owns the descriptor and closes it when dropped.
#[derive(Debug)]
pub struct NsmDevice {
    device: File,
}

impl NsmDevice {
    /// Opens the device (close-on-exec, so that no child process inherits it).
    ///
    /// # Errors
    ///
    /// [`AttesterError::DeviceAbsent`] when there is no such file, which means that this is not a
    /// Nitro Enclave; [`AttesterError::DeviceUnusable`] when it cannot be opened or is no device.
    pub fn open() -> Result<Self, AttesterError> {
        Self::open_path(Path::new(DEVICE_PATH))
    }

    fn open_path(path: &Path) -> Result<Self, AttesterError> {
        let unusable = |source| AttesterError::DeviceUnusable { path: path.to_owned(), source };
        let device = match File::options().read(true).write(true).open(path) {
            Ok(device) => device,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(AttesterError::DeviceAbsent { path: path.to_owned() });
            }
            Err(error) => return Err(unusable(error)),
        };
        let kind = device.metadata().map_err(unusable)?.file_type();
        if !kind.is_char_device() {
            return Err(unusable(io::Error::new(io::ErrorKind::InvalidInput, "not a character device")));
        }
        Ok(Self { device })
    }
}

impl NsmDriver for NsmDevice {
    fn process(&self, request: Request) -> Response {
        nsm_process_request(self.device.as_raw_fd(), request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_device_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let error = NsmDevice::open_path(&folder.path().join("nsm")).unwrap_err();
        assert!(matches!(error, AttesterError::DeviceAbsent { .. }), "{error:?}");
        assert!(error.to_string().contains("nitro-cli run-enclave"), "{error}");
    }

    #[test]
    fn a_regular_file_is_not_an_nsm() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = NsmDevice::open_path(file.path()).unwrap_err();
        assert!(matches!(error, AttesterError::DeviceUnusable { .. }), "{error:?}");
    }
}
