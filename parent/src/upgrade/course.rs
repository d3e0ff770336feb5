//! One upgrade, step by step.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use r3e_proto::limits::MAX_MANIFEST_BYTES;
use r3e_transport::Endpoint;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::lifecycle::{Lifecycle, Said};
use super::{Configuration, Crew, Crewed, Line, Means, Order, Seat, Step, UpgradeError};
use crate::configuration;
use crate::finding::{any_error, in_words};
use crate::forwarder::Target;
use crate::launch::{End, LaunchError, Post, Restart, State};
use crate::limits::{DEFAULT_UPGRADE_TIMEOUT_MS, LAST_WORDS_MS};
use crate::ports::{OpenPorts, Ports};
use crate::preflight;

/// An upgrade under way.
#[derive(Debug)]
pub(super) struct Course {
    means: Means,
    stopping: watch::Receiver<bool>,
    /// Ends when whoever ordered it has left.
    left: oneshot::Receiver<()>,
    lines: mpsc::Sender<Line>,
}

/// What is to be started.
struct Plan {
    manifest: Vec<u8>,
    configuration: Configuration,
    endpoint: Endpoint,
    crew: Option<Crew>,
    timeout_ms: u64,
}

/// A successor that does not serve yet.
struct Successor {
    ports: Ports,
    lifecycle: Arc<Lifecycle>,
    post: Option<Post>,
}

impl Course {
    pub(super) fn new(
        means: Means,
        stopping: watch::Receiver<bool>,
        left: oneshot::Receiver<()>,
        lines: mpsc::Sender<Line>,
    ) -> Self {
        Self { means, stopping, left, lines }
    }

    /// Puts a successor in the seat. On failure, what is in it is as it was.
    pub(super) async fn run(
        mut self,
        order: Order,
        seat: &mut Seat,
        end: &watch::Sender<Option<End>>,
    ) -> Result<Line, UpgradeError> {
        let plan = self.plan(order, seat).await?;
        let mut successor = self.begin(&plan).await?;
        if let Err(error) = self.wait(&mut successor, plan.timeout_ms).await {
            successor.put_away().await;
            return Err(error);
        }
        Ok(self.take_over(plan, successor, seat, end).await)
    }

    /// Looks at all that can be looked at before anything is touched.
    async fn plan(&self, order: Order, seat: &Seat) -> Result<Plan, UpgradeError> {
        let Order { manifest, image, reference_values, enclave, configuration, timeout_ms } = order;
        let paths = [Some(&manifest), image.as_ref(), reference_values.as_ref(), configuration.as_ref()];
        if paths.into_iter().flatten().any(|path| !path.is_absolute()) {
            return Err(UpgradeError::Usage(
                "each path must be absolute: it is opened by the parent that runs",
            ));
        }
        let manifest = read_manifest(&manifest)?;
        let configuration = match configuration {
            Some(path) => {
                let bytes = configuration::read(&path).map_err(UpgradeError::Configuration)?;
                Configuration { path, bytes }
            }
            None => seat.configuration.clone(),
        };
        let timeout_ms = timeout_ms.unwrap_or(DEFAULT_UPGRADE_TIMEOUT_MS);
        let serving = self.means.targets.current();
        let (endpoint, crew) = match (&seat.crew, enclave) {
            (None, None) => {
                return Err(UpgradeError::Usage(
                    "this parent does not start its enclave: start the successor beside it, and name its endpoint by --enclave",
                ));
            }
            (None, Some(_)) if image.is_some() || reference_values.is_some() => {
                return Err(UpgradeError::Usage(
                    "this parent does not start its enclave: --image and --reference-values are for one that does",
                ));
            }
            (None, Some(enclave)) => (enclave.parse::<Endpoint>()?, None),
            (Some(_), Some(_)) => {
                return Err(UpgradeError::Usage(
                    "this parent starts its enclave itself: leave --enclave out",
                ));
            }
            (Some(Crewed { crew, .. }), None) => {
                let mut next = crew.clone();
                next.launch = crew.launch.at_other_place();
                next.launch.image = image.unwrap_or(next.launch.image);
                next.launch.reference_values = reference_values.or(next.launch.reference_values);
                (next.launch.endpoint(&next.first), Some(next))
            }
        };
        if &endpoint == serving.transport().endpoint() {
            return Err(UpgradeError::SameEndpoint { endpoint: endpoint.to_string() });
        }
        if let Some(crew) = &crew {
            let report = preflight::check_beside(&crew.launch, &crew.machine, &endpoint).await;
            if any_error(&report.findings) {
                return Err(UpgradeError::Preflight(report.findings));
            }
            let release = report.image.and_then(|image| image.release);
            let release = release.unwrap_or_else(|| "not compared with a release".to_owned());
            let image = crew.launch.image.display();
            let found = in_words(&report.findings);
            self.step(
                Step::Checked,
                format!("the image {image} ({release}) can run beside the one that serves\n{found}"),
            )
            .await;
        } else {
            self.step(Step::Checked, "manifest and configuration are there".to_owned()).await;
        }
        Ok(Plan { manifest, configuration, endpoint, crew, timeout_ms })
    }

