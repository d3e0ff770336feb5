//! The policy of the provider: which key, for which appliance, at which server under which roots. All of it is
//! measured into PCR17.

use aws_lc_rs::digest::{SHA256, SHA384, digest};
use r3e_cbor::{Value, encode};

use super::arn::KeyArn;
use crate::limits::{MAX_APPLIANCE_ID_BYTES, MAX_ENDPOINT_BYTES, MAX_KMS_ROOTS};

/// The domain of the policy's bytes.
const DOMAIN: &str = "r3e/1/unlock/aws-kms";
/// What the ciphertext says of the images that may ask for it: those whose keys are derived as version 1 of the tree
/// says. A PCR would be wrong here, since the context of a ciphertext never changes and an upgrade changes every PCR of
/// the image: which images are accepted, the key's policy says, at each request.
const IMAGE_LINE: &str = "r3e-enclave/1";
/// HTTPS.
const DEFAULT_PORT: u16 = 443;

/// What the operator decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsPolicy {
    key: KeyArn,
    appliance: String,
    endpoint: Option<String>,
    roots: Vec<[u8; 32]>,
    host: String,
    port: u16,
}

/// Why a policy was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyError {
    /// Not the full ARN of a KMS key.
    #[error("unlock.aws_kms.key_arn is no full key ARN: {why}")]
    KeyArn {
        /// What is wrong with it.
        why: &'static str,
    },
    /// Not a name for an appliance.
    #[error("unlock.aws_kms.appliance must be 1 to {MAX_APPLIANCE_ID_BYTES} of A-Z a-z 0-9 . _ -")]
    Appliance,
    /// Not a host.
    #[error(
        "unlock.aws_kms.endpoint must be a DNS name, or one with a port: vpce-1.kms.eu-central-1.vpce.amazonaws.com"
    )]
    Endpoint,
    /// There is no known host for the key's partition.
    #[error("the host of KMS in the key's partition is not known: name it in unlock.aws_kms.endpoint")]
    NoEndpoint,
    /// Too many roots.
    #[error("unlock.aws_kms.roots holds {count} certificates, more than {MAX_KMS_ROOTS}")]
    Roots {
        /// How many there are.
        count: usize,
    },
}

impl KmsPolicy {
    /// Reads a policy. `endpoint` is `HOST` or `HOST:PORT`, in place of the public host of KMS in the key's region;
    /// `roots` are DER certificates that are believed about that host, in place of Amazon's.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn new<D: AsRef<[u8]>>(
        key_arn: &str,
        appliance: &str,
        endpoint: Option<&str>,
        roots: &[D],
    ) -> Result<Self, PolicyError> {
        let key = KeyArn::parse(key_arn)?;
        let named = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if appliance.is_empty() || appliance.len() > MAX_APPLIANCE_ID_BYTES || !appliance.bytes().all(named) {
            return Err(PolicyError::Appliance);
        }
        if roots.len() > MAX_KMS_ROOTS {
            return Err(PolicyError::Roots { count: roots.len() });
        }
        let (host, port) = match endpoint {
            Some(endpoint) => host_and_port(endpoint)?,
            None => (key.default_host().ok_or(PolicyError::NoEndpoint)?, DEFAULT_PORT),
        };
        let roots = roots.iter().map(|root| sha256(root.as_ref())).collect();
        let (appliance, endpoint) = (appliance.to_owned(), endpoint.map(str::to_owned));
        Ok(Self { key, appliance, endpoint, roots, host, port })
    }

    /// The key.
    pub fn key(&self) -> &KeyArn {
        &self.key
    }

    /// The host of KMS.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What is measured: the domain, then the deterministic CBOR of
    /// `[key ARN, appliance, endpoint or null, [* SHA-256 of a root]]`.
    pub fn bytes(&self) -> Vec<u8> {
        let endpoint = self.endpoint.as_deref().map_or(Value::Null, Value::from);
        let roots = self.roots.iter().map(|root| Value::Bytes(root.to_vec())).collect();
        let fields =
            vec![self.key.as_str().into(), self.appliance.as_str().into(), endpoint, Value::Array(roots)];
        [DOMAIN.as_bytes(), &encode(&Value::Array(fields))].concat()
    }

    /// SHA-384 of [`KmsPolicy::bytes`]: what extends PCR17.
    pub(super) fn digest(&self) -> [u8; 48] {
        let mut out = [0; 48];
        out.copy_from_slice(digest(&SHA384, &self.bytes()).as_ref());
        out
    }

    /// The encryption context: names and values that KMS authenticates with the ciphertext, shows in its log, and
    /// takes conditions on. In the order of the names.
    pub fn context(&self) -> [(&'static str, &str); 2] {
        [("r3e:appliance", &self.appliance), ("r3e:image", IMAGE_LINE)]
    }

    /// SHA-256 of the context as a deterministic CBOR map.
    pub(super) fn context_digest(&self) -> [u8; 32] {
        let pairs = self.context().map(|(name, value)| (Value::from(name), Value::from(value)));
        sha256(&encode(&Value::Map(pairs.to_vec())))
    }
}

