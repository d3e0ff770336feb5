//! What approvers are asked, and their consent. An approver needs no appliance: the file that is asked with names the wallet,
//! and the digest is computed here, from what is shown.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use r3e_client::approve;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::{Hash32, HexBytes, KeyType, Payload, Policy, WalletDetails};
use r3e_proto::wallet::approval::{Subject, WalletRevision, policy_digest};
use r3e_proto::wallet::digest;
use serde::{Deserialize, Serialize};

use super::difference;
use super::input::json_file;
use crate::confirm::confirm;
use crate::error::CliError;
use crate::output::{Printer, note, printable};
use crate::session;
use crate::settings::Settings;

#[derive(Debug, Args)]
#[group(id = "asked", required = true, multiple = false)]
pub(crate) struct What {
    /// To sign this payload
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,
    /// To put this policy in the place of the standing one
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// To export the key to this X25519 public key
    #[arg(long, value_name = "KEY")]
    recipient: Option<Hash32>,
}

#[derive(Debug, Args)]
pub(crate) struct Ask {
    /// The wallet's name
    name: String,
    #[command(flatten)]
    what: What,
}

#[derive(Debug, Args)]
pub(crate) struct Approve {
    /// What is asked, a file of `r3e wallets ask`
    asked: PathBuf,
    /// For how long the consent holds
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=96))]
    valid_for: u64,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    tenant: TenantId,
    wallet: String,
    key_type: KeyType,
    public_key: HexBytes,
    revision: u64,
    what: Subjects,
    /// The policy that stands, as whoever asks says, where another one is to take its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    standing: Option<Box<Policy>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Subjects {
    Sign(Box<Payload>),
    SetPolicy(Box<Policy>),
    Export(Hash32),
}

impl Ask {
    pub(super) async fn run(self, settings: &Settings) -> Result<(), CliError> {
        let What { payload, policy, recipient } = self.what;
        let what = match (payload, policy, recipient) {
            (Some(file), ..) => Subjects::Sign(json_file(&file)?),
            (None, Some(file), _) => Subjects::SetPolicy(json_file(&file)?),
            (None, None, Some(recipient)) => Subjects::Export(recipient),
            (None, None, None) => return Err(CliError::Usage("say what is asked".to_owned())),
        };
        let mut channel = session::tenant(settings).await?;
        let WalletDetails { wallet, policy, .. } = channel.wallet(&self.name).await?;
        let standing = matches!(what, Subjects::SetPolicy(_)).then(|| Box::new(policy));
        let whoami = channel.whoami().await?;
        let tenant =
            whoami.tenant.ok_or_else(|| CliError::Usage("these requests are no tenant's".to_owned()))?;
        let asked = Asked {
            tenant,
            wallet: wallet.name,
            key_type: wallet.key_type,
            public_key: wallet.public_key,
            revision: wallet.revision,
            what,
            standing,
        };
        Printer::new(true).result(&asked, |_| String::new())
    }
}

impl Asked {
    fn subject(&self) -> Result<Subject, CliError> {
        Ok(match &self.what {
            Subjects::Sign(payload) => Subject::Sign(Hash32(
                digest(self.key_type, payload).map_err(|error| CliError::Usage(error.to_string()))?,
            )),
            Subjects::SetPolicy(policy) => {
                Subject::SetPolicy(policy_digest(policy).map_err(|error| CliError::Usage(error.to_string()))?)
            }
            Subjects::Export(recipient) => Subject::Export(*recipient),
        })
    }

    /// What an approver must see before they consent.
    fn words(&self, subject: Subject) -> String {
        let (verb, Subject::Sign(digest) | Subject::SetPolicy(digest) | Subject::Export(digest)) = (
            match subject {
                Subject::Sign(_) => "sign this payload",
                Subject::SetPolicy(_) => "change its policy to this one",
                Subject::Export(_) => "EXPORT ITS PRIVATE KEY to this X25519 key",
            },
            subject,
        );
        // Fields as JSON: what is shown is what the digest is of, and nothing of it is left out.
        let fields = serde_json::to_string_pretty(&self.what).unwrap_or_default();
        let (wallet, key) = (printable(&self.wallet), &self.public_key);
        format!(
            "r3e: consenting that the {} wallet {wallet} of the tenant {} (public key {key}),\n\
             r3e: under revision {} of its policy, may {verb}:\n{}\n{}r3e: digest {digest}",
            self.key_type.as_str(),
            self.tenant,
            self.revision,
            printable_lines(&fields),
            self.changes(),
        )
    }

