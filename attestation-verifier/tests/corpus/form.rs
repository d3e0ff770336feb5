//! Documents that have not the form of one.

use r3e_cbor::{Value, encode};

use super::{
    Case,
    generator::{Key, Spec, bytes, int, sig_structure, text},
};

/// Replaces the one occurrence of `from` in the document.
fn replace(mut document: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = document.windows(from.len()).position(|window| window == from).unwrap();
    document.splice(at..at + from.len(), to.iter().copied());
    document
}

fn set_algorithm(spec: &mut Spec, algorithm: Value) {
    spec.protected = encode(&Value::Map(vec![(int(1), algorithm)]));
}

/// The `COSE_Sign1` around the payload.
pub(crate) const FRAME: &[Case] = &[
    ("no bytes", "malformed", |spec| spec.edit_bytes = |_| vec![]),
    ("half a document", "malformed", |spec| {
        spec.edit_bytes = |document| document[..document.len() / 2].to_vec();
    }),
    ("one byte short", "malformed", |spec| {
        spec.edit_bytes = |document| document[..document.len() - 1].to_vec();
    }),
    ("one byte after the end", "malformed", |spec| spec.edit_bytes = |document| [document, vec![0]].concat()),
    ("two documents in a row", "malformed", |spec| spec.edit_bytes = |document| document.repeat(2)),
    ("over 16 KiB", "malformed", |spec| {
        spec.edit_bytes = |document| [document, vec![0; 16 * 1024]].concat();
    }),
    ("nested 10,000 deep", "malformed", |spec| spec.edit_bytes = |_| vec![0x81; 10_000]),
    ("a length that lies", "malformed", |spec| {
        spec.edit_bytes = |document| [&[0x84, 0x5b, 0x7f], &[0xff; 7][..], document.as_slice()].concat();
    }),
    ("an array that never ends", "malformed", |spec| {
        spec.edit_bytes = |mut document| {
            document[0] = 0x9f;
            document
        };
    }),
    ("the tag of COSE_Mac0", "malformed", |spec| spec.tag = Some(17)),
    ("the tag of COSE_Sign", "malformed", |spec| spec.tag = Some(98)),
    ("the tag of a CWT", "malformed", |spec| spec.tag = Some(61)),
    ("the tag twice", "malformed", |spec| {
        spec.tag = Some(18);
        spec.edit_bytes = |document| [vec![0xd2], document].concat();
    }),
    ("three elements", "malformed", |spec| {
        spec.edit_elements = |elements| {
            elements.remove(1);
        };
    }),
    ("five elements", "malformed", |spec| spec.edit_elements = |elements| elements.push(Value::Null)),
    ("a map instead of an array", "malformed", |spec| spec.edit_bytes = |_| vec![0xa0]),
    ("an empty protected header", "malformed", |spec| spec.protected = vec![]),
    ("an empty map as protected header", "malformed", |spec| spec.protected = vec![0xa0]),
    ("a key identifier in the protected header", "malformed", |spec| {
        spec.protected = encode(&Value::Map(vec![(int(1), int(-35)), (int(4), bytes(b"key"))]));
    }),
    ("a critical parameter in the protected header", "malformed", |spec| {
        let critical = Value::Array(vec![int(1)]);
        spec.protected = encode(&Value::Map(vec![(int(1), int(-35)), (int(2), critical)]));
    }),
    ("a long form of the protected header", "malformed", |spec| {
        spec.protected = vec![0xa1, 0x01, 0x39, 0x00, 0x22];
    }),
    ("trailing bytes in the protected header", "malformed", |spec| {
        spec.protected = vec![0xa1, 0x01, 0x38, 0x22, 0x00];
    }),
    ("the protected header not wrapped", "malformed", |spec| {
        spec.edit_elements = |elements| elements[0] = Value::Map(vec![(int(1), int(-35))]);
    }),
    ("an algorithm by name", "malformed", |spec| set_algorithm(spec, text("ES384"))),
    ("ES256", "algorithm", |spec| set_algorithm(spec, int(-7))),
    ("ES512", "algorithm", |spec| set_algorithm(spec, int(-36))),
    ("EdDSA", "algorithm", |spec| set_algorithm(spec, int(-8))),
    ("HMAC", "algorithm", |spec| set_algorithm(spec, int(5))),
    ("a key identifier in the unprotected header", "malformed", |spec| {
        spec.unprotected = Value::Map(vec![(int(4), bytes(b"key"))]);
    }),
    ("an algorithm in the unprotected header", "malformed", |spec| {
        spec.unprotected = Value::Map(vec![(int(1), int(-35))]);
    }),
    ("an array as unprotected header", "malformed", |spec| spec.unprotected = Value::Array(vec![])),
    ("a detached payload", "malformed", |spec| spec.edit_elements = |elements| elements[2] = Value::Null),
    ("a signature of 95 bytes", "malformed", |spec| {
        spec.edit_elements = |elements| elements[3] = bytes(&[1; 95]);
    }),
    ("a signature of 97 bytes", "malformed", |spec| {
        spec.edit_elements = |elements| elements[3] = bytes(&[1; 97]);
    }),
    ("an empty signature", "malformed", |spec| spec.edit_elements = |elements| elements[3] = bytes(&[])),
    ("a signature of zeros", "signature", |spec| {
        spec.edit_elements = |elements| elements[3] = bytes(&[0; 96]);
    }),
    ("a flipped bit in the signature", "signature", |spec| {
        spec.edit_elements = |elements| elements[3].as_bytes_mut().unwrap()[50] ^= 1;
    }),
    ("a payload altered after signing", "signature", |spec| {
        spec.edit_bytes = |document| replace(document, b"user data", b"user dat!");
    }),
    ("PCR0 altered after signing", "signature", |spec| {
        spec.set_pcr(int(0), bytes(&[0x77; 48]));
        spec.edit_bytes = |document| replace(document, &[0x77; 48], &[0x01; 48]);
    }),
    ("signed by a key that is not the leaf's", "signature", |spec| spec.signer = Some(Key::generate())),
    ("signed in the context of COSE_Sign", "signature", |spec| {
        spec.to_be_signed = |protected, payload| {
            encode(&Value::Array(vec![text("Signature"), bytes(protected), bytes(&[]), bytes(payload)]))
        };
    }),
    ("signed with external data", "signature", |spec| {
        spec.to_be_signed = |protected, payload| {
            encode(&Value::Array(vec![text("Signature1"), bytes(protected), bytes(b"x"), bytes(payload)]))
        };
    }),
    ("the payload signed without its frame", "signature", |spec| {
        spec.to_be_signed = |_, payload| payload.to_vec();
    }),
    ("signed under another protected header", "signature", |spec| {
        spec.to_be_signed = |_, payload| sig_structure(&[], payload);
    }),
];

