//! Tokens of a condition, by the rules of Apache's token manager: always the longest one that fits.
//!
//! Surprises, all Apache's: a literal `0` is a token of its own, so `007` is three and `0x1F` is `0` and a name; a line comment
//! without a line end is two minus signs; a string that is not closed ends at the last quote that could have closed it.

use super::error::{Located, Problem};

/// A token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'a> {
    Keyword(Keyword),
    Symbol(Symbol),
    /// A property's name.
    Name(&'a str),
    /// An integer, with its `l` or `L`.
    Decimal(&'a str),
    /// A number with a point or an exponent.
    Floating(&'a str),
    /// What stands between the quotes, doubled ones still doubled.
    Text(&'a str),
    End,
}

/// Reserved words, in any case of their letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Between,
    Contains,
    EndsWith,
    False,
    In,
    Is,
    Not,
    Null,
    Or,
    StartsWith,
    True,
}

const KEYWORDS: [(&str, Keyword); 12] = [
    ("AND", Keyword::And),
    ("BETWEEN", Keyword::Between),
    ("CONTAINS", Keyword::Contains),
    ("ENDSWITH", Keyword::EndsWith),
    ("FALSE", Keyword::False),
    ("IN", Keyword::In),
    ("IS", Keyword::Is),
    ("NOT", Keyword::Not),
    ("NULL", Keyword::Null),
    ("OR", Keyword::Or),
    ("STARTSWITH", Keyword::StartsWith),
    ("TRUE", Keyword::True),
];

/// Operators and punctuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    Close,
    Comma,
    Different,
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Minus,
    Open,
    Plus,
}

/// Longer ones before those they begin with.
const SYMBOLS: [(&str, Symbol); 11] = [
    ("<>", Symbol::Different),
    ("<=", Symbol::LessOrEqual),
    (">=", Symbol::GreaterOrEqual),
    ("<", Symbol::Less),
    (">", Symbol::Greater),
    ("=", Symbol::Equal),
    ("(", Symbol::Open),
    (")", Symbol::Close),
    (",", Symbol::Comma),
    ("+", Symbol::Plus),
    ("-", Symbol::Minus),
];

impl Symbol {
    pub(super) fn text(self) -> &'static str {
        SYMBOLS.iter().find(|(_, symbol)| *symbol == self).map_or("", |(text, _)| text)
    }
}

/// Cuts tokens off a text.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, offset: 0 }
    }

    /// The next token and the offset where it starts.
    pub(super) fn next_token(&mut self) -> Result<(usize, Token<'a>), Located> {
        self.skip_blanks_and_comments()?;
        let start = self.offset;
        let rest = self.rest();
        let (token, length) = token(rest).map_err(|problem| (start, problem))?;
        self.offset += length;
        Ok((start, token))
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn skip_blanks_and_comments(&mut self) -> Result<(), Located> {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']).len();
            let skipped =
                if blank > 0 { blank } else { comment(rest).map_err(|problem| (self.offset, problem))? };
            if skipped == 0 {
                return Ok(());
            }
            self.offset += skipped;
        }
    }
}

/// The length of the comment that `rest` starts with; 0 without one.
fn comment(rest: &str) -> Result<usize, Problem> {
    if let Some(line) = rest.strip_prefix("--") {
        return Ok(line.find(['\n', '\r']).map_or(0, |end| end + "--\n".len()));
    }
    if let Some(block) = rest.strip_prefix("/*") {
        return block.find("*/").map(|end| end + "/**/".len()).ok_or(Problem::OpenComment);
    }
    Ok(0)
}

/// The token that `rest` starts with, and its length.
fn token(rest: &str) -> Result<(Token<'_>, usize), Problem> {
    let Some(first) = rest.chars().next() else { return Ok((Token::End, 0)) };
    if let Some(length) = floating(rest) {
        return Ok((Token::Floating(cut(rest, length)), length));
    }
    match first {
        '0'..='9' => {
            let length = decimal(rest);
            Ok((Token::Decimal(cut(rest, length)), length))
        }
        'a'..='z' | 'A'..='Z' | '_' | '$' => {
            let length = run(rest, |byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$');
            Ok((word(cut(rest, length)), length))
        }
        '\'' => {
            let end = closing_quote(rest).ok_or(Problem::OpenString)?;
            Ok((Token::Text(rest.get(1..end).unwrap_or_default()), end + 1))
        }
        other => {
            let found = SYMBOLS.iter().find(|(text, _)| rest.starts_with(text));
            let (text, symbol) = found.ok_or(Problem::Character(other))?;
            Ok((Token::Symbol(*symbol), text.len()))
        }
    }
}

fn cut(rest: &str, length: usize) -> &str {
    rest.get(..length).unwrap_or_default()
}

/// How many bytes at the start are of a kind.
fn run(text: &str, is_kind: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| is_kind(*byte)).count()
}

fn digits(text: &str) -> usize {
    run(text, |byte| byte.is_ascii_digit())
}

fn word(text: &str) -> Token<'_> {
    let keyword = KEYWORDS.iter().find(|(keyword, _)| keyword.eq_ignore_ascii_case(text));
    keyword.map_or(Token::Name(text), |(_, keyword)| Token::Keyword(*keyword))
}

