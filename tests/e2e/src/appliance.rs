//! A parent and an enclave as processes in a folder of their own, on a port of their own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use r3e_client::{AttestedChannel, Connector, OperatorChannel, Policy, SigningKey};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use crate::enclave::{EnclavePlace, Place, Running, Trust};
use crate::ports::free_port;
use crate::process::{Process, log_file, tail};
use crate::programs::program;
use crate::raw::Http;

/// From start to health; a loaded machine takes a while to load a debug build, and longer to emulate another.
const READY_LIMIT: Duration = Duration::from_mins(3);
/// For an orderly end: longer than either program gives open requests.
const STOP_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// What an appliance is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The unlock provider.
    pub unlock: &'static str,
    /// The provider's own tables of the configuration, TOML.
    pub unlock_tables: String,
    /// PEM certificates that functions' `fetch` trusts beside the public web's.
    pub extra_roots: String,
    /// Where hosts are, whatever DNS says: `HOST:PORT:ADDR:PORT`.
    pub resolve: Vec<String>,
    /// The metadata service of the parent's machine, where it is not EC2's.
    pub imds_endpoint: Option<String>,
    /// Runner processes at once.
    pub max_runners: usize,
    /// How long compiling one function may take.
    pub max_compile_ms: u32,
    /// The configuration's tables of chains, TOML.
    pub chains: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            unlock: "test",
            unlock_tables: String::new(),
            extra_roots: String::new(),
            resolve: Vec::new(),
            imds_endpoint: None,
            max_runners: 8,
            max_compile_ms: 10_000,
            chains: String::new(),
        }
    }
}

/// A running appliance, whose enclave is a process or whatever else its place starts. Dropped, both are ended and its folder
/// is removed; in a test that fails, the end of each log is shown first.
#[derive(Debug)]
pub struct Appliance<P: Place = EnclavePlace> {
    // Processes end before their folder goes.
    parent: Option<Process>,
    enclave: Option<P::Running>,
    options: Options,
    operator: SigningKey,
    port: u16,
    place: P,
    folder: TempDir,
}

impl Appliance {
    /// Starts a parent and `enclave-under-test`, and waits until they serve.
    pub async fn start(options: Options) -> Self {
        Self::start_at(options, EnclavePlace::new).await
    }
}

impl<P: Place> Appliance<P> {
    /// Starts a parent, and an enclave at a place in the appliance's folder, and waits until they serve.
    pub async fn start_at(options: Options, place: impl FnOnce(&Path) -> P) -> Self {
        let mut appliance = Self::prepare(options, place);
        appliance.start_parent();
        appliance.start_enclave();
        appliance.ready().await;
        appliance
    }

    /// The same, with nothing started yet.
    pub fn prepare(options: Options, place: impl FnOnce(&Path) -> P) -> Self {
        let folder = tempfile::Builder::new().prefix("r3e-").tempdir().expect("a temporary folder");
        let operator = SigningKey::generate().expect("a key");
        let place = place(folder.path());
        let appliance =
            Self { parent: None, enclave: None, options, operator, port: free_port(), place, folder };
        appliance.write_configuration();
        appliance
    }

    /// The folder with everything of this appliance.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where clients connect.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The enclave's files.
    pub fn enclave_place(&self) -> &P {
        &self.place
    }

    /// What a client must know to verify the enclave.
    pub fn trust(&self) -> Trust {
        self.place.trust()
    }

    /// The operator's key.
    pub fn operator_key(&self) -> &SigningKey {
        &self.operator
    }

    /// Makes another key the operator's, from the next start of both on.
    pub fn set_operator_key(&mut self, key: SigningKey) {
        self.operator = key;
        self.write_configuration();
    }

    /// A connector with the policy that accepts this appliance, with the configuration it was started with last.
    pub fn connector(&self) -> Connector {
        let configuration = std::fs::read(self.configuration()).expect("the configuration");
        let builder = self.trust().policy_builder().pin_configuration_file(&configuration);
        self.connector_with(Policy::new(builder).expect("a policy"))
    }

    /// A connector with another policy.
    pub fn connector_with(&self, policy: Policy) -> Connector {
        Connector::new(self.address().parse().expect("an address"), policy).expect("a connector")
    }

    /// An attested channel.
    pub async fn connect(&self) -> AttestedChannel {
        self.connector().connect().await.expect("an attested channel")
    }

    /// A channel on which the operator is signed in.
    pub async fn operator(&self) -> OperatorChannel {
        self.connect().await.sign_in_operator(&self.operator).await.expect("the operator signs in")
    }

    /// The enclave's process id.
    pub fn enclave_id(&self) -> u32 {
        self.enclave.as_ref().expect("the enclave runs").id()
    }

    /// The enclave's process, to wait for its end.
    pub fn enclave_process(&mut self) -> &mut P::Running {
        self.enclave.as_mut().expect("the enclave was started")
    }

