//! The line to one peer: an attested channel to the appliance that the configuration names, by which it is asked.

use std::sync::Arc;

use http::{Method, StatusCode};
use r3e_attestation::{AppraisalPolicy, PolicyError, TrustAnchor};
use r3e_attester::TrustedClock;
use r3e_egress::open_tunnel;
use r3e_proto::api::ErrorBody;
use r3e_proto::api::status::ReportKey;
use r3e_proto::api::witness::{Answer, Ask, Hex, Record, Recorded};
use r3e_proto::channel::CONFIGURATION_PCR;
use r3e_proto::channel::binding::pcr_extended_once;
use r3e_proto::witness::{Commit, NONCE_BYTES, ask_message};
use r3e_transport::EnclaveTransport;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::answer::{Identity, NoAnswer};
use super::worker::{PeerLine, Task};
use crate::configuration::PeerChoice;
use crate::limits::WITNESS_ROUND_TIMEOUT;
use crate::peer::{Peer, PeerError, PeerParts, PeerSession};

/// What a line is made with.
pub(super) struct LineParts<'a> {
    pub(super) transport: EnclaveTransport,
    pub(super) trust: &'a TrustAnchor,
    pub(super) clock: TrustedClock,
    pub(super) identity: Arc<Identity>,
}

/// The line to a peer.
pub(super) struct Line {
    choice: PeerChoice,
    policy: AppraisalPolicy,
    transport: EnclaveTransport,
    clock: TrustedClock,
    identity: Arc<Identity>,
    channel: Option<Channel>,
    /// The latest that it has confirmed to this process.
    confirmed: Option<Commit>,
}

/// A channel to a peer that is who it should be.
struct Channel {
    session: PeerSession,
    report_key: [u8; 32],
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub(super) enum Problem {
    #[error("the parent does not connect: {0}")]
    Tunnel(#[from] r3e_egress::FetchError),
    #[error(transparent)]
    Peer(#[from] PeerError),
    #[error("its configuration is none of those that are named")]
    Configuration,
    #[error("it is another appliance: its identity is {0}")]
    Identity(String),
    #[error("it refuses: {code}: {message}")]
    Refused { code: String, message: String },
    #[error("its answer to {question} is none: {why}")]
    Answer { question: &'static str, why: String },
    #[error(transparent)]
    Judged(#[from] NoAnswer),
    #[error("no random bytes for a nonce, or no signature")]
    Library,
    #[error("no answer in {} s", WITNESS_ROUND_TIMEOUT.as_secs())]
    Slow,
}

impl Line {
    /// To the peer of `choice`, not connected yet.
    ///
    /// # Errors
    /// Its reference values make no policy.
    pub(super) fn new(choice: PeerChoice, parts: LineParts<'_>) -> Result<Self, PolicyError> {
        let LineParts { transport, trust, clock, identity } = parts;
        let policy = Peer::policy(trust).accept_releases(choice.releases.iter().cloned()).build()?;
        Ok(Self { choice, policy, transport, clock, identity, channel: None, confirmed: None })
    }

    /// A channel to the peer, if it is the one that the configuration names.
    async fn connect(&self) -> Result<Channel, Problem> {
        let PeerChoice { host, port, identity, configurations, .. } = &self.choice;
        let stream = open_tunnel(&self.transport, host, *port).await?;
        let parts = PeerParts { policy: &self.policy, clock: &self.clock };
        let mut session = Peer::connect(stream, &parts, host).await?;
        let measured = session.attestation().pcr(CONFIGURATION_PCR);
        let named = |digest| measured == Some(&pcr_extended_once(digest));
        if !configurations.is_empty() && !configurations.iter().any(|digest| named(digest)) {
            return Err(Problem::Configuration);
        }
        let status: Status =
            request(&mut session, "its status", Method::GET, "/v1/status", Vec::new()).await?;
        if status.identity != hex::encode(identity) {
            return Err(Problem::Identity(status.identity.chars().take(64).collect()));
        }
        let key: ReportKey =
            request(&mut session, "its report key", Method::GET, "/v1/report-key", Vec::new()).await?;
        let report_key: Hex<32> = key
            .public_key
            .parse()
            .map_err(|_| Problem::Answer { question: "its report key", why: "it is no key".to_owned() })?;
        Ok(Channel { session, report_key: report_key.0 })
    }

    async fn on(&mut self, channel: &mut Channel, task: Task) -> Result<Option<Commit>, Problem> {
        let mut nonce = [0; NONCE_BYTES];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| Problem::Library)?;
        let key = self.identity.public();
        let (question, path, body) = match task {
            Task::Last => {
                let message = ask_message(&key, channel.session.binding(), &nonce);
                let signature = Hex(self.identity.sign(&message).map_err(|_| Problem::Library)?);
                let ask = Ask { key, nonce: Hex(nonce), signature };
                ("what it remembers", "/v1/witness/last", serde_json::to_vec(&ask))
            }
            Task::Record(Commit { sequence, head }, signature) => {
                let commit = Recorded { sequence, head: Hex(head), signature: Hex(signature) };
                let record = Record { key, nonce: Hex(nonce), commit };
                ("a commit to remember", "/v1/witness", serde_json::to_vec(&record))
            }
        };
        let body = body.map_err(|_| Problem::Library)?;
        let answer: Answer = request(&mut channel.session, question, Method::POST, path, body).await?;
        let confirmed = self.confirmed.as_ref();
        let last = self.identity.judge(&answer, &channel.report_key, &nonce, confirmed)?;
        self.confirmed = last.max(self.confirmed);
        Ok(last)
    }
}

impl PeerLine for Line {
    /// Asks; once more by a new connection where an old one had ended.
    async fn ask(&mut self, task: Task) -> Result<Option<Commit>, Problem> {
        if let Some(mut channel) = self.channel.take() {
            match self.on(&mut channel, task).await {
                Err(Problem::Peer(_)) => {}
                answered => {
                    self.channel = Some(channel);
                    return answered;
                }
            }
        }
        let mut channel = self.connect().await?;
        // Before anything is recorded with it: a peer that was rolled back would take any commit.
        let mut answered = self.on(&mut channel, Task::Last).await?;
        if matches!(task, Task::Record(..)) {
            answered = self.on(&mut channel, task).await?;
        }
        self.channel = Some(channel);
        Ok(answered)
    }

    fn hang_up(&mut self) {
        self.channel = None;
    }
}

/// What is read of a peer's status.
#[derive(Deserialize)]
struct Status {
    identity: String,
}

async fn request<T: DeserializeOwned>(
    session: &mut PeerSession,
    question: &'static str,
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> Result<T, Problem> {
    let (status, body) = session.request(method, path, body).await?;
    if status != StatusCode::OK {
        let said: Result<ErrorBody, _> = serde_json::from_slice(&body);
        let (code, message) = said.map_or_else(
            |_| (status.to_string(), String::new()),
            |body| (body.error.code, body.error.message.chars().take(200).collect()),
        );
        return Err(Problem::Refused { code, message });
    }
    serde_json::from_slice(&body).map_err(|error| Problem::Answer { question, why: error.to_string() })
}
