//! What a condition says about one message.
//!
//! Three values: true, false and unknown (null), which a missing property gives. `AND` and `OR` stop at the first part that
//! decides, so that an error behind it does not happen.

use std::cmp::Ordering;

use super::expression::{Expression, Part, Relation};
use super::number::Number;
use super::value::{NoVerdict, Value};

type Evaluated<'a> = Result<Option<Value<'a>>, NoVerdict>;
type Verdict = Result<Option<bool>, NoVerdict>;

/// The verdict on a message whose properties have these values.
pub(super) fn verdict(condition: &Expression, values: &[Option<&str>]) -> Verdict {
    Evaluation { values }.condition(condition)
}

struct Evaluation<'a> {
    /// By the number of the property.
    values: &'a [Option<&'a str>],
}

impl<'a> Evaluation<'a> {
    fn property(&self, number: usize) -> Option<&'a str> {
        self.values.get(number).copied().flatten()
    }

    fn value(&self, expression: &'a Expression) -> Evaluated<'a> {
        match expression {
            Expression::Property(number) => Ok(self.property(*number).map(Value::Text)),
            Expression::Text(text) => Ok(Some(Value::Text(text))),
            Expression::Number(number) => Ok(Some(Value::Number(*number))),
            Expression::Negate(inner) => Ok(self.value(inner)?.and_then(negated).map(Value::Number)),
            condition => Ok(self.condition(condition)?.map(Value::Boolean)),
        }
    }

    fn condition(&self, expression: &Expression) -> Verdict {
        match expression {
            Expression::Boolean(value) => Ok(*value),
            Expression::Truth(number) => Ok(self.property(*number).map(|_| false)),
            Expression::Not(inner) => Ok(self.condition(inner)?.map(|value| !value)),
            Expression::And(all) => self.first(all, false),
            Expression::Or(all) => self.first(all, true),
            Expression::Equal(sides) => self.equal(sides),
            Expression::IsNull(inner) => Ok(Some(self.value(inner)?.is_none())),
            Expression::Order(relation, sides) => self.order(*relation, sides),
            Expression::Between { limits, not } => self.between(limits, *not),
            Expression::In { property, texts, not } => {
                Ok(self.property(*property).map(|text| texts.contains(text) != *not))
            }
            Expression::Match { part, operand, search, not } => self.matched(*part, operand, search, *not),
            // The parser puts no plain value where a condition is needed.
            Expression::Property(_) | Expression::Text(_) | Expression::Number(_) | Expression::Negate(_) => {
                Ok(None)
            }
        }
    }

    /// `decisive` if a part is that; otherwise unknown if a part is, and the opposite if none is.
    fn first(&self, parts: &[Expression], decisive: bool) -> Verdict {
        let mut rest = Some(!decisive);
        for part in parts {
            match self.condition(part)? {
                Some(value) if value == decisive => return Ok(Some(decisive)),
                Some(_) => {}
                None => rest = None,
            }
        }
        Ok(rest)
    }

    /// Not as in SQL: two nulls are equal, and a null on the right alone makes them different.
    fn equal(&self, [left, right]: &[Expression; 2]) -> Verdict {
        match (self.value(left)?, self.value(right)?) {
            (None, None) => Ok(Some(true)),
            (None, Some(_)) => Ok(None),
            (Some(_), None) => Ok(Some(false)),
            (Some(left), Some(right)) => Ok(Some(left.compare(right)?.is_eq())),
        }
    }

    fn order(&self, relation: Relation, [left, right]: &[Expression; 2]) -> Verdict {
        let left = self.value(left)?;
        self.related(left, relation, right)
    }

    fn related(&self, left: Option<Value<'_>>, relation: Relation, right: &Expression) -> Verdict {
        let Some(left) = left else { return Ok(None) };
        let Some(right) = self.value(right)? else { return Ok(None) };
        Ok(Some(relation.holds(left.order(right)?)))
    }

    /// Two comparisons joined by `AND`, or by `OR` under `NOT`.
    fn between(&self, [value, low, high]: &[Expression; 3], not: bool) -> Verdict {
        let value = self.value(value)?;
        let (above, below) = if not {
            (Relation::Less, Relation::Greater)
        } else {
            (Relation::GreaterOrEqual, Relation::LessOrEqual)
        };
        let first = self.related(value, above, low)?;
        if first == Some(not) {
            return Ok(first);
        }
        let second = self.related(value, below, high)?;
        Ok(if second == Some(not) { second } else { first.and(second) })
    }

    /// Never unknown: without an operand, or with one that is no text, it is false even under `NOT`.
    fn matched(&self, part: Part, operand: &Expression, search: &str, not: bool) -> Verdict {
        if search.is_empty() {
            return Ok(Some(false));
        }
        let Some(Value::Text(text)) = self.value(operand)? else { return Ok(Some(false)) };
        let found = match part {
            Part::Anywhere => memchr::memmem::find(text.as_bytes(), search.as_bytes()).is_some(),
            Part::Start => text.starts_with(search),
            Part::End => text.ends_with(search),
        };
        Ok(Some(found != not))
    }
}

impl Relation {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// Only numbers have an opposite; a property is text.
fn negated(value: Value<'_>) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.negated()),
        Value::Boolean(_) | Value::Text(_) => None,
    }
}
