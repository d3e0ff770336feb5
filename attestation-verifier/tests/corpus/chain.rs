//! Chains and certificates that break a rule.

use super::{
    Case,
    generator::{
        Key, Spec,
        certificate::{
            CERT_SIGN, Cert, DAY, DIGITAL_SIGNATURE, ECDSA_SHA256, ECDSA_SHA384_NULL, HOUR, KEY_AGREEMENT,
            NAME_CONSTRAINTS, P256, P384, PRIVATE, RSA_SHA384, basic_constraints, build, ec_key_info,
            extension, key_usage, name, tlv,
        },
    },
};

const ROOT: usize = 0;
const REGION: usize = 1;
const INSTANCE: usize = 2;
const LEAF: usize = 3;

/// A point on P-256: its base point (SEC 2 section 2.4.2), uncompressed.
const P256_BASE: &[u8] = b"\x04\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\x77\x03\x7d\x81\
    \x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\
    \x16\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5";

/// Puts `extensions` into the certificate at `position`.
fn set_extensions(spec: &mut Spec, position: usize, extensions: Vec<Vec<u8>>) {
    spec.certs[position].extensions = extensions;
}

/// A compressed form of the key at `position`.
fn compress(spec: &mut Spec, position: usize) {
    let point = spec.certs[position].key.point();
    spec.certs[position].key_info = ec_key_info(P384, &[&[2], &point[1..49]].concat());
}

/// Inserts CAs, well issued, above the leaf.
fn lengthen(spec: &mut Spec, cas: usize) {
    for cert in &mut spec.certs[..LEAF] {
        cert.extensions[0] = basic_constraints(true, None);
    }
    for index in 0..cas {
        let (subject, issuer) =
            (format!("ca{index}"), index.checked_sub(1).map_or("instance".into(), |at| format!("ca{at}")));
        let validity = (spec.certs[INSTANCE].not_before, spec.certs[INSTANCE].not_after);
        spec.certs.insert(LEAF + index, Cert::ca(&subject, &issuer, validity, None));
        spec.leaf().issuer = name(&subject);
    }
}

