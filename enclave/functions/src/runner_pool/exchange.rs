//! One exchange with a process: a load or an event, from the first byte sent to the outcome, under its limits.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use r3e_runner_api::{Fault, FaultKind, LogRecord, ProtocolError, Purpose, RunnerEvent};
use tokio::time::{Instant, sleep_until};
use zeroize::Zeroizing;

use super::config::{HostCalls, Limits};
use super::error::InvocationError;
use super::limits::{MAX_CHECK_MS, MEMORY_OVERHEAD_MIB, MIN_CHECK_MS};
use super::process::RunnerProcess;
use super::waiting_calls::WaitingCalls;

/// What an exchange left beside its outcome.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) logs: Vec<LogRecord>,
    pub(super) logs_truncated: bool,
    pub(super) log_bytes: usize,
    pub(super) host_calls: u32,
    pub(super) cpu: Duration,
    pub(super) wall: Duration,
}

/// How an exchange went wrong.
pub(super) enum Broken {
    /// For a reason that is known.
    Because(InvocationError),
    /// The socket was closed; how the process ended tells why.
    Closed,
}

impl<E: Into<InvocationError>> From<E> for Broken {
    fn from(error: E) -> Self {
        Self::Because(error.into())
    }
}

/// The process's part of an event.
pub(super) struct Exchange<'a> {
    process: &'a mut RunnerProcess,
    limits: &'a Limits,
    account: &'a mut Account,
    outgoing: VecDeque<Zeroizing<Vec<u8>>>,
    /// Bytes of the first outgoing frame that were sent.
    sent: usize,
    started: Instant,
    cpu_at_start: Duration,
    /// When its processor time was last read, and what it had used of it.
    last_read: (Instant, Duration),
    next_check: Instant,
}

impl<'a> Exchange<'a> {
    /// Prepares an exchange with an idle or blank process.
    pub(super) fn new(process: &'a mut RunnerProcess, limits: &'a Limits, account: &'a mut Account) -> Self {
        let started = Instant::now();
        let cpu_at_start = process.cpu_before().unwrap_or_default();
        let mut exchange = Self {
            process,
            limits,
            account,
            outgoing: VecDeque::new(),
            sent: 0,
            started,
            cpu_at_start,
            last_read: (started, Duration::ZERO),
            next_check: started,
        };
        exchange.next_check = exchange.check_after(Duration::ZERO);
        exchange
    }

    /// Loads a module.
    pub(super) async fn load(mut self, source: &str, purpose: Purpose) -> Result<(), Broken> {
        let limits = self.limits.of_runner();
        self.process.set_limits(limits);
        let frame = self.process.session.load(limits, purpose, source.to_owned()).map_err(too_large)?;
        self.outgoing.push_back(frame);
        let event = self.converse(None).await;
        self.settle_account();
        match event? {
            RunnerEvent::Loaded => Ok(()),
            RunnerEvent::LoadFailed(fault) => Err(Broken::Because(match fault.kind {
                FaultKind::Memory => self.out_of_memory(),
                _ => InvocationError::Load(fault),
            })),
            _ => Err(Broken::Closed),
        }
    }

    /// Runs an event.
    pub(super) async fn invoke(mut self, event: String, host: &dyn HostCalls) -> Result<String, Broken> {
        let frame = self.process.session.invoke(event).map_err(too_large)?;
        self.outgoing.push_back(frame);
        let event = self.converse(Some(host)).await;
        self.settle_account();
        match event? {
            RunnerEvent::Done(Ok(output)) => Ok(output),
            RunnerEvent::Done(Err(fault)) => Err(Broken::Because(self.failure(fault))),
            _ => Err(Broken::Closed),
        }
    }

    /// Sends and receives until the runner says the last word.
    async fn converse(&mut self, host: Option<&dyn HostCalls>) -> Result<RunnerEvent, Broken> {
        let mut calls = WaitingCalls::default();
        loop {
            while let Some(event) = self.process.session.next_event()? {
                match event {
                    RunnerEvent::Log(record) => self.log(record),
                    RunnerEvent::HostCall { call_id, call } => {
                        self.account.host_calls += 1;
                        if self.account.host_calls > self.limits.host_calls {
                            let max = self.limits.host_calls;
                            return Err(InvocationError::TooManyHostCalls { max }.into());
                        }
                        if let Some(host) = host {
                            calls.push(call_id, host.call(call));
                        }
                    }
                    last => return Ok(last),
                }
            }
            self.write()?;
            // Also when there is always something to read.
            if Instant::now() >= self.next_check {
                self.check()?;
            }
            tokio::select! {
                ready = self.process.stream.readable() => {
                    ready?;
                    if !self.process.read()? {
                        return Err(Broken::Closed);
                    }
                }
                ready = self.process.stream.writable(), if !self.outgoing.is_empty() => ready?,
                // A runner that does not read is answered no further: what waits for it stays one reply.
                (call_id, reply) = calls.next(), if !calls.is_empty() && self.outgoing.is_empty() => {
                    let frame = self.process.session.reply(call_id, reply)?;
                    self.outgoing.extend(frame);
                }
                () = sleep_until(self.next_check) => {}
            }
        }
    }

