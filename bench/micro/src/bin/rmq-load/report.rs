//! What is counted while a load runs, and the lines that say so.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use rocketmq_lite_bench::{Latencies, process::Cpu};
use serde_json::json;

use crate::SendArguments;

/// Refusals are told with the bytes of the first one; so much of it.
const TOLD: usize = 600;

/// The state of the measurement.
pub(crate) struct Report {
    arguments: SendArguments,
    begun: Instant,
    warm: bool,
    cpu: Cpu,
    requests: u64,
    refused: u64,
    first_refusal: Option<String>,
    latencies: Latencies,
    stretch: (Instant, u64),
}

impl Report {
    pub(crate) fn start(arguments: &SendArguments) -> io::Result<Self> {
        let mut report = Self {
            arguments: arguments.clone(),
            begun: Instant::now(),
            warm: false,
            cpu: Cpu::default(),
            requests: 0,
            refused: 0,
            first_refusal: None,
            latencies: Latencies::default(),
            stretch: (Instant::now(), 0),
        };
        if arguments.count.is_some() {
            report.begin()?;
        }
        Ok(report)
    }

    /// From here on everything counts.
    fn begin(&mut self) -> io::Result<()> {
        self.warm = true;
        self.cpu = self.server_cpu()?;
        self.begun = Instant::now();
        self.stretch = (self.begun, 0);
        (self.requests, self.latencies) = (0, Latencies::default());
        Ok(())
    }

    fn server_cpu(&self) -> io::Result<Cpu> {
        self.arguments.pid.map_or(Ok(Cpu::default()), Cpu::of)
    }

    pub(crate) fn answered(&mut self, latency: Duration) {
        self.requests += 1;
        self.latencies.add(latency);
    }

    pub(crate) fn refused(&mut self, frame: &[u8]) {
        self.refused += 1;
        let text =
            || String::from_utf8_lossy(frame.get(..TOLD.min(frame.len())).unwrap_or_default()).into_owned();
        self.first_refusal.get_or_insert_with(text);
    }

    fn messages(&self) -> u64 {
        self.requests * self.arguments.batch as u64
    }

    /// Moves on from warming up, tells how far it is; whether it is enough.
    pub(crate) fn is_done(&mut self) -> io::Result<bool> {
        let elapsed = self.begun.elapsed().as_secs_f64();
        if !self.warm {
            if elapsed >= self.arguments.warmup {
                self.begin()?;
            }
            return Ok(false);
        }
        if let Some(every) = self.arguments.every
            && self.messages() / every > self.stretch.1 / every
        {
            self.tell_stretch()?;
        }
        Ok(match self.arguments.count {
            Some(count) => self.messages() >= count,
            None => elapsed >= self.arguments.seconds,
        })
    }

    fn tell_stretch(&mut self) -> io::Result<()> {
        let (messages, (since, before)) = (self.messages(), self.stretch);
        self.stretch = (Instant::now(), messages);
        let rate = (messages - before) as f64 / since.elapsed().as_secs_f64();
        println!("{}", json!({ "messages": messages, "messages_per_second": rate.round() }));
        io::stdout().flush()
    }

    /// Writes the last line.
    pub(crate) fn finish(&self) -> io::Result<()> {
        let seconds = self.begun.elapsed().as_secs_f64();
        let cpu = self.server_cpu()?.since(self.cpu);
        let messages = self.messages();
        let each = |time: Duration| time.as_secs_f64() * 1e6 / messages.max(1) as f64;
        let mut line = json!({
            "connections": self.arguments.connections,
            "outstanding": self.arguments.outstanding,
            "body": self.arguments.body,
            "batch": self.arguments.batch,
            "header": format!("{:?}", self.arguments.header).to_lowercase(),
            "messages": messages,
            "seconds": seconds,
            "messages_per_second": (messages as f64 / seconds).round(),
            "latency": self.latencies.to_json(),
            "refused": self.refused,
        });
        if self.arguments.pid.is_some() {
            line["server_cpu_us"] = json!({
                "user": each(cpu.user), "system": each(cpu.system), "total": each(cpu.user + cpu.system),
            });
        }
        println!("{line}");
        match &self.first_refusal {
            None => Ok(()),
            Some(text) => {
                Err(io::Error::other(format!("{} requests were refused, first: {text}", self.refused)))
            }
        }
    }
}
