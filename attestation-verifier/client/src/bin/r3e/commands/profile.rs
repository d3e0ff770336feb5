//! `r3e profile show`.

use r3e_client::{Appliance, ApplianceMemory as _, ClientError};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::appliances::KnownAppliances;
use crate::credentials;
use crate::error::CliError;
use crate::output::{Printer, table};
use crate::settings::{API_KEY_VARIABLE, Set, Settings, api_key_variable};

pub(crate) fn show(settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let mut shown = Map::new();
    let mut add = |name: &str, value: Value| {
        shown.insert(name.to_owned(), value);
    };
    add("address", set(settings.address.as_ref()));
    add("reference_values", set(settings.reference_values.as_ref()));
    add("setup_reference_values", set(settings.setup_reference_values.as_ref()));
    add("pin_configuration", set(settings.pin_configuration.as_ref()));
    add("known_configuration", known(settings)?);
    add("known_appliance", known_appliance(settings)?);
    add("test_root", set(settings.test_root.as_ref()));
    add("max_age", set(Some(&settings.max_age)));
    add("clock_skew", set(Some(&settings.clock_skew)));
    add("key_file", set(Some(&settings.key_file)));
    add("operator_key_file", set(Some(&settings.operator_key_file)));
    add("member_key_file", set(Some(&settings.member_key_file)));
    // Of an API key, its id alone.
    let path = settings.credentials_path();
    let api_key = match (api_key_variable()?, credentials::load(&path)?) {
        (Some(key), _) => json!({ "value": key.id(), "source": "variable" }),
        (None, Some(key)) => json!({ "value": key.id(), "source": path }),
        (None, None) => Value::Null,
    };
    add("api_key", api_key);
    let value = json!({
        "profile": settings.profile,
        "file": settings.folders.profile_file(),
        "state": settings.folders.state,
        "settings": shown,
    });
    printer.result(&value, |value| human(settings, value))
}

/// The configuration that is known for the address, where none is given.
fn known(settings: &Settings) -> Result<Value, CliError> {
    let Some(address) = settings.address.as_ref().filter(|_| settings.pin_configuration.is_none()) else {
        return Ok(Value::Null);
    };
    let known = settings.known_configurations();
    let digest = known.find(&address.value.parse()?)?;
    Ok(digest.map_or(Value::Null, |digest| json!({ "value": hex::encode(digest), "source": known.path() })))
}

/// The identity of the appliance that is known at the address.
fn known_appliance(settings: &Settings) -> Result<Value, CliError> {
    let Some(address) = settings.address.as_ref() else { return Ok(Value::Null) };
    let known = KnownAppliances(settings.known_appliances());
    let found = known.known(&address.value.parse()?).map_err(ClientError::from)?;
    let shown = |found: Appliance| json!({ "value": hex::encode(found.identity), "source": known.0.path() });
    Ok(found.map_or(Value::Null, shown))
}

fn set<T: Serialize>(setting: Option<&Set<T>>) -> Value {
    json!(setting)
}

fn human(settings: &Settings, value: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let rows: Vec<[String; 3]> = value["settings"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, set)| match set {
            Value::Null => [name.clone(), "-".to_owned(), String::new()],
            set => [name.clone(), text(&set["value"]), text(&set["source"])],
        })
        .collect();
    format!(
        "profile {} of {}\n\n{}\nAn API key comes from {API_KEY_VARIABLE} or `r3e login`; its id is shown.",
        settings.profile,
        settings.folders.profile_file().display(),
        table(["SETTING", "VALUE", "FROM"], &rows)
    )
}
