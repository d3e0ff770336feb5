//! Policies that cannot be built, and files of reference values that cannot be read.

use r3e_attestation::{
    AppraisalPolicy, PolicyError, ReferenceValues, UnsafeTestRoot, parse_reference_values,
};

fn hex96(byte: u8) -> String {
    hex::encode([byte; 48])
}

#[test]
fn a_policy_must_pin_the_image() {
    let required = |indices: &[u8]| {
        let mut builder = AppraisalPolicy::builder();
        for index in indices {
            builder = builder.require_pcr(*index, [7; 48]).unwrap();
        }
        builder.allow_debug().expect_nonce(*b"nonce").build()
    };
    for indices in [&[][..], &[3], &[4], &[8], &[1], &[2], &[3, 4, 8, 16, 17, 31], &[1, 3], &[2, 16]] {
        let error = required(indices).unwrap_err();
        assert_eq!(error.code(), "no_policy", "{indices:?}");
    }
    for indices in [&[0][..], &[1, 2], &[0, 8], &[0, 1, 2, 3, 4]] {
        assert!(required(indices).is_ok(), "{indices:?}");
    }
    assert!(AppraisalPolicy::builder().accept_releases([]).build().is_err());
}

#[test]
fn contradictions_and_bad_indices_are_refused() {
    let builder = || AppraisalPolicy::builder().require_pcr(0, [1; 48]).unwrap();
    assert!(builder().require_pcr(0, [1; 48]).is_ok());
    assert_eq!(builder().require_pcr(0, [2; 48]).unwrap_err(), PolicyError::PcrConflict { index: 0 });
    assert_eq!(builder().require_pcr(32, [2; 48]).unwrap_err(), PolicyError::PcrIndex { index: 32 });
    let release = || ReferenceValues::new("r", [1; 48], [2; 48], [3; 48]).unwrap();
    assert_eq!(release().with_pcr(1, [9; 48]).unwrap_err().code(), "bad_pcr");
    assert!(release().with_pcr(31, [9; 48]).is_ok());
    for name in ["", "a\nb", &"x".repeat(129)] {
        assert_eq!(ReferenceValues::new(name, [1; 48], [2; 48], [3; 48]), Err(PolicyError::ReleaseName));
    }
    let many =
        (0..257).map(|index| ReferenceValues::new(&format!("r{index}"), [1; 48], [2; 48], [3; 48]).unwrap());
    let error = AppraisalPolicy::builder().accept_releases(many).build().unwrap_err();
    assert_eq!(error, PolicyError::TooManyReleases { max: 256 });
}

#[test]
fn reference_values_are_read() {
    let json = format!(
        r#"{{"releases":[{{"name":"1.0","pcrs":{{"0":"{}","1":"{}","2":"{}"}}}},
            {{"pcrs":{{"31":"{}","2":"{}","1":"{}","0":"{}"}},"name":"2.0"}}]}}"#,
        hex96(1),
        hex96(2),
        hex96(3),
        hex96(0xfe),
        hex96(4).to_uppercase(),
        hex96(5),
        hex96(6),
    );
    let releases = parse_reference_values(json.as_bytes()).unwrap();
    assert_eq!(releases.len(), 2);
    assert_eq!(releases[0], ReferenceValues::new("1.0", [1; 48], [2; 48], [3; 48]).unwrap());
    assert_eq!(releases[1].name(), "2.0");
    assert_eq!(releases[1].pcrs()[&31], [0xfe; 48]);
}

