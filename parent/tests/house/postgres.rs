//! A PostgreSQL server of a test's own, on a unix socket in a folder of its own; and a network in front of one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]
#![allow(dead_code, reason = "each test uses its part")]

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// PostgreSQL refuses to run as root: then it runs as the user that owns nothing.
const NOBODY: u32 = 65_534;
const LIMIT: Duration = Duration::from_mins(1);

/// A server. Dropped, it is ended at once and its folder goes.
pub(crate) struct Server {
    child: Option<Child>,
    options: Vec<String>,
    port: u16,
    databases: AtomicU32,
    folder: TempDir,
}

static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());

impl Server {
    /// One that tests share that run at the same time and do nothing to it.
    pub(crate) fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap();
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start(&[]));
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// A new one, with settings such as `fsync=off`.
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::start_at(5432, options)
    }

    /// A new one that listens on a TCP port of this machine too: over its socket, PostgreSQL speaks no TLS.
    pub(crate) fn start_on_tcp() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self::start_at(port, &["listen_addresses=127.0.0.1"])
    }

    fn start_at(port: u16, options: &[&str]) -> Self {
        // In memory where that can be: what others write to the disk would hold up its syncs for longer than a lease.
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = tempfile::Builder::new().prefix("r3e-pg-").tempdir_in(place).unwrap();
        if Uid::effective().is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut server = Self {
            child: None,
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            port,
            databases: AtomicU32::new(0),
            folder,
        };
        let made = server
            .tool("initdb")
            .args(["--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "-D"])
            .arg(server.data())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.start_again();
        server
    }

    /// Runs again what was stopped.
    pub(crate) fn start_again(&mut self) {
        let log = fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let mut command = self.tool("postgres");
        command
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.folder.path())
            .args(["-p", &self.port.to_string()]);
        let settings =
            ["listen_addresses=", "shared_buffers=16MB", "max_connections=60", "wal_level=minimal"];
        let settings = settings.into_iter().chain(["max_wal_senders=0"]);
        for setting in settings.chain(self.options.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.child = Some(child);
        let begun = Instant::now();
        while !self.ask("postgres", "SELECT 1").is_ok_and(|said| said == "1") {
            assert!(begun.elapsed() < LIMIT, "PostgreSQL does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it: SIGQUIT as a crash does, SIGINT in order.
    pub(crate) fn stop(&mut self, signal: Signal) {
        if let Some(mut child) = self.child.take() {
            let _ = kill(Pid::from_raw(child.id().try_into().unwrap()), signal);
            child.wait().unwrap();
        }
    }

    /// A new, empty database: its URL.
    pub(crate) fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::SeqCst));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// The URL of a database, over the socket.
    pub(crate) fn url(&self, database: &str) -> String {
        let folder = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{folder}:{}/{database}", self.port)
    }

    /// What a statement answers, without headings.
    pub(crate) fn sql(&self, database: &str, statement: &str) -> String {
        self.ask(database, statement).unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    /// What a statement that may fail answers.
    pub(crate) fn sql_outcome(&self, database: &str, statement: &str) -> Result<String, String> {
        self.ask(database, statement)
    }

    fn ask(&self, database: &str, statement: &str) -> Result<String, String> {
        let mut command = self.tool("psql");
        command.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-h"]);
        command.arg(self.folder.path()).args(["-p", &self.port.to_string(), "-c", statement]);
        let output = command.output().unwrap();
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// The socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join(format!(".s.PGSQL.{}", self.port))
    }

    /// Its TCP port, where it has one.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Lets the server's process `pid` write no file beyond so many bytes.
    pub(crate) fn limit_file_size(pid: &str, bytes: u64) {
        let mut command = Command::new("prlimit");
        if Uid::effective().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let limited = command.args(["--pid", pid, &format!("--fsize={bytes}:")]).output().unwrap();
        assert!(limited.status.success(), "{}", String::from_utf8_lossy(&limited.stderr));
    }

    /// A folder that the server reads.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(programs().join(name));
        command.stdin(Stdio::null()).env("LC_ALL", "C").current_dir(self.folder.path());
        if Uid::effective().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop(Signal::SIGQUIT);
    }
}

/// The database that a URL of ours names.
pub(crate) fn name_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

/// Where Debian keeps the newest server's programs.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            let folder = entry.path().join("bin");
            folder.join("initdb").is_file().then_some((version, folder))
        })
        .collect();
    found.sort();
    found.pop().expect("there is no PostgreSQL: apt-get install postgresql").1
}

/// What the network does with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    /// It carries.
    Fair,
    /// Nothing moves, and nothing ends.
    Stalled,
    /// Connections end, and none is made.
    Cut,
    /// The connection that carries `COMMIT` ends before it arrives.
    CutBeforeCommit,
    /// The connection that carries `COMMIT` ends once it has arrived: the answer is lost.
    CutAfterCommit,
}

/// A network on this machine in front of a server.
pub(crate) struct Network {
    pub(crate) address: SocketAddr,
    weather: watch::Sender<Weather>,
    _task: JoinSet<()>,
}

impl Network {
    pub(crate) async fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (weather, seen) = watch::channel(Weather::Fair);
        let socket = server.socket();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                if *seen.borrow() != Weather::Cut {
                    open.spawn(carry(client, socket.clone(), seen.clone()));
                }
            }
        });
        Self { address, weather, _task: task }
    }

    pub(crate) fn turn(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// The URL of a database, through this network.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.address)
    }
}

async fn carry(client: TcpStream, socket: PathBuf, weather: watch::Receiver<Weather>) {
    let Ok(server) = UnixStream::connect(socket).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mut cut = weather.clone();
    let (forth, back) = (weather.clone(), weather);
    let asking = async move {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = from_client.read(&mut buffer).await.unwrap_or(0);
            calm(&forth).await;
            let bytes = buffer.get(..read).unwrap();
            let commits = bytes.windows(6).any(|word| word == b"COMMIT");
            let weather = *forth.borrow();
            if read == 0 || (commits && weather == Weather::CutBeforeCommit) {
                return;
            }
            if to_server.write_all(bytes).await.is_err() {
                return;
            }
            if commits && weather == Weather::CutAfterCommit {
                return;
            }
        }
    };
    let answering = async move {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = from_server.read(&mut buffer).await.unwrap_or(0);
            calm(&back).await;
            // An answer to a commit is held back until the connection has ended.
            if *back.borrow() == Weather::CutAfterCommit {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            if read == 0 || to_client.write_all(buffer.get(..read).unwrap()).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = asking => {}
        () = answering => {}
        _ = cut.wait_for(|weather| *weather == Weather::Cut) => {}
    }
}

/// Waits until the air moves.
async fn calm(weather: &watch::Receiver<Weather>) {
    let mut weather = weather.clone();
    let _ = weather.wait_for(|weather| *weather != Weather::Stalled).await;
}