    /// Opens the successor's ports, and starts it where this process does.
    async fn begin(&self, plan: &Plan) -> Result<Successor, UpgradeError> {
        let transport = self.means.transport.beside(plan.endpoint.clone());
        let ports = OpenPorts::open(&transport, self.means.heartbeat).await?;
        let idle = Duration::from_millis(self.means.idle_timeout_ms);
        let lifecycle = Lifecycle::successor(plan.manifest.clone(), self.means.targets.current(), idle);
        let ports =
            ports.serve(&self.means.common, Arc::clone(&plan.configuration.bytes), Arc::clone(&lifecycle));
        let post = plan.crew.as_ref().map(|crew| {
            // Once: a successor that ends before it serves ends the upgrade.
            let launch = crate::Launch { restart: Restart::Never, ..crew.launch.clone() };
            let state = Arc::new(State::new(&launch));
            Post::start(launch, plan.endpoint.clone(), state, ports.beats(), self.means.lease.clone())
        });
        let words = match &post {
            Some(_) => format!("the successor is starting at {}", plan.endpoint),
            None => format!("waiting for the successor at {}: start it now", plan.endpoint),
        };
        self.step(Step::Started, words).await;
        Ok(Successor { ports, lifecycle, post })
    }

    /// Waits until the successor serves.
    async fn wait(&mut self, successor: &mut Successor, timeout_ms: u64) -> Result<(), UpgradeError> {
        let mut said = successor.lifecycle.said();
        let mut end = successor.post.as_ref().map(Post::end);
        let too_late = sleep(Duration::from_millis(timeout_ms));
        tokio::pin!(too_late);
        loop {
            let now = said.borrow_and_update().clone();
            match now {
                Said::Serving => return Ok(()),
                Said::Failed(why) => return Err(UpgradeError::Failed(why)),
                Said::Asked => {
                    let words = "the successor was led to the enclave that serves; they verify each other";
                    self.step(Step::Introduced, words.to_owned()).await;
                }
                Said::Nothing => {}
            }
            let why = tokio::select! {
                // The sender is the lifecycle's own.
                _ = said.changed() => continue,
                why = ended(end.as_mut()) => why,
                () = &mut too_late => return Err(UpgradeError::Late { ms: timeout_ms, last: last_seen(&said) }),
                _ = &mut self.left => return Err(UpgradeError::Cancelled),
                () = stopped(&mut self.stopping) => return Err(UpgradeError::Stopping),
            };
            // What it said before its end may still be on its way, and says more.
            let last = timeout(Duration::from_millis(LAST_WORDS_MS), failed(&mut said)).await;
            return Err(last.map_or(UpgradeError::Ended(why), UpgradeError::Failed));
        }
    }

