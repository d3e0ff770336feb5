//! What the one who runs the machine can do to an enclave without touching its memory: give the kernel other arguments, too
//! little memory, or a parent that does not answer. The enclave serves as it was measured, or it ends and says why.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::path::Path;
use std::time::Duration;

use r3e_e2e::{Appliance, Place as _};
use r3e_proto::host::HEARTBEAT_PORT;
use r3e_qemu::limits::DEFAULT_MEMORY_MIB;
use r3e_qemu::machine::parent_socket;
use r3e_qemu::{Heartbeat, Image, Machine, MachineConfig, MachinePlace, Manner, Tools, options};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// For a machine to boot, or to end, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_mins(3);

/// The image's size in MiB, rounded up.
fn image_mib() -> u32 {
    let bytes = std::fs::metadata(Image::under_test().eif).unwrap().len();
    u32::try_from(bytes.div_ceil(1024 * 1024)).unwrap()
}

/// A machine for which the test plays the parent.
struct Alone {
    machine: Machine,
    heartbeat: Option<Heartbeat>,
    _folder: TempDir,
}

impl Alone {
    fn boot(manner: Option<Manner>, change: impl FnOnce(&mut MachineConfig)) -> Self {
        let folder = TempDir::new().unwrap();
        let heartbeat = manner
            .map(|manner| Heartbeat::listen(&parent_socket(folder.path(), HEARTBEAT_PORT), manner).unwrap());
        let mut config = MachineConfig::new(&Image::under_test().eif, folder.path());
        change(&mut config);
        let machine = Machine::boot(&Tools::find().unwrap(), &config).unwrap();
        Self { machine, heartbeat, _folder: folder }
    }

