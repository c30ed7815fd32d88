//! Counts the bytes a query reads from objects, up to its work group's limit.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::local::athena::failure::Failure;

/// The name of the failure that ends a query at the limit: Athena calls such a query cancelled.
pub const CUT_OFF: &str = "BYTES_SCANNED_LIMIT";

#[derive(Debug, Default)]
pub struct Meter {
    bytes: AtomicU64,
    /// BytesScannedCutoffPerQuery of the work group.
    limit: Option<u64>,
}

impl Meter {
    pub fn new(limit: Option<u64>) -> Meter {
        Meter { bytes: AtomicU64::new(0), limit }
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Counts bytes that were read; fails when they are too many.
    pub fn add(&self, bytes: u64) -> Result<(), Failure> {
        let all = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if self.limit.is_some_and(|limit| all > limit) {
            return Err(Failure::new(CUT_OFF, "Bytes scanned limit was exceeded"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_may_be_reached_and_not_passed() {
        let meter = Meter::new(Some(10));
        assert!(meter.add(10).is_ok());
        assert_eq!(meter.add(1).unwrap_err().name, CUT_OFF);
        assert_eq!(meter.bytes(), 11);
        assert!(Meter::new(None).add(u64::MAX).is_ok());
    }
}
