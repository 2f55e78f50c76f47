//! The exact writer: what fastjson writes for the same value.
//!
//! Members under text keys are sorted by name, as bean properties are, and left out when null. A number that JSON does not
//! have is written as `null`, as a member too: fastjson asks whether there is a value before it asks what is written. Members
//! under numbers or objects are map entries: `Classic` keeps their order, as Java's hash maps have none;
//! `Standard` sorts and quotes the numeric ones. Objects as keys stay bare in both, since no reader takes
//! any other form.

use std::cmp::Ordering;
use std::io::Write;

use super::Value;

/// Which of fastjson's two ways of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Its default: numeric keys bare, everything beyond ASCII as it is.
    Classic,
    /// Browser compatible, for those who parse with a JSON library: keys quoted and sorted, `\uXXXX` beyond
    /// ASCII, integers that a double cannot hold as text.
    Standard,
}

/// What each dialect escapes.
static CLASSIC: [bool; 256] = escaped(256);
static STANDARD: [bool; 256] = escaped(0x7f);

/// The largest integer that a double holds exactly together with its neighbours.
const SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Writes the value.
pub fn write(value: &Value, dialect: Dialect) -> Vec<u8> {
    let mut out = Vec::new();
    write_value(&mut out, value, dialect);
    out
}

fn write_value(out: &mut Vec<u8>, value: &Value, dialect: Dialect) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(number) => write_integer(out, *number, dialect),
        Value::Float(number) => write_float(out, *number),
        Value::Str(text) => write_string(out, text, dialect),
        Value::Array(items) => {
            separated(out, *b"[]", items, |out, item| write_value(out, item, dialect));
        }
        Value::Object(members) => write_object(out, members, dialect),
    }
}

/// A decimal number; more only for a caller that writes members one by one.
pub(in crate::wire) fn write_number(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A string in double quotes.
pub(in crate::wire) fn write_string(out: &mut Vec<u8>, text: &str, dialect: Dialect) {
    let escapes = if dialect == Dialect::Standard { &STANDARD } else { &CLASSIC };
    out.push(b'"');
    let mut rest = text;
    // What needs an escape begins with a byte that tells so: continuation bytes are never looked at first.
    while let Some(at) = rest.bytes().position(|byte| escapes.get(usize::from(byte)) == Some(&true)) {
        let (plain, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.extend_from_slice(plain.as_bytes());
        let mut chars = from.chars();
        if let Some(char) = chars.next() {
            write_escape(out, char);
        }
        rest = chars.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
}

/// The bytes that need an escape: control characters, quotes and backslashes, and all from `beyond` on.
const fn escaped(beyond: usize) -> [bool; 256] {
    let mut table = [false; 256];
    let (mut rest, mut byte): (&mut [bool], usize) = (&mut table, 0);
    while let [place, behind @ ..] = rest {
        *place = byte < 0x20 || byte == b'"' as usize || byte == b'\\' as usize || byte >= beyond;
        (rest, byte) = (behind, byte + 1);
    }
    table
}

fn write_escape(out: &mut Vec<u8>, char: char) {
    let short = match char {
        '"' | '\\' => char as u8,
        '\u{8}' => b'b',
        '\u{c}' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        _ => {
            for unit in char.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn write_integer(out: &mut Vec<u8>, number: i64, dialect: Dialect) {
    let quoted = dialect == Dialect::Standard && number.unsigned_abs() > SAFE_INTEGER;
    let quote: &[u8] = if quoted { b"\"" } else { b"" };
    out.extend_from_slice(quote);
    write_number(out, number);
    out.extend_from_slice(quote);
}

/// Java's `Double.toString`: plain between 10^-3 and 10^7, else with an exponent; always with a point.
fn write_float(out: &mut Vec<u8>, number: f64) {
    if !number.is_finite() {
        out.extend_from_slice(b"null");
    } else if number == 0.0 || (1e-3..1e7).contains(&number.abs()) {
        let _ = write!(out, "{number:?}");
    } else {
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let fraction = if digits.contains('.') { "" } else { ".0" };
        let _ = write!(out, "{digits}{fraction}E{exponent}");
    }
}

fn write_object(out: &mut Vec<u8>, members: &[(Value, Value)], dialect: Dialect) {
    let mut present: Vec<_> = members.iter().filter(|(_, value)| *value != Value::Null).collect();
    let is_bean = present.iter().all(|(key, _)| matches!(key, Value::Str(_)));
    if is_bean || dialect == Dialect::Standard {
        present.sort_by(|(left, _), (right, _)| order(left, right));
    }
    separated(out, *b"{}", &present, |out, (key, value)| {
        match key {
            Value::Int(number) if dialect == Dialect::Standard => {
                write_string(out, &number.to_string(), dialect);
            }
            Value::Int(number) => write_number(out, *number),
            key => write_value(out, key, dialect),
        }
        out.push(b':');
        write_value(out, value, dialect);
    });
}

/// Java's order of keys: text by its UTF-16 units (which differ from bytes beyond the basic plane only),
/// numbers by value. Objects have none.
fn order(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Str(left), Value::Str(right)) => left.cmp(right),
        (Value::Int(left), Value::Int(right)) => left.cmp(right),
        _ => Ordering::Equal,
    }
}

fn separated<T>(out: &mut Vec<u8>, brackets: [u8; 2], items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    let [open, close] = brackets;
    out.push(open);
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(close);
}
