//! Secrets and their log, for people.

use std::fmt::Write as _;

use r3e_proto::api::secrets::{
    Action, Actor, AuditEntry, AuditLog, Grant, Outcome, Secret, SecretDetails, SecretVersion, VersionState,
};

use crate::output::{fields, printable, table, time};

pub(super) fn list(secrets: &[Secret]) -> String {
    let row = |secret: &Secret| {
        let set = time(secret.updated_at_ms);
        [
            secret.name.clone(),
            secret.version.to_string(),
            secret.value_bytes.to_string(),
            set,
            ends(secret),
            grants(secret),
        ]
    };
    table(["NAME", "VERSION", "BYTES", "SET", "EXPIRES", "FOR"], &secrets.iter().map(row).collect::<Vec<_>>())
}

pub(super) fn details(details: &SecretDetails) -> String {
    let SecretDetails { secret, versions: kept } = details;
    let fields = fields(&[
        ("name", secret.name.clone()),
        ("version", secret.version.to_string()),
        ("value", format!("{} bytes", secret.value_bytes)),
        ("set", time(secret.updated_at_ms)),
        ("expires", ends(secret)),
        ("for", grants(secret)),
    ]);
    format!("{fields}\n{}", versions(kept))
}

pub(super) fn versions(versions: &[SecretVersion]) -> String {
    let row = |version: &SecretVersion| {
        let state = match version.state {
            VersionState::Current => "current",
            VersionState::Kept => "kept",
            VersionState::Expired => "expired",
            VersionState::Destroyed => "destroyed",
        };
        let until = [version.expires_at_ms, version.destroy_at_ms].into_iter().flatten().min();
        let by = match version.restored_from {
            Some(from) => format!("{}, restored from {from}", actor(&version.set_by)),
            None => actor(&version.set_by),
        };
        let until = until.map_or_else(|| "-".to_owned(), time);
        [
            version.version.to_string(),
            state.to_owned(),
            version.value_bytes.to_string(),
            time(version.set_at_ms),
            until,
            by,
        ]
    };
    table(["VERSION", "STATE", "BYTES", "SET", "UNTIL", "BY"], &versions.iter().map(row).collect::<Vec<_>>())
}

pub(super) fn audit(log: &AuditLog) -> String {
    let row = |entry: &AuditEntry| {
        let version = entry.version.map_or_else(|| "-".to_owned(), |version| version.to_string());
        let what = format!("{}{}", action(entry.action), outcome(entry.outcome));
        let by = match entry.functions.as_slice() {
            [] => actor(&entry.by),
            functions => format!("{}, for {}", actor(&entry.by), functions.join(", ")),
        };
        [entry.number.to_string(), time(entry.at_ms), entry.secret.clone(), version, what, by]
    };
    let rows: Vec<[String; 6]> = log.entries.iter().map(row).collect();
    let mut text = table(["NUMBER", "TIME", "SECRET", "VERSION", "WHAT", "BY"], &rows);
    if log.dropped > 0 {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{} entries were dropped: the log keeps {} reads and {} other entries at least",
            log.dropped, log.kept, log.kept_changes
        );
    }
    text
}

/// Whom a secret is for, in one line.
pub(super) fn grants(secret: &Secret) -> String {
    let one = |grant: &Grant| match &grant.version {
        Some(version) => format!("{}@{}", grant.function, version.get(..16).unwrap_or(version)),
        None => grant.function.clone(),
    };
    match secret.grants.as_slice() {
        [] => "nobody".to_owned(),
        grants => grants.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}

fn ends(secret: &Secret) -> String {
    match secret.expires_at_ms {
        Some(at) if secret.expired => format!("expired {}", time(at)),
        Some(at) => time(at),
        None => "never".to_owned(),
    }
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Read => "read",
        Action::Held => "held in memory",
        Action::Set => "set",
        Action::Rollback => "rollback",
        Action::Grant => "grant",
        Action::Revoke => "revoke",
        Action::Delete => "delete",
        Action::Destroy => "destroy",
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "",
        Outcome::Undeclared => ": REFUSED, not in its manifest",
        Outcome::NotGranted => ": REFUSED, not granted",
        Outcome::Expired => ": REFUSED, expired",
        Outcome::Absent => ": none of that name",
    }
}

fn actor(actor: &Actor) -> String {
    let text = match actor {
        Actor::Tenant {} => "tenant's key".to_owned(),
        Actor::ApiKey { id } => format!("API key {id}"),
        Actor::Function { name, version, invocation } => {
            format!("{name}@{}, invocation {invocation}", version.get(..16).unwrap_or(version))
        }
        Actor::Appliance {} => "appliance".to_owned(),
    };
    printable(&text).into_owned()
}
