//! What needs the kernel without the library in between. Everything unsafe of the attacks is here.

/// Makes a system call. What it gave, or the kernel's reason.
pub(crate) fn call(number: i64, arguments: [u64; 6]) -> Result<i64, i32> {
    let [one, two, three, four, five, six] = arguments;
    // SAFETY: whatever the call does, it does to this process, which is there to be ended for it. Its pointers are null or the
    // addresses of values that the caller keeps until this returns.
    let gave = unsafe { libc::syscall(number, one, two, three, four, five, six) };
    if gave == -1 { Err(errno()) } else { Ok(gave) }
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or_default()
}

/// Writes where nothing may be written.
pub(crate) fn write_to_nowhere() {
    // SAFETY: it is not sound, and is meant not to be: the process ends by it.
    unsafe { std::ptr::without_provenance_mut::<u8>(8).write_volatile(1) }
}

/// Splits as the box allows it. True in the copy.
pub(crate) fn split() -> Result<bool, i32> {
    let mut handle: i32 = -1;
    let flags = libc::CLONE_PIDFD | libc::SIGCHLD;
    let handle = (&raw mut handle).expose_provenance() as u64;
    call(libc::SYS_clone, [flags.cast_unsigned().into(), 0, handle, 0, 0, 0]).map(|pid| pid == 0)
}

/// Ignores a signal, or is refused.
pub(crate) fn ignore(signal: i32) {
    // SAFETY: to ignore a signal runs no code.
    let _before = unsafe { libc::signal(signal, libc::SIG_IGN) };
}

/// Catches a signal, and loops in its handler.
pub(crate) fn catch(signal: i32) {
    extern "C" fn handler(_signal: i32) {
        loop {
            std::hint::spin_loop();
        }
    }
    let handler: extern "C" fn(i32) = handler;
    // SAFETY: the handler touches nothing.
    let _before = unsafe { libc::signal(signal, handler as libc::sighandler_t) };
}

/// Ends at once with this status.
pub(crate) fn end(status: i32) -> ! {
    // SAFETY: nothing of the process is used afterwards.
    unsafe { libc::_exit(status) }
}

/// One of the descriptors that a boxed process has for its life.
pub(crate) fn borrow(number: i32) -> std::os::fd::BorrowedFd<'static> {
    // SAFETY: nothing in this process closes its socket or what stands for its standard output and error.
    unsafe { std::os::fd::BorrowedFd::borrow_raw(number) }
}
