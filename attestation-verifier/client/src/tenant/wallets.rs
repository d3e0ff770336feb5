//! Wallets: what any channel of a tenant's may do with them, and what takes the tenant's own key.

use bytes::Bytes;
use http::Method;
use r3e_proto::api::chains::Funds;
use r3e_proto::api::wallets::{
    Approval, CreateWallet, ExportRequest, Exported, Hash32, HexBytes, ImportWallet, KeyType, Payload,
    SetPolicy, SignRequest, Signature64, Signed, Wallet, WalletAudit, WalletDetails,
};
use r3e_proto::wallet::approval::{Subject, WalletRevision, message};
use r3e_proto::wallet::{
    digest, is_signed_neo_transaction, neo_transaction_hash, signed_transaction, transaction_hash,
};
use zeroize::Zeroizing;

use super::{SignedInTenant, TenantChannel, path};
use crate::error::ClientError;
use crate::http::{Body, answer, json};
use crate::signing_key::SigningKey;

/// What `v` is of an even point.
const V_EVEN: u8 = 27;

impl TenantChannel {
    /// Every wallet, without policies and keys.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn wallets(&mut self) -> Result<Vec<Wallet>, ClientError> {
        self.get("the list of wallets", "/v1/wallets").await
    }

    /// One wallet with its policy, and what of the window is used now.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn wallet(&mut self, name: &str) -> Result<WalletDetails, ClientError> {
        let path = wallet_path(name, "")?;
        self.get("the wallet", &path).await
    }

    /// What the wallet's account has on each network of its kind that the appliance has nodes of.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is no such wallet.
    pub async fn wallet_funds(&mut self, name: &str) -> Result<Vec<Funds>, ClientError> {
        let path = wallet_path(name, "/funds")?;
        self.get("the wallet's funds", &path).await
    }

    /// Makes a wallet whose key the appliance derives. This takes the tenant's own key, signed in: no API key makes any.
    ///
    /// # Errors
    /// [`ClientError`]; `conflict` where there is one of this name.
    pub async fn create_wallet(
        &mut self,
        name: &str,
        request: &CreateWallet,
    ) -> Result<WalletDetails, ClientError> {
        let path = wallet_path(name, "")?;
        self.request_json("the wallet", Method::POST, &path, request).await
    }

    /// Imports a key, which takes the tenant's own, signed in. The request's text is cleared here once it was sent; what TLS buffered of it is not.
    ///
    /// # Errors
    /// [`ClientError`]; `bad_request` says what is wrong with the key, its file or its password.
    pub async fn import_wallet(
        &mut self,
        name: &str,
        request: &ImportWallet,
    ) -> Result<WalletDetails, ClientError> {
        let path = wallet_path(name, "/import")?;
        let name = "the import";
        let text = serde_json::to_vec(request).map(Zeroizing::new).map_err(|error| answer(name, &error))?;
        self.request(name, Method::POST, &path, Body::Json(Bytes::from_owner(text))).await
    }

    /// Asks for a signature. What comes back was compared with the payload: the digest is the one that this client computes,
    /// and a transaction is the one that was asked for, with nothing changed.
    ///
    /// # Errors
    /// [`ClientError`]; its code is the rule's where the policy does not allow it.
    pub async fn sign(&mut self, name: &str, request: &SignRequest) -> Result<Signed, ClientError> {
        let path = wallet_path(name, "/signatures")?;
        let name = "the signature";
        let signed: Signed = self.request_json(name, Method::POST, &path, request).await?;
        if is_of(&request.payload, &signed) {
            Ok(signed)
        } else {
            Err(answer(name, "it is of something else than what was to be signed"))
        }
    }

    /// What was done with a wallet, and what was refused, oldest first; also of a deleted one.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn wallet_audit(&mut self, name: &str) -> Result<WalletAudit, ClientError> {
        let path = wallet_path(name, "/audit")?;
        self.get("the wallet's audit", &path).await
    }
}

