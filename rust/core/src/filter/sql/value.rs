//! What parts of a condition come to for one message, and how two such values compare: Java's rules, by their classes.

use std::cmp::Ordering;

use super::double::parse_double;
use super::number::{Number, compare_doubles};

/// Why a condition says nothing about a message: Apache's evaluation throws there, and the message is not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoVerdict {
    /// A property's text met a number and is none, or none of that kind.
    #[error("a property that is compared with a number holds something else")]
    NotANumber,
    /// A condition or `TRUE` on the left of `=`, text on its right.
    #[error("a condition is compared with text")]
    BooleanBeforeText,
}

/// A value; `None` around it is SQL's null.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Boolean(bool),
    Number(Number),
    Text(&'a str),
}

impl Value<'_> {
    /// Compares for `=`. Values of kinds that have nothing in common are different: the left one counts as smaller.
    pub(super) fn compare(self, other: Self) -> Result<Ordering, NoVerdict> {
        match (self, other) {
            (Value::Boolean(left), Value::Boolean(right)) => Ok(left.cmp(&right)),
            // Apache casts the wrong one of the two, and fails.
            (Value::Boolean(_), Value::Text(_)) => Err(NoVerdict::BooleanBeforeText),
            (Value::Text(left), Value::Boolean(right)) => Ok(left.eq_ignore_ascii_case("true").cmp(&right)),
            (Value::Number(left), Value::Number(right)) => Ok(left.compare(right)),
            (Value::Number(left), Value::Text(right)) => {
                left.compare_text(right).ok_or(NoVerdict::NotANumber)
            }
            (Value::Text(left), Value::Number(right)) => {
                right.compare_text(left).map(Ordering::reverse).ok_or(NoVerdict::NotANumber)
            }
            (Value::Text(left), Value::Text(right)) => Ok(left.cmp(right)),
            (Value::Boolean(_), Value::Number(_)) | (Value::Number(_), Value::Boolean(_)) => {
                Ok(Ordering::Less)
            }
        }
    }

    /// Compares for `<`, `<=`, `>` and `>=`: two texts have to be numbers.
    pub(super) fn order(self, other: Self) -> Result<Ordering, NoVerdict> {
        let (Value::Text(left), Value::Text(right)) = (self, other) else { return self.compare(other) };
        match (parse_double(left), parse_double(right)) {
            (Some(left), Some(right)) => Ok(compare_doubles(left, right)),
            _ => Err(NoVerdict::NotANumber),
        }
    }
}
