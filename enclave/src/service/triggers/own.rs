//! Triggers that functions make by `r3e.trigger`: what they write, brought into a definition.
//!
//! They write what `[[triggers]]` of `r3e.toml` has (`{ cron: { schedule } }`), or say a type (`{ type: "time", schedule }`).

use aws_lc_rs::digest::{SHA256, digest};
use r3e_functions::{ChangeError, ChangeFuture, MadeTrigger, OwnTriggers, SourceError};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::triggers::{Definition, Source};
use r3e_triggers::TriggersError;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::FunctionEvents;
use crate::service::turns::Turn;

/// What is not the function's to say.
const NOT_ITS_OWN: [&str; 3] = ["function", "declared_by", "made_by"];
/// Of a function's name, what its triggers' names begin with where it gives them none.
const PREFIX_CHARS: usize = 48;

impl OwnTriggers for FunctionEvents {
    fn create<'a>(
        &'a self,
        tenant: TenantId,
        function: &'a str,
        definition: &'a str,
    ) -> ChangeFuture<'a, MadeTrigger> {
        Box::pin(async move {
            let (triggers, networks) = self.reached()?;
            let Wish { name, definition } = Wish::read(function, definition, networks)?;
            let turn = self.turn(tenant).await?;
            let function = function.to_owned();
            to_its_end(async move {
                let _turn = turn;
                let created = triggers.set_own(tenant, &function, &name, definition).await?;
                Ok(MadeTrigger { name, created })
            })
            .await
        })
    }

    fn delete<'a>(&'a self, tenant: TenantId, function: &'a str, name: &'a str) -> ChangeFuture<'a, bool> {
        Box::pin(async move {
            let (triggers, _) = self.reached()?;
            let turn = self.turn(tenant).await?;
            let (function, name) = (function.to_owned(), name.to_owned());
            to_its_end(async move {
                let _turn = turn;
                triggers.delete_own(tenant, &function, &name).await
            })
            .await
        })
    }
}

impl FunctionEvents {
    /// Of one tenant's functions, one changes triggers at a time, and only so many wait.
    async fn turn(&self, tenant: TenantId) -> Result<Turn, ChangeError> {
        self.making.take(tenant).await.map_err(|error| SourceError(error.to_string()).into())
    }
}

/// What is begun goes on without the invocation; so does its turn, and the next one waits for it.
async fn to_its_end<T: Send + 'static>(
    change: impl Future<Output = Result<T, TriggersError>> + Send + 'static,
) -> Result<T, ChangeError> {
    tokio::spawn(change).await.unwrap_or(Err(TriggersError::Stopping)).map_err(not_made)
}

/// A trigger that a function wants.
#[derive(Debug)]
struct Wish {
    name: String,
    definition: Definition,
}

/// The short forms.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Typed {
    Time {
        schedule: String,
        time_zone: Option<String>,
    },
    Event {
        topic: String,
    },
    Blockchain {
        event: String,
        network: Option<String>,
        contract: Option<String>,
        confirmations: Option<u32>,
        from_block: Option<u64>,
    },
    Price {
        feed: String,
        above: Option<String>,
        below: Option<String>,
        change_bps: Option<u32>,
    },
}

impl Wish {
    fn read(function: &str, text: &str, networks: &[String]) -> Result<Self, ChangeError> {
        let Ok(Value::Object(mut written)) = serde_json::from_str(text) else {
            return Err(invalid("a trigger is an object"));
        };
        if let Some(field) = NOT_ITS_OWN.iter().find(|field| written.contains_key(**field)) {
            return Err(invalid(&format!("{field} is not for a function to say: its triggers invoke it")));
        }
        let name = match written.remove("name") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name),
            Some(_) => return Err(invalid("a trigger's name is text")),
        };
        if written.contains_key("type") {
            written = spelt_out(written, networks)?;
        }
        written.insert("function".to_owned(), function.into());
        let definition: Definition =
            serde_json::from_value(Value::Object(written)).map_err(|error| invalid(&error.to_string()))?;
        if matches!(definition.source, Source::Http(_)) {
            let rule =
                "a function makes no public route: its owner does, in r3e.toml or by `r3e triggers set`";
            return Err(ChangeError::Denied(rule.to_owned()));
        }
        let name = name.map_or_else(|| named(function, &definition), Ok)?;
        Ok(Self { name, definition })
    }
}

