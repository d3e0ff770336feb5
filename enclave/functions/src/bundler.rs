//! The bundler's process: started for one deployment, asked once, and ended. It takes types away and resolves imports, or makes
//! machine code of WebAssembly, or an assembly of C#.
//!
//! A parser is the largest thing that a tenant's text meets, and is not trusted to survive it: the process is boxed as
//! runners are, and whatever becomes of it is the deployment's refusal.

use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use r3e_proto::api::functions::Runtime;
use r3e_runner_api::bundling::{
    AnswerError, MAX_MESSAGE_BYTES, MEMORY_MIB, Problem, decode_answer, wasm_memory_mib,
};
use r3e_runner_api::process::{ENVIRONMENT, EXIT_OUT_OF_MEMORY};
use thiserror::Error;
use tokio::sync::oneshot;

use crate::limits::{
    BUNDLE_TIMEOUT_MS, BUNDLE_TIMEOUT_PERCENT_PER_MIB, MAX_BUNDLE_TIMEOUT_MS, MAX_BUNDLE_WAIT_MS,
    MAX_BUNDLES_AT_ONCE, MAX_BUNDLES_WAITING, MAX_BUNDLES_WAITING_OF_ONE, MAX_LONG_BUNDLES_AT_ONCE,
};
use crate::turnstile::{Bounds, Permit, TurnedAway, Turnstile};

/// The compiler of WebAssembly, beside the bundler.
const WASM_COMPILER: &str = "r3e-wasm-compiler";
/// The program that runs C#, in the same place, and what has it compile instead.
const CSHARP: &str = "r3e-csharp";
const COMPILE: &str = "compile";

/// Starts bundlers.
#[derive(Debug)]
pub struct Bundler {
    program: Arc<Path>,
    /// The compiler of WebAssembly, where there is one.
    wasm: Option<Arc<Path>>,
    /// That of C#.
    csharp: Option<Arc<Path>>,
    limit_ms: u64,
    turns: Turnstile<Arc<str>>,
    /// Of what may take much longer than the rest, one is compiled at a time, so that another place is left for the rest.
    long_turns: Turnstile<Arc<str>>,
}

/// A tenant's turn to have one function compiled.
#[derive(Debug)]
pub(crate) struct Turn {
    program: Arc<Path>,
    runtime: Runtime,
    /// Of what was deployed.
    source_bytes: usize,
    limit_ms: u64,
    /// One of all, and where it takes long the one of those.
    permits: (Permit<Arc<str>>, Option<Permit<Arc<str>>>),
}