/// The payload's fields.
pub(crate) const PAYLOAD: &[Case] = &[
    ("a payload that is no map", "malformed", |spec| spec.edit_payload_bytes = |_| vec![0x80]),
    ("an empty payload", "malformed", |spec| spec.edit_payload_bytes = |_| vec![]),
    ("trailing bytes in the payload", "malformed", |spec| {
        spec.edit_payload_bytes = |payload| [payload, vec![0xf6]].concat();
    }),
    ("a payload nested deep", "malformed", |spec| {
        let bomb = (0..5).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        spec.set("user_data", bomb);
    }),
    ("a payload of a thousand items", "malformed", |spec| {
        spec.set("user_data", Value::Array(vec![Value::Null; 1000]));
    }),
    ("user_data twice", "malformed", |spec| spec.payload.push((text("user_data"), bytes(b"other")))),
    ("pcrs twice", "malformed", |spec| spec.payload.push((text("pcrs"), Value::Map(vec![])))),
    ("certificate twice", "malformed", |spec| spec.payload.push((text("certificate"), bytes(b"")))),
    ("a PCR twice", "malformed", |spec| {
        spec.payload
            .iter_mut()
            .find(|(key, _)| key == &text("pcrs"))
            .unwrap()
            .1
            .as_map_mut()
            .unwrap()
            .push((int(0), bytes(&[1; 48])));
    }),
    ("a PCR twice, in two encodings", "malformed", |spec| {
        spec.edit_payload_bytes = |payload| {
            // PCR15's index, 0x0f, becomes 0 in two bytes; the length of the map stays.
            let entry = [&[0x0f, 0x58, 0x30][..], &[0; 48]].concat();
            let at = payload.windows(entry.len()).position(|window| window == entry).unwrap();
            [&payload[..at], &[0x18, 0x00], &payload[at + 1..]].concat()
        };
    }),
    ("an unknown field", "malformed", |spec| spec.set("debug", Value::Bool(false))),
    ("an unknown field with a number as key", "malformed", |spec| spec.payload.push((int(1), Value::Null))),
    ("no module_id", "malformed", |spec| spec.remove("module_id")),
    ("no digest", "malformed", |spec| spec.remove("digest")),
    ("no timestamp", "malformed", |spec| spec.remove("timestamp")),
    ("no pcrs", "malformed", |spec| spec.remove("pcrs")),
    ("no certificate", "malformed", |spec| {
        spec.edit_payload = |payload| payload.retain(|(key, _)| key != &text("certificate"));
    }),
    ("no cabundle", "malformed", |spec| {
        spec.edit_payload = |payload| payload.retain(|(key, _)| key != &text("cabundle"));
    }),
    ("SHA256 as digest", "malformed", |spec| spec.set("digest", text("SHA256"))),
    ("SHA512 as digest", "malformed", |spec| spec.set("digest", text("SHA512"))),
    ("sha384 in lower case", "malformed", |spec| spec.set("digest", text("sha384"))),
    ("a null digest", "malformed", |spec| spec.set("digest", Value::Null)),
    ("an empty module_id", "malformed", |spec| spec.set("module_id", text(""))),
    ("a module_id with an escape sequence", "malformed", |spec| spec.set("module_id", text("i-\u{1b}[2J"))),
    ("a module_id of 129 characters", "malformed", |spec| spec.set("module_id", text(&"i".repeat(129)))),
    ("a negative timestamp", "malformed", |spec| spec.set("timestamp", int(-1))),
    ("a timestamp as float", "malformed", |spec| spec.set("timestamp", Value::Float(1.7e12))),
    ("a timestamp as text", "malformed", |spec| spec.set("timestamp", text("1748779200000"))),
    ("a timestamp with a tag", "malformed", |spec| spec.set("timestamp", Value::Tag(1, Box::new(int(1))))),
    ("no PCR at all", "malformed", |spec| spec.set("pcrs", Value::Map(vec![]))),
    ("pcrs as array", "malformed", |spec| spec.set("pcrs", Value::Array(vec![bytes(&[1; 48])]))),
    ("a PCR of 47 bytes", "malformed", |spec| spec.set_pcr(int(0), bytes(&[1; 47]))),
    ("a PCR of 49 bytes", "malformed", |spec| spec.set_pcr(int(0), bytes(&[1; 49]))),
    ("a PCR of SHA-256's length", "malformed", |spec| spec.set_pcr(int(0), bytes(&[1; 32]))),
    ("a PCR of SHA-512's length", "malformed", |spec| spec.set_pcr(int(0), bytes(&[1; 64]))),
    ("an empty PCR", "malformed", |spec| spec.set_pcr(int(9), bytes(&[]))),
    ("a PCR as text", "malformed", |spec| spec.set_pcr(int(9), text("00"))),
    ("PCR32", "malformed", |spec| spec.set_pcr(int(32), bytes(&[0; 48]))),
    ("33 PCRs", "malformed", |spec| (16..33).for_each(|index| spec.set_pcr(int(index), bytes(&[0; 48])))),
    ("PCR-1", "malformed", |spec| spec.set_pcr(int(-1), bytes(&[0; 48]))),
    ("PCR256", "malformed", |spec| spec.set_pcr(int(256), bytes(&[0; 48]))),
    ("a PCR by name", "malformed", |spec| spec.set_pcr(text("0"), bytes(&[0; 48]))),
    ("user_data of 513 bytes", "malformed", |spec| spec.set("user_data", bytes(&[0; 513]))),
    ("a nonce of 513 bytes", "malformed", |spec| spec.set("nonce", bytes(&[0; 513]))),
    ("a public key of 1025 bytes", "malformed", |spec| spec.set("public_key", bytes(&[0; 1025]))),
    ("user_data as text", "malformed", |spec| spec.set("user_data", text("user data"))),
    ("a nonce as number", "malformed", |spec| spec.set("nonce", int(7))),
    ("an empty certificate", "malformed", |spec| spec.edit_bundle = |_, leaf| leaf.clear()),
    ("a certificate of 1025 bytes", "malformed", |spec| spec.edit_bundle = |_, leaf| leaf.resize(1025, 0)),
    ("an empty cabundle", "malformed", |spec| spec.edit_bundle = |bundle, _| bundle.clear()),
    ("an empty certificate in the cabundle", "malformed", |spec| {
        spec.edit_bundle = |bundle, _| bundle[1].clear();
    }),
    ("a cabundle of text", "malformed", |spec| {
        spec.edit_payload = |payload| {
            payload.pop();
            payload.push((text("cabundle"), Value::Array(vec![text("root")])));
        };
    }),
    ("a cabundle as one byte string", "malformed", |spec| {
        spec.edit_payload = |payload| {
            payload.pop();
            payload.push((text("cabundle"), bytes(b"root")));
        };
    }),
];
