//! The JavaScript engine with our prelude: loads one function, runs one event at a time.
//!
//! It knows nothing of the sandbox around it. Time limits are not its matter: a script that never ends is ended
//! with the process.

mod calls;
mod crypto_ops;
mod curve_ops;
mod fatal;
mod loader;
mod ops;
mod outcome;
mod prelude;
mod random;
#[cfg(test)]
mod tests;
mod text_ops;
mod timers;
mod url_ops;
mod wake;

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use deno_core::error::CoreError;
use deno_core::{JsRuntime, ModuleId, ModuleSpecifier, PollEventLoopOptions, RuntimeOptions, v8};
use r3e_runner_api::{Fault, FaultKind, FunctionLimits, HostError, HostReply, HostValue};
use r3e_sandbox::{Engine as _, Progress, Sender};
use serde::Serialize;
use thiserror::Error;

use loader::{Modules, REHEARSAL};
use outcome::fault_of;

use ops::{Bridge, Entry};
use wake::WakeFlag;

/// Why there is no engine.
#[derive(Debug, Error)]
pub(crate) enum EngineError {
    #[error("the prelude")]
    Prelude(#[source] Box<CoreError>),
    #[error("the prelude did not register its entry points")]
    NoEntry,
    #[error("the signals of a crash")]
    Signals(#[from] nix::Error),
}

/// A host call's answer as the prelude reads it: exactly one of the two is not null.
#[derive(Serialize)]
struct Answer {
    ok: Option<HostValue>,
    err: Option<HostError>,
}

/// What a rehearsal loads, and the event that it handles.
const REHEARSAL_CODE: &str = "export default async (event) => ({ sum: event.a + event.b });";
const REHEARSAL_LIMITS: FunctionLimits =
    FunctionLimits { memory_mib: 64, output_bytes: 1024, log_bytes: 1024 };
const REHEARSAL_EVENT: &str = r#"{"a":1,"b":2}"#;

/// A module whose top level is being evaluated.
pub(crate) struct Loading {
    module: ModuleId,
    evaluated: Pin<Box<dyn Future<Output = Result<(), CoreError>>>>,
}

/// One engine, for one function version. All that it starts with is our own code.
pub(crate) struct Engine {
    runtime: JsRuntime,
    bridge: Rc<Bridge>,
    entry: Entry,
    modules: Modules,
    handler: Option<v8::Global<v8::Value>>,
    woken: WakeFlag,
}

impl r3e_sandbox::Engine for Engine {
    type Error = EngineError;
    type Loading = Loading;

    fn start(sender: Sender) -> Result<Self, EngineError> {
        // For `Math.random`: the engine's own generator goes on from the same state in every copy of the process.
        v8::V8::set_entropy_source(random::fill_cheaply);
        let bridge = Rc::new(Bridge::new(sender));
        let modules = Modules::default();
        let mut runtime = JsRuntime::try_new(RuntimeOptions {
            module_loader: Some(Rc::new(modules.clone())),
            extensions: vec![prelude::extension(&bridge)],
            ..RuntimeOptions::default()
        })
        .map_err(|error| EngineError::Prelude(Box::new(error)))?;
        let entry = bridge.take_entry().ok_or(EngineError::NoEntry)?;
        fatal::tell(runtime.v8_isolate().thread_safe_handle())?;
        Ok(Self { runtime, bridge, entry, modules, handler: None, woken: WakeFlag::default() })
    }

    fn reseed(&mut self) {
        random::reseed();
    }

    /// What fails here is needed by nobody: the tenant's function will say so itself.
    fn rehearse(&mut self) {
        self.bridge.limit(REHEARSAL_LIMITS);
        if let Some(handler) = self.rehearsed_handler() {
            self.handler = Some(handler);
            if self.begin(REHEARSAL_EVENT.to_owned()).is_ok() {
                let _outcome = self.progress();
            }
        }
        self.handler = None;
        let _woken = self.woken.take();
    }

    fn limit(&mut self, heap_bytes: u64, limits: FunctionLimits) {
        self.bridge.limit(limits);
        // The engine takes its heap limit when it is made; afterwards this pair of calls is the way to set it.
        // No callback may stay: one that answers would raise the limit.
        let heap_bytes = usize::try_from(heap_bytes).unwrap_or(usize::MAX);
        self.runtime.add_near_heap_limit_callback(|current, _initial| current);
        self.runtime.remove_near_heap_limit_callback(heap_bytes);
    }

    fn begin_load(&mut self, source: String) -> Result<Loading, Fault> {
        self.bridge.begin_log();
        let taken = self.modules.take(source);
        let (name, source) =
            taken.map_err(|error| Fault::new(FaultKind::Module, "Error", &error.to_string(), None))?;
        let module = {
            let waker = self.woken.waker();
            let mut compiled = std::pin::pin!(self.runtime.load_main_es_module_from_code(&name, source));
            // The loader answers at once: while this waits, it is for itself, module by module.
            loop {
                match compiled.as_mut().poll(&mut Context::from_waker(&waker)) {
                    Poll::Ready(module) => break module,
                    Poll::Pending if self.woken.take() => {}
                    Poll::Pending => return Err(outcome::broken()),
                }
            }
        };
        let module = module.map_err(|error| self.fault(FaultKind::Module, &error))?;
        let evaluated = Box::pin(self.runtime.mod_evaluate(module));
        Ok(Loading { module, evaluated })
    }

    /// Evaluates as far as possible, and at the end keeps the default export.
    fn progress_load(&mut self, loading: &mut Loading) -> Progress<()> {
        loop {
            let idle = self.poll();
            if let Some(Err(fault)) = self.bridge.take_outcome() {
                // The module's own promise is rejected before anyone waits for it: it threw.
                return Progress::Settled(Err(Fault { kind: FaultKind::Thrown, ..fault }));
            }
            let waker = self.woken.waker();
            let evaluated = loading.evaluated.as_mut().poll(&mut Context::from_waker(&waker));
            if self.is_spent() {
                return Progress::Settled(Err(outcome::out_of_memory()));
            }
            if let Poll::Ready(result) = evaluated {
                let result = result.map_err(|error| self.fault(FaultKind::Thrown, &error));
                let handler = result.and_then(|()| self.default_export(loading.module));
                return Progress::Settled(handler.map(|handler| self.handler = Some(handler)));
            }
            // What a script throws comes by the ways above; this is the runtime's own complaint, of an `await` at the
            // top level that nothing can end.
            let idle = idle.map(|_complaint| Ok(()));
            if let Some(progress) = self.wait(idle, "the module's top level") {
                return progress;
            }
        }
    }

    fn begin(&mut self, event: String) -> Result<(), Fault> {
        self.bridge.begin();
        let Some(handler) = self.handler.clone() else { return Err(outcome::no_handler()) };
        let result = {
            deno_core::scope!(scope, self.runtime);
            let text = v8::String::new(scope, &event);
            drop(event);
            text.map(|text| {
                let dispatch = v8::Local::new(scope, &self.entry.dispatch);
                let receiver = v8::undefined(scope).into();
                let arguments = [v8::Local::new(scope, &handler), text.into()];
                dispatch.call(scope, receiver, &arguments).is_some()
            })
        };
        match result {
            _ if self.is_spent() => Err(outcome::out_of_memory()),
            None => Err(outcome::out_of_memory()),
            // `dispatch` throws only when there is no stack or heap left to run it.
            Some(false) if self.bridge.has_no_outcome() => Err(outcome::broken()),
            Some(_) => Ok(()),
        }
    }

    fn progress(&mut self) -> Progress<String> {
        let progress = self.progress_event();
        if matches!(progress, Progress::Settled(_)) {
            self.bridge.calls.close();
            self.bridge.timers.stop_all();
            if !self.is_spent() {
                self.call_entry(|entry| &entry.forget, None, None);
            }
        }
        progress
    }

    fn deliver(&mut self, call_id: u32, reply: HostReply) {
        if !self.bridge.calls.answered(&self.bridge.sender, call_id) {
            return;
        }
        let answer = match reply {
            Ok(value) => Answer { ok: Some(value), err: None },
            Err(error) => Answer { ok: None, err: Some(error) },
        };
        let text = serde_json::to_string(&answer).unwrap_or_default();
        self.call_entry(|entry| &entry.answer_call, Some(call_id), Some(&text));
    }

    /// Whether the heap was exhausted: the engine unwinds and runs nothing any more.
    fn is_spent(&mut self) -> bool {
        self.runtime.v8_isolate().is_execution_terminating()
    }
}

impl Engine {
    /// As [`Self::begin_load`] and [`Self::progress_load`] do it, under another name: an engine has one main module.
    fn rehearsed_handler(&mut self) -> Option<v8::Global<v8::Value>> {
        let name = ModuleSpecifier::parse(REHEARSAL).ok()?;
        let waker = self.woken.waker();
        let mut context = Context::from_waker(&waker);
        let module = {
            let compiled = self.runtime.load_side_es_module_from_code(&name, REHEARSAL_CODE);
            match std::pin::pin!(compiled).as_mut().poll(&mut context) {
                Poll::Ready(Ok(module)) => module,
                _ => return None,
            }
        };
        let mut evaluated = Box::pin(self.runtime.mod_evaluate(module));
        let _idle = self.poll();
        let _evaluated = evaluated.as_mut().poll(&mut context);
        self.default_export(module).ok()
    }

    fn progress_event(&mut self) -> Progress<String> {
        loop {
            let idle = self.poll();
            if self.is_spent() {
                return Progress::Settled(Err(outcome::out_of_memory()));
            }
            if let Some(outcome) = self.bridge.take_outcome() {
                return Progress::Settled(outcome);
            }
            if let Some(progress) = self.wait(idle, "the handler's promise") {
                return progress;
            }
        }
    }

    /// Fires what is due. Nothing means that there is more to run now.
    fn wait<T>(&mut self, idle: Poll<Result<(), Fault>>, what: &str) -> Option<Progress<T>> {
        if let Poll::Ready(Err(fault)) = idle {
            return Some(Progress::Settled(Err(fault)));
        }
        let mut again = self.woken.take();
        let now = Instant::now();
        // One at a time: what a timer's callback has queued runs before the next callback.
        if let Some(id) = self.bridge.timers.take_due(now) {
            self.call_entry(|entry| &entry.fire_timer, Some(id), None);
            again = true;
        }
        if again {
            return None;
        }
        let next = self.bridge.timers.next();
        if idle.is_ready() && next.is_none() && !self.bridge.calls.is_waiting() {
            return Some(Progress::Settled(Err(outcome::never_settled(what))));
        }
        Some(Progress::Waiting(next))
    }

    fn poll(&mut self) -> Poll<Result<(), Fault>> {
        let waker = self.woken.waker();
        self.runtime
            .poll_event_loop(&mut Context::from_waker(&waker), PollEventLoopOptions::default())
            .map_err(|error| self.fault(FaultKind::Thrown, &error))
    }

    /// Calls one of the prelude's functions. It can fail only for want of memory or stack; what it was to do then
    /// fails in its own name.
    fn call_entry(
        &mut self,
        choose: fn(&Entry) -> &v8::Global<v8::Function>,
        number: Option<u32>,
        text: Option<&str>,
    ) {
        deno_core::scope!(scope, self.runtime);
        let mut arguments: Vec<v8::Local<v8::Value>> = Vec::new();
        if let Some(number) = number {
            arguments.push(v8::Integer::new_from_unsigned(scope, number).into());
        }
        if let Some(text) = text {
            let Some(text) = v8::String::new(scope, text) else { return };
            arguments.push(text.into());
        }
        let function = v8::Local::new(scope, choose(&self.entry));
        let receiver = v8::undefined(scope).into();
        let _result = function.call(scope, receiver, &arguments);
    }

    fn default_export(&mut self, module: ModuleId) -> Result<v8::Global<v8::Value>, Fault> {
        let namespace = self.runtime.get_module_namespace(module);
        let namespace = namespace.map_err(|error| self.fault(FaultKind::Module, &error))?;
        deno_core::scope!(scope, self.runtime);
        let namespace = v8::Local::new(scope, namespace);
        let key = v8::String::new(scope, "default").ok_or_else(outcome::out_of_memory)?;
        match namespace.get(scope, key.into()) {
            Some(handler) if handler.is_function() => Ok(v8::Global::new(scope, handler)),
            _ => Err(outcome::no_handler()),
        }
    }

    fn fault(&mut self, kind: FaultKind, error: &CoreError) -> Fault {
        if self.is_spent() { outcome::out_of_memory() } else { fault_of(kind, error) }
    }
}