/// Why there is no compiled program.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The sources do not compile, or an import leads nowhere.
    #[error("{0}")]
    Problem(Problem),
    /// The process ended over them.
    #[error("{0}")]
    Ended(&'static str),
    /// It did not answer in time.
    #[error("the modules take longer than {0} ms to compile: they are too large, or too deep")]
    TimedOut(u64),
    /// Too many deployments are being compiled.
    #[error("too many functions are being compiled; try again later")]
    Busy,
    /// The appliance has no compiler of the language.
    #[error("this appliance runs no {0}: its image was built without that layer")]
    NoCompiler(&'static str),
    /// The process could not be started or reached.
    #[error("the bundler could not be run")]
    Process(#[from] io::Error),
    /// It answered what no bundler answers.
    #[error("the bundler's answer")]
    Answer(#[from] AnswerError),
}

impl Bundler {
    /// Of the program at `program`.
    pub fn new(program: PathBuf) -> Self {
        let bounds = |places| Bounds {
            places,
            max_waiting: MAX_BUNDLES_WAITING,
            max_waiting_of_one: MAX_BUNDLES_WAITING_OF_ONE,
            max_wait: Duration::from_millis(MAX_BUNDLE_WAIT_MS),
        };
        Self {
            program: program.into(),
            wasm: None,
            csharp: None,
            limit_ms: BUNDLE_TIMEOUT_MS,
            turns: Turnstile::new(bounds(MAX_BUNDLES_AT_ONCE)),
            long_turns: Turnstile::new(bounds(MAX_LONG_BUNDLES_AT_ONCE)),
        }
    }

    /// The same, where compiling one function may take so long.
    #[must_use]
    pub fn with_limit_ms(self, limit_ms: u64) -> Self {
        Self { limit_ms, ..self }
    }

    /// The same, with the compilers of other languages that stand beside the program, as far as there are any.
    #[must_use]
    pub fn with_compilers_beside(self) -> Self {
        let beside = |name: &str| Some(self.program.with_file_name(name)).filter(|path| path.is_file());
        let (wasm, csharp) = (beside(WASM_COMPILER).map(Into::into), beside(CSHARP).map(Into::into));
        Self { wasm, csharp, ..self }
    }

    /// Waits for the tenant's turn.
    ///
    /// # Errors
    /// [`BundleError::Busy`], [`BundleError::NoCompiler`].
    pub(crate) async fn turn(
        &self,
        tenant: &Arc<str>,
        runtime: Runtime,
        source_bytes: usize,
    ) -> Result<Turn, BundleError> {
        let program = match runtime {
            Runtime::Wasm => self.wasm.as_ref().ok_or(BundleError::NoCompiler("WebAssembly"))?,
            Runtime::Csharp => self.csharp.as_ref().ok_or(BundleError::NoCompiler("C#"))?,
            _ => &self.program,
        };
        let busy = |TurnedAway| BundleError::Busy;
        let is_long = mib_beyond_one(source_bytes) > 0;
        // First, so that what waits for it takes no place of the others.
        let long = if is_long { Some(self.long_turns.enter(tenant, 1).await.map_err(busy)?) } else { None };
        let permits = (self.turns.enter(tenant, 1).await.map_err(busy)?, long);
        Ok(Turn { program: Arc::clone(program), runtime, source_bytes, limit_ms: self.limit_ms, permits })
    }
}

impl Turn {
    /// Has `sources`, the text of a program, compiled, and gives the text of the compiled one. Dropping the future ends
    /// the process.
    ///
    /// # Errors
    /// [`BundleError`].
    pub(crate) async fn bundle(self, sources: String) -> Result<String, BundleError> {
        let argument = match self.runtime {
            Runtime::Wasm => Some(memory_mib(self.runtime, self.source_bytes).to_string()),
            Runtime::Csharp => Some(COMPILE.to_owned()),
            _ => None,
        };
        let limit_ms = self.limit_ms_of_all();
        let Self { program, permits, .. } = self;
        let (ours, theirs) = UnixStream::pair()?;
        let _hang_up = HangUp(ours.try_clone()?);
        let (done, answered) = oneshot::channel();
        // A thread of its own: the process asks the kernel to end it when the thread that started it ends.
        thread::Builder::new().name("bundler".to_owned()).spawn(move || {
            // Whoever asked may have given up.
            let _unclaimed =
                done.send(ask(&program, argument.as_deref(), limit_ms, (ours, theirs), sources.as_bytes()));
            drop(permits);
        })?;
        let answer = answered.await.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))??;
        decode_answer(&answer)?.map_err(BundleError::Problem)
    }

    fn limit_ms_of_all(&self) -> u64 {
        let percent = BUNDLE_TIMEOUT_PERCENT_PER_MIB * u64::from(mib_beyond_one(self.source_bytes));
        let scaled_ms = self.limit_ms.saturating_mul(100 + percent) / 100;
        scaled_ms.min(MAX_BUNDLE_TIMEOUT_MS.max(self.limit_ms))
    }
}

/// Memory that compiling so much may come to write, in MiB, beside the compiler itself: its program bounds itself to it.
pub(crate) fn memory_mib(runtime: Runtime, source_bytes: usize) -> u32 {
    if runtime == Runtime::Wasm { wasm_memory_mib(mib_beyond_one(source_bytes)) } else { MEMORY_MIB }
}

/// Whole MiB beyond the first, of which only WebAssembly has any.
fn mib_beyond_one(source_bytes: usize) -> u32 {
    let begun = source_bytes.div_ceil(1024 * 1024);
    u32::try_from(begun.saturating_sub(1)).unwrap_or(u32::MAX)
}

/// Closes the conversation when it is dropped, which ends the wait on the other thread, and with it the process.
struct HangUp(UnixStream);

impl Drop for HangUp {
    fn drop(&mut self) {
        // It may be closed already.
        let _closed = self.0.shutdown(Shutdown::Both);
    }
}

/// A process that is ended and waited for, whatever happens.
struct Ending(Child);

impl Ending {
    /// How it ended: by itself if it had, else by the kill.
    fn end(&mut self) -> io::Result<ExitStatus> {
        self.0.kill()?;
        self.0.wait()
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // Nothing is left to tell whom.
        let _ended = self.end();
    }
}

fn ask(
    program: &Path,
    argument: Option<&str>,
    limit_ms: u64,
    (socket, theirs): (UnixStream, UnixStream),
    request: &[u8],
) -> Result<Vec<u8>, BundleError> {
    let child = Command::new(program)
        .args(argument)
        .env_clear()
        .envs(ENVIRONMENT.iter().copied())
        .current_dir("/")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()?;
    let mut process = Ending(child);
    let mut conversation = Conversation { socket, until: Instant::now() + Duration::from_millis(limit_ms) };
    match conversation.exchange(request) {
        Ok(Some(answer)) => Ok(answer),
        // The end of the stream: how the process ended says why.
        Ok(None) => Err(explain(process.end()?)),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            Err(BundleError::TimedOut(limit_ms))
        }
        // It ended while it was being written to.
        Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => {
            Err(explain(process.end()?))
        }
        Err(error) => Err(error.into()),
    }
}

