//! What a peer says counts by signatures alone: its own over this question, and this appliance's over what was recorded.

mod fake;
mod histories;
mod rounds;

use r3e_keys::RootSecret;
use r3e_proto::api::witness::{Answer, Hex, Recorded};
use r3e_proto::witness::witnessed_message;
use zeroize::Zeroizing;

use super::answer::NoAnswer;
use super::*;

const NONCE: [u8; 32] = [5; 32];

fn identity(number: u8) -> Identity {
    let root = RootSecret::from_recovered(&Zeroizing::new([number; 32]));
    Identity::new(Arc::new(WitnessKey::of(&root).unwrap()))
}

/// A peer's report key; the kind of key does not matter here.
fn peer(number: u8) -> WitnessKey {
    WitnessKey::of(&RootSecret::from_recovered(&Zeroizing::new([number; 32]))).unwrap()
}

fn recorded(by: &Identity, sequence: u64, head: u8) -> Recorded {
    let commit = Commit { sequence, head: [head; 32] };
    let signature = Hex(by.sign(&record_message(&by.public(), &commit)).unwrap());
    Recorded { sequence, head: Hex(commit.head), signature }
}

fn answer(of: &Identity, peer: &WitnessKey, nonce: &[u8; 32], last: Option<Recorded>) -> Answer {
    let commit = last.map(|last| last.commit());
    let message = witnessed_message(&of.public(), nonce, commit.as_ref());
    Answer { last, statement: Hex(peer.sign(&message).unwrap()) }
}

#[test]
fn a_true_answer_counts() {
    let (own, peer) = (identity(1), peer(9));
    let key = peer.public_key();
    assert_eq!(own.judge(&answer(&own, &peer, &NONCE, None), &key, &NONCE, None), Ok(None));
    let last = recorded(&own, 7, 3);
    let true_answer = answer(&own, &peer, &NONCE, Some(last));
    for confirmed in [None, Some(Commit { sequence: 6, head: [1; 32] }), Some(last.commit())] {
        assert_eq!(own.judge(&true_answer, &key, &NONCE, confirmed.as_ref()), Ok(Some(last.commit())));
    }
}

#[test]
fn no_peer_can_invent_repeat_or_forget() {
    let (own, other, theirs) = (identity(1), identity(2), peer(9));
    let key = theirs.public_key();
    let good = answer(&own, &theirs, &NONCE, Some(recorded(&own, 7, 3)));
    let judged = |answer: &Answer| own.judge(answer, &key, &NONCE, None);

    // Another question's, another peer's, about another appliance, or changed after it was signed.
    let statements = [
        answer(&own, &theirs, &[6; 32], good.last),
        answer(&own, &peer(8), &NONCE, good.last),
        answer(&other, &theirs, &NONCE, good.last),
        Answer { last: None, ..good.clone() },
        Answer { last: Some(recorded(&own, 8, 3)), ..good.clone() },
        Answer { last: good.last, statement: Hex([0; 64]) },
    ];
    for wrong in statements {
        assert_eq!(judged(&wrong), Err(NoAnswer::Statement), "{wrong:?}");
    }
    // A commit that this appliance never signed: a peer that is rid of its scruples stops nobody.
    let mut higher = recorded(&own, 7, 3);
    higher.sequence = u64::MAX;
    let invented = [higher, recorded(&other, 9, 9), Recorded { head: Hex([4; 32]), ..recorded(&own, 7, 3) }];
    for last in invented {
        assert_eq!(judged(&answer(&own, &theirs, &NONCE, Some(last))), Err(NoAnswer::Invented), "{last:?}");
    }
    // It confirmed more before.
    let confirmed = Commit { sequence: 8, head: [1; 32] };
    for last in [None, good.last] {
        let forgot = own.judge(&answer(&own, &theirs, &NONCE, last), &key, &NONCE, Some(&confirmed));
        assert_eq!(forgot, Err(NoAnswer::Forgot));
    }
}
