//! The engine of Python: an interpreter, which is a WebAssembly command that never ends. It is started before there is a function,
//! and every process that loads one, or handles an event, is a copy of the process that it was started in.

use std::cell::RefCell;
use std::ffi::OsString;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use r3e_runner_api::{Fault, FaultKind, FunctionLimits, HostCall, HostReply, RunnerMessage, json};
use r3e_sandbox::{Demands, Log, Progress, Sender};
use wasmtime::{Engine, Error, Linker, Module};

use crate::desk::Desk;
use crate::guest::State;
use crate::limits::RESERVED_BYTES;
use crate::orders::Said;
use crate::outcome::fault;
use crate::settings::engine;
use crate::{StartError, host, wasi};

/// How the interpreter is started: alone (`-I`), without a look for packages (`-S`), with text that is UTF-8; then its loop, and the
/// module `r3e`.
const ARGUMENTS: &[&str] = &[
    "python",
    "-I",
    "-S",
    "-B",
    "-X",
    "utf8",
    "-c",
    include_str!("python/bootstrap.py"),
    include_str!("python/r3e.py"),
];

thread_local! {
    /// The interpreter's machine code, from when there were files until it is started.
    static INTERPRETER: RefCell<Option<(Engine, Module)>> = const { RefCell::new(None) };
}

/// One interpreter, for one function version.
pub struct Python {
    desk: Desk,
    interpreter: Pin<Box<dyn Future<Output = Result<(), Error>>>>,
    /// Outlives the interpreter: giving its file back would be a system call that there is none for any more.
    _code: Module,
    sender: Sender,
    limits: FunctionLimits,
    outstanding: Option<u32>,
    last_call: u32,
    has_ended: bool,
}

/// How far the interpreter has come.
enum Step {
    /// An order is done.
    Settled(Result<String, Fault>),
    /// It asks for something.
    Call(HostCall),
    /// It sleeps, or waits for an answer.
    Waiting(Option<Instant>),
}

/// The interpreter's path, as this program was given it.
fn path() -> Option<OsString> {
    std::env::args_os().nth(1)
}

impl Python {
    /// Whether this program was given an interpreter.
    pub fn is_wanted() -> bool {
        path().is_some()
    }

    /// Goes on until the interpreter has said something, or waits.
    fn step(&mut self) -> Step {
        if self.has_ended {
            return Step::Settled(Err(ended(None)));
        }
        let polled = self.interpreter.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let mut desk = self.desk.lock();
        self.has_ended = polled.is_ready();
        // Its last word, where it had one before it ended.
        match (desk.take_said(), polled) {
            (Some(Said::Fault(fault)), _) => Step::Settled(Err(fault)),
            (Some(Said::Result(result)), _) => Step::Settled(Ok(result)),
            (Some(_), _) => Step::Settled(Ok(String::new())),
            (None, Poll::Ready(done)) => {
                let why = done.err().map(|error| fault(&error, desk.was_refused_memory));
                Step::Settled(Err(ended(why)))
            }
            (None, Poll::Pending) => desk.take_call().map_or(Step::Waiting(desk.sleeps_until()), Step::Call),
        }
    }

    /// Goes on until an order is done, or there is something to wait for. `calls_are_made` where there is somebody to answer them.
    fn advance(&mut self, calls_are_made: bool) -> Progress<String> {
        loop {
            let call = match self.step() {
                Step::Settled(outcome) => return Progress::Settled(outcome),
                Step::Waiting(until) => return Progress::Waiting(until),
                Step::Call(call) => call,
            };
            let refused = if calls_are_made {
                let call_id = self.last_call.wrapping_add(1);
                if let Ok(frame) = (RunnerMessage::HostCall { call_id, call }).encode() {
                    self.last_call = call_id;
                    self.outstanding = Some(call_id);
                    self.sender.send_frame(&frame);
                    return Progress::Waiting(None);
                }
                host::too_large()
            } else {
                host::at_top_level()
            };
            self.desk.lock().order(&host::text(Err(refused)));
        }
    }

    /// A result within its bounds.
    fn checked(&self, result: String) -> Result<String, Fault> {
        let max_bytes = usize::try_from(self.limits.output_bytes).unwrap_or(usize::MAX);
        if result.len() > max_bytes {
            let message = format!("the result is longer than the function's limit of {max_bytes} bytes");
            return Err(Fault::new(FaultKind::ResultTooLarge, "OverflowError", &message, None));
        }
        match json::check(&result) {
            Ok(()) => Ok(result),
            Err(error) => Err(Fault::new(FaultKind::ResultNotJson, "ValueError", &error.to_string(), None)),
        }
    }

