//! Looks at machine, image and settings before an enclave is started, and says in words what would go wrong.
//!
//! `machine` reads what the kernel says, `image` what the image is, `problem` names what is found. Nothing is
//! changed: sockets that are tried are closed again.

mod image;
mod machine;
mod ports;
mod problem;
mod reference_values;
mod resources;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use r3e_transport::Endpoint;
use serde::Serialize;
use tokio::task::spawn_blocking;

pub use image::ImageReport;
pub use machine::Machine;
pub use problem::Problem;

use crate::finding::Finding;
use crate::launch::{Described, Host, Launch, NitroCli};
use crate::{Settings, programs};

/// What a preflight found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What is wrong, or worth knowing. Any error keeps the appliance from starting.
    pub findings: Vec<Finding>,
    /// What the image is, where it could be read.
    pub image: Option<ImageReport>,
}

/// Looks at everything that a start needs.
pub async fn check(settings: &Settings, launch: &Launch, machine: &Machine) -> Report {
    let (image, mut problems) = look_at_image(launch).await;
    let image_bytes = image.as_ref().map(|image| image.bytes);
    match &launch.host {
        Host::Nitro { nitro_cli } => {
            if settings.heartbeat {
                problems.push(Problem::HeartbeatOnNitro);
            }
            // Those of both places: an earlier run may have ended in the middle of an upgrade.
            let names = [launch.enclave_name(), launch.at_other_place().enclave_name()];
            let (ours, others) = enclaves(nitro_cli, launch, &names, &mut problems).await;
            let leftover_mib = ours.iter().map(|enclave| enclave.memory_mib).fold(0, u64::saturating_add);
            problems.extend(resources::nitro(launch, machine, image_bytes, &others, leftover_mib));
        }
        Host::Qemu { folder, sign_with } => {
            problems.push(Problem::Emulated);
            if let Err(missing) = programs::find_emulator(folder.as_deref()) {
                let (program, searched) = (missing.program, missing.searched);
                problems.push(Problem::EmulatorMissing { program, searched });
            }
            problems.extend(sign_with.iter().flat_map(|folder| resources::signing(folder)));
            problems.extend(resources::qemu(launch, machine, image_bytes));
        }
    }
    if launch.debug_mode {
        problems.push(Problem::DebugMode);
    }
    problems.extend(ports::check(settings).await);
    Report { findings: problems.iter().map(Problem::finding).collect(), image }
}

/// Looks at what it needs to start the enclave of `launch` at `endpoint` beside the one that serves, which keeps what it has.
pub(crate) async fn check_beside(launch: &Launch, machine: &Machine, endpoint: &Endpoint) -> Report {
    let (image, mut problems) = look_at_image(launch).await;
    let image_bytes = image.as_ref().map(|image| image.bytes);
    match &launch.host {
        Host::Nitro { nitro_cli } => {
            let (_, others) = enclaves(nitro_cli, launch, &[launch.enclave_name()], &mut problems).await;
            let found = resources::nitro(launch, machine, image_bytes, &others, 0);
            problems.extend(found.into_iter().map(|problem| match problem {
                // Ending the other enclaves, as is advised elsewhere, is what an upgrade is to spare.
                Problem::HugepagesInUse { memory_mib, free_mib, total_mib } => {
                    Problem::HugepagesBeside { memory_mib, free_mib, total_mib }
                }
                problem => problem,
            }));
        }
        Host::Qemu { .. } => {
            problems.extend(resources::qemu(launch, machine, image_bytes));
            problems.extend(resources::memory_beside(launch, machine));
        }
    }
    problems.extend(ports::socket_path(endpoint));
    Report { findings: problems.iter().map(Problem::finding).collect(), image }
}

/// Bytes in hex, as measurements are written.
pub(crate) fn hex(bytes: &[u8]) -> String {
    reference_values::Hex(bytes).to_string()
}

/// The PCRs of an image in hex, by index; none where it cannot be read.
pub(crate) fn pcrs(image: &Path) -> Option<BTreeMap<u8, String>> {
    image::look(image, None).0.map(|report| report.pcrs)
}

/// Whether the image may still be started; if not, why, in words.
pub(crate) async fn allow_image(launch: &Launch) -> Result<(), String> {
    let (_, problems) = look_at_image(launch).await;
    let refused = problems.into_iter().find(|problem| problem.finding().severity == crate::Severity::Error);
    refused.map_or(Ok(()), |problem| Err(problem.to_string()))
}

async fn look_at_image(launch: &Launch) -> (Option<ImageReport>, Vec<Problem>) {
    let (path, values): (PathBuf, Option<PathBuf>) = (launch.image.clone(), launch.reference_values.clone());
    let looking = spawn_blocking(move || image::look(&path, values.as_deref()));
    looking.await.unwrap_or_else(|panicked| {
        let reason = panicked.to_string();
        (None, vec![Problem::ImageUnreadable { path: launch.image.clone(), reason }])
    })
}

/// The enclaves of this machine: those that an earlier start of ours left, which have one of `names`, and all others.
async fn enclaves(
    nitro_cli: &Path,
    launch: &Launch,
    names: &[String],
    problems: &mut Vec<Problem>,
) -> (Vec<Described>, Vec<Described>) {
    let running = match programs::find(nitro_cli) {
        Ok(program) => NitroCli::new(program).describe().await.unwrap_or_else(|error| {
            problems.push(Problem::NitroCliFailed { reason: error.to_string() });
            Vec::new()
        }),
        Err(missing) => {
            let (program, searched) = (missing.program, missing.searched);
            problems.push(Problem::NitroCliMissing { program, searched });
            Vec::new()
        }
    };
    let (ours, others): (Vec<_>, Vec<_>) = running
        .into_iter()
        .partition(|enclave| enclave.name.as_ref().is_some_and(|name| names.contains(name)));
    problems.extend(ours.iter().map(|enclave| Problem::Leftover { id: enclave.id.clone() }));
    let in_use = others.iter().filter(|enclave| enclave.cid == u64::from(launch.context_id()));
    problems
        .extend(in_use.map(|enclave| Problem::CidInUse { cid: launch.context_id(), id: enclave.id.clone() }));
    (ours, others)
}
