//! What survives a restart, and what must not.

use std::time::Duration;

use r3e_e2e::process::whole;
use r3e_e2e::tenant::{granted, javascript, output, secret};
use r3e_e2e::{Appliance, Options, Tenant};
use serde_json::json;

const COUNTER: &str = "export default async () => {
    const calls = (await r3e.store.get('calls') ?? 0) + 1;
    await r3e.store.set('calls', calls);
    return { calls, token: await r3e.secrets.get('TOKEN') };
};";

#[tokio::test(flavor = "multi_thread")]
async fn with_the_root_secret_everything_survives() {
    let mut appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let mut channel = tenant.channel().await;
    tenant.set_secret_for("TOKEN", "kept", "counter").await;
    let deployed = channel.deploy("counter", &granted(javascript(COUNTER), &["TOKEN"], &[])).await.unwrap();
    assert_eq!(
        output(&channel.invoke("counter", "null").await.unwrap()),
        json!({ "calls": 1, "token": "kept" })
    );
    let key = *channel.report_key().public_key();

    for calls in 2..5 {
        // In order; then without warning, one at a time.
        match calls {
            2 => appliance.restart().await,
            3 => {
                appliance.kill_enclave();
                appliance.start_enclave();
                appliance.ready().await;
            }
            _ => {
                appliance.kill_parent();
                appliance.start_parent();
                appliance.ready().await;
            }
        }
        // The same tenant's key, the same connector: its memory of sequence numbers finds nothing amiss.
        let mut channel = tenant.channel().await;
        assert_eq!(
            *channel.report_key().public_key(),
            key,
            "the report key lives as long as the root secret"
        );
        assert_eq!(channel.function("counter").await.unwrap(), deployed);
        let result = output(&channel.invoke("counter", "null").await.unwrap());
        assert_eq!(result, json!({ "calls": calls, "token": "kept" }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_root_secret_the_state_is_closed_for_ever() {
    let mut appliance = Appliance::start(Options { unlock: "ephemeral", ..Options::default() }).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    tenant.channel().await.set_secret("TOKEN", secret("gone")).await.unwrap();
    let key = *tenant.channel().await.report_key().public_key();

    // Another root secret: the new enclave cannot read what the old one wrote, says so, and does not start over it.
    appliance.kill_enclave();
    appliance.start_enclave();
    let status = appliance.enclave_process().wait(Duration::from_mins(1)).await;
    assert!(!status.success());
    let log = whole(&appliance.enclave_place().log());
    assert!(log.contains("not of this appliance: it was sealed under another root secret"), "{log}");

    // With an empty data folder it is a new appliance, which knows nobody.
    appliance.kill_parent();
    appliance.replace_data();
    appliance.start_parent();
    appliance.start_enclave();
    appliance.ready().await;
    let mut channel = appliance.connect().await;
    assert_ne!(channel.report_key().await.unwrap().public_key(), &key);
    let refused = channel.sign_in_tenant(tenant.key()).await.unwrap_err();
    assert_eq!(refused.code(), "unauthenticated");
    assert_eq!(appliance.operator().await.tenants().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_has_the_keys_of_the_state_rotated() {
    let mut appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    for name in ["A", "B", "C"] {
        tenant.channel().await.set_secret(name, secret(name)).await.unwrap();
    }
    let mut operator = appliance.operator().await;
    let before = operator.state().await.unwrap();
    assert_eq!((before.epoch, before.oldest_epoch, before.to_reseal), (1, 1, 0));
    assert!(before.records >= 4 && before.sealings > before.records, "{before:?}");
    let begun = operator.rotate_state().await.unwrap();
    assert_eq!(begun.epoch, 2);
    let mut now = begun;
    while now.oldest_epoch < 2 || now.to_reseal > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        now = operator.state().await.unwrap();
    }
    assert!(now.sequence > before.sequence && now.root != before.root, "{now:?}");
    // Whatever moved is as it was, now and after a boot.
    assert_eq!(tenant.channel().await.secrets().await.unwrap().len(), 3);
    appliance.restart().await;
    assert_eq!(tenant.channel().await.secrets().await.unwrap().len(), 3);
    let again = appliance.operator().await.state().await.unwrap();
    assert_eq!((again.epoch, again.oldest_epoch), (2, 2));
}
