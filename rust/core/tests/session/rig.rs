//! The owner the tests use: does at once what the engine asks, unless a test keeps flushes or reads back.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use rocketmq_lite_core::record::{self, Decoded, Message, properties};
use rocketmq_lite_core::session::{
    Broker, Cold, ConnId, Control, GroupEntry, Now, Output, Settings, SubscriptionEntry, TopicEntry, Value,
};
use rocketmq_lite_core::store::{
    Delays, FaultFs, FileSystem, FlushMode, FlushPlan, MemFs, ReadPlan, Store, StoreSettings,
};
use rocketmq_lite_core::wire::{self, Codec, Command, FLAG_ONEWAY, Fields, FrameDecoder, MAX_FRAME};

pub(crate) const TOPIC: &str = "VT";
pub(crate) const GROUP: &str = "VG";
pub(crate) const SEND: i32 = 310;
pub(crate) const PULL: i32 = 11;

/// When every test begins.
pub(crate) const START: Now = Now { wall_ms: 1_795_418_275_000, mono_ms: 1_000 };

/// One client as the owner sees it.
struct Client {
    decoder: FrameDecoder,
    answers: VecDeque<Command>,
    paused: bool,
    unreported: usize,
}

pub(crate) struct Rig {
    pub(crate) broker: Broker,
    pub(crate) fs: MemFs,
    pub(crate) faults: FaultFs,
    pub(crate) now: Now,
    clients: HashMap<ConnId, Client>,
    pub(crate) cold: VecDeque<Cold>,
    pub(crate) done: Vec<(u64, Value)>,
    pub(crate) closed: Vec<ConnId>,
    /// Flushes that were not run, if they are kept back.
    pub(crate) flushes: VecDeque<FlushPlan>,
    pub(crate) keep_flushes: bool,
    /// Reads that were not run, if they are kept back.
    pub(crate) reads: VecDeque<(u64, ReadPlan)>,
    pub(crate) keep_reads: bool,
    /// Clients take nothing: what was sent is not reported as sent.
    pub(crate) keep_sent: bool,
}

impl Rig {
    /// An asynchronous broker that has `TOPIC` with 4 queues and `GROUP`.
    pub(crate) fn new() -> Self {
        Self::with_flush(FlushMode::Async { interval_ms: 500 })
    }

    pub(crate) fn with_flush(flush: FlushMode) -> Self {
        Self::on(&MemFs::new(), flush, Delays::default(), |_| {})
    }

    /// With other settings of the engine.
    pub(crate) fn with_settings(change: impl FnOnce(&mut Settings)) -> Self {
        Self::on(&MemFs::new(), FlushMode::Async { interval_ms: 500 }, Delays::default(), change)
    }

    /// On a store that an earlier broker left.
    pub(crate) fn reopened(fs: &MemFs) -> Self {
        Self::with_delays(fs, Delays::default())
    }

    /// On a store that an earlier broker left, with delay levels of its own.
    pub(crate) fn with_delays(fs: &MemFs, delays: Delays) -> Self {
        Self::on(fs, FlushMode::Async { interval_ms: 500 }, delays, |_| {})
    }

    fn on(fs: &MemFs, flush: FlushMode, delays: Delays, change: impl FnOnce(&mut Settings)) -> Self {
        let fs = fs.clone();
        let faults = FaultFs::new(Arc::new(fs.clone()));
        let mut store_settings = StoreSettings::new("/store");
        store_settings.segment_size = 16 * 1024 * 1024;
        store_settings.flush = flush;
        store_settings.delays = delays;
        let shared: Arc<dyn FileSystem> = Arc::new(faults.clone());
        let (store, _) = Store::open(shared, store_settings, START.wall_ms).expect("the store opens");
        let host = "127.0.0.1:17911".parse().expect("an address");
        let mut settings = Settings::new("broker-a", "DefaultCluster", host);
        change(&mut settings);
        let broker = Broker::new(settings, store);
        let mut rig = Self {
            broker,
            fs,
            faults,
            now: START,
            clients: HashMap::new(),
            cold: VecDeque::new(),
            done: Vec::new(),
            closed: Vec::new(),
            flushes: VecDeque::new(),
            keep_flushes: false,
            reads: VecDeque::new(),
            keep_reads: false,
            keep_sent: false,
        };
        rig.submit(Control::PutTopic(TopicEntry::new(TOPIC, 4)));
        rig.submit(Control::PutGroup(GroupEntry::new(GROUP)));
        rig
    }