impl SignedInTenant {
    /// Puts another policy in the place of a wallet's standing one.
    ///
    /// # Errors
    /// [`ClientError`]; `conflict` where another revision stands than the request names.
    pub async fn set_wallet_policy(
        &mut self,
        name: &str,
        request: &SetPolicy,
    ) -> Result<WalletDetails, ClientError> {
        let path = wallet_path(name, "/policy")?;
        self.0.request_json("the policy", Method::PUT, &path, request).await
    }

    /// Deletes a wallet, and with it its key, which nobody gets back.
    ///
    /// # Errors
    /// [`ClientError`]; `approvers_hold` where its policy has approvers.
    pub async fn delete_wallet(&mut self, name: &str) -> Result<(), ClientError> {
        let path = wallet_path(name, "")?;
        self.0.send("the deletion", Method::DELETE, &path, Body::Empty).await.map(drop)
    }

    /// A wallet's key, encrypted to the key that the request names: see [`crate::ExportKey`].
    ///
    /// # Errors
    /// [`ClientError`]; `export_not_allowed` where its policy does not let it.
    pub async fn export_wallet(
        &mut self,
        name: &str,
        request: &ExportRequest,
    ) -> Result<Exported, ClientError> {
        let path = wallet_path(name, "/export")?;
        let body = serde_json::to_vec(request).map_err(|error| answer("the export", &error))?;
        let sent = self.0.send("the export", Method::POST, &path, Body::Json(body.into())).await?;
        json("the export", &sent)
    }
}

/// Consents to one thing, as one of a wallet's approvers.
pub fn approve(
    key: &SigningKey,
    wallet: &WalletRevision<'_>,
    subject: Subject,
    expires_at_ms: u64,
) -> Approval {
    let mut signature = [0; 64];
    // An Ed25519 signature has 64 bytes (RFC 8032).
    signature.copy_from_slice(&key.sign(&message(wallet, subject, expires_at_ms)));
    Approval { public_key: key.public_key(), expires_at_ms, signature: Signature64(signature) }
}

/// Whether `signed` speaks of `payload`. Whether the signature holds, its verifier finds out.
fn is_of(payload: &Payload, signed: &Signed) -> bool {
    let bytes = &signed.signature.0;
    let key_type = match (payload, bytes.len()) {
        (Payload::Bytes { .. }, 64) => KeyType::Ed25519,
        (_, 64) => KeyType::Secp256r1,
        (_, 65) => KeyType::Secp256k1,
        _ => return false,
    };
    if digest(key_type, payload).map(Hash32) != Ok(signed.digest) {
        return false;
    }
    if let Payload::NeoTransaction(fields) = payload {
        let carried = signed.transaction.as_ref().map(|transaction| transaction.0.as_slice());
        return carried.is_some_and(|carried| is_signed_neo_transaction(fields, bytes, carried))
            && signed.transaction_hash == neo_transaction_hash(fields).ok();
    }
    let expected = match payload {
        Payload::EvmTransaction(fields) => {
            halves(bytes).map(|(r, s, odd)| signed_transaction(fields, &r, &s, odd))
        }
        _ => None,
    };
    let hash = expected.as_deref().map(|bytes| Hash32(transaction_hash(bytes)));
    signed.transaction == expected.map(HexBytes) && signed.transaction_hash == hash
}

/// r, s, and whether the point is odd.
fn halves(bytes: &[u8]) -> Option<([u8; 32], [u8; 32], bool)> {
    let (r, rest) = bytes.split_first_chunk::<32>()?;
    let (s, v) = rest.split_first_chunk::<32>()?;
    match v {
        [v] if *v == V_EVEN || *v == V_EVEN + 1 => Some((*r, *s, *v == V_EVEN + 1)),
        _ => None,
    }
}

fn wallet_path(name: &str, after: &str) -> Result<String, ClientError> {
    path("/v1/wallets/", "a wallet's name", name, after)
}

