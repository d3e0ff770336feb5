//! The messages between enclave and runner, both ways, through the decoder that cuts frames from a stream. What
//! is read can be written, and is read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_runner_api::{FrameDecoder, HostMessage, RawFrame, RunnerMessage};

fuzz_target!(|data: &[u8]| {
    let Some((step, stream)) = data.split_first() else { return };
    let frames = cut(stream, usize::from(*step).max(1));
    assert_eq!(frames, cut(stream, stream.len().max(1)), "frames do not depend on how the bytes come");
    for frame in frames {
        assert!(frame.body.len() <= frame.kind.max_body_bytes());
        if let Ok(message) = RunnerMessage::decode(frame.clone()) {
            assert!(frame.kind.byte() >= 0x80, "from the runner");
            let encoded = message.encode().expect("what was read can be written");
            assert_eq!(RunnerMessage::decode(one(&encoded)).expect("and read again"), message);
        }
        if let Ok(message) = HostMessage::decode(frame.clone()) {
            assert!(frame.kind.byte() < 0x80, "to the runner");
            let again = HostMessage::decode(frame).expect("read a moment ago");
            let encoded = message.encode().expect("what was read can be written");
            assert_eq!(HostMessage::decode(one(&encoded)).expect("and read again"), again);
        }
    }
});

/// The frames of `stream`, up to the first error, when it comes `step` bytes at a time.
fn cut(stream: &[u8], step: usize) -> Vec<RawFrame> {
    let mut decoder = FrameDecoder::new();
    let mut frames = Vec::new();
    for piece in stream.chunks(step) {
        decoder.push(piece);
        loop {
            match decoder.next_frame(|kind| Ok(kind.max_body_bytes())) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(_) => return frames,
            }
        }
    }
    frames
}

fn one(bytes: &[u8]) -> RawFrame {
    let frames = cut(bytes, bytes.len());
    let [frame]: [RawFrame; 1] = frames.try_into().expect("one frame");
    frame
}
