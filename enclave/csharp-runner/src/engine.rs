//! The engine of C#: keeps the assembly of a function as bytes; where events are handled, a runtime on a thread of its own runs it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_runner_api::limits::MAX_OUTSTANDING_HOST_CALLS;
use r3e_runner_api::program::Program;
use r3e_runner_api::{Fault, FaultKind, FunctionLimits, HostReply, RunnerMessage, json};
use r3e_sandbox::{Demands, Log, Progress, Sender};

use crate::answers;
use crate::assemblies::Assemblies;
use crate::desk::{self, Counter, Said};
use crate::limits::LOOK_MS;
use crate::runtime::{self, Argument};

/// One function version.
#[derive(Debug)]
pub struct CSharp {
    sender: Sender,
    limits: FunctionLimits,
    heap_bytes: u64,
    assembly: Vec<u8>,
    symbols: Vec<u8>,
    /// Where the runtime is heard, in a process that handles events.
    counter: Option<Counter>,
    log: Log,
    /// Calls that are out, and where their answers go.
    outstanding: BTreeMap<u32, SyncSender<String>>,
    last_call: u32,
    has_ended: bool,
}

impl CSharp {
    /// Says where the runtime's assemblies are. Before the program serves.
    pub fn provide(assemblies: Assemblies) {
        runtime::provide(assemblies);
    }

    /// Makes a host call of what a thread of the function's said.
    fn call(&mut self, request: &str, answer: SyncSender<String>) {
        let call_id = self.last_call.wrapping_add(1);
        let frame = answers::call(request).and_then(|call| {
            RunnerMessage::HostCall { call_id, call }.encode().map_err(|_| answers::too_large())
        });
        match frame {
            Ok(frame) => {
                self.last_call = call_id;
                self.outstanding.insert(call_id, answer);
                self.sender.send_frame(&frame);
            }
            Err(refused) => {
                // Nobody waits for it where the function has ended the thread.
                let _heard = answer.send(answers::answer(Err(refused)));
            }
        }
    }

    /// A result within its bounds.
    fn checked(&self, result: String) -> Result<String, Fault> {
        let max_bytes = usize::try_from(self.limits.output_bytes).unwrap_or(usize::MAX);
        if result.len() > max_bytes {
            let message = format!("the result is longer than the function's limit of {max_bytes} bytes");
            return Err(Fault::new(FaultKind::ResultTooLarge, "OverflowException", &message, None));
        }
        match json::check(&result) {
            Ok(()) => Ok(result),
            Err(error) => {
                Err(Fault::new(FaultKind::ResultNotJson, "JsonException", &error.to_string(), None))
            }
        }
    }

    fn settled(&mut self, outcome: Result<String, Fault>) -> Progress<String> {
        // Whoever still waits for an answer finds that there is none.
        self.outstanding.clear();
        Progress::Settled(outcome)
    }
}

impl r3e_sandbox::Engine for CSharp {
    type Error = Infallible;
    type Loading = ();
    const DEMANDS: Demands = Demands { reserved_bytes: 0, loads_code: false, makes_code: true };

    fn start(sender: Sender) -> Result<Self, Infallible> {
        Ok(Self {
            log: Log::new(sender.clone(), 0),
            sender,
            limits: FunctionLimits { memory_mib: 0, output_bytes: 0, log_bytes: 0 },
            heap_bytes: 0,
            assembly: Vec::new(),
            symbols: Vec::new(),
            counter: None,
            outstanding: BTreeMap::new(),
            last_call: 0,
            has_ended: false,
        })
    }

    /// There is no randomness before there is a runtime.
    fn reseed(&mut self) {}

    fn prepare(&mut self) {
        self.counter = Some(desk::open());
        // SAFETY: the process is a copy of one that has one thread, and has started no other.
        unsafe { runtime::limit_heap(self.heap_bytes) };
        let (assembly, symbols) = (std::mem::take(&mut self.assembly), std::mem::take(&mut self.symbols));
        let started = runtime::on_thread(move || {
            let arguments = [Argument::Bytes(&assembly), Argument::Bytes(&symbols)];
            let ended = runtime::call("Loop", "Run", &arguments);
            desk::ended(ended.err().unwrap_or_else(|| "the function ended its loop".to_owned()));
        });
        // Told when there is an event to tell it of.
        self.has_ended = started.is_err();
    }

    fn limit(&mut self, heap_bytes: u64, limits: FunctionLimits) {
        self.limits = limits;
        self.heap_bytes = heap_bytes;
    }

    fn begin_load(&mut self, source: String) -> Result<(), Fault> {
        let unreadable = |why: &str| Fault::new(FaultKind::Module, "LoadError", why, None);
        let program = Program::decode(&source).map_err(|error| unreadable(&error.to_string()))?;
        drop(source);
        let [module] = program.modules.try_into().map_err(|_| unreadable("not one assembly"))?;
        let decoded = |text: String| STANDARD.decode(text).map_err(|error| unreadable(&error.to_string()));
        self.assembly = decoded(module.code)?;
        self.symbols = decoded(module.map)?;
        Ok(())
    }

    fn progress_load(&mut self, _loading: &mut ()) -> Progress<()> {
        Progress::Settled(Ok(()))
    }

    fn begin(&mut self, event: String) -> Result<(), Fault> {
        self.log = Log::new(self.sender.clone(), self.limits.log_bytes);
        match &self.counter {
            Some(counter) if !self.has_ended => {
                counter.hand_over(event);
                Ok(())
            }
            _ => Err(Fault::new(FaultKind::Thrown, "Exit", "the runtime has no thread", None)),
        }
    }

    fn progress(&mut self) -> Progress<String> {
        let look = || Progress::Waiting(Some(Instant::now() + Duration::from_millis(LOOK_MS)));
        loop {
            if self.outstanding.len() >= MAX_OUTSTANDING_HOST_CALLS {
                return look();
            }
            // With an answer to wait for, both sides are looked at in turn; else there is one to listen to.
            let patience = (!self.outstanding.is_empty()).then_some(Duration::ZERO);
            let said = self.counter.as_ref().map(|counter| counter.hear(patience));
            match said {
                Some(None) => return look(),
                Some(Some(Said::Log(level, text))) => self.log.send(level, &text),
                Some(Some(Said::Call(request, answer))) => self.call(&request, answer),
                Some(Some(Said::Done(result))) => {
                    let checked = self.checked(result);
                    return self.settled(checked);
                }
                Some(Some(Said::Failed(text))) => return self.settled(Err(answers::fault(&text))),
                Some(Some(Said::Broken(text))) => {
                    self.has_ended = true;
                    return self.settled(Err(answers::fault(&text)));
                }
                Some(Some(Said::Ended(why))) => {
                    self.has_ended = true;
                    return self.settled(Err(Fault::new(FaultKind::Thrown, "Exit", &why, None)));
                }
                None => {
                    let why = Fault::new(FaultKind::Thrown, "Exit", "there is no runtime", None);
                    return self.settled(Err(why));
                }
            }
        }
    }

    fn deliver(&mut self, call_id: u32, reply: HostReply) {
        // An answer to a call of an event that is over is nobody's.
        if let Some(waiting) = self.outstanding.remove(&call_id) {
            let _heard = waiting.send(answers::answer(reply));
        }
    }

    fn is_spent(&mut self) -> bool {
        self.has_ended
    }
}