/// Which certificates there are, and in which order.
pub(crate) const ORDER: &[Case] = &[
    ("a root of the same name with another key", "untrusted_root", |spec| {
        spec.edit_bundle = |bundle, _| {
            let mut twin = Spec::valid().certs;
            twin.truncate(1);
            bundle[ROOT] = build(&twin).remove(0);
        };
    }),
    ("a root that differs in the last bit of its signature", "untrusted_root", |spec| {
        spec.edit_bundle = |bundle, _| *bundle[ROOT].last_mut().unwrap() ^= 1;
    }),
    ("no root", "untrusted_root", |spec| {
        spec.edit_bundle = |bundle, _| {
            bundle.remove(ROOT);
        };
    }),
    ("the AWS root above a chain of another", "untrusted_root", |spec| {
        spec.edit_bundle = |bundle, _| {
            bundle[ROOT] = include_bytes!("../../vectors/AWS_NitroEnclaves_Root-G1.der").to_vec();
        };
    }),
    ("leaf first", "untrusted_root", |spec| spec.edit_bundle = |bundle, _| bundle.reverse()),
    ("intermediates swapped", "chain", |spec| spec.edit_bundle = |bundle, _| bundle.swap(REGION, INSTANCE)),
    ("an intermediate missing", "chain", |spec| {
        spec.edit_bundle = |bundle, _| {
            bundle.remove(REGION);
        };
    }),
    ("the root twice", "chain", |spec| spec.edit_bundle = |bundle, _| bundle.insert(0, bundle[ROOT].clone())),
    ("the leaf among the CAs", "chain", |spec| spec.edit_bundle = |bundle, leaf| bundle.push(leaf.clone())),
    ("the lowest CA as leaf", "chain", |spec| {
        spec.edit_bundle = |bundle, leaf| *leaf = bundle.pop().unwrap();
    }),
    ("the leaf of another chain", "chain", |spec| {
        spec.edit_bundle = |_, leaf| *leaf = build(&Spec::valid().certs).pop().unwrap();
    }),
    ("an intermediate of another chain", "chain", |spec| {
        spec.edit_bundle = |bundle, _| bundle[REGION] = build(&Spec::valid().certs).swap_remove(REGION);
    }),
    ("a leaf that signed itself", "chain", |spec| {
        // The name is the right one, the key is the leaf's own.
        let (leaf, own) = (Key::generate(), Key::generate());
        spec.leaf().use_key(leaf);
        spec.leaf().signer = Some(own);
        spec.edit_bundle = |_, leaf| {
            let mut alone = Spec::valid().certs.pop().unwrap();
            alone.issuer = name("instance");
            *leaf = build(&[alone]).remove(0);
        };
    }),
    ("a leaf signed by a stranger", "chain", |spec| spec.leaf().signer = Some(Key::generate())),
    ("an intermediate signed by a stranger", "chain", |spec| {
        spec.certs[REGION].signer = Some(Key::generate());
    }),
    ("the lower intermediate signed by a stranger", "chain", |spec| {
        spec.certs[INSTANCE].signer = Some(Key::generate());
    }),
    ("a leaf that names another issuer", "chain", |spec| spec.leaf().issuer = name("somebody")),
    ("an intermediate that names another issuer", "chain", |spec| {
        spec.certs[REGION].issuer = name("somebody");
    }),
    ("an issuer that differs in case", "chain", |spec| spec.leaf().issuer = name("INSTANCE")),
    ("nine CAs", "chain", |spec| lengthen(spec, 6)),
    ("a hundred CAs", "malformed", |spec| {
        spec.edit_bundle = |bundle, _| bundle.resize(100, bundle[ROOT].clone());
    }),
    ("one CA more than the path length allows", "chain", |spec| {
        spec.certs[REGION].extensions[0] = basic_constraints(true, Some(0));
    }),
    ("a longer chain than the root's path length allows", "chain", |spec| {
        spec.certs[ROOT].extensions[0] = basic_constraints(true, Some(1));
    }),
    ("a CA below the one with path length 0", "chain", |spec| {
        lengthen(spec, 1);
        spec.certs[INSTANCE].extensions[0] = basic_constraints(true, Some(0));
    }),
];

