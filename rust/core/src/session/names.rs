//! Which topic and group names are names, and which topics no client may send to.

use crate::session::refusal::Refusal;
use crate::wire::codes::response;

/// Prefix of the topic that holds a group's messages to be consumed again.
pub(super) const RETRY_PREFIX: &str = "%RETRY%";
/// Prefix of the topic that holds a group's dead letters.
pub(super) const DLQ_PREFIX: &str = "%DLQ%";
const TOPIC_MAX: usize = 127;
const RETRY_OR_DLQ_MAX: usize = 255;
const GROUP_MAX: usize = 120;

/// Topics only the broker itself writes to.
const FORBIDDEN: [&str; 6] = [
    "SCHEDULE_TOPIC_XXXX",
    "RMQ_SYS_TRANS_HALF_TOPIC",
    "RMQ_SYS_TRANS_OP_HALF_TOPIC",
    "TRANS_CHECK_MAX_TIME_TOPIC",
    "SELF_TEST_TOPIC",
    "OFFSET_MOVED_EVENT",
];

/// Refuses what is not a topic name (29) or is no client's to send to (16).
pub(super) fn check_send_topic(topic: &str) -> Result<(), Refusal> {
    if topic.trim().is_empty() {
        return Err(Refusal::new(response::INVALID_PARAMETER, "The specified topic is blank."));
    }
    if !topic.bytes().all(is_name_byte) {
        let remark = "The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$";
        return Err(Refusal::new(response::INVALID_PARAMETER, remark));
    }
    let special = topic.starts_with(RETRY_PREFIX) || topic.starts_with(DLQ_PREFIX);
    let limit = if special { RETRY_OR_DLQ_MAX } else { TOPIC_MAX };
    if topic.len() > limit {
        let remark = format!("The specified topic is longer than {limit} characters.");
        return Err(Refusal::new(response::INVALID_PARAMETER, remark));
    }
    if FORBIDDEN.contains(&topic) {
        let remark = format!("Sending message to topic[{topic}] is forbidden.");
        return Err(Refusal::new(response::NO_PERMISSION, remark));
    }
    Ok(())
}

/// Whether a group of this name could exist.
pub(super) fn is_group(group: &str) -> bool {
    !group.is_empty() && group.len() <= GROUP_MAX && group.bytes().all(is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'%' | b'|' | b'_' | b'-')
}

#[cfg(test)]
mod tests {
    use super::{check_send_topic, is_group};

    fn code(topic: &str) -> i32 {
        check_send_topic(topic).err().map_or(0, |refusal| refusal.code)
    }

    #[test]
    fn topic_names_follow_apaches_rules() {
        assert_eq!((code("a|B%c_9-"), code(""), code("  "), code("a b"), code("ä")), (0, 29, 29, 29, 29));
        assert_eq!((code(&"t".repeat(127)), code(&"t".repeat(128))), (0, 29));
        let retry = format!("%RETRY%{}", "g".repeat(248));
        assert_eq!((code(&retry), code(&format!("{retry}g"))), (0, 29));
        assert_eq!((code("SELF_TEST_TOPIC"), code("TBW102")), (16, 0));
    }

    #[test]
    fn group_names_are_shorter() {
        assert!(is_group("CID_A|b%") && is_group(&"g".repeat(120)));
        assert!(!is_group("") && !is_group("a b") && !is_group(&"g".repeat(121)));
    }
}
