//! How an exported key is encrypted: HPKE (RFC 9180), base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, no
//! additional data, one message of 32 bytes.

use crate::api::identity::TenantId;
use crate::channel::binding::{Digest, digest_fields};

/// The first field of an export's info.
pub const EXPORT_DOMAIN: &str = "r3e/1/wallet/export";

/// HPKE's `info`: SHA-384 over domain, tenant, the wallet's name and its public key, each behind its length.
pub fn export_info(tenant: TenantId, name: &str, public_key: &[u8]) -> Digest {
    digest_fields(&[EXPORT_DOMAIN.as_bytes(), &tenant.0, name.as_bytes(), public_key])
}
