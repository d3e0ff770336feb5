//! The client of an R3E appliance: it verifies the attestation before it sends its first byte, always.
//!
//! ```no_run
//! use r3e_client::{Connector, Policy, SigningKey};
//!
//! # async fn example(releases: &[u8], configuration: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//! let releases = r3e_attestation::parse_reference_values(releases)?;
//! let policy =
//!     Policy::new(Policy::builder().accept_releases(releases).pin_configuration_file(configuration))?;
//! let connector = Connector::new("enclave.example:443".parse()?, policy)?;
//!
//! let channel = connector.connect().await?;                       // appraised for this TLS session
//! let key = SigningKey::read("tenant.pem".as_ref())?;
//! let mut tenant = channel.sign_in_tenant(&key).await?.into_tenant();
//! let invocation = tenant.invoke("price", r#"{"pair":"NEO/USD"}"#).await?;  // receipt verified
//! println!("{:?}", invocation.outcome());
//! # Ok(()) }
//! ```
//!
//! # What a type proves
//!
//! Each type below is made by the step before it alone, so that no step can be left out:
//!
//! - [`AttestedChannel`]: TLS 1.3 with ALPN `r3e/1`; the document was appraised by the [`Policy`], was made for this
//!   very session (nonce, exporter value and certificate key are in the binding it commits to), and PCR16 measured the
//!   configuration that the appliance names, which is the one that the policy pins. Before it exists, nothing but 32 random bytes went to the other end.
//! - [`TenantChannel`], [`SignedInTenant`], [`OperatorChannel`]: besides, the [`ReportKey`] is attested, and the appliance's
//!   state is not older than any that the [`SequenceMemory`] has seen.
//! - [`Invocation`]: besides, the receipt was signed by that key and agrees with what was sent and received.
//!
//! # What it knows nothing of
//!
//! How a document is appraised (`r3e-attestation`), what the wire looks like (`r3e-proto`), anything inside the enclave.
//! The library reads no environment variable and no file but those it is given; the `r3e` tool does.

#![forbid(unsafe_code)]

mod address;
mod api_key;
mod appliances;
mod channel;
mod clock;
mod connector;
mod error;
mod evidence;
mod export_key;
mod http;
mod input;
mod invocation;
pub mod limits;
mod member_key;
mod notice;
mod operator;
mod policy;
pub mod project;
mod reconnect;
mod release;
mod report_key;
mod restore;
mod sequences;
mod signing_key;
mod tenant;
mod tls;
mod unlock;

pub use address::{Address, AddressError, DEFAULT_PORT};
pub use api_key::{ApiKey, ApiKeyError};
pub use appliances::{Appliance, ApplianceMemory, ApplianceMemoryError, AppliancesInMemory};
pub use channel::AttestedChannel;
pub use clock::{Clock, FixedClock, SystemClock};
pub use connector::{Connector, Timeouts};
pub use error::{ClientError, ErrorClass, NotR3e, ReportKeyProblem, SetupProblem};
pub use export_key::{ExportError, ExportKey};
pub use invocation::{Invocation, ReceiptMismatch};
pub use member_key::MemberKey;
pub use notice::{NoticeRefused, verify_notice};
pub use operator::OperatorChannel;
pub use policy::{Policy, PolicyBuilder, PolicyError};
/// Groth16 proofs, verified without an appliance.
pub use r3e_groth16 as groth16;
/// Groth16 proofs, made without an appliance.
pub use r3e_groth16_prover as groth16_prover;
/// Range proofs, made and verified without an appliance.
pub use r3e_range_proof as range_proof;
pub use reconnect::{Attempts, Credential, Resend, TenantClient};
pub use release::{approve_release, release_outcomes, verify_release};
pub use report_key::ReportKey;
pub use restore::approve_restore;
pub use sequences::{ApplianceKey, SequenceError, SequenceFiles, SequenceMemory, SequencesInMemory};
pub use signing_key::{KeyError, SigningKey, read_private, write_private_new};
pub use tenant::{JobOptions, VerifiedJob, VerifiedOutcome};
pub use tenant::{SetSecret, SignedInTenant, TenantChannel, approve};
pub use unlock::{OpenedShare, Unlocking, VerifiedSetup};