    /// Starts the parent.
    pub fn start_parent(&mut self) {
        let mut arguments: Vec<OsString> = vec!["serve".into(), "--listen".into(), self.address().into()];
        let mut enclave = OsString::from("unix:");
        enclave.push(self.place.socket());
        arguments.extend(["--enclave".into(), enclave, "--data".into(), self.data().into()]);
        arguments.extend(["--configuration".into(), self.configuration().into()]);
        // One address is every client of a test.
        arguments
            .extend(["--max-connections-per-address", "0", "--connections-per-second", "0"].map(Into::into));
        if let Some(endpoint) = &self.options.imds_endpoint {
            arguments.extend(["--imds-endpoint".into(), endpoint.into()]);
        }
        for rule in &self.options.resolve {
            arguments.extend(["--egress-resolve".into(), rule.into()]);
        }
        let log = log_file(self.folder(), "parent");
        self.parent = Some(Process::start("r3e-parent", &program("r3e-parent"), arguments, &log));
    }

    /// Starts the enclave.
    pub fn start_enclave(&mut self) {
        self.enclave = Some(self.place.start());
    }

    /// Another enclave has taken over, at another place: it is the one that is served, stopped and started from here on.
    /// What is left of the one before comes back.
    pub fn went_over(&mut self, place: P, enclave: P::Running) -> P::Running {
        self.place = place;
        self.enclave.replace(enclave).expect("the enclave was started")
    }

    /// Kills the parent.
    pub fn kill_parent(&mut self) {
        self.parent.take().expect("the parent runs").kill();
    }

    /// Kills the enclave.
    pub fn kill_enclave(&mut self) {
        self.enclave.take().expect("the enclave runs").kill();
    }

    /// Ends the enclave, then the parent, in order.
    pub async fn stop(&mut self) {
        if let Some(enclave) = self.enclave.take() {
            enclave.stop(STOP_LIMIT).await;
        }
        if let Some(parent) = self.parent.take() {
            parent.stop(STOP_LIMIT).await;
        }
    }

    /// Stops both, and starts both again with the same state.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_parent();
        self.start_enclave();
        self.ready().await;
    }

    /// Other tables of the unlock provider, from the next start of both on.
    pub fn set_unlock_tables(&mut self, tables: String) {
        self.options.unlock_tables = tables;
        self.write_configuration();
    }

    /// Waits until everything is served: for an appliance that others unlock.
    ///
    /// # Panics
    /// A process ended meanwhile, or it took too long.
    pub async fn serving(&mut self) {
        let deadline = Instant::now() + READY_LIMIT;
        loop {
            self.ready().await;
            if self.health().await.as_deref() == Some("ok") {
                return;
            }
            assert!(Instant::now() < deadline, "not unlocked after {READY_LIMIT:?}");
            sleep(POLL).await;
        }
    }

    /// What the public health route says.
    pub async fn health(&self) -> Option<String> {
        let answer = Http::public(&self.address()).await.ok()?.get("/v1/health").await.ok()?;
        let body: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
        Some(body["status"].as_str()?.to_owned())
    }

    /// Gives the parent an empty data folder from its next start on; the old one is kept beside it.
    pub fn replace_data(&self) {
        std::fs::rename(self.data(), self.folder().join("data-before")).expect("the data folder");
    }

    /// Waits until health is answered.
    ///
    /// # Panics
    /// A process ended meanwhile, or it took too long.
    pub async fn ready(&mut self) {
        let deadline = Instant::now() + READY_LIMIT;
        while !self.is_healthy().await {
            let parent = self.parent.as_mut().and_then(Process::ended);
            let enclave = self.enclave.as_mut().and_then(Running::ended);
            for (name, ended) in [("parent", parent), ("enclave", enclave)] {
                if let Some(status) = ended {
                    panic!("the {name} ended before it was ready: {status}");
                }
            }
            assert!(Instant::now() < deadline, "no health after {READY_LIMIT:?}");
            sleep(POLL).await;
        }
    }

    async fn is_healthy(&self) -> bool {
        let ask = async {
            let mut http = Http::public(&self.address()).await.ok()?;
            http.get("/v1/health").await.ok()
        };
        // A connection that hangs on a process that just ended is given up soon.
        matches!(timeout(Duration::from_secs(2), ask).await, Ok(Some(answer)) if answer.status == 200)
    }

    /// The parent's data folder.
    pub fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    fn configuration(&self) -> PathBuf {
        self.folder().join("configuration.toml")
    }

    fn write_configuration(&self) {
        let Options { unlock, unlock_tables, extra_roots, max_runners, max_compile_ms, chains, .. } =
            &self.options;
        let operator = self.operator.public_key();
        let text = format!(
            "[operator]\npublic_key = \"{operator}\"\n\n[unlock]\nprovider = \"{unlock}\"\n\n{unlock_tables}\
             [egress]\nextra_roots = \"\"\"\n{extra_roots}\"\"\"\n\n[functions]\nmax_runners = {max_runners}\n\
             max_compile_ms = {max_compile_ms}\n{chains}"
        );
        std::fs::write(self.configuration(), text).expect("the configuration");
    }
}

impl<P: Place> Drop for Appliance<P> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let parent = log_file(self.folder(), "parent");
            for (name, log) in [("parent", parent), ("enclave", self.place.log())] {
                eprintln!("--- the end of the {name}'s log ---\n{}", tail(&log));
            }
        }
    }
}
