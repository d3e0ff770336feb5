//! Expressions: what they mean, what is refused, and what bounds them.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::limits::MAX_DEPTH;

fn event() -> Json {
    json!({
        "kind": "http",
        "n": 7, "d": 2.5, "big": 9_007_199_254_740_993i64, "huge": 18_446_744_073_709_551_615u64,
        "s": "héllo", "none": null, "yes": true,
        "list": [1, 2, 3, "x"], "body": { "total": 120, "items": [{ "p": 5 }, { "p": 50 }] },
    })
}

fn json_of(source: &str) -> Result<String, Failed> {
    Expression::parse(source).unwrap_or_else(|error| panic!("{source}: {error}")).json(&event())
}

#[test]
fn values_are_those_of_the_language() {
    for (source, expected) in [
        ("1 + 2 * 3 - 4 / 2 % 2", "7"),
        ("-7 / 2", "-3"),
        ("-7 % 2", "-1"),
        ("1.5 * 2.0", "3.0"),
        ("'a' + \"b\"", "\"ab\""),
        ("'\\u00e9\\n\\x41'", "\"é\\nA\""),
        ("[1] + [2, 'x']", "[1,2,\"x\"]"),
        ("event.n", "7"),
        ("event['s'].size()", "5"),
        ("size(event.list) == 4", "true"),
        ("event.list[3]", "\"x\""),
        ("event.body.items[1].p > 10", "true"),
        ("1 == 1.0 && 1 < 1.5 && 2 > 1.5", "true"),
        ("event.big == 9007199254740992.0", "false"),
        ("event.big > 9007199254740992.0", "true"),
        ("event.huge > 9223372036854775807", "true"),
        ("'n' in event && 'm' in event", "false"),
        ("2 in event.list && !('y' in event.list)", "true"),
        ("has(event.body.total) && !has(event.body.other)", "true"),
        ("event.yes ? 'y' : 'n'", "\"y\""),
        ("false ? 1 : true ? 2 : 3", "2"),
        ("event.s.startsWith('h') && event.s.endsWith('o') && event.s.contains('éll')", "true"),
        ("int('42') + int(2.9)", "44"),
        ("double(1) + double('0.5')", "1.5"),
        ("string(12) + string(true)", "\"12true\""),
        ("event.body.items.map(i, i.p * 2)", "[10,100]"),
        ("event.body.items.filter(i, i.p > 10)", "[{\"p\":50}]"),
        ("event.body.items.exists(i, i.p == 50) && event.body.items.all(i, i.p > 0)", "true"),
        ("{'a': event.n, 'b': [event.none, {}]}", "{\"a\":7,\"b\":[null,{}]}"),
        ("{'a': 1} == {'a': 1.0} && [1, 2] != [2, 1]", "true"),
        ("event == event", "true"),
        ("!!true", "true"),
        ("--1", "1"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("0x10", "16"),
        // Either side may settle it, whatever the other comes to.
        ("event.nothing || true", "true"),
        ("false && event.nothing", "false"),
        ("[].all(x, x.y)", "true"),
        ("'a' < 'b' && false < true", "true"),
    ] {
        assert_eq!(json_of(source).as_deref(), Ok(expected), "{source}");
    }
}

#[test]
fn what_has_no_value_fails() {
    for source in [
        "event.nothing",
        "event.list[9]",
        "event.list[-1]",
        "event.n.x",
        "nobody",
        "1 / 0",
        "1 % 0",
        "9223372036854775807 + 1",
        "-(-9223372036854775808)",
        "1 + 1.0",
        "1 + 'a'",
        "!1",
        "-'a'",
        "1 ? 2 : 3",
        "'a' < 1",
        "true && 1",
        "event.nothing || false",
        "size(1)",
        "int('x')",
        "int(1e30)",
        "{1: 2}",
        "{'a': 1, 'a': 2}",
        "1.0 / 0.0",
        "event.list.map(x, y)",
        "[1].all(x, 7)",
        "'abc'.map(c, c)",
    ] {
        assert!(json_of(source).is_err(), "{source}");
    }
    assert!(Expression::parse("event.n").unwrap().holds(&event()).is_err(), "a filter is true or false");
}

#[test]
fn what_is_left_out_is_refused_when_it_is_read() {
    for source in [
        "",
        " ",
        "1 +",
        "(1",
        "[1",
        "{'a'}",
        "event.",
        "event.matches('(a+)+$')",
        "matches('a', 'b')",
        "event.n = 1",
        "1u",
        "b'x'",
        "r'x'",
        "'''x'''",
        "'x",
        "'\\q'",
        "a.b.c()",
        "import",
        "event.in",
        "timestamp('x')",
        "has(event)",
        "has(1, 2)",
        "x.map(1, 2)",
        "1 2",
        "@",
        "\u{0}",
        "99999999999999999999",
        "9223372036854775808",
    ] {
        assert!(Expression::parse(source).is_err(), "{source}");
    }
}

#[test]
fn depth_and_length_are_bounded_and_long_chains_are_not_deep() {
    let nested = |open: &str, close: &str, times: usize| open.repeat(times) + "1" + &close.repeat(times);
    for (open, close) in [("(", ")"), ("[", "]"), ("size([", "])"), ("{'a':", "}"), ("true ? 1 : ", "")] {
        assert!(Expression::parse(&nested(open, close, 10)).is_ok(), "{open}");
        for times in [MAX_DEPTH + 1, 150] {
            assert!(Expression::parse(&nested(open, close, times)).is_err(), "{open} {times}");
        }
    }
    for deep in [
        "event".to_owned() + &".a".repeat(200),
        "1".to_owned() + &"+1".repeat(200),
        "event".to_owned() + &"[0]".repeat(200),
    ] {
        assert!(Expression::parse(&deep).is_err());
    }
    for long in
        ["true".to_owned() + &"&&true".repeat(200), "!".repeat(1_001) + "true", "-".repeat(1_000) + "1"]
    {
        assert!(Expression::parse(&long).is_ok(), "{}", &long[..20]);
    }
    assert!(Expression::parse(&" ".repeat(MAX_SOURCE_BYTES + 1)).is_err());
}

#[test]
fn work_and_memory_are_bounded() {
    let doubling = |times: usize| "[1]".to_owned() + &".map(x, [x, x])".repeat(times);
    let text = json!({ "s": "a".repeat(200_000), "l": vec![1; 200_000] });
    let of = |source: &str| Expression::parse(source).unwrap().json(&text);
    assert_eq!(json_of(&doubling(30)), Err(Failed::Spent), "a small tree, shared, whose text has no end");
    assert_eq!(json_of(&(doubling(30) + " == " + &doubling(14))), Ok("false".to_owned()));
    let both = doubling(20);
    assert_eq!(json_of(&format!("{both} == {both}")), Err(Failed::Spent));
    let strings = "['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa']".to_owned() + &".map(s, s + s)".repeat(30);
    assert_eq!(json_of(&strings), Err(Failed::Spent));
    let lists = "[[1, 2]]".to_owned() + &".map(l, l + l)".repeat(30);
    assert_eq!(json_of(&lists), Err(Failed::Spent));
    let loops = "[1,2,3,4,5,6,7,8]".to_owned();
    let nested = format!(
        "{loops}.all(a, {loops}.all(b, {loops}.all(c, {loops}.all(d, {loops}.all(e, a + b + c + d + e > 0)))))"
    );
    assert_eq!(json_of(&nested), Err(Failed::Spent));
    for source in
        ["event.l.all(x, x == 1)", "event.l + event.l", "1 in event.l.map(x, x)", "event.l == event.l"]
    {
        assert_eq!(of(source), Err(Failed::Spent), "{source}");
    }
    // What is looked through is paid for by length.
    let searches = vec!["event.s.contains('b')"; 30].join(" || ");
    assert_eq!(of(&searches), Err(Failed::Spent));
    assert_eq!(of("event.s.contains('b')"), Ok("false".to_owned()));
    assert_eq!(of("[event.s, event.s, event.s, event.s, event.s, event.s]"), Err(Failed::Spent));
}

proptest! {
    #[test]
    fn any_text_is_an_expression_or_none(source in "\\PC{0,200}") {
        if let Ok(expression) = Expression::parse(&source) {
            let _ = expression.json(&event());
        }
    }

    #[test]
    fn whatever_is_made_of_the_languages_words_ends(
        words in prop::collection::vec(prop::sample::select(vec![
            "event", ".", "n", "list", "body", "items", "[", "]", "(", ")", "{", "}", "'a'", "1", "2.5", "+", "-", "*",
            "/", "%", "==", "<", "&&", "||", "!", "?", ":", ",", "in", "has", "size", "map", "all", "x", "true", "null",
        ]), 0..40)
    ) {
        let source = words.join(" ");
        let text = Expression::parse(&source).ok().and_then(|expression| expression.json(&event()).ok());
        if let Some(text) = text {
            prop_assert!(serde_json::from_str::<Json>(&text).is_ok(), "{source}: {text}");
        }
    }

    #[test]
    fn what_is_let_through_is_the_same_json(value in json_value()) {
        let read: Json = serde_json::from_str(&Expression::parse("event").unwrap().json(&value).unwrap()).unwrap();
        prop_assert_eq!(read, value);
    }
}

fn json_value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        // Such as decimal text has exactly: what JSON is read by rounds others to within a digit of the last place.
        any::<i32>().prop_map(|quarters| Json::from(f64::from(quarters) / 4.0)),
        "\\PC{0,12}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..6)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}
