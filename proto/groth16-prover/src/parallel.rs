//! Work on so many threads. For one thread none is started, so that it also runs where none may be.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use ark_ec::VariableBaseMSM;

/// What each thread has to do at least: starting it costs more than less.
const MIN_PIECE: usize = 64;

/// Does each, and gives what comes of them in their order. Where the system gives fewer threads, those do it.
pub(crate) fn each<T: Send, R: Send>(
    threads: NonZeroUsize,
    work: Vec<T>,
    does: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let others = threads.get().min(work.len()).saturating_sub(1);
    let (queue, done) = (Mutex::new(work.into_iter().enumerate()), Mutex::new(Vec::new()));
    let worker = || {
        loop {
            let next = lock(&queue).next();
            let Some((at, item)) = next else { return };
            let result = does(item);
            lock(&done).push((at, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..others {
            // This thread does what no other can be had for.
            let _started = Builder::new().spawn_scoped(scope, worker);
        }
        worker();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Into how long pieces so much is divided among the threads.
pub(crate) fn piece(threads: NonZeroUsize, length: usize) -> usize {
    length.div_ceil(threads.get()).max(MIN_PIECE)
}

/// The sum of points, each by its number.
pub(crate) fn sum<G: VariableBaseMSM>(
    threads: NonZeroUsize,
    points: &[G::MulBase],
    numbers: &[G::ScalarField],
) -> G {
    let piece = piece(threads, points.len().min(numbers.len()));
    let pieces = points.chunks(piece).zip(numbers.chunks(piece)).collect();
    each(threads, pieces, |(points, numbers)| G::msm_unchecked(points, numbers)).into_iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_done_once_and_in_order() {
        for threads in [1, 2, 3, 8] {
            for count in 0..20 {
                let work: Vec<usize> = (0..count).collect();
                let threads = NonZeroUsize::new(threads).unwrap();
                assert_eq!(each(threads, work.clone(), |number| number), work);
            }
        }
    }
}
