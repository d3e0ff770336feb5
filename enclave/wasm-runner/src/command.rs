//! The engine of modules and components: loads machine code once, and runs it from its first instruction for each event.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Instant, SystemTime};

use r3e_runner_api::program::Program;
use r3e_runner_api::{Fault, FaultKind, FunctionLimits, HostReply, RunnerMessage};
use r3e_sandbox::{Demands, Log, Progress, Sender};
use wasmtime::component::Component;
use wasmtime::{Engine, Error, ExternType, InstancePre, Linker, Module, Precompiled};

use crate::component::Prepared;
use crate::desk::Desk;
use crate::guest::State;
use crate::limits::RESERVED_BYTES;
use crate::outcome::{Circumstances, outcome};
use crate::settings::engine;
use crate::{artefact, host, wasi};

/// The entry of a command.
const START: &str = "_start";

/// What runs, until it ends.
type Command = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// One engine, for one function version.
pub struct Commands {
    engine: Engine,
    /// Of modules.
    linker: Linker<State>,
    sender: Sender,
    limits: FunctionLimits,
    memory_bytes: usize,
    began: (Instant, SystemTime),
    loaded: Option<Loaded>,
    running: Option<Running>,
    last_call: u32,
}

/// What is loaded, linked.
#[derive(Clone)]
enum Loaded {
    Module(InstancePre<State>),
    Component(Prepared),
}

/// An event.
struct Running {
    desk: Desk,
    command: Command,
    /// The host call that is out.
    outstanding: Option<u32>,
}

impl r3e_sandbox::Engine for Commands {
    type Error = StartError;
    type Loading = ();
    const DEMANDS: Demands = Demands { reserved_bytes: RESERVED_BYTES, loads_code: true, makes_code: false };

    fn start(sender: Sender) -> Result<Self, StartError> {
        let engine = engine()?;
        // The stack for signals, by which a module's traps come: a system call that the box does not have later.
        Engine::tls_eager_initialize();
        let mut linker = Linker::new(&engine);
        wasi::link(&mut linker)?;
        host::link(&mut linker)?;
        Ok(Self {
            engine,
            linker,
            sender,
            limits: FunctionLimits { memory_mib: 0, output_bytes: 0, log_bytes: 0 },
            memory_bytes: 0,
            began: (Instant::now(), SystemTime::now()),
            loaded: None,
            running: None,
            last_call: 0,
        })
    }

    /// Randomness is never drawn ahead.
    fn reseed(&mut self) {}

    fn limit(&mut self, heap_bytes: u64, limits: FunctionLimits) {
        self.limits = limits;
        self.memory_bytes = usize::try_from(heap_bytes).unwrap_or(usize::MAX);
        self.began = (Instant::now(), SystemTime::now());
    }

    fn begin_load(&mut self, source: String) -> Result<(), Fault> {
        let unreadable = |why: String| Fault::new(FaultKind::Module, "LoadError", &why, None);
        let program = Program::decode(&source).map_err(|error| unreadable(error.to_string()))?;
        drop(source);
        let [module] = program.modules.try_into().map_err(|_| unreadable("not one module".to_owned()))?;
        let code = artefact::decode(&module.code).map_err(|error| unreadable(error.to_string()))?;
        drop(module);
        let of_another = |error: Error| {
            unreadable(format!(
                "this release does not load what another one has compiled; deploy it again ({error:#})"
            ))
        };
        // Machine code runs as it is: what it may do is bounded by this process's box and by nothing else. The bytes were made by our
        // compiler of this very tenant's module, and kept sealed since, so that nobody else has chosen them; a module that took the
        // compiler over in its own box has chosen them, and gains what the box of its own process gives it.
        self.loaded = Some(if Engine::detect_precompiled(&code) == Some(Precompiled::Component) {
            // SAFETY: as said above.
            let component = unsafe { Component::deserialize(&self.engine, code) }.map_err(of_another)?;
            Loaded::Component(Prepared::new(&self.engine, &component, self.memory_bytes)?)
        } else {
            // SAFETY: as said above.
            let module = unsafe { Module::deserialize(&self.engine, code) }.map_err(of_another)?;
            check(&module, self.memory_bytes)?;
            let linked = self.linker.instantiate_pre(&module);
            Loaded::Module(linked.map_err(|error| unreadable(error.root_cause().to_string()))?)
        });
        Ok(())
    }

