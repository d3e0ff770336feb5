//! The engine by itself, without a box around it.

use std::os::unix::net::UnixStream;

use r3e_sandbox::Engine as _;

use super::*;

fn engine() -> Engine {
    let (ours, theirs) = UnixStream::pair().unwrap();
    // Nothing is sent here; a socket without another end would be a failure to tell.
    std::mem::forget(theirs);
    Engine::start(Sender::new(ours)).unwrap()
}

fn settle<T>(mut progress: impl FnMut() -> Progress<T>) -> Result<T, Fault> {
    match progress() {
        Progress::Settled(outcome) => outcome,
        Progress::Waiting(_) => panic!("it waits"),
    }
}

fn answer(engine: &mut Engine, source: &str, event: &str) -> Result<String, Fault> {
    let limits = FunctionLimits { memory_mib: 64, output_bytes: 1000, log_bytes: 1000 };
    engine.limit(64 * 1024 * 1024, limits);
    let mut loading = engine.begin_load(source.to_owned())?;
    settle(|| engine.progress_load(&mut loading))?;
    engine.begin(event.to_owned())?;
    settle(|| engine.progress())
}

#[test]
fn a_rehearsal_gets_to_its_end() {
    let mut engine = engine();
    engine.bridge.limit(REHEARSAL_LIMITS);
    engine.handler = engine.rehearsed_handler();
    assert!(engine.handler.is_some());
    engine.begin(REHEARSAL_EVENT.to_owned()).unwrap();
    assert_eq!(settle(|| engine.progress()).unwrap(), r#"{"sum":3}"#);
}

#[test]
fn nothing_of_a_rehearsal_stays() {
    const FUNCTION: &str =
        "let calls = 0; export default async (event) => [event, ++calls, Object.keys(globalThis).length]";
    let mut plain = engine();
    let mut rehearsed = engine();
    rehearsed.rehearse();
    assert!(rehearsed.handler.is_none() && rehearsed.begin("1".to_owned()).is_err(), "no function yet");
    let (plain, rehearsed) = (answer(&mut plain, FUNCTION, "7"), answer(&mut rehearsed, FUNCTION, "7"));
    assert_eq!(plain.unwrap(), rehearsed.unwrap());
    let mut engine = engine();
    engine.rehearse();
    let importing = format!("export default async () => (await import({REHEARSAL:?})).default");
    assert!(answer(&mut engine, &importing, "1").is_err(), "no function has it");
}