/// A short form as `r3e.toml` has it.
fn spelt_out(
    mut written: Map<String, Value>,
    networks: &[String],
) -> Result<Map<String, Value>, ChangeError> {
    let (filter, transform) = (written.remove("filter"), written.remove("transform"));
    let typed: Typed =
        serde_json::from_value(Value::Object(written)).map_err(|error| invalid(&error.to_string()))?;
    let (kind, source) = match typed {
        Typed::Time { schedule, time_zone } => {
            ("cron", json!({ "schedule": schedule, "time_zone": time_zone }))
        }
        Typed::Event { topic } => ("event", json!({ "topic": topic })),
        Typed::Blockchain { event, network, contract, confirmations, from_block } => {
            let (family, is_block) = match event.as_str() {
                "NeoNewBlock" => ("neo-n3:", true),
                "EthNewBlock" => ("eip155:", true),
                "NewBlock" => ("", true),
                _ => ("", false),
            };
            if is_block == contract.is_some() {
                return Err(invalid(
                    "event is NeoNewBlock, EthNewBlock or NewBlock, or an event of the contract that is named with it",
                ));
            }
            let network = network.map_or_else(|| the_one(family, networks), Ok)?;
            let event = (!is_block).then_some(event);
            let source = json!({
                "network": network,
                "contract": contract,
                "event": event,
                "confirmations": confirmations,
                "from_block": from_block,
            });
            ("chain", source)
        }
        Typed::Price { feed, above, below, change_bps } => {
            ("price", json!({ "feed": feed, "above": above, "below": below, "change_bps": change_bps }))
        }
    };
    let mut spelt_out = Map::new();
    // What was not said is as if it had not been written.
    let said = source.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let said: Map<_, _> = said.map(|(field, value)| (field.clone(), value.clone())).collect();
    spelt_out.insert(kind.to_owned(), Value::Object(said));
    spelt_out.extend(filter.map(|filter| ("filter".to_owned(), filter)));
    spelt_out.extend(transform.map(|transform| ("transform".to_owned(), transform)));
    Ok(spelt_out)
}

/// The network of a family, where the appliance follows one.
fn the_one(family: &str, networks: &[String]) -> Result<String, ChangeError> {
    let mut of_family = networks.iter().filter(|network| network.starts_with(family));
    match (of_family.next(), of_family.next()) {
        (Some(network), None) => Ok(network.clone()),
        (None, _) => {
            Err(invalid("the appliance follows no such network: its operator adds it, as [[chain]]"))
        }
        (Some(_), Some(_)) => Err(invalid(&format!(
            "the appliance follows several networks, {}: say which",
            networks.join(", ")
        ))),
    }
}

/// A name that the same definition always has, so that a function which makes its triggers each time that it runs makes them once.
fn named(function: &str, definition: &Definition) -> Result<String, ChangeError> {
    let text = serde_json::to_vec(definition).map_err(|error| SourceError(error.to_string()))?;
    let digest = hex::encode(digest(&SHA256, &text));
    let prefix: String = function.chars().take(PREFIX_CHARS).collect();
    Ok(format!("{prefix}-{}", digest.get(..12).unwrap_or_default()))
}

fn invalid(message: &str) -> ChangeError {
    ChangeError::Invalid(message.to_owned())
}

