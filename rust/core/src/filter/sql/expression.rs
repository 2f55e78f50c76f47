//! A condition as a tree, and its printed form.

use std::fmt::{self, Display, Formatter};

use super::number::Number;

/// A part of a condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// A property, by its number in `Names`.
    Property(usize),
    /// A constant.
    Text(Box<str>),
    Number(Number),
    /// `TRUE`, `FALSE` or `NULL`.
    Boolean(Option<bool>),
    /// A property where a condition is needed. No property is a boolean, so it is never true.
    Truth(usize),
    Negate(Box<Expression>),
    Not(Box<Expression>),
    /// All of them, at least two.
    And(Vec<Expression>),
    /// Any of them, at least two.
    Or(Vec<Expression>),
    Equal(Box<[Expression; 2]>),
    IsNull(Box<Expression>),
    Order(Relation, Box<[Expression; 2]>),
    Between {
        limits: Box<[Expression; 3]>,
        not: bool,
    },
    In {
        property: usize,
        texts: TextSet,
        not: bool,
    },
    Match {
        part: Part,
        operand: Box<Expression>,
        search: Box<str>,
        not: bool,
    },
}

/// How two values are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Where in a text another one has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Anywhere,
    Start,
    End,
}

/// Texts, sorted and each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TextSet(Vec<Box<str>>);

impl TextSet {
    pub(super) fn new(mut texts: Vec<Box<str>>) -> Self {
        texts.sort_unstable();
        texts.dedup();
        Self(texts)
    }

    pub(super) fn contains(&self, text: &str) -> bool {
        self.0.binary_search_by(|probe| (**probe).cmp(text)).is_ok()
    }
}

impl Expression {
    /// Whether it is true, false or unknown, rather than a value. A property is neither: see `Truth`.
    pub(super) fn is_condition(&self) -> bool {
        !matches!(self, Self::Property(_) | Self::Text(_) | Self::Number(_) | Self::Negate(_))
    }

    /// Whether its value stands in the text.
    pub(super) fn is_constant(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Number(_) | Self::Boolean(_))
    }

    /// How many comparisons it makes at most, and at least one.
    pub(super) fn parts(&self) -> usize {
        match self {
            Self::Negate(inner) | Self::Not(inner) | Self::IsNull(inner) => inner.parts(),
            Self::And(all) | Self::Or(all) => all.iter().map(Self::parts).sum(),
            Self::Equal(sides) | Self::Order(_, sides) => sides.iter().map(Self::parts).sum(),
            Self::Between { limits, .. } => limits.iter().map(Self::parts).sum(),
            Self::Match { operand, .. } => operand.parts(),
            Self::Property(_)
            | Self::Text(_)
            | Self::Number(_)
            | Self::Boolean(_)
            | Self::Truth(_)
            | Self::In { .. } => 1,
        }
    }

    /// Prints it; `names` are those of the properties, by number.
    pub(super) fn print(&self, names: &[&str], out: &mut Formatter<'_>) -> fmt::Result {
        let part = |expression| Operand { expression, names };
        let not_text = |not: &bool| if *not { "NOT " } else { "" };
        match self {
            Self::Property(number) | Self::Truth(number) => out.write_str(names.get(*number).unwrap_or(&"")),
            Self::Text(text) => print_text(text, out),
            // Always with an exponent, which makes it a floating-point literal.
            Self::Number(Number::Double(value)) => write!(out, "{value:e}"),
            Self::Number(Number::Integer(value)) => write!(out, "{value}"),
            Self::Number(Number::Long(value)) => write!(out, "{value}"),
            Self::Boolean(Some(true)) => out.write_str("TRUE"),
            Self::Boolean(Some(false)) => out.write_str("FALSE"),
            Self::Boolean(None) => out.write_str("NULL"),
            Self::Negate(inner) => write!(out, "-{}", part(inner)),
            Self::Not(inner) => write!(out, "NOT {}", part(inner)),
            Self::And(all) => print_chain(all, " AND ", names, out),
            Self::Or(all) => print_chain(all, " OR ", names, out),
            Self::Equal(sides) => print_chain(&**sides, " = ", names, out),
            Self::IsNull(inner) => write!(out, "{} IS NULL", part(inner)),
            Self::Order(relation, sides) => print_chain(&**sides, relation.symbol(), names, out),
            Self::Between { limits, not } => {
                let [value, low, high] = &**limits;
                write!(out, "{} {}BETWEEN {} AND {}", part(value), not_text(not), part(low), part(high))
            }
            Self::In { property, texts, not } => {
                write!(out, "{} {}IN (", names.get(*property).unwrap_or(&""), not_text(not))?;
                print_separated(&texts.0, ", ", out, |text, out| print_text(text, out))?;
                out.write_str(")")
            }
            Self::Match { part: place, operand, search, not } => {
                write!(out, "{} {}{} ", part(operand), not_text(not), place.keyword())?;
                print_text(search, out)
            }
        }
    }
}

impl Relation {
    fn symbol(self) -> &'static str {
        match self {
            Self::Less => " < ",
            Self::LessOrEqual => " <= ",
            Self::Greater => " > ",
            Self::GreaterOrEqual => " >= ",
        }
    }
}

impl Part {
    fn keyword(self) -> &'static str {
        match self {
            Self::Anywhere => "CONTAINS",
            Self::Start => "STARTSWITH",
            Self::End => "ENDSWITH",
        }
    }
}

/// Prints a part, in parentheses unless it is a single token.
struct Operand<'a> {
    expression: &'a Expression,
    names: &'a [&'a str],
}

impl Display for Operand<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        use Expression::{Boolean, Number, Property, Text, Truth};
        if matches!(self.expression, Property(_) | Text(_) | Number(_) | Boolean(_) | Truth(_)) {
            return self.expression.print(self.names, out);
        }
        out.write_str("(")?;
        self.expression.print(self.names, out)?;
        out.write_str(")")
    }
}

fn print_chain(parts: &[Expression], between: &str, names: &[&str], out: &mut Formatter<'_>) -> fmt::Result {
    print_separated(parts, between, out, |expression, out| Operand { expression, names }.fmt(out))
}

fn print_separated<T>(
    items: &[T],
    separator: &str,
    out: &mut Formatter<'_>,
    print: impl Fn(&T, &mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.write_str(separator)?;
        }
        print(item, out)?;
    }
    Ok(())
}

fn print_text(text: &str, out: &mut Formatter<'_>) -> fmt::Result {
    write!(out, "'{}'", text.replace('\'', "''"))
}
