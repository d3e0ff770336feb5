//! Whose a request is: an API key's holder learns it from the appliance, and from nobody else.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use http::Method;
use r3e_client::{ApiKey, ClientError, Credential, SigningKey, TenantClient};
use r3e_e2e::command::Home;
use r3e_e2e::raw::Http;
use r3e_e2e::tenant::{javascript, output};
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::identity::{Scope, SignInRole, TenantId, TenantState};
use serde_json::json;
use zeroize::Zeroizing;

async fn mint(tenant: &Tenant, scopes: &[Scope]) -> String {
    let mut signed_in = tenant.connect().await.sign_in_tenant(tenant.key()).await.unwrap();
    signed_in.create_key("backend", scopes).await.unwrap().secret
}

fn key(text: &str) -> ApiKey {
    ApiKey::parse(Zeroizing::new(text.to_owned())).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_names_its_tenant_and_what_it_may() {
    let appliance = Appliance::start(Options::default()).await;
    let (alice, bob) =
        (Tenant::admitted(&appliance, "alice").await, Tenant::admitted(&appliance, "bob").await);
    alice.channel().await.deploy("f", &javascript("export default (event) => event;")).await.unwrap();

    let own = alice.channel().await.whoami().await.unwrap();
    assert_eq!((own.role, own.tenant, own.api_key), (SignInRole::Tenant, Some(alice.id()), None));

    let secret = mint(&alice, &[Scope::Invoke]).await;
    let mut channel = alice.connect().await.with_api_key(&key(&secret)).await.unwrap();
    assert_eq!(channel.tenant(), None);
    let whoami = channel.whoami().await.unwrap();
    let api_key = whoami.api_key.unwrap();
    assert_eq!(whoami.tenant, Some(alice.id()));
    assert_eq!((api_key.id.as_str(), api_key.name.as_str()), (key(&secret).id(), "backend"));
    assert_eq!(api_key.scopes, [Scope::Invoke]);

    // No scope is needed to ask: a key that may do something else still learns whose it is.
    let secrets_only = mint(&bob, &[Scope::Secrets]).await;
    let mut other = bob.connect().await.with_api_key(&key(&secrets_only)).await.unwrap();
    assert_eq!(other.whoami().await.unwrap().tenant, Some(bob.id()));

    // Without asking first, and on the channel after: receipts are the key's tenant's.
    let mut client = TenantClient::new(alice.connector().clone(), Credential::ApiKey(key(&secret)));
    let invocation = client.channel().await.unwrap().invoke("f", "1").await.unwrap();
    assert_eq!((output(&invocation), TenantId(invocation.receipt().tenant)), (json!(1), alice.id()));
    assert_eq!(client.channel().await.unwrap().tenant(), Some(alice.id()));

    // A key that its holder takes for Bob's runs nothing.
    let mut wrong = alice.connect().await.with_api_key(&key(&secret).of_tenant(bob.id())).await.unwrap();
    let before = alice.channel().await.logs("f").await.unwrap().len();
    let refused = wrong.invoke("f", "2").await.unwrap_err();
    assert!(matches!(refused, ClientError::OtherTenant { .. }), "{refused}");
    assert_eq!(alice.channel().await.logs("f").await.unwrap().len(), before);

    // Who is suspended, or nobody, is told nothing.
    appliance.operator().await.set_state(alice.id(), TenantState::Suspended).await.unwrap();
    assert_eq!(channel.whoami().await.unwrap_err().code(), "forbidden");
    let guess = key(&format!("r3e_{}_{}", "0".repeat(16), "0".repeat(64)));
    let mut stranger = alice.connect().await.with_api_key(&guess).await.unwrap();
    assert_eq!(stranger.whoami().await.unwrap_err().code(), "unauthenticated");
    let nobody = alice.connect().await.sign_in_tenant(&SigningKey::generate().unwrap()).await;
    assert_eq!(nobody.unwrap_err().code(), "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tool_says_who_it_is() {
    let appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let secret = mint(&alice, &[Scope::Invoke, Scope::Deploy]).await;
    let home = Home::new(&appliance, "backend");
    let variables = [("R3E_API_KEY", secret.as_str())];
    let said = home.r3e_with_variables(&["whoami", "--json"], &variables).ok();
    assert_eq!(said.json()["tenant"], json!(alice.id()));
    assert_eq!(said.json()["api_key"]["scopes"], json!(["invoke", "deploy"]));
    assert!(!said.out.contains(&secret) && !said.err.contains(&secret));
    let said = home.r3e_with_variables(&["whoami"], &variables).ok();
    assert!(said.out.contains(&alice.id().to_string()) && said.out.contains("invoke,deploy"), "{}", said.out);

    // Outside the attested channel there is no such route.
    let mut http = Http::public(&appliance.address()).await.unwrap();
    let bearer = format!("Bearer {secret}");
    let answer = http.send(Method::GET, "/v1/whoami", &[("authorization", &bearer)], "").await.unwrap();
    assert_eq!(answer.status, 421);
}
