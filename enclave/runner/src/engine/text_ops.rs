//! Text and bytes: UTF-8, UTF-16, base64.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use deno_core::op2;
use serde::Serialize;

/// A text, or that there is none.
#[derive(Serialize)]
struct Text {
    ok: bool,
    text: String,
}

impl Text {
    fn from_option(text: Option<String>) -> Self {
        Self { ok: text.is_some(), text: text.unwrap_or_default() }
    }
}

/// A piece of text, and how many bytes at the end of the input were the beginning of a character.
#[derive(Serialize)]
struct Piece {
    ok: bool,
    text: String,
    left: u32,
}

#[op2]
#[buffer]
pub(super) fn op_r3e_utf8_encode(#[string] text: String) -> Vec<u8> {
    text.into_bytes()
}

/// Writes whole characters, as many as fit. Gives the UTF-16 units that were read times 2^32, plus the bytes
/// that were written.
#[op2(fast)]
pub(super) fn op_r3e_utf8_encode_into(#[string] text: &str, #[buffer] target: &mut [u8]) -> f64 {
    let written = text.floor_char_boundary(target.len());
    let (Some(fitting), Some(target)) = (text.get(..written), target.get_mut(..written)) else { return 0.0 };
    target.copy_from_slice(fitting.as_bytes());
    let read: u32 = fitting.chars().map(|c| if c.len_utf16() == 2 { 2 } else { 1 }).sum();
    f64::from(read) * 4_294_967_296.0 + f64::from(u32::try_from(written).unwrap_or(u32::MAX))
}

/// The Encoding standard's "UTF-8 decode": without its byte order mark, malformed parts as U+FFFD.
#[op2]
#[string]
pub(super) fn op_r3e_utf8_decode(#[buffer] data: &[u8]) -> String {
    let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    String::from_utf8_lossy(data).into_owned()
}

/// A decoder's step. Where more is to come, an unfinished character at the end is left for it.
#[op2]
#[serde]
pub(super) fn op_r3e_text_decode(
    #[string] encoding: &str,
    #[buffer] data: &[u8],
    fatal: bool,
    more: bool,
) -> Piece {
    let decoded = match encoding {
        "utf-16le" => decode_utf16(data, u16::from_le_bytes, fatal, more),
        "utf-16be" => decode_utf16(data, u16::from_be_bytes, fatal, more),
        _ => decode_utf8(data, fatal, more),
    };
    let (text, left) = match decoded {
        Some((text, left)) => (Some(text), u32::try_from(left).unwrap_or_default()),
        None => (None, 0),
    };
    Piece { ok: text.is_some(), text: text.unwrap_or_default(), left }
}

/// Nothing where the bytes are malformed and that is fatal.
fn decode_utf8(data: &[u8], fatal: bool, more: bool) -> Option<(String, usize)> {
    let mut text = String::with_capacity(data.len());
    let mut rest = data;
    loop {
        let error = match std::str::from_utf8(rest) {
            Ok(valid) => {
                text.push_str(valid);
                return Some((text, 0));
            }
            Err(error) => error,
        };
        let (valid, after) = rest.split_at_checked(error.valid_up_to())?;
        text.push_str(std::str::from_utf8(valid).ok()?);
        match error.error_len() {
            None if more => return Some((text, after.len())),
            _ if fatal => return None,
            None => {
                text.push(char::REPLACEMENT_CHARACTER);
                return Some((text, 0));
            }
            Some(length) => {
                text.push(char::REPLACEMENT_CHARACTER);
                rest = after.get(length..)?;
            }
        }
    }
}

fn decode_utf16(data: &[u8], unit: fn([u8; 2]) -> u16, fatal: bool, more: bool) -> Option<(String, usize)> {
    let (pairs, odd) = data.as_chunks::<2>();
    let mut units = pairs;
    let mut left = odd.len();
    // Half a pair at the end: its other half may still come.
    if let Some((last, before)) = pairs.split_last()
        && (0xd800..0xdc00).contains(&unit(*last))
    {
        units = before;
        left += 2;
    }
    let mut text = String::with_capacity(data.len());
    for character in char::decode_utf16(units.iter().map(|pair| unit(*pair))) {
        match character {
            Ok(character) => text.push(character),
            Err(_) if fatal => return None,
            Err(_) => text.push(char::REPLACEMENT_CHARACTER),
        }
    }
    if left == 0 || more {
        return Some((text, left));
    }
    // However much it is, it counts as one.
    (!fatal).then(|| {
        text.push(char::REPLACEMENT_CHARACTER);
        (text, 0)
    })
}

#[op2]
#[string]
pub(super) fn op_r3e_base64_encode(#[buffer] data: &[u8]) -> String {
    STANDARD.encode(data)
}

#[op2]
#[buffer]
pub(super) fn op_r3e_base64_decode(#[string] text: &str) -> Vec<u8> {
    // Only the enclave's own answers come here, and they are base64.
    STANDARD.decode(text).unwrap_or_default()
}

#[op2]
#[string]
pub(super) fn op_r3e_base64url_encode(#[buffer] data: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(data)
}

/// Empty where the text is not base64url without padding.
#[op2]
#[buffer]
pub(super) fn op_r3e_base64url_decode(#[string] text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap_or_default()
}

/// The Infra standard's "forgiving-base64 decode": white space is dropped, padding is optional, and the last
/// character's unused bits may be anything.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

#[op2]
#[serde]
pub(super) fn op_r3e_atob(#[string] text: &str) -> Text {
    let mut bare: String =
        text.chars().filter(|c| !matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}')).collect();
    if bare.len().is_multiple_of(4) {
        let unpadded = bare.strip_suffix("==").or_else(|| bare.strip_suffix('=')).map(str::len);
        bare.truncate(unpadded.unwrap_or(bare.len()));
    }
    Text::from_option(FORGIVING.decode(bare).ok().map(|bytes| bytes.into_iter().map(char::from).collect()))
}

#[op2]
#[serde]
pub(super) fn op_r3e_btoa(#[string] text: &str) -> Text {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
    Text::from_option(bytes.map(|bytes| STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_character_waits_for_more() {
        let euro = "a€".as_bytes();
        assert_eq!(decode_utf8(&euro[..3], true, true), Some(("a".into(), 2)));
        assert_eq!(decode_utf8(&euro[..3], true, false), None);
        assert_eq!(decode_utf8(&euro[..3], false, false), Some(("a\u{fffd}".into(), 0)));
        // 0xf5 begins nothing, so it is not waited for.
        assert_eq!(decode_utf8(b"\xf5", false, true), Some(("\u{fffd}".into(), 0)));
        assert_eq!(decode_utf8(b"\xe2\x28\xa1", false, true), Some(("\u{fffd}(\u{fffd}".into(), 0)));
    }

    #[test]
    fn halves_of_a_pair() {
        let le = u16::from_le_bytes;
        assert_eq!(decode_utf16(b"\x3d\xd8\x00\xde", le, true, false), Some(("😀".into(), 0)));
        for cut in [1, 2, 3] {
            let part = &b"\x3d\xd8\x00\xde"[..cut];
            assert_eq!(decode_utf16(part, le, true, true), Some((String::new(), cut)), "{cut}");
            assert_eq!(decode_utf16(part, le, false, false), Some(("\u{fffd}".into(), 0)), "{cut}");
            assert_eq!(decode_utf16(part, le, true, false), None, "{cut}");
        }
        assert_eq!(decode_utf16(b"\x3d\xd8a\0", le, false, true), Some(("\u{fffd}a".into(), 0)));
    }
}