    /// Sends as much as the socket takes.
    fn write(&mut self) -> Result<(), Broken> {
        while let Some(frame) = self.outgoing.front() {
            let rest = frame.get(self.sent..).unwrap_or_default();
            if rest.is_empty() {
                self.outgoing.pop_front();
                self.sent = 0;
                continue;
            }
            match self.process.stream.try_write(rest) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) =>
                {
                    // It has ended. What it said before that is still to be read, its outcome perhaps.
                    self.outgoing.clear();
                    self.sent = 0;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Ends the event if a limit is reached; else says when to look again.
    fn check(&mut self) -> Result<(), Broken> {
        if self.started.elapsed() >= Duration::from_millis(self.limits.wall_ms) {
            return Err(InvocationError::Timeout { max_ms: self.limits.wall_ms }.into());
        }
        // What cannot be measured any more has ended: its socket says so, after its last word.
        let (Ok(cpu), Ok(resident_bytes)) = (self.process.meter.cpu(), self.process.meter.resident_bytes())
        else {
            self.next_check = self.check_after(Duration::ZERO);
            return Ok(());
        };
        let cpu = cpu.saturating_sub(self.cpu_at_start);
        self.last_read = (Instant::now(), cpu);
        if cpu >= Duration::from_millis(self.limits.cpu_ms) {
            return Err(InvocationError::CpuLimit { max_ms: self.limits.cpu_ms }.into());
        }
        let max_mib = u64::from(self.limits.memory_mib) + MEMORY_OVERHEAD_MIB;
        if resident_bytes > max_mib * 1024 * 1024 {
            return Err(self.out_of_memory().into());
        }
        self.next_check = self.check_after(cpu);
        Ok(())
    }

    /// A runner has one thread, so its processor time cannot run out before as much time has passed.
    fn check_after(&self, cpu_used: Duration) -> Instant {
        let cpu_left = Duration::from_millis(self.limits.cpu_ms).saturating_sub(cpu_used);
        let soon = cpu_left.clamp(Duration::from_millis(MIN_CHECK_MS), Duration::from_millis(MAX_CHECK_MS));
        let end = self.started + Duration::from_millis(self.limits.wall_ms);
        end.min(Instant::now() + soon)
    }

    fn log(&mut self, record: LogRecord) {
        let max_bytes = usize::try_from(self.limits.log_bytes).unwrap_or(usize::MAX);
        self.account.logs_truncated |= record.truncated;
        if self.account.log_bytes + record.text.len() > max_bytes {
            self.account.logs_truncated = true;
            return;
        }
        self.account.log_bytes += record.text.len();
        self.account.logs.push(record);
    }

    fn settle_account(&mut self) {
        self.account.wall += self.started.elapsed();
        // A process that is gone cannot be asked any more. It is charged what was seen of it, and the time since: with its one
        // thread it can have used no more.
        let cpu = self.process.meter.cpu().map(|cpu| cpu.saturating_sub(self.cpu_at_start));
        let (read, seen) = self.last_read;
        self.account.cpu += cpu.unwrap_or_else(|_| seen + read.elapsed());
    }

    fn failure(&self, fault: Fault) -> InvocationError {
        match fault.kind {
            FaultKind::Memory => self.out_of_memory(),
            FaultKind::ResultTooLarge => {
                InvocationError::OutputTooLarge { max_bytes: self.limits.output_bytes }
            }
            _ => InvocationError::Function(fault),
        }
    }

    fn out_of_memory(&self) -> InvocationError {
        InvocationError::Memory { max_mib: self.limits.memory_mib }
    }
}

/// Only our own side can have made a message too long to send.
fn too_large(error: ProtocolError) -> InvocationError {
    match error {
        ProtocolError::TooLong { .. } => InvocationError::TooLarge(error),
        other => InvocationError::Protocol(other),
    }
}
