//! What a preflight can find, each with its words, its code and its next step.

use std::path::PathBuf;

use thiserror::Error;

use crate::finding::{Finding, Severity};
use crate::limits::{MAX_SOCKET_PATH_BYTES, MIN_DISK_FREE_MIB, MIN_ENCLAVE_CID};

/// One thing that a preflight found. Sizes are in MiB.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the words of each variant say what it is")]
pub enum Problem {
    #[error("{program} is not in {searched}")]
    NitroCliMissing { program: String, searched: String },
    #[error("nitro-cli does not answer: {reason}")]
    NitroCliFailed { reason: String },
    #[error(
        "there is no /dev/nitro_enclaves: this machine has no Nitro Enclaves, or their driver is not loaded"
    )]
    DeviceMissing,
    #[error("/dev/nitro_enclaves cannot be opened: {reason}")]
    DeviceForbidden { reason: String },
    #[error("no huge pages are set aside, and the enclave needs {memory_mib} MiB of them")]
    NoHugepages { memory_mib: u64, allocator_mib: Option<u64> },
    #[error("{total_mib} MiB of huge pages are set aside, and the enclave needs {memory_mib} MiB")]
    AllocatorTooSmall { memory_mib: u64, total_mib: u64, allocator_mib: Option<u64> },
    #[error(
        "of {total_mib} MiB of huge pages {free_mib} MiB are free, and the enclave needs {memory_mib} MiB"
    )]
    HugepagesInUse { memory_mib: u64, free_mib: u64, total_mib: u64 },
    #[error(
        "of the memory set aside {free_mib} MiB are free beside the enclave that serves, and its successor needs \
         {memory_mib} MiB: an upgrade has two enclaves at once"
    )]
    HugepagesBeside { memory_mib: u64, free_mib: u64, total_mib: u64 },
    #[error(
        "this machine has {available_mib} MiB of memory left, and the successor needs {memory_mib} MiB: an upgrade has \
         two enclaves at once"
    )]
    MemoryBeside { memory_mib: u64, available_mib: u64 },
    #[error("the enclave is to have {cpus} processors; {pool} are set aside, and other enclaves have {used}")]
    CpuPool { cpus: u32, pool: u64, used: u64 },
    #[error("the enclave is to have no processor")]
    NoCpus,
    #[error("the enclave is to have {cpus} processors, and this machine has {online}")]
    MoreCpusThanThereAre { cpus: u32, online: u64 },
    #[error("the CID {cid} is reserved")]
    CidReserved { cid: u32 },
    #[error("the CID {cid} is that of another enclave, {id}")]
    CidInUse { cid: u32, id: String },
    #[error("an earlier start left the enclave {id} running; it is ended before the next one starts")]
    Leftover { id: String },
    #[error(
        "the enclave is to have {memory_mib} MiB; with this image it needs {needed_mib} MiB, {factor} times its size"
    )]
    MemoryForImage { memory_mib: u64, needed_mib: u64, factor: u64 },
    #[error("the image {} cannot be read: {reason}", path.display())]
    ImageUnreadable { path: PathBuf, reason: String },
    #[error("{} is not an image that an enclave starts from: {reason}", path.display())]
    ImageRefused { path: PathBuf, reason: String },
    #[error("no reference values are given, so nobody has compared the image with a published release")]
    NoReferenceValues,
    #[error("the reference values {} cannot be used: {reason}", path.display())]
    ReferenceValues { path: PathBuf, reason: String },
    #[error(
        "the image {} is no release that {} publishes; it differs from {}",
        image.display(), values.display(), differences.join("; from ")
    )]
    NotPublished { image: PathBuf, values: PathBuf, differences: Vec<String> },
    #[error("{program} is not in {searched}")]
    EmulatorMissing { program: String, searched: String },
    #[error("QEMU cannot sign documents without {}", path.display())]
    SigningFile { path: PathBuf },
    #[error("QEMU is no hypervisor of AWS's: an emulated enclave protects nothing from this machine")]
    Emulated,
    #[error(
        "in debug mode this machine reads the enclave's console, and its PCRs are zeros: it protects nothing"
    )]
    DebugMode,
    #[error("the parent is to answer the heartbeat, and nitro-cli needs its port, 9000, for itself")]
    HeartbeatOnNitro,
    #[error("{reason}")]
    Configuration { reason: String },
    #[error("the path {} is too long for a socket", path.display())]
    SocketPath { path: PathBuf },
    #[error("another r3e-parent runs with {}", data.display())]
    ParentRunning { data: PathBuf },
    #[error("the data folder {} cannot be written to: {reason}", path.display())]
    Data { path: PathBuf, reason: String },
    #[error("the data folder {} is not there, and cannot be made in {}: {reason}", path.display(), above.display())]
    DataMissing { path: PathBuf, above: PathBuf, reason: String },
    #[error("the disk of {} has {free_mib} MiB left", path.display())]
    DiskFull { path: PathBuf, free_mib: u64 },
    #[error("cannot listen on {at}: {reason}")]
    Listen { at: String, reason: String, low: bool },
    #[error("{reason}")]
    EnclavePort { reason: String },
}

