//! A parent that leaves a function's write unanswered: the invocation says so, and so does its receipt.

use std::time::Duration;

use r3e_client::{Connector, SigningKey};
use r3e_e2e::hostile_parent::{HostileParent, Sent};
use r3e_e2e::raw::Http;
use r3e_e2e::tenant::{code, javascript, output};
use r3e_e2e::{EnclavePlace, Tenant};
use r3e_proto::api::functions::{Outcome, STORE_UNCONFIRMED};
use r3e_proto::host::blob::Operation;
use serde_json::json;
use tokio::time::{Instant, sleep};

/// A function that does not care whether its value was kept; for `null`, it tells which one is.
const CARELESS: &str = "export default async (value) => { \
    if (value === null) return r3e.store.get('k'); \
    try { await r3e.store.set('k', value); } catch (e) { console.log(e.code); } return 'kept'; };";

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_does_not_say_ok_of_a_write_that_nobody_confirmed() {
    let folder = tempfile::Builder::new().prefix("r3e-").tempdir().unwrap();
    let place = EnclavePlace::new(folder.path());
    let operator = SigningKey::generate().unwrap();
    let configuration =
        format!("[operator]\npublic_key = \"{}\"\n[unlock]\nprovider = \"test\"\n", operator.public_key());
    let parent = HostileParent::start(&place, &configuration).await;
    let _enclave = place.start();
    let deadline = Instant::now() + Duration::from_mins(1);
    while !healthy(&parent).await {
        assert!(Instant::now() < deadline, "the enclave does not serve");
        sleep(Duration::from_millis(20)).await;
    }
    let connector = Connector::new(parent.address().parse().unwrap(), place.policy()).unwrap();
    let tenant = Tenant::admitted_over(connector, &operator, "alice").await;
    let mut channel = tenant.channel().await;
    let mut deploy = javascript(CARELESS);
    deploy.limits.timeout_ms = 60_000;
    channel.deploy("f", &deploy).await.unwrap();
    let good = channel.invoke("f", "1").await.unwrap();
    assert_eq!(output(&good), json!("kept"));

    // The commit is done, and never answered; nor is any question about it.
    parent.lie(|request, answer, _| {
        let silent = matches!(request.operation, Operation::Commit(_) | Operation::Head);
        Sent::Frames(if silent { vec![] } else { vec![answer] })
    });
    let open = channel.invoke("f", "2").await.unwrap();
    assert_eq!(open.logs()[0].text, "unconfirmed", "the function was told");
    assert_eq!(code(&open), STORE_UNCONFIRMED);
    assert!(matches!(open.outcome(), Outcome::Error(error) if !error.message.contains("kept")));
    assert_eq!(open.receipt().outcome, STORE_UNCONFIRMED, "the receipt is signed, and holds");
    assert_eq!(open.receipt().sequence, good.receipt().sequence, "nothing new is known to be durable");

    // The parent comes to its senses: the write stood all the while, and is now shown.
    parent.be_honest();
    let deadline = Instant::now() + Duration::from_mins(2);
    while output(&channel.invoke("f", "null").await.unwrap()) != json!(2) {
        assert!(Instant::now() < deadline, "the open write is not settled");
        sleep(Duration::from_millis(100)).await;
    }
    let again = channel.invoke("f", "3").await.unwrap();
    assert_eq!(code(&again), "ok");
    assert!(again.receipt().sequence > open.receipt().sequence);
}

async fn healthy(parent: &HostileParent) -> bool {
    let ask = async { Http::public(&parent.address()).await?.get("/v1/health").await };
    ask.await.is_ok_and(|answer: r3e_e2e::raw::Answer| answer.status == 200)
}
