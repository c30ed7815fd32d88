//! Made-up data that is the same everywhere: draws from ChaCha8, one stream a row, integers only.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream is for, so that rows of different jobs do not share draws.
#[derive(Clone, Copy, Debug)]
pub enum Job {
    Survey = 0,
    Facility = 1,
}

/// The draws of one row.
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The draws of a row (from 1) of a job: equal for equal arguments, whatever other rows there are.
    pub fn of(seed: u64, job: Job, row: u64) -> Draw {
        let mut key = *b"........ward made-up data, v1...";
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(row << 1 | job as u64);
        Draw(rng)
    }

    /// From 0 to `end`, which is excluded; 0 for an empty range.
    pub fn below(&mut self, end: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(end)) >> 32) as u32
    }

    /// From `first` to `last`, both included.
    pub fn between(&mut self, first: u32, last: u32) -> u32 {
        first + self.below(last - first + 1)
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u32) as usize]
    }

    /// `count` different ones, in the order they were drawn.
    pub fn several<'a, T>(&mut self, of: &'a [T], count: usize) -> Vec<&'a T> {
        let mut left: Vec<&T> = of.iter().collect();
        (0..count.min(of.len())).map(|_| left.swap_remove(self.below(left.len() as u32) as usize)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_its_own_draws() {
        let draws = |seed, job, row| {
            let mut draw = Draw::of(seed, job, row);
            [draw.below(1 << 30), draw.below(1 << 30)]
        };
        let one = draws(1, Job::Survey, 1);
        assert_eq!(one, draws(1, Job::Survey, 1));
        for other in [draws(2, Job::Survey, 1), draws(1, Job::Facility, 1), draws(1, Job::Survey, 2)] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn several_are_different() {
        let mut drawn = Draw::of(3, Job::Facility, 9).several(&["a", "b", "c", "d"], 9);
        drawn.sort();
        assert_eq!(drawn, [&"a", &"b", &"c", &"d"]);
    }
}
