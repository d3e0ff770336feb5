//! What was measured, and how it is told.

use std::fmt;
use std::time::Duration;

/// Times, in order.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// Of at least one.
    pub(crate) fn of(mut times: Vec<Duration>) -> anyhow::Result<Self> {
        anyhow::ensure!(!times.is_empty(), "nothing was measured");
        times.sort_unstable();
        Ok(Self(times))
    }

    pub(crate) fn median(&self) -> String {
        self.quantile(50)
    }

    pub(crate) fn lowest(&self) -> String {
        self.quantile(0)
    }

    fn quantile(&self, percent: usize) -> String {
        let at = (self.0.len() - 1) * percent / 100;
        self.0.get(at).map_or_else(String::new, |time| format!("{:.2}", time.as_secs_f64() * 1e3))
    }
}

/// What one load gave.
pub(crate) struct Load {
    pub(crate) times: Times,
    pub(crate) count: usize,
    pub(crate) wall: Duration,
    /// Processor time of the server, all its processes together.
    pub(crate) cpu: Duration,
}

impl Load {
    pub(crate) fn cells(&self, name: &str, clients: usize) -> [String; 7] {
        let (wall, cpu) = (self.wall.as_secs_f64(), self.cpu.as_secs_f64());
        let count = u32::try_from(self.count).map_or(f64::MAX, f64::from);
        [
            name.to_owned(),
            clients.to_string(),
            format!("{:.0}", count / wall),
            self.times.median(),
            self.times.quantile(99),
            format!("{:.2}", cpu / wall),
            format!("{:.0}", count / cpu),
        ]
    }
}

/// What functions hold that nobody calls.
pub(crate) struct Held {
    pub(crate) kib: u64,
    pub(crate) processes: usize,
}

impl Held {
    pub(crate) fn cells(&self, name: &str, functions: usize) -> [String; 5] {
        let each = self.kib / u64::try_from(functions.max(1)).unwrap_or(1);
        [
            name.to_owned(),
            functions.to_string(),
            self.processes.to_string(),
            (self.kib / 1024).to_string(),
            each.to_string(),
        ]
    }
}

/// A table in Markdown.
pub(crate) struct Table(String);

impl Table {
    pub(crate) fn new<const N: usize>(heads: [&str; N]) -> Self {
        let mut table = Self(String::new());
        table.row(&heads.map(str::to_owned));
        table.row(&heads.map(|_| "---".to_owned()));
        table
    }

    /// Adds a row; also to the log, so that a long run is seen to go on.
    pub(crate) fn row<const N: usize>(&mut self, cells: &[String; N]) {
        let row = format!("| {} |\n", cells.join(" | "));
        eprint!("{row}");
        self.0.push_str(&row);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
