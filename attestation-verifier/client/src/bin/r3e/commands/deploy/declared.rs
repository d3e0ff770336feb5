//! The triggers that an `r3e.toml` declares, against those that there are.

use std::collections::BTreeMap;

use r3e_client::TenantChannel;
use r3e_proto::api::triggers::{Definition, Trigger};

use crate::error::CliError;
use crate::output::printable;

/// What a deployment does to triggers.
pub(super) struct Changes {
    set: Vec<(String, Definition, Way)>,
    removed: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Made,
    Changed,
    Same,
}

impl Changes {
    /// Between what `project` declares and `today`. Triggers that it does not declare, and never did, are left alone.
    pub(super) fn of(project: &str, declared: BTreeMap<String, Definition>, today: &[Trigger]) -> Self {
        let is_ours = |trigger: &&Trigger| trigger.definition.declared_by.as_deref() == Some(project);
        let is_gone = |trigger: &&Trigger| !declared.contains_key(&trigger.name);
        let removed = today.iter().filter(is_ours).filter(is_gone).map(|it| it.name.clone()).collect();
        let set = declared.into_iter().map(|(name, definition)| {
            let way = match today.iter().find(|trigger| trigger.name == name) {
                None => Way::Made,
                Some(trigger) if trigger.definition == definition => Way::Same,
                Some(_) => Way::Changed,
            };
            (name, definition, way)
        });
        Self { set: set.collect(), removed }
    }

    /// A line for each.
    pub(super) fn lines(&self) -> Vec<String> {
        let set = self.set.iter().map(|(name, definition, way)| {
            let sign = match way {
                Way::Made => "+",
                Way::Changed => "~",
                Way::Same => " ",
            };
            format!("  {sign} trigger {} ({})", printable(name), definition.source.kind())
        });
        set.chain(self.removed.iter().map(|name| format!("  - trigger {}", printable(name)))).collect()
    }

    /// Carries them out.
    pub(super) async fn apply(&self, tenant: &mut TenantChannel) -> Result<(), CliError> {
        for (name, definition, way) in &self.set {
            if *way != Way::Same {
                tenant.set_trigger(name, definition).await?;
            }
        }
        for name in &self.removed {
            tenant.delete_trigger(name).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_project_declared_goes_with_its_declaration_and_nothing_else_does() {
        let definition = |topic: &str, by: Option<&str>| {
            let by = by.map_or("null".to_owned(), |by| format!("{by:?}"));
            let text = format!(r#"{{"function":"f","event":{{"topic":"{topic}"}},"declared_by":{by}}}"#);
            serde_json::from_str::<Definition>(&text).unwrap()
        };
        let today: Vec<Trigger> = [
            ("same", definition("a", Some("f"))),
            ("changed", definition("a", Some("f"))),
            ("gone", definition("a", Some("f"))),
            ("by-hand", definition("a", None)),
            ("others", definition("a", Some("g"))),
        ]
        .into_iter()
        .map(|(name, definition)| Trigger {
            name: name.to_owned(),
            definition,
            paused: false,
            hook: None,
            next_at_ms: None,
            chain: None,
            price: None,
            created_at_ms: 0,
            changed_at_ms: 0,
            fired: 0,
            passed: r3e_proto::api::triggers::Passed::default(),
        })
        .collect();
        let declared = [
            ("same".to_owned(), definition("a", Some("f"))),
            ("changed".to_owned(), definition("b", Some("f"))),
            ("new".to_owned(), definition("c", Some("f"))),
        ];
        let changes = Changes::of("f", declared.into(), &today);
        assert_eq!(
            changes.lines(),
            [
                "  ~ trigger changed (event)",
                "  + trigger new (event)",
                "    trigger same (event)",
                "  - trigger gone"
            ]
        );
    }
}
