//! Texts with places for a market's names, and paths into an answer that are made of them.

use crate::json::Json;
use crate::limits::{MAX_INDEX, MAX_PATH_STEPS, MAX_TEMPLATE_BYTES};

/// What a venue calls a market and its two assets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// In capitals.
    pub(super) base: String,
    /// In capitals.
    pub(super) quote: String,
    /// The market, by the venue's own form.
    pub(super) pair: String,
}

/// A text with `{base}`, `{quote}` (small letters), `{BASE}`, `{QUOTE}` (capitals), `{pair}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Plain(String),
    Base,
    Quote,
    SmallBase,
    SmallQuote,
    Pair,
}

impl Template {
    /// None where a placeholder is not one of those, or a brace is left over.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, after) = behind.split_once('}')?;
            pieces.push(Piece::Plain(before.to_owned()));
            pieces.push(match name {
                "BASE" => Piece::Base,
                "QUOTE" => Piece::Quote,
                "base" => Piece::SmallBase,
                "quote" => Piece::SmallQuote,
                "pair" => Piece::Pair,
                _ => return None,
            });
            rest = after;
        }
        pieces.push(Piece::Plain(rest.to_owned()));
        let plain = |piece: &Piece| !matches!(piece, Piece::Plain(text) if text.contains(['{', '}']));
        pieces.iter().all(plain).then_some(Self(pieces))
    }

    /// Whether the market's own name stands in it.
    pub(super) fn names_pair(&self) -> bool {
        self.0.contains(&Piece::Pair)
    }

    /// Whether it is the same for every market.
    pub(super) fn is_constant(&self) -> bool {
        self.0.iter().all(|piece| matches!(piece, Piece::Plain(_)))
    }

    /// The text for a market.
    pub(super) fn fill(&self, names: &Names) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Plain(plain) => text.push_str(plain),
                Piece::Base => text.push_str(&names.base),
                Piece::Quote => text.push_str(&names.quote),
                Piece::SmallBase => text.push_str(&names.base.to_ascii_lowercase()),
                Piece::SmallQuote => text.push_str(&names.quote.to_ascii_lowercase()),
                Piece::Pair => text.push_str(&names.pair),
            }
        }
        text
    }
}

/// A way into an answer: `result.{pair}.c[0]`, `[0].last`, `result.*.c[0]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// The member of this name.
    Member(Template),
    /// The item at this place, from 0.
    Item(usize),
    /// The member of an object that has no other.
    Only,
}

impl Path {
    /// None where it is empty, too long, or not of that form.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > MAX_TEMPLATE_BYTES {
            return None;
        }
        let mut steps = Vec::new();
        for (at, part) in text.split('.').enumerate() {
            let (name, items) = part.split_at(part.find('[').unwrap_or(part.len()));
            match name {
                // A list may be all that the answer is.
                "" if at == 0 && !items.is_empty() => {}
                "*" => steps.push(Step::Only),
                _ => {
                    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-{}".contains(&byte);
                    let named = !name.is_empty() && name.bytes().all(plain);
                    steps.push(Step::Member(named.then(|| Template::read(name)).flatten()?));
                }
            }
            read_items(items, &mut steps)?;
        }
        (steps.len() <= MAX_PATH_STEPS).then_some(Self(steps))
    }

    /// Whether it is the same for every market.
    pub(super) fn is_constant(&self) -> bool {
        self.0.iter().all(|step| !matches!(step, Step::Member(name) if !name.is_constant()))
    }

    /// What it leads to.
    pub(super) fn find<'j, 'a>(&self, answer: &'j Json<'a>, names: &Names) -> Option<&'j Json<'a>> {
        self.0.iter().try_fold(answer, |value, step| match (step, value) {
            (Step::Member(name), Json::Object(members)) => {
                let name = name.fill(names);
                members.iter().find(|(member, _)| *member == name).map(|(_, value)| value)
            }
            (Step::Item(at), Json::List(items)) => items.get(*at),
            (Step::Only, Json::Object(members)) => match members.as_slice() {
                [(_, value)] => Some(value),
                _ => None,
            },
            _ => None,
        })
    }
}

/// `[0][1]`, to the end.
fn read_items(mut items: &str, steps: &mut Vec<Step>) -> Option<()> {
    while !items.is_empty() {
        let (number, rest) = items.strip_prefix('[')?.split_once(']')?;
        let plain = number.bytes().all(|byte| byte.is_ascii_digit());
        let place: usize = plain.then(|| number.parse().ok()).flatten()?;
        // One text for each place.
        if place > MAX_INDEX || place.to_string() != number {
            return None;
        }
        steps.push(Step::Item(place));
        items = rest;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names { base: "XBT".into(), quote: "USD".into(), pair: "XBT-USD".into() }
    }

    #[test]
    fn what_is_filled_in() {
        let fill = |text| Template::read(text).map(|template| template.fill(&names()));
        assert_eq!(fill("{BASE}{quote}/{pair}?x"), Some("XBTusd/XBT-USD?x".into()));
        assert_eq!(fill(""), Some(String::new()));
        for text in ["{", "}", "{base", "base}", "{}", "{Base}", "{{base}}", "{base}}"] {
            assert_eq!(fill(text), None, "{text}");
        }
    }

    #[test]
    fn where_paths_lead() {
        let text = r#"{"result":{"XBT-USD":{"c":["1","2"],"d":[[3,4]]}},"one":{"x":5},"":6}"#;
        let answer = Json::read(text.as_bytes(), 1_000).unwrap();
        for (path, found) in [
            ("result.{pair}.c[1]", Some(Json::Text("2".into()))),
            ("result.*.c[0]", Some(Json::Text("1".into()))),
            ("result.*.d[0][1]", Some(Json::Number("4"))),
            ("one.*", Some(Json::Number("5"))),
            ("result.{pair}.c[2]", None),
            ("result.{pair}.c.x", None),
            ("result[0]", None),
            ("*.x", None),
            ("nothing", None),
        ] {
            let way = Path::read(path).unwrap();
            assert_eq!(way.find(&answer, &names()).cloned(), found, "{path}");
        }
        let list = Json::read(b"[[7]]", 10).unwrap();
        assert_eq!(Path::read("[0][0]").unwrap().find(&list, &names()), Some(&Json::Number("7")));
    }

    #[test]
    fn what_is_no_path() {
        let deep = ["a"; 17].join(".");
        let long = "a".repeat(129);
        for text in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "a[",
            "a[]",
            "a[x]",
            "a[01]",
            "a[-1]",
            "a[+1]",
            "a[0",
            "a[0]b",
            "a[99999999]",
            "a b",
            "a/b",
            "{x}",
            "**",
            "a.[0]",
            &deep,
            &long,
        ] {
            assert_eq!(Path::read(text), None, "{text}");
        }
    }
}
