//! What the fake NSM pretends to be.

use std::time::Duration;

use crate::document::MapForm;
use crate::pcr::{FIXED_PCRS, PCR_BYTES, measured};

/// The enclave, the instance and the hardware that the fake stands for.
#[derive(Debug, Clone)]
pub struct FakeNsmConfig {
    /// The identifier of the NSM: `<instance>-enc<enclave>`.
    pub module_id: String,
    /// PCR 0 to 15 as the hypervisor sets and locks them. The others start at zero, unlocked.
    pub pcrs: [[u8; PCR_BYTES]; FIXED_PCRS as usize],
    /// How long each request takes. Requests are served one at a time, as by the hardware.
    pub call_latency: Duration,
    /// How the map of claims is encoded: the hardware has done both.
    pub map_form: MapForm,
    /// Whether the instance's own authority stands between the zonal one and the leaf, as it does on
    /// hardware (four certificates in the bundle), or not (three).
    pub instance_authority: bool,
    /// How long the leaf certificate is valid. It is renewed after half of that.
    pub leaf_lifetime: Duration,
    /// What is added to the machine's clock to get the hypervisor's time.
    pub clock_offset_ms: i64,
}

impl FakeNsmConfig {
    /// An enclave in debug mode: PCR 0, 1 and 2 are zero, and PCR 4 is not.
    pub fn debug_mode() -> Self {
        let mut config = Self::default();
        for pcr in config.pcrs.iter_mut().take(3) {
            *pcr = [0; PCR_BYTES];
        }
        config
    }
}

impl Default for FakeNsmConfig {
    /// An enclave from an unsigned image on an instance without a role: PCR 0, 1, 2 and 4 are set.
    fn default() -> Self {
        let mut pcrs = [[0; PCR_BYTES]; FIXED_PCRS as usize];
        let contents: [&[u8]; 5] =
            [b"test image", b"test kernel", b"test application", b"", b"i-0123456789abcdef0"];
        for (pcr, content) in pcrs.iter_mut().zip(contents).filter(|(_, content)| !content.is_empty()) {
            *pcr = measured(content);
        }
        Self {
            module_id: "i-0123456789abcdef0-enc0123456789abcdef".to_owned(),
            pcrs,
            call_latency: Duration::ZERO,
            map_form: MapForm::Definite,
            instance_authority: false,
            leaf_lifetime: Duration::from_hours(3),
            clock_offset_ms: 0,
        }
    }
}
