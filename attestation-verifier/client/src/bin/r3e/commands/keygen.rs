//! Making a key file, for an operator, a tenant, or whoever approves releases.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use r3e_client::SigningKey;
use r3e_proto::api::identity::TenantId;
use serde::Serialize;

use crate::error::CliError;
use crate::output::Printer;

#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// The file to write, mode 0600; never overwritten [default: the key file of the settings]
    #[arg(long, value_name = "PEM")]
    out: Option<PathBuf>,
}

#[derive(Serialize)]
struct Made<'a> {
    key_file: &'a Path,
    public_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<TenantId>,
}

/// Whose key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Operator,
    Tenant,
    Releaser,
}

/// Makes the folder that a key file goes to.
pub(crate) fn make_folder(path: &Path) -> Result<(), CliError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|source| CliError::Io { what: folder.display().to_string(), source })
}

impl Keygen {
    /// The file to write.
    pub(crate) fn out<'a>(&'a self, default: &'a Path) -> &'a Path {
        self.out.as_deref().unwrap_or(default)
    }

    pub(crate) fn run(&self, owner: Owner, default: &Path, printer: Printer) -> Result<(), CliError> {
        let path = self.out(default);
        make_folder(path)?;
        let key = SigningKey::generate()?;
        key.write_new(path)?;
        let public = key.public_key();
        let tenant = (owner == Owner::Tenant).then(|| TenantId::of(&public));
        let made = Made { key_file: path, public_key: public.to_string(), tenant };
        printer.result(&made, |made| {
            let next = match owner {
                Owner::Operator => {
                    format!(
                        "Put it into the appliance's configuration:\n\n[operator]\npublic_key = \"{}\"",
                        made.public_key
                    )
                }
                Owner::Releaser => {
                    format!(
                        "Put it into the appliance's configuration, among the others:\n\n[handoff]\nkeys = [\"{}\"]",
                        made.public_key
                    )
                }
                Owner::Tenant => {
                    format!("Ask the operator to run: r3e tenants admit {} --name NAME", made.public_key)
                }
            };
            format!("key file    {}\npublic key  {}\n\n{next}", path.display(), made.public_key)
        })
    }
}
