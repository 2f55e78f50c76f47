//! Load for a broker from as little CPU as possible, and a responder that does nothing but answer.
//!
//! ```text
//! rmq-load send --address 127.0.0.1:10911 --connections 64 --outstanding 1 --seconds 5 --pid PID
//! rmq-load null --port 10999
//! ```
//!
//! `send` keeps so many `SEND_MESSAGE_V2` (or batches, `SEND_BATCH_MESSAGE`) outstanding on each connection and
//! writes one line of JSON: messages a second, latencies, and with `--pid` the CPU of the server a message. `null`
//! takes the same requests, stores nothing and says what a broker would say: what it reaches is the most that client,
//! kernel and machine allow. Both are one thread.

#![expect(clippy::print_stdout, reason = "a program that prints figures")]
#![expect(clippy::cast_precision_loss, reason = "figures are told to three digits")]

mod generator;
mod null;
mod peer;
mod report;

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use rocketmq_lite_bench::frames::Shape;
use rocketmq_lite_core::wire::Codec;

#[derive(Parser)]
#[command(about = "Puts a broker under load, or answers in its place")]
struct Arguments {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Subcommand)]
enum Mode {
    /// Send to a broker and say how fast it answers.
    Send(SendArguments),
    /// Answer every request with success, name server requests too.
    Null {
        /// 0 picks a free one; the address is printed.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
}

/// What is sent, and for how long.
#[derive(clap::Args, Debug, Clone)]
struct SendArguments {
    /// The broker.
    #[arg(long)]
    address: SocketAddr,
    #[arg(long, default_value = "rmq-load")]
    topic: String,
    /// Queues to send to; connections take turns.
    #[arg(long, default_value_t = 4)]
    queues: u32,
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Requests that wait for their answer, on each connection.
    #[arg(long, default_value_t = 1)]
    outstanding: usize,
    /// Bytes of a message's body.
    #[arg(long, default_value_t = 1024)]
    body: usize,
    /// Messages of a request; more than 1 makes batches.
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// Leave out the unique key that clients give each message.
    #[arg(long)]
    no_keys: bool,
    /// How headers are written. Apache's Java client writes JSON unless told otherwise.
    #[arg(long, value_enum, default_value_t = Header::Json)]
    header: Header,
    /// Seconds before anything counts.
    #[arg(long, default_value_t = 1.0)]
    warmup: f64,
    /// Seconds that count.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Stop after so many messages instead, all of which count.
    #[arg(long)]
    count: Option<u64>,
    /// Write a line each time so many messages were acknowledged.
    #[arg(long)]
    every: Option<u64>,
    /// The server's process, to say what it used.
    #[arg(long)]
    pid: Option<u32>,
}

impl SendArguments {
    fn shape(&self) -> Shape {
        Shape {
            topic: self.topic.clone(),
            body: self.body,
            batch: self.batch,
            keys: !self.no_keys,
            codec: self.header.codec(),
        }
    }
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Header {
    Json,
    Rocketmq,
}

impl Header {
    fn codec(self) -> Codec {
        match self {
            Self::Json => Codec::Json,
            Self::Rocketmq => Codec::Rocketmq,
        }
    }
}

fn main() -> ExitCode {
    let done = match Arguments::parse().mode {
        Mode::Send(arguments) => generator::run(&arguments),
        Mode::Null { port } => null::serve(port),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{}", serde_json::json!({ "error": error.to_string() }));
            ExitCode::FAILURE
        }
    }
}
