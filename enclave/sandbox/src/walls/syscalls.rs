//! The system calls that pass, each with the reason it must. Any other ends the process.

use std::collections::{BTreeMap, BTreeSet};

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter_all_threads,
};

use super::SandboxError;
use super::runtime::{Refused, of_runtime, of_workshop, passed_on, refused};
use crate::fork::PLAIN;

/// A condition on one argument: its index and what it must be.
#[derive(Clone, Copy)]
pub(super) enum Argument {
    /// These bits are clear.
    Clear(u8, u64),
    /// Exactly this value.
    Is(u8, u64),
}

use Argument::{Clear, Is};

const PROT_EXEC: u64 = libc::PROT_EXEC as u64;

/// One row: a call, what must be true of its arguments, and the reason why it passes.
pub(super) type Row = (i64, Vec<Argument>, &'static str);

/// What stands in a compiled filter for the number of the process that it will be installed in. No process has it: numbers end
/// at 2^22.
const OWN_PROCESS: u32 = 0x7fff_fffe;

/// What kind of process a filter is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One thread, and no code but what was loaded.
    Plain,
    /// Threads, and code that is made.
    Runtime,
    /// The same, with files of its own.
    Workshop,
}

/// The allow-list of a process that handles events. A call that stands twice passes when either row's conditions hold.
fn of_events(kind: Kind) -> Vec<Row> {
    let mut table = of_both();
    let own = Is(0, u64::from(OWN_PROCESS));
    if kind == Kind::Plain {
        let abort = Is(2, libc::SIGABRT as u64);
        table.push((libc::SYS_tgkill, vec![own, abort], "abort() of this process and of no other"));
        return table;
    }
    table.extend(of_runtime());
    table.extend(passed_on());
    if kind == Kind::Workshop {
        table.extend(of_workshop());
    }
    table.push((libc::SYS_tgkill, vec![own], "the collector stops threads of this process, and of no other"));
    table
}

/// The allow-list of a process that has loaded a function, and splits by order. Its copies are held to this one too.
/// `loads_code` where what it loads is machine code.
fn of_orders(loads_code: bool, kind: Kind) -> Vec<Row> {
    let mut table = of_both();
    table.extend([
        (libc::SYS_recvmsg, vec![Is(0, 0)], "orders, with the socket that each brings"),
        (libc::SYS_sendmsg, vec![Is(0, 0)], "the answers, with the copy's handle"),
        (
            libc::SYS_clone,
            vec![Is(0, PLAIN as u64), Is(1, 0)],
            "copies of itself: no thread, no namespace, nothing shared",
        ),
        (libc::SYS_wait4, vec![], "how copies ended"),
        (libc::SYS_dup3, vec![Is(1, 0)], "a copy puts its socket in the place of the one"),
        (libc::SYS_close, vec![], "a copy's handle and socket, once they are on their way"),
        (libc::SYS_close_range, vec![], "a copy closes all but the three"),
        (
            libc::SYS_fcntl,
            vec![Is(1, libc::F_GETFD as u64)],
            "the library asks before it closes, where it checks itself",
        ),
        (libc::SYS_prctl, vec![Is(0, libc::PR_SET_NO_NEW_PRIVS as u64)], "comes before every filter"),
        (
            libc::SYS_seccomp,
            vec![Is(0, u64::from(libc::SECCOMP_SET_MODE_FILTER)), Is(1, libc::SECCOMP_FILTER_FLAG_TSYNC)],
            "the stricter filter of a copy",
        ),
        // A copy's own filter says which.
        (libc::SYS_tgkill, vec![Is(2, libc::SIGABRT as u64)], "abort()"),
    ]);
    if loads_code {
        table
            .extend(OF_CODE.iter().map(|(number, arguments, reason)| (*number, arguments.to_vec(), *reason)));
    }
    if kind != Kind::Plain {
        // None of it is used here, where nothing of a function's runs; its copies are held to this filter too.
        table.extend(of_runtime());
        table.extend(passed_on());
        table.push((libc::SYS_tgkill, vec![], "a copy's own filter says whose threads"));
    }
    table
}

/// What turns memory into code. A copy that handles events has none of it.
const OF_CODE: &[(i64, &[Argument], &str)] = &[
    (
        libc::SYS_mprotect,
        &[Is(2, (libc::PROT_READ | libc::PROT_EXEC) as u64)],
        "code, which cannot be written any more",
    ),
    // Branch targets are marked there, and the other cores are told of new code.
    #[cfg(target_arch = "aarch64")]
    (
        libc::SYS_mprotect,
        &[Is(2, (libc::PROT_READ | libc::PROT_EXEC) as u64 | 0x10)],
        "the same, with marked targets",
    ),
    #[cfg(target_arch = "aarch64")]
    (libc::SYS_membarrier, &[], "no core runs what stood there before"),
];

