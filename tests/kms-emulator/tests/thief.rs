//! What credentials are worth without an enclave: a parent that uses them itself, with whatever documents it can get. Its
//! requests are signed by the product's own code, so that two implementations of `SigV4` check each other.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use r3e_attester::{NsmDriver as _, Request, Response};
use r3e_fake_nsm::{FakeNsm, FakeNsmConfig, Names, TestRoot};
use r3e_keys::kms::{Unsigned, sign};
use r3e_kms_emulator::{Accounts, Emulator, Issued, NitroRoot, Options, example_policy};
use r3e_proto::host::credentials::AwsCredentials;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const HOST: &str = "kms.eu-central-1.amazonaws.com";
const REGION: &str = "eu-central-1";
const ROLE: &str = "arn:aws:iam::111122223333:role/r3e-parent";

struct Scene {
    kms: Emulator,
    nsm: FakeNsm,
    issued: Issued,
    key: String,
    _folder: tempfile::TempDir,
}

async fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let root = TestRoot::generate(Names::test()).unwrap();
    let accounts = Accounts::default();
    let kms = Emulator::start(Options {
        host: HOST.to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        folder: folder.path().to_owned(),
        nitro_root: NitroRoot::from_pem(root.pem()),
        accounts: accounts.clone(),
    })
    .await;
    let config = FakeNsmConfig::default();
    let policy = example_policy(ROLE, "alpha", &[(0, hex::encode(config.pcrs[0]))]);
    let key = kms.create_key(REGION, policy);
    let issued = accounts.issue(ROLE, Duration::from_hours(1));
    Scene { nsm: FakeNsm::under(root, config).unwrap(), kms, issued, key, _folder: folder }
}

impl Scene {
    fn document(&self, public_key: Option<&[u8]>) -> Vec<u8> {
        let public_key = public_key.map(|key| key.to_vec().into());
        match self.nsm.process(Request::Attestation { user_data: None, nonce: None, public_key }) {
            Response::Attestation { document } => document,
            other => panic!("{other:?}"),
        }
    }

    fn body(&self, document: Option<&[u8]>) -> Value {
        let mut body = json!({
            "KeyId": self.key, "KeySpec": "AES_256",
            "EncryptionContext": { "r3e:appliance": "alpha", "r3e:image": "r3e-enclave/1" },
        });
        if let Some(document) = document {
            body["Recipient"] = json!({
                "AttestationDocument": STANDARD.encode(document), "KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256",
            });
        }
        body
    }

