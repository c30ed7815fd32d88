//! Whole numbers that 64-bit floating point cannot tell apart. AWS hands on an integer unchanged while it fits
//! into 64 bits, and a larger one as floating point; the evaluator knows floating point only. So each integer
//! from 2^53 on is lent as a number close to it that stands for it alone, and found again by that number.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::Number;

/// From here on neighbours share a floating-point number: 2^53.
pub const LARGE: f64 = 9_007_199_254_740_992.0;
/// Here a place is looked for towards zero, before it away from zero: 2^62.
const HALF: f64 = 4_611_686_018_427_387_904.0;
/// What no signed integer of 64 bits reaches: 2^63.
const TOO_LARGE: f64 = 9_223_372_036_854_775_808.0;
/// Places that are tried for a number whose own is taken; beyond, it is rounded.
const TRIES: usize = 512;

/// The large numbers of one evaluation, by the bits of those that stand for them.
#[derive(Default)]
pub struct Wholes(RefCell<HashMap<u64, Number>>);

impl Wholes {
    /// The number that stands for this one in the evaluation.
    pub fn lend(&self, number: &Number) -> f64 {
        let near = number.as_f64().unwrap_or_default();
        if near.abs() < LARGE || near.abs() > TOO_LARGE {
            return near;
        }
        let Some(meant) = number.as_i64().map(Number::from).or_else(|| written(near)) else { return near };
        let mut kept = self.0.borrow_mut();
        let mut place = near;
        for _ in 0..TRIES {
            if *kept.entry(place.to_bits()).or_insert_with(|| meant.clone()) == meant {
                return place;
            }
            place = if (near > 0.0) == (near.abs() < HALF) { place.next_up() } else { place.next_down() };
        }
        near
    }

    /// Whether a number stands for another one.
    pub fn differ(&self) -> bool {
        self.0.borrow().iter().any(|(place, meant)| written(f64::from_bits(*place)).as_ref() != Some(meant))
    }

    /// The floating-point number nearest to what a number stands for.
    pub fn taken(&self, number: f64) -> f64 {
        self.0.borrow().get(&number.to_bits()).and_then(Number::as_f64).unwrap_or(number)
    }

    /// What stands for a number that was calculated.
    pub fn given(&self, number: f64) -> f64 {
        match written(number) {
            Some(meant) if number.abs() < TOO_LARGE => self.lend(&meant),
            _ => number,
        }
    }

    /// What a number stands for; without a fraction where it is an integer of 64 bits. `None` for what is no
    /// number in JSON.
    pub fn give_back(&self, number: f64) -> Option<Number> {
        let kept = self.0.borrow().get(&number.to_bits()).cloned();
        kept.or_else(|| written(number))
    }
}

fn written(number: f64) -> Option<Number> {
    let whole = number.fract() == 0.0 && number.abs() < TOO_LARGE;
    if whole { Some(Number::from(number as i64)) } else { Number::from_f64(number) }
}
