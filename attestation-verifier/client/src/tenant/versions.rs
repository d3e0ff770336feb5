//! Versions and aliases of functions, and what can be seen of their invocations.

use std::fmt::Write as _;

use http::Method;
use r3e_proto::api::functions::LogEntry;
use r3e_proto::api::observations::{LogPage, Metrics, Trace};
use r3e_proto::api::versions::{
    Alias, FunctionVersion, Promotion, RollbackAlias, SetAlias, is_alias_name, is_version_prefix,
};

use super::{TenantChannel, function_path};
use crate::error::ClientError;
use crate::http::Body;
use crate::input;

impl TenantChannel {
    /// A function's versions that are kept, the oldest first.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is no such function.
    pub async fn versions(&mut self, name: &str) -> Result<Vec<FunctionVersion>, ClientError> {
        let path = function_path(name, "/versions")?;
        self.get("the versions", &path).await
    }

    /// Removes a version that no alias names; `digits` are its first ones, at least six.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none, `conflict` where an alias names it or the digits begin several.
    pub async fn remove_version(&mut self, name: &str, digits: &str) -> Result<(), ClientError> {
        let path = function_path(name, &format!("/versions/{}", version_digits(digits)?))?;
        self.send("the removal", Method::DELETE, &path, Body::Empty).await.map(drop)
    }

    /// A function's aliases, by name.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is no such function.
    pub async fn aliases(&mut self, name: &str) -> Result<Vec<Alias>, ClientError> {
        let path = function_path(name, "/aliases")?;
        self.get("the aliases", &path).await
    }

    /// One alias, with its latest moves.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn alias(&mut self, name: &str, alias: &str) -> Result<Alias, ClientError> {
        let path = alias_path(name, alias, "")?;
        self.get("the alias", &path).await
    }

    /// Points an alias at a version, or at two.
    ///
    /// # Errors
    /// [`ClientError`]; `conflict` where it is at another revision than was expected, `not_found` where there is no such version.
    pub async fn set_alias(&mut self, name: &str, alias: &str, set: &SetAlias) -> Result<Alias, ClientError> {
        let path = alias_path(name, alias, "")?;
        self.request_json("the alias", Method::PUT, &path, set).await
    }

    /// Points an alias at what it pointed at before.
    ///
    /// # Errors
    /// [`ClientError`]; `conflict` where it is at another revision than was expected, or nothing is remembered of before.
    pub async fn roll_back_alias(
        &mut self,
        name: &str,
        alias: &str,
        if_revision: Option<u64>,
    ) -> Result<Alias, ClientError> {
        let path = alias_path(name, alias, "/rollback")?;
        self.request_json("the rollback", Method::POST, &path, &RollbackAlias { if_revision }).await
    }

    /// Removes an alias.
    ///
    /// # Errors
    /// [`ClientError`]; `conflict` where it is at another revision than was expected, or is `prod`.
    pub async fn remove_alias(
        &mut self,
        name: &str,
        alias: &str,
        if_revision: Option<u64>,
    ) -> Result<(), ClientError> {
        let query = if_revision.map(|revision| format!("?if_revision={revision}")).unwrap_or_default();
        let path = alias_path(name, alias, &query)?;
        self.send("the removal", Method::DELETE, &path, Body::Empty).await.map(drop)
    }

    /// The logs of a function's latest invocations.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is no such function.
    pub async fn logs(&mut self, name: &str) -> Result<Vec<LogEntry>, ClientError> {
        Ok(self.log_page(name, None, 0).await?.entries)
    }

    /// What a function logged after `cursor`, or all that is kept; where there is nothing yet, once there is, or after `wait_ms`, of
    /// which the appliance takes 8,000 at the most.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is no such function, `busy` where too many questions wait.
    pub async fn log_page(
        &mut self,
        name: &str,
        cursor: Option<&str>,
        wait_ms: u64,
    ) -> Result<LogPage, ClientError> {
        let mut query = format!("/logs?wait_ms={wait_ms}");
        if let Some(cursor) = cursor {
            input::cursor(cursor)?;
            // Writing to a string does not fail.
            let _ = write!(query, "&after={cursor}");
        }
        let path = function_path(name, &query)?;
        self.get("the logs", &path).await
    }

    /// What a function's invocations took.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is no such function.
    pub async fn metrics(&mut self, name: &str) -> Result<Metrics, ClientError> {
        let path = function_path(name, "/metrics")?;
        self.get("the metrics", &path).await
    }

    /// Where the time of one of a function's latest invocations went.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where it is not kept any more.
    pub async fn trace(&mut self, name: &str, invocation: &str) -> Result<Trace, ClientError> {
        input::name("an invocation's id", invocation)?;
        let path = function_path(name, &format!("/traces/{invocation}"))?;
        self.get("the trace", &path).await
    }
}

/// What a deployment asks for, as a query.
pub(super) fn promotion_query(promotion: &Promotion) -> Result<String, ClientError> {
    let Promotion { promote, alias, if_revision } = promotion;
    if let Some(alias) = alias {
        alias_name(alias)?;
    }
    let parts = [
        promote.map(|promote| format!("promote={promote}")),
        alias.as_ref().map(|alias| format!("alias={alias}")),
        if_revision.map(|revision| format!("if_revision={revision}")),
    ];
    let query = parts.into_iter().flatten().collect::<Vec<_>>().join("&");
    Ok(if query.is_empty() { query } else { format!("?{query}") })
}

fn alias_path(name: &str, alias: &str, after: &str) -> Result<String, ClientError> {
    function_path(name, &format!("/aliases/{}{after}", alias_name(alias)?))
}

fn alias_name(alias: &str) -> Result<&str, ClientError> {
    let rule = "it takes 1 to 64 letters, digits, -, _ and ., begins with a letter, a digit or _, and is not the first digits of a \
                version";
    input::check(is_alias_name(alias), "an alias", alias, rule).map(|()| alias)
}

fn version_digits(digits: &str) -> Result<&str, ClientError> {
    let rule = "it takes 6 to 64 lower-case hex digits; `r3e functions versions` shows them";
    input::check(is_version_prefix(digits), "a version", digits, rule).map(|()| digits)
}
