//! The oracle's keys: each tenant has its own, no wallet has them, and what they sign holds for other implementations.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use k256::ecdsa::{RecoveryId, VerifyingKey};
use r3e_keys::wallet::WalletSecret;
use r3e_keys::{OracleKeys, RootSecret};
use r3e_proto::api::feeds::Target;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::{Hash32, KeyType, keccak256};
use r3e_proto::observation::Observation;
use r3e_proto::report::{FeedId, Report, Tree};
use zeroize::Zeroizing;

const EVM: &str = "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const NEO: &str = "neo-n3:860833102:0xd2a4cff31913016155e38e474a2c06d08be276cf";

fn keys(root: u8, tenant: u8) -> OracleKeys {
    let root = RootSecret::from_recovered(&Zeroizing::new([root; 32]));
    OracleKeys::of(&root, TenantId([tenant; 16])).unwrap()
}

fn report(sequence: u64) -> Report {
    Report {
        feed_id: FeedId::named("BTC-USD").unwrap(),
        answer: 6_438_900_000_000,
        confidence: 1_000,
        decimals: 8,
        observed_at_s: 1_700_000_000,
        valid_until_s: 1_700_003_600,
        sequence,
        sources: 7,
        config_digest: [7; 32],
    }
}

#[test]
fn each_tenant_of_each_appliance_has_keys_of_its_own() {
    let all = [keys(1, 1), keys(1, 2), keys(2, 1)];
    for (at, one) in all.iter().enumerate() {
        for other in &all[at + 1..] {
            assert_ne!(one.address(), other.address());
            assert_ne!(one.neo_public_key(), other.neo_public_key());
        }
    }
    assert_eq!(
        (keys(1, 1).address(), keys(1, 1).neo_public_key()),
        (all[0].address(), all[0].neo_public_key())
    );
    assert!(!format!("{:?}", all[0]).contains("evm"), "nothing of a key is printed");
    let root = RootSecret::from_recovered(&Zeroizing::new([1; 32]));
    for key_type in [KeyType::Secp256k1, KeyType::Secp256r1] {
        let wallet = WalletSecret::derive(&root, TenantId([1; 16]), key_type, &Hash32([0; 32])).unwrap();
        assert_ne!(wallet.key().unwrap().address(), all[0].address().to_string());
        assert_ne!(wallet.key().unwrap().public_key(), all[0].neo_public_key());
    }
}

#[test]
fn signatures_hold_for_other_implementations() {
    let keys = keys(3, 4);
    for sequence in 1..24 {
        let report = report(sequence);
        let target: Target = EVM.parse().unwrap();
        let signed = keys.sign(&target, &report).unwrap();
        assert_eq!(signed, keys.sign(&target, &report).unwrap(), "always the same");
        assert_eq!(signed.digest, target.digest(&report).unwrap());
        let (rs, v) = signed.bytes.split_at(64);
        let signature = k256::ecdsa::Signature::from_slice(rs).unwrap();
        assert_eq!(signature.normalize_s(), signature, "EIP-2");
        let recovery = RecoveryId::from_byte(v[0] - 27).unwrap();
        let key = VerifyingKey::recover_from_prehash(&signed.digest, &signature, recovery).unwrap();
        let hash = keccak256(&[&key.to_sec1_point(false).as_bytes()[1..]]);
        assert_eq!(hash[12..], keys.address().0);

        let target: Target = NEO.parse().unwrap();
        let signed = keys.sign(&target, &report).unwrap();
        let Target::Neo(neo) = target else { panic!("a target of Neo's") };
        let point = p256::ecdsa::VerifyingKey::from_sec1_bytes(&keys.neo_public_key()).unwrap();
        let point = point.to_sec1_point(false);
        // aws-lc-rs hashes by itself.
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.as_bytes());
        assert!(key.verify(&neo.report(&report), &signed.bytes).is_ok());
    }
}

