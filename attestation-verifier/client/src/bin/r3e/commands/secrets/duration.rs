//! Times that people write: a number and its unit.

/// Reads `90s`, `15m`, `12h` or `30d`, as milliseconds; `0` alone is no time.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let rule = "a number and s, m, h or d, as 90s, 15m, 12h or 30d; or 0";
    if text == "0" {
        return Ok(0);
    }
    let (digits, seconds) = match text.char_indices().next_back() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3_600),
        Some((at, 'd')) => (&text[..at], 86_400),
        _ => return Err(rule.to_owned()),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: Option<u64> = if is_number { digits.parse().ok() } else { None };
    number.and_then(|number| number.checked_mul(seconds * 1_000)).ok_or_else(|| rule.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        for (text, ms) in [
            ("0", 0),
            ("0s", 0),
            ("90s", 90_000),
            ("15m", 900_000),
            ("12h", 43_200_000),
            ("30d", 2_592_000_000),
        ] {
            assert_eq!(parse(text), Ok(ms), "{text}");
        }
        for wrong in
            ["", "s", "9", "-1s", "+1s", "1.5h", "1w", "1 s", "99999999999999999999d", "9223372036854775807d"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
