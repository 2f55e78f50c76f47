//! Requests that differ in a few fields only: everything else of the header is encoded once.
//!
//! Always the binary header, without a remark. What a template makes is, byte for byte, what [`encode_head`] makes of a
//! command with the fixed fields first and the varying ones behind them.
//!
//! [`encode_head`]: super::encode_head

use bytes::BufMut;

use super::frame::{PREFIX, finish_head};
use super::header_rocketmq::{self, FIELDS_AT, FLAG_AT, OPAQUE_AT};
use super::{Codec, Command, WireError};

/// The encoded part of one kind of request.
#[derive(Debug, Clone)]
pub struct FrameTemplate {
    /// From the code to the last fixed field; opaque, flag and the length of the fields are filled in for each frame.
    header: Vec<u8>,
    varying: Vec<Box<str>>,
}

impl FrameTemplate {
    /// Encodes what all frames share; `command` gives it, except for its opaque, flag, remark, body and varying fields.
    pub fn new(mut command: Command, varying: &[&str]) -> Result<Self, WireError> {
        command.codec = Codec::Rocketmq;
        command.remark = None;
        command.fields = command.fields.iter().filter(|(key, _)| !varying.contains(key)).collect();
        let mut header = Vec::new();
        header_rocketmq::encode(&command, &mut header)?;
        Ok(Self { header, varying: varying.iter().copied().map(Box::from).collect() })
    }

    /// How many values a frame needs.
    pub fn varying(&self) -> usize {
        self.varying.len()
    }

    /// Appends everything but the body of `body_len` bytes. Fields without a value are left out. On failure `out` is as it
    /// was.
    pub fn encode_head<'v>(
        &self,
        opaque: i32,
        flag: i32,
        values: impl IntoIterator<Item = Option<&'v str>>,
        body_len: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), WireError> {
        let start = out.len();
        let written = self
            .write(opaque, flag, values, out)
            .and_then(|()| finish_head(Codec::Rocketmq, body_len, out, start));
        if written.is_err() {
            out.truncate(start);
        }
        written
    }

    fn write<'v>(
        &self,
        opaque: i32,
        flag: i32,
        values: impl IntoIterator<Item = Option<&'v str>>,
        out: &mut Vec<u8>,
    ) -> Result<(), WireError> {
        out.put_bytes(0, PREFIX);
        let start = out.len();
        out.extend_from_slice(&self.header);
        for (key, value) in self.varying.iter().zip(values) {
            if let Some(value) = value {
                header_rocketmq::put_field(key, value, out)?;
            }
        }
        let fields = header_rocketmq::length("fields", out.len() - start - FIELDS_AT - 4, i32::MAX as usize)?;
        for (at, number) in [(OPAQUE_AT, opaque), (FLAG_AT, flag), (FIELDS_AT, fields)] {
            if let Some(word) = out.get_mut(start + at..start + at + 4) {
                word.copy_from_slice(&number.to_be_bytes());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::FrameTemplate;
    use crate::wire::{Command, FLAG_ONEWAY, Fields, encode_head};

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let mut fields = Fields::new();
        for (key, value) in pairs {
            fields.push(key, value);
        }
        fields
    }

    #[test]
    fn a_template_makes_the_bytes_of_the_whole_command() {
        let fixed = [("a", "group"), ("b", "topic")];
        let given = fields(&[&fixed[..1], &[("i", "not looked at")], &fixed[1..]].concat());
        let template =
            FrameTemplate::new(Command::request(310, 7, given), &["e", "i", "l"]).expect("it fits");
        assert_eq!(template.varying(), 3);
        for flag in [0, FLAG_ONEWAY] {
            for body_len in [0, 1024] {
                let mut whole =
                    Command::request(310, 99, fields(&[&fixed[..], &[("e", "3"), ("l", "")]].concat()));
                whole.flag = flag;
                let (mut expected, mut made) = (b"before".to_vec(), b"before".to_vec());
                encode_head(&whole, body_len, &mut expected).expect("it fits");
                template
                    .encode_head(99, flag, [Some("3"), None, Some("")], body_len, &mut made)
                    .expect("it fits");
                assert_eq!(made, expected);
            }
        }
    }

    #[test]
    fn what_does_not_fit_leaves_nothing_behind() {
        let template = FrameTemplate::new(Command::request(310, 0, Fields::new()), &["i"]).expect("it fits");
        let mut out = b"before".to_vec();
        let long = "x".repeat(1 << 24);
        assert!(template.encode_head(1, 0, [Some(long.as_str())], 0, &mut out).is_err());
        assert_eq!(out, b"before");
    }
}
