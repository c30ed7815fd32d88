//! Days left, tiers and windows. `today` is always an argument.

/// How urgent an accreditation is. The order of the variants is the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Before as-of.
    Lapsed,
    /// At most 30 days.
    Critical,
    /// At most 90 days.
    High,
    /// No date or an unreadable one: never clear.
    Unknown,
    /// At most 180 days.
    Medium,
    /// More than 180 days.
    Clear,
}