/// What passes either way.
fn of_both() -> Vec<Row> {
    vec![
        (libc::SYS_recvfrom, vec![Is(0, 0)], "frames from the enclave, from the one socket"),
        (libc::SYS_sendto, vec![Is(0, 0)], "frames to the enclave, into the same"),
        (libc::SYS_write, vec![Is(0, 2)], "a panic's last words, to standard error, which is /dev/null"),
        (libc::SYS_ppoll, vec![], "waits for a frame or for a timer, whichever comes first"),
        (libc::SYS_brk, vec![], "the heap grows and shrinks"),
        (
            libc::SYS_mmap,
            vec![Clear(2, PROT_EXEC), Is(4, u64::MAX)],
            "large allocations: memory, never code or files",
        ),
        (libc::SYS_munmap, vec![], "gives large allocations back"),
        (libc::SYS_mremap, vec![], "grows large allocations; keeps their protection"),
        (libc::SYS_madvise, vec![], "gives freed pages back"),
        (libc::SYS_mprotect, vec![Clear(2, PROT_EXEC)], "the allocator's guard pages; never code"),
        (libc::SYS_getrandom, vec![], "crypto.getRandomValues and hash seeds"),
        (libc::SYS_clock_gettime, vec![], "time, where the kernel's shared page cannot tell it"),
        (libc::SYS_gettimeofday, vec![], "the same"),
        (libc::SYS_prlimit64, vec![Is(0, 0)], "lowers its own memory limits when the function is known"),
        (libc::SYS_rt_sigreturn, vec![], "the way out of a signal handler"),
        (libc::SYS_rt_sigaction, vec![], "the stack overflow handler restores the default action"),
        (libc::SYS_rt_sigprocmask, vec![], "abort() unblocks its signal"),
        (libc::SYS_getpid, vec![], "abort() addresses itself"),
        (libc::SYS_gettid, vec![], "the same"),
        (libc::SYS_restart_syscall, vec![], "the kernel resumes a wait after the process was stopped"),
        (libc::SYS_exit_group, vec![], "the end"),
    ]
}

/// A filter ready to be installed.
pub(super) struct Filter {
    program: BpfProgram,
    /// Those that answer calls by an error, which come before.
    refusing: Vec<BpfProgram>,
    /// The instruction that compares the own process's number, where there is one.
    own_process: Option<usize>,
}

impl Filter {
    /// For a process that handles events, or one message.
    pub(super) fn of_events(kind: Kind) -> Result<Self, SandboxError> {
        let mut filter = Self::compile(of_events(kind))?;
        if kind == Kind::Workshop {
            filter.refusing = refusing(&refused(true))?;
        }
        let mut found =
            filter.program.iter().enumerate().filter(|(_, instruction)| instruction.k == OWN_PROCESS);
        filter.own_process = found.next().map(|(index, _)| index);
        let others = found.count();
        match filter.own_process {
            Some(_) if others == 0 => Ok(filter),
            found => Err(SandboxError::OwnProcess(others + usize::from(found.is_some()))),
        }
    }

    /// For a process that splits by order, and where it is said so loads machine code.
    pub(super) fn of_orders(loads_code: bool, kind: Kind) -> Result<Self, SandboxError> {
        let mut filter = Self::compile(of_orders(loads_code, kind))?;
        if kind == Kind::Runtime {
            filter.refusing = refusing(&refused(false))?;
        }
        Ok(filter)
    }

    fn compile(table: Vec<Row>) -> Result<Self, SandboxError> {
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
        // A call without a rule passes whatever its arguments are; a row without conditions is more than any beside it.
        let whole: BTreeSet<i64> = table
            .iter()
            .filter(|(_, arguments, _)| arguments.is_empty())
            .map(|(number, ..)| *number)
            .collect();
        for (number, arguments, _reason) in table {
            let entry = rules.entry(number).or_default();
            if whole.contains(&number) {
                continue;
            }
            let conditions: Result<Vec<_>, _> = arguments.into_iter().map(Argument::condition).collect();
            entry.push(
                SeccompRule::new(conditions.map_err(SandboxError::Table)?).map_err(SandboxError::Table)?,
            );
        }
        let filter =
            SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, target_arch())
                .map_err(SandboxError::Table)?;
        let program = filter.try_into().map_err(SandboxError::Table)?;
        Ok(Self { program, refusing: Vec::new(), own_process: None })
    }

    /// Installs the filter on this process, which has one thread, for good. Asks for no memory.
    pub(super) fn install(&mut self) -> Result<(), SandboxError> {
        if let Some(instruction) = self.own_process.and_then(|index| self.program.get_mut(index)) {
            instruction.k = std::process::id();
        }
        for program in &self.refusing {
            apply_filter_all_threads(program).map_err(SandboxError::Filter)?;
        }
        apply_filter_all_threads(&self.program).map_err(SandboxError::Filter)
    }
}

/// Filters that answer calls by an error, and have no say in any other. An error goes before a filter that would let a call pass.
fn refusing(tables: &[Refused]) -> Result<Vec<BpfProgram>, SandboxError> {
    let program = |table: &Refused| {
        let rules = table.calls.iter().map(|call| (*call, Vec::new())).collect();
        let errno = table.errno.unsigned_abs();
        SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno), target_arch())?
            .try_into()
    };
    tables.iter().map(program).collect::<Result<_, _>>().map_err(SandboxError::Table)
}

impl Argument {
    fn condition(self) -> Result<SeccompCondition, seccompiler::BackendError> {
        match self {
            Clear(index, mask) => {
                SeccompCondition::new(index, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(mask), 0)
            }
            // Descriptors and process numbers are 32 bits wide; the upper half of the register is noise.
            Is(index, value) => SeccompCondition::new(
                index,
                SeccompCmpArgLen::Dword,
                SeccompCmpOp::Eq,
                value & u64::from(u32::MAX),
            ),
        }
    }
}

const fn target_arch() -> TargetArch {
    #[cfg(target_arch = "x86_64")]
    return TargetArch::x86_64;
    #[cfg(target_arch = "aarch64")]
    return TargetArch::aarch64;
}

#[cfg(test)]
mod tests;
