//! A reactor over memory and a blocking client that speaks to it, for the tests of this crate.

#![allow(dead_code, unreachable_pub, reason = "each test file is a crate of its own and uses its part")]

pub mod hook_fs;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rocketmq_lite_core::session::{Broker, Control, GroupEntry, Settings, TopicEntry};
use rocketmq_lite_core::store::{FileSystem, FlushMode, MemFs, Store, StoreSettings};
use rocketmq_lite_core::wire::codes::request::{PULL_MESSAGE, SEND_MESSAGE};
use rocketmq_lite_core::wire::{Command, Fields, FrameDecoder, MAX_FRAME, encode};
use rocketmq_lite_plane::{Clock, Event, Reactor, ReactorSettings, Tls, WakeSocket};

/// Nothing here takes longer, unless it never happens.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running reactor with topic `T` (four queues) and group `G`, listening on a free port.
pub struct Server {
    pub reactor: Reactor,
    pub address: SocketAddr,
    pub wake: UnixStream,
    pub files: Arc<dyn FileSystem>,
}

/// What a test may want different.
pub struct Wish {
    pub files: Arc<dyn FileSystem>,
    pub flush: FlushMode,
    pub reactor: ReactorSettings,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            files: Arc::new(MemFs::new()),
            flush: FlushMode::Async { interval_ms: 500 },
            reactor: generous(),
        }
    }
}

/// Room for every test, no TLS.
pub fn generous() -> ReactorSettings {
    ReactorSettings { max_connections: 20_000, tls: Tls::disabled() }
}

pub fn open_store(files: &Arc<dyn FileSystem>, flush: FlushMode) -> Store {
    let mut settings = StoreSettings::new("/store");
    settings.segment_size = 64 * 1024 * 1024;
    settings.flush = flush;
    Store::open(Arc::clone(files), settings, Clock::wall_ms()).expect("the store opens").0
}

impl Server {
    pub fn start() -> Self {
        Self::with(Wish::default())
    }

    pub fn with(wish: Wish) -> Self {
        let store = open_store(&wish.files, wish.flush);
        let host = SocketAddr::from((Ipv4Addr::LOCALHOST, 10911));
        let broker = Broker::new(Settings::new("broker-a", "DefaultCluster", host), store);
        let (wake, theirs) = UnixStream::pair().expect("a socket pair");
        wake.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let theirs = WakeSocket::new(theirs.into()).expect("a socket");
        let reactor = Reactor::start(broker, Clock::start(), theirs, wish.reactor).expect("threads start");
        let address = reactor.listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        reactor.submit(0, Control::PutTopic(TopicEntry::new("T", 4))).expect("it runs");
        reactor.submit(0, Control::PutGroup(GroupEntry::new("G"))).expect("it runs");
        Self { reactor, address, wake, files: wish.files }
    }

    pub fn client(&self) -> Client {
        Client::connect(self.address)
    }

    /// Takes events until one is what is looked for; those before it are dropped.
    pub fn wait_event<T>(&mut self, mut look: impl FnMut(Event) -> Option<T>) -> T {
        loop {
            while let Some(event) = self.reactor.take(1).into_iter().next() {
                if let Some(found) = look(event) {
                    return found;
                }
            }
            let mut bytes = [0; 64];
            assert!(self.wake.read(&mut bytes).expect("a wake-up comes in time") > 0, "the waker is gone");
        }
    }

    pub fn close(self) {
        self.reactor.close(PATIENCE).expect("an orderly end");
    }
}

/// Looks again and again until it is so. For what only the reactor's counters tell, which nothing announces.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} did not come to be");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// One blocking connection.
pub struct Client {
    pub stream: TcpStream,
    decoder: FrameDecoder,
    opaque: i32,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream.set_nodelay(true).expect("an option");
        Self { stream, decoder: FrameDecoder::new(MAX_FRAME), opaque: 0 }
    }

    /// Writes a command; its opaque.
    pub fn write(&mut self, code: i32, fields: &[(&str, &str)], body: &[u8]) -> i32 {
        self.opaque += 1;
        let frame = frame(code, self.opaque, fields, body);
        self.stream.write_all(&frame).expect("it takes the frame");
        self.opaque
    }

    /// The next answer; `None` when the connection was closed.
    pub fn read(&mut self) -> Option<Command> {
        let mut buffer = vec![0; 256 * 1024];
        loop {
            if let Some(command) = self.decoder.next().expect("well-formed answers") {
                return Some(command);
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => self.decoder.feed(buffer.get(..count).expect("what was read")),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no answer: {error}"),
            }
        }
    }

    /// One request and its answer.
    pub fn call(&mut self, code: i32, fields: &[(&str, &str)], body: &[u8]) -> Command {
        let opaque = self.write(code, fields, body);
        let answer = self.read().expect("an answer");
        assert_eq!(answer.opaque, opaque);
        answer
    }

    pub fn send(&mut self, queue: i32, body: &[u8]) -> Command {
        self.call(SEND_MESSAGE, &send_fields(&queue.to_string()), body)
    }

    pub fn pull(&mut self, offset: i64, most: i32) -> Command {
        self.call(PULL_MESSAGE, &pull_fields(&offset.to_string(), &most.to_string(), "0"), b"")
    }
}

pub fn frame(code: i32, opaque: i32, fields: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let fields: Fields = fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let mut command = Command::request(code, opaque, fields);
    command.body = body.to_vec().into();
    let mut bytes = Vec::new();
    encode(&command, &mut bytes).expect("it fits a frame");
    bytes
}

/// Fields of a send to topic `T`.
pub fn send_fields(queue: &str) -> [(&str, &str); 9] {
    [
        ("producerGroup", "P"),
        ("topic", "T"),
        ("defaultTopic", "TBW102"),
        ("defaultTopicQueueNums", "4"),
        ("queueId", queue),
        ("sysFlag", "0"),
        ("bornTimestamp", "1700000000000"),
        ("flag", "0"),
        ("properties", ""),
    ]
}

/// Fields of a pull from queue 0 of topic `T` by group `G`; held for so long if there is nothing.
pub fn pull_fields<'a>(offset: &'a str, most: &'a str, hold_ms: &'a str) -> [(&'a str, &'a str); 11] {
    let sys_flag = if hold_ms == "0" { "4" } else { "6" };
    [
        ("consumerGroup", "G"),
        ("topic", "T"),
        ("queueId", "0"),
        ("queueOffset", offset),
        ("maxMsgNums", most),
        ("sysFlag", sys_flag),
        ("commitOffset", "0"),
        ("suspendTimeoutMillis", hold_ms),
        ("subscription", "*"),
        ("subVersion", "0"),
        ("expressionType", "TAG"),
    ]
}
