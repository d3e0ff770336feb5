//! `r3e init`: a folder with a function that runs and whose tests pass, to begin from.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::{Args, ValueEnum};
use r3e_proto::api::is_name;
use serde_json::json;

use crate::error::CliError;
use crate::output::Printer;

pub(crate) const HELP: &str = "\
The folder gets r3e.toml, src/main.ts, tests/main.test.toml, and r3e.d.ts, which declares what a function finds at run time
to editors and to tsc. No file that is there is written over.

Examples:
  r3e init price-alert --template price-alert
  cd price-alert && r3e functions test && r3e dev";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Init {
    /// The folder; it is made where it is not there
    folder: PathBuf,
    /// The function's name, where it is not the folder's
    #[arg(long)]
    name: Option<String>,
    /// What to begin from
    #[arg(long, value_enum, default_value_t = Template::Function)]
    template: Template,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Template {
    /// A function that computes and keeps a value
    Function,
    /// A function that fetches a price with a secret, and tells when it crosses a bound
    PriceAlert,
    /// A function that runs once an hour
    Cron,
    /// A function behind a public route, for signed messages of another service
    Http,
    /// A function that a contract's events run
    ChainEvent,
}

/// Path and text.
type File = (&'static str, &'static str);

const SHARED: [File; 3] = [
    ("r3e.d.ts", include_str!("../../../../../../enclave/runner/types/r3e.d.ts")),
    ("tsconfig.json", include_str!("../../../../templates/shared/tsconfig.json")),
    (".gitignore", include_str!("../../../../templates/shared/gitignore")),
];

impl Template {
    fn files(self) -> [File; 3] {
        match self {
            Self::Function => [
                ("r3e.toml", include_str!("../../../../templates/function/r3e.toml")),
                ("src/main.ts", include_str!("../../../../templates/function/src/main.ts")),
                ("tests/main.test.toml", include_str!("../../../../templates/function/tests/main.test.toml")),
            ],
            Self::Cron => [
                ("r3e.toml", include_str!("../../../../templates/cron/r3e.toml")),
                ("src/main.ts", include_str!("../../../../templates/cron/src/main.ts")),
                ("tests/main.test.toml", include_str!("../../../../templates/cron/tests/main.test.toml")),
            ],
            Self::Http => [
                ("r3e.toml", include_str!("../../../../templates/http/r3e.toml")),
                ("src/main.ts", include_str!("../../../../templates/http/src/main.ts")),
                ("tests/main.test.toml", include_str!("../../../../templates/http/tests/main.test.toml")),
            ],
            Self::ChainEvent => [
                ("r3e.toml", include_str!("../../../../templates/chain-event/r3e.toml")),
                ("src/main.ts", include_str!("../../../../templates/chain-event/src/main.ts")),
                (
                    "tests/main.test.toml",
                    include_str!("../../../../templates/chain-event/tests/main.test.toml"),
                ),
            ],
            Self::PriceAlert => [
                ("r3e.toml", include_str!("../../../../templates/price-alert/r3e.toml")),
                ("src/main.ts", include_str!("../../../../templates/price-alert/src/main.ts")),
                (
                    "tests/main.test.toml",
                    include_str!("../../../../templates/price-alert/tests/main.test.toml"),
                ),
            ],
        }
    }
}

pub(crate) fn run(init: Init, printer: Printer) -> Result<(), CliError> {
    let Init { folder, name, template } = init;
    let unusable = |path: &Path| {
        let what = path.display().to_string();
        move |source: io::Error| CliError::Io { what, source }
    };
    fs::create_dir_all(&folder).map_err(unusable(&folder))?;
    let name = match name {
        Some(name) => name,
        None => fs::canonicalize(&folder)
            .map_err(unusable(&folder))?
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    };
    if !is_name(&name) {
        let rule = "1 to 64 of letters, digits, -, _ and ., the first one a letter, a digit or _";
        return Err(CliError::Usage(format!("{name:?} is no function's name ({rule}): give one by --name")));
    }
    let files: Vec<File> = template.files().into_iter().chain(SHARED).collect();
    // All or nothing, as far as can be told before.
    if let Some((path, _)) = files.iter().find(|(path, _)| fs::symlink_metadata(folder.join(path)).is_ok()) {
        let path = folder.join(path);
        return Err(CliError::Usage(format!("{} is there already; nothing was written", path.display())));
    }
    for (path, text) in &files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(unusable(parent))?;
        }
        write_new(&path, &text.replace("{{name}}", &name)).map_err(unusable(&path))?;
    }
    let paths: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
    let shown = json!({ "name": name, "folder": folder, "files": paths });
    printer.result(&shown, |_| {
        let folder = folder.display();
        format!("{}\n\nnext:\n  cd {folder}\n  r3e functions test\n  r3e dev\n  r3e deploy", paths.join("\n"))
    })
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    fs::File::create_new(path)?.write_all(text.as_bytes())
}
