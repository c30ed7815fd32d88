//! What to listen to follows from what is shown: leave a screen, and its streams end by themselves.

use std::collections::BTreeSet;

use crate::ui::model::Model;

/// A stream. The runtime starts those that are new in the set and drops those that are gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sub {
    /// `Msg::Ticked` every so many milliseconds: often only while something that runs is visible.
    Clock(u64),
    /// The history of an execution (ARN), from its first event to its last.
    Execution(String),
    /// The lines of a log group, from some minutes ago on.
    Logs { group: String, minutes: i64 },
    /// The newest objects below a prefix, whenever they change. Another attempt is another stream.
    Objects { bucket: String, prefix: String, attempt: u16 },
    /// A query (id) until it is over.
    Query(String),
}

/// The clock of a screen on which nothing moves, in milliseconds.
const IDLE: u64 = 30_000;

/// The streams that the present screen wants.
pub fn subs(model: &Model) -> BTreeSet<Sub> {
    let mut all = model.front().subs(&model.world);
    // Executions that are watched are followed whatever is in front.
    all.extend(model.workflows.board.watching());
    // Where nothing moves midnight still comes, and what failed is tried again.
    if !all.iter().any(|sub| matches!(sub, Sub::Clock(_))) {
        all.insert(Sub::Clock(IDLE));
    }
    if model.world.reduced_motion {
        // Without motion a second is fine enough for elapsed times.
        let calm = |sub| if let Sub::Clock(millis) = sub { Sub::Clock(millis.max(1000)) } else { sub };
        return all.into_iter().map(calm).collect();
    }
    all
}
