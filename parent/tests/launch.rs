//! The enclave's life under a supervisor, with a `nitro-cli` that is a script and an enclave that is this test.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod house;

use std::path::PathBuf;
use std::time::Duration;

use house::CONFIGURATION;
use house::machine::{FakeMachine, image, write_program};
use r3e_parent::launch::ApplianceError;
use r3e_parent::{Appliance, Launch, Restart, RunningAppliance, Settings, StatusFormat, query_status};
use r3e_proto::host::CHANNEL_PORT;
use r3e_transport::{EnclaveTransport, Endpoint};
use serde_json::Value;
use tokio::time::{sleep, timeout};

/// Far longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(30);

fn settings(machine: &FakeMachine) -> Settings {
    std::fs::write(machine.path("configuration"), CONFIGURATION).unwrap();
    let enclave = Endpoint::Unix { path: machine.path("enclave.sock") };
    let (data, configuration) = (machine.path("data"), machine.path("configuration"));
    // As over vsock: the heartbeat is nitro-cli's.
    Settings {
        heartbeat: false,
        ..Settings::new("127.0.0.1:0".parse().unwrap(), enclave, data, configuration)
    }
}

async fn start(machine: &FakeMachine, launch: Launch) -> RunningAppliance {
    Appliance::start(settings(machine), launch, &machine.machine()).await.unwrap()
}

