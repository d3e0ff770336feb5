//! Starts the runtime, once in the life of a process, and calls a method of the assembly `R3E`.

use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::OnceLock;
use std::{ptr, thread};

use crate::assemblies::Assemblies;
use crate::limits::{HEAP_STEP_BYTES, MIN_HEAP_BYTES, STACK_BYTES};
use crate::mono::{
    AOT_NONE, Assembly, AssemblyName, DEBUG_MONO, Domain, Object, mono_array_addr_with_size, mono_array_new,
    mono_assembly_get_image, mono_assembly_load_from_full, mono_assembly_name_get_name, mono_class_from_name,
    mono_class_get_method_from_name, mono_debug_init, mono_domain_get, mono_get_byte_class,
    mono_image_open_from_data_with_name, mono_install_assembly_preload_hook, mono_jit_init_version,
    mono_jit_set_aot_mode, mono_object_to_string, mono_runtime_invoke, mono_set_dirs,
};
use crate::{icalls, native};

/// The assembly of ours.
const OURS: &str = "R3E";
/// Where the runtime looks for files: nowhere.
const NOWHERE: &CStr = c"/nowhere";
/// The version of the class library.
const VERSION: &CStr = c"v4.0.30319";

static ASSEMBLIES: OnceLock<Assemblies> = OnceLock::new();

/// An argument of a method.
pub(crate) enum Argument<'a> {
    /// A text.
    Text(&'a str),
    /// An array of bytes.
    Bytes(&'a [u8]),
}

/// Says where assemblies are, before anything is started. The first word counts.
pub(crate) fn provide(assemblies: Assemblies) {
    let _first = ASSEMBLIES.set(assemblies);
}

/// Runs `work` on a thread whose stack the runtime can find the bounds of, which for a process's first thread it would read in a file.
pub(crate) fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<thread::JoinHandle<T>> {
    thread::Builder::new().name("runtime".to_owned()).stack_size(STACK_BYTES).spawn(work)
}

/// Sets the bounds of the collected heap, in bytes.
///
/// # Safety
/// The process has one thread: nobody else reads its environment meanwhile.
pub(crate) unsafe fn limit_heap(bytes: u64) {
    let heap = bytes.max(MIN_HEAP_BYTES);
    // SAFETY: two settings of the allocator's, which the process has used from one thread alone: one heap for all threads, which grows by
    // as much at once as a start takes; else it grows by pages, each by a call.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_TOP_PAD, HEAP_STEP_BYTES);
    }
    // SAFETY: as the caller says.
    unsafe { std::env::set_var("MONO_GC_PARAMS", format!("major=marksweep,max-heap-size={heap}")) };
}

/// Starts the runtime and calls `R3E.class.method` with these arguments. Its result, where it is a text.
///
/// # Errors
/// What is missing, or what the method threw.
pub(crate) fn call(class: &str, method: &str, arguments: &[Argument<'_>]) -> Result<Option<String>, String> {
    let assemblies = ASSEMBLIES.get().copied().ok_or("no assemblies")?;
    // SAFETY: this is the thread that starts the runtime, and stays with it; each function is called as the runtime's headers say,
    // with texts that live during the call, and with objects that are on this stack, where the collector finds them. No other thread
    // knows of the runtime before it is started.
    unsafe {
        start()?;
        let ours = assemblies.find(OURS).ok_or("no assembly of ours")?;
        let assembly = open(OURS, ours).ok_or("our assembly does not load")?;
        let image = mono_assembly_get_image(assembly);
        let (class, name) = (c_string(class)?, c_string(method)?);
        let class = mono_class_from_name(image, c"R3E".as_ptr(), class.as_ptr());
        if class.is_null() {
            return Err("no class of that name".to_owned());
        }
        let count = i32::try_from(arguments.len()).unwrap_or(i32::MAX);
        let method = mono_class_get_method_from_name(class, name.as_ptr(), count);
        if method.is_null() {
            return Err("no method of that name".to_owned());
        }
        let mut parameters = [ptr::null_mut::<c_void>(); 2];
        for (parameter, argument) in parameters.iter_mut().zip(arguments) {
            *parameter = match argument {
                Argument::Text(text) => icalls::write(text).cast(),
                Argument::Bytes(bytes) => array(bytes),
            };
        }
        let mut thrown: *mut Object = ptr::null_mut();
        let result = mono_runtime_invoke(method, ptr::null_mut(), parameters.as_mut_ptr(), &raw mut thrown);
        if !thrown.is_null() {
            let mut again: *mut Object = ptr::null_mut();
            let text = mono_object_to_string(thrown, &raw mut again);
            return Err(if again.is_null() { icalls::read(text) } else { "an exception".to_owned() });
        }
        Ok((!result.is_null()).then(|| icalls::read(result.cast())))
    }
}

unsafe fn start() -> Result<*mut Domain, String> {
    // SAFETY: as in `call`.
    unsafe {
        mono_set_dirs(NOWHERE.as_ptr(), NOWHERE.as_ptr());
        mono_jit_set_aot_mode(AOT_NONE);
        mono_install_assembly_preload_hook(preload, ptr::null_mut());
        native::register();
        mono_debug_init(DEBUG_MONO);
        let domain = mono_jit_init_version(c"r3e".as_ptr(), VERSION.as_ptr());
        if domain.is_null() {
            return Err("the runtime does not start".to_owned());
        }
        icalls::register();
        Ok(domain)
    }
}

/// Gives the runtime an assembly that it wants, out of this program; what is not here is nowhere.
unsafe extern "C" fn preload(
    wanted: *mut AssemblyName,
    _paths: *mut *mut c_char,
    _user: *mut c_void,
) -> *mut Assembly {
    // SAFETY: the runtime asks, by a name that lives during this call.
    unsafe {
        let name = icalls::c_text(mono_assembly_name_get_name(wanted));
        let found = ASSEMBLIES.get().and_then(|assemblies| assemblies.find(name));
        found.and_then(|bytes| open(name, bytes)).unwrap_or(ptr::null_mut())
    }
}

unsafe fn open(name: &str, bytes: &'static [u8]) -> Option<*mut Assembly> {
    let name = CString::new(name).ok()?;
    let length = u32::try_from(bytes.len()).ok()?;
    let mut status = 0;
    // SAFETY: the bytes live as long as the program, so that the runtime need not copy them; it does not write to them.
    unsafe {
        let image =
            mono_image_open_from_data_with_name(bytes.as_ptr(), length, 0, &raw mut status, 0, name.as_ptr());
        if image.is_null() {
            return None;
        }
        let assembly = mono_assembly_load_from_full(image, name.as_ptr(), &raw mut status, 0);
        (!assembly.is_null()).then_some(assembly)
    }
}

unsafe fn array(bytes: &[u8]) -> *mut c_void {
    // SAFETY: the array has as many bytes, and does not move while it is on this stack.
    unsafe {
        let array = mono_array_new(mono_domain_get(), mono_get_byte_class(), bytes.len());
        if !array.is_null() && !bytes.is_empty() {
            ptr::copy_nonoverlapping(bytes.as_ptr(), mono_array_addr_with_size(array, 1, 0), bytes.len());
        }
        array.cast()
    }
}

fn c_string(text: &str) -> Result<CString, String> {
    CString::new(text).map_err(|error| error.to_string())
}