    /// Waits until it says one of some texts, or until the machine's end; whether it said one.
    async fn says_before_it_ends(&mut self, texts: &[&str]) -> bool {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Looked at first: what it said before its end counts.
            let ended = self.machine.ended().unwrap().is_some();
            let console = self.machine.console();
            let said = texts.iter().any(|text| console.contains(text));
            if said || ended {
                return said;
            }
            assert!(Instant::now() < deadline, "neither {texts:?} nor an end:\n{console}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits for the machine's end; what it said until then.
    async fn last_words(mut self) -> String {
        let ended = self.machine.wait(PATIENCE).await.unwrap();
        let console = self.machine.console();
        assert!(ended.is_some(), "the machine goes on:\n{console}");
        console
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "boots a machine: scripts/test --only qemu"]
async fn more_arguments_for_the_kernel_change_nothing() {
    // Settings of the kernel, of a program's environment, and words that an init may take for its own.
    let append = "quiet sysctl.kernel.dmesg_restrict=0 sysctl.kernel.modules_disabled=0 LD_PRELOAD=/tmp/x.so RUST_LOG=trace \
                  R3E_UNLOCK=test unlock=test single emergency debug init=/bin/sh";
    let image = Image::under_test();
    let place = |folder: &Path| {
        MachinePlace::new(folder, &image).with(|config| config.append = Some(append.to_owned()))
    };
    let appliance = Appliance::start_at(options(), place).await;
    appliance.connect().await;
    let console = std::fs::read_to_string(appliance.enclave_place().log()).unwrap();
    assert!(!console.contains("TRACE") && !console.contains("DEBUG"), "{console}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "boots a machine: scripts/test --only qemu"]
async fn another_first_process_does_not_serve() {
    // Of an image with a ramdisk the kernel heeds `rdinit=` and not `init=`. What init sets up is missing then, and the
    // enclave's program ends before it has a key.
    let skip_init =
        |config: &mut MachineConfig| config.append = Some("rdinit=/usr/bin/r3e-enclave".to_owned());
    let console = Alone::boot(Some(Manner::Echo), skip_init).last_words().await;
    assert!(console.contains("no key can be made safely"), "{console}");
    assert!(console.contains("Attempted to kill init"), "{console}");
    assert!(!console.contains("attestation device"), "it went on\n{console}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "boots a machine: scripts/test --only qemu"]
async fn arguments_that_hide_the_devices_end_the_enclave() {
    // The kernel leaves what follows two dashes to its first process, and the devices are named after what is appended.
    let hide = |config: &mut MachineConfig| config.append = Some("-- --unlock test".to_owned());
    let console = Alone::boot(Some(Manner::Echo), hide).last_words().await;
    assert!(console.contains("/dev/nsm") && console.contains("the enclave ends"), "{console}");
    assert!(!console.contains("attestation device"), "it went on\n{console}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "boots machines: scripts/test --only qemu"]
async fn a_heartbeat_that_is_not_answered_well_ends_the_enclave() {
    for manner in [Manner::Wrong, Manner::Hangup, Manner::Silent] {
        let console = Alone::boot(Some(manner), |_| {}).last_words().await;
        assert!(console.contains("r3e-init: "), "{manner:?}: {console}");
        assert!(console.contains("the enclave ends"), "{manner:?}: {console}");
        assert!(!console.contains("attestation device"), "{manner:?}: it went on\n{console}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "boots a machine: scripts/test --only qemu"]
async fn a_heartbeat_that_is_answered_late_is_answered() {
    let late = Manner::Late(Duration::from_secs(3));
    let alone = Alone::boot(Some(late), |_| {});
    assert!(alone.machine.shows("attestation device", PATIENCE).await, "{}", alone.machine.console());
    assert_eq!(alone.heartbeat.as_ref().unwrap().received(), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "boots a machine: scripts/test --only qemu"]
async fn a_parent_that_is_not_there_ends_the_enclave() {
    // Nothing refuses a connection to a dead port of this host: the limits on time are the enclave's own.
    let console = Alone::boot(None, |_| {}).last_words().await;
    assert!(console.contains("the enclave ends"), "{console}");
    assert!(!console.contains("attestation device"), "it went on\n{console}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "boots a machine: scripts/test --only qemu"]
async fn a_parent_without_a_configuration_ends_the_enclave() {
    let console = Alone::boot(Some(Manner::Echo), |_| {}).last_words().await;
    assert!(console.contains("gave no configuration"), "{console}");
    assert!(console.contains("the enclave ends"), "{console}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "boots a machine: scripts/test --only qemu"]
async fn a_parent_that_comes_late_is_served() {
    let image = Image::under_test();
    let mut appliance = Appliance::prepare(options(), |folder| MachinePlace::new(folder, &image));
    let socket = appliance.enclave_place().socket();
    let heartbeat = Heartbeat::listen(&parent_socket(socket.parent().unwrap(), HEARTBEAT_PORT), Manner::Echo);
    let heartbeat = heartbeat.unwrap();
    appliance.start_enclave();
    let deadline = Instant::now() + PATIENCE;
    while heartbeat.received() == 0 {
        let ended = appliance.enclave_process().ended().unwrap();
        // The end of its console is shown with a test that fails.
        assert!(ended.is_none() && Instant::now() < deadline, "no heartbeat came: {ended:?}");
        sleep(Duration::from_millis(50)).await;
    }
    // The first tries to fetch the configuration hang, and are given up by the enclave itself.
    sleep(Duration::from_secs(8)).await;
    drop(heartbeat);
    appliance.start_parent();
    appliance.ready().await;
    appliance.connect().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "boots machines: scripts/test --only qemu"]
async fn too_little_memory_ends_the_machine() {
    // The image alone fills it: nothing runs that could say so. QEMU starts, and its machine resets itself.
    let mut alone = Alone::boot(Some(Manner::Echo), |config| config.memory_mib = image_mib());
    let ended = alone.machine.wait(PATIENCE).await.unwrap();
    let console = alone.machine.console();
    assert!(ended.is_some_and(|status| status.success()) && console.is_empty(), "{ended:?}: {console}");

    // With more the kernel starts, and says that it has no room for the image: by which size differs from image to image.
    let mut consoles = Vec::new();
    for more_mib in [8, 12, 16, 20] {
        let mut alone = Alone::boot(Some(Manner::Echo), |config| config.memory_mib = image_mib() + more_mib);
        let said = alone.says_before_it_ends(&["System is deadlocked on memory", "unpacking failed"]).await;
        let console = alone.machine.console();
        assert!(!console.contains("attestation device"), "{more_mib} MiB are enough?\n{console}");
        if said {
            return;
        }
        consoles.push(console);
    }
    panic!("the kernel says nothing of it: {consoles:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "boots machines: scripts/test --only qemu"]
async fn an_image_that_was_unpacked_in_part_does_not_run() {
    // The measurements are those of the whole image, so what runs must be the whole image. The search ends at the least
    // memory that is enough; just below it the kernel goes on with a part, and init must not.
    let (mut too_little, mut enough) = (image_mib() * 5 / 2, DEFAULT_MEMORY_MIB);
    let mut cut_short = 0;
    while enough - too_little > 2 {
        let memory_mib = u32::midpoint(too_little, enough);
        let mut boot = Alone::boot(Some(Manner::Echo), |config| config.memory_mib = memory_mib);
        let serves = boot.says_before_it_ends(&["attestation device"]).await;
        let console = boot.machine.console();
        if console.contains("no room to unpack the whole image") {
            assert!(console.contains("the enclave ends"), "{memory_mib} MiB:\n{console}");
            cut_short += 1;
        }
        assert!(!(serves && console.contains("unpacking failed")), "{memory_mib} MiB:\n{console}");
        *(if serves { &mut enough } else { &mut too_little }) = memory_mib;
    }
    assert!(enough < DEFAULT_MEMORY_MIB, "nothing less than the default serves");
    assert!(cut_short > 0, "no image was cut short down from {enough} MiB");
}
