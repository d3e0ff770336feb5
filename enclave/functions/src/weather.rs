//! `getWeather`: the weather at a place, by Open-Meteo's public API.
//!
//! What it takes and answers is documented at <https://open-meteo.com/en/docs> and <https://open-meteo.com/en/docs/geocoding-api>: the place is
//! looked up first, and what is signed is the answer about the weather at its coordinates, which stand in the URL. Both hosts must have been
//! granted to the function.

use std::fmt::Write as _;

use r3e_oracle::json::Json;
use r3e_oracle::venue::{PickError, ValuePath};
use r3e_proto::limits::{MAX_OBSERVED_BODY_BYTES, MAX_OBSERVED_VALUE_BYTES};
use r3e_runner_api::{HostError, HostErrorCode, HostReply, HostValue, Weather};

use crate::fetches::Fetch;
use crate::limits::MAX_PLACE_BYTES;
use crate::observing::{Ask, Observing, targets, told, unread};
use crate::values::refused;

/// Where places are looked up.
const PLACES: &str = "https://geocoding-api.open-meteo.com/v1/search?count=1&language=en&format=json&name=";
/// Where the weather is asked for, behind the coordinates.
const WEATHER: &str = "https://api.open-meteo.com/v1/forecast";
/// What is asked for. The units are the API's own where nothing is said; they are said, so that the signed URL tells them.
const CURRENT: &str = "&current=temperature_2m,relative_humidity_2m,precipitation,weather_code,wind_speed_10m,wind_direction_10m\
                       &temperature_unit=celsius&wind_speed_unit=kmh&precipitation_unit=mm&timezone=GMT";
/// What of it is the signed value.
const VALUE: &str = "current.temperature_2m";
/// The longest number that is believed to be one: some have six places.
const MAX_NUMBER_BYTES: usize = 24;

impl Observing<'_> {
    /// The weather at the place of this name that is found first.
    pub(crate) async fn weather(&self, place: &str, for_targets: Vec<String>) -> HostReply {
        if place.is_empty() || place.len() > MAX_PLACE_BYTES {
            let message = format!("a place's name has 1 to {MAX_PLACE_BYTES} bytes");
            return Err(refused(HostErrorCode::Invalid, message));
        }
        // Before anything is asked.
        targets(&for_targets)?;
        let found = self.find(place).await?;
        let url = format!("{WEATHER}?latitude={}&longitude={}{CURRENT}", found.latitude, found.longitude);
        let ask = Ask { url, headers: Vec::new(), path: Some(VALUE.to_owned()), targets: for_targets };
        let signed = self.observe(ask).await?;
        let answer = Answer::read(signed.body.as_deref().unwrap_or_default().as_bytes())?;
        for (path, unit) in [("current_units.temperature_2m", "°C"), ("current_units.wind_speed_10m", "km/h")]
        {
            if answer.text(path)? != unit {
                let message = format!("the service answers in other units than {unit}");
                return Err(refused(HostErrorCode::Unavailable, message));
            }
        }
        Ok(HostValue::OracleWeather(Box::new(Weather {
            place: found.name,
            country: found.country,
            latitude: found.latitude,
            longitude: found.longitude,
            time: answer.text("current.time")?,
            temperature_c: answer.number(VALUE)?,
            humidity_percent: answer.number("current.relative_humidity_2m")?,
            precipitation_mm: answer.number("current.precipitation")?,
            wind_kmh: answer.number("current.wind_speed_10m")?,
            wind_direction_degrees: answer.number("current.wind_direction_10m")?,
            weather_code: answer.number("current.weather_code")?,
            data: told(&signed)?,
        })))
    }

    async fn find(&self, place: &str) -> Result<Found, HostError> {
        let url = format!("{PLACES}{}", escaped(place));
        let fetch = Fetch { url, method: "GET".to_owned(), headers: Vec::new(), body_base64: None };
        let prepared = self.fetches.prepare(fetch)?;
        let response = self.fetches.exchange(self.internet, prepared, MAX_OBSERVED_BODY_BYTES).await?;
        if response.status != 200 {
            let message = format!("the service that knows places answered {}", response.status);
            return Err(refused(HostErrorCode::Unavailable, message));
        }
        let answer = Answer::read(&response.body)?;
        let unknown = |_| refused(HostErrorCode::NotFound, "no place of this name is known");
        Ok(Found {
            name: answer.text("results[0].name").map_err(unknown)?,
            // Places on no country's ground have none.
            country: answer.text("results[0].country").ok(),
            latitude: answer.number("results[0].latitude")?,
            longitude: answer.number("results[0].longitude")?,
        })
    }
}

/// A place.
struct Found {
    name: String,
    country: Option<String>,
    latitude: String,
    longitude: String,
}

/// An answer of the service's.
struct Answer<'a>(Json<'a>);

impl<'a> Answer<'a> {
    fn read(body: &'a [u8]) -> Result<Self, HostError> {
        Json::read(body, MAX_OBSERVED_BODY_BYTES).map(Self).map_err(|error| unread(error.into()))
    }

    fn text(&self, path: &str) -> Result<String, HostError> {
        let way = ValuePath::read(path).ok_or(PickError::Nothing).map_err(unread)?;
        let text = way.pick(&self.0).map_err(|_| unexpected(path))?;
        if text.len() > MAX_OBSERVED_VALUE_BYTES { Err(unexpected(path)) } else { Ok(text.into_owned()) }
    }

    /// Digits, and what may stand between them: nothing that means anything in a URL.
    fn number(&self, path: &str) -> Result<String, HostError> {
        let text = self.text(path)?;
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"-.eE".contains(&byte));
        let holds = plain && !text.is_empty() && text.len() <= MAX_NUMBER_BYTES;
        if holds { Ok(text) } else { Err(unexpected(path)) }
    }
}

fn unexpected(path: &str) -> HostError {
    refused(HostErrorCode::Unavailable, format!("the service's answer has no usable {path}"))
}

/// Text in a URL's query (RFC 3986, section 2.1).
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            // Writing to a string cannot fail.
            _ => drop(write!(escaped, "%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_name_means_anything_in_a_url() {
        assert_eq!(escaped("New York"), "New%20York");
        assert_eq!(escaped("Zürich&count=9#"), "Z%C3%BCrich%26count%3D9%23");
    }

    #[test]
    fn numbers_are_numbers() {
        let answer = Answer::read(br#"{"a":-40.5,"b":"1&x=2","c":"","d":1e3,"e":true}"#).unwrap();
        assert_eq!(answer.number("a").unwrap(), "-40.5");
        assert_eq!(answer.number("d").unwrap(), "1e3");
        for path in ["b", "c", "e", "nothing"] {
            assert_eq!(answer.number(path).unwrap_err().code, HostErrorCode::Unavailable, "{path}");
        }
    }
}