    /// What another policy changes. No standing policy is signed for but by its revision, so this is the asker's word.
    fn changes(&self) -> String {
        let Subjects::SetPolicy(new) = &self.what else { return String::new() };
        let Some(standing) = &self.standing else {
            return "r3e: the file does not say which policy stands: compare this one with it yourself\n"
                .to_owned();
        };
        let changes = difference::policies(standing, new);
        let changes = if changes.is_empty() { "nothing".to_owned() } else { changes.join("\n") };
        format!(
            "r3e: it changes, if the standing policy is the one that this file says:\n{}\n",
            printable_lines(&changes)
        )
    }
}

impl Approve {
    pub(super) fn run(&self, settings: &Settings) -> Result<(), CliError> {
        let asked: Asked = json_file(&self.asked)?;
        let key = settings.signing_key()?;
        let subject = asked.subject()?;
        note(&asked.words(subject));
        confirm("Consent to this?", self.yes)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let expires_at_ms = u64::try_from(now).unwrap_or(u64::MAX).saturating_add(self.valid_for * 3_600_000);
        let wallet = WalletRevision {
            tenant: asked.tenant,
            name: &asked.wallet,
            public_key: &asked.public_key.0,
            revision: asked.revision,
        };
        let approval = approve(&key, &wallet, subject, expires_at_ms);
        Printer::new(true).result(&approval, |_| String::new())
    }
}

/// Lines whose control characters are shown, not obeyed.
fn printable_lines(text: &str) -> String {
    text.lines().map(|line| format!("  {}", printable(line))).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use r3e_proto::api::wallets::Window;

    use super::*;

    #[test]
    fn an_approver_sees_what_the_digest_is_of() {
        let policy = Policy {
            chains: vec![],
            messages: true,
            neo: Vec::new(),
            typed_data: vec![],
            raw: false,
            window: Window { seconds: 1, max_signatures: 1 },
            api_keys: false,
            functions: vec![],
            approval: None,
            export: false,
        };
        let asked = |what| Asked {
            tenant: TenantId([1; 16]),
            wallet: "hot\u{1b}".into(),
            key_type: KeyType::Secp256k1,
            public_key: HexBytes(vec![2; 33]),
            revision: 3,
            what,
            standing: None,
        };
        let mut asked_policy = asked(Subjects::SetPolicy(Box::new(policy.clone())));
        let subject = asked_policy.subject().unwrap();
        assert_eq!(subject, Subject::SetPolicy(policy_digest(&policy).unwrap()));
        let words = asked_policy.words(subject);
        assert!(words.contains("\"messages\": true") && words.contains("revision 3"), "{words}");
        assert!(!words.contains('\u{1b}'), "{words}");
        // What changes is shown, and by whose word; where nothing is said of it, that is said.
        assert!(words.contains("does not say which policy stands"), "{words}");
        asked_policy.standing = Some(Box::new(Policy { messages: false, ..policy.clone() }));
        let words = asked_policy.words(subject);
        assert!(words.contains("- messages: false") && words.contains("+ messages: true"), "{words}");
        asked_policy.standing = Some(Box::new(policy));
        assert!(asked_policy.words(subject).contains("  nothing"));
        let export = asked(Subjects::Export(Hash32([9; 32])));
        assert!(export.words(export.subject().unwrap()).contains("EXPORT ITS PRIVATE KEY"));
        // A payload that this key cannot sign has no digest to consent to.
        let wrong = asked(Subjects::Sign(Box::new(Payload::Bytes { bytes: HexBytes(vec![]) })));
        assert!(wrong.subject().is_err());
    }
}
