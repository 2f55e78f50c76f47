//! The two halves of `rmq-load` against each other.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_rmq-load");

/// A responder that ends with its test.
struct Null {
    process: Child,
    address: String,
}

impl Null {
    fn start() -> Self {
        let mut process = Command::new(PROGRAM).arg("null").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        Self { process, address: said["address"].as_str().unwrap().to_owned() }
    }
}

impl Drop for Null {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The lines that a load writes.
fn send(null: &Null, arguments: &[&str]) -> Vec<Value> {
    let pid = null.process.id().to_string();
    let output = Command::new(PROGRAM)
        .args(["send", "--address", &null.address, "--pid", &pid])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_message_is_answered_in_both_header_types() {
    let null = Null::start();
    for header in ["json", "rocketmq"] {
        let lines =
            send(&null, &["--header", header, "--connections", "3", "--outstanding", "5", "--count", "1000"]);
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        let messages = line["messages"].as_u64().unwrap();
        assert!((1000..1015).contains(&messages), "{line}");
        assert_eq!((line["refused"].as_u64(), line["header"].as_str()), (Some(0), Some(header)));
        assert!(line["latency"]["p99_us"].as_f64().unwrap() >= line["latency"]["p50_us"].as_f64().unwrap());
        assert!(line["server_cpu_us"]["total"].is_number(), "{line}");
    }
}

#[test]
fn stretches_of_batches_are_told_as_they_pass() {
    let null = Null::start();
    let arguments =
        ["--batch", "10", "--body", "100", "--connections", "1", "--count", "5000", "--every", "1000"];
    let lines = send(&null, &arguments);
    let stretches: Vec<u64> = lines
        .iter()
        .filter(|line| line["latency"].is_null())
        .map(|line| line["messages"].as_u64().unwrap())
        .collect();
    assert_eq!(stretches, [1000, 2000, 3000, 4000, 5000]);
    assert_eq!(lines.last().unwrap()["messages"], 5000);
}
