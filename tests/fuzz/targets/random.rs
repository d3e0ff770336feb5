//! What random numbers are drawn for, and their proofs: a message has one form, and a proof that nobody made with the key holds for nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::random::{MAX_MESSAGE_BYTES, Occasion};
use r3e_vrf::{PROOF_BYTES, PUBLIC_KEY_BYTES, Proof, PublicKey, SecretKey};

fuzz_target!(|data: &[u8]| {
    if let Ok(occasion) = Occasion::decode(data) {
        assert!(data.len() <= MAX_MESSAGE_BYTES);
        assert_eq!(occasion.check(), Ok(()));
        assert_eq!(occasion.encode(), data, "one occasion, one message");
    }
    let Ok(key) = SecretKey::from_bytes(&[7; 32]) else { unreachable!() };
    let (Ok((made, output)), public) = (key.prove(b"message"), key.public_key()) else { return };
    if let Some((proof, _)) = data.split_first_chunk::<PROOF_BYTES>() {
        let verified = public.verify(b"message", &Proof(*proof));
        assert!(verified.is_err() || (made.0 == *proof && verified == Ok(output)), "a second proof");
    }
    if let Some((key, rest)) = data.split_first_chunk::<PUBLIC_KEY_BYTES>() {
        let Ok(public) = PublicKey::from_bytes(key) else { return };
        assert_eq!(public.as_bytes(), key, "one key, one form");
        if let Some((proof, message)) = rest.split_first_chunk::<PROOF_BYTES>()
            && let Ok(output) = public.verify(message, &Proof(*proof))
        {
            assert_eq!(output.in_range(5, 4), None);
            assert!(output.in_range(3, 9).is_some_and(|number| (3..=9).contains(&number)));
        }
    }
});
