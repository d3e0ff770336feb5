//! What k of n nodes say alike.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use serde_json::Value;

use super::answer::{Question, RpcError};
use super::fields::AnswerError;
use super::transport::Transport;
use crate::limits::MAX_ENDPOINTS;

/// Of each question: an answer comes on the connection of its own question, and needs no number to be told by. So the same question
/// has the same bytes, by which a transport may know that it was just asked.
const ID: u64 = 1;

/// Nodes, and how many of them must agree.
#[derive(Debug)]
pub struct Quorum<T> {
    transport: T,
    endpoints: usize,
    needed: usize,
}

/// Something that nodes are compared by. Two answers that are equal mean the same, whatever their nodes wrote.
pub trait Answer: PartialEq + Send {
    /// A line about it, for an error: short, and without anything that is secret.
    fn summary(&self) -> String;
}

/// What one node said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Which node, from 0.
    pub endpoint: usize,
    /// What it said.
    pub said: Said,
}

/// What a node can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// This answer, in a line.
    Answer(String),
    /// Nothing that can be used.
    Failed(RpcError),
}

/// Why there is no answer that enough nodes gave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuorumError {
    /// So many of so many cannot be asked for: fewer than a half could agree twice, on two things.
    #[error(
        "{needed} of {endpoints} nodes cannot be a quorum: more than half, and at most {MAX_ENDPOINTS} in all"
    )]
    Rule {
        /// How many must agree.
        needed: usize,
        /// How many there are.
        endpoints: usize,
    },
    /// Too few said the same.
    #[error("{needed} nodes must agree on {method}: {}", Said::listed(.statements))]
    Disagreement {
        /// What was asked.
        method: &'static str,
        /// How many must agree.
        needed: usize,
        /// What each node said.
        statements: Vec<Statement>,
    },
}

type Asked<'a, A> = Pin<Box<dyn Future<Output = Result<A, RpcError>> + Send + 'a>>;
type Outcomes<A> = Vec<Option<Result<A, RpcError>>>;

impl<T: Transport> Quorum<T> {
    /// `needed` of the nodes 0 to `endpoints - 1`.
    ///
    /// # Errors
    /// [`QuorumError::Rule`].
    pub fn new(transport: T, endpoints: usize, needed: usize) -> Result<Self, QuorumError> {
        if needed > endpoints || needed * 2 <= endpoints || endpoints > MAX_ENDPOINTS {
            return Err(QuorumError::Rule { needed, endpoints });
        }
        Ok(Self { transport, endpoints, needed })
    }

    /// The answer that enough nodes give. All are asked at once; the rest is not waited for once enough agree.
    ///
    /// # Errors
    /// [`QuorumError::Disagreement`].
    pub async fn ask<A, F>(&self, question: &Question, read: F) -> Result<A, QuorumError>
    where
        A: Answer,
        F: Fn(Value) -> Result<A, AnswerError> + Send + Sync,
    {
        self.ask_anyhow(question, |said| Ok(read(said?)?)).await
    }

    /// The same, of a question to which a refusal may be the answer: `read` is given those, too.
    ///
    /// # Errors
    /// [`QuorumError::Disagreement`].
    pub async fn ask_anyhow<A, F>(&self, question: &Question, read: F) -> Result<A, QuorumError>
    where
        A: Answer,
        F: Fn(Result<Value, RpcError>) -> Result<A, RpcError> + Send + Sync,
    {
        let mut outcomes =
            collect(self.asked(question, &read), |outcomes| self.agreed(outcomes).is_some()).await;
        match self.agreed(&outcomes).and_then(|at| outcomes.swap_remove(at)) {
            Some(Ok(answer)) => Ok(answer),
            _ => Err(self.disagreement(question, outcomes)),
        }
    }

    /// The greatest height that enough nodes have reached. All are waited for: the first to answer may be those that lag.
    ///
    /// # Errors
    /// [`QuorumError::Disagreement`].
    pub async fn ask_height<F>(&self, question: &Question, read: F) -> Result<u64, QuorumError>
    where
        F: Fn(Value) -> Result<u64, AnswerError> + Send + Sync,
    {
        let read = |said: Result<Value, RpcError>| Ok(Height(read(said?)?));
        let outcomes = collect(self.asked(question, &read), |_| false).await;
        self.reached(question, outcomes)
    }

