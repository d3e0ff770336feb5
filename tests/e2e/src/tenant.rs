//! A tenant over the client library.

use std::time::Duration;

use r3e_client::{
    AttestedChannel, Connector, Invocation, SetSecret, SignedInTenant, SigningKey, TenantChannel, VerifiedJob,
};
use r3e_proto::api::functions::{Deploy, Outcome, Permissions};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::jobs::JobId;
use r3e_proto::api::secrets::Grantee;
use serde_json::Value;
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use crate::appliance::Appliance;
use crate::enclave::Place;

/// For a queued job to end: longer than its retries, on a machine that does much else.
const JOB_LIMIT: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(20);

/// A tenant that the operator admitted.
#[derive(Debug)]
pub struct Tenant {
    key: SigningKey,
    connector: Connector,
}

impl Tenant {
    /// Makes a key and has the operator admit it.
    pub async fn admitted<P: Place>(appliance: &Appliance<P>, name: &str) -> Self {
        Self::admitted_over(appliance.connector(), appliance.operator_key(), name).await
    }

    /// The same over any connector.
    pub async fn admitted_over(connector: Connector, operator: &SigningKey, name: &str) -> Self {
        let key = SigningKey::generate().expect("a key");
        let channel = connector.connect().await.expect("an attested channel");
        let mut operator = channel.sign_in_operator(operator).await.expect("the operator signs in");
        operator.admit(key.public_key(), name).await.expect("the tenant is admitted");
        Self { key, connector }
    }

    /// Its key.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Its id.
    pub fn id(&self) -> TenantId {
        TenantId::of(&self.key.public_key())
    }

    /// Its connector: it remembers the highest sequence number seen.
    pub fn connector(&self) -> &Connector {
        &self.connector
    }

    /// An attested channel, nobody signed in.
    pub async fn connect(&self) -> AttestedChannel {
        self.connector.connect().await.expect("an attested channel")
    }

    /// A channel on which the tenant is signed in.
    pub async fn channel(&self) -> TenantChannel {
        self.signed_in().await.into_tenant()
    }

    /// The same, with the rights that the tenant's own key alone has.
    pub async fn signed_in(&self) -> SignedInTenant {
        self.connect().await.sign_in_tenant(&self.key).await.expect("the tenant signs in")
    }

    /// Sets a secret that one function may read.
    pub async fn set_secret_for(&self, name: &str, value: &str, function: &str) {
        let mut signed_in = self.signed_in().await;
        let grantees = [grantee(function)];
        let set = signed_in.set_secret_for(name, secret(value), &SetSecret::default(), &grantees).await;
        set.expect("the secret is set");
    }
}

/// A job, once it has ended.
///
/// # Panics
/// It does not in time.
pub async fn ended(channel: &mut TenantChannel, id: JobId) -> VerifiedJob {
    let deadline = Instant::now() + JOB_LIMIT;
    loop {
        let job = channel.job(id).await.expect("the job is there");
        if job.job.state.is_final() {
            return job;
        }
        assert!(Instant::now() < deadline, "{job:?}");
        sleep(POLL).await;
    }
}

/// A deployment of JavaScript.
pub fn javascript(source: &str) -> Deploy {
    Deploy::javascript(source)
}

/// The same deployment with permissions.
#[must_use]
pub fn granted(mut deploy: Deploy, secrets: &[&str], net: &[&str]) -> Deploy {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    deploy.permissions = Permissions { secrets: texts(secrets), net: texts(net), ..deploy.permissions };
    deploy
}

/// A function, or one version of it, that a secret is granted to.
pub fn grantee(text: &str) -> Grantee {
    Grantee::parse(text).expect("FUNCTION or FUNCTION@VERSION")
}

/// A secret's value.
pub fn secret(value: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(value.as_bytes().to_vec())
}

/// The JSON value that an invocation gave.
///
/// # Panics
/// It gave none.
pub fn output(invocation: &Invocation) -> Value {
    match invocation.outcome() {
        Outcome::Output(text) => serde_json::from_str(text).expect("a result is JSON"),
        Outcome::Error(error) => panic!("the function failed: {error:?}"),
    }
}

/// `ok`, or the code of an invocation's error.
pub fn code(invocation: &Invocation) -> String {
    match invocation.outcome() {
        Outcome::Output(_) => "ok".to_owned(),
        Outcome::Error(error) => error.code.clone(),
    }
}
