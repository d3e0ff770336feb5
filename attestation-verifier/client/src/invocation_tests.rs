//! Every field of a receipt that does not agree with the exchange is caught, each by its own name.

use r3e_proto::api::functions::FunctionError;
use r3e_proto::api::identity::PublicKey;

use super::*;
use crate::signing_key::SigningKey;

const EVENT: &[u8] = br#"{"n": 1}"#;
const CONFIGURATION: Digest = [8; 48];

/// A field's name, and what changes it.
type Change<T> = (&'static str, fn(&mut T));

struct Appliance {
    key: SigningKey,
    report_key: ReportKey,
    asked: Reference,
}

impl Appliance {
    fn new() -> Self {
        let key = SigningKey::generate().unwrap();
        let report_key = ReportKey::appraised_for_test(key.public_key().0);
        Self { key, report_key, asked: Reference::parse("price").unwrap() }
    }

    fn sign(&self, receipt: &Receipt) -> String {
        STANDARD.encode(receipt.sign(|message| self.key.sign(message).try_into().unwrap()))
    }

    fn answer(&self, receipt: &Receipt) -> functions::Invocation {
        functions::Invocation {
            id: "01".repeat(16),
            version: "03".repeat(32),
            outcome: Outcome::Output("[1,2]".into()),
            logs: logs(),
            logs_truncated: false,
            usage: usage(),
            receipt: self.sign(receipt),
        }
    }

    fn verify(&self, answer: functions::Invocation) -> Result<Invocation, ReceiptMismatch> {
        Invocation::verify(answer, &self.expected())
    }

    fn expected(&self) -> Expected<'_> {
        Expected {
            function: &self.asked,
            event: EVENT,
            tenant: tenant(),
            configuration: &CONFIGURATION,
            report_key: &self.report_key,
        }
    }
}

fn tenant() -> TenantId {
    TenantId::of(&PublicKey([2; 32]))
}

fn logs() -> Vec<LogLine> {
    let line = |level: &str, text: &str| LogLine { level: level.into(), text: text.into() };
    vec![line("info", "started"), line("error", "a\tb")]
}

fn usage() -> Usage {
    Usage { cpu_us: 1, wall_us: 2, peak_memory_bytes: 3, host_calls: 4, bytes_out: 5 }
}

fn receipt() -> Receipt {
    Receipt {
        invocation: [1; 16],
        tenant: tenant().0,
        function: "price".into(),
        version: [3; 32],
        input: sha256(EVENT),
        outcome: OUTCOME_OK.into(),
        output: sha256(b"[1,2]"),
        log: sha256(b"\0\0\0\x04info\0\0\0\x07started\0\0\0\x05error\0\0\0\x03a\tb\0"),
        usage: usage(),
        sequence: 7,
        time_ms: 1_763_000_000_000,
        configuration: CONFIGURATION,
    }
}

#[test]
fn a_receipt_of_the_same_exchange_holds() {
    let appliance = Appliance::new();
    let invocation = appliance.verify(appliance.answer(&receipt())).unwrap();
    assert_eq!(invocation.receipt(), &receipt());
    assert_eq!(invocation.outcome(), &Outcome::Output("[1,2]".into()));
    assert_eq!(invocation.bundle().document, b"document");
    let again = Bundle::decode(&invocation.bundle().encode()).unwrap();
    assert_eq!(Receipt::read_unverified(&again.receipt).unwrap(), receipt());
}

