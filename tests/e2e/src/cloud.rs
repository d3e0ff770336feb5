//! The cloud around an appliance that is unlocked by AWS KMS: the emulated service, the metadata service of its machine, a
//! key, and the fake devices' root. Several appliances may live in it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use r3e_fake_nsm::{TestRoot, measured};
use r3e_kms_emulator::{Accounts, Emulator, Imds, NitroRoot, Options as EmulatorOptions, example_policy};
use serde_json::Value;
use tempfile::TempDir;

use crate::appliance::{Appliance, Options};
use crate::enclave::EnclavePlace;
use crate::process::whole;
use crate::programs::program;

/// The role of the machine.
pub const ROLE: &str = "arn:aws:iam::111122223333:role/r3e-parent";
const REGION: &str = "eu-central-1";
/// The host of KMS in that region, which the enclave derives from the key's name.
const HOST: &str = "kms.eu-central-1.amazonaws.com";
const LOCAL: ([u8; 4], u16) = ([127, 0, 0, 1], 0);
/// For an enclave that cannot start to say so: six attempts with their pauses, on a loaded machine.
const REFUSAL_LIMIT: Duration = Duration::from_mins(2);

/// The cloud.
pub struct Cloud {
    /// KMS.
    pub kms: Emulator,
    /// The machine's metadata service.
    pub imds: Imds,
    /// Whose credentials there are.
    pub accounts: Accounts,
    /// The key's ARN.
    pub key: String,
    folder: TempDir,
}

impl Cloud {
    /// With a key that appliances of the name `appliance` may use, from the image under test alone.
    pub async fn new(appliance: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("r3e-cloud-").tempdir().expect("a temporary folder");
        let root = TestRoot::load_or_create(&folder.path().join("nsm")).expect("a test root");
        let accounts = Accounts::default();
        let kms = Emulator::start(EmulatorOptions {
            host: HOST.to_owned(),
            listen: SocketAddr::from(LOCAL),
            folder: folder.path().join("kms"),
            nitro_root: NitroRoot::from_pem(root.pem()),
            accounts: accounts.clone(),
        })
        .await;
        let imds = Imds::start(SocketAddr::from(LOCAL), accounts.clone(), ROLE).await;
        let key = kms.create_key(REGION, Self::policy(appliance));
        Self { kms, imds, accounts, key, folder }
    }

    /// The example policy for the image under test.
    pub fn policy(appliance: &str) -> Value {
        example_policy(ROLE, appliance, &[(0, hex::encode(image_pcr0()))])
    }

    /// The service stops, and starts again with its keys; at another port, which the parents must be told.
    pub async fn restart_kms(&mut self) {
        let pem =
            std::fs::read_to_string(self.folder.path().join("nsm/test-root.pem")).expect("the test root");
        self.kms = Emulator::start(EmulatorOptions {
            host: HOST.to_owned(),
            listen: SocketAddr::from(LOCAL),
            folder: self.folder.path().join("kms"),
            nitro_root: NitroRoot::from_pem(&pem),
            accounts: self.accounts.clone(),
        })
        .await;
    }

    /// An appliance in this cloud, not started; its fake device signs under the cloud's root.
    pub fn appliance(&self, name: &str) -> Appliance {
        let options = Options {
            unlock: "aws-kms",
            unlock_tables: self.tables(name),
            resolve: vec![self.kms.resolve_rule()],
            imds_endpoint: Some(self.imds.endpoint()),
            ..Options::default()
        };
        let appliance = Appliance::prepare(options, EnclavePlace::new);
        let state = appliance.enclave_place().state();
        std::fs::create_dir_all(&state).expect("the fake device's folder");
        for file in ["test-root-identity.pem", "test-root.pem"] {
            std::fs::copy(self.folder.path().join("nsm").join(file), state.join(file))
                .expect("the test root");
        }
        appliance
    }

    /// The table of the provider in an appliance's configuration.
    pub fn tables(&self, name: &str) -> String {
        let (key, roots) = (&self.key, self.kms.authority());
        format!(
            "[unlock.aws_kms]\nkey_arn = \"{key}\"\nappliance = \"{name}\"\nroots = \"\"\"\n{roots}\"\"\"\n\n"
        )
    }
}

/// Starts the enclave, which must not come up, and returns what it said this time.
///
/// # Panics
/// It came up, or did not end.
pub async fn refused(appliance: &mut Appliance) -> String {
    let log = appliance.enclave_place().log();
    let before = whole(&log).len();
    appliance.start_enclave();
    let status = appliance.enclave_process().wait(REFUSAL_LIMIT).await;
    assert!(!status.success(), "an enclave that was to be refused served");
    whole(&log).split_off(before)
}

/// PCR0 of `enclave-under-test`, as it measures itself.
fn image_pcr0() -> [u8; 48] {
    let read = |path: &Path| std::fs::read(path).expect("a program");
    measured(&[read(&program("enclave-under-test")), read(&program("r3e-runner"))].concat())
}
