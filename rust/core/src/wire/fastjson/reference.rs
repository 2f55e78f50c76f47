//! References: `{"$ref":"$.a.b[0]"}` stands for what is found at that path from the root.
//!
//! A reference that points at nothing, around itself (`..`, `@`, `$`) or back into itself stays as it is.
//! What all references together may add is bounded: a few nested ones could otherwise multiply a small text
//! into gigabytes.

use super::{MAX_DEPTH, Value};
use crate::error::WireError;

/// The only member of a reference.
pub(super) const KEY: &str = "$ref";

/// What references may add: one for each value, and one for each byte of its text.
const LIMIT: usize = 1 << 18;

/// A copy of the tree with its references replaced.
pub(super) fn resolve(root: &Value) -> Result<Value, WireError> {
    Resolver { root, open: Vec::new(), spent: 0 }.copy(root, 0)
}

struct Resolver<'a> {
    root: &'a Value,
    /// Paths that are being replaced, outermost first.
    open: Vec<&'a str>,
    spent: usize,
}

impl<'a> Resolver<'a> {
    fn copy(&mut self, value: &'a Value, depth: usize) -> Result<Value, WireError> {
        if depth >= MAX_DEPTH {
            return Err(WireError::JsonTooDeep { offset: 0, limit: MAX_DEPTH });
        }
        self.charge(value)?;
        if let Some(path) = path_of(value) {
            return self.follow(value, path, depth);
        }
        Ok(match value {
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.copy(item, depth + 1)).collect::<Result<_, _>>()?)
            }
            Value::Object(members) => {
                let mut copied = Vec::with_capacity(members.len());
                for (key, value) in members {
                    copied.push((self.copy(key, depth + 1)?, self.copy(value, depth + 1)?));
                }
                Value::Object(copied)
            }
            plain => plain.clone(),
        })
    }

    fn follow(&mut self, reference: &Value, path: &'a str, depth: usize) -> Result<Value, WireError> {
        let target = if self.open.contains(&path) { None } else { find(self.root, path) };
        let Some(target) = target else { return Ok(reference.clone()) };
        self.open.push(path);
        let copied = self.copy(target, depth + 1)?;
        self.open.pop();
        Ok(copied)
    }

    /// Only what lies under a reference costs: the rest is no larger than the text it came from.
    fn charge(&mut self, value: &Value) -> Result<(), WireError> {
        if !self.open.is_empty() {
            self.spent += match value {
                Value::Str(text) => text.len() + 1,
                _ => 1,
            };
        }
        if self.spent > LIMIT { Err(WireError::JsonTooLarge { limit: LIMIT }) } else { Ok(()) }
    }
}

/// The path, if the value is a reference.
fn path_of(value: &Value) -> Option<&str> {
    match value {
        Value::Object(members) => match members.as_slice() {
            [(Value::Str(key), Value::Str(path))] if key == KEY => Some(path),
            _ => None,
        },
        _ => None,
    }
}

/// Follows `$.name.name[0]` from the root; the root itself is no target, being around every reference.
fn find<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    let mut rest = path.strip_prefix('$').filter(|rest| !rest.is_empty())?;
    let mut value = root;
    while !rest.is_empty() {
        (value, rest) = step(value, rest)?;
    }
    Some(value)
}

fn step<'a, 'p>(value: &'a Value, path: &'p str) -> Option<(&'a Value, &'p str)> {
    if let Some(path) = path.strip_prefix('[') {
        let (index, rest) = path.split_once(']')?;
        return Some((at(value, index)?, rest));
    }
    let path = path.strip_prefix('.')?;
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (name, rest) = path.split_at_checked(end)?;
    Some((value.get(name).or_else(|| at(value, name))?, rest))
}

/// An item by position, or a member by its numeric name.
fn at<'a>(value: &'a Value, index: &str) -> Option<&'a Value> {
    match value {
        Value::Array(items) => items.get(index.parse::<usize>().ok()?),
        Value::Object(members) => {
            let number = index.parse().ok()?;
            members.iter().rev().find(|(key, _)| *key == Value::Int(number)).map(|(_, value)| value)
        }
        _ => None,
    }
}
