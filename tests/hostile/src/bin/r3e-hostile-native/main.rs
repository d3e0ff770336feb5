//! `r3e-hostile-native`: takes the runner's place in a test, and attacks from inside the box as code would that has broken out
//! of an engine. The name of the attack is the function's source.

mod deeds;
mod kernel;

use std::convert::Infallible;
use std::process::ExitCode;

use r3e_hostile::native::{CALLS, WORKS};
use r3e_runner_api::{Fault, FaultKind, FunctionLimits, HostReply};
use r3e_sandbox::{Engine, Progress, Sender};

#[global_allocator]
static ALLOCATOR: r3e_sandbox::EndWhenExhausted = r3e_sandbox::EndWhenExhausted;

/// An engine whose functions attack.
struct Attacker {
    sender: Sender,
    /// To be done in an event.
    attack: Option<String>,
    /// What one that was done while it loaded gave, to be told by the first event.
    gave: Option<String>,
}

impl Engine for Attacker {
    type Error = Infallible;
    type Loading = ();

    fn start(sender: Sender) -> Result<Self, Infallible> {
        Ok(Self { sender, attack: None, gave: None })
    }

    fn reseed(&mut self) {}

    fn limit(&mut self, _heap_bytes: u64, _limits: FunctionLimits) {}

    fn begin_load(&mut self, source: String) -> Result<(), Fault> {
        if let Some(name) = source.strip_prefix("load: ") {
            self.gave = Some(attack(&self.sender, name)?);
        } else {
            self.attack = source.strip_prefix("event: ").map(str::to_owned);
        }
        Ok(())
    }

    fn progress_load(&mut self, (): &mut ()) -> Progress<()> {
        Progress::Settled(Ok(()))
    }

    fn begin(&mut self, _event: String) -> Result<(), Fault> {
        Ok(())
    }

    fn progress(&mut self) -> Progress<String> {
        Progress::Settled(match (&self.gave, &self.attack) {
            (Some(gave), _) => Ok(gave.clone()),
            (None, Some(name)) => attack(&self.sender, name),
            (None, None) => Ok(WORKS.to_owned()),
        })
    }

    fn deliver(&mut self, _call_id: u32, _reply: HostReply) {}

    fn is_spent(&mut self) -> bool {
        false
    }
}

/// What an attack gave that this process has survived.
fn attack(sender: &Sender, name: &str) -> Result<String, Fault> {
    let call = CALLS.iter().find(|(call, ..)| *call == name);
    let gave = match call {
        // No call of the table comes back.
        Some((_, _, number, arguments)) => Err(format!("{name}: {:?}", kernel::call(*number, *arguments))),
        None => deeds::deed(sender, name).unwrap_or_else(|| Err(format!("no such attack: {name}"))),
    };
    gave.map_err(|told| Fault::new(FaultKind::Thrown, "Survived", &told, None))
}

fn main() -> ExitCode {
    r3e_sandbox::serve::<Attacker>("r3e-hostile-native")
}
