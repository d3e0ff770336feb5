//! A root secret that was handed to an appliance under `aws-kms`, against a KMS that checks signatures, documents and the
//! key's policy: it comes back to the images that the policy names, and to no other.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use r3e_attester::{NsmDriver as _, Request, Response};
use r3e_fake_nsm::{FakeNsm, FakeNsmConfig, TestRoot};
use r3e_keys::kms::{
    AwsKms, Credentials, CredentialsFuture, Https, HttpsAnswer, HttpsError, HttpsFuture, KmsError, KmsParts,
    KmsPolicy, Operation,
};
use r3e_keys::{
    BoxError, Clock, Documents, Entropy, KeyError, RootSecret, Slot, SlotFuture, SlotWritten,
    UnlockProvider as _,
};
use r3e_kms_emulator::{Accounts, Emulator, NitroRoot, Options, example_policy};
use r3e_proto::host::credentials::AwsCredentials;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

const HOST: &str = "kms.eu-central-1.amazonaws.com";
const REGION: &str = "eu-central-1";
const ROLE: &str = "arn:aws:iam::111122223333:role/r3e-parent";

/// KMS, one parent with its slot, and the images that it boots.
struct Scene {
    kms: Arc<Emulator>,
    accounts: Accounts,
    key: String,
    slot: Arc<Kept>,
    folder: tempfile::TempDir,
}

/// An image, by the byte that its registers hold.
#[derive(Clone, Copy)]
struct Image(u8);

const OLD: Image = Image(1);
const NEW: Image = Image(2);

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = TestRoot::load_or_create(folder.path()).unwrap();
        let accounts = Accounts::default();
        let kms = Emulator::start(Options {
            host: HOST.to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            folder: folder.path().join("kms"),
            nitro_root: NitroRoot::from_pem(root.pem()),
            accounts: accounts.clone(),
        })
        .await;
        let key = kms.create_key(REGION, OLD.allowed());
        Self { kms: Arc::new(kms), accounts, key, slot: Arc::default(), folder }
    }

    /// From now on the key's policy names these images.
    fn allow(&self, images: &[Image]) {
        let statements =
            images.iter().flat_map(|image| image.allowed()["Statement"].as_array().unwrap().clone());
        let mut policy = OLD.allowed();
        policy["Statement"] = statements.collect();
        self.kms.set_policy(&self.key, policy);
    }

    /// The provider in an enclave that boots this image.
    fn booted(&self, image: Image, appliance: &str) -> AwsKms {
        let root = TestRoot::load_or_create(self.folder.path()).unwrap();
        let mut config = FakeNsmConfig::default();
        config.pcrs[0] = [image.0; 48];
        let roots = [CertificateDer::from_pem_slice(self.kms.authority().as_bytes()).unwrap()];
        let policy = KmsPolicy::new(&self.key, appliance, None, &roots).unwrap();
        let parts = KmsParts {
            slot: Arc::clone(&self.slot) as _,
            documents: Arc::new(Device(FakeNsm::under(root, config).unwrap())),
            https: Arc::new(Tls(Arc::clone(&self.kms))),
            credentials: Arc::new(Role(self.accounts.clone())),
            clock: Arc::new(Now),
        };
        AwsKms::new(policy, parts)
    }

    async fn comes_back(&self, image: Image) -> Result<[u8; 32], KmsError> {
        match self.booted(image, "alpha").unlock(&Random).await {
            Ok(root) => Ok(root.commitment().unwrap()),
            Err(KeyError::Locked { source, .. }) => Err(*source.downcast().unwrap()),
            Err(other) => panic!("{other:?}"),
        }
    }

    fn operations(&self) -> Vec<String> {
        self.kms.asked().into_iter().map(|asked| asked.operation).collect()
    }
}

impl Image {
    fn allowed(self) -> Value {
        example_policy(ROLE, "alpha", &[(0, hex::encode([self.0; 48]))])
    }
}

#[tokio::test]
async fn a_successors_image_must_be_in_the_keys_policy_before_it_counts() {
    let scene = Scene::new().await;
    let root = scene.booted(OLD, "alpha").unlock(&Random).await.unwrap();
    let identity = root.commitment().unwrap();
    let stood = scene.slot.stands();

    // Nobody told KMS of the new image: the old one's slot stands, so that it still comes back.
    let refused = scene.booted(NEW, "alpha").adopt(&root, &Random).await.unwrap_err();
    let KeyError::NotAdopted { source, .. } = refused else { panic!("{refused:?}") };
    let denied = *source.downcast::<KmsError>().unwrap();
    let denied_at =
        |error: &KmsError, at| matches!(error, KmsError::AccessDenied { operation, .. } if *operation == at);
    assert!(denied_at(&denied, Operation::GenerateDataKey), "{denied:?}");
    assert_eq!(scene.slot.stands(), stood);
    assert_eq!(scene.comes_back(OLD).await.unwrap(), identity);

    scene.allow(&[OLD, NEW]);
    scene.booted(NEW, "alpha").adopt(&root, &Random).await.unwrap();
    assert_ne!(scene.slot.stands(), stood, "sealed anew");
    assert_eq!(scene.operations()[3..], ["GenerateDataKey", "Decrypt"]);
    assert_eq!(scene.comes_back(NEW).await.unwrap(), identity);

    // The old image is off the list: it gets nothing of the new slot, nor of the old one in a backup.
    scene.allow(&[NEW]);
    assert_eq!(scene.comes_back(NEW).await.unwrap(), identity);
    assert!(denied_at(&scene.comes_back(OLD).await.unwrap_err(), Operation::Decrypt));
    scene.slot.put(stood);
    assert!(denied_at(&scene.comes_back(OLD).await.unwrap_err(), Operation::Decrypt));
}