    /// The answer to a request that is signed over `body` and sent with `sent`.
    async fn ask(&self, operation: &str, body: &Value, sent: &Value, unix_ms: u64) -> (u16, Value) {
        let target = format!("TrentService.{operation}");
        let body = body.to_string();
        let unsigned = Unsigned {
            host: HOST,
            region: REGION,
            service: "kms",
            headers: &[("content-type", "application/x-amz-json-1.1"), ("x-amz-target", &target)],
            body: body.as_bytes(),
        };
        let credentials = AwsCredentials {
            access_key_id: self.issued.access_key_id.clone(),
            secret_access_key: self.issued.secret_access_key.clone().into(),
            session_token: Some(self.issued.session_token.clone().into()),
            expires_at_ms: self.issued.expires_at_ms,
        };
        let mut request = http::Request::post("/").header("host", HOST);
        for (name, value) in sign(&unsigned, &credentials, unix_ms) {
            request = request.header(name, value.as_str());
        }
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.kms.authority().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.kms.address()).await.unwrap();
        let stream =
            TlsConnector::from(Arc::new(config)).connect(HOST.try_into().unwrap(), stream).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = request.body(Full::new(Bytes::from(sent.to_string()))).unwrap();
        let answer = sender.send_request(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn refusal(&self, operation: &str, body: &Value) -> String {
        let (status, answer) = self.ask(operation, body, body, now_ms()).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer.get("Plaintext").is_none());
        answer["__type"].as_str().unwrap().to_owned()
    }
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[tokio::test]
async fn without_a_document_of_the_image_the_key_is_of_no_use() {
    let scene = scene().await;
    let alone = scene.body(None);
    assert_eq!(scene.refusal("GenerateDataKey", &alone).await, "AccessDeniedException");
    let mut decrypt = alone.clone();
    decrypt["KeySpec"].take();
    decrypt["CiphertextBlob"] = "AAAA".into();
    assert_eq!(scene.refusal("Decrypt", &decrypt).await, "AccessDeniedException");
    for operation in ["Encrypt", "ReEncrypt", "DescribeKey"] {
        assert_eq!(scene.refusal(operation, &alone).await, "AccessDeniedException", "{operation}");
    }
    // A document that anybody gets from the appliance names no key that KMS could encrypt to.
    let public = scene.body(Some(&scene.document(None)));
    assert_eq!(scene.refusal("GenerateDataKey", &public).await, "ValidationException");
    let hpke = scene.body(Some(&scene.document(Some(&[7; 32]))));
    assert_eq!(scene.refusal("GenerateDataKey", &hpke).await, "ValidationException");
    // Another image's, another root's, and a changed one.
    let own = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap().public_key();
    let own = own.as_der().unwrap();
    let debug = FakeNsm::under(TestRoot::generate(Names::test()).unwrap(), FakeNsmConfig::default()).unwrap();
    let forged = Scene { nsm: debug, ..self::scene().await };
    let forged = scene.body(Some(&forged.document(Some(own.as_ref()))));
    assert_eq!(scene.refusal("GenerateDataKey", &forged).await, "ValidationException");
    let mut changed = scene.document(Some(own.as_ref()));
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    assert_eq!(scene.refusal("GenerateDataKey", &scene.body(Some(&changed))).await, "ValidationException");
    assert!(scene.kms.asked().iter().all(|asked| asked.refused.is_some()));
}

#[tokio::test]
async fn a_genuine_request_is_answered_to_the_enclave_alone() {
    let scene = scene().await;
    let own = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap().public_key();
    let body = scene.body(Some(&scene.document(Some(own.as_der().unwrap().as_ref()))));
    let (status, answer) = scene.ask("GenerateDataKey", &body, &body, now_ms()).await;
    assert_eq!((status, &answer["KeyId"]), (200, &json!(scene.key)));
    assert!(answer["CiphertextForRecipient"].is_string() && answer["CiphertextBlob"].is_string());
    assert!(answer.get("Plaintext").is_none());
    // With another context, the policy does not speak of it.
    let mut other = body.clone();
    other["EncryptionContext"]["r3e:appliance"] = "beta".into();
    assert_eq!(scene.refusal("GenerateDataKey", &other).await, "AccessDeniedException");
}

#[tokio::test]
async fn a_signature_is_of_one_request_at_one_time() {
    let scene = scene().await;
    let body = scene.body(None);
    let mut changed = body.clone();
    changed["KeySpec"] = "AES_128".into();
    let kind = |(status, answer): (u16, Value)| {
        assert_eq!(status, 400);
        let message = answer["message"].as_str().unwrap_or_default().to_owned();
        (answer["__type"].as_str().unwrap_or_default().to_owned(), message)
    };
    let (refused, _) = kind(scene.ask("Decrypt", &body, &changed, now_ms()).await);
    assert_eq!(refused, "InvalidSignatureException");
    for (unix_ms, says) in
        [(now_ms() - 301_000, "Signature expired"), (now_ms() + 302_000, "Signature not yet current")]
    {
        let (refused, message) = kind(scene.ask("Decrypt", &body, &body, unix_ms).await);
        assert_eq!(refused, "InvalidSignatureException");
        assert!(message.starts_with(says), "{message}");
    }
    let secret = Issued { secret_access_key: "another".to_owned(), ..scene.issued.clone() };
    let wrong = Scene { issued: secret, ..scene };
    assert_eq!(wrong.refusal("Decrypt", &body).await, "InvalidSignatureException");
    let nobody = Issued { access_key_id: "ASIANOBODY".to_owned(), ..wrong.issued.clone() };
    let nobody = Scene { issued: nobody, ..wrong };
    assert_eq!(nobody.refusal("Decrypt", &body).await, "UnrecognizedClientException");
}