    fn reached(&self, question: &Question, outcomes: Outcomes<Height>) -> Result<u64, QuorumError> {
        let mut heights: Vec<u64> = outcomes.iter().flatten().flatten().map(|height| height.0).collect();
        heights.sort_unstable_by(|one, other| other.cmp(one));
        match heights.get(self.needed - 1) {
            Some(height) => Ok(*height),
            None => Err(self.disagreement(question, outcomes)),
        }
    }

    /// A height that enough nodes have reached, by those that answer first: no higher than the greatest, and asked of no node that is silent.
    ///
    /// # Errors
    /// [`QuorumError::Disagreement`].
    pub async fn ask_height_of_first<F>(&self, question: &Question, read: F) -> Result<u64, QuorumError>
    where
        F: Fn(Value) -> Result<u64, AnswerError> + Send + Sync,
    {
        let read = |said: Result<Value, RpcError>| Ok(Height(read(said?)?));
        let enough = |outcomes: &Outcomes<Height>| outcomes.iter().flatten().flatten().count() >= self.needed;
        let outcomes = collect(self.asked(question, &read), enough).await;
        self.reached(question, outcomes)
    }

    /// The answer that enough nodes give to all of `questions` together, each node to one after the other: so that what is read of them is
    /// of one mind. A node that does not answer one of them has no part.
    ///
    /// # Errors
    /// [`QuorumError::Disagreement`].
    pub async fn ask_together<A, F>(&self, questions: &[Question], read: F) -> Result<A, QuorumError>
    where
        A: Answer,
        F: Fn(Vec<Value>) -> Result<A, AnswerError> + Send + Sync,
    {
        let read = &read;
        let one = |endpoint| -> Asked<'_, A> {
            Box::pin(async move {
                let mut answers = Vec::with_capacity(questions.len());
                for question in questions {
                    answers.push(question.ask(&self.transport, endpoint, ID).await?);
                }
                Ok(read(answers)?)
            })
        };
        let asked = (0..self.endpoints).map(one).collect();
        let mut outcomes = collect(asked, |outcomes| self.agreed(outcomes).is_some()).await;
        match (self.agreed(&outcomes).and_then(|at| outcomes.swap_remove(at)), questions.first()) {
            (Some(Ok(answer)), _) => Ok(answer),
            (_, Some(first)) => Err(self.disagreement(first, outcomes)),
            (_, None) => Err(QuorumError::Rule { needed: self.needed, endpoints: self.endpoints }),
        }
    }

    /// The greatest height that enough nodes have reached, by those that answer before `patience` is over, or by the first that are enough: one that is
    /// silent is not waited for, and one that lags and is quick is not alone.
    ///
    /// # Errors
    /// [`QuorumError::Disagreement`].
    pub async fn ask_height_within<F>(
        &self,
        question: &Question,
        read: F,
        patience: impl Future<Output = ()>,
    ) -> Result<u64, QuorumError>
    where
        F: Fn(Value) -> Result<u64, AnswerError> + Send + Sync,
    {
        let read = |said: Result<Value, RpcError>| Ok(Height(read(said?)?));
        let enough = |outcomes: &Outcomes<Height>| outcomes.iter().flatten().flatten().count() >= self.needed;
        let outcomes = collect_within(self.asked(question, &read), enough, patience).await;
        self.reached(question, outcomes)
    }

    /// As [`Self::tell`], of those nodes that answer before `patience` is over, or that are enough.
    pub async fn tell_within(
        &self,
        question: &Question,
        patience: impl Future<Output = ()>,
    ) -> Vec<Result<Value, RpcError>> {
        let read = |said: Result<Value, RpcError>| said.map(Words);
        let enough = |outcomes: &Outcomes<Words>| outcomes.iter().flatten().count() >= self.needed;
        let outcomes = collect_within(self.asked(question, &read), enough, patience).await;
        outcomes.into_iter().flatten().map(|said| said.map(|words| words.0)).collect()
    }

    /// What each node says, in their order. Nothing follows from it: they are told something.
    pub async fn tell(&self, question: &Question) -> Vec<Result<Value, RpcError>> {
        let read = |said: Result<Value, RpcError>| said.map(Words);
        let outcomes = collect(self.asked(question, &read), |_| false).await;
        outcomes.into_iter().flatten().map(|said| said.map(|words| words.0)).collect()
    }

    /// How many nodes there are.
    pub fn endpoints(&self) -> usize {
        self.endpoints
    }

    /// How many nodes must agree.
    pub fn needed(&self) -> usize {
        self.needed
    }

    fn asked<'a, A, F>(&'a self, question: &'a Question, read: &'a F) -> Vec<Asked<'a, A>>
    where
        A: Answer,
        F: Fn(Result<Value, RpcError>) -> Result<A, RpcError> + Send + Sync,
    {
        let one = |endpoint| -> Asked<'a, A> {
            Box::pin(async move { read(question.ask(&self.transport, endpoint, ID).await) })
        };
        (0..self.endpoints).map(one).collect()
    }

    /// The first of enough equal answers.
    fn agreed<A: Answer>(&self, outcomes: &Outcomes<A>) -> Option<usize> {
        let answer = |outcome: &Option<Result<A, RpcError>>| matches!(outcome, Some(Ok(_)));
        let equal = |at: &usize| outcomes.iter().filter(|other| **other == outcomes[*at]).count();
        (0..outcomes.len()).filter(|at| answer(&outcomes[*at])).find(|at| equal(at) >= self.needed)
    }

    fn disagreement<A: Answer>(&self, question: &Question, outcomes: Outcomes<A>) -> QuorumError {
        let statement = |(endpoint, outcome): (usize, Option<Result<A, RpcError>>)| {
            let said = match outcome? {
                Ok(answer) => Said::Answer(answer.summary()),
                Err(error) => Said::Failed(error),
            };
            Some(Statement { endpoint, said })
        };
        let statements = outcomes.into_iter().enumerate().filter_map(statement).collect();
        QuorumError::Disagreement { method: question.method, needed: self.needed, statements }
    }
}