const INSTALL: &str =
    "install it (Amazon Linux 2023: dnf install aws-nitro-enclaves-cli), or name it by --nitro-cli";
const ALLOCATOR: &str = "/etc/nitro_enclaves/allocator.yaml";

impl Problem {
    /// In the form that operators and machines read.
    pub fn finding(&self) -> Finding {
        let (code, severity) = self.kind();
        Finding::new(code, severity, self.to_string(), self.next())
    }

    /// The stable code, and how bad it is.
    fn kind(&self) -> (&'static str, Severity) {
        let code = match self {
            Self::NitroCliMissing { .. } => "nitro_cli_missing",
            Self::NitroCliFailed { .. } => "nitro_cli_failed",
            Self::DeviceMissing => "device_missing",
            Self::DeviceForbidden { .. } => "device_forbidden",
            Self::NoHugepages { .. } => "no_hugepages",
            Self::AllocatorTooSmall { .. } => "allocator_too_small",
            Self::HugepagesInUse { .. } | Self::HugepagesBeside { .. } => "hugepages_in_use",
            Self::MemoryBeside { .. } => "memory_in_use",
            Self::CpuPool { .. } => "cpu_pool_too_small",
            Self::NoCpus | Self::MoreCpusThanThereAre { .. } => "cpu_count",
            Self::CidReserved { .. } => "cid_reserved",
            Self::CidInUse { .. } => "cid_in_use",
            Self::Leftover { .. } => "enclave_left_over",
            Self::MemoryForImage { .. } => "memory_too_small",
            Self::ImageUnreadable { .. } => "image_unreadable",
            Self::ImageRefused { .. } => "image_refused",
            Self::NoReferenceValues => "no_reference_values",
            Self::ReferenceValues { .. } => "reference_values",
            Self::NotPublished { .. } => "image_not_published",
            Self::EmulatorMissing { .. } => "emulator_missing",
            Self::SigningFile { .. } => "signing_file_missing",
            Self::Emulated => "emulated",
            Self::DebugMode => "debug_mode",
            Self::HeartbeatOnNitro => "heartbeat_port",
            Self::Configuration { .. } => "configuration",
            Self::SocketPath { .. } => "socket_path_too_long",
            Self::ParentRunning { .. } => "parent_running",
            Self::Data { .. } | Self::DataMissing { .. } => "data_folder",
            Self::DiskFull { .. } => "disk_full",
            Self::Listen { .. } => "listen_address",
            Self::EnclavePort { .. } => "enclave_port",
        };
        let warning = matches!(
            self,
            Self::Leftover { .. } | Self::NoReferenceValues | Self::Emulated | Self::DebugMode
        );
        (code, if warning { Severity::Warning } else { Severity::Error })
    }

