//! The system calls that pass, each with the reason it must. Any other ends the process.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter_all_threads,
};

use super::SandboxError;

/// A condition on one argument: its index and what it must be.
#[derive(Clone, Copy)]
enum Argument {
    /// These bits are clear.
    Clear(u8, u64),
    /// Exactly this value.
    Is(u8, u64),
}

use Argument::{Clear, Is};

const PROT_EXEC: u64 = libc::PROT_EXEC as u64;

/// The allow-list. A call that stands twice passes when either row's conditions hold.
fn table(own_pid: u64) -> Vec<(i64, Vec<Argument>, &'static str)> {
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
        (
            libc::SYS_tgkill,
            vec![Is(0, own_pid), Is(2, libc::SIGABRT as u64)],
            "abort() of this process and of no other",
        ),
        (libc::SYS_restart_syscall, vec![], "the kernel resumes a wait after the process was stopped"),
        (libc::SYS_exit_group, vec![], "the end"),
    ]
}

/// A filter ready to be installed.
pub(super) struct Filter {
    program: BpfProgram,
}

impl Filter {
    /// Compiles the table for this process.
    pub(super) fn compile() -> Result<Self, SandboxError> {
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
        for (number, arguments, _reason) in table(u64::from(std::process::id())) {
            let entry = rules.entry(number).or_default();
            if arguments.is_empty() {
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
        Ok(Self { program: filter.try_into().map_err(SandboxError::Table)? })
    }

    /// Installs the filter on every thread, for good.
    pub(super) fn install(&self) -> Result<(), SandboxError> {
        apply_filter_all_threads(&self.program).map_err(SandboxError::Filter)
    }
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