#[cfg(test)]
mod tests {
    use r3e_proto::api::wallets::{EvmTransaction, Fee, NeoAccount, NeoScope, NeoTransaction, Wei};
    use r3e_proto::wallet::{neo_account, signed_neo_transaction};

    use super::*;

    fn transaction() -> EvmTransaction {
        EvmTransaction {
            chain_id: 1,
            nonce: 1,
            to: None,
            value: Wei(1),
            data: HexBytes::default(),
            gas_limit: 1,
            fee: Fee::Legacy { gas_price: Wei(1) },
            access_list: vec![],
        }
    }

    fn signed(payload: &Payload) -> Signed {
        let signature = [vec![1; 64], vec![28]].concat();
        let bytes = signed_transaction(&transaction(), &[1; 32], &[1; 32], true);
        Signed {
            digest: Hash32(digest(KeyType::Secp256k1, payload).unwrap()),
            signature: HexBytes(signature),
            transaction_hash: Some(Hash32(transaction_hash(&bytes))),
            transaction: Some(HexBytes(bytes)),
            signatures_left: 0,
        }
    }

    #[test]
    fn an_answer_about_something_else_is_found_out() {
        let payload = Payload::EvmTransaction(transaction());
        let good = signed(&payload);
        assert!(is_of(&payload, &good));
        let another = Payload::EvmTransaction(EvmTransaction { nonce: 2, ..transaction() });
        assert!(!is_of(&another, &good));
        let changes: [fn(&mut Signed); 6] = [
            |s| s.digest.0[0] ^= 1,
            |s| s.signature.0[0] ^= 1,
            |s| s.signature.0[64] ^= 1,
            |s| s.signature.0.truncate(64),
            |s| s.transaction = None,
            |s| s.transaction_hash = None,
        ];
        for change in changes {
            let mut other = good.clone();
            change(&mut other);
            assert!(!is_of(&payload, &other), "{other:?}");
        }
        // A message has no transaction.
        let message = Payload::Message { bytes: HexBytes(vec![1]) };
        let digest = Hash32(digest(KeyType::Secp256k1, &message).unwrap());
        let plain = Signed { digest, transaction: None, transaction_hash: None, ..good.clone() };
        assert!(is_of(&message, &plain));
        assert!(!is_of(&message, &Signed { digest, ..good }));
    }

    #[test]
    fn a_transaction_of_neo_is_the_one_that_was_asked_for() {
        let key = [2; 33];
        let fields = NeoTransaction {
            magic: 42,
            nonce: 1,
            sender: NeoAccount(neo_account(&key)),
            contract: "0xd2a4cff31913016155e38e474a2c06d08be276cf".parse().unwrap(),
            method: "symbol".to_owned(),
            arguments: Vec::new(),
            scope: NeoScope::None,
            system_fee: Wei(1),
            network_fee: Wei(1),
            valid_until_block: 9,
        };
        let payload = Payload::NeoTransaction(fields.clone());
        let carried = |fields: &NeoTransaction, key: [u8; 33], signature: [u8; 64]| {
            Some(HexBytes(signed_neo_transaction(fields, &key, &signature).unwrap()))
        };
        let good = Signed {
            digest: Hash32(digest(KeyType::Secp256r1, &payload).unwrap()),
            signature: HexBytes(vec![1; 64]),
            transaction: carried(&fields, key, [1; 64]),
            transaction_hash: neo_transaction_hash(&fields).ok(),
            signatures_left: 0,
        };
        assert!(is_of(&payload, &good));
        let dearer = NeoTransaction { system_fee: Wei(2), ..fields.clone() };
        assert!(!is_of(&Payload::NeoTransaction(dearer.clone()), &good));
        for transaction in [
            None,
            Some(HexBytes::default()),
            carried(&dearer, key, [1; 64]),
            carried(&fields, [3; 33], [1; 64]),
            carried(&fields, key, [2; 64]),
        ] {
            assert!(!is_of(&payload, &Signed { transaction, ..good.clone() }));
        }
        assert!(!is_of(&payload, &Signed { transaction_hash: None, ..good }));
    }
}