#[test]
fn careless_reference_values_are_refused() {
    let (one, two, three) = (hex96(1), hex96(2), hex96(3));
    let good = format!(r#""0":"{one}","1":"{two}","2":"{three}""#);
    let file = |release: &str| format!(r#"{{"releases":[{release}]}}"#);
    let with_pcrs = |pcrs: &str| file(&format!(r#"{{"name":"r","pcrs":{{{pcrs}}}}}"#));
    assert!(parse_reference_values(with_pcrs(&good).as_bytes()).is_ok());
    let bad = [
        String::new(),
        "{}".into(),
        "[]".into(),
        "null".into(),
        file(""),
        with_pcrs(""),
        with_pcrs(&format!(r#""0":"{one}","1":"{two}""#)),
        with_pcrs(&format!(r#"{good},"0":"{one}""#)),
        with_pcrs(&format!(r#"{good},"00":"{one}""#)),
        with_pcrs(&format!(r#"{good},"+3":"{one}""#)),
        with_pcrs(&format!(r#"{good},"32":"{one}""#)),
        with_pcrs(&format!(r#"{good},"-1":"{one}""#)),
        with_pcrs(&format!(r#"{good},"PCR3":"{one}""#)),
        with_pcrs(&format!(r#"{good},"3":"{}""#, &one[..94])),
        with_pcrs(&format!(r#"{good},"3":"{one}00""#)),
        with_pcrs(&format!(r#"{good},"3":"0x{}""#, &one[..94])),
        with_pcrs(&format!(r#"{good},"3":"{}zz""#, &one[..94])),
        with_pcrs(&format!(r#"{good},"3":null"#)),
        with_pcrs(&format!(r#"{good},"3":""#)),
        file(&format!(r#"{{"name":"","pcrs":{{{good}}}}}"#)),
        file(&format!(r#"{{"pcrs":{{{good}}}}}"#)),
        file(&format!(r#"{{"name":"r","pcrs":{{{good}}},"note":"x"}}"#)),
        file(&format!(r#"{{"name":"r","name":"s","pcrs":{{{good}}}}}"#)),
        file(&format!(r#"{{"name":"r","pcr":{{{good}}}}}"#)),
        file(&format!(r#"{{"name":"r","pcrs":{{{good}}}}},{{"name":"r","pcrs":{{{good}}}}}"#)),
        format!(r#"{{"releases":[{{"name":"r","pcrs":{{{good}}}}}],"version":1}}"#),
        format!("{} x", with_pcrs(&good)),
        format!("{}{}", with_pcrs(&good), " ".repeat(1024 * 1024)),
        format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)),
    ];
    for json in bad {
        let shown = &json[..json.len().min(60)];
        let error = parse_reference_values(json.as_bytes()).expect_err(shown);
        assert_eq!(error.code(), "bad_reference_values", "{shown}");
    }
}

#[test]
fn test_roots_are_read_from_pem_and_der() {
    let der = include_bytes!("../vectors/AWS_NitroEnclaves_Root-G1.der");
    let lines: Vec<String> =
        base64(der).as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap().into()).collect();
    let body = lines.join("\n") + "\n";
    let pem = format!("-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n");
    let root = UnsafeTestRoot::from_der(der).unwrap();
    assert_eq!(UnsafeTestRoot::from_pem(&pem).unwrap(), root);
    assert_eq!(UnsafeTestRoot::from_pem(&format!("subject: test\n{pem}")).unwrap(), root);
    let bad = [
        String::new(),
        body.clone(),
        pem.repeat(2),
        pem.replace("CERTIFICATE", "PRIVATE KEY"),
        pem.replace("-----END CERTIFICATE-----", ""),
        pem.replacen('M', "!", 1),
        format!("{pem}{}", " ".repeat(64 * 1024)),
    ];
    for pem in bad {
        assert_eq!(UnsafeTestRoot::from_pem(&pem).unwrap_err().code(), "bad_test_root");
    }
    assert!(UnsafeTestRoot::from_der(&der[1..]).is_err());
    assert_eq!(format!("{root:?}"), "UnsafeTestRoot { .. }");
}

/// Base64 of RFC 4648 section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_usize, |word, byte| word << 8 | usize::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = char::from(ALPHABET[word >> (18 - 6 * place) & 63]);
            out.push(if place <= chunk.len() { letter } else { '=' });
        }
    }
    out
}
