//! What jobs need of the rest of the appliance.

use std::future::Future;
use std::pin::Pin;

use r3e_proto::api::functions::Invocation;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::jobs::JobId;

/// A future that is sent between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who runs functions.
pub trait Invocations: Send + Sync + 'static {
    /// The hosts that the tenant's function is granted, as it is deployed now; none if there is no such function.
    ///
    /// # Errors
    /// In words: it cannot be looked up now.
    fn granted<'a>(
        &'a self,
        tenant: TenantId,
        function: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<String>>, String>>;

    /// Invokes the tenant's function with `event` and signs a receipt that names the attempt's invocation. Dropped, the function is ended.
    ///
    /// # Errors
    /// [`NotInvoked`].
    fn invoke<'a>(
        &'a self,
        tenant: TenantId,
        run: Run,
        function: &'a str,
        event: &'a [u8],
    ) -> BoxFuture<'a, Result<Invocation, NotInvoked>>;
}

/// One attempt at a job, as whoever runs the function knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The job.
    pub job: JobId,
    /// The attempt's own id.
    pub invocation: [u8; 16],
    /// How many events caused one another before the job.
    pub hops: u32,
}

/// Why an invocation has no outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotInvoked {
    /// There was no room for it. The event was handed to nobody; the attempt does not count.
    NoRoom,
    /// It cannot be invoked, now or later, for a reason that has a code: there is no such function, or the event is none.
    Refused {
        /// A stable code, at most [`r3e_proto::limits::MAX_RECEIPT_CODE_BYTES`] bytes.
        code: &'static str,
        /// For a person.
        message: String,
    },
    /// A fault of the appliance's or its parent's. The function may have run.
    Unavailable(String),
}

/// Who tells others that a job has ended.
pub trait Courier: Send + Sync + 'static {
    /// Whether `url` may be told at all, and is among `granted` hosts.
    ///
    /// # Errors
    /// In words: why not.
    fn check(&self, url: &str, granted: &[String]) -> Result<(), String>;

    /// Sends one request, and says what status it was answered with.
    ///
    /// # Errors
    /// A stable code of at most [`r3e_proto::limits::MAX_RECEIPT_CODE_BYTES`] bytes.
    fn tell<'a>(&'a self, telling: Telling<'a>) -> BoxFuture<'a, Result<u16, String>>;
}

/// One request to a webhook.
#[derive(Debug, Clone, Copy)]
pub struct Telling<'a> {
    /// The URL.
    pub url: &'a str,
    /// The hosts that the function is granted now.
    pub granted: &'a [String],
    /// The signed notice, standard base64.
    pub notice: &'a str,
    /// JSON.
    pub body: &'a [u8],
}