    pub(crate) fn connect(&mut self) -> ConnId {
        let conn = self.broker.open(self.now, "127.0.0.1:56992".parse().expect("an address"));
        let decoder = FrameDecoder::new(MAX_FRAME);
        let client = Client { decoder, answers: VecDeque::new(), paused: false, unreported: 0 };
        self.clients.insert(conn, client);
        conn
    }

    /// Delivers bytes without letting the engine settle.
    pub(crate) fn receive(&mut self, conn: ConnId, bytes: &[u8]) {
        self.broker.receive(conn, bytes, self.now);
    }

    /// Delivers a request without letting the engine settle.
    pub(crate) fn deliver(&mut self, conn: ConnId, request: &Command) {
        let mut frame = Vec::new();
        wire::encode(request, &mut frame).expect("the request is encodable");
        self.receive(conn, &frame);
    }

    /// Delivers a request and settles.
    pub(crate) fn request(&mut self, conn: ConnId, request: &Command) {
        self.deliver(conn, request);
        self.settle();
    }

    /// Delivers a request, settles, and gives the answer to it.
    pub(crate) fn call(&mut self, conn: ConnId, request: &Command) -> Command {
        self.request(conn, request);
        let answer = self.answer(conn).expect("the request is answered at once");
        assert_eq!(answer.opaque, request.opaque);
        answer
    }

    /// The next answer that has come to the client.
    pub(crate) fn answer(&mut self, conn: ConnId) -> Option<Command> {
        self.clients.get_mut(&conn)?.answers.pop_front()
    }

    pub(crate) fn is_paused(&self, conn: ConnId) -> bool {
        self.clients[&conn].paused
    }

    /// Applies a control and settles; what it gave back.
    pub(crate) fn submit(&mut self, control: Control) -> Option<Value> {
        self.broker.submit(77, control, self.now);
        self.settle();
        let place = self.done.iter().position(|(token, _)| *token == 77)?;
        Some(self.done.remove(place).1)
    }

    /// Does all the engine asks for, until it asks for nothing.
    pub(crate) fn settle(&mut self) {
        while let Some(output) = self.broker.poll(self.now) {
            self.act(output);
        }
        self.broker.turn_over(self.now.mono_ms);
    }

    fn act(&mut self, output: Output) {
        match output {
            Output::Send(conn, chunks) => self.deliver_to_client(conn, &chunks),
            Output::Pause(conn) => self.set_paused(conn, true),
            Output::Resume(conn) => self.set_paused(conn, false),
            Output::Close(conn) => self.closed.push(conn),
            Output::Cold(cold) => self.cold.push_back(cold),
            Output::Done(token, value) => self.done.push((token, value)),
            Output::Flush(plan) if self.keep_flushes => self.flushes.push_back(plan),
            Output::Flush(plan) => self.broker.flushed(plan.run(), self.now),
            Output::Index(plan) => self.broker.indexed(plan.run(), self.now),
            Output::Purge(plan) => self.broker.purged(plan.run(), self.now),
            Output::Read(token, plan) if self.keep_reads => self.reads.push_back((token, plan)),
            Output::Read(token, plan) => self.broker.read_done(token, plan.run(), self.now),
        }
    }

