//! The JSON dialect of RocketMQ's bodies: Alibaba's fastjson, which is not JSON.
//!
//! What differs: maps with numeric keys are written with bare keys (`{0:"a"}`), maps with object keys too
//! (`{{"queueId":0}:7}`), and there is no other form of them that Java reads. Readers take single quotes,
//! bare names, trailing commas and comments. An object that occurs twice may be written as a
//! reference (`{"$ref":"$.a.b[0]"}`); [`parse`] replaces those that point at a place in the text.
//!
//! Numbers given as text stay text: only the consumer of a member knows its type.

mod lexer;
mod parse;
mod reference;
mod write;

pub(super) use lexer::{Lexer, Names};
pub use parse::parse;
pub(super) use parse::{key, value};
pub use write::{Dialect, write};
pub(super) use write::{write_number, write_string};

/// How deep a text may nest. Apache's bodies stay below ten; the limit keeps recursion off the end of the
/// stack.
pub const MAX_DEPTH: usize = 128;

/// A JSON value. Members keep their order; of equal keys the last counts.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without fraction that fits 64 bits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Str(String),
    /// A list.
    Array(Vec<Value>),
    /// Members. A key is a `Str`, an `Int` or an `Object`.
    Object(Vec<(Value, Value)>),
}

impl Value {
    /// The member under a text key, if this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let Self::Object(members) = self else { return None };
        let is_key = |name: &Value| matches!(name, Self::Str(name) if name == key);
        members.iter().rev().find(|(name, _)| is_key(name)).map(|(_, value)| value)
    }
}

#[cfg(test)]
#[path = "fastjson_test.rs"]
mod tests;
