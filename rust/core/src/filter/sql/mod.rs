//! SQL92 conditions over the properties of a message, as Apache's filter module (5.5.0) reads and judges them.
//!
//! text -> `lexer` (tokens) -> `parser` (an `Expression`, checked as Apache checks it) -> `evaluate` (a verdict on one message's
//! property text). What would surprise in SQL is Apache's and written down in `docs/filters.md`; the interop tests compare
//! us with Apache's own parser and evaluator on generated pairs.
//!
//! Nothing here panics, and a condition is judged without recursing deeper than [`MAX_DEPTH`].

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod assemble;
mod double;
mod error;
mod evaluate;
mod expression;
mod lexer;
mod limits;
mod names;
mod number;
mod parser;
mod value;

#[cfg(test)]
mod sql_test;

pub use error::{Position, Problem, SqlError};
pub use limits::{MAX_DEPTH, MAX_LENGTH};
pub use value::NoVerdict;

use expression::Expression;
use names::Names;

/// A compiled condition.
#[derive(Debug, Clone, PartialEq)]
pub struct SqlFilter {
    condition: Expression,
    names: Names,
}

impl SqlFilter {
    /// Compiles a condition.
    pub fn parse(text: &str) -> Result<Self, SqlError> {
        parser::parse(text)
    }

    /// What the condition says about a message with this property text; `None` is SQL's "unknown".
    pub fn verdict(&self, properties: &str) -> Result<Option<bool>, NoVerdict> {
        evaluate::verdict(&self.condition, &self.names.values(properties))
    }

    /// How much there may be to do for a message with this property text: bytes that are compared, at most, and roughly.
    pub fn work(&self, properties: &str) -> usize {
        self.condition.parts().saturating_mul(properties.len())
    }

    /// Whether a message with this property text is selected: neither "unknown" nor an error selects it.
    pub fn matches(&self, properties: &str) -> bool {
        self.verdict(properties) == Ok(Some(true))
    }
}

/// The condition in a form that parses to an equal one.
impl std::fmt::Display for SqlFilter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.condition.print(&self.names.in_order(), out)
    }
}
