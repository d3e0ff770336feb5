//! A backup's file: what is accepted is exactly what would be written again, and no entry passes its limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_parent::backup::{Encoder, Entry, Reader};
use r3e_proto::limits::{MAX_BLOB_BYTES, MAX_HEAD_BYTES, MAX_SLOT_BYTES};

fuzz_target!(|data: &[u8]| {
    let Ok(mut reader) = Reader::begin(data) else { return };
    let (mut encoder, mut again) = Encoder::begin(reader.made_unix_seconds());
    loop {
        match reader.next_entry() {
            Err(_) => return,
            Ok(None) => break,
            Ok(Some(entry)) => {
                match &entry {
                    Entry::Head(head) => assert!(head.len() <= MAX_HEAD_BYTES),
                    Entry::Slot(value) => assert!(value.len() <= MAX_SLOT_BYTES),
                    Entry::Record(_, record) => assert!(record.len() <= MAX_BLOB_BYTES),
                }
                again.extend(encoder.entry(&entry));
            }
        }
    }
    again.extend(encoder.end());
    assert_eq!(again, data, "one backup, one file");
    assert_eq!(reader.checksum().as_ref().map(<[u8; 32]>::as_slice), data.get(data.len() - 32..));
});
