//! Tokens to a checked tree: Apache's grammar and its rules on what may be compared with what.
//!
//! From the weakest: `OR`; `AND`; `=`, `<>`, `IS NULL`; `<`, `<=`, `>`, `>=`, `BETWEEN`, `IN`, `CONTAINS`, `STARTSWITH`, `ENDSWITH`; then
//! `NOT`, `-`, `+`, which bind tighter than any comparison: `NOT a = 1` compares `NOT a` with 1.
//!
//! Operators wait on a stack of our own for the operand to their right, so that no nesting exhausts the thread's.
//!
//! Surprise: what follows a complete condition is not looked at beyond its first token, as in Apache. `a = 1 rubbish` is `a = 1`.

use super::SqlFilter;
use super::assemble::{Operand, Parsed, Pending, Strength, as_condition, infix, negation};
use super::error::{Located, Problem, SqlError};
use super::expression::{Expression, Part, TextSet};
use super::lexer::{Keyword, Lexer, Symbol, Token};
use super::limits::MAX_LENGTH;
use super::names::Names;
use super::number::Number;

/// Compiles a condition.
pub(super) fn parse(text: &str) -> Result<SqlFilter, SqlError> {
    let error = |(offset, problem)| SqlError::new(text, offset, problem);
    if text.len() > MAX_LENGTH {
        return Err(error((MAX_LENGTH, Problem::TooLong)));
    }
    let mut parser =
        Parser { lexer: Lexer::new(text), next: None, names: Names::default(), pending: Vec::new() };
    let condition = parser.whole().and_then(as_condition).map_err(error)?;
    Ok(SqlFilter { condition: condition.expression, names: parser.names })
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    next: Option<(usize, Token<'a>)>,
    names: Names,
    /// What waits for the operand to its right, the innermost last.
    pending: Vec<Pending>,
}

impl<'a> Parser<'a> {
    fn peek(&mut self) -> Result<Token<'a>, Located> {
        let next = match self.next {
            Some(next) => next,
            None => *self.next.insert(self.lexer.next_token()?),
        };
        Ok(next.1)
    }

    fn take(&mut self) -> Result<(usize, Token<'a>), Located> {
        match self.next.take() {
            Some(next) => Ok(next),
            None => self.lexer.next_token(),
        }
    }

    fn take_if(&mut self, wanted: Token<'_>) -> Result<bool, Located> {
        let is_next = self.peek()? == wanted;
        if is_next {
            self.next = None;
        }
        Ok(is_next)
    }

    fn expect(&mut self, wanted: Token<'_>, expected: &'static str) -> Result<(), Located> {
        let (start, token) = self.take()?;
        if token == wanted { Ok(()) } else { Err(unexpected(start, token, expected)) }
    }

    fn whole(&mut self) -> Parsed {
        loop {
            let operand = self.operand()?;
            if let Some(whole) = self.behind(operand)? {
                return Ok(whole);
            }
        }
    }

    /// The next property or constant; what stands before it waits for it.
    fn operand(&mut self) -> Parsed {
        loop {
            let (start, token) = self.take()?;
            match token {
                Token::Symbol(Symbol::Plus) => {}
                Token::Symbol(Symbol::Minus) => self.pending.push(Pending::Minus(start)),
                Token::Symbol(Symbol::Open) => self.pending.push(Pending::Parenthesis),
                Token::Keyword(Keyword::Not) => self.pending.push(Pending::Not(start)),
                other => return Ok(Operand::leaf(start, self.single(start, other)?)),
            }
        }
    }

    /// Takes what stands behind an operand, up to something that waits for another one (`None`) or to the end of all.
    ///
    /// Behind `IS NULL` no comparison can follow but `=` and `<>`: the condition ends there.
    fn behind(&mut self, mut left: Operand) -> Result<Option<Operand>, Located> {
        let mut is_tested = false;
        loop {
            left = self.completed(left, Strength::Tight)?;
            if let Some(Pending::Between { low: low @ None, .. }) = self.pending.last_mut() {
                *low = Some(left);
                self.expect(Token::Keyword(Keyword::And), "AND")?;
                return Ok(None);
            }
            let next = self.peek()?;
            if let Some((strength, waiting)) = infix(next)
                && !(is_tested && strength == Strength::Tight)
            {
                self.take()?;
                left = self.completed(left, strength)?;
                self.pending.push(waiting(left));
                return Ok(None);
            }
            left =
                match next {
                    Token::Keyword(Keyword::Is) => {
                        is_tested = true;
                        self.null_test(left)?
                    }
                    Token::Keyword(Keyword::Not) if !is_tested => {
                        self.take()?;
                        if self.take_if(Token::Keyword(Keyword::Between))? {
                            self.pending.push(Pending::Between { value: left, not: true, low: None });
                            return Ok(None);
                        }
                        self.predicate(left, true)?
                    }
                    Token::Keyword(
                        Keyword::In | Keyword::Contains | Keyword::StartsWith | Keyword::EndsWith,
                    ) if !is_tested => self.predicate(left, false)?,
                    _ => {
                        let inner = self.completed(left, Strength::Or)?;
                        if self.pending.pop().is_none() {
                            return Ok(Some(inner));
                        }
                        self.expect(Token::Symbol(Symbol::Close), "an operator or )")?;
                        is_tested = false;
                        inner
                    }
                };
        }
    }

    /// The operand with everything applied to it that waits for it and binds at least so tight.
    fn completed(&mut self, mut operand: Operand, strength: Strength) -> Parsed {
        while let Some(waiting) = self.pending.pop_if(|waiting| waiting.strength() >= strength) {
            operand = waiting.complete(operand)?;
        }
        Ok(operand)
    }

    fn null_test(&mut self, operand: Operand) -> Parsed {
        self.take()?;
        let not = self.take_if(Token::Keyword(Keyword::Not))?;
        self.expect(Token::Keyword(Keyword::Null), "NULL or NOT NULL")?;
        let Operand { expression, start, height } = self.completed(operand, Strength::Equality)?;
        let test = Operand::over(start, [height], Expression::IsNull(expression.into()))?;
        if not { negation(test) } else { Ok(test) }
    }

    /// What starts with a word, behind its operand.
    fn predicate(&mut self, operand: Operand, not: bool) -> Parsed {
        let (start, token) = self.take()?;
        let part = match token {
            Token::Keyword(Keyword::In) => return self.membership(&operand, not),
            Token::Keyword(Keyword::Contains) => Part::Anywhere,
            Token::Keyword(Keyword::StartsWith) => Part::Start,
            Token::Keyword(Keyword::EndsWith) => Part::End,
            other => return Err(unexpected(start, other, "BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH")),
        };
        let search = self.text()?;
        let Operand { expression, start, height } = operand;
        Operand::over(start, [height], Expression::Match { part, operand: expression.into(), search, not })
    }

    fn membership(&mut self, operand: &Operand, not: bool) -> Parsed {
        self.expect(Token::Symbol(Symbol::Open), "(")?;
        let mut texts = vec![self.text()?];
        while self.take_if(Token::Symbol(Symbol::Comma))? {
            texts.push(self.text()?);
        }
        self.expect(Token::Symbol(Symbol::Close), "a comma or )")?;
        let Expression::Property(property) = operand.expression else {
            return Err((operand.start, Problem::NotProperty));
        };
        Ok(Operand::leaf(operand.start, Expression::In { property, texts: TextSet::new(texts), not }))
    }

    /// A constant or a property.
    fn single(&mut self, start: usize, token: Token<'_>) -> Result<Expression, Located> {
        let in_range =
            |number: Option<Number>| number.map(Expression::Number).ok_or((start, Problem::NumberRange));
        match token {
            Token::Name(name) => Ok(Expression::Property(self.names.number(name))),
            Token::Text(text) => Ok(Expression::Text(unquoted(text))),
            Token::Decimal(literal) => in_range(Number::from_decimal(literal)),
            Token::Floating(literal) => in_range(Number::from_floating(literal)),
            Token::Keyword(Keyword::True) => Ok(Expression::Boolean(Some(true))),
            Token::Keyword(Keyword::False) => Ok(Expression::Boolean(Some(false))),
            Token::Keyword(Keyword::Null) => Ok(Expression::Boolean(None)),
            other => Err(unexpected(start, other, "a property or a constant")),
        }
    }

    fn text(&mut self) -> Result<Box<str>, Located> {
        match self.take()? {
            (_, Token::Text(text)) => Ok(unquoted(text)),
            (start, other) => Err(unexpected(start, other, "a string")),
        }
    }
}

fn unquoted(text: &str) -> Box<str> {
    text.replace("''", "'").into()
}

fn unexpected(start: usize, token: Token<'_>, expected: &'static str) -> Located {
    let found = match token {
        Token::End => "the end".to_owned(),
        Token::Keyword(keyword) => format!("{keyword:?}").to_uppercase(),
        Token::Symbol(symbol) => symbol.text().to_owned(),
        Token::Name(text) | Token::Decimal(text) | Token::Floating(text) => text.to_owned(),
        Token::Text(text) => format!("'{text}'"),
    };
    (start, Problem::Unexpected { expected, found })
}