    fn begin_order(&mut self, text: &str) {
        let mut desk = self.desk.lock();
        desk.begin(Log::new(self.sender.clone(), self.limits.log_bytes));
        desk.order(text);
    }
}

impl r3e_sandbox::Engine for Python {
    type Error = StartError;
    type Loading = ();
    // Its code is there before any filter: what is loaded later is text.
    const DEMANDS: Demands = Demands { reserved_bytes: RESERVED_BYTES, loads_code: false, makes_code: false };

    fn gather() -> Result<(), StartError> {
        let path = path().ok_or_else(|| Error::msg("no interpreter was named"))?;
        let engine = engine()?;
        // SAFETY: the file is part of what this program was installed with, made by `r3e-python-layer` of the same build, and as read-only
        // as this program itself is: whoever could change the one could change the other.
        let module = unsafe { Module::deserialize_file(&engine, path) }?;
        INTERPRETER.set(Some((engine, module)));
        Ok(())
    }

    fn start(sender: Sender) -> Result<Self, StartError> {
        let (engine, module) =
            INTERPRETER.take().ok_or_else(|| Error::msg("the interpreter was not read"))?;
        Engine::tls_eager_initialize();
        let mut linker = Linker::new(&engine);
        wasi::link(&mut linker)?;
        let prepared = linker.instantiate_pre(&module)?;
        let desk = Desk::of_interpreter(Log::new(sender.clone(), 0));
        let mut store = State::new(desk.clone(), ARGUMENTS).into_store(&engine);
        let interpreter = Box::pin(async move {
            let instance = prepared.instantiate_async(&mut store).await?;
            let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
            start.call_async(&mut store, ()).await
        });
        let limits = FunctionLimits { memory_mib: 0, output_bytes: 0, log_bytes: 0 };
        let mut this = Self {
            desk,
            interpreter,
            _code: module,
            sender,
            limits,
            outstanding: None,
            last_call: 0,
            has_ended: false,
        };
        match this.advance(false) {
            Progress::Settled(Ok(_)) => Ok(this),
            Progress::Settled(Err(fault)) => {
                Err(Error::msg(format!("the interpreter did not start: {}: {}", fault.name, fault.message))
                    .into())
            }
            Progress::Waiting(_) => Err(Error::msg("the interpreter waits for something").into()),
        }
    }

    /// The interpreter reseeds itself at each event.
    fn reseed(&mut self) {}

    fn limit(&mut self, heap_bytes: u64, limits: FunctionLimits) {
        self.limits = limits;
        self.desk.lock().limit(usize::try_from(heap_bytes).unwrap_or(usize::MAX));
    }

    fn begin_load(&mut self, source: String) -> Result<(), Fault> {
        self.begin_order(&source);
        Ok(())
    }

    fn progress_load(&mut self, _loading: &mut ()) -> Progress<()> {
        match self.advance(false) {
            Progress::Settled(Ok(_)) => Progress::Settled(Ok(())),
            Progress::Settled(Err(fault)) => Progress::Settled(Err(fault)),
            Progress::Waiting(until) => Progress::Waiting(until),
        }
    }

    fn begin(&mut self, event: String) -> Result<(), Fault> {
        self.outstanding = None;
        self.begin_order(&event);
        Ok(())
    }

    fn progress(&mut self) -> Progress<String> {
        match self.advance(true) {
            Progress::Settled(Ok(result)) => Progress::Settled(self.checked(result)),
            other => other,
        }
    }

    fn deliver(&mut self, call_id: u32, reply: HostReply) {
        if self.outstanding.take_if(|outstanding| *outstanding == call_id).is_some() {
            self.desk.lock().order(&host::text(reply));
        }
    }

    fn is_spent(&mut self) -> bool {
        self.has_ended
    }
}

/// The interpreter is gone: by a trap, or because the function ended it.
fn ended(why: Option<Fault>) -> Fault {
    why.unwrap_or_else(|| {
        Fault::new(FaultKind::Thrown, "SystemExit", "the function ended its interpreter", None)
    })
}
