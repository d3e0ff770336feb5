//! Nodes as processes.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::http::HttpNodes;

/// Looks at a node that starts: some 10 s in all.
const LOOKS: u32 = 200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// The folder that `tests/chain/setup` has put the nodes in.
///
/// # Errors
/// `R3E_TEST_CHAINS` does not name it.
pub fn nodes_folder() -> anyhow::Result<PathBuf> {
    let folder = std::env::var_os("R3E_TEST_CHAINS");
    folder.map(PathBuf::from).context("set R3E_TEST_CHAINS to the folder that tests/chain/setup prints")
}

/// An Ethereum node, which makes blocks when it is told to.
#[derive(Debug)]
pub struct Anvil {
    port: u16,
    chain: u64,
    /// None where another holds it.
    _process: Option<Child>,
}

impl Anvil {
    /// The chain's id, unless another is wanted.
    pub const CHAIN: u64 = 138;

    /// Starts one with a chain of its own.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_as(Self::CHAIN).await
    }

    /// The same, of a chain with this id.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start_as(chain: u64) -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(nodes_folder()?.join("anvil"));
        command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--no-mining", "--silent"]);
        command.args(["--chain-id", &chain.to_string()]);
        let process = spawn(command)?;
        ready(port, "eth_chainId").await?;
        Ok(Self { port, chain, _process: Some(process) })
    }

    /// One that runs already.
    pub fn at(port: u16, chain: u64) -> Self {
        Self { port, chain, _process: None }
    }

    /// The chain's id.
    pub fn chain(&self) -> u64 {
        self.chain
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes blocks.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn mine(&self, blocks: u32) -> anyhow::Result<()> {
        for _ in 0..blocks {
            HttpNodes::new(&[self.port]).ask("evm_mine", json!([])).await?;
        }
        Ok(())
    }
}

/// A Neo N3 node: a network of one validator, with a block each second.
#[derive(Debug)]
pub struct NeoGo {
    port: u16,
    /// None where another holds it.
    process: Option<(TempDir, Child)>,
}

impl NeoGo {
    /// The network's magic number.
    pub const MAGIC: u32 = 42;
    /// The account that has all GAS there is, at first.
    const TREASURY: &str = "NfgHwwTi3wHAS8aFAN243C5vGbkYDpqLHP";
    /// The password of the wallet that comes with the node.
    const PASSWORD: &str = "one";

    /// Starts one with a chain of its own.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start() -> anyhow::Result<Self> {
        let nodes = nodes_folder()?;
        let (port, folder) = (free_port()?, tempfile::tempdir()?);
        let wallet = folder.path().join("wallet.json");
        std::fs::copy(nodes.join("wallet1_solo.json"), &wallet)?;
        let wallet = wallet.to_str().context("a folder that is no text")?;
        let protocol = std::fs::read_to_string(nodes.join("protocol.unittest.yml"))?;
        let replaced = [
            ("TimePerBlock: 100ms", "TimePerBlock: 1s".to_owned()),
            ("\":0\"", "\"127.0.0.1:0\"".to_owned()),
            ("localhost:30222", format!("127.0.0.1:{port}")),
            ("\"wallet1_solo.json\"", format!("\"{wallet}\"")),
        ];
        let mut configuration = protocol;
        for (from, to) in replaced {
            ensure!(configuration.contains(from), "NeoGo's configuration has no {from}");
            configuration = configuration.replace(from, &to);
        }
        std::fs::write(folder.path().join("protocol.yml"), configuration)?;
        std::fs::write(
            folder.path().join("cli.yml"),
            format!("Path: {wallet}\nPassword: {}\n", Self::PASSWORD),
        )?;
        let mut command = Command::new(nodes.join("neogo"));
        command.arg("node").arg("--config-file").arg(folder.path().join("protocol.yml"));
        command.arg("--relative-path").arg(folder.path());
        let process = spawn(command)?;
        ready(port, "getblockcount").await?;
        Ok(Self { port, process: Some((folder, process)) })
    }

    /// One that runs already.
    pub fn at(port: u16) -> Self {
        Self { port, process: None }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends GAS from the treasury, by `NeoGo`'s own command line, and waits until a block has it.
    ///
    /// # Errors
    /// It is refused, or runs for another.
    pub async fn give(&self, to: &str, gas: u32) -> anyhow::Result<()> {
        let (folder, _) = self.process.as_ref().context("the treasury's wallet is with who started it")?;
        let mut command = Command::new(nodes_folder()?.join("neogo"));
        command.args(["wallet", "nep17", "transfer", "--wallet-config"]).arg(folder.path().join("cli.yml"));
        command.args(["--from", Self::TREASURY, "--to", to, "--token", "GAS", "--amount", &gas.to_string()]);
        command.args(["-r", &format!("http://127.0.0.1:{}", self.port), "--force", "--await"]);
        let output = command.stdin(Stdio::null()).output().await?;
        ensure!(output.status.success(), "neogo: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }
}

/// Ends with whoever holds it.
fn spawn(mut command: Command) -> anyhow::Result<Child> {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let program = quiet.as_std().get_program().to_owned();
    quiet
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{} does not start", Path::new(&program).display()))
}

async fn ready(port: u16, method: &str) -> anyhow::Result<()> {
    let node = HttpNodes::new(&[port]);
    for _ in 0..LOOKS {
        if node.ask(method, json!([])).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    bail!("the node on port {port} does not answer")
}

/// A port that nobody listens on. Another process might take it before the node does; then the node does not start, and the
/// test says so.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
