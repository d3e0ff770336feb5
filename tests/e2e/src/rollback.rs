//! An older copy of an appliance's data in the place of the latest, what the appliance says of it, and orders to restore it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use r3e_client::{SigningKey, approve_restore};
use r3e_proto::restore::{RestoreOrder, SignedRestoreOrder};

use crate::appliance::Appliance;
use crate::programs::program;

const LIMIT: Duration = Duration::from_mins(2);

/// Copies a data folder that no parent uses.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        match entry.file_type().expect("a type") {
            kind if kind.is_dir() => copy(&entry.path(), &to),
            kind if kind.is_file() => drop(std::fs::copy(entry.path(), to).expect("a copy")),
            _ => {}
        }
    }
}

/// Puts a copy of an older data folder in the place of the one that is there.
pub fn put_back(older: &Path, data: &Path) {
    std::fs::remove_dir_all(data).expect("a folder");
    copy(older, data);
}

impl Appliance {
    /// Starts it over what is in its data folder now.
    pub async fn starts(&mut self) {
        self.start_parent();
        self.start_enclave();
        self.ready().await;
    }

    /// The same; it must end, and say `why`. What it said.
    ///
    /// # Panics
    /// It does not, or ends in order.
    pub async fn refuses_to_start(&mut self, why: &str) -> String {
        let log = self.enclave_place().log();
        let lives_before = std::fs::read(&log).expect("a log").len();
        self.start_parent();
        self.start_enclave();
        let ended = self.enclave_process().wait(LIMIT).await;
        assert!(!ended.success());
        let log = std::fs::read(&log).expect("a log");
        let said = String::from_utf8_lossy(log.get(lives_before..).unwrap_or_default()).into_owned();
        assert!(said.contains(why), "{why}: {said}");
        self.kill_enclave();
        self.kill_parent();
        said
    }

    /// Writes an order signed by some of these, and has the parent take it.
    ///
    /// # Panics
    /// The parent does not.
    pub fn order(&self, order: &RestoreOrder, by: &[&SigningKey]) {
        let mut signed = SignedRestoreOrder::unsigned(order);
        for key in by {
            approve_restore(&mut signed, key).expect("a signature");
        }
        let file = self.folder().join("order.cbor");
        std::fs::write(&file, signed.encode()).expect("a file");
        let mut command = Command::new(program("r3e-parent"));
        command.args(["restore", "--order"]).arg(&file).arg("--data").arg(self.data());
        let done = command.env_clear().output().expect("the parent's program");
        assert!(done.status.success(), "{done:?}");
    }
}

/// The sequence and the head of a state that was refused, as a log says them last behind `words`, and the number that was held against it,
/// behind `over`.
///
/// # Panics
/// It does not say them.
pub fn refused_in(log: &str, words: &str, over: &str) -> (u64, [u8; 32], u64) {
    let (_, text) = log.rsplit_once(&format!("{words}: sequence ")).expect("a refusal");
    let (sequence, text) = text.split_once(", head ").expect("a head");
    let (head, text) = text.split_once(over).expect("a number");
    let digits = text.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    let head = hex::decode(head).expect("a digest").try_into().expect("a digest");
    (sequence.parse().expect("a number"), head, digits.parse().expect("a number"))
}
