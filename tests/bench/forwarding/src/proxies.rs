//! The targets: what stands between the load and the backend, each a process of its own.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use r3e_parent::{Parent, Settings};
use r3e_proto::host::CHANNEL_PORT;
use r3e_transport::ParentTransport;
use tokio::io::copy_bidirectional_with_sizes;

use crate::backend;

/// What is measured, and the processes behind it.
pub struct Targets {
    /// In the order of the table.
    pub all: Vec<Target>,
    _backend: Process,
}

/// One target.
pub struct Target {
    /// As it stands in the table.
    pub name: &'static str,
    /// Where it listens.
    pub address: Address,
    process: Option<Process>,
}

/// Where a target listens.
#[derive(Debug, Clone)]
pub enum Address {
    /// A unix socket.
    Unix(PathBuf),
    /// A TCP port.
    Tcp(SocketAddr),
}

/// A process that ends with this one.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Targets {
    /// Starts them, with their files in `folder`.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        let at = folder.display().to_string();
        let serving = Process(ourselves(&["backend", &at])?);
        wait_for(&Address::Unix(backend::plain(folder)))?;
        let mut all =
            vec![Target { name: "direct", address: Address::Unix(backend::plain(folder)), process: None }];
        let haproxy = free()?;
        all.push(target("haproxy", haproxy, start_haproxy(folder, haproxy)?)?);
        for (name, command) in [("r3e-parent", "parent"), ("copy", "copy")] {
            let address = free()?;
            all.push(target(name, address, ourselves(&[command, &at, &address.to_string()])?)?);
        }
        Ok(Self { all, _backend: serving })
    }
}

impl Target {
    /// The CPU time that its process has used; none for the direct connection.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let Some(process) = &self.process else { return Ok(Duration::ZERO) };
        // proc_pid_stat(5): after the name in brackets, the 12th and 13th fields are ticks of 1/100 s.
        let stat = fs::read_to_string(format!("/proc/{}/stat", process.0.id()))?;
        let fields = stat.rsplit_once(')').context("no process name")?.1.split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap_or(0)).sum();
        Ok(Duration::from_millis(ticks * 10))
    }
}

/// `r3e-parent` as it is run, but for the limits on one address, from which all of the load comes.
pub fn run_parent(folder: &Path, listen: SocketAddr) -> anyhow::Result<()> {
    let configuration = folder.join("configuration");
    fs::write(&configuration, "bench")?;
    let mut settings = Settings::new(listen, backend::enclave(folder), folder.join("data"), configuration);
    settings.forward.max_connections_per_address = 0;
    settings.forward.connections_per_second = 0;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let _parent = Parent::start(settings).await?;
        std::future::pending().await
    })
}

/// The least that a forwarder can be in tokio.
pub fn run_copy(folder: &Path, listen: SocketAddr) -> anyhow::Result<()> {
    const BUFFER_BYTES: usize = 32 * 1024;
    let transport = ParentTransport::new(backend::enclave(folder));
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        loop {
            let (mut client, _) = listener.accept().await?;
            let transport = transport.clone();
            tokio::spawn(async move {
                client.set_nodelay(true)?;
                let mut enclave =
                    transport.dial_enclave(CHANNEL_PORT).await.map_err(std::io::Error::other)?;
                copy_bidirectional_with_sizes(&mut client, &mut enclave, BUFFER_BYTES, BUFFER_BYTES).await
            });
        }
    })
}

fn start_haproxy(folder: &Path, listen: SocketAddr) -> anyhow::Result<Child> {
    let configuration = folder.join("haproxy.cfg");
    let text = format!(
        "global\n  maxconn 4000\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 300s\n  \
         timeout server 300s\nfrontend in\n  bind {listen}\n  default_backend out\nbackend out\n  \
         server backend unix@{}\n",
        backend::plain(folder).display()
    );
    fs::write(&configuration, text)?;
    Command::new("haproxy")
        .arg("-db")
        .arg("-f")
        .arg(&configuration)
        .stdout(Stdio::null())
        .spawn()
        .context("haproxy is needed: apt install haproxy")
}

fn ourselves(arguments: &[&str]) -> anyhow::Result<Child> {
    Ok(Command::new(std::env::current_exe()?).args(arguments).spawn()?)
}

fn target(name: &'static str, address: SocketAddr, child: Child) -> anyhow::Result<Target> {
    let process = Process(child);
    wait_for(&Address::Tcp(address))?;
    Ok(Target { name, address: Address::Tcp(address), process: Some(process) })
}

fn free() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn wait_for(address: &Address) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        let up = match address {
            Address::Unix(path) => std::os::unix::net::UnixStream::connect(path).is_ok(),
            Address::Tcp(address) => std::net::TcpStream::connect(address).is_ok(),
        };
        if up {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    bail!("{address:?} does not come up")
}
