//! The JSON header: one object, read with 5.5.0's tolerance.
//!
//! Accepted: any order, blanks, comments, single quotes, trailing commas, unknown and null members, numbers
//! given as text, bare numbers and booleans among the fields, missing members (an empty object is code 0),
//! any language name or number. Refused, which closes the connection: bare member names, text after the
//! object, anything but an object. The last of equal members counts.

use std::borrow::Cow;

use bytes::Bytes;

use super::fastjson::{self, Dialect, Lexer, Names, Value, write_number, write_string};
use super::{Codec, Command, Fields, Language, WireError};

/// Fields that a usual header has; saves growing the list.
const USUAL_FIELDS: usize = 16;

pub(super) fn decode(header: &[u8]) -> Result<Command, WireError> {
    let mut command = Command {
        code: 0,
        language: Language::JAVA,
        version: 0,
        opaque: 0,
        flag: 0,
        remark: None,
        fields: Fields::new(),
        body: Bytes::new(),
        codec: Codec::Json,
    };
    let mut lexer = Lexer::new(header, Names::Quoted);
    members(&mut lexer, |lexer, name| member(lexer, name, &mut command, header.len()))?;
    lexer.end()?;
    Ok(command)
}

pub(super) fn encode(command: &Command, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"code\":");
    write_number(out, i64::from(command.code));
    if !command.fields.is_empty() {
        encode_fields(&command.fields, out);
    }
    out.extend_from_slice(b",\"flag\":");
    write_number(out, i64::from(command.flag));
    out.extend_from_slice(b",\"language\":\"");
    out.extend_from_slice(command.language.name().as_bytes());
    out.extend_from_slice(b"\",\"opaque\":");
    write_number(out, i64::from(command.opaque));
    if let Some(remark) = &command.remark {
        out.extend_from_slice(b",\"remark\":");
        write_string(out, remark, Dialect::Classic);
    }
    out.extend_from_slice(b",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":");
    write_number(out, i64::from(command.version));
    out.push(b'}');
}

fn encode_fields(fields: &Fields, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"extFields\":{");
    for (position, (key, value)) in fields.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write_string(out, key, Dialect::Classic);
        out.push(b':');
        write_string(out, value, Dialect::Classic);
    }
    out.push(b'}');
}

/// Walks an object; the visitor reads each member's value.
fn members<'a>(
    lexer: &mut Lexer<'a>,
    mut visit: impl FnMut(&mut Lexer<'a>, &str) -> Result<(), WireError>,
) -> Result<(), WireError> {
    lexer.expect(b'{', "{")?;
    while !lexer.eat(b'}')? {
        let name = name(lexer)?;
        lexer.expect(b':', ":")?;
        visit(lexer, &name)?;
        if !lexer.eat(b',')? {
            return lexer.expect(b'}', ", or }");
        }
    }
    Ok(())
}

/// A member's name as text. Numbers and objects are names of unknown members, or odd fields.
fn name<'a>(lexer: &mut Lexer<'a>) -> Result<Cow<'a, str>, WireError> {
    match lexer.peek()? {
        Some(b'"' | b'\'') => lexer.string(),
        _ => Ok(Cow::Owned(as_text(fastjson::key(lexer, 2)?))),
    }
}

fn member(lexer: &mut Lexer<'_>, name: &str, command: &mut Command, size: usize) -> Result<(), WireError> {
    match name {
        "code" => command.code = integer(lexer, "code")?.unwrap_or(0),
        "flag" => command.flag = integer(lexer, "flag")?.unwrap_or(0),
        "opaque" => command.opaque = integer(lexer, "opaque")?.unwrap_or(0),
        "version" => command.version = integer(lexer, "version")?.unwrap_or(0),
        "language" => command.language = language(lexer)?,
        "remark" => command.remark = text(lexer)?,
        "extFields" => command.fields = decode_fields(lexer, size)?,
        _ => skip(lexer)?,
    }
    Ok(())
}

/// Passes over the value of an unknown member.
fn skip(lexer: &mut Lexer<'_>) -> Result<(), WireError> {
    if let Some(b'"' | b'\'') = lexer.peek()? {
        lexer.string().map(drop)
    } else {
        fastjson::value(lexer, 1).map(drop)
    }
}

fn decode_fields(lexer: &mut Lexer<'_>, size: usize) -> Result<Fields, WireError> {
    if lexer.peek()? != Some(b'{') {
        return match fastjson::value(lexer, 1)? {
            Value::Null => Ok(Fields::new()),
            _ => Err(lexer.wrong("an object of fields")),
        };
    }
    let mut fields = Fields::with_capacity(USUAL_FIELDS, size);
    let mut nulls = false;
    members(lexer, |lexer, name| {
        if let Some(b'"' | b'\'') = lexer.peek()? {
            fields.push_with(name, |text| lexer.append_string(text))?;
        } else if let Some(value) = text(lexer)? {
            fields.push(name, &value);
        } else {
            fields.push_null(name);
            nulls = true;
        }
        Ok(())
    })?;
    if nulls {
        fields.drop_nulls();
    }
    Ok(fields)
}

/// A value as Java's map of text would hold it; `None` for null.
fn text(lexer: &mut Lexer<'_>) -> Result<Option<String>, WireError> {
    Ok(match fastjson::value(lexer, 2)? {
        Value::Null => None,
        value => Some(as_text(value)),
    })
}

fn as_text(value: Value) -> String {
    match value {
        Value::Str(text) => text,
        other => String::from_utf8_lossy(&fastjson::write(&other, Dialect::Classic)).into_owned(),
    }
}

/// A number, also as text; `None` for null.
fn integer(lexer: &mut Lexer<'_>, name: &'static str) -> Result<Option<i32>, WireError> {
    let number = match fastjson::value(lexer, 1)? {
        Value::Null => return Ok(None),
        Value::Int(number) => i32::try_from(number).ok(),
        Value::Str(text) => text.parse().ok(),
        _ => None,
    };
    number.map(Some).ok_or(WireError::BadMember { name })
}

/// Unknown names and numbers must not fail the decode.
fn language(lexer: &mut Lexer<'_>) -> Result<Language, WireError> {
    if let Some(b'"' | b'\'') = lexer.peek()? {
        return Ok(Language::from_name(&lexer.string()?));
    }
    Ok(match fastjson::value(lexer, 1)? {
        Value::Null => Language::JAVA,
        Value::Int(number) => u8::try_from(number).map_or(Language::OTHER, Language),
        _ => Language::OTHER,
    })
}

#[cfg(test)]
#[path = "header_json_test.rs"]
mod tests;