#[test]
fn every_field_that_was_signed_otherwise_is_named() {
    let appliance = Appliance::new();
    let changes: [Change<Receipt>; 9] = [
        ("invocation", |r| r.invocation = [9; 16]),
        ("function", |r| r.function = "prices".into()),
        ("version", |r| r.version = [9; 32]),
        ("input", |r| r.input = sha256(br#"{"n":1}"#)),
        ("outcome", |r| r.outcome = "timeout".into()),
        ("output", |r| r.output = sha256(b"[1, 2]")),
        ("log", |r| r.log = log_hash(&logs()[..1], false)),
        ("usage", |r| r.usage.bytes_out = 6),
        ("configuration", |r| r.configuration = [9; 48]),
    ];
    for (field, change) in changes {
        let mut other = receipt();
        change(&mut other);
        let refused = appliance.verify(appliance.answer(&other)).unwrap_err();
        assert_eq!(refused, ReceiptMismatch::Field { field });
    }
}

#[test]
fn every_part_of_the_answer_that_was_changed_is_named() {
    let appliance = Appliance::new();
    let changes: [Change<functions::Invocation>; 7] = [
        ("invocation", |a| a.id = "02".repeat(16)),
        ("version", |a| a.version = "04".repeat(32)),
        ("output", |a| a.outcome = Outcome::Output("[1,3]".into())),
        ("log", |a| a.logs.truncate(1)),
        ("log", |a| a.logs[0].level = "warn".into()),
        ("usage", |a| a.usage.cpu_us = 0),
        ("outcome", |a| {
            let (code, message) = ("timeout".into(), "[1,2]".into());
            a.outcome = Outcome::Error(FunctionError { code, message, stack: None });
        }),
    ];
    for (field, change) in changes {
        let mut answer = appliance.answer(&receipt());
        change(&mut answer);
        assert_eq!(appliance.verify(answer).unwrap_err(), ReceiptMismatch::Field { field });
    }
}

#[test]
fn an_error_does_not_pass_for_a_result() {
    let appliance = Appliance::new();
    let mut failed = receipt();
    failed.outcome = "timeout".into();
    failed.output = sha256(b"after 5000 ms");
    let mut answer = appliance.answer(&failed);
    let error =
        |code: &str| FunctionError { code: code.into(), message: "after 5000 ms".into(), stack: None };
    answer.outcome = Outcome::Error(error("timeout"));
    assert!(appliance.verify(answer.clone()).is_ok());

    failed.outcome = OUTCOME_OK.into();
    answer.receipt = appliance.sign(&failed);
    answer.outcome = Outcome::Error(error("ok"));
    assert_eq!(appliance.verify(answer).unwrap_err(), ReceiptMismatch::Field { field: "outcome" });
}

#[test]
fn another_key_or_no_receipt_is_refused() {
    let (appliance, stranger) = (Appliance::new(), Appliance::new());
    let refused = appliance.verify(stranger.answer(&receipt())).unwrap_err();
    assert_eq!(refused, ReceiptMismatch::Receipt(ReceiptError::Signature));
    let mut answer = appliance.answer(&receipt());
    answer.receipt = "not base64!".into();
    assert_eq!(appliance.verify(answer.clone()).unwrap_err(), ReceiptMismatch::Base64);
    answer.receipt = STANDARD.encode(b"not a receipt");
    assert!(matches!(appliance.verify(answer), Err(ReceiptMismatch::Receipt(_))));
}

#[test]
fn another_tenants_receipt_is_refused() {
    let appliance = Appliance::new();
    let other = Receipt { tenant: [9; 16], ..receipt() };
    let refused = appliance.verify(appliance.answer(&other)).unwrap_err();
    assert_eq!(refused, ReceiptMismatch::Tenant { expected: tenant(), found: TenantId([9; 16]) });
}

#[test]
fn a_version_that_was_asked_for_is_the_one_that_ran() {
    let mut appliance = Appliance::new();
    let answer = appliance.answer(&receipt());
    for (asked, holds) in [
        ("price@prod", true),
        ("price@030303", true),
        (&format!("price@{}", "03".repeat(32)), true),
        ("price@030304", false),
        ("price@abcdef", false),
    ] {
        appliance.asked = Reference::parse(asked).unwrap();
        let verified = appliance.verify(answer.clone());
        match verified {
            Ok(_) => assert!(holds, "{asked}"),
            Err(error) => assert_eq!((error, holds), (ReceiptMismatch::Field { field: "version" }, false)),
        }
    }
}
