//! The handoff's messages against the vectors, which a second implementation of the specification made.

#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

use r3e_proto::channel::statement::Statement;
use r3e_proto::handoff::{Grant, Request, successor_binding};
use r3e_proto::host::lifecycle;
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/handoff.json")).unwrap()
}

fn bytes(text: &Value) -> Vec<u8> {
    hex::decode(text.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(text: &Value) -> [u8; N] {
    bytes(text).try_into().unwrap()
}

#[test]
fn a_successor_asks_as_the_vectors_do() {
    let case = vectors();
    let binding = successor_binding(&array(&case["session"]), &array(&case["configuration"]));
    assert_eq!(binding, array(&case["binding"]));
    assert_eq!(Statement::Successor { binding }.encode(), bytes(&case["statement"]));
    let request = Request {
        manifest: bytes(&case["manifest"]),
        document: bytes(&case["document"]),
        configuration: array(&case["configuration"]),
    };
    assert_eq!(request.encode(), bytes(&case["request"]));
    assert_eq!(Request::decode(&bytes(&case["request"])), Ok(request));
}

#[test]
fn a_predecessor_grants_as_the_vectors_do() {
    let case = vectors();
    let encoded = bytes(&case["grant"]);
    let grant = Grant::decode(&encoded).unwrap();
    assert_eq!(**grant.root, array(&case["root"]));
    assert_eq!((grant.identity, grant.head), (array(&case["identity"]), array(&case["head"])));
    assert_eq!(grant.sequence, case["sequence"].as_u64().unwrap());
    assert_eq!(*grant.encode(), encoded);
    assert!(Grant::decode(&[encoded.as_slice(), &[0]].concat()).is_err());
}

#[test]
fn the_lifecycle_is_told_as_the_vectors_do() {
    use lifecycle::{Reply, Request};
    let case = vectors();
    for (name, request) in [
        ("lifecycle_request_predecessor", Request::Predecessor),
        ("lifecycle_request_serving", Request::Serving),
        ("lifecycle_request_failed", Request::Failed("downgrade: it is older".into())),
    ] {
        assert_eq!(request.encode(), bytes(&case[name]), "{name}");
        assert_eq!(Request::decode(&bytes(&case[name])), Ok(request), "{name}");
    }
    for (name, reply) in [
        ("lifecycle_reply_none", Reply::None),
        ("lifecycle_reply_offered", Reply::Offered { manifest: bytes(&case["manifest"]) }),
        ("lifecycle_reply_noted", Reply::Noted),
    ] {
        assert_eq!(reply.encode(), bytes(&case[name]), "{name}");
        assert_eq!(Reply::decode(&bytes(&case[name])), Ok(reply), "{name}");
    }
}