/// A DNS name in lower case, and a port.
fn host_and_port(endpoint: &str) -> Result<(String, u16), PolicyError> {
    let (host, port) = match endpoint.split_once(':') {
        Some((host, port)) => {
            let plain = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
            (host, plain.then(|| port.parse().ok()).flatten().ok_or(PolicyError::Endpoint)?)
        }
        None => (endpoint, DEFAULT_PORT),
    };
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let label = |label: &str| !label.is_empty() && label.len() <= 63 && label.bytes().all(plain);
    let labels = host.split('.').count();
    if endpoint.len() > MAX_ENDPOINT_BYTES || labels < 2 || !host.split('.').all(label) {
        return Err(PolicyError::Endpoint);
    }
    Ok((host.to_owned(), port))
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    const NO_ROOTS: [&[u8]; 0] = [];

    fn policy(appliance: &str, endpoint: Option<&str>) -> Result<KmsPolicy, PolicyError> {
        KmsPolicy::new(KEY, appliance, endpoint, &NO_ROOTS)
    }

    #[test]
    fn everything_in_a_policy_is_in_its_bytes() {
        let policies = [
            policy("alpha", None).unwrap(),
            policy("beta", None).unwrap(),
            policy("alpha", Some("kms.eu-central-1.amazonaws.com")).unwrap(),
            policy("alpha", Some("kms.eu-central-1.amazonaws.com:8443")).unwrap(),
            KmsPolicy::new(KEY, "alpha", None, &[b"one root"]).unwrap(),
            KmsPolicy::new(KEY, "alpha", None, &[b"another root"]).unwrap(),
            KmsPolicy::new(&KEY.replace("1234abcd", "1234abce"), "alpha", None, &NO_ROOTS).unwrap(),
        ];
        for (index, one) in policies.iter().enumerate() {
            assert!(one.bytes().starts_with(b"r3e/1/unlock/aws-kms"));
            for other in &policies[..index] {
                assert_ne!(one.bytes(), other.bytes());
                assert_ne!(one.digest(), other.digest());
            }
        }
    }

    #[test]
    fn the_context_is_of_the_appliance_and_no_image() {
        let alpha = policy("alpha", None).unwrap();
        assert_eq!(alpha.context(), [("r3e:appliance", "alpha"), ("r3e:image", "r3e-enclave/1")]);
        let elsewhere = policy("alpha", Some("kms.example.com")).unwrap();
        assert_eq!(alpha.context_digest(), elsewhere.context_digest(), "a server may move");
        assert_ne!(alpha.context_digest(), policy("beta", None).unwrap().context_digest());
    }

    #[test]
    fn the_server_is_that_of_the_region_or_the_one_named() {
        let of = |endpoint| {
            let policy = policy("a", endpoint).unwrap();
            (policy.host().to_owned(), policy.port())
        };
        assert_eq!(of(None), ("kms.eu-central-1.amazonaws.com".to_owned(), 443));
        assert_eq!(of(Some("kms.example.com")), ("kms.example.com".to_owned(), 443));
        assert_eq!(of(Some("kms.example.com:8443")), ("kms.example.com".to_owned(), 8443));
        for wrong in [
            "",
            "kms",
            "KMS.example.com",
            "https://kms.example.com",
            "kms.example.com/",
            "a..b",
            "a.b:",
            "a.b:0",
        ] {
            assert_eq!(policy("a", Some(wrong)), Err(PolicyError::Endpoint), "{wrong:?}");
        }
        let far = KEY.replace("arn:aws:", "arn:aws-iso:");
        assert_eq!(KmsPolicy::new(&far, "a", None, &NO_ROOTS), Err(PolicyError::NoEndpoint));
    }

    #[test]
    fn names_of_appliances_are_plain() {
        for wrong in ["", "two words", "a/b", "a:b", "\u{e9}", &"a".repeat(MAX_APPLIANCE_ID_BYTES + 1)] {
            assert_eq!(policy(wrong, None), Err(PolicyError::Appliance), "{wrong:?}");
        }
        assert!(policy("Price-feeds_1.eu", None).is_ok());
        let many = vec![b"root"; MAX_KMS_ROOTS + 1];
        assert!(matches!(KmsPolicy::new(KEY, "a", None, &many), Err(PolicyError::Roots { .. })));
    }
}
