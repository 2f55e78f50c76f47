//! Which disks are tried.

use rocketmq_lite_core::store::{MemFs, PowerCut};

use crate::support::chance::Chance;

/// How thorough a run is.
pub(crate) struct Effort {
    /// Workloads, each with a seed of its own.
    pub(crate) workloads: u64,
    /// Cuts of the power in each.
    moments: usize,
    /// Blocks that are left out, or kept, alone.
    singles: usize,
    /// Choices at random.
    subsets: usize,
    /// Every so many disks, the power is cut again during the start.
    pub(crate) interrupt_every: usize,
}

impl Effort {
    #[expect(clippy::disallowed_methods, reason = "to choose the long version")]
    pub(crate) fn asked_for() -> Self {
        match std::env::var("POWER_LOSS_SUBSETS").ok().and_then(|count| count.parse().ok()) {
            Some(subsets) => Self { workloads: 2, moments: 20, singles: 40, subsets, interrupt_every: 500 },
            None => Self { workloads: 1, moments: 8, singles: 3, subsets: 3, interrupt_every: 40 },
        }
    }

    /// For what is multiplied by something else.
    pub(crate) fn least(&self) -> Self {
        Self { singles: 2, subsets: 2, ..*self }
    }

    #[expect(clippy::disallowed_methods, reason = "to repeat a run")]
    pub(crate) fn first_seed() -> u64 {
        let chosen = std::env::var("POWER_LOSS_SEED").ok().and_then(|seed| seed.parse().ok());
        chosen.unwrap_or_else(|| std::process::id().into())
    }

    /// Moments of a journal, its end among them.
    pub(crate) fn moments(&self, len: usize, chance: &mut Chance) -> Vec<usize> {
        spread(self.moments, len, chance)
    }
}

/// Some moments of a short journal.
pub(crate) fn few_moments(len: usize, chance: &mut Chance) -> Vec<usize> {
    spread(4, len, chance)
}

fn spread(count: usize, len: usize, chance: &mut Chance) -> Vec<usize> {
    let mut moments: Vec<usize> = (1..count).map(|_| chance.below(len as u64 + 1) as usize).collect();
    moments.push(len);
    moments
}

/// Makes the disks that a cut may leave, as many as the effort says, and has each looked at.
pub(crate) fn each_image(
    cut: &PowerCut<'_>,
    effort: &Effort,
    chance: &mut Chance,
    mut look: impl FnMut(&str, &MemFs),
) {
    let pieces = cut.pieces();
    let mut look_at = |name: &str, kept: &dyn Fn(usize) -> bool| look(name, &cut.image(kept).unwrap());
    look_at("nothing of what was on its way", &|_| false);
    if pieces == 0 {
        return;
    }
    look_at("all of it", &|_| true);
    for single in singles(pieces, effort.singles, chance) {
        look_at(&format!("all but {single} of {pieces}"), &|piece| piece != single);
        look_at(&format!("only {single} of {pieces}"), &|piece| piece == single);
    }
    for _ in 0..effort.subsets {
        let (seed, share) = (chance.next(), 1 + chance.below(7));
        let kept: Vec<bool> = {
            let mut chance = Chance::new(seed);
            (0..pieces).map(|_| chance.below(8) < share).collect()
        };
        look_at(&format!("{share} eighths by {seed}"), &|piece| kept[piece]);
    }
}

fn singles(pieces: usize, most: usize, chance: &mut Chance) -> Vec<usize> {
    if pieces <= most {
        return (0..pieces).collect();
    }
    // The last one is the torn page.
    let mut chosen: Vec<usize> = (1..most).map(|_| chance.below(pieces as u64) as usize).collect();
    chosen.push(pieces - 1);
    chosen
}