#[tokio::test]
async fn a_root_moves_from_another_provider_and_to_no_other_appliance() {
    let scene = Scene::new().await;
    let root = RootSecret::fill_with(|bytes| Random.fill(bytes)).unwrap();
    scene.slot.put(Some(b"the setup of a quorum".to_vec()));
    // The key's policy knows no beta.
    let refused = scene.booted(OLD, "beta").adopt(&root, &Random).await;
    assert!(matches!(refused, Err(KeyError::NotAdopted { .. })), "{refused:?}");
    assert_eq!(scene.slot.stands().unwrap(), b"the setup of a quorum");
    scene.booted(OLD, "alpha").adopt(&root, &Random).await.unwrap();
    assert_eq!(scene.comes_back(OLD).await.unwrap(), root.commitment().unwrap());
}

struct Random;

impl Entropy for Random {
    fn fill(&self, out: &mut [u8]) -> Result<(), BoxError> {
        aws_lc_rs::rand::fill(out).map_err(|_| "no randomness".into())
    }
}

/// The parent's slot.
#[derive(Default)]
struct Kept(Mutex<Option<Vec<u8>>>);

impl Kept {
    fn stands(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap().clone()
    }

    fn put(&self, value: Option<Vec<u8>>) {
        *self.0.lock().unwrap() = value;
    }
}

impl Slot for Kept {
    fn read(&self) -> SlotFuture<'_, Option<Vec<u8>>> {
        Box::pin(async { Ok(self.stands()) })
    }

    fn write<'a>(&'a self, expected: Option<[u8; 32]>, value: &'a [u8]) -> SlotFuture<'a, SlotWritten> {
        Box::pin(async move {
            if expected != self.stands().map(|stands| Sha256::digest(stands).into()) {
                return Ok(SlotWritten::Conflict);
            }
            self.put(Some(value.to_vec()));
            Ok(SlotWritten::Written)
        })
    }
}

struct Device(FakeNsm);

impl Documents for Device {
    fn attest<'a>(
        &'a self,
        public_key: Option<&'a [u8]>,
        user_data: &'a [u8],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, BoxError>> + Send + 'a>> {
        Box::pin(async move {
            let (public_key, user_data) =
                (public_key.map(|key| key.to_vec().into()), Some(user_data.to_vec().into()));
            match self.0.process(Request::Attestation { user_data, nonce: None, public_key }) {
                Response::Attestation { document } => Ok(document),
                other => Err(format!("{other:?}").into()),
            }
        })
    }
}

/// The parent's role.
struct Role(Accounts);

impl Credentials for Role {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(async {
            let issued = self.0.issue(ROLE, Duration::from_hours(1));
            Ok(AwsCredentials {
                access_key_id: issued.access_key_id,
                secret_access_key: issued.secret_access_key.into(),
                session_token: Some(issued.session_token.into()),
                expires_at_ms: issued.expires_at_ms,
            })
        })
    }
}

struct Now;

impl Clock for Now {
    fn unix_ms(&self) -> u64 {
        u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
    }
}

/// TLS to the emulator, under its own authority.
struct Tls(Arc<Emulator>);

impl Https for Tls {
    fn post<'a>(
        &'a self,
        host: &'a str,
        _: u16,
        headers: &'a [(String, Zeroizing<String>)],
        body: &'a [u8],
        _: usize,
    ) -> HttpsFuture<'a> {
        Box::pin(async move {
            let failed = |error: BoxError| HttpsError::Failed(error);
            self.ask(host, headers, body).await.map_err(failed)
        })
    }
}

impl Tls {
    async fn ask(
        &self,
        host: &str,
        headers: &[(String, Zeroizing<String>)],
        body: &[u8],
    ) -> Result<HttpsAnswer, BoxError> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.0.authority().as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.0.address()).await?;
        let stream =
            TlsConnector::from(Arc::new(config)).connect(host.to_owned().try_into()?, stream).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let mut request = http::Request::post("/").header("host", host);
        for (name, value) in headers {
            request = request.header(name, value.as_str());
        }
        let answer = sender.send_request(request.body(Full::new(Bytes::copy_from_slice(body)))?).await?;
        let status = answer.status().as_u16();
        let body = Zeroizing::new(answer.into_body().collect().await?.to_bytes().to_vec());
        Ok(HttpsAnswer { status, headers: Vec::new(), body })
    }
}
