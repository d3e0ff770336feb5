//! `r3e-dev run` and `r3e-dev invoke`: events for the function as it stands in its folder.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use http::{StatusCode, header};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use r3e_client::project::Project;
use r3e_functions::Completed;
use r3e_functions::limits::MAX_EVENT_BYTES;
use r3e_proto::api::functions::{Deploy, Outcome};
use r3e_proto::api::identity::TenantId;
use serde_json::json;
use tokio::net::TcpListener;

use crate::cases;
use crate::cli::{Invoke, Run};
use crate::error::DevError;
use crate::given::SecretValues;
use crate::limits::{MAX_SECRETS_FILE_BYTES, WATCH};
use crate::workshop::{Hosts, Workshop};

/// Whose the function is here.
const AUTHOR: TenantId = TenantId([1; 16]);

/// The file of secrets that is taken where it is there and none is named.
const SECRETS_FILE: &str = "secrets.dev.toml";

pub(crate) async fn invoke(invoke: Invoke) -> Result<ExitCode, DevError> {
    let Invoke { common, secrets, event, event_file, json: as_json } = invoke;
    let project = Project::from_folder(&common.folder)?;
    let event = match event_file {
        Some(path) => cases::read_text(&path, MAX_EVENT_BYTES as u64)?,
        None => event,
    };
    let workshop = Workshop::open(common.programs.as_deref(), Hosts::Public).await?;
    workshop.secrets.set(secrets_of(&common.folder, secrets.secrets.as_deref())?);
    workshop.load(AUTHOR, &project).await?;
    let completed = workshop.invoke(AUTHOR, &project.name, event.as_bytes()).await?;
    workshop.close().await;
    if as_json {
        let shown = json!({
            "version": hex::encode(completed.version),
            "outcome": completed.outcome,
            "logs": completed.logs,
            "logs_truncated": completed.logs_truncated,
            "usage": completed.usage,
        });
        println!("{shown}");
    } else {
        tell(&completed);
        if let Outcome::Output(text) = &completed.outcome {
            println!("{text}");
        }
    }
    Ok(if matches!(completed.outcome, Outcome::Output(_)) { ExitCode::SUCCESS } else { ExitCode::from(4) })
}

pub(crate) async fn run(run: Run) -> Result<(), DevError> {
    let Run { common, secrets, listen } = run;
    let project = Project::from_folder(&common.folder)?;
    let workshop = Workshop::open(common.programs.as_deref(), Hosts::Public).await?;
    workshop.secrets.set(secrets_of(&common.folder, secrets.secrets.as_deref())?);
    let unavailable = |source| DevError::Listen { address: listen, source };
    let listener = TcpListener::bind(listen).await.map_err(unavailable)?;
    let address = listener.local_addr().map_err(unavailable)?;

    let served = Arc::new(Served { workshop, name: project.name.clone() });
    served.load(&project).await;
    eprintln!("serving {} at http://{address}/ : POST an event. Ctrl-C ends it.", project.name);
    let watched = Arc::clone(&served);
    let folder = common.folder.clone();
    let watching = tokio::spawn(async move { watch(&watched, &folder, project.deploy).await });
    let router = Router::new()
        .route("/", post(event))
        .layer(DefaultBodyLimit::max(MAX_EVENT_BYTES))
        .with_state(Arc::clone(&served));
    let done = tokio::select! {
        done = accept(&listener, &router) => done,
        // Where no signal can be awaited, the process is ended by it all the same.
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    drop(router);
    watching.abort();
    // The watch is over when its task is: then the workshop is nobody else's.
    let _ = watching.await;
    if let Some(served) = Arc::into_inner(served) {
        served.workshop.close().await;
    }
    done.map_err(unavailable)
}

/// Serves each connection on a task of its own. One that breaks off is its client's affair.
async fn accept(listener: &TcpListener, router: &Router) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

struct Served {
    workshop: Workshop,
    name: String,
}

impl Served {
    /// Loads what the folder holds now, and says so. What does not load is told, and the version before it serves on.
    async fn load(&self, project: &Project) {
        if project.name != self.name {
            eprintln!("error: r3e.toml names {} now: start again to serve it", project.name);
            return;
        }
        let begun = Instant::now();
        match self.workshop.load(AUTHOR, project).await {
            Ok(version) => {
                let version = version.get(..16).unwrap_or_default();
                eprintln!("loaded {} {version} in {} ms", self.name, begun.elapsed().as_millis());
            }
            Err(error) => eprintln!("error: {error}"),
        }
    }
}

/// Reads the folder again and again, and loads what changed.
async fn watch(served: &Served, folder: &Path, mut loaded: Deploy) {
    let mut told = String::new();
    loop {
        tokio::time::sleep(WATCH).await;
        match Project::from_folder(folder) {
            Ok(project) if project.deploy != loaded => {
                served.load(&project).await;
                loaded = project.deploy;
                told.clear();
            }
            Ok(_) => told.clear(),
            // Half-written files pass; what stays broken is told once.
            Err(error) => {
                let words = error.to_string();
                if words != told {
                    eprintln!("error: {words}");
                    told = words;
                }
            }
        }
    }
}

/// One event.
async fn event(State(served): State<Arc<Served>>, body: Bytes) -> Response {
    let refused = |status: StatusCode, code: &str, message: &str| {
        (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response()
    };
    let completed = match served.workshop.invoke(AUTHOR, &served.name, &body).await {
        Ok(completed) => completed,
        Err(error) => return refused(StatusCode::BAD_REQUEST, "refused", &error.to_string()),
    };
    tell(&completed);
    match completed.outcome {
        Outcome::Output(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Outcome::Error(error) => {
            (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": error }))).into_response()
        }
    }
}

/// What an author wants to see of an event, beside its output.
fn tell(completed: &Completed) {
    for line in &completed.logs {
        eprintln!("{:<5} {}", line.level, line.text);
    }
    if completed.logs_truncated {
        eprintln!("      (lines were left out: the log is over its limit)");
    }
    if let Outcome::Error(error) = &completed.outcome {
        eprintln!("error {}: {}", error.code, error.message);
        if let Some(stack) = &error.stack {
            eprintln!("{stack}");
        }
    }
    let usage = &completed.usage;
    eprintln!("      {} us of CPU, {} us, {} host calls", usage.cpu_us, usage.wall_us, usage.host_calls);
}

fn secrets_of(folder: &Path, named: Option<&Path>) -> Result<SecretValues, DevError> {
    let path = match named {
        Some(path) => path.to_owned(),
        None => folder.join(SECRETS_FILE),
    };
    if named.is_none() && !path.exists() {
        return Ok(SecretValues::new());
    }
    let text = zeroize::Zeroizing::new(cases::read_text(&path, MAX_SECRETS_FILE_BYTES)?);
    cases::secrets(&text).map_err(|what| DevError::Malformed { path, what })
}
