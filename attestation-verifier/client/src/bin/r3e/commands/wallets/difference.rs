//! What one policy says that another does not, line by line.

use r3e_proto::api::wallets::Policy;
use serde_json::Value;

/// The lines that only the standing policy has, with `-`, and those that only the new one has, with `+`.
pub(super) fn policies(standing: &Policy, new: &Policy) -> Vec<String> {
    let (old, new) = (lines(standing), lines(new));
    let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("- {line}"));
    let come = new.iter().filter(|line| !old.contains(line)).map(|line| format!("+ {line}"));
    gone.chain(come).collect()
}

/// A policy as lines that each stand for themselves: a chain's lines name it, and its recipients have lines of their own.
fn lines(policy: &Policy) -> Vec<String> {
    let mut lines = Vec::new();
    if let Ok(value) = serde_json::to_value(policy) {
        walk("", &value, &mut lines);
    }
    lines
}

fn walk(path: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(&path, value, lines);
            }
        }
        Value::Array(items) if items.is_empty() => lines.push(format!("{path}: none")),
        Value::Array(items) => {
            for item in items {
                match item.get("chain_id").or_else(|| item.get("address")) {
                    Some(which) => {
                        lines.push(format!("{path}[{which}]"));
                        walk(&format!("{path}[{which}]"), item, lines);
                    }
                    None => lines.push(format!("{path}: {item}")),
                }
            }
        }
        other => lines.push(format!("{path}: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use r3e_proto::api::identity::PublicKey;
    use r3e_proto::api::wallets::{
        ApprovalRule, ChainRules, EvmAddress, Methods, Recipient, Recipients, Selector, Wei, Window,
    };

    use super::*;

    #[test]
    fn every_member_that_changes_has_a_line_and_no_other() {
        let recipient = |number| Recipient {
            address: EvmAddress([number; 20]),
            transfer: false,
            methods: Methods::Only(vec![Selector([1; 4])]),
        };
        let standing = Policy {
            chains: vec![ChainRules {
                chain_id: 1,
                recipients: Recipients::Only(vec![recipient(1)]),
                creation: false,
                max_value: Wei(5),
                max_fee: Wei(5),
                max_data_bytes: 68,
                max_spend: Wei(5),
            }],
            messages: false,
            neo: Vec::new(),
            typed_data: vec![],
            raw: false,
            window: Window { seconds: 60, max_signatures: 1 },
            api_keys: false,
            functions: vec![],
            approval: Some(ApprovalRule {
                threshold: 2,
                approvers: vec![PublicKey([1; 32]), PublicKey([2; 32])],
            }),
            export: true,
        };
        assert_eq!(policies(&standing, &standing), Vec::<String>::new());
        let change = |change: &dyn Fn(&mut Policy)| {
            let mut new = standing.clone();
            change(&mut new);
            policies(&standing, &new).join("\n")
        };
        assert_eq!(
            change(&|p| p.chains[0].max_fee = Wei(6)),
            "- chains[1].max_fee: \"5\"\n+ chains[1].max_fee: \"6\""
        );
        let another =
            change(&|p| p.chains[0].recipients = Recipients::Only(vec![recipient(1), recipient(2)]));
        assert!(another.lines().all(|line| line.starts_with("+ ") && line.contains("0x0202")), "{another}");
        assert!(
            change(&|p| p.chains[0].recipients = Recipients::Any).contains("+ chains[1].recipients: \"any\"")
        );
        assert!(change(&|p| p.approval = None).contains("- approval.threshold: 2"));
        let other = change(&|p| p.approval.as_mut().unwrap().approvers[1] = PublicKey([3; 32]));
        assert_eq!(other.lines().count(), 2, "{other}");
        assert!(change(&|p| p.window.seconds = 1).contains("+ window.seconds: 1"));
        assert!(change(&|p| p.raw = true).contains("+ raw: true"));
    }
}