/// The status, once `wanted` holds of it.
async fn status(machine: &FakeMachine, wanted: impl Fn(&Value) -> bool) -> Value {
    let data: PathBuf = machine.path("data");
    let mut last = Value::Null;
    let asking = async {
        loop {
            last = serde_json::from_str(&query_status(&data, StatusFormat::Json).await.unwrap()).unwrap();
            if wanted(&last) {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, asking).await.unwrap_or_else(|_| panic!("{last:#}"));
    last
}

fn codes(status: &Value) -> Vec<&str> {
    status["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_enclave_is_started_watched_started_again_and_ended() {
    let machine = FakeMachine::new();
    machine.write("tools/hold", "");
    let appliance = start(&machine, machine.launch()).await;
    let running = status(&machine, |status| status["enclave"]["state"] == "running").await;
    let image = machine.path("image.eif").display().to_string();
    let call = format!(
        "run-enclave --eif-path {image} --cpu-count 2 --memory 512 --enclave-cid 16 --enclave-name r3e-16"
    );
    assert_eq!(machine.calls(), [call.as_str()]);
    assert_eq!(running["enclave"]["started_by"], "nitro");
    assert_eq!(running["enclave"]["id"], machine.enclaves()[0].as_str());
    // The program within is not up yet.
    assert_eq!((codes(&running), running["serving"].as_bool()), (vec!["enclave_unreachable"], Some(false)));
    let enclave = EnclaveTransport::new(Endpoint::Unix { path: machine.path("enclave.sock") });
    let _listener = enclave.listen(CHANNEL_PORT).await.unwrap();
    let serving = status(&machine, |status| status["serving"] == true).await;
    assert_eq!(codes(&serving), [""; 0]);

    // It powers itself off.
    std::fs::remove_file(machine.path("tools/enclaves").join(&machine.enclaves()[0])).unwrap();
    let again =
        status(&machine, |status| status["enclave"]["starts"] == 2 && status["serving"] == true).await;
    assert_eq!(codes(&again), ["enclave_restarted"]);
    assert!(
        again["enclave"]["last_end"].as_str().unwrap().contains("nitro-cli lists it no more"),
        "{again:#}"
    );
    assert_eq!(machine.enclaves().len(), 1);
    let id = machine.enclaves().remove(0);
    timeout(LIMIT, appliance.shutdown()).await.unwrap();
    assert_eq!(machine.enclaves(), [""; 0]);
    assert_eq!(machine.calls().last().unwrap(), &format!("terminate-enclave --enclave-id {id}"));
}

#[tokio::test]
async fn an_enclave_that_does_not_start_is_tried_again_with_its_reason_shown() {
    let machine = FakeMachine::new();
    machine.write(
        "tools/fail-run-enclave",
        "Start allocating memory...\n[ E27 ] Insufficient memory available.\n",
    );
    let mut launch = machine.launch();
    launch.restart = Restart::Backoff { first_ms: 1, max_ms: 4 };
    let appliance = start(&machine, launch).await;
    let several = |status: &Value| {
        status["enclave"]["starts"].as_u64() >= Some(4) && codes(status) == ["enclave_not_running"]
    };
    let waiting = status(&machine, several).await;
    assert!(
        waiting["findings"][0]["words"].as_str().unwrap().contains("[ E27 ] Insufficient memory"),
        "{waiting:#}"
    );
    std::fs::remove_file(machine.path("tools/fail-run-enclave")).unwrap();
    status(&machine, |status| status["enclave"]["state"] == "running").await;
    timeout(LIMIT, appliance.shutdown()).await.unwrap();
    assert_eq!(machine.enclaves(), [""; 0]);
}

#[tokio::test]
async fn once_means_once() {
    let machine = FakeMachine::new();
    let mut launch = machine.launch();
    launch.restart = Restart::Never;
    launch.debug_mode = true;
    let mut appliance = start(&machine, launch).await;
    let running = status(&machine, |status| status["enclave"]["state"] == "running").await;
    assert!(machine.calls()[0].ends_with("--debug-mode"));
    assert!(codes(&running).contains(&"debug_mode"));
    // Not before the console's lines were read.
    let read = async {
        while !machine.path("tools/console-read").exists() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, read).await.unwrap();
    std::fs::remove_file(machine.path("tools/enclaves").join(&machine.enclaves()[0])).unwrap();
    let why = timeout(LIMIT, appliance.ended()).await.unwrap().to_string();
    assert!(why.contains("lists it no more") && why.contains("last words"), "{why}");
    assert!(!why.contains('\u{1b}'), "{why:?}");
    let stopped = status(&machine, |_| true).await;
    assert!(codes(&stopped).contains(&"enclave_stopped"), "{stopped:#}");
    timeout(LIMIT, appliance.shutdown()).await.unwrap();
    assert_eq!(machine.calls().iter().filter(|call| call.starts_with("run-enclave")).count(), 1);
}

#[tokio::test]
async fn what_an_earlier_start_left_is_ended_and_no_one_elses() {
    let machine = FakeMachine::new();
    machine.put_enclave("i-1-enc1", "r3e-16", 16, 2);
    machine.put_enclave("i-1-enc2", "other", 17, 0);
    let appliance = start(&machine, machine.launch()).await;
    status(&machine, |status| status["enclave"]["state"] == "running").await;
    let calls = machine.calls();
    assert_eq!(calls[0], "terminate-enclave --enclave-id i-1-enc1");
    assert!(calls[1].starts_with("run-enclave"));
    timeout(LIMIT, appliance.shutdown()).await.unwrap();
    assert_eq!(machine.enclaves(), ["i-1-enc2"]);
}

#[tokio::test]
async fn a_stop_in_the_midst_of_a_start_leaves_nothing() {
    let machine = FakeMachine::new();
    machine.write("tools/slow", "");
    let appliance = start(&machine, machine.launch()).await;
    timeout(LIMIT, async {
        while machine.enclaves().is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
    let starting = status(&machine, |_| true).await;
    assert_eq!(codes(&starting), ["enclave_starting"]);
    timeout(LIMIT, appliance.shutdown()).await.unwrap();
    assert_eq!(machine.enclaves(), [""; 0]);
    // The start was not cut off, and there was no second one.
    let calls = machine.calls();
    assert!(calls.len() == 2 && calls[1].starts_with("terminate-enclave"), "{calls:?}");
}

#[tokio::test]
async fn a_start_that_hangs_is_given_up_and_cleaned_up() {
    let machine = FakeMachine::new();
    machine.write("tools/hang", "");
    let mut launch = machine.launch();
    launch.boot_timeout_ms = 2_000;
    launch.restart = Restart::Never;
    let mut appliance = start(&machine, launch).await;
    let why = timeout(LIMIT, appliance.ended()).await.unwrap().to_string();
    assert!(why.contains("run-enclave did not end within 2000 ms"), "{why}");
    assert_eq!(machine.enclaves(), [""; 0]);
    timeout(LIMIT, appliance.shutdown()).await.unwrap();
}

#[tokio::test]
async fn a_tool_that_falls_silent_does_not_end_the_enclave() {
    let machine = FakeMachine::new();
    let appliance = start(&machine, machine.launch()).await;
    status(&machine, |status| status["enclave"]["state"] == "running").await;
    machine.write("tools/fail-describe-enclaves", "[ E39 ] Enclave process connection failure.");
    let blind = status(&machine, |status| codes(status).contains(&"enclave_not_seen")).await;
    assert_eq!(blind["enclave"]["state"], "running");
    assert_eq!(blind["enclave"]["starts"], 1);
    std::fs::remove_file(machine.path("tools/fail-describe-enclaves")).unwrap();
    status(&machine, |status| !codes(status).contains(&"enclave_not_seen")).await;
    timeout(LIMIT, appliance.shutdown()).await.unwrap();
}

#[tokio::test]
async fn an_image_that_is_changed_while_it_runs_is_not_started_again() {
    let machine = FakeMachine::new();
    let mut launch = machine.launch();
    launch.reference_values = Some(machine.publish());
    let appliance = start(&machine, launch).await;
    status(&machine, |status| status["enclave"]["state"] == "running").await;
    std::fs::write(machine.path("image.eif"), image("init=/evil")).unwrap();
    std::fs::remove_file(machine.path("tools/enclaves").join(&machine.enclaves()[0])).unwrap();
    let refused = status(&machine, |status| {
        codes(status) == ["enclave_not_running"] && status["enclave"]["starts"].as_u64() > Some(1)
    })
    .await;
    assert!(refused["enclave"]["last_end"].as_str().unwrap().contains("PCR0, PCR1"), "{refused:#}");
    timeout(LIMIT, appliance.shutdown()).await.unwrap();
    assert_eq!(machine.calls().iter().filter(|call| call.starts_with("run-enclave")).count(), 1);
}

#[tokio::test]
async fn what_the_preflight_finds_keeps_everything_from_starting() {
    let machine = FakeMachine::new();
    machine.put_enclave("i-1-enc1", "other", 16, 2);
    let refused = Appliance::start(settings(&machine), machine.launch(), &machine.machine()).await;
    let Err(ApplianceError::Preflight(findings)) = refused else { panic!("it started") };
    assert!(findings.iter().any(|finding| finding.code == "cid_in_use"));
    assert!(!machine.path("data").exists());
    assert_eq!(machine.calls(), [""; 0]);
}

#[tokio::test]
async fn an_answer_that_is_none_of_the_tools_is_an_error() {
    let machine = FakeMachine::new();
    let mut launch = machine.launch();
    launch.restart = Restart::Never;
    let r3e_parent::Host::Nitro { nitro_cli } = &launch.host else { unreachable!() };
    let script = std::fs::read_to_string(nitro_cli).unwrap();
    let spoilt = script.replace("\"EnclaveCID\\\": $cid,\n", "\"EnclaveCID\\\": 99,\n");
    assert_ne!(spoilt, script);
    write_program(nitro_cli, &spoilt);
    let mut appliance = start(&machine, launch.clone()).await;
    let why = timeout(LIMIT, appliance.ended()).await.unwrap().to_string();
    assert!(why.contains("CID 99") && why.contains("CID 16"), "{why}");
    appliance.shutdown().await;
    assert_eq!(machine.enclaves(), [""; 0]);

    let spoilt = script.replace(
        "echo \"{ \\\"EnclaveName\\\": \\\"$name",
        "echo \"no JSON { \\\"EnclaveName\\\": \\\"$name",
    );
    assert_ne!(spoilt, script);
    write_program(nitro_cli, &spoilt);
    let mut appliance = start(&machine, launch.clone()).await;
    let why = timeout(LIMIT, appliance.ended()).await.unwrap().to_string();
    assert!(why.contains("run-enclave answered with something unknown"), "{why}");
    appliance.shutdown().await;
    assert_eq!(machine.enclaves(), [""; 0]);
}
