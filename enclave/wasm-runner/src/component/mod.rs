//! Components: what they may import, how they begin, and what their result is.
//!
//! | exports | event | result |
//! |---|---|---|
//! | `handle`, as the world `function` of `r3e:functions` has it | its argument | what it returns; standard output goes to the log |
//! | `run` of `wasi:cli/run`, a command | standard input | standard output |
//!
//! Interfaces of WASI that mean nothing here, of files and sockets, are there, so that what was built for WASI links: whoever calls one
//! is ended, with its name.

mod api;
mod wasi;

use std::sync::Arc;

use r3e_runner_api::{Fault, FaultKind};
use wasmtime::component::types::{ComponentInstance, ComponentItem, Type};
use wasmtime::component::{
    Component, ComponentExportIndex, InstancePre, Linker, LinkerInstance, ResourceType,
};
use wasmtime::{Engine, Error, Store};

use crate::guest::State;
use crate::limits::{MAX_IMPORTED, MAX_TABLE_ELEMENTS, MAX_TABLES};
use crate::outcome::{Exit, Refusal};

/// The package of what a function may ask the appliance for.
const API: &str = "r3e:functions/";
/// Its version.
const API_VERSION: &str = "1.0.0";
/// The interfaces of WASI, and the versions that are compatible with each other.
const WASI: &str = "wasi:";
const WASI_VERSION: &str = "0.2.";
/// A page of WebAssembly's memory.
const PAGE_BYTES: u64 = 64 * 1024;
/// What a command exports, up to its version.
const RUN: &str = "wasi:cli/run@0.2.";

/// A component, linked.
#[derive(Clone)]
pub(crate) enum Prepared {
    /// It exports `handle`.
    Handler(api::FunctionPre<State>),
    /// It exports `run`, here.
    Command(InstancePre<State>, ComponentExportIndex),
}

impl Prepared {
    /// Links a component.
    ///
    /// # Errors
    /// It is no function, or imports what nobody gives it.
    pub(crate) fn new(engine: &Engine, component: &Component, memory_bytes: usize) -> Result<Self, Fault> {
        check(component, memory_bytes)?;
        let linker = link(engine, component).map_err(|error| unusable(&error))?;
        let ready = linker.instantiate_pre(component).map_err(|error| unusable(&error))?;
        match (component.get_export_index(None, "handle"), command(engine, component)) {
            (Some(_), _) => api::FunctionPre::new(ready).map(Self::Handler).map_err(|error| unusable(&error)),
            (None, Some(run)) => Ok(Self::Command(ready, run)),
            (None, None) => Err(no_entry()),
        }
    }

    /// Handles an event.
    ///
    /// # Errors
    /// How it ended, where that was not well.
    pub(crate) async fn run(self, mut store: Store<State>, event: String) -> Result<(), Error> {
        match self {
            Self::Handler(handler) => {
                let ended = async {
                    let function = handler.instantiate_async(&mut store).await?;
                    function.call_handle(&mut store, &event).await
                };
                let returned = ended.await.map_err(|error| match error.downcast_ref() {
                    // A command that exits well has given its result before; this one never returned any.
                    Some(Exit(0)) => Error::msg("the component exited before it returned a result"),
                    _ => error,
                });
                let result = returned?.map_err(Refusal)?;
                // What is too long is told of once this has ended.
                store.data().desk.lock().write(result.as_bytes());
                Ok(())
            }
            Self::Command(linked, run) => {
                let instance = linked.instantiate_async(&mut store).await?;
                let run = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut store, run)?;
                let (ended,) = run.call_async(&mut store, ()).await?;
                ended.map_err(|()| Exit(1).into())
            }
        }
    }
}

/// Everything that a component imports and is given, each interface under the very version that it names.
fn link(engine: &Engine, component: &Component) -> Result<Linker<State>, Error> {
    let mut linker = Linker::new(engine);
    // What there is of an interface takes the place of what only links.
    linker.allow_shadowing(true);
    let mut known = Known::default();
    for (name, import) in component.component_type().imports(engine) {
        // A type of the component's own world, which is nobody's to give; a resource has been given by its interface.
        if matches!(import.ty, ComponentItem::Type(_) | ComponentItem::Resource(_)) {
            continue;
        }
        let (interface, version) = name.split_once('@').unwrap_or((name, ""));
        if let Some(interface) = interface.strip_prefix(WASI) {
            let ComponentItem::ComponentInstance(of) = import.ty else {
                return Err(Error::msg(format!("{name} is no interface of WASI's")));
            };
            if !version.starts_with(WASI_VERSION) {
                let message = format!("{name} is not of WASI {WASI_VERSION}x, which is what is given");
                return Err(Error::msg(message));
            }
            let mut into = linker.instance(name)?;
            refuse(engine, &mut into, name, &of, &mut known)?;
            wasi::link(&mut into, interface)?;
        } else if interface.starts_with(API) && version == API_VERSION {
            api::link(&mut linker, interface)?;
        } else {
            let message =
                format!("nobody gives {name}: there are WASI {WASI_VERSION}x and {API}…@{API_VERSION}");
            return Err(Error::msg(message));
        }
    }
    Ok(linker)
}

