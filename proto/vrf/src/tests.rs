//! The vectors of RFC 9381, appendix B.1, and what must not hold.

use proptest::prelude::*;

use super::*;

/// Examples 10 to 12: secret key, public key, message, proof, output.
const VECTORS: [(&str, &str, &[u8], &str, &str); 3] = [
    (
        "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
        "0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
        b"sample",
        "035b5c726e8c0e2c488a107c600578ee75cb702343c153cb1eb8dec77f4b5071b4a53f0a46f018bc2c56e58d383f2305e0975972c26feea0eb122fe7893c15af376b33edf7de17c6ea056d4d82de6bc02f",
        "a3ad7b0ef73d8fc6655053ea22f9bede8c743f08bbed3d38821f0e16474b505e",
    ),
    (
        "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
        "0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
        b"test",
        "034dac60aba508ba0c01aa9be80377ebd7562c4a52d74722e0abae7dc3080ddb56c19e067b15a8a8174905b13617804534214f935b94c2287f797e393eb0816969d864f37625b443f30f1a5a33f2b3c854",
        "a284f94ceec2ff4b3794629da7cbafa49121972671b466cab4ce170aa365f26d",
    ),
    (
        "2ca1411a41b17b24cc8c3b089cfd033f1920202a6c0de8abb97df1498d50d2c8",
        "03596375e6ce57e0f20294fc46bdfcfd19a39f8161b58695b3ec5b3d16427c274d",
        b"Example using ECDSA key from Appendix L.4.2 of ANSI.X9-62-2005",
        "03d03398bf53aa23831d7d1b2937e005fb0062cbefa06796579f2a1fc7e7b8c667d091c00b0f5c3619d10ecea44363b5a599cadc5b2957e223fec62e81f7b4825fc799a771a3d7334b9186bdbee87316b1",
        "90871e06da5caa39a3c61578ebb844de8635e27ac0b13e829997d0d95dd98c19",
    ),
];

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

#[test]
fn the_rfc_s_vectors() {
    for (secret, public, message, proof, output) in VECTORS {
        let key = SecretKey::from_bytes(&bytes(secret)).unwrap();
        assert_eq!(hex::encode(key.public_key().as_bytes()), public);
        let (made, given) = key.prove(message).unwrap();
        assert_eq!((hex::encode(made.0).as_str(), hex::encode(given.0).as_str()), (proof, output));
        let public = PublicKey::from_bytes(&bytes(public)).unwrap();
        assert_eq!(public.verify(message, &Proof(bytes(proof))), Ok(given));
    }
}

#[test]
fn no_changed_proof_holds() {
    let (secret, _, message, proof, _) = VECTORS[0];
    let key = SecretKey::from_bytes(&bytes(secret)).unwrap().public_key();
    for at in 0..8 * PROOF_BYTES {
        let mut changed: [u8; PROOF_BYTES] = bytes(proof);
        changed[at / 8] ^= 1 << (at % 8);
        assert!(key.verify(message, &Proof(changed)).is_err(), "bit {at}");
    }
    // The point in another form, by what stands before it: the output is over the point's bytes.
    for first in (0..=255).filter(|first| *first != 3) {
        let mut changed: [u8; PROOF_BYTES] = bytes(proof);
        changed[0] = first;
        assert!(key.verify(message, &Proof(changed)).is_err(), "{first}");
    }
    let proof = Proof(bytes(proof));
    assert_eq!(key.verify(b"sampld", &proof), Err(VrfError::Invalid));
    assert_eq!(key.verify(b"", &proof), Err(VrfError::Invalid));
    let other = PublicKey::from_bytes(&bytes(VECTORS[2].1)).unwrap();
    assert_eq!(other.verify(message, &proof), Err(VrfError::Invalid));
    assert!(key.verify(message, &Proof([0; PROOF_BYTES])).is_err());
    // The group's order, and the response with it: the same modulo it.
    let order: [u8; 32] = bytes("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let mut changed = proof.0;
    changed[49..].copy_from_slice(&order);
    assert_eq!(key.verify(message, &Proof(changed)), Err(VrfError::Proof));
}

#[test]
fn keys_that_are_none() {
    let order = bytes("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    for secret in [[0; 32], [0xff; 32], order] {
        assert_eq!(SecretKey::from_bytes(&secret).err(), Some(VrfError::SecretKey));
    }
    let mut point: [u8; 33] = bytes(VECTORS[0].1);
    for first in (0..=255).filter(|first| ![2, 3].contains(first)) {
        point[0] = first;
        assert_eq!(PublicKey::from_bytes(&point).err(), Some(VrfError::PublicKey), "{first}");
    }
    let mut beyond = [0xff; 33];
    beyond[0] = 2;
    assert_eq!(PublicKey::from_bytes(&beyond).err(), Some(VrfError::PublicKey));
    let shown = format!("{:?}", SecretKey::from_bytes(&bytes(VECTORS[0].0)).unwrap());
    assert!(!shown.to_lowercase().contains("c9afa9d8") && !shown.contains("201, 175"), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_proof_holds_for_its_message_and_key(secret in any::<[u8; 32]>(), message: Vec<u8>, other: Vec<u8>) {
        prop_assume!(message != other);
        let key = SecretKey::from_bytes(&secret);
        prop_assume!(key.is_ok());
        let key = key.unwrap();
        let (proof, output) = key.prove(&message).unwrap();
        prop_assert_eq!(key.public_key().verify(&message, &proof), Ok(output));
        prop_assert_eq!(key.prove(&message), Ok((proof, output)));
        prop_assert_eq!(key.public_key().verify(&other, &proof), Err(VrfError::Invalid));
        prop_assert_ne!(key.prove(&other).unwrap().1, output);
    }
}