/// The length of an integer: a zero alone, or digits and perhaps an `l`.
fn decimal(rest: &str) -> usize {
    if rest.starts_with('0') {
        return 1;
    }
    let length = digits(rest);
    length + usize::from(rest.get(length..).is_some_and(|rest| rest.starts_with(['l', 'L'])))
}

/// The length of a number with a point or an exponent, if `rest` starts with one.
fn floating(rest: &str) -> Option<usize> {
    let whole = digits(rest);
    let behind = rest.get(whole..).unwrap_or_default();
    let Some(fraction) = behind.strip_prefix('.') else {
        return (whole > 0).then(|| exponent(behind).map(|length| whole + length))?;
    };
    let fraction_digits = digits(fraction);
    if whole + fraction_digits == 0 {
        return None;
    }
    let length = whole + 1 + fraction_digits;
    Some(length + rest.get(length..).and_then(exponent).unwrap_or(0))
}

/// The length of an exponent, if `rest` starts with one.
fn exponent(rest: &str) -> Option<usize> {
    let behind = rest.strip_prefix(['e', 'E'])?;
    let sign = usize::from(behind.starts_with(['+', '-']));
    let count = digits(behind.get(sign..)?);
    (count > 0).then_some(1 + sign + count)
}

/// Where the string that `rest` starts with ends. Two quotes are one of its characters, unless the string is never closed
/// behind them: then the first of them closes it.
fn closing_quote(rest: &str) -> Option<usize> {
    let mut quotes = rest.match_indices('\'').map(|(at, _)| at).skip(1).peekable();
    let mut possible = None;
    while let Some(at) = quotes.next() {
        possible = Some(at);
        if quotes.next_if_eq(&(at + 1)).is_none() {
            break;
        }
    }
    possible
}

#[cfg(test)]
mod tests {
    use super::{Keyword, Lexer, Problem, Symbol, Token};

    fn tokens(text: &str) -> Vec<Token<'_>> {
        let mut lexer = Lexer::new(text);
        let mut all = Vec::new();
        loop {
            match lexer.next_token().expect("no problem").1 {
                Token::End => return all,
                token => all.push(token),
            }
        }
    }

    fn problem(text: &str) -> (usize, Problem) {
        let mut lexer = Lexer::new(text);
        loop {
            match lexer.next_token() {
                Ok((_, Token::End)) => panic!("{text:?} has no problem"),
                Ok(_) => {}
                Err(problem) => return problem,
            }
        }
    }

    #[test]
    fn words_are_keywords_in_any_case_and_names_otherwise() {
        use Token::{Keyword as K, Name};
        assert_eq!(
            tokens("bEtWeEn is $a_1 ins"),
            [K(Keyword::Between), K(Keyword::Is), Name("$a_1"), Name("ins")]
        );
    }

    #[test]
    fn numbers_are_as_long_as_they_can_be() {
        use Token::{Decimal, Floating, Name};
        assert_eq!(tokens("5l 12L 0 5."), [Decimal("5l"), Decimal("12L"), Decimal("0"), Floating("5.")]);
        assert_eq!(tokens("007.5e+2 .5 1e5"), [Floating("007.5e+2"), Floating(".5"), Floating("1e5")]);
        assert_eq!(tokens("007"), [Decimal("0"), Decimal("0"), Decimal("7")]);
        assert_eq!(tokens("0x1F"), [Decimal("0"), Name("x1F")]);
        assert_eq!(tokens("1e 0L"), [Decimal("1"), Name("e"), Decimal("0"), Name("L")]);
        assert_eq!(tokens("1.5.5"), [Floating("1.5"), Floating(".5")]);
    }

    #[test]
    fn symbols_are_as_long_as_they_can_be() {
        use Symbol::{Different, Equal, GreaterOrEqual, Less, LessOrEqual};
        let symbols = [Different, LessOrEqual, GreaterOrEqual, Less, Equal];
        assert_eq!(tokens("<><=>=< ="), symbols.map(Token::Symbol));
    }

    #[test]
    fn strings_end_at_a_single_quote_or_at_the_last_chance() {
        use Token::Text;
        assert_eq!(tokens("'' 'it''s' '''' 'ü\n'"), [Text(""), Text("it''s"), Text("''"), Text("ü\n")]);
        let mut lexer = Lexer::new("'a''b");
        assert_eq!(lexer.next_token(), Ok((0, Text("a"))));
        assert_eq!(lexer.next_token(), Err((3, Problem::OpenString)));
    }

    #[test]
    fn comments_are_skipped() {
        use Token::Name;
        assert_eq!(tokens("a--x'\r\nb/***/c/*'*/--\rd"), [Name("a"), Name("b"), Name("c"), Name("d")]);
        assert_eq!(tokens("--x"), [Token::Symbol(Symbol::Minus), Token::Symbol(Symbol::Minus), Name("x")]);
        assert_eq!(problem("a /*/"), (2, Problem::OpenComment));
    }

    #[test]
    fn characters_without_meaning_are_problems() {
        assert_eq!(problem("a # b"), (2, Problem::Character('#')));
        assert_eq!(problem("a ä"), (2, Problem::Character('ä')));
        assert_eq!(problem("."), (0, Problem::Character('.')));
    }
}
