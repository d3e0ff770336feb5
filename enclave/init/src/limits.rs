//! Every limit of the first process, in one table, each with its reason.

use std::time::Duration;

/// For one try to connect to the parent. Where nothing listens, hardware refuses at once; a device that is a program on the
/// parent may never answer.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Between two tries to connect.
pub(crate) const CONNECT_PAUSE: Duration = Duration::from_millis(100);
/// For the whole heartbeat. The parent listens before it starts the enclave, so what is not there by now will not come.
pub(crate) const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(15);
/// For the kernel to name the NSM as its source of entropy; the driver does so before the first process starts.
pub(crate) const ENTROPY_SOURCE_TIMEOUT: Duration = Duration::from_secs(5);
/// Between two looks at that name.
pub(crate) const ENTROPY_SOURCE_PAUSE: Duration = Duration::from_millis(10);
/// Bytes read of a file that the kernel writes one line into.
pub(crate) const MAX_KERNEL_LINE_BYTES: u64 = 128;
/// Bytes read of the kernel's account of its memory; it is 1.5 KiB long, and what is looked for comes first.
pub(crate) const MAX_MEMORY_ACCOUNT_BYTES: u64 = 4096;
/// Entropy fed to the kernel: one answer of the NSM, eight times what the kernel's generator holds.
pub(crate) const SEED_BYTES: usize = 256;
/// The same, as the kernel counts it.
pub(crate) const SEED_LENGTH: i32 = 256;
/// The generator's state in bits: what the seed is counted as, and no more, however long it is.
pub(crate) const SEED_CREDIT_BITS: i32 = 256;
/// Open files of one process: the listener's connections, runners and stores of the enclave process, with room.
pub(crate) const MAX_OPEN_FILES: libc::rlim_t = 65_536;
/// What is left in the root file system is memory: nobody writes more than this of it. Nothing of ours writes any.
pub(crate) const SCRATCH: &str = "size=1m,nr_inodes=64,mode=0700";