    fn progress_load(&mut self, _loading: &mut ()) -> Progress<()> {
        Progress::Settled(Ok(()))
    }

    fn begin(&mut self, event: String) -> Result<(), Fault> {
        let Some(loaded) = self.loaded.clone() else { return Err(no_entry()) };
        let log = Log::new(self.sender.clone(), self.limits.log_bytes);
        // Else the event is an argument, and what is printed is the log's.
        let takes_input = !matches!(&loaded, Loaded::Component(Prepared::Handler(_)));
        let (input, argument) = if takes_input { (event, String::new()) } else { (String::new(), event) };
        let desk = Desk::new(input, self.limits, self.memory_bytes, log, self.began);
        let mut state = State::new(desk.clone(), &["function"]);
        state.output_is_result = takes_input;
        let mut store = state.into_store(&self.engine);
        let command: Command = match loaded {
            Loaded::Module(module) => Box::pin(async move {
                let instance = module.instantiate_async(&mut store).await?;
                let start = instance.get_typed_func::<(), ()>(&mut store, START)?;
                start.call_async(&mut store, ()).await
            }),
            Loaded::Component(component) => Box::pin(component.run(store, argument)),
        };
        self.running = Some(Running { desk, command, outstanding: None });
        Ok(())
    }

    fn progress(&mut self) -> Progress<String> {
        let Some(mut running) = self.running.take() else { return Progress::Settled(Err(no_entry())) };
        loop {
            let polled = running.command.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(ended) = polled {
                let mut desk = running.desk.lock();
                let circumstances = Circumstances {
                    output: desk.finish(),
                    output_overflowed: desk.overflowed,
                    max_output_bytes: self.limits.output_bytes,
                    was_refused_memory: desk.was_refused_memory,
                };
                return Progress::Settled(outcome(ended, circumstances));
            }
            let (call, until) = {
                let mut desk = running.desk.lock();
                (desk.take_call(), desk.sleeps_until())
            };
            if let Some(call) = call {
                let call_id = self.last_call.wrapping_add(1);
                let Ok(frame) = (RunnerMessage::HostCall { call_id, call }).encode() else {
                    running.desk.lock().answer(Err(host::too_large()));
                    continue;
                };
                self.last_call = call_id;
                running.outstanding = Some(call_id);
                self.sender.send_frame(&frame);
            }
            self.running = Some(running);
            return Progress::Waiting(until);
        }
    }

    fn deliver(&mut self, call_id: u32, reply: HostReply) {
        // An answer to a call of an event that is over is nobody's.
        let Some(running) = self.running.as_mut().filter(|running| running.outstanding == Some(call_id))
        else {
            return;
        };
        running.outstanding = None;
        running.desk.lock().answer(reply);
    }

    fn is_spent(&mut self) -> bool {
        false
    }
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
pub struct StartError(Error);

impl From<Error> for StartError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// Whether a module is a command whose memory can be had.
fn check(module: &Module, memory_bytes: usize) -> Result<(), Fault> {
    match module.get_export(START) {
        Some(ExternType::Func(start)) if start.params().len() == 0 && start.results().len() == 0 => {}
        _ => return Err(no_entry()),
    }
    let Some(ExternType::Memory(memory)) = module.get_export("memory") else {
        let message = "the module exports no memory under the name `memory`";
        return Err(Fault::new(FaultKind::Module, "LoadError", message, None));
    };
    let least = memory.minimum().saturating_mul(memory.page_size());
    if usize::try_from(least).is_ok_and(|least| least <= memory_bytes) {
        return Ok(());
    }
    Err(Fault::new(
        FaultKind::Memory,
        "MemoryError",
        "the module begins with more memory than its limit",
        None,
    ))
}

/// The module is no command.
fn no_entry() -> Fault {
    let message =
        "the module exports no `_start` without parameters: build it as a command of WASI preview 1";
    Fault::new(FaultKind::NoHandler, "LoadError", message, None)
}
