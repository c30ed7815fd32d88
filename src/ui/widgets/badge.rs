//! A status: glyph, word and role, in this order of importance.

use crate::domain::execution::Status;
use crate::domain::expiry::Tier;
use crate::domain::query::QueryState;
use crate::ui::theme::Role;

/// What a status is shown as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Badge {
    glyph: &'static str,
    ascii: &'static str,
    pub word: &'static str,
    pub role: Role,
    turning: bool,
}

const TURN: [&str; 4] = ["◐", "◓", "◑", "◒"];

impl Badge {
    const fn new(glyph: &'static str, ascii: &'static str, word: &'static str, role: Role) -> Badge {
        Badge { glyph, ascii, word, role, turning: false }
    }

    pub const SUCCEEDED: Badge = Badge::new("✔", "+", "succeeded", Role::Good);
    pub const RUNNING: Badge = Badge { turning: true, ..Badge::new("◐", ">", "running", Role::Active) };
    pub const WAITING: Badge = Badge::new("◌", ".", "waiting", Role::Quiet);
    pub const QUEUED: Badge = Badge::new("◌", ".", "queued", Role::Quiet);
    pub const RETRYING: Badge = Badge::new("↻", "r", "retrying", Role::Warn);
    pub const CAUGHT: Badge = Badge::new("▲", "!", "caught", Role::Warn);
    pub const FAILED: Badge = Badge::new("✖", "x", "failed", Role::Bad);
    pub const TIMED_OUT: Badge = Badge::new("⧖", "t", "timed out", Role::Bad);
    pub const ABORTED: Badge = Badge::new("■", "#", "aborted", Role::Muted);
    pub const CANCELLED: Badge = Badge::new("■", "#", "cancelled", Role::Muted);
    pub const UNKNOWN: Badge = Badge::new("?", "?", "unknown", Role::Muted);
    pub const UNREACHED: Badge = Badge::new("○", "o", "not reached", Role::Quiet);
    pub const REDRIVE: Badge = Badge::new("◌", ".", "waits for redrive", Role::Quiet);

    pub fn status(status: Status) -> Badge {
        match status {
            Status::Running => Badge::RUNNING,
            Status::Succeeded => Badge::SUCCEEDED,
            Status::Failed => Badge::FAILED,
            Status::TimedOut => Badge::TIMED_OUT,
            Status::Aborted => Badge::ABORTED,
            Status::PendingRedrive => Badge::REDRIVE,
        }
    }

    pub fn query(state: QueryState) -> Badge {
        match state {
            QueryState::Queued => Badge::QUEUED,
            QueryState::Running => Badge::RUNNING,
            QueryState::Succeeded => Badge::SUCCEEDED,
            QueryState::Failed => Badge::FAILED,
            QueryState::Cancelled => Badge::CANCELLED,
        }
    }

    pub fn tier(tier: Tier) -> Badge {
        match tier {
            Tier::Lapsed => Badge::new("✖", "x", "lapsed", Role::Lapsed),
            Tier::Critical => Badge::new("✖", "x", "critical", Role::Bad),
            Tier::High => Badge::new("▲", "!", "high", Role::Alert),
            Tier::Unknown => Badge::UNKNOWN,
            Tier::Medium => Badge::new("▲", "!", "medium", Role::Warn),
            Tier::Clear => Badge::new("✔", "+", "clear", Role::Good),
        }
    }

    /// The glyph of this moment: a running one turns four times a second unless motion is reduced.
    pub fn glyph(self, world: &crate::ui::world::World) -> &'static str {
        if world.ascii {
            self.ascii
        } else if self.turning && !world.reduced_motion {
            TURN[(world.now.timestamp_subsec_millis() / 250) as usize % 4]
        } else {
            self.glyph
        }
    }
}