fn not_made(error: TriggersError) -> ChangeError {
    let message = error.to_string();
    match error {
        TriggersError::Invalid(_) | TriggersError::NoFunction(_) => ChangeError::Invalid(message),
        TriggersError::NotItsOwn(_) | TriggersError::Paused => ChangeError::Denied(message),
        TriggersError::TooMany(_) | TriggersError::Full => ChangeError::Full(message),
        TriggersError::Stopping | TriggersError::Overtaken | TriggersError::Random => {
            SourceError(message).into()
        }
        unknown => {
            tracing::error!(error = %unknown, "a function's trigger was neither made nor refused");
            let message =
                "the trigger was neither made nor refused in time: it may stand or not; make it again"
                    .to_owned();
            ChangeError::Unconfirmed(message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Wish, ChangeError> {
        Wish::read("f", text, &["eip155:1".to_owned(), "neo-n3:860833102".to_owned()])
    }

    fn definition(text: &str) -> Value {
        serde_json::to_value(read(text).unwrap().definition).unwrap()
    }

    #[test]
    fn the_short_forms_are_what_the_long_ones_are() {
        for (short, long) in [
            (r#"{"type":"time","schedule":"0 * * * *"}"#, r#"{"cron":{"schedule":"0 * * * *"}}"#),
            (
                r#"{"type":"time","schedule":"0 9 * * *","time_zone":"Asia/Tokyo","filter":"true"}"#,
                r#"{"cron":{"schedule":"0 9 * * *","time_zone":"Asia/Tokyo"},"filter":"true"}"#,
            ),
            (r#"{"type":"event","topic":"t"}"#, r#"{"event":{"topic":"t"}}"#),
            (r#"{"type":"blockchain","event":"NeoNewBlock"}"#, r#"{"chain":{"network":"neo-n3:860833102"}}"#),
            (
                r#"{"type":"blockchain","event":"EthNewBlock","confirmations":2}"#,
                r#"{"chain":{"network":"eip155:1","confirmations":2}}"#,
            ),
            (
                r#"{"type":"blockchain","event":"E()","contract":"0xab","network":"eip155:1","from_block":7}"#,
                r#"{"chain":{"network":"eip155:1","event":"E()","contract":"0xab","from_block":7}}"#,
            ),
            (
                r#"{"type":"price","feed":"neo-usd","above":"50"}"#,
                r#"{"price":{"feed":"neo-usd","above":"50"}}"#,
            ),
            (r#"{"type":"price","feed":"f","change_bps":500}"#, r#"{"price":{"feed":"f","change_bps":500}}"#),
        ] {
            assert_eq!(definition(short), definition(long), "{short}");
            assert_eq!(read(short).unwrap().name, read(long).unwrap().name, "{short}");
        }
    }

    #[test]
    fn one_definition_has_one_name_unless_it_says_another() {
        let first = read(r#"{"type":"time","schedule":"0 * * * *"}"#).unwrap();
        assert!(first.name.starts_with("f-") && first.name.len() == 14, "{}", first.name);
        assert_ne!(first.name, read(r#"{"type":"time","schedule":"1 * * * *"}"#).unwrap().name);
        assert_eq!(read(r#"{"name":"mine","event":{"topic":"t"}}"#).unwrap().name, "mine");
        let longest = Wish::read(&"f".repeat(64), r#"{"event":{"topic":"t"}}"#, &[]).unwrap();
        assert!(r3e_proto::api::is_name(&longest.name), "{}", longest.name);
    }

    #[test]
    fn what_is_none_is_refused() {
        for wrong in [
            "[]",
            "{",
            "{}",
            r#"{"name":7,"event":{"topic":"t"}}"#,
            r#"{"type":"price","asset":"NEO/USD","change":5}"#,
            r#"{"type":"price","feed":"neo-usd"}"#,
            r#"{"type":"price","feed":"neo-usd","above":"50","below":"40"}"#,
            r#"{"type":"price","feed":"neo-usd","above":50}"#,
            r#"{"type":"time"}"#,
            r#"{"type":"time","schedule":"0 * * * *","zone":"UTC"}"#,
            r#"{"type":"blockchain","event":"E()"}"#,
            r#"{"type":"blockchain","event":"NewBlock"}"#,
            r#"{"type":"blockchain","event":"NeoNewBlock","contract":"0xab"}"#,
            r#"{"event":{"topic":"t"},"function":"g"}"#,
            r#"{"event":{"topic":"t"},"made_by":"g"}"#,
            r#"{"event":{"topic":"t"},"declared_by":"g"}"#,
            r#"{"event":{"topic":"t"},"cron":{"schedule":"0 * * * *"}}"#,
        ] {
            assert!(matches!(read(wrong), Err(ChangeError::Invalid(_))), "{wrong}: {:?}", read(wrong));
        }
        let public = r#"{"http":{"auth":"none"}}"#;
        assert!(matches!(read(public), Err(ChangeError::Denied(_))));
        let none = Wish::read("f", r#"{"type":"blockchain","event":"NeoNewBlock"}"#, &[]);
        assert!(matches!(none, Err(ChangeError::Invalid(_))));
    }
}
