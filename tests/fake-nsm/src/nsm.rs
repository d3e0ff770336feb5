//! The device: requests in, responses out, one at a time.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use r3e_attester::{Digest, ErrorCode, NsmDriver, Request, Response};

use crate::chain::{ChainSpec, SigningChain};
use crate::config::FakeNsmConfig;
use crate::document::{DocumentSpec, PROTECTED_ES384, cose_sign1, sig_structure};
use crate::error::FakeNsmError;
use crate::limits::{
    MAX_EXTEND_BYTES, MAX_NONCE_BYTES, MAX_PUBLIC_KEY_BYTES, MAX_USER_DATA_BYTES, RANDOM_BYTES,
};
use crate::pcr::{MAX_PCRS, PcrBank};
use crate::root::TestRoot;

/// A Nitro Secure Module in software. Its PCRs live as long as this value: a new one is a new boot.
#[derive(Debug)]
pub struct FakeNsm {
    root: TestRoot,
    config: FakeNsmConfig,
    /// Held for the whole of a request, its latency included: that is what makes it serial.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pcrs: PcrBank,
    chain: SigningChain,
    chain_issued_at_ms: i64,
}

impl FakeNsm {
    /// Starts an NSM under the test root of `state_dir`, which is made if there is none.
    ///
    /// The folder then holds `test-root-identity.pem` (mode 0600, the root's private key) and
    /// `test-root.pem`, the certificate to trust.
    ///
    /// # Errors
    ///
    /// Any [`FakeNsmError`].
    pub fn open(state_dir: &Path, config: FakeNsmConfig) -> Result<Self, FakeNsmError> {
        Self::under(TestRoot::load_or_create(state_dir)?, config)
    }

    /// Starts an NSM under a given root.
    ///
    /// # Errors
    ///
    /// [`FakeNsmError::Certificate`], [`FakeNsmError::Key`] and [`FakeNsmError::Time`].
    pub fn under(root: TestRoot, config: FakeNsmConfig) -> Result<Self, FakeNsmError> {
        let chain_issued_at_ms = hypervisor_ms(&config);
        let chain = root.issue(&chain_spec(&config, chain_issued_at_ms))?;
        let state = Mutex::new(State { pcrs: PcrBank::boot(&config.pcrs), chain, chain_issued_at_ms });
        Ok(Self { root, config, state })
    }

    /// The root that its documents lead to.
    pub fn root(&self) -> &TestRoot {
        &self.root
    }

    /// The parts of the document that the device would sign now.
    ///
    /// # Errors
    ///
    /// When the leaf must be renewed and cannot be: as [`Self::under`].
    pub fn document_spec(
        &self,
        user_data: Option<&[u8]>,
        nonce: Option<&[u8]>,
        public_key: Option<&[u8]>,
    ) -> Result<DocumentSpec, FakeNsmError> {
        self.spec(&mut self.lock(), user_data, nonce, public_key)
    }

    /// Signs any parts by the device's present leaf key.
    ///
    /// # Errors
    ///
    /// [`FakeNsmError::Key`].
    pub fn sign_document(&self, spec: &DocumentSpec) -> Result<Vec<u8>, FakeNsmError> {
        spec.sign(&self.lock().chain)
    }