/// What the certificates themselves say.
pub(crate) const CERTIFICATES: &[Case] = &[
    ("a CA without basic constraints", "chain", |spec| {
        spec.certs[INSTANCE].extensions.remove(0);
    }),
    ("a CA that is none", "chain", |spec| {
        spec.certs[INSTANCE].extensions[0] = basic_constraints(false, None);
    }),
    ("an upper CA that is none", "chain", |spec| {
        spec.certs[REGION].extensions[0] = basic_constraints(false, None);
    }),
    ("a CA without key usage", "chain", |spec| {
        spec.certs[INSTANCE].extensions.remove(1);
    }),
    ("a CA that may not sign certificates", "chain", |spec| {
        spec.certs[REGION].extensions[1] = key_usage(DIGITAL_SIGNATURE);
    }),
    ("a leaf without key usage", "chain", |spec| {
        spec.leaf().extensions.remove(1);
    }),
    ("a leaf that may not sign documents", "chain", |spec| {
        spec.leaf().extensions[1] = key_usage(KEY_AGREEMENT);
    }),
    ("a leaf that may sign certificates alone", "chain", |spec| {
        spec.leaf().extensions[1] = key_usage(CERT_SIGN);
    }),
    ("a leaf that is a CA", "chain", |spec| spec.leaf().extensions[0] = basic_constraints(true, None)),
    ("an unknown critical extension in a CA", "chain", |spec| {
        spec.certs[REGION].extensions.push(extension(PRIVATE, true, b"\x05\x00"));
    }),
    ("an unknown critical extension in the leaf", "chain", |spec| {
        spec.leaf().extensions.push(extension(PRIVATE, true, b"\x05\x00"));
    }),
    ("critical name constraints, which are not processed", "chain", |spec| {
        spec.certs[INSTANCE].extensions.push(extension(NAME_CONSTRAINTS, true, &tlv(0x30, &[])));
    }),
    ("basic constraints twice", "malformed", |spec| {
        spec.certs[INSTANCE].extensions.push(basic_constraints(true, None));
    }),
    ("key usage twice", "malformed", |spec| spec.leaf().extensions.push(key_usage(DIGITAL_SIGNATURE))),
    ("seventeen extensions", "malformed", |spec| {
        let many = (0..17).map(|last| extension(&[0x2b, last], false, b"")).collect();
        set_extensions(spec, LEAF, many);
    }),
    ("no extensions", "chain", |spec| set_extensions(spec, LEAF, vec![])),
    ("basic constraints that cannot be read", "malformed", |spec| {
        spec.certs[INSTANCE].extensions[0] = extension(&[0x55, 0x1d, 0x13], true, b"\x30\x03\x01\x01");
    }),
    ("basic constraints with trailing bytes", "malformed", |spec| {
        spec.certs[INSTANCE].extensions[0] =
            extension(&[0x55, 0x1d, 0x13], true, b"\x30\x03\x01\x01\xff\x00");
    }),
    ("a negative path length", "malformed", |spec| {
        spec.certs[INSTANCE].extensions[0] =
            extension(&[0x55, 0x1d, 0x13], true, b"\x30\x06\x01\x01\xff\x02\x01\xff");
    }),
    ("an empty key usage", "malformed", |spec| {
        spec.leaf().extensions[1] = extension(&[0x55, 0x1d, 0x0f], true, b"\x03");
    }),
    ("a P-256 key in a CA", "algorithm", |spec| spec.certs[INSTANCE].key_info = ec_key_info(P256, P256_BASE)),
    ("a P-256 key in the leaf", "algorithm", |spec| spec.leaf().key_info = ec_key_info(P256, P256_BASE)),
    ("an RSA key in the leaf", "algorithm", |spec| {
        let algorithm = tlv(0x30, b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00");
        spec.leaf().key_info = tlv(0x30, &[algorithm, tlv(0x03, &[0; 66])].concat());
    }),
    ("a compressed key in the leaf", "algorithm", |spec| compress(spec, LEAF)),
    ("a compressed key in a CA", "algorithm", |spec| compress(spec, REGION)),
    ("a key in hybrid form", "algorithm", |spec| {
        // SEC 1 knows 6 and 7 as marks of a point that is whole and compressed at once; the length is the same.
        let mut point = spec.leaf().key.point();
        point[0] = 6;
        spec.leaf().key_info = ec_key_info(P384, &point);
    }),
    ("a P-384 key with explicit parameters", "algorithm", |spec| {
        let point = spec.leaf().key.point();
        let algorithm = tlv(0x30, &[b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01", &*tlv(0x30, &[])].concat());
        spec.leaf().key_info =
            tlv(0x30, &[algorithm, tlv(0x03, &[&[0], point.as_slice()].concat())].concat());
    }),
    ("a key off the curve in a CA", "chain", |spec| {
        let mut point = spec.certs[INSTANCE].key.point();
        point[96] ^= 1;
        spec.certs[INSTANCE].key_info = ec_key_info(P384, &point);
    }),
    ("a key off the curve in the leaf", "signature", |spec| {
        let mut point = spec.leaf().key.point();
        point[96] ^= 1;
        spec.leaf().key_info = ec_key_info(P384, &point);
    }),
    ("a signature by SHA-256", "algorithm", |spec| {
        spec.leaf().algorithm = ECDSA_SHA256.into();
        spec.leaf().signed_algorithm = ECDSA_SHA256.into();
    }),
    ("a signature by RSA", "algorithm", |spec| {
        spec.certs[REGION].algorithm = RSA_SHA384.into();
        spec.certs[REGION].signed_algorithm = RSA_SHA384.into();
    }),
    ("another algorithm inside than outside", "algorithm", |spec| {
        spec.leaf().signed_algorithm = ECDSA_SHA256.into();
    }),
    ("another algorithm outside than inside", "algorithm", |spec| {
        spec.leaf().algorithm = ECDSA_SHA256.into();
    }),
    ("parameters beside the algorithm", "algorithm", |spec| {
        spec.leaf().algorithm = ECDSA_SHA384_NULL.into();
        spec.leaf().signed_algorithm = ECDSA_SHA384_NULL.into();
    }),
    ("a certificate of version 1", "malformed", |spec| spec.leaf().version = vec![]),
    ("a certificate of version 2", "malformed", |spec| spec.leaf().version = vec![0xa0, 3, 2, 1, 1]),
    ("a certificate of version 4", "malformed", |spec| spec.leaf().version = vec![0xa0, 3, 2, 1, 3]),
    ("a serial number that is none", "malformed", |spec| spec.leaf().serial = vec![0x04, 1, 1]),
    ("a subject without attributes in a CA", "malformed", |spec| {
        spec.certs[INSTANCE].subject = tlv(0x30, &[]);
        spec.leaf().issuer = tlv(0x30, &[]);
    }),
    ("bytes after the extensions", "malformed", |spec| spec.leaf().extra = vec![0x05, 0x00]),
    ("bytes after the certificate", "malformed", |spec| spec.edit_bundle = |_, leaf| leaf.push(0)),
    ("bytes after an intermediate", "malformed", |spec| {
        spec.edit_bundle = |bundle, _| bundle[REGION].push(0);
    }),
    ("a certificate cut short", "malformed", |spec| {
        spec.edit_bundle = |_, leaf| {
            leaf.pop();
        };
    }),
    ("a certificate of random bytes", "malformed", |spec| {
        spec.edit_bundle = |_, leaf| *leaf = vec![0x5a; 600];
    }),
    ("a certificate of indefinite length", "malformed", |spec| {
        spec.edit_bundle = |_, leaf| {
            leaf.splice(1..4, [0x80]);
            leaf.extend([0, 0]);
        };
    }),
    ("a length that is not the shortest", "malformed", |spec| {
        spec.edit_bundle = |_, leaf| {
            assert_eq!(leaf[1], 0x82);
            leaf.splice(1..2, [0x83, 0x00]);
        };
    }),
    ("a flipped bit in an intermediate's signature", "chain", |spec| {
        spec.edit_bundle = |bundle, _| *bundle[INSTANCE].last_mut().unwrap() ^= 1;
    }),
    ("a flipped bit in an intermediate's subject", "chain", |spec| {
        spec.edit_bundle = |bundle, _| {
            let at = bundle[REGION].windows(6).rposition(|window| window == b"region").unwrap();
            bundle[REGION][at] ^= 1;
        };
    }),
    ("a leaf that expired", "expired", |spec| spec.leaf().not_after = spec_now() - 1),
    ("a CA that expired", "expired", |spec| spec.certs[INSTANCE].not_after = spec_now() - HOUR),
    ("an upper CA that expired", "expired", |spec| spec.certs[REGION].not_after = spec_now() - DAY),
    ("a root that expired", "expired", |spec| spec.certs[ROOT].not_after = spec_now() - DAY),
    ("a leaf not valid yet", "not_yet_valid", |spec| spec.leaf().not_before = spec_now() + 2),
    ("a CA not valid yet", "not_yet_valid", |spec| spec.certs[INSTANCE].not_before = spec_now() + HOUR),
    ("an upper CA not valid yet", "not_yet_valid", |spec| spec.certs[REGION].not_before = spec_now() + DAY),
    ("a root not valid yet", "not_yet_valid", |spec| spec.certs[ROOT].not_before = spec_now() + DAY),
    ("a validity that ends before it begins", "expired", |spec| {
        let leaf = spec.leaf();
        std::mem::swap(&mut leaf.not_before, &mut leaf.not_after);
        leaf.not_before = spec_now() - DAY;
        leaf.not_after = spec_now() - 2 * DAY;
    }),
];

const fn spec_now() -> u64 {
    super::generator::NOW_SECS
}