    /// Leads clients to the successor, lets the old connections end, and then the old enclave. Nothing here fails.
    async fn take_over(
        mut self,
        plan: Plan,
        successor: Successor,
        seat: &mut Seat,
        end: &watch::Sender<Option<End>>,
    ) -> Line {
        let Successor { ports, lifecycle, post } = successor;
        let Plan { configuration, endpoint, crew, .. } = plan;
        if let Some(Crewed { post, .. }) = &seat.crew {
            // It was succeeded: whatever becomes of it, it does not come back.
            post.restart(Restart::Never);
        }
        let transport = self.means.transport.beside(endpoint.clone());
        let state = post.as_ref().map(|post| Arc::clone(post.state()));
        let old_target = self.means.targets.switch(Target::new(transport, state));
        let crew = crew.zip(post).map(|(crew, post)| {
            post.restart(crew.launch.restart);
            Crewed { crew, post }
        });
        end.send_replace(crew.as_ref().map(|crewed| crewed.post.end()));
        lifecycle.settle();
        let mut old = std::mem::replace(seat, Seat { ports, configuration, crew });
        info!(enclave = %endpoint, "the successor serves: new connections lead to it");
        self.step(Step::Switched, format!("the successor serves: new connections lead to {endpoint}")).await;
        let kept = self.keep(seat).await;

        let limit = Duration::from_millis(self.means.drain_timeout_ms);
        tokio::select! {
            drained = timeout(limit, old_target.drained()) => drop(drained),
            () = stopped(&mut self.stopping) => {}
        }
        let cut = old_target.open();
        old_target.cut();
        let words = match cut {
            0 => "every old connection has ended".to_owned(),
            cut => format!("{cut} old connections were cut"),
        };
        self.step(Step::Drained, words).await;
        if let Some(Crewed { post, .. }) = old.crew {
            post.stop().await;
        }
        old.ports.close().await;
        done(seat, &endpoint, kept)
    }

    /// Has the successor start again with the parent. Where it fails, people are told.
    async fn keep(&self, seat: &Seat) -> Result<(), String> {
        let Some(Crewed { crew, .. }) = &seat.crew else { return Ok(()) };
        let Some(instead_of) = crew.instead_of.clone() else {
            return Err("what the settings name could not be measured".to_owned());
        };
        let (data, launch) = (self.means.data.clone(), crew.launch.clone());
        let configuration = seat.configuration.path.clone();
        let keeping = spawn_blocking(move || instead_of.keep(&data, &launch, &configuration));
        let kept = keeping.await.map_err(|panicked| panicked.to_string());
        let kept = kept.and_then(|kept| kept.map_err(|error| error.to_string()));
        if let Err(error) = &kept {
            warn!(error, "that the successor took over could not be written down");
        }
        kept
    }

    async fn step(&self, step: Step, words: String) {
        // Whoever ordered it may have left.
        let _ = self.lines.send(Line::Step { step, words }).await;
    }
}

impl Successor {
    /// Ends it.
    async fn put_away(mut self) {
        if let Some(post) = self.post {
            post.stop().await;
        }
        self.ports.close().await;
    }
}

/// Waits for the end of a successor that this process starts; for ever, where someone else does.
async fn ended(end: Option<&mut End>) -> Arc<LaunchError> {
    match end {
        Some(end) => end.wait().await,
        None => std::future::pending().await,
    }
}

/// Waits until the successor says why it failed; for ever, where it does not.
async fn failed(said: &mut watch::Receiver<Said>) -> String {
    let failed = said.wait_for(|said| matches!(said, Said::Failed(_))).await.map(|said| said.clone());
    match failed {
        Ok(Said::Failed(why)) => why,
        _ => std::future::pending().await,
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // A parent that is gone has stopped.
    let _ = stopping.wait_for(|stop| *stop).await;
}

fn last_seen(said: &watch::Receiver<Said>) -> &'static str {
    match *said.borrow() {
        Said::Nothing => "never asked whom it succeeds: it did not boot, or is another release's",
        _ => "had been led to the enclave that serves",
    }
}

fn done(seat: &Seat, endpoint: &Endpoint, kept: Result<(), String>) -> Line {
    let configuration = seat.configuration.path.display();
    let next = match (&seat.crew, kept) {
        (None, _) => format!(
            "end the old enclave; start the parent with --enclave {endpoint} --configuration {configuration} from now on"
        ),
        (Some(Crewed { crew, .. }), kept) => {
            let image = crew.launch.image.display();
            let put =
                format!("put the image {image} and the configuration {configuration} into the settings");
            match kept {
                Ok(()) => format!("{put}; until then the parent starts them by itself"),
                Err(why) => {
                    format!("{put} NOW: a parent that starts again would start the old enclave ({why})")
                }
            }
        }
    };
    Line::Done { words: format!("the enclave at {endpoint} has taken over"), next }
}

fn read_manifest(path: &Path) -> Result<Vec<u8>, UpgradeError> {
    let failed = |source| UpgradeError::Manifest { path: path.into(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_MANIFEST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.is_empty() || bytes.len() > MAX_MANIFEST_BYTES {
        return Err(UpgradeError::ManifestSize { path: path.into(), max_bytes: MAX_MANIFEST_BYTES });
    }
    Ok(bytes)
}
