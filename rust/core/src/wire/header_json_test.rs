use super::*;

fn ok(header: &str) -> Command {
    decode(header.as_bytes()).unwrap_or_else(|error| panic!("{header}: {error}"))
}

fn fields_of(fields: &str) -> Vec<(String, String)> {
    let command = ok(&format!("{{\"extFields\":{fields}}}"));
    command.fields.iter().map(|(key, value)| (key.into(), value.into())).collect()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(key, value)| (key.into(), value.into())).into()
}

const ROUTE: &str = r#"{"code":105,"extFields":{"topic":"T"},"flag":0,"language":"JAVA","opaque":7,"serializeTypeCurrentRPC":"JSON","version":479}"#;

#[test]
fn javas_header_comes_back_to_the_byte() {
    let command = ok(ROUTE);
    assert_eq!((command.code, command.opaque, command.flag, command.version), (105, 7, 0, 479));
    assert_eq!((command.language, command.fields.get("topic")), (Language::JAVA, Some("T")));
    let mut out = Vec::new();
    encode(&command, &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), ROUTE);
}

#[test]
fn text_is_escaped_as_java_does_it() {
    let fields = [("properties", "a\u{1}\"b\"\\\u{1f}\té/")].into_iter().collect();
    let command = Command { codec: Codec::Json, ..Command::request(1, -3, fields) }.with_remark("x\ny");
    let mut out = Vec::new();
    encode(&command, &mut out);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(
        text,
        "{\"code\":1,\"extFields\":{\"properties\":\"a\\u0001\\\"b\\\"\\\\\\u001f\\té/\"},\"flag\":0,\
         \"language\":\"PYTHON\",\"opaque\":-3,\"remark\":\"x\\ny\",\"serializeTypeCurrentRPC\":\"JSON\",\
         \"version\":479}"
    );
    assert_eq!(ok(&text), command);
}

#[test]
fn an_empty_object_is_code_0() {
    let command = ok("{}");
    assert_eq!((command.code, command.flag, command.opaque, command.version), (0, 0, 0, 0));
    assert_eq!((command.language, command.remark, command.codec), (Language::JAVA, None, Codec::Json));
}

#[test]
fn what_apache_tolerates_is_accepted() {
    let same = [
        "{'code':105}",
        "{\"code\":\"105\"}",
        " { \"code\" : 105 , } \n",
        "{/* which */\"code\":105}// route",
        "{\"code\":1,\"code\":105}",
        "{\"flag\":null,\"opaque\":null,\"version\":null,\"remark\":null,\"extFields\":null,\"code\":105}",
        "{\"unknown\":{\"a\":[1,{}]},\"code\":105,\"more\":null}",
        "{\"c\\u006fde\":105}",
        "{1:2,{\"a\":1}:3,\"code\":105}",
    ];
    for header in same {
        let command = ok(header);
        assert_eq!((command.code, command.fields.len(), command.remark), (105, 0, None), "{header}");
    }
}

#[test]
fn any_language_is_accepted() {
    for (value, language) in [
        ("\"GO\"", Language::GO),
        ("\"KLINGON\"", Language::OTHER),
        ("3", Language::PYTHON),
        ("-1", Language::OTHER),
        ("null", Language::JAVA),
        ("[]", Language::OTHER),
    ] {
        assert_eq!(ok(&format!("{{\"language\":{value}}}")).language, language, "{value}");
    }
}

#[test]
fn bare_values_among_the_fields_become_text() {
    let expected = pairs([("a", "1"), ("b", "true"), ("c", "1.5"), ("d", "{\"x\":[1]}"), ("1", "")]);
    assert_eq!(fields_of("{\"a\":1,\"b\":true,\"c\":1.5,'d':{\"x\":[1]},1:\"\"}"), expected);
}

#[test]
fn of_equal_fields_the_last_counts_and_null_hides_the_others() {
    assert_eq!(ok("{\"extFields\":{\"a\":\"1\",\"a\":\"2\"}}").fields.get("a"), Some("2"));
    assert_eq!(fields_of("{\"a\":\"1\",\"b\":\"2\",\"a\":null}"), pairs([("b", "2")]));
}

#[test]
fn what_apache_refuses_is_refused() {
    for header in [
        "",
        " ",
        "null",
        "[]",
        "105",
        "{",
        "{\"code\"",
        "{\"code\":",
        "{\"code\":105",
        "{\"code\":105}}",
        "{\"code\":105} x",
        "{code:105}",
        "{\"extFields\":{topic:\"T\"}}",
        "{\"extFields\":[]}",
        "{\"a\":{b:1}}",
        "\u{feff}{\"code\":105}",
        "{\"code\" 105}",
        "{\"a\":\"x}",
        "{\"a\":\"\\q\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":/*x}",
        "{\"a\":tru}",
    ] {
        let refused = decode(header.as_bytes());
        assert!(matches!(refused, Err(WireError::Json { .. })), "{header}: {refused:?}");
    }
}

#[test]
fn numbers_must_be_numbers_of_32_bits() {
    for (name, value) in [("code", "\"x\""), ("opaque", "3000000000"), ("flag", "1.5"), ("version", "{}")] {
        let refused = decode(format!("{{\"{name}\":{value}}}").as_bytes());
        assert_eq!(refused, Err(WireError::BadMember { name }));
    }
}

#[test]
fn depth_and_unknown_members_are_bounded() {
    let deep = format!("{{\"a\":{}", "[".repeat(100_000));
    assert!(matches!(decode(deep.as_bytes()), Err(WireError::JsonTooDeep { .. })));
    let wide = format!("{{\"a\":[{}]}}", "1,".repeat(2000));
    assert_eq!(decode(wide.as_bytes()), Err(WireError::JsonTooLarge { limit: 1024 }));
    let fields = "\"a\":\"\",".repeat(2000);
    assert_eq!(fields_of(&format!("{{{fields}}}")).len(), 2000);
}

#[test]
fn bytes_that_are_not_utf8_are_replaced() {
    let command = decode(b"{\"remark\":\"\xff\"}").unwrap();
    assert_eq!(command.remark.as_deref(), Some("\u{fffd}"));
}

#[test]
fn a_field_of_any_length_ends_at_its_quote_whatever_else_the_header_has() {
    for length in 0..40 {
        for at in 0..=length {
            for special in ["", "\u{1}", "\"", "\\", "é"] {
                let value = format!("{}{special}{}", "x".repeat(at), "y".repeat(length - at));
                let mut command = ok(ROUTE);
                command.fields = [("properties", value.as_str()), ("z", "1")].into_iter().collect();
                let mut header = Vec::new();
                encode(&command, &mut header);
                assert_eq!(decode(&header).unwrap(), command);
                // With a byte that is not UTF-8, each text is looked at by itself.
                let broken = [b"{\"remark\":\"\xff\",".as_slice(), &header[1..]].concat();
                let remark = Some("\u{fffd}".to_owned());
                assert_eq!(decode(&broken).unwrap(), Command { remark, ..command });
            }
        }
    }
}

#[test]
fn members_that_nobody_knows_are_passed_over() {
    let command = ok(r#"{"x":"a\"b","code":1,"y":{"z":[1,"2"]},"serializeTypeCurrentRPC":"JSON","w":'v'}"#);
    assert_eq!((command.code, command.fields.len()), (1, 0));
    assert!(decode(br#"{"code":1,"x":"a}"#).is_err());
}
