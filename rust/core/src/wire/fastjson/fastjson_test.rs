use super::*;
use crate::error::WireError;

fn read(text: &str) -> Value {
    parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn classic(text: &str) -> String {
    String::from_utf8(write(&read(text), Dialect::Classic)).unwrap()
}

fn standard(text: &str) -> String {
    String::from_utf8(write(&read(text), Dialect::Standard)).unwrap()
}

#[test]
fn fastjsons_liberties_are_read() {
    for (text, same) in [
        ("{'a':'it''s'}", None),
        ("{'a':'x\"y'}", Some(r#"{"a":"x\"y"}"#)),
        ("{a:1,$b_2:2,é:3}", Some(r#"{"$b_2":2,"a":1,"é":3}"#)),
        ("[1,2,]", Some("[1,2]")),
        ("{\"a\":1,}", Some(r#"{"a":1}"#)),
        ("/* x */ [1 // y\n, 2]", Some("[1,2]")),
        ("\t[ ]\r\n", Some("[]")),
        ("[undefined,null,NaN]", Some("[null,null,null]")),
        ("[1L,2S,3B,1.5F,2.0D,+4,.5]", Some("[1,2,3,1.5,2.0,4,0.5]")),
        (r#"["\x41\v\0\/\u00e9\ud83d\ude00"]"#, Some("[\"A\\u000b\\u0000/é😀\"]")),
        (
            r#"["\ud83d","\ud83dx","\ude00","\ud83d\u0041"]"#,
            Some("[\"\u{fffd}\",\"\u{fffd}x\",\"\u{fffd}\",\"\u{fffd}A\"]"),
        ),
        ("\"3\"", Some("\"3\"")),
        ("{\"\":1}", Some("{\"\":1}")),
    ] {
        match same {
            Some(same) => assert_eq!(classic(text), same, "{text}"),
            None => assert!(parse(text.as_bytes()).is_err(), "{text}"),
        }
    }
}

#[test]
fn what_is_no_json_says_where() {
    for (text, offset, expected) in [
        ("", 0, "a value"),
        ("[1", 2, ", or ]"),
        ("{\"a\"1}", 4, ":"),
        ("{\"a\":1", 6, ", or }"),
        ("{1.5:1}", 1, "a member name"),
        ("{,}", 1, "a member name"),
        ("{[1]:1}", 1, "a member name"),
        ("[1-2]", 1, "a number"),
        ("[--]", 1, "a number"),
        ("1 2", 2, "the end"),
        ("\"abc", 4, "the end of the string"),
        ("\"\\", 2, "an escape"),
        ("\"\\u00", 3, "hexadecimal digits"),
        ("\"\\u+0ff\"", 3, "hexadecimal digits"),
        ("/*", 0, "the end of the comment"),
        ("/x", 0, "a value"),
        ("\u{feff}1", 0, "a value"),
    ] {
        assert_eq!(parse(text.as_bytes()), Err(WireError::Json { offset, expected }), "{text}");
    }
}

#[test]
fn numbers_are_64_bit_integers_or_doubles() {
    assert_eq!(read("-9223372036854775808"), Value::Int(i64::MIN));
    assert_eq!(read("9223372036854775808"), Value::Float(9_223_372_036_854_775_808.0));
    assert_eq!(read("1e3"), Value::Float(1000.0));
    assert_eq!(read("-0"), Value::Int(0));
}

#[test]
fn integers_are_written_over_their_whole_range() {
    for number in [0, 1, -1, 9, 10, -10, i64::MAX, i64::MIN] {
        assert_eq!(write(&Value::Int(number), Dialect::Classic), number.to_string().as_bytes());
    }
}

#[test]
fn doubles_are_written_as_java_does() {
    for (number, text) in [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.001, "0.001"),
        (0.000_999, "9.99E-4"),
        (9_999_999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (-1.25e10, "-1.25E10"),
        (f64::MAX, "1.7976931348623157E308"),
        (f64::INFINITY, "null"),
        (f64::NAN, "null"),
    ] {
        assert_eq!(write(&Value::Float(number), Dialect::Classic), text.as_bytes());
    }
}

#[test]
fn object_and_numeric_keys_are_read_and_written_bare() {
    let text = r#"{"offsetTable":{{"brokerName":"b","queueId":2,"topic":"T"}:7,{"brokerName":"b","queueId":0,"topic":"T"}:5},"table":{3:"c",-1:"a"}}"#;
    assert_eq!(classic(text), text);
    let Some(Value::Object(members)) = read(text).get("offsetTable").cloned() else { panic!("no table") };
    assert_eq!(members[0].0.get("queueId"), Some(&Value::Int(2)));
}

#[test]
fn the_standard_dialect_quotes_sorts_and_escapes() {
    assert_eq!(standard("{10:'é',9:'\u{7f}😀',-1:1}"), r#"{"-1":1,"9":"\u007f\ud83d\ude00","10":"\u00e9"}"#);
    assert_eq!(
        standard("[9007199254740991,9007199254740992,-9007199254740992]"),
        r#"[9007199254740991,"9007199254740992","-9007199254740992"]"#
    );
}

#[test]
fn null_members_are_left_out_and_members_sorted() {
    assert_eq!(classic("{b:null,c:[null],a:{z:1,y:2}}"), r#"{"a":{"y":2,"z":1},"c":[null]}"#);
}

#[test]
fn a_member_that_is_no_number_is_there_and_null() {
    let members = [("a", f64::INFINITY), ("b", f64::NAN)];
    let object = members.map(|(name, number)| (Value::Str(name.to_owned()), Value::Float(number)));
    let text = write(&Value::Object(object.to_vec()), Dialect::Classic);
    assert_eq!(text, br#"{"a":null,"b":null}"#);
}

#[test]
fn of_equal_members_the_last_counts() {
    assert_eq!(read("{a:1,a:2}").get("a"), Some(&Value::Int(2)));
    assert_eq!(read("[1]").get("a"), None);
}

#[test]
fn references_are_replaced_by_what_they_point_at() {
    for (text, resolved) in [
        (r#"{"a":{"x":1},"b":{"$ref":"$.a"}}"#, r#"{"a":{"x":1},"b":{"x":1}}"#),
        (r#"{"a":[{"x":[1,2]}],"b":{"$ref":"$.a[0].x[1]"}}"#, r#"{"a":[{"x":[1,2]}],"b":2}"#),
        (r#"{"a":{"$ref":"$.b"},"b":{"$ref":"$.c"},"c":3}"#, r#"{"a":3,"b":3,"c":3}"#),
        (r#"{"a":{7:"x"},"b":{"$ref":"$.a.7"},"c":{"$ref":"$.a[7]"}}"#, r#"{"a":{7:"x"},"b":"x","c":"x"}"#),
    ] {
        assert_eq!(classic(text), resolved, "{text}");
    }
}

#[test]
fn references_without_a_target_stay() {
    for reference in ["..", "@", "$", "$.b", "$.a[9]", "$.a[x]", "$.a[0", "$a", "", "$..a", "$.r"] {
        let text = format!(r#"{{"a":[1],"r":{{"$ref":"{reference}"}}}}"#);
        assert_eq!(classic(&text), text);
    }
    let not_alone = r#"{"a":1,"b":{"$ref":"$.a","x":1}}"#;
    assert_eq!(classic(not_alone), not_alone);
}

#[test]
fn a_cycle_of_references_ends() {
    assert_eq!(classic(r#"{"a":{"x":{"$ref":"$.a"}}}"#), r#"{"a":{"x":{"x":{"$ref":"$.a"}}}}"#);
    let text = r#"{"a":{"$ref":"$.b"},"b":{"$ref":"$.a"}}"#;
    assert!(parse(text.as_bytes()).is_ok());
}

#[test]
fn references_cannot_multiply_a_small_text() {
    let level = |level: usize| {
        let reference = format!(r#"{{"$ref":"$.a{}"}},"#, level - 1).repeat(10);
        format!(r#","a{level}":[{reference}]"#)
    };
    let levels: Vec<_> = (1..12).map(level).collect();
    let text = format!(r#"{{"a0":"0123456789"{}}}"#, levels.concat());
    assert!(matches!(parse(text.as_bytes()), Err(WireError::JsonTooLarge { .. })));
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
    for text in [nested(MAX_DEPTH + 1), "[".repeat(1 << 20), "{a:".repeat(1 << 20), "{{".repeat(1 << 20)] {
        assert!(matches!(parse(text.as_bytes()), Err(WireError::JsonTooDeep { .. })));
    }
}

#[test]
fn the_number_of_values_is_bounded() {
    let text = format!("[{}]", "1,".repeat(1 << 21));
    assert_eq!(parse(text.as_bytes()), Err(WireError::JsonTooLarge { limit: 1 << 21 }));
}
