//! The configuration the hot path reads: topics, consumer groups and what groups subscribe to.
//!
//! Python owns the configuration and pushes changes; nothing here is ever changed by a request.

use std::collections::{HashMap, HashSet};

use crate::filter::Filter;
use crate::filter::sql::SqlFilter;
use crate::filter::tags::TagFilter;

/// Permission bit: consumers may read.
pub const PERM_READ: i32 = 4;
/// Permission bit: producers may write.
pub const PERM_WRITE: i32 = 2;
/// Permission bit: new topics may be made after this one.
pub const PERM_INHERIT: i32 = 1;

/// A topic as the hot path needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicEntry {
    /// The topic.
    pub name: String,
    /// Queues consumers may read: 0 up to this.
    pub read_queues: i32,
    /// Queues producers may write: 0 up to this.
    pub write_queues: i32,
    /// Permission bits.
    pub permission: i32,
    /// Topic system flags (unit bits), told to pullers.
    pub sys_flag: i32,
    /// Whether queues are fixed by an order configuration.
    pub order: bool,
    /// Whether a message may have several tags (topic filter type `MULTI_TAG`).
    pub multi_tag: bool,
}

impl TopicEntry {
    /// A plain topic, readable and writable.
    pub fn new(name: impl Into<String>, queues: i32) -> Self {
        Self {
            name: name.into(),
            read_queues: queues,
            write_queues: queues,
            permission: PERM_READ | PERM_WRITE,
            sys_flag: 0,
            order: false,
            multi_tag: false,
        }
    }

    /// Permission as Apache prints it.
    fn permission_text(&self) -> String {
        let bit = |bit: i32, letter: char| if self.permission & bit == 0 { '-' } else { letter };
        [bit(PERM_READ, 'R'), bit(PERM_WRITE, 'W'), bit(PERM_INHERIT, 'X')].iter().collect()
    }

    /// The entry as Apache's `TopicConfig` prints itself into the remark about a wrong queue id.
    pub(super) fn describe(&self) -> String {
        format!(
            "TopicConfig [topicName={}, readQueueNums={}, writeQueueNums={}, perm={}, topicFilterType={}, topicSysFlag={}, \
             order={}, attributes={{}}]",
            self.name,
            self.read_queues,
            self.write_queues,
            self.permission_text(),
            if self.multi_tag { "MULTI_TAG" } else { "SINGLE_TAG" },
            self.sys_flag,
            self.order,
        )
    }
}

/// A consumer group as the hot path needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupEntry {
    /// The group.
    pub name: String,
    /// Whether it may consume at all.
    pub consume_enable: bool,
    /// Whether it may consume in broadcasting mode.
    pub broadcast_enable: bool,
    /// Attempts before a retried message becomes a dead letter, unless the request says otherwise.
    pub retry_max_times: i32,
    /// Queues of its retry topic; without any, messages that are sent back are dropped.
    pub retry_queues: i32,
    /// Group system flags, told to pullers.
    pub sys_flag: i32,
}

impl GroupEntry {
    /// A group with Apache's defaults.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            consume_enable: true,
            broadcast_enable: true,
            retry_max_times: 16,
            retry_queues: 1,
            sys_flag: 0,
        }
    }
}

/// One topic a group subscribes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionEntry {
    /// The topic.
    pub topic: String,
    /// `TAG` or `SQL92`.
    pub expression_type: String,
    /// The expression.
    pub expression: String,
    /// Version of the subscription; a pull with a newer one is answered 25.
    pub version: i64,
}

/// A subscription with its filter made ready.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) version: i64,
    pub(super) filter: Result<Filter, Unfiltered>,
}

/// Why a subscription has no filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfiltered {
    /// A tag expression without tags.
    NoTags,
    /// An expression of another type without text.
    NoText,
    /// A condition that does not compile, or of a type that does not exist.
    Uncompiled,
}

/// What one group subscribes to.
#[derive(Debug, Clone)]
pub(super) struct GroupSubscriptions {
    pub(super) broadcasting: bool,
    pub(super) topics: HashMap<String, Subscription>,
}

/// All tables.
#[derive(Debug, Default)]
pub(super) struct Tables {
    topics: HashMap<String, TopicEntry>,
    groups: HashMap<String, GroupEntry>,
    subscriptions: HashMap<String, GroupSubscriptions>,
    orderly: HashSet<String>,
}

impl Tables {
    pub(super) fn topic(&self, name: &str) -> Option<&TopicEntry> {
        self.topics.get(name)
    }

    pub(super) fn group(&self, name: &str) -> Option<&GroupEntry> {
        self.groups.get(name)
    }

    pub(super) fn subscriptions(&self, group: &str) -> Option<&GroupSubscriptions> {
        self.subscriptions.get(group)
    }

    pub(super) fn put_topic(&mut self, entry: TopicEntry) {
        self.topics.insert(entry.name.clone(), entry);
    }

    pub(super) fn remove_topic(&mut self, name: &str) {
        self.topics.remove(name);
    }

    pub(super) fn put_group(&mut self, entry: GroupEntry) {
        self.groups.insert(entry.name.clone(), entry);
    }

    pub(super) fn remove_group(&mut self, name: &str) {
        self.groups.remove(name);
    }

    pub(super) fn put_subscriptions(
        &mut self,
        group: String,
        broadcasting: bool,
        entries: Vec<SubscriptionEntry>,
    ) {
        let topics = entries
            .into_iter()
            .map(|entry| {
                let filter = parse_filter(&entry.expression_type, &entry.expression);
                (entry.topic, Subscription { version: entry.version, filter })
            })
            .collect();
        self.subscriptions.insert(group, GroupSubscriptions { broadcasting, topics });
    }

    pub(super) fn remove_subscriptions(&mut self, group: &str) {
        self.subscriptions.remove(group);
    }

    /// Whether the group holds queue locks.
    pub(super) fn is_orderly(&self, group: &str) -> bool {
        self.orderly.contains(group)
    }

    pub(super) fn set_orderly(&mut self, group: String, orderly: bool) {
        if orderly {
            self.orderly.insert(group);
        } else {
            self.orderly.remove(&group);
        }
    }

    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.topics.len(), self.groups.len())
    }
}

/// The filter an expression asks for; an absent type means tags, as in Apache.
pub(super) fn parse_filter(expression_type: &str, expression: &str) -> Result<Filter, Unfiltered> {
    match expression_type {
        "" | "TAG" => TagFilter::parse(expression).map(Filter::from).map_err(|_| Unfiltered::NoTags),
        _ if expression.is_empty() => Err(Unfiltered::NoText),
        "SQL92" => SqlFilter::parse(expression).map(Filter::from).map_err(|_| Unfiltered::Uncompiled),
        _ => Err(Unfiltered::Uncompiled),
    }
}
