//! Triggers and events, as a tenant's channel asks for them.

use bytes::Bytes;
use http::Method;
use r3e_proto::api::triggers::{Definition, Fire, Fired, Published, Trigger};

use super::jobs::idempotency;
use super::{TenantChannel, path};
use crate::error::ClientError;
use crate::http::{Body, json};

impl TenantChannel {
    /// Every trigger, by name.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn triggers(&mut self) -> Result<Vec<Trigger>, ClientError> {
        self.get("the list of triggers", "/v1/triggers").await
    }

    /// One trigger.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn trigger(&mut self, name: &str) -> Result<Trigger, ClientError> {
        self.get("the trigger", &trigger_path(name, "")?).await
    }

    /// Makes a trigger, or gives it another definition.
    ///
    /// # Errors
    /// [`ClientError`]; `bad_request` where the definition breaks a rule, `not_found` where there is no such function.
    pub async fn set_trigger(&mut self, name: &str, definition: &Definition) -> Result<Trigger, ClientError> {
        self.request_json("the trigger", Method::PUT, &trigger_path(name, "")?, definition).await
    }

    /// Deletes a trigger. Jobs that it queued stay.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn delete_trigger(&mut self, name: &str) -> Result<(), ClientError> {
        let path = trigger_path(name, "")?;
        self.send("the deletion", Method::DELETE, &path, Body::Empty).await.map(drop)
    }

    /// Has a trigger fire nothing, or fire again; ticks that pass meanwhile do not fire.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn pause_trigger(&mut self, name: &str, paused: bool) -> Result<Trigger, ClientError> {
        let path = trigger_path(name, if paused { "/pause" } else { "/resume" })?;
        self.request("the trigger", Method::POST, &path, Body::Empty).await
    }

    /// Fires a trigger by hand, with data, JSON text.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none, `conflict` where it is paused.
    pub async fn fire_trigger(&mut self, name: &str, data: impl Into<Bytes>) -> Result<Fired, ClientError> {
        let path = trigger_path(name, "/fire")?;
        self.request("the fired trigger", Method::POST, &path, Body::Json(data.into())).await
    }

    /// The last times that a trigger fired, the latest first.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn trigger_history(&mut self, name: &str) -> Result<Vec<Fire>, ClientError> {
        self.get("the trigger's history", &trigger_path(name, "/history")?).await
    }

    /// Publishes an event, JSON text, to the tenant's triggers of a topic. The same key again queues nothing again.
    ///
    /// # Errors
    /// [`ClientError`]. What one trigger fails with is in the answer.
    pub async fn publish(
        &mut self,
        topic: &str,
        data: impl Into<Bytes>,
        idempotency_key: Option<&str>,
    ) -> Result<Published, ClientError> {
        let what = "the event";
        let path = path("/v1/events/", "a topic", topic, "")?;
        let header = idempotency(idempotency_key)?;
        json(what, &self.send_with(what, Method::POST, &path, header, Body::Json(data.into())).await?)
    }
}

fn trigger_path(name: &str, after: &str) -> Result<String, ClientError> {
    path("/v1/triggers/", "a trigger's name", name, after)
}
