//! Key policies, as far as AWS documents what is needed here: statements that allow or deny, principals, actions, and
//! conditions on what a request carries. What is not understood is refused when a policy is set, never passed over.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What conditions are compared with: the request's keys and values. Names of keys compare without their case.
pub(crate) type Request = BTreeMap<String, String>;

/// A key policy.
#[derive(Debug, Clone)]
pub struct KeyPolicy {
    document: Value,
    statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
struct Statement {
    allow: bool,
    principals: Vec<String>,
    actions: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone)]
struct Condition {
    operator: Operator,
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    Equals,
    EqualsIgnoreCase,
    NotEqualsIgnoreCase,
    Null,
}

impl KeyPolicy {
    /// Reads a policy.
    ///
    /// # Panics
    /// Something in it is not understood here.
    pub fn new(document: Value) -> Self {
        let statements = document["Statement"].as_array().expect("the policy's statements");
        let statements = statements.iter().map(Statement::read).collect();
        Self { document, statements }
    }

    /// The policy as it was read.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Whether `principal` may do `action`, such as `kms:Decrypt`. A statement that denies goes over all that allow; where
    /// none speaks, it may not.
    pub(crate) fn allows(&self, principal: &str, action: &str, request: &Request) -> bool {
        let speaks = |statement: &&Statement| statement.speaks(principal, action, request);
        let speaking: Vec<_> = self.statements.iter().filter(speaks).collect();
        !speaking.is_empty() && speaking.iter().all(|statement| statement.allow)
    }
}

impl Statement {
    fn read(value: &Value) -> Self {
        let known = ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"];
        let members = value.as_object().expect("a statement");
        assert!(members.keys().all(|name| known.contains(&name.as_str())), "not understood here: {value}");
        assert_eq!(value["Resource"], "*", "in a key policy, the resource is the key");
        let allow = match value["Effect"].as_str() {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => panic!("no effect: {value}"),
        };
        let principals = match &value["Principal"] {
            Value::String(all) if all == "*" => vec!["*".to_owned()],
            Value::Object(by) if by.len() == 1 && by.contains_key("AWS") => texts(&by["AWS"]),
            other => panic!("no principal: {other}"),
        };
        let mut conditions = Vec::new();
        for (operator, keys) in value["Condition"].as_object().into_iter().flatten() {
            let operator = match operator.as_str() {
                "StringEquals" => Operator::Equals,
                "StringEqualsIgnoreCase" => Operator::EqualsIgnoreCase,
                "StringNotEqualsIgnoreCase" => Operator::NotEqualsIgnoreCase,
                "Null" => Operator::Null,
                other => panic!("no condition operator of this emulator: {other}"),
            };
            for (key, values) in keys.as_object().expect("keys and values") {
                conditions.push(Condition { operator, key: key.clone(), values: texts(values) });
            }
        }
        Self { allow, principals, actions: texts(&value["Action"]), conditions }
    }

    fn speaks(&self, principal: &str, action: &str, request: &Request) -> bool {
        self.principals.iter().any(|named| named == "*" || named == principal)
            && self.actions.iter().any(|pattern| matches(pattern, action))
            && self.conditions.iter().all(|condition| condition.holds(request))
    }
}

impl Condition {
    /// A key that the request has not makes a condition false, and a negated one true; of several values, one is enough.
    fn holds(&self, request: &Request) -> bool {
        let found =
            request.iter().find(|(key, _)| key.eq_ignore_ascii_case(&self.key)).map(|(_, value)| value);
        let any = |equal: fn(&str, &str) -> bool| {
            found.is_some_and(|found| self.values.iter().any(|value| equal(value, found)))
        };
        match self.operator {
            Operator::Equals => any(|one, other| one == other),
            Operator::EqualsIgnoreCase => any(str::eq_ignore_ascii_case),
            Operator::NotEqualsIgnoreCase => !any(str::eq_ignore_ascii_case),
            Operator::Null => self.values.iter().any(|value| (value == "true") == found.is_none()),
        }
    }
}

/// The policy of `docs/unlock.md`: the role may use the key for this image, appliance and family of images alone, and nobody
/// may encrypt.
pub fn example_policy(role_arn: &str, appliance: &str, pcrs: &[(u8, String)]) -> Value {
    let mut attested = json!({
        "kms:EncryptionContext:r3e:appliance": appliance,
        "kms:EncryptionContext:r3e:image": "r3e-enclave/1",
    });
    for (index, value) in pcrs {
        attested[format!("kms:RecipientAttestation:PCR{index}")] = value.as_str().into();
    }
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "The enclave, and nothing else of its machine",
                "Effect": "Allow",
                "Principal": { "AWS": role_arn },
                "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
                "Resource": "*",
                "Condition": { "StringEqualsIgnoreCase": attested },
            },
            {
                "Sid": "Nobody makes a ciphertext of a key that they know",
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["kms:Encrypt", "kms:ReEncrypt*"],
                "Resource": "*",
            },
        ],
    })
}

fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        one => vec![text(one)],
    }
}

/// A star at the end stands for anything.
fn matches(pattern: &str, action: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(front) => action.starts_with(front),
        None => action == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/parent";

    fn request(pairs: &[(&str, &str)]) -> Request {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn conditions_are_all_needed_and_their_absence_is_a_no() {
        let policy = KeyPolicy::new(example_policy(ROLE, "alpha", &[(0, "ABCD".to_owned())]));
        let good = [
            ("kms:RecipientAttestation:PCR0", "abcd"),
            ("kms:EncryptionContext:r3e:appliance", "alpha"),
            ("kms:EncryptionContext:r3e:image", "r3e-enclave/1"),
        ];
        assert!(policy.allows(ROLE, "kms:Decrypt", &request(&good)));
        assert!(policy.allows(ROLE, "kms:GenerateDataKey", &request(&good)));
        assert!(!policy.allows(ROLE, "kms:Encrypt", &request(&good)));
        assert!(!policy.allows(ROLE, "kms:DescribeKey", &request(&good)));
        assert!(!policy.allows("arn:aws:iam::111122223333:role/other", "kms:Decrypt", &request(&good)));
        for index in 0..good.len() {
            let mut without = good.to_vec();
            without.remove(index);
            assert!(!policy.allows(ROLE, "kms:Decrypt", &request(&without)), "without {:?}", good[index]);
            let mut other = good;
            other[index].1 = "else";
            assert!(!policy.allows(ROLE, "kms:Decrypt", &request(&other)), "another {:?}", good[index]);
        }
    }

    #[test]
    fn a_denial_goes_over_what_is_allowed() {
        let policy = KeyPolicy::new(json!({ "Statement": [
            { "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*" },
            { "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
              "Condition": { "Null": { "kms:RecipientAttestation:PCR0": "true" } } },
        ]}));
        assert!(policy.allows(ROLE, "kms:Encrypt", &request(&[])));
        assert!(!policy.allows(ROLE, "kms:Decrypt", &request(&[])));
        assert!(policy.allows(ROLE, "kms:Decrypt", &request(&[("kms:RecipientAttestation:PCR0", "a")])));
    }
}
