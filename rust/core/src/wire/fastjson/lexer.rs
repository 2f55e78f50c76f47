//! The tokens of the dialect: blanks and comments, strings, numbers and bare words.

use std::borrow::Cow;

use memchr::{memchr2, memmem};

use super::Value;
use crate::error::WireError;

/// Which member names are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::wire) enum Names {
    /// Those in quotes, besides numbers and objects: what 5.5.0 reads, used for headers.
    Quoted,
    /// Bare words too: what fastjson 1 reads, used for bodies.
    Any,
}

impl Names {
    /// A value takes two bytes of text and many more of memory, so a text of the largest frame must not
    /// have as many as fit. A header's fields are not counted; what is left there is unknown members.
    fn max_values(self) -> usize {
        match self {
            Self::Quoted => 1 << 10,
            Self::Any => 1 << 21,
        }
    }
}

/// A position in a text.
#[derive(Debug)]
pub(in crate::wire) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    pub(super) names: Names,
    /// Whether a member is called `$ref`, so that a second pass is needed.
    pub(super) has_references: bool,
    /// Values that may still be built.
    budget: usize,
}

impl<'a> Lexer<'a> {
    pub(in crate::wire) fn new(text: &'a [u8], names: Names) -> Self {
        Self { text, at: 0, names, has_references: false, budget: names.max_values() }
    }

    /// Accounts for one more value.
    pub(super) fn charge(&mut self) -> Result<(), WireError> {
        let left = self.budget.checked_sub(1);
        self.budget = left.ok_or(WireError::JsonTooLarge { limit: self.names.max_values() })?;
        Ok(())
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next byte that is neither blank nor comment.
    #[inline]
    pub(in crate::wire) fn peek(&mut self) -> Result<Option<u8>, WireError> {
        match self.text.get(self.at) {
            // Writers put nothing between tokens.
            Some(&byte) if byte > b' ' && byte != b'/' => Ok(Some(byte)),
            _ => self.skip(),
        }
    }

    /// Passes blanks and comments; the byte behind them.
    fn skip(&mut self) -> Result<Option<u8>, WireError> {
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                b'/' => self.comment()?,
                byte => return Ok(Some(byte)),
            }
        }
        Ok(None)
    }

    /// Consumes the byte if it comes next.
    pub(in crate::wire) fn eat(&mut self, wanted: u8) -> Result<bool, WireError> {
        let found = self.peek()? == Some(wanted);
        self.at += usize::from(found);
        Ok(found)
    }

    pub(in crate::wire) fn expect(&mut self, wanted: u8, expected: &'static str) -> Result<(), WireError> {
        if self.eat(wanted)? { Ok(()) } else { Err(self.wrong(expected)) }
    }

    /// Nothing but blanks may follow.
    pub(in crate::wire) fn end(&mut self) -> Result<(), WireError> {
        if self.peek()?.is_none() { Ok(()) } else { Err(self.wrong("the end")) }
    }

    pub(in crate::wire) fn wrong(&self, expected: &'static str) -> WireError {
        WireError::Json { offset: self.at, expected }
    }

    /// A string in either kind of quotes. Bytes that are not UTF-8 are replaced.
    pub(in crate::wire) fn string(&mut self) -> Result<Cow<'a, str>, WireError> {
        let Some(quote @ (b'"' | b'\'')) = self.peek()? else { return Err(self.wrong("a string")) };
        self.at += 1;
        let (piece, mut stop) = self.until(quote)?;
        let piece = String::from_utf8_lossy(piece);
        if stop == quote {
            return Ok(piece);
        }
        let mut text = piece.into_owned();
        while stop != quote {
            text.push(self.escape()?);
            let (piece, next) = self.until(quote)?;
            text.push_str(&String::from_utf8_lossy(piece));
            stop = next;
        }
        Ok(Cow::Owned(text))
    }

    /// A number, with the type suffix that fastjson writes on request (`1L`, `2.0F`).
    pub(super) fn number(&mut self) -> Result<Value, WireError> {
        let start = self.at;
        let digits =
            self.run(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
        let text = std::str::from_utf8(digits).unwrap_or_default();
        let value = text
            .parse()
            .map(Value::Int)
            .or_else(|_| text.parse().map(Value::Float))
            .map_err(|_| WireError::Json { offset: start, expected: "a number" })?;
        if let Some(b'L' | b'S' | b'B' | b'F' | b'D') = self.text.get(self.at) {
            self.at += 1;
        }
        Ok(value)
    }

    /// A bare word: letters, digits, `_` and `$`, and everything beyond ASCII.
    pub(super) fn word(&mut self) -> Cow<'a, str> {
        let word =
            self.run(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii());
        String::from_utf8_lossy(word)
    }

    fn run(&mut self, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// The bytes up to the quote or a backslash, and which of the two it was; both are consumed.
    fn until(&mut self, quote: u8) -> Result<(&'a [u8], u8), WireError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some(length) = memchr2(quote, b'\\', rest) else {
            self.at = self.text.len();
            return Err(self.wrong("the end of the string"));
        };
        self.at += length + 1;
        let stop = rest.get(length).copied().unwrap_or(quote);
        Ok((rest.get(..length).unwrap_or_default(), stop))
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Result<char, WireError> {
        let Some(&byte) = self.text.get(self.at) else { return Err(self.wrong("an escape")) };
        let plain = match byte {
            b'"' | b'\'' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'v' => '\u{b}',
            b'0'..=b'7' => char::from(byte - b'0'),
            b'x' => {
                self.at += 1;
                return Ok(char::from(self.hex(2)? as u8));
            }
            b'u' => {
                self.at += 1;
                return self.utf16();
            }
            _ => return Err(self.wrong("an escape")),
        };
        self.at += 1;
        Ok(plain)
    }

    /// One or two UTF-16 units; half a pair is replaced.
    fn utf16(&mut self) -> Result<char, WireError> {
        let high = self.hex(4)?;
        if !(0xd800..0xdc00).contains(&high) {
            return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let after_high = self.at;
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(b"\\u")) {
            self.at += 2;
            let low = self.hex(4)?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = after_high;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self, digits: usize) -> Result<u32, WireError> {
        let text = self.text.get(self.at..self.at + digits).unwrap_or_default();
        let all_hex = !text.is_empty() && text.iter().all(u8::is_ascii_hexdigit);
        let text = std::str::from_utf8(text).ok().filter(|_| all_hex);
        let number = text.and_then(|text| u32::from_str_radix(text, 16).ok());
        let number = number.ok_or_else(|| self.wrong("hexadecimal digits"))?;
        self.at += digits;
        Ok(number)
    }

    fn comment(&mut self) -> Result<(), WireError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = if rest.starts_with(b"//") {
            memchr::memchr(b'\n', rest).unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            let inside = rest.get(2..).unwrap_or_default();
            memmem::find(inside, b"*/").ok_or_else(|| self.wrong("the end of the comment"))? + 4
        } else {
            return Err(self.wrong("a value"));
        };
        self.at += length;
        Ok(())
    }
}
