//! The part of mono's embedding interface that is used, as its headers declare it, and nothing else of it.
//!
//! The library is linked into the program alone, where `build.rs` says so.

use std::ffi::{c_char, c_int, c_void};

/// A thing of the runtime's, known by its address alone.
macro_rules! opaque {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {
        $(
            $(#[$meta])*
            #[repr(C)]
            pub(crate) struct $name([u8; 0]);
        )+
    };
}

opaque!(
    /// A name that is being looked for.
    AssemblyName,
    /// Code that is loaded.
    Assembly,
    /// The bytes of it.
    Image,
    /// A class.
    Class,
    /// What all of a program's objects are of.
    Domain,
    /// A method.
    Method,
    /// An object.
    Object,
    /// A text, which is an object.
    Text,
    /// An array, which is an object.
    Array,
    /// What finds libraries and their functions.
    Fallback,
);

/// Finds an assembly that is wanted.
pub(crate) type Preload =
    unsafe extern "C" fn(*mut AssemblyName, *mut *mut c_char, *mut c_void) -> *mut Assembly;
/// Finds a library.
pub(crate) type LoadLibrary =
    unsafe extern "C" fn(*const c_char, c_int, *mut *mut c_char, *mut c_void) -> *mut c_void;
/// Finds a function of a library.
pub(crate) type FindFunction =
    unsafe extern "C" fn(*mut c_void, *const c_char, *mut *mut c_char, *mut c_void) -> *mut c_void;
/// Lets go of a library.
pub(crate) type CloseLibrary = unsafe extern "C" fn(*mut c_void, *mut c_void) -> *mut c_void;

/// `MONO_AOT_MODE_NONE`: no machine code is looked for beside an assembly.
pub(crate) const AOT_NONE: c_int = 0;
/// `MONO_DEBUG_FORMAT_MONO`: lines of sources, in traces.
pub(crate) const DEBUG_MONO: c_int = 1;

unsafe extern "C" {
    pub(crate) fn mono_set_dirs(assemblies: *const c_char, configuration: *const c_char);
    pub(crate) fn mono_jit_set_aot_mode(mode: c_int);
    pub(crate) fn mono_debug_init(format: c_int);
    pub(crate) fn mono_install_assembly_preload_hook(hook: Preload, user: *mut c_void);
    pub(crate) fn mono_dl_fallback_register(
        load: LoadLibrary,
        find: FindFunction,
        close: CloseLibrary,
        user: *mut c_void,
    ) -> *mut Fallback;
    pub(crate) fn mono_jit_init_version(name: *const c_char, version: *const c_char) -> *mut Domain;
    pub(crate) fn mono_add_internal_call(name: *const c_char, function: *const c_void);
    pub(crate) fn mono_assembly_name_get_name(name: *mut AssemblyName) -> *const c_char;
    pub(crate) fn mono_image_open_from_data_with_name(
        data: *const u8,
        length: u32,
        copies: c_int,
        status: *mut c_int,
        reflection_only: c_int,
        name: *const c_char,
    ) -> *mut Image;
    pub(crate) fn mono_assembly_load_from_full(
        image: *mut Image,
        name: *const c_char,
        status: *mut c_int,
        reflection_only: c_int,
    ) -> *mut Assembly;
    pub(crate) fn mono_assembly_get_image(assembly: *mut Assembly) -> *mut Image;
    pub(crate) fn mono_class_from_name(
        image: *mut Image,
        namespace: *const c_char,
        name: *const c_char,
    ) -> *mut Class;
    pub(crate) fn mono_class_get_method_from_name(
        class: *mut Class,
        name: *const c_char,
        parameters: c_int,
    ) -> *mut Method;
    pub(crate) fn mono_runtime_invoke(
        method: *mut Method,
        object: *mut c_void,
        parameters: *mut *mut c_void,
        thrown: *mut *mut Object,
    ) -> *mut Object;
    pub(crate) fn mono_object_to_string(object: *mut Object, thrown: *mut *mut Object) -> *mut Text;
    pub(crate) fn mono_string_new_utf16(domain: *mut Domain, text: *const u16, length: i32) -> *mut Text;
    pub(crate) fn mono_string_chars(text: *mut Text) -> *const u16;
    pub(crate) fn mono_string_length(text: *mut Text) -> c_int;
    pub(crate) fn mono_domain_get() -> *mut Domain;
    pub(crate) fn mono_get_byte_class() -> *mut Class;
    pub(crate) fn mono_array_new(domain: *mut Domain, element: *mut Class, length: usize) -> *mut Array;
    pub(crate) fn mono_array_addr_with_size(array: *mut Array, size: c_int, index: usize) -> *mut u8;
}
