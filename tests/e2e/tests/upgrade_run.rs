//! `r3e-parent run` starts its enclave, goes over to a successor, and keeps that one running: real programs, but for the machine,
//! which is a process.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use r3e_attestation::{ReferenceValues, TrustAnchor, UnsafeTestRoot};
use r3e_client::{ClientError, Connector, Policy, SigningKey};
use r3e_e2e::Tenant;
use r3e_e2e::handoff::{Draft, Releasers, configuration, image, other_runner};
use r3e_e2e::ports::free_port;
use r3e_e2e::process::{Process, log_file, tail};
use r3e_e2e::programs::program;
use r3e_e2e::tenant::secret;
use r3e_eif_format::Image;
use r3e_fake_nsm::FakeNsm;
use r3e_proto::release::ImagePcrs;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

const READY_LIMIT: Duration = Duration::from_mins(2);
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// A host on which machines are processes, with two images of which the second may succeed the first.
struct Host {
    parent: Option<Process>,
    port: u16,
    operator: SigningKey,
    folder: TempDir,
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("r3e-").tempdir().unwrap();
        let host =
            Self { parent: None, port: free_port(), operator: SigningKey::generate().unwrap(), folder };
        let tools = host.path("tools");
        std::fs::create_dir(&tools).unwrap();
        for name in ["qemu-system-x86_64", "vhost-device-vsock"] {
            symlink(program("local-machine"), tools.join(name)).unwrap();
        }
        for name in ["a", "b"] {
            // What stands for the image differs, so that the parent sees two; the enclave measures programs.
            let eif = Image::new(b"kernel", name, b"{}", &[b"boot"]).encode().unwrap();
            std::fs::write(host.path(&format!("{name}.eif")), eif).unwrap();
            other_runner(host.folder.path(), &format!("{name}.runner"));
        }
        // One root for both, as under one hypervisor.
        FakeNsm::open(&host.path("a.state"), r3e_fake_nsm::FakeNsmConfig::default()).unwrap();
        std::fs::create_dir(host.path("b.state")).unwrap();
        let identity = "test-root-identity.pem";
        std::fs::copy(host.path("a.state").join(identity), host.path("b.state").join(identity)).unwrap();

        let releasers = Releasers::default();
        std::fs::write(host.path("enclave.toml"), configuration(&host.operator, &releasers.table())).unwrap();
        let release = Draft::new(host.image("a"), host.image("b")).release();
        std::fs::write(host.path("release.cbor"), releasers.approve(&release)).unwrap();
        std::fs::write(host.path("unsigned.cbor"), releasers.sign(&release, &[])).unwrap();
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn image(&self, name: &str) -> ImagePcrs {
        image(&self.path(&format!("{name}.runner")))
    }

    /// Starts the parent with the first image, whatever was done since.
    fn start(&mut self) {
        let address = format!("127.0.0.1:{}", self.port);
        let mut arguments: Vec<OsString> = vec!["run".into(), "--listen".into(), address.into()];
        for (option, name) in [
            ("--data", "data"),
            ("--configuration", "enclave.toml"),
            ("--image", "a.eif"),
            ("--qemu", "tools"),
        ] {
            arguments.extend([option.into(), self.path(name).into()]);
        }
        arguments.extend(["--cpus", "1", "--memory", "64", "--drain-timeout-ms", "1000"].map(Into::into));
        let log = log_file(self.folder.path(), "parent");
        self.parent = Some(Process::start("r3e-parent", &program("r3e-parent"), arguments, &log));
    }

    async fn stop(&mut self) {
        self.parent.take().unwrap().stop(STOP_LIMIT).await;
    }

    /// Accepts the images that are named, and no other.
    fn connector(&self, names: &[&str]) -> Connector {
        let values = names.iter().map(|name| {
            let [pcr0, pcr1, pcr2] = self.image(name);
            ReferenceValues::new(name, pcr0, pcr1, pcr2).unwrap()
        });
        let pem = std::fs::read_to_string(self.path("a.state/test-root.pem")).unwrap();
        let root = TrustAnchor::UnsafeTest(UnsafeTestRoot::from_pem(&pem).unwrap());
        let policy = Policy::builder().trust(root).accept_releases(values).any_configuration();
        Connector::new(format!("127.0.0.1:{}", self.port).parse().unwrap(), Policy::new(policy).unwrap())
            .unwrap()
    }

