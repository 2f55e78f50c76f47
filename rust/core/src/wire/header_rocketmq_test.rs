use super::*;

/// A header of code, flag, remark and field section as given.
fn header(code: i16, flag: i32, remark: &[u8], fields: &[u8]) -> Vec<u8> {
    let mut header = Vec::new();
    header.put_i16(code);
    header.put_u8(12);
    header.put_i16(479);
    header.put_i32(-2);
    header.put_i32(flag);
    header.put_i32(remark.len() as i32);
    header.put_slice(remark);
    header.put_i32(fields.len() as i32);
    header.put_slice(fields);
    header
}

fn entry(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut entry = Vec::new();
    entry.put_i16(key.len() as i16);
    entry.put_slice(key);
    entry.put_i32(value.len() as i32);
    entry.put_slice(value);
    entry
}

fn fields_of(section: &[u8]) -> Vec<(String, String)> {
    let command = decode(&header(1, 0, b"", section)).unwrap();
    command.fields.iter().map(|(key, value)| (key.into(), value.into())).collect()
}

#[test]
fn a_response_has_all_its_parts() {
    let bytes = header(17, 1, b"no route", b"");
    let command = decode(&bytes).unwrap();
    assert_eq!((command.code, command.language, command.version), (17, Language::RUST, 479));
    assert_eq!((command.opaque, command.flag, command.remark.as_deref()), (-2, 1, Some("no route")));
    let mut out = Vec::new();
    encode(&command, &mut out).unwrap();
    assert_eq!(out, bytes);
}

#[test]
fn negative_codes_are_sign_extended() {
    assert_eq!(decode(&header(-1000, 1, b"", b"")).unwrap().code, -1000);
}

#[test]
fn pop_requests_get_their_codes_back_and_responses_do_not() {
    let full = [200_050, 200_051, 200_052, 200_053, 200_054, 200_055, 200_056, 200_151];
    let short = [3442, 3443, 3444, 3445, 3446, 3447, 3448, 3543];
    for (full, short) in full.into_iter().zip(short) {
        let bytes = header(short, 0, b"", b"");
        let request = decode(&bytes).unwrap();
        assert_eq!(request.code, full);
        let mut out = Vec::new();
        encode(&request, &mut out).unwrap();
        assert_eq!(out, bytes);
        assert_eq!(decode(&header(short, 1, b"", b"")).unwrap().code, i32::from(short));
        let response = Command { flag: 1, ..request };
        assert!(encode(&response, &mut Vec::new()).is_err());
    }
    assert_eq!(decode(&header(3449, 0, b"", b"")).unwrap().code, 3449);
}

#[test]
fn of_equal_keys_the_last_counts_and_null_hides_the_others() {
    let section = [entry(b"a", b"1"), entry(b"b", b"2"), entry(b"a", b"3")].concat();
    let command = decode(&header(1, 0, b"", &section)).unwrap();
    assert_eq!(command.fields.get("a"), Some("3"));
    let section = [entry(b"a", b"1"), entry(b"b", b"2"), entry(b"", b"x"), entry(b"a", b"")].concat();
    assert_eq!(fields_of(&section), [("b".into(), "2".into())]);
}

#[test]
fn text_that_is_not_utf8_is_replaced() {
    assert_eq!(fields_of(&entry(b"a\xff", b"\xe9t")), [("a\u{fffd}".into(), "\u{fffd}t".into())]);
}

#[test]
fn bytes_after_the_fields_are_ignored() {
    let mut bytes = header(1, 0, b"", &entry(b"a", b"1"));
    bytes.extend_from_slice(b"later versions");
    assert_eq!(decode(&bytes).unwrap().fields.len(), 1);
}

#[test]
fn every_cut_is_an_error_that_names_the_field() {
    let bytes = header(1, 0, b"remark", &entry(b"key", b"value"));
    for length in 0..bytes.len() {
        let error = decode(&bytes[..length]).unwrap_err();
        assert!(matches!(error, WireError::HeaderTruncated { .. }), "{length}: {error}");
    }
    let error = WireError::HeaderTruncated { field: "opaque", offset: 5, need: 4, have: 2 };
    assert_eq!(decode(&bytes[..7]), Err(error));
}

#[test]
fn lengths_that_lie_are_errors() {
    let negative = |field, offset, length| Err(WireError::NegativeLength { field, offset, length });
    let mut remark = header(1, 0, b"", b"");
    remark[13..17].copy_from_slice(&(-1_i32).to_be_bytes());
    assert_eq!(decode(&remark), negative("remark", 17, -1));
    assert_eq!(decode(&header(1, 0, b"", &[0x80, 0, 0, 0])), negative("key", 2, -32_768));
    let huge = [0, 1, b'k', 0x7f, 0xff, 0xff, 0xff, b'v'];
    let truncated =
        WireError::HeaderTruncated { field: "value", offset: 7, need: i32::MAX as usize, have: 1 };
    assert_eq!(decode(&header(1, 0, b"", &huge)), Err(truncated));
}

#[test]
fn a_header_without_its_last_word_is_short() {
    let bytes = header(1, 0, b"", b"");
    assert_eq!(bytes.len(), 21);
    assert!(decode(&bytes[..17]).is_err());
}

#[test]
fn null_keys_and_values_are_not_written() {
    let fields = [("", "x"), ("empty", ""), ("a", "1")].into_iter().collect();
    let mut out = Vec::new();
    encode(&Command::request(1, 0, fields), &mut out).unwrap();
    let command = decode(&out).unwrap();
    assert_eq!(command.fields.iter().collect::<Vec<_>>(), [("a", "1")]);
}
