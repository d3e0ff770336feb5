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
use tokio::time::timeout;
use tracing::{error, info, warn};

use super::lifecycle::Lifecycle;
use super::successor::{Came, Successor, Wait, keep_running, stopped};
use super::{Configuration, Crew, Crewed, Line, Means, Order, Seat, Step, UpgradeError};
use crate::blobs::Commits;
use crate::configuration;
use crate::finding::{any_error, in_words};
use crate::forwarder::Target;
use crate::launch::{End, Post, Restart, State};
use crate::limits::DEFAULT_UPGRADE_TIMEOUT_MS;
use crate::ports::OpenPorts;
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

impl Course {
    pub(super) fn new(
        means: Means,
        stopping: watch::Receiver<bool>,
        left: oneshot::Receiver<()>,
        lines: mpsc::Sender<Line>,
    ) -> Self {
        Self { means, stopping, left, lines }
    }

    /// Puts a successor in the seat, once it has taken the state over. On failure, what is in the seat is as it was.
    pub(super) async fn run(
        mut self,
        order: Order,
        seat: &mut Seat,
        end: &watch::Sender<Option<End>>,
    ) -> Result<Line, UpgradeError> {
        let plan = self.plan(order, seat).await?;
        let mut successor = self.begin(&plan).await?;
        let came = self.wait(&mut successor, plan.timeout_ms).await;
        // What it commits while it is given up would leave an enclave behind that can commit no more, and no other.
        let came = match came {
            Err(why) if !successor.commits.close(&self.means.common.blobs).await => {
                successor.put_away().await;
                return Err(why);
            }
            came => came,
        };
        let serves = if let Ok(Came::Serves) = came {
            Ok(())
        } else {
            self.see_through(&mut successor, came, &plan, seat, end).await
        };
        Ok(self.take_over(plan, successor, seat, end, serves).await)
    }

    /// The successor has taken the state over, and is the appliance from here on, whatever becomes of it: waits until it
    /// serves. Whoever ordered it may leave.
    async fn see_through(
        &mut self,
        successor: &mut Successor,
        came: Result<Came, UpgradeError>,
        plan: &Plan,
        seat: &Seat,
        end: &watch::Sender<Option<End>>,
    ) -> Result<(), UpgradeError> {
        // The end of either is not the appliance's.
        end.send_replace(None);
        if let Some(Crewed { post, .. }) = &seat.crew {
            // One that starts now would take the state back.
            post.restart(Restart::Never);
        }
        info!("the successor has taken the state over: nothing goes back to the enclave that served");
        let words = "the successor has taken the state over: nothing goes back from here";
        self.step(Step::TookOver, words.to_owned()).await;
        match came {
            Ok(_) | Err(UpgradeError::Cancelled | UpgradeError::Late { .. }) => {
                self.wait(successor, plan.timeout_ms).await.map(drop)
            }
            Err(why) => Err(why),
        }
    }

    /// Waits for the successor; whoever leaves cancels that until it has taken over.
    async fn wait(&mut self, successor: &mut Successor, timeout_ms: u64) -> Result<Came, UpgradeError> {
        let left = (!successor.commits.stand()).then_some(&mut self.left);
        let (stopping, lines) = (&mut self.stopping, &self.lines);
        successor.wait(Wait { stopping, left, lines, timeout_ms }).await
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
        let (manifest, commits) = (plan.manifest.clone(), Commits::watched());
        let lifecycle =
            Lifecycle::successor(manifest, self.means.targets.current(), idle, Arc::clone(&commits));
        let configuration = Arc::clone(&plan.configuration.bytes);
        let ports =
            ports.serve(&self.means.common, configuration, Arc::clone(&lifecycle), Arc::clone(&commits));
        let post = plan.crew.as_ref().map(|crew| {
            // Once: a successor that ends before it took over ends the upgrade.
            let launch = crate::Launch { restart: Restart::Never, ..crew.launch.clone() };
            let state = Arc::new(State::new(&launch));
            Post::start(launch, plan.endpoint.clone(), state, ports.beats(), self.means.lease.clone())
        });
        let words = match &post {
            Some(_) => format!("the successor is starting at {}", plan.endpoint),
            None => format!("waiting for the successor at {}: start it now", plan.endpoint),
        };
        self.step(Step::Started, words).await;
        Ok(Successor { ports, lifecycle, commits, post })
    }

    /// Leads clients to the successor, lets the old connections end, and then the old enclave. Nothing here fails: where the
    /// successor does not serve, that is told.
    async fn take_over(
        mut self,
        plan: Plan,
        successor: Successor,
        seat: &mut Seat,
        end: &watch::Sender<Option<End>>,
        serves: Result<(), UpgradeError>,
    ) -> Line {
        let Successor { ports, lifecycle, post, .. } = successor;
        let Plan { configuration, endpoint, crew, .. } = plan;
        if let Some(Crewed { post, .. }) = &seat.crew {
            // It was succeeded: whatever becomes of it, it does not come back.
            post.restart(Restart::Never);
        }
        let transport = self.means.transport.beside(endpoint.clone());
        let state = post.as_ref().map(|post| Arc::clone(post.state()));
        let old_target = self.means.targets.switch(Target::new(transport, state));
        let crew =
            crew.zip(post).map(|(crew, post)| keep_running(crew, post, &endpoint, &ports, &self.means));
        end.send_replace(crew.as_ref().map(|crewed| crewed.post.end()));
        lifecycle.settle();
        let mut old = std::mem::replace(seat, Seat { ports, configuration, crew });
        let words = match &serves {
            Ok(()) => "the successor serves",
            Err(_) => "the successor does not serve yet",
        };
        info!(enclave = %endpoint, "{words}: new connections lead to it");
        self.step(Step::Switched, format!("{words}: new connections lead to {endpoint}")).await;
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
        outcome(seat, &endpoint, kept, serves)
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

fn outcome(
    seat: &Seat,
    endpoint: &Endpoint,
    kept: Result<(), String>,
    serves: Result<(), UpgradeError>,
) -> Line {
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
    let Err(why) = serves else {
        return Line::Done { words: format!("the enclave at {endpoint} has taken over"), next };
    };
    let again = match &seat.crew {
        None => "start it again there, as it was started",
        Some(Crewed { crew, .. }) if crew.launch.restart == Restart::Never => "start the parent again",
        Some(_) => "it is started again, and comes back by its unlock provider",
    };
    error!(code = why.code(), %why, "the successor took over, and does not serve yet");
    let words = format!("the enclave at {endpoint} has taken the state over, and then: {why}");
    Line::TookOver { code: why.code().to_owned(), words, next: format!("{again}; {next}") }
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
