//! URLs and forms, by the library that the enclave's `fetch` parses them with.
//!
//! A parsed URL crosses as a JSON array of its parts, in the order of `PARTS` in `url.js`; an empty text
//! means that it does not parse.

use deno_core::op2;
use url::{Url, form_urlencoded, quirks};

#[op2]
#[string]
pub(super) fn op_r3e_url_parse(#[string] address: &str, #[string] base: &str, has_base: bool) -> String {
    let parsed =
        if has_base { Url::parse(base).and_then(|base| base.join(address)) } else { Url::parse(address) };
    parsed.map(|url| parts(&url)).unwrap_or_default()
}

#[op2]
#[string]
pub(super) fn op_r3e_url_set(#[string] address: &str, #[string] part: &str, #[string] value: &str) -> String {
    let Ok(mut url) = Url::parse(address) else { return String::new() };
    let set = match part {
        "href" => quirks::set_href(&mut url, value).is_ok(),
        "protocol" => quirks::set_protocol(&mut url, value).is_ok(),
        "username" => quirks::set_username(&mut url, value).is_ok(),
        "password" => quirks::set_password(&mut url, value).is_ok(),
        "host" => quirks::set_host(&mut url, value).is_ok(),
        "hostname" => quirks::set_hostname(&mut url, value).is_ok(),
        "port" => quirks::set_port(&mut url, value).is_ok(),
        "pathname" => {
            quirks::set_pathname(&mut url, value);
            true
        }
        "search" => {
            quirks::set_search(&mut url, value);
            true
        }
        "hash" => {
            quirks::set_hash(&mut url, value);
            true
        }
        _ => false,
    };
    if set { parts(&url) } else { String::new() }
}

#[op2]
#[string]
pub(super) fn op_r3e_form_parse(#[string] text: &str) -> String {
    let pairs: Vec<(_, _)> = form_urlencoded::parse(text.as_bytes()).collect();
    serde_json::to_string(&pairs).unwrap_or_default()
}

#[op2]
#[string]
pub(super) fn op_r3e_form_serialize(#[string] pairs: &str) -> String {
    let pairs: Vec<(String, String)> = serde_json::from_str(pairs).unwrap_or_default();
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn parts(url: &Url) -> String {
    let parts = [
        quirks::href(url),
        &quirks::origin(url),
        quirks::protocol(url),
        quirks::username(url),
        quirks::password(url),
        quirks::host(url),
        quirks::hostname(url),
        quirks::port(url),
        quirks::pathname(url),
        quirks::search(url),
        quirks::hash(url),
    ];
    serde_json::to_string(&parts).unwrap_or_default()
}