#[test]
fn a_batch_is_signed_as_what_no_report_is() {
    let (keys, reports) = (keys(3, 4), [report(1), report(2), report(3)]);
    let batch = Tree::new(&reports).unwrap().batch();
    let (evm, neo): (Target, Target) = (EVM.parse().unwrap(), NEO.parse().unwrap());
    let signed = keys.sign_batch(&evm, &batch).unwrap();
    assert_eq!(signed.digest, evm.batch_digest(&batch).unwrap());
    assert!(reports.iter().all(|report| evm.digest(report).unwrap() != signed.digest));
    let (rs, v) = signed.bytes.split_at(64);
    let (signature, recovery) =
        (k256::ecdsa::Signature::from_slice(rs).unwrap(), RecoveryId::from_byte(v[0] - 27).unwrap());
    let key = VerifyingKey::recover_from_prehash(&signed.digest, &signature, recovery).unwrap();
    assert_eq!(keccak256(&[&key.to_sec1_point(false).as_bytes()[1..]])[12..], keys.address().0);
    let signed = keys.sign_batch(&neo, &batch).unwrap();
    let Target::Neo(of_neo) = neo else { panic!("a target of Neo's") };
    let point = p256::ecdsa::VerifyingKey::from_sec1_bytes(&keys.neo_public_key()).unwrap();
    let point = point.to_sec1_point(false);
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.as_bytes());
    assert!(key.verify(&of_neo.batch(&batch), &signed.bytes).is_ok());
}

#[test]
fn a_target_without_a_chain_is_not_signed_for() {
    let Target::Evm(mut evm) = EVM.parse().unwrap() else { panic!("a target of Ethereum's") };
    evm.chain_id = 0;
    assert!(keys(3, 4).sign(&Target::Evm(evm), &report(1)).is_err());
}

#[test]
fn observations_are_signed_for_a_contract_or_for_none() {
    let keys = keys(3, 4);
    let one = Observation {
        function: "rates".to_owned(),
        url: "https://api.example.com/".to_owned(),
        path: "rate".to_owned(),
        value: "1.0830".to_owned(),
        status: 200,
        observed_at_s: 1_763_000_000,
        certificate: Hash32([1; 32]),
        response_hash: Hash32([2; 32]),
        request_hash: Hash32([3; 32]),
    };
    let tenant = TenantId([4; 16]);
    let (evm, neo): (Target, Target) = (EVM.parse().unwrap(), NEO.parse().unwrap());
    let unbound = keys.sign_observation(tenant, one.clone(), &[]).unwrap();
    let bound = keys.sign_observation(tenant, one.clone(), &[evm, neo]).unwrap();
    assert_eq!((unbound.observation(), unbound.tenant, unbound.signatures.len()), (one.clone(), tenant, 1));
    let of_ethereum = [(None, &unbound.signatures[0]), (Some(&evm), &bound.signatures[0])];
    for (target, signed) in of_ethereum {
        assert_eq!((signed.target.as_ref(), signed.digest.0), (target, one.digest(target).unwrap()));
        let (rs, v) = signed.signature.0.split_at(64);
        let signature = k256::ecdsa::Signature::from_slice(rs).unwrap();
        let recovery = RecoveryId::from_byte(v[0] - 27).unwrap();
        let key = VerifyingKey::recover_from_prehash(&signed.digest.0, &signature, recovery).unwrap();
        let hash = keccak256(&[&key.to_sec1_point(false).as_bytes()[1..]]);
        assert_eq!(hash[12..], keys.address().0);
        assert_eq!(signed.signer, keys.address().to_string());
    }
    let [_, signed] = &bound.signatures[..] else { panic!("one for each target") };
    assert_eq!((signed.digest.0, signed.signature.0.len()), (one.digest(Some(&neo)).unwrap(), 64));
    assert_eq!(signed.signer, format!("0x{}", hex::encode(keys.neo_public_key())));
    // What is no observation has no form that only it has.
    let broken = Observation { value: "x".repeat(257), ..one };
    assert!(keys.sign_observation(tenant, broken, &[]).is_err());
}