    fn deliver_to_client(&mut self, conn: ConnId, chunks: &[Bytes]) {
        let client = self.clients.get_mut(&conn).expect("the client is known");
        for chunk in chunks {
            client.decoder.feed(chunk);
            client.unreported += chunk.len();
        }
        while let Some(answer) = client.decoder.next().expect("the engine writes whole frames") {
            client.answers.push_back(answer);
        }
        if !self.keep_sent {
            self.report_sent(conn);
        }
    }

    /// The client has taken all it was sent.
    pub(crate) fn report_sent(&mut self, conn: ConnId) {
        let client = self.clients.get_mut(&conn).expect("the client is known");
        let bytes = std::mem::take(&mut client.unreported);
        self.broker.sent(conn, bytes, self.now);
    }

    fn set_paused(&mut self, conn: ConnId, paused: bool) {
        if let Some(client) = self.clients.get_mut(&conn) {
            assert_ne!(client.paused, paused, "pause and resume alternate");
            client.paused = paused;
        }
    }

    /// Runs the oldest flush that was kept back.
    pub(crate) fn flush(&mut self) {
        let plan = self.flushes.pop_front().expect("a flush is wanted");
        self.broker.flushed(plan.run(), self.now);
        self.settle();
    }

    /// Runs the oldest read that was kept back.
    pub(crate) fn read(&mut self) {
        let (token, plan) = self.reads.pop_front().expect("a read is wanted");
        self.broker.read_done(token, plan.run(), self.now);
        self.settle();
    }

    /// Lets time pass, waking the engine at each of its deadlines and never else.
    pub(crate) fn advance(&mut self, ms: u64) {
        let end = self.now.mono_ms + ms;
        while let Some(deadline) = self.broker.next_deadline().filter(|deadline| *deadline <= end) {
            self.jump_to(deadline.max(self.now.mono_ms));
            self.broker.tick(self.now);
            self.settle();
        }
        self.jump_to(end);
    }

    fn jump_to(&mut self, mono_ms: u64) {
        self.now.wall_ms += (mono_ms - self.now.mono_ms) as i64;
        self.now.mono_ms = mono_ms;
    }

    /// The next cold thing that is not a log line.
    pub(crate) fn next_cold(&mut self) -> Option<Cold> {
        while let Some(cold) = self.cold.pop_front() {
            if !matches!(cold, Cold::Log { .. }) {
                return Some(cold);
            }
        }
        None
    }

    /// Registers what `GROUP` subscribes to in `TOPIC`.
    pub(crate) fn subscribe(&mut self, expression: &str, version: i64) {
        self.subscribe_by("TAG", expression, version);
    }

    /// The same by an expression of that type.
    pub(crate) fn subscribe_by(&mut self, expression_type: &str, expression: &str, version: i64) {
        let entry = SubscriptionEntry {
            topic: TOPIC.to_owned(),
            expression_type: expression_type.to_owned(),
            expression: expression.to_owned(),
            version,
        };
        let group = GROUP.to_owned();
        self.submit(Control::PutSubscriptions { group, broadcasting: false, entries: vec![entry] });
    }

    /// Stores a message in `TOPIC`; its queue offset.
    pub(crate) fn store(&mut self, conn: ConnId, queue: i32, body: &str, tag: &str) -> i64 {
        let answer = self.call(conn, &send(queue, body, &[("TAGS", tag)]));
        assert_eq!(answer.code, 0, "{answer:?}");
        number(&answer, "queueOffset")
    }
}

/// A request with these fields.
pub(crate) fn request(code: i32, fields: &[(&str, &str)]) -> Command {
    let mut request = Command::request(code, 7, fields.iter().copied().collect::<Fields>());
    request.codec = Codec::Json;
    request
}

/// Property text.
pub(crate) fn property_text(pairs: &[(&str, &str)]) -> String {
    let mut text = properties::Builder::new();
    for (name, value) in pairs {
        text.push(name, value);
    }
    text.finish()
}

/// A send to `TOPIC`.
pub(crate) fn send(queue: i32, body: &str, pairs: &[(&str, &str)]) -> Command {
    send_to(TOPIC, queue, body, pairs)
}