    /// Waits until the image that is named serves.
    async fn serves(&mut self, name: &str) {
        let (connector, deadline) = (self.connector(&[name]), Instant::now() + READY_LIMIT);
        while let Err(error) = connected(&connector).await {
            assert!(self.parent.as_mut().unwrap().ended().is_none(), "the parent ended");
            assert!(Instant::now() < deadline, "{error}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the successor's unlock provider would bring it back.
    async fn adopted(&self) {
        let (connector, deadline) = (self.connector(&["b"]), Instant::now() + READY_LIMIT);
        while !connector.connect().await.unwrap().status().await.unwrap().unlock_adopted {
            assert!(Instant::now() < deadline, "its provider never takes the root secret");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// `r3e-parent upgrade` to the second image: its code, and what it said on both streams.
    async fn upgrade(&self, manifest: &str) -> (Option<i32>, String) {
        let mut command = Command::new(program("r3e-parent"));
        command.current_dir(self.folder.path()).env_clear();
        command.args(["upgrade", "--data", "data", "--image", "b.eif", "--manifest", manifest]);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    }

    fn status(&self) -> Value {
        let mut command = Command::new(program("r3e-parent"));
        let output = command.args(["status", "--json", "--data"]).arg(self.path("data")).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the end of the log ---\n{}", tail(&log_file(self.folder.path(), "parent")));
        }
    }
}

async fn connected(connector: &Connector) -> Result<(), ClientError> {
    connector.connect().await?.status().await.map(drop)
}

/// The processes of this host's enclaves: those whose command line names its folder.
fn enclaves(folder: &Path) -> usize {
    let named = |process: &std::fs::DirEntry| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        line.contains("enclave-under-test") && line.contains(folder.to_str().unwrap())
    };
    std::fs::read_dir("/proc").unwrap().flatten().filter(named).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parent_goes_over_to_the_image_it_is_given_and_stays_with_it() {
    let mut host = Host::new();
    host.start();
    host.serves("a").await;
    let tenant = Tenant::admitted_over(host.connector(&["a", "b"]), &host.operator, "alice").await;
    tenant.channel().await.set_secret("KEPT", secret("1")).await.unwrap();
    assert_eq!(enclaves(host.folder.path()), 1);

    // Nobody signed: the first serves on, and says why, and the second has ended.
    let (code, said) = host.upgrade("unsigned.cbor").await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("[successor_failed]") && said.contains("release_not_approved"), "{said}");
    host.serves("a").await;
    assert_eq!(enclaves(host.folder.path()), 1);

    let (code, said) = host.upgrade("release.cbor").await;
    assert_eq!(code, Some(0), "{said}");
    host.serves("b").await;
    let refused = connected(&host.connector(&["a"])).await.unwrap_err();
    assert_eq!(refused.code(), "pcr_mismatch", "{refused}");
    assert_eq!(enclaves(host.folder.path()), 1, "the first has ended");
    assert_eq!(host.status()["serving"], true);
    let set = tenant.channel().await.set_secret("KEPT", secret("2")).await.unwrap();
    assert_eq!(set.version, 2, "the state went with it");

    // With the same settings, which name the first image.
    host.adopted().await;
    host.stop().await;
    assert_eq!(enclaves(host.folder.path()), 0);
    host.start();
    host.serves("b").await;
    assert_eq!(tenant.channel().await.secret("KEPT").await.unwrap().secret.version, 2);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_dies_with_its_first_commit_is_started_again_and_loses_nothing() {
    let mut host = Host::new();
    host.start();
    host.serves("a").await;
    let tenant = Tenant::admitted_over(host.connector(&["a", "b"]), &host.operator, "alice").await;
    tenant.channel().await.set_secret("KEPT", secret("1")).await.unwrap();
    let identity = host.connector(&["a"]).connect().await.unwrap().status().await.unwrap().identity;
    // The provider releases the root secret to either image, as the same members of a quorum do.
    let kept = "test-root-secret";
    std::fs::copy(host.path("a.state").join(kept), host.path("b.state").join(kept)).unwrap();
    std::fs::write(host.path("b.dies"), "").unwrap();

    let (code, said) = host.upgrade("release.cbor").await;
    println!("{said}");
    assert_eq!(code, Some(1), "{said}");
    for words in ["took over", "has taken the state over", "comes back by its unlock provider"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("goes on"), "{said}");
    assert!(!host.path("b.dies").exists(), "it did die");

    // Nobody does anything: the parent starts it again, and clients go on.
    host.serves("b").await;
    assert_eq!(enclaves(host.folder.path()), 1, "the first has ended");
    let status = host.connector(&["b"]).connect().await.unwrap().status().await.unwrap();
    assert!(status.identity == identity && status.unlock_adopted);
    let mut channel = tenant.channel().await;
    assert_eq!(channel.secret("KEPT").await.unwrap().secret.version, 1);
    assert_eq!(channel.set_secret("KEPT", secret("2")).await.unwrap().version, 2);
    drop(channel);
    host.stop().await;
    host.start();
    host.serves("b").await;
    host.stop().await;
}
