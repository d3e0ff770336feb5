//! Links the runtime of C#, where `R3E_MONO` names the folder that `scripts/csharp-layer` has put it into. Without, the program is
//! built all the same, and says that it has no runtime.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-env-changed=R3E_MONO");
    println!("cargo:rustc-check-cfg=cfg(mono)");
    let Some(folder) = env::var_os("R3E_MONO") else { return };
    let folder = Path::new(&folder).display();
    println!("cargo:rerun-if-changed={folder}");
    println!("cargo:rustc-cfg=mono");
    println!("cargo:rustc-env=R3E_MONO={folder}");
    // Of the program alone: tests of the library are linked without it.
    for argument in
        [&format!("-L{folder}") as &str, "-Wl,-Bstatic", "-Wl,--wrap=access", "-lmonosgen-2.0", "-lm"]
    {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
