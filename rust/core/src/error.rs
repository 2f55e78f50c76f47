//! What can be wrong with bytes from a peer or from a disk.
//!
//! Every variant carries fields, so that a caller can act on them and a log can show them. Incomplete
//! input is never an error: decoders have a value for it.

/// A frame, a header or a body text that breaks RocketMQ's rules. The connection it came on is closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The length word leaves no room for the header word.
    #[error("frame length {length} is below the minimum of 4")]
    FrameTooShort {
        /// The length word as an unsigned number.
        length: u32,
    },
    /// The length word announces more than the limit; nothing was allocated for it.
    #[error("frame of {size} bytes exceeds the limit of {limit}")]
    FrameTooLarge {
        /// Frame size with its length word.
        size: u64,
        /// The limit in force.
        limit: usize,
    },
    /// The header claims more bytes than its frame has.
    #[error("header length {header_len} exceeds the frame, which has room for {room}")]
    HeaderTooLong {
        /// Header length of the header word.
        header_len: usize,
        /// Bytes that the frame leaves for header and body.
        room: usize,
    },
    /// The serialize type is neither JSON nor ROCKETMQ.
    #[error("unknown header type {kind}")]
    UnknownHeaderType {
        /// The top byte of the header word.
        kind: u8,
    },
    /// A binary header ends inside a field.
    #[error("binary header ends in `{field}`: {need} bytes needed at offset {offset}, {have} left")]
    HeaderTruncated {
        /// The field that is incomplete.
        field: &'static str,
        /// Where in the header.
        offset: usize,
        /// Bytes the field needs.
        need: usize,
        /// Bytes that are left.
        have: usize,
    },
    /// A binary header holds a negative length.
    #[error("negative length {length} of `{field}` at offset {offset} of the binary header")]
    NegativeLength {
        /// The field with the length.
        field: &'static str,
        /// Where in the header.
        offset: usize,
        /// The length as read.
        length: i32,
    },
    /// A JSON text breaks even the tolerant grammar.
    #[error("malformed JSON at offset {offset}: expected {expected}")]
    Json {
        /// Where in the text.
        offset: usize,
        /// What would have been accepted there.
        expected: &'static str,
    },
    /// A JSON text nests deeper than the limit.
    #[error("JSON at offset {offset} is nested deeper than {limit}")]
    JsonTooDeep {
        /// Where in the text.
        offset: usize,
        /// The limit in force.
        limit: usize,
    },
    /// A JSON text holds, or its references expand to, more values than we are willing to build.
    #[error("JSON text of more than {limit} values")]
    JsonTooLarge {
        /// The limit in force.
        limit: usize,
    },
    /// A numeric member of a JSON header holds something else.
    #[error("header member `{name}` is not a 32-bit integer")]
    BadMember {
        /// The member.
        name: &'static str,
    },
    /// The value does not fit the width that the binary header has for it (encoding only).
    #[error("`{field}` = {value} does not fit a ROCKETMQ header")]
    NotBinary {
        /// The header field.
        field: &'static str,
        /// Its value.
        value: i64,
    },
    /// Something is too long for its length field (encoding only).
    #[error("`{field}` of {len} bytes exceeds the format's limit of {limit}")]
    TooLong {
        /// What is too long.
        field: &'static str,
        /// Its length.
        len: usize,
        /// What fits.
        limit: usize,
    },
}

/// A custom header field that a handler cannot use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadField {
    /// A required field is absent.
    #[error("the field {key} is missing")]
    Missing {
        /// Name of the field.
        key: String,
    },
    /// The text is not a number of the field's width.
    #[error("the field {key} is not a number: {value:?}")]
    NotANumber {
        /// Name of the field.
        key: String,
        /// The text it holds.
        value: String,
    },
}

/// Bytes that are not a stored message, or a message that the format cannot store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The magic is none of the three known ones.
    #[error("unknown record magic {found:#010x}")]
    BadMagic {
        /// What stands where the magic belongs.
        found: u32,
    },
    /// The total size cannot be that of a record.
    #[error("impossible record size {size}")]
    BadSize {
        /// The size as read.
        size: i32,
    },
    /// A field runs over the record's end.
    #[error("record field `{field}` at offset {offset} runs over the record's {size} bytes")]
    Truncated {
        /// The field.
        field: &'static str,
        /// Where in the record.
        offset: usize,
        /// The record's total size.
        size: usize,
    },
    /// A length field is negative.
    #[error("record field `{field}` at offset {offset} has the negative length {length}")]
    NegativeLength {
        /// The field.
        field: &'static str,
        /// Where in the record.
        offset: usize,
        /// The length as read.
        length: i32,
    },
    /// A port number is outside 0..=65535.
    #[error("record field `{field}` holds the impossible port {port}")]
    BadPort {
        /// The field.
        field: &'static str,
        /// The port as read.
        port: i32,
    },
    /// A text field is not UTF-8.
    #[error("record field `{field}` is not UTF-8")]
    NotUtf8 {
        /// The field.
        field: &'static str,
    },
    /// The topic is longer than its kind may be.
    #[error("topic of {len} bytes exceeds the limit of {limit}")]
    TopicTooLong {
        /// Length in bytes.
        len: usize,
        /// The limit for this kind of topic.
        limit: usize,
    },
    /// Topic or properties end in a zero byte: after a crash that could not be told from a page that was never written.
    #[error("topic or properties end in a zero byte")]
    EndsInZero,
    /// The properties do not fit their 16-bit length.
    #[error("properties of {len} bytes exceed the limit of {limit}")]
    PropertiesTooLong {
        /// Length in bytes.
        len: usize,
        /// The limit.
        limit: usize,
    },
    /// The body is larger than a message may be.
    #[error("body of {len} bytes exceeds the limit of {limit}")]
    BodyTooLong {
        /// Length in bytes.
        len: usize,
        /// The limit.
        limit: usize,
    },
}

/// A compressed body that cannot be unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompressionError {
    /// The type bits of the system flag name no known format.
    #[error("unknown compression type {kind}")]
    UnknownType {
        /// The three bits as a number.
        kind: i32,
    },
    /// The stream is damaged or ends early.
    #[error("damaged {format} stream")]
    Damaged {
        /// The format that was expected.
        format: &'static str,
    },
    /// The body would unpack to more than the limit.
    #[error("body unpacks to more than {limit} bytes")]
    TooLarge {
        /// The limit in force.
        limit: usize,
    },
}