/// Runs all at once, until all have ended or `enough` says so.
async fn collect<A>(asked: Vec<Asked<'_, A>>, enough: impl Fn(&Outcomes<A>) -> bool) -> Outcomes<A> {
    collect_within(asked, enough, std::future::ready(())).await
}

/// The same, and until `patience` is over even where there are enough.
async fn collect_within<A>(
    mut asked: Vec<Asked<'_, A>>,
    enough: impl Fn(&Outcomes<A>) -> bool,
    patience: impl Future<Output = ()>,
) -> Outcomes<A> {
    let mut outcomes: Outcomes<A> = asked.iter().map(|_| None).collect();
    let (mut patience, mut is_over) = (pin!(patience), false);
    poll_fn(|context| {
        is_over = is_over || patience.as_mut().poll(context).is_ready();
        let mut waiting = 0;
        for (one, outcome) in asked.iter_mut().zip(&mut outcomes).filter(|(_, outcome)| outcome.is_none()) {
            match one.as_mut().poll(context) {
                Poll::Ready(ended) => *outcome = Some(ended),
                Poll::Pending => waiting += 1,
            }
        }
        if waiting == 0 || (is_over && enough(&outcomes)) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outcomes
}

#[derive(PartialEq)]
struct Height(u64);

/// Whatever a node said.
#[derive(PartialEq)]
struct Words(Value);

impl Answer for Words {
    fn summary(&self) -> String {
        "something".to_owned()
    }
}

impl Answer for Height {
    fn summary(&self) -> String {
        format!("height {}", self.0)
    }
}

impl Said {
    fn listed(statements: &[Statement]) -> String {
        statements.iter().map(Statement::to_string).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.said {
            Said::Answer(summary) => write!(formatter, "node {} says {summary}", self.endpoint),
            Said::Failed(error) => write!(formatter, "of node {}, {error}", self.endpoint),
        }
    }
}