pub(crate) fn send_to(topic: &str, queue: i32, body: &str, pairs: &[(&str, &str)]) -> Command {
    let (queue, text) = (queue.to_string(), property_text(pairs));
    let mut command = request(
        SEND,
        &[
            ("a", "PG"),
            ("b", topic),
            ("c", "TBW102"),
            ("d", "4"),
            ("e", &queue),
            ("f", "0"),
            ("g", "1795418275533"),
            ("h", "5"),
            ("i", &text),
            ("j", "0"),
            ("k", "false"),
        ],
    );
    command.body = Bytes::copy_from_slice(body.as_bytes());
    command
}

/// A pull from `TOPIC` by `GROUP` that brings its expression; it may be held if `suspend_ms` is given.
pub(crate) fn pull(queue: i32, offset: i64, expression: &str, suspend_ms: Option<u64>) -> Command {
    let sys_flag = if suspend_ms.is_some() { "6" } else { "4" };
    request(
        PULL,
        &[
            ("consumerGroup", GROUP),
            ("topic", TOPIC),
            ("queueId", &queue.to_string()),
            ("queueOffset", &offset.to_string()),
            ("maxMsgNums", "32"),
            ("sysFlag", sys_flag),
            ("commitOffset", "0"),
            ("suspendTimeoutMillis", &suspend_ms.unwrap_or_default().to_string()),
            ("subscription", expression),
            ("subVersion", "0"),
            ("expressionType", "TAG"),
        ],
    )
}

/// A pull that relies on the heartbeats of its group.
pub(crate) fn registered(queue: i32, offset: i64, version: i64, suspend_ms: Option<u64>) -> Command {
    let sys_flag = if suspend_ms.is_some() { "2" } else { "0" };
    let pull = with(pull(queue, offset, "", suspend_ms), "sysFlag", sys_flag);
    with(pull, "subVersion", &version.to_string())
}

/// The same request, never to be answered.
pub(crate) fn oneway(mut command: Command) -> Command {
    command.flag |= FLAG_ONEWAY;
    command
}

/// The same request with one field changed.
pub(crate) fn with(mut command: Command, key: &str, value: &str) -> Command {
    command.fields.set(key, value);
    command
}

/// The same request without one of its fields.
pub(crate) fn without(mut command: Command, key: &str) -> Command {
    command.fields = command.fields.iter().filter(|(name, _)| *name != key).collect();
    command
}

/// What a send or a batch is answered, after making sure that it is refused and left nothing behind.
pub(crate) fn refused(rig: &mut Rig, request: &Command) -> (i32, String) {
    let conn = rig.connect();
    let before = rig.broker.statistics();
    let answer = rig.call(conn, request);
    let after = rig.broker.statistics();
    assert_ne!(answer.code, 0, "{request:?}");
    assert_eq!((before.log_end, before.messages_in), (after.log_end, after.messages_in));
    assert_eq!(after.sends_refused, before.sends_refused + 1);
    assert_eq!(rig.next_cold().map(|cold| format!("{cold:?}")), None);
    (answer.code, answer.remark.expect("a refusal says why"))
}

/// A numeric field of an answer.
pub(crate) fn number(answer: &Command, key: &str) -> i64 {
    answer.fields.required_i64(key).expect("the answer has the field")
}

/// The messages of a body.
pub(crate) fn messages(body: &[u8]) -> Vec<Message<'_>> {
    let (mut found, mut rest) = (Vec::new(), body);
    while !rest.is_empty() {
        let Decoded::Message(message) = record::decode(rest).expect("records") else { panic!("no message") };
        rest = &rest[message.total_size..];
        found.push(message);
    }
    found
}

/// The bodies of the messages of an answer.
pub(crate) fn bodies(answer: &Command) -> Vec<String> {
    messages(&answer.body).iter().map(|m| String::from_utf8_lossy(m.body).into_owned()).collect()
}
