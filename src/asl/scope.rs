//! What an expression can see: the input at hand, the variables and the context object.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

/// Variables by name, set by Assign.
pub type Variables = BTreeMap<String, Value>;

/// The values behind `$`, `$name` and `$$`.
pub struct Scope<'a> {
    pub input: &'a Value,
    pub variables: &'a Variables,
    pub context: &'a Context<'a>,
    /// What a JSONata state's work gave: `$states.result`.
    pub result: Option<&'a Value>,
    /// What a JSONata state's catcher caught: `$states.errorOutput`.
    pub error: Option<&'a Value>,
}

impl<'a> Scope<'a> {
    pub fn new(input: &'a Value, variables: &'a Variables, context: &'a Context<'a>) -> Scope<'a> {
        Scope { input, variables, context, result: None, error: None }
    }
}

/// The context object, built when it is first asked for: most expressions never do.
pub struct Context<'a> {
    make: Box<dyn Fn() -> Value + 'a>,
    made: OnceCell<Value>,
    /// Bytes for `States.UUID` and `States.MathRandom`; each draw takes the next ones.
    pub chance: &'a Chance,
    /// The stimulus's time, for `$now` and `$millis`.
    pub now: DateTime<Utc>,
}

impl<'a> Context<'a> {
    pub fn new(chance: &'a Chance, now: DateTime<Utc>, make: impl Fn() -> Value + 'a) -> Self {
        Context { make: Box::new(make), made: OnceCell::new(), chance, now }
    }

    pub fn value(&self) -> &Value {
        self.made.get_or_init(|| (self.make)())
    }
}

/// Entropy handed in from outside, stretched deterministically: the same seed gives the same draws.
pub struct Chance {
    state: std::cell::Cell<u64>,
}

impl Chance {
    pub fn new(seed: u64) -> Self {
        Chance { state: std::cell::Cell::new(seed) }
    }

    /// The next 64 bits (SplitMix64, a fixed public recurrence).
    pub fn next(&self) -> u64 {
        let state = self.state.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.state.set(state);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// At least 0 and below 1.
    pub fn fraction(&self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A random UUID in its usual spelling.
    pub fn uuid(&self) -> String {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.next().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next().to_be_bytes());
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }
}