/// One question and its answer, until a time.
struct Conversation {
    socket: UnixStream,
    until: Instant,
}

impl Conversation {
    /// The answer; none where the process closed the stream before its end.
    fn exchange(&mut self, request: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let length =
            u32::try_from(request.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        self.send(&length.to_be_bytes())?;
        self.send(request)?;
        let Some(length) = self.receive(4)? else { return Ok(None) };
        let length = <[u8; 4]>::try_from(length.as_slice()).map_or(u32::MAX, u32::from_be_bytes);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > MAX_MESSAGE_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.receive(length)
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }

    fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.socket.set_write_timeout(self.left()?)?;
            match self.socket.write(bytes) {
                Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                // The enclave's own children end all the time, and each end is a signal.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn receive(&mut self, bytes: usize) -> io::Result<Option<Vec<u8>>> {
        let mut received = Vec::new();
        let mut chunk = vec![0; CHUNK_BYTES.min(bytes)];
        while received.len() < bytes {
            self.socket.set_read_timeout(self.left()?)?;
            let most = (bytes - received.len()).min(chunk.len());
            let Some(room) = chunk.get_mut(..most) else { break };
            match self.socket.read(room) {
                Ok(0) => return Ok(None),
                Ok(count) => received.extend_from_slice(room.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(received))
    }
}

/// Bytes received at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// What the way a bundler ended says to whoever deployed.
fn explain(status: ExitStatus) -> BundleError {
    // Killed by `Ending` alone: it had closed the stream and lived on, or whoever asked hung up.
    const SIGKILL: i32 = 9;
    match (status.signal(), status.code()) {
        (Some(SIGKILL), _) => BundleError::Process(io::ErrorKind::ConnectionAborted.into()),
        // The stack is the one thing that it can run into the end of: the parser recurses.
        (Some(_), _) => BundleError::Ended(
            "the compiler ran out of stack over the modules: expressions, statements or types are nested too deep; nest \
             them less, or deploy JavaScript that was compiled elsewhere",
        ),
        (_, Some(EXIT_OUT_OF_MEMORY)) => BundleError::Ended(
            "the compiler ran out of memory over the modules: they are too large, or nested too deep; split or shorten them",
        ),
        (_, Some(PANICKED)) => BundleError::Ended(
            "the compiler cannot read the modules: something in them is nested too deep or is no valid program",
        ),
        _ => BundleError::Process(io::Error::other(format!("the bundler ended: {status}"))),
    }
}

/// Exit status of a Rust program that panicked.
const PANICKED: i32 = 101;

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: usize = 2 * 1024 * 1024;

    fn bundler() -> Bundler {
        Bundler { wasm: Some(Path::new("compiler").into()), ..Bundler::new("bundler".into()) }
    }

    /// What takes long leaves a place for what does not.
    #[tokio::test]
    async fn one_long_compilation_is_made_at_a_time() {
        let bundler = bundler();
        let tenants: Vec<Arc<str>> = ["a", "b", "c"].map(Into::into).into();
        let first = bundler.turn(&tenants[0], Runtime::Wasm, LONG).await.unwrap();
        let mut second = Box::pin(bundler.turn(&tenants[1], Runtime::Wasm, LONG));
        let waited = tokio::time::timeout(Duration::from_millis(50), &mut second).await;
        assert!(waited.is_err());
        let short = bundler.turn(&tenants[2], Runtime::Typescript, 100).await.unwrap();
        drop(short);
        drop(first);
        assert!(second.await.is_ok());
    }

    #[tokio::test]
    async fn time_and_memory_grow_with_what_is_compiled() {
        let tenant: Arc<str> = "a".into();
        let mib = 1024 * 1024;
        for (bytes, limit_ms, memory) in [
            (1, 10_000, 256),
            (mib, 10_000, 256),
            (mib + 1, 15_000, 352),
            (6 * mib - 1, 35_000, 736),
            (8 * mib, 45_000, 928),
        ] {
            let turn = bundler().turn(&tenant, Runtime::Wasm, bytes).await.unwrap();
            assert_eq!(
                (turn.limit_ms_of_all(), memory_mib(Runtime::Wasm, bytes)),
                (limit_ms, memory),
                "{bytes}"
            );
        }
        let slow = bundler().with_limit_ms(30_000).turn(&tenant, Runtime::Wasm, 8 * mib).await.unwrap();
        assert_eq!(slow.limit_ms_of_all(), MAX_BUNDLE_TIMEOUT_MS);
        assert_eq!(memory_mib(Runtime::Typescript, mib), MEMORY_MIB);
    }
}
