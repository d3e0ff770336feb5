//! What a member is shown before it approves, and after.

use std::collections::BTreeMap;

use r3e_client::{Address, AttestedChannel, Unlocking, VerifiedSetup};
use r3e_proto::api::unlock::UnlockState;
use r3e_proto::channel::binding::Digest;
use serde::Serialize;

use crate::output::{fields, printable, table, time};

/// How a setup stands to the one that this machine remembers for the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    /// None is remembered.
    Unknown,
    /// It is the one.
    Remembered,
    /// Another one is remembered.
    Other(Digest),
}

/// An appliance, its quorum, and its setup.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    address: String,
    release: Option<String>,
    module_id: String,
    debug: bool,
    configuration: String,
    pcrs: BTreeMap<u8, String>,
    state: UnlockState,
    detail: &'a str,
    threshold: u8,
    members: Vec<ShownMember<'a>>,
    setup: Option<ShownSetup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    own_share_of: Option<String>,
}

#[derive(Serialize)]
struct ShownMember<'a> {
    name: &'a str,
    signing_key: String,
    approved: bool,
}

#[derive(Serialize)]
struct ShownSetup {
    id: String,
    digest: String,
    /// The commitment to the root secret.
    identity: String,
    made_at_ms: u64,
    /// Whether its document is of a release that is accepted now; else it is taken because it is remembered.
    maker_accepted: bool,
    made_by_release: Option<String>,
    remembered: Option<String>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(
        address: &Address,
        channel: &AttestedChannel,
        unlocking: &'a Unlocking,
        stand: Stand,
    ) -> Self {
        let result = channel.attestation();
        let approved = unlocking.approved();
        let member = |name: &'a str, key: &[u8; 32]| ShownMember {
            name,
            signing_key: hex::encode(key),
            approved: approved.iter().any(|other| other == name),
        };
        let members = unlocking.policy().members().iter();
        Self {
            address: address.to_string(),
            release: result.matched_release().map(str::to_owned),
            module_id: result.module_id().to_owned(),
            debug: result.is_debug(),
            configuration: hex::encode(channel.configuration_digest()),
            pcrs: result.pcrs().iter().map(|(index, pcr)| (*index, hex::encode(pcr))).collect(),
            state: unlocking.state(),
            detail: unlocking.detail(),
            threshold: unlocking.policy().threshold(),
            members: members.map(|one| member(&one.name, &one.signing_key)).collect(),
            setup: unlocking.setup().map(|setup| ShownSetup::new(setup, stand)),
            own_share_of: None,
        }
    }

    /// The same, after this member's share was seen to open.
    pub(super) fn with_own_share(self, member: String) -> Self {
        Self { own_share_of: Some(member), ..self }
    }

    pub(super) fn human(&self) -> String {
        let runs = match &self.release {
            Some(release) => format!("release {}", printable(release)),
            None => "an image of the required PCRs".to_owned(),
        };
        let registers = self.pcrs.iter().filter(|(_, pcr)| pcr.bytes().any(|digit| digit != b'0'));
        let registers: Vec<(String, String)> =
            registers.map(|(index, pcr)| (format!("PCR{index}"), pcr.clone())).collect();
        let mut pairs = vec![
            ("module", self.module_id.clone()),
            (
                "debug mode",
                if self.debug { "YES: whoever runs it reads its memory" } else { "no" }.to_owned(),
            ),
            ("configuration", self.configuration.clone()),
        ];
        pairs.extend(registers.iter().map(|(name, pcr)| (name.as_str(), pcr.clone())));
        pairs.push(("unlocking", format!("{}: {}", word(self.state), self.detail)));
        if let Some(setup) = &self.setup {
            pairs.extend(setup.pairs());
        }
        if let Some(member) = &self.own_share_of {
            pairs.push(("your share", format!("{member}'s opens with this key")));
        }
        let rows: Vec<[String; 3]> = self.members.iter().map(ShownMember::row).collect();
        format!(
            "verified: the appliance at {} runs {runs}\n\n{}\n{} of these must approve:\n\n{}",
            self.address,
            fields(&pairs),
            self.threshold,
            table(["MEMBER", "APPROVED", "SIGNING KEY"], &rows)
        )
    }
}

impl ShownMember<'_> {
    fn row(&self) -> [String; 3] {
        let approved = if self.approved { "yes" } else { "no" };
        [self.name.to_owned(), approved.to_owned(), self.signing_key.clone()]
    }
}

impl ShownSetup {
    fn new(verified: &VerifiedSetup, stand: Stand) -> Self {
        let (setup, digest) = (verified.setup(), hex::encode(verified.digest()));
        Self {
            id: hex::encode(setup.id),
            identity: hex::encode(setup.commitment),
            made_at_ms: setup.made_at_ms,
            maker_accepted: verified.attestation().is_some(),
            made_by_release: verified
                .attestation()
                .and_then(|result| result.matched_release().map(str::to_owned)),
            remembered: match stand {
                Stand::Unknown => None,
                Stand::Remembered => Some(digest.clone()),
                Stand::Other(other) => Some(hex::encode(other)),
            },
            digest,
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let made_by = match &self.made_by_release {
            Some(release) => printable(release).into_owned(),
            None if self.maker_accepted => "an image of the required PCRs".to_owned(),
            None => "an image that is not accepted now; taken because it is remembered".to_owned(),
        };
        let remembered = match &self.remembered {
            None => "none; this one is remembered when it is approved".to_owned(),
            Some(digest) if *digest == self.digest => "this one".to_owned(),
            Some(digest) => format!("ANOTHER ONE: {digest}"),
        };
        vec![
            ("setup", self.id.clone()),
            ("setup's digest", self.digest.clone()),
            ("identity", self.identity.clone()),
            ("made at", format!("{} by {made_by}", time(self.made_at_ms))),
            ("remembered here", remembered),
        ]
    }
}

fn word(state: UnlockState) -> &'static str {
    match state {
        UnlockState::Reading => "reading",
        UnlockState::NoSetup => "no setup",
        UnlockState::SetupUnusable => "setup unusable",
        UnlockState::Waiting => "waiting",
        UnlockState::Opening => "opening",
        UnlockState::Unlocked => "unlocked",
    }
}
