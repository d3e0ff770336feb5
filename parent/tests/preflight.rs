//! What is found before a start, on machines that lack one thing each.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod house;

use std::os::unix::fs::PermissionsExt;

use house::CONFIGURATION;
use house::machine::{FakeMachine, image};
use r3e_parent::preflight::{Report, check};
use r3e_parent::{Host, Launch, Parent, Settings, Severity};
use r3e_transport::Endpoint;

/// Settings that are in order.
fn settings(machine: &FakeMachine) -> Settings {
    std::fs::write(machine.path("configuration"), CONFIGURATION).unwrap();
    Settings {
        heartbeat: false,
        ..Settings::new(
            "127.0.0.1:0".parse().unwrap(),
            Endpoint::Unix { path: machine.path("enclave.sock") },
            machine.path("data"),
            machine.path("configuration"),
        )
    }
}

async fn look(machine: &FakeMachine, launch: &Launch) -> Report {
    check(&settings(machine), launch, &machine.machine()).await
}

/// The codes of what keeps it from starting.
fn errors(report: &Report) -> Vec<&str> {
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| finding.code.as_str()).collect()
}

#[tokio::test]
async fn a_machine_in_order_is_ready_and_left_as_it_was() {
    let machine = FakeMachine::new();
    let mut launch = machine.launch();
    launch.reference_values = Some(machine.publish());
    let report = look(&machine, &launch).await;
    assert_eq!(report.findings, []);
    let found = report.image.unwrap();
    assert_eq!(found.release.as_deref(), Some("1.0.0"));
    assert_eq!(found.pcrs.keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
    assert!(!machine.path("data").exists() && machine.calls().is_empty());
}

#[tokio::test]
async fn each_lack_of_the_machine_is_named_once_with_a_next_step() {
    type Break = fn(&FakeMachine, &mut Launch);
    let hugepages = "root/sys/kernel/mm/hugepages/hugepages-2048kB";
    let cases: [(&str, &str, Break); 18] = [
        ("nitro_cli_missing", "dnf install", |machine, launch| {
            launch.host = Host::Nitro { nitro_cli: machine.path("nowhere") };
        }),
        ("nitro_cli_failed", "describe-enclaves", |machine, _| {
            machine.write("tools/fail-describe-enclaves", "[ E39 ] Enclave process connection failure.");
        }),
        ("device_missing", "enclave support", |machine, _| {
            std::fs::remove_file(machine.path("root/dev/nitro_enclaves")).unwrap();
        }),
        ("no_hugepages", "memory_mib: 512", |machine, _| {
            machine.write("root/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0");
            machine.write("root/etc/nitro_enclaves/allocator.yaml", "memory_mib: 256");
        }),
        ("no_hugepages", "did not get them", |machine, _| {
            machine.write("root/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0");
        }),
        ("allocator_too_small", "memory_mib: 2048", |_, launch| launch.memory_mib = 2048),
        ("hugepages_in_use", "nitro-cli describe-enclaves", |machine, _| {
            machine.write("root/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "10");
        }),
        ("cpu_pool_too_small", "cpu_count: 4", |_, launch| launch.cpus = 4),
        ("cpu_pool_too_small", "cpu_count: 3", |machine, _| machine.put_enclave("i-1-enc1", "other", 20, 1)),
        ("cpu_count", "--cpus 2", |_, launch| launch.cpus = 0),
        ("cid_reserved", "--cid from 4", |_, launch| launch.cid = 3),
        ("cid_in_use", "terminate-enclave --enclave-id i-1-enc1", |machine, _| {
            machine.put_enclave("i-1-enc1", "other", 16, 0);
        }),
        ("image_unreadable", "check the path", |_, launch| launch.image = "/nowhere.eif".into()),
        ("image_refused", "SHA-256", |machine, _| {
            let mut bytes = image("reboot=k");
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            std::fs::write(machine.path("image.eif"), bytes).unwrap();
        }),
        ("image_refused", "SHA-256", |machine, _| {
            let bytes = image("reboot=k");
            std::fs::write(machine.path("image.eif"), &bytes[..bytes.len() - 5]).unwrap();
        }),
        ("reference_values", "published", |machine, launch| {
            machine.write("values.json", "{\"releases\": [], \"releases\": []}");
            launch.reference_values = Some(machine.path("values.json"));
        }),
        ("image_not_published", "r3e-eif diff", |machine, launch| {
            launch.reference_values = Some(machine.publish());
            std::fs::write(machine.path("image.eif"), image("init=/evil")).unwrap();
        }),
        ("memory_too_small", "--memory 13", |machine, launch| {
            let large = vec![7; 3 << 20];
            let image = r3e_eif_format::Image::new(&large, "", b"{}", &[b"boot", b"application"]);
            std::fs::write(machine.path("image.eif"), image.encode().unwrap()).unwrap();
            launch.memory_mib = 12;
        }),
    ];
    assert!(machine_has(hugepages));
    for (code, next, break_it) in cases {
        let machine = FakeMachine::new();
        let mut launch = machine.launch();
        break_it(&machine, &mut launch);
        let report = look(&machine, &launch).await;
        assert_eq!(errors(&report), [code], "{next}: {:?}", report.findings);
        let finding = report.findings.iter().find(|finding| finding.code == code).unwrap();
        assert!(finding.next.contains(next), "{code}: {}", finding.next);
    }
}

/// The cases above change files that the fake has; a fake without them would pass them all.
fn machine_has(path: &str) -> bool {
    FakeMachine::new().path(path).is_dir()
}

#[tokio::test]
async fn each_lack_of_the_parent_is_named() {
    type Break = fn(&FakeMachine, &mut Settings);
    let cases: [(&str, Break); 5] = [
        ("configuration", |_, settings| settings.configuration = "/nowhere.toml".into()),
        ("heartbeat_port", |_, settings| settings.heartbeat = true),
        ("socket_path_too_long", |machine, settings| settings.data = machine.path(&"long".repeat(30))),
        ("data_folder", |machine, settings| {
            machine.write("file", "");
            settings.data = machine.path("file/data");
        }),
        ("enclave_port", |machine, _| machine.write("enclave.sock_5002", "not a socket")),
    ];
    for (code, break_it) in cases {
        let machine = FakeMachine::new();
        let mut settings = settings(&machine);
        break_it(&machine, &mut settings);
        let report = check(&settings, &machine.launch(), &machine.machine()).await;
        assert_eq!(errors(&report), [code], "{:?}", report.findings);
    }
}

#[tokio::test]
async fn a_data_folder_that_is_not_there_is_told_from_one_that_cannot_be_used() {
    // Files, since no mode keeps root out.
    let machine = FakeMachine::new();
    machine.write("file", "");
    for (data, words) in [
        ("file", "file cannot be written to: "),
        ("file/data", "file/data is not there, and cannot be made in "),
        ("file/deeper/data", "file/deeper/data is not there, and cannot be made in "),
    ] {
        let settings = Settings { data: machine.path(data), ..settings(&machine) };
        let report = check(&settings, &machine.launch(), &machine.machine()).await;
        let finding = report.findings.iter().find(|finding| finding.code == "data_folder").unwrap();
        assert!(finding.words.contains(words), "{}", finding.words);
        assert!(finding.next.ends_with(&format!("-o USER {}", settings.data.display())), "{}", finding.next);
        let file = format!("cannot be made in {}: ", machine.path("file").display());
        assert_eq!(finding.words.contains(&file), data != "file", "{}", finding.words);
    }
}

#[tokio::test]
async fn a_running_parent_and_a_taken_address_are_named() {
    let machine = FakeMachine::new();
    let settings = settings(&machine);
    let parent = Parent::start(settings.clone()).await.unwrap();
    let report = check(&settings, &machine.launch(), &machine.machine()).await;
    assert_eq!(errors(&report), ["parent_running"]);
    let other = Settings { data: machine.path("other"), listen: parent.local_addr(), ..settings };
    let report = check(&other, &machine.launch(), &machine.machine()).await;
    let found = errors(&report);
    assert_eq!((found.first().copied(), found.len()), (Some("listen_address"), 6));
    assert!(found.iter().skip(1).all(|code| *code == "enclave_port"), "each of five ports: {found:?}");
    parent.shutdown().await;
}

#[tokio::test]
async fn a_device_without_permission_is_told_from_one_that_is_missing() {
    if nix::unistd::geteuid().is_root() {
        // No mode keeps root out; a folder in place of the device cannot be opened by anyone.
        let machine = FakeMachine::new();
        std::fs::remove_file(machine.path("root/dev/nitro_enclaves")).unwrap();
        std::fs::create_dir(machine.path("root/dev/nitro_enclaves")).unwrap();
        assert_eq!(errors(&look(&machine, &machine.launch()).await), ["device_forbidden"]);
        return;
    }
    let machine = FakeMachine::new();
    let device = machine.path("root/dev/nitro_enclaves");
    std::fs::set_permissions(device, std::fs::Permissions::from_mode(0o000)).unwrap();
    let report = look(&machine, &machine.launch()).await;
    assert_eq!(errors(&report), ["device_forbidden"]);
    assert!(report.findings.iter().any(|finding| finding.next.contains("group ne")));
}

#[tokio::test]
async fn what_an_earlier_start_left_is_no_obstacle() {
    let machine = FakeMachine::new();
    machine.put_enclave("i-1-enc1", "r3e-16", 16, 2);
    machine.write("root/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "0");
    let report = look(&machine, &machine.launch()).await;
    assert_eq!(errors(&report), [""; 0], "{:?}", report.findings);
    assert!(report.findings.iter().any(|finding| finding.code == "enclave_left_over"));
}

#[tokio::test]
async fn what_protects_nothing_is_said() {
    let machine = FakeMachine::new();
    let codes = async |launch: &Launch| {
        look(&machine, launch).await.findings.into_iter().map(|finding| finding.code).collect::<Vec<_>>()
    };
    let mut launch = machine.launch();
    launch.debug_mode = true;
    assert_eq!(codes(&launch).await, ["no_reference_values", "debug_mode"]);
    let folder = Some(machine.path("tools"));
    launch.debug_mode = false;
    launch.host = Host::Qemu { folder, sign_with: Some(machine.path("nowhere")) };
    let signing = ["signing_file_missing"; 4];
    let expected = [&["no_reference_values", "emulated", "emulator_missing"][..], &signing].concat();
    assert_eq!(codes(&launch).await, expected);
}
