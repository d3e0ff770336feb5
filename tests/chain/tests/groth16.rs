//! The contract that a verification key becomes, on anvil: it takes what snarkjs proved and what we did, and nothing else.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::num::NonZeroUsize;

use r3e_chain::evm::EvmAddress;
use r3e_chain_under_test::{Account, Anvil, Contract, Word, word};
use r3e_groth16::{Proof, signals_from_json};
use r3e_groth16_prover::{ProvingKey, Witness, prove};
use serde_json::Value;

const CHAIN: u64 = 31_337;

/// The words of `verifyProof`'s arguments.
fn words(arguments: &Value) -> Vec<Word> {
    match arguments {
        Value::Array(all) => all.iter().flat_map(words).collect(),
        text => {
            vec![hex::decode(text.as_str().unwrap().strip_prefix("0x").unwrap()).unwrap().try_into().unwrap()]
        }
    }
}

fn by_snarkjs() -> Vec<Word> {
    let proof =
        Proof::from_json(include_bytes!("../../../proto/groth16/tests/snarkjs/bn128/proof.json")).unwrap();
    let signals = include_bytes!("../../../proto/groth16/tests/snarkjs/bn128/public.json");
    words(&proof.contract_arguments(&signals_from_json(signals).unwrap()).unwrap())
}

fn by_us() -> Vec<Word> {
    let zkey = include_bytes!("../../../proto/groth16-prover/tests/snarkjs/bn128/multiplier.zkey");
    let wtns = include_bytes!("../../../proto/groth16-prover/tests/snarkjs/bn128/multiplier.wtns");
    let key = ProvingKey::read(zkey, NonZeroUsize::MIN).unwrap();
    let made = prove(&key, &Witness::read(wtns).unwrap(), NonZeroUsize::MIN).unwrap();
    let proof = Proof::from_json(made.proof.as_bytes()).unwrap();
    words(&proof.contract_arguments(&made.signals).unwrap())
}

/// A number of 32 bytes and another.
fn plus(one: &Word, other: &Word) -> Word {
    let mut sum = *one;
    let mut carry = 0_u16;
    for (byte, other) in sum.iter_mut().rev().zip(other.iter().rev()) {
        let both = u16::from(*byte) + u16::from(*other) + carry;
        [*byte] = [u8::try_from(both & 0xff).unwrap()];
        carry = both >> 8;
    }
    assert_eq!(carry, 0);
    sum
}

fn word_of(hex: &str) -> Word {
    hex::decode(hex).unwrap().try_into().unwrap()
}

#[tokio::test]
#[ignore = "needs anvil; scripts/test runs it"]
async fn a_contract_takes_proofs_of_its_key_and_nothing_else() {
    let anvil = Anvil::start_as(CHAIN).await.unwrap();
    let mut account = Account::number(0, CHAIN).unwrap();
    let contract = Contract::deploy(&anvil, &mut account, "MultiplierVerifier", &[]).await.unwrap();
    let anyone = EvmAddress([7; 20]);
    let verdict = async |arguments: &[Word]| {
        match contract.ask(&anvil, anyone, ("verifyProof", arguments)).await {
            Ok(answered) => answered == [word(1)],
            // A point that is none: it is not called false.
            Err(error) => {
                assert_eq!(error.to_string(), "Undecided");
                false
            }
        }
    };
    let known = by_snarkjs();
    assert_eq!(known.len(), 2 + 4 + 2 + 2);
    assert!(verdict(&known).await, "what snarkjs proved");
    for _ in 0..3 {
        assert!(verdict(&by_us()).await, "what we proved");
    }
    let sent = contract.send(&anvil, &mut account, ("verifyProof", &known)).await.unwrap();
    println!("gas of a transaction that verifies a proof of two signals: {}", sent.gas);
    assert!(sent.gas < 222_000, "{}: the pairings alone take 181,000", sent.gas);
    // Too little gas makes nothing false.
    for gas in [30_000, 100_000, 180_000, sent.gas - 5_000] {
        let limited = contract.ask_within(&anvil, anyone, gas, ("verifyProof", &known)).await;
        assert!(limited.is_err(), "{gas}: {limited:?}");
    }

    // Every word of it counts, whatever it becomes.
    let order = word_of("30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001");
    let modulus = word_of("30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47");
    for at in 0..known.len() {
        for other in [word(0), word(1), plus(&known[at], &word(1)), [0xff; 32], modulus, order] {
            let mut changed = known.clone();
            changed[at] = other;
            assert!(!verdict(&changed).await, "word {at}");
        }
        // The same number in the field, and another text of it.
        let mut second = known.clone();
        second[at] = plus(&known[at], if at < 8 { &modulus } else { &order });
        assert!(!verdict(&second).await, "word {at}");
    }
    assert!(!verdict(&vec![word(0); known.len()]).await);
    let mut swapped = known.clone();
    swapped.swap(8, 9);
    assert!(!verdict(&swapped).await, "its signals in another order");
}