    fn next(&self) -> String {
        match self {
            Self::NitroCliMissing { .. } => {
                format!("{INSTALL}; on a machine without Nitro, --qemu starts an emulated enclave, which protects nothing")
            }
            Self::NitroCliFailed { .. } => {
                "run nitro-cli describe-enclaves as this user; it needs /run/nitro_enclaves and /var/log/nitro_enclaves".into()
            }
            Self::DeviceMissing => "start an instance with enclave support enabled (it cannot be added to one that \
                                    runs), and load the driver: modprobe nitro_enclaves"
                .into(),
            Self::DeviceForbidden { .. } => {
                "add this user to the group ne (usermod -aG ne USER) and start a new session, or SupplementaryGroups=ne".into()
            }
            Self::NoHugepages { memory_mib, allocator_mib }
            | Self::AllocatorTooSmall { memory_mib, allocator_mib, .. } => match allocator_mib {
                Some(allocated) if allocated >= memory_mib => format!(
                    "{ALLOCATOR} asks for {allocated} MiB and did not get them: systemctl restart \
                     nitro-enclaves-allocator, best right after boot, and see its journal"
                ),
                _ => format!(
                    "set memory_mib: {memory_mib} or more in {ALLOCATOR}, then systemctl restart \
                     nitro-enclaves-allocator; or give less --memory"
                ),
            },
            Self::HugepagesInUse { .. } => {
                "end the other enclaves (nitro-cli describe-enclaves), set more aside, or give less --memory".into()
            }
            Self::HugepagesBeside { memory_mib, free_mib, total_mib } => format!(
                "set memory_mib: {} or more in {ALLOCATOR} and restart the allocator, once, while no enclave runs; or \
                 upgrade with a restart",
                total_mib.saturating_add(memory_mib.saturating_sub(*free_mib))
            ),
            Self::MemoryBeside { .. } => "end other programs, or upgrade with a restart".into(),
            Self::CpuPool { cpus, used, .. } => format!(
                "set cpu_count: {} or more in {ALLOCATOR}, then systemctl restart nitro-enclaves-allocator; or give \
                 fewer --cpus. Processors come by whole cores, and the machine keeps one",
                u64::from(*cpus).saturating_add(*used)
            ),
            Self::NoCpus => "give --cpus 2".into(),
            Self::MoreCpusThanThereAre { online, .. } => format!("give --cpus {online} or fewer"),
            Self::CidReserved { .. } => format!("give a --cid from {MIN_ENCLAVE_CID} to 4294967294"),
            Self::CidInUse { id, .. } => {
                format!("give another --cid, or end that one: nitro-cli terminate-enclave --enclave-id {id}")
            }
            Self::Leftover { .. } => "nothing; if it is not ours, give another --cid".into(),
            Self::MemoryForImage { needed_mib, .. } => {
                format!("give --memory {needed_mib} or more; functions need room beside that")
            }
            Self::ImageUnreadable { .. } => "check the path, and that this user may read it".into(),
            Self::ImageRefused { .. } => {
                "fetch it again and compare its SHA-256; r3e-eif describe shows what is in it".into()
            }
            Self::NoReferenceValues => "give --reference-values FILE, as clients do".into(),
            Self::ReferenceValues { .. } => "take the file that was published with the release".into(),
            Self::NotPublished { .. } => "no client that accepts only what is published will speak to it: take the image of \
                                          the release, or publish this one's values; r3e-eif diff shows what differs"
                .into(),
            Self::EmulatorMissing { .. } => "run tests/qemu/setup, or name the folder: --qemu DIR".into(),
            Self::SigningFile { .. } => {
                "give a folder with key.der, leaf.der, ca0.der and ca1.der, or no --qemu-sign-with".into()
            }
            Self::Emulated => "use it for tests alone, with no secret in it".into(),
            Self::DebugMode => "leave out --debug-mode".into(),
            Self::HeartbeatOnNitro => "leave out --heartbeat".into(),
            Self::Configuration { .. } => "give the enclave's configuration: --configuration FILE".into(),
            Self::SocketPath { .. } => format!("give a --data whose sockets have at most {MAX_SOCKET_PATH_BYTES} bytes"),
            Self::ParentRunning { data } => {
                format!("r3e-parent status --data {} tells how it is; stop it first", data.display())
            }
            Self::Data { path, .. } | Self::DataMissing { path, .. } => {
                format!("make it this user's own: install -d -m 700 -o USER {}", path.display())
            }
            Self::DiskFull { .. } => {
                format!("free some: the store needs {MIN_DISK_FREE_MIB} MiB to write at all")
            }
            Self::Listen { low: true, .. } => {
                "ports below 1024 need AmbientCapabilities=CAP_NET_BIND_SERVICE; or another program has it: ss -ltnp".into()
            }
            Self::Listen { .. } => "see which program has it (ss -ltnp), or give another --listen".into(),
            Self::EnclavePort { .. } => {
                "another parent has the ports towards enclaves: one runs on a machine at a time".into()
            }
        }
    }
}
