//! A whole appliance in this process: parent, enclave, and a fake attestation device that takes 5 ms a call.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use r3e_attestation::{ReferenceValues, TrustAnchor, UnsafeTestRoot};
use r3e_attester::{Attester, AttesterConfig, NsmDriver, Request, Response};
use r3e_client::{Connector, Policy, SetSecret, SigningKey, TenantChannel};
use r3e_enclave::{Parts, run};
use r3e_fake_nsm::{FakeNsm, FakeNsmConfig};
use r3e_parent::{Parent, RunningParent, Settings};
use r3e_proto::api::functions::{Deploy, Permissions};
use r3e_proto::api::secrets::Grantee;
use r3e_proto::host::CHANNEL_PORT;
use r3e_transport::{EnclaveTransport, Endpoint, ParentTransport};
use tokio::sync::watch;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use crate::{Measured, collect};

const DEVICE_LATENCY: Duration = Duration::from_millis(5);
const FUNCTION: &str = "export default (event) => ({ sum: event.a + event.b });";
const EVENT: &str = r#"{"a":1,"b":2}"#;
/// The same with a secret, each of whose reads is a durable entry of the audit log.
const READER: &str = "export default async (event) => ({ sum: event.a + event.b, key: (await r3e.secrets.get('KEY')).length });";
const SECRET: &str = "KEY";
pub(crate) const FUNCTIONS: [(&str, &str); 2] = [("sum", "no secret"), ("reader", "one secret read, logged")];

pub(crate) struct Appliance {
    parent: ParentTransport,
    connector: Connector,
    operator: SigningKey,
    has_runner: bool,
    calls: Arc<AtomicU64>,
    _running: (RunningParent, watch::Sender<bool>, tempfile::TempDir),
}

/// Counts what reaches the device.
struct Counted(FakeNsm, Arc<AtomicU64>);

impl NsmDriver for Counted {
    fn process(&self, request: Request) -> Response {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.process(request)
    }
}

impl Appliance {
    pub(crate) async fn start(runner: Option<PathBuf>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let endpoint = Endpoint::Unix { path: folder.path().join("enclave") };
        let operator = SigningKey::generate()?;
        let configuration = folder.path().join("configuration.toml");
        std::fs::write(
            &configuration,
            format!(
                "[operator]\npublic_key = \"{}\"\n[unlock]\nprovider = \"ephemeral\"\n",
                operator.public_key()
            ),
        )?;
        let data = folder.path().join("data");
        let settings = Settings::new("127.0.0.1:0".parse()?, endpoint.clone(), data, configuration);
        let running = Parent::start(settings).await?;

        let nsm =
            FakeNsmConfig { call_latency: DEVICE_LATENCY, instance_authority: true, ..Default::default() };
        let pcrs = nsm.pcrs;
        let device = FakeNsm::open(&folder.path().join("nsm"), nsm)?;
        let root = std::fs::read(folder.path().join("nsm/test-root.pem"))?;
        let calls = Arc::new(AtomicU64::new(0));
        let attester = Attester::start(Counted(device, Arc::clone(&calls)), AttesterConfig::default())?;
        let has_runner = runner.is_some();
        let parts = Parts {
            transport: EnclaveTransport::new(endpoint.clone()),
            attester,
            other_unlock_providers: Vec::new(),
            bundler: "no-bundler".into(),
            runner: runner.unwrap_or_else(|| "no-runner".into()),
        };
        let (stopping, stop) = watch::channel(false);
        tokio::spawn(async move {
            if let Err(error) = run(parts, stop).await {
                eprintln!("the enclave stopped: {error}");
            }
        });
        let policy = Policy::new(appraisal(pcrs, &root)?)?;
        let connector = Connector::new(running.local_addr().to_string().parse()?, policy)?;
        let parent = ParentTransport::new(endpoint);
        let appliance =
            Self { parent, connector, operator, has_runner, calls, _running: (running, stopping, folder) };
        let patience = Instant::now() + Duration::from_secs(10);
        while let Err(error) = appliance.handshake().await {
            anyhow::ensure!(Instant::now() < patience, "the enclave does not serve: {error:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(appliance)
    }

    /// One attested connection, over the same kind of socket as the plain one.
    pub(crate) async fn handshake(&self) -> anyhow::Result<()> {
        let stream = self.parent.dial_enclave(CHANNEL_PORT).await?;
        self.connector.connect_over(stream).await?;
        Ok(())
    }

    pub(crate) fn device_calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// A tenant with a function, ready to invoke it; none without a runner.
    pub(crate) async fn invoker(self: &Arc<Self>) -> anyhow::Result<Option<Invoker>> {
        if !self.has_runner {
            return Ok(None);
        }
        let tenant = SigningKey::generate()?;
        let mut operator = self.connector.connect().await?.sign_in_operator(&self.operator).await?;
        operator.admit(tenant.public_key(), "bench").await?;
        let invoker = Invoker { appliance: Arc::clone(self), tenant: Arc::new(tenant) };
        let deploy = |source: &str, secrets: &[&str]| Deploy {
            permissions: Permissions {
                secrets: secrets.iter().map(|name| (*name).to_owned()).collect(),
                ..Permissions::default()
            },
            ..Deploy::javascript(source)
        };
        let channel = self.connector.connect().await?;
        let mut signed_in = channel.sign_in_tenant(&invoker.tenant).await?;
        signed_in.tenant().deploy("sum", &deploy(FUNCTION, &[])).await?;
        signed_in.tenant().deploy("reader", &deploy(READER, &[SECRET])).await?;
        let reader = Grantee::parse("reader").context("a grantee")?;
        let value = Zeroizing::new(b"sesame".to_vec());
        signed_in.set_secret_for(SECRET, value, &SetSecret::default(), &[reader]).await?;
        Ok(Some(invoker))
    }
}

pub(crate) struct Invoker {
    appliance: Arc<Appliance>,
    tenant: Arc<SigningKey>,
}

impl Invoker {
    async fn channel(&self) -> anyhow::Result<TenantChannel> {
        let channel = self.appliance.connector.connect().await?;
        Ok(channel.sign_in_tenant(&self.tenant).await?.into_tenant())
    }

    pub(crate) async fn measure(
        &self,
        function: &'static str,
        clients: usize,
        span: Duration,
    ) -> anyhow::Result<Measured> {
        let mut channels = Vec::new();
        for _ in 0..clients {
            channels.push(self.channel().await?);
        }
        let started = Instant::now();
        let mut tasks = JoinSet::new();
        for mut channel in channels {
            tasks.spawn(async move {
                let mut latencies = Vec::new();
                while started.elapsed() < span {
                    let begun = Instant::now();
                    let _verified = channel.invoke(function, EVENT).await.context("an invocation")?;
                    latencies.push(begun.elapsed());
                }
                anyhow::Ok(latencies)
            });
        }
        collect(tasks, started).await
    }
}

/// What the client demands: the fake image, under the fake root.
fn appraisal(pcrs: [[u8; 48]; 16], root: &[u8]) -> anyhow::Result<r3e_client::PolicyBuilder> {
    let release = ReferenceValues::new("bench", pcrs[0], pcrs[1], pcrs[2])?;
    let root = UnsafeTestRoot::from_pem(std::str::from_utf8(root)?)?;
    // What is measured is the handshake of an appliance of this very process.
    Ok(Policy::builder().trust(TrustAnchor::UnsafeTest(root)).accept_release(release).any_configuration())
}
