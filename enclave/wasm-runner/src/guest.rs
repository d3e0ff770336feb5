//! What runs, and a module's memory, seen from outside: every address and length in it is the module's word, and checked.

use wasmtime::component::ResourceTable;
use wasmtime::{Caller, Engine, Error, Extern, ResourceLimiter, Store};

use crate::desk::Desk;
use crate::limits::{MAX_BUFFERS, MAX_INSTANCES, MAX_LIFTED_BYTES, MAX_RESOURCES, MAX_TABLE_ELEMENTS};

/// What a module's store holds.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) desk: Desk,
    /// The program's arguments; the first names it.
    pub(crate) arguments: &'static [&'static str],
    /// What a component waits for.
    pub(crate) resources: ResourceTable,
    /// Whether what is written to standard output is the result; else it is the log's.
    pub(crate) output_is_result: bool,
}

impl State {
    /// That of a module, or of a component that is a command.
    pub(crate) fn new(desk: Desk, arguments: &'static [&'static str]) -> Self {
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(MAX_RESOURCES);
        Self { desk, arguments, resources, output_is_result: true }
    }

    /// A store of it, within its bounds.
    pub(crate) fn into_store(self, engine: &Engine) -> Store<Self> {
        let mut store = Store::new(engine, self);
        store.limiter(|state| state);
        store.set_hostcall_fuel(MAX_LIFTED_BYTES);
        store
    }
}

/// An address that is none. The caller is told so by its own error number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault;

/// The memory's bytes.
#[derive(Debug)]
pub(crate) struct Memory<'a>(pub(crate) &'a mut [u8]);

impl<'a> Memory<'a> {
    /// The caller's.
    ///
    /// # Errors
    /// The caller exports no memory, which was checked before it was run.
    pub(crate) fn of(caller: &'a mut Caller<'_, State>) -> Result<(Self, Desk), Error> {
        match caller.get_export("memory") {
            Some(Extern::Memory(memory)) => {
                let (bytes, state) = memory.data_and_store_mut(caller);
                Ok((Self(bytes), state.desk.clone()))
            }
            _ => Err(Error::msg("the module exports no memory")),
        }
    }

    /// So many bytes at an address.
    pub(crate) fn slice(&mut self, at: u32, length: u32) -> Result<&mut [u8], Fault> {
        let (at, length) = (index(at)?, index(length)?);
        let end = at.checked_add(length).ok_or(Fault)?;
        self.0.get_mut(at..end).ok_or(Fault)
    }

    /// Writes bytes at an address.
    pub(crate) fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Fault> {
        let length = u32::try_from(bytes.len()).map_err(|_| Fault)?;
        self.slice(at, length)?.copy_from_slice(bytes);
        Ok(())
    }

    /// Writes a number at an address.
    pub(crate) fn write_u32(&mut self, at: u32, value: u32) -> Result<(), Fault> {
        self.write(at, &value.to_le_bytes())
    }

    /// Writes a number at an address.
    pub(crate) fn write_u64(&mut self, at: u32, value: u64) -> Result<(), Fault> {
        self.write(at, &value.to_le_bytes())
    }

    /// The array of so many bytes at an address.
    pub(crate) fn array<const N: usize>(&mut self, at: u32) -> Result<[u8; N], Fault> {
        let length = u32::try_from(N).map_err(|_| Fault)?;
        <[u8; N]>::try_from(&*self.slice(at, length)?).map_err(|_| Fault)
    }

    /// A list of buffers: pairs of address and length.
    pub(crate) fn buffers(&mut self, at: u32, count: u32) -> Result<Vec<(u32, u32)>, Fault> {
        (0..count.min(MAX_BUFFERS))
            .map(|number| {
                let pair = at.checked_add(number * 8).ok_or(Fault)?;
                let (address, length) = (pair, pair.checked_add(4).ok_or(Fault)?);
                Ok((u32::from_le_bytes(self.array(address)?), u32::from_le_bytes(self.array(length)?)))
            })
            .collect()
    }
}

fn index(number: u32) -> Result<usize, Fault> {
    usize::try_from(number).map_err(|_| Fault)
}

/// A refusal to grow is an answer that the module gets, and no trap.
impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool, Error> {
        Ok(self.desk.lock().grants_memory(desired))
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool, Error> {
        Ok(desired <= MAX_TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn memories(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        crate::limits::MAX_TABLES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_leads_outside() {
        let mut bytes = [1, 0, 0, 0, 2, 0, 0, 0];
        let mut memory = Memory(&mut bytes);
        assert_eq!(memory.buffers(0, 1), Ok(vec![(1, 2)]));
        assert_eq!(memory.buffers(0, 2), Err(Fault));
        assert_eq!(memory.slice(8, 0).map(|bytes| bytes.len()), Ok(0));
        for (at, length) in [(9, 0), (0, 9), (8, 1), (u32::MAX, 1), (1, u32::MAX), (u32::MAX, u32::MAX)] {
            assert_eq!(memory.slice(at, length), Err(Fault), "{at} {length}");
        }
        assert_eq!(memory.write_u64(1, 0), Err(Fault));
        assert_eq!(memory.array::<8>(u32::MAX - 3), Err(Fault));
        memory.write_u32(4, 7).unwrap();
        assert_eq!(bytes, [1, 0, 0, 0, 7, 0, 0, 0]);
    }
}
