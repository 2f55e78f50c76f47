//! The engine alone against what the machine can do: `make bench-micro`.
//!
//! Every measurement takes its turn in each round, so that a machine whose speed drifts favours none; a line shows the
//! median of the rounds and, where there is an aim, the ratio to the machine's own figure from the same rounds.

#![expect(clippy::print_stdout, reason = "a program that prints figures")]
#![expect(clippy::cast_precision_loss, reason = "figures are told to three digits")]

mod append;
mod engine;
mod flush;
mod read;
mod rig;

use std::path::PathBuf;

use clap::Parser;
use rocketmq_lite_core::wire::Codec;

use crate::rig::{Figures, Result};

#[derive(Parser)]
#[command(about = "Measures the engine alone against what the machine can do")]
struct Arguments {
    /// Where files are written; some hundred megabytes, removed again.
    #[arg(long, default_value = "target")]
    dir: PathBuf,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut figures = Figures::default();
    for round in 0..arguments.rounds {
        let dir = rig::Dir::new(&arguments.dir, round)?;
        append::round(dir.path(), &mut figures)?;
        flush::round(dir.path(), &mut figures)?;
        read::round(dir.path(), 1024, &mut figures)?;
        read::round(dir.path(), 128, &mut figures)?;
        engine::round(dir.path(), Codec::Rocketmq, &mut figures)?;
        engine::round(dir.path(), Codec::Json, &mut figures)?;
    }
    println!("{} rounds, medians\n", arguments.rounds);
    append::print(&figures);
    flush::print(&figures);
    read::print(&figures);
    engine::print(&figures);
    Ok(())
}
