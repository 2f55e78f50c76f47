//! Parts of a condition put together, and the rules on what goes with what; `parser` says in which order.

use super::error::{Located, Problem};
use super::expression::{Expression, Relation};
use super::lexer::{Keyword, Symbol, Token};
use super::limits::MAX_DEPTH;

/// A parsed part.
pub(super) struct Operand {
    pub(super) expression: Expression,
    /// Where it starts.
    pub(super) start: usize,
    /// How deep it is nested.
    pub(super) height: u16,
}

pub(super) type Parsed = Result<Operand, Located>;

impl Operand {
    pub(super) fn leaf(start: usize, expression: Expression) -> Self {
        Self { expression, start, height: 0 }
    }

    /// A part made of others, the first of which starts at `start`.
    pub(super) fn over(
        start: usize,
        heights: impl IntoIterator<Item = u16>,
        expression: Expression,
    ) -> Parsed {
        let height = heights.into_iter().max().unwrap_or(0) + 1;
        if height > MAX_DEPTH {
            return Err((start, Problem::TooDeep));
        }
        Ok(Self { expression, start, height })
    }
}

/// Something whose right side is still to come.
pub(super) enum Pending {
    Parenthesis,
    Or(Operand),
    And(Operand),
    Equal(Operand),
    Different(Operand),
    Order(Operand, Relation),
    Between {
        value: Operand,
        not: bool,
        low: Option<Operand>,
    },
    /// A sign or `NOT`, and where it stands.
    Minus(usize),
    Not(usize),
}

/// How tight something binds the operand to its right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// Not at all: it waits for a token of its own.
    Enclosing,
    Or,
    And,
    Equality,
    /// Takes the operand, whatever comes behind it.
    Tight,
}

impl Pending {
    pub(super) fn strength(&self) -> Strength {
        match self {
            Self::Parenthesis | Self::Between { low: None, .. } => Strength::Enclosing,
            Self::Or(_) => Strength::Or,
            Self::And(_) => Strength::And,
            Self::Equal(_) | Self::Different(_) => Strength::Equality,
            Self::Order(..) | Self::Between { .. } | Self::Minus(_) | Self::Not(_) => Strength::Tight,
        }
    }

    pub(super) fn complete(self, right: Operand) -> Parsed {
        match self {
            Self::Or(left) => joined(left, right, Expression::Or),
            Self::And(left) => joined(left, right, Expression::And),
            Self::Equal(left) => equal(left, right),
            Self::Different(left) => negation(equal(left, right)?),
            Self::Order(left, relation) => order(left, relation, right),
            Self::Between { value, not, low: Some(low) } => between(value, low, right, not),
            Self::Minus(start) => {
                Operand::over(start, [right.height], Expression::Negate(right.expression.into()))
            }
            Self::Not(start) => negation(Operand { start, ..as_condition(right)? }),
            Self::Parenthesis | Self::Between { low: None, .. } => Ok(right),
        }
    }
}

/// How tight an operator binds its left side, and what it leaves waiting.
pub(super) type Infix = (Strength, fn(Operand) -> Pending);

/// The operator between two operands that a token is.
pub(super) fn infix(token: Token<'_>) -> Option<Infix> {
    Some(match token {
        Token::Keyword(Keyword::Or) => (Strength::Or, Pending::Or),
        Token::Keyword(Keyword::And) => (Strength::And, Pending::And),
        Token::Keyword(Keyword::Between) => {
            (Strength::Tight, |value| Pending::Between { value, not: false, low: None })
        }
        Token::Symbol(Symbol::Equal) => (Strength::Equality, Pending::Equal),
        Token::Symbol(Symbol::Different) => (Strength::Equality, Pending::Different),
        Token::Symbol(Symbol::Less) => (Strength::Tight, |left| Pending::Order(left, Relation::Less)),
        Token::Symbol(Symbol::LessOrEqual) => {
            (Strength::Tight, |left| Pending::Order(left, Relation::LessOrEqual))
        }
        Token::Symbol(Symbol::Greater) => (Strength::Tight, |left| Pending::Order(left, Relation::Greater)),
        Token::Symbol(Symbol::GreaterOrEqual) => {
            (Strength::Tight, |left| Pending::Order(left, Relation::GreaterOrEqual))
        }
        _ => return None,
    })
}

/// A property alone may stand where a condition is needed, a constant or a negative value may not.
pub(super) fn as_condition(operand: Operand) -> Parsed {
    match operand.expression {
        Expression::Property(number) => Ok(Operand { expression: Expression::Truth(number), ..operand }),
        ref condition if condition.is_condition() => Ok(operand),
        _ => Err((operand.start, Problem::NotBoolean)),
    }
}

/// Two conditions under `AND` or `OR`; a chain of either becomes one flat list.
fn joined(left: Operand, right: Operand, make: fn(Vec<Expression>) -> Expression) -> Parsed {
    let (left, right) = (as_condition(left)?, as_condition(right)?);
    let is_same = std::mem::discriminant(&left.expression) == std::mem::discriminant(&make(Vec::new()));
    match left.expression {
        Expression::And(mut all) | Expression::Or(mut all) if is_same => {
            all.push(right.expression);
            let height = left.height.max(right.height + 1);
            Ok(Operand { expression: make(all), start: left.start, height })
        }
        first => Operand::over(left.start, [left.height, right.height], make(vec![first, right.expression])),
    }
}

pub(super) fn negation(operand: Operand) -> Parsed {
    let Operand { expression, start, height } = operand;
    Operand::over(start, [height], Expression::Not(expression.into()))
}

fn equal(left: Operand, right: Operand) -> Parsed {
    for side in [&left, &right] {
        if side.expression == Expression::Boolean(None) {
            return Err((side.start, Problem::NullCompared));
        }
    }
    let is_boolean = |operand: &Operand| matches!(operand.expression, Expression::Boolean(_));
    if is_boolean(&left) && right.expression.is_constant() && !is_boolean(&right) {
        return Err((right.start, Problem::KindsDiffer));
    }
    let sides = Box::new([left.expression, right.expression]);
    Operand::over(left.start, [left.height, right.height], Expression::Equal(sides))
}

fn order(left: Operand, relation: Relation, right: Operand) -> Parsed {
    check_ordered(&left)?;
    check_ordered(&right)?;
    let sides = Box::new([left.expression, right.expression]);
    Operand::over(left.start, [left.height, right.height], Expression::Order(relation, sides))
}

fn between(value: Operand, low: Operand, high: Operand, not: bool) -> Parsed {
    for part in [&value, &low, &high] {
        check_ordered(part)?;
    }
    if let (false, Expression::Number(first), Expression::Number(last)) =
        (not, &low.expression, &high.expression)
        && last.compare(*first).is_lt()
    {
        return Err((low.start, Problem::ReversedLimits));
    }
    let heights = [value.height, low.height, high.height];
    let limits = Box::new([value.expression, low.expression, high.expression]);
    Operand::over(value.start, heights, Expression::Between { limits, not })
}

/// Of constants only numbers have an order; conditions have none.
fn check_ordered(operand: &Operand) -> Result<(), Located> {
    match operand.expression {
        Expression::Property(_) | Expression::Number(_) | Expression::Negate(_) => Ok(()),
        _ => Err((operand.start, Problem::NotOrdered)),
    }
}