/// What of WASI a component imports, so far.
#[derive(Default)]
struct Known {
    imported: usize,
    resources: Vec<ResourceType>,
}

/// Gives all of an interface, so that it links, and ends whoever calls. A resource that another interface has defined is that one's.
fn refuse(
    engine: &Engine,
    into: &mut LinkerInstance<'_, State>,
    interface: &str,
    of: &ComponentInstance,
    known: &mut Known,
) -> Result<(), Error> {
    let interface: Arc<str> = interface.into();
    for (name, export) in of.exports(engine) {
        known.imported += 1;
        if known.imported > MAX_IMPORTED {
            return Err(Error::msg(format!(
                "it imports more than {MAX_IMPORTED} functions and types of WASI"
            )));
        }
        match export.ty {
            ComponentItem::ComponentFunc(_) => {
                let (interface, function): (_, Box<str>) = (Arc::clone(&interface), name.into());
                into.func_new(name, move |_, _, _, _| {
                    let message = "there are no files and no sockets here, and nothing behind";
                    Err(Error::msg(format!("{message} {interface}#{function}")))
                })?;
            }
            ComponentItem::Resource(resource) if !known.resources.contains(&resource) => {
                known.resources.push(resource);
                into.resource(name, ResourceType::host::<()>(), |_, _| Ok(()))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a component's memory can be had.
fn check(component: &Component, memory_bytes: usize) -> Result<(), Fault> {
    let Some(needs) = component.resources_required() else {
        return Err(unusable(&Error::msg("it imports modules, and nobody gives it any")));
    };
    if needs.num_memories > 1 {
        let message = format!("it has {} memories, and a function has one", needs.num_memories);
        return Err(unusable(&Error::msg(message)));
    }
    let elements = needs.max_initial_table_size.unwrap_or_default();
    if usize::try_from(needs.num_tables).is_ok_and(|tables| tables > MAX_TABLES)
        || usize::try_from(elements).is_ok_and(|elements| elements > MAX_TABLE_ELEMENTS)
    {
        let message = format!("it has more than {MAX_TABLES} tables of {MAX_TABLE_ELEMENTS} elements");
        return Err(unusable(&Error::msg(message)));
    }
    let least = needs.max_initial_memory_size.unwrap_or_default().saturating_mul(PAGE_BYTES);
    if usize::try_from(least).is_ok_and(|least| least <= memory_bytes) {
        return Ok(());
    }
    let message = "the component begins with more memory than its limit";
    Err(Fault::new(FaultKind::Memory, "MemoryError", message, None))
}

/// The entry of a command, if the component is one.
fn command(engine: &Engine, component: &Component) -> Option<ComponentExportIndex> {
    let exported = component.component_type();
    let (name, run) = exported.exports(engine).find(|(name, _)| name.starts_with(RUN))?;
    let ComponentItem::ComponentInstance(run) = run.ty else { return None };
    let Some(ComponentItem::ComponentFunc(run)) = run.get_export(engine, "run").map(|run| run.ty) else {
        return None;
    };
    let returns_a_result = |kind| matches!(kind, Type::Result(of) if of.ok().is_none() && of.err().is_none());
    if run.params().len() > 0 || run.results().len() != 1 || !run.results().all(returns_a_result) {
        return None;
    }
    let interface = component.get_export_index(None, name)?;
    component.get_export_index(Some(&interface), "run")
}

fn unusable(error: &Error) -> Fault {
    Fault::new(FaultKind::Module, "LoadError", &format!("{error:#}"), None)
}

fn no_entry() -> Fault {
    let message = "the component exports neither `handle` of r3e:functions nor `run` of wasi:cli: build it as a command, or by the world `function`";
    Fault::new(FaultKind::NoHandler, "LoadError", message, None)
}
