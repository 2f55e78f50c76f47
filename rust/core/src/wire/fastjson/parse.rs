//! The grammar of the dialect, as a value tree.

use super::{Lexer, MAX_DEPTH, Names, Value, reference};
use crate::error::WireError;

/// Reads one value that fills the text, and replaces its references.
pub fn parse(text: &[u8]) -> Result<Value, WireError> {
    let mut lexer = Lexer::new(text, Names::Any);
    let root = value(&mut lexer, 0)?;
    lexer.end()?;
    if lexer.has_references { reference::resolve(&root) } else { Ok(root) }
}

/// Reads the value at the lexer's position; `depth` is the number of containers around it.
pub(in crate::wire) fn value(lexer: &mut Lexer<'_>, depth: usize) -> Result<Value, WireError> {
    if depth >= MAX_DEPTH {
        return Err(WireError::JsonTooDeep { offset: lexer.at(), limit: MAX_DEPTH });
    }
    lexer.charge()?;
    match lexer.peek()? {
        Some(b'{') => object(lexer, depth),
        Some(b'[') => array(lexer, depth),
        Some(b'"' | b'\'') => Ok(Value::Str(lexer.string()?.into_owned())),
        Some(b'0'..=b'9' | b'-' | b'+' | b'.') => lexer.number(),
        _ => literal(lexer),
    }
}

fn literal(lexer: &mut Lexer<'_>) -> Result<Value, WireError> {
    let wrong = lexer.wrong("a value");
    match lexer.word().as_ref() {
        "null" | "undefined" => Ok(Value::Null),
        "true" => Ok(Value::Bool(true)),
        "false" => Ok(Value::Bool(false)),
        "NaN" => Ok(Value::Float(f64::NAN)),
        _ => Err(wrong),
    }
}

fn array(lexer: &mut Lexer<'_>, depth: usize) -> Result<Value, WireError> {
    lexer.expect(b'[', "[")?;
    let mut items = Vec::new();
    while !lexer.eat(b']')? {
        items.push(value(lexer, depth + 1)?);
        if !lexer.eat(b',')? {
            lexer.expect(b']', ", or ]")?;
            break;
        }
    }
    Ok(Value::Array(items))
}

fn object(lexer: &mut Lexer<'_>, depth: usize) -> Result<Value, WireError> {
    lexer.expect(b'{', "{")?;
    let mut members = Vec::new();
    while !lexer.eat(b'}')? {
        let name = key(lexer, depth + 1)?;
        lexer.expect(b':', ":")?;
        members.push((name, value(lexer, depth + 1)?));
        if !lexer.eat(b',')? {
            lexer.expect(b'}', ", or }")?;
            break;
        }
    }
    Ok(Value::Object(members))
}

/// Reads a member's name; `depth` is the number of containers around it.
pub(in crate::wire) fn key(lexer: &mut Lexer<'_>, depth: usize) -> Result<Value, WireError> {
    let key = match lexer.peek()? {
        Some(b'"' | b'\'') => Value::Str(lexer.string()?.into_owned()),
        Some(b'0'..=b'9' | b'-') => integer(lexer)?,
        Some(b'{') => value(lexer, depth)?,
        _ => Value::Str(bare_name(lexer)?),
    };
    lexer.has_references |= matches!(&key, Value::Str(name) if name == reference::KEY);
    Ok(key)
}

fn integer(lexer: &mut Lexer<'_>) -> Result<Value, WireError> {
    let wrong = lexer.wrong("a member name");
    lexer.number().ok().filter(|number| matches!(number, Value::Int(_))).ok_or(wrong)
}

fn bare_name(lexer: &mut Lexer<'_>) -> Result<String, WireError> {
    let wrong = lexer.wrong("a member name");
    let name = if lexer.names == Names::Any { lexer.word() } else { "".into() };
    if name.is_empty() { Err(wrong) } else { Ok(name.into_owned()) }
}
