//! A zip that somebody deploys. What is accepted is a set of modules whose paths stay inside, within every limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_client::limits::{MAX_PROJECT_BYTES, MAX_PROJECT_MODULES, MAX_ZIP_BYTES};
use r3e_client::project::Project;
use r3e_proto::api::modules::{Code, is_module_path};

fuzz_target!(|data: &[u8]| {
    let Ok(project) = Project::from_zip(data) else { return };
    assert!(data.len() as u64 <= MAX_ZIP_BYTES);
    let Code::Modules { entry, modules } = project.deploy.code().expect("it was checked") else {
        panic!("a project has modules");
    };
    assert!(modules.contains_key(entry) && modules.len() <= MAX_PROJECT_MODULES);
    assert!(modules.keys().all(|path| is_module_path(path)));
    assert!(modules.values().map(String::len).sum::<usize>() <= MAX_PROJECT_BYTES);
});