    /// Signs any bytes as the payload of a document, by the device's present leaf key.
    ///
    /// # Errors
    ///
    /// [`FakeNsmError::Key`].
    pub fn sign_payload(&self, payload: &[u8]) -> Result<Vec<u8>, FakeNsmError> {
        let signature = self.lock().chain.sign(&sig_structure(&PROTECTED_ES384, payload))?;
        Ok(cose_sign1(&PROTECTED_ES384, payload, &signature))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spec(
        &self,
        state: &mut State,
        user_data: Option<&[u8]>,
        nonce: Option<&[u8]>,
        public_key: Option<&[u8]>,
    ) -> Result<DocumentSpec, FakeNsmError> {
        let now_ms = hypervisor_ms(&self.config);
        let half_life_ms = i64::try_from(self.config.leaf_lifetime.as_millis() / 2).unwrap_or(i64::MAX);
        if now_ms.saturating_sub(state.chain_issued_at_ms) > half_life_ms {
            state.chain = self.root.issue(&chain_spec(&self.config, now_ms))?;
            state.chain_issued_at_ms = now_ms;
        }
        Ok(DocumentSpec {
            module_id: self.config.module_id.clone(),
            digest: "SHA384".to_owned(),
            timestamp_ms: u64::try_from(now_ms).map_err(|_| FakeNsmError::Time(now_ms))?,
            pcrs: state.pcrs.locked().map(|(index, value)| (u64::from(index), value.to_vec())).collect(),
            certificate: state.chain.certificate.clone(),
            cabundle: state.chain.cabundle.clone(),
            public_key: public_key.map(<[u8]>::to_vec),
            user_data: user_data.map(<[u8]>::to_vec),
            nonce: nonce.map(<[u8]>::to_vec),
            further_claims: Vec::new(),
            map_form: self.config.map_form,
            protected: PROTECTED_ES384.to_vec(),
            unprotected: Vec::new(),
            tagged: false,
        })
    }

    fn answer(&self, state: &mut State, request: Request) -> Result<Response, ErrorCode> {
        match request {
            Request::DescribePCR { index } => {
                let (lock, value) = state.pcrs.describe(index)?;
                Ok(Response::DescribePCR { lock, data: value.to_vec() })
            }
            Request::ExtendPCR { index, data } => {
                within(Some(&data), MAX_EXTEND_BYTES)?;
                Ok(Response::ExtendPCR { data: state.pcrs.extend(index, &data)?.to_vec() })
            }
            Request::LockPCR { index } => state.pcrs.lock(index).map(|()| Response::LockPCR),
            Request::LockPCRs { range } => state.pcrs.lock_below(range).map(|()| Response::LockPCRs),
            Request::DescribeNSM => Ok(Response::DescribeNSM {
                version_major: 1,
                version_minor: 0,
                version_patch: 0,
                module_id: self.config.module_id.clone(),
                max_pcrs: MAX_PCRS,
                locked_pcrs: state.pcrs.locked_indices(),
                digest: Digest::SHA384,
            }),
            Request::Attestation { user_data, nonce, public_key } => {
                let user_data = user_data.as_ref().map(|field| field.as_slice());
                let nonce = nonce.as_ref().map(|field| field.as_slice());
                let public_key = public_key.as_ref().map(|field| field.as_slice());
                within(user_data, MAX_USER_DATA_BYTES)?;
                within(nonce, MAX_NONCE_BYTES)?;
                within(public_key, MAX_PUBLIC_KEY_BYTES)?;
                let document = self
                    .spec(state, user_data, nonce, public_key)
                    .and_then(|spec| spec.sign(&state.chain))
                    .map_err(|_| ErrorCode::InternalError)?;
                Ok(Response::Attestation { document })
            }
            Request::GetRandom => {
                let mut random = vec![0; RANDOM_BYTES];
                aws_lc_rs::rand::fill(&mut random).map_err(|_| ErrorCode::InternalError)?;
                Ok(Response::GetRandom { random })
            }
            _ => Err(ErrorCode::InvalidOperation),
        }
    }
}

impl NsmDriver for FakeNsm {
    fn process(&self, request: Request) -> Response {
        let mut state = self.lock();
        thread::sleep(self.config.call_latency);
        self.answer(&mut state, request).unwrap_or_else(Response::Error)
    }
}

fn within(field: Option<&[u8]>, max_bytes: usize) -> Result<(), ErrorCode> {
    if field.is_some_and(|bytes| bytes.len() > max_bytes) { Err(ErrorCode::InputTooLarge) } else { Ok(()) }
}

fn chain_spec(config: &FakeNsmConfig, issued_at_ms: i64) -> ChainSpec {
    ChainSpec {
        module_id: config.module_id.clone(),
        issued_at_ms,
        leaf_lifetime: config.leaf_lifetime,
        instance_authority: config.instance_authority,
    }
}

/// The time that this hypervisor shows, in milliseconds since the Unix epoch.
fn hypervisor_ms(config: &FakeNsmConfig) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX).saturating_add(config.clock_offset_ms)
}
