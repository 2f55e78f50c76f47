//! Why a text is no condition, and where.

use super::limits::{MAX_DEPTH, MAX_LENGTH};

/// A place in a condition's text, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl Position {
    /// Of the byte at `offset`.
    fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        Self { line, column: before.get(start..).unwrap_or_default().chars().count() + 1 }
    }
}

/// What is wrong with a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// No token starts here.
    #[error("{0:?} has no meaning here")]
    Character(char),
    /// A string without its closing quote.
    #[error("the string that starts here has no closing quote")]
    OpenString,
    /// A comment without its end.
    #[error("the comment that starts here has no end")]
    OpenComment,
    /// Another token should stand here.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What may stand here.
        expected: &'static str,
        /// What does.
        found: String,
    },
    /// A value where a condition is needed.
    #[error("this is a value, not a condition that is true or false")]
    NotBoolean,
    /// `<`, `<=`, `>`, `>=` or `BETWEEN` on something that is no number.
    #[error("this cannot be ordered: <, <=, >, >= and BETWEEN compare numbers and properties")]
    NotOrdered,
    /// `= NULL` or `<> NULL`.
    #[error("NULL cannot be compared: use IS NULL or IS NOT NULL")]
    NullCompared,
    /// `TRUE = 1` and the like.
    #[error("TRUE and FALSE cannot be compared with a constant of another kind")]
    KindsDiffer,
    /// `BETWEEN 5 AND 1`.
    #[error("the first limit of BETWEEN is larger than the second")]
    ReversedLimits,
    /// `IN` after something that is no property.
    #[error("IN needs the name of a property before it")]
    NotProperty,
    /// A number beyond what 64 bits hold; zero written with a point is one, as in Apache.
    #[error(
        "the number is out of range: integers have 64 bits, and numbers with a point are larger than zero"
    )]
    NumberRange,
    /// Nested beyond the limit.
    #[error("nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// Longer than the limit.
    #[error("longer than {MAX_LENGTH} bytes")]
    TooLong,
}

/// A text that is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {problem}", position.line, position.column)]
pub struct SqlError {
    /// Where.
    pub position: Position,
    /// Why.
    pub problem: Problem,
}

impl SqlError {
    pub(super) fn new(text: &str, offset: usize, problem: Problem) -> Self {
        Self { position: Position::of(text, offset), problem }
    }
}

/// A problem and the byte offset where it is.
pub(super) type Located = (usize, Problem);
